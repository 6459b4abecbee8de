"""A feeder study from question to file: laws that its numbers keep, what AC says of them, and the job around it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callbacks.imported import CHECKS
from engine.compute import HERE
from engine.distribution import jobs
from engine.distribution.cases import furnished
from engine.distribution.dlmp import PARTS
from engine.distribution.dso import dispatch
from engine.distribution.files import to_json
from engine.distribution.methods import given_kw
from engine.distribution.opendss import Dispatch, ac_flow
from engine.distribution.prepare import prepare
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import _ARRAYS, FeederRun, run_feeder
from engine.distribution.scenarios import draws, scenario_check, wilson
from engine.errors import CancelledError, FileFormatError, QuestionError, UncertaintyDataError
from engine.store.artifacts import Artifacts

TOY = FeederQuestion(feeder="two-bus", hours=(4, 19), corrections=2, scenarios=2, regulators="free")


@pytest.fixture(scope="module")
def toy() -> FeederRun:
    return run_feeder(TOY)


@pytest.fixture(scope="module")
def heavy() -> FeederRun:
    """IEEE 37 in the evening peak, with and without static var generators."""
    return run_feeder(FeederQuestion(hours=(19,)))


def test_both_cases_are_there_and_prices_are_their_parts(heavy: FeederRun) -> None:
    assert [each.svg for each in heavy.cases] == [False, True]
    for each in heavy.cases:
        assert each.active_parts.shape == (len(PARTS), 1, len(heavy.nodes))
        assert each.active_parts.sum(axis=0) == pytest.approx(each.active_price, abs=1e-6)
        assert each.reactive_parts.sum(axis=0) == pytest.approx(each.reactive_price, abs=1e-6)
        assert (each.bill_active + each.bill_reactive) == pytest.approx(each.centre_price * each.draw_kw / 1000.0)


def test_static_var_generators_raise_voltages_and_lower_the_cost_under_heavy_load(heavy: FeederRun) -> None:
    """The published qualitative result, in AC; and the set with them contains that without, for the same draws."""
    rows = {row["measure"]: row for row in heavy.svg_effect()}
    lowest = rows["Lowest voltage at a data centre in AC"]
    assert lowest["with"] > lowest["without"] + 1e-3
    assert rows["Operator's cost"]["with"] < rows["Operator's cost"]["without"]
    off, on = heavy.cases
    assert np.array_equal(off.draw_kw, on.draw_kw)
    assert not off.svg_kvar.any()
    assert on.svg_kvar.any()
    assert rows["Largest voltage unbalance (VUF)"]["with"] < rows["Largest voltage unbalance (VUF)"]["without"]


def test_ac_keeps_the_limits_that_the_linear_flow_met(heavy: FeederRun) -> None:
    for each in heavy.cases:
        assert each.facts["flags"] == []
        errors = each.facts["rounds"][-1]["error_pu"]
        assert np.abs(each.error_pu).max() < 1e-3 < errors[0]
        assert np.abs(each.phasors).min() > heavy.feeder.v_min_pu - 1e-3


def test_a_line_that_ac_overloads_is_derated_until_ac_keeps_it() -> None:
    """With static var generators the current of 711-741 is above what the linear power at nominal voltage says."""
    question = FeederQuestion(hours=(19,), svg="on", edits=(Edit("scale load", value=1.07),))
    found = run_feeder(question).cases[0]
    assert [each["flags"] for each in found.facts["rounds"]] == [1, 0]
    assert found.facts["flags"] == []
    assert found.ac_loading.max() <= 1.001
    assert set(found.facts["rating_share"]) == {"711-741"}
    assert found.facts["rating_share"]["711-741"] < 1.0  # by what AC was above it, and a margin


def test_a_voltage_that_ac_breaks_is_tightened_by_the_error() -> None:
    """IEEE 34 beyond its load: after one correction the far bus is below the limit that the linear flow met."""
    question = FeederQuestion(feeder="ieee34", hours=(19,), svg="on", corrections=1)
    question = replace(question, edits=(Edit("scale load", value=1.15),))
    first, second = (run_feeder(replace(question, ac_rounds=rounds)) for rounds in (0, 1))
    once, again = first.cases[0], second.cases[0]
    flag = next(each for each in once.facts["flags"] if each["kind"] == "voltage")
    assert flag["linear"] >= flag["limit"] - 1e-6 > flag["ac"]
    assert once.margin_pu.max() == 0.0
    node = first.nodes.index((flag["element"], flag["phase"]))
    assert again.margin_pu[0, node] == pytest.approx(flag["linear"] - flag["ac"] + question.ac_margin_pu)
    assert abs(again.phasors[0, node]) > abs(once.phasors[0, node])
    before, after = again.facts["rounds"]
    assert before == once.facts["rounds"][0]
    assert after["cost"] + again.penalty_per_h[0] > before["cost"]  # law: fewer choices


def test_corrections_settle_where_losses_alone_place_the_reactive_power() -> None:
    """OpenDSS is the judge. With each answer's AC solution as the next point, IEEE 34 swings by 5e-3 p.u. for ever."""
    found = run_feeder(FeederQuestion(feeder="ieee34", hours=(12,), svg="on", ac_rounds=0)).cases[0]
    errors = found.facts["rounds"][0]["error_pu"]
    assert errors[0] > 3e-3
    assert np.abs(found.error_pu).max() <= errors[-1] + 1e-9 < 1.1e-5
    assert found.loss_mva.real == pytest.approx(found.loss_ac_mva.real, abs=1e-6)


