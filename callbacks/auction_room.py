"""The live room: one question, "what is new for me", and two ways to answer it: look, and act.

A ledger is kept in the database; each worker keeps what it adds up to and catches up by the entries it has not seen.
Whoever changes an auction holds its row meanwhile, so that workers and machines take turns.

The clock. A bid counts by the moment its request reached the server. Whoever looks at a room whose deadline is over
closes the round, once: a poll, a bid, the host. It is closed from ``SETTLE_S`` after the deadline on, so that bids
that came in time and still wait for their turn are in. When nobody has looked at an open round for ``SLEPT_S`` (the
server was down, or everybody's machine asleep), nobody could bid: whoever looks first gives the time back, up to
``WAKE_S`` and never less than ``BACK_S``, in which everybody finds the room again, before anything is closed. So no
round passes unseen, there is never more than one to close, and the last ``BACK_S`` before a close have no such gap.
Machines that share a database keep their clocks together by NTP.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from callbacks import logs
from engine.auction.bots import bot_events
from engine.auction.closing import everyone_acted, following, round_closed
from engine.auction.configuration import configuration_to_json
from engine.auction.events import Event
from engine.auction.live import Live, advance, replayed
from engine.auction.rules import Configuration
from engine.auction.state import AuctionState
from engine.errors import AuctionRuleError
from engine.store.access import missing
from engine.store.auctions import AuctionRow, Auctions, AuctionSummary, Head, NewAuction, Person, Stored, Writing
from engine.store.store import Store

SETTLE_S = 0.5
SLEPT_S = 4.0  # longer than a browser in the background pauses between two polls, shorter than a restart takes
BACK_S = 10.0
WAKE_S = 30.0
LOOK_EVERY_S = 1.0  # that somebody looks at a round is written down this often
SEEN_EVERY_S = 5.0  # signs of life are written together, this often
KEPT_ROOMS = 64
SEEDS = 2**53  # whole numbers that a browser can show exactly

Receipt = dict[str, Any]

_log = logs.get("headroom.auction")


class RefusedError(Exception):
    """A request that this session may not make; told as ``status`` with a ``code`` that programs read."""

    def __init__(self, status: int, code: str, words: str) -> None:
        self.status, self.code = status, code
        super().__init__(words)


class Room:
    """What one process knows of one auction."""

    def __init__(self, auction_id: str, places: Mapping[str, tuple[float, float]]) -> None:
        self.id = auction_id
        self.places = places
        self.reading = threading.Lock()
        self.writing = threading.Lock()  # one writer of a process at a time: the others need not ask the database
        self.live: Live | None = None
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.looked = 0.0
        self.access = -1
        self.people: tuple[Person, ...] = ()
        self.kept: dict[str, tuple[object, Any]] = {}  # parts of views, each with what it was made from

    def take(self, live: Live, added: Sequence[Stored]) -> None:
        """Go on to a later state of the ledger, and remember what was answered to each request."""
        for stored in added:
            if stored.request:
                event = stored.entry.event
                self.receipts[(event.actor, stored.request)] = receipt_of(event, stored.entry.number)
        with self.reading:
            if self.live is None or self.live.last.number < live.last.number:
                self.live = live

    def keep(self, name: str, made_from: object, make: Callable[[], Any]) -> Any:
        """Return the part of a view of that name, made again when what it is made from has changed."""
        kept = self.kept.get(name)
        if kept is None or kept[0] != made_from:
            kept = (made_from, make())
            self.kept[name] = kept
        return kept[1]


@dataclass(slots=True)
class Turn:
    """One writer's turn: the auction is held, events are tried and added; they are written when it ends."""

    row: AuctionRow
    store: Writing
    live: Live
    now: float
    added: list[Stored] = field(default_factory=list)

    @property
    def state(self) -> AuctionState:
        """The state with what was added so far."""
        return self.live.state

    def add(self, event: Event, request: str | None = None) -> None:
        """Add an event. Raises AuctionRuleError, and then nothing of this turn is written."""
        self.live = advance(self.live, event)
        self.added.append(Stored(self.live.last, request))

    def tell(self, kind: Any, data: Mapping[str, Any], request: str | None = None, actor: str = "host") -> None:
        """Add an event that happens now; between the deadline and the close it counts as at the deadline."""
        state = self.state
        at = self.now if state.deadline is None else min(self.now, state.deadline)
        self.add(Event(kind, max(at, state.at), actor, data), request)

    def answers(self, request: str) -> None:
        """Let the host's first event of this turn carry the id of his request, so that a repeat finds it."""
        for place, stored in enumerate(self.added):
            if stored.entry.event.actor == "host":
                self.added[place] = Stored(stored.entry, request)
                return

    def close(self, actor: str) -> None:
        """Let the bots act, close the round, and add what the rules ask for then."""
        state = self.state
        at = max(self.now, state.at)
        for event in bot_events(state, max(min(at, state.deadline or at), state.at)):
            try:
                self.add(event)
            except AuctionRuleError as error:  # a bot that errs must not keep the round open for everybody
                _log.error("a bot's move was refused", auction=self.row.id, bidder=event.actor, why=str(error)[:300])
        self.add(round_closed(self.state, at, actor))
        while (comes := following(self.state, at)) is not None:
            self.add(comes)


