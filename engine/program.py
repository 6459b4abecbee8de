"""Linear programs and convex quadratic programs with a diagonal: the one seam to a solver, and its judge.

``solve`` and ``LazyProgram`` speak to HiGHS. ``certificate`` shares no code with it: it takes the numbers
that came back and measures how far they are from the Karush-Kuhn-Tucker conditions, in plain arrays.

Signs of the duals: with the Lagrangian ``objective - row_dual (A x)``, a row's dual is the rise of the
minimum per unit of its active bound: positive at a lower bound, negative at an upper bound. The reduced
cost is the same for a variable's own bounds. So ``gradient - A' row_dual - reduced_cost = 0``.
"""

import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, csr_array, hstack, vstack

from engine.errors import SolverError
from engine.interior import SOLVER as INTERIOR
from engine.interior import solve_interior

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
_Model = Any  # highspy.Highs, whose type stubs leave out half of its methods

SOLVER = f"HiGHS {highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"
_CONFIRMED = 1e-7  # what an answer to a quadratic program must reach on every optimality condition
_SIGN_TOLERANCE = 1e-6  # a dual of the wrong sign below this share of the costs is rounding; the certificate shows it


class Status(StrEnum):
    """How a solve ended. Only ``OPTIMAL`` is an optimum; a time limit is never taken for one."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    TIME_LIMIT = "time limit"
    OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """Minimise ``cost'x + x'diag(quadratic)x/2 + offset`` over ``row_lower <= A x <= row_upper, lower <= x <= upper``.

    N variables, M rows; infinite bounds mean none.
    """

    cost: Vector  # (N,)
    matrix: csr_array  # (M, N)
    row_lower: Vector  # (M,)
    row_upper: Vector  # (M,)
    lower: Vector  # (N,)
    upper: Vector  # (N,)
    quadratic: Vector | None = None  # (N,), not negative: twice the coefficient of x squared
    offset: float = 0.0

    def objective(self, x: Vector) -> float:
        """Return the objective at ``x`` (N,)."""
        curved = 0.0 if self.quadratic is None else float(self.quadratic @ (x * x)) / 2.0
        return float(self.cost @ x) + curved + self.offset

    def gradient(self, x: Vector) -> Vector:
        """Return the (N,) slope of the objective at ``x`` (N,)."""
        return self.cost if self.quadratic is None else self.cost + self.quadratic * x


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What came back. Where there is no point or no dual, the arrays hold ``nan`` and the gap is ``inf``."""

    status: Status
    x: Vector  # (N,)
    row_dual: Vector  # (M,)
    reduced_cost: Vector  # (N,)
    objective: float
    gap: float  # (objective - dual bound) / max(1, |objective|)
    time_s: float
    solver: str
    message: str = ""  # the solver's own word for the status

    def optimum(self) -> "Solution":
        """Return this solution. Raises SolverError, with the solver's word, if it is not an optimum."""
        if self.status is not Status.OPTIMAL:
            raise SolverError(f"{self.solver} stopped after {self.time_s:.1f} s without an optimum: {self.message}")
        return self


@dataclass(frozen=True, slots=True)
class Certificate:
    """The largest violations of the optimality conditions, each relative to the size of its own terms."""

    primal_violation: float  # of a bound or a row, over 1 + |that bound|
    dual_violation: float  # of stationarity, or a dual with no bound to carry it, over 1 + the largest cost slope
    complementarity: float  # the largest dual times the distance to its bound, over 1 + |objective|
    relative_gap: float  # |objective - dual bound|, over 1 + |objective|

    def holds(self, tolerance: float) -> bool:
        """Return whether every violation is at most ``tolerance``; ``nan`` never is."""
        worst = (self.primal_violation, self.dual_violation, self.complementarity, self.relative_gap)
        return all(violation <= tolerance for violation in worst)


