"""The printable report of one bus: what it can take, what stops it, its curve against risk, its neighbours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from components.capacity_answer import (
    Answer,
    alone_gain_mw,
    alone_limits,
    alone_mw,
    amount,
    level_words,
    short_limit,
    signed,
)
from components.capacity_sites import bus_facts, bus_words
from components.capacity_tables import product_rows
from components.drawing_capacity import curve_chart, title_of
from components.drawing_chart import draw_chart
from components.drawing_sheet import inline, rendered
from components.format import MISSING, megawatts, number, percent, voltage
from components.report import (
    ReportOf,
    binding_tables,
    drawn_map,
    heading,
    mw,
    provenance,
)
from components.report_html import bullets, el, facts, figure, numbers, section, table
from engine.capacity.results import RiskCurve, Why


@dataclass(frozen=True, slots=True, eq=False)
class BusPart:
    """What is known of the bus beside the answer."""

    position: int
    curve: RiskCurve | None  # None where there is no risk level, or the bus is out of service
    cards: Sequence[Why]  # why its numbers are so


def bus_report(given: ReportOf, part: BusPart) -> list[Markup]:
    """Return the parts of the report of a bus."""
    answer, position = given.answer, part.position
    key = answer.network.buses.ids[position]
    name = bus_words(answer.network, position)
    data = facts((str(label), value) for label, value in bus_facts(answer.network, position))
    if not answer.network.buses.in_service[position]:
        told = el("p", "This bus is out of service: nothing can be added here.")
        return [heading(given, name, "Capacity report of a bus"), told, section("Data", data), *provenance(given)]
    rows = [row for row in product_rows(answer) if row["bus"] == key]
    products = table(
        ("Product", "Kind", "Size, MW", "Interrupted in at most"),
        [[row["id"], row["kind"], number(row["mw"], 1), row["risk"]] for row in rows],
        "What could be published at this bus",
        left=(0, 1, 3),
    )
    return [
        heading(given, name, "Capacity report of a bus"),
        el("p", title_of(answer)),
        _numbers(answer, position),
        section("What it can take", _levels(answer, position)),
        drawn_map(answer, "firm", "Where it is", around=position),
        section(
            "MW against risk, alone, no outage" if answer.deep else "MW against risk, alone", _curve(answer, part.curve)
        ),
        section("Why", *_why(answer, key, part.cards)),
        section("What binds", *binding_tables(answer, limits_of(answer, key))),
        section("Products", products),
        section("What the promise is worth", *given.promise),
        section("Its neighbours", _neighbours(answer, position)),
        section("Data", data),
        *provenance(given),
    ]


def limits_of(answer: Answer, bus: str) -> list[str]:
    """Return in words the limits that stop a site at the levels asked; none for a bus that is no site."""
    place = answer.sites().get(bus)
    if place is None:
        return []
    stops = [(level, level.limited_by[place]) for level in answer.result.levels]
    return [level.binding[by].limit.words for level, by in stops if by >= 0]


def _numbers(answer: Answer, position: int) -> Markup:
    place = answer.sites().get(answer.network.buses.ids[position])
    cells = []
    if place is not None and answer.result.levels:
        levels = answer.result.levels
        asked = answer.result.demand_mw[place]
        cells.append(
            ("Firm, with the other sites", megawatts(levels[0].capacity_mw[place]), f"of {megawatts(asked)} asked")
        )
        if len(levels) > 1:
            last = levels[-1]
            gain = last.capacity_mw[place] - levels[0].capacity_mw[place]
            note = f"{megawatts(last.capacity_mw[place])} with firm"
            cells.append((f"Flexible, {level_words(last.epsilon)}", signed(gain), note))
    lone = float(alone_mw(answer, 0)[position])
    cells.append(("Firm, alone", amount(lone), "if no other site took any" + _plain(answer)))
    return numbers(cells)


def _plain(answer: Answer) -> str:
    return ", without outages, redispatch and parts of the year" if answer.deep else ""


def _levels(answer: Answer, position: int) -> Markup:
    place = answer.sites().get(answer.network.buses.ids[position])
    joint = place is not None and bool(answer.result.levels)
    heads = ["Level", *(["With the other sites, MW", "Limited by"] if joint else []), "Alone, MW", "Alone limited by"]
    rows = []
    for step, epsilon in enumerate(answer.alone.epsilons):
        row = [level_words(epsilon).capitalize()]
        if joint and place is not None:
            level = answer.result.levels[step]
            by = level.limited_by[place]
            row += [mw(level.capacity_mw[place]), "its own demand" if by < 0 else short_limit(level.binding[by].limit)]
        limit = alone_limits(answer, step)[position]
        lone = float(alone_mw(answer, step)[position])
        row += [
            mw(lone) if math.isfinite(lone) else "unlimited",
            "no limit is met" if limit is None else short_limit(limit),
        ]
        rows.append(row)
    left = (0, 2, 4) if joint else (0, 2)
    return table(heads, rows, "In total, the levels before included", left=left)


def _curve(answer: Answer, curve: RiskCurve | None) -> Markup | None:
    if curve is None or len(curve.epsilons) < 2:
        return None
    chart, caption = curve_chart(answer, curve)
    svg = rendered(draw_chart(chart, None), "svg", caption)
    steps = [place for place, text in enumerate(curve.limiting) if place == 0 or text != curve.limiting[place - 1]]
    rows = [
        [percent(float(curve.epsilons[place])), mw(float(curve.capacity_mw[place])), curve.limiting[place] or MISSING]
        for place in steps
    ]
    turns = table(
        ("From risk", "MW", "Limited by"), rows, "Where another limit takes over along the curve", left=(0, 2)
    )
    return el("div", figure(inline(svg, caption.subtitle), caption.subtitle), turns)


def _why(answer: Answer, bus: str, cards: Sequence[Why]) -> list[Markup]:
    """Return the cards; of an answer with outages or redispatch what its own binding rows say."""
    made = [_card(card) for card in cards]
    if not answer.deep:
        return made
    place = answer.sites().get(bus)
    lines = []
    for level in answer.result.levels if place is not None else ():
        by = level.limited_by[place] if place is not None else -1
        words = "its own demand is met in full" if by < 0 else level.binding[by].words
        lines.append(f"{level_words(level.epsilon).capitalize()}, with the other sites: {words}")
    return [bullets(lines), *made]


def _card(card: Why) -> Markup:
    rows = [(term.symbol, f"{number(term.value, 3 if term.unit == '' else 1)} {term.unit}".strip(), term.meaning)
            for term in card.terms]  # fmt: skip
    formula = [el("p", el("code", text)) for text in (card.formula, card.formula_with_values) if text]
    values = facts((symbol, f"{value}, {meaning}") for symbol, value, meaning in rows)
    return el("div", el("h3", card.title), el("p", card.summary), *formula, values, class_="card")


def _neighbours(answer: Answer, position: int) -> Markup:
    branches, buses = answer.network.branches, answer.network.buses
    firm, last = alone_mw(answer, 0), len(answer.alone.epsilons) - 1
    gain = alone_gain_mw(answer, last) if last else None
    heads = [
        "Branch",
        "Kind",
        "To bus",
        "Substation",
        "Voltage",
        "Rating A, MW",
        "In service",
        "Neighbour alone, firm, MW",
    ]
    heads += [f"+ {level_words(answer.alone.epsilons[last])}, MW"] if last else []
    rows = []
    for i in np.flatnonzero((branches.from_bus == position) | (branches.to_bus == position)).tolist():
        other = int(branches.to_bus[i] if branches.from_bus[i] == position else branches.from_bus[i])
        rating = float(branches.rating_a_mw[i])
        row = [
            branches.ids[i], branches.kinds[i], buses.ids[other], buses.names[other],
            voltage(float(buses.base_kv[other])), mw(rating) if math.isfinite(rating) else "unlimited",
            "yes" if branches.in_service[i] else "no", _cell(float(firm[other])),
        ]  # fmt: skip
        rows.append(row + ([] if gain is None else [_cell(float(gain[other]))]))
    return table(heads, rows, "What the branches at this bus lead to", left=(0, 1, 2, 3, 6))


def _cell(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return mw(value) if math.isfinite(value) else "unlimited"
