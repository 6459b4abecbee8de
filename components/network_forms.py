"""Forms of the Network page: the selected element, a new row, a pasted block."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import network_ids, skeleton
from components.format import count
from engine.network.cells import KINDS, shown
from engine.network.tables import COLUMNS, KEYS, SINGULAR, NetworkTables, TableName, Value
from engine.network.terms import read_branches, read_terms

Part = Any
READ_ONLY = "This study was shared with you to read. Duplicate it to change it."

TABLE_OF: Mapping[str, TableName] = {word: table for table, word in SINGULAR.items()}
# What most people change; the rest folds away under "More".
FIRST: Mapping[TableName, tuple[str, ...]] = {
    "buses": ("bus", "name", "base_kv", "load_mw", "withdrawal_limit_mw", "zone", "in_service"),
    "branches": ("branch", "from_bus", "to_bus", "kind", "reactance_pu", "rating_a_mw", "in_service"),
    "units": ("unit", "bus", "fuel", "p_mw", "p_min_mw", "p_max_mw", "cost_c1_per_mwh", "in_service"),
    "interfaces": ("interface", "name", "terms", "limit_mw", "limit_backward_mw", "in_service"),
    "contingencies": ("contingency", "branches", "in_service", "note"),
}
NEEDED: Mapping[TableName, tuple[str, ...]] = {
    "buses": ("bus", "name", "base_kv", "load_mw", "withdrawal_limit_mw"),
    "branches": ("from_bus", "to_bus", "reactance_pu", "rating_a_mw"),
    "units": ("bus", "fuel", "p_min_mw", "p_max_mw", "cost_c1_per_mwh"),
    "interfaces": ("interface", "name", "terms", "limit_mw", "limit_backward_mw"),
    "contingencies": ("contingency", "branches", "note"),
}


WIDE = {("interfaces", "terms"), ("contingencies", "branches"), ("contingencies", "note")}  # lists of branches


def texts(tables: NetworkTables, table: TableName, key: str) -> dict[str, Any] | None:
    """Return an element's cells as its form shows them, None when it is not there."""
    data = tables.table(table)
    found = data.index[data[KEYS[table]] == key]
    if not len(found):
        return None
    row = data.loc[found[0]]
    return {column.name: _text(column.name, table, row[column.name]) for column in COLUMNS[table]}


def element_form(tables: NetworkTables, kind: str, key: str, *, read_only: bool) -> Part:
    """Return the inspector of a selected element: its form, and what hangs on it."""
    table = TABLE_OF[kind]
    values = texts(tables, table, key)
    if values is None:
        return skeleton.state("empty", f"There is no {kind} {key} any more.")
    later = [column.name for column in COLUMNS[table] if column.name not in FIRST[table] and column.name != "slack"]
    title = f"{kind.capitalize()} {key}" + (f", {values['name']}" if values.get("name") not in (None, "", key) else "")
    return html.Div(
        [
            html.H3(title, className="hr-draw-title"),
            skeleton.state("read-only", READ_ONLY) if read_only else None,
            html.Div(
                [_field(table, name, values[name], network_ids.field(name), read_only) for name in FIRST[table]],
                className="hr-draw-fields",
            ),
            html.Details(
                [
                    html.Summary("More columns"),
                    html.Div(
                        [_field(table, name, values[name], network_ids.field(name), read_only) for name in later],
                        className="hr-draw-fields",
                    ),
                ],
                className="hr-draw-more",
            ),
            html.Div(
                [
                    skeleton.button(
                        "Apply", "network-apply", primary=True, disabled=read_only, **{"data-draw-apply": ""}
                    ),
                    _slack_button(values, read_only) if kind == "bus" else None,
                    skeleton.button(
                        "Add unit", "network-add-unit", icon_name="plus", disabled=read_only,
                        **{"data-draw-action": "add-unit"},
                    ) if kind == "bus" else None,
                    skeleton.button(
                        "Delete", "network-delete-selected", icon_name="delete", disabled=read_only,
                        **{"data-draw-action": "delete"},
                    ),
                ],
                className="hr-draw-buttons",
            ),
            _neighbours(tables, key) if kind == "bus" else _ends(tables, kind, key),
        ],
        className="hr-draw-form",
        **{"data-draw-form": json.dumps({"table": table, "key": key, "values": values})},
    )  # fmt: skip