class Here(NamedTuple):
    """Where an auction stands, for whoever looks."""

    room: Room
    row: AuctionRow
    live: Live


class Rooms:
    """Every auction of this product, as one process sees them. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = Auctions(store.database)
        self.clock = clock
        self.after_round: Callable[[str], None] = lambda _: None  # told of each auction whose round was closed here
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], float] = {}
        self._seen_written = 0.0

    def now(self) -> float:
        """Return the server's time to the millisecond."""
        return round(self.clock(), 3)

    # Make and find

    def create(  # noqa: PLR0913 (what is sold, by whom, and where it comes from)
        self,
        user: str,
        configuration: Configuration,
        seats: Sequence[Any] = (),
        *,
        study: str | None = None,
        version: int | None = None,
        places: Mapping[str, tuple[float, float]] | None = None,
        automatic: bool = False,
        keep_seed: bool = False,
    ) -> str:
        """Make an auction whose host the user is, and return its id.

        The seed of tie numbers and bots is drawn here, since who knows it knows who will win a tie; with
        ``keep_seed`` it is the configuration's.
        ``seats`` are objects or mappings with name, valuation (JSON or None), bot, eligibility (None: all units) and
        deposit (None: what the eligibility needs). A seat without a bot waits for a person.
        Raises AuctionRuleError with all that is wrong.
        """
        at = self.now()
        if not keep_seed:
            configuration = replace(configuration, seed=secrets.randbelow(SEEDS))
        live = advance(None, Event("configured", at, "host", {"configuration": configuration_to_json(configuration)}))
        entries = [live.last]
        for place, seat in enumerate(seats):
            live = advance(live, Event("admitted", at, "host", seat_data(live.state, f"b{place + 1}", _fields(seat))))
            entries.append(live.last)
        new = NewAuction(configuration.title, study, version, places, automatic)
        return self.store.create(user, new, entries, head_of(live.state, at))

    def list(self, user: str) -> list[AuctionSummary]:
        """Return the auctions that the user hosts, bids or watches in, one line for each role; the newest first."""
        return self.store.of_user(user)

    # Look

    def look(self, auction_id: str) -> Here:
        """Return where the auction stands now, having closed a round that is over."""
        row = self.store.row(auction_id)
        room = self._room(auction_id)
        now = self.now()
        if over(row, now) or slept(row, now):
            self._end_round(room)
            row = self.store.row(auction_id)
        elif row.phase == "open" and row.deadline and now - max(row.looked, room.looked) >= LOOK_EVERY_S:
            room.looked = now  # once for all threads of this process
            self.store.note_look(auction_id, now)
        return Here(room, row, self._caught_up(room, row))

    def people(self, room: Room, row: AuctionRow) -> tuple[Person, ...]:
        """Return everybody in the room."""
        if room.access != row.access:
            people = tuple(self.store.people(room.id))
            room.people, room.access = people, row.access
        return room.people

    def role(self, room: Room, row: AuctionRow, user: str, role: str) -> Person | None:
        """Return the user's entry with that role, None where he has it not."""
        return next((one for one in self.people(room, row) if (one.user, one.role) == (user, role)), None)

    def seat(self, room: Room, row: AuctionRow, user: str) -> str:
        """Return the bidder whose seat the user holds. Raises RefusedError where he has none."""
        found = self.role(room, row, user, "bidder")
        if found is None:
            raise no_seat(out=self.role(room, row, user, "out") is not None)
        return found.bidder

    def seen(self, auction_id: str, user: str, role: str) -> None:
        """Note a sign of life; they are written together, every few seconds."""
        now = self.clock()
        self._seen[(auction_id, user, role)] = now
        if now - self._seen_written < SEEN_EVERY_S:
            return
        with self._lock:
            if now - self._seen_written < SEEN_EVERY_S:
                return
            self._seen_written = now
            seen, self._seen = self._seen, {}
        self.store.note_seen(seen)

    # Change

    @contextmanager
    def turn(self, auction_id: str) -> Iterator[Turn]:
        """Hold the auction, caught up, until this returns; then all that was added is written, or nothing."""
        room = self._room(auction_id)
        with room.writing:
            with self.store.writing(auction_id) as writing:
                found = writing.entries(0 if room.live is None else room.live.last.number)
                live = self._replayed(room, found)
                turn = Turn(writing.row, writing, live, self.now())
                yield turn
                if turn.added:
                    writing.append(turn.added, head_of(turn.state, turn.now))
            room.take(turn.live, turn.added)
        if any(stored.entry.event.kind == "round closed" for stored in turn.added):
            self.after_round(auction_id)

    def close_if_all_acted(self, turn: Turn) -> None:
        """Close the round where its pace is "all acted" and every person who can act has."""
        state = turn.state
        people = any(not (bidder.bot or bidder.muted) for bidder in state.bidders)
        if state.configuration.rules.timing.pace == "all acted" and people and everyone_acted(state):
            turn.close("server")

    def _end_round(self, room: Room) -> None:
        """Wake the room, or close the round whose time is over, unless somebody has done so meanwhile."""
        with self.turn(room.id) as turn:
            row, now = turn.row, turn.now
            if row.deadline is not None and slept(row, now):
                lost = min(row.deadline, now) - row.looked
                longest = min(WAKE_S, turn.state.configuration.rules.timing.round_s)
                deadline = max(row.deadline, now) + max(BACK_S, min(lost, longest))
                turn.add(Event("extended", now, "server", {"deadline": round(deadline, 3)}))
            elif over(row, now):
                turn.close("server")

    def _room(self, auction_id: str) -> Room:
        room = self._rooms.get(auction_id)
        if room is None:
            self.store.row(auction_id)  # that it is there
            made = Room(auction_id, self.store.places(auction_id))
            with self._lock:
                room = self._rooms.setdefault(auction_id, made)
                while len(self._rooms) > KEPT_ROOMS:  # the oldest first: what it knew is read again when it is asked
                    del self._rooms[next(iter(self._rooms))]
        return room

    def _caught_up(self, room: Room, row: AuctionRow) -> Live:
        live = room.live
        if live is not None and live.last.number >= row.events:
            return live
        return self._replayed(room, self.store.entries(room.id, 0 if live is None else live.last.number))

    @staticmethod
    def _replayed(room: Room, found: Sequence[Stored]) -> Live:
        live = room.live
        new = [one for one in found if live is None or one.entry.number > live.last.number]
        for stored in new:
            live = replayed(live, stored.entry)
        if live is None:
            raise missing("auction", room.id)
        room.take(live, new)
        return live


