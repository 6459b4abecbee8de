"""Named feeders: four test feeders of the IEEE from our own tables of their facts, and a toy of two buses."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from engine.distribution.feeder import (
    PAIRS,
    PHASES,
    Capacitor,
    Feeder,
    FeederBus,
    Line,
    Load,
    LoadModel,
    Regulator,
    RegulatorControl,
    Rows,
    Switch,
    Transformer,
)
from engine.errors import NetworkDataError

_FEET_PER_MILE = 5280.0
_STEP = 0.1 / 16  # a tap of a regulator: 32 of them from -10 % to +10 %
_MODELS: dict[str, LoadModel] = {"PQ": "power", "I": "current", "Z": "impedance"}
# A load spread evenly along a line draws and loses as much as two thirds of it at a quarter of the line and one third
# at its end: Kersting, Distribution System Modeling and Analysis, section 3.5.
_FIRST_SHARE, _FIRST_PLACE = 2 / 3, 0.25


@dataclass(frozen=True, slots=True)
class NamedFeeder:
    """A feeder of the library, as a list of examples shows it."""

    key: str
    title: str
    description: str
    licence: str
    source: str


_IEEE = (
    "IEEE PES Distribution Test Feeder Working Group, Radial Distribution Test Feeders (W. H. Kersting, IEEE Trans. "
    "Power Syst. 6(3), 1991, and the report of 2000); numbers compared with the test cases of OpenDSS and GridLAB-D"
)
_FACTS = "own table of published numbers"

NAMED: tuple[NamedFeeder, ...] = (
    NamedFeeder(
        "ieee37", "IEEE 37", "4.8 kV in California, three wires underground, open-delta regulator", _FACTS, _IEEE
    ),
    NamedFeeder("ieee13", "IEEE 13", "4.16 kV, short and heavily loaded, every kind of load", _FACTS, _IEEE),
    NamedFeeder(
        "ieee34", "IEEE 34", "24.9 kV in Arizona, long and lightly loaded, two regulators in line", _FACTS, _IEEE
    ),
    NamedFeeder("ieee123", "IEEE 123", "4.16 kV with four regulators, capacitors and tie switches", _FACTS, _IEEE),
    NamedFeeder("two-bus", "Two buses", "One phase, one line, one load: prices by hand", "own example", "ours"),
)
_BY_KEY = {named.key: named for named in NAMED}


def named(key: str) -> NamedFeeder:
    """Return the entry of the library under ``key``. Raises NetworkDataError naming a key that is not there."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise NetworkDataError(f"the library has no feeder {key!r}; it has {', '.join(_BY_KEY)}") from None


@lru_cache(maxsize=len(NAMED))
def load(key: str) -> Feeder:
    """Return a named feeder, read once and shared. Raises NetworkDataError for a key that is not in the library."""
    entry = named(key)
    text = resources.files("engine.data").joinpath("feeders", f"{key}.json").read_text(encoding="utf-8")
    facts = json.loads(text)
    origin = f"{entry.source}. Licence: {entry.licence}."
    return _feeder(facts, entry.title, origin)


def _feeder(facts: dict[str, Any], title: str, origin: str) -> Feeder:
    """Return the feeder that a table of facts describes: distributed loads get a bus of their own on their line."""
    lines = _lines(facts)
    switches = tuple(
        Switch(f"{start}-{end}", start, end, phases, state == "closed")
        for start, end, phases, state in facts["switches"]
    )
    transformers = tuple(_transformer(row) for row in facts["transformers"])
    regulators = tuple(_regulator(row) for row in facts["regulators"])
    capacitors = tuple(
        Capacitor(f"{bus}{phase}", bus, phase, float(kvar))
        for bus, *each in facts["capacitors"]
        for phase, kvar in zip(PHASES, each, strict=True)
        if kvar
    )
    return Feeder(
        name=title,
        wires=facts["wires"],
        source_bus=facts["source_bus"],
        source_pu=float(facts["source_pu"]),
        base_kva=float(facts["base_kva"]),
        buses=_buses(facts, (*lines, *switches, *transformers, *regulators)),
        lines=lines,
        switches=switches,
        transformers=transformers,
        regulators=regulators,
        loads=(*_spot_loads(facts), *_distributed_loads(facts)),
        capacitors=capacitors,
        origin=origin,
    )


