"""How far a table of scores can be trusted: other weights, other envelopes, and the noise of prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.ranking import FIXED_WEIGHTS, GROUPS, Criterion, overlap, places, rank, spearman, top


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One other way to weigh the groups, against TOPSIS: equations (36) and (37)."""

    name: str
    weights: tuple[float, ...]
    spearman: float
    top_overlap: float


def diagnostics(score: Vector, group_score: Matrix, place: Integers, *, count: int = 20) -> list[Diagnostic]:
    """Return fixed weights (if there are three groups) and equal ones against the ``score`` (N,) that ranks.

    ``group_score`` (N, Γ) are equation (28), ``place`` (N,) the places by the score, 1 the best.
    """
    size = group_score.shape[1]
    chosen = [("equal weights", (1.0 / size,) * size)]
    if size == len(FIXED_WEIGHTS):
        chosen.insert(0, ("fixed weights of the source", FIXED_WEIGHTS))
    best = top(place, count).tolist()
    found = []
    for name, weights in chosen:
        other = group_score @ np.asarray(weights)
        listed = top(places(other, np.zeros((len(other), 0))), count).tolist()
        found.append(Diagnostic(name, weights, spearman(score, other), overlap(best, listed)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Aggregates over E envelopes for the sites that qualify in all of them, equations of section 5."""

    sites: tuple[int, ...]  # those in every envelope
    least: Vector  # the lowest score over the envelopes
    expected: Vector  # the mean with the envelopes' probabilities
    partial: Mapping[int, tuple[str, ...]]  # the others, and the envelopes that they miss


def robust(scores: Mapping[str, Mapping[int, float]], probability: Mapping[str, float] | None = None) -> Robust:
    """Return the lowest and the expected score of each site; ``scores`` is envelope -> site -> score.

    Raises QuestionError unless the probabilities name the envelopes and sum to one; left out, they are equal.
    """
    names = list(scores)
    if not names:
        raise QuestionError("robust scores need at least one envelope")
    chance = {name: 1.0 / len(names) for name in names} if probability is None else dict(probability)
    if set(chance) != set(names) or min(chance.values()) < 0.0 or abs(sum(chance.values()) - 1.0) > 1e-9:
        raise QuestionError(f"the probabilities must name {', '.join(names)}, be 0 or more, and sum to 1")
    every = sorted({site for own in scores.values() for site in own})
    common = [site for site in every if all(site in scores[name] for name in names)]
    table = np.array([[scores[name][site] for name in names] for site in common]).reshape(len(common), len(names))
    partial = {
        site: tuple(name for name in names if site not in scores[name]) for site in every if site not in set(common)
    }
    weights = np.array([chance[name] for name in names])
    return Robust(tuple(common), table.min(axis=1, initial=np.inf), table @ weights, partial)


def noise_intervals(  # noqa: PLR0913 (two of these are by name)
    values: Matrix,
    criteria: Sequence[Criterion],
    floor: Vector | Matrix,
    groups: Mapping[str, Sequence[Criterion]] = GROUPS,
    *,
    group_weights: Sequence[float] | None = None,
    criterion_weights: Mapping[Criterion, float] | None = None,
    rows: Sequence[int] | None = None,
) -> Matrix:
    """Return the lowest and highest score (N, 2) that each site has when its own figures move by the noise floor.

    That is (J,) for all, or (N, J) of each. The others stay where they are: an interval of one site at a time, not of
    all orders at once. ``rows`` are the N sites that are asked for (all if left out), the weights as
    :func:`engine.siting.ranking.rank` takes them.
    """
    table = np.asarray(values, dtype=np.float64)
    asked = range(len(table)) if rows is None else rows
    found = np.empty((len(asked), 2))
    by = np.broadcast_to(floor, (len(asked), table.shape[1]))
    for place, site in enumerate(asked):
        for side, sign in enumerate((1.0, -1.0)):  # all criteria are costs: more is worse
            moved = table.copy()
            moved[site] += sign * by[place]
            try:
                found[place, side] = rank(
                    moved, criteria, groups, group_weights=group_weights, criterion_weights=criterion_weights
                ).score[site]
            except QuestionError:  # moved, it is like all others
                found[place, side] = 0.5
    return np.sort(found, axis=1)


def open_places(place: Integers, interval: Matrix, count: int) -> Flags:
    """Return the sites (N,) whose place among the first ``count`` the noise floor could change.

    A site inside may leave if its lowest score is not above the highest of some site outside, and one outside may
    enter if its highest is not below the lowest of some site inside.
    """
    inside = place <= count
    if inside.all() or not inside.any():
        return np.zeros(len(place), dtype=np.bool_)
    best_outside, worst_inside = interval[~inside, 1].max(), interval[inside, 0].min()
    found: Flags = np.where(inside, interval[:, 0] <= best_outside, interval[:, 1] >= worst_inside)
    return found
