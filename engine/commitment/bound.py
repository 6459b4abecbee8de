"""A lower bound on the cost of any schedule, from prices alone: weak duality, unit by unit.

Give any price of energy to each bus and hour, any price of reserve that is not negative, and any price of a limit on a
flow: what all units together lose at best against these prices, plus what load, reserve and limits are worth, is never
above the cost of a schedule. Each unit on its own is solved exactly: its quadratic or piecewise cost, least hours on
and off, starts and stops, what it may produce in the first and last hour. Ramps between other hours have prices too
(:mod:`engine.commitment.ramps`). Nothing here uses a solver, so a bound holds whatever the solver that found the prices
got wrong.

Source: Geoffrion, "Lagrangean relaxation for integer programming", Mathematical Programming Study 2, 1974; for unit
commitment Muckstadt and Koenig, Operations Research 25(3), 1977.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from engine.commitment.instance import Instance
from engine.commitment.lines import FlowRows
from engine.commitment.pieces import cost_at
from engine.commitment.ramps import RampPrices, RampTerms
from engine.network.model import Flags, Matrix, Vector

_NEVER = 1e9  # $: what a state costs that a unit must not be in; more would drown the others in rounding


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What the bound is made from."""

    energy: Vector  # (T,), $/MWh at the slack of the factors
    reserve: Vector  # (T,), $/MW, not negative
    flows: FlowRows  # (k,) limits that have a price
    limit: Vector  # (k,), $/MWh, positive where the lower limit holds, negative for the upper one
    ramps: RampPrices = field(default_factory=RampPrices.none)

    def at_buses(self) -> Matrix:
        """Return (T, B) in $/MWh."""
        return self.energy[:, np.newaxis] + self.flows.at_buses(self.limit, len(self.energy))


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The bound, and what every unit does at these prices."""

    value: float  # $
    units: Vector  # (G,), least cost of each unit less what it earns, $
    flip: Matrix  # (T, N), what it costs a committed unit more to be the other way in an hour, $ (0: no preference)
    on: Flags  # (T, N), how each would be by itself


def lower_bound(instance: Instance, prices: Prices, pinned: Mapping[str, Flags] | None = None) -> Bound:
    """Return the bound at ``prices``; those of reserve count as 0 where negative.

    ``pinned`` says where (T, N) units are held ``on`` or ``off`` in all schedules that the bound is of; left out, that
    is as the instance has it.
    """
    reserve = np.maximum(prices.reserve, 0.0)
    largest, chosen = instance.case.largest_mw, instance.committed
    ramps = prices.ramps.terms(instance)
    price = prices.at_buses()[:, instance.network.units.bus] - ramps.output
    loss = running_loss(instance, price, reserve, largest) + ramps.running
    at_end = running_loss(instance, price, reserve, np.minimum(largest, instance.fleet.edge_mw)) + ramps.running
    end = np.maximum(at_end - loss, 0.0)[:, chosen]
    held = instance.pinned if pinned is None else pinned
    best_on, best_off = _best(_Spells.of(instance, loss[:, chosen], end, held, ramps))
    units = np.where(instance.network.units.in_service, loss.sum(axis=0), 0.0)
    units[chosen] = np.minimum(best_on, best_off)[0] if len(chosen) else 0.0
    case = instance.case
    worth = float((prices.energy * case.demand_mw.sum(axis=1)).sum() + reserve @ instance.reserve_mw)
    worth += prices.flows.worth(prices.limit, case.demand_mw) + ramps.fixed
    return Bound(worth + float(units.sum()), units, np.abs(best_on - best_off), best_on < best_off)


def running_loss(instance: Instance, price: Matrix, reserve: Vector, largest: Matrix) -> Matrix:
    """Return the least loss (T, G), $/h, of units on at ``price`` (T, G), producing at most ``largest`` (T, G)."""
    fleet, curves, least = instance.fleet, instance.curves, instance.case.least_mw
    lower, upper = curves.bounds(least, largest)

    def output(at: Matrix) -> Matrix:
        """Return the outputs (T, G) at which marginal costs meet the prices (T, G)."""
        gap = at[:, curves.unit] - curves.slope
        curved = curves.quadratic > 0.0
        value = np.where(gap > 0.0, upper, lower)
        value[:, curved] = np.clip(gap[:, curved] / curves.quadratic[curved], lower[:, curved], upper[:, curved])
        return np.clip(curves.output_mw(value), least, largest)

    most = np.minimum(fleet.reserve_mw, largest - least)
    free = output(price)  # as long as all its reserve fits above it
    held = np.maximum(output(price - reserve[:, np.newaxis]), largest - most)  # each MW takes one of reserve
    mw = np.where(free <= largest - most, free, held)
    given = np.minimum(most, largest - mw)
    return cost_at(instance, mw) - price * mw - reserve[:, np.newaxis] * given


def _best(spells: "_Spells") -> tuple[Matrix, Matrix]:
    """Return the least cost (T, N) of each committed unit's day if it is on in an hour, and if it is off.

    A day is a chain of spells on and off. ``start[t]`` is the least cost from hour t if a spell on begins there,
    ``stop[t]`` the same for a spell off; ``began`` and ``ended`` are the same up to hour t, exclusive. The least over
    the spells that hold an hour is a running minimum over their first and last hours.
    """
    hours, count = spells.up.shape
    from_on, from_off = spells.forwards()
    to_on, to_off = spells.backwards()
    best = []
    for running, before, after, least, twice in (
        (spells.on, from_on, to_off, spells.up, spells.twice),
        (spells.off, from_off, to_on, spells.down, np.zeros_like(spells.twice)),
    ):
        total = np.full((hours, hours + 1, count), 2.0 * _NEVER)  # first hour, last hour + 1
        for first in range(hours):
            until = np.arange(first + 1, hours + 1)
            long_enough = (until[:, np.newaxis] - first >= least[first]) | (until[:, np.newaxis] == hours)
            value = before[first] + (running[until] - running[first]) + after[until]
            value[0] -= twice[first]
            total[first, first + 1 :] = np.where(long_enough, value, 2.0 * _NEVER)
        held = np.minimum.accumulate(total[:, ::-1], axis=1)[:, ::-1]  # the last hour is at least so late
        held = np.minimum.accumulate(held, axis=0)  # and the first at most so late
        best.append(held[np.arange(hours), np.arange(1, hours + 1)])
    return best[0], best[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Spells:
    """The days of N units as chains of spells."""

    on: Matrix  # (T + 1, N), running sums of the loss while on
    off: Matrix  # (T + 1, N), the same while off: 0, or never
    up: Matrix  # (T, N), least length of a spell on that begins in the hour
    down: Matrix  # (T, N)
    start: Matrix  # (T, N), $, of a spell on that begins in the hour
    stop: Matrix  # (T + 1, N), $, of a spell on that ended before the hour
    twice: Matrix  # (T, N), $, what a spell on of that hour alone is charged twice
    first_on: Vector  # (N,), what it costs to be on in the first hour
    first_off: Vector  # (N,)

    @classmethod
    def of(cls, instance: Instance, loss: Matrix, end: Matrix, pinned: Mapping[str, Flags], ramps: RampTerms) -> Self:
        """Return the spells of units that lose ``loss`` (T, N), $/h, while they are on.

        ``end`` (T, N) is what a unit loses more in the first and in the last hour of a spell on; in a spell of one
        hour it does so once.
        """
        chosen, fleet, initial = instance.committed, instance.fleet, instance.initial
        hours, count = loss.shape
        zero = np.zeros((1, count))
        on = np.concatenate([zero, np.cumsum(np.where(pinned["off"], _NEVER, loss), axis=0)])
        off = np.concatenate([zero, np.cumsum(np.where(pinned["on"], _NEVER, 0.0), axis=0)])
        up = np.tile(fleet.least_up_h[chosen].astype(np.float64), (hours, 1))
        down = np.tile(fleet.least_down_h[chosen].astype(np.float64), (hours, 1))
        start = fleet.startup_cost[chosen] + end + ramps.start[:, chosen]
        stop = np.tile(fleet.shutdown_cost[chosen], (hours + 1, 1))
        stop[1:] += end
        stop[:-1] += ramps.stop[:, chosen]
        twice = end.copy()
        twice[-1] = 0.0  # the day ends, the spell does not
        if initial is None:  # a spell that holds the first hour may be as old as it likes
            up[0] = down[0] = 1
            twice[0] = 0.0
            return cls(on, off, up, down, start, stop, twice, np.zeros(count), np.zeros(count))
        was, since = initial.on[chosen], initial.hours[chosen]
        up[0] = np.where(was, np.maximum(up[0] - since, 1), up[0])
        down[0] = np.where(was, down[0], np.maximum(down[0] - since, 1))
        twice[0] = np.where(was, 0.0, twice[0])
        return cls(on, off, up, down, start, stop, twice, np.where(was, 0.0, start[0]), np.where(was, stop[0], 0.0))

    def backwards(self) -> tuple[Matrix, Matrix]:
        """Return (T + 1, N) twice: the least cost from hour t if a spell on, or off, begins there; its start too."""
        hours = len(self.up)
        to_on, to_off = np.full_like(self.on, _NEVER), np.full_like(self.off, _NEVER)
        to_on[hours] = to_off[hours] = 0.0  # the day is over
        column = np.arange(self.on.shape[1])
        late_on, late_off = np.empty_like(self.on), np.empty_like(self.off)  # least of sums over ends at or after t
        late_on[hours], late_off[hours] = self.on[hours], self.off[hours]
        for t in range(hours - 1, 0, -1):
            until = np.minimum(t + self.up[t].astype(int), hours)
            alone = np.where(self.up[t] <= 1, self.on[t + 1] + to_off[t + 1] - self.twice[t], 2.0 * _NEVER * hours)
            to_on[t] = self.start[t] + np.minimum(late_on[until, column], alone) - self.on[t]
            until = np.minimum(t + self.down[t].astype(int), hours)
            to_off[t] = self.stop[t] + late_off[until, column] - self.off[t]
            late_on[t] = np.minimum(late_on[t + 1], self.on[t] + to_off[t])
            late_off[t] = np.minimum(late_off[t + 1], self.off[t] + to_on[t])
        return to_on, to_off

    def forwards(self) -> tuple[Matrix, Matrix]:
        """Return (T, N) twice: the least cost up to hour t if a spell on, or off, begins there; its start too."""
        from_on, from_off = np.full_like(self.up, _NEVER), np.full_like(self.up, _NEVER)
        from_on[0], from_off[0] = self.first_on, self.first_off
        for t in range(1, len(self.up)):
            first = np.arange(t)[:, np.newaxis]
            before_on = from_on[:t] + (self.on[t] - self.on[:t])
            before_off = from_off[:t] + (self.off[t] - self.off[:t])
            before_on[t - 1] -= self.twice[t - 1]
            from_off[t] = self.stop[t] + np.where(t - first >= self.up[:t], before_on, _NEVER).min(axis=0)
            from_on[t] = self.start[t] + np.where(t - first >= self.down[:t], before_off, _NEVER).min(axis=0)
        return from_on, from_off
