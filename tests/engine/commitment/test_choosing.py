"""The cuts of hours, the menus of units and the master: on days so short that every choice can be tried."""

import time
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from engine.commitment import choosing
from engine.commitment.bound import Prices, lower_bound
from engine.commitment.choosing import Choice, Choosing, Master
from engine.commitment.hourly import Hourly, ends
from engine.commitment.instance import CommitmentOptions, InitialState, Instance, ReserveRule
from engine.commitment.lines import FlowRows
from engine.commitment.menu import Menu, corrected
from engine.commitment.relaxation import Relaxation
from engine.commitment.sced import dispatch, starts_and_stops
from engine.network.model import Flags
from engine.program import Status
from tests.engine.commitment.small import (
    TRIANGLE,
    case_of,
    dispatched,
    grid,
    least_cost_of_all,
    long_enough,
    random_units,
    short_instance,
)

HOURS = 3  # with three hours, one stay on or one stay off between two on are all the days there are
RULES = CommitmentOptions(reserve=ReserveRule("none"))


def short(seed: int, *, carried: bool = False) -> Instance:
    """Three units and three hours on a triangle; no ramp binds, because none is below the largest output."""
    rng = np.random.default_rng(seed)
    units = [row | {"ramp_30_min_mw": 200.0} for row in random_units(rng, 3)]
    units[0] |= {"fuel": "coal"}
    lines = tuple((a, b, float(rng.uniform(0.05, 0.2)), float(rng.uniform(45, 80))) for a, b, _, _ in TRIANGLE)
    total = rng.uniform(60, 120, HOURS)
    case = case_of(grid(units, lines), total[:, np.newaxis] * np.array([0.1, 0.5, 0.4]))
    initial = None
    if carried:
        on = np.array([True, False, True])
        initial = InitialState(on, rng.integers(1, 4, 3).astype(np.intp), np.where(on, case.least_mw[0] + 5.0, 0.0))
    return short_instance(case, RULES, initial)


def some_prices(instance: Instance, seed: int) -> Prices:
    rng = np.random.default_rng(100 + seed)
    hours = instance.hours
    none = FlowRows.none(len(instance.network.buses.ids))
    return Prices(rng.uniform(10, 45, hours), np.zeros(hours), none, np.zeros(0))


