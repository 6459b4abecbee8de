"""The inspector of the Feeder page: what is told of the selected bus, link or data centre, else of the whole hour."""

from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_batteries import battery_words, standing_words
from components.feeder_layers import (
    PARTS,
    At,
    cases_of,
    hour_of,
    lower_end,
    selected,
)
from components.feeder_limits import Limit, at_hour, limits
from components.feeder_sheet_bus import bus, voltages
from components.feeder_sheet_parts import head, of_case, power, table, whole, why
from components.feeder_tables import chooser
from components.feeder_words import money
from components.format import number, percent, sentence
from components.skeleton import Part, facts, section
from components.static import static
from engine.distribution.feeder import Line, Link, Regulator, Switch, Transformer

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun


def sheet(run: "FeederRun", at: At) -> Part:
    """Return the inspector's content; every computed number in it opens its card."""
    found = selected(run, at)
    if found is None:
        parts = _overview(run, at)
    else:
        kind, name = found
        parts = {"bus": bus, "link": _link, "centre": _centre}[kind](run, at, name)
    return static(parts, className="hr-feeder-sheet")


# Nothing is selected


def _overview(run: "FeederRun", at: At) -> list[Part]:
    feeder = run.feeder
    parts = head(feeder.name, run, at)
    for case in cases_of(run, at):
        title = of_case(run, at, case)
        parts += [
            section(f"What binds{title}", _binding(run, at, case)),
            section(f"Data centres{title}", _centres(run, at, case)),
            section(f"Supply{title}", facts(_supply(run, at, case))),
        ]
    return parts


def _binding(run: "FeederRun", at: At, case: "CaseRun") -> Part:
    found = at_hour(run, case, hour_of(run, at))
    lines = [
        html.Li(
            [chooser(each.stands(run.feeder), each.chosen), *_dual(run, at, case, each, " Dual ")],
            className=f"hr-feeder-{each.state}",
        )
        for each in found
    ]
    listed = html.Ul(lines, className="hr-feeder-bound")
    if any(each.kind != "device" for each in found):
        return listed
    response = np.abs(case.active_parts[PARTS.index("response"), hour_of(run, at)]).max(initial=0.0) > 5e-4
    words = "losses and the response of loads" if response else "losses"
    free = html.P(f"No limit of the network binds in this hour: prices differ by {words} alone.", className="hr-muted")
    return html.Div([free, listed]) if found else free


def _dual(run: "FeederRun", at: At, case: "CaseRun", each: Limit, lead: str) -> list[Part]:
    """Return the dual of a limit after ``lead``, a number that says why; nothing where it has none."""
    if each.dual is None:
        return []
    return [lead, why(run, at, case, f"dual:{limits(run, case).index(each)}", each.worth)]


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
    return table("Data centres", ["Data centre", "Draw, kW", "Price, $/MWh", "Bill, $"], rows)


def _supply(run: "FeederRun", at: At, case: "CaseRun") -> list[tuple[Part, Part]]:
    hour = hour_of(run, at)
    supply = complex(case.supply_mva[hour])
    rows: list[tuple[Part, Part]] = [
        ("Price at the substation, as asked", f"{number(float(run.price_per_mwh[hour]), 2)} $/MWh"),
        ("From the substation", why(run, at, case, "supply", power(1000.0 * supply))),
    ]
    for place, generator in enumerate(run.feeder.generators):
        given = 1000.0 * complex(case.generator_mva[hour, place])
        rows.append((generator.name, why(run, at, case, f"output:{generator.name}", power(given))))
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


def _link(run: "FeederRun", at: At, name: str) -> list[Part]:
    feeder, hour = run.feeder, hour_of(run, at)
    place = [link.name for link in feeder.links].index(name)
    link = feeder.links[place]
    parts = head(f"{_kind(link)} {name}", run, at, chooser(f"bus {lower_end(run, link)}",
                  f"bus:{lower_end(run, link)}"), whole())  # fmt: skip
    parts.append(section("What it is", facts(_link_facts(link))))
    if isinstance(link, Switch) and not link.closed:
        parts.append(html.P("Open: nothing flows, and the feeder stays a tree.", className="hr-muted"))
        return parts
    for case in cases_of(run, at):
        title = of_case(run, at, case)
        amperes = case.current_a[hour, place]
        rating = getattr(link, "rating_a", None)
        rows = [
            [f"phase {phase}", why(run, at, case, f"current:{name}:{phase}", number(float(value), 1)),
             why(run, at, case, f"share:{name}:{phase}", percent(float(value) / rating, 1)) if rating else "–"]
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
                        *(html.Span([f", {each.stands(feeder).split(', ', 1)[1]}",
                                     *_dual(run, at, case, each, ", dual ")], className="hr-feeder-mark")
                          for each in bound)]),
                table(f"Currents of {name}", ["", "Current, A", "Of its rating"], rows),
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
    parts = head(sentence(name), run, at, chooser(f"bus {row.bus}", f"bus:{row.bus}"), whole())
    for case in cases_of(run, at):
        title = of_case(run, at, case)
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
        parts.append(section(f"Voltage at its bus{title}", voltages(run, at, case, row.bus)))
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
