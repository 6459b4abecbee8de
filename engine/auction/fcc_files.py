"""The round files of the FCC's auctions: all bids, withdrawals, eligibility, high bids with the next minimum.

Checked against the sources: the fields of every file and their order are those of DA 01-2357 (Auction 40),
Attachment A, "Auction Bidding System File Definitions", sections A.1 to A.6 (docs.fcc.gov, DA-01-2357A2). The names of
the files of round 7 of auction 17, ``17_007S.TXT`` for the bids submitted, ``W`` for withdrawn, ``E`` for maximum
eligibility and remaining waivers, ``H`` for high bids and the minimum accepted bids for the next round, are those of
DA 98-0230 (1998), Attachment.

Not found there, so a layout of ours after these notices: cells are separated by commas under a line of field names;
``market`` is the lot's id and may be longer than six characters; ``freq_block`` numbers the blocks of a lot (of a bid
in ALL_BIDS, with a line for each block of the bid); ``fcc_acct`` is the bidder's id; ``date`` is written as in the XML
files of Auction 73; ``random_num`` is the tie number as a part of 1; ``waivr_ind`` is P proactive, A automatic, R a
reduction chosen, or nothing; the names of the two cross references; a file of round 0 with the eligibility at first;
and the file ``ROUNDS`` with stage, annulments and time of each round. Amounts are in the auction's currency unit and
not in dollars, net amounts are the same because nobody has a bidding credit, and unknown fields are 0.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.auction.records import (
    BidderRecord,
    BidRecord,
    Records,
    RoundRecord,
    StandingRecord,
    StatusRecord,
    WithdrawalRecord,
)
from engine.auction.rules import MAX_AMOUNT, Configuration
from engine.auction.tables import Row, from_csv, to_csv
from engine.errors import FileFormatError, Problem

ALL_BIDS = ("market", "freq_block", "round_num", "bid_amt", "bidder_num", "fcc_acct", "date", "net_bid_amt",
            "sort_col_1", "sort_col_2", "sub_market", "random_num")  # fmt: skip
HIGH_BIDS = ("market", "freq_block", "bid_round", "bid_amt", "bidder_num", "fcc_acct", "date", "net_bid_amt",
             "min_accept", "num_of_bids", "min_incr_2", "sort_col_1", "sort_col_2", "sub_market")  # fmt: skip
MAXIMUM_ELIGIBILITY = ("round_num", "bidder_num", "fcc_acct", "max_elig", "rmng_waivr", "waivr_ind",
                       "rmng_withdrawals", "required_act", "current_act")  # fmt: skip
WITHDRAWALS = ("market", "freq_block", "bid_round", "bid_amt", "bidder_num", "fcc_acct", "date", "net_bid_amt",
               "sort_col_1", "sort_col_2", "sub_market")  # fmt: skip
BIDDER_CROSS_REFERENCE = ("bidder_num", "fcc_acct", "co_name", "bidding_credit_pctg")
MARKET_CROSS_REFERENCE = ("license_name", "market", "freq_block", "sub_market", "license", "market_Desc", "bid_units",
                          "population")  # fmt: skip
ROUNDS = ("round_num", "stage", "annulled", "closed_at")
TIE_PARTS = 2**48  # tie numbers have 48 bits, so that a double holds the part of 1 exactly
_OF_ROUND = {"S": ALL_BIDS, "W": WITHDRAWALS, "E": MAXIMUM_ELIGIBILITY, "H": HIGH_BIDS}
_NAME = re.compile(r"[0-9]+_(?:([0-9]{3,5})([SWEH])|(BIDDERS|MARKETS|ROUNDS))\.TXT", re.IGNORECASE)
_WHOLE = re.compile(r"([0-9]{1,16})(?:\.0*)?")
_WAIVERS = {"proactive": "P", "automatic": "A"}


def date_of(at: float) -> str:
    """Return a moment as the day that the FCC writes: ``2008.01.28``, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y.%m.%d")


