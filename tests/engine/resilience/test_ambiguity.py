"""Worst probabilities against linear programs of their own, closed forms and laws; the risk against one program."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.errors import InfeasibleError, UncertaintyDataError
from engine.network.model import Matrix, Vector
from engine.resilience.ambiguity import (
    Ambiguity,
    MomentBox,
    Nominal,
    Risk,
    TotalVariation,
    Wasserstein,
    cvar,
    risk,
    value_at_risk,
)

CLOSE = 1e-8  # relative to the largest value, as the linear programs are solved


def drawn(seed: int, size: int) -> tuple[Vector, Vector, Matrix]:
    """Return values with a heavy tail, probabilities and features; every third seed has ties and zeros."""
    random = np.random.default_rng(seed)
    values = random.lognormal(3.0, 1.5, size) * random.choice([-1.0, 1.0], size, p=[0.2, 0.8])
    probability = random.dirichlet(np.full(size, 0.7))
    features = random.normal(size=(size, 3))
    if seed % 3 == 0:
        values = np.round(values, -1)
        probability[: size // 4] = 0.0
        features[-1] = features[0]
    return values, probability / probability.sum(), features


def sets(features: Matrix, probability: Vector, size: float) -> list[Ambiguity]:
    box = MomentBox(features, probability @ features, np.full(features.shape[1], size))
    return [Nominal(), TotalVariation(min(size, 1.0)), Wasserstein.between(size, features), box]


def most(ambiguity: Ambiguity, values: Vector, probability: Vector) -> float:
    """Return the largest mean, by a linear program over the probabilities as the set is defined."""
    size = len(values)
    if isinstance(ambiguity, TotalVariation):  # p, and how far each is from its nominal
        one = np.eye(size)
        rows = np.block([[one, -one], [-one, -one], [np.zeros((1, size)), np.ones((1, size))]])
        right = np.concatenate([probability, -probability, [2.0 * ambiguity.radius]])
        total = np.concatenate([np.ones(size), np.zeros(size)])[np.newaxis]
        found = linprog(np.concatenate([-values, np.zeros(size)]), rows, right, total, [1.0])
    elif isinstance(ambiguity, Wasserstein):  # what is carried from where to where
        leaves = np.kron(np.eye(size), np.ones(size))
        cost = ambiguity.distance.reshape(1, -1)
        found = linprog(-np.tile(values, size), cost, [ambiguity.radius], leaves, probability)
    elif isinstance(ambiguity, MomentBox):
        rows = np.vstack([ambiguity.features.T, -ambiguity.features.T])
        right = np.concatenate([ambiguity.mean + ambiguity.delta, ambiguity.delta - ambiguity.mean])
        found = linprog(-values, rows, right, np.ones((1, size)), [1.0])
    else:
        return float(probability @ values)
    assert found.success
    return float(-found.fun)


def whole_program(ambiguity: Ambiguity, values: Vector, probability: Vector, weight: float, beta: float) -> float:
    """Return the risk by one linear program of eta, excesses, terms and the set's duals."""
    size, form = len(values), ambiguity.dual(probability)
    duals = len(form.cost)
    cost = np.concatenate([np.zeros(1 + 2 * size), form.cost])
    one, none = np.eye(size), np.zeros((size, size))
    excess = np.hstack([-np.ones((size, 1)), -one, none, np.zeros((size, duals))])  # Q - eta <= y
    terms = np.hstack([np.full((size, 1), weight), weight / (1.0 - beta) * one, -one, np.zeros((size, duals))])
    covered = np.hstack([np.zeros((len(form.scenario), 1 + size)), -form.rows(size).toarray()])
    right = np.concatenate([-values, -(1.0 - weight) * values, np.zeros(len(form.scenario))])
    bounds = [(None, None), *[(0, None)] * size, *[(None, None)] * size, *zip(form.lower, form.upper, strict=True)]
    found = linprog(cost, np.vstack([excess, terms, covered]), right, bounds=bounds)
    assert found.success
    return float(found.fun)


