"""Demand against all bundles tried one by one in plain loops, and the paper's choices among ties."""

from dataclasses import replace

import numpy as np
import pytest

from engine.auction import demand
from engine.auction.demand import Means, Ties, best_bundle, correspondence
from engine.auction.values import KINDS, from_json
from engine.errors import LimitError
from engine.integer import solve_integer
from engine.program import Status
from tests.engine.auction.markets import configuration, draw, everything, worth


def _by_loops(content, lots, prices, held, *, spendable=None, units=None, units_left=None):
    """All best bundles that contain what is held; surplus without the price of what is held."""
    best, found = None, []
    for bundle in everything(lots):
        added = [b - h for b, h in zip(bundle, held, strict=True)]
        cost = sum(p * a for p, a in zip(prices, added, strict=True))
        too_dear = spendable is not None and cost > spendable
        too_large = units is not None and sum(u * a for u, a in zip(units, added, strict=True)) > units_left
        if min(added) < 0 or too_dear or too_large:
            continue
        gain = worth(content, lots, bundle) - cost
        if best is None or gain > best:
            best, found = gain, []
        if gain == best:
            found.append(bundle)
    return best, found


def _wanted(found, ties: Ties):
    size = (min if ties.prefer == "smallest" else max)(sum(b) for b in found)
    same = [b for b in found if sum(b) == size]
    return max(same) if ties.numbers == "lowest" else max(same, key=lambda b: b[::-1])


@pytest.mark.parametrize("kind", KINDS)
def test_best_bundle_is_the_one_that_loops_choose(kind: str) -> None:
    rng = np.random.default_rng(1)
    for case in range(60):
        quantity = [1] * 5 if case % 2 else [2, 1, 3]
        market = configuration(quantity)
        content = draw(kind, market.lots, rng, top=12)
        valuation = from_json(content, market)
        prices = rng.integers(1, 10, len(quantity))
        held = np.minimum(rng.integers(0, 2, len(quantity)), quantity)
        _, found = _by_loops(content, market.lots, prices, held)
        assert {tuple(b) for b in correspondence(valuation, prices, held).bundles} == set(found)
        for prefer in ("smallest", "largest"):
            for numbers in ("lowest", "highest"):
                ties = Ties(prefer, numbers)
                assert tuple(best_bundle(valuation, prices, held, ties)) == _wanted(found, ties)


@pytest.mark.parametrize("kind", KINDS)
def test_free_blocks_belong_to_the_largest_best_bundle(kind: str) -> None:
    rng = np.random.default_rng(2)
    market = configuration([1] * 5)
    for _ in range(30):
        content = draw(kind, market.lots, rng, top=6)
        prices = rng.integers(0, 3, 5)
        _, found = _by_loops(content, market.lots, prices, [0] * 5)
        for ties in (Ties("smallest"), Ties("largest")):
            assert tuple(best_bundle(from_json(content, market), prices, None, ties)) == _wanted(found, ties)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("programmed", [False, True])
