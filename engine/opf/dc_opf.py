"""The DC optimal power flow of one hour: least-cost dispatch, its flows and its prices.

Model: lossless, flat voltage, small angles (see :mod:`engine.network.factors`). Costs are linear, quadratic
or convex piecewise linear; units keep their output limits, branches their rating and angle limits, interfaces
theirs. With security "n-1" branches and interfaces keep limits after each outage too, with units where they are
(preventive security: Alsaç and Stott, "Optimal load flow with steady-state security", IEEE Trans. PAS 93(3), 1974).
Source: Stott, Jardim and Alsaç, "DC power flow revisited", IEEE Trans. Power Systems 24(3), 2009.
"""

import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import InfeasibleError, Problem, QuestionError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.opf.costs import CostColumns
from engine.opf.lazy import Dispatched, HeldRows, LazyDispatch, Watch
from engine.opf.limits import LIMIT_TOLERANCE, HeldLimits, OutageList, Rating, Security, tolerance_mw
from engine.opf.prices import Prices
from engine.program import Certificate, Status, certificate

_BRANCH_DATA = ("from_bus", "to_bus", "reactance_pu", "tap_ratio", "shift_deg", "in_service")
BALANCE_TOLERANCE_MW = 1e-6  # what sums of thousands of rounded loads may miss the capacity by


