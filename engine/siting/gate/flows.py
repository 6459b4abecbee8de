"""Does one dispatch keep every limit after every outage: flows of all cases at once, without looking at every pair.

Most outage factors are tiny. Those of 2 % or more are kept as pairs and looked at one by one; the others move no more
than the largest of them times the largest flow lost, and only rows where that could reach a limit are looked at whole.
So nothing is missed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.gate.model import INTACT, GateHour, GateModel

KEPT = 1e-6  # MW over a limit, per MW of limit plus one, that counts as keeping it: the hair of every verdict
_SMALL_FACTOR = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """Limits broken in the network as it is and after branch outages: n pairs."""

    row: Integers  # (n,)
    case: Integers  # (n,)
    sign: Vector  # (n,), 1 for the upper limit
    excess: Vector  # (n,), relative to the limit, positive


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """The flows of a dispatch before any outage, and every limit that it breaks."""

    row_mw: Vector  # (R,)
    lost_mw: Vector  # (J,)
    broken: Broken


@dataclass(frozen=True, eq=False)
class FlowScreen:
    """The pairs of rows and branch cases with large factors, and a bound on the others."""

    model: GateModel
    first: Integers  # (J + 1,), where the pairs of each lost branch begin
    row: npt.NDArray[np.int32]  # (P,)
    lost: npt.NDArray[np.int32]  # (P,)
    factor: Vector  # (P,)
    dropped: Vector  # (R,)
    lower_mw: Vector  # (R,), after outages, tolerance included
    upper_mw: Vector  # (R,)

    @classmethod
    def of(cls, model: GateModel) -> Self:
        """Sort the factors of a model."""
        size = np.abs(model.moved)
        size[model.own_row[model.own_row >= 0], np.flatnonzero(model.own_row >= 0)] = 0.0
        lost, row = np.nonzero(size.T >= _SMALL_FACTOR)
        factor = model.moved[row, lost]
        size[row, lost] = 0.0
        return cls(
            model,
            np.searchsorted(lost, np.arange(size.shape[1] + 1)),
            row.astype(np.int32),
            lost.astype(np.int32),
            factor,
            size.max(axis=1, initial=0.0),
            model.after_lower_mw - _hair(model.after_lower_mw),
            model.after_upper_mw + _hair(model.after_upper_mw),
        )

    def broken(self, row_mw: Vector, lost_mw: Vector) -> Broken:
        """Return every limit that the rows (R,) break as they are, or after a branch outage of flows (J,)."""
        model = self.model
        parts = [self._intact(row_mw)]
        above, below = self.upper_mw - row_mw, self.lower_mw - row_mw  # changes that reach a limit
        whole = self.dropped * np.abs(lost_mw).max(initial=0.0) > np.minimum(above, -below)
        change = self.factor * lost_mw[self.lost]
        pair = np.flatnonzero((change > above[self.row]) | (change < below[self.row]))
        pair = pair[~whole[self.row[pair]]]
        parts.append((self.row[pair].astype(np.intp), self.lost[pair].astype(np.intp), change[pair]))
        rows = np.flatnonzero(whole)
        for start in range(0, len(rows), 256):
            block = rows[start : start + 256]
            moved = model.moved[block] * lost_mw
            at, lost = np.nonzero((moved > above[block, np.newaxis]) | (moved < below[block, np.newaxis]))
            own = model.own_row[lost] == block[at]
            at, lost = at[~own], lost[~own]
            parts.append((block[at], lost, moved[at, lost]))
        row = np.concatenate([part[0] for part in parts])
        lost = np.concatenate([part[1] for part in parts])
        value = row_mw[row] + np.concatenate([part[2] for part in parts])
        after = lost >= 0
        upper = np.where(after, model.after_upper_mw[row], model.upper_mw[row])
        lower = np.where(after, model.after_lower_mw[row], model.lower_mw[row])
        high = value > upper
        limit = np.where(high, upper, lower)
        excess = np.where(high, value - upper, lower - value) / np.maximum(np.abs(limit), 1.0)
        return Broken(row, lost + 1, np.where(high, 1.0, -1.0), excess)

    def _intact(self, row_mw: Vector) -> tuple[Integers, Integers, Vector]:
        model = self.model
        over = (row_mw > model.upper_mw + _hair(model.upper_mw)) | (row_mw < model.lower_mw - _hair(model.lower_mw))
        rows = np.flatnonzero(over)
        return rows, np.full(len(rows), INTACT - 1, dtype=np.intp), np.zeros(len(rows))

    def kept_in(self, row_mw: Vector, lost_mw: Vector, cases: Integers) -> Flags:
        """Return in which cases (n,) of no or a branch outage every limit is kept, by the flows before the outage."""
        kept = np.ones(len(cases), dtype=np.bool_)
        model, after = self.model, np.flatnonzero(cases != INTACT)
        if len(after) < len(cases):
            kept[cases == INTACT] = not len(self._intact(row_mw)[0])
        lost = cases[after] - 1
        above, below = self.upper_mw - row_mw, self.lower_mw - row_mw
        whole = np.flatnonzero(self.dropped * np.abs(lost_mw[lost]).max(initial=0.0) > np.minimum(above, -below))
        count = self.first[lost + 1] - self.first[lost]
        owner = np.repeat(np.arange(len(lost)), count)
        pair = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(self.first[lost], count)
        change, row = self.factor[pair] * lost_mw[self.lost[pair]], self.row[pair]
        bad = np.bincount(owner[(change > above[row]) | (change < below[row])], minlength=len(lost)) > 0
        moved = model.moved[np.ix_(whole, lost)] * lost_mw[lost]
        over = (moved > above[whole, np.newaxis]) | (moved < below[whole, np.newaxis])
        over &= model.own_row[lost] != whole[:, np.newaxis]
        # A row that is over its limit before the outage is one of the whole ones.
        kept[after] &= ~bad & ~over.any(axis=0)
        return kept

    def span(self, first: "Flows", last: "Flows") -> tuple[Vector, Vector]:
        """Return between which shares (1 + J,), 0 to 1, of the way from one dispatch to another limits are kept.

        Flows are linear on that way, so only limits that one of the two breaks can end it. The first share is above
        the second where no part of the way keeps the limits of a case.
        """
        model = self.model
        row = np.concatenate([first.broken.row, last.broken.row])
        case = np.concatenate([first.broken.case, last.broken.case])
        after, lost = case > INTACT, np.maximum(case - 1, 0)
        factor = np.where(after, model.moved[row, lost], 0.0) if len(self.first) > 1 else np.zeros(len(row))
        begin, end = (flows.row_mw[row] + factor * _at(flows.lost_mw, lost) for flows in (first, last))
        upper = np.where(after, self.upper_mw[row], (model.upper_mw + _hair(model.upper_mw))[row])
        lower = np.where(after, self.lower_mw[row], (model.lower_mw - _hair(model.lower_mw))[row])
        least, most = np.zeros(1 + model.branch_cases), np.ones(1 + model.branch_cases)
        change = end - begin
        for room, way in ((upper - begin, change), (begin - lower, -change)):
            with np.errstate(divide="ignore", invalid="ignore"):
                share = room / way
            np.minimum.at(most, case[way > 0.0], share[way > 0.0])
            np.maximum.at(least, case[way < 0.0], share[way < 0.0])
            most[case[(way == 0.0) & (room < 0.0)]] = -1.0
        return least, most

    def inside(self, value_mw: Matrix, case: int, rows: Integers | slice = slice(None)) -> Flags:
        """Return which of n dispatches keep every limit of a case, by the values of the rows in it: all, or some."""
        lower, upper = (limit[rows] for limit in self.model.bounds(case))
        high, low = (upper + _hair(upper))[:, np.newaxis], (lower - _hair(lower))[:, np.newaxis]
        kept: Flags = np.all((value_mw <= high) & (value_mw >= low), axis=0)
        return kept

    def kept(self, hour: GateHour, output_mw: Vector, bus: int, load_mw: float) -> tuple[Flags, Broken]:
        """Return in which cases of no or a branch outage (1 + J,) a dispatch keeps every limit, and what it breaks."""
        broken = self.broken(*hour.rows_mw(output_mw, bus, load_mw))
        kept = np.ones(1 + self.model.branch_cases, dtype=np.bool_)
        kept[broken.case] = False
        return kept, broken


def _at(value: Vector, place: Integers) -> Vector:
    return value[place] if len(value) else np.zeros(len(place))


def _hair(limit_mw: Vector) -> Vector:
    return np.where(np.isfinite(limit_mw), KEPT * (1.0 + np.abs(limit_mw)), 0.0)
