"""Metrics, entropy weights, TOPSIS and their stability, against pymcdm and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymcdm.methods import TOPSIS
from pymcdm.normalizations import vector_normalization
from pymcdm.weights import entropy_weights
from scipy.stats import spearmanr

from engine.errors import QuestionError
from engine.siting.criteria import Criterion, passes, read_columns, scored
from engine.siting.metrics import HourlyMarket, Spread, five_metrics, paired_change
from engine.siting.ranking import EPSILON, GROUPS, benefit_of, metric_criteria, overlap, rank, spearman
from engine.siting.stability import diagnostics, noise_intervals, open_places, robust
from tests.benchmarks.siting_published import FIRST_20

NAMES = metric_criteria()
SMALL = {"one": ("a", "b"), "two": ("c",)}


@given(seed=st.integers(0, 10_000), sites=st.integers(2, 60))
@settings(max_examples=60)
def test_scores_equal_those_of_pymcdm(seed: int, sites: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, 1.0, (sites, len(NAMES)))
    ours = rank(values, NAMES)
    groups = []
    for listed in GROUPS.values():
        benefit = benefit_of(values[:, [NAMES.index(name) for name in listed]])
        groups.append(benefit @ entropy_weights(benefit + EPSILON))
    score = np.column_stack(groups)
    theirs = TOPSIS(vector_normalization)(score, np.full(3, 1 / 3), np.ones(3), validation=False)
    assert ours.score == pytest.approx(theirs, abs=1e-9)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 1000.0), shift=st.floats(-100.0, 100.0))
@settings(max_examples=40)
def test_scores_do_not_change_with_the_units_of_a_criterion(seed: int, scale: float, shift: float) -> None:
    values = np.random.default_rng(seed).random((12, len(NAMES)))
    assert rank(values * scale + shift, NAMES).score == pytest.approx(rank(values, NAMES).score, abs=1e-6)


def test_a_site_that_is_best_in_everything_scores_one_and_the_worst_zero() -> None:
    values = np.array([[1.0, 1.0, 1.0], [2.0, 3.0, 2.0], [4.0, 5.0, 9.0]])
    found = rank(values, ("a", "b", "c"), SMALL)
    assert found.score[[0, 2]] == pytest.approx([1.0, 0.0])
    assert found.place.tolist() == [1, 2, 3]


def test_two_sites_that_trade_one_group_for_the_other_score_one_half() -> None:
    found = rank(np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), ("a", "b", "c"), SMALL)
    assert found.score == pytest.approx([0.5, 0.5])


def test_equal_scores_go_by_the_on_peak_rent_then_by_the_order_given() -> None:
    values = np.tile(np.linspace(1.0, 2.0, 4)[:, np.newaxis], (1, len(NAMES)))
    values = np.vstack([values, values[1], values[1]])
    assert rank(values, NAMES).place.tolist() == [1, 2, 5, 6, 3, 4]
    rent = values.copy()
    rent[[4, 5], :] = values[1]
    ties = np.array([[0.0], [3.0], [0.0], [0.0], [2.0], [1.0]])
    assert rank(rent, NAMES, ties=ties).place.tolist() == [1, 4, 5, 6, 3, 2]


def test_a_flat_group_is_dropped_with_a_notice_and_flat_prices_are_refused() -> None:
    values = np.array([[1.0, 2.0, 5.0], [2.0, 1.0, 5.0], [3.0, 3.0, 5.0]])
    found = rank(values, ("a", "b", "c"), SMALL)
    assert found.groups == ("one",)
    assert "'two' is equal at all sites" in found.notices[0]
    with pytest.raises(QuestionError, match="no congestion in this case, nothing to rank"):
        rank(np.full((4, 3), 24.3), ("a", "b", "c"), SMALL)


def test_one_site_scores_one() -> None:
    assert rank(np.ones((1, 3)), ("a", "b", "c"), SMALL).score.tolist() == [1.0]


def test_a_flat_column_has_no_weight_beside_one_that_differs() -> None:
    values = np.array([[1.0, 7.0, 1.0], [2.0, 7.0, 3.0], [5.0, 7.0, 2.0]])
    assert rank(values, ("a", "b", "c"), SMALL).weight.tolist() == pytest.approx([1.0, 0.0, 1.0])


def test_what_cannot_be_ranked_is_named() -> None:
    with pytest.raises(QuestionError, match="no column is named 'c'"):
        rank(np.ones((2, 2)), ("a", "b"), SMALL)
    with pytest.raises(QuestionError, match="site 2 has no value of b"):
        rank(np.array([[1.0, 1.0, 1.0], [1.0, np.nan, 1.0]]), ("a", "b", "c"), SMALL)
    with pytest.raises(QuestionError, match="2 groups need as many weights"):
        rank(np.ones((2, 3)), ("a", "b", "c"), SMALL, group_weights=(1.0,))


def test_a_weight_on_one_group_alone_ranks_by_it() -> None:
    values = np.array([[3.0, 3.0, 1.0], [1.0, 1.0, 3.0], [2.0, 2.0, 2.0]])
    assert rank(values, ("a", "b", "c"), SMALL, group_weights=(1.0, 0.0)).place.tolist() == [3, 1, 2]


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_rank_correlation_equals_scipys(seed: int) -> None:
    one, other = np.random.default_rng(seed).integers(0, 6, (2, 15)).astype(float)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_scores_that_only_rounding_parts_have_no_order() -> None:
    """Ranks 2.5, 2.5, 1 against 3, 2, 1: by the definition 1.5 / sqrt(1.5 x 2)."""
    one, other = np.array([0.92, 0.92 + 1e-14, 0.5]), np.array([0.3, 0.2, 0.1])
    assert spearman(one, other) == pytest.approx(math.sqrt(0.75))
    assert math.isnan(spearman(one[:2], other[:2]))


def test_the_published_shortlists_overlap_as_counted() -> None:
    # 1 GW shortlists of the source's Table 3: 11, 6 and 8 of 20 shared.
    firm, pause, shift = (list(FIRST_20[name]) for name in ("firm", "pause", "shift"))
    assert [overlap(firm, pause), overlap(firm, shift), overlap(pause, shift)] == pytest.approx(
        [11 / 20, 6 / 20, 8 / 20]
    )


def test_metrics_of_two_hours_by_hand() -> None:
    # Four buses; hazen percentiles of four values lie at 12.5, 37.5, 62.5, 87.5 %: P95 and P5 are the ends.
    lmp = np.array([[10.0, 10.0, 10.0, 10.0], [10.0, 20.0, 30.0, 40.0]])
    price, limit = np.array([[0.0], [30.0]]), np.array([[0.0], [-100.0]])
    found = five_metrics(HourlyMarket.of(lmp, price, limit), np.array([3, 16]), [16])
    rent_per_day = 1e-6 * 3000.0 * 24 / 2
    std = math.sqrt((15**2 + 5**2 + 5**2 + 15**2) / 3)
    assert found[0] == pytest.approx([17.5, 15.0, std / 2, 1.0, rent_per_day])
    assert found[1] == pytest.approx([25.0, 30.0, std, 1.0, rent_per_day])
    assert found[2] == pytest.approx([10.0, 0.0, 0.0, 0.0, 0.0])


def test_windows_add_up_and_weights_act_as_repetitions() -> None:
    rng = np.random.default_rng(3)
    hours = HourlyMarket(*rng.random((5, 48)))
    of_day = np.tile(np.arange(1, 25), 2)
    found = five_metrics(hours, of_day, (16, 17, 18, 19))
    assert found[0, 3:] == pytest.approx(found[1, 3:] + found[2, 3:])
    weight = np.repeat([1.0, 2.0], 24)
    three = np.concatenate([np.arange(24), np.arange(24, 48), np.arange(24, 48)])
    repeated = HourlyMarket(*(getattr(hours, name)[three] for name in HourlyMarket.__slots__))
    expected = five_metrics(repeated, of_day[np.arange(72) % 24], (16, 17, 18, 19))
    expected[:, 3] *= 48 / 72  # of 48 hours, not of 72
    assert five_metrics(hours, of_day, (16, 17, 18, 19), weight) == pytest.approx(expected)


def test_buses_out_of_service_are_left_out_of_the_metrics() -> None:
    lmp = np.array([[10.0, np.nan, 30.0]])
    assert HourlyMarket.of(lmp, np.zeros((1, 0)), np.zeros((1, 0))).mean_lmp.tolist() == [20.0]
    with pytest.raises(QuestionError):
        HourlyMarket.of(lmp[:, :2], np.zeros((1, 0)), np.zeros((1, 0)))


def test_medians_and_paired_changes() -> None:
    assert Spread.of(np.array([1.0, 2.0, 3.0, 4.0])) == Spread(2.5, 2.0, 4)  # midpoint rule: quartiles 1.5 and 3.5
    change, rose, fell = paired_change(np.array([1.0, 2.0, np.nan]), np.array([2.0, 1.5, 7.0]))
    assert (change.sites, rose, fell) == (2, 1, 1)
    assert change.median == pytest.approx(0.25)


def test_diagnostics_compare_weighted_sums_with_the_score() -> None:
    values = np.random.default_rng(1).random((25, len(NAMES)))
    ranking = rank(values, NAMES)
    fixed, equal = diagnostics(ranking.score, ranking.group_score, ranking.place, count=10)
    assert fixed.weights == (0.70, 0.20, 0.10)
    assert fixed.spearman == pytest.approx(spearmanr(ranking.score, ranking.group_score @ [0.7, 0.2, 0.1]).statistic)
    assert equal.spearman > 0.5


def test_robust_scores_are_over_sites_in_every_envelope() -> None:
    found = robust({"firm": {1: 0.5, 2: 0.9}, "shift": {1: 0.7, 3: 0.2}}, {"firm": 0.25, "shift": 0.75})
    assert found.sites == (1,)
    assert found.least.tolist() == [0.5]
    assert found.expected.tolist() == pytest.approx([0.65])
    assert found.partial == {2: ("shift",), 3: ("firm",)}
    with pytest.raises(QuestionError, match="sum to 1"):
        robust({"firm": {1: 0.5}}, {"firm": 0.4})


def test_without_noise_no_place_is_open_and_with_much_of_it_every_place_is() -> None:
    values = np.random.default_rng(2).random((15, len(NAMES)))
    ranking = rank(values, NAMES)
    none = noise_intervals(values, NAMES, np.zeros(len(NAMES)))
    assert none == pytest.approx(np.column_stack([ranking.score, ranking.score]))
    assert not open_places(ranking.place, none, 5).any()
    assert open_places(ranking.place, noise_intervals(values, NAMES, np.ones(len(NAMES))), 5).all()


def test_the_places_that_noise_opens_are_those_beside_the_border() -> None:
    interval = np.array([[0.8, 0.9], [0.5, 0.62], [0.55, 0.7], [0.1, 0.2]])
    found = open_places(np.array([1, 2, 3, 4]), interval, 2)
    assert found.tolist() == [False, True, True, False]


def test_a_readers_columns_gate_and_score() -> None:
    columns = {c.name: c for c in read_columns("bus,water,noise\nA,0.5,40\nB,2.0,60\nC,,50\n", ("A", "B", "C", "D"))}
    kept, said = passes(columns, [Criterion("water", "gate at most", 1.0), Criterion("noise", "cost")])
    assert kept.tolist() == [True, False, False, False]
    assert said == ["water at most 1: stops 1, not known at 2"]
    assert scored(columns, [Criterion("noise", "benefit")], [0, 1])["noise"].tolist() == [-40.0, -60.0]
    with pytest.raises(QuestionError, match="noise has no value at 1 of 2 sites"):
        scored(columns, [Criterion("noise", "cost")], [0, 3])
    with pytest.raises(QuestionError, match="no column is named 'land'"):
        passes(columns, [Criterion("land", "gate at most", 1.0)])


def test_every_problem_of_a_readers_file_is_told() -> None:
    with pytest.raises(QuestionError) as refused:
        read_columns("bus,water\nA,wet\nZ,1\nA,2\nB,3\nB,4\nC,5,6\n", ("A", "B", "C"))
    for words in ("line 2: water is 'wet'", "bus 'Z' is not in", "line 4: bus 'A' comes twice", "line 7: 3 cells"):
        assert words in str(refused.value)
