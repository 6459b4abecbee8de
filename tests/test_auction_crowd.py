"""A small crowd in the really running room, and the server killed under it."""

import asyncio
from pathlib import Path

from callbacks.auction_room import Rooms
from engine.store import Store
from tests.browser.browsing import Server
from tests.crowd import Guest, Tally, check, keys_of, sale
from tests.crowd_runs import killed, play
from tests.rooms import seat


def test_a_crowd_plays_and_every_bid_that_was_acknowledged_stands(server: Server) -> None:
    faults = len(server.faults())
    store = Store(f"sqlite:///{server.home / 'headroom.sqlite'}")
    rooms, tally = Rooms(store), Tally()
    auction = rooms.create("nobody", sale(8, 5.0), [seat(f"Bidder {n}") for n in range(8)])
    host, seats, watcher = keys_of(rooms, auction)
    guests = [Guest(server.address, auction, "bidder", tally, n) for n in range(8)]
    guests += [Guest(server.address, auction, "public", tally, 100 + n) for n in range(11)]
    guests.append(Guest(server.address, auction, "host", tally, 200))
    keys = [*seats, *[watcher] * 11, host]
    asyncio.run(play(guests, keys, rounds=2, lots=4))
    acknowledged, closed = check(rooms, auction, guests)
    store.close()
    assert tally.faults == []
    assert server.faults()[faults:] == []
    assert closed >= 2
    assert acknowledged >= 10
    assert len(tally.shown_s) >= 2 * len(guests)  # each screen saw the rounds end


def test_a_room_whose_server_is_killed_goes_on_and_has_lost_nothing(tmp_path: Path) -> None:
    happened = killed(tmp_path, f"sqlite:///{tmp_path / 'headroom.sqlite'}", kills=5, seed=3)
    assert happened.kills == 5
    assert happened.acknowledged >= 10
    assert happened.rounds >= 1
