"""Edits of the Feeder page without a browser: forms, batteries, links that carry them, and what they change."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from callbacks.day_desk import Seat
from callbacks.day_edits import after, without
from callbacks.feeder_desk import Desk
from callbacks.feeder_edits import EDITING, edited
from callbacks.feeder_panes import PANES, compared, forms_of
from components import feeder_asked, feeder_ids
from components.feeder_layers import At
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun, run_feeder
from engine.errors import QuestionError
from tests.callbacks.feeder_seats import (
    HALF,
    SCALED,
    SMALL,
    Screen,
    anne_fixture,
    desk_fixture,
    services_fixture,
    solved_fixture,
    work,
)
from tests.callbacks.screen import ANNE, text

FIXTURES = (anne_fixture, desk_fixture, services_fixture, solved_fixture)  # found by their names here


def press(seat: Seat[Desk], found: Any, name: str, held: Any = (), **values: Any) -> list[dict[str, Any]]:
    given = {key.replace("_", "-"): value for key, value in values.items()}
    return list(replace(SMALL, edits=edited(seat, name, given, list(held), found)).to_json()["edits"])


@pytest.fixture
def worked(anne: Seat[Desk]) -> Any:
    """What is found for the worked day."""
    screen = Screen(anne, FeederQuestion())
    screen.ask()
    return screen.found


def test_each_form_makes_its_edit_of_what_is_selected(anne: Seat[Desk], worked: Any) -> None:
    moved = press(anne, worked, "move", selection="centre:centre 740", move_bus="702")
    assert [(one["kind"], one["name"], one["bus"]) for one in moved] == [("move centre", "centre 740", "702")]
    again = press(anne, worked, "here", moved, selection="bus:713", here_name="centre 740")
    assert [(one["name"], one["bus"]) for one in again] == [("centre 740", "713")]  # the later place counts
    (factor,) = press(anne, worked, "factor", selection="centre:centre 724", factor_value=0.9)
    assert (factor["name"], factor["value"]) == ("centre 724", 0.9)
    stored = edited(anne, "battery", {"selection": "centre:centre 724", "battery-power": 0.1, "battery-energy": 0.4},
                    moved, worked)  # fmt: skip
    assert [getattr(one, "centre", one.name if isinstance(one, Edit) else "") for one in stored] == [
        "centre 740", "centre 724",
    ]  # fmt: skip
    (svg,) = press(anne, worked, "add", selection="bus:702", add_value=60)
    assert (svg["name"], svg["bus"], svg["value"], svg["phases"]) == ("SVG 702", "702", 60.0, "abc")
    (centre,) = press(anne, worked, "centre", selection="bus:702", centre_value=240)
    assert (centre["kind"], centre["name"], centre["value"], centre["phases"]) == (
        "add centre", "centre 702", 240.0, "abc",
    )  # fmt: skip
    more = press(anne, worked, "centre", [centre], selection="bus:702", centre_value=30)
    assert [one["name"] for one in more] == ["centre 702", "centre 702 (2)"]
    away = press(anne, worked, "move", [centre], selection="centre:centre 702", move_bus="713")
    assert [one["kind"] for one in away] == ["add centre", "move centre"]
    two = press(anne, worked, "add", [svg], selection="bus:702", add_value=30)
    assert [one["name"] for one in two] == ["SVG 702", "SVG 702 (2)"]
    assert press(anne, worked, "remove", [svg], selection="bus:702", remove_name="SVG 702") == []
    (gone,) = press(anne, worked, "remove", selection="bus:741", remove_name="SVG 741")
    assert gone["kind"] == "remove compensator"
    assert press(anne, worked, "scale", [svg], scale_value="1.1")[1]["value"] == 1.1
    assert press(anne, worked, "clear", two) == []
    assert [one.name for one in without(feeder_asked.edits_of(two), "0")] == ["SVG 702 (2)"]


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("move", {"selection": "bus:702", "move_bus": "702"}, "select a data centre first"),
        ("move", {"selection": "centre:centre 740", "move_bus": "740"}, "stands at bus 740 already"),
        ("move", {"selection": "centre:centre 740", "move_bus": "zz"}, "there is no bus 'zz'"),
        ("move", {"selection": "centre:nobody", "move_bus": "702"}, "there is no data centre 'nobody'"),
        ("factor", {"selection": "centre:centre 740", "factor_value": 2}, "the power factor is 2: 0.5 to 1"),
        ("factor", {"selection": "centre:centre 740", "factor_value": "x"}, "the power factor is a number"),
        (
            "battery",
            {"selection": "centre:centre 740", "battery_power": 0.1, "battery_energy": -1},
            "energy of a battery",
        ),
        ("battery", {"selection": "bus:702", "battery_power": 0.1, "battery_energy": 1}, "select a data centre first"),
        ("add", {"selection": "bus:702", "add_value": 0}, "the SVG gives 0 kvar"),
        ("centre", {"selection": "bus:702", "centre_value": 0}, "draws 0 kW at full work"),
        ("centre", {"selection": "centre:centre 740", "centre_value": 9}, "select a bus first"),
        ("add", {"selection": "link:702-713", "add_value": 9}, "select a bus first"),
        ("remove", {"selection": "bus:702", "remove_name": None}, "choose an SVG first"),
        ("scale", {"scale_value": 1}, "0 to 10, and not 1"),
        ("other", {}, "not known"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(
    anne: Seat[Desk], worked: Any, name: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(QuestionError, match=words):
        press(anne, worked, name, **values)


def test_a_press_that_is_none_and_a_place_that_is_not_there_change_nothing(anne: Seat[Desk]) -> None:
    nothing: dict[str, Any] = {"presses": {}, "taken": None, "values": {}, "selection": None, "held": [], "found": None}
    assert after(EDITING, anne, None, nothing) is None
    assert after(EDITING, anne, f"{feeder_ids.EDITS}-pressed", {**nothing, "taken": {"value": "x"}}) is None
    with pytest.raises(QuestionError, match="taken back already"):
        after(EDITING, anne, f"{feeder_ids.EDITS}-pressed", {**nothing, "taken": {"value": "remove 3"}})
    held = [{"kind": "scale load", "value": 1.1}]
    taken = {**nothing, "held": held, "taken": {"value": "remove 0"}}
    assert after(EDITING, anne, f"{feeder_ids.EDITS}-pressed", taken) == ((), "Taken back: press Solve.")


def test_an_edit_of_a_link_that_cannot_be_made_is_refused_before_anything_is_computed(anne: Seat[Desk]) -> None:
    question = FeederQuestion(edits=(Edit("move centre", "centre 740", "nowhere"), Edit("remove compensator", "none")))
    shown = Screen(anne, question).ask(pressed=True)
    told = text(shown.state)
    assert "2 things to mend" in told
    assert "there is no bus 'nowhere'" in told
    assert shown.jobs is None


def test_what_the_edits_change_is_the_difference_of_two_runs(anne: Seat[Desk], solved: FeederRun) -> None:
    screen = Screen(anne)
    screen.ask(edits=[{"kind": "scale load", "value": 1.2}], pressed=True)
    assert work(anne) == 1
    screen.ask()
    run, at = screen.run(), At("off")
    assert [load.kw for load in run.feeder.loads] == pytest.approx([1.2 * load.kw for load in solved.feeder.loads])
    case, before = run.case(svg=False), solved.case(svg=False)
    assert case is not None
    assert before is not None
    told = re.sub(r"<[^>]*>", " ", getattr(compared(anne, run, at), "data-static"))
    cost = round(float(case.cost_per_h.sum())) - round(float(before.cost_per_h.sum()))
    assert cost > 0  # the same hours with more load cannot cost less
    assert f"+{cost}" in told
    unknown = replace(SMALL, seed=5, svg="off", edits=(SCALED,))
    assert anne.desk.unedited(ANNE, "", unknown).found == "needed"


# What a form makes, solved


ONE = replace(HALF, svg="on", corrections=3)
LINE_OHM, KV = complex(0.6, 1.2), 4.16 / np.sqrt(3.0)  # of the feeder of two buses, by its table; to earth


def answered(seat: Seat[Desk], form: str = "", **values: Any) -> FeederRun:
    """Return the answer after a form was pressed, and a runner did the job."""
    screen = Screen(seat, ONE)
    screen.ask()
    edits = press(seat, screen.found, form, **values) if form else []
    assert screen.ask(edits=edits, pressed=True).jobs
    assert work(seat) == 1
    screen.ask()
    run = screen.run()
    assert run.question.to_json()["edits"] == edits
    return run


@pytest.fixture(scope="module")
def plain(anne: Seat[Desk]) -> FeederRun:
    """The hour without edits."""
    return answered(anne)


def load_mva(run: FeederRun) -> complex:
    return sum(
        complex(row.kw, row.kvar) * share / 1000.0
        for row, share in zip(run.feeder.loads, run.load_share[0], strict=True)
    )


def given_mva(run: FeederRun) -> complex:
    """Return what generators and static var generators give; all of them stand at bus "load"."""
    (case,) = run.cases
    return complex(case.generator_mva[0].sum() + 1j * case.svg_kvar[0].sum() / 1000.0)


def drawn_mva(run: FeederRun) -> complex:
    """Return what data centres draw at bus "load" in AC, by Ohm's and Kirchhoff's laws from OpenDSS's phasors."""
    source, load = (KV * run.cases[0].phasors[0, run.nodes.index((bus, "a"))] for bus in ("source", "load"))
    arriving = load * np.conj((source - load) / LINE_OHM)
    return complex(arriving) + given_mva(run) - load_mva(run)


