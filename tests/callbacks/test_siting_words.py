"""The words of the Siting page: the question that they make, links, and the time to power of the source."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import unquote

import pytest

from callbacks.siting_desk import question_of
from components import (
    siting_market,
    siting_pathways,
    siting_words,
)
from components import siting_view as view
from components.siting_typed import amount
from engine.errors import QuestionError
from engine.siting.defaults import sizes_for, starting_question
from engine.siting.envelopes import envelope, own_envelope, standard
from engine.siting.market_run import MarketQuestion
from engine.siting.question import Committed, SitingQuestion
from engine.siting.staging import Stage
from engine.siting.timeline import CONVENTIONAL, PLANNER
from tests.callbacks.screen import text
from tests.siting_study import priced

QUESTION = SitingQuestion(
    choice="list", hours=(15, 3), candidates="listed", buses=("A", "B"), sizes_mw=(50.0, 100.0), shortlist=1,
)  # fmt: skip
MARKET = MarketQuestion(days="peak", most_sites=2, samples=0, base_time_s=20.0, site_time_s=10.0)


def test_words_make_the_question_they_were_made_of() -> None:
    own = own_envelope("night", [1.0] * 8 + [0.8] * 16)
    asked = (
        QUESTION,
        SitingQuestion(source="filed", choice="one"),
        SitingQuestion(source="file", dataset="f" * 64, choice="one", hours=(7,)),
        replace(QUESTION, envelopes=(envelope("firm", utilisation=0.7), own), branches="none", threshold=0.9),
        replace(QUESTION, envelopes=(envelope("shift", depth=0.1, make_up=0.01),), load_scale=0.5, seed=3, count=12),
        replace(QUESTION, committed=(Committed("A", standard()[1], 20.0),), thermal="filed"),
        replace(QUESTION, onsite_mw=(5.0,), outage_rating="b"),
        replace(QUESTION, onsite_mw=tuple(float(hour) for hour in range(24))),
        replace(QUESTION, stages=(Stage(date(2027, 6, 1), 20.0), Stage(date(2029, 1, 1), 100.0))),
    )
    for question in asked:
        made = siting_words.question_of(
            siting_words.words_of(question), replace(QUESTION, shortlist=question.shortlist)
        )
        assert json.loads(json.dumps(made.to_json())) == json.loads(json.dumps(question.to_json()))


def test_hours_are_dates_days_or_rows() -> None:
    # 1 March 2016 is day 61 of a leap year; hours of a day count from 1.
    words = siting_words.words_of(QUESTION) | {"choice": "list"}
    for typed in ("2016-03-01 16", "61/16", "2016-03-01/16", str(60 * 24 + 16)):
        assert siting_words.question_of(words | {"hours": typed}, QUESTION).hours == (60 * 24 + 15,)
    for typed in ("2016-02-30 1", "2015-03-01 1", "61/25", "noon", "0"):
        with pytest.raises(QuestionError):
            siting_words.question_of(words | {"hours": typed}, QUESTION)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"sizes": "50, many"}, "many"),
        ({"sizes": "-5"}, "-5"),
        ({"threshold": 20}, "50 to 100"),
        ({"kinds": []}, "choose an envelope"),
        ({"peak": "16-30"}, "16-30"),
        ({"own": "night 1 2 3"}, "a colon"),
        ({"own": "night: 1, 2, 3"}, "24 are needed"),
        ({"shift": 40}, "ramp bound"),
        ({"committed": "A much firm"}, "line 1"),
        ({"committed": "A 5 lazy"}, "lazy"),
        ({"source": "tomorrow"}, "hours are of"),
    ],
)
def test_a_word_that_cannot_be_used_is_named(words: dict[str, Any], said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        siting_words.question_of(siting_words.words_of(QUESTION) | words, QUESTION)


def test_a_profile_that_breaks_its_ramp_is_mended_on_request() -> None:
    words = siting_words.words_of(QUESTION) | {"kinds": ["shift"], "shift": 40, "repair": ["repair"]}
    (mended,) = siting_words.question_of(words, QUESTION).envelopes
    assert not mended.problems()
    assert sum(mended.share) == pytest.approx(24 * 0.8)  # a shift keeps its energy


def test_the_pathways_are_the_arithmetic_of_the_source() -> None:
    # Equations (39) to (42) with the source's years: 3.5, 3.5 to 4.0, 5.25, 3.5 to 7.0.
    said = text(siting_pathways.told(CONVENTIONAL, PLANNER))
    for words in ("3.5 years", "3.5–4 years", "5.25 years", "3.5–7 years"):
        assert words in said
    for boxes, words in (
        ((8, 5, 1, 1.5), "conventional pathway takes 8 to 5 years: the least comes first"),
        ((5, 8, 1, 31), "planner-initiated pathway takes 1 to 31 years"),
        ((5, 8, 1, None), "planner-initiated pathway needs two numbers of years, each from 0 to 30"),
    ):
        with pytest.raises(QuestionError, match=words):
            siting_pathways.told(*siting_pathways.read(boxes))


def test_a_box_that_sends_nothing_is_told_its_bounds() -> None:
    """A browser sends nothing for a number outside the bounds of its box: 101 % came as none."""
    for nothing in (None, ""):
        with pytest.raises(QuestionError, match="the threshold in per cent is a number from 50 to 100"):
            amount(nothing, "threshold in per cent", 50, 100)


def test_a_link_restores_question_and_view() -> None:
    start = starting_question(priced())
    asked = replace(start, sizes_mw=(30.0,), threshold=0.9)
    query = dict(part.split("=", 1) for part in view.question_query(asked, start).split("&"))
    assert view.read_question({name: unquote(value) for name, value in query.items()}, start) == asked
    assert view.question_query(start, start) == ""
    seen = view.read_view({"env": "shift", "mw": "30", "k": "7", "w": "1,2,0", "scale": "own", "tab": "zones"})
    assert (seen.envelope, seen.size_mw, seen.top, seen.weights, seen.pooled, seen.tab) == (
        "shift", 30.0, 7, (1.0, 2.0, 0.0), False, "zones",
    )  # fmt: skip
    assert view.read_view({"mw": "x", "k": "0", "w": "0,0,0", "tab": "nowhere", "layer": "no"}) == view.View()
    for bad in ("{", "[1]", '{"no_such": 1}'):
        with pytest.raises(QuestionError):
            view.read_question({"ask": bad}, start)
    market = siting_market.read("listed~2016-08-12, 2016-01-01~3~0.1~5", MARKET)
    assert (market.days, market.dates, market.most_sites) == ("listed", ("2016-08-12", "2016-01-01"), 3)
    market = siting_market.read("year~~0~0.1~5~500, 1000~n-1~none", MARKET)
    assert (market.days, market.sizes_mw, market.security, market.reserve) == ("year", (500.0, 1000.0), "n-1", "none")
    assert siting_market.read("nonsense", MARKET) == MARKET


def test_what_is_drawn_is_read_with_care() -> None:
    assert question_of(None) is None
    assert question_of({"question": 3}) is None
    with pytest.raises(QuestionError):
        question_of({"question": {"nothing": 1}})


def test_sizes_suit_the_load() -> None:
    # 200 MW of load: 5, 10, 15 and 20 % of it, as round numbers.
    assert sizes_for(priced()) == (10.0, 20.0, 30.0, 40.0)
