"""Configurations as JSON, what can be wrong with them, and the presets."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from engine.auction.configuration import (
    check_configuration,
    configuration_from_json,
    configuration_to_json,
    rules_from_json,
    rules_to_json,
)
from engine.auction.presets import DEFAULT, FCC, ORIGINS, PRESETS
from engine.auction.rules import Configuration, Lot, Rules
from engine.errors import AuctionRuleError
from tests.engine.auction.room import configured, lots


def problems_of(content: object) -> set[str]:
    with pytest.raises(AuctionRuleError) as raised:
        configuration_from_json(content)
    return {f"{problem.code} {problem.column}".strip() for problem in raised.value.problems}


def changed(path: str, value: object) -> dict[str, Any]:
    """A good configuration with one value changed: ``rules.jump.steps``, ``lots.0.units``."""
    content: Any = json.loads(json.dumps(configuration_to_json(configured(lots(1, 3)))))
    at, *names = content, *path.split(".")
    for name in names[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    last = int(names[-1]) if isinstance(at, list) else names[-1]
    at[last] = value
    return content


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_written_is_read_again(name: str) -> None:
    configuration = replace(configured(lots(1, 3), PRESETS[name]), origin="a template", product_set_digest="ab" * 32)
    written = json.loads(json.dumps(configuration_to_json(configuration), allow_nan=False))
    assert configuration_from_json(written) == configuration
    assert rules_from_json(json.loads(json.dumps(rules_to_json(PRESETS[name])))) == PRESETS[name]
    assert PRESETS[name].preset == name
    assert not [p for p in check_configuration(configuration) if p.severity == "error"]


def test_what_is_not_given_has_its_default() -> None:
    assert rules_from_json({}) == Rules()
    assert rules_from_json({"increment": {"amount": 7}}).increment.amount == 7
    lot = {"id": "1", "name": "One", "capacity_mw": 10, "risk": 0, "bus": "3", "units": 10}
    assert configuration_from_json({"title": "T", "lots": [lot]}) == Configuration(
        "T", (Lot("1", "One", 10.0, 0.0, "3", 10),)
    )


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("rules.increment.amount", 0, "range increment.amount"),
        ("rules.increment.amount", 2.5, "type configuration rules increment amount"),
        ("rules.increment.amount", True, "type configuration rules increment amount"),
        ("rules.increment.weight", 1.01, "range increment.weight"),
        ("rules.increment.weight", float("nan"), "type configuration rules increment weight"),
        ("rules.increment.weight", True, "type configuration rules increment weight"),
        ("rules.increment.weight", 10**400, "type configuration rules increment weight"),
        ("rules.increment.kind", "percent", "type configuration rules increment kind"),
        ("rules.increment.floor", 0.3, "increment"),
        ("rules.increment.ceiling", 2.5, "range increment.ceiling"),
        ("rules.increment.rounding", 0, "range increment.rounding"),
        ("rules.jump.steps", 0, "range jump.steps"),
        ("rules.jump.step_share", 0, "range jump.step_share"),
        ("rules.activity.stages", [], "stages"),
        ("rules.activity.stages", [0.9, 0.8], "stages"),
        ("rules.activity.stages", [0.0], "range activity.stages"),
        ("rules.activity.stages", [1.2], "range activity.stages"),
        ("rules.activity.stages", 0.8, "type configuration rules activity stages"),
        ("rules.activity.enforced", 1, "type configuration rules activity enforced"),
        ("rules.withdrawals.interim_share", -0.1, "range withdrawals.interim_share"),
        ("rules.timing.round_s", 1, "range timing.round_s"),
        ("rules.timing", None, "type configuration rules timing"),
        ("rules.preset", "Mine", "preset"),
        ("rules.colour", "red", "unknown-field configuration rules"),
        ("rules", [], "type configuration rules"),
        ("title", "", "title title"),
        ("title", "a\x00", "title title"),
        ("seed", -1, "seed seed"),
        ("seed", 2**53, "seed seed"),
        ("lots", [], "lots"),
        ("lots", {}, "type configuration lots"),
        ("lots.0", 5, "type configuration lots 1"),
        ("lots.0.id", "2", "duplicate-lot id"),
        ("lots.0.id", "", "id id"),
        ("lots.0.id", "\ud800", "id id"),
        ("lots.0.capacity_mw", -1, "capacity capacity_mw"),
        ("lots.0.capacity_mw", float("inf"), "type configuration lots 1 capacity_mw"),
        ("lots.0.risk", 1, "risk risk"),
        ("lots.0.units", 0, "range units"),
        ("lots.0.opening", -5, "range opening"),
        ("lots.0.reserve", 10**12 + 1, "range reserve"),
        ("lots.0.quantity", 1001, "range quantity"),
    ],
)
def test_a_value_out_of_place_is_named(path: str, value: object, problem: str) -> None:
    assert problems_of(changed(path, value)) == {problem}


def test_everything_wrong_is_said_at_once() -> None:
    content = changed("rules.increment.amount", 0)
    content["lots"][0]["units"] = -1
    content["lots"][1]["quantity"] = 0
    content["title"] = ""
    assert len(problems_of(content)) == 4
    content["rules"]["jump"]["steps"] = "nine"
    content["lots"][0]["name"] = 7
    assert problems_of(content) == {"type configuration rules jump steps", "type configuration lots 1 name"}
    assert problems_of({}) == {"missing configuration"}
    for content in (None, 7, "x", []):
        assert problems_of(content) == {"type configuration"}


def test_a_missing_field_of_a_lot_is_named() -> None:
    content = configuration_to_json(configured(lots(1)))
    del content["lots"][0]["bus"]
    with pytest.raises(AuctionRuleError, match="lots 1 needs the field 'bus'"):
        configuration_from_json(content)


def test_the_most_lots_and_blocks_are_told() -> None:
    assert "blocks" in {p.code for p in check_configuration(configured(lots(*[1000] * 21)))}
    assert "lots" in {p.code for p in check_configuration(configured(lots(*[1] * 5001)))}


def test_what_is_legal_but_may_not_be_meant_is_a_warning() -> None:
    rules = replace(
        PRESETS["Paper"], withdrawals=replace(FCC.withdrawals), activity=replace(FCC.activity, enforced=False)
    )
    found = check_configuration(configured(lots(1), rules))
    assert {p.code for p in found} == {"premise", "waivers"}
    assert {p.severity for p in found} == {"warning"}


def numbers(content: dict[str, Any], path: str = "") -> set[str]:
    """The dotted names of all numbers in a rule's JSON."""
    found = set()
    for name, value in content.items():
        if isinstance(value, dict):
            found |= numbers(value, f"{path}{name}.")
        elif isinstance(value, int | float | list | tuple) and not isinstance(value, bool):
            found.add(path + name)
    return found


def test_each_number_of_the_fcc_preset_has_an_origin_or_is_called_a_default() -> None:
    assert set(ORIGINS) == numbers(asdict(FCC))
    for field, origin in ORIGINS.items():
        assert origin.startswith(DEFAULT) or "paragraph" in origin or "Attachment" in origin, field


def test_the_paper_preset_is_the_papers_auction() -> None:
    paper = PRESETS["Paper"]  # arXiv 2604.08854, section III: fixed increment 5, exact bids, ties in turns, no waivers
    assert (paper.increment.kind, paper.increment.amount, paper.ties, paper.jump.kind) == (
        "fixed",
        5,
        "alternating",
        "none",
    )
    assert not paper.activity.enforced
    assert not paper.withdrawals.rounds