def test_two_buses_lose_what_ohm_says(toy: FeederRun) -> None:
    """One line of 0.6 + j1.2 ohm from 1.0 p.u.: losses are R |I|^2, and I = |S| / V at the end of the line."""
    for each in toy.cases:
        source = toy.nodes.index(("source", "a"))
        volts = 4160.0 / np.sqrt(3.0)
        amperes = np.abs((each.phasors[:, source] - each.phasors[:, 1 - source]) * volts / complex(0.6, 1.2))
        assert each.current_a[:, 0, 0] == pytest.approx(amperes, rel=1e-6)
        assert each.loss_ac_mva.real == pytest.approx(0.6 * amperes**2 / 1e6, rel=1e-6)
        assert each.loss_mva.real == pytest.approx(each.loss_ac_mva.real, rel=0.02)


def test_a_study_comes_back_from_its_file(toy: FeederRun) -> None:
    again = FeederRun.load(toy.save())
    assert again.question == toy.question
    assert again.feeder == toy.feeder
    assert again.nodes == toy.nodes
    assert FeederRun.load(again.save()).save() == again.save()
    assert all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for one, other in zip(again.cases, toy.cases, strict=True)
        for name in _ARRAYS
    )
    assert again.svg_effect() == toy.svg_effect()
    with pytest.raises(UncertaintyDataError):
        FeederRun.load(b"PK no")


def test_scenarios_are_the_seeds(toy: FeederRun) -> None:
    again = run_feeder(replace(TOY, svg="on")).case(svg=True)
    on = toy.case(svg=True)
    assert again is not None
    assert on is not None
    assert np.array_equal(again.extremes_pu, on.extremes_pu)
    assert on.extremes_pu.shape == (2, 2, 2)
    assert (on.extremes_pu[0] <= on.extremes_pu[1]).all()
    assert on.extremes_pu[0, 0] != pytest.approx(on.extremes_pu[0, 1], abs=1e-6)  # one scenario is not the other


def test_the_chance_of_an_hour_is_the_share_of_its_scenarios_beyond_a_limit() -> None:
    """Counted again from the voltages of each scenario, of a line without rating. The limit is set by hand between
    the lowest voltages of the scenarios; the operator is asked to keep none, so that it changes no set point."""
    base = furnished("two-bus")
    feeder = replace(base, lines=(replace(base.lines[0], rating_a=None),))
    asked = replace(
        TOY, dataset="0" * 64, svg="off", scenarios=5, work_deviation=0.4, voltage_limits=False, line_limits="none",
        regulators="fixed",
    )  # fmt: skip
    (loose,) = run_feeder(asked, lambda _: ("two.json", to_json(feeder))).cases
    lowest = np.sort(loose.extremes_pu[0, :, 1])  # at 19 h
    limit = float(lowest[1:3].mean())
    assert lowest[2] - lowest[1] > 4e-4  # beyond what counts as noise
    assert not loose.hour_chance.any()
    tight = replace(feeder, v_min_pu=limit)
    (found,) = run_feeder(asked, lambda _: ("two.json", to_json(tight))).cases
    assert np.array_equal(found.extremes_pu, loose.extremes_pu)
    assert found.hour_chance == pytest.approx((loose.extremes_pu[0] < limit).mean(axis=0))
    assert found.hour_chance[1] == pytest.approx(2 / 5)
    assert found.facts["scenarios"]["day_chance"] == pytest.approx((loose.extremes_pu[0] < limit).any(axis=1).mean())


