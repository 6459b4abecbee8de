"""A feeder as the commands that make its circuit in OpenDSS.

Buses are called b0, b1, ... by their rows, so no name of the user's reaches the engine. Switches and the stages of
regulators, which are ideal here, get impedances too small to be seen in a voltage (below 1e-6 p.u.).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from engine.distribution.feeder import (
    PHASES,
    Feeder,
    Line,
    Link,
    Regulator,
    RegulatorControl,
    Rows,
    Switch,
    Transformer,
)

NODE_OF = {phase: at + 1 for at, phase in enumerate(PHASES)}
_HERTZ = 60.0  # a choice: only susceptances are told to the engine as capacitances, and are the same again at it
_MODEL = {"power": 1, "impedance": 2, "current": 5}
_SWITCH_OHM = 1e-6
_STAGE_PERCENT = 1e-4
_SOURCE_PU = 1e-7  # on 100 MVA
LOWEST_PU, HIGHEST_PU = 0.6, 1.4  # beyond, a load is an impedance: nothing else has a solution at 0 V


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the circuit that is a link, or a part of one."""

    name: str  # as the engine calls it
    link: int  # row in the feeder's links


@dataclass(frozen=True, slots=True)
class Tap:
    """One transformer whose tap is that of a regulator."""

    transformer: str
    regulator: int  # row
    places: tuple[int, ...]  # which of its ratios


@dataclass(frozen=True, slots=True)
class Circuit:
    """The commands, the last of which solves, and what they made."""

    commands: tuple[str, ...]
    elements: tuple[Element, ...]
    taps: tuple[Tap, ...]


def circuit(
    feeder: Feeder,
    drawn: Iterable[tuple[str, str, complex, str]],
    *,
    constant_power: bool = False,
    move_taps: bool = False,
) -> Circuit:
    """Return the circuit of ``feeder`` with what is drawn: bus, phase or pair, kVA, and what stays with the voltage."""
    network = _network(feeder, move_taps)
    nodes = _Nodes(feeder)
    commands = list(network.commands)
    for bus, phase, kva, model in drawn:
        if kva:
            told = _MODEL["power" if constant_power else model]
            power = f"kw={kva.real!r} kvar={kva.imag!r} model={told} vminpu={LOWEST_PU} vmaxpu={HIGHEST_PU}"
            commands.append(f"new load.d{len(commands)} {nodes.shunt(bus, phase)} {power}")
    commands += [
        "set tolerance=1e-9 maxiterations=500 maxcontroliter=200",
        f"set controlmode={'static' if move_taps else 'off'}",
        "solve",
    ]
    return Circuit(tuple(commands), network.elements, network.taps)


@lru_cache(maxsize=8)  # every hour of a day has the same
def _network(feeder: Feeder, move_taps: bool) -> Circuit:
    """Return what is the same in every hour: the source, the links and the capacitors."""
    maker = _Maker(feeder, move_taps=move_taps)
    for link in feeder.links:
        maker.link(link)
    for at, row in enumerate(feeder.capacitors):
        maker.commands.append(f"new capacitor.c{at} {maker.nodes.shunt(row.bus, row.phase)} kvar={row.kvar!r}")
    return Circuit(tuple(maker.commands), tuple(maker.elements), tuple(maker.taps))


class _Nodes:
    """Buses and phases in the engine's words."""

    def __init__(self, feeder: Feeder) -> None:
        self.row = {bus.name: at for at, bus in enumerate(feeder.buses)}
        self.kv = {bus.name: bus.kv for bus in feeder.buses}

    def at(self, bus: str, phases: str) -> str:
        """Return "b3.1.2" for phases a and b of the bus in row 3."""
        return f"b{self.row[bus]}." + ".".join(str(NODE_OF[phase]) for phase in phases)

    def shunt(self, bus: str, phase: str) -> str:
        """Return where and how a load or capacitor is connected: a phase to the earth, or two phases."""
        kv = self.kv[bus]
        rated, connection = (kv, "delta") if len(phase) == 2 else (kv / math.sqrt(3.0), "wye")
        return f"bus1={self.at(bus, phase)} phases=1 conn={connection} kv={rated!r}"


