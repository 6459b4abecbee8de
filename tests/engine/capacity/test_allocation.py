"""The allocation: theorem 1 and where it ends, objectives, ties, subsets, nesting, choices at zero, duals."""

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.capacity.allocation import allocate
from engine.capacity.level import LevelProgram
from engine.capacity.margins import Prepared
from engine.capacity.programs import solve_level
from engine.capacity.question import CapacityQuestion
from engine.capacity.uncertainty import States
from engine.capacity.verify import verify
from engine.capacity.why import reinforced, why, why_alone
from engine.errors import QuestionError
from engine.network.model import Network
from tests.engine.capacity.small import (
    TRIANGLE,
    asked,
    network,
    prepared,
    random_network,
    random_sample,
    sample,
    still,
    triangle,
)

OBJECTIVES = ("sum_ratio", "sum_sq_ratio", "lex_max_min")


def some_case(seed: int, *, meshed: bool, **changes: Any) -> tuple[Network, CapacityQuestion, Prepared]:
    generator = np.random.default_rng([seed, 77])
    grid = random_network(generator, meshed=meshed)
    count = int(generator.integers(2, len(grid.buses.ids)))
    sites = generator.choice(grid.buses.ids[1:], count, replace=False).tolist()
    demand = dict(zip(sites, generator.uniform(5, 80, count).tolist(), strict=True))
    question = asked(grid, demand, at_zero="hold", **changes)
    return grid, question, prepared(grid, question, random_sample(generator, len(grid.buses.ids), 40))


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_on_trees_every_objective_reaches_the_largest_total(seed: int) -> None:
    _, question, margins = some_case(seed, meshed=False)
    totals = []
    for objective in OBJECTIVES:
        levels = allocate(margins, replace(question, objective=objective)).levels
        totals.append([level.total_mw for level in levels])
        assert [level.lost_to_objective_mw for level in levels] == pytest.approx([0, 0], abs=1e-6)
    assert totals[1] == pytest.approx(totals[0], abs=1e-5)
    assert totals[2] == pytest.approx(totals[0], abs=1e-6)


@pytest.mark.parametrize(
    ("demand", "split", "lost"), [((100.0, 1000.0), (14.0, 2.0), 8.0), ((1000.0, 100.0), (6.0, 18.0), 0.0)]
)
def test_on_the_triangle_the_ratio_objective_can_lose_total(
    demand: tuple[float, float], split: tuple[float, float], lost: float
) -> None:
    grid = triangle()
    question = asked(grid, {"2": demand[0], "3": demand[1]}, downward_closed=False, epsilons=())
    firm = allocate(prepared(grid, question, still(grid)), question).levels[0]
    assert firm.capacity_mw == pytest.approx(split, abs=1e-9)
    assert firm.lost_to_objective_mw == pytest.approx(lost, abs=1e-9)


def largest_total(rows: np.ndarray, margins: Prepared, question: CapacityQuestion) -> float:
    """By another program, over all rows at once."""
    bounds = [(0.0, mw) for mw in question.demand_mw]
    room = np.maximum(margins.margin_mw(0.0), 0.0)
    return -linprog(-np.ones(len(bounds)), rows, room, bounds=bounds, method="highs").fun


def test_on_meshes_the_ratio_objective_can_lose_total_and_a_part_of_the_answer_can_overload() -> None:
    """The theorem's other side: it is about trees, and about one mesh in five is a counterexample."""
    losing, overloading = 0, 0
    for seed in range(30, 90):
        _, question, margins = some_case(seed, meshed=True, downward_closed=False, epsilons=())
        firm = allocate(margins, question).levels[0]
        signed, room = margins.factors_of(question), np.maximum(margins.margin_mw(0.0), 0.0)
        lost = largest_total(signed, margins, question) - firm.total_mw
        assert firm.lost_to_objective_mw == pytest.approx(lost, abs=1e-6)
        losing += lost > 1e-3
        overloading += any(
            (signed @ (np.array(sold) * firm.capacity_mw) > room + 1e-3).any()
            for sold in product([0.0, 1.0], repeat=len(question.candidates))
        )
    assert losing >= 5
    assert overloading >= 2


