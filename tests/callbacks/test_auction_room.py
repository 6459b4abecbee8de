"""The auction room through its addresses: whole auctions, what is seen of them, the host's orders."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from callbacks import auction_room
from callbacks.auction_orders import ANNOUNCED_A_MINUTE
from callbacks.auction_room import Rooms
from engine.auction import bundles
from engine.auction.events import Event
from engine.auction.ledger import verify
from engine.auction.results import result_files
from engine.auction.rules import Activity
from engine.auction.signing import check_signature, read_file
from engine.auction.templates import TEMPLATES
from tests.callbacks.room import Clock, open_room, seated
from tests.rooms import Visitor, configuration, seat

# Example 1 of arXiv 2604.08854, section VI: (lot number, amount) of bidder 1's and of bidder 2's bids, round by round.
EXAMPLE_1 = (
    (((1, 5), (3, 5), (4, 5)), ((1, 5), (2, 5), (3, 5), (4, 5))),
    (((3, 10),), ((1, 10),)),
    (((1, 15),), ()),
    ((), ((1, 20),)),
    ((), ()),
)


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


# The host


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
