"""The Convergence tab: how the search for quick prices went, step by step from each start, and that for exact ones."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components import hubs_live
from components.format import count, duration, percent
from components.hubs_cards import card
from components.hubs_live import start_words
from components.hubs_tables import Rows, chart, tabled
from components.hubs_words import At, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.pricing.exact import Mark
from engine.pricing.searched import Searched
from engine.pricing.smooth import Step

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "steps"
ENDS = {
    "settled": "no step promises anything",
    "stalled": "steps bring next to nothing",
    "steps": "the most steps were taken",
    "time": "its time was over",
}
_SIGNS = {  # as the style sheet has them for the charts of a search that runs
    "start-0": ("firm", "solid"),
    "start-1": ("flexible", "dash"),
    "start-2": ("binding", "dashdot"),
    "best": ("firm", "solid"),
    "bound": ("fine", "dot"),
}
_MARKED = 60  # points of a line that are marked


def place() -> Part:
    """Return the place of the chart."""
    return chart(
        TAB,
        "The objective after each step of quick prices, and the best and the bound of exact ones; as in the table",
    )


def searched_of(run: "HubRun") -> Searched:
    """Return how the searches of a run went, as it was told while they ran."""
    ends = {end["start"]: (float(end["objective"]), list[Step]()) for end in run.facts["ends"]}
    for step in run.steps:
        ends[step["start"]][1].append(Step(**{name: value for name, value in step.items() if name != "start"}))
    marks = run.facts["exact"].get("marks", ())
    starts = {start: (now, tuple(steps)) for start, (now, steps) in ends.items()}
    return Searched(run.floor, starts, tuple(Mark(**mark) for mark in marks))


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
        f"of yes or no in {duration(told['time_s'])}.{_guessed(told)}"
    )


def _guessed(told: Mapping[str, Any]) -> str:
    """Return on what the bound of exact prices rests: ends of multipliers that no program proved."""
    if not told["guessed"]:
        return " The ends of all multipliers are proved."
    return (
        f" The bound holds as long as none of {count(told['guessed'], 'multiplier')} without a proved end needs more "
        f"than it was let be: none came near, and ends were doubled {count(told['doubled'], 'time')}."
    )


def rows(run: "HubRun", _at: At) -> Rows:
    """Return columns and rows: one for each step, and for each mark of the search for exact prices."""
    return hubs_live.rows(searched_of(run))


def figure(run: "HubRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return the objective by step, a line for each start, and the search for exact prices by time beside it.

    What no prices are below is drawn as a bound in both.
    """
    made, found = go.Figure(), searched_of(run)
    quick, exact = hubs_live.quick_lines(found), hubs_live.exact_lines(found)
    for line in quick:
        _drawn(made, replace(line, words=f"D {line.words}"), theme, "", "step %{x}")
    for line in exact:
        _drawn(made, replace(line, words=f"C {line.words}"), theme, "2", "%{x:.1f} s")
    half = 0.46 if exact else 1.0
    made.update_layout(
        xaxis={"title": {"text": "step of quick prices (D)"}, "domain": [0.0, half], "rangemode": "tozero"},
        yaxis={"title": {"text": "objective, $"}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    if exact:
        made.update_layout(
            xaxis2={
                "title": {"text": "s of exact prices (C)"},
                "domain": [0.56, 1.0],
                "anchor": "y2",
                "rangemode": "tozero",
            },
            yaxis2={"anchor": "x2"},
        )
    return styled(made, theme, key=TAB)


def _drawn(made: go.Figure, line: hubs_live.Line, theme: Theme, axes: str, hover: str) -> None:
    colour, dash = _SIGNS[line.kind]
    bound = line.kind == "bound"
    made.add_scatter(
        x=list(line.x),
        y=list(line.y),
        xaxis=f"x{axes}",
        yaxis=f"y{axes}",
        name=line.words,
        mode="lines" if bound or len(line.x) > _MARKED else "lines+markers",
        line={"color": token(colour, theme), "dash": dash, "width": 1.5 if bound else 2, "shape": "hv"},
        marker={"size": 5},
        hovertemplate=f"{hover}: %{{y:.2f}} $<extra></extra>",
    )
