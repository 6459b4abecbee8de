"""How fast the Texas map stands in a browser, and what it weighs: `python -m tests.benchmarks.browser`.

The product runs as its reader starts it; each figure is the median of five visits with a cold cache, on this
machine (server and browser together). Written as measured, with the date, to results/browser.md.
"""

import os
import platform
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, StorageState, sync_playwright

from tests.browser.browsing import DESKTOP, launch, open_page, running
from tests.waiting import wait_for

VISITS = 5
RESULTS = Path(__file__).parent / "results" / "browser.md"
LIMITS = {"first paint, s": 2.0, "switch of layer, s": 0.3, "bytes before any chart, MB": 1.5}

# Whole means every bus and branch is on the canvas and two frames have been shown since.
_WATCH = """
window.whole = new Promise(done => document.addEventListener('headroom:map', event => {
    const map = window.headroom.maps[event.detail.page];
    if (map.buses.size >= 2000 && map.branches.size >= 3206)
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
}));
"""
_SWITCH = """async () => {
    const inputs = [...document.querySelectorAll('.hr-map-switch input')];
    if (inputs.length < 2) return [];
    const times = [];
    for (const input of inputs.slice(1).concat(inputs[0])) {
        const begun = performance.now();
        input.click();
        for (let frame = 0; frame < 3; frame++) await new Promise(done => requestAnimationFrame(done));
        times.push(performance.now() - begun);
        await new Promise(done => setTimeout(done, 300));
    }
    return times;
}"""


@dataclass
class Visit:
    """What one visit with a cold cache measured."""

    whole_s: float
    switches_s: list[float]
    transferred: int  # bytes over the wire, headers included
    by_kind: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Measure and write."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "home") as server,
        sync_playwright() as started,
    ):
        lines = [*_heading()]
        for webgl in (True, False):
            browser = launch(started, webgl=webgl)
            state, study = _open_texas(browser, server.address)
            for path in ("/network", "/capacity"):
                address = f"{server.address}{path}?study={study}"
                _warm(browser, address, state)
                visits = [_visit(browser, address, state) for _ in range(VISITS)]
                lines += _report(path, "with WebGL" if webgl else "without WebGL", visits)
            browser.close()
    text = "\n".join(lines) + "\n"
    RESULTS.parent.mkdir(exist_ok=True)
    kept = RESULTS.read_text(encoding="utf-8").partition("\n## ") if RESULTS.exists() else ("", "", "")
    RESULTS.write_text(text + kept[1] + kept[2], encoding="utf-8")  # tests.benchmarks.pages has its tables below
    print(text)


def _heading() -> list[str]:
    limits = ", ".join(f"{name} {limit:g}" for name, limit in LIMITS.items())
    usual = not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) == os.SCHED_OTHER
    ahead = "" if usual else " (all parts run ahead of it, by real-time priority)"
    return [
        "# The Texas map in a browser",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores ({platform.machine()}), load "
        f"{psutil.getloadavg()[0]:.1f} at the start{ahead}, headless Chromium, 1440 x 900; median of {VISITS} visits "
        "with a cold cache (worst in brackets), to a server that was visited before. First paint: from the start of "
        "navigation until all 2,000 buses and 3,206 branches have been on screen for two frames. "
        f"Limits: {limits}.",
        "",
        "| page | browser | first paint, s | switch of layer, s | bytes before any chart, MB |",
        "|---|---|---|---|---|",
    ]


def _open_texas(browser: Browser, address: str) -> tuple[StorageState, str]:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    open_page(page, "/")
    page.locator(".hr-example", has_text="Texas 2000").first.click()
    page.wait_for_url("**study=*")
    study = parse_qs(urlsplit(page.url).query)["study"][0]
    state = context.storage_state()
    context.close()
    return state, study


def _warm(browser: Browser, address: str, state: StorageState) -> None:
    """Visit a page, so that the server has what it keeps, and wait until nothing is being computed for it."""
    for _ in range(2):  # one for each web process
        context = browser.new_context(storage_state=state)
        page = context.new_page()
        open_page(page, address)
        assert page.locator("[data-map]").count() == 1
        wait_for(lambda page=page: not _busy(page), 300)
        context.close()


def _busy(page: Page) -> bool:
    states = page.evaluate("fetch('/api/jobs').then(answer => answer.json()).then(told => told.jobs.map(j => j.state))")
    return bool({"queued", "running"} & set(states))


def _visit(browser: Browser, address: str, state: StorageState) -> Visit:
    context = browser.new_context(storage_state=state, viewport=DESKTOP)
    try:
        return _watched_visit(context, address)
    finally:
        context.close()


def _watched_visit(context: BrowserContext, address: str) -> Visit:
    page = context.new_page()
    page.add_init_script(_WATCH)
    weights = _weigh(context.new_cdp_session(page))
    page.goto(address, wait_until="commit")
    whole_s = page.evaluate("() => window.whole") / 1000
    page.wait_for_load_state("networkidle")
    by_kind = dict(weights)
    assert not _has_chart(page), "a chart is open: the bytes would not be those before any chart"
    return Visit(whole_s, [ms / 1000 for ms in page.evaluate(_SWITCH)], sum(by_kind.values()), by_kind)


def _weigh(session: CDPSession) -> dict[str, int]:
    weights: dict[str, int] = defaultdict(int)
    kinds: dict[str, str] = {}
    session.on(
        "Network.responseReceived", lambda event: kinds.update({event["requestId"]: _kind(event["response"]["url"])})
    )
    session.on(
        "Network.loadingFinished",
        lambda event: weights.update(
            {kinds.get(event["requestId"], "other"): weights[kinds.get(event["requestId"], "other")]
             + int(event["encodedDataLength"])}
        ),
    )  # fmt: skip
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    return weights


def _kind(url: str) -> str:
    path = urlsplit(url).path
    if path.startswith("/_dash-component-suites/"):
        return path.split("/")[2]
    if path.startswith("/assets/"):
        return "assets"
    return "map" if path.startswith("/api/networks") else "answers"


def _has_chart(page: Page) -> bool:
    return page.locator(".js-plotly-plot").count() > 0


def _report(path: str, browser: str, visits: list[Visit]) -> list[str]:
    whole = [visit.whole_s for visit in visits]
    switches = [time for visit in visits for time in visit.switches_s]
    weight = statistics.median(visit.transferred for visit in visits) / 1e6
    switched = f"{statistics.median(switches):.2f} ({max(switches):.2f})" if switches else "one layer"
    row = f"| {path} | {browser} | {statistics.median(whole):.2f} ({max(whole):.2f}) | {switched} | {weight:.2f} |"
    parts = sorted(visits[-1].by_kind.items(), key=lambda part: -part[1])
    print(row, ", ".join(f"{kind} {size / 1000:.0f} kB" for kind, size in parts))
    return [row]


if __name__ == "__main__":
    main()