def scale(values: Vector) -> float:
    return max(1.0, float(np.abs(values).max()))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [0.0, 0.05, 0.4, 3.0])
def test_the_worst_mean_is_that_of_the_set_s_linear_program(seed: int, size: float) -> None:
    values, probability, features = drawn(seed, 23)
    for ambiguity in sets(features, probability, size):
        p = ambiguity.worst(values, probability)
        assert (p >= 0.0).all()
        assert p.sum() == pytest.approx(1.0, abs=1e-12)
        assert ambiguity.contains(p, probability, 1e-7)
        assert p @ values == pytest.approx(most(ambiguity, values, probability), abs=CLOSE * scale(values)), ambiguity


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("weight", "beta"), [(0.0, 0.9), (0.3, 0.0), (0.5, 0.8), (1.0, 0.95)])
def test_the_risk_is_that_of_one_linear_program_of_the_duals(
    seed: int, size: float, weight: float, beta: float
) -> None:
    values, probability, features = drawn(seed, 17)
    for ambiguity in sets(features, probability, size):
        found = risk(values, probability, ambiguity, weight, beta)
        whole = whole_program(ambiguity, values, probability, weight, beta)
        assert found.value == pytest.approx(whole, abs=CLOSE * scale(values)), ambiguity
        assert found.gap <= 1e-9 * scale(values)
        assert found.value == pytest.approx((1.0 - weight) * found.expectation + weight * found.cvar)
        assert ambiguity.contains(found.worst, probability, 1e-7)


def test_a_large_sample_is_that_of_the_transport_program() -> None:
    values, probability, features = drawn(2, 150)
    ambiguity = Wasserstein.between(0.3, features)
    p = ambiguity.worst(values, probability)
    assert p @ values == pytest.approx(most(ambiguity, values, probability), abs=CLOSE * scale(values))


