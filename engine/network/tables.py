"""A network as tables: the form that people read, edit, paste, import and export.

Buses, branches and units make the network; interfaces (limits on weighted sums of branch flows) and
contingencies (branches lost together) are lists that refer to its branches. One list of columns per table
serves the readers, the writers, the checks, the editor and the screen. A cell that is not given holds the
column's default. Text is ``str``, a number is ``float64`` (``inf`` for no limit, ``nan`` for not known), a flag
is ``bool``.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from engine.errors import FileFormatError

Kind = Literal["text", "number", "flag"]
Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a network table, in the words and the unit that a user sees."""

    name: str
    kind: Kind
    default: Value
    label: str
    unit: str = ""
    help: str = ""


MOST_ROWS = 250_000  # of a table; the largest public case has 104,192 branches
_INF, _NAN = math.inf, math.nan
_SPECIAL = {"inf": _INF, "-inf": -_INF, "nan": _NAN}  # numbers that JSON cannot write

BUS_COLUMNS = (
    Column("bus", "text", "", "Bus", help="Identifier, unique in the network"),
    Column("name", "text", "", "Name", help="Substation or place"),
    Column("base_kv", "number", 0.0, "Base", "kV", "Nominal voltage; 0 when not known"),
    Column("zone", "text", "", "Zone"),
    Column("area", "text", "", "Area", help="Load area, used by area-wide load series"),
    Column("slack", "flag", False, "Slack", help="The reference bus; exactly one"),
    Column("in_service", "flag", True, "In service"),
    Column("load_mw", "number", 0.0, "Load", "MW"),
    Column("load_mvar", "number", 0.0, "Reactive load", "Mvar"),
    Column("shunt_mw", "number", 0.0, "Shunt", "MW", "Conductance, as MW drawn at 1 pu voltage"),
    Column("shunt_mvar", "number", 0.0, "Shunt reactive", "Mvar"),
    Column("withdrawal_limit_mw", "number", _INF, "Withdrawal limit", "MW", "Most net demand; empty: none"),
    Column("voltage_pu", "number", 1.0, "Voltage", "pu"),
    Column("angle_deg", "number", 0.0, "Angle", "deg"),
    Column("v_min_pu", "number", 0.9, "Lowest voltage", "pu"),
    Column("v_max_pu", "number", 1.1, "Highest voltage", "pu"),
    Column("longitude", "number", _NAN, "Longitude", "deg"),
    Column("latitude", "number", _NAN, "Latitude", "deg"),
    Column("x", "number", _NAN, "Canvas x", help="Position on the drawing canvas; empty: laid out for you"),
    Column("y", "number", _NAN, "Canvas y"),
)

BRANCH_COLUMNS = (
    Column("branch", "text", "", "Branch", help="Identifier, unique in the network"),
    Column("from_bus", "text", "", "From bus"),
    Column("to_bus", "text", "", "To bus"),
    Column("circuit", "text", "1", "Circuit", help="Tells parallel branches apart"),
    Column("kind", "text", "line", "Kind", help="line or transformer"),
    Column("resistance_pu", "number", 0.0, "Resistance", "pu"),
    Column("reactance_pu", "number", 0.1, "Reactance", "pu"),
    Column("charging_pu", "number", 0.0, "Charging", "pu"),
    Column("rating_a_mw", "number", _INF, "Rating A", "MW", "Normal rating; empty: unlimited"),
    Column("rating_b_mw", "number", _NAN, "Rating B", "MW", "Short-term; empty: same as A"),
    Column("rating_c_mw", "number", _NAN, "Rating C", "MW", "Emergency; empty: same as A"),
    Column("tap_ratio", "number", 1.0, "Tap ratio"),
    Column("shift_deg", "number", 0.0, "Phase shift", "deg"),
    Column("angle_min_deg", "number", -_INF, "Least angle", "deg", "Lower limit on the angle difference"),
    Column("angle_max_deg", "number", _INF, "Largest angle", "deg", "Upper limit on the angle difference"),
    Column("in_service", "flag", True, "In service"),
)

UNIT_COLUMNS = (
    Column("unit", "text", "", "Unit", help="Identifier, unique in the network"),
    Column("bus", "text", "", "Bus"),
    Column("fuel", "text", "", "Fuel", help="wind, solar, hydro, ng, coal, nuclear, ..."),
    Column("technology", "text", "", "Technology", help="MATPOWER gentype, such as ST, GT, WT, PV"),
    Column("in_service", "flag", True, "In service"),
    Column("p_mw", "number", 0.0, "Output", "MW", "Dispatch as filed"),
    Column("p_min_mw", "number", 0.0, "Least output", "MW"),
    Column("p_max_mw", "number", 0.0, "Largest output", "MW"),
    Column("q_mvar", "number", 0.0, "Reactive output", "Mvar"),
    Column("q_min_mvar", "number", 0.0, "Least reactive", "Mvar"),
    Column("q_max_mvar", "number", 0.0, "Largest reactive", "Mvar"),
    Column("voltage_pu", "number", 1.0, "Voltage set point", "pu"),
    Column("ramp_30_min_mw", "number", _INF, "Ramp in 30 min", "MW", "Empty: no limit"),
    Column("cost_c0_per_h", "number", 0.0, "Cost c0", "$/h"),
    Column("cost_c1_per_mwh", "number", 0.0, "Cost c1", "$/MWh"),
    Column("cost_c2_per_mw2h", "number", 0.0, "Cost c2", "$/MW2h"),
    Column("cost_points", "text", "", "Cost points", help="Piecewise cost as MW:$/h pairs; empty: polynomial"),
    Column("startup_cost", "number", 0.0, "Start-up cost", "$"),
    Column("shutdown_cost", "number", 0.0, "Shut-down cost", "$"),
)

