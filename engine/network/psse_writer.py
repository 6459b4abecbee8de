"""PSS/E RAW files of revision 33, 34 or 35 out."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import NetworkDataError, Problem
from engine.network.matpower import number_text
from engine.network.psse_records import layout
from engine.network.tables import NetworkTables, TableName

_LARGEST_BUS = 999_997  # of a bus number in PSS/E
_NAME_LENGTH = 12
_NO_LIMIT = 9999.0
_REFERENCES: tuple[tuple[TableName, str], ...] = (("branches", "from_bus"), ("branches", "to_bus"), ("units", "bus"))
_TEXTS = {"NAME", "ID", "CKT", "VECGRP"}
# What a field holds that we have nothing for; all others are 0.
_DEFAULTS: Mapping[str, Any] = {
    "OWNER": 1, "SCALE": 1, "ZX": 1.0, "GTAP": 1.0, "RMPCT": 100.0, "O1": 1, "F1": 1.0, "MET": 1, "CW": 1, "CZ": 1,
    "CM": 1, "NMETR": 2, "RMA": 1.1, "RMI": 0.9, "VMA": 1.1, "VMI": 0.9, "NTP": 33, "F2": 1.0, "F3": 1.0, "F4": 1.0,
    "WPF": 1.0, "STAT": 1, "PTOL": 10.0,
}  # fmt: skip
_SECTIONS = (
    ("bus", "BUS"), ("load", "LOAD"), ("fixed shunt", "FIXED SHUNT"), ("generator", "GENERATOR"), ("branch", "BRANCH"),
    ("switching device", "SYSTEM SWITCHING DEVICE"), ("transformer", "TRANSFORMER"), ("area", "AREA"),
    ("", "TWO-TERMINAL DC"), ("", "VOLTAGE SOURCE CONVERTER"), ("", "IMPEDANCE CORRECTION"), ("", "MULTI-TERMINAL DC"),
    ("", "MULTI-SECTION LINE"), ("zone", "ZONE"), ("", "INTER-AREA TRANSFER"), ("", "OWNER"),
    ("", "FACTS CONTROL DEVICE"), ("", "SWITCHED SHUNT"), ("", "GNE DEVICE"), ("", "INDUCTION MACHINE"),
    ("substation", "SUBSTATION"),
)  # fmt: skip


def write_psse(tables: NetworkTables, version: int = 33) -> str:
    """Return ``tables`` as a RAW file of revision 33, 34 or 35, numbers exact.

    Identifiers that are no bus numbers give way to positions from 1. A line with a tap or a phase shift is a
    transformer. Raises NetworkDataError for buses that are missing or twice there, and numbers that are not finite.
    """
    _refuse(tables)
    number = _numbers(tables.buses["bus"].tolist())
    areas, zones = (_codes(tables.buses[column].tolist()) for column in ("area", "zone"))
    rows: dict[str, list[str]] = {kind: [] for kind, _ in _SECTIONS}
    rows["bus"] = [_line("bus", version, row) for row in _bus_rows(tables, number, areas, zones)]
    rows["load"] = [_line("load", version, row) for row in _load_rows(tables, number, areas, zones)]
    rows["fixed shunt"] = [_line("fixed shunt", version, row) for row in _shunt_rows(tables, number)]
    rows["generator"] = [_line("generator", version, row) for row in _unit_rows(tables, number)]
    _branches(tables, number, version, rows)
    for kind, codes in (("area", areas), ("zone", zones)):
        named = {code: name for name, code in codes.items() if name != str(code)}
        rows[kind] = [_line(kind, version, {"I": code, "NAME": name}) for code, name in named.items()]
    title = " ".join(tables.name.split())[:60]
    parts = [f"0, {number_text(float(tables.base_mva))}, {version}, 0, 1, 60.0 / {_plain(title)}", _plain(title),
             _plain(" ".join(tables.source.split())[:60])]  # fmt: skip
    sections = [(k, w) for k, w in _SECTIONS if version >= 34 or k not in {"switching device", "substation"}]
    if version >= 34:
        parts.append("0 / END OF SYSTEM-WIDE DATA, BEGIN BUS DATA")
    for at, (kind, word) in enumerate(sections):
        parts += rows[kind] if kind else []
        following = f", BEGIN {sections[at + 1][1]} DATA" if at + 1 < len(sections) else ""
        parts.append(f"0 / END OF {word} DATA{following}")
    return "\n".join([*parts, "Q", ""])


def _refuse(tables: NetworkTables) -> None:
    known, found = set(tables.buses["bus"]), []
    if len(known) < len(tables.buses):
        found.append(Problem("duplicate-bus", "error", "two buses have the same identifier", "buses"))
    if not (math.isfinite(tables.base_mva) and tables.base_mva > 0):
        found.append(Problem("base-mva", "error", f"a base power of {tables.base_mva:g} MVA cannot be written"))
    for table, column in _REFERENCES:
        for row, bus in enumerate(tables.table(table)[column]):
            if bus not in known:
                message = f"{table}, row {row + 1}: {column} {bus!r} does not exist"
                found.append(Problem("dangling-bus", "error", message, table, row, column))
    for table, columns in (
        ("buses", ("base_kv", "load_mw", "load_mvar", "shunt_mw", "shunt_mvar", "voltage_pu", "angle_deg")),
        ("branches", ("resistance_pu", "reactance_pu", "charging_pu", "tap_ratio", "shift_deg")),
        ("units", ("p_mw", "p_min_mw", "p_max_mw", "q_mvar", "voltage_pu")),
    ):
        for column in columns:
            values = tables.table(table)[column].to_numpy(dtype=np.float64)
            for row in np.flatnonzero(~np.isfinite(values)).tolist():
                message = f"{table}, row {row + 1}: a {column} of {values[row]} cannot be written"
                found.append(Problem("not-finite", "error", message, table, row, column))
    if found:
        raise NetworkDataError(found)


def _bus_rows(
    tables: NetworkTables, number: Mapping[str, int], areas: Mapping[str, int], zones: Mapping[str, int]
) -> Iterable[dict[str, Any]]:
    powered = set(tables.units["bus"][tables.units["in_service"]])
    for bus in tables.buses.to_dict("records"):
        kind = 4 if not bus["in_service"] else 3 if bus["slack"] else 2 if bus["bus"] in powered else 1
        yield {
            "I": number[bus["bus"]], "NAME": _name(bus, number), "BASKV": bus["base_kv"], "IDE": kind,
            "AREA": areas[bus["area"]], "ZONE": zones[bus["zone"]], "VM": bus["voltage_pu"], "VA": bus["angle_deg"],
            "NVHI": bus["v_max_pu"], "NVLO": bus["v_min_pu"], "EVHI": bus["v_max_pu"], "EVLO": bus["v_min_pu"],
        }  # fmt: skip


def _name(bus: Mapping[Any, Any], number: Mapping[str, int]) -> str:
    """Return a bus's name; where it has none, the identifier that its number stands for."""
    renamed = str(number[bus["bus"]]) != bus["bus"]
    return str(bus["name"] or (bus["bus"] if renamed else ""))


