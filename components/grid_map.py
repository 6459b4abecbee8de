"""The one map of every page: dash-leaflet on a canvas, outlines of our own, values as small integer classes.

The shapes come by address (a versioned, cacheable GeoJSON per network, made by :func:`map_files`); the
values of all layers come in one Store, and ``assets/20_map.js`` paints and switches them in the browser.
A network without coordinates is drawn on its canvas positions, upright, with no outline and no scale bar.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import dash_bootstrap_components as dbc
import dash_leaflet as dl
import numpy as np
import numpy.typing as npt
from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from components import ids
from components.icons import icon
from engine.network.tables import NetworkTables

Palette = Literal["cividis", "difference", "signs", "plain"]
Bounds = tuple[tuple[float, float], tuple[float, float]]  # (south, west), (north, east)

SIGNS = ("none", "fine", "firm", "flexible", "binding", "candidate", "stale")  # class numbers of the palette "signs"
FAN_DEG = 0.012  # buses of one substation are drawn on a ring of this radius, about 1.3 km, so that each can be pressed
OUTLINES = {"states": "outlines/states.geojson", "texas": "outlines/tx_county_mesh.geojson"}


@dataclass(frozen=True, slots=True)
class Layer:
    """What one position of the layer switch paints. Classes are in table order; 0 is "no value"."""

    key: str
    label: str
    unit: str = ""
    palette: Palette = "plain"
    bus_class: Sequence[int] | None = None  # (B,)
    branch_class: Sequence[int] | None = None  # (L,)
    labels: tuple[str, ...] = ()  # the legend's words for the classes 1, 2, ...
    bus_text: Sequence[str] | None = None  # (B,), added to the tooltip
    branch_text: Sequence[str] | None = None  # (L,)
    note: str = ""  # a line under the legend
    shapes: tuple[str, ...] = ()  # of the classes 1, 2, ...: "dot" (the usual), "diamond" or "square", "small"


def is_geographic(tables: NetworkTables) -> bool:
    """Return whether every bus has a longitude and a latitude."""
    places = tables.buses[["longitude", "latitude"]].to_numpy(dtype=float)
    return len(places) > 0 and bool(np.isfinite(places).all())


def map_points(tables: NetworkTables, canvas: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64]:
    """Return the (B, 2) points of the map: longitude and latitude, else ``canvas`` (B, 2) with y turned upward.

    Buses that share a place are fanned out on a ring (FAN_DEG), in table order. ``canvas`` is that of
    ``engine.network.layout.positions``; without it a network that has no coordinates raises ValueError.
    """
    if is_geographic(tables):
        return _fanned(tables.buses[["longitude", "latitude"]].to_numpy(dtype=float), FAN_DEG)
    if canvas is None:
        raise ValueError(f"network {tables.name!r} has buses without coordinates: give canvas positions")
    return canvas * np.array([1.0, -1.0])


def map_bounds(points: npt.NDArray[np.float64]) -> Bounds:
    """Return the bounds of (B, 2) points with a small border."""
    if len(points) == 0:
        return (-1.0, -1.0), (1.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    border = np.maximum(0.03 * (high - low), 1e-3 + 0.02 * np.abs(high - low).max())
    (west, south), (east, north) = low - border, high + border
    return (float(south), float(west)), (float(north), float(east))


def map_files(tables: NetworkTables, canvas: npt.NDArray[np.float64] | None = None) -> tuple[bytes, bytes]:
    """Return the map's two GeoJSON files, buses and branches, in table order; cacheable by the tables' digest.

    Properties are short, since there are thousands: ``i`` position, ``id``, ``n`` name, ``v`` kV, ``z`` zone,
    ``f`` and ``t`` end buses, ``r`` rating A in MW (null for unlimited), ``x`` 1 for a transformer, ``o`` 1 when
    out of service.
    """
    points = map_points(tables, canvas)
    digits = 4 if is_geographic(tables) else 2
    spots = np.round(points, digits).tolist()
    buses = tables.buses
    bus_rows = zip(
        buses["bus"], buses["name"], buses["base_kv"], buses["zone"], buses["in_service"], spots, strict=True
    )
    bus_features = [
        _feature("Point", spot, {"i": i, "id": key, "n": name, "v": kv, "z": zone} | ({} if on else {"o": 1}))
        for i, (key, name, kv, zone, on, spot) in enumerate(bus_rows)
    ]
    position = {key: i for i, key in enumerate(buses["bus"])}
    branches = tables.branches
    columns = ("branch", "from_bus", "to_bus", "rating_a_mw", "kind", "in_service")
    branch_features = []
    for i, (key, start, end, rating, kind, on) in enumerate(zip(*(branches[name] for name in columns), strict=True)):
        if start not in position or end not in position:
            continue  # a dangling branch has no place; the problem list names it
        properties: dict[str, Any] = {"i": i, "id": key, "f": start, "t": end}
        properties["r"] = round(rating, 1) if np.isfinite(rating) else None
        properties |= ({"x": 1} if kind == "transformer" else {}) | ({} if on else {"o": 1})
        line = [spots[position[start]], spots[position[end]]]
        branch_features.append(_feature("LineString", line, properties))
    return _collection(bus_features), _collection(branch_features)


def classes(values: npt.ArrayLike, breaks: Sequence[float]) -> list[int]:
    """Return the class of each value: 0 for nan, else 1 + the number of ``breaks`` at or below it."""
    given = np.asarray(values, dtype=float)
    found = 1 + np.searchsorted(np.asarray(breaks, dtype=float), given, side="right")
    return np.where(np.isnan(given), 0, found).astype(int).tolist()


def nice_breaks(values: npt.ArrayLike, most: int = 5) -> list[float]:
    """Return at most ``most`` round numbers that part ``values`` into classes of about equal count."""
    given = np.asarray(values, dtype=float)
    given = given[np.isfinite(given)]
    if len(given) == 0 or given.min() == given.max():
        return []
    marks = np.quantile(given, np.arange(1, most + 1) / (most + 1))
    rounded = sorted({_round_number(mark, given.max() - given.min()) for mark in marks})
    return [mark for mark in rounded if given.min() < mark <= given.max()]


def break_labels(breaks: Sequence[float]) -> tuple[str, ...]:
    """Return the legend's words for the classes that ``breaks`` make: "below 50", "50-100", "100 and more"."""
    texts = [f"{mark:,.10g}".replace(",", "\u2009").replace("-", "\u2212") for mark in breaks]
    if not texts:
        return ("all",)
    between = [f"{low}\u2013{high}" for low, high in pairwise(texts)]
    return (f"below {texts[0]}", *between, f"{texts[-1]} and more")


