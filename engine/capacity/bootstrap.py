"""How far increments would differ on another sample of the same size: states resampled, the allocation made again.

Each replication draws as many states as there are, with replacement, and solves every risk level on the margins
that these have. Firm capacity stays as granted: it is a promise about all states of the sample, and resampling
says nothing of states that are worse than the worst one seen. A resampled CVaR is never above a row's worst
state, so the granted firm capacity fits every replication.

Exact, though few rows are computed: a row is left out only while what is allocated fits the room that its worst
state leaves, which no replication has less of.
Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13 (percentile intervals).
"""

from dataclasses import dataclass, field

import numpy as np

from engine.capacity.conditioned import LevelSolver, level_solver
from engine.capacity.level import LevelProgram
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion
from engine.capacity.row_loads import loads_of
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
    low_mw: float  # 95 % percentile interval
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


@dataclass(frozen=True, slots=True, eq=False)
class Promised:
    """An allocation and what it was made from."""

    prepared: Prepared
    question: CapacityQuestion
    levels_mw: tuple[Vector, ...]  # (K,) capacity at firm and each risk level
    sample: Sample  # of the margins


def bootstrap(promised: Promised, *, replications: int = REPLICATIONS, progress: Progress | None = None) -> Bootstrap:
    """Return intervals for the increments of an allocation."""
    prepared, question, sample = promised.prepared, promised.question, promised.sample
    firm, *granted = promised.levels_mw
    draw = np.random.default_rng([question.uncertainty.seed, _STREAM])
    count = len(sample.net_demand_mw)
    again = _Again(prepared, question, sample, level_solver(prepared.network, question))
    found = np.zeros((replications, len(granted), len(firm)))
    for number in range(replications):
        counts = draw.multinomial(count, sample.weight).astype(np.float64)
        found[number] = again.solve(counts / count, firm)
        if progress is not None:
            progress(number + 1, replications)
    steps = np.diff(found, axis=1, prepend=np.broadcast_to(firm, (replications, 1, len(firm))))
    products, totals = [], []
    for place, (epsilon, mw) in enumerate(zip(question.epsilons, granted, strict=True)):
        own = mw - promised.levels_mw[place]
        for site, bus in enumerate(question.candidates):
            if own[site] > _FITS_MW or steps[:, place, site].max(initial=0.0) > _FITS_MW:
                products.append(ProductInterval(bus, epsilon, _interval(own[site], steps[:, place, site])))
        total = _interval(mw.sum(), found[:, place].sum(axis=1))
        totals.append(LevelInterval(epsilon, total, _interval(own.sum(), steps[:, place].sum(axis=1))))
    words = (
        f"95 % intervals of {replications} samples drawn with replacement from the {count:,} states, the allocation "
        "made again on each; firm capacity as granted"
    )
    return Bootstrap(tuple(products), tuple(totals), replications, len(again.rows), words)


@dataclass(slots=True, eq=False)
class _Again:
    """Solves the risk levels on resampled states, over the rows that have come to matter so far."""

    prepared: Prepared
    question: CapacityQuestion
    sample: Sample
    solver: LevelSolver
    factors: Matrix = field(init=False)  # (R, K), as the allocation counts them
    least_mw: Vector = field(init=False)  # (R,), room in a row's worst state
    rows: Integers = field(init=False)
    _loads: Matrix = field(init=False)  # (r, S), falling
    _order: Integers = field(init=False)  # (r, S), the states in that order

    def __post_init__(self) -> None:
        factors = self.prepared.factors_of(self.question)
        self.factors = np.maximum(factors, 0.0) if self.question.downward_closed else factors
        self.least_mw = np.maximum(self.prepared.margin_mw(0.0), 0.0)
        count = len(self.sample.net_demand_mw)
        self.rows = np.zeros(0, dtype=np.intp)
        self._loads, self._order = np.zeros((0, count)), np.zeros((0, count), dtype=np.intp)

    def solve(self, weight: Vector, firm_mw: Vector) -> Matrix:
        """Return the (E, K) capacities at the risk levels, where the states have these (S,) weights."""
        found, floor, warm = [], firm_mw, np.zeros(0, dtype=np.intp)
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
        mass = weight[self._order]
        before = np.cumsum(mass, axis=1) - mass
        if self.question.measure == "var":
            at = (before + mass > epsilon + _EXACT).argmax(axis=1)
            value: Vector = self._loads[np.arange(len(at)), at]
            return value
        part = np.clip(epsilon - before, 0.0, mass)
        tail: Vector = (part * self._loads).sum(axis=1) / part.sum(axis=1)
        return tail


def _interval(value: float | np.float64, spread: Vector) -> Interval:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(spread, [tail, 100.0 - tail])
    return Interval(float(value), float(low), float(high), float(spread.std(ddof=1)) if len(spread) > 1 else 0.0)
