"""A whole study as jobs, on a triangle with six units: the same by every kind of worker, and what is kept of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.compute import HERE, Cluster, Processes, Workers
from engine.errors import QuestionError
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.shapes import check_shape
from engine.siting import jobs
from engine.siting.gate.results import GateResult
from engine.siting.market_run import MarketQuestion, MarketRun, chosen_sites, days_of, lmp_change
from engine.siting.product_jobs import product_arguments, products_job
from engine.siting.products import SITING, SaleTerms
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, catalogue_of, ranked
from engine.store.artifacts import Artifacts
from tests.engine.commitment.small import grid, random_units
from tests.engine.test_compute import local_cluster


def _network() -> Network:
    tables = grid(random_units(np.random.default_rng(7), 6)).tables
    return Network.from_tables(tables.with_table("buses", tables.buses.assign(load_mw=[60.0, 60.0, 80.0])))


NETWORK = _network()
QUESTION = SitingQuestion(
    choice="list", hours=(4839, 4840, 20), sizes_mw=(5.0, 25.0), candidates="listed", buses=NETWORK.buses.ids,
    branches="all", threshold=0.6,
)  # fmt: skip
MARKET = MarketQuestion(most_sites=2, samples=2)


@dataclass
class Context:
    """What a job is given, for one network."""

    network: Network
    artifacts: Artifacts
    workers: Workers = HERE
    said: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.said.append(message)
        self.shares.append(done / total)

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
        return GateRun(QUESTION, found.prepared, found.contingencies, found.gate)


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
    for envelope in QUESTION.envelopes:
        for size in QUESTION.sizes_mw:
            assert np.array_equal(other.gate.pass_rate(envelope.name, size), here.gate.pass_rate(envelope.name, size))
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
    gate = [share for share, words in zip(here.context.shares, here.context.said, strict=True) if "market" not in words]
    assert gate == sorted(gate)
    assert here.context.shares[-1] == 1.0


def test_the_market_takes_the_best_by_the_stated_order_and_counts_the_rest(here: Study) -> None:
    run = here.run()
    chosen, left = chosen_sites(run, MARKET)
    every, none_left = chosen_sites(run, MarketQuestion(most_sites=0))
    assert none_left == 0
    assert len(chosen) + left == len(every)
    assert left > 0
    for envelope in QUESTION.envelopes:
        for size in QUESTION.sizes_mw:
            rate = dict(zip(run.gate.buses.tolist(), run.gate.pass_rate(envelope.name, size)[0], strict=True))
            own = [one for one in every if (one.envelope.name, one.nameplate_mw) == (envelope.name, size)]
            assert [one.bus for one in own] == sorted((one.bus for one in own), key=lambda bus: (-rate[bus], bus))
            taken = [one for one in chosen if (one.envelope.name, one.nameplate_mw) == (envelope.name, size)]
            assert taken == own[:2]
    assert here.market.facts["left_out"] == left


def test_a_market_run_reads_back_as_it_was_saved(here: Study) -> None:
    again = MarketRun.load(here.market.save())
    assert again.save() == here.market.save()
    change = lmp_change(again, again.sites[0])
    mean = again.sites[0].days[0].mean_lmp - again.base.days[0].mean_lmp
    assert change == pytest.approx(mean)  # one day: its own


def test_the_catalogue_and_the_products_follow(here: Study) -> None:
    run, order = here.run(), ranked(here.market)
    listed = catalogue_of(run, here.market, order)
    standing = {entry.key: entry.standing for entry in listed.entries}
    for site in here.market.sites:
        assert site.placement is not None
        key = (NETWORK.buses.ids[site.placement.bus], site.placement.envelope.name, site.placement.nameplate_mw)
        assert standing[key] == "qualified"
    assert listed.manifest["market"]["days"][0]["reason"].startswith("highest load")
    asked = product_arguments(jobs.market_arguments(NETWORK.digest, QUESTION, MARKET), SaleTerms(count=3))
    made = products_job(asked, here.context)["product_set"]
    best = max(order.score.tolist())
    assert max(one["score"] for one in made["question"][SITING]["offers"].values()) == best


def test_what_cannot_be_run_is_said(here: Study) -> None:
    with pytest.raises(QuestionError, match="the hours have no day '2016-13-01'"):
        days_of((), MarketQuestion(days="listed", dates=("2016-13-01",)), ["2016-01-01 00:00"] * 24)
    with pytest.raises(QuestionError, match="the number of sites is -1: 0 to 100000; the factor of costs is 0"):
        MarketQuestion(most_sites=-1, cost_factor=0.0).checked()
    other = jobs.market_arguments(NETWORK.digest, SitingQuestion(choice="list", hours=(1,)), MARKET)  # type: ignore[arg-type]
    with pytest.raises(QuestionError, match="run the gate again"):
        jobs.market_job(other, here.context)
