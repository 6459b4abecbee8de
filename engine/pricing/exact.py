"""The operator's best prices, exactly: an integer program with the hubs' conditions of optimality as its rows.

Of linear hubs it decides ties for the operator (the optimistic bilevel problem); quadratic ones have one answer only.
Prices enter the conditions linearly and nothing in the objective multiplies a price by a quantity, so the yes or no of
each bound is all that is not convex.

How large the multipliers of bounds may be is derived from the most that a hub's costs and prices let a MWh be worth,
proved for as many of them as the time allows (:func:`engine.pricing.tighten.tightened`), and verified: an answer in
which one that is not proved comes near its end is solved again with twice as much. :attr:`Exact.guessed` counts those.

The search takes turns: the hubs one after the other, the others' yes and no kept as they are; the integer program of
all until its share of the time is over; then what no better answer can do, which makes ranges smaller; the program
again.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.commitment.integer import IntegerAnswer, solve_integer
from engine.commitment.outcome import Effort
from engine.errors import SolverError
from engine.network.model import Flags, Matrix, Vector
from engine.pricing.answered import Answered
from engine.pricing.central import Joint
from engine.pricing.kkt import Conditions, Ranges, Reach
from engine.pricing.program import HubProgram
from engine.pricing.tighten import tightened
from engine.program import LinearProgram, Status

_NEAR = 0.99  # of what a multiplier may be: nearer than that, it may have been held back
_DOUBLINGS = 6
_HUBS, _FIRST, _TIGHTENING = 0.3, 0.2, 0.5  # of the time that is left, for each of the turns
_BEGINNING = 0.1  # of the time, for better prices of what is known beforehand
_HOLDS = 1e-6  # of a row or a bound, relative to 1 + its size: a known point that misses none by more is one
_EACH, _PASSES = 0.02, 4  # of all time, for one hub; so often at most in turn
_ROUNDS = 3  # of tightening
_ROOM = 1e-6  # relative: two solvers' roundings of one objective
_KEPT = 1e-3  # of 1 + |objective|: what moves by less is not kept as a mark of its own


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a search is."""

    at_s: float  # since it began
    objective: float  # $, the best so far
    bound: float  # $

    def moved(self, before: "Mark") -> bool:
        """Return whether it says something else than the one before."""
        most = max(abs(self.objective - before.objective), abs(self.bound - before.bound))
        return most > _KEPT * (1.0 + abs(self.objective))


