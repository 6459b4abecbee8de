"""Solve a program without the state: the flow equations give it, so few variables are left to decide.

A solver that meets hundreds of free variables tied by as many equations stops with numerical errors on some hours,
and none of those variables is a choice. They are eliminated by one factorisation; the optimum and its duals are then
those of the whole program again, where an independent certificate judges them.
"""

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import splu

from engine.distribution.frames import Integers, Matrix
from engine.program import LinearProgram, Solution, Status, solve

_NOTHING = 1e-13  # an entry left by rounding where the state does not depend on a variable


def solve_reduced(
    program: LinearProgram,
    state: Integers,
    equations: Integers,
    *,
    interior: bool = False,
    time_limit_s: float | None = None,
) -> Solution:
    """Return the solution of ``program``, whose rows ``equations`` (n,) have the columns ``state`` (n,) as unknowns.

    The state has no cost and no bounds of its own; ``interior`` is that of :func:`engine.program.solve`. Where the
    solver finds no optimum, the arrays hold nan.
    """
    width, height = program.matrix.shape[1], program.matrix.shape[0]
    free = np.setdiff1d(np.arange(width), state)
    limits = np.setdiff1d(np.arange(height), equations)
    tied, left = csc_array(program.matrix[equations]), csc_array(program.matrix[limits])
    factors = splu(csc_array(tied[:, state]))
    fixed = factors.solve(program.row_lower[equations])
    others = csc_array(tied[:, free])
    moving = np.flatnonzero(np.diff(others.indptr))
    by_moving: Matrix = -factors.solve(others[:, moving].toarray()) if len(moving) else np.zeros((len(state), 0))
    on_state = csr_array(left[:, state])
    added = on_state @ by_moving
    added[np.abs(added) < _NOTHING] = 0.0
    place = csr_array((np.ones(len(moving)), (np.arange(len(moving)), moving)), shape=(len(moving), len(free)))
    shift = on_state @ fixed
    answer = solve(
        LinearProgram(
            cost=program.cost[free],
            matrix=csr_array(left[:, free]) + csr_array(added) @ place,
            row_lower=program.row_lower[limits] - shift,
            row_upper=program.row_upper[limits] - shift,
            lower=program.lower[free],
            upper=program.upper[free],
            quadratic=None if program.quadratic is None else program.quadratic[free],
        ),
        time_limit_s=time_limit_s,
        interior=interior,
    )
    x, dual, reduced_cost = np.full(width, np.nan), np.full(height, np.nan), np.full(width, np.nan)
    if answer.status is Status.OPTIMAL:
        x[free], x[state] = answer.x, fixed + by_moving @ answer.x[moving]
        transposed = splu(csc_array(tied[:, state].T))
        dual[limits], dual[equations] = answer.row_dual, transposed.solve(-(on_state.T @ answer.row_dual))
        reduced_cost[state] = 0.0
        reduced_cost[free] = answer.reduced_cost
    return Solution(
        answer.status, x, dual, reduced_cost, program.objective(x), answer.gap, answer.time_s, answer.solver,
        answer.message,
    )  # fmt: skip