class _Maker:
    """The commands as they grow."""

    def __init__(self, feeder: Feeder, *, move_taps: bool) -> None:
        self.feeder, self.move_taps, self.nodes = feeder, move_taps, _Nodes(feeder)
        self.elements: list[Element] = []
        self.taps: list[Tap] = []
        self.at = -1  # row of the link that is made
        # The engine's source has the angle of phase a to earth: ab leads it by 30 degrees.
        angle = 0.0 if feeder.wires == "four" else -30.0
        self.commands = [
            f"set defaultbasefrequency={_HERTZ}",
            f"new circuit.feeder bus1={self.nodes.at(feeder.source_bus, 'abc')} phases=3 "
            f"basekv={self.nodes.kv[feeder.source_bus]!r} pu={feeder.source_pu!r} angle={angle} "
            f"model=ideal puzideal=[{_SOURCE_PU} {_SOURCE_PU}]",
        ]

    def link(self, link: Link) -> None:
        """Add a link; an open switch is nothing."""
        self.at += 1
        if isinstance(link, Line):
            farads = 1000.0 / (2.0 * math.pi * _HERTZ)  # nF per microsiemens
            self._wire(link, link.phases, (_matrix(link.r_ohm), _matrix(link.x_ohm), _matrix(link.b_us, farads)))
        elif isinstance(link, Switch):
            if link.closed:
                self._short(link, link.phases)
        elif isinstance(link, Transformer):
            self._transformer(link)
        else:
            self._regulator(link)

    def _short(self, link: Link, phases: str) -> None:
        """Join phases of a link's ends without loss."""
        count = len(phases)
        nothing = tuple((0.0,) * count for _ in range(count))
        small = tuple(tuple(_SWITCH_OHM * (one == other) for other in range(count)) for one in range(count))
        self._wire(link, phases, (_matrix(small), _matrix(nothing), _matrix(nothing)))

    def _wire(self, link: Link, phases: str, matrices: tuple[str, str, str]) -> None:
        name = f"line.l{self.at}"
        self.commands.append(
            f"new {name} bus1={self.nodes.at(link.from_bus, phases)} bus2={self.nodes.at(link.to_bus, phases)} "
            f"phases={len(phases)} length=1 rmatrix={matrices[0]} xmatrix={matrices[1]} cmatrix={matrices[2]}"
        )
        self.elements.append(Element(name, self.at))

    def _unit(self, link: Link, phases: str, told: str) -> str:
        """Add a transformer of two windings and return its name."""
        name = f"t{self.at}{phases}"
        ends = f"{self.nodes.at(link.from_bus, phases)} {self.nodes.at(link.to_bus, phases)}"
        self.commands.append(f"new transformer.{name} windings=2 buses=[{ends}] {told}")
        self.elements.append(Element(f"transformer.{name}", self.at))
        return name

    def _transformer(self, link: Transformer) -> None:
        """Add a bank of three phases as one, and fewer phases as single-phase units to earth."""
        three = len(link.phases) == 3
        groups = [link.phases] if three else list(link.phases)
        rated = [kv if three else kv / math.sqrt(3.0) for kv in (link.from_kv, link.to_kv)]
        # The engine lets the lower voltage lag between wye and delta; here the to side always does.
        turn = " leadlag=euro" if link.to_kv > link.from_kv else ""
        floating = "delta" in (link.from_connection, link.to_connection)
        kva, r_percent = link.kva / len(groups), 50.0 * link.r_pu
        for group in groups:
            told = (
                f"phases={len(group)} conns=[{link.from_connection} {link.to_connection}] "
                f"kvs=[{rated[0]!r} {rated[1]!r}] kvas=[{kva!r} {kva!r}] xhl={100.0 * link.x_pu!r} "
                f"%rs=[{r_percent!r} {r_percent!r}] taps=[1 {link.tap!r}] maxtap=10 mintap=0.01 "
                f"ppm_antifloat={int(floating)}{turn}"
            )
            self._unit(link, group, told)

    def _regulator(self, link: Regulator) -> None:
        """Add a single-phase unit for each ratio, or one of all phases where one of them moves all."""
        controlled = link.control if self.move_taps else None
        ganged = controlled is not None and bool(controlled.monitored) and not link.open_delta
        groups = ["".join(link.regulated)] if ganged else list(link.regulated)
        kv, kva = self.nodes.kv[link.from_bus], self.feeder.base_kva
        connection = "delta" if link.open_delta else "wye"
        for position, group in enumerate(groups):
            rated = kv if link.open_delta or len(group) > 1 else kv / math.sqrt(3.0)
            told = (
                f"phases={1 if link.open_delta else len(group)} conns=[{connection} {connection}] "
                f"kvs=[{rated!r} {rated!r}] kvas=[{kva!r} {kva!r}] xhl={_STAGE_PERCENT} %rs=[0 0] "
                f"taps=[1 {link.ratios[position]!r}] maxtap=1.1 mintap=0.9 numtaps=32 ppm_antifloat=0"
            )
            name = self._unit(link, group, told)
            if controlled is not None:
                self._control(name, controlled, position, ganged=ganged)
                places = tuple(range(len(link.regulated))) if ganged else (position,)
                self.taps.append(Tap(name, self.feeder.regulators.index(link), places))
        if link.open_delta:
            (through,) = set(link.regulated[0]) & set(link.regulated[1])
            self._short(link, through)

    def _control(self, name: str, control: RegulatorControl, position: int, *, ganged: bool) -> None:
        seen = f" ptphase={NODE_OF[control.monitored]}" if ganged else ""
        self.commands.append(
            f"new regcontrol.{name} transformer={name} winding=2 vreg={control.level_v!r} band={control.band_v!r} "
            f"ptratio={control.pt_ratio!r} ctprim={control.ct_a!r} r={control.r_v[position]!r} "
            f"x={control.x_v[position]!r}{seen}"
        )


def _matrix(rows: Rows, times: float = 1.0) -> str:
    return "[" + " | ".join(" ".join(repr(value * times) for value in row) for row in rows) + "]"
