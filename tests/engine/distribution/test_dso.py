"""The operator's optimum and its prices: closed forms, an independent model, finite differences, and laws."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from engine.distribution.case import FeederCase
from engine.distribution.dlmp import dual_range
from engine.distribution.dso import DsoResult, dispatch, price_range
from engine.distribution.feeder import (
    Battery,
    Compensator,
    DataCentre,
    Feeder,
    FeederBus,
    Generator,
    Load,
)
from engine.distribution.frames import Frame
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import BranchEquations
from engine.distribution.metrics import magnitude_unbalance
from engine.errors import InfeasibleError, NetworkDataError, QuestionError
from tests.engine.distribution.test_linear import ac_of, draws_of, flow_of, scale_of
from tests.engine.distribution.toys import line, random_tree, three_wire, two_bus, with_devices


def case_of(feeder: Feeder, price: float = 40.0, **more: object) -> FeederCase:
    return FeederCase.of(feeder, [price], **more)


def one_bus_for_the_sign_trap() -> Feeder:
    """Numbers of the specification's toy: substation 20 $/MWh, a generator of 50 $/MWh on phase a alone.

    With v_min binding on phase a, mu (2 r_aa) = 50 - 20. Mutual r = r_aa / 3 and x_ab : x_ac : r_aa = 15 : 12.5 : 15.
    """
    x = np.array([[0.6, 0.3, 0.25], [0.3, 0.6, 0.2], [0.25, 0.2, 0.6]])
    r = np.array([[0.3, 0.1, 0.1], [0.1, 0.3, 0.1], [0.1, 0.1, 0.3]])
    loads = tuple(
        Load(f"load {phase}", "end", phase, kw, 0.0) for phase, kw in zip("abc", (1300, 200, 200), strict=True)
    )
    return Feeder(
        "sign trap", "four", "source", (FeederBus("source", 4.16), FeederBus("end", 4.16)),
        lines=(line("line", ("source", "end"), r + 1j * x),), loads=loads,
        generators=(Generator("on a", "end", 1000.0, "a", cost_per_mwh=50.0),),
    )  # fmt: skip


def test_prices_of_the_three_phases_under_a_limit_on_one_are_the_published_ones() -> None:
    """(50, 40.98, -6.65) $/MWh; with rows and columns of M exchanged it would be (50, -10.98, 36.65)."""
    result = dispatch(case_of(one_bus_for_the_sign_trap(), 20.0))
    end = result.frame.at("end", "abc")
    assert result.v[0, end[0]] == pytest.approx(0.95**2)
    assert result.prices.active_per_mwh[0, end] == pytest.approx([50.0, 40.98, -6.65], abs=5e-3)
    assert result.prices.active.energy[0, end] == pytest.approx([20.0] * 3)
    assert result.prices.active.voltage[0, end] == pytest.approx([30.0, 20.98, -26.65], abs=5e-3)
    assert not result.violations


def test_two_buses_under_a_voltage_limit_have_the_closed_form() -> None:
    """v_min binds: the generator gives what is missing; its price sets mu = (c - c0) / (2 r), and lambda_q = 2 x mu."""
    r, x = 1.2, 1.8
    generator = Generator("g", "end", 2000.0, "a", cost_per_mwh=60.0, slope_per_mw2h=10.0)
    load = Load("load", "end", "a", 2000.0, 1500.0)
    result = dispatch(case_of(two_bus(r, x, loads=(load,), generators=(generator,))))
    needed = ((2 * r * 2.0 + 2 * x * 1.5) / 100.0 - (1 - 0.95**2)) * 100.0 / (2 * r)
    price = 60.0 + 10.0 * needed
    assert result.generator_mw[0, 0] == pytest.approx(needed, abs=1e-7)
    assert result.prices.active_per_mwh[0, 1] == pytest.approx(price, abs=1e-5)
    assert result.prices.reactive_per_mvarh[0, 1] == pytest.approx((price - 40.0) * x / r, abs=1e-5)
    assert result.cost_per_h[0] == pytest.approx(40.0 * (2.0 - needed) + 60 * needed + 5 * needed**2, abs=1e-6)


def test_two_buses_under_a_line_limit_have_the_closed_form() -> None:
    """P <= 1.6 MW of 2: 0.4 MW from the generator at 70; congestion is 70 - 40, none of it voltage."""
    generator = Generator("g", "end", 2000.0, "a", cost_per_mwh=70.0)
    limited = two_bus(loads=(Load("load", "end", "a", 2000.0, 0.0),), generators=(generator,), v_min_pu=0.5)
    limited = replace(limited, lines=(replace(limited.lines[0], rating_a=160.0),))  # 10 kV to earth: 1.6 MVA
    result = dispatch(case_of(limited), options=DsoOptions(line_limits="active"))
    assert result.generator_mw[0, 0] == pytest.approx(0.4, abs=1e-7)
    assert result.prices.active.congestion[0, 1] == pytest.approx(30.0, abs=1e-6)
    assert result.prices.active_per_mwh[0, 1] == pytest.approx(70.0, abs=1e-6)


def test_a_polygon_lies_inside_its_circle() -> None:
    """Twelve sides: the flow stays within the rating, and reaches at least its cosine of 15 degrees."""
    generator = Generator("g", "end", 2000.0, "a", cost_per_mwh=70.0)
    limited = two_bus(loads=(Load("load", "end", "a", 2000.0, 400.0),), generators=(generator,), v_min_pu=0.5)
    limited = replace(limited, lines=(replace(limited.lines[0], rating_a=160.0),))
    result = dispatch(case_of(limited))
    used = abs(result.flow_mva[0, 0])
    assert 1.6 * np.cos(np.pi / 12) - 1e-7 <= used <= 1.6 + 1e-7
    assert not result.violations


def test_a_limit_that_nothing_can_keep_is_exceeded_at_the_stated_price_and_reported() -> None:
    """No generator: v is 1 - (2 r P + 2 x Q) / 100 whatever is decided, and the penalty is its price times the rest."""
    heavy = two_bus(1.2, 1.8, loads=(Load("load", "end", "a", 4000.0, 2000.0),))
    result = dispatch(case_of(heavy), options=DsoOptions(limit_price_per_mwh=10_000.0))
    v = 1.0 - (2 * 1.2 * 4.0 + 2 * 1.8 * 2.0) / 100.0
    (violation,) = result.violations
    assert (violation.element, violation.phase, violation.limit) == ("end", "a", 0.95)
    assert violation.value == pytest.approx(np.sqrt(v))
    # One MW mends 2 r / 100 of v.
    assert result.penalty_per_h[0] == pytest.approx(10_000.0 * (0.95**2 - v) * 100.0 / (2 * 1.2), rel=1e-8)
    assert result.prices.active_per_mwh[0, 1] == pytest.approx(40.0 + 10_000.0, rel=1e-6)
    assert result.cost_per_h[0] == pytest.approx(160.0)


def feeders() -> list[Feeder]:
    """A limit of voltage binds on four wires; of voltage between phases on three; of a line's current."""
    one = with_devices(random_tree(2), "low", p_max_kw=900.0)
    one = replace(one, compensators=(Compensator("svg", "low", 40.0),))
    two = with_devices(three_wire(600.0), "three")
    lines = tuple(replace(each, rating_a=110.0) if each.name == "line b0" else each for each in one.lines)
    return [
        replace(one, v_min_pu=0.99),
        replace(two, compensators=(Compensator("svg", "two", 60.0),), v_min_pu=1.0, v_max_pu=1.04),
        replace(one, v_min_pu=0.98, lines=lines),
    ]


