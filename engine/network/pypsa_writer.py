"""PyPSA networks out: a zip of the folder of CSV files, or the netCDF file, that PyPSA loads.

Source of the netCDF layout: PyPSA's documentation of its export, and the netCDF-4 format, which is HDF5 with
dimension scales.
"""

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import NetworkDataError, Problem
from engine.network.foreign import OWN, own_columns
from engine.network.pypsa import SLACK_ONLY, UNLIMITED_MVA
from engine.network.pypsa_files import LISTS_FILE, LISTS_VARIABLE
from engine.network.tables import LISTS, NetworkTables, TableName, canonical_json, cost_points

_VERSION = "1.0.0"  # of PyPSA, whose columns these are
# What PyPSA's own columns carry; a column that holds more than its default and is not here travels as our own.
_CARRIED: Mapping[TableName, tuple[str, ...]] = {
    "buses": ("bus", "base_kv", "load_mw", "load_mvar", "shunt_mw", "shunt_mvar", "longitude", "latitude", "slack",
              "voltage_pu", "v_min_pu", "v_max_pu"),
    "branches": ("branch", "from_bus", "to_bus", "resistance_pu", "reactance_pu", "rating_a_mw", "tap_ratio",
                 "shift_deg", "in_service", "angle_min_deg", "angle_max_deg"),
    "units": ("unit", "bus", "in_service", "p_mw", "p_min_mw", "p_max_mw", "q_mvar", "cost_c1_per_mwh",
              "cost_c2_per_mw2h", "startup_cost", "shutdown_cost", "fuel"),
}  # fmt: skip


