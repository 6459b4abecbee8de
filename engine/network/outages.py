"""Losing branches: which losses split the network, where the flow goes after the others, and which limits it breaks.

An outage is a set of branches lost together. The flow of branch l after it is the flow before plus, for each lost
branch, a factor times the flow that this branch had: for one branch the line outage distribution factor (LODF), for
several the same by a small solve. Losses that split the network leave a part without balance: they are kept apart,
named with the buses that they cut off from the largest part, and the load there.

Source: Wood, Wollenberg and Sheblé, *Power Generation, Operation, and Control*, 3rd ed., ch. 7 and app. 7A (outage
factors, by cancelling the flow of each lost branch); Güler, Gross and Liu, "Generalized line outage distribution
factors", IEEE Trans. Power Systems 22(2), 2007 (several branches).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector
from engine.network.screening import BrokenLimits, LargeFactors, worst_first

_RESONANCE = 1e-9  # what is left of a transfer after the outage; below this it cannot be told from nothing
_BLOCK = 256  # branches whose factors are made at a time
_TABLE_BYTES = 256 * 2**20  # all factors are kept up to this: 70 MB on 2,000 buses
_NAMED = 5  # buses that an islanding outage names
_ITSELF, _OTHER = 2, 1  # marks of a branch's own loss, and of the loss of another branch of the same outage


@dataclass(frozen=True, slots=True)
class Islanding:
    """An outage after which the network is no longer one, or its flows are no longer unique."""

    id: str
    branches: tuple[int, ...]  # lost, by position
    buses: tuple[int, ...]  # in service, outside the largest part that is left, by position; none: not unique
    load_mw: float  # filed load at these buses

    def words(self, network: Network) -> str:
        """Return what is lost and what that cuts off."""
        lost = "the loss of " + _lost_words(network, self.branches)
        if not self.buses:
            return f"{lost} leaves flows that are not unique"
        named = ", ".join(network.buses.ids[bus] for bus in self.buses[:_NAMED])
        more = f" and {len(self.buses) - _NAMED} more" if len(self.buses) > _NAMED else ""
        kind = "bus" if len(self.buses) == 1 else "buses"
        return f"{lost} cuts off {kind} {named}{more} with {self.load_mw:.1f} MW of load"


@dataclass(frozen=True, slots=True, eq=False)
class Outages:
    """K outages that leave the network whole. J is the number of lost branches over all of them."""

    factors: Factors
    ids: tuple[str, ...]  # (K,)
    lost: tuple[tuple[int, ...], ...]  # (K,), positions of the branches lost
    islanding: tuple[Islanding, ...]
    lost_branch: Integers  # (J,), outage by outage
    first: Integers  # (K + 1,), where the lost branches of each outage begin in ``lost_branch``
    _moves: csr_array  # (J, J), from a transfer across lost branches to what their loss moves
    _own: csr_array  # (L, J), 2 for a branch's own loss, 1 for the loss of another of the same outage
    _kept: list[Matrix | None] = field(default_factory=list)  # the (L, J) table, where it is small enough
    _large: list[LargeFactors] = field(default_factory=list)

    @classmethod
    def all_single(cls, factors: Factors) -> Self:
        """Return the loss of each branch in service, one at a time, named by the branch."""
        network = factors.network
        on = np.flatnonzero(network.branches.in_service).tolist()
        return cls.listed(factors, [network.branches.ids[branch] for branch in on], [(branch,) for branch in on])

    @classmethod
    def listed(cls, factors: Factors, ids: Sequence[str], branches: Sequence[Sequence[int]]) -> Self:
        """Return the outages of a list: an id and the positions of the branches lost for each.

        A branch that is out of service changes nothing by being lost. Raises QuestionError for an empty outage.
        """
        network = factors.network
        own = [tuple(dict.fromkeys(int(branch) for branch in lost)) for lost in branches]
        empty = [name for name, lost in zip(ids, own, strict=True) if not lost]
        if empty:
            raise QuestionError(f"outage {empty[0]!r} loses no branch")
        splitting = set(factors.bridges().tolist())
        cut = [_cut_off(network, lost) if len(lost) > 1 or lost[0] in splitting else () for lost in own]
        whole = [k for k, buses in enumerate(cut) if not buses]
        across = _across(factors, [own[k] for k in whole])
        moves = dict(zip(whole, across, strict=True))
        kept = [k for k in whole if moves[k] is not None]
        apart = [k for k in range(len(own)) if moves.get(k) is None]
        lost_branch = np.array([branch for k in kept for branch in own[k]], dtype=np.intp)
        sizes = np.array([len(own[k]) for k in kept], dtype=np.intp)
        load = np.where(network.buses.in_service, network.buses.load_mw, 0.0)
        return cls(
            factors=factors,
            ids=tuple(ids[k] for k in kept),
            lost=tuple(own[k] for k in kept),
            islanding=tuple(Islanding(ids[k], own[k], cut[k], float(load[list(cut[k])].sum())) for k in apart),
            lost_branch=lost_branch,
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp),
            _moves=_diagonal([moves[k] for k in kept]),
            _own=_own_losses(lost_branch, sizes, len(network.branches.ids)),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def network(self) -> Network:
        """Return the network whose branches are lost."""
        return self.factors.network

    def words(self, outage: int) -> str:
        """Return an outage in words: ``the loss of line 5120-5467``."""
        return "the loss of " + _lost_words(self.network, self.lost[outage])

    def rows(self, branches: Integers) -> Matrix:
        """Return (n, J): of the flow that each lost branch had, the share that moves to ``branches`` (n,).

        For the lost branch itself that is -1, and nothing moves to another branch of the same outage.
        """
        chosen = np.asarray(branches, dtype=np.intp)
        table = self._table()
        return self._rows(chosen) if table is None else table[chosen]

    def blocks(self, most: int = _BLOCK) -> Iterator[tuple[int, Matrix]]:
        """Yield (first branch, (n, J) factors) over all branches, at most ``most`` at a time."""
        count = len(self.network.branches.ids)
        for start in range(0, count, most):
            yield start, self.rows(np.arange(start, min(start + most, count)))

    def entries(self, branches: Integers, columns: Integers) -> Vector:
        """Return the (m,) factors of ``branches`` (m,) for lost branches by their places ``columns`` (m,) of J."""
        table = self._table()
        if table is not None:
            found: Vector = table[branches, columns]
            return found
        found = np.empty(len(branches))
        used, place = np.unique(branches, return_inverse=True)
        for start in range(0, len(used), _BLOCK):
            inside = np.flatnonzero((place >= start) & (place < start + _BLOCK))
            found[inside] = self._rows(used[start : start + _BLOCK])[place[inside] - start, columns[inside]]
        return found

    def weights(self, monitored: csr_array, outage: Integers) -> csr_array:
        """Return (n, L): row i times the flows before outage ``outage[i]`` is row i of ``monitored`` after it.

        ``monitored`` (n, L) weighs branch flows: one 1 for a branch, several weights for an interface.
        """
        given = coo_array(monitored)
        after = np.asarray(outage, dtype=np.intp)[given.row]
        count = np.diff(self.first)[after]
        entry = np.repeat(np.arange(given.nnz), count)
        column = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count - self.first[after], count)
        moved = given.data[entry] * self.entries(given.col[entry].astype(np.intp), column)
        place = (np.concatenate([given.row, given.row[entry]]), np.concatenate([given.col, self.lost_branch[column]]))
        return csr_array(coo_array((np.concatenate([given.data, moved]), place), shape=given.shape))

    def screen(self, flow_mw: Vector, lower_mw: Vector, upper_mw: Vector, tolerance_mw: Vector | float) -> BrokenLimits:
        """Return every branch limit that some outage breaks, by more than the tolerance, from the flows (L,) before.

        ``lower_mw`` and ``upper_mw`` (L,) are -inf and inf where there is no limit. Nothing is missed: factors
        under 2 % are looked at one by one on the branches where all of them together could matter.
        """
        return self._large_factors().screen(
            self, flow_mw, lower_mw - tolerance_mw, upper_mw + tolerance_mw, tolerance_mw
        )

    def within_reach(
        self, ahead_mw: Vector, behind_mw: Vector, upper_mw: Vector, lower_mw: Vector
    ) -> tuple[Integers, Integers]:
        """Return all pairs (branch, outage) whose flow could pass a limit, from bounds on the flows before.

        A flow is at most ``ahead_mw`` (L,) from from_bus to to_bus and ``behind_mw`` (L,) the other way, in whatever
        it is that is bounded: the worst of many states, or a mean of the worst. Limits (L,) are given as sizes in
        both directions. A bound on a sum is the sum of the bounds, so no pair that can pass a limit is left out.
        """
        return self._large_factors().within_reach(self, (ahead_mw, behind_mw), (upper_mw, lower_mw))

    def screen_sums(
        self, monitored: csr_array, flow_mw: Vector, lower_mw: Vector, upper_mw: Vector, tolerance_mw: Vector | float
    ) -> BrokenLimits:
        """Return every limit (n,) on weighted sums of branch flows, ``monitored`` (n, L), that some outage breaks."""
        used = np.unique(csr_array(monitored).indices).astype(np.intp)
        moved: Matrix = np.asarray(csr_array(monitored)[:, used].dot(self.rows(used)))
        change = np.asarray(self.by_outage(moved * flow_mw[self.lost_branch]))
        after = (monitored @ flow_mw)[:, np.newaxis] + change
        limits = (lower_mw[:, np.newaxis], upper_mw[:, np.newaxis])
        over = np.maximum(after - limits[1], limits[0] - after)
        row, outage = np.nonzero(over > np.reshape(np.broadcast_to(tolerance_mw, len(lower_mw)), (-1, 1)))
        return worst_first(row, outage, after[row, outage], over[row, outage])

    @property
    def several(self) -> bool:
        """Return whether some outage loses more than one branch."""
        return len(self.lost_branch) != len(self.ids)

    def own_losses(self, branches: Integers) -> tuple[Integers, Integers]:
        """Return the pairs (place in ``branches``, outage) in which the branch itself is lost."""
        own = coo_array(self._own[branches])
        itself = own.data == _ITSELF
        return own.row[itself], np.searchsorted(self.first, own.col[itself], side="right") - 1

    def by_outage(self, by_column: Matrix) -> Matrix:
        """Return (n, K) sums over the lost branches of each outage, of (n, J)."""
        if not self.several or not len(self.ids):
            return by_column
        return np.add.reduceat(by_column, self.first[:-1], axis=1)

    def _large_factors(self) -> LargeFactors:
        if not self._large:
            self._large.append(LargeFactors.of(self))
        return self._large[0]

    def _table(self) -> Matrix | None:
        if not self._kept:
            count = len(self.network.branches.ids)
            table: Matrix | None = None
            if 8 * count * len(self.lost_branch) <= _TABLE_BYTES:
                table = np.empty((count, len(self.lost_branch)))
                for start in range(0, count, _BLOCK):
                    table[start : start + _BLOCK] = self._rows(np.arange(start, min(start + _BLOCK, count)))
                table.setflags(write=False)
            self._kept.append(table)
        return self._kept[0]

    def _rows(self, chosen: Integers) -> Matrix:
        ends = self.network.branches
        factor = self.factors.rows(chosen)
        across = factor[:, ends.from_bus[self.lost_branch]] - factor[:, ends.to_bus[self.lost_branch]]
        moved = (self._moves.T @ across.T).T if self.several else across * self._moves.diagonal()
        own = coo_array(self._own[chosen])
        moved[own.row, own.col] = np.where(own.data == _ITSELF, -1.0, 0.0)
        return np.ascontiguousarray(moved)


def _across(factors: Factors, lost: Sequence[tuple[int, ...]]) -> list[Matrix | None]:
    """Return for each outage (m, m): from the flows of its branches before to the transfers that cancel them.

    None where they do not exist, which is possible beside a negative reactance. Zero for a branch out of service.
    """
    ends, live = factors.network.branches, factors.network.branches.in_service
    found: list[Matrix | None] = []
    for start in range(0, len(lost), _BLOCK):
        block = lost[start : start + _BLOCK]
        branches = np.array([branch for own in block for branch in own], dtype=np.intp)
        rows, at = factors.rows(branches), 0
        for own in block:
            size, column = len(own), np.array(own)
            across = rows[at : at + size]
            across = across[:, ends.from_bus[column]] - across[:, ends.to_bus[column]]
            at += size
            on = live[column]
            left = np.eye(size) - np.where(on[:, np.newaxis] & on, across, 0.0)
            least = abs(left[0, 0]) if size == 1 else np.linalg.svd(left, compute_uv=False).min()
            inverse: Matrix | None = None
            if least >= _RESONANCE:
                inverse = np.asarray(np.linalg.inv(left) * np.outer(on, on), dtype=np.float64)
            found.append(inverse)
    return found


def _diagonal(blocks: Sequence[Matrix | None]) -> csr_array:
    whole = [block for block in blocks if block is not None]
    if all(len(block) == 1 for block in whole):
        return csr_array(diags_array(np.array([block[0, 0] for block in whole])))
    return csr_array(block_diag(whole, "csr"))


def _own_losses(lost_branch: Integers, sizes: Integers, count: int) -> csr_array:
    """Return the marks (L, J) of a branch's own loss and of the other losses of the same outage."""
    end = np.cumsum(sizes)
    width = np.repeat(sizes, sizes)
    row = np.repeat(lost_branch, width)
    start = np.repeat(np.repeat(end - sizes, sizes), width)
    column = start + np.arange(len(row)) - np.repeat(np.cumsum(width) - width, width)
    mark = np.where(lost_branch[column] == row, _ITSELF, _OTHER)
    return csr_array(coo_array((mark, (row, column)), shape=(count, len(lost_branch))))


def _cut_off(network: Network, lost: tuple[int, ...]) -> tuple[int, ...]:
    """Return the buses in service outside the largest part of the network once ``lost`` are gone."""
    branches, size = network.branches, len(network.buses.ids)
    live = branches.in_service.copy()
    live[list(lost)] = False
    graph = coo_array((np.ones(int(live.sum())), (branches.from_bus[live], branches.to_bus[live])), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    part = np.bincount(label[network.buses.in_service]).astype(np.float64)
    part[label[network.slack]] += 0.5  # of equal parts the one with the reference bus stays
    return tuple(np.flatnonzero(network.buses.in_service & (label != part.argmax())).tolist())


def _lost_words(network: Network, lost: tuple[int, ...]) -> str:
    branches = network.branches
    names = [f"{branches.kinds[branch]} {branches.ids[branch]}" for branch in lost]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
