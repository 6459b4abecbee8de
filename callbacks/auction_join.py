"""The page by which a bidder comes into an auction."""

from typing import Any

from callbacks.services import Services
from components import auction_join
from components.auction_room import text_of


def page_layout(_services: Services, code: object = "", **_query: object) -> Any:
    """Return the page; whether the code is one is told when it is sent."""
    return auction_join.layout(text_of(code))
