"""The Convergence tab: how the search for quick prices went, step by step from each start, and that for exact ones."""

from dataclasses import replace
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import html

from components import hubs_ends, hubs_live
from components.format import percent
from components.hubs_cards import card
from components.hubs_ends import told_of_ends
from components.hubs_tables import Rows, chart, tabled
from components.hubs_view import question_query
from components.hubs_why import inputs_of
from components.hubs_words import At, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.pricing.compare import MOST_LINEAR
from engine.pricing.exact import Mark
from engine.pricing.searched import Searched
from engine.pricing.smooth import Step

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "steps"
_SIGNS = {  # as the style sheet has them for the charts of a search that runs
    "start-0": ("firm", "solid"),
    "start-1": ("flexible", "dash"),
    "start-2": ("binding", "dashdot"),
    "start-3": ("muted", "longdash"),
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
    ends = hubs_ends.rows(run)
    faces = {
        (row, name): card(run, at, f"ended:{row}")
        for row, end in enumerate(ends[1])
        for name in ("objective", "bound", "gap", "steps", "time")
        if end[name] is not None
    }
    return html.Div(
        [
            tabled(
                "ends",
                "How the searches ended",
                *ends,
                faces=faces,
                note="C is for hubs of constant costs, D for those of rising ones: their objectives do not compare.",
            ),
            html.P(_exact(run), className="hr-feeder-told"),
            *_rungs(run, at),
            tabled(
                TAB,
                "Steps of the search",
                columns,
                listed,
                heads=hubs_live.heads(inputs_of(run)),
                note="A step within a region that brings less than a tenth of what it promised is not taken; one "
                "without goes to the best prices of a whole piece of hubs' answers.",
            ),
        ]
    )


def _rungs(run: "HubRun", at: At) -> list[Part]:
    """Return quick prices at smaller curvatures, and to which end they go; the best there are is told under Checks."""
    rungs = run.facts.get("ladder")
    if not rungs:
        return _no_rungs(run)
    label = "Hubs whose costs rise less and less"
    return [
        html.H3(label, className="hr-section-title"),
        html.P(_end_of(run), className="hr-feeder-told"),
        tabled(
            "rungs",
            label,
            *_rung_rows(run),
            faces={
                (row, name): card(run, at, f"rung:{row}")
                for row, rung in enumerate(rungs)
                for name in ("objective", "overload_cost", "smallest", "time_s")
                if rung[name] is not None
            },
            note="Without a rise: what the same prices come to with hubs of constant costs that take the smallest of "
            "answers as good, as hubs do in the end where costs rise less and less and prices stay.",
        ),
    ]


def _no_rungs(run: "HubRun") -> list[Part]:
    """Return why costs that rise less were not tried, and the press that asks for it."""
    if len(run.case.hubs) > MOST_LINEAR:
        told = f"Costs that rise less are tried for at most {MOST_LINEAR} hubs."
        return [html.P(told, className="hr-feeder-told")]
    if run.question.ladder:
        return []  # they are being tried
    told = "Costs that rise less were not tried: More has it, Try costs that rise less, too."
    query = question_query(replace(run.question, ladder=True))
    asked = html.A("Ask it of this case", href=f"/hubs?{query}&tab={TAB}", className="hr-button")
    return [
        html.P(told, className="hr-feeder-told"),
        None if run.question.dataset else html.Div(asked, className="hr-hubs-tries"),  # a file is of a study
    ]


def _end_of(run: "HubRun") -> str:
    """Return which of its two ends the ladder goes to: constant costs with ties decided for the network, or against."""
    last, least = run.facts["ladder"][-1], run.facts["smallest"]
    exact = run.of("exact", "linear")
    share = percent(last["share"], 1)
    if last["objective"] is None:
        return f"At {share} hubs' answers were not certified, so it is not known where the ladder ends."
    reached = f"At {share} quick prices come to {dollars(last['objective'])}"
    most = "" if least is None else f": {dollars(least)} at most, the least of the table's last column and exact prices"
    ends = (
        "As costs rise less, the best prices come to no less than those for hubs of constant costs that decide ties "
        f"for the network, and to no more than those for hubs that take the smallest of answers as good{most}."
    )
    if exact is None:
        return f"{ends} {reached}. What the first is, exact prices tell: they were not found here."
    near = least is None or abs(last["objective"] - exact.objective) <= abs(last["objective"] - least)
    below = exact.bound <= last["objective"] < exact.objective
    return (
        f"{ends} Exact prices, ties for the network, come to {dollars(exact.objective)} (none below "
        f"{dollars(exact.bound)}). {reached}: nearer to the "
        f"{'first' if near else 'second'}{', and below it, as its search ended before its proof did' if below else ''}."
    )


def _rung_rows(run: "HubRun") -> Rows:
    columns = [
        GridColumn("share", "Rise of costs", "%", "percent", digits=1),
        GridColumn("objective", "Objective", "$", "number", digits=2),
        GridColumn("overload_cost", "Overloads", "$", "number", digits=2),
        GridColumn("time_s", "Time", "s", "number", digits=1),
        GridColumn("smallest", "Without a rise", "$", "number", digits=2),
    ]
    return columns, [dict(rung) for rung in run.facts["ladder"]]


def _exact(run: "HubRun") -> str:
    """Return why there are no exact prices, or on what their bound rests."""
    told = run.facts["exact"]
    return told_of_ends(told) if "objective" in told else f"Exact prices: {told.get('message') or 'none'}."


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
