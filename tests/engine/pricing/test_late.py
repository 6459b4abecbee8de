"""Work that can no longer be done in time: by hand, and by what a hub of its own can do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pricing.case import HubCase
from engine.pricing.cases import three_hubs
from engine.pricing.hubs import Hub, Work
from engine.pricing.late import in_time
from engine.pricing.program import programs
from engine.pricing.rolling import rolled
from engine.program import Status, solve
from tests.engine.pricing.small import one_line


def test_what_fits_is_left_as_it_is() -> None:
    work = Work((1.0, 1.0, 1.0), 2.0, 2, before_mwh=(0.5,))
    assert in_time(work, 3, 1.0) == (work, 0.0)


def test_what_is_too_much_now_waits_and_counts() -> None:
    """By hand: 3 MWh are due now and 2 can be done; the third is due a period later, beside 1 MWh that arrives."""
    work = Work((1.0, 0.0, 0.0), 2.0, 2, before_mwh=(3.0,))
    found, missed = in_time(work, 3, 1.0)
    assert missed == pytest.approx(1.0)
    assert found.before_mwh == pytest.approx((2.0, 2.0, 0.0))
    assert found.arrivals_mw == pytest.approx((0.0, 0.0, 0.0))


def test_what_the_day_has_no_hour_for_is_left() -> None:
    """By hand: 1 MWh waits and 2 arrive in the last hour, of which 2 can be done."""
    found, missed = in_time(Work((2.0,), 2.0, 1, before_mwh=(1.0,)), 1, 1.0)
    assert missed == pytest.approx(1.0)
    assert found.before_mwh == pytest.approx((2.0,))


def test_a_forecast_that_does_not_fit_beside_what_is_there_is_planned_in_part() -> None:
    """By hand: 3 MWh are there until the end of two hours of 2 MWh each; of a forecast of 2 there is room for 1."""
    found, missed = in_time(Work((1.0, 2.0), 2.0, 2, before_mwh=(0.0, 2.0)), 2, 1.0)
    assert missed == 0.0
    assert found.arrivals_mw == pytest.approx((0.0, 1.0))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_what_is_returned_can_always_be_done(seed: int) -> None:
    """Judge: the hub's own linear program has a point, whatever waits and comes."""
    rng = np.random.default_rng(seed)
    periods = int(rng.integers(1, 6))
    arrivals = tuple(rng.uniform(0.0, 2.0, periods).tolist())
    before = tuple(rng.uniform(0.0, 3.0, int(rng.integers(0, periods + 1))).tolist())
    work, missed = in_time(Work(arrivals, 2.0, int(rng.integers(1, periods + 1)), 0.0, before), periods, 1.0)
    hub = Hub("one", "a", (1.0,) * periods, 9.0, work=work)
    (own,) = programs(HubCase((hub,), one_line(periods, 1, 99.0), (10.0,) * periods, (0.0,) * periods))
    assert solve(own.linear(np.zeros(periods))).status is Status.OPTIMAL
    assert missed >= 0.0


def test_a_day_with_wrong_forecasts_ends_and_tells_what_was_missed() -> None:
    """Balance: what the campus draws serves its demand, the work that does not wait, and what its battery gained.

    The battery loses at most a round trip of all that it can move.
    """
    case = three_hubs(8)
    found = rolled(case, window=8, error=0.3, seed=0, step_s=20.0)
    campus, ended = case.hubs[0], found.end[0]
    assert campus.work is not None
    assert campus.battery is not None
    assert ended.battery is not None
    served = sum(campus.demand_mw) + sum(campus.work.arrivals_mw) - float(found.waiting_mwh[0])
    lost = found.withdrawal_mw[0].sum() - served - (ended.battery.start_mwh - campus.battery.start_mwh)
    assert -1e-4 <= lost <= 8 * campus.battery.power_mw * (1.0 / 0.95**2 - 1.0)