def total_cost(feeder: Feeder, point: object, extra: tuple[str, str, float, float] | None = None) -> float:
    """Least cost with some kW and kvar more on one node."""
    if extra is not None:
        bus, phase, kw, kvar = extra
        feeder = replace(feeder, loads=(*feeder.loads, Load("extra", bus, phase, kw, kvar)))
    result = dispatch(case_of(feeder), [[150.0]], DsoOptions(), point)  # type: ignore[arg-type]
    return float(result.cost_per_h[0] + result.penalty_per_h[0])


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_prices_are_the_finite_differences_of_the_least_cost(which: int, corrected: bool) -> None:
    feeder = feeders()[which]
    point = ac_of(feeder).point if corrected else None
    result = dispatch(case_of(feeder), [[150.0]], DsoOptions(), point)
    prices = result.prices
    binding = np.abs(prices.active.congestion if which == 2 else prices.active.voltage)
    assert binding.max() > 1.0, "the case must have a limit that binds"
    step = 0.2  # kW
    for node in np.linspace(result.frame.roots, result.frame.size - 1, 3).astype(int).tolist():
        bus, phase = result.frame.nodes[node]
        up, down = (total_cost(feeder, point, (bus, phase, sign * step, 0.0)) for sign in (1, -1))
        assert prices.active_per_mwh[0, node] == pytest.approx((up - down) / (2 * step / 1000.0), abs=2e-3)
        up, down = (total_cost(feeder, point, (bus, phase, 0.0, sign * step)) for sign in (1, -1))
        assert prices.reactive_per_mvarh[0, node] == pytest.approx((up - down) / (2 * step / 1000.0), abs=2e-3)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_optimum_and_prices_are_those_of_an_independent_model(which: int) -> None:
    """cvxpy and Clarabel, written from the tables: states eliminated by dense algebra, prices from the chain rule."""
    feeder = feeders()[which]
    result = dispatch(case_of(feeder), [[150.0]])
    flow = flow_of(feeder)
    size, roots = flow.frame.size, flow.frame.roots
    inverse = np.linalg.inv(flow.matrix.toarray())
    share = flow.frame.share(feeder.generators[0])
    tan = feeder.centres[0].kvar_per_kw
    fixed = 0.15 * flow.frame.share(feeder.centres[0])
    nodes = flow.frame.at(feeder.compensators[0].bus, "abc")
    generator = feeder.generators[0]
    p, q, svg = cp.Variable(), cp.Variable(), cp.Variable(3)
    drawn_p, drawn_q = cp.Variable(size), cp.Variable(size)
    give = np.zeros((size, 3))
    give[nodes, np.arange(3)] = 1.0
    active = drawn_p == fixed - share * p
    reactive = drawn_q == tan * fixed - share * q - give @ svg
    state = inverse @ (flow.constant + cp.hstack([np.zeros(size), drawn_p, drawn_q]))
    v = state[roots:size]
    supply = cp.sum(state[3 * size - 2 * roots : 3 * size - roots])
    low, high = cp.Variable(size - roots, nonneg=True), cp.Variable(size - roots, nonneg=True)
    constraints = [
        active, reactive, v + low >= feeder.v_min_pu**2, v - high <= feeder.v_max_pu**2,
        p >= 0, p <= generator.p_max_kw / 1000, q >= -0.1, q <= 0.1,
        cp.abs(svg) <= feeder.compensators[0].kvar / 1000,
    ]  # fmt: skip
    cost = 40 * supply + generator.cost_per_mwh * p + generator.slope_per_mw2h / 2 * p**2
    cost += result.voltage_price_per_pu2 * cp.sum(low + high)
    flows, over = size - roots, []
    for branch in flow.frame.branches:
        if np.isfinite(branch.rating_mva):
            slots = size + branch.below - roots
            for place in range(len(slots)):
                slack = cp.Variable(nonneg=True)
                over.append(slack)
                for side in range(12):
                    angle = np.pi / 6 * (side + 0.5)
                    seen = np.cos(angle) * state[slots[place]] + np.sin(angle) * state[slots[place] + flows]
                    constraints.append(seen <= branch.rating_mva * np.cos(np.pi / 12) + slack)
    cost += 10_000 * sum(over) if over else 0
    problem = cp.Problem(cp.Minimize(cost), constraints)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    assert result.cost_per_h[0] + result.penalty_per_h[0] == pytest.approx(problem.value, abs=1e-6)
    assert result.generator_mw[0, 0] == pytest.approx(float(p.value), abs=1e-5)
    # cvxpy's Lagrangian adds dual times (left - right), and more drawn stands on the left.
    assert result.prices.active_per_mwh[0] == pytest.approx(-active.dual_value, abs=1e-4)
    assert result.prices.reactive_per_mvarh[0] == pytest.approx(-reactive.dual_value, abs=1e-4)


