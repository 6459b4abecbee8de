"""AC power flow of a feeder by OpenDSS: its circuit is made in memory, solved, and read as phasors, flows and losses.

The engine runs in a process of its own (:mod:`engine.distribution.dss_process`), its context cleared after each use: it
writes no file, opens no window, and keeps nothing from one call to the next.
Source: R. C. Dugan, T. E. McDermott, An open source platform for collaborating on smart grid research, IEEE PES General
Meeting, 2011; OpenDSS with the interface of DSS-Extensions.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.distribution.checks import checked
from engine.distribution.circuit import HIGHEST_PU, LOWEST_PU, NODE_OF, Circuit, Tap, circuit
from engine.distribution.dss_process import dss_process
from engine.distribution.feeder import PHASES, DataCentre, Feeder, Generator
from engine.errors import QuestionError, SolverError

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Phasors = npt.NDArray[np.complex128]

_BETWEEN = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])  # of phases a, b, c: ab, bc, ca
_TURN = np.exp(2j * np.pi / 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """What one hour asks of a feeder: L loads, G generators, S compensators, C data centres, in the feeder's order."""

    load_share: float | Vector = 1.0  # (L,) or one for all, of the table's power
    generator_kw: Vector | None = None  # (G,), None: nothing
    generator_kvar: Vector | None = None  # (G,), given to the feeder
    compensator_kvar: Matrix | None = None  # (S, 3), given, by member of the feeder's frame
    centre_kw: Vector | None = None  # (C,), drawn
    centre_kvar: Vector | None = None  # (C,), None: by the power factor


@dataclass(frozen=True, slots=True, eq=False)
class AcFlow:
    """The solution of one hour. Where the engine did not converge, every number is nan.

    B buses and M links in the feeder's order. What a bus or link does not have is nan. Columns are the feeder's frame:
    phases to earth, or pairs of three wires; currents are always those of the phases a, b, c.
    """

    feeder: Feeder
    converged: bool
    iterations: int
    voltage_pu: Phasors  # (B, 3)
    current_a: Phasors  # (M, 3), into the link at its `from_bus`
    from_kva: Phasors  # (M, 3), into the link there
    to_kva: Phasors  # (M, 3), into the link at its `to_bus`; below zero where it feeds
    source_kva: complex  # given by the source
    ratios: tuple[tuple[float, ...], ...]  # of the feeder's regulators, as they ended

    @property
    def magnitude_pu(self) -> Matrix:
        """Return the (B, 3) voltage magnitudes."""
        return np.asarray(np.abs(self.voltage_pu), dtype=np.float64)

    @property
    def loss_kva(self) -> Phasors:
        """Return the (M,) power lost in each link; charging of lines counts below zero in the reactive part."""
        return np.asarray(np.nan_to_num(self.from_kva + self.to_kva).sum(axis=1), dtype=np.complex128)

    @property
    def total_loss_kva(self) -> complex:
        """Return what all links lose together."""
        return complex(self.loss_kva.sum()) if self.converged else complex(math.nan, math.nan)

    @property
    def line_to_line_pu(self) -> Phasors:
        """Return the (B, 3) voltages ab, bc, ca, nan where one of the two phases is absent."""
        if self.feeder.wires == "three":
            return self.voltage_pu
        a, b, c = self.voltage_pu.T
        return np.asarray(np.column_stack([a - b, b - c, c - a]) / math.sqrt(3.0), dtype=np.complex128)

    @property
    def unbalance(self) -> Vector:
        """Return the (B,) voltage unbalance factor: negative over positive sequence; nan with fewer than three phases.

        It is the same of voltages to earth and between phases. Source: IEC 61000-4-30; IEEE Std 1159.
        """
        first, second, third = self.voltage_pu.T
        positive = np.abs(first + _TURN * second + _TURN**2 * third)
        negative = np.abs(first + _TURN**2 * second + _TURN * third)
        return np.asarray(negative / positive)

    @property
    def beyond_models(self) -> tuple[str, ...]:
        """Return the buses below 0.6 or above 1.4 p.u., where loads are no longer what the table says."""
        beyond = [any(size < LOWEST_PU or size > HIGHEST_PU for size in sizes) for sizes in self.magnitude_pu.tolist()]
        return tuple(bus.name for bus, there in zip(self.feeder.buses, beyond, strict=True) if there)

    def phasor(self, bus: str, member: str) -> complex:
        """Return the voltage in p.u. of a bus on a phase (or pair). Raises NetworkDataError for an unknown bus."""
        row = self.feeder.buses.index(self.feeder.bus(bus))
        return complex(self.voltage_pu[row, self.feeder.frame.index(member)])


