"""How firm an order is: against rankings made again by hand, and the laws of noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.siting.envelopes import envelope
from engine.siting.firmness import (
    firmness,
    kept_shares,
    leave_one_out,
    open_sites,
    over_envelopes,
    score_intervals,
    tied_sites,
)
from engine.siting.market import SiteMarket
from engine.siting.ranking import GROUPS, metric_criteria, rank
from engine.siting.shortlist import POOLED, Ranked, Scaling, rank_sites
from tests.engine.siting.test_shortlist import site

FIRM, SHIFT = envelope("firm"), envelope("shift")
LABELS = {"firm 1000.0": slice(0, 12), "shift 1000.0": slice(12, 20)}
WEIGHTS = (3.0, 1.0, 0.5)
WATER = np.random.default_rng(8).random(20)


def sites() -> list[SiteMarket]:
    rng = np.random.default_rng(5)
    return [site(k % 12, rng.random((3, 5)), FIRM if k < 12 else SHIFT) for k in range(20)]


def ranked(scaling: Scaling = POOLED) -> Ranked:
    groups = {**GROUPS, "water": ("water",)}
    return rank_sites(
        sites(), {"water": WATER}, groups=groups, group_weights=(*WEIGHTS, 2.0), criterion_weights={"all:rent": 4.0},
        scaling=scaling,
    )  # fmt: skip


def first(score: np.ndarray, rows: list[int], count: int) -> list[int]:
    """The best ``count`` of rows by a score that has no ties."""
    return sorted(rows, key=lambda row: -score[row])[:count]


@pytest.mark.parametrize("scaling", ["pooled", "per envelope"])
def test_leaving_one_out_is_ranking_without_it(scaling: Scaling) -> None:
    order = ranked(scaling=scaling)
    found = leave_one_out(order, 4)
    every = sites()
    for label, own in LABELS.items():
        rows = list(range(20))[own]
        full = first(order.score, rows, 4)
        assert found[label].rows.tolist() == full
        shortlists = {}
        for gone in range(20) if scaling == "pooled" else rows:
            left = [row for row in range(20) if row != gone]
            again = rank_sites(
                [every[row] for row in left], {"water": WATER[left]}, groups=order.membership, scaling=scaling,
                group_weights=order.group_weights, criterion_weights=order.criterion_weights,
            )  # fmt: skip
            score = np.full(20, np.nan)
            score[left] = again.score
            shortlists[gone] = first(score, [row for row in rows if row != gone], 4)
        for place, row in enumerate(full):
            others = [listed for gone, listed in shortlists.items() if gone != row]
            share = sum(row in listed for listed in others) / len(others)
            assert found[label].kept_share[place] == pytest.approx(share)
            assert kept_shares(order, 4)[row] == pytest.approx(share)
        shares = {
            gone: len(({*full} - {gone}) & {*listed}) / len({*full} - {gone}) for gone, listed in shortlists.items()
        }
        assert found[label].least_overlap == pytest.approx(min(shares.values()))
        if min(shares.values()) < 1.0:
            assert shares[found[label].worst] == min(shares.values())
    assert np.isnan(kept_shares(order, 4)).sum() == 12


def test_an_only_site_has_no_other_to_be_left_out() -> None:
    alone = rank_sites(sites()[:1])
    assert np.isnan(kept_shares(alone, 3)).all()
    assert leave_one_out(alone, 3)["firm 1000.0"].runs == 0


def test_other_weights_are_held_against_the_places_of_each_envelope() -> None:
    order = rank_sites(sites())
    for label, own in LABELS.items():
        fixed, equal = firmness(order, 3)[label].diagnostics
        score = order.group_score[own]
        assert fixed.spearman == pytest.approx(spearmanr(order.score[own], score @ [0.7, 0.2, 0.1]).statistic)
        assert equal.spearman == pytest.approx(spearmanr(order.score[own], score.sum(axis=1)).statistic)
        rows = list(range(len(score)))
        listed = set(first(score @ [0.7, 0.2, 0.1], rows, 3)) & set(first(order.score[own], rows, 3))
        assert fixed.top_overlap == pytest.approx(len(listed) / 3)


def test_the_worst_and_the_expected_score_are_of_buses_in_every_envelope() -> None:
    order = rank_sites(sites())
    found = over_envelopes(order, ("firm", "shift"))[1000.0]
    assert found.sites == tuple(range(8))  # shift has eight sites, firm twelve
    pairs = np.stack([order.score[:8], order.score[12:]])
    assert found.least == pytest.approx(pairs.min(axis=0))
    assert found.expected == pytest.approx(pairs.mean(axis=0))
    assert found.partial == dict.fromkeys(range(8, 12), ("shift",))
    none = over_envelopes(order, ("firm", "pause", "shift"))[1000.0]
    assert none.sites == ()


@pytest.mark.parametrize("scaling", ["pooled", "per envelope"])
def test_a_score_moves_by_the_noise_of_its_own_figures_and_the_weights_that_rank(scaling: Scaling) -> None:
    order = ranked(scaling=scaling)
    assert score_intervals(order, np.zeros((3, 5)), [13, 15]) == pytest.approx(
        np.repeat(order.score[[[13], [15]]], 2, 1)
    )
    floor = np.full((3, 5), 0.05)
    ((low, high),) = score_intervals(order, floor, [15])
    table = range(20) if scaling == "pooled" else range(12, 20)
    values = np.column_stack([[one.metrics.ravel() for one in sites()], WATER])[list(table)]
    moved = []
    for sign in (1.0, -1.0):
        values_of = values.copy()
        values_of[list(table).index(15), :15] += sign * 0.05  # the reader's own column has no noise
        moved.append(
            rank(
                values_of, (*metric_criteria(), "water"), order.membership, group_weights=(*WEIGHTS, 2.0),
                criterion_weights={"all:rent": 4.0},
            ).score[list(table).index(15)]
        )  # fmt: skip
    assert (low, high) == pytest.approx(sorted(moved))


def test_what_is_open_depends_on_the_weights_and_the_length_of_the_shortlist() -> None:
    order = rank_sites(sites())
    floor = np.full((3, 5), 0.02)
    assert not open_sites(order, np.zeros((3, 5)), 4).any()
    assert not open_sites(order, floor, 12).any()  # every site is on the shortlist: none can enter or leave
    assert open_sites(order, np.full((3, 5), 10.0), 4).all()
    found = {count: np.flatnonzero(open_sites(order, floor, count)).tolist() for count in (1, 4)}
    other = np.flatnonzero(open_sites(rank_sites(sites(), group_weights=(0.0, 0.0, 1.0)), floor, 4)).tolist()
    assert found[1] != found[4] != other


def test_an_unknown_floor_could_change_every_place_and_one_of_a_metric_that_does_not_count_none() -> None:
    order = rank_sites(sites())
    unknown = np.full((3, 5), np.nan)
    assert open_sites(order, unknown, 4).all()
    assert not open_sites(order, unknown, 12).any()  # every site is on the shortlist
    partly = np.zeros((3, 5))
    assert not open_sites(order, partly, 4).any()
    partly[1, 4] = np.nan
    assert open_sites(order, partly, 4).any()
    without = rank_sites(sites(), group_weights=(0.0, 1.0, 1.0))  # the first group has the on-peak rent
    assert not open_sites(without, partly, 4).any()


def test_equal_scores_at_the_end_of_the_shortlist_are_tied_and_open_whatever_the_noise() -> None:
    # Sites 1, 2 and 3 have the same figures, so the same score: by hand, places 2 to 4 in the order of their buses.
    best, alike, worst = np.zeros((3, 5)), np.full((3, 5), 0.5), np.ones((3, 5))
    order = rank_sites([site(bus, each) for bus, each in enumerate([best, alike, alike, alike, worst])])
    assert order.place.tolist() == [1, 2, 3, 4, 5]
    tied = {count: np.flatnonzero(tied_sites(order, count)).tolist() for count in range(1, 6)}
    assert tied == {1: [], 2: [1, 2, 3], 3: [1, 2, 3], 4: [], 5: []}
    for count in (2, 3):
        assert open_sites(order, np.zeros((3, 5)), count)[[1, 2, 3]].all()
    assert not tied_sites(ranked(), 4).any()  # drawn at random: no two scores are equal


def test_the_same_placements_are_ranked_the_same_way_by_other_figures() -> None:
    order = ranked(scaling="per envelope")
    assert order.with_sites(sites()).score == pytest.approx(order.score)
    moved = [replace(one, metrics=2.0 * one.metrics) for one in sites()]
    assert order.with_sites(moved).score == pytest.approx(order.score)  # min-max scaling takes out a factor
