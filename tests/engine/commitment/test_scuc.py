from dataclasses import replace

import numpy as np
import pytest

from engine.commitment import search
from engine.commitment.bound import Prices, lower_bound
from engine.commitment.instance import CommitmentOptions, InitialState, Instance, ReserveRule
from engine.commitment.lines import FlowRows
from engine.commitment.outcome import Effort, End, gap_between
from engine.commitment.ramps import RampPrices
from engine.commitment.relaxation import Relaxation
from engine.commitment.scuc import commit, solve_site
from engine.errors import QuestionError
from tests.engine.commitment.small import (
    NO_RESERVE,
    TRIANGLE,
    case_of,
    day_load,
    dispatched,
    grid,
    judged,
    least_cost_of_all,
    random_units,
    short_instance,
    unit,
)

TIGHT, LOOSE = Effort(1e-9, 60.0), Effort(1e-3, 60.0)
RULES = CommitmentOptions(reserve=ReserveRule("none"))


def random_short(seed: int, *, carried: bool) -> Instance:
    """Three units and four hours on a triangle whose lines bind now and then."""
    rng = np.random.default_rng(seed)
    units = random_units(rng, 3)
    units[0] |= {"fuel": "coal", "p_max_mw": 110.0}  # three hours on and off by the rule
    lines = tuple((a, b, float(rng.uniform(0.05, 0.2)), float(rng.uniform(35, 70))) for a, b, _, _ in TRIANGLE)
    total = rng.uniform(60, 120, 4)
    case = case_of(grid(units, lines), total[:, np.newaxis] * np.array([0.1, 0.5, 0.4]))
    initial = None
    if carried:
        on = np.array([True, False, True])
        output = np.where(on, case.least_mw[0] + 10.0, 0.0)
        initial = InitialState(on, rng.integers(1, 4, 3).astype(np.intp), output)
    return short_instance(case, RULES, initial)


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_least_cost_is_that_of_trying_every_choice(seed: int, carried: bool) -> None:
    instance = random_short(seed, carried=carried)
    wanted = least_cost_of_all(instance)
    found = commit(instance, TIGHT).commitment
    if not np.isfinite(wanted):
        assert found.status is End.INFEASIBLE
        return
    assert found.status is End.WITHIN_GAP
    assert found.cost == pytest.approx(wanted, rel=1e-7)
    assert found.bound <= wanted * (1 + 1e-9)
    assert judged(instance, found).problems == []


def test_the_exhaustive_cases_are_not_all_infeasible_and_differ_by_state() -> None:
    costs = {least_cost_of_all(random_short(seed, carried=carried)) for seed in range(2) for carried in (False, True)}
    assert len([cost for cost in costs if np.isfinite(cost)]) >= 3


def day_instance(level: float = 110.0, options: CommitmentOptions | None = None, count: int = 5) -> Instance:
    units = random_units(np.random.default_rng(3), count, quadratic=0.02)
    if options is not None and options.reserve.kind == "largest unit":
        for row in units:
            row["ramp_30_min_mw"] = 150.0
    return Instance.of(case_of(grid(units), day_load(level, 45.0)), options)


@pytest.mark.parametrize(
    "options",
    [
        CommitmentOptions(),
        CommitmentOptions(reserve=ReserveRule("largest unit"), must_run=("g1",)),
        CommitmentOptions(limit_scale=1.3, security="n-1"),
        NO_RESERVE,
    ],
)
def test_every_schedule_passes_the_judge(options: CommitmentOptions) -> None:
    instance = day_instance(options=options, level=80.0)
    found = commit(instance, LOOSE).commitment
    assert found.status is End.WITHIN_GAP, found.reason
    assert found.gap <= 1e-3
    assert judged(instance, found).problems == []


def test_a_site_is_the_same_as_a_day_with_that_load_from_nothing() -> None:
    instance = day_instance(80.0, NO_RESERVE, count=3)
    base = commit(instance, LOOSE)
    load = np.where(np.arange(24) < 12, 15.0, 25.0)
    for bus in (2, 0):
        found = solve_site(base, bus, load, LOOSE)
        loaded = instance.with_load(bus, load)
        cold = commit(loaded, LOOSE).commitment
        assert found.status is End.WITHIN_GAP
        assert max(found.bound, cold.bound) <= min(found.cost, cold.cost) * (1 + 1e-9)
        assert found.cost == pytest.approx(cold.cost, rel=2e-3)
        assert judged(loaded, found).problems == []


def test_sites_do_not_depend_on_those_before_them() -> None:
    instance = day_instance(80.0, NO_RESERVE, count=3)
    base, again = commit(instance, LOOSE), commit(instance, LOOSE)
    load = np.full(24, 20.0)
    solve_site(base, 0, load, LOOSE)
    solve_site(base, 1, load, LOOSE)
    one, other = solve_site(base, 2, load, LOOSE), solve_site(again, 2, load, LOOSE)
    assert one.cost == other.cost
    assert np.array_equal(one.lmp, other.lmp)


