"""The Buses tab: every bus in the hour that is looked at, voltages by AC and linear, error, price and its parts."""

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components import ids
from components.feeder_cards import card
from components.feeder_layers import (
    PART_WORDS,
    PARTS,
    At,
    case_key,
    case_of,
    case_said,
    cases_of,
    hour_of,
    member_words,
    nodes_of,
    selected,
    shape,
)
from components.feeder_limits import at_hour
from components.feeder_tables import reasons
from components.format import count, sentence
from components.skeleton import Part
from components.tables import GridColumn, grid, tools

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_LEAST = 5e-7  # $/MWh: a part that is nowhere larger has no columns
_CHANCE = "Of the scenarios, in AC; the largest of its phases"
_STATES = {"binds": "at a limit", "exceeded": "exceeded in AC", "flagged": "exceeded in AC, flagged"}


def place() -> list[Part]:
    """Return the grid; the page writes ``rowData`` and ``columnDefs`` of ``ids.grid(ids.FEEDER, "buses")``."""
    return [
        tools(ids.FEEDER, name="buses", label="Filter the buses", csv_name="feeder-buses.csv"),
        html.Div(
            grid(ids.FEEDER, [GridColumn("id", "Bus", width=84, pinned=True)], (), name="buses", label="Buses"),
            className="hr-feeder-grid",
        ),
    ]


def content(run: "FeederRun", at: At) -> Part:
    """Return what is told of the table, what stands at a limit, and cards of one bus: the selected, else the first."""
    case, hour = case_of(run, at), hour_of(run, at)
    found = sorted({each.element for each in at_hour(run, case, hour) if each.kind == "bus"})
    shown = "with SVG less without" if at.case == "difference" and len(cases_of(run, at)) > 1 else case_said(case)
    bound = f"; at a voltage limit: {', '.join(found[:8])}" if found else "; no voltage is at its limit"
    words = f"{sentence(run.labels[hour])}, {shown}: {count(len(run.feeder.buses), 'bus', 'buses')}{bound}."
    chosen = selected(run, at)
    bus = chosen[1] if chosen is not None and chosen[0] == "bus" else run.feeder.buses[0].name
    one, member = At(case_key(case), at.hour), nodes_of(run, bus)[0][0]  # type: ignore[arg-type]
    cards = {
        words_: card(run, one, f"{what}:{bus}:{member}")
        for words_, what in (("AC", "level"), ("linear", "linear"), ("linear less AC", "apart"), ("DLMP", "price"),
                             ("DLMP reactive", "reactive"))
    }  # fmt: skip
    if bus in shape(run).whole:
        cards["VUF"] = card(run, one, f"vuf:{bus}")
    if len(case.voltage_chance):
        cards["chance outside limits"] = card(run, one, "chance")
    return reasons("buses", words, f"bus {bus}, {member_words(run.feeder, member)}", cards)


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, one row for each bus; values of an absent phase are None."""
    hour, cases = hour_of(run, at), cases_of(run, at)
    case, less = cases[-1], cases[0] if at.case == "difference" and len(cases) > 1 else None
    shown, given = (
        [part for part in PARTS[1:] if any(_size(each, part, reactive=reactive) > _LEAST for each in run.cases)]
        for reactive in (False, True)
    )
    values = _values(case, hour, shown, given)
    if less is not None:
        other = _values(less, hour, shown, given)
        values = {name: value - other[name] for name, value in values.items()}
    vuf = 100.0 * (case.vuf[hour] - (less.vuf[hour] if less is not None else 0.0))
    unbalance = dict(zip(shape(run).whole, vuf.tolist(), strict=True))
    states = {each.element: _STATES[each.state] for each in at_hour(run, case, hour) if each.kind == "bus"}
    found: dict[str, dict[str, Any]] = {}
    for place_, (bus, member) in enumerate(shape(run).nodes):
        row = found.setdefault(bus, {"id": bus, "kv": run.feeder.bus(bus).kv})
        row |= {f"{name}_{member}": float(value[place_]) for name, value in values.items()}
    for bus, row in found.items():
        row |= {"vuf": unbalance.get(bus), "state": states.get(bus, "")}
    columns = _columns(run, shown, given)
    if len(case.voltage_chance):
        columns.append(GridColumn("chance", "Chance outside limits", "%", "number", digits=1, width=190, help=_CHANCE))
        for at_, row_ in enumerate(run.feeder.buses):
            found.get(row_.name, {})["chance"] = 100.0 * float(case.voltage_chance[hour, at_].max())
    return columns, [found[bus.name] for bus in run.feeder.buses if bus.name in found]


def _size(case: "CaseRun", part: str, *, reactive: bool) -> float:
    parts = case.reactive_parts if reactive else case.active_parts
    return float(np.abs(parts[PARTS.index(part)]).max(initial=0.0))


def _values(case: "CaseRun", hour: int, shown: list[str], given: list[str]) -> dict[str, np.ndarray]:
    """Return (N,) each value of an hour; ``shown`` and ``given`` are the parts of active and of reactive prices."""
    ac = np.abs(case.phasors[hour])
    return {
        "ac": ac, "linear": case.voltage_pu[hour], "error": 1e6 * (case.voltage_pu[hour] - ac),
        "price": case.active_price[hour],
        "energy": case.active_parts[0, hour],
        **{part: case.active_parts[PARTS.index(part), hour] for part in shown},
        "reactive": case.reactive_price[hour],
        "q_energy": case.reactive_parts[0, hour],
        **{f"q_{part}": case.reactive_parts[PARTS.index(part), hour] for part in given},
    }  # fmt: skip


def _columns(run: "FeederRun", shown: list[str], given: list[str]) -> list[GridColumn]:
    members = run.feeder.frame
    found = [
        GridColumn("id", "Bus", width=84, pinned=True),
        GridColumn("kv", "Nominal", "kV", "number", digits=2, width=112),
        GridColumn("state", "Limit", width=118),
    ]
    blocks = [
        ("ac", "AC", "p.u.", 4, 112), ("linear", "Linear", "p.u.", 4, 128),
        ("error", "Linear less AC", "10⁻⁶ p.u.", 1, 200),
        ("price", "DLMP", "$/MWh", 2, 142), ("energy", "Energy", "$/MWh", 2, 148),
        *((part, sentence(PART_WORDS[part]), "$/MWh", 2, 186) for part in shown),
        ("reactive", "DLMP reactive", "$/Mvarh", 2, 200), ("q_energy", "Reactive: energy", "$/Mvarh", 2, 216),
        *((f"q_{part}", f"Reactive: {PART_WORDS[part]}", "$/Mvarh", 2, 252) for part in given),
    ]  # fmt: skip
    for name, label, unit, digits, width in blocks:
        found += [
            GridColumn(f"{name}_{member}", f"{label} {member}", unit, "number", digits=digits, width=width)
            for member in members
        ]
    found.append(GridColumn("vuf", "VUF", "%", "number", digits=2, width=96, help="Negative over positive sequence"))
    return found
