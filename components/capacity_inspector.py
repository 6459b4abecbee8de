"""The inspector of the Capacity page: the selected bus, branch or unit, else the study as a whole."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import (
    Answer,
    alone_mw,
    amount,
    gain_words,
    level_words,
    limit_element,
    pressed_button,
    short_limit,
    signed,
)
from components.capacity_deep import Cell, Variant, compared, outage_words
from components.capacity_periods import period_words, year_section
from components.capacity_results import METHOD, more_words, notice_list, notices, room_words, sentence
from components.capacity_sites import bus_facts, bus_words
from components.capacity_states import FULL_MW
from components.capacity_tables import lone_counts
from components.format import count, duration, megawatts, number, percent
from components.skeleton import Part, facts, section, state
from components.theme import Theme, styled, token
from components.why_card import WhyInput, why_card, why_number
from engine.capacity.question import MOST_EPSILONS
from engine.capacity.results import Binding, RiskCurve, Term, Why

# The numbers of a selected bus whose cards are filled when they are pressed: with the other sites, and alone.
WHY_NAMES = tuple(f"{kind}{level}" for kind in ("site", "alone") for level in range(MOST_EPSILONS + 1))
Cells = Mapping[Variant, Cell]
_MOST_LISTED = 6
SECONDS_FROM = 2.0  # a time longer than this is told in seconds


def why_id(name: str) -> str:
    """Return the id of a number of the selected site whose card is filled when it is pressed."""
    return f"capacity-why-{name}"


def overview(answer: Answer, cells: Cells, theme: Theme) -> html.Div:
    """Return what is said of the whole answer while nothing is selected. ``cells`` are the answers side by side."""
    level = answer.result.levels[0] if answer.result.levels else None
    bindings = sorted(level.binding, key=lambda entry: -(entry.gain_mw_per_mw or 0.0)) if level else []
    origin = answer.result.provenance
    lines = [
        html.Li(
            [
                _select_button(limit_element(entry.limit), short_limit(entry.limit)),
                html.Span(_binds_words(answer, entry), className="hr-muted"),
            ]
        )
        for entry in bindings[:_MOST_LISTED]
    ]
    parts: list[Part] = [
        html.P("Press a bus on the map or a row of the table to see its numbers and why they stop there.")
    ]
    parts += [compared(answer, cells), year_section(answer, None, theme)]
    if lines:
        parts.append(section("What binds, firm", html.Ul(lines, className="hr-capacity-binds")))
    given_up = _given_up(answer)
    if given_up:
        parts.append(section("Given up", facts(given_up)))
    notes = notice_list(notices(answer))
    if notes is not None:
        parts.append(section("Notes", notes))
    parts.append(
        section(
            "Made from",
            facts(
                [
                    ("Network", origin.network),
                    ("States", origin.source),
                    ("Power from", answer.question.supply_words()),
                    ("Secure for", outage_words(answer.question)),
                    *([("Drawn", period_words(answer))] if answer.periods else []),
                    ("Objective", answer.question.objective_words()),
                    ("Computed", f"{origin.date[:16].replace('T', ' ')} UTC"),
                    ("Time", _time_words(answer)),
                ]
            ),
        )
    )
    return html.Div(parts)


def _binds_words(answer: Answer, entry: Binding) -> str:
    """Return why a limit binds: what it is exceeded by already, else what more of it would bring."""
    key = (entry.limit.kind, entry.limit.element, entry.limit.outage)
    for row in answer.result.over_limit:
        if row.level == entry.level and (row.limit.kind, row.limit.element, row.limit.outage) == key:
            return f"exceeded by {megawatts(row.over_mw)} before any addition"
    if entry.margin_mw < FULL_MW:
        return "full before any addition"
    return gain_words(entry) or "binds"


def _time_words(answer: Answer) -> str:
    """Return how long it took: milliseconds on margins that are kept, or a job's seconds with all it needs."""
    time_s = answer.result.time_s
    return duration(time_s) if time_s >= SECONDS_FROM else f"{number(1000 * time_s)} ms after the margins"


