"""The largest load at one bus when nobody else adds any: a map of every bus, and a bus's curve against risk.

For one bus every limit is a bound of its own: margin over factor, where the factor is positive. The least of
them is the answer, with the limit that gives it.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from engine.capacity.allocation import usable_margin
from engine.capacity.margins import SMALLEST_FACTOR, Prepared
from engine.capacity.question import LARGEST_EPSILON, CapacityQuestion
from engine.capacity.results import Alone, RiskCurve
from engine.capacity.rows import BACKWARD, FORWARD, WITHDRAWAL, factor_rows
from engine.network.model import Integers, Matrix, Vector

_DENSE_BUSES = 4000  # below this the whole factor matrix is kept: 51 MB on 2,000 buses
_BLOCK_BYTES = 2 * 2**20  # of factors worked on at a time: they stay in the processor's cache
_SOLVE_BUSES = 64
_SUMS = 256  # of interfaces, and limits after outages, at a time
_LEAST_MARGIN_MW = 1e-9  # stands for a margin of zero, so that its bound divides


def alone(prepared: Prepared, question: CapacityQuestion) -> Alone:
    """Return for every bus the largest single load, firm and at each of the question's risk levels.

    Limits exceeded at present count as used up, whatever the question does about them. The candidates'
    demands do not matter. About 0.1 s on 2,000 buses once the factor matrix is cached.
    """
    epsilons = (0.0, *question.epsilons)
    margins = np.array([usable_margin(prepared, question, epsilon) for epsilon in epsilons])
    size = len(prepared.network.buses.ids)
    capacity = np.full((len(epsilons), size), np.inf)
    row = np.full((len(epsilons), size), -1, dtype=np.int32)
    _branch_bounds(prepared, margins, max(question.cutoff, SMALLEST_FACTOR), (capacity, row))
    _sum_bounds(prepared, margins, max(question.cutoff, SMALLEST_FACTOR), (capacity, row))
    _own_bounds(prepared, margins, capacity, row)
    on = prepared.network.buses.in_service
    capacity[:, ~on], row[:, ~on] = 0.0, -1
    return Alone(epsilons, capacity, row, on)


def risk_curve(prepared: Prepared, question: CapacityQuestion, bus: str, points: int = 41) -> RiskCurve:
    """Return the largest single load at ``bus`` for risk levels from 0 to 20 %, denser near 0, and those asked for.

    Raises QuestionError for an unknown bus, or where a box alone gives no risk levels.
    """
    even = LARGEST_EPSILON * np.linspace(0.0, 1.0, points) ** 2
    levels = np.union1d(even, np.array(question.epsilons))
    factors = prepared.row_factors(prepared.positions((bus,)), question.cutoff)[:, 0]
    touched = np.flatnonzero(factors > 0)
    capacity, rows = np.full(len(levels), np.inf), np.full(len(levels), -1, dtype=np.intp)
    for place, level in enumerate(levels.tolist()):
        if not touched.size:
            break
        room = usable_margin(prepared, question, level)[touched] / factors[touched]
        capacity[place], rows[place] = room.min(), touched[room.argmin()]
    words = tuple(prepared.limit(row).words if row >= 0 else "" for row in rows.tolist())
    return RiskCurve(bus, levels, capacity, rows, words)


def _branch_bounds(
    prepared: Prepared, margins: Matrix, cutoff: float, found: tuple[Matrix, npt.NDArray[np.int32]]
) -> None:
    """Lower ``found`` (capacity and row, (E, B) each) to what the branches allow."""
    capacity, row = found
    whole = prepared.row_count - prepared.sums.shape[0]
    forward, backward = (np.flatnonzero(prepared.row_kind[:whole] == kind) for kind in (FORWARD, BACKWARD))
    if not len(forward):
        return
    # The least margin / factor is the largest factor / margin: products instead of divisions, one sign at a time.
    ahead, behind = (1.0 / np.maximum(margins[:, rows], _LEAST_MARGIN_MW) for rows in (forward, backward))
    for start, block in _factor_blocks(prepared, cutoff):
        stop = start + len(block)
        negative = block < 0
        size = np.abs(block)
        for level in range(len(margins)):
            pull = size * np.where(negative, behind[level], ahead[level])
            worst = pull.argmax(axis=1)
            buses = np.arange(len(block))
            branch_row = np.where(negative[buses, worst], backward[worst], forward[worst])
            strongest = pull[buses, worst]
            stopped = strongest > 0
            factor = np.where(stopped, size[buses, worst], 1.0)
            capacity[level, start:stop] = np.where(stopped, margins[level, branch_row] / factor, np.inf)
            row[level, start:stop] = np.where(stopped, branch_row, -1)


def _sum_bounds(
    prepared: Prepared, margins: Matrix, cutoff: float, found: tuple[Matrix, npt.NDArray[np.int32]]
) -> None:
    """Lower ``found`` (capacity and row, (E, B) each) to what the interfaces allow."""
    capacity, row = found
    first = prepared.row_count - prepared.sums.shape[0]
    for start in range(0, prepared.sums.shape[0], _SUMS):
        factor = factor_rows(prepared.factors, csr_array(prepared.sums[start : start + _SUMS]))
        rows = np.arange(len(factor)) + first + start
        touched = factor >= cutoff
        for level, margin in enumerate(margins):
            room = np.where(touched, margin[rows, np.newaxis] / np.where(touched, factor, 1.0), np.inf)
            least = room.argmin(axis=0)
            tighter = room[least, np.arange(room.shape[1])] < capacity[level]
            capacity[level] = np.where(tighter, room[least, np.arange(room.shape[1])], capacity[level])
            row[level] = np.where(tighter, rows[least], row[level])


def _own_bounds(prepared: Prepared, margins: Matrix, capacity: Matrix, row: npt.NDArray[np.int32]) -> None:
    """Lower capacity and row (E, B) to the withdrawal limits."""
    own = np.flatnonzero(prepared.row_kind == WITHDRAWAL)
    bus = prepared.row_element[own]
    tighter = margins[:, own] < capacity[:, bus]
    capacity[:, bus] = np.where(tighter, margins[:, own], capacity[:, bus])
    row[:, bus] = np.where(tighter, own, row[:, bus])


def _factor_blocks(prepared: Prepared, cutoff: float) -> Iterator[tuple[int, Matrix]]:
    """Yield (first bus, (b, l) withdrawal factors of some buses on the rated branches), zero under the cutoff."""
    whole = prepared.row_count - prepared.sums.shape[0]
    rated: Integers = prepared.row_element[:whole][prepared.row_kind[:whole] == FORWARD].astype(np.intp)
    size = len(prepared.network.buses.ids)
    dense = prepared.factors.dense() if size <= _DENSE_BUSES else None
    every = len(rated) == len(prepared.network.branches.ids)
    step = max(1, _BLOCK_BYTES // (8 * len(rated))) if dense is not None else _SOLVE_BUSES
    for start in range(0, size, step):
        buses = np.arange(start, min(size, start + step))
        made = prepared.factors.columns(buses) if dense is None else dense[:, start : start + step]
        block: Matrix = np.ascontiguousarray((made if every else made[rated]).T)
        np.negative(block, out=block)
        block[np.abs(block) < cutoff] = 0.0
        yield start, block


def largest_finite(capacity_mw: Vector) -> float:
    """Return the largest finite capacity, 0 if there is none: the top of a colour scale."""
    finite = capacity_mw[np.isfinite(capacity_mw)]
    return float(finite.max(initial=0.0))
