"""The largest sizes against the gate that screens every size, programs in angles, and a network solved by hand."""

import time
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.compute import HERE, Processes
from engine.errors import CancelledError, QuestionError, UncertaintyDataError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.siting import largest
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.defaults import TEXAS_HOURS, starting_question
from engine.siting.envelopes import envelope
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.screening import screen
from engine.siting.gate_check import Triple, judge
from engine.siting.largest import LargestSizes, ladder, largest_sizes
from engine.siting.prepare import prepare
from engine.store.artifacts import Artifacts
from tests.engine.siting.angle_loads import load_interval
from tests.engine.siting.test_gate import _case, _network, _pair

ENVELOPES = (envelope("firm"), envelope("pause"), envelope("shift"))


def _asked(key: str, share: float, scales=(1.0,), hours=(1,)) -> tuple[SitingCase, Contingencies]:
    case = _case(_network(key, share), scales)
    case = replace(case, hour_of_day=np.array(hours))
    return case, Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)


@cache
def _two_hours() -> tuple[SitingCase, Contingencies]:
    return _asked("rts24", 1.5, (1.0, 0.95), (3, 17))  # an hour outside the peak and one in it; loads relieve outages


@cache
def _sound() -> tuple[SitingCase, Contingencies]:
    """Return two hours in which every outage is survived without a load."""
    return _asked("ieee30", 1.4, (1.0, 0.95), (3, 17))


def _question(case: SitingCase, sizes, threshold=0.65, **more) -> GateQuestion:
    return GateQuestion(np.flatnonzero(case.network.buses.in_service), ENVELOPES, sizes, threshold, **more)


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.72])
def test_every_size_of_a_ladder_qualifies_just_where_the_gate_that_screens_them_all_says(threshold: float) -> None:
    case, contingencies = _two_hours()
    question = _question(case, ladder(10.0, 400.0), threshold, hour_weight=(3.0, 1.0))
    exact, found = screen(case, contingencies, question), largest_sizes(case, contingencies, question)
    assert (found.verdicts >= 0).all()
    outcomes = set()
    for own in ENVELOPES:
        for size in question.sizes_mw:
            wanted = exact.qualified(own.name, size)
            assert (found.qualified(own.name, size) == wanted).all(), (own.name, size)
            outcomes |= set(wanted.tolist())
        assert (found.largest_mw(own.name)[0] == exact.largest_size(own.name)[0]).all()
    assert outcomes == {0, 1}
    assert len(exact.base_infeasible()) > 0


def test_where_loads_relieve_outages_every_size_is_still_right_and_those_that_do_not_fall_are_told() -> None:
    case, contingencies = _two_hours()
    question = _question(case, ladder(10.0, 400.0))
    exact = screen(case, contingencies, question)
    assert len(exact.base_infeasible()) > 0
    rates = np.array([exact.pass_rate("firm", size)[0] for size in question.sizes_mw])  # (K, C)
    size, place = np.unravel_index(np.diff(rates, axis=0).argmax(), (len(rates) - 1, rates.shape[1]))
    assert rates[size + 1, place] > rates[size, place]
    rises = 0
    for threshold in (0.7, float(rates[size + 1, place])):
        asked = replace(question, threshold=threshold)
        found = largest_sizes(case, contingencies, asked)
        for own in ENVELOPES:
            wanted = np.array([exact.qualified(own.name, size, threshold) for size in asked.sizes_mw])  # (K, C)
            got = np.array([found.qualified(own.name, size) for size in asked.sizes_mw])
            assert (got == wanted).all()
            falls = (np.diff(wanted, axis=0) <= 0).all(axis=0)
            assert (found.falls(own.name) == falls).all()
            rises += int((~falls).sum())
    assert rises > 0


