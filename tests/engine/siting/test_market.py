"""The market stage on a small grid: the same by every way of computing it, and what its figures must keep."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.capacity.archive import pack
from engine.commitment.days import Day
from engine.commitment.instance import CommitmentOptions, InitialState, Instance, ReserveRule
from engine.commitment.outcome import BASE, SITE, Effort, End
from engine.commitment.scuc import BaseCommitment, commit, solve_site
from engine.commitment.verify import Schedule, Verdict, verify
from engine.compute import Processes
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Flags
from engine.siting import market
from engine.siting.case import SitingCase
from engine.siting.compiling import market_facts
from engine.siting.envelopes import envelope
from engine.siting.market import MarketBase, Placement, SiteMarket, floor_of, market_base, market_impact
from engine.siting.market_days import MOST_DAYS, base_tasks, commit_run, dump_base, load_base
from engine.store.artifacts import Artifacts
from tests.engine.commitment.small import case_of, day_load, grid, judged, random_units

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


@pytest.fixture(scope="module")
def found(base: MarketBase) -> list[SiteMarket]:
    return market_impact(base, PLACEMENTS)


def test_processes_and_kept_results_give_what_one_process_gives(
    base: MarketBase, found: list[SiteMarket], tmp_path: Path
) -> None:
    here = found
    apart = market_impact(base, PLACEMENTS, workers=Processes(2), artifacts=Artifacts(tmp_path, 10**8))
    again = market_impact(base, PLACEMENTS, artifacts=Artifacts(tmp_path, 10**8))
    for one, other, third in zip(here, again, apart, strict=True):
        np.testing.assert_array_equal(one.metrics, other.metrics)
        np.testing.assert_array_equal(one.metrics, third.metrics)
        assert one.status is other.status is third.status
        assert one.placement == other.placement == third.placement


def test_what_was_tried_comes_with_the_day_and_results_of_other_choices_are_not_taken_for_its_own(
    base: MarketBase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on, given, stood = base.on[0], [], []
    assert on is not None

    def told(instance: Instance, effort: Effort, known: Flags | None, tried: Sequence[Flags]) -> BaseCommitment:
        given.append(tried)
        found = commit(instance, effort, known, tried)
        assert len(found.learned) == len(found.tried) == len(tried)
        return found

    monkeypatch.setattr(market, "commit", told)
    artifacts, one = Artifacts(tmp_path, 10**8), PLACEMENTS[:1]
    (before,) = market_impact(base, one, artifacts=artifacts)
    given.clear()
    taught = replace(base, tried=(np.array([on, ~on]), None))
    (after,) = market_impact(taught, one, artifacts=artifacts, stood=lambda *days: stood.append(days))
    assert [np.array_equal(tried, [on, ~on]) for tried in given] == [True]
    assert stood == [(1, 2)]  # of the second day, of which nothing is told but its schedule
    np.testing.assert_allclose(after.metrics, before.metrics, rtol=1e-9, atol=1e-9)  # a small day needs no cuts


def test_a_load_costs_what_the_days_cost_more_and_nothing_when_it_is_nothing(
    base: MarketBase, found: list[SiteMarket]
) -> None:
    for one in found[:2]:
        for day, without in zip(one.days, base.base.days, strict=True):
            assert one.served
            assert day.gap <= SITE.gap
            assert day.cost >= without.bound  # more load never costs less than the least without it
    nothing = found[2]
    for day, without in zip(nothing.days, base.base.days, strict=True):
        assert day.cost == pytest.approx(without.cost, rel=4e-4)


def test_days_count_by_their_weight(found: list[SiteMarket]) -> None:
    means = np.array([day.hours.mean_lmp.mean() for day in found[0].days if day.hours is not None])
    assert found[0].metrics[0, 0] == pytest.approx(means @ [5.0, 1.0] / 6.0)


def test_a_site_that_cannot_be_supplied_is_infeasible_and_one_without_time_is_told_apart(base: MarketBase) -> None:
    (too_much,) = market_impact(base, [Placement(1, FIRM, 5000.0)])
    assert too_much.status is End.INFEASIBLE
    assert not too_much.served
    assert "MW" in too_much.reason()
    assert np.isnan(too_much.metrics).all()
    (late,) = market_impact(base, PLACEMENTS[:1], effort=Effort(3e-4, time_limit_s=1e-6))
    assert late.status is End.TIME_LIMIT


def test_a_day_without_a_schedule_is_left_out_and_told_and_only_a_market_without_any_is_refused(
    days: SitingCase,
) -> None:
    heavy = days.with_load(1, np.where(np.arange(48) < 24, 0.0, 5000.0))
    late = Day(1, "2020-01-02", "summer", 1.0)
    with pytest.raises(QuestionError, match="2020-01-02: infeasible: in hour"):
        market_base(heavy, [late])
    both = market_base(heavy, [Day(0, "2020-01-01", "winter", 5.0), late])
    alone = market_base(days, [Day(0, "2020-01-01", "winter", 5.0)])
    assert [day.label for day in both.days] == ["2020-01-01"]
    np.testing.assert_array_equal(both.base.metrics, alone.base.metrics)
    (told,) = market_facts(both)["days_left_out"]
    assert (told["label"], told["reason"], told["weight"], told["status"]) == (
        "2020-01-02",
        "summer",
        1.0,
        "infeasible",
    )
    assert "MW" in told["why"]
    (site,) = market_impact(both, PLACEMENTS[:1])
    assert site.served
    assert len(site.days) == 1


def test_every_schedule_is_judged_and_one_that_is_refused_is_no_number(
    base: MarketBase, found: list[SiteMarket], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = market_facts(base, found)["judged"]
    assert told == {"schedules": 2 * 4, "before_outages_alone": 0, "refused": 0, "found": []}

    def one_mw_more(
        case: SitingCase, options: CommitmentOptions, schedule: Schedule, *initial: InitialState
    ) -> Verdict:
        return verify(case, options, replace(schedule, output_mw=schedule.output_mw + 1.0 / 6.0), *initial)

    monkeypatch.setattr("engine.siting.judging.verify", one_mw_more)
    (site,) = market_impact(base, PLACEMENTS[:1])
    assert site.status is End.REFUSED
    assert not site.served
    assert np.isnan(site.metrics).all()
    assert all(day.hours is None and day.cost == np.inf for day in site.days)
    assert "is off and produces 0.167 MW" in site.reason()
    told = market_facts(base, [site])["judged"]
    assert (told["schedules"], told["refused"]) == (4, 2)
    assert "2020-01-01: the judge of schedules refuses it" in told["found"][0]
    with pytest.raises(QuestionError, match=r"no day has a schedule.*refused: the judge"):
        market_base(base.case, base.days[:1])


def test_limits_after_outages_are_judged_at_the_first_placement_of_each_task(days: SitingCase) -> None:
    held = CommitmentOptions(ReserveRule("none"), security="n-1", outage_rating="a")
    base = market_base(days, [Day(0, "2020-01-01", "winter", 1.0)], held)
    found = market_impact(base, PLACEMENTS)
    assert base.base.days[0].judged == "whole"
    assert [site.days[0].judged for site in found] == ["whole", "before outages", "before outages"]
    assert market_facts(base, found)["judged"]["before_outages_alone"] == 2


def test_the_floor_of_all_days_is_of_the_days_that_have_one_and_the_others_are_named(base: MarketBase) -> None:
    floors = np.stack([np.full((3, 5), 2.0), np.full((3, 5), 8.0)])
    assert floor_of(base.days, floors) == pytest.approx(np.full((3, 5), (5.0 * 2.0 + 8.0) / 6.0))
    floors[1] = np.nan
    assert floor_of(base.days, floors) == pytest.approx(np.full((3, 5), 2.0))
    known = replace(base, floors=floors, accepted=(4, 1))
    assert market_facts(known)["days_without_floor"] == ["2020-01-02"]
    assert market_facts(known)["noise_samples"] == [4, 1]
    assert np.isnan(floor_of(base.days, np.full((2, 3, 5), np.nan))).all()
    assert base.floor is None


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
        assert one.days[0].energy == whole.days[0].energy
        np.testing.assert_array_equal(final.metrics, whole.metrics)
        np.testing.assert_array_equal(final.mean_lmp, whole.mean_lmp)
        both = [own.mean_lmp for own in (one, whole)]
        assert not np.array_equal(*both)  # of one day, and of both by their weight


def test_the_energy_part_is_the_price_where_nothing_is_sent_from_anywhere(
    base: MarketBase, found: list[SiteMarket]
) -> None:
    """Flow factors of the slack are zero, so no limit on flows has a share in its price: equation (10)."""
    weight = np.array([day.weight for day in base.days])
    congested = 0
    for site in (base.base, *found):
        energy = weight @ np.array([day.energy for day in site.days]) / weight.sum()
        assert site.mean_lmp[base.case.network.slack] == pytest.approx(energy, abs=1e-9)
        congested += bool(np.abs(site.mean_lmp - energy).max() > 0.01)
    assert congested


def test_a_window_of_ones_own_is_what_on_peak_metrics_are_of(days: SitingCase) -> None:
    early = market_base(days, [Day(0, "2020-01-01", "winter", 1.0)], peak_hours=(3, 4))
    hours = early.base.days[0].hours
    assert hours is not None
    assert early.base.metrics[1, 0] == pytest.approx(hours.mean_lmp[[2, 3]].mean())


def nine_days() -> SitingCase:
    network = grid(random_units(np.random.default_rng(7), 3))
    return case_of(network, np.concatenate([day_load(70.0 + 3.0 * day, 10.0) for day in range(9)]))


def test_days_in_a_row_are_tasks_of_a_week_each_from_the_state_before_it(tmp_path: Path) -> None:
    case = nine_days()
    every = tuple(Day(day, case.labels[24 * day][:10], "every day", 1.0) for day in range(9))
    tasks = base_tasks(case, every, CommitmentOptions(), SITE, 0, SITE.gap, (16,))
    assert [len(task.days) for task in tasks] == [MOST_DAYS, 2]
    assert [len(task.case) for task in tasks] == [7 * 24, 3 * 24]  # the second has its warm-up day
    here = market_base(case, every, effort=SITE, samples=3, artifacts=Artifacts(tmp_path, 10**8))
    assert here.before[0] == "free"
    assert here.before[1] == "taken over from 2020-01-01"
    assert here.before[7] == "after 2020-01-07 00:00 as a warm-up day"
    assert here.before[8] == "taken over from 2020-01-08"
    assert all(one is not None for one in here.initial[1:])
    again = market_base(case, every[::-1], effort=SITE, samples=3, artifacts=Artifacts(tmp_path, 10**8))
    np.testing.assert_array_equal(again.base.metrics, here.base.metrics)
    np.testing.assert_array_equal(again.prices, here.prices)
    np.testing.assert_array_equal(again.floor, here.floor)
    assert (again.days, again.before) == (here.days, here.before)
    sites = [Placement(1, FIRM, 5.0), Placement(2, FIRM, 5.0)]
    done: list[tuple[int, int]] = []
    one, two = (market_impact(base, sites, progress=lambda *told: done.append(told)) for base in (here, again))
    assert done[-1] == (9, 9)
    assert done[: len(done) // 2] == sorted(done[: len(done) // 2])
    weight = np.ones(9) / 9.0
    for site, same in zip(one, two, strict=True):
        np.testing.assert_array_equal(site.mean_lmp, same.mean_lmp)
        means = [day.hours.mean_lmp.mean() for day in site.days if day.hours is not None]
        assert site.mean_lmp.mean() == pytest.approx(weight @ means)  # the mean over buses and days, either way


def test_days_without_a_load_are_read_back_as_they_were_kept() -> None:
    case = nine_days()
    (task,) = base_tasks(case, [Day(2, "2020-01-03", "chosen", 1.0)], CommitmentOptions(), SITE, 3, SITE.gap, (16,))
    found = commit_run(task)
    again = load_base(dump_base(found))
    assert dump_base(again) == dump_base(found)
    assert again[0].initial is not None
    assert again[0].solved.market.status is found[0].solved.market.status
    on = found[0].on
    assert on is not None
    (tried,) = load_base(dump_base([replace(found[0], tried=np.array([on, ~on]))]))
    assert tried.tried is not None
    assert np.array_equal(tried.tried, [on, ~on])
    with pytest.raises(UncertaintyDataError, match="this version"):
        load_base(pack({}, {"format": "another"}))


def test_limits_after_outages_and_reserve_cost_more_than_none_of_them(days: SitingCase) -> None:
    """Each only takes schedules away: no cost with them is below the bound without them."""
    one = [Day(0, "2020-01-01", "winter", 1.0)]
    asked = (("none", "base"), ("share", "base"), ("share", "n-1"))
    free, reserved, held = (
        market_base(days, one, CommitmentOptions(reserve=ReserveRule(kind), security=security, outage_rating="a"))
        for kind, security in asked
    )
    for less, more in ((free, reserved), (reserved, held)):
        assert more.base.days[0].bound > less.base.days[0].cost  # on this day each of them binds


def test_a_unit_that_must_run_does_so_all_day_and_costs_no_less(base: MarketBase) -> None:
    usual = base.on[0]
    assert usual is not None
    idle = int(np.flatnonzero(~usual.any(axis=0))[0])  # every unit of this grid is committed: by position
    held = CommitmentOptions(must_run=(base.case.network.units.ids[idle],))
    found = market_base(base.case, base.days[:1], held)
    assert found.on[0] is not None
    assert found.on[0][:, idle].all()
    assert found.base.days[0].judged == "whole"
    assert found.base.days[0].cost >= base.base.days[0].bound
    assert market_facts(found)["must_run"] == list(held.must_run)


def test_a_site_of_the_n_1_market_keeps_every_limit_after_each_outage_by_the_judge(days: SitingCase) -> None:
    """The judge solves each outage anew in bus angles, from the tables: it shares no code with the market's rows."""
    options = [CommitmentOptions(ReserveRule("none"), security=kind, outage_rating="a") for kind in ("n-1", "base")]
    base = market_base(days, [Day(0, "2020-01-01", "winter", 1.0)], options[0])
    (found,) = market_impact(base, PLACEMENTS[:1])
    case = base.day_case(base.days[0])
    held, free = (Instance.of(case, own, initial=base.initial[0]) for own in options)
    load = FIRM.level_mw(20.0, case.hour_of_day)
    site = solve_site(commit(held, BASE, base.on[0]), 0, load, SITE)
    assert site.cost == found.days[0].cost  # what the market told of it
    assert judged(held.with_load(0, load), site).problems == []
    loose = solve_site(commit(free, BASE), 0, load, SITE)
    assert judged(free.with_load(0, load), loose).problems == []
    assert (
        judged(held.with_load(0, load), loose).problems != []
    )  # what does not know of outages breaks limits after one
