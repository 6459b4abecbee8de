"""The linear relaxation of a commitment, kept in the solver: rows that bind are added, and solves start warm."""

import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.commitment.bound import Prices
from engine.commitment.instance import Instance
from engine.commitment.lines import FlowRows, broken
from engine.commitment.model import Model
from engine.commitment.perspective import shares
from engine.commitment.ramps import RampPrices
from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.program import LazyProgram, LinearProgram, Status

_ROUNDS = 40  # of adding rows; a handful is usual
_BREACH_MW = 1e-5
_RAMP_MW = 1e-6
_SHARE_MW = 1e-4
_SHARE_ROUNDS = 4  # of adding perspective cuts in one solve: later ones change next to nothing


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The least-cost answer if units could be on in part."""

    values: Vector  # (V,)
    on: Matrix  # (T, N), 0 to 1
    objective: float  # $
    prices: Prices
    breach_mw: Matrix  # (T, 5), as BREACHES; all zero in a day that can be supplied

    @property
    def kept(self) -> bool:
        """Return whether nothing is broken."""
        return not (self.breach_mw > _BREACH_MW).any()


class Relaxation:
    """The relaxation of one instance and of the same instance with other loads."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.model = Model.of(instance)
        self.flows = FlowRows.none(len(instance.network.buses.ids))
        self.flow_rows: Integers = np.zeros(0, dtype=np.intp)  # where the limits are among the rows
        self.ramps: dict[tuple[int, int, bool], int] = {}  # hour, unit, upwards: where the ramp is among the rows
        self._lazy = LazyProgram(self.model.program())
        self._shares = shares(self.model)
        self._shared = np.zeros(len(self._shares.lower), dtype=np.bool_)  # which of them are among the rows
        self._mark: tuple[int, int, dict[tuple[int, int, bool], int], Flags, object] | None = None

    @property
    def program(self) -> LinearProgram:
        """Return the program with all rows so far, for the loads last set."""
        return self._lazy.program

    @property
    def row_count(self) -> int:
        """Return the number of rows so far."""
        return self._lazy.row_count

    def set_loads(self, instance: Instance) -> None:
        """Take the loads and reserves of an instance that differs in nothing else."""
        self.instance = instance
        balance = self.model.balance_mw(instance)
        hours = np.arange(instance.hours)
        self._lazy.set_row_bounds(hours + self.model.balance_rows.start, balance, balance)
        rows = self.model.reserve_rows
        if rows.stop > rows.start:
            self._lazy.set_row_bounds(hours + rows.start, instance.reserve_mw, np.full(len(hours), np.inf))
        if len(self.flows):
            self._lazy.set_row_bounds(self.flow_rows, *self.model.flow_bounds(self.flows, instance))

    def remember(self) -> None:
        """Mark where things stand now: :meth:`reset` goes back there, so that what comes next has no history."""
        self._mark = (self._lazy.row_count, len(self.flows), dict(self.ramps), self._shared.copy(), self._lazy.basis())

    def reset(self) -> None:
        """Drop the rows added since the mark, and start the next solve from its basis."""
        if self._mark is None:
            return
        rows, flows, ramps, shared, basis = self._mark
        if self._lazy.row_count > rows:
            self._lazy.delete_rows(np.arange(rows, self._lazy.row_count))
        self.flows, self.flow_rows = self.flows.at(np.arange(flows)), self.flow_rows[:flows]
        self.ramps, self._shared = dict(ramps), shared.copy()
        self._lazy.start_from(basis)

    def pin(self, on: Flags, off: Flags) -> None:
        """Hold units on or off (T, N) in the next solves, beside what the instance has."""
        x, program = self.model.place("x"), self._lazy.program
        pinned = self.instance.pinned
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[x], upper[x] = pinned["on"] | on, ~(pinned["off"] | off)
        self._lazy.set_bounds(lower, upper)

    def solve(self, *, time_limit_s: float = np.inf) -> Relaxed | None:
        """Return the least-cost answer within all limits and ramps; None if time runs out.

        Raises SolverError if the solver stops for another reason.
        """
        left, rounds = time_limit_s, _SHARE_ROUNDS
        so_far: Relaxed | None = None  # without the perspective cuts that were added last
        for _ in range(_ROUNDS + _SHARE_ROUNDS):
            found = self._lazy.solve(time_limit_s=left if np.isfinite(left) else None)
            left -= found.time_s
            if found.status is Status.TIME_LIMIT or left <= 0.0:
                return so_far
            found.optimum()
            if self.add_broken(found.x):
                continue
            so_far = self._relaxed(found.x, found.row_dual, found.objective)
            rounds -= 1
            if rounds < 0 or not self._add_shares(found.x):
                return so_far
        raise SolverError(f"limits were still being broken after {_ROUNDS} rounds of adding them")

    def least_breach(self, *, time_limit_s: float = np.inf) -> Matrix | None:
        """Return (T, 5): the least breaches that any dispatch has, units on in part allowed and whatever it costs.

        More than nothing proves that no schedule exists; None if time runs out. The costs are put back afterwards.
        """
        end = time.perf_counter() + time_limit_s
        program = self._lazy.program
        only = np.zeros(len(program.cost))
        only[self.model.place("e")] = 1.0
        self._lazy.set_cost(only)
        try:
            for _ in range(_ROUNDS):
                left = end - time.perf_counter()
                if left <= 0.0:
                    return None
                found = self._lazy.solve(time_limit_s=left if np.isfinite(left) else None)
                if found.status is Status.TIME_LIMIT:
                    return None
                if not self.add_broken(found.optimum().x):
                    break
        finally:
            self._lazy.set_cost(program.cost, program.offset)
        return np.where(found.x > _BREACH_MW, found.x, 0.0)[self.model.place("e")]

    def add_broken(self, values: Vector) -> int:
        """Add the rows of limits and ramps that column values (V,) break; return how many."""
        output = self.model.outputs_mw(values)
        new = broken(self.instance, output, self.flows)
        self.add_flows(new)
        ramps = self._broken_ramps(values, output)
        self.add_ramps(ramps)
        return len(new) + len(ramps)

    def _add_shares(self, values: Vector) -> int:
        """Add the perspective cuts that column values (V,) break; return how many."""
        over = np.asarray(self._shares.matrix @ values) > _SHARE_MW
        new = np.flatnonzero(over & ~self._shared)
        if new.size:
            own = self._shares
            self._lazy.add_rows(csr_array(own.matrix[new]), own.lower[new], own.upper[new])
            self._shared[new] = True
        return len(new)

    def add_ramps(self, given: Collection[tuple[int, int, bool]]) -> None:
        """Add ramps by hour, unit and direction (upwards) that are not there yet."""
        for upwards in (True, False):
            own = sorted(key for key in given if key[2] == upwards and key not in self.ramps)
            if own:
                hours, units = (np.array(part, dtype=np.intp) for part in list(zip(*own, strict=True))[:2])
                rows = self.model.ramp_rows(hours, units, upwards=upwards)
                at = self._lazy.add_rows(rows.matrix, rows.lower, rows.upper)
                self.ramps |= dict(zip(own, at[: len(own)].tolist(), strict=True))

    def add_flows(self, new: FlowRows) -> None:
        """Add limits on flows that are not there yet."""
        new = new.without(self.flows)
        if not len(new):
            return
        matrix = self.model.flow_rows(new)
        at = self._lazy.add_rows(matrix, *self.model.flow_bounds(new, self.instance))
        self.flows = self.flows.and_(new)
        self.flow_rows = np.concatenate([self.flow_rows, at])

    def _broken_ramps(self, values: Vector, output_mw: Matrix) -> list[tuple[int, int, bool]]:
        instance, fleet = self.instance, self.instance.fleet
        chosen, initial = instance.committed, instance.initial
        on = np.ones(output_mw.shape)
        on[:, chosen] = values[self.model.place("x")]
        start = np.zeros(output_mw.shape)
        start[:, chosen] = values[self.model.place("y")]
        if initial is None:
            before_mw, before_on = output_mw[:-1], on[:-1]
            first = 1
        else:
            before_mw = np.concatenate([initial.output_mw[np.newaxis], output_mw[:-1]])
            before_on = np.concatenate([initial.on[np.newaxis].astype(np.float64), on[:-1]])
            first = 0
        change, now, began = output_mw[first:] - before_mw, on[first:], start[first:]
        stop = before_on - now + began
        limited = np.isfinite(fleet.ramp_mw) & instance.network.units.in_service
        ramp, edge = np.where(limited, fleet.ramp_mw, 0.0), np.where(limited, fleet.edge_mw, 0.0)
        found = []
        for upwards, over in (
            (True, change - ramp * before_on - edge * began),
            (False, -change - ramp * now - edge * stop),
        ):
            hour, unit = np.nonzero((over > _RAMP_MW) & limited)
            found += [(int(t) + first, int(g), upwards) for t, g in zip(hour, unit, strict=True)]
        return [key for key in found if key not in self.ramps]

    def _ramp_prices(self, dual: Vector) -> RampPrices:
        if not self.ramps:
            return RampPrices.none()
        hour, unit, upwards = (np.array(part) for part in zip(*self.ramps, strict=True))
        price = -dual[np.array(list(self.ramps.values()), dtype=np.intp)]
        return RampPrices(hour.astype(np.intp), unit.astype(np.intp), upwards.astype(np.bool_), price)

    def _relaxed(self, values: Vector, dual: Vector, objective: float) -> Relaxed:
        model = self.model
        reserve = np.zeros(self.instance.hours)
        rows = model.reserve_rows
        if rows.stop > rows.start:
            reserve = dual[rows]
        limits = self.flows.limiting(dual[self.flow_rows])
        prices = Prices(dual[model.balance_rows], reserve, self.flows, limits, self._ramp_prices(dual))
        return Relaxed(values, values[model.place("x")], objective, prices, values[model.place("e")])
