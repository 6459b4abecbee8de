"""The payment identity against the program over regions: a joined day, no regions, many centres, kVA circles."""

from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import pytest

from engine.distribution import bilevel as module
from engine.distribution.bilevel import bilevel, bounds_of
from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination
from engine.distribution.kkt import HourBounds
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.walk import walk
from engine.distribution.workload import Workload
from engine.errors import SolverError
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


Side = Literal["gap", "dual"]


def halved(bounds: HourBounds, side: Side, name: str) -> HourBounds:
    most = getattr(bounds, side).copy()
    most[bounds.follower.names.index(name)] /= 2.0
    return replace(bounds, gap=most) if side == "gap" else replace(bounds, dual=most)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("side", "name", "words"),
    [
        ("gap", "least active power of g two", "distance to"),
        ("dual", "least low voltage on bc of bus two", "dual of"),
    ],
)
def test_an_answer_at_a_bound_that_is_too_small_is_refused(
    side: Side, name: str, words: str, *, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, found = hour(*HOURS[0]), regions(*HOURS[0]) if known else None
    short = halved(bounds_of(problem, found)[0], side, name)
    monkeypatch.setattr(module, "bounds_of", lambda *_: (short,))
    with pytest.raises(SolverError, match=f"hour 1: the {words} {name} is at the largest"):
        bilevel(problem, found)


@pytest.mark.parametrize("known", [False, True])
def test_no_bound_that_is_too_small_passes_for_an_optimum(*, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brute force: each distance and each dual halved alone is refused, or leaves the optimum where regions put it.

    Some halves leave only dearer draws, none of which is near a bound: the start shows that there are cheaper ones.
    """
    problem, found = hour(*HOURS[1]), regions(*HOURS[1])
    exact = by_regions(problem, found)
    used = found if known else None
    (bounds,) = bounds_of(problem, used)
    sides: tuple[Side, ...] = ("gap", "dual")
    told = []
    for side, name in product(sides, bounds.follower.names):
        short = (halved(bounds, side, name),)
        monkeypatch.setattr(module, "bounds_of", lambda *_, short=short: short)
        try:
            assert bilevel(problem, used, start=exact).objective == pytest.approx(exact.objective, rel=2e-4)
        except SolverError as error:
            told.append(str(error))
    for words in ("is at the largest", "keep the largest distances", "less than the bound"):
        assert any(words in each for each in told)


@pytest.mark.parametrize("at", HOURS)
def test_bounds_as_they_are_refuse_nothing(at: tuple[float, float]) -> None:
    """With regions and without: the optimum over regions, though a dual is its slack's whole price in two hours."""
    exact = by_regions(hour(*at), regions(*at)).objective
    for found in (None, regions(*at)):
        assert bilevel(hour(*at), found).objective == pytest.approx(exact, rel=2e-4)


def test_a_generator_at_its_ends_under_fixed_prices_is_no_refusal() -> None:
    """No limit binds, so the duals of the ends of a free generator are fixed prices: the largest that they can be."""
    feeder = two_centres(v_min_pu=0.8)
    sun = replace(feeder.generators[0], cost_per_mwh=0.0, slope_per_mw2h=0.0)
    case = FeederCase.of(replace(feeder, generators=(sun,)), [45.0])
    problem = Coordination.of(case, Workload(np.array([200.0])))
    exact = by_regions(problem).objective
    assert bilevel(problem).objective == pytest.approx(exact, rel=2e-4)