def solve(
    program: LinearProgram, *, time_limit_s: float | None = None, interior: bool = False, barrier: bool = False
) -> Solution:
    """Return what HiGHS makes of ``program``; an end without an optimum is a status, not an exception.

    ``interior`` asks the interior point method at once, for quadratic programs on which the active-set method stops;
    ``barrier`` HiGHS's own for linear ones, which ends at a vertex.
    """
    start, model = time.perf_counter(), LazyProgram(program)
    if barrier:
        _set_options(model._model, {"solver": "ipm"})
    return (
        model._by_interior_point(_left(time_limit_s, start), start)
        if interior
        else model.solve(time_limit_s=time_limit_s)
    )


def certificate(program: LinearProgram, solution: Solution) -> Certificate:
    """Measure ``solution`` against the optimality conditions of ``program``, whatever its status claims.

    The program is convex, so a point where all four numbers vanish is an optimum. Source: Boyd and
    Vandenberghe, *Convex Optimization*, 2004, section 5.5.3.
    """
    x, activity = solution.x, program.matrix @ solution.x
    values = np.concatenate([x, activity])
    lower = np.concatenate([program.lower, program.row_lower])
    upper = np.concatenate([program.upper, program.row_upper])
    dual = np.concatenate([solution.reduced_cost, solution.row_dual])
    slope = program.gradient(x)
    money = 1.0 + abs(program.objective(x))
    scale = 1.0 + _largest(slope)
    stationary = slope - program.matrix.T @ solution.row_dual - solution.reduced_cost
    bound = np.where(dual > 0.0, lower, upper)
    carried = np.isfinite(bound)
    distance = np.where(carried, values - np.where(carried, bound, 0.0), 0.0)
    return Certificate(
        primal_violation=max(_largest(_beyond(lower - values, lower)), _largest(_beyond(values - upper, upper))),
        dual_violation=max(_largest(stationary), _largest(np.where(carried, 0.0, dual))) / scale,
        complementarity=_largest(dual * distance) / money,
        relative_gap=abs(_gap(program, solution.x, solution.row_dual, solution.reduced_cost)) / money,
    )


