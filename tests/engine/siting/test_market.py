"""The market stage on a small grid: the same by every way of computing it, and what its figures must keep."""

from pathlib import Path

import numpy as np
import pytest

from engine.commitment.days import Day
from engine.commitment.scuc import SITE, Effort, End
from engine.compute import Processes
from engine.errors import QuestionError
from engine.siting.case import SitingCase
from engine.siting.envelopes import envelope
from engine.siting.market import MarketBase, Placement, SiteMarket, market_base, market_impact
from engine.store.artifacts import Artifacts
from tests.engine.commitment.small import case_of, day_load, grid, random_units

FIRM, SHIFT = envelope("firm"), envelope("shift")


@pytest.fixture(scope="module")
def days() -> SitingCase:
    """Two days of a triangle whose lines bind, six different units."""
    network = grid(random_units(np.random.default_rng(7), 6))
    return case_of(network, np.concatenate([day_load(150.0, 30.0), day_load(190.0, 40.0)]))


@pytest.fixture(scope="module")
def base(days: SitingCase) -> MarketBase:
    return market_base(days, (Day(0, "2020-01-01", "winter", 5.0), Day(1, "2020-01-02", "summer", 1.0)))


PLACEMENTS = (Placement(0, FIRM, 20.0), Placement(1, SHIFT, 20.0), Placement(1, FIRM, 0.0001))


def test_processes_and_kept_results_give_what_one_process_gives(base: MarketBase, tmp_path: Path) -> None:
    here = market_impact(base, PLACEMENTS, artifacts=Artifacts(tmp_path, 10**8))
    again = market_impact(base, PLACEMENTS, artifacts=Artifacts(tmp_path, 10**8))
    apart = market_impact(base, PLACEMENTS, workers=Processes(2))
    for one, other, third in zip(here, again, apart, strict=True):
        np.testing.assert_array_equal(one.metrics, other.metrics)
        np.testing.assert_array_equal(one.metrics, third.metrics)
        assert one.status is other.status is third.status
        assert one.placement == other.placement == third.placement


def test_a_load_costs_what_the_days_cost_more_and_nothing_when_it_is_nothing(base: MarketBase) -> None:
    found = market_impact(base, PLACEMENTS)
    for one in found[:2]:
        for day, without in zip(one.days, base.base.days, strict=True):
            assert one.served
            assert day.gap <= SITE.gap
            assert day.cost >= without.bound  # more load never costs less than the least without it
    nothing = found[2]
    for day, without in zip(nothing.days, base.base.days, strict=True):
        assert day.cost == pytest.approx(without.cost, rel=4e-4)


def test_days_count_by_their_weight(base: MarketBase) -> None:
    (found,) = market_impact(base, PLACEMENTS[:1])
    means = np.array([day.hours.mean_lmp.mean() for day in found.days if day.hours is not None])
    assert found.metrics[0, 0] == pytest.approx(means @ [5.0, 1.0] / 6.0)


def test_a_site_that_cannot_be_supplied_is_infeasible_and_one_without_time_is_told_apart(base: MarketBase) -> None:
    (too_much,) = market_impact(base, [Placement(1, FIRM, 5000.0)])
    assert too_much.status is End.INFEASIBLE
    assert not too_much.served
    assert "MW" in too_much.reason()
    assert np.isnan(too_much.metrics).all()
    (late,) = market_impact(base, PLACEMENTS[:1], effort=Effort(3e-4, time_limit_s=1e-6))
    assert late.status is End.TIME_LIMIT


def test_a_base_without_a_schedule_is_refused_by_its_day(days: SitingCase) -> None:
    heavy = days.with_load(1, np.where(np.arange(48) < 24, 0.0, 5000.0))
    with pytest.raises(QuestionError, match="2020-01-02"):
        market_base(heavy, [Day(1, "2020-01-02", "summer", 1.0)])


def test_what_is_known_so_far_is_whole_days_of_the_sites_that_are_solved(
    base: MarketBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.siting.market._PER_TASK", 2)
    monkeypatch.setattr("engine.siting.market._TELL_S", -1.0)
    told: list[tuple[MarketBase, list[SiteMarket]]] = []
    found = market_impact(base, PLACEMENTS, partial=lambda shown, sites: told.append((shown, sites)))
    # Two days of two parts each: the first day's first part, all of the first day, the same again, all of both days.
    assert [(len(shown.days), len(sites)) for shown, sites in told] == [(1, 2), (1, 3), (1, 3), (2, 3)]
    for shown, sites in told:
        assert [site.placement for site in sites] == list(PLACEMENTS[: len(sites)])
        assert len(shown.base.days) == len(shown.days) == len(shown.before)
    first, last = told[1][1], told[-1][1]
    for one, whole, final in zip(first, found, last, strict=True):
        np.testing.assert_array_equal(one.days[0].mean_lmp, whole.days[0].mean_lmp)
        np.testing.assert_array_equal(final.metrics, whole.metrics)
