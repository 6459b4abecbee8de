"""The screen for the room: prices, demand, places, the clock. Nothing that only one bidder may know is on it."""

from dash import dcc, html

from components import ids
from components.auction_bid import DEMAND_CLASSES
from components.auction_room import place, room
from components.grid_map import Layer, grid_map, layers_data

PAGE = ids.AUCTION_SCREEN
LAYERS = (Layer("demand", "Demand", palette="cividis", labels=DEMAND_CLASSES),)


def layout(auction: str) -> html.Main:
    """Return the projector's page of ``auction``."""
    return room(
        "screen",
        auction,
        "public",
        [
            place("head", "hr-screen-head"),
            html.Div(
                [
                    place("ladder", "hr-screen-ladder"),
                    html.Div([place("side"), _map()], className="hr-screen-side"),
                ],
                className="hr-screen-body",
            ),
            place("foot", "hr-screen-foot"),
        ],
        title="Auction, screen for the room",
        class_name="hr-screen",
    )


def _map() -> html.Div:
    """Return the map of the products, coloured by demand."""
    return html.Div(
        [
            dcc.Store(id=ids.selection(PAGE)),
            grid_map(PAGE, outlines=("states",), layers=LAYERS, data=layers_data(()), search=False),
        ],
        className="hr-screen-map",
        hidden=True,  # until it is known that the products have places
        **{"data-seat-map": PAGE},
    )
