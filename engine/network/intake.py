"""From the rows of a foreign file to typed network tables: column names, cells, identifiers, and their limits.

Shared by the CSV and the GeoJSON reader; the last step, :func:`structural_problems`, by every reader.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import Problem, Severity
from engine.network.cells import LONGEST_ID, longest_text
from engine.network.matpower import branch_ids, circuit_numbers, unit_ids
from engine.network.tables import COLUMNS, KEYS, MOST_ROWS, Column, Kind, NetworkTables, TableName, table_of

MOST_PROBLEMS = 200

# Other names that a column may have in a file; case, spaces, dots, dashes and brackets do not matter.
SYNONYMS: Mapping[TableName, Mapping[str, str]] = {
    "buses": {
        "bus_id": "bus", "bus_i": "bus", "id": "bus", "node": "bus", "number": "bus", "bus_number": "bus",
        "bus_name": "name", "substation": "name", "station": "name",
        "kv": "base_kv", "basekv": "base_kv", "v_nom": "base_kv", "voltage_kv": "base_kv", "nominal_kv": "base_kv",
        "pd": "load_mw", "p_mw": "load_mw", "demand_mw": "load_mw", "load": "load_mw", "demand": "load_mw",
        "qd": "load_mvar", "q_mvar": "load_mvar", "demand_mvar": "load_mvar",
        "gs": "shunt_mw", "bs": "shunt_mvar", "vm": "voltage_pu", "va": "angle_deg",
        "vmin": "v_min_pu", "v_min": "v_min_pu", "vmax": "v_max_pu", "v_max": "v_max_pu",
        "lon": "longitude", "lng": "longitude", "long": "longitude", "lat": "latitude",
        "weather_zone": "zone", "load_area": "area", "reference": "slack", "ref": "slack", "is_slack": "slack",
        "status": "in_service", "withdrawal_limit": "withdrawal_limit_mw",
    },
    "branches": {
        "branch_id": "branch", "id": "branch", "line": "branch", "line_id": "branch", "name": "branch",
        "from": "from_bus", "fbus": "from_bus", "f_bus": "from_bus", "from_bus_id": "from_bus", "bus0": "from_bus",
        "to": "to_bus", "tbus": "to_bus", "t_bus": "to_bus", "to_bus_id": "to_bus", "bus1": "to_bus",
        "ckt": "circuit", "type": "kind", "r": "resistance_pu", "r_pu": "resistance_pu",
        "x": "reactance_pu", "x_pu": "reactance_pu", "reactance": "reactance_pu",
        "b": "charging_pu", "b_pu": "charging_pu",
        "rate_a": "rating_a_mw", "ratea": "rating_a_mw", "rating": "rating_a_mw", "rating_mw": "rating_a_mw",
        "rating_a": "rating_a_mw", "limit_mw": "rating_a_mw", "s_nom": "rating_a_mw", "rate_mva": "rating_a_mw",
        "rating_mva": "rating_a_mw", "rate_a_mva": "rating_a_mw",
        "rate_b": "rating_b_mw", "rateb": "rating_b_mw", "rating_b": "rating_b_mw",
        "rate_c": "rating_c_mw", "ratec": "rating_c_mw", "rating_c": "rating_c_mw",
        "tap": "tap_ratio", "ratio": "tap_ratio", "shift": "shift_deg", "angle": "shift_deg",
        "angmin": "angle_min_deg", "angmax": "angle_max_deg", "status": "in_service", "br_status": "in_service",
    },
    "units": {
        "unit_id": "unit", "id": "unit", "generator": "unit", "gen": "unit", "name": "unit", "plant_id": "unit",
        "bus_id": "bus", "gen_bus": "bus", "node": "bus", "type": "fuel", "genfuel": "fuel", "gentype": "technology",
        "pg": "p_mw", "pmin": "p_min_mw", "p_min": "p_min_mw", "pmax": "p_max_mw", "p_max": "p_max_mw",
        "p_nom": "p_max_mw", "capacity_mw": "p_max_mw", "qg": "q_mvar", "qmin": "q_min_mvar", "qmax": "q_max_mvar",
        "vg": "voltage_pu", "ramp_30": "ramp_30_min_mw", "c0": "cost_c0_per_h", "c1": "cost_c1_per_mwh",
        "marginal_cost": "cost_c1_per_mwh", "c2": "cost_c2_per_mw2h", "startup": "startup_cost",
        "shutdown": "shutdown_cost", "status": "in_service", "gen_status": "in_service",
    },
    "interfaces": {
        "id": "interface", "interface_id": "interface", "flowgate": "interface", "corridor": "interface",
        "limit": "limit_mw", "forward_mw": "limit_mw", "limit_forward_mw": "limit_mw",
        "backward_mw": "limit_backward_mw", "limit_backward": "limit_backward_mw", "branches": "terms",
        "status": "in_service",
    },
    "contingencies": {
        "id": "contingency", "contingency_id": "contingency", "outage": "contingency", "name": "contingency",
        "lost": "branches", "branches_lost": "branches", "elements": "branches", "status": "in_service",
        "comment": "note",
    },
}  # fmt: skip
_REQUIRED: Mapping[TableName, tuple[str, ...]] = {
    "buses": ("bus",),
    "branches": ("from_bus", "to_bus"),
    "units": ("bus",),
    "interfaces": ("interface", "terms"),
    "contingencies": ("contingency", "branches"),
}

_LARGEST_LABEL = 10**LONGEST_ID  # of a number that stands for an identifier
_SEPARATORS = re.compile(r"[\s.,\-/()\[\]_]+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)  # in linear time
_BLANKS = str.maketrans("", "", " \u00a0\u2009\u202f'")
_SPECIAL = {
    "inf": math.inf, "+inf": math.inf, "infinity": math.inf, "∞": math.inf, "unlimited": math.inf,
    "-inf": -math.inf, "nan": math.nan, "n/a": math.nan, "na": math.nan,
}  # fmt: skip
_TRUE = {"true", "1", "1.0", "yes", "y", "x", "on", "wahr", "vrai"}
_FALSE = {"false", "0", "0.0", "no", "n", "off", "falsch", "faux"}


@dataclass(slots=True)
class Intake:
    """What was read so far of one file, and every problem on the way."""

    spreadsheet: bool = False  # cells that start with "=" are formulas, an apostrophe disarms them
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    columns: dict[TableName, set[str]] = field(default_factory=dict)  # those that the file has, by table

    def wrong(self, code: str, message: str, table: str = "", row: int | None = None, column: str = "") -> None:
        """Add an error; past MOST_PROBLEMS they are no longer kept."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(code, "error", message, table, row, column))

    def note(self, code: str, message: str, table: str = "", severity: Severity = "note") -> None:
        """Add a remark on what was understood."""
        self.notes.append(Problem(code, severity, message, table))

    def table(
        self, name: TableName, columns: Mapping[str, Sequence[Any]], places: Sequence[str], mark: str = "."
    ) -> pd.DataFrame:
        """Return the table of ``columns`` (header -> cells); ``places`` say where each row stands in the file."""
        matched = self._match(name, list(columns))
        self.columns[name] = set(matched.values())
        if missing := [column for column in _REQUIRED[name] if column not in matched.values()]:
            self.wrong("missing-column", f"{name}: there is no column {' and no column '.join(missing)}", name)
            return table_of(name)
        by_name = {column.name: column for column in COLUMNS[name]}
        typed: dict[str, list[Any]] = {}
        for header, column_name in matched.items():
            column = by_name[column_name]
            typed[column_name] = self._typed(name, column, columns[header], places, mark)
        for column_name in _REQUIRED[name]:
            for row, cell in enumerate(typed[column_name]):
                if not cell:
                    self.wrong("missing-id", f"{places[row]}: {column_name} is empty", name, row, column_name)
        if name == "branches" and "reactance_pu" not in typed:
            self.note("no-reactance", "branches have no reactance: each has 0.1 pu", "branches", "warning")
        _name_rows(name, typed, len(places))
        return table_of(name, pd.DataFrame(typed))

    def _match(self, name: TableName, headers: Sequence[str]) -> dict[str, str]:
        own = {_plain(column.name): column.name for column in COLUMNS[name]}
        other = {_plain(f"{column.label} {column.unit}"): column.name for column in COLUMNS[name]}  # as on the screen
        other |= {_plain(column.label): column.name for column in COLUMNS[name]}
        other |= {_plain(key): column for key, column in SYNONYMS[name].items()}
        matched: dict[str, str] = {}
        # A column under its own name wins over one that is only like it: "id" beside "bus".
        for names in (own, other):
            for header in headers:
                column = names.get(_plain(header))
                if column and header not in matched and column not in matched.values():
                    matched[header] = column
                elif column and names is own:
                    self.wrong("two-columns", f"{name}: two columns are {column}", name)
        if unused := [header for header in headers if header not in matched and header.strip()]:
            self.note("unused-columns", f"{name}: columns not used: {', '.join(unused)[:300]}", name)
        return matched

    def _typed(
        self, table: TableName, column: Column, cells: Sequence[Any], places: Sequence[str], mark: str
    ) -> list[Any]:
        typed: list[Any] = []
        for row, raw in enumerate(cells):
            value: Any = column.default
            if isinstance(raw, str) and (quick := _quick(column.kind, raw, mark)) is not None:
                typed.append(column.default if quick == "" else quick)
                continue
            try:
                value = read_value(column, _disarmed(raw) if self.spreadsheet else raw, mark)
            except ValueError as error:
                self.wrong("cell", f"{places[row]}, {column.name}: {error}", table, row, column.name)
            typed.append(value)
        return typed


