"""The aggregator's exact optimum over critical regions: one yes or no for each region and hour.

In a region the payment ``x'(price + slope x)`` is convex, so an hour is a choice among convex pieces. Their convex
hull (perspective) makes the relaxation as tight as the hours alone allow; what is left to branching is only what the
work ties together. Curved payments enter by tangents, added until the gap is closed.
Source: Ceria and Soares, "Convex programming for disjunctive convex optimization", Math. Program. 86, 1999.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from engine.commitment.integer import solve_integer
from engine.distribution.aggregator import Fleet
from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.regions import Cell, HourRegions, Region, regions_of
from engine.errors import InfeasibleError, SolverError
from engine.program import LinearProgram, Status, solve

GAP = 1e-4
_ROUNDS = 30
_BELOW = 1e-3  # $/h by which the tangent in a cell's middle may be below its payment at a corner, to begin with
_ROUNDING = 1e-6  # $/h
_CURVED = 1e-9  # $/MWh per MW: less is flat


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The best draws within one region for each hour."""

    point: Vector  # (n,)
    objective: float  # $, payments and delay
    facet_dual: tuple[Vector, ...]  # (T,) of (R,): what moving each facet by a MW is worth


def all_regions(
    problem: Coordination, tell: Callable[[int], None] | None = None, *, time_limit_s: float = np.inf
) -> tuple[HourRegions, ...]:
    """Return the regions of every hour (T,) within a time for all; ``tell`` is called with each hour that begins.

    Raises what :func:`regions_of` raises.
    """
    lower, upper = problem.fleet.box()
    found: list[HourRegions] = []
    end = time.perf_counter() + time_limit_s
    for hour, follower in enumerate(problem.followers):
        if tell is not None:
            tell(hour)
        found.append(regions_of(follower, lower[hour], upper[hour], found[-1] if found else None, end))
    return tuple(found)


def by_regions(
    problem: Coordination,
    regions: tuple[HourRegions, ...] | None = None,
    *,
    start: Outcome | None = None,
    gap: float = GAP,
    time_limit_s: float = 600.0,
) -> Outcome:
    """Return the aggregator's optimum within ``gap`` (relative), for at most three data centres.

    The bound is the solver's; the outcome is judged by the operator's own program. ``start`` is an outcome to begin
    with: it is the answer where no better one is found in time. Raises what enumerating regions raises, and SolverError
    without any point, or where a payment is below the least that was thought possible.
    """
    clock = Clock.start()
    hours = regions if regions is not None else all_regions(problem, time_limit_s=time_limit_s)
    model = _Model(problem.fleet, hours)
    best, point = (np.inf, np.zeros(0)) if start is None else (start.objective, start.point)
    bound, status, own = -np.inf, "time limit", start is None
    first = None if start is None else model.start(start.draws_mw)
    for _ in range(_ROUNDS):
        program = model.program()
        left = time_limit_s - clock.read()[0]
        found = solve_integer(program, model.whole, gap=gap / 10.0, time_limit_s=left, start=first)
        bound = max(bound, found.bound)
        if np.isnan(found.x).any():
            break
        chosen = model.chosen(found.x)
        model.check(found.x)
        settled = settle(problem.fleet, [cell.region for cell in chosen], [(c.rows, c.limit) for c in chosen])
        if settled.objective < best:
            best, point, own = settled.objective, settled.point, True
        first = found.x
        if best - bound <= gap * max(1.0, abs(best)):
            status = "optimal"
            break
        if found.status is Status.TIME_LIMIT or not model.add_tangents(found.x, settled.point):
            break
    if not len(point):
        raise SolverError("no draws were found within the time limit")
    count = sum(len(hour.cells) for hour in hours)
    notes = [
        f"{counted(count, 'region')} in {counted(len(hours), 'hour')}", counted(model.tangents, "tangent"),
    ]  # fmt: skip
    if start is not None and not own:
        notes.append(f"no better draws than those of the {start.method}")
    return judge(problem, "critical regions", point, (bound, status, clock), tuple(notes))