INTERFACE_COLUMNS = (
    Column("interface", "text", "", "Interface", help="Identifier, unique in the network"),
    Column("name", "text", "", "Name"),
    Column("terms", "text", "", "Terms", help="Branch:weight pairs, such as 1-2:1 3-4:-0.5; weight 1 when left out"),
    Column("limit_mw", "number", _INF, "Limit", "MW", "Largest weighted sum of flows; empty: none"),
    Column("limit_backward_mw", "number", _NAN, "Limit backward", "MW", "The other way; empty: same as the limit"),
    Column("in_service", "flag", True, "In service"),
)

CONTINGENCY_COLUMNS = (
    Column("contingency", "text", "", "Contingency", help="Identifier, unique in the network"),
    Column("branches", "text", "", "Branches lost", help="Branches lost together, such as 1-2 3-4"),
    Column("in_service", "flag", True, "In service", help="Counts in the list of outages"),
    Column("note", "text", "", "Note"),
)

TableName = Literal["buses", "branches", "units", "interfaces", "contingencies"]
COLUMNS: Mapping[TableName, tuple[Column, ...]] = {
    "buses": BUS_COLUMNS,
    "branches": BRANCH_COLUMNS,
    "units": UNIT_COLUMNS,
    "interfaces": INTERFACE_COLUMNS,
    "contingencies": CONTINGENCY_COLUMNS,
}
KEYS: Mapping[TableName, str] = {
    "buses": "bus",
    "branches": "branch",
    "units": "unit",
    "interfaces": "interface",
    "contingencies": "contingency",
}
SINGULAR = KEYS  # one row of a table is called as its key
LISTS: tuple[TableName, ...] = ("interfaces", "contingencies")  # what refers to branches; most networks have none
_DTYPES = {"text": object, "number": np.float64, "flag": np.bool_}


def table_of(name: TableName, rows: Iterable[Mapping[str, Any]] | pd.DataFrame = ()) -> pd.DataFrame:
    """Return ``rows`` as the table ``name``: its columns, in order, typed, defaults where a cell is missing.

    ``rows`` hold typed values (text, numbers, booleans); a cell that is ``None`` is missing. Columns that
    the table does not have are left out. Raises ValueError or TypeError on a cell of the wrong type:
    readers convert and report before they call this.
    """
    given: Mapping[str, list[Any]]
    if isinstance(rows, pd.DataFrame):
        given, count = {str(name): rows[name].tolist() for name in rows.columns}, len(rows)
    else:  # not by way of a DataFrame, which would turn a missing flag into nan, and nan into True
        records = list(rows)
        keys = {key for record in records for key in record}
        given, count = {key: [record.get(key) for record in records] for key in keys}, len(records)
    table: dict[str, pd.Series] = {}
    for column in COLUMNS[name]:
        cells = given.get(column.name)
        if cells is None:
            table[column.name] = pd.Series(column.default, index=range(count), dtype=_DTYPES[column.kind])
            continue
        filled = [column.default if cell is None else cell for cell in cells]
        if column.kind == "text":
            filled = [str(cell) for cell in filled]
        elif column.kind == "flag" and any(isinstance(cell, float) and math.isnan(cell) for cell in filled):
            raise ValueError(f"column {column.name!r} holds a cell that is neither true nor false")
        table[column.name] = _series(filled, column)
    return pd.DataFrame(table)


def _series(cells: list[Any], column: Column) -> pd.Series:
    series = pd.Series(cells, dtype=_DTYPES[column.kind])
    return series + 0.0 if column.kind == "number" else series  # minus zero is zero


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTables:
    """A network as its tables, complete or half drawn. Treated as immutable: edits make new tables."""

    name: str = "Untitled"
    base_mva: float = 100.0
    buses: pd.DataFrame = field(default_factory=lambda: table_of("buses"))
    branches: pd.DataFrame = field(default_factory=lambda: table_of("branches"))
    units: pd.DataFrame = field(default_factory=lambda: table_of("units"))
    source: str = ""  # where the data are from, their licence and date, in a sentence
    interfaces: pd.DataFrame = field(default_factory=lambda: table_of("interfaces"))
    contingencies: pd.DataFrame = field(default_factory=lambda: table_of("contingencies"))

    def table(self, name: TableName) -> pd.DataFrame:
        """Return the table of that name."""
        tables: dict[TableName, pd.DataFrame] = {
            "buses": self.buses,
            "branches": self.branches,
            "units": self.units,
            "interfaces": self.interfaces,
            "contingencies": self.contingencies,
        }
        return tables[name]

    def with_table(self, name: TableName, table: pd.DataFrame) -> Self:
        """Return these tables with one of them replaced."""
        if name == "buses":
            return replace(self, buses=table)
        if name == "branches":
            return replace(self, branches=table)
        if name == "units":
            return replace(self, units=table)
        if name == "interfaces":
            return replace(self, interfaces=table)
        return replace(self, contingencies=table)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical text of the network: equal tables, equal digest."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()


