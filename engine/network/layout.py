"""Where the buses stand on a drawing: as given, else as on the map, else a layout of our own.

The computed layout is stress majorisation: distances on the canvas follow the number of branches between two
buses. Source: Gansner, Koren, North, Graph Drawing by Stress Majorization, GD 2004; the sparse form for large
grids: Ortmann, Klimenta, Brandes, A Sparse Stress Model, J. Graph Algorithms Appl. 21(5), 2017; its start:
Brandes, Pich, Eigensolver Methods for Progressive Multidimensional Scaling of Large Data, GD 2006.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial import cKDTree

from engine.network.tables import NetworkTables

Points = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

EDGE = 100.0  # canvas units that a typical branch is long
_DENSE_MOST = 900  # buses up to which all pairs count; above, each bus and some pivots
_STARTS_MOST = 320  # buses up to which several starts are compared by their crossings
_STARTS = 8
_PIVOTS = 80
_LEAST_GAP = 0.42  # of EDGE, between any two buses
_SEED = 20_17


def positions(tables: NetworkTables) -> Points:
    """Return (B, 2) canvas positions, x to the right and y downwards, the same for the same tables.

    A bus with canvas coordinates keeps them. If no bus has any, buses with longitude and latitude are put as on
    a map, so that a typical branch is EDGE long; if none has these either, the layout is computed. A bus that
    lacks what others have stands beside its neighbours.
    """
    buses = tables.buses
    if not len(buses):
        return np.zeros((0, 2))
    given = buses[["x", "y"]].to_numpy(dtype=np.float64)
    edges = _edges(tables)
    if np.isfinite(given).all(axis=1).any():
        return _completed(given, edges)
    on_map = _projected(buses[["longitude", "latitude"]].to_numpy(dtype=np.float64))
    if np.isfinite(on_map).all(axis=1).any():
        return _completed(_scaled(on_map, edges), edges)
    return _computed(len(buses), edges.tobytes()).copy()


def _edges(tables: NetworkTables) -> Integers:
    """Return the (E, 2) pairs of buses that some branch joins, each once, whether in service or not."""
    place = pd.Series(np.arange(len(tables.buses)), index=tables.buses["bus"])
    place = place[~place.index.duplicated()]
    ends = np.column_stack(
        [place.reindex(tables.branches[column]).to_numpy(dtype=np.float64) for column in ("from_bus", "to_bus")]
    )
    ends = np.sort(ends[np.isfinite(ends).all(axis=1) & (ends[:, 0] != ends[:, 1])].astype(np.intp), axis=1)
    return np.unique(ends, axis=0).reshape(-1, 2)


def _projected(places: Points) -> Points:
    """Return longitude and latitude on a plane, in degrees of latitude; nan where either is missing or impossible."""
    possible = np.isfinite(places).all(axis=1) & (np.abs(places) <= np.array([180.0, 90.0])).all(axis=1)
    plane = np.full(places.shape, np.nan)
    if possible.any():
        width = np.cos(np.radians(np.median(places[possible, 1])))  # of a degree of longitude there
        plane[possible] = places[possible] * np.array([width, -1.0])
    return plane


def _scaled(points: Points, edges: Integers) -> Points:
    """Return ``points`` about their middle, scaled so that the branches of some length are EDGE in the median."""
    known = np.isfinite(points).all(axis=1)
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    spread = float(np.ptp(points[known], axis=0).max())
    unit = float(np.median(lengths)) if len(lengths) else spread / max(1.0, np.sqrt(known.sum()))
    middle = (points[known].min(axis=0) + points[known].max(axis=0)) / 2
    return np.asarray((points - middle) * (EDGE / unit if unit > 0 else 1.0))


def _completed(points: Points, edges: Integers) -> Points:
    """Return ``points`` with each missing one beside the mean of its neighbours, in rounds from the known ones."""
    points = np.where(np.isfinite(points).all(axis=1, keepdims=True), points, np.nan)
    missing = np.isnan(points[:, 0])
    step = 0.6 * EDGE
    both = np.vstack([edges, edges[:, ::-1]])
    while missing.any():
        to_place = both[missing[both[:, 0]] & ~missing[both[:, 1]]]
        if not len(to_place):  # not joined to anything that has a place: a row below the drawing
            rest = np.flatnonzero(missing)
            low, left = np.nanmax(points[:, 1]), np.nanmin(points[:, 0])
            across = max(8, int(np.sqrt(len(rest)) * 2))
            points[rest] = np.column_stack(
                [left + EDGE * (np.arange(len(rest)) % across), low + EDGE * (1 + np.arange(len(rest)) // across)]
            )
            return points
        rows = np.unique(to_place[:, 0])
        for nth, row in enumerate(rows.tolist()):
            turn = 2.399963 * (nth + 1)  # the golden angle: neighbours of one bus do not fall on each other
            around = points[to_place[to_place[:, 0] == row, 1]].mean(axis=0)
            points[row] = around + step * np.array([np.cos(turn), np.sin(turn)])
        missing[rows] = False
    return points


@lru_cache(maxsize=32)  # a page asks for the same drawing again and again; large grids take a second or two
def _computed(count: int, edge_bytes: bytes) -> Points:
    """Return a layout of ``count`` buses: each island by itself, the islands side by side, the largest first."""
    edges = np.frombuffer(edge_bytes, dtype=np.intp).reshape(-1, 2)
    graph = csr_array(coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)))
    graph = csr_array(graph + graph.T)
    islands, label = connected_components(graph, directed=False)
    sizes = np.bincount(label, minlength=islands)
    points = np.zeros((count, 2))
    right, bottom, row_height, row_width = 0.0, 0.0, 0.0, 0.0
    for island in np.argsort(-sizes, kind="stable").tolist():
        members = np.flatnonzero(label == island)
        drawn = _island(csr_array(graph[members][:, members]))
        drawn -= drawn.min(axis=0)
        width, height = drawn.max(axis=0)
        if row_width and right + width > row_width:  # the next row of islands
            right, bottom, row_height = 0.0, bottom + row_height + EDGE, 0.0
        points[members] = drawn + np.array([right, bottom])
        right, row_height = right + width + EDGE, max(row_height, float(height))
        row_width = max(row_width, float(width), 6 * EDGE)
    return np.asarray(points - (points.min(axis=0) + points.max(axis=0)) / 2)


def _island(graph: csr_array) -> Points:
    """Return the layout of one connected graph, its longer side across."""
    count = graph.shape[0]
    if count <= 2:
        return np.column_stack([np.arange(count) * EDGE, np.zeros(count)])
    upper = coo_array(graph)
    edges = np.column_stack([upper.row, upper.col])[upper.row < upper.col].astype(np.intp)
    if count <= _DENSE_MOST:
        distance = shortest_path(graph, unweighted=True, directed=False)
        drawn = _best_of_starts(distance, edges)
    else:
        drawn = _sparse(graph, edges)
    drawn = _turned(drawn)
    lengths = np.linalg.norm(drawn[edges[:, 0]] - drawn[edges[:, 1]], axis=1)
    drawn *= EDGE / float(np.median(lengths))
    return _apart(drawn, edges)


def _best_of_starts(distance: Points, edges: Integers) -> Points:
    """Return the layout with the fewest crossings among those from the spectral start and from seeded ones."""
    count = len(distance)
    random = np.random.default_rng(_SEED)
    start = _classical(distance)
    starts = [start]
    if count <= _STARTS_MOST:
        scale = float(np.ptp(start, axis=0).max()) or 1.0
        starts += [start + random.normal(0, 0.25 * scale, start.shape) for _ in range(_STARTS - 1)]
    drawings = [_majorised(distance, begin, 60 if len(starts) > 1 else 120) for begin in starts]
    if len(drawings) == 1:
        return drawings[0]
    best = min(drawings, key=lambda drawing: crossings(drawing, edges))
    return _majorised(distance, best, 200)


def _classical(distance: Points) -> Points:
    """Return classical multidimensional scaling in the plane, plus a little seeded noise to part twins."""
    squared = distance**2
    centred = -(squared - squared.mean(axis=0) - squared.mean(axis=1)[:, np.newaxis] + squared.mean()) / 2
    values, vectors = np.linalg.eigh(centred)
    drawn = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-9))
    return np.asarray(_signed(drawn) + np.random.default_rng(_SEED).normal(0, 0.05, drawn.shape))


def _signed(drawn: Points) -> Points:
    """Return ``drawn`` with each axis turned so that its largest coordinate is positive: eigenvectors have no sign."""
    largest = drawn[np.argmax(np.abs(drawn), axis=0), np.arange(2)]
    return drawn * np.where(largest < 0, -1.0, 1.0)


def _majorised(distance: Points, start: Points, rounds: int) -> Points:
    """Return ``start`` after rounds of stress majorisation with weights 1/d^2 over all pairs."""
    weight = 1.0 / np.maximum(distance, 1.0) ** 2
    np.fill_diagonal(weight, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.inv(laplacian[1:, 1:])  # the first bus stays: stress does not change with a shift
    pull = weight * distance
    drawn: Points = start - start[0]
    for _ in range(rounds):
        length = np.sqrt(
            np.maximum((drawn**2).sum(axis=1)[:, np.newaxis] + (drawn**2).sum(axis=1) - 2 * drawn @ drawn.T, 1e-12)
        )
        ratio = pull / length
        target = ratio.sum(axis=1)[:, np.newaxis] * drawn - ratio @ drawn
        moved: Points = np.vstack([np.zeros(2), inverse @ target[1:]])
        change = float(np.abs(moved - drawn).max())
        drawn = moved
        if change < 1e-3:
            break
    return drawn


def crossings(points: Points, edges: Integers) -> int:
    """Return how many pairs of the (E, 2) edges cross, pairs with a common bus aside."""
    a, b = points[edges[:, 0]], points[edges[:, 1]]

    def side(p: Points, q: Points, r: Points) -> Points:
        across = (q[:, np.newaxis, 0] - p[:, np.newaxis, 0]) * (r[np.newaxis, :, 1] - p[:, np.newaxis, 1])
        along = (q[:, np.newaxis, 1] - p[:, np.newaxis, 1]) * (r[np.newaxis, :, 0] - p[:, np.newaxis, 0])
        return np.asarray(across - along)

    parted = side(a, b, a) * side(a, b, b) < 0
    both = parted & parted.T
    first, second = edges[:, 0], edges[:, 1]
    for one in (first, second):
        for other in (first, second):
            both &= one[:, np.newaxis] != other[np.newaxis, :]
    return int(np.triu(both, 1).sum())


def _sparse(graph: csr_array, edges: Integers) -> Points:
    """Return a layout from pivots: each bus keeps its distance to them and to its neighbours."""
    pivots, to_pivot = _pivots(graph)
    squared = to_pivot**2
    centred = -(squared - squared.mean(axis=0) - squared.mean(axis=1)[:, np.newaxis] + squared.mean()) / 2
    values, vectors = np.linalg.eigh(centred.T @ centred)
    drawn = _signed(centred @ vectors[:, -2:] / np.sqrt(np.sqrt(np.maximum(values[-2:], 1e-9))))
    drawn *= np.median(to_pivot) / max(float(np.median(np.abs(drawn))), 1e-9) / 2
    drawn += np.random.default_rng(_SEED).normal(0, 0.5, drawn.shape)
    region = np.bincount(np.argmin(to_pivot, axis=1), minlength=len(pivots)).astype(np.float64)
    weight = region / np.maximum(to_pivot, 1.0) ** 2
    weight[to_pivot == 0] = 0.0
    both = np.vstack([edges, edges[:, ::-1]])
    degree = np.bincount(both[:, 0], minlength=len(drawn)).astype(np.float64)
    near_weight = 4.0
    total = weight.sum(axis=1) + near_weight * degree
    for _ in range(60):
        offset = drawn[:, np.newaxis, :] - drawn[pivots][np.newaxis, :, :]
        length = np.sqrt((offset**2).sum(axis=2)) + 1e-9
        pulled = weight @ drawn[pivots] + np.einsum("ip,ipk->ik", weight * to_pivot / length, offset)
        step = drawn[both[:, 0]] - drawn[both[:, 1]]
        towards = drawn[both[:, 1]] + step / (np.linalg.norm(step, axis=1)[:, np.newaxis] + 1e-9)
        for axis in range(2):
            pulled[:, axis] += near_weight * np.bincount(both[:, 0], weights=towards[:, axis], minlength=len(drawn))
        drawn = 0.3 * drawn + 0.7 * pulled / total[:, np.newaxis]
    return drawn


def _pivots(graph: csr_array) -> tuple[Integers, Points]:
    """Return buses that are far from each other, and the (B, P) distance of every bus to them, in branches."""
    count = graph.shape[0]
    nearest = np.full(count, np.inf)
    pivots, columns, at = [], [], 0
    for _ in range(min(_PIVOTS, count)):
        reach = shortest_path(graph, unweighted=True, directed=False, indices=at)
        pivots.append(at)
        columns.append(reach)
        nearest = np.minimum(nearest, reach)
        at = int(np.argmax(nearest))
    return np.array(pivots, dtype=np.intp), np.column_stack(columns)


def _turned(drawn: Points) -> Points:
    """Return ``drawn`` about its middle with its longest extent across, as screens are."""
    centred = drawn - drawn.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return _signed(centred @ axes.T)


def _apart(drawn: Points, edges: Integers, rounds: int = 40) -> Points:
    """Return ``drawn`` with buses that are too near each other, or on a branch, pushed apart."""
    gap = _LEAST_GAP * EDGE
    count = len(drawn)
    for _ in range(rounds):
        pairs = cKDTree(drawn).query_pairs(gap, output_type="ndarray")
        push = np.zeros_like(drawn)
        if len(pairs):
            offset = drawn[pairs[:, 0]] - drawn[pairs[:, 1]]
            length = np.linalg.norm(offset, axis=1)
            turn = 2.399963 * (pairs[:, 0] + 1)  # two buses on one spot part in a fixed direction
            offset = np.where(length[:, np.newaxis] > 1e-6, offset, np.column_stack([np.cos(turn), np.sin(turn)]))
            offset *= ((gap * 1.05 - length) / 2 / np.maximum(np.linalg.norm(offset, axis=1), 1e-9))[:, np.newaxis]
            for axis in range(2):
                push[:, axis] += np.bincount(pairs[:, 0], weights=offset[:, axis], minlength=count)
                push[:, axis] -= np.bincount(pairs[:, 1], weights=offset[:, axis], minlength=count)
        if count <= _DENSE_MOST:
            push += _off_branches(drawn, edges, gap * 0.6)
        if not push.any():
            break
        size = np.linalg.norm(push, axis=1)
        drawn = drawn + push * (np.minimum(1.0, gap / np.maximum(size, 1e-9)))[:, np.newaxis]
    return drawn


def _off_branches(drawn: Points, edges: Integers, gap: float) -> Points:
    """Return the (B, 2) push on buses that stand on a branch that is not theirs."""
    a, b = drawn[edges[:, 0]], drawn[edges[:, 1]]
    along = b - a
    squared = np.maximum((along**2).sum(axis=1), 1e-9)
    from_a = drawn[:, np.newaxis, :] - a[np.newaxis, :, :]
    share = (from_a * along).sum(axis=2) / squared
    away = from_a - share[:, :, np.newaxis] * along
    distance = np.sqrt((away**2).sum(axis=2))
    near = (share > 0) & (share < 1) & (distance < gap)
    near[edges[:, 0], np.arange(len(edges))] = False
    near[edges[:, 1], np.arange(len(edges))] = False
    strength = np.where(near, (gap - distance) / 2 / np.maximum(distance, 1e-3), 0.0)
    return np.asarray((away * strength[:, :, np.newaxis]).sum(axis=1))
