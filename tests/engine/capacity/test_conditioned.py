"""Conditions against closed forms on the 4-bus case, the full scenario program and whole cvxpy models."""

import json
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.conditioned import Conditioned
from engine.capacity.conditions import Condition, condition_rows, read_conditions
from engine.capacity.independent import check_independently
from engine.capacity.level import LevelProgram
from engine.capacity.level_solver import level_solver
from engine.capacity.limiting import stopping_rows
from engine.capacity.margins import prepare
from engine.capacity.products import product_set
from engine.capacity.programs import solve_level
from engine.capacity.question import CapacityQuestion, check_conditions
from engine.capacity.results import CapacityResult
from engine.capacity.uncertainty import States, box, distribution_sample
from engine.capacity.verify import verify
from engine.capacity.why import why
from engine.errors import InfeasibleError, QuestionError
from engine.network.library import load
from engine.network.model import Network
from tests.engine.capacity.small import scenario_program
from tests.engine.capacity.test_fourbus import QUESTION
from tests.engine.capacity.test_programs import random_rows

FOURBUS = Network.from_tables(load("fourbus"))
FIRM = LevelProgram(  # bus 3 within 20, bus 4 within 10, line 1-2 within 20: the firm level of the paper's case
    np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([20.0, 10.0, 20.0]), np.zeros(2), np.array([60.0, 50.0])
)


def firm(*conditions: Condition, objective: Any = "sum_ratio", extend: Any = None) -> np.ndarray:
    question = replace(QUESTION, conditions=conditions, objective=objective)
    return level_solver(FOURBUS, question, extend).solve(FIRM, objective, "lex_max_min").mw


def test_a_cap_moves_what_it_takes_from_a_site() -> None:
    assert firm(Condition("cap", buses=("4",), mw=6.0)) == pytest.approx([14.0, 6.0], abs=1e-6)
    assert firm(Condition("largest", mw=7.5)) == pytest.approx([7.5, 7.5], abs=1e-6)
    assert firm(Condition("cap", mw=12.0)).sum() == pytest.approx(12.0, abs=1e-6)


def test_a_site_that_is_served_has_all_of_its_demand() -> None:
    question = replace(QUESTION, demand_mw=(5.0, 50.0), conditions=(Condition("cap", mw=100.0),))
    small = replace(FIRM, demand_mw=np.array([5.0, 50.0]))
    assert level_solver(FOURBUS, question).solve(small, "sum_sq_ratio", "lex_max_min").mw[0] == 5.0


def test_shares_and_reserves_are_kept() -> None:
    assert firm(Condition("least", buses=("3",), share=0.7)) == pytest.approx([14.0, 6.0], abs=1e-6)
    assert firm(Condition("least", buses=("3",), share=0.3, of="demand")) == pytest.approx([18.0, 2.0], abs=1e-6)
    assert firm(Condition("reserve", buses=("3",), mw=17.0)) == pytest.approx([17.0, 3.0], abs=1e-6)


def test_a_corridor_is_a_weighted_sum() -> None:
    # c3 + 2 c4 <= 25 with c3 + c4 <= 20: 1/50 per MW at bus 4 against 1/60, but there a MW uses two
    assert firm(Condition("corridor", weights=(("3", 1.0), ("4", 2.0)), mw=25.0)) == pytest.approx(
        [15.0, 5.0], abs=1e-6
    )


