"""What a tab of the Resilience page shows in the place of a part that was not asked: how to ask for it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components.resilience_view import question_query
from components.skeleton import Part
from components.theme import Theme, styled, token
from engine.resilience.question import FEEDERS

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

UNASKED = "hr-resilience-unasked"  # words that take the place of a chart as well


def empty_figure(run: "ResilienceRun", tab: str, theme: Theme, *asked: str) -> go.Figure:
    """Return the chart of a part that is not there yet: no axes, and why, by whether ``asked`` of the question is."""
    words = "It is being worked out" if asked and all(getattr(run.question, name) for name in asked) else "Not asked"
    made = go.Figure()
    made.add_annotation(
        text=words, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5,
        font={"size": 13, "color": token("muted", theme)},
    )  # fmt: skip
    made.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    return styled(made, theme, key=tab)


def not_asked(run: "ResilienceRun", tab: str, told: str, press: str, **changes: Any) -> Part:
    """Return ``told`` and a link to the question with ``changes``; of a part that was asked, that it is on its way.

    A question that names files is of a study: there the words alone say how. They take the focus, as the place of the
    chart beside them scrolls.
    """
    asked = run.question
    if all(getattr(asked, name) for name in changes):
        return html.P("It is being worked out.", className="hr-muted", tabIndex=0)
    words = html.P(told, className=f"hr-muted {UNASKED}", tabIndex=0)
    if asked.shocks_file or asked.traces_file or asked.feeder not in FEEDERS:
        return words
    href = f"/resilience?{question_query(replace(asked, **changes))}&tab={tab}"
    return html.Div([words, html.Div(html.A(press, href=href, className="hr-button"), className="hr-hubs-tries")])
