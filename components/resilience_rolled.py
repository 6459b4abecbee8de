"""The tab of shocks met without foresight: each step decided knowing the shock up to now alone."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import html

from components import resilience_cards_columns as columns_why
from components import resilience_ids
from components.format import count, percent
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card
from components.resilience_ways import empty_figure, not_asked
from components.resilience_words import At, dollars, mwh
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "rolled"
_NONE = "Not asked: shocks met without foresight, under More, says how many are met step by step."


def place() -> Part:
    """Return the place of the chart."""
    label = "Cost of each shock with foresight against that without; the table has the same numbers"
    return chart(TAB, label, 320, resilience_ids.figure(TAB))


def content(run: "ResilienceRun", at: At) -> Part:
    """Return how optimistic foresight is, and the table of the shocks."""
    found = run.rolled
    if found is None:
        return not_asked(run, TAB, _NONE, "Ask for twenty shocks", rolling=20)
    with_, without = float(found.foresight_cost.mean()), float(found.cost.mean())
    more = f", {percent(without / with_ - 1.0, 0)} more" if with_ > 1.0 else ""
    told = (
        f"{count(len(found.cost), 'shock')} of the chosen plan: {dollars(without)} in the mean without foresight, "
        f"{dollars(with_)} with it{more}; {mwh(float(found.unserved_mwh.mean()), 3)} not served against "
        f"{mwh(float(found.foresight_unserved_mwh.mean()), 3)}. Plans are made and told with foresight."
    )
    return html.Div(
        [html.P(told, className="hr-feeder-told"),
         tabled(TAB, "Shocks without foresight and with it", *rows(run, at), why=card(run, at, "rolled"),
                heads=columns_why.rolled(run), page=resilience_ids.PAGE)]
    )  # fmt: skip


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows, a row for each shock."""
    columns = [
        GridColumn("shock", "Shock", "", "number", digits=0),
        GridColumn("kind", "Kind"),
        GridColumn("cost", "Without foresight", "$", "number", digits=0),
        GridColumn("known", "With", "$", "number", digits=0),
        GridColumn("unserved", "Not served, without", "MWh", "number", digits=3),
        GridColumn("known_unserved", "Not served, with", "MWh", "number", digits=3),
        GridColumn("trips", "Steps in which generation trips", "", "number", digits=0),
    ]
    found = run.rolled
    if found is None:
        return columns, []
    return columns, [
        {"shock": at + 1, "kind": run.case.scenarios.kind[at], "cost": float(found.cost[at]),
         "known": float(found.foresight_cost[at]), "unserved": float(found.unserved_mwh[at]),
         "known_unserved": float(found.foresight_unserved_mwh[at]), "trips": float(found.trips[at])}
        for at in range(len(found.cost))
    ]  # fmt: skip


def figure(run: "ResilienceRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return costs without foresight against those with it; the line is where both are alike."""
    found = run.rolled
    if found is None:
        return empty_figure(run, TAB, theme, "rolling")
    made = go.Figure()
    most = float(max(found.cost.max(), found.foresight_cost.max(), 1.0))
    made.add_scatter(x=[0.0, most], y=[0.0, most], mode="lines", name="alike", hoverinfo="skip",
                     line={"color": token("muted", theme), "dash": "dot", "width": 1.2})  # fmt: skip
    made.add_scatter(
        x=found.foresight_cost.tolist(), y=found.cost.tolist(), mode="markers", name="a shock",
        marker={"size": 8, "color": token("firm", theme)}, customdata=list(range(1, len(found.cost) + 1)),
        hovertemplate="shock %{customdata}: %{y:,.0f} $ without, %{x:,.0f} $ with<extra></extra>",
    )  # fmt: skip
    made.update_layout(xaxis={"title": {"text": "with foresight, $"}}, yaxis={"title": {"text": "without, $"}})
    return styled(made, theme, key=TAB)
