"""The test of gross substitutes against definition 3 itself, tried over prices, and what a violation says."""

import itertools
import re

import numpy as np
import pytest

from engine.auction.substitutes import check_substitutes, violation
from engine.auction.values import KINDS, from_json
from tests.engine.auction.markets import configuration, draw, everything, worth

SUBSETS = [s for n in range(4) for s in itertools.combinations(range(3), n)]
GRID = np.array(list(itertools.product(np.arange(0, 5, 0.5), repeat=3)))  # prices that matter for values up to 4


def _by_definition(value: dict[tuple[int, ...], int]) -> bool:
    """Whether no rise of one price on a grid makes the bidder drop a lot whose price has not changed."""
    surplus = np.array([value[s] - GRID[:, list(s)].sum(axis=1) for s in SUBSETS])  # (8, prices)
    demanded = surplus >= surplus.max(axis=0) - 1e-9
    place = {tuple(p): n for n, p in enumerate(GRID)}
    for n, prices in enumerate(GRID):
        for lot in range(3):
            for higher in np.arange(prices[lot] + 0.5, 5, 0.5):
                after = prices.copy()
                after[lot] = higher
                for s in np.flatnonzero(demanded[:, n]):
                    kept = set(SUBSETS[s]) - {lot}
                    later = np.flatnonzero(demanded[:, place[tuple(after)]])
                    if not any(kept <= set(SUBSETS[t]) for t in later):
                        return False
    return True


def test_the_conditions_say_what_the_definition_says() -> None:
    rng = np.random.default_rng(9)
    market = configuration([1] * 3)
    answers = []
    for _ in range(60):
        value: dict[tuple[int, ...], int] = {(): 0}
        for s in SUBSETS[1:]:  # monotone and mostly with falling gains, so that both answers are frequent
            smaller = [value[t] for t in itertools.combinations(s, len(s) - 1)]
            value[s] = min(4, max(smaller) + int(rng.integers(0, 4 - len(s) + 1)))
        listed = [{"lots": {str(k + 1): 1 for k in s}, "value": value[s]} for s in SUBSETS[1:]]
        bidder = from_json({"kind": "bundles", "bundles": listed}, market)
        found = violation(bidder, market)
        assert (found is None) == _by_definition(value), value
        answers.append(found is None)
    assert 10 <= sum(answers) <= 50


def test_condition_b_finds_what_is_submodular_and_still_no_substitute() -> None:
    """Values 1 to 3 at most, falling gains, but {1, 2} with {3} cannot be regrouped (Gul-Stacchetti's kind of case)."""
    market = configuration([1] * 3)
    value = {"1": 2, "2": 2, "3": 3, "12": 4, "13": 3, "23": 3, "123": 4}
    listed = [{"lots": dict.fromkeys(s, 1), "value": v} for s, v in value.items()]
    found = violation(from_json({"kind": "bundles", "bundles": listed}, market), market)
    assert found is not None
    assert (found.condition, found.first, found.second, found.third, found.excess) == ("b", 0, 1, 2, 2)
    assert "Lot 1 with Lot 2 adds 4 and Lot 3 alone 3" in found.words
    assert "takes Lot 3 instead of both: Lot 1 is dropped" in found.words


@pytest.mark.parametrize("kind", KINDS)
def test_a_violation_holds_numbers_that_anybody_can_check(kind: str) -> None:
    rng = np.random.default_rng(10)
    seen = 0
    for case in range(30):
        market = configuration([1] * 4 if case % 2 else [2, 1, 2])
        content = draw(kind, market.lots, rng)
        verdict = check_substitutes(from_json(content, market), market)
        found = verdict.violation
        if found is None:
            assert verdict.substitutes
            continue
        seen += 1
        assert verdict.answer == "violated"

        def value(*added: int, held=tuple(found.held), content=content, market=market) -> float:
            bundle = list(held)
            for lot in added:
                bundle[lot] += 1
            assert all(n <= lot.quantity for n, lot in zip(bundle, market.lots, strict=True))
            return worth(content, market.lots, tuple(bundle))

        i, j, k = found.first, found.second, found.third
        if k is None:
            excess = value(i, j) + value() - value(i) - value(j)
        else:
            excess = value(i, j) + value(k) - max(value(i, k) + value(j), value(j, k) + value(i))
        assert found.excess == pytest.approx(excess)
        assert excess > 0
    assert (seen > 0) == (kind in ("campus", "bundles"))


def test_the_prices_that_are_told_do_make_him_drop_the_lot() -> None:
    market = configuration([1] * 4)
    content = {
        "kind": "campus",
        "values": {"1": 20, "2": 30, "3": 25, "4": 5},
        "minimum_mw": 15,
        "counted": "at each bus",
    }
    found = violation(from_json(content, market), market)
    assert found is not None
    first, low, high = (
        float(n)
        for n in re.search(r"costs ([\d.]+), Lot 2 ([\d.]+) and .* rises to ([\d.]+) the", found.words).groups()
    )

    def wants(price_1: float, price_2: float) -> set[tuple[int, ...]]:
        prices = np.array([price_1, price_2, 99, 99])
        surplus = {b: worth(content, market.lots, b) - prices @ b for b in everything(market.lots)}
        return {b for b, s in surplus.items() if s == max(surplus.values())}

    assert wants(first, low) == {(1, 1, 0, 0)}
    assert wants(first, high) == {(0, 0, 0, 0)}
    assert "Lot 1 alone adds 0 and Lot 2 alone 0, but both together add 50" in found.words


def test_larger_markets_are_sampled_and_say_so() -> None:
    market = configuration([1] * 40)
    values = {lot.id: 10 for lot in market.lots}
    campus = {"kind": "campus", "values": values, "minimum_mw": 155, "counted": "over all buses"}
    found = check_substitutes(from_json(campus, market), market)
    assert found.substitutes is False
    assert found.words == check_substitutes(from_json(campus, market), market).words  # the seed decides
    alone = {"kind": "bundles", "bundles": [{"lots": {lot.id: 1}, "value": 3} for lot in market.lots]}
    verdict = check_substitutes(from_json(alone, market), market)
    assert (verdict.answer, verdict.substitutes) == ("no violation found", None)
    assert "this is no proof" in verdict.words


def test_a_campus_is_tried_bus_by_bus_however_many_there_are() -> None:
    market = configuration([1] * 40)
    campus = {"kind": "campus", "values": {lot.id: 10 for lot in market.lots}, "minimum_mw": 15}
    found = violation(from_json(campus, market), market)
    assert found is not None
    assert market.lots[found.first].bus == market.lots[found.second].bus
    # With no size to reach and values for firm capacity only it is additive.
    firm = {lot.id: 10 for lot in market.lots if lot.risk == 0}
    verdict = check_substitutes(from_json(campus | {"minimum_mw": 0, "values": firm}, market), market)
    assert (verdict.answer, verdict.substitutes) == ("proved by trying all", True)
