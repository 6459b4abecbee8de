"""A seat's script by itself: what it makes of the room's own snapshots, without a server and a page of the product."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app import create_app
from callbacks import auction_access
from callbacks.settings import Settings
from engine.auction.rules import Activity, Configuration
from tests.browser.browsing import ROOT
from tests.rooms import Visitor, configuration, seat

SCRIPTS = ("80_pane.js", *sorted(path.name for path in (ROOT / "assets").glob("81_bid*.js")))
NAMES = ("head", "state", "tools", "lots", "mine", "map", "news", "bar", "dialog")
PARTS = "".join(f'<div data-part="{name}"></div>' for name in NAMES)
# The room that 80_room.js would give: answers are those that a test puts down, and what is sent is kept.
ROOM = """
window.headroom = { room: { page: (kind, make) => { window.make = make; } }, maps: {} };
"""
SEAT = """
() => {
  window.sent = [];
  window.answers = {};
  const root = document.getElementById('seat');
  const room = { auction: 'a', as: 'bidder', root: root, snapshot: null, refusal: null, connection: 'ok',
    now: () => room.snapshot.now, left: () => null, say: () => {}, redraw: () => {},
    get: () => Promise.resolve({ status: 200, body: { rounds: [] } }),
    post: (route, body) => {
      window.sent.push([route, body]);
      return Promise.resolve(window.answers[route] || { status: 0, body: null });
    } };
  const view = window.make(root, room);
  window.see = snapshot => { room.snapshot = snapshot; view.draw(snapshot, room); };
}
"""
VALUES = {"kind": "additive", "values": {"lot-1": 50, "lot-2": 40, "lot-3": 30}}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Yield the product without a web server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        yield create_app(Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})).server


class Play:
    """An auction of two people in round 1; the page shows Ann's seat."""

    def __init__(self, server: Flask, page: Page, configuration: Configuration) -> None:
        self.page, self.host, self._server = page, Visitor(server), server
        self._rooms = server.extensions["headroom-auctions"]
        self.auction = self._rooms.create(self.host.user, configuration, [seat("Ann", valuation=VALUES), seat("Bob")])
        self.ann, self.bob = self._seated("b1"), self._seated("b2")
        assert self.host.order(self.auction, "open")["accepted"]

    def _seated(self, bidder: str) -> Visitor:
        with self._rooms.turn(self.auction) as turn:
            key = turn.store.new_key("bidder", bidder)
        visitor = Visitor(self._server)
        assert '"admitted"' in visitor.post("join", {"key": key}).text
        return visitor

    def see(self) -> None:
        """Give the page the snapshot that Ann's session gets now."""
        self.page.evaluate("snapshot => window.see(snapshot)", self.ann.look(self.auction, "bidder"))

    def sent(self, route: str) -> list[Any]:
        """Return what the page has sent to an address of the room."""
        return [body for where, body in self.page.evaluate("window.sent") if where == route]

    def tick(self, lot: str) -> Any:
        return self.page.get_by_role("checkbox", name=f"Bid on {lot}", exact=True)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield an empty page with the seat's scripts, and the errors that they throw."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.route(
        "http://seat.test/",
        lambda route: route.fulfill(body=f'<main id="seat">{PARTS}</main>', content_type="text/html"),
    )
    page.goto("http://seat.test/")  # an address of its own: without one nothing can be kept over a reload
    page.add_script_tag(content=ROOM)
    for name in SCRIPTS:
        page.add_script_tag(path=Path(ROOT / "assets" / name))
    page.evaluate(SEAT)
    yield page
    page.context.close()
    assert faults == []


def test_what_another_device_sends_comes_into_a_form_where_nothing_is_typed(rooms: Flask, page: Page) -> None:
    play = Play(rooms, page, configuration())
    play.see()
    expect(play.tick("Lot 1")).not_to_be_checked()
    assert play.ann.act(play.auction, "bids", 1, bids=[["lot-1", 5, 1]])["accepted"]  # the same seat elsewhere
    play.see()
    expect(play.tick("Lot 1")).to_be_checked()
    expect(page.locator(".hr-bid-send")).to_have_text("Sent")
    play.tick("Lot 2").check()  # from here on something is typed here
    assert play.ann.act(play.auction, "bids", 1, bids=[["lot-3", 5, 1]])["accepted"]
    play.see()
    expect(page.locator(".hr-bid-note")).to_contain_text("Another device of yours sent 1 bid")
    expect(page.locator(".hr-bid-note")).to_contain_text("sending here replaces it")
    expect(play.tick("Lot 2")).to_be_checked()
    expect(play.tick("Lot 3")).not_to_be_checked()


@pytest.mark.parametrize("answer", [{"status": 429, "body": None}, {"status": 0, "body": None}])
def test_bids_whose_warning_cannot_be_worked_out_are_asked_about_before_they_are_sent(
    rooms: Flask, page: Page, answer: dict[str, Any]
) -> None:
    play = Play(rooms, page, configuration())
    play.see()
    page.evaluate("answer => { window.answers['what-if'] = answer; }", answer)
    play.tick("Lot 1").check()
    page.locator(".hr-bid-send").click()
    dialog = page.get_by_role("dialog", name="The warning could not be worked out")
    dialog.get_by_role("button", name="Back").click()
    expect(dialog).to_be_hidden()
    assert play.sent("act") == []
    page.locator(".hr-bid-send").click()
    dialog.get_by_role("button", name="Send all the same").click()
    expect(page.locator(".hr-bid-receipt")).to_contain_text("No answer")
    assert [body["bids"] for body in play.sent("act")] == [[["lot-1", 5, 1]]]


