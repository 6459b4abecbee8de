"""The largest load at each bus alone, with redispatch: asked by a look at its layer, read, explained, exported."""

import csv
import io
import json
import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, axe_violations, open_page, set_theme
from tests.browser.test_capacity import answered, exported, open_study, show_table
from tests.browser.test_capacity_deep import megawatts

ASKED = f"&sites=5,20&mw=300&eps=5&supply=headroom&zero=hold&states=hourly&with={quote(json.dumps({'hours': 12}))}"
PANEL = "#capacity-largest"
CARD = "#capacity-why-largest-panel"


def number(page: Page) -> float:
    return megawatts(page.locator("#capacity-why-largest").inner_text().split()[0])


def test_a_look_at_the_layer_computes_it_and_every_number_says_why(page: Page) -> None:
    open_study(page, "rts24", f"{ASKED}&sel=bus:5&tab=buses")
    answered_without_sites(page)
    expect(page.locator(PANEL)).to_contain_text("Compute for every bus")
    page.locator("#capacity-map-layer").get_by_text("Redispatch", exact=True).click()
    expect(page.locator(PANEL)).to_contain_text("Half of the buses take at least")
    expect(page.get_by_text("Each bus alone, units moving freely, in 2016")).to_be_visible()
    page.locator("#capacity-why-largest").click()
    card = page.locator(CARD)
    expect(card).to_contain_text("Checked now in bus angles")
    # Bus 5 hangs on two lines of 175 MW each and has no unit: both bring all they can, whatever the hour.
    expect(card).to_contain_text(re.compile(r"Line 5-10, from bus 10 to bus 5: 175 MW.*gives 1\.00 MW here"))
    expect(card).to_contain_text(re.compile(r"Line 1-5, from bus 1 to bus 5: 175 MW.*gives 1\.00 MW here"))
    expect(card).not_to_contain_text("do not agree")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    rows = {row["bus"]: row for row in csv.DictReader(io.StringIO(exported(page, "CSV")))}
    assert round(float(rows["5"]["alone_with_redispatch_mw"])) == number(page)
    assert "the largest load of 12 states" in rows["5"]["with_redispatch_in"]
    head = page.get_by_role("columnheader", name="With redispatch")
    head.scroll_into_view_if_needed()
    expect(head).to_be_visible()
    peak = number(page)
    # Another hour: less is drawn at bus 5 itself, so that its two lines leave more.
    labels = page.evaluate("() => [...document.querySelectorAll('#capacity-largest-states option')].map(o => o.value)")
    assert len(labels) == 12
    other = next(label for label in labels if label not in rows["5"]["with_redispatch_in"])
    page.get_by_label("Hour or state").fill(other)
    page.keyboard.press("Enter")
    expect(page.locator(PANEL)).to_contain_text(f"State{other}")
    assert number(page) > peak
    page.wait_for_function("hour => new URLSearchParams(location.search).get('hour') === hour", arg=other)
    set_theme(page, "dark")
    page.set_viewport_size(PHONE)
    open_page(page, page.url)  # the link brings layer, hour and answer back
    page.get_by_role("button", name="Why", exact=True).click()
    expect(page.locator(PANEL)).to_contain_text(f"State{other}")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    assert axe_violations(page) == []


def test_an_hour_that_was_not_sampled_is_refused_in_words(page: Page) -> None:
    open_study(page, "rts24", f"{ASKED}&layer=redispatch&hour=1999-01-01 00:00")
    answered(page)
    expect(page.locator(PANEL)).to_contain_text("'1999-01-01 00:00' is none of the 12 sampled states")
    show_table(page, "All buses")
    expect(page.get_by_role("columnheader", name="Firm alone")).to_be_visible()
    expect(page.get_by_role("columnheader", name="With redispatch")).to_have_count(0)


def answered_without_sites(page: Page) -> None:
    """Wait for the answer while the table of all buses shows."""
    expect(page.locator("#capacity-buses-grid .ag-row").first).to_be_visible()
    expect(page.locator("#capacity-inspector")).to_contain_text("Alone:")
