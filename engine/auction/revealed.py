"""What bids tell of people whose values nobody knows: bounds, each with what it supposes.

Who bids no more than a bundle is worth to him values it at what he offered for it. Who besides bids for his best bundle
in the last round would not have paid the minimum for anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.auction.amounts import told
from engine.auction.state import NOBODY, AuctionState
from engine.auction.values import Bundles, Counts


@dataclass(frozen=True, slots=True, eq=False)
class Revealed:
    """Lower bounds on a bidder's values, from what he offered."""

    bidder: int
    offers: Bundles  # every bundle that he offered to hold, at the most that he offered for it
    held_at_least: float  # bound on the value of what he holds
    pays: float
    words: str


def revealed(state: AuctionState, bidder: int) -> Revealed:
    """Return what the closed rounds tell of the bidder at a place, if he never offers more than a bundle is worth."""
    most: dict[tuple[int, ...], int] = {}
    holder, price = np.full(len(state.sale.slot_lot), NOBODY), np.zeros(len(state.sale.slot_lot), dtype=np.int64)
    for result in state.rounds:
        held = _blocks(state, holder == bidder)
        cost = int(price[holder == bidder].sum())
        acted = result.acted.get(bidder)
        if acted is not None:
            for lot in acted.withdrawn:
                gone = (holder == bidder) & (state.sale.slot_lot == lot)
                held[lot], cost = 0, cost - int(price[gone].sum())
            for bid in acted.bids:
                held[bid.lot] += bid.blocks
                cost += bid.amount * bid.blocks
        # An equal block bid for and outbid within the round is offered all the same, but never more than there are.
        bundle = tuple(int(n) for n in np.minimum(held, state.sale.quantity))
        if bundle == tuple(held) and any(bundle):
            most[bundle] = max(most.get(bundle, 0), cost)
        holder, price = result.holder, result.price
    own = state.holder == bidder
    offers = _valuation(state, most)
    pays = float(state.price[own].sum())
    least = max(offers.value(_blocks(state, own)), pays)
    words = (
        f"{state.bidders[bidder].name} has no assigned values. The bids say that what is held is worth "
        f"{told(least)} or more to the bidder, if no bundle is bid for above its worth"
    )
    return Revealed(bidder, offers, least, pays, words)


def _valuation(state: AuctionState, most: Mapping[tuple[int, ...], int]) -> Bundles:
    listed = np.array(list(most), dtype=np.int64).reshape(len(most), len(state.sale.quantity))
    return Bundles(state.sale.quantity, None, listed, np.array(list(most.values()), dtype=np.float64))


def _blocks(state: AuctionState, slots: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Counts:
    return np.bincount(state.sale.slot_lot[slots], minlength=len(state.sale.quantity)).astype(np.int64)
