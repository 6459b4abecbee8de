"""The live pages of an auction in browsers: join, bid, lose the connection, watch, show on the projector."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from playwright.sync_api import Browser, Page, expect

from engine.auction.presets import PRESETS
from engine.auction.rules import Configuration, Jump, Lot, Timing
from engine.auction.templates import TEMPLATES, Seat
from tests.browser.auction_page import Host, Made, cells, expect_round, made, press_send
from tests.browser.browsing import DESKTOP, PHONE, Server, Watch, barriers

HALL = {"width": 1920, "height": 1080}
SMALLEST_PX = 24  # on the projector
THUMBS = ".hr-seat input:not([type=file]), .hr-seat select, .hr-seat .hr-room-press, .hr-tab"


def sixty(**rules: Any) -> Configuration:
    """Sixty products with any amount allowed, in rounds that the host ends."""
    lots = tuple(
        Lot(f"P{n}", f"Site {n:02}", 10.0 + n, 0.05 * (n % 2), str(100 + n), 10, opening=40 + n) for n in range(60)
    )
    chosen = replace(PRESETS["Classroom"], **{"jump": Jump("any"), "timing": Timing("by hand"), **rules})
    return Configuration("Sixty sites", lots, chosen, seed=3)


def two_seats(units: int = 600) -> tuple[Seat, ...]:
    return tuple(Seat(name, None, eligibility=units) for name in ("Ada", "Ben"))


def test_what_is_typed_and_where_it_is_scrolled_outlives_what_others_do(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host = Host(browser, server, room)
    page, other = opened(room.seats["Ada"]), opened(room.seats["Ben"])
    host.order("open")
    page.get_by_role("button", name="Product").click()
    box = page.get_by_label("My bid on Site 31, k$")
    box.fill("12345")
    box.evaluate("box => box.setSelectionRange(2, 4)")
    table = page.locator(".hr-bid-lots")
    table.evaluate("table => { table.scrollTop = 900; }")
    other.get_by_role("checkbox", name="Bid on Site 31", exact=True).check()
    press_send(other)
    expect(other.locator(".hr-bid-receipt")).to_contain_text("1 bid confirmed")
    host.order("announce", text="Ten minutes more.")
    expect(page.locator("#shell-toasts")).to_contain_text("The host: Ten minutes more.")
    expect(box).to_be_focused()
    assert box.evaluate("box => [box.value, box.selectionStart, box.selectionEnd]") == ["12345", 2, 4]
    assert table.evaluate("table => table.scrollTop") == 900
    host.order("close")
    expect_round(page, "Round 2")
    expect(page.locator(".hr-bid-note")).to_contain_text("1 ticked bid of the round before was not sent")
    expect(box).to_have_value("12345")
    page.reload()
    expect(page.get_by_label("My bid on Site 31, k$")).to_have_value("12345")
    expect(cells(page, "Site 31").locator(".hr-bid-holder")).to_contain_text("Ben")


def test_a_refusal_names_its_rule_beside_the_product_and_nothing_of_the_set_is_taken(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host, page = Host(browser, server, room), opened(room.seats["Ada"])
    host.order("open")
    page.get_by_role("checkbox", name="Bid on Site 02", exact=True).check()
    expect(page.get_by_label("My bid on Site 02, k$")).to_have_value("42")  # its minimum: the opening bid
    page.get_by_label("My bid on Site 03, k$").fill("7")
    press_send(page)
    expect(page.locator(".hr-bid-receipt")).to_contain_text("Refused, and nothing of it was taken")
    wrong = cells(page, "Site 03").locator(".hr-bid-wrong")
    expect(wrong).to_contain_text("Refused, ")
    expect(page.get_by_label("My bid on Site 03, k$")).to_have_attribute("aria-invalid", "true")
    assert host.sees()["host"]["bidders"][0]["bids"] == 0
    page.get_by_label("My bid on Site 03, k$").fill("50")
    expect(wrong).to_have_count(0)
    page.get_by_label("My bid on Site 03, k$").press("Enter")
    expect(page.locator(".hr-bid-receipt")).to_contain_text("2 bids confirmed in round 1")
    assert host.sees()["host"]["bidders"][0]["bids"] == 2
    page.reload()  # what was sent comes back with the page
    expect(page.get_by_label("My bid on Site 03, k$")).to_have_value("50")
    expect(page.locator(".hr-bid-send")).to_have_text("Sent")
    page.locator("#seat-minimum-P2").click()
    expect(page.get_by_role("dialog", name="Why: Minimum bid on Site 02")).to_contain_text(
        "max(opening bid, increment)"
    )


def test_a_part_that_would_be_a_loss_is_told_before_it_is_sent(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    campus = TEMPLATES["campus"]
    room = made(server, campus.configuration, campus.seats, bots=(1, 2, 3))
    host, page = Host(browser, server, room), opened(room.seats["Training campus"])
    host.order("open")
    page.get_by_role("button", name="Tick my demand").click()
    press_send(page)
    warning = page.get_by_role("dialog", name="Part of this may be a loss")
    expect(warning).to_contain_text("If only part is won you could lose")
    warning.get_by_role("button", name="Back").click()
    assert host.sees()["host"]["bidders"][0]["acted"] is False
    press_send(page)
    warning.get_by_role("button", name="Send all the same").click()
    expect_round(page, "Round 2")  # all have acted
    expect(page.locator(".hr-bid-receipt")).to_contain_text("3 bids confirmed in round 1")
    expect(page.locator(".hr-bid-note")).not_to_contain_text("not sent")


SKEWED = "window.skew = 7 * 3600e3; const real = Date.now; Date.now = () => real() + window.skew;"


def test_a_wrong_clock_and_a_sleep_change_nothing(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(timing=Timing("clock", 3600.0)), two_seats())
    host, page = Host(browser, server, room), opened(room.seats["Ada"], before=SKEWED)
    host.order("open")
    clock, left = page.locator(".hr-room-clock strong"), re.compile(r"^5\d:\d\d$")
    expect(clock).to_have_text(left)
    page.evaluate("() => { window.skew = -7200e3; }")  # as after a sleep: one clock went on, the other stood
    page.wait_for_timeout(600)  # it is noticed with the next stroke of the page's own clock
    expect(clock).to_have_text(left)


def test_a_lost_connection_is_told_and_what_was_missed_is_caught_up(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host, page = Host(browser, server, room), opened(room.seats["Ada"])
    host.order("open")
    expect_round(page, "Round 1")
    page.get_by_role("checkbox", name="Bid on Site 02", exact=True).check()
    page.context.set_offline(True)
    press_send(page)
    expect(page.locator("[data-room-connection]")).to_contain_text("What was confirmed is kept")
    page.context.set_offline(False)  # sent again by itself, and once
    expect(page.locator(".hr-bid-receipt")).to_contain_text("1 bid confirmed in round 1")
    expect(page.locator("[data-room-connection]")).to_be_hidden()
    assert [one["kind"] for one in host.sees()["host"]["log"]].count("bids submitted") == 1
    watch.console.clear()  # the browser's own words about the lost network


def test_who_joins_by_the_code_waits_and_goes_on_by_himself(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host = Host(browser, server, room)
    page = browser.new_page(base_url=server.address, viewport=PHONE)
    watch.see(page)
    page.goto("/auction/join?code=ZZZZZZ")
    page.get_by_label("Your name").fill("Cleo")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("No auction has this code")
    watch.console.clear()  # a wrong code is an answer with status 404
    page.get_by_label("Code").fill(room.code.lower())
    page.keyboard.press("Enter")
    expect(page.locator(".hr-room-state")).to_contain_text("You are in the waiting list as Cleo")
    waiting = host.sees()["host"]["waiting"]
    assert [one["name"] for one in waiting] == ["Cleo"]
    host.order("admit", waiting=waiting[0]["id"], name="Cleo")
    expect(page.locator(".hr-room-title")).to_contain_text("You bid as Cleo")
    expect(page.locator(".hr-room-state")).to_contain_text("Waiting for the opening")
    page.context.close()


def test_what_a_seat_is_told_in_each_state(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host, page = Host(browser, server, room), opened(room.seats["Ada"])
    ada = host.sees()["host"]["bidders"][0]["id"]
    told, send = page.locator(".hr-room-state"), page.locator(".hr-bid-send")
    for order, more, words, may_send in (
        ("practice", {"on": True}, "Practice", True),
        ("practice", {"on": False}, "Waiting for the opening", False),  # and no word of having been outbid
        ("open", {}, "", True),
        ("pause", {}, "Paused", False),
        ("resume", {}, "", True),
        ("mute", {"bidder": ada, "muted": True}, "The host has stopped your bids", False),
        ("mute", {"bidder": ada, "muted": False}, "", True),
        ("bot", {"bidder": ada, "bot": "straightforward"}, "A bot bids in your seat", False),
    ):
        host.order(order, **more)
        expect(told).to_contain_text(words) if words else expect(told).to_be_empty()
        expect(send).to_be_enabled(enabled=may_send)
        expect(page.locator(".hr-bid-bar")).not_to_contain_text("outbid")
    page.get_by_role("button", name="Take my seat back").click()
    expect(told).to_be_empty()
    host.order("invite", bidder=ada)
    expect(told).to_contain_text("This seat was opened by another link")
    host.order("cancel", reason="the alarm went off")
    watch.console.clear()  # the refusals that were provoked


def test_sixty_products_are_searched_and_sorted_and_a_file_of_bids_is_ticked_and_not_sent(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats())
    host, page = Host(browser, server, room), opened(room.seats["Ada"])
    titles = page.locator(".hr-bid-title")
    expect(titles).to_have_count(60)
    page.get_by_role("button", name="MW", exact=True).click()
    page.get_by_role("button", name="MW").click()
    expect(titles.first).to_have_text("Site 59")
    expect(page.get_by_role("columnheader", name="MW")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Search a product").fill("site 1")
    expect(titles).to_have_count(10)
    page.get_by_label("Show", exact=True).select_option("flexible")
    expect(titles).to_have_count(5)
    page.get_by_label("Search a product").fill("nowhere")
    expect(page.locator(".hr-bid-none")).to_contain_text("No product is like this")
    page.get_by_label("Search a product").fill("")
    page.get_by_label("Show", exact=True).select_option("all")
    expect(titles).to_have_count(60)
    host.order("open")
    expect_round(page, "Round 1")
    chooser = page.locator(".hr-room-item input")
    chooser.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b"lot,amount\nP2,42\nQ9,50\n"})
    expect(page.locator(".hr-bid-receipt")).to_contain_text("Line 3")
    assert page.locator(".hr-bid-on").count() == 0
    chooser.set_input_files({"name": "bids.csv", "mimeType": "text/csv", "buffer": b"lot,amount\nP2,42\nP9,60\n"})
    expect(page.locator(".hr-bid-receipt")).to_contain_text("2 bids ticked from bids.csv, not sent yet")
    expect(page.locator(".hr-bid-sentence p").first).to_contain_text("Bid 2 products, pay up to 102 k$")
    assert host.sees()["host"]["bidders"][0]["bids"] == 0


def test_on_a_phone_everything_is_within_reach_of_a_thumb(
    browser: Browser, server: Server, opened: Callable[..., Page]
) -> None:
    places = {f"P{n}": (-99.0 + n / 30, 31.0) for n in range(60)}
    room = made(server, sixty(), two_seats(), places=places)
    host, page = Host(browser, server, room), opened(room.seats["Ada"], size=PHONE)
    host.order("open")
    expect_round(page, "Round 1")
    small = page.locator(THUMBS).evaluate_all(
        """all => all.filter(e => e.getClientRects().length)
            .filter(e => (e.closest('.hr-bid-press') || e).getBoundingClientRect().height < 44).length"""
    )
    assert small == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(page.locator("#shell-rail")).to_be_hidden()
    page.locator("[data-room-tab=map]").click()
    page.wait_for_function("() => (window.headroom.maps['auction-seat'] || {buses: new Map()}).buses.size === 60")
    assert page.evaluate("() => headroom.maps['auction-seat'].map.getBounds().contains([31, -98])")
    page.locator("[data-room-tab=mine]").click()
    expect(page.locator("[data-room-pane=mine]")).to_contain_text("I hold nothing yet")


def watcher(browser: Browser, server: Server, watch: Watch, room: Made, name: str, **more: Any) -> Page:
    page = browser.new_page(base_url=server.address, reduced_motion="reduce", **more)
    watch.see(page)
    page.goto(f"/auction/{name}#key={room.watch}")
    expect(page.locator(f"[data-room={name}][data-drawn]")).to_be_attached()
    return page


def test_the_projector_tells_what_is_public_in_large_letters(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page]
) -> None:
    room = made(server, sixty(), two_seats(), places={"P1": (-99.0, 31.0), "P2": (-98.0, 32.0)})
    host = Host(browser, server, room)
    page = watcher(browser, server, watch, room, "screen", viewport=HALL)
    expect(page.locator(".hr-screen-code")).to_have_text(room.code)
    bidder = opened(room.seats["Ada"])
    host.order("open")
    bidder.get_by_role("checkbox", name="Bid on Site 01", exact=True).check()
    press_send(bidder)
    expect(bidder.locator(".hr-bid-receipt")).to_contain_text("1 bid confirmed")
    host.order("close")
    expect(page.locator(".hr-screen-round")).to_have_text("Round 2")
    row = page.locator(".hr-screen-list li").filter(has_text="Site 01")
    expect(row).to_contain_text("Ada")
    expect(row).to_contain_text("1 new bid")
    sizes = page.locator("main :not(h1, .visually-hidden)").evaluate_all(
        """all => all.filter(e => e.getClientRects().length)
            .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .map(e => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes) >= SMALLEST_PX
    clipped = page.locator(".hr-screen-list li").evaluate_all(
        "rows => rows.filter(r => r.scrollHeight > r.clientHeight + 1).length"
    )
    assert clipped == 0
    page.context.close()


