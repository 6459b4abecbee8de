"""Requests for connection: who asks for how many MW, where, from when and with what freedom; a table and a queue.

The demand of a capacity question is their sum at each bus. The queue is by date, then by row: the order in which
a first-come-first-served mechanism would serve them.
"""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, Self, get_args

from engine.capacity.question import MOST_DEMAND_MW
from engine.errors import Problem, QuestionError
from engine.network.cells import decimal_mark, number_in_text
from engine.network.csv_pair import decoded
from engine.network.model import Network

Envelope = Literal["firm", "flexible", "pause", "shift"]
ENVELOPES: tuple[Envelope, ...] = get_args(Envelope)
COLUMNS = ("customer", "bus", "mw", "date", "envelope")
MOST_REQUESTS = 5000
LONGEST_TEXT = 120
LONGEST_BLOCK = 2_000_000  # characters
_MOST_PROBLEMS = 100
_DAY = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_ONE_POINT, _ONE_COMMA = re.compile(r"\d+\.\d+"), re.compile(r"\d+,\d+")
_THOUSAND = re.compile(r"\d{1,3}[.,]\d{3}")  # or a number of three decimals
_HEADINGS: Mapping[str, str] = {
    "customer": "customer", "name": "customer", "applicant": "customer",
    "bus": "bus", "busid": "bus", "site": "bus", "node": "bus",
    "mw": "mw", "demandmw": "mw", "demand": "mw", "load": "mw", "loadmw": "mw", "capacitymw": "mw", "power": "mw",
    "date": "date", "requested": "date", "from": "date", "queuedate": "date",
    "envelope": "envelope", "flexibility": "envelope", "kind": "envelope",
}  # fmt: skip
_ENVELOPE_WORDS: Mapping[Envelope, str] = {
    "firm": "kept in every state",
    "flexible": "may be interrupted",
    "pause": "may stop for some hours",
    "shift": "may move load to other hours",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One customer's wish."""

    customer: str
    bus: str
    mw: float
    date: str  # ISO 8601 day
    envelope: Envelope = "firm"


class RequestsError(QuestionError):
    """Rows that cannot be taken; ``problems`` names each cell by its row (from 0) and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "; ".join(problem.message for problem in self.problems[:5])
        more = f"; and {len(self.problems) - 5} more" if len(self.problems) > 5 else ""
        super().__init__(shown + more)


@dataclass(frozen=True, slots=True)
class Requests:
    """A table of requests, in the order in which it was written."""

    rows: tuple[Request, ...] = ()

    def queue(self) -> tuple[Request, ...]:
        """Return the requests by date, then by row."""
        return tuple(sorted(self.rows, key=lambda row: row.date))

    def demand(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Return the buses that are asked for, in the order of the queue, and the MW at each."""
        total: dict[str, float] = {}
        for row in self.queue():
            total[row.bus] = total.get(row.bus, 0.0) + row.mw
        return tuple(total), tuple(total.values())

    def total_mw(self, envelope: Envelope | None = None) -> float:
        """Return the MW of all requests, or of one envelope."""
        return math.fsum(row.mw for row in self.rows if envelope in {None, row.envelope})

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON values."""
        return {"rows": [asdict(row) for row in self.rows]}

    @classmethod
    def from_json(cls, content: Any, network: Network | None = None) -> Self:
        """Return the table of :meth:`to_json`, or of rows as a page's table holds them.

        Raises RequestsError naming every cell that cannot be used, and with ``network`` every unknown bus.
        """
        rows = content.get("rows") if isinstance(content, Mapping) else None
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise QuestionError("requests must be a table with rows")
        cells = [
            {name: _plain(row.get(name)) for name in COLUMNS}
            if isinstance(row, Mapping)
            else dict.fromkeys(COLUMNS, "")
            for row in rows
        ]
        return cls(_read(cells, network, ".", [f"row {place + 1}" for place in range(len(cells))]))

    def to_csv(self) -> str:
        """Return the table as CSV text that :func:`read_csv` reads back."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow([_guarded(row.customer), _guarded(row.bus), repr(row.mw), row.date, row.envelope])
        return text.getvalue()


def envelope_words(envelope: Envelope) -> str:
    """Return what an envelope allows, in words."""
    return _ENVELOPE_WORDS[envelope]


def read_csv(content: bytes, network: Network | None = None) -> Requests:
    """Return the requests of a CSV file. Raises RequestsError naming every row and column at fault."""
    try:
        text, _ = decoded(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise QuestionError(f"the file of requests is not text: {error}") from None
    return read_block(text, network)


def read_block(text: str, network: Network | None = None, *, today: date | None = None) -> Requests:
    """Return the requests of a block as a spreadsheet copies it: tabs, else semicolons, else commas.

    A first line of headings says the order of columns, else it is customer, bus, MW, date, envelope; a missing
    date is ``today``, a missing envelope firm. Raises RequestsError naming every row and column at fault.
    """
    lines, delimiter = _lines(text)
    table = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    heading = [_HEADINGS.get(re.sub(r"[^a-z]", "", cell.lower())) for cell in table[0]]
    columns: Sequence[str | None] = COLUMNS
    first = 0
    if "bus" in heading and "mw" in heading:
        columns, first = heading, 1
        twice = {name for name in heading if name and heading.count(name) > 1}
        if twice:
            raise QuestionError(f"the heading names column {min(twice)!r} twice")
    wide = [f"row {place + 1}: {len(row)} cells, but only {len(columns)} columns" for place, row in enumerate(table)
            if any(row[len(columns):])]  # fmt: skip
    if wide:
        raise RequestsError([Problem("cell", "error", message, "requests") for message in wide])
    usual = {"date": (today or date.today()).isoformat(), "envelope": "firm"}
    cells = []
    for row in table[first:]:
        given = {name: _unguarded(cell) for name, cell in zip(columns, row, strict=False) if name}
        cells.append({name: given.get(name) or usual.get(name, "") for name in COLUMNS})
    mark = _mark([row["mw"] for row in cells], delimiter)
    return Requests(_read(cells, network, mark, [f"row {place + 1 + first}" for place in range(len(cells))]))


def _lines(text: str) -> tuple[list[str], str]:
    """Return the lines of a block that hold anything, and what stands between their cells.

    Raises QuestionError for a block that is empty or too large, or has a cell without an end.
    """
    if len(text) > LONGEST_BLOCK:
        raise QuestionError(f"{len(text):,} characters of requests; at most {LONGEST_BLOCK:,} are read")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise QuestionError("no request is listed: write customer, bus, MW, date, envelope, one request per line")
    if len(lines) > MOST_REQUESTS + 1:
        raise QuestionError(f"{len(lines):,} rows are listed; at most {MOST_REQUESTS:,} requests can be held")
    open_ended = [place for place, line in enumerate(lines, start=1) if line.count('"') % 2]
    if open_ended:
        rows = "row" if len(open_ended) == 1 else "rows"
        places = ", ".join(map(str, open_ended[:5])) + (", ..." if len(open_ended) > 5 else "")
        raise QuestionError(f"{rows} {places}: a quotation mark has no partner in its row; leave it out or double it")
    if max(map(len, lines)) > csv.field_size_limit():
        raise QuestionError(f"a row has more than {csv.field_size_limit():,} characters")
    return lines, next((sign for sign in "\t;" if sign in lines[0]), ",")


def _mark(cells: Sequence[str], delimiter: str) -> Literal[".", ",", "?"]:
    """Return the decimal mark of a column of MW, "?" where 1.000 can be one or a thousand.

    Raises QuestionError where some numbers have a point and others a comma.
    """
    sure = [cell for cell in cells if not _THOUSAND.fullmatch(cell)]
    points = [cell for cell in sure if _ONE_POINT.fullmatch(cell)]
    commas = [cell for cell in sure if _ONE_COMMA.fullmatch(cell)]
    if points and commas:
        raise QuestionError(f"MW are written with two decimal marks, {points[0]} and {commas[0]}: use one of them")
    # Where commas part the cells the text is English; else it may come from a spreadsheet that writes 1.000 for 1000.
    if delimiter != "," and not points and not commas and any("." in cell for cell in cells):
        return "?"
    return decimal_mark(cells)


def _read(
    cells: Sequence[Mapping[str, str]], network: Network | None, mark: Literal[".", ",", "?"], names: Sequence[str]
) -> tuple[Request, ...]:
    """Return the rows. Raises RequestsError with every problem, at most a hundred."""
    if len(cells) > MOST_REQUESTS:
        raise QuestionError(f"{len(cells):,} requests are listed; at most {MOST_REQUESTS:,} can be held")
    service = None if network is None else dict(zip(network.buses.ids, network.buses.in_service.tolist(), strict=True))
    rows: list[Request] = []
    problems: list[Problem] = []
    for place, (row, name) in enumerate(zip(cells, names, strict=True)):
        found: dict[str, Any] = {}
        for column in COLUMNS:
            try:
                found[column] = _cell(column, row[column], service, mark)
            except ValueError as error:
                message = f"{name}, {column}: {error}"
                problems.append(Problem("request", "error", message, "requests", place, column, row["bus"]))
        if len(found) == len(COLUMNS):
            rows.append(Request(**found))
    if problems:
        raise RequestsError(problems[:_MOST_PROBLEMS])
    return tuple(rows)


def _cell(column: str, text: str, service: Mapping[str, bool] | None, mark: Literal[".", ",", "?"]) -> str | float:
    """Return one cell's value. Raises ValueError saying what was found and what would do."""
    if column == "mw":
        if mark == "?" and _THOUSAND.fullmatch(text):
            raise ValueError(f"{text} can be one or a thousand: write {text[:-4]} or {re.sub('[.,]', '', text)}")
        mw = number_in_text(text, mark) if text else math.nan
        if not (math.isfinite(mw) and 0 < mw <= MOST_DEMAND_MW):
            raise ValueError(f"MW must be above 0 and at most {MOST_DEMAND_MW:.0f}, found {text or 'nothing'}")
        return mw
    if column == "date":
        return _day(text)
    if column == "envelope":
        kind = text.strip().lower()
        if kind not in ENVELOPES:
            raise ValueError(f"the envelope must be one of {', '.join(ENVELOPES)}, found {text[:40]!r}")
        return kind
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{len(text)} characters; the limit is {LONGEST_TEXT}")
    return text if column == "customer" else _bus(text, service)


def _bus(text: str, service: Mapping[str, bool] | None) -> str:
    if not text:
        raise ValueError("a bus is needed")
    if service is not None and text not in service:
        raise ValueError(f"the network has no bus {text!r}")
    if service is not None and not service[text]:
        raise ValueError(f"bus {text!r} is out of service")
    return text


def _day(text: str) -> str:
    day = _DAY.fullmatch(text.strip())
    try:
        return date.fromisoformat(day[1] if day else "").isoformat()
    except ValueError:
        raise ValueError(f"a day such as 2026-05-31 is needed, found {text[:40] or 'nothing'}") from None


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    return repr(value) if isinstance(value, float) else str(value).strip()


def _guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in {"=", "+", "-", "@", "'"} else text


def _unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@", "'"} else text