class LazyProgram:
    """A model kept in the solver: rows are added when they are found to matter, and each solve starts warm.

    Costs, bounds and right-hand sides may change between solves.
    """

    def __init__(self, program: LinearProgram) -> None:
        self._program = replace(program, matrix=csr_array(program.matrix.shape))
        self._blocks: list[csr_array] = [csr_array(program.matrix)]
        self._columns: dict[int, Vector] = {}  # columns set anew since the blocks were made, rows of then
        self._model: _Model = _new_model(program)

    @property
    def program(self) -> LinearProgram:
        """Return the program as it stands, with every row added so far: what a certificate judges."""
        if len(self._blocks) > 1:
            self._blocks = [csr_array(vstack(self._blocks, format="csr"))]
        if self._columns:
            self._blocks, self._columns = [_with_columns(self._blocks[0], self._columns)], {}
        return replace(self._program, matrix=self._blocks[0])

    @property
    def row_count(self) -> int:
        """Return the number of rows so far."""
        return len(self._program.row_lower)

    def add_rows(self, matrix: csr_array | Vector, lower: Vector, upper: Vector) -> Integers:
        """Add k rows, dense or sparse (k, N), with their bounds (k,), and return their positions (k,)."""
        block = csr_array(matrix)
        first, count = self.row_count, len(lower)
        _pass_rows(self._model, block, lower, upper)
        self._blocks.append(block)
        self._program = replace(
            self._program,
            row_lower=np.concatenate([self._program.row_lower, lower]),
            row_upper=np.concatenate([self._program.row_upper, upper]),
        )
        return np.arange(first, first + count)

    def add_columns(self, cost: Vector, lower: Vector, upper: Vector, matrix: csr_array) -> Integers:
        """Add k variables without quadratic cost, by their (M, k) entries in the rows; return their positions (k,)."""
        entries = csc_array(matrix)
        starts, index = entries.indptr[:-1].astype(np.int32), entries.indices.astype(np.int32)
        self._model.addCols(len(cost), cost, lower, upper, entries.nnz, starts, index, entries.data)
        first, program = len(self._program.cost), self.program
        self._blocks = [csr_array(hstack([program.matrix, entries], format="csr"))]
        curved = program.quadratic
        self._program = replace(
            self._program,
            cost=np.concatenate([program.cost, cost]),
            lower=np.concatenate([program.lower, lower]),
            upper=np.concatenate([program.upper, upper]),
            quadratic=None if curved is None else np.concatenate([curved, np.zeros(len(cost))]),
        )
        _pass_quadratic(self._model, self._program.quadratic)
        return np.arange(first, first + len(cost))

    def set_column(self, column: int, entries: Vector) -> None:
        """Set the entries (M,) of one variable in all rows."""
        for row, entry in enumerate(entries.tolist()):
            self._model.changeCoeff(row, column, entry)
        self._columns[column] = entries.copy()

    def delete_rows(self, rows: Integers) -> None:
        """Remove rows by position; the rows after them move up."""
        keep = np.ones(self.row_count, dtype=np.bool_)
        keep[rows] = False
        self._model.deleteRows(len(rows), np.sort(rows).astype(np.int32))
        self._blocks = [csr_array(self.program.matrix[keep])]
        self._program = replace(
            self._program, row_lower=self._program.row_lower[keep], row_upper=self._program.row_upper[keep]
        )

    def set_bounds(self, lower: Vector, upper: Vector) -> None:
        """Set the bounds (N,) of all variables."""
        self._model.changeColsBounds(len(lower), np.arange(len(lower), dtype=np.int32), lower, upper)
        self._program = replace(self._program, lower=lower.copy(), upper=upper.copy())

    def set_cost(self, cost: Vector, offset: float = 0.0) -> None:
        """Set the linear costs (N,) of all variables, and the constant."""
        self._model.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        self._model.changeObjectiveOffset(offset)
        self._program = replace(self._program, cost=cost.copy(), offset=offset)

    def set_row_bounds(self, rows: Integers, lower: Vector, upper: Vector) -> None:
        """Set the bounds (k,) of the rows (k,)."""
        self._model.changeRowsBounds(len(rows), np.asarray(rows, dtype=np.int32), lower, upper)
        row_lower, row_upper = self._program.row_lower.copy(), self._program.row_upper.copy()
        row_lower[rows], row_upper[rows] = lower, upper
        self._program = replace(self._program, row_lower=row_lower, row_upper=row_upper)

    def basis(self) -> object:
        """Return where the last solve ended, for :meth:`start_from`."""
        found, kept = self._model.getBasis(), highspy.HighsBasis()
        kept.col_status, kept.row_status, kept.valid = found.col_status, found.row_status, found.valid
        return kept

    def start_from(self, basis: object) -> None:
        """Let the next solve start from a basis of as many rows and columns as there are now."""
        self._model.setBasis(basis)

    def solve(self, *, time_limit_s: float | None = None) -> Solution:
        """Solve from where the last solve ended, and again from nothing if that gives no clear answer.

        A quadratic program that the active-set method gives up on goes to an interior point method; the
        solution's ``solver`` says so. ``time_limit_s`` counts for the whole call.
        """
        start = time.perf_counter()
        curved = self._program.quadratic is not None
        if curved:
            most = _ITERATIONS_PER_TERM * (len(self._program.cost) + self.row_count)
            self._model.setOptionValue("qp_iteration_limit", most)
        answer: Any = highspy.HighsModelStatus.kNotset
        for attempt in _CURVED_ATTEMPTS if curved else _ATTEMPTS:
            left = _left(time_limit_s, start)
            if attempt:
                if left <= 0.0:
                    answer = highspy.HighsModelStatus.kTimeLimit
                    break
                self._model.clearSolver()
                _set_options(self._model, attempt)
            # The solver's clock runs on from solve to solve, and its limit counts from the first.
            _set_options(self._model, {"time_limit": max(0.0, left) + self._model.getRunTime()})
            answer = _run(self._model)
            if answer in _STATUS:
                break
        if attempt:
            _set_options(self._model, _DEFAULTS)
        found = self._solution(answer, time.perf_counter() - start)
        if curved and answer != highspy.HighsModelStatus.kTimeLimit and not _credible(self.program, found):
            return self._by_interior_point(_left(time_limit_s, start), start)
        return found

    def _by_interior_point(self, left_s: float, start: float) -> Solution:
        program = self.program
        bounds = (program.row_lower, program.row_upper, program.lower, program.upper)
        curved = np.zeros(len(program.cost)) if program.quadratic is None else program.quadratic
        found = solve_interior(program.cost, curved, program.matrix, bounds, left_s if np.isfinite(left_s) else None)
        point = (found.x, found.row_dual, found.reduced_cost)
        objective = program.objective(found.x)
        gap = abs(_gap(program, *point)) / max(1.0, abs(objective))
        answer = Solution(Status.OPTIMAL, *point, objective, gap, time.perf_counter() - start, INTERIOR, found.word)
        if found.optimal and certificate(program, answer).holds(_CONFIRMED):
            return answer
        status = Status.OTHER
        for said, meant in (
            (found.infeasible, Status.INFEASIBLE),
            (found.unbounded, Status.UNBOUNDED),
            (found.timed_out, Status.TIME_LIMIT),
        ):
            status = meant if said else status
        x, row_dual, reduced_cost = (np.full(len(part), np.nan) for part in point)
        return Solution(status, x, row_dual, reduced_cost, np.nan, np.inf, answer.time_s, INTERIOR, found.word)

    def _solution(self, answer: Any, time_s: float) -> Solution:
        word = self._model.modelStatusToString(answer)
        found = self._model.getSolution()
        status = _STATUS.get(answer, Status.OTHER)
        columns, rows = len(self._program.cost), self.row_count
        has_point = bool(found.value_valid) and status in {Status.OPTIMAL, Status.TIME_LIMIT}
        has_dual = bool(found.dual_valid) and has_point
        x = np.array(found.col_value) if has_point else np.full(columns, np.nan)
        row_dual = np.array(found.row_dual) if has_dual else np.full(rows, np.nan)
        reduced_cost = np.array(found.col_dual) if has_dual else np.full(columns, np.nan)
        objective = self._program.objective(x)
        gap = np.inf
        if has_dual:
            gap = max(0.0, _gap(self._program, x, row_dual, reduced_cost)) / max(1.0, abs(objective))
        return Solution(status, x, row_dual, reduced_cost, objective, gap, time_s, SOLVER, word)


