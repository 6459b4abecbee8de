"""Draws decided again at the operating points of their own bill, until that gains nothing.

Draws are decided on one linearisation and billed on a later one: at the AC solutions of the draws themselves, with the
limits that AC made tighter. On that one they are decided again, which also proves what they could gain there. Where it
is more than the accuracy of a method, the new draws are checked in AC as the first were. Each decision is worth what
its own linearisation says; the best is kept, of those with the fewest limits flagged by AC.

Two things keep decisions from settling, and both are met. The cheapest draws often lie where a limit begins to bind:
at their own points a hair beyond it, at the price of exceeding it. Further decisions stay a little off all limits,
which the bill does not. And losses are dearest where one draws, so that draws may swing between two places: a decision
that is worth no more than the best before is followed by one halfway between their points.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.final_bound import FinalBound, final_bound
from engine.distribution.frames import Matrix
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.methods import METHOD_TABLE, Decided, decide
from engine.distribution.prepare import Prepared
from engine.distribution.question import PRICE_TAKERS
from engine.distribution.region_program import GAP
from engine.distribution.tightening import Checked, derated, tightened
from engine.errors import CancelledError, EngineError

AGAIN = 2  # decisions after the first, at most
_OFF_PU, _OFF_SHARE = 1e-4, 2e-3  # what further decisions stay off voltages' limits by, at least, and off ratings
_SAME_MW = 1e-6  # draws nearer than this are the same


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The answer that is kept, and what each decision was worth at the points of its own bill."""

    checked: Checked
    decided: Decided
    final: FinalBound | None  # None for given draws
    decisions: tuple[dict[str, Any], ...]  # as JSON, of the fields of FinalBound, "flags" and "kept"


def settled(
    prepared: Prepared, options: DsoOptions, points: tuple[Point, ...] | None, tick: Callable[[], None]
) -> Settled:
    """Return the answer after at most :data:`AGAIN` further decisions; ``tick`` is called before every AC solution.

    ``points``: where the first decision is made. Raises what deciding and :func:`tightened` raise for the first one.
    """
    checked, decided = _checked(prepared, options, points, tick)
    if decided.outcome is None:
        return Settled(checked, decided, None, ())
    tried: list[_Tried] = []
    while True:
        problem = Coordination.of(checked.case, prepared.workload, checked.options, checked.corrected.used)
        again = _again(prepared, problem) if len(tried) < AGAIN else None
        final = final_bound(problem, decided.outcome, again, time_limit_s=prepared.question.method_time_s)
        tried.append(_Tried(checked, decided, final))
        if again is None or not _gains(prepared, final, decided.outcome, again):
            break
        try:
            following = _following(prepared, tried)
            checked, decided = _checked(prepared, options, None, tick, start=(checked, following))
        except CancelledError:
            raise
        except EngineError:
            break  # the new draws have no answer: those before are kept
        if decided.outcome is None:
            break
    best = min(range(len(tried)), key=lambda at: _order(prepared, tried[at]))
    told = tuple(
        {**asdict(each.final), "flags": len(each.checked.flags), "kept": at == best} for at, each in enumerate(tried)
    )
    return Settled(tried[best].checked, tried[best].decided, tried[best].final, told)


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    checked: Checked
    decided: Decided
    final: FinalBound


def _following(prepared: Prepared, tried: list[_Tried]) -> Decided:
    """Return the next decision, off all limits; of the last points, or halfway to those of the best before.

    Raises what the question's method raises.
    """
    last = tried[-1].checked
    best = min(tried, key=lambda each: _order(prepared, each)).checked
    at = last.corrected.used
    if best is not last:
        at = tuple(halfway(one, other) for one, other in zip(at, best.corrected.used, strict=True))
    shares = {row.name: 1.0 - _OFF_SHARE for row in last.case.feeder.links}
    margin = np.asarray(last.options.voltage_margin_pu) + max(prepared.question.ac_margin_pu, _OFF_PU)
    case = replace(last.case, feeder=derated(last.case.feeder, shares))
    return decide(prepared.question, case, prepared.workload, replace(last.options, voltage_margin_pu=margin), at)


def halfway(one: Point, other: Point) -> Point:
    """Return the mean of two operating points."""
    flows = (one.flow_mva, other.flow_mva)
    flow = None if flows[0] is None or flows[1] is None else (flows[0] + flows[1]) / 2.0
    return Point((one.phasors + other.phasors) / 2.0, flow, one.chord)


def _checked(
    prepared: Prepared,
    options: DsoOptions,
    points: tuple[Point, ...] | None,
    tick: Callable[[], None],
    *,
    start: tuple[Checked, Decided] | None = None,
) -> tuple[Checked, Decided]:
    """Return an answer and its draws; ``start`` is what was checked before, and what was decided at its points."""
    question = prepared.question
    last: list[Decided] = []
    known = [] if start is None else [start[1]]

    def choose(asked: FeederCase, chosen: DsoOptions, at: tuple[Point, ...] | None) -> Matrix:
        last[:] = [known.pop() if known else decide(question, asked, prepared.workload, chosen, at)]
        return last[0].centre_kw

    checked = tightened(
        prepared.case, choose, options=options, corrections=question.corrections, rounds=question.ac_rounds,
        margin_pu=question.ac_margin_pu, points=points, start=None if start is None else start[0], tick=tick,
    )  # fmt: skip
    return checked, last[0]


def _again(prepared: Prepared, problem: Coordination) -> Outcome | None:
    """Return what the question's method decides on ``problem``; None where it has no answer in its time."""
    try:
        return METHOD_TABLE[prepared.question.method](problem, prepared.question)
    except EngineError:
        return None


def _gains(prepared: Prepared, final: FinalBound, decided: Outcome, again: Outcome) -> bool:
    """Return whether deciding again changes the draws and gains more than the accuracy of a method."""
    if np.abs(again.draws_mw - decided.draws_mw).max() <= _SAME_MW:
        return False
    now = again.system_cost + again.delay_cost if prepared.question.method in PRICE_TAKERS else again.objective
    before = _worth(prepared, final)
    return before - now > GAP * max(1.0, abs(before))


def _order(prepared: Prepared, each: _Tried) -> tuple[int, float]:
    """Return what is least for the best answer: limits that AC flags, then what it is worth."""
    return len(each.checked.flags), _worth(prepared, each.final)


def _worth(prepared: Prepared, final: FinalBound) -> float:
    return final.system_cost if prepared.question.method in PRICE_TAKERS else final.objective
