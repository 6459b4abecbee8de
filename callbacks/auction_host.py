"""The host's desk of one auction: its layout; the rest is the room's routes and ``assets/83_host.js``."""

from typing import Any

from callbacks import auction_invite, auction_shown
from callbacks.auction_room import RefusedError
from callbacks.security import current_user
from callbacks.services import Services
from components import auction_host
from engine.auction.bots import BOTS
from engine.errors import NotFoundError


def page_layout(services: Services, auction: str) -> Any:
    """Return the desk, or who may see what instead."""
    try:
        snapshot = auction_shown.view(services.auctions, current_user(), auction, "host")
    except NotFoundError:
        return auction_host.absent(
            "There is no such auction", "The address names none, or it is not yours to run. Ask its host for a link."
        )
    except RefusedError:
        return auction_host.absent(
            "This auction is run by somebody else", "You can take part in it with its code, or watch it by a link."
        )
    kinds = [(bot.kind, bot.title) for bot in BOTS.values() if not bot.kind.startswith("paper-")]
    code = str(snapshot["host"]["code"])
    return auction_host.layout(auction, str(snapshot["title"]), auction_invite.invitation(code), kinds)
