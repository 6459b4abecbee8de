"""Every limit that a redispatch must keep, as one-sided rows on weighted sums of branch flows.

A rated branch is its own flow; an interface is a weighted sum; the withdrawal of a bus is what flows into it. After an
outage each is another weighted sum of the flows before it (:class:`engine.network.outages.Outages`), so one kind of
row serves them all. A side counts its overload as a share of its limit: ``(flow - limit) / |limit|``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_array, diags_array, vstack

from engine.capacity.margins import bus_words
from engine.capacity.question import OutageRating
from engine.capacity.results import Limit, RowKind
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.network.outages import Outages

NO_OUTAGE = -1
ANY_OUTAGE = -2  # of a raised limit: after every outage for which nothing else is said
LIMIT_TOLERANCE = 1e-6  # MW over a limit, per MW of limit plus one, that counts as keeping it
LEAST_SCALE_MW = 1.0  # what an overload is a share of where the limit itself is smaller
_AT_ONCE = 12  # the worst of the broken sides; the others are often cured with them


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """One side each of k limits: ``sign`` times the weighted flow after ``outage`` is at most the limit."""

    row: Integers  # (k,), position among the rows of :class:`FlowLimits`
    outage: Integers  # (k,), position among the outages, -1 for none
    sign: Vector  # (k,), 1 for the upper limit, -1 for the lower one

    @classmethod
    def none(cls) -> Self:
        """Return no side at all."""
        return cls(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0))

    def __len__(self) -> int:
        return len(self.row)

    def at(self, places: Integers | Flags) -> Self:
        """Return some of the sides."""
        return type(self)(self.row[places], self.outage[places], self.sign[places])

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Return the sides of all parts in order."""
        first = cls.none()
        return cls(
            np.concatenate([first.row, *(part.row for part in parts)]),
            np.concatenate([first.outage, *(part.outage for part in parts)]),
            np.concatenate([first.sign, *(part.sign for part in parts)]),
        )

    def keys(self) -> list[tuple[int, int, int]]:
        """Return what tells sides apart."""
        signs = self.sign.astype(int).tolist()
        return list(zip(self.row.tolist(), self.outage.tolist(), signs, strict=True))


