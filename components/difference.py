"""Two capacity answers held against each other, B minus A: what differs, by how much, and what stops each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from components import capacity_words
from components.capacity_answer import Answer, alone_limits, alone_mw, level_words, short_limit
from components.capacity_deep import outage_words, plain
from components.capacity_export import origin
from components.capacity_question import plain_sentence
from components.capacity_tables import limit_of_site
from components.format import count, megawatts, number, percent
from components.grid_map import Layer
from engine.capacity.question import CapacityQuestion
from engine.network.model import Network, Vector
from engine.network.tables import KEYS, SINGULAR, NetworkTables

Quantity = Literal["sites-firm", "sites-total", "alone-firm", "alone-total"]
QUANTITIES: tuple[Quantity, ...] = ("sites-firm", "sites-total", "alone-firm", "alone-total")
LABELS: Mapping[Quantity, str] = {
    "sites-firm": "Sites, firm",
    "sites-total": "Sites, with flexible",
    "alone-firm": "Alone, firm",
    "alone-total": "Alone, with flexible",
}
SAME_MW = 0.05  # a smaller difference prints as 0.0
_STEPS = (0.1, 0.4)  # of the largest difference: the marks between little, more and much


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The two answers. They are of one study, perhaps of two states of its network."""

    a: Answer
    b: Answer

    @property
    def network(self) -> Network:
        """Return the network that is drawn: B's."""
        return self.b.network


@dataclass(frozen=True, slots=True)
class Row:
    """One bus: what it gets in A and in B. nan: not asked, or not there."""

    bus: str
    a_mw: float
    b_mw: float
    a_limit: str
    b_limit: str

    @property
    def difference_mw(self) -> float:
        """Return B minus A; 0 where neither meets a limit, nan where one of them is not known."""
        if math.isinf(self.a_mw) and self.a_mw == self.b_mw:
            return 0.0
        return self.b_mw - self.a_mw


def offered(pair: Pair) -> list[Quantity]:
    """Return the quantities that can be compared. Alone, an answer is that without outages and redispatch: where
    nothing else differs there is nothing to see.
    """
    found: list[Quantity] = ["sites-firm"]
    flexible = bool(pair.a.question.epsilons) and bool(pair.b.question.epsilons)
    found += ["sites-total"] if flexible else []
    same = pair.a.network.digest == pair.b.network.digest and _alone_key(pair.a) == _alone_key(pair.b)
    if not same:
        found += ["alone-firm"]
        found += ["alone-total"] if flexible else []
    return found


def _alone_key(answer: Answer) -> dict[str, Any]:
    """Return what of a question the lone capacities depend on: who asks for how much does not count."""
    ignored = ("candidates", "demand_mw", "objective", "tie_rule", "downward_closed", "block_mw", "round_mw", "at_zero")
    return {name: value for name, value in plain(answer.question).to_json().items() if name not in ignored}


def rows(pair: Pair, quantity: Quantity) -> list[Row]:
    """Return one row per site of A or B, in A's order then B's; for "alone" one per bus of B's network in service."""
    if quantity.startswith("sites"):
        a, b = (_site_values(answer, last=quantity == "sites-total") for answer in (pair.a, pair.b))
        buses: Sequence[str] = list(dict.fromkeys([*a, *b]))
    else:
        a, b = (_alone_values(answer, last=quantity == "alone-total") for answer in (pair.a, pair.b))
        buses = [bus for bus in pair.network.buses.ids if bus in a or bus in b]
    none = (math.nan, "")
    return [
        Row(bus, a.get(bus, none)[0], b.get(bus, none)[0], a.get(bus, none)[1], b.get(bus, none)[1]) for bus in buses
    ]


def _site_values(answer: Answer, *, last: bool) -> dict[str, tuple[float, str]]:
    result = answer.result
    if not result.levels:
        return dict.fromkeys(result.candidates, (math.nan, "limits are exceeded already"))
    level = result.levels[-1 if last else 0]
    stops = [limit_of_site(answer, place) if last else _stop(answer, place) for place in range(len(result.candidates))]
    return {bus: (mw, stop) for bus, mw, stop in zip(result.candidates, level.capacity_mw, stops, strict=True)}


def _stop(answer: Answer, place: int) -> str:
    level = answer.result.levels[0]
    by = level.limited_by[place]
    return "its own demand" if by < 0 else short_limit(level.binding[by].limit)