def test_total_variation_moves_mass_from_the_least_to_the_largest() -> None:
    """By hand: 0.25 comes from the two scenarios of 1 and 2, of 0.2 and 0.3, and goes to that of 9."""
    values, probability = np.array([2.0, 9.0, 1.0, 5.0]), np.array([0.3, 0.1, 0.2, 0.4])
    p = TotalVariation(0.25).worst(values, probability)
    np.testing.assert_allclose(p, [0.25, 0.35, 0.0, 0.4], atol=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_total_variation_s_joint_risk_has_one_worst_p_for_all(seed: int) -> None:
    """Expectation and CVaR grow with every cost, so what is worst for the mean is worst for both."""
    values, probability, _ = drawn(seed, 40)
    ambiguity = TotalVariation(0.15)
    p = ambiguity.worst(values, probability)
    found = risk(values, probability, ambiguity, 0.6, 0.9)
    assert found.value == pytest.approx(0.4 * float(p @ values) + 0.6 * tail_mean(values, p, 0.9), rel=1e-10)


def test_transport_by_hand() -> None:
    """Mass at 0 and 1 on a line, values 0, 1 and 8 at 0, 1 and 3: from 1 the gain is 7 for 2, from 0 it is 8 for 3.

    With 0.5 of each and a radius of 1.3 all of 1 goes (1.0), then 0.1 of what is at 0 (0.3).
    """
    places, values = np.array([[0.0], [1.0], [3.0]]), np.array([0.0, 1.0, 8.0])
    p = Wasserstein.between(1.3, places).worst(values, np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(p, [0.4, 0.0, 0.6], atol=1e-12)


def test_an_unseen_scenario_is_reached_when_the_radius_pays_the_way() -> None:
    distance = np.array([[0.0, 2.0], [2.0, 0.0]])
    for radius, reached in ((0.0, 0.0), (0.5, 0.25), (2.0, 1.0), (9.0, 1.0)):
        p = Wasserstein(radius, distance).worst(np.array([1.0, 5.0]), np.array([1.0, 0.0]))
        assert p[1] == pytest.approx(reached, abs=1e-12)


def test_scenarios_at_no_distance_are_one() -> None:
    """A distance of 0 lets mass go to the larger value for nothing, as the transport's program does."""
    distance = np.array([[0.0, 0.0, 4.0], [0.0, 0.0, 4.0], [4.0, 4.0, 0.0]])
    p = Wasserstein(0.0, distance).worst(np.array([1.0, 2.0, 9.0]), np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(p, [0.0, 0.8, 0.2], atol=1e-12)


def tail_mean(values: Vector, probability: Vector, beta: float) -> float:
    """Return the mean of the worst 1 - beta, taken from the top scenario by scenario."""
    left, total = 1.0 - beta, 0.0
    for at in np.argsort(-values):
        share = min(left, float(probability[at]))
        total += share * float(values[at])
        left -= share
    return total / (1.0 - beta)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.87, 0.99])
def test_cvar_is_the_mean_of_the_worst_part(beta: float) -> None:
    for seed in range(5):
        values, probability, _ = drawn(seed, 30)
        assert cvar(values, probability, beta) == pytest.approx(tail_mean(values, probability, beta), rel=1e-9)


def test_value_at_risk_is_the_least_value_that_keeps_the_level() -> None:
    values, probability = np.array([4.0, 1.0, 3.0, 2.0, 0.0]), np.array([0.1, 0.4, 0.2, 0.3, 0.0])
    for beta, expected in ((0.0, 1.0), (0.4, 1.0), (0.41, 2.0), (0.7, 2.0), (0.9, 3.0), (0.901, 4.0)):
        assert value_at_risk(values, probability, beta) == expected


@pytest.mark.parametrize("seed", range(4))
def test_no_radius_is_plain_cvar_and_the_largest_is_the_worst_scenario(seed: int) -> None:
    values, probability, features = drawn(seed + 1, 30)
    mixed = 0.3 * float(probability @ values) + 0.7 * tail_mean(values, probability, 0.9)
    if seed != 2:  # its features have two scenarios at no distance
        assert risk(values, probability, Wasserstein.between(0.0, features), 0.7, 0.9).value == pytest.approx(mixed)
    assert risk(values, probability, TotalVariation(0.0), 0.7, 0.9).value == pytest.approx(mixed)
    assert risk(values, probability, Nominal(), 0.7, 0.9).value == pytest.approx(mixed)
    for all_of_it in (TotalVariation(1.0), Wasserstein.between(1e3, features)):
        found = risk(values, probability, all_of_it, 0.7, 0.9)
        assert found.value == pytest.approx(float(values.max()))
        assert found.worst[int(values.argmax())] == pytest.approx(1.0)


def test_at_weight_0_the_risk_is_the_worst_mean() -> None:
    values, probability, features = drawn(4, 25)
    for ambiguity in sets(features, probability, 0.2):
        found = risk(values, probability, ambiguity, 0.0, 0.95)
        assert found.value == pytest.approx(most(ambiguity, values, probability), abs=CLOSE * scale(values))


@pytest.mark.parametrize("seed", range(3))
def test_risk_grows_with_radius_level_and_weight(seed: int) -> None:
    values, probability, features = drawn(seed, 20)
    steps = {
        "radius": [[risk(values, probability, sets(features, probability, each)[kind], 0.5, 0.8)
                    for each in (0.0, 0.03, 0.1, 0.3, 1.0, 2.0)] for kind in (1, 2, 3)],
        "beta": [[risk(values, probability, kind, 0.5, each) for each in (0.0, 0.3, 0.7, 0.9, 0.99)]
                 for kind in sets(features, probability, 0.1)],
        "weight": [[risk(values, probability, kind, each, 0.8) for each in (0.0, 0.25, 0.5, 1.0)]
                   for kind in sets(features, probability, 0.1)],
    }  # fmt: skip
    for name, runs in steps.items():
        for run in runs:
            rises = np.diff([found.value for found in run])
            assert (rises >= -1e-9 * scale(values)).all(), name
            assert rises.max() > 0.0, name


def test_one_worst_p_for_both_parts_is_at_most_and_may_be_less_than_one_for_each() -> None:
    """By hand: features 0, 1, 2 with a mean of 1 exactly; values 0, 8, 10.

    The mean is largest at the middle alone, 8. The worst half is largest with halves at the ends: 10. Together, with
    q at each end: 0.5 (8 - 6 q) + 0.5 (8 + 4 q) = 8 - q, so none: 8, below 0.5 of 8 and 0.5 of 10.
    """
    values, probability = np.array([0.0, 8.0, 10.0]), np.full(3, 1 / 3)
    ambiguity = MomentBox(np.array([[0.0], [1.0], [2.0]]), np.array([1.0]), np.array([0.0]))
    assert risk(values, probability, ambiguity, 0.0, 0.5).value == pytest.approx(8.0)
    assert risk(values, probability, ambiguity, 1.0, 0.5).value == pytest.approx(10.0)
    assert risk(values, probability, ambiguity, 0.5, 0.5).value == pytest.approx(8.0)


@pytest.mark.parametrize("seed", range(6))
def test_the_joint_risk_is_at_most_the_sum_of_the_parts(seed: int) -> None:
    values, probability, features = drawn(seed, 20)
    for ambiguity in sets(features, probability, 0.2):
        mean, tail = (risk(values, probability, ambiguity, weight, 0.8).value for weight in (0.0, 1.0))
        joint = risk(values, probability, ambiguity, 0.4, 0.8).value
        assert joint <= 0.6 * mean + 0.4 * tail + 1e-9 * scale(values)


numbers = st.floats(-1e4, 1e4, allow_nan=False).map(lambda value: round(value, 3))


@st.composite
def cases(draw: Any) -> tuple[Vector, Vector, Ambiguity]:
    size = draw(st.integers(1, 8))
    values = np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
    weights = np.array(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), dtype=float)
    weights[draw(st.integers(0, size - 1))] += 1.0
    probability = weights / weights.sum()
    features = np.array(draw(st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=size, max_size=size)), dtype=float)
    radius = draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]))
    return values, probability, draw(st.sampled_from(sets(features, probability, radius)))


