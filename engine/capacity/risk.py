"""What a promise is worth: how often its limits are exceeded, and who is interrupted, on states that had no part in it.

CVaR at level epsilon bounds each limit by itself, on the sample. Here both are measured on independent states:
every limit and all together, and per product the probability and depth of interruption, by the least cut of
:mod:`engine.capacity.curtailment`. How: :mod:`engine.capacity.risk_rows`, and with redispatch
:mod:`engine.capacity.risk_redispatch`.
Intervals of probabilities: Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934;
with unequal weights the number of states is Kish's effective one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from engine.capacity.curtailment import TOLERANCE_MW
from engine.capacity.question import CapacityQuestion
from engine.network.model import Vector

CONFIDENCE = 0.95


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
    low = 0.0 if hits <= 1e-12 else float(betaincinv(hits, effective - hits + 1.0, tail))
    high = 1.0 if effective - hits <= 1e-12 else float(betaincinv(hits + 1.0, effective - hits, 1.0 - tail))
    return Share(min(max(value, 0.0), 1.0), min(low, value), max(high, value))


def flexible_parts(question: CapacityQuestion, levels_mw: Sequence[Vector]) -> list[tuple[str, float, float]]:
    """Return (bus, risk level, MW) of each flexible product of these capacities, the safest level first."""
    found: list[tuple[str, float, float]] = []
    for place, epsilon in enumerate(question.epsilons):
        steps = levels_mw[place + 1] - levels_mw[place]
        sizes = zip(question.candidates, steps.tolist(), strict=True)
        found += [(bus, epsilon, size) for bus, size in sizes if size > TOLERANCE_MW]
    return found


def promise_words(question: CapacityQuestion, epsilon: float, joint: Share, hours: float | None) -> str:
    """Return what a level promises, and what was measured, in plain words."""
    year = hours or 8760.0
    moves = question.recourse == "redispatch"
    what = "no dispatch keeps every limit" if moves else "one limit or more is exceeded"
    measured = f"Measured: {what} in {percents(joint)} of independent states"
    if hours is not None:
        measured += (
            f", {hours * joint.value:,.0f} hours a year ({hours * joint.low:,.0f}\u2013{hours * joint.high:,.0f})"
        )
    measured += "."
    if epsilon == 0:
        kept = "the box" if question.firm_set == "box" else "the set of states it was computed for"
        kept = "the sample and every mixture of them" if moves else kept
        held = "some dispatch keeps every limit" if moves else "every limit is kept"
        return f"Firm: {held} in every state of {kept}. States beyond it are not promised. {measured}"
    level = f"{100 * epsilon:.6g} %"
    most = f"In expectation that is at most {epsilon * year:,.0f} hours of a year of {year:,.0f}"
    if moves:
        return (
            f"{level}: one joint limit. The mean of the least overloads in the worst {level} of states is zero or "
            f"less, so some dispatch keeps every limit in all but less than {level} of states. {most}. {measured}"
        )
    if question.measure == "var":
        bound = f"Each single limit is exceeded in at most {level} of states, by how much is not bounded."
    else:
        bound = (
            f"On each single limit the mean load of the worst {level} of states is at most the limit, so each is "
            f"exceeded in less than {level} of states."
        )
    return f"{level}: limit by limit. {bound} {most} for each; limits together can be exceeded more often. {measured}"


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
