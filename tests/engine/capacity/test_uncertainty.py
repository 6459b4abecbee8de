"""Boxes, distributions and hours: moments, correlation, weather facts, and refusals."""

import numpy as np
import pandas as pd
import pytest

from engine.capacity.jobs import load_states, save_states
from engine.capacity.question import UncertaintySpec
from engine.capacity.series import HourlySettings, hourly_sample, is_texas, pieces_of, ready_to_dispatch, year_load
from engine.capacity.uncertainty import (
    Marginal,
    Sample,
    States,
    UnitStates,
    box,
    distribution_sample,
    filed_net_demand,
)
from engine.capacity.weather import (
    HOURS,
    WeatherSettings,
    _autocorrelation,
    _spatial_root,
    autoregression,
    available_mw,
)
from engine.errors import UncertaintyDataError
from engine.network import texas
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.network.tables import table_of
from engine.opf.dc_opf import DispatchOptions
from engine.opf.hours import dispatch_hours
from tests.engine.grids import network_of, pypower_case


@pytest.fixture(scope="module")
def fourbus() -> Network:
    return Network.from_tables(load("fourbus"))


@pytest.fixture(scope="module")
def big() -> Network:
    return Network.from_tables(load("texas-2020"))


def spec(**parameters: object) -> UncertaintySpec:
    return UncertaintySpec("distribution", parameters, 3)


LAWS = [
    {"bus": "3", "low": 10, "high": 20, "mean": 13, "variance": 4},
    {"bus": "4", "low": 10, "high": 30, "mean": 20, "variance": 5},
]


def test_a_skewed_law_has_the_moments_asked_for() -> None:
    law = Marginal.moment_matched(10, 20, 13, 4)
    drawn = law.at((np.arange(400_000) + 0.5) / 400_000)
    assert drawn.mean() == pytest.approx(13, abs=1e-4)
    assert drawn.var() == pytest.approx(4, abs=1e-3)
    assert 10 <= drawn.min() < drawn.max() <= 20


def test_correlation_is_that_of_the_copula(fourbus: Network) -> None:
    matrix = [[1.0, 0.8], [0.8, 1.0]]
    for correlation in (0.8, matrix):
        found = distribution_sample(spec(buses=LAWS, scenarios=20_000, correlation=correlation), fourbus)
        both = np.corrcoef(found.net_demand_mw[:, 2:].T)[0, 1]
        assert both == pytest.approx(0.8, abs=0.03)  # truncation takes a little
    independent = distribution_sample(spec(buses=LAWS, scenarios=20_000), fourbus).net_demand_mw
    assert np.corrcoef(independent[:, 2:].T)[0, 1] == pytest.approx(0.0, abs=0.03)
    assert (independent[:, :2] == filed_net_demand(fourbus)[:2]).all()


