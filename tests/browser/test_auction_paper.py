"""Both of the paper's auctions in three browsers, a host's and two bidders': every round, and tables VI to IX."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.auction.templates import TEMPLATES
from tests.browser.auction_page import Host, cells, expect_round, made, press_send
from tests.browser.browsing import DESKTOP, PHONE, Server, Watch

PAPER = json.loads((Path(__file__).parents[1] / "cases" / "auction" / "saa_examples.json").read_text(encoding="utf-8"))
EXAMPLES = {"paper-1": "example1_additive", "paper-2": "example2_symmetric_concave"}
COLUMNS = ("value", "penalty", "price", "modified_surplus")


def standing(page: Page) -> dict[str, tuple[str, str]]:
    """Return holder and standing price of each product as the page shows them."""
    rows: dict[str, tuple[str, str]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.hr-bid-row')].map(row => [
            row.querySelector('.hr-bid-title').textContent,
            [row.querySelector('.hr-bid-holder').firstChild.textContent,
             row.querySelector('.hr-bid-price button').textContent],
        ]))"""
    )
    return {name: (holder, price) for name, (holder, price) in rows.items()}


def bundles_of(page: Page, place: int) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return a bidder's table of the debrief: value, penalty, price and surplus of each bundle, by its numbers."""
    table = page.locator(f"#debrief-table-bundles-{place}")
    expect(table).to_be_visible()
    rows: list[list[str]] = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.innerText.replaceAll('\u2212', '-')))"
    )
    numbers = [[[int(found) for found in re.findall(r"-?\d+", cell)] for cell in row] for row in rows]
    return {tuple(bundle): tuple(one[0] for one in rest) for bundle, *rest in numbers}


@pytest.mark.parametrize("key", EXAMPLES)
def test_the_papers_example_is_played_round_by_round(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page], key: str
) -> None:
    template, example = TEMPLATES[key], PAPER[EXAMPLES[key]]
    names = [lot.name for lot in template.configuration.lots]
    room = made(server, template.configuration, [replace(seat, bot="") for seat in template.seats])
    host = Host(browser, server, room)
    desk = host.desk(watch)
    sizes = (DESKTOP, PHONE)
    pages = {f"bidder{n}": opened(room.seats[f"Bidder {n}"], size=size) for n, size in enumerate(sizes, start=1)}
    desk.get_by_role("button", name="Open round 1", exact=True).click()
    for played in example["rounds"]:
        number = played["round"]
        for bidder, page in pages.items():
            expect_round(page, f"Round {number}")
            bids = played["bids"][bidder]
            for item, amount in bids:
                name = names[item - 1]
                expect(cells(page, name).locator(".hr-bid-minimum button")).to_have_text(str(amount))
                page.get_by_role("checkbox", name=f"Bid on {name}", exact=True).check()
            press_send(page)
            words = f"{len(bids)} bid{'s' * (len(bids) != 1)} confirmed in round {number}"
            expect(page.locator(".hr-bid-receipt strong")).to_have_text(
                words if bids else f"You pass in round {number}"
            )
        expect(desk.locator(".hr-host-count")).to_have_text("2 of 2")  # have acted
        desk.get_by_role("button", name=f"Close round {number}", exact=True).click()
        expect_round(pages["bidder1"], f"Round {number + 1}")
        wanted = {names[one["item"] - 1]: (f"Bidder {one['holder']}", str(one["price"])) for one in played["standing"]}
        assert standing(pages["bidder1"]) == wanted
    final = example["final"]
    last = f"Close round {final['closing_round_with_no_bids']}"
    desk.get_by_role("button", name=last, exact=True).click()
    desk.get_by_role("group", name=last).get_by_role("button", name=last).click()  # nobody has bid: it asks first
    for bidder, page in pages.items():
        expect_round(page, f"Closed after round {final['closing_round_with_no_bids']}")
        won = ", ".join(names[item - 1] for item in final["allocation"][bidder])
        expect(page.locator(".hr-room-line-over")).to_contain_text(
            f"You won {won} and pay {final['payment'][bidder]} k$."
        )
    assert [one["pay"] for one in host.sees()["outcome"]] == list(final["payment"].values())
    the_desk_tells_the_end(desk, final)
    pages["bidder1"].get_by_role("link", name="See the debrief").click()
    for place, rows in enumerate(example["modified_surplus_tables"].values()):
        wanted_rows = {tuple(row["bundle"]): tuple(row[name] for name in COLUMNS) for row in rows}
        assert bundles_of(pages["bidder1"], place) == wanted_rows
        held = pages["bidder1"].locator(f"#debrief-table-bundles-{place} tr.hr-worked-won")
        expect(held).to_have_count(1)
        expect(held).to_contain_text(", ".join(map(str, final["allocation"][f"bidder{place + 1}"])))
    the_last_round_can_be_annulled(desk, final["closing_round_with_no_bids"])
    host.context.close()


def the_desk_tells_the_end(desk: Page, final: dict[str, Any]) -> None:
    holders = {item: f"Bidder {name[-1]}" for name, items in final["allocation"].items() for item in items}
    for place, price in enumerate(final["prices"]):
        row = desk.locator(".hr-host-lots tbody tr").nth(place)
        expect(row).to_contain_text(f"{price}\u2009k$")
        expect(row).to_contain_text(holders[place + 1])
    expect(desk.get_by_role("link", name="Open the debrief")).to_be_visible()
    expect(desk.locator("[data-host=log]")).to_contain_text("A competitive equilibrium")
    desk.locator("#auction-gap").click()
    # By hand, in both examples: L(p) = 40 of prices + 30 + 30 of each bidder's largest surplus; the best welfare is 95.
    for amount in ("100\u2009k$", "95\u2009k$"):
        expect(desk.get_by_role("dialog", name="Why: gap of the prices")).to_contain_text(amount)
    desk.keyboard.press("Escape")


def the_last_round_can_be_annulled(desk: Page, last: int) -> None:
    desk.get_by_role("button", name=f"Annul round {last}", exact=True).click()
    desk.get_by_label("Reason, told to everybody").fill("A wrong press")
    desk.get_by_role("group", name=f"Annul round {last}").get_by_role("button", name=f"Annul round {last}").click()
    expect(desk.get_by_role("button", name=f"Close round {last}", exact=True)).to_be_visible()
    expect(desk.locator("[data-host=log]")).to_contain_text("A wrong press")
