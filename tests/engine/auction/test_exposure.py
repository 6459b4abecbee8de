"""What a part of a bid would lose, against trying every part of it."""

import itertools

import numpy as np
import pytest

from engine.auction import exposure as module
from engine.auction.exposure import exposure, worst_part
from engine.auction.state import Bid
from engine.auction.values import KINDS, from_json
from tests.engine.auction.markets import configuration, draw, worth
from tests.engine.auction.room import Room, configured, lots

SHAPES = ([1, 1, 1, 1], [2, 1, 3], [1, 2, 1, 1, 1])


def _least(content: dict, market, costs: list[np.ndarray]) -> float:
    """The least value minus price over all parts: of each lot the dearest blocks are left."""
    parts = itertools.product(*(range(len(cost) + 1) for cost in costs))
    return min(
        worth(content, market.lots, part) - sum(cost[:n].sum() for cost, n in zip(costs, part, strict=True))
        for part in parts
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_worst_part_is_the_least_over_all_parts(kind: str) -> None:
    chance = np.random.default_rng(KINDS.index(kind))
    losses = 0
    for turn in range(60):
        market = configuration(SHAPES[turn % 3])
        content = draw(kind, market.lots, chance)
        costs = [np.sort(chance.integers(0, 30, chance.integers(0, lot.quantity + 1)))[::-1].astype(float)
                 for lot in market.lots]  # fmt: skip
        found = worst_part(from_json(content, market), costs)
        assert found.exact
        assert found.surplus == pytest.approx(_least(content, market, costs))
        price = sum(cost[:n].sum() for cost, n in zip(costs, found.blocks, strict=True))
        assert worth(content, market.lots, tuple(found.blocks.tolist())) - price == pytest.approx(found.surplus)
        losses += found.surplus < 0
    assert losses > 0


def test_beyond_what_can_be_tried_the_loss_is_a_lower_limit_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENUMERATED", 4)
    chance = np.random.default_rng(9)
    for _ in range(30):
        market = configuration([1, 1, 1, 1])
        content = draw("bundles", market.lots, chance)
        costs = [chance.integers(1, 30, 1).astype(float) for _ in market.lots]
        found = worst_part(from_json(content, market), costs)
        assert not found.exact
        assert 0.0 >= found.surplus >= _least(content, market, costs) - 1e-9


def _campus_room(valuation: dict | None) -> Room:
    room = Room(configured(lots(1, 1, 1)), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=3, valuation=valuation)
    room.do("opened", deadline=None)
    return room


def test_a_campus_is_warned_of_half_of_itself() -> None:
    """60 for both at bids of 21 and 19: together 20 surplus, alone a loss of the bid."""
    pair = {"kind": "bundles", "bundles": [{"lots": {"1": 1, "2": 1}, "value": 60}]}
    told = exposure(_campus_room(pair).state, 0, [Bid(0, 21), Bid(1, 19)])
    assert (told.value_all, told.pay_all, told.surplus_all) == (60.0, 40, 20.0)
    assert (told.worst_surplus, told.worst_part) == (-21.0, (("1", 1),))
    assert told.words == "if only Lot 1 were won, the loss would be 21 k$"


def test_standing_bids_count_with_the_new_ones() -> None:
    pair = {"kind": "bundles", "bundles": [{"lots": {"1": 1, "2": 1}, "value": 60}]}
    room = _campus_room(pair)
    room.bid("a", ["1", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    told = exposure(room.state, 0, [Bid(1, 50)])
    assert (told.pay_all, told.worst_surplus, told.worst_part) == (55, -50.0, (("2", 1),))


def test_substitutes_at_prices_below_their_values_have_no_exposure() -> None:
    told = exposure(_campus_room({"kind": "additive", "values": {"1": 9, "2": 9}}).state, 0, [Bid(0, 5), Bid(1, 5)])
    assert (told.worst_surplus, told.words) == (0.0, "no part of these bids would be a loss")


def test_without_values_only_the_payment_is_told() -> None:
    told = exposure(_campus_room(None).state, 0, [Bid(0, 5), Bid(1, 7)])
    assert (told.known, told.pay_all) == (False, 12)
    assert "no values" in told.words
