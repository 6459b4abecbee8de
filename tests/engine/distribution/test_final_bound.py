"""What draws are worth at the prices of their bill."""

import numpy as np
import pytest

from engine.distribution.coordination import Clock, Coordination, judge
from engine.distribution.final_bound import final_bound
from engine.distribution.price_taker import price_taker
from tests.engine.distribution.problems import HOURS, hour


def _evenly(problem: Coordination) -> np.ndarray:
    """Return the point at which every centre draws the same share of what it could."""
    least, most = problem.fleet.box()
    per_work = problem.fleet.matrix.toarray()[0, :2]
    share = (problem.fleet.row_lower[0] - per_work @ least[0]) / (per_work @ (most[0] - least[0]))
    return np.asarray(least[0] + share * (most[0] - least[0]))


def test_what_a_taker_of_prices_could_save_is_what_the_cheapest_places_first_would() -> None:
    """Closed form: in one hour without ramps, work goes to the centres in the order of their price of a unit of it."""
    problem = hour(*HOURS[0])
    decided = judge(problem, "price taker", _evenly(problem), (-np.inf, "given", Clock.start()))
    final = final_bound(problem, decided, time_limit_s=60.0)
    per_work = problem.fleet.matrix.toarray()[0, :2]  # units of work of one MW
    least, most = (end[0] for end in problem.fleet.box())
    price, draws = decided.price_per_mwh[0], least.copy()
    left = problem.fleet.row_lower[0] - per_work @ least
    for at in np.argsort(price / per_work):
        more = min(left / per_work[at], most[at] - least[at])
        draws[at] += more
        left -= more * per_work[at]
    assert left == pytest.approx(0.0, abs=1e-9)
    assert final.saving == pytest.approx(price @ (decided.draws_mw[0] - draws), rel=1e-6)
    assert final.saving > 0.0


def test_at_an_equilibrium_nothing_is_saved() -> None:
    """Law: draws of least system cost are the best answer to prices that follow from them (Samuelson)."""
    problem = hour(*HOURS[0])
    outcome = price_taker(problem).outcome
    assert final_bound(problem, outcome, time_limit_s=60.0).saving == pytest.approx(0.0, abs=1e-4)
