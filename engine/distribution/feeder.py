"""A radial distribution feeder of three phases: its rows as they are written in tables, and the tree they make.

Tables carry kW, kvar, kV, ohm and microsiemens. A four-wire feeder is described between its phases and the earth,
a three-wire one between its phases: ``Feeder.frame`` gives the names of what a voltage and a power belong to.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.errors import NetworkDataError, Problem

PHASES = ("a", "b", "c")
PAIRS = ("ab", "bc", "ca")

Wires = Literal["four", "three"]
Connection = Literal["wye", "delta"]
LoadModel = Literal["power", "current", "impedance"]
Rows = tuple[tuple[float, ...], ...]  # a square matrix, row by row


@dataclass(frozen=True, slots=True)
class FeederBus:
    """A place where things are connected."""

    name: str
    kv: float  # nominal, between two phases
    phases: str = "abc"
    x: float | None = None  # place in a drawing, any unit, upwards
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An overhead line or a cable, its neutral reduced into the matrices; they are of the whole length."""

    name: str
    from_bus: str
    to_bus: str
    phases: str
    r_ohm: Rows  # in the order of `phases`, as both others
    x_ohm: Rows
    b_us: Rows  # susceptance to earth, half of it at each end
    rating_a: float | None = None  # of each phase; None: no limit


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch: nothing is lost in it."""

    name: str
    from_bus: str
    to_bus: str
    phases: str = "abc"
    closed: bool = True
    rating_a: float | None = None  # of each phase; None: no limit


@dataclass(frozen=True, slots=True)
class Transformer:
    """A transformer or a bank of them; a wye has its neutral on the earth.

    Between wye and delta, either way, the to side lags by 30 degrees.
    """

    name: str
    from_bus: str
    to_bus: str
    kva: float  # of the whole bank
    from_kv: float  # rated, between two phases, as `to_kv`; of one phase too
    to_kv: float
    from_connection: Connection
    to_connection: Connection
    r_pu: float  # of its own kVA and both windings together
    x_pu: float
    phases: str = "abc"
    tap: float = 1.0  # voltage of the to side over what the rated ratio gives


@dataclass(frozen=True, slots=True)
class RegulatorControl:
    """What moves a regulator's taps: the voltage at the end of a compensated drop, kept in a band."""

    level_v: float  # of the instrument's 120
    band_v: float  # whole width
    pt_ratio: float
    ct_a: float  # primary current for the rated current of the compensator
    r_v: tuple[float, ...]  # compensator, for each regulated phase or pair
    x_v: tuple[float, ...]
    monitored: str = ""  # the phase or pair that moves all taps together; empty: each its own


@dataclass(frozen=True, slots=True)
class Regulator:
    """Single-phase regulators at one place, without impedance; they raise the to side."""

    name: str
    from_bus: str
    to_bus: str
    regulated: tuple[str, ...]  # ("a", "b", "c"), ("a",), ... to earth; ("ab", "cb") between phases: open delta
    ratios: tuple[float, ...]  # of `regulated`: to side over from side
    rating_a: float | None = None
    control: RegulatorControl | None = None

    @property
    def open_delta(self) -> bool:
        """Return whether two regulators between phases serve all three."""
        return len(self.regulated[0]) == 2

    @property
    def phases(self) -> str:
        """Return the phases that go through, in the order a, b, c."""
        return "".join(phase for phase in PHASES if any(phase in each for each in self.regulated))


Link = Line | Switch | Transformer | Regulator


@dataclass(frozen=True, slots=True)
class Load:
    """A load on one phase to earth, or between two phases; its power is that at nominal voltage."""

    name: str
    bus: str
    phase: str  # "a", "b", "c": wye; "ab", "bc", "ca": delta
    kw: float
    kvar: float
    model: LoadModel = "power"  # what stays as the voltage changes

    @property
    def connection(self) -> Connection:
        """Return wye for a phase to earth, delta for a pair."""
        return "wye" if len(self.phase) == 1 else "delta"


