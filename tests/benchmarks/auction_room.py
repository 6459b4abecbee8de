"""A full auction room under load, flood and kills: ``python -m tests.benchmarks.auction_room [PART] [KILLS]``.

Everything on this machine: the product as its reader starts it, 200 programs that poll as browsers do (60 bidders on
60 lots, spectators, a host), and a few real browsers with the projector's page. Beside SQLite and PostgreSQL.
PART is "load", "flood" or "kills"; all of them without one.
"""

import asyncio
import multiprocessing
import os
import platform
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from callbacks.auction_room import Rooms
from engine.store import Store
from tests.browser.browsing import Server, end, launch, start
from tests.crowd import Guest, Tally, check, keys_of, sale
from tests.crowd_runs import KILLED, Happened, flood, hang_up, killed, play
from tests.postgres import server as postgres
from tests.rooms import seat

RESULT = Path(__file__).parent / "results" / "auction_room.md"
BIDDERS, LOTS, BROWSERS, ROUND_S, ROUNDS, BIDS = 60, 60, 200, 30.0, 4, 20
REAL = 2
SENDERS = 2
FLOODS = (  # orders on a line, whether the senders listen, whether to the room
    (0, True, True), (1, True, True), (16, True, True), (1, False, True), (16, False, True), (16, False, False),
)  # fmt: skip
KILLS = 100


@dataclass(slots=True)
class Processor:
    """How much of the processors the server used while it was watched."""

    busy_s: float = 0.0
    watched_s: float = 0.0

    @property
    def percent(self) -> float:
        """Return the use, one core being 100."""
        return 100.0 * self.busy_s / self.watched_s


def used_s(server: Server) -> float:
    """Return the seconds of processor that the server's processes have used."""
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in family)


