"""pandapower networks out: the JSON that pandapower's ``from_json`` loads."""

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import NetworkDataError, Problem
from engine.network.foreign import OWN, own_columns
from engine.network.pandapower_json import LISTS_KEY, PLACES_KEY
from engine.network.tables import LISTS, NetworkTables, TableName, canonical_json, cost_points

_FORMAT = "3.0.0"  # of pandapower's tables; later releases convert it when they load it
_F_HZ = 50.0
_UNLIMITED_KA = 99_999.0
_UNLIMITED_MVA = 99_999.0
# What pandapower's own columns carry; a column that holds more than its default and is not here travels as our own.
_CARRIED: Mapping[TableName, tuple[str, ...]] = {
    "buses": ("bus", "name", "base_kv", "zone", "slack", "in_service", "load_mw", "load_mvar", "shunt_mw", "shunt_mvar",
              "v_min_pu", "v_max_pu", "longitude", "latitude"),
    "branches": ("branch", "from_bus", "to_bus", "resistance_pu", "reactance_pu", "rating_a_mw", "tap_ratio",
                 "shift_deg", "in_service"),
    "units": ("unit", "bus", "in_service", "p_mw", "p_min_mw", "p_max_mw", "q_min_mvar", "q_max_mvar", "voltage_pu",
              "cost_c0_per_h", "cost_c1_per_mwh", "cost_c2_per_mw2h", "cost_points"),
}  # fmt: skip


def write_pandapower(tables: NetworkTables) -> bytes:
    """Return ``tables`` as a pandapower network in JSON.

    Lines between buses of one voltage are lines of 1 km, all other branches transformers; every unit is a
    generator, the first at the slack bus its reference; without one there, an external grid. Columns that
    pandapower has no word for travel as ``headroom_...``. Raises NetworkDataError for what hangs in the air.
    """
    index = _bus_index(tables)
    _refuse(tables, index)
    lines, transformers = _branches(tables, index)
    units, grids = _units(tables, index)
    net: dict[str, Any] = {
        "bus": _buses(tables, index),
        "load": _at_buses(tables, index, ("load_mw", "load_mvar"), {"scaling": 1.0, "in_service": True}),
        "shunt": _shunts(tables, index),
        "line": lines,
        "trafo": transformers,
        "gen": units,
        "ext_grid": grids,
        **_costs(tables),
    }
    content: dict[str, Any] = {name: _frame(frame) for name, frame in net.items() if len(frame.columns)}
    if any(len(tables.table(name)) for name in LISTS):
        lists = NetworkTables(interfaces=tables.interfaces, contingencies=tables.contingencies)
        content[LISTS_KEY] = canonical_json(lists)
    if np.isfinite(tables.buses["longitude"].to_numpy(dtype=np.float64)).any():
        content[PLACES_KEY] = "map"  # surely, whatever the lengths of the lines say
    content |= {"version": _FORMAT, "format_version": _FORMAT, "name": tables.name, "f_hz": _F_HZ,
                "sn_mva": float(tables.base_mva)}  # fmt: skip
    whole = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": content}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()


def _bus_index(tables: NetworkTables) -> dict[str, int]:
    ids = tables.buses["bus"].tolist()
    if all(name.isascii() and name.isdigit() and len(name) <= 9 and str(int(name)) == name for name in ids):
        return {name: int(name) for name in ids}
    return {name: position for position, name in enumerate(ids)}


def _refuse(tables: NetworkTables, index: Mapping[str, int]) -> None:
    found = []
    if len(index) < len(tables.buses):
        found.append(Problem("duplicate-bus", "error", "two buses have the same identifier", "buses"))
    hanging = [("branches", end, bus) for end in ("from_bus", "to_bus") for bus in tables.branches[end]]
    hanging += [("units", "bus", bus) for bus in tables.units["bus"]]
    for table, column, bus in hanging:
        if bus not in index:
            found.append(Problem("dangling-bus", "error", f"{table}: {column} {bus!r} does not exist", table))
    for row, cell in enumerate(tables.units["cost_points"]):
        try:
            cost_points(cell)
        except ValueError as error:
            found.append(Problem("cost-points", "error", f"units, row {row + 1}: {error}", "units", row, "cost_points"))
    if found:
        raise NetworkDataError(found)


