"""The noise floor: how far prices move although nothing that matters has changed.

A commitment within a gap of 0.01 % is one of many. Each sample solves the same day again with every cost changed by a
random share of the size of the gap asked, keeps the schedule if it is as good as the first can be told to be, gives it
room (:mod:`engine.commitment.room`) as the day itself has it, and prices it with the true costs. As good is: within the
first schedule's own gap plus the gap asked; on a day that was not proved so far, what is a little dearer than the first
is no worse for all that is known. Where an integer program gives none in its time, walks from the first schedule take
its place (:mod:`engine.commitment.walking`): they stay nearer to the first. Two more dispatches have the first
commitment and a load a hair larger and smaller: where duals are degenerate, prices jump between them. A difference
between two sites below this spread says nothing; with fewer than :data:`LEAST_ACCEPTED` samples kept the spread is not
known.
"""

from collections.abc import Callable, Mapping, Sequence
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
from engine.commitment.walking import Walk
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix, Vector
from engine.program import Status

Metrics = Callable[[Dispatch], Mapping[str, float]]

_HAIR = 1e-6  # share of the load
_CLEAR = 100.0  # $: hours that cost less to decide otherwise may come out otherwise
_SHARE = 0.3  # of the gap, for the integer program
_HALF = 0.5  # of the time, for the integer program
LEAST_ACCEPTED = 3  # samples, below which the spread of schedules is not known


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """S schedules that are as good as the first, which is one of them, and their prices."""

    lmp: Matrix  # (S, T, B), $/MWh
    cost: Vector  # (S,), $
    commitments: int  # different ones among them
    refused: int  # samples outside the gap, or none found in time, not counted in S
    duals: Matrix  # (2, T, B), prices of the first commitment a hair below and above its load
    metrics: Mapping[str, Vector]  # (S,) of each metric asked for
    ends: Mapping[str, Vector]  # (2,) of each metric asked for, at both prices of ``duals``

    @property
    def accepted(self) -> int:
        """Return how many samples count beside the first schedule."""
        return len(self.cost) - 1

    @property
    def known(self) -> bool:
        """Return whether enough samples count to tell a spread."""
        return self.accepted >= LEAST_ACCEPTED

    def spread(self) -> Vector:
        """Return (T,): largest less least mean price of each hour, $/MWh, over commitments and one-sided duals."""
        mean = np.nanmean(np.concatenate([self.lmp, self.duals]), axis=2)
        return np.asarray(mean.max(axis=0) - mean.min(axis=0), dtype=np.float64)

    def floor(self, name: str) -> float:
        """Return the spread of a metric, nan where too few samples count.

        The larger of the interquartile range over schedules and the distance of the first schedule's own ends: the
        floor contains what degenerate duals alone give.
        """
        if not self.known:
            return float("nan")
        low, high = np.quantile(self.metrics[name], [0.25, 0.75])
        own = np.append(self.ends[name], self.metrics[name][0])
        return float(max(high - low, own.max() - own.min()))


def noise(  # noqa: PLR0913 (each of these is one choice, by name)
    base: BaseCommitment,
    *,
    gap: float = 0.0,
    samples: int = 8,
    metrics: Metrics | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
) -> Noise:
    """Return the spread of ``samples`` re-solves of a day. Raises QuestionError without a schedule.

    ``gap`` is the gap asked of what the floor is to judge, such as days with a site: the larger of it and the day's own
    counts. Each sample has ``time_limit_s``, by default the day's own limit; what it has found by then is taken if it
    is good enough.
    """
    first, relaxed, instance = base.commitment, base.relaxed, base.instance
    if first.dispatch is None or first.on is None or relaxed is None:
        raise QuestionError(f"the day has no schedule: {first.reason}")
    asked, hints = max(gap, first.effort.gap), first.dispatch.hints
    limit_s = first.effort.time_limit_s if time_limit_s is None else time_limit_s
    most = dearest_within(first.bound, first.gap + asked)
    found: list[Dispatch] = [first.dispatch]
    ways: list[Flags] = [first.on]

    def dispatched(on: Flags) -> Dispatch:
        return dispatch(instance, on, hints)

    flip = lower_bound(instance, relaxed.prices).flip
    free = (flip <= _CLEAR) | (np.abs(relaxed.on - np.round(relaxed.on)) > 1e-6) | ((relaxed.on > 0.5) != first.on)
    walk, ends = Walk.of(instance, relaxed.prices, most - first.cost), True
    for sample in range(samples):
        on = _another(base, free, asked, seed + sample, _HALF * limit_s) if ends else None
        answer = None if on is None else dispatched(on)
        if answer is None or on is None or answer.status is not Status.OPTIMAL or answer.cost > most:
            ends = walk is None  # what did not suffice once is not tried again, where there is another way
            other = (
                None
                if walk is None
                else walk.another(
                    first.on, most=most, seed=seed + sample, dispatched=dispatched, time_limit_s=_HALF * limit_s
                )
            )
            if other is None:
                continue
            on, answer = other
        on, answer = with_room(instance, relaxed.prices, on, answer, most=most, dispatched=dispatched)
        found.append(answer)
        ways.append(on)
    sides = [_priced(base, first.on, first.dispatch, sign * _HAIR) for sign in (-1.0, 1.0)]
    return Noise(
        lmp=np.stack([each.lmp for each in found]),
        cost=np.array([each.cost for each in found]),
        commitments=len({on.tobytes() for on in ways}),
        refused=samples + 1 - len(found),
        duals=np.stack([each.lmp for each in sides]),
        metrics=_measured(metrics, found),
        ends=_measured(metrics, sides),
    )


def _measured(metrics: Metrics | None, found: Sequence[Dispatch]) -> dict[str, Vector]:
    """Return each metric (S,) of S dispatches."""
    if metrics is None:
        return {}
    every = [metrics(each) for each in found]
    return {name: np.array([one[name] for one in every], dtype=np.float64) for name in every[0]}


def _another(base: BaseCommitment, free: Flags, gap: float, seed: int, limit_s: float) -> Flags | None:
    """Return the best commitment (T, N) at costs changed by a random share of about the gap; None without one in time.

    The schedule that a search began with is no answer of it when the time was over.
    """
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
    begun = start is not None and np.array_equal(answer.x[whole], start[whole])
    if begun and answer.status is not Status.OPTIMAL:
        return None
    if kinds is None:
        return np.asarray(answer.x[x] > 0.5)
    found = kinds.schedule(answer.x)
    for kind in kinds.kinds:  # any of them will do
        found[:, kind] = found[:, rng.permutation(kind)]
    return found


def _priced(base: BaseCommitment, on: Flags, first: Dispatch, share: float) -> Dispatch:
    """Return the dispatch with the load changed by a share; that of the load itself where that is infeasible."""
    case = base.instance.case
    changed = replace(base.instance, case=replace(case, demand_mw=case.demand_mw * (1.0 + share)))
    found = dispatch(changed, on, first.hints)
    return found if found.status is Status.OPTIMAL else first
