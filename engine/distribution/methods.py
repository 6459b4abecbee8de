"""How the draws of data centres are decided: one table from a question's method to what computes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.distribution.best_response import best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.expansion import expansion
from engine.distribution.fleet_batteries import at_posted_prices
from engine.distribution.frames import Matrix, Vector
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.price_taker import price_taker
from engine.distribution.question import FeederQuestion
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.regions import MOST_CENTRES, HourRegions
from engine.distribution.walk import walk
from engine.distribution.workload import Workload
from engine.errors import LimitError, QuestionError

_SHARE_OF_TIME = 0.5  # of a method's, for the critical regions that help it


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What a method decided; ``outcome`` is None for given draws."""

    centre_kw: Matrix  # (T, C), from the network
    battery_mw: Matrix  # (3, T, C), charge, discharge, and MWh held at the end of the hour
    outcome: Outcome | None

    @classmethod
    def of(cls, problem: Coordination, outcome: Outcome) -> Self:
        """Return what ``outcome`` decides on ``problem``."""
        return cls(1000.0 * outcome.draws_mw, problem.fleet.storage(outcome.point), outcome)


def _regions(problem: Coordination, question: FeederQuestion) -> tuple[HourRegions, ...] | None:
    """Return the critical regions, for methods that they help; None where they are too many for the time."""
    if problem.fleet.shape[1] > MOST_CENTRES:
        return None
    try:
        return all_regions(problem, time_limit_s=_SHARE_OF_TIME * question.method_time_s)
    except LimitError:
        return None


def _by_regions(problem: Coordination, question: FeederQuestion) -> Outcome:
    limit = question.method_time_s
    return by_regions(problem, all_regions(problem, time_limit_s=limit), time_limit_s=limit)


def _bilevel(problem: Coordination, question: FeederQuestion) -> Outcome:
    regions = _regions(problem, question)
    start = walk(problem, regions, time_limit_s=question.method_time_s)
    return bilevel(problem, regions, start=start, time_limit_s=question.method_time_s)


METHOD_TABLE: Mapping[str, Callable[[Coordination, FeederQuestion], Outcome]] = {
    "price taker": lambda problem, _: price_taker(problem).outcome,
    "walk": lambda problem, question: walk(
        problem, _regions(problem, question), seed=question.seed, time_limit_s=question.method_time_s
    ),
    "regions": _by_regions,
    "bilevel": _bilevel,
    "expansion": lambda problem, question: expansion(
        problem, question.bits, _regions(problem, question), time_limit_s=question.method_time_s
    ),
    "best response": lambda problem, _: best_response(problem, damped=True).outcome,
}


def decide(
    question: FeederQuestion,
    case: FeederCase,
    workload: Workload,
    options: DsoOptions,
    points: tuple[Point, ...] | None,
) -> Decided:
    """Return the draws by the question's method. Raises QuestionError, InfeasibleError and SolverError as it does.

    The aggregator runs the batteries with its work: they are in its own constraints alone, so every method takes them.
    Beside given draws of computers they run at least cost at the substation's prices.
    """
    if question.method == "given":
        computers = given_kw(question, case, workload)
        battery = at_posted_prices(case, computers)
        return Decided(computers + 1000.0 * (battery[0] - battery[1]), battery, None)
    problem = Coordination.of(case, workload, options, points)
    return Decided.of(problem, METHOD_TABLE[question.method](problem, question))


def even_point(question: FeederQuestion, problem: Coordination, workload: Workload) -> Vector:
    """Return the point (n,) of the fleet at which the work is divided evenly, as :func:`given_kw` divides it.

    Batteries run as beside given draws. Raises what that raises.
    """
    case, fleet = problem.case, problem.fleet
    computers = given_kw(replace(question, draw_kw=()), case, workload)
    battery = at_posted_prices(case, computers)
    jobs = [np.full(job.last - job.first + 1, job.work / (job.last - job.first + 1)) for job in workload.jobs]
    own = battery[:, :, fleet.batteries.centre]
    return np.concatenate([(computers / 1000.0 + battery[0] - battery[1]).ravel(), *jobs, own.ravel()])


def given_kw(question: FeederQuestion, case: FeederCase, workload: Workload) -> Matrix:
    """Return the draws (T, C) of computers that the question gives, or the work divided evenly.

    Evenly: interactive work in the hour it comes and each job in equal parts over its hours, on all data centres by
    what they can do. Raises QuestionError where that is more than they can do.
    """
    centres = case.feeder.centres
    if question.draw_kw:
        if {len(row) for row in question.draw_kw} != {len(centres)}:
            raise QuestionError(f"draws are needed for each of {len(centres)} data centres in every hour")
        return np.array(question.draw_kw, dtype=np.float64)
    if not centres:
        return np.zeros((case.hours, 0))
    work = workload.interactive.astype(np.float64)
    for job in workload.jobs:
        work[job.first : job.last + 1] += job.work / (job.last - job.first + 1)
    cap = np.array([row.work_cap for row in centres])
    over = [case.labels[hour] for hour in np.flatnonzero(work > cap.sum() * (1.0 + 1e-9)).tolist()]
    if over:
        raise QuestionError(f"the work divided evenly is more than the data centres can do at {', '.join(over)}")
    idle = np.array([row.pue * row.idle_kw for row in centres])
    per_work = np.array([row.pue * row.kw_per_work for row in centres])
    return np.asarray(idle + np.outer(work, cap / cap.sum()) * per_work)