def magnitude(key: str, label: str, unit: str, values: npt.ArrayLike, **more: Any) -> Layer:
    """Return a layer that paints buses by a magnitude (cividis); nan is "no value"."""
    breaks = nice_breaks(values)
    return Layer(key, label, unit, "cividis", classes(values, breaks), labels=break_labels(breaks), **more)


def layers_data(
    layers: Sequence[Layer],
    *,
    candidates: Iterable[int] = (),
    binding_branches: Iterable[int] = (),
    binding_buses: Iterable[int] = (),
    stale: bool = False,
) -> dict[str, Any]:
    """Return what the Store ``ids.map_layers(page)`` holds. Positions are in table order.

    ``candidates`` get a ring, binding branches are thicker, binding buses get a square ring, whatever the layer.
    """
    return {
        "layers": {
            layer.key: {
                "label": layer.label,
                "unit": layer.unit,
                "palette": layer.palette,
                "buses": None if layer.bus_class is None else list(layer.bus_class),
                "branches": None if layer.branch_class is None else list(layer.branch_class),
                "labels": list(layer.labels),
                "busText": None if layer.bus_text is None else list(layer.bus_text),
                "branchText": None if layer.branch_text is None else list(layer.branch_text),
                "note": layer.note,
                "shapes": list(layer.shapes),
            }
            for layer in layers
        },
        "candidates": [int(i) for i in candidates],
        "bindingBranches": [int(i) for i in binding_branches],
        "bindingBuses": [int(i) for i in binding_buses],
        "stale": stale,
    }


