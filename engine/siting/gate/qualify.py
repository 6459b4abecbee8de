"""Which sizes qualify at a candidate, of as many sizes as one likes: only what a pass rate turns on is decided.

At one bus after one outage in one hour the loads that keep every limit are an interval, known between two bounds
(:mod:`.bounds`). They bound the pass rate of every size of every envelope at once, so that most sizes are decided
before they are looked at. Of those that are left one is taken, the largest first, and its outages are decided until
the bounds on its pass rate lie on one side of the threshold; what that proves counts for all other sizes too. Nothing
is assumed of the order of the sizes: where a load relieves an outage a larger one may qualify and a smaller one not.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from engine.network.model import Flags, Matrix, Vector
from engine.siting.case import SitingCase
from engine.siting.envelopes import Envelope
from engine.siting.gate.bounds import FAILED, PASSED, UNKNOWN
from engine.siting.gate.bracket import SURE
from engine.siting.gate.hour import Enough, HourSolver
from engine.siting.gate.model import INTACT, GateHour, GateModel
from engine.siting.gate.program import HAIR_MW

_NEAR = 0.1  # of a load: how much larger one may be whose dispatches are tried for it
Verdicts = npt.NDArray[np.int8]


@dataclass(eq=False)
class OwnLoads(HourSolver):
    """An hour whose buses are asked loads of their own, one at a time."""

    asked_mw: dict[int, float] = field(default_factory=dict)

    def levels_of(self, bus: int) -> Vector:
        """Return the load that is decided at a bus (1,), or the least and the largest of all."""
        return np.array([self.asked_mw[bus]]) if bus in self.asked_mw else self.levels_mw

    def known_for(self, load_mw: float) -> list[tuple[int, Vector, float]]:
        """Return the dispatches found for a load or a little more: bus, output (U,), load."""
        return [
            (bus, output, mw)
            for mw in sorted(self.found)
            if load_mw <= mw <= (1.0 + _NEAR) * load_mw
            for bus, output in self.found[mw]
        ]


@dataclass(frozen=True, eq=False)
class _Hour:
    """One hour: its solver, the loads of every envelope and size, and its weight."""

    solver: OwnLoads
    load_mw: Matrix  # (E, K), of sizes that rise
    weight: float


@dataclass(eq=False)
class Qualifier:
    """C candidates in all hours of a case: which of K sizes (rising) of E envelopes reach the threshold."""

    hours: list[_Hour]
    case_count: Vector  # (N,), how many contingencies each case of the gate decides
    threshold: float

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 (all that a pass rate is made of)
        cls,
        model: GateModel,
        case: SitingCase,
        weight: Vector,
        envelopes: tuple[Envelope, ...],
        sizes_mw: Vector,
        threshold: float,
    ) -> Self:
        """Return the candidates of a model with nothing decided; weights (T,) add up to 1."""
        hours = []
        for at in np.flatnonzero(weight > 0.0).tolist():
            one = case.at(np.array([at]))
            load = np.array(
                [[own.level_mw(size, one.hour_of_day, one.onsite_mw)[0] for size in sizes_mw] for own in envelopes]
            )
            solver = OwnLoads(GateHour.of(model, case.state(at)), np.unique([load.min(), load.max()]))
            hours.append(_Hour(solver, load, float(weight[at])))
        contingencies = model.contingencies
        case_of = 1 + np.searchsorted(contingencies.distinct, contingencies.same_as)
        return cls(hours, np.bincount(case_of, minlength=len(model)).astype(np.float64), threshold - SURE)

    def begin(self) -> None:
        """Find in every hour what fails without a load, and what each candidate can take as the network is."""
        for hour in self.hours:
            solver = hour.solver
            solver.begin()
            solver.balance()
            solver.without_load()
            solver.programs.go(INTACT)
            for bus in solver.all_buses.tolist():
                solver.as_it_is(bus)

    def decide(self, bus: int) -> Verdicts:
        """Return (E, K) of a candidate (place): 1 where a size reaches the threshold, 0 where it does not.

        -1 where programs left an outage open that it turns on.
        """
        missed = 0
        asked = np.zeros(self.hours[0].load_mw.shape, dtype=np.bool_)
        while True:
            verdict = self.verdicts(bus)
            open_ = (verdict == UNKNOWN) & ~asked
            if not open_.any():
                for hour in self.hours:
                    hour.solver.asked_mw.pop(bus, None)
                return verdict
            envelope = int(open_.any(axis=1).argmax())
            size = _next(open_[envelope], missed)
            found = self._decide(bus, envelope, size)
            asked[envelope, size] = True
            missed = 0 if found == PASSED else missed + 1

    def verdicts(self, bus: int) -> Verdicts:
        """Return (E, K) as it is known: 1 for a size that qualifies, 0 for one that does not, -1 where it is open."""
        low, high = self.rates(bus)
        found = np.where(low >= self.threshold, PASSED, np.where(high < self.threshold, FAILED, UNKNOWN))
        return found.astype(np.int8)

    def rates(self, bus: int) -> tuple[Matrix, Matrix]:
        """Return bounds (E, K) on the pass rates of a candidate (place)."""
        low, high = np.zeros(self.hours[0].load_mw.shape), np.zeros(self.hours[0].load_mw.shape)
        for hour in self.hours:
            known = hour.solver.intervals
            sure = known.sure_least[bus], known.sure_most[bus]
            reach = np.minimum(known.reach_least[bus], sure[0]), np.maximum(known.reach_most[bus], sure[1])
            low += hour.weight * _shares(*sure, self.case_count, hour.load_mw)
            high += hour.weight * _shares(*reach, self.case_count, hour.load_mw)
        return low, high

    def _decide(self, bus: int, envelope: int, size: int) -> int:
        """Decide whether one size qualifies; return the verdict, -1 where outages stay open that it turns on."""
        load_mw = [float(hour.load_mw[envelope, size]) for hour in self.hours]
        known = np.array([self._rate(at, bus, mw) for at, mw in enumerate(load_mw)])  # (T, 2), passes and may pass

        def verdict(at: int) -> int:
            known[at] = self._rate(at, bus, load_mw[at])
            low, high = known.sum(axis=0).tolist()
            return PASSED if low >= self.threshold else FAILED if high < self.threshold else UNKNOWN

        order = np.argsort(known[:, 0] - known[:, 1], kind="stable").tolist()  # most open first
        for at in order:
            solver = self.hours[at].solver
            solver.asked_mw[bus] = load_mw[at]
            solver.many_outages(bus)
            if (found := verdict(at)) != UNKNOWN:
                return found
        for at in order:
            self.hours[at].solver.one_bus(bus, enough=_decided(verdict, at))
            if (found := verdict(at)) != UNKNOWN:
                return found
        return UNKNOWN

    def _rate(self, at: int, bus: int, load_mw: float) -> tuple[float, float]:
        hour = self.hours[at]
        passed, failed = hour.solver.intervals.passed(bus, load_mw), hour.solver.intervals.failed(bus, load_mw)
        count = self.case_count
        each = hour.weight / count.sum()
        return each * float(count @ passed), each * float(count @ (passed | ~failed))

    @property
    def counts(self) -> Counter[str]:
        """Return what was solved."""
        total: Counter[str] = Counter()
        for hour in self.hours:
            total.update(hour.solver.counts)
        return total


def _decided(verdict: Callable[[int], int], at: int) -> Enough:
    return lambda: verdict(at) != UNKNOWN


def _next(open_: Flags, missed: int) -> int:
    """Return which of the open sizes (K,) is decided next: the largest; after so many misses in a row further down."""
    top = int(np.flatnonzero(open_)[-1])
    closed = np.flatnonzero(~open_[:top])
    first = int(closed[-1]) + 1 if closed.size else 0
    return max((first + top) // 2, top - (1 << missed) + 1)


def _shares(least: Vector, most: Vector, count: Vector, load_mw: Matrix) -> Matrix:
    """Return the shares (E, K) of the cases (N,) whose interval, widened by a hair, a load lies in."""
    some = np.flatnonzero(least <= most)
    begins, ends = least[some] - HAIR_MW, most[some] + HAIR_MW
    later = np.flatnonzero(begins > 0.0)
    found = count[some].sum() - _sum_up(ends, count[some], load_mw, "left")
    found -= count[some[later]].sum() - _sum_up(begins[later], count[some[later]], load_mw, "right")
    shares: Matrix = found / count.sum()
    return shares


def _sum_up(at_mw: Vector, count: Vector, load_mw: Matrix, side: Literal["left", "right"]) -> Matrix:
    """Return the sum of the counts (n,) that lie below each load (E, K); for the side ``right`` at it too."""
    order = np.argsort(at_mw, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(count[order])])
    found: Matrix = total[np.searchsorted(at_mw[order], load_mw, side=side)]
    return found