def test_budget_and_eligibility_are_kept_and_nothing_better_keeps_them(
    kind: str, programmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if programmed:
        monkeypatch.setattr(demand, "ENUMERATED", 0)
    rng = np.random.default_rng(3)
    for case in range(12):
        market = configuration([1] * 5 if case % 2 else [2, 1, 3])
        lots = market.lots
        content = draw(kind, lots, rng, top=20) | {"budget": int(rng.integers(5, 40))}
        held = np.minimum(rng.integers(0, 2, len(lots)), 1)
        prices, paid = rng.integers(1, 10, len(lots)), int(rng.integers(0, 5))
        units, left = np.array([lot.units for lot in lots]), int(rng.integers(0, 40))
        best, found = _by_loops(
            content, lots, prices, held, spendable=content["budget"] - paid, units=units, units_left=left
        )
        for ties in (Ties("smallest"), Ties("largest")):
            got = best_bundle(from_json(content, market), prices, held, ties, Means(paid, units, left))
            assert tuple(got) in found
            assert worth(content, lots, tuple(got)) - prices @ (got - held) == best
            assert got.sum() == sum(_wanted(found, ties))


def test_nothing_is_added_when_what_is_held_exceeds_the_budget() -> None:
    market = configuration([1] * 3)
    rich = from_json({"kind": "additive", "values": {"1": 50, "2": 50}, "budget": 10}, market)
    held = np.array([1, 0, 0])
    assert best_bundle(rich, np.array([5, 5, 5]), held, means=Means(paid=20)).tolist() == [1, 0, 0]


def test_without_a_price_for_what_is_held_the_asked_prices_count_against_the_budget() -> None:
    market = configuration([1] * 3)
    rich = from_json({"kind": "additive", "values": {"1": 50, "2": 50}, "budget": 10}, market)
    held = np.array([1, 0, 0])
    assert best_bundle(rich, np.array([5, 5, 5]), held).tolist() == [1, 1, 0]
    assert best_bundle(rich, np.array([6, 5, 5]), held).tolist() == [1, 0, 0]


def test_a_campus_over_sixty_lots_is_the_programs_optimum() -> None:
    """The cheapest cover of 100 MW by firm blocks of 10 MW worth 1 MW-value each: by hand the ten cheapest."""
    market = configuration([1] * 60)
    values = {lot.id: 20 if lot.risk == 0 else 0 for lot in market.lots}
    content = {"kind": "campus", "values": values, "minimum_mw": 100, "counted": "over all buses"}
    prices = np.array([21.0 + (k % 7) if k in range(0, 40, 2) else 30.0 for k in range(60)])
    # Every block costs more than it is worth: at 100 MW the surplus is negative, so nothing is best.
    assert best_bundle(from_json(content, market), prices).sum() == 0
    prices[:20:2] = 15.0
    got = best_bundle(from_json(content, market), prices)
    assert np.flatnonzero(got).tolist() == list(range(0, 20, 2))


def test_the_papers_demand_at_the_opening_is_the_largest_and_later_the_smallest() -> None:
    """Example 2 of arXiv 2604.08854: at 5 each both want all four lots, the last for no gain."""
    market = configuration([1] * 4)
    first = from_json({"kind": "symmetric", "totals": [0, 30, 50, 55, 60]}, market)
    five = np.full(4, 5)
    assert best_bundle(first, five, None, Ties("largest")).tolist() == [1, 1, 1, 1]
    assert best_bundle(first, five).tolist() == [1, 1, 0, 0]
    # Round 3: he holds lot 3, all others cost 10; he goes for the highest number, lot 4.
    held, ten = np.array([0, 0, 1, 0]), np.full(4, 10)
    assert best_bundle(first, ten, held, Ties(numbers="highest")).tolist() == [0, 0, 1, 1]
    assert best_bundle(first, ten, held).tolist() == [1, 0, 1, 0]


def test_a_budget_over_many_lots_of_which_few_are_free() -> None:
    market = configuration([1] * 80)
    bidder = from_json({"kind": "additive", "values": {"79": 9, "80": 8}, "budget": 5}, market)
    held = np.ones(80, dtype=np.int64)
    held[-2:] = 0
    got = best_bundle(bidder, np.full(80, 4), held, means=Means(paid=0))
    assert got.sum() == 79
    assert got[-2:].tolist() == [1, 0]


def test_a_correspondence_over_too_many_bundles_is_refused() -> None:
    market = configuration([1] * 21)
    with pytest.raises(LimitError, match="2097152 bundles"):
        correspondence(from_json({"kind": "additive", "values": {}}, market), np.ones(21))


def test_large_amounts_are_told_apart_by_one_unit() -> None:
    market = configuration([1] * 2)
    rich = from_json({"kind": "additive", "values": {"1": 10**9, "2": 10**9}}, market)
    assert best_bundle(rich, np.array([10**9 - 1, 10**9])).tolist() == [1, 0]
    assert best_bundle(rich, np.array([10**9 + 1, 10**9]), None, Ties("largest")).tolist() == [0, 1]


def test_a_second_program_that_is_not_settled_leaves_the_first_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    market = configuration([1] * 4)
    bidder = from_json({"kind": "additive", "values": {"1": 9, "2": 8, "3": 7}, "budget": 8}, market)
    solved = []

    def first_only(program):
        found = solve_integer(program)
        solved.append(found.status)
        return found if len(solved) == 1 else replace(found, status=Status.TIME_LIMIT, x=np.full_like(found.x, np.nan))

    monkeypatch.setattr(demand, "ENUMERATED", 0)
    monkeypatch.setattr(demand, "solve_integer", first_only)
    assert best_bundle(bidder, np.full(4, 4), means=Means(paid=0)).tolist() == [1, 1, 0, 0]
    assert len(solved) == 2
