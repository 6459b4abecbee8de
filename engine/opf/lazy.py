"""Least-cost dispatch with limits that enter the program only once they are exceeded.

A few of thousands of limits bind, so the program starts with the power balance alone; each solve is followed by the
flows of all branches, and the limits that these exceed become rows, until none is: those of branches and interfaces,
and after outages the worst one of each. The rows stay for the next hour. The last solution keeps every limit, and it
is the optimum of a relaxation, so it is the optimum.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Vector
from engine.opf.costs import CostColumns
from engine.opf.limits import Exceeded, HeldLimits, tolerance_mw
from engine.program import LazyProgram, LinearProgram, Solution, Status

Watch = Callable[[int, int], None]  # (number of this solve, limits in it); may raise CancelledError
_ROWS_AT_ONCE = 200  # the worst of the exceeded limits; the others are often cured with them


@dataclass(frozen=True, slots=True, eq=False)
class HeldRows:
    """The limits that are in the program, with their prices at its optimum."""

    monitored: Integers  # (R,), a branch, or L plus an interface
    outage: Integers  # (R,), -1 for none
    weights: csr_array  # (R, L), on the branch flows before any outage
    flow_mw: Vector  # (R,), of the branch or interface after the outage
    lower_mw: Vector  # (R,)
    upper_mw: Vector  # (R,)
    price_per_mwh: Vector  # (R,), cost saved per MW of limit; negative: the lower limit
    excess_mw: Vector  # (R,), over the limit; above rounding only where limits have a penalty


@dataclass(frozen=True, slots=True, eq=False)
class Dispatched:
    """The optimum of one hour."""

    values: Vector  # (C,), of the cost columns
    flow_mw: Vector  # (L,)
    energy_per_mwh: float
    rows: HeldRows
    solution: Solution

    @property
    def flow_price_per_mwh(self) -> Vector:
        """Return what one MW more on each branch (L,) costs at the limits: what prices get their congestion from."""
        return np.asarray(self.rows.weights.T @ self.rows.price_per_mwh, dtype=np.float64)

    @property
    def over(self) -> Integers:
        """Return the rows that are over their limits by more than rounding, which only a penalty allows."""
        rows = self.rows
        return np.flatnonzero(rows.excess_mw > tolerance_mw(rows.lower_mw, rows.upper_mw))


class LazyDispatch:
    """A dispatch program kept for many hours. With a penalty, limits may be exceeded at that price."""

    def __init__(
        self, factors: Factors, columns: CostColumns, limits: HeldLimits, *, penalty_per_mwh: float | None = None
    ) -> None:
        self.factors = factors
        self.columns = columns
        self.limits = limits
        self.penalty_per_mwh = penalty_per_mwh
        self._monitored = np.zeros(0, dtype=np.intp)  # of rows 1, 2, ... of the program
        self._outage = np.zeros(0, dtype=np.intp)
        self._weights = csr_array((0, len(factors.network.branches.ids)))
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
        count = len(self.columns.unit)
        solves = 0
        while True:
            solves += 1
            if watch is not None:
                watch(solves, len(self._monitored))
            left = None if time_limit_s is None else time_limit_s - (time.perf_counter() - start)
            solution = self.lazy.solve(time_limit_s=left)
            if solution.status is Status.INFEASIBLE:
                return None
            solution.optimum()
            flow = self.factors.flows(self._outputs @ solution.x[:count] + self._base_injection - demand_mw)
            new = self._worst_of(self.limits.exceeded(flow))
            if not len(new):
                return self._dispatched(solution, flow)
            self._add_limits(new, fixed)

    def _worst_of(self, found: Exceeded) -> Exceeded:
        """Return the worst limits that are not in the program; of one monitored row, the worst outage.

        An outage that makes a limit no worse than it is without one waits: the limit before outages comes first.
        """
        size = self.limits.count
        known = np.isin((found.outage + 1) * size + found.monitored, (self._outage + 1) * size + self._monitored)
        base = (found.outage < 0) & ~known
        before = np.zeros(size)
        before[found.monitored[base]] = found.excess_mw[base]
        rounding = tolerance_mw(*self.limits.bounds(found.monitored, found.outage))
        worse = base | (found.excess_mw > before[found.monitored] + rounding)
        left = np.flatnonzero(~known & worse)
        left = left[np.argsort(-found.excess_mw[left], kind="stable")]
        pair = 2 * found.monitored[left] + (found.outage[left] >= 0)
        left = left[np.sort(np.unique(pair, return_index=True)[1])][:_ROWS_AT_ONCE]
        left = left[np.lexsort((found.monitored[left], found.outage[left]))]
        return Exceeded(found.monitored[left], found.outage[left], found.excess_mw[left])

    def _set_hour(self, demand_mw: Vector, p_min_mw: Vector, p_max_mw: Vector, fixed: Vector) -> None:
        lower, upper = self.columns.bounds(p_min_mw, p_max_mw)
        extra = np.zeros(2 * len(self._monitored)) if self.penalty_per_mwh is not None else np.zeros(0)
        self.lazy.set_bounds(np.concatenate([lower, extra]), np.concatenate([upper, extra + np.inf]))
        rows = np.arange(1 + len(self._monitored))
        balance = demand_mw.sum() - self._base_injection.sum()
        before = self._weights @ fixed
        least, most = self.limits.bounds(self._monitored, self._outage)
        self.lazy.set_row_bounds(rows, np.append(balance, least - before), np.append(balance, most - before))

    def _add_limits(self, new: Exceeded, fixed: Vector) -> None:
        weights = self.limits.rows(new.monitored, new.outage)
        by_column = self._injection_factors(weights)[:, self.columns.bus]
        relieved = 0 if self.penalty_per_mwh is None else 2 * len(self._monitored)
        matrix = csr_array(np.hstack([by_column, np.zeros((len(new), relieved))]))
        lower, upper = self.limits.bounds(new.monitored, new.outage)
        before = weights @ fixed
        rows = self.lazy.add_rows(matrix, lower - before, upper - before)
        if self.penalty_per_mwh is not None:
            sign = csr_array(np.vstack([np.zeros((self.lazy.row_count - len(rows), len(rows))), np.eye(len(rows))]))
            none = np.zeros(2 * len(rows))
            relief = csr_array(hstack([-sign, sign]))  # what is over the upper limit, what is under the lower one
            self.lazy.add_columns(none + self.penalty_per_mwh, none, none + np.inf, relief)
        self._monitored = np.concatenate([self._monitored, new.monitored])
        self._outage = np.concatenate([self._outage, new.outage])
        self._weights = csr_array(vstack([self._weights, weights], format="csr"))

    def _injection_factors(self, weights: csr_array) -> Matrix:
        """Return the (n, B) change of weighted flows (n, L) per MW injected at each bus."""
        used = np.unique(weights.indices).astype(np.intp)
        return np.asarray(csr_array(weights[:, used]) @ self.factors.rows(used), dtype=np.float64)

    def _dispatched(self, solution: Solution, flow: Vector) -> Dispatched:
        lower, upper = self.limits.bounds(self._monitored, self._outage)
        held = np.asarray(self._weights @ flow, dtype=np.float64)
        rows = HeldRows(
            monitored=self._monitored,
            outage=self._outage,
            weights=self._weights,
            flow_mw=held,
            lower_mw=lower,
            upper_mw=upper,
            price_per_mwh=-solution.row_dual[1:],
            excess_mw=np.maximum(np.maximum(held - upper, lower - held), 0.0),
        )
        values = solution.x[: len(self.columns.unit)]
        return Dispatched(values, flow, float(solution.row_dual[0]), rows, solution)
