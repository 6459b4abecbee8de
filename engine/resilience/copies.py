"""Plans and whole copies of stage II in one mixed-integer program: all shocks (the extensive form) or some of them.

    extensive form        every shock has its copy, and the worst distribution is written by the dual of its set
    column and constraint a few shocks have one, and the one that weighs most of the others gets the next;
    generation            distributions are found as cuts

Both begin with the limits on voltages and flows that are given and add those that the answer breaks, so neither pays
for rows that never bind. The extensive form shares no step with the decomposition but stage II itself: its oracle.
Source of the second: Zeng and Zhao, Operations Research Letters 41(5), 2013.
"""

import time

import numpy as np
from scipy.sparse import block_array, block_diag, coo_array, csr_array, eye_array, hstack, vstack

from engine.compute import HERE, Workers
from engine.integer import IntegerSolution, MixedIntegerProgram, solve_integer
from engine.network.model import Integers, Vector
from engine.program import Status
from engine.resilience.case import PlacementCase
from engine.resilience.lshaped import Told
from engine.resilience.master import limits
from engine.resilience.placement import Aim, Mark, Placement, Search, gap, unit_costs
from engine.resilience.recourse import Key, Recourse
from engine.resilience.stage import Stage

_FIRST = 3  # shocks with a copy to begin with
MOST_ROWS = 2_000_000  # of the extensive form


def extensive(  # noqa: PLR0913 (the question, then by name how)
    case: PlacementCase, aim: Aim, search: Search, *, workers: Workers = HERE, told: Told | None = None,
    keys: frozenset[Key] = frozenset(),
) -> Placement:  # fmt: skip
    """Return the best plan by one program of all shocks; ``keys``: limits that are known to bind."""
    every = np.arange(len(case.scenarios))
    work = _Copies(case, aim.checked(case), search, workers, told, keys)
    while True:
        known = work.stage.keys
        found = work.solved(every, by_dual=True)
        if found is None:
            return work.answer("extensive form", Status.TIME_LIMIT)
        work.attempt(found)
        if work.closed or work.stage.keys == known:
            status = Status.OPTIMAL if work.closed else Status.TIME_LIMIT if work.left_s <= 0.0 else Status.OTHER
            return work.answer("extensive form", status)


def column_constraint(
    case: PlacementCase, aim: Aim, search: Search, *, workers: Workers = HERE, told: Told | None = None
) -> Placement:
    """Return the best plan by column-and-constraint generation."""
    work = _Copies(case, aim.checked(case), search, workers, told, frozenset())
    work.attempt(np.zeros(case.most.size))
    which = np.argsort(-work.costs, kind="stable")[:_FIRST]
    while not work.closed:
        if work.left_s <= 0.0:
            return work.answer("column and constraint generation", Status.TIME_LIMIT)
        plan = work.solved(np.sort(which), by_dual=False)
        if plan is None:
            return work.answer("column and constraint generation", Status.TIME_LIMIT)
        costs = work.attempt(plan)
        # The shock that weighs most of those without a copy: its cost is taken for nothing so far.
        weighed = work.weighed(costs)
        weighed[which] = -np.inf
        if len(which) == len(costs):
            continue
        which = np.append(which, int(np.argmax(weighed)))
    return work.answer("column and constraint generation", Status.OPTIMAL)


