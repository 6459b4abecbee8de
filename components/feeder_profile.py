"""The Profile tab: voltage along the feeder in the hour that is looked at, by AC and by the linear model."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.feeder_cards import card
from components.feeder_charts import LINES
from components.feeder_layers import (
    At,
    bus_of,
    case_key,
    case_said,
    case_words,
    cases_of,
    frame_words,
    hour_of,
    selected,
    shape,
)
from components.feeder_limits import at_hour
from components.feeder_tables import chart, reasons, tabled
from components.feeder_words import at_words, inputs_of
from components.format import count, number, percent, sentence
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from components.why_card import why_card
from engine.distribution.feeder import Line, Link, Transformer

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "profile"
_BASE_MVA = 1.0
_MOST = 6  # links that a card names


def place() -> Part:
    """Return the place of the chart."""
    return chart(TAB, "Voltage against impedance from the source, each phase; the table beside it has the same numbers")


def content(run: "FeederRun", at: At) -> Part:
    """Return words, the table of all nodes and the card of the lowest voltage."""
    columns, listed = rows(run, at)
    case = cases_of(run, at)[-1]
    lowest = min((row for row in listed if row["case"] == case_words(case)), key=lambda row: row["ac"])
    why = card(run, At(case_key(case), at.hour), f"level:{lowest['bus']}:{lowest['member']}")  # type: ignore[arg-type]
    words = (
        f"{sentence(at_words(run, at))}. Lowest: {number(lowest['ac'], 3)} p.u. at bus {lowest['bus']}, "
        f"{lowest['member']}. Dots are AC, lines run along the links; crosses are the linear model."
    )
    note = "The card is of the lowest voltage."
    far = bus_of(run, at) if selected(run, at) else str(lowest["bus"])
    return html.Div(
        [
            reasons(TAB, words, f"bus {far}", {"its distance from the source": distance_card(run, far)}),
            tabled(TAB, "Voltages along the feeder", columns, listed, why=why, note=note),
        ]
    )


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each case and node, from the source outwards."""
    hour, cases, far = hour_of(run, at), cases_of(run, at), distances(run)
    columns = [
        GridColumn("bus", "Bus", width=90),
        GridColumn("member", "On", width=70),
        *([GridColumn("case", "Case", width=110)] if len(cases) > 1 else []),
        GridColumn("far", "From the source", "% on 1 MVA", "number", digits=2),
        GridColumn("ac", "AC", "p.u.", "number", digits=4),
        GridColumn("linear", "Linear", "p.u.", "number", digits=4),
        GridColumn("error", "Linear less AC", "10⁻⁶ p.u.", "number", digits=1),
    ]
    chosen = bus_of(run, at) if selected(run, at) else ""
    found = []
    for case in cases:
        ac, linear = np.abs(case.phasors[hour]), case.voltage_pu[hour]
        found += [
            {
                "bus": bus, "member": member, "case": case_words(case), "far": far[bus], "ac": float(ac[node]),
                "linear": float(linear[node]), "error": 1e6 * float(linear[node] - ac[node]), "select": f"bus:{bus}",
                "marks": "hr-feeder-now" if bus == chosen else "",
            }
            for node, (bus, member) in enumerate(shape(run).nodes)
        ]  # fmt: skip
    return columns, sorted(found, key=lambda row: (row["case"], row["far"]))


def distances(run: "FeederRun") -> dict[str, float]:
    """Return how far each bus is from the source: the impedances on its way, in % on 1 MVA of its voltage."""
    feeder, tree = run.feeder, shape(run).tree
    found = {feeder.source_bus: 0.0}
    for bus, parent, link in zip(tree.buses, tree.parents, tree.links, strict=True):
        if link is not None:
            found[bus] = found[tree.buses[parent]] + _impedance(link, feeder.bus(bus).kv)
    return found


def distance_card(run: "FeederRun", bus: str) -> Part:
    """Return why a bus is as far from the source as it is: the links on its way."""
    tree, feeder = shape(run).tree, run.feeder
    far, at = distances(run), tree.buses.index(bus)
    way: list[tuple[str, float]] = []
    while (link := tree.links[at]) is not None:
        way.append((link.name, _impedance(link, feeder.bus(tree.buses[at]).kv)))
        at = tree.parents[at]
    largest = sorted(way, key=lambda each: -each[1])[:_MOST]
    rest = far[bus] - sum(size for _, size in largest)
    values = [("links on its way", number(len(way))),
              *((f"link {name}", percent(size / 100.0, 3)) for name, size in largest)]  # fmt: skip
    if len(way) > _MOST:
        values.append((f"{count(len(way) - _MOST, 'other link')}", percent(rest / 100.0, 3)))
    return why_card(
        f"Bus {bus} is {percent(far[bus] / 100.0, 2)} on 1 MVA from the source",
        formula="Σ_l |*z*_l| · 1 MVA / *U*_l²",
        values=values, inputs=inputs_of(run),
        source="The feeder's table: of a line the mean own impedance of its phases, of a transformer its impedance",
        note="Switches and regulators count as nothing. The largest come first.",
    )  # fmt: skip


