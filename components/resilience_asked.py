"""The words of the Resilience page's question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose; nothing here trusts it. What cannot be used is refused with QuestionError,
every control at once. Types of modules are the standard ones with edits: numbers, names, some left out, others new.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    "ramp_mw_per_min": "ramp, MW a minute",
    "charge_efficiency": "efficiency of charging",
    "discharge_efficiency": "efficiency of discharging",
    "loss_per_h": "share lost an hour",
    "start_share": "share held at the start",
    "payback": "drawn later, of what is put off",
    "window_h": "hours to draw it within",
    "reactive": "Mvar for each MW",
}
NEW, NAME, WITHOUT = "new", "name", "without"  # what an edit is of, where it is not of a number
MOST_TYPES = 8
LONGEST_NAME = 24
_WHOLE = ("inventory", "most_at_site")
_ALIKE = 3  # numbers that differ at most, for a type of another name to be a standard one renamed


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the types of modules: a number or the name of one, one that is left out, or a new one.

    A standard type is meant by its standard name, whatever it is called since.
    """

    type: str
    field: str  # of ModuleType, or NAME, WITHOUT, NEW
    value: float | str = 0.0
    made: ModuleType | None = None  # the new one


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
    found, usual = Problems(), ResilienceQuestion()
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
    read = {one.field: found.read(partial(typed, words.get(one.word), one), None) for one in NUMBERS}
    asked |= {name: getattr(usual, name) if value is None else value for name, value in read.items()}
    types = found.read(lambda: types_of(edits_of(edits)), STANDARD)
    told = found.read(lambda: ResilienceQuestion.from_json(asked), usual)
    found.read(lambda: replace(usual, types=types).checked(), usual)
    found.read(lambda: placeable(types, math.inf if read["budget"] is None else read["budget"]), types)
    found.told()
    return replace(told, types=types)


def placeable(types: Sequence[ModuleType], budget: float) -> Sequence[ModuleType]:
    """Return the types of which a budget, $ a year, buys one. Raises QuestionError where it buys none.

    A budget below zero is out of its range, which is told elsewhere.
    """
    some = [each for each in types if min(each.inventory, each.most_at_site) > 0]
    if not some:
        raise QuestionError(
            "no module may stand anywhere: of every type the inventory or the most at a site is 0, and 1 is the least"
        )
    cheapest = min(some, key=lambda each: each.cost)
    if 0.0 <= budget < cheapest.cost:
        raise QuestionError(
            f"the budget, $ a year, is {budget:g}: {cheapest.cost:g} or more, the cost of one {cheapest.name}"
        )
    return [each for each in some if each.cost <= budget]


def _ticked(value: Any, name: str) -> bool:
    return isinstance(value, list) and name in value


def types_by_key(edits: Sequence[Edit]) -> dict[str, ModuleType]:
    """Return the types that edits make of the standard ones, by what edits call them.

    Raises QuestionError for a type or a number that there is not.
    """
    found = {each.name: each for each in STANDARD}
    for edit in edits:
        if edit.field == NEW and edit.made is not None and edit.type == edit.made.name:
            if edit.type in found:
                raise QuestionError(f"there is a type {edit.type!r:.40} already: change it, or leave it out first")
            found[edit.type] = edit.made
        elif edit.type not in found or edit.field not in {*EDITED, NAME, WITHOUT}:
            raise QuestionError(f"there is no {edit.field!r:.40} of modules {edit.type!r:.40}")
        elif edit.field == WITHOUT:
            del found[edit.type]
        else:
            found[edit.type] = changed(found[edit.type], edit)
    return found


def changed(own: ModuleType, edit: Edit) -> ModuleType:
    """Return a type with an edit of its name or of a number. Raises QuestionError for a part of what is whole."""
    changes: dict[str, Any] = {edit.field: _changed(edit)}
    return replace(own, **changes)


def types_of(edits: Sequence[Edit]) -> tuple[ModuleType, ...]:
    """Return the types that edits make of the standard ones. Raises QuestionError with all that is wrong with them."""
    found = tuple(types_by_key(edits).values())
    if problems := list(wrong_types(found)):
        raise QuestionError("; ".join(problems))
    return found


