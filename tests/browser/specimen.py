"""A small app that holds one page made of every shared component, on a real grid: what tests and benchmarks drive.

It needs no store: `python -m tests.browser.specimen` serves it on PORT (8060).
"""

import os
from functools import cache
from pathlib import Path

import dash
import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html
from flask import Response, request

from callbacks import http
from components import grid_map, ids, late, sentence, shell, skeleton, tables, theme, why_card
from components.links import PageLink
from engine.network import library
from engine.network.layout import positions
from engine.network.tables import NetworkTables

ASSETS = Path(__file__).resolve().parents[2] / "assets"
PAGE = "capacity"
LINKS = (
    PageLink("home", "/", "Home", "home"),
    PageLink("capacity", "/capacity", "Capacity", "capacity"),
)

KEPT = [("all", "every hour of 2016"), ("box", "a box")]
SUPPLIES = [("slack", "the slack bus"), ("headroom", "unit headroom")]


@cache
def grid_of(key: str) -> NetworkTables:
    return library.load(key)


def canvas(tables_: NetworkTables) -> np.ndarray | None:
    return None if grid_map.is_geographic(tables_) else positions(tables_)


def layers(tables_: NetworkTables) -> list[grid_map.Layer]:
    """Two made-up layers: load, and load less its mean."""
    load = tables_.buses["load_mw"].to_numpy(dtype=float)
    found = np.where(load > 0, load, np.nan)
    difference = load - load.mean()
    breaks = [-50.0, -20.0, -5.0, 5.0, 20.0, 50.0]
    return [
        grid_map.magnitude("load", "Load", "MW", found),
        grid_map.Layer(
            "difference", "Difference", "MW", "difference", grid_map.classes(difference, breaks), None,
            grid_map.break_labels(breaks),
        ),
        grid_map.Layer("grid", "Grid"),
    ]  # fmt: skip


BUSY = {
    "id": "specimen", "kind": "capacity.prepare", "title": "Scenario flows", "study": None, "state": "running",
    "done": 640, "total": 1000, "message": "hour 640 of 1 000", "eta_s": 12, "error": None, "href": "/capacity",
}  # fmt: skip


def layout(grid: str = "texas-2016", chart: str = "", states: str = "", **_query: str) -> html.Main:
    """Return the page; ``chart=1`` adds a Plotly figure to the inspector, ``states=1`` a panel in every state,
    and ``busy=1`` a job in the banner.
    """
    found = grid_of(grid)
    points = grid_map.map_points(found, canvas(found))
    shown = layers(found)
    busiest = np.argsort(-found.buses["load_mw"].to_numpy())[:5].tolist()
    map_pane = grid_map.grid_map(
        PAGE,
        bounds=grid_map.map_bounds(points),
        buses_url=f"/api/specimen/{grid}/buses.geojson",
        branches_url=f"/api/specimen/{grid}/branches.geojson",
        geographic=grid_map.is_geographic(found),
        layers=shown,
        data=grid_map.layers_data(shown, candidates=busiest, binding_branches=[0, 5]),
    )
    rows = found.buses[["bus", "name", "base_kv", "zone", "load_mw"]].to_dict("records")
    columns = tables.network_columns("buses", only=("bus", "name", "base_kv", "zone", "load_mw"))
    card = why_card.why_card(
        "Firm capacity at this bus",
        formula="*c*_n <= (*F*_l - *S*_l*d*) / *S*_{l,n}",
        values=(("*F*_l", "400 MW"), ("*S*_{l,n}", "0.71")),
        binds=("Transformer 5120-5467: 10 MW more gives 14 MW here",),
        inputs=(why_card.WhyInput("Network", "a1b2c3d4e5f6", "2026-01-05"),),
        source="the specification of capacity, section 2",
    )
    inspector = [
        skeleton.facts([("Firm", why_card.why_number("specimen-why", "412 MW", card, label="firm capacity"))]),
        skeleton.state("empty", "Press a bus on the map, or a row of the table.", title="Nothing selected"),
        skeleton.progress_card("Scenario flows", done=640, total=1000, eta_s=12, job="specimen"),
        skeleton.stale(
            html.P("Firm 412 MW"),
            "demand of 3 sites changed",
            action=skeleton.button("Compute", "specimen-compute", primary=True),
        ),
        skeleton.state("infeasible", "Line 7-8 is above its rating already.", details=("line 7-8: 412 MW of 400 MW",)),
        html.Div(id="specimen-chart"),
        html.P(id="specimen-selected"),
    ]  # fmt: skip
    if chart:
        figure = theme.styled(_figure())
        inspector.insert(0, dcc.Graph(figure=figure, responsive=True, style={"height": "180px"}))
    if states:
        inspector += [skeleton.state(kind, f"A panel that is {kind}.") for kind in skeleton.STATE_WORDS]
    return skeleton.page(
        sentence.question_bar(
            PAGE,
            [
                "How much can ",
                sentence.word_popover("specimen-sites", "50 sites", html.P("Which sites"), "Sites"),
                " take, kept in ",
                sentence.word_select("specimen-keep", KEPT, "all", "Kept in"),
                " or interrupted in at most ",
                sentence.word_number("specimen-eps", 5, "Risk level", unit="%", minimum=0, maximum=100),
                ", with power from ",
                sentence.word_select("specimen-supply", SUPPLIES, "headroom", "Supply"),
                "?",
            ],
            more=[sentence.word_number("specimen-cutoff", 0, "Cutoff", minimum=0)],
            actions=[skeleton.button("Publish 18 products", "specimen-publish", primary=True)],
        ),
        skeleton.workbench(
            PAGE,
            map_pane,
            inspector,
            tables.grid(PAGE, columns, rows, key="bus", label="Buses"),
            totals=skeleton.totals(
                [
                    {"label": "Firm", "value": "412", "unit": "MW", "sign": "firm", "note": "at 50 sites"},
                    {"label": "Flexible", "value": "131", "unit": "MW", "sign": "flexible", "note": "124-138 at 5 %"},
                    {"label": "Binds most", "value": "5120-5467", "sign": "binding", "note": "14 MW for 10 MW"},
                ]
            ),
            drawer_title="Buses",
            drawer_tools=tables.tools(PAGE, csv_name="buses.csv", label="Filter the buses"),
        ),
        title="Specimen",
    )  # fmt: skip


