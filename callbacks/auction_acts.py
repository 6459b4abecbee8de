"""What a bidder does: bids, withdrawals, waivers, reductions, and what he asks about his own bids before he sends them.

A set is taken whole or not at all. What is refused is told rule by rule and leaves nothing behind; what is accepted is
in the ledger before it is acknowledged; a request that is sent again is told what was answered the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callbacks.auction_access import bid_rows, is_request, names, read_order, text, whole
from callbacks.auction_room import Receipt, Rooms, Turn, no_seat, refusal
from engine.auction.bid_files import read as read_bid_file
from engine.auction.checking import (
    BidProblem,
    check_bids,
    check_reduction,
    check_turn,
    check_waiver,
    check_withdrawal,
    read_bids,
)
from engine.auction.events import Event, EventKind
from engine.auction.exposure import exposure
from engine.auction.live import Live
from engine.auction.state import AuctionState

KINDS: Mapping[str, EventKind] = {
    "bids": "bids submitted",
    "withdraw": "withdrawn",
    "waiver": "waiver used",
    "reduce": "reduction chosen",
    "take back": "seat given",
}
_FIELDS = {
    "request": is_request,
    "round": whole(0, 10**6),
    "turn": whole(0, 10**9),
    "what": lambda value: isinstance(value, str) and value in KINDS,
    "bids": bid_rows,
    "lots": names,
}
_OWN = {"bids": {"bids"}, "withdraw": {"lots"}}


@dataclass(frozen=True, slots=True)
class Act:
    """One order of a bidder, as it came.

    ``turn`` is that of the snapshot which he looked at: the same number of a round comes again after a practice or an
    annulment, and an order for the one is none for the other. None where a program does not say.
    """

    request: str
    round: int
    what: str
    bids: list[list[Any]]
    lots: list[str]
    turn: int | None = None

    @classmethod
    def read(cls, content: bytes) -> "Act":
        """Return the order in a request's body. Raises BadOrderError."""
        body = read_order(content, _FIELDS, ("request", "round", "what"))
        own = _OWN.get(body["what"], set())
        read_order(content, {name: _FIELDS[name] for name in ("request", "round", "turn", "what", *sorted(own))}, own)
        bids, lots = body.get("bids", []), body.get("lots", [])
        return cls(body["request"], body["round"], body["what"], bids, lots, body.get("turn"))


def act(rooms: Rooms, user: str, auction_id: str, order: Act, received: float) -> Receipt:
    """Do what a bidder asks and return the receipt. ``received`` is when the request reached the server."""
    received = round(received, 3)
    room, row, live = rooms.look(auction_id)
    bidder = rooms.seat(room, row, user)
    done = room.receipts.get((bidder, order.request))
    if done is not None:
        return {**done, "repeated": True}
    broken = problems(live, bidder, order, received)
    if broken:  # what the rules refuse takes nobody's turn
        return refusal(broken)
    with rooms.turn(auction_id) as turn:
        if turn.row.access != row.access and not _still_seated(turn, user, bidder):
            raise no_seat(out=True)
        done = room.receipts.get((bidder, order.request))
        if done is not None:
            return {**done, "repeated": True}
        broken = problems(turn.live, bidder, order, received)
        if broken:
            return refusal(broken)
        _add(turn, bidder, order, received)
        number = turn.live.last.number
        rooms.close_if_all_acted(turn)
    taken_back: Receipt = {"accepted": True, "number": number, "refused": [], "confirmed": []}
    return {**room.receipts.get((bidder, order.request), taken_back), "revision": number}


