"""The host's desk: the containers that ``assets/83_host.js`` fills from the host's snapshot."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from components import ids
from components.skeleton import page, state

PAGE = ids.AUCTION


def layout(auction: str, title: str, invitation: Mapping[str, Any], bots: Sequence[tuple[str, str]]) -> html.Main:
    """Return the desk of one auction. ``bots`` are (kind, words) that may take over a seat."""
    return page(
        html.Div(
            [
                html.P(className="hr-room-connection", role="status", **{"data-room-connection": ""}),
                html.Div(className="visually-hidden", **{"data-room-live": "", "aria-live": "polite"}),
                html.Div(html.P("Opening the desk", className="hr-muted"), className="hr-host-head", **_part("head")),
                html.Div(className="hr-tabs", role="group", **_part("tabs"), **{"aria-label": "Panes"}),
                html.Div(
                    [
                        html.Section(className="hr-pane hr-host-pane", **_part("lots"), **{"aria-label": "Products"}),
                        html.Div(
                            [
                                html.Section(**_part("round"), className="hr-host-pane", **{"aria-label": "Round"}),
                                html.Section(**_part("people"), className="hr-host-pane", **{"aria-label": "People"}),
                            ],
                            className="hr-host-middle",
                            tabIndex=0,
                            role="group",
                            **{"aria-label": "Round and people"},
                        ),
                        html.Section(
                            className="hr-pane hr-host-pane hr-host-aside",
                            tabIndex=0,
                            **_part("log"),
                            **{"aria-label": "Certificate and log"},
                        ),
                    ],
                    className="hr-host-columns",
                ),
            ],
            className="hr-host",
            **{
                "data-room": "host",
                "data-as": "host",
                "data-auction": auction,
                "data-pane": "round",
                "data-invitation": json.dumps(invitation),
                "data-bots": json.dumps([list(pair) for pair in bots]),
            },
        ),
        title=f"{title}: the host's desk",
        class_name="hr-auction hr-auction-host",
    )


def absent(title: str, message: str) -> html.Main:
    """Return the page for an auction that is not there, or is somebody else's."""
    action = [
        dcc.Link("To the auctions", href="/auction", className="hr-button hr-button-primary"),
        dcc.Link("Join one by its code", href="/auction/join", className="hr-button"),
    ]
    return page(
        html.Div(state("empty", message, title=title, action=action), className="hr-capacity-alone"),
        title=title,
        class_name="hr-auction",
    )


def _part(name: str) -> dict[str, str]:
    return {"data-host": name}
