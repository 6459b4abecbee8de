"""The Capacity page on the running product: asking, reading why, selecting, exporting, publishing, sharing."""

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import (
    DESKTOP,
    DIALOG,
    PHONE,
    Server,
    Watch,
    axe_violations,
    barriers,
    begin_study,
    open_page,
    settle,
)

FIRM, FLEXIBLE, BINDS = (f"#capacity-totals .hr-total:nth-child({place})" for place in (1, 2, 3))
STATE = "#capacity-state"
# The paper's box of existing demand; with bus 4 at up to 45 MW its withdrawal limit of 40 is exceeded already.
BOX = {"buses": [{"bus": "1", "low": 20, "high": 30}, {"bus": "4", "low": 10, "high": 45}]}


def open_study(page: Page, example: str = "fourbus", query: str = "") -> str:
    """Open a grid of the library as a study of one's own, on the Capacity page; return the study's id."""
    study = begin_study(page, example)
    open_page(page, f"/capacity?study={study}{query}")
    return study


def answered(page: Page) -> None:
    expect(page.locator(FIRM)).to_contain_text("MW")
    expect(page.locator("#capacity-sites-grid .ag-row").first).to_be_visible()
    settle(page)


def cell(page: Page, row: str, column: str) -> str:
    return page.locator(f'#capacity-sites-grid [row-id="{row}"] [col-id="{column}"]').inner_text()


def show_table(page: Page, words: str) -> None:
    page.locator("#capacity-tab").get_by_text(words, exact=True).click()


def exported(page: Page, kind: str) -> str:
    page.locator("#capacity-export").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name=kind, exact=True).click()
    page.keyboard.press("Escape")
    return Path(caught.value.path()).read_text(encoding="utf-8")


def test_the_paper_case_is_answered_as_the_page_opens_and_a_new_word_answers_anew(page: Page) -> None:
    open_study(page)
    answered(page)
    # Firm is exactly (10, 10), flexible 6.71 and 5.39 MW in the limit: section 6 of the capacity specification.
    assert [cell(page, bus, "firm") for bus in ("3", "4")] == ["10.0", "10.0"]
    assert [float(cell(page, bus, "inc0")) for bus in ("3", "4")] == pytest.approx([6.71, 5.39], abs=0.6)
    expect(page.locator(FIRM)).to_contain_text("20.0")
    expect(page.locator(BINDS)).to_contain_text("1-2")
    every_large_number_says_why(page)
    before = page.locator(f"{FLEXIBLE} .hr-why-number").inner_text()
    page.locator("#capacity-word-epsilon").select_option("0.1")
    expect(page.locator(FLEXIBLE)).to_contain_text("at 10 %")
    assert float(page.locator(f"{FLEXIBLE} .hr-why-number").inner_text()) > float(before)
    expect(page.locator(FIRM)).to_contain_text("20.0")
    page.locator("#capacity-word-mw").fill("8")
    page.keyboard.press("Enter")
    expect(page.locator(FIRM)).to_contain_text("16.0")
    expect(page.locator(FIRM)).to_contain_text("2 sites served in full")
    page.locator("#capacity-word-epsilon").select_option("other")
    page.locator("#capacity-word-levels").fill("2 10")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="+ at 2 %, MW")).to_be_visible()
    expect(page.get_by_role("columnheader", name="+ at 10 %, MW")).to_be_visible()


def every_large_number_says_why(page: Page) -> None:
    for place, words in (
        (FIRM, "Method: robust and CVaR"),
        (FLEXIBLE, "interrupted in at most 5 %"),
        (BINDS, "10 MW more give"),
    ):
        page.locator(f"{place} .hr-why-number").focus()
        page.keyboard.press("Enter")
        card = page.locator(f"{place} [role=dialog]")
        expect(card).to_contain_text(words)
        expect(card).to_contain_text("4-bus auction paper")
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()