def test_power_is_balanced_with_losses() -> None:
    """Supply and generation meet loads, data centres and losses; parts of all prices add up (checked in the run)."""
    feeder = feeders()[0]
    result = dispatch(case_of(feeder), [[150.0]], points=ac_of(feeder).point)
    drawn = (result.drawn_mva + result.withdrawal_mva()).sum() + result.loss_mva[0]
    assert complex(result.supply_mw[0], result.supply_mvar[0]) == pytest.approx(drawn, abs=1e-8)
    assert result.loss_mva[0].real > 0.0
    assert result.prices.active.total == pytest.approx(result.prices.active_per_mwh, abs=1e-6)
    assert np.abs(result.prices.active.loss).max() > 0.1


@pytest.mark.parametrize("kw", [0.0, 200.0, 400.0])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_static_var_generators_never_raise_the_cost(which: int, kw: float) -> None:
    """The set of choices without them is part of the set with them, for the same loads."""
    case = case_of(feeders()[which])
    with_them, without = (dispatch(case, [[kw]], DsoOptions(compensators=on)) for on in (True, False))
    costs = [(each.cost_per_h + each.penalty_per_h)[0] for each in (with_them, without)]
    assert costs[0] <= costs[1] + 1e-7
    assert without.compensator_mvar == pytest.approx(np.zeros_like(without.compensator_mvar), abs=1e-9)


