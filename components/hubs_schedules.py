"""The Schedules tab: what one hub does hour by hour, stacked, and what it holds; without prices and with them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.format import count, sentence
from components.hubs_cards import card
from components.hubs_parts import HELD, WORDS, parts_of
from components.hubs_tables import Rows, chart, chooser, hour_ticks, reasons, tabled
from components.hubs_words import PRICES, At, hour_of, hub_of, labels_of, programs_of, shown_of
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "schedules"
HEIGHT_PX = 380
# What comes in is drawn upwards, what is used downwards: colour and pattern of each.
IN = {
    "import": ("firm", ""),
    "sun": ("flexible", ""),
    "discharge": ("fine", "/"),
    "generated": ("muted", "x"),
    "fuel cell": ("candidate", "."),
}
OUT = {
    "demand": ("bus", ""),
    "work": ("candidate", "/"),
    "charge": ("fine", "\\"),
    "electrolyser": ("flexible", "."),
    "export": ("firm", "-"),
}
_LISTED = 14
_UNITS = ("$/MWh", "MW", "MWh")


def place() -> Part:
    """Return the place of the chart."""
    return chart(
        TAB, "What the hub does, stacked hour by hour, and what it holds; the table has the same numbers", HEIGHT_PX
    )


def content(run: "HubRun", at: At) -> Part:
    """Return the hubs to choose from and the table of the one that is drawn."""
    place_, case = hub_of(run, at), run.case
    columns, listed = rows(run, at)
    first = case.hubs[:_LISTED]
    ways: list[Part] = []
    for hub in first:
        own = hub.name == case.hubs[place_].name
        ways += [html.Strong(hub.name) if own else chooser(hub.name, f"hub:{hub.name}"), " "]
    if place_ >= _LISTED:
        ways.append(html.Strong(case.hubs[place_].name))
    rest = f" and {count(len(case.hubs) - _LISTED, 'hub')} more in the tab Hubs" if len(case.hubs) > _LISTED else ""
    return html.Div(
        [
            html.P([*ways, rest], className="hr-feeder-told hr-hubs-ways"),
            _why(run, at, case.hubs[place_].name),
            tabled(TAB, f"What {case.hubs[place_].name} does", columns, listed, heads=_heads(run, at, columns)),
        ]
    )


def _heads(run: "HubRun", at: At, columns: list[GridColumn]) -> dict[str, Part]:
    """Return the card of each column's number in the hour that is looked at; demand is given."""
    name = run.case.hubs[hub_of(run, at)].name
    of = {each.name: each.name if each.name in HELD else "draw" for each in columns if each.kind == "number"}
    of = of | {"price": "charge"}
    return {column: card(run, at, f"{what}:{name}") for column, what in of.items() if column != "demand"}


def _why(run: "HubRun", at: At, name: str) -> Part:
    """Return why the hour that is looked at has its numbers."""
    cards = {"what it pays": "charge", "what it draws and does": "draw"}
    has = programs_of(run)[hub_of(run, at)].kinds
    cards |= {words: kind for kind, (words, _, _) in HELD.items() if kind in has}
    told = {words: card(run, at, f"{kind}:{name}") for words, kind in cards.items()}
    return reasons(TAB, "", f"{name} at {labels_of(run)[hour_of(run, at)]}", told)


def rows(run: "HubRun", at: At) -> Rows:
    """Return columns and rows: one row for each hour and outcome that is drawn."""
    place_, shown, labels = hub_of(run, at), shown_of(run, at), labels_of(run)
    kinds = list(parts_of(run, shown[-1], place_))
    columns = [
        GridColumn("hour", "Hour"),
        *([GridColumn("case", "Prices")] if len(shown) > 1 else []),
        GridColumn("price", "Pays", "$/MWh", "number", digits=1),
        *(
            GridColumn(
                kind,
                sentence(HELD[kind][0] if kind in HELD else WORDS[kind]),
                "MWh" if kind in HELD else "MW",
                "number",
                digits=3,
            )
            for kind in kinds
        ),
    ]
    found: list[dict[str, Any]] = []
    pays = run.case.buying()[place_]
    for each in shown:
        parts, added = parts_of(run, each, place_), each.price[run.case.area[place_]]
        for t, label in enumerate(labels):
            found.append(
                {
                    "hour": label,
                    "case": PRICES[each.prices],
                    "price": float(pays[t] + added[t]),
                    "marks": "hr-feeder-now" if t == hour_of(run, at) else "",
                }
                | {kind: float(values[t]) for kind, values in parts.items()}
            )
    return columns, found


