"""The Resilience page: the question, the feeder with its modules in a shock, the inspector, the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import day, day_edits, ids, resilience_asked, resilience_ids
from components.resilience_diagram import diagram
from components.resilience_question import question
from components.resilience_states import nothing_yet
from components.resilience_totals import empty_totals
from components.resilience_view import TABS, View
from components.resilience_words import METHODS
from components.skeleton import Part
from engine.resilience.question import ResilienceQuestion

FILES = (
    ("csv", "This table as CSV"),
    ("json", "Manifest of the run (JSON)"),
    ("npz", "All arrays (.npz)"),
    ("shocks", "The shocks (CSV)"),
    ("py", "Run it again (Python)"),
)
PAGE = day.Day(
    ids=resilience_ids,
    title="Placement of flexible capacity modules",
    tabs=TABS,
    files=FILES,
    sharing="Whoever opens it sees this question; files of your own come along only where you share their study.",
    diagram="Feeder",
    class_name="hr-feeder hr-hubs hr-resilience",
)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    question: ResilienceQuestion
    view: View
    study: str = ""  # that holds the reader's own files
    own: resilience_asked.Choices = ()  # shocks of his own
    feeders: resilience_asked.Choices = ()  # and feeders
    problems: Sequence[str] = field(default_factory=tuple)  # what of the link could not be read


def layout(opened: Opened, places: Mapping[str, Part], kinds: Mapping[str, str]) -> html.Main:
    """Return the page. ``places`` are the static parts of the tabs; numbers come with the first callback.

    ``kinds`` say how each tab is laid out: "grid", "chart" or "text".
    """
    asked, view = opened.question, opened.view
    start = {"problems": list(opened.problems), "hour": view.hour}
    edits = resilience_asked.held_edits(resilience_asked.edits_between(asked.types))
    return day.layout(
        PAGE,
        day.Panes(
            question=question(asked, own=opened.own, feeders=opened.feeders),
            strip=_strip(asked, view),
            diagram=diagram(ids.RESILIENCE),
            inspector=(html.Div(nothing_yet(), id=resilience_ids.SHEET),),
            totals=empty_totals(),
            empty=nothing_yet(),
            tab=view.tab,
            places=places,
            kinds=kinds,
            selection=view.at.selection,
        ),
        [
            *day.stores(PAGE, opened.study, start),
            *day_edits.stores(resilience_ids, edits),
            dcc.Store(id=resilience_ids.FILM),
            dcc.Store(id=f"{resilience_ids.FILM}-key"),
            dcc.Store(id=f"{resilience_ids.PAINTED}-film"),  # written by nobody
        ],
    )


def _strip(asked: ResilienceQuestion, view: View) -> html.Div:
    """Return the strip above the diagram: whose plan, in which shock, and the step, which can be played."""
    last = asked.steps - 1
    hour = min(view.hour or 0, last)
    shock = dbc.Input(
        id=resilience_ids.SHOCK, type="number", min=1, step=1, value=view.at.shock or None, placeholder="dearest",
        debounce=True, class_name="hr-input hr-resilience-shock",
    )  # fmt: skip
    on = dcc.Input(id=resilience_ids.ON, type="hidden", value=view.at.on)
    return day.strip(
        day.pick(resilience_ids.METHOD, dict(METHODS), view.at.method, "Plan"),
        html.Label([html.Span("Shock", className="hr-muted"), shock], className="hr-feeder-pick"),
        day.hours(resilience_ids, last, hour, str(hour + 1)),
        on,
        label="What is drawn of the answer",
    )
