"""A user's own net demand: a CSV or Parquet file with a column for each bus and a row for each state.

Optional columns: ``label`` (or ``hour``, ``time``, ``scenario``) names the states, ``weight`` gives their
relative probability. A bus without a column keeps its filed net demand. Nothing in a file is executed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
import pyarrow.parquet as pa_parquet  # type: ignore[import-untyped]

from engine.capacity.uncertainty import MOST_CELLS, MOST_SCENARIOS, Sample, filed_net_demand
from engine.errors import FileFormatError, Problem
from engine.network.model import Network, Vector

MOST_BYTES = 200 * 2**20
LABELS = ("label", "hour", "time", "scenario")
WEIGHT = "weight"
MOST_MW = 1e7  # beyond it a number is a mistake of unit
_SHOWN = 20  # problems of one kind that are listed one by one
_BLOCK = 2**20


def read_sample(filename: str, content: bytes, network: Network) -> Sample:
    """Return the states of net demand, MW, in a CSV or Parquet file.

    Raises FileFormatError with every problem found: unknown or repeated columns, cells that are not numbers,
    weights that are not above zero, too many rows or cells.
    """
    return _sample(filename, read_table(filename, content), network)


def read_table(filename: str, content: bytes) -> pa.Table:
    """Return a CSV or Parquet file as it stands. Raises FileFormatError for another one, or for one too large."""
    if len(content) > MOST_BYTES:
        raise _refused(f"{filename}: {len(content) / 2**20:.0f} MB; the limit is {MOST_BYTES // 2**20} MB")
    name = filename.lower()
    if name.endswith(".parquet"):
        return _parquet(filename, content)
    if name.endswith((".csv", ".txt", ".tsv")):
        return _csv(filename, content)
    raise _refused(f"{filename}: numbers of MW are read from .csv or .parquet files")


def _parquet(filename: str, content: bytes) -> pa.Table:
    try:
        file = pa_parquet.ParquetFile(pa.BufferReader(content))
        metadata = file.metadata
        size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
        _check_size(filename, metadata.num_rows, metadata.num_columns, size)
        return file.read()
    except (pa.ArrowException, OSError) as error:
        raise _refused(f"{filename}: not a Parquet file that can be read ({_first_line(error)})") from None


def _csv(filename: str, content: bytes) -> pa.Table:
    try:
        head = content[:_BLOCK].decode("utf-8-sig", errors="strict" if len(content) <= _BLOCK else "ignore")
    except UnicodeDecodeError as error:
        raise _refused(f"{filename}: not UTF-8 text (byte {error.start})") from None
    first = head.split("\n", 1)[0]
    if not first.strip() or "\x00" in head:
        raise _refused(f"{filename}: not a table of text; the first line must name the columns")
    delimiter = max(",;\t", key=first.count)
    columns = first.count(delimiter) + 1
    _check_size(filename, content.count(b"\n"), columns, len(content))
    try:
        return pa_csv.read_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(block_size=max(_BLOCK, 4 * len(first))),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(null_values=["", "nan", "NaN", "NA"], strings_can_be_null=True),
        )
    except (pa.ArrowException, OSError) as error:
        raise _refused(f"{filename}: {_first_line(error)}") from None


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Which column of the file is what."""

    label: int | None
    weight: int | None
    buses: list[tuple[int, int]]  # (column of the file, position of the bus)


def _sample(filename: str, table: pa.Table, network: Network) -> Sample:
    problems: list[Problem] = []
    columns = _columns(table.column_names, network, problems)
    if table.num_rows == 0:
        problems.append(_problem("empty", f"{filename}: there is no row below the column names"))
    filed = filed_net_demand(network)
    states = np.tile(filed, (table.num_rows, 1))
    for column, bus in columns.buses:
        states[:, bus] = numbers(table, column, problems)
    weights = None
    if columns.weight is not None:
        weights = numbers(table, columns.weight, problems)
        low = np.flatnonzero(~(weights > 0))
        if low.size:
            text = f"column 'weight': {low.size} weights are not above 0, first in row {low[0] + 2}"
            problems.append(_problem("weight", text, int(low[0]), WEIGHT))
    if problems:
        raise FileFormatError(problems)
    rest = len(filed) - len(columns.buses)
    notice = f"{rest} buses without a column keep their filed net demand"
    return Sample(
        net_demand_mw=states,
        weights=None if weights is None else weights / weights.sum(),
        labels=_labels(table, columns.label),
        source=f"{table.num_rows} states of net demand from the file {filename}",
        seed=0,
        notices=(notice,) if rest else (),
    )


