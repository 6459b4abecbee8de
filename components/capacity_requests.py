"""Requests for connection: the table, what is pasted into it, and its sum as the sites of the question."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import capacity_ids, ids
from components.format import LEAST_MW, count, number
from components.skeleton import Part, button
from components.tables import GridColumn, grid
from engine.capacity.requests import ENVELOPES, Requests, RequestsError
from engine.errors import EngineError
from engine.network.model import Network

GRID = "requests"
_MOST_SUMS = 6  # buses whose sums are told
_MOST_FAULTS = 12
_HINT = "customer\tbus\tMW\tdate\tenvelope\nAcme\t{bus}\t80\t2026-05-31\tfirm"


def tab(network: Network) -> html.Div:
    """Return the drawer's tab; its rows come with a callback."""
    columns = [
        GridColumn("place", "Row", kind="number", digits=0, width=64),
        GridColumn("customer", "Customer", editable=True),
        GridColumn("bus", "Bus", editable=True),
        GridColumn("mw", "Asked", unit="MW", kind="number", editable=True, digits=1),
        GridColumn("date", "Date", editable=True),
        GridColumn("envelope", "Envelope", editable=True, choices=tuple(ENVELOPES)),
        GridColumn("queue", "In the queue", kind="number", digits=0),
    ]
    return html.Div(
        [
            dcc.Store(id=capacity_ids.REQUESTS_HELD),
            dcc.Store(id=capacity_ids.REQUESTS_BACK),
            html.Div(_side(network), className="hr-requests-side"),
            grid(ids.CAPACITY, columns, name=GRID, label="Requests for connection"),
        ],
        className="hr-requests",
    )


def rows_of(requests: Requests) -> list[dict[str, Any]]:
    """Return the table's rows, each with its place in the queue."""
    queue = {id(row): place + 1 for place, row in enumerate(requests.queue())}
    return [
        {
            "id": str(place),
            "place": place + 1,
            "customer": row.customer,
            "bus": row.bus,
            "mw": row.mw,
            "date": row.date,
            "envelope": row.envelope,
            "queue": queue[id(row)],
        }
        for place, row in enumerate(requests.rows)
    ]


def total_words(requests: Requests) -> Part:
    """Return what the table sums to."""
    if not requests.rows:
        return "No request yet. Start from the sites of the question, paste rows, choose a CSV file, or add a row."
    buses, demand = requests.demand()
    kinds = [f"{_whole(requests.total_mw(kind))} {kind}" for kind in ENVELOPES if requests.total_mw(kind) > 0]
    words = f"{count(len(requests.rows), 'request')} at {count(len(buses), 'bus', 'buses')}"
    sums = [f"{bus}: {_whole(mw)}" for bus, mw in zip(buses, demand, strict=True)][:_MOST_SUMS]
    if len(buses) > _MOST_SUMS:
        sums.append(f"and {count(len(buses) - _MOST_SUMS, 'bus', 'buses')} more")
    total = html.Strong(_whole(requests.total_mw()))
    return [total, f" in {words}: {', '.join(kinds)}. ", html.Span(f"By bus, {', '.join(sums)}", className="hr-muted")]


def refusal(error: EngineError) -> Part:
    """Return why rows were not taken: each fault on a line of its own."""
    lines = [problem.message for problem in error.problems] if isinstance(error, RequestsError) else [str(error)]
    listed = [html.Li(line[:1].upper() + line[1:].replace(", mw:", ", MW:")) for line in lines[:_MOST_FAULTS]]
    if len(lines) > _MOST_FAULTS:
        listed.append(html.Li(f"and {len(lines) - _MOST_FAULTS} more"))
    return html.Ul(listed, className="hr-requests-wrong")


def _whole(mw: float) -> str:
    """Return MW with the tenths that were asked for: a request is no estimate."""
    return f"{number(mw, 0 if abs(mw - round(mw)) < LEAST_MW else 1)} MW"


def row_at(data: Any) -> Mapping[str, Any]:
    """Return a table's row as a mapping, empty for anything else."""
    return data if isinstance(data, Mapping) else {}


def _side(network: Network) -> list[Part]:
    return [html.Div(_table_tools()), html.Div(_ways_in(network))]


def _table_tools() -> list[Part]:
    return [
        html.P(id=capacity_ids.REQUESTS_TOTAL, **{"aria-live": "polite"}),
        html.Div(
            [
                button("Start from the sites", capacity_ids.REQUESTS_START, primary=True),
                button("Use as sites", capacity_ids.REQUESTS_USE, primary=True, hidden=True),
                button("Add row", capacity_ids.REQUESTS_ADD),
                button("Remove row", capacity_ids.REQUESTS_REMOVE, hidden=True),
                button("Save as CSV", capacity_ids.REQUESTS_CSV, hidden=True),
            ]
        ),
    ]


def _ways_in(network: Network) -> list[Part]:
    bus = network.buses.ids[int(network.buses.in_service.argmax())] if network.buses.ids else "1"
    choose = html.Button("Choose a CSV file", type="button", className="hr-button hr-button-quiet")
    return [
        html.Div(id=capacity_ids.REQUESTS_MESSAGE, className="hr-requests-message", role="status"),
        html.Label(
            [
                html.Span("Rows of a spreadsheet: customer, bus, MW, date, envelope", className="hr-muted"),
                dbc.Textarea(
                    id=capacity_ids.REQUESTS_TEXT, placeholder=_HINT.format(bus=bus), value="", spellCheck=False
                ),
            ]
        ),
        html.Div(
            [
                button("Take these rows", capacity_ids.REQUESTS_READ),
                dcc.Upload(choose, id=capacity_ids.REQUESTS_UPLOAD, accept=".csv,.tsv,.txt,text/csv"),
            ],
            className="hr-requests-buttons",
        ),
    ]
