"""The FCC's ALL_BIDS records in XML: one element for each bid, under the root ``dataroot``.

Checked against the sources: the elements, their order and how numbers and dates are written are those of the FCC's
own file of round 6 of Auction 73 (auctionresults.fcc.gov, 73_006_database_round_anonymous.xml); what each means is in
DA 08-84 (2008), Appendix, "Description of XML file formats for Auctions 73 and 76, limited information mode".
That file leaves out an empty ``submarket``, and so does this one.

Not found there, so ours after these: the element ``bidder`` with the bidder's id, last in each record, because the
FCC's file above is without names; ``item_name`` is the lot's id and ``market`` its bus, ``block`` numbers the blocks of
a bid, each a record of its own; ``bid_amount`` is in the auction's currency unit; a bid above the minimum where any
amount may be bid has no ``increments_of_bid``; without random ties there is no ``selection_number``.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from engine.auction.fcc_files import TIE_PARTS, date_of
from engine.auction.records import BidRecord, Records
from engine.auction.rules import MAX_AMOUNT, Configuration
from engine.auction.tables import MOST_CHARACTERS
from engine.errors import FileFormatError, Problem

_ROOT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n\n'
    '<dataroot xmlns:od="urn:schemas-microsoft-com:officedata" '
    'xmlns:xsi="http://www.w3.org/2000/10/XMLSchema-instance">'
)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no XML 1.0 file can hold these
_AMOUNT = re.compile(r"([0-9]{1,16})(?:\.0*)?")
_NEEDED = ("round", "item_name", "bid_amount")


def to_xml(records: Records, configuration: Configuration, auction: int = 1, *, names: bool = True) -> str:
    """Return all bids of an auction with that number; without ``names`` nobody is told who made them."""
    lots = {lot.id: lot for lot in configuration.lots}
    dates = {row.round: date_of(row.closed_at) for row in records.rounds}
    parts = [_ROOT]
    for bid in records.bids:
        lot = lots[bid.lot]
        number = None if bid.tie_number is None else f"{bid.tie_number / TIE_PARTS:.15f}"
        for block in range(1, bid.blocks + 1):
            cells: dict[str, Any] = {
                "auction_id": auction,
                "auction_description": configuration.title,
                "round": bid.round,
                "item_name": lot.id,
                "item_description": lot.name,
                "market": lot.bus,
                "block": block,
                "increments_of_bid": bid.increments,
                "bid_amount": f"{bid.amount}.0000",
                "date": dates.get(bid.round),
                "selection_number": number,
                "bidder": bid.bidder if names else None,
            }
            parts.append("<ALL_BIDS>" + "".join(_elements(cells)) + "</ALL_BIDS>")
    return "".join([*parts, "\n</dataroot>\n"])


def from_xml(text: str) -> tuple[BidRecord, ...]:
    """Return the bids of a file; ``bidder`` is "" where the file tells none.

    Records of other kinds are left alone. Raises FileFormatError naming every record and element at fault, and on a
    file with a document type or entities, which no file of bids needs.
    """
    if len(text) > MOST_CHARACTERS:
        raise FileFormatError(f"the file is longer than {MOST_CHARACTERS:,} characters")
    try:
        root = fromstring(text.encode(), forbid_dtd=True)
    except DefusedXmlException:
        raise FileFormatError("the file has a document type or entities, which are not read") from None
    except (ParseError, UnicodeEncodeError, ValueError) as error:
        raise FileFormatError(f"the file is not XML: {error}") from None
    problems: list[Problem] = []
    blocks: dict[tuple[int, str, str, int, int | None, int | None], set[int]] = {}
    for place, element in enumerate(root.iterfind("ALL_BIDS"), 1):
        cells = {child.tag: (child.text or "").strip() for child in element}
        wrong = list(_wrong(cells))
        problems += [Problem("fcc-xml", "error", f"bid {place}: {words}") for words in wrong]
        if wrong:
            continue
        number, steps = cells.get("selection_number"), cells.get("increments_of_bid")
        key = (
            int(cells["round"]),
            cells.get("bidder", ""),
            cells["item_name"],
            _amount(cells["bid_amount"]),
            int(steps) if steps else None,
            round(float(number) * TIE_PARTS) if number else None,
        )
        own = blocks.setdefault(key, set())
        letter_or_number = cells.get("block", "")  # the FCC's own are letters
        block = int(letter_or_number) if letter_or_number.isdecimal() else 1
        if block in own and key[1]:
            words = f"bid {place}: block {block} of {key[2]!r} is bid on twice by {key[1]!r} in round {key[0]}"
            problems.append(Problem("fcc-xml", "error", words))
        own.add(block)
    if problems:
        raise FileFormatError(problems)
    return tuple(
        BidRecord(number, bidder, lot, amount, len(own), steps, tie)
        for (number, bidder, lot, amount, steps, tie), own in blocks.items()
    )


def _elements(cells: Mapping[str, Any]) -> Iterator[str]:
    for name, cell in cells.items():
        if cell is not None:
            yield f"\n<{name}>{html.escape(_NO_XML.sub('', str(cell)), quote=False)}</{name}>"


def _wrong(cells: Mapping[str, str]) -> Iterator[str]:
    """Yield in words what of a record cannot be read."""
    missing = [name for name in _NEEDED if not cells.get(name)]
    yield from (f"{name} is missing" for name in missing)
    for name, most in (("round", 99_999), ("increments_of_bid", 999)):
        cell = cells.get(name) or "1"
        if not (cell.isascii() and cell.isdecimal() and len(cell) <= 5 and 1 <= int(cell) <= most):
            yield f"{name} must be a whole number from 1 to {most}, found {cell[:40]!r}"
    if cells.get("block", "").isdecimal() and len(cells["block"]) > 5:
        yield f"block must be a letter or a number of at most 5 digits, found {cells['block'][:40]!r}"
    amount = cells.get("bid_amount")
    if amount and _amount(amount) < 0:
        yield f"bid_amount must be a whole number up to {MAX_AMOUNT}, found {amount[:40]!r}"
    try:
        part = float(cells.get("selection_number") or 0)
    except ValueError:
        part = -1.0
    if not 0 <= part < 1:
        yield f"selection_number must be from 0 to below 1, found {cells['selection_number'][:40]!r}"


def _amount(cell: str) -> int:
    """Return an amount such as ``86000.0000``, -1 where it is none."""
    found = _AMOUNT.fullmatch(cell)
    value = int(found[1]) if found else -1
    return value if value <= MAX_AMOUNT else -1
