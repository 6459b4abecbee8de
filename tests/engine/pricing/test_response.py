"""Answers of hubs with rising marginal costs: against another program, and the laws of a concave value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pricing.cases import fleet
from engine.pricing.evaluation import Evaluation, Fleet
from engine.program import certificate, solve
from tests.engine.pricing.small import as_specified, fleet_of, random_case, two_hubs


def _prices(seed: int, shape: tuple[int, int], size: float = 15.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, shape)


@pytest.mark.parametrize(("seed", "share"), [(0, 1.0), (1, 1.0), (2, 0.1), (3, 10.0), (4, 0.01)])
def test_an_answer_is_that_of_another_program(seed: int, share: float) -> None:
    """Independent: the specification's equations in cvxpy, solved by Clarabel."""
    fleet = fleet_of(random_case(seed), share)
    case, price = fleet.case, _prices(seed, (2, 6), 5.0)
    found = fleet.at(price)
    for at, hub in enumerate(case.hubs):
        value, withdrawal = as_specified(case, hub, price[at], curved=True)
        assert found.responses[at].value == pytest.approx(value, rel=1e-6, abs=1e-6)
        assert found.withdrawal_mw[at] == pytest.approx(withdrawal, abs=2e-3)


@pytest.mark.parametrize("seed", range(6))
def test_every_condition_of_optimality_holds(seed: int) -> None:
    """Judge: the certificate of engine.program, which shares nothing with the follower's own method."""
    fleet = fleet_of(random_case(seed, periods=12))
    price = _prices(seed, (2, 12))
    found = fleet.at(price)
    assert found.residual <= 1e-6
    for own, response, each in zip(fleet.programs, found.responses, price, strict=True):
        program = own.quadratic(each)
        solution = solve(program, interior=True)
        reduced = program.gradient(response.x) - program.matrix.T @ response.dual
        told = type(solution)(solution.status, response.x, response.dual, reduced, response.value, 0.0, 0.0, "")
        assert certificate(program, told).holds(1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_imported_falls_where_it_gets_dearer(seed: int) -> None:
    """Law: imports are the slope of a concave value, so no two answers go up together with their prices."""
    fleet = fleet_of(random_case(seed % 7))
    one, other = (_prices(seed + k, (2, 6)) for k in (1, 2))

    def bought(found: Evaluation) -> np.ndarray:
        return np.array([own.priced @ each.x for own, each in zip(fleet.programs, found.responses, strict=True)])

    moved = bought(fleet.at(one)) - bought(fleet.at(other))
    assert float(((one - other) * moved).sum(axis=1).max()) <= 1e-7


@pytest.mark.parametrize("seed", range(4))
def test_the_slope_is_that_of_differences_symmetric_and_never_up(seed: int) -> None:
    """Finite differences, away from where an answer bends; what is priced moves by a symmetric matrix."""
    fleet = fleet_of(random_case(seed, periods=8))
    price = _prices(seed, (2, 8))
    found = fleet.at(price)
    rng = np.random.default_rng(seed)
    for at, (own, follower) in enumerate(zip(fleet.programs, fleet.followers.each, strict=True)):
        response = found.responses[at]
        slope = follower.slope(response)
        way, hair = rng.normal(size=8), 1e-6
        ends = [own.withdrawal(follower.respond(price[at] + sign * hair * way).x) for sign in (1.0, -1.0)]
        assert (ends[0] - ends[1]) / (2.0 * hair) == pytest.approx(slope @ way, abs=1e-5)
        weight = rng.normal(size=8)
        assert follower.adjoint(response, weight) == pytest.approx(slope.T @ weight, abs=1e-10)
        imports = follower.priced_slope(response)
        assert imports == pytest.approx(imports.T, abs=1e-12)
        assert np.linalg.eigvalsh(imports).max() <= 1e-10


def test_the_gradient_of_overloads_is_that_of_differences() -> None:
    """Finite differences along random ways, 1e-5 away from where an answer bends."""
    fleet = fleet_of(random_case(3, periods=8))
    price, rng, hair = _prices(1, (2, 8), 3.0), np.random.default_rng(5), 1e-5
    gradient = fleet.gradient(fleet.at(price))
    assert np.abs(gradient).max() > 0.1
    for _ in range(3):
        way = rng.normal(size=price.shape)
        ends = [fleet.at(price + sign * hair * way).overload_cost for sign in (1.0, -1.0)]
        assert (ends[0] - ends[1]) / (2.0 * hair) == pytest.approx(float((gradient * way).sum()), rel=1e-4)


def test_a_battery_moves_by_and_by_where_a_linear_one_jumps() -> None:
    """A ramp where linear hubs jump, with a price in the third hour alone.

    By hand: below the round trip's cost of 13.78 $/MWh nothing pays, so nothing moves; above it the rising costs let
    some move at once and all only at a higher price.
    """
    fleet = fleet_of(two_hubs())
    drawn = []
    for price in (0.0, 13.0, 14.0, 16.0, 20.0):
        told = np.zeros((2, 4))
        told[0, 2] = price
        drawn.append(fleet.at(told).withdrawal_mw[0, 2])
    assert drawn[1] == pytest.approx(drawn[0], abs=1e-6)
    assert drawn[0] - 1e-3 > drawn[2] > drawn[3] + 1e-3 > drawn[4] + 2e-3


def test_hubs_that_are_asked_together_answer_as_each_by_itself() -> None:
    """Law: one hub's answer is no other's business, also where most are answered and the others go on without them."""
    own = Fleet.of(fleet(30, hours=8))
    price = np.random.default_rng(2).normal(0.0, 10.0, (30, 8))
    together = own.followers.respond(price, [None] * 30)
    for follower, response, each in zip(own.followers.each, together, price, strict=True):
        alone = follower.respond(each)
        assert response.value == pytest.approx(alone.value, rel=1e-8)
        assert response.x == pytest.approx(alone.x, abs=1e-6)
        assert response.residual <= 1e-9
