"""From a siting study to its auction, through the page's own functions: gate, market, products, a round, its check."""

import importlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app import create_app, open_services
from callbacks import auction_new, siting_auction
from callbacks.imported import CHECKS
from callbacks.services import Services
from callbacks.settings import Settings
from callbacks.siting_desk import Desk
from callbacks.siting_site import SiteSeat
from components.siting_site import SiteStudy
from engine.auction.deliver_jobs import DELIVER
from engine.errors import NotFoundError, QuestionError
from engine.siting.products import SITING, SaleTerms
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import BEN, text
from tests.engine.siting.test_jobs import MARKET, NETWORK, QUESTION, Context
from tests.engine.siting.test_proved import loosely
from tests.rooms import Visitor, seat
from tests.siting_study import gate_run

TERMS = SaleTerms(count=3, reserve_per_mw=40.0)
DRAWN = {
    "question": QUESTION.to_json(), "threshold": QUESTION.threshold, "market_threshold": QUESTION.threshold,
    "market": "kept", "market_question": MARKET.to_json(), "network": NETWORK.digest,
    "envelope": "firm", "size": 5.0, "top": 20, "weights": [1.0, 1.0, 1.0], "pooled": True,
}  # fmt: skip


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


@pytest.fixture
def server(settings: Settings) -> Flask:
    return create_app(settings).server


def work(services: Services) -> list[str]:
    """Compute the jobs that wait, as a runner does; return their kinds."""
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), []
    context = Context(NETWORK, services.artifacts)
    while (claim := queue.claim()) is not None:
        module, _, name = KINDS[claim.kind].function.partition(":")
        found = json.loads(json.dumps(getattr(importlib.import_module(module), name)(dict(claim.arguments), context)))
        CHECKS.answers[claim.kind](found)
        queue.finish(claim, found, 0.1)
        done.append(claim.kind)
    return done


def test_a_shortlist_whose_border_is_loosely_solved_is_neither_tried_nor_published() -> None:
    market, order = loosely()
    run = gate_run()
    study = SiteStudy(run, market, order, "firm", 100.0, 0.5, top=1)
    studies = SimpleNamespace(get=lambda *_: SimpleNamespace(role="owner"))
    desk = SimpleNamespace(services=SimpleNamespace(studies=studies))
    page: Any = SimpleNamespace(read=lambda _: study, desk=desk, user="anne", study="s")
    said = text(siting_auction.panel(page, DRAWN, SaleTerms(count=1), pressed=True).children)
    assert "Not proved yet" in said
    assert "2 sites whose gap is above 0.01 %" in said  # both sites of the envelope of the one offered
    with pytest.raises(QuestionError, match=r"run the market again with 0\.01 % as the gap of its sites"):
        siting_auction.publish(page, DRAWN, SaleTerms(count=1))


def test_a_shortlist_is_sold_and_what_is_awarded_is_judged_by_the_gate(server: Flask, services: Services) -> None:
    host, desk = Visitor(server), Desk(services)
    study = services.studies.create(host.user, "Triangle", NETWORK.tables)
    page = SiteSeat(desk, host.user, study)
    assert "run the market first" in text(siting_auction.panel(page, DRAWN, TERMS, pressed=False).children)
    desk.start_gate(host.user, study, QUESTION)
    assert work(services) == ["siting.gate"]
    desk.start_market(host.user, study, QUESTION, MARKET)
    assert work(services) == ["siting.market"]
    assert "Press Try them together" in text(siting_auction.panel(page, DRAWN, TERMS, pressed=False).children)
    with pytest.raises(QuestionError, match="try the sites together"):
        siting_auction.publish(page, DRAWN, TERMS)
    assert siting_auction.panel(page, DRAWN, TERMS, pressed=True).job is not None
    assert work(services) == ["siting.products"]
    assert "Publish as products" in text(siting_auction.panel(page, DRAWN, TERMS, pressed=False).children)
    assert siting_auction.publish(page, DRAWN, TERMS) == 1
    assert siting_auction.publish(page, DRAWN, TERMS) == 1  # nothing changed: no second version
    assert "Auction version 1" in text(siting_auction.panel(page, DRAWN, TERMS, pressed=False).children)

    made = services.products.get(host.user, study, 1).product_set
    draft = auction_new.start(services, host.user, "set:1", study)
    read, wrong = auction_new.judged(draft)
    assert wrong == []
    offers = made["question"][SITING]["offers"]
    assert {lot.id: lot.reserve for lot in read.configuration.lots} == {
        product["id"]: round(40.0 * (2.0 - offers[product["id"]]["score"]) * product["capacity_mw"])
        for product in made["products"]
    }
    auction = services.auctions.create(host.user, read.configuration, [seat("Ann")], study=study, version=1)
    host.order(auction, "open")
    ann = Visitor(server)
    ann.post("join", {"key": host.order(auction, "invite", bidder="b1")["key"]})
    first = host.look(auction, "host")["lots"][0]
    assert ann.act(auction, "bids", 1, bids=[[first["id"], first["minimum"], 1]])["accepted"]
    assert host.look(auction, "host")["host"]["deliverability"]["state"] == "queued"
    assert work(services) == [DELIVER]
    told = host.look(auction, "host")["host"]["deliverability"]
    assert (told["state"], told["holds"]) == ("done", True)
    assert "pass the gate together" in told["words"]
    assert [award["lot"] for award in told["witness"]["awards"]] == [first["id"]]

    with pytest.raises(NotFoundError):
        siting_auction.publish(SiteSeat(desk, BEN, study), DRAWN, TERMS)
