"""The solver seam: statuses, duals, the certificate, and the kept model."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from engine.errors import SolverError
from engine.interior import solve_interior
from engine.program import LazyProgram, LinearProgram, Solution, Status, certificate, solve

INF = np.inf


def program(cost, rows, *bounds, quadratic=None, offset=0.0) -> LinearProgram:
    """Bounds: of the rows, lower and upper, then of the variables."""
    vectors = [np.array(values, dtype=float) for values in bounds]
    matrix = csr_array(np.array(rows, dtype=float).reshape(len(vectors[0]), len(cost)))
    curved = None if quadratic is None else np.array(quadratic, dtype=float)
    return LinearProgram(np.array(cost, dtype=float), matrix, *vectors, quadratic=curved, offset=offset)


# Two variables, one row x + y <= 4, worth 1 and 2 each, at most 3 each: by hand (1, 3), row value 1, y's bound 1.
PAIR = program([-1, -2], [[1, 1]], [-INF], [4], [0, 0], [3, 3], offset=10.0)


def test_linear_optimum_and_duals_are_those_found_by_hand() -> None:
    found = solve(PAIR)
    assert found.status is Status.OPTIMAL
    assert found.x == pytest.approx([1, 3])
    assert found.objective == pytest.approx(3.0)
    assert found.row_dual == pytest.approx([-1.0])
    assert found.reduced_cost == pytest.approx([0.0, -1.0])
    assert found.gap <= 1e-12
    assert found.solver.startswith("HiGHS 1.")
    assert certificate(PAIR, found).holds(1e-9)


def test_quadratic_optimum_is_exact() -> None:
    # min x + x^2/2 + 2y + y^2/2 with x + y = 3: by hand slopes are equal at x = 2, y = 1, both 3.
    found = solve(program([1, 2], [[1, 1]], [3], [3], [-INF, 0], [INF, 3], quadratic=[1, 1]))
    assert found.x == pytest.approx([2, 1], abs=1e-12)
    assert found.row_dual == pytest.approx([3.0], abs=1e-12)
    assert found.objective == pytest.approx(6.5, abs=1e-12)


@pytest.mark.parametrize("quadratic", [None, [1.0, 1.0]])
def test_infeasible_is_told_apart(quadratic: list[float] | None) -> None:
    found = solve(program([1, 1], [[1, 1]], [7], [INF], [0, 0], [3, 3], quadratic=quadratic))
    assert found.status is Status.INFEASIBLE
    assert np.isnan(found.x).all()
    assert found.gap == INF
    with pytest.raises(SolverError, match="without an optimum"):
        found.optimum()


def test_unbounded_is_told_apart() -> None:
    assert solve(program([-1, 0], [[1, -1]], [-INF], [4], [0, 0], [INF, INF])).status is Status.UNBOUNDED


def test_unbounded_quadratic_is_told_apart() -> None:
    found = solve(program([-1, 0], [[0, 1]], [-INF], [4], [0, 0], [INF, INF], quadratic=[0.0, 1.0]))
    assert found.status is Status.UNBOUNDED


def test_no_rows_and_no_cost_are_programs_too() -> None:
    assert solve(program([1, 2], [], [], [], [-1, 0], [3, 3])).x == pytest.approx([-1, 0])
    assert solve(program([0, 0], [[1, 1]], [2], [INF], [0, 0], [3, 3])).status is Status.OPTIMAL


def random_program(seed: int, *, quadratic: bool, rows: int = 60, columns: int = 80) -> LinearProgram:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, columns)) * (random.random((rows, columns)) < 0.4)
    inside = random.uniform(0.2, 0.8, columns)
    room = random.exponential(1.0, rows)
    curved = random.uniform(0.0, 2.0, columns) * (random.random(columns) < 0.7) if quadratic else None
    bounds = (matrix @ inside - room, matrix @ inside + room, np.zeros(columns), np.ones(columns))
    return LinearProgram(random.normal(size=columns), csr_array(matrix), *bounds, quadratic=curved)


def test_a_time_limit_is_not_an_optimum() -> None:
    found = solve(random_program(1, quadratic=False, rows=400, columns=600), time_limit_s=1e-9)
    assert found.status is Status.TIME_LIMIT
    with pytest.raises(SolverError, match=r"[Tt]ime limit"):
        found.optimum()


def test_a_time_limit_counts_each_solve_of_a_kept_model() -> None:
    kept = LazyProgram(random_program(2, quadratic=False, rows=60, columns=80))
    for shift in range(5):  # were the clock to run on, the later solves would find it spent
        kept.set_cost(np.roll(kept.program.cost, shift))
        assert kept.solve(time_limit_s=5.0).status is Status.OPTIMAL


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("quadratic", [False, True])
def test_certificate_confirms_optima_and_refuses_what_is_not(seed: int, quadratic: bool) -> None:
    given_program = random_program(seed, quadratic=quadratic)
    found = solve(given_program)
    assert certificate(given_program, found).holds(1e-7)
    random = np.random.default_rng(seed)
    spoilt = [
        Solution(*changed(found, x=found.x + 1e-3 * random.normal(size=len(found.x)))),
        Solution(*changed(found, row_dual=found.row_dual + 1e-3)),
        Solution(*changed(found, reduced_cost=found.reduced_cost - 1e-3)),
    ]
    assert not any(certificate(given_program, wrong).holds(1e-6) for wrong in spoilt)


def changed(found: Solution, **parts: np.ndarray) -> list[object]:
    names = ("status", "x", "row_dual", "reduced_cost", "objective", "gap", "time_s", "solver")
    return [parts.get(name, getattr(found, name)) for name in names]


@pytest.mark.parametrize("seed", range(5))
def test_interior_point_finds_the_same_optimum(seed: int) -> None:
    p = random_program(seed, quadratic=True)
    point = solve_interior(p.cost, p.quadratic, p.matrix, (p.row_lower, p.row_upper, p.lower, p.upper), None)
    assert point.optimal
    assert p.objective(point.x) == pytest.approx(solve(p).objective, rel=1e-9)


def test_a_quadratic_program_that_goes_round_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    p = random_program(7, quadratic=True)
    usual = solve(p)
    assert usual.solver.startswith("HiGHS")
    monkeypatch.setattr("engine.program._ITERATIONS_PER_TERM", 0)
    other = solve(p)
    assert other.solver.startswith("Clarabel")
    assert other.status is Status.OPTIMAL
    assert other.objective == pytest.approx(usual.objective, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_row_duals_predict_a_small_change_of_the_right_hand_side(seed: int, quadratic: bool) -> None:
    p = random_program(seed, quadratic=quadratic, rows=6, columns=8)
    found = solve(p)
    row = int(np.argmax(np.abs(found.row_dual)))
    up, down = (
        solve(program_with_row(p, row, step)).objective for step in (1e-6, -1e-6)
    )  # the value is convex, so its slope at the dual lies between the two one-sided differences
    dual = found.row_dual[row]
    assert (found.objective - down) / 1e-6 - 1e-3 <= dual <= (up - found.objective) / 1e-6 + 1e-3


def program_with_row(p: LinearProgram, row: int, step: float) -> LinearProgram:
    shift = step * np.eye(len(p.row_lower))[row]
    bounds = (p.row_lower + shift, p.row_upper + shift, p.lower, p.upper)
    return LinearProgram(p.cost, p.matrix, *bounds, quadratic=p.quadratic)


@pytest.mark.parametrize("quadratic", [False, True])
def test_a_kept_model_that_was_changed_equals_a_new_one(quadratic: bool) -> None:
    p = random_program(3, quadratic=quadratic)
    random = np.random.default_rng(4)
    kept = LazyProgram(p)
    kept.solve()
    rows = random.normal(size=(5, 80))
    added = kept.add_rows(rows, np.full(5, -3.0), np.full(5, 3.0))
    assert added.tolist() == [60, 61, 62, 63, 64]
    kept.set_cost(p.cost[::-1].copy(), offset=2.0)
    kept.set_bounds(np.full(80, -0.5), np.full(80, 1.5))
    kept.set_row_bounds(np.array([0, 64]), np.array([-9.0, -2.0]), np.array([9.0, 2.0]))
    kept.delete_rows(np.array([10, 61]))
    column = random.normal(size=63)
    kept.set_column(7, column)
    entries = random.normal(size=(63, 3))
    kept.add_columns(np.array([1.0, -1.0, 0.5]), np.zeros(3), np.ones(3), csr_array(entries))

    keep = np.setdiff1d(np.arange(65), [10, 61])
    low, high = (np.concatenate([part, np.full(5, side)]) for part, side in ((p.row_lower, -3.0), (p.row_upper, 3.0)))
    low[[0, 64]], high[[0, 64]] = [-9.0, -2.0], [9.0, 2.0]
    table = np.vstack([p.matrix.toarray(), rows])[keep]
    table[:, 7] = column
    fresh = LinearProgram(
        cost=np.append(p.cost[::-1], [1.0, -1.0, 0.5]),
        matrix=csr_array(np.hstack([table, entries])),
        row_lower=low[keep],
        row_upper=high[keep],
        lower=np.append(np.full(80, -0.5), np.zeros(3)),
        upper=np.append(np.full(80, 1.5), np.ones(3)),
        quadratic=None if p.quadratic is None else np.append(p.quadratic, np.zeros(3)),
        offset=2.0,
    )
    warm, cold = kept.solve(), solve(fresh)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-9)
    assert certificate(kept.program, warm).holds(1e-7)
    assert certificate(fresh, warm).holds(1e-7)


def test_a_concave_cost_is_refused() -> None:
    with pytest.raises(SolverError, match="not convex"):
        solve(program([1, 1], [[1, 1]], [1], [1], [0, 0], [1, 1], quadratic=[1.0, -1.0]))


def test_a_row_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(SolverError, match="not a number"):
        solve(program([1, 1], [[1, 1]], [np.nan], [1], [0, 0], [1, 1]))


def test_a_thread_pool_started_by_other_code_does_not_stop_a_solve() -> None:
    # The pool is one per process and refuses another number of threads: the solve then ends "Not Set".
    code = """
import highspy, numpy as np
from scipy.sparse import csr_array
other = highspy.Highs()
other.setOptionValue("output_flag", False)
other.setOptionValue("threads", 3)
other.addCols(1, np.ones(1), np.ones(1), np.full(1, 2.0), 0, np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
other.run()
from engine.program import LinearProgram, solve
one = np.ones(1)
assert solve(LinearProgram(one, csr_array(one[:, None]), one, 2 * one, one, 2 * one)).status == "optimal"
"""
    subprocess.run([sys.executable, "-c", code], check=True)
