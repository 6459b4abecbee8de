"""Prices for hubs with rising marginal costs, by sequential convex programming.

Of a fleet that is not too large (:data:`MOST_WHOLE`) the search goes from one affine piece of hubs' answers to the next
as long as that brings anything: each time to the best prices of the whole piece (:mod:`engine.pricing.pieces`). Where
that ends, and in larger fleets from the beginning, it goes on within trust regions.

At given prices each hub's answer is affine in them as long as no column of it meets a bound, so withdrawals are
``w + J d`` for a change d of prices. With that, overloads and the absolute values of prices stay as they are, in one
linear program over d within a trust region. A step that brings a tenth of what it promised is taken; the region doubles
where the model was nearly right, and shrinks to a quarter where it was not. Inside one affine piece the model is exact.
Where an answer bends on the way, so that a step brings less than half of what it promised, the mean of the slopes at
both ends is the next model: with that of one side alone the search goes along the bend in steps that are ever shorter.

The best end of a larger fleet is left once more by exact gradients of the rounded objective
(:mod:`engine.pricing.gradients`, one adjoint system for each hub) and searched again, in the time that is left. By
gradients alone a search ends higher or takes longer (tests/benchmarks/results/hubs.md).

It begins at no prices, at the prices of :func:`engine.pricing.central.together`, and at any that are given. Those may
lie beyond what is allowed: hubs' answers to them say which piece to look in. Where prices are few (:data:`MOST_SHAKEN`)
the best end is shaken some times, by as little as moves hubs into pieces beside it. The best end is the answer. The
problem is not convex: how far an end is from the best prices is told by bounds, and measured against proved ones in
tests/benchmarks/results/hubs.md.
Source: Conn, Gould and Toint, *Trust-Region Methods*, 2000, ch. 11.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import block_array, block_diag, csr_array, eye_array, kron, vstack

from engine.errors import SolverError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.pricing.evaluation import Evaluation, Fleet
from engine.pricing.gradients import followed
from engine.pricing.pieces import Pieces
from engine.program import LinearProgram, Status, solve

End = Literal["settled", "stalled", "steps", "time"]
_TAKEN, _GOOD, _BEST = 0.1, 0.5, 0.8  # of the promised decrease: a step is taken, the model kept, the region grows
_GROW, _SHRINK = 2.0, 0.25
_FIRST_PER_MWH, _LEAST_PER_MWH = 8.0, 1e-7  # of the region
_STEPS = 100
_LEAST_S = 0.1  # of the time for one program
_WORTH = 1e-9  # relative to 1 + |objective|: a promise of less ends the search
_MANY_ROWS = 6_000  # of a step's program: from there on the interior point method with a vertex at its end is faster
_STALL, _STALL_WORTH = 12, 1e-4  # so many steps that together bring no more than this end it too
_MANY, _MANY_WORTH = 300, 5e-4  # prices, from which on it is this: each of their steps takes seconds
MOST_WHOLE = 2_400  # hubs times periods, up to which whole pieces are looked at: 100 hubs in a day
_WHOLE_WORTH = 1e-5  # a piece that brings less ends their turn; of many prices, less than _MANY_WORTH
MOST_SHAKEN = 300  # prices
SHAKEN, ROUNDED = "shaken", "rounded"  # the names of the starts that are made from the best end
_SHAKES, _SHAKE_PER_MWH = 20, 0.5  # how often, and the standard deviation


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the search."""

    number: int
    objective: float  # $, after it
    promised: float
    gained: float  # 0 where it was not taken
    region_per_mwh: float | None  # None: a whole affine piece
    at_s: float  # since the search from its start began


