"""The room on every limit before anything is added: the cold step, after which every question is a small program.

Extra load is decided once and is the same in all states, and both the worst case and CVaR move with a
constant: CVaR(X + a) = CVaR(X) + a. So "worst case or CVaR of (existing load + added load) within the limit"
is exactly "added load within limit minus worst case or CVaR of existing load", row by row. This module
computes the existing load's worst case and the tails of its distribution on every row, from which CVaR and
VaR at any risk level up to 20 % follow by interpolation.

Rows: the withdrawal limit of each bus that has one, then each rated branch forward, then each backward.
Factors here are WITHDRAWAL factors: MW on a branch per MW drawn at a bus and produced by the supply shares.
Sources: Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2(3), 2000
(weighted samples: "Conditional value-at-risk for general loss distributions", J. Banking & Finance 26, 2002);
Ben-Tal, El Ghaoui and Nemirovski, *Robust Optimization*, 2009 (a box's worst case, row by row).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engine.capacity.archive import pack, unpack
from engine.capacity.question import LARGEST_EPSILON, CapacityQuestion, FirmSet, Measure, Supply, UncertaintySpec
from engine.capacity.results import Limit, RowKind
from engine.capacity.supply import supply_share
from engine.capacity.tails import Tails, tails_of
from engine.capacity.uncertainty import Box, States
from engine.compute import Progress
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector

FORMAT = "headroom-margins-3"
TOLERANCE_MW = 1e-6  # what a promise may exceed a limit by and still count as kept: solver and summation noise
SMALLEST_FACTOR = 1e-9  # factors below it are noise of the factorisation
_KINDS: tuple[RowKind, ...] = ("withdrawal", "forward", "backward")
_BLOCK_ROWS = 512
_CACHED_FACTORS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything about a network and its uncertainty that no question changes."""

    network: Network
    factors: Factors  # with the supply shares as slack
    supply: Supply
    firm_set: FirmSet
    uncertainty: UncertaintySpec
    row_kind: npt.NDArray[np.int8]  # (R,), position in _KINDS
    row_element: npt.NDArray[np.int32]  # (R,), position of the bus or branch
    limit_mw: Vector  # (R,), finite
    firm_load_mw: Vector  # (R,), existing load in the worst state of the firm set
    worst_state: npt.NDArray[np.int32]  # (R,), position of the worst scenario, -1 for a box
    tails: Tails | None  # None for a box without a sample: then there are no risk levels
    labels: npt.NDArray[np.str_]  # (S,), names of the scenarios
    source: str
    notices: tuple[str, ...]
    date: str  # UTC, ISO 8601, when this was computed
    _cache: dict[Any, Matrix] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Return R."""
        return len(self.limit_mw)

    @property
    def scenarios(self) -> int:
        """Return S, 0 for a box alone."""
        return len(self.labels)

    @property
    def tolerance_mw(self) -> float:
        """Return what counts as zero MW."""
        return TOLERANCE_MW

    def load_mw(self, epsilon: float, measure: Measure = "cvar") -> Vector:
        """Return the (R,) existing load that counts at a risk level: worst case at 0, else CVaR or VaR.

        Raises QuestionError for a level above 20 %, or for any level where there is only a box.
        """
        if epsilon == 0:
            return self.firm_load_mw
        if self.tails is None:
            raise QuestionError(
                "a box has no probabilities: choose distributions, hours or a file for flexible capacity"
            )
        if not 0 < epsilon <= LARGEST_EPSILON:
            raise QuestionError(f"a risk level must be above 0 and at most {LARGEST_EPSILON:g}, found {epsilon:g}")
        return self.tails.cvar(epsilon) if measure == "cvar" else self.tails.var(epsilon)

    def margin_mw(self, epsilon: float, measure: Measure = "cvar") -> Vector:
        """Return the (R,) room before any addition, MW; negative where the existing load exceeds the limit."""
        return self.limit_mw - self.load_mw(epsilon, measure)

    def factors_of(self, question: CapacityQuestion) -> Matrix:
        """Return the (R, K) withdrawal factors of the candidates on the rows, those under the cutoff as zero.

        Raises QuestionError naming a candidate that is unknown or out of service.
        """
        key = (question.candidates, question.cutoff)
        found = self._cache.get(key)
        if found is None:
            kept = list(self._cache)
            for oldest in kept[: max(0, len(kept) + 1 - _CACHED_FACTORS)]:
                self._cache.pop(oldest, None)  # readers' threads share it: another may have been faster
            found = self.row_factors(self.positions(question.candidates), question.cutoff)
            self._cache[key] = found
        return found

    def row_factors(self, buses: Integers, cutoff: float = 0.0) -> Matrix:
        """Return the (R, k) withdrawal factors of ``buses`` (k,) on the rows; |factor| below the cutoff is zero."""
        forward = -self.factors.columns(buses)[self._branches()]
        forward[np.abs(forward) < max(cutoff, SMALLEST_FACTOR)] = 0.0
        own = self.row_element[self.row_kind == 0][:, np.newaxis] == np.asarray(buses)
        return np.concatenate([own.astype(np.float64), forward, -forward])

    def positions(self, bus_ids: tuple[str, ...]) -> Integers:
        """Return the (k,) positions of buses. Raises QuestionError naming one unknown or out of service."""
        position = {bus: i for i, bus in enumerate(self.network.buses.ids)}
        for bus in bus_ids:
            if bus not in position:
                raise QuestionError(f"candidate bus {bus!r} is not in network {self.network.name!r}")
            if not self.network.buses.in_service[position[bus]]:
                raise QuestionError(f"candidate bus {bus!r} is out of service")
        return np.array([position[bus] for bus in bus_ids], dtype=np.intp)

    def limit(self, row: int) -> Limit:
        """Return the limit behind a row, in words."""
        kind, element = _KINDS[self.row_kind[row]], int(self.row_element[row])
        buses, branches = self.network.buses, self.network.branches
        size = float(self.limit_mw[row])
        if kind == "withdrawal":
            return Limit(
                row, kind, buses.ids[element], f"the withdrawal limit of {bus_words(self.network, element)}", size
            )
        ends = (int(branches.from_bus[element]), int(branches.to_bus[element]))
        start, end = ends if kind == "forward" else ends[::-1]
        name = branches.ids[element]
        words = (
            f"{branches.kinds[element]} {name}, from {bus_words(self.network, start)} to {bus_words(self.network, end)}"
        )
        return Limit(row, kind, name, words, size)

    def state_words(self, row: int) -> str:
        """Return the name of the scenario in which a row's room is least, "" for a box."""
        state = int(self.worst_state[row])
        return "" if state < 0 else str(self.labels[state])

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads; the network is not in it."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "share": self.factors.slack_share,
            "row_kind": self.row_kind,
            "row_element": self.row_element,
            "limit_mw": self.limit_mw,
            "firm_load_mw": self.firm_load_mw,
            "worst_state": self.worst_state,
            "labels": self.labels,
        }
        if self.tails is not None:
            arrays |= {"tail_mass": self.tails.mass, "tail_mw": self.tails.load_mw}
        return pack(arrays, self._meta())

    @classmethod
    def load(cls, source: Path | bytes, network: Network, factors: Factors | None = None) -> Self:
        """Return what :meth:`save` wrote; of a file, the tails stay on disk until a risk level asks for them.

        ``factors`` of the same network saves its factorisation. Raises UncertaintyDataError when the file is
        of another kind or of another network.
        """
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of margins of this version")
        if meta["network_digest"] != network.digest:
            raise UncertaintyDataError(f"these margins are of another state of network {network.name!r}")
        if factors is not None:
            _check_factors(factors, network)
        tails = Tails(arrays["tail_mass"], arrays["tail_mw"]) if "tail_mw" in arrays else None
        return cls(
            network=network,
            factors=(factors or Factors.of(network)).with_slack(arrays["share"]),
            supply=meta["supply"],
            firm_set=meta["firm_set"],
            uncertainty=UncertaintySpec.from_json(meta["uncertainty"]),
            row_kind=arrays["row_kind"],
            row_element=arrays["row_element"],
            limit_mw=arrays["limit_mw"],
            firm_load_mw=arrays["firm_load_mw"],
            worst_state=arrays["worst_state"],
            tails=tails,
            labels=arrays["labels"],
            source=meta["source"],
            notices=tuple(meta["notices"]),
            date=meta["date"],
        )

    def _meta(self) -> Mapping[str, Any]:
        return {
            "format": FORMAT,
            "network_digest": self.network.digest,
            "supply": self.supply,
            "firm_set": self.firm_set,
            "uncertainty": self.uncertainty.to_json(),
            "source": self.source,
            "notices": list(self.notices),
            "date": self.date,
        }

    def _branches(self) -> Integers:
        rated: Integers = self.row_element[self.row_kind == 1].astype(np.intp)
        return rated


