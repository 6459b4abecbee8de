"""The operator's optimality conditions in every hour as rows of a mixed-integer program.

An hour has the columns z, lam, mu and, for each inequality, whether it binds. Stationarity and equations are linear;
``0 <= mu, distance to the limit >= 0, one of them zero`` takes one yes or no, with the largest distance and the largest
dual that can occur. Those come from critical regions, where they are exact, or from the boxes of x and of devices.
Source: Fortuny-Amat and McCarl, "A representation and economic interpretation of a two-level programming problem",
J. Oper. Res. Soc. 32, 1981.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from engine.distribution.aggregator import Fleet
from engine.distribution.follower import Answer, Follower
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.regions import HourRegions
from engine.errors import SolverError
from engine.program import LinearProgram

_ROOM = 1e-6  # by which bounds are wider than what they come from, relative
BOUND = 1e-9  # a distance or a dual that never exceeds this is zero


@dataclass(frozen=True, slots=True, eq=False)
class HourBounds:
    """What an hour's conditions may take over the box of x."""

    follower: Follower
    gap: Vector  # (M,), largest distance of a row to its limit
    dual: Vector  # (M,), largest
    z_lower: Vector  # (K,)
    z_upper: Vector  # (K,)
    lam_lower: Vector  # (E,)
    lam_upper: Vector  # (E,)

    @classmethod
    def of_regions(cls, hour: HourRegions) -> Self:
        """Return the bounds that occur at the vertices of the regions, where all of it is affine."""
        follower = hour.follower
        gaps, duals, zs, lams = [], [], [], []
        for cell in hour.cells:
            one = np.vstack([np.ones(len(cell.vertices)), cell.vertices.T])
            maps = cell.region.maps
            by_x, constant = cell.region.gap(follower)
            gaps.append(np.column_stack([constant, by_x]) @ one)
            dual = np.zeros((len(follower.limit), one.shape[1]))
            dual[maps.active] = maps.mu @ one
            duals.append(dual)
            zs.append(maps.z @ one)
            lams.append(maps.lam @ one)
        z, lam = np.hstack(zs), np.hstack(lams)
        return cls(
            follower,
            _wide(np.hstack(gaps).max(axis=1)),
            _wide(np.hstack(duals).max(axis=1)),
            *_around(z.min(axis=1), z.max(axis=1)),
            *_around(lam.min(axis=1), lam.max(axis=1)),
        )

    @classmethod
    def of_boxes(cls, follower: Follower, lower: Vector, upper: Vector) -> Self:
        """Return bounds from the box of x (J,), the limits of devices, and the prices of slacks.

        A limit's dual is at most its slack's price; the duals of devices follow column by column. Where a kVA circle
        stands on a generator's p and q, some optimal duals have at most two of its sides and ends other than zero: as
        two forces that hold a third in the plane, each is at most that one over the sine of the least angle between
        two normals, half of that between two sides. Raises SolverError where a column has no bound.
        """
        z_lower, z_upper = _columns(follower, lower, upper)
        low, _ = _interval(follower.rows, z_lower, z_upper)
        shift_low, _ = _interval(-follower.shift, lower, upper)
        gap = np.maximum(follower.limit - low - shift_low, 0.0)
        dual = np.full(len(follower.limit), np.inf)
        own = follower.own
        reach = (follower.rows[:, follower.slack] < 0.0) & own[:, np.newaxis]
        price = np.where(reach, follower.cost[follower.slack], np.inf).min(axis=1, initial=np.inf)
        dual[own] = price[own]
        slope_low = follower.cost + follower.quadratic * z_lower
        slope_high = follower.cost + follower.quadratic * z_upper
        lam_lower, lam_upper = _prices(follower, slope_low, slope_high)
        push_low, push_high = _interval(follower.rows[own].T, np.zeros(int(own.sum())), dual[own])
        back_low, back_high = _interval(-follower.equal.T, lam_lower, lam_upper)
        most = np.maximum(np.abs(slope_low + back_low + push_low), np.abs(slope_high + back_high + push_high))
        turned = _circles(follower, most)
        for row in np.flatnonzero(~np.isfinite(dual)).tolist():
            entries = np.abs(follower.rows[row])
            dual[row] = float(np.min(turned[entries > 0.0] / entries[entries > 0.0]))
        return cls(follower, _wide(gap), _wide(dual), z_lower, z_upper, lam_lower, lam_upper)

    def least_exact(self, box: tuple[Vector, Vector], hour: HourRegions | None) -> tuple[Vector, Vector]:
        """Return the least distances and duals (M,) that are exact as bounds, so that an answer may be at them.

        Where the hour's regions are known, those at their vertices. From the ends of the box of x (J,) each: distances
        follow from the limits of devices; the duals of limits and of slacks' signs from the slacks' prices; those of a
        device that no limit of the feeder touches, or that cannot move, from its own slope. All other duals add up
        what many limits could do at once, which no answer should come near: infinite.
        """
        if hour is not None:
            exact = type(self).of_regions(hour)
            return exact.gap, exact.dual
        follower, exact = self.follower, type(self).of_boxes(self.follower, *box)
        used = follower.rows != 0.0
        circled = used[~follower.own & (used.sum(axis=1) > 1)].any(axis=0)
        held = exact.z_upper <= exact.z_lower
        plain = follower.slack | (~circled & (held | ~used[follower.own].any(axis=0)))
        return exact.gap, np.where(follower.own | ~used[:, ~plain].any(axis=1), exact.dual, np.inf)


