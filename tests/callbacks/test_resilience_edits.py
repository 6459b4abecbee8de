"""Types of modules that are changed, added and left out on the Resilience page; the answer is the opening one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from callbacks import resilience_edits as edits_of_page
from callbacks.day_edits import without
from components import resilience_asked
from components.resilience_asked import (
    MOST_TYPES,
    NAME,
    NEW,
    WITHOUT,
    Edit,
    edits_between,
    edits_of,
    held_edits,
    types_of,
)
from components.resilience_view import read_question
from engine.data.openings import RESILIENCE
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.question import ResilienceQuestion
from tests.callbacks.resilience_seats import (
    EDITED,
    FLYWHEEL,
    Screen,
    anne_fixture,
    form,
    opening_fixture,
    services_fixture,
)
from tests.callbacks.screen import ANNE, text

FIXTURES = (anne_fixture, opening_fixture, services_fixture)  # found by their names here


def edit(press: str, held: Any = (), **values: Any) -> tuple[Edit, ...]:
    given = {"type": "BESS", "field": "cost", "value": 9_000}
    return edits_of_page.edited(None, press, given | values, list(held), None)  # type: ignore[arg-type]


def test_a_cheaper_battery_is_asked_for_and_taken_back(opening: Screen) -> None:
    made = edit("change")
    assert made == (Edit("BESS", "cost", 9_000.0),)
    shown = opening.ask(edits=held_edits(made))
    assert shown.edited == "modules, with 1 edit,"
    assert "the modules" in text(shown.state)
    asked = resilience_asked.question_of(opening.words, held_edits(made))
    assert asked == replace(RESILIENCE, types=EDITED.types)
    assert opening.seat.desk.case(ANNE, "", asked).types[0].cost == 9_000.0
    again = edit("change", held_edits(made), value=8_000)
    assert again == (Edit("BESS", "cost", 8_000.0),)  # in the place of the first
    assert without(made, "0") == ()
    assert edit("clear", held_edits(made)) == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "nobody"}, "choose a type"),
        ({"field": "kind"}, "choose a type"),
        ({"value": "x"}, "is a number"),
        ({"value": -1}, "0 to"),
        ({"field": "inventory", "value": 1.5}, "inventory of BESS is whole, not 1.5"),
        ({"field": "power_mw", "value": 0}, "module BESS: power mw is 0"),
        ({"value": STANDARD[0].cost}, "take its edit back"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        edit("change", **values)


@pytest.mark.parametrize(
    "types",
    [
        STANDARD,
        (*STANDARD, FLYWHEEL),
        (replace(STANDARD[0], name="Battery", cost=1.0), *STANDARD[1:3]),
        STANDARD[::-1],  # another order is another question
        (FLYWHEEL,),
        (replace(STANDARD[0], kind="response"), STANDARD[1]),  # a standard name for another kind
        tuple(replace(FLYWHEEL, name=f"F{at}") for at in range(MOST_TYPES)),
        (replace(FLYWHEEL, name="LDES"), replace(STANDARD[3], name="BESS"), replace(STANDARD[1], ramp_mw_per_min=2.0)),
    ],
)
def test_any_types_come_back_from_their_edits_and_their_store(types: tuple[ModuleType, ...]) -> None:
    edits = edits_of(json.loads(json.dumps(held_edits(edits_between(types)))))
    assert types_of(edits) == types
    assert read_question({"ask": json.dumps({"types": ResilienceQuestion(types=types).to_json()["types"]})}) == (
        ResilienceQuestion(types=types)
    )


def test_a_type_is_added_renamed_changed_and_left_out(opening: Screen) -> None:
    added = edit("add", **form())
    assert types_of(added) == (*STANDARD, FLYWHEEL)
    renamed = edit("rename", held_edits(added), type="BESS", name=" Battery ")
    assert renamed[-1] == Edit("BESS", NAME, "Battery")
    changed = edit("change", held_edits(renamed), type="Flywheel", field="inventory", value=3)
    left = edit("without", held_edits(changed), type="LDES")
    assert [each.name for each in types_of(left)] == ["Battery", "GEN", "DR", "Flywheel"]
    assert types_of(left)[3] == replace(FLYWHEEL, inventory=3)
    assert edit("rename", held_edits(added), type="Flywheel", name="Disc")[-1].type == "Disc"
    assert edit("without", held_edits(added), type="Flywheel") == ()
    assert edit("without", held_edits((*edit("change"),)), type="BESS") == (Edit("BESS", WITHOUT),)
    shown = opening.ask(edits=held_edits(left))
    assert shown.edited == "modules, with 3 edits,"
    asked = resilience_asked.question_of(opening.words, held_edits(left))
    assert opening.seat.desk.case(ANNE, "", asked).types == types_of(left)
    _, options, chosen = edits_of_page.shown(left, "LDES")
    assert [each["label"] for each in options] == ["Battery", "GEN", "DR", "Flywheel"]
    assert chosen == "BESS"  # what was chosen is gone


def test_everything_that_is_wrong_with_a_new_type_is_told_at_once() -> None:
    with pytest.raises(QuestionError) as refused:
        edit("add", **form(name="", inventory=-1, charge_efficiency=1.4, cost="much", most_at_site=1.5, energy_mwh=0))
    for part in ("has no name", "inventory is -1", "charge efficiency is 1.4", "cost, $ a year is a number, not 'much'",
                 "most at a site is whole, not 1.5", "energy mwh is 0"):  # fmt: skip
        assert part in str(refused.value), part


@pytest.mark.parametrize(
    ("press", "values", "words"),
    [
        ("add", form(name="GEN"), "there is a type 'GEN' already"),
        ("add", form(name="x" * 60), "at most 24 letters"),
        ("add", form(kind="magnet"), "kind of a new type"),
        ("rename", {"type": "BESS", "name": "DR"}, "two types of modules are called 'DR'"),
        ("rename", {"type": "BESS", "name": " "}, "has no name"),
        ("rename", {"type": "BESS", "name": "BESS"}, "standard name of BESS"),
        ("without", {"type": "nobody"}, "choose a type"),
    ],
)
def test_a_type_that_cannot_be_is_refused_in_words(press: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        edit(press, **values)


def test_one_type_stays_and_there_are_not_too_many() -> None:
    held: tuple[Edit, ...] = ()
    for each in STANDARD[:-1]:
        held = edit("without", held_edits(held), type=each.name)
    with pytest.raises(QuestionError, match="there are 0 types"):
        edit("without", held_edits(held), type=STANDARD[-1].name)
    many = tuple(Edit(f"F{at}", NEW, made=replace(FLYWHEEL, name=f"F{at}")) for at in range(MOST_TYPES))
    with pytest.raises(QuestionError, match=f"there are {MOST_TYPES + 4} types"):
        types_of(many)


@pytest.mark.parametrize("held", [[1], [{"type": "BESS"}], [{"type": "BESS", "field": "cost", "value": "x"}]])
def test_edits_that_the_page_did_not_write_are_refused(held: Any) -> None:
    with pytest.raises(QuestionError, match="edits of modules"):
        resilience_asked.edits_of(held)
