"""Every table of the Siting page and the sheet of a site: no barrier in either theme, nothing that moves the page."""

from playwright.sync_api import Page, expect

from components.siting import TAB_WORDS
from tests.browser.browsing import barriers, settle
from tests.browser.test_siting import opened, ranked


def show(page: Page, tab: str) -> str:
    """Show one of the tables; return the selector of what it holds."""
    page.locator("#siting-tab").get_by_text(TAB_WORDS[tab], exact=True).click()
    body = f"#siting-tables > [data-tab-body={tab}]"
    expect(page.locator(body)).to_be_visible()
    settle(page)
    return body


def cut_off(page: Page) -> list[str]:
    """Return whether the document can be moved behind the frame that holds the page, one phrase each."""
    return page.evaluate(
        """() => {
            const found = [];
            if (document.documentElement.scrollWidth > window.innerWidth) found.push('the document is wider');
            if (document.body.scrollHeight > window.innerHeight) found.push('the body can be scrolled');
            return found;
        }"""
    )


def test_no_table_and_no_sheet_has_a_barrier_in_either_theme_and_none_moves_the_page(page: Page) -> None:
    opened(page)
    ranked(page)
    found = barriers(page)
    for tab in TAB_WORDS:
        found += [f"{tab}: {one}" for one in barriers(page, show(page, tab))]
        found += [f"{tab}: {one}" for one in cut_off(page)]
    page.evaluate("() => window.headroom.select('siting', 'bus:A')")
    expect(page.locator("#siting-sheet-place")).to_contain_text("Reliability gate")
    settle(page)
    found += [f"sheet: {one}" for one in barriers(page, "#siting-sheet-place")]
    # What a selected site and a press add.
    found += [f"agreement: {one}" for one in barriers(page, show(page, "agreement"))]
    body = show(page, "studies")
    page.get_by_role("button", name="How firm is this order").click()
    expect(page.locator(body)).to_contain_text("Places of the shortlist")
    settle(page)
    found += [f"firm: {one}" for one in barriers(page, body)]
    assert found == []
