"""The words of the Resilience page's question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose; nothing here trusts it. What cannot be used is refused with QuestionError,
every control at once. Types of modules are the standard ones with edits, each of one number of one type.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from components.day_fields import Number, typed
from components.siting_typed import Problems, percent
from engine.distribution.library import NAMED
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.question import FEEDERS, IEEE33, ResilienceQuestion

Words = dict[str, Any]
Choices = Sequence[tuple[str, str]]

FILE = "file:"  # begins the value of a file of the reader's own
FEEDER_NAMES: Mapping[str, str] = {IEEE33: "IEEE 33"} | {
    each.key: each.title for each in NAMED if each.key in FEEDERS and each.key != IEEE33
}
DOUBTS: Choices = (
    ("total variation", "total variation"),
    ("wasserstein", "Wasserstein distance"),
    ("moments", "the campuses' mean energies"),
    ("none", "nothing"),
)
ROUTES: Choices = (
    ("decomposition", "by cuts (L-shaped)"),
    ("column and constraint generation", "by columns and constraints"),
    ("extensive form", "as one program"),
)
DRAWN, GIVEN = "drawn", "given"

NUMBERS: tuple[Number, ...] = (
    Number("budget", "budget", "budget", "$ a year"),
    Number("scenarios", "scenarios", "number of shocks", whole=True),
    Number("weight", "weight", "weight of the tail"),
    Number("beta", "beta", "level of the tail", "%", 100.0),
    Number("radius", "radius", "radius of doubt"),
    Number("events", "events", "number of events a year"),
    Number("amplitude", "amplitude", "mean rise", "% of a campus", 100.0),
    Number("variation", "variation", "its deviation", "% of it", 100.0),
    Number("duration", "duration_h", "mean duration", "h"),
    Number("correlation", "correlation", "correlation of campuses"),
    Number("outages", "outage_share", "events with an outage", "%", 100.0),
    Number("steps", "steps", "number of steps", whole=True),
    Number("step", "step_min", "length of a step", "min"),
    Number("seed", "seed", "seed", whole=True),
    Number("atoms", "atoms", "unseen shocks in reach of doubt", whole=True),
    Number("fresh", "fresh", "fresh shocks to judge by", whole=True),
    Number("curve", "curve", "budgets of the curve", whole=True),
    Number("folds", "folds", "parts of the cross-validation", whole=True),
    Number("rolling", "rolling", "shocks met without foresight", whole=True),
    Number("margin", "margin_pu", "margin of voltages", "p.u."),
    Number("gap", "gap", "gap at which the search ends", "%", 100.0),
    Number("time", "time_limit_s", "time of a search, at most", "s"),
)
NAMES: tuple[str, ...] = (
    "feeder", "doubt", "route", "shocks", "traces", "sites", "information", *(number.word for number in NUMBERS),
)  # fmt: skip
EDITED: Mapping[str, str] = {  # numbers of a type that a reader may change, with their words
    "power_mw": "power, MW",
    "energy_mwh": "energy, MWh",
    "cost": "cost, $ a year",
    "inventory": "inventory",
    "most_at_site": "most at a site",
    "cost_per_mwh": "cost of use, $/MWh",
    "delay_min": "delay, min",
}
_ANY = tuple(each.name for each in fields(ModuleType) if each.name not in {"name", "kind"})


@dataclass(frozen=True, slots=True)
class Edit:
    """One number of one type of module, other than the standard one."""

    type: str
    field: str
    value: float


def words_of(question: ResilienceQuestion) -> Words:
    """Return what each control holds for a question; its edits are in a Store."""
    own = question.feeder not in FEEDERS
    held: Words = {
        "feeder": f"{FILE}{question.feeder}" if own else question.feeder,
        "doubt": question.doubt,
        "route": question.route,
        "shocks": f"{FILE}{question.shocks_file}" if question.shocks_file else DRAWN,
        "traces": f"{FILE}{question.traces_file}" if question.traces_file else GIVEN,
        "sites": ["every"] if question.every_bus else [],
        "information": ["asked"] if question.information else [],
    }
    for one in NUMBERS:
        value = getattr(question, one.field)
        held[one.word] = percent(value) if one.scale == 100.0 else value
    return held


def question_of(words: Mapping[str, Any], edits: Any) -> ResilienceQuestion:
    """Return the question that the controls hold, checked as far as it can be without the case.

    Raises QuestionError with every control that cannot be read, and everything that is out of its range.
    """
    found = Problems()
    shocks = str(words.get("shocks") or "")
    traces = str(words.get("traces") or "")
    asked: dict[str, Any] = {
        "feeder": str(words.get("feeder") or "").removeprefix(FILE),
        "doubt": str(words.get("doubt") or ""),
        "route": str(words.get("route") or ""),
        "shocks_file": shocks.removeprefix(FILE) if shocks.startswith(FILE) else "",
        "traces_file": traces.removeprefix(FILE) if traces.startswith(FILE) else "",
        "every_bus": _ticked(words.get("sites"), "every"),
        "information": _ticked(words.get("information"), "asked"),
    }
    for one in NUMBERS:
        asked[one.field] = found.read(partial(typed, words.get(one.word), one), 0)
    types = found.read(lambda: types_of(edits_of(edits)), STANDARD)
    found.told()
    told = ResilienceQuestion.from_json(asked)
    return replace(told, types=types).checked()


def _ticked(value: Any, name: str) -> bool:
    return isinstance(value, list) and name in value


def types_of(edits: Sequence[Edit]) -> tuple[ModuleType, ...]:
    """Return the standard types with edits. Raises QuestionError for a type or a number that there is not."""
    found = {each.name: each for each in STANDARD}
    for edit in edits:
        if edit.type not in found or edit.field not in _ANY:
            raise QuestionError(f"there is no {edit.field!r:.40} of modules {edit.type!r:.40}")
        value: float = edit.value
        if edit.field in {"inventory", "most_at_site"}:
            if not (math.isfinite(value) and value == int(value)):
                raise QuestionError(f"the {EDITED[edit.field]} of {edit.type} is whole, not {value:g}")
            value = int(value)
        changes: dict[str, Any] = {edit.field: value}
        found[edit.type] = replace(found[edit.type], **changes)
    return tuple(found.values())


def edits_between(types: Sequence[ModuleType]) -> tuple[Edit, ...]:
    """Return what makes standard types these. Raises QuestionError where they have other names or kinds."""
    if [(each.name, each.kind) for each in types] != [(each.name, each.kind) for each in STANDARD]:
        raise QuestionError("this page knows the standard types of modules alone; others are for the engine's scripts")
    return tuple(
        Edit(own.name, name, float(getattr(own, name)))
        for own, usual in zip(types, STANDARD, strict=True)
        for name in _ANY
        if getattr(own, name) != getattr(usual, name)
    )


def edits_of(held: Any) -> tuple[Edit, ...]:
    """Return the edits of the Store that holds them, in their order. Raises QuestionError for anything else."""
    rows = held if isinstance(held, list) else []
    try:
        return tuple(
            Edit(str(row["type"]), str(row["field"]), math.inf if row["value"] is None else float(row["value"]))
            for row in rows
        )
    except (TypeError, ValueError, KeyError, OverflowError):
        raise QuestionError("the edits of modules need their fields as they were given") from None


def held_edits(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return what the Store of the edits holds."""
    return [
        {"type": one.type, "field": one.field, "value": None if math.isinf(one.value) else one.value} for one in edits
    ]


def changed_words(before: ResilienceQuestion, now: ResilienceQuestion) -> list[str]:
    """Return what of a question has changed, in words."""
    names = {one.field: f"the {one.label}" for one in NUMBERS}
    names |= {
        "feeder": "the feeder", "shocks_file": "the file of shocks", "types": "the modules",
        "doubt": "what is in doubt",
        "route": "the way to search", "every_bus": "the sites", "traces_file": "the measured days",
        "information": "whether shocks known beforehand are tried",
    }  # fmt: skip
    old, new = before.to_json(), now.to_json()
    return [words for name, words in names.items() if old[name] != new[name]]
