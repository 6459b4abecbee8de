"""Where the search begins in a large fleet: hubs that stand for others are what those are together."""

from dataclasses import replace

import numpy as np
import pytest

from engine.pricing import compare, starts
from engine.pricing.cases import fleet, shared, three_hubs
from engine.pricing.central import Joint, together
from engine.pricing.congestion import PriceTerms
from engine.pricing.evaluation import Fleet
from engine.pricing.program import programs
from engine.pricing.starts import begun, standing_for


def test_a_hub_twice_as_large_does_twice_as_much() -> None:
    """Law: costs are linear and curvature is of a quantity's range, so an answer grows with the hub."""
    case = three_hubs(6)
    twice = Fleet.of(replace(case, hubs=tuple(hub.times(2.0) for hub in case.hubs)))
    price = np.random.default_rng(0).normal(0.0, 10.0, (3, 6))
    assert twice.at(price).withdrawal_mw == pytest.approx(2.0 * Fleet.of(case).at(price).withdrawal_mw, abs=1e-6)


def test_hubs_that_are_alike_are_stood_for_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: where those of a group are copies, the one that stands for them leads to the same prices."""
    one = fleet(3, hours=4)  # of one kind each
    case = replace(
        one, hubs=tuple(replace(hub, name=f"{hub.name} {k}") for hub in one.hubs for k in range(3)),
        network=replace(one.network, share=np.repeat(one.network.share, 3, axis=1)),
        areas=tuple(np.repeat(one.area, 3).tolist()),
    )  # fmt: skip
    exact = case.of_areas(together(Joint.of(case, programs(case.checked()))).price)
    monkeypatch.setattr(starts, "MOST", 5)
    alike = standing_for(case)
    assert len(alike.hubs) == 3
    stood = alike.of_areas(together(Joint.of(alike, programs(alike.checked()))).price)
    assert stood == pytest.approx(exact, rel=1e-3)  # duals of two programs of other sizes
    found = begun(case, programs(case))
    assert not found["none"].any()
    whole, few = Fleet.of(case).at(found["alike"]), Fleet.of(alike).at(found["alike"])
    assert whole.overload_cost == pytest.approx(few.overload_cost, rel=1e-5)
    assert few.overload_cost < Fleet.of(alike).at(found["none"]).overload_cost


def test_prices_weigh_the_same_however_many_hubs_share_them() -> None:
    """By hand: one price for all, of 5 $/MWh in 4 hours: 3 hubs x 4 x 5 x 0.01 = 0.6 $, and no changes."""
    for count in (3, 12):
        case = fleet(count, hours=4)
        assert case.terms == shared(three_hubs(4).terms, count)
        cost = PriceTerms.of(case).cost(np.full((case.area_count, 4), 5.0))
        assert cost.level == pytest.approx(0.6)
        assert cost.total == pytest.approx(0.6)


def test_of_many_hubs_only_those_with_rising_costs_are_answered_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is said."""
    monkeypatch.setattr(compare, "MOST_LINEAR", 5)
    found = compare.compare(fleet(6, hours=3), exact=None, quick_s=5.0)
    assert {(each.prices, each.hubs) for each in found.outcomes} == {
        ("none", "quadratic"), ("central", "linear"), ("quick", "quadratic"),
    }  # fmt: skip
    assert found.exact_message == "not for more than 5 hubs"
