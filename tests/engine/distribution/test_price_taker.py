"""The competitive outcome: an equilibrium of least cost."""

import numpy as np
import pytest

from engine.program import solve
from tests.engine.distribution.problems import equilibrium, short_day


def test_the_competitive_outcome_has_the_least_system_cost_and_answers_its_own_prices() -> None:
    """Samuelson: joint least cost is an equilibrium. Its duals, the follower's and best answers agree."""
    problem, found = short_day(), equilibrium()
    fleet = problem.fleet
    draws = found.outcome.draws_mw
    assert found.cost == pytest.approx(found.outcome.system_cost + found.outcome.delay_cost, rel=1e-7)
    answer = solve(fleet.program(fleet.wide(found.price_per_mwh))).optimum()
    paid = float((found.price_per_mwh * draws).sum()) + found.outcome.delay_cost
    assert paid == pytest.approx(answer.objective, rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(5):
        corner = fleet.draws(solve(fleet.program(fleet.wide(rng.normal(size=fleet.shape)))).optimum().x)
        cost = sum(follower.solve(x).value for follower, x in zip(problem.followers, corner, strict=True))
        assert cost >= found.cost - 1e-6