def settle(fleet: Fleet, regions: list[Region], facets: list[tuple[Matrix, Vector]] | None = None) -> Settled:
    """Return the best draws with hour t in ``regions[t]``; ``facets`` are their rows where fewer will do.

    Raises InfeasibleError where no draws that do the work are in these regions.
    """
    count = fleet.shape[1]
    width = len(fleet.lower)
    limits = facets if facets is not None else [(region.rows, region.limit) for region in regions]
    cost, curved, turns, rows, highs = np.zeros(width), [], [], [], []
    for hour, region in enumerate(regions):
        first = hour * count
        cost[first : first + count] = region.price
        values, vectors = np.linalg.eigh(region.slope)
        for value, vector in zip(values.tolist(), vectors.T, strict=True):
            if value > _CURVED:
                turn = np.zeros(width)
                turn[first : first + count] = vector
                turns.append(turn)
                curved.append(2.0 * value)
        block, limit = limits[hour]
        size = np.maximum(np.abs(block).max(axis=1, initial=0.0), 1e-12)
        wide = np.zeros((len(limit), width))
        wide[:, first : first + count] = block / size[:, np.newaxis]
        rows.append(csr_array(wide))
        highs.append(limit / size)
    extra = len(curved)
    eigen = np.array(turns).reshape(extra, width)
    facet = csr_array(vstack(rows, format="csr"))
    height = facet.shape[0]
    matrix = vstack(
        [
            hstack([fleet.matrix, csr_array((fleet.matrix.shape[0], extra))]),
            hstack([facet, csr_array((height, extra))]),
            hstack([csr_array(eigen), -csr_array(np.eye(extra))]),
        ],
        format="csr",
    )
    program = LinearProgram(
        cost=np.concatenate([fleet.delay_cost + cost, np.zeros(extra)]),
        matrix=csr_array(matrix),
        row_lower=np.concatenate([fleet.row_lower, np.full(height, -np.inf), np.zeros(extra)]),
        row_upper=np.concatenate([fleet.row_upper, np.concatenate(highs), np.zeros(extra)]),
        lower=np.concatenate([fleet.lower, np.full(extra, -np.inf)]),
        upper=np.concatenate([fleet.upper, np.full(extra, np.inf)]),
        quadratic=np.concatenate([np.zeros(width), curved]) if extra else None,
    )
    found = solve(program)
    if found.status is Status.INFEASIBLE:
        raise InfeasibleError("no draws that do the work are in these regions")
    point = found.optimum().x[:width]
    draws = fleet.draws(point)
    objective = float(fleet.delay_cost @ point) + sum(r.payment(x) for r, x in zip(regions, draws, strict=True))
    dual = -found.row_dual[len(fleet.row_lower) : len(fleet.row_lower) + height]
    ends = np.cumsum([len(limit) for _, limit in limits])[:-1]
    return Settled(point, objective, tuple(np.split(dual, ends)))


