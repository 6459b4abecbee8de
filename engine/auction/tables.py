"""Tables as comma-separated text that no spreadsheet takes for formulas, and back."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from engine.errors import FileFormatError, Problem

MOST_CHARACTERS = 50_000_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None
Row = Mapping[str, Cell]


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that could be gets an apostrophe before it."""
    return f"'{text}" if text[:1] in (*_FORMULA, "'") and text else text


def unguarded(text: str) -> str:
    """Return the text of :func:`guarded`."""
    return text[1:] if text[:1] == "'" and text[1:2] in (*_FORMULA, "'") and text[1:] else text


def to_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return rows as text with a line of column names; numbers are written as they are, text is guarded."""
    return cells_to_csv(columns, ([row.get(column) for column in columns] for row in rows))


def cells_to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return what :func:`to_csv` returns, from rows with a cell for each column."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return target.getvalue()


def from_csv(text: str, columns: Sequence[str], name: str) -> list[dict[str, str]]:
    """Return the rows of :func:`to_csv`, all cells as text.

    Raises FileFormatError with every missing column and every row that has another number of cells.
    """
    if len(text) > MOST_CHARACTERS:
        raise FileFormatError(f"{name} is longer than {MOST_CHARACTERS:,} characters")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    problems, found = [], []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        problems += [_problem(f"{name} has no column {column!r}") for column in columns if column not in header]
        for cells in reader:
            if len(cells) != len(header):
                if cells:
                    problems.append(_problem(f"{name}, line {reader.line_num}: {len(cells)} cells, not {len(header)}"))
                continue
            found.append({column: unguarded(cell.strip()) for column, cell in zip(header, cells, strict=True)})
    except csv.Error as error:
        problems.append(_problem(f"{name}, line {reader.line_num}: {error}"))
    if problems:
        raise FileFormatError(problems)
    return found


def _written(cell: Cell) -> str:
    if isinstance(cell, str):
        return guarded(cell)
    return "" if cell is None else repr(cell)


def _problem(words: str) -> Problem:
    return Problem("table", "error", words)
