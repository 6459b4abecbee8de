"""Duals of limits by finite differences, AC judging transformers and unbalance, ranges of prices by another route."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.ac_limits import loading, winding_kva
from engine.distribution.binding import binding_limits
from engine.distribution.case import FeederCase
from engine.distribution.cases import placed
from engine.distribution.dlmp import dual_range
from engine.distribution.dso import dispatch, price_range
from engine.distribution.feeder import Compensator, Generator, Load
from engine.distribution.hour import DsoOptions
from engine.distribution.opendss import ac_flow
from engine.distribution.price_range import price_ranges
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.distribution.run import run_feeder
from engine.distribution.tightening import derated
from tests.engine.distribution.test_dso import duplicate_limits
from tests.engine.distribution.toys import two_bus

STEP = 1e-4


def toy(**more: object) -> FeederCase:
    """Two buses; a dear generator at the load that takes over what the line and the voltage limits leave."""
    feeder = library.load("two-bus")
    generator = Generator("gas", "load", 300.0, "a", q_min_kvar=-20.0, q_max_kvar=20.0, cost_per_mwh=90.0)
    svg = Compensator("svg", "load", 5.0, "a")
    feeder = replace(feeder, generators=(generator,), compensators=(svg,), v_min_pu=0.96, **more)  # type: ignore[arg-type]
    return FeederCase.of(feeder, [40.0])


def cost(case: FeederCase, options: DsoOptions) -> float:
    found = dispatch(case, None, options)
    return float((found.cost_per_h + found.penalty_per_h).sum())


def test_the_dual_of_a_voltage_limit_is_what_the_cost_falls_by() -> None:
    options = DsoOptions()
    bindings = binding_limits(toy(), options, dispatch(toy(), None, options))
    low = next(row for row in bindings if row.kind == "voltage low")
    assert low.value == pytest.approx(low.limit, abs=1e-6)
    feeder = toy().feeder
    ends = [
        cost(replace(toy(), feeder=replace(feeder, v_min_pu=feeder.v_min_pu + turn)), options) for turn in (-STEP, STEP)
    ]  # fmt: skip
    assert low.dual == pytest.approx((ends[1] - ends[0]) / (2.0 * STEP), rel=1e-3)


def test_the_dual_of_a_compensator_is_what_the_cost_falls_by() -> None:
    options = DsoOptions()
    bindings = binding_limits(toy(), options, dispatch(toy(), None, options))
    (most,) = (row for row in bindings if row.kind == "svg")
    assert most.element == "svg"
    assert most.value == pytest.approx(most.limit)
    ends = []
    for turn in (-0.05, 0.05):
        case = toy()
        row = replace(case.feeder.compensators[0], kvar=5.0 + turn)
        ends.append(cost(replace(case, feeder=replace(case.feeder, compensators=(row,))), options))
    assert most.dual == pytest.approx((ends[0] - ends[1]) / (0.1 / 1000.0), rel=1e-3)


def test_a_limit_that_two_rows_say_alike_has_the_published_range() -> None:
    """The same range as one linear program for each end and row, which eliminates nothing."""
    result = duplicate_limits()
    found, size = price_ranges(result), result.frame.size
    slow = price_range(result, 0, np.arange(size))
    for end, other in zip((found.active_least, found.active_most), slow, strict=True):
        assert end[0] == pytest.approx(other, abs=1e-6)
    (answer,) = result.answers
    slow = dual_range(answer.program, answer.solution, result.price_rows[0] + size)  # reactive rows follow
    for end, other in zip((found.reactive_least, found.reactive_most), slow, strict=True):
        assert end[0] == pytest.approx(other, abs=1e-6)


def test_a_price_of_reactive_power_may_range_where_active_prices_do_not() -> None:
    """A line without resistance, v = 1 - 2 x Q / 100: the lowest voltage is what a full compensator just gives.

    Less reactive power is worth nothing there, more costs the penalty: 0 to 2 x / 100 of it per Mvar.
    """
    load, svg = Load("load", "end", "a", 1000.0, 2000.0), Compensator("svg", "end", 300.0, "a")
    feeder = two_bus(0.0, 0.9, loads=(load,), compensators=(svg,), v_min_pu=float(np.sqrt(1.0 - 0.018 * 1.7)))
    result = dispatch(FeederCase.of(feeder, [40.0]), None, DsoOptions(reactive_slope_per_mvar2h=0.0))
    found = price_ranges(result)
    most = 0.018 * result.voltage_price_per_pu2
    assert found.reactive_least[0] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert found.reactive_most[0] == pytest.approx([0.0, most], rel=1e-6)
    assert found.active_least[0] == pytest.approx([40.0, 40.0], abs=1e-6)
    assert found.active_most[0] == pytest.approx([40.0, 40.0], abs=1e-6)


def test_a_transformer_is_judged_by_its_windings() -> None:
    """IEEE 13, XFM-1, wye to wye: the larger of both sides' powers of one phase over a third of 500 kVA."""
    feeder = library.load("ieee13")
    flow = ac_flow(feeder)
    place = next(at for at, link in enumerate(feeder.links) if link.name == "XFM-1")
    windings = winding_kva(flow, place)
    assert windings[0] == pytest.approx(flow.from_kva[place])
    assert loading(flow)[place] == pytest.approx(np.abs(windings).max() / (500.0 / 3.0))
    # Bus 634 draws 160 + j110, 120 + j90, 120 + j90 kVA; what goes in is more by the losses.
    assert abs(windings[1, 0]) == pytest.approx(abs(160 + 110j), rel=1e-3)


