"""The drawer of the Network page: buses, branches, units, problems, and the tables of the dispatch."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import ids, network_ids, skeleton
from components import tables as grids
from components.icons import icon
from components.network_dispatch import COLUMNS as DISPATCH_COLUMNS
from components.network_dispatch import FORMATS as DISPATCH_FORMATS
from components.network_dispatch import KIND as DISPATCH_KIND
from components.network_dispatch import WHAT, What
from components.network_dispatch import WORDS as DISPATCH_WORDS
from components.network_forms import new_row_form, paste_form
from components.network_rows import PROBLEM_COLUMNS, TABLES, Row, columns
from components.network_view import Tab, View
from engine.network.tables import SINGULAR, TableName

PAGE = ids.NETWORK
Part = Any

TAB_WORDS: Mapping[Tab, str] = {
    "buses": "Buses",
    "branches": "Branches",
    "units": "Units",
    "interfaces": "Interfaces",
    "contingencies": "Contingencies",
    "problems": "Problems",
    "dispatch": "Dispatch",
}


# What an empty table says to do next, and the rows that its box for pasting shows as an example.
_NEXT: Mapping[TableName, str] = {
    "buses": "No buses yet: add one, paste rows, or import a network",
    "branches": "No branches yet: connect two buses, or paste rows",
    "units": "No units yet: add one, or paste rows",
    "interfaces": "An interface limits a weighted sum of flows. Add one, or paste: interface, branch, weight, limit_mw",
    "contingencies": "A contingency is what is lost together. Add one, or paste: contingency, branches",
}
_EXAMPLES: Mapping[TableName, str] = {
    "buses": "Bus\tLoad\n101\t12.5",
    "branches": "From bus\tTo bus\tReactance\n7\t8\t0.05",
    "units": "Bus\tLargest output\tCost c1\n7\t120\t24.5",
    "interfaces": "interface\tbranch\tweight\tlimit_mw\nNorth-South\t3-24\t-1\t600\nNorth-South\t9-11\t-1\t",
    "contingencies": "contingency\tbranches\ntwo lines\t15-21 16-17",
}
_NO_ROWS: Mapping[What, str] = {
    "transfers": "The network has no interface in service",
    "outages": "Solve DC-OPF secure against outages to see what binds after them, and which split the network",
}


def drawer(given: Mapping[str, Sequence[Row]], problems: Sequence[Row], looked: View, *, read_only: bool) -> html.Div:
    """Return the tables, of which one is shown at a time; rows that are not ``given`` come when asked for."""
    many = {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False, "enableClickSelection": True}
    panels = [
        html.Div(
            grids.grid(
                PAGE,
                columns(name, editable=not read_only),
                given.get(name, []),
                name=name,
                kind=SINGULAR[name],
                label=TAB_WORDS[name],
                options={
                    "rowSelection": many,
                    "stopEditingWhenCellsLoseFocus": True,
                    "localeText": {"noRowsToShow": _NEXT[name]},
                },
            ),
            className="hr-draw-table",
            hidden=name != looked.tab,
            **{"data-draw-table": name},
        )
        for name in TABLES
    ]
    panels.append(
        html.Div(
            grids.grid(PAGE, list(PROBLEM_COLUMNS), problems, name="problems", kind="problem", label="Problems"),
            className="hr-draw-table",
            hidden=looked.tab != "problems",
            **{"data-draw-table": "problems"},
        )
    )
    panels.append(
        html.Div(
            [_dispatch_table(what, hidden=what != looked.what) for what in WHAT],
            className="hr-draw-table",
            hidden=looked.tab != "dispatch",
            **{"data-draw-table": "dispatch"},
        )
    )
    return html.Div(panels, className="hr-draw-tables")


def _dispatch_table(what: What, *, hidden: bool) -> html.Div:
    table = grids.grid(
        PAGE,
        list(DISPATCH_COLUMNS[what]),
        name=what,
        kind=DISPATCH_KIND[what],
        label=DISPATCH_WORDS[what],
        options={"localeText": {"noRowsToShow": _NO_ROWS.get(what, "Solve DC-OPF to see prices, flows and outputs")}},
    )
    return html.Div(table, className="hr-draw-table", hidden=hidden, **{"data-draw-dispatch": what})


def add_form(table: str) -> Part:
    """Return the new row's form, or why there is none."""
    if table in ("problems", "dispatch"):
        return skeleton.state("empty", "Rows are added to the tables of the network. Open one of those.")
    return new_row_form(next((name for name in TABLES if name == table), "buses"))


def paste_example(table: str) -> str:
    """Return rows as they may be pasted into a table."""
    return _EXAMPLES[next((name for name in TABLES if name == table), "buses")]


def drawer_tools(looked: View, *, read_only: bool) -> list[Part]:
    """Return the tabs, what the shown table can do, and its filter."""
    tabs = dbc.RadioItems(
        id=network_ids.TAB,
        name=network_ids.TAB,  # else the arrow keys go from one switch of the page to the next
        options=[{"label": word, "value": name} for name, word in TAB_WORDS.items()],
        value=looked.tab,
        class_name="hr-segments",
    )
    edits = [
        skeleton.popover(
            network_ids.ADD,
            [icon("plus", size=14), html.Span("Add")],
            [
                html.Div(add_form(looked.tab), id=f"{network_ids.ADD}-form"),
                html.Div(id=network_ids.ADD_MESSAGE, role="status"),
            ],
            label="Add a row",
            width=340,
            class_name="hr-button hr-button-quiet",
        ),
        skeleton.popover(
            network_ids.PASTE,
            [icon("table", size=14), html.Span("Paste")],
            paste_form(paste_example(looked.tab)),
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
            hidden=name != looked.tab,
            **{"data-draw-tools": name},
        )
        for name, word in TAB_WORDS.items()
        if name != "dispatch"
    ]
    filters.append(_dispatch_tools(looked))
    return [
        html.Div(tabs, role="group", **{"aria-label": "Table"}),
        html.Div(
            [*([] if read_only else edits), copy],
            className="hr-draw-rows",
            hidden=looked.tab in ("problems", "dispatch"),
            **{"data-draw-rows": ""},
        ),
        *filters,
    ]


def _dispatch_tools(looked: View) -> html.Div:
    """Return which table of the dispatch shows, its filter and its exports."""
    switch = dbc.RadioItems(
        id=network_ids.DISPATCH,
        name=network_ids.DISPATCH,
        options=[{"label": word, "value": what} for what, word in DISPATCH_WORDS.items()],
        value=looked.what,
        class_name="hr-segments",
    )
    boxes = [
        html.Label(
            [
                icon("filter", size=14),
                html.Span(f"Filter {DISPATCH_WORDS[what].lower()}", className="visually-hidden"),
                dbc.Input(
                    id=ids.grid_filter(PAGE, what), type="text", placeholder="Filter",
                    class_name="hr-input hr-input-small",
                ),
            ],
            className="hr-filter",
            hidden=what != looked.what,
            **{"data-grid-filter": ids.grid(PAGE, what), "data-draw-dispatch": what},
        )
        for what in WHAT
    ]  # fmt: skip
    exports = [
        html.Button(
            [icon("download", size=14), html.Span(word)],
            id=network_ids.dispatch_export(kind),
            type="button",
            className="hr-button hr-button-quiet",
        )
        for kind, word in DISPATCH_FORMATS.items()
    ]
    return html.Div(
        [html.Div(switch, role="group", **{"aria-label": "Table of the dispatch"}), *boxes, *exports],
        className="hr-draw-rows",
        hidden=looked.tab != "dispatch",
        **{"data-draw-tools": "dispatch"},
    )