def test_even_shares_pull_the_split_together() -> None:
    """Along c3 + c4 = 20 the least of -c3/60 - c4/50 + w sum (s - mean)², by setting its slope to zero."""
    weight = 0.05
    grid = np.linspace(10.0, 20.0, 200_001)
    shares = np.array([grid / 60.0, (20.0 - grid) / 50.0])
    value = -shares.sum(axis=0) + weight * ((shares - shares.mean(axis=0)) ** 2).sum(axis=0)
    best = grid[value.argmin()]
    assert firm(Condition("even", weight=weight)) == pytest.approx([best, 20.0 - best], abs=2e-3)
    equal = firm(Condition("even", weight=1e4))
    assert equal[0] / 60.0 == pytest.approx(equal[1] / 50.0, abs=1e-4)


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio", "lex_max_min"])
@pytest.mark.parametrize("seed", range(8))
def test_conditions_that_do_not_bind_change_nothing(seed: int, objective: Any) -> None:
    problem = random_rows(seed, signed=False, even=seed % 2 == 0)
    question = CapacityQuestion(candidates=("1", "2", "3", "4"), demand_mw=tuple(problem.demand_mw.tolist()))
    rows = condition_rows([Condition("cap", mw=1e5)], FOURBUS, question.candidates, problem.demand_mw)
    found = Conditioned([Condition("cap", mw=1e5)], rows).solve(problem, objective, "lex_max_min")
    plain = solve_level(problem, objective, "lex_max_min")
    assert found.mw == pytest.approx(plain.mw, abs=2e-3)
    assert found.objective == pytest.approx(plain.objective, abs=1e-6)
    assert max(found.checks.values()) < 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_the_optimum_is_that_of_the_whole_model(seed: int) -> None:
    """Six rows at once, written down by hand, by another solver."""
    problem = random_rows(seed, signed=True)
    weight = np.array([1.0, -0.5, 0.8, 0.0])
    conditions = [
        Condition("cap", buses=("1", "2"), mw=15.0),
        Condition("corridor", weights=tuple(zip("123", weight, strict=False)), mw=9.0),
        Condition("least", buses=("4",), share=0.1),
        Condition("even", weight=0.7),
    ]
    rows = condition_rows(conditions, FOURBUS, tuple("1234"), problem.demand_mw)
    floor = np.zeros(4)
    free = LevelProgram(problem.factors, problem.margin_mw, floor, problem.demand_mw)
    found = Conditioned(conditions, rows).solve(free, "sum_ratio", "lex_max_min")
    c = cp.Variable(4, nonneg=True)
    share = cp.multiply(1 / problem.demand_mw, c)
    rules = [problem.factors @ c <= problem.margin_mw, c <= problem.demand_mw, c[0] + c[1] <= 15.0]
    rules += [weight @ c <= 9.0, c[3] >= 0.1 * cp.sum(c)]
    value = cp.Problem(cp.Minimize(cp.sum(1 - share) + 0.7 * cp.sum_squares(share - cp.sum(share) / 4)), rules).solve(
        solver=cp.SCS, eps=1e-9
    )
    assert found.objective == pytest.approx(value, abs=1e-5)
    assert (problem.factors @ found.mw <= problem.margin_mw + 1e-9).all()


def test_terms_and_constraints_of_ones_own_come_from_python() -> None:
    both = firm(extend=lambda c: ([], [cp.norm(c, 2) <= 12.0]))
    assert np.linalg.norm(both) == pytest.approx(12.0, abs=1e-5)
    assert firm(extend=lambda c: ([10.0 * cp.square(c[0] - 3.0)], [])) == pytest.approx([3.0, 10.0], abs=1e-2)
    with pytest.raises(QuestionError, match="convex"):
        firm(extend=lambda c: ([-cp.square(c[0])], []))
    with pytest.raises(QuestionError, match="convex"):
        firm(extend=lambda c: ([], [cp.norm(c, 2) >= 12.0]))


def test_conditions_that_cannot_be_kept_are_named() -> None:
    with pytest.raises(InfeasibleError, match=r"'hospital' misses 5\.0 MW"):
        firm(Condition("reserve", name="hospital", buses=("4",), mw=15.0))
    with pytest.raises(InfeasibleError, match="constraints that were given"):
        firm(extend=lambda c: ([], [cp.sum(c) >= 100.0]))


def test_a_condition_about_nobody_is_refused() -> None:
    with pytest.raises(QuestionError, match="zone North: no site is there"):
        firm(Condition("cap", zones=("North",), mw=1.0))
    with pytest.raises(QuestionError, match="names bus '2'"):
        firm(Condition("cap", buses=("2",), mw=1.0))
    with pytest.raises(QuestionError, match="lexicographic"):
        firm(Condition("even", weight=1.0), objective="lex_max_min")


def test_a_condition_that_stops_a_site_is_a_row_with_a_price() -> None:
    cap, loose = Condition("cap", "quay", buses=("4",), mw=6.0), Condition("cap", mw=500.0)
    solver = level_solver(FOURBUS, replace(QUESTION, conditions=(cap, loose)))
    found = solver.solve(FIRM, "sum_ratio", "lex_max_min")
    assert found.rows.tolist() == [2, 3]  # line 1-2, then the first condition
    assert found.dual == pytest.approx([1 / 60, 1 / 50 - 1 / 60], abs=1e-6)  # a MW of each moves these shares
    assert solver.limit(0).words == "condition quay, bus 4: together at most 6 MW"
    assert solver.most_total(FIRM).sum() == pytest.approx(20.0, abs=1e-6)
    stops = stopping_rows(solver.whole(FIRM), found, QUESTION)
    assert stops.tolist() == [2, 3]


