"""pandapower networks in: the JSON that pandapower's ``to_json`` writes, as its own ``rundcpp`` computes them.

Only the tables of numbers and texts are read; nothing in the file is executed. Source of the models: the
documentation of pandapower's elements, and its data format of versions 2 and 3.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import FileFormatError, Problem
from engine.network.foreign import (
    LEFT_OUT,
    Row,
    identifiers,
    is_map,
    jumpers,
    keep_one_area,
    named,
    named_after,
    number_circuits,
    put_on_canvas,
)
from engine.network.imported import Imported
from engine.network.intake import Intake, with_slack
from engine.network.matpower import number_text
from engine.network.pandapower_branches import Branches
from engine.network.tables import MOST_ROWS, NetworkTables, from_canonical_json, table_of

LISTS_KEY = "headroom_lists"  # of the net: interfaces and contingencies, which pandapower has no tables for
PLACES_KEY = "headroom_places"  # of the net: "map" where its coordinates are surely longitude and latitude
_FUELS = {"WP": "wind", "PV": "solar", "wind": "wind", "pv": "solar", "solar": "solar"}
_READ = {
    "bus", "load", "sgen", "gen", "ext_grid", "storage", "motor", "shunt", "ward", "xward", "line", "trafo", "trafo3w",
    "impedance", "switch", "dcline", "poly_cost", "pwl_cost", "bus_geodata", "line_geodata", "measurement",
    "controller", "group", "trafo_characteristic_table", "shunt_characteristic_table",
}  # fmt: skip
_IN_SERVICE = "in_service"


def is_pandapower(start: bytes) -> bool:
    """Tell a pandapower file by its first kilobytes."""
    return b'"pandapowerNet"' in start


def read_pandapower(content: bytes, name: str = "") -> Imported:
    """Return the network in a pandapower JSON file as tables, with notes.

    Bus ids are pandapower's indices; branches and units are called by their names where these are unique, else
    "line 3". Buses joined by closed switches become one. Raises FileFormatError listing every problem.
    """
    net = _Net(_object(content), Intake())
    buses = net.buses()
    if not buses:
        raise FileFormatError(net.intake.problems or "the pandapower network has no buses")
    branches = Branches(net, net.bus_of, net.base_mva, net.f_hz).rows(buses)
    net.demand(buses)
    units = net.units()
    if net.intake.problems:
        raise FileFormatError(net.intake.problems)
    ids = identifiers([row.pop("name") for row in branches], [row["branch"] for row in branches])
    for row, own in zip(branches, ids, strict=True):
        row["branch"] = own
    jumpers(branches, net.intake)
    number_circuits(branches)
    net.settle(buses, branches, units)
    net.place(buses, branches)
    net.say_what_is_left_out()
    tables = NetworkTables(
        base_mva=net.base_mva,
        buses=table_of("buses", buses.values()),
        branches=table_of("branches", branches),
        units=table_of("units", units),
    )
    tables = with_slack(named_after(tables, net.text("name") or name, "pandapower network"), net.intake)
    tables = net.with_lists(tables)
    first = Problem("pandapower", "note", f"pandapower network of format {net.text('format_version') or 'unknown'}")
    return Imported(tables, (first, *net.intake.notes))


def _object(content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the file is not JSON in UTF-8: {str(error)[:200]}") from error
    inner = parsed.get("_object") if isinstance(parsed, dict) else None
    if not isinstance(inner, dict) or parsed.get("_class") != "pandapowerNet":
        raise FileFormatError("the JSON is not a pandapower network: it has no object of class pandapowerNet")
    return inner


class _Net:
    """The tables of a pandapower file, read when asked for."""

    def __init__(self, content: dict[str, Any], intake: Intake) -> None:
        self.content, self.intake = content, intake
        self.bus_of: dict[int, str] = {}  # pandapower's bus index -> our bus, the same for fused buses
        self.base_mva, self.f_hz = self._scalar("sn_mva", 1.0), self._scalar("f_hz", 50.0)
        self.references: list[str] = []

    def _scalar(self, name: str, default: float) -> float:
        value = self.content.get(name, default)
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
        if not good:
            self.intake.wrong("scalar", f"{name} is {str(value)[:40]!r}, not a positive number")
        return float(value) if good else default

    def text(self, name: str) -> str:
        """Return a text of the net."""
        value = self.content.get(name)
        return value if isinstance(value, str) else ""

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the elements of a table, in its order."""
        columns, index, data = self._frame(table)
        for at, cells in zip(index, data, strict=False):
            if not isinstance(cells, list) or len(cells) != len(columns):
                self.intake.wrong("frame", f"{table} {at}: its cells do not match the {len(columns)} columns")
                return
            yield Row(f"{table} {at}", at, dict(zip(columns, cells, strict=True)), self.intake)

    def _frame(self, table: str) -> tuple[list[str], list[Any], list[Any]]:
        frame = self.content.get(table)
        nothing: tuple[list[str], list[Any], list[Any]] = ([], [], [])
        if not isinstance(frame, dict) or frame.get("_class") != "DataFrame":
            return nothing
        inner = frame.get("_object")
        try:
            inner = json.loads(inner) if isinstance(inner, str) else inner
        except (ValueError, RecursionError):
            self.intake.wrong("frame", f"the table {table} is not JSON")
            return nothing
        if not isinstance(inner, dict):
            return nothing
        if {"columns", "index", "data"} <= inner.keys():
            columns, index, data = inner["columns"], inner["index"], inner["data"]
        else:  # oriented by columns, as older files are
            columns = list(inner)
            keys = list(inner[columns[0]]) if columns and isinstance(inner[columns[0]], dict) else []
            data = [[inner[c].get(at) if isinstance(inner[c], dict) else None for c in columns] for at in keys]
            index = [int(key) if key.isascii() and key.isdigit() and len(key) < 18 else key for key in keys]
        if not all(isinstance(part, list) for part in (columns, index, data)) or len(index) != len(data):
            self.intake.wrong("frame", f"the table {table} is not of columns, index and data")
            return nothing
        if len(index) > MOST_ROWS:
            self.intake.wrong("too-many-rows", f"{table}: {len(index):,} rows; {MOST_ROWS:,} is the most")
            return nothing
        return [str(column) for column in columns], index, data

    def bus(self, row: Row, column: str = "bus") -> str:
        """Return our bus of an element; empty, and a problem, if there is none."""
        index = row.number(column, math.nan)
        bus = self.bus_of.get(int(index)) if math.isfinite(index) else None
        if bus is None:
            self.intake.wrong("dangling-bus", f"{row.place}: there is no bus {row.text(column) or '(empty)'}")
        return bus or ""

    def buses(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the buses by identifier, those joined by closed switches as one."""
        given: dict[int, Row] = {}
        for row in self.rows("bus"):
            try:
                given[int(row.index)] = row
            except (TypeError, ValueError):
                self.intake.wrong("bus-index", f"{row.place}: its index is not a whole number")
        leader = self._fused(given)
        wanted = [str(row.own("buses").get("bus", "")) for row in given.values()]
        ids = dict(zip(given, identifiers(wanted, [str(at) for at in given]), strict=True))
        self.bus_of = {at: ids[leader[at]] for at in given}
        rows: dict[str, dict[str, Any]] = {}
        for at, row in given.items():
            if leader[at] == at:
                rows[ids[at]] = {
                    "bus": ids[at], "name": row.text("name"), "base_kv": row.number("vn_kv"), "zone": row.text("zone"),
                    "slack": False, "in_service": row.flag(_IN_SERVICE), "v_max_pu": row.number("max_vm_pu", 1.1),
                    "v_min_pu": row.number("min_vm_pu", 0.9), "load_mw": 0.0, "load_mvar": 0.0, "shunt_mw": 0.0,
                    "shunt_mvar": 0.0, **row.own("buses"), "bus_index": at,
                }  # fmt: skip
        return rows

    def _fused(self, given: Mapping[int, Row]) -> dict[int, int]:
        """Return for each bus index the first of those that closed bus-bus switches without impedance join to it."""
        leader = {at: at for at in given}

        def find(at: int) -> int:
            while leader[at] != at:
                leader[at] = leader[leader[at]]
                at = leader[at]
            return at

        on = {at: row.flag(_IN_SERVICE) for at, row in given.items()}
        count = 0
        for row in self.rows("switch"):
            if row.text("et") != "b" or not row.flag("closed") or row.number("z_ohm") > 0:
                continue
            a, b = (int(row.number(column, -1.0)) for column in ("bus", "element"))
            if a not in leader or b not in leader:
                self.intake.wrong("dangling-bus", f"{row.place}: bus {a} or {b} is not there")
            elif on[a] and on[b]:
                first, second = sorted((find(a), find(b)))
                leader[second] = first
                count += 1
        fused = {at: find(at) for at in given}
        if count:
            gone = sum(at != first for at, first in fused.items())
            message = f"buses that closed switches fuse with others: {gone}; each group has the name of its first"
            self.intake.note("fused", message, "buses")
        return fused

    def demand(self, buses: Mapping[str, dict[str, Any]]) -> None:
        """Add loads, motors, wards, shunts and DC lines to their buses."""

        def add(row: Row, column: str, mw: float, mvar: float, what: str = "load") -> None:
            bus = self.bus(row, column)
            if bus and row.flag(_IN_SERVICE):
                buses[bus][f"{what}_mw"] += mw
                buses[bus][f"{what}_mvar"] += mvar

        for row in self.rows("load"):
            scale = row.number("scaling", 1.0)
            add(row, "bus", row.number("p_mw") * scale, row.number("q_mvar") * scale)
        for row in self.rows("motor"):
            scale = row.number("scaling", 1.0) * row.number("loading_percent", 100.0) / 100
            add(
                row, "bus", row.number("pn_mech_mw") / (row.number("efficiency_percent", 100.0) / 100 or 1) * scale, 0.0
            )
        for table in ("ward", "xward"):
            for row in self.rows(table):
                add(row, "bus", row.number("ps_mw"), row.number("qs_mvar"))
                add(row, "bus", row.number("pz_mw"), -row.number("qz_mvar"), "shunt")
        for row in self.rows("shunt"):
            bus, step = self.bus(row), row.number("step", 1.0)
            volts = row.number("vn_kv", buses[bus]["base_kv"] if bus else 1.0)
            factor = step * ((buses[bus]["base_kv"] / volts) ** 2 if bus and volts > 0 else 1.0)
            add(row, "bus", row.number("p_mw") * factor, -row.number("q_mvar") * factor, "shunt")
        lines = []
        for row in self.rows("dcline"):
            power = row.number("p_mw")
            arriving = abs(power) * (1 - row.number("loss_percent") / 100) - row.number("loss_mw")
            drawn, given = (abs(power), arriving) if power > 0 else (-arriving, power)
            add(row, "from_bus", drawn, 0.0)
            add(row, "to_bus", -given, 0.0)
            lines.append(f"{row.text('name') or row.place} ({power:g} MW)")
        if lines:
            message = f"DC lines are fixed injections at their ends, losses included: {named(lines)}"
            self.intake.note("dc-lines", message, "buses", "warning")

    def units(self) -> list[dict[str, Any]]:
        """Return the rows of generators, static generators, storage and external grids."""
        units: list[dict[str, Any]] = []
        names: list[str] = []
        costs = self._costs()
        free = 0
        for table in ("ext_grid", "gen", "sgen", "storage"):
            sign = -1.0 if table == "storage" else 1.0  # storage counts what it draws
            for row in self.rows(table):
                bus, on = self.bus(row), row.flag(_IN_SERVICE)
                power = sign * row.number("p_mw") * row.number("scaling", 1.0)
                limits = [row.number(column, math.nan) for column in ("min_p_mw", "max_p_mw")]
                low, high = limits if sign > 0 else (-limits[1], -limits[0])
                grid = table == "ext_grid"
                free += not grid and (math.isnan(low) or math.isnan(high))
                if on and (grid or (table == "gen" and row.flag("slack", False))):
                    self.references.append(bus)
                names.append(row.text("name"))
                units.append({
                    "unit": row.place, "bus": bus, "in_service": on, "fuel": _FUELS.get(row.text("type"), ""),
                    "p_mw": power, "q_mvar": sign * row.number("q_mvar"), "voltage_pu": row.number("vm_pu", 1.0),
                    "p_min_mw": min(power, 0.0) if math.isnan(low) else low,
                    "p_max_mw": (math.inf if grid else max(power, 0.0)) if math.isnan(high) else high,
                    "q_min_mvar": row.number("min_q_mvar", -math.inf), "q_max_mvar": row.number("max_q_mvar", math.inf),
                    **costs.get((table, row.index), {}), **row.own("units"), "grid": grid,
                })  # fmt: skip
        for unit, own in zip(units, identifiers(names, [unit["unit"] for unit in units]), strict=True):
            unit["unit"] = own
        if free:
            message = f"units without output limits, which have 0 to what they give: {free}"
            self.intake.note("no-limits", message, "units", "warning")
        if units and not costs:
            self.intake.note("no-costs", "the network has no costs: every unit costs nothing", "units", "warning")
        return units

    def _costs(self) -> dict[tuple[str, Any], dict[str, Any]]:
        found: dict[tuple[str, Any], dict[str, Any]] = {}
        left: list[str] = []
        for row in self.rows("poly_cost"):
            key = (row.text("et"), row.cells.get("element"))
            found[key] = {
                "cost_c0_per_h": row.number("cp0_eur"), "cost_c1_per_mwh": row.number("cp1_eur_per_mw"),
                "cost_c2_per_mw2h": row.number("cp2_eur_per_mw2"),
            }  # fmt: skip
        for row in self.rows("pwl_cost"):
            points = _points(row.cells.get("points"))
            if row.text("power_type", "p") == "p" and points:
                found[row.text("et"), row.cells.get("element")] = {"cost_points": points}
            else:
                left.append(row.place)
        other = sorted({table for table, _ in found} - {"gen", "sgen", "ext_grid", "storage"})
        if left or other:
            message = f"costs that were left out: {named([*left, *(f'those of {table}' for table in other)])}"
            self.intake.note(LEFT_OUT, message, "units", "warning")
        if any(table == "storage" for table, _ in found):
            self.intake.note(LEFT_OUT, "costs of storage, left out as they count what it draws", "units", "warning")
        if found:
            self.intake.note("currency", "costs are taken as they are, in the file's currency", "units")
        return {key: cost for key, cost in found.items() if key[0] in {"gen", "sgen", "ext_grid"}}

    def settle(
        self, buses: dict[str, dict[str, Any]], branches: list[dict[str, Any]], units: list[dict[str, Any]]
    ) -> None:
        """Mark the slack, switch off what it does not reach, and let the external grid balance the rest."""
        candidates = [bus for bus in dict.fromkeys(self.references) if buses[bus]["in_service"]]
        if candidates:
            slack, others = keep_one_area(buses, branches, candidates, self.intake)
            buses[slack]["slack"] = True
            if others:
                message = f"further reference buses ({named(others)}) give what is filed; bus {slack} is the slack"
                self.intake.note("slacks", message, "buses", "warning")
        self._balance(buses, units)

    def _balance(self, buses: Mapping[str, dict[str, Any]], units: list[dict[str, Any]]) -> None:
        running = [unit for unit in units if unit["in_service"] and buses[unit["bus"]]["in_service"]]
        demand = sum(row["load_mw"] + row["shunt_mw"] for row in buses.values() if row["in_service"])
        rest = demand - sum(unit["p_mw"] for unit in running)
        grid = next((unit for unit in running if unit["grid"]), None)
        if grid:
            grid["p_mw"] = rest
            if math.isinf(grid["p_max_mw"]):
                grid["p_max_mw"], grid["p_min_mw"] = max(demand, rest, 0.0), min(rest, 0.0)
            limits = f"within {grid['p_min_mw']:g} to {grid['p_max_mw']:g} MW"
            message = f"{grid['unit']} is an external grid: it gives what balances, {rest:g} MW, {limits}"
            self.intake.note("external-grid", message, "units")
        for unit in units:
            del unit["grid"]
            unit["p_max_mw"] = unit["p_max_mw"] if math.isfinite(unit["p_max_mw"]) else max(demand, 0.0)

    def place(self, buses: dict[str, dict[str, Any]], branches: list[dict[str, Any]]) -> None:
        """Give buses longitude and latitude, or canvas coordinates where a drawing is no map."""
        places = {}
        for table, reader in (("bus_geodata", _xy), ("bus", _point)):
            for row in self.rows(table):
                at = int(row.index) if str(row.index).lstrip("-").isdigit() else -1
                point = reader(row)
                if point and at in self.bus_of and buses[self.bus_of[at]]["bus_index"] == at:
                    places[self.bus_of[at]] = point
        for bus in buses.values():
            del bus["bus_index"]
        if not places:
            return
        ends = ((self.bus(row, "from_bus"), self.bus(row, "to_bus"), row) for row in self.rows("line"))
        if self.text(PLACES_KEY) == "map" or is_map(places, [(a, b, row.number("length_km")) for a, b, row in ends]):
            for name, (longitude, latitude) in places.items():
                buses[name] |= {"longitude": longitude, "latitude": latitude}
            message = "coordinates are longitude and latitude, with which the lines' lengths agree"
            self.intake.note("places", message, "buses")
        elif not any("x" in row for row in buses.values()):
            put_on_canvas(buses, branches, places)
            message = "coordinates are places on the drawing, not on the map: the lines' lengths do not agree with them"
            self.intake.note("places", message, "buses")

    def say_what_is_left_out(self) -> None:
        """Note the tables that have rows and no place here."""
        left = []
        for table, frame in self.content.items():
            known = table in _READ or table.startswith(("res_", "_")) or "characteristic" in table
            if not known and isinstance(frame, dict) and frame.get("_class") == "DataFrame":
                rows = len(self._frame(table)[1])
                left += [f"{table} ({rows})"] if rows else []
        if left:
            self.intake.note(LEFT_OUT, f"elements that were left out: {named(left)}", severity="warning")
        for table in ("measurement", "controller", "group"):
            if rows := len(self._frame(table)[1]):
                self.intake.note(LEFT_OUT, f"rows of {table}, left out as they change no flow as filed: {rows}")

    def with_lists(self, tables: NetworkTables) -> NetworkTables:
        """Return the tables with the interfaces and contingencies that a file of ours carries."""
        text = self.text(LISTS_KEY)
        if not text:
            return tables
        lists = from_canonical_json(text)
        return tables.with_table("interfaces", lists.interfaces).with_table("contingencies", lists.contingencies)


def _xy(row: Row) -> tuple[float, float] | None:
    return (row.number("x"), row.number("y")) if row.has("x") and row.has("y") else None


def _point(row: Row) -> tuple[float, float] | None:
    try:
        geometry = json.loads(row.text("geo") or "null")
        x, y = (float(value) for value in geometry["coordinates"][:2])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _points(pieces: object) -> str:
    """Return pandapower's pieces [from MW, to MW, slope] as the text of our cost points; empty if they do not join."""
    if not isinstance(pieces, list) or not pieces:
        return ""
    try:
        rows = [tuple(map(float, piece)) for piece in pieces]
    except (TypeError, ValueError):
        return ""
    if not all(len(row) == 3 and all(map(math.isfinite, row)) and row[0] < row[1] for row in rows):
        return ""
    points, cost = [(rows[0][0], rows[0][0] * rows[0][2])], rows[0][0] * rows[0][2]
    for low, high, slope in rows:
        if low != points[-1][0]:
            return ""
        cost += (high - low) * slope
        points.append((high, cost))
    return " ".join(f"{number_text(power)}:{number_text(total)}" for power, total in points)