def test_table_map_inspector_and_link_share_the_selection(page: Page) -> None:
    study = open_study(page)
    answered(page)
    assert page.evaluate("() => !window.Plotly")  # the chart's library waits until a chart is drawn
    page.locator('#capacity-sites-grid [row-id="3"] [col-id="name"]').click()
    inspector = page.locator("#capacity-inspector")
    expect(inspector).to_contain_text("Limited by line 1-2")
    expect(inspector).to_contain_text("10 MW more there gives 10.0 MW more here")
    expect(page.locator("#capacity-curve .scatterlayer .trace").first).to_be_visible()
    page.locator("#capacity-why-site0").click()
    expect(page.locator("#capacity-why-site0-panel")).to_contain_text("room before any addition")
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.search.includes('sel=bus%3A3')")
    assert page.evaluate("() => headroom.maps.capacity.selected") == "bus:3"
    page.evaluate("() => headroom.maps.capacity.buses.get('4').fire('click', {latlng: {lat: 0, lng: 0}})")
    expect(inspector).to_contain_text("Bus 4")
    expect(page.locator('#capacity-sites-grid [row-id="4"].ag-row-selected').first).to_be_visible()
    show_table(page, "What binds")
    page.locator("#capacity-limits-grid").get_by_text("line 1-2, from bus 1 to bus 2").first.click()
    expect(inspector).to_contain_text("Binds, firm")
    # The address is the whole view: question, layer, table, selection, filter.
    page.locator("#capacity-map-layer").get_by_text("What binds").click()
    page.locator("#capacity-word-epsilon").select_option("0.02")
    expect(page.locator(FLEXIBLE)).to_contain_text("at 2 %")
    page.wait_for_function("() => location.search.includes('eps=2&') && location.search.includes('layer=binds')")
    address = page.url
    assert f"study={study}" in address
    open_page(page, address)
    expect(page.locator(FLEXIBLE)).to_contain_text("at 2 %")
    expect(page.locator("#capacity-inspector")).to_contain_text("Binds, firm")
    expect(page.locator("#capacity-limits-grid")).to_be_visible()
    assert page.evaluate("() => headroom.maps.capacity.layer") == "binds"


def test_what_cannot_be_used_is_told_beside_the_question_and_nothing_is_lost(page: Page) -> None:
    open_study(page)
    answered(page)
    page.locator("#capacity-word-epsilon").select_option("other")
    expect(page.get_by_role("columnheader", name="+ at 10 %, MW")).to_be_visible()
    page.locator("#capacity-word-levels").fill("50")
    page.keyboard.press("Enter")
    expect(page.locator(STATE)).to_contain_text("at most 20 %")
    expect(page.locator("#capacity-frame")).to_have_class("hr-capacity-frame hr-capacity-stale")
    expect(page.locator(FIRM)).to_contain_text("20.0")
    expect(page.locator("#capacity-word-levels")).to_have_value("50")
    page.locator("#capacity-word-levels").fill("5")
    page.keyboard.press("Enter")
    expect(page.locator(STATE)).to_be_empty()
    page.locator("#capacity-sites-word").click()
    page.locator("#capacity-sites-text").fill("3 60\n77 5")
    page.get_by_role("button", name="Use this table").click()
    expect(page.locator("#capacity-sites-message")).to_contain_text("no bus '77'")
    page.locator("#capacity-sites-text").fill("2 5\n3 60")
    page.get_by_role("button", name="Use this table").click()
    expect(page.locator("#capacity-sites-message")).to_contain_text("2 sites read")
    page.keyboard.press("Escape")
    expect(page.locator('#capacity-sites-grid [row-id="2"]').first).to_be_visible()


