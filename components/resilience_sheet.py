"""The inspector of the Resilience page: the story of the study, or the bus that is selected."""

from typing import TYPE_CHECKING

from dash import html

from components import resilience_ids
from components.format import count, number, percent
from components.hubs_tables import chooser
from components.resilience_cards import card, metrics_of
from components.resilience_diagram import voltages
from components.resilience_words import (
    METHODS,
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
from components.why_card import why_number

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
        html.P(f"The plan {METHODS[planned.method]}: {NOTES[planned.method]}. {worth(run, at)}"),
        _placed(run, at) if table.any() else None,
        html.P(
            [_shock(run, at), " ", _why(run, at, "played", "Why", "What the shock costs"), f" {len(case.scenarios)} "
             "shocks in all; the number above the drawing chooses one."],
            className="hr-muted",
        ),
    ]  # fmt: skip


def worth(run: "ResilienceRun", at: At) -> str:
    """Return what a plan is worth on its own shocks, and on shifted ones where these are known, in sentences."""
    planned = planned_of(run, at)
    with_, none = metrics_of(run, planned.method, "train"), metrics_of(run, "none", "train")
    if with_ is None or none is None:
        return "What it is worth is being worked out."
    told = [
        f"In the worst 5 % of its own shocks {mwh(with_.cvar_unserved_mwh, 3)} are not served, "
        f"{mwh(none.cvar_unserved_mwh, 3)} without modules; an event costs {dollars(with_.mean_cost)} in the mean "
        f"instead of {dollars(none.mean_cost)}."
    ]
    shifted, bare = metrics_of(run, planned.method, "shifted"), metrics_of(run, "none", "shifted")
    if shifted is not None and bare is not None:
        told.append(
            f"On shocks of a heavier kind that no plan has seen: {mwh(shifted.cvar_unserved_mwh, 3)} against "
            f"{mwh(bare.cvar_unserved_mwh, 3)}."
        )
    return " ".join(told)


def _shock(run: "ResilienceRun", at: At) -> str:
    planned, shock = planned_of(run, at), shock_of(run, at)
    words = shock_words(run, shock)
    return (
        f"Drawn: {words}; it costs {dollars(float(planned.outcomes.cost[shock]))}, "
        f"{mwh(float(planned.outcomes.unserved_mwh[shock]), 3)} not served."
    )


def _placed(run: "ResilienceRun", at: At) -> Part:
    case, table = run.case, table_of(run, planned_of(run, at))
    rows = []
    for place, site in enumerate(case.sites):
        own = [(kind, int(n)) for kind, n in zip(case.types, table[:, place], strict=True) if n]
        if not own:
            continue
        power = sum(kind.power_mw * n for kind, n in own)
        energy = sum(kind.energy_mwh * n for kind, n in own if kind.kind != "generation")
        rows.append(
            html.Tr([
                html.Th(_choose(f"Bus {site}", f"bus:{site}"), scope="row"),
                html.Td(", ".join(f"{n} {kind.name}" for kind, n in own)),
                html.Td(number(power, 2)),
                html.Td(number(energy, 2)),
            ])
        )  # fmt: skip
    heads = ("Where", "What", "MW", "MWh")
    return html.Table(
        [html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])), html.Tbody(rows)],
        className="hr-feeder-small hr-hubs-list",
    )


def _bus(run: "ResilienceRun", at: At, bus: str) -> list[Part]:
    case, planned, hour = run.case, planned_of(run, at), hour_of(run, at)
    table, told = table_of(run, planned), metrics_of(run, planned.method, "train")
    shock = shock_of(run, at)
    recourse, answer = played(run, planned.method, shock)
    place = [each.name for each in case.feeder.buses].index(bus)
    label = labels_of(run)[hour]
    rows: list[tuple[Part, Part]] = [
        (f"Lowest voltage at {label}", f"{number(float(voltages(case, recourse, answer)[place, hour]), 4)} p.u."),
    ]
    load = sum(row.kw for row in case.feeder.loads if row.bus == bus) / 1000.0
    if load:
        rows.append((f"Its own load at {label}", f"{number(load * float(case.load_share[hour]), 3)} MW"))
    for at_campus, campus in enumerate(case.campuses):
        if campus.bus == bus:
            usual, now = float(case.schedule_mw[at_campus]), float(case.scenarios.draw_mw[shock, hour, at_campus])
            rows += [
                ("Campus, up to", f"{number(campus.size_mw, 2)} MW"),
                (f"It draws at {label}", f"{number(now, 3)} MW, by schedule {number(usual, 3)}"),
            ]  # fmt: skip
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
                    html.Th(f"{n} {kind.name}", scope="row"),
                    html.Td(number(n * kind.power_mw, 2)),
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
        html.P(f"{_shock(run, at)}", className="hr-muted"),
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
