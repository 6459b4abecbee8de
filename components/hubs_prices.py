"""The Prices tab: what the operator adds to the tariff, hub by hour as a heat map and as lines."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.format import count, number
from components.hubs_cards import card
from components.hubs_tables import Rows, chart, hour_ticks, reasons, tabled
from components.hubs_words import At, after_of, hour_of, hub_of, labels_of, per_mwh, said, selected
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import DIFFERENCE, Theme, styled, token

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "prices"
HEIGHT_PX = 310
_LINES = 6  # areas that have a line each; of more, the range and the mean
_COLOURS = (
    ("firm", "solid"),
    ("flexible", "dot"),
    ("fine", "dash"),
    ("binding", "dashdot"),
    ("candidate", "longdash"),
    ("muted", "longdashdot"),
)
_DARK = ("#a98be0", "#8670b8", "#5b4f7d", "#39434b", "#7d5a2c", "#c07d33", "#f2a04e")  # differences on a dark ground


def place() -> Part:
    """Return the place of the chart."""
    return chart(
        TAB, "Heat map of prices by hub and hour, and lines; the table beside it has the same numbers", HEIGHT_PX
    )


def names_of(run: "HubRun") -> list[str]:
    """Return a name for each area of one price: its hub, or its bus with how many hubs."""
    areas: dict[int, list[int]] = {}
    for place_, area in enumerate(run.case.area.tolist()):
        areas.setdefault(area, []).append(place_)
    hubs = run.case.hubs
    found = []
    for area in range(run.case.area_count):
        own = [hubs[k] for k in areas[area]]
        if len(own) == 1:
            found.append(own[0].name)
        else:
            buses = {hub.bus for hub in own}
            found.append(
                f"bus {own[0].bus}, {len(own)} hubs" if len(buses) == 1 else f"area {area + 1}, {len(own)} hubs"
            )
    return found


def content(run: "HubRun", at: At) -> Part:
    """Return the words of the prices and the table of all of them."""
    outcome, name = after_of(run, at), run.case.hubs[hub_of(run, at)].name
    columns, listed = rows(run, at)
    note = "On top of the tariff, on imports."
    if run.case.prices.exports:
        note = "On top of the tariff on imports, and of what exports are paid."
    if outcome.prices == "central":
        told = "All as one has no prices: hubs and network are run as one."
    else:
        least, most = float(outcome.price.min()), float(outcome.price.max())
        told = (
            f"{said(outcome)[:1].upper()}{said(outcome)[1:]}: {per_mwh(least)} to {per_mwh(most)} on top of the "
            f"tariff, for {count(run.case.area_count, 'area')}; allowed are "
            f"{number(run.case.prices.least)} to {number(run.case.prices.most)} $/MWh."
        )
    return html.Div(
        [
            reasons(
                TAB,
                told,
                f"{name} at {labels_of(run)[hour_of(run, at)]}",
                {
                    "price": card(run, at, f"charge:{name}"),
                    "mean": card(run, at, f"mean:{name}"),
                    "largest of all": card(run, at, "price"),
                },
            ),
            tabled(TAB, "Prices by hub and hour", columns, listed, note=note, heads=_heads(run, at)),
        ]
    )


def _heads(run: "HubRun", at: At) -> dict[str, Part]:
    """Return the card of each column: of many areas what the chosen hub pays each hour, else what each hub pays now."""
    own = run.case.hubs[hub_of(run, at)].name
    if run.case.area_count > 2 * _LINES:
        hours = range(run.case.periods)
        return {"mean": card(run, at, f"mean:{own}")} | {
            f"t{t}": card(run, replace(at, hour=t), f"charge:{own}") for t in hours
        }
    first: dict[int, str] = {}
    for hub, area in zip(run.case.hubs, run.case.area.tolist(), strict=True):
        first.setdefault(area, hub.name)
    return {f"p{k}": card(run, at, f"charge:{name}") for k, name in first.items()}


def rows(run: "HubRun", at: At) -> Rows:
    """Return columns and rows: one for each hour with the tariff and every price; of many areas, one for each area."""
    price, labels, names = after_of(run, at).price, labels_of(run), names_of(run)
    if len(names) <= 2 * _LINES:
        columns = [
            GridColumn("hour", "Hour"),
            GridColumn("tariff", "Tariff", "$/MWh", "number", digits=1),
            *(GridColumn(f"p{k}", name, "$/MWh", "number", digits=1) for k, name in enumerate(names)),
        ]
        found: list[dict[str, Any]] = [
            {
                "hour": label,
                "tariff": float(run.case.buy_per_mwh[t]),
                "marks": "hr-feeder-now" if t == hour_of(run, at) else "",
            }
            | {f"p{k}": float(price[k, t]) for k in range(len(names))}
            for t, label in enumerate(labels)
        ]
        return columns, found
    columns = [
        GridColumn("area", "Area"),
        GridColumn("mean", "Mean", "$/MWh", "number", digits=1),
        *(GridColumn(f"t{t}", label, "", "number", digits=1) for t, label in enumerate(labels)),
    ]
    return columns, [
        {"area": name, "mean": float(price[k].mean())} | {f"t{t}": float(price[k, t]) for t in range(len(labels))}
        for k, name in enumerate(names)
    ]


def figure(run: "HubRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return the heat map, hub by hour with zero in the middle of its colours, and lines below it."""
    price, labels, names = after_of(run, at).price, labels_of(run), names_of(run)
    hours, hour = list(range(len(labels))), hour_of(run, at)
    far = max(float(np.abs(price).max()), 1e-3)
    colours = DIFFERENCE if theme == "light" else _DARK
    made = go.Figure()
    small = len(names) <= _LINES
    made.add_heatmap(
        x=hours,
        y=names,
        z=np.round(price, 3).tolist(),
        xaxis="x",
        yaxis="y",
        zmin=-far,
        zmax=far,
        colorscale=[[k / (len(colours) - 1), colour] for k, colour in enumerate(colours)],
        xgap=1,
        ygap=1 if small else 0,
        customdata=[labels] * len(names),
        hovertemplate="%{y}, %{customdata}: %{z:.1f} $/MWh<extra></extra>",
        colorbar={"title": {"text": "$/MWh", "side": "top"}, "thickness": 10, "len": 0.55, "y": 0.72, "x": 1.01},
    )
    _lines(made, run, at, theme)
    for axis in ("x", "x2"):
        made.add_shape(
            type="rect",
            x0=hour - 0.5,
            x1=hour + 0.5,
            y0=0,
            y1=1,
            xref=axis,
            yref="y domain" if axis == "x" else "y2 domain",
            line={"width": 1.5, "color": token("text", theme)},
            fillcolor="rgba(0,0,0,0)",
        )
    ticks = hour_ticks(labels)
    made.update_layout(
        xaxis={**ticks, "anchor": "y", "domain": [0.0, 1.0], "showticklabels": False, "ticks": "", "showgrid": False},
        yaxis={
            "domain": [0.46, 0.94],
            "autorange": "reversed",
            "type": "category",
            "ticks": "",
            "showgrid": False,
            "showticklabels": len(names) <= 30,
        },
        xaxis2={**ticks, "anchor": "y2", "domain": [0.0, 1.0]},
        yaxis2={"domain": [0.0, 0.38], "title": {"text": "$/MWh"}, "anchor": "x2"},
    )
    return styled(made, theme, key=TAB)


