"""A ledger as the room keeps it: the state it adds up to, who has to be told of its last entries, and a log in words.

Pure, as the fold it is made of: a worker that starts, one that catches up and one that adds an event do the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.auction.events import Event
from engine.auction.ledger import Entry, next_entry
from engine.auction.state import AuctionState
from engine.auction.transitions import apply
from engine.auction.views import PRIVATE
from engine.errors import LedgerError

LOGGED = 100  # entries that the host's log tells
BEGINS = frozenset({"opened", "practice begun", "round closed", "round annulled"})  # what a round begins with


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """Where a ledger stands."""

    state: AuctionState
    last: Entry
    turn: int  # number of the entry that began the open round: no other round, practice or annulled, has it
    public: int  # number of the last entry that everybody may know of
    own: Mapping[str, int]  # by bidder: number of the last entry that only he may know of
    log: tuple[Mapping[str, Any], ...]  # the last entries in words, the newest last

    def revision(self, bidder: str = "") -> int:
        """Return the number of the last entry that the bidder ("": nobody in particular) may know of."""
        return max(self.public, self.own.get(bidder, 0))


def advance(live: Live | None, event: Event) -> Live:
    """Return where the ledger stands after one more event. AuctionRuleError names every rule that it breaks."""
    state = apply(None if live is None else live.state, event)
    return _after(live, next_entry(None if live is None else live.last, event), state)


def replayed(live: Live | None, entry: Entry) -> Live:
    """Return where the ledger stands after a stored entry. LedgerError where it does not continue the one before."""
    expected = next_entry(None if live is None else live.last, entry.event)
    if expected != entry:
        raise LedgerError(f"entry {entry.number} does not continue the ledger before it", entry.number)
    return _after(live, entry, apply(None if live is None else live.state, entry.event))


def _after(live: Live | None, entry: Entry, state: AuctionState) -> Live:
    event = entry.event
    turn, public, own = (0, 0, {}) if live is None else (live.turn, live.public, live.own)
    if event.kind in BEGINS:
        turn = entry.number
    if event.kind in PRIVATE:
        own = {**own, str(event.data["bidder"]): entry.number}
    else:
        public = entry.number
    told = {
        "number": entry.number,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "words": words(event, state),
    }
    log = (told,) if live is None else (*live.log[-LOGGED + 1 :], told)
    return Live(state, entry, turn, public, own, log)


def words(event: Event, state: AuctionState) -> str:
    """Return one sentence on an event for the host's log, ``state`` being that after it. No amount is in it."""
    place = state.bidder_place.get(str(event.data.get("bidder")))
    name = "" if place is None else state.bidders[place].name
    if event.kind == "extended" and event.actor == "server":
        return f"Round {state.round} was given time back: nobody had looked at the room for a while"
    return _WORDS[event.kind](event.data, name, state)


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _bids(data: Mapping[str, Any], name: str, _: AuctionState) -> str:
    return f"{name} bids on {_count(len(data['bids']), 'product')}" if data["bids"] else f"{name} passes"


def _because(text: object) -> str:
    return f": {text}" if text else ""


_WORDS: Mapping[str, Callable[[Mapping[str, Any], str, AuctionState], str]] = {
    "configured": lambda _, __, s: f"The auction was made: {_count(len(s.configuration.lots), 'product')}",
    "admitted": lambda d, n, _: (
        f"{n} was admitted with {_count(d['eligibility'], 'unit')}" + (", played by a bot" if d.get("bot") else "")
    ),
    "renamed": lambda d, n, s: f"{s.bidders[s.bidder_place[d['bidder']]].seat} is called {n} from now on",
    "opened": lambda _, __, ___: "The auction opened with round 1",
    "bids submitted": _bids,
    "withdrawn": lambda d, n, _: f"{n} withdraws from {_count(len(d['lots']), 'product')}",
    "waiver used": lambda _, n, __: f"{n} uses a waiver",
    "reduction chosen": lambda _, n, __: f"{n} lets eligibility fall",
    "round closed": lambda d, _, s: (
        f"Round {d['round']} closed with {_count(int(s.rounds[-1].bids_per_lot.sum()), 'bid')}"
    ),
    "stage changed": lambda d, _, __: f"Stage {d['stage'] + 1} was announced",
    "paused": lambda _, __, ___: "The clock was stopped",
    "resumed": lambda _, __, ___: "The clock goes on",
    "extended": lambda _, __, s: f"Round {s.round} was given more time",
    "round annulled": lambda d, _, __: f"Round {d['round']} was annulled{_because(d.get('reason'))}",
    "practice begun": lambda _, __, ___: "A practice began: it counts for nothing",
    "practice ended": lambda _, __, ___: "The practice ended",
    "muted": lambda d, n, _: f"{n} was muted" if d["muted"] else f"{n} may bid again",
    "seat given": lambda d, n, _: f"A bot ({d['bot']}) plays for {n}" if d["bot"] else f"{n} plays without a bot",
    "announced": lambda d, _, __: f"Announced: {d['text']}",
    "cancelled": lambda _, __, s: f"The auction was {s.ended_because}",
    "closed": lambda _, __, s: f"The auction closed: {s.ended_because}",
    "defaulted": lambda d, n, _: f"{n} does not pay {_count(len(d['lots']), 'product')}",
}
