"""Shocks of the reader's own on the Resilience page: shown, refused, made fewer, taken into a study."""

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from callbacks import resilience_upload
from callbacks.day_desk import Seat
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from components import resilience_asked
from components.resilience_asked import (
    edits_between,
    held_edits,
)
from components.resilience_view import read_question
from engine.errors import EngineError, QuestionError
from engine.resilience.case import PlacementCase
from engine.resilience.question import ResilienceQuestion
from engine.resilience.reduction import distances
from engine.resilience.shock_files import from_csv, to_csv
from tests.callbacks.resilience_seats import (
    SMALL,
    anne_fixture,
    case_fixture,
    services_fixture,
)
from tests.callbacks.screen import ANNE, BEN, text

FIXTURES = (anne_fixture, case_fixture, services_fixture)  # found by their names here


def held_words(question: ResilienceQuestion = SMALL) -> dict[str, Any]:
    """Return what the controls hold when a file comes."""
    return resilience_asked.words_of(question) | {"edits": held_edits(edits_between(question.types))}


def sent(content: bytes) -> str:
    return f"data:text/csv;base64,{base64.b64encode(content).decode()}"


def test_shocks_of_one_s_own_are_shown_taken_and_asked_about(anne: Seat[Desk], case: PlacementCase) -> None:
    content = to_csv(case.scenarios.taken(np.array([1, 4])), case.campuses, case.links)
    seat = anne
    panel, offered = resilience_upload.offer(seat, sent(content), "ours.csv", held_words())
    assert "equal, 50.00" in text(panel)
    assert f"{float((case.scenarios.draw_mw[[1, 4]] - case.schedule_mw).max()):.3f} MW" in text(panel)
    address = resilience_upload.take(seat, offered, SMALL)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    assert asked == replace(SMALL, shocks_file=asked.shocks_file, scenarios=2)  # what the sentence says
    mine = Seat(seat.desk, ANNE, query["study"])
    made = mine.desk.case(ANNE, mine.study, asked)
    assert np.array_equal(made.scenarios.draw_mw, case.scenarios.draw_mw[[1, 4]])
    assert mine.desk.choices(ANNE, mine.study, SHOCKS_KIND) == [(asked.shocks_file, "ours.csv")]
    with pytest.raises(EngineError):
        mine.desk.look(BEN, mine.study, asked)  # another reader's study


def test_a_file_that_holds_no_shocks_is_refused_naming_what_it_lacks(anne: Seat[Desk]) -> None:
    panel, offered = resilience_upload.offer(anne, sent(b"scenario,step\n1,1\n"), "bad.csv", held_words())
    assert offered is None
    assert "no column campus" in text(panel)
    assert "no column draw_mw" in text(panel)


def test_shocks_that_do_not_fit_the_question_are_refused_with_their_line(anne: Seat[Desk]) -> None:
    content = b"scenario,step,campus,draw_mw\n1,99,14,0.1\n1,1,nowhere,0.1\n2,2,14,-3\n"
    panel, offered = resilience_upload.offer(anne, sent(content), "bad.csv", held_words())
    assert offered is None
    for part in ("3 problems", "row 2: step is 99", "'nowhere'", "row 4: draw_mw is -3"):
        assert part in text(panel), part
    unlikely = b"scenario,step,campus,draw_mw,probability\n1,1,14,0.1,0.7\n2,1,14,0.2,0.7\n"
    panel, offered = resilience_upload.offer(anne, sent(unlikely), "bad.csv", held_words())
    assert offered is None
    assert "probabilities sum to 1.4" in text(panel)
    panel, offered = resilience_upload.offer(anne, sent(unlikely), "bad.csv", held_words() | {"weight": "much"})
    assert offered is None
    assert "weight of the tail is a number" in text(panel)
    late = b"scenario,step,campus,draw_mw\n1,8,14,0.1\n"
    _, offered = resilience_upload.offer(anne, sent(late), "late.csv", held_words())
    with pytest.raises(EngineError, match="step is 8"):  # the question has changed since
        resilience_upload.take(anne, offered, replace(SMALL, steps=6))
    with pytest.raises(QuestionError, match="not kept any more"):
        resilience_upload.take(Seat(anne.desk, BEN, ""), offered, SMALL)
    with pytest.raises(QuestionError, match="choose a file"):
        resilience_upload.take(anne, None, SMALL)


@pytest.mark.parametrize("method", ["forward", "medoids"])
def test_fewer_shocks_stand_for_all_and_their_distance_is_told(
    anne: Seat[Desk], case: PlacementCase, method: str
) -> None:
    """Brute force: what is told is the sum of each shock's distance to the nearest that is kept; no pair is nearer
    than what exchanges end with.
    """
    seat = anne
    panel, offered = resilience_upload.fewer(seat, 2, method, held_words())
    address = resilience_upload.take(seat, offered, SMALL)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    assert asked.scenarios == 2
    _, content = seat.desk.file(ANNE, query["study"], asked.shocks_file)
    some = from_csv(content, case.campuses, case.steps, case.links)
    kept = [
        next(at for at in range(6) if np.array_equal(case.scenarios.draw_mw[at], draw)) for draw in some.draw_mw
    ]  # fmt: skip
    apart = distances(case.scenarios, case.step_h)

    def distance(of: list[int]) -> float:
        return float(sum(min(apart[at, other] for other in of) / 6.0 for at in range(6)))

    assert f"{distance(kept):.4f}" in text(panel)
    nearest = [min(kept, key=lambda other, at=at: apart[at, other]) for at in range(6)]  # type: ignore[misc]
    assert some.probability == pytest.approx([nearest.count(at) / 6.0 for at in kept])
    if method == "medoids":
        others = [[*(each for each in kept if each != out), new] for out in kept for new in range(6) if new not in kept]
        assert distance(kept) <= min(distance(each) for each in others) * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("count", "method", "words"),
    [(0, "forward", "0: 1 to 6"), (7, "forward", "7: 1 to 6"), ("x", "medoids", "is a number"),
     (2.5, "forward", "is whole"), (2, "luck", "forward selection or k-medoids")],
)  # fmt: skip
def test_shocks_that_cannot_be_made_fewer_are_refused(anne: Seat[Desk], count: Any, method: str, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        resilience_upload.fewer(anne, count, method, held_words())


def test_more_shocks_than_can_be_compared_at_once_are_refused_with_what_can(anne: Seat[Desk]) -> None:
    many = replace(SMALL, scenarios=1_000, steps=4)
    with pytest.raises(QuestionError, match="at most 50 of 1,000"):
        resilience_upload.fewer(anne, 300, "medoids", held_words(many))
