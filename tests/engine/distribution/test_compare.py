"""All methods in one table and in one file: laws between them, closed forms, the job around them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callbacks.imported import CHECKS
from engine.compute import HERE
from engine.distribution.answers import came_with, shipped_methods
from engine.distribution.compare import CompareOptions, Comparison, compare
from engine.distribution.coordination import Clock, Coordination, judge
from engine.distribution.dso import dispatch
from engine.distribution.expansion import bits_for
from engine.distribution.methods import even_point
from engine.distribution.methods_job import METHODS, METHODS_SHAPE, methods_arguments, methods_job, methods_key
from engine.distribution.methods_run import MethodsOptions, MethodsRun, run_methods
from engine.distribution.prepare import prepare
from engine.distribution.price_taker import price_taker
from engine.distribution.question import FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.distribution.run import first_points, run_feeder
from engine.distribution.speed import REBUILT, MethodRow, speeds
from engine.errors import CancelledError, FileFormatError, QuestionError, UncertaintyDataError
from engine.store.artifacts import Artifacts
from tests.engine.distribution.problems import HOURS, hour

NAMES = [
    "price taker", "region walk", "critical regions", "payment identity",
    "expansion, 3 bits, with our regions",
    "expansion, 3 bits, as we rebuild it, without our regions", "best response", "best response, damped",
]  # fmt: skip
TOY = FeederQuestion(feeder="two-bus", hours=(9, 19), corrections=1, batteries=(CentreBattery(energy_mwh=0.4),))
OPTIONS = MethodsOptions(bits=(3,), time_limit_s=60.0)


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Two centres in one hour whose lowest voltage must be exceeded for some choices."""
    return compare(hour(*HOURS[1]), CompareOptions(bits=(3,), more_bits=False))


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def toy(told: list[tuple[int, int, str]]) -> MethodsRun:
    return run_methods(TOY, OPTIONS, tell=lambda *each: told.append(each))


def test_one_table_has_every_method(found: Comparison) -> None:
    assert [row.method for row in found.rows] == NAMES
    assert not found.failures
    taker, best = found.rows[0], found.rows[2]
    assert best.payment_saving == pytest.approx(1.0 - best.objective / taker.objective)
    assert best.system_increase > 0.0
    assert all(row.gap >= -1e-6 for row in found.rows)
    assert found.best.objective == min(row.objective for row in found.rows)


def test_exact_routes_agree_and_competition_costs_the_system_least(found: Comparison, toy: MethodsRun) -> None:
    """Laws: the two exact routes have one optimum, which no method beats; no draws cost the system less than those
    of the price taker; the expansion's own bound is below the optimum."""
    for rows in (found.rows, toy.rows):
        by = {row.method: row for row in rows}
        exact, identity, taker = by["critical regions"], by["payment identity"], by["price taker"]
        assert identity.objective == pytest.approx(exact.objective, rel=1e-4)
        assert exact.status == identity.status == "optimal"
        for row in rows:
            assert row.objective >= exact.objective * (1.0 - 1e-4)
            assert row.system_cost + row.delay_cost >= (taker.system_cost + taker.delay_cost) * (1.0 - 1e-6)
            assert row.payment_most >= row.payment - 1e-6
            assert row.own_bound is None or row.own_bound <= exact.objective * (1.0 + 1e-4)


def test_the_work_divided_evenly_stands_beside_the_methods(toy: MethodsRun) -> None:
    """Its draws are those of a study with given draws; it proves nothing and needs nothing."""
    row = toy.row("even work")
    assert row is not None
    assert (row.status, row.own_bound, row.needed) == ("given", None, ())
    (case,) = run_feeder(replace(TOY, svg="off")).cases
    assert np.array(toy.schedules[toy.rows.index(row)].draw_kw) == pytest.approx(case.draw_kw, abs=1e-4)
    # In equal parts over its hours a job waits half of the hours it may on average.
    jobs = prepare(TOY).workload.jobs
    assert row.delay_cost == pytest.approx(sum(job.delay_price * job.work * (job.last - job.first) / 2 for job in jobs))


