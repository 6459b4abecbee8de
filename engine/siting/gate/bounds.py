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
Place = Integers | int | slice | tuple[int, Integers]  # of a candidate, or of it and some cases


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

    def failed(self, bus: Place, level_mw: float | Vector) -> Flags:
        """Return in which cases a level certainly breaks a limit, (N,) or (n, N)."""
        return (level_mw > self.reach_most[bus] + HAIR_MW) | (level_mw < self.reach_least[bus] - HAIR_MW)

    def passed(self, bus: Place, level_mw: float | Vector) -> Flags:
        """Return in which cases a level certainly keeps every limit, (N,) or (n, N)."""
        return (level_mw <= self.sure_most[bus] + HAIR_MW) & (level_mw >= self.sure_least[bus] - HAIR_MW)

    def open(self, bus: Place, level_mw: float | Vector) -> Flags:
        """Return in which cases a level is not decided, (N,) or (n, N)."""
        return ~self.failed(bus, level_mw) & ~self.passed(bus, level_mw)

    def highest_open(self, bus: int, levels_mw: Vector, cases: Integers | slice = slice(None)) -> Integers:
        """Return the place (n,) of the highest level, of rising ones, that is not decided in each case; -1 for none."""
        least, most = self.reach_least[bus, cases] - HAIR_MW, self.reach_most[bus, cases] + HAIR_MW
        top = np.searchsorted(levels_mw, most, side="right") - 1
        first = np.searchsorted(levels_mw, least, side="left")
        sure_first = np.searchsorted(levels_mw, self.sure_least[bus, cases] - HAIR_MW, side="left")
        sure_top = np.searchsorted(levels_mw, self.sure_most[bus, cases] + HAIR_MW, side="right") - 1
        inside = (sure_first <= top) & (top <= sure_top)
        found = np.where(inside, sure_first - 1, top)
        return np.where(found >= first, found, -1)

    def verdicts(self, levels_mw: Vector) -> npt.NDArray[np.int8]:
        """Return (V, C, N): 1 passed, 0 failed, -1 not decided. A dispatch counts for more than a ray."""
        found = np.full((len(levels_mw), *self.reach_most.shape), UNKNOWN, dtype=np.int8)
        for place, level in enumerate(levels_mw.tolist()):
            found[place][self.failed(slice(None), level)] = FAILED
            found[place][self.passed(slice(None), level)] = PASSED
        return found

    def serve(self, bus: int, cases: Integers | Flags, load_mw: float | Vector) -> None:
        """Note that a load, one or that of each, is served in some cases."""
        self.sure_least[bus, cases] = np.minimum(self.sure_least[bus, cases], load_mw)
        self.sure_most[bus, cases] = np.maximum(self.sure_most[bus, cases], load_mw)

    def cut(self, hour: GateHour, ray: Ray, buses: Integers, cases: Integers) -> None:
        """Note what a ray proves of some candidates in some cases."""
        least, most = carry(hour, ray, cases).bounds(hour, buses)
        at = np.ix_(buses, cases)
        self.reach_least[at] = np.maximum(self.reach_least[at], least)
        self.reach_most[at] = np.minimum(self.reach_most[at], most)