def with_battery(feeder: Feeder) -> Feeder:
    battery = Battery(400.0, 100.0, charge_efficiency=0.9, discharge_efficiency=0.8, initial_share=0.5)
    centre = DataCentre("store", "end", 50.0, 1.0, 300.0, phases="a", battery=battery)
    return replace(feeder, centres=(centre,))


def test_a_battery_moves_what_its_efficiencies_allow_from_cheap_to_dear_hours() -> None:
    """Two hours, 20 then 100 $/MWh: 100 kW for an hour keeps 90 kWh, which give 72: 2 $ bought, 7.2 $ saved."""
    case = FeederCase.of(with_battery(two_bus()), [20.0, 100.0])
    idle = dispatch(case, [[60.0], [60.0]])
    used = dispatch(case, [[60.0], [60.0]], DsoOptions(operate_batteries=True))
    assert used.battery_mw[:, 0] == pytest.approx([0.1, -0.072], abs=1e-7)
    assert used.battery_mwh[:, 0] == pytest.approx([0.29, 0.2], abs=1e-7)
    assert idle.cost_per_h.sum() - used.cost_per_h.sum() == pytest.approx(7.2 - 2.0, abs=1e-6)
    assert not idle.battery_mw.any()


def test_hours_joined_by_an_unused_battery_have_the_prices_of_hours_alone() -> None:
    case = FeederCase.of(with_battery(two_bus()), [50.0, 50.0, 50.0], [0.5, 1.0, 0.7])
    alone, joined = (dispatch(case, None, DsoOptions(operate_batteries=on)) for on in (False, True))
    assert joined.prices.active_per_mwh == pytest.approx(alone.prices.active_per_mwh, abs=1e-6)
    assert joined.cost_per_h == pytest.approx(alone.cost_per_h, abs=1e-6)


def duplicate_limits() -> DsoResult:
    """Two generators at the same cost behind a limit that both sides of the optimum touch: the price is a range."""
    generator = Generator("g", "end", 500.0, "a", cost_per_mwh=70.0)
    limited = two_bus(loads=(Load("load", "end", "a", 2000.0, 0.0),), generators=(generator,), v_min_pu=0.5)
    limited = replace(limited, lines=(replace(limited.lines[0], rating_a=150.0),))  # 1.5 MVA and 0.5 MW: just enough
    return dispatch(case_of(limited), options=DsoOptions(line_limits="active"))


def test_a_price_that_the_optimum_does_not_determine_has_its_range() -> None:
    """Line and generator are both full with nothing missing: any price from 70 to 40 plus the penalty is a dual."""
    result = duplicate_limits()
    low, high = price_range(result, 0, np.arange(2))
    assert (low[1], high[1]) == pytest.approx((70.0, 10_040.0), abs=1e-3)
    assert (low[0], high[0]) == pytest.approx((40.0, 40.0), abs=1e-6)
    assert low[1] - 1e-6 <= result.prices.active_per_mwh[0, 1] <= high[1] + 1e-6


def test_a_price_that_is_determined_has_no_range() -> None:
    result = dispatch(case_of(feeders()[1]), [[150.0]])
    low, high = dual_range(result.programs[0], result.solutions[0], result.price_rows[0][::5])
    assert high - low == pytest.approx(np.zeros(len(low)), abs=1e-4)


