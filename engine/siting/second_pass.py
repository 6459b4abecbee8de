"""The second pass of the market: what the noise floor could still change in a shortlist is solved again, more exactly.

A first pass within 3e-4 tells most sites apart. A site whose place among the first the noise floor of the metrics could
change is solved again to 1e-4 before a shortlist is published. New figures can open other places, so this is repeated
until every open site has been solved again; what is open then is too close to call, and is said to be.

Two schedules of one site, each as good as the first is known to be, also measure the noise with a site: by what its
figures moved (:mod:`engine.siting.site_noise`). Where that is more than the noise floor without one, it counts instead.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.commitment.outcome import BASE, Effort
from engine.compute import HERE, Artifacts, Progress, Workers
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix
from engine.siting.firmness import open_sites
from engine.siting.market import MarketBase, market_impact
from engine.siting.shortlist import Ranked, by_label
from engine.siting.site_noise import floor_with, moved_by, with_moved

SHORTLIST = 20  # places of each envelope and size
_ROUNDS = 5  # of solving again; each can only take sites that were not
_STEPS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class SecondPass:
    """A shortlist after the second pass; flags are by site, in the order of ``ranked.sites``."""

    ranked: Ranked
    again: Flags  # (N,), solved again
    unproved: Flags  # (N,), solved again without a proof of the gap in time: the first pass's figures stay
    open: Flags  # (N,), whose place among the first the noise floor could change even so
    count: int  # of places of the shortlist
    floor_known: bool = True  # else any place may be open

    @property
    def chooses(self) -> bool:
        """Return whether the shortlist leaves out any site of an envelope and size: else no place can change it."""
        return any(len(rows) > self.count for rows in by_label(self.ranked.sites).values())

    def words(self) -> str:
        """Return what was solved again and what is still open, in a sentence or two."""
        if not self.chooses:
            return (
                f"every site that was priced is on the shortlist of {self.count}: the noise floor can change none of it"
            )
        told = f"{int(self.again.sum())} of {len(self.again)} sites were solved again"
        if self.unproved.any():
            told += f", {int(self.unproved.sum())} of them without a proof in time"
        left = int(self.open.sum())
        if not left:
            return f"{told}; the noise floor can change none of the first {self.count} places"
        if not self.floor_known:
            told += "; the noise floor is not known, and what is not known could change a place"
        return f"{told}; {left} are too close to call among the first {self.count} places"


def second_pass(  # noqa: PLR0913 (each of these is one choice, by name)
    base: MarketBase,
    ranked: Ranked,
    floor: Matrix,
    *,
    count: int = SHORTLIST,
    effort: Effort = BASE,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
) -> SecondPass:
    """Solve the sites of ``ranked`` again whose place the noise ``floor`` (3, 5) of the metrics could change.

    ``floor`` is that without a site; with what sites are found to move by it can only rise. A site that was solved
    again holds how far it moved, also where its first figures stay. Raises QuestionError for one without a placement.
    """
    if any(site.placement is None for site in ranked.sites):
        raise QuestionError("the days without a site are not a site to be ranked")
    sites = list(ranked.sites)
    again, unproved = np.zeros(len(sites), dtype=np.bool_), np.zeros(len(sites), dtype=np.bool_)
    found = ranked
    for number in range(_ROUNDS):
        asked = np.flatnonzero(open_sites(found, floor_with(floor, sites), count) & ~again)
        if not asked.size:
            break
        placements = [placement for at in asked.tolist() if (placement := sites[at].placement) is not None]
        solved = market_impact(
            base, placements, effort=effort, workers=workers, progress=_round(progress, number), artifacts=artifacts
        )
        for at, one in zip(asked.tolist(), solved, strict=True):
            unproved[at] = not one.served or one.gap > effort.gap
            moved = moved_by(sites[at], one, effort.gap)
            sites[at] = with_moved(replace(one, moved=sites[at].moved) if one.served else sites[at], moved)
        again[asked] = True
        found = found.with_sites(sites)
    left = open_sites(found, floor_with(floor, sites), count)
    return SecondPass(found, again, unproved, left, count, not bool(np.isnan(floor).any()))


def _round(progress: Progress | None, number: int) -> Progress | None:
    """Return the report of one round, which takes half of what is left: how many there will be nobody knows."""
    if progress is None:
        return None
    start, share = 1.0 - 0.5**number, 0.5 ** (number + 1)
    return lambda done, total: progress(round(_STEPS * (start + share * done / max(total, 1))), _STEPS)
