"""Records of an auction back to its events: what their replay does not bear out is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.auction.closing import following, round_closed, tie_number, why_closing
from engine.auction.configuration import configuration_to_json
from engine.auction.event_data import short
from engine.auction.events import Event
from engine.auction.records import (
    BidRecord,
    Records,
    RoundRecord,
    StandingRecord,
    StatusRecord,
    WithdrawalRecord,
)
from engine.auction.rules import Configuration
from engine.auction.state import NOBODY, AuctionState
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError, Problem

MOST_ROUNDS = 10_000
MOST_ANNULLED = 1_000


def events_of(records: Records, configuration: Configuration) -> tuple[Event, ...]:
    """Return events whose replay leads through the rounds of ``records``.

    A bidder is admitted before the first round that tells of him. Raises AuctionRuleError where the records do not
    fit together, a bid breaks a rule of ``configuration``, or the replay does not lead to the tie numbers, withdrawn
    and standing bids, minimum bids, eligibility or waivers of the records; all differences of the first such round are
    named. What else is in the records (activity, numbers of bids and increments, rounds in which bids were made)
    follows from these, and is not read.
    """
    problems = _misfits(records)
    if problems:
        raise AuctionRuleError(problems)
    replayed = _Replay(records, configuration)
    if replayed.last > MOST_ROUNDS:
        raise AuctionRuleError(f"the records tell of round {replayed.last}; at most {MOST_ROUNDS} are read")
    for number in range(1, replayed.last + 1):
        replayed.round(number)
    return tuple(replayed.events)


def _misfits(records: Records) -> list[Problem]:
    """Return what of the records cannot be replayed at all."""
    problems: list[Problem] = []
    known = set[str]()
    for bidder in records.bidders:
        if bidder.bidder in known:
            problems.append(Problem("bidder", "error", f"bidder {short(bidder.bidder)} is listed twice"))
        known.add(bidder.bidder)
    told: tuple[BidRecord | WithdrawalRecord | StatusRecord, ...] = (
        *records.bids,
        *records.withdrawals,
        *records.status,
    )
    strangers = dict.fromkeys(row.bidder for row in told if row.bidder not in known)
    problems += [
        Problem("bidder", "error", f"the records tell of {short(name)}, who is not among the bidders")
        for name in strangers
    ]
    annulled = 0
    for row in sorted(records.rounds, key=lambda row: row.round):
        if not annulled <= row.annulled <= MOST_ANNULLED:
            words = f"round {row.round}: {row.annulled} rounds annulled before it; between {annulled} and "
            problems.append(Problem("annulled", "error", f"{words}{MOST_ANNULLED} are possible"))
            break
        annulled = row.annulled
    return problems


class _Replay:
    """The events so far, and the state that they lead to."""

    def __init__(self, records: Records, configuration: Configuration) -> None:
        self.rounds = {row.round: row for row in records.rounds}
        self.bids, self.withdrawals = _by_round(records.bids), _by_round(records.withdrawals)
        self.status, self.standing = _by_round(records.status), _by_round(records.standing)
        self.last = max((*self.rounds, *self.bids, *self.withdrawals, *self.status, *self.standing), default=0)
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
        problems = _differing_withdrawals(self._now(), self.withdrawals.get(number, []))
        if problems:
            raise AuctionRuleError(problems)
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


def _differing_withdrawals(state: AuctionState, rows: Sequence[WithdrawalRecord]) -> list[Problem]:
    """Return which blocks a withdrawal of these lots gives back that the records do not tell, and the other way."""
    told = {(row.bidder, row.lot, row.block, row.amount) for row in rows}
    found = set()
    for bidder, lot in {(row.bidder, row.lot) for row in rows}:
        place, number = state.bidder_place.get(bidder), state.sale.lot_place.get(lot)
        slots = [] if number is None else range(*state.slots_of(number).indices(len(state.price)))
        held = ((k, int(state.price[slot])) for k, slot in enumerate(slots, 1) if state.holder[slot] == place)
        found |= {(bidder, lot, block, amount) for block, amount in held}
    return [
        Problem(
            "withdrawal",
            "error",
            f"round {state.round}: {short(bidder)} withdraws {amount} on block {block} of lot {short(lot)} in the "
            f"{'records' if (bidder, lot, block, amount) in told else 'replay'} only",
            element=lot,
        )
        for bidder, lot, block, amount in sorted(told ^ found)
    ]


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
