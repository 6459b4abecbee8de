"""A ledger from a file: checked, and read as what the debrief tells. Nothing of it is stored.

Files are read as JSON and text only. What they may hold is bounded: their size, packed and unpacked, and how much work
the values in them may ask for.
"""

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callbacks.network_import import received
from components.auction_debrief_more import MOST_BYTES
from components.format import count, number
from engine.auction import fcc_files, fcc_xml, record_files
from engine.auction.bundles import zipped
from engine.auction.configuration import configuration_from_json
from engine.auction.events import Event
from engine.auction.ledger import Entry, chain, verify
from engine.auction.records import BidderRecord, Records
from engine.auction.records_replay import events_of
from engine.auction.results import result_files
from engine.auction.rules import Configuration
from engine.auction.signing import PUBLIC_KEY_FILE, Signature, check_signature, read_file, read_public_key
from engine.auction.templates import total_units
from engine.errors import EngineError, FileFormatError, LimitError

MOST_UNPACKED = 100_000_000  # bytes of a ZIP's members together
MOST_MEMBERS = 50_000  # of a ZIP: the FCC writes five files a round
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError)
MOST_COMPLEX = 40  # bidders whose optimum is a program of its own: each may take a while
SIMPLE = frozenset({"additive", "symmetric", "unit demand"})  # kinds of values with a closed form
CONFIGURATION = "configuration.json"


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A ledger, and what its check found, in sentences."""

    entries: tuple[Entry, ...]
    words: tuple[str, ...]


def opened(contents: Any, names: Any, home: Path) -> Opened:
    """Return the ledger in uploaded files (data URLs). Raises EngineError: a LedgerError names the entry at fault."""
    contents = [contents] if isinstance(contents, str) else contents
    names = [names] if isinstance(names, str) else names
    if not isinstance(contents, list) or not isinstance(names, list):
        raise FileFormatError("choose a file first")
    files = received(contents, names, MOST_BYTES)
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise FileFormatError(f"the files have more than {MOST_BYTES // 1_000_000} MB together")
    if len(files) == 1:
        (name, content), *_ = files.items()
        rounds = _is_zip(content) or name.lower().endswith(".xml")
        if not rounds and _json_object(content).get("format") != record_files.FORMAT:
            return _ledger(name, content, home)
    return _round_files(files)


def reasons(error: EngineError) -> list[str]:
    """Return every reason why files are not taken."""
    problems = getattr(error, "problems", None)
    found = [problem.message for problem in problems] if problems else [str(error)]
    return found or [str(error)]


def results_zip(found: Opened) -> bytes:
    """Return the result files of a ledger as one ZIP file."""
    return zipped({name: content.decode() for name, content in result_files(found.entries).items()})


# A ledger


def _ledger(name: str, content: bytes, home: Path) -> Opened:
    entries, signature = read_file(content)
    if not entries:
        raise FileFormatError(f"{name} holds no entry of a ledger")
    verify(entries)
    words = [f"Read from {name}: {count(len(entries), 'entry', 'entries')}, every hash is right."]
    words.append(_signed(entries, signature, home))
    _bounded(entries)
    return Opened(entries, tuple(words))


def _signed(entries: tuple[Entry, ...], signature: Signature | None, home: Path) -> str:
    if signature is None:
        return "Not signed: the hashes show that no part was changed alone, but nobody vouches for the whole."
    check_signature(entries, signature)
    path = home / PUBLIC_KEY_FILE
    if path.exists() and read_public_key(path) == signature.public_key:
        return "Signed by this server: nothing was changed since."
    return (
        f"The signature is right and by the key {signature.public_key[:16]}…, which is not this server's: whose key it "
        "is has to be known from elsewhere."
    )


def _bounded(entries: Sequence[Entry]) -> None:
    """Refuse values that would keep the server busy for long."""
    hard = 0
    for entry in entries:
        valuation = entry.event.data.get("valuation") if entry.event.kind == "admitted" else None
        if isinstance(valuation, Mapping) and (valuation.get("kind") not in SIMPLE or "budget" in valuation):
            hard += 1
    if hard > MOST_COMPLEX:
        raise LimitError(
            f"{number(hard)} bidders have values with complements or budgets; up to {MOST_COMPLEX} are worked out here"
        )


# Round files


def _round_files(files: Mapping[str, bytes]) -> Opened:
    configuration, others = _configuration(files)
    records = _records(others, configuration)
    events: tuple[Event, ...] = events_of(records, configuration)
    rounds = max((record.round for record in records.bids), default=0)
    words = (
        f"Made from round files ({', '.join(sorted(others))[:200]}) by the rules of the configuration: "
        f"{count(len(records.bidders), 'bidder')}, bids in {count(rounds, 'round')}.",
        "Every standing bid that the files tell follows from their bids by these rules.",
        "Round files hold no values, no hashes and no signature: nobody vouches for them.",
    )
    return Opened(chain(events), words)


def _configuration(files: Mapping[str, bytes]) -> tuple[Configuration, dict[str, bytes]]:
    found = {name: content for name, content in files.items() if {"lots", "rules"} <= _json_object(content).keys()}
    if len(found) != 1:
        raise FileFormatError(
            f"round files need the auction's {CONFIGURATION} with them: it is among the files of its debrief"
        )
    (name, content), *_ = found.items()
    return configuration_from_json(_json_object(content)), {one: files[one] for one in files if one != name}


def _records(files: Mapping[str, bytes], configuration: Configuration) -> Records:
    if not files:
        raise FileFormatError("there is a configuration, and no round files")
    for content in files.values():
        if _json_object(content).get("format") == record_files.FORMAT:
            return record_files.from_json(_text("tables.json", content))
    texts: dict[str, str] = {}
    for name, content in files.items():
        texts |= _unpacked(name, content) if _is_zip(content) else {name: _text(name, content)}
    if "bids.csv" in texts:
        return record_files.from_csv_files(texts)
    xml = [name for name in texts if name.lower().endswith(".xml")]
    if xml and len(texts) == 1:
        return _all_bids(xml[0], texts[xml[0]], configuration)
    return fcc_files.from_files(texts)


def _all_bids(name: str, content: str, configuration: Configuration) -> Records:
    """Return the records of an ALL_BIDS file alone: bidders in the order of their first bids, free to bid on all."""
    bids = fcc_xml.from_xml(content)
    if not all(bid.bidder for bid in bids):
        raise FileFormatError(f"{name} does not tell who bid: only a file with bidders can be played again")
    if configuration.rules.activity.enforced:
        raise FileFormatError(f"{name} tells no eligibility, which these rules ask for: take the round files instead")
    units = total_units(configuration)
    bidders = dict.fromkeys(bid.bidder for bid in bids)
    return Records(tuple(BidderRecord(bidder, bidder, units) for bidder in bidders), bids=bids)


def _unpacked(name: str, content: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_MEMBERS:
                raise FileFormatError(f"{name} holds {number(len(members))} files; at most {number(MOST_MEMBERS)}")
            for member in members:
                with archive.open(member) as file:
                    data = file.read(left + 1)  # what the archive says of its sizes is not believed
                left -= len(data)
                if left < 0:
                    raise FileFormatError(f"{name} unpacks to more than {MOST_UNPACKED // 1_000_000} MB")
                found[member.filename] = _text(member.filename, data)
    except _DAMAGED as error:
        raise FileFormatError(f"{name} cannot be unpacked: {error}") from None
    return found


def _is_zip(content: bytes) -> bool:
    return content[:4] == b"PK\x03\x04"


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{name[:100]} is not text in UTF-8") from None


def _json_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object that a file is as a whole; an empty one where it is something else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
