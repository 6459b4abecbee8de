"""Auctions whose debriefs the tests read: values that nobody else may see, a ledger that is asked about, jobs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Flask

from callbacks.auction_debrief_seen import Reader
from callbacks.auction_room import Rooms
from callbacks.services import Services
from engine.auction.ledger import Entry
from engine.auction.presets import PRESETS
from engine.auction.templates import TEMPLATES
from engine.store.jobs import Job
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.rooms import Visitor

PAPER = TEMPLATES["paper-1"]
# Values that stand in no other number of the auction, each bidder's own.
SECRETS = ((812_347, 834_519, 857_723), (612_361, 634_517, 657_713))


def secret_auction(rooms: Rooms, host: Visitor, *, disclosed: bool = True) -> str:
    """Return an auction in round 1 of two bots with secret values for three lots, and increments that end it soon."""
    lots = PAPER.configuration.lots[:3]
    rules = replace(
        PRESETS["Paper"],
        disclose_values=disclosed,
        increment=replace(PAPER.configuration.rules.increment, amount=300_000),
    )
    configuration = replace(PAPER.configuration, lots=lots, rules=rules)
    seats = [
        {
            "name": f"Bidder {n}",
            "valuation": {"kind": "additive", "values": {lot.id: v for lot, v in zip(lots, worth, strict=True)}},
            "bot": "straightforward",
            "eligibility": None,
            "deposit": None,
        }
        for n, worth in enumerate(SECRETS, 1)
    ]
    auction = rooms.create(host.user, configuration, seats)
    assert host.order(auction, "open")["accepted"]
    return auction


def ended(rooms: Rooms, host: Visitor, auction: str) -> str:
    for _ in range(20):
        if rooms.look(auction).live.state.phase != "open":
            return auction
        host.order(auction, "close")
    raise AssertionError("it did not end")


def joined(server: Flask, rooms: Rooms, auction: str, role: Any, bidder: str = "") -> Visitor:
    with rooms.turn(auction) as turn:
        key = turn.store.new_key(role, bidder)
    visitor = Visitor(server)
    assert visitor.post("join", {"key": key}).status_code == 200
    return visitor


def page(visitor: Visitor, auction: str) -> str:
    """Return the whole page as the browser gets it, as text."""
    where = {"Referer": f"http://localhost/auction/debrief?auction={auction}"}
    answer = visitor.client.get("/_dash-layout", headers=where)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def values_in(content: str, bidder: int) -> list[int]:
    plain = content.replace("\\u2009", "").replace("\u2009", "")
    return [value for value in SECRETS[bidder] if str(value) in plain]


class Asked:
    """What a callback of the page hands on."""

    def __init__(self, entries: Sequence[Entry], reader: Reader | None = None, here: Any = None) -> None:
        self.entries, self.reader, self.here = tuple(entries), reader or Reader("file"), here


class Runner:
    """The context of a job that runs here, and the progress that it tells."""

    def __init__(self, services: Services) -> None:
        self.artifacts = services.artifacts
        self.steps: list[tuple[int, int]] = []

    def progress(self, done: int, total: int, message: str = "") -> None:  # noqa: ARG002
        self.steps.append((done, total))


def finished(services: Services, job: Job, work: Any) -> Runner:
    """Compute a job as a runner does; its result is stored."""
    queue = Queue(services.store.database, services.artifacts, KINDS, 9)
    claim = queue.claim()
    assert claim is not None
    assert claim.id == job.id
    context = Runner(services)
    queue.finish(claim, json.loads(json.dumps(work(dict(claim.arguments), context))), 0.1)
    return context
