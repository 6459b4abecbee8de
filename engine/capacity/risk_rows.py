"""An allocation judged on prepared limits, state by state, where what is added is the same in every state.

Two uses of what is granted: all of it drawn at once, or on every limit the part that loads it most, which is what an
allocation that is deliverable in every part promises. What is added is at fault for an excess over the limit by at
most what it adds in that state; limits that existing load exceeds before anything is added are counted apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.capacity.curtailment import TOLERANCE_MW, Curtailment
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion
from engine.capacity.risk import Risk, flexible_parts
from engine.capacity.risk_tally import Judged, Tally
from engine.capacity.row_loads import blocks
from engine.capacity.uncertainty import Sample
from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector


class Measure:
    """Measures an allocation on independent states, given some at a time; for a file, part by part."""

    def __init__(self, question: CapacityQuestion, levels_mw: Sequence[Vector], *, together: bool) -> None:
        """``levels_mw`` (K,) is the answer's; ``together``: all is drawn at once, else on each limit the worst part.

        Raises QuestionError when the number of levels is not that of the question.
        """
        _check_levels(question, levels_mw)
        self._question, self._together = question, together
        self._tally = Tally(question, levels_mw)

    def add(self, prepared: Prepared, levels_mw: Sequence[Vector], sample: Sample, portion: float = 1.0) -> None:
        """Count the states of ``sample`` with ``portion`` of all probability, for capacities (K,) of each level.

        Raises QuestionError when the number of levels is not that of the question.
        """
        _check_levels(self._question, levels_mw)
        one = _Allocation.of(prepared, self._question, levels_mw, together=self._together)
        places = self._tally.places(_judged(prepared, self._question))
        weight = portion * sample.weight
        self._tally.count_states(weight)
        for start, load in blocks(prepared, sample.net_demand_mw):
            stop = start + load.shape[1]
            self._add_block(one, places, load, weight[start:stop], sample.labels[start:stop])

    def _add_block(
        self, one: "_Allocation", places: Integers, load: Matrix, weight: Vector, labels: tuple[str, ...]
    ) -> None:
        over = load - one.limit_mw[:, np.newaxis]
        before = over > TOLERANCE_MW
        self._tally.count_before(places, before @ weight, float(weight[before.any(axis=0)].sum()))
        last: Matrix | None = None
        for level, added in enumerate(one.added_mw):
            excess = np.minimum(over + added[:, np.newaxis], added[:, np.newaxis])  # what is added is at fault for
            touched = np.flatnonzero((excess > TOLERANCE_MW).any(axis=1))
            part = np.where(excess[touched] > TOLERANCE_MW, excess[touched], 0.0)
            self._tally.count_level(level, places[touched], part, weight)
            last = excess
        if last is not None:
            self._cut(one, last, weight, labels)

    def _cut(self, one: "_Allocation", excess: Matrix, weight: Vector, labels: tuple[str, ...]) -> None:
        states = np.flatnonzero((excess > TOLERANCE_MW).any(axis=0))
        if not states.size:
            return
        found = one.curtailment.cut(excess[:, states])
        named = [labels[state] for state in states.tolist()]
        self._tally.count_cuts(one.products, found.cut_mw, found.left_mw, weight[states], named)
        self._tally.programs += found.programs

    def risk(self, hours_a_year: float | None) -> Risk:
        """Return what was found."""
        return self._tally.risk(hours_a_year)


@dataclass(frozen=True, slots=True, eq=False)
class _Allocation:
    """What one allocation adds to every limit, and how its products would be cut."""

    limit_mw: Vector  # (R,)
    added_mw: tuple[Vector, ...]  # (R,) at each level
    products: tuple[tuple[str, float], ...]  # bus and level of each flexible product
    curtailment: Curtailment

    @classmethod
    def of(
        cls, prepared: Prepared, question: CapacityQuestion, levels_mw: Sequence[Vector], *, together: bool
    ) -> "_Allocation":
        factors = prepared.row_factors(prepared.positions(question.candidates), question.cutoff)
        if not together:
            factors = np.maximum(factors, 0.0)
        site = {bus: place for place, bus in enumerate(question.candidates)}
        parts = flexible_parts(question, levels_mw)
        own = factors[:, [site[bus] for bus, _, _ in parts]]
        return cls(
            limit_mw=prepared.limit_mw,
            added_mw=tuple(factors @ mw for mw in levels_mw),
            products=tuple((bus, epsilon) for bus, epsilon, _ in parts),
            curtailment=Curtailment(
                own, np.array([size for _, _, size in parts]), np.array([epsilon for _, epsilon, _ in parts])
            ),
        )


def _check_levels(question: CapacityQuestion, levels_mw: Sequence[Vector]) -> None:
    if len(levels_mw) != 1 + len(question.epsilons):
        raise QuestionError(f"{1 + len(question.epsilons)} levels are asked, {len(levels_mw)} were given")


def _judged(prepared: Prepared, question: CapacityQuestion) -> Iterable[Judged]:
    """Yield the limits of prepared rows."""
    held = _held(prepared, question)
    after = prepared.after
    plain = prepared.row_count - (0 if after is None else len(after.outage))
    kinds, elements = prepared.row_kind.tolist(), prepared.row_element.tolist()
    for row, (kind, element) in enumerate(zip(kinds, elements, strict=True)):
        lost = "" if after is None or row < plain else after.names[after.outage[row - plain]][0]
        yield Judged((kind, element, lost), partial(prepared.limit, row), bool(held[row]))


def _held(prepared: Prepared, question: CapacityQuestion) -> Flags:
    """Return the (R,) limits that existing load exceeds in the sample and that the question holds there."""
    over: Flags = prepared.firm_load_mw > prepared.limit_mw
    return over & (question.at_zero == "hold")
