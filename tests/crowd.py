"""A crowd in an auction room: bidders, spectators and a host as programs that poll as a browser does, over sockets.

Each remembers what was acknowledged to it. :func:`check` compares that with the ledger: nothing acknowledged is lost,
nothing is there twice, no round is closed twice.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from callbacks.auction_room import SETTLE_S, Rooms
from engine.auction.ledger import replay, verify
from engine.auction.rules import Configuration, Increment, Jump, Lot, Rules, Timing

POLL_S, POLL_SPREAD = 1.0, 0.2
AFTER_DEADLINE_S = (0.05, 0.4)  # when a browser asks again after the room settles: assets/80_room.js
_ANSWER_WITHIN_S = 30.0


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Line:
    """One connection that is kept open, and made again when it breaks."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.cookie = ""

    async def ask(self, method: str, path: str, body: Any = None, tag: str = "") -> Answer:
        """Send a request and return the answer. Raises OSError or TimeoutError when none comes."""
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(content)}"]
        head += [f"Cookie: {self.cookie}"] if self.cookie else []
        head += [f"If-None-Match: {tag}"] if tag else []
        head += ["Content-Type: application/json"] if body is not None else []
        sent = ("\r\n".join(head) + "\r\n\r\n").encode() + content
        fresh = self._streams is None
        try:
            return await asyncio.wait_for(self._once(sent), _ANSWER_WITHIN_S)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            if fresh:
                raise OSError(str(error)) from error
        try:  # the server had closed an idle line: a browser calls again, too
            return await asyncio.wait_for(self._once(sent), _ANSWER_WITHIN_S)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            raise OSError(str(error)) from error

    async def _once(self, sent: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
        headers = {name.lower(): value for name, value in pairs}
        cookies = [line.split(": ", 1)[1] for line in head[1:] if line.lower().startswith("set-cookie")]
        status = int(head[0].split()[1])
        if headers.get("transfer-encoding") == "chunked":
            raise ValueError("an answer of unknown length")
        body = await reader.readexactly(int(headers.get("content-length", 0))) if status != 304 else b""
        if cookies:
            self.cookie = cookies[0].split(";")[0]
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        """Hang up, as soon as the loop comes to it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def leave(self) -> None:
        """Hang up now."""
        streams = self._streams
        self.close()
        if streams is not None:
            with suppress(OSError):
                await streams[1].wait_closed()


@dataclass(slots=True)
class Tally:
    """What a crowd measured."""

    acknowledged_s: list[float] = field(default_factory=list)  # from sending a bid to its receipt
    shown_s: list[float] = field(default_factory=list)  # from a round's deadline to its result on one screen
    polled_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    unanswered: int = 0  # requests without an answer, sent again
    refused: Counter[str] = field(default_factory=Counter)


class Guest:
    """One browser: it polls, and a bidder bids on what he does not hold."""

    def __init__(self, address: str, auction: str, role: str, tally: Tally, seed: int) -> None:
        self.line, self.acting = Line(address), Line(address)
        self.address, self.auction, self.role, self.tally = address, auction, role, tally
        self.dice = random.Random(seed)  # noqa: S311 (when to bid and on what)
        self.seed = seed
        self.snapshot: dict[str, Any] | None = None
        self.tag = ""
        self.receipts: dict[str, dict[str, Any]] = {}  # by request
        self.sent = 0

    async def come_in(self, key: str) -> None:
        """Open the page for a session, then the seat or the room with its key."""
        await self.line.ask("GET", "/")
        self.acting.cookie = self.line.cookie
        answer = await self.line.ask("POST", "/api/auctions/join", {"key": key})
        assert answer.status == 200, answer.body

    async def leave(self) -> None:
        """Close both lines."""
        await self.line.leave()
        await self.acting.leave()

    async def stay(self, until: asyncio.Event) -> None:
        """Poll until told to stop."""
        await asyncio.sleep(self.dice.random() * POLL_S)
        while not until.is_set():
            await self.poll()
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        usual = POLL_S * self.dice.uniform(1 - POLL_SPREAD, 1 + POLL_SPREAD)
        deadline = (self.snapshot or {}).get("deadline")
        if deadline is None:
            return usual
        settled = deadline + SETTLE_S + self.dice.uniform(*AFTER_DEADLINE_S) - time.time()
        return min(usual, settled) if settled > 0 else usual

    async def poll(self) -> None:
        """Ask what is new."""
        begun = time.perf_counter()
        path = f"/api/auctions/{self.auction}/snapshot?as={self.role}"
        try:
            answer = await self.line.ask("GET", path, tag=self.tag)
        except OSError:
            self.tally.unanswered += 1
            return
        self.tally.polled_s.append(time.perf_counter() - begun)
        self.tally.statuses[answer.status] += 1
        if answer.status not in {200, 304}:
            self.tally.faults.append(f"poll {answer.status}: {answer.body[:200]!r}")
        if answer.status == 200:
            self._take(answer)

    def _take(self, answer: Answer) -> None:
        before, self.snapshot, self.tag = self.snapshot, answer.json(), answer.headers["etag"]
        if before is not None and before["deadline"] and self.snapshot["round"] == before["round"] + 1:
            self.tally.shown_s.append(time.time() - before["deadline"])

    async def bid(self, lots: int) -> None:
        """Send one set of bids on lots that he does not hold, again and again until it is answered."""
        seen = self.snapshot
        if seen is None or seen["phase"] != "open":
            return
        held = {holding["lot"] for holding in seen["mine"]["holdings"]}
        free = [lot for lot in seen["lots"] if lot["id"] not in held]
        chosen = self.dice.sample(free, min(lots, len(free)))
        bids = [[lot["id"], lot["minimum"] + self.dice.randrange(3), 1] for lot in chosen]
        self.sent += 1
        request = f"g{self.seed}-{self.sent}"
        body = {"request": request, "round": seen["round"], "what": "bids", "bids": bids}
        await self._send(request, body)

    async def _send(self, request: str, body: dict[str, Any]) -> None:
        for _ in range(600):
            begun = time.perf_counter()
            try:
                answer = await self.acting.ask("POST", f"/api/auctions/{self.auction}/act", body)
            except OSError:
                self.tally.unanswered += 1
                await asyncio.sleep(0.1)
                continue
            self.tally.acknowledged_s.append(time.perf_counter() - begun)
            self.tally.statuses[answer.status] += 1
            if answer.status != 200:
                self.tally.faults.append(f"act {answer.status}: {answer.body[:200]!r}")
                return
            receipt = answer.json()
            if receipt["accepted"]:
                self.receipts[request] = {**receipt, "bids": body["bids"]}
            for one in receipt["refused"]:
                self.tally.refused[one["rule"]] += 1
            return
        self.tally.faults.append("a bid was never answered")


def sale(lots: int, round_s: float) -> Configuration:
    """Return an auction of so many lots in rounds of that length."""
    rules = Rules(
        increment=Increment("fixed", 5), jump=Jump("any"), timing=Timing("clock", round_s), information="anonymous"
    )
    sold = tuple(Lot(f"lot-{n:02}", f"Site {n}, 25 MW firm", 25.0, 0.0, str(n), 25) for n in range(lots))
    return Configuration("Load", sold, rules, seed=7)


def keys_of(rooms: Rooms, auction: str) -> tuple[str, list[str], str]:
    """Return the keys of host, seats and spectators."""
    with rooms.turn(auction) as turn:
        seats = [turn.store.new_key("bidder", bidder.id) for bidder in turn.state.bidders]
        return turn.store.new_key("host"), seats, turn.store.new_key("watcher")


def check(rooms: Rooms, auction: str, guests: Sequence[Guest]) -> tuple[int, int]:
    """See that the ledger holds what was acknowledged, once; return numbers of acknowledged sets and closed rounds."""
    stored = rooms.store.entries(auction)
    entries = [one.entry for one in stored]
    verify(entries)
    state = replay(entries)
    requests = [(one.entry.event.actor, one.request) for one in stored if one.request]
    assert len(requests) == len(set(requests)), "a request is in the ledger twice"
    by_number = {one.entry.number: one for one in stored}
    acknowledged = 0
    for guest in guests:
        for request, receipt in guest.receipts.items():
            acknowledged += 1
            kept = by_number.get(receipt["number"])
            assert kept is not None, f"{request} is lost"
            assert kept.request == request, f"{request} is lost"
            assert [list(row) for row in kept.entry.event.data["bids"]] == receipt["bids"], f"{request} was changed"
    closed = [entry.event.data["round"] for entry in entries if entry.event.kind == "round closed"]
    assert closed == list(range(1, len(closed) + 1)), f"rounds were closed as {closed}"
    assert len(state.rounds) == len(closed)
    return acknowledged, len(closed)