def _alone_values(answer: Answer, *, last: bool) -> dict[str, tuple[float, str]]:
    level = len(answer.alone.epsilons) - 1 if last else 0
    values, limits = alone_mw(answer, level), alone_limits(answer, level)
    return {
        bus: (float(values[i]), "no limit is met" if (limit := limits[i]) is None else short_limit(limit))
        for i, bus in enumerate(answer.network.buses.ids)
        if answer.alone.in_service[i]
    }


def changes(pair: Pair, quantity: Quantity) -> bool:
    """Return whether some bus gets more or less in B than in A."""
    return any(abs(row.difference_mw) >= SAME_MW for row in rows(pair, quantity))


def values_of(pair: Pair, quantity: Quantity) -> Vector:
    """Return (B,) B minus A at the buses of the drawn network, nan where it is not known."""
    position = {bus: i for i, bus in enumerate(pair.network.buses.ids)}
    values = np.full(len(position), np.nan)
    for row in rows(pair, quantity):
        if row.bus in position:
            values[position[row.bus]] = row.difference_mw
    return values


def breaks_of(values: Vector) -> list[float]:
    """Return three marks of the size of a difference: no change below the first, then little, more, much; round."""
    finite = np.abs(values[np.isfinite(values)])
    most = float(finite.max(initial=0.0))
    little = max(2 * SAME_MW, _round(_STEPS[0] * most))
    return [SAME_MW, little, max(2 * little, _round(_STEPS[1] * most))]


def classes_of(values: Vector, breaks: Sequence[float]) -> list[int]:
    """Return the class of each difference: 0 for nan, 4 for no change, below it less, above it more."""
    size = np.searchsorted(breaks, np.abs(values), side="right")
    made = 4 + np.where(values < 0, -size, size)
    return np.where(np.isnan(values), 0, made).astype(int).tolist()


def class_words(breaks: Sequence[float]) -> tuple[str, ...]:
    """Return the legend's words for the seven classes."""
    little, much = number(breaks[1], _digits(breaks[1])), number(breaks[2], _digits(breaks[2]))
    return (
        f"B less by {much} and more", f"B less by {little}\u2013{much}", f"B less, under {little}", "no change",
        f"B more, under {little}", f"B more by {little}\u2013{much}", f"B more by {much} and more",
    )  # fmt: skip


def layers(pair: Pair) -> list[Layer]:
    """Return the layers of the difference map: purple where B is less, orange where it is more."""
    made = []
    for quantity in offered(pair):
        found = {row.bus: row for row in rows(pair, quantity)}
        values = values_of(pair, quantity)
        breaks = breaks_of(values)
        text = ["" if (row := found.get(bus)) is None else row_words(row) for bus in pair.network.buses.ids]
        made.append(
            Layer(
                quantity,
                LABELS[quantity],
                "MW",
                "difference",
                classes_of(values, breaks),
                None,
                class_words(breaks),
                bus_text=text,
                note=note_of(pair, quantity),
            )
        )
    return made


def row_words(row: Row) -> str:
    """Return a row in a line: ``+3.2 MW (A 10.0 MW, B 13.2 MW)``."""
    if math.isnan(row.a_mw) or math.isnan(row.b_mw):
        only = "A" if math.isnan(row.b_mw) else "B"
        value = row.a_mw if only == "A" else row.b_mw
        return "no answer" if math.isnan(value) else f"in {only} only: {megawatts(value)}"
    return f"{signed(row.difference_mw)} MW (A {megawatts(row.a_mw)}, B {megawatts(row.b_mw)})"


def signed(value: float) -> str:
    """Return a difference with its sign, no more digits than are meant: ``+131``, ``0``."""
    if math.isnan(value):
        return number(None)
    if abs(value) < SAME_MW:
        return "0"
    text = number(value, 1 if abs(value) < 99.95 else 0)
    return text if value < 0 else f"+{text}"


def note_of(pair: Pair, quantity: Quantity) -> str:
    """Return what is compared with what."""
    words = "B minus A, MW" + ("" if quantity.startswith("sites") else ", each bus alone")
    if quantity.endswith("total"):
        levels = [level_words(answer.alone.epsilons[-1]) for answer in (pair.a, pair.b)]
        words += f", {levels[0]}" if levels[0] == levels[1] else f", A {levels[0]}, B {levels[1]}"
    if quantity.startswith("alone") and (pair.a.deep or pair.b.deep):
        words += ", without outages, redispatch and parts of the year"
    return words


