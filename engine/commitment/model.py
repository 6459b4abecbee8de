"""Unit commitment as a mixed-integer program, tight and compact; rows that seldom bind are added when they are broken.

Columns, hour by hour: ``x`` a unit is on and ``y`` it starts (T, N), ``q`` what it produces above its least output in
pieces of its cost (T, P), ``r`` its reserve (T, R), and ``e``, at a price that nobody would pay, what an hour breaks:
load not served, least output not used, reserve lacking, and flows over their limits one way and the other (T, 5). So
the relaxation always has an answer, which says what is short; a schedule has none of it.

The third binary of the formulation, a stop, is ``z_t = x_{t-1} - x_t + y_t`` and is put in where it occurs: its bound
``z >= 0`` is a row, its cost goes to the others. Given whole x, y is whole in every least-cost answer.

Source: Morales-España, Latorre and Ramos, "Tight and compact MILP formulation for the thermal unit commitment
problem", IEEE Trans. Power Systems 28(4), 2013; Rajan and Takriti, IBM report RC23628, 2005 (least hours on and off).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.commitment.instance import Instance
from engine.commitment.lines import FlowRows
from engine.commitment.pieces import Pieces
from engine.network.model import Integers, Matrix, Vector
from engine.program import LinearProgram

BREACHES = ("short", "surplus", "reserve", "ahead", "behind")  # the columns ``e`` of an hour
BREACH_PER_MWH = np.array([1e5, 1e5, 5e4, 5e4, 5e4])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """k rows ``lower <= A v <= upper``."""

    matrix: csr_array  # (k, V)
    lower: Vector  # (k,)
    upper: Vector  # (k,)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The columns of an instance: where each is, and the rows that hold from the start."""

    instance: Instance
    pieces: Pieces
    reserved: Integers  # (R,), positions of the units that may give reserve

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """Return the model of ``instance``."""
        used = instance.reserve_mw.max(initial=0.0) > 0.0
        largest = instance.case.largest_mw.max(axis=0)
        reserved = np.flatnonzero((instance.fleet.reserve_mw > 0.0) & (largest > 0.0) & used)
        return cls(instance, Pieces.of(instance), reserved)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Return N, P and R."""
        return len(self.instance.committed), len(self.pieces.unit), len(self.reserved)

    @property
    def count(self) -> int:
        """Return the number of columns."""
        units, pieces, reserved = self.sizes
        return self.instance.hours * (2 * units + pieces + reserved + len(BREACHES))

    def place(self, kind: str) -> Integers:
        """Return the columns (T, n) of ``x``, ``y``, ``q``, ``r`` or ``e``."""
        hours, (units, pieces, reserved) = self.instance.hours, self.sizes
        width = {"x": units, "y": units, "q": pieces, "r": reserved, "e": len(BREACHES)}
        first = 0
        for name, size in width.items():
            if name == kind:
                return first + np.arange(hours * size).reshape(hours, size)
            first += hours * size
        raise KeyError(kind)

    def program(self) -> LinearProgram:
        """Return the program without the rows of ramps and of limits on flows; x and y are to be whole."""
        lower, upper = self._bounds()
        rows = stacked(
            [
                self._balance(),
                self._reserve(),
                self._stops(),
                self._capacity(),
                self._reserve_of_units(),
                *self._least_hours(),
            ]
        )
        return LinearProgram(self._cost(), rows.matrix, rows.lower, rows.upper, lower, upper, offset=self._offset())

    @property
    def balance_rows(self) -> slice:
        """Return the rows of the power balance, by hour."""
        return slice(0, self.instance.hours)

    @property
    def reserve_rows(self) -> slice:
        """Return the rows of the reserve, by hour; none where no reserve is asked for."""
        return slice(self.instance.hours, self.instance.hours * (2 if len(self.reserved) else 1))

    def balance_mw(self, instance: Instance) -> Vector:
        """Return what committed units and pieces must sum to in each hour (T,)."""
        return np.asarray(instance.case.demand_mw.sum(axis=1) - self._fixed_mw().sum(axis=1), dtype=np.float64)

    def output_terms(self) -> csr_array:
        """Return (T G, V): the outputs of all units, hour by hour, but for the least outputs of those always on."""
        case, chosen, pieces = self.instance.case, self.instance.committed, self.pieces.unit
        hours, count = case.least_mw.shape
        row = np.arange(hours)[:, np.newaxis] * count
        place = [(row + chosen, self.place("x"), case.least_mw[:, chosen])]
        place.append((row + pieces, self.place("q"), np.ones((hours, len(pieces)))))
        return _table(place, hours * count, self.count)

    def outputs_mw(self, values: Vector) -> Matrix:
        """Return the outputs (T, G) of column values (V,)."""
        found = self._fixed_mw()
        chosen, case = self.instance.committed, self.instance.case
        found[:, chosen] += case.least_mw[:, chosen] * values[self.place("x")]
        np.add.at(found.T, self.pieces.unit, values[self.place("q")].T)
        return found

    def flow_rows(self, flows: FlowRows) -> csr_array:
        """Return (k, V): the flows of limits, but for what load and units always on at their least make of them."""
        units = self.instance.network.units.bus
        count, outputs = len(units), self.output_terms()
        blocks = []
        for hour in range(self.instance.hours):
            own = np.flatnonzero(flows.hour == hour)
            if own.size:
                rows = csr_array(flows.factor[own][:, units]) @ outputs[hour * count : (hour + 1) * count]
                blocks.append((own, rows))
        row = np.concatenate([own for own, _ in blocks])
        found = csr_array(vstack([rows for _, rows in blocks], format="csr"))[np.argsort(row)]
        breach = self.place("e")[flows.hour]
        order = np.arange(len(flows))[:, np.newaxis]
        either = np.column_stack([-(flows.side >= 0).astype(np.float64), flows.side <= 0])
        relief = _table([(order, breach[:, 3:], either)], len(flows), self.count)
        return csr_array(found + relief)

    def flow_bounds(self, flows: FlowRows, instance: Instance) -> tuple[Vector, Vector]:
        """Return the bounds (k,) of :meth:`flow_rows` for the loads of ``instance``."""
        units = instance.network.units.bus
        fixed = flows.fixed_mw - (flows.factor * instance.case.demand_mw[flows.hour]).sum(axis=1)
        fixed += (flows.factor[:, units] * self._fixed_mw()[flows.hour]).sum(axis=1)
        return flows.lower_mw - fixed, flows.upper_mw - fixed

    def ramp_rows(self, hour: Integers, unit: Integers, *, upwards: bool) -> Rows:
        """Return the ramps into hours (k,) of units (k,), both by position; hour 0 follows the initial state.

        The k ramps are first. With each comes, for units that may be on or off for one hour only, that a start needs a
        unit off before and on then: without a ramp, costs alone see to that.
        """
        keys = list(zip(hour.tolist(), unit.tolist(), strict=True))
        parts = [self._ramp(t, g, upwards=upwards) for t, g in keys]
        for t, g in keys:
            if self.instance.fleet.committed[g]:
                parts += self._once(t, int(np.searchsorted(self.instance.committed, g)))
        return stacked(parts)

    def _once(self, t: int, n: int) -> list[Rows]:
        x, y, initial = self.place("x"), self.place("y"), self.instance.initial
        rows = [self._row([(int(y[t, n]), 1.0), (int(x[t, n]), -1.0)], 0.0)]
        if t:
            rows.append(self._row([(int(y[t, n]), 1.0), (int(x[t - 1, n]), 1.0)], 1.0))
        elif initial is not None:
            rows.append(self._row([(int(y[t, n]), 1.0)], 1.0 - float(initial.on[self.instance.committed[n]])))
        return rows

    def _ramp(self, t: int, g: int, *, upwards: bool) -> Rows:
        instance, fleet = self.instance, self.instance.fleet
        ramp, edge = fleet.ramp_mw[g], fleet.edge_mw[g]
        later, earlier = (1.0, -1.0) if upwards else (-1.0, 1.0)
        terms: list[tuple[int, float]] = []
        right = 0.0

        def output(hour: int, sign: float) -> float:
            """Add the output of an hour to the terms; return what is fixed in it."""
            if hour < 0:
                assert instance.initial is not None  # noqa: S101 (no ramp into hour 0 is asked for otherwise)
                return sign * float(instance.initial.output_mw[g])
            terms.extend((int(column), sign) for column in self.place("q")[hour][self.pieces.unit == g])
            least = float(instance.case.least_mw[hour, g])
            if not fleet.committed[g]:
                return sign * least
            terms.append((int(self.place("x")[hour, n]), sign * least))
            return 0.0

        n = int(np.searchsorted(instance.committed, g))
        right -= output(t, later) + output(t - 1, earlier)
        if not fleet.committed[g]:
            return self._row(terms, right + ramp)
        x, y = self.place("x"), self.place("y")
        was_on = 0.0 if t else float(instance.initial.on[g]) if instance.initial is not None else 0.0
        if upwards:  # p_t - p_{t-1} <= ramp x_{t-1} + edge y_t
            terms.append((int(y[t, n]), -edge))
            if t:
                terms.append((int(x[t - 1, n]), -ramp))
            right += 0.0 if t else ramp * was_on
        else:  # p_{t-1} - p_t <= ramp x_t + edge z_t
            terms += [(int(x[t, n]), edge - ramp), (int(y[t, n]), -edge)]
            if t:
                terms.append((int(x[t - 1, n]), -edge))
            right += 0.0 if t else edge * was_on
        return self._row(terms, right)

    def _row(self, terms: Sequence[tuple[int, float]], upper: float) -> Rows:
        column, value = (np.array(part) for part in zip(*terms, strict=True))
        matrix = csr_array(coo_array((value, (np.zeros(len(column), int), column)), shape=(1, self.count)))
        return Rows(matrix, np.array([-np.inf]), np.array([upper]))

    def _fixed_mw(self) -> Matrix:
        """Return the least outputs (T, G) of units that are always on."""
        return np.where(self.instance.fleet.committed, 0.0, self.instance.case.least_mw)

    def _cost(self) -> Vector:
        """Return the costs (V,): stops cost as x and y have them, by the stop's equation."""
        instance, chosen = self.instance, self.instance.committed
        cost = np.zeros(self.count)
        x, y = self.place("x"), self.place("y")
        stop, start = instance.fleet.shutdown_cost[chosen], instance.fleet.startup_cost[chosen]
        cost[x] = self.pieces.least_per_h[:, chosen]
        cost[y] = start + stop
        cost[x[-1]] -= stop
        if instance.initial is None:  # nothing stops into the first hour
            cost[x[0]] += stop
        cost[self.place("q")] = self.pieces.slope
        cost[self.place("e")] = BREACH_PER_MWH
        return cost

    def _offset(self) -> float:
        """Return the cost of units always on at their least outputs, and what units on before would cost to stop."""
        instance = self.instance
        fixed = np.where(instance.fleet.committed, 0.0, self.pieces.least_per_h).sum()
        was = 0.0 if instance.initial is None else float(instance.fleet.shutdown_cost @ instance.initial.on)
        return float(fixed) + was

    def _bounds(self) -> tuple[Vector, Vector]:
        instance = self.instance
        lower, upper = np.zeros(self.count), np.ones(self.count)
        x, y = self.place("x"), self.place("y")
        lower[x], upper[x] = instance.pinned["on"], ~instance.pinned["off"]
        if instance.initial is None:
            upper[y[0]] = 0.0
        upper[self.place("q")] = self.pieces.width_mw
        upper[self.place("e")] = np.inf
        upper[self.place("r")] = np.minimum(
            instance.fleet.reserve_mw[self.reserved],
            instance.case.largest_mw[:, self.reserved] - np.minimum(instance.case.least_mw[:, self.reserved], 0.0),
        )
        return lower, upper

    def _balance(self) -> Rows:
        hours = self.instance.hours
        row = np.arange(hours)[:, np.newaxis]
        chosen = self.instance.committed
        parts = [(row, self.place("x"), self.instance.case.least_mw[:, chosen])]
        parts.append((row, self.place("q"), np.ones((hours, self.sizes[1]))))
        parts.append((row, self.place("e")[:, :2], np.tile([1.0, -1.0], (hours, 1))))
        right = self.balance_mw(self.instance)
        return Rows(_table(parts, hours, self.count), right, right)

    def _reserve(self) -> Rows:
        hours, own = self.instance.hours, self.place("r")
        if not own.size:
            return Rows(csr_array((0, self.count)), np.zeros(0), np.zeros(0))
        row = np.arange(hours)[:, np.newaxis]
        lacking = self.place("e")[:, 2:3]
        matrix = _table([(row, own, np.ones(own.shape)), (row, lacking, np.ones((hours, 1)))], hours, self.count)
        return Rows(matrix, self.instance.reserve_mw, np.full(hours, np.inf))

    def _stops(self) -> Rows:
        """Return ``x_{t-1} - x_t + y_t >= 0``: no hour has less than no stop."""
        x, y = self.place("x"), self.place("y")
        initial, chosen = self.instance.initial, self.instance.committed
        row = np.arange(x.size).reshape(x.shape)
        parts = [(row, x, -np.ones(x.shape)), (row, y, np.ones(x.shape)), (row[1:], x[:-1], np.ones(x[1:].shape))]
        lower = np.zeros(x.shape)
        if initial is not None:
            lower[0] = -initial.on[chosen].astype(np.float64)
        matrix = _table(parts, x.size, self.count)
        if initial is None:
            return Rows(matrix[row[1:].ravel()], lower[1:].ravel(), np.full(x[1:].size, np.inf))
        return Rows(matrix, lower.ravel(), np.full(x.size, np.inf))

    def _capacity(self) -> Rows:
        """Return ``output + reserve <= largest x`` above the least output, and less at both ends of a stay on.

        In the first and in the last hour, a unit produces and reserves what it can reach in an hour at most. Where
        these can be the same hour, each has a row; else one row has both, which is tighter. A unit always on has no
        such row unless it gives reserve: its pieces have bounds.
        """
        case, fleet, pieces = self.instance.case, self.instance.fleet, self.pieces
        reserved = np.zeros(case.least_mw.shape[1], dtype=np.bool_)
        reserved[self.reserved] = True
        rows = np.flatnonzero(fleet.committed | reserved)
        number = np.full(len(fleet.committed), -1)
        number[rows] = np.arange(len(rows))
        hours, size = self.instance.hours, len(rows)
        row = np.arange(hours)[:, np.newaxis] * size
        with_row = np.flatnonzero(number[pieces.unit] >= 0)
        room = case.largest_mw - case.least_mw
        chosen, x, y = self.instance.committed, self.place("x"), self.place("y")
        less = np.maximum(case.largest_mw - fleet.edge_mw, 0.0)[:, chosen]
        upper = np.where(fleet.committed, 0.0, room)[:, rows].ravel()
        none = np.full(hours * size, -np.inf)
        own = row + number[chosen]
        level = [
            (row + number[pieces.unit[with_row]], self.place("q")[:, with_row], np.ones((hours, len(with_row)))),
            (row + number[self.reserved], self.place("r"), np.ones((hours, len(self.reserved)))),
            (own, x, -room[:, chosen]),
        ]
        first = [(own, y, less)]
        last = [(own[:-1], x[:-1], less[:-1]), (own[:-1], x[1:], -less[:-1]), (own[:-1], y[1:], less[:-1])]
        long = fleet.least_up_h[chosen] > 1
        joined = [(at[:, long], column[:, long], value[:, long]) for at, column, value in last]
        one = Rows(_table([*level, *first, *joined], hours * size, self.count), none, upper)
        short = np.flatnonzero(
            fleet.committed & (fleet.least_up_h == 1) & (fleet.edge_mw < case.largest_mw.max(axis=0))
        )
        other = Rows(_table([*level, *last], hours * size, self.count), none, upper)
        places = (row + number[short]).ravel()
        return stacked([one, Rows(csr_array(other.matrix[places]), other.lower[places], other.upper[places])])

    def _reserve_of_units(self) -> Rows:
        """Return ``reserve <= ten-minute ramp x`` for committed units: by the bound alone, a unit half on gives all."""
        instance, own = self.instance, self.place("r")
        chosen = np.flatnonzero(instance.fleet.committed[self.reserved] & (own.size > 0))
        size, hours = len(chosen), instance.hours
        row = np.arange(hours * size).reshape(hours, size)
        number = np.searchsorted(instance.committed, self.reserved[chosen])
        most = np.minimum(instance.fleet.reserve_mw, instance.case.largest_mw - instance.case.least_mw)
        parts = [
            (row, own[:, chosen], np.ones((hours, size))),
            (row, self.place("x")[:, number], -most[:, self.reserved[chosen]]),
        ]
        none = np.full(row.size, -np.inf)
        return Rows(_table(parts, row.size, self.count), none, np.zeros(row.size))

    def _least_hours(self) -> list[Rows]:
        """Return the rows of least hours on and off, for units where they exceed one hour.

        On: the starts of the last U hours are at most ``x_t``. Off: with the stop's equation put in, ``x_{t-D}`` and
        the starts of the last D hours are at most one; the hours before the first are the initial state's.
        """
        instance, fleet = self.instance, self.instance.fleet
        x, y, hours = self.place("x"), self.place("y"), self.instance.hours
        up, down = [], []
        for n, g in enumerate(instance.committed.tolist()):
            for t in range(hours):
                if fleet.least_up_h[g] > 1:
                    window = y[max(0, t - fleet.least_up_h[g] + 1) : t + 1, n]
                    up.append((np.append(window, x[t, n]), np.append(np.ones(len(window)), -1.0)))
                if fleet.least_down_h[g] > 1:
                    first = t - int(fleet.least_down_h[g])
                    window = y[max(0, first + 1) : t + 1, n]
                    column, right = window, 1.0
                    if first >= 0:
                        column = np.append(window, x[first, n])
                    elif instance.initial is not None:
                        right -= float(instance.initial.on[g])
                    else:  # free: what is on in the first hour was on before
                        column = np.append(window, x[0, n])
                    down.append((column, np.ones(len(column)), right))
        return [self._many([(c, v, 0.0) for c, v in up]), self._many(down)]

    def _many(self, rows: list[tuple[Integers, Vector, float]]) -> Rows:
        count = len(rows)
        if not count:
            return Rows(csr_array((0, self.count)), np.zeros(0), np.zeros(0))
        row = np.repeat(np.arange(count), [len(column) for column, _, _ in rows])
        column = np.concatenate([column for column, _, _ in rows])
        value = np.concatenate([value for _, value, _ in rows])
        matrix = csr_array(coo_array((value, (row, column)), shape=(count, self.count)))
        return Rows(matrix, np.full(count, -np.inf), np.array([right for _, _, right in rows]))


