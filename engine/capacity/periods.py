"""Answers for parts of the year: which states belong to a season, month or block of hours, and what holds all year.

A promise for the whole year must hold in every period, each with its own states and, at a risk level, its own share
of interrupted hours: on every row the existing load that counts is the largest over the periods. Each period is then
answered above that, so that a site's year-round capacity is the least over the periods.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.capacity.at_levels import AtLevels
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion, Period, percent
from engine.capacity.results import Binding, CapacityResult
from engine.capacity.uncertainty import Sample, UnitStates
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Integers

SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")  # of the calendar, as weather services count them
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# Night, morning ramp, day, evening peak, late evening.
BLOCKS = (("00-06 h", 0, 6), ("06-10 h", 6, 10), ("10-17 h", 10, 17), ("17-22 h", 17, 22), ("22-24 h", 22, 24))
_COUNT = re.compile(r"^([\d,]+) limits? (?:is|are) (.*)$")
_DATED = re.compile(r"^\d{4}-(\d{2})-\d{2}[ T](\d{2})")


def names_of(period: Period) -> tuple[str, ...]:
    """Return the names of the parts of the year, in order; one without a name for the year as a whole."""
    names: Mapping[Period, tuple[str, ...]] = {
        "year": ("",),
        "season": SEASONS,
        "month": MONTHS,
        "block": tuple(name for name, _, _ in BLOCKS),
    }
    return names[period]


def split(sample: Sample | None, question: CapacityQuestion) -> tuple[tuple[str, Sample], ...]:
    """Return the states of each period that has any, by name, in order. Raises as :func:`positions`."""
    found = positions(sample, question)
    return tuple((name, _part(sample, at)) for name, at in found) if sample is not None else ()


def positions(sample: Sample | None, question: CapacityQuestion) -> tuple[tuple[str, Integers], ...]:
    """Return the positions of the states of each period that has any, by name, in order.

    Raises UncertaintyDataError when states have no date and hour, QuestionError when what holds in every period
    need not be a promise for the year.
    """
    if not question.downward_closed:
        raise QuestionError("a year-round capacity out of periods needs sets of which every part is deliverable")
    if sample is None:
        raise UncertaintyDataError("a box has no dates: choose hours, or a file whose rows are dated, for periods")
    of = _period_of(sample.labels, question.period)
    names = names_of(question.period)
    return tuple((name, at) for k, name in enumerate(names) if (at := np.flatnonzero(of == k)).size)


def worst_of(year: Prepared, parts: Sequence[Prepared], question: CapacityQuestion) -> Prepared:
    """Return the margins of the whole year with, at each risk level, the largest load (R,) over its parts."""
    loads = {
        epsilon: np.max([part.load_mw(epsilon, question.measure) for part in parts], axis=0)
        for epsilon in question.epsilons
    }
    return replace(year, tails=None, at_levels=AtLevels(loads, question.measure))


def year_round(
    question: CapacityQuestion,
    year: CapacityResult,
    parts: Sequence[tuple[str, CapacityResult]],
    margins: Sequence[Prepared],
) -> CapacityResult:
    """Return the answer for all periods at once with what a reader of the periods must know.

    ``margins`` are those of the periods, none with redispatch.
    """
    names = [name for name, _ in parts]

    def named(binding: Binding) -> Binding:
        name = names_of(question.period)[_period_of([binding.state], question.period)[0]] if binding.state else ""
        if binding.level > 0 and margins and 0 <= binding.limit.row < margins[0].row_count:
            loads = [part.load_mw(binding.level, question.measure)[binding.limit.row] for part in margins]
            name = names[int(np.argmax(loads))]
        return replace(binding, words=f"{name}: {binding.words}") if name else binding

    return replace(
        year,
        levels=tuple(replace(level, binding=tuple(map(named, level.binding))) for level in year.levels),
        over_limit=tuple(
            replace(row, words=f"{name}: {row.words}") for name, result in parts for row in result.over_limit
        ),
        notices=_notices(question, year, parts),
        time_s=math.fsum(result.time_s for result in (year, *(result for _, result in parts))),
    )


def _notices(
    question: CapacityQuestion, year: CapacityResult, parts: Sequence[tuple[str, CapacityResult]]
) -> tuple[str, ...]:
    own = _gathered([(name, words) for name, result in parts for words in result.notices if words not in year.notices])
    kinds = {"season": "seasons", "month": "months", "block": "blocks of hours", "year": "years"}
    found = [
        f"the year-round capacity holds in each of {len(parts)} {kinds[question.period]}; each of these has what is "
        "left in it on top"
    ]
    there = {name for name, _ in parts}
    missing = [name for name in names_of(question.period) if name not in there]
    if missing:
        found.append(f"no state falls in {', '.join(missing)}: nothing is promised for it")
    if question.epsilons:
        levels = " and ".join(percent(epsilon) for epsilon in question.epsilons)
        found.append(f"a risk of {levels} counts in each period by itself")
    return (*found, *year.notices, *own)


def _gathered(said: Sequence[tuple[str, str]]) -> list[str]:
    """Return what single periods say, each with its name; counts of limits that say the same are one line."""
    counts: dict[str, list[str]] = {}
    found: dict[str, None] = {}
    for name, words in said:
        counted = _COUNT.match(words)
        if counted is None:
            found[f"{name}: {words}"] = None
            continue
        key = counted[2].partition(";")[0]
        counts.setdefault(key, []).append(f"{counted[1]} in {name}")
        found[key] = None
    return [f"limits are {line}: {', '.join(counts[line])}" if line in counts else line for line in found]


def _period_of(labels: Sequence[str], period: Period) -> Integers:
    """Return (S,) the period that each state falls in."""
    places = np.empty(len(labels), dtype=np.intp)
    for state, label in enumerate(labels):
        found = _DATED.match(label)
        if found is None or not (1 <= int(found[1]) <= 12 and int(found[2]) < 24):
            raise UncertaintyDataError(
                f"periods need states with a date and an hour, such as 2016-08-11 16:00; found {label!r}"
            )
        month, hour = int(found[1]), int(found[2])
        if period == "season":
            places[state] = month % 12 // 3
        elif period == "month":
            places[state] = month - 1
        else:
            places[state] = next(k for k, (_, start, end) in enumerate(BLOCKS) if start <= hour < end)
    return places


def _part(sample: Sample, at: Integers) -> Sample:
    weights = None if sample.weights is None else sample.weights[at] / sample.weights[at].sum()
    units = sample.units
    if units is not None:
        least, largest = (part[at] if len(part) > 1 else part for part in (units.least_mw, units.largest_mw))
        units = UnitStates(units.generation_mw[at], least, largest)
    return replace(
        sample,
        net_demand_mw=sample.net_demand_mw[at],
        weights=weights,
        labels=tuple(sample.labels[state] for state in at.tolist()),
        units=units,
    )
