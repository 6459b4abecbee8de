"""An auction room whose clock is set by hand, and people in its seats."""

from typing import Any

from flask import Flask

from callbacks.auction_room import Rooms
from tests.rooms import Visitor, configuration, seat


class Clock:
    """The server's time, set by hand."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def rooms_of(server: Flask) -> Rooms:
    rooms: Rooms = server.extensions["headroom-auctions"]
    return rooms


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
