"""The upper tails of the existing load on every row: kept once, so that any new risk level costs one interpolation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from engine.capacity.question import LARGEST_EPSILON
from engine.capacity.rows import RowSet, factor_rows
from engine.capacity.uncertainty import Sample
from engine.compute import Progress
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Vector

_BLOCK_BYTES = 192 * 2**20  # of branch flows held at a time
_SORT_ROWS = 256  # rows sorted at a time: the copies stay small
_EXACT = 1e-12  # a risk level is met when the probability kept reaches it to this


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """Cumulative upper tails, T knots: ``load_mw[k]`` is the sum of probability times load over the k worst states.

    As a function of ``mass`` it is concave and piecewise linear: CVaR is its value over epsilon, and VaR its
    slope just after epsilon.
    """

    mass: Vector  # (T,) for equal weights, (T, R) otherwise; starts at 0
    load_mw: Matrix  # (T, R), starts at 0

    @property
    def finest(self) -> float:
        """Return the probability of a row's worst state, the largest over rows: a smaller risk means that state."""
        return float(np.max(self.mass[1]))

    def cvar(self, epsilon: float) -> Vector:
        """Return the (R,) mean load of the worst ``epsilon`` of probability, the last state counted in part."""
        after, low, high = self._knots(epsilon)
        part = np.clip((epsilon - low) / (high - low), 0.0, 1.0)
        before_mw, after_mw = self._at(after - 1), self._at(after)
        total: Vector = before_mw + part * (after_mw - before_mw)
        total /= epsilon
        return total

    def var(self, epsilon: float) -> Vector:
        """Return the (R,) load that is exceeded with a probability of at most ``epsilon``."""
        after, low, high = self._knots(epsilon + 2 * _EXACT)  # a level that a state just fills leaves the next one
        value: Vector = (self._at(after) - self._at(after - 1)) / (high - low)
        return value

    def _knots(self, epsilon: float) -> tuple[Integers, Vector, Vector]:
        """Return the (R,) or (1,) position of the first knot at or above ``epsilon``, and the mass on both sides."""
        mass = self.mass if self.mass.ndim == 2 else self.mass[:, np.newaxis]
        after = np.clip((mass < epsilon - _EXACT).sum(axis=0), 1, len(mass) - 1)
        column = np.arange(mass.shape[1])
        return after, mass[after - 1, column], mass[after, column]

    def _at(self, knot: Integers) -> Vector:
        if len(knot) == 1:  # equal weights: one row of the table, which lies together on disk
            row: Vector = self.load_mw[knot[0]]
            return row
        found: Vector = self.load_mw[knot, np.arange(self.load_mw.shape[1])]
        return found


def tails_of(
    factors: Factors, sample: Sample, rows: RowSet, progress: Progress | None
) -> tuple[Tails, Vector, npt.NDArray[np.int32]]:
    """Return the tails, the worst load (R,) and its scenario (R,) on ``rows``.

    ``factors`` carry the supply shares as slack. Memory stays bounded: flows are made for some scenarios at a
    time, and of each row only the largest values so far are kept.
    """
    count = len(sample.net_demand_mw)
    if sample.weights is not None:
        return _weighted(factors, sample, rows, progress)
    keep = min(count, int(np.floor(LARGEST_EPSILON * count + _EXACT)) + 2)
    largest = _Largest(rows.count, keep)
    for start, loads in _load_blocks(factors, sample, rows):
        largest.add(loads, start)
        if progress is not None:
            progress(min(count, start + loads.shape[1]), count)
    ordered = np.sort(largest.values, axis=1)[:, ::-1]
    table = np.zeros((keep + 1, rows.count))
    np.cumsum(ordered.T, axis=0, out=table[1:])
    table /= count
    mass = np.arange(keep + 1) / count
    return Tails(mass, table), largest.worst, largest.state