def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small days be solved as large ones are: schedules from menus, which sites begin with the cuts of."""
    monkeypatch.setattr(search, "suits", lambda _relaxation: False)
    monkeypatch.setattr(search, "_LARGE", 0)


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_with_cuts_of_other_loads_the_bound_and_the_gap_hold(
    seed: int, carried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged by trying every choice of the day with the load; ramps bind, and some days cannot be supplied."""
    as_large(monkeypatch)
    instance = random_short(seed, carried=carried)
    base = commit(instance, TIGHT)
    if base.commitment.on is None:
        assert not np.isfinite(least_cost_of_all(instance))
        return
    assert base.learned
    load = np.array([5.0, 15.0, 10.0, 0.0])
    wanted = least_cost_of_all(instance.with_load(1, load))
    for gap in (1e-2, 1e-9):
        found = solve_site(base, 1, load, Effort(gap, 60.0))
        if not np.isfinite(wanted):
            assert found.status is End.INFEASIBLE
            continue
        assert found.status is End.WITHIN_GAP
        assert found.bound <= wanted * (1 + 1e-9)
        assert wanted * (1 - 1e-7) <= found.cost <= wanted * (1 + 1.02 * gap) + 1e-3


def test_a_known_day_teaches_what_its_search_has_learned_and_sites_may_come_in_any_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_large(monkeypatch)
    instance = day_instance(150.0, CommitmentOptions(reserve=ReserveRule("share")), count=6)
    base = commit(instance, LOOSE)
    assert len(base.tried) > 1
    again = commit(instance, LOOSE, base.commitment.on, base.tried)
    assert again.commitment.cost == pytest.approx(base.commitment.cost, rel=1e-9)
    for one, other in zip(base.learned, again.learned, strict=True):
        assert np.array_equal(one.energy, other.energy)
        assert np.array_equal(one.reserve, other.reserve)
        assert np.array_equal(one.limit, other.limit)
    load = np.full(24, 20.0)
    found = [solve_site(base, bus, load, LOOSE) for bus in (0, 1, 2)]
    back = [solve_site(again, bus, load, LOOSE) for bus in (2, 1, 0)][::-1]
    for one, other in zip(found, back, strict=True):
        assert one.status is End.WITHIN_GAP
        assert (one.cost, one.bound) == (other.cost, other.bound)
        assert np.array_equal(one.lmp, other.lmp)
    forgot = commit(instance, LOOSE, base.commitment.on)  # the choices were not kept: sites are solved as well
    assert not forgot.learned
    for bus, one in enumerate(found):
        other = solve_site(forgot, bus, load, LOOSE)
        assert other.status is End.WITHIN_GAP
        assert max(one.bound, other.bound) <= min(one.cost, other.cost) * (1 + 1e-9)


def test_more_load_never_lowers_the_least_cost_of_units_without_least_outputs() -> None:
    units = random_units(np.random.default_rng(1), 3, quadratic=0.02)
    for row in units:
        row["p_min_mw"] = 0.0
    instance = Instance.of(case_of(grid(units), day_load(70.0, 30.0)), NO_RESERVE)
    base = commit(instance, LOOSE)
    before = base.commitment.bound
    for mw in (5.0, 10.0, 20.0):
        found = solve_site(base, 2, np.full(24, mw), LOOSE)
        assert found.cost >= before
        before = found.bound


def test_what_cannot_be_supplied_is_told_with_its_hour_and_its_shortage() -> None:
    instance = day_instance(level=80.0, options=NO_RESERVE)
    most = instance.case.largest_mw.sum(axis=1)
    base = commit(instance, LOOSE)
    extra = np.zeros(24)
    extra[17] = most[17] - instance.case.demand_mw[17].sum() + 40.0
    found = solve_site(base, 0, extra)
    assert found.status is End.INFEASIBLE
    assert "2020-01-01 17:00" in found.reason
    short = float(found.reason.split("at least ")[1].split(" MW")[0])
    assert short >= 40.0 - 0.06  # ramps and lines may make it more
    assert np.isinf(found.cost)
    assert (
        solve_site(base, 0, np.zeros(24), LOOSE).status is End.WITHIN_GAP
    )  # and the next one is as if it had not been
    with pytest.raises(QuestionError, match="no schedule"):
        _ = found.lmp


