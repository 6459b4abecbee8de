"""Edit a network: one pure reducer for the canvas, the map, the tables, the forms and the clipboard.

``apply(tables, event)`` returns new tables and leaves the old ones as they are, so undo is a stack of
tables and a replay of the same events is the same network. It keeps what a later edit relies on:
identifiers are unique, branches and units stand on buses that exist, and there is one slack. Whether the
network can be computed with is another question, answered by :func:`engine.network.checks.check`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.network import writing
from engine.network.cells import column_of, read_cell
from engine.network.events import (
    LONGEST_NAME,
    AddBus,
    AddRow,
    Connect,
    Delete,
    EditCells,
    EditError,
    Event,
    Move,
    PasteRows,
    RenameBus,
    SetName,
    SetSlack,
    from_json,
    to_json,
)
from engine.network.layout import positions
from engine.network.pasting import paste
from engine.network.tables import COLUMNS, KEYS, LISTS, SINGULAR, NetworkTables, TableName, Value
from engine.network.writing import Write, next_bus_id

__all__ = ["apply", "from_json", "label", "to_json"]


def apply(tables: NetworkTables, event: Event) -> NetworkTables:
    """Return the network after ``event``. Raises EditError with every reason why it is refused."""
    return _APPLY[type(event)](tables, event)


def label(tables: NetworkTables, event: Event) -> str:
    """Return what ``event`` does to ``tables``, in the few words of the undo list."""
    return _LABEL[type(event)](tables, event)


def _add_bus(tables: NetworkTables, event: AddBus) -> NetworkTables:
    drawn = (event.x is None, event.y is None) == (False, False)
    if (event.x is None) != (event.y is None):
        raise EditError("x and y: both or neither are needed")
    if (event.longitude is None) != (event.latitude is None):
        raise EditError("longitude and latitude: both or neither are needed")
    base = _pinned(tables) if drawn else tables
    values = {
        name: getattr(event, name) for name in ("x", "y", "longitude", "latitude") if getattr(event, name) is not None
    }
    if "longitude" in values:
        _refuse_off_the_globe(values["longitude"], values["latitude"])
    row = len(tables.buses)
    key = next_bus_id(tables)
    writes = [Write(row, "bus", key, f"bus {key}")]
    writes += [Write(row, name, value, f"bus {key}") for name, value in values.items()]
    return writing.write(base, "buses", writes)


def _connect(tables: NetworkTables, event: Connect) -> NetworkTables:
    place = f"branch {event.from_bus}-{event.to_bus}"
    ends = tables.buses.loc[tables.buses["bus"].isin([event.from_bus, event.to_bus]), "base_kv"].tolist()
    # Two known and different voltages can only be joined by a transformer.
    kind = "transformer" if len(ends) == 2 and min(ends) > 0 and ends[0] != ends[1] else "line"
    given: dict[str, Value] = {"from_bus": event.from_bus, "to_bus": event.to_bus, "kind": kind}
    row = len(tables.branches)
    return writing.write(tables, "branches", [Write(row, name, value, place) for name, value in given.items()])


def _move(tables: NetworkTables, event: Move) -> NetworkTables:
    if not event.places:
        raise EditError("places: at least one bus is needed")
    columns = ("longitude", "latitude") if event.geographic else ("x", "y")
    base = tables if event.geographic else _pinned(tables)
    rows = _rows(base, "buses", [bus for bus, _, _ in event.places])
    writes = []
    for row, (bus, first, second) in zip(rows, event.places, strict=True):
        if event.geographic:
            _refuse_off_the_globe(first, second)
        place = f"bus {bus}"
        writes += [Write(row, columns[0], first, place), Write(row, columns[1], second, place)]
    return writing.write(base, "buses", writes)


def _delete(tables: NetworkTables, event: Delete) -> NetworkTables:
    gone = _gone(tables, event)
    if not any(gone.values()):
        raise EditError("nothing is selected to delete")
    tables = writing.follow_branches(tables, dict.fromkeys(gone["branches"]))
    for name, keys in gone.items():
        table = tables.table(name)
        tables = tables.with_table(name, table[~table[KEYS[name]].isin(keys)].reset_index(drop=True))
    if event.buses and len(tables.buses) and not tables.buses["slack"].any():
        slack = np.zeros(len(tables.buses), dtype=bool)
        slack[0] = True
        tables = replace(tables, buses=tables.buses.assign(slack=slack))
    return tables


def _gone(tables: NetworkTables, event: Delete) -> dict[TableName, set[str]]:
    """Return the ids that go, by table: those named, what stands on the buses named, and lists left empty."""
    buses = set(event.buses)
    for name, keys in _named(event).items():
        _rows(tables, name, keys)
    branches, units = tables.branches, tables.units
    hanging = branches["from_bus"].isin(buses) | branches["to_bus"].isin(buses)
    lost = set(event.branches) | set(branches.loc[hanging, "branch"])
    after = writing.follow_branches(tables, dict.fromkeys(lost))
    emptied: dict[TableName, set[str]] = {}
    for name in LISTS:
        column = writing.BRANCH_LISTS[name].column
        left = (after.table(name)[column] == "") & (tables.table(name)[column] != "")
        emptied[name] = set(tables.table(name).loc[left, KEYS[name]])
    return {
        "buses": buses,
        "branches": lost,
        "units": set(event.units) | set(units.loc[units["bus"].isin(buses), "unit"]),
        "interfaces": set(event.interfaces) | emptied["interfaces"],
        "contingencies": set(event.contingencies) | emptied["contingencies"],
    }


def _named(event: Delete) -> dict[TableName, tuple[str, ...]]:
    return {
        "buses": event.buses,
        "branches": event.branches,
        "units": event.units,
        "interfaces": event.interfaces,
        "contingencies": event.contingencies,
    }


def _edit_cells(tables: NetworkTables, event: EditCells) -> NetworkTables:
    if not event.cells:
        raise EditError("cells: at least one is needed")
    rows = _rows(tables, event.table, [key for key, _, _ in event.cells])
    writes, problems = [], []
    for row, (key, name, raw) in zip(rows, event.cells, strict=True):
        try:
            column = column_of(event.table, name)
            place = f"{SINGULAR[event.table]} {key}, {column.label}"
            writes.append(Write(row, name, read_cell(event.table, column, raw), place))
        except ValueError as error:
            message = f"{SINGULAR[event.table]} {key}, {name}: {error}"
            problems.append(Problem("cell", "error", message, event.table, row, name, key))
    if problems:
        raise EditError(problems)
    return writing.write(tables, event.table, writes)


def _add_row(tables: NetworkTables, event: AddRow) -> NetworkTables:
    row = len(tables.table(event.table))
    writes, problems = [Write(row, "", "", f"new {SINGULAR[event.table]}")], []
    for name, raw in event.values:
        try:
            column = column_of(event.table, name)
            if raw is None or (isinstance(raw, str) and not raw.strip()):
                continue
            place = f"new {SINGULAR[event.table]}, {column.label}"
            writes.append(Write(row, name, read_cell(event.table, column, raw), place))
        except ValueError as error:
            message = f"new {SINGULAR[event.table]}, {name}: {error}"
            problems.append(Problem("cell", "error", message, event.table, None, name))
    if problems:
        raise EditError(problems)
    return writing.write(tables, event.table, writes)


def _set_name(tables: NetworkTables, event: SetName) -> NetworkTables:
    text = event.name.strip()
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise EditError(f"name: between 1 and {LONGEST_NAME} printable characters are needed, found {len(text)}")
    return replace(tables, name=text)


def _rows(tables: NetworkTables, name: TableName, keys: list[str] | tuple[str, ...]) -> list[int]:
    """Return the position of each id. Raises EditError naming the ids that are not there."""
    if not keys:
        return []
    ids = tables.table(name)[KEYS[name]].tolist()
    position = {key: row for row, key in reversed(list(enumerate(ids)))}
    missing = [key for key in keys if key not in position]
    if missing:
        raise EditError(
            [
                Problem("unknown-element", "error", f"there is no {SINGULAR[name]} {key!r}", name, None, "", key)
                for key in missing
            ]
        )
    return [position[key] for key in keys]


def _pinned(tables: NetworkTables) -> NetworkTables:
    """Return the tables with the canvas places that a reader sees written down, so that drawing moves nothing."""
    if not len(tables.buses) or not tables.buses[["x", "y"]].isna().to_numpy().any():
        return tables
    places = positions(tables)
    return replace(tables, buses=tables.buses.assign(x=places[:, 0], y=places[:, 1]))


def _refuse_off_the_globe(longitude: float, latitude: float) -> None:
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise EditError(f"longitude and latitude: within 180 and 90 degrees, found {longitude:g}, {latitude:g}")


def _delete_label(tables: NetworkTables, event: Delete) -> str:
    gone = _gone(tables, event)
    named = _named(event)
    parts = [_count(name, keys) for name, keys in named.items() if keys]
    along = [_number(name, len(gone[name]) - len(set(named[name]))) for name in named]
    along = [text for text in along if text]
    after = writing.follow_branches(tables, dict.fromkeys(gone["branches"]))
    shorter: list[str] = []
    for name in LISTS:
        column = writing.BRANCH_LISTS[name].column
        changed = (after.table(name)[column] != tables.table(name)[column]) & ~tables.table(name)[KEYS[name]].isin(
            gone[name]
        )
        shorter += [_number(name, int(changed.sum()))] if changed.any() else []
    moved = f"; {' and '.join(shorter)} made shorter" if shorter else ""
    slack = set(tables.buses.loc[tables.buses["slack"], "bus"])
    left = [bus for bus in tables.buses["bus"] if bus not in gone["buses"]]
    if slack and slack <= gone["buses"] and left:
        moved += f"; bus {left[0]} becomes the slack"
    return f"delete {' and '.join(parts)}{' with ' if along else ''}{' and '.join(along)}{moved}"


def _count(name: TableName, keys: tuple[str, ...]) -> str:
    return f"{SINGULAR[name]} {keys[0]}" if len(keys) == 1 else f"{len(keys)} {name}"


def _number(name: TableName, count: int) -> str:
    return "" if not count else f"{count} {SINGULAR[name] if count == 1 else name}"


def _edit_label(event: EditCells) -> str:
    rows = {key for key, _, _ in event.cells}
    if len(event.cells) > 1:
        where = f"{SINGULAR[event.table]} {event.cells[0][0]}" if len(rows) == 1 else event.table
        return f"edit {len(event.cells)} cells of {where}"
    key, name, raw = event.cells[0]
    column = next((c for c in COLUMNS[event.table] if c.name == name), None)
    title = column.label if column else name
    value = "empty" if raw is None or raw == "" else f"{raw:g}" if isinstance(raw, float) else str(raw)[:30]
    unit = f" {column.unit}" if column and column.unit and value != "empty" else ""
    return f"set {title} of {SINGULAR[event.table]} {key} to {value}{unit}"


def _new_key(tables: NetworkTables, event: AddRow) -> str:
    after = _add_row(tables, event)
    return str(after.table(event.table)[KEYS[event.table]].iloc[-1])


def _paste(tables: NetworkTables, event: PasteRows) -> NetworkTables:
    return writing.write(tables, event.table, paste(tables, event))


def _rename(tables: NetworkTables, event: RenameBus) -> NetworkTables:
    return _edit_cells(tables, EditCells("buses", ((event.bus, "bus", event.to),)))


def _set_slack(tables: NetworkTables, event: SetSlack) -> NetworkTables:
    return _edit_cells(tables, EditCells("buses", ((event.bus, "slack", True),)))


def _move_label(_: NetworkTables, event: Move) -> str:
    return f"move bus {event.places[0][0]}" if len(event.places) == 1 else f"move {len(event.places)} buses"


def _paste_label(tables: NetworkTables, event: PasteRows) -> str:
    rows = len({write.row for write in paste(tables, event)})
    return f"{rows} {'row' if rows == 1 else 'rows'} pasted into {event.table}"


_APPLY: Mapping[type[Event], Callable[[NetworkTables, Any], NetworkTables]] = {
    AddBus: _add_bus,
    Connect: _connect,
    Move: _move,
    Delete: _delete,
    EditCells: _edit_cells,
    AddRow: _add_row,
    PasteRows: _paste,
    RenameBus: _rename,
    SetSlack: _set_slack,
    SetName: _set_name,
}
_LABEL: Mapping[type[Event], Callable[[NetworkTables, Any], str]] = {
    AddBus: lambda tables, _: f"add bus {next_bus_id(tables)}",
    Connect: lambda _, event: f"connect {event.from_bus} to {event.to_bus}",
    Move: _move_label,
    Delete: _delete_label,
    EditCells: lambda _, event: _edit_label(event),
    AddRow: lambda tables, event: f"add {SINGULAR[event.table]} {_new_key(tables, event)}",
    PasteRows: _paste_label,
    RenameBus: lambda _, event: f"rename bus {event.bus} to {event.to.strip()}",
    SetSlack: lambda _, event: f"make bus {event.bus} the slack",
    SetName: lambda _, event: f"name the network {event.name.strip()}",
}
