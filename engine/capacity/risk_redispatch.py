"""An allocation with redispatch judged on independent states: in which of them no dispatch keeps every limit.

A state is exceeded when its least overload with everything drawn is above zero, or above what was exceeded before
anything is added. Two bounds decide most states without a program: proofs of the answer bound the overload of any
state from below, a dispatch moved along with the load from above (:mod:`engine.redispatch.recourse`). An overload is
told on the limit that weighs most in its proof, as that share of the limit.

Who is interrupted: the least cut of flexible products after which some dispatch keeps every limit. Its program, with
the dispatch and the cuts as variables, is solved from both ends: the least cut that all known proofs allow
(:mod:`engine.capacity.curtailment`, with proofs as its limits), then a dispatch for what is left to be drawn; where
there is none, that gives another proof.
Source: Benders, "Partitioning procedures for solving mixed-variables programming problems", Numerische Mathematik 4,
1962.
"""

from collections.abc import Callable, Sequence

import numpy as np

from engine.capacity.curtailment import TOLERANCE_MW, Curtailment
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Limit
from engine.capacity.risk import Risk, flexible_parts
from engine.capacity.risk_tally import Judged, Tally
from engine.capacity.uncertainty import Sample
from engine.compute import Progress
from engine.errors import SolverError
from engine.network.model import Integers, Matrix, Vector
from engine.redispatch.held_words import held_limits
from engine.redispatch.joint import worst_limit
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import LEAST_SCALE_MW, FlowLimits
from engine.redispatch.recourse import OVERLOAD, Recourse
from engine.redispatch.states import Scenarios

_ROUNDS = 200  # of cuts and dispatches
_MOST_PROOFS = 400  # of an answer: the last ones are nearest to it, and each takes time to make a bound of
_MOST_STATES = 2000
_FEWEST_STATES = 200
_CELLS = 1_000_000  # states times buses: about a minute


def states_to_judge(buses: int, *, outages: bool) -> int:
    """Return how many independent states are judged, so that it takes about a minute at most."""
    most = _CELLS // (10 if outages else 1) // max(1, buses)
    return min(_MOST_STATES, max(_FEWEST_STATES, most))