@dataclass(frozen=True, slots=True)
class Capacitor:
    """A capacitor on one phase to earth, or between two phases."""

    name: str
    bus: str
    phase: str  # as a load's
    kvar: float  # given at nominal voltage

    @property
    def connection(self) -> Connection:
        """Return wye for a phase to earth, delta for a pair."""
        return "wye" if len(self.phase) == 1 else "delta"


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator or an inverter, equal on its phases (between them, on a three-wire feeder)."""

    name: str
    bus: str
    p_max_kw: float  # all phases together, as every limit here
    phases: str = "abc"
    p_min_kw: float = 0.0
    q_min_kvar: float = 0.0
    q_max_kvar: float = 0.0
    s_kva: float | None = None  # the circle that p and q stay in; None: none
    cost_per_mwh: float = 0.0  # of the first MWh
    slope_per_mw2h: float = 0.0  # how much dearer each further MW makes a MWh


@dataclass(frozen=True, slots=True)
class Compensator:
    """A static var generator: it gives or takes reactive power on each phase by itself."""

    name: str
    bus: str
    kvar: float  # most on each phase (pair, on a three-wire feeder), either way
    phases: str = "abc"
    in_service: bool = True


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery beside a data centre."""

    energy_kwh: float
    power_kw: float  # either way, at the terminals
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    initial_share: float = 0.5  # of the energy, before the first hour
    final_share: float | None = None  # after the last hour; None: as much as at the beginning

    @property
    def end_share(self) -> float:
        """Return the share of the energy that is held after the last hour."""
        return self.initial_share if self.final_share is None else self.final_share


@dataclass(frozen=True, slots=True)
class DataCentre:
    """A data centre: it draws ``pue * (idle_kw + kw_per_work * work)``, equal on its phases."""

    name: str
    bus: str
    idle_kw: float
    kw_per_work: float
    work_cap: float  # most work in an hour
    pue: float = 1.2
    power_factor: float = 0.95  # lagging
    phases: str = "abc"
    ramp_kw: float | None = None  # most change of the draw from one hour to the next; None: no limit
    battery: Battery | None = None

    @property
    def kvar_per_kw(self) -> float:
        """Return the reactive power it draws with each kW."""
        return math.sqrt(1.0 - self.power_factor**2) / self.power_factor

    @property
    def most_kw(self) -> float:
        """Return what it draws at full work."""
        return self.pue * (self.idle_kw + self.kw_per_work * self.work_cap)


Device = Load | Capacitor | Generator | Compensator | DataCentre


@dataclass(frozen=True, slots=True)
class Tree:
    """The closed links of a radial feeder, from the source down: every bus after the one that feeds it."""

    buses: tuple[str, ...]  # (B,), the source first
    parents: tuple[int, ...]  # (B,), position in `buses` of the bus above; -1 for the source
    links: tuple[Link | None, ...]  # (B,), what joins a bus to the one above; None for the source
    downward: tuple[bool, ...]  # (B,), False where the link's `to_bus` is the upper end


