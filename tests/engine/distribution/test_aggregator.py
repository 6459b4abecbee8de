"""The fleet's polyhedron and workloads: balance by hand, refusals by name, files there and back."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.aggregator import Fleet
from engine.distribution.case import FeederCase
from engine.distribution.feeder import DataCentre
from engine.distribution.workload import BatchJob, Workload, from_csv, seeded, to_csv
from engine.errors import FileFormatError, InfeasibleError, NetworkDataError, QuestionError
from engine.program import solve
from tests.engine.distribution.days import two_centres


def case_of(hours: int, **changes: object) -> FeederCase:
    feeder = two_centres()
    centres = tuple(replace(row, **changes) for row in feeder.centres)
    return FeederCase.of(replace(feeder, centres=centres), np.full(hours, 40.0))


def test_a_draw_is_pue_times_idle_and_work() -> None:
    """Least draws at prices 1 and 2: centre a does 300 of 400, b idles; 1.2 (30 + 300) and 1.2 * 20 kW."""
    fleet = Fleet.of(case_of(1), Workload(np.array([300.0])))
    found = solve(fleet.program(fleet.wide(np.array([[1.0, 2.0]])))).optimum()
    assert fleet.draws(found.x) == pytest.approx(np.array([[0.396, 0.024]]))


def test_batch_work_goes_to_the_cheap_hours_within_its_window() -> None:
    """100 + 500 of work in hours 2 to 3 of 3: what arrives is done at once, the job waits for the cheap third hour."""
    fleet = Fleet.of(case_of(3), Workload(np.full(3, 100.0), (BatchJob("train", 1, 2, 500.0),)))
    cost = np.array([[1.0, 1.0], [5.0, 5.0], [2.0, 2.0]])
    draws = fleet.draws(solve(fleet.program(fleet.wide(cost))).optimum().x)
    work = (draws * 1000 / 1.2 - [30.0, 20.0]) / [1.0, 0.8]
    assert work.sum(axis=1) == pytest.approx([100.0, 100.0, 600.0])
    assert fleet.misses(draws) == pytest.approx(0.0, abs=1e-7)
    assert fleet.misses(draws + 0.01) > 1.0


def test_delay_is_charged_from_the_second_hour() -> None:
    """At 10 $ for each unit and hour, 500 units in the third hour cost 5000 $ for one hour of delay."""
    fleet = Fleet.of(case_of(3), Workload(np.zeros(3), (BatchJob("train", 1, 2, 500.0, 10.0),)))
    late = fleet.wide(np.array([[0.0, 0.0], [1e9, 1e9], [0.0, 0.0]]))
    found = solve(fleet.program(late)).optimum()
    assert fleet.delay_cost @ found.x == pytest.approx(5000.0)


def test_ramps_hold_from_hour_to_hour() -> None:
    """From idle, 200 kW more at each centre are 200 / 1.2 and 200 / 0.96 units of work: 375 of 600."""
    with pytest.raises(InfeasibleError, match="work of hour 2: 225 too little"):
        Fleet.of(case_of(2, ramp_kw=200.0), Workload(np.array([0.0, 600.0])))
    fleet = Fleet.of(case_of(2, ramp_kw=400.0), Workload(np.array([0.0, 600.0])))
    assert fleet.matrix.shape[0] == 4


def test_work_that_cannot_be_done_is_named_all_at_once() -> None:
    """Both centres together do at most 900 in an hour."""
    with pytest.raises(InfeasibleError, match=r"work of hour 1: 100 too little; .*job big: 1000 too little") as caught:
        Fleet.of(case_of(2), Workload(np.array([1000.0, 0.0]), (BatchJob("big", 1, 1, 1900.0),)))
    assert {problem.element for problem in caught.value.problems} >= {"work of hour 1", "job big"}


def test_bad_numbers_are_named_all_at_once() -> None:
    broken = Workload(np.array([np.nan, 1.0]), (BatchJob("late", 1, 5, 1.0), BatchJob("less", 0, 1, -2.0)))
    with pytest.raises(NetworkDataError, match=r"hour 1 is nan.*job late runs from hour 2 to hour 6.*job less is -2"):
        Fleet.of(case_of(2), broken)
    with pytest.raises(NetworkDataError, match="kw_per_work of data centre a is 0"):
        Fleet.of(case_of(1, kw_per_work=0.0), Workload(np.zeros(1)))
    with pytest.raises(NetworkDataError, match="3 hours, the case 1"):
        Fleet.of(case_of(1), Workload(np.zeros(3)))


def test_a_drawn_day_can_be_done_and_returns_with_its_seed() -> None:
    made = seeded(900.0, seed=4)
    again = seeded(900.0, seed=4)
    assert made.interactive == pytest.approx(again.interactive)
    assert made.jobs == again.jobs
    assert seeded(900.0, seed=5).jobs != made.jobs
    assert sum(job.work for job in made.jobs) == pytest.approx(0.2 * 900.0 * 24)
    assert made.interactive.mean() == pytest.approx(0.4 * 900.0, rel=0.05)
    assert np.argmax(made.interactive) in range(13, 20)
    Fleet.of(case_of(24), made)
    with pytest.raises(QuestionError, match="batch is 2"):
        seeded(900.0, batch=2.0)


def test_a_workload_returns_from_its_file() -> None:
    made = seeded(900.0, seed=2, jobs=3)
    back = from_csv(to_csv(made), 24)
    assert back.interactive == pytest.approx(made.interactive, abs=0)
    assert back.jobs == made.jobs


def test_every_bad_line_of_a_file_is_named() -> None:
    text = "kind,name,first_hour,last_hour,work\nnight,x,1,1,5\ninteractive,,1,2,5\nbatch,j,1,9,5\nbatch,k,1,2,lots\n"
    with pytest.raises(FileFormatError) as caught:
        from_csv(text, 4)
    told = str(caught.value)
    for words in ("line 2", "kind is 'night'", "line 3", "line 4", "hour 9", "line 5", "work is 'lots'"):
        assert words in told
    with pytest.raises(FileFormatError, match="no column last_hour"):
        from_csv("kind,name,first_hour,work\n", 4)


def test_a_centre_without_work_to_do_is_refused() -> None:
    empty = DataCentre("empty", "two", 1.0, 1.0, 0.0)
    feeder = replace(two_centres(), centres=(empty,))
    with pytest.raises(NetworkDataError, match="work_cap of data centre empty is 0"):
        Fleet.of(FeederCase.of(feeder, [1.0]), Workload(np.zeros(1)))
