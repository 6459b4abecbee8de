"""Workers and hosts at once: each round is closed once, each bid stands once; on SQLite and on PostgreSQL."""

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from callbacks.auction_acts import Act, act
from callbacks.auction_orders import order
from callbacks.auction_room import SETTLE_S, Rooms
from engine.auction.ledger import verify
from engine.store import Store
from tests.postgres import postgres_server, postgres_url
from tests.rooms import configuration, seat

__all__ = ["postgres_server", "postgres_url"]
WORKERS, ROUNDS = 3, 6


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


def kinds(rooms: Rooms, auction: str) -> list[str]:
    entries = [stored.entry for stored in rooms.store.entries(auction)]
    verify(entries)
    return [entry.event.kind for entry in entries]


def a_room(rooms: Rooms) -> str:
    """Return an open auction of two hosts and as many bidders as there are workers."""
    auction = rooms.create("host-0", configuration(), [seat(f"Bidder {n}") for n in range(WORKERS)])
    with rooms.turn(auction) as turn:
        turn.store.admit("host-1", "host")
        for number in range(WORKERS):
            turn.store.admit(f"user-{number}", "bidder", bidder=f"b{number + 1}")
    order(rooms, "host-0", auction, b'{"request": "o", "what": "open"}')
    return auction


def worker(url: str, auction: str, number: int, gates: Any) -> None:
    """Bid in every round, wait for the others, then look with all of them at a deadline that is over."""
    store = Store(url)
    clock = Clock(0.0)
    rooms = Rooms(store, clock)
    for turn in range(1, ROUNDS + 1):
        row = rooms.store.row(auction)
        clock.now = row.deadline or 0.0
        rooms.store.note_look(auction, clock.now)  # somebody was there all the time
        bid = Act(f"w{number}-{turn}", turn, "bids", [[f"lot-{number % 3 + 1}", 5 * turn + number]], [])
        if turn > 1:  # his own standing bid cannot be raised
            bid = Act(f"w{number}-{turn}", turn, "bids", [[f"lot-{(number + turn) % 3 + 1}", 100 * turn]], [])
        receipt = act(rooms, f"user-{number}", auction, bid, clock.now)
        assert receipt["accepted"], receipt
        gates.wait()
        clock.now += SETTLE_S
        threads = [threading.Thread(target=rooms.look, args=(auction,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gates.wait()
    store.close()


def test_workers_that_see_a_deadline_at_once_close_the_round_once(url: str) -> None:
    store = Store(url)
    store.migrate()
    rooms = Rooms(store)
    auction = a_room(rooms)
    spawn = multiprocessing.get_context("spawn")
    gates = spawn.Barrier(WORKERS, timeout=120)
    workers = [spawn.Process(target=worker, args=(url, auction, number, gates)) for number in range(WORKERS)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(200)
    found = kinds(rooms, auction)
    store.close()
    assert [process.exitcode for process in workers] == [0] * WORKERS
    assert found.count("round closed") == ROUNDS
    assert found.count("bids submitted") == ROUNDS * WORKERS


def test_two_hosts_and_a_poll_close_a_round_once(url: str) -> None:
    store = Store(url)
    store.migrate()
    clock = Clock(1_790_000_000.0)
    workers = [Rooms(store, clock), Rooms(Store(url), clock)]
    auction = a_room(workers[0])
    told: list[Any] = []
    for number in range(1, ROUNDS + 1):
        bid = Act(f"x{number}", number, "bids", [["lot-1", 5 * number]], [])
        assert act(workers[0], f"user-{number % 2}", auction, bid, clock.now)["accepted"]
        clock.now = (workers[0].store.row(auction).deadline or 0.0) + SETTLE_S
        workers[0].store.note_look(auction, clock.now)  # somebody was there all the time
        start = threading.Barrier(3)

        def close(host: int, number: int = number, start: threading.Barrier = start) -> None:
            start.wait()
            body = f'{{"request": "c{host}-{number}", "what": "close", "round": {number}}}'.encode()
            told.append(order(workers[host], f"host-{host}", auction, body))

        def look(start: threading.Barrier = start) -> None:
            start.wait()
            workers[1].look(auction)

        threads = [threading.Thread(target=close, args=(host,)) for host in (0, 1)] + [threading.Thread(target=look)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    found = kinds(workers[0], auction)
    workers[1].store._database.close()  # the second store's
    store.close()
    assert found.count("round closed") == ROUNDS
    assert len(told) == 2 * ROUNDS
    assert all(one["accepted"] or one["refused"][0]["rule"] == "round" for one in told)


def test_one_request_sent_by_many_threads_of_two_workers_is_one_bid(url: str) -> None:
    store = Store(url)
    store.migrate()
    workers = [Rooms(store), Rooms(Store(url))]
    auction = a_room(workers[0])
    now = workers[0].now()
    bid = Act("same", 1, "bids", [["lot-1", 5], ["lot-2", 5]], [])
    told: list[Any] = []
    threads = [
        threading.Thread(target=lambda n=n: told.append(act(workers[n % 2], "user-0", auction, bid, now)))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = kinds(workers[0], auction)
    workers[1].store._database.close()
    store.close()
    assert found.count("bids submitted") == 1
    assert {one["number"] for one in told} == {len(found)}
    assert sum("repeated" not in one for one in told) == 1
