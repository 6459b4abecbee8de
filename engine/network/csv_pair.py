"""Networks as CSV: buses and branches, and optionally units, interfaces and contingencies; files, or all in one zip.

The header names are the columns of :mod:`engine.network.tables` or their :data:`SYNONYMS`. Separators may be
commas, semicolons or tabs, decimals points or commas; the text UTF-8, UTF-16 or, failing these, Latin-1.
"""

import csv
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from engine.errors import FileFormatError
from engine.network.cells import DecimalMark
from engine.network.imported import Imported
from engine.network.intake import SYNONYMS, Intake, with_slack
from engine.network.long_form import is_long, widened
from engine.network.tables import COLUMNS, KEYS, LISTS, MOST_ROWS, Column, NetworkTables, TableName, table_of

__all__ = ["SYNONYMS", "decoded", "read_csv_pair", "read_rows", "table_in", "write_csv_zip"]

_ABOUT = "network"  # network.csv: name, base_mva and source, for which the tables have no place
_FILE_WORDS: Mapping[str, tuple[str, ...]] = {
    "interfaces": ("interface", "flowgate", "corridor"),
    "contingencies": ("contingenc", "outage"),
    "branches": ("branch", "line", "edge"),
    "units": ("unit", "gen", "plant"),
    "buses": ("bus", "node"),
    _ABOUT: ("network", "about"),
}
_MOST_COLUMNS = 1_000
_LONGEST_CELL = 100_000  # characters
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One CSV file as columns of text."""

    columns: dict[str, list[str]]
    places: list[str]  # of each row, such as "buses.csv line 7"
    delimiter: str


def read_csv_pair(files: Mapping[str, bytes], name: str = "") -> Imported:
    """Return the network in ``files`` (file name -> content), which hold buses, branches and maybe units.

    Which file is which is told by its name, else by its header. Branches and units without identifiers get
    those that imported cases have; a missing slack bus is chosen and noted. Raises FileFormatError listing
    every problem with its file and line.
    """
    intake = Intake(spreadsheet=True)
    sheets: dict[str, _Sheet] = {}
    for file_name, content in files.items():
        sheet = _sheet(file_name, content, intake)
        table = table_in(file_name, list(sheet.columns)) if sheet else None
        if sheet is None:
            continue
        if table is None:
            intake.wrong("unknown-file", f"{file_name}: none of {', '.join(COLUMNS)} by name or header")
        elif table in sheets:
            intake.wrong("two-files", f"{file_name}: a second file of {table}")
        else:
            sheets[table] = sheet
    for needed in ("buses", "branches"):
        if needed not in sheets and not intake.problems:
            intake.wrong("missing-file", f"there is no file of {needed}: CSV takes buses.csv and branches.csv")
    built = {table: _table(table, sheets, intake) for table in COLUMNS}
    about = _about(sheets.get(_ABOUT), intake)
    if intake.problems:
        raise FileFormatError(intake.problems)
    tables = NetworkTables(
        name=about.get("name", name or "Network"),
        base_mva=_base_mva(about.get("base_mva", "").strip(), intake),
        buses=built["buses"],
        branches=built["branches"],
        units=built["units"],
        source=about.get("source", ""),
        interfaces=built["interfaces"],
        contingencies=built["contingencies"],
    )
    if "slack" not in intake.columns["buses"]:
        tables = with_slack(tables, intake)
    return Imported(tables, tuple(intake.notes))


def _table(table: TableName, sheets: Mapping[str, _Sheet], intake: Intake) -> pd.DataFrame:
    sheet = sheets.get(table)
    if sheet is None:
        return table_of(table)
    mark = _decimal_mark(table, sheet)
    if is_long(table, list(sheet.columns)):
        sheet = _wide(table, sheet, mark, intake)
    return intake.table(table, sheet.columns, sheet.places, mark)


def _wide(table: TableName, sheet: _Sheet, mark: DecimalMark, intake: Intake) -> _Sheet:
    wide = widened(table, list(sheet.columns), list(zip(*sheet.columns.values(), strict=True)), mark)
    for row, text in wide.problems:
        intake.wrong("cell", f"{sheet.places[row]}: {text}", table)
    columns = {header: [row[at] for row in wide.rows] for at, header in enumerate(wide.headers)}
    return _Sheet(columns, [sheet.places[row] for row in wide.first], sheet.delimiter)


def read_rows(file_name: str, content: bytes, table: TableName) -> pd.DataFrame:
    """Return the rows that one CSV file holds for ``table``, with the columns that it has.

    They are for a network that is there, which makes the identifiers that the file does not give.
    Raises FileFormatError listing every problem with its file and line.
    """
    intake = Intake(spreadsheet=True)
    sheet = _sheet(file_name, content, intake)
    rows = _table(table, {table: sheet}, intake) if sheet else table_of(table)
    if not intake.problems and not len(rows):
        intake.wrong("empty", f"{file_name}: there is a header and no row below it")
    if intake.problems:
        raise FileFormatError(intake.problems)
    return rows[[column for column in rows.columns if column in intake.columns[table]]]


def table_in(file_name: str, headers: Sequence[str]) -> str | None:
    """Return which table a file is ("buses", "network", ...), by its name, else by its header."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].lower()
    for table, words in _FILE_WORDS.items():
        if any(word in stem for word in words):
            return table
    known = {header.strip().lower() for header in headers}
    for table in LISTS:
        if KEYS[table] in known:
            return table
    if known & {"from_bus", "fbus", "from"}:
        return "branches"
    if known & {"unit", "pmax", "p_max_mw", "gen_bus"}:
        return "units"
    return "buses" if known & {"bus", "bus_id", "bus_i"} else None


