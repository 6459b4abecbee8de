"""Is an outcome of the auction a competitive equilibrium? Conditions (7), modified values (8), bounds (9).

The modified value of a bundle S is v(S) - increment x (blocks of S that the bidder does not hold in the outcome):
definition (8) of arXiv 2604.08854. Under gross substitutes and straightforward bidding the outcome is an equilibrium
for it (proposition 3 there, after Milgrom 2000). The seller is a bidder with additive values: his reserves. So an
unsold block may have his reserve as its price. Letters: N bidders, M lots, U blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.auction import results
from engine.auction.demand import ENUMERATED, Offer, best_addition, bundles_of, maximisers
from engine.auction.optimum import Allocation, efficient, first_step, reserves
from engine.auction.rules import Configuration
from engine.auction.state import NOBODY, AuctionState
from engine.auction.values import SUBSTITUTES, Counts, Money, Valuation

ROUNDING = 1e-9  # relative: sums of decimals that differ by less are equal


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Who holds which block at which price."""

    configuration: Configuration
    price: Money  # (U,); of an unsold block what its first bid would have to exceed by an increment
    holder: Counts  # (U,), bidder's place, NOBODY for the seller
    increment: Money  # (M,), how far the next bid must be above the lowest price

    @property
    def lot(self) -> Counts:
        """Return the (U,) lot of each block."""
        lots = self.configuration.lots
        return np.repeat(np.arange(len(lots)), [lot.quantity for lot in lots])

    def bundle(self, bidder: int) -> Counts:
        """Return the (M,) blocks of a bidder, by his place."""
        lots = len(self.configuration.lots)
        return np.bincount(self.lot[self.holder == bidder], minlength=lots).astype(np.int64)

    def paid(self, bidder: int) -> float:
        """Return what a bidder pays for his blocks."""
        return float(self.price[self.holder == bidder].sum())

    @property
    def kept(self) -> float:
        """Return what the seller's reserves say of the unsold blocks."""
        return float(reserves(self.configuration)[self.lot][self.holder == NOBODY].sum())

    @property
    def unsold(self) -> float:
        """Return the prices of unsold blocks beyond the seller's reserves: (7b) asks for none."""
        beyond = np.maximum(self.price - reserves(self.configuration)[self.lot], 0.0)
        return float(beyond[self.holder == NOBODY].sum())

    @property
    def below_reserve(self) -> float:
        """Return the seller's reserves beyond the prices of sold blocks: what (7a) asks for him."""
        beyond = np.maximum(reserves(self.configuration)[self.lot] - self.price, 0.0)
        return float(beyond[self.holder != NOBODY].sum())

    @property
    def one_increment_each(self) -> float:
        """Return one increment for every block."""
        return float(self.increment[self.lot].sum())

    def personal(self, bidder: int) -> "PersonalPrices":
        """Return what every block costs a bidder: an increment more where he does not hold it."""
        lot = self.lot
        penalty = np.where(self.holder == bidder, 0.0, self.increment[lot])
        order = np.lexsort((penalty, self.price + penalty, lot))
        return PersonalPrices(lot[order], self.price[order], penalty[order])


