"""The Distribution tab: how often shocks exceed a load not served and a cost under each plan, tails drawn out."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components import resilience_cards_columns as columns_why
from components import resilience_ids
from components.hubs_tables import Rows, chart, tabled
from components.resilience_cards import card, metrics_of
from components.resilience_words import METHODS, NARROW, SETS, At
from components.skeleton import Part
from components.static import static
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.resilience.compare import CHOSEN, Method
from engine.resilience.evaluation import BETA

if TYPE_CHECKING:
    from engine.network.model import Vector
    from engine.resilience.run import ResilienceRun

TAB = "outcomes"
HEIGHT_PX = 560
_TAIL = f"{100.0 * (1.0 - BETA):.0f}{NARROW}%"
_LEVELS = (0.5, 0.9, 0.95, 0.99, 1.0)
_SIGNS: dict[Method, tuple[str, str]] = {
    "none": ("binding", "solid"), "mean shock": ("muted", "dash"), "risk neutral": ("flexible", "dashdot"),
    "CVaR": ("candidate", "dash"), "DRO + CVaR": ("firm", "solid"), "uniform": ("fine", "dot"),
    "peak": ("bus", "longdash"),
}  # fmt: skip
_TOLD = {
    "train": "The shocks that the plans were made for, with their probabilities.",
    "fresh": "Shocks of the same model that no plan has seen.",
    "shifted": "Shocks that no plan has seen, larger, of a heavier tail and otherwise correlated.",
}


def place() -> Part:
    """Return the place of the chart."""
    label = "Share of shocks that exceed a load not served, and a cost, by plan; quantiles are in the table"
    return chart(TAB, label, HEIGHT_PX, resilience_ids.figure(TAB))


def sets(run: "ResilienceRun") -> list[str]:
    """Return the sets of shocks that plans were tried on, those that no plan has seen before its own."""
    return [*(name for name in ("fresh", "shifted") if name in run.tried), "train"]


def set_of(run: "ResilienceRun", at: At) -> str:
    """Return the set of shocks that is looked at."""
    known = sets(run)
    return at.on if at.on in known else known[0]


def exceedance(values: "Vector", share: "Vector | None" = None) -> tuple["Vector", "Vector"]:
    """Return values (S,) from least to most and the share (S,) of shocks that are at least as large."""
    order = np.argsort(values)
    given = np.full(len(values), 1.0 / len(values)) if share is None else share
    return values[order], np.cumsum(given[order][::-1])[::-1]


def content(run: "ResilienceRun", at: At) -> Part:
    """Return the choice of shocks and the quantiles by plan."""
    now = set_of(run, at)
    told = f"{_TOLD[now]} A curve says which share of them is at least as bad, on a logarithmic scale; below the line "
    return html.Div(
        [
            _switch(run, now),
            html.P(f"{told}are the worst {_TAIL}.", className="hr-feeder-told"),
            _table(run, at, "MWh", "Load not served, MWh, that so many shocks do not exceed"),
            _table(run, at, "$", "Cost, $, that so many shocks do not exceed"),
        ]
    )


def _switch(run: "ResilienceRun", now: str) -> Part:
    """Return the sets of shocks to choose from."""
    size = {"train": len(run.case.scenarios)}
    buttons = [
        html.Button(
            f"{SETS[name][:1].upper()}{SETS[name][1:]}, {size.get(name, run.question.fresh)}",
            type="button",
            className="hr-feeder-choice",
            **{"data-resilience-select": f"on:{name}", "aria-pressed": "true" if name == now else "false"},
        )
        for name in sets(run)
    ]
    return static(
        html.Div(buttons, className="hr-resilience-sets", role="group", **{"aria-label": "Shocks of the distribution"})
    )


def _table(run: "ResilienceRun", at: At, unit: str, label: str) -> Part:
    columns, listed = rows(run, at, unit)
    of, now = ("unserved_mwh" if unit == "MWh" else "cost"), set_of(run, at)
    faces = {
        (row, column): card(run, at, f"metric:{metric}_{of}:{each['method']}:{now}")
        for row, each in enumerate(listed)
        for column, metric in (("q100", "worst"), ("tail", "cvar"))
    }
    heads = {f"q{100 * level:g}": columns_why.quantile(run, now, unit, level, listed) for level in _LEVELS[:-1]}
    return tabled(
        f"{TAB}-{'unserved' if unit == 'MWh' else 'cost'}", label, columns, listed, faces=faces, heads=heads,
        page=resilience_ids.PAGE, note=f"{label}.",
    )  # fmt: skip


def rows(run: "ResilienceRun", at: At, only: str = "") -> Rows:
    """Return columns and rows: quantiles and tails of load not served and of costs by plan.

    With ``only`` a unit they are of that one alone and of the shocks that are looked at, else of all sets of shocks.
    """
    digits = 0 if only == "$" else 3
    columns = [
        GridColumn("plan", "Plan"),
        *(() if only else (GridColumn("shocks", "Shocks"), GridColumn("of", "Of"), GridColumn("unit", "Unit"))),
        *(
            GridColumn(f"q{100 * level:g}", "Worst" if level == 1.0 else f"{100 * level:g}{NARROW}%", "", "number",
                       digits=digits)
            for level in _LEVELS
        ),
        GridColumn("tail", f"Mean of worst {_TAIL}", "", "number", digits=digits),
    ]  # fmt: skip
    found: list[dict[str, Any]] = []
    for shocks in (set_of(run, at),) if only else sets(run):
        for each in run.planned:
            told, known = run.outcomes(each.method, shocks), metrics_of(run, each.method, shocks)
            if told is None or known is None:
                continue
            share = run.case.scenarios.probability if shocks == "train" else None
            for of, unit, values, tail in (
                ("load not served", "MWh", told.unserved_mwh, known.cvar_unserved_mwh),
                ("cost", "$", told.cost, known.cvar_cost),
            ):
                if only not in {"", unit}:
                    continue
                ordered, above = exceedance(values, share)
                found.append(
                    {"method": each.method, "set": shocks, "plan": METHODS[each.method], "shocks": SETS[shocks],
                     "of": of, "unit": unit, "tail": tail}
                    | {f"q{100 * level:g}": _quantile(ordered, above, level) for level in _LEVELS}
                )  # fmt: skip
    return columns, found


def _quantile(ordered: "Vector", above: "Vector", level: float) -> float:
    """Return the least value that at most 1 - level of the shocks exceed."""
    beyond = np.append(above[1:], 0.0)
    return float(ordered[int(np.argmax(beyond <= 1.0 - level + 1e-9))])


def figure(run: "ResilienceRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return load not served above costs, of the shocks that are looked at; a line where the worst 5 % begin."""
    made, shocks = go.Figure(), set_of(run, at)
    layout: dict[str, Any] = {}
    share = run.case.scenarios.probability if shocks == "train" else None
    for row, (unit, title) in enumerate((("MWh", "load not served, MWh"), ("$", "cost of an event, $"))):
        name = "" if row == 0 else "2"
        layout[f"xaxis{name}"] = {"anchor": f"y{name}", "title": {"text": title}, "rangemode": "tozero"}
        layout[f"yaxis{name}"] = {
            "domain": [0.56, 0.97] if row == 0 else [0.0, 0.41], "anchor": f"x{name}", "type": "log",
            "title": {"text": "share of shocks"}, "exponentformat": "none", "tickformat": "~%", "dtick": 1,
        }  # fmt: skip
        for each in run.planned:
            told = run.outcomes(each.method, shocks)
            if told is None:
                continue
            x, y = exceedance(told.unserved_mwh if unit == "MWh" else told.cost, share)
            colour, dash = _SIGNS[each.method]
            made.add_scatter(
                x=np.round(x, 4).tolist(), y=np.round(y, 6).tolist(), mode="lines", name=METHODS[each.method],
                legendgroup=each.method, showlegend=row == 0, xaxis=f"x{name}", yaxis=f"y{name}",
                line={"color": token(colour, theme), "dash": dash, "shape": "vh",
                      "width": 2.6 if each.method == CHOSEN else 1.5},
                hovertemplate=f"{METHODS[each.method]}: %{{y:.2%}} of shocks at %{{x}} {unit} or more<extra></extra>",
            )  # fmt: skip
        made.add_shape(
            type="line", xref=f"x{name} domain", yref=f"y{name}", x0=0, x1=1, y0=1 - BETA, y1=1 - BETA,
            line={"color": token("muted", theme), "dash": "dot", "width": 1.2},
        )  # fmt: skip
        made.add_annotation(
            text=f"worst {_TAIL}", xref=f"x{name} domain", yref=f"y{name}", x=1, y=float(np.log10(1 - BETA)),
            xanchor="right", yanchor="bottom", showarrow=False, font={"size": 11, "color": token("muted", theme)},
        )  # fmt: skip
    made.update_layout(**layout, legend={"y": 1.01})
    return styled(made, theme, key=TAB)