def test_a_part_of_the_triangles_signed_answer_overloads_line_2_3() -> None:
    grid = triangle()
    question = asked(grid, {"2": 1000.0, "3": 100.0}, epsilons=())
    closed = allocate(prepared(grid, question, still(grid)), question).levels[0]
    assert closed.capacity_mw[1] <= 12.0 + 1e-9  # a third of it is at most 4 MW on line 2-3
    assert closed.lost_to_subsets_mw == pytest.approx(24.0 - closed.most_total_mw, abs=1e-9)
    signed = replace(question, downward_closed=False)
    found = allocate(prepared(grid, signed, still(grid)), signed)
    assert any("all or nothing" in notice for notice in found.notices)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(OBJECTIVES))
def test_every_subset_of_a_downward_closed_answer_is_deliverable(seed: int, objective: Any) -> None:
    _, question, margins = some_case(seed, meshed=True, objective=objective)
    result = allocate(margins, question)
    signed = margins.factors_of(question)
    for level in result.levels:
        room = np.maximum(margins.margin_mw(level.epsilon), 0.0)
        for sold in product([0.0, 1.0], repeat=len(question.candidates)):
            assert (signed @ (np.array(sold) * level.capacity_mw) <= room + 1e-6).all()


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(OBJECTIVES), st.booleans())
def test_levels_are_nested_and_pass_the_independent_check(seed: int, objective: Any, closed: bool) -> None:
    generator = np.random.default_rng([seed, 5])
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 40)
    question = asked(
        grid, {"2": 40.0, "3": 30.0, "4": 55.0}, objective=objective, downward_closed=closed, at_zero="hold",
        epsilons=(0.02, 0.1, 0.2),
    )  # fmt: skip
    result = allocate(prepared(grid, question, known), question)
    levels = [np.array(level.capacity_mw) for level in result.levels]
    for before, after in pairwise(levels):
        assert (after >= before - 1e-7).all()
    assert verify(grid, question, levels, States(known)).holds


def test_a_level_that_would_take_from_a_site_keeps_it_and_says_so() -> None:
    for seed in range(400):
        _, question, margins = some_case(seed, meshed=True, downward_closed=False, epsilons=(0.2,))
        result = allocate(margins, question)
        flexible = result.levels[1]
        if flexible.kept_by_floor:
            site = question.candidates.index(flexible.kept_by_floor[0])
            assert flexible.capacity_mw[site] == pytest.approx(result.firm_mw[site], abs=1e-6)
            assert any("keep that" in notice for notice in result.notices)
            return
    pytest.fail("no mesh among 400 had a site that the next level would have taken from")


def test_on_trees_with_a_box_no_site_would_lose_by_a_higher_risk() -> None:
    """The worst case of a box adds up along a path and CVaR is subadditive, so no floor is needed."""
    tried = 0
    for seed in range(60):
        _, question, margins = some_case(seed, meshed=False, firm_set="box")
        firm_mw, flexible_mw = margins.margin_mw(0.0), margins.margin_mw(0.05)
        if (firm_mw < 0).any():
            continue  # a limit held at its present level is no longer the box's
        rows, demand = np.maximum(margins.factors_of(question), 0.0), np.array(question.demand_mw)
        firm, flexible = (
            solve_level(LevelProgram(rows, margin, 0.0 * demand, demand), "sum_ratio", "lex_max_min").mw
            for margin in (firm_mw, flexible_mw)
        )
        assert (flexible >= firm - 1e-6).all()
        tried += bool((flexible > firm + 1e-3).any())
    assert tried >= 10


