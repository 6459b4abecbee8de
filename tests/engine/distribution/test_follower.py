"""The hour without its state: the operator's own program, finite differences, the identity, and a kink by hand."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.case import FeederCase
from engine.distribution.condense import followers
from engine.distribution.dso import dispatch
from engine.distribution.feeder import Feeder
from engine.distribution.follower import Follower
from engine.distribution.hour import DsoOptions
from engine.errors import QuestionError
from engine.program import Solution, Status, certificate
from tests.engine.distribution.days import case37, two_bus_market, two_centres
from tests.engine.distribution.test_dso import feeders


def one(feeder: Feeder, **more: float) -> Follower:
    return followers(FeederCase.of(feeder, [45.0]), **more)[0]


def draws(feeder: Feeder, seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    most = np.array([row.most_kw for row in feeder.centres]) / 1000.0
    return rng.uniform(0.1, 1.0, (count, len(most))) * most


CASES = [two_centres(), two_centres(v_min_pu=1.0), two_bus_market(), *feeders()]


@pytest.mark.parametrize("which", range(len(CASES)))
def test_cost_and_prices_are_those_of_the_program_with_its_state(which: int) -> None:
    feeder = CASES[which]
    follower = one(feeder, tie_slope=0.0)
    for x in draws(feeder, which, 3):
        whole = dispatch(FeederCase.of(feeder, [45.0]), [1000.0 * x])
        answer = follower.solve(x)
        assert answer.value == pytest.approx((whole.cost_per_h + whole.penalty_per_h)[0], rel=1e-7)
        for at, centre in enumerate(feeder.centres):
            price = whole.prices.of_device(whole.frame.share(centre), centre.kvar_per_kw)[0]
            assert answer.price[at] == pytest.approx(price, rel=1e-6)


def test_an_hour_of_the_ieee_37_feeder_is_the_program_with_its_state() -> None:
    case = case37(slice(17, 18))
    x = np.array([0.5, 0.3, 0.7])
    whole = dispatch(case, [1000.0 * x])
    answer = followers(case, tie_slope=0.0)[0].solve(x)
    assert answer.value == pytest.approx((whole.cost_per_h + whole.penalty_per_h)[0], rel=1e-7)


def test_a_limit_of_unbalance_is_in_the_program_without_its_state() -> None:
    feeder, dearer = CASES[0], []
    for limit in (0.002, 0.0005):
        options, case = DsoOptions(unbalance_limit=limit), FeederCase.of(feeder, [45.0])
        follower = followers(case, options, tie_slope=0.0)[0]
        for x in draws(feeder, 0, 3):
            whole = dispatch(case, [1000.0 * x], options)
            cost = (whole.cost_per_h + whole.penalty_per_h)[0]
            assert follower.solve(x).value == pytest.approx(cost, rel=1e-7)
            dearer.append(cost - one(feeder, tie_slope=0.0).solve(x).value)
    assert min(dearer) >= -1e-6  # law: fewer choices
    assert max(dearer) > 1.0


@pytest.mark.parametrize("which", [0, 1, 5])
def test_the_answer_keeps_the_optimality_conditions_of_all_rows(which: int) -> None:
    """Limits enter only when exceeded; the independent certificate judges the program with all of them."""
    follower = one(CASES[which])
    for x in draws(CASES[which], 3, 3):
        answer = follower.solve(x)
        program = follower.program(x)
        dual = np.concatenate([answer.lam, -answer.mu])
        zero = np.zeros(len(answer.z))
        told = Solution(Status.OPTIMAL, answer.z, dual, zero, answer.value, 0.0, 0.0, "")
        assert certificate(program, told).holds(1e-7)


@pytest.mark.parametrize("which", [0, 1, 3])
def test_prices_are_the_slopes_of_a_convex_cost(which: int) -> None:
    feeder = CASES[which]
    follower = one(feeder)
    points = draws(feeder, 11, 4)
    answers = [follower.solve(x) for x in points]
    step = 1e-6
    for x, answer in zip(points, answers, strict=True):
        for at in range(len(x)):
            move = step * np.eye(len(x))[at]
            slope = (follower.solve(x + move).value - follower.solve(x - move).value) / (2 * step)
            assert answer.price[at] == pytest.approx(slope, rel=1e-5)
        for y, other in zip(points, answers, strict=True):
            assert other.value >= answer.value + answer.price @ (y - x) - 1e-9 * (1.0 + abs(other.value))


@pytest.mark.parametrize("which", [0, 1, 2, 3, 4, 5])
def test_the_payment_is_the_identity_of_duals_and_z(which: int) -> None:
    """Stationarity times z, with complementarity: to 1e-8 relative at random draws."""
    follower = one(CASES[which])
    for x in draws(CASES[which], 7, 6):
        answer = follower.solve(x)
        assert follower.payment_of(answer) == pytest.approx(answer.payment(x), rel=1e-8)


def test_prices_of_two_buses_jump_where_the_limit_begins_to_bind() -> None:
    """v = 1 - (2 r P + 2 x Q) / 100 meets 0.95^2 before the generator pays at 45: there the price is 45 or 60 or more.

    Beyond, a MW more takes 1 + x tan / r MW of the generator, at 60 $/MWh, and saves x tan / r MW at 45.
    """
    follower, feeder = one(two_bus_market(), tie_slope=0.0), two_bus_market()
    tan = feeder.centres[0].kvar_per_kw
    r, x, load = 1.2, 1.8, 1.5 + 1.0j
    kink = ((1 - 0.95**2) * 100.0 - 2 * r * load.real - 2 * x * load.imag) / (2 * r + 2 * x * tan)
    low, high = follower.price_range(np.array([kink]))
    turn = 1.0 + x * tan / r
    assert low.price[0] == pytest.approx(45.0, abs=1e-4)
    assert high.price[0] == pytest.approx(60.0 * turn - 45.0 * (turn - 1.0), abs=1e-4)


def test_limits_that_are_left_out_take_their_slacks_along() -> None:
    follower = one(two_centres())
    name = follower.names[int(np.argmax(follower.own))]
    small = follower.keep(frozenset({name}))
    assert small.slack.sum() == 1
    assert small.own.sum() == 1
    assert follower.keep(frozenset(follower.names)).names == follower.names


def test_what_joins_hours_or_has_no_centre_is_refused() -> None:
    case = FeederCase.of(two_centres(), [45.0])
    with pytest.raises(QuestionError, match="batteries join the hours"):
        followers(case, DsoOptions(operate_batteries=True))
    with pytest.raises(QuestionError, match="tie_slope is -1"):
        followers(case, tie_slope=-1.0)
    with pytest.raises(QuestionError, match="no data centre"):
        followers(FeederCase.of(replace(two_centres(), centres=()), [45.0]))


def test_rows_of_one_column_may_be_left_out_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same affine maps by the whole system of optimality and by the one without slacks and their signs."""
    follower = one(CASES[0])
    for x in draws(CASES[0], 3, 4):
        active = np.flatnonzero(follower.solve(x).mu > 1e-6)
        found = []
        for few in (0, 10_000):
            monkeypatch.setattr("engine.distribution.follower._FEW", few)
            found.append(follower.maps(active))
        short, whole = found
        assert short is not None
        assert whole is not None
        for name in ("z", "lam", "mu"):
            assert getattr(short, name) == pytest.approx(getattr(whole, name), rel=1e-7, abs=1e-6)
