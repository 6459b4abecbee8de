"""The operator's hour with its state eliminated: a small convex program of what the data centres draw.

Built by :mod:`engine.distribution.condense`: what remains is what is bought, generated and compensated, and what
limits are exceeded by:

    V(x) = least of  cost'z + z'diag(quadratic)z/2 + offset
           over      equal z = right + drawn x,   rows z <= limit + shift x

for the draws x (J,) of the data centres in MW. V is convex and piecewise quadratic, and its gradient is what a MWh
costs each centre, reactive power included: ``drawn'lam - shift'mu`` of the duals. Multiplying stationarity by z gives

    x' grad V = cost'z + z'diag(quadratic)z - right'lam + limit'mu,

so what the centres pay is linear in duals and z but for one convex term.
Source: Bard, *Practical Bilevel Optimization*, 1998; Fampa et al., "Bilevel optimization applied to strategic pricing
in competitive electricity markets", Comput. Optim. Appl. 39, 2008 (the identity).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from engine.distribution.frames import Integers, Matrix, Vector
from engine.program import LinearProgram, Solution, solve

Flags = npt.NDArray[np.bool_]

_FEW = 64  # columns
_SAME = 1e-9  # a row is kept, and a dual is positive, up to this on rows of unit size


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The operator's optimum at one x."""

    z: Vector  # (K,)
    lam: Vector  # (E,), of the equations, positive where more on the right costs more
    mu: Vector  # (M,), not negative
    value: float  # V(x), $/h
    price: Vector  # (J,), $/MWh of each centre, reactive power included

    def payment(self, x: Vector) -> float:
        """Return what the centres pay, $/h."""
        return float(self.price @ x)


