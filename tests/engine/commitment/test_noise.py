from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.commitment.instance import CommitmentOptions, Instance
from engine.commitment.noise import LEAST_ACCEPTED, noise
from engine.commitment.outcome import Effort
from engine.commitment.sced import Dispatch, whole_on
from engine.commitment.scuc import BaseCommitment, commit
from engine.commitment.verify import Schedule, verify
from engine.commitment.walking import Walk
from engine.errors import QuestionError
from engine.network.model import Flags
from tests.engine.commitment.small import NO_RESERVE, case_of, day_load, grid, random_units, unit

LINE = (("1", "2", 0.1, 200.0),)


def mean_price(found: Dispatch) -> dict[str, float]:
    return {"mean": float(np.nanmean(found.lmp))}


def twins(dearer: float = 0.0) -> Instance:
    """Two units with (nearly) the same costs at both ends of a line that does not bind, of which one is enough."""
    more = {"cost_c0_per_h": 10.0, "startup_cost": 10.0}
    units = [unit(name, bus, 5.0, 60.0, cost_c1_per_mwh=price, **more) for name, bus, price in
             (("one", "1", 20.0), ("two", "2", 20.0 + dearer))]  # fmt: skip
    return Instance.of(case_of(grid(units, LINE), np.tile([0.0, 30.0], (24, 1))), NO_RESERVE)


def end_of_an_offer() -> BaseCommitment:
    """50 MW of load, which a unit of 50 MW at 20 $/MWh just meets: the next MW costs 30 $/MWh."""
    cheap = unit("cheap", "1", 0.0, 50.0, cost_c1_per_mwh=20.0, cost_c0_per_h=1.0)
    dear = unit("dear", "1", 0.0, 50.0, cost_c1_per_mwh=30.0)
    return commit(Instance.of(case_of(grid([cheap, dear], LINE), np.tile([0.0, 50.0], (24, 1))), NO_RESERVE))


def test_equal_commitments_are_found_and_do_not_move_the_price() -> None:
    base = commit(twins(), Effort(1e-4, 60.0))
    found = noise(base, samples=6, metrics=mean_price)
    assert found.commitments >= 2  # either unit will do
    assert len(found.cost) + found.refused == 7
    assert found.cost == pytest.approx(np.full(len(found.cost), base.commitment.cost), rel=1e-4)
    assert found.spread() == pytest.approx(np.zeros(24), abs=1e-3)
    assert found.floor("mean") == pytest.approx(0.0, abs=1e-3)


def test_a_load_at_the_end_of_an_offer_has_the_spread_of_both_offers_and_so_has_its_floor() -> None:
    found = noise(end_of_an_offer(), samples=LEAST_ACCEPTED, metrics=mean_price)
    assert found.spread() == pytest.approx(np.full(24, 10.0), abs=0.05)
    assert found.ends["mean"] == pytest.approx([20.0, 30.0], abs=0.05)
    assert found.accepted == LEAST_ACCEPTED
    assert found.floor("mean") == pytest.approx(10.0, abs=0.05)  # no schedule differs: degenerate duals alone


def test_a_grid_where_no_unit_starts_or_stops_has_one_schedule_and_a_floor_of_zero() -> None:
    free = unit("free", "1", 0.0, 100.0, cost_c1_per_mwh=20.0)  # no least output, no start: it is on at every hour
    day = Instance.of(case_of(grid([free], LINE), np.tile([0.0, 50.0], (24, 1))), NO_RESERVE)
    assert not len(day.committed)
    found = noise(commit(day), samples=LEAST_ACCEPTED, metrics=mean_price)
    assert found.commitments == 1
    assert found.floor("mean") == pytest.approx(0.0, abs=1e-6)  # one offer, half of it used: 20 $/MWh always


def test_with_fewer_samples_than_can_tell_a_spread_the_floor_is_not_known() -> None:
    found = noise(end_of_an_offer(), samples=LEAST_ACCEPTED - 1, metrics=mean_price)
    assert found.accepted == LEAST_ACCEPTED - 1
    assert not found.known
    assert np.isnan(found.floor("mean"))


def test_on_a_day_that_was_not_proved_what_is_a_little_dearer_than_the_first_counts_too() -> None:
    """One unit costs 1e-4 more than the other, and the day's bound leaves ten times the gap asked of 1e-3 open."""
    base = commit(twins(0.002), Effort(1e-3, 60.0))
    loose = replace(base, commitment=replace(base.commitment, bound=0.99 * base.commitment.cost))
    found = noise(loose, samples=6, metrics=mean_price)
    assert found.refused == 0
    assert found.commitments >= 2
    assert found.cost.max() > found.cost.min()
    assert found.cost.max() <= (1.0 + 2e-3) * base.commitment.cost
    assert np.isfinite(found.floor("mean"))


def test_where_no_integer_program_ends_a_walk_finds_schedules_as_good_that_the_judge_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = grid(random_units(np.random.default_rng(7), 6))
    instance = Instance.of(case_of(network, day_load(170.0, 40.0)), CommitmentOptions())
    base = commit(instance, Effort(1e-4, 60.0))
    tried: list[tuple[Flags, Dispatch]] = []
    usual = Walk.another

    def another(self: Walk, on: Flags, **more: Any) -> tuple[Flags, Dispatch] | None:
        found = usual(self, on, **more)
        tried.extend([] if found is None else [found])
        return found

    monkeypatch.setattr("engine.commitment.noise._another", lambda *_: None)
    monkeypatch.setattr(Walk, "another", another)
    found = noise(base, gap=2e-2, samples=4, metrics=mean_price)
    assert found.accepted == len(tried) >= LEAST_ACCEPTED
    assert found.commitments >= 3
    assert found.cost.max() <= (1.0 + 2.1e-2) * base.commitment.cost  # the day's own gap and the one asked
    assert base.commitment.on is not None
    for on, answer in tried:
        assert not np.array_equal(on, base.commitment.on)
        schedule = Schedule(whole_on(instance, on), answer.output_mw, answer.reserve_mw, answer.cost)
        assert verify(instance.case, instance.options, schedule).problems == []


def test_what_sites_are_solved_to_is_what_the_floor_is_of() -> None:
    """One unit costs 0.33 % more: no sample within 1e-4 has it, within 1 % some have."""
    base = commit(twins(0.068), Effort(1e-4, 60.0))
    exact, wide = (noise(base, gap=gap, samples=6) for gap in (0.0, 1e-2))
    assert (exact.commitments, exact.refused) == (1, 0)
    assert wide.commitments >= 2


def test_a_day_without_a_schedule_has_no_noise() -> None:
    instance = twins()
    short = replace(instance, case=replace(instance.case, demand_mw=instance.case.demand_mw * 10.0))
    with pytest.raises(QuestionError, match="no schedule"):
        noise(commit(short))
