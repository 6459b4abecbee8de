"""The least overload of one state, by one cold linear program in bus angles, from a network's tables.

Made for checks: it shares no factors, no rows and no program with what it checks. A flow is a susceptance times the
difference of two angles; unknown are outputs, angles and one number z, the MW by which all limits may be exceeded.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, diags_array, hstack, vstack

from engine.capacity.question import OutageRating
from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.network.tables import NetworkTables
from engine.network.terms import read_terms

NOISE_MW = 1e-5  # of a linear program
_LOOSE_MW = 1e-3  # what a dispatch may miss its own constraints by
_WAYS = (("highs-ipm", True), ("highs-ds", True), ("highs-ds", False), ("highs", False))
_MOST_ROOM_MW = 1e5  # where there is no limit at all
_OPTIMAL = 0  # as scipy counts


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A network in angles, from its tables: B buses, L branches, G units, I interfaces."""

    on: Flags  # (B,)
    slack: int
    live: Flags  # (L,)
    first: Integers  # (L,), position of from_bus
    last: Integers  # (L,)
    mw_per_rad: Vector  # (L,)
    shift_mw: Vector  # (L,), taken off the flow
    rating_mw: Vector  # (L,), inf for none
    after_mw: Vector  # (L,), after the loss of a branch
    unit_bus: Integers  # (G,)
    withdrawal_mw: Vector  # (B,), inf for none
    sums: csr_array  # (I, L)
    sum_lower_mw: Vector  # (I,)
    sum_upper_mw: Vector  # (I,)

    @classmethod
    def of(cls, tables: NetworkTables, rating: OutageRating = "a") -> Self:
        """Return the grid; ``rating`` holds after the loss of a branch, where it is given and not 0, else A."""
        buses, branches, units = tables.buses, tables.branches, tables.units
        place = {bus: at for at, bus in enumerate(buses["bus"].tolist())}
        first = np.array([place[bus] for bus in branches["from_bus"].tolist()], dtype=np.intp)
        last = np.array([place[bus] for bus in branches["to_bus"].tolist()], dtype=np.intp)
        on = buses["in_service"].to_numpy(dtype=np.bool_)
        live = branches["in_service"].to_numpy(dtype=np.bool_) & on[first] & on[last]
        series = (branches["reactance_pu"] * branches["tap_ratio"]).to_numpy(dtype=np.float64)
        mw_per_rad = np.zeros(len(live))
        mw_per_rad[live] = tables.base_mva / series[live]
        normal = _given(branches["rating_a_mw"].to_numpy(dtype=np.float64), np.full(len(live), np.inf))
        after = _given(branches[f"rating_{rating}_mw"].to_numpy(dtype=np.float64), normal)
        sums, lower, upper = _interfaces(tables)
        return cls(
            on=on,
            slack=int(np.flatnonzero(buses["slack"].to_numpy(dtype=np.bool_))[0]),
            live=live,
            first=first,
            last=last,
            mw_per_rad=mw_per_rad,
            shift_mw=mw_per_rad * np.deg2rad(branches["shift_deg"].to_numpy(dtype=np.float64)),
            rating_mw=normal,
            after_mw=after,
            unit_bus=np.array([place[bus] for bus in units["bus"].tolist()], dtype=np.intp),
            withdrawal_mw=buses["withdrawal_limit_mw"].to_numpy(dtype=np.float64),
            sums=sums,
            sum_lower_mw=lower,
            sum_upper_mw=upper,
        )


@dataclass(frozen=True, slots=True, eq=False)
class AngleProblem:
    """A demand and what units may produce, with some branches lost."""

    demand_mw: Vector  # (B,), with the load that is asked about
    least_mw: Vector  # (G,), 0 for a unit lost
    largest_mw: Vector  # (G,)
    lost: tuple[int, ...]  # branches, by position

    @property
    def imbalance_mw(self) -> float:
        """Return how far units are from balancing the load, whatever the flows: 0 or less where they can."""
        total = self.demand_mw.sum()
        return float(max(total - self.largest_mw.sum(), self.least_mw.sum() - total))