def lexicographic_by_pairs(problem: LevelProgram, best: np.ndarray, tries: int = 4000) -> bool:
    """Whether no random feasible point has lexicographically larger sorted shares."""
    generator = np.random.default_rng(0)
    found = np.sort(best / problem.demand_mw)
    for _ in range(tries):
        direction = generator.uniform(0, 1, len(best)) * problem.demand_mw
        step = direction / max(1.0, float((problem.factors @ direction / np.maximum(problem.margin_mw, 1e-9)).max()))
        step = np.minimum(step, problem.demand_mw)
        other = np.sort(np.maximum(step, problem.floor_mw) / problem.demand_mw)
        if (problem.factors @ np.maximum(step, problem.floor_mw) > problem.margin_mw + 1e-9).any():
            continue
        difference = np.flatnonzero(np.abs(other - found) > 1e-10)
        if difference.size and other[difference[0]] > found[difference[0]]:
            return False
    return True


@pytest.mark.parametrize("seed", range(20))
def test_raising_shares_together_is_lexicographically_fairest(seed: int) -> None:
    generator = np.random.default_rng(seed)
    factors = generator.uniform(0, 1, (5, 3)) * (generator.random((5, 3)) < 0.7)
    problem = LevelProgram(factors, generator.uniform(5, 20, 5), np.zeros(3), generator.uniform(10, 40, 3))
    found = solve_level(problem, "lex_max_min", "lex_max_min")
    assert found.checks["fairness"] < 1e-9
    assert lexicographic_by_pairs(problem, found.mw)


def test_ties_go_to_the_fairest_split_whatever_the_order_of_sites() -> None:
    grid = network([(1, 2), (2, 3), (2, 4), (2, 5)], [30.0, 100.0, 100.0, 6.0], buses=5)
    for order in (("3", "4", "5"), ("5", "4", "3"), ("4", "5", "3")):
        question = asked(grid, dict.fromkeys(order, 100.0), epsilons=())
        firm = allocate(prepared(grid, question, still(grid)), question).levels[0]
        assert dict(zip(order, firm.capacity_mw, strict=True)) == pytest.approx({"3": 12, "4": 12, "5": 6}, abs=1e-6)


def test_the_other_tie_rule_takes_the_least_squares() -> None:
    grid = network([(1, 2), (2, 3), (2, 4)], [30.0, 100.0, 100.0], buses=4)
    question = asked(grid, {"3": 100.0, "4": 100.0}, epsilons=(), tie_rule="least_squares")
    firm = allocate(prepared(grid, question, still(grid)), question).levels[0]
    assert firm.capacity_mw == pytest.approx((15.0, 15.0), abs=1e-6)


def overloaded() -> tuple[Network, CapacityQuestion, Prepared]:
    grid = network([(1, 2), (2, 3), (1, 4)], [10.0, 10.0, 10.0], buses=4)
    known = sample(np.array([[0.0, 6.0, 6.0, 0.0], [0.0, 1.0, 1.0, 0.0]]))
    question = asked(grid, {"3": 5.0, "4": 5.0}, epsilons=())
    return grid, question, prepared(grid, question, known)


def test_limits_exceeded_at_zero_stop_the_question_row_by_row() -> None:
    _, question, margins = overloaded()
    result = allocate(margins, question)
    assert result.status == "infeasible_at_zero"
    assert result.levels == ()
    assert [(row.limit.element, row.over_mw, row.state) for row in result.over_limit] == [("1-2", 2.0, "scenario 0")]
    assert result.firm_mw == (0.0, 0.0)


