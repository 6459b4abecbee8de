"""What the independent check works out: flows, their worst case and CVaR, straight from the definitions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from engine.capacity.question import CapacityQuestion
from engine.capacity.uncertainty import Box, Sample, States
from engine.errors import NetworkDataError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector

_ROWS = 256  # branches worked out at a time

Rows = Callable[[], tuple[Matrix, Vector]]  # (n, B) MW per MW drawn at each bus, and (n,) MW when nothing is drawn


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """n limits: what they are called, and how states and candidates load them."""

    rules: tuple[str, str]  # of firm, and of a risk level
    elements: Sequence[str]
    names: Sequence[str]
    limit_mw: Vector  # (n,)
    own: Matrix  # (n, K), MW per MW drawn at the candidates
    flows: Matrix | None  # (n, S), existing load in every scenario
    rows: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Monitored:
    """Branches, or interfaces as sums of them."""

    kind: str
    ids: tuple[str, ...]
    weights: csr_array | None  # (n, L); None: the branches themselves

    def limit(self, network: Network, rating: str, sign: float) -> Vector:
        """Return the (n,) limits in one direction, inf for none."""
        if self.weights is not None:
            ends = network.interfaces
            return np.array(ends.upper_mw if sign > 0 else -ends.lower_mw)
        branches = network.branches
        ratings = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}
        return np.where(branches.in_service, ratings[rating], np.inf)

    def of(self, by_branch: Matrix, at: Integers | None = None) -> Matrix:
        """Return (n, m) out of (L, m), for the elements ``at`` or all."""
        if self.weights is None:
            return by_branch if at is None else by_branch[at]
        part = self.weights if at is None else csr_array(self.weights[at])
        return np.asarray(part.dot(by_branch))

    def rows(self, factors: Factors, at: Integers) -> Matrix:
        """Return (n, B) MW on the elements ``at`` per MW drawn at each bus."""
        if self.weights is None:
            return -factors.rows(at)
        part = csr_array(self.weights[at])
        used = np.unique(part.indices).astype(np.intp)
        return -np.asarray(part[:, used].dot(factors.rows(used)))


def given(row: Matrix, still_mw: Vector) -> Rows:
    """Return rows that are there already."""
    return lambda: (row, still_mw)


def monitored_of(network: Network) -> tuple[Monitored, ...]:
    """Return what has limits on flows."""
    branches = Monitored("branch", network.branches.ids, None)
    if not network.interfaces.ids:
        return (branches,)
    return branches, Monitored("interface", network.interfaces.ids, network.interfaces.weights)


def without(network: Network, lost: Sequence[int]) -> Network | None:
    """Return the network with branches out of service, None where that splits it."""
    on = network.tables.branches["in_service"].to_numpy(dtype=np.bool_).copy()
    on[list(lost)] = False
    try:
        return Network.from_tables(network.tables.with_table("branches", network.tables.branches.assign(in_service=on)))
    except NetworkDataError:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The states of the year or of one period, and what they load limits with."""

    network: Network
    question: CapacityQuestion
    states: States

    def existing(self, limits: Limits, level: float, added_mw: Vector) -> Vector:
        """Return the (n,) existing loads at a level; where the largest is within the limit all the same, that one."""
        if level == 0:
            return self.worst(limits)
        if limits.flows is None:
            raise QuestionError("risk levels need a sample")
        found: Vector = limits.flows.max(axis=1)
        near = np.flatnonzero(found + added_mw > limits.limit_mw)
        for place in near.tolist():
            found[place] = self._risk(limits.flows[place], level)
        return found

    def worst(self, limits: Limits) -> Vector:
        """Return the (n,) existing loads in the worst state of the firm set."""
        sample = np.full(len(limits.limit_mw), -np.inf) if limits.flows is None else limits.flows.max(axis=1)
        if self.question.firm_set == "sample":
            if limits.flows is None:
                raise QuestionError("firm capacity in every scenario needs a sample")
            return sample
        row, still = limits.rows()
        box = self._box()
        if self.question.firm_set == "box":
            corner = np.where(row > 0, box.upper_mw, box.lower_mw)
            return np.asarray((row * corner).sum(axis=1) + still)
        moves = -np.sort(-np.abs(row) * (box.upper_mw - box.lower_mw) / 2, axis=1)
        counted = np.clip(self.question.budget - np.arange(moves.shape[1]), 0.0, 1.0)
        centre = row @ ((box.upper_mw + box.lower_mw) / 2)
        return np.asarray(np.maximum(centre + still + moves @ counted, sample), dtype=np.float64)

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
        if box is None:
            return Box.around(self._sample())
        if sample is None or self.question.firm_set == "budget":
            return box
        return box.enlarged_to(sample, self.network.buses.ids)[0]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The flows and factors of all branches before outages, and how large the flows can be."""

    factors: Factors
    flows: Matrix | None  # (L, S)
    own: Matrix  # (L, K)
    most: tuple[Vector, Vector]  # (L,) each: forward and backward, existing in the worst state and all that is added

    @classmethod
    def of(cls, factors: Factors, seen: Seen, levels_mw: Sequence[Vector]) -> Self:
        """Work them out."""
        network, sample = factors.network, seen.states.sample
        flows = None if sample is None else factors.flows(-sample.net_demand_mw.T)
        places = np.array([network.bus(bus) for bus in seen.question.candidates], dtype=np.intp)
        own = -factors.columns(places)
        largest = np.max(levels_mw, axis=0)
        most = []
        for sign in (1.0, -1.0):
            added = np.maximum(sign * own, 0.0) @ largest
            worst = np.empty(len(own))
            for start in range(0, len(own), _ROWS):
                at = np.arange(start, min(start + _ROWS, len(own)))
                part = None if flows is None else sign * flows[at]
                rows = given(sign * -factors.rows(at), sign * factors.shift_flow_mw[at])
                worst[at] = seen.worst(Limits(("", ""), (), (), added[at], own[at], part, rows))
            most.append(worst + added)
        return cls(factors, flows, own, (most[0], most[1]))

    def doubtful(self, monitored: Monitored, sign: float, lost: tuple[Vector, int], limit_mw: Vector) -> Integers:
        """Return the elements whose flow could pass its limit after an outage: moved shares (n,), and its branch."""
        moved, branch = lost
        ahead, behind = self.most if sign > 0 else self.most[::-1]
        if monitored.weights is None:
            before = ahead
        else:
            weights = monitored.weights.toarray()
            before = np.maximum(weights, 0.0) @ ahead + np.maximum(-weights, 0.0) @ behind
        after = before + np.maximum(moved, 0.0) * ahead[branch] + np.maximum(-moved, 0.0) * behind[branch]
        return np.flatnonzero(after > limit_mw)

    def after(
        self, monitored: Monitored, sign: float, at: Integers, lost: tuple[Vector, int]
    ) -> tuple[Matrix, Matrix | None, Rows]:
        """Return the candidates' factors, the flows in every scenario and the rows of elements after an outage."""
        moved, branch = lost
        own = sign * (monitored.of(self.own, at) + np.outer(moved, self.own[branch]))
        flows = None
        if self.flows is not None:
            flows = sign * (monitored.of(self.flows, at) + np.outer(moved, self.flows[branch]))
        gone = np.array([branch])

        def rows() -> tuple[Matrix, Vector]:
            shift = self.factors.shift_flow_mw
            row = sign * (monitored.rows(self.factors, at) - np.outer(moved, self.factors.rows(gone)[0]))
            return row, sign * (monitored.of(shift[:, np.newaxis], at)[:, 0] + moved * shift[branch])

        return own, flows, rows