Tick = Callable[[tuple[Mark, ...]], None]  # the marks that are kept, and last of all how far the search is now


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The best prices, as far as they were proved."""

    price: Matrix  # (K, T)
    points: tuple[Vector, ...]  # (I,), what hubs do; of linear hubs what is best for the operator
    withdrawal_mw: Matrix  # (I, T)
    objective: float  # $
    bound: float  # $: no prices reach less, as long as no guessed multiplier needs more than it was let be
    gap: float  # (objective - bound) / max(1, objective)
    status: Status
    decisions: int  # yes or no, in the program
    guessed: int  # multipliers whose end is not proved
    doubled: int  # times that what those may be was doubled
    marks: tuple[Mark, ...]  # of the search, in their order; the bound may fall where its ends were doubled
    time_s: float


def exact_prices(
    joint: Joint,
    effort: Effort,
    *,
    quadratic: bool,
    starts: Sequence[Answered] = (),
    tick: Tick | None = None,
) -> Exact:
    """Return the best prices for linear hubs, or quadratic ones, within the effort's gap or time.

    ``starts``: prices with the hubs' answers to them; the search begins with the best of them, so that with one it ends
    with a point and a bound however short the time is. ``tick`` is told how far the search is, once there is a point;
    what it raises ends the search. Raises InfeasibleError naming what hubs cannot meet, SolverError where nothing is
    found in time.
    """
    begin = time.perf_counter()
    search = _Search(joint, effort, quadratic, begin, tick)
    search.begin_with(starts)
    doubled, held = 0, False
    while True:
        search.run()
        held = search.touched()
        if not held or doubled == _DOUBLINGS or search.left() <= 0.0:
            break
        search.worth *= 2.0
        doubled += 1
    if not np.isfinite(search.objective):
        raise SolverError(f"no prices were found in {effort.time_limit_s:g} s")
    x = search.x[search.asked.place["hubs"]]
    bound = search.floor if held else search.bound
    gap = (search.objective - bound) / max(1.0, abs(search.objective))
    marks = (*search.marks, Mark(time.perf_counter() - begin, search.objective, bound))
    status = Status.OTHER if held else Status.OPTIMAL if gap <= effort.gap else Status.TIME_LIMIT
    return Exact(
        search.asked.price(search.x), joint.points(x), joint.withdrawal(x), search.objective, bound, gap, status,
        len(search.asked.whole), int(search.guessed().sum()), doubled, marks, marks[-1].at_s,
    )  # fmt: skip


class _Search:
    """One search, begun at ``begin`` of the performance counter: the best point so far, and what is proved."""

    def __init__(self, joint: Joint, effort: Effort, quadratic: bool, begin: float, tick: Tick | None) -> None:
        self.effort, self.begin, self.end, self.tick = effort, begin, begin + effort.time_limit_s, tick
        self.marks: list[Mark] = []
        self.floor = joint.solved(joint.program(joint.weight)).objective
        self.asked = Conditions(joint, Reach.of(joint), quadratic=quadratic)
        self.proved = self.asked.ranges()
        worth = np.array([most_worth(joint, own) for own in joint.programs])
        self.worth = np.full(self.asked.width, np.inf)  # what each multiplier may be, where less is not proved
        self.worth[self.asked.multipliers] = worth[self.asked.hub_of]
        self.x, self.objective, self.bound = np.zeros(self.asked.width), np.inf, self.floor

    def left(self) -> float:
        """Return the time that is left, s."""
        return self.end - time.perf_counter()

    def guessed(self) -> Flags:
        """Return which columns (V,) have an end that is not proved."""
        return self.worth < self.proved.upper

    def touched(self) -> bool:
        """Return whether a multiplier comes near an end that is not proved, or nothing was found within such ends."""
        guessed = self.guessed()
        return bool((self.x > _NEAR * self.worth)[guessed].any()) or not np.isfinite(self.objective)

    def ranges(self) -> Ranges:
        """Return the ranges to search."""
        return Ranges(self.proved.lower, np.minimum(self.proved.upper, self.worth))

    def mark(self, objective: float = np.inf, bound: float = -np.inf) -> None:
        """Tell how far the search is, with what a program on its way has found; what moved is kept."""
        best = min(self.objective, objective)
        if not np.isfinite(best):
            return
        now = Mark(time.perf_counter() - self.begin, best, min(max(self.bound, bound), best))
        if not self.marks or now.moved(self.marks[-1]):
            self.marks.append(now)
        if self.tick is not None:
            self.tick((*self.marks, now))

    def begin_with(self, starts: Sequence[Answered]) -> None:
        """Take the best of some points, and better prices for what hubs do at each."""
        none, ranges = np.zeros(len(self.asked.whole), dtype=np.bool_), self.ranges()
        program = self.asked.program(self.floor, ranges)
        begun = [self.asked.begun(known) for known in starts]
        for x in begun:
            if _missed(program, x) <= _HOLDS:
                self._take(IntegerAnswer(Status.OTHER, x, program.objective(x), -np.inf, "known beforehand"))
        for number, x in enumerate(begun):
            self._take(self._kept(x, none, _BEGINNING * self.left() / (len(begun) - number)))

    def run(self) -> None:
        """Search until the gap is small enough or the time is over. Raises SolverError where nothing is found."""
        self.bound = self.floor
        if np.isfinite(self.objective):
            self._by_hubs(time.perf_counter() + _HUBS * self.left())
        self._all(_FIRST * self.left())
        if not np.isfinite(self.objective) and not self._all(self.left()):
            return
        until = time.perf_counter() + _TIGHTENING * self.left()
        kept = self.proved
        for _ in range(_ROUNDS):
            if self._near() or time.perf_counter() >= until:
                break
            self._tighten(until)
        if not self._near():
            self._all(self.left())
        if self.touched():  # what was concluded rests on an end that did not hold
            self.proved = kept

    def _by_hubs(self, until: float) -> None:
        """Improve one hub after the other, until a pass of all brings nothing."""
        hubs = self.asked.hub_of
        for _ in range(_PASSES):
            before = self.objective
            for hub in range(int(hubs.max(initial=-1)) + 1):
                if time.perf_counter() >= until:
                    return
                limit = min(_EACH * self.effort.time_limit_s, until - time.perf_counter())
                self._take(self._kept(self.x, hubs == hub, limit))
            if before - self.objective <= self.effort.gap * max(1.0, abs(self.objective)):
                return

    def _kept(self, x: Vector, free: Flags, time_limit_s: float) -> IntegerAnswer:
        """Return the best answer with all yes and no but the free ones (D,) as in a point."""
        ranges, fixed = self.ranges(), self.asked.whole[~free]
        lower, upper = ranges.lower.copy(), ranges.upper.copy()
        lower[fixed] = upper[fixed] = np.round(x[fixed])
        return self._integer(Ranges(lower, upper), time_limit_s, x, proves=False)

    def _all(self, time_limit_s: float) -> bool:
        """Search all decisions; return whether a point is known. Raises SolverError where the time was too short."""
        start = self.x if np.isfinite(self.objective) else None
        found = self._integer(self.ranges(), time_limit_s, start, proves=True)
        known = self.objective
        self._take(found)
        if not np.isfinite(self.objective) and found.status is not Status.INFEASIBLE and self.left() <= 0.0:
            raise SolverError(f"no prices were found in {self.effort.time_limit_s:g} s: {found.message}")
        # Ranges hold all that is better than the known point: where there is nothing, that one is the best.
        nothing = found.status is Status.INFEASIBLE and np.isfinite(known)
        proved = known - _ROOM * (1.0 + abs(known)) if nothing else min(found.bound, known)
        self.bound = max(self.bound, proved)
        self.mark()
        return bool(np.isfinite(self.objective))

    def _take(self, found: IntegerAnswer) -> None:
        if found.objective < self.objective:
            self.x, self.objective = found.x, found.objective
            self.mark()

    def _tighten(self, until: float) -> None:
        """Make ranges smaller by what no better answer can do, of multipliers from what is proved alone."""
        asked = self.asked
        order = np.concatenate([asked.multipliers, asked.place["prices"], np.arange(asked.count), asked.whole])
        self.proved = tightened(
            asked, self.proved, self.floor, order, most=self.objective, until=until, tick=self.mark
        )  # fmt: skip

    def _near(self) -> bool:
        return self.objective - self.bound <= self.effort.gap * max(1.0, abs(self.objective))

    def _integer(
        self, ranges: Ranges, time_limit_s: float, start: Vector | None, *, proves: bool
    ) -> IntegerAnswer:  # fmt: skip
        """Return the answer within ranges; its bound is one of all prices where it ``proves``."""
        raised: list[BaseException] = []
        bound = -np.inf

        def hear(event: Any) -> None:
            nonlocal bound
            told = event.data_out
            bound = max(bound, told.mip_dual_bound)
            try:
                self.mark(told.mip_primal_bound, told.mip_dual_bound if proves else -np.inf)
            except BaseException as problem:  # noqa: BLE001 (it must not pass through the solver: raised below)
                raised.append(problem)
                event.interrupt()

        found = solve_integer(
            self.asked.program(self.floor, ranges), self.asked.whole, gap=self.effort.gap, time_limit_s=time_limit_s,
            seed=self.effort.seed, start=start, watch=lambda solver: solver.cbMipInterrupt.subscribe(hear),
        )  # fmt: skip
        if raised:
            raise raised[0]
        # Without a point of its own the solver's answer has no bound, though it had proved one on its way.
        return found if np.isfinite(found.objective) else replace(found, bound=max(found.bound, bound))


def _missed(program: LinearProgram, x: Vector) -> float:
    """Return what a point misses a row or a bound by at most, relative to 1 + the bound's size."""
    rows = program.matrix @ x
    ends = ((x, program.lower, program.upper), (rows, program.row_lower, program.row_upper))
    return max(
        float((np.maximum(sign * (end - values), 0.0) / (1.0 + np.abs(end)))[np.isfinite(end)].max(initial=0.0))
        for values, lower, upper in ends
        for sign, end in ((1.0, lower), (-1.0, upper))
    )


def most_worth(joint: Joint, own: HubProgram) -> float:
    """Return the most that a hub's costs and prices let a MWh be worth, $, through every asset once."""
    prices, entries = joint.case.prices, np.abs(own.matrix.data)
    slope = np.abs(own.cost) + own.curved * np.maximum(np.abs(own.lower), np.abs(own.upper))
    dearest = float(slope.max()) / own.step_h + max(-prices.least, prices.most)
    return dearest * float(entries.max()) / float(entries.min()) * max(own.step_h, 1.0)
