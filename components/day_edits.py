"""What the edits of a page of a day show alike: the list in the question bar, and the parts of their forms."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components.day_ids import DayIds
from components.icons import icon
from components.skeleton import Part, button


def stores(of: DayIds, edits: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Return the Stores: the edits themselves, and the press of a button of the list."""
    return [dcc.Store(id=of.EDITS, data=list(edits)), dcc.Store(id=f"{of.EDITS}-pressed")]


def listed(of: DayIds, words: Sequence[str], none: str) -> Part:
    """Return the edits, in words and in their order, each of which can be taken back; ``none`` where there are none."""
    if not words:
        return html.P(none, className="hr-muted")
    return html.Ol(
        [
            html.Li(
                [
                    html.Span(edit),
                    html.Button(
                        icon("close", size=14),
                        type="button",
                        className="hr-button hr-button-quiet hr-button-icon",
                        **{f"data-{of.PAGE}-edit": f"remove {at}", "aria-label": f"Take back: {edit}"},
                    ),
                ]
            )
            for at, edit in enumerate(words)
        ],
        className="hr-feeder-edits",
    )


def panel(of: DayIds, title: str, edits: Part, form: Part) -> html.Div:
    """Return the panel of the sentence's word: the list, the form of an edit of all, and a way to take all back."""
    return html.Div(
        [
            html.H3(title, className="hr-section-title"),
            html.Div(edits, id=f"{of.EDITS}-listed", **{"aria-live": "polite"}),
            form,
            button("Take all back", of.edit("clear")),
        ],
        className="hr-feeder-panel",
    )


def forms(of: DayIds, *parts: Part) -> html.Div:
    """Return the forms below the sheet, and what is said of a press."""
    message = html.P(id=f"{of.EDITS}-message", className="hr-feeder-message", role="status")
    return html.Div([*parts, message], className="hr-feeder-forms")


def line(*parts: Part) -> html.Div:
    """Return a form of one line: its controls and its button."""
    return html.Div(list(parts), className="hr-feeder-line")


def labelled(label: str, control: Part, unit: str = "", *, hidden: bool = False) -> html.Label:
    """Return a control with its label, which is only heard where it is ``hidden``."""
    tail = html.Span(unit, className="hr-unit") if unit else None
    said = html.Span(label, className="visually-hidden" if hidden else "")
    return html.Label([said, control, tail], className="hr-feeder-field")


def number(target: str, value: float, *, least: float, most: float) -> dbc.Input:
    """Return a control that holds a number; its limits are told while it is empty.

    The server keeps them: of a number beyond limits of its own a browser sends nothing that could be named.
    """
    told = f"{least:g} to {most:g}"
    return dbc.Input(
        id=target, type="number", value=value, placeholder=told, step="any", class_name="hr-input hr-feeder-number"
    )


def select(target: str, options: Mapping[str, str] | None = None, value: str | None = None) -> dbc.Select:
    """Return a control that holds one of ``options``, by default of those that a selection brings."""
    offered = [{"value": key, "label": words} for key, words in (options or {}).items()]
    return dbc.Select(id=target, options=offered, value=value, class_name="hr-feeder-select")