@dataclass(frozen=True, eq=False)
class Raised:
    """The limits of one state that are held above what is filed, each by its own amount.

    An overload stays a share of the limit that is filed. ``fixed``: those that are raised, and units, allow none.
    """

    sides: Sides  # (h,), each once
    sides_mw: Vector  # (h,), above the limit
    units_mw: Vector  # (G,), above the largest output
    fixed: bool = False

    @classmethod
    def none(cls, units: int) -> Self:
        """Return that every limit is as it is filed."""
        return cls(Sides.none(), np.zeros(0), np.zeros(units))

    def of(self, sides: Sides) -> Vector:
        """Return the MW (k,) that ``sides`` are raised by."""
        if not len(self.sides):
            return np.zeros(len(sides))
        known = self._by_key
        return np.array(
            [
                known.get((row, outage, sign), known.get((row, ANY_OUTAGE, sign), 0.0) if outage != NO_OUTAGE else 0.0)
                for row, outage, sign in sides.keys()  # noqa: SIM118 (no mapping)
            ]
        )

    @cached_property
    def _by_key(self) -> dict[tuple[int, int, int], float]:
        return dict(zip(self.sides.keys(), self.sides_mw.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class FlowLimits:
    """R limits of a network: rated branches, then interfaces, then withdrawal limits; and the outages they survive."""

    factors: Factors
    weights: csr_array  # (R, L)
    lower_mw: Vector  # (R,), -inf for none
    upper_mw: Vector  # (R,), inf for none
    branches: Integers  # of the first rows
    interfaces: Integers  # of the rows after them
    buses: Integers  # of the last rows
    outages: Outages | None  # None: limits hold without an outage only
    after_mw: Vector  # (branches,), the rating that holds after an outage

    @classmethod
    def of(cls, factors: Factors, outages: Outages | None = None, outage_rating: OutageRating = "c") -> Self:
        """Return every limit of the network of ``factors``, after the ``outages`` too."""
        network = factors.network
        reference = np.zeros(len(network.buses.ids))
        reference[network.slack] = 1.0
        factors = factors.with_slack(reference)  # units balance the load themselves: any slack gives the same rows
        branches, interfaces, buses = network.branches, network.interfaces, network.buses
        rated = np.flatnonzero(branches.in_service & np.isfinite(branches.rating_a_mw))
        limited = np.flatnonzero(buses.in_service & np.isfinite(buses.withdrawal_limit_mw))
        own = csr_array((np.ones(len(rated)), (np.arange(len(rated)), rated)), shape=(len(rated), len(branches.ids)))
        rating = branches.rating_a_mw[rated]
        after = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}[outage_rating]
        return cls(
            factors=factors,
            weights=csr_array(vstack([own, csr_array(interfaces.weights), _inflow(network, limited)], format="csr")),
            lower_mw=np.concatenate([-rating, interfaces.lower_mw, np.full(len(limited), -np.inf)]),
            upper_mw=np.concatenate([rating, interfaces.upper_mw, buses.withdrawal_limit_mw[limited]]),
            branches=rated,
            interfaces=np.arange(len(interfaces.ids)),
            buses=limited,
            outages=outages,
            after_mw=after[rated],
        )

    @property
    def network(self) -> Network:
        """Return the network whose limits these are."""
        return self.factors.network

    def weights_of(self, sides: Sides) -> csr_array:
        """Return the weights (k, L) on the flows before any outage, signs included."""
        found = csr_array(self.weights[sides.row])
        lost = sides.outage != NO_OUTAGE
        if lost.any() and self.outages is not None:
            after = self.outages.weights(csr_array(found[lost]), sides.outage[lost])
            order = np.argsort(np.concatenate([np.flatnonzero(~lost), np.flatnonzero(lost)]))
            found = csr_array(vstack([found[~lost], after], format="csr")[order])
        return csr_array(diags_array(sides.sign) @ found)

    def vectors(self, sides: Sides) -> Matrix:
        """Return what each side counts per MW injected at each bus, (k, B)."""
        if not len(sides):
            return np.zeros((0, len(self.network.buses.ids)))
        return np.ascontiguousarray(self.factors.weighted(self.weights_of(sides).toarray().T).T)

    def limit_mw(self, sides: Sides) -> Vector:
        """Return the (k,) limits of the sides, signs included."""
        upper, lower = self.upper_mw[sides.row], self.lower_mw[sides.row]
        own = (sides.outage != NO_OUTAGE) & (sides.row < len(self.branches))
        after = self.after_mw[np.minimum(sides.row, len(self.branches) - 1)] if len(self.branches) else upper
        upper, lower = np.where(own, after, upper), np.where(own, -after, lower)
        return np.where(sides.sign > 0, upper, -lower)

    def scale_mw(self, sides: Sides) -> Vector:
        """Return what (k,) overloads are shares of."""
        return _scale(self.limit_mw(sides))

    def room_mw(self, sides: Sides) -> Vector:
        """Return the (k,) limits less what the phase shifters alone send through."""
        room: Vector = self.limit_mw(sides) - self.weights_of(sides) @ self.factors.shift_flow_mw
        return room

    def broken(self, flow_mw: Vector, overload: float, raised: Raised | None = None, most: int = _AT_ONCE) -> Sides:
        """Return the sides that the flows (L,) exceed by more than ``overload``, the worst first, at most ``most``."""
        value = self.weights @ flow_mw
        found, excess = [], []
        for sign, limit in ((1.0, self.upper_mw), (-1.0, -self.lower_mw)):
            over = sign * value - _scaled(limit, overload)
            if raised is not None:
                over -= self._further(raised, sign, overload)
            row = np.flatnonzero(over > _tolerance(limit))
            found.append(Sides(row, np.full(len(row), NO_OUTAGE), np.full(len(row), sign)))
            excess.append(over[row])
        if self.outages is not None:
            for sides, over in self._broken_after(flow_mw, overload, self.outages, raised):
                found.append(sides)
                excess.append(over)
        order = np.argsort(-np.concatenate(excess), kind="stable")[:most]
        return Sides.together(found).at(order)

    def _further(self, raised: Raised, sign: float, overload: float) -> Vector:
        """Return by how many MW (R,) raised limits without an outage, of one sign, lie beyond ``overload``."""
        found = np.zeros(len(self.upper_mw))
        own = raised.sides.at((raised.sides.outage == NO_OUTAGE) & (raised.sides.sign == sign))
        found[own.row] = raised.of(own) - (overload * self.scale_mw(own) if raised.fixed else 0.0)
        return found

    def _broken_after(
        self, flow_mw: Vector, overload: float, outages: Outages, raised: Raised | None
    ) -> list[tuple[Sides, Vector]]:
        limit = np.full(len(flow_mw), np.inf)
        limit[self.branches] = _scaled(self.after_mw, overload)
        place = np.zeros(len(flow_mw), dtype=np.intp)
        place[self.branches] = np.arange(len(self.branches))
        given = outages.screen(flow_mw, -limit, limit, LIMIT_TOLERANCE * (1.0 + np.where(np.isfinite(limit), limit, 0)))
        found = [(Sides(place[given.row], given.outage, np.sign(given.flow_mw)), given.excess_mw)]
        if len(self.interfaces):
            rows = slice(len(self.branches), len(self.branches) + len(self.interfaces))
            lower, upper = -_scaled(-self.lower_mw[rows], overload), _scaled(self.upper_mw[rows], overload)
            tolerance = np.maximum(_tolerance(upper), _tolerance(lower))
            sums = outages.screen_sums(csr_array(self.weights[rows]), flow_mw, lower, upper, tolerance)
            sign = np.where(sums.flow_mw > upper[sums.row], 1.0, -1.0)
            found.append((Sides(sums.row + len(self.branches), sums.outage, sign), sums.excess_mw))
        return found if raised is None else [self._beyond(sides, over, overload, raised) for sides, over in found]

    def _beyond(self, sides: Sides, over_mw: Vector, overload: float, raised: Raised) -> tuple[Sides, Vector]:
        """Return those of the sides that exceed what they are raised to as well, and by how much."""
        further = raised.of(sides)
        if raised.fixed:
            further -= np.where(further > 0.0, overload * self.scale_mw(sides), 0.0)
        left = over_mw - further
        still = (further == 0.0) | (left > _tolerance(self.limit_mw(sides)))
        return sides.at(still), left[still]

    def largest_overload(self, flow_mw: Matrix, raised: Raised | None = None) -> Vector:
        """Return the (S,) largest relative overloads, without outages, of the flows (L, S); negative: room left."""
        value = self.weights @ flow_mw
        worst = np.full(flow_mw.shape[1], -np.inf)
        for sign, limit in ((1.0, self.upper_mw), (-1.0, -self.lower_mw)):
            held = np.flatnonzero(np.isfinite(limit))
            if held.size:
                allowed = limit if raised is None else limit + self._further(raised, sign, 0.0)
                share = (sign * value[held] - allowed[held, np.newaxis]) / _scale(limit[held])[:, np.newaxis]
                worst = np.maximum(worst, share.max(axis=0))
        return worst

    def beyond_after(self, flow_mw: Vector) -> tuple[Sides, Vector]:
        """Return every side that the flows (L,) exceed after an outage, as it is filed, and by how many MW (k,)."""
        if self.outages is None:
            return Sides.none(), np.zeros(0)
        found = self._broken_after(flow_mw, 0.0, self.outages, None)
        return Sides.together([sides for sides, _ in found]), np.concatenate([over for _, over in found])

    def overload_after(self, flow_mw: Vector, overload: float, raised: Raised | None = None) -> float:
        """Return the largest relative overload of the flows (L,) after every outage, not below ``overload``."""
        if self.outages is None:
            return overload
        found = self._broken_after(flow_mw, overload, self.outages, raised)
        beyond = [float((over / self.scale_mw(sides)).max(initial=0.0)) for sides, over in found]
        return overload + max(beyond)

    def limit(self, side: Sides) -> Limit:
        """Return the limit of one side, in words."""
        row, outage, forward = int(side.row[0]), int(side.outage[0]), bool(side.sign[0] > 0)
        kind, element, words = self._named(row, forward=forward)
        lost = "" if outage == NO_OUTAGE or self.outages is None else self.outages.ids[outage]
        if lost and self.outages is not None:
            words += f" after {self.outages.words(outage)}"
        return Limit(row, kind, element, words, abs(float(self.limit_mw(side)[0])), lost)

    def _named(self, row: int, *, forward: bool) -> tuple[RowKind, str, str]:
        network = self.network
        if row < len(self.branches):
            branch = int(self.branches[row])
            ends = (int(network.branches.from_bus[branch]), int(network.branches.to_bus[branch]))
            start, end = ends if forward else ends[::-1]
            words = (
                f"{network.branches.kinds[branch]} {network.branches.ids[branch]}, "
                f"from {bus_words(network, start)} to {bus_words(network, end)}"
            )
            return ("forward" if forward else "backward"), network.branches.ids[branch], words
        place = row - len(self.branches)
        if place < len(self.interfaces):
            name = network.interfaces.ids[place]
            way = "forward" if forward else "backward"
            return ("interface_forward" if forward else "interface_backward"), name, f"interface {name}, {way}"
        bus = int(self.buses[place - len(self.interfaces)])
        return "withdrawal", network.buses.ids[bus], f"the withdrawal limit of {bus_words(network, bus)}"


def _inflow(network: Network, buses: Integers) -> csr_array:
    """Return the weights (k, L) that sum what flows into each bus: its withdrawal, since nothing is lost."""
    ends = network.branches
    place = np.full(len(network.buses.ids), -1)
    place[buses] = np.arange(len(buses))
    row = np.concatenate([place[ends.to_bus], place[ends.from_bus]])
    column = np.tile(np.arange(len(ends.ids)), 2)
    value = np.repeat([1.0, -1.0], len(ends.ids))
    kept = (row >= 0) & np.tile(ends.in_service, 2)
    return csr_array((value[kept], (row[kept], column[kept])), shape=(len(buses), len(ends.ids)))


def _scale(limit_mw: Vector) -> Vector:
    return np.maximum(np.abs(limit_mw), LEAST_SCALE_MW)


def _scaled(limit_mw: Vector, overload: float) -> Vector:
    """Return the limits that an overload allows; infinite ones stay."""
    held = np.isfinite(limit_mw)
    finite = np.where(held, limit_mw, 0.0)
    return np.where(held, finite + overload * _scale(finite), limit_mw)


def _tolerance(limit_mw: Vector) -> Vector:
    return LIMIT_TOLERANCE * (1.0 + np.where(np.isfinite(limit_mw), np.abs(limit_mw), 0.0))