def test_the_chance_of_a_violation_is_the_share_of_scenarios_that_break_a_limit() -> None:
    """Counted again by a loop of its own: voltages and currents of OpenDSS against the feeder's tables."""
    prepared = prepare(replace(TOY, edits=(Edit("scale load", value=1.15),)))
    case, count = prepared.case, 6
    feeder = replace(case.feeder, v_min_pu=0.955, lines=(replace(case.feeder.lines[0], rating_a=168.0),))
    case = replace(case, feeder=feeder)
    result = dispatch(
        case, given_kw(prepared.question, case, prepared.workload), prepared.question.options(compensators=False)
    )
    found = scenario_check(case, result, count=count, seed=5, deviations=(0.4, 0.4))
    drawn, given = draws(case, result, count, 5, (0.4, 0.4))
    bus = next(at for at, row in enumerate(feeder.buses) if row.name != feeder.source_bus)
    low, over = np.zeros((count, case.hours), dtype=bool), np.zeros((count, case.hours), dtype=bool)
    for which in range(count):
        for hour in range(case.hours):
            flow = ac_flow(feeder, Dispatch(
                case.load_share[hour], given[which, hour], 1000.0 * result.generator_mvar[hour], None,
                drawn[which, hour],
            ))  # fmt: skip
            size = abs(flow.voltage_pu[bus, 0])
            low[which, hour] = not 0.955 - 1e-4 <= size <= feeder.v_max_pu + 1e-4
            over[which, hour] = abs(flow.current_a[0, 0]) > 168.0 * 1.001
    assert 0 < (low | over).sum() < low.size  # some scenarios break a limit, not all
    assert found.voltage_chance[:, bus, 0] == pytest.approx(low.mean(axis=0))
    assert found.line_chance[:, 0] == pytest.approx(over.mean(axis=0))
    assert found.hour_chance == pytest.approx((low | over).mean(axis=0))
    assert found.day_chance == pytest.approx((low | over).any(axis=1).mean())


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Table of Newcombe, Statistics in Medicine 17, 1998: 81 of 263 is 0.2553 to 0.3662 by the score method."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_price_takers_work_is_done_and_costs_no_more_than_evenly() -> None:
    even = run_feeder(FeederQuestion(feeder="two-bus", hours=(9, 12, 19), svg="off")).cases[0]
    asked = run_feeder(FeederQuestion(feeder="two-bus", hours=(9, 12, 19), svg="off", method="price taker"))
    taken = asked.cases[0]
    assert taken.draw_kw.sum() == pytest.approx(
        even.draw_kw.sum(), rel=1e-6
    )  # one centre: the same work is the same energy
    assert taken.cost_per_h.sum() <= even.cost_per_h.sum() + 1e-3
    assert taken.facts["method"]["status"] == "optimal"
    assert any("work divided evenly" in told for told in asked.provenance["assumptions"])


def test_draws_that_do_not_fit_the_feeder_are_refused() -> None:
    with pytest.raises(QuestionError, match="each of 1 data centres"):
        run_feeder(FeederQuestion(feeder="two-bus", hours=(1,), draw_kw=((1.0, 2.0),)))


class Context:
    """What a job is given."""

    workers = HERE

    def __init__(self, folder: Path, stop_at: int | None = None) -> None:
        self.artifacts, self.told, self._stop = Artifacts(folder), list[tuple[int, int]](), stop_at

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert message
        self.told.append((done, total))
        if self._stop is not None and done >= self._stop:
            raise CancelledError("stopped")

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


def test_the_job_keeps_its_answer_and_what_is_known_on_the_way(tmp_path: Path) -> None:
    context = Context(tmp_path)
    arguments: dict[str, Any] = json.loads(json.dumps(jobs.study_arguments(TOY)))
    result = jobs.study_job(arguments, context)  # type: ignore[arg-type]
    path = context.artifacts.open(result["artifacts"][0])
    assert path is not None
    assert result["artifacts"] == [jobs.study_key(arguments)]
    assert len(FeederRun.load(path).cases) == result["cases"] == 2
    part = context.artifacts.open(jobs.partial_key(arguments))
    assert part is not None
    known = FeederRun.load(part)
    assert len(known.cases) == 1
    assert not known.provenance["complete"]
    assert context.told == sorted(context.told)
    assert context.told[-1][0] == context.told[-1][1]
    kept = json.loads(json.dumps(result))
    CHECKS.answers[jobs.STUDY](kept)
    CHECKS.answers["feeder.question"](arguments["question"])
    for name in jobs.STUDY_SHAPE:
        with pytest.raises(FileFormatError):
            CHECKS.answers[jobs.STUDY]({**kept, name: []})


def test_a_job_stops_where_it_is_told_to(tmp_path: Path) -> None:
    context = Context(tmp_path, stop_at=3)
    with pytest.raises(CancelledError):
        jobs.study_job(jobs.study_arguments(TOY), context)  # type: ignore[arg-type]
    assert len(context.told) == 3
