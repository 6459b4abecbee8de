"""The words of the feeder's question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose; nothing here trusts it. What cannot be used is refused with QuestionError,
every control at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from components.day_fields import Number, typed
from components.siting_typed import Problems, amount, percent
from engine.distribution import library
from engine.distribution.cases import HOURS, PLACES
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.errors import QuestionError

Words = dict[str, Any]
Choices = Sequence[tuple[str, str]]
Change = Edit | CentreBattery  # what a form makes of one centre or bus

FILE = "file:"  # begins the value of a feeder of the reader's own
SEEDED = "seeded"  # the value of the work that no file holds
FEEDERS: Choices = tuple((key, library.named(key).title) for key in PLACES)
METHODS: Choices = (
    ("given", "even work"),
    ("price taker", "price takers"),
    ("walk", "an aggregator (region walk)"),
    ("bilevel", "an aggregator (exact)"),
    ("regions", "an aggregator (all regions)"),
    ("expansion", "an aggregator (binary expansion)"),
    ("best response", "an aggregator (best response)"),
)
SVG: Choices = (("both", "without and with"), ("on", "with"), ("off", "without"))
LOADS: Choices = (("power", "of constant power"), ("own", "by their own models"))
REGULATORS: Choices = (("fixed", "stay where they are"), ("free", "move once more in AC"))
BATTERIES: Choices = (("none", "without batteries"), ("each", "each with a battery"))
LINE_LIMITS: Choices = (("polygon", "a polygon inside the circle"), ("active", "active power alone"), ("none", "none"))


NUMBERS: tuple[Number, ...] = (
    Number("ac-rounds", "ac_rounds", "rounds of tightening by AC", whole=True),
    Number("seed", "seed", "seed of the day and the work", whole=True),
    Number("corrections", "corrections", "corrections of losses, at most, 0 for none", whole=True),
    Number("margin", "ac_margin_pu", "margin on an observed error", "p.u."),
    Number("sides", "polygon_sides", "sides of the polygon", whole=True),
    Number("unbalance", "unbalance_limit", "limit of the unbalance, 0 for none", "%", 100.0),
    Number("penalty", "limit_price_per_mwh", "price of exceeding a limit", "$/MWh"),
    Number("slope", "supply_slope_per_mw2h", "slope of the substation's price", "$/MW\u00b2h"),
    Number("var-slope", "reactive_slope_per_mvar2h", "slope of the price of reactive power", "$/Mvar\u00b2h"),
    Number("bits", "bits", "bits of the expansion", whole=True),
    Number("time", "method_time_s", "time of a method, at most", "s"),
    Number("scenarios", "scenarios", "scenarios of work and sun", whole=True),
    Number("work-spread", "work_deviation", "standard deviation of the work", "%", 100.0),
    Number("sun-spread", "sun_deviation", "standard deviation of the sun", "%", 100.0),
)
BATTERY: tuple[Number, ...] = (
    Number("battery-power", "power_mw", "power of each battery", "MW"),
    Number("battery-energy", "energy_mwh", "energy of each battery", "MWh"),
    Number("battery-efficiency", "efficiency", "its efficiency, there and back", "%", 100.0),
    Number("battery-start", "start_share", "held before the first hour", "%", 100.0),
    Number("battery-end", "end_share", "held after the last", "%", 100.0),
)
LISTS: tuple[tuple[str, str, str], ...] = (
    ("prices", "price_per_mwh", "price in $/MWh"),
    ("load-share", "load_share", "load share"),
    ("sun-share", "sun_share", "share of sun"),
)
SELECTS: tuple[tuple[str, str, Choices], ...] = (
    ("method", "method", METHODS),
    ("svg", "svg", SVG),
    ("loads", "loads", LOADS),
    ("regulators", "regulators", REGULATORS),
    ("line-limits", "line_limits", LINE_LIMITS),
)
NAMES: tuple[str, ...] = (
    "feeder", "hours", "voltage-limits", "draw", "workload", "batteries",
    *(name for name, *_ in SELECTS), *(number.word for number in (*NUMBERS, *BATTERY)), *(name for name, *_ in LISTS),
)  # fmt: skip


def words_of(question: FeederQuestion) -> Words:
    """Return what each control holds for a question; its edits, and batteries of one centre, are in a Store."""
    shared = shared_battery(question)
    held: Words = {
        "feeder": f"{FILE}{question.dataset}" if question.dataset else question.feeder,
        "hours": hours_text(question.hours),
        "voltage-limits": ["kept"] if question.voltage_limits else [],
        "draw": "\n".join(", ".join(f"{kw:g}" for kw in row) for row in question.draw_kw),
        "workload": question.workload or SEEDED,
        "batteries": "none" if shared is None else "each",
    }
    held |= {name: getattr(question, field) for name, field, _ in SELECTS}
    for one in (*NUMBERS, *BATTERY):
        value = getattr((shared or CentreBattery()) if one in BATTERY else question, one.field)
        held[one.word] = percent(value) if one.scale == 100.0 else value
    held |= {name: ", ".join(f"{value:g}" for value in getattr(question, field)) for name, field, _ in LISTS}
    return held


def question_of(words: Mapping[str, Any], edits: Any) -> FeederQuestion:
    """Return the question that the controls hold, checked as far as it can be without the feeder.

    Raises QuestionError with every control that cannot be read, and everything that is out of its range.
    """
    found = Problems()
    feeder = str(words.get("feeder") or "")
    asked: dict[str, Any] = {name: str(words.get(word) or "") for word, name, _ in SELECTS}
    asked["dataset" if feeder.startswith(FILE) else "feeder"] = feeder.removeprefix(FILE)
    asked["hours"] = found.read(lambda: hours_of(words.get("hours")), ())
    asked["voltage_limits"] = "kept" in _listed(words.get("voltage-limits"))
    asked["workload"] = str(words.get("workload") or "").replace(SEEDED, "")
    for one in NUMBERS:
        asked[one.field] = found.read(partial(typed, words.get(one.word), one), 0)
    for word, name, what in LISTS:
        asked[name] = found.read(partial(numbers_of, words.get(word), what), ())
    asked["draw_kw"] = found.read(lambda: draws_of(words.get("draw")), ())
    rows = edits if isinstance(edits, list) else []
    asked["edits"] = [row for row in rows if not _of_battery(row)]
    each = {one.field: found.read(partial(typed, words.get(one.word), one), 0) for one in BATTERY}
    asked["batteries"] = [each] if words.get("batteries") == "each" else []
    asked["batteries"] += [row for row in rows if _of_battery(row)]
    found.told()
    return FeederQuestion.from_json(asked).checked()


def edits_of(held: Any) -> tuple[Change, ...]:
    """Return the edits of the Store that holds them, in their order. Raises QuestionError for anything else."""
    rows = held if isinstance(held, list) else []
    made = [FeederQuestion.from_json({"batteries" if _of_battery(row) else "edits": [row]}) for row in rows]
    found: list[Change] = []
    for one in made:
        found += [*one.edits, *one.batteries]
    return tuple(found)


def changes_of(question: FeederQuestion) -> tuple[Change, ...]:
    """Return what of a question is an edit: of the feeder, and batteries of one centre."""
    return (*question.edits, *(row for row in question.batteries if row.centre))


def held_changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return what the Store of the edits holds."""
    return [asdict(one) for one in changes]


