"""What a promise is worth: how often its limits are exceeded, and who is interrupted, on states that had no part in it.

CVaR at level epsilon bounds each limit by itself, on the sample. Here both are measured on independent states:
every limit and all together, and per product the probability and depth of interruption, by the least cut of
:mod:`engine.capacity.curtailment`. Two uses of what is granted: all of it drawn at once, or on every limit the part
that loads it most, which is what an allocation that is deliverable in every part promises.

What is added is at fault for an excess over the limit by at most what it adds in that state; limits that existing
load exceeds before anything is added are counted apart.
Intervals of probabilities: Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934;
with unequal weights the number of states is Kish's effective one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import beta

from engine.capacity.curtailment import TOLERANCE_MW, Curtailment
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion
from engine.capacity.row_loads import blocks
from engine.capacity.uncertainty import Sample
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix, Vector

CONFIDENCE = 0.95
MOST_ROWS = 40  # of the limits that are listed


@dataclass(frozen=True, slots=True)
class Share:
    """A probability with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RowRisk:
    """One limit on independent states."""

    element: str
    kind: str
    words: str
    held: bool  # existing load exceeds it in the sample already, and the question holds it there
    before: Share  # exceeded before anything is added
    exceeded: tuple[Share, ...]  # by what is added, at each level, firm first
    mean_mw: tuple[float, ...]  # excess, over all states
    worst_mw: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LevelRisk:
    """All limits together at one level."""

    epsilon: float  # 0 for firm
    exceeded: Share  # some limit is, by what is added
    most_on_one: Share  # the limit that is exceeded most often
    most_on: str  # which, "" for none
    mean_mw: float  # largest excess over the limits, over all states
    worst_mw: float
    words: str  # what the level promises and what was found, in plain words


@dataclass(frozen=True, slots=True)
class ProductRisk:
    """One flexible product with all products drawn at once; blocks of a product share its interruptions."""

    bus: str
    epsilon: float
    capacity_mw: float
    interrupted: Share
    cut_mw: float  # mean over all states
    cut_when_mw: float  # mean over the states in which it is interrupted
    worst_mw: float
    worst_state: str
    hours: float | None  # interrupted a year, where states stand for hours
    energy_mwh: float | None  # not served a year


@dataclass(frozen=True, slots=True)
class Risk:
    """What was measured."""

    levels: tuple[LevelRisk, ...]
    rows: tuple[RowRisk, ...]  # limits exceeded in some state, the most often first, at most 40
    rows_exceeded: int
    products: tuple[ProductRisk, ...]
    before: Share  # some limit is exceeded before anything is added
    firm_broken: Share  # no cut of flexible products restores the limits
    firm_broken_worst_mw: float
    states: int
    hours_a_year: float | None
    programs: int  # states that needed a linear program


