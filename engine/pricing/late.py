"""Work that its hub can still do in time: what forecasts put off may turn out to be more than is left of the day.

What is there already and no power of the hub does by its deadline is due one period later, or by the end of the day is
left undone; both count as missed. Of what is only forecast, as much is planned as fits beside what is there.
"""

from dataclasses import replace

import numpy as np

from engine.network.model import Vector
from engine.pricing.hubs import Work

_LEAST = 1e-9  # MWh: less is rounding


def in_time(work: Work, periods: int, step_h: float) -> tuple[Work, float]:
    """Return the work of ``periods`` to come as far as it can be done, and the MWh missed now or for good.

    The first arrival is there, the others are forecast; ``work`` itself where nothing has to give.
    """
    most = work.most_mw * step_h
    due = np.zeros(periods)
    before = work.before_mwh[:periods]
    due[: len(before)] += before
    due[-1] += sum(work.before_mwh[periods:])
    due[min(work.deadline, periods) - 1] += work.arrivals_mw[0] * step_h
    known, missed = _put_off(due, most)
    arrivals = np.asarray(work.arrivals_mw[:periods]) * step_h
    planned = _that_fit(known, arrivals, most, work.deadline)
    if missed <= _LEAST and np.array_equal(known, due) and (planned >= arrivals[1:] - _LEAST).all():
        return work, 0.0
    return replace(work, before_mwh=tuple(known.tolist()), arrivals_mw=(0.0, *(planned / step_h).tolist())), missed


def _put_off(due: Vector, most: float) -> tuple[Vector, float]:
    """Return MWh due by the end of each period (T,) that can be done, and what is missed now or never done."""
    known, missed, beyond = due.copy(), 0.0, 0.0
    for t in range(len(known)):
        known[t] += beyond
        beyond = max(float(known[: t + 1].sum()) - most * (t + 1), 0.0)
        if beyond <= _LEAST:
            beyond = 0.0
        known[t] -= beyond
        if t == 0 or t == len(known) - 1:
            missed += beyond
    return known, missed


def _that_fit(known: Vector, arrivals: Vector, most: float, deadline: int) -> Vector:
    """Return forecasts (T - 1,), MWh, as far as they fit beside known work, which is there already and goes first."""
    done = np.diff(np.minimum(np.arange(len(known) + 1) * most, known.sum()))
    free = most - done
    planned = np.zeros(len(known) - 1)
    for t in range(1, len(known)):
        left = float(arrivals[t])
        for at in range(t, min(t + deadline, len(known))):
            taken = min(free[at], left)
            free[at] -= taken
            left -= taken
        planned[t - 1] = arrivals[t] - left
    return planned
