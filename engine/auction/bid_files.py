"""A bidder's bids as a file: one line per lot, every problem at once, each with its line and column.

Columns ``lot``, ``amount`` and ``blocks``, in any order; ``blocks`` may be left out and is then 1, and ``name`` is for
the reader only. A line without amount and blocks bids nothing, so that the template may be sent back with a few
amounts filled in. Amounts are whole numbers in digits: what is written as 1,000 or 1.000 means different sums in
different countries, so neither is guessed at. The layout is ours; the rules of the auction are checked after it.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.auction.rules import MAX_AMOUNT, Configuration, Lot
from engine.auction.state import Bid
from engine.auction.tables import to_csv, unguarded

MOST_CHARACTERS = 1_000_000
MOST_LINES = 10_000
_NEEDED = ("lot", "amount")
_KNOWN = ("lot", "name", "amount", "blocks")
_SEPARATORS = (",", ";", "\t")
_WHOLE = re.compile(r"[0-9]{1,19}")
_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}|[0-9]+,[0-9]{4,}")
_GROUPED = re.compile(r"[0-9]{1,3}([ ,.'’\u00a0\u2009\u202f_])[0-9]{3}(\1[0-9]{3})*([.,][0-9]+)?")
_POINT = re.compile(r"[0-9]*\.[0-9]*")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing that is wrong with a file of bids."""

    line: int  # counted from 1, the line of column names included; 0 for the file as a whole
    column: str  # "" for the line as a whole
    lot: str  # its id as written, "" where there is none
    words: str  # names line and column


def template(configuration: Configuration) -> str:
    """Return a file with every lot and no bid."""
    rows = [{"lot": lot.id, "name": lot.name, "amount": None, "blocks": None} for lot in configuration.lots]
    return to_csv(_KNOWN, rows)


def read(text: str, configuration: Configuration) -> tuple[tuple[Bid, ...], tuple[FileProblem, ...]]:
    """Return the bids of a file, in its order, and all its problems; the bids are those of lines without any."""
    if len(text) > MOST_CHARACTERS:
        return (), (FileProblem(0, "", "", f"the file is longer than {MOST_CHARACTERS:,} characters"),)
    text = text.removeprefix("\ufeff")
    first = text.lstrip("\r\n").splitlines()[:1]
    if not first:
        return (), (FileProblem(0, "", "", "the file is empty: it needs the columns lot, amount and blocks"),)
    separator = max(_SEPARATORS, key=first[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found = _Reading(configuration)
    try:
        for cells in reader:
            found.line(reader.line_num, [cell.strip() for cell in cells])
            if reader.line_num > MOST_LINES:
                found.say(0, "", "", f"the file has more than {MOST_LINES:,} lines")
                break
    except csv.Error as error:
        found.say(reader.line_num, "", "", f"line {reader.line_num} cannot be read: {error}")
    return found.bids(), tuple(found.problems)


class _Reading:
    """The lines so far."""

    def __init__(self, configuration: Configuration) -> None:
        self.lots = {lot.id: (place, lot) for place, lot in enumerate(configuration.lots)}
        self.header: list[str] = []
        self.stopped = False
        self.problems: list[FileProblem] = []
        self.found: dict[int, tuple[int, Bid | None]] = {}  # by lot: line, and the bid of a line without problems
        self.twice: set[int] = set()

    def say(self, line: int, column: str, lot: str, words: str) -> None:
        self.problems.append(FileProblem(line, column, lot, words))

    def bids(self) -> tuple[Bid, ...]:
        """Return the bids of lots that are there once."""
        kept = (bid for place, (_, bid) in self.found.items() if place not in self.twice)
        return tuple(bid for bid in kept if bid is not None)

    def line(self, number: int, cells: list[str]) -> None:
        """Take one line."""
        if self.stopped or not any(cells):
            return
        if not self.header:
            self._names(number, [cell.casefold() for cell in cells])
        elif len(cells) != len(self.header):
            hint = ": an amount has no separators within" if len(cells) > len(self.header) else ""
            words = f"line {number} has {len(cells)} cells, the line of column names {len(self.header)}{hint}"
            self.say(number, "", "", words)
        else:
            self._row(number, dict(zip(self.header, cells, strict=True)))

    def _names(self, number: int, names: list[str]) -> None:
        self.header = names
        missing = [name for name in _NEEDED if name not in names]
        for name in missing:
            self.say(number, name, "", f"column {name!r} is missing: the columns are lot, amount and blocks")
        for name in dict.fromkeys(names):
            if name not in _KNOWN:
                self.say(
                    number, name[:40], "", f"column {name[:40]!r} is not known: the columns are lot, amount, blocks"
                )
            elif names.count(name) > 1:
                self.say(number, name, "", f"column {name!r} is there {names.count(name)} times")
        self.stopped = bool(self.problems)

    def _row(self, number: int, row: Mapping[str, str]) -> None:
        written, amount_cell, blocks_cell = unguarded(row["lot"]), row["amount"], row.get("blocks", "")
        if not amount_cell and not blocks_cell:
            if written and written not in self.lots:
                self._unknown(number, written)
            return
        place, lot = self.lots.get(written, (-1, None))
        if lot is None:
            self._unknown(number, written)
        elif place in self.found:
            self.twice.add(place)
            words = f"line {number}: product {written!r} is on line {self.found[place][0]} already"
            self.say(number, "lot", written, words)
        amount = self._whole(number, "amount", written, amount_cell, MAX_AMOUNT)
        blocks = self._whole(number, "blocks", written, blocks_cell, _most(lot)) if blocks_cell else 1
        if lot is not None and place not in self.found:
            whole = amount is not None and blocks is not None
            self.found[place] = (number, Bid(place, amount or 0, blocks or 0) if whole else None)

    def _unknown(self, number: int, written: str) -> None:
        words = f"there is no product {written[:60]!r} in this auction" if written else "no product is named"
        self.say(number, "lot", written[:60], f"line {number}: {words}")

    def _whole(self, number: int, column: str, lot: str, cell: str, most: int) -> int | None:
        """Return a whole number from 1 to ``most``, None after telling why it is none."""
        value = int(cell) if _WHOLE.fullmatch(cell) else None
        if value is not None and 1 <= value <= most:
            return value
        words = _why(cell) if value is None else f"must be from 1 to {most:,}, found {cell}"
        self.say(number, column, lot[:60], f"line {number}, {column}: {words}")
        return None


def _most(lot: Lot | None) -> int:
    return MAX_AMOUNT if lot is None else lot.quantity


def _why(cell: str) -> str:
    """Return in words why a cell is no whole number."""
    shown = repr(cell[:40])
    if not cell:
        return "a whole number is needed, found none"
    if _GROUPED.fullmatch(cell):
        return f"{shown} has a thousands separator: write digits only"
    if _COMMA.fullmatch(cell):
        return f"{shown} has a decimal comma: amounts are whole numbers"
    if _POINT.fullmatch(cell):
        return f"{shown} has a decimal point: amounts are whole numbers"
    if cell[:1] in "=+-@'":
        return f"{shown} begins with a sign: write digits only"
    return f"{shown} is no whole number: write digits only"
