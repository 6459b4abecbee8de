"""What the verdicts at the loads that were screened prove of every other load: sizes between them cost nothing.

The loads that keep every limit at one bus after one outage in one hour are an interval. So a load between two that
pass passes; and where one passes, whatever lies beyond one that fails, on the same side, fails. No load at all counts
as one that was screened. What is not proved stays open: the pass rate of such a size is a bracket.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.errors import QuestionError
from engine.network.model import Matrix, Vector
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED, Bits, GateResult, HourVerdicts

_SAME_MW = 1e-6


@dataclass(frozen=True, eq=False)
class Between:
    """Shares of the contingencies that certainly pass, and fail: at each load screened, and between two of them."""

    result: GateResult
    passed: tuple[Matrix | None, ...]  # (T,) of (2 V + 1, C): below the first, at it, between, ..., above the last
    failed: tuple[Matrix | None, ...]

    @classmethod
    def of(cls, result: GateResult) -> Self:
        """Return what the verdicts prove of every load."""
        found = [None if known is None else _of_hour(result, known) for known in result.verdicts]
        return cls(
            result,
            tuple(None if one is None else one[0] for one in found),
            tuple(None if one is None else one[1] for one in found),
        )

    def pass_rate(self, envelope: str, nameplate_mw: float) -> tuple[Vector, Vector]:
        """Return bounds (C,) on the pass rate of any nameplate. Raises QuestionError for an envelope not screened."""
        result = self.result
        own = next((one for one in result.envelopes if one.name == envelope), None)
        if own is None or not nameplate_mw >= 0.0:
            raise QuestionError(f"no envelope {envelope!r} was screened, or {nameplate_mw:g} MW is no size")
        load = result.level_mw(own, nameplate_mw)
        low, high = np.zeros(len(result.buses)), np.ones(len(result.buses))
        for hour, weight in enumerate(result.hour_weight.tolist()):
            known, passed, failed = result.verdicts[hour], self.passed[hour], self.failed[hour]
            if known is not None and passed is not None and failed is not None:
                place = _place(known.levels_mw, float(load[hour]))
                low += weight * passed[place]
                high -= weight * failed[place]
        return low, np.maximum(low, high)

    def qualified(self, envelope: str, nameplate_mw: float, threshold: float) -> npt.NDArray[np.int8]:
        """Return (C,): 1 where the pass rate reaches the threshold, 0 where it cannot, -1 where that is open."""
        low, high = self.pass_rate(envelope, nameplate_mw)
        wanted = threshold - 1e-12
        return np.where(low >= wanted, PASSED, np.where(high < wanted, FAILED, UNDECIDED)).astype(np.int8)


def _place(levels_mw: Vector, load_mw: float) -> int:
    """Return the row of a load: 2 v + 1 for level v, 2 v below it, 2 V above the last."""
    nearest = int(np.abs(levels_mw - load_mw).argmin())
    if abs(levels_mw[nearest] - load_mw) <= _SAME_MW:
        return 2 * nearest + 1
    return 2 * int(np.searchsorted(levels_mw, load_mw))


def _of_hour(result: GateResult, known: HourVerdicts) -> tuple[Matrix, Matrix]:
    """Return the shares (2 V + 1, C) that certainly pass and fail."""
    count = len(known.levels_mw)
    at_zero: Bits = np.packbits(~known.base_fails)  # (bytes,)
    below = [np.broadcast_to(at_zero, known.passed.shape[1:])]  # some load up to level v passes; first: none at all
    for level in range(count):
        below.append(below[-1] | known.passed[level])
    above: list[Bits] = [np.zeros_like(known.passed[0])]
    for level in reversed(range(count)):
        above.append(above[-1] | known.passed[level])
    above.reverse()  # above[v]: some load from level v on passes
    beyond: list[Bits] = [np.zeros_like(known.passed[0])]  # beyond[v]: every load from level v - 1 on fails
    for level in range(count):
        beyond.append(beyond[-1] | (known.failed[level] & below[level]))
    short: list[Bits] = [np.zeros_like(known.passed[0])]  # ... up to the level fails
    for level in reversed(range(count)):
        short.append(short[-1] | (known.failed[level] & above[level + 1]))
    short.reverse()
    passed, failed = [], []
    for level in range(count + 1):
        passed.append(result.shares(below[level] & above[level]))
        failed.append(result.shares(beyond[level] | short[level]))
        if level < count:
            passed.append(result.shares(known.passed[level]))
            failed.append(result.shares(known.failed[level]))
    return np.array(passed), np.array(failed)
