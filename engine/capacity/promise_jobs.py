"""``capacity.promise``: what the promise of an allocation is worth, as a job."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.capacity import jobs
from engine.capacity.answer import open_proofs
from engine.capacity.bootstrap import REPLICATIONS
from engine.capacity.holdout import plan
from engine.capacity.margins import prepare
from engine.capacity.promise import Promise, now
from engine.capacity.promise_intervals import Resampling, intervals
from engine.capacity.promise_judged import Judgement, states_asked
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.risk import Risk, level_warnings
from engine.compute import JobContext, Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network

PROMISE = "capacity.promise"
_STEPS = 1000  # of the progress bar
MOST_REPLICATIONS = 2000


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

    Raises QuestionError where a promise cannot be measured: for a box.
    """
    start = time.perf_counter()
    question = CapacityQuestion.from_json(arguments["question"])
    replications = int(arguments.get("replications", REPLICATIONS))
    if not 0 <= replications <= MOST_REPLICATIONS:
        raise QuestionError(f"replications must be from 0 to {MOST_REPLICATIONS}, found {replications}")
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    states = jobs.states_of(arguments, network, factors, context)
    sample = states.sample
    if sample is None:
        plan(question.uncertainty, network, None)  # raises in words
        raise QuestionError("a box has no probabilities")
    prepared = jobs.open_prepared(context.artifacts, arguments, network)
    if prepared is None:
        prepared = prepare(network, question, states, factors=factors)
    levels = tuple(np.array(level, dtype=np.float64) for level in arguments["levels_mw"])
    planned = plan(question.uncertainty, network, sample, states_asked(question, network, arguments.get("draws")))
    proofs = None
    if question.recourse == "redispatch":
        proofs = open_proofs(context.artifacts, jobs.answer_arguments(arguments["network"], question))
    judgement = Judgement(network, question, states, prepared, levels, planned, [] if proofs is None else [proofs])
    risk, together = judgement.measure(_part(context, 0.0, 0.7, "independent states"))
    resampling = Resampling(network, question, sample, prepared, proofs)
    found, no_interval = intervals(resampling, levels, replications, _part(context, 0.7, 1.0, "samples drawn again"))
    finest = sample.resolution if prepared.tails is None else prepared.tails.finest
    return Promise(
        risk=risk,
        together=together,
        bootstrap=found,
        states=planned.words,
        warnings=(*level_warnings(question, finest), *_said(question, risk)),
        network_digest=network.digest,
        question_digest=question.digest(),
        uncertainty_digest=question.uncertainty.digest(),
        date=now(),
        time_s=time.perf_counter() - start,
        redispatch=question.recourse == "redispatch",
        no_interval=no_interval,
    ).to_json()


def _part(context: JobContext, start: float, stop: float, message: str) -> Progress:
    def report(done: int, total: int) -> None:
        share = start + (stop - start) * done / max(1, total)
        context.progress(round(_STEPS * share), _STEPS, f"{message}, {done} of {total}")

    return report


def _said(question: CapacityQuestion, risk: Risk) -> tuple[str, ...]:
    """Return what a reader must know of what was measured."""
    held = sum(row.held for row in risk.rows)
    moves, outages = question.recourse == "redispatch", question.security == "n-1"
    parts = question.downward_closed
    cases = (
        (
            moves,
            "with redispatch a state is exceeded where no dispatch keeps every limit with everything drawn; it is "
            "listed under the limit that weighs most in its proof, and MW are the least overload of that limit",
        ),
        (moves and parts, "whether every part that is drawn would be served too is not measured"),
        (
            outages,
            "limits after outages are measured too, in every independent state"
            + ("; units do not move again after an outage" if moves else ""),
        ),
        (
            parts and not moves,
            "measured whatever part of what is granted is drawn, on each limit the part that loads it most; "
            "everything at once is told beside it",
        ),
        (
            question.cutoff > 0 and not moves,
            f"factors under {percent(question.cutoff)} are not counted, as in the answer; what they add is not told",
        ),
        (not parts and not moves, "measured with everything that is granted drawn at once"),
        (
            question.period != "year",
            "the year-round capacity is judged on states of the whole year; each period keeps its risk by itself",
        ),
        (held > 0, f"{held} of these limits are exceeded in the sample already: no firm capacity may add to them"),
        (
            risk.hours_a_year is not None and question.uncertainty.kind == "hourly",
            "intervals of frequencies take hours as independent; neighbouring hours are alike, so true ones are wider",
        ),
    )
    return tuple(words for true, words in cases if true)