@dataclass(frozen=True, slots=True)
class Feeder:
    """A feeder as it is written in tables. Nothing is checked here: ``checks.check`` says what is wrong."""

    name: str
    wires: Wires  # four: with an earthed neutral; three: loads and limits are between phases
    source_bus: str
    buses: tuple[FeederBus, ...]
    lines: tuple[Line, ...] = ()
    switches: tuple[Switch, ...] = ()
    transformers: tuple[Transformer, ...] = ()
    regulators: tuple[Regulator, ...] = ()
    loads: tuple[Load, ...] = ()
    capacitors: tuple[Capacitor, ...] = ()
    generators: tuple[Generator, ...] = ()
    compensators: tuple[Compensator, ...] = ()
    centres: tuple[DataCentre, ...] = ()
    source_pu: float = 1.0  # balanced, behind no impedance, a at 0 degrees (ab, on a three-wire feeder)
    base_kva: float = 1000.0  # of the three phases together
    v_min_pu: float = 0.95  # to earth; between phases on a three-wire feeder
    v_max_pu: float = 1.05
    origin: str = ""  # where the numbers come from

    @property
    def frame(self) -> tuple[str, str, str]:
        """Return what voltages and powers belong to: the phases a, b, c, or the pairs ab, bc, ca of three wires."""
        return PHASES if self.wires == "four" else PAIRS

    def spread(self, phases: str) -> tuple[str, ...]:
        """Return the members of ``frame`` on which a device on ``phases`` acts, with equal parts.

        Three phases of a three-wire feeder are its three pairs, two are the pair of them.
        """
        if self.wires == "four":
            return tuple(phase for phase in PHASES if phase in phases)
        return tuple(pair for pair in PAIRS if set(pair) <= set(phases))

    @property
    def links(self) -> tuple[Link, ...]:
        """Return lines, switches, transformers and regulators, open switches too."""
        return (*self.lines, *self.switches, *self.transformers, *self.regulators)

    @property
    def closed_links(self) -> tuple[Link, ...]:
        """Return the links that are not open switches."""
        return tuple(link for link in self.links if not isinstance(link, Switch) or link.closed)

    def bus(self, name: str) -> FeederBus:
        """Return a bus. Raises NetworkDataError naming one that is not there."""
        for bus in self.buses:
            if bus.name == name:
                return bus
        raise NetworkDataError(f"feeder {self.name!r} has no bus {name!r}")

    def tree(self) -> Tree:
        """Return the tree of the closed links.

        Raises NetworkDataError with every link that closes a loop and every bus that nothing joins to the source.
        """
        tree, problems = walk(self)
        if problems:
            raise NetworkDataError(problems)
        return tree

    def as_dict(self) -> dict[str, Any]:
        """Return the feeder as mappings, lists and numbers: what its JSON file holds."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything the feeder holds: the cache key of what is computed from it.

        Feeders that are equal have the same, also where one holds 1 and the other 1.0.
        """
        text = json.dumps(_decimal(self.as_dict()), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _decimal(held: Any) -> Any:
    """Return what JSON holds with every whole number as a decimal one."""
    if isinstance(held, dict):
        return {key: _decimal(value) for key, value in held.items()}
    if isinstance(held, list | tuple):
        return [_decimal(value) for value in held]
    return float(held) if isinstance(held, int) and not isinstance(held, bool) else held


def walk(feeder: Feeder) -> tuple[Tree, list[Problem]]:
    """Return the tree of what the source reaches, and a problem for each loop and each bus it does not reach.

    Links to buses that are not there are passed over: they are ``checks.check``'s to report.
    """
    at: dict[str, list[Link]] = {bus.name: [] for bus in feeder.buses}
    for link in feeder.closed_links:
        if link.from_bus in at and link.to_bus in at:
            at[link.from_bus].append(link)
            at[link.to_bus].append(link)
    order: list[tuple[str, int, Link | None, bool]] = []
    reached: dict[str, int] = {}
    loops: dict[str, Link] = {}
    waiting: list[tuple[str, int, Link | None]] = [(feeder.source_bus, -1, None)] if feeder.source_bus in at else []
    while waiting:
        name, parent, by = waiting.pop()
        if name in reached:
            if by is not None:
                loops.setdefault(by.name, by)
            continue
        reached[name] = len(order)
        order.append((name, parent, by, by is None or by.to_bus == name))
        for link in reversed(at[name]):
            other = link.to_bus if link.from_bus == name else link.from_bus
            if link is not by and not (other in reached and link.name in loops):
                waiting.append((other, reached[name], link))
    names, parents, links, downward = zip(*order, strict=True) if order else ((), (), (), ())
    tree = Tree(names, parents, links, downward)
    lost = [bus.name for bus in feeder.buses if bus.name not in reached]
    return tree, [*(_loop(tree, reached, link) for link in loops.values()), *_islands(feeder, lost)]


def _loop(tree: Tree, reached: dict[str, int], link: Link) -> Problem:
    """Return the problem of a link that joins two buses of the tree, with every link of its loop."""
    ends = [reached[link.from_bus], reached[link.to_bus]]
    around = [link.name]
    while ends[0] != ends[1]:
        deeper = max(ends)  # every bus comes after the one above it
        above = tree.links[deeper]
        around.append(above.name if above else "")
        ends[ends.index(deeper)] = tree.parents[deeper]
    text = f"{_kind(link)} {link.name} closes a loop of {', '.join(around)}; a feeder is a tree: open one of them"
    return Problem("loop", "error", text, table_of(link), element=link.name)


def _islands(feeder: Feeder, lost: list[str]) -> list[Problem]:
    row = {bus.name: at for at, bus in enumerate(feeder.buses)}
    return [
        Problem("island", "error", f"bus {name} is not joined to the source, {feeder.source_bus}", "buses",
                row[name], "name", name)
        for name in lost
    ]  # fmt: skip


def table_of(row: Link | Device | FeederBus) -> str:
    """Return the name of the table, and so of the field of Feeder, that holds a row of this type."""
    return _TABLES[type(row)]


def _kind(row: Link) -> str:
    return type(row).__name__.lower()


_TABLES: dict[type, str] = {
    FeederBus: "buses",
    Line: "lines",
    Switch: "switches",
    Transformer: "transformers",
    Regulator: "regulators",
    Load: "loads",
    Capacitor: "capacitors",
    Generator: "generators",
    Compensator: "compensators",
    DataCentre: "centres",
}
