"""The small programs against other programs: every objective and tie rule on random rows, signed or not."""

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import linprog

from engine.capacity.level import BROKEN_MW, LevelProgram, margin_above
from engine.capacity.programs import most_total, solve_level
from engine.errors import SolverError


def random_rows(seed: int, *, signed: bool, even: bool = False) -> LevelProgram:
    """Four sites on six rows; ``even``: equal demands and rows of few distinct factors, so that optima are many."""
    generator = np.random.default_rng([seed, signed, even])
    factors = generator.uniform(-0.6 if signed else 0.0, 1, (6, 4)) * (generator.random((6, 4)) < 0.7)
    demand = generator.uniform(10, 60, 4)
    if even:
        factors, demand = np.sign(np.round(factors, 1)), np.full(4, 30.0)
    floor = np.zeros(4)
    margin = generator.uniform(2, 30, 6).round(0 if even else 6)
    if seed % 2 and not even:  # what the level before granted
        floor[:2] = 0.2 * demand[:2]
        margin = np.maximum(margin, factors @ floor + 0.5)
    return LevelProgram(factors, margin, floor, demand)


def fairest(problem: LevelProgram, fixed: tuple[np.ndarray, float] | None = None) -> np.ndarray:
    """The sorted shares of the lexicographic max-min, by Ogryczak's ordered sums.

    For k = 1, 2, ... the sum of the k least shares is made as large as it can be, given those before: the largest
    of k t - sum(d) with d >= t - share, d >= 0. ``fixed`` (row, value) keeps the point on a face: row @ mw >= value.
    Source: Ogryczak and Sliwinski, "On solving linear programs with the ordered weighted averaging objective",
    European J. Operational Research 148, 2003.
    """
    count = len(problem.demand_mw)
    width = count + count * (1 + count)  # mw, then t and d of every k
    rows = [np.concatenate([row, np.zeros(width - count)]) for row in problem.factors]
    ends = problem.margin_mw.tolist()
    if fixed is not None:
        rows.append(np.concatenate([-fixed[0], np.zeros(width - count)]))
        ends.append(-fixed[1])
    sums: list[float] = []
    bounds: list[tuple[float | None, float | None]] = list(zip(problem.floor_mw, problem.demand_mw, strict=True))
    bounds += [(None, None) if k % (1 + count) == 0 else (0, None) for k in range(count * (1 + count))]
    for k in range(1, count + 1):
        start = count + (k - 1) * (1 + count)
        for site in range(count):
            row = np.zeros(width)
            row[start], row[start + 1 + site] = 1.0, -1.0
            row[site] = -1.0 / problem.demand_mw[site]
            rows.append(row)
            ends.append(0.0)
        value = np.zeros(width)
        value[start], value[start + 1 : start + 1 + count] = k, -1.0
        found = linprog(-value, np.array(rows), np.array(ends), bounds=bounds, method="highs")
        assert found.success, found.message
        sums.append(-found.fun)
        rows.append(-value)
        ends.append(found.fun + 1e-9)
    return np.diff([0.0, *sums])