def _quick(kind: Kind, raw: str, mark: str) -> str | float | None:
    """Return the value of the kind of cell that most cells are, None for any other: the same, in less time."""
    if raw == "":
        return ""
    if kind == "number":
        return float(raw) if mark == "." and _NUMBER.fullmatch(raw) else None
    if kind == "text" and (text := raw.strip())[:1] not in {"=", "'"}:
        return text
    return None


def read_value(column: Column, raw: object, mark: str = ".") -> str | float | bool:
    """Return a cell of a file as its column's type; an empty cell is the default. Raises ValueError with the reason."""
    if raw is None:
        return column.default
    text = raw.strip() if isinstance(raw, str) else raw
    if text == "":
        return column.default
    if column.kind == "number":
        return _number(text, mark)
    if column.kind == "flag":
        return _flag(text)
    if isinstance(text, str):
        return text
    if isinstance(text, bool) or not isinstance(text, int | float):
        raise ValueError(f"{str(text)[:40]!r} is not text")  # noqa: TRY004 - one type for every bad cell
    if not abs(text) < _LARGEST_LABEL:
        raise ValueError("a number of that size is not text")
    return str(int(text)) if float(text).is_integer() else repr(text)


def _disarmed(raw: object) -> object:
    """Return a cell without the apostrophe that stops a spreadsheet from running it; ValueError for a formula."""
    if not isinstance(raw, str):
        return raw
    text = raw.strip()
    if text.startswith("="):
        raise ValueError(f"{text[:40]!r} is a formula; save the file with values")
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@", "'"} else raw


