"""Batteries beside the data centres of the worked day, with the methods: degenerate programs and flat regions."""

import numpy as np
import pytest

from engine.distribution.coordination import Coordination
from engine.distribution.hour import DsoOptions
from engine.distribution.polytopes import clipped
from engine.distribution.prepare import prepare
from engine.distribution.price_taker import price_taker
from engine.distribution.question import FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.distribution.region_program import all_regions, by_regions
from engine.errors import LimitError


def problem(*batteries: CentreBattery, hours: tuple[int, ...] = ()) -> Coordination:
    prepared = prepare(FeederQuestion(batteries=batteries, hours=hours, svg="off"))
    return Coordination.of(prepared.case, prepared.workload, DsoOptions(reactive_slope_per_mvar2h=40.0))


NIGHT_AND_EVENING = (3, 4, 5, 17, 18, 19)  # where a battery has something to carry from the one to the other


def test_the_competitive_outcome_costs_no_more_with_batteries() -> None:
    """Law: a battery that ends as it began leaves every draw without it possible. The outcome is certified itself."""
    with_one = problem(CentreBattery(), hours=NIGHT_AND_EVENING)
    plain, held = price_taker(problem(hours=NIGHT_AND_EVENING)), price_taker(with_one)
    assert held.cost < plain.cost
    charge, discharge, _ = with_one.fleet.storage(held.outcome.point)
    assert charge.max() > 0.05
    assert np.minimum(charge, discharge).max() < 1e-5  # losses make both at once a loss


def test_regions_that_are_too_many_for_the_time_are_given_up_with_a_reason() -> None:
    with pytest.raises(LimitError, match=r"critical regions: the time is over; \d+ were found"):
        all_regions(problem(CentreBattery(), hours=(18,)), time_limit_s=0.0)
    with pytest.raises(LimitError, match="the time is over"):  # as where the bound of a bill is proved
        by_regions(problem(CentreBattery(), hours=(18,)), time_limit_s=0.0)


def test_a_flat_set_has_the_corners_that_it_has() -> None:
    """Closed form: a unit square at height one half, by two rows that leave no room between them."""
    cube = np.vstack([np.eye(3), -np.eye(3)])
    rows = np.vstack([[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], cube])
    limit = np.array([0.5, -0.5, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    found = clipped(rows, limit, cube=6)
    assert sorted(map(tuple, found.tolist())) == [(0.0, 0.0, 0.5), (0.0, 1.0, 0.5), (1.0, 0.0, 0.5), (1.0, 1.0, 0.5)]
