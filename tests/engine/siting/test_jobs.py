"""A whole study as jobs, on a triangle with six units: the same by every kind of worker, and what is kept of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.compute import HERE, Cluster, Processes, Workers
from engine.errors import CancelledError, QuestionError
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.shapes import check_shape
from engine.siting import jobs
from engine.siting.envelopes import PEAK_HOURS, envelope
from engine.siting.gate.results import GateResult
from engine.siting.market_run import (
    MarketQuestion,
    MarketRun,
    chosen_sites,
    days_of,
    lmp_change,
    mean_energy,
    peak_window,
    run_market,
)
from engine.siting.order import OrderBy, order_of
from engine.siting.product_jobs import Chosen, product_arguments, products_job
from engine.siting.products import SITING, SaleTerms
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, catalogue_of
from engine.store.artifacts import Artifacts
from tests.engine.commitment.small import case_of, day_load, grid, random_units
from tests.engine.test_compute import local_cluster


def _network() -> Network:
    tables = grid(random_units(np.random.default_rng(7), 6)).tables
    return Network.from_tables(tables.with_table("buses", tables.buses.assign(load_mw=[60.0, 60.0, 80.0])))


NETWORK = _network()
QUESTION = SitingQuestion(
    choice="list", hours=(4839, 4840, 20), sizes_mw=(5.0, 25.0), candidates="listed", buses=NETWORK.buses.ids,
    branches="all", threshold=0.6,
)  # fmt: skip
MARKET = MarketQuestion(days="peak", most_sites=2, samples=2)


@dataclass
class Context:
    """What a job is given, for one network."""

    network: Network
    artifacts: Artifacts
    workers: Workers = HERE
    said: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    stop_at: float = 2.0  # share at which the job is stopped

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.said.append(message)
        self.shares.append(done / total)
        if self.shares[-1] >= self.stop_at:
            raise CancelledError("stopped here")

    def load_network(self, digest: str) -> NetworkTables:
        assert digest == self.network.digest
        return self.network.tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


@dataclass
class Study:
    """What the two jobs gave."""

    context: Context
    told: dict[str, Any]
    sold: dict[str, Any]
    gate: GateResult
    market: MarketRun

    def run(self) -> GateRun:
        asked = jobs.gate_arguments(NETWORK.digest, QUESTION)
        found = jobs.run_of(asked, self.told, self.gate, NETWORK, None)
        return replace(found, question=QUESTION)  # with the threshold, which no verdict depends on


def study(folder: Path, workers: Workers = HERE) -> Study:
    context = Context(NETWORK, Artifacts(folder, 10**8), workers)
    asked = jobs.gate_arguments(NETWORK.digest, QUESTION)
    told = jobs.gate_job(asked, context)
    sites = jobs.market_arguments(NETWORK.digest, QUESTION, MARKET)
    sold = jobs.market_job(sites, context)
    verdicts, market = (context.artifacts.open(key) for key in (jobs.gate_key(asked), jobs.market_key(sites)))
    assert verdicts is not None
    assert market is not None
    return Study(context, told, sold, GateResult.load(verdicts), MarketRun.load(market))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study(tmp_path_factory.mktemp("here"))


@contextmanager
def kind_of(name: str) -> Iterator[Workers]:
    if name == "processes":
        yield Processes(2)
        return
    with local_cluster(2) as address:
        yield Cluster(address)


@pytest.mark.parametrize("name", ["processes", "cluster"])
def test_every_kind_of_worker_gives_the_same(here: Study, name: str, tmp_path: Path) -> None:
    with kind_of(name) as workers:
        other = study(tmp_path, workers)
    for own in QUESTION.envelopes:
        for size in QUESTION.sizes_mw:
            assert np.array_equal(other.gate.pass_rate(own.name, size), here.gate.pass_rate(own.name, size))
    assert [site.placement for site in other.market.sites] == [site.placement for site in here.market.sites]
    for one, same in zip((other.market.base, *other.market.sites), (here.market.base, *here.market.sites), strict=True):
        assert one.status == same.status
        assert np.array_equal(one.metrics, same.metrics)


def test_the_jobs_tell_what_they_did_and_how_far_they_are(here: Study) -> None:
    for told, shape in ((here.told, jobs.GATE_SHAPE), (here.sold, jobs.MARKET_SHAPE)):
        for name, kind in shape.items():
            check_shape(told[name], kind, name)
    assert here.told["check"]["mismatches"] == 0
    assert here.told["check"]["count"] > 50
    assert here.told["undecided"] == 0
    told = list(zip(here.context.shares, here.context.said, strict=True))
    gate, market = ([share for share, words in told if ("parts of" in words) is of_gate] for of_gate in (True, False))
    assert len(gate) > 1
    assert len(market) > 1
    assert gate == sorted(gate)
    assert market == sorted(market)
    assert here.context.shares[-1] == 1.0


def test_a_market_that_was_stopped_goes_on_from_the_share_that_stood_and_tells_it(tmp_path: Path) -> None:
    """Its bar starts where it was: nothing that stood is solved again, nor counted as if it had still to be done."""
    files = Artifacts(tmp_path, 10**8)
    jobs.gate_job(jobs.gate_arguments(NETWORK.digest, QUESTION), Context(NETWORK, files))
    asked = jobs.market_arguments(NETWORK.digest, QUESTION, MARKET)
    stopped = Context(NETWORK, files, stop_at=0.6)
    with pytest.raises(CancelledError, match="stopped here"):
        jobs.market_job(asked, stopped)
    stood = stopped.shares[-1]
    assert not any("stood" in words for words in stopped.said)
    resumed = Context(NETWORK, files)
    sold = jobs.market_job(asked, resumed)
    assert resumed.shares == sorted(resumed.shares)
    of_sites = [share for share, words in zip(resumed.shares, resumed.said, strict=True) if "sites are priced" in words]
    assert of_sites[0] == pytest.approx(stood)
    tasks = -(-sold["sites"] // 4)  # of four sites each
    kept = 4 * round(tasks * (stood - 0.3) / 0.5)  # the days take three tenths of the bar, the sites five
    told = f"sites are priced; {kept} of {sold['sites']} sites stood from before"
    assert resumed.said[resumed.shares.index(of_sites[0])] == told


def test_the_market_takes_the_best_by_the_stated_order_and_counts_the_rest(here: Study) -> None:
    run = here.run()
    chosen, left = chosen_sites(run, MARKET)
    every, none_left = chosen_sites(run, MarketQuestion(most_sites=0))
    assert none_left == 0
    assert len(chosen) + left == len(every)
    assert left > 0
    for own in QUESTION.envelopes:
        for size in QUESTION.sizes_mw:
            rate = dict(zip(run.gate.buses.tolist(), run.gate.pass_rate(own.name, size)[0], strict=True))
            listed = [one for one in every if (one.envelope.name, one.nameplate_mw) == (own.name, size)]
            assert [one.bus for one in listed] == sorted((one.bus for one in listed), key=lambda bus: (-rate[bus], bus))
            taken = [one for one in chosen if (one.envelope.name, one.nameplate_mw) == (own.name, size)]
            assert taken == listed[:2]
    assert here.market.facts["left_out"] == left


def test_a_market_run_reads_back_as_it_was_saved(here: Study) -> None:
    again = MarketRun.load(here.market.save())
    assert again.save() == here.market.save()
    change = lmp_change(again, again.sites[0])
    assert change == pytest.approx(here.market.sites[0].mean_lmp - here.market.base.mean_lmp)
    slack = NETWORK.slack
    for site in (again.base, *again.sites):  # the energy part is the price where nothing is sent from anywhere
        assert mean_energy(again, site) == pytest.approx(site.mean_lmp[slack], abs=1e-5)


def test_the_catalogue_and_the_products_follow(here: Study) -> None:
    run = here.run()
    order = order_of(run.gate, here.market)
    listed = catalogue_of(run, here.market, order)
    standing = {entry.key: entry.standing for entry in listed.entries}
    for site in here.market.sites:
        assert site.placement is not None
        key = (NETWORK.buses.ids[site.placement.bus], site.placement.envelope.name, site.placement.nameplate_mw)
        assert standing[key] == "qualified"
    assert listed.manifest["market"]["days"][0]["reason"].startswith("highest load")
    assert listed.manifest["check"] == here.told["check"]
    of_market = jobs.market_arguments(NETWORK.digest, QUESTION, MARKET)
    for by in (OrderBy(), OrderBy((3.0, 1.0, 0.5), "pooled", 0.7)):
        asked = json.loads(json.dumps(product_arguments(of_market, SaleTerms(count=3), Chosen(5.0, by))))
        made = products_job(asked, here.context)["product_set"]["question"][SITING]
        shown = order_of(run.gate, here.market, by)  # as the page draws it
        scores = {
            (site.placement.bus, site.placement.envelope.name): score
            for site, score in zip(shown.sites, shown.score.tolist(), strict=True)
            if site.placement is not None and site.placement.nameplate_mw == 5.0
        }
        sold = {
            (NETWORK.buses.ids.index(one["bus"]), one["envelope"]["name"]): one["score"]
            for one in made["offers"].values()
        }
        assert sold.items() <= scores.items()
        assert max(sold.values()) == max(scores.values())
        assert made["question"]["threshold"] == by.threshold or by.threshold is None
        assert OrderBy.from_json(made["order"]) == by


def test_what_cannot_be_run_is_said(here: Study) -> None:
    with pytest.raises(QuestionError, match="the hours have no day '2016-13-01'"):
        days_of(case_of(NETWORK, day_load(150.0, 30.0)), MarketQuestion(days="listed", dates=("2016-13-01",)))
    with pytest.raises(QuestionError, match="the number of sites is -1: 0 to 100000; the factor of costs is 0"):
        MarketQuestion(most_sites=-1, cost_factor=0.0).checked()
    other = jobs.market_arguments(NETWORK.digest, SitingQuestion(choice="list", hours=(1,)), MARKET)  # type: ignore[arg-type]
    with pytest.raises(QuestionError, match="run the gate again"):
        jobs.market_job(other, here.context)


def test_what_is_asked_of_the_market_is_what_runs(here: Study) -> None:
    """Sizes, reserve, limits after outages, every day of a file: what the question says is in the run and its facts."""
    asked = MarketQuestion(
        days="listed", dates=("2016-07-20",), most_sites=1, samples=1, sizes_mw=(25.0,), security="n-1", reserve="none"
    )
    run = here.run()
    later = tuple(replace(own, peak_hours=(18, 19)) for own in QUESTION.envelopes)
    found = run_market(replace(run, question=replace(run.question, envelopes=later)), asked)
    assert {site.placement.nameplate_mw for site in found.sites if site.placement} == {25.0}
    assert (found.facts["security"], found.facts["reserve"]) == ("n-1", "no reserve")
    # One sample tells no spread: the floor was asked for and is not known, which is not zero.
    assert found.floor is not None
    assert np.isnan(found.floor).all()
    assert found.facts["days_without_floor"] == ["2016-07-20"]
    assert found.facts["noise_samples"] in ([0], [1])
    assert (found.facts["judged"]["schedules"], found.facts["judged"]["refused"]) == (1 + len(found.sites), 0)
    assert (found.facts["peak_hours"], found.facts["peak_of"]) == ([18, 19], "pause")
    hours = found.base.days[0].hours
    assert hours is not None
    assert found.base.metrics[1, 0] == pytest.approx(hours.mean_lmp[[17, 18]].mean())
    with pytest.raises(QuestionError, match="26 MW, the study has none"):
        run_market(run, replace(asked, sizes_mw=(26.0,)))
    with pytest.raises(QuestionError, match="unit 'none' must run and is not in the network"):
        run_market(run, replace(asked, must_run=("none",)))
    week = case_of(NETWORK, np.concatenate([day_load(150.0, 30.0)] * 3))
    every = days_of(week, MarketQuestion(days="year"))
    assert [(day.number, day.label, day.weight) for day in every] == [
        (0, "2020-01-01", 1.0), (1, "2020-01-02", 1.0), (2, "2020-01-03", 1.0)
    ]  # fmt: skip


def test_new_words_of_the_market_leave_the_key_of_an_old_question_alone() -> None:
    old = {"days", "dates", "most_sites", "base_gap", "site_gap", "base_time_s", "site_time_s", "cost_factor",
           "samples", "seed"}  # fmt: skip
    assert set(MarketQuestion().to_json()) == old
    # The days are always written, so a question that was kept before another was usual still asks for its own.
    for days in ("peak", "typical", "year"):
        assert MarketQuestion.from_json(json.loads(json.dumps(MarketQuestion(days=days).to_json()))).days == days
    new = MarketQuestion(days="year", sizes_mw=(1000.0,), security="n-1", reserve="largest unit", must_run=("nuclear",))
    assert set(new.to_json()) == old | {"sizes_mw", "security", "reserve", "must_run"}
    assert new.options("c").must_run == ("nuclear",)
    assert MarketQuestion.from_json(json.loads(json.dumps(new.to_json()))) == new
    with pytest.raises(QuestionError, match="security is one of base, n-1, not 'n-2'; a size of 0 MW"):
        replace(new, security="n-2", sizes_mw=(0.0,)).checked()
    with pytest.raises(QuestionError, match="named twice"):
        replace(new, must_run=("nuclear", "nuclear")).checked()


def test_on_peak_is_the_window_of_the_first_envelope_that_has_one() -> None:
    firm, late = envelope("firm"), envelope("pause", name="late", peak_hours=(20, 21))
    assert peak_window((firm, late, envelope("shift"))) == ((20, 21), "late")
    assert peak_window((firm,)) == (firm.peak_hours, "firm")
    assert peak_window(()) == (PEAK_HOURS, "")