def test_the_same_seed_gives_the_same_states_and_another_does_not(fourbus: Network) -> None:
    first, again = (distribution_sample(spec(buses=LAWS, scenarios=9), fourbus).net_demand_mw for _ in range(2))
    other = distribution_sample(UncertaintySpec("distribution", {"buses": LAWS, "scenarios": 9}, 4), fourbus)
    assert (first == again).all()
    assert (first != other.net_demand_mw).any()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"buses": [{"bus": "9", "low": 0, "high": 1, "mean": 0.5, "variance": 0.01}]}, "bus '9'"),
        ({"buses": [{"bus": "3", "low": 0, "high": 1, "mean": 2, "variance": 0.01}]}, "bus '3': mean 2 must lie"),
        (
            {"buses": [{"bus": "3", "low": 0, "high": 1, "mean": 0.5, "variance": 1}]},
            "variance 1 MW² is not below 0.0833",
        ),
        ({"buses": [{"bus": "3", "low": 0, "high": 1, "mean": 0.2, "variance": 0.2}]}, "no truncated normal"),
        ({"buses": [LAWS[0], LAWS[0]]}, "bus '3' twice"),
        ({"buses": [{"bus": "3", "low": 0}]}, "high must be a number"),
        ({"buses": LAWS, "correlation": 1.5}, "from 0 to 1"),
        ({"buses": LAWS, "correlation": [[1, 2], [2, 1]]}, "negative eigenvalue"),
        ({"buses": LAWS, "correlation": [[1, 0.5]]}, "must be 2 x 2"),
        ({"buses": LAWS, "scenarios": 0}, "scenarios must be a whole number from 1"),
        ({"buses": LAWS, "reading": "other"}, "reading must be"),
    ],
)
def test_laws_that_cannot_be_are_refused_by_name(fourbus: Network, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(UncertaintyDataError, match=words):
        distribution_sample(spec(**parameters), fourbus)


def test_a_box_about_the_filed_state_follows_the_load(fourbus: Network) -> None:
    found = box(UncertaintySpec("box", {"spread": 0.2}, 0), fourbus)
    assert found.upper_mw - found.lower_mw == pytest.approx(0.4 * fourbus.buses.load_mw)


def test_wind_in_time_follows_the_measured_autocorrelation() -> None:
    facts = texas.wind_facts()
    fitted = _autocorrelation(*autoregression(), 12)[facts.lag_h.astype(int)]
    assert fitted == pytest.approx(facts.autocorrelation, abs=0.01)


def test_synthetic_wind_keeps_its_level_shape_and_distance(big: Network) -> None:
    settings = WeatherSettings()
    most = available_mw(big, np.arange(HOURS), settings, 5)
    wind = np.array([fuel == "wind" for fuel in big.units.fuels])
    factor = most[:, wind] / big.units.p_max_mw[wind]
    assert (factor >= 0).all()
    assert (factor <= 1).all()
    assert factor.mean() == pytest.approx(settings.wind_factor, abs=0.03)
    by_hour = factor.reshape(-1, 24, factor.shape[1]).mean(axis=(0, 2))
    assert by_hour[3:7].mean() / by_hour[20:23].mean() == pytest.approx(0.58 / 0.44, rel=0.12)
    place = np.deg2rad(np.c_[big.buses.latitude, big.buses.longitude][big.units.bus[wind]])
    gap = 6371 * np.hypot(place[:, None, 0] - place[None, :, 0], np.cos(0.55) * (place[:, None, 1] - place[None, :, 1]))
    correlation = np.corrcoef(factor.T)
    for distance, expected in ((100, 0.74), (300, 0.44), (500, 0.22)):
        assert np.median(correlation[np.abs(gap - distance) < 25]) == pytest.approx(expected, abs=0.1)


def test_solar_follows_the_measured_month_and_hour(big: Network) -> None:
    most = available_mw(big, np.arange(HOURS), WeatherSettings(), 5)
    solar = np.array([fuel == "solar" for fuel in big.units.fuels])
    fleet = most[:, solar].sum(axis=1) / big.units.p_max_mw[solar].sum()
    july = fleet[182 * 24 : 213 * 24].reshape(31, 24).mean(axis=0)
    assert july == pytest.approx(texas.solar_capacity_factor()[6], abs=0.08)
    hydro = np.array([fuel == "hydro" for fuel in big.units.fuels])
    assert most[0, hydro] == pytest.approx(0.234 * big.units.p_max_mw[hydro])
    elsewhere = available_mw(big, np.arange(24), WeatherSettings(), 5, texas_hydro=False)
    assert (elsewhere[:, hydro] == big.units.p_max_mw[hydro]).all()


def test_hours_of_texas_balance_and_keep_the_area_loads(big: Network) -> None:
    assert is_texas(big)
    settings = {"hours": 24, "load_noise": 0.0, "load_scale": 0.8}
    found = hourly_sample(UncertaintySpec("hourly", settings, 2), big)
    assert found.net_demand_mw.sum(axis=1) == pytest.approx(np.zeros(24), abs=1e-3)
    assert len(set(found.labels)) == 24
    assert found.labels == tuple(sorted(found.labels))
    assert any("assumed annual factor of 0.38" in notice for notice in found.notices)
    # The published load of the area and hour, spread by filed load: seen where a bus has no unit.
    published, filed = texas.area_load_2016(), big.buses.load_mw
    stamps = [np.datetime64(label.replace(" ", "T")) for label in found.labels]
    hours = [int((stamp - np.datetime64("2016-01-01T00:00")) / np.timedelta64(1, "h")) for stamp in stamps]
    plain = np.setdiff1d(np.arange(len(filed)), big.units.bus)
    area = np.array([int(name) for name in big.buses.areas])
    total = np.bincount(area, weights=filed)
    share = filed[plain] / total[area[plain]]
    expected = 0.8 * published[hours][:, area[plain] - 1] * share + big.buses.shunt_mw[plain]
    assert found.net_demand_mw[:, plain] == pytest.approx(expected, abs=1e-6)


def test_the_filed_loads_of_the_areas_are_those_of_the_case(big: Network) -> None:
    areas = np.array([int(name) for name in big.buses.areas])
    assert np.bincount(areas, weights=big.buses.load_mw)[1:] == pytest.approx(texas.AREA_FILED_MW, abs=1e-6)


def test_a_load_added_to_texas_comes_on_top_with_or_without_an_area(big: Network) -> None:
    settings = HourlySettings.of({"load_noise": 0.0})
    hours = np.array([0, 4000, 8000])
    base = year_load(big, hours, settings, 1, own=True)[1]
    drawn = {"bus": "drawn", "load_mw": 300.0, "area": "", "zone": ""}
    buses = big.tables.buses.copy()
    buses.loc[10, "load_mw"] += 500.0
    buses = pd.concat([buses, big.tables.buses.iloc[[10]].assign(**drawn)], ignore_index=True)
    joined = big.tables.branches.iloc[[0]].assign(
        branch="to drawn", from_bus=buses.loc[10, "bus"], to_bus="drawn", kind="line", tap_ratio=1.0
    )
    branches = pd.concat([big.tables.branches, joined], ignore_index=True)
    tables = big.tables.with_table("buses", table_of("buses", buses))
    edited = Network.from_tables(tables.with_table("branches", table_of("branches", branches)))
    assert is_texas(edited)
    after = year_load(edited, hours, settings, 1, own=True)[1]
    others = np.delete(np.arange(len(big.buses.ids)), 10)
    assert after[:, others] == pytest.approx(base[:, others])
    area = int(big.buses.areas[10]) - 1
    published, filed = texas.area_load_2016()[hours], texas.AREA_FILED_MW
    assert after[:, 10] - base[:, 10] == pytest.approx(500 * published[:, area] / filed[area])
    assert after[:, -1] == pytest.approx(300 * published.sum(axis=1) / sum(filed))


def test_a_bus_without_an_area_leaves_the_shapes_of_the_others() -> None:
    small_grid = Network.from_tables(load("rts24"))
    settings, hours = HourlySettings.of({"load_noise": 0.0}), np.arange(24)
    base = year_load(small_grid, hours, settings, 1, own=False)[1]
    buses = small_grid.tables.buses.copy()
    buses.loc[0, "area"] = ""
    edited = Network.from_tables(small_grid.tables.with_table("buses", buses))
    assert year_load(edited, hours, settings, 1, own=False)[1][:, 1:] == pytest.approx(base[:, 1:])


def test_hours_of_texas_keep_weather_and_derated_limits(big: Network) -> None:
    found = hourly_sample(UncertaintySpec("hourly", {"hours": 40, "derate": 0.85}, 3), big)
    assert not any("no dispatch keeps to that" in notice for notice in found.notices)
    share = np.abs(Factors.of(big).flows(-found.net_demand_mw.T)) / big.branches.rating_a_mw[:, np.newaxis]
    assert share.max() == pytest.approx(0.85, abs=1e-5)  # some line is full in some hour, and none is fuller
    fuels = {bus: set() for bus in big.units.bus.tolist()}
    for bus, fuel in zip(big.units.bus.tolist(), big.units.fuels, strict=True):
        fuels[bus].add(fuel)
    solar = [bus for bus, found_there in fuels.items() if found_there == {"solar"}]
    night = [place for place, label in enumerate(found.labels) if label[11:13] in {"00", "01", "02", "03"}]
    assert len(night) >= 3
    assert (found.net_demand_mw[np.ix_(night, solar)] >= 0).all()
    assert found.net_demand_mw[:, solar].min() < -10  # by day they do produce


def test_the_same_hours_are_made_again(big: Network) -> None:
    spec_of_hours = UncertaintySpec("hourly", {"hours": 5}, 2)
    first = hourly_sample(spec_of_hours, big)
    again = hourly_sample(spec_of_hours, big, factors=Factors.of(big))  # of a network with units off and curved costs
    assert (first.net_demand_mw == again.net_demand_mw).all()
    assert first.labels == again.labels


def test_an_hour_has_one_dispatch_whatever_was_dispatched_before_it(big: Network) -> None:
    """Dozens of units have equal costs: which of them runs must not hang on where the solver came from."""
    ready = ready_to_dispatch(big, all_units=True)
    hours = np.arange(0, HOURS, 150)
    most = available_mw(ready, hours, WeatherSettings(), 3)
    noise = np.random.default_rng(4).normal(1.0, 0.03, (len(hours), len(big.buses.ids)))
    load = (
        texas.area_load_2016().sum(axis=1)[hours][:, np.newaxis] * big.buses.load_mw / big.buses.load_mw.sum() * noise
    )
    options = DispatchOptions(limit_scale=0.9, ignore_p_min=True, branch_penalty_per_mwh=2000.0)
    factors = Factors.of(ready)
    whole = dispatch_hours(ready, load, most, options=options, factors=factors)
    backwards = dispatch_hours(ready, load[::-1], most[::-1], options=options, factors=factors)
    assert whole.congested.sum() > 40
    assert backwards.dispatch_mw[::-1] == pytest.approx(whole.dispatch_mw, abs=1e-4)


def test_a_correlation_has_one_root_whatever_the_signs_of_its_eigenvectors() -> None:
    root = _spatial_root(np.abs(np.subtract.outer([0.0, 50.0, 300.0, 600.0], [0.0, 50.0, 300.0, 600.0])))
    assert root == pytest.approx(root.T, abs=0.05)  # symmetric but for the diagonal that is brought back to one
    assert (root @ root.T).diagonal() == pytest.approx(np.ones(4))


@pytest.mark.parametrize(
    "key", ["fourbus", "ieee14", "rts24", "ieee30", "ieee57", "ieee118", "ieee300", "rts-gmlc", "activsg200"]
)
def test_every_named_grid_has_hours(key: str) -> None:
    network = Network.from_tables(load(key))
    found = hourly_sample(UncertaintySpec("hourly", {"hours": 6}, 1), network)
    assert found.net_demand_mw.shape == (6, len(network.buses.ids))
    assert found.net_demand_mw.sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-3)
    assert all(
        "hydro runs up to its largest output" in found.notices for fuel in network.units.fuels if fuel == "hydro"
    )


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"hours": 9000}, "hours must be"),
        ({"model": "paris"}, "model must be"),
        ({"derate": 0}, "derate must be"),
        ({"weather": 1}, "no parameter 'weather'"),
        ({"model": "texas"}, "need the areas"),
        ({"security": "n-2"}, "security must be base or n-1"),
        ({"outages": "some"}, "outages must be all or listed"),
    ],
)
def test_hourly_parameters_are_refused_by_name(fourbus: Network, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(UncertaintyDataError, match=words):
        hourly_sample(UncertaintySpec("hourly", parameters, 1), fourbus)


def test_hours_with_costs_in_pieces_are_within_their_bound_of_the_least_cost() -> None:
    """A chord of width w lies above its parabola by at most c2 w^2 / 4: that is all the pieces can add."""
    network = Network.from_tables(load("texas-2016"))
    demand = network.buses.load_mw * np.array([[0.5], [0.75], [1.0]])
    options = DispatchOptions(limit_scale=0.8, ignore_p_min=True)
    factors = Factors.of(network)
    ready = ready_to_dispatch(network, all_units=False)
    pieces = dispatch_hours(ready, demand, options=options, factors=factors)
    least = dispatch_hours(network, demand, options=options, factors=factors)
    units = network.units
    cost = (units.cost_c1_per_mwh * pieces.dispatch_mw + units.cost_c2_per_mw2h * pieces.dispatch_mw**2).sum(axis=1)
    cost += (units.cost_c0_per_h * units.in_service).sum()
    assert (pieces.cost_per_h >= cost).all()  # chords lie above the curve
    count, most = pieces_of(network)
    assert count == 3
    assert (cost - least.cost_per_h >= -1e-6 * least.cost_per_h).all()
    assert (cost - least.cost_per_h <= most).all()
    assert most < 2e-3 * least.cost_per_h.min()  # and that is little
    assert (least.congested & pieces.congested).any()
    assert pieces.dispatch_mw.sum(axis=1) == pytest.approx((demand + network.buses.shunt_mw).sum(axis=1))
    injection = np.zeros_like(demand)
    np.add.at(injection.T, units.bus, pieces.dispatch_mw.T)
    flow = factors.flows((injection - demand - network.buses.shunt_mw).T)
    assert (np.abs(flow) <= 0.8 * network.branches.rating_a_mw[:, np.newaxis] * (1 + 1e-6) + 1e-6).all()


def test_hours_carry_what_units_do_and_could_do(big: Network) -> None:
    found = hourly_sample(UncertaintySpec("hourly", {"hours": 4, "load_noise": 0.0}, 3), big)
    units = found.units
    assert units is not None
    assert (units.generation_mw <= units.largest_mw).all()
    assert (units.generation_mw >= units.least_mw).all()
    generation = np.zeros((4, len(big.buses.ids)))
    np.add.at(generation.T, big.units.bus, units.generation_mw.T)
    gross = found.net_demand_mw + generation
    # Without noise, all buses of an area follow one shape: load over filed load is the same number.
    area = (np.array(big.buses.areas) == "1") & (big.buses.load_mw > 1.0) & (big.buses.shunt_mw == 0.0)
    share = gross[:, area] / big.buses.load_mw[area]
    np.testing.assert_allclose(share, share[:, :1] * np.ones(share.shape), rtol=1e-4)
    assert units.of_state(3)[0].shape == (len(big.units.ids),)


def test_a_sample_refuses_units_of_another_size() -> None:
    one = np.zeros((1, 2), dtype=np.float32)
    with pytest.raises(UncertaintyDataError, match="as many rows of generation"):
        Sample(np.zeros((3, 4)), None, ("a", "b", "c"), "", 0, units=UnitStates(one, one, one))
    three = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(UncertaintyDataError, match="largest outputs need 2 columns"):
        Sample(np.zeros((3, 4)), None, ("a", "b", "c"), "", 0, units=UnitStates(three, one, three[:2]))


def test_states_with_units_come_back_from_their_file() -> None:
    three = np.arange(6, dtype=np.float32).reshape(3, 2)
    units = UnitStates(three, np.zeros((1, 2), dtype=np.float32), three + 1)
    given = Sample(np.ones((3, 4)), None, ("a", "b", "c"), "", 0, units=units)
    back = load_states(save_states(States(given))).sample
    assert back is not None
    assert back.units is not None
    for name in ("generation_mw", "least_mw", "largest_mw"):
        np.testing.assert_array_equal(getattr(back.units, name), getattr(units, name))


def test_hours_dispatched_for_outages_keep_limits_after_them() -> None:
    """24 buses with wide lines: what the dispatch keeps after each loss is solved again without that branch."""
    tables = network_of(pypower_case("case24_ieee_rts")).tables
    network = Network.from_tables(tables)
    settings = {"hours": 6, "derate": 0.6, "load_scale": 0.6}
    base = hourly_sample(UncertaintySpec("hourly", settings, 4), network)
    secure = hourly_sample(UncertaintySpec("hourly", {**settings, "security": "n-1"}, 4), network)
    assert any("after every single outage too" in notice for notice in secure.notices)
    assert not any("no dispatch keeps" in notice for notice in secure.notices)
    np.testing.assert_allclose(base.net_demand_mw.sum(axis=1), secure.net_demand_mw.sum(axis=1), atol=1e-6)
    worst = []
    for sample in (base, secure):
        share = 0.0
        for branch in range(len(network.branches.ids)):
            if branch in Factors.of(network).bridges():
                continue
            off = tables.branches["in_service"].to_numpy().copy()
            off[branch] = False
            after = Network.from_tables(tables.with_table("branches", tables.branches.assign(in_service=off)))
            flow = Factors.of(after).flows(-sample.net_demand_mw.T)
            share = max(share, float((np.abs(flow) / network.branches.rating_c_mw[:, np.newaxis]).max()))
        worst.append(share)
    assert worst[1] <= 0.6 + 1e-5
    assert worst[0] > worst[1] + 0.01
