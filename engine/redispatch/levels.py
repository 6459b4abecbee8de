"""One level of an allocation with redispatch: cutting planes until no scenario, or no tail of scenarios, is exceeded.

The set of grants that redispatch can serve is convex, and each proof bounds it by a half-space. The level's program
over the half-spaces known so far gives a grant; scenarios are tried there; what fails gives new half-spaces. The set
only shrinks towards the true one, so the first grant that all scenarios pass is the optimum.

Firm: the loss of every scenario is at most zero, a row for each cut with the scenario in which it leaves least.
Flexible: the mean loss of the worst share of the probability (CVaR) is at most zero; a row is the mean of the cuts of
the scenarios that make up the tail at some grant, since a CVaR is the largest of such means.
Source of the rows: Kelley, "The cutting-plane method for solving convex programs", J. SIAM 8(4), 1960; of the CVaR as
the largest mean: Künzi-Bay and Mayer, "Computational aspects of minimizing conditional value-at-risk", Computational
Management Science 3, 2006.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.capacity.level import LevelProgram
from engine.errors import SolverError
from engine.network.model import Integers, Vector
from engine.redispatch.program import LEAST_OVERLOAD
from engine.redispatch.recourse import OVERLOAD, Recourse, tail

Choose = Callable[[LevelProgram, Integers], tuple[Vector, Integers]]  # to a grant (K,) and the rows that it used
Watch = Callable[[int, int], None]  # (round, cuts so far); may raise CancelledError
_PATIENCE = 6  # scenarios tried in vain, or rounds, before others are turned to
_INSIDE = 0.9  # of what the level before granted: well within what the next level allows
_HALVINGS = 7
_MOST_ROWS = 4000
_SAME_MW = 1e-7
_HAIR_MW = 1e-6  # of a row whose largest factor is one
_ROUNDING = 5e-6  # relative: an overload that solvers and summation leave
_DEPTH = 10  # cuts that one scenario gives at a time
_FURTHER = 1.02  # than the cut asks, so that the next proof is another
_NEW_CUTS = 24  # in a round, after which the program is solved again
_MOST_TRIES = 60  # scenarios tried in a round that has a cut already
_MOST_ROUNDS = 400
_PART = 1e-9  # of slopes
_RANDOM_PARTS = 4  # parts of an allocation that are tried besides those its rows suggest
_HARD = 6  # scenarios in which parts are tried


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A half-space of grants: ``factor . granted <= margin_mw``."""

    factor: Vector  # (K,), the largest one is 1 in size
    margin_mw: float
    cuts: Integers  # (m,), positions of the cuts that it is the mean of
    parts: Vector  # (m,), MW of the margin per MW of each
    scenario: int  # in which it leaves least


