"""The inspector of the Hubs page: the story of the study, or what is selected, at the hour that is drawn."""

from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components import hubs_ids
from components.format import count, number, percent, signed
from components.hubs_cards import card
from components.hubs_tables import chooser
from components.hubs_why import loading_of
from components.hubs_words import (
    PRICES,
    SUBSTATION,
    At,
    after_of,
    before_of,
    dollars,
    hour_of,
    labels_of,
    limit_words,
    mwh,
    per_mwh,
    said,
    selected,
    worst_words,
)
from components.skeleton import Part, facts, section
from components.static import static
from components.why_card import why_number
from engine.pricing.hubs import Hub

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

_LISTED = 12  # hubs and lines of the story
_NONE_MWH, _NONE_MW = 5e-3, 5e-4  # less is written as 0


def sheet(run: "HubRun", at: At) -> Part:
    """Return the sheet of what is selected, else the story."""
    found = selected(run, at)
    if found is None:
        made = _story(run, at)
    else:
        make = {"hub": _hub, "line": _line, "substation": _substation}[found[0]]
        made = make(run, at, found[1])
    return static(html.Div(made, className="hr-feeder-sheet hr-hubs-sheet"))


def _why(run: "HubRun", at: At, what: str, text: str, label: str) -> Part:
    key = "".join(letter if letter.isalnum() else "-" for letter in what)
    return why_number(hubs_ids.why(f"sheet-{key}"), text, card(run, at, what), label=label)


def _story(run: "HubRun", at: At) -> list[Part]:
    """Return what is beyond limits without prices, what prices cure, and what that costs the hubs; then the hubs."""
    case, hour = run.case, hour_of(run, at)
    title = f"{count(len(case.hubs), 'hub')}, {count(case.periods, 'hour')}"
    return [
        html.Div(html.H2(title, className="hr-feeder-title"), className="hr-feeder-head"),
        html.P(trouble(run, at)),
        html.P(cure(run, at)),
        html.P(
            f"At {labels_of(run)[hour]} the tariff is {per_mwh(float(case.buy_per_mwh[hour]))}; on top of it:",
            className="hr-muted",
        ),
        _hubs_table(run, at),
    ]


def trouble(run: "HubRun", at: At) -> str:
    """Return what is beyond its limit without prices, where and when most, as a sentence."""
    case, before = run.case, before_of(run, at)
    over = before.overloads
    energy = over.mwh(case)
    if energy < _NONE_MWH:
        return "Without prices nothing is beyond its limit: nothing needs a price."
    lines = int((over.line_mw.max(axis=1, initial=0.0) > _NONE_MW).sum())
    substation = bool(over.substation_mw.max() > _NONE_MW)
    where = [count(lines, "line")] if lines else []
    where += ["the substation"] if substation else []
    alone = lines + substation == 1
    beyond = over.line_mw.sum(axis=0) + over.substation_mw
    worst = int(np.argmax(beyond))
    return (
        f"Without prices {' and '.join(where)} {'is beyond its limit' if alone else 'are beyond their limits'} in "
        f"{count(int((beyond > _NONE_MW).sum()), 'hour')}: {mwh(energy)}, most at {labels_of(run)[worst]} "
        f"({number(float(beyond[worst]), 2)} MW)."
    )


def cure(run: "HubRun", at: At) -> str:
    """Return what the prices that are looked at cure, and what that costs the hubs, in sentences."""
    before, after = before_of(run, at), after_of(run, at)
    was, now = before.overloads.mwh(run.case), after.overloads.mwh(run.case)
    central = after.prices == "central"
    reach = "" if central else f" of up to {per_mwh(float(np.abs(after.price).max()))}"
    less = f", {percent((was - now) / was, 0)} less" if was > _NONE_MWH else ""
    more = dollars(float((after.hub_cost - before.hub_cost).sum()))
    paid = "" if central else f" and {_passed(float(after.paid.sum()))}"
    name = "All as one leaves" if central else f"{PRICES[after.prices].capitalize()}{reach} leave"
    worst = after.worst_cost > after.overload_cost + 1.0 and not central
    chance = f" Such hubs may answer otherwise as well: overloads of {worst_words(after)} at worst." if worst else ""
    return f"{name} {mwh(now)}{less}. Hubs spend {more} more on energy and wear{paid}.{chance}"


