"""The dispatch of a day whose commitment is given, and its prices: a convex quadratic program, solved as a whole.

Costs are the filed ones: quadratic curves exactly, points as straight pieces. Prices are the duals of the power
balance and of the limits on flows. Where several duals are optimal (a price between two offers), an interior point
method ends in the middle of them: the analytic centre of the optimal duals, which is one point whichever way the
program is written down. Rows of flows, of ramps and of reserve enter when they are broken.

Source: equation (10) of arXiv 2605.14714, as specified with its signs; Güler and Ye, "Convergence behavior of
interior-point algorithms", Mathematical Programming 60, 1993 (the limit is the centre of the optimal face).
"""

import time
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.commitment.instance import Instance
from engine.commitment.lines import FlowRows, broken
from engine.commitment.pieces import cost_at
from engine.errors import SolverError
from engine.interior import SOLVER, solve_interior
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.program import Status

_ROUNDS = 30
_SHORT_MW = 1e-6  # of reserve, or over a ramp
_PRICE = 1e-7  # $/MWh below which a limit has no price


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """Rows that are likely to bind: the answer does not depend on them, the time does."""

    flows: FlowRows
    ramps: frozenset[tuple[int, int, bool]] = frozenset()  # hour, unit, upwards
    reserve: frozenset[int] = frozenset()  # hours

    @classmethod
    def none(cls, instance: Instance) -> Self:
        """Return no hints."""
        return cls(FlowRows.none(len(instance.network.buses.ids)))


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """T hours of dispatch and prices; arrays hold ``nan`` where the status is not optimal."""

    status: Status
    output_mw: Matrix  # (T, G)
    reserve_mw: Matrix  # (T, G)
    cost: float  # $, with starts, stops and no-load costs
    energy: Vector  # (T,), $/MWh, the price at the slack of the factors
    reserve_price: Vector  # (T,), $/MW
    flows: FlowRows  # (k,), limits looked at
    flow_mw: Vector  # (k,)
    flow_price: Vector  # (k,), rise of the cost per MW that the active limit is raised: negative for upper limits
    lmp: Matrix  # (T, B), $/MWh, nan at a bus out of service
    branches: int  # L
    hints: Hints  # what bound, for the next dispatch
    time_s: float
    solver: str = SOLVER

    @property
    def congestion(self) -> Matrix:
        """Return the part (T, B) of prices that limits on flows make; the rest is energy."""
        return self.lmp - self.energy[:, np.newaxis]

    def branch_price(self) -> Matrix:
        """Return (T, L): the prices of both limits of each branch before outages, mu+ plus mu-, not negative."""
        found = np.zeros((len(self.energy), self.branches))
        own = (self.flows.monitored < self.branches) & (self.flows.outage < 0)
        np.add.at(found, (self.flows.hour[own], self.flows.monitored[own]), np.abs(self.flow_price[own]))
        return found

    def priced_limits(self) -> tuple[Matrix, Matrix]:
        """Return prices, not negative, and flows (T, R) of the R limits that have a price in some hour.

        They are of branches and interfaces, before and after outages; what the metrics of a market need.
        """
        used = np.flatnonzero(self.flow_price)
        keys = np.column_stack([self.flows.monitored[used], self.flows.outage[used]])
        which, column = np.unique(keys, axis=0, return_inverse=True)
        prices, flows = np.zeros((len(self.energy), len(which))), np.zeros((len(self.energy), len(which)))
        place = (self.flows.hour[used], column.ravel())
        prices[place], flows[place] = np.abs(self.flow_price[used]), self.flow_mw[used]
        return prices, flows

    def rent(self) -> Vector:
        """Return (T,) in $/h: the prices of limits times the flows that they hold."""
        found = np.zeros(len(self.energy))
        limit = np.where(self.flow_price > 0.0, self.flows.lower_mw, self.flows.upper_mw)
        priced = np.abs(self.flow_price) > 0.0
        flow = np.where(priced, limit, 0.0) - self.flows.fixed_mw
        np.add.at(found, self.flows.hour, np.where(priced, -self.flow_price * flow, 0.0))
        return found


