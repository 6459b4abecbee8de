"""A network in bus angles: its flows, its limits and the program of a redispatch, apart from all that makes answers.

No distribution factors, no lazy rows, no kept models: the flow of a branch is its susceptance times the difference of
two angles, a limit is a limit on that, and each question is one linear program solved from nothing. Outages are
networks without the branches lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csc_array, csr_array, eye_array, hstack, vstack
from scipy.sparse.linalg import SuperLU, splu

from engine.capacity.question import OutageRating
from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.redispatch.limits import Raised
from engine.redispatch.states import State

_INFEASIBLE = 2  # as scipy counts
# Now and then scipy's solver gives up, after its own presolve or without it: then another of its methods goes on.
_WAYS = (("highs", True), ("highs", False), ("highs-ipm", True), ("highs-ds", False))
_LEAST_SCALE_MW = 1.0  # an overload is a share of the limit, or of this where the limit is smaller


@dataclass(frozen=True, slots=True, eq=False)
class AngleModel:
    """A network with some branches lost, in angles."""

    network: Network
    live: Flags  # (L,)
    susceptance: Vector  # (L,), MW per radian, 0 for a branch that is not there
    shift_mw: Vector  # (L,), what the shift of a transformer takes off the flow
    incidence: csr_array  # (L, B)
    _factorised: list[SuperLU] = field(default_factory=list)

    @classmethod
    def of(cls, network: Network, lost: Sequence[int] = ()) -> Self:
        """Return the model of ``network`` without the branches ``lost`` (positions)."""
        ends = network.branches
        live = ends.in_service.copy()
        live[list(lost)] = False
        place = np.flatnonzero(live)
        susceptance = np.zeros(len(live))
        susceptance[place] = network.base_mva / (ends.reactance_pu[place] * ends.tap_ratio[place])
        row = np.concatenate([place, place])
        column = np.concatenate([ends.from_bus[place], ends.to_bus[place]])
        sign = np.repeat([1.0, -1.0], len(place))
        incidence = csr_array(coo_array((sign, (row, column)), shape=(len(live), len(network.buses.ids))))
        return cls(network, live, susceptance, susceptance * np.deg2rad(ends.shift_deg), incidence)

    @property
    def flow_by_angle(self) -> csr_array:
        """Return (L, B), MW per radian."""
        return csr_array(csr_array((self.susceptance, (np.arange(len(self.live)),) * 2)) @ self.incidence)

    def solved(self, right: Matrix) -> Matrix:
        """Return the angles (B,) or (B, S), zero at the reference bus, whose flows sum to ``right`` at the buses."""
        kept = np.flatnonzero(self.network.buses.in_service & (np.arange(len(right)) != self.network.slack))
        if not self._factorised:
            self._factorised.append(splu(csc_array(self.incidence.T @ self.flow_by_angle)[kept][:, kept]))
        angle = np.zeros(right.shape)
        angle[kept] = self._factorised[0].solve(right[kept])
        return angle

    def flow_mw(self, injection_mw: Matrix) -> Matrix:
        """Return the flows (L,) or (L, S) of balanced injections (B,) or (B, S)."""
        shift = self.shift_mw if injection_mw.ndim == 1 else self.shift_mw[:, np.newaxis]
        angle = self.solved(injection_mw + self.incidence.T @ shift)
        flow: Matrix = self.flow_by_angle @ angle - shift
        return flow

    def price_of(self, weight: Vector) -> Vector:
        """Return the growth of ``weight`` (L,) times the flows per MW injected at each bus, drawn at the reference."""
        return self.solved(self.flow_by_angle.T @ weight)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The limits of a network, as they are filed; ``after`` an outage another rating holds for branches."""

    network: Network
    outage_rating: OutageRating = "c"

    def branch_mw(self, *, after: bool) -> Vector:
        """Return the ratings (L,)."""
        ends = self.network.branches
        named = {"a": ends.rating_a_mw, "b": ends.rating_b_mw, "c": ends.rating_c_mw}
        return named[self.outage_rating if after else "a"]

    def overload(
        self,
        flow_mw: Vector,
        withdrawal_mw: Vector,
        live: Flags,
        *,
        outage: int = -1,
        raised: Raised | None = None,
    ) -> float:
        """Return the largest relative overload of the flows (L,) and the withdrawals (B,) of all buses."""
        flow, drawn = flow_mw[:, np.newaxis], withdrawal_mw[:, np.newaxis]
        return float(self.overloads(flow, drawn, live, outage=outage, raised=[raised])[0])

    def overloads(
        self,
        flow_mw: Matrix,
        withdrawal_mw: Matrix,
        live: Flags,
        *,
        outage: int = -1,
        raised: Sequence[Raised | None] = (None,),
    ) -> Vector:
        """Return the largest relative overload (S,) of the flows (L, S) and the withdrawals (B, S) of each state.

        They are those after an outage (position), -1 for none. Limits that are ``raised`` in a state (S, or one for
        all) allow so much more.
        """
        limit = self.branch_mw(after=outage >= 0)
        rated = np.flatnonzero(live & np.isfinite(limit))
        buses, lists = self.network.buses, self.network.interfaces
        held = np.flatnonzero(np.isfinite(buses.withdrawal_limit_mw) & buses.in_service)
        sums = lists.weights @ flow_mw
        upper, lower = np.isfinite(lists.upper_mw), np.isfinite(lists.lower_mw)
        ahead, behind = (_raised_mw(self.network, raised, outage, sign) for sign in (1, -1))
        found = [
            _beyond(flow_mw[rated] - ahead.branches[rated], limit[rated]),
            _beyond(-flow_mw[rated] - behind.branches[rated], limit[rated]),
            _beyond(sums[upper] - ahead.interfaces[upper], lists.upper_mw[upper]),
            _beyond(-sums[lower] - behind.interfaces[lower], -lists.lower_mw[lower]),
            _beyond(withdrawal_mw[held] - ahead.buses[held], buses.withdrawal_limit_mw[held]),
        ]
        worst: Vector = np.max(found, axis=0)
        return worst