def _number(cell: object, mark: str) -> float:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise ValueError(f"{str(cell)[:40]!r} is not a number")  # noqa: TRY004 - one type for every bad cell
    if not isinstance(cell, str):
        try:
            return float(cell)
        except OverflowError:
            raise ValueError("the number is too large") from None
    text = cell.translate(_BLANKS).replace("\u2212", "-")
    if (special := _SPECIAL.get(text.lower())) is not None:
        return special
    other = "," if mark == "." else "."
    if other in text:
        raise ValueError(f"{cell[:40]!r} has a {other!r}; this file's decimal sign is {mark!r}, without separators")
    plain = text.replace(mark, ".")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"{cell[:40]!r} is not a number")
    return float(plain)


def _flag(cell: object) -> bool:
    if isinstance(cell, bool):
        return cell
    text = str(cell).lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"{str(cell)[:40]!r} is neither true nor false")


def _plain(header: str) -> str:
    return _SEPARATORS.sub("", header.strip().lower())


def _name_rows(name: TableName, typed: dict[str, list[Any]], rows: int) -> None:
    """Give circuits, branches and units without a name the names that imported cases have."""
    key = KEYS[name]
    if name not in ("branches", "units"):
        return
    if name == "branches":
        circuits = circuit_numbers(typed["from_bus"], typed["to_bus"])
        typed.setdefault("circuit", circuits)
        made = branch_ids(typed["from_bus"], typed["to_bus"], circuits)
    else:
        made = unit_ids(typed["bus"])
    given = typed.get(key, [""] * rows)
    taken = {cell for cell in given if cell}
    names = []
    for own, candidate in zip(given, made, strict=True):
        fresh, again = own or candidate, 2
        while not own and fresh in taken:
            fresh, again = f"{candidate}~{again}", again + 1
        taken.add(fresh)
        names.append(fresh)
    typed[key] = names


