"""What a plan is worth on shocks that it was not made for: metrics, and differences with their confidence.

The plan stays, stage II is optimised again for each shock. Every plan is tried on the same shocks, so differences are
taken pair by pair; their intervals are percentiles of bootstrap samples (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 13).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.compute import HERE, Progress, Workers
from engine.network.model import Integers, Matrix, Vector
from engine.resilience.ambiguity import cvar, value_at_risk
from engine.resilience.case import PlacementCase, Scenarios
from engine.resilience.outcomes import Outcomes
from engine.resilience.placement import checked_plan, unit_costs
from engine.resilience.stage import Stage

RESAMPLES, LEVEL = 2_000, 0.95  # of the bootstrap
BETA = 0.95  # of the tails that are told
_ANY_MWH = 1e-6  # more than this is load not served


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Section 7 of the specification. Per event but for ``capital`` and ``year``."""

    capital: float  # $ a year
    mean_cost: float  # $
    cvar_cost: float
    worst_cost: float
    eens_mwh: float  # expected load not served
    var_unserved_mwh: float
    cvar_unserved_mwh: float
    worst_unserved_mwh: float
    shedding: float  # probability of any
    imbalance_mwh: float
    restoration_cost: float
    lowest_pu: float
    highest_pu: float
    year: float  # $ a year: capital and the mean cost of all events
    given_mwh: Vector  # (K,), what each module gives in the mean
    used: Vector  # (K,), of what it could give: a store its energy once, others their power throughout


def evaluate(
    case: PlacementCase, plan: Vector, scenarios: Scenarios | None = None, *, workers: Workers = HERE,
    progress: Progress | None = None,
) -> Outcomes:  # fmt: skip
    """Return what becomes of shocks (the case's own, or others) under a plan (K,).

    Raises NetworkDataError for a plan that breaks a limit or shocks of another shape, SolverError where a shock has no
    certified optimum.
    """
    whole = checked_plan(case, plan)
    table = whole.reshape(len(case.types), len(case.sites))
    used = np.flatnonzero(table.any(axis=0)) if table.any() else np.array([0])
    small = replace(
        case, sites=tuple(case.sites[at] for at in used.tolist()),
        scenarios=case.scenarios if scenarios is None else scenarios,
    ).checked()  # fmt: skip
    found = Stage(small, workers).dispatch(table[:, used].ravel(), progress=progress).outcomes
    given = np.zeros((len(found), *table.shape))
    given[:, :, used] = found.given_mwh.reshape(len(found), len(case.types), len(used))
    return replace(found, given_mwh=given.reshape(len(found), -1))


def metrics(
    case: PlacementCase, plan: Vector | Integers, outcomes: Outcomes, probability: Vector | None = None
) -> Metrics:
    """Return the metrics of outcomes, equally likely or with probabilities (S,)."""
    count = len(outcomes)
    share = np.full(count, 1.0 / count) if probability is None else probability
    capital = float(unit_costs(case) @ plan)
    mean, given = float(share @ outcomes.cost), share @ outcomes.given_mwh
    room = _room(case) * plan
    return Metrics(
        capital=capital,
        mean_cost=mean,
        cvar_cost=cvar(outcomes.cost, share, BETA),
        worst_cost=float(outcomes.cost.max()),
        eens_mwh=float(share @ outcomes.unserved_mwh),
        var_unserved_mwh=value_at_risk(outcomes.unserved_mwh, share, BETA),
        cvar_unserved_mwh=cvar(outcomes.unserved_mwh, share, BETA),
        worst_unserved_mwh=float(outcomes.unserved_mwh.max()),
        shedding=float(share @ (outcomes.unserved_mwh > _ANY_MWH)),
        imbalance_mwh=float(share @ outcomes.imbalance_mwh),
        restoration_cost=float(share @ outcomes.restoration_cost),
        lowest_pu=float(outcomes.lowest_pu.min()),
        highest_pu=float(outcomes.highest_pu.max()),
        year=capital + case.events_per_year * mean,
        given_mwh=given,
        used=np.divide(given, room, out=np.zeros_like(given), where=room > 0.0),
    )


def _room(case: PlacementCase) -> Vector:
    """Return (K,) what one module could give in an event, MWh."""
    hours = case.steps * case.step_h
    each = [kind.power_mw * hours if kind.kind == "generation" else kind.energy_mwh for kind in case.types]
    return np.repeat(each, len(case.sites))


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval it lies in at the level of confidence."""

    value: float
    low: float
    high: float


def paired(
    first: Vector, second: Vector, statistic: Callable[[Matrix], Vector], *, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """Return ``statistic`` of ``first`` less that of ``second``: two columns (S,) of the same shocks, equally likely.

    ``statistic`` maps (R, S) samples to (R,) numbers. Below zero: the first is lower.
    """
    rng, count = np.random.default_rng(seed), len(first)
    drawn = []
    for part in range(0, resamples, 100):  # so that samples stay small in memory
        chosen = rng.integers(0, count, (min(100, resamples - part), count))
        drawn.append(statistic(first[chosen]) - statistic(second[chosen]))
    low, high = np.quantile(np.concatenate(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float((statistic(first[np.newaxis]) - statistic(second[np.newaxis]))[0]), float(low), float(high))


def mean_of(samples: Matrix) -> Vector:
    """Return the means of samples (R, S)."""
    return np.asarray(samples.mean(axis=1))


def tail_of(samples: Matrix) -> Vector:
    """Return the CVaR of samples (R, S) of equal probability: the mean of the worst share, its last one in part."""
    count = samples.shape[1]
    tail = (1.0 - BETA) * count
    whole = int(tail)
    ordered = -np.sort(-samples, axis=1)
    part = (tail - whole) * ordered[:, min(whole, count - 1)]
    return np.asarray((ordered[:, :whole].sum(axis=1) + part) / tail)
