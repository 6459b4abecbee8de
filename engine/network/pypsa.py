"""PyPSA networks in, at one snapshot, as PyPSA's own linear power flow (``lpf``) takes them.

Source of the models: PyPSA's documentation of its components; per unit there is of 1 MVA, transformers of their
own rating. Columns that a file leaves out hold PyPSA's defaults.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import FileFormatError, Problem
from engine.network.foreign import (
    LEFT_OUT,
    Row,
    identifiers,
    jumpers,
    keep_one_area,
    named,
    named_after,
    number_circuits,
)
from engine.network.imported import Imported, Snapshots
from engine.network.intake import Intake, with_slack
from engine.network.pypsa_files import PypsaFile, from_folder, from_netcdf
from engine.network.pypsa_types import LineType, TransformerType, line_types, transformer_types
from engine.network.tables import NetworkTables, from_canonical_json, table_of

SLACK_ONLY = "headroom slack"  # the carrier of a generator of 0 MW that our writer adds where the slack bus has none
UNLIMITED_MVA = 99_999.0  # what our writer gives a branch without a rating: PyPSA's impedances need one
BASE_MVA = 100.0
_FUELS = (
    ("wind", "wind"), ("solar", "solar"), ("pv", "solar"), ("ocgt", "ng"), ("ccgt", "ng"), ("gas", "ng"),
    ("coal", "coal"), ("lignite", "coal"), ("nuclear", "nuclear"), ("hydro", "hydro"), ("ror", "hydro"),
    ("phs", "hydro"), ("oil", "oil"), ("biomass", "biomass"), ("geothermal", "geothermal"), ("battery", "battery"),
)  # fmt: skip


def read_pypsa_folder(files: Mapping[str, bytes], name: str = "", snapshot: int | None = None) -> Imported:
    """Return the network in a PyPSA folder of CSV files (file name -> content), at the snapshot of that position.

    Without one it is that of the largest load. Bus, branch and unit ids are PyPSA's names. Raises FileFormatError
    listing every problem.
    """
    return _read(from_folder(files, snapshot, Intake()), name, "CSV folder")


def read_pypsa_netcdf(content: bytes, name: str = "", snapshot: int | None = None) -> Imported:
    """Return the network in a PyPSA netCDF file, at the snapshot of that position, or of the largest load.

    Raises FileFormatError listing every problem.
    """
    return _read(from_netcdf(content, snapshot, Intake()), name, "netCDF")


def _read(file: PypsaFile, name: str, what: str) -> Imported:
    intake = file.intake
    case = _Case(file)
    buses = case.buses()
    branches = [*case.lines(), *case.transformers()]
    if not buses and not intake.problems:
        intake.wrong("empty", "the network has no buses of carrier AC")
    case.injections(buses)
    units = [*case.generators(), *case.storage()]
    if intake.problems:
        raise FileFormatError(dict.fromkeys(intake.problems))  # loads are looked at twice
    jumpers(branches, intake)
    number_circuits(branches)
    wanted = [row["branch"] for row in branches]
    for row, own in zip(branches, identifiers(wanted, case.places), strict=True):
        row["branch"] = own
    slack, _ = keep_one_area(buses, branches, case.references(buses), intake)
    buses[slack]["slack"] = True
    chosen = case.say_what_was_done()
    tables = NetworkTables(
        base_mva=BASE_MVA,
        buses=table_of("buses", buses.values()),
        branches=table_of("branches", branches),
        units=table_of("units", units),
    )
    title = file.name if file.name not in {"", "Unnamed Network"} else name
    tables = with_slack(named_after(tables, title, "PyPSA network"), intake)
    if file.own:
        lists = from_canonical_json(file.own)
        tables = replace(tables, interfaces=lists.interfaces, contingencies=lists.contingencies)
    first = Problem("pypsa", "note", f"PyPSA network, {what} of version {file.version or 'unknown'}")
    return Imported(tables, (first, *intake.notes), chosen)


class _Case:
    """The components of one file, on their way to tables."""

    def __init__(self, file: PypsaFile) -> None:
        self.file, self.intake = file, file.intake
        self.kept = file.electric()
        self.all: set[str] = set()
        self.volts: dict[str, float] = {}
        self.places: list[str] = []  # of the branches, in their order
        self.generators_at: list[tuple[str, bool]] = []  # (bus, it is a slack generator), in order
        self.left: Counter[str] = Counter()
        self.line_types = line_types(file.lists.get("line_types", []))
        self.transformer_types = transformer_types(file.lists.get("transformer_types", []))

    def buses(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the AC buses by identifier; all others are left out, and counted by carrier."""
        given = list(self.file.rows("buses"))
        places = {str(row.index): (row.number("x"), row.number("y")) for row in given}
        mapped = any(place != (0.0, 0.0) for place in places.values()) and all(
            abs(x) <= 180 and abs(y) <= 90 for x, y in places.values()
        )
        rows: dict[str, dict[str, Any]] = {}
        for row in given:
            bus = str(row.index)
            if bus in self.all:
                self.intake.wrong("duplicate-bus", f"buses: {bus[:60]!r} is there twice")
            self.all.add(bus)
            if bus not in self.kept:
                self.left[f"buses of carrier {row.text('carrier')}"] += 1
                continue
            self.volts[bus] = row.number("v_nom", 1.0)
            x, y = places[bus]
            high = row.number("v_mag_pu_max", math.inf)
            rows[bus] = {
                "bus": bus, "base_kv": self.volts[bus], "in_service": True, "slack": False,
                "voltage_pu": row.number("v_mag_pu_set", 1.0), "v_min_pu": row.number("v_mag_pu_min"),
                "v_max_pu": high if math.isfinite(high) else 1.1, "load_mw": 0.0, "load_mvar": 0.0, "shunt_mw": 0.0,
                "shunt_mvar": 0.0, "zone": row.text("country"), "longitude": x if mapped else None,
                "latitude": y if mapped else None, **row.own("buses"),
            }  # fmt: skip
            if rows[bus]["v_min_pu"] == 0.0 and not row.has("v_mag_pu_min"):
                del rows[bus]["v_min_pu"]
        return rows

    def _at(self, row: Row, column: str = "bus") -> str:
        """Return the kept bus of a component; empty if it hangs on a bus that was left out."""
        bus = row.text(column)
        if bus not in self.all:
            self.intake.wrong("dangling-bus", f"{row.place}: there is no bus {bus[:60]!r}")
        if bus in self.kept:
            return bus
        self.left[f"{row.place.partition(' ')[0].replace('_', ' ')} at such buses"] += 1
        return ""

    def _branches(self, kind: str) -> Iterator[tuple[Row, tuple[str, str]]]:
        for row in self.file.rows(kind):
            ends = self._at(row, "bus0"), self._at(row, "bus1")
            if all(ends):
                self.places.append(row.place)
                yield row, ends

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the lines; ohm become per unit of the first bus's voltage."""
        for row, ends in self._branches("lines"):
            r, x, b = row.finite("r"), row.finite("x"), row.finite("b")
            if (name := row.text("type")) and (known := self._type(row, name, self.line_types)):
                r, x, b = known.of(row.finite("length"), row.finite("num_parallel", 1.0))
            volts = self.volts[ends[0]]
            if volts <= 0:
                self.intake.wrong("v-nom", f"{row.place}: its bus has a v_nom of {volts:g} kV", "branches")
                continue
            ohm = volts**2 / BASE_MVA
            yield self._branch(row, ends, complex(r, x) / ohm, row.number("s_nom")) | {
                "charging_pu": b * ohm, **row.own("branches")
            }  # fmt: skip

    def transformers(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the transformers."""
        for row, ends in self._branches("transformers"):
            r, x = row.finite("r"), row.finite("x")
            rating, ratio, shift = row.number("s_nom"), row.number("tap_ratio", 1.0), row.number("phase_shift")
            if (name := row.text("type")) and (known := self._type(row, name, self.transformer_types)):
                rating, shift, ratio = known.s_nom, known.phase_shift, known.ratio(row.number("tap_position"))
                r, x = known.of(row.number("num_parallel", 1.0))
            if rating <= 0:
                message = f"{row.place}: s_nom is {rating:g} MVA; its impedance is in pu of that"
                self.intake.wrong("s-nom", message, "branches")
                continue
            # As in lpf, the magnetising branch of the "t" model does not bend the series impedance.
            z = complex(r, x) / rating
            yield self._branch(row, ends, z * BASE_MVA, rating) | {
                "kind": "transformer", "tap_ratio": ratio or 1.0, "shift_deg": shift, **row.own("branches")
            }  # fmt: skip

    def _type(self, row: Row, name: str, known: Mapping[str, Any]) -> Any:
        if name not in known:
            self.intake.wrong("type", f"{row.place}: its type {name[:60]!r} is neither in the file nor a standard type")
        return known.get(name)

    def _branch(self, row: Row, ends: tuple[str, str], z: complex, rating: float) -> dict[str, Any]:
        rating = row.number("s_nom_opt", rating) if row.flag("s_nom_extendable", False) else rating
        limit = rating * row.number("s_max_pu", 1.0)
        return {
            "branch": str(row.index), "from_bus": ends[0], "to_bus": ends[1], "kind": "line", "resistance_pu": z.real,
            "reactance_pu": z.imag, "rating_a_mw": math.inf if limit <= 0 or rating >= UNLIMITED_MVA else limit,
            "angle_min_deg": row.number("v_ang_min", -math.inf), "angle_max_deg": row.number("v_ang_max", math.inf),
            "in_service": row.flag("active"),
        }  # fmt: skip

    def injections(self, buses: Mapping[str, dict[str, Any]]) -> None:
        """Add loads, shunts, stores and links to their buses."""
        for row in self.file.rows("loads"):
            bus, sign = self._at(row), row.number("sign", -1.0)
            if bus and row.flag("active"):
                buses[bus]["load_mw"] -= sign * row.number("p_set")
                buses[bus]["load_mvar"] -= sign * row.number("q_set")
        for row in self.file.rows("shunt_impedances"):
            bus, sign = self._at(row), row.number("sign", -1.0)
            if bus and row.flag("active"):
                buses[bus]["shunt_mw"] -= sign * row.number("g") * self.volts[bus] ** 2
                buses[bus]["shunt_mvar"] += row.number("b") * self.volts[bus] ** 2
        stores = 0
        for row in self.file.rows("stores"):
            bus, power = self._at(row), self._power("stores", row)
            if bus and row.flag("active"):
                buses[bus]["load_mw"] -= row.number("sign", 1.0) * power
                stores += 1
        if stores:
            self.intake.note(
                "stores", f"stores, which are fixed injections of what they give: {stores}", "buses", "warning"
            )
        self._links(buses)

    def _links(self, buses: Mapping[str, dict[str, Any]]) -> None:
        names, idle = [], []
        for row in self.file.rows("links"):
            power = self._power("links", row, "p0")
            if not row.flag("active"):
                idle += [f"{row.index} ({power:g} MW)"] if power else []
                continue
            ends = [column for column in row.cells if column.startswith("bus") and column[3:].isdigit()]
            for column in ends:
                bus = row.text(column)
                if bus and bus not in self.all:
                    self._at(row, column)
                if bus not in self.kept:
                    continue
                number = column[3:]
                share = row.number("efficiency" if number == "1" else f"efficiency{number}", 1.0)
                buses[bus]["load_mw"] += power if number == "0" else -power * share
            if any(row.text(column) in self.kept for column in ends):
                names.append(f"{row.index} ({power:g} MW)")
        if names:
            message = f"links, which are fixed injections at their ends: {named(names)}"
            self.intake.note("links", message, "buses", "warning")
        if idle:
            message = f"links out of service, which carry nothing here (lpf counts what is set for them): {named(idle)}"
            self.intake.note("links", message, "buses", "warning")

    def _power(self, kind: str, row: Row, solved: str = "p") -> float:
        """Return what a component is set to, else, if none of its kind is set, its solved dispatch."""
        return row.number("p_set") if self.file.has(kind, "p_set") else row.number(solved)

    def generators(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the generators."""
        for row in self.file.rows("generators"):
            bus = self._at(row)
            if not bus:
                continue
            self.generators_at.append((bus, row.text("control") == "Slack"))
            if row.text("carrier") == SLACK_ONLY:
                continue
            yield self._unit("generators", row, bus, 0.0)

    def storage(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the storage units: what they charge is negative output."""
        count = 0
        for row in self.file.rows("storage_units"):
            if bus := self._at(row):
                count += 1
                yield self._unit("storage_units", row, bus, -1.0)
        if count:
            message = f"storage units, which are units that may also draw; what they hold is not counted: {count}"
            self.intake.note("storage", message, "units", "warning")

    def _unit(self, kind: str, row: Row, bus: str, least: float) -> dict[str, Any]:
        nominal = row.number("p_nom")
        if row.flag("p_nom_extendable", False):
            nominal = row.number("p_nom_opt", nominal)
        sign = row.number("sign", 1.0)
        limits = sorted(
            sign * nominal * row.number(f"p_{end}_pu", other) for end, other in (("min", least), ("max", 1.0))
        )
        carrier = row.text("carrier")
        ramp = row.number("ramp_limit_up", math.inf) * nominal / 2  # per hour there
        own = row.own("units")
        return {
            "unit": str(row.index), "bus": bus, "fuel": _fuel(carrier), "technology": carrier[:60],
            "in_service": row.flag("active"), "p_mw": sign * self._power(kind, row), "p_min_mw": limits[0],
            "p_max_mw": limits[1], "q_mvar": sign * row.number("q_set"),
            "ramp_30_min_mw": math.inf if math.isnan(ramp) else ramp,
            "cost_c1_per_mwh": 0.0 if own.get("cost_points") else row.number("marginal_cost"),
            "cost_c2_per_mw2h": row.number("marginal_cost_quadratic"), "startup_cost": row.number("start_up_cost"),
            "shutdown_cost": row.number("shut_down_cost"), **own,
        }  # fmt: skip

    def references(self, buses: Iterable[str]) -> list[str]:
        """Return the buses in the order in which PyPSA makes one of them an area's slack."""
        marked = [bus for bus, slack in self.generators_at if slack]
        return list(dict.fromkeys([*marked, *(bus for bus, _ in self.generators_at), *buses]))

    def say_what_was_done(self) -> Snapshots | None:
        """Note what was left out, and where outputs come from; return the snapshots if there are several."""
        chosen = None
        if self.file.series and len(self.file.snapshots) > 1:
            chosen = Snapshots(tuple(self.file.snapshots), tuple(self.file.load_mw), self.file.at)
            self.intake.note("snapshot", _snapshot_words(chosen), severity="warning")
        if not self.file.has("generators", "p_set") and self.file.has("generators", "p"):
            self.intake.note("dispatch", "no output is set: units are filed at the solved dispatch", "units")
        for what, count in self.left.items():
            self.intake.note(LEFT_OUT, f"{what}, left out: {count}", severity="warning")
        if self.file.lists.get("generators"):
            self.intake.note("currency", "costs are taken as they are, in the file's currency", "units")
        return chosen


def _snapshot_words(chosen: Snapshots) -> str:
    names, loads, at = chosen.names, chosen.load_mw, chosen.at
    words = f"one snapshot is read, {at + 1:,} of {len(names):,}: {names[at]}"
    largest = max(loads)
    if min(loads) == largest:
        return f"{words}; the load is {largest:,.1f} MW in all of them"
    if loads[at] == largest:
        return f"{words}, which has the largest load, {largest:,.1f} MW; the smallest is {min(loads):,.1f} MW"
    peak = loads.index(largest)
    return f"{words}, with a load of {loads[at]:,.1f} MW; the largest is {largest:,.1f} MW, in {names[peak]}"


def _fuel(carrier: str) -> str:
    plain = carrier.lower()
    return next((fuel for word, fuel in _FUELS if word in plain), plain[:60])


__all__ = ["LineType", "TransformerType", "read_pypsa_folder", "read_pypsa_netcdf"]
