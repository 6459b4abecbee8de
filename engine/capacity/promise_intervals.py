"""Intervals of an answer's increments: what is solved again with outages, redispatch and periods, what stays fixed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.bootstrap import Again, AgainOnRows, Bootstrap, bootstrap
from engine.capacity.bootstrap_redispatch import AgainOnCuts
from engine.capacity.margins import Prepared, prepare
from engine.capacity.periods import positions
from engine.capacity.question import CapacityQuestion
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import Sample, States
from engine.compute import Progress
from engine.network.model import Integers, Network, Vector
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import FlowLimits
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios

_MOST_PROOFS = 60_000  # times sites: a minute or two
_SECURE = {
    True: "limits after every outage counted in each",
    False: "limits after outages are those that some replication together with all others exceeds",
}


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """What an answer for the year is made from, and what its job has kept of it."""

    network: Network
    question: CapacityQuestion
    sample: Sample
    prepared: Prepared  # without outages
    proofs: JointProofs | None  # None without redispatch, or where their file is gone

    @property
    def parts(self) -> tuple[Integers, ...]:
        """Return the states of each period, which keeps each risk level by itself; none for the year as one."""
        if self.question.period == "year":
            return ()
        return tuple(at for _, at in positions(self.sample, self.question))


def intervals(
    given: Resampling, levels_mw: Sequence[Vector], replications: int, progress: Progress
) -> tuple[Bootstrap | None, str]:
    """Return the bootstrap's intervals, or None and the reason; "" where there is nothing to resample."""
    question = given.question
    if not (question.epsilons and replications):
        return None, ""
    said = "" if question.security == "base" else _SECURE[question.downward_closed]
    if question.recourse == "redispatch":
        if given.proofs is None:
            return None, "the increments have no interval: the proofs of the answer are gone, answer again to have one"
        count, sites = len(given.proofs.energy), len(question.candidates)
        if count * sites > _MOST_PROOFS:
            return None, (
                f"the increments have no interval: {count:,} proofs for {sites} sites are too many to solve again on "
                "resampled states"
            )
        said = (
            "over the proofs that the answer kept, which a resampled state may need more of: the totals on resampled "
            "states are at most so large"
        )
        again: Again = _on_cuts(given, given.proofs)
    else:
        again = _on_rows(given, levels_mw)
    found = bootstrap(question, levels_mw, again, replications=replications, progress=progress)
    return replace(found, words=f"{found.words}; {said}" if said else found.words), ""


def _on_cuts(given: Resampling, proofs: JointProofs) -> AgainOnCuts:
    question, factors = given.question, given.prepared.factors
    outages = outages_of(given.network, question, factors) if question.security == "n-1" else None
    limits = FlowLimits.of(factors, outages, question.outage_rating)
    sites = np.array([given.network.bus(bus) for bus in question.candidates], dtype=np.intp)
    recourse = Recourse(Scenarios.of(given.sample, given.network), limits, sites)
    recourse.hold(proofs.raised())
    recourse.take(proofs.proofs(limits))
    return AgainOnCuts(recourse, question, list(proofs.granted_mw), given.parts)


def _on_rows(given: Resampling, levels_mw: Sequence[Vector]) -> AgainOnRows:
    network, question, factors = given.network, given.question, given.prepared.factors
    if question.security == "base":
        return AgainOnRows(given.prepared, question, given.sample, levels_mw[0], parts=given.parts)
    # Only the sample's own states are drawn again: no replication is worse on a limit than the worst of them.
    alone, states = replace(question, firm_set="sample", epsilons=(), at_zero="hold"), States(given.sample)
    margins = prepare(network, alone, states, factors=factors)
    secure = Secure(margins, alone, states, outages_of(network, question, factors))
    again = AgainOnRows(margins, question, given.sample, levels_mw[0], secure, given.parts)
    again.widen(levels_mw[-1])
    return again
