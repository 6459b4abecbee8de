"""The host's desk with very many products, many bots and a person who gets a name."""

from dataclasses import replace

from playwright.sync_api import Browser, Page, expect

from engine.auction.presets import PRESETS
from engine.auction.rules import Configuration, Lot, Timing
from engine.auction.templates import Seat
from tests.browser.auction_page import Host, made
from tests.browser.browsing import Server, barriers

LICENCES = 1614  # as many as the largest spectrum sale that the rules are told for


def licences() -> Configuration:
    lots = tuple(Lot(f"L{n}", f"Licence {n}", 10.0, 0.0, "", 10, opening=100) for n in range(1, LICENCES + 1))
    rules = replace(PRESETS["Classroom"], timing=Timing("by hand"))
    return Configuration("Licences", lots, rules, seed=1)


def test_many_products_and_bots_leave_room_for_the_people(browser: Browser, server: Server, page: Page) -> None:
    wants = {"kind": "additive", "values": {"L1600": 900}}
    seats = [Seat(f"Bidder {place}", wants, eligibility=16_140) for place in range(1, 10)]
    room = made(server, licences(), seats, bots=range(1, 9))
    host = Host(browser, server, room)
    page.goto(f"/auction/join#key={room.host}")
    steps = page.get_by_role("list", name="What to do next").get_by_role("heading")
    expect(steps).to_have_text(["Invite", "Seat", "Open"])
    expect(page.locator(".hr-host-step .hr-host-warning")).to_contain_text("no phone can reach it")
    assert barriers(page) == []
    page.get_by_role("button", name="Bidder 1 not here yet").click()
    page.get_by_label("Another name for Bidder 1").fill("Ana")
    page.get_by_role("button", name="Rename").click()
    people = page.get_by_role("list", name="People", exact=True).get_by_role("listitem")
    expect(people).to_have_count(1)
    expect(people).to_contain_text("Ana")
    host.order("open")
    host.order("close")
    rows = page.locator(".hr-host-lots tbody tr")
    # All eight bots bid on licence 1600 alone: it stands first of those that are drawn.
    expect(rows.first).to_contain_text("Licence 1600")
    expect(rows).to_have_count(60)
    expect(page.locator(".hr-host-rest")).to_contain_text("and 1\u2009554 more")
    page.get_by_label("Search a product").fill("licence 77")
    expect(rows).to_have_count(11)  # 77 and 770 to 779
    page.get_by_label("Search a product").fill("")
    page.get_by_role("button", name="Show 60 more").click()
    expect(rows).to_have_count(120)
    bots = page.get_by_role("button", name="8 bots")
    expect(bots).to_have_attribute("aria-expanded", "false")
    expect(bots).to_contain_text("1 held, 100\u2009k$")
    bots.click()
    expect(page.get_by_role("list", name="Bots", exact=True).get_by_role("listitem")).to_have_count(8)
    expect(page.locator(".hr-host-log")).to_contain_text("8 sets of bids by bots")
