"""Linear (DC) power flow: transfer and outage factors from one sparse factorisation.

Signs: a factor is MW on a branch, positive from ``from_bus`` to ``to_bus``, per MW INJECTED at a bus and
taken out by the slack. Susceptance follows MATPOWER's DC model, 1 / (reactance * tap ratio), and a phase
shifter adds its own constant flow. Branches and buses out of service have zero factors.

Sources: Wood, Wollenberg and Sheblé, *Power Generation, Operation, and Control*, 3rd ed., ch. 7 (factors);
Zimmerman, Murillo-Sánchez and Thomas, "MATPOWER", IEEE Trans. Power Systems 26(1), 2011 (DC model);
Tarjan, "A note on finding the bridges of a graph", Information Processing Letters 2(6), 1974.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Self

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from engine.errors import NetworkDataError, QuestionError
from engine.network.model import Flags, Integers, Matrix, Network, Vector

# Right-hand sides at a time: measured on 118 to 10,000 buses, 16 of them stay in the processor's cache during a
# solve, and 32 or more take 5 to 20 times as long each.
_BLOCK = 16
_CACHE_BYTES = 256 * 2**20  # of rows kept; the least recently used ones go first
_SHARE_TOLERANCE = 1e-9  # a slack share is a few thousand rounded numbers that sum to one
_RESONANCE = 1e-9  # 1 - factor below this cannot be told from zero in double precision


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The factors of one network, computed when asked for; see the module for signs and units."""

    network: Network
    slack_share: Vector  # (B,), sums to 1: who takes out what is injected and balances what does not add up
    _core: "_Core"

    @classmethod
    def of(cls, network: Network) -> Self:
        """Factorise ``network``, with its reference bus as the single slack.

        Raises NetworkDataError naming buses that no branch in service joins to the reference bus.
        """
        share = np.zeros(len(network.buses.ids))
        share[network.slack] = 1.0
        share.setflags(write=False)
        return cls(network, share, _Core.of(network))

    def with_slack(self, share: Vector) -> Self:
        """Return the factors for another slack, ``share`` (B,); the factorisation and its caches are shared.

        Raises QuestionError when the shares are not finite, do not sum to one, or use a bus out of service.
        """
        given = np.array(share, dtype=np.float64)
        if given.shape != self.slack_share.shape or not np.isfinite(given).all():
            raise QuestionError(f"a slack share needs one finite number for each of {len(self.slack_share)} buses")
        if abs(given.sum() - 1.0) > _SHARE_TOLERANCE:
            raise QuestionError(f"slack shares sum to {given.sum():.9g}; they must sum to 1")
        off = np.flatnonzero((given != 0.0) & ~self.network.buses.in_service)
        if off.size:
            raise QuestionError(f"bus {self.network.buses.ids[off[0]]!r} is out of service and cannot be slack")
        given.setflags(write=False)
        return replace(self, slack_share=given)

    def columns(self, buses: Integers) -> Matrix:
        """Return the (L, k) factors of injections at ``buses`` (k,), given by position."""
        chosen = np.asarray(buses, dtype=np.intp)
        injection = np.zeros((len(self.slack_share), len(chosen)))
        injection[chosen, np.arange(len(chosen))] = 1.0
        return self._transfer(injection)

    def rows(self, branches: Integers) -> Matrix:
        """Return the (k, B) factors of ``branches`` (k,), given by position. Rows are cached."""
        found = self._core.rows(np.asarray(branches, dtype=np.intp))
        found -= (found @ self.slack_share)[:, np.newaxis]
        found[:, ~self.network.buses.in_service] = 0.0
        return found

    def dense(self) -> Matrix:
        """Return all (L, B) factors, read-only. The matrix is cached: 51 MB on 2,000 buses, 1 GB on 10,000."""
        cached = self._core.dense_by_slack.get(self.slack_share.tobytes())
        if cached is not None:
            return cached
        size = len(self.slack_share)
        step = _BLOCK
        made = np.empty((len(self.network.branches.ids), size))
        for start in range(0, size, step):
            made[:, start : start + step] = self.columns(np.arange(start, min(start + step, size)))
        made.setflags(write=False)
        self._core.dense_by_slack[self.slack_share.tobytes()] = made
        return made

    def flows(self, injection_mw: Matrix) -> Matrix:
        """Return the (L,) or (L, S) flows of the injections (B,) or (B, S), in MW, phase shifters included.

        What does not add up is balanced by ``slack_share``; an injection at a bus out of service counts as zero.
        """
        given = np.asarray(injection_mw, dtype=np.float64)
        if given.ndim == 1:
            return self._transfer(given[:, np.newaxis])[:, 0] + self.shift_flow_mw
        flows = self._transfer(given)
        if self._core.shift_flow_mw.any():
            flows += self._core.shift_flow_mw[:, np.newaxis]
        return flows

    def weighted(self, weight: Matrix) -> Matrix:
        """Return the transposed factors times ``weight``: (B,) from (L,), or (B, K) from (L, K).

        With the prices of branches as weights this is what congestion adds at each bus, from one solve.
        """
        given = np.asarray(weight, dtype=np.float64)
        column = given[:, np.newaxis] if given.ndim == 1 else given
        result = self._core.angles(self._core.flow_by_angle.T @ column)
        result -= self.slack_share @ result
        result[~self.network.buses.in_service] = 0.0
        return result[:, 0] if given.ndim == 1 else result

    @property
    def shift_flow_mw(self) -> Vector:
        """Return the (L,) flows that the phase shifters drive round their loops when nothing is injected."""
        return self._core.shift_flow_mw

    @property
    def susceptance_mw_per_rad(self) -> Vector:
        """Return the (L,) MW per radian of angle difference, zero for a branch out of service."""
        return self._core.susceptance

    def bridges(self) -> Integers:
        """Return the positions of the branches in service whose loss splits the network, in rising order."""
        return self._core.bridges

    def lodf(self, outages: Integers) -> tuple[Matrix, Integers]:
        """Return the (L, k) outage factors of ``outages`` (k,), and which of these have none.

        Entry ``[l, k]`` is the share of the flow of branch ``outages[k]`` that moves to branch ``l`` when it
        is lost, -1 for the branch itself; the slack does not matter. The second value holds the positions of
        the branches that have no factors because their loss splits the network (see :meth:`bridges`) or,
        possible only beside a negative reactance, leaves it without a unique solution. Their columns are
        zero and mean nothing. A branch out of service has a zero column, because losing it moves nothing.
        """
        lost = np.asarray(outages, dtype=np.intp)
        factors = np.empty((len(self.network.branches.ids), len(lost)))
        none = np.zeros(len(lost), dtype=np.bool_)
        for start in range(0, len(lost), _BLOCK):
            block = slice(start, start + _BLOCK)
            factors[:, block], none[block] = self._outage_block(lost[block])
        return factors, lost[none]

    def _outage_block(self, lost: Integers) -> tuple[Matrix, Flags]:
        branches, order = self.network.branches, np.arange(len(lost))
        live = branches.in_service[lost]
        injection = np.zeros((len(self.slack_share), len(lost)))
        injection[branches.from_bus[lost], order] += live
        injection[branches.to_bus[lost], order] -= live
        factors = self._transfer(injection)
        remaining = 1.0 - factors[lost, order]
        none = np.isin(lost, self._core.bridges) | (live & (np.abs(remaining) < _RESONANCE))
        factors /= np.where(none, 1.0, remaining)
        factors[lost, order] = -1.0
        factors[:, none | ~live] = 0.0
        return factors, none

    def _transfer(self, injection: Matrix) -> Matrix:
        """Return the (L, S) flows of the injections (B, S) after the slack has balanced them, without shifters."""
        result = np.empty((len(self.network.branches.ids), injection.shape[1]))
        on = self.network.buses.in_service
        step = _BLOCK
        for start in range(0, injection.shape[1], step):
            block = np.where(on[:, np.newaxis], injection[:, start : start + step], 0.0)
            block -= self.slack_share[:, np.newaxis] * block.sum(axis=0)
            result[:, start : start + step] = self._core.flow_by_angle @ self._core.angles(block)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        # A factorisation cannot be pickled: a worker process makes its own from the network.
        return _remade, (self.network, np.asarray(self.slack_share))


