"""All models of a case side by side: the laws between them."""

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing import compare as module
from engine.pricing import smooth
from engine.pricing.cases import fleet, three_hubs
from engine.pricing.compare import Comparison, compare
from engine.program import Status
from tests.engine.pricing.small import two_hubs


@pytest.fixture(scope="module")
def hand() -> Comparison:
    return compare(two_hubs(), exact=Effort(1e-5, 120.0))


def test_no_model_is_below_the_first_best_and_none_above_no_prices(hand: Comparison) -> None:
    """Law: B <= C <= A of linear hubs, B <= D <= A of quadratic ones; by hand B is 0, C 0.1378 and A 50 $."""
    assert hand.floor == pytest.approx(0.0, abs=1e-6)
    assert hand.of("central", "linear").overload_cost == pytest.approx(hand.floor, abs=1e-4)
    for hubs in ("linear", "quadratic"):
        assert hand.of("none", hubs).objective == pytest.approx(50.0, abs=1e-3)  # type: ignore[arg-type]
    exact, quick = hand.of("exact", "linear"), hand.of("quick", "quadratic")
    assert exact.objective == pytest.approx(0.1378, abs=1e-3)
    assert hand.floor <= exact.bound <= exact.objective + 1e-6
    assert exact.gap <= 1e-5
    assert 0.1 < quick.objective < 49.0
    assert quick.bound == hand.floor
    for each in hand.outcomes:
        assert each.overload_cost <= each.worst_cost + 1e-6 <= each.worst_bound + 2e-6
        assert each.worst_status is Status.OPTIMAL
    assert hand.residual <= 1e-6
    assert hand.exact_message == ""


def test_quick_prices_begin_at_exact_ones_too(hand: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: they are no worse than exact prices are for the same hubs; where those begin better, all outcomes say so."""
    assert [end.start for end in hand.quick.ends] == ["together", "none", "shaken", "exact"]
    assert hand.of("quick", "quadratic").objective <= hand.of("exact", "quadratic").objective + 1e-9
    monkeypatch.setattr(smooth, "_STEPS", 0)  # each search ends where it begins
    monkeypatch.setattr(smooth, "MOST_WHOLE", 0)
    monkeypatch.setattr(module, "begun", lambda case, *_: {"none": np.zeros((case.area_count, case.periods))})
    found = compare(three_hubs(4), exact=Effort(1e-2, 30.0), quick_s=10.0)
    exact = found.of("exact", "quadratic")
    begun = [end.found.objective for end in found.quick.ends]
    assert [end.start for end in found.quick.ends] == ["none", "rounded", "exact"]
    assert begun[-1] == pytest.approx(exact.objective)
    assert begun[-1] < min(begun[:-1])
    assert found.quick.best.start == "exact"
    for hubs in ("quadratic", "linear"):
        assert np.array_equal(found.of("quick", hubs).price, exact.price)  # type: ignore[arg-type]
    assert found.of("quick", "quadratic").objective == pytest.approx(exact.objective)


def test_what_is_told_of_each_outcome_follows_from_what_hubs_do(hand: Comparison) -> None:
    """Balances: bills are prices times imports; costs are those without the operator's prices."""
    case = two_hubs()
    for each in hand.outcomes:
        imports = np.array([x[:4] for x in each.points])
        if each.prices != "central":
            assert each.paid == pytest.approx((each.price * imports).sum(axis=1), abs=1e-9)
        energy = imports.sum(axis=1) * 30.0
        battery = each.points[0][4:12].sum() * 5.0
        assert each.hub_cost == pytest.approx(energy + np.array([battery, 0.0]), rel=1e-9)
        assert each.withdrawal_mw == pytest.approx(imports)
        assert each.overload_cost == pytest.approx(np.maximum(imports.sum(axis=0) - 2.5, 0.0).sum() * 100.0, abs=1e-9)
    assert len({(each.prices, each.hubs) for each in hand.outcomes}) == len(hand.outcomes) == 7
    assert case.checked() is case


def test_each_kind_of_prices_is_tried_on_the_other_kind_of_hubs(hand: Comparison) -> None:
    """By hand: at the linear hubs' tie a curved battery does not move yet; prices beyond it move all of a linear one.

    It charges 1 / 0.95^2 MWh then, in two hours that have room for 1 MW together: alike at best, 1 MW in one at worst.
    """
    assert hand.of("exact", "quadratic").overload_cost == pytest.approx(50.0, abs=0.01)
    found = hand.of("quick", "linear")
    assert found.overload_cost == pytest.approx(100.0 * (1.0 / 0.95**2 - 1.0), abs=0.01)
    assert found.worst_cost == pytest.approx(50.0, abs=0.01)


def test_without_exact_prices_there_is_a_word_why() -> None:
    found = compare(two_hubs(), exact=None)
    assert found.exact is None
    assert found.exact_message == "not asked for"
    with pytest.raises(KeyError):
        found.of("exact", "linear")


def test_the_default_case_has_overloads_that_prices_lessen_and_do_not_end() -> None:
    """Laws, on a few hours of the default case."""
    found = compare(three_hubs(10), exact=None, quick_s=10.0)
    none, quick = found.of("none", "quadratic"), found.of("quick", "quadratic")
    assert none.overload_cost > quick.overload_cost >= found.floor - 1e-6
    assert np.abs(quick.price).max() > 1.0


def test_hubs_of_one_bus_have_one_price() -> None:
    case = fleet(12, hours=5)
    found = compare(case, exact=None, quick_s=10.0)
    quick = found.of("quick", "quadratic")
    assert quick.price.shape == (case.area_count, 5)
    assert case.area_count == len({hub.bus for hub in case.hubs}) < 12
