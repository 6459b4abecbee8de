"""An auction as flat records, round by round: what every file format is written from, and read into.

Records hold what happened and no assigned values, no keys and no seats' bots. From records and the configuration the
events follow again (:func:`events_of`), and their replay must lead to the standing bids that the records tell.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

import numpy as np

from engine.auction.closing import following, round_closed, tie_number, why_closing
from engine.auction.configuration import configuration_to_json
from engine.auction.eligibility import required_activity
from engine.auction.events import Event
from engine.auction.increments import allowed_amounts
from engine.auction.rules import Configuration
from engine.auction.state import NOBODY, Acted, Amounts, AuctionState, RoundResult
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError, Problem

MOST_ROUNDS = 10_000


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


def events_of(records: Records, configuration: Configuration) -> tuple[Event, ...]:
    """Return events whose replay leads through the rounds of ``records``.

    A bidder is admitted before the first round that tells of him. Raises AuctionRuleError where a bid breaks a rule of
    ``configuration``, or the replay does not lead to the tie numbers, standing bids, minimum bids, eligibility or
    waivers of the records; all differences of the first such round are named.
    """
    replayed = _Replay(records, configuration)
    if replayed.last > MOST_ROUNDS:
        raise AuctionRuleError(f"the records tell of round {replayed.last}; at most {MOST_ROUNDS} are read")
    for number in range(1, replayed.last + 1):
        replayed.round(number)
    return tuple(replayed.events)


class _Replay:
    """The events so far, and the state that they lead to."""

    def __init__(self, records: Records, configuration: Configuration) -> None:
        self.rounds = {row.round: row for row in records.rounds}
        self.bids, self.withdrawals = _by_round(records.bids), _by_round(records.withdrawals)
        self.status, self.standing = _by_round(records.status), _by_round(records.standing)
        self.last = max((*self.rounds, *self.bids, *self.status, *self.standing), default=0)
        first: dict[str, int] = {}
        for row in records.status:
            first[row.bidder] = min(first.get(row.bidder, row.round), row.round)
        self.coming = {bidder.bidder: (first.get(bidder.bidder, 1), bidder) for bidder in records.bidders}
        self.number = 0  # of the round that is replayed
        self.events: list[Event] = []
        self.state: AuctionState | None = None
        self.at = min((row.closed_at for row in records.rounds), default=0.0)
        self._do("configured", {"configuration": configuration_to_json(configuration)})

    def _do(self, kind: Any, data: dict[str, Any], actor: str = "host") -> AuctionState:
        event = Event(kind, self.at, actor, data)
        try:
            self.state = apply(self.state, event)
        except AuctionRuleError as error:
            where = f"round {self.number}, {actor}: " if self.number else ""
            raise AuctionRuleError(
                replace(problem, message=f"{where}{problem.message}") for problem in error.problems
            ) from None
        self.events.append(event)
        return self.state

    def round(self, number: int) -> None:
        """Replay one round and compare it with the records."""
        self.number = number
        self._admit(number)
        if number == 1:
            self._do("opened", {"deadline": None})
        told = self.rounds.get(number)
        if told is not None:
            self._begin(number, told)
        else:
            self._raise_stage()
        for bidder, lots in _of_bidder(self.withdrawals.get(number, [])).items():
            names = list(dict.fromkeys(row.lot for row in lots))
            self._do("withdrawn", {"bidder": bidder, "round": number, "lots": names, "request": ""}, bidder)
        for bidder, bids in _of_bidder(self.bids.get(number, [])).items():
            listed = [[bid.lot, bid.amount, bid.blocks] for bid in bids]
            self._do("bids submitted", {"bidder": bidder, "round": number, "bids": listed, "request": ""}, bidder)
        for row in self.status.get(number, []):
            data = {"bidder": row.bidder, "round": number, "request": ""}
            if row.waiver == "proactive":
                self._do("waiver used", data, row.bidder)
            if row.reduction:
                self._do("reduction chosen", data, row.bidder)
        self._close(number)

    def _admit(self, number: int) -> None:
        for bidder in [name for name, (first, _) in self.coming.items() if first <= number]:
            _, row = self.coming.pop(bidder)
            rate = 0 if self.state is None else self.state.configuration.rules.deposit_per_unit
            data = {"bidder": row.bidder, "name": row.name, "eligibility": row.eligibility, "bot": ""}
            self._do("admitted", {**data, "deposit": rate * row.eligibility, "valuation": None})

    def _begin(self, number: int, told: RoundRecord) -> None:
        """Bring stage and number of annulments to what they were as the round began."""
        state = self._now()
        self.at = max(self.at, told.closed_at)
        while state.annulled < told.annulled:
            self._do("round closed", dict(round_closed(state, self.at, "host").data))
            state = self._do(
                "round annulled", {"round": number, "reason": "annulled in the original", "deadline": None}
            )
        if state.stage < told.stage - 1:
            self._do("stage changed", {"stage": told.stage - 1})

    def _raise_stage(self) -> None:
        """Begin the next stage where the rules ask for it, as far as no record tells the stage."""
        event = following(self._now(), self.at)
        if event is not None and event.kind == "stage changed":
            self._do(event.kind, dict(event.data), "server")

    def _close(self, number: int) -> None:
        state = self._now()
        problems = _differing_ties(state, self.bids.get(number, []))
        if not problems:
            state = self._do("round closed", dict(round_closed(state, self.at, "host").data))
            problems = _differing_blocks(state, self.standing.get(number, []))
            problems += _differing_bidders(state, self.status.get(number, []))
        if problems:
            raise AuctionRuleError(problems)
        if number == self.last and why_closing(state):
            self._do("closed", {}, "server")

    def _now(self) -> AuctionState:
        if self.state is None:
            raise AuctionRuleError("the auction has no configuration")
        return self.state


def _differing_ties(state: AuctionState, bids: Sequence[BidRecord]) -> list[Problem]:
    problems = []
    for bid in bids:
        number = tie_number(state, bid.lot, bid.bidder)
        if bid.tie_number not in (None, number):
            words = f"round {bid.round}, lot {bid.lot!r}: the tie number of {bid.bidder!r} is {bid.tie_number} in the "
            problems.append(Problem("tie-number", "error", f"{words}records and {number} by the seed", element=bid.lot))
    return problems


def _differing_blocks(state: AuctionState, standing: Sequence[StandingRecord]) -> list[Problem]:
    problems = []
    for row in standing:
        lot = state.sale.lot_place.get(row.lot)
        slots = range(0) if lot is None else range(*state.slots_of(lot).indices(len(state.price)))
        if not 1 <= row.block <= len(slots):
            words = f"round {row.round}: there is no block {row.block} of lot {row.lot!r}"
            problems.append(Problem("lot", "error", words, element=row.lot))
            continue
        slot = slots[row.block - 1]
        holder = int(state.holder[slot])
        found = ("" if holder == NOBODY else state.bidders[holder].id, int(state.price[slot]))
        where = f"round {row.round}, lot {row.lot!r}"
        if found != (row.bidder, row.amount):
            words = f"{where}, block {row.block}: the records tell {row.amount} by {row.bidder or 'nobody'}, "
            words += f"the replay {found[1]} by {found[0] or 'nobody'}"
            problems.append(Problem("standing-bid", "error", words, element=row.lot))
        minimum = int(state.minimum[lot or 0])
        if row.minimum != minimum:
            words = f"{where}: the next minimum is {row.minimum} in the records and {minimum} in the replay"
            problems.append(Problem("minimum-bid", "error", words, element=row.lot))
    return problems


def _differing_bidders(state: AuctionState, status: Sequence[StatusRecord]) -> list[Problem]:
    problems = []
    for row in status:
        bidder = state.bidders[state.bidder_place[row.bidder]]
        told = (row.eligibility, row.waivers_left, row.withdrawal_rounds_left)
        found = (bidder.eligibility, bidder.waivers_left, bidder.withdrawal_rounds_left)
        if told != found:
            words = f"round {row.round}, {row.bidder}: the records leave {told[0]} units, {told[1]} waivers and "
            words += f"{told[2]} rounds of withdrawal, the replay {found[0]}, {found[1]} and {found[2]}"
            problems.append(Problem("eligibility", "error", words))
    return problems


def _by_round(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.round, []).append(row)
    return found


def _of_bidder(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.bidder, []).append(row)
    return found