@dataclass(frozen=True, slots=True, eq=False)
class DispatchOptions:
    """Which limits hold."""

    enforce_limits: bool = True  # False: no limits on flows at all
    rating: Rating = "a"
    limit_scale: float | Vector = 1.0  # times the rating; one number, for interfaces too, or (L,)
    security: Security = "base"  # "n-1": limits hold after each outage too
    outages: OutageList = "all"  # every branch whose loss leaves the network whole, or the network's contingencies
    outage_rating: Rating = "c"  # that holds after an outage
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
    limits: HeldLimits  # that were enforced
    rows: HeldRows  # those that had to enter the program, with their prices
    prices: Prices
    branch_price_per_mwh: Vector  # (L,), cost saved per MW of limit before outages; negative: towards from_bus
    interface_price_per_mwh: Vector  # (I,), the same of interfaces
    over_limit_mw: Vector  # (L,), before outages; zero unless limits have a penalty
    cost_per_h: float  # of the units; a penalty for limits is not in it
    gap: float
    time_s: float  # all of it, factors included if they were made here
    solver: str
    certificate: Certificate  # of the whole problem: every branch, interface and outage is in it

    @property
    def interface_flow_mw(self) -> Vector:
        """Return the flow of each interface (I,)."""
        return np.asarray(self.limits.weights @ self.flow_mw, dtype=np.float64)

    @property
    def limit_rows(self) -> int:
        """Return the number of limits that had to enter the program."""
        return len(self.rows.monitored)

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

    ``watch`` is told before each solve which one it is and how many limits are in the program.

    Raises InfeasibleError saying how far load is beyond the units' limits, or naming the branches and interfaces
    that cannot be kept within theirs, and after which outage; NetworkDataError naming units whose cost is not
    convex; QuestionError on a replacement of the wrong shape, or security against a list without outages;
    SolverError if the solver stops without an answer, a time limit included.
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
    found = lazy.solve(demand, p_min, p_max, time_limit_s=_left(chosen.time_limit_s, start), watch=watch)
    if found is None:
        raise _cannot_keep(lazy, demand, (p_min, p_max), _left(chosen.time_limit_s, start), watch)
    size = len(network.branches.ids)
    over = np.zeros(limits.count)
    before = found.over[found.rows.outage[found.over] < 0]
    over[found.rows.monitored[before]] = found.rows.excess_mw[before]
    price = np.zeros(limits.count)
    np.add.at(price, found.rows.monitored, np.where(found.rows.outage < 0, found.rows.price_per_mwh, 0.0))
    return DcOpfResult(
        status=found.solution.status,
        dispatch_mw=columns.output_mw(found.values),
        flow_mw=found.flow_mw,
        limits=limits,
        rows=found.rows,
        prices=Prices.of(used, found.energy_per_mwh, found.flow_price_per_mwh),
        branch_price_per_mwh=price[:size],
        interface_price_per_mwh=price[size:],
        over_limit_mw=over[:size],
        cost_per_h=float(columns.cost_per_h(found.values)),
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


def limits_of(factors: Factors, options: DispatchOptions) -> HeldLimits:
    """Return the limits on flows that ``options`` ask for."""
    if not options.enforce_limits:
        return HeldLimits.none(factors)
    return HeldLimits.of(
        factors,
        rating=options.rating,
        scale=options.limit_scale,
        security=options.security,
        outages=options.outages,
        outage_rating=options.outage_rating,
    )


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


def _left(time_limit_s: float | None, start: float) -> float | None:
    return None if time_limit_s is None else time_limit_s - (time.perf_counter() - start)


def _cannot_keep(
    lazy: LazyDispatch,
    demand: Vector,
    unit_limits_mw: tuple[Vector, Vector],
    time_limit_s: float | None,
    watch: Watch | None,
) -> InfeasibleError:
    """Find the dispatch with the least total excess, and say which limits it still leaves exceeded."""
    limits, network = lazy.limits, lazy.factors.network
    free = replace(lazy.columns, slope=0.0 * lazy.columns.slope, quadratic=0.0 * lazy.columns.quadratic)
    relaxed = LazyDispatch(lazy.factors, free, limits, penalty_per_mwh=1.0)
    found = relaxed.solve(demand, *unit_limits_mw, time_limit_s=time_limit_s, watch=watch)
    if found is None:
        return InfeasibleError("no dispatch balances load and generation")
    rows, size = found.rows, len(network.branches.ids)
    over = found.over[np.argsort(-rows.excess_mw[found.over], kind="stable")]
    outages = Counter(rows.monitored[over[rows.outage[over] >= 0]].tolist())
    problems = []
    for monitored in dict.fromkeys(rows.monitored[over].tolist()):  # each with its worst outage
        row = int(over[rows.monitored[over] == monitored][0])
        flow, excess = rows.flow_mw[row], rows.excess_mw[row]
        limit = rows.upper_mw[row] if flow > rows.upper_mw[row] else rows.lower_mw[row]
        what = limits.words(network, monitored, int(rows.outage[row]))
        more = outages[monitored] - int(rows.outage[row] >= 0)
        said = f"{what} carries {flow:,.1f} MW, {excess:,.1f} MW beyond {limit:,.1f} MW"
        said += f" (and too much after {more} {'outage' if more == 1 else 'outages'} more)" if more else ""
        if monitored < size:
            place = ("branches", monitored, "rating_a_mw", network.branches.ids[monitored])
        else:
            key = network.interfaces.ids[monitored - size]
            place = ("interfaces", network.tables.interfaces["interface"].tolist().index(key), "limit_mw", key)
        problems.append(Problem("branch-limit" if monitored < size else "interface-limit", "error", said, *place))
    total = float(rows.excess_mw[over].sum())
    listed = "; ".join(problem.message for problem in problems[:3])
    return InfeasibleError(
        f"no dispatch keeps every limit; with the least excess, {total:,.1f} MW in total, {listed}",
        problems,
    )


def _certificate(lazy: LazyDispatch, found: Dispatched, limits: HeldLimits) -> Certificate:
    judged = certificate(lazy.lazy.program, found.solution)
    if lazy.penalty_per_mwh is not None:
        return judged
    over = limits.exceeded(found.flow_mw, rounding=False)  # of limits that did not have to enter too
    lower, upper = limits.bounds(over.monitored, over.outage)
    share = over.excess_mw * LIMIT_TOLERANCE / tolerance_mw(lower, upper)
    return replace(judged, primal_violation=max(judged.primal_violation, float(share.max(initial=0.0))))
