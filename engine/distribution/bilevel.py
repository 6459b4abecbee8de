"""The aggregator's optimum as one mixed-integer program, exact by the payment identity.

What the centres pay in an hour is ``cost'z + z'diag(quadratic)z - right'lam + limit'mu``, linear but for squares,
which enter by tangents until the gap is closed; whether each limit binds is a yes or no. Prices are the operator's
duals at an x that the operator answers, so nothing is approximated. By convexity of the operator's cost V the payment
is at least V(y) - V(0) + grad V(y) (x - y) for every y, which bounds it where limits are left open.
"""

from dataclasses import dataclass

import numpy as np

from engine.commitment.integer import solve_integer
from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.follower import Answer
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.kkt import HourBounds, HourColumns, KktProgram
from engine.distribution.region_program import GAP
from engine.distribution.regions import HourRegions
from engine.distribution.screening import screen
from engine.errors import SolverError
from engine.program import Status

_ROUNDS = 30
_NEAR = 1e-3  # of the largest bound: a value this near to it at the answer makes the bound suspect
_TANGENTS = 5  # of each square to begin with


@dataclass(frozen=True, slots=True, eq=False)
class _Squares:
    """The squares of an hour: which columns of z, and where they are."""

    column: Integers
    place: slice


def bilevel(
    problem: Coordination,
    regions: tuple[HourRegions, ...] | None = None,
    *,
    start: Outcome | None = None,
    gap: float = GAP,
    time_limit_s: float = 600.0,
) -> Outcome:
    """Return the aggregator's optimum within ``gap`` (relative) by the payment identity.

    ``regions`` give the limits that can bind and the exact largest distances and duals; without them those come from
    boxes, and limits that cannot bind are screened out. ``start`` is an outcome to begin with: it is the answer where
    no better one is found in time. Raises SolverError if no point is found, if the answer touches a largest distance
    or dual that is not exact (:meth:`HourBounds.least_exact`), or if the operator's own prices are below the bound.
    """
    clock = Clock.start()
    bounds = bounds_of(problem, regions)
    kkt = KktProgram(problem.fleet, bounds)
    squares = [_payment(kkt, hour, bounds[hour]) for hour in range(len(bounds))]
    draws = None if start is None else start.draws_mw
    _supports(kkt, problem, bounds, draws)
    first = None if draws is None else _start(kkt, problem, draws)
    best, point = (np.inf, np.zeros(0)) if start is None else (start.objective, start.point)
    bound, status, rounds, own = -np.inf, "time limit", 0, start is None
    seen: Vector | None = None  # the program's point of the answer, or its last one where the start is the answer
    for _ in range(_ROUNDS):
        rounds += 1
        program = kkt.program()
        left = time_limit_s - clock.read()[0]
        found = solve_integer(program, kkt.whole, gap=gap / 4.0, time_limit_s=left, start=first)
        if found.status is Status.INFEASIBLE:
            raise SolverError("no draws of the payment identity's program keep the largest distances and duals")
        bound = max(bound, found.bound)
        if np.isnan(found.x).any():
            break
        first = found.x
        missing = _add_tangents(kkt, squares, found.x)
        if found.objective + missing < best:
            best, point, own, seen = found.objective + missing, found.x[: len(problem.fleet.lower)], True, found.x
        elif not own:
            seen = found.x
        if best - bound <= gap * max(1.0, abs(best)):
            status = "optimal"
            break
        if found.status is Status.TIME_LIMIT:
            break
    if not len(point):
        raise SolverError("the payment identity's program found no draws within the time limit")
    open_ = int((program.lower[kkt.whole] < program.upper[kkt.whole]).sum())
    notes = [
        counted(open_, "limit that may bind or not", "limits that may bind or not"),
        counted(rounds, "round of tangents", "rounds of tangents"),
    ]
    if start is not None and not own:
        notes.append(f"no better draws than those of the {start.method}")
    outcome = judge(problem, "payment identity", point, (bound, status, clock), tuple(notes))
    _check(kkt, seen, regions)
    _compare(outcome, gap)
    return outcome


def bounds_of(
    problem: Coordination, regions: tuple[HourRegions, ...] | None, *, screened: bool = True
) -> tuple[HourBounds, ...]:
    """Return what every hour's conditions may take; not ``screened``, limits that cannot bind stay."""
    if regions is not None:
        return tuple(HourBounds.of_regions(hour) for hour in regions)
    lower, upper = problem.fleet.box()
    found = []
    for follower, low, high in zip(problem.followers, lower, upper, strict=True):
        kept = follower.keep(screen(follower, low, high).kept) if screened else follower
        found.append(HourBounds.of_boxes(kept, low, high))
    return tuple(found)


