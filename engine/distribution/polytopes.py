"""Polytopes in one to three dimensions, by their vertices: corners, facets and volume of ``rows y <= limit``."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Self

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from engine.distribution.frames import Integers, Matrix, Vector

_ON = 1e-9  # a vertex is on a row up to this, for rows of unit length within the unit cube
INSIDE = 1e-9  # a point is in it up to this
_THIN = 1e-7  # what is thinner than this in a unit cube has no volume


@dataclass(frozen=True, slots=True, eq=False)
class Polytope:
    """A bounded polytope of full dimension, its rows those that touch it."""

    rows: Matrix  # (R, d), unit length
    limit: Vector  # (R,)
    origin: Integers  # (R,), which of the rows given
    vertices: Matrix  # (k, d)
    volume: float

    @classmethod
    def of(cls, rows: Matrix, limit: Vector) -> Self | None:
        """Return the part of the unit cube where ``rows y <= limit``; None if it has no volume."""
        dimension = rows.shape[1]
        length = np.linalg.norm(rows, axis=1)
        flat = length <= 1e-12 * (1.0 + np.abs(limit))
        if (limit[flat] < -_ON * (1.0 + np.abs(limit[flat]))).any():
            return None
        scale = np.where(flat, 1.0, length)
        scaled, bound = rows / scale[:, np.newaxis], limit / scale
        most = np.maximum(scaled, 0.0).sum(axis=1)  # over the cube
        cuts = np.flatnonzero(~flat & (most > bound + _ON))
        cube = np.vstack([np.eye(dimension), -np.eye(dimension)])
        every = np.vstack([scaled[cuts], cube])
        right = np.concatenate([bound[cuts], np.ones(dimension), np.zeros(dimension)])
        names = np.concatenate([cuts, -1 - np.arange(2 * dimension)])
        vertices = clipped(every, right, len(cube))
        if len(vertices) <= dimension or (np.ptp(vertices, axis=0) < _THIN).any():
            return None
        volume = _volume(vertices)
        if volume <= _THIN**dimension:
            return None
        on = np.abs(vertices @ every.T - right) <= 10.0 * _ON
        touch = np.flatnonzero(on.sum(axis=0) >= dimension)
        return cls(every[touch], right[touch], names[touch], vertices, volume)

    def contains(self, points: Matrix, room: float = INSIDE) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Return (n,) which of ``points`` (n, d) are in it, up to ``room``."""
        return np.asarray((points @ self.rows.T <= self.limit + room).all(axis=1))

    def facet(self, row: int) -> Matrix:
        """Return the vertices on one of its rows."""
        on = np.abs(self.vertices @ self.rows[row] - self.limit[row]) <= 10.0 * _ON
        return np.asarray(self.vertices[on])


def clipped(rows: Matrix, limit: Vector, cube: int) -> Matrix:
    """Return the vertices (k, d) of ``rows y <= limit``, of which the last ``cube`` rows bound it: those of a cube.

    Rows come in one at a time, the one that cuts off most. It takes the vertices beyond it, and each edge that it cuts
    gets a vertex: an edge joins two vertices with d - 1 rows in common.
    """
    dimension = rows.shape[1]
    vertices, on = _cube(limit[len(rows) - cube :], len(rows), dimension)
    for _ in range(len(rows)):
        beyond = vertices @ rows.T - limit
        most = beyond.max(axis=0)
        worst = int(np.argmax(most))
        if most[worst] <= _ON:
            return np.unique(np.round(vertices, 12), axis=0)
        side = beyond[:, worst]
        near, far = np.flatnonzero(side < -_ON), np.flatnonzero(side > _ON)
        shared = on[near][:, np.newaxis] & on[far]
        one, other = np.nonzero(shared.sum(axis=2) >= dimension - 1)
        ends = side[near[one]], side[far[other]]
        share = (ends[0] / (ends[0] - ends[1]))[:, np.newaxis]
        cut = vertices[near[one]] + share * (vertices[far[other]] - vertices[near[one]])
        on[np.abs(side) <= _ON, worst] = True
        new = shared[one, other]
        new[:, worst] = True
        kept = side <= _ON
        vertices, on = np.vstack([vertices[kept], cut]), np.vstack([on[kept], new])
        if not len(vertices):
            return vertices
        if len(vertices) <= dimension:  # what is left is flat
            break
    return corners(rows, limit)  # a sliver, of which rounding drops and takes the same row


def _cube(ends: Vector, count: int, dimension: int) -> "tuple[Matrix, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]":
    """Return the vertices (k, d) of a cube from its upper ``ends`` (d,) to the negative of the rest, and their rows.

    Of ``count`` rows the last are those of the cube, upper sides first.
    """
    pick = np.array(list(product((False, True), repeat=dimension)))
    on = np.zeros((len(pick), count), dtype=np.bool_)
    on[:, count - 2 * dimension : count - dimension] = pick
    on[:, count - dimension :] = ~pick
    return np.where(pick, ends[:dimension], -ends[dimension:]), on


def corners(rows: Matrix, limit: Vector) -> Matrix:
    """Return the vertices (k, d) of ``rows y <= limit``, each where d of the rows meet."""
    dimension = rows.shape[1]
    if dimension == 1:
        meet = np.unique(limit[rows[:, 0] != 0.0] / rows[rows[:, 0] != 0.0, 0])[:, np.newaxis]
    else:
        sets = _choices(len(rows), dimension)
        square = rows[sets]
        regular = np.abs(_determinant(square)) > 1e-10
        meet = np.linalg.solve(square[regular], limit[sets[regular]][:, :, np.newaxis])[:, :, 0]
    inside = meet[(meet @ rows.T <= limit + _ON).all(axis=1)]
    return np.unique(np.round(inside, 12), axis=0) if len(inside) else inside.reshape(0, dimension)


def _determinant(square: "np.ndarray[tuple[int, int, int], np.dtype[np.float64]]") -> Vector:
    """Return (n,) the determinants of (n, d, d), d two or three, without a factorisation of each."""
    if square.shape[1] == 2:
        return np.asarray(square[:, 0, 0] * square[:, 1, 1] - square[:, 0, 1] * square[:, 1, 0])
    return np.asarray((square[:, 0] * np.cross(square[:, 1], square[:, 2])).sum(axis=1))


@lru_cache(maxsize=128)
def _choices(count: int, size: int) -> Integers:
    """Return (n, size) the choices of ``size`` of ``count`` rows."""
    found = np.array(list(combinations(range(count), size)), dtype=np.intp)
    found.setflags(write=False)
    return found


def _volume(vertices: Matrix) -> float:
    if vertices.shape[1] == 1:
        return float(np.ptp(vertices))
    try:
        return float(ConvexHull(vertices).volume)
    except QhullError:
        return 0.0
