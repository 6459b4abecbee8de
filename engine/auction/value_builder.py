"""From a data centre's economics to its values: what a MW earns, what interruptions cost, how small a campus may be.

A firm MW earns its revenue in every hour. A flexible MW promised at risk epsilon is interrupted h(epsilon) hours a
year; in them the load runs on backup, which costs c more per MWh than the grid. Over Y years (a plain sum, or the
present value at a discount rate) a block of K MW is then worth

    v = K a (R - c h(epsilon)),    a = sum over t = 1..Y of (1 + i)^-t,

and nothing where that is negative: a product may be left unused. A campus that is not built below a minimum size
makes lots at one bus complements, which is where the exposure problem comes from.
"""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from engine.auction.rules import MAX_AMOUNT, Configuration, Lot
from engine.errors import QuestionError

HOURS_PER_YEAR = 8760.0
UNITS = {"$": 1.0, "k$": 1e3, "M$": 1e6}  # dollars in one unit of an amount; others take amount_unit


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a bidder knows of his business. Money in ``currency``'s base unit (dollars for "$", "k$", "M$")."""

    revenue_per_mw_year: float  # R, before the cost of interruptions
    backup_cost_per_mwh: float = 0.0  # c, what a MWh from backup costs above one from the grid
    hours_interrupted: Mapping[float, float] = field(default_factory=dict)  # risk -> hours a year; default: risk x 8760
    minimum_campus_mw: float = 0.0  # nothing is built at a bus below this
    years: int = 1  # Y
    discount_rate: float = 0.0  # i per year
    budget: int | None = None  # in the auction's currency units


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the working: a symbol, what it is, its value and unit."""

    symbol: str
    words: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class LotWorking:
    """How one lot's value comes about, per block."""

    lot: str
    name: str
    capacity_mw: float
    risk: float
    hours: float  # interrupted a year
    earned_per_mw_year: float  # R - c h
    exact: float  # value in currency units before rounding; may be negative
    value: int  # what the valuation says
    words: str


@dataclass(frozen=True, slots=True)
class Built:
    """A bidder's values with their working."""

    valuation: Mapping[str, Any]  # JSON of engine.auction.values
    steps: tuple[Step, ...]
    lots: tuple[LotWorking, ...]
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def annuity(years: int, rate: float) -> float:
    """Return the present value of one unit at the end of each of ``years`` years: ``years`` where the rate is 0."""
    if rate == 0.0:
        return float(years)
    return (1.0 - (1.0 + rate) ** -years) / rate


def build(inputs: Inputs, configuration: Configuration) -> Built:
    """Return the valuation of ``inputs`` over the lots of ``configuration``, with each step of the arithmetic.

    Additive without a minimum campus size, else of kind "campus". Raises QuestionError for a number outside its
    range or a currency whose size is not known.
    """
    _check(inputs)
    unit = _dollars_per_unit(configuration.currency)
    factor = annuity(inputs.years, inputs.discount_rate)
    lots = tuple(_lot(inputs, lot, factor, unit, configuration.currency) for lot in configuration.lots)
    too_much = [row.lot for row in lots if row.value > MAX_AMOUNT]
    if too_much:
        raise QuestionError(f"product {too_much[0]!r} would be worth more than {MAX_AMOUNT} {configuration.currency}")
    values = {row.lot: row.value for row in lots}
    valuation: dict[str, Any] = {"kind": "additive", "values": values}
    if inputs.minimum_campus_mw > 0.0:
        valuation = {"kind": "campus", "values": values, "minimum_mw": inputs.minimum_campus_mw}
    if inputs.budget is not None:
        valuation["budget"] = inputs.budget
    return Built(valuation, _steps(inputs, factor), lots, _notices(inputs, configuration, lots))


def hours_of(inputs: Inputs, risk: float) -> float:
    """Return the hours a year in which a product of this risk is interrupted."""
    return inputs.hours_interrupted.get(risk, risk * HOURS_PER_YEAR)


def _lot(inputs: Inputs, lot: Lot, factor: float, unit: float, currency: str) -> LotWorking:
    hours = hours_of(inputs, lot.risk)
    earned = inputs.revenue_per_mw_year - inputs.backup_cost_per_mwh * hours
    exact = lot.capacity_mw * factor * earned / unit
    value = max(0, math.floor(exact + 1e-9))  # rounded down: nobody bids above what a lot is worth
    words = (
        f"{lot.capacity_mw:g} MW x {factor:.6g} years x ({inputs.revenue_per_mw_year:g} - "
        f"{inputs.backup_cost_per_mwh:g} x {hours:g}) = {exact:,.6g} {currency}"
    )
    if exact < 0.0:
        words += ": backup costs more than the product earns, so it is left unused and worth 0"
    return LotWorking(lot.id, lot.name, lot.capacity_mw, lot.risk, hours, earned, exact, value, words)


def _steps(inputs: Inputs, factor: float) -> tuple[Step, ...]:
    years = f"{inputs.years} {'year' if inputs.years == 1 else 'years'} at {100 * inputs.discount_rate:g} % a year"
    return (
        Step("R", "revenue of a MW in a year", inputs.revenue_per_mw_year, "$/(MW year)"),
        Step("c", "what a MWh from backup costs above the grid", inputs.backup_cost_per_mwh, "$/MWh"),
        Step("a", f"present value of a dollar a year over {years}", factor, "years"),
        Step("K_min", "least MW at one bus that are built", inputs.minimum_campus_mw, "MW"),
    )


