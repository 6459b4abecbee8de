"""A feeder study's question: every problem at once, edits by row, and JSON that comes back as it went."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.case import FeederCase
from engine.distribution.cases import furnished
from engine.distribution.dso import dispatch
from engine.distribution.feeder import Battery, DataCentre
from engine.distribution.files import to_json
from engine.distribution.frames import Matrix
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.methods import given_kw
from engine.distribution.prepare import of_hours, prepare
from engine.distribution.question import Edit, FeederQuestion, Method
from engine.distribution.run import run_feeder
from engine.distribution.tightening import tightened
from engine.distribution.workload import Workload, seeded
from engine.errors import QuestionError

FULL = FeederQuestion(
    feeder="ieee37", hours=(17, 18), price_per_mwh=(70.0, 80.0), load_share=(1.0, 0.9), sun_share=(0.1, 0.0),
    edits=(Edit("move centre", "centre 740", "735"), Edit("scale load", value=0.5)), method="given",
    draw_kw=((100.0, 200.0, 300.0), (0.0, 50.0, 1.0)), scenarios=3,
)  # fmt: skip


def test_json_comes_back_as_it_went() -> None:
    again = FeederQuestion.from_json(json.loads(json.dumps(FULL.to_json())))
    assert again == FULL.checked()
    assert again.digest == FULL.digest
    assert replace(FULL, scenarios=4).digest != FULL.digest


def test_a_browsers_whole_numbers_are_the_same_question() -> None:
    plain = json.loads(json.dumps(FULL.to_json()).replace("10000.0", "10000").replace("70.0", "70"))
    assert FeederQuestion.from_json(plain).digest == FULL.digest


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"colour": "red"}, "colour"),
        ({"edits": [{"kind": "scale load", "factor": 2}]}, "factor"),
        ({"corrections": "many"}, "corrections"),
        ({"limit_price_per_mwh": None}, "limit_price_per_mwh"),
        ({"hours": 5}, "as it gave them"),
    ],
)
def test_what_a_question_does_not_have_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(QuestionError, match=word):
        FeederQuestion.from_json({**FULL.to_json(), **change})


def test_all_problems_are_told_at_once() -> None:
    wrong = FeederQuestion.from_json(
        FULL.to_json()
        | {"feeder": "ieee8500", "method": "guess", "corrections": 13, "ac_rounds": 4, "price_per_mwh": [1.0]}
        | {"hours": [18, 30]}
    )
    with pytest.raises(QuestionError) as caught:
        wrong.checked()
    for part in ("ieee8500", "guess", "corrections is 13", "AC rounds is 4", "1 prices", "hour 30"):
        assert part in str(caught.value)


def test_edits_change_the_rows_they_name_and_nothing_else() -> None:
    feeder = furnished("ieee37")
    question = FeederQuestion(
        loads="own",
        edits=(
            Edit("move centre", "centre 740", "735"), Edit("power factor", "centre 724", value=1.0),
            Edit("remove compensator", "SVG 741"), Edit("add compensator", "mine", "735", 70.0),
            Edit("scale load", value=2.0),
        ),
    )  # fmt: skip
    found = question.edited(feeder)
    assert [row.bus for row in found.centres] == ["735", "724", "732"]
    assert [row.kvar_per_kw == 0.0 for row in found.centres] == [False, True, False]
    assert [row.name for row in found.compensators] == ["SVG 724", "SVG 732", "mine"]
    assert sum(row.kw for row in found.loads) == pytest.approx(2.0 * sum(row.kw for row in feeder.loads))
    assert found.lines == feeder.lines


def test_a_data_centre_is_added_to_a_feeder_that_has_none() -> None:
    """At full work it draws what was asked for: PUE (idle + work), to a tenth of a kW of each."""
    feeder = replace(library.load("two-bus"), centres=())
    edit = Edit("add centre", "mine", "load", 240.0, "a")
    (added,) = edit.apply(feeder).centres
    assert (added.name, added.bus, added.phases) == ("mine", "load", "a")
    assert added.most_kw == pytest.approx(240.0, abs=0.15)
    with pytest.raises(QuestionError, match="there is a data centre 'mine' already"):
        edit.apply(edit.apply(feeder))
    with pytest.raises(QuestionError, match="no bus 'nowhere'"):
        replace(edit, bus="nowhere").apply(feeder)
    with pytest.raises(QuestionError, match="draws at full work, kW, is 0"):
        replace(edit, value=0.0).apply(feeder)
    content = to_json(feeder)
    question = FeederQuestion(dataset="d" * 64, hours=(9, 19), svg="off", edits=(edit,), corrections=2)
    run = run_feeder(question, lambda _: ("mine.json", content))
    case = run.cases[0]
    assert (case.bill_active > 0.0).all()
    assert case.draw_kw.max() <= added.most_kw
    assert any("mine is like the data centres" in told for told in run.provenance["assumptions"])


def test_edits_that_cannot_be_made_are_all_named() -> None:
    question = FeederQuestion(
        edits=(
            Edit("move centre", "nobody", "735"), Edit("power factor", "centre 724", value=0.2),
            Edit("add compensator", "mine", "nowhere", 70.0), Edit("scale load", value=-1.0),
        )
    )  # fmt: skip
    with pytest.raises(QuestionError) as caught:
        question.edited(furnished("ieee37"))
    for part in ("nobody", "0.2", "nowhere", "-1"):
        assert part in str(caught.value)


def test_loads_of_constant_power_unless_the_feeders_own_are_asked_for() -> None:
    feeder = furnished("ieee37")
    assert {row.model for row in FeederQuestion().edited(feeder).loads} == {"power"}
    assert {row.model for row in FeederQuestion(loads="own").edited(feeder).loads} == {"power", "current", "impedance"}


def test_part_of_a_day_has_its_part_of_the_work() -> None:
    whole = seeded(1000.0, seed=2)
    assert of_hours(whole, tuple(range(24))).jobs == whole.jobs
    halves = [of_hours(whole, tuple(range(12))), of_hours(whole, tuple(range(12, 24)))]
    assert sum(job.work for half in halves for job in half.jobs) == pytest.approx(sum(job.work for job in whole.jobs))
    assert sum(half.interactive.sum() for half in halves) == pytest.approx(whole.interactive.sum())


def test_files_are_asked_for_by_their_digest() -> None:
    seen = []

    def load(digest: str) -> tuple[str, bytes]:
        seen.append(digest)
        return "work.csv", b"kind,name,first_hour,last_hour,work\ninteractive,,1,1,50\n"

    found = prepare(FeederQuestion(feeder="two-bus", hours=(3, 4), workload="d" * 64), load)
    assert seen == ["d" * 64]
    assert isinstance(found.workload, Workload)
    assert found.workload.interactive.tolist() == [50.0, 0.0]
    with pytest.raises(QuestionError, match="not at hand"):
        prepare(FeederQuestion(feeder="two-bus", workload="d" * 64))


def test_who_runs_a_battery_is_told() -> None:
    feeder = library.load("two-bus")
    centre = DataCentre("centre", "load", 10.0, 1.0, 100.0, phases="a", battery=Battery(50.0, 100.0))
    content = to_json(replace(feeder, centres=(centre,)))
    asked = FeederQuestion(dataset="0" * 64, hours=(3,), method="price taker")
    told = prepare(asked, lambda _: ("own.json", content)).assumptions
    assert any(text.startswith("The aggregator runs the batteries of centre with its work") for text in told)
    assert any(each.startswith("Draws are decided on the linear flow") for each in told)


@pytest.mark.parametrize("method", ["given", "regions"])
def test_without_corrections_the_flow_is_the_linear_one_without_losses(method: Method) -> None:
    """Law: what is bought and generated is what loads and centres draw; voltages are those of one plain dispatch."""
    question = FeederQuestion(
        feeder="two-bus", hours=(4, 19), svg="off", method=method, corrections=0, ac_rounds=0
    ).checked()
    case, problem = run_feeder(question).cases[0], prepare(question).case
    plain = dispatch(problem, case.draw_kw, question.options(compensators=False))
    assert case.voltage_pu == pytest.approx(plain.voltage_pu, abs=1e-9)
    assert np.abs(plain.loss_mva).max() < 1e-12
    assert case.facts["correction_kept"] == 0
    assert all(len(each["error_pu"]) == 1 for each in case.facts["rounds"])
    once = run_feeder(replace(question, corrections=1)).cases[0]
    assert np.abs(once.error_pu).max() < np.abs(case.error_pu).max() / 2.0


def test_tightened_limits_leave_a_flow_without_corrections_as_it_is() -> None:
    """Draws that AC flags at 1.4 times the even work are decided again on the same linear flow, without losses."""
    question = FeederQuestion(hours=(19,), svg="off", corrections=0)
    prepared, seen = prepare(question), []
    draws = 1.4 * given_kw(question, prepared.case, prepared.workload)

    def decide(_case: FeederCase, _options: DsoOptions, points: tuple[Point, ...] | None) -> Matrix:
        seen.append(points)
        return draws

    options = question.options(compensators=False)
    found = tightened(prepared.case, decide, options=options, corrections=0, rounds=1)
    assert seen == [None, None]
    assert np.abs(found.result.loss_mva).max() < 1e-12
    assert found.rounds[0].flags > 0
