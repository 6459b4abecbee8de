"""The Capacity page: its inspector, cards, filter and sites."""

from dataclasses import replace
from typing import Any

import pytest

from callbacks import capacity_panes as panes
from callbacks import capacity_sites as sites_of_page
from callbacks.capacity_answer import Seat
from callbacks.capacity_why import binding_card_for, reinforced_gain, why_card_for
from engine.errors import QuestionError
from engine.network import library
from tests.callbacks.screen import ANNE, Screen, text


def test_the_inspector_says_why_a_site_stops_and_what_more_of_the_limit_gives(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    bus = text(panes.inspect(seat, screen.drawn, "bus:3", "light"))
    # 10 MW more on line 1-2 gives 10 MW more: one line feeds both sites, and bus 4 stands at its own limit.
    assert "Limited by line 1-2" in bus
    assert "10 MW more there gives 10.0 MW more here and 10.0 MW more over all sites" in bus
    assert "MW against risk" in bus
    branch = text(panes.inspect(seat, screen.drawn, "branch:1-2", "light"))
    assert "10 MW more there give, in total 10 MW" in branch
    assert "Press a bus" in text(panes.inspect(seat, screen.drawn, None, "light"))
    assert "once the answer is computed" in text(panes.inspect(seat, None, "bus:3", "light"))
    assert "Press a bus" in text(panes.inspect(seat, screen.drawn, "bus:nowhere", "light"))


def test_what_a_limit_gives_is_what_the_network_with_the_larger_limit_gives(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    answer = screen.answer()
    binding = next(entry for entry in answer.result.levels[0].binding if entry.limit.element == "1-2")
    tables = library.load("fourbus")
    wider = tables.branches.copy()
    wider.loc[wider["branch"] == "1-2", "rating_a_mw"] += 10
    study = seat.desk.services.studies.create(ANNE, "Wider", replace(tables, branches=wider))
    other = Screen(Seat(seat.desk, ANNE, study), screen.start)
    other.ask()
    more = other.answer().result.levels[0].total_mw - answer.result.levels[0].total_mw
    assert reinforced_gain(seat, answer, binding) == pytest.approx(more, abs=1e-6)
    assert "10 MW" in text(binding_card_for(seat, screen.drawn))


def test_a_card_is_made_for_each_number_of_a_site_and_refused_for_one_that_is_gone(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    for name in ("site0", "site1", "alone0", "alone1"):
        assert "Limited by" in text(why_card_for(seat, screen.drawn, "bus:3", name))
    with pytest.raises(QuestionError, match="not drawn any more"):
        why_card_for(seat, screen.drawn, "bus:3", "site4")
    with pytest.raises(QuestionError, match="not drawn any more"):
        why_card_for(seat, None, "bus:3", "site0")


def test_the_filter_lets_pass_what_takes_enough(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    lone = [row["firm"] + row["inc0"] for row in panes.bus_table(seat, screen.drawn, None)[0]]
    shown = panes.shown_positions(seat, screen.drawn, "any", "any", 12)
    assert shown == [i for i, mw in enumerate(lone) if mw >= 12]
    assert shown is not None
    rows, _ = panes.bus_table(seat, screen.drawn, shown)
    assert [row["id"] for row in rows] == [seat.network().buses.ids[i] for i in shown]
    assert panes.shown_positions(seat, screen.drawn, "any", "any", None) is None


def test_sites_are_chosen_typed_edited_and_pressed_on_the_map(seat: Seat) -> None:
    store = {"bus": ["3", "4"], "mw": [60, 50]}
    assert sites_of_page.from_table(seat, store, "bus mw\n2; 12.5\n4").store == {"bus": ["2", "4"], "mw": [12.5, 60]}
    assert sites_of_page.toggled(seat, store, "bus:2").store["bus"] == ["3", "4", "2"]
    assert sites_of_page.toggled(seat, store, "bus:3").store["bus"] == ["4"]
    assert sites_of_page.edited(store, [{"colId": "asked", "rowId": "4", "value": 7}]).store["mw"] == [60, 7]
    chosen = sites_of_page.chosen(seat, store, "any", "any", 3)
    assert len(chosen.store["bus"]) == 3
    assert chosen.word == "3 sites"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda seat, store: sites_of_page.from_table(seat, store, "3 60\n77 5\n4 x"), "no bus '77'; line 3: 'x'"),
        (lambda seat, store: sites_of_page.from_table(seat, store, " "), "lists no bus"),
        (lambda _, store: sites_of_page.edited(store, [{"colId": "asked", "rowId": "3", "value": None}]), "bus 3"),
        (lambda seat, store: sites_of_page.toggled(seat, store, "branch:1-2"), "select a bus"),
        (lambda seat, store: sites_of_page.chosen(seat, store, None, None, 2.5), "whole number"),
        (lambda seat, store: sites_of_page.chosen(seat, store, "500", None, 2), "no bus in service"),
    ],
)
def test_sites_that_cannot_be_used_are_refused_in_words(seat: Seat, call: Any, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        call(seat, {"bus": ["3", "4"], "mw": [60, 50]})
