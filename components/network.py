"""The Network page: draw, edit, import and export a grid, and ask what serving its load costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids, skeleton
from components import tables as grids
from components.format import count, megawatts, number
from components.grid_map import Bounds, Layer, grid_map, layers_data
from components.icons import icon
from components.network_canvas import canvas
from components.network_forms import READ_ONLY, new_row_form, paste_form
from components.network_rows import PROBLEM_COLUMNS, SINGULAR, TABLES, columns
from engine.network.counts import Counts
from engine.network.tables import TableName

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
TAB_WORDS: Mapping[str, str] = {"buses": "Buses", "branches": "Branches", "units": "Units", "problems": "Problems"}


def layout(
    *,
    version: Mapping[str, Any],
    study: str,
    drawn: Mapping[str, Any],
    layers: Sequence[Layer],
    bus_rows: Sequence[Mapping[str, Any]],
    problems: Sequence[Mapping[str, Any]],
    counts: Counts,
    steps: Mapping[str, Any],
    inspector: Part,
    library: Sequence[tuple[str, str]],
    formats: Mapping[str, str],
) -> html.Main:
    """Return the page for a study's network. ``drawn`` is what callbacks.network_desk.drawing returns."""
    read_only = bool(version["readonly"])
    return skeleton.page(
        *_stores(version, study),
        skeleton.question_bar(PAGE, _sentence(), more=_more(), actions=_actions(library, formats, read_only=read_only)),
        html.Div(id=ids.NETWORK_ANSWER_STATE, className="hr-draw-answer-state"),
        skeleton.workbench(
            PAGE,
            html.Div(pane(drawn, layers, steps, read_only=read_only), id=ids.NETWORK_PANE, className="hr-draw-pane"),
            inspector,
            drawer(bus_rows, problems, read_only=read_only),
            totals=totals(counts),
            drawer_title="Tables",
            drawer_tools=_drawer_tools(read_only=read_only),
            tab_words=("Map", "Element", "Tables"),
        ),
        title="Network",
        class_name="hr-network",
    )


def empty() -> html.Main:
    """Return the page while no study is open."""
    return skeleton.page(
        skeleton.state(
            "empty",
            "Open a study or an example on the home page, then draw or import its network here.",
            title="No study is open",
            action=dcc.Link("Go to the home page", href="/", className="hr-button hr-button-primary"),
        ),
        title="Network",
    )


def pane(
    drawn: Mapping[str, Any],
    layers: Sequence[Layer],
    steps: Mapping[str, Any],
    *,
    read_only: bool,
    message: Part = None,
) -> list[Part]:
    """Return the tool strip, the map and the canvas, of which one is hidden."""
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
                data=layers_data(layers),
            ),
            className="hr-draw-map",
            hidden=on_canvas,
            **{"data-draw-map": "geographic" if drawn["view"] == "geographic" else "plain"},
        ),
        canvas(drawn["elements"], layers, hidden=not on_canvas, read_only=read_only),
    ]


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
            html.Span(message, id=ids.NETWORK_MESSAGE, className="hr-draw-message", role="status"),
        ],
        className="hr-draw-strip",
        **{"data-draw-strip": "read-only" if read_only else "open"},
    )  # fmt: skip