_STATUS: dict[Any, Status] = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
}


def _with_columns(matrix: csr_array, columns: dict[int, Vector]) -> csr_array:
    """Return the matrix (M, N) with the first entries of some columns replaced."""
    found = coo_array(matrix)
    kept = np.ones(found.nnz, dtype=np.bool_)
    for column, entries in columns.items():
        kept &= (found.col != column) | (found.row >= len(entries))
    rows: list[Any] = [found.row[kept], *(np.arange(len(entries)) for entries in columns.values())]
    places: list[Any] = [found.col[kept], *(np.full(len(entries), column) for column, entries in columns.items())]
    data: Vector = np.concatenate([found.data[kept], *columns.values()])
    return csr_array((data, (np.concatenate(rows), np.concatenate(places))), shape=matrix.shape)


def _new_model(program: LinearProgram) -> _Model:
    model: _Model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    _set_options(model, _DEFAULTS | {"small_matrix_value": _SMALLEST_ENTRY})
    count = len(program.cost)
    none = np.zeros(0, dtype=np.int32)
    model.addCols(count, program.cost, program.lower, program.upper, 0, none, none, np.zeros(0))
    model.changeObjectiveOffset(program.offset)
    _pass_rows(model, csr_array(program.matrix), program.row_lower, program.row_upper)
    _pass_quadratic(model, program.quadratic)
    return model


def _pass_quadratic(model: _Model, quadratic: Vector | None) -> None:
    if quadratic is None:
        return
    if not (quadratic >= 0.0).all():
        raise SolverError("a quadratic cost is negative, so the program is not convex")
    curved = np.flatnonzero(quadratic)
    starts = np.searchsorted(curved, np.arange(len(quadratic))).astype(np.int32)
    form = int(highspy.HessianFormat.kTriangular)
    model.passHessian(len(quadratic), len(curved), form, starts, curved.astype(np.int32), quadratic[curved])