def test_records_go_to_json_and_back() -> None:
    conditions = (
        Condition("cap", "north", zones=("North", "Far West"), mw=100.0),
        Condition("corridor", weights=(("3", 1.0), ("4", -0.5)), mw=25.0),
        Condition("least", buses=("3",), share=0.2, of="demand"),
        Condition("even", weight=0.5),
    )
    question = replace(QUESTION, conditions=conditions)
    assert read_conditions([condition.to_json() for condition in conditions]) == conditions
    assert CapacityQuestion.from_json(question.to_json()) == question
    assert question.digest() != QUESTION.digest()
    assert "under 4 conditions" in question.sentence()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"kind": "most"}, "kind must be one of"),
        ({"kind": "cap"}, "needs a number for mw"),
        ({"kind": "cap", "mw": -1}, "mw must be from 0"),
        ({"kind": "least", "share": 1.5}, "share must be from 0 to 1"),
        ({"kind": "corridor", "mw": 5}, "needs the weight of one bus"),
        ({"kind": "cap", "mw": "much"}, "wrong type"),
        ({"kind": "cap", "mw": 5, "zones": "North"}, "wrong type"),
        ({"kind": "cap", "mw": 5, "colour": "red"}, "no field 'colour'"),
        ("cap", "must be a table"),
    ],
)
def test_what_cannot_be_read_is_named(content: Any, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        read_conditions([content])


@pytest.fixture(scope="module")
def paper() -> Any:
    known = States(distribution_sample(QUESTION.uncertainty, FOURBUS), box(QUESTION.uncertainty, FOURBUS))
    return prepare(FOURBUS, QUESTION, known)


def test_the_answer_under_conditions_is_that_of_the_scenario_program_with_them(paper: Any) -> None:
    """A cap on bus 4 is its own withdrawal limit in the full program (17): the smaller of the two."""
    cap = Condition("cap", "quay", buses=("4",), mw=12.5)
    question = replace(QUESTION, conditions=(cap,))
    found = allocate(paper, question)
    known = distribution_sample(replace(QUESTION.uncertainty), FOURBUS)
    free = scenario_program(FOURBUS, QUESTION, known, 0.05)
    assert found.firm_mw == pytest.approx([10.0, 10.0], abs=1e-6)
    assert found.flexible_mw[0] == pytest.approx([free.sum() - 12.5, 12.5], abs=1e-5)  # line 1-2 holds their sum
    level = found.levels[1]
    stops = [level.binding[place].limit for place in level.limited_by]
    assert [limit.element for limit in stops] == ["1-2", "quay"]
    assert stops[1].kind == "condition"
    assert any("with them the largest total is" in notice for notice in found.notices)
    assert CapacityResult.from_json(json.loads(json.dumps(found.to_json()))) == found
    card = why(paper, question, found, "4", 0.05)
    assert "Stopped by the condition quay" in card.summary
    assert card.gain_mw is None


def test_products_and_the_checker_take_an_answer_under_conditions(paper: Any) -> None:
    question = replace(QUESTION, conditions=(Condition("largest", mw=12.0), Condition("even", weight=0.1)))
    found = allocate(paper, question)
    assert max(found.flexible_mw[0]) <= 12.0 + 1e-6
    assert len(product_set(paper, question, found).products) == 4
    levels = [np.array(level.capacity_mw) for level in found.levels]
    known = States(distribution_sample(QUESTION.uncertainty, FOURBUS), box(QUESTION.uncertainty, FOURBUS))
    assert verify(FOURBUS, question, levels, known).holds
    assert check_independently(paper, question, levels).holds


def test_a_callers_own_terms_reach_every_level(paper: Any) -> None:
    found = allocate(paper, QUESTION, extend=lambda c: ([], [c[0] == 2 * c[1]]))
    for level in found.levels:
        assert level.capacity_mw[0] == pytest.approx(2 * level.capacity_mw[1], abs=1e-5)


def test_conditions_that_an_answer_could_not_keep_are_refused() -> None:
    with pytest.raises(QuestionError, match="redispatch"):
        check_conditions(replace(QUESTION, conditions=(Condition("cap", mw=5.0),), recourse="redispatch"))
    with pytest.raises(QuestionError, match="seasons"):
        check_conditions(replace(QUESTION, conditions=(Condition("reserve", mw=5.0),), period="season"))
    check_conditions(replace(QUESTION, conditions=(Condition("cap", mw=5.0),), period="season"))
