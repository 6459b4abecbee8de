"""Binary expansion: bounds from below that close in on the exact optimum."""

import pytest

from engine.distribution.expansion import bits_for, expansion
from engine.distribution.region_program import by_regions
from engine.errors import QuestionError
from tests.engine.distribution.problems import HOURS, hour, regions


def test_bits_bound_the_optimum_from_below_and_close_in_on_it() -> None:
    """The error is at most a step times the range of prices: the program's own objective rises to the optimum."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    exact = by_regions(problem, found, gap=1e-6)
    outcomes = [expansion(problem, bits, found, gap=1e-5) for bits in (2, 5, 8)]
    bounds = [outcome.bound for outcome in outcomes]
    assert bounds[0] < bounds[1] < bounds[2] <= exact.objective * (1.0 + 1e-6)
    assert bounds[2] == pytest.approx(exact.objective, rel=5e-3)
    assert outcomes[-1].objective == pytest.approx(exact.objective, rel=1e-3)
    assert all(outcome.objective >= exact.bound - 1e-6 for outcome in outcomes)


def test_the_error_that_is_asked_for_decides_the_bits() -> None:
    """McCormick: a product over a box is missed by at most a quarter of its area, and the step halves with each bit."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    exact = by_regions(problem, found, gap=1e-6).objective
    few = exact - expansion(problem, 1, found, gap=1e-6).bound
    for error in (few / 4.0, few / 64.0):
        bits = bits_for(problem, error, found)
        assert exact - expansion(problem, bits, found, gap=1e-6).bound <= error + 1e-5 * abs(exact)
        assert few > error  # one bit would not do
        assert bits_for(problem, error / 2.0, found) == bits + 1
    with pytest.raises(QuestionError, match="above 0"):
        bits_for(problem, 0.0, found)
