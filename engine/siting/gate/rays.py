"""Rays: multipliers on limits that bound the load of every bus, in every case and every hour, by weak duality.

For multipliers m on rows (positive on upper limits, negative on lower ones) and e on the balance, a dispatch p with a
load z at bus b that keeps all limits in case k has

    z * price_b >= floor,  price = e + sum of m_i (row_i + moved_ik lost_k),
    floor = sum over unit buses of min(price * least, price * largest) - price . demand - sum of m_i limit_i + shifters

so a negative price bounds the load from above, a positive one from below, and a floor above zero with no price says
that no load is possible. Any m will do: multipliers found in one case are carried to any other, where the same limits
hold with other factors; a limit on the lost branch itself is dropped there, since nothing flows on it.

Source: Boyd and Vandenberghe, *Convex Optimization*, 2004, section 5.8 (theorems of alternatives).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.network.model import Integers, Matrix, Vector
from engine.siting.gate.model import GateHour

_ROUNDING = 1e-11  # of the sum of all terms of a floor: what plain sums may be wrong by
_INNER_MW = 1e-6  # from its limits: what a unit produces there is free
_NO_PRICE = 1e-9  # of the largest price at any unit bus


@dataclass(frozen=True, slots=True, eq=False)
class Ray:
    """Multipliers, whatever the case and the hour."""

    rows: Integers  # (k,)
    multiplier: Vector  # (k,), above 0 on the upper limit, below 0 on the lower one
    energy: float

    @classmethod
    def of(cls, rows: Integers, multiplier: Vector, energy: float) -> Self:
        """Return a ray whose largest multiplier is 1; the energy alone is 1 where there is none."""
        size = max(float(np.abs(multiplier).max(initial=0.0)), 0.0 if len(rows) else abs(energy))
        return cls(rows, multiplier / size, energy / size) if size > 0.0 else cls(rows, multiplier, energy)


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A ray in one hour, in n cases: floors, and prices at candidates."""

    floor_mw: Vector  # (n,), safe against rounding
    price: Vector  # (C,), of the network as it is
    change: Vector  # (n,), times the lost branch's factors is what a case adds to the price
    lost: Integers  # (n,), place of the lost branch, -1 for none
    no_price: float

    def prices(self, hour: GateHour, buses: Integers) -> Matrix:
        """Return the (m, n) prices at candidates (m,)."""
        found = np.repeat(self.price[buses][:, np.newaxis], len(self.lost), axis=1)
        after = np.flatnonzero(self.lost >= 0)
        found[:, after] += hour.model.lost_at_candidates[self.lost[after]][:, buses].T * self.change[after]
        return found

    def bounds(self, hour: GateHour, buses: Integers) -> tuple[Matrix, Matrix]:
        """Return the (m, n) bounds on the loads of candidates (m,), below and above; -inf above: none is possible."""
        price = self.prices(hour, buses)
        least, most = np.zeros(price.shape), np.full(price.shape, np.inf)
        down, up = price < -self.no_price, price > self.no_price
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.floor_mw / price
        np.copyto(most, ratio, where=down)
        np.copyto(least, np.maximum(ratio, 0.0), where=up)
        most[~down & ~up & (self.floor_mw > 0.0)] = -np.inf
        return least, most


def carry(hour: GateHour, ray: Ray, cases: Integers) -> Carried:
    """Carry a ray to cases (n,) of an hour."""
    model = hour.model
    m, rows = ray.multiplier, ray.rows
    lost = np.where((cases >= 1) & (cases <= model.branch_cases), cases - 1, -1)
    after = lost >= 0
    price = m @ model.at_units[rows] + ray.energy  # (U,)
    range_mw = hour.largest_mw - hour.least_mw
    constant = float(m @ hour.fixed_mw[rows]) - ray.energy * hour.demand_mw
    own_limit = np.where(m > 0.0, model.upper_mw[rows], model.lower_mw[rows])
    after_limit = np.where(m > 0.0, model.after_upper_mw[rows], model.after_lower_mw[rows])
    intact = float(price @ hour.least_mw + np.minimum(price, 0.0) @ range_mw)
    floor = np.full(len(cases), intact + constant - float(m @ own_limit))
    change = np.zeros(len(cases))
    if after.any():
        place = lost[after]
        coefficient = m @ model.moved[np.ix_(rows, place)]
        table = model.lost_at_units[place]
        moved = table * coefficient[:, np.newaxis]
        moved += price
        supply = float(price @ hour.least_mw) + coefficient * (table @ hour.least_mw)
        np.minimum(moved, 0.0, out=moved)
        supply += moved @ range_mw
        fixed = constant + coefficient * hour.fixed_lost_mw[place] - float(m @ after_limit)
        fixed += ((rows[:, np.newaxis] == model.own_row[place]) * (m * after_limit)[:, np.newaxis]).sum(axis=0)
        floor[after], change[after] = supply + fixed, coefficient
    units = np.flatnonzero(cases > model.branch_cases)
    if units.size:
        lost_units = model.lost_units[cases[units] - 1 - model.branch_cases]
        at = price[model.unit_place[lost_units]]
        floor[units] -= np.minimum(at * hour.state.least_mw[lost_units], at * hour.state.largest_mw[lost_units])
    size = float(
        np.abs(price) @ np.maximum(np.abs(hour.least_mw), np.abs(hour.largest_mw)) + np.abs(m) @ np.abs(after_limit)
    )
    size += abs(constant)
    largest = float(np.abs(price).max(initial=0.0))
    return Carried(
        floor_mw=floor - _ROUNDING * size,
        price=m @ model.at_candidates[rows] + ray.energy,
        change=change,
        lost=lost,
        no_price=_NO_PRICE * max(largest, 1e-12),
    )


