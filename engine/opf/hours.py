"""The dispatch of many hours: the same least-cost problem as :mod:`engine.opf.dc_opf`, a few milliseconds each.

Hours without congestion need no solver: their optimum is the merit order, found for a block of hours at once
from the sorted points of the supply curve. Hours whose merit order exceeds a limit (of a branch, of an interface,
or after an outage) go to one kept program with lazy limits. No hour is dropped: what could not be supplied or kept
is reported hour by hour. Hours do not depend on each other, so :func:`hour_blocks` and :func:`joined` split a year
over processes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise

import numpy as np

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.opf.costs import CostColumns
from engine.opf.dc_opf import BALANCE_TOLERANCE_MW, DispatchOptions, factors_for, limits_of
from engine.opf.lazy import LazyDispatch
from engine.program import SOLVER

Progress = Callable[[int, int], None]

_BLOCK = 128  # hours at a time: their supply curves stay in the processor's cache
_LAST_RESORT_PER_MWH = 1e5  # price of an excess where limits are hard but cannot all be kept


@dataclass(frozen=True, slots=True, eq=False)
class DispatchSeries:
    """T hours. An hour in ``short_hours`` has no dispatch that meets its load within all limits."""

    dispatch_mw: Matrix  # (T, G), zero for a unit out of service
    cost_per_h: Vector  # (T,), of the units
    energy_per_mwh: Vector  # (T,), the price at the slack of the factors
    congested: Flags  # (T,), a limit on flows shaped the dispatch
    unserved_mw: Vector  # (T,), load beyond what units can generate; shed in proportion at all buses with load
    surplus_mw: Vector  # (T,), least output beyond the load; given up in proportion by the units that must run
    over_limit_mw: Vector  # (T,), total excess over limits of branches and interfaces, and after outages
    worst_branch: Integers  # (T,), position of the branch with the largest excess, after outages too, -1 for none
    time_s: float
    solver: str = field(default=SOLVER)

    @property
    def short_hours(self) -> Integers:
        """Return the positions of the hours that cannot be supplied within all limits."""
        short = (self.unserved_mw > 0.0) | (self.surplus_mw > 0.0) | (self.over_limit_mw > 0.0)
        return np.flatnonzero(short)


def dispatch_hours(  # noqa: PLR0913 (each of these replaces or adds one thing, and all but two are by name)
    network: Network,
    load_mw: Matrix,
    p_max_mw: Matrix | None = None,
    *,
    p_min_mw: Matrix | None = None,
    options: DispatchOptions | None = None,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> DispatchSeries:
    """Return the least-cost dispatch for the loads (T, B), hour by hour, without ramps or commitment.

    ``p_max_mw`` and ``p_min_mw`` are (T, G) or (G,) and replace the units' limits; a least output above the
    largest one is lowered to it. Shunts are added to the loads. ``progress(done, total)`` may raise
    CancelledError. Where limits are hard and cannot be kept, the hour is solved with a price on their
    excess of 100,000 $/MWh and reported. Among equal linear costs the choice of units is arbitrary.
    Raises QuestionError on a wrong shape, NetworkDataError naming units whose cost is not convex, and
    SolverError if the solver stops without an answer.
    """
    start = time.perf_counter()
    used = factors_for(network, factors)
    series = _Hours(used, options or DispatchOptions(), _Limits.of(network, load_mw, p_max_mw, p_min_mw))
    total = len(series.given.demand)
    for first in range(0, total, _BLOCK):
        block = slice(first, min(first + _BLOCK, total))
        congested = series.merit_order(block)
        for hour in congested.tolist():
            series.congested_hour(hour)
            if progress is not None:
                progress(hour, total)
        if progress is not None:
            progress(block.stop, total)
    return series.result(time.perf_counter() - start)


def hour_blocks(hours: int, blocks: int) -> list[slice]:
    """Return at most ``blocks`` slices of about equal length that cover ``hours`` in order."""
    edges = np.linspace(0, hours, min(blocks, max(hours, 1)) + 1).round().astype(int).tolist()
    return [slice(first, last) for first, last in pairwise(edges) if last > first]


def joined(parts: Sequence[DispatchSeries]) -> DispatchSeries:
    """Return one series of the parts in order; its time is the sum of theirs."""
    arrays = {
        name.name: np.concatenate([getattr(part, name.name) for part in parts])
        for name in fields(DispatchSeries)
        if name.name not in {"time_s", "solver"}
    }
    return DispatchSeries(**arrays, time_s=sum(part.time_s for part in parts), solver=parts[0].solver)


@dataclass(frozen=True, slots=True, eq=False)
class _Limits:
    """What is given for every hour, after shedding and giving up what cannot be balanced."""

    demand: Matrix  # (T, B)
    p_min: Matrix  # (T, G) or (1, G)
    p_max: Matrix  # (T, G) or (1, G)
    unserved: Vector  # (T,)
    surplus: Vector  # (T,)

    @classmethod
    def of(cls, network: Network, load: Matrix, p_max: Matrix | None, p_min: Matrix | None) -> "_Limits":
        units, buses = network.units, network.buses
        given = np.asarray(load, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(buses.ids) or np.isnan(given).any():
            raise QuestionError(f"hourly loads need {len(buses.ids)} columns, one per bus, without gaps")
        high = _hourly("largest output", units.p_max_mw if p_max is None else p_max, len(given), len(units.ids))
        low = _hourly("least output", units.p_min_mw if p_min is None else p_min, len(given), len(units.ids))
        high = np.where(units.in_service, high, 0.0)
        low = np.where(units.in_service, np.minimum(low, high), 0.0)
        demand = np.where(buses.in_service, given + buses.shunt_mw, 0.0)
        return cls(demand, low, high, np.zeros(len(given)), np.zeros(len(given)))

    def balanced(self) -> "_Limits":
        """Return the hours with load shed, or least outputs given up, where generation cannot match load."""
        total = self.demand.sum(axis=1)
        unserved = total - self.p_max.sum(axis=1)
        unserved = np.where(unserved > BALANCE_TOLERANCE_MW, unserved, 0.0)
        drawn = np.maximum(self.demand, 0.0)
        shed = np.divide(unserved, drawn.sum(axis=1), out=np.zeros(len(total)), where=unserved > 0.0)
        surplus = self.p_min.sum(axis=1) - total
        surplus = np.where(surplus > BALANCE_TOLERANCE_MW, surplus, 0.0)
        p_min = self.p_min
        if surplus.any():
            must = np.maximum(p_min, 0.0)
            given_up = np.divide(surplus, must.sum(axis=-1), out=np.zeros(len(total)), where=surplus > 0.0)
            p_min = p_min - given_up[:, np.newaxis] * must
        return _Limits(self.demand - shed[:, np.newaxis] * drawn, p_min, self.p_max, unserved, surplus)

    def unit_limits(self, hours: slice) -> tuple[Matrix, Matrix]:
        """Return the least and largest outputs (h, G) of some hours."""
        count = len(self.demand[hours])
        low, high = (part[hours] if len(part) > 1 else part for part in (self.p_min, self.p_max))
        shape = (count, low.shape[1])
        return np.broadcast_to(low, shape), np.broadcast_to(high, shape)


def _hourly(what: str, given: Matrix, hours: int, size: int) -> Matrix:
    array = np.atleast_2d(np.asarray(given, dtype=np.float64))
    if array.shape not in {(hours, size), (1, size)} or np.isnan(array).any():
        raise QuestionError(f"the {what} needs {size} columns, one per unit, for one or all of {hours} hours")
    return array


class _Hours:
    """The results being filled in, and the program kept from one congested hour to the next."""

    def __init__(self, factors: Factors, options: DispatchOptions, given: _Limits) -> None:
        if options.ignore_p_min:
            none = np.minimum(given.p_min, 0.0)
            given = _Limits(given.demand, none, given.p_max, given.unserved, given.surplus)
        self.factors = factors
        self.given = given.balanced()
        self.columns = CostColumns.of(factors.network)
        self.limits = limits_of(factors, options)
        self._hard = options.branch_penalty_per_mwh is None
        self._kept = LazyDispatch(factors, self.columns, self.limits, penalty_per_mwh=options.branch_penalty_per_mwh)
        self._last_resort: LazyDispatch | None = None
        hours = len(self.given.demand)
        self.dispatch = np.zeros((hours, len(factors.network.units.ids)))
        self.cost, self.energy, self.over = np.zeros(hours), np.zeros(hours), np.zeros(hours)
        self.congested = np.zeros(hours, dtype=np.bool_)
        self.worst = np.full(hours, -1, dtype=np.intp)

    def merit_order(self, hours: slice) -> Integers:
        """Dispatch a block without branch limits; return the hours (positions) in which it does not hold."""
        given, columns = self.given, self.columns
        demand = given.demand[hours]
        low, high = columns.bounds(*given.unit_limits(hours))
        values, price, unsolved = merit_order(columns, low, high, demand.sum(axis=1) - columns.base_mw.sum())
        self.dispatch[hours] = columns.output_mw(values)
        self.cost[hours] = columns.cost_per_h(values)
        self.energy[hours] = price
        generation = np.zeros((demand.shape[1], len(demand)))
        np.add.at(generation, self.factors.network.units.bus, self.dispatch[hours].T)
        over = self._over(self.factors.flows(generation - demand.T))
        return np.flatnonzero(over | unsolved) + int(hours.start)

    def _over(self, flow_mw: Matrix) -> Flags:
        """Return in which hours the flows (L, h) exceed a limit."""
        over = np.zeros(flow_mw.shape[1], dtype=np.bool_)
        held = self.limits
        for limits, flow in ((held.branches, flow_mw), (held.interfaces, held.weights @ flow_mw)):
            over |= (limits.excess_mw(flow) > limits.tolerance_mw()[:, np.newaxis]).any(axis=0)
        if held.outages is not None:
            for hour in np.flatnonzero(~over).tolist():
                over[hour] = not held.holds(flow_mw[:, hour])
        return over

    def congested_hour(self, hour: int) -> None:
        """Dispatch one hour with branch limits, in place of its merit order."""
        given = self.given
        low, high = (part[0] for part in given.unit_limits(slice(hour, hour + 1)))
        found = self._kept.solve(given.demand[hour], low, high)
        if found is None:
            if self._last_resort is None:
                self._last_resort = LazyDispatch(
                    self.factors, self.columns, self.limits, penalty_per_mwh=_LAST_RESORT_PER_MWH
                )
            found = self._last_resort.solve(given.demand[hour], low, high)
        if found is None:
            raise QuestionError(f"hour {hour}: no dispatch meets the load within the limits of the units")
        self.dispatch[hour] = self.columns.output_mw(found.values)
        self.cost[hour] = self.columns.cost_per_h(found.values)
        self.energy[hour] = found.energy_per_mwh
        self.congested[hour] = bool(np.abs(found.rows.price_per_mwh).max(initial=0.0) > 0.0)
        over = found.over
        self.over[hour] = found.rows.excess_mw[over].sum()
        over = over[found.rows.monitored[over] < len(found.flow_mw)]
        if over.size:
            self.worst[hour] = int(found.rows.monitored[over[np.argmax(found.rows.excess_mw[over])]])

    def result(self, time_s: float) -> DispatchSeries:
        """Return what has been filled in."""
        return DispatchSeries(
            dispatch_mw=self.dispatch,
            cost_per_h=self.cost,
            energy_per_mwh=self.energy,
            congested=self.congested,
            unserved_mw=self.given.unserved,
            surplus_mw=self.given.surplus,
            over_limit_mw=self.over,
            worst_branch=self.worst,
            time_s=time_s,
        )


def merit_order(columns: CostColumns, lower: Matrix, upper: Matrix, total: Vector) -> tuple[Matrix, Vector, Flags]:
    """Return the values (T, C), the price (T,), and the hours (T,) left unsolved, of dispatch without branches.

    The supply curve of an hour rises along a line while a quadratic cost is inside its bounds, and jumps at a
    linear one; its corners are sorted and summed up to the ``total`` (T,) to be met.
    """
    curved = columns.quadratic > 0.0
    steep = np.where(curved, 1.0 / np.where(curved, columns.quadratic, 1.0), 0.0)  # MW per $/MWh
    corner = np.concatenate(
        [columns.slope + columns.quadratic * lower, columns.slope[curved] + (columns.quadratic * upper)[:, curved]],
        axis=1,
    )
    jump = np.concatenate([np.where(curved, 0.0, upper - lower), np.zeros((len(total), int(curved.sum())))], axis=1)
    turn = np.concatenate([steep, -steep[curved]])
    order = np.argsort(corner, axis=1)
    corner = np.take_along_axis(corner, order, axis=1)
    jump = np.take_along_axis(jump, order, axis=1)
    rise = np.cumsum(turn[order], axis=1)
    along = np.zeros_like(corner)
    along[:, 1:] = rise[:, :-1] * np.diff(corner, axis=1)
    before = lower.sum(axis=1)[:, np.newaxis] + np.cumsum(along, axis=1)
    before[:, 1:] += np.cumsum(jump[:, :-1], axis=1)
    after = before + jump
    place = np.minimum((after < total[:, np.newaxis]).sum(axis=1), corner.shape[1] - 1)
    hours = np.arange(len(total))
    missing = np.maximum(before[hours, place] - total, 0.0)  # met before the corner: go back along the line
    slope_before = rise[hours, np.maximum(place - 1, 0)]
    back = np.divide(missing, slope_before, out=np.zeros_like(missing), where=slope_before > 0.0)
    price = corner[hours, place] - back
    values = _at_price(columns, steep, lower, upper, price)
    return _settled(columns, (lower, upper, values), price, total)


def _at_price(columns: CostColumns, steep: Vector, lower: Matrix, upper: Matrix, price: Vector) -> Matrix:
    """Return the values (T, C) that units choose at the prices (T,); a linear cost at its price stays low."""
    offered = np.where(
        columns.quadratic > 0.0,
        (price[:, np.newaxis] - columns.slope) * steep,
        np.where(price[:, np.newaxis] > columns.slope, np.inf, -np.inf),
    )
    return np.asarray(np.clip(offered, lower, upper))


def _settled(
    columns: CostColumns, box: tuple[Matrix, Matrix, Matrix], price: Vector, total: Vector
) -> tuple[Matrix, Vector, Flags]:
    """Share what is missing to ``total`` among the columns at the margin, in proportion to what they have left."""
    lower, upper, values = box
    linear = (columns.quadratic == 0.0) & (price[:, np.newaxis] == columns.slope)
    left = np.where(linear, upper - values, 0.0)
    missing = total - values.sum(axis=1)
    room = left.sum(axis=1)
    share = np.divide(missing, room, out=np.zeros_like(missing), where=room > 0.0)
    values = np.clip(values + np.clip(share, 0.0, 1.0)[:, np.newaxis] * left, lower, upper)
    # What sums of a thousand corners lose to rounding goes to the units between their bounds, where it moves
    # the price by the same rounding.
    missing = total - values.sum(axis=1)
    inside = np.where((columns.quadratic > 0.0) & (values > lower) & (values < upper), 1.0, 0.0)
    weight = (
        inside / np.where(inside.any(axis=1), (inside / _positive(columns.quadratic)).sum(axis=1), 1.0)[:, np.newaxis]
    )
    values = np.clip(values + missing[:, np.newaxis] * weight / _positive(columns.quadratic), lower, upper)
    unsolved = np.abs(total - values.sum(axis=1)) > BALANCE_TOLERANCE_MW
    return values, price, unsolved


def _positive(values: Vector) -> Vector:
    return np.where(values > 0.0, values, 1.0)
