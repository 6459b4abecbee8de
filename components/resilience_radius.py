"""The Radius tab: what plans made at each radius of doubt are worth on shocks that were held out."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import html

from components import resilience_ids
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card
from components.resilience_ways import not_asked
from components.resilience_words import At
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.resilience.curves import best_radius

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "radius"
_NONE = "No radius was tried: parts of the cross-validation, under More, asks for it; it takes a search for each."


def place() -> Part:
    """Return the place of the chart."""
    label = "Load not served in the tail of shocks held out, by radius; the table has the same numbers"
    return chart(TAB, label, 300, resilience_ids.figure(TAB))


def content(run: "ResilienceRun", at: At) -> Part:
    """Return which radius held-out shocks prefer, and the table."""
    if not run.radii:
        return not_asked(run, TAB, _NONE, "Ask for three parts", folds=3)
    best = best_radius(run.radii)
    own = run.question.radius
    told = (
        f"Shocks that were held out prefer a radius of {best:g}"
        f"{', the one that is asked' if own == best else f'; asked is {own:g}'}. With few shocks in each part this "
        "choice is itself uncertain."
    )
    faces = {(row, "cvar_unserved_mwh"): card(run, at, f"radius:{row}") for row in range(len(run.radii))}
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
    """Return the tail held out by radius, the best one marked."""
    made = go.Figure()
    x, y = [each.radius for each in run.radii], [each.cvar_unserved_mwh for each in run.radii]
    made.add_scatter(
        x=x, y=y, mode="lines+markers", name="held out", line={"color": token("firm", theme), "width": 2},
        hovertemplate="radius %{x}: %{y:.4f} MWh<extra></extra>",
    )  # fmt: skip
    if run.radii:
        best = best_radius(run.radii)
        made.add_scatter(
            x=[best], y=[y[x.index(best)]], mode="markers", name="least",
            marker={"size": 15, "symbol": "star", "color": token("flexible", theme)}, hoverinfo="skip",
        )  # fmt: skip
    else:
        made.add_annotation(text="No radius was tried", showarrow=False, font={"color": token("muted", theme)})
    made.update_layout(
        xaxis={"title": {"text": "radius of doubt"}},
        yaxis={"title": {"text": "not served in the worst 5 %, MWh"}, "rangemode": "tozero"},
    )
    return styled(made, theme, key=TAB)