def grid_map(
    page: str,
    *,
    bounds: Bounds = ((25.8, -106.7), (36.6, -93.4)),
    buses_url: str | None = None,
    branches_url: str | None = None,
    geographic: bool = True,
    outlines: Sequence[str] = ("states", "texas"),
    layers: Sequence[Layer] = (),
    layer: str | None = None,
    data: Mapping[str, Any] | None = None,
    extra: Sequence[Any] = (),
    overlay: Any = None,
    search: bool = True,
    assets: str = "/assets/",
) -> html.Div:
    """Return the map with its search box, layer switch and legend. It fills its parent.

    ``layers`` names the switch's positions; ``data`` is :func:`layers_data` (default: made of ``layers``),
    and a page may write it later to ``ids.map_layers(page)``. ``extra`` are dash-leaflet children drawn above
    (for drawing); ``overlay`` is laid over the top right corner. A press on an element writes the page's
    selection Store. Call :func:`register_map` once per page.
    """
    shapes: list[Any] = []
    if geographic:
        shapes += [
            dl.GeoJSON(
                url=assets + OUTLINES[name],
                style={"variable": f"headroom.style.{name}"},
                interactive=False,
                pane="tilePane",
                onEachFeature={"variable": "headroom.eachOutline"},
                id=f"{ids.map_(page)}-outline-{name}",
            )
            for name in outlines
        ]
        shapes.append(dl.ScaleControl(imperial=False, position="bottomright"))
    shapes += [
        _shape(ids.map_branches(page), branches_url, page, "branch"),
        _shape(ids.map_buses(page), buses_url, page, "bus", pointToLayer={"variable": "headroom.busPoint"}),
    ]
    return html.Div(
        [
            dcc.Store(id=ids.map_layers(page), data=dict(data) if data is not None else layers_data(layers)),
            dcc.Store(id=ids.map_filter(page)),
            dcc.Store(id=f"{ids.map_(page)}-painted"),
            dcc.Store(id=f"{ids.map_(page)}-pointed"),
            dl.Map(
                [*shapes, *extra],
                id=ids.map_(page),
                bounds=[list(corner) for corner in bounds],
                boundsOptions={"paddingTopLeft": [12, 44], "paddingBottomRight": [12, 12]},
                preferCanvas=True,
                renderer={"method": "canvas", "options": {"tolerance": 4, "padding": 0.4}},
                crs="EPSG3857" if geographic else "Simple",
                minZoom=3 if geographic else -8,
                maxZoom=15 if geographic else 8,
                zoomSnap=0.25,
                zoomDelta=0.5,
                wheelPxPerZoomLevel=100,
                attributionControl=False,
                zoomControl=False,
                trackViewport=False,
                className="hr-map",
            ),
            html.Div(
                [_search(page) if search else None, _switch(page, layers, layer)],
                className="hr-map-tools",
            ),
            html.Div(overlay, className="hr-map-overlay") if overlay is not None else None,
            _zoom(page),
            html.Div(
                [
                    html.Button(  # shown on a phone only, where the legend would cover the map
                        "Legend",
                        type="button",
                        className="hr-legend-toggle",
                        **{"data-legend-toggle": "", "aria-expanded": "false"},
                    ),
                    html.Div(id=ids.map_legend(page), className="hr-legend-body"),
                    None if geographic else html.P("Not geographic: laid out for reading", className="hr-legend-note"),
                ],
                className="hr-legend",
                role="group",
                **{"aria-label": "Legend"},
            ),
        ],
        className="hr-map-frame" + ("" if geographic else " hr-map-plain"),
        **{"data-map": page, "data-map-id": ids.map_(page), "data-bounds": json.dumps(bounds)},
    )


