"""``capacity.promise``: what the promise of an allocation is worth, as a job."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.bootstrap import REPLICATIONS, Bootstrap, Promised, bootstrap
from engine.capacity.holdout import Holdout, independent, parts, plan
from engine.capacity.margins import Prepared, prepare
from engine.capacity.promise import Promise, now
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.risk import Measure, Risk, level_warnings
from engine.capacity.risk_outages import judged_after_outages
from engine.capacity.uncertainty import Sample, States
from engine.compute import JobContext, Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network, Vector

PROMISE = "capacity.promise"
_STEPS = 1000  # of the progress bar
MOST_REPLICATIONS = 2000
MOST_WITH_OUTAGES = 10_000  # draws, each with every outage


def promise_arguments(
    network_digest: str,
    question: CapacityQuestion,
    levels_mw: Sequence[Sequence[float]],
    *,
    draws: int | None = None,
    replications: int = REPLICATIONS,
) -> dict[str, Any]:
    """Return the arguments of ``capacity.promise`` for the capacities (K,) of firm and each risk level."""
    return {
        **jobs.prepare_arguments(network_digest, question),
        "question": question.to_json(),
        "levels_mw": [list(level) for level in levels_mw],
        "draws": draws,
        "replications": replications,
    }


def promise_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the :class:`Promise` of the allocation in ``arguments`` (of :func:`promise_arguments`) as JSON.

    Raises QuestionError where a promise cannot be measured: for a box, or with redispatch.
    """
    start = time.perf_counter()
    question = CapacityQuestion.from_json(arguments["question"])
    if question.recourse != "none":
        raise QuestionError("with redispatch an interruption depends on what units do: this promise is not measured")
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    states = jobs.states_of(arguments, network, factors, context)
    if states.sample is None:
        plan(question.uncertainty, network, None)  # raises in words
    prepared, notes = _margins(arguments, network, question, states, context)
    work = _Work(network, factors, question, states, prepared, context)
    levels = tuple(np.array(level, dtype=np.float64) for level in arguments["levels_mw"])
    draws = arguments.get("draws")
    if question.security == "n-1" and question.uncertainty.kind == "distribution":
        draws = min(draws or MOST_WITH_OUTAGES, MOST_WITH_OUTAGES)
    planned = plan(question.uncertainty, network, states.sample, draws)
    risk, together = work.measure(levels, planned)
    intervals = work.intervals(levels, int(arguments.get("replications", REPLICATIONS)))
    finest = 0.0 if prepared.tails is None else prepared.tails.finest
    return Promise(
        risk=risk,
        together=together,
        bootstrap=intervals,
        states=planned.words,
        warnings=(*level_warnings(question, finest), *notes, *_said(question, risk, intervals)),
        network_digest=network.digest,
        question_digest=question.digest(),
        uncertainty_digest=question.uncertainty.digest(),
        date=now(),
        time_s=time.perf_counter() - start,
    ).to_json()


