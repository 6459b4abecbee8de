"""What is known of the load that each candidate can take in each case of one hour: intervals that only tighten.

The loads that keep every limit at one bus after one outage are an interval (a projection of a polytope). Dispatches
widen what is certainly inside it, rays narrow what may be. Where the case keeps its limits without any load the
interval begins at zero; where it does not, a load may relieve it, and the interval begins above zero or is empty.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.gate.model import GateHour
from engine.siting.gate.program import HAIR_MW
from engine.siting.gate.rays import Ray, carry

UNKNOWN, FAILED, PASSED = -1, 0, 1


@dataclass(frozen=True, eq=False)
class Intervals:
    """Bounds (C, N) in MW: loads outside [reach_least, reach_most] fail, inside [sure_least, sure_most] pass."""

    reach_least: Matrix
    reach_most: Matrix  # inf for no bound, below zero: nothing is possible
    sure_least: Matrix  # inf where no load is known to pass
    sure_most: Matrix  # -inf there

    @classmethod
    def unknown(cls, candidates: int, cases: int) -> Self:
        """Return that nothing is known."""
        shape = (candidates, cases)
        return cls(np.zeros(shape), np.full(shape, np.inf), np.full(shape, np.inf), np.full(shape, -np.inf))

    def failed(self, bus: Integers | int | slice, level_mw: float) -> Flags:
        """Return in which cases a level certainly breaks a limit, (N,) or (n, N)."""
        return (level_mw > self.reach_most[bus] + HAIR_MW) | (level_mw < self.reach_least[bus] - HAIR_MW)

    def passed(self, bus: Integers | int | slice, level_mw: float) -> Flags:
        """Return in which cases a level certainly keeps every limit, (N,) or (n, N)."""
        return (level_mw <= self.sure_most[bus] + HAIR_MW) & (level_mw >= self.sure_least[bus] - HAIR_MW)

    def open(self, bus: Integers | int | slice, level_mw: float) -> Flags:
        """Return in which cases a level is not decided, (N,) or (n, N)."""
        return ~self.failed(bus, level_mw) & ~self.passed(bus, level_mw)

    def verdicts(self, levels_mw: Vector) -> npt.NDArray[np.int8]:
        """Return (V, C, N): 1 passed, 0 failed, -1 not decided. A dispatch counts for more than a ray."""
        found = np.full((len(levels_mw), *self.reach_most.shape), UNKNOWN, dtype=np.int8)
        for place, level in enumerate(levels_mw.tolist()):
            found[place][self.failed(slice(None), level)] = FAILED
            found[place][self.passed(slice(None), level)] = PASSED
        return found

    def serve(self, bus: int, cases: Integers | Flags, load_mw: float) -> None:
        """Note that a load is served in some cases."""
        self.sure_least[bus, cases] = np.minimum(self.sure_least[bus, cases], load_mw)
        self.sure_most[bus, cases] = np.maximum(self.sure_most[bus, cases], load_mw)

    def cut(self, hour: GateHour, ray: Ray, buses: Integers, cases: Integers) -> None:
        """Note what a ray proves of some candidates in some cases."""
        least, most = carry(hour, ray, cases).bounds(hour, buses)
        at = np.ix_(buses, cases)
        self.reach_least[at] = np.maximum(self.reach_least[at], least)
        self.reach_most[at] = np.minimum(self.reach_most[at], most)
