"""What a promise is worth, on paper: the measured risk of the levels and of the products, with how sure it is."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from components.capacity_answer import level_words
from components.format import MISSING, interval, megawatts, number
from components.report_html import bullets, el, facts, table
from engine.capacity.bootstrap import Bootstrap
from engine.capacity.promise import Promise
from engine.capacity.risk import ProductRisk, percents

MOST_PRODUCTS = 60
MOST_LIMITS = 20


def promise_parts(promise: Promise, bus: str | None = None) -> list[Markup]:
    """Return the measured promise of the study, or the part of it that is about one bus."""
    risk = promise.risk
    of_bus = [product for product in risk.products if product.bus == bus]
    listed = of_bus if bus is not None else sorted(risk.products, key=lambda product: -product.interrupted.value)
    parts = [_products(promise, listed[:MOST_PRODUCTS])]
    if len(listed) > MOST_PRODUCTS:
        parts.append(el("p", f"{number(len(listed) - MOST_PRODUCTS)} more products are interrupted less often."))
    if bus is not None and not of_bus:
        parts = [el("p", "No flexible product is granted at this bus: nothing that could be interrupted.")]
    if bus is None:
        parts.insert(0, _levels(promise))
        parts += [_limits(promise), bullets(level.words for level in risk.levels), _totals(promise.bootstrap)]
    states = f"{number(risk.states)} states: {promise.states}"
    rows = [("Measured on", states), ("Measured", f"{promise.date[:16].replace('T', ' ')} UTC")]
    if risk.before.value > 0:
        rows.append(("Exceeded before anything is added", percents(risk.before)))
    if risk.firm_broken.value > 0:
        worst = ("at least " if promise.redispatch else "") + megawatts(risk.firm_broken_worst_mw)
        rows.append(("Not restored by interrupting", f"{percents(risk.firm_broken)}, by {worst} at worst"))
    if promise.no_interval:
        rows.append(("No interval", promise.no_interval))
    return [*parts, facts(rows), bullets(promise.warnings)]


def _levels(promise: Promise) -> Markup:
    """Return how often limits are exceeded: each by the part that loads it most, and with all drawn at once."""
    both = promise.together
    rows = []
    for place, level in enumerate(promise.risk.levels):
        row = [level_words(level.epsilon).capitalize(), percents(level.exceeded)]
        row += [] if both is None else [percents(both.levels[place].exceeded)]
        row += [percents(level.most_on_one), level.most_on or MISSING, number(level.worst_mw, 1)]
        rows.append(row)
    first = "Some limit exceeded, all drawn at once" if both is None else "Limits exceeded, whatever part is drawn"
    first = "No dispatch keeps every limit" if promise.redispatch else first
    heads = [
        "Level",
        first,
        *([] if both is None else ["All at once"]),
        "Limit by limit at most",
        "Most often",
        "Worst, MW",
    ]
    return table(heads, rows, "How often limits are exceeded, with the 95 % interval", left=(0, len(heads) - 2))


def _products(promise: Promise, listed: Sequence[ProductRisk]) -> Markup:
    found = promise.bootstrap
    sizes = {(row.bus, row.epsilon): row.increment for row in (() if found is None else found.products)}
    rows = []
    for product in listed:
        size = sizes.get((product.bus, product.epsilon))
        granted = (
            number(product.capacity_mw, 1)
            if size is None or not math.isfinite(size.low_mw)
            else interval(product.capacity_mw, size.low_mw, size.high_mw, "", 1)
        )
        energy = MISSING if product.energy_mwh is None else number(product.energy_mwh)
        hours = MISSING if product.hours is None else number(product.hours)
        rows.append(
            [
                product.bus, level_words(product.epsilon), granted, percents(product.interrupted), hours, energy,
                number(product.cut_when_mw, 1), number(product.worst_mw, 1),
            ]
        )  # fmt: skip
    heads = (
        "Bus",
        "Level",
        "Flexible, MW",
        "Interrupted",
        "Hours a year",
        "Not served, MWh a year",
        "Cut when cut, mean MW",
        "Worst, MW",
    )
    drawn = "all drawn at once" if promise.together is None else "whatever part is drawn"
    caption = (
        f"Who is interrupted, how often and how deep, {drawn}; the size between 2.5 % and 97.5 % of resampled states"
    )
    return table(heads, rows, caption, left=(0, 1))


def _limits(promise: Promise) -> Markup:
    """Return the limits that are exceeded in some state, the most often exceeded first."""
    risk = promise.risk
    if not risk.rows:
        return Markup("")
    heads = ("Limit", *(level_words(level.epsilon).capitalize() for level in risk.levels), "Before", "Worst, MW")
    rows = [
        [row.words, *(percents(share) for share in row.exceeded), percents(row.before), number(max(row.worst_mw), 1)]
        for row in risk.rows[:MOST_LIMITS]
    ]
    more = f", {MOST_LIMITS} of {number(risk.rows_exceeded)}" if risk.rows_exceeded > MOST_LIMITS else ""
    return table(heads, rows, f"How often each limit is exceeded, the most often first{more}", left=(0,))


def _totals(found: Bootstrap | None) -> Markup:
    if found is None:
        return Markup("")
    rows = [
        (
            f"Flexible in all, {level_words(level.epsilon)}",
            interval(level.increment.value_mw, level.increment.low_mw, level.increment.high_mw),
        )
        for level in found.totals
    ]
    return facts(rows)
