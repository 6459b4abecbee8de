"""The inspector of the Feeder page: what is told of the selected bus, link or data centre, else of the whole hour."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_batteries import battery_words, standing_words
from components.feeder_cards import card
from components.feeder_layers import (
    PART_WORDS,
    PARTS,
    At,
    case_key,
    case_said,
    cases_of,
    frame_words,
    hour_of,
    lower_end,
    member_words,
    nodes_of,
    selected,
    shape,
)
from components.feeder_limits import at_hour
from components.feeder_tables import chooser
from components.feeder_words import at_words, money, small
from components.format import number, percent, sentence, voltage
from components.skeleton import Part, facts, section
from components.static import static
from components.why_card import why_number
from engine.distribution.feeder import Line, Link, Regulator, Switch, Transformer

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_SIGNS = ("part-energy", "part-loss", "part-response", "part-voltage", "part-congestion")


def sheet(run: "FeederRun", at: At) -> Part:
    """Return the inspector's content; every computed number in it opens its card."""
    found = selected(run, at)
    if found is None:
        parts = _overview(run, at)
    else:
        kind, name = found
        parts = {"bus": _bus, "link": _link, "centre": _centre}[kind](run, at, name)
    return static(parts, className="hr-feeder-sheet")


def why(run: "FeederRun", at: At, case: "CaseRun", what: str, text: str) -> Part:
    """Return a number of one case that opens its card."""
    one = At(case_key(case), at.hour, at.layer, at.selection)  # type: ignore[arg-type]
    name = what.replace(":", " ")
    return why_number(f"feeder-sheet-{case_key(case)}-{what.replace(' ', '_')}", text, card(run, one, what), label=name)


def _head(title: str, run: "FeederRun", at: At, *ways: Part) -> list[Part]:
    return [
        html.Div(
            [html.H3(title, className="hr-feeder-title"), html.Span(list(ways), className="hr-feeder-ways")],
            className="hr-feeder-head",
        ),
        html.P(sentence(at_words(run, at)), className="hr-muted hr-feeder-at"),
    ]


def _whole() -> Part:
    return html.Button(
        "Whole feeder", type="button", className="hr-button hr-button-quiet", **{"data-feeder-select": ""}
    )


# Nothing is selected


def _overview(run: "FeederRun", at: At) -> list[Part]:
    feeder = run.feeder
    parts = _head(feeder.name, run, at)
    for case in cases_of(run, at):
        title = f", {case_said(case)}" if len(cases_of(run, at)) > 1 else ""
        parts += [
            section(f"What binds{title}", _binding(run, at, case)),
            section(f"Data centres{title}", _centres(run, at, case)),
            section(f"Supply{title}", facts(_supply(run, at, case))),
        ]
    return parts


def _binding(run: "FeederRun", at: At, case: "CaseRun") -> Part:
    found = at_hour(run, case, hour_of(run, at))
    lines = [
        html.Li(chooser(each.words(run.feeder), each.chosen), className=f"hr-feeder-{each.state}") for each in found
    ]
    listed = html.Ul(lines, className="hr-feeder-bound")
    if any(each.kind != "device" for each in found):
        return listed
    response = np.abs(case.active_parts[PARTS.index("response"), hour_of(run, at)]).max(initial=0.0) > 5e-4
    words = "losses and the response of loads" if response else "losses"
    free = html.P(f"No limit of the network binds in this hour: prices differ by {words} alone.", className="hr-muted")
    return html.Div([free, listed]) if found else free


def _centres(run: "FeederRun", at: At, case: "CaseRun") -> Part:
    hour = hour_of(run, at)
    if not run.feeder.centres:
        return html.P("This feeder has none.", className="hr-muted")
    rows = []
    for place, row in enumerate(run.feeder.centres):
        bill = float(case.bill_active[hour, place] + case.bill_reactive[hour, place])
        rows.append(
            [
                chooser(row.name, f"centre:{row.name}"),
                why(run, at, case, f"draw:{row.name}", number(float(case.draw_kw[hour, place]))),
                why(run, at, case, f"rate:{row.name}", number(float(case.centre_price[hour, place]), 2)),
                why(run, at, case, f"paid:{row.name}", number(bill, 2)),
            ]
        )
    return _table("Data centres", ["Data centre", "Draw, kW", "Price, $/MWh", "Bill, $"], rows)


