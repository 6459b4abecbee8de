"""What solves one level of an allocation: the level's own programs, or cvxpy where there are conditions."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from engine.capacity import programs
from engine.capacity.conditions import condition_rows
from engine.capacity.level import LevelProgram, Optimum
from engine.capacity.question import CapacityQuestion, Objective, TieRule
from engine.capacity.results import Limit
from engine.network.model import Integers, Network, Vector

# From the variable of MW granted (K,), a cvxpy.Variable, to convex terms of the objective and convex constraints.
Extend = Callable[[Any], tuple[list[Any], list[Any]]]


class LevelSolver(Protocol):
    """What solves one level of an allocation."""

    def solve(
        self, problem: LevelProgram, objective: Objective, tie_rule: TieRule, warm: Integers | None = None
    ) -> Optimum:
        """Return the allocation of one level; ``warm`` names rows to begin with."""

    def most_total(self, problem: LevelProgram, warm: Integers | None = None) -> Vector:
        """Return the (K,) allocation of the largest total that the same rules allow."""

    def whole(self, problem: LevelProgram) -> LevelProgram:
        """Return ``problem`` with the conditions as further rows: an optimum's rows are positions among these."""

    def limit(self, place: int) -> Limit:
        """Return the condition behind the further row ``place``."""


def level_solver(network: Network, question: CapacityQuestion, extend: Extend | None = None) -> LevelSolver:
    """Return the solver of a question's levels. Raises QuestionError when a condition is about no site."""
    if not question.conditions and extend is None:
        return _Plain()
    from engine.capacity.conditioned import Conditioned  # noqa: PLC0415 (cvxpy takes a second to import)

    demand = np.array(question.demand_mw)
    rows = condition_rows(question.conditions, network, question.candidates, demand)
    return Conditioned(question.conditions, rows, extend)


class _Plain:
    """The level's own programs, without conditions."""

    def solve(
        self, problem: LevelProgram, objective: Objective, tie_rule: TieRule, warm: Integers | None = None
    ) -> Optimum:
        """Return the allocation of one level."""
        return programs.solve_level(problem, objective, tie_rule, warm)

    def most_total(self, problem: LevelProgram, warm: Integers | None = None) -> Vector:
        """Return the (K,) allocation of the largest total."""
        return programs.most_total(problem, warm)

    def whole(self, problem: LevelProgram) -> LevelProgram:
        """Return ``problem``: there are no conditions."""
        return problem

    def limit(self, place: int) -> Limit:
        """Raise IndexError: there are no conditions."""
        raise IndexError(place)
