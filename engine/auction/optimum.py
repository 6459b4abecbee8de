"""The efficient allocation, and the bound of linear prices on it.

Additive valuations: each lot to the highest value. Additive, symmetric and unit-demand valuations together are one
assignment problem. Everything else is a mixed-integer program in HiGHS, whose status and bound come along. A reserve
makes the seller a bidder with additive values. Letters: N bidders, M lots, U blocks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from engine.auction.demand import Offer, best_addition
from engine.auction.encoding import encode
from engine.auction.integer import TIME_LIMIT_S, MixedIntegerProgram, solve_integer
from engine.auction.rules import Configuration
from engine.auction.values import SUBSTITUTES, Additive, Counts, Money, Symmetric, UnitDemand, Valuation
from engine.errors import SolverError
from engine.program import LazyProgram, LinearProgram, Status, Vector

EQUAL = 1e-6  # relative: amounts that differ by less are one, for a solver keeps its rows to 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Who gets what where the values add up to most."""

    bundles: Counts  # (N, M)
    values: Money  # (N,), each bidder's value of his bundle
    kept: float  # the seller's value of what he keeps
    bound: float  # no allocation is worth more, the seller's share included
    status: Status
    method: str  # in words

    @property
    def welfare(self) -> float:
        """Return the sum of the bidders' values and of what the seller's reserve says of the rest."""
        return float(self.values.sum()) + self.kept

    @property
    def proven(self) -> bool:
        """Return whether no allocation is better."""
        return self.status is Status.OPTIMAL


@dataclass(frozen=True, slots=True, eq=False)
class LinearBound:
    """The least of L(p) over linear prices: equal to the optimum exactly if an equilibrium with such prices exists."""

    value: float
    prices: Money  # (M,), per block, where it is reached; none where theory gives the bound without them
    converged: bool  # False: stopped at a limit; the value is still a bound, but perhaps not the least
    rounds: int  # of column generation; 0 where theory gives the bound


def reserves(configuration: Configuration) -> Money:
    """Return the (M,) amounts that the seller keeps a block for: as a bidder he values it so.

    That is the reserve, or what the opening bid says where it is more: a first bid must be an increment above it.
    """
    step = first_step(configuration)
    return np.array([float(max(lot.reserve, lot.opening - step, 0)) for lot in configuration.lots])


def first_step(configuration: Configuration) -> int:
    """Return the increment of a first bid on a lot: the fixed one, else the unit that amounts are rounded to."""
    increment = configuration.rules.increment
    return increment.amount if increment.kind == "fixed" else increment.rounding


def quantities(configuration: Configuration) -> Counts:
    """Return the (M,) numbers of blocks."""
    return np.array([lot.quantity for lot in configuration.lots], dtype=np.int64)


def efficient(
    valuations: Sequence[Valuation],
    configuration: Configuration,
    kept: Money | None = None,
    *,
    time_limit_s: float = TIME_LIMIT_S,
) -> Allocation:
    """Return an allocation whose total value is largest. Budgets are not looked at: values count, not means.

    ``kept`` (M,) is what the seller values a block that he keeps at, :func:`reserves` where it is not given. A program
    that reaches its time limit gives its best allocation with status "time limit" and the bound proven by then.
    Raises SolverError if it has no allocation by then.
    """
    quantity = quantities(configuration)
    seller = reserves(configuration) if kept is None else kept
    if all(isinstance(valuation, Additive) for valuation in valuations):
        bundles, method = _highest(valuations, quantity, seller), "each lot to the highest value"
    elif all(isinstance(valuation, SUBSTITUTES) for valuation in valuations):
        bundles, method = _assigned(valuations, quantity, seller), "an assignment of blocks to marginal values"
    else:
        return _programmed(valuations, quantity, seller, time_limit_s)
    return _allocation(valuations, quantity, seller, bundles, (None, Status.OPTIMAL, method))


