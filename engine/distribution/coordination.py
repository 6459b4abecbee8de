"""Data centres that choose when and where to work, and an operator who answers with prices: the problem and an outcome.

The aggregator pays each centre's own price, reactive power included, for all that it draws; the operator's prices
follow from the draws. Where they are not determined the operator is taken to choose those that cost the aggregator
least (the optimistic bilevel problem); what they could cost at most is reported beside.
"""

import time
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.distribution.aggregator import Fleet
from engine.distribution.case import FeederCase
from engine.distribution.condense import TIE_SLOPE, followers
from engine.distribution.follower import Follower
from engine.distribution.frames import Matrix, Vector
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.workload import Workload

_EXCEEDS = 1e-7  # MW, or p.u. squared: what exceeds a limit by less is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Coordination:
    """One day's problem: the work to do, and each hour's follower."""

    case: FeederCase
    fleet: Fleet
    options: DsoOptions
    followers: tuple[Follower, ...]  # (T,)
    tie_slope: float

    @classmethod
    def of(
        cls,
        case: FeederCase,
        workload: Workload,
        options: DsoOptions | None = None,
        points: Point | tuple[Point, ...] | None = None,
        *,
        tie_slope: float = TIE_SLOPE,
    ) -> Self:
        """Return the problem. Raises what the fleet and the followers raise."""
        chosen = options or DsoOptions()
        fleet = Fleet.of(case, workload)
        return cls(case, fleet, chosen, followers(case, chosen, points, tie_slope=tie_slope), tie_slope)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one method decides, judged by the operator's own program, not by the method's."""

    method: str
    point: Vector  # (n,), of the fleet's polyhedron
    draws_mw: Matrix  # (T, J)
    price_per_mwh: Matrix  # (T, J), of each centre, reactive power included
    payment: Vector  # (T,), $
    payment_most: Vector  # (T,), with the prices that cost the aggregator most
    penalised: Vector  # (T,), $, the payment of hours in which the operator exceeds a limit at its penalty; else 0
    delay_cost: float  # $
    system_cost: float  # $, of the operator, penalties included
    bound: float  # $: no draws cost the aggregator less; -inf where the method has none
    status: str
    time_s: float
    processor_s: float
    notes: tuple[str, ...] = ()

    @property
    def objective(self) -> float:
        """Return what the aggregator pays, delay included, $."""
        return float(self.payment.sum()) + self.delay_cost

    @property
    def gap(self) -> float:
        """Return how far the bound is, relative to the objective."""
        return (self.objective - self.bound) / max(1.0, abs(self.objective))


@dataclass(slots=True)
class Clock:
    """Wall and processor time since it was made."""

    wall: float
    processor: float

    @classmethod
    def start(cls) -> Self:
        """Return a clock that starts now."""
        return cls(time.perf_counter(), time.process_time())

    def read(self) -> tuple[float, float]:
        """Return wall and processor seconds."""
        return time.perf_counter() - self.wall, time.process_time() - self.processor


def counted(count: int, word: str, more: str = "") -> str:
    """Return a count with its word, ``more`` or an s behind it where there are several."""
    return f"{count} {word if count == 1 else more or word + 's'}"


def judge(
    problem: Coordination, method: str, point: Vector, told: tuple[float, str, Clock], notes: tuple[str, ...] = ()
) -> Outcome:
    """Return the outcome of a point (n,) of the fleet. ``told``: the method's bound, its status and its clock."""
    bound, status, clock = told
    times = clock.read()
    draws = problem.fleet.draws(point)
    ends = [follower.price_range(x) for follower, x in zip(problem.followers, draws, strict=True)]
    payment = np.array([low.payment(x) for (low, _), x in zip(ends, draws, strict=True)])
    # What exceeds a limit is priced at the penalty, and so is all that is drawn behind it.
    over = [bool((low.z[f.slack] > _EXCEEDS).any()) for f, (low, _) in zip(problem.followers, ends, strict=True)]
    return Outcome(
        method=method,
        point=point,
        draws_mw=draws,
        price_per_mwh=np.array([low.price for low, _ in ends]),
        payment=payment,
        payment_most=np.array([high.payment(x) for (_, high), x in zip(ends, draws, strict=True)]),
        penalised=np.where(over, payment, 0.0),
        delay_cost=float(problem.fleet.delay_cost @ point),
        system_cost=float(sum(low.value for low, _ in ends)),
        bound=bound,
        status=status,
        time_s=times[0],
        processor_s=times[1],
        notes=notes,
    )