@dataclass(frozen=True, slots=True, eq=False)
class _Raised:
    """What limits of one sign allow more after one outage, or without any, in each of s states."""

    branches: Matrix  # (L, s)
    interfaces: Matrix  # (I, s)
    buses: Matrix  # (B, s)


def _raised_mw(network: Network, raised: Sequence[Raised | None], outage: int, sign: int) -> _Raised:
    rated, limited = rated_branches(network), limited_buses(network)
    found = np.zeros((len(rated) + len(network.interfaces.ids) + len(limited), len(raised)))
    for place, state in enumerate(raised):
        if state is not None:
            own = (state.sides.outage == outage) & (state.sides.sign == sign)
            found[state.sides.row[own], place] = state.sides_mw[own]
    branches, interfaces, at_buses = np.split(found, [len(rated), len(found) - len(limited)])
    more = np.zeros((len(network.branches.ids), len(raised)))
    buses = np.zeros((len(network.buses.ids), len(raised)))
    more[rated], buses[limited] = branches, at_buses
    return _Raised(more, interfaces, buses)


def rated_branches(network: Network) -> Integers:
    """Return the branches whose ratings are the first rows of limits."""
    return np.flatnonzero(network.branches.in_service & np.isfinite(network.branches.rating_a_mw))


def limited_buses(network: Network) -> Integers:
    """Return the buses whose withdrawal limits are the last rows, after those of interfaces."""
    return np.flatnonzero(network.buses.in_service & np.isfinite(network.buses.withdrawal_limit_mw))


@dataclass(frozen=True, slots=True)
class Optimum:
    """The end of one program."""

    value: float
    multiplier: Vector  # (k,), of the limits, not negative


