"""The Curve tab: the best plan at each budget, capital against the tail of an event's cost."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components import resilience_ids
from components.format import number
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card
from components.resilience_ways import empty_figure, not_asked
from components.resilience_words import At, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token

if TYPE_CHECKING:
    from engine.resilience.curves import BudgetPoint
    from engine.resilience.run import ResilienceRun

TAB = "curve"
_NONE = "No curve was asked: budgets of the curve, under More, says how many points it has."


def place() -> Part:
    """Return the place of the chart."""
    label = "Capital a year against the cost of an event's tail, a point for each budget; as in the table"
    return chart(TAB, label, 320, resilience_ids.figure(TAB))


def placed(run: "ResilienceRun", point: "BudgetPoint", between: str = ", ") -> str:
    """Return what stands where at a budget: ``2 BESS at 14, 1 DR at 25``."""
    case = run.case
    table = point.plan.reshape(len(case.types), len(case.sites))
    found = [
        f"{int(n)} {kind.name} at {site}"
        for kind, row in zip(case.types, table, strict=True)
        for site, n in zip(case.sites, row, strict=True)
        if n
    ]
    return between.join(found) or "nothing"


def content(run: "ResilienceRun", at: At) -> Part:
    """Return what the curve says and its table."""
    if not run.curve:
        return not_asked(run, TAB, _NONE, "Ask for six budgets", curve=6)
    columns, listed = rows(run, at)
    first, last = run.curve[0], run.curve[-1]
    told = (
        f"From {dollars(first.capital)} to {dollars(last.capital)} a year of modules the tail of an event falls from "
        f"{dollars(first.cvar)} to {dollars(last.cvar)}, its mean from {dollars(first.mean)} to {dollars(last.mean)}."
    )
    faces = {(row, "cvar"): card(run, at, f"curve:{row}") for row in range(len(listed))} | {
        (row, name): card(run, at, f"curve:{row}:{name}")
        for row in range(len(listed))
        for name in ("capital", "mean", "objective", "gap")
    }
    return html.Div(
        [html.P(told, className="hr-feeder-told"),
         tabled(TAB, "The best plan at each budget", columns, listed, faces=faces, page=resilience_ids.PAGE)]
    )  # fmt: skip


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows, a row for each budget."""
    columns = [
        GridColumn("budget", "Budget", "$ a year", "number", digits=0),
        GridColumn("capital", "Capital", "$ a year", "number", digits=0),
        GridColumn("mean", "Mean cost", "$", "number", digits=0),
        GridColumn("cvar", "Cost, worst 5 %", "$", "number", digits=0),
        GridColumn("objective", "Objective", "$ a year", "number", digits=0),
        GridColumn("gap", "Gap", "%", "percent", digits=2),
        GridColumn("plan", "Stands"),
    ]
    found: list[dict[str, Any]] = [
        {"budget": each.budget, "capital": each.capital, "mean": each.mean, "cvar": each.cvar,
         "objective": each.objective, "gap": each.gap, "plan": placed(run, each)}
        for each in run.curve
    ]  # fmt: skip
    return columns, found


def figure(run: "ResilienceRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return the curve, of tail and mean; a hover says what stands where."""
    if not run.curve:
        return empty_figure(run, TAB, theme, "curve")
    made = go.Figure()
    for name, words, colour, dash, symbol in (
        ("cvar", "worst 5 % of events", "firm", "solid", "circle"),
        ("mean", "mean of events", "flexible", "dash", "diamond"),
    ):
        made.add_scatter(
            x=[each.capital for each in run.curve], y=[getattr(each, name) for each in run.curve],
            mode="lines+markers", name=words, line={"color": token(colour, theme), "dash": dash, "width": 2},
            marker={"size": 9, "symbol": symbol},
            customdata=[[number(each.budget), placed(run, each, "<br>")] for each in run.curve],
            hovertemplate=f"{words}: %{{y:,.0f}} $<br>budget %{{customdata[0]}} $, capital %{{x:,.0f}} $ a year<br>"
            "%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    made.update_layout(
        xaxis={"title": {"text": "capital, $ a year"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "cost of an event, $"}, "rangemode": "tozero"},
    )
    return styled(made, theme, key=TAB)