def _remade(network: Network, share: Vector) -> Factors:
    return Factors.of(network).with_slack(share)


@dataclass(frozen=True, slots=True, eq=False)
class _Core:
    """What does not depend on the slack: the factorisation, and what has been computed with it."""

    susceptance: Vector  # (L,), MW per radian
    flow_by_angle: csr_array  # (L, B), MW per radian
    kept: Integers  # the buses in service but for the reference bus, in the order of the factorisation
    factorisation: SuperLU | None  # of the reduced susceptance matrix; None for a network of one bus
    shift_flow_mw: Vector  # (L,)
    bridges: Integers
    cached_rows: OrderedDict[int, Vector] = field(default_factory=OrderedDict)  # to the reference bus
    dense_by_slack: dict[bytes, Matrix] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)  # pages of several readers share one network

    @classmethod
    def of(cls, network: Network) -> Self:
        branches, size = network.branches, len(network.buses.ids)
        _check_connected(network)
        live = np.flatnonzero(branches.in_service)
        susceptance = np.zeros(len(branches.ids))
        susceptance[live] = network.base_mva / (branches.reactance_pu[live] * branches.tap_ratio[live])
        row = np.concatenate([live, live])
        column = np.concatenate([branches.from_bus[live], branches.to_bus[live]])
        shape = (len(branches.ids), size)
        weight = np.concatenate([susceptance[live], -susceptance[live]])
        flow_by_angle = csr_array(coo_array((weight, (row, column)), shape=shape))
        sign = np.concatenate([np.ones(len(live)), -np.ones(len(live))])
        incidence = csr_array(coo_array((sign, (row, column)), shape=shape))
        kept = np.flatnonzero(network.buses.in_service & (np.arange(size) != network.slack))
        reduced = csc_array(incidence.T @ flow_by_angle)[kept][:, kept]
        core = cls(
            susceptance=susceptance,
            flow_by_angle=flow_by_angle,
            kept=kept,
            factorisation=_factorise(reduced, positive=bool((susceptance >= 0.0).all())),
            shift_flow_mw=np.zeros(len(branches.ids)),
            bridges=_bridges(branches.from_bus, branches.to_bus, branches.in_service, size),
        )
        # A shifter is a flow of its own on the branch, and the injections that would cancel it at both ends.
        own = -susceptance * np.deg2rad(np.where(branches.in_service, branches.shift_deg, 0.0))
        if own.any():
            drawn = (incidence.T @ own)[:, np.newaxis]
            core.shift_flow_mw[:] = own - (flow_by_angle @ core.angles(drawn))[:, 0]
        for array in (core.susceptance, core.shift_flow_mw, core.bridges):
            array.setflags(write=False)
        return core

    def angles(self, injection: Matrix) -> Matrix:
        """Return the (B, S) angles in radians, zero at the reference bus, of balanced injections (B, S) in MW."""
        angles = np.zeros(injection.shape)
        if self.factorisation is not None:
            angles[self.kept] = self.factorisation.solve(np.asfortranarray(injection[self.kept]))
        return angles

    def rows(self, branches: Integers) -> Matrix:
        """Return a new (k, B) array of factors with the reference bus as slack."""
        made = np.empty((len(branches), self.flow_by_angle.shape[1]))
        with self.lock:
            for place, branch in enumerate(branches.tolist()):
                row = self.cached_rows.get(branch)
                if row is not None:
                    self.cached_rows.move_to_end(branch)
                    made[place] = row
            missing = np.array([place for place, b in enumerate(branches.tolist()) if b not in self.cached_rows], int)
        for start in range(0, len(missing), _BLOCK):
            places = missing[start : start + _BLOCK]
            # The susceptance matrix is symmetric, so a row is the angles of an injection across the branch.
            made[places] = self.angles(self.flow_by_angle[branches[places]].toarray().T).T
        self._remember(branches[missing], made[missing])
        return made

    def _remember(self, branches: Integers, rows: Matrix) -> None:
        most = max(1, _CACHE_BYTES // (8 * max(1, rows.shape[1])))
        with self.lock:
            for branch, row in zip(branches.tolist()[-most:], rows[-most:], strict=True):
                self.cached_rows[branch] = row.copy()
            while len(self.cached_rows) > most:
                self.cached_rows.popitem(last=False)


def _factorise(matrix: csc_array, *, positive: bool) -> SuperLU | None:
    if matrix.shape[0] == 0:
        return None
    try:
        if positive:  # a grounded Laplacian needs no pivoting, and then keeps its sparsity
            return splu(matrix, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        return splu(matrix)
    except RuntimeError:  # connected, so only reactances that cancel can do this
        raise NetworkDataError("the reactances cancel: the power flow has no unique solution") from None


def _check_connected(network: Network) -> None:
    branches, size = network.branches, len(network.buses.ids)
    live = branches.in_service
    ends = (branches.from_bus[live], branches.to_bus[live])
    graph = coo_array((np.ones(int(live.sum())), ends), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    apart = np.flatnonzero(network.buses.in_service & (label != label[network.slack]))
    if apart.size:
        named = ", ".join(repr(network.buses.ids[bus]) for bus in apart[:5])
        slack = network.buses.ids[network.slack]
        raise NetworkDataError(f"{apart.size} buses have no path to the reference bus {slack!r}, such as {named}")


def _bridges(from_bus: Integers, to_bus: Integers, live: Flags, size: int) -> Integers:
    """Return the branches on no cycle: one depth-first search that keeps, per bus, the earliest bus reached back."""
    around: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    for branch in np.flatnonzero(live).tolist():
        start, end = int(from_bus[branch]), int(to_bus[branch])
        around[start].append((branch, end))
        around[end].append((branch, start))
    seen, reach = [-1] * size, [-1] * size
    found: list[int] = []
    clock = 0
    for root in range(size):
        if seen[root] >= 0:
            continue
        seen[root] = reach[root] = clock
        clock += 1
        path: list[tuple[int, int, Iterator[tuple[int, int]]]] = [(root, -1, iter(around[root]))]
        while path:
            bus, arrived_by, untried = path[-1]
            for branch, other in untried:
                if branch == arrived_by:  # by branch, not by bus: a parallel circuit is a cycle
                    continue
                if seen[other] >= 0:
                    reach[bus] = min(reach[bus], seen[other])
                    continue
                seen[other] = reach[other] = clock
                clock += 1
                path.append((other, branch, iter(around[other])))
                break
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    reach[above] = min(reach[above], reach[bus])
                    if reach[bus] > seen[above]:
                        found.append(arrived_by)
    return np.array(sorted(found), dtype=np.intp)
