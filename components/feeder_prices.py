"""The Prices tab: what the prices of a MWh and of a Mvarh are made of at one bus, hour by hour, phase by phase."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.feeder_cards import card
from components.feeder_charts import STEPS, axis_name, framed, hours_of, hover, line_of
from components.feeder_layers import (
    PART_WORDS,
    PARTS,
    At,
    bus_of,
    case_said,
    case_words,
    cases_of,
    hour_of,
    member_words,
    nodes_of,
    selected,
)
from components.feeder_ranges import line
from components.feeder_tables import chart, reasons, tabled
from components.format import sentence
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, token

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "prices"
_SIGN = {
    "energy": ("bus", ""),
    "loss": ("candidate", ""),
    "response": ("fine", "-"),
    "voltage": ("flexible", "/"),
    "congestion": ("binding", "x"),
}
_NAMES = {"price": "DLMP", "reactive": "DLMP reactive"}  # of the prices that have a card
_MEAN = ", mean"  # of the members of a bus
_LEAST = 5e-7  # $/MWh
_RANGE = "Of the prices that the same optimum allows; both are the DLMP where it is determined"


def place() -> Part:
    """Return the place of the chart."""
    words = "Price of a MWh hour by hour, and the mean of its parts over the phases; the table has the same numbers"
    return chart(TAB, words)


def content(run: "FeederRun", at: At) -> Part:
    """Return the words of the bus, the table of all hours and its card."""
    bus = bus_of(run, at)
    members = [member for member, _ in nodes_of(run, bus)]
    case = cases_of(run, at)[-1]
    one = At("on" if case.svg else "off", at.hour)
    columns, listed = rows(run, at)
    chosen = "" if selected(run, at) else " (nothing is selected: that of the first data centre)"
    words = (
        f"Bus {bus}{chosen}: lines are {', '.join(members)}, bars and parts their mean; the table's file under "
        "Files has the parts of each. The chart is of active power; the last columns are of reactive power."
    )
    cards = {name: card(run, one, f"{what}:{bus}:{members[0]}") for what, name in _NAMES.items()}
    where = f"bus {bus}, {member_words(run.feeder, members[0])}, {run.labels[hour_of(run, at)]}, {case_said(case)}"
    return html.Div(
        [
            reasons(TAB, words, where, cards),
            html.Div([line(run, case) for case in cases_of(run, at)], className="hr-feeder-told"),
            tabled(
                TAB,
                f"Price at bus {bus} by its parts",
                columns,
                listed,
                why=card(run, one, f"price:{bus}:{members[0]}"),
                note="The card is of the hour that is looked at.",
            ),
        ]
    )


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one row for each case and hour, mean parts of the bus's members and each price.

    Active power first, then reactive power.
    """
    bus, cases = bus_of(run, at), cases_of(run, at)
    members = nodes_of(run, bus)
    nodes = [node for _, node in members]
    shown, given = _shown(run.cases, nodes), _shown(run.cases, nodes, reactive=True)
    mean = _MEAN if len(members) > 1 else ""
    columns = [
        GridColumn("hour", "Hour", width=90),
        *([GridColumn("case", "Case", width=110)] if len(cases) > 1 else []),
        *(GridColumn(part, f"{sentence(PART_WORDS[part])}{mean}", "$/MWh", "number", digits=2) for part in shown),
        *(GridColumn(f"price_{member}", f"DLMP {member}", "$/MWh", "number", digits=2) for member, _ in members),
        *(
            GridColumn(f"{end}_{member}", f"{sentence(end)} {member}", "$/MWh", "number", digits=2, help=_RANGE)
            for member, _ in members
            for end in ("least", "most")
        ),
        *(GridColumn(f"q_{member}", f"Reactive {member}", "$/Mvarh", "number", digits=2) for member, _ in members),
        *(
            GridColumn(f"q_{part}", f"Reactive: {PART_WORDS[part]}{mean}", "$/Mvarh", "number", digits=2)
            for part in given
        ),
    ]
    found = []
    for case in cases:
        for hour, label in enumerate(run.labels):
            at_hour, of_vars = _mean(case, nodes)[:, hour], _mean(case, nodes, reactive=True)[:, hour]
            row: dict[str, Any] = {"hour": label, "case": case_words(case)}
            row |= {part: float(at_hour[PARTS.index(part)]) for part in shown}
            row |= {f"q_{part}": float(of_vars[PARTS.index(part)]) for part in given}
            row |= {f"price_{member}": float(case.active_price[hour, node]) for member, node in members}
            row |= {f"least_{member}": float(case.price_least[hour, node]) for member, node in members}
            row |= {f"most_{member}": float(case.price_most[hour, node]) for member, node in members}
            row |= {f"q_{member}": float(case.reactive_price[hour, node]) for member, node in members}
            row["marks"] = "hr-feeder-now" if hour == hour_of(run, at) else ""
            found.append(row)
    return columns, found


