"""The answer to an :class:`engine.opf.question.OpfQuestion` as a study keeps it: numbers, reasons, where from."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np

from engine.errors import Problem, QuestionError
from engine.network.model import Network, Vector
from engine.opf.dc_opf import DcOpfResult
from engine.opf.question import OpfQuestion

FORMAT = "headroom-opf-1"
HOLDS = 1e-6  # relative; the tolerance at which a dispatch is called optimal
PRICED_PER_MWH = 1e-6  # a branch limit that is worth more than this binds
DIGITS = 12  # significant ones that are kept of each number
_ARRAYS = (
    "dispatch_mw", "flow_mw", "lower_mw", "upper_mw", "lmp_per_mwh", "congestion_per_mwh", "branch_price_per_mwh",
    "interface_flow_mw", "interface_lower_mw", "interface_upper_mw", "interface_price_per_mwh",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AfterOutage:
    """A limit that binds after an outage: of a branch or an interface, with what it carries then."""

    kind: Literal["branch", "interface"]
    element: str  # its id
    position: int  # among the branches, or the interfaces in service
    outage: str  # its id: the branch lost, or the contingency
    words: str  # "the loss of line 3-24"
    flow_mw: float  # after the outage
    limit_mw: float  # that it reaches: below zero is towards from_bus
    price_per_mwh: float  # cost saved per MW of limit; negative: a limit below zero


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """The least-cost dispatch, in the order of the network's buses, branches and units."""

    dispatch_mw: Vector  # (G,)
    flow_mw: Vector  # (L,), positive from from_bus to to_bus
    lower_mw: Vector  # (L,), the limits that were held, -inf for none
    upper_mw: Vector  # (L,), inf for none
    lmp_per_mwh: Vector  # (B,), nan at a bus out of service
    congestion_per_mwh: Vector  # (B,), its part above the energy price
    branch_price_per_mwh: Vector  # (L,), cost saved per MW of limit; negative: the limit towards from_bus
    interface_flow_mw: Vector  # (I,), of the interfaces in service
    interface_lower_mw: Vector  # (I,), -inf for none
    interface_upper_mw: Vector  # (I,), inf for none
    interface_price_per_mwh: Vector  # (I,), cost saved per MW of limit; negative: the backward limit
    energy_per_mwh: float
    reference: str  # where the energy price is that of, in words
    cost_per_h: float
    status: str
    gap: float
    solver: str
    time_s: float
    certified: bool  # the optimality conditions hold, judged by a checker of its own
    after: tuple[AfterOutage, ...] = ()  # limits with a price after an outage, the dearest first
    outages: int = 0  # after which limits hold
    # (id, in words) of outages that split the network: no dispatch is secure against them
    islanding: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, result: DcOpfResult, network: Network) -> Self:
        """Return what is kept of a solve of ``network``."""
        held, outages = result.limits, result.limits.outages
        return cls(
            dispatch_mw=result.dispatch_mw,
            flow_mw=result.flow_mw,
            lower_mw=held.branches.lower_mw,
            upper_mw=held.branches.upper_mw,
            lmp_per_mwh=result.lmp_per_mwh,
            congestion_per_mwh=result.congestion_per_mwh,
            branch_price_per_mwh=result.branch_price_per_mwh,
            interface_flow_mw=result.interface_flow_mw,
            interface_lower_mw=held.interfaces.lower_mw,
            interface_upper_mw=held.interfaces.upper_mw,
            interface_price_per_mwh=result.interface_price_per_mwh,
            energy_per_mwh=result.energy_per_mwh,
            reference=result.prices.reference,
            cost_per_h=result.cost_per_h,
            status=result.status.value,
            gap=float(result.gap),
            solver=result.solver,
            time_s=result.time_s,
            certified=result.certificate.holds(HOLDS),
            after=_after(result, network),
            outages=0 if outages is None else len(outages),
            islanding=() if outages is None else tuple((apart.id, apart.words(network)) for apart in outages.islanding),
        )

    def interface_loading(self) -> Vector:
        """Return each interface's flow as a share of its limit (I,), nan when it has none."""
        flow = self.interface_flow_mw
        limit = np.where(flow >= 0.0, self.interface_upper_mw, -self.interface_lower_mw)
        return np.where(np.isfinite(limit), np.abs(flow) / np.where(np.isfinite(limit), limit, 1.0), np.nan)

    def limit_mw(self) -> Vector:
        """Return the limit of each branch in the direction of its flow (L,), inf for none."""
        return np.where(self.flow_mw >= 0.0, self.upper_mw, -self.lower_mw)

    def loading(self) -> Vector:
        """Return each branch's flow as a share of its limit (L,), nan when it has none."""
        limit = self.limit_mw()
        rated = np.isfinite(limit) & (limit > 0.0)
        return np.where(rated, np.abs(self.flow_mw) / np.where(rated, limit, 1.0), np.nan)

    def binding(self) -> list[int]:
        """Return the positions of the branches whose limit has a price, the dearest first."""
        return _dearest(self.branch_price_per_mwh)

    def binding_interfaces(self) -> list[int]:
        """Return the positions of the interfaces whose limit before outages has a price, the dearest first."""
        return _dearest(self.interface_price_per_mwh)


