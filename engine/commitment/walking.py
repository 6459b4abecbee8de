"""Another schedule as good as the first, by steps: a few units at a time take another day that is nearly as good.

Where a day is so large that no integer program ends in its time, this finds one all the same. A step draws units by lot
and for each a day of its menu (:mod:`engine.commitment.menu`), dispatches what comes of it exactly, and is taken if the
schedule costs no more than it may; else the next step is of half as many units.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.commitment.bound import Prices
from engine.commitment.hourly import Hourly
from engine.commitment.instance import Instance
from engine.commitment.menu import MOST_HOURS, Menu
from engine.commitment.ramps import RampPrices
from engine.commitment.sced import Dispatch
from engine.network.model import Flags, Integers
from engine.program import Status

_WIDTH = 0.1  # of what a schedule may cost more: how much worse than its unit's best a day may be
_AT_ONCE = 8  # units of the first step
_STEPS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Where steps can go from the schedules of an instance."""

    instance: Instance
    menu: Menu
    movable: Integers  # units with two days or more

    @classmethod
    def of(cls, instance: Instance, prices: Prices, room: float) -> Self | None:
        """Return the steps that suit ``room`` $ at the prices of the relaxation; None where no unit has two days."""
        if instance.hours > MOST_HOURS or not len(instance.committed):
            return None
        menu = Menu.of(instance, Hourly.of(instance, replace(prices, ramps=RampPrices.none())), _WIDTH * room)
        unit, count = np.unique(menu.unit, return_counts=True)
        movable = unit[count > 1]
        return cls(instance, menu, movable) if movable.size else None

    def another(
        self, on: Flags, *, most: float, seed: int, dispatched: Callable[[Flags], Dispatch], time_limit_s: float
    ) -> tuple[Flags, Dispatch] | None:
        """Return a schedule (T, N) that costs at most ``most`` $ and its dispatch; None where no step could be taken.

        ``on`` is where the walk begins; ``seed`` is the lot.
        """
        rng, count, end = np.random.default_rng(seed), _AT_ONCE, time.perf_counter() + time_limit_s
        found: tuple[Flags, Dispatch] | None = None
        for _ in range(_STEPS):
            if time.perf_counter() > end:
                break
            now = on if found is None else found[0]
            more = now.copy()
            for n in rng.choice(self.movable, min(count, len(self.movable)), replace=False).tolist():
                more[:, n] = self.menu.on[rng.choice(np.flatnonzero(self.menu.unit == n))]
            if np.array_equal(more, now):
                continue
            answer = dispatched(more)
            if answer.status is Status.OPTIMAL and answer.cost <= most:
                found = more, answer
            else:
                count = max(1, count // 2)
        return None if found is None or np.array_equal(found[0], on) else found