def _figure() -> go.Figure:
    return go.Figure(go.Scatter(x=[0, 1, 2], y=[3, 1, 2]))


def create_specimen() -> Dash:
    dash.page_registry.clear()
    late.arrange()
    app = Dash(
        "specimen",
        assets_folder=str(ASSETS),
        assets_ignore=shell.ASSETS_IGNORE,
        use_pages=True,
        pages_folder="",
        suppress_callback_exceptions=True,
        update_title="",
    )
    http.compress(app.server)
    app.index_string = shell.INDEX_STRING
    app.layout = shell.layout(LINKS)
    dash.register_page("home", path="/", name="Home", layout=lambda **_: skeleton.page(title="Home"))
    dash.register_page("capacity", path="/capacity", name="Capacity", layout=layout)
    grid_map.register_map(app, PAGE)
    tables.register_grid(app, PAGE)
    for name, output, source in (("theme", ids.THEME, ids.LOCATION),):
        app.clientside_callback(
            dash.ClientsideFunction("headroom", name), Output(output, "data"), Input(source, "pathname")
        )
    app.clientside_callback(dash.ClientsideFunction("headroom", "wakeJobs"), Input(ids.JOBS_WAKE, "data"))
    app.clientside_callback(
        dash.ClientsideFunction("headroom", "rail"),
        Input(ids.LOCATION, "pathname"), Input(ids.STUDY, "data"), Input(ids.RAIL_PATHS, "data"),
    )  # fmt: skip

    @app.callback(Output("specimen-selected", "children"), Input(ids.selection(PAGE), "data"))
    def tell(selected: str | None) -> str:
        return f"selected: {selected}"

    @app.server.get("/api/specimen/<key>/<name>.geojson")
    def shapes(key: str, name: str) -> Response:
        found = grid_of(key)
        buses, branches = _files(key, found)
        return Response(buses if name == "buses" else branches, mimetype="application/geo+json")

    @app.server.get("/api/jobs")
    def jobs() -> dict[str, list[object]]:
        return {"jobs": [BUSY] if "busy=1" in request.headers.get("Referer", "") else []}

    return app


@cache
def _files(key: str, found: NetworkTables) -> tuple[bytes, bytes]:
    return grid_map.map_files(found, canvas(found))


if __name__ == "__main__":
    create_specimen().run(port=int(os.environ.get("PORT", "8060")), debug=False)
