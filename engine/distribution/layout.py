"""Places of a feeder's buses in a one-line drawing: their own, or x by the distance from the source and tidy rows.

The main line, towards the part with the most buses, stays straight; branches leave it above and below, each in rows
of its own, so no two links cross and no two buses fall on each other.
Source: E. M. Reingold, J. S. Tilford, Tidier drawings of trees, IEEE Trans. Softw. Eng. 7(2), 1981: rows instead of
their contours, as the distance is given here.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.distribution.feeder import Feeder, Line, Link, Tree

Points = npt.NDArray[np.float64]

ROW = 1.0  # between two rows; the longest path is as long as makes a drawing three times as wide as high
_SHAPE = 3.0
_LEAST_STEP = 0.5  # of the mean: switches, regulators and short lines are still seen


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
    rows = _rows(tree.parents)
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


def _rows(parents: tuple[int, ...]) -> Points:
    """Return the row of each bus: a parent's is that of its largest child, the others' parts lie above and below it.

    The next part goes to the side that reaches less far, so that the drawing stays about the main line.
    """
    count = len(parents)
    children: list[list[int]] = [[] for _ in parents]
    sizes = [1] * count
    for at in range(count - 1, 0, -1):  # every bus comes after its parent
        children[parents[at]].append(at)
        sizes[parents[at]] += sizes[at]
    above, below, offset = np.zeros(count), np.zeros(count), np.zeros(count)
    for at in range(count - 1, -1, -1):
        straight, *rest = sorted(children[at], key=lambda child: (-sizes[child], child)) or [at]
        above[at], below[at] = above[straight], below[straight]
        for child in rest:
            takes = 1.0 + above[child] + below[child]
            if above[at] <= below[at]:
                offset[child] = above[at] + 1.0 + below[child]
                above[at] += takes
            else:
                offset[child] = -(below[at] + 1.0 + above[child])
                below[at] += takes
    for at in range(1, count):
        offset[at] += offset[parents[at]]
    return offset