def test_who_has_no_eligibility_left_is_told_so_for_good_and_can_tick_nothing(rooms: Flask, page: Page) -> None:
    play = Play(rooms, page, configuration(activity=Activity(enforced=True, stages=(1.0,), waivers=0)))
    play.see()
    expect(play.tick("Lot 1")).to_be_enabled()
    assert play.bob.act(play.auction, "bids", 1, bids=[["lot-1", 5, 1]])["accepted"]
    play.host.order(play.auction, "close")  # Ann did nothing: 0 units of activity over a share of 1 are 0 units
    play.see()
    out = page.locator(".hr-room-line-wrong")
    expect(out).to_contain_text("You are out of the bidding")
    expect(play.tick("Lot 1")).to_be_disabled()
    expect(page.locator(".hr-bid-send")).to_be_disabled()
    page.locator(".hr-bid-note").get_by_role("button", name="Close").click()
    expect(out).to_be_visible()  # a state, not news


def test_an_annulled_round_is_told_as_one_and_nobody_was_outbid_in_it(rooms: Flask, page: Page) -> None:
    play = Play(rooms, page, configuration())
    assert play.ann.act(play.auction, "bids", 1, bids=[["lot-1", 5, 1]])["accepted"]
    play.see()
    play.host.order(play.auction, "close")
    play.see()
    expect(page.locator(".hr-bid-note")).to_contain_text("Your bids stand on Lot 1")
    assert play.host.order(play.auction, "annul", reason="the projector was dark")["accepted"]
    play.see()
    note = page.locator(".hr-bid-note")
    expect(note).to_contain_text("The host annulled a round: round 1 begins again")
    expect(note).not_to_contain_text("outbid")
    expect(page.locator("[data-part=mine]")).to_contain_text("I hold nothing yet")


def test_rounds_that_closed_while_the_device_slept_are_no_annulled_ones(rooms: Flask, page: Page) -> None:
    play = Play(rooms, page, configuration())
    assert play.ann.act(play.auction, "bids", 1, bids=[["lot-1", 5, 1]])["accepted"]
    play.see()
    play.host.order(play.auction, "close")
    assert play.bob.act(play.auction, "bids", 2, bids=[["lot-1", 10, 1]])["accepted"]
    play.host.order(play.auction, "close")
    play.see()  # of round 2 nothing was seen here
    expect(page.locator(".hr-bid-note")).to_contain_text("You were outbid on Lot 1")
    expect(page.locator(".hr-bid-note")).not_to_contain_text("annulled")


def test_a_withdrawn_bid_is_marked_can_be_kept_and_was_not_outbid(rooms: Flask, page: Page) -> None:
    play = Play(rooms, page, configuration(activity=Activity(enforced=True, stages=(0.5, 1.0), waivers=1)))
    assert play.ann.act(play.auction, "bids", 1, bids=[["lot-1", 5, 1], ["lot-2", 5, 1], ["lot-3", 5, 1]])["accepted"]
    play.see()
    play.host.order(play.auction, "close")
    play.see()
    for name in ("Lot 1", "Lot 3"):  # the second must not replace the first
        page.get_by_role("button", name=f"Withdraw my bid on {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw", exact=True).click()
        sent = play.sent("act")[-1]
        assert play.ann.act(play.auction, "withdraw", 2, lots=sent["lots"])["accepted"]
        play.see()
    bar, mine = page.locator("[data-part=bar]"), page.locator("[data-part=mine]")
    assert play.sent("act")[-1]["lots"] == ["lot-1", "lot-3"]
    expect(bar).to_contain_text("You withdraw Lot 1, Lot 3")
    expect(mine).to_contain_text("20 units")  # of 10, 20 and 30 the second stays
    expect(bar).to_contain_text("10 units short of the 30 required")
    page.get_by_role("button", name="Keep my bid on Lot 1").click()
    assert play.sent("act")[-1]["lots"] == ["lot-3"]
    assert play.ann.act(play.auction, "withdraw", 2, lots=["lot-3"])["accepted"]
    assert play.bob.act(play.auction, "bids", 2, bids=[["lot-2", 10, 1]])["accepted"]
    assert play.host.order(play.auction, "stage", stage=1)["accepted"]  # with the next round: some have acted
    play.see()
    note = page.locator(".hr-bid-note")
    expect(note).not_to_contain_text("Stage 2")
    play.host.order(play.auction, "close")
    play.see()
    expect(note).to_contain_text("Stage 2 begins: activity on 100\u2009% of your eligibility is required, 60 units.")
    expect(note).to_contain_text("You were outbid on Lot 2. You withdrew Lot 3.")
    expect(mine).to_contain_text("Lot 3: withdrawn at 5 k$ in round 2; 1 k$ stand until it is sold again")
    assert play.bob.act(play.auction, "bids", 3, bids=[["lot-1", 10, 1]])["accepted"]
    for _ in range(2):
        play.host.order(play.auction, "close")
    play.see()
    # 3 % of 5, rounded up: nobody has bought it.
    expect(page.locator("[data-part=state]")).to_contain_text("Besides, you pay 1\u2009k$ for withdrawn bids")
