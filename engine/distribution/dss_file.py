"""Feeders from OpenDSS scripts: the engine makes the circuit in a process of its own, and its elements become rows.

Read are what :mod:`engine.distribution.dss_script` lets through. A line's matrices are those of the engine's own
admittances, whatever units or geometry they came from. Powers of loads that vary with the voltage are brought to the
nominal voltage of their bus; a script turns them to impedances beyond its vminpu and vmaxpu (0.95 and 1.05 where it
says nothing), a feeder only below 0.6 and above 1.4 p.u. Notes say what was left out or is another thing here.
"""

import json
import math
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.distribution.dss_links import Links
from engine.distribution.dss_script import Script, read_script
from engine.distribution.feeder import (
    PAIRS,
    PHASES,
    Capacitor,
    Feeder,
    FeederBus,
    Generator,
    Line,
    Link,
    Load,
    LoadModel,
    Transformer,
)
from engine.errors import FileFormatError, Problem

_CHILD = Path(__file__).with_name("dss_child.py")
_CHILD_S = 60
_ONE = threading.Lock()  # scripts are read one at a time: each may take memory of gigabytes
_ZIP = 8
_ENGINE_RANGE = (0.95, 1.05)  # vminpu and vmaxpu of a load that says nothing of them
_NAMED = 5  # loads in a note
_MODELS: dict[int, LoadModel] = {1: "power", 2: "impedance", 5: "current"}
_EXPONENT = {"power": 0, "current": 1, "impedance": 2}


@dataclass(frozen=True, slots=True)
class DssImport:
    """A feeder from a script, and what is to be known of the reading; ``checks.check`` says what is wrong with it."""

    feeder: Feeder
    notes: tuple[Problem, ...]


@dataclass(slots=True)
class _Reading:
    """The rows as they come, and what could not be read."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    zip_loads: list[str] = field(default_factory=list)
    ranged: list[str] = field(default_factory=list)  # loads with a vminpu or vmaxpu of their own

    def refuse(self, element: Mapping[str, Any], text: str) -> None:
        what = f"{element['kind']} {element['name']}"
        self.problems.append(Problem("element", "error", f"{what} {text}", element=str(element["name"])))

    def note(self, code: str, text: str) -> None:
        self.notes.append(Problem(code, "warning", text))


def read_dss(files: Mapping[str, bytes], main: str = "") -> DssImport:
    """Return the feeder that the scripts in ``files`` (file name -> content) describe, from ``main`` on.

    Raises FileFormatError with every line that is not let through, or every element that a feeder cannot hold.
    """
    script = read_script(files, main)
    made = _made(script.commands)
    reading = _Reading()
    elements: dict[str, list[dict[str, Any]]] = {}
    for element in made["elements"]:
        elements.setdefault(element["kind"], []).append(element)
    links = Links(reading.refuse, reading.note)
    links.read(elements.get("line", []), elements.get("transformer", []), made["controls"])
    feeder = _feeder(elements, links, reading)
    if reading.problems or feeder is None:
        raise FileFormatError(reading.problems or "the script makes no source")
    _say_left_out(script, reading)
    times = float(made["load_multiplier"])
    loads = tuple(replace(load, kw=load.kw * times, kvar=load.kvar * times) for load in feeder.loads)
    buses = tuple(
        replace(bus, x=script.places[bus.name][0], y=script.places[bus.name][1]) if bus.name in script.places else bus
        for bus in feeder.buses
    )
    return DssImport(replace(feeder, loads=loads, buses=buses), tuple(reading.notes))


@contextmanager
def _released(lock: threading.Lock) -> Iterator[None]:
    """Give back a lock that is held."""
    try:
        yield
    finally:
        lock.release()


def _made(commands: list[str]) -> dict[str, Any]:
    """Return the elements of the circuit. Raises FileFormatError if the engine refuses it or does not end."""
    if not _ONE.acquire(timeout=_CHILD_S):
        raise FileFormatError("another script is being read; give yours again in a minute")
    with _released(_ONE), tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603 - our own file, run by our own interpreter
                [sys.executable, "-P", str(_CHILD)],
                input=json.dumps(commands).encode(),
                capture_output=True,
                timeout=_CHILD_S,
                check=False,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise FileFormatError(f"OpenDSS did not read the script within {_CHILD_S} s") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise FileFormatError("OpenDSS ended before it had read the script: it is damaged or too large") from None
    if "refusal" in answer:
        raise FileFormatError(f"OpenDSS refuses the script: {answer['refusal']}")
    return dict(answer)


def _feeder(elements: Mapping[str, list[dict[str, Any]]], links: Links, reading: _Reading) -> Feeder | None:
    """Return the feeder of the elements, or None where something was refused."""
    known = {"vsource", "line", "transformer", "load", "capacitor", "generator", "regcontrol"}
    for kind in elements.keys() - known:
        for element in elements[kind]:
            reading.refuse(element, "is of a class that is not read")
    sources = elements.get("vsource", [])
    for element in sources[1:]:
        reading.refuse(element, "is a second source; a feeder has one")
    if not sources:
        return None
    source, source_kv, behind = _source(sources[0], reading)
    all_links: tuple[Link, ...] = (*behind, *links.lines, *links.switches, *links.transformers, *links.regulators)
    kv = _voltages(source, source_kv, all_links)
    loads = [row for element in elements.get("load", []) for row in _loads(element, kv, reading)]
    capacitors = [row for element in elements.get("capacitor", []) for row in _capacitors(element, kv, reading)]
    _say_of_loads(reading)
    generators = [_generator(element) for element in elements.get("generator", [])]
    if generators:
        reading.note("generators", "generators have no costs in a script: they are 0 $/MWh until you set them")
    drawn: list[Load | Capacitor] = [*loads, *capacitors]
    between = all(len(row.phase) == 2 for row in drawn) and all(
        {row.from_connection, row.to_connection} == {"delta"} for row in links.transformers
    )
    return Feeder(
        name="OpenDSS feeder",
        wires="three" if between and loads else "four",
        source_bus=source,
        source_pu=float(sources[0]["properties"]["pu"]),
        buses=_buses(source, kv, all_links),
        lines=(*behind, *links.lines),
        switches=tuple(links.switches),
        transformers=tuple(links.transformers),
        regulators=tuple(links.regulators),
        loads=tuple(loads),
        capacitors=tuple(capacitors),
        generators=tuple(generators),
        base_kva=max(1000.0, sum(row.kva for row in links.transformers if row.from_bus == source)),
        origin="an OpenDSS script",
    )


def _source(element: Mapping[str, Any], reading: _Reading) -> tuple[str, float, tuple[Line, ...]]:
    """Return the bus of the ideal source, its kV, and the line that stands for the source's impedance."""
    told = {key: float(value) for key, value in element["properties"].items()}
    bus = element["buses"][0].split(".")[0]
    if element["phases"] != 3:
        reading.refuse(element, f"has {element['phases']} phases; a source has three")
    if told["angle"]:
        reading.note("angle", f"the source's angle of {told['angle']:g} degrees is read as 0: all angles turn with it")
    first, zero = complex(told["r1"], told["x1"]), complex(told["r0"], told["x0"])
    own, mutual = (2.0 * first + zero) / 3.0, (zero - first) / 3.0
    name = f"{bus} behind"
    rows = [[own if one == other else mutual for other in range(3)] for one in range(3)]
    nothing = ((0.0,) * 3,) * 3
    line = Line(
        f"source impedance of {bus}", name, bus, "abc", tuple(tuple(z.real for z in row) for row in rows),
        tuple(tuple(z.imag for z in row) for row in rows), nothing,
    )  # fmt: skip
    return name, told["basekv"], (line,)


