"""An independent check of what redispatch is said to allow: bus angles as variables, and nothing of the programs.

No distribution factors, no lazy rows, no kept models: the flow of a branch is its susceptance times the difference of
two angles, a limit is a limit on that, and each question is one linear program solved from nothing. Outages are
networks without the branches lost. A proof is judged by weak duality, its prices from this module's own equations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csc_array, csr_array, eye_array, hstack
from scipy.sparse.linalg import SuperLU, splu

from engine.capacity.question import OutageRating
from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.redispatch.largest import LargestLoads
from engine.redispatch.states import State

_INFEASIBLE = 2  # as scipy counts
_LEAST_SCALE_MW = 1.0  # an overload is a share of the limit, or of this where the limit is smaller


@dataclass(frozen=True, slots=True)
class LargestCheck:
    """What this module finds about one bus of :class:`~engine.redispatch.largest.LargestLoads`."""

    overload: float  # relative, of the recorded dispatch at the recorded load
    off_balance_mw: float
    outside_mw: float  # how far an output lies outside its unit's limits
    bound_mw: float  # what the recorded multipliers prove, by prices made here; -inf: nothing is possible
    optimum_mw: float  # of the program solved here; nan: nothing is possible


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

    def overload(self, flow_mw: Vector, withdrawal_mw: Vector, live: Flags, *, after: bool = False) -> float:
        """Return the largest relative overload of the flows (L,) and the withdrawals (B,) of all buses."""
        return float(self.overloads(flow_mw[:, np.newaxis], withdrawal_mw[:, np.newaxis], live, after=after)[0])

    def overloads(self, flow_mw: Matrix, withdrawal_mw: Matrix, live: Flags, *, after: bool = False) -> Vector:
        """Return the largest relative overload (S,) of the flows (L, S) and the withdrawals (B, S) of each state."""
        limit = self.branch_mw(after=after)
        rated = np.flatnonzero(live & np.isfinite(limit))
        buses, lists = self.network.buses, self.network.interfaces
        held = np.flatnonzero(np.isfinite(buses.withdrawal_limit_mw) & buses.in_service)
        sums = lists.weights @ flow_mw
        upper, lower = np.isfinite(lists.upper_mw), np.isfinite(lists.lower_mw)
        found = [
            _beyond(np.abs(flow_mw[rated]), limit[rated]),
            _beyond(sums[upper], lists.upper_mw[upper]),
            _beyond(-sums[lower], -lists.lower_mw[lower]),
            _beyond(withdrawal_mw[held], buses.withdrawal_limit_mw[held]),
        ]
        worst: Vector = np.max(found, axis=0)
        return worst


def most_step_mw(network: Network, state: State, direction: Vector) -> float:
    """Return the largest step along ``direction`` (B,), in MW per MW of it; nan where there is none at all."""
    found = _solve(AngleModel.of(network), state, direction, overload=False)
    return np.nan if found is None else -found


def least_overload(network: Network, state: State, extra_mw: Vector, *, stretch_units: bool = False) -> float:
    """Return the least relative overload with ``extra_mw`` (B,) added, -1 at least; inf: units cannot balance it.

    With ``stretch_units`` the largest outputs count as limits that can be overloaded too.
    """
    added = replace(state, demand_mw=state.demand_mw + extra_mw)
    found = _solve(AngleModel.of(network), added, np.zeros_like(extra_mw), overload=True, stretch=stretch_units)
    return np.inf if found is None else found


def dispatch_overload(
    held: Held,
    state: State,
    dispatch_mw: Vector,
    extra_mw: Vector,
    outages: Sequence[Sequence[int]] = (),
) -> float:
    """Return the largest relative overload of one dispatch (G,), before and after the ``outages``."""
    network = held.network
    generation = np.bincount(network.units.bus, weights=dispatch_mw, minlength=len(network.buses.ids))
    drawn = state.demand_mw + extra_mw - generation
    worst = -1.0
    for lost in ((), *outages):
        model = AngleModel.of(network, lost)
        worst = max(worst, held.overload(model.flow_mw(-drawn), drawn, model.live, after=bool(lost)))
    return worst


def check_largest(
    network: Network, loads: LargestLoads, place: int, outages: Sequence[Sequence[int]] = ()
) -> LargestCheck:
    """Return the check of one bus; ``outages`` are the branches lost of each of the record's outages, in order.

    The optimum is that without outages; with outages it is an upper bound of the record's.
    """
    state, bus = loads.state, int(loads.buses[place])
    direction = np.eye(1, len(network.buses.ids), bus)[0]
    dispatch, most = loads.dispatch_mw[place], float(np.nan_to_num(loads.most_mw[place]))
    outside = np.maximum(state.least_mw - dispatch, dispatch - state.largest_mw).max(initial=0.0)
    return LargestCheck(
        overload=dispatch_overload(Held(network), state, dispatch, most * direction, outages),
        off_balance_mw=abs(float(dispatch.sum() - state.demand_mw.sum() - most)),
        outside_mw=float(outside),
        bound_mw=proved_mw(network, loads, place, outages),
        optimum_mw=most_step_mw(network, state, direction),
    )


def proved_mw(network: Network, loads: LargestLoads, place: int, outages: Sequence[Sequence[int]] = ()) -> float:
    """Return what the recorded multipliers of one bus prove its largest load to be at most; -inf: impossible."""
    own = np.arange(loads.first[place], loads.first[place + 1])
    row, outage, sign = loads.sides.row[own], loads.sides.outage[own], loads.sides.sign[own]
    held, price, fixed = Held(network), np.full(len(network.buses.ids), float(loads.energy[place])), 0.0
    for lost in np.unique(outage).tolist():
        model = AngleModel.of(network, () if lost < 0 else outages[lost])
        mine = np.flatnonzero(outage == lost)
        weight, at_bus, limit = _weights(held, row[mine], sign[mine] * loads.multiplier[own[mine]], after=lost >= 0)
        price += model.price_of(weight) + at_bus
        # A shifter alone drives flows: the injections that would cancel it at its ends are drawn from the limit.
        fixed += limit - float(weight @ model.flow_mw(np.zeros(len(price))))
    state = loads.state
    at_units = price[network.units.bus]
    supply = np.minimum(at_units * state.least_mw, at_units * state.largest_mw).sum()
    floor = float(supply - price @ state.demand_mw) - fixed
    slope = -float(price[loads.buses[place]])
    if slope > 1e-12:
        return -floor / slope
    return -np.inf if floor > 0.0 else np.inf


def _weights(held: Held, row: Integers, signed: Vector, *, after: bool) -> tuple[Vector, Vector, float]:
    """Return the weights on branch flows (L,) and on injections (B,) of the rows, and what the limits sum to.

    Rows count rated branches in service, then interfaces, then buses in service with a withdrawal limit.
    """
    network = held.network
    ends, lists, buses = network.branches, network.interfaces, network.buses
    rated = np.flatnonzero(ends.in_service & np.isfinite(ends.rating_a_mw))
    limited = np.flatnonzero(buses.in_service & np.isfinite(buses.withdrawal_limit_mw))
    flow, at_bus, total = np.zeros(len(ends.ids)), np.zeros(len(buses.ids)), 0.0
    for place, amount in zip(row.tolist(), signed.tolist(), strict=True):
        if place < len(rated):
            flow[rated[place]] += amount
            total += abs(amount) * float(held.branch_mw(after=after)[rated[place]])
        elif place < len(rated) + len(lists.ids):
            at = place - len(rated)
            flow += amount * lists.weights[[at]].toarray()[0]
            total += amount * float(lists.upper_mw[at] if amount > 0 else lists.lower_mw[at])
        else:
            bus = limited[place - len(rated) - len(lists.ids)]
            at_bus[bus] -= amount  # an injection there lowers what flows in
            total += amount * float(buses.withdrawal_limit_mw[bus])
    # The reference bus balances: prices are counted from it, and so is a withdrawal limit there.
    reference = at_bus[network.slack]
    return flow, at_bus - reference, total


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Limits ``matrix x + fixed + step direction <= limit``, x being outputs (G,) and angles (B,)."""

    matrix: csr_array  # (k, G + B)
    fixed: Vector  # (k,)
    direction: Vector  # (k,)
    limit: Vector  # (k,)


