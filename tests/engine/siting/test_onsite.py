"""On-site resources of every single hour, from a column of a file of hours: what gate, market and catalogue see."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.errors import FileFormatError, QuestionError
from engine.siting import prepare
from engine.siting.case import SitingCase
from engine.siting.clearing import Placed
from engine.siting.envelopes import envelope, own_envelope
from engine.siting.gate.between import Between
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.hourly_file import HourlyFile
from engine.siting.joint_gate import CaseGate
from engine.siting.market import Placement
from engine.siting.market_run import MarketQuestion, MarketRun, run_market
from engine.siting.question import Committed, SitingQuestion
from engine.siting.run import GateRun, catalogue_of, gate_question, run_gate
from tests.siting_study import gate_run, network, priced

HERE = gate_run()
FIRM = envelope("firm", ramp_share=1.0)
DAY = np.arange(24)
SUN = np.round(np.maximum(0.0, 60.0 * np.sin((DAY - 6) * np.pi / 12)), 3)  # MW, no two hours of the morning alike
MARKET = MarketQuestion(days="listed", dates=("2024-07-01",), samples=0)


def content(onsite: np.ndarray | None = None) -> bytes:
    """Return a file of one day: 200 MW at bus B, and what on-site resources give."""
    head = "hour,bus B" + ("" if onsite is None else ",onsite_mw")
    rows = [f"2024-07-01 {hour:02d}:00,200" + ("" if onsite is None else f",{onsite[hour]:g}") for hour in DAY]
    return "\n".join([head, *rows]).encode()


def asked(**more: object) -> SitingQuestion:
    given: dict[str, object] = {
        "source": "file", "dataset": "d", "choice": "list", "hours": (3, 9, 12, 16), "candidates": "listed",
        "buses": ("B",), "envelopes": (FIRM,), "sizes_mw": (100.0,), "threshold": 0.5,
    }  # fmt: skip
    return SitingQuestion(**(given | more))  # type: ignore[arg-type]


def gate_of(question: SitingQuestion, onsite: np.ndarray | None) -> GateRun:
    return run_gate(question, priced(), lambda _: ("own.csv", content(onsite)))


def screened(onsite: np.ndarray | None, question: SitingQuestion = HERE.question) -> GateResult:
    """Return the gate of the two hours worked out by hand, with a series of on-site resources."""
    case = replace(HERE.prepared.case, onsite_mw=onsite)
    return screen(case, HERE.contingencies, gate_question(question, HERE.prepared))


def test_the_net_load_of_an_hour_is_the_share_of_the_nameplate_less_the_series_of_that_very_hour() -> None:
    run = gate_of(asked(), SUN)
    served = [max(0.0, 0.8 * 100.0 - SUN[hour]) for hour in (3, 9, 12, 16)]  # the definition, by hand
    assert run.gate.level_mw(run.gate.envelopes[0], 100.0) == pytest.approx(served)
    assert [run.gate.load_mw(hour, 0) for hour in range(4)] == pytest.approx(served)
    assert len({round(mw, 6) for mw in served}) == 4  # each hour has a load of its own
    both = gate_of(asked(onsite_mw=(7.5,)), SUN)  # MW of every hour count beside the series
    assert both.gate.level_mw(both.gate.envelopes[0], 100.0) == pytest.approx([max(0.0, mw - 7.5) for mw in served])
    assert any("less what the file's column onsite_mw says" in line for line in run.prepared.case.notices)


def test_a_series_that_is_alike_in_every_hour_is_the_mw_of_the_question() -> None:
    for mw in (10.0, 40.0):
        series = screened(np.full(2, mw))
        number = screened(None, replace(HERE.question, onsite_mw=(mw,)))
        for own in series.envelopes:
            for size in series.sizes_mw:
                assert series.pass_rate(own.name, size)[0] == pytest.approx(number.pass_rate(own.name, size)[0])
                assert series.broken(own.name, size).tolist() == number.broken(own.name, size).tolist()


def test_more_on_site_breaks_no_more_of_what_holds_without_the_load() -> None:
    """The loads that a dispatch serves after an outage are an interval: where it holds 0, less load never leaves it.

    Pass rates may fall with less load, where loads relieve an outage that fails without them; these may not.
    """
    rng = np.random.default_rng(5)
    series = [*np.cumsum(rng.uniform(0.0, 15.0, (6, 2)), axis=0), np.full(2, 100.0)]
    found = [screened(None), *(screened(own) for own in series)]
    counts = [[own.broken(each.name, mw).tolist() for each in own.envelopes for mw in own.sizes_mw] for own in found]
    for less, more in pairwise(np.array(counts)):
        assert (more <= less).all()
    assert np.array(counts[0]).sum() > np.array(counts[-1]).sum() == 0  # the last series makes all of 100 MW


def test_the_market_sees_each_hours_own_net_load() -> None:
    """A profile written out hour by hour and a flat one less the series are one load: the same day costs the same."""
    net = own_envelope("net", ((80.0 - SUN) / 100.0).tolist(), ramp_share=1.0)
    costs = []
    for question, onsite in ((asked(), SUN), (asked(envelopes=(net,)), None), (asked(), None)):
        run = gate_of(question, onsite)
        placed = [Placement(1, run.gate.envelopes[0], 100.0)]
        found = run_market(run, MARKET, lambda _, own=onsite: ("own.csv", content(own)), placements=placed)
        assert MarketRun.load(found.save()).sites[0].placement == placed[0]
        costs.append(found.sites[0].days[0].cost)
    assert costs[0] == pytest.approx(costs[1], rel=1e-9)
    assert costs[0] < costs[2] - 1.0  # without on-site resources the day costs more: the sun is used


def test_a_series_is_in_the_hash_and_none_leaves_it_as_it_was() -> None:
    case = HERE.prepared.case
    assert replace(case, onsite_mw=None).digest == case.digest
    one, other = (replace(case, onsite_mw=np.array([5.0, mw])).digest for mw in (6.0, 7.0))
    assert len({case.digest, one, other}) == 3
    assert case.with_load(0, np.zeros(2)).onsite_mw is None
    kept = replace(case, onsite_mw=np.array([5.0, 6.0]))
    assert kept.at(np.array([1])).onsite_mw.tolist() == [6.0]
    assert kept.with_load(0, np.zeros(2)).onsite_mw.tolist() == [5.0, 6.0]
    with pytest.raises(QuestionError, match="onsite_mw has shape"):
        replace(case, onsite_mw=np.ones(3))
    with pytest.raises(QuestionError, match="on-site resources give -1 MW in 2020-08-13"):
        replace(case, onsite_mw=np.array([1.0, -1.0]))


def test_verdicts_keep_their_series_and_prove_the_loads_between() -> None:
    found = screened(np.array([30.0, 5.0]))
    again = GateResult.load(found.save())
    assert again.onsite_mw.tolist() == [30.0, 5.0]
    for size in HERE.question.sizes_mw:
        assert again.pass_rate("firm", size)[0].tolist() == found.pass_rate("firm", size)[0].tolist()
        assert Between.of(again).pass_rate("firm", size)[0] == pytest.approx(found.pass_rate("firm", size)[0])
    assert GateResult.load(screened(None).save()).onsite_mw is None


def test_several_loads_are_tried_with_their_net_loads() -> None:
    onsite = np.array([30.0, 5.0])
    case = replace(HERE.prepared.case, onsite_mw=onsite)
    gate = CaseGate(case, HERE.contingencies, np.full(2, 0.5), 0.5)
    alone = screened(onsite)
    for bus in (0, 1):
        verdict = gate.check([Placed(bus, HERE.question.envelopes[0], 100.0)])
        assert verdict.pass_rate == pytest.approx(alone.pass_rate("firm", 100.0)[0][bus])
        assert gate.served_mw(Placed(bus, FIRM, 100.0), 1) == pytest.approx(75.0)  # 80 - 5


def test_the_manifest_and_the_catalogue_tell_the_series() -> None:
    run = gate_of(asked(), SUN)
    found = catalogue_of(run)
    assert [hour["onsite_mw"] for hour in found.manifest["hours"]] == pytest.approx(SUN[[3, 9, 12, 16]].tolist())
    (row,) = found.of("firm", 100.0)
    assert row.net_mw == pytest.approx(80.0)  # at 3 o'clock in the morning nothing is made on site
    without = catalogue_of(gate_of(asked(), None))
    assert not any("onsite_mw" in hour for hour in without.manifest["hours"])
    assert without.of("firm", 100.0)[0].net_mw is None


def test_a_load_placed_by_a_refresh_draws_its_net_load_and_others_keep_theirs() -> None:
    case = replace(HERE.prepared.case, onsite_mw=np.array([30.0, 5.0]))
    loads = [Committed("B", FIRM, 100.0, onsite=onsite) for onsite in (True, False)]
    for load, drawn in zip(loads, ([50.0, 75.0], [80.0, 80.0]), strict=True):  # 0.8 x 100 less 30 and 5, or not
        found = prepare.with_committed(case, replace(HERE.question, committed=(load,)))
        assert (found.demand_mw - case.demand_mw)[:, 1] == pytest.approx(drawn)
    question = HERE.question.with_committed(loads[0])
    assert SitingQuestion.from_json(question.to_json()) == question
    assert "onsite" not in HERE.question.with_committed(loads[1]).to_json()["committed"][0]  # older keys stay


def test_a_net_load_that_changes_faster_than_its_ramp_is_refused_by_its_first_hour() -> None:
    steep = np.where(DAY == 12, 50.0, 0.0)
    with pytest.raises(QuestionError) as refused:
        gate_of(asked(envelopes=(envelope("firm"), replace(FIRM, name="quick")), sizes_mw=(50.0, 100.0)), steep)
    # At 50 MW 40 are drawn, all of which go at noon; the bound is 20 % of the nameplate, that of quick all of it.
    assert str(refused.value).split("; ") == [
        "less its on-site resources, 'firm' at 50 MW changes by 40.0 MW into 2024-07-01 hour 13, more than its ramp "
        "bound of 10 MW an hour, as in 2 of 24 hours",
        "less its on-site resources, 'firm' at 100 MW changes by 50.0 MW into 2024-07-01 hour 13, more than its ramp "
        "bound of 20 MW an hour, as in 2 of 24 hours",
    ]


def test_every_problem_of_the_column_is_told_at_once() -> None:
    rows = "2024-07-01 00:00,200,-5\n2024-07-01 01:00,200,\n2024-07-01 01:00,200,30000\n"
    with pytest.raises(FileFormatError) as refused:
        HourlyFile.read("own.csv", f"hour,bus B,onsite_mw\n{rows}".encode(), network())
    said = [problem.message for problem in refused.value.problems]
    assert len(said) == 4
    for words in (
        "column 'onsite_mw', row 3", "1 outputs are below 0, first -5 MW in row 2",
        "1 outputs are above 20,000 MW, first 30000 MW in row 4", "row 4: 2024-07-01 01:00:00 does not come after",
    ):  # fmt: skip
        assert any(words in one for one in said), words
    doubled = b"hour,bus B,onsite_mw,onsite_mw\n1,200,1,2\n"
    with pytest.raises(FileFormatError, match="'onsite_mw' appears twice"):
        HourlyFile.read("own.csv", doubled, network())


def test_a_case_without_the_column_is_none_less() -> None:
    file = HourlyFile.read("own.csv", content(), network())
    assert file.onsite_mw is None
    case: SitingCase = gate_of(asked(), None).prepared.case
    assert case.onsite_mw is None
