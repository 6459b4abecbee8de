"""Security-constrained unit commitment with a certified gap: a day, and the same day with one more load.

A day is solved in four steps. The linear relaxation gives prices; these give a bound on the cost of any schedule that
needs no solver (:mod:`engine.commitment.bound`), and for every unit and hour what it would cost to decide otherwise.
A large day's schedule is put together from the days that units would nearly choose by themselves, dispatch by dispatch
(:mod:`engine.commitment.choosing`); the dispatch, with exact costs, says what a schedule costs. Where the gap is still
too wide, schedules are divided and each part has a bound of its own prices (:mod:`engine.commitment.branching`), and an
integer program decides the hours that are not clear. In the end all hours that could matter are freed: a unit that
would cost more than the gap to decide otherwise is as it is in every better schedule, so the integer program's own
bound counts then. A schedule within the gap may have room made for it in hours that have none
(:mod:`engine.commitment.room`).

A further load changes right-hand sides only: the relaxation starts from the base day's basis, and the choice of units
from the cuts that the base day has learned.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.commitment.bound import Prices
from engine.commitment.instance import Instance
from engine.commitment.outcome import BASE, SITE, Commitment, Effort, no_time
from engine.commitment.relaxation import Relaxation, Relaxed
from engine.commitment.search import Search
from engine.errors import QuestionError
from engine.network.model import Flags, Vector


@dataclass(frozen=True, slots=True, eq=False)
class BaseCommitment:
    """A day without further load, and the solver's model of it: what :func:`solve_site` starts from.

    It belongs to one process; another one makes its own, with the same answers.
    """

    instance: Instance
    commitment: Commitment
    relaxation: Relaxation
    relaxed: Relaxed | None  # None where the time did not suffice
    learned: tuple[Prices, ...] = ()  # of the choices that were dispatched: sites begin with their cuts
    tried: tuple[Flags, ...] = ()  # (T, N) each, these choices


def commit(
    instance: Instance, effort: Effort = BASE, known: Flags | None = None, tried: Sequence[Flags] = ()
) -> BaseCommitment:
    """Return the schedule of a day, or of several in a row.

    ``known`` (T, N) is a schedule that was found for this day before: it is dispatched and bounded again, and nothing
    is searched; ``tried`` are the choices that were dispatched on the way to it, from which searches for sites learn. A
    day that cannot be supplied is a status with its reason, not an exception, and so is a time limit.
    """
    begin = time.perf_counter()
    relaxation = Relaxation(instance)
    relaxed = relaxation.solve(time_limit_s=effort.time_limit_s)
    if relaxed is None:
        nothing = no_time(effort, -np.inf, time.perf_counter() - begin, "the linear relaxation took all the time")
        return BaseCommitment(instance, nothing, relaxation, None)
    relaxation.remember()  # before the search: sites start from the basis of the relaxation, not of some choice
    search = Search(relaxation, relaxed, effort, begin)
    found = search.run(None) if known is None else search.again(known, tried)
    relaxation.set_loads(instance)
    return BaseCommitment(instance, found, relaxation, relaxed, tuple(search.learned), tuple(search.tried))


def solve_site(base: BaseCommitment, bus: int, load_mw: Vector, effort: Effort = SITE) -> Commitment:
    """Return the day with ``load_mw`` (T,) drawn at ``bus`` (position) in addition.

    The answer does not depend on which sites were solved before. Raises QuestionError when the base day has no
    schedule, and for loads of another number of hours.
    """
    if base.commitment.on is None:
        raise QuestionError(f"the base day has no schedule: {base.commitment.reason}")
    if np.shape(load_mw) != (base.instance.hours,):
        raise QuestionError(f"the load has {np.size(load_mw)} values, the day has {base.instance.hours} hours")
    begin = time.perf_counter()
    relaxation = base.relaxation
    relaxation.reset()
    relaxation.set_loads(base.instance.with_load(bus, np.asarray(load_mw, dtype=np.float64)))
    try:
        relaxed = relaxation.solve(time_limit_s=effort.time_limit_s)
        if relaxed is None:
            return no_time(effort, -np.inf, time.perf_counter() - begin, "the linear relaxation took all the time")
        search = Search(relaxation, relaxed, effort, begin, base.learned)
        hints = base.commitment.dispatch.hints if base.commitment.dispatch is not None else None
        return search.run(base.commitment.on, hints)
    finally:
        relaxation.reset()
        relaxation.set_loads(base.instance)
