"""The drawing canvas: a network that is laid out, as cytoscape elements."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
import dash_cytoscape as cyto
import numpy as np
import numpy.typing as npt
from dash import html

from components import network_ids
from components.grid_map import Layer, is_geographic
from engine.network.tables import NetworkTables

MOST_ON_CANVAS = 1000  # buses; larger networks are drawn on the map's canvas, which stays fluent

Element = dict[str, Any]


def view(tables: NetworkTables) -> str:
    """Return how a network is drawn: "geographic", "canvas", or "plain" (too large for the canvas)."""
    if is_geographic(tables):
        return "geographic"
    return "canvas" if len(tables.buses) <= MOST_ON_CANVAS else "plain"


def elements(tables: NetworkTables, places: npt.NDArray[np.float64]) -> list[Element]:
    """Return nodes and edges; ``places`` (B, 2) are canvas x and y. Ids carry their kind, as selections do."""
    buses, branches = tables.buses, tables.branches
    generating = set(tables.units["bus"])
    nodes = [
        {
            "data": {
                "id": f"bus:{key}",
                "i": position,  # in table order, as the layers' values
                "label": _label(key, name),
                "slack": int(slack),
                "load": int(load > 0),
                "units": int(key in generating),
                "off": int(not on),
            },
            "position": {"x": float(x), "y": float(y)},
        }
        for position, (key, name, slack, load, on, (x, y)) in enumerate(
            zip(buses["bus"], buses["name"], buses["slack"], buses["load_mw"], buses["in_service"], places, strict=True)
        )
    ]
    there = set(buses["bus"])
    columns = ("branch", "from_bus", "to_bus", "rating_a_mw", "kind", "in_service")
    edges = [
        {
            "data": {
                "id": f"branch:{key}",
                "i": position,
                "source": f"bus:{start}",
                "target": f"bus:{end}",
                "label": f"{rating:g} MW" if 0 < rating < np.inf else "",
                "transformer": int(kind == "transformer"),
                "off": int(not on),
            }
        }
        for position, (key, start, end, rating, kind, on) in enumerate(
            zip(*(branches[name] for name in columns), strict=True)
        )
        if start in there and end in there
    ]
    return nodes + edges


def _label(key: str, name: str) -> str:
    """Return a bus's id and name, once each: a name that holds the id stands alone."""
    name = " ".join(name.split())
    return name if key in name.split() else f"{key} {name}" if name else key


def canvas(
    drawn: list[Element], layers: Sequence[Layer], *, layer: str, hidden: bool, read_only: bool, hint: Any
) -> html.Div:
    """Return the canvas, with ``hint`` over it. Colours and gestures are set in ``assets/draw5_canvas.js``."""
    return html.Div(
        [
            cyto.Cytoscape(
                id=network_ids.CANVAS,
                elements=drawn,
                layout={"name": "preset", "fit": False},
                autoRefreshLayout=False,
                minZoom=0.05,
                maxZoom=4,
                boxSelectionEnabled=not read_only,
                responsive=False,  # its own way of resizing moves the drawing; assets/draw5_canvas.js keeps the middle
                style={"width": "100%", "height": "100%"},
            ),
            html.Div(
                dbc.RadioItems(
                    id=network_ids.CANVAS_LAYER,
                    name=network_ids.CANVAS_LAYER,
                    options=[{"label": layer.label, "value": layer.key} for layer in layers],
                    value=layer,
                    class_name="hr-segments",
                ),
                className="hr-map-tools",
                role="group",
                **{"aria-label": "Layer"},
            ),
            html.Div(id=f"{network_ids.CANVAS}-legend", className="hr-legend", hidden=True),
            hint,
        ],
        id=network_ids.CANVAS_FRAME,
        className="hr-draw-canvas",
        hidden=hidden,
        tabIndex=0,
        role="application",
        **{
            "aria-label": "Drawing canvas. Every edit can also be made in the tables below.",
            "data-draw-canvas": "",
            "data-read-only": "true" if read_only else "false",
        },
    )
