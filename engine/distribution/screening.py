"""Which limits can bind at all while the centres' draws are in a box: the others are proved away, one program each.

A limit cannot bind if its largest reach, over all draws in the box and everything that keeps the other limits and
costs no more than the operator's optimum can, stays below it. The optimum is convex in the draws, so no more than an
affine function above its values at the corners of the box. Limits proved away stay out of the programs that follow, so
that of two limits that imply one another one stays.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse import csr_array

from engine.distribution.follower import Follower
from engine.distribution.frames import Matrix, Vector
from engine.program import LazyProgram, LinearProgram, Status, solve

_MOST_CORNERS = 64  # of a box; for more centres nothing is said of cost
_CLEAR = 1e-9  # a limit whose reach stays this far below it does not bind


@dataclass(frozen=True, slots=True)
class Screened:
    """The limits of the feeder that are left, and of how many."""

    kept: frozenset[str]
    limits: int


def screen(follower: Follower, lower: Vector, upper: Vector) -> Screened:
    """Return the limits of ``follower`` that may bind for draws between ``lower`` and ``upper`` (J,)."""
    own = np.flatnonzero(follower.own)
    width, count = len(follower.cost), len(lower)
    cuts, most = _cost_cuts(follower, lower, upper)
    matrix = np.vstack(
        [
            np.hstack([follower.equal, -follower.drawn]),
            np.hstack([follower.rows, -follower.shift]),
            cuts,
        ]
    )
    rows = len(follower.limit)
    first = len(follower.right)
    lazy = LazyProgram(
        LinearProgram(
            cost=np.zeros(width + count),
            matrix=csr_array(matrix),
            row_lower=np.concatenate([follower.right, np.full(rows + len(most), -np.inf)]),
            row_upper=np.concatenate([follower.right, follower.limit, most]),
            lower=np.concatenate([np.full(width, -np.inf), lower]),
            upper=np.concatenate([np.full(width, np.inf), upper]),
        )
    )
    free = np.array([-np.inf])
    kept = []
    for row in own.tolist():
        place = np.array([first + row])
        reach = np.concatenate([np.where(follower.slack, 0.0, follower.rows[row]), -follower.shift[row]])
        lazy.set_row_bounds(place, free, -free)
        lazy.set_cost(-reach)
        found = lazy.solve()
        if found.status is Status.OPTIMAL and -found.objective <= follower.limit[row] - _CLEAR:
            continue
        lazy.set_row_bounds(place, free, follower.limit[row : row + 1])
        kept.append(follower.names[row])
    return Screened(frozenset(kept), len(own))


def _cost_cuts(follower: Follower, lower: Vector, upper: Vector) -> tuple[Matrix, Vector]:
    """Return rows on (z, x) that every optimum keeps: tangents of the cost are at most an affine bound of V."""
    if 2 ** len(lower) > _MOST_CORNERS:
        return np.zeros((0, len(follower.cost) + len(lower))), np.zeros(0)
    corners = lower + np.array(list(product((0.0, 1.0), repeat=len(lower)))) * (upper - lower)
    answers = [follower.solve(x) for x in corners]
    values = np.array([answer.value for answer in answers])
    # The lowest affine function, on average over the corners, above all of them.
    sums = np.column_stack([np.ones(len(corners)), corners])
    size = 1 + len(lower)
    found = solve(
        LinearProgram(
            sums.sum(axis=0), csr_array(sums), values, np.full(len(values), np.inf), np.full(size, -np.inf),
            np.full(size, np.inf),
        )
    ).optimum().x  # fmt: skip
    above = float((values - sums @ found).max())
    constant, slope = found[0] + max(above, 0.0) + 1e-6 * (1.0 + np.abs(values).max()), found[1:]
    cuts, most = [], []
    for answer in answers:
        gradient = follower.cost + follower.quadratic * answer.z
        cuts.append(np.concatenate([gradient, -slope]))
        most.append(constant - follower.offset + float(follower.quadratic @ (answer.z * answer.z)) / 2.0)
    return np.array(cuts), np.array(most)
