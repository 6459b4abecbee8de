"""The Hubs page: the question, the network over the day without and with prices, the inspector, the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dash import html

from components import day, day_edits, hubs_asked, hubs_edits, hubs_ids, ids
from components.hubs_diagram import diagram
from components.hubs_question import question
from components.hubs_states import nothing_yet
from components.hubs_totals import empty_totals
from components.hubs_view import TABS, View
from components.hubs_words import LETTERS, OUTCOMES, SHOWS, outcome_words
from components.skeleton import Part
from engine.pricing.question import HubQuestion

FILES = (
    ("csv", "This table as CSV"),
    ("json", "Manifest of the run (JSON)"),
    ("npz", "All arrays (.npz)"),
    ("case", "The case (JSON)"),
    ("py", "Run it again (Python)"),
)
PAGE = day.Day(
    ids=hubs_ids,
    title="Prices for energy hubs",
    tabs=TABS,
    files=FILES,
    sharing="Whoever opens it sees this question; a case of your own comes along only where you share its study.",
    diagram="Network",
    class_name="hr-feeder hr-hubs",
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
    start = {"problems": list(opened.problems), "hour": view.hour}
    return day.layout(
        PAGE,
        day.Panes(
            question=question(asked, own=opened.own),
            strip=_strip(asked, view),
            diagram=diagram(ids.HUBS),
            inspector=(html.Div(nothing_yet(), id=hubs_ids.SHEET), hubs_edits.form()),
            totals=empty_totals(),
            empty=nothing_yet(),
            tab=view.tab,
            places=places,
            kinds=kinds,
            selection=view.at.selection,
        ),
        [
            *day.stores(PAGE, opened.study, start),
            *day_edits.stores(hubs_ids, hubs_asked.held_edits(asked.edits)),
        ],
    )


def _strip(asked: HubQuestion, view: View) -> html.Div:
    """Return the strip above the diagram: before or after, with which prices, and the hour, which can be played."""
    last = asked.hours - 1
    hour = min(view.hour or 0, last)
    outcomes = {key: f"{LETTERS[prices]} {outcome_words(prices, hubs)}" for key, (prices, hubs) in OUTCOMES.items()}
    return day.strip(
        day.segments(hubs_ids.SHOW, SHOWS, view.at.show, "What is drawn"),
        day.pick(hubs_ids.OUTCOME, outcomes, view.at.outcome, "With"),
        day.hours(hubs_ids, last, hour, f"{hour:02d}:00"),
        label="What is drawn of the answer",
    )
