"""Scores and places of sites whose market figures are given."""

import numpy as np
import pytest

from engine.commitment.outcome import End
from engine.errors import QuestionError
from engine.siting.envelopes import envelope
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_days import DayMarket
from engine.siting.metrics import HourlyMarket
from engine.siting.ranking import GROUPS, metric_criteria, rank
from engine.siting.shortlist import rank_sites

FIRM, SHIFT = envelope("firm"), envelope("shift")


def site(bus: int, metrics: np.ndarray, kind: object = FIRM, status: End = End.WITHIN_GAP) -> SiteMarket:
    day = DayMarket(status, "no load can be served", HourlyMarket(*np.zeros((5, 24))), 20.0, 1.0, 1.0, 0.0, 0.1)
    return SiteMarket(Placement(bus, kind, 1000.0), (day,), metrics, np.zeros(3))  # type: ignore[arg-type]


def some(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 3, 5))


def test_envelopes_are_scaled_together_and_placed_apart() -> None:
    figures = some(10)
    sites = [site(k, figures[k], FIRM if k < 6 else SHIFT) for k in range(10)]
    found = rank_sites(sites)
    assert found.score == pytest.approx(rank(figures.reshape(10, 15), metric_criteria()).score)
    assert sorted(found.place[:6].tolist()) == list(range(1, 7))
    assert sorted(found.place[6:].tolist()) == list(range(1, 5))
    for own in (slice(0, 6), slice(6, 10)):
        assert (np.argsort(found.place[own]) == np.argsort(-found.score[own])).all()


def test_each_envelope_can_be_scaled_alone() -> None:
    figures = some(10)
    sites = [site(k, figures[k], FIRM if k < 6 else SHIFT) for k in range(10)]
    found = rank_sites(sites, scaling="per envelope")
    assert found.score[:6] == pytest.approx(rank(figures[:6].reshape(6, 15), metric_criteria()).score)
    assert found.score[6:] == pytest.approx(rank(figures[6:].reshape(4, 15), metric_criteria()).score)


def test_equal_sites_go_by_their_bus_number() -> None:
    figures = some(4)
    figures[3] = figures[0]
    found = rank_sites([site(bus, figures[k]) for k, bus in enumerate((7, 5, 9, 2))])
    assert found.place[3] == found.place[0] - 1


def test_a_column_of_ones_own_counts_in_a_group_of_its_own() -> None:
    figures = np.repeat(some(1), 3, axis=0)
    figures[:, 1, 1] = [1.0, 1.0, 2.0]  # the sites differ in one figure, and in water
    groups = {**GROUPS, "water": ("water",)}
    found = rank_sites([site(k, figures[k]) for k in range(3)], {"water": np.array([3.0, 1.0, 2.0])}, groups=groups)
    assert found.place.tolist() == [2, 1, 3]


def test_sites_without_a_schedule_or_none_at_all_are_refused() -> None:
    with pytest.raises(QuestionError, match="no site is left"):
        rank_sites([])
    with pytest.raises(QuestionError, match="cannot be ranked"):
        rank_sites([site(1, some(1)[0], status=End.INFEASIBLE)])