Tick = Callable[[str, float, tuple[Step, ...]], None]  # the name of a start, the objective now, the steps so far


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Where the search from one start ended."""

    start: str
    found: Evaluation
    steps: tuple[Step, ...]
    end: End  # settled: the model promises nothing within the region; stalled: steps bring next to nothing
    time_s: float
    processor_s: float  # of this process


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """The prices that were found."""

    best: Ended
    ends: tuple[Ended, ...]  # of all starts
    time_s: float


def smooth_prices(
    fleet: Fleet,
    starts: Mapping[str, Matrix],
    *,
    time_limit_s: float = 60.0,
    tick: Tick | None = None,
    seed: int | None = None,
) -> Smooth:
    """Return the best prices found from ``starts`` (K, T) each, which may lie beyond what is allowed.

    The time is shared by the starts that are left. With a ``seed`` the best end is left and searched again: few prices
    shaken, those of a fleet beyond :data:`MOST_WHOLE` by gradients. Raises what :meth:`Fleet.at` does.
    """
    begin = time.perf_counter()
    pieces = Pieces(fleet) if len(fleet.programs) * fleet.case.periods <= MOST_WHOLE else None
    few = fleet.case.area_count * fleet.case.periods <= MOST_SHAKEN
    again = None if seed is None else ROUNDED if pieces is None else SHAKEN if few else None
    ends: list[Ended] = []

    def search(name: str) -> _Search:
        now = time.perf_counter()
        # Gradients have what is left in the end, so that what was found without them is found with them.
        left = (time_limit_s - (now - begin)) / max(len(starts) + (again == SHAKEN) - len(ends), 1)
        return _Search(fleet, pieces, name, now + max(left, 0.0), tick)

    for name, start in starts.items():
        ends.append(search(name).run(start))
    best = min(ends, key=lambda end: end.found.objective).found
    if again == SHAKEN:
        ends.append(search(SHAKEN).shaken(best, np.random.default_rng(seed)))
    elif again == ROUNDED:
        ends.append(search(ROUNDED).rounded(best))
    best_end = min(ends, key=lambda end: end.found.objective)
    return Smooth(best_end, tuple(ends), time.perf_counter() - begin)


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Hubs of one area that move lines alike, taken together: G of them."""

    of: Integers  # (I,), each hub's
    area: Integers  # (G,)
    share: Matrix  # (L, G)

    @classmethod
    def from_fleet(cls, fleet: Fleet) -> "_Groups":
        keys = np.vstack([fleet.case.area[np.newaxis], fleet.case.network.share])
        _, first, of = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        return cls(np.asarray(of).ravel(), fleet.case.area[first], fleet.case.network.share[:, first])


