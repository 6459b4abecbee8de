"""Stage 3: entropy weights inside groups of criteria, TOPSIS across the groups, and how far to trust the order.

Source: equations (20) to (37) of arXiv 2605.14714; TOPSIS: Hwang and Yoon, *Multiple Attribute Decision Making*,
1981; entropy weights: Zeleny, *Multiple Criteria Decision Making*, 1982, ch. 7. All criteria are costs: lower is
better. The lists of the groups are lost in the source; those here follow its descriptions and go into every result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Vector
from engine.siting.metrics import METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS

Criterion = str  # "<window>:<metric>", or the name of a column that a reader brought
GROUPS: Mapping[str, tuple[Criterion, ...]] = {
    "peak congestion": ("on_peak:p95_p5", "on_peak:std", "on_peak:binding_hours", "on_peak:rent"),
    "off-peak side effects": ("off_peak:mean_lmp", "off_peak:std", "off_peak:p95_p5"),
    "all-hour cost": ("all:mean_lmp", "all:binding_hours", "all:rent"),
}
FIXED_WEIGHTS = (0.70, 0.20, 0.10)  # equation (36): a diagnostic, not what ranks
TIE_CRITERION = "on_peak:rent"
EPSILON = 1e-12  # the source's
SCORE_DIGITS = 12  # decimals in which two scores must differ to be told apart
FLAT = 1e-12  # of a group's divergence, below which its criteria count alike
_TOP = 20


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """N alternatives scored: higher is better, and place 1 is the best."""

    criteria: tuple[Criterion, ...]  # (J,)
    groups: tuple[str, ...]  # (Γ,), those that were not dropped
    group_of: Integers  # (J,), position of each criterion's group
    benefit: Matrix  # (N, J), equation (23), 0 to 1
    entropy: Vector  # (J,)
    weight: Vector  # (J,), sums to 1 inside each group
    group_score: Matrix  # (N, Γ), equation (28)
    normalised: Matrix  # (N, Γ), equations (29) and (30), times the group's own weight
    ideal: Vector  # (Γ,)
    anti_ideal: Vector  # (Γ,)
    to_ideal: Vector  # (N,)
    to_anti_ideal: Vector  # (N,)
    score: Vector  # (N,), equation (35)
    place: Integers  # (N,), 1 is the best; ties broken by the tie criterion, then by the order given
    notices: tuple[str, ...]


def rank(  # noqa: PLR0913 (the table, then by name what else counts)
    values: Matrix,
    criteria: Sequence[Criterion],
    groups: Mapping[str, Sequence[Criterion]] = GROUPS,
    *,
    group_weights: Sequence[float] | None = None,
    criterion_weights: Mapping[Criterion, float] | None = None,
    ties: Matrix | None = None,
) -> Ranking:
    """Rank N alternatives by ``values`` (N, J), whose columns ``criteria`` name; lower is better in each.

    ``group_weights`` multiply the normalised group scores; left out, groups count alike. ``criterion_weights`` multiply
    what entropy gives a criterion inside its group; those left out count once. ``ties`` (N, ·) orders equal
    scores, column after column, lower first; left out, that is the on-peak rent if it is there, then the order given.
    Raises QuestionError when a group names a column that is not there, a value is missing, or no criterion tells the
    alternatives apart.
    """
    table, names = np.asarray(values, dtype=np.float64), tuple(criteria)
    _check(table, names, groups, group_weights)
    chosen = [(criterion, place) for place, group in enumerate(groups) for criterion in groups[group]]
    _check_weights(criterion_weights or {})
    used = np.array([names.index(criterion) for criterion, _ in chosen], dtype=np.intp)
    group_of = np.array([place for _, place in chosen], dtype=np.intp)
    benefit = benefit_of(table[:, used])
    entropy, divergence = entropies(benefit)
    own_weights = criterion_weights or {}
    times = np.array([own_weights.get(criterion, 1.0) for criterion, _ in chosen])
    weight = _within_groups(divergence, group_of, times)
    score = np.stack([benefit[:, group_of == g] @ weight[group_of == g] for g in range(len(groups))], axis=1)
    length = np.sqrt((score**2).sum(axis=0))
    kept = np.flatnonzero(length > EPSILON)
    if not kept.size and len(table) > 1:
        raise QuestionError("no congestion in this case, nothing to rank: every criterion is equal at all sites")
    dropped = [group for place, group in enumerate(groups) if place not in kept]
    given = np.ones(len(groups)) if group_weights is None else np.asarray(group_weights, dtype=np.float64)
    normalised = score[:, kept] / length[kept] * given[kept]
    ideal, worst = normalised.max(axis=0), normalised.min(axis=0)
    to_ideal = np.sqrt(((normalised - ideal) ** 2).sum(axis=1))
    to_worst = np.sqrt(((normalised - worst) ** 2).sum(axis=1))
    closeness = np.ones(1) if len(table) == 1 else _closeness(to_ideal, to_worst)
    own = np.isin(group_of, kept)
    return Ranking(
        criteria=tuple(criterion for (criterion, _), stays in zip(chosen, own, strict=True) if stays),
        groups=tuple(group for place, group in enumerate(groups) if place in kept),
        group_of=np.searchsorted(kept, group_of[own]),
        benefit=benefit[:, own],
        entropy=entropy[own],
        weight=weight[own],
        group_score=score[:, kept],
        normalised=normalised,
        ideal=ideal,
        anti_ideal=worst,
        to_ideal=to_ideal,
        to_anti_ideal=to_worst,
        score=closeness,
        place=places(closeness, _ties(table, names, ties)),
        notices=tuple(f"group {group!r} is equal at all sites and does not count" for group in dropped),
    )


def benefit_of(cost: Matrix) -> Matrix:
    """Return equation (23): 1 for the least cost of a column (N, J), 0 for the largest; 0 where all are equal."""
    most, least = cost.max(axis=0), cost.min(axis=0)
    # Rounding of equal prices is not a difference: a range below twelve digits of the value counts as none.
    flat = most - least <= EPSILON * np.maximum(1.0, np.abs(most))
    return np.where(flat, 0.0, (most - cost) / np.where(flat, 1.0, most - least + EPSILON))


def entropies(benefit: Matrix) -> tuple[Vector, Vector]:
    """Return the entropy (J,) of each column, equations (24) and (25), and its divergence (26), not below zero."""
    alternatives = len(benefit)
    if alternatives < 2:
        return np.ones(benefit.shape[1]), np.zeros(benefit.shape[1])
    shifted = benefit + EPSILON
    share = shifted / shifted.sum(axis=0)
    entropy = -(share * np.log(share)).sum(axis=0) / np.log(alternatives)
    divergence = np.where(np.ptp(benefit, axis=0) > 0.0, np.maximum(0.0, 1.0 - entropy), 0.0)
    return entropy, divergence


def _within_groups(divergence: Vector, group_of: Integers, times: Vector) -> Vector:
    weight = np.zeros(len(divergence))
    for group in np.unique(group_of):
        own = group_of == group
        flat = divergence[own].sum() < FLAT
        share = times[own] if flat else divergence[own] * times[own]
        weight[own] = share / share.sum()
    return weight


def _closeness(to_ideal: Vector, to_worst: Vector) -> Vector:
    total = to_ideal + to_worst
    return np.where(total > 0.0, to_worst / np.where(total > 0.0, total, 1.0), 0.5)


def _ties(table: Matrix, names: tuple[Criterion, ...], ties: Matrix | None) -> Matrix:
    if ties is not None:
        return np.asarray(ties, dtype=np.float64)
    return table[:, [names.index(TIE_CRITERION)]] if TIE_CRITERION in names else np.zeros((len(table), 0))


def places(score: Vector, ties: Matrix) -> Integers:
    """Return the place (N,) of each alternative: 1 for the highest score; lower ties first, then the order given."""
    order = np.lexsort([*ties.T[::-1], -np.round(score, SCORE_DIGITS)])
    found = np.empty(len(score), dtype=np.intp)
    found[order] = np.arange(1, len(score) + 1)
    return found


def top(place: Integers, count: int = _TOP) -> Integers:
    """Return the positions of the first ``count`` places, best first."""
    return np.argsort(place, kind="stable")[:count]


def overlap(one: Sequence[object], other: Sequence[object]) -> float:
    """Return how much of two shortlists is shared, as a share of the longer one."""
    return len(set(one) & set(other)) / max(len(one), len(other), 1)


def spearman(one: Vector, other: Vector) -> float:
    """Return the rank correlation of two scores (N,), average ranks for ties; nan where one of them is flat.

    Scores count as equal as in :func:`places`.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 (half a second to import)

    first, second = rankdata(np.round(one, SCORE_DIGITS)), rankdata(np.round(other, SCORE_DIGITS))
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float(first @ second) / length if length > 0 else float("nan")