def figure(run: "HubRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return a column for each outcome that is drawn: what the hub pays, what it does, what it holds."""
    place_, shown = hub_of(run, at), shown_of(run, at)
    made = go.Figure()
    ranges = _ranges(run, shown, place_)
    for column, each in enumerate(shown):
        _axes(made, run, (column, len(shown)), ranges, (hour_of(run, at), theme))
        start = column / len(shown) + (0.02 if column else 0.0)
        made.add_annotation(
            text=sentence(PRICES[each.prices]), xref="paper", yref="paper", x=start, y=0.955, xanchor="left",
            yanchor="bottom", showarrow=False, font={"size": 12, "color": token("text", theme)},
        )  # fmt: skip
        _column(made, run, each, (column, place_), theme)
    made.update_layout(barmode="relative", bargap=0.1, legend={"y": 1.04})
    return styled(made, theme, key=f"{TAB}-{run.case.hubs[place_].name}-{len(shown)}")


def _ranges(run: "HubRun", shown: tuple[Outcome, ...], place_: int) -> list[tuple[float, float]]:
    """Return the ranges of $/MWh, MW and MWh that hold all outcomes; no last one where nothing is held."""
    pays, powers, held = [run.case.buying()[place_]], [np.zeros(1)], []
    for each in shown:
        parts = parts_of(run, each, place_)
        pays.append(pays[0] + each.price[run.case.area[place_]])
        for signs, way in ((IN, 1.0), (OUT, -1.0)):
            powers.append(way * np.sum([parts[kind] for kind in signs if kind in parts], axis=0))
        held += [parts[kind] for kind in HELD if kind in parts]
    found = []
    for values in (pays, powers, [np.zeros(1), *held] if held else []):
        if values:
            low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
            room = 0.06 * max(high - low, 1e-3)
            found.append((low - (room if low else 0.0), high + room))
    return found


def _axes(
    made: go.Figure,
    run: "HubRun",
    spot: tuple[int, int],
    ranges: list[tuple[float, float]],
    now: tuple[int, Theme],
) -> None:
    """Add the axes of a column, one above the other, and mark the hour that is looked at."""
    (column, columns), (hour, theme) = spot, now
    last = len(ranges) - 1
    heights = ((0.78, 0.95), (0.34 if last == 2 else 0.0, 0.7), (0.0, 0.26))
    ends = [
        column / columns + (0.02 if column else 0.0),
        (column + 1) / columns - (0.02 if column + 1 < columns else 0.0),
    ]
    layout: dict[str, Any] = {}
    for row, (low, high) in enumerate(ranges):
        axis = _axis(column, row)
        layout[f"xaxis{axis}"] = {
            **hour_ticks(labels_of(run)), "domain": ends, "anchor": f"y{axis}", "showticklabels": row == last,
        }  # fmt: skip
        layout[f"yaxis{axis}"] = {
            "domain": list(heights[row]), "anchor": f"x{axis}", "nticks": 5, "range": [low, high],
            "title": {"text": _UNITS[row] if column == 0 else ""}, "showticklabels": column == 0,
        }  # fmt: skip
        made.add_shape(
            type="rect", x0=hour - 0.5, x1=hour + 0.5, y0=0, y1=1, line_width=0, opacity=0.22, layer="below",
            fillcolor=token("candidate", theme), xref=f"x{axis}", yref=f"y{axis} domain",
        )  # fmt: skip
    made.update_layout(**layout)


def _axis(column: int, row: int) -> str:
    number = 3 * column + row + 1
    return "" if number == 1 else str(number)


def _column(made: go.Figure, run: "HubRun", each: Outcome, spot: tuple[int, int], theme: Theme) -> None:
    column, place_ = spot
    labels, parts = labels_of(run), parts_of(run, each, place_)
    hours = list(range(len(labels)))
    tariff = run.case.buying()[place_]

    def on(row: int) -> dict[str, Any]:
        axis = _axis(column, row)
        return {"x": hours, "xaxis": f"x{axis}", "yaxis": f"y{axis}", "customdata": labels, "showlegend": column == 0}

    for name, values, colour, dash in (
        ("tariff", tariff, "muted", "dot"),
        ("what it pays", tariff + each.price[run.case.area[place_]], "text", "solid"),
    ):
        made.add_scatter(
            **on(0),
            y=values.tolist(),
            mode="lines",
            name=name,
            line={"color": token(colour, theme), "dash": dash, "width": 1.8, "shape": "hvh"},
            hovertemplate=f"%{{customdata}} {name}: %{{y:.1f}} $/MWh<extra></extra>",
        )
    for signs, way in ((IN, 1.0), (OUT, -1.0)):
        for kind, (colour, pattern) in signs.items():
            if kind not in parts:
                continue
            made.add_bar(
                **on(1),
                y=(way * parts[kind]).tolist(),
                name=WORDS[kind],
                marker={
                    "color": token(colour, theme),
                    "line": {"width": 0},
                    "pattern": {
                        "fillmode": "overlay",
                        "shape": pattern,
                        "size": 5,
                        "fgcolor": token("surface", theme),
                        "fgopacity": 0.7,
                    },
                },
                hovertemplate=f"%{{customdata}} {WORDS[kind]}: %{{y:.3f}} MW<extra></extra>",
            )
    for kind, (words, colour, dash) in HELD.items():
        if kind in parts:
            made.add_scatter(
                **on(2),
                y=parts[kind].tolist(),
                mode="lines",
                name=f"{words}, MWh",
                line={"color": token(colour, theme), "dash": dash, "width": 2},
                hovertemplate=f"%{{customdata}} {words}: %{{y:.3f}} MWh<extra></extra>",
            )