class _Largest:
    """The ``keep`` largest values of every row among those added so far, unordered, and where the largest is."""

    def __init__(self, rows: int, keep: int) -> None:
        self.values = np.empty((rows, 0))
        self.worst = np.full(rows, -np.inf)
        self.state = np.full(rows, -1, dtype=np.int32)
        self._keep = keep

    def add(self, loads: Matrix, first: int) -> None:
        """Add a block (R, s) of scenarios that starts at number ``first``."""
        place = loads.argmax(axis=1)
        value = loads[np.arange(len(loads)), place]
        better = value > self.worst
        self.worst[better] = value[better]
        self.state[better] = (first + place[better]).astype(np.int32)
        width = min(self._keep, self.values.shape[1] + loads.shape[1])
        kept = np.empty((len(loads), width))
        for start in range(0, len(loads), _SORT_ROWS):
            block = slice(start, start + _SORT_ROWS)
            both = loads[block] if not self.values.shape[1] else np.hstack([self.values[block], loads[block]])
            if both.shape[1] > width:
                both = np.partition(both, both.shape[1] - width, axis=1)[:, -width:]
            kept[block] = both
        self.values = kept


def _load_blocks(factors: Factors, sample: Sample, rows: RowSet) -> Iterator[tuple[int, Matrix]]:
    """Yield (first scenario, (R, s) existing loads on the rows)."""
    count = len(sample.net_demand_mw)
    step = max(1, _BLOCK_BYTES // (8 * (rows.count + 2 * max(1, len(rows.branches)))))
    for start in range(0, count, step):
        states = sample.net_demand_mw[start : start + step].T
        yield start, rows.loads(states, factors.flows(-states))


def _weighted(
    factors: Factors, sample: Sample, rows: RowSet, progress: Progress | None
) -> tuple[Tails, Vector, npt.NDArray[np.int32]]:
    """Return the tails of a sample with unequal weights: each row has its own order, and so its own knots."""
    weight = sample.weight
    count = len(weight)
    # Whatever the order, the lightest states together pass the largest level after this many.
    needed = int(np.searchsorted(np.cumsum(np.sort(weight)), LARGEST_EPSILON + _EXACT, side="right")) + 2
    keep = min(count, needed)
    mass, table = np.zeros((keep + 1, rows.count)), np.zeros((keep + 1, rows.count))
    worst, state = np.empty(rows.count), np.empty(rows.count, dtype=np.int32)
    for start, loads in _row_blocks(factors, sample, rows):
        order = np.argsort(-loads, axis=1, kind="stable")[:, :keep]
        block = slice(start, start + len(loads))
        ordered = np.take_along_axis(loads, order, axis=1)
        worst[block], state[block] = ordered[:, 0], order[:, 0]
        mass[1:, block] = np.cumsum(weight[order], axis=1).T
        table[1:, block] = np.cumsum(weight[order] * ordered, axis=1).T
        if progress is not None:
            progress(start + len(loads), rows.count)
    return Tails(mass, table), worst, state


def _row_blocks(factors: Factors, sample: Sample, rows: RowSet) -> Iterator[tuple[int, Matrix]]:
    """Yield (first row, (r, S) existing loads) for some rows at a time."""
    states, buses, branches = sample.net_demand_mw.T, rows.buses, rows.branches
    for start in range(0, len(buses), _SORT_ROWS):
        yield start, states[buses[start : start + _SORT_ROWS]]
    for sign in (1.0, -1.0):
        first = len(buses) + (0 if sign > 0 else len(branches))
        for start in range(0, len(branches), _SORT_ROWS):
            block = branches[start : start + _SORT_ROWS]
            flow = -factors.rows(block) @ states + factors.shift_flow_mw[block][:, np.newaxis]
            yield first + start, sign * flow
    for start in range(0, rows.sums.shape[0], _SORT_ROWS):
        part = csr_array(rows.sums[start : start + _SORT_ROWS])
        first = len(buses) + 2 * len(branches) + start
        yield first, factor_rows(factors, part) @ states + part.dot(factors.shift_flow_mw)[:, np.newaxis]