def _voltages(source: str, source_kv: float, links: tuple[Link, ...]) -> dict[str, float]:
    """Return the nominal kV of every bus, from the source through the ratings of transformers."""
    at: dict[str, list[Link]] = {}
    for link in links:
        at.setdefault(link.from_bus, []).append(link)
        at.setdefault(link.to_bus, []).append(link)
    kv, waiting = {source: source_kv}, [source]
    while waiting:
        bus = waiting.pop()
        for link in at.get(bus, []):
            other = link.to_bus if link.from_bus == bus else link.from_bus
            if other not in kv:
                kv[other] = kv[bus]
                if isinstance(link, Transformer):
                    kv[other] = link.to_kv if other == link.to_bus else link.from_kv
                waiting.append(other)
    return kv


def _buses(source: str, kv: Mapping[str, float], links: tuple[Link, ...]) -> tuple[FeederBus, ...]:
    phases: dict[str, set[str]] = {source: set()}
    for link in links:
        for bus in (link.from_bus, link.to_bus):
            phases.setdefault(bus, set()).update(link.phases)
    # A bus that nothing joins to the source has no voltage to take; checks report it as an island.
    return tuple(
        FeederBus(name, kv.get(name, kv[source]), "".join(phase for phase in PHASES if phase in found))
        for name, found in phases.items()
    )


def _place(element: Mapping[str, Any]) -> tuple[str, list[int]]:
    """Return the bus of an element's first end, and the nodes it uses there, the earth left out."""
    nodes = element["nodes"][: element["conductors"]]
    return element["buses"][0].split(".")[0], [node for node in nodes if node]


