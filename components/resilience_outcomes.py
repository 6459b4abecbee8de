"""The Distribution tab: how often shocks exceed a load not served and a cost under each plan, tails drawn out."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components import resilience_ids
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card
from components.resilience_words import METHODS, SETS, At
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.resilience.compare import CHOSEN, Method

if TYPE_CHECKING:
    from engine.network.model import Vector
    from engine.resilience.run import ResilienceRun

TAB = "outcomes"
HEIGHT_PX = 430
_LEVELS = (0.5, 0.9, 0.95, 0.99, 1.0)
_SIGNS: dict[Method, tuple[str, str]] = {
    "none": ("binding", "solid"), "mean shock": ("muted", "dash"), "risk neutral": ("flexible", "dashdot"),
    "CVaR": ("candidate", "dash"), "DRO + CVaR": ("firm", "solid"), "uniform": ("fine", "dot"),
    "peak": ("bus", "longdash"),
}  # fmt: skip


def place() -> Part:
    """Return the place of the chart."""
    label = "Share of shocks that exceed a load not served, and a cost, by plan; quantiles are in the table"
    return chart(TAB, label, HEIGHT_PX, resilience_ids.figure(TAB))


def sets(run: "ResilienceRun") -> list[str]:
    """Return the sets of shocks that are drawn: those that no plan has seen, else its own."""
    return [name for name in ("fresh", "shifted") if name in run.tried] or ["train"]


def exceedance(values: "Vector", share: "Vector | None" = None) -> tuple["Vector", "Vector"]:
    """Return values (S,) from least to most and the share (S,) of shocks that are at least as large."""
    order = np.argsort(values)
    given = np.full(len(values), 1.0 / len(values)) if share is None else share
    return values[order], np.cumsum(given[order][::-1])[::-1]


def content(run: "ResilienceRun", at: At) -> Part:
    """Return the quantiles by plan."""
    told = "Each point says which share of the shocks is at least as bad; the scale of shares is logarithmic."
    return html.Div(
        [
            html.P(told, className="hr-feeder-told"),
            _table(run, at, "MWh", "worst_unserved_mwh", "Load not served, MWh, that so many shocks do not exceed"),
            _table(run, at, "$", "worst_cost", "Cost, $, that so many shocks do not exceed"),
        ]
    )


def _table(run: "ResilienceRun", at: At, unit: str, worst: str, label: str) -> Part:
    columns, listed = rows(run, at, unit)
    faces = {
        (row, "q100"): card(run, at, f"metric:{worst}:{each['method']}:{each['set']}")
        for row, each in enumerate(listed)
    }
    name = f"{TAB}-{'unserved' if unit == 'MWh' else 'cost'}"
    return tabled(name, label, columns, listed, faces=faces, page=resilience_ids.PAGE, note=f"{label}.")


def rows(run: "ResilienceRun", _at: At, only: str = "") -> Rows:
    """Return columns and rows: quantiles of load not served and of costs, or of one ``only``, by plan and shocks."""
    columns = [
        GridColumn("plan", "Plan"),
        GridColumn("shocks", "Shocks"),
        *(() if only else (GridColumn("of", "Of"), GridColumn("unit", "Unit"))),
        *(
            GridColumn(
                f"q{100 * level:g}",
                f"{100 * level:g} %" if level < 1.0 else "Worst",
                "",
                "number",
                digits=0 if only == "$" else 3,
            )
            for level in _LEVELS
        ),
    ]
    found: list[dict[str, Any]] = []
    for shocks in sets(run):
        for each in run.planned:
            told = run.outcomes(each.method, shocks)
            if told is None:
                continue
            share = run.case.scenarios.probability if shocks == "train" else None
            for of, unit, values in (("load not served", "MWh", told.unserved_mwh), ("cost", "$", told.cost)):
                if only not in {"", unit}:
                    continue
                ordered, above = exceedance(values, share)
                found.append(
                    {"method": each.method, "set": shocks, "plan": METHODS[each.method], "shocks": SETS[shocks],
                     "of": of, "unit": unit}
                    | {f"q{100 * level:g}": _quantile(ordered, above, level) for level in _LEVELS}
                )  # fmt: skip
    return columns, found


def _quantile(ordered: "Vector", above: "Vector", level: float) -> float:
    """Return the least value that at most 1 - level of the shocks exceed."""
    beyond = np.append(above[1:], 0.0)
    return float(ordered[int(np.argmax(beyond <= 1.0 - level + 1e-9))])


def figure(run: "ResilienceRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return load not served above costs, a column for each set of shocks."""
    made, names = go.Figure(), sets(run)
    layout: dict[str, Any] = {}
    for column, shocks in enumerate(names):
        wide = [0.54 * column, 0.54 * column + (0.46 if len(names) > 1 else 1.0)]
        for row, (unit, title) in enumerate((("MWh", "load not served, MWh"), ("$", "cost of an event, $"))):
            axis = 2 * column + row + 1
            name = "" if axis == 1 else str(axis)
            layout[f"xaxis{name}"] = {"domain": wide, "anchor": f"y{name}", "title": {"text": title},
                                      "rangemode": "tozero"}  # fmt: skip
            layout[f"yaxis{name}"] = {
                "domain": [0.56, 0.93] if row == 0 else [0.0, 0.37], "anchor": f"x{name}", "type": "log",
                "title": {"text": "share of shocks" if column == 0 else ""}, "exponentformat": "none",
                "tickformat": "~%", "dtick": 1,
            }  # fmt: skip
            for each in run.planned:
                told = run.outcomes(each.method, shocks)
                if told is None:
                    continue
                share = run.case.scenarios.probability if shocks == "train" else None
                x, y = exceedance(told.unserved_mwh if unit == "MWh" else told.cost, share)
                colour, dash = _SIGNS[each.method]
                made.add_scatter(
                    x=np.round(x, 4).tolist(), y=np.round(y, 6).tolist(), mode="lines", name=METHODS[each.method],
                    legendgroup=each.method, showlegend=axis == 1, xaxis=f"x{name}", yaxis=f"y{name}",
                    line={"color": token(colour, theme), "dash": dash, "shape": "vh",
                          "width": 2.6 if each.method == CHOSEN else 1.5},
                    hovertemplate=f"{METHODS[each.method]}: %{{y:.2%}} of shocks at %{{x}} {unit} or more"
                    "<extra></extra>",
                )  # fmt: skip
            if row == 0:
                made.add_annotation(
                    text=SETS[shocks].capitalize(), xref="paper", yref="paper", x=wide[0], y=0.94, xanchor="left",
                    yanchor="bottom", showarrow=False, font={"size": 12, "color": token("text", theme)},
                )  # fmt: skip
    made.update_layout(**layout, legend={"y": 1.01})
    return styled(made, theme, key=TAB)
