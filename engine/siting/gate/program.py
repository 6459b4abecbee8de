"""The linear program of one case of the gate: how much load one bus can take, exactly, and why no more.

Variables: the output of every unit bus, the load, and the largest overload as a share of its limit. Limits enter when
they are broken. The program stays in the solver while buses follow each other in one case: only the column of the
load changes. Each answer has a dispatch that can be checked and multipliers that prove it (:mod:`.rays`).
"""

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from engine.errors import SolverError
from engine.network.model import Integers, Vector
from engine.siting.gate.model import GateHour
from engine.siting.gate.rays import Ray

HAIR_MW = 1e-3  # a level this far beyond the largest load still counts as that load
LIMIT_TOLERANCE = 1e-7  # MW over a limit, per MW of limit plus one, that counts as keeping it
OVERLOAD = 1e-7  # relative: what counts as none
_COST = 100.0  # of the objective: the solver's tolerance on reduced costs must not be seen
_MULTIPLIER = 1e-9  # of the largest one; below it a multiplier is rounding, and the proof is valid without it
_AT_ONCE = 8  # of the broken limits, the worst first; the others are often cured with them
_MOST_ROWS = 40  # beyond which those without a multiplier leave
_LEAST_SCALE_MW = 1.0
SPARE = 0.03  # of every limit, that a dispatch for one load leaves where it can: so it keeps those of other cases too


@dataclass(frozen=True, slots=True, eq=False)
class CaseAnswer:
    """A dispatch and multipliers that meet: of the largest load, or of the least overload where no load is possible."""

    output_mw: Vector  # (U,)
    load_mw: float
    overload: float  # relative; above 0 where nothing is possible
    ray: Ray | None  # None where the load ends at its cap, or is kept