def _notices(inputs: Inputs, configuration: Configuration, lots: tuple[LotWorking, ...]) -> tuple[str, ...]:
    notices = []
    lost = [row.lot for row in lots if row.exact < 0.0]
    if lost:
        notices.append(
            f"{len(lost)} products are worth nothing, backup costs more than they earn: {', '.join(lost[:5])}"
        )
    if inputs.minimum_campus_mw > 0.0:
        notices.append(
            f"nothing is built at a bus below {inputs.minimum_campus_mw:g} MW: products there are complements, winning "
            "a part of what is needed is a loss"
        )
        by_bus: dict[str, float] = {}
        for lot in configuration.lots:
            by_bus[lot.bus] = by_bus.get(lot.bus, 0.0) + lot.capacity_mw * lot.quantity
        if all(size < inputs.minimum_campus_mw for size in by_bus.values()):
            notices.append("no bus offers that much: every bundle is worth 0")
    return tuple(notices)


def _check(inputs: Inputs) -> None:
    problems = []
    numbers = {
        "revenue per MW and year": inputs.revenue_per_mw_year,
        "backup cost per MWh": inputs.backup_cost_per_mwh,
        "minimum campus size in MW": inputs.minimum_campus_mw,
    }
    for words, value in numbers.items():
        if not (math.isfinite(value) and value >= 0.0):
            problems.append(f"the {words} must be zero or more, not {value:g}")
    if not 1 <= inputs.years <= 100:
        problems.append(f"the years must be 1 to 100, not {inputs.years}")
    if not 0.0 <= inputs.discount_rate <= 1.0:
        problems.append(f"the discount rate must be 0 to 1 a year, not {inputs.discount_rate:g}")
    for risk, hours in inputs.hours_interrupted.items():
        if not 0.0 <= hours <= HOURS_PER_YEAR:
            problems.append(f"the hours interrupted at risk {risk:g} must be 0 to 8760 a year, not {hours:g}")
    if inputs.budget is not None and not 0 <= inputs.budget <= MAX_AMOUNT:
        problems.append(f"the budget must be 0 to {MAX_AMOUNT}, not {inputs.budget}")
    if problems:
        raise QuestionError("; ".join(problems))


def _dollars_per_unit(currency: str) -> float:
    if currency not in UNITS:
        raise QuestionError(f"the value builder works in {', '.join(UNITS)}; the auction is in {currency!r}")
    return UNITS[currency]


def value_sheet(valuation: Mapping[str, Any], configuration: Configuration) -> list[dict[str, Any]]:
    """Return a bidder's private sheet: rows of lot (or bundle, or number of blocks), its name, value, and words.

    Columns: lot, name, value (whole currency units, per block where a lot has several), words.
    """
    kind, currency = valuation["kind"], configuration.currency
    names = {lot.id: lot.name for lot in configuration.lots}
    rows = _sheet_rows(valuation, configuration, names)
    if valuation.get("budget") is not None:
        budget = int(valuation["budget"])
        rows.append(_row("", "Budget", budget, f"never pay more than {budget} {currency} in total"))
    if kind == "campus":
        least = float(valuation["minimum_mw"])
        where = "all held" if valuation.get("counted") == "over all buses" else "what is held at one bus"
        words = f"below {least:g} MW, {where} is worth 0"
        rows.append(_row("", f"A campus below {least:g} MW", 0, words))
    return rows


def _sheet_rows(
    valuation: Mapping[str, Any], configuration: Configuration, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    kind = valuation["kind"]
    if kind == "symmetric":
        totals = valuation["totals"]
        return [
            _row("", f"Any {k} block{'s' * (k > 1)}", total, f"the last of them adds {total - before:g}")
            for k, (before, total) in enumerate(pairwise(totals), start=1)
        ]
    if kind == "bundles":
        rows = []
        for bundle in valuation["bundles"]:
            parts = [f"{count} x {names[lot]}" if count > 1 else names[lot] for lot, count in bundle["lots"].items()]
            ids = " + ".join(bundle["lots"])
            rows.append(_row(ids, " and ".join(parts), int(bundle["value"]), "all of these together"))
        return rows
    words = {
        "additive": "adds this much, whatever else is won",
        "unit demand": "if this is the best product won; further ones add nothing",
        "campus": "adds this much once the campus is large enough",
    }[kind]
    rows = []
    for lot in configuration.lots:
        value = int(valuation["values"].get(lot.id, 0))
        each = f"each of {lot.quantity} blocks " if lot.quantity > 1 else ""
        also = "; needs firm MW at the same bus" if kind == "campus" and lot.risk > 0.0 else ""
        rows.append(_row(lot.id, lot.name, value, f"{each}{words}{also}"))
    return rows


def _row(lot: str, name: str, value: int, words: str) -> dict[str, Any]:
    return {"lot": lot, "name": name, "value": value, "words": words}


def sheet_csv(rows: list[dict[str, Any]]) -> str:
    """Return a value sheet as CSV text with its header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["lot", "name", "value", "words"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
