"""Stage 3 of a study: the market figures of the sites that qualify become scores and places, and catalogue entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Vector
from engine.siting.market import SiteMarket
from engine.siting.ranking import GROUPS, TIE_CRITERION, Criterion, Ranking, metric_criteria, places, rank

POOLED: Literal["pooled"] = "pooled"
Scaling = Literal["pooled", "per envelope"]  # all envelopes in one normalisation, as in the source


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """N alternatives (bus, envelope, size) with their scores, and their places inside envelope and size."""

    sites: tuple[SiteMarket, ...]
    criteria: tuple[Criterion, ...]
    values: Matrix  # (N, J)
    score: Vector  # (N,)
    groups: tuple[str, ...]
    group_score: Matrix  # (N, Γ)
    place: Integers  # (N,), inside the envelope and size
    rankings: Mapping[str, Ranking]  # one, or one per envelope
    membership: Mapping[str, tuple[Criterion, ...]] = field(default_factory=lambda: dict(GROUPS))  # of each group
    criterion_weights: Mapping[Criterion, float] = field(default_factory=dict)
    scaling: Scaling = POOLED
    group_weights: tuple[float, ...] | None = None  # None: alike

    def with_sites(self, sites: Sequence[SiteMarket]) -> "Ranked":
        """Return the same placements ranked the same way by other figures of the market (N,)."""
        own = self.criteria[len(metric_criteria()) :]
        return rank_sites(
            sites,
            dict(zip(own, self.values[:, len(self.criteria) - len(own) :].T, strict=True)),
            groups=self.membership,
            scaling=self.scaling,
            group_weights=self.group_weights,
            criterion_weights=self.criterion_weights,
        )


def rank_sites(  # noqa: PLR0913 (the sites, then by name what else counts)
    sites: Sequence[SiteMarket],
    extra: Mapping[str, Vector] | None = None,
    *,
    groups: Mapping[str, Sequence[Criterion]] = GROUPS,
    scaling: Scaling = POOLED,
    group_weights: Sequence[float] | None = None,
    criterion_weights: Mapping[Criterion, float] | None = None,
) -> Ranked:
    """Rank the sites that every day serves; ``extra`` are further cost columns (N,), named in ``groups``.

    All envelopes and sizes are scaled together unless ``scaling`` is "per envelope"; places are given inside each
    envelope and size. Raises QuestionError when there is no site, or nothing tells the sites apart.
    """
    if not sites:
        raise QuestionError("no site is left to rank")
    unserved = next((site for site in sites if not site.served), None)
    if unserved is not None:
        raise QuestionError(f"a site without a schedule cannot be ranked: {unserved.reason()}")
    names = (*metric_criteria(), *(extra or {}))
    own = [site.metrics.ravel() for site in sites]
    columns = [np.array(own), *(np.asarray(column)[:, np.newaxis] for column in (extra or {}).values())]
    values = np.column_stack(columns)
    by_kind = by_label(sites)
    parts = {POOLED: np.arange(len(sites))} if scaling == POOLED else by_kind
    score, found = np.empty(len(sites)), {}
    every = tuple(groups)
    group_score = np.full((len(sites), len(every)), np.nan)
    for name, rows in parts.items():
        ranking = rank(values[rows], names, groups, group_weights=group_weights, criterion_weights=criterion_weights)
        found[name] = ranking
        score[rows] = ranking.score
        for column, group in enumerate(ranking.groups):
            group_score[rows, every.index(group)] = ranking.group_score[:, column]
    place = np.empty(len(sites), dtype=np.intp)
    ties = ties_of(sites, names, values)
    for rows in by_kind.values():
        place[rows] = places(score[rows], ties[rows])
    return Ranked(
        sites=tuple(sites),
        criteria=names,
        values=values,
        score=score,
        groups=every,
        group_score=group_score,
        place=place,
        rankings=found,
        membership={name: tuple(listed) for name, listed in groups.items()},
        criterion_weights=dict(criterion_weights or {}),
        scaling=scaling,
        group_weights=None if group_weights is None else tuple(group_weights),
    )


def ties_of(sites: Sequence[SiteMarket], criteria: Sequence[Criterion], values: Matrix) -> Matrix:
    """Return (N, 2): what orders equal scores, the lower on-peak rent, then the lower position of the bus."""
    buses = np.array([site.placement.bus if site.placement else -1 for site in sites], dtype=np.float64)
    return np.column_stack([values[:, list(criteria).index(TIE_CRITERION)], buses])


def label_of(site: SiteMarket) -> str:
    """Return envelope and size: what is placed together."""
    placed = site.placement
    return "" if placed is None else label_name(placed.envelope.name, placed.nameplate_mw)


def label_name(envelope: str, nameplate_mw: float) -> str:
    """Return the label of an envelope and size."""
    return f"{envelope} {nameplate_mw!r}"


def by_label(sites: Sequence[SiteMarket]) -> dict[str, Integers]:
    """Return the positions of the sites of each envelope and size."""
    labels = np.array([label_of(site) for site in sites])
    return {str(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
