"""PSS/E RAW files (revisions 33, 34 and 35) in, as the linear power flow sees them.

Loads are the sum of their constant power, current and admittance parts, which at 1 pu voltage is what they draw.
DC links become fixed injections at their ends. What has no place in a linear network is named, never dropped
in silence. Source of the format: see :mod:`engine.network.psse_records`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.errors import FileFormatError, Problem, Severity
from engine.network.foreign import JUMPER_PU, LEFT_OUT, jumpers, named
from engine.network.imported import Imported
from engine.network.intake import Intake, with_slack
from engine.network.matpower import branch_ids
from engine.network.psse_links import Injections, dc_links
from engine.network.psse_records import RawFile, Record, read_sections
from engine.network.psse_transformers import Transformers
from engine.network.tables import NetworkTables, table_of


def read_psse(text: str, name: str = "") -> Imported:
    """Return the case in a RAW file as tables, with notes.

    Bus ids are the bus numbers, branch ids ``from-to`` (``from-to/ckt`` for circuits other than 1), unit ids
    ``bus-id``; a three-winding transformer becomes a star bus and three branches. Raises FileFormatError
    listing every problem with its line.
    """
    intake = Intake()
    raw = read_sections(text, intake)
    case = _Case(raw, intake)
    buses = case.buses()
    case.demand()
    branches = [*case.lines(), *case.switches()]
    transformers = Transformers(raw, intake, {bus: float(row["base_kv"]) for bus, row in buses.items()})
    branches += transformers.branches(buses)
    units = list(case.units())
    dc_links(raw, intake, case.add)
    case.check_ends(buses, branches)
    if intake.problems:
        raise FileFormatError(intake.problems)
    case.settle(buses, branches)
    case.say_what_is_left_out()
    tables = NetworkTables(
        name=raw.title[:80] or name or "Case",
        base_mva=raw.base_mva,
        buses=table_of("buses", buses.values()),
        branches=table_of("branches", branches),
        units=table_of("units", units),
        source=raw.remark or f"PSS/E RAW file of revision {raw.version}",
    )
    tables = with_slack(tables, intake)
    first = Problem("psse", "note", f"PSS/E RAW of revision {raw.version}, system base {raw.base_mva:g} MVA")
    return Imported(tables, (first, *intake.notes))


class _Case:
    """The sections of one file, on their way to tables."""

    def __init__(self, raw: RawFile, intake: Intake) -> None:
        self.raw, self.intake = raw, intake
        self.add = Injections()
        self.lines_of: dict[tuple[str, str, str], int] = {}  # branch -> the line that has it
        self.ends: list[tuple[str, str]] = []  # of branches and machines: (place, bus)

    def records(self, kind: str) -> Iterator[Record]:
        return self.raw.records(kind, self.intake)

    def note(self, code: str, message: str, table: str = "", severity: Severity = "note") -> None:
        self.intake.note(code, message, table, severity)

    def buses(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the buses by identifier; the first of several swing buses is the slack."""
        zones, areas = self._names("zone"), self._names("area")
        places = self._places()
        rows: dict[str, dict[str, Any]] = {}
        swings: list[str] = []
        for record in self.records("bus"):
            bus, kind = record.bus(), record.whole("IDE", 1)
            if bus in rows:
                self.intake.wrong("duplicate-bus", f"{record.place}: bus {bus} is there already")
                continue
            if kind not in {1, 2, 3, 4}:
                self.intake.wrong("bus-type", f"{record.place}: IDE is {kind}; 1 to 4 are bus types")
            if kind == 3:
                swings.append(bus)
            area, zone = str(record.whole("AREA", 1)), str(record.whole("ZONE", 1))
            longitude, latitude = places.get(bus, (None, None))
            rows[bus] = {
                "bus": bus, "name": record.text("NAME"), "base_kv": record.real("BASKV"), "slack": swings == [bus],
                "in_service": kind != 4, "area": areas.get(area, area), "zone": zones.get(zone, zone),
                "voltage_pu": record.real("VM", 1.0), "angle_deg": record.real("VA"),
                "v_max_pu": record.real("NVHI", 1.1), "v_min_pu": record.real("NVLO", 0.9),
                "load_mw": 0.0, "load_mvar": 0.0, "shunt_mw": 0.0, "shunt_mvar": 0.0,
                "longitude": longitude, "latitude": latitude,
            }  # fmt: skip
        if len(swings) > 1:
            message = f"swing buses {named(swings)}: the first is the slack, the others give what is filed"
            self.note("slacks", message, "buses", "warning")
        isolated = [bus for bus, row in rows.items() if not row["in_service"]]
        if isolated:
            self.note("isolated", f"isolated buses (type 4), out of service here: {named(isolated)}", "buses")
        return rows

    def _names(self, kind: str) -> dict[str, str]:
        """Return area or zone names by number; names that two of them share are not used."""
        given = {str(record.whole("I")): record.text("NAME") for record in self.records(kind)}
        names = list(given.values())
        return {number: name for number, name in given.items() if name and names.count(name) == 1}

    def _places(self) -> dict[str, tuple[float, float]]:
        """Return (longitude, latitude) by bus, of buses that a substation with coordinates has."""
        stations = [(r.number, r.real("LONG"), r.real("LATI")) for r in self.records("substation")]
        starts = np.array([number for number, _, _ in stations], dtype=np.int64)
        places = {}
        for node in self.records("substation node"):
            at = int(np.searchsorted(starts, node.number)) - 1
            if at >= 0 and stations[at][1:] != (0.0, 0.0) and (bus := node.text("I")):
                places[bus] = stations[at][1:]
        return places

    def demand(self) -> None:
        """Add loads and fixed shunts to their buses."""
        parts = {"current": 0, "admittance": 0, "generation": 0}
        for record in self.records("load"):
            bus = record.bus()
            if record.whole("STAT", 1) == 0:
                continue
            parts["current"] += record.real("IP") != 0
            parts["admittance"] += record.real("YP") != 0
            own = record.real("DGENP") if record.whole("DGENM") else 0.0
            parts["generation"] += own != 0
            self.add.load(record, bus, record.real("PL") + record.real("IP") + record.real("YP") - own,
                          record.real("QL") + record.real("IQ") - record.real("YQ"))  # fmt: skip
        for record in self.records("fixed shunt"):
            if record.whole("STAT", 1):
                self.add.shunt(record, record.bus(), record.real("GL"), record.real("BL"))
        if parts["current"] or parts["admittance"]:
            message = (
                f"loads with a constant current part: {parts['current']}, with a constant admittance part: "
                f"{parts['admittance']}; all parts are added up as at 1 pu voltage, which is the linear flow's"
            )
            self.note("load-parts", message, "buses")
        if parts["generation"]:
            message = f"loads net of their distributed generation: {parts['generation']}"
            self.note("load-generation", message, "buses")

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the lines; conductances at their ends are added to the buses."""
        more = 0
        for record in self.records("branch"):
            row = self._branch(record)
            row |= {"resistance_pu": record.real("R"), "charging_pu": record.real("B")}
            more += any(record.real(f"RATE{at}") not in {0.0, record.real("RATE1")} for at in range(4, 13))
            if row["in_service"]:
                for end, conductance in ((row["from_bus"], "GI"), (row["to_bus"], "GJ")):
                    if shunt := record.real(conductance) * self.raw.base_mva:
                        self.add.shunt(record, end, shunt, 0.0)
            yield row
        if more:
            message = (
                f"lines with ratings 4 to 12 of their own, which have no place here (1 to 3 are A, B and C): {more}"
            )
            self.note(LEFT_OUT, message, "branches")

    def switches(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the system switching devices: jumpers, closed or open."""
        rows = [self._branch(record, "X", JUMPER_PU) for record in self.records("switching device")]
        if rows:
            opened = sum(not row["in_service"] for row in rows)
            message = f"switching devices, which are branches here: {len(rows)}, of them open: {opened}"
            self.note("switches", message, "branches")
        yield from rows

    def _branch(self, record: Record, reactance: str = "X", default: float = 0.0) -> dict[str, Any]:
        start, end, circuit = record.bus("I"), record.bus("J"), record.text("CKT", "1")
        [branch] = branch_ids([start], [end], [circuit])
        self.ends += [(f"{record.place} {branch}", bus) for bus in (start, end)]
        self.once(record, start, end, circuit)
        return {
            "branch": branch, "from_bus": start, "to_bus": end, "circuit": circuit, "kind": "line",
            "reactance_pu": record.real(reactance, default), **ratings(record),
            "in_service": record.whole("STAT", 1) != 0,
        }  # fmt: skip

    def once(self, record: Record, start: str, end: str, circuit: str) -> None:
        """Report a second branch with the same ends and circuit."""
        low, high = sorted((start, end))
        first = self.lines_of.setdefault((low, high, circuit), record.number)
        if first != record.number:
            message = f"{record.place}: {start}-{end} circuit {circuit!r} is on line {first} already"
            self.intake.wrong("duplicate-branch", message, "branches")

    def units(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the machines."""
        seen: dict[str, int] = {}
        for record in self.records("generator"):
            bus = record.bus()
            unit = f"{bus}-{record.text('ID', '1')}"
            self.ends.append((f"{record.place} {unit}", bus))
            if seen.setdefault(unit, record.number) != record.number:
                self.intake.wrong("duplicate-unit", f"{record.place}: machine {unit} is on line {seen[unit]} already")
            yield {
                "unit": unit, "bus": bus, "in_service": record.whole("STAT", 1) != 0, "p_mw": record.real("PG"),
                "p_min_mw": record.real("PB", -9999.0), "p_max_mw": record.real("PT", 9999.0),
                "q_mvar": record.real("QG"), "q_min_mvar": record.real("QB", -9999.0),
                "q_max_mvar": record.real("QT", 9999.0), "voltage_pu": record.real("VS", 1.0),
            }  # fmt: skip
        if seen:
            self.note("no-costs", "a RAW file has no costs and no fuels: every unit costs nothing", "units", "warning")

    def check_ends(self, buses: Mapping[str, Any], branches: list[dict[str, Any]]) -> None:
        """Report what hangs on buses that are not there, and branches that are there twice."""
        if not buses and not self.intake.problems:
            self.intake.wrong("empty", "the file has no buses")
        for where, bus in (*self.add.places, *self.ends):  # transformers were checked before
            if bus and bus not in buses:
                self.intake.wrong("dangling-bus", f"{where}: there is no bus {bus}")
        twice = Counter(row["branch"] for row in branches)
        for name in (name for name, count in twice.items() if count > 1):
            self.intake.wrong("duplicate-branch", f"branch {name} is there {twice[name]} times", "branches")

    def settle(self, buses: Mapping[str, dict[str, Any]], branches: list[dict[str, Any]]) -> None:
        """Give the buses what was added up for them, and jumpers a reactance."""
        for column, amounts in self.add.columns.items():
            for bus, amount in amounts.items():
                buses[bus][column] += amount
        jumpers(branches, self.intake)

    def say_what_is_left_out(self) -> None:
        """Note the sections that have no place in a linear network."""
        words: tuple[tuple[str, str, Severity], ...] = (
            ("switched shunt", "switched shunts, left out as they give no active power", "note"),
            ("multi-section line", "multi-section line groups, left out as their sections are branches", "note"),
            ("impedance correction", "lines of impedance correction tables, left out (impedances are as filed)",
             "warning"),
            ("gne", "lines of GNE devices, left out", "warning"),
            ("inter-area transfer", "inter-area transfers, left out as they bind no flow here", "note"),
        )  # fmt: skip
        for section, what, severity in words:
            if count := len(self.raw.sections.get(section, [])):
                self.note(LEFT_OUT, f"{what}: {count}", severity=severity)
        running = (record for record in self.records("induction machine") if record.whole("STAT", 1))
        machines = [f"{record.text('I')}-{record.text('ID', '1')}" for record in running]
        if machines:
            message = f"induction machines were left out; add what they draw as load: {named(machines)}"
            self.note(LEFT_OUT, message, severity="warning")
        for section, count in self.raw.skipped.items():
            message = f"lines of {section.lower()} data, left out as not known here: {count}"
            self.note(LEFT_OUT, message, severity="warning")


def ratings(record: Record) -> dict[str, float]:
    """Return ratings A, B and C of a branch or winding; 0 is unlimited, or the same as A."""
    a, b, c = (record.real(f"RATE{at}") for at in (1, 2, 3))
    return {"rating_a_mw": a or np.inf, "rating_b_mw": b or np.nan, "rating_c_mw": c or np.nan}
