"""The Feeder page: the question, the one-line diagram over the day, the inspector, the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dash import dcc, html

from components import day, day_edits, feeder_asked, feeder_edits, feeder_ids, ids
from components.feeder_diagram import diagram
from components.feeder_layers import CASES, LAYERS
from components.feeder_question import question
from components.feeder_states import nothing_yet
from components.feeder_totals import empty_totals
from components.feeder_view import TABS, View
from components.skeleton import Part
from engine.distribution.question import FeederQuestion

FILES = (
    ("csv", "This table as CSV"),
    ("json", "Manifest of the run (JSON)"),
    ("npz", "All arrays (.npz)"),
    ("py", "Run it again (Python)"),
)
PAGE = day.Day(
    ids=feeder_ids,
    title="Prices and operation of a feeder with data centres",
    tabs=TABS,
    files=FILES,
    sharing="Whoever opens it sees this question; a feeder of your own comes along only where you share its study.",
    diagram="Diagram",
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
    edits = feeder_asked.held_changes(feeder_asked.changes_of(asked))
    return day.layout(
        PAGE,
        day.Panes(
            question=question(asked, own=opened.own, workloads=opened.workloads, read_only=opened.read_only),
            strip=_strip(asked, view),
            diagram=diagram(ids.FEEDER),
            inspector=(
                html.Div(id=feeder_ids.COMPARED),
                html.Div(nothing_yet(), id=feeder_ids.SHEET),
                feeder_edits.form(),
            ),
            totals=empty_totals(),
            empty=nothing_yet(),
            tab=view.tab,
            places=places,
            kinds=kinds,
            selection=view.at.selection,
        ),
        [
            *day.stores(PAGE, opened.study, {"problems": list(opened.problems)}),
            dcc.Store(id=f"{feeder_ids.COMPARED}-of"),
            *day_edits.stores(feeder_ids, edits),
        ],
    )


def _strip(asked: FeederQuestion, view: View) -> html.Div:
    """Return the strip above the diagram: which case and layer, and the hour, which can be played."""
    last = len(asked.of_day) - 1
    hour = min(view.at.hour, last)
    return day.strip(
        day.segments(feeder_ids.CASE, CASES, view.at.case, "Case that is drawn"),
        day.pick(feeder_ids.LAYER, LAYERS, view.at.layer, "Layer"),
        day.hours(feeder_ids, last, hour, asked.labels[hour]),
        label="What is drawn",
    )