@dataclass(frozen=True, slots=True, eq=False)
class PersonalPrices:
    """Blocks in the order in which a bidder would take them: by lot, then the cheapest with its penalty first."""

    lot: Counts  # (U,)
    price: Money  # (U,)
    penalty: Money  # (U,)

    def offer(self, lots: int) -> Offer:
        """Return all blocks as an offer to somebody who holds nothing."""
        return Offer(np.zeros(lots, dtype=np.int64), self.lot, self.price + self.penalty)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One bundle of one bidder, as in Tables VI to IX of the paper."""

    bundle: tuple[int, ...]  # blocks of each lot
    value: float
    penalty: float
    price: float
    modified_surplus: float  # value - penalty - price


@dataclass(frozen=True, slots=True, eq=False)
class BidderCheck:
    """Condition (7a) for one bidder, under the modified values (8)."""

    bidder: int
    bundle: Counts  # (M,), what he holds
    value: float
    paid: float
    best_surplus: float  # largest modified surplus of any bundle
    maximisers: Counts  # (K, M), bundles that reach it
    all_maximisers: bool  # False: only one of them, for there are too many bundles to try
    tolerance: float

    @property
    def surplus(self) -> float:
        """Return the modified surplus of what he holds: there is no penalty in it."""
        return self.value - self.paid

    @property
    def envy(self) -> float:
        """Return by how much he would rather have another bundle at these prices."""
        return max(0.0, self.best_surplus - self.surplus)

    @property
    def holds(self) -> bool:
        """Return whether (7a) holds."""
        return self.envy <= self.tolerance


@dataclass(frozen=True, slots=True, eq=False)
class EquilibriumCheck:
    """Conditions (7a), (7b) and bounds (9) of one outcome."""

    outcome: Outcome
    bidders: tuple[BidderCheck, ...]
    optimum: Allocation

    @property
    def welfare(self) -> float:
        """Return the sum of the bidders' values of what they hold, and of the seller's for the rest."""
        return sum(check.value for check in self.bidders) + self.outcome.kept

    @property
    def condition_7a(self) -> bool:
        """Return whether every bidder holds a bundle that is best for him, and the seller sells nothing too cheap."""
        return all(check.holds for check in self.bidders) and self.outcome.below_reserve <= self._tolerance

    @property
    def condition_7b(self) -> bool:
        """Return whether no unsold block has a price (above the seller's reserve)."""
        return self.outcome.unsold <= self._tolerance

    @property
    def holds(self) -> bool:
        """Return whether the outcome is a competitive equilibrium under the modified values."""
        return self.condition_7a and self.condition_7b

    @property
    def loss(self) -> float:
        """Return the optimal welfare minus the welfare; where the optimum is not proven, the most that it can be."""
        return self.optimum.bound - self.welfare

    @property
    def bound(self) -> float:
        """Return what (9) allows as a loss in an equilibrium: one increment for every block."""
        return self.outcome.one_increment_each

    @property
    def tighter_bound(self) -> float:
        """Return one increment for every block that the optimum gives to a bidder who does not hold it."""
        moved = [self.optimum.bundles[check.bidder] - check.bundle for check in self.bidders]
        return float(sum(self.outcome.increment @ np.maximum(more, 0) for more in moved))

    @property
    def modified_gap(self) -> float:
        """Return how far the prices are from supporting the outcome: zero exactly in an equilibrium."""
        return sum(check.envy for check in self.bidders) + self.outcome.unsold + self.outcome.below_reserve

    @property
    def loss_bound(self) -> float:
        """Return the largest loss that these prices leave possible, equilibrium or not."""
        return self.modified_gap + self.bound

    @property
    def _tolerance(self) -> float:
        return _tolerance(float(self.outcome.price.sum()))


def outcome_of(state: AuctionState, *, as_if_ended: bool = False) -> Outcome:
    """Return the outcome as things stand; after the close, or ``as_if_ended``, without what is not awarded.

    A block that stayed below its reserve is then the seller's, at the reserve.
    """
    configuration, sale = state.configuration, state.sale
    reserve = results.reserves(state).astype(np.float64)
    holder = results.awarded(state) if as_if_ended or state.phase == "closed" else np.array(state.holder)
    free = state.holder == NOBODY
    first = np.maximum(state.minimum - first_step(configuration), 0)[sale.slot_lot]
    price = np.where(free, first, state.price).astype(np.float64)
    price = np.where(holder == NOBODY, np.maximum(price, reserve), price)
    first_free = np.logical_or.reduceat(free, sale.first_slot[:-1])
    above = state.minimum - state.lowest_price()
    increment = np.where(first_free, first_step(configuration), above).astype(np.float64)
    return Outcome(configuration, price, holder.astype(np.int64), increment)


def check_equilibrium(
    valuations: Sequence[Valuation], outcome: Outcome, optimum: Allocation | None = None
) -> EquilibriumCheck:
    """Return conditions (7a), (7b) under the modified values (8), and the bounds (9).

    All maximisers are listed to ``ENUMERATED`` bundles (16 lots), one above. A budget is not looked at. ``optimum``
    is the efficient allocation where it is known already. Raises SolverError as
    :func:`engine.auction.optimum.efficient`.
    """
    best = efficient(valuations, outcome.configuration) if optimum is None else optimum
    number = np.prod([lot.quantity + 1.0 for lot in outcome.configuration.lots])
    whole = bool(number <= ENUMERATED)
    checks = tuple(check_bidder(v, outcome, i, list_all=whole) for i, v in enumerate(valuations))
    return EquilibriumCheck(outcome, checks, best)


def check_bidder(valuation: Valuation, outcome: Outcome, bidder: int, *, list_all: bool = True) -> BidderCheck:
    """Return condition (7a) of the bidder at a place, with all maximisers or (faster) one of them.

    Raises LimitError if all are asked for and there are too many bundles.
    """
    held = outcome.bundle(bidder)
    offer = outcome.personal(bidder).offer(len(held))
    if list_all:
        best, bundles = maximisers(valuation, offer)
    else:
        bundles = best_addition(valuation, offer)[np.newaxis, :]
        best = valuation.value(bundles[0]) - offer.price(bundles[0])
    value, paid = valuation.value(held), outcome.paid(bidder)
    return BidderCheck(bidder, held, value, paid, best, bundles, list_all, _tolerance(value + paid))


def table(valuation: Valuation, outcome: Outcome, bidder: int, bundles: Counts | None = None) -> Iterator[TableRow]:
    """Give every bundle of the bidder at a place with its modified surplus, by size and then by lots' numbers.

    ``bundles`` (K, M) are those that are asked for where there are too many to give all.
    """
    personal = outcome.personal(bidder)
    quantity = np.array([lot.quantity for lot in outcome.configuration.lots], dtype=np.int64)
    everything = np.concatenate(list(bundles_of(quantity))) if bundles is None else bundles
    order = np.lexsort((*(-everything.T[::-1]), everything.sum(axis=1)))
    first = np.concatenate([[0], np.cumsum(quantity)[:-1]])
    rank = np.arange(len(personal.lot)) - first[personal.lot]
    for bundle, value in zip(everything[order], valuation.values(everything[order]), strict=True):
        taken = rank < bundle[personal.lot]
        penalty, price = float(personal.penalty[taken].sum()), float(personal.price[taken].sum())
        blocks = tuple(int(number) for number in bundle)
        yield TableRow(blocks, float(value), penalty, price, float(value) - penalty - price)


def dual_value(valuations: Sequence[Valuation], outcome: Outcome) -> float:
    """Return L(p): the prices (the seller's reserve where it is more) and every bidder's largest surplus at them.

    Never below the optimal welfare (weak duality of the Bikhchandani-Mamer program), and equal to it exactly if the
    prices support an equilibrium of the bidders' own values. Only prices matter here, not who holds what.
    """
    lot, lots = outcome.lot, len(outcome.configuration.lots)
    total = float(np.maximum(outcome.price, reserves(outcome.configuration)[lot]).sum())
    order = np.lexsort((outcome.price, lot))
    offer = Offer(np.zeros(lots, dtype=np.int64), lot[order], outcome.price[order])
    for valuation in valuations:
        bundle = best_addition(valuation, offer)
        total += valuation.value(bundle) - offer.price(bundle)
    return total


def rounds_bound(valuations: Sequence[Valuation], configuration: Configuration) -> int:
    """Return in how many rounds an auction with a fixed increment and straightforward bidders ends at the latest.

    In every round but the last some block's price rises by an increment or more, and never above the most that it
    adds to anybody's value: for gross substitutes its value alone, else at most the value of everything.
    """
    increment = configuration.rules.increment.amount
    lots = len(configuration.lots)
    most = np.zeros(lots)
    for valuation in valuations:
        if isinstance(valuation, SUBSTITUTES):
            alone = valuation.values(np.eye(lots, dtype=np.int64))
        else:
            alone = np.full(lots, valuation.value(valuation.quantity))
        most = np.maximum(most, alone)
    quantity = np.array([lot.quantity for lot in configuration.lots])
    return 1 + int(quantity @ np.ceil(most / increment))


def _tolerance(size: float) -> float:
    return ROUNDING * (1.0 + abs(size))