def nothing_yet() -> html.Div:
    """Return what the inspector says before there is an answer."""
    return state("empty", "The numbers of a bus and why they stop there appear here once the answer is computed.")


def bus(
    answer: Answer, position: int, curve: RiskCurve | None, stop: str, *, theme: Theme, cells: Cells | None = None
) -> html.Div:
    """Return a bus: its capacity with the other sites and alone, what limits it, its curve against risk.

    ``stop`` says why a site stops at its firm capacity, "" for another bus; ``cells`` are a site's answers side by
    side.
    """
    key = answer.network.buses.ids[position]
    place = answer.sites().get(key)
    parts: list[Part] = [html.H3(bus_words(answer.network, position), className="hr-capacity-title")]
    if not answer.network.buses.in_service[position]:
        parts.append(state("empty", "This bus is out of service: nothing can be added here."))
        return html.Div([*parts, section("Data", facts(bus_facts(answer.network, position)))])
    parts.append(_numbers(answer, position, place if answer.result.levels else None))
    if stop:
        parts.append(html.P([html.Strong("With the other sites: "), stop]))
    alone = "Alone, without outages: " if answer.deep else "Alone: "
    parts.append(html.P([html.Strong(alone), _alone_words(answer, position)]))
    if place is not None:
        parts.append(year_section(answer, place, theme))
        if cells is not None and answer.result.levels:
            parts.append(compared(answer, cells, key))
    if curve is not None and len(curve.epsilons) > 1:
        parts.append(_curve_section(answer, curve, theme))
    text = "Remove from the sites" if place is not None else "Add as a site"
    parts.append(html.Div(pressed_button(text, capacity_ids.SITE_TOGGLE), className="hr-capacity-actions"))
    parts.append(section("Data", facts(bus_facts(answer.network, position))))
    return html.Div(parts)


def branch(answer: Answer, position: int, gains: Mapping[tuple[float, int], float | None]) -> html.Div:
    """Return a branch: its rating, whether it binds, at which level, and what more of it would bring.

    ``gains`` has the MW over all sites that 10 MW more bring, by level and the limit's row, from solving again.
    """
    branches, buses = answer.network.branches, answer.network.buses
    key = branches.ids[position]
    ends = [int(branches.from_bus[position]), int(branches.to_bus[position])]
    parts: list[Part] = [html.H3(f"{branches.kinds[position].capitalize()} {key}", className="hr-capacity-title")]
    found = [
        (level.epsilon, entry)
        for level in answer.result.levels
        for entry in level.binding
        if limit_element(entry.limit) == f"branch:{key}"
    ]
    over = [row for row in answer.result.over_limit if limit_element(row.limit) == f"branch:{key}"]
    parts += [state("infeasible", row.words, title=f"Exceeded already, {level_words(row.level)}") for row in over]
    for epsilon, entry in found:
        rows: list[tuple[Part, Part]] = [
            (sentence(room_words(entry)), megawatts(entry.margin_mw)),
        ]
        gain = gains.get((epsilon, entry.limit.row))
        if gain is not None:
            rows.append(("10 MW more there give, in total", more_words(answer, gain)))
        if entry.limit.outage:
            rows.append(("Worst outage", entry.limit.outage))
        if entry.state:
            rows.append(("Worst state", entry.state))
        parts.append(section(f"Binds, {level_words(epsilon)}", html.P(entry.words), facts(rows)))
    after = _limits_after(answer, key)
    if after:
        words = "Without it these limits bind"
        parts.append(section("Its outage", html.P(words), html.Ul([html.Li(line) for line in after])))
    if not found and not over:
        parts.append(html.P("It does not bind for these sites.", className="hr-muted"))
    stops = lone_counts(answer).get(f"branch:{key}", 0)
    if stops:
        parts.append(html.P(f"It stops {count(stops, 'bus', 'buses')} when load is added at each alone."))
    parts.append(
        section(
            "Data",
            facts(
                [
                    ("From", _select_button(f"bus:{buses.ids[ends[0]]}", bus_words(answer.network, ends[0]))),
                    ("To", _select_button(f"bus:{buses.ids[ends[1]]}", bus_words(answer.network, ends[1]))),
                    ("Rating A", megawatts(float(branches.rating_a_mw[position]))),
                    ("In service", "yes" if branches.in_service[position] else "no"),
                ]
            ),
        )
    )
    return html.Div(parts)


