"""The auction room through its addresses: the clock, the roles, the seats, the host."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from callbacks import auction_access, auction_room
from callbacks.auction_orders import ANNOUNCED_A_MINUTE
from callbacks.auction_room import BACK_S, SETTLE_S, SLEPT_S, WAKE_S, Rooms
from callbacks.settings import Settings
from engine.auction import bundles
from engine.auction.events import Event
from engine.auction.ledger import verify
from engine.auction.results import result_files
from engine.auction.rules import Activity, Timing
from engine.auction.signing import check_signature, read_file
from engine.auction.templates import TEMPLATES
from engine.store import Store
from tests.rooms import Visitor, configuration, seat

# Example 1 of arXiv 2604.08854, section VI: (lot number, amount) of bidder 1's and of bidder 2's bids, round by round.
EXAMPLE_1 = (
    (((1, 5), (3, 5), (4, 5)), ((1, 5), (2, 5), (3, 5), (4, 5))),
    (((3, 10),), ((1, 10),)),
    (((1, 15),), ()),
    ((), ((1, 20),)),
    ((), ()),
)


class Clock:
    """The server's time, set by hand."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        patch.setattr(auction_access, "ASKS_BURST", 1e6)
        patch.setattr(auction_access.Gate.__init__, "__defaults__", (clock,))
        settings = Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})
        server = create_app(settings).server
        rooms_of(server).clock = clock
        yield server


def rooms_of(server: Flask) -> Rooms:
    rooms: Rooms = server.extensions["headroom-auctions"]
    return rooms


@pytest.fixture
def rooms(server: Flask) -> Rooms:
    return rooms_of(server)


@pytest.fixture
def host(server: Flask) -> Visitor:
    return Visitor(server)


def seated(server: Flask, rooms: Rooms, auction: str, *bidders: str) -> list[Visitor]:
    """Return visitors who have opened the seats with their keys."""
    found = []
    for bidder in bidders:
        with rooms.turn(auction) as turn:
            key = turn.store.new_key("bidder", bidder)
        visitor = Visitor(server)
        assert visitor.post("join", {"key": key}).json["state"] == "admitted"
        found.append(visitor)
    return found


def open_room(server: Flask, rooms: Rooms, host: Visitor, **rules: Any) -> tuple[str, Visitor, Visitor]:
    """Return an auction in round 1, with two people in its seats."""
    auction = rooms.create(host.user, configuration(**rules), [seat("Ann"), seat("Bob")])
    ann, bob = seated(server, rooms, auction, "b1", "b2")
    assert host.order(auction, "open")["accepted"]
    return auction, ann, bob


def watched(visitor: Visitor, auction: str, clock: Clock, until: float) -> None:
    """Let the time pass while the visitor's browser polls."""
    while clock.now + 3.0 < until:
        clock.now += 3.0
        visitor.look(auction, "bidder")
    clock.now = until


# A whole auction


def test_people_play_example_1_of_the_paper_to_its_published_end(
    server: Flask, rooms: Rooms, host: Visitor, tmp_path: Path
) -> None:
    template = TEMPLATES["paper-1"]
    auction = rooms.create(host.user, template.configuration, template.seats)
    people = seated(server, rooms, auction, "b1", "b2")
    host.order(auction, "open")
    lots = [lot["id"] for lot in host.look(auction, "host")["lots"]]
    for number, told in enumerate(EXAMPLE_1, 1):
        for bids, person in zip(told, people, strict=True):
            if bids:
                rows = [[lots[item - 1], amount, 1] for item, amount in bids]
                assert person.act(auction, "bids", number, bids=rows)["accepted"]
        for name in ("prices.csv", *bundles.NAMES):
            assert people[0].get(f"{auction}/download/{name}").status_code == 403  # while the auction goes on
        assert host.order(auction, "close", round=number)["accepted"]
    end = people[0].look(auction, "public")
    assert end["phase"] == "closed"
    # As published: B1 has {3, 4} and pays 15, B2 has {1, 2} and pays 25.
    assert [(one["pay"], {won["lot"] for won in one["won"]}) for one in end["outcome"]] == [
        (15, {lots[2], lots[3]}),
        (25, {lots[0], lots[1]}),
    ]
    file = host.get(f"{auction}/download/ledger.jsonl").data
    entries, signature = read_file(file)
    verify(entries)
    assert signature is not None
    check_signature(entries, signature)
    for name, content in result_files(entries).items():
        assert people[1].get(f"{auction}/download/{name}").data == content
    for name in bundles.NAMES:
        assert len(people[1].get(f"{auction}/download/{name}").data) > 100
    assert "3-firm" in people[1].get(f"{auction}/download/bids-template.csv").text
    assert people[1].get(f"{auction}/download/ledger.jsonl").data == file  # this auction discloses values at its end
    assert Visitor(server).get(f"{auction}/download/prices.csv").status_code == 404


