"""Stage II without foresight: in each step what is decided knows the shock up to now, and expects it to stay a while.

Stage II sees the whole shock; that is optimistic. Here each step solves what is left of the day under a forecast:
after the event has begun, campuses are expected to draw what they draw now for as long as shocks last in the mean, and
their schedule after; before, their schedule. The first step of the answer is done: stores, responses and outputs go on
from there. The difference to perfect foresight says how optimistic a plan's costs are.

Two things that foresight takes care of need a rule. Behind a link that is out responses put nothing off: nobody can
promise to draw it later. And where no dispatch keeps the ramps of generators, they trip: what was fed is gone at once.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.compute import HERE, Progress, Workers, run_map
from engine.errors import SolverError
from engine.network.model import Flags, Matrix, Vector
from engine.resilience.case import PlacementCase, Scenarios
from engine.resilience.recourse import Answer, Key, Recourse

_BEHIND = 1e-6  # MW in a link for each MW given behind it: not nothing


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """S shocks met step by step, and the same with everything known."""

    cost: Vector  # (S,), $
    unserved_mwh: Vector  # (S,)
    foresight_cost: Vector  # (S,)
    foresight_unserved_mwh: Vector  # (S,)
    trips: Vector  # (S,), steps in which ramps of generators could not be kept


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    case: PlacementCase  # of one shock
    plan: Vector
    lasting: int  # steps that an event is expected to last from any step on


def rolled(case: PlacementCase, plan: Vector, *, workers: Workers = HERE, progress: Progress | None = None) -> Rolled:
    """Return what a plan (K,) does in the case's shocks without foresight. Raises SolverError where it cannot."""
    given = case.scenarios
    lasting = max(1, round(float(given.probability @ (given.end - given.start))))
    table = plan.reshape(len(case.types), len(case.sites))
    used = np.flatnonzero(table.any(axis=0)) if table.any() else np.array([0])  # sites that stay empty do nothing
    small, modules = replace(case, sites=tuple(case.sites[at] for at in used.tolist())), table[:, used].ravel()
    tasks = [_Task(small.with_scenarios(np.array([at])), modules, lasting) for at in range(len(given))]
    found = np.array(run_map(_rolled, tasks, workers=workers, progress=progress))
    return Rolled(*found.T)


def _rolled(task: _Task) -> tuple[float, ...]:
    case, plan = task.case, task.plan
    known = Recourse(case)
    best = known.dispatch(0, plan)
    step_h, col = case.step_h, known.stage.columns
    now = _Now(case, plan)
    for step in range(case.steps):
        now.step(step, task.lasting)
    x = now.done
    cost = float(known.stage.cost @ x)
    unserved, foreseen = (step_h * float(point[col.shed].sum()) for point in (x, best.x))
    return cost, unserved, best.cost, foreseen, float(now.trips)


class _Now:
    """The day as it goes: what is done stays, what comes is expected."""

    def __init__(self, case: PlacementCase, plan: Vector) -> None:
        self.case, self.plan = case, plan
        self.truth = Recourse(case).stage
        self.done = np.zeros(len(self.truth.cost))
        self.keys: frozenset[Key] = frozenset()
        self.trips = 0

    def step(self, step: int, lasting: int) -> None:
        """Decide one step under what is expected in it, and do it."""
        recourse = Recourse(replace(self.case, scenarios=self.expected(step, lasting)), self.keys)
        answer = self.answer(recourse, step)
        self.keys = recourse.keys
        self.done = np.where(recourse.stage.step_of <= step, answer.x, self.done)
        if step == self.case.steps - 1:
            self.done = answer.x

    def answer(self, recourse: Recourse, step: int) -> Answer:
        """Return the best there is to do from a step on. Raises SolverError where there is nothing."""
        idle = _promised(recourse)
        recourse.hold(self.done, step, idle)
        try:
            return recourse.dispatch(0, self.plan)
        except SolverError:
            again = recourse.fresh()
            again.hold(self.done, step, idle, trips=True)
            found = again.dispatch(0, self.plan)
            self.trips += 1
            return found

    def expected(self, step: int, lasting: int) -> Scenarios:
        """Return the day that is expected in a step: known up to it."""
        given = self.case.scenarios
        start, end = int(given.start[0]), int(given.end[0])
        draw: Matrix = given.draw_mw[0].copy()
        draw[step + 1 :] = self.case.schedule_mw
        begun, over = step >= start, step >= end
        until = min(self.case.steps, step + lasting)
        if begun and not over:
            draw[step + 1 : until] = given.draw_mw[0, step]
        told_start = start if begun else self.case.steps
        told_end = end if over else until if begun else self.case.steps
        out = int(given.outage[0]) if begun and step < int(given.restored[0]) else -1
        outage_end = np.array([until]) if out >= 0 else np.array([told_end])
        return Scenarios(
            draw[np.newaxis], np.array([told_start]), np.array([told_end]), np.ones(1), np.array([out]), given.kind,
            outage_end,
        )  # fmt: skip


def _promised(recourse: Recourse) -> Flags:
    """Return (N,) the columns that put off load behind a link while it is out."""
    stage, flows = recourse.stage, recourse.flows
    found = np.zeros(len(stage.cost), dtype=np.bool_)
    link = int(stage.scenarios.outage[0])
    if link < 0:
        return found
    behind = np.abs(flows.flow.rows(flows.links[link]).given).max(axis=0) > _BEHIND
    modules = np.flatnonzero(np.tile(behind, len(stage.case.types)) & (stage.columns.put_off[:, 0] >= 0))
    out = slice(int(stage.scenarios.start[0]), int(stage.scenarios.restored[0]))
    found[stage.columns.put_off[modules, out]] = True
    return found