def network_form(name: str, *, read_only: bool) -> Part:
    """Return the form of the network as a whole: its name."""
    if read_only:
        return html.Div([html.H3(name, className="hr-draw-title"), skeleton.state("read-only", READ_ONLY)])
    box = dbc.Input(
        id=network_ids.NAME, type="text", value=name, maxlength=120, autocomplete="off", class_name="hr-input"
    )
    return html.Div(
        [
            html.Label([html.Span("Name of the network", className="hr-label"), box], className="hr-draw-field"),
            skeleton.button("Rename", "network-rename", **{"data-draw-rename": ""}),
        ],
        className="hr-draw-name",
        **{"data-draw-named": name},
    )


def new_row_form(table: TableName) -> Part:
    """Return the fields of a new row of ``table``."""
    return html.Div(
        [
            html.H3(f"New {SINGULAR[table]}", className="hr-section-title"),
            html.Div(
                [_field(table, name, "", network_ids.new(name), read_only=False) for name in NEEDED[table]],
                className="hr-draw-fields",
            ),
            skeleton.button("Add row", "network-add-row", primary=True, **{"data-draw-add-row": table}),
        ]
    )


def paste_form(example: str) -> Part:
    """Return the box for rows from a spreadsheet; ``example`` is what it shows while it is empty."""
    return html.Div(
        [
            html.Label(
                "Rows copied from a spreadsheet; a first line of column names is understood",
                htmlFor=network_ids.PASTE_TEXT,
                className="hr-label",
            ),
            dcc.Textarea(id=network_ids.PASTE_TEXT, className="hr-input hr-draw-paste", placeholder=example),
            html.Label(
                [
                    html.Span("Put them", className="hr-label"),
                    dbc.Select(
                        id=network_ids.PASTE_WHERE,
                        options=[
                            {"label": "below the table", "value": "below"},
                            {"label": "over the cells, from the focused one on", "value": "over"},
                        ],
                        value="below",
                        class_name="hr-input",
                    ),
                ],
                className="hr-field",
            ),
            html.Div(
                [
                    skeleton.button("Paste rows", "network-paste-rows", primary=True, **{"data-draw-paste": ""}),
                    html.Span("or", className="hr-muted"),
                    html.Div(
                        dcc.Upload(
                            html.Button("Add rows from a CSV file", type="button", className="hr-button"),
                            id=network_ids.ROWS_FILE,
                            className="hr-draw-rows-file",
                        ),
                        **{"data-draw-rows-file": ""},
                    ),
                ],
                className="hr-draw-buttons",
            ),
            html.P(
                "Interfaces and contingencies may also have one row per branch: interface, branch, weight, limit_mw; "
                "or contingency, branch.",
                className="hr-muted",
            ),
            html.Div(id=network_ids.PASTE_MESSAGE, role="status"),
        ]
    )


def problems_list(problems: Sequence[str], title: str) -> Part:
    """Return a refusal in words, every reason in its own line."""
    if len(problems) == 1:
        return skeleton.state("failed", problems[0], title=title)
    return skeleton.state("failed", count(len(problems), "reason"), title=title, details=problems)


