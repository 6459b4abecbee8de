"""The page of one bidder's seat. Who sits there is known by the session alone, when the page asks for its data."""

from typing import Any

from dash import Dash

from callbacks.services import Services
from components import auction_bid
from components.auction_room import text_of
from components.grid_map import register_map


def page_layout(_services: Services, auction: object = "", **_query: object) -> Any:
    """Return the page."""
    return auction_bid.layout(text_of(auction))


def register(app: Dash) -> None:
    """Wire the map of the products in the browser."""
    register_map(app, auction_bid.PAGE)
