"""Mixed-integer programs of commitment, solved by HiGHS: status, bound and gap travel with the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from engine.commitment.squeeze import Squeezed
from engine.errors import SolverError
from engine.network.model import Integers, Vector
from engine.program import LinearProgram, Status

_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kObjectiveTarget: Status.OPTIMAL,
}
_FEASIBILITY = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class IntegerAnswer:
    """What came back. Without a point ``x`` is ``nan`` and the objective infinite."""

    status: Status  # optimal: within the gap asked for, or not above the target
    x: Vector  # (V,)
    objective: float
    bound: float  # no point is below it
    message: str


def solve_integer(  # noqa: PLR0913 (each of the four is by name)
    program: LinearProgram,
    whole: Integers,
    *,
    gap: float,
    time_limit_s: float,
    target: float = -np.inf,
    start: Vector | None = None,
    seed: int = 0,
    watch: Callable[[Any], None] | None = None,
) -> IntegerAnswer:
    """Return what HiGHS makes of ``program`` when the columns ``whole`` take whole numbers only.

    ``gap`` is relative; a point whose objective is not above ``target`` is enough; ``start`` (V,) is a point to begin
    with, of which the whole columns are used; ``watch`` is given the solver before it runs. An end without a proof is
    a status, not an exception. Raises SolverError where the solver refuses the program.
    """
    small = Squeezed.of(program)
    kinds = np.zeros(len(program.cost), dtype=np.bool_)
    kinds[whole] = True
    inner = np.flatnonzero(kinds[small.columns])
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, str | float | int | bool] = {
        "output_flag": False,
        "threads": 1,
        "mip_rel_gap": gap,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": _FEASIBILITY,
        "random_seed": seed,
        "objective_target": target,
        "small_matrix_value": 1e-12,
        "time_limit": max(time_limit_s, 0.0),
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    if solver.passModel(_model(small.program, inner)) == highspy.HighsStatus.kError:
        raise SolverError("the solver refused the program: a bound or a coefficient is not a number")
    if start is not None:
        solver.setSolution(len(inner), inner.astype(np.int32), start[small.columns[inner]])
    if watch is not None:
        watch(solver)
    outcome = solver.run()
    answer = solver.getModelStatus()
    if outcome == highspy.HighsStatus.kError and answer == highspy.HighsModelStatus.kNotset:
        # Other code in this process has started HiGHS's one thread pool with another number of threads; zero means
        # "whatever there is".
        solver.setOptionValue("threads", 0)
        solver.run()
        answer = solver.getModelStatus()
    info, found = solver.getInfo(), solver.getSolution()
    word = str(solver.modelStatusToString(answer)).lower()
    status = _STATUS.get(answer, Status.OTHER)
    if not found.value_valid or info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        bound = np.inf if status is Status.INFEASIBLE else -np.inf
        return IntegerAnswer(status, np.full(len(program.cost), np.nan), np.inf, bound, word)
    x = small.values(np.array(found.col_value))
    x[whole] = np.round(x[whole])
    bound = float(info.mip_dual_bound) if len(inner) else float(info.objective_function_value)
    return IntegerAnswer(status, x, program.objective(x), bound, word)


def _model(program: LinearProgram, whole: Integers) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_lower)
    model.col_cost_, model.offset_ = program.cost, program.offset
    model.col_lower_, model.col_upper_ = program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.matrix.indptr
    model.a_matrix_.index_ = program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    kinds = np.zeros(len(program.cost), dtype=np.bool_)
    kinds[whole] = True
    names = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [names[int(kind)] for kind in kinds.tolist()]
    return model
