"""A planner's own criteria: a file's columns as gates or scores, and the groups that scores of their own make."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import html

from components import siting_ids, siting_upload
from components.format import number
from components.icons import icon
from components.skeleton import Part, popover
from engine.siting.criteria import OWN_GROUP, Column, Criterion, OwnCriteria
from engine.siting.ranking import GROUPS

NONE = "none"
CHOICES = (
    (NONE, "not used"),
    ("gate at most", "gate: at most"),
    ("gate at least", "gate: at least"),
    ("cost", "score: lower is better"),
    ("benefit", "score: higher is better"),
)
PARTS = ("use", "limit", "group", "weight")
EXAMPLE = "bus,water,noise\n1001,2.4,40\n1002,3.1,55"
_GROUPS_LIST = f"{siting_ids.CRITERIA}-names"


def panel(files: Sequence[tuple[str, str]], chosen: str, *, read_only: bool) -> html.Span:
    """Return the button and its panel. ``files`` are (digest, name) of the study's files of criteria."""
    listed = [*files] if files or not chosen else [(chosen, "a file (no longer here)")]
    content = html.Div(
        [
            html.P(
                "Figures of your own for each bus, such as water, noise, land or carbon. As a gate a column stops "
                "sites; as a score it counts in the ranking, which answers at once.",
                className="hr-muted",
            ),
            html.Label(
                [
                    html.Span("File"),
                    _control(
                        dbc.Select(
                            id=f"{siting_ids.CRITERIA}-file",
                            value=chosen or NONE,
                            options=[{"value": NONE, "label": "none"}, *({"value": a, "label": b} for a, b in listed)],
                        )
                    ),
                ],
                className="hr-siting-field",
            ),
            None if read_only else _upload(),
            html.P(id=f"{siting_ids.CRITERIA}-message", className="hr-siting-message", role="status"),
            html.Div(id=f"{siting_ids.CRITERIA}-table"),
            html.Div(id=f"{siting_ids.CRITERIA}-groups"),
            html.Datalist([html.Option(value=name) for name in (*GROUPS, OWN_GROUP)], id=_GROUPS_LIST),
        ],
        className="hr-siting-criteria",
    )
    face = [icon("table", size=14), html.Span("Criteria")]
    return popover(
        siting_ids.CRITERIA, face, content, label="Criteria of your own", class_name="hr-button", width=560
    )  # fmt: skip


def _upload() -> html.Div:
    return siting_upload.place(
        siting_ids.CRITERIA_UPLOAD,
        "Upload a CSV of criteria",
        accept=".csv,text/csv",
        file="CSV of criteria",
        hint="One row a bus: a column bus, and any columns of numbers. An empty cell is a value not known.",
    )


def table(columns: Sequence[Column], held: Mapping[str, Criterion]) -> html.Div:
    """Return a row of controls for each column; ``held`` is how columns count now, by name."""
    return html.Div([_row(column, held.get(column.name)) for column in columns], className="hr-siting-columns")


def _row(column: Column, held: Criterion | None) -> html.Fieldset:
    known = column.value[~np.isnan(column.value)]
    says = (
        f"{known.min():g} to {known.max():g}, known at {number(len(known))} of {number(len(column.value))} buses"
        if len(known)
        else "no value at any bus"
    )
    gates = held is not None and held.gates
    scores = held is not None and not held.gates
    limit = held.limit if held is not None and gates else None
    controls = [
        dbc.Select(
            id=siting_ids.criterion("use", column.name),
            value=NONE if held is None else held.use,
            options=[{"value": key, "label": words} for key, words in CHOICES],
        ),
        _part("limit", column.name, "Limit", limit, shown=gates, type="number", step="any"),
        _part("group", column.name, "Group", held.group if held is not None and scores else OWN_GROUP, shown=scores,
              type="text", list=_GROUPS_LIST),
        _part("weight", column.name, "Weight in it", held.weight if held is not None and scores else 1, shown=scores,
              type="number", min=0, step="any"),
    ]  # fmt: skip
    legend = html.Legend([column.name, html.Small(says, className="hr-muted")])
    first = html.Label([html.Span("Counts as"), _control(controls[0])], className="hr-siting-field")
    return html.Fieldset([legend, html.Div([first, *controls[1:]], className="hr-siting-column")])


def _part(part: str, name: str, label: str, value: Any, *, shown: bool, **props: Any) -> html.Div:
    box = dbc.Input(id=siting_ids.criterion(part, name), value=value, debounce=True, autocomplete="off", **props)
    field = html.Label([html.Span(label), _control(box)], className="hr-siting-field")
    return html.Div(field, id=siting_ids.criterion(f"{part}-place", name), hidden=not shown)


def _control(control: Part) -> html.Span:
    return html.Span(control, className="hr-siting-control")


def groups(names: Sequence[str], weights: Mapping[str, float]) -> Part:
    """Return the weights of groups that are not the ranking's own; those stand under Weights."""
    if not names:
        return None
    rows = [
        html.Label(
            [
                html.Span(name),
                dbc.Input(
                    id=siting_ids.own_group(name), type="number", min=0, step="any", value=weights.get(name, 1.0),
                    debounce=True, class_name="hr-input hr-siting-weight",
                ),
            ],
            className="hr-siting-weight-row",
        )
        for name in names
    ]  # fmt: skip
    words = "They stand beside the three groups of the market, whose weights are under Weights."
    return html.Div(
        [
            html.H3("Weights of your own groups", className="hr-section-title"),
            html.P(words, className="hr-muted"),
            *rows,
        ]
    )


def said(own: OwnCriteria | None) -> str:
    """Return what the gates stop, in words."""
    if own is None:
        return ""
    scores = sum(not one.gates for one in own.criteria)
    parts = [*own.said, *([f"{scores} in the ranking"] if scores else [])]
    return "; ".join(parts) + "." if parts else ""
