"""The worked cases are what they say: the schedule keeps the voltages, shocks do not, and refusals have names."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.balanced import ieee33 as bare_ieee33
from engine.distribution.cases import day
from engine.distribution.feeder import DataCentre
from engine.distribution.opendss import Dispatch, ac_flow
from engine.errors import NetworkDataError
from engine.resilience import cases
from engine.resilience.case import Campus, PlacementCase, Scenarios
from engine.resilience.cases import SHOCKS, assumptions, fresh, ieee33, lines_that_fail, load_share, on_feeder
from engine.resilience.flows import FlowModel
from engine.resilience.modules import STANDARD
from engine.resilience.recourse import Recourse


@lru_cache(maxsize=1)
def default() -> PlacementCase:
    return ieee33(scenarios=60)


def lowest(case: PlacementCase, draw_mw: np.ndarray) -> np.ndarray:
    """Return the lowest voltage (T,) of draws (T, C) by the linear flow, p.u."""
    flows, none = FlowModel.of(case), np.zeros((len(case.sites), case.steps))
    return np.sqrt(flows.voltage.at(flows.draws(case, draw_mw), none, none).min(axis=0))


def test_the_schedule_keeps_every_voltage_in_ac_at_the_highest_load() -> None:
    """By OpenDSS: campuses as data centres that always draw their schedule."""
    case = default()
    centres = tuple(
        DataCentre(campus.bus, campus.bus, kw, 0.0, 1.0, 1.0, campus.power_factor)
        for campus, kw in zip(case.campuses, (1000.0 * case.schedule_mw).tolist(), strict=True)
    )
    feeder = replace(case.feeder, centres=centres)
    flow = ac_flow(feeder, Dispatch(case.load_share.max(), centre_kw=1000.0 * case.schedule_mw), constant_power=True)
    assert flow.converged
    assert case.feeder.v_min_pu == 0.9
    assert flow.magnitude_pu.min() >= 0.9
    linear = lowest(case, np.tile(case.schedule_mw, (case.steps, 1)))
    assert flow.magnitude_pu.min() < linear.min() < flow.magnitude_pu.min() + 0.012  # losses, which it leaves out


def test_without_modules_some_shocks_shed_load_and_most_do_not() -> None:
    case = default()
    recourse = Recourse(case)
    shed = recourse.stage.columns.shed
    none = np.zeros(recourse.stage.size)
    unserved = np.array([recourse.solve(at, none).x[shed].sum() for at in range(len(recourse))])
    assert 0.1 <= (unserved > 1e-6).mean() <= 0.4
    below = np.array([lowest(case, draw).min() for draw in case.scenarios.draw_mw]) < case.feeder.v_min_pu - 1e-6
    assert (unserved[below] > 1e-6).all()  # nothing else can raise a voltage
    out = case.scenarios.outage >= 0
    assert (unserved[out] > 1e-6).all()  # who is behind the line has no supply


def test_the_day_is_the_feeder_parts_stretched() -> None:
    share = load_share(48, 0.25)
    assert (share.min(), share.max()) == (0.55, 0.85)
    hours = day().load_share[10:22]
    plain = np.interp(np.arange(48) / 4.0, np.arange(13), day().load_share[10:23])
    expected = 0.55 + 0.3 * (hours - plain.min()) / np.ptp(plain)
    assert share[::4] == pytest.approx(expected)
    assert load_share(96, 0.5)[0] == load_share(96, 0.5)[48]  # a day later
    assert load_share(1, 0.25).tolist() == [0.85]


def test_lines_that_fail_feed_a_part_of_the_published_loads() -> None:
    """Baran and Wu's loads beyond them: 555, 360, 420 and 420 of 3,715 kW; the next ones up feed 600 to 1,335 kW."""
    case = default()
    assert [case.links[at] for at in lines_that_fail(case.feeder)] == ["10-11", "2-19", "24-25", "30-31"]
    assert set(case.scenarios.outage.tolist()) <= {-1, *lines_that_fail(case.feeder)}


def test_fresh_shocks_are_none_of_those_a_plan_is_made_for() -> None:
    case = default()
    found = fresh(case, SHOCKS, 200)
    assert list(found.problems(case.steps, 3, len(case.links))) == []
    assert not (found.draw_mw[:, np.newaxis] == case.scenarios.draw_mw).all(axis=(2, 3)).any()
    assert np.array_equal(found.draw_mw, fresh(case, SHOCKS, 200).draw_mw)
    assert not np.array_equal(found.draw_mw, fresh(case, SHOCKS, 200, seed=1).draw_mw)