def criterion_words(criterion: Criterion) -> str:
    """Return ``on-peak LMP P95-P5`` for ``on_peak:p95_p5``; a reader's own column keeps its name."""
    window, _, metric = criterion.partition(":")
    for known_window in WINDOWS:
        for known_metric in METRICS:
            if (window, metric) == (known_window, known_metric):
                return f"{WINDOW_WORDS[known_window]} {METRIC_WORDS[known_metric]}"
    return criterion


def metric_criteria() -> tuple[Criterion, ...]:
    """Return the fifteen criteria in the order of a flattened :func:`engine.siting.metrics.five_metrics`."""
    return tuple(f"{window}:{metric}" for window in WINDOWS for metric in METRICS)


def _check(
    table: Matrix,
    names: tuple[Criterion, ...],
    groups: Mapping[str, Sequence[Criterion]],
    group_weights: Sequence[float] | None,
) -> None:
    if table.ndim != 2 or table.shape[1] != len(names) or not len(table):
        raise QuestionError(f"a ranking needs one row per site and {len(names)} columns, found {table.shape}")
    empty = [group for group, listed in groups.items() if not listed]
    if not groups or empty:
        raise QuestionError(f"group {empty[0]!r} has no criterion" if empty else "a ranking needs a group of criteria")
    missing = sorted({criterion for listed in groups.values() for criterion in listed} - set(names))
    if missing:
        raise QuestionError(f"no column is named {missing[0]!r}; there are {', '.join(names)}")
    row, column = np.nonzero(~np.isfinite(table))
    if row.size:
        raise QuestionError(f"site {row[0] + 1} has no value of {criterion_words(names[column[0]])}")
    if group_weights is not None:
        weights = np.asarray(group_weights, dtype=np.float64)
        if weights.shape != (len(groups),) or (weights < 0).any() or not weights.sum() > 0:
            raise QuestionError(f"{len(groups)} groups need as many weights, none below zero and not all zero")


def _check_weights(criterion_weights: Mapping[Criterion, float]) -> None:
    for criterion, weight in criterion_weights.items():
        if not 0.0 < weight < np.inf:
            raise QuestionError(f"the weight of {criterion_words(criterion)} is {weight:g}: above 0")