def shared_battery(question: FeederQuestion) -> CentreBattery | None:
    """Return the battery that stands beside every centre, None where there is none."""
    return next((row for row in reversed(question.batteries) if not row.centre), None)


def unedited(question: FeederQuestion) -> FeederQuestion:
    """Return the question without what is edited."""
    return replace(question, edits=(), batteries=tuple(row for row in question.batteries if not row.centre))


def _of_battery(row: Any) -> bool:
    return isinstance(row, Mapping) and "energy_mwh" in row


def hours_of(text: Any) -> tuple[int, ...]:
    """Return hours of the day typed as "0-23" or "7, 8, 18-20"; () for all. Raises QuestionError for anything else."""
    found: set[int] = set()
    for part in str(text or "").replace("\u2013", "-").replace(";", ",").replace(",", " ").split():
        first, dash, last = part.partition("-")
        if not _is_hour(first) or (dash and not _is_hour(last)) or int(first) > int(last or first):
            raise QuestionError(f"hours are those of a day, such as 0-23 or 7, 8, 18-20, not {part[:20]!r}")
        found |= set(range(int(first), int(last or first) + 1))
    return () if len(found) == HOURS else tuple(sorted(found))


def hours_text(hours: Sequence[int]) -> str:
    """Return hours as :func:`hours_of` reads them."""
    runs: list[list[int]] = []
    for hour in hours or range(HOURS):
        if runs and hour == runs[-1][-1] + 1:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def numbers_of(text: Any, what: str) -> tuple[float, ...]:
    """Return a typed list of numbers, one for each hour; () for none. Raises QuestionError naming one that is none."""
    parts = str(text or "").replace(";", ",").replace(",", " ").split()
    return tuple(amount(part, what, -math.inf, math.inf) for part in parts)


def draws_of(text: Any) -> tuple[tuple[float, ...], ...]:
    """Return typed draws: a line for each hour, in it kW of each data centre. Raises QuestionError as above."""
    lines = [line for line in str(text or "").splitlines() if line.strip()]
    return tuple(numbers_of(line, "draw in kW") for line in lines)


def changed_words(before: FeederQuestion, now: FeederQuestion) -> list[str]:
    """Return what of a question has changed, in words."""
    names = {one.field: one.label for one in NUMBERS}
    names |= {
        "feeder": "the feeder", "dataset": "the feeder", "edits": "the edits", "hours": "the hours",
        "price_per_mwh": "the prices", "load_share": "the load shares", "sun_share": "the sun",
        "method": "who schedules", "svg": "which cases", "loads": "the loads", "regulators": "the regulators",
        "voltage_limits": "voltage limits", "line_limits": "line limits", "draw_kw": "the draws",
        "workload": "the work", "batteries": "the batteries",
    }  # fmt: skip
    old, new = before.to_json(), now.to_json()
    return list(dict.fromkeys(words for name, words in names.items() if old[name] != new[name]))


def _is_hour(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 2 and int(text) < HOURS


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
