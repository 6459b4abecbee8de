"""A feeder in the coordinates of its frame: nodes, branches as small matrices, and what loads draw from nodes.

A node is a bus with one member of the feeder's frame: a phase to earth of a four-wire feeder, a pair of phases of a
three-wire one. Powers are MVA, voltages p.u. of the bus, so impedances are p.u. on 1 MVA per node.

On three wires the line currents are D' times the currents of the pairs, so Z becomes D Z D' and the equations keep
their form; loads between phases and limits on voltages between phases need no further step.

Every branch is an ideal stage, real factors on the phasors above it, and then a series impedance:
``V_below = ideal V_above - impedance I``, with the transposed factors for the currents; an ideal stage loses nothing.
Source: Kersting, *Distribution System Modeling and Analysis*, 4th ed., chs. 6 to 9.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.distribution.feeder import (
    PHASES,
    Capacitor,
    Compensator,
    DataCentre,
    Feeder,
    Generator,
    Line,
    Link,
    Load,
    Regulator,
    Switch,
    Transformer,
)
from engine.errors import NetworkDataError, Problem

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Phasors = npt.NDArray[np.complex128]
Complex = npt.NDArray[np.complex128]

_THIRD = 2.0 * math.pi / 3.0
REFERENCE = np.exp(1j * np.array([0.0, -_THIRD, _THIRD]))  # of a, b, c and of ab, bc, ca alike
# What a transformer between wye and delta gives to a (or ab): it lags by 30 degrees.
_LAG = np.array([[1.0, 0.0, -1.0], [-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]]) / math.sqrt(3.0)
_NO_ZERO_SEQUENCE = np.eye(3) - 1.0 / 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One closed link, from the source's side (``above``) to the other (``below``)."""

    link: Link
    above: Integers  # (s,), nodes
    below: Integers  # (k,), nodes
    ideal: Matrix  # (k, s)
    squares: Matrix  # (k, s), the same for squared magnitudes, at the reference angles where it is not exact
    impedance: Complex  # (k, k), p.u. on 1 MVA per node
    conductors: Complex  # (c, k), power at each phase's conductor per power at each node below, at reference phasors
    rating_mva: float  # of each conductor; inf for none


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The coordinates of one feeder: N nodes, those of the source first; every bus comes after the one above it."""

    feeder: Feeder
    nodes: tuple[tuple[str, str], ...]  # (N,), bus and phase (or pair)
    roots: int  # how many nodes the source has
    branches: tuple[Branch, ...]
    shunts: Complex  # (N, N), admittance of line charging, p.u. on 1 MVA
    reference: Phasors  # (N,), unit length

    @staticmethod
    def of(feeder: Feeder) -> "Frame":
        """Return the coordinates of ``feeder``, those of the last few feeders without work.

        Raises NetworkDataError with every loop, island, node that nothing feeds, and link that the frame cannot hold.
        """
        return _frame(feeder)

    @property
    def size(self) -> int:
        """Return the number of nodes, N."""
        return len(self.nodes)

    def at(self, bus: str, phases: str) -> Integers:
        """Return the nodes of ``bus`` on which a device on ``phases`` acts. Raises NetworkDataError if one is not."""
        found = [place for place, node in enumerate(self.nodes) if node[0] == bus]
        by_label = {self.nodes[place][1]: place for place in found}
        wanted = self.feeder.spread(phases)
        missing = [label for label in wanted if label not in by_label]
        if not wanted or missing:
            raise NetworkDataError(f"bus {bus!r} has no {', '.join(missing) or phases}")
        return np.array([by_label[label] for label in wanted], dtype=np.intp)

    def share(self, device: Generator | Compensator | DataCentre) -> Vector:
        """Return (N,) how a device that is equal on its phases divides over the nodes; sums to one."""
        nodes = self.at(device.bus, device.phases)
        share = np.zeros(self.size)
        share[nodes] = 1.0 / len(nodes)
        return share

    def phasors(self, voltages: dict[str, dict[str, complex]]) -> Phasors:
        """Return the (N,) phasors in p.u. from phasors of phases to earth, p.u. of kv / sqrt(3), per bus and phase.

        Raises NetworkDataError naming each node without one.
        """
        missing = [name for name, label in self.nodes for p in label if p not in voltages.get(name, {})]
        if missing:
            raise NetworkDataError(f"no voltage is given for bus {', '.join(dict.fromkeys(missing))}")
        if self.feeder.wires == "four":
            return np.array([voltages[name][label] for name, label in self.nodes])
        # Counted from the angle of ab, which leads a by 30 degrees.
        turn = np.exp(-1j * math.pi / 6.0) / math.sqrt(3.0)
        return np.array([(voltages[name][p[0]] - voltages[name][p[1]]) * turn for name, p in self.nodes])


def three_phase_buses(frame: Frame) -> tuple[tuple[str, ...], Integers]:
    """Return the B3 buses with all of the frame's members, and their nodes (B3, 3) in its order."""
    found: dict[str, list[int]] = {}
    for place, (bus, _) in enumerate(frame.nodes):
        found.setdefault(bus, []).append(place)
    whole = {bus: places for bus, places in found.items() if len(places) == 3}
    return tuple(whole), np.array(list(whole.values()), dtype=np.intp).reshape(-1, 3)


