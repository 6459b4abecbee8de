"""The Hubs page: the question, the network over the day without and with prices, the inspector, the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import hubs_asked, hubs_edits, hubs_ids, ids
from components.hubs_diagram import diagram
from components.hubs_question import question
from components.hubs_states import nothing_yet
from components.hubs_totals import empty_totals
from components.hubs_view import TABS, View
from components.hubs_words import LETTERS, OUTCOMES, SHOWS, outcome_words
from components.icons import icon
from components.skeleton import Part, button, page, popover, workbench
from engine.pricing.question import HubQuestion

TITLE = "Prices for energy hubs"
FILES = (
    ("csv", "This table as CSV"),
    ("json", "Manifest of the run (JSON)"),
    ("npz", "All arrays (.npz)"),
    ("case", "The case (JSON)"),
    ("py", "Run it again (Python)"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    question: HubQuestion
    view: View
    study: str = ""  # that holds the reader's own files
    own: hubs_asked.Choices = ()  # cases of his own
    problems: Sequence[str] = field(default_factory=tuple)  # what of the link could not be read


def layout(opened: Opened, places: Mapping[str, Part], kinds: Mapping[str, str]) -> html.Main:
    """Return the page. ``places`` are the static parts of the tabs; numbers come with the first callback.

    ``kinds`` say how each tab is laid out: "grid", "chart" or "text".
    """
    asked, view = opened.question, opened.view
    bench = workbench(
        ids.HUBS,
        diagram(ids.HUBS),
        html.Div([html.Div(nothing_yet(), id=hubs_ids.SHEET), hubs_edits.form()], className="hr-feeder-inspector"),
        _drawer(view.tab, places, kinds),
        totals=empty_totals(),
        drawer_tools=_drawer_tools(view.tab),
        drawer_title="Table",
        tab_words=("Network", "Why", "Table"),
    )
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(ids.HUBS):
            child.data = view.at.selection or None
    return page(
        *_stores(opened),
        question(asked, own=opened.own),
        html.Div(id=hubs_ids.STATE, className="hr-feeder-state", **{"aria-live": "polite"}),
        _strip(asked, view),
        html.Div([bench], id=hubs_ids.FRAME, className="hr-feeder-frame"),
        title=TITLE,
        class_name="hr-feeder hr-hubs",
    )


def _stores(opened: Opened) -> list[Part]:
    start = {"problems": list(opened.problems), "hour": opened.view.hour}
    return [
        dcc.Store(id=hubs_ids.STUDY, data=opened.study),
        dcc.Store(id=f"{hubs_ids.STUDY}-start", data=start),
        dcc.Store(id=hubs_ids.FOUND),
        dcc.Store(id=hubs_ids.DRAWING),
        dcc.Store(id=hubs_ids.PAINTED),  # written by nobody, as the next three
        dcc.Store(id=f"{hubs_ids.TABLES}-shown"),
        dcc.Store(id=f"{hubs_ids.AT}-told"),
        dcc.Store(id=f"{hubs_ids.JOB}-seen"),
        dcc.Store(id=hubs_ids.AT),
        *(dcc.Store(id=hubs_ids.seen(tab)) for tab in TABS),
        dcc.Store(id=hubs_ids.JOB),
        dcc.Store(id=f"{hubs_ids.JOB}-ended"),
        dcc.Store(id=hubs_ids.QUERY),
        dcc.Store(id=hubs_ids.ADDRESS),
        *hubs_edits.stores(hubs_asked.held_edits(opened.question.edits)),
    ]


def _strip(asked: HubQuestion, view: View) -> html.Div:
    """Return the strip above the diagram: before or after, with which prices, and the hour, which can be played."""
    last = asked.hours - 1
    hour = min(view.hour or 0, last)
    shows = dbc.RadioItems(
        id=hubs_ids.SHOW,
        name=hubs_ids.SHOW,
        options=[{"label": words, "value": key} for key, words in SHOWS.items()],
        value=view.at.show,
        class_name="hr-segments",
    )
    outcomes = dbc.Select(
        id=hubs_ids.OUTCOME,
        options=[
            {"label": f"{LETTERS[prices]} {outcome_words(prices, hubs)}", "value": key}
            for key, (prices, hubs) in OUTCOMES.items()
        ],
        value=view.at.outcome,
        class_name="hr-feeder-select",
    )
    slider = dbc.Input(
        id=hubs_ids.HOUR, type="range", min=0, max=last, step=1, value=hour, class_name="hr-feeder-range"
    )
    return html.Div(
        [
            html.Div(shows, role="group", **{"aria-label": "What is drawn"}),
            html.Label([html.Span("With", className="hr-muted"), outcomes], className="hr-feeder-pick"),
            html.Div(
                [
                    html.Button(
                        icon("play", size=16),
                        id=hubs_ids.PLAY,
                        type="button",
                        className="hr-button hr-button-icon",
                        title="Play the day",
                        **{"aria-label": "Play the day", "aria-pressed": "false"},
                    ),
                    html.Label([html.Span("Hour", className="hr-muted"), slider], className="hr-feeder-slider"),
                    html.Output(f"{hour:02d}:00", id=f"{hubs_ids.HOUR}-shown", htmlFor=hubs_ids.HOUR),
                ],
                className="hr-feeder-hours",
                role="group",
                **{"aria-label": "Hour that is drawn"},
            ),
        ],
        className="hr-feeder-strip",
        role="group",
        **{"aria-label": "What is drawn of the answer"},
    )


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
        id=hubs_ids.TABLES,
        **{"data-tab": tab},
    )


def _tab(name: str, place: Part, kind: str, *, shown: bool) -> list[Part]:
    """Return the parts of a tab: what is told above its grid, or beside its chart.

    The library of charts takes a second to begin: a chart is put in its place when its tab first shows.
    """
    told = html.Div(nothing_yet(), id=hubs_ids.panel(name), className="hr-feeder-panel-told")
    parts = [] if place is None else place if isinstance(place, list) else [place]
    if kind == "chart":
        held = html.Div(parts if shown else None, id=hubs_ids.place(name))
        return [html.Div([held, told], className="hr-feeder-halves")]
    return [told, *parts]


def _drawer_tools(tab: str) -> html.Div:
    tabs = dbc.RadioItems(
        id=hubs_ids.TAB,
        name=hubs_ids.TAB,
        options=[{"label": words, "value": name} for name, words in TABS.items()],
        value=tab,
        class_name="hr-segments",
    )
    files = popover(
        hubs_ids.EXPORT, [icon("download", size=14), html.Span("Files")], _files(), label="Files of this answer",
        class_name="hr-button hr-button-quiet", width=330,
    )  # fmt: skip
    return html.Div([html.Div(tabs, role="group", **{"aria-label": "Table"}), files], className="hr-feeder-tools")


def _files() -> html.Div:
    return html.Div(
        [
            *(button(words, hubs_ids.file(kind), icon_name="download") for kind, words in FILES),
            html.Label(
                [
                    html.Span("Link to this question and view", className="hr-label"),
                    dbc.Input(id=hubs_ids.LINK, type="text", readonly=True, class_name="hr-input"),
                ],
                className="hr-field",
            ),
            html.Button("Copy the link", type="button", className="hr-button", **{"data-copy": hubs_ids.LINK}),
            html.P(
                "Whoever opens it sees this question; a case of your own comes along only where you share its study.",
                className="hr-muted",
            ),
            html.P(id=f"{hubs_ids.EXPORT}-message", className="hr-feeder-message", role="status"),
        ],
        className="hr-feeder-files",
    )