def most_again(  # noqa: PLR0913, PLR0917 (a ray and where it was found, then where it is used)
    hour: GateHour, ray: Ray, from_case: int, output_mw: Vector, bus: int, cases: Integers
) -> Vector:
    """Return bounds (n,) on the load of a candidate after branch outages (n,), by a ray whose multipliers are adapted.

    Where a ray was found some units lie between their limits, as many as it has rows, at a price of none. In another
    case the same units get a price of none by other multipliers, which is what a program there would end with if the
    same limits and units mattered. Multipliers of the wrong sign are left out: any others prove a bound too, perhaps a
    poor one. ``output_mw`` (U,) is the dispatch that the ray came with; inf where nothing is found.
    """
    model, rows = hour.model, ray.rows
    found = np.full(len(cases), np.inf)
    least, largest = hour.box(from_case)
    price = ray.multiplier @ model.rows_of(rows, from_case)[0] + ray.energy
    inner = np.flatnonzero((output_mw > least + _INNER_MW) & (output_mw < largest - _INNER_MW))
    here = np.flatnonzero((cases >= 1) & (cases <= model.branch_cases))
    here = here[~np.isin(model.own_row[cases[here] - 1], rows)]
    sign = np.sign(ray.multiplier)
    limit = np.where(sign > 0.0, model.after_upper_mw[rows], model.after_lower_mw[rows])
    if len(inner) < len(rows) or not len(rows) or not here.size or not np.isfinite(limit).all():
        return found
    free = inner[np.argsort(np.abs(price[inner]), kind="stable")[: len(rows)]]
    lost = cases[here] - 1
    moved = model.moved[np.ix_(rows, lost)].T  # (n, k)
    lost_at, lost_at_bus = model.lost_at_units[lost], model.lost_at_candidates[lost, bus]
    table = np.ones((len(here), len(rows) + 1, len(rows) + 1))
    table[:, :-1, :-1] = model.at_units[np.ix_(rows, free)].T + lost_at[:, free, np.newaxis] * moved[:, np.newaxis]
    table[:, -1, :-1] = model.at_candidates[rows, bus] + moved * lost_at_bus[:, np.newaxis]
    wanted = np.zeros((len(rows) + 1, 1))
    wanted[-1] = -1.0
    try:
        solved = np.linalg.solve(table, wanted)[:, :, 0]
    except np.linalg.LinAlgError:
        return found
    m, energy = np.where(sign * solved[:, :-1] > 0.0, solved[:, :-1], 0.0), solved[:, -1]
    coefficient = (m * moved).sum(axis=1)
    price = m @ model.at_units[rows] + energy[:, np.newaxis] + coefficient[:, np.newaxis] * lost_at
    fixed = np.abs(m) @ np.abs(hour.fixed_mw[rows]) + np.abs(coefficient * hour.fixed_lost_mw[lost])
    size = np.abs(price) @ np.maximum(np.abs(hour.least_mw), np.abs(hour.largest_mw))
    size += fixed + np.abs(m) @ np.abs(limit) + np.abs(energy) * abs(hour.demand_mw)
    floor = price @ hour.least_mw + np.minimum(price, 0.0) @ (hour.largest_mw - hour.least_mw)
    floor += m @ (hour.fixed_mw[rows] - limit) + coefficient * hour.fixed_lost_mw[lost] - energy * hour.demand_mw
    at_bus = m @ model.at_candidates[rows, bus] + coefficient * lost_at_bus + energy
    sound = np.isfinite(size) & (at_bus < -_NO_PRICE * np.maximum(np.abs(price).max(axis=1, initial=0.0), 1e-12))
    found[here[sound]] = (floor - _ROUNDING * size)[sound] / at_bus[sound]
    return found
