"""Better bounds from the relaxation: all schedules are divided, and each part has prices of its own.

The schedules are those in which a unit is on in an hour and those in which it is off; then the part with the lowest
bound is divided again. The bound of a part is by weak duality from its own prices, so the lowest one holds for all
schedules, whatever the solver did.
"""

import time
from dataclasses import dataclass, field

import numpy as np

from engine.commitment.bound import Prices, lower_bound
from engine.commitment.relaxation import Relaxation, Relaxed
from engine.errors import SolverError
from engine.network.model import Flags, Matrix

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The schedules in which some units are held on and others off (T, N)."""

    bound: float  # $
    on: Flags  # (T, N)
    off: Flags  # (T, N)
    running: Matrix  # (T, N), what the relaxation of the part runs, 0 to 1
    prices: Prices


@dataclass(slots=True, eq=False)
class Branching:
    """The parts of the schedules of one relaxation, whose bound is ``bound``."""

    relaxation: Relaxation
    relaxed: Relaxed
    bound: float
    end: float  # of the time, as time.perf_counter counts
    parts: list[Part] = field(init=False)
    gain: Matrix = field(init=False)  # (T, N), $, how much holding a unit in an hour has raised the bound so far

    def __post_init__(self) -> None:
        none = np.zeros(self.relaxed.on.shape, dtype=np.bool_)
        self.parts = [Part(self.bound, none, none, self.relaxed.on, self.relaxed.prices)]
        self.gain = np.zeros(none.shape)

    def lift(self, wanted: float, divisions: int) -> float:
        """Return the bound of all schedules, raised towards ``wanted`` by so many ``divisions`` at most."""
        try:
            for _ in range(divisions):
                lowest = min(self.parts, key=lambda part: part.bound)
                part = np.minimum(lowest.running, 1.0 - lowest.running)
                if lowest.bound >= wanted or not (part > _WHOLE).any() or time.perf_counter() >= self.end:
                    break
                children = self._divided(lowest, part)
                if children is None:
                    break
                self.parts.remove(lowest)
                self.parts += children
        finally:
            self._free()
        return min(part.bound for part in self.parts)

    def _divided(self, lowest: Part, part: Matrix) -> list[Part] | None:
        """Return both halves of a part, divided where that has raised bounds most; None if time runs out."""
        fractional = part > _WHOLE
        score = np.where(fractional, self.gain + part, -1.0)
        hour, unit = (int(at) for at in np.unravel_index(int(np.argmax(score)), score.shape))
        children = []
        for running in (False, True):
            on, off = lowest.on.copy(), lowest.off.copy()
            (on if running else off)[hour, unit] = True
            next_on, prices = lowest.running.copy(), lowest.prices
            next_on[hour, unit] = running
            self.relaxation.pin(on, off)
            try:
                found = self.relaxation.solve(time_limit_s=max(self.end - time.perf_counter(), 0.0))
            except SolverError:  # least hours leave the part empty, it seems: prices of the whole bound it as well
                pass
            else:
                if found is None:
                    return None
                next_on, prices = found.on, found.prices
            pinned = self.relaxation.instance.pinned
            held = {"on": pinned["on"] | on, "off": pinned["off"] | off}
            value = lower_bound(self.relaxation.instance, prices, held).value
            children.append(Part(max(lowest.bound, value), on, off, next_on, prices))
        self.gain[:, unit] = max(min(child.bound for child in children) - lowest.bound, 0.0)
        return children

    def _free(self) -> None:
        none = np.zeros(self.relaxed.on.shape, dtype=np.bool_)
        self.relaxation.pin(none, none)
