"""The limits of a network in row order, and what an existing state loads them with.

Rows: the withdrawal limit of each bus that has one, each rated branch forward, each backward, then the sums: each
interface forward and backward where it has that limit, and limits after outages, which are weighted sums of the flows
before (see :mod:`engine.network.outages`). A sum's weights carry its direction, so that its load must stay below its
limit like any other row's.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from engine.capacity.results import RowKind
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector

KINDS: tuple[RowKind, ...] = ("withdrawal", "forward", "backward", "interface_forward", "interface_backward")
WITHDRAWAL, FORWARD, BACKWARD, INTERFACE_FORWARD, INTERFACE_BACKWARD = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class RowSet:
    """The limits that hold without outages."""

    buses: Integers  # with a withdrawal limit
    branches: Integers  # with a rating
    sums: csr_array  # (n, L), weights of the interfaces that have a limit, with their direction
    kind: npt.NDArray[np.int8]  # (R,), position in KINDS
    element: npt.NDArray[np.int32]  # (R,), position of the bus, branch or interface
    limit_mw: Vector  # (R,), finite

    @property
    def count(self) -> int:
        """Return R."""
        return len(self.limit_mw)

    @classmethod
    def of(cls, network: Network) -> Self:
        """Return the finite limits of buses, branches and interfaces in service."""
        on: Flags = network.buses.in_service & np.isfinite(network.buses.withdrawal_limit_mw)
        rated: Flags = network.branches.in_service & np.isfinite(network.branches.rating_a_mw)
        buses, branches = np.flatnonzero(on), np.flatnonzero(rated)
        rating, interfaces = network.branches.rating_a_mw[branches], network.interfaces
        ahead, behind = (np.flatnonzero(np.isfinite(end)) for end in (interfaces.upper_mw, interfaces.lower_mw))
        sizes = [len(buses), len(branches), len(branches), len(ahead), len(behind)]
        return cls(
            buses=buses,
            branches=branches,
            sums=csr_array(vstack([interfaces.weights[ahead], -interfaces.weights[behind]])),
            kind=np.repeat(np.arange(5, dtype=np.int8), sizes),
            element=np.concatenate([buses, branches, branches, ahead, behind]).astype(np.int32),
            limit_mw=np.concatenate(
                [
                    network.buses.withdrawal_limit_mw[buses],
                    rating,
                    rating,
                    interfaces.upper_mw[ahead],
                    -interfaces.lower_mw[behind],
                ]
            ),
        )

    def loads(self, states: Matrix, flow_mw: Matrix) -> Matrix:
        """Return the (R, s) loads of net demand (B, s) with the flows (L, s) of all branches."""
        loads = np.empty((self.count, states.shape[1]))
        ends = np.cumsum([len(self.buses), len(self.branches), len(self.branches)])
        loads[: ends[0]] = states[self.buses]
        loads[ends[0] : ends[1]] = flow_mw[self.branches]
        np.negative(loads[ends[0] : ends[1]], out=loads[ends[1] : ends[2]])
        loads[ends[2] :] = self.sums.dot(flow_mw)
        return loads


def factor_rows(factors: Factors, sums: csr_array) -> Matrix:
    """Return the (n, B) WITHDRAWAL factors of weighted sums (n, L) of branch flows."""
    used = np.unique(sums.indices).astype(np.intp)
    found: Matrix = -np.asarray(sums[:, used].dot(factors.rows(used)))
    return found