@dataclass(slots=True)
class Screens:
    """A few real browsers that show the room, and when each showed which round."""

    shown: list[tuple[int, float]] = field(default_factory=list)  # round, moment
    faults: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def show(address: str, auction: str, key: str, screens: Screens) -> None:
    """Open the projector's page in real browsers and note when its text names another round."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        pages = [browser.new_context().new_page() for _ in range(REAL)]
        for page in pages:
            page.on("pageerror", lambda error: screens.faults.append(str(error)))
            page.goto(f"{address}/auction/screen?auction={auction}#key={key}")
            page.wait_for_function("() => window.headroom && window.headroom.room", timeout=60_000)
            page.evaluate(
                """() => {
                     window.seen = [];
                     let last = '';
                     setInterval(() => {
                       const found = document.body.innerText.match(/[Rr]ound\\s+(\\d+)/);
                       if (!found || found[1] === last) return;
                       last = found[1];
                       window.seen.push([+last, Date.now() / 1000]);
                     }, 25);
                   }"""
            )
        screens.ready.set()
        while not screens.over.wait(0.5):
            pages[0].wait_for_timeout(50)
        for page in pages:
            screens.shown += [(int(number), float(moment)) for number, moment in page.evaluate("window.seen")]
        browser.close()


@contextmanager
def showing(address: str, auction: str, key: str) -> Iterator[Screens]:
    """Let real browsers show the room meanwhile."""
    screens = Screens()
    thread = threading.Thread(target=show, args=(address, auction, key, screens))
    thread.start()
    screens.ready.wait(120)
    try:
        yield screens
    finally:
        screens.over.set()
        thread.join(60)


@dataclass(frozen=True, slots=True)
class Load:
    """What one run gave."""

    database: str
    tally: Tally
    acknowledged: int
    closed: int
    percent: float
    on_screens_s: list[float]
    faults: int


def loaded(database: str, home: Path, url: str) -> Load:
    """Play the rounds with everybody in the room."""
    server = start(home, DATABASE_URL=url, WEB_WORKERS="2")
    try:
        store = Store(url)
        rooms, tally, processor = Rooms(store), Tally(), Processor()
        auction = rooms.create("nobody", sale(LOTS, ROUND_S), [seat(f"Bidder {n}") for n in range(BIDDERS)])
        host, seats, watcher = keys_of(rooms, auction)
        watchers = BROWSERS - BIDDERS - 1
        guests = [Guest(server.address, auction, "bidder", tally, n) for n in range(BIDDERS)]
        guests += [Guest(server.address, auction, "public", tally, 1000 + n) for n in range(watchers)]
        guests.append(Guest(server.address, auction, "host", tally, 5000))
        keys = [*seats, *[watcher] * watchers, host]

        def begun() -> None:
            tally.statuses.clear()
            tally.polled_s.clear()
            processor.busy_s, processor.watched_s = -used_s(server), -time.monotonic()

        with showing(server.address, auction, watcher) as screens:
            asyncio.run(play(guests, keys, rounds=ROUNDS, lots=BIDS, begun=begun))
            processor.busy_s += used_s(server)
            processor.watched_s += time.monotonic()
        acknowledged, closed = check(rooms, auction, guests)
        ends = {
            one.entry.event.data["round"]: one.entry.event.at
            for one in rooms.store.entries(auction)
            if one.entry.event.kind == "round closed"
        }
        store.close()
        # A screen shows round r once round r - 1 is closed; the deadline was SETTLE_S or more before that.
        after = [moment - _deadline(rooms, auction, number) for number, moment in screens.shown if number - 1 in ends]
        faults = len(tally.faults) + len(server.faults()) + len(screens.faults)
        for fault in (*tally.faults[:3], *screens.faults[:3]):
            print("fault:", fault)
        return Load(database, tally, acknowledged, closed, processor.percent, after, faults)
    finally:
        end(server.process)


def flooded(home: Path, url: str, at_once: int, listening: bool, to_room: bool) -> str:
    """Play one round while one seat of it sends all it can, so many orders at once; return the line of the table.

    With none at once nobody sends: what the others measure then is what a flood is compared with. Where it is not sent
    to the room but to a program beside it, they measure what the senders take from the machine.
    """
    server = start(home, DATABASE_URL=url, WEB_WORKERS="2")
    spawn = multiprocessing.get_context("spawn")
    try:
        store = Store(url)
        rooms, tally, processor = Rooms(store), Tally(), Processor()
        auction = rooms.create("nobody", sale(LOTS, ROUND_S), [seat(f"Bidder {n}") for n in range(BIDDERS)])
        host, seats, watcher = keys_of(rooms, auction)
        watchers = BROWSERS - BIDDERS - 1
        guests = [Guest(server.address, auction, "bidder", tally, n) for n in range(1, BIDDERS)]
        guests += [Guest(server.address, auction, "public", tally, 1000 + n) for n in range(watchers)]
        guests.append(Guest(server.address, auction, "host", tally, 5000))
        hostile = Guest(server.address, auction, "bidder", Tally(), 0)
        asyncio.run(_let_in(hostile, seats[0]))
        with ExitStack() as meanwhile:
            target = server.address if to_room else meanwhile.enter_context(elsewhere())
            pool = meanwhile.enter_context(ProcessPoolExecutor(SENDERS, mp_context=spawn))
            told = (target, auction, hostile.line.cookie, ROUND_S, at_once)
            future: list[Future[Counter[str]]] = []
            keys = [*seats[1:], *[watcher] * watchers, host]

            def begun() -> None:
                tally.polled_s.clear()
                processor.busy_s, processor.watched_s = -used_s(server), -time.monotonic()
                if at_once:
                    future.extend(pool.submit(flood, *told, listening=listening) for _ in range(SENDERS))

            asyncio.run(play(guests, keys, rounds=1, lots=BIDS, begun=begun))
            processor.busy_s += used_s(server)
            processor.watched_s += time.monotonic()
            found = sum((one.result() for one in future), Counter[str]())
        acknowledged, _ = check(rooms, auction, guests)
        store.close()
        print("flood:", found)
        how = f"{at_once}, then they {'listen' if listening else 'hang up'}" if at_once else "nothing is sent"
        how += "" if to_room else "; to another program"
        return (
            f"| {how} | {found['sent'] / ROUND_S:,.0f} | {found['429'] / ROUND_S:,.0f} | {found['200']:,} "
            f"| {acknowledged} "
            f"| {ms(tally.acknowledged_s, 95)} | {ms(tally.acknowledged_s, 100)} | {ms(tally.polled_s, 95)} "
            f"| {ms(tally.shown_s, 95)} | {len(tally.faults) + tally.unanswered} "
            f"| {processor.percent:.0f} | {found['ms'] / ROUND_S / 10:.0f} |"
        )
    finally:
        end(server.process)


@contextmanager
def elsewhere() -> Iterator[str]:
    """Give the address of a program that hangs up whoever calls."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as door:
        process = multiprocessing.get_context("spawn").Process(target=hang_up, args=(door,), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            process.kill()
            process.join()


async def _let_in(guest: Guest, key: str) -> None:
    await guest.come_in(key)
    await guest.leave()


def flood_report() -> list[str]:
    """Let one seat flood a full room beside SQLite; return the section of the report."""
    lines = [
        "## One seat that sends all it can",
        "",
        heading(
            f"the room above for one round, while {SENDERS} other processes on this machine send sets of bids of one "
            f"of its {BIDDERS} seats as fast as they can: so many orders on a line, then they listen for the answers "
            "or hang up, and call again. Everybody has the same address. Turned away: refused before session, JSON and "
            "database are looked at; what is sent and not answered was never read. The columns from the bids to the "
            "errors are the other 199. To another program: what the senders alone take from the machine's processors, "
            "which the room and everybody who measures it are on as well."
        ),
        "",
        "| orders on a line | sent per second | turned away per second | answered by the room | sets acknowledged "
        "| bid p95, ms | worst | poll p95, ms | result p95, ms | errors | server CPU (one core = 100) "
        "| the senders' own |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for at_once, listening, to_room in FLOODS:
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home)
            lines.append(flooded(folder, f"sqlite:///{folder / 'headroom.sqlite'}", at_once, listening, to_room))
        print(lines[-1], flush=True)
    return lines


def _deadline(rooms: Rooms, auction: str, number: int) -> float:
    """Return the deadline of the round before round ``number``."""
    deadlines: dict[int, float] = {}
    for stored in rooms.store.entries(auction):
        event = stored.entry.event
        if event.kind == "opened":
            deadlines[1] = event.data["deadline"]
        if event.kind == "round closed":
            deadlines[event.data["round"] + 1] = event.data["deadline"]
    return deadlines[number - 1]


def ms(values: Sequence[float], percentile: float) -> str:
    """Return a percentile in milliseconds."""
    return f"{1000 * float(np.percentile(values, percentile)):,.0f}" if values else "none"


def load_rows(found: Load) -> str:
    """Return a run as a line of the table."""
    tally = found.tally
    answers = sum(tally.statuses.values())
    return (
        f"| {found.database} | {found.acknowledged:,} | {ms(tally.acknowledged_s, 50)} | "
        f"{ms(tally.acknowledged_s, 95)} | {ms(tally.acknowledged_s, 100)} | {ms(tally.polled_s, 95)} | "
        f"{ms(tally.shown_s, 50)} | {ms(tally.shown_s, 95)} | {ms(tally.shown_s, 100)} | "
        f"{ms(found.on_screens_s, 100)} | {answers:,} | {found.faults + tally.unanswered} | {found.percent:.0f} |"
    )


def heading(what: str) -> str:
    """Return when and where this was measured."""
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores ({platform.machine()}), "
        f"load {os.getloadavg()[0]:.1f} at the start{before_others()}: {what}"
    )


