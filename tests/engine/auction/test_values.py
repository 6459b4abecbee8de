"""Valuations: hand-computed values, JSON there and back, and every problem named at once."""

from dataclasses import replace

import numpy as np
import pytest

from engine.auction.rules import Configuration, Lot
from engine.auction.values import KINDS, Campus, check, from_json, to_json
from engine.errors import AuctionRuleError

LOTS = (
    Lot("1", "Bus 3 firm", 10.0, 0.0, "3", 10),
    Lot("2", "Bus 3 flexible", 6.3, 0.05, "3", 6),
    Lot("3", "Bus 4 firm", 10.0, 0.0, "4", 10),
    Lot("4", "Bus 4 flexible", 5.6, 0.05, "4", 6),
)
FOUR = Configuration("Four products", LOTS)
BLOCKS = Configuration("Two classes", (replace(LOTS[0], quantity=3), replace(LOTS[1], quantity=2)))
VALUES = {"1": 20, "2": 5, "3": 30, "4": 15}


def test_each_kind_has_the_value_that_its_words_say() -> None:
    additive = from_json({"kind": "additive", "values": VALUES}, FOUR)
    assert additive.value(frozenset({0, 2})) == 50
    assert additive.value(frozenset()) == 0
    symmetric = from_json({"kind": "symmetric", "totals": [0, 30, 50, 55]}, FOUR)
    assert [symmetric.value(set(range(k))) for k in range(5)] == [0, 30, 50, 55, 55]
    unit = from_json({"kind": "unit demand", "values": VALUES}, FOUR)
    assert unit.value({0, 1, 3}) == 20
    bundles = from_json(
        {"kind": "bundles", "bundles": [{"lots": {"1": 1, "3": 1}, "value": 90}, {"lots": {"2": 1}, "value": 7}]}, FOUR
    )
    assert [bundles.value(s) for s in ({0}, {0, 1}, {0, 2}, {0, 1, 2, 3})] == [0, 7, 90, 90]


def test_a_campus_needs_its_size_and_firm_capacity_at_the_bus() -> None:
    content = {"kind": "campus", "values": VALUES, "minimum_mw": 15.6}
    campus = from_json(content, FOUR)
    assert campus.value({0}) == 0  # 10 MW are too few
    assert campus.value({1, 3}) == 0  # no firm capacity anywhere
    assert campus.value({0, 3}) == 0  # the flexible capacity is at another bus
    assert campus.value({2, 3}) == 45  # exactly 15.6 MW at bus 4
    assert campus.value({0, 1, 2, 3}) == 70
    together = from_json(content | {"counted": "over all buses"}, FOUR)
    assert together.value({0, 2}) == 50
    assert together.value({0, 3}) == 0  # bus 4 has no firm capacity: 10 MW are used


def test_blocks_of_a_class_count() -> None:
    additive = from_json({"kind": "additive", "values": {"1": 20, "2": 5}}, BLOCKS)
    assert additive.value(np.array([3, 1])) == 65
    campus = from_json({"kind": "campus", "values": {"1": 20, "2": 5}, "minimum_mw": 22}, BLOCKS)
    assert campus.value(np.array([2, 0])) == 0
    assert campus.value(np.array([1, 2])) == 30  # 22.6 MW
    listed = from_json({"kind": "bundles", "bundles": [{"lots": {"1": 2}, "value": 9}]}, BLOCKS)
    assert [listed.value(np.array(s)) for s in ([1, 2], [2, 0], [3, 2])] == [0, 9, 9]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "additive", "values": VALUES, "budget": 40},
        {"kind": "symmetric", "totals": [0, 30, 50, 55, 59.5]},
        {"kind": "unit demand", "values": {"1": 20}},
        {"kind": "campus", "values": VALUES, "minimum_mw": 12.5, "counted": "over all buses", "budget": 7.25},
        {"kind": "bundles", "bundles": [{"lots": {"1": 1, "3": 1}, "value": 90}]},
    ],
)
def test_json_comes_back_as_it_was(content: dict[str, object]) -> None:
    assert to_json(from_json(content, FOUR), FOUR) == content
    assert content["kind"] in KINDS


def test_arrays_that_values_hold_cannot_be_changed() -> None:
    campus = from_json({"kind": "campus", "values": VALUES, "minimum_mw": 1}, FOUR)
    assert isinstance(campus, Campus)
    with pytest.raises(ValueError, match="read-only"):
        campus.block[0] = 1.0


def test_every_problem_is_named_at_once() -> None:
    content = {"kind": "campus", "values": {"1": -1, "9": 2, "3": True}, "minimum_mw": "10", "counted": 3, "x": 1}
    problems = check(content, FOUR)
    assert [(p.code, p.column, p.element) for p in problems] == [
        ("value-field", "x", ""),
        ("value-amount", "values", "1"),
        ("value-lot", "values", "9"),
        ("value-amount", "values", "3"),
        ("value-amount", "minimum_mw", ""),
        ("value-field", "counted", ""),
    ]
    with pytest.raises(AuctionRuleError, match="there is no product '9'"):
        from_json(content, FOUR)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (7, "an object with a kind"),
        ({"kind": ["additive"]}, "is no kind of valuation"),
        ({"kind": "additive"}, "object from product to value"),
        ({"kind": "additive", "values": {"1": float("nan")}}, "must be between 0 and"),
        ({"kind": "additive", "values": {"1": 10**400}}, "must be between 0 and"),
        ({"kind": "additive", "values": {}, "budget": -1}, "the budget is -1"),
        ({"kind": "symmetric", "totals": []}, "the totals are a list"),
        ({"kind": "symmetric", "totals": [5, 6]}, "begin with 0"),
        ({"kind": "symmetric", "totals": [0, 10, 5]}, "2 blocks are worth less than 1"),
        ({"kind": "symmetric", "totals": [0, 10, 30]}, "block 2 adds 20, more than the 10 of block 1"),
        ({"kind": "symmetric", "totals": [0, 1, 2, 3, 4, 5]}, "up to 5 blocks, but there are only 4"),
        ({"kind": "bundles", "bundles": []}, "bundles are a list"),
        ({"kind": "bundles", "bundles": [{"lots": {}, "value": 1}]}, "bundle 1 names no products"),
        (
            {"kind": "bundles", "bundles": [{"lots": {"1": 2}, "value": 1}]},
            "2 blocks of product '1', which has 1 block",
        ),
        ({"kind": "bundles", "bundles": [{"lots": {"z": 1}, "value": 1}]}, "there is no product 'z'"),
    ],
)
def test_refusals_name_the_field_and_the_limit(content: object, words: str) -> None:
    assert any(words in problem.message for problem in check(content, FOUR))
