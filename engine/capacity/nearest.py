"""The nearest point of a polyhedron: the quadratic objective and the least-squares tie rule are of this form.

Solved as a least-distance program by non-negative least squares, a finite method: a general quadratic solver
was seen to cycle for ever on the degenerate corners that parallel lines and equal sites make.
Source: Lawson and Hanson, *Solving Least Squares Problems*, 1974, chapter 23.
"""

import numpy as np
from scipy.optimize import nnls

from engine.errors import InfeasibleError, SolverError
from engine.network.model import Matrix, Vector

SOLVER = "non-negative least squares"
_EMPTY = 1e-12  # squared residual below which no point keeps the rows


def nearest_point(rows: Matrix, upper: Vector, target: Vector) -> tuple[Vector, Vector]:
    """Return the point (n,) nearest to ``target`` with ``rows @ point <= upper``, and the prices (m,) of the rows.

    ``point = target - rows.T @ price`` with prices of zero or more, zero where a row has room. Raises
    InfeasibleError when no point keeps the rows, SolverError when the iterations run out.
    """
    size = np.linalg.norm(rows, axis=1)
    size[size == 0] = 1.0
    unit = rows / size[:, np.newaxis]
    beyond = (rows @ target - upper) / size  # how far the target lies outside each row
    system = np.vstack([-unit.T, beyond[np.newaxis]])
    aim = np.zeros(len(target) + 1)
    aim[-1] = 1.0
    try:
        weight, _ = nnls(system, aim, maxiter=30 * (len(rows) + len(aim)))
    except RuntimeError as error:
        raise SolverError(f"the nearest point was not found: {error}") from None
    rest = 1.0 - float(beyond @ weight)
    if rest <= _EMPTY:
        raise InfeasibleError("no point keeps every row")
    price: Vector = weight / rest
    return target - unit.T @ price, price / size