def decoded(content: bytes) -> tuple[str, bool]:
    """Return ``content`` as text, and whether its encoding had to be guessed (Latin-1).

    Raises ValueError for content that is not text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), False
    sample = content[:2000]
    if sample.count(0) > len(sample) // 4:  # every other byte of plain text in UTF-16
        return content.decode("utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"), False
    if b"\0" in content:
        raise ValueError("it holds zero bytes")
    try:
        return content.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if sum(not sign.isprintable() and sign not in "\t\r\n\f\u00a0\u00ad" for sign in text[:2000]) > 20:
        raise ValueError("it is binary, or in an encoding other than UTF-8, UTF-16 and Latin-1")
    return text, True


def _sheet(file_name: str, content: bytes, intake: Intake) -> _Sheet | None:
    try:
        text, guessed = decoded(content)
    except ValueError as error:
        intake.wrong("encoding", f"{file_name}: {error}")
        return None
    if guessed:
        intake.note("encoding", f"{file_name}: not UTF-8; read as Latin-1: check accents", severity="warning")
    head = next((line for line in text[:10_000].splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if "".join(row).strip():
                rows.append(row)
                lines.append(reader.line_num)
                if len(rows) > MOST_ROWS:
                    intake.wrong("too-many-rows", f"{file_name}: more than {MOST_ROWS:,} rows")
                    return None
    except csv.Error as error:
        intake.wrong("csv", f"{file_name} line {reader.line_num}: {error}")
        return None
    if not rows:
        intake.wrong("empty", f"{file_name} is empty")
        return None
    return _columns(file_name, rows, lines, delimiter, intake)


def _columns(file_name: str, rows: list[list[str]], lines: list[int], delimiter: str, intake: Intake) -> _Sheet | None:
    header = [cell.strip()[:_LONGEST_CELL] for cell in rows[0]]
    width = len(header)
    if width > _MOST_COLUMNS:
        intake.wrong("too-many-columns", f"{file_name}: {width:,} columns; {_MOST_COLUMNS:,} is the most")
        return None
    named = [name for name in header if name]
    if len(set(named)) < len(named):
        twice = sorted({name for name in named if named.count(name) > 1})
        intake.wrong("two-columns", f"{file_name}: columns that appear twice: {', '.join(twice)[:200]}")
        return None
    body = rows[1:]
    for row, line in zip(body, lines[1:], strict=True):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            intake.wrong("row-length", f"{file_name} line {line}: {len(row)} cells under {width} column names")
    filled = [row if len(row) == width else (row + [""] * (width - len(row)))[:width] for row in body]
    columns = {name: [row[at] for row in filled] for at, name in enumerate(header) if name}
    return _Sheet(columns, [f"{file_name} line {line}" for line in lines[1:]], delimiter)


def _decimal_mark(table: TableName, sheet: _Sheet) -> Literal[".", ","]:
    """Return "," if the sheet's numbers have decimal commas, which they cannot where commas part the cells."""
    if sheet.delimiter == ",":
        return "."
    text_columns = {column.name for column in COLUMNS[table] if column.kind == "text"}
    synonyms = {name for name, column in SYNONYMS[table].items() if column in text_columns}
    points = commas = 0
    for name, cells in sheet.columns.items():
        if name.lower() in text_columns | synonyms:
            continue
        for cell in cells:
            bare = cell.strip()
            if bare[:1].isdigit() or bare[:1] in {"-", "+", ",", "."}:
                points += "." in bare
                commas += "," in bare
    return "," if commas > points else "."


def _about(sheet: _Sheet | None, intake: Intake) -> dict[str, str]:
    if sheet is None:
        return {}
    if set(sheet.columns) != {"key", "value"}:
        intake.wrong("about", "network.csv must have the columns key and value")
        return {}
    values = (_unguarded(value) for value in sheet.columns["value"])
    return dict(zip(sheet.columns["key"], values, strict=True))


def _base_mva(text: str, intake: Intake) -> float:
    if not text:
        intake.note("base-mva", "the base power is not given: 100 MVA")
        return 100.0
    try:
        return float(text)
    except ValueError:
        raise FileFormatError(f"network.csv: base_mva is {text[:40]!r}, not a number") from None


def write_csv_zip(tables: NetworkTables) -> bytes:
    """Return a zip of one CSV file per table and network.csv, in UTF-8 with a byte order mark.

    A network without interfaces or contingencies has no file of them.
    A cell that holds its column's default of "no limit" or "not known" is empty. Text that a spreadsheet would
    run as a formula gets an apostrophe in front, which the reader takes off.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns in COLUMNS.items():
            table = tables.table(name)
            if name in LISTS and not len(table):
                continue
            cells = [[_shown(column, cell) for cell in table[column.name].tolist()] for column in columns]
            _add(archive, name, [[column.name for column in columns], *zip(*cells, strict=True)])
        about = [("key", "value"), ("name", _guarded(tables.name)), ("base_mva", repr(float(tables.base_mva))),
                 ("source", _guarded(tables.source))]  # fmt: skip
        _add(archive, _ABOUT, about)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # A fixed date, so that equal networks give equal files.
    entry = zipfile.ZipInfo(f"{name}.csv", (1980, 1, 1, 0, 0, 0))
    archive.writestr(entry, text.getvalue().encode("utf-8-sig"), zipfile.ZIP_DEFLATED)


def _shown(column: Column, cell: str | float | bool) -> str:
    if isinstance(cell, str):
        return _guarded(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    default = float(column.default)
    if not math.isfinite(cell) and (cell == default or (math.isnan(cell) and math.isnan(default))):
        return ""
    return repr(float(cell)).removesuffix(".0")


def _guarded(text: str) -> str:
    return "'" + text if text[:1] in {"=", "+", "-", "@", "'"} else text


def _unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@", "'"} else text
