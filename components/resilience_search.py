"""The Search tab: how the best plan and the bound came together, round by round."""

import math
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import html

from components import resilience_cards_columns as columns_why
from components import resilience_ids, resilience_live
from components.format import count, number, percent
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card, inputs_of
from components.resilience_words import At
from components.skeleton import Part
from components.theme import Theme, styled, token

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "search"


def place() -> Part:
    """Return the place of the chart."""
    label = "The cost of the best plan and the bound as time goes; the table has the same numbers"
    return chart(TAB, label, 300, resilience_ids.figure(TAB))


def content(run: "ResilienceRun", at: At) -> Part:
    """Return how the search ended and the table of its rounds."""
    told = run.facts["search"]
    words = (
        f"{count(len(run.marks), 'round')} by {told['route']} in {number(told['time_s'], 1)} s "
        f"({number(told['processor_s'], 1)} s of processors), with {count(int(told['cuts']), 'cut')}; it ended "
        f"{told['status']} with a gap of {percent(told['gap'], 3)}. Plans in parts come first: their cuts hold for "
        "whole ones."
    )
    return html.Div(
        [html.P(words, className="hr-feeder-told"),
         tabled(TAB, "Rounds of the search", *rows(run, at), why=card(run, at, "gap"),
                heads=columns_why.search(run.marks, inputs_of(run)), page=resilience_ids.PAGE)]
    )  # fmt: skip


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows, a row for each round."""
    return resilience_live.rows(run.marks)


def figure(run: "ResilienceRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return objective and bound by time."""
    made = go.Figure()
    for name, words, colour, dash in (("objective", "best plan", "firm", "solid"), ("bound", "bound", "fine", "dot")):
        known = [mark for mark in run.marks if math.isfinite(getattr(mark, name))]
        made.add_scatter(
            x=[mark.time_s for mark in known], y=[getattr(mark, name) for mark in known], mode="lines+markers",
            name=words, line={"color": token(colour, theme), "dash": dash, "width": 2, "shape": "hv"},
            customdata=[[mark.round, mark.phase] for mark in known],
            hovertemplate=f"{words}: %{{y:,.0f}} $ a year<br>round %{{customdata[0]}}, %{{customdata[1]}}"
            "<extra></extra>",
        )  # fmt: skip
    made.update_layout(xaxis={"title": {"text": "s"}}, yaxis={"title": {"text": "$ a year"}})
    return styled(made, theme, key=TAB)