def bus_words(network: Network, bus: int) -> str:
    """Return ``HARTLEY 3 (bus 5120)``, or ``bus 5120`` where it has no name."""
    name, bus_id = network.buses.names[bus], network.buses.ids[bus]
    plain = name.casefold() in {"", bus_id.casefold(), f"bus {bus_id}".casefold()}
    return f"bus {bus_id}" if plain else f"{name} (bus {bus_id})"


def prepare(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Return the margins of every limit of ``network``: the cold step.

    Of ``question`` only supply, firm set and uncertainty matter here. With firm set "box" and a sample, the
    box is enlarged to hold every scenario, with a notice, so that firm capacity is never above flexible; a
    missing box is the smallest around the sample. Raises UncertaintyDataError when the set that the question
    names is missing or does not fit the network.
    """
    sample, box = states.sample, states.box
    if factors is not None:
        _check_factors(factors, network)
    share = supply_share(network, question.supply, question.supply_shares)
    shifted = (factors or Factors.of(network)).with_slack(share)
    notices = [] if sample is None else list(sample.notices)
    rows = _Rows.of(network)
    if not len(rows.branches):
        notices.append(
            "no branch of this network has a rating: only withdrawal limits and the demand itself stop anything"
        )
    tails, worst, state = None, np.zeros(0), np.zeros(0, dtype=np.int32)
    if sample is not None:
        _check_shape(sample.net_demand_mw, network)
        tails, worst, state = tails_of(shifted, sample, rows.buses, rows.branches, progress)
    if question.firm_set == "box":
        box = box if box is not None or sample is None else Box.around(sample)
        if box is None:
            raise UncertaintyDataError("firm capacity in a box needs a box")
        _check_shape(box.lower_mw[np.newaxis], network)
        if sample is not None:
            box, notice = box.enlarged_to(sample, network.buses.ids)
            notices += [notice] if notice else []
        worst, state = _box_worst(shifted, box, rows), np.full(rows.count, -1, dtype=np.int32)
    elif sample is None:
        raise UncertaintyDataError("firm capacity in every scenario needs a sample; this uncertainty is a box")
    labels = np.array([] if sample is None else sample.labels, dtype=np.str_)
    return Prepared(
        network=network,
        factors=shifted,
        supply=question.supply,
        firm_set=question.firm_set,
        uncertainty=question.uncertainty,
        row_kind=rows.kind,
        row_element=rows.element,
        limit_mw=rows.limit_mw,
        firm_load_mw=worst,
        worst_state=state,
        tails=tails,
        labels=labels,
        source="a box of independent ranges" if sample is None else sample.source,
        notices=tuple(notices),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The limits of a network, in row order."""

    buses: Integers  # with a withdrawal limit
    branches: Integers  # with a rating
    kind: npt.NDArray[np.int8]
    element: npt.NDArray[np.int32]
    limit_mw: Vector

    @property
    def count(self) -> int:
        return len(self.limit_mw)

    @classmethod
    def of(cls, network: Network) -> Self:
        on: Flags = network.buses.in_service & np.isfinite(network.buses.withdrawal_limit_mw)
        rated: Flags = network.branches.in_service & np.isfinite(network.branches.rating_a_mw)
        buses, branches = np.flatnonzero(on), np.flatnonzero(rated)
        rating = network.branches.rating_a_mw[branches]
        sizes = [len(buses), len(branches), len(branches)]
        return cls(
            buses=buses,
            branches=branches,
            kind=np.repeat(np.arange(3, dtype=np.int8), sizes),
            element=np.concatenate([buses, branches, branches]).astype(np.int32),
            limit_mw=np.concatenate([network.buses.withdrawal_limit_mw[buses], rating, rating]),
        )


def _box_worst(factors: Factors, box: Box, rows: _Rows) -> Vector:
    """Return the (R,) largest existing load over the box: upper ends where a factor is positive, else lower ends."""
    middle, half = (box.upper_mw + box.lower_mw) / 2, (box.upper_mw - box.lower_mw) / 2
    centre = factors.flows(-middle)[rows.branches]
    reach = np.empty(len(rows.branches))
    for start in range(0, len(reach), _BLOCK_ROWS):
        block = rows.branches[start : start + _BLOCK_ROWS]
        reach[start : start + _BLOCK_ROWS] = np.abs(factors.rows(block)) @ half
    return np.concatenate([box.upper_mw[rows.buses], centre + reach, reach - centre])


def _check_factors(factors: Factors, network: Network) -> None:
    if factors.network.digest != network.digest:
        raise UncertaintyDataError(f"these factors are of another state of network {network.name!r}")


def _check_shape(states: Matrix, network: Network) -> None:
    if states.shape[1] != len(network.buses.ids):
        raise UncertaintyDataError(
            f"net demand is given for {states.shape[1]} buses; network {network.name!r} has {len(network.buses.ids)}"
        )
