"""What the Feeder page looks at: a case, an hour, a layer of the diagram and what is selected; all plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from components.format import number
from engine.distribution.feeder import Feeder, Link, Tree
from engine.distribution.frames import Frame, Integers, three_phase_buses

if TYPE_CHECKING:  # the engine's run brings solvers with it
    from engine.distribution.run import CaseRun, FeederRun

CaseKey = Literal["off", "on", "both", "difference"]

CASES: Mapping[str, str] = {
    "off": "Without SVG",
    "on": "With SVG",
    "both": "Side by side",
    "difference": "Difference",
}
PARTS: tuple[str, ...] = ("energy", "loss", "response", "voltage", "congestion")  # as engine.distribution.dlmp.PARTS
PART_WORDS: Mapping[str, str] = {
    "energy": "energy",
    "loss": "losses",
    "response": "response of loads",
    "voltage": "voltage limits",
    "congestion": "congestion",
}
LAYERS: Mapping[str, str] = {
    "phases": "Phases",
    "voltage": "Voltage, AC",
    "linear": "Voltage, linear",
    "error": "Linear less AC",
    "loading": "Loading",
    "price": "DLMP",
    "price_energy": "DLMP: energy",
    "price_loss": "DLMP: losses",
    "price_response": "DLMP: response",
    "price_voltage": "DLMP: voltage limits",
    "price_congestion": "DLMP: congestion",
    "reactive": "DLMP, reactive",
    "reactive_energy": "DLMP, reactive: energy",
    "reactive_loss": "DLMP, reactive: losses",
    "reactive_response": "DLMP, reactive: response",
    "reactive_voltage": "DLMP, reactive: voltage limits",
    "reactive_congestion": "DLMP, reactive: congestion",
    "vuf": "Unbalance (VUF)",
}
UNITS: Mapping[str, str] = {
    "phases": "",
    "voltage": "p.u.",
    "linear": "p.u.",
    "error": "p.u.",
    "loading": "%",
    "vuf": "%",
} | {
    key: "$/Mvarh" if key.startswith("reactive") else "$/MWh" for key in LAYERS if key.startswith(("price", "reactive"))
}
KINDS = ("bus", "link", "centre")  # what can be selected


@dataclass(frozen=True, slots=True)
class At:
    """What is looked at. ``selection`` is "bus:NAME", "link:NAME", "centre:NAME" or ""."""

    case: CaseKey = "off"
    hour: int = 0  # 0..T-1
    layer: str = "voltage"
    selection: str = ""


def cases_of(run: "FeederRun", at: At) -> "tuple[CaseRun, ...]":
    """Return the cases that are looked at, without static var generators first: one, or both where both are drawn."""
    if at.case in ("both", "difference") or len(run.cases) == 1:
        return run.cases
    wanted = run.case(svg=at.case == "on")
    return (wanted,) if wanted is not None else run.cases[:1]


def case_of(run: "FeederRun", at: At) -> "CaseRun":
    """Return the case that single numbers are of: the one drawn; with static var generators where both are."""
    return cases_of(run, at)[-1]


def case_key(case: "CaseRun") -> str:
    """Return "on" or "off"."""
    return "on" if case.svg else "off"


def case_words(case: "CaseRun") -> str:
    """Return a case in words."""
    return CASES[case_key(case)]


def case_said(case: "CaseRun") -> str:
    """Return a case within a sentence: ``with SVG``."""
    return f"with{'' if case.svg else 'out'} SVG"


def hour_of(run: "FeederRun", at: At) -> int:
    """Return the hour that is looked at, one that the run has."""
    return min(max(at.hour, 0), len(run.labels) - 1)


def selected(run: "FeederRun", at: At) -> tuple[str, str] | None:
    """Return kind and name of what is selected, None for nothing and for what this feeder does not have."""
    return chosen(run.feeder, at)


def chosen(feeder: Feeder, at: At) -> tuple[str, str] | None:
    """Return kind and name of what is selected of a feeder, None for nothing and for what it does not have."""
    kind, _, name = (at.selection or "").partition(":")
    known = {"bus": feeder.buses, "link": feeder.links, "centre": feeder.centres}.get(kind, ())
    return (kind, name) if any(row.name == name for row in known) else None


def bus_of(run: "FeederRun", at: At) -> str:
    """Return the bus that charts of one bus are about.

    That is the selected one, the lower end of a selected link, the bus of a selected data centre; with nothing
    selected that of the first data centre, else the source.
    """
    feeder, found = run.feeder, selected(run, at)
    if found is None:
        return feeder.centres[0].bus if feeder.centres else feeder.source_bus
    kind, name = found
    if kind == "bus":
        return name
    if kind == "centre":
        return next(row.bus for row in feeder.centres if row.name == name)
    return lower_end(run, next(row for row in feeder.links if row.name == name))


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A feeder as a drawing walks it: made once for a feeder."""

    nodes: tuple[tuple[str, str], ...]  # (N,), bus and member of the frame
    at_bus: Mapping[str, list[tuple[str, int]]]  # members and places of the nodes at each bus
    whole: tuple[str, ...]  # (B3,), the buses with all three members
    whole_nodes: Integers  # (B3, 3)
    tree: Tree
    above: Mapping[str, Link]  # the link that feeds a bus
    lower: Mapping[str, str]  # the end of a closed link that is farther from the source


def shape(run: "FeederRun") -> Shape:
    """Return the shape of a run's feeder."""
    return shape_of(run.feeder)


@lru_cache(maxsize=8)
def shape_of(feeder: Feeder) -> Shape:
    """Return the shape of a feeder."""
    frame, tree = Frame.of(feeder), feeder.tree()
    whole, places = three_phase_buses(frame)
    at_bus: dict[str, list[tuple[str, int]]] = {}
    for place, (bus, member) in enumerate(frame.nodes):
        at_bus.setdefault(bus, []).append((member, place))
    above = {bus: link for bus, link in zip(tree.buses, tree.links, strict=True) if link is not None}
    return Shape(frame.nodes, at_bus, whole, places, tree, above, {link.name: bus for bus, link in above.items()})


def lower_end(run: "FeederRun", link: Link) -> str:
    """Return the end of a link that is farther from the source; of an open switch its to bus."""
    return shape(run).lower.get(link.name, link.to_bus)


def nodes_of(run: "FeederRun", bus: str) -> list[tuple[str, int]]:
    """Return the members of the frame at a bus, and their places among the run's nodes."""
    return shape(run).at_bus.get(bus, [])


def frame_words(feeder: Feeder) -> str:
    """Return what a feeder's voltages belong to."""
    return "phase to earth" if feeder.wires == "four" else "between phases"


def member_words(feeder: Feeder, member: str) -> str:
    """Return one member of the frame in words."""
    return f"phase {member}" if feeder.wires == "four" else f"{member[0]} to {member[1]}"


def digits_of(layer: str) -> int:
    """Return how many decimals a value of a layer carries."""
    return {"voltage": 3, "linear": 3, "error": 5, "loading": 1, "vuf": 2, "phases": 0}.get(layer, 2)


def written(layer: str, value: float | None) -> str:
    """Return a value of a layer with its unit: ``0.953 p.u.``, ``24.32 $/MWh``."""
    unit = UNITS[layer]
    return f"{number(value, digits_of(layer))} {unit}".rstrip()
