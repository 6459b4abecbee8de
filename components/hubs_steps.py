"""The Convergence tab: how the search for quick prices went, step by step from each start, and how far its bound is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components.format import count, duration, percent
from components.hubs_cards import card
from components.hubs_tables import Rows, chart, tabled
from components.hubs_words import At, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "steps"
STARTS = {"together": "from the prices of all as one", "none": "from no prices", "exact": "from exact prices"}
ENDS = {
    "settled": "no step promises anything",
    "stalled": "steps bring next to nothing",
    "steps": "the most steps were taken",
    "time": "its time was over",
}
_SIGNS = (("firm", "solid"), ("flexible", "dash"), ("fine", "dot"))


def place() -> Part:
    """Return the place of the chart."""
    return chart(TAB, "The objective after each step of the search, from each start; the table has the same numbers")


def start_words(start: str) -> str:
    """Return a start in words."""
    return STARTS.get(start, f"from {start}")


def content(run: "HubRun", at: At) -> Part:
    """Return how each search ended and the table of its steps."""
    columns, listed = rows(run, at)
    ends = [html.Li(_end_words(end)) for end in run.facts["ends"]]
    return html.Div(
        [
            html.Ul(ends, className="hr-feeder-lines"),
            html.P(_exact(run), className="hr-feeder-told"),
            *_rungs(run, at),
            tabled(
                TAB,
                "Steps of the search",
                columns,
                listed,
                why=card(run, at, "outcome:quick-quadratic"),
                note="A step that brings less than a tenth of what it promised is not taken.",
            ),
        ]
    )


def _rungs(run: "HubRun", at: At) -> list[Part]:
    """Return quick prices at smaller curvatures, and against the best that a proof found of a small case."""
    told: list[Part] = []
    best = run.facts.get("best")
    if best:
        told.append(
            html.P(
                f"Of this small case the best quick prices are proved: {dollars(best['objective'])}, none below "
                f"{dollars(best['bound'])}.",
                className="hr-feeder-told",
            )
        )
    rungs = run.facts.get("ladder")
    if rungs:
        label = "Hubs whose costs rise less and less"
        told += [
            html.H3(label, className="hr-section-title"),
            tabled(
                "rungs",
                label,
                *_rung_rows(run),
                why=card(run, at, "outcome:quick-quadratic"),
                note="A share of 0 would be hubs of constant costs.",
            ),
        ]
    return told


def _rung_rows(run: "HubRun") -> Rows:
    columns = [
        GridColumn("share", "Rise of costs", "%", "percent", digits=1),
        GridColumn("objective", "Objective", "$", "number", digits=2),
        GridColumn("overload_cost", "Overloads", "$", "number", digits=2),
        GridColumn("time_s", "Time", "s", "number", digits=1),
    ]
    return columns, [dict(rung) for rung in run.facts["ladder"]]


def _end_words(end: Mapping[str, Any]) -> str:
    start = start_words(end["start"])
    return (
        f"{start[:1].upper()}{start[1:]}: {dollars(end['objective'])} after {count(end['steps'], 'step')} and "
        f"{duration(end['time_s'])}; it ended as {ENDS.get(end['end'], end['end'])}."
    )


def _exact(run: "HubRun") -> str:
    told = run.facts["exact"]
    if "objective" not in told:
        return f"Exact prices: {told.get('message') or 'none'}."
    return (
        f"Exact prices: {dollars(told['objective'])}, no less than {dollars(told['bound'])} "
        f"(gap {percent(max(told['gap'], 0.0), 1)}, {told['status']}) by {count(told['decisions'], 'decision')} "
        f"of yes or no in {duration(told['time_s'])}."
    )


def rows(run: "HubRun", _at: At) -> Rows:
    """Return columns and rows, one for each step."""
    columns = [
        GridColumn("start", "Start"),
        GridColumn("number", "Step", "", "number", digits=0),
        GridColumn("objective", "Objective", "$", "number", digits=2),
        GridColumn("promised", "Promised", "$", "number", digits=3),
        GridColumn("gained", "Gained", "$", "number", digits=3),
        GridColumn("region", "Region", "$/MWh", "number", digits=3),
    ]
    return columns, [
        {
            "start": start_words(step["start"]),
            "number": step["number"] + 1,
            "objective": step["objective"],
            "promised": step["promised"],
            "gained": step["gained"],
            "region": step["region_per_mwh"],
        }
        for step in run.steps
    ]


def figure(run: "HubRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return the objective by step, a line for each start, above the bound."""
    made = go.Figure()
    by_start: dict[str, list[Any]] = {}
    for step in run.steps:
        by_start.setdefault(step["start"], []).append(step)
    for end in run.facts["ends"]:
        by_start.setdefault(end["start"], [])
    for place_, (start, steps) in enumerate(by_start.items()):
        colour, dash = _SIGNS[place_ % len(_SIGNS)]
        first = float(steps[0]["objective"] + steps[0]["gained"]) if steps else _end(run, start)
        values = [first, *(float(step["objective"]) for step in steps)]
        made.add_scatter(
            x=list(range(len(values))),
            y=values,
            name=start_words(start),
            mode="lines+markers",
            line={"color": token(colour, theme), "dash": dash, "width": 2, "shape": "hv"},
            marker={"size": 5},
            hovertemplate="step %{x}: %{y:.2f} $<extra></extra>",
        )
    made.add_hline(
        y=run.floor,
        line={"color": token("fine", theme), "dash": "dot", "width": 1.5},
        annotation_text="bound: overloads weigh no less, whatever hubs do",
        annotation_position="bottom right",
        annotation_font={"size": 11, "color": token("muted", theme)},
    )
    made.update_layout(xaxis={"title": {"text": "step"}}, yaxis={"title": {"text": "objective, $"}})
    return styled(made, theme, key=TAB)


def _end(run: "HubRun", start: str) -> float:
    return next(float(end["objective"]) for end in run.facts["ends"] if end["start"] == start)
