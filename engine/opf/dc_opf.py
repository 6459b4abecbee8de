"""The DC optimal power flow of one hour: least-cost dispatch, its flows and its prices.

Model: lossless, flat voltage, small angles (see :mod:`engine.network.factors`). Costs are linear, quadratic
or convex piecewise linear; units keep their output limits, branches their rating and angle limits.
Source: Stott, Jardim and Alsaç, "DC power flow revisited", IEEE Trans. Power Systems 24(3), 2009.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import InfeasibleError, Problem, QuestionError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.opf.costs import CostColumns
from engine.opf.lazy import BranchLimits, Dispatched, LazyDispatch, Rating, Watch, branch_limits, no_limits
from engine.opf.prices import Prices
from engine.program import Certificate, Status, certificate

_BRANCH_DATA = ("from_bus", "to_bus", "reactance_pu", "tap_ratio", "shift_deg", "in_service")
BALANCE_TOLERANCE_MW = 1e-6  # what sums of thousands of rounded loads may miss the capacity by


@dataclass(frozen=True, slots=True, eq=False)
class DispatchOptions:
    """Which limits hold."""

    enforce_limits: bool = True  # False: no branch limits at all
    rating: Rating = "a"
    limit_scale: float | Vector = 1.0  # times the rating; one number or (L,)
    ignore_p_min: bool = False  # every least output above zero counts as zero
    branch_penalty_per_mwh: float | None = None  # None: limits are hard; else they may be exceeded at this price


@dataclass(frozen=True, slots=True, eq=False)
class DcOpfOptions(DispatchOptions):
    """Which limits hold, and what replaces the network's own numbers."""

    load_mw: Vector | None = None  # (B,), in place of the loads; shunts stay
    p_min_mw: Vector | None = None  # (G,)
    p_max_mw: Vector | None = None  # (G,); a least output above it is lowered to it
    time_limit_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DcOpfResult:
    """The optimum. Prices are ``nan`` at a bus out of service; branches and units out of service carry zero."""

    status: Status
    dispatch_mw: Vector  # (G,)
    flow_mw: Vector  # (L,)
    limits: BranchLimits  # that were enforced
    prices: Prices
    branch_price_per_mwh: Vector  # (L,), cost saved per MW of limit; negative: the limit towards from_bus
    over_limit_mw: Vector  # (L,), zero unless limits have a penalty
    cost_per_h: float  # of the units; a penalty for limits is not in it
    limit_rows: int  # branch limits that had to enter the program
    gap: float
    time_s: float  # all of it, factors included if they were made here
    solver: str
    certificate: Certificate  # of the whole problem: every branch is in it

    @property
    def lmp_per_mwh(self) -> Vector:
        """Return the price at each bus (B,)."""
        return self.prices.lmp_per_mwh

    @property
    def energy_per_mwh(self) -> float:
        """Return the price at the reference; ``prices.reference`` says what that is."""
        return self.prices.energy_per_mwh

    @property
    def congestion_per_mwh(self) -> Vector:
        """Return what congestion adds at each bus (B,)."""
        return self.prices.congestion_per_mwh


def dc_opf(
    network: Network, options: DcOpfOptions | None = None, factors: Factors | None = None, watch: Watch | None = None
) -> DcOpfResult:
    """Return the least-cost dispatch of ``network``, with its prices split at the slack of ``factors``.

    ``watch`` is told before each solve which one it is and how many branch limits are in the program.

    Raises InfeasibleError saying how far load is beyond the units' limits, or naming the branches that cannot
    be kept within theirs; NetworkDataError naming units whose cost is not convex; QuestionError on a
    replacement of the wrong shape; SolverError if the solver stops without an answer, a time limit included.
    """
    start = time.perf_counter()
    chosen = options or DcOpfOptions()
    used = factors_for(network, factors)
    columns = CostColumns.of(network)
    limits = limits_of(used, chosen)
    demand = demand_of(network, chosen.load_mw)
    p_min, p_max = unit_limits(network, chosen.p_min_mw, chosen.p_max_mw, ignore_p_min=chosen.ignore_p_min)
    _check_capacity(float(demand.sum()), p_min, p_max)
    lazy = LazyDispatch(used, columns, limits, penalty_per_mwh=chosen.branch_penalty_per_mwh)
    found = lazy.solve(demand, p_min, p_max, time_limit_s=chosen.time_limit_s, watch=watch)
    if found is None:
        left = None if chosen.time_limit_s is None else chosen.time_limit_s - (time.perf_counter() - start)
        raise _cannot_keep(lazy, demand, (p_min, p_max), left, watch)
    tolerance = limits.tolerance_mw()
    return DcOpfResult(
        status=found.solution.status,
        dispatch_mw=columns.output_mw(found.values),
        flow_mw=found.flow_mw,
        limits=limits,
        prices=Prices.of(used, found.energy_per_mwh, found.branch_price_per_mwh),
        branch_price_per_mwh=found.branch_price_per_mwh,
        over_limit_mw=np.where(found.excess_mw > tolerance, found.excess_mw, 0.0),
        cost_per_h=float(columns.cost_per_h(found.values)),
        limit_rows=lazy.lazy.row_count - 1,
        gap=found.solution.gap,
        time_s=time.perf_counter() - start,
        solver=found.solution.solver,
        certificate=_certificate(lazy, found, limits),
    )


