"""How far prices may range where the operator's optimum does not determine them, at all nodes and hours at once.

Duals that are optimal differ by a ``t`` with ``A't = 0`` on the columns that are inside their bounds, 0 on rows that do
not bind, and of the right sign with the others: a small polyhedron once the state's equations are solved for. Where it
is a point, as it nearly always is, the prices are what they are; else each end of a node's range is a linear program in
as few unknowns as limits depend on one another. :func:`engine.distribution.dlmp.dual_range` is the same without any
elimination, a row at a time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import splu

from engine.distribution.dlmp import ACTIVE
from engine.distribution.dso import DsoResult
from engine.distribution.frames import Matrix, Vector
from engine.distribution.hour import Hour
from engine.errors import QuestionError
from engine.program import LazyProgram, LinearProgram, Solution, Status

_DEPENDS = 1e-8  # of the largest singular value: limits whose gradients are this near to one another depend


@dataclass(frozen=True, slots=True, eq=False)
class PriceRanges:
    """The least and the largest prices (T, N) that the optimum allows, $/MWh and $/Mvarh."""

    active_least: Matrix
    active_most: Matrix
    reactive_least: Matrix
    reactive_most: Matrix


def price_ranges(result: DsoResult) -> PriceRanges:
    """Return how far the prices of active and of reactive power may range.

    Raises QuestionError where hours are joined, and SolverError if an end cannot be found.
    """
    prices = result.prices
    told = np.hstack([prices.active_per_mwh, prices.reactive_per_mvarh])  # (T, 2N)
    least, most = told.copy(), told.copy()
    for answer in result.answers:
        if len(answer.hours) > 1 or len(answer.program.cost) > len(answer.programs[0].program.cost):
            raise QuestionError("prices of hours that a battery joins have no range by the hour")
        size = result.frame.size
        found = _ends(answer.programs[0], answer.program, answer.solution, slice(size, 3 * size))
        if found is not None:
            (hour,) = answer.hours
            least[hour] += found[0]
            most[hour] += found[1]
    (active_least, reactive_least), (active_most, reactive_most) = (np.hsplit(ends, 2) for ends in (least, most))
    return PriceRanges(active_least, active_most, reactive_least, reactive_most)


def _ends(hour: Hour, program: LinearProgram, solution: Solution, wanted: slice) -> tuple[Vector, Vector] | None:
    """Return by how much the duals of the equations ``wanted`` may fall and rise; None where they may not."""
    state, equations = hour.columns["state"], hour.rows["equations"]
    others = np.arange(equations.stop, len(program.row_lower))
    columns = np.arange(state.stop, len(program.cost))
    tied, left = csr_array(program.matrix[equations]), csr_array(program.matrix[others])
    on_state = left[:, state]
    factors = splu(csr_array(tied[:, state]).tocsc())
    outside = tied[:, columns]
    used = np.flatnonzero(np.diff(outside.tocsc().indptr))
    reduced: Matrix = left[:, columns].toarray()
    if len(used):
        reduced[:, used] -= on_state @ factors.solve(outside[:, used].toarray())
    row_ends = _signs(
        left @ solution.x, (program.row_lower[others], program.row_upper[others]), solution.row_dual[others]
    )
    column_ends = _signs(
        solution.x[columns], (program.lower[columns], program.upper[columns]), solution.reduced_cost[columns]
    )
    binding = np.flatnonzero(row_ends[0] < row_ends[1])
    fixed = column_ends[0] == column_ends[1]  # inside its bounds: the reduced cost stays 0
    scale = np.maximum(np.abs(reduced[binding]).max(axis=1, initial=0.0), 1e-12)
    free = _null((reduced[binding][:, fixed] / scale[:, np.newaxis]).T) / scale[:, np.newaxis]
    if not free.shape[1]:
        return None
    turns = np.vstack([free, -(reduced[binding][:, ~fixed].T @ free)])
    ends = [
        np.concatenate([row[binding], column[~fixed]]) for row, column in zip(row_ends, column_ends, strict=True)
    ]  # fmt: skip
    on_prices = -splu(csr_array(tied[:, state]).T.tocsc()).solve(on_state[binding].T @ free)[wanted]
    return _range(turns, (ends[0], ends[1]), on_prices)


def _signs(values: Vector, bounds: tuple[Vector, Vector], dual: Vector) -> tuple[Vector, Vector]:
    """Return by how much duals may fall and rise: 0 and 0 for a limit that does not bind."""
    lower, upper = bounds
    at_lower = values - lower <= ACTIVE * (1.0 + np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    at_upper = upper - values <= ACTIVE * (1.0 + np.abs(np.where(np.isfinite(upper), upper, 0.0)))
    fall = np.where(at_upper, -np.inf, np.minimum(-dual, 0.0))
    rise = np.where(at_lower, np.inf, np.maximum(-dual, 0.0))
    inside = ~(at_lower | at_upper)
    return np.where(inside, 0.0, fall), np.where(inside, 0.0, rise)


def _null(matrix: Matrix) -> Matrix:
    """Return an orthonormal basis (k, d) of what ``matrix`` (n, k) takes to zero."""
    count = matrix.shape[1]
    if not matrix.size:
        return np.eye(count)
    _, values, basis = np.linalg.svd(matrix, full_matrices=True)
    rank = int((values > _DEPENDS * max(float(values.max(initial=0.0)), 1e-12)).sum())
    return np.asarray(basis[rank:].T)


def _range(turns: Matrix, ends: tuple[Vector, Vector], on_prices: Matrix) -> tuple[Vector, Vector]:
    """Return the least and the largest of ``on_prices t`` (N,) over ``ends[0] <= turns t <= ends[1]``."""
    count = turns.shape[1]
    open_ = np.full(count, np.inf)
    face = LazyProgram(LinearProgram(np.zeros(count), csr_array(turns), ends[0], ends[1], -open_, open_))
    found = np.zeros((2, len(on_prices)))
    for node, cost in enumerate(on_prices):
        if np.abs(cost).max() <= 1e-9 * max(1.0, float(np.abs(on_prices).max())):
            continue
        for end, sign in enumerate((1.0, -1.0)):
            face.set_cost(sign * cost)
            answer = face.solve()
            unbounded = answer.status is Status.UNBOUNDED
            found[end, node] = -sign * np.inf if unbounded else sign * answer.optimum().objective
    return np.minimum(found[0], 0.0), np.maximum(found[1], 0.0)
