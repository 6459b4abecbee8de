"""An AC power flow for tests: the backward-forward sweep, in volts, amperes and ohms of the phases to earth.

It shares nothing with the engine but the tables: no frame, no per unit, no matrix of a whole feeder. On a three-wire
feeder the phases are those to the middle of the source; loads hang between them.
Source: Kersting, *Distribution System Modeling and Analysis*, 4th ed., ch. 10.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.distribution.feeder import Feeder, Line, Link, Regulator, Switch, Transformer

ORDER = "abc"
ROOT3 = np.sqrt(3.0)
EXPONENT = {"power": 0.0, "current": 1.0, "impedance": 2.0}


@dataclass(frozen=True)
class Swept:
    volts: dict[str, np.ndarray]  # (3,) complex, to earth
    amperes: dict[str, np.ndarray]  # (3,) into each bus from above
    source_kva: complex
    loss_kva: complex

    def per_unit(self, feeder: Feeder) -> dict[str, dict[str, complex]]:
        base = {bus.name: bus.kv * 1000.0 / ROOT3 for bus in feeder.buses}
        return {
            name: {phase: complex(volts[at] / base[name]) for at, phase in enumerate(ORDER)}
            for name, volts in self.volts.items()
        }


def sweep(feeder: Feeder, scale: float = 1.0, devices: Iterable[tuple[str, str, complex]] = ()) -> Swept:
    """Solve for loads times ``scale`` and constant powers (bus, phases, kVA drawn), equal on their phases or pairs."""
    tree = feeder.tree()
    kv = {bus.name: bus.kv for bus in feeder.buses}
    angles = np.exp(2j * np.pi / 3.0 * np.array([0, -1, 1]))
    source = feeder.source_pu * kv[feeder.source_bus] * 1000.0 / ROOT3 * angles
    volts = {name: source * kv[name] / kv[feeder.source_bus] for name in tree.buses}
    children: dict[str, list[int]] = {name: [] for name in tree.buses}
    for at, parent in enumerate(tree.parents):
        if parent >= 0:
            children[tree.buses[parent]].append(at)
    loads = [
        *((row.bus, row.phase, scale * complex(row.kw, row.kvar), EXPONENT[row.model]) for row in feeder.loads),
        *((row.bus, row.phase, complex(0.0, -row.kvar), 2.0) for row in feeder.capacitors),
        *((bus, part, kva / len(feeder.spread(on)), 0.0) for bus, on, kva in devices for part in feeder.spread(on)),
    ]
    below: dict[str, np.ndarray] = {}
    into: dict[str, np.ndarray] = {}
    for _ in range(400):
        drawn = {name: np.zeros(3, dtype=complex) for name in tree.buses}
        for bus, *load in loads:
            draw(drawn[bus], volts[bus], kv[bus], tuple(load))
        for at in range(len(tree.buses) - 1, 0, -1):
            name, link = tree.buses[at], tree.links[at]
            upper = tree.buses[tree.parents[at]]
            if isinstance(link, Line):
                drawn[name] += 0.5 * charging(link) @ volts[name]
            below[name] = drawn[name].copy()
            into[name] = backward(link, drawn[name])
            drawn[upper] += into[name]
            if isinstance(link, Line):
                drawn[upper] += 0.5 * charging(link) @ volts[upper]
        change = 0.0
        for at in range(1, len(tree.buses)):
            name, upper = tree.buses[at], tree.buses[tree.parents[at]]
            new = forward(tree.links[at], volts[upper], below[name])
            change = max(change, np.abs(new - volts[name]).max() / kv[name] / 1000.0)
            volts[name] = new
        if change < 1e-13:
            break
    else:
        raise AssertionError("the sweep does not settle")
    root = feeder.source_bus
    loss = sum(volts[tree.buses[tree.parents[at]]] @ np.conj(into[n]) - volts[n] @ np.conj(below[n])
               for at, n in enumerate(tree.buses) if at)  # fmt: skip
    return Swept(volts, into, complex(volts[root] @ np.conj(drawn[root])) / 1000.0, complex(loss) / 1000.0)


def draw(amperes: np.ndarray, volts: np.ndarray, kv: float, load: tuple[str, complex, float]) -> None:
    phase, kva, exponent = load
    places = [ORDER.index(letter) for letter in phase]
    across = volts[places[0]] - (volts[places[1]] if len(places) == 2 else 0.0)
    nominal = kv * 1000.0 / (1.0 if len(places) == 2 else ROOT3)
    current = np.conj(1000.0 * kva * (abs(across) / nominal) ** exponent / across)
    amperes[places[0]] += current
    if len(places) == 2:
        amperes[places[1]] -= current


def full(link: Line, rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    places = [ORDER.index(letter) for letter in link.phases]
    matrix = np.zeros((3, 3))
    matrix[np.ix_(places, places)] = rows
    return matrix


def charging(link: Line) -> np.ndarray:
    return 1e-6j * full(link, link.b_us)


def ratios(link: Regulator) -> np.ndarray:
    """To-side phase voltages from those of the from side."""
    matrix = np.eye(3)
    if not link.open_delta:
        for phase, ratio in zip(link.regulated, link.ratios, strict=True):
            matrix[ORDER.index(phase), ORDER.index(phase)] = ratio
        return matrix
    (common,) = set.intersection(*(set(pair) for pair in link.regulated))
    shared = ORDER.index(common)
    for pair, ratio in zip(link.regulated, link.ratios, strict=True):
        (own,) = set(pair) - {common}
        matrix[ORDER.index(own)] = 0.0
        matrix[ORDER.index(own), ORDER.index(own)] = ratio
        matrix[ORDER.index(own), shared] = 1.0 - ratio
    return matrix


def turns(link: Transformer) -> np.ndarray:
    if link.from_connection == link.to_connection:
        floating = 1.0 / 3.0 if link.to_connection == "delta" else 0.0  # a delta passes no zero sequence
        return (np.eye(3) - floating) * link.tap * link.to_kv / link.from_kv
    lagging = np.array([[1, 0, -1], [-1, 1, 0], [0, -1, 1]]) / ROOT3
    return lagging * link.tap * link.to_kv / link.from_kv


def backward(link: Link | None, amperes: np.ndarray) -> np.ndarray:
    if isinstance(link, Regulator):
        return ratios(link).T @ amperes
    if isinstance(link, Transformer):
        return turns(link).T @ amperes
    return amperes


def forward(link: Link | None, volts: np.ndarray, amperes: np.ndarray) -> np.ndarray:
    if isinstance(link, Line):
        return volts - (full(link, link.r_ohm) + 1j * full(link, link.x_ohm)) @ amperes
    if isinstance(link, Regulator):
        return ratios(link) @ volts
    if isinstance(link, Transformer):
        share = len(link.phases) / 3.0
        ohm = complex(link.r_pu, link.x_pu) * link.to_kv**2 * 1000.0 / link.kva * share
        return turns(link) @ volts - ohm * amperes
    assert isinstance(link, Switch)
    return volts
