"""The noise with a site: what is counted, that it never lowers the floor, and where it comes from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.commitment.days import Day
from engine.commitment.outcome import Effort, End
from engine.network.library import load
from engine.network.model import Network
from engine.siting.defaults import starting_market, starting_question
from engine.siting.envelopes import envelope
from engine.siting.firmness import open_sites, score_intervals
from engine.siting.market import MarketBase, Placement, SiteMarket, market_base, market_impact
from engine.siting.market_days import DayMarket
from engine.siting.market_run import MarketRun, chosen_sites, run_market
from engine.siting.metrics import HourlyMarket
from engine.siting.nearer import Lot, nearer
from engine.siting.run import run_gate
from engine.siting.second_pass import second_pass
from engine.siting.shortlist import rank_sites
from engine.siting.site_noise import SiteNoise, floor_with, measured, moved_by, with_moved
from engine.store.artifacts import Artifacts
from tests.engine.commitment.small import case_of, day_load, grid, random_units
from tests.siting_study import market_run

FIRM = envelope("firm")
PLACEMENTS = tuple(Placement(bus, FIRM, 20.0) for bus in range(3))
LOOSE, NEAR = Effort(5e-3), Effort(1e-4)


def site(value: float, gap: float = 1e-4, moved: float | None = None, bus: int = 0) -> SiteMarket:
    """A site whose fifteen metrics are all ``value``, on one day with that gap."""
    hours = HourlyMarket(*np.full((5, 24), value))
    day = DayMarket(End.WITHIN_GAP, "", hours, value, 1.0, 1.0 - gap, gap, 0.1)
    moves = None if moved is None else np.full((3, 5), moved)
    return SiteMarket(Placement(bus, FIRM, 10.0), (day,), np.full((3, 5), value), np.zeros(2), moves)


def test_a_site_moved_by_the_distance_of_two_schedules_that_are_both_as_good() -> None:
    first = site(10.0, gap=3e-4)
    assert np.array_equal(moved_by(first, site(7.5), 1e-4), np.full((3, 5), 2.5))  # type: ignore[arg-type]
    assert moved_by(first, site(7.5, gap=4e-4), 1e-4) is None  # may be dearer than the first is known to be
    assert moved_by(first, replace(first, days=(replace(first.days[0], status=End.TIME_LIMIT),)), 1e-4) is None


def test_the_floor_is_metric_by_metric_the_larger_and_never_falls() -> None:
    """Worked out by hand: the median of 1, 2 and 9 is 2, the largest 9."""
    sites = [site(0.0, moved=moved) for moved in (1.0, None, 9.0, 2.0)]
    found = SiteNoise.of(sites)
    assert found is not None
    assert found.sites == 3
    assert np.all(found.median == 2.0)
    assert np.all(found.largest == 9.0)
    floor = np.array([[0.0, 1.0, 2.0, 3.0, np.nan]] * 3)
    np.testing.assert_array_equal(floor_with(floor, sites), [[2.0, 2.0, 2.0, 3.0, np.nan]] * 3)  # not known stays so
    assert SiteNoise.of([site(0.0)]) is None
    assert floor_with(floor, [site(0.0)]) is floor
    dice = np.random.default_rng(5)
    for _ in range(50):
        base = dice.random((3, 5))
        moves = [replace(site(0.0), moved=dice.random((3, 5))) for _ in range(int(dice.integers(1, 6)))]
        assert np.all(floor_with(base, moves) >= base)
    assert with_moved(site(0.0, moved=3.0), np.full((3, 5), 1.0)).moved[0, 0] == 3.0  # type: ignore[index]


def test_what_a_site_moved_by_widens_its_own_score_alone() -> None:
    run = market_run()
    floor, count = np.full((3, 5), 1e-6), 1
    ranked = rank_sites(run.sites)
    rows = list(range(len(run.sites)))
    before, places = score_intervals(ranked, floor, rows), open_sites(ranked, floor, count)
    moved = [replace(run.sites[0], moved=np.full((3, 5), 0.4)), *run.sites[1:]]
    after = score_intervals(ranked.with_sites(moved), floor, rows)
    assert after[0, 0] < before[0, 0]
    assert after[0, 1] > before[0, 1]
    np.testing.assert_array_equal(after[1:], before[1:])
    whole = [replace(one, moved=np.full((3, 5), 0.4)) for one in run.sites]
    np.testing.assert_allclose(  # as wide as with that floor
        score_intervals(ranked.with_sites(whole), floor, rows), score_intervals(ranked, np.full((3, 5), 0.4), rows)
    )
    assert np.all(open_sites(ranked.with_sites(whole), floor, count) >= places)


@pytest.fixture(scope="module")
def base() -> MarketBase:
    network = grid(random_units(np.random.default_rng(7), 6))
    return market_base(case_of(network, day_load(170.0, 40.0)), (Day(0, "2020-01-01", "the only one", 1.0),), samples=3)


def test_a_second_pass_holds_what_each_site_moved_by(base: MarketBase) -> None:
    first = market_impact(base, PLACEMENTS, effort=LOOSE)
    found = second_pass(base, rank_sites(first), np.full((3, 5), 1e3), count=1, effort=NEAR)
    assert found.again.all()
    exact = market_impact(base, PLACEMENTS, effort=NEAR)
    for one, before, nearer_ in zip(found.ranked.sites, first, exact, strict=True):
        np.testing.assert_array_equal(one.moved, np.abs(nearer_.metrics - before.metrics))  # type: ignore[arg-type]


def test_sites_by_lot_are_measured_once_and_in_the_same_way_as_the_days(base: MarketBase, tmp_path: Path) -> None:
    """A site of no load is the day itself: its noise is that of the day, measured by the same samples."""
    nothing = (Placement(0, FIRM, 0.0), *PLACEMENTS)
    sites = market_impact(base, nothing)
    files = Artifacts(tmp_path, 10**8)
    effort = Effort(1e-4, 300.0, 0)
    found = measured(base, sites, 4, samples=3, effort=effort, artifacts=files)
    assert all(one.moved is not None for one in found)
    assert base.floor is not None
    # The day's own floor is of samples within 3e-4, this one within 1e-4: no farther apart, by the same costs or none.
    again = measured(base, sites, 4, samples=3, effort=Effort(3e-4, 300.0, 0))
    np.testing.assert_allclose(again[0].moved, base.floor, atol=1e-6)  # type: ignore[arg-type]
    shares: list[float] = []
    kept = measured(
        base, sites, 4, samples=3, effort=effort, artifacts=files, progress=lambda done, of: shares.append(done / of)
    )
    assert shares == [1.0]  # nothing was left to do
    for one, other in zip(found, kept, strict=True):
        np.testing.assert_array_equal(one.moved, other.moved)  # type: ignore[arg-type]
    two = measured(base, sites, 2, samples=3, effort=effort, artifacts=files)
    assert sum(one.moved is not None for one in two) == 2
    assert all(one.moved is None for one in measured(base, sites, 4, samples=1, effort=effort))  # of one sample none


def test_a_lot_is_drawn_only_where_no_site_was_solved_again(base: MarketBase) -> None:
    sites = market_impact(base, PLACEMENTS)
    lot = Lot(2, 3, Effort(3e-4))
    said: list[str] = []
    shares: list[float] = []
    found, words, noise = nearer(
        base, sites, np.zeros((3, 5)), count=3, effort=NEAR, lot=lot, say=said.append,
        progress=lambda done, of: shares.append(done / of),
    )  # fmt: skip
    assert "can change none of it" in words
    assert noise == {"sites": 2, "by_lot": 2}
    assert "the noise with a site is measured" in said
    assert shares == sorted(shares)
    assert sum(one.moved is not None for one in found) == 2
    _, _, noise = nearer(base, sites, np.full((3, 5), 1e3), count=1, effort=NEAR, lot=lot)
    assert noise == {"sites": 3, "by_lot": 0}
    assert nearer(base, sites, np.zeros((3, 5)), count=3, effort=NEAR, lot=replace(lot, sites=0))[2]["sites"] == 0


def test_on_rts_24_the_noise_with_a_site_is_measured_kept_and_read_back() -> None:
    network = Network.from_tables(load("rts24"))
    question = replace(starting_question(network).checked(network), shortlist=3)
    loose = {"base_gap": 2e-3, "site_gap": 3e-3}  # a search of seconds
    market = replace(starting_market(network, question), days="peak", noise_sites=1, samples=3, **loose)
    run = run_gate(question, network)
    chosen, _ = chosen_sites(run, market)
    said: list[str] = []
    found = run_market(run, market, placements=chosen[:2], told=said.append)
    assert found.facts["noise_with_site"] == {"sites": 1, "by_lot": 1}
    assert any(words.startswith("sites are priced") for words in said)
    assert found.floor_without is not None
    assert found.floor is not None
    assert np.all(found.floor >= found.floor_without)
    noise = SiteNoise.of(found.sites)
    assert noise is not None
    np.testing.assert_array_equal(found.floor, np.maximum(found.floor_without, noise.median))
    read = MarketRun.load(found.save())
    assert read.save() == found.save()
    for one, other in zip(read.sites, found.sites, strict=True):
        assert (one.moved is None) == (other.moved is None)
    np.testing.assert_array_equal(read.floor, found.floor)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read.floor_without, found.floor_without)  # type: ignore[arg-type]
