"""The least cut against brute force over vertices, another program, and closed forms."""

from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest

from engine.capacity.curtailment import Curtailment

TOLERANCE = 1e-5


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Five limits, four products in two classes, one state whose limits some cut restores."""
    generator = np.random.default_rng(seed)
    factors = np.round(generator.uniform(-0.5, 1, (5, 4)), 3)
    size = generator.uniform(2, 9, 4)
    risk = np.array([0.01, 0.01, 0.05, 0.05])
    cut = size * generator.random(4)
    return factors, size, risk, factors @ cut - generator.uniform(0, 0.5, 5)


def by_cvxpy(factors: np.ndarray, size: np.ndarray, risk: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """The cut by another solver and stage by stage: least of the safest class, then of the next, then in proportion."""
    y = cp.Variable(len(size))
    rules = [factors @ y >= excess, y >= 0, y <= size]
    for level in np.unique(risk):
        total = cp.sum(y[np.flatnonzero(risk == level)])
        value = cp.Problem(cp.Minimize(total), rules).solve(solver=cp.HIGHS)
        rules.append(total <= value + 1e-6)
    cp.Problem(cp.Minimize(cp.sum_squares(cp.multiply(y, 1 / np.sqrt(size)))), rules).solve(solver=cp.CLARABEL)
    return np.asarray(y.value)


def least_total(factors: np.ndarray, size: np.ndarray, excess: np.ndarray) -> float:
    """The least sum over all vertices of the polyhedron of cuts."""
    count = len(size)
    rows = np.vstack([-factors, np.eye(count), -np.eye(count)])
    ends = np.concatenate([-excess, size, np.zeros(count)])
    best = np.inf
    for chosen in combinations(range(len(rows)), count):
        square = rows[list(chosen)]
        if abs(np.linalg.det(square)) < 1e-9:
            continue
        point = np.linalg.solve(square, ends[list(chosen)])
        if (rows @ point <= ends + 1e-8).all():
            best = min(best, float(point.sum()))
    return best


@pytest.mark.parametrize("seed", range(25))
def test_cuts_are_those_of_another_program_stage_by_stage(seed: int) -> None:
    factors, size, risk, excess = random_case(seed)
    found = Curtailment(factors, size, risk).cut(excess[:, np.newaxis])
    assert found.left_mw[0] == 0.0
    assert found.cut_mw[0] == pytest.approx(by_cvxpy(factors, size, risk, excess), abs=1e-2)
    assert (factors @ found.cut_mw[0] >= excess - TOLERANCE).all()


@pytest.mark.parametrize("seed", range(15))
def test_one_class_is_cut_by_the_least_total_of_all_vertices(seed: int) -> None:
    factors, size, _, excess = random_case(seed)
    found = Curtailment(factors, size, np.full(4, 0.05)).cut(excess[:, np.newaxis])
    assert found.cut_mw[0].sum() == pytest.approx(least_total(factors, size, excess), abs=TOLERANCE)


def test_many_states_at_once_are_each_as_alone() -> None:
    cases = [random_case(seed) for seed in range(20)]
    factors, size, risk, _ = cases[0]
    generator = np.random.default_rng(7)
    excess = np.column_stack([factors @ (size * generator.random(4)) - 0.1 for _ in range(40)])
    together = Curtailment(factors, size, risk).cut(excess)
    for state in range(40):
        alone = Curtailment(factors, size, risk).cut(excess[:, [state]])
        assert together.cut_mw[state] == pytest.approx(alone.cut_mw[0], abs=TOLERANCE)


def test_on_one_limit_the_riskiest_goes_first_then_the_larger_factor_then_in_proportion() -> None:
    factors = np.array([[1.0, 0.5, 0.5, 1.0]])
    curtailment = Curtailment(factors, np.array([4.0, 6.0, 2.0, 4.0]), np.array([0.05, 0.05, 0.05, 0.01]))
    found = curtailment.cut(np.array([[3.0, 6.0, 9.0]]))
    assert found.cut_mw[0] == pytest.approx([3.0, 0.0, 0.0, 0.0])
    assert found.cut_mw[1] == pytest.approx([4.0, 3.0, 1.0, 0.0])  # 2 MW left over factors of 0.5: 4 MW as 6 to 2
    assert found.cut_mw[2] == pytest.approx([4.0, 6.0, 2.0, 1.0])
    assert found.programs == 0


def test_nothing_is_cut_where_limits_have_room() -> None:
    found = Curtailment(np.eye(2), np.ones(2), np.full(2, 0.05)).cut(np.array([[-1.0], [0.0]]))
    assert not found.cut_mw.any()
    assert found.left_mw[0] == 0.0


def test_what_no_cut_restores_is_told_as_the_least_excess_that_stays() -> None:
    factors = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])  # the last two cannot both be relieved
    excess = np.array([1.0, 2.0, 1.0])
    found = Curtailment(factors, np.array([5.0, 5.0]), np.full(2, 0.05)).cut(excess[:, np.newaxis])
    assert found.left_mw[0] == pytest.approx(1.5, abs=TOLERANCE)  # y1 - y2 = 1/2 halves what both miss
    assert found.cut_mw[0, 0] - found.cut_mw[0, 1] == pytest.approx(0.5, abs=1e-4)
    alone = Curtailment(np.array([[1.0]]), np.array([2.0]), np.array([0.05])).cut(np.array([[5.0]]))
    assert (alone.cut_mw[0, 0], alone.left_mw[0]) == (2.0, 3.0)
