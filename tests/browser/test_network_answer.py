"""The DC-OPF on the Network page of the running product: answer, job, tables, exports, the view in the link."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import DESKTOP, Server, Watch, open_page, settle
from tests.browser.network_page import cell, open_example, place, ready, show_table

STRIP = ".hr-draw-answer"
CARD = ".hr-draw-answer-state .hr-progress"


def test_a_dispatch_is_an_answer_that_goes_stale(page: Page) -> None:
    open_example(page, "fourbus")
    page.get_by_role("button", name="Solve DC-OPF").click()
    strip = page.locator(".hr-draw-answer")
    expect(strip).to_contain_text("1\u2009700 $/h")
    page.locator("#network-why-cost").click()
    expect(page.get_by_role("dialog", name="Why: cost of the dispatch")).to_contain_text("Optimality gap")
    page.keyboard.press("Escape")
    page.mouse.click(*place(page, "3"))
    expect(page.locator("#network-inspector")).to_contain_text("20.00 $/MWh")
    cell(page, "buses", 1, "load_mw", "30")
    expect(page.locator("#network-answer-state")).to_contain_text("Stale: the network changed")


@contextmanager
def paused_runner(server: Server) -> Iterator[None]:
    """Hold the process that computes jobs, so that they wait for as long as the test needs."""
    runner = next(p for p in psutil.Process(server.process.pid).children() if p.cmdline()[-1] == "runner")
    runner.suspend()
    try:
        yield
    finally:
        runner.resume()


def test_a_long_dispatch_is_a_job_that_a_reload_finds_again_and_that_can_be_cancelled(
    page: Page, server: Server
) -> None:
    """Texas with the fleet of 2020 at 115 % of its load cannot be served; finding out takes some seconds."""
    study = open_example(page, "texas-2020")
    page.locator("#network-scale").fill("115")
    page.keyboard.press("Enter")
    state = page.locator("#network-answer-state")
    with paused_runner(server):
        page.get_by_role("button", name="Solve DC-OPF").click()
        expect(page.locator(CARD)).to_contain_text("115 % of the load")
        page.reload()
        ready(page)
        page.locator(CARD).get_by_role("button", name="Cancel").click()
        expect(state).to_contain_text("was cancelled")
    page.get_by_role("button", name="Solve DC-OPF").click()
    reason = page.get_by_role("button", name="branch '7253-7252'")
    expect(reason).to_be_visible()
    open_page(page, f"/network?study={study}")
    ready(page)
    reason.click()  # the answer is there again, and leads to the row
    expect(page.locator("[data-draw-table=branches] .ag-row-selected [col-id=branch]")).to_have_text("7253-7252")


def test_prices_are_a_table_that_selects_and_exports_and_the_link_holds_the_view(page: Page) -> None:
    open_example(page, "fourbus")
    page.get_by_role("button", name="Solve DC-OPF").click()
    expect(page.locator(STRIP)).to_be_visible()
    page.locator("#network-canvas-layer").get_by_text("Price", exact=True).click()
    show_table(page, "Dispatch")
    row = page.locator('[data-draw-dispatch=prices] .ag-row[row-index="2"]')
    expect(row.locator("[col-id=price_per_mwh]")).to_have_text("20.00")
    expect(row.locator("[col-id=congestion_per_mwh]")).to_have_text("0")
    row.locator("[col-id=price_per_mwh]").click()
    expect(page.locator("#network-inspector")).to_contain_text("Price at bus 3")
    with page.expect_download() as caught:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = list(csv.DictReader(Path(caught.value.path()).read_text(encoding="utf-8").splitlines()))
    assert [line["price_per_mwh"] for line in lines] == ["20"] * 4
    assert lines[0]["status"] == "optimal"
    page.locator("#network-dispatch").get_by_text("Flows", exact=True).click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="JSON", exact=True).click()
    flows = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))["flows"]
    assert [line["flow_mw"] for line in flows] == [60, 15, 20]  # the loads behind each line
    page.wait_for_url("**table=flows**")
    address = page.url
    open_page(page, "/")
    open_page(page, address)
    ready(page)
    expect(page.locator("[data-draw-dispatch=flows] .ag-row").first).to_be_visible()
    expect(page.locator("#network-canvas-layer").get_by_label("Price")).to_be_checked()
    expect(page.locator("#network-inspector")).to_contain_text("Bus 3")
    assert page.url == address


def test_no_dispatch_says_why_and_leads_to_the_branch(page: Page) -> None:
    open_example(page, "fourbus")
    page.locator("#network-scale").fill("200")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Solve DC-OPF").click()
    page.get_by_role("button", name="carries 120.0 MW, 20.0 MW beyond 100.0 MW").click()
    expect(page.locator("[data-draw-table=branches] .ag-row-selected [col-id=branch]")).to_have_text("1-2")
    expect(page.locator("#network-inspector")).to_contain_text("Branch 1-2")


def test_a_reader_sees_why_nothing_can_be_changed(page: Page, browser: Browser, server: Server, watch: Watch) -> None:
    open_example(page, "fourbus")
    page.locator("#shell-study-menu").click()
    page.locator("#shell-study-share").click()
    link = page.locator("#shell-share-link")
    expect(link).not_to_have_value("")
    address = link.input_value()
    context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
    reader = context.new_page()
    watch.see(reader)
    try:
        reader.goto(address)
        settle(reader)
        study = reader.url.split("study=")[1].split("&")[0]
        open_page(reader, f"/network?study={study}")
        ready(reader)
        expect(reader.get_by_role("button", name="Add bus")).to_be_disabled()
        expect(reader.locator(".hr-draw-strip")).to_contain_text("shared with you to read")
        reader.mouse.click(*place(reader, "2"))
        expect(reader.locator("#network-inspector").get_by_role("button", name="Apply")).to_be_disabled()
        reader.get_by_role("button", name="Solve DC-OPF").click()  # his question is a job, kept with it
        expect(reader.locator(STRIP)).to_contain_text("1 700 $/h")
    finally:
        context.close()