def wrong_types(types: Sequence[ModuleType]) -> Iterator[str]:
    """Yield what is wrong with types beside their numbers: how many there are, and their names."""
    if not 0 < len(types) <= MOST_TYPES:
        yield f"there are {len(types)} types of modules: 1 to {MOST_TYPES}"
    names = [each.name for each in types]
    for at, name in enumerate(names, start=1):
        yield from wrong_name(name, f"type {at}")
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield f"two types of modules are called {name!r:.40}"


def wrong_name(name: str, of: str) -> Iterator[str]:
    """Yield what is wrong with the name of a type, which is called ``of`` there."""
    if not name.strip():
        yield f"{of} has no name"
    elif name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        yield f"the name of {of} is {name!r:.60}: at most {LONGEST_NAME} letters, no space around them"


def _changed(edit: Edit) -> float | int | str:
    if edit.field == NAME:
        return str(edit.value)
    value = float(edit.value)
    if edit.field not in _WHOLE:
        return value
    if not value.is_integer():
        raise QuestionError(f"the {EDITED[edit.field]} of {edit.type} is whole, not {value:g}")
    return int(value)


def edits_between(types: Sequence[ModuleType]) -> tuple[Edit, ...]:
    """Return what makes standard types these. Raises QuestionError where this page cannot hold them."""
    if problems := list(wrong_types(types)):
        raise QuestionError("; ".join(problems))
    found = _nearest(types)
    try:
        same = types_of(found) == tuple(types)
    except QuestionError:
        same = False
    anew = (
        *(Edit(each.name, WITHOUT) for each in STANDARD), *(Edit(each.name, NEW, made=each) for each in types)
    )  # fmt: skip
    return found if same else anew


def _nearest(types: Sequence[ModuleType]) -> tuple[Edit, ...]:
    """Return the few edits that make standard types these; they may come in another order."""
    left, edits = list(types), list[Edit]()
    known = {each.name for each in STANDARD}
    for usual in STANDARD:
        own = next((each for each in left if (each.name, each.kind) == (usual.name, usual.kind)), None) or next(
            (each for each in left if each.kind == usual.kind and each.name not in known
             and len(_differing(each, usual)) <= _ALIKE), None,
        )  # fmt: skip
        if own is None:
            edits.append(Edit(usual.name, WITHOUT))
            continue
        left.remove(own)
        if own.name != usual.name:
            edits.append(Edit(usual.name, NAME, own.name))
        edits += [Edit(usual.name, name, float(getattr(own, name))) for name in _differing(own, usual)]
    return (*edits, *(Edit(each.name, NEW, made=each) for each in left))


def _differing(one: ModuleType, other: ModuleType) -> list[str]:
    """Return the numbers in which two types differ."""
    return [name for name in EDITED if getattr(one, name) != getattr(other, name)]


def edits_of(held: Any) -> tuple[Edit, ...]:
    """Return the edits of the Store that holds them, in their order. Raises QuestionError for anything else."""
    rows = held if isinstance(held, list) else []
    try:
        return tuple(_edit_of(row) for row in rows)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise QuestionError("the edits of modules need their fields as they were given") from None


def _edit_of(row: Any) -> Edit:
    name, field, value = str(row["type"]), str(row["field"]), row["value"]
    if field == NEW:
        return Edit(name, NEW, made=ResilienceQuestion.from_json({"types": [row["made"]]}).types[0])
    if field in {NAME, WITHOUT}:
        return Edit(name, field, str(value) if field == NAME else 0.0)
    return Edit(name, field, math.inf if value is None else float(value))


def held_edits(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return what the Store of the edits holds."""
    return [
        {"type": one.type, "field": one.field, "value": None if one.value == math.inf else one.value}
        | ({} if one.made is None else {"made": ResilienceQuestion(types=(one.made,)).to_json()["types"][0]})
        for one in edits
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
