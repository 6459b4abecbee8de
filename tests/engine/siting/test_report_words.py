"""What the report says of days without a schedule, of noise floors by day, and of shortlists too short to compare."""

from dataclasses import replace

import numpy as np
import pytest

from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from tests.benchmarks.siting_report_attenuation import median_interval
from tests.benchmarks.siting_report_market import judged_words, too_few, without_schedule
from tests.benchmarks.siting_report_pairs import PEAK_SPREAD, compared_pairs, counted, floor_words, what_follows
from tests.siting_study import market_run

DATES = ("2020-08-11", "2020-08-12", "2020-08-13")


@pytest.fixture(scope="module")
def market() -> MarketRun:
    """Three days with floors of 0.5, not known, and 2; the peak's spread is 15 $/MWh firm, 14, 16 and 14 shifted."""
    run = market_run()
    floors = np.stack([np.full((3, 5), value) for value in (0.5, np.nan, 2.0)])
    template = run.base.days[0]
    assert template.hours is not None
    sites = []
    for site in run.sites:
        assert site.placement is not None
        values = (14.0, 16.0, 14.0) if site.placement.envelope.name == "shift" else (15.0, 15.0, 15.0)
        days = tuple(replace(template, hours=replace(template.hours, p95_p5=np.full(24, value))) for value in values)
        metrics = site.metrics.copy()
        metrics[PEAK_SPREAD] = np.mean(values)
        placement = replace(site.placement, nameplate_mw=1000.0)
        sites.append(replace(site, placement=placement, days=days, metrics=metrics))
    facts = {
        **run.facts,
        "days": [{"label": date, "weight": 1.0} for date in DATES],
        "noise_samples": [4, 1, 4],
        "days_without_floor": [DATES[1]],
        "days_left_out": [
            {
                "label": "2020-08-14",
                "status": "time limit",
                "why": "limits are kept only at more than the price of a breach",
            }
        ],
        "judged": {"schedules": 12, "refused": 0, "found": [], "before_outages_alone": 0},
    }
    return replace(run, sites=tuple(sites), facts=facts, floor=np.full((3, 5), 1.25), floors=floors)


def test_a_day_that_was_left_out_is_told_with_how_its_search_ended(market: MarketRun) -> None:
    told = without_schedule(market, {"2020-08-14": "highest load"})
    assert "2020-08-14 (highest load); its search ended by time limit: limits are kept only at more than" in told
    assert judged_words(market).endswith("looked at 12: it finds nothing.")


def test_each_day_is_judged_by_its_own_floor_and_one_without_by_none(market: MarketRun) -> None:
    """Changes of -1, +1 and -1 against floors of 0.5, nan and 2: one fell, one cannot be told, one is noise."""
    lines = compared_pairs(("A", "B"), market)
    assert "| noise floor | | 0.5 | not known | 2 | | | 1.25 |" in lines
    (first,), (second,), (third,) = ([line for line in lines if line.startswith(f"- 1 GW, {date}")] for date in DATES)
    assert "of 2; noise floor 0.5; fell at 2, rose at 0, within the noise at 0" in first
    assert "no pair has a floor and schedules as near as asked: what fell or rose cannot be told" in second
    assert "noise floor 2; fell at 0, rose at 0, within the noise at 2" in third
    assert "It is not known on 2020-08-12" in floor_words(market)
    assert "2020-08-11 4, 2020-08-12 1, 2020-08-13 4" in floor_words(market)
    (follows,) = [line for line in lines if line.startswith("What follows")]
    assert "of 4 pairs of a site and a day, 2 more have no floor or no schedule as near as asked" in follows
    assert "fell under shift at 2 and rose at 0" in follows


def test_a_schedule_further_from_the_least_cost_than_asked_is_marked_and_not_counted(market: MarketRun) -> None:
    """One firm site's first day is loose: of two pairs that fell on that day one is left."""

    def loose(site: SiteMarket) -> SiteMarket:
        first, *others = site.days
        return replace(site, days=(replace(first, gap=2.0 * market.question.site_gap), *others))

    firm = [
        site.placement and (site.placement.bus, site.placement.envelope.name) == (0, "firm") for site in market.sites
    ]
    sites = tuple(loose(site) if own else site for site, own in zip(market.sites, firm, strict=True))
    lines = compared_pairs(("A", "B"), replace(market, sites=sites))
    assert sum("-1.000* |" in line for line in lines) == 1
    (told,) = [line for line in lines if line.startswith(f"- 1 GW, {DATES[0]}")]
    assert "of 1; noise floor 0.5; fell at 1, rose at 0, within the noise at 0" in told


def test_what_has_no_floor_neither_fell_nor_rose() -> None:
    change, floor = np.array([-3.0, 3.0, -3.0, 0.1]), np.array([1.0, 1.0, np.nan, 1.0])
    assert counted(change, floor) == (1, 1, 1.0)
    none = what_follows(change, np.full(4, np.nan))
    assert none == "What follows: nothing, for no pair has a floor and schedules as near as asked."


def test_overlaps_of_twenty_need_forty_sites() -> None:
    assert too_few(1000.0, {"firm": 40, "shift": 41}) == []
    (told,) = too_few(1000.0, {"firm": 40, "shift": 39})
    assert "fewer than 40 sites are priced (shift 39): overlaps of the first 20" in told
    assert "so there is no shortlist" in too_few(2000.0, {"firm": 1, "shift": 1})[0]


@pytest.mark.parametrize(("count", "place"), [(5, None), (6, 1), (10, 2), (20, 6)])
def test_the_interval_of_a_median_is_that_of_the_sign_tests_tables(count: int, place: int | None) -> None:
    """Places from the published table of the two-sided sign test at 5 %: none of 5; 0, 1 and 5 of 6, 10 and 20."""
    low, high = median_interval(np.arange(1.0, count + 1.0)[::-1])
    assert np.isnan(low) if place is None else (low, high) == (place, count + 1 - place)
