"""The multi-cut L-shaped method: plans and stage II in turns, until the best plan is as good as it can be within a gap.

First with plans that need not be whole: cuts found there hold, and cost little. Each is taken between the last plan of
the master and the best one seen (in-out separation), which keeps plans from swinging. Then with whole plans, and cuts
a hair inside of each: of the many that touch a whole plan those say most of all others. Stage II is linear in all of
that. The plan that is found is told with stores one way at a time, so its gap holds what the linear program leaves out.
Sources: Birge and Louveaux 1988; Ben-Ameur and Neto, Networks 49(1), 2007, for in-out separation; Magnanti and Wong,
Operations Research 29(3), 1981, and Papadakos, Computers & Operations Research 35(4), 2008, for cuts from a core point.
"""

import time
from collections.abc import Callable
from typing import Self

import numpy as np

from engine.compute import HERE, Workers
from engine.network.model import Vector
from engine.program import Status
from engine.resilience.case import PlacementCase
from engine.resilience.master import Master
from engine.resilience.placement import Aim, Mark, Placement, Search, gap, unit_costs
from engine.resilience.stage import Solved, Stage

_STEP_IN = 0.01  # of the way from a whole plan to the one in the middle
_BETWEEN = 0.5  # of the way from the best plan seen to the master's
_RELAXED_GAP = 5e-4  # to which plans need not be whole
_STALLED, _IDLE = 1e-4, 3  # how little a bound rises that stands still, and for how many rounds
_PARTS = 0.5  # of the time, at most, for plans that need not be whole
_INSIDE = 0.5  # of the limits, that a plan in the middle of all keeps to
_MORE = 0.9  # of the gap that is asked for, at most: where more of it is beyond cuts, they are no use
_ROUNDING = 1e-9  # of a cost
_BETTER = 1e-7  # of a cost: what a cut must add to be kept

Told = Callable[[Mark], None]  # may raise CancelledError