def asked_mva(run: FeederRun, *factors: float) -> complex:
    """Return what the data centres of a run draw, at their power factors: P (1 + j tan(acos pf))."""
    drawn = zip(run.cases[0].draw_kw[0].tolist(), factors, strict=True)
    return sum(kw / 1000.0 * complex(1.0, np.tan(np.arccos(factor))) for kw, factor in drawn)


def test_a_moved_centre_draws_at_its_new_bus_and_the_balance_holds(anne: Seat[Desk], plain: FeederRun) -> None:
    moved = answered(anne, "move", selection="centre:centre load", move_bus="source")
    np.testing.assert_allclose(moved.cases[0].draw_kw, plain.cases[0].draw_kw)  # the same work
    assert asked_mva(plain, 0.95).real > 0.05
    assert drawn_mva(plain) == pytest.approx(asked_mva(plain, 0.95), abs=2e-6)
    assert abs(drawn_mva(moved)) < 2e-6
    for run in (plain, moved):
        (case,) = run.cases
        needed = load_mva(run) + asked_mva(run, 0.95) - given_mva(run) + complex(case.loss_mva[0])
        assert complex(case.supply_mva[0]) == pytest.approx(needed, abs=1e-6)
    assert moved.cases[0].loss_ac_mva[0].real < plain.cases[0].loss_ac_mva[0].real  # less goes through the line