@dataclass(frozen=True, slots=True, eq=False)
class Follower:
    """One hour's program. ``slack`` marks the columns (K,) that only exceed limits; ``names`` are the rows'."""

    cost: Vector  # (K,)
    quadratic: Vector  # (K,)
    equal: Matrix  # (E, K)
    right: Vector  # (E,)
    drawn: Matrix  # (E, J)
    rows: Matrix  # (M, K)
    limit: Vector  # (M,)
    shift: Matrix  # (M, J)
    slack: Flags  # (K,)
    own: Flags  # (M,), which rows are the feeder's limits, which slacks exceed; not devices' limits and signs
    names: tuple[str, ...]  # (M,)
    columns: tuple[str, ...]  # (K,)
    offset: float = 0.0

    def keep(self, names: frozenset[str]) -> "Follower":
        """Return the follower with only those limits of the feeder that are named; devices' own limits stay."""
        kept = ~self.own | np.array([name in names for name in self.names])
        used = (self.rows[kept & self.own] != 0.0).any(axis=0) | ~self.slack
        # The sign row of a slack that no limit uses goes with it.
        kept &= used[np.argmax(self.rows != 0.0, axis=1)] | self.own
        pick = np.flatnonzero(kept)
        return replace(
            self,
            cost=self.cost[used],
            quadratic=self.quadratic[used],
            equal=self.equal[:, used],
            rows=self.rows[np.ix_(pick, used)],
            limit=self.limit[pick],
            shift=self.shift[pick],
            slack=self.slack[used],
            own=self.own[pick],
            names=tuple(self.names[at] for at in pick.tolist()),
            columns=tuple(name for name, on in zip(self.columns, used.tolist(), strict=True) if on),
        )

    def program(self, x: Vector) -> LinearProgram:
        """Return the program at ``x`` (J,)."""
        right = self.right + self.drawn @ x
        count = len(self.limit)
        return LinearProgram(
            cost=self.cost,
            matrix=csr_array(np.vstack([self.equal, self.rows])),
            row_lower=np.concatenate([right, np.full(count, -np.inf)]),
            row_upper=np.concatenate([right, self.limit + self.shift @ x]),
            lower=np.full(len(self.cost), -np.inf),
            upper=np.full(len(self.cost), np.inf),
            quadratic=self.quadratic,
            offset=self.offset,
        )

    def solve(self, x: Vector) -> Answer:
        """Return the optimum at ``x`` (J,), its binding rows solved for exactly. Raises SolverError without one.

        Limits of the feeder enter once they are exceeded; the optimum keeps them all.
        """
        own, names = self.own, frozenset[str]()
        while True:
            small = self.keep(names)
            answer = small._solve_all(x)
            z, mu = self._lifted(small, answer)
            over = np.where(own, self.rows @ z - self.limit - self.shift @ x, -np.inf)
            new = {self.names[at] for at in np.argsort(-over)[:3].tolist() if over[at] > _SAME} - names
            if not new:
                # A slack that no binding limit uses costs its whole price.
                idle = self.slack & ~np.isin(np.array(self.columns), small.columns)
                signs = np.flatnonzero(~own & (self.rows[:, idle] != 0.0).any(axis=1))
                mu[signs] = -(self.rows[signs] @ self.cost)
                return Answer(z, answer.lam, mu, answer.value, answer.price)
            names |= new

    def _lifted(self, small: "Follower", answer: Answer) -> tuple[Vector, Vector]:
        """Return z and mu of ``small`` in the columns and rows of this follower."""
        column = {name: at for at, name in enumerate(self.columns)}
        row = {name: at for at, name in enumerate(self.names)}
        z, mu = np.zeros(len(self.cost)), np.zeros(len(self.limit))
        z[[column[name] for name in small.columns]] = answer.z
        mu[[row[name] for name in small.names]] = answer.mu
        return z, mu

    def _solve_all(self, x: Vector) -> Answer:
        found = solve(self.program(x)).optimum()
        first = len(self.right)
        mu = np.maximum(-found.row_dual[first:], 0.0)
        gap = self.limit + self.shift @ x - self.rows @ found.x
        exact = self.polish(x, np.flatnonzero(mu > gap))
        return exact if exact is not None else self._answer(x, found)

    def polish(self, x: Vector, active: Integers) -> Answer | None:
        """Return the optimum at ``x`` with ``active`` rows binding, or None if they are not the binding ones."""
        maps = self.maps(active)
        if maps is None:
            return None
        z, lam, mu = maps.at(x)
        full = np.zeros(len(self.limit))
        full[active] = mu
        scale = 1.0 + float(np.abs(self.cost).max())
        if (mu < -_SAME * scale).any() or (self.rows @ z - self.limit - self.shift @ x > _SAME).any():
            return None
        full = np.maximum(full, 0.0)
        return Answer(z, lam, full, self.value(z), self.drawn.T @ lam - self.shift.T @ full)

    def maps(self, active: Integers) -> "Maps | None":
        """Return z, lam and mu as affine functions of x while ``active`` rows bind; None if they depend on another.

        A row of one column alone, such as the sign of a slack, gives that column, and the column's own condition gives
        the row's dual: hundreds of them need no place in the system that is solved.
        """
        bound = self.rows[active]
        column = np.argmax(bound != 0.0, axis=1) if len(active) else np.zeros(0, dtype=np.intp)
        lone = np.flatnonzero((bound != 0.0).sum(axis=1) == 1)
        # Few columns are solved faster as they are.
        lone = lone[np.unique(column[lone], return_index=True)[1]] if len(self.cost) > _FEW else lone[:0]
        fixed, others = column[lone], np.setdiff1d(np.arange(len(active)), lone)
        free = np.setdiff1d(np.arange(len(self.cost)), fixed)
        held = np.vstack([self.equal, bound[others]])
        if len(held) > len(free):
            return None
        right = np.column_stack(
            [np.concatenate([self.right, self.limit[active]]), np.vstack([self.drawn, self.shift[active]])]
        )
        at = len(self.right)
        entry = bound[lone, fixed][:, np.newaxis]
        z = np.zeros((len(self.cost), right.shape[1]))
        z[fixed] = right[at + lone] / entry
        sides = np.vstack([right[:at], right[at + others]]) - held[:, fixed] @ z[fixed]
        found = _solved(self.quadratic[free], held[:, free], -self.cost[free], sides)
        if found is None:
            return None
        z[free], dual = found[: len(free)], found[len(free) :]
        mu = np.zeros((len(active), right.shape[1]))
        mu[others] = dual[at:]
        forces = -self.quadratic[fixed][:, np.newaxis] * z[fixed] - held[:, fixed].T @ dual
        forces[:, 0] -= self.cost[fixed]
        mu[lone] = forces / entry
        return Maps(active, z, -dual[:at], mu)

    def value(self, z: Vector) -> float:
        """Return the cost of ``z``, $/h."""
        return float(self.cost @ z + self.quadratic @ (z * z) / 2.0 + self.offset)

    def payment_of(self, answer: Answer) -> float:
        """Return what the centres pay by the identity, without x."""
        square = float(self.quadratic @ (answer.z * answer.z))
        return float(self.cost @ answer.z - self.right @ answer.lam + self.limit @ answer.mu) + square

    def price_range(self, x: Vector, answer: Answer | None = None) -> tuple[Answer, Answer]:
        """Return the optima at ``x`` with the duals that make the centres pay least and most.

        They differ where V has a kink. Raises SolverError if a range has no end.
        """
        at = answer or self.solve(x)
        gap = self.limit + self.shift @ x - self.rows @ at.z
        close = frozenset(self.names[row] for row in np.flatnonzero(self.own & (gap <= 1e-7)).tolist())
        small = self.keep(close)
        if len(small.names) < len(self.names):
            pick = [self.columns.index(name) for name in small.columns]
            value = replace(at, z=at.z[pick], mu=np.zeros(0))
            low, high = small.price_range(x, value)
            ends = [replace(at, lam=e.lam, mu=self._lifted(small, e)[1], price=e.price) for e in (low, high)]
            return ends[0], ends[1]
        near = np.flatnonzero(gap <= 1e-7)
        slope = self.cost + self.quadratic * at.z
        matrix = csr_array(np.hstack([self.equal.T, -self.rows[near].T]))
        room = 1e-10 * (1.0 + np.abs(slope))
        paid = np.concatenate([self.drawn @ x, -(self.shift[near] @ x)])
        lower = np.concatenate([np.full(len(self.right), -np.inf), np.zeros(len(near))])
        ends = []
        for sign in (1.0, -1.0):
            program = LinearProgram(sign * paid, matrix, slope - room, slope + room, lower, np.full(len(paid), np.inf))
            dual = solve(program).optimum().x
            mu = np.zeros(len(self.limit))
            mu[near] = dual[len(self.right) :]
            lam = dual[: len(self.right)]
            ends.append(Answer(at.z, lam, mu, at.value, self.drawn.T @ lam - self.shift.T @ mu))
        return ends[0], ends[1]

    def _answer(self, x: Vector, found: Solution) -> Answer:
        """Return the solver's own answer: at a kink no set of binding rows is the only one."""
        first = len(self.right)
        gap = self.limit + self.shift @ x - self.rows @ found.x
        mu = np.where(-found.row_dual[first:] > gap, np.maximum(-found.row_dual[first:], 0.0), 0.0)
        lam = found.row_dual[:first]
        return Answer(found.x, lam, mu, self.value(found.x), self.drawn.T @ lam - self.shift.T @ mu)


