"""An answer's promise on states that had no part in it: which states, on which limits, of which allocation.

A file's rows are judged part by part, each on the allocation that the other parts give, outages, redispatch and
periods included; all other kinds on new states, with the allocation that was answered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.answer import work_out
from engine.capacity.holdout import PARTS, Holdout, independent, parts
from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import CapacityQuestion
from engine.capacity.risk import Risk
from engine.capacity.risk_outages import judged_after_outages
from engine.capacity.risk_redispatch import RedispatchMeasure, states_to_judge
from engine.capacity.risk_rows import Measure
from engine.capacity.secure import outages_of
from engine.capacity.uncertainty import Sample, States
from engine.compute import Progress
from engine.network.model import Network, Vector
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import FlowLimits

MOST_WITH_OUTAGES = 10_000  # draws, each with every outage


def states_asked(question: CapacityQuestion, network: Network, draws: int | None) -> int | None:
    """Return how many independent states are asked for, None for as many as the kind of uncertainty usually gives."""
    most = None
    if question.recourse == "redispatch":
        most = states_to_judge(len(network.buses.ids), outages=question.security == "n-1")
    elif question.security == "n-1" and question.uncertainty.kind == "distribution":
        most = MOST_WITH_OUTAGES
    return draws if most is None else min(draws or most, most)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Some independent states, and the allocation that they judge."""

    levels_mw: Sequence[Vector]
    prepared: Prepared  # of the states that the allocation is from
    known: Sample  # these states
    judged: Sample
    portion: float  # of all probability
    proofs: Sequence[JointProofs]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What is judged: an answer's capacities (K,) at every level, its margins, and its proofs where units move."""

    network: Network
    question: CapacityQuestion
    states: States  # with a sample
    prepared: Prepared
    levels_mw: Sequence[Vector]
    planned: Holdout
    proofs: Sequence[JointProofs] = ()

    def measure(self, progress: Progress) -> tuple[Risk, Risk | None]:
        """Return the risk on independent states, and for parts that are promised each, that of all drawn at once.

        With redispatch only the risk of all drawn at once. Raises QuestionError or SolverError, and what ``progress``
        raises.
        """
        hours = self.planned.hours_a_year
        if self.question.recourse == "redispatch":
            return self._redispatched(progress).risk(hours), None
        uses = (False, True) if self.question.downward_closed else (True,)
        measures = [Measure(self.question, self.levels_mw, together=together) for together in uses]
        for given in self._given(progress):
            rows = given.prepared
            if self.question.security == "n-1":
                rows = judged_after_outages(rows, self.question, given.levels_mw, given.known, given.judged)
            for measure in measures:
                measure.add(rows, given.levels_mw, given.judged, given.portion)
        first, *rest = (measure.risk(hours) for measure in measures)
        return first, rest[0] if rest else None

    def _redispatched(self, progress: Progress) -> RedispatchMeasure:
        question, factors = self.question, self.prepared.factors
        outages = outages_of(self.network, question, factors) if question.security == "n-1" else None
        measure = RedispatchMeasure(question, FlowLimits.of(factors, outages, question.outage_rating), self.levels_mw)
        done = 0.0
        for given in self._given(_span(progress, 0.0, 0.3)):
            part = _span(progress, 0.3 + 0.7 * done, 0.7 * given.portion)
            measure.add(given.levels_mw, given.judged, given.portion, proofs=given.proofs, progress=part)
            done += given.portion
        return measure

    def _given(self, progress: Progress) -> Iterator[_Given]:
        spec, known = self.question.uncertainty, self.states.sample
        if known is None:
            return
        if spec.kind == "file":
            yield from self._parts(known, progress)
            return
        given = independent(spec, self.network, self.planned, factors=self.prepared.factors, progress=progress)
        for judged in given:
            portion = len(judged.net_demand_mw) / self.planned.states
            yield _Given(self.levels_mw, self.prepared, known, judged, portion, self.proofs)

    def _parts(self, known: Sample, progress: Progress) -> Iterator[_Given]:
        """Yield each part of a file with the allocation of the other parts."""
        factors = self.prepared.factors
        # A part of the rows may exceed less than all: never more.
        held = replace(self.question, at_zero="hold")
        for number, (rest, judged) in enumerate(parts(known, self.question.uncertainty.seed)):
            progress(number, PARTS)
            states = States(rest, self.states.box)
            worked = work_out(self.network, held, states, margins=factors)
            yield _Given(
                levels_mw=[np.array(level.capacity_mw) for level in worked.answer.result.levels],
                prepared=prepare(self.network, self.question, states, factors=factors),
                known=rest,
                judged=judged,
                portion=len(judged.net_demand_mw) / len(known.net_demand_mw),
                proofs=[proofs for _, proofs in worked.proofs],
            )


def _span(progress: Progress, start: float, share: float) -> Progress:
    """Return a progress through ``share`` of the whole from ``start`` on."""

    def report(done: int, total: int) -> None:
        progress(round(1000 * (start + share * done / max(1, total))), 1000)

    return report