class _Search:
    """The steps from one start."""

    def __init__(self, fleet: Fleet, pieces: Pieces | None, name: str, end: float, tick: Tick | None) -> None:
        self.fleet, self.pieces, self.name, self.end, self.tick = fleet, pieces, name, end, tick
        self.least, self.most = fleet.case.price_bounds()
        self.groups = _Groups.from_fleet(fleet)
        many = self.least.size > _MANY
        self.stall_worth, self.whole_worth = (_MANY_WORTH,) * 2 if many else (_STALL_WORTH, _WHOLE_WORTH)
        self.begin, self.processor = time.perf_counter(), time.process_time()
        self.steps: list[Step] = []

    def run(self, start: Matrix) -> Ended:
        """Return the end of the search from prices (K, T)."""
        asked, allowed = self.fleet.at(start), np.clip(start, self.least, self.most)
        found = asked if np.array_equal(allowed, start) else self.fleet.at(allowed, asked.responses)
        if asked is not found:
            found = self._in_pieces(found, asked)
        found = self._in_pieces(found, found)
        found, end = self._in_regions(found)
        while end in {"settled", "stalled"}:
            before = found.objective
            found = self._in_pieces(found, found)
            if before - found.objective < self.stall_worth * (1.0 + abs(before)):
                break
            found, end = self._in_regions(found)
        return self._ended(found, end)

    def shaken(self, found: Evaluation, rng: np.random.Generator) -> Ended:
        """Return the best of the pieces around some prices, drawn one after the other from the best so far."""
        for _ in range(_SHAKES):
            if self._over(found):
                return self._ended(found, "time")
            near = found.price + rng.normal(0.0, _SHAKE_PER_MWH, found.price.shape)
            found = self._in_piece(found, self.fleet.at(near, found.responses)) or found
        return self._ended(found, "steps")

    def rounded(self, found: Evaluation) -> Ended:
        """Return the end of the search from where gradients of the rounded objective lead."""
        begun = followed(self.fleet, found, lambda: self._over(found))
        return self._ended(*self._in_regions(begun))

    def _ended(self, found: Evaluation, end: End) -> Ended:
        spent = time.process_time() - self.processor
        return Ended(self.name, found, tuple(self.steps), end, time.perf_counter() - self.begin, spent)

    def _over(self, found: Evaluation) -> bool:
        """Tell how far the search is; return whether its time is over."""
        if self.tick is not None:
            self.tick(self.name, found.objective, tuple(self.steps))
        return time.perf_counter() >= self.end

    def _in_pieces(self, found: Evaluation, asked: Evaluation) -> Evaluation:
        """Return the end of going from piece to piece, the first that of ``asked``; no worse than ``found``."""
        while not self._over(found):
            better = self._in_piece(found, asked)
            if better is None:
                break
            gained, found = found.objective - better.objective, better
            asked = found
            if gained < self.whole_worth * (1.0 + abs(found.objective)):
                break
        return found

    def _in_piece(self, found: Evaluation, asked: Evaluation) -> Evaluation | None:
        """Return the best prices of the piece of ``asked``; None where they are no better than ``found``."""
        left_s = max(self.end - time.perf_counter(), _LEAST_S)
        told = None if self.pieces is None else self.pieces.best(asked, left_s)
        if told is None:
            return None
        price, objective = told
        tried = self.fleet.at(price, asked.responses)
        better = tried.objective < found.objective
        least = min(tried.objective, found.objective)
        self._note(least, found.objective - objective, found.objective - least, None)
        return tried if better else None

    def _note(self, objective: float, promised: float, gained: float, region: float | None) -> None:
        since = time.perf_counter() - self.begin
        self.steps.append(Step(len(self.steps), objective, promised, gained, region, since))

    def _in_regions(self, found: Evaluation) -> tuple[Evaluation, End]:
        """Return the end of steps within trust regions, and why it is one."""
        region, first, model = _FIRST_PER_MWH, len(self.steps), self._model(found)
        for _ in range(_STEPS):
            if self._over(found):
                return found, "time"
            size, last = 1.0 + abs(found.objective), self.steps[first:][-_STALL:]
            if len(last) == _STALL and sum(step.gained for step in last) < self.stall_worth * size:
                return found, "stalled"
            step = self._step(found, model, region)
            if step is None:
                return found, "time"
            change, promised = step
            if promised <= _WORTH * size or region < _LEAST_PER_MWH:
                return found, "settled"
            tried = self.fleet.at(found.price + change, found.responses)
            gained = found.objective - tried.objective
            taken = gained >= _TAKEN * promised
            self._note(min(tried.objective, found.objective), promised, taken * gained, region)
            region *= _GROW if gained >= _BEST * promised else 1.0 if taken else _SHRINK
            beyond = self._model(tried)
            if gained < _GOOD * promised:  # an answer bends on the way: both sides of the bend count
                beyond = [(one + other) / 2.0 for one, other in zip(model, beyond, strict=True)]
            found, model = (tried if taken else found), beyond
        return found, "steps"

    def _model(self, found: Evaluation) -> list[Matrix]:
        """Return the slope (T, T) of each group's withdrawal by its area's prices."""
        periods = self.fleet.case.periods
        slopes = [np.zeros((periods, periods)) for _ in range(len(self.groups.area))]
        for follower, response, group in zip(
            self.fleet.followers.each, found.responses, self.groups.of.tolist(), strict=True
        ):
            slopes[group] += follower.slope(response)
        return slopes

    def _step(self, found: Evaluation, slopes: list[Matrix], region: float) -> tuple[Matrix, float] | None:
        """Return the best change of prices (K, T) within the region by the model, and what it promises, $.

        None where the time is over before it is found.

        Columns: the change, the change of each group's withdrawal, what each limit that could be exceeded is exceeded
        by, and of what prices weigh by, what is above 0 and what is below (one row for both: half of the basis).
        """
        case, groups, terms = self.fleet.case, self.groups, self.fleet.terms
        size, periods, count = found.price.size, case.periods, len(groups.area)
        picked = np.zeros((count, case.area_count))
        picked[np.arange(count), groups.area] = 1.0
        moved = csr_array(block_diag([csr_array(each) for each in slopes], format="csr"))
        moved = csr_array(moved @ kron(csr_array(picked), eye_array(periods)))
        reach = np.array([np.abs(each).sum(axis=1) for each in slopes]) * region  # (G, T), MW
        rows, least, weight = self._limits(found, reach)
        over, absolute = rows.shape[0], terms.rows.shape[0]
        now = terms.rows @ found.price.ravel()
        matrix = block_array(
            [
                [moved, -eye_array(count * periods), None, None, None],
                [None, rows, eye_array(over), None, None],
                [terms.rows, None, None, -eye_array(absolute), eye_array(absolute)],
            ],
            format="csr",
        )
        step = (np.maximum(self.least - found.price, -region), np.minimum(self.most - found.price, region))
        zero, free = np.zeros(count * periods), np.full(count * periods, np.inf)
        program = LinearProgram(
            cost=np.concatenate([np.zeros(size + count * periods), weight, terms.weight, terms.weight]),
            matrix=csr_array(matrix),
            row_lower=np.concatenate([zero, least, -now]),
            row_upper=np.concatenate([zero, np.full(over, np.inf), -now]),
            lower=np.concatenate([step[0].ravel(), -free, np.zeros(over + 2 * absolute)]),
            upper=np.concatenate([step[1].ravel(), free, np.full(over + 2 * absolute, np.inf)]),
        )
        left_s = max(self.end - time.perf_counter(), _LEAST_S)
        answer = solve(program, time_limit_s=left_s, barrier=len(program.row_lower) > _MANY_ROWS)
        if answer.status is Status.TIME_LIMIT:
            return None
        if answer.status is not Status.OPTIMAL:
            raise SolverError(f"a step of prices was not found: {answer.message}")
        change = np.clip(answer.x[:size].reshape(found.price.shape), *step)
        fixed = found.overload_cost - self._counted(found, reach)
        return change, found.objective - fixed - answer.objective

    def _sides(self, found: Evaluation, reach: Matrix) -> tuple[Flags, ...]:
        """Return which limits could be exceeded within the reach (G, T): lines forward, backward, import, export."""
        network = self.fleet.case.network
        line = np.abs(self.groups.share) @ reach
        whole = reach.sum(axis=0)
        flow, limit = found.overloads.flow_mw, network.limit_mw[:, np.newaxis]
        sub = found.overloads.substation_flow_mw
        return (flow + line > limit, -flow + line > limit, sub + whole > network.import_mw,
                -sub + whole > network.export_mw)  # fmt: skip

    def _limits(self, found: Evaluation, reach: Matrix) -> tuple[csr_array, Vector, Vector]:
        """Return rows over changes of withdrawals (r, G T), their least values with what is exceeded, and weights."""
        case, network, periods = self.fleet.case, self.fleet.case.network, self.fleet.case.periods
        forward, backward, imports, exports = self._sides(found, reach)
        share, one = csr_array(self.groups.share), eye_array(periods)
        lines = csr_array(kron(share, one))
        whole = csr_array(kron(np.ones((1, len(self.groups.area))), one))
        flow, limit = found.overloads.flow_mw, network.limit_mw[:, np.newaxis]
        sub = found.overloads.substation_flow_mw
        parts = [
            (lines, forward, flow - limit, case.terms.line_per_mwh),
            (-lines, backward, -flow - limit, case.terms.line_per_mwh),
            (-whole, imports, sub - network.import_mw, case.terms.substation_per_mwh),
            (whole, exports, -sub - network.export_mw, case.terms.substation_per_mwh),
        ]
        rows = csr_array(vstack([block[np.flatnonzero(used.ravel())] for block, used, _, _ in parts], format="csr"))
        least = np.concatenate([beyond.ravel()[used.ravel()] for _, used, beyond, _ in parts])
        weight = np.concatenate([np.full(int(used.sum()), each * case.step_h) for _, used, _, each in parts])
        return rows, least, weight

    def _counted(self, found: Evaluation, reach: Matrix) -> float:
        """Return what the limits of the step's program weigh now, $: all overloads, as each is within its own reach."""
        forward, backward, imports, exports = self._sides(found, reach)
        terms, over = self.fleet.case.terms, found.overloads
        lines = float(over.line_mw[forward | backward].sum()) * terms.line_per_mwh
        return (lines + float(over.substation_mw[imports | exports].sum()) * terms.substation_per_mwh) * (
            self.fleet.case.step_h
        )
