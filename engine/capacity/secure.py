"""Limits after outages, brought in only where an allocation would break them.

A network of 2,000 buses has millions of pairs of a limit and an outage, and a few dozen stop anything. A pair's load
after an outage is a weighted sum of loads before it, and the worst case and CVaR of a sum are at most the sum of
theirs (both are subadditive; VaR is at most CVaR). So most pairs are cleared by bounds, without their own scenarios;
what is left is evaluated exactly, state by state, and what an allocation breaks becomes rows of the margins. The rows
stay, so every level ends with an allocation that keeps all pairs, and that is optimal over a part of them: the optimum.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.capacity.at_levels import AfterOutages
from engine.capacity.firm_sets import Ranges
from engine.capacity.margins import SMALLEST_FACTOR, Prepared, ranges_of
from engine.capacity.question import CapacityQuestion, Measure
from engine.capacity.risk_measures import risk_rows
from engine.capacity.rows import BACKWARD, FORWARD, INTERFACE_BACKWARD, INTERFACE_FORWARD, factor_rows
from engine.capacity.uncertainty import States
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.network.outages import Outages

BROKEN_MW = 1e-7  # as in the programs: a tenth of what a promise may exceed a limit by
_MOST_ROWS = 1000  # brought in at a time
_CHUNK = 20_000  # pairs evaluated at a time, the likeliest first
_BLOCK_CELLS = 4_000_000  # of scenario flows held at a time
_KINDS = np.array([[FORWARD, BACKWARD], [INTERFACE_FORWARD, INTERFACE_BACKWARD]], dtype=np.int8)


def outages_of(network: Network, question: CapacityQuestion, factors: Factors) -> Outages:
    """Return the outages that a question counts: every branch in service, or the network's list.

    Raises QuestionError where that list is empty.
    """
    if question.outages == "all":
        return Outages.all_single(factors)
    if not network.contingencies.ids:
        raise QuestionError("the network lists no contingency: choose all single outages, or fill its table")
    return Outages.listed(factors, network.contingencies.ids, network.contingencies.branches)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """n limits after outages: the monitored element, the direction and the outage of each."""

    element: Integers  # (n,), a branch, or L + an interface
    backward: Integers  # (n,), 0 or 1
    outage: Integers  # (n,)

    def __len__(self) -> int:
        return len(self.element)

    def part(self, chosen: Integers | Flags) -> Self:
        """Return some of the pairs."""
        return type(self)(self.element[chosen], self.backward[chosen], self.outage[chosen])

    @property
    def sign(self) -> Vector:
        """Return (n,) 1 forward, -1 backward."""
        sign: Vector = np.where(self.backward == 0, 1.0, -1.0)
        return sign


class Secure:
    """The margins of one question with the limits after outages that were needed so far."""

    def __init__(
        self,
        prepared: Prepared,
        question: CapacityQuestion,
        states: States,
        outages: Outages,
        parts: tuple[Integers, ...] = (),
    ) -> None:
        """Raise QuestionError for a level that these states do not have.

        ``parts`` of the states, where given, keep each risk level by themselves: the worst part counts.
        """
        network = prepared.network
        self.prepared = prepared if prepared.after is not None else _with_none(prepared, question)
        self.question = question
        self.outages = outages
        self.levels = (0.0, *question.epsilons)
        for level in self.levels:
            prepared.load_mw(level, question.measure)  # refuses a level that these states do not have
        self._count = len(network.branches.ids)
        self._monitored = csr_array(vstack([_identity(self._count), network.interfaces.weights]))
        self._limits = _limits(network, question)
        self._ranges: Ranges | None = ranges_of(network, question, states)[0]
        self._flows: Matrix | None = None
        self._weight: Vector | None = None
        if states.sample is not None:
            self._flows = prepared.factors.flows(-states.sample.net_demand_mw.T)
            self._weight = None if states.sample.weights is None else states.sample.weight
        self._parts = parts
        self._columns = -prepared.factors.columns(prepared.positions(question.candidates))
        self._bounds = [self._bound(level) for level in self.levels]
        self._known: list[dict[int, float]] = [{} for _ in self.levels]  # loads of pairs by code, level by level
        self._rows: dict[int, int] = {}  # of the pairs that are rows, their row

    def bring_in(self, level: int, mw: Vector, *, closed: bool) -> bool:
        """Make rows of limits after outages that an allocation (K,) breaks at a level; return whether there were any.

        ``closed``: only the withdrawals that add to a limit count on it.
        """
        pairs = self._broken(level, mw, closed)
        if len(pairs):
            self._add(pairs)
        return len(pairs) > 0

    def exceeded(self, level: int, tolerance_mw: float) -> tuple[Pairs, Vector]:
        """Return the pairs whose limit existing load alone exceeds at a level, the furthest first, and their loads."""
        ahead, behind = self._bounds[level]
        pairs = self._within_reach(ahead, behind)
        likely = self._pair_bound(level, pairs) > self._limit(pairs) + tolerance_mw
        pairs = pairs.part(likely)
        load = self._load(level, pairs)
        over = load - self._limit(pairs)
        order = np.flatnonzero(over > tolerance_mw)
        order = order[np.argsort(-over[order], kind="stable")]
        return pairs.part(order), load[order]

    def rows_of(self, pairs: Pairs) -> list[int]:
        """Return the rows of pairs among the margins, made where they were not there."""
        new = np.array([code not in self._rows for code in self._code(pairs).tolist()], dtype=np.bool_)
        if new.any():
            self._add(pairs.part(new))
        return [self._rows[code] for code in self._code(pairs).tolist()]

    def reached(self, pairs: Pairs) -> Flags:
        """Return for each pair whether the power of some candidate adds to it."""
        return np.asarray((self._factors(pairs) > 0).any(axis=1), dtype=np.bool_)

    def _broken(self, level: int, mw: Vector, closed: bool) -> Pairs:
        ahead, behind = self._bounds[level]
        by_element = np.asarray(self._monitored.dot(self._columns))
        added = [np.maximum(by_element, 0.0) @ mw, np.maximum(-by_element, 0.0) @ mw]
        if not closed:
            # What a cutoff drops may have taken load off a limit: it counts as much as it can be.
            dropped = self.question.cutoff * float(mw.sum())
            signed = by_element @ mw
            added = [np.minimum(added[0], signed + dropped), np.minimum(added[1], dropped - signed)]
        pairs = self._within_reach(ahead + added[0], behind + added[1])
        pairs = pairs.part(~np.isin(self._code(pairs), np.fromiter(self._rows, dtype=np.int64, count=len(self._rows))))
        extra = self._added(pairs, mw, closed)
        most = extra - np.maximum(self._limit(pairs) - self._pair_bound(level, pairs), 0.0)
        order = np.argsort(-most, kind="stable")
        order = order[: int((most > BROKEN_MW).sum())]
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            part = pairs.part(chunk)
            over = extra[chunk] - np.maximum(self._limit(part) - self._load(level, part), 0.0)
            broken = np.flatnonzero(over > BROKEN_MW)
            if broken.size:
                return part.part(broken[np.argsort(-over[broken], kind="stable")[:_MOST_ROWS]])
        return pairs.part(order[:0])

    def _within_reach(self, ahead: Vector, behind: Vector) -> Pairs:
        """Return the pairs, both directions of each, that bounds (E,) on loads before outages do not clear."""
        count = self._count
        upper, lower = self._limits
        branch, outage = self.outages.within_reach(ahead[:count], behind[:count], upper[:count], lower[:count])
        sums = csr_array(self._monitored[count:])
        used = np.unique(sums.indices).astype(np.intp)
        factor = np.asarray(sums[:, used].dot(self.outages.rows(used)))
        up, down = np.maximum(factor, 0.0), np.maximum(-factor, 0.0)
        one, other = (bound[:count][self.outages.lost_branch] for bound in (ahead, behind))
        rooms = upper[count:] - ahead[count:], lower[count:] - behind[count:]
        passed = self.outages.by_outage(up * one + down * other) > rooms[0][:, np.newaxis]
        passed |= self.outages.by_outage(up * other + down * one) > rooms[1][:, np.newaxis]
        interface, lost = np.nonzero(passed)
        element = np.concatenate([branch, interface + count])
        outage = np.concatenate([outage, lost])
        both = np.repeat(np.arange(2), len(element))
        pairs = Pairs(np.tile(element, 2), both, np.tile(outage, 2))
        return pairs.part(np.isfinite(self._limit(pairs)))

    def _pair_bound(self, level: int, pairs: Pairs) -> Vector:
        """Return (n,) what the loads of the pairs are at most, from bounds on the loads before."""
        ahead, behind = self._bounds[level]
        own = np.where(pairs.backward == 0, ahead[pairs.element], behind[pairs.element])
        change = self._moves(pairs)
        up, down = np.maximum(change.data, 0.0), np.maximum(-change.data, 0.0)
        most = csr_array((up, change.indices, change.indptr), shape=change.shape).dot(ahead[: self._count])
        most += csr_array((down, change.indices, change.indptr), shape=change.shape).dot(behind[: self._count])
        bound: Vector = own + most
        return bound

    def _moves(self, pairs: Pairs) -> csr_array:
        """Return (n, L) what each outage moves to the load of its pair, per MW on the branches lost."""
        sizes = np.diff(self.outages.first)[pairs.outage]
        entry = np.repeat(np.arange(len(pairs)), sizes)
        column = np.arange(len(entry)) - np.repeat(np.cumsum(sizes) - sizes - self.outages.first[pairs.outage], sizes)
        element, factor = pairs.element[entry], np.empty(len(entry))
        branch = element < self._count
        factor[branch] = self.outages.entries(element[branch], column[branch])
        if not branch.all():
            sums = csr_array(self._monitored[self._count :])
            used = np.unique(sums.indices).astype(np.intp)
            table = np.asarray(sums[:, used].dot(self.outages.rows(used)))
            factor[~branch] = table[element[~branch] - self._count, column[~branch]]
        start = np.concatenate([[0], np.cumsum(sizes)])
        values = factor * pairs.sign[entry]
        return csr_array((values, self.outages.lost_branch[column], start), shape=(len(pairs), self._count))

    def _sums(self, pairs: Pairs) -> csr_array:
        """Return (n, L) the loads of the pairs as weighted sums of the flows before, with their direction."""
        own = csr_array(self._monitored[pairs.element])
        signs = np.repeat(pairs.sign, np.diff(own.indptr))
        signed = csr_array((own.data * signs, own.indices, own.indptr), shape=own.shape)
        return csr_array(signed + self._moves(pairs))

    def _factors(self, pairs: Pairs) -> Matrix:
        """Return the (n, K) withdrawal factors of the candidates, those under the cutoff as zero."""
        found: Matrix = np.asarray(self._sums(pairs).dot(self._columns))
        found[np.abs(found) < max(self.question.cutoff, SMALLEST_FACTOR)] = 0.0
        return found

    def _added(self, pairs: Pairs, mw: Vector, closed: bool) -> Vector:
        added = np.empty(len(pairs))
        step = max(1, _BLOCK_CELLS // max(1, len(mw)))
        for start in range(0, len(pairs), step):
            factor = self._factors(pairs.part(np.arange(start, min(start + step, len(pairs)))))
            added[start : start + step] = (np.maximum(factor, 0.0) if closed else factor) @ mw
        return added

    def _load(self, level: int, pairs: Pairs) -> Vector:
        """Return the (n,) existing loads of the pairs at a level, each worked out once."""
        known, codes = self._known[level], self._code(pairs)
        new = np.array([code not in known for code in codes.tolist()], dtype=np.bool_)
        fresh = np.flatnonzero(new)
        cells = 1 if self._flows is None else self._flows.shape[1]
        cells = max(cells, self._ranged_cells(level))
        step = max(1, _BLOCK_CELLS // cells)
        for start in range(0, len(fresh), step):
            chosen = fresh[start : start + step]
            load = self._load_of(level, self._sums(pairs.part(chosen)))[0]
            known.update(zip(codes[chosen].tolist(), load.tolist(), strict=True))
        return np.array([known[code] for code in codes.tolist()])

    def _ranged_cells(self, level: int) -> int:
        return len(self.prepared.network.buses.ids) if self._ranges is not None and self.levels[level] == 0 else 1

    def _load_of(self, level: int, sums: csr_array) -> tuple[Vector, Integers]:
        """Return the (n,) existing loads of weighted sums of flows at a level, and the state where each is worst."""
        epsilon = self.levels[level]
        none = np.full(sums.shape[0], -1, dtype=np.intp)
        if epsilon > 0 and self._flows is not None:
            return self._risk(np.asarray(sums.dot(self._flows)), epsilon, self.question.measure), none
        worst, state = np.full(sums.shape[0], -np.inf), none
        if self._flows is not None:
            flows = np.asarray(sums.dot(self._flows))
            state = flows.argmax(axis=1)
            worst = flows[np.arange(len(flows)), state]
        if self._ranges is not None:
            centre = self.prepared.factors.flows(-self._ranges.middle_mw)
            ranged = sums.dot(centre) + self._ranges.reach_mw(factor_rows(self.prepared.factors, sums))
            state = np.where(worst > ranged, state, -1)
            worst = np.maximum(ranged, worst)
        return worst, state

    def _bound(self, epsilon: float) -> tuple[Vector, Vector]:
        """Return what the (E,) loads of branches and interfaces before outages count as, forward and backward.

        For VaR that is CVaR, which is never below and is subadditive.
        """
        found = []
        for sign in (1.0, -1.0):
            parts = []
            for start in range(0, self._monitored.shape[0], 512):
                sums = csr_array(sign * self._monitored[start : start + 512])
                if epsilon > 0 and self._flows is not None:
                    parts.append(self._risk(np.asarray(sums.dot(self._flows)), epsilon, "cvar"))
                else:
                    parts.append(self._load_of(0, sums)[0])
            found.append(np.concatenate(parts))
        return found[0], found[1]

    def _risk(self, loads_mw: Matrix, epsilon: float, measure: Measure) -> Vector:
        """Return the (n,) CVaR or VaR of loads (n, S), the largest over the parts of the states."""
        if not self._parts:
            return risk_rows(loads_mw, epsilon, measure, self._weight)
        found = []
        for part in self._parts:
            weight = None if self._weight is None else self._weight[part] / self._weight[part].sum()
            found.append(risk_rows(loads_mw[:, part], epsilon, measure, weight))
        worst: Vector = np.max(found, axis=0)
        return worst

    def _limit(self, pairs: Pairs) -> Vector:
        limit: Vector = self._limits[pairs.backward, pairs.element]
        return limit

    def _code(self, pairs: Pairs) -> Integers:
        return (pairs.element * 2 + pairs.backward) * len(self.outages) + pairs.outage

    def _add(self, pairs: Pairs) -> None:
        """Make rows of the pairs."""
        base, sums = self.prepared, self._sums(pairs)
        worst, state = self._load_of(0, sums)
        loads = {0.0: worst}
        for place, level in enumerate(self.levels[1:], start=1):
            loads[level] = self._load_of(place, sums)[0]
        branch = pairs.element < self._count
        kind = _KINDS[(~branch).astype(np.intp), pairs.backward]
        before = base.after
        if before is None:
            raise QuestionError("these margins are not those of limits after outages")
        names = dict.fromkeys(before.names)
        own = [(self.outages.ids[outage], self.outages.words(outage)) for outage in pairs.outage.tolist()]
        names.update(dict.fromkeys(own))
        place_of = {name: place for place, name in enumerate(names)}
        outage = np.concatenate([before.outage, np.array([place_of[name] for name in own], dtype=np.int32)])
        loads = {level: np.concatenate([before.levels[level], load]) for level, load in loads.items()}
        self._rows.update(
            zip(self._code(pairs).tolist(), range(base.row_count, base.row_count + len(pairs)), strict=True)
        )
        element = np.where(branch, pairs.element, pairs.element - self._count).astype(np.int32)
        kept = base.factors_of(self.question)
        self.prepared = replace(
            base,
            row_kind=np.concatenate([base.row_kind, kind]),
            row_element=np.concatenate([base.row_element, element]),
            sums=csr_array(vstack([base.sums, sums])),
            limit_mw=np.concatenate([base.limit_mw, self._limit(pairs)]),
            firm_load_mw=np.concatenate([base.firm_load_mw, worst]),
            worst_state=np.concatenate([base.worst_state, state.astype(np.int32)]),
            after=AfterOutages(loads, self.question.measure, tuple(names), outage),
            _cache={},
        )
        self.prepared.keep_factors(self.question, np.concatenate([kept, self._factors(pairs)]))


def _with_none(prepared: Prepared, question: CapacityQuestion) -> Prepared:
    """Return margins that say that limits after outages were looked for, with none of them so far."""
    levels = {level: np.zeros(0) for level in (0.0, *question.epsilons)}
    return replace(prepared, after=AfterOutages(levels, question.measure, (), np.zeros(0, dtype=np.int32)))


def _identity(size: int) -> csr_array:
    place = np.arange(size)
    return csr_array(coo_array((np.ones(size), (place, place)), shape=(size, size)))


def _limits(network: Network, question: CapacityQuestion) -> Matrix:
    """Return (2, E) the largest load of branches and interfaces after an outage, forward and backward."""
    branches = network.branches
    rating = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}[question.outage_rating]
    rating = np.where(branches.in_service, rating, np.inf)
    interfaces = network.interfaces
    return np.array([np.concatenate([rating, interfaces.upper_mw]), np.concatenate([rating, -interfaces.lower_mw])])
