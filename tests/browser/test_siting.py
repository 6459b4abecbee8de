"""The Siting page in a browser: it opens with a result, answers at once, selects both ways, its link restores it."""

import json
import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.browsing import (
    DESKTOP,
    PHONE,
    axe_violations,
    barriers,
    begin_study,
    open_page,
    set_theme,
    settle,
)
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
    open_page(
        page, address.replace("tab=pathways", "tab=agreement")
    )  # its tab is the tenth: the row of them is wider than the screen
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator("#siting-tab").get_by_text("Agreement", exact=True)).to_be_in_viewport(ratio=1)


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


def test_one_press_prices_the_typical_days_and_a_unit_that_is_not_there_is_named(page: Page) -> None:
    opened(page)
    ranked(page)
    page.get_by_text("Change its days, sites, gap or limits").click()
    stay = page.get_by_label("Units that stay on, by id, empty for none")
    stay.fill("a, nobody")
    page.keyboard.press("Enter")
    expect(page.locator("#siting-market")).to_contain_text("Of the units that stay on, 'nobody' is not in the network")
    stay.fill("a")
    page.keyboard.press("Enter")
    page.wait_for_function("() => (new URLSearchParams(location.search).get('mk') || '').endsWith('~a')")
    page.get_by_role("button", name="typical days: about").click()
    expect(page.locator("#siting-word-market-days")).to_have_value("typical")
    expect(page.locator("#siting-market")).to_contain_text("Units that stay on: a.", timeout=JOB_MS)
    expect(page.locator("#siting-market")).to_contain_text("Days: 2016-")
    open_page(page, page.url)
    expect(page.locator("#siting-market")).to_contain_text("Units that stay on: a.")
    expect(stay).to_have_value("a")


def test_the_legend_of_a_drawing_stands_below_it_where_no_bus_lies(page: Page) -> None:
    open_page(page, f"/siting?study={begin_study(page, 'fourbus')}")
    expect(page.locator("[data-map=siting] .hr-legend")).to_contain_text("Not geographic")
    settle(page)
    legend = page.locator("[data-map=siting] .hr-legend").bounding_box()
    drawing = page.locator("#siting-map").bounding_box()
    assert legend is not None
    assert drawing is not None
    assert legend["height"] > 0 < drawing["height"]
    assert drawing["y"] + drawing["height"] <= legend["y"] + 1


# Where the buses lie in the map's free part, below the tools: (left, top, right, bottom) gaps in pixels.
GAPS = """() => { const map = window.headroom.maps.siting.map, box = map.getContainer().getBoundingClientRect();
    const under = document.querySelector('[data-map=siting] .hr-map-tools').getBoundingClientRect().bottom - box.top;
    const at = [...window.headroom.maps.siting.buses.values()].map(bus => map.latLngToContainerPoint(bus.getLatLng()));
    const x = at.map(point => point.x), y = at.map(point => point.y);
    return [Math.min(...x), Math.min(...y) - under, box.width - Math.max(...x), box.height - Math.max(...y)]; }"""


def test_texas_fills_the_map_and_the_sheet_of_a_site_prints_on_one_page(page: Page) -> None:
    study = begin_study(page, "texas-2020")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        open_page(page, f"/siting?study={study}")
        page.wait_for_function("() => window.headroom.maps.siting && window.headroom.maps.siting.bounds")
        settle(page)
        left, top, right, bottom = page.evaluate(GAPS)
        assert min(left, top, right, bottom) >= 9  # nothing is cut off, or under the tools
        assert max(top, bottom) <= 12 or max(left, right) <= 12  # from edge to edge one way
        assert abs(left - right) <= 2
        assert abs(top - bottom) <= 2
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    open_page(page, f"/siting?study={study}&sel=bus:3050")
    expect(page.locator("#siting-sheet-place")).to_contain_text("DEL RIO")
    with page.context.expect_page() as found:
        page.get_by_role("link", name="Printable sheet").click()
    sheet = found.value
    sheet.wait_for_load_state("networkidle")
    for words in ("Why it ranks there", "Market", "Draft agreement", "Market days"):
        expect(sheet.get_by_text(words, exact=True).first).to_be_visible()
    printed = sheet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    sheet.close()
