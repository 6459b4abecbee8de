"""What the Resilience page cannot be asked is named with its value and its limit, all at once; nothing is lost."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from callbacks import resilience_upload
from callbacks.day_answer import FRAME_CLASS, STALE_CLASS
from callbacks.day_desk import Seat
from callbacks.feeder_desk import FEEDER_KIND
from callbacks.resilience_desk import Desk
from components import resilience_asked
from components.resilience_asked import placeable
from engine.data.openings import RESILIENCE
from engine.distribution.feeder import Line
from engine.distribution.files import to_json as feeder_to_json
from engine.errors import QuestionError
from engine.resilience.case import PlacementCase
from engine.resilience.modules import STANDARD
from tests.callbacks.resilience_seats import (
    SMALL,
    Screen,
    anne_fixture,
    case_fixture,
    opening_fixture,
    services_fixture,
    work,
)
from tests.callbacks.screen import ANNE, text

FIXTURES = (anne_fixture, case_fixture, opening_fixture, services_fixture)  # found by their names here


def test_a_meshed_feeder_is_refused_naming_its_loop(anne: Seat[Desk], case: PlacementCase) -> None:
    seat, feeder = anne, case.feeder
    first = next(link for link in feeder.closed_links if isinstance(link, Line))
    tie = replace(first, name="tie", from_bus="18", to_bus="33")
    meshed = replace(feeder, lines=(*feeder.lines, tie))
    study, digest = seat.desk.keep_file(ANNE, "", "meshed.json", FEEDER_KIND, feeder_to_json(meshed))
    shown = Screen(Seat(seat.desk, ANNE, study)).ask(pressed=True, feeder=f"file:{digest}")
    assert shown.jobs is None
    told = text(shown.state)
    assert "a loop of" in told
    assert "to mend" not in told  # the loop is one thing
    # By the drawing of IEEE 33: the ways from bus 6 to 18 and to 33, which the tie joins.
    ring = {"tie", "6-26", *(f"{at}-{at + 1}" for at in (*range(6, 18), *range(26, 33)))}
    named = set(told.split("a loop of ")[1].split(";")[0].replace(",", " ").split())
    assert named == ring
    assert work(seat) == 0


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (-1, "budget, $ a year, is -1: 0 to"),
        ("", "budget is empty: it needs a number"),
        (1e13, "is 1e+13"),
        (0, "is 0: 3000 or more, the cost of one DR"),  # the cheapest of the standard types
        (2_999, "is 2999: 3000 or more, the cost of one DR"),
    ],
)
def test_a_budget_that_buys_no_module_is_refused_with_the_least_that_does(
    opening: Screen, budget: Any, words: str
) -> None:
    found = opening.found
    shown = opening.ask(budget=budget, pressed=True)
    assert words in text(shown.state)
    assert "to mend" not in text(shown.state)  # told once
    assert shown.jobs is None
    assert (shown.frame, opening.found) == (STALE_CLASS, found)
    assert opening.ask(budget=RESILIENCE.budget).frame == FRAME_CLASS
    assert work(opening.seat) == 0


def test_the_cheapest_module_that_may_stand_is_the_least_budget() -> None:
    battery, _, response, _ = STANDARD
    assert placeable(STANDARD, 3_000.0) == [response]
    assert placeable((battery, replace(response, inventory=0)), 17_500.0) == [battery]
    with pytest.raises(QuestionError, match="is 17499: 17500 or more, the cost of one BESS"):
        placeable((battery, replace(response, inventory=0)), 17_499.0)
    free = replace(response, cost=0.0)
    assert placeable((battery, free), 0.0) == [free]  # nothing is needed for what costs nothing


@pytest.mark.parametrize("field", ["inventory", "most_at_site"])
def test_limits_that_let_no_module_stand_are_refused(opening: Screen, field: str) -> None:
    some = [{"type": each.name, "field": field, "value": 0} for each in STANDARD]
    assert "no module may stand anywhere" not in text(opening.ask(edits=some[1:]).state)
    shown = opening.ask(edits=some, pressed=True)
    assert shown.jobs is None
    assert "the inventory or the most at a site is 0, and 1 is the least" in text(shown.state)
    assert "to mend" not in text(shown.state)


def test_a_negative_inventory_and_all_else_that_is_wrong_is_told_at_once_and_nothing_is_lost(opening: Screen) -> None:
    """Controls that cannot be read, those out of their range, and modules, which three different parts refuse."""
    found, words = opening.found, dict(opening.words)
    edits = [{"type": "BESS", "field": "inventory", "value": -2}, {"type": "GEN", "field": "most_at_site", "value": -1}]
    shown = opening.ask(edits=edits, pressed=True, weight=2, steps="1.5", budget=-1, gap="much")
    for part in (
        "6 things to mend",
        "The number of steps is whole, not 1.5",
        "gap at which the search ends in % is a number, not 'much'",
        "The weight of the tail is 2: 0 to 1",
        "The budget, $ a year, is -1: 0 to",
        "Module BESS: inventory is -2; it must be 0 to",
        "Module GEN: most at site is -1; it must be 0 to",
    ):
        assert part in text(shown.state), part
    assert shown.jobs is None
    assert (shown.frame, opening.found) == (STALE_CLASS, found)
    assert work(opening.seat) == 0
    mended = opening.ask(edits=[], **{name.replace("-", "_"): value for name, value in words.items()})
    assert (mended.frame, opening.found) == (FRAME_CLASS, found)


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (("1,1,14,0.1,0.7", "2,1,14,0.2,0.7"), ("1 problem", "probabilities sum to 1.4")),
        (("1,1,14,0.1,0.2", "2,1,14,0.2,0.3"), ("1 problem", "probabilities sum to 0.5")),
        (
            ("1,1,14,0.1,0.7", "2,1,14,-2,0.7", "3,9,14,0.1,0.1"),
            ("2 problems", "row 3: draw_mw is -2", "row 4: step is 9"),  # rows first: a sum is of rows that hold
        ),
        (("1,1,14,0.1,1.1", "2,1,14,0.2,-0.1"), ("row 3: probability is -0.1",)),
    ],
)
def test_shocks_whose_probabilities_do_not_sum_to_one_are_refused_with_all_else_that_is_wrong(
    anne: Seat[Desk], rows: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    content = "\n".join(["scenario,step,campus,draw_mw,probability", *rows, ""]).encode()
    words = resilience_asked.words_of(SMALL) | {"edits": []}
    sent = f"data:text/csv;base64,{base64.b64encode(content).decode()}"
    panel, offered = resilience_upload.offer(anne, sent, "shocks.csv", words)
    assert offered is None
    for part in parts:
        assert part in text(panel), part