def test_a_lower_power_factor_draws_more_reactive_power(anne: Seat[Desk], plain: FeederRun) -> None:
    worse = answered(anne, "factor", selection="centre:centre load", factor_value=0.8)
    np.testing.assert_allclose(worse.cases[0].draw_kw, plain.cases[0].draw_kw)
    assert drawn_mva(worse) == pytest.approx(asked_mva(worse, 0.8), abs=2e-6)
    assert drawn_mva(worse).imag / drawn_mva(worse).real == pytest.approx(0.75, rel=1e-4)  # a triangle of 3, 4, 5
    assert drawn_mva(worse).imag > drawn_mva(plain).imag


def test_an_added_svg_gives_in_ac_and_does_not_raise_the_cost(anne: Seat[Desk], plain: FeederRun) -> None:
    """Law: more choices for the same load cost no more. Both linear flows have settled at AC."""
    more = answered(anne, "add", selection="bus:load", add_value=60)
    assert [row.name for row in more.feeder.compensators] == ["SVG load", "SVG load (2)"]
    (case,), (before,) = more.cases, plain.cases
    assert np.abs(case.svg_kvar[0, 1]).max() > 1.0  # it is used
    assert drawn_mva(more) == pytest.approx(asked_mva(more, 0.95), abs=2e-6)
    assert max(np.abs(each.error_pu).max() for each in (case, before)) < 1e-5
    assert case.cost_per_h[0] + case.penalty_per_h[0] <= before.cost_per_h[0] + before.penalty_per_h[0]


