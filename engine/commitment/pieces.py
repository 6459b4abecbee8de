"""Costs of units in straight pieces that lie nowhere above the filed curve, for the integer program.

A quadratic cost is replaced by the tangents at equally spaced outputs, both limits among them: it is met there, and
fallen short of by at most ``c2 (d / 2)^2`` half way, d being the spacing. What the integer program bounds from below is
therefore below the true cost too. Costs filed as points are straight already.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.commitment.instance import Instance
from engine.network.model import Integers, Matrix, Vector

_ERROR_PER_MWH = 1e-3  # $/h that all curves may fall short by per MW of the fleet, if the number of pieces allows
_ALL_PIECES = 1600  # of an hour, about
_LEAST_PIECES, _MOST_PIECES = 4, 60  # that a unit may have


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """P pieces of all units in service, each measured upwards from the unit's least output."""

    unit: Integers  # (P,), position of the unit
    slope: Vector  # (P,), $/MWh
    width_mw: Matrix  # (T, P), 0 where the piece lies outside the unit's limits
    least_per_h: Matrix  # (T, G), cost at the least output, the no-load cost included

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """Return the pieces for the limits of every hour of an instance."""
        case, curves = instance.case, instance.curves
        least, largest = case.least_mw, case.largest_mw
        lowest, highest = least.min(axis=0), largest.max(axis=0)
        unit, slope, start, end = [], [], [], []
        curved = max(1, int((curves.quadratic > 0.0).sum()))
        error = _ERROR_PER_MWH * max(float(highest.sum()), 1.0) / curved
        most = int(np.clip(_ALL_PIECES // curved, _LEAST_PIECES, _MOST_PIECES))
        for place, position in enumerate(curves.unit.tolist()):
            low = max(lowest[position], curves.start_mw[place] + curves.least_mw[place])
            high = min(highest[position], curves.start_mw[place] + curves.most_mw[place])
            if high <= low:
                continue
            at = tangent_points(low, high, curves.quadratic[place] / 2.0, error, most)
            edges = np.concatenate([[low], (at[1:] + at[:-1]) / 2.0, [high]])
            unit += [position] * len(at)
            slope += (curves.slope[place] + curves.quadratic[place] * (at - curves.start_mw[place])).tolist()
            start += edges[:-1].tolist()
            end += edges[1:].tolist()
        units = np.array(unit, dtype=np.intp)
        low_mw, high_mw = least[:, units], largest[:, units]
        first = np.clip(np.array(start), low_mw, high_mw)
        width = np.clip(np.array(end), low_mw, high_mw) - first
        own = cost_at(instance, lowest[np.newaxis])[0]
        least_per_h = np.tile(own, (len(least), 1))
        below = np.clip(np.minimum(np.array(end), low_mw) - np.array(start), 0.0, None) * np.array(slope)
        np.add.at(least_per_h.T, units, below.T)
        return cls(units, np.array(slope), width, least_per_h)


def tangent_points(low: float, high: float, curvature: float, error: float, most: int) -> Vector:
    """Return the outputs, from ``low`` to ``high``, at which a cost ``curvature p^2`` is met by its tangents."""
    if curvature <= 0.0:
        return np.array([low])
    spacing = 2.0 * np.sqrt(error / curvature)
    return np.linspace(low, high, int(np.clip(np.ceil((high - low) / spacing) + 1, 2, most)))


def cost_at(instance: Instance, output_mw: Matrix) -> Matrix:
    """Return the exact cost (t, G) in $/h of outputs (t, G) of units that are on; 0 for units out of service."""
    curves = instance.curves
    shape = output_mw.shape
    value = np.clip(output_mw[:, curves.unit] - curves.start_mw, curves.least_mw, curves.most_mw)
    each = value * curves.slope + value * value * curves.quadratic / 2.0
    total = np.zeros(shape)
    np.add.at(total.T, curves.unit, each.T)
    return total + base_per_h(instance)


def base_per_h(instance: Instance) -> Vector:
    """Return (G,) the cost of a unit that is on and whose columns are all zero: c0, or the cost of the first point."""
    units = instance.network.units
    first = [points[0][1] if points else c0 for points, c0 in zip(units.cost_points, units.cost_c0_per_h, strict=True)]
    return np.where(units.in_service, np.array(first), 0.0)
