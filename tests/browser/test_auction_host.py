"""The host's side of an auction on the running product: the worked example, the form, the desk."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.browsing import PHONE, barriers, open_page, settle

PRICES = "#auction-example .hr-worked-table >> nth=0"
SUMMARY = "#auction-summary"


def open_form(page: Page, key: str) -> None:
    open_page(page, f"/auction?make=template:{key}")
    expect(page.locator("#auction-seats-grid .ag-row").first).to_be_visible()
    expect(page.locator(SUMMARY)).to_contain_text("Bids on all products are taken in rounds")
    settle(page)


def make(page: Page, key: str) -> str:
    """Make an auction of a template and return its id; its desk is open."""
    open_form(page, key)
    page.get_by_role("button", name="Make the auction").click()
    page.wait_for_url("**auction=**")
    expect(page.locator(".hr-host-next")).to_be_visible()
    return page.url.rpartition("auction=")[2]


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def person(page: Page, name: str) -> Locator:
    return page.locator(".hr-host-people > li").filter(has_text=name)


def write(page: Page, grid: str, row: int, column: str, value: str) -> None:
    page.locator(f'#auction-{grid}-grid [row-index="{row}"] [col-id="{column}"]').click()
    page.keyboard.press("Control+A")
    page.keyboard.type(value)
    page.keyboard.press("Enter")


def test_the_worked_example_answers_as_its_words_change(page: Page) -> None:
    open_page(page, "/auction")
    # The paper's example 1: 20, 5, 10 and 5 are paid; its example 2: 10 each.
    expect(page.locator(PRICES)).to_contain_text(re.compile(r"20.*Bidder 2.*5.*Bidder 2.*10.*Bidder 1.*5.*Bidder 1"))
    page.locator("#auction-why-revenue-example").press("Enter")
    expect(page.get_by_role("dialog", name="Why: revenue")).to_contain_text("25")
    page.keyboard.press("Escape")
    page.locator("#auction-word-template").select_option("paper-2")
    expect(page.locator(PRICES)).to_contain_text(re.compile(r"10.*Bidder 2.*10.*Bidder 1.*10.*Bidder 2.*10.*Bidder 1"))
    settle(page)  # the example's own increment is put into its word
    page.locator("#auction-word-increment").fill("10")
    page.locator("#auction-word-increment").press("Tab")
    expect(page.locator("#auction-example .hr-auction-sentence")).to_contain_text("increment 10 k$")
    page.get_by_role("link", name="Make it an auction").click()
    expect(page.locator(SUMMARY)).to_contain_text("example 2")


def test_what_is_typed_stays_through_errors_and_a_reload(page: Page) -> None:
    open_form(page, "classroom")
    page.locator("#auction-preset").select_option("FCC")
    expect(page.locator(SUMMARY)).to_contain_text("it lasts 30 min")
    page.locator("#auction-seats").fill("8")
    page.locator("#auction-seats").press("Tab")
    expect(page.locator("#auction-seats-grid .ag-pinned-left-cols-container .ag-row")).to_have_count(8)
    write(page, "lots", 0, "opening", "77")
    write(page, "seats", 7, "name", "Bidder 1")
    expect(page.locator(SUMMARY)).to_contain_text("1 thing to mend")
    press(page, "Make the auction")
    expect(page.locator("#shell-toasts")).to_contain_text("not made yet")
    open_form(page, "classroom")
    expect(page.locator(SUMMARY)).to_contain_text("Bidder 1 is there twice")
    expect(page.locator("#auction-preset")).to_have_value("FCC")
    expect(page.locator('#auction-lots-grid [row-index="0"] [col-id="opening"]')).to_have_text("77")
    press(page, "Start afresh")
    expect(page.locator("#auction-seats")).to_have_value("6")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#auction-seats")).to_have_value("8")


def test_values_are_built_for_the_chosen_seats(page: Page) -> None:
    open_form(page, "paper-1")
    page.locator('#auction-seats-grid [row-index="1"] [col-id="kind"]').click()
    page.keyboard.press("Escape")
    page.locator("#auction-worth").click()
    for name, value in (("Revenue of a MW", "1000"), ("Backup", "0"), ("Years", "1"), ("Discount rate", "0")):
        page.get_by_role("spinbutton", name=name).fill(value)
        page.get_by_role("spinbutton", name=name).press("Tab")
    expect(page.locator("#auction-worth-working")).to_contain_text("10 MW firm at bus 3")
    press(page, "Use these values")
    expect(page.locator("#shell-toasts")).to_contain_text("Values set for Bidder 2")
    # 10 MW at 1 000 $ a MW for one year are 10 k$.
    expect(page.locator('#auction-seats-grid [row-index="1"] [col-id="value:3-firm"]')).to_have_text("10")
    expect(page.locator('#auction-seats-grid [row-index="0"] [col-id="value:3-firm"]')).to_have_text("20")


def test_a_host_admits_mutes_replaces_pauses_and_announces(page: Page) -> None:
    make(page, "classroom")
    code = page.locator("#auction-invite strong").inner_text()
    page.locator("#auction-invite").click()
    expect(page.get_by_role("dialog", name="Invite")).to_contain_text("no phone can reach it")
    page.keyboard.press("Escape")
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context()
    bidder = other.new_page()
    open_page(bidder, new_address(page, "/auction/join"))
    bidder.evaluate(
        """code => fetch('/api/auctions/join', {method: 'POST', headers: {'Content-Type': 'application/json'},
                                                body: JSON.stringify({code: code, name: 'Ada'})})""",
        code,
    )
    expect(page.locator(".hr-host-waiting")).to_contain_text("Ada waits")
    press(page, "Admit Ada")
    expect(person(page, "Ada")).to_be_visible()
    other.close()
    press(page, "Open round 1")
    expect(page.locator(".hr-host-clock")).to_have_text(re.compile(r"1:\d\d"))
    person(page, "Bidder 2").locator(".hr-host-person").click()
    press(page, "Mute Bidder 2")
    expect(person(page, "Bidder 2")).to_contain_text("muted")
    press(page, "Unmute Bidder 2")
    person(page, "Bidder 2").get_by_role("button", name="Let a bot play").click()
    expect(person(page, "Bidder 2")).to_contain_text("bot: straightforward")
    person(page, "Bidder 2").locator(".hr-host-person").click()
    person(page, "Bidder 2").get_by_role("button", name="Give back to a person").click()
    expect(person(page, "Bidder 2")).not_to_contain_text("straightforward")
    press(page, "Close round 1")
    expect(page.get_by_role("group", name="Close round 1")).to_contain_text("ends the auction")
    press(page, "Keep it")
    press(page, "Give the 5 empty seats to bots")
    expect(page.locator(".hr-host-people [data-status=bot]")).to_have_count(5)
    press(page, "Pause")
    expect(page.locator(".hr-host-phase")).to_have_text("Paused")
    press(page, "Resume round 1")
    press(page, "+2 min for this round")
    expect(page.locator(".hr-host-clock")).to_have_text(re.compile(r"3:\d\d"))
    page.get_by_label("Message to all").fill("Lunch is at noon")
    press(page, "Announce")
    expect(page.locator(".hr-host-said")).to_contain_text("Lunch is at noon")
    expect(page.get_by_label("Message to all")).to_have_value("")
    press(page, "Cancel the auction")
    page.get_by_role("group", name="Cancel the auction").get_by_role("button", name="Cancel the auction").click()
    expect(page.locator(".hr-host-phase")).to_have_text("Cancelled")


def new_address(page: Page, path: str) -> str:
    return re.sub(r"(https?://[^/]+)/.*", rf"\1{path}", page.url)


def test_a_desk_is_shown_to_its_host_only(page: Page) -> None:
    auction = make(page, "paper-2")
    address = page.url
    open_page(page, "/auction")
    expect(page.locator("#auction-list")).to_contain_text("not open yet")
    page.locator("#auction-list").get_by_role("link").first.click()
    expect(page.locator(".hr-host-next")).to_be_visible()
    page.context.clear_cookies()
    open_page(page, address)
    expect(page.locator("main")).to_contain_text("run by somebody else")
    open_page(page, address.replace(auction, "0" * len(auction)))
    expect(page.locator("main")).to_contain_text("There is no such auction")


def test_lobby_form_and_desk_are_within_wcag_2_aa(page: Page) -> None:
    open_page(page, "/auction")
    page.locator(".hr-worked-details summary").first.click()
    assert barriers(page) == []
    open_form(page, "campus")
    page.get_by_role("button", name="More").click()
    assert barriers(page) == []
    page.get_by_role("button", name="More").click()
    press(page, "Make the auction")
    expect(page.locator(".hr-host-next")).to_be_visible()
    press(page, "Open round 1")
    expect(page.get_by_role("button", name="Close round 1")).to_be_visible()  # the people are drawn anew with it
    person(page, "Retailer").locator(".hr-host-person").click()
    person(page, "Retailer").get_by_role("button", name="Let a bot play").click()
    expect(person(page, "Retailer")).to_contain_text("bot: straightforward")
    press(page, "Close round 1")
    expect(page.get_by_role("button", name="Close round 2")).to_be_visible()
    page.locator("#auction-invite").click()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    press(page, "Annul round 1")
    assert barriers(page, ".hr-host-confirm") == []
    page.set_viewport_size(PHONE)
    for pane in ("People", "Products", "Log", "Round"):
        page.locator(".hr-tabs").get_by_role("button", name=pane).click()
        assert barriers(page, "body" if pane == "People" else "[data-host]") == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