class _Copies:
    """The program with copies, the best plan and what was proved."""

    def __init__(  # noqa: PLR0913, PLR0917 (what a search is made of)
        self, case: PlacementCase, aim: Aim, search: Search, workers: Workers, told: Told | None, keys: frozenset[Key]
    ) -> None:
        self.case, self.aim, self.search, self.told = case, aim, search, told or (lambda _mark: None)
        self.stage = Stage(case, workers, keys)
        self.cost, self.known = unit_costs(case), [case.scenarios.probability]
        self.objective, self.bound, self.plan = np.inf, 0.0, np.zeros(case.most.size)
        self.costs = np.zeros(0)
        self.marks: list[Mark] = []
        self.begin, self.begun_processor, self.elsewhere_s = time.perf_counter(), time.process_time(), 0.0

    @property
    def left_s(self) -> float:
        return self.search.time_limit_s - (time.perf_counter() - self.begin)

    @property
    def closed(self) -> bool:
        return gap(self.objective, self.bound) <= self.search.gap

    def attempt(self, plan: Vector) -> Vector:
        """Solve all shocks under a plan; return their costs (S,)."""
        solved = self.stage.solve(plan, cuts=False)
        self.elsewhere_s += solved.elsewhere_s
        found = self.aim.risk(solved.costs, self.case.scenarios.probability)
        if not any(np.abs(found.worst - each).max() <= 0.0 for each in self.known):
            self.known.append(found.worst)
        total = float(self.cost @ plan) + self.case.events_per_year * found.value
        if total < self.objective:
            self.objective, self.plan, self.costs = total, plan, solved.costs
        self.marks.append(
            Mark(time.perf_counter() - self.begin, len(self.marks) + 1, self.objective, self.bound, "whole plans")
        )
        self.told(self.marks[-1])
        return solved.costs

    def weighed(self, costs: Vector) -> Vector:
        """Return (S,) what each shock adds to the risk."""
        found = self.aim.risk(costs, self.case.scenarios.probability)
        tail = self.aim.weight * np.maximum(costs - found.eta, 0.0) / (1.0 - self.aim.beta)
        return np.asarray(found.worst * ((1.0 - self.aim.weight) * costs + tail))

    def solved(self, which: Integers, *, by_dual: bool) -> Vector | None:
        """Return the best plan (K,) with copies of some shocks; None where the time was over without one."""
        if self.left_s <= 0.0:
            return None
        found = self._solve(which, by_dual=by_dual)
        self.bound = max(self.bound, found.bound)
        modules = self.case.most.size
        return np.round(found.x[:modules]) if np.isfinite(found.x).all() else None

    def _solve(self, which: Integers, *, by_dual: bool) -> IntegerSolution:
        program = self.program(which, by_dual=by_dual)
        if len(program.row_lower) > MOST_ROWS:
            return IntegerSolution(Status.TIME_LIMIT, np.full(len(program.cost), np.nan), np.inf, -np.inf, "too large")
        return solve_integer(program, time_limit_s=self.left_s, gap=self.search.gap / 2.0)

    def program(self, which: Integers, *, by_dual: bool) -> MixedIntegerProgram:
        """Return the program on y (K), Q (S), v (S), z (S), eta, omega or the duals of the set, and the copies."""
        case, aim, count = self.case, self.aim, len(self.case.scenarios)
        recourse = Recourse(case.with_scenarios(which), self.stage.keys)
        modules, size = case.most.size, len(recourse.stage.cost)
        tail = aim.weight / (1.0 - aim.beta)
        dual = aim.ambiguity.dual(case.scenarios.probability) if by_dual else None
        last = 1 if dual is None else len(dual.cost)
        shapes = (modules, count, count, count, 1, last)
        ones, one = csr_array(np.ones((count, 1))), csr_array(eye_array(count))
        above = _row(shapes, {1: -one, 3: one, 4: ones})  # z >= Q - eta
        value = _row(shapes, {1: -(1.0 - aim.weight) * one, 2: one, 3: -tail * one, 4: -aim.weight * ones})
        if dual is None:
            worst = _row(shapes, {2: -csr_array(np.array(self.known)), 5: csr_array(np.ones((len(self.known), 1)))})
        else:
            rows = dual.rows(count)  # over (v, duals)
            worst = _row(shapes, {2: rows[:, :count], 5: rows[:, count:]})
        stage_one, most = limits(case)
        first = vstack([_row(shapes, {0: stage_one}), above, value, worst], format="csr")
        lower = np.concatenate([np.full(len(most), -np.inf), np.zeros(first.shape[0] - len(most))])
        upper = np.concatenate([most, np.full(count, np.inf), np.zeros(count), np.full(worst.shape[0], np.inf)])
        columns = first.shape[1]
        blocks, on_first, lows, highs = [], [], [], []
        for place, scenario in enumerate(which.tolist()):
            matrix, plan, low, high = recourse.rows_with_plan(place)
            own = coo_array(([1.0], ([0], [modules + scenario])), shape=(1, columns))
            blocks.append(vstack([matrix, csr_array(-recourse.stage.cost[np.newaxis])], format="csr"))
            on_first.append(vstack([hstack([plan, csr_array((plan.shape[0], columns - modules))]), own], format="csr"))
            lows += [low, [0.0]]
            highs += [high, [0.0]]  # the cost of a copy is Q itself
        matrix = first
        if blocks:
            copied = hstack([vstack(on_first), block_diag(blocks)], format="csr")
            matrix = csr_array(vstack([hstack([first, csr_array((first.shape[0], size * len(which)))]), copied]))
        risked = case.events_per_year * (np.ones(1) if dual is None else dual.cost)
        cost = np.concatenate([self.cost, np.zeros(3 * count + 1), risked, np.zeros(size * len(which))])
        least = np.concatenate([np.zeros(modules + 3 * count + 1), np.zeros(1) if dual is None else dual.lower,
                                *(recourse.stage.lower + recourse.least for _ in which)])  # fmt: skip
        room = np.concatenate([
            case.most.ravel().astype(np.float64), np.full(3 * count + 1, np.inf),
            np.full(1, np.inf) if dual is None else dual.upper, *(recourse.room(place) for place in range(len(which))),
        ])  # fmt: skip
        integer = np.zeros(len(cost), dtype=np.bool_)
        integer[:modules] = True
        return MixedIntegerProgram(
            cost, room, integer, matrix, np.concatenate([lower, *lows]), np.concatenate([upper, *highs]), least
        )

    def answer(self, route: str, status: Status) -> Placement:
        """Return what was found; where no plan was, that nothing is placed."""
        if not len(self.costs):
            self.attempt(self.plan)
        plan = self.plan.astype(np.intp)
        solved = self.stage.dispatch(self.plan)
        self.elsewhere_s += solved.elsewhere_s
        told = self.aim.risk(solved.costs, self.case.scenarios.probability)
        capital = float(self.cost @ plan)
        # Copies are linear: what the ways of stores add is in the gap.
        objective = max(self.objective, capital + self.case.events_per_year * told.value)
        if status is Status.OPTIMAL and gap(objective, self.bound) > self.search.gap:
            status = Status.OTHER
        return Placement(
            plan, solved.costs, told, capital, objective, min(self.bound, objective), status, tuple(self.marks),
            route, time.perf_counter() - self.begin, self.elsewhere_s + time.process_time() - self.begun_processor,
        )  # fmt: skip


def _row(shapes: tuple[int, ...], parts: dict[int, csr_array]) -> csr_array:
    """Return one row of blocks, empty where no part is given."""
    height = next(iter(parts.values())).shape[0]
    return csr_array(block_array([[parts.get(at, csr_array((height, width))) for at, width in enumerate(shapes)]]))
