"""Answers for parts of the year: which states belong to a season, month or block of hours, and what holds all year.

A promise for the whole year must hold in every period, each with its own states and, at a risk level, its own share
of interrupted hours. The least of a site's capacities over the periods does: where every row counts only withdrawals
that add to it, less of each site is within every period's limits.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.capacity.question import CapacityQuestion, Objective, Period, percent
from engine.capacity.results import Binding, CapacityResult, Level, OverLimit
from engine.capacity.uncertainty import Sample, UnitStates
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Integers, Vector

SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")  # of the calendar, as weather services count them
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# Night, morning ramp, day, evening peak, late evening.
BLOCKS = (("00-06 h", 0, 6), ("06-10 h", 6, 10), ("10-17 h", 10, 17), ("17-22 h", 17, 22), ("22-24 h", 22, 24))
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
    """Return the states of each period that has any, by name, in order.

    Raises UncertaintyDataError when states have no date and hour, QuestionError when what holds in every period
    need not be a promise for the year.
    """
    if not question.downward_closed:
        raise QuestionError("a year-round capacity out of periods needs sets of which every part is deliverable")
    if sample is None:
        raise UncertaintyDataError("a box has no dates: choose hours, or a file whose rows are dated, for periods")
    of = _period_of(sample.labels, question.period)
    names = names_of(question.period)
    return tuple((name, _part(sample, at)) for k, name in enumerate(names) if (at := np.flatnonzero(of == k)).size)


def year_round(question: CapacityQuestion, parts: Sequence[tuple[str, CapacityResult]], source: str) -> CapacityResult:
    """Return the least capacity of each site over the periods, with the limit and period that decide it.

    The largest total that all periods allow is not computed: the least of the periods' own stands for it, so what
    is lost to the objective is an upper bound.
    """
    first = parts[0][1]
    feasible = all(result.status == "optimal" for _, result in parts)
    over: list[OverLimit] = []
    for name, result in parts:
        over += [replace(row, words=f"{name}: {row.words}") for row in result.over_limit]
    levels: list[Level] = []
    if feasible:
        for place in range(len(first.levels)):
            before = np.array(levels[-1].capacity_mw) if levels else np.zeros(len(question.candidates))
            levels.append(_least(question, [(name, result.levels[place]) for name, result in parts], before))
    return CapacityResult(
        status="optimal" if feasible else "infeasible_at_zero",
        candidates=first.candidates,
        demand_mw=first.demand_mw,
        levels=tuple(levels),
        over_limit=tuple(over),
        notices=_notices(question, parts),
        provenance=replace(first.provenance, source=source, sentence=question.sentence()),
        time_s=math.fsum(result.time_s for _, result in parts),
    )


def _least(question: CapacityQuestion, levels: Sequence[tuple[str, Level]], before_mw: Vector) -> Level:
    capacity = np.array([level.capacity_mw for _, level in levels])
    decides = capacity.argmin(axis=0)
    mw = capacity.min(axis=0)
    binding: dict[tuple[int, int], int] = {}
    limited = []
    for site, period in enumerate(decides.tolist()):
        at = levels[period][1].limited_by[site]
        limited.append(-1 if at < 0 else binding.setdefault((period, at), len(binding)))
    first = levels[0][1]
    total, most = float(mw.sum()), min(level.most_total_mw for _, level in levels)
    signed = min(level.most_total_mw + level.lost_to_subsets_mw for _, level in levels)
    kept = tuple(
        bus for site, bus in enumerate(question.candidates) if bus in levels[int(decides[site])][1].kept_by_floor
    )
    return Level(
        epsilon=first.epsilon,
        capacity_mw=tuple(mw.tolist()),
        increment_mw=tuple(np.maximum(mw - before_mw, 0.0).tolist()),
        limited_by=tuple(limited),
        binding=tuple(_named(levels[period][0], levels[period][1].binding[at]) for period, at in binding),
        kept_by_floor=kept,
        total_mw=total,
        most_total_mw=max(most, total),
        lost_to_objective_mw=max(most - total, 0.0),
        lost_to_subsets_mw=signed - most,
        objective=_objective(question.objective, mw, np.array(question.demand_mw)),
        status=first.status,
        gap=max(level.gap for _, level in levels),
        solver=first.solver,
        certificate={
            name: max(level.certificate.get(name, 0.0) for _, level in levels)
            for name in dict.fromkeys(name for _, level in levels for name in level.certificate)
        },
        time_s=math.fsum(level.time_s for _, level in levels),
    )


def _named(period: str, binding: Binding) -> Binding:
    """Return the record with its period's name; a gain in one period is none in the year, so it is left out."""
    words = f"{period}: {binding.limit.words}, limit {binding.limit.limit_mw:.1f} MW"
    return replace(binding, gain_mw_per_mw=None, dual=0.0, words=words)


def _objective(objective: Objective, mw: Vector, demand_mw: Vector) -> float:
    share = mw / demand_mw
    if objective == "lex_max_min":
        return float(share.min(initial=1.0))
    return float(((1.0 - share) ** (2 if objective == "sum_sq_ratio" else 1)).sum())


def _notices(question: CapacityQuestion, parts: Sequence[tuple[str, CapacityResult]]) -> tuple[str, ...]:
    common = [words for words in parts[0][1].notices if all(words in result.notices for _, result in parts)]
    own = [f"{name}: {words}" for name, result in parts for words in result.notices if words not in common]
    kinds = {"season": "seasons", "month": "months", "block": "blocks of hours", "year": "years"}
    found = [
        f"the year-round capacity of a site is its least over {len(parts)} {kinds[question.period]}, and holds in each;"
        " what is lost to the objective is an upper bound"
    ]
    there = {name for name, _ in parts}
    missing = [name for name in names_of(question.period) if name not in there]
    if missing:
        found.append(f"no state falls in {', '.join(missing)}: nothing is promised for it")
    if question.epsilons:
        levels = " and ".join(percent(epsilon) for epsilon in question.epsilons)
        found.append(f"a risk of {levels} counts in each period by itself")
    return (*found, *common, *own)


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