def _margins(
    arguments: Mapping[str, Any], network: Network, question: CapacityQuestion, states: States, context: JobContext
) -> tuple[Prepared, list[str]]:
    """Return the margins whose limits are measured, and what must be said of them."""
    prepared = jobs.open_prepared(context.artifacts, arguments, network)
    if prepared is None:
        prepared = prepare(network, question, states)
    notes = []
    if question.security == "n-1":
        notes.append("limits after every outage are measured too, in every independent state")
    return prepared, notes


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """The two long parts of the job, each with its share of the progress bar."""

    network: Network
    factors: Factors
    question: CapacityQuestion
    states: States
    prepared: Prepared
    context: JobContext

    def measure(self, levels: tuple[Vector, ...], planned: Holdout) -> tuple[Risk, Risk | None]:
        """Return the risk on independent states, and for parts that are promised each, that of all drawn at once."""
        spec, known = self.question.uncertainty, self.states.sample
        if self.question.security == "n-1":
            return self._with_outages(levels, planned)
        measures = self._measures(self.prepared)
        progress = self._part(0.0, 0.7, "independent states")
        if spec.kind == "file" and known is not None:
            count = len(known.net_demand_mw)
            for rest, part in parts(known, spec.seed):
                margins, granted = self._without(rest)
                for measure in measures:
                    measure.add(margins, granted, part, len(part.net_demand_mw) / count)
        else:
            given = independent(spec, self.network, planned, factors=self.factors, progress=progress)
            for sample in given:
                for measure in measures:
                    measure.add(self.prepared, levels, sample, len(sample.net_demand_mw) / planned.states)
        return _risks(measures, self.prepared, levels, planned)

    def _measures(self, prepared: Prepared) -> list[Measure]:
        """Return what is measured: parts first where each is promised, then everything at once."""
        uses = (False, True) if self.question.downward_closed else (True,)
        return [Measure(self.question, prepared.row_count, together=together) for together in uses]

    def _with_outages(self, levels: tuple[Vector, ...], planned: Holdout) -> tuple[Risk, Risk | None]:
        """Return the risk on independent states, limits after outages among the limits."""
        spec, known = self.question.uncertainty, self.states.sample
        if spec.kind == "file" or known is None:
            raise QuestionError("with outages a file's rows are not judged part by part: ask without outages")
        progress = self._part(0.0, 0.6, "independent states")
        (judged,) = independent(spec, self.network, planned, factors=self.factors, progress=progress)
        self.context.progress(_STEPS * 6 // 10, _STEPS, "limits after outages")
        rows = judged_after_outages(self.prepared, self.question, levels, known, judged)
        measures = self._measures(rows)
        for measure in measures:
            measure.add(rows, levels, judged)
        return _risks(measures, rows, levels, planned)

    def _without(self, rest: Sample) -> tuple[Prepared, list[Vector]]:
        """Return the margins and the capacities that the other parts of a file give."""
        margins = prepare(self.network, self.question, States(rest, self.states.box), factors=self.factors)
        held = replace(self.question, at_zero="hold")  # a part of the rows may exceed less than all: never more
        result = allocate(margins, held)
        return margins, [np.array(level.capacity_mw) for level in result.levels]

    def intervals(self, levels: tuple[Vector, ...], replications: int) -> Bootstrap | None:
        """Return the bootstrap's intervals; None where there is nothing to resample."""
        if not 0 <= replications <= MOST_REPLICATIONS:
            raise QuestionError(f"replications must be from 0 to {MOST_REPLICATIONS}, found {replications}")
        sample = self.states.sample
        whole = self.question.security == "base" and self.question.period == "year"
        if not (self.question.epsilons and replications and whole and sample is not None):
            return None
        progress = self._part(0.7, 1.0, "samples drawn again")
        promised = Promised(self.prepared, self.question, levels, sample)
        return bootstrap(promised, replications=replications, progress=progress)

    def _part(self, start: float, stop: float, message: str) -> Progress:
        def report(done: int, total: int) -> None:
            share = start + (stop - start) * done / max(1, total)
            self.context.progress(round(_STEPS * share), _STEPS, f"{message}, {done} of {total}")

        return report


def _risks(
    measures: list[Measure], prepared: Prepared, levels: tuple[Vector, ...], planned: Holdout
) -> tuple[Risk, Risk | None]:
    first, *rest = (measure.risk(prepared, levels, planned.hours_a_year) for measure in measures)
    return first, rest[0] if rest else None


def _said(question: CapacityQuestion, risk: Risk, intervals: Bootstrap | None) -> tuple[str, ...]:
    """Return what a reader must know of what was measured."""
    held = sum(row.held for row in risk.rows)
    cases = (
        (
            question.downward_closed,
            "measured whatever part of what is granted is drawn, on each limit the part that loads it most; "
            "everything at once is told beside it",
        ),
        (
            question.cutoff > 0,
            f"factors under {percent(question.cutoff)} are not counted, as in the answer; what they add is not told",
        ),
        (not question.downward_closed, "measured with everything that is granted drawn at once"),
        (held > 0, f"{held} of these limits are exceeded in the sample already: no firm capacity may add to them"),
        (
            risk.hours_a_year is not None and question.uncertainty.kind == "hourly",
            "intervals of frequencies take hours as independent; neighbouring hours are alike, so true ones are wider",
        ),
        (
            bool(question.epsilons) and intervals is None,
            "increments have no interval here: they are computed for one answer without outages and seasons",
        ),
    )
    return tuple(words for true, words in cases if true)
