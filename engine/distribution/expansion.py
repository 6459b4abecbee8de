"""The paper's route as we rebuild it, kept for comparison: optimality conditions, products of price and draw by bits.

A draw is ``low + step (sum of 2^k bit_k) + rest`` with a rest of at most one step. A bit times a price is exact with
McCormick's four rows, since the bit is 0 or 1; the rest times a price is relaxed by them. So the program bounds the
aggregator's optimum from below, and the error is at most the step times the range of prices: it halves with each bit.
Source: McCormick, Math. Program. 10, 1976; Gupte, Ahmed, Cheon and Dey, SIAM J. Optim. 23, 2013 (binary expansion).
"""

import numpy as np

from engine.commitment.integer import solve_integer
from engine.distribution.bilevel import bounds_of
from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.frames import Matrix, Vector
from engine.distribution.kkt import HourBounds, KktProgram
from engine.distribution.region_program import GAP
from engine.distribution.regions import HourRegions
from engine.errors import QuestionError, SolverError
from engine.program import Status

MOST_BITS = 30  # a smaller step is beyond what a solver can tell of a number between 0 and 1


def expansion(  # noqa: PLR0913 (all but the first three by name)
    problem: Coordination,
    bits: int,
    regions: tuple[HourRegions, ...] | None = None,
    *,
    gap: float = GAP,
    screened: bool = True,
    time_limit_s: float = 600.0,
) -> Outcome:
    """Return the outcome of ``bits`` bits for each draw; its bound is valid, its objective the draws' own.

    Without ``regions`` and not ``screened`` it is the paper's route as we rebuild it: every limit, and the largest
    distances and duals from boxes and penalties. ``time_limit_s``, by the clock on the wall, holds for all of it.
    Raises QuestionError for a number of bits out of range, and SolverError if no point is found in time.
    """
    if not 1 <= bits <= MOST_BITS:
        raise QuestionError(f"bits is {bits}; it must be between 1 and {MOST_BITS}")
    clock = Clock.start()
    bounds = bounds_of(problem, regions, screened=screened)
    kkt = KktProgram(problem.fleet, bounds)
    lower, upper = problem.fleet.box()
    for hour in range(len(bounds)):
        _products(kkt, hour, (lower[hour], upper[hour]), bits)
    left = max(1.0, time_limit_s - clock.read()[0])
    found = solve_integer(kkt.program(), kkt.whole, gap=gap / 2.0, time_limit_s=left)
    if np.isnan(found.x).any():
        raise SolverError(f"the expansion by {bits} bits found no draws: {found.message}")
    status = "optimal" if found.status is Status.OPTIMAL else "time limit"
    notes = (counted(bits, "bit"), f"its own objective is {found.objective:.6g} $")
    point = found.x[: len(problem.fleet.lower)]
    return judge(problem, f"expansion, {counted(bits, 'bit')}", point, (found.bound, status, clock), notes)


def bits_for(
    problem: Coordination, error: float, regions: tuple[HourRegions, ...] | None = None, *, screened: bool = True
) -> int:
    """Return the least number of bits with which the program misses the optimum by at most ``error``, $; at least 1.

    Of each draw a rest of at most one step is left, and McCormick's rows miss its product with a price by at most a
    quarter of the step times the range of the price. It may be more than MOST_BITS. Raises QuestionError for an error
    that is not above 0.
    """
    if not error > 0.0:
        raise QuestionError(f"an error of {error:g} $ is asked of the expansion; it must be above 0")
    lower, upper = problem.fleet.box()
    area = 0.0
    for hour, bounds in enumerate(bounds_of(problem, regions, screened=screened)):
        least, most = _prices_of(bounds)
        area += float((upper[hour] - lower[hour]) @ (most - least))
    return max(1, int(np.ceil(np.log2(max(area, 1e-300) / (4.0 * error)))))


def _products(kkt: KktProgram, hour: int, box: tuple[Vector, Vector], bits: int) -> None:
    """Add the prices of an hour, their products with the bits and the rest of each draw, and what is paid."""
    low, high = box
    count, columns, bounds = len(low), kkt.hours[hour], kkt.bounds[hour]
    follower = bounds.follower
    least, most = _prices_of(bounds)
    price = kkt.columns(least, most)
    one = np.eye(count)
    kkt.rows(
        [(price, one), (columns.lam, -follower.drawn.T), (columns.mu, follower.shift.T)],
        np.zeros(count),
        np.zeros(count),
    )
    step = (high - low) / 2**bits
    parts: Matrix = step[:, np.newaxis] * 2.0 ** np.arange(bits)  # (J, bits)
    bit = kkt.columns(np.zeros(count * bits), np.ones(count * bits), whole=True)
    rest = kkt.columns(np.zeros(count), step)
    spread: Matrix = np.asarray(np.kron(one, np.ones((1, bits))), dtype=np.float64)
    kkt.rows([(kkt.draws(hour), one), (bit, -spread * parts.ravel()), (rest, -one)], low, low)
    wide_least, wide_most = np.repeat(least, bits), np.repeat(most, bits)
    product = _mccormick(kkt, (price, spread.T, wide_least, wide_most), (bit, np.ones(count * bits)))
    last = _mccormick(kkt, (price, one, least, most), (rest, step))
    kkt.rows(
        [
            (slice(columns.paid, columns.paid + 1), np.ones((1, 1))),
            (price, -low[np.newaxis]),
            (product, -parts.ravel()[np.newaxis]),
            (last, -np.ones((1, count))),
        ],
        np.zeros(1),
        np.zeros(1),
    )


def _mccormick(kkt: KktProgram, price: tuple[slice, Matrix, Vector, Vector], other: tuple[slice, Vector]) -> slice:
    """Add columns for price times a column between 0 and its most, with McCormick's four rows."""
    place, pick, least, most = price
    column, top = other
    count = len(top)
    one, none = np.eye(count), np.full(count, np.inf)
    product = kkt.columns(np.minimum(0.0, least * top), np.maximum(0.0, most * top))
    kkt.rows([(product, one), (column, -np.diag(least))], np.zeros(count), none)
    kkt.rows([(product, one), (column, -np.diag(most))], -none, np.zeros(count))
    scaled = pick * top[:, np.newaxis]
    kkt.rows([(product, one), (place, -scaled), (column, -np.diag(most))], -top * most, none)
    kkt.rows([(product, one), (place, -scaled), (column, -np.diag(least))], -none, -top * least)
    return product


def _prices_of(bounds: HourBounds) -> tuple[Vector, Vector]:
    """Return (J,) the least and the most that each data centre's price may be, from the bounds of all duals."""
    drawn, shift = bounds.follower.drawn, bounds.follower.shift
    up, down = np.maximum(drawn.T, 0.0), np.minimum(drawn.T, 0.0)
    least = up @ bounds.lam_lower + down @ bounds.lam_upper - np.maximum(shift.T, 0.0) @ bounds.dual
    most = up @ bounds.lam_upper + down @ bounds.lam_lower - np.minimum(shift.T, 0.0) @ bounds.dual
    return least, most
