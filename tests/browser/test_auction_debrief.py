"""The debrief in a browser: the story of the paper's auction, its files, and the same ledger opened from a file."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from callbacks.services import Services
from engine.auction.templates import TEMPLATES
from tests.browser.auction_page import HOST, Host, Made
from tests.browser.browsing import PHONE, Server, axe_violations, barriers, open_page, settle

CASES = json.loads((Path(__file__).parents[1] / "cases" / "auction" / "saa_examples.json").read_text(encoding="utf-8"))
CHARTS_S = 60.0  # the library of charts has 5 MB


@pytest.fixture(scope="module")
def room(server: Server, browser: Browser) -> Made:
    """The paper's example 1, played to its end by the paper's bidders."""
    template = TEMPLATES["paper-1"]
    services = Services.open(f"sqlite:///{server.home / 'headroom.sqlite'}", server.home / "artefacts")
    try:
        auction = services.auctions.create(HOST, template.configuration, template.seats)
        with services.auctions.turn(auction) as turn:
            room = Made(auction, turn.row.code, turn.store.new_key("host"), turn.store.new_key("watcher"), {})
    finally:
        services.close()
    host = Host(browser, server, room)
    host.order("open")
    for _ in range(5):
        host.order("close")
    assert host.sees()["phase"] == "closed"
    return room


def enter(page: Page, room: Made, key: str) -> None:
    """Open the debrief as whoever the key makes of the page's session."""
    page.goto("/auction/join")
    page.request.post("/api/auctions/join", data={"key": key})
    open_page(page, f"/auction/debrief?auction={room.id}")
    expect(page.locator(".hr-debrief-lead")).to_contain_text("went to 2 bidders for 40 k$ in 5 rounds")


def test_the_story_stands_on_both_screens(page: Page, room: Made) -> None:
    enter(page, room, room.watch)
    expect(page.locator("#debrief-prices .legend")).to_be_visible(timeout=1000 * CHARTS_S)
    assert barriers(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert barriers(page) == []


def test_the_tables_can_be_kept_numbers_say_why_and_another_rule_is_played(
    page: Page, room: Made, tmp_path: Path
) -> None:
    enter(page, room, room.watch)
    case = CASES["example1_additive"]
    for bidder in (1, 2):
        with page.expect_download() as kept:
            page.locator(f"[data-debrief-csv='debrief-table-bundles-{bidder - 1}']").click()
        kept.value.save_as(tmp_path / "table.csv")
        rows = list(csv.reader((tmp_path / "table.csv").read_text(encoding="utf-8-sig").splitlines()))[1:]
        assert {row[0]: [float(cell) for cell in row[1:]] for row in rows} == {
            ", ".join(map(str, row["bundle"])) or "nothing": [
                row["value"], row["penalty"], row["price"], row["modified_surplus"]
            ]
            for row in case["modified_surplus_tables"][f"bidder{bidder}"]
        }  # fmt: skip
    won = page.locator("#debrief-table-bundles-0 tr.hr-worked-won")
    expect(won).to_have_count(1)
    expect(won).to_contain_text("3, 4")
    number = page.locator("#debrief-why-revenue")
    number.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Why: revenue")).to_contain_text("Bidder 1")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="What another rule would have done").click()
    page.locator("#auction-debrief-change").select_option(label="increment 10 k$")
    page.get_by_role("button", name="Play it again").click()
    expect(page.locator("#debrief-table-change")).to_contain_text("Revenue", timeout=30_000)
    assert axe_violations(page, "#debrief-change") == []


def test_a_ledger_is_opened_from_its_file_and_a_changed_one_is_not(page: Page, room: Made, tmp_path: Path) -> None:
    enter(page, room, room.host)
    with page.expect_download() as kept:
        page.locator("a[download='ledger.jsonl']").click()
    good, changed = tmp_path / "ledger.jsonl", tmp_path / "changed.jsonl"
    kept.value.save_as(good)
    open_page(page, "/auction/debrief")
    assert axe_violations(page) == []
    page.set_input_files("#auction-debrief-file input[type=file]", good)
    expect(page.locator("#auction-debrief-read")).to_contain_text("Signed by this server", timeout=1000 * CHARTS_S)
    expect(page.locator(".hr-debrief-lead")).to_contain_text("for 40 k$ in 5 rounds")
    settle(page, CHARTS_S)
    text = good.read_text(encoding="utf-8")
    changed.write_text(text.replace('"4-firm",10', '"4-firm",11', 1), encoding="utf-8")
    assert changed.read_text(encoding="utf-8") != text
    page.set_input_files("#auction-debrief-file input[type=file]", changed)
    expect(page.locator("#auction-debrief-read")).to_contain_text("was changed", timeout=1000 * CHARTS_S)
