"""What became of shocks under a plan, shock by shock: the numbers that metrics and pages are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from engine.network.model import Matrix, Vector
from engine.resilience.recourse import Answer, Recourse


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """S shocks under one plan of K modules by type and site."""

    cost: Vector  # (S,), $
    unserved_mwh: Vector  # (S,)
    imbalance_mwh: Vector  # (S,), of the import, from its schedule, beyond dead band and ramp
    restoration_cost: Vector  # (S,), $
    lowest_pu: Vector  # (S,), voltage
    highest_pu: Vector  # (S,)
    violation_pu2h: Vector  # (S,), of limits on voltage
    given_mwh: Matrix  # (S, K), what modules gave: discharged, produced or put off
    both_ways_mwh: Vector  # (S,), charged while discharging: none in a dispatch

    def __len__(self) -> int:
        """Return S."""
        return len(self.cost)

    @classmethod
    def of(cls, recourse: Recourse, answer: Answer) -> Self:
        """Return one shock's."""
        case, col, x = recourse.stage.case, recourse.stage.columns, answer.x
        step_h, prices = case.step_h, case.penalties
        voltage, _ = recourse.states(answer.scenario, x)
        size = np.sqrt(np.maximum(voltage, 0.0))
        lacking = float(x[col.lacking[col.lacking >= 0]].sum())
        given = np.zeros(recourse.stage.size)
        for place in (col.discharge, col.output, col.put_off):
            there = np.flatnonzero(place[:, 0] >= 0)
            given[there] = step_h * x[place[there]].sum(axis=1)
        unserved, imbalance, late, beyond = (
            step_h * float(x[columns].sum()) for columns in (col.shed, col.imbalance, col.late, col.violation)
        )
        return cls(
            cost=np.array([answer.cost]),
            unserved_mwh=np.array([unserved]),
            imbalance_mwh=np.array([imbalance]),
            restoration_cost=np.array([prices.restore_per_mwh * (lacking + late)]),
            lowest_pu=np.array([size.min()]),
            highest_pu=np.array([size.max()]),
            violation_pu2h=np.array([beyond]),
            given_mwh=given[np.newaxis],
            both_ways_mwh=np.array([step_h * float(recourse.stage.both_ways(x).sum())]),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return several, one after the other."""
        return cls(*(np.concatenate([getattr(each, field.name) for each in parts]) for field in fields(cls)))