def _field(table: TableName, name: str, value: Any, component_id: Any, read_only: bool) -> Part:
    column = next(c for c in COLUMNS[table] if c.name == name)
    label = [column.label, html.Span(f" {column.unit}", className="hr-unit") if column.unit else None]
    if column.kind == "flag" or name == "kind":
        options = ("true", "false") if column.kind == "flag" else KINDS
        words = {"true": "yes", "false": "no"}
        box: Part = dbc.Select(
            id=component_id,
            options=[{"label": words.get(option, option), "value": option} for option in options],
            value=value or options[0],
            disabled=read_only,
            class_name="hr-input",
        )
        return html.Label([html.Span(label, className="hr-label"), box], className="hr-draw-field")
    hint = {math.inf: "unlimited", -math.inf: "none"}.get(column.default, "") if column.kind == "number" else ""
    hint = {"terms": "1-2:1 3-4:-0.5", "branches": "1-2 3-4", "limit_backward_mw": "same"}.get(name, hint)
    box = dbc.Input(
        id=component_id,
        type="text",
        value=value,
        placeholder=hint or ("automatic" if name == KEYS[table] and not value else ""),
        disabled=read_only,
        autocomplete="off",
        class_name="hr-input" + (" hr-draw-number" if column.kind == "number" else ""),
    )
    wide = " hr-draw-wide" if (table, name) in WIDE else ""
    return html.Label(
        [html.Span(label, className="hr-label"), box], className=f"hr-draw-field{wide}", title=column.help
    )


def _slack_button(values: Mapping[str, Any], read_only: bool) -> Part:
    if values["slack"] == "true":
        return html.Span("This is the slack bus.", className="hr-muted")
    return skeleton.button("Make slack", "network-make-slack", disabled=read_only, **{"data-draw-action": "slack"})


def _neighbours(tables: NetworkTables, bus: str) -> Part:
    branches, units = tables.branches, tables.units
    lines = branches[(branches["from_bus"] == bus) | (branches["to_bus"] == bus)]
    links = [
        (f"branch:{key}", f"{key}: {kind} to {end if start == bus else start}")
        for key, kind, start, end in zip(
            lines["branch"], lines["kind"], lines["from_bus"], lines["to_bus"], strict=True
        )
    ]
    own = units[units["bus"] == bus]
    machines = [
        (f"unit:{key}", f"{key}: {fuel or 'unit'}, {largest:g} MW")
        for key, fuel, largest in zip(own["unit"], own["fuel"], own["p_max_mw"], strict=True)
    ]
    return html.Div(
        [
            skeleton.section(count(len(links), "branch", "branches"), _links(links)),
            skeleton.section(count(len(machines), "unit"), _links(machines)),
        ]
    )


def _ends(tables: NetworkTables, kind: str, key: str) -> Part:
    row = tables.table(TABLE_OF[kind]).set_index(KEYS[TABLE_OF[kind]]).loc[key]
    if kind in ("interface", "contingency"):
        return _members(kind, row)
    ends = (row["from_bus"], row["to_bus"]) if kind == "branch" else (row["bus"],)
    return skeleton.section("At", _links([(f"bus:{end}", f"Bus {end}") for end in ends]))


def _members(kind: str, row: Any) -> Part:
    """Return the branches that an interface weighs or a contingency loses."""
    try:
        if kind == "interface":
            named = [(branch, f"{weight:g} times {branch}") for branch, weight in read_terms(row["terms"])]
        else:
            named = [(branch, branch) for branch in read_branches(row["branches"])]
    except ValueError as error:
        return skeleton.section("Branches", html.P(str(error)))
    links = _links([(f"branch:{branch}", text) for branch, text in named])
    # The drawing marks them with what is selected (assets/draw8_page.js).
    members = html.Div(links, **{"data-members": json.dumps([branch for branch, _ in named])})
    return skeleton.section(count(len(named), "branch", "branches"), members)


def _links(targets: Sequence[tuple[str, str]], most: int = 30) -> Part:
    items = [
        html.Li(html.Button(text, type="button", className="hr-draw-link", **{"data-select": element}))
        for element, text in targets[:most]
    ]
    if len(targets) > most:
        items.append(html.Li(f"and {len(targets) - most} more", className="hr-muted"))
    return html.Ul(items, className="hr-draw-links")


def _text(name: str, table: TableName, value: Value) -> str:
    column = next(c for c in COLUMNS[table] if c.name == name)
    if column.kind == "text":
        return str(value)
    if column.kind == "flag":
        return shown(column, bool(value))
    number = float(value)
    if not math.isfinite(number):
        return "" if number == column.default or math.isnan(number) else "unlimited"
    return f"{number:.10g}"