def _passed(paid: float) -> str:
    """Return what passes between hubs and the operator, in words."""
    return (
        f"receive {dollars(-paid)} from the operator" if paid < -_NONE_MWH else f"pay {dollars(paid)} to the operator"
    )


def _hubs_table(run: "HubRun", at: At) -> Part:
    case, before, after, hour = run.case, before_of(run, at), after_of(run, at), hour_of(run, at)
    change = (after.hub_cost - before.hub_cost).tolist()
    first = sorted(range(len(case.hubs)), key=lambda k: -abs(change[k]))[:_LISTED]
    rows = []
    for place in first:
        name = case.hubs[place].name
        moved = [float(each.withdrawal_mw[place, hour]) for each in (before, after)]
        rows.append(
            html.Tr(
                [
                    html.Th(chooser(name, f"hub:{name}"), scope="row"),
                    html.Td(
                        _why(
                            run,
                            at,
                            f"charge:{name}",
                            number(float(after.price[case.area[place], hour]), 1),
                            f"Price of {name}",
                        )
                    ),
                    html.Td(
                        _why(
                            run, at, f"draw:{name}", f"{number(moved[0], 2)} → {number(moved[1], 2)}", f"Draw of {name}"
                        )
                    ),
                    html.Td(_why(run, at, f"owes:{name}", signed(change[place], 1), f"Cost of {name}")),
                    html.Td(_why(run, at, f"pays:{name}", number(float(after.paid[place]), 1), f"What {name} pays")),
                ]
            )
        )
    heads = ("Hub", "Price, $/MWh", "Draws, MW", "Spends, $ a day", "Pays, $ a day")
    more = (
        html.P(f"and {len(case.hubs) - _LISTED} more: see Hubs", className="hr-muted")
        if len(case.hubs) > _LISTED
        else None
    )
    return html.Div(
        [
            html.Table(
                [html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])), html.Tbody(rows)],
                className="hr-feeder-small hr-hubs-list",
            ),
            more,
        ]
    )


def assets_of(hub: Hub) -> list[tuple[Part, Part]]:
    """Return what a hub has, as names and values."""
    found: list[tuple[Part, Part]] = [
        ("Demand that cannot wait", f"{number(min(hub.demand_mw), 2)} to {number(max(hub.demand_mw), 2)} MW"),
        ("Imports, exports at most", f"{number(hub.import_mw, 2)}, {number(hub.export_mw, 2)} MW"),
    ]
    if any(hub.sun_mw):
        found.append(("Sun up to", f"{number(max(hub.sun_mw), 2)} MW"))
    if hub.battery is not None:
        found.append(("Battery", f"{number(hub.battery.power_mw, 2)} MW, {number(hub.battery.energy_mwh, 2)} MWh"))
    if hub.hydrogen is not None:
        row = hub.hydrogen
        found.append(
            (
                "Electrolyser, fuel cell, store",
                f"{number(row.electrolyser_mw, 2)}, {number(row.fuel_cell_mw, 2)} MW, {number(row.store_mwh, 2)} MWh",
            )
        )
    if hub.generator is not None:
        found.append(
            ("Generator", f"{number(hub.generator.power_mw, 2)} MW at {number(hub.generator.cost_per_mwh, 1)} $/MWh")
        )
    if hub.work is not None:
        total = sum(hub.work.arrivals_mw)
        found.append(
            (
                "Work that may wait",
                f"{number(total, 2)} MWh within {count(hub.work.deadline, 'hour')}, at most "
                f"{number(hub.work.most_mw, 2)} MW",
            )
        )
    return found


def _ways() -> Part:
    return html.Span([chooser("All hubs", "")], className="hr-feeder-ways")