def with_slack(tables: NetworkTables, intake: Intake) -> NetworkTables:
    """Return the tables with a slack bus if none is marked, noted: where the most can be generated, else the first."""
    buses, units = tables.buses, tables.units
    if not len(buses) or buses["slack"].any():
        return tables
    on = buses["in_service"].to_numpy(dtype=np.bool_)
    at = int(np.argmax(on))
    running = units[units["in_service"] & units["bus"].isin(buses["bus"][on])]
    if len(running):
        largest = running.groupby("bus", sort=False)["p_max_mw"].sum().idxmax()
        at = int(np.flatnonzero((buses["bus"] == largest).to_numpy())[0])
    slack = np.arange(len(buses)) == at
    message = f"no bus was marked as slack: bus {buses['bus'].iloc[at]} was chosen"
    intake.note("slack-chosen", message, "buses", "warning")
    return replace(tables, buses=buses.assign(slack=slack))


def structural_problems(tables: NetworkTables) -> list[Problem]:
    """Return what no network of the product may hold: repeated identifiers, control characters, endless text."""
    intake = Intake()
    if not math.isfinite(tables.base_mva):
        intake.wrong("base-mva", f"the base power is {tables.base_mva} MVA; it must be a number above 0")
    for text in (tables.name, tables.source):
        if reason := _bad_text(text, 2000):
            intake.wrong("text", f"the network's name or source {reason}")
    for name, columns in COLUMNS.items():
        table, key = tables.table(name), KEYS[name]
        if len(table) > MOST_ROWS:
            intake.wrong("too-many-rows", f"{name}: {len(table):,} rows; {MOST_ROWS:,} is the most", name)
            continue
        for column in columns:
            if column.kind == "text":
                _check_texts(intake, name, column, table[column.name].tolist())
        _check_ids(intake, name, key, table[key].tolist())
    return intake.problems


def _check_ids(intake: Intake, name: TableName, key: str, ids: list[str]) -> None:
    first: dict[str, int] = {}
    for row, text in enumerate(ids):
        if not text:
            intake.wrong(f"missing-{key}-id", f"{name}, row {row + 1}: no identifier", name, row, key)
        elif first.setdefault(text, row) != row:
            message = f"{name}, row {row + 1}: {key} {text!r} is the identifier of row {first[text] + 1} already"
            intake.wrong(f"duplicate-{key}", message, name, row, key)


def _check_texts(intake: Intake, name: TableName, column: Column, cells: Sequence[str]) -> None:
    longest = longest_text(name, column.name)
    if "".join(cells).isprintable() and max(map(len, cells), default=0) <= longest:
        return
    for row, text in enumerate(cells):
        if reason := _bad_text(text, longest):
            intake.wrong("text", f"{name}, row {row + 1}, {column.name} {reason}", name, row, column.name)


def _bad_text(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"has {len(text):,} characters; {longest:,} is the most"
    # Most text is ASCII and printable; str.isprintable is False for control characters and lone surrogates.
    return "" if text.isprintable() else "holds characters that cannot be shown"