def _buses(facts: dict[str, Any], links: tuple[Line | Switch | Transformer | Regulator, ...]) -> tuple[FeederBus, ...]:
    """Return the buses that the links name, the source first, with the phases that come to each."""
    phases: dict[str, set[str]] = {facts["source_bus"]: set()}
    for link in links:
        phases.setdefault(link.from_bus, set()).update(link.phases)
        phases.setdefault(link.to_bus, set()).update(link.phases)
    kv = facts["other_kv"]
    return tuple(
        FeederBus(name, float(kv.get(name, facts["kv"])), "".join(phase for phase in PHASES if phase in found))
        for name, found in phases.items()
    )


def _lines(facts: dict[str, Any]) -> tuple[Line, ...]:
    split = {(start, end) for start, end, *_ in facts["distributed_loads"]}
    made = []
    for start, end, feet, configuration in facts["lines"]:
        parts = [(f"{start}-{end}", start, end, 1.0)]
        if (start, end) in split:
            on = _on_line(start, end)
            parts = [
                (f"{start}-{end} first quarter", start, on, _FIRST_PLACE),
                (f"{start}-{end} rest", on, end, 1.0 - _FIRST_PLACE),
            ]
        of = facts["configurations"][str(configuration)]
        for name, one, other, share in parts:
            miles = feet * share / _FEET_PER_MILE
            made.append(
                Line(
                    name, one, other, of["phases"], _full(of["r"], miles), _full(of["x"], miles), _full(of["b"], miles)
                )
            )
    return tuple(made)


def _full(upper: list[list[float]], miles: float) -> Rows:
    """Return the symmetric matrix of the upper triangle ``upper``, per mile, times ``miles``."""
    count = len(upper)
    return tuple(
        tuple(upper[min(row, column)][abs(row - column)] * miles for column in range(count)) for row in range(count)
    )


def _transformer(row: list[Any]) -> Transformer:
    name, start, end, kva, from_kv, to_kv, from_connection, to_connection, r_percent, x_percent = row
    rated = float(kva), float(from_kv), float(to_kv)
    return Transformer(name, start, end, *rated, from_connection, to_connection, r_percent / 100, x_percent / 100)


def _regulator(row: dict[str, Any]) -> Regulator:
    told = row["control"]
    control = RegulatorControl(
        float(told["level_v"]), float(told["band_v"]), float(told["pt_ratio"]), float(told["ct_a"]),
        tuple(map(float, told["r_v"])), tuple(map(float, told["x_v"])), told["monitored"],
    )  # fmt: skip
    ratios = tuple(1.0 + _STEP * tap for tap in row["taps"])
    return Regulator(row["name"], row["from"], row["to"], tuple(row["regulated"]), ratios, None, control)


def _spot_loads(facts: dict[str, Any]) -> list[Load]:
    return [load for bus, *told in facts["spot_loads"] for load in _loads(bus, bus, 1.0, *told)]


def _distributed_loads(facts: dict[str, Any]) -> list[Load]:
    return [
        load
        for start, end, *told in facts["distributed_loads"]
        for bus, share in ((_on_line(start, end), _FIRST_SHARE), (end, 1.0 - _FIRST_SHARE))
        for load in _loads(f"{start}-{end} at {bus}", bus, share, *told)
    ]


def _on_line(start: str, end: str) -> str:
    return f"{start}/{end}"


def _loads(name: str, bus: str, share: float, connection: str, model: str, *powers: float) -> list[Load]:
    """Return a load for each phase, or pair, that draws anything."""
    places = PHASES if connection == "Y" else PAIRS
    return [
        Load(f"{name} {place}", bus, place, kw * share, kvar * share, _MODELS[model])
        for place, kw, kvar in zip(places, powers[::2], powers[1::2], strict=True)
        if kw or kvar
    ]
