"""Voltages and losses: a line in closed form, PYPOWER's power flow, and states without a solution."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from pypower.api import ppoption, runpf

from engine.errors import QuestionError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting import cases
from engine.siting.ac_check import INTACT, SHARES, AcReport, ac_check, least_cost, proportional, worst_outages
from engine.siting.ac_flow import AcFlow, shunt_mw
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.defaults import starting_question
from engine.siting.prepare import hours_of
from tests.engine.grids import pypower_case

R, X = 0.02, 0.1  # of one of two equal circuits, per unit of 100 MVA
TWO = NetworkTables(
    name="two",
    buses=table_of(
        "buses", [{"bus": "1", "slack": True, "base_kv": 138.0, "load_mw": 50.0}, {"bus": "2", "base_kv": 138.0}]
    ),
    branches=table_of(
        "branches",
        [
            {
                "branch": name,
                "from_bus": "1",
                "to_bus": "2",
                "resistance_pu": R,
                "reactance_pu": X,
                "rating_a_mw": 300.0,
            }
            for name in ("a", "b")
        ],
    ),
    units=table_of(
        "units",
        [
            {
                "unit": "g",
                "bus": "1",
                "p_max_mw": 900.0,
                "q_min_mvar": -900.0,
                "q_max_mvar": 900.0,
                "cost_c1_per_mwh": 9.0,
            }
        ],
    ),
)


def filed(tables: NetworkTables) -> tuple[SitingCase, Contingencies]:
    network = Network.from_tables(tables)
    case = cases.as_filed(network)
    return case, Contingencies.of(Factors.of(network), Rule(), case)


def report(tables: NetworkTables, load_mw: float, **more: object) -> AcReport:
    case, contingencies = filed(tables)
    return ac_check(case, contingencies, 1, load_mw, 0, outages=[0], **more)


def line(mw: float, mvar: float, circuits: int) -> tuple[float, float]:
    """Voltage at the end of a line that is fed at 1 pu, and its losses in MW: the root of a quadratic in V²."""
    r, x, p, q = R / circuits, X / circuits, mw / 100, mvar / 100
    half = 0.5 - (p * r + q * x)
    square = half + np.sqrt(half**2 - (p**2 + q**2) * (r**2 + x**2))
    return float(np.sqrt(square)), float(100 * r * (p**2 + q**2) / square)


@pytest.mark.parametrize("power_factor", [1.0, 0.95])
def test_two_buses_in_closed_form(power_factor: float) -> None:
    seen: list[tuple[int, int]] = []
    found = report(TWO, 120.0, power_factor=power_factor, progress=lambda done, all_: seen.append((done, all_)))
    mvar = 120.0 * np.sqrt(1 / power_factor**2 - 1)
    for row, circuits in ((found.rows[1], 2), (found.rows[2], 1)):
        voltage, losses = line(120.0, mvar, circuits)
        assert row.status == "solved"
        assert row.site_voltage_pu == pytest.approx(voltage, abs=1e-8)
        assert row.least_voltage_pu == row.site_voltage_pu
        assert row.losses_mw == pytest.approx(losses, abs=1e-6)
        current = np.hypot(120.0, mvar) / voltage / circuits  # at the rating and 1 pu: 300 MVA
        sent = np.hypot(120.0 + losses, mvar + losses * X / R) / circuits
        assert row.loading == pytest.approx(max(current, sent) / 300.0, abs=1e-6)
    assert [row.words for row in found.rows] == ["no outage", "no outage", "the loss of line a"]
    assert [row.load_mw for row in found.rows] == [0.0, 120.0, 120.0]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_low_voltages_and_full_branches_are_flagged() -> None:
    found = report(TWO, 290.0, power_factor=0.95)
    # 290 MW over one circuit: 0.84 pu by the closed form, below 0.9, and more than 300 MVA.
    voltage, _ = line(290.0, 290.0 * np.sqrt(1 / 0.95**2 - 1), 1)
    row = found.rows[2]
    assert voltage < 0.9
    assert row.site_voltage_pu == pytest.approx(voltage, abs=1e-8)
    assert (row.below, row.above) == (1, 0)
    assert row.flags[0] == "1 bus is below the lowest voltage (0 without it)"
    assert row.flags[1].startswith("branch b carries 1")
    assert found.rows[0].flags == ()
    assert found.flagged == len([row for row in found.rows[1:] if row.flags])
    assert f"{found.flagged} of 2 states with 290 MW at bus 2 are flagged" in found.words()


def test_beyond_the_nose_of_the_curve_there_is_no_solution() -> None:
    # 0.5 - (PR + QX) must exceed |S||Z|: one circuit ends at about 407 MW with a power factor of 1.
    most = float(100 * 0.5 / (R + np.hypot(R, X)))
    weak = replace(TWO, branches=TWO.branches.assign(rating_a_mw=900.0))
    below, above = (report(weak, most + step, power_factor=1.0).rows[2] for step in (-2.0, 2.0))
    assert below.status == "solved"
    assert (above.status, above.flags) == ("no solution", ("no AC solution was found, at least cost or in proportion",))
    assert np.isnan(above.site_voltage_pu)
    whole = report(weak, most + 2.0, power_factor=1.0)
    again = AcReport.from_json(json.loads(json.dumps(whole.to_json(), allow_nan=False)))
    assert repr(again) == repr(whole)  # nan is not equal to nan


def test_a_moved_dispatch_is_told() -> None:
    # Two lossless circuits between held voltages of 1 pu carry V²/X = 2,000 MW at most. At least cost bus 2 makes its
    # least, 10 MW, of 2,500; by 20 % in proportion 264 MW, by 50 % 644 MW: 1,856 MW come over, the first that can.
    units = [
        {"unit": "g", "bus": "1", "p_max_mw": 4000.0, "cost_c1_per_mwh": 9.0},
        {"unit": "h", "bus": "2", "p_min_mw": 10.0, "p_max_mw": 4000.0, "cost_c1_per_mwh": 90.0},
    ]
    wide = [{**unit, "q_min_mvar": -9000.0, "q_max_mvar": 9000.0} for unit in units]
    tables = replace(
        TWO, branches=TWO.branches.assign(resistance_pu=0.0, rating_a_mw=4000.0), units=table_of("units", wide)
    )
    found = report(tables, 2500.0, power_factor=1.0)
    even = 10.0 + (2550.0 - 10.0) / (4000.0 + 3990.0) * 3990.0
    over = {share: 2500.0 - share * 10.0 - (1.0 - share) * even for share in SHARES}
    assert [share for share in SHARES if over[share] < 2000.0] == [0.5, 0.0]
    base, moved, lost = found.rows
    assert (base.share, base.flags) == (1.0, ())
    assert (moved.status, moved.share) == ("solved", 0.5)
    assert moved.flags[0].startswith("dispatch 50 % least-cost: less moved has no AC solution")
    assert "DC limits may be broken" in moved.flags[0]
    sine = over[0.5] / 2000.0
    apparent = 2000.0 * np.hypot(sine, 1.0 - np.sqrt(1.0 - sine**2))  # Q = V²/X (1 - cos δ)
    assert moved.loading == pytest.approx(apparent / 2 / 4000.0, abs=1e-6)
    assert lost.status == "no solution"  # one circuit carries 1,000 MW, and in proportion 1,222 MW come over
    assert found.words().endswith("losses without an outage change by +0.0 MW, in part because the dispatch was moved")
    assert any("moved towards one in proportion" in notice for notice in found.notices)
    given = report(tables, 2500.0, power_factor=1.0, dispatch=lambda _, load: np.array([load + 40.0, 10.0]))
    assert given.rows[1].status == "no solution"  # somebody else's is taken as it is
    assert not any("moved" in notice for notice in given.notices)


def test_what_is_lost_makes_nothing_in_a_proportional_dispatch() -> None:
    case, contingencies = filed(library.load("rts24"))
    unit = int(contingencies.units[0])
    at = next(one for one in range(len(contingencies)) if contingencies.unit(one) == unit)
    asked = least_cost(case, contingencies, 3, 0)(at, 0.0)
    even = proportional(case, contingencies, 0, at, asked)
    least, largest = case.least_mw[0], case.largest_mw[0]
    others = (np.arange(len(even)) != unit) & (largest > least)
    part = (even - least)[others] / (largest - least)[others]
    assert even[unit] == 0.0
    assert even.sum() == pytest.approx(asked.sum(), abs=1e-6)
    np.testing.assert_allclose(part, part[0], rtol=1e-9)


def test_a_base_that_fails_is_told() -> None:
    # Two circuits end at 100 / 2 / (R / 2 + |Z| / 2) = 820 MW with a power factor of 1: the base draws 850 MW.
    weak = replace(TWO, branches=TWO.branches.assign(rating_a_mw=900.0), buses=TWO.buses.assign(load_mw=[0.0, 850.0]))
    found = report(weak, 10.0, power_factor=1.0)
    assert found.rows[0].status == "no solution"
    assert found.words().endswith("the base without the load has no AC solution: this says nothing of the site")
    tight = report(replace(weak, branches=TWO.branches.assign(rating_a_mw=100.0)), 10.0)
    assert tight.rows[0].status == "no dispatch"
    assert tight.words().endswith("the base without the load has no DC dispatch: this says nothing of the site")


def test_synthetic_texas_has_an_operating_point_in_the_hour_that_its_study_opens_with() -> None:
    # The last hour of the question that a study of it opens with, 65 GW, without a new load. It takes about 3 s.
    network = Network.from_tables(library.load("texas-2020"))
    question = starting_question(network)
    case = hours_of(question, network, hours=question.hours[-1:])
    contingencies = Contingencies.of(Factors.of(case.network), question.rule, case)
    asked = least_cost(case, contingencies, 0, 0)(INTACT, 0.0)
    found = AcFlow.of(case, 0, 0).solve(asked, (0.0, 0.0), ())
    assert found is not None
    assert found.status == "solved"
    load = (case.demand_mw[0] - shunt_mw(case.network)).sum()
    shunts = (shunt_mw(case.network) * found.voltage_pu**2).sum()
    assert found.losses_mw > 0.0
    assert found.output_mw.sum() == pytest.approx(load + shunts + found.losses_mw, abs=1e-3)  # power is conserved
    assert (found.output_mw <= case.largest_mw[0] + 1.0).all()
    assert found.beyond_mw == 0.0
    # Losses are not all at one unit: what each makes more is its part of the room that was left.
    more = found.output_mw - asked
    room = np.where(asked > 1e-6, case.largest_mw[0] - asked, 0.0)
    np.testing.assert_allclose(more, room * found.losses_mw / room.sum(), atol=2.0)
    voltage = found.voltage_pu[case.network.buses.in_service]
    assert voltage.min() > 0.9
    assert voltage.max() < 1.1
    units = case.network.tables.units
    inside = (found.reactive_mvar >= units["q_min_mvar"] - 0.1) & (found.reactive_mvar <= units["q_max_mvar"] + 0.1)
    assert inside[(asked > 1e-6) & (np.arange(len(asked)) != found.reference)].all()


def test_a_unit_stays_at_its_reactive_limit() -> None:
    helper = {"unit": "h", "bus": "2", "p_max_mw": 10.0, "p_min_mw": 10.0, "q_min_mvar": -5.0, "q_max_mvar": 5.0}
    two = replace(TWO, units=table_of("units", [*TWO.units.to_dict("records"), helper]))
    found = report(two, 110.0, power_factor=0.95).rows[1]
    # 10 MW and 5 Mvar of the load are made at its bus.
    voltage, losses = line(100.0, 110.0 * np.sqrt(1 / 0.95**2 - 1) - 5.0, 2)
    assert (found.status, found.at_reactive_limit) == ("solved", 1)
    assert found.site_voltage_pu == pytest.approx(voltage, abs=1e-7)
    assert found.losses_mw == pytest.approx(losses, abs=1e-6)
    wide = replace(two, units=two.units.assign(q_min_mvar=-900.0, q_max_mvar=900.0))
    assert report(wide, 110.0).rows[1].site_voltage_pu == pytest.approx(1.0)


def test_units_beyond_their_reactive_limits_are_told_with_how_far() -> None:
    # 840 MW come over two circuits, more than the 820 MW that they bring to a voltage nobody holds; where it is held
    # with 1 pu at both ends, P + jQ = ((e^{jδ} - 1) / (R + jX))* is received, and the unit makes the Q that it lacks.
    units = [
        {**TWO.units.to_dict("records")[0], "p_max_mw": 2000.0},
        {"unit": "h", "bus": "2", "p_max_mw": 10.0, "p_min_mw": 10.0, "q_min_mvar": -5.0, "q_max_mvar": 5.0},
    ]
    two = replace(TWO, units=table_of("units", units), branches=TWO.branches.assign(rating_a_mw=900.0))
    found = report(two, 850.0, power_factor=1.0).rows[1]
    angle = np.linspace(0.0, np.pi / 2, 2_000_001)
    received = 100.0 * np.conj((np.exp(1j * angle) - 1.0) / complex(R / 2, X / 2))
    made = -float(received.imag[np.abs(received.real - 840.0).argmin()])
    assert (found.status, found.share) == ("beyond reactive limits", 1.0)
    wanted = f"solved only with units beyond their reactive limits, most by {made - 5.0:.0f} Mvar: unit h at bus 2"
    assert found.flags[0] == wanted


def test_states_without_a_dispatch_are_told() -> None:
    tight = replace(TWO, branches=TWO.branches.assign(rating_a_mw=100.0))
    found = report(tight, 150.0)
    assert [row.status for row in found.rows] == ["solved", "solved", "no dispatch"]
    assert found.rows[2].flags == ("no DC dispatch keeps every limit",)
    given = report(tight, 150.0, dispatch=lambda _, load: np.array([load]))
    assert given.rows[2].status == "solved"  # somebody else's dispatch is taken as it is
    assert given.rows[0].status == "no solution"  # no unit runs in it


@pytest.mark.parametrize(("name", "theirs"), [("rts24", "case24_ieee_rts"), ("ieee118", "case118")])
def test_pypower_finds_the_same_voltages_and_losses(name: str, theirs: str) -> None:
    case, contingencies = filed(library.load(name))
    bus, load, outage = 7, 40.0, 5
    dispatch = least_cost(case, contingencies, bus, 0)(outage, load)
    lost = contingencies.branches(outage)
    found = AcFlow.of(case, 0, bus).solve(dispatch, (load, 10.0), lost)
    assert found.status == "solved"
    ppc = pypower_case(theirs)
    ppc["bus"][bus, 2:4] += load, 10.0
    ppc["branch"][list(lost), 10] = 0
    gen = ppc["gen"]
    row_of = {int(number): row for row, number in enumerate(ppc["bus"][:, 0])}
    gen[:, 1] = found.output_mw
    gen[:, 2] = found.reactive_mvar
    gen[:, 7] = np.abs(dispatch) > 1e-6
    if (ppc["bus"][:, 7] != 1.0).any():  # voltages are filed: that of the bus is held
        gen[:, 5] = ppc["bus"][[row_of[int(number)] for number in gen[:, 0]], 7]
    kv = ppc["bus"][[[row_of[int(end)] for end in pair] for pair in ppc["branch"][:, :2]], 9]
    ppc["branch"][(ppc["branch"][:, 8] != 0) | (kv[:, 0] != kv[:, 1]), 4] = 0.0  # charging of transformers
    ppc["bus"][:, 1] = 1  # every bus holds its load; those of running units hold voltages, but for units at a limit
    held = (gen[:, 7] > 0) & ~found.at_limit
    for place in np.flatnonzero(held):
        ppc["bus"][row_of[int(gen[place, 0])], 1] = 2
    ppc["bus"][row_of[int(gen[found.reference, 0])], 1] = 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PYPOWER, about sparse formats
        solved, success = runpf(ppc, ppoption(VERBOSE=0, OUT_ALL=0, PF_TOL=1e-9))
    assert success
    np.testing.assert_allclose(found.voltage_pu, solved["bus"][:, 7], atol=1e-5)
    losses = (solved["branch"][:, 13] + solved["branch"][:, 15]).sum()
    assert found.losses_mw == pytest.approx(losses, abs=0.01)
    units = case.network.tables.units
    inside = (found.reactive_mvar >= units["q_min_mvar"] - 0.1) & (found.reactive_mvar <= units["q_max_mvar"] + 0.1)
    assert inside[(gen[:, 7] > 0) & (np.arange(len(gen)) != found.reference)].all()


def test_the_worst_outages_are_the_worst() -> None:
    # Each network is made anew without what is lost, and its flows are worked out without outage factors.
    case, contingencies = filed(library.load("rts24"))
    network = case.network
    dispatch = least_cost(case, contingencies, 3, 0)(INTACT, 30.0)
    drawn = case.demand_mw[0].copy()
    drawn[3] += 30.0
    loading = []
    for contingency in range(len(contingencies)):
        branches, output = network.tables.branches, dispatch.copy()
        unit, lost = contingencies.unit(contingency), contingencies.branches(contingency)
        if unit >= 0:
            room = np.maximum(case.largest_mw[0] - dispatch, 0.0)
            room[unit], output[unit] = 0.0, 0.0
            output += dispatch[unit] * room / room.sum()
        else:
            branches = branches.assign(in_service=~branches.index.isin(lost))
        left = Network.from_tables(network.tables.with_table("branches", branches))
        made = np.bincount(network.units.bus, output, len(network.buses.ids))
        loading.append(float((np.abs(Factors.of(left).flows(made - drawn)) / network.branches.rating_a_mw).max()))
    found = worst_outages(case, contingencies, 3, 30.0, 0, dispatch)
    distinct = contingencies.distinct.tolist()
    wanted = sorted(distinct, key=lambda contingency: -loading[contingency])[:10]
    np.testing.assert_allclose([loading[k] for k in found], [loading[k] for k in wanted], rtol=1e-9)


def test_what_cannot_be_looked_at_is_refused() -> None:
    case, contingencies = filed(TWO)
    with pytest.raises(QuestionError, match="bus position 2"):
        ac_check(case, contingencies, 2, 10.0, 0)
    for hour, load, power_factor in ((1, 10.0, 0.98), (0, -1.0, 0.98), (0, 10.0, 0.0)):
        with pytest.raises(QuestionError, match="an AC check needs"):
            ac_check(case, contingencies, 1, load, hour, power_factor=power_factor)
