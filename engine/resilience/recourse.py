"""Stage II solved: the cost of a shock under a plan, and a bound on the cost of every shock under every plan.

The bound is the dual function of the linear program at the dual point of one solve. Bounds of columns and rows are
linear in the plan, so it is ``constant + slope @ plan``; matrix and costs are the same for all shocks, so one dual
point bounds the cost of each. It holds for any dual point, whatever the solver's tolerances.

A linear program cannot keep a store from charging while it discharges. Mostly that costs more than it brings. Where an
import too far below its schedule is dearer than the losses of a store that is full, it would burn energy so, which no
store can. A spill at less than those losses would end that, but it would make every import below its schedule all but
free; binaries have no duals. So cuts keep to the linear program, in which both ways share a store's power (the convex
hull of one way and the other), and which bounds every dispatch from below; a dispatch has each store one way in a step:
a plan is told by what can be done, and its gap holds what that costs more.
Source: Li, Guo, Sun and Wang, IEEE Trans. Power Systems 31(2), 2016, for where the two are the same.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

from engine.network.model import Flags, Matrix, Vector
from engine.program import LazyProgram, LinearProgram, Solution
from engine.resilience.case import PlacementCase
from engine.resilience.flows import FlowModel
from engine.resilience.program import StageTwo

Key = tuple[str, int, int]  # of a row that is written when it binds: what it limits, which of them, the step
_TOLERANCE = 1e-6  # of voltages, p.u. squared, and of flows, MVA
_WORST = 2  # rows of each step that are added at once
_BOTH_MW = 1e-7  # charged while discharging: less is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The least cost of one shock under one plan."""

    scenario: int
    cost: float  # $ of the event
    x: Vector  # (N,)
    solution: Solution  # of the linear program: no dispatch costs less


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """For each of S shocks ``cost >= constant + slope @ plan``."""

    constant: Vector  # (S,), $
    slope: Matrix  # (S, K), $ per module

    def at(self, plan: Vector) -> Vector:
        """Return the bounds (S,) on the costs under a plan (K,)."""
        return np.asarray(self.constant + self.slope @ plan)

    def of(self, scenario: int) -> tuple[float, Vector]:
        """Return the cut of one shock."""
        return float(self.constant[scenario]), self.slope[scenario]

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Return the cuts of several, one after the other."""
        return cls(np.concatenate([each.constant for each in parts]), np.vstack([each.slope for each in parts]))


class Recourse:
    """The shocks of a case, ready to be solved one after the other, each from where the last ended."""

    def __init__(self, case: PlacementCase, keys: Iterable[Key] = ()) -> None:
        """Write the program with the limits that are known to bind.

        Raises NetworkDataError for a feeder that is not radial or cannot be fed.
        """
        self.flows = FlowModel.of(case)
        self.stage = StageTwo.of(case, self.flows)
        self._model: LazyProgram | None = None
        self._at = 0
        self._added: set[Key] = set()
        self._matrix: list[csr_array] = [self.stage.matrix]
        self._lower: list[Matrix] = [self.stage.row_lower]
        self._upper: list[Matrix] = [self.stage.row_upper]
        self._before, self._done = 0, np.zeros(len(self.stage.cost))
        self._idle = np.zeros(len(self.stage.cost), dtype=np.bool_)
        self._trips = False
        self._add(sorted(keys))

    def hold(self, done: Vector, step: int, idle: Flags, *, trips: bool = False) -> None:
        """Keep what was decided before a step as it is in ``done`` (N,), and columns that are ``idle`` (N,) at zero.

        ``trips``: generators need not keep their ramp into the step.
        """
        self._before, self._done, self._idle, self._trips = step, done, idle, trips

    @property
    def keys(self) -> frozenset[Key]:
        """Return the limits that are written."""
        return frozenset(self._added)

    def fresh(self) -> "Recourse":
        """Return one that knows as much and has solved nothing."""
        found = copy(self)
        found._model, found._added = None, set(self._added)
        found._matrix, found._lower, found._upper = list(self._matrix), list(self._lower), list(self._upper)
        return found

    def __len__(self) -> int:
        """Return the number of shocks."""
        return len(self.stage.scenarios)

    def solve(self, scenario: int, plan: Vector) -> Answer:
        """Return the least cost of a shock under a plan (K,). Raises SolverError where it is not an optimum."""
        self._at = scenario
        self._lose(scenario)
        program = self._program(scenario, plan)
        if self._model is None:
            self._model = LazyProgram(program)
        else:
            self._model.set_bounds(program.lower, program.upper)
            self._model.set_row_bounds(np.arange(len(program.row_lower)), program.row_lower, program.row_upper)
        while True:
            solution = self._model.solve().optimum()
            if not self._tighten(scenario, solution.x):
                return Answer(scenario, solution.objective, solution.x, solution)

    def dispatch(self, scenario: int, plan: Vector) -> Answer:
        """Return a shock under a plan (K,) with no store charging while it discharges: cost and columns of that.

        Where the linear program has a store do both, the way in which it moves less is closed in that step, where it
        moves most first, and the program is solved again. Raises SolverError where it is not an optimum.
        """
        answer = self.solve(scenario, plan)
        found, before, col = answer, self._idle, self.stage.columns
        try:
            while (both := self.stage.both_ways(found.x)).max(initial=0.0) > _BOTH_MW:
                store, step = np.unravel_index(int(both.argmax()), both.shape)
                ways = np.array([place[self.stage.stores[store], step] for place in (col.charge, col.discharge)])
                self._idle = self._idle.copy()
                self._idle[ways[found.x[ways].argmin()]] = True
                found = self.solve(scenario, plan)
        finally:
            self._idle = before
        return replace(found, solution=answer.solution)

    def cuts(self, answer: Answer, shocks: slice = slice(None)) -> Cuts:
        """Return what the dual point of an answer bounds, for every shock or some of them."""
        stage, solution = self.stage, answer.solution
        lower, upper = (
            np.concatenate([part[answer.scenario] for part in bounds]) for bounds in (self._lower, self._upper)
        )
        # A dual that rests on no limit of its own shock is rounding.
        dual = np.where(np.isinf(np.where(solution.row_dual > 0.0, lower, upper)), 0.0, solution.row_dual)
        rows, above, below = self._rows(), np.maximum(dual, 0.0), np.minimum(dual, 0.0)
        cost = stage.cost - rows.T @ dual
        least, most = np.maximum(cost, 0.0), np.minimum(cost, 0.0)
        constant = _carried([part[shocks] for part in self._lower], above)
        constant = constant + _carried([part[shocks] for part in self._upper], below)
        constant = constant + stage.lower @ least + stage.upper[shocks] @ most
        own = len(stage.row_lower_plan.indptr) - 1
        fixed = stage.row_lower_plan.T @ above[:own] + stage.row_upper_plan.T @ below[:own] + stage.lower_plan.T @ least
        slope = fixed + (~stage.waits[shocks] * most) @ stage.upper_plan
        return Cuts(constant, slope)

    @property
    def least(self) -> Vector:
        """Return (N,) by how much the lower bounds of columns fall at the most modules."""
        return np.asarray(np.minimum(self.stage.lower_plan @ self.stage.case.most.ravel().astype(np.float64), 0.0))

    def room(self, scenario: int) -> Vector:
        """Return (N,) the upper bounds of columns at the most modules."""
        return self.stage.bounds(scenario, self.stage.case.most.ravel().astype(np.float64))[1]

    def rows_with_plan(self, scenario: int) -> tuple[csr_array, csr_array, Vector, Vector]:
        """Return one shock with the plan as variables: rows on its columns, on the plan, and their bounds."""
        stage = self.stage
        every = self._rows()
        low = np.concatenate([part[scenario] for part in self._lower])
        high = np.concatenate([part[scenario] for part in self._upper])
        more = (every.shape[0] - stage.row_lower_plan.shape[0], stage.size)
        by_low = csr_array(vstack([stage.row_lower_plan, csr_array(more)], format="csr"))
        by_high = csr_array(vstack([stage.row_upper_plan, csr_array(more)], format="csr"))
        apart = np.flatnonzero(np.diff(abs(by_low - by_high).tocsr().indptr))  # where a plan moves them differently
        none, first_high = np.full(len(apart), np.inf), high.copy()
        first_high[apart] = np.inf
        there = csr_array(stage.upper_plan.multiply(~stage.waits[scenario][:, np.newaxis]))
        moved, sunk = (np.flatnonzero(np.diff(each.indptr)) for each in (there, stage.lower_plan))
        own = csr_array(eye_array(len(stage.cost)))
        matrix = vstack([every, every[apart], own[moved], own[sunk]], format="csr")
        plan = vstack([-by_low, -by_high[apart], -there[moved], -stage.lower_plan[sunk]], format="csr")
        lower = np.concatenate([low, -none, np.full(len(moved), -np.inf), stage.lower[sunk]])
        upper = np.concatenate([first_high, high[apart], stage.upper[scenario][moved], np.full(len(sunk), np.inf)])
        return csr_array(matrix), csr_array(plan), lower, upper

    def states(self, scenario: int, x: Vector) -> tuple[Matrix, Matrix]:
        """Return voltages (K, T) in p.u. squared and the sides of limits on MVA (L, T) at a point."""
        given, reactive, shed = self.stage.injections(x)
        served = self.stage.draws_mw[scenario] - shed
        return self.flows.voltage.at(served, given, reactive), self.flows.sides.at(served, given, reactive)

    def _rows(self) -> csr_array:
        if len(self._matrix) > 1:
            self._matrix = [csr_array(vstack(self._matrix, format="csr"))]
        return self._matrix[0]

    def _program(self, scenario: int, plan: Vector) -> LinearProgram:
        lower, upper = self.stage.bounds(scenario, plan)
        row_lower = np.concatenate([part[scenario] for part in self._lower])
        row_upper = np.concatenate([part[scenario] for part in self._upper])
        own = self.stage.row_lower_plan.shape[0]
        row_lower[:own] += self.stage.row_lower_plan @ plan
        row_upper[:own] += self.stage.row_upper_plan @ plan
        rows = self._rows()
        if self._before:
            past = self.stage.step_of < self._before
            lower, upper = np.where(past, self._done, lower), np.where(past, self._done, upper)
            # Rows of what is past alone have been kept: rounding is no reason to refuse them now.
            over = np.diff(rows[:, ~past].tocsr().indptr) == 0
            if self._trips:
                outputs = self.stage.columns.output
                outputs = outputs[outputs[:, 0] >= 0]
                others = np.ones(len(past), dtype=np.bool_)
                others[outputs[:, self._before - 1 : self._before + 1]] = False
                over |= np.diff(rows[:, others].tocsr().indptr) == 0
            row_lower, row_upper = np.where(over, -np.inf, row_lower), np.where(over, np.inf, row_upper)
        upper = np.where(self._idle & (self.stage.step_of >= self._before), 0.0, upper)
        return LinearProgram(self.stage.cost, rows, row_lower, row_upper, lower, upper)

    def _tighten(self, scenario: int, x: Vector) -> bool:
        """Add the rows of limits that a point breaks most in each step; return whether there were any."""
        voltage, sides = self.states(scenario, x)
        (least, most), beyond = self.stage.case.voltage_limits, x[self.stage.columns.violation]
        found = [
            *self._worst("low", least - beyond - voltage),
            *self._worst("high", voltage - most - beyond),
            *self._worst("side", sides - self.flows.side_limit[:, np.newaxis]),
        ]
        self._add(found)
        return bool(found)

    def _worst(self, name: str, excess: Matrix) -> list[Key]:
        if not excess.size:
            return []
        order = np.argsort(-excess, axis=0)[:_WORST]
        return [
            (name, int(row), step)
            for step in range(excess.shape[1])
            for row in order[:, step].tolist()
            if excess[row, step] > _TOLERANCE and (name, int(row), step) not in self._added
        ]

    def _lose(self, scenario: int) -> None:
        """Add the rows of a link that is out in a shock: it carries nothing, and in other shocks what it likes."""
        scenarios = self.stage.scenarios
        link = int(scenarios.outage[scenario])
        if link < 0:
            return
        steps = range(int(scenarios.start[scenario]), int(scenarios.restored[scenario]))
        self._add([
            key for row in range(len(self.flows.links[link])) for step in steps
            if (key := (f"out {link}", row, step)) not in self._added
        ])  # fmt: skip

    def _add(self, keys: list[Key]) -> None:
        self._added |= set(keys)
        # Links that are out in shocks of other parts of a case have no rows in this one.
        keys = [key for key in keys if not key[0].startswith("out") or self.flows.links[int(key[0].split()[1])].size]
        if not keys:
            return
        parts = [self._written(*key) for key in keys]
        matrix = csr_array(vstack([part for part, _, _ in parts], format="csr"))
        lower, upper = np.hstack([low for _, low, _ in parts]), np.hstack([high for *_, high in parts])
        self._matrix.append(matrix)
        self._lower.append(lower)
        self._upper.append(upper)
        if self._model is not None:
            self._model.add_rows(matrix, lower[self._at], upper[self._at])

    def _written(self, name: str, row: int, step: int) -> tuple[csr_array, Matrix, Matrix]:
        """Return a row on the columns (1, N), and its bounds (S, 1) in every shock."""
        stage, which, (least, most) = self.stage, np.array([row]), self.stage.case.voltage_limits
        if name.startswith("out"):
            scenarios, link = stage.scenarios, int(name.split()[1])
            matrix, value = stage.terms(self.flows.flow.rows(self.flows.links[link][which]), step)
            out = (scenarios.outage == link) & (scenarios.start <= step) & (step < scenarios.restored)
            limit = np.where(out, 0.0, np.inf)[:, np.newaxis]
            return matrix, -limit - value, limit - value
        slack = csr_array(([1.0], ([0], [stage.columns.violation[step]])), shape=(1, len(stage.cost)))
        none = np.full((len(stage.scenarios), 1), np.inf)
        if name == "side":
            matrix, value = stage.terms(self.flows.sides.rows(which), step)
            return matrix, -none, self.flows.side_limit[row] - value
        matrix, value = stage.terms(self.flows.voltage.rows(which), step)
        if name == "low":
            return csr_array(matrix + slack), least - value, none
        return csr_array(matrix - slack), -none, most - value


def _carried(parts: list[Matrix], dual: Vector) -> Vector:
    """Return bounds times duals (S,); a bound that is infinite counts where a dual rests on it."""
    used = np.flatnonzero(dual)
    bounds = np.hstack(parts)[:, used]
    return np.asarray(bounds @ dual[used])