def _limits_after(answer: Answer, outage: str) -> list[str]:
    """Return the limits that bind after the outage of a branch, in words, each once."""
    every = [entry for level in answer.result.levels for entry in level.binding if entry.limit.outage == outage]
    return list(dict.fromkeys(f"{short_limit(entry.limit)}, {level_words(entry.level)}" for entry in every))


def why_of(why: Why, extra: Sequence[WhyInput] = ()) -> html.Div:
    """Return the card of a number that the engine explained."""
    return why_card(
        why.title,
        formula=_signs(why.formula),
        values=[(_signs(term.symbol), _term(term)) for term in why.terms],
        binds=[why.summary],
        inputs=extra,
        source=why.sources[-1] if why.sources else METHOD,
        note=_signs(why.formula_with_values) or None,
    )


def curve_figure(answer: Answer, curve: RiskCurve, theme: Theme = "light") -> go.Figure:
    """Return the largest lone load at a bus against the risk it accepts; the levels asked are marked."""
    share = 100 * np.asarray(curve.epsilons, dtype=float)
    mw = np.asarray(curve.capacity_mw, dtype=float)
    asked = [100 * epsilon for epsilon in answer.question.epsilons]
    marks = mw[np.searchsorted(curve.epsilons, answer.question.epsilons)]
    figure = go.Figure(
        [
            go.Scatter(
                x=share.tolist(),
                y=mw.tolist(),
                mode="lines",
                line={"color": token("flexible", theme), "width": 2.5},
                customdata=list(curve.limiting),
                hovertemplate="%{x:.3g} %: %{y:.1f} MW<br>%{customdata}<extra></extra>",
                name="flexible",
            ),
            go.Scatter(
                x=[0, *asked],
                y=[float(mw[0]), *(float(mark) for mark in marks)],
                mode="markers",
                marker={
                    "color": [token("firm", theme)] + [token("flexible", theme)] * len(asked),
                    "size": 10,
                    "symbol": ["square"] + ["circle"] * len(asked),
                    "line": {"width": 1.5, "color": token("surface", theme)},
                },
                hovertemplate="%{x:.3g} %: %{y:.1f} MW<extra></extra>",
                name="asked",
            ),
        ]
    )
    figure.update_layout(
        showlegend=False,
        xaxis={"title": {"text": "interrupted in at most, % of states"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "MW"}, "rangemode": "tozero" if mw[0] < 0.5 * mw[-1] else "normal"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    return styled(figure, theme, key=f"curve-{curve.bus}")


def _numbers(answer: Answer, position: int, place: int | None) -> Part:
    """Return the bus's numbers, each with its card: what it gets together with the other sites, and alone."""
    name = bus_words(answer.network, position)
    levels = answer.result.levels
    head: list[Part] = [html.Td()]
    if place is not None:
        sites = f"With the other sites, {answer.period}" if answer.period else "With the other sites"
        head.append(html.Th(sites, scope="col"))
    head.append(html.Th("Alone, no outage" if answer.deep else "Alone", scope="col"))
    lines = [html.Tr(head)]
    lone = [float(alone_mw(answer, level)[position]) for level in range(len(answer.alone.epsilons))]
    for step, epsilon in enumerate(answer.alone.epsilons):
        words = "Firm" if step == 0 else f"Flexible, {level_words(epsilon)}"
        cells: list[Part] = [_level_head(words, step)]
        if place is not None:
            size = levels[step].increment_mw[place]
            text = megawatts(size) if step == 0 else signed(size)
            label = f"{words.lower()} capacity at {name}"
            cells.append(html.Td(why_number(why_id(f"site{step}"), text, label=label)))
        size = lone[step] - lone[step - 1] if step and math.isfinite(lone[step - 1]) else lone[step]
        text = amount(size) if step == 0 or not math.isfinite(size) else signed(size)
        label = f"{words.lower()} capacity at {name}, if only it took load"
        cells.append(html.Td(why_number(why_id(f"alone{step}"), text, label=label)))
        lines.append(html.Tr(cells))
    if len(lone) > 1:
        both = [] if place is None else [html.Td(megawatts(levels[-1].capacity_mw[place]))]
        lines.append(html.Tr([_level_head("Together", None), *both, html.Td(amount(lone[-1]))]))
    if place is not None:
        asked = html.Td(megawatts(answer.result.demand_mw[place]))
        lines.append(html.Tr([_level_head("Asked", None), asked, html.Td()]))
    return html.Table([html.Tbody(lines)], className="hr-capacity-numbers")


def _level_head(words: str, step: int | None) -> html.Th:
    sign = "" if step is None else f"hr-capacity-sign hr-sign-{'flexible' if step else 'firm'}"
    return html.Th(html.Span(words, className=sign), scope="row")


def _alone_words(answer: Answer, position: int) -> str:
    row = int(answer.alone.limiting_row[0, position])
    if row < 0:
        return "no limit is met by a load here."
    return f"limited by {answer.prepared.limit(row).words}{_in_state(answer, row)}."


def _in_state(answer: Answer, row: int) -> str:
    words = answer.prepared.state_words(row) if row >= 0 else ""
    return f" in {words}" if words else ""


def _curve_section(answer: Answer, curve: RiskCurve, theme: Theme) -> Part:
    low, high = float(curve.capacity_mw[0]), float(curve.capacity_mw[-1])
    words = f"From {amount(low)} firm to {amount(high)} at {percent(float(curve.epsilons[-1]))}."
    graph = dcc.Graph(
        id=capacity_ids.CURVE,
        figure=curve_figure(answer, curve, theme),
        responsive=True,
        style={"height": "190px"},
        config={"displayModeBar": False},
    )
    held = html.Div(graph, style={"height": "190px"})  # the place is kept until the library of charts is here
    return section(
        "MW against risk, alone, no outage" if answer.deep else "MW against risk, alone",
        held,
        html.P(words, className="hr-muted"),
    )


def _given_up(answer: Answer) -> list[tuple[str, str]]:
    rows = []
    for level in answer.result.levels:
        if level.lost_to_objective_mw > 0.05:
            rows.append((f"To the objective, {level_words(level.epsilon)}", megawatts(level.lost_to_objective_mw)))
        if abs(level.lost_to_subsets_mw) > 0.05:
            rows.append((f"To deliverable parts, {level_words(level.epsilon)}", megawatts(level.lost_to_subsets_mw)))
    return rows


def _select_button(element: str, text: str) -> Part:
    """Return a press that selects an element; plain text for what no map shows."""
    if not element:
        return html.Span(text)
    return html.Button(text, type="button", className="hr-capacity-link", **{"data-capacity-select": element})


def _term(term: Term) -> str:
    size = number(term.value, 3 if term.unit == "" else 1)
    return f"{size} {term.unit}, {term.meaning}" if term.unit else f"{size}, {term.meaning}"


def _signs(formula: str) -> str:
    """Return a formula of the engine, which is plain text, with the signs of print."""
    for plain, sign in (("sum over n of ", "Σ_n "), ("sum a c", "Σ a c"), ("<=", "≤"), (" x ", " × "), (" - ", " − ")):
        formula = formula.replace(plain, sign)
    return formula