def _solved(quadratic: Vector, held: Matrix, force: Vector, sides: Matrix) -> Matrix | None:
    """Return z and the duals of ``held`` rows (n + r, 1 + J) by optimality; None where the rows depend on another."""
    # Prices are near 1e2, slacks' 1e5 and tie slopes 1e-3: one scale for both halves keeps the digits.
    width, count = len(quadratic), len(held)
    system = np.zeros((width + count,) * 2)
    system[:width, :width] = np.diag(quadratic)
    system[:width, width:] = held.T
    system[width:, :width] = held
    right = np.vstack([np.zeros((width, sides.shape[1])), sides])
    right[:width, 0] = force
    try:
        found: Matrix = np.asarray(np.linalg.solve(system, right), dtype=np.float64)
        found += np.linalg.solve(system, right - system @ found)
    except np.linalg.LinAlgError:
        return None
    return found if np.abs(system @ found - right).max() <= 1e-7 * (1.0 + np.abs(right).max()) else None


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Affine functions of x while the same rows bind: the first column is the constant."""

    active: Integers  # (k,)
    z: Matrix  # (K, 1 + J)
    lam: Matrix  # (E, 1 + J)
    mu: Matrix  # (k, 1 + J)

    def at(self, x: Vector) -> tuple[Vector, Vector, Vector]:
        """Return z, lam and mu at ``x`` (J,)."""
        one = np.concatenate([[1.0], x])
        return self.z @ one, self.lam @ one, self.mu @ one
