"""Feeders as our own files: JSON with every row by name, and CSV tables, one file each or all in one zip.

Columns are the fields of the rows of :mod:`engine.distribution.feeder`. In CSV a matrix is written row by row,
``0.3 0.1 | 0.1 0.3``, a regulator's control and a data centre's battery have columns that begin with their name, and
``feeder.csv`` holds what is said of the feeder as a whole. Both come back as they went, to the last digit.
"""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from engine.distribution.checks import MOST_ROWS, TABLES
from engine.distribution.feeder import (
    Capacitor,
    Compensator,
    DataCentre,
    Feeder,
    FeederBus,
    Generator,
    Line,
    Load,
    Regulator,
    Switch,
    Transformer,
)
from engine.distribution.records import Records, flat_columns, hints, json_object, read_value, shown, unguarded
from engine.errors import FileFormatError
from engine.network.csv_pair import decoded

MOST_BYTES = 10_000_000  # as sent, and unpacked
_FORMAT = "headroom-feeder-1"
_ROW_TYPES: dict[str, type] = {
    "buses": FeederBus, "lines": Line, "switches": Switch, "transformers": Transformer, "regulators": Regulator,
    "loads": Load, "capacitors": Capacitor, "generators": Generator, "compensators": Compensator,
    "centres": DataCentre,
}  # fmt: skip
_ABOUT = ("name", "wires", "source_bus", "source_pu", "base_kva", "v_min_pu", "v_max_pu", "origin")
_NEEDED = ("name", "wires", "source_bus")


def to_json(feeder: Feeder) -> bytes:
    """Return ``feeder`` as UTF-8 JSON, a row on each line."""
    held = feeder.as_dict()
    lines = [f'"format": {json.dumps(_FORMAT)}', *(f'"{key}": {_dumped(held[key])}' for key in _ABOUT)]
    for table in TABLES:
        rows = ",\n  ".join(_dumped(row) for row in held[table])
        lines.append(f'"{table}": [\n  {rows}\n]' if rows else f'"{table}": []')
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def is_feeder(content: bytes) -> bool:
    """Return whether a file is one of :func:`to_json`, by how it begins."""
    return json.dumps(_FORMAT).encode() in content[:200]


def from_json(content: bytes) -> Feeder:
    """Return the feeder that :func:`to_json` wrote; what it says is not checked.

    Raises FileFormatError with every cell that cannot be read, or if it is no such file.
    """
    _bounded(content)
    held = json_object(content, _FORMAT, "a feeder")
    records = Records()
    for key in held:
        if key not in {"format", *_ABOUT, *TABLES}:
            records.wrong("unknown-key", f"there is no {str(key)!r:.80} in a feeder")
    tables: dict[str, list[Any]] = {}
    for table in TABLES:
        rows = held.get(table, [])
        tables[table] = rows if isinstance(rows, list) else []
        if not isinstance(rows, list):
            records.wrong("table", f"{table} is not a list of rows", table)
    return _feeder(records, {key: held[key] for key in _ABOUT if key in held}, tables, "{} row")


