"""How firm an order of sites is: leave-one-out, other weights, other envelopes, and the noise of prices.

Min-max scaling and entropy depend on the set of alternatives: leaving a bad site out can reverse the order of good
ones. What is said here is how often that happens. Source: sections 4 and 5 of arXiv 2605.14714 (diagnostics, robust
aggregates); leaving one out is ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.ranking import SCORE_DIGITS, places, rank, top
from engine.siting.shortlist import POOLED, Ranked, by_label, label_of, ties_of
from engine.siting.stability import Diagnostic, Robust, diagnostics, noise_intervals, open_places, robust

MOST_LEFT_OUT = 1500  # alternatives, up to which a catalogue says how firm they are: a second or two


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """What leaving each other alternative out does to the first K places of one envelope and size."""

    rows: Integers  # (K,), of the ranking, best first
    kept_share: Vector  # (K,), in how many of the runs without another the site stays; nan where there is no other
    runs: int
    least_overlap: float  # of a shortlist with the full one, the one left out not counted
    worst: int  # row of the alternative whose absence changes most; -1 if none changes anything
    reversals: int  # runs in which two shortlisted sites change their order


@dataclass(frozen=True, slots=True, eq=False)
class Firmness:
    """How firm the first K places of one envelope and size are."""

    left_out: LeaveOneOut
    diagnostics: tuple[Diagnostic, ...]  # other weights of the groups, against the score that ranks


def leave_one_out(ranked: Ranked, count: int) -> dict[str, LeaveOneOut]:
    """Return for each envelope and size how its first ``count`` places stand without each other alternative.

    Scaled together, any of the N alternatives is left out; scaled per envelope, those of the same envelope and size.
    """
    size, parts = len(ranked.sites), by_label(ranked.sites)
    ties = ties_of(ranked.sites, ranked.criteria, ranked.values)
    found = {}
    without: dict[int, Vector] = {}
    for label, own in parts.items():
        full = own[top(ranked.place[own], count)]
        stays, least, worst, reversals = np.zeros(len(full)), 1.0, -1, 0
        table = np.arange(size) if ranked.scaling == POOLED else own
        for gone in table.tolist():
            if gone not in without:
                without[gone] = _scores_without(ranked, table, gone)
            left = own[own != gone]
            place = places(without[gone][left], ties[left])
            listed = left[top(place, count)].tolist()
            expected = full[full != gone].tolist()
            stays += np.isin(full, listed) & (full != gone)
            shared = len(set(expected) & set(listed)) / len(expected) if expected else 1.0
            if shared < least:
                least, worst = shared, gone
            both = set(expected) & set(listed)
            reversals += [site for site in listed if site in both] != [site for site in expected if site in both]
        runs = len(table) - 1
        share = stays / runs if runs else np.full(len(full), np.nan)
        found[label] = LeaveOneOut(full, share, runs, least, worst, reversals)
    return found


def firmness(ranked: Ranked, count: int) -> dict[str, Firmness]:
    """Return how firm the first ``count`` places of each envelope and size are."""
    left_out, found = leave_one_out(ranked, count), {}
    for label, rows in by_label(ranked.sites).items():
        score = ranked.group_score[rows]
        there = ~np.isnan(score).any(axis=0)  # a group that is equal at all sites does not count
        other = diagnostics(ranked.score[rows], score[:, there], ranked.place[rows], count=count)
        found[label] = Firmness(left_out[label], tuple(other))
    return found


def kept_shares(ranked: Ranked, count: int) -> Vector:
    """Return (N,): the kept share of each site among the first ``count`` of its envelope and size; nan elsewhere."""
    found = np.full(len(ranked.sites), np.nan)
    for one in leave_one_out(ranked, count).values():
        found[one.rows] = one.kept_share
    return found


def over_envelopes(
    ranked: Ranked, envelopes: Sequence[str], probability: Mapping[str, float] | None = None
) -> dict[float, Robust]:
    """Return for each size the lowest and the expected score over ``envelopes`` of the buses ranked in all of them."""
    scores: dict[float, dict[str, dict[int, float]]] = {}
    for site, score in zip(ranked.sites, ranked.score.tolist(), strict=True):
        if (placed := site.placement) is not None:
            of_size = scores.setdefault(placed.nameplate_mw, {name: {} for name in envelopes})
            of_size[placed.envelope.name][placed.bus] = score
    return {size: robust(found, probability) for size, found in scores.items()}


def score_intervals(ranked: Ranked, floor: Matrix, rows: Sequence[int]) -> Matrix:
    """Return the lowest and highest score (R, 2) that rows of one envelope and size have within the noise ``floor``.

    ``floor`` (3, 5) is of the metrics; a reader's own columns have none. Where it is nan, not known, a figure may be
    anything from the least to the most of its column. A site whose figures moved farther when it was solved again moves
    as far here.
    """
    metrics = np.asarray(floor, dtype=np.float64).ravel()
    table = np.arange(len(ranked.sites))
    if ranked.scaling != POOLED:
        table = by_label(ranked.sites)[label_of(ranked.sites[rows[0]])]
    metrics = np.where(np.isnan(metrics), _widths(ranked.values[table][:, : len(metrics)]), metrics)
    columns = np.zeros((len(rows), len(ranked.criteria)))
    columns[:, : len(metrics)] = metrics
    for place, row in enumerate(rows):
        if (moved := ranked.sites[row].moved) is not None:
            columns[place, : len(metrics)] = np.maximum(metrics, moved.ravel())
    return noise_intervals(
        ranked.values[table],
        ranked.criteria,
        columns,
        ranked.membership,
        group_weights=ranked.group_weights,
        criterion_weights=ranked.criterion_weights,
        rows=np.searchsorted(table, rows).tolist(),
    )


def tied_sites(ranked: Ranked, count: int) -> Flags:
    """Return the sites (N,) that score as much as one on the other side of the end of the first ``count`` places.

    Of their envelope and size. Only the rule between equal scores (:func:`engine.siting.shortlist.ties_of`) decides
    which of them are among the first: no figure tells them apart. Scores count as equal as in
    :func:`engine.siting.ranking.places`.
    """
    found = np.zeros(len(ranked.sites), dtype=np.bool_)
    for rows in by_label(ranked.sites).values():
        score, inside = np.round(ranked.score[rows], SCORE_DIGITS), ranked.place[rows] <= count
        if inside.any() and not inside.all():
            last, next_ = score[inside].min(), score[~inside].max()
            found[rows] = (score == last) & (last == next_)
    return found


def open_sites(ranked: Ranked, floor: Matrix, count: int) -> Flags:
    """Return the sites (N,) whose place among the first ``count`` of their envelope and size nothing settles.

    The noise floor could change it, also where that is not known (nan), or scores are equal there.
    """
    found = tied_sites(ranked, count)
    for rows in by_label(ranked.sites).values():
        found[rows] |= open_places(ranked.place[rows], score_intervals(ranked, floor, rows.tolist()), count)
    return found


def _widths(values: Matrix) -> Vector:
    """Return how far figures (N, J) lie apart, column by column; 1 where all are equal, 0 where there is none."""
    known = np.where(np.isnan(values), -np.inf, values), np.where(np.isnan(values), np.inf, values)
    width = known[0].max(axis=0) - known[1].min(axis=0)
    return np.where(np.isnan(values).all(axis=0), 0.0, np.where(width > 0.0, width, 1.0))


def _scores_without(ranked: Ranked, table: Integers, gone: int) -> Vector:
    """Return the scores (N,) of a table without one of its rows; nan for what is not in it."""
    rows = table[table != gone]
    found = np.full(len(ranked.sites), np.nan)
    if not rows.size:
        return found
    try:
        found[rows] = rank(
            ranked.values[rows], ranked.criteria, ranked.membership, group_weights=ranked.group_weights,
            criterion_weights=ranked.criterion_weights,
        ).score  # fmt: skip
    except QuestionError:  # without this one nothing tells the others apart
        found[rows] = 0.5
    return found
