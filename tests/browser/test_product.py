"""The product as a whole: it starts, tells its health, and its shell stands in both themes and widths."""

import pytest
from playwright.sync_api import Page, expect

from callbacks.processes import health
from tests.browser.browsing import DESKTOP, PHONE, THEMES, Server, axe_violations, open_page, set_theme


def test_a_fresh_start_is_healthy_within_a_minute(server: Server) -> None:
    assert server.ready_s < 60
    told = health(server.address)
    assert told is not None
    assert told["database"] == "reachable"


def test_the_start_tells_the_address(server: Server) -> None:
    assert server.address in (server.home / "out.txt").read_text()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "narrow"])
def test_the_first_page_stands_without_an_error_or_a_foreign_request(
    page: Page, theme: str, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)
    set_theme(page, theme)
    open_page(page, "/")
    expect(page.locator("h1").first).to_be_visible()
    assert page.title().endswith("Headroom")
    assert axe_violations(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_an_unknown_page_says_so(page: Page) -> None:
    open_page(page, "/nowhere")
    expect(page.locator("h1").first).to_contain_text("nothing here")
