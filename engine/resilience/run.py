"""A study of placement from its question to all that a page shows: what the job, a notebook and the reports call."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Self

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.compute import HERE, Shared, Workers
from engine.errors import UncertaintyDataError
from engine.program import SOLVER, Status
from engine.resilience.ac import ac_check
from engine.resilience.case import PlacementCase
from engine.resilience.cases import fresh
from engine.resilience.compare import CHOSEN, METHODS, Method, Planned, Route, aim_of, plans, tried
from engine.resilience.copies import column_constraint, extensive
from engine.resilience.curves import BudgetPoint, RadiusPoint, budget_curve, radius_curve
from engine.resilience.evaluation import Interval, Metrics, mean_of, metrics, paired, tail_of
from engine.resilience.files import packed, unpacked
from engine.resilience.outcomes import Outcomes
from engine.resilience.placement import Mark, Placement, unit_costs
from engine.resilience.question import LoadFile, ResilienceQuestion
from engine.resilience.recourse import Recourse
from engine.resilience.rolling import Rolled, rolled
from engine.resilience.shocks import ShockModel
from engine.resilience.stochastic import information_value, solution_value, wait_and_see

FORMAT = "headroom-resilience-run-1"
SETS = ("train", "fresh", "shifted")  # of shocks that plans are tried on
RADII = (0.0, 0.05, 0.1, 0.2, 0.4)  # of the cross-validation, of total variation; times the spread for the others
_ROUTES: Mapping[str, Route] = {"column and constraint generation": column_constraint, "extensive form": extensive}
Progress = Callable[[float, str], None]  # the share that is done, and what is done now
_SEARCHED, _PLANNED, _TRIED, _CURVED, _HELD = 0.35, 0.5, 0.75, 0.85, 0.95  # of the progress


@dataclass(frozen=True, slots=True, eq=False)
class ResilienceRun:
    """The answer to a study of placement."""

    question: ResilienceQuestion
    case: PlacementCase  # as it was studied
    planned: tuple[Planned, ...]  # by method
    worst: np.ndarray[Any, np.dtype[np.float64]]  # (S,), the worst distribution under the chosen plan
    marks: tuple[Mark, ...]  # of the search for it
    tried: Mapping[str, Mapping[Method, Outcomes]]  # fresh and shifted shocks
    curve: tuple[BudgetPoint, ...]
    radii: tuple[RadiusPoint, ...]
    rolled: Rolled | None
    facts: Mapping[str, Any]
    provenance: Mapping[str, Any]

    def of(self, method: Method) -> Planned | None:
        """Return the plan by a method; None for one that was not made."""
        return next((each for each in self.planned if each.method == method), None)

    def outcomes(self, method: Method, shocks: str = "train") -> Outcomes | None:
        """Return what became of a set of shocks under the plan by a method."""
        found = self.of(method)
        if shocks == "train":
            return None if found is None else found.outcomes
        return self.tried.get(shocks, {}).get(method)

    def metrics(self, method: Method, shocks: str = "train") -> Metrics | None:
        """Return the metrics of a method on a set of shocks."""
        found, outcomes = self.of(method), self.outcomes(method, shocks)
        if found is None or outcomes is None:
            return None
        share = self.case.scenarios.probability if shocks == "train" else None
        return metrics(self.case, found.plan, outcomes, share)

    def difference(self, method: Method, other: Method, shocks: str, *, tail: bool) -> Interval | None:
        """Return by how much the load not served differs: its CVaR, or its mean; of shocks that are equally likely."""
        first, second = self.outcomes(method, shocks), self.outcomes(other, shocks)
        if first is None or second is None or shocks == "train":
            return None
        return paired(
            first.unserved_mwh, second.unserved_mwh, tail_of if tail else mean_of, seed=self.question.seed
        )  # fmt: skip

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays = packed(self.case) | {"worst": self.worst}
        for at, each in enumerate(self.planned):
            arrays[f"plan_{at}"] = each.plan
            arrays |= _outcome_arrays(f"train_{at}", each.outcomes)
            for name, found in self.tried.items():
                arrays |= _outcome_arrays(f"{name}_{at}", found[each.method])
        for at, point in enumerate(self.curve):
            arrays[f"curve_{at}"] = point.plan
        if self.rolled is not None:
            arrays |= {f"rolled_{name.name}": getattr(self.rolled, name.name) for name in fields(Rolled)}
        meta = {
            "format": FORMAT, "question": self.question.to_json(), "tried": list(self.tried),
            "planned": [
                {"method": each.method, "objective": each.objective, "own_objective": each.own_objective,
                 "bound": each.bound if np.isfinite(each.bound) else None,
                 "status": None if each.status is None else each.status.value, "time_s": each.time_s}
                for each in self.planned
            ],
            "marks": [asdict(mark) for mark in self.marks],
            "curve": [{each.name: getattr(point, each.name) for each in fields(point) if each.name != "plan"}
                      for point in self.curve],
            "radii": [asdict(point) for point in self.radii], "rolled": self.rolled is not None,
            "facts": dict(self.facts), "provenance": dict(self.provenance),
        }  # fmt: skip
        return pack(arrays, meta)

    @classmethod
    def load(cls, content: Any) -> Self:
        """Return what :meth:`save` wrote, of bytes or a path. Raises UncertaintyDataError for anything else."""
        arrays, meta = unpack(content)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a study of placement of this version")
        planned = tuple(
            Planned(
                told["method"], arrays[f"plan_{at}"], _outcomes(f"train_{at}", arrays), told["objective"],
                told["own_objective"], -np.inf if told["bound"] is None else told["bound"],
                None if told["status"] is None else Status(told["status"]), told["time_s"],
            )
            for at, told in enumerate(meta["planned"])
        )  # fmt: skip
        given = {
            name: {each.method: _outcomes(f"{name}_{at}", arrays) for at, each in enumerate(planned)}
            for name in meta["tried"]
        }
        curve = tuple(BudgetPoint(plan=arrays[f"curve_{at}"], **told) for at, told in enumerate(meta["curve"]))
        real = Rolled(*(arrays[f"rolled_{name.name}"] for name in fields(Rolled))) if meta["rolled"] else None
        return cls(
            ResilienceQuestion.from_json(meta["question"]), unpacked(arrays), planned, arrays["worst"],
            tuple(Mark(**told) for told in meta["marks"]), given, curve,
            tuple(RadiusPoint(**told) for told in meta["radii"]), real, meta["facts"], meta["provenance"],
        )  # fmt: skip


def _outcome_arrays(name: str, outcomes: Outcomes) -> dict[str, AnyArray]:
    found: dict[str, AnyArray] = {f"{name}_{each.name}": getattr(outcomes, each.name) for each in fields(Outcomes)}
    # Of these only means are shown, and they are much of a file: seven digits are enough.
    halved = {key: found[key].astype(np.float32) for key in (f"{name}_given_mwh", f"{name}_imbalance_mwh")}
    return found | halved


def _outcomes(name: str, arrays: Mapping[str, AnyArray]) -> Outcomes:
    return Outcomes(*(arrays[f"{name}_{each.name}"].astype(np.float64) for each in fields(Outcomes)))


@dataclass(slots=True)
class _Study:
    """A study as it goes: what is known so far."""

    question: ResilienceQuestion
    case: PlacementCase
    model: ShockModel  # what shocks are drawn from
    begin: float
    workers: Workers
    say: Progress
    planned: tuple[Planned, ...] = ()
    chosen: Placement | None = None
    tried: dict[str, dict[Method, Outcomes]] = field(default_factory=dict)
    curve: tuple[BudgetPoint, ...] = ()
    radii: tuple[RadiusPoint, ...] = ()
    rolled: Rolled | None = None
    ac: dict[str, Any] | None = None
    vss: float | None = None  # $ a year
    evpi: float | None = None

    def part(self, first: float, last: float) -> Callable[[str, float], None]:
        """Return what tells the share of a part that lies between two shares of the whole."""
        return lambda words, share: self.say(first + (last - first) * min(1.0, share), words)

    def plan(self, searched: Callable[[tuple[Mark, ...]], None]) -> None:
        """Find a plan by each method."""
        question, marks = self.question, list[Mark]()

        def told(mark: Mark) -> None:
            if not mark.phase:  # of another method's search
                self.say(_SEARCHED, "plans by the other methods")
                return
            marks.append(mark)
            searched(tuple(marks))
            share = min(1.0, mark.time_s / question.time_limit_s)
            self.say(_SEARCHED * share, f"{mark.phase}: gap {mark.gap:.2%}")

        def known(found: tuple[Planned, ...], _chosen: Placement) -> None:
            tell(f"plans by {len(found)} of {len(METHODS)} methods", len(found) / len(METHODS))

        tell = self.part(_SEARCHED, _PLANNED)
        self.planned, self.chosen = plans(
            self.case, question.aim(self.case), question.search, workers=self.workers, told=told, known=known,
            route=_ROUTES.get(question.route),
        )  # fmt: skip
        self.ac = _ac(self.case, self.chosen)
        self.vss = solution_value(self.case, self.of("mean shock"), self.of("risk neutral"))

    def of(self, method: Method) -> Planned:
        """Return the plan by a method."""
        return next(each for each in self.planned if each.method == method)

    def robustness(self) -> float | None:
        """Return what doubt costs, $ a year: the objective without doubt, of the plan in doubt less of that without."""
        if {each.method for each in self.planned} < {CHOSEN, "CVaR"}:
            return None
        aim = aim_of("CVaR", self.question.aim(self.case))
        share, cost = self.case.scenarios.probability, unit_costs(self.case)
        yearly = [
            float(cost @ each.plan) + self.case.events_per_year * aim.risk(each.outcomes.cost, share).value
            for each in (self.of(CHOSEN), self.of("CVaR"))
        ]
        return yearly[0] - yearly[1]

    def inform(self) -> None:
        """Find what it would be worth to know each shock beforehand."""
        tell = self.part(_CURVED, _CURVED)
        seen = wait_and_see(
            self.case, self.question.search, workers=self.workers,
            progress=lambda done, total: tell(f"plans for shocks that are known: {done} of {total} parts", 1.0),
        )  # fmt: skip
        self.evpi = information_value(self.case, self.of("risk neutral"), seen)

    def judge(self) -> None:
        """Try the plans on shocks they were not made for."""
        question, middle = self.question, (_PLANNED + _TRIED) / 2.0
        for name, model, part in (
            ("fresh", self.model, self.part(_PLANNED, middle)),
            ("shifted", self.model.shifted(), self.part(middle, _TRIED)),
        ):
            shocks = fresh(self.case, model, question.fresh, question.seed)
            self.tried[name] = tried(self.case, self.planned, shocks, workers=self.workers, tick=part)

    def draw_curves(self) -> None:
        """Find the plan at each budget, and what held-out shocks say of the radius, where they are asked for."""
        question, case = self.question, self.case
        if question.curve:
            self.curve = budget_curve(
                case, question.aim(case), question.search, question.curve, workers=self.workers,
                tick=self.part(_TRIED, _CURVED),
            )  # fmt: skip
        if question.folds and question.doubt != "none":
            self.radii = radius_curve(
                case, question.aim, RADII, question.search, folds=question.folds, seed=question.seed,
                workers=self.workers, tick=self.part(_CURVED, _HELD),
            )  # fmt: skip

    def roll(self) -> None:
        """Meet some shocks without foresight under the chosen plan."""
        if self.chosen is None:
            return
        some = self.case.with_scenarios(np.arange(min(self.question.rolling, len(self.case.scenarios))))
        tell = self.part(_HELD, 1.0)
        self.rolled = rolled(
            some, self.chosen.plan.astype(np.float64), workers=self.workers,
            progress=lambda done, total: tell(f"{done} of {total} shocks without foresight", done / max(total, 1)),
        )  # fmt: skip

    def run(self) -> ResilienceRun:
        """Return what is known."""
        chosen, question = self.chosen, self.question
        if chosen is None:
            raise ValueError("a study of placement has no plan yet")
        risk = chosen.risk
        facts: dict[str, Any] = {
            "risk": {"value": risk.value, "eta": risk.eta, "expectation": risk.expectation, "cvar": risk.cvar,
                     "gap": risk.gap},
            "search": {"route": chosen.route, "status": chosen.status.value, "time_s": chosen.time_s,
                       "processor_s": chosen.processor_s, "cuts": chosen.cuts, "gap": chosen.gap},
            "vss": self.vss, "evpi": self.evpi, "ac": self.ac,
            "robustness": self.robustness(),
        }  # fmt: skip
        provenance = {
            "case_digest": self.case.digest, "question_digest": question.digest, "seed": question.seed,
            "solver": SOLVER, "headroom": version("headroom"),
            "date": datetime.now(UTC).isoformat(timespec="seconds"), "time_s": time.perf_counter() - self.begin,
        }  # fmt: skip
        return ResilienceRun(
            question, self.case, self.planned, risk.worst, chosen.marks, self.tried, self.curve, self.radii,
            self.rolled, facts, provenance,
        )  # fmt: skip


def _ac(case: PlacementCase, chosen: Placement) -> dict[str, Any]:
    """Return what an AC power flow says of the dispatch of the dearest shock under a plan."""
    worst = int(np.argmax(chosen.costs))
    recourse = Recourse(case.with_scenarios(np.array([worst])))
    answer = recourse.dispatch(0, chosen.plan.astype(np.float64))
    given, reactive, shed = recourse.stage.injections(answer.x)
    found = ac_check(
        case, recourse.flows, served_mw=recourse.stage.draws_mw[0] - shed, given_mw=given, given_mvar=reactive
    )  # fmt: skip
    return {
        "shock": worst, "converged": bool(found.converged.all()), "lowest_pu": float(found.lowest_pu.min()),
        "linear_lowest_pu": float(found.linear_lowest_pu.min()), "loss_mw": float(found.loss_mw.max()),
        "voltages_beyond": int(found.voltages_beyond.sum()), "ratings_beyond": int(found.ratings_beyond.sum()),
    }  # fmt: skip


def run_resilience(  # noqa: PLR0913 (the question, then by name how)
    question: ResilienceQuestion,
    load: LoadFile,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    partial: Callable[[ResilienceRun], None] | None = None,
    searched: Callable[[tuple[Mark, ...]], None] | None = None,
) -> ResilienceRun:
    """Return the answer; ``partial`` is given what is known after each part, ``searched`` the marks of the search.

    Raises QuestionError, NetworkDataError and FileFormatError for what cannot be asked, SolverError where an answer is
    not certified.
    """
    begin, say = time.perf_counter(), progress or (lambda _share, _words: None)
    case = question.made(load)
    with closing(Shared(workers)) as shared:
        study = _Study(question, case, question.drawn_from(case, load), begin, shared, say)
        _follow(study, partial or (lambda _run: None), searched or (lambda _marks: None))
    return study.run()


def _follow(
    study: _Study, tell: Callable[[ResilienceRun], None], searched: Callable[[tuple[Mark, ...]], None]
) -> None:  # fmt: skip
    """Do all that a question asks for, one part after the other."""
    question = study.question
    study.plan(searched)
    tell(study.run())
    if question.fresh:
        study.judge()
        tell(study.run())
    study.draw_curves()
    if question.information:
        study.inform()
    if question.rolling:
        study.roll()
