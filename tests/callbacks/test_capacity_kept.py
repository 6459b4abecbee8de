"""The Capacity page: who may do what, and what is kept."""

import numpy as np
import pytest

from callbacks.capacity_answer import KEEP, Seat
from callbacks.capacity_desk import Desk
from callbacks.capacity_publish import publish, read_upload
from callbacks.services import Services
from components.capacity_products import stale_words
from components.capacity_words import question_of
from engine.capacity.question import CapacityQuestion
from engine.errors import EngineError, FileFormatError, PermissionDeniedError, QuestionError
from engine.network import library
from tests.callbacks.screen import ANNE, BEN, Screen, text, work_off


def reader(seat: Seat) -> Seat:
    token = seat.desk.services.studies.share(ANNE, seat.study)
    seat.desk.services.studies.accept_share(BEN, token)
    return Seat(seat.desk, BEN, seat.study)


def test_a_reader_sees_the_answer_changes_words_and_saves_nothing(seat: Seat) -> None:
    Screen(seat).ask()
    saved = seat.desk.services.studies.question(ANNE, seat.study, "capacity")
    screen = Screen(reader(seat))
    shown = screen.ask(epsilon="0.1")
    assert "Read only" in text(shown.state)
    assert "Publish" not in text(shown.tray)
    assert shown.drawn is not KEEP
    assert seat.desk.services.studies.question(ANNE, seat.study, "capacity") == saved
    with pytest.raises(PermissionDeniedError, match="duplicate it"):
        publish(screen.seat, screen.drawn)
    assert seat.desk.services.products.list(ANNE, seat.study) == []


def test_a_stranger_gets_nothing(seat: Seat) -> None:
    mine = Screen(seat)
    mine.ask()
    stranger = Screen.__new__(Screen)
    stranger.__dict__ |= mine.__dict__ | {"seat": Seat(seat.desk, BEN, seat.study), "drawn": None}
    shown = stranger.ask()
    assert shown.drawn is KEEP
    assert shown.site_rows is KEEP


def test_the_study_opens_again_with_its_question_and_answer(seat: Seat) -> None:
    Screen(seat).ask()
    Screen(seat).ask(epsilon="0.02")
    kept, problems = Desk(seat.desk.services).first(ANNE, seat.study, {})
    assert problems == []
    assert kept is not None
    assert kept.epsilons == (0.02,)
    before = seat.desk.before(ANNE, seat.study)
    assert before is not None
    assert before["content"]["firm_mw"] == pytest.approx(20)


def test_a_question_too_long_for_a_link_is_kept_by_its_digest(services: Services) -> None:
    study = services.studies.create(ANNE, "Large", library.load("activsg500"))
    seat = Seat(Desk(services), ANNE, study)
    ids = seat.network().buses.ids
    question = CapacityQuestion(ids, tuple(1.0 + i / 7 for i in range(len(ids))))
    query = seat.desk.query(ANNE, study, question, owner=True)
    assert query == f"q={question.digest()}"
    found, _ = seat.desk.first(ANNE, study, {"q": question.digest()})
    assert found == question


def test_products_are_published_once_and_go_stale_with_the_question(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    assert publish(seat, screen.drawn).startswith("Published version 1: 4 products, 32.0 MW. Checked apart:")
    # Another process computes the same answer at another time of day.
    elsewhere = Seat(Desk(seat.desk.services), ANNE, seat.study)
    assert publish(elsewhere, screen.drawn).startswith("Nothing changed: version 1")
    (record,) = seat.desk.services.products.list(ANNE, seat.study)
    assert record.witness["rows_checked"] > 0
    assert stale_words(record, screen.drawn) == ""
    screen.ask(epsilon="0.1")
    assert stale_words(record, screen.drawn) == "stale: the question changed since"
    assert publish(seat, screen.drawn).startswith("Published version 2")


def test_nothing_is_published_before_an_answer(seat: Seat) -> None:
    with pytest.raises(QuestionError, match="compute the answer"):
        publish(seat, None)


def test_states_of_ones_own_are_read_kept_and_answered(seat: Seat) -> None:
    rng = np.random.default_rng(5)
    rows = rng.uniform([20, 20, 10, 10], [30, 30, 20, 30], size=(40, 4))
    content = "1,2,3,4\n" + "\n".join(",".join(f"{value:.6f}" for value in row) for row in rows)
    uploaded = read_upload(seat, "states.csv", content.encode())
    assert "40 states read" in uploaded.message
    screen = Screen(seat)
    screen.ask(keep="file:sample", file=uploaded.value)
    work_off(seat, question_of(screen.words, screen.sites, screen.start))
    screen.ask()
    firm = screen.answer().result.firm_mw
    # Closed form on the radial grid: bus 4 by its own limit of 40, both by line 1-2 of 100 (buses 2, 3, 4 behind it).
    assert sum(firm) == pytest.approx(min(100 - rows[:, 1:].sum(axis=1).max(), 200), abs=1e-4)
    assert firm[1] <= 40 - rows[:, 3].max() + 1e-4


def test_what_was_computed_from_a_file_is_shown_only_where_the_file_is(seat: Seat) -> None:
    uploaded = read_upload(seat, "states.csv", b"1,2,3,4\n20,30,20,30\n20,20,10,10\n")
    screen = Screen(seat)
    screen.ask(keep="file:sample", file=uploaded.value)
    work_off(seat, question_of(screen.words, screen.sites, screen.start))
    assert screen.ask().drawn is not KEEP
    other = Screen(Seat(seat.desk, BEN, seat.desk.services.studies.create(BEN, "Same", library.load("fourbus"))))
    shown = other.ask(keep="file:sample", file=uploaded.value)
    assert "not in this study" in text(shown.state)
    assert shown.drawn is KEEP
    with pytest.raises(EngineError, match="not in this study"):
        other.seat.answer(screen.drawn)


def test_a_file_that_cannot_be_read_is_refused_and_not_kept(seat: Seat) -> None:
    with pytest.raises(FileFormatError, match="9"):
        read_upload(seat, "states.csv", b"1,2,9\n1,2,3\n")
    assert seat.desk.services.studies.datasets(ANNE, seat.study) == []
