"""Screening of outages: which limits could be, or are, broken, without looking at every pair of branch and outage.

Most outage factors are tiny. Those of 2 % or more are kept as pairs and looked at one by one; the others together
move no more than the largest of them times the largest flow lost, and only on branches where that could reach a
limit are they looked at too. So the answer is that of all pairs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from engine.network.model import Integers, Matrix, Vector

if TYPE_CHECKING:
    from engine.network.outages import Outages

SMALL_FACTOR = 0.02  # outage factors below this are bounded
_BLOCK = 256  # branches looked at as a whole, at a time


@dataclass(frozen=True, slots=True, eq=False)
class BrokenLimits:
    """Limits broken after outages, the furthest first: n pairs of a row and an outage."""

    row: Integers  # (n,), position of the branch, or of the row that was asked about
    outage: Integers  # (n,)
    flow_mw: Vector  # (n,), after the outage
    excess_mw: Vector  # (n,), beyond the limit, positive

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class LargeFactors:
    """The pairs of a branch and an outage with a factor of 2 % or more, and a bound on what the others move."""

    start: Integers  # (L + 1,), where the pairs of each branch begin
    outage: npt.NDArray[np.int32]  # (P,)
    factor: Matrix  # (P,), or (P, m) where outages lose up to m branches
    column: npt.NDArray[np.int32]  # (P,) or (P, m), places of the lost branches among J
    dropped: Vector  # (L,), the largest factor that is not among the pairs

    @classmethod
    def of(cls, outages: "Outages") -> Self:
        """Sort the factors of ``outages`` into those looked at and those bounded."""
        sizes = np.diff(outages.first)
        width = int(sizes.max(initial=1))
        place = np.arange(width)
        # A place beyond an outage's last branch repeats the first one with a factor of zero.
        column = np.where(
            place < sizes[:, np.newaxis], outages.first[:-1, np.newaxis] + place, outages.first[:-1, np.newaxis]
        )
        counts, found, factor, dropped = [], [], [], []
        for start, block in outages.blocks():
            size = np.abs(block)
            if outages.several:
                size = np.maximum.reduceat(size, outages.first[:-1], axis=1)
            lost = outages.own_losses(np.arange(start, start + len(block)))
            size[lost] = 0.0
            row, outage = np.nonzero(size >= SMALL_FACTOR)
            counts.append(np.bincount(row, minlength=len(block)))
            found.append(outage.astype(np.int32))
            values = block[row[:, np.newaxis], column[outage]]
            values[place >= sizes[outage][:, np.newaxis]] = 0.0
            factor.append(values)
            size[row, outage] = 0.0
            dropped.append(size.max(axis=1, initial=0.0))
        pairs: npt.NDArray[np.int32] = np.concatenate(found).astype(np.int32)
        shape = (-1, width) if width > 1 else (-1,)
        return cls(
            start=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.intp),
            outage=pairs,
            factor=np.concatenate(factor).reshape(shape),
            column=column[pairs].reshape(shape).astype(np.int32),
            dropped=np.concatenate(dropped),
        )

    def screen(
        self, outages: "Outages", flow_mw: Vector, lower_mw: Vector, upper_mw: Vector, tolerance_mw: Vector | float
    ) -> BrokenLimits:
        """Return the limits, tolerance included, that outages break: the pairs here, and whole rows where needed."""
        lost_mw = flow_mw[outages.lost_branch]
        below, above = lower_mw - flow_mw, upper_mw - flow_mw  # changes that reach a limit
        most = outages.by_outage(np.abs(lost_mw)[np.newaxis]).max(initial=0.0)
        whole = self.dropped * most > np.minimum(above, -below)
        change = self.factor * lost_mw[self.column]
        if change.ndim == 2:
            change = change.sum(axis=1)
        sizes = np.diff(self.start)
        over = (change > np.repeat(np.where(whole, np.inf, above), sizes)) | (
            change < np.repeat(np.where(whole, -np.inf, below), sizes)
        )
        pair = np.flatnonzero(over)
        row = np.searchsorted(self.start, pair, side="right") - 1
        rows, losses, changes = [row], [self.outage[pair].astype(np.intp)], [change[pair]]
        left = np.flatnonzero(whole)
        for start in range(0, len(left), _BLOCK):
            block = left[start : start + _BLOCK]
            moved = outages.by_outage(outages.rows(block) * lost_mw)
            broken = (moved > above[block, np.newaxis]) | (moved < below[block, np.newaxis])
            broken[outages.own_losses(block)] = False
            at, outage = np.nonzero(broken)
            rows.append(block[at])
            losses.append(outage)
            changes.append(moved[at, outage])
        row, after = np.concatenate(rows), np.concatenate(changes)
        after = after + flow_mw[row]
        tolerance = np.broadcast_to(tolerance_mw, flow_mw.shape)[row]
        excess = np.maximum(after - upper_mw[row], lower_mw[row] - after) + tolerance
        return worst_first(row, np.concatenate(losses), after, excess)

    def within_reach(
        self, outages: "Outages", flow_mw: tuple[Vector, Vector], limit_mw: tuple[Vector, Vector]
    ) -> tuple[Integers, Integers]:
        """Return the pairs (branch, outage) whose bound passes a limit, see :meth:`Outages.within_reach`."""
        ahead, behind = (flow[outages.lost_branch] for flow in flow_mw)
        rooms = [limit - flow for limit, flow in zip(limit_mw, flow_mw, strict=True)]
        most = outages.by_outage(np.maximum(np.maximum(ahead, behind), 0.0)[np.newaxis]).max(initial=0.0)
        whole = self.dropped * most > np.minimum(*rooms)
        sizes = np.diff(self.start)
        passed = np.zeros(len(self.outage), dtype=np.bool_)
        for room, one, other in ((rooms[0], ahead, behind), (rooms[1], behind, ahead)):
            change = self.factor * np.where(self.factor > 0, one[self.column], -other[self.column])
            total = change if change.ndim == 1 else change.sum(axis=1)
            passed |= total > np.repeat(np.where(whole, np.inf, room), sizes)
        pair = np.flatnonzero(passed)
        rows, losses = [np.searchsorted(self.start, pair, side="right") - 1], [self.outage[pair].astype(np.intp)]
        left = np.flatnonzero(whole)
        for start in range(0, len(left), _BLOCK):
            block = left[start : start + _BLOCK]
            factor = outages.rows(block)
            up, down = np.maximum(factor, 0.0), np.maximum(-factor, 0.0)
            broken = outages.by_outage(up * ahead + down * behind) > rooms[0][block, np.newaxis]
            broken |= outages.by_outage(up * behind + down * ahead) > rooms[1][block, np.newaxis]
            broken[outages.own_losses(block)] = False
            at, outage = np.nonzero(broken)
            rows.append(block[at])
            losses.append(outage)
        return np.concatenate(rows), np.concatenate(losses)


def worst_first(row: Integers, outage: Integers, flow_mw: Vector, excess_mw: Vector) -> BrokenLimits:
    """Return pairs in order of falling excess."""
    order = np.argsort(-excess_mw, kind="stable")
    return BrokenLimits(row[order], outage[order], flow_mw[order], excess_mw[order])
