"""What a bidder would lose if only a part of what he bids for were his: the exposure problem, in numbers.

The surplus of a part T of what he holds and bids for is v(T) minus what T costs; the exposure is the least of it over
all parts, nothing included, so it is never above zero. Under gross substitutes straightforward bids have none: each
lot is worth its price beside any of the others. With complements (a campus needs both lots) they do.
Letters: M lots, K bundles.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.auction.demand import bundles_of
from engine.auction.state import AuctionState, Bid
from engine.auction.values import Additive, Campus, Counts, Money, Symmetric, UnitDemand, Valuation, from_json

ENUMERATED = 2**14  # parts that are tried one by one
Costs = Sequence[Money]  # of each lot the prices of the blocks held and bid for, dearest first


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The part of a bundle that would be the worst to be left with."""

    surplus: float  # value minus price; 0 where no part loses
    blocks: Counts  # (M,)
    exact: bool  # else there may be a worse one


@dataclass(frozen=True, slots=True)
class Exposure:
    """A bidder's private view of a set of bids, before he sends it."""

    known: bool  # his values are assigned; else only what he would pay is told
    value_all: float
    pay_all: int  # for what he holds and bids for
    surplus_all: float
    worst_surplus: float  # of the worst part; 0 where no part loses
    worst_part: tuple[tuple[str, int], ...]  # lot's id and blocks
    exact: bool
    words: str


def exposure(state: AuctionState, place: int, bids: Sequence[Bid], valuation: Valuation | None = None) -> Exposure:
    """Return what winning all of ``bids`` and the worst part of it would mean to the bidder at ``place``.

    ``valuation`` is the bidder's, read already; without it his assigned values are read from his seat.
    """
    bidder, configuration = state.bidders[place], state.configuration
    costs = costs_of(state, place, bids)
    pay = int(sum(cost.sum() for cost in costs))
    if valuation is None and bidder.valuation is None:
        words = f"with all bids won you would pay {pay} {configuration.currency}; no values are assigned to this seat"
        return Exposure(False, 0.0, pay, 0.0, 0.0, (), False, words)
    known = valuation or from_json(bidder.valuation, configuration)
    everything = np.array([len(cost) for cost in costs])
    value, part = known.value(everything), worst_part(known, costs)
    lots = tuple((configuration.lots[lot].id, int(part.blocks[lot])) for lot in np.flatnonzero(part.blocks))
    if part.surplus < 0.0:
        names = ", ".join(configuration.lots[lot].name for lot in np.flatnonzero(part.blocks))
        least = "" if part.exact else "at least "
        words = f"if only {names} were won, the loss would be {least}{-part.surplus:g} {configuration.currency}"
    elif part.exact:
        words = "no part of these bids would be a loss"
    else:
        words = "no part that was tried would be a loss; there are too many to try all"
    return Exposure(True, value, pay, value - pay, part.surplus, lots, part.exact, words)


def costs_of(state: AuctionState, place: int, bids: Sequence[Bid]) -> list[Money]:
    """Return for each lot the prices of the bidder's standing blocks and new bids, dearest first."""
    asked: Mapping[int, Bid] = {bid.lot: bid for bid in bids}
    mine = state.holder == place
    found = []
    for lot in range(len(state.configuration.lots)):
        slots = state.slots_of(lot)
        prices = state.price[slots][mine[slots]].astype(np.float64)
        if lot in asked:
            bid = asked[lot]
            prices = np.concatenate([prices, np.full(bid.blocks, float(bid.amount))])
        found.append(np.sort(prices)[::-1])
    return found