def problems(live: Live, bidder: str, order: Act, received: float) -> list[tuple[str, str, str]]:
    """Return every rule that the order breaks: (lot, rule, words)."""
    state = live.state
    if order.what == "take back":
        played = state.bidders[state.bidder_place[bidder]].bot
        return [] if played else [("", "bot", "no bot plays for this seat")]
    broken = []
    if order.round != state.round or order.turn not in {None, live.turn}:
        words = f"this was for round {order.round}, and round {state.round} is open: look at it and send again"
        if order.round == state.round:
            words = f"round {order.round} has begun again since you made this: look at it and send again"
        if state.phase != "open":
            words = f"this was for round {order.round}; the auction is {state.phase}"
        broken.append(("", "round", words))
        found: list[BidProblem] = check_turn(state, bidder, received)
    elif order.what == "bids":
        found = check_bids(state, bidder, order.bids, received)
    elif order.what == "withdraw":
        found = check_withdrawal(state, bidder, order.lots, received)
    elif order.what == "waiver":
        found = check_waiver(state, bidder, received)
    else:
        found = check_reduction(state, bidder, received)
    if state.bidders[state.bidder_place[bidder]].bot:
        broken.append(("", "bot", "a bot plays for this seat; take it back first"))
    return broken + [(problem.lot, problem.rule, problem.message) for problem in found]


def _add(turn: Turn, bidder: str, order: Act, received: float) -> None:
    if order.what == "take back":
        turn.tell("seat given", {"bidder": bidder, "bot": ""}, actor="server")
        return
    data: dict[str, Any] = {"bidder": bidder, "round": order.round, "request": order.request}
    if order.what == "bids":
        data["bids"] = [[*row, 1] if len(row) == 2 else list(row) for row in order.bids]
    if order.what == "withdraw":
        data["lots"] = order.lots
    turn.add(Event(KINDS[order.what], received, bidder, data), order.request)


def _still_seated(turn: Turn, user: str, bidder: str) -> bool:
    return any((one.user, one.role, one.bidder) == (user, "bidder", bidder) for one in turn.store.people())


def what_if(rooms: Rooms, user: str, auction_id: str, content: bytes) -> dict[str, Any]:
    """Return what winning all of a set, or the worst part of it, would mean to the bidder by his own values."""
    body = read_order(content, {"request": is_request, "bids": bid_rows}, ("bids",))
    state, bidder = _own_state(rooms, user, auction_id)
    place = state.bidder_place[bidder]
    wrong = [one for one in check_bids(state, bidder, body["bids"]) if one.rule in _NOT_BIDS]
    if wrong:
        return {**refusal([(one.lot, one.rule, one.message) for one in wrong]), "known": False}
    found = exposure(state, place, read_bids(state, body["bids"]))
    worst = None
    if found.worst_surplus < 0:
        lots = [{"lot": lot, "blocks": blocks} for lot, blocks in found.worst_part]
        worst = {"loss": -found.worst_surplus, "lots": lots, "exact": found.exact, "words": found.words}
    return {
        "known": found.known,
        "words": found.words,
        "pay_all": found.pay_all,
        "value_all": found.value_all if found.known else None,
        "surplus_all": found.surplus_all if found.known else None,
        "worst": worst,
    }


_NOT_BIDS = {"form", "lot", "amount", "blocks", "duplicate", "quantity"}


def bid_file(rooms: Rooms, user: str, auction_id: str, content: bytes) -> dict[str, Any]:
    """Return the bids in a file that a bidder has chosen, and all that is wrong with it; nothing is sent."""
    fields = {"request": is_request, "name": text(200), "text": text(200_000)}
    body = read_order(content, fields, ("text",))
    state, _ = _own_state(rooms, user, auction_id)
    bids, found = read_bid_file(body["text"], state.configuration)
    lots = state.configuration.lots
    return {
        "bids": [[lots[bid.lot].id, bid.amount, bid.blocks] for bid in bids],
        "problems": [{"line": one.line, "column": one.column, "lot": one.lot, "words": one.words} for one in found],
    }


def _own_state(rooms: Rooms, user: str, auction_id: str) -> tuple[AuctionState, str]:
    room, row, live = rooms.look(auction_id)
    return live.state, rooms.seat(room, row, user)