def test_bots_play_when_the_round_closes_and_not_before(server: Flask, rooms: Rooms, host: Visitor) -> None:
    template = TEMPLATES["paper-1"]
    bots = [
        replace(seat, bot=kind) for seat, kind in zip(template.seats, ("paper-highest", "paper-lowest"), strict=True)
    ]
    auction = rooms.create(host.user, template.configuration, bots)
    host.order(auction, "open")
    assert [one["acted"] for one in host.look(auction, "host")["host"]["bidders"]] == [False, False]
    for _ in EXAMPLE_1:
        host.order(auction, "close")
    assert [one["pay"] for one in host.look(auction, "host")["outcome"]] == [15, 25]


def test_the_seed_of_the_ties_is_drawn_when_the_auction_is_made(rooms: Rooms, host: Visitor) -> None:
    made = [rooms.create(host.user, configuration(), [seat("Ann")], keep_seed=keep) for keep in (False, False, True)]
    seeds = [rooms.look(auction).live.state.configuration.seed for auction in made]
    assert len(set(seeds)) == 3
    assert seeds[2] == configuration().seed


# The clock


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


# What is seen, and when a view changes


def test_a_sealed_bid_changes_no_view_but_its_bidders_and_the_hosts(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, bob = open_room(server, rooms, host)

    def tags() -> list[str]:
        asked = ((ann, "bidder"), (ann, "public"), (bob, "bidder"), (host, "host"))
        return [visitor.get(f"{auction}/snapshot?as={role}").headers["ETag"] for visitor, role in asked]

    before = tags()
    bob.act(auction, "bids", 1, bids=[["lot-1", 5]])
    after = tags()
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, False]
    host.order(auction, "close")
    assert all(one != other for one, other in zip(after, tags(), strict=True))