def by_cvxpy(problem: LevelProgram, objective: str) -> float:
    c = cp.Variable(len(problem.demand_mw))
    unserved = cp.multiply(1 / problem.demand_mw, problem.demand_mw - c)
    aim = {
        "sum_ratio": cp.Minimize(cp.sum(unserved)),
        "sum_sq_ratio": cp.Minimize(cp.sum_squares(unserved)),
        "total": cp.Maximize(cp.sum(c)),
    }[objective]
    rules = [problem.factors @ c <= problem.margin_mw, c >= problem.floor_mw, c <= problem.demand_mw]
    made = cp.Problem(aim, rules)
    made.solve(solver=cp.CLARABEL)
    return float(made.value)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_every_objective_is_that_of_another_program(seed: int, signed: bool) -> None:
    problem = random_rows(seed, signed=signed)
    shares: Any = None
    for objective in ("sum_ratio", "sum_sq_ratio"):
        found = solve_level(problem, objective, "lex_max_min")
        assert found.objective == pytest.approx(by_cvxpy(problem, objective), abs=1e-6)
        assert (problem.factors @ found.mw <= problem.margin_mw + 1e-6).all()
    assert most_total(problem).sum() == pytest.approx(by_cvxpy(problem, "total"), abs=1e-5)
    shares = np.sort(solve_level(problem, "lex_max_min", "lex_max_min").mw / problem.demand_mw)
    assert shares == pytest.approx(fairest(problem), abs=1e-6)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_among_equal_optima_the_tie_rules_take_theirs(seed: int, signed: bool) -> None:
    problem = random_rows(seed, signed=signed, even=True)
    best = by_cvxpy(problem, "sum_ratio")
    weight = 1 / problem.demand_mw
    face = (weight, len(weight) - best - 1e-8)
    fair = solve_level(problem, "sum_ratio", "lex_max_min")
    assert fair.objective == pytest.approx(best, abs=1e-6)
    assert np.sort(fair.mw * weight) == pytest.approx(fairest(problem, face), abs=1e-5)
    least = solve_level(problem, "sum_ratio", "least_squares").mw
    c = cp.Variable(len(weight))
    rules = [problem.factors @ c <= problem.margin_mw, c >= 0, c <= problem.demand_mw, face[0] @ c >= face[1]]
    cp.Problem(cp.Minimize(cp.sum_squares(c)), rules).solve(solver=cp.CLARABEL)
    assert least == pytest.approx(c.value, abs=1e-3)
    assert weight @ least == pytest.approx(weight @ fair.mw, abs=1e-7)


def test_ties_are_common_among_the_even_rows() -> None:
    """Otherwise the test above would test nothing: other vertices of the optimal face must exist."""
    ties = 0
    for seed in range(15):
        problem = random_rows(seed, signed=False, even=True)
        best = len(problem.demand_mw) - by_cvxpy(problem, "sum_ratio")
        rows = np.vstack([problem.factors, -1 / problem.demand_mw])
        ends = np.append(problem.margin_mw, -best + 1e-7)
        bounds = [(0.0, d) for d in problem.demand_mw]
        spread = [
            linprog(sign * np.eye(4)[site], rows, ends, bounds=bounds, method="highs").x[site]
            for site in range(4)
            for sign in (1, -1)
        ]
        ties += max(np.abs(np.diff(np.reshape(spread, (4, 2)), axis=1)).ravel()) > 1.0
    assert ties >= 5


@pytest.mark.parametrize("seed", [17, 40, 41])
def test_the_fairest_optimum_is_found_where_rounding_leaves_a_stage_no_room(seed: int) -> None:
    """Rows of very different factors, all nearly full at one point: 40 once ended as an infeasible stage."""
    generator = np.random.default_rng(seed)
    sites, count = 30, 60
    generator.random(sites)
    factors = generator.random((count, sites)) * generator.choice([0.0, 1.0], (count, sites), p=[0.6, 0.4])
    factors *= 10.0 ** generator.uniform(-4, 0, (count, 1))
    point = generator.uniform(0, 400, sites)
    margin = factors @ point * (1 + 1e-9 * generator.normal(size=count))
    demand = np.full(sites, 1000.0)
    rows = np.vstack([np.full(sites, 0.3), factors])
    room = np.concatenate([[0.3 * point.sum() * 0.9], margin])
    found = solve_level(LevelProgram(rows, room, np.zeros(sites), demand), "sum_ratio", "lex_max_min")
    least = linprog(-1 / demand, rows, room, bounds=list(zip(np.zeros(sites), demand, strict=True)), method="highs")
    assert found.objective == pytest.approx(sites + least.fun, abs=1e-7)
    assert (rows @ found.mw - room).max() < 1e-6


def test_a_row_that_the_floor_fills_leaves_a_site_of_tiny_factor_its_floor() -> None:
    """The row is over by rounding: without a hair the second site would have to end 0.1 MW below its floor."""
    factors, floor, demand = np.array([[1.0, 1e-9]]), np.array([10.0, 5.0]), np.array([20.0, 8.0])
    margin = factors @ floor - 1e-10
    with pytest.raises(SolverError):
        solve_level(LevelProgram(factors, margin, floor, demand), "sum_ratio", "lex_max_min")
    problem = LevelProgram(factors, margin_above(factors, margin, floor), floor, demand)
    found = solve_level(problem, "sum_ratio", "lex_max_min")
    assert (found.mw >= floor).all()
    assert (factors @ found.mw <= margin + BROKEN_MW).all()
