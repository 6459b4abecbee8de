"""The second pass of the market: what the noise floor could still change in a shortlist is solved again, more exactly.

A first pass within 3e-4 tells most sites apart. A site whose place among the first the noise floor of the metrics could
change is solved again to 1e-4 before a shortlist is published. New figures can open other places, so this is repeated
until every open site has been solved again; what is open then is too close to call, and is said to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.commitment.scuc import BASE, Effort
from engine.compute import HERE, Artifacts, Progress, Workers
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix, Vector
from engine.siting.market import MarketBase, SiteMarket, market_impact
from engine.siting.ranking import GROUPS, Criterion
from engine.siting.shortlist import POOLED, Ranked, Scaling, by_label, rank_sites
from engine.siting.stability import noise_intervals, open_places

SHORTLIST = 20  # places of each envelope and size
_ROUNDS = 5  # of solving again; each can only take sites that were not


@dataclass(frozen=True, slots=True)
class Order:
    """How sites are ranked: what :func:`engine.siting.shortlist.rank_sites` takes by name."""

    extra: Mapping[str, Vector] | None = None
    groups: Mapping[str, Sequence[Criterion]] | None = None  # None: those of the source
    scaling: Scaling = POOLED
    group_weights: Sequence[float] | None = None

    def rank(self, sites: Sequence[SiteMarket]) -> Ranked:
        """Return the sites in order."""
        return rank_sites(
            sites, self.extra, groups=self.groups or GROUPS, scaling=self.scaling, group_weights=self.group_weights
        )


@dataclass(frozen=True, slots=True, eq=False)
class SecondPass:
    """A shortlist after the second pass; flags are by site, in the order of ``ranked.sites``."""

    ranked: Ranked
    again: Flags  # (N,), solved again
    unproved: Flags  # (N,), solved again without a proof of the gap in time: the first pass's figures stay
    open: Flags  # (N,), whose place among the first the noise floor could change even so
    count: int  # of places of the shortlist

    def words(self) -> str:
        """Return what was solved again and what is still open, in a sentence or two."""
        told = f"{int(self.again.sum())} of {len(self.again)} sites were solved again"
        if self.unproved.any():
            told += f", {int(self.unproved.sum())} of them without a proof in time"
        left = int(self.open.sum())
        if not left:
            return f"{told}; the noise floor can change none of the first {self.count} places"
        return f"{told}; {left} are too close to call among the first {self.count} places"


def second_pass(  # noqa: PLR0913 (each of these is one choice, by name)
    base: MarketBase,
    ranked: Ranked,
    floor: Matrix,
    *,
    order: Order | None = None,
    count: int = SHORTLIST,
    effort: Effort = BASE,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
) -> SecondPass:
    """Solve the sites of ``ranked`` again whose place the noise ``floor`` (3, 5) of the metrics could change.

    ``order`` is how ``ranked`` was made. Raises QuestionError for a site without a placement.
    """
    if any(site.placement is None for site in ranked.sites):
        raise QuestionError("the days without a site are not a site to be ranked")
    used = order or Order()
    sites = list(ranked.sites)
    again, unproved = np.zeros(len(sites), dtype=np.bool_), np.zeros(len(sites), dtype=np.bool_)
    found = ranked
    for _ in range(_ROUNDS):
        asked = np.flatnonzero(open_sites(found, floor, used, count) & ~again)
        if not asked.size:
            break
        placements = [placement for at in asked.tolist() if (placement := sites[at].placement) is not None]
        solved = market_impact(base, placements, effort=effort, workers=workers, progress=progress, artifacts=artifacts)
        for at, one in zip(asked.tolist(), solved, strict=True):
            unproved[at] = not one.served or one.gap > effort.gap
            if one.served:
                sites[at] = one
        again[asked] = True
        found = used.rank(sites)
    return SecondPass(found, again, unproved, open_sites(found, floor, used, count), count)


def open_sites(ranked: Ranked, floor: Matrix, order: Order, count: int) -> Flags:
    """Return the sites (N,) whose place among the first ``count`` of their envelope and size the floor could change."""
    metrics = np.asarray(floor, dtype=np.float64).ravel()
    columns = np.concatenate([metrics, np.zeros(len(ranked.criteria) - len(metrics))])  # a reader's own have none
    groups = order.groups or GROUPS
    found = np.zeros(len(ranked.sites), dtype=np.bool_)
    parts = list(by_label(ranked.sites).values())
    tables = [np.arange(len(ranked.sites))] * len(parts) if order.scaling == POOLED else parts
    for rows, table in zip(parts, tables, strict=True):
        interval = noise_intervals(
            ranked.values[table],
            ranked.criteria,
            columns,
            groups,
            group_weights=order.group_weights,
            rows=np.searchsorted(table, rows).tolist(),
        )
        found[rows] = open_places(ranked.score[rows], interval, count)
    return found
