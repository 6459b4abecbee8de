"""The columns that a MATPOWER case has no place for, kept beside the standard ones and put back on reading.

They stand in fields of the case's structure that MATPOWER does not read: ``mpc.headroom.buses_longitude``.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.network.matlab import NumberRows, TextRows
from engine.network.tables import COLUMNS, KEYS, LISTS, NetworkTables, table_of

EXTRA = "headroom"  # the structure field


def with_extras(tables: NetworkTables, fields: Mapping[str, Any], note: Callable[..., None]) -> NetworkTables:
    """Return ``tables`` with each column replaced for which ``fields`` hold ``headroom.<table>_<column>``."""
    for table_name, columns in COLUMNS.items():
        replaced: dict[str, Any] = {}
        if table_name in LISTS:  # which MATPOWER has no matrix for
            rows = _rows_of(fields.get(f"{EXTRA}.{table_name}_{KEYS[table_name]}"))
            tables = tables.with_table(table_name, table_of(table_name, [{} for _ in range(rows)]))
        rows = len(tables.table(table_name))
        for column in columns:
            value = fields.get(f"{EXTRA}.{table_name}_{column.name}")
            cells = _extra_cells(value, column.kind)
            if cells is None:
                continue
            if len(cells) != rows:
                message = f"{EXTRA}.{table_name}_{column.name} has {len(cells)} cells for {rows} rows: left out"
                note("extra-rows", message)
                continue
            replaced[column.name] = cells
        if replaced:
            table = table_of(table_name, tables.table(table_name).assign(**replaced))
            tables = tables.with_table(table_name, table)
    name, source = (fields.get(f"{EXTRA}.{key}") for key in ("name", "source"))
    return replace(
        tables,
        name=name if isinstance(name, str) else tables.name,
        source=source if isinstance(source, str) else tables.source,
    )


def _rows_of(value: object) -> int:
    return len(value.rows) if isinstance(value, TextRows) else 0


def _extra_cells(value: object, kind: str) -> list[Any] | None:
    if isinstance(value, TextRows) and kind == "text":
        return [cell for row in value.rows for cell in row]
    if isinstance(value, NumberRows) and kind != "text":
        cells = [cell for row in value.rows for cell in row]
        return [cell != 0 for cell in cells] if kind == "flag" else cells
    return None