def register_map(app: Dash, page: str) -> None:
    """Wire a page's map in the browser: layer switch, legend, theme, filter, selection. No request is made."""
    app.clientside_callback(
        ClientsideFunction("headroom", "paintMap"),
        # Written by nobody: without an output on the page a callback is not called when the page is drawn.
        Output(f"{ids.map_(page)}-painted", "data"),
        Input(ids.map_layers(page), "data"),
        Input(ids.map_layer(page), "value"),
        Input(ids.map_filter(page), "data"),
        Input(ids.map_(page), "id"),
    )
    app.clientside_callback(
        ClientsideFunction("headroom", "selectionToMap"),
        Output(f"{ids.map_(page)}-pointed", "data"),
        Input(ids.selection(page), "data"),
        Input(ids.map_(page), "id"),
    )


def _shape(component_id: str, url: str | None, page: str, kind: str, **more: Any) -> dl.GeoJSON:
    source = {"url": url} if url else {"data": {"type": "FeatureCollection", "features": []}}
    return dl.GeoJSON(
        id=component_id,
        style={"variable": f"headroom.style.{kind}"},
        onEachFeature={"variable": f"headroom.each.{kind}"},
        hideout={"page": page, "kind": kind},
        **source,
        **more,
    )


def _search(page: str) -> html.Div:
    box = ids.map_search(page)
    return html.Div(
        [
            icon("search", size=16),
            dbc.Input(
                id=box,
                type="text",
                placeholder="Substation or bus",
                class_name="hr-input hr-map-search",
                autocomplete="off",
            ),
            html.Ul(
                id=f"{box}-list", className="hr-suggestions", role="listbox", hidden=True, **{"aria-label": "Found"}
            ),
        ],
        className="hr-map-search-frame",
        **{"data-map-search": page, "data-label": "Search a substation or a bus"},
    )


def _switch(page: str, layers: Sequence[Layer], chosen: str | None) -> html.Div:
    value = chosen or (layers[0].key if layers else None)
    return html.Div(
        dbc.RadioItems(
            id=ids.map_layer(page),
            name=ids.map_layer(page),  # else the arrow keys go on into the next switch of the page
            options=[{"label": layer.label, "value": layer.key} for layer in layers],
            value=value,
            class_name="hr-segments",
        ),
        className="hr-map-switch",
        role="group",
        hidden=len(layers) < 2,
        **{"aria-label": "Layer"},
    )


def _zoom(page: str) -> html.Div:
    actions = (("in", "plus", "Zoom in"), ("out", "minus", "Zoom out"), ("fit", "fit", "Show the whole network"))
    return html.Div(
        [
            html.Button(
                icon(name, size=16),
                type="button",
                className="hr-button hr-button-icon",
                **{"aria-label": label, "title": label, "data-map-zoom": action, "data-map-page": page},
            )
            for action, name, label in actions
        ],
        className="hr-map-zoom",
    )


def _fanned(places: npt.NDArray[np.float64], radius: float) -> npt.NDArray[np.float64]:
    _, group, size = np.unique(np.round(places, 6), axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    rank = np.empty(len(places), dtype=int)
    rank[order] = np.arange(len(places)) - first[group[order]]
    turn = 2 * np.pi * rank / size[group]
    ring = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    return places + np.where(size[group][:, np.newaxis] > 1, ring, 0.0)


def _feature(kind: str, coordinates: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _collection(features: list[dict[str, Any]]) -> bytes:
    content = {"type": "FeatureCollection", "features": features}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _round_number(value: float, spread: float) -> float:
    step = 10 ** np.floor(np.log10(spread / 20))
    for factor in (5, 2, 1):
        if spread / (factor * step) >= 20:
            return float(np.round(value / (factor * step)) * factor * step)
    return float(np.round(value / step) * step)
