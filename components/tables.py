"""The one table of every page: ag-grid with units in the head, row ids, quick filter, CSV, shared selection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import dash_ag_grid as ag
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from components import ids
from components.icons import icon
from engine.network import tables as network_tables

CellKind = Literal["text", "number", "flag", "percent"]


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column on screen. ``digits`` None means "as many as are meant": one decimal below 100, else none."""

    name: str  # the key in each row
    label: str
    unit: str = ""
    kind: CellKind = "text"
    digits: int | None = None
    width: int | None = None
    help: str = ""
    editable: bool = False
    pinned: bool = False
    sign: str = ""  # "firm", "flexible", "binding", "fine", "candidate": coloured text
    choices: tuple[str, ...] = ()  # an editable text cell chosen from a list
    more: Mapping[str, Any] = field(default_factory=dict)  # anything else that ag-grid understands


def network_columns(
    table: network_tables.TableName, *, editable: bool = False, only: Iterable[str] | None = None
) -> list[GridColumn]:
    """Return the columns of a network's table, from the one list that the engine has."""
    wanted = None if only is None else set(only)
    first = {"buses": "bus", "branches": "branch", "units": "unit"}[table]
    digits = {"pu": 5, "deg": 2}
    return [
        GridColumn(
            name=column.name,
            label=column.label,
            unit=column.unit,
            kind=column.kind,
            digits=digits.get(column.unit),
            help=column.help,
            editable=editable,
            pinned=column.name == first,
        )
        for column in network_tables.COLUMNS[table]
        if wanted is None or column.name in wanted
    ]


def column_definition(column: GridColumn) -> dict[str, Any]:
    """Return ag-grid's definition of a column."""
    head = f"{column.label}, {column.unit}" if column.unit else column.label
    definition: dict[str, Any] = {
        "field": column.name,
        "headerName": head,
        "editable": column.editable,
        "minWidth": max(72, 7 * len(head) + 40),
        "flex": 1,
    }
    if column.help:
        definition["headerTooltip"] = column.help
    if column.width:
        definition |= {"width": column.width, "minWidth": min(column.width, 72)}
        del definition["flex"]
    if column.pinned:
        definition["pinned"] = "left"
    if column.sign:
        definition["cellClass"] = [f"hr-sign-{column.sign}"]
    if column.kind in ("number", "percent"):
        if column.sign:  # a class of our own replaces that of the type
            definition["cellClass"].append("ag-right-aligned-cell")
        digits = "null" if column.digits is None else str(column.digits)
        formatter = "hrPercent" if column.kind == "percent" else "hrNumber"
        definition |= {
            "type": "rightAligned",
            "filter": "agNumberColumnFilter",
            "valueFormatter": {"function": f"{formatter}(params.value, {digits})"},
            "comparator": {"function": "hrCompare"},
        }
        if column.editable:
            definition["valueParser"] = {"function": "hrParseNumber(params)"}
    elif column.kind == "flag":
        definition |= {"cellDataType": "boolean"}
    else:
        definition["filter"] = "agTextColumnFilter"
        if column.choices:
            definition |= {
                "cellEditor": "agSelectCellEditor",
                "cellEditorParams": {"values": list(column.choices)},
            }
    return definition | dict(column.more)


def grid(
    page: str,
    columns: Sequence[GridColumn],
    rows: Sequence[Mapping[str, Any]] = (),
    *,
    name: str = "table",
    key: str = "id",
    kind: str = "bus",
    label: str = "Table",
    options: Mapping[str, Any] | None = None,
    **props: Any,
) -> html.Div:
    """Return the table with its accessible name. Rows are mappings; ``key`` is the field that holds the row id.

    A row that is chosen becomes the page's selection ``"<kind>:<row id>"``, and the other way round, once
    :func:`register_grid` has been called. The grid's id is ``ids.grid(page, name)``: write its ``rowData``.
    """
    grid_id = ids.grid(page, name)
    return html.Div(
        [
            html.H3(label, className="visually-hidden", id=f"{grid_id}-label"),
            dcc.Store(id=f"{grid_id}-told"),
            dcc.Store(id=f"{grid_id}-shown"),
            ag.AgGrid(
                id=grid_id,
                columnDefs=[column_definition(column) for column in columns],
                rowData=[dict(row) for row in rows],
                getRowId=f"params.data.{key}",
                defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": False},
                columnSize=None,
                dashGridOptions={
                    "theme": {"function": "hrGridTheme(themeQuartz)"},
                    "rowSelection": {
                        "mode": "singleRow",
                        "checkboxes": False,
                        "enableClickSelection": True,
                    },
                    "rowHeight": 28,
                    "headerHeight": 30,
                    "animateRows": False,
                    "tooltipShowDelay": 300,
                    "suppressCellFocus": False,
                    "localeText": {"noRowsToShow": "No rows"},
                    **(options or {}),
                },
                className="hr-grid",
                style={"height": "100%", "width": "100%"},
                **props,
            ),
        ],
        className="hr-grid-frame",
        role="region",
        **{"aria-labelledby": f"{grid_id}-label", "data-grid": grid_id, "data-grid-page": page, "data-grid-kind": kind},
    )


def tools(page: str, *, name: str = "table", label: str = "Filter the table", csv_name: str = "table.csv") -> html.Div:
    """Return the quick filter and the CSV button of a grid; they work in the browser."""
    return html.Div(
        [
            html.Label(
                [
                    icon("filter", size=14),
                    html.Span(label, className="visually-hidden"),
                    dbc.Input(
                        id=ids.grid_filter(page, name),
                        type="text",
                        placeholder="Filter",
                        class_name="hr-input hr-input-small",
                    ),
                ],
                className="hr-filter",
                **{"data-grid-filter": ids.grid(page, name)},
            ),
            html.Button(
                [icon("download", size=14), html.Span("CSV")],
                id=ids.grid_csv(page, name),
                type="button",
                className="hr-button hr-button-quiet",
                **{"data-grid-csv": ids.grid(page, name), "data-file": csv_name},
            ),
        ],
        className="hr-grid-tools",
    )


def register_grid(app: Dash, page: str, *, name: str = "table", kind: str = "bus") -> None:
    """Wire a grid in the browser: its selection is the page's selection, its quick filter filters.

    ``kind`` is that of :func:`grid`.
    """
    del kind  # read from the grid's frame in the browser; kept in the signature so that both calls look alike
    grid_id = ids.grid(page, name)
    app.clientside_callback(
        ClientsideFunction("headroom", "gridToSelection"),
        Output(f"{grid_id}-told", "data"),
        Input(grid_id, "selectedRows"),
        Input(grid_id, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("headroom", "selectionToGrid"),
        # Written by nobody: without an output on the page a callback is not called when the page is drawn.
        Output(f"{grid_id}-shown", "data"),
        Input(ids.selection(page), "data"),
        Input(grid_id, "virtualRowData"),  # what the grid says it shows, first said when it may be selected in
        Input(grid_id, "id"),
    )


def safe_cell(text: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: text that begins with = + - @ gets an apostrophe."""
    if isinstance(text, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{text}"
    return text
