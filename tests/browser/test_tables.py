"""Tables in the browser: the page's selection reaches them however slowly they are drawn."""

from playwright.sync_api import Page, expect

from tests.browser.browsing import begin_study, open_page

# React's scheduler goes on by messages. Held back, the grid is drawn long before its component knows of it, which
# is what a busy machine does now and then: a row selected in between is lost, and leaves an error at the console.
SLOW = """() => {
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (...given) { setTimeout(() => post.apply(this, given), 40); };
}"""


def test_the_row_of_an_address_is_selected_where_drawing_is_slow(page: Page) -> None:
    study = begin_study(page, "fourbus")
    page.add_init_script(f"({SLOW})()")
    open_page(page, f"/capacity?study={study}&sel=bus:3")
    expect(page.locator('#capacity-sites-grid [row-id="3"].ag-row-selected').first).to_be_visible()
