"""The routes to the aggregator's optimum against one another, brute force, closed forms and laws."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from engine.distribution.best_response import best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.case import FeederCase
from engine.distribution.compare import as_table, compare
from engine.distribution.coordination import Coordination
from engine.distribution.dso import dispatch
from engine.distribution.expansion import expansion
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.regions import HourRegions
from engine.distribution.walk import walk
from engine.distribution.workload import BatchJob, Workload
from engine.errors import QuestionError, SolverError
from engine.program import solve
from tests.engine.distribution.days import LOADS, PRICES, case37, two_bus_market, two_centres

# Smallest voltage, work in the hour: limits are kept; must be exceeded for some choices; are exceeded by all.
HOURS = [(0.985, 450.0), (0.99, 450.0), (0.985, 600.0)]


@lru_cache
def hour(v_min_pu: float, work: float) -> Coordination:
    case = FeederCase.of(two_centres(v_min_pu=v_min_pu), [45.0])
    return Coordination.of(case, Workload(np.array([work])))


@lru_cache
def regions(v_min_pu: float, work: float) -> tuple[HourRegions, ...]:
    return all_regions(hour(v_min_pu, work))


@lru_cache
def short_day() -> Coordination:
    case = FeederCase.of(two_centres(), PRICES[16:19] / 1.3, LOADS[16:19])
    return Coordination.of(case, Workload(np.full(3, 250.0), (BatchJob("train", 0, 2, 500.0),)))


@lru_cache
def day_regions() -> tuple[HourRegions, ...]:
    return all_regions(short_day())


@lru_cache
def equilibrium() -> Equilibrium:
    return price_taker(short_day())


def line(problem: Coordination, count: int) -> np.ndarray:
    """Draws (count, 2) that do the work of the one hour, from end to end."""
    fleet = problem.fleet
    lower, upper = fleet.box()
    per_work = fleet.matrix.toarray()[0, :2]
    first = np.linspace(lower[0, 0], upper[0, 0], count)
    second = (fleet.row_lower[0] - per_work[0] * first) / per_work[1]
    keep = (second >= lower[0, 1] - 1e-9) & (second <= upper[0, 1] + 1e-9)
    return np.column_stack([first, second])[keep]


@pytest.mark.parametrize("at", HOURS)
def test_regions_cover_the_box_and_give_the_operators_prices(at: tuple[float, float]) -> None:
    """The operator's program with its state, at random draws."""
    problem, (found,) = hour(*at), regions(*at)
    assert found.uncovered == pytest.approx(0.0, abs=1e-6)
    rng = np.random.default_rng(1)
    for x in rng.uniform(found.lower, found.upper, (6, 2)):
        whole = dispatch(problem.case, [1000.0 * x])
        price = [
            whole.prices.of_device(whole.frame.share(row), row.kvar_per_kw)[0] for row in problem.case.feeder.centres
        ]
        assert found.at(x).prices(x) == pytest.approx(price, rel=1e-4, abs=1e-3)


def test_limits_left_out_of_regions_are_kept_everywhere() -> None:
    """The follower with every limit has the same value at random draws as the one with those that bind somewhere."""
    found = regions(*HOURS[0])[0]
    assert len(found.follower.names) < len(found.full.names)
    for x in np.random.default_rng(2).uniform(found.lower, found.upper, (15, 2)):
        assert found.follower.solve(x).value == pytest.approx(found.full.solve(x).value, rel=1e-9)


def test_a_region_ends_where_the_limit_begins_to_bind() -> None:
    """Two buses: v = 1 - (2 r P + 2 x Q) / 100 meets 0.95^2, then the generator is full, then the limit is exceeded."""
    case = FeederCase.of(two_bus_market(), [45.0])
    (found,) = all_regions(Coordination.of(case, Workload(np.array([500.0]))))
    tan = case.feeder.centres[0].kvar_per_kw
    kink = ((1 - 0.95**2) * 100.0 - 2 * 1.2 * 1.5 - 2 * 1.8 * 1.0) / (2 * 1.2 + 2 * 1.8 * tan)
    ends = np.unique(np.round(np.concatenate([cell.vertices[:, 0] for cell in found.cells]), 8))
    assert ends[0] == 0.0
    assert ends[-1] == 1.0
    assert np.abs(ends - kink).min() < 1e-7