def write_pypsa(tables: NetworkTables) -> bytes:
    """Return ``tables`` as a PyPSA folder of CSV files in a zip.

    Lines between buses of one voltage are lines, all other branches transformers. PyPSA takes the slack bus from
    a generator: where it has none in service, one of 0 MW is added. Columns that PyPSA has no word for travel as
    ``headroom_...``. Raises NetworkDataError for what hangs in the air.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in _components(tables).items():
            if len(frame):
                _add(archive, f"{name}.csv", frame.to_csv(index=False))
        if lists := _lists(tables):
            _add(archive, LISTS_FILE, lists)
    return buffer.getvalue()


def write_pypsa_netcdf(tables: NetworkTables) -> bytes:
    """Return ``tables`` as a PyPSA netCDF file with the content of :func:`write_pypsa`. Raises as that does."""
    import h5py  # noqa: PLC0415 - only where it is needed

    components = _components(tables)
    about = components.pop("network").iloc[0]
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs.update({"network_name": about["name"], "network_pypsa_version": _VERSION, "network_srid": 4326})
        file.attrs.update({"meta": "{}", "crs": "{}"})
        for name, frame in components.items():
            if not len(frame):
                continue
            index = "snapshots" if name == "snapshots" else f"{name}_i"
            scale = _variable(file, index, frame.iloc[:, 0])
            scale.make_scale(index)
            for column in frame.columns[1:]:
                _variable(file, f"{name}_{column}", frame[column]).dims[0].attach_scale(scale)
        if lists := _lists(tables):
            file.create_dataset(LISTS_VARIABLE, data=lists, dtype=h5py.string_dtype())
    return buffer.getvalue()


def _variable(file: Any, name: str, cells: "pd.Series[Any]") -> Any:
    """Add a column as netCDF knows it: numbers, truth values as bytes, all else as text; a blank number is nan."""
    import h5py  # noqa: PLC0415 - only where it is needed

    if cells.dtype == np.bool_:
        made = file.create_dataset(name, data=cells.to_numpy(dtype=np.int8))
        made.attrs["dtype"] = "bool"  # as xarray marks them
        return made
    if {type(cell) for cell in cells if cell != ""} & {int, float}:  # a column holds one kind of cell
        return file.create_dataset(name, data=np.array([np.nan if cell == "" else cell for cell in cells]))
    return file.create_dataset(name, data=[str(cell) for cell in cells], dtype=h5py.string_dtype())


def _lists(tables: NetworkTables) -> str:
    """Return the interfaces and contingencies, which PyPSA has no components for; "" if there are none."""
    if not any(len(tables.table(name)) for name in LISTS):
        return ""
    return canonical_json(NetworkTables(interfaces=tables.interfaces, contingencies=tables.contingencies))


def _components(tables: NetworkTables) -> dict[str, pd.DataFrame]:
    """Return the table of each kind of component, its names in the first column."""
    _refuse(tables)
    lines, transformers = _branches(tables)
    files: dict[str, pd.DataFrame] = {
        "network": pd.DataFrame({"name": [tables.name], "pypsa_version": [_VERSION], "srid": [4326]}),
        "snapshots": pd.DataFrame({"": [0], "snapshot": ["now"], "objective": [1.0], "stores": [1.0],
                                   "generators": [1.0]}),
        "buses": _buses(tables),
        "lines": lines,
        "transformers": transformers,
        "generators": _units(tables),
        "loads": _loads(tables),
        "shunt_impedances": _shunts(tables),
    }  # fmt: skip
    fuels = sorted({"AC", *files["generators"]["carrier"]} - {""})
    files["carriers"] = pd.DataFrame({"name": fuels})
    return files


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    # A fixed date, so that equal networks give equal files.
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_DEFLATED)


def _refuse(tables: NetworkTables) -> None:
    known, found = set(tables.buses["bus"]), []
    if len(known) < len(tables.buses):
        found.append(Problem("duplicate-bus", "error", "two buses have the same identifier", "buses"))
    hanging = [("branches", end, bus) for end in ("from_bus", "to_bus") for bus in tables.branches[end]]
    hanging += [("units", "bus", bus) for bus in tables.units["bus"]]
    for table, column, bus in hanging:
        if bus not in known:
            found.append(Problem("dangling-bus", "error", f"{table}: {column} {bus!r} does not exist", table))
    for row, cell in enumerate(tables.units["cost_points"]):
        try:
            cost_points(cell)
        except ValueError as error:
            found.append(Problem("cost-points", "error", f"units, row {row + 1}: {error}", "units", row, "cost_points"))
    if found:
        raise NetworkDataError(found)


def _volts(tables: NetworkTables) -> dict[str, float]:
    kv = tables.buses["base_kv"].tolist()
    return {bus: v if v > 0 else 1.0 for bus, v in zip(tables.buses["bus"], kv, strict=True)}  # not known: 1 kV


def _buses(tables: NetworkTables) -> pd.DataFrame:
    buses = tables.buses
    return pd.DataFrame({
        "name": buses["bus"], "v_nom": list(_volts(tables).values()), "carrier": "AC",
        "x": buses["longitude"].fillna(0.0), "y": buses["latitude"].fillna(0.0), "v_mag_pu_set": buses["voltage_pu"],
        "v_mag_pu_min": buses["v_min_pu"], "v_mag_pu_max": buses["v_max_pu"], **_own(tables, "buses"),
    })  # fmt: skip


def _branches(tables: NetworkTables) -> tuple[pd.DataFrame, pd.DataFrame]:
    branches, volts = tables.branches, _volts(tables)
    high, low = (np.array([volts[bus] for bus in branches[end]]) for end in ("from_bus", "to_bus"))
    own = _own(tables, "branches")
    rating = branches["rating_a_mw"].to_numpy(dtype=np.float64)
    mva = np.where(np.isfinite(rating) & (rating > 0), rating, UNLIMITED_MVA)
    on = {row for row, alive in enumerate(_alive(tables)) if alive}
    common = pd.DataFrame({
        "name": branches["branch"], "bus0": branches["from_bus"], "bus1": branches["to_bus"], "s_nom": mva,
        "v_ang_min": branches["angle_min_deg"], "v_ang_max": branches["angle_max_deg"],
        "active": [row in on for row in range(len(branches))], **own,
    })  # fmt: skip
    plain = ((branches["kind"] == "line") & (branches["tap_ratio"] == 1) & (branches["shift_deg"] == 0)).to_numpy()
    plain &= high == low
    ohm = high**2 / tables.base_mva
    lines = common.assign(
        r=branches["resistance_pu"] * ohm, x=branches["reactance_pu"] * ohm, b=branches["charging_pu"] / ohm
    ).drop(columns=f"{OWN}charging_pu", errors="ignore")
    transformers = common.assign(
        r=branches["resistance_pu"] * mva / tables.base_mva, x=branches["reactance_pu"] * mva / tables.base_mva,
        tap_ratio=branches["tap_ratio"], phase_shift=branches["shift_deg"], model="pi",
    )  # fmt: skip
    return lines[plain], transformers[~plain]


def _alive(tables: NetworkTables) -> list[bool]:
    """Tell which branches are in service with both their ends: PyPSA's buses have no status of their own."""
    on = dict(zip(tables.buses["bus"], tables.buses["in_service"], strict=True))
    rows = zip(tables.branches["from_bus"], tables.branches["to_bus"], tables.branches["in_service"], strict=True)
    return [bool(alive and on[a] and on[b]) for a, b, alive in rows]


