from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.instance import Instance
from engine.commitment.noise import noise
from engine.commitment.outcome import Effort
from engine.commitment.scuc import commit
from engine.errors import QuestionError
from tests.engine.commitment.small import NO_RESERVE, case_of, grid, unit

LINE = (("1", "2", 0.1, 200.0),)


def twins() -> Instance:
    """Two units with the same costs at both ends of a line that does not bind, of which one is enough."""
    more = {"cost_c0_per_h": 10.0, "cost_c1_per_mwh": 20.0, "startup_cost": 10.0}
    network = grid([unit("one", "1", 5.0, 60.0, **more), unit("two", "2", 5.0, 60.0, **more)], LINE)
    return Instance.of(case_of(network, np.tile([0.0, 30.0], (24, 1))), NO_RESERVE)


def test_equal_commitments_are_found_and_do_not_move_the_price() -> None:
    base = commit(twins(), Effort(1e-4, 60.0))
    found = noise(base, samples=6, metrics=lambda each: {"mean": float(np.nanmean(each.lmp))})
    assert found.commitments >= 2  # either unit will do
    assert len(found.cost) + found.refused == 7
    assert found.cost == pytest.approx(np.full(len(found.cost), base.commitment.cost), rel=1e-4)
    assert found.spread() == pytest.approx(np.zeros(24), abs=1e-3)
    assert found.floor("mean") == pytest.approx(0.0, abs=1e-3)


def test_a_load_at_the_end_of_an_offer_has_the_spread_of_both_offers() -> None:
    cheap = unit("cheap", "1", 0.0, 50.0, cost_c1_per_mwh=20.0, cost_c0_per_h=1.0)
    dear = unit("dear", "1", 0.0, 50.0, cost_c1_per_mwh=30.0)
    instance = Instance.of(case_of(grid([cheap, dear], LINE), np.tile([0.0, 50.0], (24, 1))), NO_RESERVE)
    found = noise(commit(instance), samples=1)
    assert found.spread() == pytest.approx(np.full(24, 10.0), abs=0.05)


def test_a_day_without_a_schedule_has_no_noise() -> None:
    instance = twins()
    short = replace(instance, case=replace(instance.case, demand_mw=instance.case.demand_mw * 10.0))
    with pytest.raises(QuestionError, match="no schedule"):
        noise(commit(short))
