"""Several hours as one: what passes in a narrower hour passes in each of them, what fails in a wider one in none.

Hours of one case differ in their demand and in what units may produce. Let the dispatch of hour t be p + a(t): the
answers a(t) are fixed beforehand, add up to the difference of its demand from the mean, and are chosen by least squares
so that flows change little. Then the flows of hour t are those of p and of the middle between the hours, and what is
left of the hour, which is at most a deviation known row by row. So

- *narrower*: limits less the deviation, and units where p + a(t) is within their limits in every hour. A dispatch p
  that keeps these gives one for every hour.
- *wider*: limits plus the deviation, and units where p + a(t) is within their limits in any hour. The dispatch of any
  hour less its answer keeps these; where there is none, no hour has any.

Both are hours of the gate like any other. After the loss of a unit the others take over its part of the answer, in
proportion to their ranges, which moves rows a little more; this is part of the deviation. A single hour is its own
narrower and wider one.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.network.model import Matrix, Vector
from engine.redispatch.states import State
from engine.siting.case import SitingCase
from engine.siting.gate.model import GateHour, GateModel

_STIFF = 0.05  # how much units answer by their ranges, against rows by their limits
_LEAST_RANGE_MW = 1.0  # of a bus whose units answer
_ALIKE_MW = 30.0  # ranges beyond this count the same: the loss of no unit may take a large part of the answer away
_ROUNDING_MW = 1e-9


@dataclass(frozen=True, eq=False)
class Together:
    """The hours of a case as one."""

    narrower: GateHour | None  # None where units have nothing in common to produce
    wider: GateHour

    @classmethod
    def of(cls, model: GateModel, case: SitingCase) -> Self:
        """Return the hours of a case together; its buses with units count apart if they must in any of the hours."""
        unit_bus = case.network.units.bus
        if not all(model.ends.kept(case.state(hour), unit_bus) for hour in range(len(case))):
            model = model.apart
        inner = case.least_mw.max(axis=0), case.largest_mw.min(axis=0)
        range_mw = np.maximum(inner[1] - inner[0], 0.0)
        total = case.demand_mw.sum(axis=1)
        mean = model.limits.factors.flows(-case.demand_mw.mean(axis=0))
        flow = model.limits.factors.flows(-case.demand_mw.T) - mean[:, np.newaxis]  # (L, T)
        change = np.asarray(model.limits.weights @ flow)
        count = len(model.unit_buses)

        def at_buses(value: Vector) -> Vector:
            return np.bincount(model.unit_place, weights=value, minlength=count).astype(np.float64)

        by_bus = at_buses(range_mw)
        answer = _answers(model, change, by_bus, total - total.mean())  # (U, T)
        part = np.divide(range_mw, by_bus[model.unit_place], out=np.zeros(len(range_mw)), where=range_mw > 0.0)
        alone = (by_bus <= 0.0)[model.unit_place] / np.bincount(model.unit_place, minlength=count)[model.unit_place]
        of_unit = (part + alone)[:, np.newaxis] * answer[model.unit_place]  # (G, T)
        share = range_mw / max(float(range_mw.sum()), 1e-9)
        taken_mw = np.abs(of_unit[model.lost_units]).max(axis=1, initial=0.0)  # by others, after the loss of the unit
        more_mw = share * float((taken_mw / (1.0 - share[model.lost_units])).max(initial=0.0))

        rows, off = _middle(change + model.at_units @ answer)
        lost_mw, lost_off = _middle(flow[model.lost_branches] + model.lost_at_units @ answer)
        rows = rows + np.asarray(model.limits.weights @ mean)
        lost_mw = lost_mw + mean[model.lost_branches]
        after = off + (np.abs(model.moved) * lost_off).max(axis=1, initial=0.0)
        if taken_mw.any():
            shift = model.at_units[:, model.unit_place[model.lost_units]]
            others = model.at_units @ at_buses(share)
            moved = np.abs(shift - others[:, np.newaxis]) / (1.0 - share[model.lost_units])
            off = off + (moved * taken_mw).max(axis=1)

        def hour(sign: float, limits: tuple[Vector, Vector]) -> GateHour:
            """Return the hour whose limits are moved out (1) or in (-1)."""
            least, largest = limits
            changed = replace(
                model,
                lower_mw=model.lower_mw - sign * off,
                upper_mw=model.upper_mw + sign * off,
                after_lower_mw=model.after_lower_mw - sign * after,
                after_upper_mw=model.after_upper_mw + sign * after,
            )
            words = case.labels[0] if len(case) == 1 else f"{len(case)} hours from {case.labels[0]}"
            state = State(case.demand_mw.mean(axis=0), least - sign * more_mw, largest + sign * more_mw, words)
            return GateHour(
                model=changed,
                state=state,
                demand_mw=float(total.mean()),
                least_mw=at_buses(state.least_mw),
                largest_mw=at_buses(state.largest_mw),
                fixed_mw=rows,
                fixed_lost_mw=lost_mw,
            )

        low, high = case.least_mw.T - of_unit, case.largest_mw.T - of_unit
        inner = low.max(axis=1), high.min(axis=1)
        possible = bool((inner[0] + more_mw <= inner[1] - more_mw + _ROUNDING_MW).all())
        return cls(hour(-1.0, inner) if possible else None, hour(1.0, (low.min(axis=1), high.max(axis=1))))


def _answers(model: GateModel, change_mw: Matrix, range_mw: Vector, missing_mw: Vector) -> Matrix:
    """Return what unit buses answer (U, T) so that rows change (R, T) little: least squares, scaled by their ranges."""
    able = np.flatnonzero(range_mw >= _LEAST_RANGE_MW)
    if not able.size:  # whoever answers leaves its limits: equal parts
        return np.tile(missing_mw / len(range_mw), (len(range_mw), 1))
    limit = np.minimum(np.abs(model.lower_mw), np.abs(model.upper_mw))
    weight = np.where(np.isfinite(limit), 1.0 / np.maximum(limit, 1.0), 0.0) ** 2
    at_units, count = model.at_units[:, able], len(able)
    weighted = at_units * weight[:, np.newaxis]
    table = np.zeros((count + 1, count + 1))
    table[:count, :count] = at_units.T @ weighted
    table[np.arange(count), np.arange(count)] += _STIFF / np.minimum(range_mw[able], _ALIKE_MW) ** 2
    table[count, :count] = table[:count, count] = 1.0
    found = np.zeros((len(range_mw), len(missing_mw)))
    found[able] = np.linalg.solve(table, np.vstack([-(weighted.T @ change_mw), missing_mw]))[:count]
    return found


def _middle(value: Vector) -> tuple[Vector, Vector]:
    """Return the middle of values over their last axis, and how far they are from it."""
    low, high = value.min(axis=-1), value.max(axis=-1)
    return (low + high) / 2.0, (high - low) / 2.0
