"""The screen for the room in which an auction is held."""

from typing import Any

from dash import Dash

from callbacks.services import Services
from components import auction_screen
from components.auction_room import text_of
from components.grid_map import register_map


def page_layout(_services: Services, auction: object = "", **_query: object) -> Any:
    """Return the page."""
    return auction_screen.layout(text_of(auction))


def register(app: Dash) -> None:
    """Wire the map of the products in the browser."""
    register_map(app, auction_screen.PAGE)