def _columns(names: Sequence[str], network: Network, problems: list[Problem]) -> _Columns:
    position = {bus: i for i, bus in enumerate(network.buses.ids)}
    label, weight = None, None
    buses: list[tuple[int, int]] = []
    unknown: list[str] = []
    seen: set[str] = set()
    for column, raw in enumerate(names):
        name = raw.strip().lstrip("\ufeff")
        if name in seen:
            problems.append(_problem("repeated-column", f"column {name!r} appears twice", column=name))
        seen.add(name)
        if name in position:
            buses.append((column, position[name]))
        elif name.lower() in LABELS and label is None:
            label = column
        elif name.lower() == WEIGHT:
            weight = column
        else:
            unknown.append(name)
    problems.extend(
        _problem("unknown-bus", f"column {name!r} is no bus of {network.name!r}", column=name)
        for name in unknown[:_SHOWN]
    )
    if len(unknown) > _SHOWN:
        problems.append(_problem("unknown-bus", f"and {len(unknown) - _SHOWN} more columns that are no bus"))
    if not buses:
        problems.append(_problem("no-bus", "no column is named like a bus: columns are bus ids, rows are states"))
    return _Columns(label, weight, buses)


def numbers(table: pa.Table, column: int, problems: list[Problem]) -> Vector:
    """Return a column as numbers; cells that are none are reported and stand as zero."""
    name = table.column_names[column]
    data = table.column(column)
    if pa.types.is_integer(data.type) or pa.types.is_floating(data.type) or pa.types.is_decimal(data.type):
        values = np.asarray(pc.cast(data, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    else:
        values = np.array([_number(cell) for cell in data.to_pylist()], dtype=np.float64)
    bad = np.flatnonzero(~(np.abs(values) <= MOST_MW))
    for row in bad[:3].tolist():
        cell = str(data[row].as_py())[:40]
        text = f"column {name!r}, row {row + 2}: {cell!r} is not a number of MW up to {MOST_MW:.0f}"
        problems.append(_problem("not-a-number", text, row, name))
    if bad.size > 3:
        problems.append(_problem("not-a-number", f"column {name!r}: {bad.size - 3} more cells are not numbers"))
    clean: Vector = np.where(np.abs(values) <= MOST_MW, values, 0.0)
    return clean


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")


def _labels(table: pa.Table, column: int | None) -> tuple[str, ...]:
    if column is None:
        return tuple(f"row {row + 1}" for row in range(table.num_rows))
    cells: list[object] = table.column(column).to_pylist()
    return tuple(str(cell)[:40] for cell in cells)


def _check_size(filename: str, rows: int, columns: int, size: int) -> None:
    if rows > MOST_SCENARIOS + 1:
        raise _refused(f"{filename}: {rows:,} rows; the limit is {MOST_SCENARIOS:,}")
    if rows * columns > MOST_CELLS:
        raise _refused(f"{filename}: {rows * columns:,} cells; the limit is {MOST_CELLS:,}")
    if size > 10 * MOST_BYTES:
        raise _refused(f"{filename}: unpacks to {size / 2**20:.0f} MB; the limit is {10 * MOST_BYTES // 2**20} MB")


def _problem(code: str, message: str, row: int | None = None, column: str = "") -> Problem:
    return Problem(code, "error", message, row=row, column=column)


def _refused(message: str) -> FileFormatError:
    return FileFormatError([_problem("file", message)])


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200]
