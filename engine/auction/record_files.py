"""The records of an auction as plain tables: one CSV file of each kind, or one JSON file. The layout is ours.

Column names are those of the records (:mod:`engine.auction.records`), amounts are in the auction's currency unit,
times in seconds since 1970 (UTC). What comes back from a file is checked cell by cell.
"""

import json
import math
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from engine.auction import records as kinds
from engine.auction.records import Records, columns_of
from engine.auction.tables import MOST_CHARACTERS, cells_to_csv, from_csv
from engine.errors import FileFormatError, Problem

FORMAT = "headroom-auction-records-1"
TABLES: Mapping[str, type] = {
    "bidders": kinds.BidderRecord,
    "rounds": kinds.RoundRecord,
    "bids": kinds.BidRecord,
    "withdrawals": kinds.WithdrawalRecord,
    "status": kinds.StatusRecord,
    "standing": kinds.StandingRecord,
}
_MOST = 2**53


def to_csv_files(records: Records) -> dict[str, str]:
    """Return ``bids.csv`` and the other tables as text by file name."""
    return {f"{name}.csv": cells_to_csv(columns, rows) for name, columns, rows in _tables(records)}


def from_csv_files(files: Mapping[str, str]) -> Records:
    """Return the records of :func:`to_csv_files`; ``bidders.csv`` and ``bids.csv`` are needed, the others may lack.

    Raises FileFormatError naming every file, line and column at fault.
    """
    missing = [name for name in ("bidders.csv", "bids.csv") if name not in files]
    if missing:
        raise FileFormatError(f"{' and '.join(missing)} is needed")
    tables = {}
    for name, kind in TABLES.items():
        if f"{name}.csv" in files:
            tables[name] = from_csv(files[f"{name}.csv"], list(columns_of(kind)), f"{name}.csv")
    return read_tables(tables, first_line=2)


def to_json(records: Records) -> str:
    """Return all records as JSON text."""
    tables = {name: [dict(zip(columns, row, strict=True)) for row in rows] for name, columns, rows in _tables(records)}
    return json.dumps({"format": FORMAT, **tables}, allow_nan=False)


def from_json(text: str) -> Records:
    """Return the records of :func:`to_json`. Raises FileFormatError naming what is at fault."""
    if len(text) > MOST_CHARACTERS:
        raise FileFormatError(f"the file is longer than {MOST_CHARACTERS:,} characters")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the file is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f"the file is not of format {FORMAT}")
    tables = {name: content.get(name, []) for name in TABLES}
    wrong = [name for name, rows in tables.items() if not isinstance(rows, list)]
    if wrong:
        raise FileFormatError(f"{' and '.join(wrong)} must be a list of rows")
    return read_tables(tables, first_line=1)


def read_tables(tables: Mapping[str, list[Any]], first_line: int) -> Records:
    """Return records from rows by table, cells as text or as JSON values; ``first_line`` is that of the first row.

    Raises FileFormatError naming every table, line and column at fault.
    """
    problems: list[Problem] = []
    found: dict[str, tuple[Any, ...]] = {}
    for name, rows in tables.items():
        columns = columns_of(TABLES[name])
        made = []
        for line, row in enumerate(rows, first_line):
            if not isinstance(row, Mapping):
                problems.append(_problem(f"{name}, line {line}: a row is a table of names and values"))
                continue
            cells = {column: _cell(row.get(column), hint) for column, hint in columns.items()}
            wrong = {column: cell for column, cell in cells.items() if isinstance(cell, ValueError)}
            problems += [_problem(f"{name}, line {line}, {column}: {words}") for column, words in wrong.items()]
            if not wrong:
                made.append(TABLES[name](**cells))
        found[name] = tuple(made)
    if problems:
        raise FileFormatError(problems)
    return Records(**found)


def _tables(records: Records) -> Iterator[tuple[str, list[str], Iterator[tuple[Any, ...]]]]:
    """Yield the name, the columns and the rows of each table."""
    for name, kind in TABLES.items():
        columns = list(columns_of(kind))
        yield name, columns, map(attrgetter(*columns), getattr(records, name))


def _cell(value: Any, hint: Any) -> Any:
    """Return a cell as its type, or a ValueError that says why it is not of that type."""
    if hint is str:
        return value if isinstance(value, str) else ValueError(f"a text is needed, found {value!r:.40}")
    if hint is bool:
        known = {"True": True, "False": False, True: True, False: False}
        return known[value] if isinstance(value, str | bool) and value in known else _not("True or False", value)
    if hint == (int | None) and value in (None, ""):
        return None
    if isinstance(value, str) and len(value) <= 25:
        try:
            value = float(value) if hint is float else int(value)
        except ValueError:
            return _not("a number" if hint is float else "a whole number", value)
    if hint is float:
        whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if whole else _not("a number", value)
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST
    return value if whole else _not("a whole number of 0 or more", value)


def _not(needed: str, value: Any) -> ValueError:
    return ValueError(f"{needed} is needed, found {value!r:.40}")


def _problem(words: str) -> Problem:
    return Problem("table", "error", words)
