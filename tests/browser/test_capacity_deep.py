"""Outages, seasons and answers side by side on the running Capacity page: computed by a job, drawn when it is done."""

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, axe_violations, open_page, set_theme, settle
from tests.browser.test_capacity import BINDS, FIRM, FLEXIBLE, STATE, answered, cell, open_study, show_table

# The 24-bus reliability test system, two sites, a few hours drawn from every season.
ASKED = f"&sites=5,20&mw=300&eps=5&supply=headroom&zero=hold&states=hourly&with={quote(json.dumps({'hours': 60}))}"
PERIODS = "#capacity-period-steps"
COMPARED = ".hr-capacity-compared"


def megawatts(text: str) -> float:
    return float(text.replace("\u2009", "").replace("\u2212", "-"))


def firm_mw(page: Page) -> float:
    return megawatts(page.locator(f"{FIRM} .hr-why-number").inner_text())


def test_outages_are_computed_beside_the_plain_answer_and_stay_after_a_reload(page: Page) -> None:
    open_study(page, "rts24", ASKED)
    answered(page)
    plain = firm_mw(page)
    expect(page.locator(COMPARED)).to_contain_text("Compute")
    page.locator("#capacity-word-security").select_option("n-1:all")
    expect(page.locator(FIRM)).to_contain_text("by outages")  # before that: "without outages so far"
    expect(page.locator(STATE)).not_to_contain_text("Computing")
    secure = firm_mw(page)
    assert secure <= plain + 0.05  # every limit of before holds, and more
    compared = page.locator(f"{COMPARED} strong")
    expect(compared).to_have_count(2)  # it comes with the second answer, perhaps after the number
    assert [megawatts(text) for text in compared.all_inner_texts()] == [plain, secure]
    page.reload()
    expect(page.locator(FIRM)).to_contain_text("by outages")
    settle(page)
    for place, words in ((FIRM, "for every outage"), (FLEXIBLE, "interrupted in at most"), (BINDS, "10 MW more give")):
        page.locator(f"{place} .hr-why-number").click()
        expect(page.locator(f"{place} [role=dialog]")).to_contain_text(words)
        page.keyboard.press("Escape")
    assert firm_mw(page) == secure
    show_table(page, "What binds")
    expect(page.get_by_role("columnheader", name="After the outage of")).to_be_visible()
    # A set with outages is checked by a job first: the panel says so, the button waits.
    show_table(page, "Products")
    page.locator("#capacity-publish").click()
    checking = page.locator("#capacity-checking-words")
    expect(checking).to_contain_text("check of this set runs")
    expect(page.locator("#capacity-publish")).to_be_disabled()
    expect(page.locator(".hr-capacity-versions")).to_contain_text("Version 1")
    expect(checking).to_be_empty()
    expect(page.locator("#capacity-publish")).to_be_enabled()
    # A press on the other number asks for it: its words are in the sentence again.
    page.locator(".hr-capacity-there").first.click()
    expect(page.locator("#capacity-word-security")).to_have_value("base")
    expect(page.locator(FIRM)).to_contain_text("served in full")
    assert firm_mw(page) == plain


def test_seasons_are_steps_in_map_table_and_inspector(page: Page) -> None:
    open_study(page, "rts24", f"{ASKED}&period=season&sel=bus:5")
    expect(page.locator(PERIODS)).to_be_visible()
    settle(page)
    # The map shows what the seasons change: the sites, once, and not where the reader chose otherwise.
    page.wait_for_function("() => headroom.maps.capacity.layer === 'sites' && location.search.includes('layer=sites')")
    told = "() => headroom.maps.capacity.data.layers.sites.busText[4]"  # of bus 5
    year = page.evaluate(told)
    names = page.locator(f"{PERIODS} label").all_inner_texts()
    assert names == ["Year round", "Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov"]
    firm = [megawatts(cell(page, "5", f"period{k}")) for k in range(4)]
    assert megawatts(cell(page, "5", "firm")) == min(firm)  # what is offered the year round is the least
    most = firm.index(max(firm))
    page.locator("#capacity-period").get_by_text(names[1 + most]).click()
    page.wait_for_function(f"year => ({told})() !== year", arg=year)
    assert page.evaluate(told).startswith(f"{firm[most]:.0f} MW firm")
    page.locator("#capacity-period input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(FIRM)).to_contain_text("Firm, Dec-Feb")
    expect(page.locator('#capacity-sites-grid [row-id="5"] [col-id="firm"]')).to_have_text(
        page.locator('#capacity-sites-grid [row-id="5"] [col-id="period0"]').inner_text()
    )
    page.locator("#capacity-map-layer").get_by_text("Firm", exact=True).click()
    page.wait_for_function("() => location.search.includes('layer=firm')")
    expect(page.locator("#capacity-year .barlayer .trace").first).to_be_visible()
    page.wait_for_function("() => location.search.includes('step=Dec-Feb')")
    with page.expect_download() as caught:
        page.get_by_role("button", name="CSV of the periods").click()
    rows = list(csv.DictReader(io.StringIO(Path(caught.value.path()).read_text(encoding="utf-8"))))
    assert [round(float(row["firm_mw"]), 1) for row in rows[:4]] == pytest.approx(firm, abs=0.51)
    assert axe_violations(page) == []
    set_theme(page, "dark")
    page.set_viewport_size(PHONE)
    open_page(page, page.url)
    expect(page.locator(FIRM)).to_contain_text("Firm, Dec-Feb")
    page.wait_for_function("() => headroom.maps.capacity.layer === 'firm'")
    page.locator("[data-pane-tab=table]").click()
    heads = page.locator("#capacity-sites-grid .ag-header-cell:not([col-id=id])")
    expect(heads.first).to_be_visible()
    settle(page)
    seen = sorted((one["x"], one["id"]) for one in heads.evaluate_all(
        "all => all.map(one => ({id: one.getAttribute('col-id'), x: one.getBoundingClientRect().x}))"
    ))  # fmt: skip
    assert [name for _, name in seen[:3]] == ["firm", "inc0", "limit"]
    assert seen[2][0] < PHONE["width"] - 60  # what limits a site is read without a swipe
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    assert axe_violations(page) == []


def test_an_answer_that_cannot_be_given_is_refused_in_words_beside_the_plain_one(page: Page) -> None:
    open_study(page, query="&sites=3,4&mw=60,50&eps=5&states=distribution&period=season")
    state = page.locator(STATE)
    expect(state).to_contain_text("Drawn is the answer without periods")  # scenarios have no dates
    expect(page.locator(FIRM)).to_contain_text("without periods so far")
    expect(page.get_by_role("button", name="Compute", exact=True).first).to_be_visible()
