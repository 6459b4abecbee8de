"""Hours without room: judged by the validator, by the gap that was asked, and by what the offers are."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment import search
from engine.commitment.bound import lower_bound
from engine.commitment.hourly import Hourly
from engine.commitment.instance import InitialState, Instance
from engine.commitment.menu import with_hour
from engine.commitment.outcome import Effort, dearest_within
from engine.commitment.room import dearest_offer, with_room, without_room
from engine.commitment.sced import Dispatch, dispatch
from engine.commitment.scuc import commit
from engine.network.model import Flags
from engine.program import Status
from tests.engine.commitment.small import NO_RESERVE, Lines, case_of, day_load, grid, judged, random_units, unit

LINE = (("1", "2", 0.1, 500.0),)
PEAK, START = 12, 150.0


# Two units near each other feed a load over two lines. What comes from bus 1 loads the line 1-3 with 0.102 / 0.202 of
# it, what comes from bus 2 with 0.100 / 0.202: to bring 1 MW more past its limit, 51 MW move from one to the other.
FAR: Lines = (("1", "2", 0.002, 500.0), ("2", "3", 0.1, 500.0), ("1", "3", 0.1, 50.45))
FROM_1 = 0.102 / 0.202


def at_its_limit() -> Instance:
    """A day whose least-cost schedule has one hour in which the next MW costs thirty times the dearest offer."""
    cheap = unit("cheap", "1", 0.0, 200.0, cost_c1_per_mwh=10.0)
    dear = unit("dear", "2", 0.0, 200.0, cost_c1_per_mwh=30.0)
    local = unit("local", "3", 0.0, 20.0, cost_c1_per_mwh=35.0, startup_cost=START)
    load = np.full(24, 70.0)
    load[PEAK] = 100.0
    case = case_of(grid([cheap, dear, local], FAR), load[:, np.newaxis] * np.array([0.0, 0.0, 1.0]))
    before = InitialState(np.array([True, True, False]), np.array([48, 48, 48]), np.array([70.0, 0.0, 0.0]))
    return Instance.of(case, NO_RESERVE, initial=before)


def test_the_dearest_offer_is_the_highest_marginal_cost_at_full_output() -> None:
    curved = unit("curved", "1", 0.0, 50.0, cost_c1_per_mwh=10.0, cost_c2_per_mw2h=0.2)
    network = grid([curved, unit("flat", "2", 0.0, 50.0, cost_c1_per_mwh=25.0)], LINE)
    instance = Instance.of(case_of(network, np.tile([0.0, 30.0], (24, 1))), NO_RESERVE)
    assert dearest_offer(instance) == pytest.approx(10.0 + 2.0 * 0.2 * 50.0)  # the derivative of 10 p + 0.2 p²


def test_one_more_unit_runs_where_the_next_mw_has_no_offer() -> None:
    instance = at_its_limit()
    tight, wide = (commit(instance, Effort(gap, 60.0)).commitment for gap in (1e-4, 1e-2))
    assert tight.dispatch is not None
    assert tight.on is not None
    moved = (FROM_1 * 100.0 - 50.45) / (FROM_1 - 0.100 / 0.202)  # MW from the cheap unit to the dear one
    assert tight.cost == pytest.approx(10.0 * (23 * 70 + 100) + 20.0 * moved, rel=1e-6)
    assert np.nanmax(tight.lmp[PEAK]) == pytest.approx(51 * 30.0 - 50 * 10.0, rel=1e-3)
    assert without_room(instance, tight.dispatch).tolist() == [PEAK]
    assert not tight.on.any()  # of the units with starts: its start does not fit into the gap
    assert wide.dispatch is not None
    assert wide.on is not None
    assert wide.on[PEAK].all()
    assert without_room(instance, wide.dispatch).size == 0
    local = 100.0 - 50.45 / FROM_1  # MW
    assert wide.cost == pytest.approx(10.0 * (23 * 70 + 100) + 25.0 * local + START, rel=1e-6)
    assert np.nanmax(wide.lmp) == pytest.approx(35.0, abs=1e-3)
    assert wide.gap <= 1e-2
    assert judged(instance, wide).holds


def test_where_no_money_is_left_the_bound_is_raised_for_the_cheapest_unit() -> None:
    instance = at_its_limit()
    base = commit(instance, Effort(1e-4, 60.0))
    first, prices = base.commitment, base.relaxed.prices if base.relaxed is not None else None
    assert first.on is not None
    assert first.dispatch is not None
    assert prices is not None
    asked: list[float] = []

    def raised(cost: float, allowed: float) -> float:
        asked.append(cost)
        return allowed

    def with_money(allowed: float) -> Dispatch:
        return with_room(
            instance,
            prices,
            first.on,
            first.dispatch,
            most=first.cost,
            dispatched=lambda on: dispatch(instance, on),
            raised=lambda cost: raised(cost, allowed),
        )[1]

    roomy = 10.0 * (23 * 70 + 100) + 25.0 * (100.0 - 50.45 / FROM_1) + START  # as above
    assert without_room(instance, with_money(roomy - 1.0)).tolist() == [PEAK]
    assert without_room(instance, with_money(roomy + 1.0)).size == 0
    assert asked == pytest.approx([roomy, roomy], rel=1e-6)


def test_a_day_at_its_gap_has_room_made_by_a_bound_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule from menus ends 0.5 % above the first bound; one unit more is 0.9 % above it, 0.35 % above the best.

    Without the unit a day costs no less than the redispatch, so divided by that unit all schedules have that bound.
    """
    monkeypatch.setattr(search, "suits", lambda _relaxation: False)  # as a large day is
    monkeypatch.setattr(search, "_LARGE", 0)
    instance = at_its_limit()
    base = commit(instance, Effort(6e-3, 60.0))
    found = base.commitment
    least = 10.0 * (23 * 70 + 100) + 20.0 * (FROM_1 * 100.0 - 50.45) / (FROM_1 - 0.100 / 0.202)  # as above
    roomy = 10.0 * (23 * 70 + 100) + 25.0 * (100.0 - 50.45 / FROM_1) + START
    assert base.relaxed is not None
    assert lower_bound(instance, base.relaxed.prices).value < roomy * (1.0 - 6e-3)  # which leaves no money for it
    assert found.dispatch is not None
    assert without_room(instance, found.dispatch).size == 0
    assert found.cost == pytest.approx(roomy, rel=1e-6)
    assert found.bound_by == "prices of parts"
    assert roomy * (1.0 - 6e-3) <= found.bound <= least * (1.0 + 1e-9)
    assert found.gap <= 6e-3
    assert judged(instance, found).holds


