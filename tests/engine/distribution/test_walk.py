"""The region walk between the exact optimum and its start, and local optima that no neighbour improves."""

from itertools import product

import numpy as np
import pytest

from engine.distribution.region_program import by_regions, settle
from engine.distribution.regions import HourRegions
from engine.distribution.walk import walk
from engine.errors import InfeasibleError
from tests.engine.distribution.problems import HOURS, day_optimum, day_regions, equilibrium, hour, regions, short_day

SIDE = 1e-5  # MW to the other side of a region's boundary


def test_the_walk_ends_between_the_optimum_and_its_start() -> None:
    problem = short_day()
    best = day_optimum()
    found = walk(problem, day_regions(), equilibrium=equilibrium(), starts=1)
    assert best.bound - 1e-6 <= found.objective <= equilibrium().outcome.payment_most.sum() + 1e-6
    assert found.bound == pytest.approx(equilibrium().payment_bound)
    assert problem.fleet.misses(found.draws_mw) < 1e-4


@pytest.mark.parametrize("which", range(len(HOURS)))
@pytest.mark.parametrize("seed", [0, 1])
def test_the_walk_is_never_under_the_optimum_over_regions(which: int, seed: int) -> None:
    """The optimum over all regions is another program, and its bound is the solver's."""
    problem, found = hour(*HOURS[which]), regions(*HOURS[which])
    exact = by_regions(problem, found, gap=1e-6)
    walked = walk(problem, found, starts=2, seed=seed)
    assert walked.status == "local optimum"
    assert walked.objective >= exact.bound - 1e-6 * abs(exact.bound)


def around(hour_regions: HourRegions, x: np.ndarray) -> list:
    """The regions at ``x`` and at points beside it, by brute force."""
    beside = x + SIDE * np.array(list(product((-1.0, 0.0, 1.0), repeat=len(x))))
    beside = np.clip(beside, hour_regions.lower, hour_regions.upper)
    return [
        cell.region
        for cell in hour_regions.cells
        if any((cell.rows @ point <= cell.limit + 1e-7).all() for point in beside)
    ]


def test_no_region_beside_the_end_of_the_walk_is_better() -> None:
    """A local optimum: the best draws with one hour in any region that touches the answer cost no less."""
    problem, known = short_day(), day_regions()
    found = walk(problem, known, equilibrium=equilibrium(), starts=0)
    here = [each.at(x) for each, x in zip(known, found.draws_mw, strict=True)]
    tried = 0
    for at, each in enumerate(known):
        for other in around(each, found.draws_mw[at]):
            try:
                settled = settle(problem.fleet, [*here[:at], other, *here[at + 1 :]])
            except InfeasibleError:
                continue
            tried += 1
            assert settled.objective >= found.objective * (1.0 - 1e-5)
    assert tried >= len(known)
