"""Reductions against every choice there is, the transport program and the laws of the distance."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.errors import QuestionError
from engine.resilience.case import Campus, Scenarios
from engine.resilience.reduction import distances, redistributed, reduced, reduction
from engine.resilience.shocks import ShockModel, shocks

CAMPUSES = (Campus("a", 1.0, 0.4), Campus("b", 2.0, 0.4))
STEPS, STEP_H = 12, 0.25
seeds = st.integers(0, 2**32 - 1)


def drawn(count: int, seed: int) -> tuple[Scenarios, np.ndarray, np.ndarray]:
    """Return shocks, their distances and unequal probabilities."""
    found = shocks(ShockModel(outage_share=0.3), CAMPUSES, STEPS, STEP_H, count=count, seed=seed, links=(0, 1))
    chance = np.random.default_rng(seed).dirichlet(np.ones(count))
    return found, distances(found, STEP_H), chance


def transport(cost: np.ndarray, p: np.ndarray, kept: np.ndarray) -> float:
    """Return the least cost of moving ``p`` to the scenarios that are kept, however much comes to each."""
    sources = np.kron(np.eye(len(p)), np.ones(len(kept)))
    found = linprog(cost[:, kept].ravel(), A_eq=sources, b_eq=p, bounds=(0, None))
    return float(found.fun)


def least(cost: np.ndarray, p: np.ndarray, count: int) -> float:
    """Return the least distance of all choices of ``count``."""
    return min(float(p @ cost[:, list(each)].min(axis=1)) for each in combinations(range(len(p)), count))


def test_distances_are_the_energy_and_the_hours_by_which_scenarios_differ() -> None:
    draw = np.zeros((3, 4, 2))
    draw[1, 1:3, 0] = 2.0  # two steps of half an hour: 2 MWh
    draw[2, 1, 1] = 1.0  # 0.5 MWh
    start, end = np.array([0, 1, 1]), np.array([0, 3, 2])
    found = Scenarios(draw, start, end, np.full(3, 1 / 3), np.array([-1, 5, 6]), ("", "", ""), np.array([0, 3, 4]))
    # Out: nothing; link 5 in steps 1 and 2; link 6 in steps 1 to 3. They differ in 2, 3 and 3 half hours.
    expected = np.array([[0.0, 2.0 + 2.0, 0.5 + 3.0], [4.0, 0.0, 2.5 + 3.0], [3.5, 5.5, 0.0]])
    assert distances(found, 0.5, outage_mw=2.0) == pytest.approx(expected)
    assert distances(found, 0.5, outage_mw=0.0)[0, 1] == pytest.approx(2.0)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_distances_are_a_metric(seed: int) -> None:
    _, cost, _ = drawn(8, seed)
    assert np.array_equal(cost, cost.T)
    assert not cost.diagonal().any()
    assert (cost[:, :, np.newaxis] <= cost[:, np.newaxis, :] + cost[np.newaxis, :, :].transpose(0, 2, 1) + 1e-9).all()


@given(seeds, st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_what_is_left_out_goes_to_the_nearest_which_is_the_best_transport(seed: int, count: int) -> None:
    _, cost, p = drawn(7, seed)
    kept = np.random.default_rng(seed).permutation(7)[:count]
    found = redistributed(cost, p, kept)
    assert found.distance == pytest.approx(transport(cost, p, kept), abs=1e-9)
    assert found.probability.sum() == pytest.approx(1.0)
    assert (found.probability >= p[kept] - 1e-12).all()
    moved = cost[np.arange(7), kept[found.nearest]]
    assert float(p @ moved) == pytest.approx(found.distance)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_forward_selection_keeps_in_turn_what_leaves_the_least_distance(seed: int) -> None:
    _, cost, p = drawn(7, seed)
    order = reduction(cost, p, 7).kept.tolist()
    assert sorted(order) == list(range(7))
    for count in range(1, 8):
        before = order[: count - 1]
        rest = [at for at in range(7) if at not in before]
        values = [float(p @ cost[:, [*before, each]].min(axis=1)) for each in rest]
        assert reduction(cost, p, count).distance == pytest.approx(min(values), abs=1e-12)


@given(seeds, st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_medoids_are_between_the_best_choice_and_forward_selection_and_no_exchange_is_better(
    seed: int, count: int
) -> None:
    _, cost, p = drawn(8, seed)
    found = reduction(cost, p, count, "medoids")
    assert least(cost, p, count) - 1e-12 <= found.distance <= reduction(cost, p, count).distance + 1e-12
    for place in range(count):
        for other in set(range(8)) - set(found.kept.tolist()):
            exchanged = found.kept.copy()
            exchanged[place] = other
            assert float(p @ cost[:, exchanged].min(axis=1)) >= found.distance - 1e-9


def test_medoids_find_the_best_choice_where_forward_selection_does_not() -> None:
    place = np.array([0.0, 1.0, 5.0, 9.0, 10.0])  # forward selection begins with the middle
    cost, p = np.abs(place[:, np.newaxis] - place), np.full(5, 0.2)
    best = least(cost, p, 2)
    assert reduction(cost, p, 2).distance > best + 0.1
    assert reduction(cost, p, 2, "medoids").distance == pytest.approx(best)


@pytest.mark.parametrize("method", ["forward", "medoids"])
def test_the_distance_falls_with_what_is_kept_to_nothing(method: str) -> None:
    _, cost, p = drawn(40, 3)
    found = [reduction(cost, p, count, method).distance for count in range(1, 41)]
    assert all(later <= before + 1e-12 for before, later in pairwise(found))
    assert found[-1] == 0.0
    assert found[0] > 0.0


def test_reduced_scenarios_are_scenarios_in_their_order() -> None:
    scenarios, cost, _ = drawn(30, 5)
    found = reduced(scenarios, 6, STEP_H, "medoids")
    chosen = reduction(cost, scenarios.probability, 6, "medoids")
    order = np.sort(chosen.kept)
    assert list(found.problems(STEPS, 2, 2)) == []
    assert np.array_equal(found.draw_mw, scenarios.draw_mw[order])
    assert np.array_equal(found.restored, scenarios.restored[order])
    assert dict(zip(order.tolist(), found.probability.tolist(), strict=True)) == dict(
        zip(chosen.kept.tolist(), chosen.probability.tolist(), strict=True)
    )


def test_scenarios_that_are_alike_are_kept_without_loss() -> None:
    twice = np.array([0, 0, 1, 1])
    cost, p = np.abs(twice[:, np.newaxis] - twice).astype(float), np.full(4, 0.25)
    found = reduction(cost, p, 2)
    assert found.distance == 0.0
    assert found.probability.tolist() == [0.5, 0.5]
    assert reduction(cost, p, 4).probability.tolist() == [0.25] * 4


def test_counts_and_methods_that_there_are_not_are_refused() -> None:
    _, cost, p = drawn(5, 1)
    for count in (0, 6):
        with pytest.raises(QuestionError, match=f"{count} scenarios are to be kept of 5"):
            reduction(cost, p, count)
    with pytest.raises(QuestionError, match="'backward'"):
        reduction(cost, p, 2, "backward")
    many = shocks(ShockModel(), CAMPUSES, 1, STEP_H, count=5_001, seed=0)
    with pytest.raises(QuestionError, match="5,001 scenarios"):
        distances(many, STEP_H)
