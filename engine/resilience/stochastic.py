"""What knowing the distribution is worth, and what knowing the shock would be: VSS and EVPI.

Source: Birge and Louveaux, Introduction to Stochastic Programming, 2nd ed., 2011, chapter 4.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.compute import HERE, Progress, Workers, run_map
from engine.network.model import Vector
from engine.resilience.case import PlacementCase
from engine.resilience.compare import Planned
from engine.resilience.lshaped import LShaped
from engine.resilience.placement import Aim, Search, unit_costs

_TOGETHER = 10  # shocks of a task


@dataclass(frozen=True, slots=True, eq=False)
class WaitAndSee:
    """The best plan for each shock alone, as if it were the only one."""

    objective: Vector  # (S,), $ a year
    bound: Vector  # (S,)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    cases: tuple[PlacementCase, ...]  # of one shock each
    search: Search


def wait_and_see(
    case: PlacementCase, search: Search, *, workers: Workers = HERE, progress: Progress | None = None
) -> WaitAndSee:
    """Return what each shock would cost a year if it were known before modules are placed.

    Raises SolverError where a shock has no certified optimum.
    """
    alone = [replace(case, scenarios=case.scenarios.taken(np.array([at]))) for at in range(len(case.scenarios))]
    parts = [tuple(alone[first : first + _TOGETHER]) for first in range(0, len(alone), _TOGETHER)]
    found = run_map(_alone, [_Task(part, search) for part in parts], workers=workers, progress=progress)
    table = np.concatenate(found)
    return WaitAndSee(table[:, 0], table[:, 1])


def _alone(task: _Task) -> Vector:
    found = [LShaped(case, Aim(weight=0.0), task.search).solve() for case in task.cases]
    return np.array([[each.objective, each.bound] for each in found])


def information_value(case: PlacementCase, neutral: Planned, seen: WaitAndSee) -> float:
    """Return the EVPI, $ a year: what the risk-neutral plan costs more than plans for shocks that are known."""
    return neutral.own_objective - float(case.scenarios.probability @ seen.objective)


def solution_value(case: PlacementCase, mean_shock: Planned, neutral: Planned) -> float:
    """Return the VSS, $ a year: what the plan for the mean shock costs more in the mean than the risk-neutral one."""
    return _mean(case, mean_shock) - _mean(case, neutral)


def _mean(case: PlacementCase, plan: Planned) -> float:
    yearly = case.events_per_year * float(case.scenarios.probability @ plan.outcomes.cost)
    return float(unit_costs(case) @ plan.plan) + yearly
