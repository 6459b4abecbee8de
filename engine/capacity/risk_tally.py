"""Running sums of what independent states do to an allocation, some states at a time; limits are known by a key.

The keys let states be judged on different limits: part by part of a file, or only on those after outages that
some state exceeds. A limit that is not among those of some states is exceeded in none of them.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.capacity.curtailment import TOLERANCE_MW
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Limit
from engine.capacity.risk import (
    LevelRisk,
    ProductRisk,
    Risk,
    RowRisk,
    flexible_parts,
    probability,
    promise_words,
)
from engine.network.model import Integers, Matrix, Vector

MOST_ROWS = 40  # of the limits that are listed


@dataclass(frozen=True, slots=True)
class Judged:
    """One limit that states are judged on."""

    key: Hashable
    limit: Callable[[], Limit]
    held: bool = False  # existing load exceeds it in the sample already, and the question holds it there


class Tally:
    """Sums over states, each with its probability. L levels, firm first; R limits so far; P flexible products."""

    def __init__(self, question: CapacityQuestion, levels_mw: Sequence[Vector]) -> None:
        """``levels_mw`` (K,) are the capacities of firm and each risk level, whose products are cut."""
        self._question, self._levels_mw = question, levels_mw
        self._parts = flexible_parts(question, levels_mw)
        levels, products = len(levels_mw), len(self._parts)
        self._product = {(bus, epsilon): place for place, (bus, epsilon, _) in enumerate(self._parts)}
        self._known: dict[Hashable, int] = {}
        self._limits: list[Judged] = []
        self._before = np.zeros(0)  # (R,)
        self._exceeded, self._mean, self._worst = np.zeros((3, levels, 0))  # (L, R) each
        self._any_before, self._any_exceeded, self._any_mean = 0.0, np.zeros(levels), np.zeros(levels)
        self._cut, self._cut_mean, self._cut_worst = np.zeros((3, products))
        self._worst_state = [""] * products
        self._broken = self._broken_mw = self._squared = 0.0
        self._states = self.programs = 0

    def places(self, limits: Iterable[Judged]) -> Integers:
        """Return where the sums of these limits stand, new ones with sums of zero."""
        found = []
        for limit in limits:
            place = self._known.setdefault(limit.key, len(self._limits))
            if place == len(self._limits):
                self._limits.append(limit)
            found.append(place)
        new = len(self._limits) - len(self._before)
        if new:
            self._before = np.append(self._before, np.zeros(new))
            more = np.zeros((len(self._levels_mw), new))
            self._exceeded, self._mean, self._worst = (
                np.hstack([sums, more]) for sums in (self._exceeded, self._mean, self._worst)
            )
        return np.array(found, dtype=np.intp)

    def count_states(self, weight: Vector) -> None:
        """Count states with these probabilities (s,), of all states."""
        self._states += len(weight)
        self._squared += float(weight @ weight)

    def count_before(self, places: Integers, share: Vector, together: float) -> None:
        """Add the probability that limits (m,), and that some limit, are exceeded before anything is added."""
        np.add.at(self._before, places, share)
        self._any_before += together

    def count_level(self, level: int, places: Integers, excess_mw: Matrix, weight: Vector) -> None:
        """Add the excess (m, s) that a level causes on limits (m,), 0 for none, in states of these weights (s,)."""
        hit = excess_mw > 0.0
        np.add.at(self._exceeded[level], places, hit @ weight)
        np.add.at(self._mean[level], places, excess_mw @ weight)
        np.maximum.at(self._worst[level], places, excess_mw.max(axis=1, initial=0.0))
        self._any_exceeded[level] += float(weight[hit.any(axis=0)].sum())
        self._any_mean[level] += float(weight @ excess_mw.max(axis=0, initial=0.0))

    def count_cuts(
        self,
        products: Sequence[tuple[str, float]],
        cut_mw: Matrix,
        left_mw: Vector,
        weight: Vector,
        labels: Sequence[str],
    ) -> None:
        """Add what is cut (s, p) of products (bus and level of each) in states, and the excess (s,) that stays."""
        broken = left_mw > TOLERANCE_MW
        self._broken += float(weight[broken].sum())
        self._broken_mw = max(self._broken_mw, float(left_mw.max(initial=0.0)))
        worst = cut_mw.argmax(axis=0)
        for column, key in enumerate(products):
            place = self._product.get(key)
            if place is None:  # of an allocation of other parts of a file
                continue
            cut = cut_mw[:, column]
            self._cut[place] += float(weight[cut > TOLERANCE_MW].sum())
            self._cut_mean[place] += float(weight @ cut)
            if cut[worst[column]] > self._cut_worst[place]:
                self._cut_worst[place] = cut[worst[column]]
                self._worst_state[place] = labels[worst[column]]

    def risk(self, hours_a_year: float | None) -> Risk:
        """Return what was found."""
        effective = 1.0 / self._squared
        often = self._exceeded.max(axis=0)
        found = np.flatnonzero((often > 0) | (self._before > 0))
        order = found[np.lexsort((-self._before[found], -often[found]))]
        return Risk(
            levels=tuple(self._level(place, effective, hours_a_year) for place in range(len(self._levels_mw))),
            rows=tuple(self._row(int(row), effective) for row in order[:MOST_ROWS]),
            rows_exceeded=len(found),
            products=tuple(self._products(effective, hours_a_year)),
            before=probability(self._any_before, effective),
            firm_broken=probability(self._broken, effective),
            firm_broken_worst_mw=self._broken_mw,
            states=self._states,
            hours_a_year=hours_a_year,
            programs=self.programs,
        )

    def _level(self, level: int, effective: float, hours: float | None) -> LevelRisk:
        epsilon = (0.0, *self._question.epsilons)[level]
        exceeded = self._exceeded[level]
        most = float(exceeded.max(initial=0.0))
        joint = probability(float(self._any_exceeded[level]), effective)
        return LevelRisk(
            epsilon=epsilon,
            exceeded=joint,
            most_on_one=probability(most, effective),
            most_on=self._limits[int(exceeded.argmax())].limit().words if most > 0 else "",
            mean_mw=float(self._any_mean[level]),
            worst_mw=float(self._worst[level].max(initial=0.0)),
            words=promise_words(self._question, epsilon, joint, hours),
        )

    def _row(self, row: int, effective: float) -> RowRisk:
        limit = self._limits[row].limit()
        return RowRisk(
            element=limit.element,
            kind=limit.kind,
            words=limit.words,
            held=self._limits[row].held,
            before=probability(float(self._before[row]), effective),
            exceeded=tuple(probability(float(share), effective) for share in self._exceeded[:, row]),
            mean_mw=tuple(self._mean[:, row].tolist()),
            worst_mw=tuple(self._worst[:, row].tolist()),
        )

    def _products(self, effective: float, hours: float | None) -> Iterable[ProductRisk]:
        for place, (bus, epsilon, size) in enumerate(self._parts):
            share, mean = float(self._cut[place]), float(self._cut_mean[place])
            yield ProductRisk(
                bus=bus,
                epsilon=epsilon,
                capacity_mw=size,
                interrupted=probability(share, effective),
                cut_mw=mean,
                cut_when_mw=mean / share if share > 0 else 0.0,
                worst_mw=float(self._cut_worst[place]),
                worst_state=self._worst_state[place],
                hours=None if hours is None else share * hours,
                energy_mwh=None if hours is None else mean * hours,
            )