@pytest.mark.parametrize("at", HOURS)
def test_three_exact_routes_and_brute_force_agree_on_one_hour_of_two_centres(at: tuple[float, float]) -> None:
    """Payment identity, regions with and without boxes' bounds, and the operator's own program on a grid."""
    problem, found = hour(*at), regions(*at)
    exact = by_regions(problem, found, gap=1e-6)
    identity = bilevel(problem, found, gap=1e-6)
    assert exact.status == identity.status == "optimal"
    assert identity.objective == pytest.approx(exact.objective, rel=3e-6)
    assert abs(exact.gap) <= 2e-6
    for x in line(problem, 9):
        whole = dispatch(problem.case, [1000.0 * x])
        price = [
            whole.prices.of_device(whole.frame.share(row), row.kvar_per_kw)[0] for row in problem.case.feeder.centres
        ]
        assert float(np.dot(price, x)) >= exact.bound * (1.0 - 1e-4)
    grid = min(found[0].at(x).payment(x) for x in line(problem, 4001))
    assert exact.objective <= grid + 1e-9
    assert exact.objective == pytest.approx(grid, rel=2e-3)


def test_the_identity_needs_no_regions() -> None:
    """All limits, with distances and duals from boxes: the same optimum."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    assert bilevel(problem).objective == pytest.approx(by_regions(problem, found).objective, rel=2e-4)


def test_a_day_joined_by_a_job_has_one_optimum_by_both_exact_routes() -> None:
    problem, found = short_day(), day_regions()
    exact = by_regions(problem, found)
    identity = bilevel(problem, found, start=exact.draws_mw)
    assert identity.objective == pytest.approx(exact.objective, rel=2e-4)
    assert exact.gap <= 1e-4
    assert identity.gap <= 1e-4
    assert problem.fleet.misses(exact.draws_mw) < 1e-4


def test_an_hour_of_the_ieee_37_feeder_with_three_centres_has_one_optimum() -> None:
    problem = Coordination.of(case37(slice(17, 18), svg=False), Workload(np.array([1100.0])))
    found = all_regions(problem)
    assert bilevel(problem, found).objective == pytest.approx(by_regions(problem, found).objective, rel=2e-4)


def test_bits_bound_the_optimum_from_below_and_close_in_on_it() -> None:
    """The error is at most a step times the range of prices: the program's own objective rises to the optimum."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    exact = by_regions(problem, found, gap=1e-6)
    outcomes = [expansion(problem, bits, found, gap=1e-5) for bits in (2, 5, 8)]
    bounds = [outcome.bound for outcome in outcomes]
    assert bounds[0] < bounds[1] < bounds[2] <= exact.objective * (1.0 + 1e-6)
    assert bounds[2] == pytest.approx(exact.objective, rel=5e-3)
    assert outcomes[-1].objective == pytest.approx(exact.objective, rel=1e-3)
    assert all(outcome.objective >= exact.bound - 1e-6 for outcome in outcomes)


