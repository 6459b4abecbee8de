"""The inspector of a bus: voltages in AC and by the linear flow, prices with their parts, and what stands there."""

from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_layers import PART_WORDS, PARTS, At, cases_of, frame_words, hour_of, nodes_of, shape
from components.feeder_limits import at_hour
from components.feeder_sheet_parts import head, of_case, phase, power, table, whole, why
from components.feeder_tables import chooser
from components.feeder_words import small
from components.format import number, percent, voltage
from components.skeleton import Part, facts, section

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_SIGNS = ("part-energy", "part-loss", "part-response", "part-voltage", "part-congestion")


def bus(run: "FeederRun", at: At, name: str) -> list[Part]:
    """Return what is told of a bus."""
    feeder, row = run.feeder, run.feeder.bus(name)
    above = shape(run).above.get(name)
    ways: list[Part] = [whole()]
    if above is not None:
        ways.insert(0, chooser(f"link {above.name}", f"link:{above.name}"))
    parts = head(f"Bus {name}", run, at, *ways)
    parts.append(html.P(f"{voltage(row.kv)}, {frame_words(feeder)} {', '.join(m for m, _ in nodes_of(run, name))}",
                        className="hr-muted"))  # fmt: skip
    cases = cases_of(run, at)
    for case in cases:
        title = of_case(run, at, case)
        parts += [
            section(f"Voltage{title}", voltages(run, at, case, name)),
            section(f"Price of a MWh{title}", *_prices(run, at, case, name)),
        ]
    if devices := _devices(run, at, name):
        parts.append(section("Here", facts(devices)))
    return parts


def voltages(run: "FeederRun", at: At, case: "CaseRun", bus: str) -> Part:
    """Return the voltages of a bus, and its unbalance where it has all three phases."""
    hour, rows = hour_of(run, at), []
    bound = {each.member for each in at_hour(run, case, hour) if each.kind == "bus" and each.element == bus}
    for member, place in nodes_of(run, bus):
        ac, linear = float(abs(case.phasors[hour, place])), float(case.voltage_pu[hour, place])
        rows.append(
            [
                [
                    phase(run, member),
                    html.Span(" at its limit", className="hr-feeder-mark") if member in bound else "",
                ],
                why(run, at, case, f"level:{bus}:{member}", number(ac, 3)),
                why(run, at, case, f"linear:{bus}:{member}", number(linear, 3)),
                why(run, at, case, f"apart:{bus}:{member}", small(linear - ac)),
            ]
        )
    listed = table(f"Voltages at bus {bus}", ["", "AC, p.u.", "Linear, p.u.", "Linear less AC"], rows)
    if bus not in shape(run).whole:
        return listed
    place = shape(run).whole.index(bus)
    vuf = why(run, at, case, f"vuf:{bus}", percent(float(case.vuf[hour, place]), 2))
    proxy = why(run, at, case, f"pvur:{bus}", percent(float(case.pvur[hour, place]), 2))
    return html.Div([listed, html.P(["Unbalance (VUF) ", vuf, "; by the linear magnitudes (PVUR) ", proxy])])


def _prices(run: "FeederRun", at: At, case: "CaseRun", bus: str) -> list[Part]:
    hour, rows = hour_of(run, at), []
    most = float(np.abs(case.active_parts[1:, hour]).max(initial=1e-9))
    for member, place in nodes_of(run, bus):
        parts = case.active_parts[:, hour, place].tolist()
        total, reactive = float(case.active_price[hour, place]), float(case.reactive_price[hour, place])
        rows.append(
            [
                phase(run, member),
                why(run, at, case, f"price:{bus}:{member}", number(total, 2)),
                _above_energy(parts, most),
                why(run, at, case, f"reactive:{bus}:{member}", number(reactive, 2)),
            ]
        )
    energy = float(case.active_parts[0, hour, 0])
    words = f"Bars: what is above or below the energy at the substation, {number(energy, 2)} $/MWh."
    keys = [
        html.Span([html.I(className=f"hr-feeder-{sign}"), PART_WORDS[part]])
        for sign, part in zip(_SIGNS[1:], PARTS[1:], strict=True)
        if np.abs(case.active_parts[PARTS.index(part), hour]).max(initial=0.0) >= 0.005
    ]
    heads = ["", "DLMP, $/MWh", "Parts beyond energy", "Reactive, $/Mvarh"]
    return [
        table(f"Prices at bus {bus}", heads, rows),
        html.P([words, *keys], className="hr-feeder-keyline hr-muted"),
    ]


def _above_energy(parts: list[float], most: float) -> Part:
    """Return a bar of what is added to energy, part by part; what lowers the price runs to the left."""
    bars = []
    for sign, value in zip(_SIGNS[1:], parts[1:], strict=True):
        width = 50.0 * min(1.0, abs(value) / (2.0 * most))
        if width >= 0.4:
            bars.append((value < 0, html.I(className=f"hr-feeder-{sign}", style={"width": f"{2 * width:.1f}%"})))
    left = [bar for down, bar in bars if down]
    right = [bar for down, bar in bars if not down]
    said = ", ".join(f"{PART_WORDS[part]} {number(value, 2)}" for part, value in zip(PARTS[1:], parts[1:], strict=True))
    return html.Span(
        [html.Span(left, className="hr-feeder-down"), html.Span(right, className="hr-feeder-up"),
         html.Span(said, className="visually-hidden")],
        className="hr-feeder-parts",
        title=said,
    )  # fmt: skip


def _devices(run: "FeederRun", at: At, bus: str) -> list[tuple[Part, Part]]:
    feeder, hour, rows = run.feeder, hour_of(run, at), []
    loads = [row for row in feeder.loads if row.bus == bus]
    if loads:
        drawn = sum(row.kw * float(run.load_share[hour, feeder.loads.index(row)]) for row in loads)
        phases = ", ".join(dict.fromkeys(row.phase for row in loads))
        text = f"{number(drawn, 1)} of {number(sum(row.kw for row in loads), 1)} kW"
        rows.append((f"Loads on {phases}", why(run, at, cases_of(run, at)[-1], f"load:{bus}", text)))
    plates = [row for row in feeder.capacitors if row.bus == bus]
    if plates:
        rows.append(("Capacitors", f"{number(sum(row.kvar for row in plates))} kvar at 1 p.u."))
    for case in cases_of(run, at):
        many = of_case(run, at, case)
        for place, row in enumerate(feeder.centres):
            if row.bus == bus:
                text = why(run, at, case, f"draw:{row.name}", f"{number(float(case.draw_kw[hour, place]))} kW")
                rows.append(([chooser(row.name, f"centre:{row.name}"), many], text))
        for place, generator in enumerate(feeder.generators):
            if generator.bus == bus:
                given = 1000.0 * complex(case.generator_mva[hour, place])
                rows.append((generator.name + many, why(run, at, case, f"output:{generator.name}", power(given))))
        for place, device in enumerate(feeder.compensators):
            if device.bus == bus and case.svg:
                text = f"{number(float(case.svg_kvar[hour, place].sum()))} kvar"
                rows.append((device.name + many, why(run, at, case, f"svg:{device.name}", text)))
    return rows
