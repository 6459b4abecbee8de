"""How far a commitment is to go, and what came of it: a schedule with its proof, or in words why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from engine.commitment.instance import InitialState, Instance
from engine.commitment.model import BREACHES
from engine.commitment.sced import Dispatch, whole_on
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix
from engine.program import SOLVER

_WORDS = {
    "short": "MW of load cannot be supplied",
    "surplus": "MW of least output have nowhere to go",
    "reserve": "MW of reserve are lacking",
    "ahead": "MW are over a limit on flows",
    "behind": "MW are over a limit on flows",
}
_NOTHING = 1e-6  # $, rounding


@dataclass(frozen=True, slots=True)
class Effort:
    """How far to go."""

    gap: float  # (cost - bound) / cost
    time_limit_s: float = 300.0  # wall clock, of one day
    seed: int = 0  # of the integer program's solver


BASE, SITE = Effort(1e-4), Effort(3e-4)


class End(StrEnum):
    """How a commitment ended. Only the first is a schedule with the proof that was asked for."""

    WITHIN_GAP = "within gap"
    WIDER_GAP = "wider gap"  # everything was looked at, and costs in straight pieces leave more than was asked
    TIME_LIMIT = "time limit"
    INFEASIBLE = "infeasible"
    REFUSED = "refused"  # by the judge of schedules: there was one, and it does not hold


@dataclass(frozen=True, slots=True, eq=False)
class Commitment:
    """The end of one commitment; without a schedule ``on`` and ``dispatch`` are None and the cost infinite."""

    status: End
    reason: str  # in words: what is short, or what ran out
    on: Flags | None  # (T, N), of the units that are committed
    dispatch: Dispatch | None
    cost: float  # $, exact
    bound: float  # $, no schedule costs less
    bound_by: str  # "prices" or "prices of parts" (weak duality, checked by hand), "branch and bound" (solver's word)
    effort: Effort
    time_s: float
    times_s: dict[str, float] = field(default_factory=dict)  # of the steps, wall clock
    fractional: int = 0  # unit hours that the relaxation left in part
    solver: str = SOLVER

    @property
    def gap(self) -> float:
        """Return (cost - bound) / cost; infinite without a schedule."""
        return gap_between(self.cost, self.bound)

    @property
    def lmp(self) -> Matrix:
        """Return the prices (T, B), $/MWh. Raises QuestionError where there is no schedule."""
        return self._dispatched().lmp

    @property
    def mu(self) -> Matrix:
        """Return (T, L): mu+ plus mu- of each branch, $/MWh. Raises QuestionError where there is no schedule."""
        return self._dispatched().branch_price()

    def running(self, instance: Instance) -> Flags:
        """Return (T, G): which units run, those always on among them."""
        self._dispatched()
        assert self.on is not None  # noqa: S101 (a schedule has both)
        return whole_on(instance, self.on)

    def last_state(self, instance: Instance) -> InitialState:
        """Return what runs in the last hour, for the day that follows."""
        return last_state(instance, self.running(instance), self._dispatched().output_mw)

    def _dispatched(self) -> Dispatch:
        if self.dispatch is None:
            raise QuestionError(f"there is no schedule: {self.reason}")
        return self.dispatch


def gap_between(cost: float, bound: float) -> float:
    """Return (cost - bound) / |cost|; infinite without a schedule; of no cost 0, or infinite with a bound below it."""
    if not np.isfinite(cost):
        return np.inf
    if cost == 0.0:
        return 0.0 if bound >= -_NOTHING else np.inf
    return (cost - bound) / abs(cost)


def dearest_within(bound: float, gap: float) -> float:
    """Return the highest cost whose distance to ``bound`` is at most ``gap`` of itself."""
    return bound / (1.0 - gap * float(np.sign(bound)))


def last_state(instance: Instance, running: Flags, output_mw: Matrix) -> InitialState:
    """Return what runs (T, G) in the last hour and for how long, the hours before the first included where known."""
    same = (running == running[-1])[::-1]
    hours = np.where(same.all(axis=0), len(running), np.argmin(same, axis=0))
    initial = instance.initial
    if initial is None:  # free: whatever was so all day may have been so for long
        hours = np.where(same.all(axis=0), np.maximum(hours, 24), hours)
    else:
        hours = hours + np.where(same.all(axis=0) & (initial.on == running[-1]), initial.hours, 0)
    return InitialState(running[-1].copy(), hours.astype(np.intp), np.where(running[-1], output_mw[-1], 0.0))


def breach_words(labels: Sequence[str], breach_mw: Matrix) -> str:
    """Return what is broken most, and in how many hours, from the breaches (T, 5)."""
    hour, kind = np.unravel_index(int(np.argmax(breach_mw)), breach_mw.shape)
    count = int((breach_mw > 0.0).any(axis=1).sum())
    more = f"; {count} hours fall short" if count > 1 else ""
    return f"in hour {labels[int(hour)]} at least {breach_mw[hour, kind]:,.1f} {_WORDS[BREACHES[int(kind)]]}{more}"


def no_time(effort: Effort, bound: float, seconds: float, reason: str) -> Commitment:
    """Return the end of a commitment whose time was over before it had a schedule."""
    return Commitment(End.TIME_LIMIT, reason, None, None, np.inf, bound, "prices", effort, seconds)
