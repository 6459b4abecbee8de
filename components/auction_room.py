"""What the live pages of an auction share. Python lays out named places; scripts fill them from the room's snapshot."""

from collections.abc import Sequence
from typing import Any, Literal

from dash import html

from components.skeleton import page

Part = Any
View = Literal["join", "bidder", "public"]

CLASS = "hr-room"


def room(kind: str, auction: str, view: View, children: Sequence[Part], *, title: str, class_name: str) -> html.Main:
    """Return the page ``kind`` of an auction, which ``assets/80_room.js`` follows while it stands.

    ``view`` is the snapshot that it asks for. ``title`` is the page's heading until the script writes the auction's.
    """
    return page(
        html.Div(
            [
                html.P(className="hr-room-connection", role="status", **{"data-room-connection": ""}),
                html.Div(className="visually-hidden", **{"data-room-live": "", "aria-live": "polite"}),
                *children,
            ],
            className=f"{CLASS} {class_name}",
            **{"data-room": kind, "data-auction": auction, "data-as": view},
        ),
        title=title,
        class_name="hr-room-page",
    )


def place(name: str, class_name: str = "", **names: str) -> html.Div:
    """Return a place that the page's script fills."""
    return html.Div(className=class_name, **{"data-part": name, **names})


def scrolling(label: str) -> dict[str, str]:
    """Return what lets a place be scrolled by the keyboard, and names it."""
    return {"tabIndex": "0", "role": "group", "aria-label": label}


def pane(name: str, label: str, children: Sequence[Part], class_name: str = "") -> html.Section:
    """Return one of the panes that are side by side on a wide screen and behind tabs on a phone."""
    return html.Section(
        list(children), className=f"hr-room-pane {class_name}".strip(), **{"aria-label": label, "data-room-pane": name}
    )


def tabs(panes: Sequence[tuple[str, str]], chosen: str) -> html.Div:
    """Return the buttons that choose one of ``panes`` (name, word) on a phone."""
    return html.Div(
        [
            html.Button(
                [html.Span(word), html.Span(className="hr-room-new", **{"data-room-new": name})],
                type="button",
                className="hr-tab",
                **{"data-room-tab": name, "aria-pressed": "true" if name == chosen else "false"},
            )
            for name, word in panes
        ],
        className="hr-tabs hr-room-tabs",
        role="group",
        **{"aria-label": "Panes"},
    )


def text_of(value: object) -> str:
    """Return one argument of an address as text; ``""`` when it is missing or given twice."""
    return value if isinstance(value, str) else ""
