"""Days that units would choose by themselves at given prices, or nearly: what a schedule is put together from.

A day of a unit is one stay on, or one stay off between two on: with these, every unit of a large fleet reaches what it
would do at best. Each day has a price: what the unit loses by it beyond its best day. Days of a small price are the
menu. It is for schedules only: a bound must not be made from it, because other days exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from engine.commitment.hourly import Hourly, ends
from engine.commitment.instance import Instance
from engine.network.model import Flags, Integers, Vector

MOST_HOURS = 48  # of an instance that has menus: the number of days grows with the square of its hours


@dataclass(frozen=True, slots=True, eq=False)
class Menu:
    """K days of committed units, by unit; none of a unit that least hours hold otherwise."""

    unit: Integers  # (K,), place among the N committed units
    on: Flags  # (K, T)
    ends: Flags  # (K, T), where the day is in the first or last hour of a stay on
    extra: Vector  # (K,), $, what the day costs its unit more than its best one; 0 for that

    @classmethod
    def of(cls, instance: Instance, hourly: Hourly, most: float, also: Sequence[Flags] = ()) -> Self:
        """Return the days that cost at most ``most`` $ more than the unit's best, and those of the choices ``also``.

        These (T, N) are dearer days that are known to supply enough together: without them a menu may have no choice
        that does. A day of theirs that breaks least hours is left out.
        """
        days = _days(instance.hours)
        unit, on, extra = [], [], []
        pinned = instance.pinned
        for n in range(len(instance.committed)):
            more = [choice[:, n][np.newaxis] for choice in also]
            own = np.unique(np.concatenate([days, *more]), axis=0) if more else days
            own = own[~((own & pinned["off"][:, n]) | (~own & pinned["on"][:, n])).any(axis=1)]
            cost = _cost(instance, hourly, n, own)
            if not np.isfinite(cost).any():
                continue
            given = np.any([(own == day).all(axis=1) for day in more], axis=0) if more else False
            near = np.flatnonzero((cost - cost.min() <= most) | (given & np.isfinite(cost)))
            unit.append(np.full(len(near), n, dtype=np.intp))
            on.append(own[near])
            extra.append(cost[near] - cost.min())
        units, every = np.concatenate(unit), np.concatenate(on)
        return cls(units, every, ends(instance, every, units), np.concatenate(extra))


def with_hour(instance: Instance, hourly: Hourly, n: int, day: Flags, hour: int) -> tuple[float, Flags] | None:
    """Return what a day (T,) costs unit ``n`` more, $, if it is on in ``hour`` too, and the cheapest such day.

    The new day is on wherever ``day`` is. None if no day of the menus' kinds keeps what least hours ask.
    """
    must = day.copy()
    must[hour] = True
    days, pinned = _days(instance.hours), instance.pinned
    held = (days & pinned["off"][:, n]) | (~days & (pinned["on"][:, n] | must))
    own = days[~held.any(axis=1)]
    cost = _cost(instance, hourly, n, own)
    if not np.isfinite(cost).any():
        return None
    best = int(np.argmin(cost))
    return float(cost[best] - _cost(instance, hourly, n, day[np.newaxis])[0]), own[best]


def corrected(instance: Instance, hourly: Hourly, on: Flags) -> Flags | None:
    """Return a choice (T, N) in which units whose day cannot be have their best one instead; None if one has none."""
    found, days, pinned = on.copy(), _days(instance.hours), instance.pinned
    for n in range(on.shape[1]):
        held = ~((pinned["off"][:, n] & on[:, n]) | (pinned["on"][:, n] & ~on[:, n])).any()
        if not held or not np.isfinite(_cost(instance, hourly, n, on[:, n][np.newaxis])).all():
            allowed = ~((days & pinned["off"][:, n]) | (~days & pinned["on"][:, n])).any(axis=1)
            cost = np.where(allowed, _cost(instance, hourly, n, days), np.inf)
            if not np.isfinite(cost).any():
                return None
            found[:, n] = days[np.argmin(cost)]
    return found


@lru_cache(maxsize=4)
def _days(hours: int) -> Flags:
    """Return (k, T), not to be written to: off all day, every stay on, and every stay off between two on."""
    found = [np.zeros(hours, dtype=np.bool_)]
    for first in range(hours):
        for last in range(first, hours):
            on = np.zeros(hours, dtype=np.bool_)
            on[first : last + 1] = True
            found.append(on)
            if first > 0 and last < hours - 1:
                found.append(~on)
    every = np.array(found)
    every.flags.writeable = False
    return every


def _cost(instance: Instance, hourly: Hourly, n: int, on: Flags) -> Vector:
    """Return (k,) in $ what days (k, T) of a unit cost it, infinite where least hours are broken."""
    fleet, g, initial = instance.fleet, int(instance.committed[n]), instance.initial
    first = on[:, :1] if initial is None else np.full((len(on), 1), initial.on[g])
    before = np.concatenate([first, on[:, :-1]], axis=1)
    start, stop = on & ~before, before & ~on
    cost: Vector = on @ hourly.loss[:, n] + ends(instance, on, np.full(len(on), n)) @ hourly.end[:, n]
    cost = cost + start.sum(axis=1) * fleet.startup_cost[g] + stop.sum(axis=1) * fleet.shutdown_cost[g]
    broken = _broken(on, start, int(fleet.least_up_h[g])) | _broken(~on, stop, int(fleet.least_down_h[g]))
    return np.where(broken, np.inf, cost)


def _broken(state: Flags, begins: Flags, least: int) -> Flags:
    """Return which days (k,) leave a state sooner than ``least`` hours after it begins."""
    found = np.zeros(len(state), dtype=np.bool_)
    for hour in range(state.shape[1] if least > 1 else 0):
        found |= begins[:, hour] & ~state[:, hour : hour + least].all(axis=1)
    return found