def ac_flow(
    feeder: Feeder,
    dispatch: Dispatch | None = None,
    *,
    constant_power: bool = False,
    move_taps: bool = False,
) -> AcFlow:
    """Solve one hour of a feeder.

    With ``constant_power`` every load keeps its power at any voltage; else each follows its own model. With
    ``move_taps`` the regulators that have a control move; else all keep their ratios. Generators, compensators and
    data centres keep their power. What draws below 0.6 or above 1.4 p.u. turns to constant impedance there.

    Raises NetworkDataError with everything that is wrong with the feeder, QuestionError for a dispatch of another shape
    or with a number that is none, SolverError if OpenDSS refuses the circuit.
    """
    checked(feeder)
    asked = _checked(feeder, dispatch or Dispatch())
    made = circuit(feeder, asked.drawn(feeder), constant_power=constant_power, move_taps=move_taps)
    found = dss_process().ask({
        "commands": list(made.commands),
        "elements": [element.name for element in made.elements],
        "transformers": [tap.transformer for tap in made.taps],
    })  # fmt: skip
    if "refusal" in found:
        raise SolverError(f"OpenDSS cannot solve feeder {feeder.name!r}: {found['refusal']}")
    return _read(found, feeder, made) if found["converged"] else _failed(found, feeder)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A dispatch whose arrays have been checked."""

    load_share: Vector
    generator_kva: Phasors
    compensator_kvar: Matrix
    centre_kva: Phasors

    def drawn(self, feeder: Feeder) -> Iterator[tuple[str, str, complex, str]]:
        """Yield the bus, the phase or pair, the kVA drawn and the model of everything that draws or gives power."""
        for load, share in zip(feeder.loads, self.load_share.tolist(), strict=True):
            yield load.bus, load.phase, complex(load.kw, load.kvar) * share, load.model
        devices: list[Generator | DataCentre] = [*feeder.generators, *feeder.centres]
        powers = np.concatenate([-self.generator_kva, self.centre_kva])
        for device, power in zip(devices, powers.tolist(), strict=True):
            members = feeder.spread(device.phases)
            for member in members:
                yield device.bus, member, power / len(members), "power"
        for compensator, each in zip(feeder.compensators, self.compensator_kvar.tolist(), strict=True):
            for member in feeder.spread(compensator.phases):
                yield compensator.bus, member, complex(0.0, -each[feeder.frame.index(member)]), "power"


def _checked(feeder: Feeder, dispatch: Dispatch) -> _Asked:
    """Return the arrays of a dispatch. Raises QuestionError naming one whose shape or numbers do not fit."""
    loads, generators, centres = len(feeder.loads), len(feeder.generators), len(feeder.centres)
    share = dispatch.load_share if np.ndim(dispatch.load_share) else np.full(loads, dispatch.load_share)
    share = _array("load_share", share, (loads,))
    compensator = _array("compensator_kvar", dispatch.compensator_kvar, (len(feeder.compensators), 3))
    for row, given in zip(feeder.compensators, compensator, strict=True):
        if given.any() and not row.in_service:
            raise QuestionError(f"compensator {row.name} is asked for reactive power, but it is out of service")
    centre_kw = _array("centre_kw", dispatch.centre_kw, (centres,))
    by_factor = np.array([row.kvar_per_kw for row in feeder.centres]) * centre_kw
    centre_kvar = _array("centre_kvar", by_factor if dispatch.centre_kvar is None else dispatch.centre_kvar, (centres,))
    generator_kw = _array("generator_kw", dispatch.generator_kw, (generators,))
    generator_kvar = _array("generator_kvar", dispatch.generator_kvar, (generators,))
    return _Asked(share, generator_kw + 1j * generator_kvar, compensator, centre_kw + 1j * centre_kvar)


def _array(name: str, given: npt.ArrayLike | None, shape: tuple[int, ...]) -> Vector:
    array = np.zeros(shape) if given is None else np.asarray(given, dtype=np.float64)
    if array.shape != shape:
        raise QuestionError(f"{name} has the shape {array.shape}; this feeder needs {shape}")
    if not np.isfinite(array).all():
        raise QuestionError(f"{name} holds a number that is not finite")
    return array


def _read(found: Mapping[str, Any], feeder: Feeder, made: Circuit) -> AcFlow:
    """Return the solution that the engine found."""
    volts = _node_volts(found, len(feeder.buses))
    row = {bus.name: at for at, bus in enumerate(feeder.buses)}
    count = len(feeder.links)
    current = [np.full((count, 3), np.nan, dtype=np.complex128) for _ in range(2)]
    for at, link in enumerate(feeder.links):
        for end in current:
            end[at, [PHASES.index(phase) for phase in link.phases]] = 0.0
    for element, told in zip(made.elements, found["elements"], strict=True):
        for which, phase, ampere in _terminal_currents(told):
            current[which][element.link, phase] += ampere
    ends = [[row[link.from_bus] for link in feeder.links], [row[link.to_bus] for link in feeder.links]]
    kva = [_power(feeder, volts[where], amperes) for where, amperes in zip(ends, current, strict=True)]
    given = np.asarray(found["source_kva"])[:6]
    base = np.array([bus.kv for bus in feeder.buses])[:, np.newaxis] * 1000.0
    pu = volts / (base / math.sqrt(3.0)) if feeder.wires == "four" else volts @ _BETWEEN.T / base
    absent = [[member not in feeder.spread(bus.phases) for member in feeder.frame] for bus in feeder.buses]
    pu = np.where(absent, np.nan, pu)
    return AcFlow(
        feeder, True, found["iterations"], pu, current[0], kva[0], kva[1],
        -complex(given[::2].sum(), given[1::2].sum()), _ratios(found["taps"], feeder, made.taps),
    )  # fmt: skip


def _failed(found: Mapping[str, Any], feeder: Feeder) -> AcFlow:
    """Return the result of an hour without a solution."""
    buses, links = (np.full((len(rows), 3), np.nan + 0j) for rows in (feeder.buses, feeder.links))
    nothing = complex(math.nan, math.nan)
    ratios = tuple(regulator.ratios for regulator in feeder.regulators)
    return AcFlow(feeder, False, found["iterations"], buses, links, links, links, nothing, ratios)


def _node_volts(found: Mapping[str, Any], count: int) -> Phasors:
    """Return the (B, 3) voltages to earth of the phases in volts; 0 where there is none."""
    volts = np.zeros((count, 3), dtype=np.complex128)
    held = np.asarray(found["volts"]).reshape(-1, 2)
    for name, (real, imaginary) in zip(found["nodes"], held.tolist(), strict=True):
        bus, node = name.split(".")
        volts[int(bus.removeprefix("b")), int(node) - 1] = complex(real, imaginary)
    return volts


def _terminal_currents(told: Mapping[str, Any]) -> Iterator[tuple[int, int, complex]]:
    """Yield the end (0 from, 1 to), the phase and the current into the element there."""
    amperes = np.asarray(told["amperes"]).reshape(-1, 2)
    for at, (node, (real, imaginary)) in enumerate(zip(told["nodes"], amperes.tolist(), strict=True)):
        if node in NODE_OF.values():
            yield at // told["conductors"], node - 1, complex(real, imaginary)


def _power(feeder: Feeder, volts: Phasors, amperes: Phasors) -> Phasors:
    """Return the (M, 3) kVA by member of the frame. On three wires the pairs' currents add up to zero."""
    if feeder.wires == "four":
        return np.asarray(volts * np.conj(amperes) / 1000.0)
    return np.asarray((volts @ _BETWEEN.T) * np.conj(amperes @ _BETWEEN.T / 3.0) / 1000.0)


def _ratios(values: Sequence[float], feeder: Feeder, taps: Sequence[Tap]) -> tuple[tuple[float, ...], ...]:
    """Return the ratios of the regulators as the engine left them."""
    found = [list(regulator.ratios) for regulator in feeder.regulators]
    for tap, value in zip(taps, values, strict=True):
        for place in tap.places:
            found[tap.regulator][place] = value
    return tuple(tuple(ratios) for ratios in found)
