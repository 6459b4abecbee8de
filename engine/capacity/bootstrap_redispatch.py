"""The risk levels of an allocation with redispatch, solved again on resampled states over the cuts that are kept.

Each kept proof bounds the loss of every state from below, so a replication is a program over what is known, without a
dispatch: the joint CVaR of the largest of the cuts. A state of the sample may have a loss that no kept cut tells in
full, where the answer never needed it; so what a replication grants is at least what a whole computation on its
states would, and intervals are at most that far up.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.capacity.allocation import CHECK_TOLERANCE
from engine.capacity.level import LevelProgram
from engine.capacity.programs import must_be_optimal, solve_level
from engine.capacity.question import CapacityQuestion
from engine.network.model import Integers, Matrix, Vector
from engine.redispatch.levels import RedispatchLevel
from engine.redispatch.recourse import OVERLOAD, Recourse, tail


class AgainOnCuts:
    """Solves again over the cuts of its answer; a few of them at a time, since few matter."""

    def __init__(
        self,
        recourse: Recourse,
        question: CapacityQuestion,
        levels_mw: Sequence[Vector],
        parts: tuple[Integers, ...] = (),
    ) -> None:
        """``recourse`` holds the cuts on the states of the sample, and what was exceeded before any addition.

        ``levels_mw`` (K,) were granted; ``parts`` of the states keep each risk level by themselves.
        """
        self.firm_mw, self.weight = levels_mw[0], recourse.scenarios.weight
        self.parts: Sequence[Integers] = parts
        self._recourse, self._question = recourse, question
        self._demand_mw = np.array(question.demand_mw)
        self._used = np.unique(np.concatenate([self._binding(mw) for mw in levels_mw]))

    @property
    def rows_used(self) -> int:
        """Return the number of cuts that came to matter."""
        return len(self._used)

    def widen(self, most_mw: Vector) -> bool:
        """Return False: the cuts are those that are kept."""
        del most_mw
        return False

    def solve(self, weight: Vector) -> Matrix:
        """Return the (E, K) capacities at the risk levels, where the states have these (S,) weights."""
        self._recourse.scenarios = replace(self._recourse.scenarios, weight=weight)
        found, floor = [], self.firm_mw
        for epsilon in self._question.epsilons:
            floor = self._level(epsilon, floor)
            found.append(floor)
        return np.array(found)

    def _level(self, epsilon: float, floor: Vector) -> Vector:
        closed, warm = self._question.downward_closed, np.zeros(0, dtype=np.intp)
        level = RedispatchLevel(self._recourse, epsilon, self._demand_mw, floor, tuple(self.parts))
        while True:
            level.recourse = self._recourse.part(self._used)
            mw, warm = level.solve_known(self._best, warm, closed=closed)
            loss, cut = self._recourse.below(mw, closed_above=floor if closed else None)
            new, over = np.zeros(0, dtype=np.intp), False
            for part in self.parts or [np.arange(len(loss))]:
                weight = self._recourse.scenarios.weight[part]
                share = tail(loss[part], weight / weight.sum(), epsilon)
                own = cut[part][(share > 0.0) & (cut[part] >= 0)]
                over = over or float(share @ loss[part]) > OVERLOAD
                new = np.union1d(new, np.setdiff1d(own, self._used))
            if not over or not new.size:
                return mw
            self._used = np.concatenate([self._used, new])

    def _binding(self, mw: Vector) -> Integers:
        """Return the cuts that say most of some state at a grant (K,)."""
        cut = np.unique(self._recourse.below(mw)[1])
        return cut[cut >= 0]

    def _best(self, problem: LevelProgram, warm: Integers) -> tuple[Vector, Integers]:
        question = self._question
        found = must_be_optimal(solve_level(problem, question.objective, question.tie_rule, warm), CHECK_TOLERANCE)
        return found.mw, found.used_rows
