"""What the gate knows of a network: every limit as a row over unit buses and candidates, before and after each outage.

A *case* of the gate is one thing that may have been lost: case 0 is the network as it is, then come the distinct
branch outages, then the distinct unit outages of :class:`engine.siting.contingencies.Contingencies`. The value of a
row after a branch outage is its value before plus a factor times the flow that the lost branch had (see
:mod:`engine.network.outages`); the loss of a unit takes its range of output away and leaves the rows as they are.

Units at one bus are one column: what they may produce together is all that a linear flow sees of them. So are units
behind one bus at the end of a single branch, as behind their own transformers, in hours in which they cannot overload
that branch: all they produce arrives at its other end.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from engine.capacity.question import OutageRating
from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.redispatch.limits import FlowLimits
from engine.redispatch.states import State
from engine.siting.contingencies import Contingencies

INTACT = 0
_SAME = 1e-9  # MW per MW by which the factors of two buses may differ and count as equal


@dataclass(frozen=True, eq=False)
class GateModel:
    """R limit rows, U unit buses, C candidates, J lost branches, N cases; all factors are MW per MW."""

    contingencies: Contingencies
    limits: FlowLimits
    candidates: Integers  # (C,), positions of buses
    rating: OutageRating
    unit_buses: Integers  # (U,), positions of buses where units' output arrives
    unit_place: Integers  # (G,), place of each unit's bus among them
    ends: "DeadEnds"  # where units count at the next bus
    at_units: Matrix  # (R, U), of rows per MW injected
    at_candidates: Matrix  # (R, C)
    lost_at_units: Matrix  # (J, U), of lost branches
    lost_at_candidates: Matrix  # (J, C)
    moved: Matrix  # (R, J), of a row per MW that the lost branch carried
    own_row: Integers  # (J,), the row that limits the lost branch itself, -1 for none
    lower_mw: Vector  # (R,), before any outage
    upper_mw: Vector  # (R,)
    after_lower_mw: Vector  # (R,), after a branch outage
    after_upper_mw: Vector  # (R,)

    @classmethod
    def of(
        cls, contingencies: Contingencies, candidates: Integers, rating: OutageRating = "a", *, apart: bool = False
    ) -> Self:
        """Return the model of the network that the contingencies belong to; ``apart``: every bus with units counts.

        Raises QuestionError when an outage loses several branches, or a candidate is out of service.
        """
        network, outages = contingencies.network, contingencies.outages
        off = candidates[~network.buses.in_service[candidates]]
        if off.size:
            raise QuestionError(f"candidate bus {network.buses.ids[off[0]]!r} is out of service")
        several = next((name for name, lost in zip(outages.ids, outages.lost, strict=True) if len(lost) > 1), "")
        if several:
            raise QuestionError(f"outage {several!r} loses several branches: the gate takes one at a time")
        distinct = contingencies.distinct
        branches = np.array([outages.lost[k][0] for k in distinct if k < len(outages)], dtype=np.intp)
        limits = FlowLimits.of(outages.factors, outages, rating)
        factors, weights = limits.factors, limits.weights
        place = np.full(len(network.branches.ids), -1, dtype=np.intp)
        place[limits.branches] = np.arange(len(limits.branches))
        lower, upper = limits.lower_mw.copy(), limits.upper_mw.copy()
        after_lower, after_upper = lower.copy(), upper.copy()
        own = slice(0, len(limits.branches))
        after_lower[own], after_upper[own] = -limits.after_mw, limits.after_mw

        def factors_of(buses: Integers) -> tuple[Matrix, Matrix]:
            transfer = factors.columns(buses.astype(np.intp))
            return np.asarray(weights @ transfer), transfer[branches]

        ends = DeadEnds.none()
        if not apart:
            ends = DeadEnds.of(network, candidates, place, np.minimum(upper, after_upper))
            ends = ends.where(_alike(ends, factors_of(ends.buses), factors_of(ends.next_buses)))
            for limit, value in ((lower, -np.inf), (after_lower, -np.inf), (upper, np.inf), (after_upper, np.inf)):
                limit[ends.rows[ends.rows >= 0]] = value
        arrives = np.arange(len(network.buses.ids))
        arrives[ends.buses] = ends.next_buses
        unit_buses, unit_place = np.unique(arrives[network.units.bus], return_inverse=True)
        at_units, lost_at_units = factors_of(unit_buses)
        at_candidates, lost_at_candidates = factors_of(np.asarray(candidates))
        return cls(
            contingencies=contingencies,
            limits=limits,
            candidates=np.asarray(candidates, dtype=np.intp),
            rating=rating,
            unit_buses=unit_buses.astype(np.intp),
            unit_place=unit_place.astype(np.intp),
            ends=ends,
            at_units=np.ascontiguousarray(at_units),
            at_candidates=np.ascontiguousarray(at_candidates),
            lost_at_units=np.ascontiguousarray(lost_at_units),
            lost_at_candidates=np.ascontiguousarray(lost_at_candidates),
            moved=np.ascontiguousarray(weights @ factors.lodf(branches)[0]),
            own_row=place[branches],
            lower_mw=lower,
            upper_mw=upper,
            after_lower_mw=after_lower,
            after_upper_mw=after_upper,
        )

    @cached_property
    def apart(self) -> "GateModel":
        """Return the model in which every bus with units counts by itself."""
        return GateModel.of(self.contingencies, self.candidates, self.rating, apart=True)

    @cached_property
    def lost_branches(self) -> Integers:
        """Return the positions (J,) of the branches whose loss is a case."""
        outages = self.contingencies.outages
        return np.array([outages.lost[k][0] for k in self.contingencies.distinct if k < len(outages)], dtype=np.intp)

    @cached_property
    def lost_units(self) -> Integers:
        """Return the positions (N - 1 - J,) of the units whose loss is a case."""
        contingencies = self.contingencies
        found = [contingencies.unit(int(k)) for k in contingencies.distinct if k >= len(contingencies.outages)]
        return np.array(found, dtype=np.intp)

    @cached_property
    def most_at_units(self) -> Vector:
        """Return the largest factor (R,) of each row at any unit bus, either way."""
        found: Vector = np.abs(self.at_units).max(axis=1, initial=0.0)
        return found

    @property
    def branch_cases(self) -> int:
        """Return J, the number of cases that lose a branch: 1 to J."""
        return len(self.own_row)

    def __len__(self) -> int:
        """Return N, the network as it is included."""
        return 1 + self.branch_cases + len(self.lost_units)

    def lost_of(self, case: int) -> int:
        """Return the place among the lost branches, -1 where the case loses none."""
        return case - 1 if 1 <= case <= self.branch_cases else -1

    def unit_of(self, case: int) -> int:
        """Return the position of the unit that a case loses, -1 for none."""
        return int(self.lost_units[case - 1 - self.branch_cases]) if case > self.branch_cases else -1

    def bounds(self, case: int) -> tuple[Vector, Vector]:
        """Return the limits (R,) that hold in a case: after a unit outage those without an outage."""
        if self.lost_of(case) < 0:
            return self.lower_mw, self.upper_mw
        return self.after_lower_mw, self.after_upper_mw

    def rows_of(self, rows: Integers, case: int) -> tuple[Matrix, Matrix]:
        """Return what ``rows`` (k,) count in a case per MW at unit buses (k, U) and at candidates (k, C)."""
        at_units, at_candidates, lost = self.at_units[rows], self.at_candidates[rows], self.lost_of(case)
        if lost < 0:
            return at_units, at_candidates
        moved = self.moved[rows, lost][:, np.newaxis]
        return at_units + moved * self.lost_at_units[lost], at_candidates + moved * self.lost_at_candidates[lost]


@dataclass(frozen=True, eq=False)
class DeadEnds:
    """E buses, no candidates, with one branch each: what their units produce arrives at the next bus."""

    buses: Integers  # (E,), positions
    next_buses: Integers  # (E,)
    rows: Integers  # (E,), the row that limits the branch, -1 for none
    limit_mw: Vector  # (E,), what it carries, with and without an outage

    @classmethod
    def none(cls) -> Self:
        """Return no bus."""
        no = np.zeros(0, dtype=np.intp)
        return cls(no, no, no, np.zeros(0))

    @classmethod
    def of(cls, network: Network, candidates: Integers, row_of: Integers, limit_mw: Vector) -> Self:
        """Return the dead ends with units; ``row_of`` (L,) is the row of each branch, with its limit (R,)."""
        branches = network.branches
        on = np.flatnonzero(branches.in_service)
        first, last = branches.from_bus[on], branches.to_bus[on]
        count = len(network.buses.ids)
        degree = np.bincount(np.concatenate([first, last]), minlength=count)
        is_end = degree == 1
        is_end[candidates] = False
        has_units = np.zeros(count, dtype=np.bool_)
        has_units[network.units.bus] = True
        is_end &= has_units
        at_first, at_last = is_end[first] & ~is_end[last], is_end[last] & ~is_end[first]
        row = row_of[np.concatenate([on[at_first], on[at_last]])]
        return cls(
            buses=np.concatenate([first[at_first], last[at_last]]),
            next_buses=np.concatenate([last[at_first], first[at_last]]),
            rows=row,
            limit_mw=np.where(row >= 0, limit_mw[row], np.inf) if len(limit_mw) else np.full(len(row), np.inf),
        )

    def where(self, some: Flags) -> Self:
        """Return some of them."""
        return type(self)(self.buses[some], self.next_buses[some], self.rows[some], self.limit_mw[some])

    def kept(self, state: State, unit_bus: Integers) -> bool:
        """Return whether no output of units within their limits, some of them lost or not, overloads a branch."""
        count = len(state.demand_mw)
        most = np.bincount(unit_bus, weights=np.maximum(state.largest_mw, 0.0), minlength=count)[self.buses]
        least = np.bincount(unit_bus, weights=np.minimum(state.least_mw, 0.0), minlength=count)[self.buses]
        demand = state.demand_mw[self.buses]
        return bool(np.all((most - demand <= self.limit_mw) & (least - demand >= -self.limit_mw)))


def _alike(ends: DeadEnds, here: tuple[Matrix, Matrix], there: tuple[Matrix, Matrix]) -> Flags:
    """Return which dead ends (E,) count in all rows but their own, and in all lost branches, as the next bus does."""
    apart = np.abs(here[0] - there[0])
    limited = np.flatnonzero(ends.rows >= 0)
    apart[ends.rows[limited], limited] = 0.0
    lost = np.abs(here[1] - there[1])
    found: Flags = np.maximum(apart.max(axis=0, initial=0.0), lost.max(axis=0, initial=0.0)) <= _SAME
    return found


@dataclass(frozen=True, eq=False)
class GateHour:
    """One hour of the model: what demand alone makes of every row, and what unit buses may produce. MW."""

    model: GateModel
    state: State
    demand_mw: float
    least_mw: Vector  # (U,)
    largest_mw: Vector  # (U,)
    fixed_mw: Vector  # (R,), what demand and phase shifters send through the rows
    fixed_lost_mw: Vector  # (J,), ... through the lost branches

    @classmethod
    def of(cls, model: GateModel, state: State) -> Self:
        """Return the hour of a state, of the model with every bus apart where a dead end could be overloaded."""
        if not model.ends.kept(state, model.limits.network.units.bus):
            model = model.apart
        flow = model.limits.factors.flows(-state.demand_mw)
        buses = len(model.unit_buses)
        return cls(
            model=model,
            state=state,
            demand_mw=float(state.demand_mw.sum()),
            least_mw=np.bincount(model.unit_place, weights=state.least_mw, minlength=buses).astype(np.float64),
            largest_mw=np.bincount(model.unit_place, weights=state.largest_mw, minlength=buses).astype(np.float64),
            fixed_mw=np.asarray(model.limits.weights @ flow),
            fixed_lost_mw=flow[model.lost_branches],
        )

    def box(self, case: int) -> tuple[Vector, Vector]:
        """Return the least and largest output (U,) in a case."""
        unit = self.model.unit_of(case)
        if unit < 0:
            return self.least_mw, self.largest_mw
        least, largest, place = self.least_mw.copy(), self.largest_mw.copy(), self.model.unit_place[unit]
        least[place] -= self.state.least_mw[unit]
        largest[place] -= self.state.largest_mw[unit]
        return least, np.maximum(least, largest)

    def fixed(self, case: int) -> Vector:
        """Return what demand alone makes of the rows (R,) in a case."""
        lost = self.model.lost_of(case)
        return self.fixed_mw if lost < 0 else self.fixed_mw + self.model.moved[:, lost] * self.fixed_lost_mw[lost]

    def rows_mw(self, output_mw: Vector, bus: int, load_mw: float) -> tuple[Vector, Vector]:
        """Return the rows (R,) and the flows of the lost branches (J,), before any outage, for a dispatch (U,)."""
        model = self.model
        rows = self.fixed_mw + model.at_units @ output_mw - load_mw * model.at_candidates[:, bus]
        lost = self.fixed_lost_mw + model.lost_at_units @ output_mw - load_mw * model.lost_at_candidates[:, bus]
        return rows, lost