def test_how_much_is_lacking_is_not_looked_for_longer_than_the_time_allows() -> None:
    """The costs are as before afterwards, whether there was time or not."""
    relaxation = Relaxation(day_instance(level=80.0, options=NO_RESERVE))
    cost = relaxation.program.cost.copy()
    assert relaxation.least_breach(time_limit_s=0.0) is None
    assert np.array_equal(relaxation.program.cost, cost)
    found = relaxation.least_breach(time_limit_s=60.0)
    assert found is not None
    assert not found.any()
    assert np.array_equal(relaxation.program.cost, cost)


def test_a_line_that_cannot_carry_a_load_is_named_as_such() -> None:
    units = [unit("g", "1", 0.0, 300.0, cost_c1_per_mwh=10.0, cost_c0_per_h=1.0)]
    network = grid(units, (("1", "2", 0.1, 50.0),))
    found = commit(Instance.of(case_of(network, np.tile([0.0, 60.0], (24, 1))), NO_RESERVE)).commitment
    assert found.status is End.INFEASIBLE
    assert "10.0 MW are over a limit on flows" in found.reason
    assert "24 hours fall short" in found.reason


def test_a_choice_that_no_whole_numbers_allow_is_infeasible_and_not_out_of_time() -> None:
    # 25 MW: half a unit of 50 MW would do, a whole one produces 40 MW at least.
    units = [unit("g", "1", 40.0, 50.0, cost_c1_per_mwh=10.0, cost_c0_per_h=1.0)]
    network = grid(units, (("1", "2", 0.1, 90.0),))
    found = commit(Instance.of(case_of(network, np.tile([0.0, 25.0], (24, 1))), NO_RESERVE)).commitment
    assert found.status is End.INFEASIBLE


def test_a_day_without_units_to_commit_is_a_dispatch() -> None:
    units = [unit("a", "1", 0.0, 60.0, cost_c1_per_mwh=10.0), unit("b", "2", 0.0, 60.0, cost_c1_per_mwh=30.0)]
    network = grid(units, (("1", "2", 0.1, 40.0),))
    found = commit(Instance.of(case_of(network, np.tile([0.0, 70.0], (24, 1))), NO_RESERVE)).commitment
    assert found.status is End.WITHIN_GAP
    assert found.cost == pytest.approx(24 * (40 * 10.0 + 30 * 30.0))
    assert found.lmp == pytest.approx(np.tile([10.0, 30.0], (24, 1)), abs=1e-5)
    assert found.mu == pytest.approx(np.full((24, 1), 20.0), abs=1e-5)


def test_a_day_that_costs_nothing_is_within_any_gap() -> None:
    """Units without any cost: the least cost is 0 $, and no schedule costs less."""
    units = [unit("a", "1", 0.0, 100.0, cost_c1_per_mwh=0.0), unit("b", "2", 0.0, 100.0, cost_c1_per_mwh=0.0)]
    base = commit(Instance.of(case_of(grid(units), day_load(50.0, 10.0)), NO_RESERVE), TIGHT)
    for found in (base.commitment, solve_site(base, 0, np.full(24, 10.0), TIGHT)):
        assert found.status is End.WITHIN_GAP
        assert (found.cost, found.gap) == (0.0, 0.0)
        assert found.bound == pytest.approx(0.0, abs=1e-6)
    assert gap_between(0.0, -1.0) == np.inf
    assert gap_between(-100.0, -101.0) == pytest.approx(0.01)


def test_no_time_is_a_time_limit() -> None:
    found = commit(day_instance(), Effort(1e-4, 0.0)).commitment
    assert found.status is End.TIME_LIMIT
    assert np.isinf(found.gap)


