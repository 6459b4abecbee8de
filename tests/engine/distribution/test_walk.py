"""The region walk between the exact optimum and its start."""

import pytest

from engine.distribution.walk import walk
from tests.engine.distribution.problems import day_optimum, day_regions, equilibrium, short_day


def test_the_walk_ends_between_the_optimum_and_its_start() -> None:
    problem = short_day()
    best = day_optimum()
    found = walk(problem, day_regions(), equilibrium=equilibrium(), starts=1)
    assert best.bound - 1e-6 <= found.objective <= equilibrium().outcome.payment_most.sum() + 1e-6
    assert found.bound == pytest.approx(equilibrium().payment_bound)
    assert problem.fleet.misses(found.draws_mw) < 1e-4