def canonical_json(tables: NetworkTables) -> str:
    """Return the one JSON text of ``tables``, column by column, with ``inf`` and ``nan`` as text.

    An empty list of interfaces or contingencies is left out, as in the texts of before there were any.
    """
    content: dict[str, Any] = {
        "format": "headroom-network",
        "version": 1,
        "name": tables.name,
        "base_mva": tables.base_mva,
        "source": tables.source,
    }
    for name, columns in COLUMNS.items():
        table = tables.table(name)
        if name in LISTS and not len(table):
            continue
        content[name] = {column.name: _to_json(column, table[column.name]) for column in columns}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _to_json(column: Column, cells: pd.Series) -> list[Value]:
    values: list[Value] = cells.tolist()
    if column.kind != "number" or np.isfinite(cells.to_numpy(dtype=np.float64)).all():
        return values
    return [cell if math.isfinite(cell) else str(cell) for cell in cells.tolist()]


def from_canonical_json(text: str) -> NetworkTables:
    """Return the tables that :func:`canonical_json` wrote; a column that is missing holds its default.

    Raises FileFormatError naming the table and the column of what is not as that function writes it.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the network is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != "headroom-network":
        raise FileFormatError("the JSON is not a Headroom network: it has no format 'headroom-network'")
    if content.get("version") != 1:
        raise FileFormatError(f"the network has format version {content.get('version')!r}; this reader knows 1")
    name, base_mva, source = content.get("name", ""), content.get("base_mva", 100.0), content.get("source", "")
    if not isinstance(name, str) or not isinstance(source, str):
        raise FileFormatError("the name and the source of a network must be text")
    if not _is_number(base_mva) or not math.isfinite(base_mva):
        raise FileFormatError(f"base_mva must be a number, found {base_mva!r}")
    tables: dict[str, Any] = {table: _table_from_json(table, content.get(table, {})) for table in COLUMNS}
    return NetworkTables(name=name, base_mva=float(base_mva), source=source, **tables)


def _table_from_json(name: TableName, given: object) -> pd.DataFrame:
    if not isinstance(given, dict) or not all(isinstance(cells, list) for cells in given.values()):
        raise FileFormatError(f"table {name!r} must hold one list per column")
    rows = {len(cells) for cells in given.values()}
    if len(rows) > 1:
        raise FileFormatError(f"the columns of table {name!r} have different lengths: {sorted(rows)}")
    if max(rows, default=0) > MOST_ROWS:
        raise FileFormatError(f"{name}: {max(rows):,} rows; {MOST_ROWS:,} is the most")
    table: dict[str, pd.Series] = {}
    for column in COLUMNS[name]:
        cells = given.get(column.name, [column.default] * next(iter(rows), 0))
        where = f"table {name!r}, column {column.name!r}"
        table[column.name] = _series(_column_from_json(column, cells, where), column)
    return pd.DataFrame(table)


def _column_from_json(column: Column, cells: list[Any], where: str) -> list[Any]:
    if column.kind == "number":
        cells = [_SPECIAL.get(cell, cell) if isinstance(cell, str) else cell for cell in cells]
        fits = _is_number
    else:
        expected = str if column.kind == "text" else bool
        fits = lambda cell: isinstance(cell, expected)  # noqa: E731
    for row, cell in enumerate(cells):
        if not fits(cell):
            raise FileFormatError(f"{where}, row {row + 1}: {cell!r} is not a {column.kind}")
    return cells


def _is_number(cell: object) -> bool:
    return isinstance(cell, float) or (isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) < 2**63)


def cost_points(text: str) -> tuple[tuple[float, float], ...]:
    """Return the (MW, $/h) pairs of a ``cost_points`` cell such as ``"0:0 50:900 100:2100"``.

    Raises ValueError when a pair is not two finite numbers, or the MW do not rise.
    """
    points = []
    for pair in text.split():
        power, _, cost = pair.partition(":")
        points.append((float(power), float(cost)))
    powers = [power for power, _ in points]
    if any(later <= earlier for earlier, later in pairwise(powers)):
        raise ValueError(f"the MW of cost points must rise, found {text!r}")
    if not all(math.isfinite(value) for point in points for value in point):
        raise ValueError(f"cost points must be finite, found {text!r}")
    if len(points) == 1:
        raise ValueError(f"cost points need two pairs or more, found {text!r}")
    return tuple(points)
