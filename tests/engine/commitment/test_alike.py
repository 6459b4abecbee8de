"""Units that are alike, decided as one with how many of them run."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.alike import Alike
from engine.commitment.instance import InitialState, Instance
from engine.commitment.integer import solve_integer
from engine.commitment.outcome import Effort, End
from engine.commitment.relaxation import Relaxation
from engine.commitment.scuc import commit
from engine.commitment.search import decided
from engine.network import library
from engine.network.model import Network
from engine.siting import cases
from engine.siting.cases import Assumptions
from tests.engine.commitment.small import (
    NO_RESERVE,
    case_of,
    day_load,
    grid,
    judged,
    least_cost_of_all,
    long_enough,
    short_instance,
    unit,
)

LINE = (("1", "2", 0.1, 60.0),)


def twins(*, initial: InitialState | None = None, least_h: int = 1, rating: float = 200.0) -> Instance:
    """Two pairs of like units at the ends of a line, three hours."""
    quick = {"ramp_30_min_mw": 100.0}
    cheap = quick | {"cost_c0_per_h": 100.0, "cost_c1_per_mwh": 12.0, "startup_cost": 300.0, "shutdown_cost": 20.0}
    dear = quick | {"cost_c0_per_h": 40.0, "cost_c1_per_mwh": 30.0, "startup_cost": 50.0}
    units = [unit(f"a{n}", "1", 20.0, 50.0, **cheap) for n in range(2)]
    units += [unit(f"b{n}", str(1 + n), 5.0, 40.0, **dear) for n in range(2)]
    total = np.array([60.0, 130.0, 45.0])
    case = case_of(grid(units, (("1", "2", 0.1, rating),)), total[:, np.newaxis] * np.array([0.5, 0.5]))
    found = short_instance(case, NO_RESERVE, initial)
    hours = np.full(4, least_h, dtype=np.intp)
    return replace(found, fleet=replace(found.fleet, least_up_h=hours, least_down_h=hours))


def answered(instance: Instance) -> tuple[Alike, np.ndarray, float]:
    relaxation = Relaxation(instance)
    relaxation.solve()
    every = np.ones((instance.hours, len(instance.committed)), dtype=bool)
    kinds = Alike.of(relaxation, decided(relaxation, every, every))
    found = solve_integer(kinds.program, kinds.whole, gap=1e-9, time_limit_s=60.0)
    return kinds, kinds.schedule(found.x), found.objective


CARRIED = InitialState(np.array([True, True, False, False]), np.full(4, 5), np.array([30.0, 30.0, 0.0, 0.0]))


@pytest.mark.parametrize("initial", [None, CARRIED])
@pytest.mark.parametrize("least_h", [1, 2])
@pytest.mark.parametrize("rating", [200.0, 30.0])
def test_the_least_cost_of_kinds_is_that_of_trying_every_unit(
    initial: InitialState | None, least_h: int, rating: float
) -> None:
    instance = twins(initial=initial, least_h=least_h, rating=rating)
    kinds, on, objective = answered(instance)
    assert objective == pytest.approx(least_cost_of_all(instance), rel=1e-7)
    assert len(kinds.kinds) == (2 if rating == 200.0 else 3)  # at both ends of a line that binds they are not alike
    assert long_enough(instance, on)


def test_units_of_another_history_or_cost_are_not_alike() -> None:
    younger = replace(CARRIED, hours=np.array([5, 4, 5, 5]))
    assert [kind.tolist() for kind in answered(twins(initial=younger))[0].kinds] == [[0], [1], [2, 3]]


def test_a_schedule_is_a_point_of_the_program() -> None:
    instance = twins(initial=CARRIED)
    kinds, on, objective = answered(instance)
    start = kinds.start(on)
    assert start[kinds.counted].sum() == on.sum()
    held = replace(kinds.program, lower=kinds.program.lower.copy(), upper=kinds.program.upper.copy())
    for columns in (kinds.counted, kinds.starting):
        held.lower[columns] = held.upper[columns] = start[columns]
    again = solve_integer(held, kinds.whole, gap=1e-9, time_limit_s=60.0)
    assert again.objective == pytest.approx(objective, rel=1e-9)


def test_a_day_of_many_like_units_ends_within_the_gap() -> None:
    """The classic reliability test system, whose units come in nine kinds: one by one a solver takes minutes."""
    network = Network.from_tables(library.load("rts24"))
    year = cases.year_2016(network, Assumptions(thermal="filed"), range(24))
    found = commit(instance := Instance.of(year), Effort(1e-3, 120.0)).commitment
    assert found.status is End.WITHIN_GAP
    assert judged(instance, found).problems == []


def test_a_day_without_units_to_decide_has_no_kinds() -> None:
    units = [unit("g", "1", 0.0, 200.0, cost_c1_per_mwh=20.0)]
    kinds, on, objective = answered(
        Instance.of(case_of(grid(units, LINE), day_load(50.0, 10.0, (0.5, 0.5))), NO_RESERVE)
    )
    assert kinds.kinds == []
    assert on.shape == (24, 0)
    assert objective == pytest.approx(20.0 * 24 * 50.0)
