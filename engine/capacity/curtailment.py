"""Who is interrupted when limits would be exceeded: the least MW cut, the riskiest products first.

In a state whose limits the sold products would exceed, MW ``y`` are cut from flexible products, never from firm
ones: 0 <= y_p <= size of p, every limit kept with ``c - y``. Of all such cuts the one is taken that cuts the least of
the safest products, then of the next, ..., and so the riskiest first; within a class of equal risk the fewest MW;
and what is still open is shared in proportion to size. Where no cut restores every limit, the least excess that
remains is part of the answer: there the firm part itself is in question.

Most states need no program: if cutting for the worst limit alone mends them all, that cut is the optimum
(a fractional knapsack: the largest factor first). The rest are small linear programs over the rows that matter.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.capacity.nearest import nearest_point
from engine.errors import InfeasibleError
from engine.network.model import Integers, Matrix, Vector
from engine.program import LazyProgram, LinearProgram, Status

TOLERANCE_MW = 1e-6
_GROUP = 1e-9  # factors closer than this are equal
_SLACK = 1e-9  # of a sum that a later stage must not undo, relative
_ROUNDS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """What is cut in each of s states."""

    cut_mw: Matrix  # (s, P)
    left_mw: Vector  # (s,), the largest excess over a limit that no cut takes away; 0 where limits are restored
    programs: int  # states that needed a linear program


class Curtailment:
    """The cuts of one product set: P flexible products with their sizes, risks and factors on R limits."""

    def __init__(self, factors: Matrix, size_mw: Vector, risk: Vector) -> None:
        """``factors`` (R, P): MW on each limit per MW of each product, signed; ``size_mw`` and ``risk`` (P,)."""
        self._factors, self._size, self._risk = factors, size_mw, risk
        self._classes = [np.flatnonzero(risk == level) for level in np.unique(risk)]  # the safest first
        self._program: _Programs | None = None

    def cut(self, excess_mw: Matrix) -> Cuts:
        """Return the cuts for (R, s) MW by which each limit is exceeded with everything drawn, negative for room."""
        count = excess_mw.shape[1]
        cuts, left = np.zeros((count, len(self._size))), np.zeros(count)
        worst = excess_mw.argmax(axis=0)
        for row in np.unique(worst).tolist():
            states = np.flatnonzero(worst == row)
            cuts[states], left[states] = self._for_row(row, excess_mw[row, states])
        open_ = self._over(excess_mw, cuts, left)
        for state in open_.tolist():
            if self._program is None:
                self._program = _Programs(self._factors, self._size, self._classes)
            cuts[state], left[state] = self._program.solve(excess_mw[:, state])
        return Cuts(cuts, left, len(open_))

    def _for_row(self, row: int, excess: Vector) -> tuple[Matrix, Vector]:
        """Return the optimum where ``row`` alone counts, for its (s,) excesses, and the excess that stays."""
        factor = self._factors[row]
        cuts, relieved = np.zeros((len(excess), len(factor))), np.zeros(len(excess))
        for place in reversed(self._classes):  # the riskiest first
            useful = place[factor[place] > _GROUP]
            for group in _alike(useful, factor):
                relief = float(factor[group] @ self._size[group])
                share = np.clip((excess - relieved) / relief, 0.0, 1.0)
                cuts[:, group] = share[:, np.newaxis] * self._size[group]
                relieved += share * relief
        left = np.maximum(excess - relieved, 0.0)
        left[left <= TOLERANCE_MW] = 0.0
        return cuts, left

    def _over(self, excess: Matrix, cuts: Matrix, left: Vector) -> Integers:
        """Return the states in which some limit is exceeded by more than what stays on the worst one."""
        after = excess - self._factors @ cuts.T
        return np.flatnonzero((after > left + TOLERANCE_MW).any(axis=0))


def _alike(products: Integers, factor: Vector) -> list[Integers]:
    """Return products in groups of equal factor, the largest first."""
    order = products[np.argsort(-factor[products], kind="stable")]
    breaks = np.flatnonzero(-np.diff(factor[order]) > _GROUP) + 1
    return [group for group in np.split(order, breaks) if group.size]


class _Programs:
    """Linear programs over the cuts and one excess that stays, with the rows that mattered so far; kept warm."""

    def __init__(self, factors: Matrix, size: Vector, classes: list[Integers]) -> None:
        self._factors, self._size, self._classes = factors, size, classes
        count = len(size)
        sums = np.zeros((len(classes), count + 1))
        for row, place in zip(sums, classes, strict=True):
            row[place] = 1.0
        none = np.full(len(classes), np.inf)
        self._lower, self._upper = np.zeros(count + 1), np.append(size, 0.0)
        self._lazy = LazyProgram(
            LinearProgram(np.zeros(count + 1), csr_array(sums), -none, none, self._lower, self._upper)
        )
        self._rows = np.zeros(0, dtype=np.intp)

    def solve(self, excess: Vector) -> tuple[Vector, float]:
        """Return the cut (P,) and the excess that stays in one state of (R,) excesses."""
        self._bring(np.flatnonzero(excess > TOLERANCE_MW))
        for _ in range(_ROUNDS):
            cut, left = self._stages(excess)
            broken = np.flatnonzero(excess - self._factors @ cut > left + TOLERANCE_MW)
            if not broken.size:
                return cut, left
            self._bring(broken)
        raise InfeasibleError("a cut was not found: limits keep being exceeded")

    def _bring(self, rows: Integers) -> None:
        new = np.setdiff1d(rows, self._rows)
        if new.size:
            block = np.hstack([self._factors[new], np.ones((len(new), 1))])
            self._lazy.add_rows(block, np.full(len(new), -np.inf), np.full(len(new), np.inf))
            self._rows = np.concatenate([self._rows, new])

    def _stages(self, excess: Vector) -> tuple[Vector, float]:
        """Return the optimum over the rows brought in: least excess, least of each class, then in proportion."""
        classes, free = len(self._classes), np.full(len(self._classes), np.inf)
        lazy, places = self._lazy, np.arange(len(self._rows)) + classes
        lazy.set_row_bounds(places, excess[self._rows], np.full(len(places), np.inf))
        lazy.set_row_bounds(np.arange(classes), -free, free)
        left = self._least_excess()
        most = free.copy()
        cut = np.zeros(len(self._size))
        for stage, place in enumerate(self._classes):
            cost = np.zeros(len(self._size) + 1)
            cost[place] = 1.0
            lazy.set_cost(cost)
            cut = np.clip(lazy.solve().optimum().x[:-1], 0.0, self._size)
            total = float(cut[place].sum())
            most[stage] = total + _SLACK * (1.0 + total)
            lazy.set_row_bounds(np.array([stage]), np.array([-np.inf]), most[[stage]])
        return self._in_proportion(cut, excess, left, most), left

    def _least_excess(self) -> float:
        """Return the least excess that must stay on some row, 0 nearly always, and allow no more than that."""
        self._lazy.set_bounds(self._lower, self._upper)
        cost = np.zeros(len(self._upper))
        self._lazy.set_cost(cost)
        if self._lazy.solve().status is Status.OPTIMAL:
            return 0.0
        upper = self._upper.copy()
        upper[-1] = np.inf
        cost[-1] = 1.0
        self._lazy.set_bounds(self._lower, upper)
        self._lazy.set_cost(cost)
        left = float(self._lazy.solve().optimum().x[-1])
        upper[-1] = left + _SLACK * (1.0 + left)
        self._lazy.set_bounds(self._lower, upper)
        return left if left > TOLERANCE_MW else 0.0

    def _in_proportion(self, cut: Vector, excess: Vector, left: float, most: Vector) -> Vector:
        """Return, of all cuts with the least sums of every class, the one with the least sum of squares over sizes."""
        root = np.sqrt(self._size)
        rows = -self._factors[self._rows] * root
        sums = np.array([np.isin(np.arange(len(root)), place) * root for place in self._classes])
        one = np.eye(len(root))
        room = 2.0 * _SLACK * (1.0 + np.abs(excess[self._rows]))
        upper = [left - excess[self._rows] + room, most, root, np.zeros(len(root))]
        try:
            point, _ = nearest_point(np.vstack([rows, sums, one, -one]), np.concatenate(upper), np.zeros(len(root)))
        except InfeasibleError:  # the sums leave no room to share within rounding: the program's cut is the one
            return cut
        return np.clip(point * root, 0.0, self._size)
