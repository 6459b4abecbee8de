"""Draws decided again at the points of their own bill: laws between the decisions and what is kept of them."""

import numpy as np
import pytest

from engine.distribution.linear import Point
from engine.distribution.question import FeederQuestion
from engine.distribution.run import CaseRun, FeederRun, run_feeder
from engine.distribution.settling import AGAIN, halfway


@pytest.fixture(scope="module")
def evening() -> CaseRun:
    """IEEE 37 in an hour in which the cheapest draws lie where a line's limit begins to bind."""
    return run_feeder(FeederQuestion(hours=(17,), method="regions", svg="off", corrections=2)).cases[0]


def test_the_best_decision_is_kept_and_its_bill_is_what_it_was_worth(evening: CaseRun) -> None:
    """Laws: none of the decisions was worth less; the bill is at the points at which the kept one was judged."""
    decisions = evening.facts["decisions"]
    assert 1 < len(decisions) <= AGAIN + 1
    (kept,) = (each for each in decisions if each["kept"])
    assert kept["objective"] == min(each["objective"] for each in decisions)
    assert kept["objective"] < decisions[0]["objective"]
    assert evening.facts["final"] == {name: kept[name] for name in evening.facts["final"]}
    bill = float(evening.bill_active.sum() + evening.bill_reactive.sum())
    assert bill + evening.facts["method"]["delay_cost"] == pytest.approx(kept["objective"], rel=1e-6)
    assert kept["gap"] < decisions[0]["gap"]
    for each in decisions:  # law: a bound is below what it bounds
        assert each["bound"] <= each["objective"] * (1.0 + 1e-9)
        assert each["by"] == "critical regions"


def test_a_hair_beyond_a_limit_is_not_what_is_kept(evening: CaseRun) -> None:
    """The kept draws exceed nothing, so no hour is at the price of exceeding a limit."""
    assert evening.facts["flags"] == evening.facts["violations"] == []
    assert evening.penalty_per_h.max() == pytest.approx(0.0, abs=1e-6)
    assert evening.centre_price.max() < 1000.0


def test_given_draws_are_not_decided_again() -> None:
    toy: FeederRun = run_feeder(FeederQuestion(feeder="two-bus", hours=(4,), svg="off", corrections=1))
    assert toy.cases[0].facts["final"] is None
    assert toy.cases[0].facts["decisions"] == []


def test_halfway_between_two_points_is_their_mean() -> None:
    one, other = (Point(np.array([1.0 + 0j, k * 1j]), np.array([2.0 * k + 1j])) for k in (1.0, 3.0))
    middle = halfway(one, other)
    assert middle.phasors.tolist() == [1.0, 2.0j]
    assert middle.flow_mva is not None
    assert middle.flow_mva.tolist() == [4.0 + 1.0j]
    assert halfway(Point(one.phasors), other).flow_mva is None
