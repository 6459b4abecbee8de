"""How a hub with rising marginal costs answers prices: the quadratic follower, solved exactly, and its slope.

The program is ``min x'Qx/2 + c'x`` over ``A x = b, l <= x <= u`` with a positive diagonal Q. Given prices y of the
equations, each column is by itself: ``x(y) = clip((A'y - c) / Q, l, u)``, and the dual is concave and smooth with the
gradient ``b - A x(y)``. Newton's method on it has the matrix ``S = A_F Q_F^-1 A_F'`` of the columns F that are free,
which is banded when rows are put in the order of time; where the set F no longer changes it is exact. What is added to
its diagonal shrinks with what equations miss, as far from the end S may be singular (Levenberg and Marquardt). At its
end all conditions of optimality but the equations hold by construction, so their residual says how good an answer is.
Many hubs are answered at once: their bands are one band, and each has a step length of its own. Once half of them are
answered, the others go on by themselves.

Where Newton's method stops short (curvatures near 0) an interior point method gives the prices to begin with again.

Inside one set F the answer is affine in the price: ``dx/dp = -(Q_F^-1 - Q_F^-1 A_F' S^-1 A_F Q_F^-1) E'``.
Sources: Qi and Sun, "A nonsmooth version of Newton's method", Math. Program. 58, 1993; Li, Sun and Toh, "A highly
efficient semismooth Newton augmented Lagrangian method", SIAM J. Optim. 28, 2018 (the diagonal); Fiacco,
*Introduction to Sensitivity and Stability Analysis in Nonlinear Programming*, 1983.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, solveh_banded
from scipy.sparse import block_diag, csc_array, csr_array

from engine.errors import InfeasibleError, SolverError
from engine.interior import solve_interior
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.pricing.program import HubProgram

CERTIFIED = 1e-6  # what an answer's largest violation of an optimality condition may be
_MET = 1e-10  # of an equation, MW or MWh, relative to 1 + the largest right-hand side
_STEPS, _HALVINGS = 200, 30
_DAMPED = 1e-2  # of the largest diagonal entry that there can be, where equations are missed by 1 or more
_LONGER = 4.0  # than the last step, that one tries at first
_AT_ONCE = 128  # hubs whose bands are one
_FEW = 8  # hubs that are not parted any more
_ASCENT = 1e-4  # of what the slope promises, that a step gains at least
_RIDGE = 1e-11  # of the largest diagonal entry: rows whose columns are all at bounds have none of their own


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """The answer of one hub to prices."""

    x: Vector  # (n,)
    dual: Vector  # (m,), of the equations
    free: Flags  # (n,), columns between their bounds
    value: float  # $, the hub's own optimum, curvature and the operator's prices included
    residual: float  # the largest violation of an equation; all other conditions hold


class Follower:
    """One hub's quadratic program, ready to be asked at many prices."""

    def __init__(self, program: HubProgram) -> None:
        self.program = program
        rows = len(program.right)
        per_period = rows // program.periods
        # In the order of time: rows come as (kind, period), and go as (period, kind).
        self.order = np.arange(rows).reshape(per_period, program.periods).T.ravel()
        matrix = csc_array(program.matrix.tocsr()[self.order])
        matrix.sort_indices()
        self.matrix = matrix
        self.right = program.right[self.order]
        self._transposed = matrix.T.tocsr()
        one, other = _pairs(matrix)
        column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
        self.below, self.above = matrix.indices[one], matrix.indices[other]  # rows that share a column, (e,)
        self.of = column[one]  # the column
        self.product = matrix.data[one] * matrix.data[other] / program.curved[self.of]
        self.width = int((self.below - self.above).max(initial=0))
        self.scale = 1.0 + float(np.abs(program.right).max(initial=0.0))

    def respond(self, price: Vector, start: Vector | None = None) -> Response:
        """Return the answer to the operator's prices (T,). ``start`` (m,) are duals that may be near.

        Raises InfeasibleError when the hub has nothing that it may do, SolverError when no answer is certified.
        """
        return Followers((self,)).respond(price[np.newaxis], (start,))[0]

    def slope(self, response: Response) -> Matrix:
        """Return (T, T): how the withdrawal of each period moves with the price of each, MW per $/MWh."""
        return np.asarray(self.program.withdrawn @ self._moved(response.free, self.program.priced.T.toarray()))

    def priced_slope(self, response: Response) -> Matrix:
        """Return (T, T): the same of the MWh that the price is paid for; symmetric, with no eigenvalue above 0."""
        return np.asarray(self.program.priced @ self._moved(response.free, self.program.priced.T.toarray()))

    def adjoint(self, response: Response, weight: Vector) -> Vector:
        """Return (T,): the slope of ``weight' withdrawal`` by the prices, by one system. ``weight`` is (T,)."""
        moved = self._moved(response.free, (self.program.withdrawn.T @ weight)[:, np.newaxis])
        return np.asarray(self.program.priced @ moved[:, 0])

    def _moved(self, free: Flags, by: Matrix) -> Matrix:
        """Return (n, k): how x moves with each column of ``by`` (n, k) added to the costs, the set of free ones kept.

        The map is symmetric: an adjoint is the same with other columns.
        """
        inverse = np.where(free, 1.0 / self.program.curved, 0.0)[:, np.newaxis]
        shifted = -inverse * by
        dual = self._solved(free, self.matrix @ shifted)
        return np.asarray(shifted - inverse * (self._transposed @ dual))

    def _solved(self, free: Flags, right: Matrix) -> Matrix:
        """Return S^-1 times ``right`` (m, k), S of the columns that are free."""
        rows = len(self.right)
        place = (self.below - self.above) * rows + self.above
        band = np.bincount(place, weights=self.product * free[self.of], minlength=(self.width + 1) * rows)
        lower = band.reshape(self.width + 1, rows)
        lower[0] += _RIDGE * max(float(lower[0].max(initial=0.0)), 1.0)
        try:
            found = solveh_banded(lower, right, lower=True, check_finite=False)
        except LinAlgError:
            raise SolverError(f"the equations of hub {self.program.name} have no slope") from None
        return np.asarray(found)


