import numpy as np
import pytest
from scipy.optimize import linprog

from engine.commitment.instance import CommitmentOptions, Instance, ReserveRule
from engine.commitment.sced import Dispatch, dispatch
from engine.network.model import Network
from engine.program import Status
from tests.engine.commitment.small import NO_RESERVE, case_of, day_load, grid, random_units, unit

NARROW = (("1", "2", 0.1, 40.0), ("2", "3", 0.13, 30.0), ("1", "3", 0.17, 35.0))


def narrow_day(options: CommitmentOptions, quadratic: float, seed: int = 2) -> Instance:
    units = random_units(np.random.default_rng(seed), 6, quadratic=quadratic)
    for row in units:
        row["ramp_30_min_mw"] = 60.0
    return Instance.of(case_of(grid(units, NARROW), day_load(120.0, 30.0)), options)


def all_on(instance: Instance, hints: object = None) -> Dispatch:
    assert hints is None
    return dispatch(instance, np.ones((instance.hours, len(instance.committed)), dtype=bool))


def nodal_prices(network: Network, demand: np.ndarray) -> tuple[float, np.ndarray]:
    """Cost and the duals of the balance of every bus, by scipy in bus angles; costs linear, all units on."""
    units, ends = network.units, network.branches
    count, buses = len(units.ids), len(network.buses.ids)
    weight = network.base_mva / ends.reactance_pu
    balance = np.zeros((buses, count + buses))
    balance[units.bus, np.arange(count)] = 1.0
    flow = np.zeros((len(weight), count + buses))
    for branch, (a, b) in enumerate(zip(ends.from_bus, ends.to_bus, strict=True)):
        flow[branch, [count + a, count + b]] = weight[branch], -weight[branch]
        balance[a] -= flow[branch]
        balance[b] += flow[branch]
    bounds = [*zip(units.p_min_mw, units.p_max_mw, strict=True), *((None, None) for _ in range(buses))]
    bounds[count + network.slack] = (0.0, 0.0)
    found = linprog(
        np.append(units.cost_c1_per_mwh, np.zeros(buses)),
        A_ub=np.vstack([flow, -flow]),
        b_ub=np.tile(ends.rating_a_mw, 2),
        A_eq=balance,
        b_eq=demand,
        bounds=bounds,
    )
    assert found.status == 0
    return float(found.fun), np.asarray(found.eqlin.marginals)


def test_prices_are_the_nodal_duals_of_a_program_in_bus_angles() -> None:
    instance = narrow_day(NO_RESERVE, 0.0)
    found = all_on(instance)
    assert (np.ptp(found.lmp, axis=1) > 1.0).any()  # lines bind
    for hour in range(24):
        _, price = nodal_prices(instance.network, instance.case.demand_mw[hour])
        assert found.lmp[hour] == pytest.approx(price, abs=1e-6)


@pytest.mark.parametrize("quadratic", [0.0, 0.03])
@pytest.mark.parametrize("options", [NO_RESERVE, CommitmentOptions(reserve=ReserveRule(of_load=0.1))])
def test_what_loads_pay_more_than_units_get_is_the_rent_of_the_limits(
    quadratic: float, options: CommitmentOptions
) -> None:
    instance = narrow_day(options, quadratic)
    found = all_on(instance)
    paid = (found.lmp * instance.case.demand_mw).sum(axis=1)
    received = (found.lmp[:, instance.network.units.bus] * found.output_mw).sum(axis=1)
    assert found.rent() == pytest.approx(paid - received, rel=1e-6, abs=1e-3)
    prices, flows = found.priced_limits()
    assert (prices * np.abs(flows)).sum(axis=1) == pytest.approx(paid - received, rel=1e-5, abs=1e-2)
    assert found.rent().max() > 5.0
    assert found.lmp == pytest.approx(found.energy[:, np.newaxis] + found.congestion)


