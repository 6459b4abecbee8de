"""A network's tables as rows for the screen, and what of them changed."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from components.tables import GridColumn
from engine.errors import Problem
from engine.network.cells import KINDS
from engine.network.tables import COLUMNS, KEYS, SINGULAR, NetworkTables, TableName

Row = dict[str, Any]
TABLES: tuple[TableName, ...] = tuple(COLUMNS)
ELEMENTS = tuple(SINGULAR.values())  # what the page can select
MOST_CHANGED = 400  # rows; above it a whole table is sent instead of its changes

PROBLEM_COLUMNS = (
    GridColumn("severity", "Severity", width=110),
    GridColumn("element", "Element", width=130),
    GridColumn("label", "Column", width=150),
    GridColumn("message", "What is wrong, and the limit", width=760),
)

_SAME = {"valueFormatter": {"function": "hrSame(params.value)"}}


def columns(table: TableName, *, editable: bool) -> list[GridColumn]:
    """Return a table's columns on the screen; the branch's kind is chosen from a list."""
    found = []
    for column in COLUMNS[table]:
        choices = KINDS if (table, column.name) == ("branches", "kind") else ()
        digits = {"pu": 5, "deg": 4}.get(column.unit)
        found.append(
            GridColumn(
                column.name,
                column.label,
                column.unit,
                column.kind,
                digits,
                help=column.help,
                editable=editable,
                pinned=column.name == KEYS[table],
                choices=choices,
                more=_SAME if column.name == "limit_backward_mw" else {},
                width=_width(column.name, f"{column.label}, {column.unit}" if column.unit else column.label),
            )
        )
    return found


def rows(tables: NetworkTables, name: TableName, positions: Sequence[int] | None = None) -> list[Row]:
    """Return rows of a table, the row's id under ``id``; an unlimited number is "inf", an unknown one empty."""
    table = tables.table(name) if positions is None else tables.table(name).iloc[list(positions)]
    cells = [[_sent(cell) for cell in table[column.name].tolist()] for column in COLUMNS[name]]
    names = [column.name for column in COLUMNS[name]]
    ids = table[KEYS[name]].tolist()
    return [
        {"id": key, **dict(zip(names, line, strict=True))}
        for key, line in zip(ids, zip(*cells, strict=True), strict=True)
    ]


def problem_rows(problems: Iterable[Problem]) -> list[Row]:
    """Return the rows of the problems tab, the worst first."""
    rank = {"error": 0, "warning": 1, "note": 2}
    ordered = sorted(problems, key=lambda problem: rank[problem.severity])
    return [
        {
            "id": str(number),
            "severity": problem.severity,
            "element": problem.element,
            "column": problem.column,
            "label": _label(problem),
            "message": problem.message,
            "table": problem.table,
        }
        for number, problem in enumerate(ordered)
    ]


def transaction(before: NetworkTables, after: NetworkTables, name: TableName) -> dict[str, Any] | None:
    """Return what ag-grid must do to a table's rows, ``{}`` for nothing, None when all rows should be sent anew."""
    old, new = before.table(name), after.table(name)
    if old is new:
        return {}
    if not len(old):
        return None  # an empty grid does not draw the first rows that a transaction adds
    key = KEYS[name]
    old_ids, new_ids = old[key].tolist(), new[key].tolist()
    kept = [i for i in old_ids if i in set(new_ids)]
    if len(set(old_ids)) < len(old_ids) or new_ids[: len(kept)] != kept or set(new_ids[len(kept) :]) & set(old_ids):
        return None  # rows were renamed, are doubled or stand in another order
    gone = sorted(set(old_ids) - set(new_ids))
    position = {i: row for row, i in enumerate(old_ids)}
    aligned = old.iloc[[position[i] for i in kept]]
    differs = np.zeros(len(kept), dtype=bool)
    for column in COLUMNS[name]:
        left, right = aligned[column.name].to_numpy(), new[column.name].to_numpy()[: len(kept)]
        unequal = left != right
        if column.kind == "number":
            unequal &= ~(np.isnan(left) & np.isnan(right))
        differs |= unequal.astype(bool)
    changed = np.flatnonzero(differs).tolist()
    added = list(range(len(kept), len(new_ids)))
    if len(changed) + len(added) + len(gone) > MOST_CHANGED:
        return None
    parts = {
        "update": rows(after, name, changed) if changed else [],
        "add": rows(after, name, added) if added else [],
        "remove": [{"id": i} for i in gone],
    }
    return {what: part for what, part in parts.items() if part}


def _label(problem: Problem) -> str:
    columns = {table: COLUMNS[table] for table in TABLES if table == problem.table}
    found = [column.label for named in columns.values() for column in named if column.name == problem.column]
    return found[0] if found else problem.column


def _sent(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return "inf" if cell == math.inf else None
    return cell


def _width(name: str, head: str) -> int:
    wide = {
        "name": 170,
        "cost_points": 260,
        "branch": 120,
        "terms": 360,
        "branches": 300,
        "note": 260,
        "interface": 130,
        "contingency": 130,
    }
    return max(wide.get(name, 90), 8 * len(head) + 56)
