"""Rows from and to a spreadsheet, as a block of text."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from engine.errors import Problem
from engine.network.cells import DecimalMark, column_of, decimal_mark, read_cell, shown
from engine.network.events import LONGEST_PASTE, EditError, PasteRows
from engine.network.long_form import is_long, widened
from engine.network.tables import COLUMNS, KEYS, Column, NetworkTables, TableName
from engine.network.writing import Write

MOST_ROWS = 20_000
MOST_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class _Block:
    """The cells of a pasted text, without its header."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]  # line number counted from 1, cells
    mark: DecimalMark


def copy(tables: NetworkTables, name: TableName, keys: Sequence[str] | None = None) -> str:
    """Return rows as tab-separated text with a header, ready for a spreadsheet and for :func:`paste`."""
    table = tables.table(name)
    return as_text(name, table if keys is None else table[table[KEYS[name]].isin(set(keys))])


def as_text(name: TableName, rows: pd.DataFrame) -> str:
    """Return rows of a table, with all or some of its columns, as :func:`copy` does."""
    columns = [column for column in COLUMNS[name] if column.name in rows.columns]
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([column.name for column in columns])
    lists = [[shown(column, value) for value in rows[column.name].tolist()] for column in columns]
    writer.writerows(zip(*lists, strict=True))
    return text.getvalue()


def paste(tables: NetworkTables, event: PasteRows) -> list[Write]:
    """Return the cells that a pasted block writes. Raises EditError with every cell that cannot be read.

    Cells are parted by tabs, else by semicolons, else by commas; a lone column of numbers pasted over a
    number column keeps its commas as decimal marks. A first line of column names or labels is a header.
    """
    start = _start_row(tables, event)
    block = _block(event)
    table = tables.table(event.table)
    writes: list[Write] = []
    problems: list[Problem] = []
    for offset, (line, cells) in enumerate(block.rows):
        row = start + offset
        new = row >= len(table)
        writes += [Write(row, "", "", f"row {line}")] if new else []
        if len(cells) > len(block.columns) and any(cell.strip() for cell in cells[len(block.columns) :]):
            text = f"row {line}: {len(cells)} cells, but only {len(block.columns)} columns to put them in"
            problems.append(Problem("cell", "error", text, event.table, row))
        for column, cell in zip(block.columns, cells, strict=False):
            if new and not cell.strip():
                continue  # an empty cell of a new row is the default, and an empty identifier is made
            place = f"row {line}, {column.label}"
            try:
                writes.append(Write(row, column.name, read_cell(event.table, column, cell, block.mark), place))
            except ValueError as error:
                problems.append(Problem("cell", "error", f"{place}: {error}", event.table, row, column.name))
    if problems:
        raise EditError(_capped(problems))
    return writes


def _start_row(tables: NetworkTables, event: PasteRows) -> int:
    ids = tables.table(event.table)[KEYS[event.table]].tolist()
    if event.row is None:
        return len(ids)
    if event.row not in ids:
        raise EditError(f"row: there is no {event.row!r} in {event.table}")
    return ids.index(event.row)


def _block(event: PasteRows) -> _Block:
    if len(event.text) > LONGEST_PASTE:
        raise EditError(f"text: at most {LONGEST_PASTE} characters can be pasted, found {len(event.text)}")
    first = _first_column(event)
    lines = _lines(event, COLUMNS[event.table][first])
    if not lines:
        raise EditError("text: there is nothing to paste")
    columns = COLUMNS[event.table][first:]
    if is_long(event.table, lines[0][1]):
        lines = _wide(event.table, lines)
    header = _header(event.table, lines[0][1])
    if header is not None:
        if len(lines) == 1:
            raise EditError("text: there is a header and no row below it")
        columns, lines = header, lines[1:]
    if len(lines) > MOST_ROWS:
        raise EditError(f"text: at most {MOST_ROWS} rows can be pasted, found {len(lines)}")
    numbers = (
        cell for _, cells in lines for column, cell in zip(columns, cells, strict=False) if column.kind == "number"
    )
    return _Block(columns, tuple(lines), decimal_mark(numbers))


def _wide(table: TableName, lines: list[tuple[int, tuple[str, ...]]]) -> list[tuple[int, tuple[str, ...]]]:
    """Return the lines of a long form, one row per branch, as a header and one row per interface or contingency."""
    header, *body = lines
    wide = widened(table, header[1], [cells for _, cells in body])
    if wide.problems:
        found = [Problem("cell", "error", f"row {body[row][0]}: {text}", table) for row, text in wide.problems]
        raise EditError(_capped(found))
    rows = [(body[first][0], tuple(row)) for first, row in zip(wide.first, wide.rows, strict=True)]
    return [(header[0], tuple(wide.headers)), *rows]


def _first_column(event: PasteRows) -> int:
    if event.column is None:
        return 0
    try:
        return COLUMNS[event.table].index(column_of(event.table, event.column))
    except ValueError as error:
        raise EditError(f"column: {error}") from None


def _lines(event: PasteRows, first: Column) -> list[tuple[int, tuple[str, ...]]]:
    text = event.text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head = text[:100_000]
    delimiter = "\t" if "\t" in head else ";" if ";" in head else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=False))
    except csv.Error as error:
        raise EditError(f"text: {error}") from None
    if delimiter == "," and event.column is not None and first.kind == "number":
        rows = [[line] for line in text.split("\n")]
    numbered = ((number, tuple(cells)) for number, cells in enumerate(rows, start=1))
    return [(number, cells) for number, cells in numbered if any(cell.strip() for cell in cells)]


def _header(table: TableName, cells: Sequence[str]) -> tuple[Column, ...] | None:
    """Return the columns that a first line names, None when it is a row like the others."""
    names: dict[str, Column] = {}
    for column in COLUMNS[table]:
        for text in (column.name, column.label, f"{column.label} {column.unit}"):
            names[_plain(text)] = column
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    found = [names.get(_plain(cell)) for cell in cells]
    if 2 * sum(column is not None for column in found) < len(cells):
        return None
    unknown = [cell for cell, column in zip(cells, found, strict=True) if column is None]
    if unknown:
        raise EditError(
            [Problem("header", "error", f"row 1: {table} have no column {cell!r:.60}", table) for cell in unknown]
        )
    columns = tuple(column for column in found if column is not None)
    twice = sorted({column.label for column in columns if columns.count(column) > 1})
    if twice:
        raise EditError(f"row 1: column {', '.join(twice)} is there twice")
    return columns


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().lower()


def _capped(problems: Iterable[Problem]) -> list[Problem]:
    every = list(problems)
    if len(every) <= MOST_PROBLEMS:
        return every
    more = Problem("more", "error", f"and {len(every) - MOST_PROBLEMS} more cells")
    return [*every[:MOST_PROBLEMS], more]
