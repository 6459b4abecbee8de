"""What the pages of a day show alike: the question, a diagram over the hours, the inspector, the tables and files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.day_ids import DayIds
from components.icons import icon
from components.skeleton import Part, button, page, popover, workbench
from engine.errors import QuestionError

LONGEST_QUERY = 2500  # characters: a longer question is kept by the server and the link carries its digest


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What of a page of a day is its own and the same for every question."""

    ids: DayIds
    title: str
    tabs: Mapping[str, str]  # of the drawer, with their words
    files: Sequence[tuple[str, str]]  # kinds of files of an answer, with their words
    sharing: str  # what whoever opens its link sees
    diagram: str  # the word of the pane with the diagram
    class_name: str = "hr-feeder"


@dataclass(frozen=True, slots=True, eq=False)
class Panes:
    """What stands on a page of a day when it opens."""

    question: Part
    strip: Part
    diagram: Part
    inspector: Sequence[Part]
    totals: Part
    empty: Part  # what a tab tells before there is an answer
    tab: str  # of the drawer, that shows
    places: Mapping[str, Part]  # the static parts of the tabs
    kinds: Mapping[str, str]  # how each tab is laid out: "grid", "chart" or "text"
    selection: str  # of the link


def asked_in(query: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the question that a link holds, an object of JSON; None without one. Raises QuestionError if it is not."""
    text = query.get("ask")
    if not isinstance(text, str):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise QuestionError("the question of the link cannot be read")
    return content


def layout(day: Day, panes: Panes, stores: Sequence[Part]) -> html.Main:
    """Return the page; numbers come with the first callback."""
    of = day.ids
    bench = workbench(
        of.PAGE,
        panes.diagram,
        html.Div(list(panes.inspector), className="hr-feeder-inspector"),
        _drawer(day, panes),
        totals=panes.totals,
        drawer_tools=_drawer_tools(day, panes.tab),
        drawer_title="Table",
        tab_words=(day.diagram, "Why", "Table"),
    )
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(of.PAGE):
            child.data = panes.selection or None
    return page(
        *stores,
        panes.question,
        html.Div(id=of.STATE, className="hr-feeder-state", **{"aria-live": "polite"}),
        panes.strip,
        html.Div([bench], id=of.FRAME, className="hr-feeder-frame"),
        title=day.title,
        class_name=day.class_name,
    )


def stores(day: Day, study: str, start: Mapping[str, Any]) -> list[Part]:
    """Return the Stores but for those of the edits; ``start`` is what the page opens with beside its question."""
    of = day.ids
    return [
        dcc.Store(id=of.STUDY, data=study),
        dcc.Store(id=f"{of.STUDY}-start", data=dict(start)),
        dcc.Store(id=of.FOUND),
        dcc.Store(id=of.DRAWING),
        dcc.Store(id=of.PAINTED),  # written by nobody, as the next three
        dcc.Store(id=f"{of.TABLES}-shown"),
        dcc.Store(id=f"{of.AT}-told"),
        dcc.Store(id=f"{of.JOB}-seen"),
        dcc.Store(id=of.AT),
        *(dcc.Store(id=of.seen(tab)) for tab in day.tabs),
        dcc.Store(id=of.JOB),
        dcc.Store(id=f"{of.JOB}-ended"),
        dcc.Store(id=of.QUERY),
        dcc.Store(id=of.ADDRESS),
    ]


# The strip above the diagram


def strip(*parts: Part, label: str) -> html.Div:
    """Return the strip above the diagram: what of the answer is drawn."""
    return html.Div(list(parts), className="hr-feeder-strip", role="group", **{"aria-label": label})


def segments(target: str, choices: Mapping[str, str], value: str, label: str) -> html.Div:
    """Return a choice of few, side by side."""
    return html.Div(_radio(target, choices, value), role="group", **{"aria-label": label})


def pick(target: str, choices: Mapping[str, str], value: str, label: str) -> html.Label:
    """Return a choice of many, one shown."""
    control = dbc.Select(id=target, options=_options(choices), value=value, class_name="hr-feeder-select")
    return html.Label([html.Span(label, className="hr-muted"), control], className="hr-feeder-pick")


def hours(of: DayIds, last: int, at: int, shown: str) -> html.Div:
    """Return the hour that is drawn, which can be played: ``shown`` is what its place ``at`` is called."""
    slider = dbc.Input(id=of.HOUR, type="range", min=0, max=last, step=1, value=at, class_name="hr-feeder-range")
    return html.Div(
        [
            html.Button(
                icon("play", size=16),
                id=of.PLAY,
                type="button",
                className="hr-button hr-button-icon",
                title="Play the day",
                **{"aria-label": "Play the day", "aria-pressed": "false"},
            ),
            html.Label([html.Span("Hour", className="hr-muted"), slider], className="hr-feeder-slider"),
            html.Output(shown, id=f"{of.HOUR}-shown", htmlFor=of.HOUR),
        ],
        className="hr-feeder-hours",
        role="group",
        **{"aria-label": "Hour that is drawn"},
    )


# The drawer


def _drawer(day: Day, panes: Panes) -> html.Div:
    kinds = panes.kinds
    return html.Div(
        [
            html.Div(
                _tab(day, panes, name),
                className=f"hr-feeder-panel-body hr-feeder-panel-{kinds.get(name, 'text')}",
                role="group",
                hidden=name != panes.tab,
                **{"data-tab-body": name, "aria-label": words},
            )
            for name, words in day.tabs.items()
        ],
        className="hr-feeder-tabs",
        id=day.ids.TABLES,
        **{"data-tab": panes.tab},
    )


def _tab(day: Day, panes: Panes, name: str) -> list[Part]:
    """Return the parts of a tab: what is told above its grid, or beside its chart.

    The library of charts takes a second to begin: a chart is put in its place when its tab first shows.
    """
    place = panes.places.get(name)
    told = html.Div(panes.empty, id=day.ids.panel(name), className="hr-feeder-panel-told")
    parts = [] if place is None else place if isinstance(place, list) else [place]
    if panes.kinds.get(name) == "chart":
        held = html.Div(parts if name == panes.tab else None, id=day.ids.place(name))
        return [html.Div([held, told], className="hr-feeder-halves")]
    return [told, *parts]


def _drawer_tools(day: Day, tab: str) -> html.Div:
    files = popover(
        day.ids.EXPORT, [icon("download", size=14), html.Span("Files")], _files(day), label="Files of this answer",
        class_name="hr-button hr-button-quiet", width=330,
    )  # fmt: skip
    return html.Div([segments(day.ids.TAB, day.tabs, tab, "Table"), files], className="hr-feeder-tools")


def _files(day: Day) -> html.Div:
    of = day.ids
    return html.Div(
        [
            *(button(words, of.file(kind), icon_name="download") for kind, words in day.files),
            html.Label(
                [
                    html.Span("Link to this question and view", className="hr-label"),
                    dbc.Input(id=of.LINK, type="text", readonly=True, class_name="hr-input"),
                ],
                className="hr-field",
            ),
            html.Button("Copy the link", type="button", className="hr-button", **{"data-copy": of.LINK}),
            html.P(day.sharing, className="hr-muted"),
            html.P(id=f"{of.EXPORT}-message", className="hr-feeder-message", role="status"),
        ],
        className="hr-feeder-files",
    )


def _radio(target: str, choices: Mapping[str, str], value: str) -> dbc.RadioItems:
    return dbc.RadioItems(id=target, name=target, options=_options(choices), value=value, class_name="hr-segments")


def _options(choices: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"label": words, "value": key} for key, words in choices.items()]
