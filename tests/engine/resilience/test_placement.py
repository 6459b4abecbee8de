"""Placement: every route finds what trying all plans finds, values move as they must, and the clock is told."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from engine.errors import CancelledError, NetworkDataError, QuestionError
from engine.integer import IntegerSolution
from engine.program import Status
from engine.resilience import copies
from engine.resilience.ambiguity import Ambiguity, MomentBox, Nominal, TotalVariation, Wasserstein
from engine.resilience.case import PlacementCase
from engine.resilience.copies import column_constraint, extensive
from engine.resilience.lshaped import LShaped, spread
from engine.resilience.master import Master
from engine.resilience.placement import Aim, Mark, Placement, Search, checked_plan, gap, unit_costs
from engine.resilience.question import shock_features
from engine.resilience.recourse import Recourse
from engine.resilience.reduction import distances
from tests.engine.resilience import small
from tests.engine.resilience.oracle import oracle
from tests.engine.resilience.small import every_plan, tiny

CLOSE = Search(gap=1e-5, time_limit_s=120.0)
NEAR = 2e-5  # of objectives: twice the gap


def best(aim: Aim) -> float:
    """Return the least of all plans."""
    case, (plans, costs) = tiny(), every_plan()
    share = case.scenarios.probability
    return min(
        float(unit_costs(case) @ plan) + 10.0 * aim.risk(each, share).value
        for plan, each in zip(plans, costs, strict=True)
    )


def doubt(name: str) -> Ambiguity:
    case = tiny()
    features, share = shock_features(case), case.scenarios.probability
    spread_ = np.sqrt(share @ (features - share @ features) ** 2)
    return {
        "none": Nominal(), "total variation": TotalVariation(0.2),
        "wasserstein": Wasserstein(1.0, distances(case.scenarios, case.step_h)),
        "moments": MomentBox(features, share @ features, 0.3 * spread_),
    }[name]  # fmt: skip


def decomposed(case: PlacementCase, aim: Aim, search: Search = CLOSE) -> Placement:
    return LShaped(case, aim, search).solve()


def holds(found: Placement, case: PlacementCase, aim: Aim, value: float) -> None:
    """What a proven placement says of itself is so."""
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(value, rel=NEAR)
    assert value * (1.0 - NEAR) <= found.bound * (1.0 + NEAR) <= value * (1.0 + 2.0 * NEAR)
    assert found.gap <= CLOSE.gap
    of = Recourse(case)
    costs = np.array([of.solve(at, found.plan.astype(float)).cost for at in range(len(of))])
    assert found.costs == pytest.approx(costs, rel=1e-5, abs=1e-2)
    assert found.capital == float(unit_costs(case) @ found.plan)
    total = found.capital + case.events_per_year * aim.risk(found.costs, case.scenarios.probability).value
    assert found.objective == pytest.approx(total, rel=1e-9)
    assert case.allowed(found.plan.reshape(len(case.types), -1).astype(float))
    bounds = [mark.bound for mark in found.marks]
    objectives = [mark.objective for mark in found.marks]
    assert bounds == sorted(bounds)
    assert objectives == sorted(objectives, reverse=True)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", ["none", "total variation", "wasserstein", "moments"])
def test_the_decomposition_finds_what_trying_all_plans_finds(name: str, weight: float) -> None:
    aim = Aim(weight, 0.7, doubt(name))
    holds(decomposed(tiny(), aim), tiny(), aim, best(aim))


@pytest.mark.parametrize(
    ("name", "weight"), [("none", 0.5), ("total variation", 0.5), ("wasserstein", 0.0), ("moments", 1.0)]
)
@pytest.mark.parametrize("route", [extensive, column_constraint])
def test_the_other_routes_find_it_too(route: Callable[..., Placement], name: str, weight: float) -> None:
    aim = Aim(weight, 0.5, doubt(name))
    holds(route(tiny(), aim, CLOSE), tiny(), aim, best(aim))


def test_plans_differ_by_what_is_made_least() -> None:
    """Else the routes would agree on nothing much."""
    values = {best(Aim(weight, 0.7, doubt(name))) for name in ("none", "total variation") for weight in (0.0, 0.5, 1.0)}
    assert len({round(each) for each in values}) == 6


def test_routes_agree_on_33_buses() -> None:
    case = small.small_ieee33(6, 8)
    aim = Aim(0.5, 0.8, TotalVariation(0.1))
    one, other = decomposed(case, aim, Search(1e-4)), extensive(case, aim, Search(1e-4))
    assert one.status is other.status is Status.OPTIMAL
    assert one.objective == pytest.approx(other.objective, rel=2e-4)
    assert max(one.bound, other.bound) <= min(one.objective, other.objective) * (1.0 + 1e-7)
    assert one.plan.sum() > 0


@pytest.mark.parametrize("aim", [Aim(0.0, 0.7), Aim(0.0, 0.7, TotalVariation(0.0)), Aim(0.6, 0.7)])
def test_without_doubt_it_is_plain_stochastic_programming(aim: Aim) -> None:
    """One mixed-integer program of all shocks, written apart; the tail by Rockafellar and Uryasev's formula."""
    case = small.case(
        2, count=3, steps=5, types=(small.STORE, small.ENGINE, small.RESPONSE), sites=("C", "E"), events_per_year=20.0,
        budget=30_000.0,
    )  # fmt: skip
    plan = cp.Variable((3, 2), integer=True)
    rows = [plan >= 0, plan <= case.most]
    rows += [cp.sum(plan[at]) <= kind.inventory for at, kind in enumerate(case.types)]
    capital = sum(kind.cost * cp.sum(plan[at]) for at, kind in enumerate(case.types))
    rows.append(capital <= case.budget)
    shocks = [oracle(case, at, plan) for at in range(3)]
    eta = cp.Variable()
    share = case.scenarios.probability
    mean = sum(p * each.cost for p, each in zip(share, shocks, strict=True))
    tail = eta + sum(p * cp.pos(each.cost - eta) for p, each in zip(share, shocks, strict=True)) / (1.0 - aim.beta)
    risk = (1.0 - aim.weight) * mean + (aim.weight * tail if aim.weight else 0.0)
    problem = cp.Problem(cp.Minimize(capital + 20.0 * risk), rows + [row for each in shocks for row in each.rows])
    problem.solve(solver=cp.HIGHS, highs_options={"mip_rel_gap": 1e-6})
    assert problem.status == cp.OPTIMAL
    assert decomposed(case, aim).objective == pytest.approx(problem.value, rel=NEAR)
    assert np.round(plan.value).sum() > 0