def worst_part(valuation: Valuation, costs: Costs) -> Part:
    """Return the part of the blocks whose prices are ``costs`` with the least value minus price.

    Of each lot the dearest blocks are the ones left. Exact in closed form for additive, symmetric and unit-demand
    values, site by site for a campus, and by trying all parts up to ``ENUMERATED``; else a descent from the whole.
    """
    if isinstance(valuation, Additive):
        blocks = np.array([int((cost > worth).sum()) for cost, worth in zip(costs, valuation.block, strict=True)])
        return _part(valuation, costs, blocks, exact=True)
    if isinstance(valuation, Symmetric):
        return _dearest_first(valuation, costs)
    if isinstance(valuation, UnitDemand):
        return _up_to_a_value(valuation, costs)
    sites = valuation.sites() if isinstance(valuation, Campus) else [np.arange(len(costs))]
    blocks, exact = np.zeros(len(costs), dtype=np.int64), True
    for site in sites:
        room = np.zeros(len(costs), dtype=np.int64)
        room[site] = [len(costs[lot]) for lot in site]
        if math.prod(blocks_of + 1 for blocks_of in room.tolist()) <= ENUMERATED:
            blocks += _enumerated(valuation, costs, room)
        else:
            blocks, exact = blocks + _descent(valuation, costs, room), False
    return _part(valuation, costs, blocks, exact=exact)


def _part(valuation: Valuation, costs: Costs, blocks: Counts, *, exact: bool) -> Part:
    price = float(sum(cost[:count].sum() for cost, count in zip(costs, blocks, strict=True)))
    surplus = valuation.value(blocks) - price
    return Part(surplus, blocks, exact) if surplus < 0.0 else Part(0.0, np.zeros_like(blocks), exact)


def _dearest_first(valuation: Symmetric, costs: Costs) -> Part:
    lot = np.repeat(np.arange(len(costs)), [len(cost) for cost in costs])
    price = np.concatenate(costs) if len(lot) else np.zeros(0)
    order = np.argsort(-price, kind="stable")
    surplus = valuation.total[: len(lot) + 1] - np.concatenate([[0.0], np.cumsum(price[order])])
    taken = lot[order[: int(surplus.argmin())]]
    return _part(valuation, costs, np.bincount(taken, minlength=len(costs)), exact=True)


def _up_to_a_value(valuation: UnitDemand, costs: Costs) -> Part:
    """Every lot that is worth no more than the best one adds a price and no value: they all are in the worst part."""
    room = np.array([len(cost) for cost in costs])
    parts = [np.where(valuation.block <= best, room, 0) for best in np.unique(valuation.block[room > 0])]
    found = [_part(valuation, costs, blocks, exact=True) for blocks in parts]
    return min(found, key=lambda part: part.surplus, default=Part(0.0, np.zeros_like(room), True))


def _enumerated(valuation: Valuation, costs: Costs, room: Counts) -> Counts:
    best, blocks, lots = 0.0, np.zeros(len(room), dtype=np.int64), np.flatnonzero(room).tolist()
    if not lots:
        return blocks
    for some in bundles_of(room[lots]):
        bundles = np.zeros((len(some), len(room)), dtype=np.int64)
        bundles[:, lots] = some
        surplus = valuation.values(bundles)
        for lot in lots:
            upto = np.concatenate([[0.0], np.cumsum(costs[lot])])
            surplus = surplus - upto[bundles[:, lot]]
        row = int(surplus.argmin())
        if surplus[row] < best:
            best, blocks = float(surplus[row]), bundles[row]
    return blocks


def _descent(valuation: Valuation, costs: Costs, room: Counts) -> Counts:
    """Take away from the whole, one by one, the block whose loss lowers the surplus most."""
    blocks, lots = room.copy(), np.flatnonzero(room)
    best, kept = 0.0, np.zeros_like(room)
    price = float(sum(cost.sum() for cost, count in zip(costs, room, strict=True) if count))
    while blocks.any():
        surplus = valuation.value(blocks) - price
        if surplus < best:
            best, kept = surplus, blocks.copy()
        here = lots[blocks[lots] > 0]
        fewer = np.repeat(blocks[np.newaxis, :], len(here), axis=0)
        fewer[np.arange(len(here)), here] -= 1
        saved = np.array([costs[lot][blocks[lot] - 1] for lot in here.tolist()])  # the cheapest that is left of the lot
        row = int((valuation.values(fewer) + saved).argmin())
        blocks, price = fewer[row], price - float(saved[row])
    return kept
