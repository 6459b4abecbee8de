"""Which outages no dispatch survives in hours whose loads are all there, and the ray that proves each.

For the joint check of a portfolio, and for the list of outages that fail before any load is added.
"""

from dataclasses import dataclass

import numpy as np

from engine.capacity.question import OutageRating
from engine.compute import Progress
from engine.network.model import Integers, Vector
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.rays import Ray, carry


@dataclass(frozen=True, slots=True, eq=False)
class InfeasiblePair:
    """An hour and a contingency that no dispatch survives, and a cut: any further loads x need ``price @ x <= room``.

    The room is below zero: without any change of load the inequality cannot hold.
    """

    hour: int  # position in the case
    contingency: int  # position; the first of equal ones
    weight: float  # contingencies that it stands for
    price: Vector  # (B,), per MW of load at each bus
    room_mw: float
    words: str


def infeasible_pairs(
    case: SitingCase,
    contingencies: Contingencies,
    rating: OutageRating = "a",
    progress: Progress | None = None,
) -> list[InfeasiblePair]:
    """Return every (hour, contingency) of a case that fails with the loads that are in its demand.

    Where units cannot balance the load the energy alone is the cut.
    """
    network = case.network
    model = GateModel.of(contingencies, np.array([network.slack]), rating)
    found: list[InfeasiblePair] = []
    for hour in range(len(case)):
        if progress is not None:
            progress(hour, len(case))
        solver = HourSolver(GateHour.of(model, case.state(hour)), np.zeros(1))
        solver.begin()
        solver.balance()
        solver.without_load()
        for gate_case in np.flatnonzero(solver.base_fails).tolist():
            if gate_case == 0:  # the network as it is: not a contingency
                continue
            contingency = int(contingencies.distinct[gate_case - 1])
            price, room = cut_of(solver.hour, solver.base_rays[gate_case], gate_case)
            words = f"{case.labels[hour]}: no dispatch keeps every limit after {contingencies.words(contingency)}"
            found.append(
                InfeasiblePair(hour, contingency, float(contingencies.weight[contingency]), price, room, words)
            )
    if progress is not None:
        progress(len(case), len(case))
    return found


def cut_of(hour: GateHour, ray: Ray, gate_case: int) -> tuple[Vector, float]:
    """Return the cut that a ray makes in one case: prices (B,) per MW of load at every bus, and the room."""
    model, lost = hour.model, hour.model.lost_of(gate_case)
    weight = np.asarray(model.limits.weights[ray.rows].T @ ray.multiplier)
    if lost >= 0:
        weight[model.lost_branches[lost]] += float(ray.multiplier @ model.moved[ray.rows, lost])
    price = model.limits.factors.weighted(weight) + ray.energy * model.limits.network.buses.in_service
    cases: Integers = np.array([gate_case])
    return -price, -float(carry(hour, ray, cases).floor_mw[0])