def to_files(records: Records, configuration: Configuration, auction: int = 1) -> dict[str, str]:
    """Return the files of an auction with that number as text by name."""
    made = _Writing(records, configuration)
    files = {
        f"{auction}_BIDDERS.TXT": to_csv(BIDDER_CROSS_REFERENCE, made.bidders()),
        f"{auction}_MARKETS.TXT": to_csv(MARKET_CROSS_REFERENCE, made.markets()),
        f"{auction}_ROUNDS.TXT": to_csv(ROUNDS, made.rounds()),
        f"{auction}_000E.TXT": to_csv(MAXIMUM_ELIGIBILITY, made.at_first()),
    }
    for told in records.rounds:
        for letter, rows in made.of_round(told.round).items():
            files[f"{auction}_{told.round:03d}{letter}.TXT"] = to_csv(_OF_ROUND[letter], rows)
    return files


class _Writing:
    """Rows of each file."""

    def __init__(self, records: Records, configuration: Configuration) -> None:
        self.records, self.lots = records, configuration.lots
        self.number = {row.bidder: place for place, row in enumerate(records.bidders, 1)}
        self.sort = {lot.id: place for place, lot in enumerate(configuration.lots, 1)}
        self.date = {row.round: date_of(row.closed_at) for row in records.rounds}
        self.parts: dict[str, dict[int, list[Any]]] = {}
        for letter, rows in (
            ("S", records.bids), ("W", records.withdrawals), ("E", records.status), ("H", records.standing)
        ):  # fmt: skip
            for row in rows:
                self.parts.setdefault(letter, {}).setdefault(row.round, []).append(row)

    def of_round(self, number: int) -> dict[str, Iterator[Row]]:
        """Return the rows of the four files of a round by letter."""
        part = {letter: self.parts.get(letter, {}).get(number, []) for letter in _OF_ROUND}
        return {
            "S": self._bids(part["S"]),
            "W": self._withdrawals(part["W"]),
            "E": self._status(part["E"]),
            "H": self._standing(part["H"]),
        }

    def bidders(self) -> Iterator[Row]:
        for row in self.records.bidders:
            number = self.number[row.bidder]
            yield {"bidder_num": number, "fcc_acct": row.bidder, "co_name": row.name, "bidding_credit_pctg": 0}

    def markets(self) -> Iterator[Row]:
        for lot in self.lots:
            for block in range(1, lot.quantity + 1):
                yield {
                    "license_name": f"{lot.id}-{block}" if lot.quantity > 1 else lot.id,
                    "market": lot.id,
                    "freq_block": block,
                    "sub_market": 0,
                    "license": lot.id,
                    "market_Desc": lot.name,
                    "bid_units": lot.units,
                    "population": 0,
                }

    def rounds(self) -> Iterator[Row]:
        for row in self.records.rounds:
            yield {"round_num": row.round, "stage": row.stage, "annulled": row.annulled, "closed_at": row.closed_at}

    def at_first(self) -> Iterator[Row]:
        for row in self.records.bidders:
            units = dict.fromkeys(("rmng_waivr", "rmng_withdrawals", "required_act", "current_act"), 0)
            yield {"round_num": 0, **self._bidder(row.bidder), "max_elig": row.eligibility, **units}

    def _bidder(self, bidder: str) -> dict[str, Any]:
        return {"bidder_num": self.number.get(bidder, 0), "fcc_acct": bidder}

    def _block(self, row: Any, block: int, bid_round: int) -> dict[str, Any]:
        return {
            "market": row.lot,
            "freq_block": block,
            "bid_amt": row.amount,
            **self._bidder(row.bidder),
            "date": self.date.get(bid_round, ""),
            "net_bid_amt": row.amount,
            "sort_col_1": self.sort[row.lot],
            "sort_col_2": block,
            "sub_market": 0,
        }

    def _bids(self, rows: Sequence[BidRecord]) -> Iterator[Row]:
        for row in rows:
            part = None if row.tie_number is None else row.tie_number / TIE_PARTS
            for block in range(1, row.blocks + 1):
                yield {**self._block(row, block, row.round), "round_num": row.round, "random_num": part}

    def _withdrawals(self, rows: Sequence[WithdrawalRecord]) -> Iterator[Row]:
        for row in rows:
            yield {**self._block(row, row.block, row.bid_round), "bid_round": row.bid_round}

    def _status(self, rows: Sequence[StatusRecord]) -> Iterator[Row]:
        for row in rows:
            yield {
                "round_num": row.round,
                **self._bidder(row.bidder),
                "max_elig": row.eligibility,
                "rmng_waivr": row.waivers_left,
                "waivr_ind": _WAIVERS.get(row.waiver, "R" if row.reduction else ""),
                "rmng_withdrawals": row.withdrawal_rounds_left,
                "required_act": row.required,
                "current_act": row.activity,
            }

    def _standing(self, rows: Sequence[StandingRecord]) -> Iterator[Row]:
        for row in rows:
            yield {
                **self._block(row, row.block, row.bid_round),
                "bid_round": row.bid_round,
                "min_accept": row.minimum,
                "num_of_bids": row.bids,
                "min_incr_2": row.minimum - row.amount,
            }


