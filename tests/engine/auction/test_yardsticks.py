"""Equilibrium prices against closed forms, and against brute force over all bundles."""

import numpy as np
import pytest

from engine.auction.optimum import efficient, lp_bound
from engine.auction.values import from_json
from engine.auction.yardsticks import lowest_prices, supports
from engine.errors import SolverError
from tests.engine.auction.markets import configuration, draw, everything, worth


def test_additive_lowest_prices_are_the_second_highest_values() -> None:
    chance = np.random.default_rng(1)
    for _ in range(20):
        market = configuration([1] * 5)
        contents = [draw("additive", market.lots, chance) for _ in range(4)]
        known = [from_json(content, market) for content in contents]
        second = [sorted(content["values"][lot.id] for content in contents)[-2] for lot in market.lots]
        assert lowest_prices(known, market, efficient(known, market)) == pytest.approx(second)


def test_symmetric_lowest_prices_are_the_first_marginal_value_that_is_not_served() -> None:
    """Equal blocks: the price of each is the (U + 1)-th highest marginal value of all bidders."""
    chance = np.random.default_rng(2)
    for _ in range(20):
        market = configuration([1] * 4)
        contents = [draw("symmetric", market.lots, chance) for _ in range(3)]
        known = [from_json(content, market) for content in contents]
        marginal = sorted(np.concatenate([np.diff(content["totals"]) for content in contents]))[::-1]
        assert lowest_prices(known, market, efficient(known, market)) == pytest.approx([marginal[4]] * 4)


@pytest.mark.parametrize("kinds", [("unit demand",) * 3, ("additive", "unit demand", "symmetric"), ("bundles",) * 3])
@pytest.mark.parametrize("reserve", [0, 8])
def test_nobody_prefers_another_bundle_at_the_lowest_prices(kinds: tuple[str, ...], reserve: int) -> None:
    chance, found = np.random.default_rng(3), 0
    for _ in range(25):
        market = configuration([1, 2, 1], reserve)
        contents = [draw(kind, market.lots, chance) for kind in kinds]
        known = [from_json(content, market) for content in contents]
        best = efficient(known, market)
        if lp_bound(known, market, start=best).value > best.welfare + 1e-6:
            with pytest.raises(SolverError):
                lowest_prices(known, market, best)
            continue
        prices = lowest_prices(known, market, best)
        assert prices is not None
        assert supports(prices, known, market, best.welfare)
        found += 1
        for content, bundle in zip(contents, best.bundles, strict=True):
            surplus = [
                worth(content, market.lots, one) - float(prices @ np.array(one)) for one in everything(market.lots)
            ]
            own = worth(content, market.lots, tuple(bundle.tolist())) - float(prices @ bundle)
            assert own >= max(surplus) - 1e-5
        unsold = np.array([lot.quantity for lot in market.lots]) > best.bundles.sum(axis=0)
        assert prices[unsold] == pytest.approx(reserve)
    assert found > 0


def test_prices_that_support_nothing_are_told_apart() -> None:
    market = configuration([1, 1])
    known = [from_json({"kind": "additive", "values": {"1": a, "2": b}}, market) for a, b in ((10, 0), (0, 10))]
    assert supports(np.array([5.0, 5.0]), known, market, 20.0)
    assert not supports(np.array([11.0, 5.0]), known, market, 20.0)