@settings(max_examples=150, deadline=None)
@given(case=cases(), weight=st.sampled_from([0.0, 0.5, 1.0]), beta=st.sampled_from([0.0, 0.5, 0.9]))
def test_any_case_has_the_program_s_risk_and_the_laws_of_a_coherent_measure(
    case: tuple[Vector, Vector, Ambiguity], weight: float, beta: float
) -> None:
    values, probability, ambiguity = case
    found: Risk = risk(values, probability, ambiguity, weight, beta)
    close = 1e-7 * scale(values)
    assert found.value == pytest.approx(whole_program(ambiguity, values, probability, weight, beta), abs=close)
    moved = risk(3.0 * values + 40.0, probability, ambiguity, weight, beta).value
    assert moved == pytest.approx(3.0 * found.value + 40.0, abs=10.0 * close)
    assert float(values.min()) - close <= found.value <= float(values.max()) + close
    assert found.value >= (1.0 - weight) * float(probability @ values) + weight * tail_mean(
        values, probability, beta
    ) - close  # fmt: skip
    at_eta = np.maximum(values - found.eta, 0.0) / (1.0 - beta)
    terms = (1.0 - weight) * values + weight * (found.eta + at_eta)
    assert most(ambiguity, terms, probability) == pytest.approx(found.value, abs=close)


def test_what_is_not_in_a_set_is_told_from_what_is() -> None:
    probability = np.array([0.5, 0.3, 0.2])
    near, far = np.array([0.45, 0.3, 0.25]), np.array([0.2, 0.3, 0.5])
    features = np.array([[0.0], [1.0], [2.0]])
    box = MomentBox(features, np.array([0.7]), np.array([0.15]))
    for ambiguity in (TotalVariation(0.1), Wasserstein.between(0.15, features), box):
        assert ambiguity.contains(near, probability)
        assert not ambiguity.contains(far, probability)
        assert not ambiguity.contains(np.array([0.6, 0.6, -0.2]), probability)
    assert Nominal().contains(probability, probability)
    assert not Nominal().contains(near, probability)


