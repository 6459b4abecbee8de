"""How far increments would differ on another sample of the same size: states resampled, the allocation made again.

Each replication draws as many states as there are, with replacement, and solves every risk level on the margins
that these have. Firm capacity stays as granted: it is a promise about all states of the sample, and resampling
says nothing of states that are worse than the worst one seen. A resampled CVaR is never above a row's worst
state, so the granted firm capacity fits every replication.

Exact, though few rows are computed: a row is left out only while what is allocated fits the room that its worst
state leaves, which no replication has less of. So it is with limits after outages: a limit that the most of any
replication would not exceed in any state cannot stop one of them. Periods are resampled each by itself, and the worst
of them counts on each limit, as in the answer. How it is with redispatch: :mod:`engine.capacity.bootstrap_redispatch`.

A percentile interval of the mean of a tail is known to be narrow, and to lie too high: what it says must say so.
Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13 (percentile intervals).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.capacity.level import LevelProgram
from engine.capacity.level_solver import LevelSolver, level_solver
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion
from engine.capacity.row_loads import loads_of
from engine.capacity.secure import Secure
from engine.capacity.uncertainty import Sample
from engine.compute import Progress
from engine.network.model import Integers, Matrix, Vector

REPLICATIONS = 200
CONFIDENCE = 0.95
_FITS_MW = 1e-7
_EXACT = 1e-12
_STREAM = 0xB007  # sets the resampling apart from a reader's own seed


@dataclass(frozen=True, slots=True)
class Interval:
    """A value of the answer and where it lies on resampled states, MW."""

    value_mw: float
    low_mw: float  # of 2.5 % and 97.5 % of the samples
    high_mw: float
    sd_mw: float


@dataclass(frozen=True, slots=True)
class ProductInterval:
    """The increment of one site at one level."""

    bus: str
    epsilon: float
    increment: Interval


@dataclass(frozen=True, slots=True)
class LevelInterval:
    """The total of all sites at one level, and of its increments."""

    epsilon: float
    total: Interval
    increment: Interval


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Intervals from ``replications`` samples drawn with replacement."""

    products: tuple[ProductInterval, ...]
    totals: tuple[LevelInterval, ...]
    replications: int
    rows: int  # limits that were computed again; the others cannot bind in any replication
    words: str


class Again(Protocol):
    """Solves the risk levels again, on resampled states."""

    weight: Vector  # (S,), of the states as they were drawn
    parts: Sequence[Integers]  # of the states: each is resampled, and keeps each risk level, by itself; none: all

    def solve(self, weight: Vector) -> Matrix:
        """Return the (E, K) capacities at the risk levels, where the states have these (S,) weights."""

    def widen(self, most_mw: Vector) -> bool:
        """Bring in what may stop less than ``most_mw`` (K,) and was left out; return whether there was any."""

    @property
    def rows_used(self) -> int:
        """Return how many limits were computed again."""


def bootstrap(
    question: CapacityQuestion,
    levels_mw: Sequence[Vector],
    again: Again,
    *,
    replications: int = REPLICATIONS,
    progress: Progress | None = None,
) -> Bootstrap:
    """Return intervals for the increments of an allocation (K,) at every level."""
    firm, *granted = levels_mw
    found = _replicated(question, again, replications, progress)
    steps = np.diff(found, axis=1, prepend=np.broadcast_to(firm, (replications, 1, len(firm))))
    products, totals = [], []
    for place, (epsilon, mw) in enumerate(zip(question.epsilons, granted, strict=True)):
        increment = mw - levels_mw[place]
        for site, bus in enumerate(question.candidates):
            if increment[site] > _FITS_MW or steps[:, place, site].max(initial=0.0) > _FITS_MW:
                products.append(ProductInterval(bus, epsilon, _interval(increment[site], steps[:, place, site])))
        total = _interval(mw.sum(), found[:, place].sum(axis=1))
        totals.append(LevelInterval(epsilon, total, _interval(increment.sum(), steps[:, place].sum(axis=1))))
    return Bootstrap(
        tuple(products), tuple(totals), replications, again.rows_used, _words(question, again, replications)
    )


def _words(question: CapacityQuestion, again: Again, replications: int) -> str:
    count, parts = len(again.weight), len(again.parts)
    drawn = f"each of {parts} periods by itself, of" if parts else "the"
    fewest = min((len(part) for part in again.parts), default=count)
    tail = max(1, math.floor(fewest * min(question.epsilons)))
    states = f"the worst {tail} states" if tail > 1 else "the worst state"
    period = " of a period" if parts else ""
    return (
        f"percentile intervals of {replications} samples drawn with replacement from {drawn} {count:,} states, the "
        "allocation made again on each; firm capacity as granted. "
        f"The smallest risk level rests on {states}{period}: percentile intervals of so small a part hold the true "
        "value less often than 95 %, and miss it by lying too high"
    )


def _replicated(question: CapacityQuestion, again: Again, replications: int, progress: Progress | None) -> Matrix:
    """Return the (replications, E, K) capacities on resampled states."""
    rounds = 0
    while True:
        draw = np.random.default_rng([question.uncertainty.seed, _STREAM])
        found = np.zeros((replications, len(question.epsilons), len(question.candidates)))
        for number in range(replications):
            found[number] = again.solve(_drawn(draw, again))
            if progress is not None:
                done = number + 1 + rounds * replications
                progress(done, max(done, replications))
        rounds += 1
        if not again.widen(found.max(axis=(0, 1), initial=0.0)):
            return found