def _hub(run: "HubRun", at: At, place: int) -> list[Part]:
    case, before, after, hour = run.case, before_of(run, at), after_of(run, at), hour_of(run, at)
    hub, label = case.hubs[place], labels_of(run)[hour]
    draws = [number(float(each.withdrawal_mw[place, hour]), 3) for each in (before, after)]
    price = float(case.buy_per_mwh[hour]) + hub.base_per_mwh + float(after.price[case.area[place], hour])
    rows: list[tuple[Part, Part]] = [
        (f"Pays for a MWh at {label}", _why(run, at, f"charge:{hub.name}", per_mwh(price), f"Price of {hub.name}")),
        (f"Draws at {label}", _why(run, at, f"draw:{hub.name}", f"{draws[0]} → {draws[1]} MW", f"Draw of {hub.name}")),
        (
            "Spends a day",
            _why(
                run,
                at,
                f"owes:{hub.name}",
                f"{dollars(float(before.hub_cost[place]))} → {dollars(float(after.hub_cost[place]))}",
                f"Cost of {hub.name}",
            ),
        ),
        (
            "Pays by the operator's prices",
            _why(run, at, f"pays:{hub.name}", dollars(float(after.paid[place])), f"What {hub.name} pays"),
        ),
    ]
    return [
        html.Div([html.H2(hub.name, className="hr-feeder-title"), _ways()], className="hr-feeder-head"),
        html.P(f"At bus {hub.bus}; arrows lead from no prices to {said(after)}.", className="hr-muted"),
        facts(rows),
        section("What it has", facts(assets_of(hub))),
    ]


def _line(run: "HubRun", at: At, place: int) -> list[Part]:
    case, before, after, hour = run.case, before_of(run, at), after_of(run, at), hour_of(run, at)
    name, label, limit = case.network.lines[place], labels_of(run)[hour], float(case.network.limit_mw[place])
    flows = [float(each.overloads.flow_mw[place, hour]) for each in (before, after)]
    loads = [percent(abs(flow) / limit, 0) for flow in flows]
    energy = [mwh(float(each.overloads.line_mw[place].sum()) * case.step_h) for each in (before, after)]
    rows: list[tuple[Part, Part]] = [
        (
            f"Flow at {label}",
            _why(run, at, f"line:{name}", f"{number(flows[0], 3)} → {number(flows[1], 3)} MW", f"Flow of {name}"),
        ),
        (f"Loading at {label}", _why(run, at, f"load:{name}", f"{loads[0]} → {loads[1]}", f"Loading of {name}")),
        ("Limit, either way", _why(run, at, f"limit:{name}", limit_words(limit, 3), f"Limit of {name}")),
        (
            "Beyond it over the day",
            _why(run, at, f"over:{name}", f"{energy[0]} → {energy[1]}", f"Energy of {name} beyond its limit"),
        ),
    ]
    behind = [hub.name for hub, share in zip(case.hubs, case.network.share[place].tolist(), strict=True) if share]
    chosen = [html.Li(chooser(each, f"hub:{each}")) for each in behind[:_LISTED]]
    return [
        html.Div([html.H2(f"Line {name}", className="hr-feeder-title"), _ways()], className="hr-feeder-head"),
        html.P(f"Arrows lead from no prices to {said(after)}.", className="hr-muted"),
        facts(rows),
        section(f"{count(len(behind), 'hub')} that move it", html.Ul(chosen)) if behind else None,
    ]


def _substation(run: "HubRun", at: At, _place: int) -> list[Part]:
    case, shown, hour = run.case, (before_of(run, at), after_of(run, at)), hour_of(run, at)
    label, network = labels_of(run)[hour], case.network
    flows = [number(float(each.overloads.substation_flow_mw[hour]), 3) for each in shown]
    found = [loading_of(run, each, SUBSTATION) for each in shown]
    loads = [percent(float(parts[hour]), 0) for _, parts in found]
    energy = [mwh(float(beyond.sum()) * case.step_h) for beyond, _ in found]
    name = "the substation"
    limit = f"{limit_words(network.import_mw, 3)}, {limit_words(network.export_mw, 3)}"
    rows: list[tuple[Part, Part]] = [
        (f"Imports at {label}", _why(run, at, "substation", " → ".join(flows) + " MW", f"Imports of {name}")),
        (f"Loading at {label}", _why(run, at, f"load:{SUBSTATION}", " → ".join(loads), f"Loading of {name}")),
        ("Limits of import, of export", _why(run, at, f"limit:{SUBSTATION}", limit, f"Limits of {name}")),
        (
            "Beyond them over the day",
            _why(run, at, f"over:{SUBSTATION}", " → ".join(energy), f"Energy of {name} beyond its limits"),
        ),
    ]
    return [
        html.Div([html.H2("The substation", className="hr-feeder-title"), _ways()], className="hr-feeder-head"),
        html.P(
            f"It carries the hubs and all else. Arrows lead from no prices to {said(shown[1])}.", className="hr-muted"
        ),
        facts(rows),
    ]