def over(row: AuctionRow, now: float) -> bool:
    """Tell whether the open round's time is over, and bids that came in time have had their turn."""
    return row.phase == "open" and row.deadline is not None and now >= row.deadline + SETTLE_S


def slept(row: AuctionRow, now: float) -> bool:
    """Tell whether nobody has looked at the open round for so long that nobody could bid."""
    return row.phase == "open" and row.deadline is not None and now - row.looked > SLEPT_S


def head_of(state: AuctionState, now: float) -> Head:
    """Return what is kept beside the ledger."""
    return Head(state.phase, state.round, state.deadline, now)


def seat_data(state: AuctionState, bidder: str, seat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the event that admits a bidder to a seat."""
    eligibility = seat.get("eligibility")
    units = state.sale.total_units if eligibility is None else eligibility
    deposit = seat.get("deposit")
    rate = state.configuration.rules.deposit_per_unit
    return {
        "bidder": bidder,
        "name": seat["name"],
        "eligibility": units,
        "deposit": units * rate if deposit is None else deposit,
        "valuation": seat.get("valuation"),
        "bot": seat.get("bot") or "",
    }


def receipt_of(event: Event, number: int) -> Receipt:
    """Return what was answered to the request that an event is the answer to."""
    data = event.data
    receipt: Receipt = {"accepted": True, "number": number, "at": event.at, "refused": [], "confirmed": []}
    if "round" in data:
        receipt["round"] = data["round"]
    if event.kind == "bids submitted":
        receipt["confirmed"] = [{"lot": lot, "amount": amount, "blocks": more} for lot, amount, more in data["bids"]]
    if event.kind == "withdrawn":
        receipt["withdrawn"] = list(data["lots"])
    return receipt


def refusal(problems: Sequence[tuple[str, str, str]]) -> Receipt:
    """Return the receipt of a set that was refused: (lot, rule, words) for each broken rule."""
    refused = [{"lot": lot, "rule": rule, "words": words} for lot, rule, words in problems]
    return {"accepted": False, "confirmed": [], "refused": refused, "words": "; ".join(one["words"] for one in refused)}


def no_seat(*, out: bool) -> RefusedError:
    """Return the refusal for a session that has no seat here, or has lost it."""
    if out:
        return RefusedError(403, "seat elsewhere", "this seat was given a new key: open it with the new link")
    return RefusedError(403, "no seat", "this browser has no seat in the auction: join with its code or your own link")


def _fields(seat: Any) -> Mapping[str, Any]:
    if isinstance(seat, Mapping):
        return seat
    return {name: getattr(seat, name, None) for name in ("name", "valuation", "bot", "eligibility", "deposit")}
