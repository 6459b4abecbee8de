"""What a unit commitment is asked: whole days of a case, and what each unit costs to start and how fast it moves.

Signs and units: MW, hours and $; an hour is one step. Starting and stopping costs, the no-load cost c0 and 30-minute
ramps are those of the network's tables; least hours on and off are :func:`engine.network.texas.commitment_rule` by
fuel and size, because tables do not hold them. A unit whose least output, no-load cost and start-up cost are all zero
(wind, solar, hydro) is not committed: it is always there, from its least to its available output.

Source of the constraints: equations (6) to (9) of arXiv 2605.14714; the reserve rule is this product's own, stated in
:class:`ReserveRule`, because the source only names reserves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self

import numpy as np

from engine.errors import QuestionError
from engine.network import texas
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Network, Vector
from engine.opf.costs import CostColumns
from engine.opf.limits import HeldLimits, OutageList, Rating, Security
from engine.siting.case import HOURS_OF_DAY, SitingCase

_STEPS_30_MIN = 2  # in an hour
_RESERVE_SHARE_OF_RAMP = 1.0 / 3.0  # ten minutes of thirty
ReserveKind = Literal["none", "share", "largest unit"]
_WEATHER = frozenset({"wind", "solar"})


@dataclass(frozen=True, slots=True)
class ReserveRule:
    """How much spinning reserve each hour keeps; units give at most their 10-minute ramp, wind and solar nothing."""

    kind: ReserveKind = "share"
    of_load: float = 0.03
    of_weather: float = 0.05  # of what wind and solar could produce

    def required_mw(self, case: SitingCase) -> Vector:
        """Return the (T,) reserve."""
        if self.kind == "none":
            return np.zeros(len(case))
        if self.kind == "largest unit":
            committed = ~_by_weather(case.network)
            return np.asarray(case.largest_mw[:, committed].max(axis=1, initial=0.0), dtype=np.float64)
        weather = case.largest_mw[:, _by_weather(case.network)].sum(axis=1)
        return np.asarray(self.of_load * case.demand_mw.sum(axis=1) + self.of_weather * weather, dtype=np.float64)

    def more_mw(self, load_mw: Vector) -> Vector:
        """Return the (T,) reserve that an additional load (T,) asks for."""
        return self.of_load * load_mw if self.kind == "share" else np.zeros(len(load_mw))

    def words(self) -> str:
        """Return the rule in words."""
        return {
            "none": "no reserve",
            "share": f"a reserve of {self.of_load:.0%} of load and {self.of_weather:.0%} of available wind and solar",
            "largest unit": "a reserve as large as the largest unit",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class CommitmentOptions:
    """The stated choices of a commitment."""

    reserve: ReserveRule = field(default_factory=ReserveRule)
    rating: Rating = "a"
    limit_scale: float = 1.0
    security: Security = "base"  # "n-1": limits hold after branch outages too
    outages: OutageList = "all"
    outage_rating: Rating = "c"
    must_run: tuple[str, ...] = ()  # ids of units that stay on
    least_hours: Literal["rule", "none"] = "rule"  # "none": units may start and stop every hour
    start_costs: Literal["tables", "rule"] = "tables"


@dataclass(frozen=True, slots=True, eq=False)
class InitialState:
    """What ran in the hour before the first."""

    on: Flags  # (G,)
    hours: Integers  # (G,), how long each has been on, or off, 1 or more
    output_mw: Vector  # (G,), 0 where off


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """What commitment needs to know of the G units, by position."""

    committed: Flags  # (G,), has an on and off; the others in service are always on
    startup_cost: Vector  # (G,), $
    shutdown_cost: Vector  # (G,), $
    least_up_h: Integers  # (G,), 1 or more
    least_down_h: Integers  # (G,), 1 or more
    ramp_mw: Vector  # (G,), from one hour to the next, inf for no limit
    edge_mw: Vector  # (G,), most output and reserve in the first and in the last hour on
    reserve_mw: Vector  # (G,), most reserve, inf for no limit but the headroom
    must_run: Flags  # (G,)

    @classmethod
    def of(cls, case: SitingCase, options: CommitmentOptions) -> Self:
        """Return the fleet of a case. Raises QuestionError naming a unit that must run and is not there."""
        units, table = case.network.units, case.network.tables.units
        rules = [texas.commitment_rule(fuel, most) for fuel, most in zip(units.fuels, units.p_max_mw, strict=True)]
        if options.start_costs == "rule":
            startup = np.array([rule.startup_per_mw for rule in rules]) * units.p_max_mw
            shutdown = np.array([rule.shutdown_per_mw for rule in rules]) * units.p_max_mw
        else:
            startup = table["startup_cost"].to_numpy(dtype=np.float64)
            shutdown = table["shutdown_cost"].to_numpy(dtype=np.float64)
        _refuse_negative(units.ids, startup, "start-up")
        _refuse_negative(units.ids, shutdown, "shut-down")
        free = options.least_hours == "none"
        up = np.array([1 if free else rule.min_up_h for rule in rules], dtype=np.intp)
        down = np.array([1 if free else rule.min_down_h for rule in rules], dtype=np.intp)
        unknown = sorted(set(options.must_run) - set(units.ids))
        if unknown:
            raise QuestionError(f"unit {unknown[0]!r} must run but is not in the network")
        least = case.least_mw.max(axis=0, initial=0.0)
        no_load = np.array([cost != 0.0 for cost in units.cost_c0_per_h]) & np.array(
            [not points for points in units.cost_points]
        )
        committed = units.in_service & ((least > 0.0) | no_load | (startup > 0.0))
        committed &= (case.least_mw >= 0.0).all(axis=0) & (case.largest_mw.max(axis=0) > 0.0)
        ramp = _STEPS_30_MIN * units.ramp_30_min_mw
        given = np.where(_by_weather(case.network), 0.0, units.ramp_30_min_mw * _RESERVE_SHARE_OF_RAMP)
        return cls(
            committed=committed,
            startup_cost=np.where(committed, startup, 0.0),
            shutdown_cost=np.where(committed, shutdown, 0.0),
            least_up_h=up,
            least_down_h=down,
            ramp_mw=ramp,
            edge_mw=np.maximum(ramp, least),
            reserve_mw=np.where(units.in_service, given, 0.0),
            must_run=np.isin(units.ids, options.must_run) & committed,
        )


@dataclass(frozen=True, eq=False)
class Instance:
    """One unit commitment: T consecutive hours that are whole days."""

    case: SitingCase
    factors: Factors
    options: CommitmentOptions
    fleet: Fleet
    curves: CostColumns
    limits: HeldLimits
    reserve_mw: Vector  # (T,)
    initial: InitialState | None = None  # None: free, a unit on in the first hour was on before, without a start

    @classmethod
    def of(
        cls,
        case: SitingCase,
        options: CommitmentOptions | None = None,
        *,
        factors: Factors | None = None,
        initial: InitialState | None = None,
    ) -> Self:
        """Return the instance of ``case``, whose hours follow each other in whole days.

        Raises QuestionError for hours that are not whole days, for an initial state of another fleet, or a negative
        cost; NetworkDataError naming units whose cost is not convex.
        """
        used = options or CommitmentOptions()
        check_whole_days(case.hour_of_day)
        own = factors or Factors.of(case.network)
        if initial is not None and initial.on.shape != (len(case.network.units.ids),):
            raise QuestionError(
                f"the initial state is of {len(initial.on)} units, the case has {case.least_mw.shape[1]}"
            )
        return cls(
            case=case,
            factors=own,
            options=used,
            fleet=Fleet.of(case, used),
            curves=CostColumns.of(case.network),
            limits=limits_of(own, used),
            reserve_mw=used.reserve.required_mw(case),
            initial=initial,
        )

    @property
    def network(self) -> Network:
        """Return the network of the case."""
        return self.case.network

    @property
    def hours(self) -> int:
        """Return T."""
        return len(self.case)

    @cached_property
    def committed(self) -> Integers:
        """Return the positions (N,) of the units that are committed."""
        return np.flatnonzero(self.fleet.committed)

    @cached_property
    def pinned(self) -> Mapping[str, Flags]:
        """Return where (T, N) a unit is held ``on`` or ``off``: must-run, not available, or its hours not yet over."""
        chosen, hour = self.committed, np.arange(self.hours)[:, np.newaxis]
        off = self.case.largest_mw[:, chosen] <= 0.0
        on = np.broadcast_to(self.fleet.must_run[chosen], off.shape).copy()
        if self.initial is not None:
            was, since = self.initial.on[chosen], self.initial.hours[chosen]
            on |= was & (hour < self.fleet.least_up_h[chosen] - since)
            off |= ~was & (hour < self.fleet.least_down_h[chosen] - since)
        clash = np.argwhere(on & off)
        if len(clash):
            name, label = self.network.units.ids[chosen[clash[0, 1]]], self.case.labels[clash[0, 0]]
            raise QuestionError(f"unit {name!r} must be on in hour {label} and cannot be")
        return {"on": on, "off": off}

    def with_load(self, bus: int, load_mw: Vector) -> "Instance":
        """Return the instance with ``load_mw`` (T,) drawn at one bus in addition, and the reserve that it asks for."""
        reserve = self.reserve_mw + self.options.reserve.more_mw(load_mw)
        return Instance(
            case=self.case.with_load(bus, load_mw),
            factors=self.factors,
            options=self.options,
            fleet=self.fleet,
            curves=self.curves,
            limits=self.limits,
            reserve_mw=reserve,
            initial=self.initial,
        )


def limits_of(factors: Factors, options: CommitmentOptions) -> HeldLimits:
    """Return the limits of branches and interfaces that the options ask for."""
    return HeldLimits.of(
        factors,
        rating=options.rating,
        scale=options.limit_scale,
        security=options.security,
        outages=options.outages,
        outage_rating=options.outage_rating,
    )


def check_whole_days(hour_of_day: Integers) -> None:
    """Raise QuestionError unless hours of the day (T,) count 1 to 24 again and again."""
    wanted = np.arange(len(hour_of_day)) % HOURS_OF_DAY + 1
    if not len(hour_of_day) or len(hour_of_day) % HOURS_OF_DAY or (np.asarray(hour_of_day) != wanted).any():
        raise QuestionError("a commitment needs whole days: hours of the day 1 to 24, one after the other")


def _by_weather(network: Network) -> Flags:
    return np.array([fuel in _WEATHER for fuel in network.units.fuels], dtype=np.bool_)


def _refuse_negative(ids: tuple[str, ...], cost: Vector, what: str) -> None:
    below = np.flatnonzero(cost < 0.0)
    if below.size:
        raise QuestionError(
            f"the {what} cost of unit {ids[below[0]]!r} is {cost[below[0]]:g} $; it must not be negative"
        )
