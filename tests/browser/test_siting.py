"""The Siting page in a browser: it opens with a result, answers at once, selects both ways, its link restores it."""

import json
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, axe_violations, barriers, begin_study, open_page, set_theme, settle
from tests.siting_study import priced

# Two hours, two buses, two sizes: gate and market of it take seconds.
ASKED = {"choice": "list", "hours": [15, 3], "candidates": "listed", "buses": ["A", "B"], "sizes_mw": [50.0, 100.0],
         "shortlist": 1}  # fmt: skip
MARKET = "peak~~2~0.03~10"
JOB_MS = 180_000.0  # a job begins processes of its own, which on a busy machine takes its time
ROWS = "#siting-ranked-grid .ag-center-cols-container .ag-row"


def opened(page: Page, more: str = "") -> str:
    study = begin_study(page, "Pair", priced().tables)
    ask = quote(json.dumps(ASKED))
    open_page(page, f"/siting?study={study}&ask={ask}&mk={quote(MARKET)}&mw=50{more}")
    return study


def ranked(page: Page) -> None:
    """Wait for the gate, the market and the ranking, which begin by themselves."""
    expect(page.locator("#siting-overview-head")).to_contain_text("From candidates to shortlist", timeout=JOB_MS)
    expect(page.locator("#siting-market")).to_contain_text("are served on every day", timeout=JOB_MS)
    expect(page.locator(ROWS).first).to_be_visible()
    settle(page)


def shown(page: Page) -> list[str]:
    return page.evaluate(
        "() => { const m = window.headroom.maps.siting; return [...m.buses.keys()].filter("
        "id => m.data.layers.shortlist.buses[m.buses.get(id).feature.properties.i] === 3); }"
    )


def test_it_opens_with_a_result_and_every_word_of_what_is_drawn_answers_at_once(page: Page) -> None:
    opened(page)
    ranked(page)
    rows = page.locator(ROWS).count()
    gate = page.locator("#siting-why-gate-0")
    assert gate.inner_text() == str(rows)
    gate.click()
    expect(page.locator("#siting-why-gate-0-panel")).to_contain_text("candidates qualify under firm")
    expect(page.locator("#siting-why-gate-0-panel")).to_contain_text("arXiv 2605.14714")
    page.keyboard.press("Escape")
    # One site is on the shortlist: the first row, and one diamond on the map.
    first = page.locator(f"{ROWS}[row-index='0']").get_attribute("row-id")
    assert shown(page) == [first]
    # A number of a row says why, and pressing it chooses no row.
    page.locator(f"{ROWS}[row-index='0'] [data-siting-why$='|score']").click()
    expect(page.locator("#siting-why-row-panel")).to_contain_text("place 1 of")
    expect(page.locator("#siting-overview")).to_be_visible()
    page.keyboard.press("Escape")
    # A row selects the bus; the sheet takes the place of the funnel; the other way a bus selects its row.
    page.locator(f"{ROWS}[row-index='0'] [col-id='name']").click()
    expect(page.locator("#siting-sheet-place")).to_be_visible()
    expect(page.locator("#siting-overview")).to_be_hidden()
    page.evaluate("() => window.headroom.select('siting', null)")
    expect(page.locator("#siting-overview")).to_be_visible()
    page.evaluate("id => window.headroom.select('siting', 'bus:' + id)", first)
    expect(page.locator(f"{ROWS}.ag-row-selected")).to_have_count(1)
    page.evaluate("() => window.headroom.select('siting', null)")
    # Another size and envelope are drawn without another job.
    page.locator("#siting-size").select_option("100")
    expect(page.locator("#siting-overview-head")).to_contain_text("100 MW")
    page.locator("#siting-envelope").get_by_text("shift", exact=True).click()
    expect(page.locator("#siting-overview-head [aria-current]")).to_contain_text("shift")
    page.wait_for_function("() => new URLSearchParams(location.search).get('env') === 'shift'")
    for tab, words in (
        ("Prices", "Prices with"),
        ("Envelopes", "stay"),
        ("Zones", "North"),
        ("Sizes", "Pass every outage"),
    ):
        page.locator("#siting-tab").get_by_text(tab, exact=True).click()
        expect(page.locator("#siting-tables")).to_contain_text(words)
    page.locator("#siting-tab").get_by_text("Time to power", exact=True).click()
    page.get_by_label("Conventional, at least, years").fill("6")
    page.keyboard.press("Enter")
    expect(page.locator("#siting-pathways-told")).to_contain_text("4.5 years")  # 6 - 1.5
    assert barriers(page) == []
    address = page.url
    set_theme(page, "dark")
    page.set_viewport_size(PHONE)
    open_page(page, address)
    expect(page.locator("#siting-totals")).to_contain_text("Shift at 100 MW")
    page.get_by_role("button", name="Why", exact=True).click()
    expect(page.locator("#siting-overview-head")).to_contain_text("From candidates to shortlist")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    assert axe_violations(page) == []


def test_a_word_that_needs_another_gate_waits_for_a_press_and_bad_ones_are_named(page: Page) -> None:
    opened(page)
    ranked(page)
    sizes = page.locator("#siting-word-sizes")
    sizes.fill("50, plenty")
    page.keyboard.press("Enter")
    expect(page.locator("#siting-state")).to_contain_text("plenty")
    sizes.fill("25, 50")
    page.keyboard.press("Enter")
    expect(page.locator("#siting-state")).to_contain_text("Changed since: the sizes")
    page.get_by_role("button", name="Screen", exact=True).click()
    expect(page.locator("#siting-size")).to_contain_text("25.0 MW", timeout=JOB_MS)
    expect(page.locator("#siting-state")).not_to_contain_text("Changed since")
    # The threshold needs none.
    page.locator("#siting-word-threshold").fill("100")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('threshold')")
    expect(page.get_by_role("button", name="Screen", exact=True)).to_be_hidden()