def test_the_bill_of_the_work_divided_evenly_is_that_of_a_study() -> None:
    """The study bills at its own AC solutions, and there the linear flow of the methods is taken: within 1e-5 p.u."""
    question = replace(TOY, batteries=(), svg="off", corrections=8)
    (case,) = run_feeder(question).cases
    prepared, options = prepare(question), question.options(compensators=False)
    points = first_points(prepared, options, lambda: None)
    problem = Coordination.of(prepared.case, prepared.workload, options, points)
    even = even_point(question, problem, prepared.workload)
    found = judge(problem, "even work", even, (-np.inf, "given", Clock.start()))
    assert found.payment == pytest.approx((case.bill_active + case.bill_reactive).sum(axis=1), rel=3e-3)
    assert problem.fleet.misses(found.draws_mw) < 1e-9


def test_the_walk_needs_no_regions(found: Comparison, toy: MethodsRun) -> None:
    """It is charged the price taker alone, and says no more than it did."""
    for rows in (found.rows, toy.rows):
        by = {row.method: row for row in rows}
        walked = by["region walk"]
        assert walked.needed == ("price taker",)
        assert walked.before_s == walked.start_s == by["price taker"].processor_s
        assert "regions" in by["critical regions"].needed
        words = {note.split(" ", 1)[1] for note in walked.notes}
        assert words <= {"start", "starts", "program", "programs"}
        assert not {"1 starts", "1 programs", "1 rounds of tangents"} & {note for row in rows for note in row.notes}


def test_best_response_goes_round_and_damped_it_settles(found: Comparison, toy: MethodsRun) -> None:
    naive, damped = found.loops
    assert naive.cycle == 2
    assert len(naive.draws_mw) == len(naive.payments)
    assert not np.allclose(naive.draws_mw[-1], naive.draws_mw[-2])
    assert damped.settled
    for course in toy.courses:
        assert len(course.payment) == len(course.total_kw)
        assert len(course.cycle_kw) == (0 if course.cycle in {None, 1} else course.cycle)


def test_every_schedule_does_the_same_work(toy: MethodsRun) -> None:
    """One centre: what its computers draw is linear in their work, so over the day it is the same for every method;
    a battery adds its losses, and ends as it began."""
    (battery,) = TOY.batteries
    energy = []
    for each in toy.schedules:
        draw, charge, discharge, held = (np.array(rows) for rows in (
            each.draw_kw, each.charge_kw, each.discharge_kw, each.held_kwh
        ))  # fmt: skip
        energy.append(float((draw - charge + discharge).sum()))
        way = battery.efficiency**0.5
        before = np.vstack([[[500.0 * battery.energy_mwh]], held[:-1]])
        assert held == pytest.approx(before + way * charge - discharge / way, abs=1e-4)
        assert held[-1] == pytest.approx(500.0 * battery.energy_mwh)
    assert energy == pytest.approx([energy[0]] * len(energy), rel=1e-6)
    for row, each in zip(toy.rows, toy.schedules, strict=True):
        paid = sum(
            kw * price for kws, prices in zip(each.draw_kw, each.price_per_mwh, strict=True)
            for kw, price in zip(kws, prices, strict=True)
        )  # fmt: skip
        assert row.payment == pytest.approx(paid / 1000.0, rel=1e-6)


