"""The certificate of the last closed round for the host's view, worked out beside the room and never in its way.

It may take seconds where bidders have complements; a poll is answered meanwhile with what is known.
"""

import threading
from typing import Any

from callbacks import logs
from callbacks.auction_room import Here, Rooms
from engine.auction.certificate import Market, certificate, market_of, read
from engine.errors import EngineError

LARGEST = 6_000  # bidders times blocks; beyond, it is left to the debrief
SEARCHED = 600  # bidders times blocks up to which each bid is held against the bidder's best bundle
_KEPT = 16

_log = logs.get("headroom.auction")


class Certificates:
    """Certificates by auction, for one process. One is worked out at a time."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._busy = False
        self._found: dict[str, tuple[int, dict[str, Any] | None, str]] = {}  # by auction: up to which entry, and what
        self._markets: dict[str, tuple[object, Market]] = {}

    def of(self, here: Here) -> dict[str, Any]:
        """Return ``certificate`` (or None) and ``certificate_words``, why there is none; begins to work one out."""
        state, revision = here.live.state, here.live.public
        if not state.rounds:
            return {"certificate": None, "certificate_words": "There is a certificate after the first closed round"}
        if len(state.bidders) * len(state.price) > LARGEST:
            words = "This auction is too large for a certificate while it runs: the debrief has it"
            return {"certificate": None, "certificate_words": words}
        with self._lock:
            found = self._found.get(here.room.id)
            if (found is None or found[0] < revision) and not self._busy:
                self._busy = True
                threading.Thread(target=self._work, args=(here,), daemon=True).start()
        if found is None:
            return {"certificate": None, "certificate_words": "The certificate is being worked out"}
        return {"certificate": found[1], "certificate_words": found[2]}

    def mark(self, here: Here) -> int:
        """Return what changes with the certificate."""
        found = self._found.get(here.room.id)
        return 0 if found is None else found[0]

    def _work(self, here: Here) -> None:
        told, words = None, ""
        try:
            told = self._certificate(here)
        except EngineError as error:
            words = str(error)
        except Exception as error:  # noqa: BLE001 (a thread of its own: nobody else would be told)
            words = "Something went wrong on our side: there is no certificate of this round"
            _log.error("certificate failed", auction=here.room.id, exc_info=error)
        with self._lock:
            self._found[here.room.id] = (here.live.public, told, words)
            for kept in (self._found, self._markets):
                while len(kept) > _KEPT:
                    del kept[next(iter(kept))]  # type: ignore[attr-defined]
            self._busy = False

    def _certificate(self, here: Here) -> dict[str, Any]:
        state = here.live.state
        valuations = [bidder.valuation for bidder in state.bidders]
        kept = self._markets.get(here.room.id)
        if kept is None or kept[0] != valuations:
            kept = (valuations, market_of(state.configuration, read(state)))
            self._markets[here.room.id] = kept
        entries = self._rooms.store.entries(here.room.id)[: here.live.last.number]
        events, small = [one.entry.event for one in entries], len(valuations) * len(state.price) <= SEARCHED
        found = certificate(state, events=events, market=kept[1], departures=small)
        told: dict[str, Any] = found.to_json()
        return told
