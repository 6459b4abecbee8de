"""Places of a feeder's buses in a one-line drawing: their own, or x by the distance from the source and tidy rows.

The main line, towards the part with the most buses, stays straight; branches leave it above and below in turn, each
in rows of its own, so no two links cross and no two buses fall on each other.
Source: E. M. Reingold, J. S. Tilford, Tidier drawings of trees, IEEE Trans. Softw. Eng. 7(2), 1981: rows instead of
their contours, as the distance is given here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.distribution.feeder import Feeder, Line, Link, Tree

Points = npt.NDArray[np.float64]

ROW = 1.0  # between two rows; the longest path is as long as makes a drawing three times as wide as high
_SHAPE = 3.0
_LEAST_STEP = 0.3  # of the mean: switches, regulators and short lines are still seen


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The (B, 2) places in the feeder's order, y upwards, and whether they are the feeder's own."""

    points: Points
    own: bool


def layout(feeder: Feeder) -> Layout:
    """Return where to draw the buses. Raises NetworkDataError for loops and islands.

    The feeder's own coordinates are taken where every bus has them; else all are made from the tree.
    """
    given = np.array([(_number(bus.x), _number(bus.y)) for bus in feeder.buses]).reshape(-1, 2)
    if np.isfinite(given).all() and len(given) and len(np.unique(given, axis=0)) == len(given):
        return Layout(given, own=True)
    tree = feeder.tree()
    children: list[list[int]] = [[] for _ in tree.buses]
    for at, parent in enumerate(tree.parents):
        if parent >= 0:
            children[parent].append(at)
    sizes = [1] * len(tree.buses)
    for at in range(len(tree.buses) - 1, 0, -1):
        sizes[tree.parents[at]] += sizes[at]
    rows = np.zeros(len(tree.buses))
    for at, row in _rows(children, sizes):
        rows[at] = row
    along = _along(tree)
    high = float(np.ptp(rows)) + 1.0
    wide = float(along.max()) or 1.0
    in_tree = np.column_stack([along * max(_SHAPE * high, 8.0) / wide, rows]) * ROW
    place = {name: at for at, name in enumerate(tree.buses)}
    return Layout(in_tree[[place[bus.name] for bus in feeder.buses]], own=False)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _along(tree: Tree) -> Points:
    """Return how far each bus is from the source, by the square roots of impedances: 30 ft and 3 miles both show."""
    steps = np.array([0.0, *(_step(link) for link in tree.links if link is not None)])
    mean = steps[1:].mean() if len(steps) > 1 and steps[1:].any() else 1.0
    steps[1:] = np.maximum(steps[1:], _LEAST_STEP * mean)
    along = np.zeros(len(steps))
    for at, parent in enumerate(tree.parents):
        if parent >= 0:
            along[at] = along[parent] + steps[at]
    return along


def _step(link: Link) -> float:
    if not isinstance(link, Line):
        return 0.0
    return math.sqrt(max(math.hypot(link.r_ohm[at][at], link.x_ohm[at][at]) for at in range(len(link.phases))))


def _rows(children: list[list[int]], sizes: list[int]) -> Iterator[tuple[int, float]]:
    """Yield a row for each bus: a parent's is that of its largest child, the others' parts lie above and below."""
    above, below = _needs(children, sizes)
    waiting = [(0, 0.0)]
    while waiting:
        at, row = waiting.pop()
        yield at, row
        if not children[at]:
            continue
        straight, *rest = _ordered(children[at], sizes)
        waiting.append((straight, row))
        reach = {1: above[straight], -1: below[straight]}
        for turn, child in enumerate(rest):
            side = 1 if turn % 2 == 0 else -1
            near, far = (below[child], above[child]) if side > 0 else (above[child], below[child])
            offset = reach[side] + 1.0 + near
            waiting.append((child, row + side * offset))
            reach[side] = offset + far


def _ordered(children: list[int], sizes: list[int]) -> list[int]:
    return sorted(children, key=lambda child: (-sizes[child], child))


def _needs(children: list[list[int]], sizes: list[int]) -> tuple[list[float], list[float]]:
    """Return how many rows the part below each bus takes above and below its own row."""
    above, below = [0.0] * len(children), [0.0] * len(children)
    for at in range(len(children) - 1, -1, -1):
        if not children[at]:
            continue
        straight, *rest = _ordered(children[at], sizes)
        reach = {1: above[straight], -1: below[straight]}
        for turn, child in enumerate(rest):
            side = 1 if turn % 2 == 0 else -1
            reach[side] += 1.0 + above[child] + below[child]
        above[at], below[at] = reach[1], reach[-1]
    return above, below
