"""The value builder of a seat: what a MW earns, what its interruption costs, and the values that follow."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import auction_ids
from components.format import number
from components.skeleton import Part, button, popover
from components.why_card import notation
from engine.auction.value_builder import Built, Inputs


@dataclass(frozen=True, slots=True)
class Field:
    """One number of the builder."""

    name: str
    label: str
    unit: str
    start: float | None
    blank: bool = False  # may be left empty


FIELDS = (
    Field("revenue", "Revenue of a MW in a year", "$", 900_000),
    Field("backup", "Backup, above the grid's price", "$/MWh", 350),
    Field("hours", "Hours interrupted (empty: as promised)", "h a year", None, blank=True),
    Field("campus", "Least campus at one bus (0: any size)", "MW", 0),
    Field("years", "Years", "", 10),
    Field("rate", "Discount rate", "% a year", 8),
    Field("budget", "Budget (empty: none)", "units of the auction", None, blank=True),
)


def panel() -> html.Span:
    """Return the button with the builder behind it."""
    return popover(
        auction_ids.WORTH,
        "Build values",
        html.Div(
            [
                html.P(
                    "What a seat's products are worth, from a business. Used for the chosen seats, or all of them.",
                    className="hr-muted",
                ),
                html.Div([_field(one) for one in FIELDS], className="hr-auction-worth"),
                html.Div(id=f"{auction_ids.WORTH}-working", className="hr-auction-working", **{"aria-live": "polite"}),
                button("Use these values", f"{auction_ids.WORTH}-use", primary=True),
            ]
        ),
        label="Values from revenue, backup and interruptions",
        class_name="hr-button hr-button-quiet",
        width=520,
    )


def _field(one: Field) -> html.Label:
    box = dbc.Input(
        id=auction_ids.worth(one.name), type="number", value=one.start, debounce=True, step="any", min=0,
        persistence=True, persistence_type="local",
    )  # fmt: skip
    unit = html.Span(one.unit, className="hr-unit") if one.unit else None
    return html.Label(
        [html.Span(one.label), html.Span([box, unit], className="hr-auction-control")], className="hr-auction-field"
    )


def inputs_of(held: Mapping[str, Any], risks: Sequence[float]) -> tuple[Inputs | None, list[str]]:
    """Return what the fields say and what is wrong with them. Hours that are named hold for every flexible product."""
    problems: list[str] = []
    values: dict[str, float | None] = {}
    for one in FIELDS:
        value = held.get(one.name)
        if value is None or value == "":
            values[one.name] = None
            if not one.blank:
                problems.append(f"{one.label}: a number is missing.")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            problems.append(f"{one.label}: {str(value)[:40]!r} is not a number.")
        else:
            values[one.name] = float(value)
    for name in ("years", "budget"):
        given = values.get(name)
        if given is not None and given != int(given):
            problems.append(f"{name.capitalize()}: {given:g} is not a whole number.")
    if problems:
        return None, problems
    hours, budget = values["hours"], values["budget"]
    return Inputs(
        revenue_per_mw_year=values["revenue"] or 0.0,
        backup_cost_per_mwh=values["backup"] or 0.0,
        hours_interrupted={} if hours is None else {risk: hours for risk in risks if risk > 0},
        minimum_campus_mw=values["campus"] or 0.0,
        years=int(values["years"] or 0),
        discount_rate=(values["rate"] or 0.0) / 100,
        budget=None if budget is None else int(budget),
    ), []


def working(built: Built, currency: str) -> list[Part]:
    """Return how the values come about: the formula, its numbers, a row per product."""
    rows = [
        html.Tr(
            [
                html.Th(row.name, scope="row"),
                html.Td(number(row.hours), className="hr-num"),
                html.Td(number(row.earned_per_mw_year), className="hr-num"),
                html.Td(html.Strong(number(row.value)), className="hr-num"),
            ]
        )
        for row in built.lots[:MOST_ROWS]
    ]
    heads = ("Product", "Hours out", "$ a MW and year", f"Value, {currency}")
    head = html.Tr([html.Th(words, scope="col", className="hr-num" if place else "") for place, words in
                    enumerate(heads)])  # fmt: skip
    annuity = next(step.value for step in built.steps if step.symbol == "a")
    left = len(built.lots) - MOST_ROWS
    return [
        html.P(notation("*v*_l = *K*_l · *a* · (*R* − *c* · *h*_l)"), className="hr-formula"),
        html.P(
            f"a = {number(annuity, 3)} years: what a dollar a year is worth now; h = hours interrupted in a year, "
            f"the risk times {number(8760)} where none are given.",
            className="hr-muted",
        ),
        html.Div(
            html.Table([html.Thead(head), html.Tbody(rows)], className="hr-worked-table"),
            className="hr-worked-scroll", tabIndex=0, role="group", **{"aria-label": "Values of the products"},
        ),
        html.P(f"and {left} more products", className="hr-muted") if left > 0 else None,
        *(html.P(f"{notice[:1].upper()}{notice[1:]}.", className="hr-muted") for notice in built.notices),
    ]  # fmt: skip


MOST_ROWS = 40


def wrong(problems: Sequence[str]) -> list[Part]:
    """Return what is wrong with the fields."""
    return [html.P(line, className="hr-field-message") for line in problems]
