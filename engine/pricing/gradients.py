"""Where a large fleet's search begins once more: rounded overloads and prices, followed down by exact gradients.

A search within trust regions ends where no price by itself brings anything: at bends, of which a fleet has thousands.
Rounded at its bends the objective is smooth and has fewer such ends. From the prices that the search came to, L-BFGS-B
follows its gradient for a few answers of all hubs; the gradient needs one adjoint system for each hub, and no slopes.
The prices found are higher in the true objective and in another place, and the search goes on from there. What is
counted in the end is the true objective, so nothing is lost but time.

The gradient is exact wherever answers are affine; where one bends it is that of one side.
Source: Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization", SIAM J. Sci. Comput.
16, 1995.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize

from engine.network.model import Matrix, Vector
from engine.pricing.evaluation import Evaluation, Fleet

_LIMIT_SHARE = 0.15  # of the mean limit of a line: 0.2 MW on the feeder of the fleets
_LEAST_MW = 1e-3  # a substation's limit may be 0
_PRICE_PER_MWH = 4.0  # half of the first trust region
_STEPS, _ANSWERS = 30, 60  # of L-BFGS-B, and of all hubs, at most
_WORTH = 1e-6  # relative: a step of less ends it


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far from a bend a hinge or an absolute value is rounded."""

    overload_mw: float
    price_per_mwh: float

    @classmethod
    def of(cls, fleet: Fleet) -> Self:
        """Return the rounding for a fleet."""
        network = fleet.case.network
        limits = network.limit_mw[np.isfinite(network.limit_mw)]
        if not len(limits):
            limits = np.array([each for each in (network.import_mw, network.export_mw) if np.isfinite(each)])
        return cls(max(_LIMIT_SHARE * float(limits.mean()), _LEAST_MW), _PRICE_PER_MWH)


def rounded(fleet: Fleet, found: Evaluation, by: Rounding) -> tuple[float, Matrix]:
    """Return the rounded objective, $, no more than the true one, and its gradient (K, T) by prices.

    ``o`` MW of an overload count as ``o^2 / 2r`` below the rounding ``r`` and as ``o - r / 2`` above; ``|p|`` of prices
    as ``sqrt(p^2 + r^2) - r``.
    """
    case, over, terms = fleet.case, found.overloads, fleet.case.terms
    line, by_line = _hinge(over.line_mw, by.overload_mw)
    whole, by_whole = _hinge(over.substation_mw, by.overload_mw)
    by_line = by_line * np.sign(over.flow_mw) * terms.line_per_mwh
    by_whole = by_whole * np.sign(over.substation_flow_mw) * terms.substation_per_mwh
    by_withdrawal = (by_whole - case.network.share.T @ by_line) * case.step_h  # (I, T)
    weighed = fleet.terms.rows @ found.price.ravel()
    size = np.hypot(weighed, by.price_per_mwh)
    value = (terms.line_per_mwh * line + terms.substation_per_mwh * whole) * case.step_h
    value += float(fleet.terms.weight @ (size - by.price_per_mwh))
    by_price = fleet.terms.rows.T @ (fleet.terms.weight * weighed / size)
    return value, fleet.adjoint(found, by_withdrawal) + by_price.reshape(found.price.shape)


def _hinge(mw: Matrix, within: float) -> tuple[float, Matrix]:
    value = np.where(mw < within, mw**2 / (2.0 * within), mw - within / 2.0)
    return float(value.sum()), np.minimum(mw / within, 1.0)


class _OverError(Exception):
    """The time is over."""


def followed(fleet: Fleet, found: Evaluation, over: Callable[[], bool]) -> Evaluation:
    """Return the least of the rounded objective on the way from ``found``, within what prices may be.

    ``over`` is asked before each answer whether the time is. Raises what :meth:`Fleet.at` does.
    """
    by, shape, bounds = Rounding.of(fleet), found.price.shape, fleet.case.price_bounds()
    least, best, near = np.inf, found, found

    def at(price: Vector) -> tuple[float, Vector]:
        nonlocal least, best, near
        if over():
            raise _OverError
        near = fleet.at(price.reshape(shape), near.responses)
        value, slope = rounded(fleet, near, by)
        if value < least:
            least, best = value, near
        return value, slope.ravel()

    pairs = list(zip(*(each.ravel() for each in bounds), strict=True))
    try:
        minimize(
            at, found.price.ravel(), jac=True, method="L-BFGS-B", bounds=pairs,
            options={"maxiter": _STEPS, "maxfun": _ANSWERS, "ftol": _WORTH},
        )  # fmt: skip
    except _OverError:
        return best
    return best
