"""Where a network is drawn: the tool strip, the map and the canvas of the Network page."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components import ids, network_ids, skeleton
from components.grid_map import Bounds, Layer, grid_map, layers_data
from components.icons import icon
from components.network_canvas import canvas
from components.network_forms import READ_ONLY

PAGE = ids.NETWORK
Part = Any

TOOLS = (
    ("select", "select", "Select", "V"),
    ("add", "plus", "Add bus", "B"),
    ("connect", "connect", "Connect", "C"),
    ("delete", "delete", "Delete", "X"),
)
KEYS_HELP = (
    "In the drawing: V select, B add bus, C connect (drag from bus to bus, or press both), X delete, Del removes the "
    "selection, Ctrl+Z undo, Ctrl+Y redo, F fit, Esc lets go. The tables below can do all of this too."
)


def pane(
    drawn: Mapping[str, Any],
    layers: Sequence[Layer],
    steps: Mapping[str, Any],
    *,
    read_only: bool,
    message: Part = None,
    layer: str = "kv",
    data: Mapping[str, Any] | None = None,
) -> list[Part]:
    """Return the tool strip, the map and the canvas, of which one is hidden.

    ``data`` is what ``layers_data`` returned (default: made of ``layers``), ``layer`` the one that shows.
    """
    on_canvas = drawn["view"] == "canvas"
    bounds: Bounds = tuple(tuple(corner) for corner in drawn["bounds"])  # type: ignore[assignment]  # two pairs
    return [
        strip(steps, read_only=read_only, message=message),
        html.Div(
            grid_map(
                PAGE,
                bounds=bounds,
                buses_url=drawn["buses"],
                branches_url=drawn["branches"],
                geographic=drawn["view"] != "plain",
                layers=layers,
                layer=layer,
                data=data or layers_data(layers),
            ),
            className="hr-draw-map",
            hidden=on_canvas,
            **{"data-draw-map": "geographic" if drawn["view"] == "geographic" else "plain"},
        ),
        canvas(
            drawn["elements"],
            layers,
            layer=layer,
            hidden=not on_canvas,
            read_only=read_only,
            hint=hint(read_only=read_only, hidden=bool(drawn["elements"]) or not on_canvas),
        ),
    ]


def hint(*, read_only: bool, hidden: bool) -> html.Div:
    """Return what an empty canvas says: the next action, and the other way to begin."""
    if read_only:
        words: list[Part] = [html.P("This network has no bus yet.", className="hr-draw-hint-title")]
    else:
        words = [
            html.P("Press anywhere to place the first bus", className="hr-draw-hint-title"),
            html.P(
                [
                    "Then ", html.Kbd("C"), " and drag from bus to bus for a line. Loads and ratings go in the tables "
                    "below; a bus gets its unit in the inspector.",
                ]
            ),
            html.Div(
                html.Button(
                    [icon("upload", size=16), html.Span("Import a network instead")],
                    type="button",
                    className="hr-button",
                    **{"data-popover": f"{network_ids.IMPORT}-panel", "aria-expanded": "false"},
                )
            ),
        ]  # fmt: skip
    return html.Div(words, id=network_ids.HINT, className="hr-draw-hint", hidden=hidden)


def strip(steps: Mapping[str, Any], *, read_only: bool, message: Part = None) -> html.Div:
    """Return the one tool strip of canvas and map."""
    tools = [
        html.Button(
            [icon(picture, size=16), html.Span(word, className="hr-draw-word")],
            type="button",
            className="hr-button hr-draw-tool",
            disabled=read_only and name != "select",
            title=READ_ONLY if read_only and name != "select" else f"{word} ({key})",
            **{
                "data-draw-tool": name,
                "aria-pressed": "true" if name == "select" else "false",
                "aria-keyshortcuts": key,
            },
        )
        for name, picture, word, key in TOOLS
    ]
    return html.Div(
        [
            html.Div(tools, className="hr-draw-group", role="group", **{"aria-label": "Drawing tools"}),
            html.Div(
                [
                    step_button("undo", steps, read_only=read_only),
                    step_button("redo", steps, read_only=read_only),
                    html.Button(
                        icon("fit", size=16), type="button", className="hr-button hr-button-icon", title="Fit (F)",
                        **{"data-draw-action": "fit", "aria-label": "Fit the drawing"},
                    ),
                ],
                className="hr-draw-group",
            ),
            skeleton.popover("network-keys", icon("help", size=16), html.P(KEYS_HELP), label="Keys of the drawing",
                             class_name="hr-button hr-button-icon", button_label="Keys of the drawing"),
            html.Span(READ_ONLY, className="hr-draw-readonly") if read_only else None,
            html.Span(message, id=network_ids.MESSAGE, className="hr-draw-message", role="status"),
        ],
        className="hr-draw-strip",
        **{"data-draw-strip": "read-only" if read_only else "open"},
    )  # fmt: skip


def step_button(name: str, steps: Mapping[str, Any], *, read_only: bool) -> html.Button:
    """Return the undo or the redo button; its tip says what it takes back."""
    return html.Button(
        icon(name, size=16),
        id=network_ids.UNDO if name == "undo" else network_ids.REDO,
        type="button",
        className="hr-button hr-button-icon",
        disabled=read_only or not steps[name],
        title=step_title(name, steps),
        **{"data-draw-action": name, "aria-label": name.capitalize()},
    )


def step_title(name: str, steps: Mapping[str, Any]) -> str:
    """Return the tip of the undo or redo button."""
    key = "Ctrl+Z" if name == "undo" else "Ctrl+Y"
    return f"{name.capitalize()}: {steps[name + '_label']} ({key})" if steps[name] else f"Nothing to {name}"