class RedispatchMeasure:
    """Measures an allocation with redispatch, everything drawn at once."""

    def __init__(self, question: CapacityQuestion, limits: FlowLimits, levels_mw: Sequence[Vector]) -> None:
        """``limits`` are those of the question, outages among them; ``levels_mw`` (K,) is the answer's."""
        self._question, self._limits = question, limits
        self._sites = np.array([limits.network.bus(bus) for bus in question.candidates], dtype=np.intp)
        self._tally = Tally(question, levels_mw)

    def add(
        self,
        levels_mw: Sequence[Vector],
        sample: Sample,
        portion: float = 1.0,
        *,
        proofs: Sequence[JointProofs] = (),
        progress: Progress | None = None,
    ) -> None:
        """Count the states of ``sample`` with ``portion`` of all probability, for capacities (K,) of each level.

        ``proofs`` of an answer on other states spare programs. Raises SolverError when a solver fails, and what
        ``progress`` raises.
        """
        recourse = Recourse(Scenarios.of(sample, self._limits.network), self._limits, self._sites)
        for kept in proofs:
            recourse.take(kept.proofs(self._limits)[-_MOST_PROOFS:])
        weight = portion * sample.weight
        self._tally.count_states(weight)
        self._count_before(recourse, weight)
        exceeded = np.zeros(0, dtype=np.intp)
        for level, mw in enumerate(levels_mw):
            exceeded = self._count_level(recourse, level, mw, weight, _part(progress, level, len(levels_mw)))
        self._cut(recourse, levels_mw, exceeded, weight)

    def risk(self, hours_a_year: float | None) -> Risk:
        """Return what was found."""
        return self._tally.risk(hours_a_year)

    def _count_before(self, recourse: Recourse, weight: Vector) -> None:
        for state in recourse.hold_what_is().tolist():
            limits = [limit for limit, _ in held_limits(recourse, state)]
            places = np.concatenate([self._place(limit) for limit in limits])
            self._tally.count_before(places, np.full(len(places), weight[state]), float(weight[state]))

    def _count_level(
        self, recourse: Recourse, level: int, mw: Vector, weight: Vector, progress: Callable[[int, int], None]
    ) -> Integers:
        """Count the states that a level exceeds, and return them."""
        lower = recourse.below(mw)[0]
        open_ = np.flatnonzero((recourse.above(mw) > OVERLOAD) | (lower > OVERLOAD))
        found = []
        for number, state in enumerate(open_.tolist()):
            progress(number, len(open_))
            if lower[state] <= OVERLOAD and not recourse.exceeds(mw, state):
                continue
            share = recourse.solve(mw, state, 0.0)
            if share <= OVERLOAD or recourse.last_proof is None:
                continue
            found.append(state)
            limit = worst_limit(recourse, recourse.last_proof, state)
            excess = share * max(abs(limit.limit_mw), LEAST_SCALE_MW)
            self._tally.count_level(level, self._place(limit), np.array([[excess]]), weight[[state]])
        return np.array(found, dtype=np.intp)

    def _place(self, limit: Limit) -> Integers:
        return self._tally.places([Judged(limit.words, lambda: limit)])

    def _cut(self, recourse: Recourse, levels_mw: Sequence[Vector], exceeded: Integers, weight: Vector) -> None:
        """Count what is cut of the flexible products in the states that are exceeded with everything drawn."""
        if not exceeded.size:
            return
        cut, left = self.cuts(recourse, levels_mw, exceeded)
        products = [(bus, epsilon) for bus, epsilon, _ in flexible_parts(self._question, levels_mw)]
        named = [recourse.scenarios.labels[state] for state in exceeded.tolist()]
        self._tally.count_cuts(products, cut, left, weight[exceeded], named)

    def cuts(self, recourse: Recourse, levels_mw: Sequence[Vector], states: Integers) -> tuple[Matrix, Vector]:
        """Return what is cut (s, P) of the flexible products in some states, and the MW of a proof (s,) that stay."""
        parts = flexible_parts(self._question, levels_mw)
        site = {bus: place for place, bus in enumerate(self._question.candidates)}
        at = np.array([site[bus] for bus, _, _ in parts], dtype=np.intp)
        size, risk = np.array([mw for _, _, mw in parts]), np.array([epsilon for _, epsilon, _ in parts])
        drawn = levels_mw[-1]
        cut, left = np.zeros((len(states), len(parts))), np.zeros(len(states))
        open_ = np.arange(len(states))
        for _ in range(_ROUNDS):
            excess = _excess(recourse, drawn, states[open_])
            found = Curtailment(recourse.slopes[:, at], size, risk).cut(excess)
            cut[open_], left[open_] = found.cut_mw, found.left_mw
            self._tally.programs += found.programs
            again = []
            for place in open_.tolist():
                state, known = int(states[place]), len(recourse.cuts)
                rest = drawn.copy()
                np.subtract.at(rest, at, cut[place])
                if not recourse.exceeds(np.maximum(rest, 0.0), state) or len(recourse.cuts) == known:
                    continue
                new = _excess(recourse, rest, np.array([state]))[-1, 0]
                if new > left[place] + TOLERANCE_MW:
                    again.append(place)
            if not again:
                return cut, left
            open_ = np.array(again, dtype=np.intp)
        raise SolverError("no least interruption was found: limits keep being exceeded")


def _excess(recourse: Recourse, granted_mw: Vector, states: Integers) -> Matrix:
    """Return the MW (n, s) by which cuts say that ``granted_mw`` (K,) is too much, beyond a tolerance."""
    fixed = recourse.levels_in(states) - OVERLOAD * recourse.weights[:, states]
    excess: Matrix = fixed + (recourse.slopes @ granted_mw)[:, np.newaxis]
    return excess


def _part(progress: Progress | None, level: int, levels: int) -> Callable[[int, int], None]:
    """Return what moves the progress through the states of one level."""

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(total * level + done, total * levels)

    return report