def evaluated(instance: Instance, relaxation: Relaxation, on: Flags) -> tuple[float, Prices]:
    found = dispatch(instance, on)
    if found.status is Status.OPTIMAL:
        return found.cost, Prices(found.energy, found.reserve_price, found.flows, found.flow_price)
    relaxation.pin(on, ~on)
    answer = relaxation.solve()
    assert answer is not None
    return np.inf, answer.prices


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_best_day_of_a_menu_is_that_of_the_dynamic_program(seed: int, carried: bool) -> None:
    instance = short(seed, carried=carried)
    prices = some_prices(instance, seed)
    hourly = Hourly.of(instance, prices)
    menu = Menu.of(instance, hourly, 1e9)
    total = hourly.worth.sum()
    for n in range(len(instance.committed)):
        own = menu.unit == n
        days, at_end = menu.on[own], ends(instance, menu.on[own], menu.unit[own])
        start, stop = (
            np.array([table[:, n].sum() for table in pair])
            for pair in zip(*(starts_and_stops(instance, np.tile(day[:, np.newaxis], 3)) for day in days), strict=True)
        )
        g = instance.committed[n]
        cost = days @ hourly.loss[:, n] + at_end @ hourly.end[:, n]
        cost += start * instance.fleet.startup_cost[g] + stop * instance.fleet.shutdown_cost[g]
        assert cost - menu.extra[own] == pytest.approx(np.full(len(days), cost.min()), abs=1e-9)
        total += cost.min()
    assert total == pytest.approx(lower_bound(instance, prices).value, abs=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_no_choice_costs_less_than_a_cut_says_and_its_own_cut_is_exact(seed: int) -> None:
    instance = short(seed)
    c0, c1 = instance.network.units.cost_c0_per_h, instance.network.units.cost_c1_per_mwh
    choices = [np.array(bits).reshape(HOURS, 3) for bits in product((False, True), repeat=3 * HOURS)]
    costs = [dispatched(instance, on, c1) + (on * c0).sum() for on in choices]
    supplied = [at for at, cost in enumerate(costs) if np.isfinite(cost)]
    assert len(supplied) > 20
    for own in supplied[:: len(supplied) // 3]:
        found = dispatch(instance, choices[own])
        hourly = Hourly.of(instance, Prices(found.energy, found.reserve_price, found.flows, found.flow_price))
        below = [hourly.worth.sum() + (on * hourly.loss).sum() for on in choices]  # no unit loses more at its ends
        assert (np.array(below) <= np.array(costs) + 1e-3).all()
        assert below[own] == pytest.approx(costs[own], abs=1e-3)


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_master_ends_at_the_least_cost_of_all_choices(seed: int, carried: bool) -> None:
    instance = short(seed, carried=carried)
    wanted = least_cost_of_all(instance)
    assert np.isfinite(wanted)  # each of these draws has a schedule
    relaxation = Relaxation(instance)
    first = relaxation.solve()
    assert first is not None
    bound = lower_bound(instance, first.prices).value
    master, best = Master(instance, first.prices, 1e9, margin_mw=0.0), np.inf
    for _ in range(100):
        choice = master.choose(None, enough=-np.inf, time_limit_s=30.0)
        assert choice is not None
        assert long_enough(instance, choice.on)
        assert bound + choice.promise <= wanted + 1e-2 * abs(wanted - bound) + 1e-2
        cost, prices = evaluated(instance, relaxation, choice.on)
        best = min(best, cost)
        if bound + choice.promise >= best - 1e-2 * (best - bound) - 1e-2:
            break
        master.learn(prices)
    assert best == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_cuts_learned_without_a_load_hold_with_it(seed: int) -> None:
    """A law: whatever prices a cut is made of, no choice costs less than it says, at these loads or others."""
    instance = short(seed)
    loaded = instance.with_load(1, np.full(HOURS, 8.0))
    wanted = least_cost_of_all(loaded)
    assert np.isfinite(wanted)
    without, first = Relaxation(instance), Relaxation(loaded).solve()
    assert first is not None
    bound = lower_bound(loaded, first.prices).value
    master = Master(loaded, first.prices, 1e9, margin_mw=0.0)
    alone = master.choose(None, enough=-np.inf, time_limit_s=30.0)
    choices = [np.array(bits).reshape(HOURS, 3) for bits in product((False, True), repeat=3 * HOURS)]
    for on in [on for on in choices if long_enough(instance, on)][::23]:
        master.learn(evaluated(instance, without, on)[1])
    taught = master.choose(None, enough=-np.inf, time_limit_s=30.0)
    assert alone is not None
    assert taught is not None
    assert bound + taught.promise <= wanted + 1e-2 * abs(wanted - bound) + 1e-2
    assert taught.promise > alone.promise + 1.0  # they say something


@pytest.mark.parametrize(("seed", "mw"), [(0, 8.0), (2, 8.0), (4, 8.0), (4, 80.0), (9, 40.0)])
def test_with_given_cuts_the_least_cost_is_found_in_fewer_dispatches(
    seed: int, mw: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The least cost is that of trying every choice; the menus hold every day, so that a search can end there."""
    monkeypatch.setattr(choosing, "_FIRST_WIDTH", 1e3)
    monkeypatch.setattr(choosing, "_WIDEST", 1e9)
    instance = short(seed)
    loaded = instance.with_load(1, np.full(HOURS, mw))

    def searched(one: Instance, given: Sequence[Prices] = ()) -> Choosing:
        relaxation = Relaxation(one)
        first = relaxation.solve()
        assert first is not None
        bound, end = lower_bound(one, first.prices).value, time.perf_counter() + 60.0
        search = Choosing(one, first.prices, 1e-6 * bound, lambda on: evaluated(one, relaxation, on), end, given)
        search.run(bound, first.on > 1e-6)
        return search

    alone, taught = searched(loaded), searched(loaded, searched(instance).learned)
    assert taught.best == pytest.approx(least_cost_of_all(loaded), rel=1e-6)
    assert len(taught.tried) < len(alone.tried)
    assert len(taught.tried) == len(taught.learned)  # what was given is not told as its own


@pytest.mark.parametrize(
    ("gap", "widths"),
    [
        (0.0, [0.0]),
        (1e-5, [1.5e-6]),  # 0.15 of the gap, where that is less than 7.5e-6
        (1e-4, [7.5e-6, 15e-6]),
        (3e-4, [7.5e-6, 15e-6, 30e-6, 45e-6]),
    ],
)
def test_menus_are_doubled_up_to_a_share_of_the_gap_whatever_the_bound(
    gap: float, widths: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last menu is exactly as wide as that share: how a product of two numbers is rounded decides nothing."""
    asked: list[float] = []

    class Barren(Master):
        def __init__(self, instance: Instance, prices: Prices, most: float, also: Sequence[Flags] = ()) -> None:
            super().__init__(instance, prices, 0.0, also)
            asked.append(most)

        def choose(self, near: Flags | None, *, enough: float, time_limit_s: float) -> Choice:
            del enough, time_limit_s
            assert near is None
            return Choice(np.ones((HOURS, 3), dtype=bool), np.inf)

    monkeypatch.setattr(choosing, "Master", Barren)
    instance = short(0)
    prices = some_prices(instance, 0)
    for bound in np.random.default_rng(0).uniform(1e5, 5e7, 25).tolist():
        asked.clear()
        search = Choosing(instance, prices, gap * bound, lambda _on: None, time.perf_counter() + 10.0)
        search.best = 2.0 * bound
        search.run(bound)
        assert asked == pytest.approx([width * bound for width in widths], rel=1e-9)


def test_choosing_stops_at_what_is_wanted_or_when_time_is_over() -> None:
    instance = short(0)
    wanted = least_cost_of_all(instance)
    relaxation = Relaxation(instance)
    first = relaxation.solve()
    assert first is not None
    bound = lower_bound(instance, first.prices).value
    asked: list[Flags] = []

    def evaluate(on: Flags) -> tuple[float, Prices]:
        asked.append(on)
        return evaluated(instance, relaxation, on)

    loose = Choosing(instance, first.prices, 100.0 * (wanted - bound) + 1e4, evaluate, time.perf_counter() + 60.0)
    loose.run(bound)
    assert loose.best - bound <= loose.wanted
    before = len(asked)
    Choosing(instance, first.prices, 0.0, evaluate, time.perf_counter() - 1.0).run(bound)
    assert len(asked) == before


@pytest.mark.parametrize("seed", range(3))
def test_a_corrected_choice_keeps_least_hours_and_leaves_what_does(seed: int) -> None:
    instance = short(seed, carried=True)
    hourly = Hourly.of(instance, some_prices(instance, seed))
    for bits in list(product((False, True), repeat=3 * HOURS))[::7]:
        on = np.array(bits).reshape(HOURS, 3)
        found = corrected(instance, hourly, on)
        assert found is not None
        assert long_enough(instance, found)
        if long_enough(instance, on):
            assert (found == on).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_menu_has_the_days_of_given_choices_however_dear_and_no_others(seed: int) -> None:
    instance = short(seed, carried=True)
    hourly = Hourly.of(instance, some_prices(instance, seed))
    every, best = Menu.of(instance, hourly, 1e9), Menu.of(instance, hourly, 0.0)
    dearest = np.array([every.on[every.unit == n][np.argmax(every.extra[every.unit == n])] for n in range(3)]).T
    found = Menu.of(instance, hourly, 0.0, (dearest,))
    for n in range(3):
        wanted = {*map(tuple, best.on[best.unit == n].tolist()), tuple(dearest[:, n].tolist())}
        assert set(map(tuple, found.on[found.unit == n].tolist())) == wanted
    assert len(found.unit) > len(best.unit)
    days = [np.array(bits) for bits in product((False, True), repeat=HOURS)]
    choices = [np.repeat(day[:, np.newaxis], 3, axis=1) for day in days]
    more = Menu.of(instance, hourly, 0.0, choices)  # all there are, those that break least hours as well
    assert set(zip(more.unit.tolist(), map(tuple, more.on.tolist()), strict=True)) == set(
        zip(every.unit.tolist(), map(tuple, every.on.tolist()), strict=True)
    )
