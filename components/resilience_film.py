"""The tab of one shock: what the campuses draw, what modules do about it, and what is left, step by step."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components import resilience_ids
from components.format import number
from components.hubs_tables import Rows, chart, chooser, hour_ticks, tabled
from components.resilience_cards import card
from components.resilience_cards_shock import step_card
from components.resilience_diagram import series
from components.resilience_words import (
    METHODS,
    At,
    dollars,
    hour_of,
    labels_of,
    letters,
    planned_of,
    played,
    shock_of,
    shock_words,
    sign_of,
)
from components.skeleton import Part
from components.static import static
from components.tables import GridColumn
from components.theme import Theme, styled, token
from components.why_card import why_number

if TYPE_CHECKING:
    from engine.network.model import Vector
    from engine.resilience.run import ResilienceRun

TAB = "film"
HEIGHT_PX = 520
_PLAIN = ("scheduled", "load", "imported", "imbalance", "shed", "lowest")  # columns that begin with no name


def place() -> Part:
    """Return the place of the chart."""
    label = "Load, import, what modules give and hold, the lowest voltage, step by step; the table has the same numbers"
    return chart(TAB, label, HEIGHT_PX, resilience_ids.figure(TAB))


def told_of(run: "ResilienceRun", at: At) -> "dict[str, Vector]":
    """Return the series of the shock that is looked at, solved."""
    planned, shock = planned_of(run, at), shock_of(run, at)
    return series(run, *played(run, planned.method, shock), shock)


def ways(run: "ResilienceRun", at: At) -> list[Part]:
    """Return shocks to choose: the dearest, one of a typical cost, that of most load not served, and a cheap one."""
    outcomes = planned_of(run, at).outcomes
    order = np.argsort(outcomes.cost, kind="stable").tolist()
    offered = {
        "the dearest": 0,
        "one that few exceed": order[int(0.95 * (len(order) - 1))] + 1,
        "a typical one": order[len(order) // 2] + 1,
        "the cheapest": order[0] + 1,
    }
    found: list[Part] = []
    for words, number_ in offered.items():
        found += [chooser(words, f"shock:{number_}", resilience_ids.PAGE), " "]
    return found


def content(run: "ResilienceRun", at: At) -> Part:
    """Return which shock it is, others to choose, and the table of its steps."""
    planned, shock = planned_of(run, at), shock_of(run, at)
    columns, listed = rows(run, at)
    cost = float(planned.outcomes.cost[shock])
    words = shock_words(run, shock)
    told = (
        f"{words[:1].upper()}{words[1:]}, under the plan {METHODS[planned.method]}: {dollars(cost)}, "
        f"{number(float(planned.outcomes.unserved_mwh[shock]), 3)} MWh not served."
    )
    return html.Div(
        [
            html.P([told, " Choose ", *ways(run, at)], className="hr-feeder-told hr-hubs-ways"),
            reasons(run, at),
            tabled(TAB, "The shock step by step", columns, listed, why=card(run, at, "played"),
                   page=resilience_ids.PAGE),
        ]
    )  # fmt: skip


def reasons(run: "ResilienceRun", at: At) -> Part:
    """Return the card of each number of the step that is looked at: another step, and they are of that one."""
    columns, _ = rows(run, at)
    label, shown = labels_of(run)[hour_of(run, at)], list[Part]()
    for column in columns[1:]:
        target = resilience_ids.why(f"{TAB}-{column.name}")
        why = step_card(run, at, column.name)
        shown += [", " if shown else " ", why_number(target, column.label.lower() if column.name in _PLAIN else
                                                     column.label, why, label=f"{column.label}, {label}")]  # fmt: skip
    return static(html.P([f"Why, at {label}:", *shown, "."], className="hr-muted hr-feeder-told"))


def rows(run: "ResilienceRun", at: At) -> Rows:
    """Return columns and rows, a row for each step."""
    told, labels, types = told_of(run, at), labels_of(run), run.case.types
    columns = [
        GridColumn("step", "Step"),
        GridColumn("scheduled", "Load by schedule", "MW", "number", digits=3),
        GridColumn("load", "Load", "MW", "number", digits=3),
        GridColumn("imported", "Import", "MW", "number", digits=3),
        GridColumn("imbalance", "Off schedule", "MW", "number", digits=3),
        GridColumn("shed", "Not served", "MW", "number", digits=3),
        GridColumn("lowest", "Lowest voltage", "p.u.", "number", digits=4),
        *(GridColumn(f"out-{at_}", f"{kind.name} gives", "MW", "number", digits=3) for at_, kind in enumerate(types)),
        *(
            GridColumn(f"held-{at_}", f"{kind.name} holds", "MWh", "number", digits=3)
            for at_, kind in enumerate(types)
            if f"held-{at_}" in told
        ),
    ]
    now = hour_of(run, at)
    found: list[dict[str, Any]] = [
        {"step": label, "marks": "hr-feeder-now" if step == now else ""}
        | {name: float(row[step]) for name, row in told.items()}
        for step, label in enumerate(labels)
    ]
    return columns, found


def figure(run: "ResilienceRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return load and import, what modules give, what stores hold and the lowest voltage, one above the other."""
    told, labels, case = told_of(run, at), labels_of(run), run.case
    made, x = go.Figure(), list(range(len(labels)))

    def line(name: str, words: str, colour: str, dash: str, axis: str = "y") -> None:
        unit = {"y3": "MWh", "y4": "p.u."}.get(axis, "MW")
        made.add_scatter(
            x=x, y=told[name].tolist(), mode="lines", name=words, yaxis=axis, customdata=labels,
            line={"color": token(colour, theme), "dash": dash, "width": 1.8, "shape": "hv"},
            hovertemplate=f"%{{customdata}} {words}: %{{y:.3f}} {unit}<extra></extra>",
        )  # fmt: skip

    line("scheduled", "load by schedule", "muted", "dot", "y")
    line("load", "load", "text", "solid", "y")
    line("imported", "import", "firm", "dash", "y")
    for place_, (kind, letter) in enumerate(zip(case.types, letters(case.types), strict=True)):
        colour, pattern = sign_of(place_)
        made.add_bar(
            x=x, y=told[f"out-{place_}"].tolist(), name=f"{letter} {kind.name}", yaxis="y2", customdata=labels,
            marker={"color": token(colour, theme), "pattern": {"shape": pattern, "solidity": 0.25}},
            hovertemplate=f"%{{customdata}} {kind.name}: %{{y:.3f}} MW<extra></extra>",
        )  # fmt: skip
        if f"held-{place_}" in told:
            line(f"held-{place_}", f"{kind.name} holds", colour, "solid" if place_ == 0 else "dash", "y3")
    made.add_bar(
        x=x, y=told["shed"].tolist(), name="not served", yaxis="y2", customdata=labels,
        marker={"color": token("binding", theme)}, hovertemplate="%{customdata} not served: %{y:.3f} MW<extra></extra>",
    )  # fmt: skip
    line("lowest", "lowest voltage", "candidate", "solid", "y4")
    made.add_hline(
        y=case.feeder.v_min_pu, yref="y4", line={"color": token("binding", theme), "dash": "dot", "width": 1.2}
    )
    shock = shock_of(run, at)
    start, end = int(case.scenarios.start[shock]), int(case.scenarios.end[shock])
    made.add_vrect(x0=start - 0.5, x1=end - 0.5, fillcolor=token("flexible", theme), opacity=0.1, line_width=0)
    made.add_vline(x=hour_of(run, at), line={"color": token("candidate", theme), "width": 2})
    made.update_layout(
        barmode="relative", bargap=0.1,
        xaxis={**hour_ticks(labels), "anchor": "y4"},
        yaxis={"domain": [0.70, 0.93], "title": {"text": "MW"}},
        yaxis2={"domain": [0.44, 0.66], "title": {"text": "gives, MW"}},
        yaxis3={"domain": [0.22, 0.40], "title": {"text": "holds, MWh"}, "rangemode": "tozero"},
        yaxis4={"domain": [0.0, 0.18], "title": {"text": "p.u."}},
        legend={"y": 0.95},
    )  # fmt: skip
    return styled(made, theme, key=TAB)