def test_without_its_only_svg_the_feeder_is_that_of_the_case_without(anne: Seat[Desk]) -> None:
    removed = answered(anne, "remove", selection="bus:load", remove_name="SVG load")
    (without,) = run_feeder(replace(ONE, svg="off")).cases
    assert removed.cases[0].svg_kvar.shape == (1, 0, 3)
    np.testing.assert_allclose(removed.cases[0].phasors[0], without.phasors[0], atol=1e-7)
    assert removed.cases[0].cost_per_h[0] == pytest.approx(without.cost_per_h[0], rel=1e-6)


def test_an_added_centre_draws_beside_the_first(anne: Seat[Desk], plain: FeederRun) -> None:
    two = answered(anne, "centre", selection="bus:load", centre_value=30)
    assert [row.name for row in two.feeder.centres] == ["centre load", "centre load (2)"]
    assert two.cases[0].draw_kw[0].min() > 1.0
    assert drawn_mva(two) == pytest.approx(asked_mva(two, 0.95, 0.95), abs=2e-6)
    assert drawn_mva(two).real > drawn_mva(plain).real


def test_a_battery_is_asked_for_by_a_word_and_moves_what_the_network_gives_not_the_work(
    anne: Seat[Desk], solved: FeederRun
) -> None:
    screen = Screen(anne)
    size = {"battery-power": 0.02, "battery-energy": 0.04}
    assert screen.ask(batteries="each", svg="off", pressed=True, **size).jobs
    assert work(anne) == 1
    screen.ask()
    run, plain = screen.run(), solved.case(svg=False)
    (case,) = run.cases
    assert plain is not None
    assert run.question.batteries[0].power_mw == 0.02
    np.testing.assert_allclose(case.computer_kw, plain.computer_kw, atol=1e-9)  # even work: the same without
    np.testing.assert_allclose(case.draw_kw, case.computer_kw + case.charge_kw - case.discharge_kw, atol=1e-6)
    held = 20.0 + np.cumsum(np.sqrt(0.9) * case.charge_kw[:, 0] - case.discharge_kw[:, 0] / np.sqrt(0.9))
    np.testing.assert_allclose(case.held_kwh[:, 0], held, atol=1e-6)
    assert held[-1] == pytest.approx(20.0)  # the end of the day holds what its beginning held


def test_the_forms_show_what_can_be_done_with_the_selection(anne: Seat[Desk]) -> None:
    screen = Screen(anne, FeederQuestion())
    screen.ask()
    run = screen.run()
    nothing = forms_of(run.feeder, At())
    assert nothing["centre"]
    assert nothing["bus"]
    centre = forms_of(run.feeder, At(selection="centre:centre 740"))
    assert (centre["centre"], centre["standing"], centre["factor"]) == (False, "740", 0.95)
    bus = forms_of(run.feeder, At(selection="bus:741"))
    assert (bus["bus"], bus["compensators"], bus["removed"]) == (False, False, "SVG 741")
    assert forms_of(run.feeder, At(selection="bus:702"))["compensators"]
    assert "press Solve" in text(PANES.looked_at(anne, None, None, forms_of))


# What is drawn
