"""The inspector of the Resilience page: the story of the study, or the bus that is selected."""

from typing import TYPE_CHECKING

from dash import html

from components import resilience_ids
from components.format import count, number, percent
from components.hubs_tables import chooser
from components.resilience_cards import METRICS, TYPES, card, inputs_of, metrics_of
from components.resilience_cards_shock import bus_card
from components.resilience_diagram import voltages
from components.resilience_words import (
    METHODS,
    NARROW,
    NOTES,
    At,
    dollars,
    hour_of,
    labels_of,
    mwh,
    planned_of,
    played,
    selected_bus,
    shock_of,
    shock_words,
    table_of,
)
from components.skeleton import Part, facts, section
from components.static import static
from components.why_card import why_card, why_number
from engine.resilience.compare import Method

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun


def sheet(run: "ResilienceRun", at: At) -> Part:
    """Return the sheet of the bus that is selected, else the story."""
    bus = selected_bus(run, at)
    made = _bus(run, at, bus) if bus else _story(run, at)
    return static(html.Div(made, className="hr-feeder-sheet hr-hubs-sheet"))


def _why(run: "ResilienceRun", at: At, what: str, text: str, label: str) -> Part:
    key = "".join(letter if letter.isalnum() else "-" for letter in what)
    return why_number(resilience_ids.why(f"sheet-{key}"), text, card(run, at, what), label=label)


def _choose(words: str, element: str) -> Part:
    return chooser(words, element, resilience_ids.PAGE)


def _story(run: "ResilienceRun", at: At) -> list[Part]:
    """Return what is placed and what it is worth; where it stands; then the shock that is drawn."""
    planned, case = planned_of(run, at), run.case
    table = table_of(run, planned)
    title = f"{count(int(table.sum()), 'module')} at {count(int((table.sum(axis=0) > 0).sum()), 'bus', 'buses')}"
    return [
        html.Div(html.H2(title, className="hr-feeder-title"), className="hr-feeder-head"),
        html.P([f"The plan {METHODS[planned.method]}: {NOTES[planned.method]}. ", *worth(run, at)]),
        _placed(run, at) if table.any() else None,
        html.P(
            [*_shock(run, at), f" {len(case.scenarios)} shocks in all; the number above the drawing chooses one."],
            className="hr-muted",
        ),
    ]  # fmt: skip


def worth(run: "ResilienceRun", at: At) -> list[Part]:
    """Return what a plan is worth on its own shocks, and on shifted ones where these are known, in sentences."""
    planned = planned_of(run, at)
    if metrics_of(run, planned.method, "train") is None or metrics_of(run, "none", "train") is None:
        return ["What it is worth is being worked out."]

    def told(name: str, method: Method, shocks: str = "train") -> Part:
        value = float(getattr(metrics_of(run, method, shocks), name))
        shown = dollars(value) if name == "mean_cost" else mwh(value, 3)
        return _why(run, at, f"metric:{name}:{method}:{shocks}", shown, f"{METRICS[name][0]}, {METHODS[method]}")

    tail = "cvar_unserved_mwh"
    found = [
        "In the worst 5 % of its own shocks ", told(tail, planned.method), " are not served, ", told(tail, "none"),
        " without modules; an event costs ", told("mean_cost", planned.method), " in the mean instead of ",
        told("mean_cost", "none"), ".",
    ]  # fmt: skip
    if metrics_of(run, planned.method, "shifted") is not None and metrics_of(run, "none", "shifted") is not None:
        found += [
            " On shocks of a heavier kind that no plan has seen: ", told(tail, planned.method, "shifted"), " against ",
            told(tail, "none", "shifted"), ".",
        ]  # fmt: skip
    return found


def _shock(run: "ResilienceRun", at: At) -> list[Part]:
    planned, shock = planned_of(run, at), shock_of(run, at)
    cost, lost = float(planned.outcomes.cost[shock]), float(planned.outcomes.unserved_mwh[shock])
    words = _why(run, at, "played", f"{dollars(cost)}, {mwh(lost, 3)} not served", "What the shock costs")
    return [f"Drawn: {shock_words(run, shock)}; it costs ", words, "."]


def _placed(run: "ResilienceRun", at: At) -> Part:
    case, table = run.case, table_of(run, planned_of(run, at))
    rows = []
    for place, site in enumerate(case.sites):
        own = [(kind, int(n)) for kind, n in zip(case.types, table[:, place], strict=True) if n]
        if not own:
            continue
        power = [(n, kind.name, kind.power_mw) for kind, n in own]
        energy = [(n, kind.name, kind.energy_mwh) for kind, n in own if kind.kind != "generation"]
        rows.append(
            html.Tr([
                html.Th(_choose(f"Bus {site}", f"bus:{site}"), scope="row"),
                html.Td(", ".join(f"{n} {kind.name}" for kind, n in own)),
                html.Td(_sum(run, site, "MW", power)),
                html.Td(_sum(run, site, "MWh", energy)),
            ])
        )  # fmt: skip
    heads = ("Where", "What", "MW", "MWh")
    return html.Table(
        [html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])), html.Tbody(rows)],
        className="hr-feeder-small hr-hubs-list",
    )