def test_hours_are_a_job_that_survives_a_reload_and_leaves_the_old_answer_under_a_hatch(page: Page) -> None:
    open_study(page)
    answered(page)
    page.locator("#capacity-word-keep").select_option("hourly:sample")
    expect(page.locator(STATE)).to_contain_text("Changed since: the states in which firm is kept")
    expect(page.locator("#capacity-frame")).to_have_class("hr-capacity-frame hr-capacity-stale")
    expect(page.locator(FIRM)).to_contain_text("20.0")
    page.get_by_role("button", name="Compute", exact=True).click()
    page.reload()
    expect(page.locator(FIRM)).to_contain_text("MW")
    expect(page.locator("#capacity-frame")).to_have_class("hr-capacity-frame")
    expect(page.locator("#capacity-word-keep")).to_have_value("hourly:sample")


def test_limits_exceeded_already_are_listed_and_can_be_held(page: Page) -> None:
    open_study(page, query=f"&sites=3,4&mw=60,50&eps=0&firm=box&states=box&with={quote(json.dumps(BOX))}")
    state = page.locator(STATE)
    expect(state).to_contain_text("1 limit exceeded before anything is added")
    expect(state).to_contain_text("withdrawal limit of bus 4: 45.0 MW on 40.0 MW, 5.0 MW over")
    expect(page.locator("#capacity-publish")).to_have_count(0)
    page.get_by_role("button", name="Hold them at their present level").click()
    expect(state).to_contain_text("held at the present level")
    expect(page.locator('#capacity-sites-grid [row-id="4"] [col-id="firm"]')).to_have_text("0")
    page.get_by_role("button", name="Stop instead").click()
    expect(state).to_contain_text("1 limit exceeded before anything is added")


def exports_carry_their_origin(page: Page) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(page, "CSV"))))
    assert [(row["bus"], float(row["firm_mw"])) for row in rows] == [("3", pytest.approx(10)), ("4", pytest.approx(10))]
    for name in ("network_digest", "question_digest", "uncertainty_digest", "computed", "data", "solver"):
        assert rows[0][name]
    assert "ndicative" in rows[0]["use"]
    collection = json.loads(exported(page, "GeoJSON"))
    assert collection["type"] == "FeatureCollection"
    assert collection["name"].startswith("How much can 2 sites take, kept in every state of the box")
    show_table(page, "Products")
    content = json.loads(exported(page, "JSON"))
    assert [product["product"] for product in content["products"]] == ["3-firm", "4-firm", "3-flex5", "4-flex5"]
    assert content["product_set"]["witness"]["rows_checked"] > 0


def test_products_are_exported_published_once_kept_and_stale_when_the_question_changes(
    page: Page, browser: Browser, server: Server, watch: Watch
) -> None:
    study = open_study(page)
    answered(page)
    exports_carry_their_origin(page)
    page.get_by_role("button", name="Publish 4 products").click()
    expect(page.locator("#shell-toasts")).to_contain_text("Published version 1: 4 products, 32.0 MW. Checked apart")
    show_table(page, "Products")
    versions = page.locator("#capacity-versions li")
    expect(versions).to_have_count(1)
    page.get_by_role("button", name="Publish 4 products").click()
    expect(page.locator("#shell-toasts")).to_contain_text("Nothing changed: version 1")
    expect(versions).to_have_count(1)
    open_page(page, f"/capacity?study={study}&tab=products")
    expect(page.locator("#capacity-products-grid .ag-center-cols-container .ag-row")).to_have_count(4)
    expect(versions).to_have_count(1)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download version 1 as JSON").click()
    assert len(json.loads(Path(caught.value.path()).read_text())["products"]) == 4
    page.locator("#capacity-word-epsilon").select_option("0.1")
    expect(versions.first).to_contain_text("stale: the question changed since")
    # A reader of the share link sees this view, and can publish nothing.
    page.wait_for_function("() => location.search.includes('eps=10')")
    page.locator("#shell-study-menu").click()
    page.locator("#shell-study-share").click()
    link = page.locator("#shell-share-link")
    expect(link).to_have_value(re.compile(r"eps=10&.*tab=products&share=\S+"))  # as shown, not as first opened
    context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
    reader = context.new_page()
    watch.see(reader)
    try:
        open_page(reader, link.input_value())
        expect(reader.locator(FLEXIBLE)).to_contain_text("at 10 %")
        expect(reader.locator(STATE)).to_contain_text("Read only")
        expect(reader.locator("#capacity-publish")).to_have_count(0)
        expect(reader.locator("#capacity-products-grid")).to_be_visible()
        reader.locator("#capacity-word-epsilon").select_option("0.01")
        expect(reader.locator(FLEXIBLE)).to_contain_text("at 1 %")
    finally:
        context.close()
    open_page(page, f"/capacity?study={study}")
    expect(page.locator(FLEXIBLE)).to_contain_text("at 10 %")


