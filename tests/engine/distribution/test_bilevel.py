"""The payment identity against the program over regions: a joined day, no regions, many centres, kVA circles."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.bilevel import bilevel
from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.walk import walk
from engine.distribution.workload import Workload
from tests.engine.distribution.days import two_centres
from tests.engine.distribution.problems import HOURS, day_optimum, day_regions, hour, regions, short_day


def test_the_identity_needs_no_regions() -> None:
    """All limits, with distances and duals from boxes: the same optimum."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    assert bilevel(problem).objective == pytest.approx(by_regions(problem, found).objective, rel=2e-4)


def test_a_day_joined_by_a_job_has_one_optimum_by_both_exact_routes() -> None:
    problem, found = short_day(), day_regions()
    exact = day_optimum()
    identity = bilevel(problem, found)
    assert identity.objective == pytest.approx(exact.objective, rel=2e-4)
    assert exact.gap <= 1e-4
    assert identity.gap <= 1e-4
    assert problem.fleet.misses(exact.draws_mw) < 1e-4


def test_four_centres_have_an_optimum_that_the_walk_does_not_beat() -> None:
    """Each centre of two split in halves at the same bus: the same choices, so the same optimum."""
    feeder, (v_min_pu, work) = two_centres(), HOURS[0]
    halves = tuple(
        replace(row, name=f"{row.name} {part}", idle_kw=row.idle_kw / 2, work_cap=row.work_cap / 2)
        for row in feeder.centres
        for part in ("one", "two")
    )
    case = FeederCase.of(replace(feeder, centres=halves, v_min_pu=v_min_pu), [45.0])
    problem = Coordination.of(case, Workload(np.array([work])))
    whole = by_regions(hour(v_min_pu, work), regions(v_min_pu, work))
    best = bilevel(problem)
    assert best.objective == pytest.approx(whole.objective, rel=2e-4)
    assert walk(problem, starts=1).objective >= best.bound - 1e-6


def test_circles_of_generators_are_bounded_with_and_without_regions() -> None:
    """With regions the duals' bounds are exact; from boxes they are two forces against one: the same optimum."""
    feeder = two_centres()
    rated = tuple(replace(row, s_kva=280.0) for row in feeder.generators)
    case = FeederCase.of(replace(feeder, generators=rated), [45.0])
    problem = Coordination.of(case, Workload(np.array([450.0])))
    found = all_regions(problem)
    exact = by_regions(problem, found).objective
    assert bilevel(problem, found).objective == pytest.approx(exact, rel=2e-4)
    assert bilevel(problem).objective == pytest.approx(exact, rel=2e-4)


def test_a_start_that_nothing_beats_in_time_is_the_answer() -> None:
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    start = walk(problem, found, starts=1)
    given = bilevel(problem, found, start=start)
    assert given.objective <= start.objective + 1e-9
    assert given.gap <= 1e-4
    none_better = by_regions(problem, found, start=given, gap=1e-3)
    assert none_better.objective <= given.objective + 1e-9
