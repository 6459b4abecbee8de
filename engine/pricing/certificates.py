"""What proves the answer of a case: every hub's conditions, a second solver, bounds in their order, and differences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.interior import solve_interior
from engine.pricing.compare import Comparison
from engine.pricing.evaluation import Fleet
from engine.pricing.program import HubProgram

_SAMPLED = 60  # hubs that a second solver answers for
_HAIR = 1e-7  # $/MWh
_BESIDE = 1e-2  # $/MWh from the best prices, for these lie on bends: there a slope has two values
_ORDER = 1e-6  # relative, of bounds that are met


@dataclass(frozen=True, slots=True)
class Certificates:
    """Numbers that are 0, or nearly, where everything is as it should be."""

    residual: float  # largest violation of a hub's conditions of optimality, over all answers
    second_solver: float  # largest difference of a hub's optimum from that of an interior point method, relative
    sampled: int  # hubs that it was asked for
    order: bool  # first best <= quick prices <= no prices, and the same of exact ones with linear hubs
    both_ways_mw: float  # largest power that a battery charges and discharges, or a hub imports and exports, at once
    gradient: float  # adjoint against differences beside the prices, relative; large where an answer bends just there

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def certificates(fleet: Fleet, found: Comparison, seed: int = 0) -> Certificates:
    """Return the certificates of a comparison."""
    rng = np.random.default_rng(seed)
    quick = found.quick.best.found
    chosen = np.sort(rng.permutation(len(fleet.programs))[:_SAMPLED])
    price = quick.price[fleet.case.area]
    away = 0.0
    for at in chosen.tolist():
        own, told = fleet.programs[at], quick.responses[at].value
        bounds = (own.right, own.right, own.lower, own.upper)
        other = solve_interior(own.cost_at(price[at]), own.curved, own.matrix, bounds, None)
        value = own.quadratic(price[at]).objective(other.x)
        away = max(away, abs(value - told) / (1.0 + abs(told)))
    both = max(
        _both_ways(own, x) for each in found.outcomes for own, x in zip(fleet.programs, each.points, strict=True)
    )
    way, aside = rng.normal(size=(2, *quick.price.shape))
    beside = fleet.at(quick.price + _BESIDE * aside, quick.responses)
    ends = [fleet.at(beside.price + sign * _HAIR * way, beside.responses).overload_cost for sign in (1.0, -1.0)]
    by_adjoint = float((fleet.gradient(beside) * way).sum())
    by_difference = (ends[0] - ends[1]) / (2.0 * _HAIR)
    return Certificates(
        residual=found.residual, second_solver=away, sampled=len(chosen), order=_in_order(found), both_ways_mw=both,
        gradient=abs(by_adjoint - by_difference) / (1.0 + abs(by_difference)),
    )  # fmt: skip


def _both_ways(own: HubProgram, x: np.ndarray) -> float:
    pairs = (("import", "export"), ("charge", "discharge"))
    return max(float(np.minimum(own.of(x, one), own.of(x, other)).max(initial=0.0)) for one, other in pairs)


def _in_order(found: Comparison) -> bool:
    chains = [[found.floor, found.of("quick", "quadratic").objective, found.of("none", "quadratic").objective]]
    if found.exact is not None:
        chains.append([found.floor, found.exact.objective, found.of("none", "linear").objective])
    return all(in_order(chain) for chain in chains)


def in_order(chain: Sequence[float]) -> bool:
    """Return whether no number is above the next one, but for rounding."""
    return all(low <= high + _ORDER * (1.0 + abs(high)) for low, high in pairwise(chain))