def _solve(
    model: AngleModel, state: State, direction: Vector, *, overload: bool, stretch: bool = False
) -> float | None:
    """Return the least of minus the step, or of the overload, over outputs, angles, the step and the overload."""
    network, on = model.network, model.network.buses.in_service
    size, count = len(on), len(network.units.ids)
    outputs = csr_array((np.ones(count), (network.units.bus, np.arange(count))), shape=(size, count))
    leaving = csr_array(model.incidence.T @ model.flow_by_angle)
    balance = csr_array(hstack([outputs, -leaving, _column(-direction), csr_array((size, 1))]))
    drawn = state.demand_mw
    must = drawn - model.incidence.T @ model.shift_mw
    rules = [LinearConstraint(balance[on], must[on], must[on])]
    for rows in _rows(model, outputs, drawn, direction):
        kept = np.flatnonzero(np.isfinite(rows.limit))
        columns = [rows.matrix, _column(rows.direction)]
        scale = _scale(np.where(np.isfinite(rows.limit), rows.limit, 0.0))
        table = csr_array(hstack([*columns, _column(-scale)]))
        rules.append(LinearConstraint(table[kept], -np.inf, (rows.limit - rows.fixed)[kept]))
    if stretch:
        own = csr_array(hstack([eye_array(count), csr_array((count, size + 1)), _column(-np.abs(state.largest_mw))]))
        rules.append(LinearConstraint(own, -np.inf, state.largest_mw))
    cost = np.zeros(count + size + 2)
    cost[-1 if overload else -2] = 1.0 if overload else -1.0
    free = np.where(on, np.inf, 0.0)
    most_step, ends = (0.0, (-1.0, np.inf)) if overload else (np.inf, (0.0, 0.0))
    lower = np.concatenate([state.least_mw, -free, [0.0, ends[0]]])
    most = np.full(count, np.inf) if stretch else state.largest_mw
    upper = np.concatenate([most, free, [most_step, ends[1]]])
    for presolve in (True, False):  # now and then scipy's solver gives up after its own presolve
        found = milp(cost, constraints=rules, bounds=Bounds(lower, upper), options={"presolve": presolve})
        if found.status in {0, _INFEASIBLE}:
            break
    if found.status == _INFEASIBLE:
        return None
    if found.status != 0:
        raise SolverError(f"the check ended without an answer: {found.message}")
    return float(found.fun)