class LShaped:
    """One search: its master, the best plan and what was proved."""

    def __init__(
        self,
        case: PlacementCase,
        aim: Aim,
        search: Search,
        *,
        workers: Workers = HERE,
        told: Told | None = None,
    ) -> None:
        """Begin with nothing known."""
        self.case, self.aim, self.search = case, aim.checked(case), search
        self.stage, self.master = Stage(case, workers), Master(case, aim)
        self.told = told or (lambda _mark: None)
        self.cost, self.events = unit_costs(case), case.events_per_year
        self.objective, self.bound = np.inf, 0.0
        self.plan, self.costs = np.zeros(self.master.modules), np.zeros(0)
        self.marks: list[Mark] = []
        self.middle = spread(case)
        self.begin, self.begun_processor, self.elsewhere_s = time.perf_counter(), time.process_time(), 0.0

    def learn(self, other: "LShaped") -> Self:
        """Take over what another search of the same shocks found: cuts hold for any aim and any budget."""
        self.master.cuts, self.master.counted = list(other.master.cuts), other.master.counted
        self.stage.keys = other.stage.keys
        return self

    @property
    def left_s(self) -> float:
        """Return the time that is left."""
        return self.search.time_limit_s - (time.perf_counter() - self.begin)

    def solve(self, starts: tuple[Vector, ...] = ()) -> Placement:
        """Return the best plan found. Whole plans of ``starts`` are tried first."""
        for plan in (np.zeros(self.master.modules), *starts):
            self.attempt(plan)
        self.relaxed()
        status = self.whole(self.search.gap)
        costs, objective = self.dispatched()
        more = gap(objective, self.objective)  # that the ways of stores add: cuts cannot close it
        wide = status is Status.OPTIMAL and gap(objective, self.bound) > self.search.gap
        if wide and more <= _MORE * self.search.gap:
            status = self.whole(self.search.gap - more)
            costs, objective = self.dispatched()
            wide = gap(objective, self.bound) > self.search.gap
        status = Status.OTHER if wide and status is Status.OPTIMAL else status
        found = self.plan.astype(np.intp)
        told = self.aim.risk(costs, self.case.scenarios.probability)
        return Placement(
            found, costs, told, float(self.cost @ found), objective,
            min(self.bound, objective), status,
            tuple(self.marks), "decomposition", time.perf_counter() - self.begin,
            self.elsewhere_s + time.process_time() - self.begun_processor, self.master.counted,
        )  # fmt: skip

    def dispatched(self) -> tuple[Vector, float]:
        """Return the costs (S,) of the best plan with every store one way at a time, and what that costs a year."""
        solved = self.stage.dispatch(self.plan)
        self.elsewhere_s += solved.elsewhere_s
        costs, total = solved.costs, self.total(self.plan, solved.costs)
        if gap(total, self.objective) > _ROUNDING:
            last = self.marks[-1].round + 1 if self.marks else 1
            self.mark(last, "stores one way", total)
        return costs, max(total, self.objective)

    def total(self, plan: Vector, costs: Vector) -> float:
        """Return what a plan (K,) costs a year with the costs (S,) of its shocks."""
        return float(self.cost @ plan) + self.events * self.aim.risk(costs, self.case.scenarios.probability).value

    def attempt(self, plan: Vector, *inside: Vector, whole: bool = True) -> float:
        """Solve the shocks under a plan, and others near it, and learn from them; return what it costs a year."""
        plans = (plan, *inside)
        solved = self.stage.solve_each(plans)
        totals = [self._learned(one, found) for one, found in zip(plans, solved, strict=True)]
        if whole and totals[0] < self.objective:
            self.objective, self.plan, self.costs = totals[0], plan, solved[0].costs
        return totals[0]

    def _learned(self, plan: Vector, solved: Solved) -> float:
        self.elsewhere_s += solved.elsewhere_s
        known = self.master.estimate(plan) if self.master.cuts else np.full(self.master.shocks, -np.inf)
        self.master.cut(solved.cuts, solved.costs > known + _BETTER * (1.0 + np.abs(solved.costs)))
        found = self.aim.risk(solved.costs, self.case.scenarios.probability)
        self.master.distribution(found.worst)
        return float(self.cost @ plan) + self.events * found.value

    def relaxed(self) -> None:
        """Learn from plans that need not be whole."""
        best, inner, step, idle = np.inf, self.middle, _BETWEEN, 0
        for number in range(self.search.rounds):
            if self.left_s <= (1.0 - _PARTS) * self.search.time_limit_s:
                return
            found = self.master.solve(whole=False, time_limit_s=self.left_s)
            if found.status is Status.TIME_LIMIT:  # it proves nothing
                return
            found.optimum()
            idle = 0 if found.bound > self.bound * (1.0 + _STALLED) else idle + 1
            self.bound = max(self.bound, found.bound)
            point = inner + step * (found.x[: self.master.modules] - inner)
            total = self.attempt(point, whole=False)
            if total < best:
                best, inner = total, point
            # Where the bound stands still, the master's own plan is looked at.
            step = 1.0 if idle else _BETWEEN
            self.mark(number + 1, "plans in parts")
            if gap(best, self.bound) <= _RELAXED_GAP or idle >= _IDLE:
                return

    def whole(self, most: float) -> Status:
        """Learn from whole plans until the gap is at most ``most``."""
        first = len(self.marks)
        for number in range(first, first + self.search.rounds):
            if self.left_s <= 0.0:
                return Status.TIME_LIMIT
            loose = max(most / 4.0, min(1e-2, gap(self.objective, self.bound) / 4.0))
            found = self.master.solve(whole=True, time_limit_s=self.left_s, gap=loose, start=self.plan)
            self.bound = max(self.bound, found.bound)
            if np.isfinite(found.x).all():
                plan = np.round(found.x[: self.master.modules])
                # At a whole plan most modules are absent and what they are worth is not settled: a step inside it is.
                self.attempt(plan, plan + _STEP_IN * (self.middle - plan))
            self.mark(number + 1, "whole plans")
            if gap(self.objective, self.bound) <= most:
                return Status.OPTIMAL
        return Status.OTHER

    def mark(self, number: int, phase: str, objective: float | None = None) -> None:
        """Note how far the search is, and tell it."""
        best = self.objective if objective is None else objective
        found = Mark(time.perf_counter() - self.begin, number, best, self.bound, phase)
        self.marks.append(found)
        self.told(found)


def spread(case: PlacementCase) -> Vector:
    """Return a plan (K,) with a part of every module: as far inside of all limits as their sizes let it be."""
    most = case.most.astype(np.float64)
    share = np.array([
        min(1.0, kind.inventory / total) if (total := row.sum()) > 0.0 else 0.0
        for kind, row in zip(case.types, most, strict=True)
    ])  # fmt: skip
    found = _INSIDE * share[:, np.newaxis] * most
    spent = float(unit_costs(case) @ found.ravel())
    return np.asarray(found.ravel() * min(1.0, _INSIDE * case.budget / spent if spent > 0.0 else 1.0))
