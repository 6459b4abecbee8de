"""Least-cost dispatch with branch limits that enter the program only once they are exceeded.

A few of thousands of limits bind, so the program starts with the power balance alone; each solve is
followed by the flows of all branches, and the limits that these exceed become rows, until none is.
The rows stay for the next hour. The last solution keeps every limit, and it is the optimum of a relaxation,
so it is the optimum.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, hstack

from engine.errors import InfeasibleError
from engine.network.factors import Factors
from engine.network.model import Integers, Vector
from engine.opf.costs import CostColumns
from engine.program import LazyProgram, LinearProgram, Solution, Status

Rating = Literal["a", "b", "c"]
Watch = Callable[[int, int], None]  # (number of this solve, branch limits in it); may raise CancelledError
LIMIT_TOLERANCE = 1e-6  # MW over a limit, per MW of limit plus one, that counts as keeping it
_ROWS_AT_ONCE = 200  # the worst of the exceeded limits; the others are often cured with them


@dataclass(frozen=True, slots=True, eq=False)
class BranchLimits:
    """The lowest and highest flow of each branch, from its rating and its angle limits."""

    lower_mw: Vector  # (L,), -inf for none
    upper_mw: Vector  # (L,), inf for none

    def excess_mw(self, flow_mw: Vector) -> Vector:
        """Return how far the flows (L, ...) lie beyond the limits, zero where they do not."""
        shape = (-1,) + (1,) * (flow_mw.ndim - 1)
        lower, upper = self.lower_mw.reshape(shape), self.upper_mw.reshape(shape)
        return np.maximum(np.maximum(flow_mw - upper, lower - flow_mw), 0.0)

    def tolerance_mw(self) -> Vector:
        """Return the excess (L,) that is still rounding."""
        largest = np.maximum(_finite(self.lower_mw), _finite(self.upper_mw))
        return LIMIT_TOLERANCE * (1.0 + largest)


def branch_limits(factors: Factors, rating: Rating, scale: float | Vector) -> BranchLimits:
    """Return the limits of all branches, with ratings times ``scale`` (one number or (L,)).

    An angle limit is a limit on the flow, susceptance times angle; it is not scaled. Raises
    InfeasibleError naming a branch whose angle limits and rating leave no flow at all.
    """
    branches = factors.network.branches
    ratings = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}
    most = np.where(branches.in_service, ratings[rating] * scale, np.inf)
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
    return BranchLimits(lower, upper)


def no_limits(factors: Factors) -> BranchLimits:
    """Return limits that no branch can exceed."""
    none = np.full(len(factors.network.branches.ids), np.inf)
    return BranchLimits(-none, none)


@dataclass(frozen=True, slots=True, eq=False)
class Dispatched:
    """The optimum of one hour."""

    values: Vector  # (C,), of the cost columns
    flow_mw: Vector  # (L,)
    energy_per_mwh: float
    branch_price_per_mwh: Vector  # (L,), positive where the limit is from from_bus to to_bus
    excess_mw: Vector  # (L,), over the limit; above rounding only where limits have a penalty
    solution: Solution


class LazyDispatch:
    """A dispatch program kept for many hours. With a penalty, limits may be exceeded at that price."""

    def __init__(
        self, factors: Factors, columns: CostColumns, limits: BranchLimits, *, penalty_per_mwh: float | None = None
    ) -> None:
        self.factors = factors
        self.columns = columns
        self.limits = limits
        self.penalty_per_mwh = penalty_per_mwh
        self._branches = np.zeros(0, dtype=np.intp)  # whose limits are rows 1, 2, ... of the program
        self._outputs = csr_array(
            (np.ones(len(columns.unit)), (columns.bus, np.arange(len(columns.unit)))),
            shape=(len(factors.network.buses.ids), len(columns.unit)),
        )
        self._base_injection = np.bincount(
            factors.network.units.bus, weights=columns.base_mw, minlength=len(factors.network.buses.ids)
        )
        count = len(columns.unit)
        self.lazy = LazyProgram(
            LinearProgram(
                cost=columns.slope,
                matrix=csr_array(np.ones((1, count))),
                row_lower=np.zeros(1),
                row_upper=np.zeros(1),
                lower=np.zeros(count),
                upper=np.zeros(count),
                quadratic=columns.quadratic if columns.quadratic.any() else None,
                offset=columns.base_per_h,
            )
        )

    def solve(
        self,
        demand_mw: Vector,
        p_min_mw: Vector,
        p_max_mw: Vector,
        *,
        time_limit_s: float | None = None,
        watch: Watch | None = None,
    ) -> Dispatched | None:
        """Return the optimum for the demand (B,) and unit limits (G,), or None if no dispatch keeps the limits.

        ``watch`` is told before each solve.

        Raises SolverError if the solver stops for another reason, a time limit included.
        """
        start = time.perf_counter()
        fixed = self.factors.flows(self._base_injection - demand_mw)
        self._set_hour(demand_mw, p_min_mw, p_max_mw, fixed)
        tolerance = self.limits.tolerance_mw()
        count = len(self.columns.unit)
        solves = 0
        while True:
            solves += 1
            if watch is not None:
                watch(solves, len(self._branches))
            left = None if time_limit_s is None else time_limit_s - (time.perf_counter() - start)
            solution = self.lazy.solve(time_limit_s=left)
            if solution.status is Status.INFEASIBLE:
                return None
            solution.optimum()
            flow = self.factors.flows(self._outputs @ solution.x[:count] + self._base_injection - demand_mw)
            excess = self.limits.excess_mw(flow)
            over = excess > tolerance
            over[self._branches] = False
            if not over.any():
                return self._dispatched(solution, flow, excess)
            worst = np.flatnonzero(over)
            worst = worst[np.argsort(-excess[worst], kind="stable")][:_ROWS_AT_ONCE]
            self._add_limits(np.sort(worst), fixed)

    def _set_hour(self, demand_mw: Vector, p_min_mw: Vector, p_max_mw: Vector, fixed: Vector) -> None:
        lower, upper = self.columns.bounds(p_min_mw, p_max_mw)
        extra = np.zeros(2 * len(self._branches)) if self.penalty_per_mwh is not None else np.zeros(0)
        self.lazy.set_bounds(np.concatenate([lower, extra]), np.concatenate([upper, extra + np.inf]))
        rows = np.arange(1 + len(self._branches))
        balance = demand_mw.sum() - self._base_injection.sum()
        room = [self.limits.lower_mw[self._branches] - fixed[self._branches]]
        room.append(self.limits.upper_mw[self._branches] - fixed[self._branches])
        self.lazy.set_row_bounds(rows, np.append(balance, room[0]), np.append(balance, room[1]))

    def _add_limits(self, branches: Integers, fixed: Vector) -> None:
        by_column = self.factors.rows(branches)[:, self.columns.bus]
        relieved = 0 if self.penalty_per_mwh is None else 2 * len(self._branches)
        matrix = csr_array(np.hstack([by_column, np.zeros((len(branches), relieved))]))
        lower, upper = self.limits.lower_mw[branches], self.limits.upper_mw[branches]
        rows = self.lazy.add_rows(matrix, lower - fixed[branches], upper - fixed[branches])
        if self.penalty_per_mwh is not None:
            sign = csr_array(np.vstack([np.zeros((self.lazy.row_count - len(rows), len(rows))), np.eye(len(rows))]))
            none = np.zeros(2 * len(rows))
            relief = csr_array(hstack([-sign, sign]))  # what is over the upper limit, what is under the lower one
            self.lazy.add_columns(none + self.penalty_per_mwh, none, none + np.inf, relief)
        self._branches = np.concatenate([self._branches, branches])

    def _dispatched(self, solution: Solution, flow: Vector, excess: Vector) -> Dispatched:
        price = np.zeros(len(flow))
        price[self._branches] = -solution.row_dual[1:]
        return Dispatched(
            values=solution.x[: len(self.columns.unit)],
            flow_mw=flow,
            energy_per_mwh=float(solution.row_dual[0]),
            branch_price_per_mwh=price,
            excess_mw=excess,
            solution=solution,
        )


def _angle_flow(factors: Factors, angle_deg: Vector, none: float) -> Vector:
    """Return the (L,) flow at which a branch has the angle; where there is no limit, ``none`` in its direction."""
    limited = np.isfinite(angle_deg) & factors.network.branches.in_service
    radians = np.deg2rad(np.where(limited, angle_deg - factors.network.branches.shift_deg, 0.0))
    unlimited = np.where(factors.susceptance_mw_per_rad < 0.0, -none, none)
    return np.where(limited, factors.susceptance_mw_per_rad * radians, unlimited)


def _finite(limit: Vector) -> Vector:
    return np.where(np.isfinite(limit), np.abs(limit), 0.0)