def _payment(kkt: KktProgram, hour: int, bounds: HourBounds) -> _Squares:
    """Add the identity: what is paid equals a linear form and squares, and each square is above its tangents."""
    follower, columns = bounds.follower, kkt.hours[hour]
    curved = np.flatnonzero(follower.quadratic * np.maximum(bounds.z_lower**2, bounds.z_upper**2) > 1e-9)
    most = np.maximum(bounds.z_lower[curved] ** 2, bounds.z_upper[curved] ** 2)
    place = kkt.columns(np.zeros(len(curved)), most)
    paid = slice(columns.paid, columns.paid + 1)
    kkt.rows(
        [
            (paid, np.ones((1, 1))),
            (columns.z, -follower.cost[np.newaxis]),
            (place, -follower.quadratic[curved][np.newaxis]),
            (columns.lam, follower.right[np.newaxis]),
            (columns.mu, -follower.limit[np.newaxis]),
        ],
        np.zeros(1),
        np.zeros(1),
    )
    found = _Squares(curved, place)
    for share in np.linspace(0.0, 1.0, _TANGENTS):
        at = bounds.z_lower[curved] + share * (bounds.z_upper[curved] - bounds.z_lower[curved])
        _tangents(kkt, columns, found, at, np.arange(len(curved)))
    return found


def _tangents(kkt: KktProgram, columns: HourColumns, squares: _Squares, at: Vector, which: Integers) -> None:
    width = columns.z.stop - columns.z.start
    on_z = np.zeros((len(which), width))
    on_z[np.arange(len(which)), squares.column[which]] = -2.0 * at[which]
    on_square = np.zeros((len(which), len(squares.column)))
    on_square[np.arange(len(which)), which] = 1.0
    kkt.rows([(squares.place, on_square), (columns.z, on_z)], -(at[which] ** 2), np.full(len(which), np.inf))


def _add_tangents(kkt: KktProgram, squares: list[_Squares], x: Vector) -> float:
    """Add tangents at the squares of a point; return by how much its payments were too low, $."""
    total = 0.0
    for hour, each in enumerate(squares):
        columns, weight = kkt.hours[hour], kkt.bounds[hour].follower.quadratic[each.column]
        z = x[columns.z][each.column]
        missing = weight * (z * z - x[each.place])
        total += float(np.maximum(missing, 0.0).sum())
        _tangents(kkt, columns, each, z, np.flatnonzero(missing > 1e-9))
    return total


def _supports(kkt: KktProgram, problem: Coordination, bounds: tuple[HourBounds, ...], start: Matrix | None) -> None:
    """Add V(y) - V(0) + grad V(y) (x - y) below the payment, at the middle and the ends of the box and at ``start``."""
    lower, upper = problem.fleet.box()
    for hour, each in enumerate(bounds):
        spots = [lower[hour] + share * (upper[hour] - lower[hour]) for share in (0.0, 0.5, 1.0)]
        spots += [] if start is None else [start[hour]]
        idle = problem.followers[hour].solve(np.zeros(len(spots[0]))).value
        found: list[Answer] = [each.follower.solve(y) for y in spots]
        columns = kkt.hours[hour]
        kkt.rows(
            [
                (slice(columns.paid, columns.paid + 1), np.ones((len(spots), 1))),
                (kkt.draws(hour), -np.array([answer.price for answer in found])),
            ],
            np.array([a.value - idle - a.price @ y for a, y in zip(found, spots, strict=True)]),
            np.full(len(spots), np.inf),
        )


def _start(kkt: KktProgram, problem: Coordination, start: Matrix) -> Vector:
    answers = [follower.price_range(x)[0] for follower, x in zip(problem.followers, start, strict=True)]
    return kkt.start(answers, [follower.names for follower in problem.followers])


def _compare(outcome: Outcome, gap: float) -> None:
    """Raise SolverError where the operator's own program makes the draws cheaper than any are said to be."""
    if outcome.gap < -gap:
        told = f"{outcome.objective:g} $, less than the bound of {outcome.bound:g} $"
        raise SolverError(f"by the operator's prices the draws cost {told}")


def _check(kkt: KktProgram, x: Vector | None, regions: tuple[HourRegions, ...] | None) -> None:
    """Raise SolverError where a distance or a dual of a point (V,) is at a bound that is not exact."""
    if x is None:
        return
    box = kkt.fleet.box()
    for hour, (columns, bounds) in enumerate(zip(kkt.hours, kkt.bounds, strict=True)):
        follower = bounds.follower
        distance = follower.limit + follower.shift @ x[kkt.draws(hour)] - follower.rows @ x[columns.z]
        touched = [
            (most > 0.0) & (value > (1.0 - _NEAR) * most)
            for value, most in ((distance, bounds.gap), (x[columns.mu], bounds.dual))
        ]
        if not (touched[0].any() or touched[1].any()):
            continue
        exact = bounds.least_exact((box[0][hour], box[1][hour]), None if regions is None else regions[hour])
        sides = zip(("distance to", "dual of"), touched, (bounds.gap, bounds.dual), exact, strict=True)
        for words, at, most, least in sides:
            if (short := at & (most < least * (1.0 - 1e-9))).any():
                name = follower.names[int(np.argmax(short))]
                raise SolverError(f"hour {hour + 1}: the {words} {name} is at the largest that was thought possible")
