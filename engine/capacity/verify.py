"""An independent check of an allocation: the limits as they are stated, not the margins they were reduced to.

Nothing here uses the tails, the margins, the programs or the search for limits after outages. Firm: on every limit
the worst corner of the box is built and the flow in that corner computed (1b)-(1c), or every scenario's flow is.
Flexible: the CVaR of the flows that the scenarios and the allocation give together (4b)-(4d), by sorting. After the
loss of one branch flows follow from outage factors, after that of several from a network without them, factorised
anew. A limit that existing load alone exceeds must not be exceeded further. Each period is checked by itself.

Two shortcuts, both by the triangle inequality: CVaR is not above the largest flow, and a flow after an outage is not
above the sum of the largest flows that it is made of. What these clear is not worked out further.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.periods import split
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Verdict, Violation
from engine.capacity.supply import supply_share
from engine.capacity.uncertainty import States
from engine.capacity.verify_flows import Limits, Seen, View, given, monitored_of, without
from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Matrix, Network, Vector

TOLERANCE_MW = 1e-6  # what a promise may exceed a limit by: summation noise
HELD_MW = 1e-3  # existing load this little above a limit is at it
_SHOWN = 20
_ROWS = 256  # limits worked out at a time
_NOISE = 1e-9  # factors below it are none
_WAYS = ((1.0, ("(1c)", "(4c)")), (-1.0, ("(1c)", "(4d)")))  # forward and backward: rules of firm and of risk


def verify(  # noqa: PLR0913 (what is checked, by what, and who is told)
    network: Network,
    question: CapacityQuestion,
    levels_mw: Sequence[Vector],
    states: States,
    factors: Factors | None = None,
    *,
    progress: Progress | None = None,
) -> Verdict:
    """Return whether the (K,) capacities of firm and of each risk level keep every limit, to 1e-6 MW.

    The stated rules are checked with the factors that the question counts (those under its cutoff dropped),
    and the effect of the dropped ones is reported apart. With ``downward_closed``, no part of the allocation
    may exceed a limit either: only the withdrawals that add to a limit are counted on it.
    Raises QuestionError when the number of levels is not that of the question.
    """
    if len(levels_mw) != 1 + len(question.epsilons):
        raise QuestionError(f"{1 + len(question.epsilons)} levels are asked, {len(levels_mw)} were given")
    if question.recourse != "none":
        raise QuestionError("this check knows no redispatch: units stay where the states have them")
    share = supply_share(network, question.supply, question.supply_shares)
    shifted = (factors or Factors.of(network)).with_slack(share)
    parts = [("", states)]
    if question.period != "year":
        parts = [(name, replace(states, sample=sample)) for name, sample in split(states.sample, question)]
    check = _Check(network, question, [np.asarray(mw, dtype=np.float64) for mw in levels_mw])
    found = list(check.bounds())
    for place, (name, own) in enumerate(parts):
        check.seen, check.prefix = Seen(network, question, own), f"{name}: " if name else ""
        found += [*check.buses(), *check.branches(shifted, "a", "")]
        if question.security == "n-1":
            found += check.outages(shifted, progress, (place, len(parts)))
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


@dataclass(slots=True, eq=False)
class _Check:
    """What is asked, and what has been found so far."""

    network: Network
    question: CapacityQuestion
    levels_mw: list[Vector]
    seen: Seen | None = None  # the states of the period that is looked at
    prefix: str = ""
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
                        "bounds", bus, level, above, f"bus {bus} is granted {above:.6g} MW above its demand"
                    )
                if below > TOLERANCE_MW and level == 0:
                    yield Violation("bounds", bus, level, below, f"bus {bus} is granted {below:.6g} MW less than none")
                elif below > TOLERANCE_MW:
                    yield Violation("nesting", bus, level, below, f"bus {bus} loses {below:.6g} MW at a higher risk")
            before = mw

    def buses(self) -> Iterator[Violation]:
        """Yield the withdrawal limits that are broken: (1b) and (4b)."""
        buses = self.network.buses
        limited = np.flatnonzero(np.isfinite(buses.withdrawal_limit_mw) & buses.in_service)
        ids = [buses.ids[bus] for bus in limited]
        own = np.array([[float(bus == site) for site in self.question.candidates] for bus in ids])
        own = own.reshape(len(ids), len(self.question.candidates))
        sample = self._states().states.sample
        flows = None if sample is None else sample.net_demand_mw[:, limited].T
        row, none = np.eye(len(buses.ids))[limited], np.zeros(len(ids))
        names = [f"the withdrawal limit of bus {bus}" for bus in ids]
        limits = Limits(
            ("(1b)", "(4b)"), ids, names, buses.withdrawal_limit_mw[limited], own, flows, lambda: (row, none)
        )
        yield from self._judge(limits)

    def branches(self, factors: Factors, rating: str, after: str) -> Iterator[Violation]:
        """Yield the ratings and interface limits broken in the network of ``factors``: (1c), (4c) and (4d)."""
        network = factors.network
        places = np.array([network.bus(bus) for bus in self.question.candidates], dtype=np.intp)
        sample = self._states().states.sample
        for monitored in monitored_of(network):
            for sign, rules in _WAYS:
                limit = monitored.limit(network, rating, sign)
                limited = np.flatnonzero(np.isfinite(limit))
                for start in range(0, len(limited), _ROWS):
                    at = limited[start : start + _ROWS]
                    row = sign * monitored.rows(factors, at)
                    shift = sign * monitored.of(factors.shift_flow_mw[:, np.newaxis], at)[:, 0]
                    flows = None if sample is None else row @ sample.net_demand_mw.T + shift[:, np.newaxis]
                    ids = [monitored.ids[place] for place in at.tolist()]
                    names = [f"{monitored.kind} {name}{after}" for name in ids]
                    yield from self._judge(
                        Limits(rules, ids, names, limit[at], row[:, places], flows, given(row, shift))
                    )

    def outages(self, factors: Factors, progress: Progress | None, part: tuple[int, int]) -> list[Violation]:
        """Return the limits that are broken after outages."""
        network, question = self.network, self.question
        lost: list[tuple[int, ...]] = [(branch,) for branch in np.flatnonzero(network.branches.in_service).tolist()]
        if question.outages == "listed":
            lost = [tuple(branches) for branches in network.contingencies.branches]
        splitting = set(factors.bridges().tolist())
        single = np.array([own[0] for own in lost if len(own) == 1 and own[0] not in splitting], dtype=np.intp)
        several = [own for own in lost if len(own) > 1]
        steps = [single[start : start + _ROWS] for start in range(0, len(single), _ROWS)]
        view = View.of(factors, self._states(), self.levels_mw)
        found: list[Violation] = []
        for done, block in enumerate(steps, start=1):
            share, none = factors.lodf(block)
            for place, branch in enumerate(block.tolist()):
                if branch not in none:
                    found += self._after_one(view, branch, share[:, place])
            _report(progress, part, done, len(steps) + len(several))
        for done, own in enumerate(several, start=1 + len(steps)):
            changed = without(network, own)
            if changed is not None:
                other = Factors.of(changed).with_slack(factors.slack_share)
                named = " and ".join(network.branches.ids[branch] for branch in own)
                found += self.branches(other, question.outage_rating, f" after the loss of {named}")
            _report(progress, part, done, len(steps) + len(several))
        return found

    def _after_one(self, view: View, branch: int, share: Vector) -> Iterator[Violation]:
        """Yield what is broken after the loss of one branch, whose flow moves in the ``share`` (L,) to the others."""
        after = f" after the loss of {self.network.branches.ids[branch]}"
        for monitored in monitored_of(self.network):
            moved = monitored.of(share[:, np.newaxis])[:, 0]
            for sign, rules in _WAYS:
                limit = monitored.limit(self.network, self.question.outage_rating, sign)
                if monitored.kind == "branch":
                    limit[branch] = np.inf
                at = view.doubtful(monitored, sign, (moved, branch), limit)
                self.rows += (int(np.isfinite(limit).sum()) - len(at)) * len(self.levels_mw)
                if at.size:
                    ids = [monitored.ids[place] for place in at.tolist()]
                    names = [f"{monitored.kind} {name}{after}" for name in ids]
                    own, flows, rows = view.after(monitored, sign, at, (moved[at], branch))
                    yield from self._judge(Limits(rules, ids, names, limit[at], own, flows, rows))

    def _judge(self, limits: Limits) -> Iterator[Violation]:
        """Yield the limits that the allocation breaks, level by level."""
        if not len(limits.limit_mw):
            return
        counted = np.where(np.abs(limits.own) < max(self.question.cutoff, _NOISE), 0.0, limits.own)
        for level, mw in zip((0.0, *self.question.epsilons), self.levels_mw, strict=True):
            self.rows += len(limits.limit_mw)
            added, whole = self._added(counted, mw), self._added(limits.own, mw)
            existing = self._states().existing(limits, level, np.maximum(np.maximum(added, whole), 0.0))
            if self.question.cutoff > 0:
                beyond = whole - np.maximum(limits.limit_mw - existing, 0.0)
                worst = int(beyond.argmax())
                if beyond[worst] > max(self.dropped_mw, TOLERANCE_MW):
                    self.dropped_mw, self.dropped_at = float(beyond[worst]), limits.names[worst]
            over = existing + added - np.maximum(limits.limit_mw, existing)
            if self.question.at_zero == "stop":
                stopped = existing > limits.limit_mw + HELD_MW
                over = np.where(stopped, existing + np.maximum(added, 0.0) - limits.limit_mw, over)
            self.largest = max(self.largest, float(over.max()))
            for place in np.flatnonzero(over > TOLERANCE_MW).tolist():
                where = "firm" if level == 0 else f"risk {percent(level)}"
                words = (
                    f"{self.prefix}{limits.names[place]}, {where}: {existing[place] + added[place]:.6g} MW against a "
                    f"limit of {limits.limit_mw[place]:.6g} MW"
                )
                rule = limits.rules[0 if level == 0 else 1]
                yield Violation(rule, limits.elements[place], level, float(over[place]), words)

    def _added(self, own: Matrix, mw: Vector) -> Vector:
        """Return the (n,) MW that an allocation adds."""
        return np.asarray((np.maximum(own, 0.0) if self.question.downward_closed else own) @ mw)

    def _states(self) -> Seen:
        if self.seen is None:
            raise QuestionError("there are no states to check")
        return self.seen


def _report(progress: Progress | None, part: tuple[int, int], done: int, count: int) -> None:
    if progress is not None:
        place, parts = part
        progress(place * count + done, parts * count)