FEATURES = np.array([[0.0], [1.0]])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (([1.0, 2.0], [0.5, 0.6], Nominal(), 0.5, 0.9), "probabilities sum to 1.1; they must sum to 1"),
        (([1.0, 2.0], [1.2, -0.2], Nominal(), 0.5, 0.9), "probability of scenario 2 is -0.2; it must be 0 or more"),
        (([1.0, 2.0], [math.nan, 1.0], Nominal(), 0.5, 0.9), "a probability is not a number"),
        (([1.0, 2.0], [1.0], Nominal(), 0.5, 0.9), r"2 values and probabilities of the shape \(1,\)"),
        (([], [], Nominal(), 0.5, 0.9), r"values have the shape \(0,\)"),
        (([1.0, math.inf], [0.5, 0.5], Nominal(), 0.5, 0.9), "a value is not a number"),
        (([1.0, 2.0], [0.5, 0.5], Nominal(), 1.5, 0.9), "weight of CVaR is 1.5; it must lie between 0 and 1"),
        (([1.0, 2.0], [0.5, 0.5], Nominal(), 0.5, 1.0), "level of CVaR is 1; it must be 0 or more, and below 1"),
        (([1.0, 2.0], [0.5, 0.5], TotalVariation(-0.1), 0.5, 0.9), "radius of total variation is -0.1"),
        (([1.0, 2.0], [0.5, 0.5], TotalVariation(math.nan), 0.5, 0.9), "radius of total variation is nan"),
        (([1.0, 2.0], [0.5, 0.5], Wasserstein.between(-1.0, FEATURES), 0.5, 0.9), "Wasserstein radius is -1"),
        (([1.0, 2.0], [0.5, 0.5], Wasserstein(0.1, np.zeros((3, 3))), 0.5, 0.9),
         r"shape \(3, 3\); it must be \(2, 2\)"),
        (([1.0, 2.0], [0.5, 0.5], Wasserstein(0.1, -FEATURES @ FEATURES.T), 0.5, 0.9), "is below 0 or not a number"),
        (([1.0, 2.0], [0.5, 0.5], Wasserstein(0.1, FEATURES @ FEATURES.T), 0.5, 0.9),
         "scenario 2 is at a distance of 1 from itself"),
        (([1.0, 2.0], [0.5, 0.5], MomentBox(FEATURES, np.zeros(2), np.zeros(1)), 0.5, 0.9), r"mean .* must be \(1,\)"),
        (([1.0, 2.0], [0.5, 0.5], MomentBox(FEATURES.T, np.zeros(2), np.zeros(2)), 0.5, 0.9), r"it must be \(2, F\)"),
        (([1.0, 2.0], [0.5, 0.5], MomentBox(FEATURES, np.zeros(1), np.array([-1.0])), 0.5, 0.9), "feature 1 is -1"),
        (([1.0, 2.0], [0.5, 0.5], MomentBox(FEATURES, np.array([math.nan]), np.zeros(1)), 0.5, 0.9), "not a number"),
        (([1.0, 2.0], [0.5, 0.5], MomentBox(FEATURES, np.array([1.5]), np.array([0.2])), 0.5, 0.9),
         "no probabilities of these scenarios have means"),
    ],
)  # fmt: skip
def test_wrong_numbers_are_refused_by_name(
    asked: tuple[list[float], list[float], Ambiguity, float, float], said: str
) -> None:
    values, probability, *others = asked
    with pytest.raises(UncertaintyDataError, match=said):
        risk(np.array(values), np.array(probability), *others)


def test_everything_wrong_is_said_at_once_and_an_empty_box_has_no_worst_case() -> None:
    with pytest.raises(UncertaintyDataError, match=r"sum to 0\.9.*weight.*level.*radius"):
        risk(np.array([1.0, 2.0]), np.array([0.5, 0.4]), TotalVariation(2.0), -1.0, 2.0)
    with pytest.raises(InfeasibleError, match="no probabilities of these scenarios"):
        MomentBox(FEATURES, np.array([2.0]), np.array([0.5])).worst(np.array([1.0, 2.0]), np.array([0.5, 0.5]))
