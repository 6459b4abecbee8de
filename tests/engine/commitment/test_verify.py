from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine.commitment.instance import CommitmentOptions, InitialState, Instance, ReserveRule
from engine.commitment.outcome import Effort
from engine.commitment.scuc import commit
from engine.commitment.verify import Schedule, verify
from tests.engine.commitment.small import case_of, day_load, grid, unit

MUST = CommitmentOptions(must_run=("base",), reserve=ReserveRule(of_load=0.05))


@cache
def solved() -> tuple[Instance, Schedule]:
    """A base unit, a coal unit that stays on and off three hours, and two that follow the load."""
    more = {"startup_cost": 100.0, "shutdown_cost": 10.0, "cost_c0_per_h": 50.0}
    units = [
        unit("base", "1", 20.0, 60.0, cost_c1_per_mwh=10.0, ramp_30_min_mw=60.0, **more),
        unit("slow", "2", 20.0, 120.0, cost_c1_per_mwh=18.0, ramp_30_min_mw=15.0, **more) | {"fuel": "coal"},
        unit("quick", "3", 5.0, 60.0, cost_c1_per_mwh=30.0, cost_c2_per_mw2h=0.02, ramp_30_min_mw=40.0, **more),
        unit("wind", "1", 0.0, 30.0, ramp_30_min_mw=np.inf) | {"fuel": "wind"},
    ]
    before = InitialState(np.array([True, False, True, True]), np.array([9, 2, 5, 9]), np.array([40.0, 0.0, 20.0, 0.0]))
    network = grid(units, (("1", "2", 0.1, 60.0), ("2", "3", 0.1, 60.0), ("1", "3", 0.1, 60.0)))
    instance = Instance.of(case_of(network, day_load(100.0, 40.0)), MUST, initial=before)
    found = commit(instance, Effort(1e-3, 60.0)).commitment
    assert found.dispatch is not None, found.reason
    dispatch = found.dispatch
    return instance, Schedule(found.running(instance), dispatch.output_mw, dispatch.reserve_mw, found.cost)


def problems(schedule: Schedule, options: CommitmentOptions = MUST) -> str:
    instance, _ = solved()
    return "\n".join(verify(instance.case, options, schedule, instance.initial).problems)


def test_an_honest_schedule_holds_and_costs_what_it_says() -> None:
    instance, schedule = solved()
    verdict = verify(instance.case, MUST, schedule, instance.initial)
    assert verdict.problems == []
    assert verdict.cost == pytest.approx(schedule.cost, rel=1e-9)


def test_the_case_has_what_the_forgeries_need() -> None:
    _, schedule = solved()
    assert not schedule.on[:, 1].all()
    assert schedule.on[:, 1].any()


def moved(hour: int, unit: int, mw: float) -> Callable[[Schedule], Schedule]:
    def change(schedule: Schedule) -> Schedule:
        output = schedule.output_mw.copy()
        output[hour, unit] += mw
        return replace(schedule, output_mw=output)

    return change


def switched(hour: int, unit: int, *, on: bool) -> Callable[[Schedule], Schedule]:
    def change(schedule: Schedule) -> Schedule:
        running, output, reserve = schedule.on.copy(), schedule.output_mw.copy(), schedule.reserve_mw.copy()
        running[hour, unit] = on
        output[hour, unit] = max(output[hour, unit], 20.0) if on else 0.0
        reserve[hour, unit] = 0.0
        return replace(schedule, on=running, output_mw=output, reserve_mw=reserve)

    return change


def hour_where(unit: int, *, on: bool) -> int:
    """An hour in which the unit has been so, and will be, for two hours at least."""
    state = solved()[1].on[:, unit] == on
    return next(t for t in range(2, 22) if state[t - 2 : t + 3].all())


def test_generation_that_does_not_meet_the_load_is_refused() -> None:
    assert "in hour 2020-01-01 05:00 generation exceeds demand by 1.000 MW" in problems(moved(5, 0, 1.0)(solved()[1]))


def test_output_beyond_the_limits_is_refused() -> None:
    high = problems(moved(5, 0, 80.0)(solved()[1]))
    low = problems(moved(5, 0, -39.0)(solved()[1]))
    assert "unit 'base' in hour 2020-01-01 05:00 produces and reserves more than it can" in high
    assert "unit 'base' in hour 2020-01-01 05:00 produces less than its least output" in low


def test_output_of_a_unit_that_is_off_is_refused() -> None:
    hour = hour_where(1, on=False)
    assert f"unit 'slow' in hour 2020-01-01 {hour:02d}:00 is off and produces" in problems(
        moved(hour, 1, 3.0)(solved()[1])
    )


def test_too_short_a_stay_is_refused_on_and_off() -> None:
    on, off = hour_where(1, on=True), hour_where(1, on=False)
    assert "unit 'slow' is off for 1 hours" in problems(switched(on, 1, on=False)(solved()[1]))
    assert "unit 'slow' is on for 1 hours" in problems(switched(off, 1, on=True)(solved()[1]))


def test_the_hours_before_the_first_count() -> None:
    early = problems(switched(0, 1, on=True)(solved()[1]))
    assert "unit 'slow' was off for 2 hours before, the least is 3" in early


def test_a_unit_that_must_run_must_run() -> None:
    assert "unit 'base' must run and does not in all hours" in problems(switched(9, 0, on=False)(solved()[1]))


def test_too_quick_a_change_is_refused_up_and_down() -> None:
    hour = hour_where(1, on=True)
    schedule = solved()[1]
    up = 31.0 - (schedule.output_mw[hour, 1] - schedule.output_mw[hour - 1, 1])
    down = 31.0 + (schedule.output_mw[hour, 1] - schedule.output_mw[hour - 1, 1])
    label = f"into hour 2020-01-01 {hour:02d}:00, 30.000 MW are allowed"
    assert f"unit 'slow' rises by 31.000 MW {label}" in problems(moved(hour, 1, up)(schedule))
    assert f"unit 'slow' falls by 31.000 MW {label}" in problems(moved(hour, 1, -down)(schedule))


def test_lacking_reserve_and_reserve_beyond_the_ramp_are_refused() -> None:
    schedule = solved()[1]
    assert "MW of reserve are lacking" in problems(replace(schedule, reserve_mw=0.0 * schedule.reserve_mw))
    more = schedule.reserve_mw.copy()
    more[hour_where(1, on=True), 1] = 6.0  # its ramp allows 5 in ten minutes
    assert "reserves 1.000 MW more than it can in ten minutes" in problems(replace(schedule, reserve_mw=more))


def test_a_line_over_its_limit_is_refused_before_and_after_an_outage() -> None:
    schedule = solved()[1]
    moved_mw = schedule.output_mw.copy()
    moved_mw[3, 0] += 150.0
    moved_mw[3, 2] -= 150.0
    assert "branch '1-3' in hour 2020-01-01 03:00 carries" in problems(replace(schedule, output_mw=moved_mw))
    after = problems(schedule, replace(MUST, security="n-1", limit_scale=0.8))
    assert "after the loss of" in after


def test_a_wrong_cost_is_refused() -> None:
    schedule = solved()[1]
    assert "not" in problems(replace(schedule, cost=schedule.cost - 10.0))
    cheap = problems(replace(schedule, cost=schedule.cost - 10.0))
    assert f"the schedule costs {schedule.cost:,.2f} $, not {schedule.cost - 10.0:,.2f} $" in cheap
