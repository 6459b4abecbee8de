"""An independent check of an allocation: the limits as they are stated, not the margins they were reduced to.

Nothing here uses the tails, the margins or the programs. Firm: on every limit the worst corner of the box is
built and the flow in that corner computed (1b)-(1c), or every scenario's flow is. Flexible: the CVaR of the
flows that the scenarios and the allocation give together (4b)-(4d), by sorting. A limit that existing load
alone exceeds must not be exceeded further.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Verdict, Violation
from engine.capacity.supply import supply_share
from engine.capacity.uncertainty import Box, Sample, States
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector

TOLERANCE_MW = 1e-6  # what a promise may exceed a limit by: summation noise
HELD_MW = 1e-3  # existing load this little above a limit is at it
_SHOWN = 20
_BRANCHES = 256  # checked at a time


def verify(
    network: Network,
    question: CapacityQuestion,
    levels_mw: Sequence[Vector],
    states: States,
    factors: Factors | None = None,
) -> Verdict:
    """Return whether the (K,) capacities of firm and of each risk level keep every limit, to 1e-6 MW.

    The stated rules are checked with the factors that the question counts (those under its cutoff dropped),
    and the effect of the dropped ones is reported apart. With ``downward_closed``, no part of the allocation
    may exceed a limit either: only the withdrawals that add to a limit are counted on it.
    Raises QuestionError when the number of levels is not that of the question.
    """
    if len(levels_mw) != 1 + len(question.epsilons):
        raise QuestionError(f"{1 + len(question.epsilons)} levels are asked, {len(levels_mw)} were given")
    share = supply_share(network, question.supply, question.supply_shares)
    shifted = (factors or Factors.of(network)).with_slack(share)
    check = _Check(network, question, states, shifted, [np.asarray(mw, dtype=np.float64) for mw in levels_mw])
    found = [*check.bounds(), *check.buses(), *check.branches()]
    found.sort(key=lambda violation: -violation.over_mw)
    largest = found[0].over_mw if found else max(check.largest, 0.0)
    words = "every limit is kept" if not found else f"{len(found)} promises are broken, the worst: {found[0].words}"
    if check.dropped_mw > TOLERANCE_MW:
        words += (
            f"; the factors under the cutoff of {percent(question.cutoff)} let {check.dropped_at} go "
            f"{check.dropped_mw:.1f} MW over its limit"
        )
    return Verdict(
        holds=not found,
        largest_violation_mw=largest,
        tolerance_mw=TOLERANCE_MW,
        rows_checked=check.rows,
        violations=tuple(found[:_SHOWN]),
        dropped_factors_mw=check.dropped_mw,
        dropped_factors_at=check.dropped_at,
        words=words,
    )


@dataclass(frozen=True, slots=True)
class _Promise:
    """One limit at one level, and the existing load that counts against it."""

    rule: str
    element: str
    name: str
    level: float
    existing_mw: float
    limit_mw: float


@dataclass(slots=True, eq=False)
class _Check:
    network: Network
    question: CapacityQuestion
    states: States
    factors: Factors
    levels_mw: list[Vector]
    rows: int = 0
    largest: float = 0.0
    dropped_mw: float = 0.0
    dropped_at: str = ""

    def bounds(self) -> Iterator[Violation]:
        """Yield the capacities that are negative, above the demand, or below those of the level before."""
        before = np.zeros(len(self.question.candidates))
        demand = np.array(self.question.demand_mw)
        for level, mw in zip((0.0, *self.question.epsilons), self.levels_mw, strict=True):
            for site, bus in enumerate(self.question.candidates):
                above, below = float(mw[site] - demand[site]), float(before[site] - mw[site])
                if above > TOLERANCE_MW:
                    yield Violation(
                        "bounds", bus, level, above, f"bus {bus} is granted {above:.6f} MW above its demand"
                    )
                if below > TOLERANCE_MW and level == 0:
                    yield Violation("bounds", bus, level, below, f"bus {bus} is granted {below:.6f} MW less than none")
                elif below > TOLERANCE_MW:
                    yield Violation("nesting", bus, level, below, f"bus {bus} loses {below:.6f} MW at a higher risk")
            before = mw

    def buses(self) -> Iterator[Violation]:
        """Yield the withdrawal limits that are broken: (1b) and (4b)."""
        buses = self.network.buses
        position = {bus: place for place, bus in enumerate(self.question.candidates)}
        for bus in np.flatnonzero(np.isfinite(buses.withdrawal_limit_mw) & buses.in_service):
            site = position.get(buses.ids[bus])
            for place, level in enumerate((0.0, *self.question.epsilons)):
                existing = self._existing_at_bus(int(bus), level)
                added = 0.0 if site is None else float(self.levels_mw[place][site])
                rule = "(1b)" if level == 0 else "(4b)"
                name = f"the withdrawal limit of bus {buses.ids[bus]}"
                limit = float(buses.withdrawal_limit_mw[bus])
                yield from self._judge(_Promise(rule, buses.ids[bus], name, level, existing, limit), added)

    def branches(self) -> Iterator[Violation]:
        """Yield the ratings that are broken: (1c), (4c) and (4d)."""
        branches = self.network.branches
        rated = np.flatnonzero(branches.in_service & np.isfinite(branches.rating_a_mw))
        places = np.array([self.network.bus(bus) for bus in self.question.candidates], dtype=np.intp)
        for start in range(0, len(rated), _BRANCHES):
            block = rated[start : start + _BRANCHES]
            factor = -self.factors.rows(block)  # (l, B), per MW withdrawn
            flows = None if self.states.sample is None else self._flows(block, factor)
            for line, branch in enumerate(block.tolist()):
                for sign, rule in ((1.0, "(4c)"), (-1.0, "(4d)")):
                    row, own = sign * factor[line], sign * factor[line, places]
                    shift = sign * float(self.factors.shift_flow_mw[branch])
                    for place, level in enumerate((0.0, *self.question.epsilons)):
                        flow = None if flows is None else sign * flows[line]
                        existing = self._existing_on(row, shift, flow, level)
                        name, limit = branches.ids[branch], float(branches.rating_a_mw[branch])
                        promise = _Promise(rule if level else "(1c)", name, f"branch {name}", level, existing, limit)
                        yield from self._judge_branch(promise, own, self.levels_mw[place])

    def _judge_branch(self, promise: _Promise, own: Vector, mw: Vector) -> Iterator[Violation]:
        counted = np.where(np.abs(own) < max(self.question.cutoff, 1e-9), 0.0, own)
        beyond = self._added(own, mw) - max(promise.limit_mw - promise.existing_mw, 0.0)
        if self.question.cutoff > 0 and beyond > max(self.dropped_mw, TOLERANCE_MW):
            self.dropped_mw, self.dropped_at = beyond, promise.name
        yield from self._judge(promise, self._added(counted, mw))

    def _judge(self, promise: _Promise, added: float) -> Iterator[Violation]:
        self.rows += 1
        existing, limit = promise.existing_mw, promise.limit_mw
        over = existing + added - max(limit, existing)
        if existing > limit + HELD_MW and self.question.at_zero == "stop":
            over = existing + max(added, 0.0) - limit
        self.largest = max(self.largest, over)
        if over > TOLERANCE_MW:
            where = "firm" if promise.level == 0 else f"risk {percent(promise.level)}"
            words = f"{promise.name}, {where}: {existing + added:.6f} MW against a limit of {limit:.6f} MW"
            yield Violation(promise.rule, promise.element, promise.level, over, words)

    def _added(self, factor: Vector, mw: Vector) -> float:
        return float((np.maximum(factor, 0.0) if self.question.downward_closed else factor) @ mw)

    def _existing_at_bus(self, bus: int, level: float) -> float:
        if level == 0 and self.question.firm_set == "box":
            return float(self._box().upper_mw[bus])
        states = self._sample().net_demand_mw[:, bus]
        return float(states.max()) if level == 0 else self._risk(states, level)

    def _existing_on(self, row: Vector, shift: float, flow: Vector | None, level: float) -> float:
        if level == 0 and self.question.firm_set == "box":
            box = self._box()
            corner = np.where(row > 0, box.upper_mw, box.lower_mw)
            return float(row @ corner) + shift
        if flow is None:
            raise QuestionError("risk levels need a sample")
        return float(flow.max()) if level == 0 else self._risk(flow, level)

    def _flows(self, block: Integers, factor: Matrix) -> Matrix:
        states = self._sample().net_demand_mw
        made: Matrix = factor @ states.T + self.factors.shift_flow_mw[block][:, np.newaxis]
        return made

    def _risk(self, losses: Vector, level: float) -> float:
        """Return the CVaR or VaR of ``losses`` (S,) straight from its definition."""
        order = np.argsort(-losses, kind="stable")
        weight = self._sample().weight[order]
        if self.question.measure == "var":
            left = np.cumsum(weight)  # probability of this loss or a larger one
            return float(losses[order][np.argmax(left > level + 1e-12)])
        before = np.cumsum(weight) - weight
        part = np.clip(level - before, 0.0, weight)
        return float(part @ losses[order] / part.sum())

    def _sample(self) -> Sample:
        if self.states.sample is None:
            raise QuestionError("risk levels need a sample")
        return self.states.sample

    def _box(self) -> Box:
        box, sample = self.states.box, self.states.sample
        if box is None and sample is None:
            raise QuestionError("firm capacity in a box needs a box")
        if sample is None:
            return box if box is not None else self._box()
        if box is None:
            return Box.around(sample)
        return box.enlarged_to(sample, self.network.buses.ids)[0]
