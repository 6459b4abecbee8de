"""The Capacity page: what a question shows in each of its states."""

from dataclasses import replace
from typing import Any

import pytest

from callbacks.capacity_answer import FRAME_CLASS, KEEP, STALE_CLASS, Seat
from callbacks.capacity_desk import Desk
from callbacks.capacity_publish import publish
from callbacks.services import Services
from components.capacity_products import stale_words
from components.capacity_words import words_of
from engine.capacity.defaults import starting_question
from engine.errors import QuestionError
from engine.network import library
from tests.callbacks.screen import ANNE, HOURS, Screen, ids_in, text, work_off


def test_the_paper_case_is_answered_as_it_opens(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask()
    # Section 6 of the specification: firm exactly (10, 10); flexible 6.71 and 5.39 in the limit, 0.6 MW from a sample.
    assert [row["firm"] for row in shown.site_rows] == pytest.approx([10, 10], abs=1e-9)
    assert [row["inc0"] for row in shown.site_rows] == pytest.approx([6.71, 5.39], abs=0.6)
    assert shown.frame == FRAME_CLASS
    assert not shown.compute
    assert "20.0" in text(shown.totals)
    assert "Publish 4 products" in text(shown.tray)
    assert {row["limit"] for row in shown.limit_rows} == {
        "line 1-2, from bus 1 to bus 2",
        "the withdrawal limit of bus 4",
    }
    assert shown.layers["bindingBranches"] == [0]


def test_a_new_risk_level_moves_flexible_and_leaves_firm(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    before = screen.answer().result
    shown = screen.ask(epsilon="0.1")
    after = screen.answer().result
    assert after.firm_mw == pytest.approx(before.firm_mw)
    assert sum(after.flexible_mw[0]) > sum(before.flexible_mw[0])  # CVaR falls as the share grows
    assert "at 10 %" in text(shown.totals)
    assert shown.query.startswith("sites=3,4&mw=60,50&eps=10")


def test_several_risk_levels_are_nested_increments(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(epsilon="other", levels="1 5 10")
    row = shown.site_rows[0]
    assert row["firm"] + row["inc0"] + row["inc1"] + row["inc2"] == pytest.approx(row["total"])
    assert [column["field"] for column in shown.site_columns if column["field"].startswith("inc")] == [
        "inc0",
        "inc1",
        "inc2",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"epsilon": "other", "levels": "50"}, "at most 20 %"),
        ({"epsilon": "other", "levels": "five"}, "a risk level, % must be a number"),
        ({"hours": -3, "keep": "hourly:sample"}, "number of hours"),
        ({"keep": "file:sample"}, "no file is chosen"),
        ({"supply": "given", "shares": "9 1"}, "9"),
        ({"laws": "3 10 20 15"}, "line 1: bus low high mean variance are needed"),
        ({"round": 0}, "the rounding step"),
        ({"keep": "nonsense"}, "nonsense"),
    ],
)
def test_a_word_that_cannot_be_used_is_told_and_the_answer_stays_under_a_hatch(
    seat: Seat, words: dict[str, Any], said: str
) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = screen.ask(**words)
    assert said.lower() in text(shown.state).lower()
    assert shown.frame == STALE_CLASS
    assert shown.totals is KEEP
    assert shown.site_rows is KEEP


@pytest.mark.parametrize("mw", [-1, 0, 1e9, "x"])
def test_a_demand_that_no_site_can_have_is_refused(seat: Seat, mw: Any) -> None:
    screen = Screen(seat)
    screen.ask()
    screen.sites = {"bus": ["3", "4"], "mw": [mw, mw]}
    shown = screen.ask()
    assert "demand at bus" in text(shown.state).lower()
    assert shown.frame == STALE_CLASS