def _pairs(matrix: csc_array) -> tuple[Integers, Integers]:
    """Return the positions (e,), (e,) of each two entries of one column, the one of the later row first."""
    count = np.diff(matrix.indptr)
    each = np.repeat(count, count)  # of each entry, how many share its column
    first = np.repeat(np.arange(matrix.nnz), each)
    begin = np.repeat(np.repeat(matrix.indptr[:-1], count), each)
    second = begin + np.arange(len(first)) - np.repeat(np.cumsum(each) - each, each)
    keep = matrix.indices[first] >= matrix.indices[second]
    return first[keep], second[keep]


class Followers:
    """Hubs that are asked together, some at once."""

    def __init__(self, each: Sequence[Follower]) -> None:
        self.each = tuple(each)
        self._some = [_Together(self.each[at : at + _AT_ONCE]) for at in range(0, len(self.each), _AT_ONCE)]

    def respond(self, price: Matrix, starts: Sequence[Vector | None]) -> tuple[Response, ...]:
        """Return the answers to prices (I, T) of each hub; ``starts`` (I,) are duals that may be near, or None.

        Raises InfeasibleError when a hub has nothing that it may do, SolverError when an answer is not certified.
        """
        found: list[Response] = []
        for own in self._some:
            ends = slice(len(found), len(found) + len(own.own))
            found += own.respond(price[ends], starts[ends])
        return tuple(found)


