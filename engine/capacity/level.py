"""One level's allocation problem, and what an answer to it holds."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.network.model import Integers, Matrix, Vector

TIGHT_MW = 1e-6  # room that counts as none
BROKEN_MW = 1e-7  # a row broken by more is brought in: a tenth of what a promise may exceed a limit by
_HAIR_MW = 1e-9  # above what sums of thousands of MW are rounded by


def margin_above(factors: Matrix, margin_mw: Vector, floor_mw: Vector) -> Vector:
    """Return the (R,) margins with a hair of room where the floor (K,) fills a row to within rounding.

    Else a site whose factor is as small as the rounding would be left a range that ends below its floor.
    """
    used = factors @ floor_mw
    full = (np.abs(margin_mw - used) <= BROKEN_MW) & (used > 0.0)
    return np.where(full, np.maximum(margin_mw, used + _HAIR_MW), margin_mw)


@dataclass(frozen=True, slots=True, eq=False)
class LevelProgram:
    """Largest allocation within ``factors @ mw <= margin_mw`` and ``floor_mw <= mw <= demand_mw``."""

    factors: Matrix  # (R, K)
    margin_mw: Vector  # (R,), not negative
    floor_mw: Vector  # (K,), itself within every row
    demand_mw: Vector  # (K,), positive

    def reduced(self) -> tuple[Self, Integers]:
        """Return the program with only the rows that full demand would break, and their positions."""
        kept = np.flatnonzero(np.maximum(self.factors, 0.0) @ self.demand_mw > self.margin_mw)
        return type(self)(self.factors[kept], self.margin_mw[kept], self.floor_mw, self.demand_mw), kept

    def start_rows(self) -> Integers:
        """Return for each candidate the row that would stop it first if it were alone."""
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(self.factors > 0, self.margin_mw[:, np.newaxis] / self.factors, np.inf)
        return np.unique(room.argmin(axis=0)) if len(room) else np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """An allocation, the rows that stop it, and the proof that it is one."""

    mw: Vector  # (K,)
    rows: Integers  # (m,), the rows with a price, in rising order
    dual: Vector  # (m,), objective gained per MW of margin, 0 for the lexicographic objective
    gain: Vector | None  # (m,), MW of total per MW of margin; None where it is not unique
    objective: float
    status: str
    gap: float  # relative, from the independent check where the objective has one
    solver: str
    checks: dict[str, float]
    used_rows: Integers  # every row that was brought in: a start for the next program
