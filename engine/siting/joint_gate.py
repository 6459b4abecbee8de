"""The gate for several loads at once, on the hours of a case: what clearing asks (:mod:`engine.siting.clearing`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.capacity.question import OutageRating
from engine.network.model import Vector
from engine.siting.case import SitingCase
from engine.siting.clearing import JointFailure, JointVerdict, Placed
from engine.siting.contingencies import Contingencies
from engine.siting.gate.joint import infeasible_pairs
from engine.siting.run import Ground


@dataclass(frozen=True, slots=True, eq=False)
class CaseGate:
    """A case, what may be lost, and the share of hours and outages that must pass: an hour counts by its weight."""

    case: SitingCase
    contingencies: Contingencies
    hour_weight: Vector  # (T,), sums to 1, as the gate weighs the hours
    threshold: float
    rating: OutageRating = "a"

    @classmethod
    def of(cls, ground: Ground, threshold: float | None = None) -> Self:
        """Return the gate of a question's hours; ``threshold`` in the place of the question's."""
        prepared, question = ground.prepared, ground.question
        weight = prepared.hours.weight / prepared.hours.weight.sum()
        own = question.threshold if threshold is None else threshold
        return cls(prepared.case, ground.contingencies, weight, own, question.outage_rating)

    def check(self, placed: Sequence[Placed]) -> JointVerdict:
        """Return the verdict on exactly these loads; QuestionError when units cannot balance them."""
        loads = np.zeros((len(self.case), len(self.case.network.buses.ids)))
        for one in placed:
            loads[:, one.bus] += one.level_mw(self.case.hour_of_day, self.case.onsite_mw)
        case = self.case
        for bus in np.flatnonzero(loads.any(axis=0)).tolist():
            case = case.with_load(bus, loads[:, bus])
        outages = len(self.contingencies)
        failures = tuple(
            JointFailure(
                hour=pair.hour,
                contingency=pair.contingency,
                outages=round(pair.weight),
                share=float(self.hour_weight[pair.hour]) * pair.weight / outages,
                price=pair.price,
                # The ray's room is for loads beyond these; the clearing counts from none.
                room_mw=pair.room_mw + float(pair.price @ loads[pair.hour]),
                words=pair.words,
            )
            for pair in infeasible_pairs(case, self.contingencies, self.rating)
        )
        return JointVerdict(len(case) * outages, 1.0 - self.threshold, failures)

    def served_mw(self, placed: Placed, hour: int) -> float:
        """Return what the grid serves of a load in an hour of the case."""
        one = self.case.at(np.array([hour]))
        return float(placed.level_mw(one.hour_of_day, one.onsite_mw)[0])
