"""On-site resources and stages of energisation as gate, market and catalogue see them: laws on a small grid."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.siting import jobs
from engine.siting.envelopes import envelope, envelope_from_json, own_envelope
from engine.siting.gate.results import FAILED, PASSED
from engine.siting.gate.screening import screen
from engine.siting.market_run import MarketQuestion, chosen_sites
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, catalogue_of, gate_question
from engine.siting.staging import Stage, StageVerdict, may_draw_from, stage_verdicts
from tests.siting_study import gate_run

DAY = np.arange(1, 25)
HERE = gate_run()


def screened(question: SitingQuestion) -> GateRun:
    """Return the gate of a question on the hours worked out by hand."""
    gate = screen(HERE.prepared.case, HERE.contingencies, gate_question(question, HERE.prepared))
    return GateRun(question, HERE.prepared, HERE.contingencies, gate)


def test_the_net_load_is_the_gross_less_on_site_and_never_below_zero() -> None:
    sun = tuple(float(mw) for mw in np.maximum(0.0, 600.0 * np.sin((DAY - 6) * np.pi / 12)))
    shift = replace(envelope("shift"), onsite_mw=sun)
    gross, net = shift.gross_mw(500.0, DAY), shift.level_mw(500.0, DAY)
    assert net == pytest.approx([max(0.0, mw - given) for mw, given in zip(gross, sun, strict=True)])  # law by hand
    assert net.min() == 0.0  # the midday sun is above 416 MW: nothing is sent to the grid
    assert shift.energy_mwh(500.0) == pytest.approx(net.sum())
    again = envelope_from_json(json.loads(json.dumps(shift.to_json())))
    assert again == shift
    assert "onsite_mw" not in envelope("shift").to_json()  # a question without them keeps its keys
    assert "from on-site resources" in shift.words()


def test_more_on_site_never_lowers_a_pass_rate() -> None:
    # Not a theorem where a load relieves an outage; here every limit is on what flows to B, which a load at B adds to.
    rates = []
    for given in ((), (10.0,), (25.0,), (60.0,), (200.0,)):
        run = screened(replace(HERE.question, onsite_mw=given, buses=("B",)))
        assert run.gate.undecided == 0
        rates.append([run.gate.pass_rate(own.name, mw)[0][0] for own in run.gate.envelopes for mw in (50.0, 100.0)])
    assert (np.diff(np.array(rates), axis=0) >= 0.0).all()
    assert rates[-1] != rates[0]
    # All of 100 MW made on site: what is left is the network as it is.
    assert len(set(rates[-1])) == 1


def test_a_net_load_is_judged_as_a_smaller_firm_load_of_the_same_mw() -> None:
    less = screened(replace(HERE.question, envelopes=(envelope("firm"),), onsite_mw=(40.0,), sizes_mw=(100.0,)))
    same = screened(
        replace(HERE.question, envelopes=(envelope("firm"),), sizes_mw=(50.0,))
    )  # 0.8 x 100 - 40 = 0.8 x 50
    assert less.gate.pass_rate("firm", 100.0)[0] == pytest.approx(same.gate.pass_rate("firm", 50.0)[0])
    free = replace(less, gate=replace(less.gate, threshold=0.0))
    placed, _ = chosen_sites(free, MarketQuestion())  # what goes to the market draws the same net load
    assert {float(one.envelope.level_mw(one.nameplate_mw, DAY).max()) for one in placed} == {40.0}
    (row,) = catalogue_of(less).of("firm", 100.0)[:1]
    assert row.net_mw == pytest.approx(40.0)
    assert "net_mw" in catalogue_of(less).to_csv().splitlines()[0]
    assert "net_mw" not in catalogue_of(same).to_csv().splitlines()[0]


def test_a_stage_is_a_size_and_a_smaller_one_passes_where_a_larger_does() -> None:
    stages = (Stage(date(2027, 1, 1), 20.0), Stage(date(2028, 6, 1), 50.0), Stage(date(2030, 1, 1), 100.0))
    run = screened(replace(HERE.question, sizes_mw=(100.0,), stages=stages, buses=("B",)))
    assert run.gate.sizes_mw == (20.0, 50.0, 100.0)
    for own in run.gate.envelopes:
        found = stage_verdicts(run.gate, 0, own.name, 100.0, stages, threshold=0.9)
        assert [(one.start, one.mw) for one in found] == [(stage.start, stage.cap_mw) for stage in stages]
        assert [one.low for one in found] == sorted((one.low for one in found), reverse=True)
        for small, large in pairwise(found):
            assert large.verdict != PASSED or small.verdict == PASSED
    # A nameplate below a cap is energised whole.
    assert stage_verdicts(run.gate, 0, "firm", 50.0, stages)[-1].mw == 50.0
    rows = catalogue_of(run).of("firm", 100.0)
    assert {row.nameplate_mw for row in catalogue_of(run).entries} == {100.0}
    assert rows[0].stages.startswith("2027-01-01 20 MW")
    assert rows[0].stages.count(";") == 2


def test_a_stage_that_fails_leaves_the_last_that_passed() -> None:
    told = [
        StageVerdict(date(2027, 1, 1), 100.0, 1.0, 1.0, PASSED),
        StageVerdict(date(2028, 1, 1), 300.0, 0.5, 0.5, FAILED),
        StageVerdict(date(2029, 1, 1), 200.0, 0.96, 0.96, PASSED),
    ]
    assert may_draw_from(told) == [(date(2027, 1, 1), 100.0), (date(2029, 1, 1), 200.0)]
    assert may_draw_from(told[1:2]) == []


def test_dates_of_stages_ask_for_no_other_gate_and_the_market_keeps_to_the_sizes() -> None:
    one = replace(HERE.question, stages=(Stage(date(2027, 1, 1), 20.0),))
    other = replace(HERE.question, stages=(Stage(date(2029, 1, 1), 20.0),))
    assert jobs.gate_arguments("n", one) == jobs.gate_arguments("n", other)
    asked = jobs.gate_arguments("n", one)["question"]
    assert asked["sizes_mw"] == [20.0, 50.0, 100.0]
    assert jobs.market_arguments("n", one, MarketQuestion())["sizes_mw"] == [50.0, 100.0]
    assert "sizes_mw" not in jobs.market_arguments("n", HERE.question, MarketQuestion())
    assert jobs.gate_arguments("n", replace(one, onsite_mw=(5.0,))) != jobs.gate_arguments("n", one)


def test_every_problem_of_resources_and_stages_is_told_with_its_limit() -> None:
    bad = replace(
        HERE.question,
        onsite_mw=(-5.0,) * 3,
        stages=(Stage(date(2028, 1, 1), 400.0), Stage(date(2027, 1, 1), 0.0)),
    )
    with pytest.raises(QuestionError) as refused:
        bad.checked(HERE.network)
    for words in (
        "on-site resources have 3 values: 1, or 24", "give -5 MW in hour 1: 0 to 20,000",
        "stage 1 has a cap of 400 MW: above 0, to the nameplate of 100", "stage 2 starts on 2027-01-01, not after",
    ):  # fmt: skip
        assert words in str(refused.value)
    noon = tuple(50.0 if hour == 12 else 0.0 for hour in range(1, 25))
    flat = replace(HERE.question, envelopes=(own_envelope("flat", [0.8] * 24),), onsite_mw=noon, sizes_mw=(100.0,))
    with pytest.raises(
        QuestionError, match=r"'flat' at 100 MW changes by 50.0 MW into hour 12, more than its ramp bound of 20 MW"
    ):
        flat.checked(HERE.network)


def test_old_questions_still_load_and_new_ones_survive_their_json() -> None:
    old = HERE.question.to_json()
    assert not {"onsite_mw", "stages", "criteria", "criteria_file", "group_weights"} & set(old)
    new = replace(HERE.question, onsite_mw=(5.0,), stages=(Stage(date(2027, 1, 1), 20.0),))
    assert SitingQuestion.from_json(json.loads(json.dumps(new.to_json()))) == new
    with pytest.raises(QuestionError, match="a stage needs a date"):
        SitingQuestion.from_json({"stages": [{"start": "soon", "cap_mw": 5}]})