def test_progress_rises_to_its_end(toy: MethodsRun, told: list[tuple[int, int, str]]) -> None:
    assert toy.rows
    shares = [done / total for done, total, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {"price taker", "regions of hour 1 of 2", "expansion, 3 bits, with our regions"} <= {
        name for *_, name in told
    }


def test_a_comparison_comes_back_from_its_file(toy: MethodsRun) -> None:
    assert MethodsRun.load(toy.save()) == toy
    with pytest.raises(UncertaintyDataError):
        MethodsRun.load(b"{}")
    with pytest.raises(UncertaintyDataError):
        MethodsRun.load(b"PK no")


def test_options_out_of_range_and_a_feeder_without_centres_are_refused() -> None:
    assert MethodsOptions.from_json(OPTIONS.to_json()) == OPTIONS
    with pytest.raises(QuestionError, match=r"bits is 0.*method is 0.5 s.*as we rebuild it is -1 s"):
        MethodsOptions(bits=(0,), time_limit_s=0.5, rebuilt_s=-1.0).checked()
    with pytest.raises(QuestionError):
        MethodsOptions.from_json({"svg": 1, "bits": [], "time_limit_s": 1.0, "rebuilt_s": 1.0})


class Context:
    """What a job is given."""

    workers = HERE

    def __init__(self, folder: Path, stop_at: str = "") -> None:
        self.artifacts, self._stop = Artifacts(folder), stop_at

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert 0 <= done <= total
        if message == self._stop:
            raise CancelledError("stopped")

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


def test_the_job_keeps_its_answer_and_can_be_stopped(toy: MethodsRun, tmp_path: Path) -> None:
    arguments: dict[str, Any] = json.loads(json.dumps(methods_arguments(TOY, OPTIONS)))
    with pytest.raises(CancelledError):
        methods_job(arguments, Context(tmp_path, "regions of hour 2 of 2"))  # type: ignore[arg-type]
    context = Context(tmp_path)
    result = methods_job(arguments, context)  # type: ignore[arg-type]
    assert result["artifacts"] == [methods_key(arguments)]
    path = context.artifacts.open(methods_key(arguments))
    assert path is not None
    kept = MethodsRun.load(path)
    assert kept.schedules == toy.schedules
    assert kept.courses == toy.courses
    plain = json.loads(json.dumps(result))
    CHECKS.answers[METHODS](plain)
    for name in METHODS_SHAPE:
        with pytest.raises(FileFormatError):
            CHECKS.answers[METHODS]({**plain, name: []})


@pytest.mark.parametrize("svg", [False, True])
def test_the_opening_comparison_comes_with_the_program(svg: bool) -> None:
    question, options = FeederQuestion(), MethodsOptions(svg=svg)
    stored = shipped_methods(question, options)
    assert stored is not None
    assert (stored.question, stored.options, len(stored.labels)) == (question, options, 24)
    assert all(name.endswith(REBUILT) for name, _ in stored.failures)  # it has a limit of time
    rows = {row.method: row for row in stored.rows}
    exact, taker = rows["critical regions"], rows["price taker"]
    assert exact.own_gap is not None
    assert abs(exact.own_gap) <= 1e-4
    for row in stored.rows:
        assert row.objective >= exact.objective * (1.0 - 1e-4)
        assert row.system_cost + row.delay_cost >= (taker.system_cost + taker.delay_cost) * (1.0 - 1e-6)
    other = methods_arguments(replace(question, seed=1), options)
    assert came_with(METHODS, other) is None


def row_of(method: str, own_gap: float | None, seconds: float, before: float, status: str = "optimal") -> MethodRow:
    """A row of which only what speeds read is told."""
    return MethodRow(
        method, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, own_gap, 0.0, 0.0, status, seconds, seconds, before, 0.5,
        (), (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expansion", "verdict", "times", "reached"),
    [
        (row_of("expansion, 4 bits", 5e-5, 78.0, 2.0), "holds", 20.0, True),
        (row_of("expansion, 4 bits", 5e-5, 6.0, 2.0), "contradicted", 2.0, True),
        (row_of("expansion, 4 bits", 3e-2, 98.0, 2.0, "time limit"), "holds", 25.0, False),
        (row_of("expansion, 4 bits", 3e-2, 10.0, 2.0, "time limit"), "open", 3.0, False),
        (row_of("expansion, 4 bits", 3e-2, 1.0, 2.0, "time limit"), "open", 0.75, False),
        (row_of("expansion, 1 bits", 3e-2, 98.0, 2.0), "open", 25.0, False),
        (row_of(f"expansion, 4 bits{REBUILT}", 387.0, 300.0, 0.0, "time limit"), "holds", 75.0, False),
    ],
)
def test_what_is_said_of_speed_follows_from_the_rows(
    expansion: MethodRow, verdict: str, times: float, reached: bool
) -> None:
    """By hand: the exact route takes 1 s and needs 3 s before; what a time limit ends is a least ratio."""
    (found,) = speeds([row_of("payment identity", 1e-5, 1.0, 3.0), expansion])
    assert (found.verdict, found.reached) == (verdict, reached)
    assert found.times == pytest.approx(times)
    assert found.exact_without_start_s == pytest.approx(3.5)
    assert found.rebuilt == expansion.method.endswith(REBUILT)
    assert "e-0" not in found.statement  # per cent, as in the table beside it
    assert ("at least" in found.statement) == (not reached and times >= 1.0 and expansion.status != "optimal")


def test_bits_that_ended_in_time_decide_nothing_beside_bits_that_did_not() -> None:
    """One bit that proves nothing in 117 s says less than twelve that find no draws in 183 s: 183 / 4."""
    few = row_of(f"expansion, 1 bit{REBUILT}", 840.0, 117.0, 0.0)
    exact = row_of("payment identity", 1e-5, 1.0, 3.0)
    (found,) = speeds([exact, few], [(f"expansion, 12 bits{REBUILT}", 183.0)])
    assert (found.expansion, found.expansion_gap) == (f"expansion, 12 bits{REBUILT}", None)
    assert (found.verdict, found.reached) == ("holds", False)
    assert found.times == pytest.approx(183.0 / 4.0)
    (alone,) = speeds([exact, few])
    assert alone.verdict == "open"


def test_the_papers_expansion_gets_as_many_bits_as_prove_what_the_exact_route_does() -> None:
    """Three bits prove nothing of the hour; what ``bits_for`` says of half the accuracy is enough, and it is told."""
    problem = hour(*HOURS[1])
    few = compare(problem, CompareOptions(bits=(3,), more_bits=False))
    (row,) = [row for row in few.rows if row.method.endswith(REBUILT)]
    assert row.own_gap is not None
    assert row.own_gap > 1e-3
    found = compare(problem, CompareOptions(bits=(3,)))
    (row,) = [row for row in found.rows if row.method.endswith(REBUILT)]
    assert row.own_gap is not None
    assert row.own_gap <= 1e-4
    bits = bits_for(problem, 0.5e-4 * min(one.objective for one in found.rows), screened=False)
    assert row.method == f"expansion, {bits} bits{REBUILT}"
    told = [speed for speed in found.speeds if speed.rebuilt]
    assert len(told) == 2
    assert all(speed.reached for speed in told)


def test_payment_at_a_penalty_stands_apart(found: Comparison) -> None:
    """All of the hour is penalised where a limit is exceeded, nothing where limits are kept.

    Whether one is exceeded is told by the operator's whole program, which the methods do not solve.
    """
    kept = price_taker(hour(*HOURS[0])).outcome
    assert not dispatch(hour(*HOURS[0]).case, 1000.0 * kept.draws_mw).violations
    assert kept.price_per_mwh.max() < 1000.0  # beside a penalty of 10 000 $/MWh
    assert kept.penalised.tolist() == [0.0]
    for row, outcome in zip(found.rows, found.outcomes, strict=True):
        assert dispatch(hour(*HOURS[1]).case, 1000.0 * outcome.draws_mw).violations
        assert outcome.price_per_mwh.max() > 1000.0
        assert row.penalised == pytest.approx(float(outcome.payment.sum()))
