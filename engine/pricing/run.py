"""A study of hubs from its question to all that a page shows: what the job, a notebook and the reports call."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Self

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.commitment.outcome import Effort
from engine.errors import UncertaintyDataError
from engine.interior import SOLVER as INTERIOR
from engine.network.model import Matrix, Vector
from engine.pricing.case import HubCase
from engine.pricing.central import Joint
from engine.pricing.certificates import certificates, in_order
from engine.pricing.compare import MOST_LINEAR, Comparison, Hubs, Outcome, Prices, compare
from engine.pricing.congestion import ByExports, Overloads, PriceCost
from engine.pricing.evaluation import Fleet
from engine.pricing.exact import exact_prices
from engine.pricing.files import from_json, to_json
from engine.pricing.ladder import Rung, at_the_end, ladder
from engine.pricing.program import HubProgram, programs
from engine.pricing.question import MOST_PROVED, HubQuestion, LoadFile
from engine.pricing.rolling import Rolled, rolled
from engine.pricing.searched import Searched
from engine.program import SOLVER, Status

FORMAT = "headroom-hubs-run-6"
Progress = Callable[[float, str], None]  # the share that is done, and what is done now
_COMPARED, _LADDER, _PROVED = 0.6, 0.65, 0.7  # of the progress
_SMALL_GAP, _SMALL_S = 1e-3, 20.0  # of the proof of a small case: how far and how long


@dataclass(frozen=True, slots=True, eq=False)
class RealTime:
    """A day of prices in real time, and the same day with everything known beforehand."""

    price: Matrix  # (K, T)
    withdrawal_mw: Matrix  # (I, T)
    overload_cost: float
    hub_cost: Vector  # (I,)
    missed_mwh: Vector  # (I,), of work
    waiting_mwh: Vector  # (I,), work that waits at the end for the next day
    step_s: Vector  # (T,)
    foresight_price: Matrix  # (K, T)
    foresight_withdrawal_mw: Matrix  # (I, T)
    foresight_overload_cost: float
    foresight_hub_cost: Vector  # (I,)

    @classmethod
    def of(cls, found: Rolled) -> Self:
        """Return what is kept of it."""
        known = found.foresight
        return cls(
            found.price, found.withdrawal_mw, found.overload_cost, found.hub_cost, found.missed_mwh,
            found.waiting_mwh, found.step_s, known.price, known.withdrawal_mw, known.overload_cost,
            found.foresight_cost,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class HubRun:
    """The answer to a study of hubs."""

    question: HubQuestion
    case: HubCase  # as it was studied
    outcomes: tuple[Outcome, ...]
    floor: float  # $: overloads weigh no less, whatever hubs do
    steps: tuple[Mapping[str, Any], ...]  # of the search for quick prices: start, number, objective, promised, ...
    facts: Mapping[str, Any]  # certificates, how searches ended, the exact program
    real_time: RealTime | None
    provenance: Mapping[str, Any]

    def of(self, prices: Prices, hubs: Hubs) -> Outcome | None:
        """Return an outcome; None for one that was not computed."""
        return next((each for each in self.outcomes if (each.prices, each.hubs) == (prices, hubs)), None)

    def programs(self) -> tuple[HubProgram, ...]:
        """Return the hubs' programs: what columns of the outcomes' points are."""
        return programs(self.case)

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays: dict[str, AnyArray] = {"case": np.frombuffer(to_json(self.case), dtype=np.uint8)}
        told = []
        for at, each in enumerate(self.outcomes):
            arrays |= {
                f"price_{at}": each.price, f"withdrawal_{at}": each.withdrawal_mw, f"hub_cost_{at}": each.hub_cost,
                f"paid_{at}": each.paid, f"points_{at}": np.concatenate(each.points),
            }  # fmt: skip
            told.append({
                "prices": each.prices, "hubs": each.hubs, "overload_cost": each.overload_cost,
                "worst_cost": each.worst_cost, "worst_bound": each.worst_bound,
                "worst_status": each.worst_status.value, "price_cost": asdict(each.price_cost), "bound": each.bound,
                "status": each.status.value, "time_s": each.time_s,
                "sizes": [len(point) for point in each.points],
            })  # fmt: skip
        real = self.real_time
        if real is not None:
            arrays |= {f"real_{name}": np.asarray(getattr(real, name)) for name in RealTime.__dataclass_fields__}
        meta = {
            "format": FORMAT, "question": self.question.to_json(), "outcomes": told, "floor": self.floor,
            "steps": [dict(step) for step in self.steps], "facts": dict(self.facts), "real_time": real is not None,
            "provenance": dict(self.provenance),
        }  # fmt: skip
        return pack(arrays, meta)

    @classmethod
    def load(cls, content: Any) -> Self:
        """Return what :meth:`save` wrote, of bytes or a path. Raises UncertaintyDataError for anything else."""
        arrays, meta = unpack(content)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a study of hubs of this version")
        case = from_json(arrays["case"].tobytes())
        real = None
        if meta["real_time"]:
            told = {name: arrays[f"real_{name}"] for name in RealTime.__dataclass_fields__}
            scalars = {"overload_cost", "foresight_overload_cost"}  # a file holds them as arrays of one
            given: dict[str, Any] = {name: each.item() if name in scalars else each for name, each in told.items()}
            real = RealTime(**given)
        return cls(
            HubQuestion.from_json(meta["question"]), case,
            tuple(_outcome(case, told, arrays, at) for at, told in enumerate(meta["outcomes"])), meta["floor"],
            tuple(meta["steps"]), meta["facts"], real, meta["provenance"],
        )  # fmt: skip


def _outcome(case: HubCase, told: Mapping[str, Any], arrays: Mapping[str, AnyArray], at: int) -> Outcome:
    points = np.split(arrays[f"points_{at}"], np.cumsum(told["sizes"])[:-1])
    withdrawal = arrays[f"withdrawal_{at}"]
    return Outcome(
        told["prices"], told["hubs"], arrays[f"price_{at}"], tuple(points), withdrawal, Overloads.of(case, withdrawal),
        told["overload_cost"], told["worst_cost"], told["worst_bound"], Status(told["worst_status"]),
        PriceCost(**told["price_cost"]), arrays[f"hub_cost_{at}"], arrays[f"paid_{at}"], told["bound"],
        Status(told["status"]), told["time_s"],
    )  # fmt: skip


def run_hubs(
    question: HubQuestion,
    load: LoadFile,
    *,
    progress: Progress | None = None,
    partial: Callable[[HubRun], None] | None = None,
    searched: Callable[[Searched], None] | None = None,
) -> HubRun:
    """Return the answer; ``partial`` is given what is known before exact prices, and before those in real time.

    ``searched`` is told how far the searches for prices are, again and again.

    Raises QuestionError, NetworkDataError and FileFormatError for what cannot be asked, InfeasibleError naming what
    hubs cannot meet, SolverError where an answer is not certified.
    """
    begin, say = time.perf_counter(), progress or (lambda _share, _words: None)
    case = question.made(load)
    effort = Effort(question.exact_gap, question.exact_time_s, question.seed) if question.exact else None
    fleet = Fleet.of(case)
    none: dict[str, Any] = {"ladder": [], "best": None, "smallest": None}

    def known(so_far: Comparison) -> None:
        if partial is not None:
            proved = certificates(fleet, so_far, question.seed).to_json() | none
            partial(_run(question, case, so_far, proved, begin))

    found = compare(
        case, exact=effort, quick_s=question.quick_time_s, seed=question.seed, known=known, searched=searched,
        tick=lambda words, share: say(_COMPARED * share, words),
    )  # fmt: skip
    say(_COMPARED, "certificates")
    proved = certificates(fleet, found, question.seed).to_json()
    say(_LADDER, "prices at smaller curvatures")
    proved |= _by_rungs(case, found, question.quick_time_s) if question.ladder else none
    run = _run(question, case, found, proved, begin)
    if not question.window:
        return run
    if partial is not None:
        partial(run)

    def tell(done: int, total: int) -> None:
        say(_PROVED + (1.0 - _PROVED) * done / total, f"prices of period {done} of {total}")

    real = rolled(case, window=min(question.window, case.periods), error=question.error, seed=question.seed, tick=tell)
    return _run(question, case, found, proved, begin, RealTime.of(real))


def _by_rungs(case: HubCase, found: Comparison, time_limit_s: float) -> dict[str, Any]:
    """Return what quick prices come to at smaller curvatures, and, of a small case, the best there are by a proof.

    ``smallest``: of their prices and exact ones, the least for hubs of constant costs that take the smallest answers.
    """
    rungs: tuple[Rung, ...] = ()
    best: dict[str, Any] | None = None
    ends: list[float | None] = []
    if len(case.hubs) <= MOST_LINEAR:
        rungs = ladder(case, found.quick.best.found.price, time_limit_s)
        ends = [rung.smallest for rung in rungs]
        if found.exact is not None:
            ends.append(at_the_end(case, programs(case), found.exact.price))
    if len(case.hubs) * case.periods <= MOST_PROVED:
        joint = Joint.of(case, programs(case))
        known = (found.quick.best.found.answered,)
        exact = exact_prices(joint, Effort(_SMALL_GAP, _SMALL_S, 0), quadratic=True, starts=known)
        best = {"objective": exact.objective, "bound": exact.bound, "gap": exact.gap, "status": exact.status.value}
    least = min((end for end in ends if end is not None), default=None)
    return {"ladder": [asdict(rung) for rung in rungs], "best": best, "smallest": least}


def _chain(question: HubQuestion, case: HubCase, found: Comparison, best: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return F_B <= F_D* <= F_D <= F_A of hubs with rising costs, $; why there is no F_D*, where there is none."""
    quick, why, size = found.of("quick", "quadratic").objective, "", len(case.hubs) * case.periods
    if size > MOST_PROVED:
        why = f"{len(case.hubs)} hubs times {case.periods} periods are {size}: proved up to {MOST_PROVED} only"
    elif not question.ladder:
        why = "not asked for"
    elif best is None:
        why = "not proved yet"
    known = {} if best is None else {
        "best": best["objective"], "best_bound": best["bound"],
        "above_best": quick / best["objective"] if best["objective"] > 0.0 else None,
    }  # fmt: skip
    return {
        "first_best": found.floor, "best": None, "best_bound": None, "quick": quick,
        "none": found.of("none", "quadratic").objective, "above_best": None, "why": why,
    } | known  # fmt: skip


