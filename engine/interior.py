"""A second opinion for convex quadratic programs: an interior point method (Clarabel).

The active-set method of :mod:`engine.program` is exact and fast where few rows bind, and gives up on some
degenerate programs; an interior point method does not mind them.
Source: Goulart and Chen, "Clarabel: an interior-point solver for conic programs with quadratic objectives", 2024.
"""

import time
from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_array, diags_array, eye_array, vstack

Vector = npt.NDArray[np.float64]

SOLVER = f"Clarabel {clarabel.__version__}"
# On degenerate programs the regularisation of the linear systems (default 1e-8) shows in the duals; then a smaller one.
_REGULARISATION, _SMALLER = 1e-8, 1e-11
# Rounding stopped it short of the gap asked for: the caller's certificate decides whether what it has is an optimum.
_SHORT = {"AlmostSolved", "InsufficientProgress"}
_GAP = 1e-12  # asked of the method; where rounding stops it earlier, the certificate says how far it came


@dataclass(frozen=True, slots=True, eq=False)
class InteriorPoint:
    """What the method ended with; duals have the signs of :mod:`engine.program`."""

    word: str
    optimal: bool
    infeasible: bool
    unbounded: bool
    timed_out: bool
    x: Vector  # (N,)
    row_dual: Vector  # (M,)
    reduced_cost: Vector  # (N,)


def solve_interior(
    cost: Vector,
    quadratic: Vector,
    matrix: csr_array,
    bounds: tuple[Vector, Vector, Vector, Vector],
    time_limit_s: float | None,
) -> InteriorPoint:
    """Minimise ``cost'x + x'diag(quadratic)x/2`` within ``bounds``: row lower, row upper, lower, upper."""
    row_lower, row_upper, lower, upper = bounds
    rows, columns = matrix.shape
    terms = csr_array(vstack([matrix, eye_array(columns, format="csr")], format="csr"))
    low, high = np.concatenate([row_lower, lower]), np.concatenate([row_upper, upper])
    # An equation is one constraint of the zero cone; as two inequalities it would have no interior.
    equal = np.flatnonzero(low == high)
    above = np.flatnonzero((low != high) & np.isfinite(high))
    below = np.flatnonzero((low != high) & np.isfinite(low))
    stacked = vstack([terms[equal], terms[above], -terms[below]], format="csc")
    right = np.concatenate([high[equal], high[above], -low[below]])
    cones: list[Any] = [clarabel.ZeroConeT(len(equal)), clarabel.NonnegativeConeT(len(above) + len(below))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _GAP
    curved, start = csc_matrix(diags_array(quadratic, format="csc")), time.perf_counter()

    def solved(regularisation: float) -> Any:
        settings.static_regularization_constant = regularisation
        if time_limit_s is not None:
            settings.time_limit = max(1e-3, time_limit_s - (time.perf_counter() - start))
        return clarabel.DefaultSolver(curved, cost, csc_matrix(stacked), right, cones, settings).solve()

    found = solved(_REGULARISATION)
    if str(found.status) in _SHORT:
        again = solved(_SMALLER)
        found = again if str(again.status) == "Solved" else found
    dual = np.zeros(rows + columns)
    multiplier = np.asarray(found.z, dtype=np.float64)
    dual[equal] -= multiplier[: len(equal)]
    dual[above] -= multiplier[len(equal) : len(equal) + len(above)]
    dual[below] += multiplier[len(equal) + len(above) :]
    word = str(found.status)
    return InteriorPoint(
        word=word,
        optimal=word == "Solved" or word in _SHORT,
        infeasible=word == "PrimalInfeasible",
        unbounded=word == "DualInfeasible",
        timed_out=word == "MaxTime",
        x=np.asarray(found.x, dtype=np.float64),
        row_dual=dual[:rows],
        reduced_cost=dual[rows:],
    )