@lru_cache(maxsize=16)
def _frame(feeder: Feeder) -> Frame:
    tree = feeder.tree()
    nodes = tuple((name, label) for name in tree.buses for label in feeder.spread(feeder.bus(name).phases))
    position = {node: at for at, node in enumerate(nodes)}
    roots = sum(name == feeder.source_bus for name, _ in nodes)
    problems: list[Problem] = []
    branches: list[Branch] = []
    shunts = np.zeros((len(nodes), len(nodes)), dtype=np.complex128)
    for name, parent, link, downward in zip(tree.buses, tree.parents, tree.links, tree.downward, strict=True):
        if link is None:
            continue
        try:
            branch = _branch(feeder, position, (tree.buses[parent], name, link, downward))
        except NetworkDataError as error:
            problems.extend(error.problems)
            continue
        branches.append(branch)
        if isinstance(link, Line):
            _add_charging(feeder, shunts, branch, link)
    problems = problems or _unfed(nodes, roots, branches)
    if problems:
        raise NetworkDataError(problems)
    labels = list(feeder.frame)
    reference = REFERENCE[[labels.index(label) for _, label in nodes]]
    for held in (shunts, reference):
        held.setflags(write=False)
    return Frame(feeder, nodes, roots, tuple(branches), shunts, reference)


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What loads and capacitors are connected to: each draws from one node, or between two phases."""

    ends: Matrix  # (n, N), 1 where its current goes in, -1 where it comes out
    nominal: Vector  # (n,), length of its nominal voltage in p.u. of a node
    power_mva: Complex  # (n,), at nominal voltage
    exponent: Vector  # (n,), of the voltage: 0, 1 or 2

    @classmethod
    def of(cls, frame: Frame, rows: tuple[Load | Capacitor, ...]) -> Self:
        """Return the draws of ``rows``. Raises NetworkDataError naming each that its bus or its frame cannot feed."""
        ends = np.zeros((len(rows), frame.size))
        nominal = np.ones(len(rows))
        position = {node: at for at, node in enumerate(frame.nodes)}
        four = frame.feeder.wires == "four"
        problems = []
        for at, row in enumerate(rows):
            if not four and row.connection == "wye":
                text = f"{row.name} is connected to earth on phase {row.phase}; a three-wire feeder has no earth"
                problems.append(_problem("no-earth", text, row.name))
                continue
            split = four and row.connection == "delta"
            try:
                places = [position[row.bus, label] for label in (row.phase if split else _label(frame, row.phase))]
            except KeyError:
                text = f"{row.name} is on phase {row.phase} of bus {row.bus}, which is not there"
                problems.append(_problem("no-phase", text, row.name))
                continue
            ends[at, places] = (1.0, -1.0) if split else 1.0
            nominal[at] = math.sqrt(3.0) if split else 1.0
        if problems:
            raise NetworkDataError(problems)
        power = [complex(r.kw, r.kvar) if isinstance(r, Load) else complex(0.0, -r.kvar) for r in rows]
        exponents = [_EXPONENT[row.model] if isinstance(row, Load) else 2.0 for row in rows]
        return cls(ends, nominal, np.array(power, dtype=np.complex128) / 1000.0, np.array(exponents, dtype=np.float64))

    def at(self, phasors: Phasors) -> tuple[Complex, Matrix, Vector, Vector]:
        """Return (N, n) shares, (n, N) slopes, and (n,) constants and factors at ``phasors`` (N,).

        A draw of S takes ``shares S (constants + factors * (slopes v))`` from the nodes: exact at ``phasors``, and
        tangent to its voltage dependence while angles stay as they are. At nominal voltage a constant current has the
        constant and the factor one half.
        """
        across = self.ends @ phasors
        shares = (self.ends * phasors).T / across
        square = np.abs(across) ** 2 / self.nominal**2
        towards = np.real(np.conj(across)[:, np.newaxis] * self.ends * phasors)
        slopes = towards / np.abs(phasors) ** 2 / self.nominal[:, np.newaxis] ** 2
        half = self.exponent / 2.0
        return shares, slopes, (1.0 - half) * square**half, half * square ** (half - 1.0)


_EXPONENT = {"power": 0.0, "current": 1.0, "impedance": 2.0}


def pair_matrix(phases: str) -> Matrix:
    """Return D (pairs, phases): voltages between phases from those to earth, for two or three ``phases``."""
    if len(phases) == 3:
        return np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])
    # The pair ca is counted from c to a.
    return np.array([[-1.0, 1.0]]) if set(phases) == {"a", "c"} else np.array([[1.0, -1.0]])


def _label(frame: Frame, phase: str) -> tuple[str, ...]:
    return (phase,) if frame.feeder.wires == "four" else frame.feeder.spread(phase)


def _branch(feeder: Feeder, position: dict[tuple[str, str], int], place: tuple[str, str, Link, bool]) -> Branch:
    upper, lower, link, downward = place
    labels = feeder.spread(link.phases)
    if not labels:
        text = f"{link.name} is on phase {link.phases} alone; a three-wire feeder has no earth to return by"
        raise _refusal("no-earth", text, link.name)
    gone = [f"{bus} has no {label}" for bus in (upper, lower) for label in labels if (bus, label) not in position]
    if gone:
        raise _refusal("no-phase", f"{link.name} is on phases {link.phases}, but bus {', bus '.join(gone)}", link.name)
    above = np.array([position[upper, label] for label in labels], dtype=np.intp)
    below = np.array([position[lower, label] for label in labels], dtype=np.intp)
    kv = feeder.bus(lower).kv
    base_ohm = kv**2 if feeder.wires == "three" else kv**2 / 3.0
    if isinstance(link, Transformer):
        ideal, ohm = _transformer(feeder, link, (upper, lower), downward=downward)
    elif isinstance(link, Regulator):
        ideal, ohm = _regulator(feeder, link, downward=downward), np.zeros((len(labels),) * 2, dtype=np.complex128)
    else:
        ideal, ohm = np.eye(len(labels)), _series_ohm(feeder, link)
    return Branch(
        link=link,
        above=above,
        below=below,
        ideal=ideal,
        squares=_squares(feeder, link, ideal, labels),
        impedance=np.asarray(ohm / base_ohm, dtype=np.complex128),
        conductors=_conductors(feeder, link.phases, labels),
        rating_mva=phase_rating_mva(link, kv),
    )


def phase_rating_mva(link: Link, kv: float) -> float:
    """Return what one phase of a link may carry, MVA, at ``kv`` between phases; infinity without a rating."""
    if isinstance(link, Transformer):
        return link.kva / 1000.0 / len(link.phases)
    rating = getattr(link, "rating_a", None)
    return math.inf if rating is None else float(rating) * kv / math.sqrt(3.0) / 1000.0


def _series_ohm(feeder: Feeder, link: Line | Switch) -> Complex:
    if isinstance(link, Switch):
        size = len(feeder.spread(link.phases))
        return np.zeros((size, size), dtype=np.complex128)
    return _in_frame(feeder, link.phases, np.array(link.r_ohm) + 1j * np.array(link.x_ohm))


def _in_frame(feeder: Feeder, phases: str, matrix: Complex) -> Complex:
    """Return a matrix given in the order of ``phases`` in that of the frame, between phases on three wires."""
    order = [phases.index(phase) for phase in PHASES if phase in phases]
    ordered = matrix[np.ix_(order, order)]
    if feeder.wires == "four":
        return ordered
    pairs = pair_matrix(phases)
    return np.asarray(pairs @ ordered @ pairs.T)


def _add_charging(feeder: Feeder, shunts: Complex, branch: Branch, line: Line) -> None:
    order = [line.phases.index(phase) for phase in PHASES if phase in line.phases]
    siemens = 1e-6 * np.array(line.b_us)[np.ix_(order, order)]
    kv = feeder.bus(line.to_bus).kv
    if feeder.wires == "three":
        # The currents into the earth that have no sum, as currents between phases; the sum does not show there.
        turned = np.linalg.pinv(pair_matrix(line.phases))
        siemens = turned.T @ siemens @ turned
    base = kv**2 if feeder.wires == "three" else kv**2 / 3.0
    for side in (branch.above, branch.below):
        shunts[np.ix_(side, side)] += 0.5j * siemens * base


def _transformer(feeder: Feeder, link: Transformer, ends: tuple[str, str], *, downward: bool) -> tuple[Matrix, Complex]:
    upper, lower = (feeder.bus(name).kv for name in ends)
    rated = (link.from_kv, link.to_kv) if downward else (link.to_kv, link.from_kv)
    ratio = (rated[1] / lower) / (rated[0] / upper) * (link.tap if downward else 1.0 / link.tap)
    size = len(feeder.spread(link.phases))
    connections = {link.from_connection, link.to_connection}
    ideal = np.eye(size)
    if len(connections) == 2:
        if size != 3:
            text = f"transformer {link.name} is between wye and delta on phases {link.phases}; that needs all three"
            raise _refusal("transformer-connection", text, link.name)
        ideal = _LAG if downward else _LAG.T
    elif connections == {"delta"} and size == 3 and feeder.wires == "four":
        ideal = _NO_ZERO_SEQUENCE
    phase_kva = link.kva / len(link.phases)
    ohm = complex(link.r_pu, link.x_pu) * rated[1] ** 2 * 1000.0 / (3.0 * phase_kva)
    if feeder.wires == "four":
        return ratio * ideal, np.asarray(ohm * np.eye(size))
    if size == 1:
        return ratio * ideal, np.array([[complex(link.r_pu, link.x_pu) * rated[1] ** 2 * 1000.0 / link.kva]])
    pairs = pair_matrix(link.phases)
    return ratio * ideal, np.asarray(ohm * (pairs @ pairs.T))


def _regulator(feeder: Feeder, link: Regulator, *, downward: bool) -> Matrix:
    if link.open_delta:
        ideal = _open_delta(feeder, link)
    elif feeder.wires == "four":
        by_phase = dict(zip(link.regulated, link.ratios, strict=True))
        ideal = np.diag([by_phase[phase] for phase in PHASES if phase in by_phase])
    elif len(set(link.ratios)) == 1:
        ideal = link.ratios[0] * np.eye(len(feeder.spread(link.phases)))
    else:
        text = f"regulator {link.name} raises phases to earth by {link.ratios}; a three-wire feeder has no earth"
        raise _refusal("no-earth", text, link.name)
    if downward:
        return ideal
    if link.open_delta and feeder.wires == "three":
        text = f"open-delta regulator {link.name} is fed from its to side {link.to_bus}; turn it round"
        raise _refusal("regulator-direction", text, link.name)
    return np.asarray(np.linalg.inv(ideal))


def _open_delta(feeder: Feeder, link: Regulator) -> Matrix:
    """Return the ideal stage of two regulators between phases: they act on their pairs, the third pair follows."""
    ratio = {frozenset(pair): value for pair, value in zip(link.regulated, link.ratios, strict=True)}
    common = set.intersection(*(set(pair) for pair in link.regulated)) if len(ratio) == 2 else set()
    if len(common) != 1:
        text = (
            f"open-delta regulator {link.name} acts on {', '.join(link.regulated)}; it needs two pairs with one phase"
        )
        raise _refusal("open-delta", text, link.name)
    (shared,) = common
    if feeder.wires == "four":
        ideal = np.eye(3)
        for pair, value in ratio.items():
            (phase,) = pair - common
            ideal[PHASES.index(phase), [PHASES.index(phase), PHASES.index(shared)]] = value, 1.0 - value
        return ideal
    acted = [ratio.get(frozenset(pair)) for pair in feeder.frame]
    free = acted.index(None)
    ideal = np.diag([0.0 if value is None else value for value in acted])
    ideal[free] = [0.0 if value is None else -value for value in acted]
    return ideal


def _squares(feeder: Feeder, link: Link, ideal: Matrix, labels: tuple[str, ...]) -> Matrix:
    """Return how squared magnitudes pass the ideal stage: v'_k = |sum of ideal_kj V_j| squared."""
    if isinstance(link, Regulator) and link.open_delta and feeder.wires == "three":
        squares = ideal**2
        free = int(np.flatnonzero(np.count_nonzero(ideal, axis=1) == 2)[0])
        one, two = (at for at in range(3) if at != free)
        # Exact: twice the product of two phasors that, with the third, add up to nothing.
        squares[free] += ideal[free, one] * ideal[free, two] * np.where(np.arange(3) == free, 1.0, -1.0)
        return np.asarray(squares)
    reference = REFERENCE[[feeder.frame.index(label) for label in labels]]
    passed = ideal @ reference
    return np.asarray(np.real(np.conj(passed)[:, np.newaxis] * ideal * reference))


def _conductors(feeder: Feeder, phases: str, labels: tuple[str, ...]) -> Complex:
    if feeder.wires == "four":
        return np.eye(len(labels), dtype=np.complex128)
    pairs = pair_matrix(phases)  # currents of the conductors: pairs' I
    ordered = [phase for phase in PHASES if phase in phases]
    to_earth = REFERENCE[[PHASES.index(phase) for phase in ordered]] * np.exp(-1j * math.pi / 6.0) / math.sqrt(3.0)
    across = REFERENCE[[feeder.frame.index(label) for label in labels]]
    return np.asarray(pairs.T * to_earth[:, np.newaxis] / across)


def _unfed(nodes: tuple[tuple[str, str], ...], roots: int, branches: list[Branch]) -> list[Problem]:
    fed = {int(node) for branch in branches for node in branch.below} | set(range(roots))
    return [
        _problem("unfed-phase", f"nothing feeds {label} of bus {name}", name)
        for at, (name, label) in enumerate(nodes)
        if at not in fed
    ]


def _problem(code: str, text: str, element: str) -> Problem:
    return Problem(code, "error", text, element=element)


def _refusal(code: str, text: str, element: str) -> NetworkDataError:
    return NetworkDataError([_problem(code, text, element)])
