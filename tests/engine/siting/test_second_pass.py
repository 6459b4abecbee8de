"""What the noise floor could change is solved again, and what stays open is said."""

import numpy as np
import pytest

from engine.commitment.days import Day
from engine.commitment.outcome import Effort
from engine.errors import QuestionError
from engine.siting.envelopes import envelope
from engine.siting.firmness import open_sites
from engine.siting.market import MarketBase, Placement, SiteMarket, market_base, market_impact
from engine.siting.second_pass import second_pass
from engine.siting.shortlist import rank_sites
from tests.engine.commitment.small import case_of, day_load, grid, random_units

FIRM, SHIFT = envelope("firm"), envelope("shift")
LOOSE = Effort(5e-3)
PLACEMENTS = (Placement(0, FIRM, 20.0), Placement(1, FIRM, 20.0), Placement(2, FIRM, 20.0), Placement(1, SHIFT, 20.0))
NO_FLOOR, HIGH_FLOOR = np.zeros((3, 5)), np.full((3, 5), 1e3)


@pytest.fixture(scope="module")
def base() -> MarketBase:
    network = grid(random_units(np.random.default_rng(7), 6))
    return market_base(case_of(network, day_load(170.0, 40.0)), (Day(0, "2020-01-01", "the only one", 1.0),))


@pytest.fixture(scope="module")
def first(base: MarketBase) -> list[SiteMarket]:
    return market_impact(base, PLACEMENTS, effort=LOOSE)


def test_without_noise_nothing_is_open_and_nothing_is_solved_again(base: MarketBase, first: list[SiteMarket]) -> None:
    ranked = rank_sites(first)
    found = second_pass(base, ranked, NO_FLOOR, count=1)
    assert not found.again.any()
    assert not found.open.any()
    assert found.ranked is ranked
    assert "none of the first 1 places" in found.words()


def test_what_is_open_is_solved_again_as_it_is_alone_and_ranked_anew(base: MarketBase, first: list[SiteMarket]) -> None:
    found = second_pass(base, rank_sites(first), HIGH_FLOOR, count=1)
    # One site of the shifting envelope is the whole of its shortlist: no noise changes its place.
    assert found.again.tolist() == [True, True, True, False]
    assert found.open.tolist() == [True, True, True, False]
    assert not found.unproved.any()
    exact = market_impact(base, PLACEMENTS[:3], effort=Effort(1e-4))
    for one, other in zip(found.ranked.sites, [*exact, first[3]], strict=True):
        np.testing.assert_array_equal(one.metrics, other.metrics)
    assert all(site.gap <= 1e-4 for site in found.ranked.sites[:3])
    np.testing.assert_array_equal(found.ranked.score, rank_sites([*exact, first[3]]).score)
    assert "3 of 4 sites were solved again; 3 are too close to call" in found.words()


def test_each_envelope_scaled_alone_is_open_by_its_own_sites(first: list[SiteMarket]) -> None:
    ranked, alone = rank_sites(first, scaling="per envelope"), rank_sites(first[:3])
    for floor in (NO_FLOOR, np.full((3, 5), 0.5), HIGH_FLOOR):
        assert open_sites(ranked, floor, 1).tolist() == [*open_sites(alone, floor, 1).tolist(), False]


def test_a_column_of_ones_own_has_no_noise(first: list[SiteMarket]) -> None:
    water = {"water": np.array([1.0, 2.0, 3.0, 4.0])}
    assert not open_sites(rank_sites(first, water, groups={"water": ("water",)}), HIGH_FLOOR, 1).any()


def test_what_gets_no_proof_in_time_keeps_its_first_figures(base: MarketBase, first: list[SiteMarket]) -> None:
    found = second_pass(base, rank_sites(first), HIGH_FLOOR, count=1, effort=Effort(1e-4, time_limit_s=1e-6))
    assert found.unproved.tolist() == [True, True, True, False]
    for one, other in zip(found.ranked.sites, first, strict=True):
        np.testing.assert_array_equal(one.metrics, other.metrics)
    assert "3 of them without a proof in time" in found.words()


def test_a_floor_that_is_not_known_leaves_every_place_open_and_says_so(
    base: MarketBase, first: list[SiteMarket]
) -> None:
    found = second_pass(base, rank_sites(first), np.full((3, 5), np.nan), count=1)
    assert found.again.tolist() == found.open.tolist() == [True, True, True, False]
    assert "the noise floor is not known, and what is not known could change a place; 3 are too close" in found.words()


def test_the_days_without_a_site_are_not_ranked(base: MarketBase, first: list[SiteMarket]) -> None:
    with pytest.raises(QuestionError, match="not a site"):
        second_pass(base, rank_sites([base.base, *first]), NO_FLOOR)
