"""Intervals of an answer's increments: what is solved again with outages, redispatch and periods, what stays fixed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.answer import open_proofs
from engine.capacity.bootstrap import Again, AgainOnRows, Bootstrap, bootstrap
from engine.capacity.bootstrap_redispatch import AgainOnCuts
from engine.capacity.margins import Prepared, prepare
from engine.capacity.periods import split
from engine.capacity.question import CapacityQuestion
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import Sample, States
from engine.compute import Artifacts, Progress
from engine.network.model import Network, Vector
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import FlowLimits
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """An answer's parts of the year with their states, and what its job has kept of each."""

    network: Network
    question: CapacityQuestion
    states: States
    prepared: Prepared  # of the year, without outages
    parts: Sequence[tuple[str, Sample]]  # "" for the year as a whole
    proofs: Sequence[JointProofs]  # of the parts in order; fewer where a file is gone


def parts_of(question: CapacityQuestion, states: States) -> Sequence[tuple[str, Sample]]:
    """Return the parts of the year that a question is answered in, with their states: "" for the year as a whole."""
    if question.period != "year":
        return split(states.sample, question)
    return [] if states.sample is None else [("", states.sample)]


def kept_proofs(
    artifacts: Artifacts, digest: str, question: CapacityQuestion, parts: Sequence[tuple[str, Sample]]
) -> list[JointProofs]:
    """Return the proofs that an answer with redispatch has kept of each part, fewer where a file is gone.

    ``digest`` is the network's, as in the arguments of the answer.
    """
    if question.recourse != "redispatch":
        return []
    arguments = jobs.answer_arguments(digest, question)
    found = [open_proofs(artifacts, arguments, name) for name, _ in parts]
    return [entry for entry in found if entry is not None]


def intervals(
    given: Resampling, levels_mw: Sequence[Vector], replications: int, progress: Progress
) -> tuple[Bootstrap | None, str]:
    """Return the bootstrap's intervals, or None and the reason; "" where there is nothing to resample."""
    question = given.question
    if not (question.epsilons and replications):
        return None, ""
    if question.recourse == "redispatch":
        if len(given.proofs) < len(given.parts):
            return None, "the increments have no interval: the proofs of the answer are gone, answer again to have one"
        proofs = max(len(kept.energy) for kept in given.proofs)
        if proofs * len(question.candidates) > _MOST_PROOFS:
            return None, (
                f"the increments have no interval: {proofs:,} proofs for {len(question.candidates)} sites are too many "
                "to solve again on resampled states"
            )
        said = (
            "over the proofs that the answer kept, which a resampled state may need more of: the totals on resampled "
            "states are at most so large"
        )
        periods: list[Again] = [_on_cuts(given, place, sample) for place, (_, sample) in enumerate(given.parts)]
    else:
        said = "" if question.security == "base" else _SECURE[question.downward_closed]
        periods = [_on_rows(given, name, sample, levels_mw) for name, sample in given.parts]
    found = bootstrap(question, levels_mw, periods, replications=replications, progress=progress)
    return replace(found, words=f"{found.words}; {said}" if said else found.words), ""


_MOST_PROOFS = 60_000  # times sites: a minute or two
_SECURE = {
    True: "limits after every outage counted in each",
    False: "limits after outages are those that some replication together with all others exceeds",
}


def _on_cuts(given: Resampling, place: int, sample: Sample) -> AgainOnCuts:
    question, proofs = given.question, given.proofs[place]
    factors = given.prepared.factors
    outages = outages_of(given.network, question, factors) if question.security == "n-1" else None
    limits = FlowLimits.of(factors, outages, question.outage_rating)
    sites = np.array([given.network.bus(bus) for bus in question.candidates], dtype=np.intp)
    recourse = Recourse(Scenarios.of(sample, given.network), limits, sites)
    recourse.take(proofs.proofs(limits))
    recourse.held = proofs.held
    return AgainOnCuts(recourse, question, list(proofs.granted_mw))


def _on_rows(given: Resampling, name: str, sample: Sample, levels_mw: Sequence[Vector]) -> AgainOnRows:
    network, question, factors = given.network, given.question, given.prepared.factors
    prepared, firm = given.prepared, levels_mw[0]
    outages = outages_of(network, question, factors) if question.security == "n-1" else None
    if name:
        states, alone = replace(given.states, sample=sample), replace(question, epsilons=(), at_zero="hold")
        prepared = prepare(network, alone, states, factors=factors)
        secure = None if outages is None else Secure(prepared, alone, states, outages)
        firm = np.array(allocate(prepared, alone, secure).firm_mw)
    if outages is None:
        return AgainOnRows(prepared, question, sample, firm)
    # Only the sample's own states are drawn again: no replication is worse on a limit than the worst of them.
    alone = replace(question, firm_set="sample", epsilons=(), at_zero="hold")
    margins = prepare(network, alone, States(sample), factors=factors)
    again = AgainOnRows(margins, question, sample, firm, Secure(margins, alone, States(sample), outages))
    again.widen(levels_mw[-1])
    return again