def test_the_competitive_outcome_has_the_least_system_cost_and_answers_its_own_prices() -> None:
    """Samuelson: joint least cost is an equilibrium. Its duals, the follower's and best answers agree."""
    problem, found = short_day(), equilibrium()
    fleet = problem.fleet
    draws = found.outcome.draws_mw
    assert found.cost == pytest.approx(found.outcome.system_cost + found.outcome.delay_cost, rel=1e-7)
    answer = solve(fleet.program(fleet.wide(found.price_per_mwh))).optimum()
    paid = float((found.price_per_mwh * draws).sum()) + found.outcome.delay_cost
    assert paid == pytest.approx(answer.objective, rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(5):
        corner = fleet.draws(solve(fleet.program(fleet.wide(rng.normal(size=fleet.shape)))).optimum().x)
        cost = sum(follower.solve(x).value for follower, x in zip(problem.followers, corner, strict=True))
        assert cost >= found.cost - 1e-6


def test_a_strategic_aggregator_pays_less_and_the_system_costs_more() -> None:
    """Law: its choices contain the competitive ones; and the competitive cost is the least there is."""
    problem = short_day()
    best, taker = by_regions(problem, day_regions()), equilibrium()
    assert best.objective <= taker.outcome.objective + 1e-6
    assert best.system_cost + best.delay_cost >= taker.cost - 1e-6
    assert taker.payment_bound <= best.objective + 1e-6


def test_the_walk_ends_between_the_optimum_and_its_start() -> None:
    problem = short_day()
    best = by_regions(problem, day_regions())
    found = walk(problem, day_regions(), equilibrium=equilibrium(), starts=1)
    assert best.bound - 1e-6 <= found.objective <= equilibrium().outcome.payment_most.sum() + 1e-6
    assert found.bound == pytest.approx(equilibrium().payment_bound)
    assert problem.fleet.misses(found.draws_mw) < 1e-4


def test_the_naive_loop_cycles_and_the_damped_one_finds_the_competitive_outcome() -> None:
    problem = hour(*HOURS[0])
    naive = best_response(problem, regions(*HOURS[0]), damped=False)
    damped = best_response(problem, regions(*HOURS[0]), damped=True)
    assert naive.cycle == 2
    assert damped.settled
    taker = price_taker(problem)
    assert damped.outcome.system_cost == pytest.approx(taker.cost, rel=1e-4)
    assert damped.outcome.draws_mw == pytest.approx(taker.outcome.draws_mw, abs=5e-3)


def test_one_table_has_every_method() -> None:
    found = compare(hour(*HOURS[1]), bits=(3,))
    names = [row["method"] for row in as_table(found)]
    assert names == [
        "price taker", "critical regions", "region walk", "payment identity", "expansion, 3 bits", "best response",
        "best response, damped",
    ]  # fmt: skip
    assert not found.failures
    taker, best = found.rows[0], found.rows[1]
    assert best.payment_saving == pytest.approx(1.0 - best.objective / taker.objective)
    assert best.system_increase > 0.0
    assert all(row.gap >= -1e-6 for row in found.rows)
    assert found.best.objective == min(row.objective for row in found.rows)


def test_four_centres_have_an_optimum_that_the_walk_does_not_beat() -> None:
    """Each centre of two split in halves at the same bus: the same choices, so the same optimum."""
    feeder, (v_min_pu, work) = two_centres(), HOURS[0]
    halves = tuple(
        replace(row, name=f"{row.name} {part}", idle_kw=row.idle_kw / 2, work_cap=row.work_cap / 2)
        for row in feeder.centres
        for part in ("one", "two")
    )
    case = FeederCase.of(replace(feeder, centres=halves, v_min_pu=v_min_pu), [45.0])
    problem = Coordination.of(case, Workload(np.array([work])))
    whole = by_regions(hour(v_min_pu, work), regions(v_min_pu, work))
    best = bilevel(problem)
    assert best.objective == pytest.approx(whole.objective, rel=2e-4)
    assert walk(problem, starts=1).objective >= best.bound - 1e-6


def test_circles_of_generators_need_regions_for_the_identity() -> None:
    """With regions the duals' bounds are exact, circle or not; from boxes none is known."""
    feeder = two_centres()
    rated = tuple(replace(row, s_kva=280.0) for row in feeder.generators)
    case = FeederCase.of(replace(feeder, generators=rated), [45.0])
    problem = Coordination.of(case, Workload(np.array([450.0])))
    found = all_regions(problem)
    assert bilevel(problem, found).objective == pytest.approx(by_regions(problem, found).objective, rel=2e-4)
    with pytest.raises(SolverError, match="kVA circles"):
        bilevel(problem)


def test_regions_are_for_three_centres_at_most() -> None:
    feeder = two_centres()
    more = tuple(replace(row, name=f"second {row.name}") for row in feeder.centres)
    four = FeederCase.of(replace(feeder, centres=(*feeder.centres, *more)), [45.0])
    problem = Coordination.of(four, Workload(np.array([450.0])))
    with pytest.raises(QuestionError, match="at most 3 data centres; there are 4"):
        all_regions(problem)
    with pytest.raises(QuestionError, match="bits is 0"):
        expansion(problem, 0)