def _run(  # noqa: PLR0913, PLR0917 (what a run is made of)
    question: HubQuestion, case: HubCase, found: Comparison, proved: Mapping[str, Any], begin: float,
    real: RealTime | None = None,
) -> HubRun:  # fmt: skip
    exact = found.exact
    quick = found.quick.best.found
    exports = np.array([
        own.of(response.x, "export") for own, response in zip(programs(case), quick.responses, strict=True)
    ])  # fmt: skip
    shown = {name: value for name, value in proved.items() if name not in {"ladder", "best", "smallest"}}
    chain = _chain(question, case, found, proved["best"])
    if chain["best"] is not None:
        steps_up = (found.floor, chain["best"], chain["none"]), (chain["best_bound"], chain["quick"])
        shown["order"] = shown["order"] and all(in_order(each) for each in steps_up)
    facts = {
        "certificates": shown, "ladder": proved["ladder"], "best": proved["best"], "smallest": proved["smallest"],
        "chain": chain,
        "by_exports_mwh": ByExports.of(case, exports, quick.overloads).mwh(case),
        "ends": [
            {"start": end.start, "objective": end.found.objective, "end": end.end, "steps": len(end.steps),
             "time_s": end.time_s, "processor_s": end.processor_s}
            for end in found.quick.ends
        ],
        "exact": {"message": found.exact_message} if exact is None else {
            "message": "", "objective": exact.objective, "bound": exact.bound, "gap": exact.gap,
            "status": exact.status.value, "decisions": exact.decisions, "guessed": exact.guessed,
            "doubled": exact.doubled, "time_s": exact.time_s, "marks": [asdict(mark) for mark in exact.marks],
        },
    }  # fmt: skip
    steps = [{"start": end.start, **asdict(step)} for end in found.quick.ends for step in end.steps]
    provenance = {
        "case_digest": case.digest, "question_digest": question.digest, "seed": question.seed,
        "solver": f"{SOLVER}; {INTERIOR}; Newton's method on each hub's dual", "headroom": version("headroom"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "time_s": time.perf_counter() - begin,
    }  # fmt: skip
    return HubRun(question, case, found.outcomes, found.floor, tuple(steps), facts, real, provenance)