def test_held_limits_take_nothing_more_and_stay_listed() -> None:
    grid, question, margins = overloaded()
    held = replace(question, at_zero="hold")
    result = allocate(margins, held)
    assert result.levels[0].capacity_mw == pytest.approx((0.0, 5.0))
    assert len(result.over_limit) == 1
    assert any("held at their present level" in notice for notice in result.notices)
    assert grid.branches.ids[0] == result.levels[0].binding[0].limit.element


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(OBJECTIVES))
def test_the_gain_of_a_limit_predicts_a_small_reinforcement(seed: int, objective: Any) -> None:
    _, question, margins = some_case(seed, meshed=True, objective=objective, epsilons=())
    firm = allocate(margins, question).levels[0]
    step = 1e-4
    for binding in firm.binding:
        if binding.gain_mw_per_mw is None or margins.margin_mw(0.0)[binding.limit.row] < 1e-3:
            continue
        gains = [
            (allocate(reinforced(margins, binding.limit, d), question).levels[0].total_mw - firm.total_mw) / d
            for d in (step, -step)
        ]
        # At a corner the slope differs on both sides, and the stated one lies between them.
        assert min(gains) - 1e-2 <= binding.gain_mw_per_mw <= max(gains) + 1e-2


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio"])
def test_the_dual_of_an_objective_predicts_its_gain(objective: Any) -> None:
    grid = triangle()
    question = asked(grid, {"2": 100.0, "3": 1000.0}, downward_closed=False, epsilons=(), objective=objective)
    margins = prepared(grid, question, still(grid))
    firm = allocate(margins, question).levels[0]
    assert len(firm.binding) == 2
    for binding in firm.binding:
        less, more = (allocate(reinforced(margins, binding.limit, d), question).levels[0] for d in (-0.01, 0.01))
        assert less.objective - more.objective == pytest.approx(0.02 * binding.dual, rel=1e-4)


def test_the_checker_refuses_a_level_that_takes_from_the_one_before() -> None:
    grid = triangle()
    question = asked(grid, {"2": 100.0}, epsilons=(0.05,))
    verdict = verify(grid, question, [np.array([3.0]), np.array([2.0])], States(still(grid)))
    assert [(found.rule, found.over_mw) for found in verdict.violations] == [("nesting", 1.0)]
    for levels, over in (([-1.0, 0.0], 1.0), ([0.0, 103.0], 3.0)):
        verdict = verify(grid, question, [np.array([mw]) for mw in levels], States(still(grid)))
        assert [found.over_mw for found in verdict.violations if found.rule == "bounds"] == [over]


def test_why_solves_again_with_ten_megawatts_more() -> None:
    grid = triangle()
    question = asked(grid, {"2": 100.0, "3": 1000.0}, downward_closed=False, epsilons=())
    margins = prepared(grid, question, still(grid))
    result = allocate(margins, question)
    card = why(margins, question, result, "2")
    wider = network(TRIANGLE, [20.0, 30.0, 4.0], buses=3)
    again = allocate(prepared(wider, question, still(wider)), question).levels[0]
    assert card.limit is not None
    assert card.limit.element == "1-2"
    assert card.gain_mw == pytest.approx(again.capacity_mw[0] - 14.0)
    assert card.total_gain_mw == pytest.approx(again.total_mw - 16.0)
    assert f"10 MW more there gives {card.gain_mw:.1f} MW more here" in card.summary
    assert card.formula_with_values.endswith("<= 10.0 - 0.0")
    single = why_alone(margins, question, "2")
    assert single.gain_mw is not None
    assert "12.0 MW firm at bus 2, alone" in single.title  # line 2-3 backward: 4 / (1/3)
    with pytest.raises(QuestionError, match="'1' is not among"):
        why(margins, question, result, "1")
    with pytest.raises(QuestionError, match="did not ask for risk 3 %"):
        why(margins, question, result, "2", 0.03)


def test_demand_met_in_full_is_its_own_reason() -> None:
    grid = triangle()
    question = asked(grid, {"2": 1.0}, epsilons=())
    margins = prepared(grid, question, still(grid))
    card = why(margins, question, allocate(margins, question), "2")
    assert card.limit is None
    assert "met in full" in card.summary


def test_a_cutoff_drops_small_factors_and_the_checker_says_what_it_lets_through() -> None:
    grid = triangle()
    question = asked(grid, {"2": 100.0}, epsilons=(), cutoff=0.5)
    margins = prepared(grid, question, still(grid))
    result = allocate(margins, question)
    assert result.firm_mw == pytest.approx((15.0,))  # 10 / (2/3): line 2-3 with its third no longer counts
    assert any("under 50 % are dropped" in notice for notice in result.notices)
    verdict = verify(grid, question, [np.array(result.firm_mw)], States(still(grid)))
    assert verdict.holds
    assert verdict.dropped_factors_mw == pytest.approx(1.0)
    assert "branch 2-3" in verdict.words


