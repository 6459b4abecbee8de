"""The efficient allocation, and the bound of linear prices on it.

A reserve makes the seller a bidder with additive values. Letters: N bidders, M lots, U blocks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.auction.demand import Offer, best_addition, bundles_of
from engine.auction.parts import TRIED, Owners, Part, parts_of, solve_part
from engine.auction.rules import Configuration
from engine.auction.values import Counts, Money, Valuation
from engine.integer import TIME_LIMIT_S
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
    parts = split(valuations, configuration, kept)
    return joined(parts, [solve_part(part, time_limit_s) for part in parts], valuations)


def split(valuations: Sequence[Valuation], configuration: Configuration, kept: Money | None = None) -> tuple[Part, ...]:
    """Return the parts of the market that can be solved each by itself; ``kept`` as in :func:`efficient`."""
    seller = reserves(configuration) if kept is None else kept
    return parts_of(valuations, quantities(configuration), seller)


def joined(parts: Sequence[Part], owners: Sequence[Owners], valuations: Sequence[Valuation]) -> Allocation:
    """Return the allocation of the whole market from those of its parts."""
    lots = sum(len(part.lots) for part in parts)
    bundles, kept = np.zeros((len(valuations), lots), dtype=np.int64), 0.0
    for part, found in zip(parts, owners, strict=True):
        bundles[:, part.lots] = found.bundles
        kept += float(part.seller @ (part.quantity - found.bundles.sum(axis=0)))
    values = np.array([v.value(bundle) for v, bundle in zip(valuations, bundles, strict=True)], dtype=np.float64)
    status = next((found.status for found in owners if found.status is not Status.OPTIMAL), Status.OPTIMAL)
    methods = dict.fromkeys(found.method for found in owners)
    bound = max(sum(found.bound for found in owners), float(values.sum()) + kept)
    return Allocation(bundles, values, kept, bound, status, "; ".join(methods))


def lp_bound(
    valuations: Sequence[Valuation],
    configuration: Configuration,
    kept: Money | None = None,
    *,
    start: Allocation | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> LinearBound:
    """Return the optimum of the linear program over bundles of Bikhchandani and Mamer (1997).

    It is the least of L(p) = sum of the prices + the sum of the bidders' largest surpluses over p >= 0, and so never
    below the efficient welfare. Few bundles are all put in; else column generation asks in each round every bidder
    for his best bundle at the program's prices: L there is a bound too, so that stopping at the time limit only makes
    the bound weaker. ``start`` gives the first columns.
    Raises SolverError if HiGHS fails.
    """
    first = efficient(valuations, configuration, kept) if start is None else start
    value, prices, converged, rounds = 0.0, np.zeros(len(configuration.lots)), True, 0
    until = time.perf_counter() + time_limit_s
    for part in split(valuations, configuration, kept):
        found = _bound_of(part, first.bundles[:, part.lots], until)
        value, prices[part.lots] = value + found.value, found.prices
        converged, rounds = converged and found.converged, max(rounds, found.rounds)
    return LinearBound(value, prices, converged, rounds)


def _bound_of(part: Part, start: Counts, until: float) -> LinearBound:
    valuations, quantity, seller = part.valuations, part.quantity, part.seller
    master = _Master(quantity, seller, len(valuations))
    if np.prod(quantity + 1.0) <= TRIED:
        bundles = np.concatenate(list(bundles_of(quantity)))
        worths = np.array([valuation.values(bundles) for valuation in valuations])
        master.add([(i, bundle, worths[i, k]) for i in range(len(valuations)) for k, bundle in enumerate(bundles) if k])
        _, asked, _ = master.solve()
        value = float(quantity @ np.maximum(asked, seller)) + float((worths - bundles @ asked).max(axis=1).sum())
        return LinearBound(value, asked, True, 1)
    master.add([(i, bundle, valuations[i].value(bundle)) for i, bundle in enumerate(start)])
    best, prices, rounds = np.inf, np.zeros(len(quantity)), 0
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
        if time.perf_counter() > until:
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
