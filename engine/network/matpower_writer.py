"""MATPOWER case files (.m, version 2) out."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from engine.errors import NetworkDataError, Problem
from engine.network.matpower import FILE_COLUMNS, number_text, read_matpower
from engine.network.matpower_extras import EXTRA
from engine.network.tables import COLUMNS, LISTS, NetworkTables, TableName, cost_points, table_of

_REFERENCES: tuple[tuple[TableName, str], ...] = (("branches", "from_bus"), ("branches", "to_bus"), ("units", "bus"))
_COSTS = ("cost_c2_per_mw2h", "cost_c1_per_mwh", "cost_c0_per_h")


def write_matpower(tables: NetworkTables) -> str:
    """Return ``tables`` as a case file of version 2, every number exact.

    Columns for which the format has no place, such as coordinates or text identifiers, are kept in fields of
    their own (``mpc.headroom``), which MATPOWER does not read and :func:`read_matpower` does. Raises
    NetworkDataError for branches or units at buses that do not exist, duplicate buses, and costs that are
    unreadable or not finite.
    """
    _refuse(tables)
    standard = _standard(tables)
    return standard + _extras(tables, read_matpower(standard).tables)


def _refuse(tables: NetworkTables) -> None:
    known = set(tables.buses["bus"])
    found = []
    if len(known) < len(tables.buses):
        found.append(Problem("duplicate-bus", "error", "two buses have the same identifier", "buses"))
    if not (math.isfinite(tables.base_mva) and tables.base_mva > 0):
        found.append(Problem("base-mva", "error", f"a base power of {tables.base_mva:g} MVA cannot be written"))
    for table, column in _REFERENCES:
        for row, bus in enumerate(tables.table(table)[column]):
            if bus not in known:
                message = f"{table}, row {row + 1}: {column} {bus!r} does not exist"
                found.append(Problem("dangling-bus", "error", message, table, row, column))
    found.extend(_costs_that_cannot_be_written(tables))
    if found:
        raise NetworkDataError(found)


def _costs_that_cannot_be_written(tables: NetworkTables) -> Iterable[Problem]:
    for row, cell in enumerate(tables.units["cost_points"]):
        try:
            cost_points(cell)
        except ValueError as error:
            yield Problem("cost-points", "error", f"units, row {row + 1}: {error}", "units", row, "cost_points")
    for column in _COSTS:
        for row in np.flatnonzero(~np.isfinite(tables.units[column].to_numpy(dtype=np.float64))).tolist():
            message = f"units, row {row + 1}: a {column} of {tables.units[column].iloc[row]} cannot be written"
            yield Problem("not-finite", "error", message, "units", row, column)


def _standard(tables: NetworkTables) -> str:
    title = re.sub(r"\W+", "_", tables.name, flags=re.ASCII).strip("_")
    title = title if title[:1].isalpha() else f"case_{title}".rstrip("_")
    number = _numbers_of(tables.buses["bus"].tolist())
    parts = [
        f"function mpc = {title[:60]}\n% {' '.join(tables.name.split())}\n% {' '.join(tables.source.split())}\n\n"
        f"mpc.version = '2';\nmpc.baseMVA = {number_text(float(tables.base_mva))};\n",
        _matrix("bus", FILE_COLUMNS["buses"], _bus_columns(tables, number)),
        _matrix("gen", FILE_COLUMNS["units"], _unit_columns(tables, number)),
        _matrix("branch", FILE_COLUMNS["branches"], _branch_columns(tables, number)),
        _costs(tables),
        _cells("bus_name", tables.buses["name"]),
        _cells("genfuel", tables.units["fuel"]),
        _cells("gentype", tables.units["technology"]),
    ]
    return "\n".join(parts)


def _bus_columns(tables: NetworkTables, number: Mapping[str, str]) -> list[Sequence[object]]:
    bus = tables.buses
    powered = set(tables.units["bus"][tables.units["in_service"]])
    kinds = [
        4 if not on else 3 if slack else 2 if name in powered else 1
        for name, slack, on in zip(bus["bus"], bus["slack"], bus["in_service"], strict=True)
    ]
    return [
        [number[name] for name in bus["bus"]], kinds, bus["load_mw"].tolist(), bus["load_mvar"].tolist(),
        bus["shunt_mw"].tolist(), bus["shunt_mvar"].tolist(), _codes(bus["area"].tolist()),
        bus["voltage_pu"].tolist(), bus["angle_deg"].tolist(), bus["base_kv"].tolist(), _codes(bus["zone"].tolist()),
        bus["v_max_pu"].tolist(), bus["v_min_pu"].tolist(),
    ]  # fmt: skip


def _unit_columns(tables: NetworkTables, number: Mapping[str, str]) -> list[Sequence[object]]:
    unit = tables.units
    none = [0] * len(unit)
    ramp = unit["ramp_30_min_mw"].replace(np.inf, 0.0).tolist()
    return [
        [number[bus] for bus in unit["bus"]], unit["p_mw"].tolist(), unit["q_mvar"].tolist(),
        unit["q_max_mvar"].tolist(), unit["q_min_mvar"].tolist(), unit["voltage_pu"].tolist(),
        [float(tables.base_mva)] * len(unit), unit["in_service"].astype(int).tolist(), unit["p_max_mw"].tolist(),
        unit["p_min_mw"].tolist(), *[none] * 8, ramp, none, none,
    ]  # fmt: skip


def _branch_columns(tables: NetworkTables, number: Mapping[str, str]) -> list[Sequence[object]]:
    branch = tables.branches
    plain = (branch["kind"] == "line") & (branch["tap_ratio"] == 1)
    return [
        [number[bus] for bus in branch["from_bus"]], [number[bus] for bus in branch["to_bus"]],
        branch["resistance_pu"].tolist(), branch["reactance_pu"].tolist(), branch["charging_pu"].tolist(),
        branch["rating_a_mw"].replace(np.inf, 0.0).tolist(), branch["rating_b_mw"].fillna(0.0).tolist(),
        branch["rating_c_mw"].fillna(0.0).tolist(), branch["tap_ratio"].mask(plain, 0.0).tolist(),
        branch["shift_deg"].tolist(), branch["in_service"].astype(int).tolist(),
        branch["angle_min_deg"].replace(-np.inf, -360.0).tolist(),
        branch["angle_max_deg"].replace(np.inf, 360.0).tolist(),
    ]  # fmt: skip


def _costs(tables: NetworkTables) -> str:
    unit = tables.units
    rows = []
    for points, c2, c1, c0, startup, shutdown in zip(
        unit["cost_points"], unit["cost_c2_per_mw2h"], unit["cost_c1_per_mwh"], unit["cost_c0_per_h"],
        unit["startup_cost"], unit["shutdown_cost"], strict=True,
    ):  # fmt: skip
        pairs = cost_points(points)
        terms = [value for pair in pairs for value in pair] if pairs else [c2, c1, c0]
        rows.append([1 if pairs else 2, startup, shutdown, len(pairs) or 3, *terms])
    width = max((len(row) for row in rows), default=7)
    lines = ["\t".join(_text(cell) for cell in row + [0] * (width - len(row))) for row in rows]
    return _block("gencost", "[", lines)


def _numbers_of(ids: Sequence[str]) -> dict[str, str]:
    """Return each bus's number: its own identifier if all are whole numbers, else its position from 1."""
    if all(name.isascii() and name.isdigit() and name[0] != "0" and len(name) <= 15 for name in ids):
        return {name: name for name in ids}
    return {name: str(position) for position, name in enumerate(ids, 1)}


