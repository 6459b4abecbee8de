"""CVaR and VaR of samples given row by row; the same definitions as the kept tails."""

import numpy as np

from engine.capacity.question import Measure
from engine.network.model import Matrix, Vector

_EXACT = 1e-12  # a risk level is met when the probability counted reaches it to this


def risk_rows(loads_mw: Matrix, epsilon: float, measure: Measure, weight: Vector | None) -> Vector:
    """Return the (n,) CVaR or VaR at ``epsilon`` of the loads (n, S) with probabilities (S,), None for equal ones."""
    if weight is not None:
        return _weighted(loads_mw, epsilon, measure, weight)
    count = loads_mw.shape[1]
    if measure == "var":
        place = min(int(np.floor((epsilon + _EXACT) * count)), count - 1)
        quantile: Vector = -np.partition(-loads_mw, place, axis=1)[:, place]
        return quantile
    full = min(int(np.floor((epsilon + _EXACT) * count)), count)
    place = min(full, count - 1)
    largest = -np.partition(-loads_mw, place, axis=1)[:, : place + 1]
    part = max(epsilon * count - full, 0.0) if full < count else 0.0
    if full == 0:
        worst: Vector = largest[:, 0]
        return worst
    last = largest[:, place]
    total = largest[:, :full].sum(axis=1) + part * last
    mean: Vector = total / (full + part)
    return mean


def _weighted(loads_mw: Matrix, epsilon: float, measure: Measure, weight: Vector) -> Vector:
    order = np.argsort(-loads_mw, axis=1, kind="stable")
    ordered, mass = np.take_along_axis(loads_mw, order, axis=1), weight[order]
    after = np.cumsum(mass, axis=1)
    if measure == "var":
        place = np.minimum((after <= epsilon + _EXACT).sum(axis=1), loads_mw.shape[1] - 1)
        quantile: Vector = ordered[np.arange(len(ordered)), place]
        return quantile
    counted = np.clip(epsilon - (after - mass), 0.0, mass)
    mean: Vector = (counted * ordered).sum(axis=1) / counted.sum(axis=1)
    return mean
