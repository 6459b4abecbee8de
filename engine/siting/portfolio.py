"""Clearing as a batch: the set of awards with the most score-weighted MW that passes the gate as a whole.

    maximise   sum over applicants r and offers o of  score_o mw_r x_ro
    subject to one place per applicant, the published caps, and the gate for all loads together,

a mixed-integer program to which the gate adds what it finds: a ray of hour t and outage c holds a portfolio to
``sum of price_b load_r(t) x_ro <= room + M u_tc``, with u_tc = 1 where the pair is one of the failures that the
threshold allows; each counts its share of hours and outages, by the weight of its hour. Solved, checked by the gate,
cut and solved again until the gate passes the optimum: then no other portfolio is better, since every cut holds for all
that pass. The big M is the largest left side any portfolio can have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.compute import Progress
from engine.errors import InfeasibleError, SolverError
from engine.integer import MixedIntegerProgram, solve_integer
from engine.network.model import Vector
from engine.program import Status
from engine.siting.clearing import (
    ROUNDING,
    Applicant,
    ClearingRules,
    JointFailure,
    JointGate,
    JointVerdict,
    Offer,
    Placed,
    broken_rule,
    check_applicants,
    fits,
)

MOST_ROUNDS = 200
TIME_LIMIT_S = 60.0
_NO_WORTH = 1e-9  # a score up to this is 0: the program does not tell its MW apart from none


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """The awards, what they are worth, and how sure that nothing better passes."""

    awards: tuple[tuple[Applicant, Offer], ...]
    value: float  # score times MW
    bound: float  # no portfolio that passes is worth more
    verdict: JointVerdict  # of the gate, on exactly these awards
    rounds: int
    cuts: int
    status: Status  # OPTIMAL, or TIME_LIMIT with the bound told

    @property
    def gap(self) -> float:
        """Return the distance to the bound, relative."""
        return (self.bound - self.value) / max(1.0, abs(self.bound))


def best_portfolio(  # noqa: PLR0913 (what is cleared, by what, and two by name)
    applicants: Sequence[Applicant],
    offers: Sequence[Offer],
    rules: ClearingRules,
    gate: JointGate,
    *,
    placed: Sequence[Placed] = (),
    progress: Progress | None = None,
) -> Portfolio:
    """Return the best set of awards; ``placed`` are loads committed before.

    Raises InfeasibleError if the committed loads alone do not pass, SolverError if the solver stops without a point.
    """
    check_applicants(applicants)
    alone = gate.check(placed)
    if not alone.passes:
        raise InfeasibleError(
            f"with the loads committed before {alone.words()}; the first is {alone.failures[0].words}"
        )
    pairs = [(one, offer) for one in applicants for offer in offers if fits(one, offer)]
    master = _Master(pairs, rules, gate, placed, alone)
    master.cut(alone.failures)
    status, verdict = Status.OPTIMAL, alone
    for rounds in range(1, MOST_ROUNDS + 1):
        if progress is not None:
            progress(rounds - 1, MOST_ROUNDS)
        chosen, bound, status = master.solve()
        verdict = gate.check([*placed, *_loads(chosen)])
        if verdict.passes:
            chosen, verdict = _filled(chosen, pairs, rules, gate, placed, verdict)
            value = sum(offer.score * one.mw for one, offer in chosen)
            return Portfolio(tuple(chosen), value, bound, verdict, rounds, len(master.cuts), status)
        if not master.cut(verdict.failures):
            raise SolverError("the gate refuses a portfolio that keeps every cut it gave: its rays do not cut it off")
    raise SolverError(f"no portfolio passed the gate in {MOST_ROUNDS} rounds; {len(master.cuts)} cuts were made")


def _loads(chosen: Sequence[tuple[Applicant, Offer]]) -> list[Placed]:
    return [Placed(offer.bus, offer.envelope, one.mw) for one, offer in chosen]


def _filled(  # noqa: PLR0913, PLR0917 (the optimum, and what may stand beside it)
    chosen: list[tuple[Applicant, Offer]],
    pairs: Sequence[tuple[Applicant, Offer]],
    rules: ClearingRules,
    gate: JointGate,
    placed: Sequence[Placed],
    verdict: JointVerdict,
) -> tuple[list[tuple[Applicant, Offer]], JointVerdict]:
    """Return the optimum with the sites of score 0 that still fit beside it, in the order of the applications.

    The worst site of a ranking has the score 0, give or take the last digits: it adds nothing to the objective, and
    would stay empty for nothing.
    """
    found = list(chosen)
    for one, offer in pairs:
        if offer.score > _NO_WORTH or any(one is other for other, _ in found) or broken_rule(one, offer, rules, found):
            continue
        more = gate.check([*placed, *_loads([*found, (one, offer)])])
        if more.passes:
            found.append((one, offer))
            verdict = more
    return found, verdict


class _Master:
    """The program over pairs and allowed failures, with the cuts found so far."""

    def __init__(
        self,
        pairs: Sequence[tuple[Applicant, Offer]],
        rules: ClearingRules,
        gate: JointGate,
        placed: Sequence[Placed],
        alone: JointVerdict,
    ) -> None:
        self.pairs, self.rules, self.gate, self.placed = pairs, rules, gate, placed
        self.scale = alone.pairs  # shares are tiny numbers: a pair of mean weight counts 1 in the program
        self.allowed = (alone.allowed + ROUNDING) * self.scale
        self.cuts: list[JointFailure] = []
        self._known: set[tuple[int, int, bytes]] = set()

    def cut(self, failures: Sequence[JointFailure]) -> int:
        """Take the rays that are new; return how many."""
        before = len(self.cuts)
        for failure in failures:
            key = (failure.hour, failure.contingency, np.round(failure.price, 9).tobytes())
            if key not in self._known:
                self._known.add(key)
                self.cuts.append(failure)
        return len(self.cuts) - before

    def solve(self) -> tuple[list[tuple[Applicant, Offer]], float, Status]:
        """Return the best choice that keeps the cuts, a bound on its value, and how the solver ended."""
        if not self.pairs:
            return [], 0.0, Status.OPTIMAL
        events = list(dict.fromkeys((cut.hour, cut.contingency) for cut in self.cuts))
        size = len(self.pairs) + len(events)
        value = np.array([offer.score * one.mw for one, offer in self.pairs])
        program = MixedIntegerProgram(
            cost=np.concatenate([-value, np.zeros(len(events))]),
            upper=np.ones(size),
            integer=np.ones(size, dtype=np.bool_),
        )
        rows, most = self._rule_rows()
        table = np.zeros((len(rows) + len(self.cuts) + bool(events), size))
        table[: len(rows), : len(self.pairs)] = rows
        bound = [*most]
        for place, cut in enumerate(self.cuts, start=len(rows)):
            weight, room = self._weights(cut)
            slack = max(0.0, float(np.maximum(weight, 0.0).sum()) - room)
            table[place, : len(self.pairs)] = weight
            table[place, len(self.pairs) + events.index((cut.hour, cut.contingency))] = -slack
            bound.append(room)
        if events:
            share = {(cut.hour, cut.contingency): cut.share for cut in self.cuts}
            table[-1, len(self.pairs) :] = [self.scale * share[event] for event in events]
            bound.append(self.allowed)
        found = solve_integer(
            program.with_rows(csr_array(table), np.full(len(bound), -np.inf), np.array(bound)),
            time_limit_s=TIME_LIMIT_S,
        )
        if np.isnan(found.x).any():
            raise SolverError(f"the portfolio's program ended without a point: {found.message}")
        chosen = [pair for pair, taken in zip(self.pairs, found.x[: len(self.pairs)], strict=True) if taken > 0.5]
        return chosen, -found.bound, found.status

    def _weights(self, cut: JointFailure) -> tuple[Vector, float]:
        """Return what each pair counts in a cut, and the room that committed loads leave."""

        def counted(load: Placed) -> float:
            return float(cut.price[load.bus]) * self.gate.served_mw(load, cut.hour)

        weight = [counted(Placed(offer.bus, offer.envelope, one.mw)) for one, offer in self.pairs]
        return np.array(weight), cut.room_mw - sum(counted(load) for load in self.placed)

    def _rule_rows(self) -> tuple[list[Vector], list[float]]:
        """Return the rows of the published rules over the pairs, and what they are at most."""
        mw = np.array([one.mw for one, _ in self.pairs])
        rows, most = [], []

        def held(flags: list[bool], limit: float, *, in_mw: bool) -> None:
            chosen = np.array(flags, dtype=np.float64)
            if chosen.any() and np.isfinite(limit):
                rows.append(chosen * mw if in_mw else chosen)
                most.append(limit)

        for applicant in dict.fromkeys(one for one, _ in self.pairs):
            held([one is applicant for one, _ in self.pairs], 1.0, in_mw=False)
        held([True] * len(self.pairs), self.rules.tranche_mw, in_mw=True)
        for corridor, limit in self.rules.corridor_cap_mw.items():
            held([offer.corridor == corridor for _, offer in self.pairs], limit, in_mw=True)
        for zone, limit in self.rules.zone_cap_mw.items():
            held([offer.zone == zone for _, offer in self.pairs], limit, in_mw=True)
        for corridor in dict.fromkeys(offer.corridor for _, offer in self.pairs if offer.corridor):
            chosen = [offer.corridor == corridor for _, offer in self.pairs]
            held(chosen, float(self.rules.most_per_corridor), in_mw=False)
        for zone in dict.fromkeys(offer.zone for _, offer in self.pairs if offer.zone):
            held([offer.zone == zone for _, offer in self.pairs], float(self.rules.most_per_zone), in_mw=False)
        for bus in dict.fromkeys(offer.bus for _, offer in self.pairs):
            held([offer.bus == bus for _, offer in self.pairs], float(self.rules.most_per_bus), in_mw=False)
        return rows, most