def _load_rows(
    tables: NetworkTables, number: Mapping[str, int], areas: Mapping[str, int], zones: Mapping[str, int]
) -> Iterable[dict[str, Any]]:
    for bus in tables.buses.to_dict("records"):
        if bus["load_mw"] or bus["load_mvar"]:
            yield {
                "I": number[bus["bus"]], "ID": "1", "AREA": areas[bus["area"]], "ZONE": zones[bus["zone"]],
                "PL": bus["load_mw"], "QL": bus["load_mvar"],
            }  # fmt: skip


def _shunt_rows(tables: NetworkTables, number: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    for bus in tables.buses.to_dict("records"):
        if bus["shunt_mw"] or bus["shunt_mvar"]:
            yield {"I": number[bus["bus"]], "ID": "1", "GL": bus["shunt_mw"], "BL": bus["shunt_mvar"]}


def _unit_rows(tables: NetworkTables, number: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    wanted = [name.removeprefix(f"{bus}-") for name, bus in zip(tables.units["unit"], tables.units["bus"], strict=True)]
    ids = _short_ids(tables.units["bus"].tolist(), wanted)
    for unit, own in zip(tables.units.to_dict("records"), ids, strict=True):
        yield {
            "I": number[unit["bus"]], "ID": own, "PG": unit["p_mw"], "QG": unit["q_mvar"],
            "QT": _bounded(unit["q_max_mvar"]), "QB": _bounded(unit["q_min_mvar"]), "VS": unit["voltage_pu"],
            "MBASE": float(tables.base_mva), "STAT": int(unit["in_service"]), "PT": unit["p_max_mw"],
            "PB": unit["p_min_mw"],
        }  # fmt: skip


def _branches(tables: NetworkTables, number: Mapping[str, int], version: int, rows: dict[str, list[str]]) -> None:
    frame = tables.branches
    pairs = [min((a, b), (b, a)) for a, b in zip(frame["from_bus"], frame["to_bus"], strict=True)]
    for branch, circuit in zip(frame.to_dict("records"), _short_ids(pairs, frame["circuit"].tolist()), strict=True):
        ends = {"I": number[branch["from_bus"]], "J": number[branch["to_bus"]], "CKT": circuit}
        rates = {
            f"RATE{at}": 0.0 if not math.isfinite(value := branch[f"rating_{letter}_mw"]) else value
            for at, letter in enumerate("abc", 1)
        }
        status = {"STAT": int(branch["in_service"])}
        z = {"R": branch["resistance_pu"], "X": branch["reactance_pu"]}
        if branch["kind"] == "line" and branch["tap_ratio"] == 1 and branch["shift_deg"] == 0:
            line = ends | z | {"B": branch["charging_pu"]} | rates | status
            rows["branch"].append(_line("branch", version, line))
            continue
        winding = {"WINDV": branch["tap_ratio"], "ANG": branch["shift_deg"]} | rates
        pair = {"R12": z["R"], "X12": z["X"], "SBASE12": float(tables.base_mva)}
        rows["transformer"] += [
            _line("transformer", version, ends | {"K": 0} | status),
            _line("transformer impedance", version, pair, 3),
            _line("winding", version, winding),
            _line("winding", version, {"WINDV": 1.0}, 2),
        ]


def _line(kind: str, version: int, values: Mapping[str, Any], most: int | None = None) -> str:
    names = [name for name in layout(kind, version)[:most] if name not in {"ZCOD"} or version >= 35]
    cells = []
    for name in names:
        value = values.get(name, _DEFAULTS.get(name, "" if name in _TEXTS else 0))
        if name in _TEXTS:
            width = 2 if name in {"ID", "CKT"} else _NAME_LENGTH
            cells.append(f"'{_plain(str(value))[:width]:<{width}}'")
        else:
            cells.append(number_text(value) if isinstance(value, float) else str(value))
    return ",".join(cells)


def _numbers(ids: Sequence[str]) -> dict[str, int]:
    """Return each bus's number: its identifier if all are numbers that PSS/E takes, else its position from 1."""
    if all(re.fullmatch(r"[1-9]\d{0,5}", name) and int(name) <= _LARGEST_BUS for name in ids):
        return {name: int(name) for name in ids}
    return {name: position for position, name in enumerate(ids, 1)}


def _codes(names: Sequence[str]) -> dict[str, int]:
    """Return area or zone numbers: the names themselves if they are numbers, else in order of appearance."""
    distinct = list(dict.fromkeys(names))
    if all(re.fullmatch(r"[1-9]\d{0,3}", name) for name in distinct):
        return {name: int(name) for name in distinct}
    return {name: code for code, name in enumerate(distinct, 1)}


def _short_ids(groups: Sequence[Any], wanted: Sequence[str]) -> list[str]:
    """Return identifiers of one or two letters, unique within their group: the wanted ones where they are."""
    taken: dict[Any, set[str]] = {}
    short = [""] * len(wanted)
    for at, (group, name) in enumerate(zip(groups, wanted, strict=True)):
        used = taken.setdefault(group, set())
        if re.fullmatch(r"[A-Za-z0-9]{1,2}", name) and name not in used:
            used.add(name)
            short[at] = name
    for at, group in enumerate(groups):
        if not short[at]:
            short[at] = _free(taken[group])
            taken[group].add(short[at])
    return short


def _free(used: set[str]) -> str:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    candidates: list[str] = [*letters[1:], *(a + b for a in letters[1:] for b in letters)]
    for own in candidates:
        if own not in used:
            return own
    raise NetworkDataError("more than 1,295 parallel branches or units at one bus cannot be told apart in two letters")


def _bounded(value: float) -> float:
    return value if math.isfinite(value) else math.copysign(_NO_LIMIT, 1.0 if math.isnan(value) else value)


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() and sign not in "'\"" else " " for sign in text)