def dispatch(instance: Instance, on: Flags, hints: Hints | None = None, *, time_limit_s: float = np.inf) -> Dispatch:
    """Return the least-cost dispatch of the units that are ``on`` (T, N), with prices.

    The end is told by the status: optimal, infeasible or time limit. Raises SolverError for any other.
    """
    begin = time.perf_counter()
    program = _Day(instance, on, hints or Hints.none(instance))
    for _ in range(_ROUNDS):
        left = time_limit_s - (time.perf_counter() - begin)
        found = solve_interior(*program.parts(), left if np.isfinite(left) else None)
        if not found.optimal:
            said = ((found.infeasible, Status.INFEASIBLE), (found.timed_out, Status.TIME_LIMIT))
            for true, status in said:
                if true:
                    return program.nothing(status, time.perf_counter() - begin)
            raise SolverError(f"{SOLVER} ended the dispatch of a day by {found.word!r}")
        if not program.add_broken(found.x):
            return program.result(found.x, found.row_dual, time.perf_counter() - begin)
    raise SolverError(f"limits were still being broken after {_ROUNDS} rounds of adding them")


def whole_on(instance: Instance, on: Flags) -> Flags:
    """Return (T, G): which units run, those always on among them."""
    found = np.tile(instance.network.units.in_service, (instance.hours, 1))
    found[:, instance.committed] = on
    return found


def starts_and_stops(instance: Instance, on: Flags) -> tuple[Flags, Flags]:
    """Return the starts and stops (T, N); none into the first hour where the initial state is free."""
    initial = instance.initial
    before = on[:1] if initial is None else initial.on[instance.committed][np.newaxis]
    was = np.concatenate([before, on[:-1]])
    return on & ~was, was & ~on


