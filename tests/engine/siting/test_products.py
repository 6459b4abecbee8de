"""From a shortlist to an auction on 24 buses: what stands together is sold, at the reserves of its scores."""

import json

import numpy as np
import pytest

from engine.auction.templates import from_product_set
from engine.capacity.products import ProductSet
from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.siting.clearing import Placed
from engine.siting.market import Placement, SiteMarket
from engine.siting.product_jobs import deliver_sites
from engine.siting.products import SITING, Made, SaleTerms, best_offers, case_with, product_set, reserve, stand_together
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, run_gate
from engine.siting.shortlist import Ranked, rank_sites
from tests.engine.siting.angle_loads import load_interval
from tests.engine.siting.test_compiling import site

NETWORK = Network.from_tables(load("rts24"))
QUESTION = SitingQuestion(
    source="2016", choice="list", hours=(4839, 20), sizes_mw=(300.0,), units=False, branches="all", threshold=0.98
)


@pytest.fixture(scope="module")
def run() -> GateRun:
    tables = NETWORK.tables
    tight = tables.branches.assign(rating_a_mw=0.8 * tables.branches["rating_a_mw"])
    return run_gate(QUESTION, Network.from_tables(tables.with_table("branches", tight)))


@pytest.fixture(scope="module")
def order(run: GateRun) -> Ranked:
    sites: list[SiteMarket] = []
    for own in run.gate.envelopes:
        for place in np.flatnonzero(run.gate.qualified(own.name, 300.0) == 1).tolist():
            made = site(0, own, 300.0, seed=len(sites))
            sites.append(
                SiteMarket(Placement(int(run.gate.buses[place]), own, 300.0), made.days, made.metrics, made.mean_lmp)
            )
    return rank_sites(sites)


@pytest.fixture(scope="module")
def made(run: GateRun, order: Ranked) -> ProductSet:
    clearing = stand_together(run, best_offers(run, order, 12))
    assert clearing.awards
    assert clearing.unplaced  # the grid cannot take all of them
    return product_set(run, clearing, SaleTerms(), Made(run.network.digest, "2026-01-01"))


def test_each_bus_is_offered_once_with_its_best_score(run: GateRun, order: Ranked) -> None:
    offers = best_offers(run, order, 100)
    best: dict[int, float] = {}
    for one, score in zip(order.sites, order.score.tolist(), strict=True):
        assert one.placement is not None
        best[one.placement.bus] = max(score, best.get(one.placement.bus, 0.0))
    assert {offer.bus: offer.score for offer in offers} == best
    assert [offer.score for offer in offers] == sorted(best.values(), reverse=True)


def test_what_is_sold_stands_together_and_a_site_more_does_not(run: GateRun, order: Ranked, made: ProductSet) -> None:
    sold = tuple((product.bus, 0.0, product.capacity_mw) for product in made.products)
    every = deliver_sites(run.network, made, sold)
    assert every.holds
    assert every.options["pairs"] == 2 * len(run.contingencies)
    assert made.witness.verdict is not None
    assert made.witness.verdict.holds
    more = tuple((bus, risk, 3.0 * mw) for bus, risk, mw in sold)
    refused = deliver_sites(run.network, made, more)
    assert not refused.holds
    assert refused.rows
    assert all(row.slack_mw < 0.0 for row in refused.rows)


def test_a_site_that_was_refused_breaks_the_set_by_another_program(run: GateRun, order: Ranked) -> None:
    clearing = stand_together(run, best_offers(run, order, 12))
    first = clearing.refusals[0]
    before = [award.offer for award in clearing.awards if award.offer.score >= first.offer.score]
    case = case_with(
        run.prepared.case, [Placed(one.bus, one.envelope, one.largest_mw) for one in [*before, first.offer]]
    )
    failed = 0
    for hour in range(len(case)):
        state = case.state(hour)
        for outage in range(len(run.contingencies)):
            (branch,) = run.contingencies.branches(outage)
            least, _ = load_interval(case.network, state.demand_mw, state.least_mw, state.largest_mw, 0, branch=branch)
            failed += least > 1e-6
    assert failed > round((1.0 - QUESTION.threshold) * 2 * len(run.contingencies), 9)


def test_the_reserve_is_dearer_for_a_worse_site(made: ProductSet) -> None:
    configuration = from_product_set(ProductSet.from_json(json.loads(json.dumps(made.to_json()))))
    offers = made.question[SITING]["offers"]
    for lot in configuration.lots:
        own = offers[lot.id]
        assert lot.reserve == round(100.0 * (2.0 - own["score"]) * lot.capacity_mw)
        assert own["envelope"]["name"] in lot.name
    assert reserve(1.0, SaleTerms(reserve_per_mw=50.0)) == 50.0
    assert reserve(0.0, SaleTerms(reserve_per_mw=50.0)) == 100.0


def test_another_network_or_bus_is_told(run: GateRun, made: ProductSet) -> None:
    with pytest.raises(QuestionError, match="not the one that the sites were screened on"):
        deliver_sites(NETWORK, made, ())
    with pytest.raises(QuestionError, match="'nowhere' is sold"):
        deliver_sites(run.network, made, (("nowhere", 0.0, 1.0),))