@dataclass(frozen=True, slots=True, eq=False)
class OpfAnswer:
    """A dispatch, or every reason why there is none; of which network and question, and when it was made."""

    network_digest: str
    question: OpfQuestion
    made: str  # ISO 8601, UTC
    dispatch: Dispatch | None
    refusal: str = ""  # in a sentence; "" when there is a dispatch
    problems: tuple[Problem, ...] = ()  # of the refusal, each with its element

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON; what is not known is null, what is not limited too."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "network": self.network_digest,
            "question": self.question.to_json(),
            "made": self.made,
            "refusal": self.refusal,
            "problems": [asdict(problem) for problem in self.problems],
            "dispatch": None,
        }
        if self.dispatch is not None:
            kept = {name: getattr(self.dispatch, name) for name in Dispatch.__dataclass_fields__}
            kept |= {name: _listed(kept[name]) for name in _ARRAYS}
            kept["after"] = [asdict(row) for row in kept["after"]]
            kept["islanding"] = list(kept["islanding"])
            kept["gap"] = kept["gap"] if math.isfinite(kept["gap"]) else None
            content["dispatch"] = kept
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote. Raises QuestionError when it is something else."""
        if content.get("format") != FORMAT:
            raise QuestionError("this is not an answer of a DC-OPF of this version")
        kept = content["dispatch"]
        dispatch = None
        if kept is not None:
            gaps = {"lower_mw": -math.inf, "upper_mw": math.inf}
            gaps |= {f"interface_{name}": gap for name, gap in gaps.items()}
            # An answer of before there were interfaces is one of a network without any.
            arrays = {name: _array(kept.get(name, ()), gaps.get(name, math.nan)) for name in _ARRAYS}
            more = {
                "gap": math.inf if kept["gap"] is None else kept["gap"],
                "after": tuple(AfterOutage(**row) for row in kept.get("after", ())),
                "islanding": tuple((name, words) for name, words in kept.get("islanding", ())),
            }
            dispatch = Dispatch(**{**kept, **arrays, **more})
        return cls(
            network_digest=content["network"],
            question=OpfQuestion.from_json(content["question"]),
            made=content["made"],
            dispatch=dispatch,
            refusal=content["refusal"],
            problems=tuple(Problem(**problem) for problem in content["problems"]),
        )


def _after(result: DcOpfResult, network: Network) -> tuple[AfterOutage, ...]:
    """Return the limits after outages that have a price, the dearest first."""
    rows, outages = result.rows, result.limits.outages
    if outages is None:
        return ()
    found, size = [], len(network.branches.ids)
    for row in _dearest(np.where(rows.outage >= 0, rows.price_per_mwh, 0.0)):
        monitored, outage, price = int(rows.monitored[row]), int(rows.outage[row]), float(rows.price_per_mwh[row])
        branch = monitored < size
        position = monitored if branch else monitored - size
        found.append(
            AfterOutage(
                kind="branch" if branch else "interface",
                element=(network.branches if branch else network.interfaces).ids[position],
                position=position,
                outage=outages.ids[outage],
                words=outages.words(outage),
                flow_mw=float(rows.flow_mw[row]),
                limit_mw=float(rows.upper_mw[row] if price > 0.0 else rows.lower_mw[row]),
                price_per_mwh=price,
            )
        )
    return tuple(found)


def _dearest(price_per_mwh: Vector) -> list[int]:
    price = np.abs(price_per_mwh)
    found = np.flatnonzero(price > PRICED_PER_MWH)
    return [int(i) for i in found[np.argsort(-price[found], kind="stable")]]


def _listed(values: Vector) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values.tolist()]


def _array(values: Iterable[float | None], gap: float) -> Vector:
    array = np.array([gap if value is None else value for value in values], dtype=np.float64)
    array.setflags(write=False)
    return array