def test_risk_below_the_sample_resolution_is_the_worst_scenario_and_is_said() -> None:
    grid = triangle()
    known = sample(np.array([[0.0, float(s), 0.0] for s in range(10)]))
    question = asked(grid, {"2": 50.0}, epsilons=(0.05,), at_zero="hold")
    result = allocate(prepared(grid, question, known), question)
    assert result.delta_mw[0] == pytest.approx((0.0,), abs=1e-7)
    assert any("below the sample resolution of 10 %" in notice for notice in result.notices)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_var_grants_at_least_what_cvar_grants(seed: int) -> None:
    _, question, margins = some_case(seed, meshed=False, epsilons=(0.1,))
    cvar = allocate(margins, question).levels[1].total_mw
    assert allocate(margins, replace(question, measure="var")).levels[1].total_mw >= cvar - 1e-6


def test_the_optimum_over_many_rows_is_that_of_all_rows_at_once() -> None:
    generator = np.random.default_rng(0)
    factors = generator.uniform(-0.3, 1, (900, 12))
    problem = LevelProgram(factors, generator.uniform(50, 90, 900), np.zeros(12), generator.uniform(10, 80, 12))
    bounds = [(0.0, d) for d in problem.demand_mw]
    whole = linprog(-1 / problem.demand_mw, factors, problem.margin_mw, bounds=bounds, method="highs")
    found = solve_level(problem, "sum_ratio", "lex_max_min")
    assert found.mw @ (1 / problem.demand_mw) == pytest.approx(-whole.fun, abs=1e-9)
    assert found.checks["most_over_margin_mw"] < 1e-6


def test_firm_in_the_sample_is_firm_in_its_hull() -> None:
    """Flows are linear in the state, so what every scenario allows, every mixture of scenarios allows."""
    generator = np.random.default_rng(11)
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 40)
    question = asked(grid, {"2": 40.0, "3": 30.0, "4": 55.0}, epsilons=(), at_zero="hold")
    margins = prepared(grid, question, known)
    firm = np.array(allocate(margins, question).firm_mw)
    mixed = generator.dirichlet(np.full(40, 0.1), 500) @ known.net_demand_mw
    assert verify(grid, question, [firm], States(sample(mixed))).holds
    beyond = sample(mixed.mean(axis=0) + 1.3 * (known.net_demand_mw - mixed.mean(axis=0)))
    assert not verify(grid, question, [firm], States(beyond)).holds


def test_the_price_of_deliverable_subsets_is_the_difference_of_two_programs() -> None:
    paid = 0
    for seed in range(30, 60):
        _, question, margins = some_case(seed, meshed=True, epsilons=())
        firm = allocate(margins, question).levels[0]
        signed = margins.factors_of(question)
        with_signs = largest_total(signed, margins, question)
        without = largest_total(np.maximum(signed, 0.0), margins, question)
        assert firm.lost_to_subsets_mw == pytest.approx(with_signs - without, abs=1e-6)
        paid += with_signs - without > 1e-3
    assert paid >= 3


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("tie_rule", ["lex_max_min", "least_squares"])
def test_the_limit_named_for_a_site_gives_it_more_whenever_any_full_limit_does(objective: str, tie_rule: str) -> None:
    extra, moved = 0.01, 0
    for seed in range(8):
        _, question, margins = some_case(seed, meshed=True, objective=objective, tie_rule=tie_rule, epsilons=())
        level = allocate(margins, question).levels[0]
        wider = [allocate(reinforced(margins, row.limit, extra), question).levels[0] for row in level.binding]
        gains = (np.array([one.capacity_mw for one in wider]) - level.capacity_mw) / extra
        for site, named in enumerate(level.limited_by):
            if level.capacity_mw[site] > question.demand_mw[site] - 1e-6:
                assert named == -1
            elif gains[:, site].max() > 1e-3:
                moved += 1
                assert gains[named, site] > 1e-3
    assert moved > 10