def test_both_sides_of_the_largest_size_stand_by_programs_in_angles() -> None:
    case, contingencies = _asked("rts24", 1.5)
    buses = np.array([2, 9, 17])
    question = GateQuestion(buses, ENVELOPES[:1], ladder(5.0, 500.0), 0.65)
    found = largest_sizes(case, contingencies, question)
    largest, may = found.largest_mw("firm")
    assert (largest == may).all()
    assert (largest > 0.0).all()
    for place, bus in enumerate(buses.tolist()):
        intervals = []
        for k in range(len(contingencies)):
            lost = contingencies.branches(k)
            intervals.append(
                load_interval(case.network, case.demand_mw[0], case.least_mw[0], case.largest_mw[0], bus,
                              branch=lost[0] if lost else -1, unit=contingencies.unit(k))
            )  # fmt: skip
        least, most = np.array(intervals).T
        for size, qualifies in ((largest[place], True), (largest[place] + 5.0, False)):
            load = 0.8 * size
            assert (np.minimum(np.abs(load - least), np.abs(load - most)) > 0.01).all()  # no case on its edge
            assert (np.mean((least <= load) & (load <= most)) >= 0.65) == qualifies, (bus, size)


def test_two_circuits_of_80_mw_carry_a_load_of_closed_form() -> None:
    # Bus A makes 150 to 200 MW; B makes up to 200 and draws 200. After the loss of a circuit the other carries 80, so
    # that A's 150 cannot get out: 150 - l <= 80 asks for a load l of 70 at A, whose largest is 200, as units make 400
    # in all. Firm draws 0.8 of its size: 87.5 to 250 MW. A load at B helps nothing.
    case = _case(_pair())
    contingencies = Contingencies.of(Factors.of(case.network), Rule(units=False), case)
    question = GateQuestion(np.array([1]), ENVELOPES[:1], ladder(1.0, 300.0), 1.0)
    exact = screen(case, contingencies, replace(question, sizes_mw=(50.0,)))
    found = largest_sizes(case, contingencies, question)
    assert exact.base_infeasible() == [(0, 0), (0, 1)]
    assert found.largest_mw("firm")[0].tolist() == [0.0]
    at_a = largest_sizes(case, contingencies, replace(question, buses=np.array([0])))
    assert [size for size in at_a.sizes_mw if at_a.qualified("firm", size)[0]] == list(ladder(1.0, 300.0)[87:250])
    assert at_a.largest_mw("firm")[0].tolist() == [250.0]
    assert at_a.falls("firm").tolist() == [False]


def test_a_higher_threshold_never_makes_a_largest_size_larger_nor_does_a_larger_load_in_every_hour() -> None:
    case, contingencies = _sound()
    found = [
        largest_sizes(case, contingencies, _question(case, ladder(2.0, 100.0), threshold))
        for threshold in (0.7, 0.9, 0.98)
    ]
    changes = 0
    for own in ENVELOPES:
        for before, after in pairwise(found):
            assert (after.largest_mw(own.name)[0] <= before.largest_mw(own.name)[0]).all()
            changes += int((after.largest_mw(own.name)[0] < before.largest_mw(own.name)[0]).sum())
    assert changes > 0
    for one in found:  # pause draws what firm draws or less, shift more than firm outside the peak hours only
        assert (one.largest_mw("pause")[0] >= one.largest_mw("firm")[0]).all()


def test_the_count_at_each_size_is_that_of_the_largest_sizes() -> None:
    case, contingencies = _sound()
    found = largest_sizes(case, contingencies, _question(case, ladder(2.0, 100.0), 0.95))
    for own in ENVELOPES:
        assert found.falls(own.name).all()
        qualified, open_ = found.counts_by_size(own.name)
        largest = found.largest_mw(own.name)[0]
        assert qualified.tolist() == [int((largest >= size).sum()) for size in found.sizes_mw]
        assert not open_.any()
        assert len(set(qualified.tolist())) > 2


def test_groups_processes_and_a_run_that_goes_on_give_the_same(tmp_path: Path) -> None:
    case, contingencies = _two_hours()
    question = _question(case, ladder(20.0, 400.0))
    one = largest_sizes(case, contingencies, question, workers=HERE)
    for more in ({"together": 1}, {"together": 7}, {"together": 9, "workers": Processes(2)}):
        other = largest_sizes(case, contingencies, question, **more)
        assert (other.verdicts == one.verdicts).all()
        assert other.save() == one.save()  # a file tells the answer, not how long it took

    artifacts = Artifacts(tmp_path, 10**8)

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        largest_sizes(case, contingencies, question, together=7, progress=stop, artifacts=artifacts)
    assert len(list(tmp_path.rglob("largest-*.npz"))) == 2
    again = largest_sizes(case, contingencies, question, together=7, artifacts=artifacts)
    assert (again.verdicts == one.verdicts).all()
    assert len(list(tmp_path.rglob("largest-*.npz"))) == 4


