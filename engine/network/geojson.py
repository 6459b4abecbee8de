"""Networks as GeoJSON: points are buses, lines are branches, features without geometry are units.

A branch's ends are its properties ``from_bus`` and ``to_bus``; where these are missing, the line's two ends
snap to the nearest bus. Coordinates are longitude and latitude (RFC 7946); another system that an older file
names in ``crs`` is converted.
"""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import geopandas
import numpy as np
import pandas as pd
from pyproj.exceptions import CRSError
from scipy.spatial import cKDTree
from shapely import get_coordinates
from shapely.errors import ShapelyError
from shapely.geometry import shape

from engine.errors import FileFormatError, Problem
from engine.network.imported import Imported
from engine.network.intake import MOST_PROBLEMS, SYNONYMS, Intake, with_slack
from engine.network.tables import COLUMNS, MOST_ROWS, Column, NetworkTables, TableName, table_of

_WGS84 = "EPSG:4326"
_SNAP_DEG = 0.05  # about 5 km: a line that ends farther from any bus than this is reported
_GEOMETRY = {"Point": "buses", "LineString": "branches", "MultiLineString": "branches"}
_MOST_CELLS = 20_000_000  # of one table; 100,000 branches with 50 properties have 5 million
_MOST_BRACKETS = 3_000_000  # an empty list costs 30 times its text in memory
_UNREADABLE = (
    ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, RecursionError
)  # fmt: skip
_NO_COLUMNS: Mapping[str, list[Any]] = MappingProxyType({})
_TABLE = "table"  # the property that names a feature's table


def read_geojson(content: bytes, name: str = "") -> Imported:
    """Return the network in a FeatureCollection.

    Raises FileFormatError listing each feature that is neither a bus, a branch nor a unit, and each cell that
    does not fit its column.
    """
    collection = _collection(content)
    features = collection["features"]
    intake = Intake()
    groups = _groups(features, intake)
    if len(intake.problems) >= MOST_PROBLEMS:
        raise FileFormatError(intake.problems)
    frame = _frame(features, collection.get("crs"))
    if not groups["buses"]:
        intake.wrong("no-buses", "the GeoJSON has no points: buses are points")
    buses = _buses(features, frame, groups["buses"], intake)
    branches = _branches(features, frame, groups["branches"], buses, intake)
    units, interfaces, contingencies = (
        _cells(name, features, groups[name], intake) for name in ("units", "interfaces", "contingencies")
    )
    if intake.problems:
        raise FileFormatError(intake.problems)
    own = collection.get("headroom")
    about = own if isinstance(own, dict) else {}
    base_mva, source = about.get("base_mva", 100.0), about.get("source", "")
    if not isinstance(base_mva, int | float) or isinstance(base_mva, bool):
        raise FileFormatError(f"base_mva must be a number, found {str(base_mva)[:40]!r}")
    tables = NetworkTables(
        name=str(about.get("name", name or "Network")),
        base_mva=float(base_mva),
        buses=buses,
        branches=branches,
        units=units,
        source=str(source),
        interfaces=interfaces,
        contingencies=contingencies,
    )
    if own is None and "slack" not in intake.columns["buses"]:
        tables = with_slack(tables, intake)
    return Imported(tables, tuple(intake.notes))


def _collection(content: bytes) -> dict[str, Any]:
    if content.count(b"{") + content.count(b"[") > _MOST_BRACKETS:
        raise FileFormatError(f"the JSON has more than {_MOST_BRACKETS:,} objects and lists")
    try:
        collection = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the file is not JSON in UTF-8: {str(error)[:200]}") from error
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise FileFormatError("the JSON is not a GeoJSON FeatureCollection")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise FileFormatError("the GeoJSON has no features")
    if len(features) > 3 * MOST_ROWS:
        raise FileFormatError(f"the GeoJSON has {len(features):,} features; {3 * MOST_ROWS:,} is the most")
    wrong = [at for at, feature in enumerate(features) if not _is_feature(feature)]
    if wrong:
        shown = ", ".join(str(at + 1) for at in wrong[:10])
        raise FileFormatError(f"{len(wrong)} of the features are not GeoJSON features: number {shown}")
    return collection