def test_the_scale_of_shocks_is_told_beside_the_scheduled_peak() -> None:
    case = default()
    schedule = case.schedule_mw
    draw = np.tile(schedule, (3, case.steps, 1))
    draw[0, 5, 0] += 0.5
    draw[1, 7] += 0.4
    draw[2, 9, 1] -= 0.3
    zero = np.zeros(3, dtype=np.intp)
    told = cases.shock_scale(
        replace(case, scenarios=Scenarios(draw, zero, zero, np.full(3, 1 / 3), zero - 1, ("",) * 3))
    )
    assert told.largest_mw == pytest.approx(1.2)
    assert told.usual_mw == pytest.approx(0.5)
    assert told.peak_mw == pytest.approx(3.715 * 0.85 + schedule.sum())  # published load
    assert told.ratio == pytest.approx(1.2 / told.peak_mw)


def test_limits_of_the_substation_follow_the_scheduled_peak() -> None:
    """Loads of 3.715 MW and 2.300 Mvar at 0.85 with campuses of power factor 0.97; rounded up to two digits."""
    case = default()
    p = 3.715 * 0.85 + case.schedule_mw.sum()
    q = 2.3 * 0.85 + case.schedule_mw.sum() * np.tan(np.arccos(0.97))
    for told, exact in (
        (case.substation_mva, 1.4 * np.hypot(p, q)), (case.dead_band_mw, 0.02 * p), (case.ramp_mw_per_min, 0.01 * p)
    ):  # fmt: skip
        assert exact <= told <= 1.1 * exact
        assert float(f"{told:.2g}") == told


def test_everything_assumed_is_told_with_its_numbers() -> None:
    case = default()
    told = " ".join(assumptions(case, SHOCKS, 0))
    scale = cases.shock_scale(case)
    parts = ["55% to 85%", f"{scale.ratio:.0%} of the scheduled peak", "lines 10-11, 2-19, 24-25, 30-31", "60 drawn",
             *(f"{campus.size_mw:g} MW at {campus.bus}" for campus in case.campuses)]  # fmt: skip
    for part in parts:
        assert part in told
    assert "No line fails." in assumptions(case, replace(SHOCKS, outage_share=0.0))
    of_file = " ".join(assumptions(case, None))
    assert "60 of them with its probabilities" in of_file
    assert "synthetic and scaled" not in of_file


@pytest.mark.parametrize("key", ["ieee13", "ieee34", "ieee37", "ieee123"])
def test_on_any_feeder_the_schedule_keeps_the_lowest_voltage_with_the_largest_campuses_that_do(key: str) -> None:
    feeder = replace(library.load(key), v_min_pu=0.95)
    case = on_feeder(feeder, scenarios=5)
    size = case.campuses[0].size_mw
    assert len(case.campuses) == 3
    assert {campus.bus for campus in case.campuses} <= set(case.sites)
    assert {bus.phases for bus in feeder.buses if bus.name in case.sites} == {"abc"}
    low = lowest(case, np.tile(case.schedule_mw, (case.steps, 1))).min()
    assert low >= 0.954 - 1e-9
    table = 1e-3 * sum(row.kw for row in feeder.loads)
    larger = replace(case, campuses=tuple(replace(each, size_mw=size + 0.001) for each in case.campuses))
    beyond = lowest(larger, np.tile(larger.schedule_mw, (case.steps, 1))).min()
    assert beyond < 0.954 or size + 0.001 > 0.3 * table


def test_campuses_of_the_default_rule_stand_at_the_ends_of_the_longest_laterals() -> None:
    """IEEE 33: bus 18 is 17 links from the source, 33 has 8 of its own beside that, 22 has 4 and 25 has 3."""
    case = on_feeder(bare_ieee33(), scenarios=5)
    assert [campus.bus for campus in case.campuses] == ["18", "33", "22"]
    assert len(case.sites) == 10


def test_cases_that_cannot_be_are_refused_by_name() -> None:
    feeder = bare_ieee33()
    with pytest.raises(NetworkDataError, match=r"bus 18 of feeder .* is at 0\.9"):
        on_feeder(replace(feeder, v_min_pu=0.96), scenarios=2)
    with pytest.raises(NetworkDataError, match="no bus of three phases"):
        on_feeder(library.load("two-bus"), scenarios=2)
    loop = replace(feeder.lines[0], name="tie", from_bus="18", to_bus="33")
    with pytest.raises(NetworkDataError, match=r"closes a loop of .*\btie\b"):
        on_feeder(replace(feeder, lines=(*feeder.lines, loop)), scenarios=2)
    types = (replace(STANDARD[0], inventory=-1), *STANDARD[1:])
    with pytest.raises(NetworkDataError, match="BESS: inventory is -1"):
        ieee33(scenarios=2, types=types)
    with pytest.raises(NetworkDataError, match="budget is -5"):
        ieee33(scenarios=2, budget=-5.0)
    with pytest.raises(NetworkDataError, match="no bus 99"):
        on_feeder(feeder, campuses=(Campus("14", 1.0),), sites=("99",), scenarios=2)
    with pytest.raises(NetworkDataError, match="0 shocks"):
        ieee33(scenarios=0)