def factors_for(network: Network, factors: Factors | None) -> Factors:
    """Return factors that carry ``network``: new ones, or ``factors`` of a network with the same grid.

    A network with other costs, units or loads has the same factors. Raises QuestionError when buses or branches
    differ: then the factors are of another grid.
    """
    if factors is None:
        return Factors.of(network)
    if factors.network is network:
        return factors
    given, own = factors.network, network
    same = given.buses.ids == own.buses.ids and given.base_mva == own.base_mva and given.slack == own.slack
    pairs = ((given.branches, own.branches), (given.buses, own.buses))
    same = same and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for (one, other), names in zip(pairs, (_BRANCH_DATA, ("in_service",)), strict=True)
        for name in names
    )
    if not same:
        raise QuestionError(f"these factors are of another grid than {network.name!r}")
    return replace(factors, network=network)


def limits_of(factors: Factors, options: DispatchOptions) -> BranchLimits:
    """Return the branch limits that ``options`` ask for."""
    if not options.enforce_limits:
        return no_limits(factors)
    return branch_limits(factors, options.rating, options.limit_scale)


def demand_of(network: Network, load_mw: Vector | None) -> Vector:
    """Return the demand (B,), shunts included, zero at buses out of service; ``load_mw`` (B,) replaces the loads."""
    if load_mw is None:
        return network.demand_mw
    given = _replacement("load", load_mw, len(network.buses.ids))
    return np.where(network.buses.in_service, given + network.buses.shunt_mw, 0.0)


def unit_limits(
    network: Network, p_min_mw: Vector | None, p_max_mw: Vector | None, *, ignore_p_min: bool
) -> tuple[Vector, Vector]:
    """Return the output limits (G,), zero for a unit out of service.

    A least output above the largest one is lowered to it: a wind farm runs at what the wind gives.
    """
    units = network.units
    size = len(units.ids)
    low = units.p_min_mw if p_min_mw is None else _replacement("least output", p_min_mw, size)
    high = units.p_max_mw if p_max_mw is None else _replacement("largest output", p_max_mw, size)
    if ignore_p_min:
        low = np.minimum(low, 0.0)
    return np.where(units.in_service, np.minimum(low, high), 0.0), np.where(units.in_service, high, 0.0)


def _replacement(what: str, given: Vector, size: int) -> Vector:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != (size,) or np.isnan(array).any():
        raise QuestionError(f"the {what} needs one number for each of {size} rows, without gaps")
    return array


def _check_capacity(demand_mw: float, p_min_mw: Vector, p_max_mw: Vector) -> None:
    most, least = float(p_max_mw.sum()), float(p_min_mw.sum())
    if demand_mw > most + BALANCE_TOLERANCE_MW:
        message = f"load of {demand_mw:,.1f} MW exceeds the {most:,.1f} MW that units in service can generate"
        raise InfeasibleError(message, [Problem("load-above-capacity", "error", message, "units")])
    if demand_mw < least - BALANCE_TOLERANCE_MW:
        message = f"load of {demand_mw:,.1f} MW is below the {least:,.1f} MW that units in service must generate"
        raise InfeasibleError(message, [Problem("load-below-least-output", "error", message, "units")])


def _cannot_keep(
    lazy: LazyDispatch,
    demand: Vector,
    unit_limits_mw: tuple[Vector, Vector],
    time_limit_s: float | None,
    watch: Watch | None,
) -> InfeasibleError:
    """Find the dispatch with the least total excess, and say which branches it still leaves over their limits."""
    factors, limits = lazy.factors, lazy.limits
    free = replace(lazy.columns, slope=0.0 * lazy.columns.slope, quadratic=0.0 * lazy.columns.quadratic)
    relaxed = LazyDispatch(factors, free, limits, penalty_per_mwh=1.0)
    found = relaxed.solve(demand, *unit_limits_mw, time_limit_s=time_limit_s, watch=watch)
    names = factors.network.branches.ids
    if found is None:
        return InfeasibleError("no dispatch balances load and generation")
    over = np.flatnonzero(found.excess_mw > limits.tolerance_mw())
    problems = []
    for branch in over[np.argsort(-found.excess_mw[over], kind="stable")].tolist():
        flow = found.flow_mw[branch]
        limit = limits.upper_mw[branch] if flow > 0.0 else limits.lower_mw[branch]
        said = (
            f"branch {names[branch]!r} carries {flow:,.1f} MW, {found.excess_mw[branch]:,.1f} MW beyond {limit:,.1f} MW"
        )
        problems.append(Problem("branch-limit", "error", said, "branches", branch, "rating_a_mw", names[branch]))
    total = float(found.excess_mw[over].sum())
    listed = "; ".join(problem.message for problem in problems[:3])
    return InfeasibleError(
        f"no dispatch keeps every branch within its limits; with the least excess, {total:,.1f} MW in total, {listed}",
        problems,
    )


def _certificate(lazy: LazyDispatch, found: Dispatched, limits: BranchLimits) -> Certificate:
    judged = certificate(lazy.lazy.program, found.solution)
    if lazy.penalty_per_mwh is not None:
        return judged
    bound = np.where(found.flow_mw > 0.0, limits.upper_mw, limits.lower_mw)
    excess = found.excess_mw / (1.0 + np.abs(np.where(np.isfinite(bound), bound, 0.0)))
    return replace(judged, primal_violation=max(judged.primal_violation, float(excess.max(initial=0.0))))