class _Model:
    """The mixed-integer program: the fleet's columns, then w, x (J) and the payment of every cell."""

    def __init__(self, fleet: Fleet, hours: tuple[HourRegions, ...]) -> None:
        self._fleet, self._hours = fleet, hours
        self._count = fleet.shape[1]
        self._cells: list[tuple[int, Cell]] = [(t, cell) for t, hour in enumerate(hours) for cell in hour.cells]
        self._width = len(fleet.lower)
        self._entries: list[tuple[Integers, Integers, Vector]] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self.tangents = 0
        self._frame_rows()
        for at, (_, cell) in enumerate(self._cells):
            middle = cell.vertices.mean(axis=0)
            self._tangent(at, middle)
            off = cell.vertices - middle
            # A tangent is below the payment by the square of the way from it.
            below = ((off @ cell.region.slope) * off).sum(axis=1)
            for x in cell.vertices[below > _BELOW]:
                self._tangent(at, x)

    @property
    def whole(self) -> Integers:
        """Return the columns of the choices."""
        return self._place(np.arange(len(self._cells)))

    def _place(self, at: "Integers | int") -> Integers:
        return np.asarray(self._width + np.asarray(at) * (self._count + 2), dtype=np.intp)

    def _row(self, columns: Integers, values: Vector, low: float, high: float) -> None:
        row = np.full(len(columns), len(self._low), dtype=np.intp)
        self._entries.append((row, np.asarray(columns, dtype=np.intp), np.asarray(values, dtype=np.float64)))
        self._low.append(low)
        self._high.append(high)

    def _frame_rows(self) -> None:
        by_hour: dict[int, list[int]] = {}
        for at, (hour, cell) in enumerate(self._cells):
            by_hour.setdefault(hour, []).append(at)
            choice = int(self._place(at))
            draws = choice + 1 + np.arange(self._count)
            for row, limit in zip(cell.rows, cell.limit.tolist(), strict=True):
                size = float(np.abs(row).max())
                self._row(np.append(draws, choice), np.append(row / size, -limit / size), -np.inf, 0.0)
        for hour, members in by_hour.items():
            choices = self._place(np.array(members))
            self._row(choices, np.ones(len(members)), 1.0, 1.0)
            for centre in range(self._count):
                columns = np.append(choices + 1 + centre, hour * self._count + centre)
                self._row(columns, np.append(np.ones(len(members)), -1.0), 0.0, 0.0)

    def _tangent(self, at: int, x: Vector) -> None:
        """Payment of a cell, at least its tangent at ``x``, times the choice."""
        region = self._cells[at][1].region
        slope = region.price + 2.0 * region.slope @ x
        choice = int(self._place(at))
        columns = choice + np.arange(self._count + 2)
        constant = region.payment(x) - float(slope @ x)
        self._row(columns, np.concatenate([[-constant], -slope, [1.0]]), 0.0, np.inf)
        self.tangents += 1

    def program(self) -> LinearProgram:
        """Return the program with all tangents so far."""
        fleet = self._fleet
        total = self._width + len(self._cells) * (self._count + 2)
        rows, columns, values = (np.concatenate(each) for each in zip(*self._entries, strict=True))
        own = coo_array((values, (rows, columns)), shape=(len(self._low), total))
        work = hstack([fleet.matrix, csr_array((fleet.matrix.shape[0], total - self._width))])
        lower, upper = np.full(total, -np.inf), np.full(total, np.inf)
        lower[: self._width], upper[: self._width] = fleet.lower, fleet.upper
        lower[self.whole], upper[self.whole] = 0.0, 1.0
        cost = np.zeros(total)
        cost[: self._width] = fleet.delay_cost
        for at, (hour, cell) in enumerate(self._cells):
            choice = int(self._place(at))
            draws = slice(choice + 1, choice + 1 + self._count)
            lower[draws], upper[draws] = 0.0, self._hours[hour].upper
            paid = choice + 1 + self._count
            cost[paid] = 1.0
            lower[paid] = self.least(cell)
        return LinearProgram(
            cost=cost,
            matrix=csr_array(vstack([work, own], format="csr")),
            row_lower=np.concatenate([fleet.row_lower, self._low]),
            row_upper=np.concatenate([fleet.row_upper, self._high]),
            lower=lower,
            upper=upper,
        )

    def least(self, cell: Cell) -> float:
        """Return what a cell's payment is thought not to be below, $."""
        return min(0.0, -2.0 * max(abs(cell.region.payment(x)) for x in cell.vertices))

    def check(self, x: Vector) -> None:
        """Raise SolverError where a chosen cell's own payment at a point is below the least thought possible."""
        for at in np.flatnonzero(np.round(x[self.whole]) == 1.0).tolist():
            (hour, cell), choice = self._cells[at], int(self._place(at))
            if cell.region.payment(x[choice + 1 : choice + 1 + self._count]) < self.least(cell) - _ROUNDING:
                raise SolverError(f"hour {hour + 1}: the payment is below the least that was thought possible")

    def start(self, draws: Matrix) -> Vector:
        """Return a point whose choices are the cells of draws (T, J); its other columns are 0."""
        regions = [hour.at(x) for hour, x in zip(self._hours, draws, strict=True)]
        found = np.zeros(self._width + len(self._cells) * (self._count + 2))
        taken = [at for at, (hour, cell) in enumerate(self._cells) if cell.region is regions[hour]]
        found[self._place(np.array(taken, dtype=np.intp))] = 1.0
        return found

    def chosen(self, x: Vector) -> list[Cell]:
        """Return the cell of each hour."""
        taken = np.flatnonzero(np.round(x[self.whole]) == 1.0).tolist()
        return [self._cells[at][1] for at in taken]

    def add_tangents(self, x: Vector, settled: Vector) -> bool:
        """Add tangents where the payments of the chosen cells are curved; return whether any was needed."""
        taken = np.flatnonzero(np.round(x[self.whole]) == 1.0).tolist()
        before = self.tangents
        draws = self._fleet.draws(settled)
        for at in taken:
            hour, cell = self._cells[at]
            choice = int(self._place(at))
            here = x[choice + 1 : choice + 1 + self._count]
            if cell.region.payment(here) - x[choice + 1 + self._count] > 1e-7:
                self._tangent(at, here)
            self._tangent(at, draws[hour])
        return self.tangents > before
