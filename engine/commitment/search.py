"""The search of a commitment: from the linear relaxation of a day to a schedule within the gap that is asked.

Steps and sources are told in :mod:`engine.commitment.scuc`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.commitment.alike import Alike, suits
from engine.commitment.bound import Bound, Prices, lower_bound
from engine.commitment.branching import Branching
from engine.commitment.choosing import Choosing
from engine.commitment.integer import solve_integer
from engine.commitment.menu import MOST_HOURS
from engine.commitment.outcome import Commitment, Effort, End, breach_words, dearest_within, gap_between, no_time
from engine.commitment.reduced import Nearness, reduced
from engine.commitment.relaxation import Relaxation, Relaxed
from engine.commitment.room import with_room
from engine.commitment.sced import Dispatch, Hints, dispatch, with_flows
from engine.errors import SolverError
from engine.network.model import Flags
from engine.program import LinearProgram, Status

_WHOLE = 1e-6
_WHOLE_PASSES = 6
_DISPATCH_S = 10.0  # that the dispatch of a schedule has at least: without it there is nothing to show
_WIDE = Nearness(2.0, 0.005, 50.0)  # behind limits that bind, units that hardly move a flow matter too
# Of an hour that costs more to decide otherwise, in $, the first passes do not ask; and what is near to them. The last
# passes have the whole program, and all hours that could matter.
_PASSES: tuple[tuple[float, Nearness | None], ...] = (
    (20.0, Nearness()),  # with a schedule that is probably near, more units start instead
    (20.0, _WIDE),
    (100.0, _WIDE),
    *[(0.0, None)] * _WHOLE_PASSES,  # until no answer breaks limits and ramps that were not looked at before
)
# A small day has one quick pass, so that there is a schedule to show when the time is over, then the whole program.
_SMALL_PASSES = (_PASSES[1], *_PASSES[-_WHOLE_PASSES:])
_LARGE = 5_000  # unit hours: of fewer, the integer programs are as quick, and go on to the end
_CHOOSING_SHARE = 0.7  # of the time that is left, for schedules from menus
_MORE = 100.0  # the same for units that may start in addition to those of the base day
_DIVISIONS = 12  # of the schedules after each of the first passes, to raise the bound
_LIFTED = 2.0  # times what is asked: a wider gap is one of the schedule, and no bound can mend it
_SHARE_OF_GAP = 0.3  # of what is asked, given to the integer program: the rest is for what it cannot see
_FIRST_SHARE = 0.7  # the same for the whole program at first: the rest is usually enough
_TARGET = 0.9  # of what is asked: a schedule so near the relaxation, whose costs are in pieces too, is enough


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """What one pass decides."""

    free: Flags  # (T, N)
    whole: Flags  # (T, N), what is on elsewhere
    near: Nearness | None  # None: the whole program


class Search:
    """From a relaxation to a schedule within the gap."""

    def __init__(
        self, relaxation: Relaxation, relaxed: Relaxed, effort: Effort, begin: float, given: Sequence[Prices] = ()
    ) -> None:
        self.relaxation, self.relaxed, self.effort = relaxation, relaxed, effort
        self.begin, self.end = begin, begin + effort.time_limit_s
        self.times = {"relaxation": time.perf_counter() - begin, "integer": 0.0, "dispatch": 0.0}
        self.best: Dispatch | None = None
        self.on: Flags | None = None
        self.hints: Hints | None = None
        self.share = _FIRST_SHARE
        self.given = given  # prices that teach the choice of units, learned at other loads
        self.learned: list[Prices] = []
        self.tried: list[Flags] = []  # (T, N) each, the choices that taught them
        self.all_asked = False  # all that could be better was looked at

    def run(self, known: Flags | None, hints: Hints | None = None) -> Commitment:
        """Return the commitment; ``known`` (T, N) is a schedule that is probably near."""
        relaxed = self.relaxed
        if not relaxed.kept:
            return self._short()
        bound = self._bounded(hints)
        partly = (relaxed.on > _WHOLE) & (relaxed.on < 1.0 - _WHOLE)
        small = suits(self.relaxation)
        if not small:
            self._begin(known, bound)
        tree = Branching(self.relaxation, relaxed, bound.value, self.end)
        for clear, near in _SMALL_PASSES if small else _PASSES[known is not None :]:
            if near is not None:
                self._lift(tree)
            if self._enough(near):
                break
            known = self.on if self.on is not None else known
            free = partly | (bound.flip <= (clear if near is not None else self.cost - bound.value))
            if known is not None:
                free |= np.abs(relaxed.on - known) > 0.5
            whole = relaxed.on > 0.5 if near is not None else bound.on
            if self._pass(_Choice(free, whole, near), known) is End.INFEASIBLE:
                return self._finished(End.INFEASIBLE, "no choice of units that run supplies the day", partly)
        if self._gap() <= self.effort.gap:
            self._make_room(tree)
            return self._finished(End.WITHIN_GAP, "", partly)
        if time.perf_counter() < self.end:
            return self._finished(End.WIDER_GAP, f"costs in straight pieces leave a gap of {self._gap():.2g}", partly)
        return self._finished(End.TIME_LIMIT, f"the gap is {self._gap():.2g} so far", partly)

    def _begin(self, known: Flags | None, bound: Bound) -> None:
        """Find a first schedule: from the units' menus, or else near ``known`` (T, N)."""
        relaxed = self.relaxed
        if self.relaxation.instance.hours <= MOST_HOURS and self.relaxation.model.place("x").size >= _LARGE:
            self._choose(bound)
        if known is not None and self.best is None:  # what runs without the load goes on, and more may start
            more = ~known & ((relaxed.on > _WHOLE) | (bound.flip <= _MORE))
            self._pass(_Choice(more, known, Nearness()), known)

    def _choose(self, bound: Bound) -> None:
        """Put schedules together from the units' menus, until one is near enough or most of the time is over."""
        now = time.perf_counter()
        end = now + _CHOOSING_SHARE * (self.end - now)
        wanted = self.effort.gap * abs(bound.value)
        spent = self.times["dispatch"]
        search = Choosing(self.relaxation.instance, self.relaxed.prices, wanted, self._evaluated, end, self.given)
        search.run(bound.value, self.relaxed.on > _WHOLE)
        self.learned, self.tried = search.learned, search.tried
        self.times["choosing"] = time.perf_counter() - now - (self.times["dispatch"] - spent)

    def _evaluated(self, on: Flags) -> tuple[float, Prices] | None:
        """Return what a choice (T, N) costs and its prices; infinite with those of breaches if it supplies too little.

        None if time runs out, or nothing can be learned.
        """
        found = self._dispatch(on)
        if found.status is Status.OPTIMAL:
            return found.cost, Prices(found.energy, found.reserve_price, found.flows, found.flow_price)
        begin, none = time.perf_counter(), np.zeros_like(on)
        self.relaxation.pin(on, ~on)
        try:
            relaxed = self.relaxation.solve(time_limit_s=max(self.end - begin, 0.0))
        except SolverError:
            return None
        finally:
            self.relaxation.pin(none, none)
            self.times["dispatch"] += time.perf_counter() - begin
        return None if relaxed is None else (np.inf, relaxed.prices)

    def again(self, known: Flags, tried: Sequence[Flags] = ()) -> Commitment:
        """Return the schedule ``known`` (T, N) with its cost, and the bound of the relaxation.

        What the choices ``tried`` (T, N) teach is learned again.
        """
        if not self.relaxed.kept:
            return self._short()
        self._bounded(None)
        for choice in tried:
            found = self._evaluated(choice)
            if found is not None:
                self.learned.append(found[1])
                self.tried.append(choice)
        self.best, self.on = None, None
        self._dispatch(known)
        partly = (self.relaxed.on > _WHOLE) & (self.relaxed.on < 1.0 - _WHOLE)
        if self._gap() <= self.effort.gap:
            return self._finished(End.WITHIN_GAP, "", partly)
        return self._finished(End.WIDER_GAP, "a schedule found before, bounded by the relaxation alone", partly)

    def _bounded(self, hints: Hints | None) -> Bound:
        """Return the bound that the prices of the relaxation prove, and note it with the limits that they price."""
        instance, prices = self.relaxation.instance, self.relaxed.prices
        bound = lower_bound(instance, prices)
        self.bound, self.bound_by = bound.value, "prices"
        flows = prices.flows.at(np.flatnonzero(np.abs(prices.limit) > _WHOLE))
        self.hints = with_flows(hints or Hints.none(instance), flows)
        return bound

    def _lift(self, tree: Branching) -> None:
        """Raise the bound by dividing the schedules, once there is one that is not near enough."""
        if not self.effort.gap < self._gap() <= _LIFTED * self.effort.gap:
            return
        self._raise(tree, self.cost)

    def _raise(self, tree: Branching, cost: float) -> None:
        """Divide the schedules until their bound is within the gap of ``cost``, if a few divisions suffice."""
        begin = time.perf_counter()
        value = tree.lift(cost - self.effort.gap * abs(cost), _DIVISIONS)
        if value > self.bound:
            self.bound, self.bound_by = min(value, self.cost), "prices of parts"
        self.times["bound"] = self.times.get("bound", 0.0) + time.perf_counter() - begin

    def _enough(self, near: Nearness | None) -> bool:
        """Return whether another pass, near the relaxation or not, is of no use, or too late."""
        if self._gap() <= self.effort.gap or time.perf_counter() >= self.end:
            return True
        return near is None and self.best is not None and self.all_asked

    def _gap(self) -> float:
        return gap_between(self.cost, self.bound)

    @property
    def cost(self) -> float:
        """Return the cost of the best schedule so far, $."""
        return np.inf if self.best is None else self.best.cost

    def _pass(self, choice: _Choice, known: Flags | None) -> End | None:
        """Decide the free hours by an integer program near the relaxation, or by the whole one; keep what is better."""
        relaxation, x = self.relaxation, self.relaxation.model.place("x")
        free, whole, near = choice.free, choice.whole, choice.near
        begin = time.perf_counter()
        known = None if known is None else np.where(free, known, whole)
        kinds, start = None, None
        if near is None:
            kinds = Alike.of(relaxation, decided(relaxation, free, whole))
            program, integers = kinds.program, kinds.whole
            start = None if known is None else kinds.start(known)
        else:
            program, integers = reduced(relaxation, self.relaxed, free, whole, near), np.sort(x[free])
            if known is not None:
                start = self.relaxed.values.copy()
                start[x] = known
        found = solve_integer(
            program,
            integers,
            gap=(_SHARE_OF_GAP if near is not None else self.share) * self.effort.gap,
            time_limit_s=self.end - begin,
            target=self.relaxed.objective + _TARGET * self.effort.gap * abs(self.relaxed.objective),
            start=start,
            seed=self.effort.seed,
        )
        self.times["integer"] += time.perf_counter() - begin
        if near is None and found.bound > self.bound and np.isfinite(found.bound):
            self.bound, self.bound_by = min(found.bound, self.cost), "branch and bound"
        if not np.isfinite(found.objective):
            return End.INFEASIBLE if found.status is Status.INFEASIBLE and near is None and free.all() else None
        rows = relaxation.row_count
        self._dispatch(found.x[x] > 0.5 if kinds is None else kinds.schedule(found.x))
        if near is None and found.status is Status.OPTIMAL and relaxation.row_count == rows:
            self.all_asked, self.share = self.share == _SHARE_OF_GAP, _SHARE_OF_GAP
        return None

    def _dispatch(self, on: Flags) -> Dispatch:
        begin = time.perf_counter()
        found = dispatch(self.relaxation.instance, on, self.hints, time_limit_s=max(self.end - begin, _DISPATCH_S))
        self.times["dispatch"] += time.perf_counter() - begin
        self.relaxation.add_flows(found.flows)
        self.relaxation.add_ramps(found.hints.ramps)
        if found.status is not Status.OPTIMAL:
            return found
        self.hints = found.hints
        if found.cost < self.cost:
            self.best, self.on = found, on
        return found

    def _make_room(self, tree: Branching) -> None:
        """Take a schedule whose prices are offers, if there is one within the gap."""
        if self.best is None or self.on is None:
            return
        begin, spent, instance = time.perf_counter(), self.times["dispatch"], self.relaxation.instance

        def dispatched(on: Flags) -> Dispatch | None:
            return self._dispatch(on) if time.perf_counter() < self.end else None

        def raised(cost: float) -> float:
            if gap_between(cost, self.bound) <= _LIFTED * self.effort.gap:
                self._raise(tree, cost)
            return dearest_within(self.bound, self.effort.gap)

        lifting, most = self.times.get("bound", 0.0), dearest_within(self.bound, self.effort.gap)
        self.on, self.best = with_room(
            instance, self.relaxed.prices, self.on, self.best, most=most, dispatched=dispatched, raised=raised
        )
        lifting = self.times.get("bound", 0.0) - lifting
        self.times["room"], self.times["dispatch"] = time.perf_counter() - begin - lifting, spent

    def _short(self) -> Commitment:
        """Return what cannot be supplied, proven by the least breaches, or say that it is not proven."""
        left = max(self.end - time.perf_counter(), _DISPATCH_S)
        breach = self.relaxation.least_breach(time_limit_s=left)
        seconds = time.perf_counter() - self.begin
        if breach is None or not breach.any():
            undecided = "" if breach is not None else "; whether they can be was not decided in time"
            words = f"limits are kept only at more than the price of a breach{undecided}"
            return no_time(self.effort, -np.inf, seconds, words)
        words = breach_words(self.relaxation.instance.case.labels, breach)
        return Commitment(End.INFEASIBLE, words, None, None, np.inf, np.inf, "prices", self.effort, seconds, self.times)

    def _finished(self, status: End, reason: str, partly: Flags) -> Commitment:
        if self.best is None and status is End.TIME_LIMIT:
            reason = "no schedule was found in time"
        return Commitment(
            status=status,
            reason=reason,
            on=self.on,
            dispatch=self.best,
            cost=self.cost,
            bound=self.bound,
            bound_by=self.bound_by,
            effort=self.effort,
            time_s=time.perf_counter() - self.begin,
            times_s=self.times,
            fractional=int(partly.sum()),
        )


def decided(relaxation: Relaxation, free: Flags, whole: Flags) -> LinearProgram:
    """Return the whole program in which units are decided where ``free`` (T, N); elsewhere on as ``whole`` says."""
    model, program = relaxation.model, relaxation.program
    lower, upper, x = program.lower.copy(), program.upper.copy(), model.place("x")
    lower[x] = np.where(free, lower[x], np.maximum(lower[x], whole))
    upper[x] = np.where(free, upper[x], np.minimum(upper[x], whole))
    upper[model.place("e")] = 0.0
    return replace(program, lower=lower, upper=upper)
