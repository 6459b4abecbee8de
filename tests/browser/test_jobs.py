"""A long computation in a browser: it outlives the page that asked, and the server that computes it."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import DESKTOP, Server, Watch, end, open_page, start
from tests.waiting import wait_for

_QUESTION = "sites=7001,8002&mw=1000&eps=5&supply=headroom&zero=hold&states=hourly"
_WHOLE_YEAR = {"hours": 0}  # a minute of work and more: it is never done before the test has looked
_WEEKS = {"hours": 300}  # a few seconds of work
# Two jobs at a time, the long one and a short one; each is computed by its worker alone.
_SETTINGS = {"WEB_WORKERS": "1", "JOB_WORKERS": "2", "COMPUTE": "here"}
_MOVING = re.compile(r"[1-9]\d*\s?%")


@pytest.fixture
def watch() -> Watch:
    return Watch()


def asked(study: str, states: dict[str, int]) -> str:
    return f"/capacity?study={study}&{_QUESTION}&with={quote(json.dumps(states))}"


def jobs(page: Page) -> list[dict[str, Any]]:
    """Return what the server tells this reader of his jobs."""
    told: list[dict[str, Any]] = page.evaluate("fetch('/api/jobs').then(answer => answer.json())")["jobs"]
    return told


def again(server: Server) -> Server:
    """End the product as Ctrl+C does, see that nothing of it is left, and start it in the same place."""
    supervisor = psutil.Process(server.process.pid)
    family = [supervisor, *supervisor.children(recursive=True)]
    end(server.process)
    assert server.process.returncode == 0
    assert [one for one in family if one.is_running()] == []
    # Whoever copies the folder of a product that ended finds all that was written in one file.
    assert [path.name for path in server.home.glob("headroom.sqlite*")] == ["headroom.sqlite"]
    return start(server.home, PORT=str(urlsplit(server.address).port), **_SETTINGS)


def test_jobs_survive_a_reload_and_a_restart_and_are_cancelled_or_answered(
    browser: Browser, watch: Watch, tmp_path: Path
) -> None:
    server = start(tmp_path / "home", **_SETTINGS)
    page = browser.new_context(base_url=server.address, viewport=DESKTOP).new_page()
    watch.see(page)
    try:
        open_page(page, "/")
        page.locator('button[id*="texas-2016"]').first.click()
        page.wait_for_url("**/capacity?study=*")
        study = page.url.partition("study=")[2].partition("&")[0]
        banner = page.locator("#shell-job-banner .hr-jobs-words")

        long = begun(page, asked(study, _WHOLE_YEAR))
        card = page.locator(f'.hr-progress[data-job="{long}"] .hr-progress-words')
        expect(card).to_have_text(_MOVING)
        page.reload()
        expect(card).to_have_text(_MOVING)
        expect(banner).to_have_text(_MOVING)
        short = begun(page, asked(study, _WEEKS))
        wait_for(lambda: states(page)[short] == "running")

        page.goto("about:blank")  # else it would ask a server that is away
        server = again(server)
        page.goto(f"{server.address}{asked(study, _WHOLE_YEAR)}")
        expect(card).to_have_text(_MOVING)

        page.locator("#shell-job-banner .hr-jobs-button").click()
        page.locator(f'[data-job-line="{long}"]').get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The computation was cancelled")).to_be_visible()
        assert states(page)[long] == "cancelled"

        open_page(page, asked(study, _WEEKS))
        expect(page.locator("#capacity-totals")).to_contain_text(re.compile(r"\d MW|\d GW"), timeout=120_000)
        watch.check()
        assert server.faults() == []
    finally:
        page.context.close()
        end(server.process)


def begun(page: Page, address: str) -> str:
    """Open a page whose answer is a job; return the job's id."""
    before = {job["id"] for job in jobs(page)}
    page.goto(address)
    wait_for(lambda: {job["id"] for job in jobs(page)} > before)
    (new,) = {job["id"] for job in jobs(page)} - before
    return str(new)


def states(page: Page) -> dict[str, str]:
    """Return the state of each of this reader's jobs, by id."""
    return {job["id"]: job["state"] for job in jobs(page)}
