"""What opening a page costs its browser and the server: `python -m tests.benchmarks.pages`.

The product runs as its reader starts it. A page counts as open when nothing of it has changed for a while. Processor
times are those of the processes, so other work on the machine moves them less than it moves a clock; each is the median
of a few visits with a warm cache. Each run adds a dated table to results/browser.md.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from engine.auction.templates import Seat
from tests.benchmarks.browser import RESULTS
from tests.browser.auction_page import Host, made
from tests.browser.browsing import DESKTOP, Server, begin_study, launch, processor_s, running
from tests.rooms import configuration

VISITS = 3
QUIET_MS = 1500
LONGEST_MS = 120_000
GRID = "fourbus"
HEAD = "page | components | told to React | callbacks sent | requests | renderer, s | server, s"
# Counts how often React's side of Dash's store is told of a change. What is put in the way of that stays in the way.
_COUNT = """
(() => {
    const stores = [];
    let push = Array.prototype.push;
    window.told = 0;
    Object.defineProperty(stores, 'push', {
        get: () => store => {
            const length = push.call(stores, store);
            store.subscribe(() => { window.told += 1; });
            return length;
        },
        set: own => { push = own; },
    });
    window.dash_stores = stores;
})();
"""
_QUIET = """quiet => {
    const loading = document.querySelector("._dash-loading, [data-dash-is-loading=true]");
    const busy = loading || !document.querySelector("h1");
    const now = performance.now();
    if (busy || window.toldThen !== window.told) { window.toldThen = window.told; window.since = now; }
    return now - window.since > quiet;
}"""
_COMPONENTS = """() => {
    let count = 0;
    (function walk(part) {
        if (!part || typeof part !== 'object') return;
        if (part.namespace && part.type) count += 1;
        Object.values(part).forEach(walk);
    })(window.dash_stores[0].getState().layout);
    return count;
}"""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit of a page came to. Times are of processors, in seconds."""

    components: int
    told: int
    callbacks: int
    requests: int
    renderer_s: float
    server_s: float


def main(label: str) -> None:
    """Measure and add a table to the results."""
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "home") as server,
        sync_playwright() as started,
    ):
        browser = launch(started)
        context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
        context.new_page().goto("/healthz")  # it stays, and with it the process of all pages
        rows = [_row(name, context, address, server) for name, address in _addresses(context).items()]
        rows += [_row(name, seen, address, server) for name, seen, address in _rooms(browser, server)]
        browser.close()
    text = "\n".join([*_heading(label, load), *rows]) + "\n"
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(text)
    print(text)


def _heading(label: str, load: float) -> list[str]:
    words = (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores, load {load:.1f} at the start, "
        f"{label}; studies of the grid {GRID}; median of {VISITS} visits with a warm cache. Open: nothing has changed "
        f"for {QUIET_MS / 1000:g} s. Times are of the renderer's and of all the server's processors."
    )
    return ["", "## What opening a page costs", "", words, "", f"| {HEAD} |", "|---" * len(HEAD.split("|")) + "|"]


def _addresses(context: BrowserContext) -> dict[str, str]:
    page = context.new_page()
    study = begin_study(page, GRID)
    page.close()
    return {
        "Home": "/",
        "Network": f"/network?study={study}",
        "Capacity": f"/capacity?study={study}",
        "Siting": f"/siting?study={study}",
        "Auction": "/auction",
        "Feeder": "/feeder",
        "Hubs": "/hubs",
        "Resilience": "/resilience",
    }


def _rooms(browser: Browser, server: Server) -> list[tuple[str, BrowserContext, str]]:
    room = made(server, configuration(), [Seat("Ada", None), Seat("Ben", None)])
    host = Host(browser, server, room)
    host.context.new_page().goto("/healthz")
    seat = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
    page = seat.new_page()
    page.goto(f"/auction/join#key={room.seats['Ada']}")
    page.wait_for_url("**/auction/seat?auction=*")
    address = page.url
    page.goto("/healthz")
    return [("Auction, host", host.context, f"/auction?auction={room.id}"), ("Auction, bidder", seat, address)]


def _row(name: str, context: BrowserContext, address: str, server: Server) -> str:
    for _ in range(2):  # one for each web process; what begins by itself ends
        _visit(context, address, server)
    visits = [astuple(_visit(context, address, server)) for _ in range(VISITS)]
    *counts, renderer_s, server_s = (statistics.median(figures) for figures in zip(*visits, strict=True))
    row = f"| {name} | {' | '.join(f'{count:.0f}' for count in counts)} | {renderer_s:.2f} | {server_s:.2f} |"
    print(row, flush=True)
    return row


def _visit(context: BrowserContext, address: str, server: Server) -> Visit:
    page = context.new_page()
    page.add_init_script(_COUNT)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before, served = _renderers_s(), processor_s(server.process.pid)
    page.goto(address)
    _wait_until_quiet(page)
    visit = Visit(
        page.evaluate(_COMPONENTS),
        page.evaluate("() => window.told"),
        sum("/_dash-update-component" in url for url in asked),
        len(asked),
        _renderers_s() - before,
        processor_s(server.process.pid) - served,
    )
    page.close()
    return visit


def _wait_until_quiet(page: Page) -> None:
    page.wait_for_function(_QUIET, arg=QUIET_MS, polling=250, timeout=LONGEST_MS)


def _renderers_s() -> float:
    """Return the processor time of the pages' processes. One that has just ended is one that no page uses."""
    spent = 0.0
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "--type=renderer" in one.cmdline():
                times = one.cpu_times()
                spent += times.user + times.system
    return spent


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return f"commit {asked.stdout.strip()}"


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or _commit())
