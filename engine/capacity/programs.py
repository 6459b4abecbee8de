"""The small programs behind an allocation: few variables, rows brought in only when they would be broken.

Variables are MW at the candidates (K,). A row says: withdrawal factors times MW is at most the margin.
Objectives: least total of unserved shares (a linear program), of their squares (a quadratic one), or the
lexicographic max-min of served shares. Where a linear optimum is not unique, the one of lexicographically
fairest shares among the optima is taken, so that every solver and every machine gives the same answer.

Source of the repeated linear programs: Ogryczak, Luss, Pióro, Nace and Tomaszewski, "Fair optimization and
networks: a survey", J. Applied Mathematics, 2014.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.capacity.level import BROKEN_MW, TIGHT_MW, LevelProgram, Optimum
from engine.capacity.nearest import SOLVER as NEAREST
from engine.capacity.nearest import nearest_point
from engine.capacity.question import Objective, TieRule
from engine.capacity.together import lexicographic, raise_together
from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.program import SOLVER, Certificate, LazyProgram, LinearProgram, Solution, Status, certificate

DUAL_ZERO = 1e-7  # of costs that are scaled to about one
_NOT_A_LIMIT = -1
_MOST_NEW_ROWS = 200  # at a time: a hundred rows decide nearly every case


def solve_level(
    problem: LevelProgram, objective: Objective, tie_rule: TieRule, warm: Integers | None = None
) -> Optimum:
    """Return the allocation of one level. ``warm`` names rows to begin with.

    Raises SolverError when the solver stops without an optimum.
    """
    small, kept = problem.reduced()
    begin = small.start_rows()
    if warm is not None:
        begin = np.union1d(begin, np.flatnonzero(np.isin(kept, warm)))
    if objective == "lex_max_min" and (small.factors >= 0).all():
        found = raise_together(small)
    elif objective == "lex_max_min":
        found = _lexicographic_alone(small, begin)
    else:
        found = _solve_squares(small, begin) if objective == "sum_sq_ratio" else _solve_ratios(small, tie_rule, begin)
    checks = {**found.checks, "most_over_margin_mw": _most_over(problem, found.mw)}
    return Optimum(
        mw=found.mw,
        rows=kept[found.rows],
        dual=found.dual,
        gain=found.gain,
        objective=found.objective,
        status=found.status,
        gap=found.gap,
        solver=found.solver,
        checks=checks,
        used_rows=kept[found.used_rows],
    )


def most_total(problem: LevelProgram, warm: Integers | None = None) -> Vector:
    """Return an allocation (K,) of the largest total that the rows allow, whoever gets it."""
    small, kept = problem.reduced()
    begin = small.start_rows()
    if warm is not None:
        begin = np.union1d(begin, np.flatnonzero(np.isin(kept, warm)))
    lazy = _Rows(small, begin, -np.ones(len(small.demand_mw)))
    return lazy.solve().x


class _Rows:
    """A kept program over the candidates, with the rows brought in so far."""

    def __init__(self, problem: LevelProgram, begin: Integers, cost: Vector) -> None:
        self.problem = problem
        self.rows = begin  # of each row of the kept program, the row of ``problem`` that it is
        self.lazy = LazyProgram(
            LinearProgram(
                cost=cost,
                matrix=csr_array(problem.factors[begin]),
                row_lower=np.full(len(begin), -np.inf),
                row_upper=problem.margin_mw[begin],
                lower=problem.floor_mw,
                upper=problem.demand_mw,
            )
        )

    def solve(self) -> Solution:
        """Return the optimum over all rows."""
        while True:
            solution = self.lazy.solve().optimum()
            over = self.problem.factors @ solution.x - self.problem.margin_mw
            over[self.rows[self.rows != _NOT_A_LIMIT]] = 0.0
            broken = np.flatnonzero(over > BROKEN_MW)
            if not broken.size:
                return solution
            worst = broken[np.argsort(-over[broken], kind="stable")[:_MOST_NEW_ROWS]]
            self.lazy.add_rows(self.problem.factors[worst], np.full(len(worst), -np.inf), self.problem.margin_mw[worst])
            self.rows = np.concatenate([self.rows, worst])


def _solve_ratios(problem: LevelProgram, tie_rule: TieRule, begin: Integers) -> Optimum:
    """Return the least total of unserved shares."""
    demand = problem.demand_mw
    scale = float(np.median(demand))  # costs of about one, whatever the demands: the solver's tolerances are absolute
    lazy = _Rows(problem, begin, -scale / demand)
    solution = lazy.solve()
    proof = certificate(lazy.lazy.program, solution)
    price = np.maximum(-solution.row_dual, 0.0)
    size = np.abs(problem.factors[lazy.rows]).max(axis=1, initial=0.0)
    priced = np.flatnonzero(price * size > DUAL_ZERO)
    mw = np.clip(_unique(problem, solution, lazy.rows, priced, tie_rule), problem.floor_mw, demand)
    order = priced[np.argsort(lazy.rows[priced], kind="stable")]
    binding = lazy.rows[order]
    inner = _between(problem, mw)
    return Optimum(
        mw=mw,
        rows=binding,
        dual=price[order] / scale,
        gain=_gain(problem.factors[np.ix_(binding, inner)], None),
        objective=float(((demand - mw) / demand).sum()),
        status=str(solution.status),
        gap=proof.relative_gap,
        solver=SOLVER,
        checks=_checks(proof),
        used_rows=lazy.rows,
    )


def _solve_squares(problem: LevelProgram, begin: Integers) -> Optimum:
    """Return the least total of squared unserved shares: the served shares nearest to one for everybody."""
    demand, rows = problem.demand_mw, begin
    shares, least = problem.factors * demand, problem.floor_mw / demand
    one = np.eye(len(demand))
    while True:
        bounds = np.concatenate([problem.margin_mw[rows], np.ones(len(demand)), -least])
        share, price = nearest_point(np.vstack([shares[rows], one, -one]), bounds, np.ones(len(demand)))
        over = shares @ share - problem.margin_mw
        over[rows] = 0.0
        broken = np.flatnonzero(over > BROKEN_MW)
        if not broken.size:
            break
        rows = np.concatenate([rows, broken[np.argsort(-over[broken], kind="stable")[:_MOST_NEW_ROWS]]])
    count = len(rows)
    slope = 2.0 * (price[count + len(demand) :] - price[count : count + len(demand)])
    solution, program = _as_solution(problem, rows, share, -2.0 * price[:count], slope)
    priced = np.flatnonzero(price[:count] * np.abs(shares[rows]).max(axis=1, initial=0.0) > DUAL_ZERO)
    order = priced[np.argsort(rows[priced], kind="stable")]
    mw = np.clip(share * demand, problem.floor_mw, demand)
    inner = _between(problem, mw)
    proof = certificate(program, solution)
    return Optimum(
        mw=mw,
        rows=rows[order],
        dual=2.0 * price[order],
        gain=_gain(problem.factors[np.ix_(rows[order], inner)], 2.0 / demand[inner] ** 2),
        objective=float(((1.0 - share) ** 2).sum()),
        status=str(solution.status),
        gap=proof.relative_gap,
        solver=NEAREST,
        checks=_checks(proof),
        used_rows=rows,
    )


def _as_solution(
    problem: LevelProgram, rows: Integers, share: Vector, row_dual: Vector, reduced_cost: Vector
) -> tuple[Solution, LinearProgram]:
    """Return the shares as the solution of a quadratic program, so that the one optimality check judges them."""
    count = len(share)
    program = LinearProgram(
        cost=np.full(count, -2.0),
        matrix=csr_array(problem.factors[rows] * problem.demand_mw),
        row_lower=np.full(len(rows), -np.inf),
        row_upper=problem.margin_mw[rows],
        lower=problem.floor_mw / problem.demand_mw,
        upper=np.ones(count),
        quadratic=np.full(count, 2.0),
        offset=float(count),
    )
    value = program.objective(share)
    solution = Solution(Status.OPTIMAL, share, row_dual, reduced_cost, value, 0.0, 0.0, NEAREST)
    return solution, program


def _between(problem: LevelProgram, mw: Vector) -> Integers:
    """Return the candidates that stand neither at their floor nor at their demand."""
    return np.flatnonzero((mw > problem.floor_mw + TIGHT_MW) & (mw < problem.demand_mw - TIGHT_MW))


def _gain(tight: Matrix, curvature: Vector | None) -> Vector | None:
    """Return the (m,) MW of total per MW of each priced row, for its (m, f) factors at the f sites between bounds.

    Linear: the rows that stay tight fix how the total moves if the vector of ones lies in their span.
    Quadratic: the optimum moves along the least curved direction that keeps the rows tight.
    """
    if not len(tight):
        return np.zeros(0)
    if np.linalg.matrix_rank(tight) < len(tight):
        return None
    ones = np.ones(tight.shape[1])
    if curvature is not None:
        bent = tight / curvature
        return np.asarray(np.linalg.solve(bent @ tight.T, bent @ ones), dtype=np.float64)
    gain = np.asarray(np.linalg.lstsq(tight.T, ones, rcond=None)[0], dtype=np.float64)
    return gain if np.abs(tight.T @ gain - ones).max() < 1e-7 else None


def _unique(problem: LevelProgram, solution: Solution, rows: Integers, priced: Integers, tie_rule: TieRule) -> Vector:
    """Return the one optimum (K,) that the tie rule picks.

    By complementary slackness the optima are the feasible points that keep every priced row tight and every
    variable with a reduced cost at its bound, so the objective needs no row and no tolerance of its own.
    """
    free = np.abs(solution.reduced_cost) <= DUAL_ZERO
    tight = rows[priced]
    fixed = problem.factors[np.ix_(tight, np.flatnonzero(free))]
    if not free.any() or np.linalg.matrix_rank(fixed) >= int(free.sum()):
        return solution.x
    face = _Face(problem, solution.x, free, tight)
    return face.fairest(rows) if tie_rule == "lex_max_min" else face.least_squares(rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """The feasible points that keep ``tight`` rows tight and all but the ``free`` candidates at ``mw``."""

    problem: LevelProgram
    mw: Vector  # (K,)
    free: Flags  # (K,)
    tight: Integers

    def least_squares(self, rows: Integers) -> Vector:
        """Return the point with the least sum of squared MW."""
        mw, count = self.mw.copy(), int(self.free.sum())
        small, lower, upper = self._over(self.free)
        one, scale = np.eye(count), float(np.median(small.demand_mw))
        matrix = np.vstack([small.factors[rows], -small.factors[self.tight], one, -one])
        while True:
            ends = [upper[rows], -lower[self.tight], small.demand_mw, -small.floor_mw]
            point = nearest_point(matrix * scale, np.concatenate(ends), np.zeros(count))[0] * scale
            over = small.factors @ point - upper
            over[rows] = 0.0
            broken = np.flatnonzero(over > BROKEN_MW)
            if not broken.size:
                mw[self.free] = point
                return mw
            rows = np.concatenate([rows, broken])
            matrix = np.vstack([small.factors[rows], -small.factors[self.tight], one, -one])

    def fairest(self, rows: Integers) -> Vector:
        """Return the point of lexicographically largest sorted shares, by repeated linear programs."""
        mw, open_ = self.mw.copy(), self.free.copy()
        while open_.any():
            mw, stopped = self._raise(mw, open_, rows)
            open_ &= ~stopped
            left = self.problem.factors[np.ix_(self.tight, np.flatnonzero(open_))]
            if len(self.tight) and np.linalg.matrix_rank(left) >= int(open_.sum()):
                break  # the rows that stay tight decide the rest
        return mw

    def _raise(self, mw: Vector, open_: Flags, rows: Integers) -> tuple[Vector, Flags]:
        """Return the point whose least share among ``open_`` is largest, and which of them can rise no further."""
        problem, place = self.problem, np.flatnonzero(open_)
        count = len(place)
        small, lower, upper = self._over(open_, mw)
        demand = problem.demand_mw[place]
        wide = LevelProgram(
            np.hstack([small.factors, np.zeros((len(small.factors), 1))]),
            upper,
            np.append(small.floor_mw, 0.0),
            np.append(demand, 1.0),
        )
        lazy = _Rows(wide, rows, np.append(np.zeros(count), -1.0))
        at = np.flatnonzero(np.isin(rows, self.tight))
        lazy.lazy.set_row_bounds(at, lower[rows[at]], upper[rows[at]])
        share = np.hstack([np.diag(1.0 / demand), -np.ones((count, 1))])
        least = lazy.lazy.add_rows(share, np.zeros(count), np.full(count, np.inf))
        lazy.rows = np.concatenate([rows, np.full(count, _NOT_A_LIMIT)])
        solution = lazy.solve()
        level = float(solution.x[-1])
        held = solution.row_dual[least] > DUAL_ZERO
        if not held.any():
            held = solution.x[:-1] / demand <= level + DUAL_ZERO
        if level >= 1.0 - DUAL_ZERO:
            held[:] = True
        found = mw.copy()
        found[place] = solution.x[:-1]
        found[place[held]] = np.clip(level * demand[held], small.floor_mw[held], demand[held])
        stopped = np.zeros_like(open_)
        stopped[place[held]] = True
        return found, stopped

    def _over(self, open_: Flags, mw: Vector | None = None) -> tuple[LevelProgram, Vector, Vector]:
        """Return the program over the open candidates, and the (R,) lower and upper ends of its rows.

        The ends hold the point that is known: what rounding it passes a row by must not leave a stage without any.
        """
        problem, at = self.problem, self.mw if mw is None else mw
        floor, demand = problem.floor_mw[open_], problem.demand_mw[open_]
        factors = problem.factors[:, open_]
        rest = problem.margin_mw - problem.factors[:, ~open_] @ at[~open_]
        known = factors @ np.clip(at[open_], floor, demand)
        upper, lower = np.maximum(rest, known), np.full(len(rest), -np.inf)
        lower[self.tight] = np.minimum(rest, known)[self.tight]
        return LevelProgram(factors, upper, floor, demand), lower, upper


def _lexicographic_alone(problem: LevelProgram, begin: Integers) -> Optimum:
    """Return the lexicographic max-min over signed rows, where raising one site can make room for another."""
    none = np.zeros(0, dtype=np.intp)
    everyone = np.ones(len(problem.demand_mw), dtype=np.bool_)
    mw = _Face(problem, problem.floor_mw.copy(), everyone, none).fairest(begin)
    room = problem.margin_mw - problem.factors @ mw
    rows = np.flatnonzero(room < TIGHT_MW)
    return lexicographic(problem, mw, rows, None, SOLVER)


def _most_over(problem: LevelProgram, mw: Vector) -> float:
    return max(0.0, float((problem.factors @ mw - problem.margin_mw).max(initial=0.0)))


def _checks(proof: Certificate) -> dict[str, float]:
    return {
        "primal_violation": proof.primal_violation,
        "dual_violation": proof.dual_violation,
        "complementarity": proof.complementarity,
        "relative_gap": proof.relative_gap,
    }


def must_be_optimal(found: Optimum, tolerance: float) -> Optimum:
    """Return ``found``. Raises SolverError when one of its checks is above ``tolerance``."""
    failed = {name: value for name, value in found.checks.items() if not value <= tolerance}
    if failed:
        name, value = next(iter(failed.items()))
        raise SolverError(f"an allocation failed its optimality check: {name} is {value:.3g}")
    return found