def differs(pair: Pair) -> list[str]:
    """Return in words what differs between the two settings."""
    a, b = pair.a, pair.b
    found = [f"{words}{_values(a, b, words)}" for words in capacity_words.changed(a.question, b.question)]
    if a.period != b.period:
        found.append(f"the part of the year: {a.period or 'all of it'} in A, {b.period or 'all of it'} in B")
    if a.network.digest != b.network.digest:
        changed = network_changes(a.network.tables, b.network.tables)
        found.append(f"the network: {', '.join(changed) if changed else 'its name or source'}")
    return found


def _values(a: Answer, b: Answer, words: str) -> str:
    """Return what each side has of what differs, "" where it takes more words than fit a line."""
    told = _TOLD.get(words)
    return "" if told is None else f": {told(a.question)} in A, {told(b.question)} in B"


_TOLD: Mapping[str, Callable[[CapacityQuestion], str]] = {
    "the risk level": lambda question: ", ".join(percent(level) for level in question.epsilons) or "firm only",
    "the outages": outage_words,
    "who supplies": CapacityQuestion.supply_words,
    "redispatch": lambda question: "none" if question.recourse == "none" else "in every state",
    "the periods": lambda question: "the whole year" if question.period == "year" else f"each {question.period}",
    "the objective": CapacityQuestion.objective_words,
    "the rating after an outage": lambda question: question.outage_rating.upper(),
    "the budget of buses at their extremes": lambda question: f"{question.budget:g}",
}


def network_changes(before: NetworkTables, after: NetworkTables) -> list[str]:
    """Return in words how two states of a network differ: "2 branches changed", "1 bus added"."""
    found = []
    for name, key in KEYS.items():
        old, new = (_records(tables.table(name), key) for tables in (before, after))
        added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
        changed = sum(old[one] != new[one] for one in old.keys() & new.keys())
        for amount, what in ((added, "added"), (removed, "removed"), (changed, "changed")):
            found += [f"{count(amount, SINGULAR[name], name)} {what}"] if amount else []
    return found


def _records(table: pd.DataFrame, key: str) -> dict[str, str]:
    """Return the rows by id, as text: a gap is equal to a gap."""
    texts: Sequence[str] = table.astype(str).agg("|".join, axis=1).tolist() if len(table) else []
    return dict(zip(table[key].astype(str), texts, strict=True))


def sentence(answer: Answer) -> str:
    """Return the question of one side, with its part of the year."""
    asked = plain_sentence(answer.question)
    return f"{asked} Here {answer.period}." if answer.period else asked


def totals_mw(answer: Answer) -> tuple[float, float]:
    """Return the MW of all sites, firm and in all; nan when nothing was allocated."""
    levels = answer.result.levels
    return (levels[0].total_mw, levels[-1].total_mw) if levels else (math.nan, math.nan)


def export_rows(pair: Pair, quantity: Quantity) -> list[dict[str, Any]]:
    """Return the rows with where both sides are from, for a CSV."""
    a, b = origin(pair.a), origin(pair.b)
    known = {
        "quantity": f"{LABELS[quantity]}: {note_of(pair, quantity)}",
        "differs_in": "; ".join(differs(pair)),
        "network": a["network"],
    }
    for name in ("question", "network_digest", "question_digest", "uncertainty_digest", "status", "solver", "computed"):
        known |= {f"a_{name}": a[name], f"b_{name}": b[name]}
    known |= {"a_period": pair.a.period, "b_period": pair.b.period, "a_use": a["use"], "b_use": b["use"]}
    return [
        {
            "bus": row.bus, "a_mw": row.a_mw, "b_mw": row.b_mw, "difference_mw": row.difference_mw,
            "limited_by_in_a": row.a_limit, "limited_by_in_b": row.b_limit, **known,
        }
        for row in rows(pair, quantity)
    ]  # fmt: skip


def _round(value: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the nearest below ``value``."""
    if value <= 0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(value))
    return float(max(factor * step for factor in (1, 2, 5) if factor * step <= value * (1 + 1e-12)))


def _digits(value: float) -> int:
    return 0 if value >= 1 and value == round(value) else 1 if value >= 0.1 else 2
