"""Whole runs of a crowd: so many rounds played, or a server that is killed again and again under it."""

import asyncio
import itertools
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from callbacks.auction_room import SETTLE_S, Rooms
from engine.store import Store
from tests.browser.browsing import Server, end, start
from tests.crowd import Guest, Tally, check, keys_of, sale
from tests.kills import children, kill
from tests.rooms import seat
from tests.waiting import wait_for

KILLED = ("web worker", "web server", "everything")
_GOES_ON_WITHIN_S = 90.0
_FLOOD_LINES = 16
_FLOOD_PATIENCE_S = 5.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LATEST_S = 1.0  # before a deadline a hurried bidder still sends


async def play(
    guests: Sequence[Guest], keys: Sequence[str], *, rounds: int, lots: int, begun: Callable[[], None] = lambda: None
) -> None:
    """Let everybody in, the host (the last guest) open the auction, and bidders bid until so many rounds are closed."""
    for guest, key in zip(guests, keys, strict=True):
        await guest.come_in(key)
        await guest.poll()
    host, over = guests[-1], asyncio.Event()
    begun()
    answer = await host.acting.ask("POST", f"/api/auctions/{host.auction}/host", {"request": "open", "what": "open"})
    assert answer.json()["accepted"], answer.body
    tasks = [asyncio.create_task(guest.stay(over)) for guest in guests]
    tasks += [asyncio.create_task(_bidding(guest, over, lots)) for guest in guests if guest.role == "bidder"]
    while (host.snapshot or {"round": 0})["round"] <= rounds:
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.5)  # the last result reaches every screen
    over.set()
    await asyncio.gather(*tasks)
    await asyncio.gather(*(guest.leave() for guest in guests))


async def _bidding(guest: Guest, over: asyncio.Event, lots: int) -> None:
    """Bid in each round: half of the bidders when they like, half of them in its last seconds; some twice."""
    done = 0
    while not over.is_set():
        await asyncio.sleep(0.05)
        seen = guest.snapshot
        if seen is None or seen["phase"] != "open" or seen["round"] <= done or not seen["deadline"]:
            continue
        done = seen["round"]
        left = seen["deadline"] - time.time()
        rush = guest.dice.random() < 0.5
        wait = guest.dice.uniform(max(0.0, left - 3.0), max(0.0, left - _LATEST_S)) if rush else (
            guest.dice.uniform(0.0, max(0.0, left - _LATEST_S))
        )  # fmt: skip
        await asyncio.sleep(max(0.0, wait))
        await guest.bid(guest.dice.randint(1, lots))
        if guest.dice.random() < 0.3:
            await guest.bid(guest.dice.randint(1, lots))


def flood(
    address: str, auction: str, cookie: str, seconds: float, at_once: int, *, listening: bool = True
) -> Counter[str]:
    """Send orders of one seat as fast as this process can, ``at_once`` on a line.

    It listens to what comes back before it calls again, or else hangs up at once. Return how many were sent, how many
    lines were cut before an answer came, how many answers had which status, and under "ms" the processor time used.
    """
    parts = urlsplit(address)
    target, counted = (str(parts.hostname), int(parts.port or 80)), [Counter[str]() for _ in range(_FLOOD_LINES)]
    body = b'{"request":"f%08d","round":1,"what":"bids","bids":[["lot-01",5,1]]}'
    head = f"POST /api/auctions/{auction}/act HTTP/1.1\r\nHost: {target[0]}:{target[1]}\r\nCookie: {cookie}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body % 0)}\r\n\r\n"
    numbers, until = itertools.count(1), time.monotonic() + seconds

    def send(counts: Counter[str]) -> None:
        while time.monotonic() < until:
            orders = b"".join(head.encode() + body % (next(numbers) % 10**8) for _ in range(at_once))
            told = b""
            with suppress(OSError), socket.create_connection(target, _FLOOD_PATIENCE_S) as line:
                line.sendall(orders)
                counts["sent"] += at_once
                while listening and len(_STATUS.findall(told)) < at_once and (part := line.recv(65_536)):
                    told += part
            answers = _STATUS.findall(told)
            counts.update(status.decode() for status in answers)
            counts["cut"] += listening and not answers

    threads, used = [threading.Thread(target=send, args=(counts,)) for counts in counted], time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted, Counter(ms=round(1000 * (time.process_time() - used))))


def hang_up(door: socket.socket) -> None:
    """Take every line that is opened here and close it, until the process is ended."""
    while True:
        door.accept()[0].close()


@dataclass(frozen=True, slots=True)
class Happened:
    """What a campaign of kills found; it has raised AssertionError if anything acknowledged was lost."""

    kills: int
    acknowledged: int
    rounds: int
    unanswered: int
    longest_s: float  # the longest time between two acknowledged bids around a kill


