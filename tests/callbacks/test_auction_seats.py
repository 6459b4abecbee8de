"""The auction room through its addresses: who comes in, to which seat, and who keeps it."""

from flask import Flask

from callbacks.auction_room import Rooms
from tests.callbacks.room import open_room, seated
from tests.rooms import Visitor, configuration, seat


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