def stacked(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts in order."""
    blocks = [part.matrix for part in parts]
    row = np.concatenate([coo_array(b).row + at for b, at in zip(blocks, _firsts(blocks), strict=True)])
    column = np.concatenate([coo_array(b).col for b in blocks])
    data = np.concatenate([coo_array(b).data for b in blocks])
    shape = (sum(b.shape[0] for b in blocks), blocks[0].shape[1])
    return Rows(
        csr_array(coo_array((data, (row, column)), shape=shape)),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
    )


def _firsts(blocks: Sequence[csr_array]) -> list[int]:
    found = [0]
    for block in blocks[:-1]:
        found.append(found[-1] + int(block.shape[0]))
    return found


def _table(parts: Sequence[tuple[Matrix | Integers, Integers, Matrix]], rows: int, columns: int) -> csr_array:
    """Return the sparse table of parts (row, column, value), each broadcast to the shape of its columns."""
    row = np.concatenate([np.broadcast_to(part[0], part[1].shape).ravel() for part in parts])
    column = np.concatenate([part[1].ravel() for part in parts])
    value = np.concatenate([np.broadcast_to(part[2], part[1].shape).ravel() for part in parts])
    kept = value != 0.0
    return csr_array(coo_array((value[kept], (row[kept].astype(np.intp), column[kept])), shape=(rows, columns)))
