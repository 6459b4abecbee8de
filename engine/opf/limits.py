"""What a dispatch keeps: limits on branches and interfaces, and the same after the loss of branches.

A monitored row is a branch (0 ... L - 1) or an interface (L ... L + I - 1); with an outage, -1 for none, it is one
limit on a weighted sum of the branch flows before any outage. Thousands of branches under thousands of outages are
never listed: :meth:`HeldLimits.exceeded` finds those that given flows exceed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.errors import InfeasibleError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Network, Vector
from engine.network.outages import Outages

Rating = Literal["a", "b", "c"]
Security = Literal["base", "n-1"]
OutageList = Literal["all", "listed"]
LIMIT_TOLERANCE = 1e-6  # MW over a limit, per MW of limit plus one, that counts as keeping it
NO_OUTAGE = -1


@dataclass(frozen=True, slots=True, eq=False)
class FlowLimits:
    """The lowest and highest flow of each branch, or of each interface."""

    lower_mw: Vector  # (n,), -inf for none
    upper_mw: Vector  # (n,), inf for none

    def excess_mw(self, flow_mw: Vector) -> Vector:
        """Return how far the flows (n, ...) lie beyond the limits, zero where they do not."""
        shape = (-1,) + (1,) * (flow_mw.ndim - 1)
        lower, upper = self.lower_mw.reshape(shape), self.upper_mw.reshape(shape)
        return np.maximum(np.maximum(flow_mw - upper, lower - flow_mw), 0.0)

    def tolerance_mw(self) -> Vector:
        """Return the excess (n,) that is still rounding."""
        return tolerance_mw(self.lower_mw, self.upper_mw)


@dataclass(frozen=True, slots=True, eq=False)
class Exceeded:
    """Limits that flows exceed: n monitored rows, each with its outage or -1."""

    monitored: Integers  # (n,), a branch, or L plus an interface
    outage: Integers  # (n,)
    excess_mw: Vector  # (n,)

    def __len__(self) -> int:
        return len(self.monitored)


@dataclass(frozen=True, slots=True, eq=False)
class HeldLimits:
    """Every limit that a dispatch keeps."""

    branches: FlowLimits  # (L,), from ratings and angle limits
    interfaces: FlowLimits  # (I,)
    weights: csr_array  # (I, L), of the interfaces
    outages: Outages | None = None  # after which limits hold too
    after: FlowLimits | None = None  # (L,), of the branches after an outage; interfaces keep theirs

    @classmethod
    def of(  # noqa: PLR0913 (one word of the question each)
        cls,
        factors: Factors,
        *,
        rating: Rating = "a",
        scale: float | Vector = 1.0,
        security: Security = "base",
        outages: OutageList = "all",
        outage_rating: Rating = "c",
    ) -> "HeldLimits":
        """Return the limits of all branches and interfaces, with ratings times ``scale`` (one number or (L,)).

        One number scales the limits of interfaces too. An angle limit is a limit on the flow, susceptance times
        angle; it is not scaled, and holds before outages. Raises InfeasibleError naming a branch whose angle limits
        and rating leave no flow at all, and QuestionError when outages are to be those listed and none is.
        """
        network = factors.network
        share = float(scale) if np.ndim(scale) == 0 else 1.0
        interfaces = FlowLimits(network.interfaces.lower_mw * share, network.interfaces.upper_mw * share)
        base = cls(_branch_limits(factors, rating, scale), interfaces, network.interfaces.weights)
        if security == "base":
            return base
        most = _rated(network, outage_rating, scale)
        return cls(base.branches, interfaces, base.weights, secured_against(factors, outages), FlowLimits(-most, most))

    @classmethod
    def none(cls, factors: Factors) -> "HeldLimits":
        """Return limits that no flow can exceed."""
        network = factors.network
        branches, interfaces = np.full(len(network.branches.ids), np.inf), np.full(len(network.interfaces.ids), np.inf)
        return cls(FlowLimits(-branches, branches), FlowLimits(-interfaces, interfaces), network.interfaces.weights)

    @property
    def count(self) -> int:
        """Return the number of monitored rows, L + I."""
        return len(self.branches.upper_mw) + len(self.interfaces.upper_mw)

    def exceeded(self, flow_mw: Vector, *, rounding: bool = True) -> Exceeded:
        """Return the limits that the flows (L,) exceed, by more than rounding or by any amount."""
        share = 1.0 if rounding else 0.0
        size = len(self.branches.upper_mw)
        found = []
        sums = ((0, self.branches, flow_mw), (size, self.interfaces, self.weights @ flow_mw))
        for first, limits, flow in sums:
            excess = limits.excess_mw(flow)
            over = np.flatnonzero(excess > share * limits.tolerance_mw())
            found.append(Exceeded(over + first, np.full(len(over), NO_OUTAGE, dtype=np.intp), excess[over]))
        if self.outages is not None and self.after is not None:
            own, limits = self.after, self.interfaces
            broken = self.outages.screen(flow_mw, own.lower_mw, own.upper_mw, share * own.tolerance_mw())
            found.append(Exceeded(broken.row, broken.outage, broken.excess_mw))
            if len(limits.upper_mw):
                sums_broken = self.outages.screen_sums(
                    self.weights, flow_mw, limits.lower_mw, limits.upper_mw, share * limits.tolerance_mw()
                )
                found.append(Exceeded(sums_broken.row + size, sums_broken.outage, sums_broken.excess_mw))
        return Exceeded(
            np.concatenate([part.monitored for part in found]),
            np.concatenate([part.outage for part in found]),
            np.concatenate([part.excess_mw for part in found]),
        )

    def holds(self, flow_mw: Vector) -> bool:
        """Return whether the flows (L,) keep every limit."""
        return len(self.exceeded(flow_mw)) == 0

    def rows(self, monitored: Integers, outage: Integers) -> csr_array:
        """Return (n, L): what multiplies the branch flows before any outage in each limit."""
        size = len(self.branches.upper_mw)
        every = csr_array(vstack([_unit_rows(monitored[monitored < size], size), self.weights], format="csr"))
        place = np.empty(len(monitored), dtype=np.intp)
        own = monitored < size
        place[own] = np.arange(int(own.sum()))
        place[~own] = int(own.sum()) + monitored[~own] - size
        base = csr_array(every[place])
        after = np.flatnonzero(outage >= 0)
        if self.outages is None or not len(after):
            return base
        moved = self.outages.weights(csr_array(base[after]), outage[after])
        order = np.arange(len(monitored))
        order[after] = len(monitored) + np.arange(len(after))
        return csr_array(csr_array(vstack([base, moved], format="csr"))[order])

    def bounds(self, monitored: Integers, outage: Integers) -> tuple[Vector, Vector]:
        """Return the lowest and the highest value (n,) of each limit."""
        every = [np.concatenate([self.branches.lower_mw, self.interfaces.lower_mw])]
        every.append(np.concatenate([self.branches.upper_mw, self.interfaces.upper_mw]))
        if self.after is None:
            return every[0][monitored], every[1][monitored]
        later = [np.concatenate([self.after.lower_mw, self.interfaces.lower_mw])]
        later.append(np.concatenate([self.after.upper_mw, self.interfaces.upper_mw]))
        lower, upper = (np.where(outage >= 0, b[monitored], a[monitored]) for a, b in zip(every, later, strict=True))
        return lower, upper

    def words(self, network: Network, monitored: int, outage: int) -> str:
        """Return a monitored row and its outage in words: ``branch '3-9' after the loss of line 3-24``."""
        size = len(network.branches.ids)
        name = network.branches.ids[monitored] if monitored < size else network.interfaces.ids[monitored - size]
        what = f"{'branch' if monitored < size else 'interface'} {name!r}"
        return what if outage < 0 or self.outages is None else f"{what} after {self.outages.words(outage)}"


def secured_against(factors: Factors, outages: OutageList) -> Outages:
    """Return the outages that limits are kept after: each branch in service, or the network's contingencies.

    Raises QuestionError when those listed are asked for and the table is empty.
    """
    if outages == "all":
        return Outages.all_single(factors)
    listed = factors.network.contingencies
    if not listed.ids:
        raise QuestionError(f"network {factors.network.name!r} lists no contingency in service to be secure against")
    return Outages.listed(factors, listed.ids, listed.branches)


def tolerance_mw(lower_mw: Vector, upper_mw: Vector) -> Vector:
    """Return the excess (n,) over limits (n,) that is still rounding."""
    return LIMIT_TOLERANCE * (1.0 + np.maximum(_finite(lower_mw), _finite(upper_mw)))


def _rated(network: Network, rating: Rating, scale: float | Vector) -> Vector:
    branches = network.branches
    ratings = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}
    return np.where(branches.in_service, ratings[rating] * scale, np.inf)


def _branch_limits(factors: Factors, rating: Rating, scale: float | Vector) -> FlowLimits:
    branches = factors.network.branches
    most = _rated(factors.network, rating, scale)
    one = _angle_flow(factors, branches.angle_min_deg, -np.inf)
    other = _angle_flow(factors, branches.angle_max_deg, np.inf)
    backwards = factors.susceptance_mw_per_rad < 0.0
    lower = np.maximum(-most, np.where(backwards, other, one))
    upper = np.minimum(most, np.where(backwards, one, other))
    crossed = np.flatnonzero(lower > upper)
    if crossed.size:
        name = branches.ids[crossed[0]]
        raise InfeasibleError(
            f"branch {name!r} must carry at least {lower[crossed[0]]:.1f} MW and at most {upper[crossed[0]]:.1f} MW"
        )
    return FlowLimits(lower, upper)


def _angle_flow(factors: Factors, angle_deg: Vector, none: float) -> Vector:
    """Return the (L,) flow at which a branch has the angle; where there is no limit, ``none`` in its direction."""
    limited = np.isfinite(angle_deg) & factors.network.branches.in_service
    radians = np.deg2rad(np.where(limited, angle_deg - factors.network.branches.shift_deg, 0.0))
    unlimited = np.where(factors.susceptance_mw_per_rad < 0.0, -none, none)
    return np.where(limited, factors.susceptance_mw_per_rad * radians, unlimited)


def _unit_rows(columns: Integers, size: int) -> csr_array:
    entries = (np.ones(len(columns)), (np.arange(len(columns)), columns))
    return csr_array(coo_array(entries, shape=(len(columns), size)))


def _finite(limit: Vector) -> Vector:
    return np.where(np.isfinite(limit), np.abs(limit), 0.0)
