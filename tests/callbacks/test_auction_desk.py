"""What the host's view has beside the room: the check of deliverability after each round, and the certificate."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app import create_app, open_services
from callbacks.auction_routes import EXTENSION
from callbacks.services import Services
from callbacks.settings import Settings
from engine.auction.deliver_jobs import DELIVER, deliver_job
from engine.auction.templates import TEMPLATES, from_product_set
from engine.network.library import load
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.engine.auction.test_deliverability import paper_set
from tests.engine.capacity.test_jobs import Context
from tests.rooms import Visitor, seat
from tests.waiting import wait_for


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


@pytest.fixture
def server(settings: Settings) -> Flask:
    return create_app(settings).server


def test_what_is_held_after_a_round_is_checked_against_the_network_it_came_from(
    server: Flask, services: Services, tmp_path: Path
) -> None:
    host = Visitor(server)
    study = services.studies.create(host.user, "Four buses", load("fourbus"))
    products = paper_set()
    published = products.to_json()
    services.products.publish(host.user, study, published, published["witness"])
    sold = from_product_set(products, title="Sale")
    auction = services.auctions.create(
        host.user, sold, [seat("Ann")], study=study, places={sold.lots[0].id: (1.5, 2.5)}
    )
    host.order(auction, "open")
    assert host.look(auction, "host")["host"]["deliverability"] is None  # no round is closed yet
    assert host.look(auction, "host")["lots"][0]["longitude"] == 1.5
    ann = Visitor(server)
    ann.post("join", {"key": host.order(auction, "invite", bidder="b1")["key"]})
    first = host.look(auction, "host")["lots"][0]
    assert ann.act(auction, "bids", 1, bids=[[first["id"], first["minimum"], 1]])["accepted"]  # all have acted
    asked = host.look(auction, "host")["host"]["deliverability"]
    assert (asked["state"], asked["round"]) == ("queued", 1)
    queue = Queue(services.store.database, services.artifacts, KINDS, 9)
    claim = queue.claim()
    assert claim is not None
    assert claim.kind == DELIVER
    queue.finish(claim, deliver_job(claim.arguments, Context(tmp_path)), 1.0)
    told = host.look(auction, "host")["host"]["deliverability"]
    assert (told["state"], told["holds"]) == ("done", True)
    assert [award["lot"] for award in told["witness"]["awards"]] == [first["id"]]
    assert host.order(auction, "deliver")["accepted"]
    assert queue.claim() is None  # the same awards are one question


def test_an_auction_whose_set_is_not_in_the_study_says_so_and_its_rounds_go_on(
    server: Flask, services: Services
) -> None:
    host = Visitor(server)
    study = services.studies.create(host.user, "Four buses", load("fourbus"))
    sold = from_product_set(paper_set(), title="Sale")
    auction = services.auctions.create(host.user, sold, [seat("Ann")], study=study)
    host.order(auction, "open")
    assert host.order(auction, "close")["accepted"]
    told = host.look(auction, "host")["host"]["deliverability"]
    assert told["state"] == "impossible"
    assert "no published product set" in told["words"]
    assert not host.order(auction, "deliver")["accepted"]


def test_the_host_and_nobody_else_sees_the_certificate_of_the_last_round(server: Flask) -> None:
    host, rooms = Visitor(server), server.extensions[EXTENSION]
    template = TEMPLATES["paper-1"]
    bots = [replace(one, bot=kind) for one, kind in zip(template.seats, ("paper-highest", "paper-lowest"), strict=True)]
    auction = rooms.create(host.user, template.configuration, bots)
    host.order(auction, "open")
    assert "after the first" in host.look(auction, "host")["host"]["certificate_words"]
    for _ in range(5):
        host.order(auction, "close")
    wait_for(lambda: (host.look(auction, "host")["host"]["certificate"] or {"round": 0})["round"] == 5)
    told = host.look(auction, "host")["host"]["certificate"]
    assert told["badge"] == "equilibrium"  # Tables VI and VII of the paper: both get what they demand
    watcher = Visitor(server)
    watcher.post("join", {"key": host.order(auction, "watch")["key"]})
    assert "certificate" not in watcher.get(f"{auction}/snapshot?as=public").text
