"""The seat of one bidder: the bid table, what he holds and would hold, the map of the products, news, the bid bar."""

from dash import dcc, html

from components import ids
from components.auction_room import pane, place, room, scrolling, tabs
from components.grid_map import Layer, grid_map, layers_data

PAGE = ids.AUCTION_SEAT
TABS = (("bid", "Bid"), ("mine", "Mine"), ("map", "Map"), ("news", "News"))
DEMAND_CLASSES = ("no new bid", "1 new bid", "2 new bids", "3 and more")
# What the map paints; its classes come with each snapshot (assets/81_bid5_map.js).
LAYERS = (
    Layer("mine", "Mine", palette="signs"),
    Layer("demand", "Demand", palette="cividis", labels=DEMAND_CLASSES, note="New bids in the last round"),
    Layer("risk", "Firm or flexible", palette="signs"),
)


def layout(auction: str) -> html.Main:
    """Return the page of the seat that whoever asks has in ``auction``."""
    return room(
        "seat",
        auction,
        "bidder",
        [
            place("head", "hr-room-head"),
            place("state", "hr-room-state"),
            tabs(TABS, "bid"),
            html.Div(
                [
                    pane("bid", "Bids", [place("tools", "hr-bid-tools"), place("lots", "hr-bid-lots")], "hr-bid-pane"),
                    html.Div(
                        [
                            pane("mine", "What I hold", [place("mine")]),
                            pane("map", "Map of the products", [_map(), place("map")]),
                            pane("news", "News", [place("news")]),
                        ],
                        className="hr-bid-side",
                        **scrolling("What I hold, the map, news"),
                    ),
                ],
                className="hr-bid-body",
                **scrolling("The seat"),
            ),
            place("bar", "hr-bid-bar"),
            place("dialog"),
        ],
        title="My seat in the auction",
        class_name="hr-seat",
    )


def _map() -> html.Div:
    """Return the one map of the product, without a network: the products are its points."""
    return html.Div(
        [
            dcc.Store(id=ids.selection(PAGE)),
            grid_map(PAGE, outlines=("states",), layers=LAYERS, data=layers_data(()), search=False),
        ],
        className="hr-bid-map",
        hidden=True,  # until it is known that the products have places
        **{"data-seat-map": PAGE},
    )