def _units(tables: NetworkTables) -> pd.DataFrame:
    units, buses = tables.units, tables.buses
    on = set(buses["bus"][buses["in_service"]])
    slack = buses["bus"][buses["slack"]].tolist()[:1]
    active = units["in_service"] & units["bus"].isin(on)
    at_slack = units["bus"].isin(slack) & active
    first = at_slack & ~at_slack.duplicated()
    low, high = (units[column].to_numpy(dtype=np.float64) for column in ("p_min_mw", "p_max_mw"))
    nominal = np.maximum(np.abs(low), np.abs(high))
    share = np.where(nominal > 0, nominal, 1.0)
    frame = pd.DataFrame({
        "name": units["unit"], "bus": units["bus"], "control": np.where(first, "Slack", "PQ"), "p_nom": nominal,
        "p_min_pu": low / share, "p_max_pu": high / share, "p_set": units["p_mw"], "q_set": units["q_mvar"],
        "carrier": units["fuel"], "marginal_cost": [_cost(unit) for unit in units.to_dict("records")],
        "marginal_cost_quadratic": units["cost_c2_per_mw2h"], "start_up_cost": units["startup_cost"],
        "shut_down_cost": units["shutdown_cost"], "active": active, **_own(tables, "units"),
    })  # fmt: skip
    if slack and not first.any():
        added = pd.DataFrame({"name": [_free(set(units["unit"]))], "bus": slack, "control": "Slack", "p_nom": 0.0,
                              "p_set": 0.0, "carrier": SLACK_ONLY, "active": True})  # fmt: skip
        frame = pd.concat([frame, added], ignore_index=True) if len(frame) else added
    return frame


def _cost(unit: Mapping[Any, Any]) -> float:
    """Return the cost of one more MWh: of a piecewise cost the mean slope, its points travel as our own column."""
    points = cost_points(unit["cost_points"])
    if not points:
        return float(unit["cost_c1_per_mwh"])
    (low, start), (high, end) = points[0], points[-1]
    return (end - start) / (high - low)


def _free(taken: set[str]) -> str:
    return next(name for name in ("slack", *(f"slack {at}" for at in range(len(taken) + 1))) if name not in taken)


def _loads(tables: NetworkTables) -> pd.DataFrame:
    found = tables.buses[(tables.buses["load_mw"] != 0) | (tables.buses["load_mvar"] != 0)]
    return pd.DataFrame({
        "name": [f"load {bus}" for bus in found["bus"]], "bus": found["bus"], "p_set": found["load_mw"],
        "q_set": found["load_mvar"], "active": found["in_service"],
    })  # fmt: skip


def _shunts(tables: NetworkTables) -> pd.DataFrame:
    found = tables.buses[(tables.buses["shunt_mw"] != 0) | (tables.buses["shunt_mvar"] != 0)]
    volts = _volts(tables)
    square = np.array([volts[bus] ** 2 for bus in found["bus"]])
    return pd.DataFrame({
        "name": [f"shunt {bus}" for bus in found["bus"]], "bus": found["bus"], "g": found["shunt_mw"] / square,
        "b": found["shunt_mvar"] / square, "active": found["in_service"],
    })  # fmt: skip


def _own(tables: NetworkTables, name: TableName) -> dict[str, list[Any]]:
    """Return the columns that PyPSA's tables have no word for; an empty cell stands for what is not known."""
    found = own_columns(tables, name, _CARRIED[name])
    blank = (None, "")
    return {
        column: ["" if cell in blank or (isinstance(cell, float) and math.isnan(cell)) else cell for cell in cells]
        for column, cells in found.items()
    }