def test_a_transformer_is_derated_with_the_same_ohms() -> None:
    """Ohms are those p.u. on its own kVA: r kV^2 / kVA stays."""
    (before,), (after,) = (
        [row for row in each.transformers if row.name == "XFM-1"]
        for each in (library.load("ieee13"), derated(library.load("ieee13"), {"XFM-1": 0.8}))
    )
    assert after.kva == pytest.approx(0.8 * before.kva)
    assert (after.r_pu / after.kva, after.x_pu / after.kva) == pytest.approx(
        (before.r_pu / before.kva, before.x_pu / before.kva)
    )


def test_an_overloaded_transformer_is_told() -> None:
    """IEEE 13 at 150 %: nothing can spare XFM-1, so it is a violation; every overloaded link is told of."""
    question = FeederQuestion(feeder="ieee13", hours=(19,), svg="off", edits=(Edit("scale load", value=1.5),))
    once = run_feeder(replace(question, ac_rounds=0, scenarios=0)).cases[0]
    told = {row["element"] for row in (*once.facts["flags"], *once.facts["violations"])}
    assert "XFM-1" in told
    over = once.ac_loading[0] > 1.001
    feeder = run_feeder(replace(question, ac_rounds=0)).feeder
    assert {link.name for link, on in zip(feeder.links, over, strict=True) if on} <= told


def test_unbalance_is_judged_by_phasors_and_tightened_until_they_keep_it() -> None:
    """IEEE 37 with at most 1.2 %: the linear magnitudes keep it, VUF of OpenDSS's phasors does not at first."""
    question = FeederQuestion(hours=(19,), svg="on", unbalance_limit=0.012, corrections=2)
    once, again = (run_feeder(replace(question, ac_rounds=rounds)) for rounds in (0, 2))
    case, names = once.cases[0], once.three_phase[0]
    assert not [row for row in case.facts["violations"] if row["unit"] == "unbalance"]
    flags = {row["element"]: row for row in case.facts["flags"]}
    above = {names[at]: case.vuf[0, at] for at in np.flatnonzero(case.vuf[0] > 0.012 + 1e-5)}
    assert flags.keys() == above.keys() != set()
    for bus, row in flags.items():
        assert (row["kind"], row["limit"]) == ("unbalance", 0.012)
        assert row["ac"] == pytest.approx(above[bus], abs=1e-6)
        assert row["linear"] <= 0.012 * 1.012 + 1e-6
    assert again.cases[0].facts["flags"] == []
    assert again.cases[0].vuf.max() <= 0.012 + 1e-5
    assert again.cases[0].cost_per_h[0] > case.cost_per_h[0]  # law: fewer choices


def test_batteries_move_the_draw_and_not_the_work() -> None:
    """Energy held follows from what goes in and out; the bill is of what the network gives; nothing is fed back."""
    question = FeederQuestion(feeder="two-bus", hours=(4, 12, 19), svg="off", method="price taker")
    plain = run_feeder(question).cases[0]
    battery = CentreBattery(power_mw=0.05, energy_mwh=0.1, efficiency=0.81, start_share=0.2, end_share=0.6)
    held = run_feeder(replace(question, batteries=(battery,))).cases[0]
    charge, discharge = held.charge_kw[:, 0], held.discharge_kw[:, 0]
    assert charge.max() > 1.0
    energy = 20.0 + np.cumsum(0.9 * charge - discharge / 0.9)
    assert held.held_kwh[:, 0] == pytest.approx(energy, abs=1e-6)
    assert held.held_kwh[-1, 0] == pytest.approx(60.0)
    assert held.draw_kw == pytest.approx(held.computer_kw + held.charge_kw - held.discharge_kw)
    assert held.computer_kw.sum() == pytest.approx(plain.computer_kw.sum())
    assert (charge + discharge <= 50.0 + 1e-6).all()
    assert held.draw_kw.min() >= -1e-9
    bill = held.bill_active + held.bill_reactive
    assert bill == pytest.approx(held.centre_price * held.draw_kw / 1000.0)


def test_a_battery_of_the_day_lowers_what_the_aggregator_pays() -> None:
    """Law: with a battery that ends as it began, all draws without it are still possible."""
    question = FeederQuestion(feeder="two-bus", hours=(4, 19), svg="off", method="regions", corrections=1)
    plain = run_feeder(question).cases[0].facts
    more = run_feeder(replace(question, batteries=(CentreBattery(),))).cases[0].facts
    assert more["method"]["objective"] <= plain["method"]["objective"] * (1.0 + 1e-4)
    for facts in (plain, more):
        final = facts["final"]
        assert final["objective"] >= final["bound"] * (1.0 - 1e-6)
        assert final["by"] == "critical regions"


def test_given_draws_run_their_battery_by_the_posted_prices() -> None:
    question = FeederQuestion(
        feeder="two-bus", hours=(4, 19), svg="off", batteries=(CentreBattery(power_mw=0.02, energy_mwh=0.04),)
    )
    found = run_feeder(question).cases[0]
    assert found.charge_kw[0, 0] == pytest.approx(20.0)  # the cheap hour: as much as its power allows
    assert found.discharge_kw[1, 0] == pytest.approx(20.0 * 0.9)
    assert any(row.kind == "battery" and row.dual is None for row in found.duals)


def test_a_question_with_a_battery_comes_back_from_its_json() -> None:
    question = FeederQuestion(batteries=(CentreBattery("centre 740", 0.1, 0.4),))
    assert FeederQuestion.from_json(question.to_json()) == question
    old = {name: value for name, value in question.to_json().items() if name != "batteries"}
    assert FeederQuestion.from_json(old).batteries == ()
    assert question.edited(placed(question.feeder)).centres[0].battery is not None