def _impedance(link: Link, kv: float) -> float:
    """Return the mean own impedance of a link's phases, % on 1 MVA; 0 for a switch and a regulator."""
    if isinstance(link, Transformer):
        return 100.0 * math.hypot(link.r_pu, link.x_pu) * _BASE_MVA / (link.kva / 1000.0)
    if not isinstance(link, Line):
        return 0.0
    own = [math.hypot(link.r_ohm[k][k], link.x_ohm[k][k]) for k in range(len(link.phases))]
    return 100.0 * sum(own) / len(own) / (kv * kv / _BASE_MVA)


def figure(run: "FeederRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return the profile of each phase (or pair): a column for each case, limits as vermilion lines."""
    cases, made, hour = cases_of(run, at), go.Figure(), hour_of(run, at)
    far = distances(run)
    layout: dict[str, Any] = {
        "yaxis": {"title": {"text": f"p.u., {frame_words(run.feeder)}"}},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "closest",
    }
    gap, wide = 0.03, 1.0 / len(cases)
    for place_, case in enumerate(cases):
        axis = f"x{place_ + 1 if place_ else ''}"
        for slot in range(3):
            _phase(made, run, case, slot, (axis, hour, theme, far))
        _marks(made, run, case, (axis, hour, theme), far)
        if selected(run, at):
            made.add_vline(
                x=far[bus_of(run, at)], xref=axis, line={"color": token("candidate", theme), "width": 5},
                opacity=0.5, layer="below",
            )  # fmt: skip
        words = sentence(f"{run.labels[hour]}, {case_said(case)}: impedance, % on 1 MVA")
        start, end = place_ * wide + (gap / 2 if place_ else 0.0), (place_ + 1) * wide - (gap / 2 if wide < 1 else 0.0)
        short = case_said(case) if len(cases) > 1 else words
        layout[f"xaxis{place_ + 1 if place_ else ''}"] = {"domain": [start, min(end, 1.0)], "title": {"text": short}}
    for limit in (run.feeder.v_min_pu, run.feeder.v_max_pu):
        for place_ in range(len(cases)):
            made.add_shape(
                type="line", x0=0, x1=1, xref=f"x{place_ + 1 if place_ else ''} domain", y0=limit, y1=limit, yref="y",
                line={"color": token("binding", theme), "width": 1.6, "dash": "longdash"},
            )  # fmt: skip
    made.update_layout(**layout)
    return styled(made, theme, key=f"{TAB}-{len(cases)}")


def _phase(
    made: go.Figure, run: "FeederRun", case: "CaseRun", slot: int, told: tuple[str, int, Theme, dict[str, float]]
) -> None:
    axis, hour, theme, far = told
    member = run.feeder.frame[slot]
    ac, linear = np.abs(case.phasors[hour]), case.voltage_pu[hour]
    node = {bus: at for at, (bus, name) in enumerate(shape(run).nodes) if name == member}
    if not node:
        return
    colour, dash = LINES[slot]
    along: list[float | None] = []
    level: list[float | None] = []
    tree = shape(run).tree
    for bus, parent in zip(tree.buses, tree.parents, strict=True):
        above = tree.buses[parent] if parent >= 0 else ""
        if bus in node and above in node:
            along += [far[above], far[bus], None]
            level += [float(ac[node[above]]), float(ac[node[bus]]), None]
    first = axis == "x"
    made.add_scatter(
        x=along, y=level, xaxis=axis, mode="lines", name=member, legendgroup=member, showlegend=False, hoverinfo="skip",
        line={"color": token(colour, theme), "width": 1.6, "dash": dash},
    )  # fmt: skip
    at_nodes: dict[str, Any] = {"x": [far[bus] for bus in node], "xaxis": axis, "legendgroup": member,
                                "customdata": list(node)}  # fmt: skip
    symbol = ("circle", "square", "diamond")[slot]
    made.add_scatter(
        **at_nodes, y=[float(ac[at]) for at in node.values()], mode="markers", name=f"{member}, AC", showlegend=first,
        marker={"color": token(colour, theme), "size": 6, "symbol": symbol},
        hovertemplate=f"bus %{{customdata}}, {member}: %{{y:.4f}} p.u.<extra>AC, {case_said(case)}</extra>",
    )  # fmt: skip
    made.add_scatter(
        **at_nodes, y=[float(linear[at]) for at in node.values()], mode="markers", name="linear",
        showlegend=first and slot == 0,
        marker={"color": token("text", theme), "size": 5, "symbol": "x-thin", "line": {"width": 1}},
        hovertemplate=f"bus %{{customdata}}, {member}: %{{y:.4f}} p.u.<extra>linear, {case_said(case)}</extra>",
    )  # fmt: skip


def _marks(
    made: go.Figure, run: "FeederRun", case: "CaseRun", told: tuple[str, int, Theme], far: dict[str, float]
) -> None:
    axis, hour, theme = told
    found = [each for each in at_hour(run, case, hour) if each.kind == "bus"]
    if not found:
        return
    made.add_scatter(
        x=[far[each.element] for each in found], y=[each.value for each in found], xaxis=axis, mode="markers",
        name="at its limit", legendgroup="limit", showlegend=axis == "x",
        marker={"color": "rgba(0,0,0,0)", "size": 15, "symbol": "circle",
                "line": {"color": token("binding", theme), "width": 3}},
        customdata=[each.words(run.feeder) for each in found], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