def lp_bound(
    valuations: Sequence[Valuation],
    configuration: Configuration,
    kept: Money | None = None,
    *,
    start: Allocation | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> LinearBound:
    """Return the optimum of the linear program over bundles of Bikhchandani and Mamer (1997), by column generation.

    It is the least of L(p) = sum of the prices + the sum of the bidders' largest surpluses over p >= 0, and so never
    below the efficient welfare. Each round asks every bidder for his best bundle at the program's prices: L there is
    a bound too, so that stopping at the time limit only makes the bound weaker. ``start`` gives the first columns.
    Raises SolverError if HiGHS fails.
    """
    quantity = quantities(configuration)
    seller = reserves(configuration) if kept is None else kept
    first = efficient(valuations, configuration, seller) if start is None else start
    master = _Master(quantity, seller, len(valuations))
    master.add([(i, bundle, valuations[i].value(bundle)) for i, bundle in enumerate(first.bundles)])
    best, prices, began, rounds = np.inf, np.zeros(len(quantity)), time.perf_counter(), 0
    while True:
        rounds += 1
        reached, asked, surplus_of = master.solve()
        total = float(quantity @ np.maximum(asked, seller))
        wanted: list[tuple[int, Counts, float]] = []
        for place, valuation in enumerate(valuations):
            bundle = best_addition(valuation, _everything(quantity, asked))
            worth = valuation.value(bundle)
            surplus = worth - float(asked @ bundle)
            total += surplus
            if surplus > surplus_of[place] + _STEP * (1.0 + abs(reached)):
                wanted.append((place, bundle, worth))
        if total < best:
            best, prices = total, asked
        if not wanted or best - reached <= _STEP * (1.0 + abs(reached)):
            return LinearBound(best, prices, True, rounds)
        if time.perf_counter() - began > time_limit_s:
            return LinearBound(best, prices, False, rounds)
        master.add(wanted)


_STEP = 1e-9  # relative: a column that gains less than this is no gain


class _Master:
    """The linear program over the bundles known so far; its duals are prices and the bidders' surpluses."""

    def __init__(self, quantity: Counts, seller: Money, bidders: int) -> None:
        self._lots, rows = len(quantity), len(quantity) + bidders
        upper = np.concatenate([quantity.astype(np.float64), np.ones(bidders)])
        keeps = csr_array(np.eye(rows, self._lots))  # the seller keeps blocks at his reserve
        self._program = LazyProgram(
            LinearProgram(
                cost=-seller,
                matrix=keeps,
                row_lower=np.full(rows, -np.inf),
                row_upper=upper,
                lower=np.zeros(self._lots),
                upper=quantity.astype(np.float64),
            )
        )

    def add(self, columns: list[tuple[int, Counts, float]]) -> None:
        """Add (bidder, bundle, value) columns."""
        matrix = np.zeros((self._program.row_count, len(columns)))
        for place, (bidder, bundle, _) in enumerate(columns):
            matrix[: self._lots, place] = bundle
            matrix[self._lots + bidder, place] = 1.0
        cost = np.array([-worth for _, _, worth in columns])
        self._program.add_columns(cost, np.zeros(len(columns)), np.full(len(columns), np.inf), csr_array(matrix))

    def solve(self) -> tuple[float, Money, Money]:
        """Return the optimum, the (M,) prices and the (N,) surpluses."""
        found = self._program.solve().optimum()
        dual: Vector = np.maximum(-found.row_dual, 0.0)
        return -found.objective, dual[: self._lots], dual[self._lots :]


def _everything(quantity: Counts, prices: Money) -> Offer:
    """Offer all blocks at (M,) prices to somebody who holds nothing."""
    lot = np.repeat(np.arange(len(quantity)), quantity)
    return Offer(np.zeros(len(quantity), dtype=np.int64), lot, prices[lot])


def _allocation(
    valuations: Sequence[Valuation],
    quantity: Counts,
    seller: Money,
    bundles: Counts,
    how: tuple[float | None, Status, str],
) -> Allocation:
    values = np.array([v.value(bundle) for v, bundle in zip(valuations, bundles, strict=True)], dtype=np.float64)
    kept = float(seller @ (quantity - bundles.sum(axis=0)))
    bound, status, method = how
    reached = float(values.sum()) + kept
    return Allocation(bundles, values, kept, reached if bound is None else max(bound, reached), status, method)


_LEAST = 1e-12  # what nobody values is sold to nobody


def _highest(valuations: Sequence[Valuation], quantity: Counts, seller: Money) -> Counts:
    bundles = np.zeros((len(valuations), len(quantity)), dtype=np.int64)
    if valuations:
        worth = np.array([v.block for v in valuations if isinstance(v, Additive)])
        owner, sold = worth.argmax(axis=0), worth.max(axis=0) >= np.maximum(seller, _LEAST)
        bundles[owner[sold], np.flatnonzero(sold)] = quantity[sold]
    return bundles


def _assigned(valuations: Sequence[Valuation], quantity: Counts, seller: Money) -> Counts:
    """Assign blocks to marginal values of symmetric bidders, to unit-demand bidders, or to the best additive value.

    A symmetric bidder's k-th block is worth the same whichever it is, and the gains fall with k: the best assignment
    takes his first ones. So the sum is that of a gross-substitutes market, whose assignment is integral.
    """
    lot = np.repeat(np.arange(len(quantity)), quantity)
    blocks = len(lot)
    marginal = [(i, gain) for i, v in enumerate(valuations) if isinstance(v, Symmetric) for gain in np.diff(v.total)]
    marginal = sorted(marginal, key=lambda pair: -pair[1])[:blocks]
    single = [(i, v.block) for i, v in enumerate(valuations) if isinstance(v, UnitDemand)]
    additive = [(i, v.block) for i, v in enumerate(valuations) if isinstance(v, Additive)]
    other = np.array([seller, *(block for _, block in additive)])  # row 0: the seller keeps it
    columns = np.full((blocks, len(marginal) + len(single) + blocks), -np.inf)
    columns[:, : len(marginal)] = [gain for _, gain in marginal]
    for place, (_, block) in enumerate(single):
        columns[:, len(marginal) + place] = block[lot]
    columns[np.arange(blocks), len(marginal) + len(single) + np.arange(blocks)] = other.max(axis=0)[lot]
    owners = [i for i, _ in marginal] + [i for i, _ in single]
    bundles = np.zeros((len(valuations), len(quantity)), dtype=np.int64)
    for row, column in zip(*linear_sum_assignment(columns, maximize=True), strict=True):
        if columns[row, column] < _LEAST:
            continue
        if column < len(owners):
            bundles[owners[column], lot[row]] += 1
        elif (best := int(other[:, lot[row]].argmax())) > 0:
            bundles[additive[best - 1][0], lot[row]] += 1
    return bundles


def _programmed(valuations: Sequence[Valuation], quantity: Counts, seller: Money, time_limit_s: float) -> Allocation:
    codes = [encode(valuation) for valuation in valuations]
    lots = len(quantity)
    starts = np.concatenate([[0], np.cumsum([len(code.gain) for code in codes])]).astype(int)
    gain = np.concatenate([code.gain for code in codes])
    rows, columns, entries, upper = [], [], [], []
    count = 0
    for start, code in zip(starts, codes, strict=False):
        gain[start : start + lots] -= seller  # what a bidder gets the seller does not keep
        row, column = np.nonzero(code.rows)
        rows.append(count + row)
        columns.append(start + column)
        entries.append(code.rows[row, column])
        upper.append(code.row_upper)
        rows.append(np.full(lots, -1))  # supply rows are counted from the end: one for each lot
        columns.append(start + np.arange(lots))
        entries.append(np.ones(lots))
        count += len(code.rows)
    row_of = np.concatenate(rows)
    row_of[row_of == -1] = np.tile(count + np.arange(lots), len(codes))
    shape = (count + lots, int(starts[-1]))
    matrix = csr_array((np.concatenate(entries), (row_of, np.concatenate(columns))), shape=shape)
    limits = np.concatenate([*upper, quantity.astype(np.float64)])
    program = MixedIntegerProgram(
        -gain, np.concatenate([code.upper for code in codes]), np.concatenate([code.integer for code in codes])
    ).with_rows(matrix, np.full(len(limits), -np.inf), limits)
    found = solve_integer(program, time_limit_s=time_limit_s)
    if not np.isfinite(found.objective):
        raise SolverError(f"no allocation was found within {time_limit_s:g} s: {found.message}")
    bundles = np.array(
        [
            _useful(valuation, found.x[start : start + lots].astype(np.int64))
            for valuation, start in zip(valuations, starts, strict=False)
        ]
    )
    kept_all = float(seller @ quantity)
    how = (kept_all - found.bound, found.status, "a mixed-integer program")
    return _allocation(valuations, quantity, seller, bundles, how)


def _useful(valuation: Valuation, bundle: Counts) -> Counts:
    """Return the bundle without the lots that add nothing to its value."""
    worth = valuation.value(bundle)
    for lot in np.flatnonzero(bundle):
        without = bundle.copy()
        without[lot] = 0
        if valuation.value(without) >= worth:
            bundle = without
    return bundle