def _members(element: Mapping[str, Any], reading: _Reading) -> list[str]:
    """Return the phases or pairs over which an element is spread evenly, none where it cannot be said."""
    _, nodes = _place(element)
    names = {at + 1: phase for at, phase in enumerate(PHASES)}
    if not nodes or any(node not in names for node in nodes):
        reading.refuse(element, f"is at nodes {nodes}; phases are nodes 1, 2 and 3")
        return []
    found = "".join(names[node] for node in nodes)
    delta = element["properties"]["conn"].lower().startswith(("d", "ll"))
    if len(found) == 1:
        return [found]
    if len(found) == 2 and (delta or element["phases"] == 1):
        return [pair for pair in PAIRS if set(pair) == set(found)]
    if len(set(found)) == len(found) and not (delta and len(found) < 3):
        return list(PAIRS) if delta else sorted(found)
    reading.refuse(element, f"is connected to {found} in a way that is not read")
    return []


def _rated(element: Mapping[str, Any], member: str, kv: float) -> float:
    """Return the rated voltage over the nominal one across a phase or pair. 0 kV stands for the nominal."""
    rated = float(element["properties"]["kv"])
    across = kv if len(member) == 2 else kv / math.sqrt(3.0)
    if element["phases"] > 1 and len(member) == 1:  # of several phases the voltage between two is told
        rated /= math.sqrt(3.0)
    return rated / across if rated > 0 else 1.0


def _loads(element: Mapping[str, Any], kv: Mapping[str, float], reading: _Reading) -> list[Load]:
    told = element["properties"]
    number = int(float(told["model"]))
    model = _MODELS.get(number, "current" if number == 4 else "power")
    name = element["name"]
    if number == _ZIP:
        reading.zip_loads.append(name)
    elif number not in _MODELS:
        reading.note("load-model", f"load {name} has the model {number}, which is read as constant {model}")
    if (float(told["vminpu"]), float(told["vmaxpu"])) != _ENGINE_RANGE and model != "impedance":
        reading.ranged.append(name)
    bus, _ = _place(element)
    members = _members(element, reading)
    power = complex(float(told["kw"]), float(told["kvar"])) / max(1, len(members))
    rows = []
    for member in members:
        # The script's power is that at the rated voltage, the row's that at the nominal one.
        at_nominal = power / _rated(element, member, kv.get(bus, 1.0)) ** _EXPONENT[model]
        label = name if len(members) == 1 else f"{name} {member}"
        rows.append(Load(label, bus, member, at_nominal.real, at_nominal.imag, model))
    return rows


def _say_of_loads(reading: _Reading) -> None:
    """Note the loads whose dependence on the voltage is another here."""
    if reading.zip_loads:
        listed = _listed(reading.zip_loads)
        reading.note("load-model", f"ZIP loads {listed} are read as one model, constant power at any voltage")
    if reading.ranged:
        reading.note(
            "load-range",
            f"loads {_listed(reading.ranged)} have a vminpu or vmaxpu of their own; here a load keeps its model "
            "between 0.6 and 1.4 p.u.",
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more} ({len(names)})"


def _capacitors(element: Mapping[str, Any], kv: Mapping[str, float], reading: _Reading) -> list[Capacitor]:
    told = element["properties"]
    second = element["buses"][1].split(".") if len(element["buses"]) > 1 else ["", "0"]
    if len(second) < 2 or any(node != "0" for node in second[1:]):
        delta = told["conn"].lower().startswith(("d", "ll"))
        if not delta:
            reading.refuse(
                element, "is in series or to another bus; capacitors to the earth or between phases are read"
            )
            return []
    steps = np.array([float(part) for part in told["kvar"].strip("[] ").replace(",", " ").split()])
    states = np.array([float(part) for part in told["states"].strip("[] ").replace(",", " ").split()])
    bus, _ = _place(element)
    members = _members(element, reading)
    kvar = float((steps * states[: len(steps)]).sum()) / max(1, len(members))
    label = element["name"]
    return [
        Capacitor(label if len(members) == 1 else f"{label} {member}", bus, member,
                  kvar / _rated(element, member, kv.get(bus, 1.0)) ** 2)
        for member in members
        if kvar
    ]  # fmt: skip


def _generator(element: Mapping[str, Any]) -> Generator:
    bus, nodes = _place(element)
    told = element["properties"]
    phases = "".join(PHASES[node - 1] for node in sorted(set(nodes)) if node <= 3)
    kvar = abs(float(told["kvar"]))
    return Generator(element["name"], bus, float(told["kw"]), phases, q_min_kvar=-kvar, q_max_kvar=kvar)


def _say_left_out(script: Script, reading: _Reading) -> None:
    if script.left_out:
        listed = ", ".join(f"{what} ({count})" for what, count in sorted(script.left_out.items()))
        reading.note("left-out", f"what measures, protects or varies over time was left out: {listed}")