def from_files(files: Mapping[str, str]) -> Records:
    """Return the records of :func:`to_files`. Files with other names are left alone.

    Raises FileFormatError naming every file, line and field at fault, or the files that are missing.
    """
    reading = _Reading()
    for name in sorted(files):
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        number, letter, whole = int(found[1] or 0), (found[2] or "").upper(), (found[3] or "").upper()
        columns = _OF_ROUND[letter] if letter else {"BIDDERS": BIDDER_CROSS_REFERENCE, "ROUNDS": ROUNDS}.get(whole, ())
        try:
            rows = from_csv(files[name], columns, name)
        except FileFormatError as error:
            reading.problems += error.problems
            continue
        reading.take(name, letter or whole, number, rows)
    return reading.records()


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file; a cell that is not what it must be is told, and counts as 0."""

    where: str
    cells: Mapping[str, str]
    problems: list[Problem]

    def whole(self, field: str, most: int = MAX_AMOUNT) -> int:
        found = _WHOLE.fullmatch(self.cells[field])
        if found is None or int(found[1]) > most:
            self.say(f"{field} must be a whole number up to {most}, found {self.cells[field][:40]!r}")
            return 0
        return int(found[1])

    def part(self, field: str) -> float | None:
        try:
            value = float(self.cells[field]) if self.cells[field] else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value < 1:
            self.say(f"{field} must be from 0 to below 1, found {self.cells[field][:40]!r}")
            return None
        return value

    def seconds(self, field: str) -> float:
        try:
            value = float(self.cells[field])
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e11:
            self.say(f"{field} must be seconds since 1970, found {self.cells[field][:40]!r}")
            return 0.0
        return value

    def text(self, field: str) -> str:
        if not self.cells[field]:
            self.say(f"{field} is empty")
        return self.cells[field]

    def say(self, words: str) -> None:
        self.problems.append(Problem("fcc-file", "error", f"{self.where}: {words}"))


class _Reading:
    """Records so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.names: dict[str, tuple[int, str]] = {}  # number and name by id
        self.first: dict[str, tuple[int, int]] = {}  # number and eligibility by id
        self.bids: dict[tuple[int, str, str, int, int | None], list[int]] = {}  # blocks
        self.rounds: list[RoundRecord] = []
        self.withdrawals: list[WithdrawalRecord] = []
        self.status: list[StatusRecord] = []
        self.standing: list[StandingRecord] = []

    def take(self, name: str, kind: str, number: int, rows: list[dict[str, str]]) -> None:
        """Take the lines of one file."""
        handle = {
            "S": self._bid, "W": self._withdrawal, "E": self._eligibility, "H": self._high,
            "BIDDERS": self._bidder, "ROUNDS": self._round,
        }.get(kind)  # fmt: skip
        if handle is None:
            return
        for place, cells in enumerate(rows, 2):
            line = _Line(f"{name}, line {place}", cells, self.problems)
            if "round_num" in cells and kind in "SE" and line.whole("round_num") != number:
                line.say(f"round_num is {cells['round_num'][:20]} in the file of round {number}")
            handle(line, number)

    def records(self) -> Records:
        """Return all records. Raises FileFormatError when anything was wrong."""
        if not self.first and not self.problems:
            self._say("the file of round 0 with the eligibility at first, such as 1_000E.TXT, is needed")
        acting = {bidder for _, bidder, *_ in self.bids} | {row.bidder for row in self.withdrawals}
        for bidder in sorted(acting - set(self.first)):
            self._say(f"bidder {bidder!r} bids and is not in the file of round 0")
        bids = []
        for (number, bidder, lot, amount, tie), blocks in self.bids.items():
            twice = [block for block, count in Counter(blocks).items() if count > 1]
            if twice:
                self._say(
                    f"round {number}: block {twice[0]} of the bid of {bidder!r} on {lot!r} is there more than once"
                )
            bids.append(BidRecord(number, bidder, lot, amount, len(blocks), None, tie))
        if self.problems:
            raise FileFormatError(self.problems)
        bidders = [
            (self.names.get(bidder, (number, bidder)), bidder, eligibility)
            for bidder, (number, eligibility) in self.first.items()
        ]
        return Records(
            bidders=tuple(BidderRecord(bidder, name, units) for (_, name), bidder, units in sorted(bidders)),
            rounds=tuple(sorted(self.rounds, key=lambda row: row.round)),
            bids=tuple(bids),
            withdrawals=tuple(self.withdrawals),
            status=tuple(self.status),
            standing=tuple(self.standing),
        )

    def _say(self, words: str) -> None:
        self.problems.append(Problem("fcc-file", "error", words))

    def _bid(self, line: _Line, number: int) -> None:
        part = line.part("random_num")
        tie = None if part is None else round(part * TIE_PARTS)
        key = (number, line.text("fcc_acct"), line.text("market"), line.whole("bid_amt"), tie)
        self.bids.setdefault(key, []).append(line.whole("freq_block"))

    def _withdrawal(self, line: _Line, number: int) -> None:
        self.withdrawals.append(
            WithdrawalRecord(
                round=number,
                bidder=line.text("fcc_acct"),
                lot=line.text("market"),
                block=line.whole("freq_block"),
                amount=line.whole("bid_amt"),
                bid_round=line.whole("bid_round"),
            )
        )

    def _eligibility(self, line: _Line, number: int) -> None:
        bidder, eligibility, code = line.text("fcc_acct"), line.whole("max_elig"), line.cells["waivr_ind"]
        if number == 0:
            self.first[bidder] = (line.whole("bidder_num"), eligibility)
            return
        if code not in ("", "P", "A", "R"):
            line.say(f"waivr_ind must be P, A, R or nothing, found {code[:20]!r}")
        self.status.append(
            StatusRecord(
                round=number,
                bidder=bidder,
                eligibility=eligibility,
                waivers_left=line.whole("rmng_waivr"),
                withdrawal_rounds_left=line.whole("rmng_withdrawals"),
                required=line.whole("required_act"),
                activity=line.whole("current_act"),
                waiver={"P": "proactive", "A": "automatic"}.get(code, ""),
                reduction=code == "R",
            )
        )

    def _high(self, line: _Line, number: int) -> None:
        self.standing.append(
            StandingRecord(
                round=number,
                lot=line.text("market"),
                block=line.whole("freq_block"),
                bidder=line.cells["fcc_acct"],
                amount=line.whole("bid_amt"),
                bid_round=line.whole("bid_round"),
                minimum=line.whole("min_accept", MAX_AMOUNT + 1),
                bids=line.whole("num_of_bids"),
            )
        )

    def _bidder(self, line: _Line, _number: int) -> None:
        self.names[line.text("fcc_acct")] = (line.whole("bidder_num"), line.text("co_name"))

    def _round(self, line: _Line, _number: int) -> None:
        numbers = (line.whole("round_num"), line.whole("stage"), line.whole("annulled"))
        self.rounds.append(RoundRecord(*numbers, line.seconds("closed_at")))