class CaseProgram:
    """One program for all buses of one case after another."""

    def __init__(self, hour: GateHour) -> None:
        self.hour = hour
        self.solves = 0
        count = len(hour.least_mw)
        self._load, self._over = count, count + 1
        self._model: Any = None
        self._case = -1
        self._rows = np.zeros(0, dtype=np.intp)
        self._signs = np.zeros(0)
        self._bus = -1

    def go(self, case: int, seeds: tuple[Integers, Vector] | None = None) -> None:
        """Go to a case, with rows (k,) and their signs (k,) that are likely to matter in it."""
        self._case, self._bus = case, -1
        self._least, self._largest = self.hour.box(case)
        self._lower, self._upper = self.hour.model.bounds(case)
        self._fixed = self.hour.fixed(case)
        if self._model is None or seeds is not None:
            self._fresh(*(seeds if seeds is not None else (self._rows, self._signs)))
            return
        basis, rows, signs = self._model.getBasis(), self._rows, self._signs
        count = self._load
        self._model.deleteRows(len(rows), np.arange(1, len(rows) + 1, dtype=np.int32))
        self._model.changeColsBounds(count, np.arange(count, dtype=np.int32), self._least, self._largest)
        self._rows, self._signs = np.zeros(0, dtype=np.intp), np.zeros(0)
        self._add(rows, signs)
        if basis.valid and len(rows) == len(self._rows):
            self._model.setBasis(basis)

    def most(self, bus: int, cap_mw: float) -> CaseAnswer:
        """Return the largest load of a candidate (place), at most ``cap_mw``, or the dispatch of least overload."""
        if len(self._rows) > _MOST_ROWS:
            self._purge()
        self._turn(bus)
        found = self._ends(bus, cap_mw, elastic=False)
        return found if found is not None else self._must(self._ends(bus, cap_mw, elastic=True), bus)

    def at(self, bus: int, load_mw: float) -> CaseAnswer:
        """Return the dispatch of least overload that serves one load: quicker than the largest.

        The overload is below zero, down to ``-SPARE``, where the limits of the program can be kept with room to spare.

        A load that units could not balance by less than a hair is served as far as they can. Raises SolverError where
        they are further off.
        """
        range_mw = (float(self._least.sum()) - self.hour.demand_mw, float(self._largest.sum()) - self.hour.demand_mw)
        if range_mw[0] - HAIR_MW <= load_mw <= range_mw[1] + HAIR_MW:
            load_mw = min(max(load_mw, range_mw[0]), range_mw[1])
        if len(self._rows) > _MOST_ROWS:
            self._purge()
        self._turn(bus)
        return self._must(self._ends(bus, load_mw, elastic=True, least_mw=load_mw), bus)

    def least_load(self, bus: int, cap_mw: float) -> CaseAnswer:
        """Return the least load of a candidate that keeps every limit: of one whose load relieves."""
        self._turn(bus)
        return self._must(self._ends(bus, cap_mw, elastic=False, direction=1.0), bus)

    def base(self) -> CaseAnswer:
        """Return the dispatch of least overload without any load."""
        return self._must(self._ends(max(self._bus, 0), 0.0, elastic=True), 0)

    @property
    def seeds(self) -> tuple[Integers, Vector]:
        """Return the rows (k,) of the program, and their signs."""
        return self._rows, self._signs

    def _must(self, found: CaseAnswer | None, bus: int) -> CaseAnswer:
        if found is None:
            name = self.hour.model.limits.network.buses.ids[self.hour.model.candidates[bus]]
            raise SolverError(f"the program of bus {name} in {self.hour.state.words} has no answer")
        return found

    def _ends(
        self, bus: int, cap_mw: float, *, elastic: bool, direction: float = -1.0, least_mw: float = 0.0
    ) -> CaseAnswer | None:
        model = self._model
        model.changeColCost(self._load, 0.0 if elastic else direction * _COST)
        model.changeColCost(self._over, _COST if elastic else 0.0)
        model.changeColBounds(self._load, least_mw, cap_mw)
        model.changeColBounds(self._over, -SPARE if elastic else 0.0, highspy.kHighsInf if elastic else 0.0)
        while True:
            if not self._run():
                return None
            solution = self._model.getSolution()
            value = np.array(solution.col_value)
            output, load, over = value[: self._load], float(value[self._load]), float(value[self._over])
            rows, signs = self._broken(bus, output, load, max(over, 0.0))
            if not len(rows):
                break
            self._add(rows, signs)
        dual = np.array(solution.row_dual) / _COST
        bound = (not elastic and load >= cap_mw and direction < 0.0) or (elastic and over <= OVERLOAD)
        self._multiplier = dual[1:]
        return CaseAnswer(output, load, over, None if bound else self._ray(dual))

    def _ray(self, dual: Vector) -> Ray:
        multiplier = -dual[1:]
        used = np.flatnonzero(multiplier > _MULTIPLIER * max(1e-12, float(multiplier.max(initial=0.0))))
        return Ray.of(self._rows[used], self._signs[used] * multiplier[used], -float(dual[0]))

    def _run(self) -> bool:
        """Solve, from nothing if the warm solve gives no clear word; return whether there is a point."""
        status = highspy.HighsModelStatus
        for attempt in range(4):
            if attempt == 1:
                self._model.clearSolver()
            elif attempt >= 2:
                self._fresh(self._rows, self._signs, keep=True)
            if attempt == 3:  # an interior point, then crossover to a vertex
                self._model.setOptionValue("solver", "ipm")
            self.solves += 1
            self._model.run()
            answer = self._model.getModelStatus()
            if attempt == 3:
                self._model.setOptionValue("solver", _OPTIONS["solver"])
            if answer == status.kOptimal:
                return True
            if answer == status.kInfeasible:
                return False
        raise SolverError(f"the solver stopped at {self._model.modelStatusToString(answer)}")

    def _broken(self, bus: int, output: Vector, load_mw: float, over: float) -> tuple[Integers, Vector]:
        model, lost = self.hour.model, self.hour.model.lost_of(self._case)
        value = self._fixed + model.at_units @ output - load_mw * model.at_candidates[:, bus]
        if lost >= 0:
            flow = float(model.lost_at_units[lost] @ output) - load_mw * model.lost_at_candidates[lost, bus]
            value += model.moved[:, lost] * flow
        above, below = _over(value, self._upper, over), _over(-value, -self._lower, over)
        worst = np.maximum(above, below)
        at = np.flatnonzero(worst > 0.0)
        if len(at) > _AT_ONCE:
            at = at[np.argpartition(-worst[at], _AT_ONCE)[:_AT_ONCE]]
        signs = np.where(above[at] > 0.0, 1.0, -1.0)
        known = set(zip(self._rows.tolist(), self._signs.tolist(), strict=True))
        new = [pair not in known for pair in zip(at.tolist(), signs.tolist(), strict=True)]
        return at[new], signs[new]

    def _fresh(self, rows: Integers, signs: Vector, *, keep: bool = False) -> None:
        model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS.items():
            model.setOptionValue(option, value)
        count, none = self._load, np.zeros(0, dtype=np.int32)
        old = self._model
        lower, upper = np.append(self._least, [0.0, 0.0]), np.append(self._largest, [0.0, 0.0])
        cost = np.zeros(count + 2)
        if keep:
            known = old.getLp()
            cost, lower, upper = (np.array(part) for part in (known.col_cost_, known.col_lower_, known.col_upper_))
        model.addCols(count + 2, cost, lower, upper, 0, none, none, np.zeros(0))
        index = np.arange(count + 1, dtype=np.int32)
        demand = self.hour.demand_mw
        model.addRow(demand, demand, count + 1, index, np.append(np.ones(count), -1.0))
        self._model = model
        self._rows, self._signs = np.zeros(0, dtype=np.intp), np.zeros(0)
        self._add(rows, signs)

    def _add(self, rows: Integers, signs: Vector) -> None:
        if not len(rows):
            return
        limit = np.where(signs > 0.0, self._upper[rows], -self._lower[rows])
        held = np.isfinite(limit)
        rows, signs, limit = rows[held], signs[held], limit[held]
        at_units, at_candidates = self.hour.model.rows_of(rows, self._case)
        load = -at_candidates[:, self._bus] if self._bus >= 0 else np.zeros(len(rows))
        table = np.column_stack([signs[:, np.newaxis] * at_units, signs * load, -_scale(limit)])
        room = limit - signs * self._fixed[rows]
        width = table.shape[1]
        starts = np.arange(0, table.size, width, dtype=np.int32)
        index = np.tile(np.arange(width, dtype=np.int32), len(rows))
        self._model.addRows(
            len(rows), np.full(len(rows), -highspy.kHighsInf), room, table.size, starts, index, table.ravel()
        )
        self._rows, self._signs = np.concatenate([self._rows, rows]), np.concatenate([self._signs, signs])

    def _turn(self, bus: int) -> None:
        if bus == self._bus:
            return
        self._bus = bus
        _, at_candidates = self.hour.model.rows_of(self._rows, self._case)
        for place, entry in enumerate((-self._signs * at_candidates[:, bus]).tolist(), 1):
            self._model.changeCoeff(place, self._load, entry)

    def _purge(self) -> None:
        kept = self._multiplier[: len(self._rows)] < 0.0
        gone = np.flatnonzero(~kept) + 1
        self._model.deleteRows(len(gone), gone.astype(np.int32))
        self._rows, self._signs = self._rows[kept], self._signs[kept]


_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",
    "solver": "simplex",
    "dual_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
    "simplex_scale_strategy": 0,  # rows are MW per MW: of one size as they are
    "dual_simplex_cost_perturbation_multiplier": 0.0,
}


def _scale(limit_mw: Vector) -> Vector:
    return np.maximum(np.abs(limit_mw), _LEAST_SCALE_MW)


def _over(value_mw: Vector, limit_mw: Vector, overload: float) -> Vector:
    """Return by how much (R,) values exceed their limits beyond the overload and the tolerance."""
    held = np.isfinite(limit_mw)
    size = np.where(held, np.abs(limit_mw), 0.0)
    allowed = overload * np.maximum(size, 1.0) + LIMIT_TOLERANCE * (1.0 + size)
    over: Vector = value_mw - limit_mw - np.where(held, allowed, 0.0)
    return over
