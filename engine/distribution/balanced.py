"""A radial network of one line (positive sequence, per unit) as a balanced feeder of three phases and four wires.

Without coupling between the phases each of them is the network's single line, so what is balanced flows exactly as in
the network. What is not balanced would need zero-sequence impedances, which such tables do not have.

A branch with a tap or between two voltages is a transformer whose from side is rated at the tap ratio times its base.
Source of the branch model: MATPOWER User's Manual, section 3.2.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine.distribution.checks import check as check_feeder
from engine.distribution.feeder import (
    PHASES,
    Capacitor,
    Feeder,
    FeederBus,
    Line,
    Load,
    LoadModel,
    Rows,
    Transformer,
    walk,
)
from engine.errors import NetworkDataError, Problem
from engine.network import library
from engine.network.checks import check as check_network
from engine.network.layout import positions
from engine.network.tables import NetworkTables

_SAME = 1e-6  # relative: base voltages and tap ratios that differ by less are equal
_CAN_GIVE = ("p_mw", "p_min_mw", "p_max_mw", "q_mvar", "q_min_mvar", "q_max_mvar")

Row = dict[str, Any]


def balanced(tables: NetworkTables) -> Feeder:
    """Return a radial network as a feeder: kW, kvar, ohm and ampere, loads and shunts a third on each phase.

    The source is the slack bus at the set point of its first unit in service, or its own voltage without one. Buses
    and branches out of service are left out. The limits of voltage are the narrowest of the buses beyond the source.
    Places are those of the tables, canvas or map; without any, none are given.

    Raises NetworkDataError with every reason at once: what is wrong with the tables, a loop, a unit beyond the slack
    bus that can give power, a base voltage that is not known, a phase shift, a transformer that has charging or no
    rating, and what no feeder can take.
    """
    problems = [each for each in check_network(tables) if each.severity == "error"]
    if any(each.code == "base-mva" for each in problems):  # without it there are no ohms to look at
        raise NetworkDataError(problems)
    reading = _Reading.of(tables)
    problems += [*reading.buses_in_doubt(), *reading.branches_in_doubt(), *reading.units_in_doubt()]
    feeder = reading.feeder(tables)
    loops = [each for each in walk(feeder)[1] if each.code == "loop"]
    problems += [replace(each, table="branches") for each in loops]
    problems = problems or [each for each in check_feeder(feeder) if each.severity == "error"]
    if problems:
        raise NetworkDataError(problems)
    return feeder


@lru_cache(maxsize=1)
def ieee33() -> Feeder:
    """Return the feeder of Baran and Wu (1989): 12.66 kV, 3.715 MW and 2.300 Mvar, no ratings, 0.9 to 1.1 p.u."""
    return balanced(library.load("ieee33"))


@dataclass(frozen=True, slots=True)
class _Reading:
    """The rows in service, with their positions in the tables."""

    base_mva: float
    source: str
    buses: dict[str, Row]
    branches: tuple[Row, ...]
    units: tuple[Row, ...]

    @classmethod
    def of(cls, tables: NetworkTables) -> "_Reading":
        rows = {name: _rows(tables, name) for name in ("buses", "branches", "units")}
        buses = {row["bus"]: row for row in rows["buses"] if row["in_service"]}
        live = tuple(
            row for row in rows["branches"] if row["in_service"] and row["from_bus"] in buses and row["to_bus"] in buses
        )
        units = tuple(row for row in rows["units"] if row["in_service"] and row["bus"] in buses)
        source = next((name for name, row in buses.items() if row["slack"]), "")
        return cls(tables.base_mva, source, buses, live, units)

    def kv(self, bus: str) -> float:
        return float(self.buses[bus]["base_kv"])

    def is_transformer(self, row: Row) -> bool:
        one, other = self.kv(row["from_bus"]), self.kv(row["to_bus"])
        return abs(one - other) > _SAME * max(one, other) or abs(row["tap_ratio"] - 1.0) > _SAME

    def buses_in_doubt(self) -> Iterator[Problem]:
        for name, row in self.buses.items():
            if row["base_kv"] == 0.0:
                text = f"bus {name} has no base voltage; a feeder's ohms and amperes need it, in kV"
                yield Problem("base-kv", "error", text, "buses", row["at"], "base_kv", name)

    def branches_in_doubt(self) -> Iterator[Problem]:
        for row in self.branches:
            found = []
            if abs(row["shift_deg"]) > 0.0:
                text = f"shifts the phase by {row['shift_deg']:g} deg; a balanced feeder has no phase shifters"
                found.append(("phase-shift", text, "shift_deg"))
            if self.is_transformer(row):
                if row["charging_pu"]:
                    text = f"is a transformer with a charging of {row['charging_pu']:g} pu; a feeder's has none"
                    found.append(("charging", text, "charging_pu"))
                if _rating_mva(row) is None:
                    text = "is a transformer without a rating A; a feeder's needs its MVA"
                    found.append(("no-rating", text, "rating_a_mw"))
            for code, text, column in found:
                name = row["branch"]
                yield Problem(code, "error", f"branch {name} {text}", "branches", row["at"], column, name)

    def units_in_doubt(self) -> Iterator[Problem]:
        for row in self.units:
            if row["bus"] != self.source and any(row[column] for column in _CAN_GIVE):
                text = (
                    f"unit {row['unit']} at bus {row['bus']} can give power beside the slack bus, {self.source}; a "
                    "feeder has one source: take the unit out of service, or enter its output as a negative load"
                )
                yield Problem("second-source", "error", text, "units", row["at"], "bus", row["unit"])

    def feeder(self, tables: NetworkTables) -> Feeder:
        lines, transformers = [], []
        for row in self.branches:
            if self.is_transformer(row):
                transformers.append(self._transformer(row))
            else:
                lines.append(self._line(row))
        beyond = [row for name, row in self.buses.items() if name != self.source]
        return Feeder(
            name=tables.name,
            wires="four",
            source_bus=self.source,
            buses=self._buses(tables),
            lines=tuple(lines),
            transformers=tuple(transformers),
            loads=tuple(load for name, row in self.buses.items() for load in _loads(name, row)),
            capacitors=tuple(each for name, row in self.buses.items() for each in _capacitors(name, row)),
            source_pu=self._source_pu(),
            base_kva=1000.0 * self.base_mva,
            v_min_pu=max((row["v_min_pu"] for row in beyond), default=0.9),
            v_max_pu=min((row["v_max_pu"] for row in beyond), default=1.1),
            origin=tables.source,
        )

    def _buses(self, tables: NetworkTables) -> tuple[FeederBus, ...]:
        drawn = tables.buses[["x", "y"]].notna().all(axis=1) | tables.buses[["longitude", "latitude"]].notna().all(
            axis=1
        )
        if not drawn.any():
            return tuple(FeederBus(name, row["base_kv"]) for name, row in self.buses.items())
        places = positions(tables) * np.array([1.0, -1.0])  # a canvas counts y downwards
        return tuple(
            FeederBus(name, row["base_kv"], "abc", *places[row["at"]].tolist()) for name, row in self.buses.items()
        )

    def _source_pu(self) -> float:
        set_points = [row["voltage_pu"] for row in self.units if row["bus"] == self.source]
        return float([*set_points, self.buses[self.source]["voltage_pu"]][0]) if self.source in self.buses else 1.0

    def _line(self, row: Row) -> Line:
        kv = self.kv(row["to_bus"])
        ohm = kv**2 / self.base_mva
        rating = _rating_mva(row)
        siemens = row["charging_pu"] / ohm if ohm else math.nan
        return Line(
            row["branch"],
            row["from_bus"],
            row["to_bus"],
            "abc",
            _diagonal(row["resistance_pu"] * ohm),
            _diagonal(row["reactance_pu"] * ohm),
            _diagonal(siemens * 1e6),
            None if rating is None or not kv else 1000.0 * rating / (math.sqrt(3.0) * kv),
        )

    def _transformer(self, row: Row) -> Transformer:
        kva = 1000.0 * (_rating_mva(row) or math.nan)
        own = kva / (1000.0 * self.base_mva)
        return Transformer(
            row["branch"],
            row["from_bus"],
            row["to_bus"],
            kva,
            self.kv(row["from_bus"]) * row["tap_ratio"],
            self.kv(row["to_bus"]),
            "wye",
            "wye",
            row["resistance_pu"] * own,
            row["reactance_pu"] * own,
        )


def _rows(tables: NetworkTables, name: Any) -> list[Row]:
    records: list[Any] = tables.table(name).to_dict("records")
    return [{**row, "at": at} for at, row in enumerate(records)]


def _rating_mva(row: Row) -> float | None:
    """Return rating A, or None for none: 0, infinite or not known."""
    rating = float(row["rating_a_mw"])
    return rating if math.isfinite(rating) and rating > 0.0 else None


def _diagonal(value: float) -> Rows:
    return tuple(tuple(value if one == other else 0.0 for other in PHASES) for one in PHASES)


def _loads(name: str, row: Row) -> list[Load]:
    """Return the load, and what of the shunt draws power, on each phase; a shunt follows the voltage's square."""
    draws: tuple[tuple[str, float, float, LoadModel], ...] = (
        (name, row["load_mw"], row["load_mvar"], "power"),
        (f"{name} shunt", row["shunt_mw"], max(-row["shunt_mvar"], 0.0), "impedance"),
    )
    return [
        Load(f"{label} {phase}", name, phase, 1000.0 * mw / 3.0, 1000.0 * mvar / 3.0, model)
        for label, mw, mvar, model in draws
        if mw or mvar
        for phase in PHASES
    ]


def _capacitors(name: str, row: Row) -> list[Capacitor]:
    given = row["shunt_mvar"]
    return [Capacitor(f"{name}{phase}", name, phase, 1000.0 * given / 3.0) for phase in PHASES] if given > 0.0 else []
