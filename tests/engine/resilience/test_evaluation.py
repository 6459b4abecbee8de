"""Plans judged: metrics by plain formulas, confidence that covers, rules of thumb within limits, methods compared."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import CancelledError, NetworkDataError
from engine.program import Status
from engine.resilience import compare
from engine.resilience.ambiguity import Nominal, TotalVariation, cvar
from engine.resilience.baselines import mean_shock, peak_node, uniform
from engine.resilience.compare import CHOSEN, METHODS, Planned, aim_of, plans, tried
from engine.resilience.evaluation import evaluate, mean_of, metrics, paired, tail_of
from engine.resilience.modules import STANDARD
from engine.resilience.outcomes import Outcomes
from engine.resilience.placement import Aim, Mark, Placement, Search, unit_costs
from engine.resilience.recourse import Recourse
from engine.resilience.stochastic import information_value, solution_value, wait_and_see
from tests.engine.resilience import small
from tests.engine.resilience.small import every_plan, tiny

AIM = Aim(0.5, 0.7, TotalVariation(0.2))
CLOSE = Search(gap=1e-5, time_limit_s=120.0)


def hand_made() -> Outcomes:
    """Four shocks under four modules: two types at two sites."""
    return Outcomes(
        cost=np.array([100.0, 400.0, 200.0, 300.0]),
        unserved_mwh=np.array([0.0, 2.0, 1e-9, 1.0]),
        imbalance_mwh=np.array([1.0, 0.0, 3.0, 0.0]),
        restoration_cost=np.array([0.0, 40.0, 0.0, 20.0]),
        lowest_pu=np.array([0.95, 0.90, 0.97, 0.93]),
        highest_pu=np.array([1.02, 1.01, 1.05, 1.0]),
        violation_pu2h=np.zeros(4),
        given_mwh=np.array([[0.0, 0.3, 0.0, 0.1]] * 2 + [[0.2, 0.0, 0.0, 0.0]] * 2),
        both_ways_mwh=np.zeros(4),
    )


def test_metrics_are_plain_formulas() -> None:
    case, plan = tiny(), np.array([2.0, 1.0, 0.0, 1.0])  # stores of 9,000 $ and an engine of 14,000 $ a year
    told = metrics(case, plan, hand_made())
    assert told.capital == 3 * 9_000.0 + 14_000.0
    assert told.mean_cost == 250.0
    assert told.year == 41_000.0 + 10.0 * 250.0  # ten events
    assert told.cvar_cost == told.worst_cost == 400.0  # the worst 5 % lie in the worst of four
    assert told.eens_mwh == pytest.approx(0.75)
    assert (told.var_unserved_mwh, told.cvar_unserved_mwh, told.worst_unserved_mwh) == (2.0, 2.0, 2.0)
    assert told.shedding == 0.5  # a trace of 1e-9 is none
    assert told.imbalance_mwh == 1.0
    assert told.restoration_cost == 15.0
    assert (told.lowest_pu, told.highest_pu) == (0.90, 1.05)
    assert told.given_mwh == pytest.approx([0.1, 0.15, 0.0, 0.05])
    # Of 0.6 MWh for each store, and of 0.5 MW for six quarters of an hour for the engine; none stands at the third.
    assert told.used == pytest.approx([0.1 / 1.2, 0.15 / 0.6, 0.0, 0.05 / 0.75])


def test_metrics_weigh_with_the_probabilities_that_are_given() -> None:
    share = np.array([0.9, 0.04, 0.05, 0.01])
    told = metrics(tiny(), np.zeros(4), hand_made(), share)
    assert told.mean_cost == pytest.approx(90.0 + 16.0 + 10.0 + 3.0)
    assert told.cvar_cost == pytest.approx((0.04 * 400.0 + 0.01 * 300.0) / 0.05)
    assert told.eens_mwh == pytest.approx(0.08 + 0.01)
    assert told.shedding == pytest.approx(0.05)
    assert (told.var_unserved_mwh, told.worst_unserved_mwh) == (1e-9, 2.0)
    assert told.cvar_unserved_mwh == pytest.approx((0.04 * 2.0 + 0.01) / 0.05)
    assert (told.used == 0.0).all()


@pytest.mark.parametrize("count", [1, 7, 19, 20, 21, 100, 1234])
def test_the_tail_of_samples_is_their_cvar(count: int) -> None:
    rng = np.random.default_rng(count)
    samples = rng.exponential(1.0, (5, count)).round(1)  # with ties
    share = np.full(count, 1.0 / count)
    assert tail_of(samples) == pytest.approx([cvar(each, share, 0.95) for each in samples])
    assert mean_of(samples) == pytest.approx([np.mean(each) for each in samples])


def test_an_interval_covers_a_known_difference_at_about_its_level() -> None:
    """Pairs of normal numbers, 0.3 apart in the mean: 95 % of 300 intervals, give or take three standard errors.

    The standard error of the share is 1.3 %; percentile intervals of 80 pairs are short by about 1 % of it.
    """
    rng, covered, lengths = np.random.default_rng(5), 0, []
    for at in range(300):
        both = rng.normal(size=80)
        first, second = both + rng.normal(0.0, 0.5, 80), both - 0.3 + rng.normal(0.0, 0.5, 80)
        found = paired(first, second, mean_of, seed=at, resamples=400)
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx(first.mean() - second.mean())
        covered += found.low <= 0.3 <= found.high
        lengths.append(found.high - found.low)
    assert 0.90 <= covered / 300 <= 0.98
    # Pair by pair: what is common to both is gone. 2 x 1.96 standard errors of a difference of variance 0.5.
    assert np.mean(lengths) == pytest.approx(2 * 1.96 * np.sqrt(0.5 / 80), rel=0.05)


def test_a_difference_is_the_same_for_the_same_seed_and_nothing_between_equals() -> None:
    values = np.random.default_rng(1).exponential(1.0, 200)
    one, again, other = (paired(values, 0.5 * values, tail_of, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    equal = paired(values, values, tail_of, seed=1)
    assert (equal.value, equal.low, equal.high) == (0.0, 0.0, 0.0)


def test_a_plan_is_worth_the_same_without_the_sites_that_it_leaves_empty() -> None:
    case = small.case(3, outages=(2,))
    plan = np.zeros((3, 3))
    plan[:, 2] = [1.0, 1.0, 2.0]  # E alone
    found, of = evaluate(case, plan.ravel()), Recourse(case)
    each = [Outcomes.of(of, of.dispatch(at, plan.ravel())) for at in range(6)]
    assert found.cost == pytest.approx([one.cost[0] for one in each], rel=1e-6, abs=1e-3)
    assert found.unserved_mwh == pytest.approx([one.unserved_mwh[0] for one in each], abs=1e-5)
    assert found.given_mwh.shape == (6, 9)
    assert (found.given_mwh.reshape(6, 3, 3)[:, :, :2] == 0.0).all()
    assert found.given_mwh.sum() > 0.1


def test_other_shocks_than_the_case_has_are_tried() -> None:
    case, other = small.case(3), small.case(4)
    other = replace(case, scenarios=other.scenarios)
    plan = small.plan(case, 1)
    assert evaluate(case, plan, other.scenarios).cost == pytest.approx(evaluate(other, plan).cost)
    assert not np.allclose(evaluate(case, plan).cost, evaluate(other, plan).cost)


def test_nothing_can_be_tried_where_the_first_site_has_room_for_nothing() -> None:
    case = small.case(2, types=(small.RESPONSE,), sites=("D", "E"))  # nothing is drawn at D
    plain = evaluate(small.case(2), np.zeros(9)).cost
    assert evaluate(case, np.zeros(2)).cost == pytest.approx(plain)


def test_a_plan_that_breaks_a_limit_is_not_tried() -> None:
    with pytest.raises(NetworkDataError, match="breaks a limit"):
        evaluate(tiny(), np.array([0.0, 0.0, 3.0, 0.0]))


def test_the_mean_shock_is_the_mean() -> None:
    case = small.case(1, outages=(2,))
    found, share = mean_shock(case).checked().scenarios, case.scenarios.probability
    assert len(found) == 1
    plain = sum(p * draw for p, draw in zip(share, case.scenarios.draw_mw, strict=True))
    assert found.draw_mw[0] == pytest.approx(plain)
    assert found.start[0] == round(float(sum(share * case.scenarios.start)))
    assert found.end[0] == round(float(sum(share * case.scenarios.end)))
    assert found.outage.tolist() == [-1]


def test_rules_of_thumb_keep_all_limits_and_the_number_of_each_type() -> None:
    for seed in range(20):
        types = tuple(replace(each, most_at_site=2 + seed % 2) for each in STANDARD)
        case = replace(small.small_ieee33(2, 4), types=types, budget=np.inf)
        plan = small.plan(case, seed).astype(int)
        counts = plan.reshape(4, 4).sum(axis=1)
        for rule in (uniform, peak_node):
            found = rule(case, plan)
            assert case.allowed(found.reshape(4, 4))
            assert np.array_equal(found.reshape(4, 4).sum(axis=1), counts)
            assert np.array_equal(found, np.round(found))


def test_evenly_spread_is_a_module_more_or_less_at_each_site() -> None:
    case = replace(small.small_ieee33(2, 4), budget=np.inf)
    plan = np.zeros((4, 4), dtype=int)
    plan[0], plan[1, 0], plan[3, 1] = [4, 3, 0, 0], 2, 1
    found = uniform(case, plan.ravel()).reshape(4, 4)
    assert np.ptp(found[0]) <= 1.0
    assert found[1].max() == 1.0
    assert np.ptp(found.sum(axis=0)) <= 1.0  # the next type begins where the last ended


def test_the_peak_rule_fills_the_bus_that_draws_most_first() -> None:
    """Buses 25 (0.42 MW and a campus of 2), 30 (0.2 and 1.2), 14 (0.12 and 0.8), 18 (0.09): published loads."""
    case = replace(small.small_ieee33(2, 4), budget=np.inf)
    assert case.sites == ("14", "25", "30", "18")
    plan = np.zeros((4, 4), dtype=int)
    plan[0, 3], plan[0, 0], plan[1, 3] = 4, 2, 1
    found = peak_node(case, plan.ravel()).reshape(4, 4)
    assert found[0].tolist() == [0.0, 4.0, 2.0, 0.0]  # four batteries at most at a site
    assert found[1].tolist() == [0.0, 1.0, 0.0, 0.0]


def test_what_each_method_makes_least() -> None:
    assert aim_of(CHOSEN, AIM) == AIM
    assert aim_of("CVaR", AIM) == replace(AIM, ambiguity=Nominal())
    assert aim_of("risk neutral", AIM) == aim_of("mean shock", AIM) == Aim(0.0, 0.7, Nominal())


@pytest.fixture(scope="module")
def planned() -> tuple[tuple[Planned, ...], Placement]:
    return plans(tiny(), AIM, CLOSE)


def test_each_method_has_the_best_plan_by_its_own_aim(planned) -> None:
    """By trying all plans: on the shocks, and on their mean."""
    case, (every, costs) = tiny(), every_plan()
    mean = mean_shock(case)
    of = Recourse(mean)
    by_mean = np.array([[of.solve(0, plan).cost] for plan in every])
    found, chosen = planned
    assert tuple(each.method for each in found) == METHODS
    for each in found:
        total = float(unit_costs(case) @ each.plan)
        at = int(np.flatnonzero((every == each.plan).all(axis=1))[0])
        assert each.outcomes.cost == pytest.approx(costs[at], rel=1e-5, abs=1e-2)
        judged = total + 10.0 * AIM.risk(costs[at], case.scenarios.probability).value
        assert each.objective == pytest.approx(judged, rel=1e-5)
        if each.method in {"CVaR", "risk neutral", "mean shock", CHOSEN}:
            table, share = (by_mean, np.ones(1)) if each.method == "mean shock" else (costs, case.scenarios.probability)
            aim = aim_of(each.method, AIM)
            least = min(
                float(unit_costs(case) @ plan) + 10.0 * aim.risk(row, share).value
                for plan, row in zip(every, table, strict=True)
            )
            assert each.own_objective == pytest.approx(least, rel=2e-5)
            assert each.status is Status.OPTIMAL
            assert each.bound <= each.own_objective
        else:
            assert (each.status, each.bound) == (None, -np.inf)
    assert np.array_equal(chosen.plan, found[METHODS.index(CHOSEN)].plan)


def test_no_plan_is_better_than_the_chosen_one_by_its_aim(planned) -> None:
    found, chosen = planned
    assert min(each.objective for each in found) >= chosen.bound
    assert len({each.plan.tobytes() for each in found}) >= 3


def test_every_method_is_told_as_it_ends_and_may_be_stopped() -> None:
    seen: list[tuple[str, ...]] = []
    marks: list[Mark] = []
    plans(
        tiny(), AIM, Search(0.2), told=marks.append,
        known=lambda found, _chosen: seen.append(tuple(each.method for each in found)),
    )  # fmt: skip
    assert [len(each) for each in seen] == list(range(1, len(METHODS) + 1))
    assert seen[0] == (CHOSEN,)
    assert seen[-1] == METHODS
    assert {mark.phase for mark in marks} == {"plans in parts", "whole plans", ""}  # "": another method's search
    last = next(at for at, mark in enumerate(marks) if not mark.phase)
    count = itertools.count()

    def stop(_mark: Mark) -> None:
        if next(count) == last:  # in the second search
            raise CancelledError

    with pytest.raises(CancelledError):
        plans(tiny(), AIM, Search(0.2), told=stop)


def test_plans_that_are_alike_are_tried_once(planned, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = planned
    calls, ticks = [], []

    def counted(*asked: object, **more: object) -> Outcomes:
        calls.append(asked)
        return evaluate(*asked, **more)

    monkeypatch.setattr(compare, "evaluate", counted)
    other = small.case(9, count=4, steps=6).scenarios
    told = tried(tiny(), found, other, tick=lambda words, share: ticks.append((words, share)))
    assert list(told) == list(METHODS)
    assert len(calls) == len({each.plan.tobytes() for each in found}) < len(METHODS)
    for each in found:
        assert told[each.method].cost == pytest.approx(evaluate(tiny(), each.plan.astype(float), other).cost)
    shares = [share for _, share in ticks]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] <= 1.0

    def stop(_words: str, _share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        tried(tiny(), found, other, tick=stop)


def test_the_value_of_the_distribution_and_of_knowing_the_shock(planned) -> None:
    """By trying all plans: the best for each shock alone. Both values are never below nothing."""
    case, (every, costs) = tiny(), every_plan()
    found = {each.method: each for each in planned[0]}
    capital = every @ unit_costs(case)
    seen = wait_and_see(case, CLOSE)
    assert seen.objective == pytest.approx((capital[:, np.newaxis] + 10.0 * costs).min(axis=0), rel=2e-5)
    assert (seen.bound <= seen.objective).all()
    share = case.scenarios.probability
    best = float((capital + 10.0 * costs @ share).min())
    known = information_value(case, found["risk neutral"], seen)
    assert known == pytest.approx(best - float(share @ seen.objective), abs=1e-4 * best)
    assert known > 1.0
    gained = solution_value(case, found["mean shock"], found["risk neutral"])
    at = int(np.flatnonzero((every == found["mean shock"].plan).all(axis=1))[0])
    assert gained == pytest.approx(capital[at] + 10.0 * float(costs[at] @ share) - best, abs=1e-4 * best)
    assert gained >= -1e-4 * best


def test_fresh_shocks_of_another_number_of_steps_are_refused() -> None:
    with pytest.raises(NetworkDataError, match=r"shape \(6, 8, 2\); it must be \(6, 6, 2\)"):
        evaluate(tiny(), np.zeros(4), small.case().scenarios)
