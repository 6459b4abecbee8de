"""The product as a whole: it starts, tells its health, and its shell stands in both themes and widths."""

from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, Request, expect

from callbacks.processes import health
from tests.browser.browsing import (
    DESKTOP,
    LOG,
    PATIENCE_S,
    PHONE,
    Server,
    barriers,
    open_page,
    start,
)
from tests.waiting import wait_for


def test_a_fresh_start_is_healthy_within_a_minute_of_work(server: Server) -> None:
    assert server.ready_s < 60
    told = health(server.address)
    assert told is not None
    assert (told["status"], told["database"], told["runner"]) == ("ok", "reachable", "running")


def test_what_is_kept_is_for_the_eyes_of_its_owner_only(server: Server) -> None:
    kept = [path for path in server.home.rglob("*") if path.name not in {LOG, "out.txt"}]  # these two are the test's
    assert "headroom.sqlite" in {path.name for path in kept}
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


def test_a_process_that_dies_is_started_again_and_all_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    server = start(tmp_path / "home", WEB_WORKERS="1", JOB_WORKERS="1", COMPUTE="here")
    supervisor = psutil.Process(server.process.pid)
    try:
        first = supervisor.children()
        for child in first:
            child.kill()
        wait_for(lambda: len(supervisor.children()) == 2 and not set(supervisor.children()) & set(first))
        wait_for(lambda: (health(server.address) or {}).get("runner") == "running")
        wait_for(lambda: all(child.children() for child in supervisor.children()))  # a web worker, a job worker
        family = supervisor.children(recursive=True)
    finally:
        server.process.kill()
        server.process.wait()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert alive == []


def test_the_first_page_stands_without_an_error_or_a_foreign_request(page: Page) -> None:
    open_page(page, "/")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        expect(page.locator("h1").first).to_be_visible()
        assert page.title().endswith("Headroom")
        assert barriers(page) == []  # in both themes
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0


def test_a_first_visit_asks_for_its_page_once_and_a_later_page_comes_by_itself(page: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(f"{urlsplit(request.url).path} {request.post_data or ''}")

    page.on("request", note)
    open_page(page, "/")
    # The preloaded answer is the one that Dash takes: a second request would mean that the two do not match.
    for path in ("/_dash-layout", "/_dash-dependencies"):
        assert len([one for one in asked if one.startswith(path)]) == 1
    assert not [one for one in asked if "_pages_content" in one]
    page.locator("#shell-rail-network").click()
    expect(page).to_have_title("Network - Headroom")
    assert len([one for one in asked if "_pages_content" in one]) == 1
    page.go_back()
    expect(page).to_have_title("Home - Headroom")
    expect(page.locator(".hr-doors")).to_be_visible()


def test_an_unknown_page_says_so(page: Page) -> None:
    open_page(page, "/nowhere")
    expect(page.locator("h1").first).to_contain_text("nothing here")
