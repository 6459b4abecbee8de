"""Auctions in the running product for browsers to take part in, and its host as a program."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Page, expect

from callbacks.services import Services
from engine.auction.rules import Configuration
from engine.auction.templates import Seat
from tests.browser.browsing import DESKTOP, PATIENCE_S, Server, Watch

_numbers = itertools.count(1)
HOST = "host of the browser tests"


@dataclass(frozen=True, slots=True)
class Made:
    """An auction with the keys that open it."""

    id: str
    code: str
    host: str
    watch: str
    seats: Mapping[str, str]  # by name, without those that a bot has


def made(
    server: Server, configuration: Configuration, seats: Sequence[Seat], *, places: Any = None, bots: Sequence[int] = ()
) -> Made:
    """Make an auction in the product's own store; a straightforward bot sits in the seats of these places."""
    services = Services.open(f"sqlite:///{server.home / 'headroom.sqlite'}", server.home / "artefacts")
    try:
        given = [replace(one, bot="straightforward" if at in bots else "") for at, one in enumerate(seats)]
        auction = services.auctions.create(HOST, configuration, given, places=places)
        with services.auctions.turn(auction) as turn:
            keys = {one.name: turn.store.new_key("bidder", one.id) for one in turn.state.bidders if not one.bot}
            return Made(auction, turn.row.code, turn.store.new_key("host"), turn.store.new_key("watcher"), keys)
    finally:
        services.close()


class Host:
    """The host of an auction, without a page unless one is asked for."""

    def __init__(self, browser: Browser, server: Server, room: Made) -> None:
        self.context = browser.new_context(base_url=server.address, viewport=DESKTOP, reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.asks: APIRequestContext = self.context.request
        self.room = room
        self.asks.get("/auction/join")
        assert self._post("/api/auctions/join", {"key": room.host})["state"] == "host"

    def order(self, what: str, **more: Any) -> dict[str, Any]:
        """Order something and see that it is done."""
        body = {"request": f"b{next(_numbers)}", "what": what, **more}
        told = self._post(f"/api/auctions/{self.room.id}/host", body)
        assert told["accepted"], told
        return told

    def desk(self, watch: Watch) -> Page:
        """Open the host's desk in a page."""
        page = self.context.new_page()
        watch.see(page)
        page.goto(f"/auction?auction={self.room.id}")
        return page

    def sees(self) -> dict[str, Any]:
        """Return the host's snapshot."""
        told: dict[str, Any] = self.asks.get(f"/api/auctions/{self.room.id}/snapshot?as=host").json()
        return told

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.asks.post(path, data=dict(body))
        assert answer.ok, answer.text()
        told: dict[str, Any] = answer.json()
        return told


def come_in(
    browser: Browser,
    server: Server,
    watch: Watch,
    key: str,
    *,
    size: dict[str, int] = DESKTOP,
    before: str = "",
    **more: Any,
) -> Page:
    """Return a page that opened a seat by its personal link. ``before`` is a script that runs before any other."""
    context: BrowserContext = browser.new_context(
        base_url=server.address, viewport=size, reduced_motion="reduce", **more
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    watch.see(page)
    if before:
        page.add_init_script(before)
    page.goto(f"/auction/join#key={key}")
    page.wait_for_url("**/auction/seat?auction=*")
    expect(page.locator(".hr-bid-table")).to_be_attached()
    return page


def cells(page: Page, lot_name: str) -> Any:
    return page.locator(".hr-bid-row").filter(has=page.get_by_text(lot_name, exact=True))


def press_send(page: Page) -> None:
    page.locator(".hr-bid-send").click()


def expect_round(page: Page, words: str) -> None:
    expect(page.locator(".hr-room-round strong")).to_have_text(words)
