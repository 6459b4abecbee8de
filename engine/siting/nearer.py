"""What follows the first pass of the market: open places solved again, and the noise with a site measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.commitment.outcome import Effort
from engine.compute import HERE, Artifacts, Progress, Workers
from engine.errors import QuestionError
from engine.network.model import Matrix
from engine.siting.market import MarketBase, SiteMarket
from engine.siting.second_pass import second_pass
from engine.siting.shortlist import rank_sites
from engine.siting.site_noise import measured

_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Lot:
    """Sites that are drawn by lot for the noise with a site, where none was solved again."""

    sites: int  # 0 for none
    samples: int  # further schedules of each of their days
    effort: Effort


def nearer(  # noqa: PLR0913 (the first pass, then by name how)
    base: MarketBase,
    sites: Sequence[SiteMarket],
    floor: Matrix,
    *,
    count: int,
    effort: Effort,
    lot: Lot,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[list[SiteMarket], str, dict[str, int]]:
    """Return the sites after the second pass, what is said of it, and of how many sites the noise was measured.

    ``floor`` (3, 5) is the noise floor without a site, ``count`` the places of the shortlist, ``effort`` that of what
    is solved again. What the sites of a lot move by can open places: these are then solved again.
    """

    def again(known: list[SiteMarket], start: float, share: float) -> tuple[list[SiteMarket], str]:
        say("sites whose place is open are solved again")
        try:
            first = rank_sites([site for site in known if site.served])
        except QuestionError:  # none, or nothing tells them apart: there is no place that could change
            return known, ""
        part = part_of(progress, start, share)
        found = second_pass(
            base, first, floor, count=count, effort=effort, workers=workers, progress=part, artifacts=artifacts
        )
        solved = iter(found.ranked.sites)
        return [next(solved) if site.served else site for site in known], found.words()

    found, words = again(list(sites), 0.0, 0.5)
    drawn = 0
    if lot.sites and not _measured_on(found):
        say("the noise with a site is measured")
        found = measured(
            base, found, lot.sites, samples=lot.samples, effort=lot.effort,
            workers=workers, progress=part_of(progress, 0.5, 0.4), artifacts=artifacts,
        )  # fmt: skip
        drawn = _measured_on(found)
        if drawn:
            found, words = again(found, 0.9, 0.1)
    return found, words, {"sites": _measured_on(found), "by_lot": drawn}


def part_of(progress: Progress | None, start: float, share: float) -> Progress | None:
    """Return the report of one stage as a share of all."""
    if progress is None:
        return None
    return lambda done, total: progress(round(_STEPS * (start + share * done / max(total, 1))), _STEPS)


def _measured_on(sites: Sequence[SiteMarket]) -> int:
    return sum(site.moved is not None for site in sites)
