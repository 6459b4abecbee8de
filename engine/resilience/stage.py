"""Stage II of many shocks, wherever they are computed: the same costs and cuts from one process, several or a cluster.

A task holds a few shocks that are always the same, and begins from nothing but the limits known to bind: so what comes
back does not depend on who computed it, nor on what was computed before.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from engine.compute import HERE, Progress, Workers, run_map
from engine.network.model import Vector
from engine.resilience.case import PlacementCase
from engine.resilience.outcomes import Outcomes
from engine.resilience.recourse import Cuts, Key, Recourse

TOGETHER = 50  # shocks of a task


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    case: PlacementCase  # with the task's shocks alone
    digest: str
    plans: tuple[Vector, ...]
    keys: frozenset[Key]
    shared: bool  # whether cuts are wanted
    one_way: bool  # whether stores may not charge while they discharge
    asker: int  # the process that asks


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The shocks of a case under one plan."""

    outcomes: Outcomes
    cuts: Cuts  # (S,): each at its own dual point; empty where none were wanted
    elsewhere_s: float  # of the processor, in other processes than the one that asks

    @property
    def costs(self) -> Vector:
        """Return the costs (S,), $."""
        return self.outcomes.cost


@dataclass(slots=True)
class Stage:
    """Solves the shocks of a case under one plan after another, and learns which limits bind."""

    case: PlacementCase
    workers: Workers = HERE
    keys: frozenset[Key] = frozenset()
    _parts: list[tuple[PlacementCase, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Divide the shocks."""
        count = len(self.case.scenarios)
        for first in range(0, count, TOGETHER):
            part = self.case.with_scenarios(np.arange(first, min(count, first + TOGETHER)))
            self._parts.append((part, part.digest))

    def solve(self, plan: Vector, *, cuts: bool = True, progress: Progress | None = None) -> Solved:
        """Return the costs under a plan (K,), by linear programs: what cuts touch, and no dispatch costs less.

        Raises SolverError where a shock has no certified optimum.
        """
        return self.solve_each((plan,), cuts=cuts, progress=progress)[0]

    def dispatch(self, plan: Vector, *, progress: Progress | None = None) -> Solved:
        """Return what becomes of the shocks under a plan (K,), no store charging while it discharges.

        Raises SolverError where a shock has no certified optimum.
        """
        return self._mapped((plan,), cuts=False, one_way=True, progress=progress)[0]

    def solve_each(
        self, plans: tuple[Vector, ...], *, cuts: bool = True, progress: Progress | None = None
    ) -> tuple[Solved, ...]:
        """Return the costs under each of some plans (K,): quicker than one after the other where they are near."""
        return self._mapped(plans, cuts=cuts, one_way=False, progress=progress)

    def _mapped(
        self, plans: tuple[Vector, ...], *, cuts: bool, one_way: bool, progress: Progress | None
    ) -> tuple[Solved, ...]:
        tasks = [_Task(part, digest, plans, self.keys, cuts, one_way, os.getpid()) for part, digest in self._parts]
        found = run_map(_solved, tasks, workers=self.workers, progress=progress)
        self.keys = self.keys.union(*(keys for _, keys in found))
        return tuple(_joined([solved[at] for solved, _ in found]) for at in range(len(plans)))


def _joined(parts: Sequence[Solved]) -> Solved:
    outcomes, cuts = ([getattr(each, name) for each in parts] for name in ("outcomes", "cuts"))
    return Solved(Outcomes.joined(outcomes), Cuts.joined(cuts), sum(each.elsewhere_s for each in parts))


def _solved(task: _Task) -> tuple[list[Solved], frozenset[Key]]:
    before = time.process_time()
    recourse = _recourse(_Held(task.case, task.digest), task.keys).fresh()
    places = range(len(task.plans))
    found: list[list[Outcomes]] = [[] for _ in places]
    bounds: list[list[Cuts]] = [[] for _ in places]
    for scenario in range(len(recourse)):
        # To and fro: either the shock or the plan stays the same from solve to solve.
        for place in reversed(places) if scenario % 2 else places:
            answer = (recourse.dispatch if task.one_way else recourse.solve)(scenario, task.plans[place])
            found[place].append(Outcomes.of(recourse, answer))
            if task.shared:
                bounds[place].append(recourse.cuts(answer, slice(scenario, scenario + 1)))
    none = Cuts(np.zeros(0), np.zeros((0, recourse.stage.size)))
    elsewhere = 0.0 if os.getpid() == task.asker else time.process_time() - before
    solved = [
        Solved(Outcomes.joined(found[place]), Cuts.joined([none, *bounds[place]]), elsewhere / len(places))
        for place in places
    ]
    return solved, recourse.keys - task.keys


@dataclass(frozen=True, slots=True)
class _Held:
    """A case that is the same where its digest is."""

    case: PlacementCase = field(compare=False)
    digest: str


@lru_cache(maxsize=64)
def _recourse(held: _Held, keys: frozenset[Key]) -> Recourse:
    return Recourse(held.case, keys)
