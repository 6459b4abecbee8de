"""Bounds of divided schedules against trying every choice; programs without what is settled against the whole ones."""

import time

import numpy as np
import pytest
from scipy.sparse import csr_array

from engine.commitment.bound import lower_bound
from engine.commitment.branching import Branching
from engine.commitment.instance import Instance
from engine.commitment.integer import solve_integer
from engine.commitment.relaxation import Relaxation
from engine.commitment.squeeze import Squeezed
from engine.program import LinearProgram, Status
from tests.engine.commitment.small import NO_RESERVE, case_of, grid, least_cost_of_all, unit
from tests.engine.commitment.test_scuc import random_short


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_a_divided_bound_never_falls_and_stays_below_the_least_cost(seed: int, carried: bool) -> None:
    instance = random_short(seed, carried=carried)
    best = least_cost_of_all(instance)
    relaxation = Relaxation(instance)
    relaxed = relaxation.solve()
    assert relaxed is not None
    if not relaxed.kept:
        assert np.isinf(best)
        return
    root = lower_bound(instance, relaxed.prices).value
    tree = Branching(relaxation, relaxed, root, time.perf_counter() + 60.0)
    before = root
    for divisions in (1, 3, 10):
        found = tree.lift(np.inf, divisions)
        assert before - 1e-6 <= found <= best * (1 + 1e-9)
        before = found
    again = relaxation.solve()  # nothing is held any more
    assert again is not None
    assert again.objective == pytest.approx(relaxed.objective)


def test_a_choice_between_two_units_raises_the_bound() -> None:
    # 25 MW for a day: the relaxation runs half of a unit, at 12 $/MWh. In whole, g costs 100 + 25 x 10 an hour.
    units = [unit("g", "1", 5.0, 50.0, cost_c1_per_mwh=10.0, cost_c0_per_h=100.0)]
    units += [unit("h", "1", 5.0, 50.0, cost_c1_per_mwh=20.0, cost_c0_per_h=1.0)]
    case = case_of(grid(units, (("1", "2", 0.1, 90.0),)), np.tile([0.0, 25.0], (24, 1)))
    relaxation = Relaxation(Instance.of(case, NO_RESERVE))
    relaxed = relaxation.solve()
    assert relaxed is not None
    root = lower_bound(relaxation.instance, relaxed.prices).value
    assert root == pytest.approx(24 * (25 * 12.0))
    tree = Branching(relaxation, relaxed, root, time.perf_counter() + 60.0)
    found = tree.lift(np.inf, 60)
    assert root + 24.0 < found <= 24 * 350.0 * (1 + 1e-9)


def test_the_parts_hold_every_schedule_once() -> None:
    instance = random_short(0, carried=False)
    relaxation = Relaxation(instance)
    relaxed = relaxation.solve()
    assert relaxed is not None
    tree = Branching(relaxation, relaxed, lower_bound(instance, relaxed.prices).value, time.perf_counter() + 60.0)
    tree.lift(np.inf, 5)
    rng = np.random.default_rng(0)
    for _ in range(50):
        on = rng.random(relaxed.on.shape) < 0.5
        assert sum(bool((on >= part.on).all() and not (on & part.off).any()) for part in tree.parts) == 1


def test_pinned_units_raise_a_bound_as_units_that_have_to_run_do() -> None:
    instance = random_short(1, carried=False)
    relaxed = Relaxation(instance).solve()
    assert relaxed is not None
    free = lower_bound(instance, relaxed.prices)
    held = np.zeros(relaxed.on.shape, dtype=bool)
    held[2, 1] = True
    none = np.zeros_like(held)
    way = {"on": held, "off": none} if not free.on[2, 1] else {"on": none, "off": held}
    # Held the other way in one hour, one unit costs what the bound says that it costs to be the other way there.
    assert lower_bound(instance, relaxed.prices, way).value == pytest.approx(free.value + free.flip[2, 1])


def test_a_program_without_what_is_settled_has_the_same_answer() -> None:
    rng = np.random.default_rng(4)
    for _ in range(10):
        matrix = csr_array(np.where(rng.random((8, 12)) < 0.5, rng.normal(size=(8, 12)), 0.0))
        point = rng.integers(0, 2, 12).astype(float)
        lower, upper = np.zeros(12), np.ones(12)
        settled = rng.random(12) < 0.4
        lower[settled] = upper[settled] = point[settled]
        value = matrix @ point
        program = LinearProgram(
            rng.normal(size=12), matrix, value - 0.5, value + rng.uniform(0.1, 9.0, 8), lower, upper
        )
        small = Squeezed.of(program)
        assert not settled[small.columns].any()
        best = min(
            program.objective(x)
            for bits in range(2 ** int((~settled).sum()))
            for x in [small.values(np.array([bits >> k & 1 for k in range(int((~settled).sum()))], dtype=float))]
            if ((matrix @ x <= program.row_upper + 1e-9) & (matrix @ x >= program.row_lower - 1e-9)).all()
        )
        found = solve_integer(program, np.arange(12), gap=0.0, time_limit_s=10.0)
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(best, abs=1e-9)
        assert found.x[settled] == pytest.approx(point[settled])


def test_bounds_that_cross_stay_infeasible() -> None:
    program = LinearProgram(np.ones(1), csr_array((0, 1)), np.zeros(0), np.zeros(0), np.ones(1), np.zeros(1))
    assert solve_integer(program, np.arange(1), gap=0.0, time_limit_s=1.0).status is Status.INFEASIBLE