def _circles(follower: Follower, most: Vector) -> Vector:
    """Return what holds each column (K,): ``most``, and where it is in a circle, that of its pair over the sine."""
    found = most.copy()
    wide = follower.rows[~follower.own & ((follower.rows != 0.0).sum(axis=1) > 1)] != 0.0
    pairs, sides = np.unique(wide, axis=0, return_counts=True)
    for pair, count in zip(pairs, sides.tolist(), strict=True):
        # A row's greatest entry is 1, so its normal is at most 1.41 long and its dual no more than that of unit length.
        found[pair] = float(np.linalg.norm(most[pair])) / np.sin(np.pi / count)
    return found


def _columns(follower: Follower, lower: Vector, upper: Vector) -> tuple[Vector, Vector]:
    """Return the bounds of z: of devices their own, of what is bought by its equation, of slacks the worst excess."""
    single = (follower.rows != 0.0).sum(axis=1) == 1
    width = len(follower.cost)
    low, high = np.full(width, -np.inf), np.full(width, np.inf)
    for row in np.flatnonzero(single).tolist():
        column = int(np.argmax(follower.rows[row] != 0.0))
        value = follower.limit[row] / follower.rows[row, column]
        if follower.rows[row, column] > 0.0:
            high[column] = min(high[column], value)
        else:
            low[column] = max(low[column], value)
    others = ~follower.slack & np.isfinite(low) & np.isfinite(high)
    for row in np.flatnonzero(follower.own).tolist():
        _, reach_high = _interval(follower.rows[row : row + 1, others], low[others], high[others])
        shift = _interval(-follower.shift[row : row + 1], lower, upper)
        excess = float(reach_high[0] + shift[1][0] - follower.limit[row])
        for column in np.flatnonzero(follower.slack & (follower.rows[row] < 0.0)).tolist():
            known = 0.0 if not np.isfinite(high[column]) else high[column]
            high[column] = max(known, excess, 0.0)
    for equation in range(len(follower.right)):
        open_ = np.flatnonzero((follower.equal[equation] != 0.0) & ~(np.isfinite(low) & np.isfinite(high)))
        if len(open_) != 1:
            continue
        column, rest = int(open_[0]), follower.equal[equation].copy()
        own = rest[column]
        rest[column] = 0.0
        reach = _interval(-rest[np.newaxis], np.where(rest == 0.0, 0.0, low), np.where(rest == 0.0, 0.0, high))
        drawn = _interval(follower.drawn[equation : equation + 1], lower, upper)
        ends = (follower.right[equation] + np.array([reach[0][0] + drawn[0][0], reach[1][0] + drawn[1][0]])) / own
        low[column], high[column] = ends.min(), ends.max()
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        at = int(np.argmax(~(np.isfinite(low) & np.isfinite(high))))
        raise SolverError(f"no bound is known for {follower.columns[at]}")
    return low, high