def before_others() -> str:
    """Return in words whether this runs in a scheduling group that goes before other work on the machine."""
    group = Path("/proc/self/autogroup")
    found = group.read_text(encoding="ascii").split() if group.exists() else ["", "nice", "0"]
    return f" from other work, which this went before (scheduling group nice {found[-1]})" if found[-1] != "0" else ""


def load_report() -> list[str]:
    """Run the load beside both databases; return the section of the report."""
    lines = [
        "## A full room",
        "",
        heading(
            f"{BROWSERS} programs that poll as browsers do, {BIDDERS} of them bidders on {LOTS} lots with sets of 1 to "
            f"{BIDS} bids, and {REAL} real browsers with the projector's page, all on this machine; {ROUNDS} rounds of "
            f"{ROUND_S:.0f} s, 2 workers. A bid: from sending it to its receipt. A result: from the round's deadline "
            "(the room settles for 500 ms after it) to the next round on a screen. Wanted: a bid within 150 ms, a "
            "result within 1,500 ms, both at p95, no error."
        ),
        "",
        "| database | sets acknowledged | bid p50, ms | p95 | worst | poll p95, ms | result p50, ms | p95 | worst "
        "| real browsers, worst | answers | errors | server CPU (one core = 100) |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        lines.append(load_rows(loaded("SQLite", folder, f"sqlite:///{folder / 'headroom.sqlite'}")))
        print(lines[-1], flush=True)
    with tempfile.TemporaryDirectory() as home, postgres() as url:
        lines.append(load_rows(loaded("PostgreSQL", Path(home), url)))
        print(lines[-1], flush=True)
    return lines


def kill_report(kills: int) -> list[str]:
    """Kill the server under a room beside both databases; return the section of the report."""
    lines = [
        "## A room whose server is killed",
        "",
        heading(
            f"{kills} times SIGKILL beside each database in a running auction of 6 bidders, rounds of 10 s: a "
            f"{' or a '.join(KILLED[:2])}, a fifth of them everything, at a random moment, a fifth of them as a round "
            "is closed. Lost, twice: acknowledged sets that are not in the ledger as they were acknowledged, or more "
            "than once; rounds that were closed twice. The run stops with an error at the first of any."
        ),
        "",
        "| database | kills | sets acknowledged | lost | twice | rounds closed | closed twice | requests sent again "
        "| longest until the room went on, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]

    def row(database: str, found: Happened) -> str:
        return (
            f"| {database} | {found.kills} | {found.acknowledged:,} | 0 | 0 | {found.rounds} | 0 | "
            f"{found.unanswered:,} | {found.longest_s:.1f} |"
        )

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        lines.append(row("SQLite", killed(folder, f"sqlite:///{folder / 'headroom.sqlite'}", kills, 11)))
        print(lines[-1], flush=True)
    with tempfile.TemporaryDirectory() as home, postgres() as url:
        lines.append(row("PostgreSQL", killed(Path(home), url, kills, 12)))
        print(lines[-1], flush=True)
    return lines


def main(arguments: list[str]) -> None:
    parts = arguments[:1] or ["load", "flood", "kills"]
    kept = RESULT.read_text(encoding="utf-8").split("\n## ") if RESULT.exists() else ["# The auction room"]
    sections = {part.split("\n", 1)[0]: part for part in kept[1:]}
    made: list[list[str]] = []
    if "load" in parts:
        made.append(load_report())
    if "flood" in parts:
        made.append(flood_report())
    if "kills" in parts:
        made.append(kill_report(int(arguments[1]) if len(arguments) > 1 else KILLS))
    for lines in made:
        sections[lines[0].removeprefix("## ")] = "\n".join(lines).removeprefix("## ").rstrip() + "\n"
    text = "# The auction room\n" + "".join(f"\n## {part.rstrip()}\n" for part in sections.values())
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
