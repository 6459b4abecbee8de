"""Schedules with room: one more unit where an hour has none, as long as the schedule stays within its gap.

A search for the least cost ends at schedules that just suffice. In an hour in which what runs has no room left, the
next MW has no offer: its price is what it takes to find it elsewhere, reserve given up or ramps of other hours, often
fifty times the dearest offer. Whether a schedule has such an hour is chance, and so would be the prices that are told
of it. An operator lets one more unit run. So does this, as long as it finds a unit with which the schedule is still as
good as the gap can tell; else the hour stays as it is. The cost that is told is that of the schedule taken. A search
that ended just within its gap leaves no money for a unit: then the bound may be raised until the cheapest one fits.
"""

from collections.abc import Callable

import numpy as np

from engine.commitment.bound import Prices
from engine.commitment.hourly import Hourly
from engine.commitment.instance import Instance
from engine.commitment.menu import MOST_HOURS, with_hour
from engine.commitment.sced import Dispatch
from engine.network.model import Flags, Integers, Vector
from engine.program import Status

WORDS = "one more unit runs in hours whose mean price is above the dearest offer, if one is found that keeps the gap"
Dispatched = Callable[[Flags], Dispatch | None]  # None when there is no time for another
Raised = Callable[[float], float]  # a cost that one would pay, $: the most that one may, once the bound is raised
_TRIES, _ALL_TRIES = 10, 20  # dispatches of an hour, and of a day
_SAME = 1e-3  # of cost and size: units so near to one that was tried are left out
_ROUNDING = 1e-3  # $/MWh


def dearest_offer(instance: Instance) -> float:
    """Return the highest marginal cost, $/MWh, of a unit in service at the most that it can produce in some hour."""
    case, curves = instance.case, instance.curves
    used = instance.network.units.in_service[curves.unit] & (case.largest_mw.max(axis=0) > 0.0)[curves.unit]
    _, upper = curves.bounds(case.least_mw, case.largest_mw)
    marginal = curves.slope + curves.quadratic * upper.max(axis=0, initial=0.0)
    return float(marginal[used].max(initial=0.0))


def without_room(instance: Instance, found: Dispatch) -> Integers:
    """Return the hours whose mean price over buses is above the dearest offer, the dearest hour first."""
    mean: Vector = np.nanmean(found.lmp, axis=1)
    hours = np.flatnonzero(mean > dearest_offer(instance) + _ROUNDING)
    return np.asarray(hours[np.argsort(-mean[hours], kind="stable")], dtype=np.intp)


def with_room(  # noqa: PLR0913 (a schedule, then by name how far)
    instance: Instance,
    prices: Prices,
    on: Flags,
    found: Dispatch,
    *,
    most: float,
    dispatched: Dispatched,
    raised: Raised | None = None,
) -> tuple[Flags, Dispatch]:
    """Return a schedule (T, N) that costs at most what is allowed and has fewer hours without room, and its dispatch.

    Allowed are ``most`` $, or more where no unit that helps keeps within them: then ``raised`` is asked for the
    cheapest. ``prices`` are those of the relaxation: by them units are tried, those first whose day would cost the
    least more. The schedule itself is returned where no further unit helps at that cost.
    """
    lacking = without_room(instance, found)
    if not lacking.size or instance.hours > MOST_HOURS:
        return on, found
    hourly, left = Hourly.of(instance, prices), _ALL_TRIES
    for hour in lacking.tolist():
        if hour not in without_room(instance, found):
            continue  # a unit that was added for another hour helps in this one too
        dear: tuple[Flags, Dispatch] | None = None
        for more in _additions(instance, hourly, on, hour)[:left]:
            left -= 1
            answer = dispatched(more)
            if answer is None:
                return on, found
            helps = answer.status is Status.OPTIMAL and (
                len(without_room(instance, answer)) < len(without_room(instance, found))
            )
            if helps and answer.cost <= most:
                on, found, dear = more, answer, None
                break
            if helps and (dear is None or answer.cost < dear[1].cost):
                dear = more, answer
        if dear is not None and raised is not None:
            most = max(most, raised(dear[1].cost))
            if dear[1].cost <= most:
                on, found = dear
    return on, found


def _additions(instance: Instance, hourly: Hourly, on: Flags, hour: int) -> list[Flags]:
    """Return schedules in which one unit more runs in an hour, and whenever it did, the cheapest first."""
    largest = instance.case.largest_mw[hour, instance.committed]
    days = []
    for n in np.flatnonzero(~on[hour] & (largest > 0.0)).tolist():
        best = with_hour(instance, hourly, n, on[:, n], hour)
        if best is not None:
            days.append((best[0], float(largest[n]), n, best[1]))
    days.sort(key=lambda day: day[:3])
    found: list[Flags] = []
    seen: list[tuple[float, float]] = []
    for cost, size, n, day in days:
        if len(found) == _TRIES:
            break
        if not any(np.allclose((cost, size), other, rtol=0.0, atol=_SAME) for other in seen):
            seen.append((cost, size))
            more = on.copy()
            more[:, n] = day
            found.append(more)
    return found