def csv_rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return what the file of the day holds: the table, and behind it the parts of each member's price by itself."""
    columns, found = rows(run, at)
    bus, cases = bus_of(run, at), cases_of(run, at)
    members = nodes_of(run, bus)
    hours = [(case, hour) for case in cases for hour in range(len(run.labels))]
    for reactive, before, head, unit in ((False, "", "", "$/MWh"), (True, "q_", "Reactive: ", "$/Mvarh")):
        shown = _shown(run.cases, [node for _, node in members], reactive=reactive)
        columns += [
            GridColumn(
                f"{before}{part}_{member}", sentence(f"{head}{PART_WORDS[part]} {member}"), unit, "number", digits=2
            )
            for member, _ in members
            for part in shown
        ]
        for (case, hour), row in zip(hours, found, strict=True):
            row |= {
                f"{before}{part}_{member}": float(_parts(case, reactive=reactive)[PARTS.index(part), hour, node])
                for member, node in members
                for part in shown
            }
    return columns, found


def _parts(case: "CaseRun", *, reactive: bool = False) -> np.ndarray:
    """Return (5, T, N) the parts of active or of reactive prices."""
    return np.asarray(case.reactive_parts if reactive else case.active_parts)


def _mean(case: "CaseRun", nodes: list[int], *, reactive: bool = False) -> np.ndarray:
    return np.asarray(_parts(case, reactive=reactive)[:, :, nodes].mean(axis=2))


def _shown(cases: "tuple[CaseRun, ...]", nodes: list[int], *, reactive: bool = False) -> list[str]:
    """Return the parts that are anything anywhere at a bus; energy always."""
    of_cases = [np.abs(_parts(case, reactive=reactive)[:, :, nodes]).max(axis=(1, 2)) for case in cases]
    most = np.max(of_cases, axis=0)
    return [part for part, size in zip(PARTS, most.tolist(), strict=True) if part == "energy" or size > _LEAST]


def figure(run: "FeederRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return the price at a bus: each member as a line over the energy, and below what is added to energy, by parts."""
    bus, cases = bus_of(run, at), cases_of(run, at)
    members = nodes_of(run, bus)
    shown = [part for part in _shown(run.cases, [node for _, node in members]) if part != "energy"]
    made = go.Figure()
    for place_, case in enumerate(cases):
        _lines(made, run, case, members, (place_, theme))
        _bars(made, run, case, (members, shown), (place_, theme))
    made.update_layout(barmode="relative", bargap=0.14)
    key = f"{TAB}-{bus}-{len(cases)}"
    framed(
        made,
        run,
        at,
        theme,
        rows=[("$/MWh", 0.55), (f"beyond energy{_MEAN if len(members) > 1 else ''}", 0.45)],
        key=key,
        title=f"Bus {bus}",
    )
    return made


def _lines(
    made: go.Figure, run: "FeederRun", case: "CaseRun", members: list[tuple[str, int]], told: tuple[int, Theme]
) -> None:
    place_, theme = told
    common: dict[str, Any] = {
        "x": hours_of(run), "xaxis": axis_name(place_), "yaxis": "y", "mode": "lines", "customdata": list(run.labels),
        "showlegend": place_ == 0,
    }  # fmt: skip
    energy = {"color": token("bus", theme), "width": 1.5, "shape": STEPS}
    made.add_scatter(
        **common, y=case.active_parts[0, :, members[0][1]].tolist(), name="energy", line=energy,
        hovertemplate=hover("energy", "$/MWh", case),
    )  # fmt: skip
    for member, node in members:
        made.add_scatter(
            **common, y=case.active_price[:, node].tolist(), name=f"DLMP {member}",
            line=line_of(run.feeder.frame.index(member), theme), hovertemplate=hover(member, "$/MWh", case),
        )  # fmt: skip


def _bars(
    made: go.Figure,
    run: "FeederRun",
    case: "CaseRun",
    what: tuple[list[tuple[str, int]], list[str]],
    told: tuple[int, Theme],
) -> None:
    members, shown = what
    place_, theme = told
    mean = _mean(case, [node for _, node in members])
    for part in shown:
        colour, pattern = _SIGN[part]
        made.add_bar(
            x=hours_of(run), y=mean[PARTS.index(part)].tolist(), xaxis=axis_name(place_), yaxis="y2",
            name=PART_WORDS[part], showlegend=place_ == 0, customdata=list(run.labels),
            marker={
                "color": token(colour, theme), "line": {"width": 0},
                "pattern": {
                    "fillmode": "overlay", "shape": pattern, "size": 5, "fgcolor": token("surface", theme),
                    "fgopacity": 0.7,
                },
            },
            hovertemplate=hover(PART_WORDS[part] + (_MEAN if len(members) > 1 else ""), "$/MWh", case),
        )  # fmt: skip
