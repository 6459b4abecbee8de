"""Fewer scenarios for many: which to keep, and with what probabilities, by the Kantorovich (transport) distance.

What is left out gives its probability to the nearest that is kept, which for given ones is the best there is.
Sources: Dupačová, Gröwe-Kuska and Römisch, Math. Program. 95, 2003 (redistribution); Heitsch and Römisch, Comput.
Optim. Appl. 24, 2003 (fast forward selection); Kaufman and Rousseeuw, Finding Groups in Data, 1990, ch. 2 (k-medoids).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.spatial.distance import cdist

from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Vector
from engine.resilience.case import Scenarios

Method = Literal["forward", "medoids"]
MOST_COMPARED = 5_000  # scenarios: their distances take 200 MB
_GAIN = 1e-12  # relative: a smaller one of an exchange is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Which k of S scenarios are kept."""

    kept: Integers  # (k,), positions, in the order in which they were chosen
    probability: Vector  # (k,)
    nearest: Integers  # (S,), position in `kept` of what stands for each scenario
    distance: float  # between the distributions before and after, in the unit of the distances


def distances(scenarios: Scenarios, step_h: float, outage_mw: float = 1.0) -> Matrix:
    """Return (S, S) how far scenarios are apart, MWh: a metric.

    The energy by which their draws differ, over all campuses and steps, and ``outage_mw`` for every hour in which not
    the same link is out. Raises QuestionError for more than 5,000 scenarios.
    """
    size, steps, _ = scenarios.draw_mw.shape
    if size > MOST_COMPARED:
        raise QuestionError(f"{size:,} scenarios are to be compared; {MOST_COMPARED:,} is the most")
    flat = scenarios.draw_mw.reshape(size, -1)
    found: Matrix = step_h * cdist(flat, flat, "cityblock")
    if outage_mw > 0.0 and (scenarios.outage >= 0).any():
        step = np.arange(steps)
        during = (scenarios.start[:, np.newaxis] <= step) & (step < scenarios.restored[:, np.newaxis])
        out = np.where(during, scenarios.outage[:, np.newaxis], -1)
        found += outage_mw * step_h * steps * cdist(out, out, "hamming")
    return found


def reduction(distance: Matrix, probability: Vector, count: int, method: Method = "forward") -> Reduction:
    """Return which ``count`` scenarios to keep, of distances (S, S) and probabilities (S,).

    ``forward`` chooses one after another, each the one that leaves the least transport distance. ``medoids`` begins
    there and exchanges one that is kept for one that is not, the best exchange at each place in turn, until no single
    exchange is better. Raises QuestionError for a count outside 1 to S or another method.
    """
    size = len(probability)
    if not 1 <= count <= size:
        raise QuestionError(f"{count} scenarios are to be kept of {size}; it must be 1 to {size}")
    if method not in get_args(Method):
        raise QuestionError(f"the method of reduction is {method!r}; it must be {' or '.join(get_args(Method))}")
    kept = _forward(distance, probability, count)
    return redistributed(
        distance, probability, _exchanged(distance, probability, kept) if method == "medoids" else kept
    )


def redistributed(distance: Matrix, probability: Vector, kept: Integers) -> Reduction:
    """Return the reduction that keeps the scenarios at ``kept`` (k,), with the best probabilities for them."""
    to_kept = distance[:, kept]
    nearest = to_kept.argmin(axis=1)
    nearest[kept] = np.arange(len(kept))  # each stands for itself, also beside one like it
    given: Vector = np.bincount(nearest, probability, minlength=len(kept)).astype(np.float64)
    return Reduction(kept, given, nearest, float(probability @ to_kept.min(axis=1)))


def reduced(scenarios: Scenarios, count: int, step_h: float, method: Method = "forward") -> Scenarios:
    """Return ``count`` of the scenarios, in their order, that stand for all of them."""
    found = reduction(distances(scenarios, step_h), scenarios.probability, count, method)
    order = np.argsort(found.kept)
    return scenarios.taken(found.kept[order], found.probability[order])


def _forward(distance: Matrix, probability: Vector, count: int) -> Integers:
    near = np.full(len(probability), np.inf)
    kept: list[int] = []
    for _ in range(count):
        cost = _with(distance, probability, near)
        cost[kept] = np.inf
        kept.append(int(cost.argmin()))
        near = np.minimum(near, distance[:, kept[-1]])
    return np.array(kept, dtype=np.intp)


def _exchanged(distance: Matrix, probability: Vector, kept: Integers) -> Integers:
    kept = kept.copy()
    best = float(probability @ distance[:, kept].min(axis=1))
    moved = True
    while moved:
        moved = False
        for place in range(len(kept)):
            rest = np.delete(kept, place)
            near = distance[:, rest].min(axis=1) if rest.size else np.full(len(probability), np.inf)
            cost = _with(distance, probability, near)
            cost[rest] = np.inf
            if cost.min() < best * (1.0 - _GAIN):
                kept[place], best, moved = int(cost.argmin()), float(cost.min()), True
    return kept


def _with(distance: Matrix, probability: Vector, near: Vector) -> Vector:
    """Return (S,) the transport distance with each scenario kept beside those that are ``near`` (S,) away."""
    return np.asarray(probability @ np.minimum(near[:, np.newaxis], distance))
