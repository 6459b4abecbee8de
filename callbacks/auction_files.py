"""What can be taken home from an auction: the ledger, the results, and a bidder's own values."""

import json
from dataclasses import dataclass
from pathlib import Path

from callbacks.auction_room import RefusedError, Rooms
from engine.auction import bundles
from engine.auction.bid_files import template as bid_template
from engine.auction.configuration import configuration_to_json
from engine.auction.results import result_files
from engine.auction.signing import sign, signing_key, to_file
from engine.auction.value_builder import sheet_csv, value_sheet
from engine.store.access import missing

LEDGER = "ledger.jsonl"
VALUES = "values.csv"
TEMPLATE = "bids-template.csv"
CONFIGURATION = "configuration.json"
_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
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
    everybody in the room has the results, the configuration and the round files after the end, and a file for bids at
    any time; a bidder has his own values.
    """
    room, row, live = rooms.look(auction_id)
    host = rooms.role(room, row, user, "host") is not None
    over = live.state.phase in {"closed", "cancelled"}
    if name == VALUES:
        place = live.state.bidder_place[rooms.seat(room, row, user)]
        valuation = live.state.bidders[place].valuation
        if valuation is None:
            raise missing("file", name)
        return File(name, sheet_csv(value_sheet(valuation, live.state.configuration)).encode())
    if not host and not any(rooms.role(room, row, user, role) for role in ("bidder", "watcher")):
        raise missing("auction", auction_id)
    if name == TEMPLATE:
        return File(name, bid_template(live.state.configuration).encode())
    if not host and (name == LEDGER or live.state.phase != "closed"):
        words = "the ledger is its host's" if name == LEDGER else "results are given out when the auction is closed"
        raise RefusedError(403, "not yours", words)
    if name == CONFIGURATION:
        content = json.dumps(configuration_to_json(live.state.configuration), indent=2, ensure_ascii=False)
        return File(name, content.encode() + b"\n")
    entries = [stored.entry for stored in rooms.store.entries(auction_id)][: live.last.number]
    if name == LEDGER:
        return File(name, to_file(entries, sign(entries, signing_key(home)) if over else None))
    if name in bundles.NAMES:
        return File(name, bundles.bundle(name, [entry.event for entry in entries], live.state.configuration))
    files = result_files(entries, live.state)
    if name not in files:
        raise missing("file", name)
    return File(name, files[name])
