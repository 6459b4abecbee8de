"""Interfaces and contingencies in the browser: from a file, typed, pasted, and what a secure dispatch says of them."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, axe_violations, settle
from tests.browser.network_page import cell, exported, open_example, said, show_table
from tests.waiting import wait_for

# The transformers between both voltages of the RTS; 748 MW go down them as filed (by the filed outputs and loads).
INTERFACES = """interface,name,branch,weight,limit_mw
North-South,230 to 138 kV,3-24,-1,600
North-South,,9-11,-1,
North-South,,9-12,-1,
North-South,,10-11,-1,
North-South,,10-12,-1,
"""


def test_lists_come_from_a_file_and_a_spreadsheet_and_shape_the_dispatch(page: Page, tmp_path: Path) -> None:
    open_example(page, "rts24")
    show_table(page, "Interfaces")
    expect(page.locator("[data-draw-table=interfaces] .ag-overlay:visible")).to_contain_text("An interface limits")
    settle(page)
    file = tmp_path / "interfaces.csv"
    file.write_text(INTERFACES)
    page.get_by_role("button", name="Paste", exact=True).click()
    page.locator("#network-rows-file input[type=file]").set_input_files(file)
    said(page, "1 row pasted into interfaces")
    page.keyboard.press("Escape")
    backward = page.locator('[data-draw-table=interfaces] .ag-row[row-index="0"] [col-id="limit_backward_mw"]')
    expect(backward).to_have_text("same")  # as the column's help says of an empty cell
    cell(page, "interfaces", 0, "limit_mw", "700")
    said(page, "Set Limit of interface North-South to 700")
    page.locator('[data-draw-table=interfaces] .ag-row[row-index="0"] [col-id="terms"]').dblclick()
    page.keyboard.type("9-99:1")
    page.keyboard.press("Enter")
    said(page, "there is no branch '9-99'")
    show_table(page, "Contingencies")
    page.get_by_role("button", name="Paste", exact=True).click()
    page.locator("#network-paste-text").fill("contingency\tbranches\ntwo\t15-21 15-21/2\nradial\t7-8")
    page.locator("#network-paste-rows").click()
    said(page, "2 rows pasted into contingencies")
    page.keyboard.press("Escape")
    kept = exported(page)
    assert kept.interfaces["limit_mw"].tolist() == [700]
    assert kept.contingencies["contingency"].tolist() == ["two", "radial"]
    page.locator("#network-security").select_option("listed")
    page.get_by_role("button", name="Solve DC-OPF").click()
    expect(page.locator(".hr-draw-answer")).to_contain_text("rating C after every listed outage")
    expect(page.locator(".hr-draw-answer")).to_contain_text("Outages that split the network 1")
    show_table(page, "Dispatch")
    page.locator("#network-dispatch").get_by_text("Interfaces", exact=True).click()
    row = page.locator("[data-draw-dispatch=transfers] .ag-center-cols-container .ag-row")  # its name stands apart
    expect(row.locator("[col-id=flow_mw]")).to_have_text("700")
    expect(row.locator("[col-id=filed_mw]")).to_have_text("748")
    row.click()
    expect(page.locator("#network-inspector")).to_contain_text("Flow as filed")
    _marks_its_branches(page)
    _opens_its_cards(page)
    page.locator("#network-dispatch").get_by_text("Outages", exact=True).click()
    page.locator("[data-draw-dispatch=outages] .ag-row", has_text="cuts off bus 7").click()
    expect(page.locator("#network-inspector")).to_contain_text("Contingency radial")
    assert "secure=listed" in page.url
    assert axe_violations(page) == []
    page.set_viewport_size(PHONE)
    settle(page)
    page.locator("[data-pane-tab=table]").click()
    assert axe_violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def _marks_its_branches(page: Page) -> None:
    script = "() => document.getElementById('network-canvas')._cyreg.cy.edges('.member').map(e => e.id())"
    expected = {f"branch:{name}" for name in ("3-24", "9-11", "9-12", "10-11", "10-12")}
    wait_for(lambda: set(page.evaluate(script)) == expected)


def _opens_its_cards(page: Page) -> None:
    """Open why an interface carries what it does, and what more of its limit saves."""
    page.locator("#network-why-flow").click()
    card = page.locator("#network-why-flow-panel")
    for words in ("3-24", "9-11", "9-12", "10-11", "10-12", "700"):
        expect(card).to_contain_text(words)
    page.keyboard.press("Escape")
    page.locator("#network-why-limit").click()
    expect(page.locator("#network-why-limit-panel")).to_contain_text("The dual of the limit")
    page.keyboard.press("Escape")
