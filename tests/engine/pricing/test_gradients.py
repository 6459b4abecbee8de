"""Gradients of the rounded objective: against differences and slopes, and what a search comes to with them."""

from dataclasses import replace

import numpy as np
import pytest

from engine.pricing import smooth
from engine.pricing.cases import fleet
from engine.pricing.evaluation import Evaluation, Fleet
from engine.pricing.gradients import Rounding, followed, rounded
from engine.pricing.smooth import ROUNDED, smooth_prices
from engine.pricing.starts import begun
from tests.engine.pricing.small import rigid

BY = Rounding(0.2, 4.0)


def _fleet() -> tuple[Fleet, Evaluation]:
    own = Fleet.of(fleet(9, hours=8))
    shape = own.case.price_bounds()[0].shape
    return own, own.at(np.random.default_rng(4).normal(0.0, 5.0, shape))


def test_the_gradient_of_the_rounded_objective_is_that_of_differences() -> None:
    """Central differences along drawn directions, at prices where no answer bends within a hair."""
    own, found = _fleet()
    _, gradient = rounded(own, found, BY)
    assert np.abs(gradient).max() > 0.1
    rng, hair = np.random.default_rng(5), 1e-4
    for _ in range(4):
        way = rng.normal(size=gradient.shape)
        up, down = (rounded(own, own.at(found.price + side * hair * way), BY)[0] for side in (1.0, -1.0))
        assert (up - down) / (2.0 * hair) == pytest.approx(float((gradient * way).sum()), rel=1e-4)


def test_the_adjoint_of_a_fleet_is_that_of_its_slopes() -> None:
    """By the (T, T) slopes of all answers, which the search's programs are made of."""
    own, found = _fleet()
    weight = np.random.default_rng(6).normal(size=found.withdrawal_mw.shape)
    by_slopes = np.zeros_like(found.price)
    for follower, response, each, area in zip(
        own.followers.each, found.responses, weight, own.case.area.tolist(), strict=True
    ):
        by_slopes[area] += follower.slope(response).T @ each
    assert own.adjoint(found, weight) == pytest.approx(by_slopes, abs=1e-9)


def test_the_rounded_objective_is_below_the_true_one_by_no_more_than_its_rounding() -> None:
    """Closed form: a hinge is at most half of the rounding lower, an absolute value at most all of it."""
    own, found = _fleet()
    value, _ = rounded(own, found, BY)
    over, terms = found.overloads, own.case.terms
    lines, whole = int((over.line_mw > 0.0).sum()), int((over.substation_mw > 0.0).sum())
    assert lines > 0
    most = (lines * terms.line_per_mwh + whole * terms.substation_per_mwh) * own.case.step_h * BY.overload_mw / 2.0
    most += float(own.terms.weight.sum()) * BY.price_per_mwh
    assert found.objective - most <= value < found.objective
    fine, _ = rounded(own, found, Rounding(1e-9, 1e-9))
    assert fine == pytest.approx(found.objective, abs=1e-5)


def test_following_the_gradient_lowers_the_rounded_objective_within_what_prices_may_be() -> None:
    own, _ = _fleet()
    least, most = own.case.price_bounds()
    none = own.at(np.zeros_like(least))
    end, by = followed(own, none, lambda: False), Rounding.of(own)
    assert rounded(own, end, by)[0] < 0.95 * rounded(own, none, by)[0]
    assert (end.price >= least).all()
    assert (end.price <= most).all()
    assert followed(own, none, lambda: True) is none  # no time


def test_where_prices_reach_nothing_gradients_leave_them() -> None:
    """By hand: rigid hubs do the same at all prices, so only what prices weigh has a slope, 0 at none."""
    own = Fleet.of(rigid())
    none = own.at(np.zeros((own.case.area_count, own.case.periods)))
    assert not followed(own, none, lambda: False).price.any()


def test_a_network_whose_only_limit_is_the_substation_s_is_rounded_by_it() -> None:
    case = fleet(3, hours=4)
    network = replace(case.network, limit_mw=np.full(len(case.network.lines), np.inf))
    assert Rounding.of(Fleet.of(replace(case, network=network))).overload_mw == pytest.approx(0.15 * network.import_mw)
    none = replace(network, import_mw=0.0, export_mw=np.inf)
    assert Rounding.of(Fleet.of(replace(case, network=none))).overload_mw > 0.0


def test_the_search_of_a_large_fleet_is_never_worse_with_gradients_and_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Laws: what is found without gradients is found with them, step by step, and the best end of all is the answer."""
    own, _ = _fleet()
    starts = begun(own.case, own.programs)
    monkeypatch.setattr(smooth, "MOST_WHOLE", 0)
    without, one, other = (smooth_prices(own, starts, seed=seed) for seed in (None, 0, 0))
    assert [end.start for end in without.ends] == list(starts)
    assert [end.start for end in one.ends] == [*starts, ROUNDED]
    for end, same in zip(without.ends, one.ends, strict=False):
        assert np.array_equal(end.found.price, same.found.price)
    assert one.best.found.objective <= without.best.found.objective
    assert np.array_equal(one.best.found.price, other.best.found.price)


def test_gradients_lead_a_large_fleet_to_lower_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a fleet and a day that no setting was chosen on: from no prices the search alone ends higher."""
    own = Fleet.of(fleet(24, hours=12, seed=31))
    none = {"none": np.zeros((own.case.area_count, own.case.periods))}
    monkeypatch.setattr(smooth, "MOST_WHOLE", 0)
    found = smooth_prices(own, none, seed=0)
    assert found.best.start == ROUNDED
    assert found.best.found.objective < 0.999 * found.ends[0].found.objective
