"""The auction room through its addresses: its clock, and a server that slept."""

import itertools
import random

import pytest
from flask import Flask

from callbacks.auction_room import BACK_S, SETTLE_S, SLEPT_S, WAKE_S, Rooms
from engine.auction.rules import Timing
from engine.store import Store
from tests.callbacks.room import Clock, open_room
from tests.rooms import Visitor


def watched(visitor: Visitor, auction: str, clock: Clock, until: float) -> None:
    """Let the time pass while the visitor's browser polls."""
    while clock.now + 3.0 < until:
        clock.now += 3.0
        visitor.look(auction, "bidder")
    clock.now = until


def test_a_bid_counts_by_the_moment_it_reached_the_server(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    auction, ann, bob = open_room(server, rooms, host)
    deadline = ann.look(auction, "bidder")["deadline"]
    assert deadline == clock.now + 30.0
    watched(ann, auction, clock, deadline)
    assert ann.act(auction, "bids", 1, bids=[["lot-1", 5]])["accepted"]
    clock.now = deadline + 0.001
    late = bob.act(auction, "bids", 1, bids=[["lot-2", 5]])
    assert [one["rule"] for one in late["refused"]] == ["deadline"]
    assert "0.001 s after the deadline" in late["refused"][0]["words"]
    clock.now = deadline + SETTLE_S - 0.01  # bids in flight have their turn
    assert ann.look(auction, "bidder")["round"] == 1
    clock.now = deadline + SETTLE_S
    after = ann.look(auction, "bidder")
    assert after["round"] == 2
    assert after["lots"][0]["holders"] == ["Ann"]
    assert after["lots"][1]["held"] == 0
    assert after["deadline"] == clock.now + 30.0  # the next round has its full time
    stale = bob.act(auction, "bids", 1, bids=[["lot-2", 5]])
    assert [one["rule"] for one in stale["refused"]] == ["round"]


def test_a_room_that_slept_gets_the_time_back_and_loses_no_round(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    auction, ann, _ = open_room(server, rooms, host, timing=Timing("clock", 40.0))
    ann.act(auction, "bids", 1, bids=[["lot-1", 5]])
    begun, deadline = clock.now, clock.now + 40.0
    watched(ann, auction, clock, begun + 9.0)
    ann.look(auction, "bidder")
    clock.now += 12.0  # a server that is down in the middle of a round
    assert ann.look(auction, "bidder")["deadline"] == deadline + 12.0
    watched(ann, auction, clock, deadline + 2.0)
    ann.look(auction, "bidder")
    clock.now += 3600.0  # and for an hour, ten seconds before its end
    woken = ann.look(auction, "bidder")
    assert (woken["round"], woken["phase"], woken["deadline"]) == (1, "open", clock.now + 10.0)
    assert woken["mine"]["acted"]["bids"] == [{"lot": "lot-1", "amount": 5, "blocks": 1}]
    clock.now += 7200.0  # once more, just after it woke: never more than what WAKE_S says
    assert ann.look(auction, "bidder")["deadline"] == clock.now + 10.0 <= clock.now + WAKE_S
    watched(ann, auction, clock, clock.now + 10.0 + SETTLE_S)
    assert ann.look(auction, "bidder")["round"] == 2


def test_a_round_that_ended_while_no_server_ran_goes_on_and_the_first_bid_after_it_counts(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    auction, ann, bob = open_room(server, rooms, host)
    deadline = ann.look(auction, "bidder")["deadline"]
    watched(ann, auction, clock, deadline - 3.0)
    ann.look(auction, "bidder")
    clock.now = deadline + 2.0  # away for 5 s around the end of the round
    assert bob.act(auction, "bids", 1, bids=[["lot-2", 5]])["accepted"]  # before anybody else asked
    assert host.look(auction, "host")["deadline"] == clock.now + BACK_S
    others = Rooms(Store(rooms.store._database.url), clock)  # another worker, which has just begun
    assert others.look(auction).row.deadline == clock.now + BACK_S
    others.store._database.close()
    watched(ann, auction, clock, clock.now + BACK_S + SETTLE_S)
    after = ann.look(auction, "bidder")
    assert (after["round"], after["lots"][1]["holders"]) == (2, ["Bob"])
    kinds = [stored.entry.event.kind for stored in rooms.store.entries(auction)][4:]
    assert kinds == ["extended", "bids submitted", "round closed"]
    log = [one["words"] for one in host.look(auction, "host")["host"]["log"]]
    assert "Round 1 was given time back: nobody had looked at the room for a while" in log


def test_before_every_close_somebody_looked_all_the_time(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    dice = random.Random(8)  # noqa: S311 (when the server is away, and for how long)
    auction, *turns = open_room(server, rooms, host, timing=Timing("clock", 15.0))
    looks, number, away, bid = [clock.now], 1, 0, 0
    while number < 8:
        if bid < number:
            bid = number
            assert turns[number % 2].act(auction, "bids", number, bids=[["lot-1", 5 * number]])["accepted"]
        clock.now += dice.randint(5, 40) if dice.random() < 0.15 else dice.choice((1.5, 2.0, 2.5, 3.0))
        away += clock.now - looks[-1] > SLEPT_S
        row = rooms.look(auction).row
        assert row.phase == "open"
        if row.round > number:
            last = [moment for moment in looks if moment > clock.now - BACK_S] + [clock.now]
            assert max(after - before for before, after in itertools.pairwise(last)) <= SLEPT_S
            number = row.round
        looks.append(clock.now)
    kinds = [stored.entry.event.kind for stored in rooms.store.entries(auction)]
    assert kinds.count("extended") == away > 5
    assert kinds.count("round closed") == 7


def test_a_round_ends_when_all_people_have_acted_where_the_pace_says_so(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, ann, bob = open_room(server, rooms, host, timing=Timing("all acted", 30.0))
    ann.act(auction, "bids", 1, bids=[["lot-1", 5]])
    assert ann.look(auction, "bidder")["round"] == 1
    bob.act(auction, "bids", 1, bids=[["lot-2", 5]])
    assert ann.look(auction, "bidder")["round"] == 2


def test_every_answer_tells_the_servers_time(server: Flask, rooms: Rooms, host: Visitor, clock: Clock) -> None:
    auction, ann, _ = open_room(server, rooms, host)
    first = ann.get(f"{auction}/snapshot?as=bidder")
    again = ann.get(f"{auction}/snapshot?as=bidder", headers={"If-None-Match": first.headers["ETag"]})
    refused = ann.post(f"{auction}/host", {"request": "x", "what": "open"})
    assert (first.status_code, again.status_code, refused.status_code) == (200, 304, 403)
    for answer in (first, again, refused):
        assert float(answer.headers["X-Server-Time"]) == pytest.approx(clock.now, abs=0.001)
    assert first.json["now"] == clock.now
