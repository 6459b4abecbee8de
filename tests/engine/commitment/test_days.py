from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.days import Day, commit_days, most_typical, typical_days
from engine.commitment.instance import InitialState
from engine.commitment.outcome import Effort, End, last_state
from engine.errors import QuestionError
from engine.siting.case import SitingCase
from tests.engine.commitment.small import (
    NO_RESERVE,
    case_of,
    day_load,
    grid,
    judged,
    random_units,
    short_instance,
    unit,
)

EFFORT = Effort(1e-3, 60.0)


def year_case() -> SitingCase:
    """A leap year of two buses: load with a peak on day 200, wind with a gale on day 40 and a calm on day 300."""
    units = [unit("wind", "1", 0.0, 100.0) | {"fuel": "wind"}, unit("gas", "2", 10.0, 300.0, cost_c1_per_mwh=20.0)]
    network = grid(units, (("1", "2", 0.1, 500.0),))
    days, hours = np.arange(366)[:, np.newaxis], np.arange(24)
    load = 100.0 + 20.0 * np.sin(2 * np.pi * days / 366) + 10.0 * np.sin(2 * np.pi * (hours - 9) / 24)
    load[200, 15] = 250.0
    wind = np.tile(40.0 + 10.0 * np.cos(2 * np.pi * days / 61), (1, 24))
    wind[40], wind[300] = 95.0, 1.0
    most = np.column_stack([wind.ravel(), np.full(366 * 24, 300.0)])
    stamps = np.datetime64("2020-01-01T00", "h") + np.arange(366 * 24)
    labels = tuple(f"{str(stamp)[:10]} {str(stamp)[11:13]}:00" for stamp in stamps)
    demand = np.column_stack([np.zeros(366 * 24), load.ravel()])
    least = np.minimum(np.tile(network.units.p_min_mw, (366 * 24, 1)), most)
    return SitingCase(network, demand, least, most, np.arange(366 * 24) % 24 + 1, labels, "a test")


def test_seven_days_stand_for_a_year_each_with_its_reason() -> None:
    days = typical_days(year_case())
    by_reason = {day.reason.split(",")[0]: day for day in days}
    assert by_reason["highest load"].number == 200
    assert by_reason["most wind for its load"].number == 40
    assert by_reason["least wind for its load"].number == 300
    assert [day.reason for day in days if "summer" in day.reason] == ["nearest to the median net load of summer"]
    assert len(days) == 7
    assert sum(day.weight for day in days) == 366
    assert [day.number for day in days] == sorted(day.number for day in days)
    assert by_reason["highest load"].label == "2020-07-19"
    assert by_reason["highest load"].weight == 1.0


def test_the_day_of_a_season_is_one_of_its_days_and_the_nearest() -> None:
    case = year_case()
    spring = next(day for day in typical_days(case) if "spring" in day.reason)
    net = (case.demand_mw.sum(axis=1) - case.largest_mw[:, 0]).reshape(366, 24)
    own = np.arange(60, 152)  # March to May of a leap year
    far = np.abs(net[own] - np.median(net[own], axis=0)).sum(axis=1)
    assert spring.number in own
    assert far[spring.number - 60] == far.min()
    assert spring.weight == 92.0


def test_a_year_has_as_many_typical_days_as_its_network_says_with_wind_and_without() -> None:
    case = year_case()
    units = [unit("water", "1", 0.0, 100.0), unit("gas", "2", 10.0, 300.0, cost_c1_per_mwh=20.0)]
    still = replace(case, network=grid(units, (("1", "2", 0.1, 500.0),)))
    for one, count in ((case, 7), (still, 5)):
        assert most_typical(one.network) == len(typical_days(one)) == count


def test_labels_without_a_date_are_refused() -> None:
    case = case_of(grid(random_units(np.random.default_rng(0), 3)), day_load(60.0, 10.0))
    bare = SitingCase(
        case.network, case.demand_mw, case.least_mw, case.largest_mw, case.hour_of_day, tuple(map(str, range(24))), ""
    )
    with pytest.raises(QuestionError, match="does not begin with a date"):
        typical_days(bare)


def three_days() -> SitingCase:
    load = np.vstack([day_load(70.0, 20.0), day_load(80.0, 25.0), day_load(60.0, 10.0)])
    return case_of(grid(random_units(np.random.default_rng(4), 4, quadratic=0.02)), load)


def test_state_goes_from_a_day_to_the_next_and_both_are_one_schedule() -> None:
    case = three_days()
    found = commit_days(case, [Day(1, "b", "", 1.0), Day(0, "a", "", 1.0)], NO_RESERVE, effort=EFFORT, warm_up=False)
    assert [each.before for each in found] == ["free", "taken over from a"]
    first, second = found
    state = first.base.commitment.last_state(first.base.instance)
    initial = second.base.instance.initial
    assert initial is not None
    assert np.array_equal(initial.on, state.on)
    assert initial.output_mw == pytest.approx(first.base.commitment.dispatch.output_mw[-1])
    for each in found:
        assert each.base.commitment.status is End.WITHIN_GAP
        assert judged(each.base.instance, each.base.commitment).problems == []


def test_a_day_alone_starts_after_a_warm_up_day_unless_it_is_the_first() -> None:
    case = three_days()
    found = commit_days(case, [Day(0, "a", "", 1.0), Day(2, "c", "", 1.0)], NO_RESERVE, effort=EFFORT)
    assert found[0].before == "free"
    assert found[1].before == "after 2020-01-02 00:00 as a warm-up day"
    assert found[1].base.instance.initial is not None


def test_hours_on_and_off_are_counted_over_midnight() -> None:
    units = random_units(np.random.default_rng(0), 3)
    case = case_of(grid(units), day_load(60.0, 10.0)).at(np.arange(4))
    on = np.array([[1, 0, 1], [1, 0, 0], [1, 1, 0], [1, 1, 0]], dtype=bool)
    output = np.where(on, 30.0, 0.0)
    before = InitialState(np.array([True, True, False]), np.array([5, 5, 5]), np.array([30.0, 30.0, 0.0]))
    found = last_state(short_instance(case, NO_RESERVE, before), on, output)
    assert found.on.tolist() == [True, True, False]
    assert found.hours.tolist() == [9, 2, 3]
    assert found.output_mw.tolist() == [30.0, 30.0, 0.0]
