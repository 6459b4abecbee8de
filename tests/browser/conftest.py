"""Fixtures of the browser tests: pages of the running product, which watch what they do."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.auction_page import come_in
from tests.browser.browsing import DESKTOP, PATIENCE_S, Server, Watch, forget, launch

_FAILED = pytest.StashKey[bool]()
# No test is about how fast the machine is: each has a minute for whatever it waits for.
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Yield Playwright."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Yield a Chromium."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def watch() -> Watch:
    """Return what the test's pages did that they must not do. A test that provokes an error clears it."""
    return Watch()


@pytest.fixture(scope="session")
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """Yield where the pages of all tests are opened, one after another: what the product serves is fetched once.

    One page stays, and with it the process of all: scripts of several MB are compiled once, not for each test.
    """
    context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_S * 1000)
    context.new_page().goto("/healthz")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, server: Server, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a page of a reader who was never here, on a wide screen. It must end without an error, at the
    console, in the server's log or as a request to another host.
    """
    before = len(server.faults())
    stays = context.pages
    page = context.new_page()
    forget(page, server.address)
    watch.see(page)
    yield page
    try:
        if request.node.stash.get(_FAILED, False):
            _photograph(page, request)
        else:
            watch.check()
            assert server.faults()[before:] == [], "errors in the server's log"
    finally:
        watch.leave(context)
        for one in context.pages:
            if one not in stays:
                one.close()


@pytest.fixture
def opened(browser: Browser, server: Server, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Yield what opens a seat of an auction; at the end its pages must have done nothing that they must not do."""
    pages: list[Page] = []

    def of(key: str, **more: Any) -> Page:
        pages.append(come_in(browser, server, watch, key, **more))
        return pages[-1]

    yield of
    for page in pages:
        page.context.close()
    watch.check()


def _photograph(page: Page, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    path: Path = folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '_', request.node.name)}.png"
    page.screenshot(path=path)
    request.node.add_report_section("teardown", "screenshot", str(path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember that a test failed, for its page's fixture."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[_FAILED] = True
    return report
