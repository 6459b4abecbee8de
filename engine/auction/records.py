"""An auction as flat records, round by round: what every file format is written from, and read into.

Records hold what happened and no assigned values, no keys and no seats' bots. From records and the configuration the
events follow again (:mod:`engine.auction.records_replay`), whose replay must lead to the bids that the records tell.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import numpy as np

from engine.auction.closing import tie_number
from engine.auction.eligibility import required_activity
from engine.auction.events import Event
from engine.auction.increments import allowed_amounts
from engine.auction.state import NOBODY, Acted, Amounts, AuctionState, RoundResult
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError


@dataclass(frozen=True, slots=True)
class BidderRecord:
    """One seat."""

    bidder: str  # id
    name: str
    eligibility: int  # units, at first


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """One closed round."""

    round: int
    stage: int  # counted from 1
    annulled: int  # rounds that had been annulled before it closed: tie numbers depend on it
    closed_at: float  # seconds since 1970, UTC


@dataclass(frozen=True, slots=True)
class BidRecord:
    """One new bid, for ``blocks`` more blocks of a lot."""

    round: int
    bidder: str
    lot: str
    amount: int  # of each block
    blocks: int
    increments: int | None  # 1 for the minimum, 2 for the next amount of the click box; None where any may be bid
    tie_number: int | None  # of 48 bits: the highest wins a tie; None where ties alternate


@dataclass(frozen=True, slots=True)
class WithdrawalRecord:
    """One withdrawn standing bid on one block."""

    round: int
    bidder: str
    lot: str
    block: int  # counted from 1
    amount: int
    bid_round: int  # in which the bid had been made


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """One bidder after one round."""

    round: int
    bidder: str
    eligibility: int  # units left for the next round
    waivers_left: int
    withdrawal_rounds_left: int
    required: int  # units of activity that this round asked for
    activity: int  # units that it saw
    waiver: str  # "", "proactive" or "automatic"
    reduction: bool  # he chose that eligibility falls instead of a waiver being used


@dataclass(frozen=True, slots=True)
class StandingRecord:
    """One block after one round."""

    round: int
    lot: str
    block: int  # counted from 1
    bidder: str  # "" while nobody's bid stands
    amount: int  # 0 without a bid
    bid_round: int  # in which it was made, 0 without one
    minimum: int  # lowest bid that the lot accepts in the next round
    bids: int  # new bids that the lot had in this round


@dataclass(frozen=True, slots=True)
class Records:
    """A whole auction."""

    bidders: tuple[BidderRecord, ...]
    rounds: tuple[RoundRecord, ...] = ()  # a foreign file may lack them
    bids: tuple[BidRecord, ...] = ()
    withdrawals: tuple[WithdrawalRecord, ...] = ()
    status: tuple[StatusRecord, ...] = ()
    standing: tuple[StandingRecord, ...] = ()


def columns_of(kind: type) -> dict[str, Any]:
    """Return the names and types of the columns of one kind of record."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def records_of(events: Iterable[Event]) -> Records:
    """Return the records of a ledger's events: rounds that were annulled and practice are not among them."""
    state: AuctionState | None = None
    seen: dict[int, tuple[AuctionState, AuctionState]] = {}  # by round: before and after its close
    for event in events:
        before, state = state, apply(state, event)
        if event.kind == "round closed" and before is not None and not before.practice:
            seen[before.round] = (before, state)
    if state is None:
        raise AuctionRuleError("an auction without events has no records")
    kept = [(result, *seen[result.round]) for result in state.rounds if not state.practice]
    made = np.zeros(len(state.price), np.int64)  # (U,), round of the standing bid on each block
    bidders = tuple(BidderRecord(bidder.id, bidder.name, bidder.initial_eligibility) for bidder in state.bidders)
    rounds: list[RoundRecord] = []
    bids: list[BidRecord] = []
    withdrawals: list[WithdrawalRecord] = []
    status: list[StatusRecord] = []
    standing: list[StandingRecord] = []
    for result, before, after in kept:
        rounds.append(RoundRecord(result.round, result.stage + 1, before.annulled, result.closed_at))
        bids += _bids(result, before)
        withdrawals += _withdrawals(result, before, made)
        status += _status(result, before, after)
        # A standing bid is beaten by a higher one only, so that the same amount of the same bidder is the same bid.
        new = (before.price != result.price) | (before.holder != result.holder)
        made = np.where(result.holder == NOBODY, 0, np.where(new, result.round, made))
        standing += _standing(result, before, made)
    return Records(bidders, tuple(rounds), tuple(bids), tuple(withdrawals), tuple(status), tuple(standing))


def _bids(result: RoundResult, before: AuctionState) -> Iterator[BidRecord]:
    lots = before.configuration.lots
    for place, acted in sorted(result.acted.items()):
        bidder = before.bidders[place].id
        for bid in acted.bids:
            amounts = allowed_amounts(before, bid.lot)
            step = amounts.index(bid.amount) + 1 if bid.amount in amounts else None
            lot = lots[bid.lot].id
            number = tie_number(before, lot, bidder) if before.configuration.rules.ties == "random" else None
            yield BidRecord(result.round, bidder, lot, bid.amount, bid.blocks, step, number)


def _withdrawals(result: RoundResult, before: AuctionState, made: Amounts) -> Iterator[WithdrawalRecord]:
    lots = before.configuration.lots
    for place, acted in sorted(result.acted.items()):
        for lot in acted.withdrawn:
            slots = before.slots_of(lot)
            for slot in range(slots.start, slots.stop):
                if before.holder[slot] == place:
                    yield WithdrawalRecord(
                        result.round,
                        before.bidders[place].id,
                        lots[lot].id,
                        slot - slots.start + 1,
                        int(before.price[slot]),
                        int(made[slot]),
                    )


def _status(result: RoundResult, before: AuctionState, after: AuctionState) -> Iterator[StatusRecord]:
    for place, bidder in enumerate(before.bidders):
        acted, left = result.acted.get(place, Acted()), after.bidders[place]
        automatic = "automatic" if place in result.automatic_waivers else ""
        yield StatusRecord(
            round=result.round,
            bidder=bidder.id,
            eligibility=left.eligibility,
            waivers_left=left.waivers_left,
            withdrawal_rounds_left=left.withdrawal_rounds_left,
            required=required_activity(before, bidder),
            activity=int(result.activity[place]),
            waiver="proactive" if acted.waiver else automatic,
            reduction=acted.reduce,
        )


def _standing(result: RoundResult, before: AuctionState, made: Amounts) -> Iterator[StandingRecord]:
    lots, first = before.configuration.lots, before.first_slot.tolist()
    names = [*(bidder.id for bidder in before.bidders), ""]  # the last is that of NOBODY, which is -1
    minimum, bids = result.minimum.tolist(), result.bids_per_lot.tolist()
    blocks = zip(
        before.sale.slot_lot.tolist(), result.holder.tolist(), result.price.tolist(), made.tolist(), strict=True
    )
    for slot, (lot, holder, price, bid_round) in enumerate(blocks):
        block = slot - first[lot] + 1
        yield StandingRecord(
            result.round, lots[lot].id, block, names[holder], price, bid_round, minimum[lot], bids[lot]
        )