def _sum(run: "ResilienceRun", site: str, unit: str, parts: list[tuple[int, str, float]]) -> Part:
    """Return what modules at a site come to together, which says why: ``parts`` are how many, of what, and of one."""
    text = number(sum(n * one for n, _, one in parts), 2)
    why = why_card(
        f"{text} {unit} at bus {site}",
        formula="Σ_m *y*_{mi} *p*_m" if unit == "MW" else "Σ_m *y*_{mi} *e*_m",
        values=[(name, f"{n} of {one:g} {unit}") for n, name, one in parts] or [("stores", "none stands here")],
        inputs=inputs_of(run), source=TYPES,
    )  # fmt: skip
    return why_number(resilience_ids.why(f"sheet-{unit}-{site}"), text, why, label=f"{unit} of modules at bus {site}")


def _bus(run: "ResilienceRun", at: At, bus: str) -> list[Part]:
    case, planned, hour = run.case, planned_of(run, at), hour_of(run, at)
    table, told = table_of(run, planned), metrics_of(run, planned.method, "train")
    shock = shock_of(run, at)
    recourse, answer = played(run, planned.method, shock)
    place = [each.name for each in case.feeder.buses].index(bus)
    label = labels_of(run)[hour]

    def why(name: str, text: str, words: str) -> Part:
        return why_number(resilience_ids.why(f"bus-{name}"), text, bus_card(run, at, bus, name), label=words)

    volts = f"{number(float(voltages(case, recourse, answer)[place, hour]), 4)}{NARROW}p.u."
    rows: list[tuple[Part, Part]] = [
        (f"Lowest voltage at {label}", why("voltage", volts, f"Voltage of bus {bus}")),
    ]
    load = sum(row.kw for row in case.feeder.loads if row.bus == bus) / 1000.0
    if load:
        now = f"{number(load * float(case.load_share[hour]), 3)}{NARROW}MW"
        rows.append((f"Its own load at {label}", why("load", now, f"Load of bus {bus}")))
    for at_campus, campus in enumerate(case.campuses):
        if campus.bus == bus:
            usual, draws = float(case.schedule_mw[at_campus]), float(case.scenarios.draw_mw[shock, hour, at_campus])
            words = f"{number(draws, 3)}{NARROW}MW, by schedule {number(usual, 3)}"
            rows += [
                ("Campus, up to", f"{number(campus.size_mw, 2)}{NARROW}MW"),
                (f"It draws at {label}", why(f"campus-{at_campus}", words, f"Draw of the campus at {bus}")),
            ]
    stands: list[Part] = []
    if bus in case.sites and told is not None:
        site = case.sites.index(bus)
        for kind_at, kind in enumerate(case.types):
            n = int(table[kind_at, site])
            if not n:
                continue
            spot = kind_at * len(case.sites) + site
            what = f"module:{kind_at}:{site}"
            stands.append(
                html.Tr([
                    html.Th(_why(run, at, f"{what}:count", f"{n} {kind.name}", f"{kind.name} at {bus}"), scope="row"),
                    html.Td(_why(run, at, f"{what}:mw", number(n * kind.power_mw, 2), f"MW of {kind.name} at {bus}")),
                    html.Td(_why(run, at, f"{what}:cost", number(n * kind.cost), f"Cost of {kind.name} at {bus}")),
                    html.Td(_why(run, at, f"{what}:given", number(float(told.given_mwh[spot]), 3),
                                 f"What {kind.name} at {bus} gives")),
                    html.Td(_why(run, at, f"{what}:used", percent(float(told.used[spot]), 0),
                                 f"How far {kind.name} at {bus} is used")),
                ])
            )  # fmt: skip
    heads = ("What stands", "MW", "$ a year", "MWh an event", "Used")
    return [
        html.Div(
            [html.H2(f"Bus {bus}", className="hr-feeder-title"),
             html.Span([_choose("All modules", "")], className="hr-feeder-ways")],
            className="hr-feeder-head",
        ),
        html.P(_shock(run, at), className="hr-muted"),
        facts(rows),
        section(
            "Modules here",
            html.Table(
                [html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])), html.Tbody(stands)],
                className="hr-feeder-small hr-hubs-list",
            ),
        )
        if stands
        else html.P(
            "No module stands here." if bus in case.sites else "Modules may not stand here.", className="hr-muted"
        ),
    ]  # fmt: skip