def test_the_revision_of_a_view_never_falls(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, _ = open_room(server, rooms, host)
    revisions = []
    for number in (1, 2):
        ann.act(auction, "bids", number, bids=[["lot-1", 5 * number]] if number == 1 else [["lot-2", 5]])
        revisions.append(ann.look(auction, "bidder")["revision"])
        host.order(auction, "close")
        revisions.append(ann.look(auction, "bidder")["revision"])
    host.order(auction, "annul", reason="a test")
    revisions.append(ann.look(auction, "bidder")["revision"])
    assert revisions == sorted(set(revisions))


def test_anonymous_bidding_tells_prices_and_numbers_of_bids_until_the_end(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, ann, bob = open_room(server, rooms, host, information="anonymous")
    bob.act(auction, "bids", 1, bids=[["lot-1", 5]])
    host.order(auction, "close")
    seen = ann.look(auction, "public")
    assert (seen["lots"][0]["price"], seen["lots"][0]["bids"]) == (5, 1)
    assert (seen["lots"][0]["holders"], seen["seats"], seen["outcome"]) == (None, None, None)
    told = ann.get(f"{auction}/history").json["rounds"][0]
    assert (told["holders"], told["bidders"]) == (None, None)
    assert bob.look(auction, "bidder")["mine"]["holdings"][0]["lot"] == "lot-1"
    host.order(auction, "close")
    assert ann.look(auction, "public")["lots"][0]["holders"] == ["Bob"]


# Seats


def test_who_has_the_code_waits_until_the_host_lets_him_in(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction = rooms.create(host.user, configuration(), [seat("Seat 1")])
    code = host.look(auction, "host")["host"]["code"]
    eve = Visitor(server)
    assert eve.get(f"{auction}/snapshot?as=bidder").json["code"] == "no seat"
    assert eve.post("join", {"code": f" {code[:3].lower()}-{code[3:]} ", "name": " Eve\n"}).json["state"] == "waiting"
    assert eve.look(auction, "bidder")["waiting"] == {"name": "Eve"}
    (waiting,) = host.look(auction, "host")["host"]["waiting"]
    assert waiting["name"] == "Eve"
    host.order(auction, "admit", waiting=waiting["id"], bidder="b1")
    assert eve.look(auction, "bidder")["mine"]["bidder"] == "b1"
    desk = host.look(auction, "host")["host"]
    assert (desk["waiting"], desk["bidders"][0]["who"]) == ([], ["Eve"])
    again = host.order(auction, "admit", waiting=waiting["id"])
    assert not again["accepted"]
    assert eve.post("join", {"code": code, "name": "Eve"}).json["state"] == "admitted"  # a second tab


def test_automatic_admission_fills_free_seats_and_then_makes_new_ones(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    seats = [seat("Seat 1"), seat("Robot", bot="straightforward"), seat("Seat 3")]
    auction = rooms.create(host.user, configuration(), seats, automatic=True)
    with rooms.turn(auction) as turn:
        turn.store.new_key("bidder", "b1")  # promised to somebody by his own link
    code = host.look(auction, "host")["host"]["code"]
    told = [Visitor(server).post("join", {"code": code, "name": name}).json for name in ("Ann", "Bob", "Bob")]
    assert [(one["state"], one["bidder"], one["name"]) for one in told] == [
        ("admitted", "b3", "Ann"),  # the rules show names: the seat has hers
        ("admitted", "b4", "Bob"),
        ("admitted", "b5", "Bob 2"),
    ]


def test_a_seat_comes_back_by_its_key_on_another_device_and_both_work(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, ann, _ = open_room(server, rooms, host)
    ann.act(auction, "bids", 1, bids=[["lot-1", 5]])
    key = ann.post(f"{auction}/key").json["key"]
    phone = Visitor(server)
    assert phone.post("join", {"key": key}).json == {
        "auction": auction, "bidder": "b1", "key": None, "name": "Ann", "state": "admitted",
    }  # fmt: skip
    assert phone.look(auction, "bidder")["mine"]["acted"]["bids"][0]["lot"] == "lot-1"
    assert phone.act(auction, "bids", 1, bids=[["lot-2", 5]])["accepted"]
    assert ann.look(auction, "bidder")["mine"]["acted"]["bids"][0]["lot"] == "lot-2"


def test_a_key_given_anew_puts_every_device_of_the_seat_out(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, bob = open_room(server, rooms, host)
    old = ann.post(f"{auction}/key").json["key"]
    new = host.order(auction, "invite", bidder="b1")["key"]
    out = ann.get(f"{auction}/snapshot?as=bidder")
    assert (out.status_code, out.json["code"]) == (403, "seat elsewhere")
    assert ann.post(f"{auction}/act", {"request": "z", "round": 1, "what": "bids", "bids": []}).status_code == 403
    assert Visitor(server).post("join", {"key": old}).status_code == 404
    other = Visitor(server)
    assert other.post("join", {"key": new}).json["state"] == "admitted"
    assert bob.look(auction, "bidder")["mine"]["bidder"] == "b2"


def test_a_second_host_and_a_spectator_come_by_their_keys(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, _, _ = open_room(server, rooms, host)
    second, spectator = Visitor(server), Visitor(server)
    assert second.post("join", {"key": host.order(auction, "invite_host")["key"]}).json["state"] == "host"
    assert spectator.post("join", {"key": host.order(auction, "watch")["key"]}).json["state"] == "watching"
    assert second.order(auction, "pause")["accepted"]
    assert spectator.look(auction, "public")["phase"] == "paused"
    assert spectator.get(f"{auction}/snapshot?as=host").status_code == 403
    assert spectator.get(f"{auction}/snapshot?as=bidder").status_code == 403


def test_more_announcements_than_can_be_read_are_refused_until_a_minute_has_passed(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    auction, ann, _ = open_room(server, rooms, host)
    receipts = [host.order(auction, "announce", text=f"Word {n}") for n in range(300)]
    assert [one["accepted"] for one in receipts] == [n < ANNOUNCED_A_MINUTE for n in range(300)]
    assert {one["refused"][0]["rule"] for one in receipts[ANNOUNCED_A_MINUTE:]} == {"announcements"}
    assert "Wait a little" in receipts[-1]["words"]
    assert len(ann.look(auction, "bidder")["announcements"]) == ANNOUNCED_A_MINUTE
    assert host.order(auction, "pause")["accepted"]  # what is limited is words, not the host
    clock.now += 60.0
    assert host.order(auction, "announce", text="Go on")["accepted"]


def test_a_bot_keeps_a_seat_and_hands_it_back(server: Flask, rooms: Rooms, host: Visitor) -> None:
    worth = {"kind": "additive", "values": {"lot-1": 50}}
    auction = rooms.create(host.user, configuration(), [seat("Ann", valuation=worth), seat("Bob")])
    (ann,) = seated(server, rooms, auction, "b1")
    host.order(auction, "open")
    assert host.order(auction, "bot", bidder="b1", bot="straightforward")["accepted"]
    refused = ann.act(auction, "bids", 1, bids=[["lot-2", 5]])
    assert [one["rule"] for one in refused["refused"]] == ["bot"]
    host.order(auction, "close")
    assert ann.look(auction, "bidder")["lots"][0]["holders"] == ["Ann"]  # the bot bid what the seat's values say
    assert ann.act(auction, "take back", 2)["accepted"]
    assert ann.act(auction, "bids", 2, bids=[["lot-2", 5]])["accepted"]


def test_a_late_comer_is_let_in_while_a_round_is_open_and_bad_values_are_refused(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, _, _ = open_room(server, rooms, host)
    late = Visitor(server)
    late.post("join", {"code": host.look(auction, "host")["host"]["code"], "name": "Lea"})
    (waiting,) = host.look(auction, "host")["host"]["waiting"]
    bad = {"kind": "additive", "values": {"lot-9": 5}}
    refused = host.order(auction, "admit", waiting=waiting["id"], valuation=bad)
    assert "lot-9" in refused["words"]
    good = {"kind": "additive", "values": {"lot-1": 50}}
    assert host.order(auction, "admit", waiting=waiting["id"], valuation=good, eligibility=10)["accepted"]
    mine = late.look(auction, "bidder")["mine"]
    assert (mine["name"], mine["eligibility"], mine["values"]["lots"][0]) == ("Lea", 10, 50)
    assert late.act(auction, "bids", 1, bids=[["lot-1", 5]])["accepted"]
    host.order(auction, "cancel")
    assert not host.order(auction, "seat", name="Too late")["accepted"]


# The host


def test_the_hosts_orders_are_events_and_nothing_is_erased(
    server: Flask, rooms: Rooms, host: Visitor, clock: Clock
) -> None:
    auction, ann, bob = open_room(server, rooms, host, activity=Activity(True, (0.5, 1.0), quiet_rounds=0))
    deadline = ann.look(auction, "bidder")["deadline"]
    host.order(auction, "extend", seconds=15)
    assert ann.look(auction, "bidder")["deadline"] == deadline + 15
    host.order(auction, "announce", text="Five minutes' break")
    host.order(auction, "pause")
    assert ann.look(auction, "bidder")["remaining_s"] == 45.0
    clock.now += 300.0
    host.order(auction, "resume")
    assert ann.look(auction, "bidder")["deadline"] == clock.now + 45.0
    bob.act(auction, "bids", 1, bids=[["lot-1", 5]])
    host.order(auction, "close")
    host.order(auction, "annul", reason="the wrong button")
    assert ann.look(auction, "bidder")["round"] == 1
    assert ann.look(auction, "bidder")["lots"][0]["held"] == 0
    host.order(auction, "mute", bidder="b2", muted=True)
    assert [one["rule"] for one in bob.act(auction, "bids", 1, bids=[["lot-1", 5]])["refused"]] == ["muted"]
    host.order(auction, "stage", stage=1)
    host.order(auction, "cancel", reason="fire drill")
    seen = ann.look(auction, "public")
    assert (seen["phase"], seen["stage"]) == ("cancelled", 1)
    assert seen["announcements"][0]["text"] == "Five minutes' break"
    kinds = [stored.entry.event.kind for stored in rooms.store.entries(auction)]
    assert kinds == [
        "configured", "admitted", "admitted", "opened", "extended", "announced", "paused", "resumed",
        "bids submitted", "round closed", "round annulled", "muted", "stage changed", "cancelled",
    ]  # fmt: skip


def test_a_practice_counts_for_nothing(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction = rooms.create(host.user, configuration(), [seat("Ann")])
    (ann,) = seated(server, rooms, auction, "b1")
    host.order(auction, "practice", on=True)
    ann.act(auction, "bids", 1, bids=[["lot-1", 5]])
    host.order(auction, "close")
    assert ann.look(auction, "bidder")["practice"]
    assert ann.look(auction, "bidder")["mine"]["pay"] == 5
    host.order(auction, "practice", on=False)
    after = ann.look(auction, "bidder")
    assert (after["phase"], after["practice"], after["round"], after["mine"]["pay"]) == ("set up", False, 0, 0)
    assert host.order(auction, "open")["accepted"]


def test_an_order_for_a_practice_or_an_annulled_round_is_none_for_the_round_of_its_number(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction = rooms.create(host.user, configuration(), [seat("Ann")])
    (ann,) = seated(server, rooms, auction, "b1")
    host.order(auction, "practice", on=True)
    turns = [ann.look(auction, "bidder")["turn"]]
    host.order(auction, "practice", on=False)
    host.order(auction, "open")
    turns.append(ann.look(auction, "bidder")["turn"])
    ann.act(auction, "bids", 1, bids=[["lot-1", 5]], turn=turns[1])
    host.order(auction, "close")
    host.order(auction, "annul")
    turns.append(ann.look(auction, "bidder")["turn"])
    for turn in turns[:2]:
        refused = ann.act(auction, "bids", 1, bids=[["lot-2", 5]], turn=turn)
        assert [one["rule"] for one in refused["refused"]] == ["round"]
        assert "begun again" in refused["words"]
    assert ann.act(auction, "bids", 1, bids=[["lot-2", 5]], turn=turns[2])["accepted"]


def test_a_bot_whose_move_is_refused_does_not_keep_the_round_open(
    rooms: Rooms, host: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = rooms.create(host.user, configuration(), [seat("Robot", bot="straightforward")])
    host.order(auction, "open")
    data = {"bidder": "b1", "round": 1, "request": "", "bids": [["lot-1", 1, 1]]}  # below the minimum
    move = (Event("bids submitted", rooms.now(), "b1", data),)
    monkeypatch.setattr(auction_room, "bot_events", lambda *_: move)
    assert host.order(auction, "close")["accepted"]
    assert host.look(auction, "host")["phase"] == "closed"


def test_where_the_values_were_drawn_from_is_told_after_the_end(server: Flask, rooms: Rooms, host: Visitor) -> None:
    sold = replace(configuration(), origin="drawn from seed 8")
    auction = rooms.create(host.user, sold, [seat("Ann")])
    (ann,) = seated(server, rooms, auction, "b1")
    host.order(auction, "open")
    assert ann.look(auction, "bidder")["origin"] == ""
    assert host.look(auction, "host")["host"]["origin"] == "drawn from seed 8"
    host.order(auction, "close")
    assert ann.look(auction, "bidder")["origin"] == "drawn from seed 8"


def test_an_order_sent_twice_is_done_once_and_a_round_closed_by_two_hosts_too(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, _, _ = open_room(server, rooms, host)
    body = {"request": "same", "what": "close", "round": 1}
    first, again = (host.post(f"{auction}/host", body).json for _ in range(2))
    assert again["repeated"]
    assert again["number"] < first["number"] + 1
    other = host.order(auction, "close", round=1)
    assert [one["rule"] for one in other["refused"]] == ["phase"]  # nobody had bid, so the auction is over
    kinds = [stored.entry.event.kind for stored in rooms.store.entries(auction)]
    assert kinds.count("round closed") == 1


def test_a_bidder_sees_his_values_his_demand_and_what_a_part_would_cost_him(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    both = {"kind": "bundles", "bundles": [{"lots": {"lot-1": 1, "lot-2": 1}, "value": 40}]}
    auction = rooms.create(host.user, configuration(), [seat("Ann", valuation=both)])
    (ann,) = seated(server, rooms, auction, "b1")
    host.order(auction, "open")
    mine = ann.look(auction, "bidder")["mine"]
    assert mine["values"]["kind"] == "bundles"
    assert {one["lot"] for one in mine["hint"]} == {"lot-1", "lot-2"}
    told = ann.post(f"{auction}/what-if", {"bids": [["lot-1", 10, 1], ["lot-2", 15, 1]]}).json
    # Both: 40 - 25 = 15. The worst part is the dearer lot alone: worth nothing, costs 15.
    assert (told["known"], told["pay_all"], told["surplus_all"], told["worst"]["loss"]) == (True, 25, 15, 15)
    assert told["worst"]["lots"] == [{"lot": "lot-2", "blocks": 1}]
    file = "lot,amount,blocks\nlot-1,10,1\nlot-9,10,1\n"
    read = ann.post(f"{auction}/bid-file", {"name": "bids.csv", "text": file}).json
    assert "lot-9" in json.dumps(read["problems"])
    assert "Lot 1" in ann.get(f"{auction}/download/values.csv").text