def _supply(run: "FeederRun", at: At, case: "CaseRun") -> list[tuple[Part, Part]]:
    hour = hour_of(run, at)
    supply = complex(case.supply_mva[hour])
    rows: list[tuple[Part, Part]] = [
        ("Price at the substation", f"{number(float(run.price_per_mwh[hour]), 2)} $/MWh"),
        ("From the substation", why(run, at, case, "supply", _power(1000.0 * supply))),
    ]
    for place, generator in enumerate(run.feeder.generators):
        given = 1000.0 * complex(case.generator_mva[hour, place])
        rows.append((generator.name, why(run, at, case, f"output:{generator.name}", _power(given))))
    if case.svg:
        for place, device in enumerate(run.feeder.compensators):
            text = f"{number(float(case.svg_kvar[hour, place].sum()))} kvar"
            rows.append((device.name, why(run, at, case, f"svg:{device.name}", text)))
    loss = complex(case.loss_ac_mva[hour])
    rows += [
        ("Losses in AC", why(run, at, case, "lost", f"{number(1000.0 * loss.real, 1)} kW")),
        ("Operator's cost", why(run, at, case, "spent", money(float(case.cost_per_h[hour])))),
        ("Operator's surplus", why(run, at, case, "kept", money(float(case.surplus_per_h[hour])))),
    ]
    return rows


# One element


def _bus(run: "FeederRun", at: At, name: str) -> list[Part]:
    feeder, bus = run.feeder, run.feeder.bus(name)
    above = shape(run).above.get(name)
    ways: list[Part] = [_whole()]
    if above is not None:
        ways.insert(0, chooser(f"link {above.name}", f"link:{above.name}"))
    parts = _head(f"Bus {name}", run, at, *ways)
    parts.append(html.P(f"{voltage(bus.kv)}, {frame_words(feeder)} {', '.join(m for m, _ in nodes_of(run, name))}",
                        className="hr-muted"))  # fmt: skip
    cases = cases_of(run, at)
    for case in cases:
        title = f", {case_said(case)}" if len(cases) > 1 else ""
        parts += [
            section(f"Voltage{title}", _voltages(run, at, case, name)),
            section(f"Price of a MWh{title}", *_prices(run, at, case, name)),
        ]
    if devices := _devices(run, at, name):
        parts.append(section("Here", facts(devices)))
    return parts


def _voltages(run: "FeederRun", at: At, case: "CaseRun", bus: str) -> Part:
    hour, rows = hour_of(run, at), []
    bound = {each.member for each in at_hour(run, case, hour) if each.kind == "bus" and each.element == bus}
    for member, place in nodes_of(run, bus):
        ac, linear = float(abs(case.phasors[hour, place])), float(case.voltage_pu[hour, place])
        rows.append(
            [
                [
                    _phase(run, member),
                    html.Span(" at its limit", className="hr-feeder-mark") if member in bound else "",
                ],
                why(run, at, case, f"level:{bus}:{member}", number(ac, 3)),
                number(linear, 3),
                small(linear - ac),
            ]
        )
    table = _table(f"Voltages at bus {bus}", ["", "AC, p.u.", "Linear, p.u.", "Linear less AC"], rows)
    if bus not in shape(run).whole:
        return table
    place = shape(run).whole.index(bus)
    vuf = why(run, at, case, f"vuf:{bus}", percent(float(case.vuf[hour, place]), 2))
    proxy = percent(float(case.pvur[hour, place]), 2)
    return html.Div([table, html.P(["Unbalance (VUF) ", vuf, f"; by the linear magnitudes (PVUR) {proxy}"])])


