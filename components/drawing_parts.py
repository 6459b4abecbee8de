"""The buttons that bring a figure as a file. What they send is drawn by components.drawing."""

import base64
from typing import Any

from dash import html

from components import ids
from components.drawing import MapContent, draw_map
from components.drawing_chart import StepChart, draw_chart
from components.drawing_sheet import TYPES, Caption, Format, rendered
from components.skeleton import Part, button

_WORDS = {"svg": "SVG", "png": "PNG"}


def capacity_buttons() -> list[Part]:
    """Return the buttons of the Capacity page's export panel: the map that shows, and the selected bus's curve."""
    return [_row("capacity", "map", "The map that shows"), _row("capacity", "curve", "The selected bus's curve")]


def network_buttons() -> list[Part]:
    """Return the buttons of the Network page's export panel: the map that shows."""
    return [_row("network", "map", "The map that shows")]


def _row(page: str, what: str, words: str) -> html.Div:
    buttons = [
        button(text, ids.drawing(page, what, kind), **{"aria-label": f"{words} as {text}"})
        for kind, text in _WORDS.items()
    ]
    return html.Div([html.Span(words), *buttons], className="hr-drawing-row")


def map_file(content: MapContent, caption: Caption, kind: Format, name: str) -> dict[str, Any]:
    """Return a map as the content of a ``dcc.Download``."""
    return _file(rendered(draw_map(content, caption), kind, caption), kind, name)


def chart_file(chart: StepChart, caption: Caption, kind: Format, name: str) -> dict[str, Any]:
    """Return a chart as the content of a ``dcc.Download``."""
    return _file(rendered(draw_chart(chart, caption), kind, caption), kind, name)


def _file(content: bytes, kind: Format, name: str) -> dict[str, Any]:
    packed = base64.b64encode(content).decode("ascii")
    return {"filename": f"{name}.{kind}", "content": packed, "type": TYPES[kind], "base64": True}
