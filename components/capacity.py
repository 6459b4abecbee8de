"""The Capacity page: the question, its answer in large numbers, the map, the inspector, the tables, the products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import capacity_ids, capacity_slots, ids
from components.capacity_inspector import nothing_yet
from components.capacity_layers import empty_layers
from components.capacity_periods import stepper
from components.capacity_products import tray
from components.capacity_question import Choices, question
from components.capacity_results import empty_totals
from components.capacity_tables import GRIDS, drawer, plain_site_rows
from components.capacity_view import View
from components.capacity_words import ANY, sites_data
from components.format import voltage
from components.grid_map import Bounds, grid_map, layers_data
from components.icons import icon
from components.skeleton import Part, page, popover, state, workbench
from engine.capacity.question import CapacityQuestion
from engine.network.model import Network

TITLE = "Firm and flexible capacity"
FILTER = html.Span("Filter", className="visually-hidden")  # over a map its sign is enough
_TAB_WORDS = {
    "sites": "Sites",
    "buses": "All buses",
    "limits": "What binds",
    "products": "Products",
    "requests": "Requests",
}


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    study: str
    network: Network
    question: CapacityQuestion
    view: View
    bounds: Bounds
    geographic: bool
    texas: bool  # the county outline is drawn
    map_urls: tuple[str, str]  # buses, branches
    kv: Sequence[float] = ()
    zones: Sequence[str] = ()
    files: Choices = ()
    read_only: bool = False
    problems: Sequence[str] = field(default_factory=tuple)  # what of the link could not be read


def layout(opened: Opened) -> html.Main:
    """Return the page. Its numbers come with the first callback, once the map is on its way."""
    asked, view = opened.question, opened.view
    bench = workbench(
        ids.CAPACITY,
        _map(opened),
        html.Div(
            [html.Div(nothing_yet(), id=capacity_ids.INSPECTED), *capacity_slots.under_inspected(view.hour)],
            className="hr-capacity-inspector",
        ),
        drawer(opened.network, asked.epsilons, _first_rows(opened), view.tab),
        totals=empty_totals(),
        drawer_tools=_drawer_tools(opened),
        drawer_title="Table",
    )
    _select_first(bench, view.selection)
    return page(
        *_stores(opened),
        question(asked, kv=opened.kv, zones=opened.zones, files=opened.files, read_only=opened.read_only),
        html.Div(id=capacity_ids.STATE, className="hr-capacity-state", **{"aria-live": "polite"}),
        stepper(view.step),
        html.Div(
            [
                html.Div(tray(None, can_publish=False), id=capacity_ids.TRAY, className="hr-capacity-tray-holder"),
                bench,
            ],
            id=capacity_ids.FRAME,
            className="hr-capacity-frame",
        ),
        title=TITLE,
        class_name="hr-capacity",
    )


def unusable(study: str, problems: Sequence[str]) -> html.Main:
    """Return the page of a network that cannot be computed with yet: every reason, and where to mend it."""
    return page(
        html.Div(
            state(
                "infeasible",
                "Capacity can be computed once these are mended.",
                title="The network is not complete",
                details=list(problems),
                action=dcc.Link(
                    "Mend it on the Network page",
                    href=f"/network?study={study}",
                    className="hr-button hr-button-primary",
                ),
            ),
            className="hr-capacity-alone",
        ),
        title=TITLE,
    )


def published(records: Part) -> html.Section:
    """Return the published versions under their title."""
    return html.Section([html.H3("Published", className="hr-section-title"), records])


def _stores(opened: Opened) -> list[Part]:
    start = {"question": opened.question.to_json(), "problems": list(opened.problems)}
    return [
        dcc.Store(id=capacity_ids.STUDY, data=opened.study),
        dcc.Store(id=f"{capacity_ids.STUDY}-start", data=start),
        dcc.Store(id=capacity_ids.SITES, data=sites_data(opened.question)),
        dcc.Store(id=capacity_ids.ANSWERED),
        dcc.Store(id=capacity_ids.JOB),
        dcc.Store(id=f"{capacity_ids.JOB}-seen"),  # written by nobody, as in grid_map.register_map
        dcc.Store(id=capacity_ids.JOB_ENDED),
        dcc.Store(id=capacity_ids.QUERY),
        dcc.Store(id=capacity_ids.VARIANT),
        dcc.Store(id=capacity_ids.WORDS),
        dcc.Store(id=capacity_ids.MORE),
        dcc.Store(id=f"{capacity_ids.YEAR}-pressed"),
        dcc.Store(id=capacity_ids.ADDRESS),
        dcc.Store(id=capacity_ids.PUBLISHED),
        dcc.Store(id=capacity_ids.CHECKING),
        dcc.Store(id=f"{capacity_ids.ANSWERED}-seen"),
        dcc.Store(id=f"{ids.grid(ids.CAPACITY, 'sites')}-first"),
        dcc.Store(id=f"{capacity_ids.CHECKING}-seen"),  # written by nobody, as in grid_map.register_map
        dcc.Store(id=f"{capacity_ids.PUBLISH}-pressed"),
        dcc.Store(id=f"{capacity_ids.SITE_TOGGLE}-pressed"),
        dcc.Store(id=f"{capacity_ids.TABLES}-shown"),  # written by nobody, as in grid_map.register_map
        dcc.Store(id=f"{ids.CAPACITY}-more-shown"),
    ]


def _map(opened: Opened) -> html.Div:
    layers = empty_layers()
    rings = _rings(opened)
    return grid_map(
        ids.CAPACITY,
        bounds=opened.bounds,
        buses_url=opened.map_urls[0],
        branches_url=opened.map_urls[1],
        geographic=opened.geographic,
        outlines=("states", "texas") if opened.texas else ("states",),
        layers=layers,
        layer=opened.view.layer,
        data=layers_data(layers, candidates=rings),
        overlay=_filter(opened),
    )


def _rings(opened: Opened) -> list[int]:
    position = {bus: i for i, bus in enumerate(opened.network.buses.ids)}
    return [position[bus] for bus in opened.question.candidates if bus in position]


def _first_rows(opened: Opened) -> list[Mapping[str, Any]]:
    return list(plain_site_rows(opened.network, opened.question.candidates, opened.question.demand_mw))


def _filter(opened: Opened) -> html.Span:
    voltages = [(ANY, "any"), *((f"{level:g}", f"{voltage(level)} and above") for level in opened.kv)]
    zones = [(ANY, "any"), *((zone, zone) for zone in opened.zones)]
    view = opened.view
    fields = html.Div(
        [
            _field("Voltage", _select(capacity_ids.FILTER_KV, voltages, view.kv)),
            _field("Zone", _select(capacity_ids.FILTER_ZONE, zones, view.zone)),
            _field(
                "Takes at least, alone, MW",
                dbc.Input(id=capacity_ids.FILTER_MW, type="number", min=0, step="any", value=view.mw, debounce=True),
            ),
        ],
        className="hr-capacity-fields hr-capacity-filter",
    )
    face = [icon("filter", size=16), html.Span(FILTER, id=capacity_ids.FILTER_WORD)]
    return popover(f"{ids.CAPACITY}-filter", face, fields, label="Filter of the map and of All buses", width=260)


def _drawer_tools(opened: Opened) -> html.Div:
    shown = [
        name for name in _TAB_WORDS if name != "requests" or capacity_slots.requests_tab(opened.network) is not None
    ]
    tabs = dbc.RadioItems(
        id=capacity_ids.TAB,
        options=[{"label": _TAB_WORDS[name], "value": name} for name in shown],
        value=opened.view.tab if opened.view.tab in shown else "sites",
        class_name="hr-segments",
    )
    filters = [_quick_filter(name) for name in GRIDS]
    exports = html.Div(
        [
            html.P("The table that shows, with where its numbers are from. Indicative only.", className="hr-muted"),
            *(
                html.Button(words, id=capacity_ids.export(kind), type="button", className="hr-button")
                for kind, words in (("csv", "CSV"), ("geojson", "GeoJSON"), ("json", "JSON"))
            ),
            *capacity_slots.export_buttons(),
        ],
        className="hr-capacity-exports",
    )
    face = [icon("download", size=14), html.Span("Export")]
    return html.Div(
        [
            html.Div(tabs, role="group", **{"aria-label": "Table"}),
            *filters,
            popover(
                f"{ids.CAPACITY}-export",
                face,
                exports,
                label="Export",
                class_name="hr-button hr-button-quiet",
                width=260,
            ),
            *capacity_slots.beside_export(),
        ],
        className="hr-capacity-tools",
        id=f"{capacity_ids.TABLES}-tools",
        **{"data-tab": opened.view.tab},
    )


def _quick_filter(name: str) -> html.Label:
    box = dbc.Input(
        id=ids.grid_filter(ids.CAPACITY, name), type="text", placeholder="Filter", class_name="hr-input hr-input-small"
    )
    words = html.Span(f"Filter {_TAB_WORDS[name].lower()}", className="visually-hidden")
    return html.Label(
        [icon("filter", size=14), words, box],
        className="hr-filter hr-capacity-tab",
        **{"data-tab-body": name, "data-grid-filter": ids.grid(ids.CAPACITY, name)},
    )


def _field(label: str, control: Part) -> html.Label:
    return html.Label(
        [html.Span(label), html.Span(control, className="hr-capacity-control")], className="hr-capacity-field"
    )


def _select(component_id: str, choices: Choices, value: str) -> dbc.Select:
    known = value if value in {key for key, _ in choices} else ANY
    return dbc.Select(id=component_id, value=known, options=[{"value": key, "label": text} for key, text in choices])


def _select_first(bench: html.Div, selection: str) -> None:
    """Put the link's selection in the workbench's Store."""
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(ids.CAPACITY):
            child.data = selection or None