def test_values_move_as_they_must() -> None:
    """Down with the budget and each inventory, up with doubt, the level of the tail and the price of shed load."""
    case, first = tiny(), LShaped(tiny(), Aim(0.5, 0.7, TotalVariation(0.1)), CLOSE)
    middle = first.solve().objective

    def value(other: PlacementCase = case, aim: Aim = first.aim) -> float:
        again = LShaped(other, aim, CLOSE)
        return (again if other.penalties != case.penalties else again.learn(first)).solve().objective

    def moved(low: float, high: float) -> bool:
        return high > low * (1.0 + NEAR)

    def types(kind: int, inventory: int) -> PlacementCase:
        return replace(
            case, types=tuple(replace(each, inventory=inventory) if at == kind else each
                              for at, each in enumerate(case.types))
        )  # fmt: skip

    by_budget = [value(replace(case, budget=budget)) for budget in (0.0, 15_000.0, 25_000.0)] + [middle]
    assert all(after <= before * (1.0 + NEAR) for before, after in itertools.pairwise(by_budget))
    assert moved(by_budget[-1], by_budget[0])
    for kind in (0, 1):
        assert value(types(kind, 0)) >= middle * (1.0 - NEAR)
    by_doubt = [value(aim=Aim(0.5, 0.7, TotalVariation(radius))) for radius in (0.0, 0.1, 0.4, 1.0)]
    by_level = [value(aim=Aim(0.5, beta, TotalVariation(0.1))) for beta in (0.0, 0.5, 0.9)]
    for rising in (by_doubt, by_level):
        assert all(after >= before * (1.0 - NEAR) for before, after in itertools.pairwise(rising))
        assert moved(rising[0], rising[-1])
    assert by_doubt[1] == pytest.approx(middle, rel=NEAR)  # a search that learned from another finds the same
    dearer = replace(case, penalties=replace(case.penalties, shed_per_mwh=2.0 * case.penalties.shed_per_mwh))
    assert moved(middle, value(dearer))


def test_all_probability_in_doubt_is_the_worst_shock() -> None:
    plans, costs = every_plan()
    worst = min(float(unit_costs(tiny()) @ plan) + 10.0 * each.max() for plan, each in zip(plans, costs, strict=True))
    assert decomposed(tiny(), Aim(0.0, 0.7, TotalVariation(1.0))).objective == pytest.approx(worst, rel=NEAR)