def _is_feature(feature: object) -> bool:
    return (
        isinstance(feature, dict)
        and isinstance(feature.get("properties") or {}, dict)
        and isinstance(feature.get("geometry") or {}, dict)
    )


def _frame(features: list[dict[str, Any]], crs: object) -> geopandas.GeoDataFrame:
    """Return the points and lines of the features, in longitude and latitude; other geometry is none."""
    bare = [_bare(feature) for feature in features]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    named = properties.get("name") if isinstance(properties, dict) else None
    try:
        frame = geopandas.GeoDataFrame.from_features(bare, crs=str(named or _WGS84))
        return frame if named is None or "CRS84" in str(named) else frame.to_crs(_WGS84)
    except CRSError as error:
        raise FileFormatError(f"the coordinate system {str(named)[:80]!r} is not known") from error
    except _UNREADABLE as error:
        raise FileFormatError(_unreadable(bare) or f"the geometry cannot be read: {str(error)[:200]}") from error


def _bare(feature: dict[str, Any]) -> dict[str, Any]:
    geometry = feature.get("geometry") if _kind(feature) in _GEOMETRY else None
    return {"type": "Feature", "properties": {}, "geometry": geometry}


def _unreadable(features: list[dict[str, Any]]) -> list[Problem]:
    """Return a problem for each feature whose coordinates are not those of its geometry."""
    found: list[Problem] = []
    for at, feature in enumerate(features):
        if len(found) < MOST_PROBLEMS and feature["geometry"] is not None:
            try:
                shape(feature["geometry"])
            except _UNREADABLE as error:
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                text = f"feature {at + 1}: the coordinates of its {_kind(feature)} cannot be read ({reason})"
                found.append(Problem("geometry", "error", text))
    return found


def _kind(feature: dict[str, Any]) -> str:
    return str((feature.get("geometry") or {}).get("type") or "")


def _groups(features: list[dict[str, Any]], intake: Intake) -> dict[TableName, list[int]]:
    groups: dict[TableName, list[int]] = {name: [] for name in COLUMNS}
    for at, feature in enumerate(features):
        kind = _kind(feature)
        table = (feature.get("properties") or {}).get(_TABLE, _GEOMETRY.get(kind))
        if isinstance(table, str) and table in groups:
            groups[table].append(at)
        else:
            what = f"a {kind[:40]}" if kind else "without geometry"
            intake.wrong("feature", f"feature {at + 1} is {what}: points are buses, lines are branches")
    return groups


def _properties(features: list[dict[str, Any]], rows: list[int]) -> dict[str, list[Any]]:
    records = [features[at].get("properties") or {} for at in rows]
    keys = dict.fromkeys(key for record in records for key in record if key != _TABLE)
    if len(keys) * len(records) > _MOST_CELLS:
        raise FileFormatError(f"{len(records):,} features have {len(keys):,} different properties: too many to read")
    return {key: [record.get(key) for record in records] for key in keys}


def _cells(
    table: TableName,
    features: list[dict[str, Any]],
    rows: list[int],
    intake: Intake,
    more: Mapping[str, list[Any]] = _NO_COLUMNS,
) -> pd.DataFrame:
    if not rows:
        return table_of(table)
    columns = _properties(features, rows) | dict(more)
    return intake.table(table, columns, [f"feature {at + 1}" for at in rows])


def _buses(
    features: list[dict[str, Any]], frame: geopandas.GeoDataFrame, rows: list[int], intake: Intake
) -> pd.DataFrame:
    given = _properties(features, rows)
    points = frame.geometry.iloc[rows]
    here = (points.geom_type == "Point").to_numpy() & ~points.is_empty.to_numpy() if rows else np.zeros(0, dtype=bool)
    places: dict[str, list[Any]] = {}
    for column, axis in (("longitude", "x"), ("latitude", "y")):
        own = given.get(column, [None] * len(rows))
        found = [
            getattr(point, axis) if there and cell is None else cell
            for point, there, cell in zip(points, here, own, strict=True)
        ]
        places[column] = found
    return _cells("buses", features, rows, intake, places)


