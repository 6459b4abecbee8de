"""The screen for the room: prices, demand, places, the clock. Nothing that only one bidder may know is on it."""

from dash import html

from components.auction_room import place, room


def layout(auction: str) -> html.Main:
    """Return the projector's page of ``auction``."""
    return room(
        "screen",
        auction,
        "public",
        [
            place("head", "hr-screen-head"),
            html.Div(
                [place("ladder", "hr-screen-ladder"), place("side", "hr-screen-side")], className="hr-screen-body"
            ),
            place("foot", "hr-screen-foot"),
        ],
        title="Auction, screen for the room",
        class_name="hr-screen",
    )
