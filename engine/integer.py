"""Mixed-integer programs of sales and allocations, solved to the end by HiGHS: status, bound and gap travel along."""

from dataclasses import dataclass, field, replace

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from engine.errors import SolverError
from engine.program import SOLVER, Status, Vector

TIME_LIMIT_S = 20.0  # of one program; what has no proof by then says so


@dataclass(frozen=True, slots=True, eq=False)
class MixedIntegerProgram:
    """Minimise ``cost'x`` over ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``, some x whole numbers."""

    cost: Vector  # (N,)
    upper: Vector  # (N,)
    integer: npt.NDArray[np.bool_]  # (N,)
    matrix: csr_array | None = None  # (R, N)
    row_lower: Vector = field(default_factory=lambda: np.zeros(0))  # (R,)
    row_upper: Vector = field(default_factory=lambda: np.zeros(0))  # (R,)
    lower: Vector | None = None  # (N,), None: zero

    def with_rows(self, matrix: Vector | csr_array, lower: Vector, upper: Vector) -> "MixedIntegerProgram":
        """Return the program with more rows."""
        rows = csr_array(matrix)
        joined = rows if self.matrix is None else csr_array(vstack([self.matrix, rows]))
        low, high = np.concatenate([self.row_lower, lower]), np.concatenate([self.row_upper, upper])
        return replace(self, matrix=joined, row_lower=low, row_upper=high)

    def with_cost(self, cost: Vector) -> "MixedIntegerProgram":
        """Return the program with another objective."""
        return replace(self, cost=cost)


@dataclass(frozen=True, slots=True, eq=False)
class IntegerSolution:
    """What came back. Without a point ``x`` is ``nan`` and the objective infinite."""

    status: Status
    x: Vector  # (N,)
    objective: float
    bound: float  # no point is below it
    message: str

    def optimum(self) -> "IntegerSolution":
        """Return this solution. Raises SolverError, with the solver's word, if it is not a proven optimum."""
        if self.status is not Status.OPTIMAL:
            raise SolverError(f"{SOLVER} stopped without an optimum: {self.message}")
        return self


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
}


def solve_integer(
    program: MixedIntegerProgram, *, time_limit_s: float = TIME_LIMIT_S, gap: float = 1e-9, start: Vector | None = None
) -> IntegerSolution:
    """Return what HiGHS makes of ``program``; an end without a proof is a status, not an exception.

    Optimal means no relative gap beyond ``gap``. ``start``: a point (N,) to begin with. Raises SolverError if a
    coefficient is not a number.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, str | float | int | bool] = {
        "output_flag": False,
        "threads": 1,
        "mip_rel_gap": gap,
        "mip_abs_gap": 1e-9,
        "mip_feasibility_tolerance": 1e-9,
        "time_limit": time_limit_s,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    entries = np.zeros(0) if program.matrix is None else program.matrix.data
    if not (np.isfinite(program.cost).all() and np.isfinite(entries).all()):
        raise SolverError("a coefficient of the program is not a number")  # the solver would take it
    if solver.passModel(_model(program)) == highspy.HighsStatus.kError:
        raise SolverError("the solver refused the program")
    if start is not None:
        point = highspy.HighsSolution()
        point.col_value = start
        solver.setSolution(point)
    outcome = solver.run()
    answer = solver.getModelStatus()
    if outcome == highspy.HighsStatus.kError and answer == highspy.HighsModelStatus.kNotset:
        # Other code in this process has started HiGHS's one thread pool with another number of threads; zero means
        # "whatever there is".
        solver.setOptionValue("threads", 0)
        solver.run()
        answer = solver.getModelStatus()
    info, found = solver.getInfo(), solver.getSolution()
    status = _STATUS.get(answer, Status.OTHER)
    word = str(solver.modelStatusToString(answer)).lower()
    if not found.value_valid or info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return IntegerSolution(status, np.full(len(program.cost), np.nan), np.inf, -np.inf, word)
    x = np.array(found.col_value)
    x[program.integer] = np.round(x[program.integer])
    # Without integers HiGHS solves a linear program, whose bound is its optimum.
    bound = float(info.mip_dual_bound) if program.integer.any() else float(info.objective_function_value)
    return IntegerSolution(status, x, float(program.cost @ x), bound, word)


def _model(program: MixedIntegerProgram) -> highspy.HighsLp:
    columns, rows = len(program.cost), len(program.row_lower)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_ = program.cost
    model.col_lower_ = np.zeros(columns) if program.lower is None else program.lower
    model.col_upper_ = program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    matrix = csr_array((rows, columns)) if program.matrix is None else program.matrix
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(whole)] for whole in program.integer]
    return model
