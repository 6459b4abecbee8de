"""The ledger: an auction's events in order, each chained to the one before by SHA-256, and the file that holds them.

A file has one line of JSON for each entry, and a last line with the signature once the auction is finished
(:mod:`engine.auction.signing`, which reads and writes files). The hash of an entry covers its number, kind, time, actor
and data and the hash before it, as JSON with sorted keys, no spaces, in UTF-8: any program can check it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from engine.auction.events import Event, EventKind
from engine.auction.state import AuctionState
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError, LedgerError

FIRST = "0" * 64  # what stands before the first entry
KINDS = frozenset(get_args(EventKind))


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in its place."""

    number: int  # from 1
    event: Event
    previous: str  # hash of the entry before, 64 hexadecimal digits
    hash: str


def canonical(content: object) -> bytes:
    """Return JSON values as the bytes that are hashed."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def entry_hash(number: int, event: Event, previous: str) -> str:
    """Return the SHA-256 of an entry in hexadecimal digits."""
    content = {
        "number": number,
        "kind": event.kind,
        "at": event.at,
        "actor": event.actor,
        "data": event.data,
        "previous": previous,
    }
    return hashlib.sha256(canonical(content)).hexdigest()


def next_entry(last: Entry | None, event: Event) -> Entry:
    """Return the entry of an event after the ``last`` one (None: the first)."""
    number, previous = (1, FIRST) if last is None else (last.number + 1, last.hash)
    return Entry(number, event, previous, entry_hash(number, event, previous))


def append(entries: Sequence[Entry], event: Event) -> tuple[Entry, ...]:
    """Return the ledger with one more event, which :func:`engine.auction.transitions.apply` has accepted."""
    return (*entries, next_entry(entries[-1] if entries else None, event))


def chain(events: Iterable[Event]) -> tuple[Entry, ...]:
    """Return the ledger of events in their order."""
    entries: list[Entry] = []
    for event in events:
        entries.append(next_entry(entries[-1] if entries else None, event))
    return tuple(entries)


def verify(entries: Sequence[Entry]) -> None:
    """Check the chain. LedgerError names the first entry that was changed, taken out, put in or moved."""
    previous = FIRST
    for place, entry in enumerate(entries, 1):
        if entry.number != place:
            raise LedgerError(f"entry {place} has the number {entry.number}: an entry is missing or moved", place)
        if entry.previous != previous:
            raise LedgerError(f"entry {place} does not continue entry {place - 1}: one of them was changed", place)
        if entry_hash(entry.number, entry.event, entry.previous) != entry.hash:
            raise LedgerError(
                f"entry {place} ({entry.event.kind}) was changed: its hash is not that of its content", place
            )
        previous = entry.hash


def replay(entries: Sequence[Entry]) -> AuctionState:
    """Return the state that the entries add up to. LedgerError names the entry that breaks a rule of the auction."""
    if not entries:
        raise LedgerError("the ledger has no entry", None)
    state: AuctionState | None = None
    for entry in entries:
        try:
            state = apply(state, entry.event)
        except AuctionRuleError as error:
            raise LedgerError(f"entry {entry.number} ({entry.event.kind}): {error}", entry.number) from error
    assert state is not None  # noqa: S101 (there was an entry)
    return state


def to_line(entry: Entry) -> str:
    """Return an entry as its line of a file, without the line end."""
    content = {
        "number": entry.number,
        "kind": entry.event.kind,
        "at": entry.event.at,
        "actor": entry.event.actor,
        "data": entry.event.data,
        "previous": entry.previous,
        "hash": entry.hash,
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def from_content(content: object, place: int) -> Entry:
    """Return the entry in the JSON values of one line. LedgerError says what the line, ``place`` from 1, lacks."""
    if not isinstance(content, dict):
        raise LedgerError(f"line {place} is not an entry of a ledger", place)
    types: dict[str, Any] = {"number": int, "kind": str, "actor": str, "data": dict, "previous": str, "hash": str}
    wrong = [name for name, kind in types.items() if type(content.get(name)) is not kind]
    at = content.get("at")
    if type(at) not in (int, float):
        wrong.append("at")
    if wrong:
        raise LedgerError(
            f"line {place} is not an entry of a ledger: {', '.join(wrong)} missing or of another type", place
        )
    if content["kind"] not in KINDS:
        raise LedgerError(f"line {place}: there is no event {content['kind'][:40]!r}", place)
    event = Event(content["kind"], at, content["actor"], content["data"])  # type: ignore[arg-type]
    return Entry(content["number"], event, content["previous"], content["hash"])