def test_bad_numbers_are_named_all_at_once() -> None:
    feeder = with_battery(two_bus())
    with pytest.raises(NetworkDataError, match=r"load share of load in hour 1 is -1.*availability"):
        FeederCase.of(feeder, [40.0, 41.0], [[-1.0], [1.0]], np.ones((3, 4)))
    with pytest.raises(NetworkDataError, match="the price of noon is not a number"):
        FeederCase.of(feeder, [np.nan], labels=("noon",))
    with pytest.raises(NetworkDataError, match="store draws 900 kW in hour 2; its limits are -100 and 520 kW"):
        dispatch(FeederCase.of(feeder, [40.0, 41.0]), [[10.0], [900.0]])
    with pytest.raises(QuestionError, match="limit_price_per_mwh is -1"):
        dispatch(case_of(feeder), options=DsoOptions(limit_price_per_mwh=-1.0))
    with pytest.raises(QuestionError, match=r"voltage_margin_pu is 0.06; half the room between the limits is 0.05"):
        dispatch(case_of(feeder), options=DsoOptions(voltage_margin_pu=0.06))
    stuck = Generator("stuck", "end", 200.0, "a", 90.0, q_min_kvar=60.0, q_max_kvar=80.0, s_kva=100.0)
    with pytest.raises(InfeasibleError, match=r"hour 1: the limits of p, q and kVA .* of stuck"):
        dispatch(case_of(replace(feeder, generators=(stuck,))))
    with pytest.raises(QuestionError, match="margin"):
        dispatch(case_of(feeder), options=DsoOptions(voltage_margin_pu=np.zeros((1, 7))))


def test_a_margin_tightens_both_limits() -> None:
    """The closed form of the voltage limit, with 0.96 in place of 0.95."""
    generator = Generator("g", "end", 3000.0, "a", cost_per_mwh=60.0)
    feeder = two_bus(1.2, 1.8, loads=(Load("load", "end", "a", 2000.0, 1500.0),), generators=(generator,))
    result = dispatch(case_of(feeder), options=DsoOptions(voltage_margin_pu=0.01))
    assert result.voltage_pu[0, 1] == pytest.approx(0.96, abs=1e-8)


def test_draws_of_one_hour_scale_with_its_share() -> None:
    feeder = two_bus()
    frame = Frame.of(feeder)
    draws, _ = draws_of(frame)
    equations = BranchEquations.of(frame, flow_of(feeder).branches.point)
    assert equations.voltage_constant[0] == 1.0
    assert draws.power_mva * scale_of(feeder, 0.5) == pytest.approx([0.5 + 0.25j])
    result = dispatch(FeederCase.of(feeder, [10.0, 20.0], [0.5, 1.0]))
    assert result.supply_mw == pytest.approx([0.5, 1.0])


def test_an_unbalance_limit_is_kept_at_a_price_that_finite_differences_confirm() -> None:
    """Load on phase a alone: the generator there gives more. Magnitudes keep the limit to about its square."""
    feeder = replace(one_bus_for_the_sign_trap(), v_min_pu=0.9)
    free, limited = (dispatch(case_of(feeder, 20.0), options=DsoOptions(unbalance_limit=u)) for u in (None, 0.02))
    without, kept = (magnitude_unbalance(each.frame, each.voltage_pu)[0, 1] for each in (free, limited))
    assert without > 0.06
    assert kept == pytest.approx(0.02, abs=0.02**2)
    assert limited.cost_per_h[0] > free.cost_per_h[0]
    assert limited.generator_mw[0, 0] > free.generator_mw[0, 0]
    assert not limited.violations
    step = 0.2  # kW
    for phase in "abc":
        costs = []
        for kw in (step, -step):
            loads = (*feeder.loads, Load("extra", "end", phase, kw, 0.0))
            moved = dispatch(case_of(replace(feeder, loads=loads), 20.0), options=DsoOptions(unbalance_limit=0.02))
            costs.append(float(moved.cost_per_h[0]))
        (node,) = limited.frame.at("end", phase)
        slope = (costs[0] - costs[1]) / (2.0 * step / 1000.0)
        assert limited.prices.active_per_mwh[0, node] == pytest.approx(slope, abs=2e-3)
    assert limited.prices.active.voltage[0, limited.frame.at("end", "a")] == pytest.approx(30.0)  # 50 less 20


def test_an_unbalance_limit_that_nothing_can_keep_is_exceeded_and_reported() -> None:
    feeder = replace(one_bus_for_the_sign_trap(), v_min_pu=0.8, generators=())
    found = dispatch(case_of(feeder, 20.0), options=DsoOptions(unbalance_limit=0.01))
    (told,) = (each for each in found.violations if each.unit == "unbalance")
    assert (told.element, told.unit, told.limit) == ("end", "unbalance", 0.01)
    assert told.value == pytest.approx(magnitude_unbalance(found.frame, found.voltage_pu)[0, 1])
    assert found.penalty_per_h[0] > 0.0
    with pytest.raises(QuestionError, match="unbalance_limit is 2"):
        dispatch(case_of(feeder), options=DsoOptions(unbalance_limit=2.0))