def _buses(tables: NetworkTables, index: Mapping[str, int]) -> pd.DataFrame:
    buses = tables.buses
    places = zip(buses["longitude"].tolist(), buses["latitude"].tolist(), strict=True)
    own = _own(tables, "buses")
    if any(str(at) != bus for bus, at in index.items()):
        own[f"{OWN}bus"] = list(index)
    return pd.DataFrame({
        "name": buses["name"].tolist(), "vn_kv": _volts(tables), "type": "b", "zone": buses["zone"].tolist(),
        "in_service": buses["in_service"].tolist(), "min_vm_pu": buses["v_min_pu"].tolist(),
        "max_vm_pu": buses["v_max_pu"].tolist(),
        "geo": [json.dumps({"coordinates": place, "type": "Point"}) if all(map(math.isfinite, place)) else None
                for place in places],
        **own,
    }, index=list(index.values()))  # fmt: skip


def _volts(tables: NetworkTables) -> list[float]:
    return [kv if kv > 0 else 1.0 for kv in tables.buses["base_kv"].tolist()]  # a voltage that is not known is 1 kV


def _at_buses(
    tables: NetworkTables, index: Mapping[str, int], columns: tuple[str, str], more: Mapping[str, Any]
) -> pd.DataFrame:
    found = tables.buses[(tables.buses[list(columns)] != 0).any(axis=1)]
    return pd.DataFrame({
        "name": found["name"].tolist(), "bus": [index[bus] for bus in found["bus"]],
        "p_mw": found[columns[0]].tolist(), "q_mvar": found[columns[1]].tolist(), **more,
    }).infer_objects()  # fmt: skip


def _shunts(tables: NetworkTables, index: Mapping[str, int]) -> pd.DataFrame:
    frame = _at_buses(tables, index, ("shunt_mw", "shunt_mvar"), {"step": 1, "max_step": 1, "in_service": True})
    volts = dict(zip(index.values(), _volts(tables), strict=True))
    return frame.assign(q_mvar=-frame["q_mvar"], vn_kv=[volts[bus] for bus in frame["bus"].tolist()])


