"""A walk from region to region: a good answer fast, for any number of data centres, without a search for the best.

Within one region for each hour the best draws are a convex program. Where they press on a region's side, the hour is
tried on the other side; the walk ends where no such move pays. It starts from the competitive outcome and from corners
of the fleet's polyhedron. The result is a local optimum; its gap is to a bound of another method.
"""

from dataclasses import dataclass

import numpy as np

from engine.distribution.aggregator import Fleet
from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.follower import Follower
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import GAP, Settled, settle
from engine.distribution.regions import HourRegions, Region
from engine.errors import InfeasibleError, SolverError
from engine.program import solve

_GAIN = 1e-6  # relative: a smaller gain is no move
_PRESSES = 1e-6  # $/h per unit of a side: a smaller dual does not press
_BEYOND = (1e-6, 1e-4)  # MW past a side
_SIDES = 3  # of an hour that are tried from one point
_MOVES = 400  # programs from one start


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A region for each hour, with the sides that the box does not hide."""

    regions: tuple[Region, ...]
    sides: tuple[Integers, ...]  # of each region, the rows kept
    settled: Settled

    def key(self) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(region.maps.active.tolist()) for region in self.regions)


def walk(  # noqa: PLR0913 (all by name)
    problem: Coordination,
    regions: tuple[HourRegions, ...] | None = None,
    *,
    equilibrium: Equilibrium | None = None,
    starts: int = 3,
    seed: int = 0,
    bound: float = -np.inf,
    time_limit_s: float = 60.0,
) -> Outcome:
    """Return the best of the walks from the competitive outcome and ``starts`` corners, drawn with ``seed``.

    ``regions`` are looked up where they are known, else solved for; ``bound`` is one of another method, and the
    competitive bound is used where that is better. Raises what :func:`price_taker` raises.
    """
    clock = Clock.start()
    first = equilibrium or price_taker(problem)
    followers = problem.followers if regions is None else tuple(hour.follower for hour in regions)
    walker = _Walker(problem.fleet, followers, regions, (time_limit_s, clock))
    rng = np.random.default_rng(seed)
    best, tried, known = walker.run(first.outcome.draws_mw), 1, max(bound, first.payment_bound)
    for _ in range(starts):
        # What the bound leaves is within the accuracy of exact routes: another start has nothing to find.
        if clock.read()[0] > time_limit_s or best.objective - known <= GAP * max(1.0, abs(best.objective)):
            break
        tried += 1
        best = min(best, walker.run(_corner(problem.fleet, rng)), key=lambda settled: settled.objective)
    notes = (counted(tried, "start"), counted(walker.programs, "program"))
    status = "stopped" if walker.stopped else "local optimum"
    return judge(problem, "region walk", best.point, (known, status, clock), notes)


def _corner(fleet: Fleet, rng: np.random.Generator) -> Matrix:
    """Return the draws (T, J) of a random corner of the polyhedron."""
    cost = fleet.wide(rng.normal(size=fleet.shape))
    return fleet.draws(solve(fleet.program(cost)).optimum().x)


class _Walker:
    """The walk; ``programs`` counts the convex programs, ``stopped`` tells of its limit of time or moves."""

    def __init__(
        self,
        fleet: Fleet,
        followers: tuple[Follower, ...],
        known: tuple[HourRegions, ...] | None,
        time: tuple[float, Clock],
    ) -> None:
        self._fleet, self._followers, self._known = fleet, followers, known
        self._limit, self._clock = time
        self._low, self._high = fleet.box()
        self.programs = 0
        self.stopped = False  # before no move paid any more

    def run(self, draws: Matrix) -> Settled:
        """Walk from ``draws`` (T, J) until no move pays."""
        place = self._place([self._region(hour, x) for hour, x in enumerate(draws)])
        if place is None:
            raise SolverError("the regions around a start do not contain it")
        seen = {place.key()}
        moves = 0
        while moves < _MOVES and self._clock.read()[0] <= self._limit:
            better = None
            options = self._options(place)
            trials = [options, *([each] for each in options)] if len(options) > 1 else [options] if options else []
            for trial in trials:
                regions = list(place.regions)
                for hour, region in trial:
                    regions[hour] = region
                if tuple(tuple(r.maps.active.tolist()) for r in regions) in seen:
                    continue
                moves += 1
                tried = self._place(regions)
                if tried is None:
                    continue
                seen.add(tried.key())
                if tried.settled.objective < place.settled.objective - _GAIN * (1.0 + abs(place.settled.objective)):
                    better = tried
                    break
            if better is None:
                break
            place = better
        else:
            self.stopped = True
        return place.settled

    def _region(self, hour: int, x: Vector) -> Region:
        """Return a region at ``x``, moved a little into the box where several meet."""
        if self._known is not None:
            try:
                return self._known[hour].at(x)
            except SolverError:
                pass  # a sliver between regions: solved for
        follower = self._followers[hour]
        centre = (self._low[hour] + self._high[hour]) / 2.0
        for share in (0.0, 1e-7, 1e-5, 1e-3):
            at = x + share * (centre - x)
            answer = follower.solve(at)
            scale = 1e-9 * (1.0 + float(np.abs(follower.cost).max()))
            region = Region.of(follower, np.flatnonzero(answer.mu > scale))
            if region is not None and region.contains(at, 1e-7):
                return region
        raise SolverError(f"no region was found around {x.tolist()} MW in hour {hour + 1}")

    def _place(self, regions: list[Region]) -> _Place | None:
        """Return the best point of ``regions``, or None if they are not possible together."""
        self.programs += 1
        sides = tuple(self._sides(hour, region) for hour, region in enumerate(regions))
        facets = [(region.rows[keep], region.limit[keep]) for region, keep in zip(regions, sides, strict=True)]
        try:
            settled = settle(self._fleet, regions, facets)
        except (InfeasibleError, SolverError):
            return None
        return _Place(tuple(regions), sides, settled)

    def _sides(self, hour: int, region: Region) -> Integers:
        low, high = self._low[hour], self._high[hour]
        most = np.maximum(region.rows, 0.0) @ high + np.minimum(region.rows, 0.0) @ low
        return np.flatnonzero(most > region.limit + 1e-9)

    def _options(self, place: _Place) -> list[tuple[int, Region]]:
        """Return the moves across the sides that the best point presses on, the strongest of each hour first.

        In a corner many sides meet, and a solver's duals press a little on all of them.
        """
        draws = self._fleet.draws(place.settled.point)
        pressed = [
            (float(dual), hour, int(place.sides[hour][at]))
            for hour, duals in enumerate(place.settled.facet_dual)
            for at, dual in enumerate(duals.tolist())
            if dual > _PRESSES
        ]
        found: list[tuple[int, Region]] = []
        tried = dict.fromkeys(range(len(draws)), 0)
        for _, hour, row in sorted(pressed, key=lambda each: -each[0]):
            if self._clock.read()[0] > self._limit:
                break
            if tried[hour] >= _SIDES:
                continue
            tried[hour] += 1
            region = self._across(hour, place.regions[hour], row, draws[hour])
            if region is not None:
                found.append((hour, region))
        return found

    def _across(self, hour: int, region: Region, row: int, x: Vector) -> Region | None:
        follower = self._followers[hour]
        low, high = self._low[hour], self._high[hour]
        normal = region.rows[row].copy()
        stuck = ((x <= low + _BEYOND[-1]) & (normal < 0.0)) | ((x >= high - _BEYOND[-1]) & (normal > 0.0))
        normal[stuck] = 0.0
        if not normal.any():
            return None
        normal /= np.linalg.norm(normal)
        guess = region.across(int(region.origin[row]), len(follower.limit))
        for step in _BEYOND:
            beyond = np.clip(x + step * normal, low, high)
            other = Region.of(follower, guess)
            if other is not None and other.contains(beyond, 1e-8):
                return other
            try:
                return self._region(hour, beyond)
            except SolverError:
                continue
        return None