def _prices(follower: Follower, slope_low: Vector, slope_high: Vector) -> tuple[Vector, Vector]:
    """Return bounds of lam from the columns that only an equation touches, such as what is bought."""
    low, high = np.full(len(follower.right), -np.inf), np.full(len(follower.right), np.inf)
    lone = ((follower.equal != 0.0).sum(axis=0) == 1) & ~(follower.rows != 0.0).any(axis=0)
    for column in np.flatnonzero(lone).tolist():
        equation = int(np.argmax(follower.equal[:, column] != 0.0))
        ends = np.array([slope_low[column], slope_high[column]]) / follower.equal[equation, column]
        low[equation], high[equation] = max(low[equation], ends.min()), min(high[equation], ends.max())
    if not np.isfinite(low + high).all():
        raise SolverError("no bound is known for the price of reactive power at the substation")
    return low, high


def _interval(rows: Matrix, low: Vector, high: Vector) -> tuple[Vector, Vector]:
    up, down = np.maximum(rows, 0.0), np.minimum(rows, 0.0)
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    return up @ low + down @ high, up @ high + down @ low


def _wide(most: Vector) -> Vector:
    return np.where(most <= BOUND * (1.0 + np.abs(most).max(initial=0.0)), 0.0, most * (1.0 + _ROOM) + BOUND)


def _around(low: Vector, high: Vector) -> tuple[Vector, Vector]:
    room = _ROOM * (1.0 + np.abs(low) + np.abs(high))
    return low - room, high + room


@dataclass(frozen=True, slots=True)
class HourColumns:
    """Where the columns of an hour are."""

    z: slice
    lam: slice
    mu: slice
    binds: slice
    paid: int


