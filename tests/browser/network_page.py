"""What the tests of the Network page do on it: open, wait, draw, type, export."""

from pathlib import Path

from playwright.sync_api import FloatRect, Page, expect

from engine.network.readers import read_network
from engine.network.tables import NetworkTables
from tests.browser.browsing import begin_study, open_page, settle

MESSAGE = "#network-message"


def new_study(page: Page, name: str = "Drawn in class") -> None:
    open_page(page, "/")
    page.locator("#shell-study-menu").click()
    page.get_by_role("button", name="New study").click()
    page.get_by_role("dialog", name="New study").get_by_label("Name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#shell-study-name")).to_have_text(name)
    settle(page)
    page.get_by_role("link", name="Network").click()
    ready(page)


def open_example(page: Page, key: str) -> str:
    """Open a grid of the library as a study, on the Network page; return the study's id."""
    study = begin_study(page, key)
    open_page(page, f"/network?study={study}")
    ready(page)
    return study


def ready(page: Page) -> None:
    expect(page.locator(".hr-draw-strip")).to_be_visible()
    page.wait_for_function(
        """() => { const h = document.getElementById('network-canvas');
                   const m = window.headroom.maps && headroom.maps.network;
                   const hidden = document.querySelector('[data-draw-canvas]').hidden;
                   return hidden ? Boolean(m && m.map && m.buses.size)
                                 : Boolean(h && h._cyreg && h._cyreg.cy.scratch('headroom')); }"""
    )
    expect(page.locator("[data-draw-table]:not([hidden]) .ag-root:visible")).to_be_visible()


def said(page: Page, words: str) -> None:
    expect(page.locator(MESSAGE)).to_contain_text(words)


def canvas(page: Page) -> FloatRect:
    box = page.locator("#network-canvas").bounding_box()
    assert box is not None
    return box


def place(page: Page, bus: str) -> tuple[float, float]:
    """Return where a bus of the canvas is on the screen."""
    x, y = page.evaluate(
        """bus => { const h = document.getElementById('network-canvas'), r = h.getBoundingClientRect();
                    const p = h._cyreg.cy.getElementById('bus:' + bus).renderedPosition();
                    return [r.x + p.x, r.y + p.y]; }""",
        bus,
    )
    return float(x), float(y)


def show_table(page: Page, name: str) -> None:
    page.locator("#network-tab").get_by_text(name, exact=True).click()


def cell(page: Page, table: str, row: int, column: str, value: str) -> None:
    """Type a value into a cell, as a person does."""
    target = page.locator(f'[data-draw-table={table}] .ag-row[row-index="{row}"] [col-id="{column}"]')
    target.scroll_into_view_if_needed()
    target.dblclick()
    page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(page.locator("[data-draw-strip]")).not_to_have_attribute("aria-busy", "true")
    said(page, f"to {value}")


def exported(page: Page) -> NetworkTables:
    """Return the network that the page exports."""
    page.locator("#network-export-menu").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Headroom JSON").click()
    path = Path(caught.value.path())
    return read_network(caught.value.suggested_filename, path.read_bytes()).tables
