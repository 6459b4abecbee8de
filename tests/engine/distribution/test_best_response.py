"""The naive loop: it cycles, and damped it finds the competitive outcome."""

import pytest

from engine.distribution.best_response import best_response
from engine.distribution.price_taker import price_taker
from tests.engine.distribution.problems import HOURS, hour, regions


def test_the_naive_loop_cycles_and_the_damped_one_finds_the_competitive_outcome() -> None:
    problem = hour(*HOURS[0])
    naive = best_response(problem, regions(*HOURS[0]), damped=False)
    damped = best_response(problem, regions(*HOURS[0]), damped=True)
    assert naive.cycle == 2
    assert damped.settled
    taker = price_taker(problem)
    assert damped.outcome.system_cost == pytest.approx(taker.cost, rel=1e-4)
    assert damped.outcome.draws_mw == pytest.approx(taker.outcome.draws_mw, abs=5e-3)