def step_button(name: str, steps: Mapping[str, Any], *, read_only: bool) -> html.Button:
    """Return the undo or the redo button; its tip says what it takes back."""
    return html.Button(
        icon(name, size=16),
        id=ids.NETWORK_UNDO if name == "undo" else ids.NETWORK_REDO,
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


def totals(counts: Counts) -> html.Dl:
    """Return the network's key numbers."""
    fallback = [
        f"{count(amount, 'branch', 'branches')} without rating {letter}: rating A holds"
        for letter, amount in (("B", counts.fallback_b), ("C", counts.fallback_c))
        if amount
    ]
    unlimited = f"{number(counts.unlimited)} unlimited" if counts.unlimited else "all with a rating A"
    return skeleton.totals(
        [
            {"label": "Buses", "value": number(counts.buses), "note": count(counts.islands, "island")},
            {
                "label": "Branches",
                "value": number(counts.branches),
                "note": html.Span(
                    f"{unlimited}; B as A {number(counts.fallback_b)}, C as A {number(counts.fallback_c)}",
                    title="; ".join(fallback),
                ),
            },
            {"label": "Units", "value": number(counts.units), "note": f"{number(counts.units_in_service)} in service"},
            {"label": "Load", "value": number(counts.load_mw), "unit": "MW"},
            {
                "label": "Capacity",
                "value": number(counts.capacity_mw),
                "unit": "MW",
                "note": f"{megawatts(counts.capacity_mw - counts.load_mw)} above the load",
            },
        ]
    )


def drawer(
    bus_rows: Sequence[Mapping[str, Any]], problems: Sequence[Mapping[str, Any]], *, read_only: bool
) -> html.Div:
    """Return the tables; one is shown at a time, and rows other than those of the buses come when asked for."""
    many = {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False, "enableClickSelection": True}
    panels = [
        html.Div(
            grids.grid(
                PAGE,
                columns(name, editable=not read_only),
                bus_rows if name == "buses" else [],
                name=name,
                kind=SINGULAR[name],
                label=TAB_WORDS[name],
                options={"rowSelection": many, "stopEditingWhenCellsLoseFocus": True},
            ),
            className="hr-draw-table",
            hidden=name != "buses",
            **{"data-draw-table": name},
        )
        for name in TABLES
    ]
    panels.append(
        html.Div(
            grids.grid(PAGE, list(PROBLEM_COLUMNS), problems, name="problems", kind="problem", label="Problems"),
            className="hr-draw-table",
            hidden=True,
            **{"data-draw-table": "problems"},
        )
    )
    return html.Div(panels, className="hr-draw-tables")


def add_form(table: str) -> Part:
    """Return the new row's form, or why there is none."""
    if table == "problems":
        return skeleton.state("empty", "Problems come from the checks. Open another table to add a row.")
    name: TableName = "branches" if table == "branches" else "units" if table == "units" else "buses"
    return new_row_form(name)


def _stores(version: Mapping[str, Any], study: str) -> list[Part]:
    return [
        dcc.Store(id=ids.NETWORK_STUDY, data=study),
        dcc.Store(id=ids.NETWORK_VERSION, data=dict(version)),
        dcc.Store(id=ids.NETWORK_EVENT),
        dcc.Store(id=ids.NETWORK_ACK),
        dcc.Store(id=ids.NETWORK_LOADED, data=["buses"]),
        dcc.Store(id=ids.NETWORK_OFFER),
        dcc.Store(id=ids.NETWORK_ANSWER),
        dcc.Store(id=ids.NETWORK_PAINTED),
        dcc.Store(id=ids.NETWORK_PLACED),
    ]


def _sentence() -> list[Part]:
    return [
        "What does it cost to serve ",
        skeleton.word_number(ids.NETWORK_SCALE, 100, "Share of the load", unit="%", minimum=0, maximum=1000),
        " of the load with branches held to ",
        skeleton.word_select(
            ids.NETWORK_RATING,
            [("a", "rating A"), ("b", "rating B"), ("c", "rating C"), ("none", "no limits")],
            "a",
            "Branch limits",
        ),
        "?",
    ]


def _more() -> Part:
    return html.Div(
        [
            "Units ",
            skeleton.word_select(
                ids.NETWORK_LEAST,
                [("keep", "keep their least output"), ("ignore", "may go down to zero")],
                "keep",
                "Least output",
            ),
        ]
    )


def _actions(library: Sequence[tuple[str, str]], formats: Mapping[str, str], *, read_only: bool) -> list[Part]:
    return [
        skeleton.button("Solve DC-OPF", ids.NETWORK_SOLVE, primary=True),
        skeleton.popover(
            ids.NETWORK_IMPORT,
            [icon("upload", size=16), html.Span("Import")],
            _import_panel(library, read_only=read_only),
            label="Import a network",
            width=460,
        ),
        skeleton.popover(
            "network-export-menu",
            [icon("download", size=16), html.Span("Export")],
            html.Div(
                [skeleton.button(text, ids.network_export(kind)) for kind, text in formats.items()],
                className="hr-draw-exports",
            ),
            label="Export the network",
            width=220,
        ),
    ]


def _import_panel(library: Sequence[tuple[str, str]], *, read_only: bool) -> Part:
    return html.Div(
        [
            skeleton.section(
                "From a file",
                dcc.Upload(
                    html.Button("Choose a file, or drop it here", type="button", className="hr-button"),
                    id=ids.NETWORK_UPLOAD,
                    multiple=True,
                    className="hr-draw-upload",
                ),
                html.P(
                    "MATPOWER .m, buses.csv with branches.csv or their zip, GeoJSON, or our JSON (.gz too).",
                    className="hr-muted",
                ),
            ),
            skeleton.section(
                "From the library",
                html.Div(
                    [
                        skeleton.word_select(ids.NETWORK_LIBRARY, list(library), library[0][0], "Named grid"),
                        skeleton.button("Show", ids.NETWORK_LIBRARY_SHOW),
                    ],
                    className="hr-draw-buttons",
                ),
            ),
            html.Div(id=ids.NETWORK_UPLOADED, role="status"),
            html.Div(
                [
                    skeleton.button(
                        "Replace network", ids.NETWORK_REPLACE, primary=True, disabled=True,
                        title=READ_ONLY if read_only else "Undo brings the present one back",
                    ),
                    skeleton.button("New study", ids.NETWORK_AS_NEW, disabled=True),
                ],
                className="hr-draw-buttons",
            ),
        ]
    )  # fmt: skip


def _drawer_tools(*, read_only: bool) -> list[Part]:
    tabs = dbc.RadioItems(
        id=ids.NETWORK_TAB,
        options=[{"label": word, "value": name} for name, word in TAB_WORDS.items()],
        value="buses",
        class_name="hr-segments",
    )
    edits = [
        skeleton.popover(
            ids.NETWORK_ADD,
            [icon("plus", size=14), html.Span("Add")],
            [
                html.Div(add_form("buses"), id=f"{ids.NETWORK_ADD}-form"),
                html.Div(id=ids.NETWORK_ADD_MESSAGE, role="status"),
            ],
            label="Add a row",
            width=340,
            class_name="hr-button hr-button-quiet",
        ),
        skeleton.popover(
            ids.NETWORK_PASTE,
            [icon("table", size=14), html.Span("Paste")],
            paste_form(),
            label="Paste rows from a spreadsheet",
            width=460,
            class_name="hr-button hr-button-quiet",
        ),
        html.Button(
            [icon("delete", size=14), html.Span("Delete rows")], type="button", className="hr-button hr-button-quiet",
            **{"data-draw-action": "delete-rows"},
        ),
    ]  # fmt: skip
    copy = html.Button(
        [icon("copy", size=14), html.Span("Copy rows")],
        type="button",
        className="hr-button hr-button-quiet",
        **{"data-draw-action": "copy-rows"},
    )
    filters = [
        html.Div(
            grids.tools(PAGE, name=name, label=f"Filter {word.lower()}", csv_name=f"{name}.csv"),
            hidden=name != "buses",
            **{"data-draw-tools": name},
        )
        for name, word in TAB_WORDS.items()
    ]
    return [
        html.Div(tabs, role="group", **{"aria-label": "Table"}),
        *([] if read_only else edits),
        copy,
        *filters,
    ]