def _branches(
    features: list[dict[str, Any]], frame: geopandas.GeoDataFrame, rows: list[int], buses: pd.DataFrame, intake: Intake
) -> pd.DataFrame:
    given = _properties(features, rows)
    names = {key.lower(): key for key in given}
    ends: dict[str, list[Any]] = {}
    for column in ("from_bus", "to_bus"):
        synonyms = [column, *(name for name, own in SYNONYMS["branches"].items() if own == column)]
        key = next((names[name] for name in synonyms if name in names), column)
        ends[column] = given.get(key, [None] * len(rows))
    missing = [at for at in range(len(rows)) if any(ends[column][at] in (None, "") for column in ends)]
    if missing and len(buses):
        _snap(frame.geometry.iloc[rows], missing, ends, buses, intake)
    if bent := int((frame.geometry.iloc[rows].count_coordinates() > 2).sum()):
        message = f"{bent} lines have points between their ends: the way they take is not kept"
        intake.note("routes", message, "branches")
    return _cells("branches", features, rows, intake, ends)


def _snap(
    lines: geopandas.GeoSeries, missing: list[int], ends: dict[str, list[Any]], buses: pd.DataFrame, intake: Intake
) -> None:
    """Put the nearest bus at each end of the lines that name none; report those that end far from any."""
    places = buses[["longitude", "latitude"]].to_numpy(dtype=np.float64)
    located = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not len(located):
        return
    tree, ids = cKDTree(places[located]), buses["bus"].tolist()
    corners, line = get_coordinates(lines.iloc[missing].array, return_index=True)
    has, first = np.unique(line, return_index=True)  # lines without corners have no place here
    last = np.append(first[1:], len(line)) - 1
    largest = 0.0
    for column, corner in (("from_bus", first), ("to_bus", last)):
        known = np.isfinite(corners[corner]).all(axis=1)
        found = tree.query(corners[corner][known])
        distances, nearest = np.asarray(found[0]).tolist(), np.asarray(found[1]).tolist()
        for at, distance, bus in zip(has[known].tolist(), distances, nearest, strict=True):
            if ends[column][missing[at]] in (None, ""):
                ends[column][missing[at]] = ids[located[bus]]
                largest = max(largest, distance)
    message = f"{len(missing)} branches took the buses nearest to their ends, at most {largest:.4f} degrees away"
    intake.note("snapped", message, "branches", "warning" if largest > _SNAP_DEG else "note")


def write_geojson(tables: NetworkTables) -> bytes:
    """Return ``tables`` as GeoJSON; a bus without coordinates, a branch at such a bus and a unit have no geometry.

    A property that holds its column's default is left out; ``inf`` and ``nan`` are text.
    """
    places = {
        bus: [longitude, latitude]
        for bus, longitude, latitude in tables.buses[["bus", "longitude", "latitude"]].itertuples(index=False)
        if math.isfinite(longitude) and math.isfinite(latitude)
    }
    features = []
    for name, columns in COLUMNS.items():
        table = tables.table(name)
        for cells in zip(*(table[column.name].tolist() for column in columns), strict=True):
            row = dict(zip((column.name for column in columns), cells, strict=True))
            features.append(_feature(name, columns, row, places))
    content = {
        "type": "FeatureCollection",
        "headroom": {"name": tables.name, "base_mva": tables.base_mva, "source": tables.source},
        "features": features,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _feature(
    name: TableName, columns: tuple[Column, ...], row: dict[str, Any], places: Mapping[str, list[float]]
) -> dict[str, Any]:
    geometry = None
    if name == "buses" and row["bus"] in places:
        geometry = {"type": "Point", "coordinates": places[row["bus"]]}
    elif name == "branches" and row["from_bus"] in places and row["to_bus"] in places:
        geometry = {"type": "LineString", "coordinates": [places[row["from_bus"]], places[row["to_bus"]]]}
    carried = {"longitude", "latitude"} if name == "buses" and geometry else set()
    properties: dict[str, Any] = {_TABLE: name}
    for column in columns:
        cell = row[column.name]
        default = cell == column.default or (_is_nan(cell) and _is_nan(column.default))
        if column.name in carried or (default and column.name != "reactance_pu"):
            continue
        properties[column.name] = _plain(cell)
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _is_nan(cell: Any) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _plain(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return "nan" if math.isnan(cell) else ("inf" if cell > 0 else "-inf")
    return cell
