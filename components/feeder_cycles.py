"""The cycle that a best response goes round in: its rounds by hour and data centre, as a table and as a chart."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components.feeder_tables import tabled
from components.feeder_words import money
from components.format import count, number, sentence
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import CIVIDIS, Theme, token

if TYPE_CHECKING:
    from engine.distribution.methods_run import Course, MethodsRun

_MOVED_KW = 0.05  # a draw that changes by less is written the same
_LABEL = "The cycle of the best response"


def cycling(methods: "MethodsRun") -> "Course | None":
    """Return the best response that never settles, None where there is none."""
    return next((course for course in methods.courses if course.cycle_kw), None)


def content(methods: "MethodsRun", why: Part) -> list[Part]:
    """Return the table of the cycle with its words and the card ``why``; nothing where every best response settles."""
    course = cycling(methods)
    if course is None:
        return []
    columns, listed = rows(methods)
    paid = course.payment[-len(course.cycle_kw) :]
    told = "; ".join(f"round {at + 1} pays {money(each)}" for at, each in enumerate(paid))
    note = f"{sentence(told)}. Marked: what changes from the round before, the first from the last."
    faces = {f"draw{at}": f"face{at}" for at in range(len(methods.centres))}
    return [html.H3(_LABEL), tabled("cycle", _LABEL, columns, listed, why=why, note=note, faces=faces)]


def rows(methods: "MethodsRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each hour and round of the cycle, with what each data centre draws."""
    columns = [
        GridColumn("hour", "Hour", width=90),
        GridColumn("round", "Round", "", "number", digits=0),
        *(GridColumn(f"draw{at}", name, "kW", "number", digits=1) for at, name in enumerate(methods.centres)),
        GridColumn("moved", "Changed by", "kW", "number", digits=1, help="Of all data centres, either way"),
    ]
    course = cycling(methods)
    if course is None:
        return columns, []
    found = []
    for hour, label in enumerate(methods.labels):
        for at, drawn in enumerate(course.cycle_kw):
            now, before = drawn[hour], course.cycle_kw[at - 1][hour]
            row: dict[str, Any] = {"hour": label, "round": at + 1}
            row["moved"] = sum(abs(one - other) for one, other in zip(now, before, strict=True))
            for centre, (one, other) in enumerate(zip(now, before, strict=True)):
                row[f"draw{centre}"] = one
                if abs(one - other) > _MOVED_KW:
                    row[f"face{centre}"] = html.Mark(number(one, 1), className="hr-feeder-moved")
            found.append(row)
    return columns, found


def draw(made: go.Figure, methods: "MethodsRun", theme: Theme) -> None:
    """Add the cycle to a figure on its axes x3 and y3: darker is less, a frame says that it changes."""
    course = cycling(methods)
    if course is None:
        return
    names = [
        f"round {at + 1}, {centre}" for centre in methods.centres for at in range(len(course.cycle_kw))
    ]  # fmt: skip
    of = [(centre, at) for centre in range(len(methods.centres)) for at in range(len(course.cycle_kw))]
    z = [[hour[centre] for hour in course.cycle_kw[at]] for centre, at in of]
    step = 1.0 / (len(CIVIDIS) - 1)
    made.add_heatmap(
        x=list(methods.labels), y=names, z=z, xaxis="x3", yaxis="y3", showlegend=False,
        colorscale=[[place * step, colour] for place, colour in enumerate(CIVIDIS)],
        colorbar={"title": {"text": "kW"}, "len": 0.3, "y": 0.0, "yanchor": "bottom", "thickness": 10},
        hovertemplate="%{x}, %{y}: %{z:.1f} kW<extra></extra>", name="draws",
    )  # fmt: skip
    moved = [
        (label, name)
        for (centre, at), name in zip(of, names, strict=True)
        for hour, label in enumerate(methods.labels)
        if abs(course.cycle_kw[at][hour][centre] - course.cycle_kw[at - 1][hour][centre]) > _MOVED_KW
    ]
    made.add_scatter(
        x=[label for label, _ in moved], y=[name for _, name in moved], xaxis="x3", yaxis="y3", mode="markers",
        name=f"changes from round to round ({count(len(moved), 'draw')})", legend="legend3", hoverinfo="skip",
        marker={"symbol": "square-open", "size": 9, "color": token("binding", theme), "line": {"width": 2}},
    )  # fmt: skip
