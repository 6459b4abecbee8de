"""A long computation in a browser: it outlives the page that asked, and the server that computes it."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import DESKTOP, Server, Watch, end, open_page, start
from tests.waiting import wait_for

_QUESTION = "sites=7001,8002&mw=1000&eps=5&supply=headroom&zero=hold&states=hourly"
_WHOLE_YEAR = {"hours": 0}  # a minute of work and more: it is never done before the test has looked
_WEEKS = {"hours": 300}  # a few seconds of work
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
    """End the product as Ctrl+C does and start it in the same place."""
    end(server.process)
    assert server.process.returncode == 0
    return start(server.home, PORT=str(urlsplit(server.address).port))


def test_a_job_survives_a_reload_and_a_restart_and_is_cancelled_or_answered(
    browser: Browser, watch: Watch, tmp_path: Path
) -> None:
    server = start(tmp_path / "home")
    page = browser.new_context(base_url=server.address, viewport=DESKTOP).new_page()
    watch.see(page)
    try:
        open_page(page, "/")
        page.locator('button[id*="texas-2016"]').first.click()
        page.wait_for_url("**/capacity?study=*")
        study = page.url.partition("study=")[2].partition("&")[0]
        banner = page.locator("#shell-job-banner .hr-jobs-words")

        before = {job["id"] for job in jobs(page)}
        page.goto(asked(study, _WHOLE_YEAR))
        wait_for(lambda: {job["id"] for job in jobs(page)} > before)
        (long,) = {job["id"] for job in jobs(page)} - before
        card = page.locator(f'.hr-progress[data-job="{long}"] .hr-progress-words')
        expect(card).to_have_text(_MOVING)
        page.reload()
        expect(card).to_have_text(_MOVING)
        expect(banner).to_have_text(_MOVING)

        page.goto("about:blank")  # else it would ask a server that is away
        server = again(server)
        page.goto(f"{server.address}{asked(study, _WHOLE_YEAR)}")
        expect(card).to_have_text(_MOVING)

        page.locator("#shell-job-banner .hr-jobs-button").click()
        page.locator(f'[data-job-line="{long}"]').get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The computation was cancelled")).to_be_visible()
        assert [job["state"] for job in jobs(page) if job["id"] == long] == ["cancelled"]

        page.goto(asked(study, _WEEKS))
        wait_for(lambda: any(job["state"] == "running" for job in jobs(page)))
        page.goto("about:blank")
        server = again(server)
        open_page(page, f"{server.address}{asked(study, _WEEKS)}")
        expect(page.locator("#capacity-totals")).to_contain_text(re.compile(r"\d MW|\d GW"), timeout=120_000)
        watch.check()
        assert server.faults() == []
    finally:
        page.context.close()
        end(server.process)