def _prices(run: "FeederRun", at: At, case: "CaseRun", bus: str) -> list[Part]:
    hour, rows = hour_of(run, at), []
    most = float(np.abs(case.active_parts[1:, hour]).max(initial=1e-9))
    for member, place in nodes_of(run, bus):
        parts = case.active_parts[:, hour, place].tolist()
        total, reactive = float(case.active_price[hour, place]), float(case.reactive_price[hour, place])
        rows.append(
            [
                _phase(run, member),
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
        _table(f"Prices at bus {bus}", heads, rows),
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
        many = f", {case_said(case)}" if len(cases_of(run, at)) > 1 else ""
        for place, row in enumerate(feeder.centres):
            if row.bus == bus:
                text = why(run, at, case, f"draw:{row.name}", f"{number(float(case.draw_kw[hour, place]))} kW")
                rows.append(([chooser(row.name, f"centre:{row.name}"), many], text))
        for place, generator in enumerate(feeder.generators):
            if generator.bus == bus:
                given = 1000.0 * complex(case.generator_mva[hour, place])
                rows.append((generator.name + many, why(run, at, case, f"output:{generator.name}", _power(given))))
        for place, device in enumerate(feeder.compensators):
            if device.bus == bus and case.svg:
                text = f"{number(float(case.svg_kvar[hour, place].sum()))} kvar"
                rows.append((device.name + many, why(run, at, case, f"svg:{device.name}", text)))
    return rows


def _link(run: "FeederRun", at: At, name: str) -> list[Part]:
    feeder, hour = run.feeder, hour_of(run, at)
    place = [link.name for link in feeder.links].index(name)
    link = feeder.links[place]
    parts = _head(f"{_kind(link)} {name}", run, at, chooser(f"bus {lower_end(run, link)}",
                  f"bus:{lower_end(run, link)}"), _whole())  # fmt: skip
    parts.append(section("What it is", facts(_link_facts(link))))
    if isinstance(link, Switch) and not link.closed:
        parts.append(html.P("Open: nothing flows, and the feeder stays a tree.", className="hr-muted"))
        return parts
    for case in cases_of(run, at):
        title = f", {case_said(case)}" if len(cases_of(run, at)) > 1 else ""
        amperes = case.current_a[hour, place]
        rating = getattr(link, "rating_a", None)
        rows = [
            [f"phase {phase}", why(run, at, case, f"current:{name}:{phase}", number(float(value), 1)),
             percent(float(value) / rating, 1) if rating else "–"]
            for phase, value in zip("abc", amperes, strict=True)
            if phase in link.phases
        ]  # fmt: skip
        full = float(case.ac_loading[hour, place])
        shown = percent(full, 1) if rating or isinstance(link, Transformer) else "no rating"
        bound = [each for each in at_hour(run, case, hour) if each.kind == "link" and each.element == name]
        parts.append(
            section(
                f"Loading{title}",
                html.P([why(run, at, case, f"loading:{name}", shown), " of its rating" if shown[0].isdigit() else "",
                        *(html.Span(f", {each.words(feeder).split(', ', 1)[1]}", className="hr-feeder-mark")
                          for each in bound)]),
                _table(f"Currents of {name}", ["", "Current, A", "Of its rating"], rows),
            )
        )  # fmt: skip
    return parts


def _link_facts(link: Link) -> list[tuple[Part, Part]]:
    rows: list[tuple[Part, Part]] = [
        ("From", chooser(f"bus {link.from_bus}", f"bus:{link.from_bus}")),
        ("To", chooser(f"bus {link.to_bus}", f"bus:{link.to_bus}")),
        ("Phases", ", ".join(link.phases)),
    ]
    if isinstance(link, Transformer):
        return [
            *rows,
            ("Bank", f"{number(link.kva)} kVA, {link.from_kv:g} to {link.to_kv:g} kV"),
            ("Connection", f"{link.from_connection} to {link.to_connection}"),
            ("Impedance", f"{percent(link.r_pu, 2)} + j {percent(link.x_pu, 2)}"),
        ]
    rating = f"{number(link.rating_a)} A" if link.rating_a is not None else "none"
    if isinstance(link, Line):
        own = [complex(link.r_ohm[k][k], link.x_ohm[k][k]) for k in range(len(link.phases))]
        mean = sum(own) / len(own)
        rows.append(("Own impedance, mean", f"{number(mean.real, 3)} + j {number(mean.imag, 3)} Ω"))
    if isinstance(link, Regulator):
        ratios = ", ".join(f"{on} {number(ratio, 5)}" for on, ratio in zip(link.regulated, link.ratios, strict=True))
        rows.append(("Ratios" + (", open delta" if link.open_delta else ""), ratios))
    return [*rows, ("Rating of each phase", rating)]


def _kind(link: Link) -> str:
    return {Line: "Line", Switch: "Switch", Transformer: "Transformer", Regulator: "Regulator"}[type(link)]


def _centre(run: "FeederRun", at: At, name: str) -> list[Part]:
    feeder, hour = run.feeder, hour_of(run, at)
    place = [row.name for row in feeder.centres].index(name)
    row = feeder.centres[place]
    parts = _head(sentence(name), run, at, chooser(f"bus {row.bus}", f"bus:{row.bus}"), _whole())
    for case in cases_of(run, at):
        title = f", {case_said(case)}" if len(cases_of(run, at)) > 1 else ""
        paid = float(case.bill_active[hour, place] + case.bill_reactive[hour, place])
        day = float(case.bill_active[:, place].sum() + case.bill_reactive[:, place].sum())
        drawn = float(case.draw_kw[:, place].sum()) / 1000.0
        rows: list[tuple[Part, Part]] = [
            ("Draws", why(run, at, case, f"draw:{name}", f"{number(float(case.draw_kw[hour, place]), 1)} kW")),
            *_battery(run, at, case, place),
            ("Price, reactive power included",
             why(run, at, case, f"rate:{name}", f"{number(float(case.centre_price[hour, place]), 2)} $/MWh")),
            ("Pays in the hour", why(run, at, case, f"paid:{name}", money(paid))),
            ("Pays over the day", why(run, at, case, f"owed:{name}", money(day))),
            ("Draws over the day", why(run, at, case, f"used:{name}", f"{number(drawn, 2)} MWh")),
            ("Mean price it pays",
             why(run, at, case, f"mean:{name}", f"{number(day / drawn if drawn else 0.0, 2)} $/MWh")),
        ]  # fmt: skip
        parts.append(section(f"Draw and bill{title}", facts(rows)))
        parts.append(section(f"Voltage at its bus{title}", _voltages(run, at, case, row.bus)))
    parts.append(
        section(
            "What it is",
            facts(
                [
                    ("Bus, phases", f"{row.bus}, {', '.join(row.phases)}"),
                    ("Most it can draw", f"{number(row.most_kw, 1)} kW"),
                    ("Without work", f"{number(row.pue * row.idle_kw, 1)} kW"),
                    ("PUE", number(row.pue, 2)),
                    ("Power factor", f"{number(row.power_factor, 2)} lagging"),
                    *([("Battery stands there", standing_words(row.battery))] if row.battery is not None else []),
                ]
            ),
        )
    )
    return parts


# Small parts


def _power(kva: complex) -> str:
    return f"{number(kva.real)} kW, {number(kva.imag)} kvar"


def _phase(run: "FeederRun", member: str) -> Part:
    slot = run.feeder.frame.index(member)
    return html.Span(
        [html.I(className=f"hr-feeder-dash hr-feeder-dash-{slot}"), member],
        className="hr-feeder-phase",
        title=member_words(run.feeder, member),
    )


def _battery(run: "FeederRun", at: At, case: "CaseRun", place: int) -> list[tuple[Part, Part]]:
    """Return what the battery of a data centre does and what its computers draw; nothing without one."""
    row, hour = run.feeder.centres[place], hour_of(run, at)
    if row.battery is None:
        return []
    computers = f"{number(float(case.computer_kw[hour, place]), 1)} kW"
    return [
        ("Computers draw", why(run, at, case, f"computers:{row.name}", computers)),
        ("Battery", why(run, at, case, f"battery:{row.name}", battery_words(case, hour, place, row))),
    ]


def _table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Part]]) -> Part:
    head = [html.Th(words, scope="col", className="hr-num" if place else "") for place, words in enumerate(heads)]
    body = [
        html.Tr(
            [
                html.Td(cell, className="hr-num") if place else html.Th(cell, scope="row")
                for place, cell in enumerate(row)
            ]
        )
        for row in rows
    ]
    return html.Table(
        [html.Thead(html.Tr(head)), html.Tbody(body)],
        className="hr-feeder-table hr-feeder-facts",
        **{"aria-label": label},
    )
