"""The Feeder page: the question, the one-line diagram over the day, the inspector, the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import feeder_asked, feeder_edits, feeder_ids, ids
from components.feeder_diagram import diagram
from components.feeder_layers import CASES, LAYERS
from components.feeder_question import question
from components.feeder_states import nothing_yet
from components.feeder_totals import empty_totals
from components.feeder_view import TABS, View
from components.icons import icon
from components.skeleton import Part, button, page, popover, workbench
from engine.distribution.question import FeederQuestion

TITLE = "Prices and operation of a feeder with data centres"
LINK = f"{feeder_ids.EXPORT}-link"
FILES = (
    ("csv", "This table as CSV"),
    ("json", "Manifest of the run (JSON)"),
    ("npz", "All arrays (.npz)"),
    ("py", "Run it again (Python)"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    question: FeederQuestion
    view: View
    study: str = ""  # that holds the reader's own files
    own: feeder_asked.Choices = ()  # feeders of his own
    workloads: feeder_asked.Choices = ()
    read_only: bool = False
    problems: Sequence[str] = field(default_factory=tuple)  # what of the link could not be read


def layout(opened: Opened, places: Mapping[str, Part], kinds: Mapping[str, str]) -> html.Main:
    """Return the page. ``places`` are the static parts of the tabs; numbers come with the first callback.

    ``kinds`` say how each tab is laid out: "grid", "chart" or "text".
    """
    asked, view = opened.question, opened.view
    bench = workbench(
        ids.FEEDER,
        diagram(ids.FEEDER),
        html.Div(
            [
                html.Div(id=feeder_ids.COMPARED),
                html.Div(nothing_yet(), id=feeder_ids.SHEET),
                feeder_edits.form(),
            ],
            className="hr-feeder-inspector",
        ),
        _drawer(view.tab, places, kinds),
        totals=empty_totals(),
        drawer_tools=_drawer_tools(view.tab),
        drawer_title="Table",
        tab_words=("Diagram", "Why", "Table"),
    )
    _select_first(bench, view.at.selection)
    return page(
        *_stores(opened),
        question(asked, own=opened.own, workloads=opened.workloads, read_only=opened.read_only),
        html.Div(id=feeder_ids.STATE, className="hr-feeder-state", **{"aria-live": "polite"}),
        _strip(asked, view),
        html.Div([bench], id=feeder_ids.FRAME, className="hr-feeder-frame"),
        title=TITLE,
        class_name="hr-feeder",
    )


def _stores(opened: Opened) -> list[Part]:
    edits = feeder_asked.held_changes(feeder_asked.changes_of(opened.question))
    return [
        dcc.Store(id=feeder_ids.STUDY, data=opened.study),
        dcc.Store(id=f"{feeder_ids.STUDY}-start", data={"problems": list(opened.problems)}),
        dcc.Store(id=feeder_ids.FOUND),
        dcc.Store(id=feeder_ids.DRAWING),
        dcc.Store(id=feeder_ids.PAINTED),  # written by nobody, as the next two
        dcc.Store(id=f"{feeder_ids.TABLES}-shown"),
        dcc.Store(id=f"{feeder_ids.AT}-told"),
        dcc.Store(id=feeder_ids.AT),
        dcc.Store(id=f"{feeder_ids.COMPARED}-of"),
        *(dcc.Store(id=feeder_ids.seen(tab)) for tab in TABS),
        dcc.Store(id=feeder_ids.JOB),
        dcc.Store(id=f"{feeder_ids.JOB}-seen"),  # written by nobody
        dcc.Store(id=f"{feeder_ids.JOB}-ended"),
        dcc.Store(id=feeder_ids.QUERY),
        dcc.Store(id=feeder_ids.ADDRESS),
        *feeder_edits.stores(edits),
    ]


def _strip(question_asked: FeederQuestion, view: View) -> html.Div:
    """Return the strip above the diagram: which case and layer, and the hour, which can be played."""
    last = len(question_asked.of_day) - 1
    hour = min(view.at.hour, last)
    cases = dbc.RadioItems(
        id=feeder_ids.CASE,
        name=feeder_ids.CASE,
        options=[{"label": words, "value": key} for key, words in CASES.items()],
        value=view.at.case,
        class_name="hr-segments",
    )
    layers = dbc.Select(
        id=feeder_ids.LAYER,
        options=[{"label": words, "value": key} for key, words in LAYERS.items()],
        value=view.at.layer,
        class_name="hr-feeder-select",
    )
    slider = dbc.Input(
        id=feeder_ids.HOUR, type="range", min=0, max=last, step=1, value=hour, class_name="hr-feeder-range"
    )
    shown = f"{question_asked.of_day[hour]:02d}:00"
    return html.Div(
        [
            html.Div(cases, role="group", **{"aria-label": "Case that is drawn"}),
            html.Label([html.Span("Layer", className="hr-muted"), layers], className="hr-feeder-pick"),
            html.Div(
                [
                    html.Button(
                        icon("play", size=16),
                        id=feeder_ids.PLAY,
                        type="button",
                        className="hr-button hr-button-icon",
                        title="Play the day",
                        **{"aria-label": "Play the day", "aria-pressed": "false"},
                    ),
                    html.Label(
                        [html.Span("Hour", className="hr-muted"), slider], className="hr-feeder-slider"
                    ),
                    html.Output(shown, id=f"{feeder_ids.HOUR}-shown", htmlFor=feeder_ids.HOUR),
                ],
                className="hr-feeder-hours",
                role="group",
                **{"aria-label": "Hour that is drawn"},
            ),
        ],
        className="hr-feeder-strip",
        role="group",
        **{"aria-label": "What is drawn"},
    )  # fmt: skip


def _drawer(tab: str, places: Mapping[str, Part], kinds: Mapping[str, str]) -> html.Div:
    return html.Div(
        [
            html.Div(
                _tab(name, places.get(name), kinds.get(name, "text"), shown=name == tab),
                className=f"hr-feeder-panel-body hr-feeder-panel-{kinds.get(name, 'text')}",
                role="group",
                hidden=name != tab,
                **{"data-tab-body": name, "aria-label": words},
            )
            for name, words in TABS.items()
        ],
        className="hr-feeder-tabs",
        id=feeder_ids.TABLES,
        **{"data-tab": tab},
    )


def _tab(name: str, place: Part, kind: str, *, shown: bool) -> list[Part]:
    """Return the parts of a tab: what is told above its grid, or beside its chart.

    The library of charts takes a second to begin: a chart is put in its place when its tab first shows.
    """
    told = html.Div(nothing_yet(), id=feeder_ids.panel(name), className="hr-feeder-panel-told")
    parts = [] if place is None else place if isinstance(place, list) else [place]
    if kind == "chart":
        held = html.Div(parts if shown else None, id=feeder_ids.place(name))
        return [html.Div([held, told], className="hr-feeder-halves")]
    return [told, *parts]


def _drawer_tools(tab: str) -> html.Div:
    tabs = dbc.RadioItems(
        id=feeder_ids.TAB,
        name=feeder_ids.TAB,
        options=[{"label": words, "value": name} for name, words in TABS.items()],
        value=tab,
        class_name="hr-segments",
    )
    files = popover(
        feeder_ids.EXPORT, [icon("download", size=14), html.Span("Files")], _files(), label="Files of this answer",
        class_name="hr-button hr-button-quiet", width=330,
    )  # fmt: skip
    return html.Div(
        [html.Div(tabs, role="group", **{"aria-label": "Table"}), files],
        className="hr-feeder-tools",
    )


def _files() -> html.Div:
    return html.Div(
        [
            *(button(words, feeder_ids.file(kind), icon_name="download") for kind, words in FILES),
            html.Label(
                [
                    html.Span("Link to this question and view", className="hr-label"),
                    dbc.Input(id=LINK, type="text", readonly=True, class_name="hr-input"),
                ],
                className="hr-field",
            ),
            html.Button("Copy the link", type="button", className="hr-button", **{"data-copy": LINK}),
            html.P(
                "Whoever opens it sees this question; a feeder of your own comes along only where you share its study.",
                className="hr-muted",
            ),
            html.P(id=f"{feeder_ids.EXPORT}-message", className="hr-feeder-message", role="status"),
        ],
        className="hr-feeder-files",
    )


def _select_first(bench: Any, selection: str) -> None:
    """Put the link's selection in the workbench's Store."""
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(ids.FEEDER):
            child.data = selection or None
