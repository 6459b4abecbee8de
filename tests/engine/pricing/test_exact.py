"""What the search for exact prices begins with: a point of its program, and so an answer however short the time is."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.errors import SolverError
from engine.pricing.case import HubCase
from engine.pricing.cases import fleet
from engine.pricing.central import Joint, first_best
from engine.pricing.congestion import Overloads
from engine.pricing.evaluation import Fleet
from engine.pricing.exact import exact_prices
from engine.pricing.kkt import Conditions, Reach
from engine.pricing.linear import answered, at_prices
from engine.pricing.program import programs
from engine.program import Status, solve
from tests.engine.pricing.small import random_case

SHORT = Effort(1e-6, 1e-3)


def _missed(asked: Conditions, x: np.ndarray, floor: float) -> float:
    """What a point misses the integer program by at most, whole numbers included."""
    program = asked.program(floor, asked.ranges())
    rows = program.matrix @ x
    away = [program.lower - x, x - program.upper, program.row_lower - rows, rows - program.row_upper]
    whole = np.abs(x[asked.whole] - np.round(x[asked.whole]))
    return max(float(np.nan_to_num(each, neginf=0.0).max()) for each in (*away, whole))


@pytest.mark.parametrize("seed", range(4))
def test_prices_with_linear_hubs_answers_are_a_point(seed: int) -> None:
    """Laws: every condition holds with all yes and no whole, each hub pays its optimum, no optima overload less."""
    case = random_case(seed)
    joint = Joint.of(case, programs(case.checked()))
    price = np.random.default_rng(seed).normal(0.0, 5.0, (2, 6))
    found = answered(joint, price)
    asked = Conditions(joint, Reach.of(joint), quadratic=False)
    assert _missed(asked, asked.begun(found), first_best(joint).overload_cost) <= 1e-6
    for own, x, each in zip(joint.programs, found.points, price, strict=True):
        assert own.cost_at(each) @ x == pytest.approx(solve(own.linear(each)).optimum().objective, rel=1e-9)
    drawn = np.array([own.withdrawal(x) for own, x in zip(joint.programs, found.points, strict=True)])
    least = at_prices(joint, price).best.overload_cost
    assert least - 1e-6 <= Overloads.of(case, drawn).cost(case) <= 1.001 * least  # that one may pay 1e-7 more


@pytest.mark.parametrize("seed", range(3))
def test_prices_with_quadratic_hubs_answers_are_a_point(seed: int) -> None:
    """Law: the answers' duals are the multipliers of the integer program."""
    case = random_case(seed)
    fleet_, joint = Fleet.of(case), Joint.of(case, programs(case))
    found = fleet_.at(np.random.default_rng(seed).normal(0.0, 5.0, (2, 6)))
    asked = Conditions(joint, Reach.of(joint), quadratic=True)
    x = asked.begun(found.answered)
    assert _missed(asked, x, first_best(joint).overload_cost) <= 1e-6
    assert asked.program(0.0, asked.ranges()).objective(x) == pytest.approx(found.objective)


def _twelve() -> HubCase:
    return fleet(12, hours=12)


def test_with_a_start_there_is_an_answer_however_short_the_time_is() -> None:
    """Laws: no worse than the start, no better than the first best; what no search was made for is told as such."""
    case = _twelve()
    joint = Joint.of(case, programs(case.checked()))
    price = case.of_areas(np.random.default_rng(1).normal(0.0, 3.0, (12, 12)))
    known = answered(joint, price)
    begun = Overloads.of(case, joint.withdrawal(np.concatenate([*known.points, np.zeros(len(joint.weight))])))
    found = exact_prices(joint, SHORT, quadratic=False, starts=(known,))
    assert found.status is Status.TIME_LIMIT
    weighs = Fleet.of(case).terms.cost(price).total
    assert found.objective <= begun.cost(case) + weighs + 1e-6
    assert first_best(joint).overload_cost <= found.bound + 1e-6 <= found.objective
    assert found.gap == pytest.approx((found.objective - found.bound) / found.objective)
    assert found.gap > SHORT.gap
    told = at_prices(joint, found.price[case.area]).best.overload_cost + Fleet.of(case).terms.cost(found.price).total
    assert told == pytest.approx(found.objective, abs=0.05)
    with pytest.raises(SolverError, match=r"no prices were found in 0\.001 s"):
        exact_prices(joint, SHORT, quadratic=False)


def test_a_start_that_is_no_point_is_not_taken() -> None:
    """By hand: answers to other prices prove nothing at these."""
    case = _twelve()
    joint = Joint.of(case, programs(case.checked()))
    price = case.of_areas(np.random.default_rng(2).normal(0.0, 20.0, (12, 12)))
    false = replace(answered(joint, price), price=np.zeros_like(price))
    with pytest.raises(SolverError, match="no prices were found"):
        exact_prices(joint, SHORT, quadratic=False, starts=(false,))
