"""Whose name others see: who is let in names the seat where the rules show names, and nothing tells it elsewhere."""

from typing import Any

import pytest
from flask import Flask

from app import create_app
from callbacks.auction_room import Rooms
from callbacks.settings import Settings
from engine.auction import bundles
from engine.auction.ledger import replay
from engine.auction.results import state_digest
from engine.auction.signing import read_file
from tests.rooms import Visitor, configuration, seat

FILES = ("ledger.jsonl", "payments.csv", "prices.csv", "bids.csv", "summary.json", *bundles.NAMES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    server: Flask = create_app(Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})).server
    return server


@pytest.fixture
def rooms(server: Flask) -> Rooms:
    found: Rooms = server.extensions["headroom-auctions"]
    return found


@pytest.fixture
def host(server: Flask) -> Visitor:
    return Visitor(server)


def opened(rooms: Rooms, host: Visitor, *names: str, automatic: bool = False, **rules: Any) -> tuple[str, str]:
    """Return id and code of a new auction with seats of these names."""
    auction = rooms.create(host.user, configuration(**rules), [seat(name) for name in names], automatic=automatic)
    return auction, host.look(auction, "host")["host"]["code"]


def waits(server: Flask, code: str, name: str) -> Visitor:
    visitor = Visitor(server)
    visitor.post("join", {"code": code, "name": name})
    return visitor


def admit(host: Visitor, auction: str, bidder: str = "") -> dict[str, Any]:
    (waiting,) = host.look(auction, "host")["host"]["waiting"]
    return host.order(auction, "admit", waiting=waiting["id"], **({"bidder": bidder} if bidder else {}))


def names(visitor: Visitor, auction: str) -> list[str]:
    return [one["name"] for one in visitor.look(auction, "bidder")["seats"]]


def test_who_is_let_in_names_the_seat_for_everybody(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, code = opened(rooms, host, "Bidder 1", "Training campus")
    ann = waits(server, code, "Ann")
    admit(host, auction, "b1")
    host.order(auction, "open")
    assert ann.act(auction, "bids", 1, bids=[["lot-1", 5]])["accepted"]
    host.order(auction, "close")
    bob = waits(server, code, "Bob")  # a late comer, into a seat with a part of its own
    admit(host, auction, "b2")
    assert names(ann, auction) == names(bob, auction) == ["Ann", "Bob (Training campus)"]
    assert bob.look(auction, "public")["lots"][0]["holders"] == ["Ann"]
    assert bob.look(auction, "bidder")["mine"]["name"] == "Bob (Training campus)"
    assert ann.get(f"{auction}/history?as=bidder").json["rounds"][0]["bidders"][0]["name"] == "Ann"
    desk = host.look(auction, "host")["host"]
    assert [(one["name"], one["seat"]) for one in desk["bidders"]] == [
        ("Ann", "Bidder 1"),
        ("Bob (Training campus)", "Training campus"),
    ]
    assert desk["log"][-1]["words"] == "Training campus is called Bob (Training campus) from now on"
    while host.look(auction, "host")["phase"] == "open":
        host.order(auction, "close")
    entries, _ = read_file(ann.get(f"{auction}/download/ledger.jsonl").data)
    assert [one.event.kind for one in entries].count("renamed") == 2
    assert state_digest(replay(entries)) == state_digest(rooms.look(auction).live.state)
    assert "Ann" in ann.get(f"{auction}/download/payments.csv").text


@pytest.mark.parametrize("automatic", [False, True])
def test_an_anonymous_auction_tells_no_name_to_others_not_even_after_its_end(
    server: Flask, rooms: Rooms, host: Visitor, automatic: bool
) -> None:
    auction, code = opened(rooms, host, "Bidder 1", automatic=automatic, information="anonymous", disclose_values=True)
    people = []
    for name, bidder in (("Zenobia", "b1"), ("Quentin", "")):  # into a seat that is there, and into a new one
        people.append(waits(server, code, name))
        if not automatic:
            admit(host, auction, bidder)
    zenobia, quentin = people
    host.order(auction, "open")
    assert zenobia.act(auction, "bids", 1, bids=[["lot-1", 5]])["accepted"]
    while host.look(auction, "host")["phase"] == "open":
        host.order(auction, "close")
    for role in ("bidder", "public"):
        quentin.look(auction, role)
        quentin.get(f"{auction}/history?as={role}")
    statuses = {name: quentin.get(f"{auction}/download/{name}").status_code for name in FILES}
    assert set(statuses.values()) == {200}, statuses  # all of them are given out after this close, the ledger too
    assert "Zenobia" not in "\n".join(quentin.seen)
    assert "Bidder 1" in "\n".join(quentin.seen)  # the holder of lot 1 is told, by the seat
    desk = host.look(auction, "host")["host"]["bidders"]
    assert [(one["name"], one["who"]) for one in desk] == [("Bidder 1", ["Zenobia"]), ("Bidder 2", ["Quentin"])]


def test_a_name_that_is_there_gets_a_number_and_what_cannot_be_seen_is_left_out(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    _, code = opened(rooms, host, "Bidder 1", "Bidder 2", "Bidder 3", automatic=True)
    told = [
        Visitor(server).post("join", {"code": code, "name": name}).json for name in ("Ann", "ANN", "A\u202enn\u200b")
    ]
    assert [one["name"] for one in told] == ["Ann", "ANN 2", "Ann 3"]
    for name in ("", "\u200b\x07 ", "x" * 61):
        answer = Visitor(server).post("join", {"code": code, "name": name})
        assert (answer.status_code, "1 to 60 characters" in answer.json["detail"]) == (400, True)


def test_the_host_gives_a_seat_another_name(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, code = opened(rooms, host, "Bidder 1", automatic=True)
    rude = waits(server, code, "Rude word")
    assert host.order(auction, "rename", bidder="b1", name=" Ann ")["accepted"]
    assert names(rude, auction) == ["Ann"]
    again = host.order(auction, "rename", bidder="b1", name="Ann")
    assert again["accepted"]  # nothing to do, and nothing in the ledger
    entries = rooms.store.entries(auction)
    assert [one.entry.event.kind for one in entries].count("renamed") == 2
    assert not host.order(auction, "rename", bidder="b9", name="Bo")["accepted"]
    assert (
        rude.post(f"{auction}/host", {"request": "r", "what": "rename", "bidder": "b1", "name": "Me"}).status_code
        == 403
    )


def test_the_first_to_open_a_personal_link_may_name_the_seat_and_nobody_after(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, _ = opened(rooms, host, "Bidder 1")
    key = host.order(auction, "invite", bidder="b1")["key"]
    ann, thief = Visitor(server), Visitor(server)
    assert ann.post("join", {"key": key, "name": "Ann"}).json["name"] == "Ann"
    assert thief.post("join", {"key": key, "name": "Thief"}).json["name"] == "Ann"
