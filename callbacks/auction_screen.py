"""The screen for the room in which an auction is held."""

from typing import Any

from callbacks.services import Services
from components import auction_screen
from components.auction_room import text_of


def page_layout(_services: Services, auction: object = "", **_query: object) -> Any:
    """Return the page."""
    return auction_screen.layout(text_of(auction))