def to_csv_zip(feeder: Feeder) -> bytes:
    """Return a zip of feeder.csv and one CSV file for each table that has rows."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        about = [("key", "value"), *((key, shown(getattr(feeder, key))) for key in _ABOUT)]
        _add(archive, "feeder", about)
        for table, row_type in _ROW_TYPES.items():
            columns = list(flat_columns(row_type))
            rows = [[_cell(row, column, inner) for column, inner in columns] for row in getattr(feeder, table)]
            if rows:
                header = [column if inner is None else f"{column}_{inner}" for column, inner in columns]
                _add(archive, table, [header, *rows])
    return buffer.getvalue()


def from_csv(files: Mapping[str, bytes]) -> Feeder:
    """Return the feeder in CSV files (file name -> content), or in the zip that is the only one.

    Which table a file holds is told by its name: buses.csv, lines.csv, ... Cells are parted by commas, semicolons or
    tabs; where they are not commas, numbers may have decimal commas. What the tables say is not checked.
    Raises FileFormatError with every cell that cannot be read.
    """
    for content in files.values():
        _bounded(content)
    if len(files) == 1 and next(iter(files.values())).startswith(b"PK"):
        files = unpacked(next(iter(files.values())))
    records = Records()
    tables: dict[str, list[dict[str, Any]]] = {}
    about: dict[str, Any] = {}
    for name, content in files.items():
        table = name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".csv")
        rows = _sheet(records, name, content)
        if table == "feeder":
            about = {str(row.get("key")): row.get("value") for row in rows}
        elif table in _ROW_TYPES:
            tables[table] = [_nested(_ROW_TYPES[table], row) for row in rows]
        else:
            known = ", ".join(f"{each}.csv" for each in ("feeder", *TABLES))
            records.wrong("unknown-file", f"{name[:80]!r} is none of {known}")
    return _feeder(records, about, tables, "{}.csv row")


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip. Raises FileFormatError if it is damaged, or holds too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > 50 or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise FileFormatError(
                    f"the zip holds more than 50 files or {MOST_BYTES / 1e6:g} MB, the most there may be"
                )
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError) as error:
        raise FileFormatError(f"the zip cannot be read: {str(error)[:200]}") from None


def _feeder(records: Records, about: Mapping[str, Any], tables: Mapping[str, Sequence[Any]], place: str) -> Feeder:
    made: dict[str, Any] = {}
    for key in _NEEDED:
        if not about.get(key):
            records.wrong("needed", f"{key} of the feeder is needed", "", None, key)
    for key, cell in about.items():
        if key not in _ABOUT:
            records.wrong("unknown-key", f"there is no {key[:80]!r} of a feeder")
        elif cell not in (None, ""):
            try:
                made[key] = read_value(hints(Feeder)[key], cell)
            except ValueError as error:
                records.wrong("cell", f"{key} of the feeder {error}", "", None, key)
    for table, row_type in _ROW_TYPES.items():
        rows = tables.get(table, [])
        if len(rows) > MOST_ROWS:
            records.wrong("too-many", f"{table} have {len(rows):,} rows; {MOST_ROWS:,} is the most", table)
        else:
            made[table] = records.rows(table, row_type, rows, place.format(table))
    if records.problems:
        raise FileFormatError(records.problems)
    return Feeder(**made)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _bounded(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise FileFormatError(f"the file has {len(content) / 1e6:.1f} MB; {MOST_BYTES / 1e6:g} MB is the most")


def _add(archive: zipfile.ZipFile, name: str, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # A fixed date, so that equal feeders give equal files.
    entry = zipfile.ZipInfo(f"{name}.csv", (1980, 1, 1, 0, 0, 0))
    archive.writestr(entry, text.getvalue().encode("utf-8-sig"), zipfile.ZIP_DEFLATED)


def _cell(row: Any, column: str, inner: str | None) -> str:
    held = getattr(row, column)
    return shown(held) if inner is None or held is None else shown(getattr(held, inner))


def _nested(row_type: type, row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of a CSV table with the columns of a part put together."""
    made: dict[str, Any] = dict(row)
    for column, inner in flat_columns(row_type):
        if inner is not None and f"{column}_{inner}" in made:
            cell = made.pop(f"{column}_{inner}")
            if cell.strip():
                made.setdefault(column, {})[inner] = cell
    return made


def _sheet(records: Records, name: str, content: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column."""
    try:
        plain = decoded(content)[0]
        head = next((line for line in plain.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=head.count)
        rows = [row for row in csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter) if "".join(row).strip()]
    except (ValueError, csv.Error) as error:
        records.wrong("csv", f"{name[:80]}: {str(error)[:200]}")
        return []
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if len(set(header)) < len(header):
        records.wrong("two-columns", f"{name[:80]}: a column name appears twice")
        return []
    long = next((at for at, row in enumerate(rows) if len(row) > len(header)), None)
    if long is not None:
        records.wrong("row-length", f"{name[:80]} row {long}: {len(rows[long])} cells under {len(header)} columns")
        return []
    comma = delimiter != ","
    return [dict(zip(header, (_plain(cell, comma=comma) for cell in row), strict=False)) for row in rows[1:]]


def _plain(cell: str, *, comma: bool) -> str:
    """Return a cell without the apostrophe that disarms it, and with decimal points."""
    found = unguarded(cell.strip())
    numeric = comma and "," in found and not found.strip("0123456789,.+-eE| ")
    return found.replace(",", ".") if numeric else found