def test_what_no_time_is_left_for_stays_open_between_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    case, contingencies = _two_hours()
    question = _question(case, ladder(50.0, 400.0))
    whole = largest_sizes(case, contingencies, question)
    clock = SimpleNamespace(perf_counter=iter((0.0, 0.0, 5.0)).__next__, process_time=time.process_time)
    monkeypatch.setattr(largest, "time", clock)  # the time is over after the first four groups
    part = largest_sizes(case, contingencies, question, together=5, budget_s=1.0)
    assert (part.verdicts[:, :20] == whole.verdicts[:, :20]).all()
    assert (part.verdicts[:, 20:] == -1).all()
    for own in ENVELOPES:
        sure, may = part.largest_mw(own.name)
        exact = whole.largest_mw(own.name)[0]
        assert (sure[:20] == exact[:20]).all()
        assert (may[:20] == exact[:20]).all()
        assert (sure[20:] == 0.0).all()
        assert (may[20:] == 400.0).all()
        assert (part.counts_by_size(own.name)[1] == 4).all()


def test_what_was_saved_is_read_again_and_nothing_else_is() -> None:
    case, contingencies = _asked("ieee14", 1.3)
    found = largest_sizes(case, contingencies, _question(case, ladder(50.0, 200.0)))
    again = LargestSizes.load(found.save())
    assert again.save() == found.save()
    assert (again.verdicts == found.verdicts).all()
    with pytest.raises(UncertaintyDataError, match="largest sizes"):
        LargestSizes.load(screen(case, contingencies, _question(case, (50.0,))).save())


def test_what_cannot_be_asked_is_refused() -> None:
    case, contingencies = _asked("ieee14", 1.3)
    found = largest_sizes(case, contingencies, _question(case, (50.0,)))
    with pytest.raises(QuestionError, match="none of the sizes"):
        found.qualified("firm", 60.0)
    with pytest.raises(QuestionError, match="no envelope"):
        found.largest_mw("valley")
    for step, cap in ((0.0, 100.0), (20.0, 10.0), (0.01, 2000.0), (1.0, np.inf)):
        with pytest.raises(QuestionError, match="steps are possible"):
            ladder(step, cap)
    assert ladder(50.0, 120.0) == (50.0, 100.0)
    with pytest.raises(QuestionError, match="as many weights"):
        largest_sizes(case, contingencies, replace(_question(case, (50.0,)), hour_weight=(1.0, 2.0)))
    with pytest.raises(QuestionError, match="another network"):
        largest_sizes(_two_hours()[0], contingencies, _question(case, (50.0,)))


def test_sizes_of_texas_are_those_of_the_gate_and_of_programs_in_angles() -> None:
    texas = Network.from_tables(library.load("texas-2020"))
    question = replace(starting_question(texas), hours=(TEXAS_HOURS[0],)).checked(texas)
    case = prepare(question, texas).case
    contingencies = Contingencies.of(Factors.of(case.network), question.rule, case)
    buses = np.flatnonzero(case.network.buses.in_service & (case.network.buses.base_kv > 100.0))[5::400][:3]
    asked = GateQuestion(buses, ENVELOPES[:1], ladder(50.0, 2000.0))
    found = largest_sizes(case, contingencies, asked)
    largest = found.largest_mw("firm")[0]
    beside = sorted({size for mw in largest.tolist() for size in (mw, mw + 50.0) if 0.0 < size <= 2000.0})
    exact = screen(case, contingencies, replace(asked, sizes_mw=tuple(beside)))
    for size in beside:
        assert (found.qualified("firm", size) == exact.qualified("firm", size)).all()
    generator = np.random.default_rng(4)
    triples = []
    for place, bus in enumerate(buses.tolist()):
        for size in (largest[place], largest[place] + 50.0):
            if size in beside:
                level = beside.index(size)
                for k in generator.integers(len(contingencies), size=3).tolist():
                    passes = bool(exact.verdict(place, 0, level, k))
                    triples.append(Triple(bus, exact.load_mw(0, level), 0, k, passes=passes))
    assert {triple.passes for triple in triples} == {True, False}
    assert all(one.agrees for one in judge(case, contingencies, triples))