@pytest.mark.parametrize("route", [decomposed, extensive, column_constraint])
def test_a_search_whose_time_is_over_says_so(route: Callable[..., Placement]) -> None:
    found = route(tiny(), Aim(0.5, 0.7), Search(1e-5, time_limit_s=1e-6))
    assert found.status is Status.TIME_LIMIT
    assert found.bound < found.objective
    assert found.gap > 1e-5
    _, costs = every_plan()
    assert found.costs == pytest.approx(costs[0], rel=1e-5)  # nothing is placed


def test_a_master_that_runs_out_of_time_ends_the_search_without_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(master: Master, **asked: object) -> IntegerSolution:
        size = len(master.program(whole=False).cost)
        return IntegerSolution(Status.TIME_LIMIT, np.full(size, np.nan), np.inf, -np.inf, "time limit reached")

    monkeypatch.setattr(Master, "solve", late)
    found = decomposed(tiny(), Aim(0.5, 0.7), Search(1e-5, time_limit_s=1.0, rounds=3))
    assert found.status is not Status.OPTIMAL
    assert (found.bound, found.plan.sum()) == (0.0, 0)


def test_an_extensive_form_that_is_too_large_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_ROWS", 10)
    found = extensive(tiny(), Aim(), CLOSE)
    assert (found.status, found.bound) == (Status.TIME_LIMIT, 0.0)


@pytest.mark.parametrize("route", ["decomposition", "extensive", "column"])
def test_who_is_told_may_stop_it(route: str) -> None:
    seen: list[Mark] = []

    def told(mark: Mark) -> None:
        seen.append(mark)
        if len(seen) == 2:
            raise CancelledError

    search = {
        "decomposition": lambda: LShaped(tiny(), Aim(0.5, 0.7), CLOSE, told=told).solve(),
        "extensive": lambda: extensive(tiny(), Aim(0.5, 0.7), CLOSE, told=told),
        "column": lambda: column_constraint(tiny(), Aim(0.5, 0.7), CLOSE, told=told),
    }[route]
    with pytest.raises(CancelledError):
        search()
    assert [mark.round for mark in seen] == [1, 2]
    assert seen[1].bound <= seen[1].objective


def test_the_master_is_never_above_what_a_plan_costs() -> None:
    """At its own best plan, and at every other."""
    case, aim = tiny(), Aim(0.5, 0.7, TotalVariation(0.2))
    search = LShaped(case, aim, CLOSE)
    search.solve()
    plans, costs = every_plan()
    known = np.array([search.master.estimate(plan) for plan in plans])
    assert (known <= costs * (1.0 + 1e-5) + 1e-2).all()
    assert search.master.estimate(search.plan) == pytest.approx(search.costs, rel=1e-5, abs=1e-2)


def test_a_plan_in_parts_lies_inside_all_limits() -> None:
    for budget in (0.0, 10_000.0, np.inf):
        case = replace(tiny(), budget=budget)
        found = spread(case)
        assert case.allowed(found.reshape(2, 2))
        assert (found > 0.0).all() == (budget > 0.0)


def test_the_gap_is_relative_to_the_objective() -> None:
    assert gap(200.0, 150.0) == 0.25
    assert gap(200.0, 201.0) == 0.0
    assert gap(0.0, 0.0) == 0.0
    assert gap(np.inf, 5.0) == np.inf


def test_what_cannot_be_asked_is_refused_by_name() -> None:
    case = tiny()
    with pytest.raises(QuestionError, match=r"total variation is 2; .*weight of CVaR is -1; .*beta is 1"):
        decomposed(case, Aim(-1.0, 1.0, TotalVariation(2.0)))
    with pytest.raises(QuestionError, match="distances have the shape"):
        extensive(case, Aim(0.5, 0.9, Wasserstein(1.0, np.zeros((3, 3)))), CLOSE)
    with pytest.raises(NetworkDataError, match="shape"):
        checked_plan(case, np.zeros(3))
    for plan in ([3.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 1.0], [2.0, 1.0, 1.0, 0.0], [-1.0] * 4):
        with pytest.raises(NetworkDataError, match="breaks a limit"):
            checked_plan(case, np.array(plan))
    assert checked_plan(case, np.array([2.0, 0.0, 1.0, 0.0])).sum() == 3.0