def killed(home: Path, database_url: str, kills: int, seed: int) -> Happened:
    """Kill the server ``kills`` times at random moments of a running auction, and compare receipts with the ledger."""
    dice = random.Random(seed)  # noqa: S311 (what to kill, and when)
    settings = {"DATABASE_URL": database_url, "WEB_WORKERS": "2", "JOB_WORKERS": "1"}
    server = start(home, **settings)
    settings["PORT"] = str(urlsplit(server.address).port)
    store = Store(database_url)
    try:
        rooms, tally = Rooms(store), Tally()
        auction = rooms.create("nobody", sale(12, 10.0), [seat(f"Bidder {n}") for n in range(6)])
        host_key, seat_keys, _ = keys_of(rooms, auction)
        guests = [Guest(server.address, auction, "bidder", tally, seed * 1000 + n) for n in range(6)]
        guests.append(Guest(server.address, auction, "host", tally, seed * 1000 + 999))
        run = asyncio.run(_under_kills(server, guests, [*seat_keys, host_key], _Plan(home, settings, kills, dice)))
        acknowledged, closed = check(rooms, auction, guests)
        assert tally.faults == [], tally.faults[:5]
        return Happened(kills, acknowledged, closed, tally.unanswered, run.longest_s)
    finally:
        store.close()
        end(_LAST[home].process)


@dataclass(frozen=True, slots=True)
class _Plan:
    home: Path
    settings: dict[str, str]
    kills: int
    dice: random.Random


@dataclass(slots=True)
class _Run:
    longest_s: float = 0.0


_LAST: dict[Path, Server] = {}  # the server that runs now, by its data folder


async def _under_kills(server: Server, guests: Sequence[Guest], keys: Sequence[str], plan: _Plan) -> _Run:
    _LAST[plan.home] = server
    for guest, key in zip(guests, keys, strict=True):
        await guest.come_in(key)
    host, over, run = guests[-1], asyncio.Event(), _Run()
    await host.acting.ask("POST", f"/api/auctions/{host.auction}/host", {"request": "open", "what": "open"})
    tasks = [asyncio.create_task(guest.stay(over)) for guest in guests]
    tasks += [asyncio.create_task(_bidding_on(guest, over)) for guest in guests[:-1]]
    for turn in range(plan.kills):
        await asyncio.sleep(plan.dice.uniform(0.2, 1.2) if turn % 5 != 2 else _until_the_close(host, plan.dice))
        before = sum(len(guest.receipts) for guest in guests)
        part = plan.dice.choice(KILLED[:2]) if turn % 5 else "everything"
        moment = time.monotonic()
        _LAST[plan.home] = await asyncio.to_thread(_kill, part, _LAST[plan.home], plan)
        while sum(len(guest.receipts) for guest in guests) <= before:  # the room goes on
            await asyncio.sleep(0.05)
            if time.monotonic() - moment > _GOES_ON_WITHIN_S:
                told = {"seen": [(guest.snapshot or {}).get("round") for guest in guests], **vars_of(host)}
                raise AssertionError(f"nothing was acknowledged after the kill of {part}: {told}")
        run.longest_s = max(run.longest_s, time.monotonic() - moment)
    number, moment = _round_of(host), time.monotonic()
    while _round_of(host) == number:  # and rounds go on
        await asyncio.sleep(0.05)
        assert time.monotonic() - moment < _GOES_ON_WITHIN_S, f"round {number} does not end: {vars_of(host)}"
    over.set()
    await asyncio.gather(*tasks)
    await asyncio.gather(*(guest.leave() for guest in guests))
    return run


def _round_of(host: Guest) -> int:
    return 0 if host.snapshot is None else int(host.snapshot["round"])


def _until_the_close(host: Guest, dice: random.Random) -> float:
    """Return the seconds until about when the open round is closed."""
    left = ((host.snapshot or {}).get("deadline") or 0.0) + SETTLE_S - time.time()
    return max(0.2, left) + dice.uniform(-0.2, 0.5)


def _kill(part: str, server: Server, plan: _Plan) -> Server:
    gone = children(server)["web"].pid if part == "web server" else None
    if part == "web worker":  # a server that has just begun has none yet
        wait_for(lambda: bool(_workers(server)))
    server = kill(part, server, lambda: start(plan.home, **plan.settings))
    wait_for(lambda: children(server)["web"].pid != gone)
    return server


def _workers(server: Server) -> list[psutil.Process]:
    found: list[psutil.Process] = children(server)["web"].children()
    return found


def vars_of(host: Guest) -> dict[str, object]:
    """Return what a failure is understood by."""
    seen, tally = host.snapshot or {}, host.tally
    phase = {name: seen.get(name) for name in ("phase", "round", "deadline", "now", "ended_because")}
    return {**phase, "refused": tally.refused, "statuses": tally.statuses, "faults": tally.faults[:3]}


async def _bidding_on(guest: Guest, over: asyncio.Event) -> None:
    """Bid without a pause."""
    while not over.is_set():
        await guest.bid(3)
        await asyncio.sleep(guest.dice.uniform(0.25, 0.6))
