"""The worst load on a limit over a set of states given by ranges: a box, or a box of which few ends are met at once.

Source: Bertsimas and Sim, "The price of robustness", Operations Research 52(1), 2004 (the budget of uncertainty; the
worst case of a linear row is its sum of the largest deviations, so no program is needed).
"""

from dataclasses import dataclass

import numpy as np

from engine.capacity.rows import RowSet, factor_rows
from engine.capacity.uncertainty import Box
from engine.network.factors import Factors
from engine.network.model import Matrix, Vector

_BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """Net demand within a box, with at most ``budget`` buses at an end at once, counted in parts; None: any number."""

    box: Box
    budget: float | None = None

    @property
    def middle_mw(self) -> Vector:
        """Return the (B,) centre of the box."""
        middle: Vector = (self.box.upper_mw + self.box.lower_mw) / 2
        return middle

    @property
    def half_mw(self) -> Vector:
        """Return the (B,) half of each range."""
        half: Vector = (self.box.upper_mw - self.box.lower_mw) / 2
        return half

    def reach_mw(self, factors: Matrix) -> Vector:
        """Return the (n,) most that the ranges add to the load at the centre, for factors (n, B)."""
        return self._most(np.abs(factors) * self.half_mw)

    def worst_mw(self, factors: Factors, rows: RowSet) -> Vector:
        """Return the (R,) largest existing load of every row."""
        centre = factors.flows(-self.middle_mw)
        reach = np.empty(len(rows.branches))
        for start in range(0, len(reach), _BLOCK_ROWS):
            block = rows.branches[start : start + _BLOCK_ROWS]
            reach[start : start + _BLOCK_ROWS] = self.reach_mw(factors.rows(block))
        own = self._most(self.half_mw[rows.buses][:, np.newaxis])
        sums = self.reach_mw(factor_rows(factors, rows.sums))
        base = rows.loads(self.middle_mw[:, np.newaxis], centre[:, np.newaxis])[:, 0]
        worst: Vector = base + np.concatenate([own, reach, reach, sums])
        return worst

    def _most(self, deviations: Matrix) -> Vector:
        """Return the (n,) largest sum of ``budget`` of the deviations (n, B), the last one in part."""
        count = deviations.shape[1]
        if self.budget is None or self.budget >= count:
            whole: Vector = deviations.sum(axis=1)
            return whole
        full = int(self.budget)
        largest = -np.partition(-deviations, full, axis=1)[:, : full + 1]
        weight = np.ones(full + 1)
        weight[full] = self.budget - full
        ordered = -np.sort(-largest, axis=1)
        most: Vector = ordered @ weight
        return most
