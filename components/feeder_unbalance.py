"""The Unbalance tab: negative over positive sequence at the buses with three phases, and its linear stand-in."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.feeder_cards import card
from components.feeder_charts import STEPS, axis_name, framed, hours_of, hover
from components.feeder_layers import At, bus_of, case_key, case_said, case_words, cases_of, hour_of, shape
from components.feeder_tables import chart, tabled
from components.format import count, percent
from components.skeleton import Part, state
from components.tables import GridColumn
from components.theme import Theme, token

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "unbalance"
_MOST, _MEAN = "largest of all buses", "mean of all buses"
USUAL = 2.0  # %: EN 50160 asks of public grids that 95 % of a week's 10-minute means stay below
_NONE = "No bus of this feeder has all three phases: there is no unbalance to tell."


def place() -> Part:
    """Return the place of the chart."""
    return chart(TAB, "Voltage unbalance by hour: the largest, the mean and the bus that is looked at")


def content(run: "FeederRun", at: At) -> Part:
    """Return words, the table of the buses, and the card of the most unbalanced in the hour."""
    if not shape(run).whole:
        return state("empty", _NONE)
    hour, case = hour_of(run, at), cases_of(run, at)[-1]
    most = int(case.vuf[hour].argmax())
    columns, listed = rows(run, at)
    why = card(run, At(case_key(case), at.hour), f"vuf:{shape(run).whole[most]}")  # type: ignore[arg-type]
    over = int((case.vuf > USUAL / 100.0).any(axis=0).sum())
    words = (
        f"{run.labels[hour]}, {case_said(case)}: at most {percent(float(case.vuf[hour, most]), 2)} at bus "
        f"{shape(run).whole[most]}. "
        + (f"{count(over, 'bus', 'buses')} above 2 % in some hour." if over else "No bus is above 2 % in any hour.")
    )
    note = "VUF is of AC phasors, PVUR of the linear magnitudes."
    if run.feeder.wires == "four":
        note += " The 2 % are of VUF: PVUR of magnitudes to earth holds the zero sequence too, and is near twice that."
    hour_columns, hours = hour_rows(run, at)
    largest = card(run, At(case_key(case), at.hour), "unbalance")  # type: ignore[arg-type]
    return html.Div(
        [
            html.P(words, className="hr-muted hr-feeder-told"),
            tabled(TAB, "Unbalance of the buses", columns, listed, why=why, note=note),
            html.H3("Hour by hour"),
            tabled("unbalance-hours", "Unbalance by hour", hour_columns, hours, why=largest),
        ]
    )


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each bus with three phases, the most unbalanced of the hour first."""
    hour, cases = hour_of(run, at), cases_of(run, at)
    columns = [GridColumn("bus", "Bus", width=90)]
    for case in cases:
        key, more = case_key(case), f", {case_said(case)}" if len(cases) > 1 else ""
        columns += [
            GridColumn(f"vuf_{key}", f"VUF{more}", "%", "number", digits=2),
            GridColumn(f"pvur_{key}", f"PVUR{more}", "%", "number", digits=2),
            GridColumn(f"most_{key}", f"Largest of the day{more}", "%", "number", digits=2),
            GridColumn(f"when_{key}", "Its hour"),
        ]
    if len(cases) > 1:
        columns.append(GridColumn("change", "With less without", "%", "number", digits=3))
    found = []
    for place_, bus in enumerate(shape(run).whole):
        row: dict[str, Any] = {"bus": bus, "select": f"bus:{bus}"}
        for case in cases:
            key, series = case_key(case), case.vuf[:, place_]
            row |= {
                f"vuf_{key}": 100.0 * float(series[hour]), f"pvur_{key}": 100.0 * float(case.pvur[hour, place_]),
                f"most_{key}": 100.0 * float(series.max()), f"when_{key}": run.labels[int(series.argmax())],
            }  # fmt: skip
        if len(cases) > 1:
            row["change"] = row["vuf_on"] - row["vuf_off"]
        row["marks"] = "hr-feeder-now" if bus == bus_of(run, at) else ""
        found.append(row)
    last = f"vuf_{case_key(cases[-1])}"
    return columns, sorted(found, key=lambda row: -float(row[last]))


def hour_rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of the chart: one for each case and hour."""
    cases = cases_of(run, at)
    series = {case_key(case): _series(run, at, case) for case in cases}
    columns = [
        GridColumn("hour", "Hour", width=90),
        *([GridColumn("case", "Case", width=110)] if len(cases) > 1 else []),
        *(GridColumn(name, name, "%", "number", digits=2) for name in next(iter(series.values()))),
    ]
    found = [
        {
            "hour": label, "case": case_words(case), "marks": "hr-feeder-now" if hour == hour_of(run, at) else "",
            **{name: float(values[hour]) for name, values in series[case_key(case)].items()},
        }
        for case in cases
        for hour, label in enumerate(run.labels)
    ]  # fmt: skip
    return columns, found


def _series(run: "FeederRun", at: At, case: "CaseRun") -> dict[str, np.ndarray]:
    """Return (T,) each line of the chart, %."""
    bus, found = bus_of(run, at), {_MOST: 100.0 * case.vuf.max(axis=1), _MEAN: 100.0 * case.vuf.mean(axis=1)}
    if bus in shape(run).whole:
        column = shape(run).whole.index(bus)
        found |= {f"bus {bus}": 100.0 * case.vuf[:, column], f"bus {bus}, PVUR": 100.0 * case.pvur[:, column]}
    return found


def figure(run: "FeederRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return the largest and the mean VUF by hour, that of the bus looked at and its PVUR; a column for each case."""
    cases, made = cases_of(run, at), go.Figure()
    if shape(run).whole:
        for place_, case in enumerate(cases):
            _lines(made, run, at, case, (place_, theme))
    return framed(made, run, at, theme, rows=[("%", 1.0)], key=f"{TAB}-{len(cases)}", title="Unbalance")


def _lines(made: go.Figure, run: "FeederRun", at: At, case: "CaseRun", told: tuple[int, Theme]) -> None:
    place_, theme = told
    signs = (("binding", "solid", 2.4), ("muted", "solid", 1.6), ("firm", "dash", 2.2), ("fine", "dot", 2.0))
    for (name, values), (colour, dash, width) in zip(_series(run, at, case).items(), signs, strict=False):
        made.add_scatter(
            x=hours_of(run), y=values.tolist(), xaxis=axis_name(place_), name=name, legendgroup=name, mode="lines",
            showlegend=place_ == 0, customdata=list(run.labels),
            line={"color": token(colour, theme), "dash": dash, "width": width, "shape": STEPS},
            hovertemplate=hover(name, "%", case),
        )  # fmt: skip
    if float(case.vuf.max()) * 100.0 > 0.6 * USUAL:
        made.add_scatter(
            x=[-0.5, len(run.labels) - 0.5], y=[USUAL, USUAL], xaxis=axis_name(place_), mode="lines", hoverinfo="skip",
            name="2 %, as EN 50160", showlegend=place_ == 0,
            line={"color": token("text", theme), "width": 1.2, "dash": "longdash"},
        )  # fmt: skip
