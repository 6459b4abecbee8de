"""The noise floor: how far prices move although nothing that matters has changed.

A commitment within a gap of 0.01 % is one of many. Each sample solves the same day again with every cost changed by a
random share of the size of the gap, keeps the schedule if its true cost is still within the gap of the bound, gives it
room (:mod:`engine.commitment.room`) as the day itself has it, and prices it with the true costs. Two more samples have
the first commitment and a load a hair larger and smaller: where duals are degenerate, prices jump between them. A
difference between two sites below this spread says nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.commitment.alike import Alike, suits
from engine.commitment.bound import lower_bound
from engine.commitment.integer import solve_integer
from engine.commitment.outcome import dearest_within
from engine.commitment.reduced import reduced
from engine.commitment.room import with_room
from engine.commitment.sced import Dispatch, dispatch
from engine.commitment.scuc import BaseCommitment
from engine.commitment.search import decided
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix, Vector
from engine.program import Status

Metrics = Callable[[Dispatch], Mapping[str, float]]

_HAIR = 1e-6  # share of the load
_CLEAR = 100.0  # $: hours that cost less to decide otherwise may come out otherwise
_SHARE = 0.3  # of the gap, for the integer program


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """S schedules that are as good as the first, which is one of them, and their prices."""

    lmp: Matrix  # (S, T, B), $/MWh
    cost: Vector  # (S,), $
    commitments: int  # different ones among them
    refused: int  # samples outside the gap, not counted in S
    duals: Matrix  # (2, T, B), prices of the first commitment a hair below and above its load
    metrics: Mapping[str, Vector]  # (S,) of each metric asked for

    def spread(self) -> Vector:
        """Return (T,): largest less least mean price of each hour, $/MWh, over commitments and one-sided duals."""
        mean = np.nanmean(np.concatenate([self.lmp, self.duals]), axis=2)
        return np.asarray(mean.max(axis=0) - mean.min(axis=0), dtype=np.float64)

    def floor(self, name: str) -> float:
        """Return the interquartile range of a metric over the samples."""
        low, high = np.quantile(self.metrics[name], [0.25, 0.75])
        return float(high - low)


def noise(
    base: BaseCommitment,
    *,
    samples: int = 8,
    metrics: Metrics | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
) -> Noise:
    """Return the spread of ``samples`` re-solves of a day within its gap. Raises QuestionError without a schedule.

    Each sample has ``time_limit_s``, by default the day's own limit; what it has found by then is taken if it is good
    enough.
    """
    first, relaxed, instance = base.commitment, base.relaxed, base.instance
    if first.dispatch is None or first.on is None or relaxed is None:
        raise QuestionError(f"the day has no schedule: {first.reason}")
    gap, hints = max(first.gap, first.effort.gap), first.dispatch.hints
    limit_s = first.effort.time_limit_s if time_limit_s is None else time_limit_s
    found: list[Dispatch] = [first.dispatch]
    ways: list[Flags] = [first.on]
    refused = 0

    def dispatched(on: Flags) -> Dispatch:
        return dispatch(instance, on, hints)

    flip = lower_bound(instance, relaxed.prices).flip
    free = (flip <= _CLEAR) | (np.abs(relaxed.on - np.round(relaxed.on)) > 1e-6) | ((relaxed.on > 0.5) != first.on)
    for sample in range(samples):
        on = _another(base, free, gap, seed + sample, limit_s)
        answer = None if on is None else dispatch(instance, on, hints)
        within = answer is not None and answer.status is Status.OPTIMAL
        if not within or answer is None or on is None or answer.cost - first.bound > gap * abs(answer.cost):
            refused += 1
            continue
        most = dearest_within(first.bound, gap)
        on, answer = with_room(instance, relaxed.prices, on, answer, most=most, dispatched=dispatched)
        found.append(answer)
        ways.append(on)
    sides = [_priced(base, first.on, first.dispatch, sign * _HAIR) for sign in (-1.0, 1.0)]
    measured = [dict(metrics(each)) for each in found] if metrics is not None else []
    return Noise(
        lmp=np.stack([each.lmp for each in found]),
        cost=np.array([each.cost for each in found]),
        commitments=len({on.tobytes() for on in ways}),
        refused=refused,
        duals=np.stack(sides),
        metrics={name: np.array([each[name] for each in measured]) for name in (measured[0] if measured else {})},
    )


def _another(base: BaseCommitment, free: Flags, gap: float, seed: int, limit_s: float) -> Flags | None:
    """Return the best commitment (T, N) at costs changed by a random share of about the gap."""
    relaxation, relaxed, on = base.relaxation, base.relaxed, base.commitment.on
    if on is None or relaxed is None:
        return None
    relaxation.reset()
    relaxation.set_loads(base.instance)
    kinds = Alike.of(relaxation, decided(relaxation, free, on)) if suits(relaxation) else None
    x, start = relaxation.model.place("x"), None
    if kinds is None:
        program, whole = reduced(relaxation, relaxed, free, on), np.sort(x[free])
    else:
        program, whole, start = kinds.program, kinds.whole, kinds.start(on)
    rng = np.random.default_rng(seed)
    cost = program.cost * (1.0 + gap * rng.standard_normal(len(program.cost)))
    changed = replace(program, cost=cost)
    answer = solve_integer(changed, whole, gap=_SHARE * gap, time_limit_s=limit_s, start=start, seed=seed)
    if not np.isfinite(answer.objective):
        return None
    if kinds is None:
        return np.asarray(answer.x[x] > 0.5)
    found = kinds.schedule(answer.x)
    for kind in kinds.kinds:  # any of them will do
        found[:, kind] = found[:, rng.permutation(kind)]
    return found


def _priced(base: BaseCommitment, on: Flags, first: Dispatch, share: float) -> Matrix:
    """Return the prices (T, B) with the load changed by a share; those of the load itself where that is infeasible."""
    case = base.instance.case
    changed = replace(base.instance, case=replace(case, demand_mw=case.demand_mw * (1.0 + share)))
    found = dispatch(changed, on, first.hints)
    return found.lmp if found.status is Status.OPTIMAL else first.lmp