def test_a_file_of_ones_own_is_read_and_answered(page: Page, tmp_path: Path) -> None:
    open_study(page)
    answered(page)
    states = tmp_path / "states.csv"
    states.write_text("1,2,3,4\n20,30,20,30\n20,20,10,10\n", encoding="utf-8")
    page.get_by_role("button", name="More").click()
    bad = tmp_path / "bad.csv"
    bad.write_text("1,2,9\n1,2,3\n", encoding="utf-8")
    page.locator("#capacity-upload input[type=file]").set_input_files(bad)
    expect(page.locator("#capacity-upload-message")).to_contain_text("9")
    expect(page.locator(FIRM)).to_contain_text("20.0")
    page.locator("#capacity-upload input[type=file]").set_input_files(states)
    expect(page.locator("#capacity-upload-message")).to_contain_text("2 states read")
    expect(page.locator("#capacity-word-keep")).to_have_value("file:sample")
    page.get_by_role("button", name="Compute", exact=True).click()
    # By hand: the worst row leaves 100 - 80 on line 1-2 and 40 - 30 at bus 4.
    expect(page.locator("#capacity-frame")).to_have_class("hr-capacity-frame")
    expect(page.locator(FIRM)).to_contain_text("20.0")
    assert cell(page, "4", "firm") == "10.0"


def test_the_page_can_be_used_with_the_keyboard_alone(page: Page) -> None:
    open_study(page)
    answered(page)
    page.keyboard.press("/")
    page.keyboard.type("Bus 3")
    page.keyboard.press("Enter")
    inspector = page.locator("#capacity-inspector")
    expect(inspector).to_contain_text("With the other sites")
    page.locator("h1").first.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("t")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(inspector).to_contain_text("Bus 4")
    page.locator("#capacity-site-toggle").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#capacity-sites-word")).to_have_text("1 site")
    expect(page.locator(FIRM)).to_contain_text("of 60.0 MW asked")
    page.locator("#capacity-word-epsilon").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(FLEXIBLE)).to_contain_text("at 10 %")


def test_the_page_has_no_barrier(page: Page) -> None:
    open_study(page, query="&sel=bus:3")
    answered(page)
    expect(page.locator("#capacity-curve .scatterlayer .trace").first).to_be_visible()
    page.get_by_role("button", name="More").click()
    assert barriers(page) == []
    page.get_by_role("button", name="More").click()
    page.locator(f"{FIRM} .hr-why-number").click()
    assert barriers(page, DIALOG) == []
    page.keyboard.press("Escape")
    for words in ("All buses", "What binds", "Products"):
        show_table(page, words)
    assert barriers(page, "[data-pane-body=table]") == []
    page.locator("#capacity-sites-word").click()
    assert barriers(page, DIALOG) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    settle(page)
    assert barriers(page) == []
    for pane in ("map", "why", "table"):  # whose colours were looked at in both themes above
        page.locator(f"[data-pane-tab={pane}]").click()
        assert axe_violations(page, f"[data-pane-body={pane}]") == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.locator(".hr-sentence-plain")).to_contain_text("How much can 2 sites take, as listed MW asked at each")
    expect(page.locator("#capacity-word-epsilon")).to_be_hidden()
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("#capacity-word-epsilon")).to_be_visible()
