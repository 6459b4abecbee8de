"""Who may read the debrief of an auction, when, and how much of it.

The host reads it at any time. Everybody else in the room reads it after the close, with all assigned values where the
rules of the auction disclose them, else with his own only: what follows from others' values is then left out too.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from callbacks.auction_room import Here, Rooms
from callbacks.services import Kept
from engine.auction.certificate import read
from engine.auction.debrief import BidderRow, Debrief, RoundRow, Totals, debrief
from engine.auction.debrief_jobs import debrief_from_json, debrief_key
from engine.auction.ledger import Entry
from engine.auction.state import AuctionState
from engine.auction.values import SUBSTITUTES
from engine.auction.what_if import Change, suggestions
from engine.compute import Artifacts
from engine.errors import EngineError
from engine.store.access import missing

Role = Literal["host", "bidder", "watcher", "file"]
AT_ONCE = 600  # bidders times blocks up to which the debrief is worked out while the page is asked for
AT_ONCE_HARD = 60  # the same with values that are no substitutes
AT_ONCE_ENTRIES = 4_000  # of its ledger
KEPT = 24


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and whose values he may see."""

    role: Role
    place: int | None = None  # of a bidder
    everything: bool = True


class NotYetError(Exception):
    """The debrief is not for this reader yet, or will never be: ``phase`` says why."""

    def __init__(self, phase: str, title: str, because: str = "") -> None:
        self.phase, self.title, self.because = phase, title, because
        super().__init__(phase)


def reader_of(rooms: Rooms, user: str, auction_id: str) -> tuple[Reader, Here]:
    """Return as what the session reads the debrief now.

    Raises NotFoundError where the auction is not there or the session not in its room, NotYetError where it has to
    wait for the close.
    """
    here = rooms.look(auction_id)
    state = here.live.state
    if rooms.role(here.room, here.row, user, "host") is not None:
        return Reader("host"), here
    seated = rooms.role(here.room, here.row, user, "bidder")
    if seated is None and rooms.role(here.room, here.row, user, "watcher") is None:
        raise missing("auction", auction_id)
    if state.phase != "closed":
        raise NotYetError(state.phase, state.configuration.title, state.ended_because)
    disclosed = state.configuration.rules.disclose_values
    if seated is None:
        return Reader("watcher", None, disclosed), here
    return Reader("bidder", state.bidder_place[seated.bidder], disclosed), here


def entries_of(rooms: Rooms, here: Here) -> tuple[Entry, ...]:
    """Return the ledger up to where it was looked at."""
    stored = rooms.store.entries(here.room.id)[: here.live.last.number]
    return tuple(one.entry for one in stored)


class Debriefs:
    """The debriefs worked out last in this process, by the hash of their ledgers' last entries. None is ever cut.

    Those of large auctions are worked out by jobs, and read from the artefact cache.
    """

    def __init__(self) -> None:
        self._kept: Kept[Debrief] = Kept(KEPT)
        self._known: set[str] = set()

    def of(self, entries: Sequence[Entry]) -> Debrief:
        """Return the debrief of a ledger, worked out now where it is not kept. Raises EngineError in words."""
        return self._keep(entries[-1].hash, lambda: debrief(entries))

    def found(self, last_hash: str, artifacts: Artifacts) -> Debrief | None:
        """Return the debrief of the ledger with that last entry where it was worked out, else None."""
        if last_hash in self._known:
            path = None
        elif (path := artifacts.open(debrief_key(last_hash))) is None:
            return None
        try:
            return self._keep(last_hash, lambda: _opened(path))
        except FileNotFoundError:  # gone from here and from the cache
            self._known.discard(last_hash)
            return None

    def at_once(self, state: AuctionState, entries: int) -> bool:
        """Tell whether the debrief of a ledger of so many entries takes so little that the page can wait for it."""
        size = len(state.bidders) * len(state.price)
        return size <= (AT_ONCE if _simple(state) else AT_ONCE_HARD) and entries <= AT_ONCE_ENTRIES

    def _keep(self, last_hash: str, make: Callable[[], Debrief]) -> Debrief:
        found = self._kept.get(last_hash, make)
        self._known.add(last_hash)
        return found


def _opened(path: Path | None) -> Debrief:
    if path is None:
        raise FileNotFoundError
    return debrief_from_json(json.loads(path.read_bytes()))


def _simple(state: AuctionState) -> bool:
    try:
        return all(one is None or (isinstance(one, SUBSTITUTES) and one.budget is None) for one in read(state))
    except EngineError:
        return True  # it is told in words when the debrief is made


def changes_of(state: AuctionState, reader: Reader) -> tuple[tuple[Change, ...], str]:
    """Return the changes that the reader may try; none with words why not."""
    if not reader.everything:
        return (), "The rules of this auction keep assigned values private, and a run by bots would tell of them."
    if all(bidder.valuation is None for bidder in state.bidders):
        return (), "No seat has assigned values: bots would have nothing to bid for."
    return suggestions(state.configuration), ""


# What a reader is shown


def cut(whole: Debrief, reader: Reader) -> Debrief:
    """Return the debrief without what the reader may not see: others' values and all that is worked out from them."""
    if reader.everything:
        return whole
    mine = reader.place
    own = None if mine is None else whole.bidders[mine].id
    return replace(
        whole,
        rounds=tuple(_round(row, mine) for row in whole.rounds),
        bidders=tuple(_alone(row) if place == mine else _stranger(row) for place, row in enumerate(whole.bidders)),
        totals=_totals(whole.totals),
        certificate={},
        tables=tuple(one for one in whole.tables if one["bidder"] == mine),
        why={key: why for key, why in whole.why.items() if key in {"revenue", "payments", f"surplus {own}"}},
        notices=(),
    )


def _round(row: RoundRow, mine: int | None) -> RoundRow:
    given_up = tuple(one if place == mine else None for place, one in enumerate(row.given_up))
    return replace(row, dual_value=None, gap=None, given_up=given_up)


def _alone(row: BidderRow) -> BidderRow:
    """Return what a bidder may know of himself: his own values, not what the others' would have given him."""
    return replace(
        row, optimum_won=None, optimum_value=None, equilibrium_surplus=None, vcg_payment=None, vcg_surplus=None
    )


def _stranger(row: BidderRow) -> BidderRow:
    """Return what everybody may know of a bidder: what he won and pays, not what it is worth to him."""
    return replace(
        row,
        known=False, kind="", budget=None, value=None, surplus=None, loss=None, envy=None, optimum_won=None,
        optimum_value=None, equilibrium_surplus=None, vcg_payment=None, vcg_surplus=None, given_up=None,
    )  # fmt: skip


def _totals(found: Totals) -> Totals:
    return Totals(
        rounds=found.rounds, revenue=found.revenue, payments=found.payments, sold_mw=found.sold_mw,
        offered_mw=found.offered_mw, welfare=None, optimum=None, optimum_proven=None, efficiency=None, surplus=None,
        exposure_loss=None, linear_bound=None, equilibrium_exists=None, equilibrium_prices=None,
        equilibrium_words="", equilibrium_revenue=None, vcg_revenue=None,
    )  # fmt: skip