def test_the_cost_at_the_end_of_a_gap_is_the_gap_away() -> None:
    for bound in (1000.0, -1000.0):
        cost = dearest_within(bound, 0.01)
        assert (cost - bound) / abs(cost) == pytest.approx(0.01)


@pytest.mark.parametrize("seed", range(6))
def test_room_is_never_bought_beyond_what_is_allowed(seed: int) -> None:
    """Whatever is on stays on, the cost keeps within what is allowed, and no more hours lack room than before."""
    rng = np.random.default_rng(seed)
    instance = Instance.of(case_of(grid(random_units(rng, 6)), day_load(170.0, 60.0)), NO_RESERVE)
    base = commit(instance, Effort(1e-3, 60.0))
    assert base.commitment.on is not None
    assert base.commitment.dispatch is not None
    assert base.relaxed is not None
    first = base.commitment.dispatch
    tried: list[Flags] = []

    def dispatched(on: Flags) -> Dispatch:
        tried.append(on)
        return dispatch(instance, on)

    for share in (0.0, 0.01, 0.2):
        most = first.cost * (1.0 + share)
        on, found = with_room(
            instance, base.relaxed.prices, base.commitment.on, first, most=most, dispatched=dispatched
        )
        assert (on | ~base.commitment.on).all()
        assert found.cost <= most + 1e-6
        assert len(without_room(instance, found)) <= len(without_room(instance, first))
        again = dispatch(instance, on)
        assert again.status is Status.OPTIMAL
        assert again.cost == pytest.approx(found.cost, rel=1e-9)
    for on in tried:  # the bound holds for each of them, whatever it is
        answer = dispatch(instance, on)
        assert answer.cost >= lower_bound(instance, base.relaxed.prices).value - 1e-6


def test_no_time_left_leaves_the_schedule_as_it_is() -> None:
    instance = at_its_limit()
    base = commit(instance, Effort(1e-4, 60.0))
    assert base.commitment.on is not None
    assert base.commitment.dispatch is not None
    assert base.relaxed is not None
    given = base.commitment.on, base.commitment.dispatch
    on, found = with_room(instance, base.relaxed.prices, *given, most=1e9, dispatched=lambda _on: None)
    assert on is given[0]
    assert found is given[1]


def test_a_day_with_an_hour_more_is_the_cheapest_that_least_hours_allow() -> None:
    """Coal stays on for hours: an hour more beside its stay costs that hour alone, one apart a whole stay."""
    coal = unit("coal", "1", 10.0, 100.0, cost_c1_per_mwh=20.0, cost_c0_per_h=5.0, startup_cost=100.0, fuel="coal")
    network = grid([coal, unit("gas", "2", 0.0, 300.0, cost_c1_per_mwh=35.0)], LINE)
    case = case_of(network, np.tile([0.0, 90.0], (24, 1)))
    initial = InitialState(np.array([False, True]), np.array([48, 48]), np.array([0.0, 90.0]))
    instance = Instance.of(case, initial=initial)
    base = commit(instance, Effort(1e-3, 60.0))
    assert base.relaxed is not None
    prices = replace(base.relaxed.prices, energy=np.full(24, 15.0))
    hourly = Hourly.of(instance, prices)
    least = int(instance.fleet.least_up_h[0])
    day = np.zeros(24, dtype=np.bool_)
    day[4 : 4 + least] = True
    beside = with_hour(instance, hourly, 0, day, 4 + least)
    assert beside is not None
    assert beside[1].sum() == least + 1
    assert beside[0] == pytest.approx(hourly.loss[4 + least, 0])
    none = np.zeros(24, dtype=np.bool_)
    alone = with_hour(instance, hourly, 0, none, 12)
    assert alone is not None
    assert alone[1][12]
    assert alone[1].sum() >= least