def test_hours_that_are_not_whole_days_are_refused() -> None:
    case = case_of(grid(random_units(np.random.default_rng(0), 3)), day_load(60.0, 10.0))
    with pytest.raises(QuestionError, match="whole days"):
        Instance.of(case.at(np.arange(23)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("carried", [False, True])
def test_any_prices_give_a_bound_below_the_least_cost(seed: int, carried: bool) -> None:
    instance = random_short(0, carried=carried)
    best = least_cost_of_all(instance)
    assert np.isfinite(best)
    rng = np.random.default_rng(seed)
    flows = FlowRows.of(instance, np.arange(4), np.array([0, 1, 2, 0]), np.full(4, -1))
    keys = np.array([key for key in np.ndindex(4, 3, 2) if carried or key[0]])
    ramps = RampPrices(keys[:, 0], keys[:, 1], keys[:, 2] > 0, rng.uniform(-4, 8, len(keys)))
    prices = Prices(rng.uniform(0, 60, 4), np.zeros(4), flows, rng.uniform(-20, 20, 4), ramps)
    assert lower_bound(instance, prices).value <= best


def test_a_price_to_the_wrong_side_of_a_limit_proves_nothing_and_does_no_harm() -> None:
    """Rows with one limit: a solver's dual can be a hair to the side where there is none."""
    instance = random_short(0, carried=False)
    side = np.array([1, -1, 1, -1])
    flows = FlowRows.of(instance, np.arange(4), np.array([0, 1, 2, 0]), np.full(4, -1), side)
    wrong = 1e-12 * side  # above the price of a lower limit is positive, and there is none
    assert not np.isfinite(flows.worth(wrong, instance.case.demand_mw))
    np.testing.assert_array_equal(flows.limiting(wrong), np.zeros(4))
    right = -3.0 * side
    np.testing.assert_array_equal(flows.limiting(right), right)
    energy, none = np.full(4, 25.0), np.zeros(4)
    with_hair = lower_bound(instance, Prices(energy, none, flows, flows.limiting(wrong))).value
    assert with_hair == lower_bound(instance, Prices(energy, none, flows, none)).value
    assert with_hair <= least_cost_of_all(instance)


@pytest.mark.parametrize("carried", [False, True])
def test_where_ramps_bind_their_prices_lift_the_bound_to_the_least_cost(carried: bool) -> None:
    """Units that must run have a convex day, so prices prove its least cost exactly: strong duality."""
    names = ("slow", "quick")
    units = [
        unit(name, "1", 10.0, 150.0, cost_c1_per_mwh=cost, startup_cost=90.0, ramp_30_min_mw=ramp)
        for name, cost, ramp in zip(names, (10.0, 50.0), (4.0, 60.0), strict=True)
    ]
    initial = InitialState(np.ones(2, dtype=bool), np.full(2, 9), np.array([40.0, 20.0])) if carried else None
    demand = np.array([60.0, 130.0, 150.0, 70.0])[:, np.newaxis] * np.array([1.0, 0.0, 0.0])
    instance = short_instance(case_of(grid(units), demand), replace(RULES, must_run=names), initial)
    wanted = dispatched(instance, np.ones((4, 2), dtype=bool), instance.network.units.cost_c1_per_mwh)
    relaxed = Relaxation(instance).solve()
    assert relaxed is not None
    without = replace(relaxed.prices, ramps=RampPrices.none())
    assert lower_bound(instance, without).value < wanted - 100.0
    assert lower_bound(instance, relaxed.prices).value == pytest.approx(wanted, rel=1e-9)


def test_the_bound_solves_each_unit_by_itself_exactly() -> None:
    instance = random_short(1, carried=True)
    rng = np.random.default_rng(5)
    price = rng.uniform(5, 60, 4)
    none = FlowRows.none(3)
    found = lower_bound(instance, Prices(price, np.zeros(4), none, np.zeros(0)))
    initial, fleet, units = instance.initial, instance.fleet, instance.network.units
    assert initial is not None
    for g in range(3):
        best = {True: np.full(4, np.inf), False: np.full(4, np.inf)}
        for bits in np.ndindex(2, 2, 2, 2):
            on = np.zeros((4, 3), dtype=bool)
            on[:, :] = initial.on  # the others stay as they were
            on[:, g] = np.array(bits, dtype=bool)
            if not _alone_long_enough(instance, on[:, g], g):
                continue
            state, was = on[:, g], np.append(initial.on[g], on[:-1, g])
            ends = ~was | ~np.append(on[1:, g], True)
            high = np.where(
                ends, np.minimum(instance.case.largest_mw[:, g], fleet.edge_mw[g]), instance.case.largest_mw[:, g]
            )
            most = np.where(price > units.cost_c1_per_mwh[g], high, instance.case.least_mw[:, g])
            run = units.cost_c0_per_h[g] + (units.cost_c1_per_mwh[g] - price) * most
            total = (run * state).sum() + fleet.startup_cost[g] * (state & ~was).sum()
            total += fleet.shutdown_cost[g] * (was & ~state).sum()
            for t in range(4):
                best[bool(state[t])][t] = min(best[bool(state[t])][t], total)
        assert found.units[g] == pytest.approx(min(best[True][0], best[False][0]), rel=1e-9)
        both = np.isfinite(best[True]) & np.isfinite(best[False])
        assert found.flip[both, g] == pytest.approx(np.abs(best[True] - best[False])[both], rel=1e-6, abs=1e-4)
        assert (found.flip[~both, g] > 1e9).all()


def _alone_long_enough(instance: Instance, state: np.ndarray, g: int) -> bool:
    """By the definition, hour by hour: a start or stop needs its spell to have lasted, the initial hours counted."""
    initial, fleet = instance.initial, instance.fleet
    assert initial is not None
    now, since = bool(initial.on[g]), int(initial.hours[g])
    for on in state.tolist():
        if on == now:
            since += 1
            continue
        if since < (fleet.least_up_h[g] if now else fleet.least_down_h[g]):
            return False
        now, since = on, 1
    return True