def _lines(made: go.Figure, run: "HubRun", at: At, theme: Theme) -> None:
    price, labels, names = after_of(run, at).price, labels_of(run), names_of(run)
    hours = list(range(len(labels)))
    common: dict[str, Any] = {"x": hours, "xaxis": "x2", "yaxis": "y2", "mode": "lines", "customdata": labels}
    if len(names) <= _LINES:
        chosen = [(k, *_COLOURS[k]) for k in range(len(names))]
    else:
        made.add_scatter(
            **common,
            y=price.min(axis=0).tolist(),
            name="least",
            showlegend=False,
            line={"width": 0, "shape": "hvh"},
            hoverinfo="skip",
        )
        made.add_scatter(
            **common,
            y=price.max(axis=0).tolist(),
            name="least to most",
            fill="tonexty",
            line={"width": 0, "shape": "hvh", "color": token("candidate", theme)},
            hovertemplate="%{customdata} most: %{y:.1f} $/MWh<extra></extra>",
        )
        made.add_scatter(
            **common,
            y=price.mean(axis=0).tolist(),
            name="mean",
            line={"width": 2, "shape": "hvh", "color": token("text", theme)},
            hovertemplate="%{customdata} mean: %{y:.1f} $/MWh<extra></extra>",
        )
        found = selected(run, at)
        own = int(run.case.area[hub_of(run, at)])
        chosen = [(own, "binding", "dot")] if found is not None and found[0] == "hub" else []
    for k, colour, dash in chosen:
        made.add_scatter(
            **common,
            y=price[k].tolist(),
            name=names[k],
            line={"width": 2.2, "shape": "hvh", "color": token(colour, theme), "dash": dash},
            hovertemplate=f"%{{customdata}} {names[k]}: %{{y:.1f}} $/MWh<extra></extra>",
        )
