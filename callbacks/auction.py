"""The Auction page: the lobby, the form that makes an auction (``make=``), the host's desk (``auction=``)."""

import time
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import auction_debrief, auction_example, auction_host, auction_new, auction_screen, auction_seat
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import since, toast
from components import auction, auction_ids, ids
from components import auction_host as desk
from engine.errors import EngineError, NotFoundError

_EXAMPLES = auction_example.Examples()
MOST_LISTED = 12


def page_layout(services: Services, **query: str) -> Any:
    """Return the page that the address asks for."""
    wanted = query.get("auction")
    if isinstance(wanted, str) and wanted:
        return auction_host.page_layout(services, wanted)
    if query.get("make"):
        try:
            return auction_new.page_layout(services, **query)
        except NotFoundError as error:
            return desk.absent("Nothing to make an auction from", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    study = query.get("study")
    asked = auction_example.as_given(auction_example.FIRST)
    user = current_user()
    return auction.layout(
        asked,
        _EXAMPLES.result(asked),
        lines(services, user, time.time()),
        auction_new.sources(services, user, study if isinstance(study, str) else None),
        auction_example.bots(),
        templates=auction_example.choices(),
    )


def lines(services: Services, user: str, now: float) -> list[auction.AuctionLine]:
    """Return the user's own auctions, newest first."""
    hosted = [row for row in services.auctions.list(user) if row.role == "host"]
    return [
        auction.AuctionLine(row.id, row.title, row.phase, row.round, row.bidders, since(row.updated, now))
        for row in hosted[:MOST_LISTED]
    ]


def play(services: Services, user: str, asked: auction.Asked) -> str:
    """Make the example's auction with the user in its first seat and bots in all others, and open its first round.

    Return the address of the seat. Raises EngineError in words.
    """
    configuration, seats = auction_example.to_play(asked)
    made = services.auctions.create(user, configuration, seats)
    with services.auctions.turn(made) as turn:
        turn.store.admit(user, "bidder", bidder=turn.state.bidders[0].id, name=turn.state.bidders[0].name)
        turn.tell("opened", {"deadline": turn.now + configuration.rules.timing.round_s})
    return f"/auction/seat?auction={made}"


def register(app: Dash, services: Services) -> None:
    """Wire the page, and the maps of the live pages."""
    auction_new.register(app, services)
    auction_seat.register(app)
    auction_screen.register(app)
    auction_debrief.register(app, services)
    words = auction.ids_of_words()

    @app.callback(
        Output(auction_ids.EXAMPLE, "children"),
        Output(f"{auction_ids.EXAMPLE}-make", "href"),
        Output(words["increment"], "value"),
        Output(words["ties"], "value"),
        Input(words["template"], "value"),
        Input(words["increment"], "value"),
        Input(words["ties"], "value"),
        Input(words["bots"], "value"),
        prevent_initial_call=True,
    )
    def answer(template: Any, increment: Any, ties: Any, bots: Any) -> Any:
        try:
            if ctx.triggered_id == words["template"]:  # another example comes with its own rules
                given = auction_example.as_given(template)
                increment, ties = given.increment, given.ties
            asked = auction_example.asked_of(template, increment, ties, bots)
        except EngineError as error:
            return auction.failed(f"{str(error)[:1].upper()}{str(error)[1:]}."), no_update, no_update, no_update
        return _EXAMPLES.result(asked), f"/auction?make=template:{asked.template}", asked.increment, asked.ties

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(f"{auction_ids.EXAMPLE}-play", "n_clicks"),
        State(words["template"], "value"),
        State(words["increment"], "value"),
        State(words["ties"], "value"),
        State(words["bots"], "value"),
        running=[(Output(f"{auction_ids.EXAMPLE}-play", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def begin(clicks: Any, template: Any, increment: Any, ties: Any, bots: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            asked = auction_example.asked_of(template, increment, ties, bots)
            return play(services, current_user(), asked), no_update
        except EngineError as error:
            return no_update, toast(str(error))
