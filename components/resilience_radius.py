"""The Radius tab: what plans made at each radius of doubt are worth on shocks that were held out."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import html

from components import resilience_ids
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card
from components.resilience_ways import UNASKED, empty_figure, not_asked
from components.resilience_words import At
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.resilience.curves import best_radius

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "radius"
_NONE = "No radius was tried: parts of the cross-validation, under More, asks for it; it takes a search for each."
_ALIKE = 1e-4  # of the largest tail: less is the solver's
_TRUSTED = "Nothing is in doubt here, so there is no radius to try: the question says by what it would be."


def place() -> Part:
    """Return the place of the chart."""
    label = "Load not served in the tail of shocks held out, by radius; the table has the same numbers"
    return chart(TAB, label, 380, resilience_ids.figure(TAB))


def content(run: "ResilienceRun", at: At) -> Part:
    """Return which radius held-out shocks prefer, and the table."""
    if run.question.doubt == "none":
        return html.P(_TRUSTED, className=f"hr-muted {UNASKED}", tabIndex=0)
    if not run.radii:
        return not_asked(run, TAB, _NONE, "Ask for three parts", folds=3)
    best, own = best_radius(run.radii), run.question.radius
    tails = [each.cvar_unserved_mwh for each in run.radii]
    if max(tails) - min(tails) <= _ALIKE * max(*tails, 1e-9):
        told = "On shocks that were held out all radii are alike: these parts do not tell which is better."
    else:
        told = (
            f"Shocks that were held out prefer a radius of {best:g}"
            f"{', the one that is asked' if own == best else f'; asked is {own:g}'}. With few shocks in each part this "
            "choice is itself uncertain."
        )
    faces = {
        (row, name): card(run, at, f"radius:{row}{more}")
        for row in range(len(run.radii))
        for name, more in (("cvar_unserved_mwh", ""), ("mean_cost", ":mean_cost"), ("capital", ":capital"))
    }
    return html.Div(
        [html.P(told, className="hr-feeder-told"),
         tabled(TAB, "Radii on shocks held out", *rows(run, at), faces=faces, page=resilience_ids.PAGE,
                note="Means over the parts.")]
    )  # fmt: skip


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows, a row for each radius."""
    columns = [
        GridColumn("radius", "Radius", "", "number", digits=2),
        GridColumn("cvar_unserved_mwh", "Not served, worst 5 %", "MWh", "number", digits=4),
        GridColumn("mean_cost", "Mean cost", "$", "number", digits=0),
        GridColumn("capital", "Capital", "$ a year", "number", digits=0),
    ]
    return columns, [{column.name: getattr(each, column.name) for column in columns} for each in run.radii]


def figure(run: "ResilienceRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return the tail held out above the modules that plans have, by radius; the best one and the one asked marked."""
    if not run.radii:
        return empty_figure(run, TAB, theme, *(("folds",) if run.question.doubt != "none" else ()))
    made, best, own = go.Figure(), best_radius(run.radii), run.question.radius
    x = [each.radius for each in run.radii]
    for axis, name, words, unit, colour in (
        ("y", "cvar_unserved_mwh", "not served in the worst 5 %, held out", "MWh", "firm"),
        ("y2", "capital", "capital of the plans", "$ a year", "flexible"),
    ):
        y = [getattr(each, name) for each in run.radii]
        shown = "%{y:.4f}" if unit == "MWh" else "%{y:,.0f}"
        made.add_scatter(
            x=x, y=y, mode="lines+markers", name=words, yaxis=axis, line={"color": token(colour, theme), "width": 2},
            marker={"size": 8, "symbol": "circle" if axis == "y" else "diamond"},
            hovertemplate=f"radius %{{x}}: {shown} {unit}<extra></extra>",
        )  # fmt: skip
        if axis == "y" and max(y) - min(y) > _ALIKE * max(y):
            made.add_scatter(
                x=[best], y=[y[x.index(best)]], mode="markers", name="least",
                marker={"size": 15, "symbol": "star", "color": token("fine", theme)}, hoverinfo="skip",
            )  # fmt: skip
    if own <= max(x):
        made.add_vline(
            x=own, line={"color": token("muted", theme), "dash": "dot", "width": 1.2}, annotation_text="asked",
            annotation_position="bottom right",
            annotation_font={"size": 11, "color": token("muted", theme)},
        )  # fmt: skip
    made.update_layout(
        xaxis={"title": {"text": "radius of doubt"}, "anchor": "y2", "rangemode": "tozero"},
        yaxis={"domain": [0.5, 0.95], "title": {"text": "not served, MWh"}, "rangemode": "tozero"},
        yaxis2={"domain": [0.0, 0.4], "title": {"text": "$ a year"}, "rangemode": "tozero"},
    )  # fmt: skip
    return styled(made, theme, key=TAB)
