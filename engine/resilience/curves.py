"""Curves of a study: the plan at each budget, and the radius of doubt that held-out shocks prefer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.compute import HERE, Workers
from engine.network.model import Integers, Vector
from engine.resilience.ambiguity import cvar
from engine.resilience.case import PlacementCase
from engine.resilience.evaluation import BETA, evaluate
from engine.resilience.lshaped import LShaped
from engine.resilience.placement import Aim, Placement, Search

Tick = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class BudgetPoint:
    """The best plan at one budget."""

    budget: float  # $ a year
    plan: Integers  # (K,)
    capital: float  # $ a year
    mean: float  # $ of an event, nominal
    cvar: float  # $ of an event, nominal
    objective: float  # $ a year
    gap: float


@dataclass(frozen=True, slots=True)
class RadiusPoint:
    """What held-out shocks say of plans made at one radius: means over the folds."""

    radius: float
    cvar_unserved_mwh: float  # the metric that is chosen by
    mean_cost: float  # $ of an event
    capital: float  # $ a year


def budget_curve(  # noqa: PLR0913 (by name)
    case: PlacementCase, aim: Aim, search: Search, count: int, *, workers: Workers = HERE, tick: Tick | None = None
) -> tuple[BudgetPoint, ...]:
    """Return the best plans at ``count`` budgets from nothing to the case's own; cuts of one serve the next."""
    found: list[BudgetPoint] = []
    before: LShaped | None = None
    plan: Vector = np.zeros(case.most.size)
    top = case.budget if np.isfinite(case.budget) else float(sum(each.cost * each.inventory for each in case.types))
    for place, budget in enumerate(np.linspace(0.0, top, count).tolist()):
        if tick is not None:
            tick(f"the best plan at a budget of {budget:,.0f} $ a year", place / count)
        now = LShaped(replace(case, budget=budget), aim, search, workers=workers)
        placed = (now if before is None else now.learn(before)).solve((plan,))
        before, plan = now, placed.plan.astype(np.float64)
        found.append(_point(case, budget, placed))
    return tuple(found)


def _point(case: PlacementCase, budget: float, placed: Placement) -> BudgetPoint:
    share = case.scenarios.probability
    mean, tail = float(share @ placed.costs), cvar(placed.costs, share, BETA)
    return BudgetPoint(budget, placed.plan, placed.capital, mean, tail, placed.objective, placed.gap)


def radius_curve(  # noqa: PLR0913 (by name)
    case: PlacementCase,
    aim_at: Callable[[PlacementCase, float], Aim],
    radii: tuple[float, ...],
    search: Search,
    *,
    folds: int,
    seed: int,
    workers: Workers = HERE,
    tick: Tick | None = None,
) -> tuple[RadiusPoint, ...]:
    """Return what each radius is worth on shocks held out, in turns: ``folds`` parts, drawn with the seed.

    A plan is made on all parts but one and tried on that one. Shocks of no probability are planned on, never tried.
    The radius with the least CVaR of load not served is :func:`best_radius`.
    """
    rng = np.random.default_rng(seed)
    likely = np.flatnonzero(case.scenarios.probability > 0.0)
    unseen = np.flatnonzero(case.scenarios.probability <= 0.0)
    parts = np.array_split(rng.permutation(likely), folds)
    table = np.zeros((len(radii), folds, 3))
    for fold, held in enumerate(parts):
        rest = np.sort(np.concatenate([*(part for at, part in enumerate(parts) if at != fold), unseen]))
        train, test = case.with_scenarios(rest), case.with_scenarios(np.sort(held))
        before: LShaped | None = None
        for place, radius in enumerate(radii):
            if tick is not None:
                share = (fold * len(radii) + place) / (folds * len(radii))
                tick(f"radius {radius:g} without part {fold + 1} of {folds}", share)
            now = LShaped(train, aim_at(train, radius), search, workers=workers)
            placed = (now if before is None else now.learn(before)).solve()
            before = now
            tried = evaluate(test, placed.plan.astype(np.float64), workers=workers)
            share_of = test.scenarios.probability
            table[place, fold] = (
                cvar(tried.unserved_mwh, share_of, BETA), float(share_of @ tried.cost), placed.capital
            )  # fmt: skip
    means = table.mean(axis=1)
    return tuple(RadiusPoint(radius, *row) for radius, row in zip(radii, means.tolist(), strict=True))


def best_radius(points: tuple[RadiusPoint, ...]) -> float:
    """Return the radius with the least CVaR of load not served, the smallest of those that are alike."""
    return min(points, key=lambda each: (round(each.cvar_unserved_mwh, 9), each.radius)).radius
