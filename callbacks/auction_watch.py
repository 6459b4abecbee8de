"""The page of whoever watches an auction and may not act in it."""

from typing import Any

from callbacks.services import Services
from components import auction_watch
from components.auction_room import text_of


def page_layout(_services: Services, auction: object = "", **_query: object) -> Any:
    """Return the page."""
    return auction_watch.layout(text_of(auction))