def _pass_rows(model: _Model, block: csr_array, lower: Vector, upper: Vector) -> None:
    if len(lower):
        starts, index = block.indptr[:-1].astype(np.int32), block.indices.astype(np.int32)
        status = model.addRows(
            len(lower), np.asarray(lower, float), np.asarray(upper, float), block.nnz, starts, index, block.data
        )
        if status == highspy.HighsStatus.kError:
            raise SolverError("the solver refused a row: a bound or a coefficient is not a number")


def _credible(program: LinearProgram, found: Solution) -> bool:
    """Return whether the active-set method's word may stand: an optimum that the certificate confirms.

    On degenerate programs it has called bounded programs unbounded, so any other word is asked for again.
    """
    return found.status is Status.OPTIMAL and certificate(program, found).holds(_CONFIRMED)


def _left(time_limit_s: float | None, start: float) -> float:
    return np.inf if time_limit_s is None else time_limit_s - (time.perf_counter() - start)


def _set_options(model: _Model, options: dict[str, str | float]) -> None:
    for name, value in options.items():
        model.setOptionValue(name, value)


def _run(model: _Model) -> Any:
    outcome = model.run()
    answer = model.getModelStatus()
    if outcome == highspy.HighsStatus.kError and answer == highspy.HighsModelStatus.kNotset:
        # Some other code in this process has started HiGHS's one thread pool with another number of threads;
        # zero means "whatever there is", and a simplex solve stays serial.
        model.setOptionValue("threads", 0)
        model.run()
        answer = model.getModelStatus()
    return answer


# What to try in turn until the status is clear: warm; from nothing; without presolve, which may leave "infeasible
# or unbounded" open; by another method.
_ATTEMPTS: tuple[dict[str, str | float], ...] = ({}, {"presolve": "choose"}, {"presolve": "off"}, {"solver": "ipm"})
# The active-set method for quadratic programs starts from nothing every time and ignores those options.
_CURVED_ATTEMPTS: tuple[dict[str, str | float], ...] = ({},)
# An optimum takes about one or two iterations per variable. On degenerate corners the method goes round for ever:
# what has taken five is for the interior point method.
_ITERATIONS_PER_TERM = 5
# The solver adds its regularisation to every diagonal entry: at its default, prices are wrong in the sixth digit. At
# its default dual tolerance of 1e-7, costs that differ by a millionth at two buses can pass for equal.
_DEFAULTS: dict[str, str | float] = {
    "presolve": "choose",
    "solver": "choose",
    "qp_regularization_value": 0.0,
    "dual_feasibility_tolerance": 1e-9,
}
# By default entries below 1e-9 are dropped without a word, and a thousand MW make that a visible flow.
_SMALLEST_ENTRY = 1e-12


def _gap(program: LinearProgram, x: Vector, row_dual: Vector, reduced_cost: Vector) -> float:
    """Return the objective minus the dual bound; infinite if a dual has no bound to carry it."""
    dual = np.concatenate([reduced_cost, row_dual])
    lower = np.concatenate([program.lower, program.row_lower])
    upper = np.concatenate([program.upper, program.row_upper])
    bound = np.where(dual > 0.0, lower, upper)
    carried = np.isfinite(bound)
    slope = program.gradient(x)
    if _largest(np.where(carried, 0.0, dual)) > _SIGN_TOLERANCE * (1.0 + _largest(slope)):
        return np.inf
    curved = 0.0 if program.quadratic is None else float(program.quadratic @ (x * x)) / 2.0
    bounded = float(dual[carried] @ bound[carried])
    return program.objective(x) - (bounded - curved + program.offset)


def _beyond(excess: Vector, bound: Vector) -> Vector:
    """Return how far values lie beyond their finite bounds, relative to these."""
    finite = np.isfinite(bound)
    return np.where(finite, np.maximum(excess, 0.0) / (1.0 + np.abs(np.where(finite, bound, 0.0))), 0.0)


def _largest(values: Vector) -> float:
    return float(np.abs(values).max()) if values.size else 0.0
