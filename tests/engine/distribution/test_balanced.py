"""Radial networks as balanced feeders: the published flow of 33 buses, MATPOWER's branch by pypower, refusals."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.distribution.balanced import balanced, ieee33
from engine.distribution.feeder import Feeder
from engine.distribution.frames import Draws, Frame
from engine.distribution.layout import layout
from engine.distribution.linear import BranchEquations, FlowState, LinearFlow, Point
from engine.distribution.opendss import ac_flow
from engine.errors import NetworkDataError
from engine.network import library
from engine.network.tables import NetworkTables, table_of
from tests.engine.distribution.sweep import sweep


def linear(feeder: Feeder) -> FlowState:
    frame = Frame.of(feeder)
    rows = (*feeder.loads, *feeder.capacitors)
    branches = BranchEquations.of(frame, Point.reference(frame))
    flow = LinearFlow.of(branches, Draws.of(frame, rows), np.ones(len(rows)))
    return flow.solve(np.zeros(frame.size), np.zeros(frame.size))


def changed(tables: NetworkTables, table: str, row: int, **cells: Any) -> NetworkTables:
    frame = tables.table(table).copy()
    for column, value in cells.items():
        frame.loc[row, column] = value
    return replace(tables, **{table: frame})


def bus(name: str, **cells: Any) -> dict[str, Any]:
    return {"bus": name, "base_kv": 12.66, **cells}


def branch(one: str, other: str, **cells: Any) -> dict[str, Any]:
    plain = {"branch": f"{one}-{other}", "from_bus": one, "to_bus": other, "resistance_pu": 0.02, "reactance_pu": 0.05}
    return plain | cells


# 110 kV over a transformer with a tap to 20 kV, a second one fed from its to side, charging, and every kind of shunt.
MIXED = NetworkTables(
    name="mixed",
    base_mva=25.0,
    buses=table_of("buses", [
        bus("S", base_kv=110.0, slack=True, voltage_pu=1.0),
        bus("M", base_kv=20.0, load_mw=4.0, load_mvar=1.5, shunt_mvar=1.2),
        bus("N", base_kv=20.0, load_mw=3.0, load_mvar=1.0, shunt_mw=0.2, shunt_mvar=-0.3, v_min_pu=0.94),
        bus("L", base_kv=10.0, load_mw=2.0, load_mvar=0.8, v_max_pu=1.06),
    ]),
    branches=table_of("branches", [
        branch("S", "M", kind="transformer", tap_ratio=0.97, rating_a_mw=25.0, resistance_pu=0.004, reactance_pu=0.1),
        branch("M", "N", charging_pu=0.03, rating_a_mw=9.0),
        branch("L", "N", kind="transformer", tap_ratio=1.05, rating_a_mw=5.0, resistance_pu=0.02, reactance_pu=0.3),
    ]),
    units=table_of("units", [{"unit": "S-1", "bus": "S", "p_max_mw": 25.0, "q_max_mvar": 9.0, "voltage_pu": 1.02}]),
)  # fmt: skip


def test_the_published_flow_of_33_buses() -> None:
    """Baran and Wu 1989, as solved since: 202.677 kW and 135.141 kvar lost, 0.91309 p.u. at bus 18."""
    feeder = ieee33()
    flow = ac_flow(feeder, constant_power=True)
    assert flow.total_loss_kva.real == pytest.approx(202.677, abs=1e-3)
    assert flow.total_loss_kva.imag == pytest.approx(135.141, abs=1e-3)
    lowest = flow.magnitude_pu.min(axis=1)
    assert lowest.min() == pytest.approx(0.91309, abs=1e-5)
    assert feeder.buses[int(lowest.argmin())].name == "18"
    assert np.ptp(flow.magnitude_pu, axis=1).max() < 1e-6
    swept = sweep(feeder)
    assert swept.loss_kva == pytest.approx(202.677 + 135.141j, abs=1e-3)


def test_33_buses_have_the_published_totals_and_no_tie_lines() -> None:
    feeder = ieee33()
    assert (len(feeder.buses), len(feeder.links), feeder.source_bus, feeder.source_pu) == (33, 32, "1", 1.0)
    assert sum(load.kw for load in feeder.loads) == pytest.approx(3715.0)
    assert sum(load.kvar for load in feeder.loads) == pytest.approx(2300.0)
    assert feeder.lines[0].r_ohm[1][1] == pytest.approx(0.0922)  # of the paper's table, as the next
    assert feeder.lines[0].x_ohm[2][2] == pytest.approx(0.0470)
    assert (feeder.v_min_pu, feeder.v_max_pu) == (0.9, 1.1)
    assert "Baran" in feeder.origin


def test_the_linear_flow_is_lindistflow_and_a_little_above_the_ac_flow() -> None:
    feeder = ieee33()
    table = library.load("ieee33")
    mva = dict(zip(table.buses["bus"], table.buses["load_mw"] + 1j * table.buses["load_mvar"], strict=True))
    rows = table.branches[table.branches["in_service"]]
    below: dict[str, list[tuple[str, complex]]] = {name: [] for name in mva}
    for one, other, r, x in zip(
        rows["from_bus"], rows["to_bus"], rows["resistance_pu"], rows["reactance_pu"], strict=True
    ):
        below[one].append((other, complex(r, x) / table.base_mva))

    def drawn(name: str) -> complex:
        return mva[name] + sum(drawn(other) for other, _ in below[name])

    v = {"1": 1.0}

    def go_down(name: str) -> None:
        for other, z in below[name]:
            power = drawn(other)
            v[other] = v[name] - 2.0 * (z.real * power.real + z.imag * power.imag)
            go_down(other)

    go_down("1")
    frame, state = Frame.of(feeder), linear(feeder)
    np.testing.assert_allclose(state.v, [v[name] for name, _ in frame.nodes], atol=1e-12)
    exact = dict(
        zip([each.name for each in feeder.buses], ac_flow(feeder).magnitude_pu.min(axis=1).tolist(), strict=True)
    )
    above = np.array([np.sqrt(v[name]) - exact[name] for name in v if name != "1"])
    assert (above > 0.0).all()
    assert above.max() < 0.01


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")  # inside pypower
def test_taps_charging_and_shunts_are_those_of_matpower() -> None:
    """pypower solves MATPOWER's branch model: voltages and losses of transformers with taps at either end."""
    from pypower.api import ppoption, runpf  # noqa: PLC0415 - a slow import

    from engine.network.matpower_writer import write_matpower  # noqa: PLC0415
    from tests.engine.grids import parsed  # noqa: PLC0415

    case = parsed(write_matpower(MIXED))
    case["gen"][:, 5] = 1.02
    theirs, success = runpf(case, ppoption(VERBOSE=0, OUT_ALL=0))
    assert success
    feeder = balanced(MIXED)
    flow = ac_flow(feeder)
    np.testing.assert_allclose(flow.magnitude_pu, np.tile(theirs["bus"][:, [7]], 3), atol=1e-5)
    lost = 1000.0 * (theirs["branch"][:, 13:17:2] + 1j * theirs["branch"][:, 14:17:2]).sum()
    assert flow.total_loss_kva == pytest.approx(lost, rel=1e-3)
    given = 1000.0 * complex(theirs["gen"][0, 1], theirs["gen"][0, 2])
    assert flow.source_kva == pytest.approx(given, rel=1e-4)
    assert linear(feeder).voltage_pu.min() == pytest.approx(theirs["bus"][:, 7].min(), abs=0.02)