def _drawn(draw: np.random.Generator, again: Again) -> Vector:
    """Return the weights (S,) of states drawn with replacement, as many of each part as it has."""
    found = np.zeros(len(again.weight))
    for part in again.parts or [np.arange(len(found))]:
        whole = float(again.weight[part].sum())
        found[part] = whole * draw.multinomial(len(part), again.weight[part] / whole) / len(part)
    return found


@dataclass(slots=True, eq=False)
class AgainOnRows:
    """Solves again over the prepared rows that have come to matter so far."""

    prepared: Prepared
    question: CapacityQuestion
    sample: Sample
    firm_mw: Vector
    secure: Secure | None = None  # of the same sample, where limits hold after outages
    parts: Sequence[Integers] = ()  # of the states: each keeps each risk level by itself
    weight: Vector = field(init=False)
    solver: LevelSolver = field(init=False)
    factors: Matrix = field(init=False)  # (R, K), as the allocation counts them
    least_mw: Vector = field(init=False)  # (R,), room in a row's worst state
    rows: Integers = field(init=False)
    _loads: Matrix = field(init=False)  # (r, S), falling
    _order: Integers = field(init=False)  # (r, S), the states in that order

    def __post_init__(self) -> None:
        self.weight = self.sample.weight
        self.solver = level_solver(self.prepared.network, self.question)
        self._count_rows()
        count = len(self.sample.net_demand_mw)
        self.rows = np.zeros(0, dtype=np.intp)
        self._loads, self._order = np.zeros((0, count)), np.zeros((0, count), dtype=np.intp)

    @property
    def rows_used(self) -> int:
        """Return how many limits were computed again."""
        return len(self.rows)

    def widen(self, most_mw: Vector) -> bool:
        """Bring in limits after outages that ``most_mw`` (K,) may exceed; return whether there were any."""
        if self.secure is None:
            return False
        known = self.secure.prepared.row_count
        while self.secure.bring_in(0, most_mw, closed=self.question.downward_closed):
            pass
        self.prepared = self.secure.prepared
        self._count_rows()
        return self.prepared.row_count > known

    def _count_rows(self) -> None:
        factors = self.prepared.factors_of(self.question)
        self.factors = np.maximum(factors, 0.0) if self.question.downward_closed else factors
        self.least_mw = np.maximum(self.prepared.margin_mw(0.0), 0.0)

    def solve(self, weight: Vector) -> Matrix:
        """Return the (E, K) capacities at the risk levels, where the states have these (S,) weights."""
        found, floor, warm = [], self.firm_mw, np.zeros(0, dtype=np.intp)
        for epsilon in self.question.epsilons:
            floor, warm = self._level(epsilon, weight, floor, warm)
            found.append(floor)
        return np.array(found)

    def _level(self, epsilon: float, weight: Vector, floor: Vector, warm: Integers) -> tuple[Vector, Integers]:
        demand = np.array(self.question.demand_mw)
        while True:
            margin = np.maximum(self.prepared.limit_mw[self.rows] - self._risk(weight, epsilon), 0.0)
            problem = LevelProgram(self.factors[self.rows], margin, floor, demand)
            optimum = self.solver.solve(problem, self.question.objective, self.question.tie_rule, warm)
            over = self.factors @ optimum.mw - self.least_mw
            over[self.rows] = 0.0
            new = np.flatnonzero(over > _FITS_MW)
            if not new.size:
                return optimum.mw, optimum.used_rows
            self._bring(new)
            warm = optimum.used_rows

    def _bring(self, rows: Integers) -> None:
        loads = loads_of(self.prepared, self.sample.net_demand_mw, rows)
        order = np.argsort(-loads, axis=1, kind="stable")
        self.rows = np.concatenate([self.rows, rows])
        self._loads = np.vstack([self._loads, np.take_along_axis(loads, order, axis=1)])
        self._order = np.vstack([self._order, order])

    def _risk(self, weight: Vector, epsilon: float) -> Vector:
        """Return the (r,) CVaR or VaR of the rows' loads under these weights."""
        if not len(self.rows):
            return np.zeros(0)
        everything = [np.arange(len(weight))]
        worst: Vector = np.max([self._risk_of(weight, part, epsilon) for part in self.parts or everything], axis=0)
        return worst

    def _risk_of(self, weight: Vector, part: Integers, epsilon: float) -> Vector:
        """Return the (r,) CVaR or VaR of the rows' loads in some of the states."""
        own = np.zeros(len(weight))
        own[part] = weight[part] / weight[part].sum()
        mass = own[self._order]
        before = np.cumsum(mass, axis=1) - mass
        if self.question.measure == "var":
            at = (before + mass > epsilon + _EXACT).argmax(axis=1)
            value: Vector = self._loads[np.arange(len(at)), at]
            return value
        share = np.clip(epsilon - before, 0.0, mass)
        tail: Vector = (share * self._loads).sum(axis=1) / share.sum(axis=1)
        return tail


def _interval(value: float | np.float64, spread: Vector) -> Interval:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(spread, [tail, 100.0 - tail])
    return Interval(float(value), float(low), float(high), float(spread.std(ddof=1)) if len(spread) > 1 else 0.0)
