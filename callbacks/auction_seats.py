"""Coming into the room: by its code, by a personal key, by a spectator's key; and keys given out.

A seat belongs to whoever opened it with its key or was let in by the host. It may be open on several devices at once;
a key that the host gives anew puts all of them out. A browser has one seat in an auction.

Where the rules show names, a seat is called as who sits in it says; where bidding is anonymous it keeps its own name,
and what somebody calls himself is seen by the host alone: it is in no ledger.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from callbacks.auction_access import BadOrderError, is_request, read_order, text
from callbacks.auction_room import RefusedError, Rooms, Turn, no_seat, seat_data
from engine.auction.event_data import MAX_NAME
from engine.auction.state import AuctionState
from engine.store.auctions import CODE_LENGTH, CODE_LETTERS, Key, Person
from engine.store.codec import clean_text

MAX_CALLED = 60  # characters of a name
MAX_WAITING = 300
ROOM_FOR_NUMBER = 5  # characters kept free for " 2" and so on
NUMBERED = re.compile(r"(Bidder|Seat) \d+")  # a seat that no template gave a part of its own
_GOES_ON = ("set up", "open", "paused")
_FIELDS = {"request": is_request, "code": text(40), "name": text(200), "key": text(100)}


class WrongKeyError(RefusedError):
    """A code or key that opens nothing: it is counted."""

    def __init__(self, words: str) -> None:
        super().__init__(404, "no such code", words)


def join(rooms: Rooms, user: str, content: bytes) -> dict[str, Any]:
    """Let a session in by ``{code, name}`` or ``{key}`` and say where it stands.

    ``state`` is "admitted" (with a seat; ``key`` is that of the personal link when it is new), "waiting" (for the
    host), "full", "closed", "watching" or "host".
    """
    body = read_order(content, _FIELDS, ())
    if ("key" in body) == ("code" in body):
        raise BadOrderError("either a code or a key is needed")
    if "key" in body:
        found = rooms.store.by_key(body["key"])
        if found is None:
            raise WrongKeyError("this link opens nothing: a newer one was given out, or it was cut short")
        return _by_key(rooms, user, found, called(body.get("name", ""), needed=False))
    code = "".join(letter for letter in body["code"].upper() if letter in CODE_LETTERS)
    auction_id = rooms.store.by_code(code) if len(code) == CODE_LENGTH else None
    if auction_id is None:
        raise WrongKeyError("no auction has this code: compare it with the screen, letter by letter")
    return _by_code(rooms, user, auction_id, body.get("name", ""))


def called(name: str, *, needed: bool = True) -> str:
    """Return what somebody calls himself, in one line and without what cannot be seen (marks that turn the direction).

    Raises BadOrderError on a name too long, or empty and needed.
    """
    words = unicodedata.normalize("NFC", clean_text(name)).split()
    cleaned = " ".join("".join(letter for letter in word if letter.isprintable()) for word in words).strip()
    if len(cleaned) > MAX_CALLED or (needed and not cleaned):
        raise BadOrderError(f"a name has 1 to {MAX_CALLED} characters that can be seen")
    return cleaned


def _by_key(rooms: Rooms, user: str, key: Key, name: str) -> dict[str, Any]:
    rooms.look(key.auction)
    with rooms.turn(key.auction) as turn:
        people = turn.store.people()
        there = _mine(people, user, key.role)
        if key.bidder and name and not any(one.bidder == key.bidder for one in people if one.role == "bidder"):
            take_name(turn, key.bidder, name)  # who comes first names the seat, not whoever gets hold of its link later
        if there is None or there.bidder != key.bidder:
            turn.store.admit(user, key.role, bidder=key.bidder, name=name or (there.name if there else ""))
        if key.bidder and turn.state.bidders[turn.state.bidder_place[key.bidder]].bot and turn.state.phase in _GOES_ON:
            # Whoever opens his seat's own link wants to sit there: the bot that kept it goes.
            turn.tell("seat given", {"bidder": key.bidder, "bot": ""}, actor="server")
        state = turn.state
    seat = state.bidders[state.bidder_place[key.bidder]].name if key.bidder else ""
    told = {"host": "host", "watcher": "watching", "bidder": "admitted"}[key.role]
    return {"auction": key.auction, "state": told, "bidder": key.bidder, "name": seat, "key": None}


def _by_code(rooms: Rooms, user: str, auction_id: str, name: str) -> dict[str, Any]:
    rooms.look(auction_id)
    with rooms.turn(auction_id) as turn:
        people = turn.store.people()
        seated, waiting = _mine(people, user, "bidder"), _mine(people, user, "waiting")
        if seated is not None:  # a second tab, or the same press twice
            return _admitted(turn, seated.bidder, None)
        if turn.state.phase in {"closed", "cancelled"}:
            return {"auction": auction_id, "state": "closed", "bidder": "", "name": "", "key": None}
        cleaned = called(name)
        if turn.row.automatic:
            bidder = free_seat(turn, people)
            if bidder is None:
                bidder = new_seat(turn, persons_seat(turn.state, cleaned))
            else:
                take_name(turn, bidder, cleaned)
            turn.store.admit(user, "bidder", bidder=bidder, name=cleaned)
            return _admitted(turn, bidder, turn.store.new_key("bidder", bidder))
        if waiting is None and sum(one.role == "waiting" for one in people) >= MAX_WAITING:
            return {"auction": auction_id, "state": "full", "bidder": "", "name": cleaned, "key": None}
        if waiting is None or waiting.name != cleaned:
            turn.store.admit(user, "waiting", name=cleaned)
        return {"auction": auction_id, "state": "waiting", "bidder": "", "name": cleaned, "key": None}


def _admitted(turn: Turn, bidder: str, key: str | None) -> dict[str, Any]:
    name = turn.state.bidders[turn.state.bidder_place[bidder]].name
    return {"auction": turn.row.id, "state": "admitted", "bidder": bidder, "name": name, "key": key}


def _mine(people: Sequence[Person], user: str, role: str) -> Person | None:
    return next((one for one in people if (one.user, one.role) == (user, role)), None)


def free_seat(turn: Turn, people: Sequence[Person]) -> str | None:
    """Return the first seat that waits for a person: no bot in it, nobody, and no personal link out for it."""
    taken = {one.bidder for one in people if one.role == "bidder"} | turn.store.keyed_seats()
    return next((one.id for one in turn.state.bidders if not one.bot and one.id not in taken), None)


def new_seat(turn: Turn, name: str, **seat: Any) -> str:
    """Admit a new bidder and return his id. Raises AuctionRuleError where the rules let nobody in now."""
    bidder = next_id(turn.state)
    wanted: Mapping[str, Any] = {**seat, "name": free_name(turn.state, name)}
    turn.tell("admitted", seat_data(turn.state, bidder, wanted))
    return bidder


def next_id(state: AuctionState) -> str:
    """Return an id that no bidder has."""
    number = len(state.bidders) + 1
    while f"b{number}" in state.bidder_place:
        number += 1
    return f"b{number}"


def free_name(state: AuctionState, name: str, but: str = "") -> str:
    """Return the name, with a number where a bidder other than ``but`` has one that reads the same."""
    taken = {_read(bidder.name) for bidder in state.bidders if bidder.id != but}
    found, number = name, 2
    while _read(found) in taken:
        found, number = f"{name} {number}", number + 1
    return found


def _read(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def names_are_shown(state: AuctionState) -> bool:
    """Tell whether the rules let everybody know who bids."""
    return state.configuration.rules.information == "full"


def persons_seat(state: AuctionState, name: str) -> str:
    """Return what a new seat is called that is made for somebody of that name."""
    return name if names_are_shown(state) else f"Bidder {len(state.bidders) + 1}"


def take_name(turn: Turn, bidder: str, name: str) -> None:
    """Call a seat as who takes it calls himself, where the rules show names.

    A seat with a part of its own ("Training campus") keeps it behind the name.
    """
    seat = turn.state.bidders[turn.state.bidder_place[bidder]]
    if names_are_shown(turn.state):
        part = "" if NUMBERED.fullmatch(seat.seat) or _read(seat.seat) == _read(name) else f" ({seat.seat})"
        rename(turn, bidder, f"{name}{part}" if len(name + part) <= MAX_NAME - ROOM_FOR_NUMBER else name)


def rename(turn: Turn, bidder: str, name: str) -> str:
    """Give a seat a name, with a number where another has it; return it."""
    found = free_name(turn.state, name, bidder)
    if found != turn.state.bidders[turn.state.bidder_place[bidder]].name:
        turn.tell("renamed", {"bidder": bidder, "name": found})
    return found


def own_key(rooms: Rooms, user: str, auction_id: str) -> dict[str, Any]:
    """Give a bidder a new key of his own seat, for another device; the one before opens nothing more."""
    rooms.look(auction_id)
    with rooms.turn(auction_id) as turn:
        seated = _mine(turn.store.people(), user, "bidder")
        if seated is None:
            raise no_seat(out=False)
        return {"key": turn.store.new_key("bidder", seated.bidder), "bidder": seated.bidder}
