"""The cost curves of units as columns of a program: linear, quadratic, and convex piecewise linear.

A unit with a polynomial cost is one column, its output. A unit with cost points is one column per
segment, each measured from the segment's first point; since the slopes rise, cheaper segments fill first.
As in MATPOWER, the first and the last segment continue beyond their points up to the unit's limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from engine.errors import NetworkDataError, Problem
from engine.network.model import Integers, Matrix, Network, Units, Vector

# Relative. Files print points with five decimals, so segments of one line get slopes that differ in the fifth
# digit (RTS-GMLC, unit 121-1): such a point is left out. Whatever bends back further is refused.
_SLOPE_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class CostColumns:
    """The C columns of the units in service, in the order of the units."""

    unit: Integers  # (C,), position of the unit
    bus: Integers  # (C,), position of its bus
    slope: Vector  # (C,), $/MWh at the column's zero
    quadratic: Vector  # (C,), $/MW2h, twice c2
    start_mw: Vector  # (C,), the output at which the column is zero
    least_mw: Vector  # (C,), lowest value of the column whatever the limits: -inf or 0
    most_mw: Vector  # (C,), highest value of the column whatever the limits: its width or inf
    base_mw: Vector  # (G,), output of a unit whose columns are all zero
    base_per_h: float  # $/h when all columns are zero: the sum of c0, or of the costs at the first points

    @classmethod
    def of(cls, network: Network) -> Self:
        """Return the columns of ``network``. Raises NetworkDataError naming every unit whose cost is not convex."""
        units = network.units
        _refuse_not_convex(units)
        pieces = np.array([piece for unit in np.flatnonzero(units.in_service) for piece in _pieces(units, int(unit))])
        table = pieces.reshape(-1, 7)
        unit = table[:, 0].astype(np.intp)
        base = np.zeros(len(units.ids))
        pointed = [(place, points[0][0]) for place, points in enumerate(units.cost_points) if points]
        for place, first in pointed:
            base[place] = first if units.in_service[place] else 0.0
        return cls(
            unit=unit,
            bus=units.bus[unit],
            slope=table[:, 1],
            quadratic=table[:, 2],
            start_mw=table[:, 3],
            least_mw=table[:, 4],
            most_mw=table[:, 5],
            base_mw=base,
            base_per_h=float(table[:, 6].sum()),
        )

    def bounds(self, p_min_mw: Matrix, p_max_mw: Matrix) -> tuple[Matrix, Matrix]:
        """Return the bounds (..., C) of the columns for unit limits (..., G)."""
        lower = np.clip(p_min_mw[..., self.unit] - self.start_mw, self.least_mw, self.most_mw)
        upper = np.clip(p_max_mw[..., self.unit] - self.start_mw, self.least_mw, self.most_mw)
        return lower, upper

    def output_mw(self, values: Matrix) -> Matrix:
        """Return the outputs (..., G) of the units for the values (..., C) of the columns."""
        entries = (np.ones(len(self.unit)), (np.arange(len(self.unit)), self.unit))
        by_unit = csr_array(entries, shape=(len(self.unit), len(self.base_mw)))
        return np.asarray(values @ by_unit + self.base_mw, dtype=np.float64)

    def cost_per_h(self, values: Matrix) -> Vector:
        """Return the cost (...,) in $/h of the values (..., C) of the columns."""
        total = values @ self.slope + (values * values) @ self.quadratic / 2.0 + self.base_per_h
        return np.asarray(total, dtype=np.float64)


def _pieces(units: Units, unit: int) -> Iterator[tuple[float, ...]]:
    """Yield unit, slope, quadratic, start, least, most and constant cost of each column of one unit."""
    points = units.cost_points[unit]
    if not points:
        curved = 2.0 * units.cost_c2_per_mw2h[unit]
        yield unit, units.cost_c1_per_mwh[unit], curved, 0.0, -np.inf, np.inf, units.cost_c0_per_h[unit]
        return
    points = _lower_hull(points)
    last = len(points) - 2
    for place, slope in enumerate(_slopes(points)):
        start = points[place][0]
        width = points[place + 1][0] - start
        constant = points[0][1] if place == 0 else 0.0
        yield unit, slope, 0.0, start, (-np.inf if place == 0 else 0.0), (np.inf if place == last else width), constant


def _slopes(points: tuple[tuple[float, float], ...]) -> Vector:
    table = np.array(points)
    return np.asarray(np.diff(table[:, 1]) / np.diff(table[:, 0]), dtype=np.float64)


def _lower_hull(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Return the points without those at which the slope falls, however little."""
    kept: list[tuple[float, float]] = []
    for point in points:
        while len(kept) > 1:
            before, after = _slopes((kept[-2], kept[-1], point))
            if after >= before:
                break
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _refuse_not_convex(units: Units) -> None:
    problems = []
    for unit in np.flatnonzero(units.in_service).tolist():
        points = units.cost_points[unit]
        if points:
            slopes = _slopes(points)
            falls = np.diff(slopes) < -_SLOPE_TOLERANCE * (1.0 + np.abs(slopes).max())
            if falls.any():
                at = int(np.argmax(falls))
                found = f"its slope falls from {slopes[at]:g} to {slopes[at + 1]:g} $/MWh at {points[at + 1][0]:g} MW"
                problems.append(_not_convex(units, unit, "cost_points", found))
        elif units.cost_c2_per_mw2h[unit] < 0.0:
            found = f"c2 is {units.cost_c2_per_mw2h[unit]:g} $/MW2h"
            problems.append(_not_convex(units, unit, "cost_c2_per_mw2h", found))
    if problems:
        raise NetworkDataError(problems)


def _not_convex(units: Units, unit: int, column: str, found: str) -> Problem:
    name = units.ids[unit]
    return Problem(
        "cost-not-convex", "error", f"the cost of unit {name!r} is not convex: {found}", "units", unit, column, name
    )