class _Together:
    """Some hubs, their columns (n,) and rows (m,) one after the other."""

    def __init__(self, own: Sequence[Follower]) -> None:
        self.own = own
        columns, rows = ([each.matrix.shape[k] for each in own] for k in (1, 0))
        self.columns, self.rows = np.cumsum([0, *columns]), np.cumsum([0, *rows])
        self.hub = np.repeat(np.arange(len(own)), rows)  # of each row
        self.matrix = csr_array(block_diag([each.matrix for each in own], format="csr"))
        self.transposed = csr_array(self.matrix.T)
        programs = [each.program for each in own]
        self.lower, self.upper, self.curved = (
            np.concatenate([getattr(each, name) for each in programs]) for name in ("lower", "upper", "curved")
        )
        self.right = np.concatenate([each.right for each in own])
        self.scale = np.array([each.scale for each in own])
        size, width = len(self.right), max(each.width for each in own)
        self.shape = (width + 1, size)
        self.place = np.concatenate(
            [(each.below - each.above) * size + each.above + row for each, row in zip(own, self.rows, strict=False)]
        )
        self.product = np.concatenate([each.product for each in own])
        self.of = np.concatenate([each.of + column for each, column in zip(own, self.columns, strict=False)])
        full = self._band(np.ones(len(self.lower), dtype=np.bool_))[0]
        self.stiff = np.maximum(np.maximum.reduceat(full, self.rows[:-1]), 1.0)  # (I,)

    def respond(self, price: Matrix, starts: Sequence[Vector | None]) -> list[Response]:
        """Return the answers to prices (I, T)."""
        cost = np.concatenate([each.program.cost_at(own) for each, own in zip(self.own, price, strict=True)])
        dual = np.concatenate([
            np.zeros(len(each.order)) if start is None else start[each.order]
            for each, start in zip(self.own, starts, strict=True)
        ])  # fmt: skip
        dual, missed = self.newton(cost, dual)
        x, free = self.at(cost, dual)
        found = []
        for at, each in enumerate(self.own):
            own, row = slice(self.columns[at], self.columns[at + 1]), slice(self.rows[at], self.rows[at + 1])
            if missed[at] > _MET * each.scale:
                found.append(_from_inside(each, cost[own], dual[row], float(missed[at])))
            else:
                found.append(_told(each, cost[own], dual[row], (x[own], free[own]), float(missed[at])))
        return found

    def at(self, cost: Vector, dual: Vector) -> tuple[Vector, Flags]:
        """Return each column's best at prices of the equations, and whether it is between its bounds."""
        wanted = (self.transposed @ dual - cost) / self.curved
        return np.clip(wanted, self.lower, self.upper), (wanted > self.lower) & (wanted < self.upper)

    def newton(self, cost: Vector, dual: Vector) -> tuple[Vector, Vector]:
        """Return prices of the equations, and what each hub (I,) misses by them at most."""
        x, free = self.at(cost, dual)
        missing = self.right - self.matrix @ x
        value = self._value(cost, dual, x)
        stuck, length = np.zeros(len(self.own), dtype=np.bool_), np.ones(len(self.own))
        for _ in range(_STEPS):
            missed = self._most(missing)
            moving = (missed > _MET * self.scale) & ~stuck
            if not moving.any():
                break
            if 2 * int(moving.sum()) <= len(self.own) > _FEW:
                return self._others(cost, dual, moving, missed)
            step = self._step(free, np.where(moving[self.hub], missing, 0.0), missed)
            rise = np.add.reduceat(missing * step, self.rows[:-1])
            length = np.minimum(_LONGER * length, 1.0)  # a step is about as short as the one before
            for _ in range(_HALVINGS):
                tried = dual + length[self.hub] * step
                x, free = self.at(cost, tried)
                reached = self._value(cost, tried, x)
                short = moving & (reached < value + _ASCENT * length * rise - 1e-12 * np.abs(value))
                if not short.any():
                    break
                length[short] /= 2.0
            else:
                stuck |= short
                tried = dual + np.where(short, 0.0, length)[self.hub] * step
                x, free = self.at(cost, tried)
                reached = self._value(cost, tried, x)
            dual, value = tried, reached
            missing = self.right - self.matrix @ x
        return dual, self._most(missing)

    def _others(self, cost: Vector, dual: Vector, moving: Flags, missed: Vector) -> tuple[Vector, Vector]:
        """Return the end of :meth:`newton` where only some hubs (I,) still move: those go on without the rest."""
        chosen = np.flatnonzero(moving)
        columns = np.concatenate([np.arange(self.columns[at], self.columns[at + 1]) for at in chosen])
        rows = np.concatenate([np.arange(self.rows[at], self.rows[at + 1]) for at in chosen])
        ended, after = dual.copy(), missed.copy()
        others = _Together([self.own[at] for at in chosen.tolist()])
        ended[rows], after[chosen] = others.newton(cost[columns], dual[rows])
        return ended, after

    def _most(self, missing: Vector) -> Vector:
        return np.asarray(np.maximum.reduceat(np.abs(missing), self.rows[:-1]))

    def _value(self, cost: Vector, dual: Vector, x: Vector) -> Vector:
        """Return the value (I,) of each hub's dual at prices whose best answer is x."""
        own = np.add.reduceat((cost + self.curved * x / 2.0) * x, self.columns[:-1])
        return np.asarray(own - np.add.reduceat(dual * (self.matrix @ x - self.right), self.rows[:-1]))

    def _band(self, free: Flags) -> Matrix:
        """Return S of the columns that are free, as a band."""
        weights = self.product * free[self.of]
        band = np.bincount(self.place, weights=weights, minlength=self.shape[0] * self.shape[1])
        return band.astype(np.float64, copy=False).reshape(self.shape)

    def _step(self, free: Flags, missing: Vector, missed: Vector) -> Vector:
        band = self._band(free)
        band[0] += (self.stiff * np.maximum(_DAMPED * np.minimum(missed, 1.0), _RIDGE))[self.hub]
        try:
            return np.asarray(solveh_banded(band, missing, lower=True, check_finite=False))
        except LinAlgError:
            names = ", ".join(each.program.name for each in self.own)
            raise SolverError(f"the equations of one of the hubs {names:.200} have no slope") from None


def _told(own: Follower, cost: Vector, dual: Vector, at: tuple[Vector, Flags], missed: float) -> Response:
    x, free = at
    told = np.empty_like(dual)
    told[own.order] = dual
    value = float((cost + own.program.curved * x / 2.0) @ x)
    return Response(x, told, free, value, missed / own.scale)


def _from_inside(own: Follower, cost: Vector, dual: Vector, missed: float) -> Response:
    """Return the answer by an interior point method, and by Newton's method from there."""
    program = own.program
    found = solve_interior(cost, program.curved, program.matrix, (program.right, program.right, program.lower,
                           program.upper), None)  # fmt: skip
    if found.infeasible:
        program.check()
        raise InfeasibleError(f"hub {program.name} has nothing that it may do")
    alone = _Together((own,))
    if np.isfinite(found.row_dual).all():
        better, after = alone.newton(cost, found.row_dual[own.order])
        dual, missed = min(((better, float(after[0])), (dual, missed)), key=lambda end: end[1])
    if missed > CERTIFIED * own.scale:
        raise SolverError(f"the answer of hub {program.name} misses an equation by {missed:.2g}")
    return _told(own, cost, dual, alone.at(cost, dual), missed)