def test_limits_and_ratings_are_converted() -> None:
    feeder = balanced(MIXED)
    assert (feeder.v_min_pu, feeder.v_max_pu) == (0.94, 1.06)  # the narrowest
    assert feeder.lines[0].rating_a == pytest.approx(9000.0 / (np.sqrt(3.0) * 20.0))
    assert [link.kva for link in feeder.transformers] == [25_000.0, 5_000.0]
    assert feeder.transformers[0].from_kv == pytest.approx(0.97 * 110.0)
    assert feeder.source_pu == 1.02


def test_places_are_the_tables_own_or_left_to_the_tidy_layout() -> None:
    assert not layout(ieee33()).own
    placed = changed(changed(MIXED, "buses", 0, x=0.0, y=0.0), "buses", 1, x=100.0, y=40.0)
    feeder = balanced(placed)
    assert (feeder.buses[1].x, feeder.buses[1].y) == (100.0, -40.0)  # a canvas counts downwards
    assert layout(feeder).own  # the others stand beside their neighbours


def test_what_is_out_of_service_is_left_out() -> None:
    off = changed(changed(MIXED, "buses", 3, in_service=False), "units", 0, in_service=False)
    feeder = balanced(off)
    assert [each.name for each in feeder.buses] == ["S", "M", "N"]
    assert [link.name for link in feeder.links] == ["M-N", "S-M"]
    assert feeder.source_pu == 1.0  # the slack bus's own voltage


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (changed(library.load("ieee33"), "branches", 33, in_service=True), "9-15 closes a loop of"),
        (changed(library.load("ieee33"), "buses", 4, base_kv=0.0), "bus 5 has no base voltage"),
        (changed(MIXED, "branches", 0, shift_deg=-30.0), "S-M shifts the phase by -30 deg"),
        (changed(MIXED, "branches", 0, rating_a_mw=np.inf), "S-M is a transformer without a rating A"),
        (changed(MIXED, "branches", 2, charging_pu=0.1), "L-N is a transformer with a charging of 0.1 pu"),
        (changed(MIXED, "units", 0, bus="N"), "unit S-1 at bus N can give power beside the slack bus, S"),
        (changed(MIXED, "branches", 1, in_service=False), "no branch in service leads to the main network"),
        (changed(MIXED, "buses", 0, slack=False), "no bus is the slack bus"),
        (changed(MIXED, "buses", 2, v_min_pu=1.07), "is not below the highest"),
        (changed(MIXED, "branches", 1, to_bus="Q"), "'Q', which is not there"),
        (replace(MIXED, base_mva=0.0), "the base power is 0 MVA"),
        (NetworkTables(), "the network has no buses"),
    ],
)  # fmt: skip
def test_what_no_balanced_feeder_can_be_is_refused_by_name(tables: NetworkTables, said: str) -> None:
    with pytest.raises(NetworkDataError) as refusal:
        balanced(tables)
    assert said in " ".join(problem.message for problem in refusal.value.problems)


def test_every_reason_is_given_at_once() -> None:
    """IEEE 14 is meshed with five units; three transformers have taps and none of its branches a rating."""
    with pytest.raises(NetworkDataError) as refusal:
        balanced(library.load("ieee14"))
    found = [problem.code for problem in refusal.value.problems]
    assert (found.count("second-source"), found.count("no-rating"), found.count("loop")) == (4, 3, 7)  # 20 - 14 + 1