def test_prices_are_the_slope_of_the_cost() -> None:
    instance = narrow_day(NO_RESERVE, 0.03)
    found = all_on(instance)
    for hour, bus in ((4, 1), (15, 2), (15, 0)):
        step = np.zeros(24)
        step[hour] = 0.01
        up, down = (all_on(instance.with_load(bus, sign * step)).cost for sign in (1.0, -1.0))
        assert (up - down) / 0.02 == pytest.approx(found.lmp[hour, bus], abs=2e-3)


def test_between_two_offers_the_price_is_their_middle_whatever_rows_are_hinted() -> None:
    # 50 MW of 20 $/MWh meet a load of 50 MW, the next offer is 30 $/MWh: each price from 20 to 30 is a dual.
    units = [
        unit("cheap", "1", 0.0, 50.0, cost_c1_per_mwh=20.0, cost_c0_per_h=1.0),
        unit("dear", "1", 0.0, 50.0, cost_c1_per_mwh=30.0, cost_c0_per_h=1.0),
    ]
    network = grid(units, (("1", "2", 0.1, 90.0),))
    instance = Instance.of(case_of(network, np.tile([0.0, 50.0], (24, 1))), NO_RESERVE)
    first = all_on(instance)
    assert first.energy == pytest.approx(np.full(24, 25.0), abs=0.01)
    again = dispatch(instance, np.ones((24, 2), dtype=bool), first.hints)
    assert again.energy == pytest.approx(first.energy, abs=1e-4)


def test_reserve_is_kept_and_has_a_price_where_it_is_short() -> None:
    units = [
        unit("cheap", "1", 0.0, 100.0, cost_c1_per_mwh=20.0, cost_c0_per_h=1.0, ramp_30_min_mw=90.0),
        unit("dear", "1", 0.0, 100.0, cost_c1_per_mwh=30.0, cost_c0_per_h=1.0, ramp_30_min_mw=15.0),
    ]
    network = grid(units, (("1", "2", 0.1, 200.0),))
    options = CommitmentOptions(reserve=ReserveRule(of_load=0.2), least_hours="none")
    instance = Instance.of(case_of(network, np.tile([0.0, 95.0], (24, 1))), options)
    found = all_on(instance)
    # 19 MW are asked for; the dear unit gives 5 in ten minutes, so the cheap one keeps 14 of its 100 free.
    assert found.output_mw[0] == pytest.approx([86.0, 9.0], abs=1e-5)
    assert found.reserve_mw[0].sum() >= 19.0 - 1e-6
    assert found.reserve_price == pytest.approx(np.full(24, 10.0), abs=1e-5)  # dear energy for cheap
    assert found.energy == pytest.approx(np.full(24, 30.0), abs=1e-5)


def test_ramps_hold_between_hours() -> None:
    units = [
        unit("slow", "1", 0.0, 100.0, cost_c1_per_mwh=10.0, cost_c0_per_h=1.0, ramp_30_min_mw=5.0),
        unit("quick", "1", 0.0, 100.0, cost_c1_per_mwh=40.0, cost_c0_per_h=1.0),
    ]
    network = grid(units, (("1", "2", 0.1, 200.0),))
    load = np.zeros((24, 2))
    load[:, 1] = np.where(np.arange(24) < 12, 20.0, 60.0)
    found = all_on(Instance.of(case_of(network, load), NO_RESERVE))
    # The ramp is 10 MW an hour: 20, 30, 40, ... and it may not rise beforehand, because the load does not.
    assert found.output_mw[11:17, 0] == pytest.approx([20.0, 30.0, 40.0, 50.0, 60.0, 60.0], abs=1e-4)


def test_units_that_cannot_serve_the_load_are_told_as_infeasible() -> None:
    instance = narrow_day(NO_RESERVE, 0.0)
    found = dispatch(instance, np.zeros((24, len(instance.committed)), dtype=bool))
    assert found.status is Status.INFEASIBLE
    assert np.isinf(found.cost)
