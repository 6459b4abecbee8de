"""Why a verdict is what it is: a dispatch that keeps every limit, or a cut that none can keep. Made on demand."""

from dataclasses import dataclass

import numpy as np

from engine.capacity.question import OutageRating
from engine.network.model import Integers, Vector
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate.joint import cut_of
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.program import HAIR_MW, OVERLOAD, CaseProgram
from engine.siting.gate.rays import Ray

INTACT = -1  # in place of a contingency


@dataclass(frozen=True, slots=True, eq=False)
class GateCertificate:
    """Of a load at a bus in an hour after a contingency."""

    passes: bool
    output_mw: Vector  # (G,), of every unit: keeps every limit where it passes, is the least bad one else
    overload: float  # relative, of that dispatch: 0 where it passes, inf where units cannot balance the load
    price: Vector  # (B,), of the cut price @ load <= room on loads beside the demand; zeros where it passes
    room_mw: float
    limits: tuple[str, ...]  # in words, those that the cut counts, the one that weighs most first


def certificate(  # noqa: PLR0913, PLR0917 (which verdict, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    bus: int,
    load_mw: float,
    hour: int,
    contingency: int,
    *,
    rating: OutageRating = "a",
) -> GateCertificate:
    """Return the proof of the verdict on a load at a bus (position) in an hour (place) after a contingency (place)."""
    model = GateModel.of(contingencies, np.array([bus]), rating)
    at = GateHour.of(model, case.state(hour))
    gate_case = 0
    if contingency != INTACT:
        gate_case = 1 + int(np.searchsorted(contingencies.distinct, contingencies.same_as[contingency]))
    low, high = at.box(gate_case)
    total = at.demand_mw + load_mw
    if not low.sum() - HAIR_MW <= total <= high.sum() + HAIR_MW:  # units alone cannot balance it, whatever the limits
        ray = Ray(np.zeros(0, dtype=np.intp), np.zeros(0), -1.0 if total > high.sum() else 1.0)
        output = high if total > high.sum() else low
        return GateCertificate(False, _by_unit(at, output, gate_case), np.inf, *cut_of(at, ray, gate_case), ())
    program = CaseProgram(at)
    program.go(gate_case)
    found = program.at(0, load_mw)
    passes = found.overload <= OVERLOAD
    price, room = np.zeros(len(case.network.buses.ids)), 0.0
    words: tuple[str, ...] = ()
    if not passes and found.ray is not None:
        price, room = cut_of(at, found.ray, gate_case)
        words = _limits(model, found.ray.rows, found.ray.multiplier)
    return GateCertificate(
        passes, _by_unit(at, found.output_mw, gate_case), max(found.overload, 0.0), price, room, words
    )


def _limits(model: GateModel, rows: Integers, multiplier: Vector) -> tuple[str, ...]:
    limits, network = model.limits, model.limits.network
    size = np.abs(multiplier) * np.where(multiplier > 0.0, model.after_upper_mw[rows], -model.after_lower_mw[rows])
    names = []
    for row in rows[np.argsort(-np.abs(size), kind="stable")].tolist():
        place = row - len(limits.branches)
        if place < 0:
            branch = int(limits.branches[row])
            names.append(f"{network.branches.kinds[branch]} {network.branches.ids[branch]}")
        elif place < len(limits.interfaces):
            names.append(f"interface {network.interfaces.ids[place]}")
        else:
            bus = int(limits.buses[place - len(limits.interfaces)])
            names.append(f"the withdrawal limit of bus {network.buses.ids[bus]}")
    return tuple(dict.fromkeys(names))


def _by_unit(hour: GateHour, output_mw: Vector, gate_case: int) -> Vector:
    """Return outputs (G,) of units: each bus's output shared out between their limits in proportion."""
    model = hour.model
    least, largest = hour.state.least_mw.copy(), hour.state.largest_mw.copy()
    lost = model.unit_of(gate_case)
    if lost >= 0:
        least[lost] = largest[lost] = 0.0
    low, high = hour.box(gate_case)
    share = np.clip((output_mw - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    return least + share[model.unit_place] * (largest - least)