class KktProgram:
    """The program under construction: the fleet's columns, the hours' conditions, and rows and columns added later."""

    def __init__(self, fleet: Fleet, bounds: tuple[HourBounds, ...]) -> None:
        self.fleet, self.bounds = fleet, bounds
        self._lower: list[Vector] = [fleet.lower]
        self._upper: list[Vector] = [fleet.upper]
        self._whole: list[Integers] = []
        self.width = len(fleet.lower)
        self._entries: list[tuple[Integers, Integers, Vector]] = []
        self._low: list[Vector] = []
        self._high: list[Vector] = []
        self._height = 0
        self.hours = tuple(self._hour(hour, each) for hour, each in enumerate(bounds))

    def columns(self, lower: Vector, upper: Vector, *, whole: bool = False) -> slice:
        """Add columns and return their place."""
        place = slice(self.width, self.width + len(lower))
        self._lower.append(np.asarray(lower, dtype=np.float64))
        self._upper.append(np.asarray(upper, dtype=np.float64))
        if whole:
            self._whole.append(np.arange(place.start, place.stop))
        self.width = place.stop
        return place

    def rows(self, blocks: list[tuple[slice, Matrix]], low: Vector, high: Vector) -> None:
        """Add rows by dense blocks on columns."""
        for place, block in blocks:
            found = coo_array(np.asarray(block, dtype=np.float64))
            rows = np.asarray(found.row + self._height, dtype=np.intp)
            self._entries.append((rows, np.asarray(found.col + place.start, dtype=np.intp), found.data))
        self._low.append(np.asarray(low, dtype=np.float64))
        self._high.append(np.asarray(high, dtype=np.float64))
        self._height += len(low)

    def draws(self, hour: int) -> slice:
        """Return the columns of an hour's draws."""
        count = self.fleet.shape[1]
        return slice(hour * count, (hour + 1) * count)

    def _hour(self, hour: int, bounds: HourBounds) -> HourColumns:
        follower, draws = bounds.follower, self.draws(hour)
        never, always = bounds.dual == 0.0, bounds.gap == 0.0
        z = self.columns(bounds.z_lower, bounds.z_upper)
        lam = self.columns(bounds.lam_lower, bounds.lam_upper)
        mu = self.columns(np.zeros(len(bounds.dual)), bounds.dual)
        binds = self.columns((always & ~never).astype(float), (~never).astype(float), whole=True)
        paid = self.columns(np.array([-np.inf]), np.array([np.inf]))
        scale = 1.0 / (1.0 + np.abs(follower.cost))
        stationary = -follower.cost * scale
        self.rows(
            [
                (z, np.diag(follower.quadratic * scale)),
                (lam, -follower.equal.T * scale[:, np.newaxis]),
                (mu, follower.rows.T * scale[:, np.newaxis]),
            ],
            stationary,
            stationary,
        )
        self.rows([(z, follower.equal), (draws, -follower.drawn)], follower.right, follower.right)
        count = len(follower.limit)
        gap = [(z, -follower.rows), (draws, follower.shift)]
        self.rows(gap, -follower.limit, np.full(count, np.inf))
        self.rows([*gap, (binds, np.diag(bounds.gap))], np.full(count, -np.inf), bounds.gap - follower.limit)
        size = np.maximum(bounds.dual, 1.0)
        self.rows(
            [(mu, np.diag(1.0 / size)), (binds, -np.diag(bounds.dual / size))], np.full(count, -np.inf), np.zeros(count)
        )
        return HourColumns(z, lam, mu, binds, paid.start)

    @property
    def whole(self) -> Integers:
        """Return the columns that take whole numbers."""
        return np.concatenate(self._whole)

    def program(self) -> LinearProgram:
        """Return the program as it stands: payments plus delay."""
        fleet, extra = self.fleet, self.width - len(self.fleet.lower)
        rows, columns, values = (np.concatenate(each) for each in zip(*self._entries, strict=True))
        own = coo_array((values, (rows, columns)), shape=(self._height, self.width))
        work = hstack([fleet.matrix, csr_array((fleet.matrix.shape[0], extra))])
        cost = np.zeros(self.width)
        cost[: len(fleet.delay_cost)] = fleet.delay_cost
        cost[[hour.paid for hour in self.hours]] = 1.0
        return LinearProgram(
            cost=cost,
            matrix=csr_array(vstack([work, own], format="csr")),
            row_lower=np.concatenate([fleet.row_lower, *self._low]),
            row_upper=np.concatenate([fleet.row_upper, *self._high]),
            lower=np.concatenate(self._lower),
            upper=np.concatenate(self._upper),
        )

    def start(self, answers: list[Answer], names: list[tuple[str, ...]]) -> Vector:
        """Return (V,) whole columns of a point at which the operator's ``answers`` bind; other columns are 0."""
        found = np.zeros(self.width)
        for hour, (answer, rows) in enumerate(zip(answers, names, strict=True)):
            follower = self.bounds[hour].follower
            bind = {name for name, mu in zip(rows, answer.mu.tolist(), strict=True) if mu > 1e-6}
            on = np.array([name in bind for name in follower.names], dtype=np.float64)
            place = self.hours[hour].binds
            always = (self.bounds[hour].gap == 0.0) & (self.bounds[hour].dual > 0.0)
            found[place] = np.where(always, 1.0, np.where(self.bounds[hour].dual == 0.0, 0.0, on))
        return found