def _codes(names: Sequence[str]) -> list[str]:
    """Return zone or area numbers: the names themselves if they are whole numbers, else in order of appearance."""
    codes = {name: str(code) for code, name in enumerate(dict.fromkeys(names), 1)}
    plain = all(name.isascii() and name.isdigit() and len(name) <= 15 and str(int(name)) == name for name in codes)
    return [name if plain else codes[name] for name in names]


def _matrix(name: str, header: Sequence[str], columns: Sequence[Sequence[object]]) -> str:
    rows = zip(*columns, strict=True)
    titles = "\t".join(title.lower() for title in header)
    return f"%\t{titles}\n" + _block(name, "[", ["\t".join(map(_text, row)) for row in rows])


def _block(name: str, opener: str, lines: Iterable[str]) -> str:
    body = "".join(f"\t{line};\n" for line in lines)
    return f"mpc.{name} = {opener}\n{body}{']' if opener == '[' else '}'};\n"


def _cells(name: str, texts: Iterable[str]) -> str:
    cells = list(texts)
    if not any(cells):
        return ""
    return _block(name, "{", map(_quoted, cells))


def _quoted(text: str) -> str:
    plain = text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)
    return "'" + plain.replace("'", "''") + "'"


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isfinite(value):
        return number_text(value)
    return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")


def _extras(tables: NetworkTables, carried: NetworkTables) -> str:
    """Return the fields for what ``carried``, the standard part read back, has lost."""
    parts = []
    for key, own, read in (("name", tables.name, carried.name), ("source", tables.source, carried.source)):
        if own != read:
            parts.append(f"mpc.{EXTRA}.{key} = {_quoted(own)};\n")
    for name, columns in COLUMNS.items():
        before, after = tables.table(name), carried.table(name)
        if name in LISTS:  # which MATPOWER has no matrix for: each column that says something, and the identifiers
            after = table_of(name, [{} for _ in range(len(before))])
        for column in columns:
            own_cells, read_cells = before[column.name].tolist(), after[column.name].tolist()
            same = all(a == b or (_is_nan(a) and _is_nan(b)) for a, b in zip(own_cells, read_cells, strict=True))
            if same:
                continue
            field = f"{EXTRA}.{name}_{column.name}"
            if column.kind == "text":
                parts.append(_block(field, "{", map(_quoted, own_cells)))
            else:
                parts.append(_block(field, "[", [_text(float(cell)) for cell in own_cells]))
    heading = "% What follows is read by Headroom alone.\n" if parts else ""
    return "\n" + heading + "".join(parts)


def _is_nan(cell: object) -> bool:
    return isinstance(cell, float) and math.isnan(cell)
