"""What can be taken home from an auction: the ledger, the results, and a bidder's own values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callbacks.auction_room import RefusedError, Rooms
from engine.auction import bundles
from engine.auction.bid_files import template as bid_template
from engine.auction.configuration import configuration_to_json
from engine.auction.ledger import Entry
from engine.auction.results import result_files
from engine.auction.signing import PUBLIC_KEY_FILE, public_pem, sign, signing_key, to_file
from engine.auction.state import AuctionState
from engine.auction.value_builder import sheet_csv, value_sheet
from engine.store.access import missing

LEDGER = "ledger.jsonl"
VALUES = "values.csv"
TEMPLATE = "bids-template.csv"
CONFIGURATION = "configuration.json"
_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "pem": "application/x-pem-file",
    "jsonl": "application/x-ndjson",
    "txt": "text/plain",
    "xml": "application/xml",
    "zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file to be kept by a browser."""

    name: str
    content: bytes

    @property
    def mimetype(self) -> str:
        """What kind of file it is."""
        return _TYPES.get(self.name.rsplit(".", 1)[-1], "application/octet-stream")


def download(rooms: Rooms, user: str, auction_id: str, name: str, home: Path) -> File:
    """Return a file of the auction that this session may have.

    The host has the ledger at any time (signed once the auction is over; it holds everybody's values) and the results;
    everybody in the room has the key to check its signature with at any time, after the close the ledger too where the
    rules disclose values, the results, the configuration and the round files after the end, and a file for bids at
    any time; a bidder has his own values.
    """
    room, row, live = rooms.look(auction_id)
    state = live.state
    host = rooms.role(room, row, user, "host") is not None
    if name == VALUES:
        return File(name, _values(state, rooms.seat(room, row, user)))
    if not host and not any(rooms.role(room, row, user, role) for role in ("bidder", "watcher")):
        raise missing("auction", auction_id)
    if name == TEMPLATE:
        return File(name, bid_template(state.configuration).encode())
    if name == PUBLIC_KEY_FILE:
        return File(name, public_pem(signing_key(home).public_key()))
    private = name == LEDGER and not state.configuration.rules.disclose_values
    if not host and (private or state.phase != "closed"):
        words = "the ledger is its host's" if private else "results are given out when the auction is closed"
        raise RefusedError(403, "not yours", words)
    entries = [stored.entry for stored in rooms.store.entries(auction_id)][: live.last.number]
    return File(name, _made(name, entries, state, home))


def _values(state: AuctionState, bidder: str) -> bytes:
    valuation = state.bidders[state.bidder_place[bidder]].valuation
    if valuation is None:
        raise missing("file", VALUES)
    return sheet_csv(value_sheet(valuation, state.configuration)).encode()


def _made(name: str, entries: Sequence[Entry], state: AuctionState, home: Path) -> bytes:
    """Return a file that is made from the ledger."""
    if name == LEDGER:
        over = state.phase in {"closed", "cancelled"}
        return to_file(entries, sign(entries, signing_key(home)) if over else None)
    if name == CONFIGURATION:
        return json.dumps(configuration_to_json(state.configuration), indent=2, ensure_ascii=False).encode() + b"\n"
    if name in bundles.NAMES:
        return bundles.bundle(name, [entry.event for entry in entries], state.configuration)
    files = result_files(entries, state)
    if name not in files:
        raise missing("file", name)
    return files[name]