def test_a_box_alone_gives_firm_and_no_risk_levels(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(keep="box:box", box="1 20 30\n2 20 30\n3 10 20\n4 10 30", spread=0)
    assert screen.answer().result.firm_mw == pytest.approx((10, 10))  # the supports of the paper's laws are this box
    assert "no risk level is asked" in text(shown.totals)
    assert shown.query.count("eps=0") == 1


def test_limits_exceeded_already_stop_row_by_row_and_can_be_held(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(keep="box:box", box="4 10 45")
    # Bus 4 may draw 45 MW today; its withdrawal limit is 40.
    assert "1 limit exceeded before anything is added" in text(shown.state)
    assert "withdrawal limit of bus 4: 45.0 MW on 40.0 MW, 5.0 MW over" in text(shown.state)
    assert {"capacity-hold", "capacity-stop"} <= ids_in(shown.state)
    assert shown.product_rows == []
    assert "No products" in text(shown.tray)
    held = screen.ask(zero="hold")
    assert "held at the present level" in text(held.state)
    firm = {row["id"]: row["firm"] for row in held.site_rows}
    assert firm["4"] == 0  # nothing may be added where the limit is exceeded
    assert firm["3"] > 0


def test_hours_are_computed_by_a_job_that_begins_as_the_page_opens(seat: Seat) -> None:
    screen = Screen(seat, replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS))
    shown = screen.ask()
    assert shown.jobs is not None
    assert "Computing the room" in text(shown.state)
    assert not shown.compute
    assert "\u2013" in text(shown.totals)
    assert screen.ask().jobs == shown.jobs  # a second look, or a reload, follows the same job
    work_off(seat, screen.start)
    assert screen.ask().drawn is not KEEP


def test_a_cancelled_job_does_not_begin_by_itself_again(seat: Seat) -> None:
    question = replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS)
    first = Screen(seat, question).ask()
    assert first.jobs is not None
    seat.desk.services.jobs.cancel(ANNE, first.jobs[0])
    again = Screen(seat, question)
    shown = again.ask()
    assert shown.jobs is None
    assert shown.compute
    assert "Cancelled" in text(shown.state)
    assert again.ask(pressed=True).jobs is not None


def test_a_change_that_needs_a_job_leaves_the_old_answer_under_a_hatch_and_says_what_changed(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = screen.ask(keep="hourly:sample", hours=20)
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert shown.totals is KEEP
    assert "the uncertainty of existing demand" in text(shown.state)
    assert "Publish" not in text(shown.tray)
    running = screen.ask(pressed=True)
    assert running.jobs is not None
    assert running.frame == STALE_CLASS
    back = screen.ask(**words_of(screen.start))
    assert back.frame == FRAME_CLASS
    assert back.jobs is None


def test_a_failed_job_is_told_with_its_reason(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    question = replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS)
    first = Screen(seat, question).ask()
    assert first.jobs is not None
    job = replace(seat.desk.services.jobs.get(ANNE, first.jobs[0]), state="failed", error="bus 3 has no demand.")
    monkeypatch.setattr(Desk, "_job", lambda *_: job)
    shown = Screen(seat, question).ask()
    assert "bus 3 has no demand." in text(shown.state)
    assert shown.compute


def test_after_an_edit_of_the_network_the_page_computes_anew_and_tells_the_last_answer(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    publish(seat, screen.drawn)
    tables = library.load("fourbus")
    wider = replace(tables, branches=tables.branches.assign(rating_a_mw=[110.0, 50.0, 50.0]))
    revision = seat.desk.services.studies.network_status(ANNE, seat.study).revision
    seat.desk.services.studies.save_network(ANNE, seat.study, wider, revision, "Wider")
    for of_before in (publish, Seat.answer):  # a screen of before the edit is neither read nor published
        with pytest.raises(QuestionError, match="the network has changed since this was drawn"):
            of_before(seat, screen.drawn)
    question = replace(screen.start, firm_set="sample", uncertainty=HOURS)
    shown = Screen(seat, question).ask()
    assert shown.jobs is not None
    assert "20.0 MW firm" in text(shown.state)
    answered = Screen(seat)
    answered.ask()
    # By hand: the wider line leaves 110 - 80; bus 4 stays at its own limit's 10, bus 3 gets its 20.
    assert answered.answer().result.firm_mw == pytest.approx((20, 10))
    (record,) = seat.desk.services.products.list(ANNE, seat.study)
    assert stale_words(record, answered.drawn) == "stale: the network changed since"


def test_a_large_grid_says_why_a_box_is_of_no_use(services: Services) -> None:
    study = services.studies.create(ANNE, "Large", library.load("activsg500"))
    screen = Screen(Seat(Desk(services), ANNE, study))
    shown = screen.ask(keep="box:box", spread=1)
    assert "never happen together" in text(shown.state)
