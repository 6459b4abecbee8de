"""Fixtures of the browser tests: the running product, and pages that watch what they do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.browsing import DESKTOP, PATIENCE_S, Server, Watch, launch, running

_FAILED = pytest.StashKey[bool]()
# No test is about how fast the machine is: each has a minute for whatever it waits for.
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield the product, running with an empty store."""
    with running(tmp_path_factory.mktemp("product") / "home") as server:
        yield server


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


@pytest.fixture
def page(browser: Browser, server: Server, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a page of a reader who was never here, on a wide screen. It must end without an error, at the
    console, in the server's log or as a request to another host.
    """
    yield from _watched(browser, server, watch, request)


@pytest.fixture
def page_without_webgl(
    playwright: Playwright, server: Server, watch: Watch, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Yield a page in a browser that can draw without WebGL only."""
    browser = launch(playwright, webgl=False)
    try:
        yield from _watched(browser, server, watch, request)
    finally:
        browser.close()


def _watched(browser: Browser, server: Server, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    before = len(server.faults())
    context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    watch.see(page)
    yield page
    try:
        if request.node.stash.get(_FAILED, False):
            _photograph(page, request)
        else:
            watch.check()
            assert server.faults()[before:] == [], "errors in the server's log"
    finally:
        context.close()


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
