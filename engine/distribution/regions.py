"""Critical regions of an hour: where the same limits bind, so that prices are affine in what the centres draw.

For at most three centres they are enumerated: across every facet of a region lies another one, and the volumes add
up to that of the box. The map from draws to prices is then exact everywhere in the box, and so is the set of limits
that can bind at all: every other limit is kept at all vertices of all regions, where z is affine.
Source: Tondel, Johansen and Bemporad, "An algorithm for multi-parametric quadratic programming and explicit MPC
solutions", Automatica 39, 2003.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np

from engine.distribution.follower import Answer, Flags, Follower, Maps
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.polytopes import INSIDE, Polytope
from engine.errors import LimitError, QuestionError, SolverError

MOST_CENTRES = 3
_MOST_REGIONS = 4000  # of one hour
_COVERED = 1e-6  # of the box that may be left to slivers between regions
_STEPS = (1e-3, 1e-6, 2e-8)  # of the box, to the other side of a facet: the last is tried first, for slivers
_KEPT = 1e-8  # what a limit may be exceeded by at a vertex, p.u. squared or MW


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region: prices are ``price + slope x`` ($/MWh) where ``rows x <= limit`` and x is in the box."""

    maps: Maps
    price: Vector  # (J,)
    slope: Matrix  # (J, J), symmetric, not negative definite in any direction
    rows: Matrix  # (R, J)
    limit: Vector  # (R,)
    origin: Integers  # (R,): row i of the follower for a limit that comes to bind, M + i for a dual that ends
    names: frozenset[str]  # of the binding rows

    @classmethod
    def of(cls, follower: Follower, active: Integers) -> Self | None:
        """Return the region where exactly ``active`` rows bind; None if these do not determine an optimum."""
        maps = follower.maps(active)
        if maps is None:
            return None
        pay = follower.drawn.T @ maps.lam - follower.shift[active].T @ maps.mu
        binds = np.zeros(len(follower.limit), dtype=np.bool_)
        binds[active] = True
        free = np.flatnonzero(~binds)
        reach = follower.rows[free] @ maps.z
        rows = np.vstack([reach[:, 1:] - follower.shift[free], -maps.mu[:, 1:]])
        limit = np.concatenate([follower.limit[free] - reach[:, 0], maps.mu[:, 0]])
        return cls(
            maps=maps,
            price=pay[:, 0],
            slope=(pay[:, 1:] + pay[:, 1:].T) / 2.0,
            rows=rows,
            limit=limit,
            origin=np.concatenate([free, len(follower.limit) + active]),
            names=frozenset(follower.names[at] for at in active.tolist()),
        )

    def prices(self, x: Vector) -> Vector:
        """Return the prices (J,) at ``x`` (J,)."""
        return np.asarray(self.price + self.slope @ x)

    def payment(self, x: Vector) -> float:
        """Return what the centres pay at ``x``, $/h."""
        return float(x @ self.prices(x))

    def contains(self, x: Vector, room: float = 1e-9) -> bool:
        """Return whether ``x`` (J,) is in the region, up to ``room`` relative to each row's size."""
        size = np.maximum(np.abs(self.rows).max(axis=1, initial=0.0), 1e-12)
        return bool((self.rows @ x - self.limit <= room * np.maximum(size, np.abs(self.limit))).all())

    def across(self, origin: int, count: int) -> Integers:
        """Return the rows that bind beyond the facet of ``origin``, of a follower of ``count`` rows."""
        active = self.maps.active
        return np.setdiff1d(active, [origin - count]) if origin >= count else np.union1d(active, [origin])

    def gap(self, follower: Follower) -> tuple[Matrix, Vector]:
        """Return the distances of all rows to their limits as (M, J) and (M,) of x."""
        reach = follower.rows @ self.maps.z
        return follower.shift - reach[:, 1:], follower.limit - reach[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A region within the box, and its corners."""

    region: Region
    shape: Polytope  # in units of the box
    vertices: Matrix  # (k, J), MW
    rows: Matrix  # (R, J), the facets
    limit: Vector  # (R,)


@dataclass(frozen=True, slots=True, eq=False)
class HourRegions:
    """All regions of one hour over a box; ``follower`` has only the limits that bind in some of them."""

    follower: Follower
    full: Follower
    lower: Vector  # (J,)
    upper: Vector  # (J,)
    cells: tuple[Cell, ...]
    uncovered: float  # share of the box that is in no region

    def at(self, x: Vector, room: float = 1e-7) -> Region:
        """Return the region of ``x`` (J,) where the centres pay least: more than one only where V has a kink.

        Raises QuestionError for an x outside the box and SolverError in a gap between regions.
        """
        if (x < self.lower - 1e-6).any() or (x > self.upper + 1e-6).any():
            raise QuestionError(f"{x.tolist()} MW is outside the box {self.lower.tolist()} to {self.upper.tolist()}")
        found = [cell.region for cell in self.cells if (cell.rows @ x <= cell.limit + room).all()]
        if not found:
            raise SolverError(f"no region contains {x.tolist()} MW")
        return min(found, key=lambda region: region.payment(x))

    def exceeded(self) -> bool:
        """Return whether a limit of the feeder is exceeded somewhere in the box."""
        slack = self.follower.slack
        return any(
            (cell.region.maps.z[slack] @ np.vstack([np.ones(len(cell.vertices)), cell.vertices.T]) > 1e-7).any()
            for cell in self.cells
        )


def regions_of(
    full: Follower, lower: Vector, upper: Vector, hint: "HourRegions | None" = None, end: float = np.inf
) -> HourRegions:
    """Return the regions of an hour for draws between ``lower`` and ``upper`` (J,) in MW.

    ``hint``: regions of a like hour, which save work. ``end``: when to give up, as time.perf_counter counts. Raises
    QuestionError for more than three centres or a box without volume, LimitError for too many regions or too little
    time, and SolverError where they leave a gap.
    """
    if len(lower) > MOST_CENTRES:
        raise QuestionError(f"regions are enumerated for at most {MOST_CENTRES} data centres; there are {len(lower)}")
    if not (upper > lower).all():
        raise QuestionError("each data centre needs a least draw below its most for regions")
    names = set() if hint is None else set(hint.follower.names)
    corners = lower + np.array(list(product((0.0, 1.0), repeat=len(lower)))) * (upper - lower)
    for x in corners if hint is None else ():
        answer = full.solve(x)
        names |= {full.names[at] for at in np.flatnonzero(answer.mu > 1e-6).tolist()}
    seeds = () if hint is None else tuple(cell.region.names for cell in hint.cells)
    while True:
        follower = full.keep(frozenset(names))
        search = _Search(follower, lower, upper - lower, end)
        search.run(seeds)
        missed = _missed(full, follower, search.cells)
        if not missed:
            break
        names |= missed
        seeds = tuple(cell.region.names for cell in search.cells)
    binding = frozenset().union(*(cell.region.names for cell in search.cells))
    slim = follower.keep(binding)
    cells = tuple(_renamed(cell, follower, slim) for cell in search.cells)
    return HourRegions(slim, full, lower, upper, cells, max(0.0, 1.0 - search.volume))


def _missed(full: Follower, follower: Follower, cells: "list[Cell]") -> set[str]:
    """Return the limits left out of ``follower`` that some vertex exceeds most."""
    out = np.flatnonzero(full.own & np.array([name not in set(follower.names) for name in full.names]))
    if not len(out):
        return set()
    place = np.array([full.columns.index(name) for name in follower.columns])
    rows = full.rows[np.ix_(out, place)]
    found: set[str] = set()
    for cell in cells:
        one = np.vstack([np.ones(len(cell.vertices)), cell.vertices.T])
        over = (rows @ cell.region.maps.z - np.hstack([full.limit[out][:, np.newaxis], full.shift[out]])) @ one
        worst = over.argmax(axis=0)
        bad = over.max(axis=0) > _KEPT
        found |= {full.names[out[at]] for at in worst[bad].tolist()}
    return found


def _renamed(cell: Cell, follower: Follower, slim: Follower) -> Cell:
    """Return the cell with its maps in the columns and rows of ``slim``."""
    if slim.names == follower.names:
        return cell
    row = {name: at for at, name in enumerate(slim.names)}
    # Only the signs of slacks that went with their limits are not there any more.
    names = (follower.names[at] for at in cell.region.maps.active.tolist())
    active = np.array(sorted(row[name] for name in names if name in row), dtype=np.intp)
    region = Region.of(slim, active)
    if region is None:
        raise SolverError("a region was lost when limits that never bind were left out")
    return Cell(region, cell.shape, cell.vertices, cell.rows, cell.limit)


class _Search:
    """The search from facet to facet, in units of the box."""

    def __init__(self, follower: Follower, lower: Vector, width: Vector, end: float) -> None:
        self._follower, self._lower, self._width, self._end = follower, lower, width, end
        self.cells: list[Cell] = []
        self.volume = 0.0
        self._known: set[tuple[int, ...]] = set()
        self._tried: dict[tuple[int, ...], Region | None] = {}
        self._shaped: dict[tuple[int, ...], Polytope | None] = {}
        self._sides = np.zeros((0, len(lower)))  # of all cells, one after the other
        self._ends = np.zeros(0)
        self._first: list[int] = []  # each cell's first side
        self._waiting: list[tuple[Vector, Integers]] = []

    def run(self, seeds: tuple[frozenset[str], ...]) -> None:
        row = {name: at for at, name in enumerate(self._follower.names)}
        for names in seeds:
            if names <= set(row):
                self._add(np.array(sorted(row[name] for name in names), dtype=np.intp))
        if not self.cells:
            self._visit(np.full(len(self._lower), 0.5))
        rng = np.random.default_rng(0)
        while True:
            while self._waiting:
                if time.perf_counter() > self._end:
                    raise LimitError(f"critical regions: the time is over; {len(self.cells)} were found in this hour")
                point, guess = self._waiting.pop()
                if self._outside(point[np.newaxis])[0]:
                    self._visit(point, guess)
            if self.volume >= 1.0 - _COVERED:
                return
            if not self._fill(rng):
                raise SolverError(f"regions cover only {self.volume:.8f} of the box of the centres' draws")

    def _fill(self, rng: np.random.Generator) -> bool:
        """Look for points that no region contains; return whether one was found."""
        size = len(self._lower)
        near = np.vstack([np.array(list(product((0.0, 1.0), repeat=size))), *(c.shape.vertices for c in self.cells)])
        moved = np.repeat(near, 20, axis=0)
        points = np.vstack([near, moved + rng.normal(0.0, 1e-3, moved.shape), rng.random((20_000, size))])
        points = np.clip(points, 1e-9, 1.0 - 1e-9)
        for cell in self.cells:
            points = points[~cell.shape.contains(points)]
        before = len(self.cells)
        for point in points[:50]:
            if self._outside(point[np.newaxis])[0]:
                self._visit(point)
        return len(self.cells) > before

    def _outside(self, points: Matrix) -> Flags:
        """Return (n,) which of ``points`` (n, J) are in no cell."""
        if not self.cells or not len(points):
            return np.ones(len(points), dtype=np.bool_)
        within = points @ self._sides.T <= self._ends + INSIDE
        return np.asarray(~np.logical_and.reduceat(within, self._first, axis=1).any(axis=1))

    def _visit(self, point: Vector, guess: Integers | None = None) -> None:
        if guess is not None and any(self._add(each, point) for each in self._pivots(guess)):
            return
        x = self._lower + self._width * point
        answer: Answer = self._follower.solve(x)
        scale = 1e-9 * (1.0 + float(np.abs(self._follower.cost).max()))
        self._add(np.flatnonzero(answer.mu > scale))

    def _pivots(self, guess: Integers) -> Iterator[Integers]:
        """Yield the rows that may bind: those guessed, and without one of them where they leave z no choice."""
        yield guess
        if len(self._follower.right) + len(guess) > len(self._follower.cost):
            for at in range(len(guess)):
                yield np.delete(guess, at)

    def _add(self, active: Integers, point: Vector | None = None) -> bool:
        """Add the region of ``active`` and put the other sides of its facets in the queue."""
        key = tuple(active.tolist())
        if key in self._known:
            return False
        if key not in self._tried:
            self._tried[key] = Region.of(self._follower, active)
        region = self._tried[key]
        # A guess is most often wrong, which the point alone tells without the corners.
        if region is None or (point is not None and not self._holds(region, point)):
            return False
        shape = self._shape(key, region)
        if shape is None or (point is not None and not bool(shape.contains(point[np.newaxis])[0])):
            return False
        self._known.add(key)
        if len(self.cells) >= _MOST_REGIONS:
            raise LimitError(f"an hour has more than {_MOST_REGIONS} regions; draw boxes closer or take fewer centres")
        rows = shape.rows / self._width
        vertices = self._lower + self._width * shape.vertices
        self.cells.append(Cell(region, shape, vertices, rows, shape.limit + rows @ self._lower))
        self.volume += shape.volume
        self._first.append(len(self._ends))
        self._sides, self._ends = np.vstack([self._sides, shape.rows]), np.append(self._ends, shape.limit)
        for at, origin in enumerate(shape.origin.tolist()):
            if origin < 0:
                continue  # a side of the box
            guess = region.across(int(region.origin[origin]), len(self._follower.limit))
            corners = shape.facet(at)
            centre = corners.mean(axis=0)
            spots = np.vstack([centre, 0.9 * corners + 0.1 * centre])
            beyond = np.vstack([spots + step * shape.rows[at] for step in _STEPS])
            beyond = beyond[((beyond >= 0.0) & (beyond <= 1.0)).all(axis=1)]
            self._waiting.extend((each, guess) for each in beyond[self._outside(beyond)])
        return True

    def _holds(self, region: Region, point: Vector) -> bool:
        """Return whether a region's rows keep a point of the box, or nearly so."""
        beyond = region.rows @ (self._lower + self._width * point) - region.limit
        size = np.linalg.norm(region.rows * self._width, axis=1)
        return bool((beyond <= 10.0 * INSIDE * np.maximum(size, np.abs(region.limit))).all())

    def _shape(self, key: tuple[int, ...], region: Region) -> Polytope | None:
        """Return a region's part of the box; None where it has no volume."""
        if key not in self._shaped:
            self._shaped[key] = Polytope.of(region.rows * self._width, region.limit - region.rows @ self._lower)
        return self._shaped[key]