def least_overload_mw(grid: Grid, problem: AngleProblem, *, free: bool = False) -> float:
    """Return the least z by which limits are exceeded, MW; with ``free``, below 0 where there is room on all of them.

    inf where units cannot balance the load. Raises SolverError when no way of solving it ends.
    """
    if problem.imbalance_mw > NOISE_MW:
        return np.inf
    program = _Program.of(grid, problem)
    for method, presolve in _WAYS:
        found = program.solve(method, presolve=presolve, free=free)
        if found is not None:
            return found
    raise SolverError("a program in bus angles ended without an answer")


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """The least z over outputs (G,), angles (B,) and z: ``limits x <= limit``, ``balance x = drawn``, bounds."""

    grid: Grid
    flow: csr_array  # (L, B)
    limits: csr_array  # (k, G + B + 1)
    limit_mw: Vector  # (k,)
    balance: csr_array  # (B, G + B + 1)
    drawn_mw: Vector  # (B,)
    bounds: Matrix  # (G + B, 2)

    @classmethod
    def of(cls, grid: Grid, problem: AngleProblem) -> Self:
        live = grid.live.copy()
        live[list(problem.lost)] = False
        count, size, place = len(grid.unit_bus), len(grid.on), np.flatnonzero(live)
        sign = np.repeat([1.0, -1.0], len(place))
        ends = np.concatenate([grid.first[place], grid.last[place]])
        meets = csr_array(coo_array((sign, (np.tile(place, 2), ends)), shape=(len(live), size)))
        flow = csr_array(diags_array(grid.mw_per_rad) @ meets)
        produced = csr_array(coo_array((np.ones(count), (grid.unit_bus, np.arange(count))), shape=(size, count)))
        shift = np.where(live, grid.shift_mw, 0.0)
        rating = grid.after_mw if problem.lost else grid.rating_mw
        rated = np.flatnonzero(live & np.isfinite(rating))
        held = np.flatnonzero(grid.on & np.isfinite(grid.withdrawal_mw))
        sums, nothing = csr_array(grid.sums @ flow), csr_array((size, 1))
        rows = [
            (csr_array((len(rated), count)), flow[rated], rating[rated] + shift[rated]),
            (csr_array((len(rated), count)), -flow[rated], rating[rated] - shift[rated]),
            (csr_array((sums.shape[0], count)), sums, grid.sum_upper_mw + grid.sums @ shift),
            (csr_array((sums.shape[0], count)), -sums, -grid.sum_lower_mw - grid.sums @ shift),
            (-produced[held], csr_array((len(held), size)), grid.withdrawal_mw[held] - problem.demand_mw[held]),
        ]
        limit = np.concatenate([most for _, _, most in rows])
        kept = np.flatnonzero(np.isfinite(limit))
        table = vstack([hstack([outputs, angles]) for outputs, angles, _ in rows], format="csr")[kept]
        angle = np.where(grid.on & (np.arange(size) != grid.slack), np.inf, 0.0)
        low = np.concatenate([problem.least_mw, -angle])
        high = np.concatenate([problem.largest_mw, angle])
        return cls(
            grid=grid,
            flow=flow,
            limits=csr_array(hstack([table, -csr_array(np.ones((len(kept), 1)))])),
            limit_mw=limit[kept],
            balance=csr_array(hstack([produced, -(meets.T @ flow), nothing]))[np.flatnonzero(grid.on)],
            drawn_mw=(problem.demand_mw - meets.T @ shift)[grid.on],
            bounds=np.column_stack([low, high]),
        )

    def solve(self, method: str, *, presolve: bool, free: bool) -> float | None:
        """Return the least z, or None where the solver gives no dispatch that keeps what it should."""
        cost = np.zeros(self.balance.shape[1])
        cost[-1] = 1.0
        solver: Any = linprog  # whose types know no sparse tables
        found = solver(
            cost,
            A_ub=self.limits,
            b_ub=self.limit_mw,
            A_eq=self.balance,
            b_eq=self.drawn_mw,
            bounds=np.vstack([self.bounds, [-_MOST_ROOM_MW if free else 0.0, np.inf]]),
            method=method,
            options={"presolve": presolve},
        )
        if found.status != _OPTIMAL:
            return None
        missed = max(
            float(np.abs(self.balance @ found.x - self.drawn_mw).max(initial=0.0)),
            float((self.limits @ found.x - self.limit_mw).max(initial=0.0)),
            float((self.bounds[:, 0] - found.x[:-1]).max(initial=0.0)),
            float((found.x[:-1] - self.bounds[:, 1]).max(initial=0.0)),
        )
        return float(found.fun) if missed <= _LOOSE_MW else None


def _given(column: Vector, otherwise: Vector) -> Vector:
    return np.where(np.isnan(column) | (column == 0.0), otherwise, column)


def _interfaces(tables: NetworkTables) -> tuple[csr_array, Vector, Vector]:
    table = tables.interfaces[tables.interfaces["in_service"].to_numpy(dtype=np.bool_)]
    place = {branch: at for at, branch in enumerate(tables.branches["branch"].tolist())}
    weights = np.zeros((len(table), len(place)))
    for row, cell in enumerate(table["terms"].tolist()):
        for branch, weight in read_terms(cell):
            weights[row, place[branch]] += weight
    upper = table["limit_mw"].to_numpy(dtype=np.float64)
    backward = table["limit_backward_mw"].to_numpy(dtype=np.float64)
    return csr_array(weights), -np.where(np.isnan(backward), upper, backward), upper
