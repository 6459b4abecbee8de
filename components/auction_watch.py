"""What a spectator reads: the same public data as the screen for the room, in tables."""

from dash import html

from components.auction_room import place, room, scrolling


def layout(auction: str) -> html.Main:
    """Return the spectator's page of ``auction``."""
    return room(
        "watch",
        auction,
        "public",
        [
            place("head", "hr-room-head"),
            place("state", "hr-room-state"),
            html.Div(
                [
                    place("lots", "hr-watch-lots"),
                    place("side", "hr-watch-side", **scrolling("Bidders, rounds and rules")),
                ],
                className="hr-watch-body",
                **scrolling("The auction"),
            ),
        ],
        title="Auction, to watch",
        class_name="hr-watch",
    )