class RedispatchLevel:
    """The rows of one level, kept while it is solved for one objective after another."""

    def __init__(
        self,
        recourse: Recourse,
        epsilon: float,
        demand_mw: Vector,
        floor_mw: Vector,
        parts: tuple[Integers, ...] = (),
    ) -> None:
        self.parts = parts  # of the scenarios, each with the risk by itself; none: all together
        self.recourse = recourse
        self.epsilon = epsilon
        self.demand_mw = demand_mw
        self.floor_mw = floor_mw
        self.rounds = self.tried = 0
        self.dispatch_mw = recourse.dispatch_mw  # (S, G), that serves the last grant
        self.largest_loss = -np.inf  # at the last grant: of all scenarios, or of their tail
        self.rows: list[Row] = []
        self._known = 0  # cuts that are rows already, firm
        self._active: dict[int, int] = {}  # scenario to rounds without a cut since it gave one
        self._generator = np.random.default_rng(0)
        self._watch: Watch | None = None

    def program(self, *, closed: bool) -> LevelProgram:
        """Return the program over the rows so far; with ``closed``, every part of its answer keeps them too."""
        factors = np.array([row.factor for row in self.rows]).reshape(-1, len(self.demand_mw))
        factors = np.maximum(factors, 0.0) if closed else factors
        margin = np.array([row.margin_mw for row in self.rows])
        # What is granted already stays within every row, and a hair more: where a row is just full with it, rounding
        # by the smallest of its factors would leave nothing at all.
        at_floor = factors @ self.floor_mw
        margin = np.maximum(np.maximum(margin, 0.0), np.where(at_floor > 0.0, at_floor + _HAIR_MW, 0.0))
        return LevelProgram(factors, margin, self.floor_mw, self.demand_mw)

    def solve(self, choose: Choose, watch: Watch, *, closed: bool) -> Vector:
        """Return the grant (K,) that ``choose`` prefers among those that redispatch can serve."""
        warm = np.zeros(0, dtype=np.intp)
        every = np.arange(len(self.recourse.scenarios))
        last: Vector | None = None
        self._watch = watch
        for _ in range(_MOST_ROUNDS):
            self.rounds += 1
            watch(self.rounds, len(self.recourse.cuts))
            self._take_cuts()
            mw, warm = self.solve_known(choose, warm, closed=closed)
            stuck, last = last is not None and float(np.abs(mw - last).max()) <= _SAME_MW, mw
            if self._cut_off(mw) and not (stuck and self._within_rounding(mw)):
                continue
            self.dispatch_mw = self.recourse.moved(mw, every)
            if closed and self._cut_parts(mw):
                continue
            return mw
        raise SolverError(f"no allocation after {_MOST_ROUNDS} rounds of cuts, at risk {self.epsilon:g}")

    def solve_known(self, choose: Choose, warm: Integers, *, closed: bool) -> tuple[Vector, Integers]:
        """Return the grant (K,) that ``choose`` prefers among those that the cuts known so far allow.

        They allow all that redispatch can serve, and more where cuts are missing. ``warm`` and what is returned
        beside it are the rows that were used.
        """
        mw, warm = choose(self.program(closed=closed), warm)
        while self._cut_by_what_is_known(mw, closed=closed) and len(self.rows) < _MOST_ROWS:
            before = mw
            mw, warm = choose(self.program(closed=closed), warm)
            if np.abs(mw - before).max() <= _SAME_MW:  # what the level before granted is not taken back
                break
        return mw, warm

    def _within_rounding(self, mw: Vector) -> bool:
        """Return whether all that is left over at ``mw`` is rounding, which cuts cannot cut off any more.

        A scenario whose last dispatch leaves more is solved once.
        """
        recourse = self.recourse
        lower = recourse.below(mw)[0]
        if float(self._tail(lower) @ lower) > _ROUNDING:
            return False
        above = recourse.above(mw)
        solved = np.zeros(len(above), dtype=bool)
        while True:
            share = self._tail(above)
            self.largest_loss = float(share @ np.where(share > 0.0, above, 0.0))
            if self.largest_loss <= _ROUNDING:
                return True
            beyond = np.where((share > 0.0) & ~solved, above - lower, -np.inf)
            scenario = int(beyond.argmax())
            if beyond[scenario] == -np.inf:
                return False
            solved[scenario] = True
            above[scenario] = min(above[scenario], recourse.solve(mw, scenario, LEAST_OVERLOAD))

    def _tail(self, losses: Vector) -> Vector:
        """Return the weights (S,) of the worst share, in the part of the scenarios where their mean loss is largest."""
        weight = self.recourse.scenarios.weight
        if not self.parts:
            return tail(losses, weight, self.epsilon)
        worst, found = -np.inf, np.zeros(len(losses))
        for part in self.parts:
            share = tail(losses[part], weight[part] / weight[part].sum(), self.epsilon)
            mean = float(share @ np.where(share > 0.0, losses[part], 0.0))
            if mean > worst:
                worst, found = mean, np.zeros(len(losses))
                found[part] = share
        return found

    def passes(self, mw: Vector) -> bool:
        """Return whether the scenarios pass at ``mw`` (K,); the dispatches that were tried last stay with them."""
        return not self._cut_off(mw)

    def _take_cuts(self) -> None:
        """Make a row of every new cut, where each must hold in all scenarios."""
        if self.epsilon > 0.0:
            return
        levels, slopes = self.recourse.levels, self.recourse.slopes
        for cut in range(self._known, len(levels)):
            scenario = int(levels[cut].argmax())
            self._add(slopes[cut], -float(levels[cut, scenario]), (np.array([cut]), np.ones(1)), scenario)
        self._known = len(levels)

    def _add(self, slope: Vector, room: float, cuts: tuple[Integers, Vector], scenario: int) -> None:
        scale = float(np.abs(slope).max(initial=0.0))
        if scale > 0.0:
            self.rows.append(Row(slope / scale, room / scale, cuts[0], cuts[1] / scale, scenario))

    def _cut_by_what_is_known(self, mw: Vector, *, closed: bool) -> bool:
        """Add the row of the tail that the known cuts show at ``mw``, and at the edge before it, if it is broken."""
        if self.epsilon == 0.0 or not self.recourse.cuts:
            return False
        row, value = self._tail_row(mw, closed=closed)
        if value <= OVERLOAD / 2:
            return False
        self._add(*row)
        # From inside to ``mw``: rows where the way leaves what the cuts allow touch it.
        inside, low, high = _INSIDE * self.floor_mw, 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            value = self._tail_row(inside + middle * (mw - inside), closed=closed)[1]
            low, high = (middle, high) if value <= 0.0 else (low, middle)
        self._add(*self._tail_row(inside + high * (mw - inside), closed=closed)[0])
        return True

    def _tail_row(
        self, mw: Vector, *, closed: bool
    ) -> tuple[tuple[Vector, float, tuple[Integers, Vector], int], float]:
        """Return the CVaR of the cuts at ``mw`` as a row (slope, room, cuts, worst state), and its value."""
        recourse = self.recourse
        above = self.floor_mw if closed else None
        loss, cut = recourse.below(mw, closed_above=above)
        share = self._tail(loss)
        used = np.flatnonzero((share > 0.0) & (cut >= 0))
        own = cut[used]
        without, per_mw = recourse.row(own, used, above)
        part = share[used] * per_mw
        alone = (share > 0.0) & (cut < 0)
        level = float(share[used] @ without + share[alone] @ loss[alone])
        cuts, place = np.unique(own, return_inverse=True)
        parts: Vector = np.bincount(place, weights=part, minlength=len(cuts)).astype(np.float64)
        slopes = np.maximum(recourse.slopes[own], 0.0) if closed else recourse.slopes[own]
        row = (part @ slopes, -level, (cuts, parts), int(loss.argmax()))
        return row, float(share @ loss)

    def _cut_off(self, mw: Vector) -> bool:
        """Try scenarios at ``mw``; return whether new cuts show that it is too much."""
        return self._try_every(mw) if self.epsilon == 0.0 else self._try_tail(mw)

    def _try_every(self, mw: Vector) -> bool:
        if self._try_active(mw):
            return True
        recourse = self.recourse
        above = recourse.above(mw)
        lower = recourse.below(mw)[0]
        open_ = np.flatnonzero(above > OVERLOAD)
        found = 0
        for scenario in open_[np.argsort(-lower[open_], kind="stable")].tolist():
            if found and (recourse.least(mw, scenario) > OVERLOAD or found + _PATIENCE < self.tried):
                break
            if self._exceeds(mw, scenario):
                found = found or self.tried
                self._active[scenario] = 0
            else:
                above[scenario] = min(above[scenario], OVERLOAD)
        self.largest_loss = float(above.max())
        return found > 0

    def _try_active(self, mw: Vector) -> bool:
        """Try the scenarios that gave cuts lately: most rounds need no others."""
        found = False
        for scenario in list(self._active):
            if self._exceeds(mw, scenario):
                self._active[scenario], found = 0, True
            else:
                self._active[scenario] += 1
                if self._active[scenario] > _PATIENCE:
                    del self._active[scenario]
        return found

    def _exceeds(self, mw: Vector, scenario: int) -> bool:
        """Return whether a scenario is exceeded at ``mw``; if so, find more cuts on the way back to where it is not.

        One proof is about one overloaded part of the network; with that cured, the next proof is about the next.
        """
        recourse, point = self.recourse, mw
        self.tried += 1
        for depth in range(_DEPTH):
            known = len(recourse.cuts)
            if not recourse.exceeds(point, scenario):
                return depth > 0
            if len(recourse.cuts) == known or not recourse.cuts[-1].slope.any():
                raise SolverError(f"no candidate matters to what is exceeded in {recourse.scenarios.labels[scenario]}")
            cut = recourse.cuts[-1]
            over = float(recourse.levels_in(np.array([scenario]))[-1, 0] + cut.slope @ point)
            back = np.where((cut.slope > 0.0) & (point > 0.0), cut.slope, 0.0)
            if over <= 0.0 or not back.any():
                break
            point = np.maximum(point - _FURTHER * over / float(back @ back) * back, 0.0)
        return True

    def _try_tail(self, mw: Vector) -> bool:
        recourse = self.recourse
        above, tries = recourse.above(mw), 0
        start = len(recourse.cuts)
        while True:
            share = self._tail(above)
            worst = float(share @ np.where(share > 0.0, above, 0.0))
            if worst <= OVERLOAD:
                self.largest_loss = worst
                return False
            lower = recourse.below(mw)[0]
            enough = float(self._tail(lower) @ lower) > OVERLOAD
            if enough and (tries >= _MOST_TRIES or len(recourse.cuts) - start >= _NEW_CUTS):
                return True
            gap = np.where(share > 0.0, np.minimum(above, 1e9) - lower, 0.0)
            scenario = int(gap.argmax())
            if gap[scenario] <= OVERLOAD / 10:
                if not enough:  # both bounds meet within the tolerance, just above it
                    self.largest_loss = worst
                return enough
            tries += 1
            self.tried += 1
            if self._watch is not None:
                self._watch(self.rounds, len(recourse.cuts))
            above[scenario] = min(above[scenario], recourse.solve(mw, scenario, LEAST_OVERLOAD))

    def _cut_parts(self, mw: Vector) -> bool:
        """Try parts of a firm ``mw`` in the hardest scenarios; return whether what fails asks for less.

        At a risk level the parts are held by the rows alone, which are made of the same cuts.
        """
        recourse = self.recourse
        if self.epsilon > 0.0:
            return False
        factors = np.array([row.factor for row in self.rows])
        margin = np.array([row.margin_mw for row in self.rows])
        if not len(factors):
            return False
        full = np.maximum(factors, 0.0) @ mw >= margin - 1e-3 * np.maximum(np.abs(margin), 1.0)
        full &= (factors < -_PART).any(axis=1)
        parts = [np.where(row > 0.0, mw, 0.0) for row in np.unique(factors[full] > 0.0, axis=0)][:_HARD]
        parts += [mw * (self._generator.random(len(mw)) < 0.5) for _ in range(_RANDOM_PARTS)]
        known = len(recourse.cuts)
        for part in parts:
            above = recourse.above(part)
            hard = np.argsort(-recourse.below(part)[0], kind="stable")[:_HARD]
            for scenario in hard[above[hard] > OVERLOAD].tolist():
                recourse.exceeds(part, scenario)
        self._take_cuts()
        closed = self.program(closed=True)
        over = closed.factors @ mw - closed.margin_mw > OVERLOAD * (1.0 + closed.margin_mw)
        return len(recourse.cuts) > known and bool(over.any())