@dataclass(frozen=True, slots=True, eq=False)
class AngleProgram:
    """The least of minus the step, or of the overload, over outputs (G,), angles (B,), the step and the overload.

    Of k limits, those of the network come first, then the largest outputs where these can be stretched.
    """

    keys: list[tuple[int, int, int]]  # row, -1 (no outage) and sign of each limit of the network
    table: csr_array  # (k, G + B + 2)
    limit_mw: Vector  # (k,)
    scale_mw: Vector  # (k,), what overloads are shares of; 0 for limits that allow none
    balance: csr_array  # (b, G + B + 2)
    drawn_mw: Vector  # (b,)
    bounds: Matrix  # (G + B, 2)

    @classmethod
    def of(cls, model: AngleModel, state: State, direction: Vector, *, stretch: bool) -> Self:
        """Return the program of one state; its raised limits allow so much more, and no overload if they are fixed."""
        network, on = model.network, model.network.buses.in_service
        size, count = len(on), len(network.units.ids)
        outputs = csr_array((np.ones(count), (network.units.bus, np.arange(count))), shape=(size, count))
        leaving = csr_array(model.incidence.T @ model.flow_by_angle)
        balance = csr_array(hstack([outputs, -leaving, _column(-direction), csr_array((size, 1))]))
        must = state.demand_mw - model.incidence.T @ model.shift_mw
        raised = state.raised or Raised.none(count)
        keys, parts, limit, scale = [], [], [], []
        for rows in _rows(model, outputs, state, direction):
            kept = np.flatnonzero(np.isfinite(rows.limit))
            own = _scale(rows.limit[kept])
            if raised.fixed:
                own = np.where(rows.more[kept] > 0.0, 0.0, own)
            parts.append(csr_array(hstack([rows.matrix, _column(rows.direction)]))[kept])
            limit.append((rows.limit + rows.more - rows.fixed)[kept])
            scale.append(own)
            keys += [(rows.first + place, -1, rows.sign) for place in kept.tolist()]
        largest = state.largest_mw + raised.units_mw
        if stretch:
            parts.append(csr_array(hstack([eye_array(count), csr_array((count, size + 1))])))
            limit.append(largest)
            scale.append(np.abs(state.largest_mw))
        free = np.where(on, np.inf, 0.0)
        most = np.full(count, np.inf) if stretch else largest
        every = np.concatenate(scale)
        return cls(
            keys=keys,
            table=csr_array(hstack([vstack(parts, format="csr"), _column(-every)])),
            limit_mw=np.concatenate(limit),
            scale_mw=every,
            balance=balance[on],
            drawn_mw=must[on],
            bounds=np.column_stack([np.append(state.least_mw, -free), np.append(most, free)]),
        )

    def solve(self, *, overload: bool) -> Optimum | None:
        """Return the least overload at step zero, or minus the largest step without any; None: there is none."""
        cost = np.zeros(self.table.shape[1])
        cost[-1 if overload else -2] = 1.0 if overload else -1.0
        ends = [[0.0, 0.0], [-1.0, np.inf]] if overload else [[0.0, np.inf], [0.0, 0.0]]
        for method, presolve in _WAYS:
            solve: Any = linprog  # whose types know no sparse tables
            found = solve(
                cost,
                A_ub=self.table,
                b_ub=self.limit_mw,
                A_eq=self.balance,
                b_eq=self.drawn_mw,
                bounds=np.concatenate([self.bounds, ends]),
                method=method,
                options={"presolve": presolve},
            )
            if found.status in {0, _INFEASIBLE}:
                break
        if found.status == _INFEASIBLE:
            return None
        if found.status != 0:
            raise SolverError(f"the check ended without an answer: {found.message}")
        return Optimum(float(found.fun), np.maximum(-found.ineqlin.marginals, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Limits ``matrix x + fixed + step direction <= limit + more``, x being outputs (G,) and angles (B,)."""

    matrix: csr_array  # (k, G + B)
    fixed: Vector  # (k,)
    direction: Vector  # (k,)
    limit: Vector  # (k,)
    more: Vector  # (k,)
    first: int  # row of the first, as :func:`_weights` counts
    sign: int


def _rows(model: AngleModel, outputs: csr_array, state: State, direction: Vector) -> list[_Rows]:
    network, flow = model.network, model.flow_by_angle
    size, count = outputs.shape
    rated, limited = rated_branches(network), limited_buses(network)
    rating = Held(network).branch_mw(after=False)
    lists, buses = network.interfaces, network.buses
    lines = csr_array(hstack([csr_array((len(rated), count)), flow[rated]]))
    sums = csr_array(hstack([csr_array((len(lists.ids), count)), csr_array(lists.weights @ flow)]))
    taken = csr_array(hstack([-outputs[limited], csr_array((len(limited), size))]))
    shift, shifts = -model.shift_mw[rated], -(lists.weights @ model.shift_mw)
    ahead, behind = (_raised_mw(network, [state.raised], -1, sign) for sign in (1, -1))
    no_lines, no_sums = np.zeros(len(rated)), np.zeros(len(lists.ids))
    after = len(rated) + len(lists.ids)
    drawn, most = state.demand_mw[limited], buses.withdrawal_limit_mw[limited]
    return [
        _Rows(lines, shift, no_lines, rating[rated], ahead.branches[rated, 0], 0, 1),
        _Rows(-lines, -shift, no_lines, rating[rated], behind.branches[rated, 0], 0, -1),
        _Rows(sums, shifts, no_sums, lists.upper_mw, ahead.interfaces[:, 0], len(rated), 1),
        _Rows(-sums, -shifts, no_sums, -lists.lower_mw, behind.interfaces[:, 0], len(rated), -1),
        _Rows(taken, drawn, direction[limited], most, ahead.buses[limited, 0], after, 1),
    ]


def _beyond(value_mw: Matrix, limit_mw: Vector) -> Vector:
    """Return by which share (S,) the values (k, S) exceed their limits (k,) most, -1 where there is none."""
    share = (value_mw - limit_mw[:, np.newaxis]) / _scale(limit_mw)[:, np.newaxis]
    most: Vector = share.max(axis=0, initial=-1.0)
    return most


def _column(values: Vector) -> csr_array:
    return csr_array(values[:, np.newaxis])


def _scale(limit_mw: Any) -> Any:
    return np.maximum(np.abs(limit_mw), _LEAST_SCALE_MW)