def probability(value: float, effective: float) -> Share:
    """Return a measured probability with its exact binomial interval for ``effective`` independent states."""
    hits, tail = value * effective, (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if hits <= 1e-12 else float(beta.ppf(tail, hits, effective - hits + 1.0))
    high = 1.0 if effective - hits <= 1e-12 else float(beta.ppf(1.0 - tail, hits + 1.0, effective - hits))
    return Share(min(max(value, 0.0), 1.0), min(low, value), max(high, value))


@dataclass(slots=True, eq=False)
class _Sums:
    """Running sums of probability-weighted findings. L levels, R limits, P products."""

    before: Vector  # (R,)
    exceeded: Matrix  # (L, R)
    mean: Matrix  # (L, R)
    worst: Matrix  # (L, R)
    any_before: float
    any_exceeded: Vector  # (L,)
    any_mean: Vector  # (L,)
    cut: dict[tuple[str, float], list[float]] = field(default_factory=dict)  # probability, MW, worst MW
    worst_state: dict[tuple[str, float], str] = field(default_factory=dict)
    broken: float = 0.0
    broken_mw: float = 0.0
    states: int = 0
    programs: int = 0
    squared: float = 0.0  # sum of squared weights


class Measure:
    """Measures an allocation on independent states, given some at a time; for a file, part by part."""

    def __init__(self, question: CapacityQuestion, rows: int, *, together: bool) -> None:
        """``rows`` is the number of prepared limits; ``together``: all is drawn at once, else the worst part."""
        self._together = together
        count = 1 + len(question.epsilons)
        self._question = question
        self._sums = _Sums(
            before=np.zeros(rows),
            exceeded=np.zeros((count, rows)),
            mean=np.zeros((count, rows)),
            worst=np.zeros((count, rows)),
            any_before=0.0,
            any_exceeded=np.zeros(count),
            any_mean=np.zeros(count),
        )

    def add(self, prepared: Prepared, levels_mw: Sequence[Vector], sample: Sample, portion: float = 1.0) -> None:
        """Count the states of ``sample`` with ``portion`` of all probability, for capacities (K,) of each level.

        Raises QuestionError when the number of levels is not that of the question.
        """
        if len(levels_mw) != 1 + len(self._question.epsilons):
            raise QuestionError(f"{1 + len(self._question.epsilons)} levels are asked, {len(levels_mw)} were given")
        one = _Allocation.of(prepared, self._question, levels_mw, together=self._together)
        weight = portion * sample.weight
        self._sums.states += len(weight)
        self._sums.squared += float(weight @ weight)
        for start, load in blocks(prepared, sample.net_demand_mw):
            stop = start + load.shape[1]
            self._add_block(one, load, weight[start:stop], sample.labels[start:stop])

    def _add_block(self, one: "_Allocation", load: Matrix, weight: Vector, labels: tuple[str, ...]) -> None:
        sums = self._sums
        over = load - one.limit_mw[:, np.newaxis]
        before = over > TOLERANCE_MW
        sums.before += before @ weight
        sums.any_before += float(weight[before.any(axis=0)].sum())
        last: Matrix | None = None
        for level, added in enumerate(one.added_mw):
            excess = np.minimum(over + added[:, np.newaxis], added[:, np.newaxis])  # what is added is at fault for
            touched = np.flatnonzero((excess > TOLERANCE_MW).any(axis=1))
            part = np.maximum(excess[touched], 0.0)
            hit = part > TOLERANCE_MW
            sums.exceeded[level, touched] += hit @ weight
            sums.mean[level, touched] += part @ weight
            sums.worst[level, touched] = np.maximum(sums.worst[level, touched], part.max(axis=1, initial=0.0))
            sums.any_exceeded[level] += float(weight[hit.any(axis=0)].sum())
            sums.any_mean[level] += float(weight @ part.max(axis=0, initial=0.0))
            last = excess
        if last is not None:
            self._cut(one, last, weight, labels)

    def _cut(self, one: "_Allocation", excess: Matrix, weight: Vector, labels: tuple[str, ...]) -> None:
        sums = self._sums
        states = np.flatnonzero((excess > TOLERANCE_MW).any(axis=0))
        if not states.size:
            return
        found = one.curtailment.cut(excess[:, states])
        broken = found.left_mw > TOLERANCE_MW
        sums.broken += float(weight[states][broken].sum())
        sums.broken_mw = max(sums.broken_mw, float(found.left_mw.max(initial=0.0)))
        sums.programs += found.programs
        for product, key in enumerate(one.products):
            cut = found.cut_mw[:, product]
            entry = sums.cut.setdefault(key, [0.0, 0.0, 0.0])
            entry[0] += float(weight[states][cut > TOLERANCE_MW].sum())
            entry[1] += float(weight[states] @ cut)
            if cut.max() > entry[2]:
                entry[2] = float(cut.max())
                sums.worst_state[key] = labels[states[int(cut.argmax())]]

    def risk(self, prepared: Prepared, levels_mw: Sequence[Vector], hours_a_year: float | None) -> Risk:
        """Return what was found, for the products of these capacities."""
        sums = self._sums
        effective = 1.0 / sums.squared
        often = sums.exceeded.max(axis=0)
        found = np.flatnonzero((often > 0) | (sums.before > 0))
        order = found[np.lexsort((-sums.before[found], -often[found]))]
        held = _held(prepared, self._question)
        return Risk(
            levels=tuple(self._level(prepared, place, effective, hours_a_year) for place in range(len(levels_mw))),
            rows=tuple(self._row(prepared, int(row), bool(held[row]), effective) for row in order[:MOST_ROWS]),
            rows_exceeded=len(found),
            products=tuple(self._products(levels_mw, effective, hours_a_year)),
            before=probability(sums.any_before, effective),
            firm_broken=probability(sums.broken, effective),
            firm_broken_worst_mw=sums.broken_mw,
            states=sums.states,
            hours_a_year=hours_a_year,
            programs=sums.programs,
        )

    def _level(self, prepared: Prepared, place: int, effective: float, hours: float | None) -> LevelRisk:
        sums = self._sums
        epsilon = (0.0, *self._question.epsilons)[place]
        row = int(sums.exceeded[place].argmax())
        most = float(sums.exceeded[place, row])
        joint = probability(float(sums.any_exceeded[place]), effective)
        return LevelRisk(
            epsilon=epsilon,
            exceeded=joint,
            most_on_one=probability(most, effective),
            most_on=prepared.limit(row).words if most > 0 else "",
            mean_mw=float(sums.any_mean[place]),
            worst_mw=float(sums.worst[place].max(initial=0.0)),
            words=promise_words(self._question, epsilon, joint, hours),
        )

    def _row(self, prepared: Prepared, row: int, held: bool, effective: float) -> RowRisk:
        sums, limit = self._sums, prepared.limit(row)
        return RowRisk(
            element=limit.element,
            kind=limit.kind,
            words=limit.words,
            held=held,
            before=probability(float(sums.before[row]), effective),
            exceeded=tuple(probability(float(share), effective) for share in sums.exceeded[:, row]),
            mean_mw=tuple(sums.mean[:, row].tolist()),
            worst_mw=tuple(sums.worst[:, row].tolist()),
        )

    def _products(self, levels_mw: Sequence[Vector], effective: float, hours: float | None) -> Iterable[ProductRisk]:
        for bus, epsilon, size in flexible_parts(self._question, levels_mw):
            key = (bus, epsilon)
            share, mean, worst = self._sums.cut.get(key, [0.0, 0.0, 0.0])
            yield ProductRisk(
                bus=bus,
                epsilon=epsilon,
                capacity_mw=size,
                interrupted=probability(share, effective),
                cut_mw=mean,
                cut_when_mw=mean / share if share > 0 else 0.0,
                worst_mw=worst,
                worst_state=self._sums.worst_state.get(key, ""),
                hours=None if hours is None else share * hours,
                energy_mwh=None if hours is None else mean * hours,
            )


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


def flexible_parts(question: CapacityQuestion, levels_mw: Sequence[Vector]) -> list[tuple[str, float, float]]:
    """Return (bus, risk level, MW) of each flexible product of these capacities, the safest level first."""
    found: list[tuple[str, float, float]] = []
    for place, epsilon in enumerate(question.epsilons):
        steps = levels_mw[place + 1] - levels_mw[place]
        sizes = zip(question.candidates, steps.tolist(), strict=True)
        found += [(bus, epsilon, size) for bus, size in sizes if size > TOLERANCE_MW]
    return found


def _held(prepared: Prepared, question: CapacityQuestion) -> Flags:
    """Return the (R,) limits that existing load exceeds in the sample and that the question holds there."""
    over: Flags = prepared.firm_load_mw > prepared.limit_mw
    return over & (question.at_zero == "hold")


def promise_words(question: CapacityQuestion, epsilon: float, joint: Share, hours: float | None) -> str:
    """Return what a level promises, and what was measured, in plain words."""
    year = hours or 8760.0
    measured = f"measured: one limit or more is exceeded in {percents(joint)} of independent states"
    if hours is not None:
        measured += (
            f", {hours * joint.value:,.0f} hours a year ({hours * joint.low:,.0f}\u2013{hours * joint.high:,.0f})"
        )
    if epsilon == 0:
        kept = "the box" if question.firm_set == "box" else "the set of states it was computed for"
        return f"firm: no limit is exceeded in any state of {kept}; states beyond it are not promised. {measured}"
    level = f"{100 * epsilon:.6g} %"
    if question.measure == "var":
        bound = f"each single limit is exceeded in at most {level} of states, by how much is not bounded"
    else:
        bound = (
            f"on each single limit the mean load of the worst {level} of states is at most the limit, so each is "
            f"exceeded in less than {level} of states"
        )
    return (
        f"{level}: {bound}: in expectation at most {epsilon * year:,.0f} hours of a year of {year:,.0f}, limit by "
        f"limit; limits together can be exceeded more often. {measured}"
    )


def percents(share: Share) -> str:
    """Return a probability with its interval: ``3.5 % (3.4\u20133.6)``, ``0 % (at most 0.004)`` where none was seen."""
    if share.value <= 0.0:
        return f"0 % (at most {_digits(100 * share.high)})"
    digits = 2 if share.high < 0.01 else 1
    value, low, high = (f"{100 * part:.{digits}f}" for part in (share.value, share.low, share.high))
    return f"{value} % ({low}\u2013{high})"


def _digits(value: float) -> str:
    """Return a small number with one digit that counts."""
    places = max(1, 1 - math.floor(math.log10(value))) if value > 0 else 1
    return f"{math.ceil(value * 10 ** (places - 1)) / 10 ** (places - 1):.{places - 1}f}"


def level_warnings(question: CapacityQuestion, finest: float) -> tuple[str, ...]:
    """Return a warning for each risk level that is too fine for a sample whose likeliest state has ``finest``."""
    found: list[str] = []
    for epsilon in question.epsilons:
        level = f"{100 * epsilon:.6g} %"
        if epsilon < finest:
            words = f"{level} is below the sample's resolution of {100 * finest:.3g} %: it means its worst state"
            found.append(words)
        elif epsilon < 10 * finest:
            found.append(f"{level} rests on the worst {epsilon / finest:.0f} states of the sample: a rough estimate")
    return tuple(found)