def _rows(model: AngleModel, outputs: csr_array, drawn: Vector, direction: Vector) -> list[_Rows]:
    network, flow = model.network, model.flow_by_angle
    size, count = outputs.shape
    rating = Held(network).branch_mw(after=False)
    rated = np.flatnonzero(model.live & np.isfinite(rating))
    lists, buses = network.interfaces, network.buses
    limited = np.flatnonzero(buses.in_service & np.isfinite(buses.withdrawal_limit_mw))
    lines = csr_array(hstack([csr_array((len(rated), count)), flow[rated]]))
    sums = csr_array(hstack([csr_array((len(lists.ids), count)), csr_array(lists.weights @ flow)]))
    taken = csr_array(hstack([-outputs[limited], csr_array((len(limited), size))]))
    shift, shifts = -model.shift_mw[rated], -(lists.weights @ model.shift_mw)
    return [
        _Rows(lines, shift, np.zeros(len(rated)), rating[rated]),
        _Rows(-lines, -shift, np.zeros(len(rated)), rating[rated]),
        _Rows(sums, shifts, np.zeros(len(lists.ids)), lists.upper_mw),
        _Rows(-sums, -shifts, np.zeros(len(lists.ids)), -lists.lower_mw),
        _Rows(taken, drawn[limited], direction[limited], buses.withdrawal_limit_mw[limited]),
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
