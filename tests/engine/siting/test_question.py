"""The question of a siting study: what it refuses, and that it survives its JSON."""

import json
from dataclasses import replace

import pytest

from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.siting import jobs
from engine.siting.envelopes import envelope, own_envelope
from engine.siting.market_run import MarketQuestion
from engine.siting.question import Committed, SitingQuestion, candidates_of

TEXAS = Network.from_tables(load("texas-2020"))
BUS = TEXAS.buses.ids[5]


def test_the_published_pipeline_has_1431_candidates() -> None:
    assert len(candidates_of(TEXAS, "paper")) == 1431  # buses at 115, 161 and 230 kV
    assert len(candidates_of(TEXAS, "source")) > 1431
    assert candidates_of(TEXAS, "listed", [BUS]).tolist() == [5]
    with pytest.raises(QuestionError, match="no candidate bus: the buses listed"):
        candidates_of(TEXAS, "listed", ["nowhere"])


def test_a_question_survives_its_json_and_its_digest_depends_on_all_of_it() -> None:
    asked = SitingQuestion(
        choice="list",
        hours=(3, 16),
        sizes_mw=(1000.0, 2000.0),
        envelopes=(envelope("firm"), own_envelope("ours", [0.5] * 24)),
        committed=(Committed(BUS, envelope("shift"), 500.0, "first"),),
    ).checked(TEXAS)
    again = SitingQuestion.from_json(json.loads(json.dumps(asked.to_json())))
    assert again == asked
    assert again.digest("a") == asked.digest("a")
    assert asked.with_committed(asked.committed[0]).digest("a") != asked.digest("a") != asked.digest("b")


def test_every_problem_is_told_at_once() -> None:
    bad = SitingQuestion(
        source="file",
        choice="one",
        sizes_mw=(0.0, 0.0),
        threshold=0.2,
        candidates="listed",
        envelopes=(envelope("shift", depth=0.4), envelope("shift", depth=0.4)),
        committed=(Committed("nowhere", envelope("firm"), -1.0),),
    )
    with pytest.raises(QuestionError) as refused:
        bad.checked(TEXAS)
    for words in (
        "1 to 40 sizes", "a size of 0 MW", "threshold is 0.2", "list the candidate buses", "two envelopes are named",
        "ramp bound", "no bus 'nowhere'", "-1 MW", "need the file", "choose the hours",
    ):  # fmt: skip
        assert words in str(refused.value)


def test_what_is_no_question_is_refused() -> None:
    for wrong in ({"colour": 1}, {"source": "moon"}, {"envelopes": [{}]}, {"sizes_mw": 3}, {"committed": [1]}):
        with pytest.raises(QuestionError):
            SitingQuestion.from_json(wrong)
    with pytest.raises(QuestionError, match="as filed is one hour"):
        SitingQuestion(source="filed", choice="year").checked(TEXAS)


def test_a_market_solves_again_for_the_shortlist_that_is_asked() -> None:
    market, question = MarketQuestion(), SitingQuestion()
    usual = jobs.market_arguments("n", question, market)
    short = jobs.market_arguments("n", replace(question, shortlist=7), market)
    assert jobs.question_of(json.loads(json.dumps(short))).shortlist == 7
    assert jobs.question_of(usual).shortlist == question.shortlist
    assert jobs.market_key(short) != jobs.market_key(usual)
    assert jobs.gate_arguments("n", replace(question, shortlist=7)) == jobs.gate_arguments("n", question)
