"""What an auction is measured against: prices of a competitive equilibrium, and what Vickrey payments would be.

Prices that support the optimum exist exactly if the program over bundles reaches it (Bikhchandani and Mamer 1997). Of
several the ones with the lowest sum are told: under gross substitutes they are the lowest lot by lot too (Gul and
Stacchetti, *Walrasian equilibrium with gross substitutes*, Journal of Economic Theory 87, 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.auction.certificate import Market
from engine.auction.demand import Offer, best_addition
from engine.auction.equilibrium import Outcome, dual_value
from engine.auction.optimum import EQUAL, Allocation, LinearBound, lp_bound, quantities, reserves
from engine.auction.rules import Configuration
from engine.auction.state import AuctionState
from engine.auction.values import Counts, Money, Valuation
from engine.auction.vcg import VickreyClarkeGroves, payments
from engine.errors import SolverError
from engine.program import LazyProgram, LinearProgram

LARGEST_THEORY = 12_000  # bidders x blocks up to which other bidders' optima are worked out
MOST_PASSES = 200  # of asking everybody for his demand, in search of the lowest prices
_PREFERS = 1e-7  # relative: a bundle that is better by less is as good; the solver keeps rows to 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Yardsticks:
    """The yardsticks; None where values are not known, none exist, or the market is too large."""

    vcg: VickreyClarkeGroves | None = None
    prices: tuple[float, ...] | None = None  # (M,), of one block, in an equilibrium of own values
    prices_words: str = ""  # which equilibrium it is
    linear_bound: float | None = None


def yardsticks(state: AuctionState, market: Market, notices: list[str]) -> Yardsticks:
    """Return the yardsticks of a market; what is missing is said in ``notices``."""
    known, optimum, bound = market.known, market.optimum, market.bound
    if known is None or optimum is None or bound is None:
        missing = sum(valuation is None for valuation in market.valuations)
        have = "has" if missing == 1 else "have"
        notices.append(f"{missing} of {len(market.valuations)} bidders {have} no assigned values: no efficiency")
        return Yardsticks()
    if len(known) * len(state.price) > LARGEST_THEORY:
        notices.append("too many bidders and blocks for equilibrium prices and VCG payments")
        return Yardsticks(linear_bound=bound.value)
    try:
        vcg = payments(known, state.configuration)
        prices, words = _prices(state, known, (optimum, bound), exist=market.prices_exist is True)
    except SolverError as error:
        notices.append(f"equilibrium prices and VCG payments are missing: {error}")
        return Yardsticks(linear_bound=bound.value)
    if not vcg.proven:
        notices.append("VCG payments rest on an allocation that was not proven best in the time allowed")
    return Yardsticks(vcg, prices, words, bound.value)


def _prices(
    state: AuctionState, known: Sequence[Valuation], best: tuple[Allocation, LinearBound], *, exist: bool
) -> tuple[tuple[float, ...] | None, str]:
    configuration, (optimum, bound) = state.configuration, best
    if not exist:
        return None, ""
    lowest = lowest_prices(known, configuration, optimum)
    if lowest is not None and supports(lowest, known, configuration, optimum.welfare):
        return tuple(lowest.tolist()), "the equilibrium prices with the lowest sum"
    found = bound.prices if len(bound.prices) else lp_bound(known, configuration, start=optimum).prices
    return tuple(np.round(found, 6).tolist()), "prices of the program over bundles; others may support the optimum too"


def lowest_prices(
    known: Sequence[Valuation], configuration: Configuration, optimum: Allocation, most: int = MOST_PASSES
) -> Money | None:
    """Return the (M,) prices with the lowest sum at which everybody, the seller too, wants what the optimum gives him.

    A linear program whose rows say that nobody prefers another bundle; the bundles are found by asking for demand at
    its prices. None if ``most`` passes do not settle it. Raises SolverError where there are no such prices.
    """
    quantity, seller = quantities(configuration), reserves(configuration)
    unsold = quantity > optimum.bundles.sum(axis=0)
    rows, room = _neighbours(known, optimum)
    program = LazyProgram(
        LinearProgram(
            cost=quantity.astype(np.float64),
            matrix=csr_array(rows),
            row_lower=np.full(len(room), -np.inf),
            row_upper=room,
            lower=seller,
            upper=np.where(unsold, seller, np.inf),
        )
    )
    for _ in range(most):
        prices = program.solve().optimum().x
        added = []
        for place, valuation in enumerate(known):
            lot = np.repeat(np.arange(len(quantity)), quantity)
            wanted = best_addition(valuation, Offer(np.zeros_like(quantity), lot, prices[lot]))
            row, most_room = _row(valuation, optimum.bundles[place], wanted)
            if float(row @ prices) > most_room + _PREFERS * (1.0 + abs(most_room)):
                added.append((row, most_room))
        if not added:
            return np.round(prices, 6)
        bounds = np.array([most_room for _, most_room in added])
        program.add_rows(np.array([row for row, _ in added]), np.full(len(added), -np.inf), bounds)
    return None


def _row(valuation: Valuation, bundle: Counts, other: Counts) -> tuple[Money, float]:
    """Return the row p(bundle) - p(other) <= v(bundle) - v(other): he does not prefer ``other``."""
    return (bundle - other).astype(np.float64), valuation.value(bundle) - valuation.value(other)


def _neighbours(known: Sequence[Valuation], optimum: Allocation) -> tuple[Money, Money]:
    """Return the rows for one block more and one block less of every lot: most of what decides."""
    rows, room = [], []
    for valuation, bundle in zip(known, optimum.bundles, strict=True):
        for step in (1, -1):
            others = bundle + step * np.eye(len(bundle), dtype=np.int64)
            others = others[((others >= 0) & (others <= valuation.quantity)).all(axis=1)]
            rows.append((bundle - others).astype(np.float64))
            room.append(valuation.value(bundle) - valuation.values(others))
    return np.concatenate(rows), np.concatenate(room)


def supports(prices: Money, known: Sequence[Valuation], configuration: Configuration, welfare: float) -> bool:
    """Return whether L(p) at these prices (M,) is the optimal welfare, which proves that they are an equilibrium's."""
    quantity = np.array([lot.quantity for lot in configuration.lots])
    each = np.repeat(prices, quantity)
    outcome = Outcome(configuration, each, np.full(len(each), -1, dtype=np.int64), np.zeros(len(prices)))
    return dual_value(known, outcome) <= welfare + EQUAL * (1.0 + abs(welfare))