def _branches(tables: NetworkTables, index: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    branches = tables.branches
    volts = dict(zip(tables.buses["bus"], _volts(tables), strict=True))
    high, low = (np.array([volts[bus] for bus in branches[end]]) for end in ("from_bus", "to_bus"))
    frame = branches.assign(high=high, low=low, **_own(tables, "branches"))
    plain = (frame["kind"] == "line") & (frame["tap_ratio"] == 1) & (frame["shift_deg"] == 0) & (high == low)
    return _lines(frame[plain], index, tables.base_mva), _transformers(frame[~plain], index, tables.base_mva)


def _lines(rows: pd.DataFrame, index: Mapping[str, int], base_mva: float) -> pd.DataFrame:
    ohm = rows["high"].to_numpy() ** 2 / base_mva
    rating = rows["rating_a_mw"].to_numpy(dtype=np.float64)
    return pd.DataFrame({
        "name": rows["branch"].tolist(), "std_type": None, "from_bus": _index(rows["from_bus"], index),
        "to_bus": _index(rows["to_bus"], index), "length_km": 1.0, "r_ohm_per_km": rows["resistance_pu"] * ohm,
        "x_ohm_per_km": rows["reactance_pu"] * ohm,
        "c_nf_per_km": rows["charging_pu"] / ohm / (2 * math.pi * _F_HZ) * 1e9, "g_us_per_km": 0.0,
        "max_i_ka": np.where(np.isfinite(rating), rating / (rows["high"] * math.sqrt(3)), _UNLIMITED_KA), "df": 1.0,
        "parallel": 1, "type": "ol", "in_service": rows["in_service"], "max_loading_percent": 100.0,
        **_own_of(rows.drop(columns=f"{OWN}charging_pu", errors="ignore")),
    }).reset_index(drop=True)  # fmt: skip


def _transformers(rows: pd.DataFrame, index: Mapping[str, int], base_mva: float) -> pd.DataFrame:
    rating = rows["rating_a_mw"].to_numpy(dtype=np.float64)
    mva = np.where(np.isfinite(rating) & (rating > 0), rating, _UNLIMITED_MVA)
    z = np.hypot(rows["resistance_pu"], rows["reactance_pu"]) * 100 * mva / base_mva
    return pd.DataFrame({
        "name": rows["branch"].tolist(), "std_type": None, "hv_bus": _index(rows["from_bus"], index),
        "lv_bus": _index(rows["to_bus"], index), "sn_mva": mva, "vn_hv_kv": rows["high"] * rows["tap_ratio"],
        "vn_lv_kv": rows["low"], "vk_percent": np.copysign(z, rows["reactance_pu"]),
        "vkr_percent": rows["resistance_pu"] * 100 * mva / base_mva, "pfe_kw": 0.0, "i0_percent": 0.0,
        "shift_degree": rows["shift_deg"], "tap_side": None, "tap_neutral": np.nan, "tap_min": np.nan,
        "tap_max": np.nan, "tap_step_percent": np.nan, "tap_step_degree": np.nan, "tap_pos": np.nan,
        "tap_changer_type": None, "tap_dependency_table": False, "parallel": 1, "df": 1.0,
        "in_service": rows["in_service"], "max_loading_percent": 100.0,
        **_own_of(rows),
    }).reset_index(drop=True)  # fmt: skip


def _units(tables: NetworkTables, index: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    units = tables.units
    slack = tables.buses["bus"][tables.buses["slack"]].tolist()[:1]
    at_slack = units["bus"].isin(slack) & units["in_service"]
    first = at_slack & ~at_slack.duplicated()
    frame = pd.DataFrame({
        "name": units["unit"].tolist(), "bus": _index(units["bus"], index), "p_mw": units["p_mw"],
        "vm_pu": units["voltage_pu"], "sn_mva": np.nan, "min_q_mvar": units["q_min_mvar"].replace(-np.inf, np.nan),
        "max_q_mvar": units["q_max_mvar"].replace(np.inf, np.nan), "min_p_mw": units["p_min_mw"],
        "max_p_mw": units["p_max_mw"], "scaling": 1.0, "slack": first, "controllable": True,
        "in_service": units["in_service"], "slack_weight": first.astype(float), "type": None,
        **_own(tables, "units"),
    }).reset_index(drop=True)  # fmt: skip
    missing = not first.any() and bool(slack)
    grids = pd.DataFrame({
        "name": ["slack"], "bus": [index[slack[0]]], "vm_pu": 1.0, "va_degree": 0.0, "slack_weight": 1.0,
        "in_service": True, "min_p_mw": 0.0, "max_p_mw": 0.0,
    }) if missing else pd.DataFrame()  # fmt: skip
    return frame, grids


def _costs(tables: NetworkTables) -> dict[str, pd.DataFrame]:
    polynomial, pieces = [], []
    for at, unit in enumerate(tables.units.to_dict("records")):
        points = cost_points(unit["cost_points"])
        if points:
            slopes = [[low, high, (end - start) / (high - low)] for (low, start), (high, end) in pairwise(points)]
            pieces.append({"power_type": "p", "element": at, "et": "gen", "points": slopes})
            continue
        polynomial.append({
            "element": at, "et": "gen", "cp0_eur": unit["cost_c0_per_h"], "cp1_eur_per_mw": unit["cost_c1_per_mwh"],
            "cp2_eur_per_mw2": unit["cost_c2_per_mw2h"], "cq0_eur": 0.0, "cq1_eur_per_mvar": 0.0,
            "cq2_eur_per_mvar2": 0.0,
        })  # fmt: skip
    return {"poly_cost": pd.DataFrame(polynomial), "pwl_cost": pd.DataFrame(pieces)}


def _own(tables: NetworkTables, name: TableName) -> dict[str, list[Any]]:
    """Return the columns that pandapower's tables have no word for."""
    return own_columns(tables, name, _CARRIED[name])


def _own_of(rows: pd.DataFrame) -> dict[str, Any]:
    return {str(name): rows[name].tolist() for name in rows.columns if str(name).startswith(OWN)}


def _index(names: pd.Series, index: Mapping[str, int]) -> list[int]:
    return [index[name] for name in names]


def _frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as pandapower writes it: a text of its own inside the JSON, and the type of each column."""
    columns = [str(column) for column in frame.columns]
    cells = [[_cell(cell) for cell in frame[column].tolist()] for column in columns]
    data = [list(row) for row in zip(*cells, strict=True)] if columns else []
    text = json.dumps({"columns": columns, "index": frame.index.tolist(), "data": data}, allow_nan=False)
    kinds = {column: _kind(column, frame[column]) for column in columns}
    return {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": text, "orient": "split", "dtype": kinds,
            "is_multiindex": False, "is_multicolumn": False}  # fmt: skip


def _kind(column: str, cells: pd.Series) -> str:
    if column in {"bus", "from_bus", "to_bus", "hv_bus", "lv_bus", "parallel", "element", "max_step"}:
        return "uint32"
    return str(cells.dtype) if cells.dtype in (np.float64, np.int64, np.bool_) else "object"


def _cell(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else ("inf" if cell > 0 else "-inf")
    return cell