class _Day:
    """The program of a day: columns of outputs above the least, hour by hour, and columns of reserve."""

    def __init__(self, instance: Instance, on: Flags, hints: Hints) -> None:
        case, curves, fleet = instance.case, instance.curves, instance.fleet
        self.instance, self.on = instance, on
        self.running = whole_on(instance, on)
        self.least = np.where(self.running, case.least_mw, 0.0)
        self.start, self.stop = starts_and_stops(instance, on)
        largest = case.largest_mw.copy()
        ends = self.start.copy()
        ends[:-1] |= self.stop[1:]
        hour, number = np.nonzero(ends)
        unit = instance.committed[number]
        largest[hour, unit] = np.minimum(largest[hour, unit], fleet.edge_mw[unit])
        self.largest = np.where(self.running, largest, 0.0)
        lower, upper = curves.bounds(case.least_mw, largest)
        hour, place = np.nonzero(self.running[:, curves.unit] & (upper > lower))
        self.hour, self.place = hour.astype(np.intp), place.astype(np.intp)
        self.unit = curves.unit[self.place]
        self.low, self.high = lower[hour, place], upper[hour, place]
        # A column fixed at both ends is a constant: together they are the output at the least of every column.
        self.fixed = np.where(self.running, curves.output_mw(lower), 0.0)
        given = np.minimum(fleet.reserve_mw, largest - case.least_mw)
        self.most_reserve = np.where(self.running, np.maximum(given, 0.0), 0.0)
        self.flows, self.ramps = hints.flows, set(hints.ramps)
        self.reserved = set(hints.reserve) if instance.reserve_mw.any() else set()

    def parts(self) -> tuple[Vector, Vector, csr_array, tuple[Vector, Vector, Vector, Vector]]:
        """Return cost, quadratic, matrix and bounds; columns are what is produced above their lowest values."""
        curves = self.instance.curves
        hours = np.array(sorted(self.reserved), dtype=np.intp)
        self.reserve_hour, self.reserve_unit = _pairs(hours, self.most_reserve)
        count, given = len(self.hour), len(self.reserve_hour)
        width = count + given
        cost, curved = np.zeros(width), np.zeros(width)
        cost[:count] = curves.slope[self.place] + curves.quadratic[self.place] * self.low
        curved[:count] = curves.quadratic[self.place]
        upper = np.concatenate([self.high - self.low, self.most_reserve[self.reserve_hour, self.reserve_unit]])
        blocks = [self._balance(width), self._reserve(hours, width), self._room(width), self._flow(width)]
        blocks.append(self._ramp_rows(width))
        self.rows = np.cumsum([0] + [len(block[1]) for block in blocks])
        matrix = csr_array(vstack([block[0] for block in blocks], format="csr"))
        row_lower, row_upper = (np.concatenate([block[side] for block in blocks]) for side in (1, 2))
        return cost, curved, matrix, (row_lower, row_upper, np.zeros(width), upper)

    def output_mw(self, values: Vector) -> Matrix:
        """Return the outputs (T, G), within the limits of the units."""
        found = self.fixed.copy()
        np.add.at(found, (self.hour, self.unit), values[: len(self.hour)])
        return np.clip(found, self.least, self.largest)

    def add_broken(self, values: Vector) -> bool:
        """Note limits, ramps and reserves that the values break; return whether there are any."""
        output = self.output_mw(values)
        new = broken(self.instance, output, self.flows)
        self.flows = self.flows.and_(new)
        room = np.minimum(self.most_reserve, self.largest - output)
        lacking = self.instance.reserve_mw - room.sum(axis=1)
        hours = {int(hour) for hour in np.flatnonzero(lacking > _SHORT_MW)} - self.reserved
        ramps = self._broken_ramps(output) - self.ramps
        self.reserved |= hours
        self.ramps |= ramps
        return bool(len(new) or hours or ramps)

    def result(self, values: Vector, dual: Vector, time_s: float) -> Dispatch:
        """Return the dispatch of the values and the duals."""
        instance, output = self.instance, self.output_mw(values)
        energy = dual[: instance.hours]
        reserve_price = np.zeros(instance.hours)
        reserve_price[sorted(self.reserved)] = dual[self.rows[1] : self.rows[2]]
        flow_price = dual[self.rows[3] : self.rows[4]]
        flow_price = self.flows.limiting(np.where(np.abs(flow_price) > _PRICE, flow_price, 0.0))
        injection = -instance.case.demand_mw
        np.add.at(injection.T, instance.network.units.bus, output.T)
        lmp = energy[:, np.newaxis] + self.flows.at_buses(flow_price, instance.hours)
        lmp[:, ~instance.network.buses.in_service] = np.nan
        reserve = np.minimum(self.most_reserve, self.largest - output)
        bound = np.flatnonzero(flow_price)
        hints = Hints(self.flows.at(bound), frozenset(self.ramps), frozenset(self.reserved))
        return Dispatch(
            status=Status.OPTIMAL,
            output_mw=output,
            reserve_mw=np.where(instance.reserve_mw[:, np.newaxis] > 0.0, reserve, 0.0),
            cost=self._cost(output),
            energy=energy,
            reserve_price=reserve_price,
            flows=self.flows,
            flow_mw=self.flows.flow_mw(injection),
            flow_price=flow_price,
            lmp=lmp,
            branches=len(instance.network.branches.ids),
            hints=hints,
            time_s=time_s,
        )

    def nothing(self, status: Status, time_s: float) -> Dispatch:
        """Return what is left where there is no dispatch: the limits and ramps that were looked at."""
        shape, buses = self.running.shape, len(self.instance.network.buses.ids)
        gap, hours, rows = np.full(shape, np.nan), np.full(shape[0], np.nan), np.full(len(self.flows), np.nan)
        hints = Hints(self.flows, frozenset(self.ramps), frozenset(self.reserved))
        lmp = np.full((shape[0], buses), np.nan)
        return Dispatch(status, gap, gap, np.inf, hours, hours, self.flows, rows, rows, lmp, 0, hints, time_s)

    def _cost(self, output_mw: Matrix) -> float:
        instance, fleet, chosen = self.instance, self.instance.fleet, self.instance.committed
        running = np.where(self.running, cost_at(instance, output_mw), 0.0).sum()
        starts, stops = self.start.sum(axis=0), self.stop.sum(axis=0)
        return float(running + fleet.startup_cost[chosen] @ starts + fleet.shutdown_cost[chosen] @ stops)

    def _balance(self, width: int) -> tuple[csr_array, Vector, Vector]:
        hours, count = self.instance.hours, len(self.hour)
        right = self.instance.case.demand_mw.sum(axis=1) - self.fixed.sum(axis=1)
        return _sparse(np.ones(count), self.hour, np.arange(count), (hours, width)), right, right

    def _reserve(self, hours: Integers, width: int) -> tuple[csr_array, Vector, Vector]:
        first, count = len(self.hour), len(self.reserve_hour)
        row = np.searchsorted(hours, self.reserve_hour)
        matrix = _sparse(np.ones(count), row, first + np.arange(count), (len(hours), width))
        return matrix, self.instance.reserve_mw[hours], np.full(len(hours), np.inf)

    def _room(self, width: int) -> tuple[csr_array, Vector, Vector]:
        """Return output plus reserve at most the largest output, in hours with reserve."""
        first, count = len(self.hour), len(self.reserve_hour)
        number = np.full(self.running.shape, -1)
        number[self.reserve_hour, self.reserve_unit] = np.arange(count)
        row = number[self.hour, self.unit]
        used = np.flatnonzero(row >= 0)
        rows = np.concatenate([row[used], np.arange(count)])
        matrix = _sparse(np.ones(len(rows)), rows, np.concatenate([used, first + np.arange(count)]), (count, width))
        room = (self.largest - self.fixed)[self.reserve_hour, self.reserve_unit]
        return matrix, np.full(count, -np.inf), room

    def _flow(self, width: int) -> tuple[csr_array, Vector, Vector]:
        flows, instance = self.flows, self.instance
        injection = -instance.case.demand_mw
        np.add.at(injection.T, instance.network.units.bus, self.fixed.T)
        already = flows.flow_mw(injection)
        by_hour = [np.flatnonzero(self.hour == hour) for hour in range(instance.hours)]
        rows, columns, values = [], [], []
        for row, hour in enumerate(flows.hour.tolist()):
            own = by_hour[hour]
            rows.append(np.full(len(own), row))
            columns.append(own)
            values.append(flows.factor[row, instance.network.units.bus[self.unit[own]]])
        matrix = csr_array((0, width))
        if rows:
            joined = (np.concatenate(values), np.concatenate(rows), np.concatenate(columns))
            matrix = _sparse(*joined, (len(flows), width))
        return matrix, flows.lower_mw - already, flows.upper_mw - already

    def _ramp_rows(self, width: int) -> tuple[csr_array, Vector, Vector]:
        rows, columns, values, upper = [], [], [], []
        for row, (hour, unit, upwards) in enumerate(sorted(self.ramps)):
            sign = 1.0 if upwards else -1.0
            right = self._allowed(hour, unit, upwards=upwards)
            for at, weight in ((hour, sign), (hour - 1, -sign)):
                if at < 0:
                    right -= weight * self._initial_mw(unit)
                    continue
                own = np.flatnonzero((self.hour == at) & (self.unit == unit))
                rows += [row] * len(own)
                columns += own.tolist()
                values += [weight] * len(own)
                right -= weight * float(self.fixed[at, unit])
            upper.append(right)
        matrix = _sparse(np.array(values), np.array(rows, int), np.array(columns, int), (len(upper), width))
        return matrix, np.full(len(upper), -np.inf), np.array(upper)

    def _allowed(self, hour: int, unit: int, *, upwards: bool) -> float:
        fleet, now = self.instance.fleet, bool(self.running[hour, unit])
        before = bool(self.running[hour - 1, unit]) if hour else self._was_on(unit)
        steady = now and before
        if not (now or before):
            return 0.0
        if steady:
            return float(fleet.ramp_mw[unit])
        return float(fleet.edge_mw[unit]) if now == upwards else 0.0

    def _was_on(self, unit: int) -> bool:
        initial = self.instance.initial
        return bool(initial.on[unit]) if initial is not None else True

    def _initial_mw(self, unit: int) -> float:
        initial = self.instance.initial
        return float(initial.output_mw[unit]) if initial is not None else 0.0

    def _broken_ramps(self, output_mw: Matrix) -> set[tuple[int, int, bool]]:
        instance, fleet = self.instance, self.instance.fleet
        first = 1 if instance.initial is None else 0
        before_mw, before = output_mw[:-1], self.running[:-1]
        if instance.initial is not None:
            before_mw = np.concatenate([instance.initial.output_mw[np.newaxis], before_mw])
            before = np.concatenate([instance.initial.on[np.newaxis], before])
        now = self.running[first:]
        change = output_mw[first:] - before_mw
        up = np.where(before, fleet.ramp_mw, fleet.edge_mw)
        down = np.where(now, fleet.ramp_mw, fleet.edge_mw)
        found = set()
        for upwards, over in ((True, (change > up + _SHORT_MW) & now), (False, (-change > down + _SHORT_MW) & before)):
            hour, unit = np.nonzero(over)
            found |= {(int(t) + first, int(g), upwards) for t, g in zip(hour, unit, strict=True)}
        return found


def with_flows(hints: Hints, flows: FlowRows) -> Hints:
    """Return the hints with other limits on flows."""
    return replace(hints, flows=flows)


def _pairs(hours: Integers, most: Matrix) -> tuple[Integers, Integers]:
    """Return hour and unit (R,) of every unit that can give reserve in these hours."""
    place, unit = np.nonzero(most[hours] > 0.0)
    return hours[place], unit.astype(np.intp)


def _sparse(value: Vector, row: Integers, column: Integers, shape: tuple[int, int]) -> csr_array:
    return csr_array(coo_array((value, (row, column)), shape=shape))