def test_every_live_page_is_within_wcag_2_aa_in_both_themes_wide_and_narrow(
    browser: Browser, server: Server, watch: Watch, opened: Callable[..., Page]
) -> None:
    campus = TEMPLATES["campus"]
    rules = replace(campus.configuration.rules, timing=Timing("by hand"))
    places = {lot.id: (-99.0 - n, 31.0) for n, lot in enumerate(campus.configuration.lots)}
    room = made(server, replace(campus.configuration, rules=rules), campus.seats, places=places, bots=(1, 2, 3))
    Host(browser, server, room).order("open")
    seat = opened(room.seats["Training campus"])
    seat.get_by_role("button", name="Tick my demand").click()
    expect(seat.locator(".hr-bid-lines")).to_contain_text("If only part is won")
    for tab in looks(seat):
        if tab:
            seat.locator(f"[data-room-tab={tab}]").click()
        # A later tab of the phone changes the pane, and nothing around it.
        assert barriers(seat, "body" if tab in {"", "bid"} else f"[data-room-pane={tab}]") == []
    press_send(seat)
    expect(seat.get_by_role("dialog", name="Part of this may be a loss")).to_be_visible()
    assert barriers(seat, "dialog") == []
    seat.get_by_role("button", name="Send all the same").click()
    expect(seat.locator(".hr-bid-receipt")).to_contain_text("confirmed")
    seat.get_by_role("button", name="More", exact=True).click()
    assert barriers(seat) == []
    for name in ("watch", "screen"):
        shown = watcher(browser, server, watch, room, name)
        for _ in looks(shown, tabs=("",)):
            assert barriers(shown) == []
        shown.context.close()


def looks(page: Page, tabs: tuple[str, ...] = ("bid", "mine", "map", "news")) -> Iterator[str]:
    """Show a page in each size; yield once for each, on a phone once for each of its tabs."""
    for size in (DESKTOP, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        yield from tabs if size == PHONE else ("",)
