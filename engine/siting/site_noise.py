"""The noise with a site: how far the figures of one placement move although it stays where it is.

The noise floor of the days is measured without a site, and equally good schedules with one can lie farther apart. Two
things measure that. A site that is solved again, nearer, has two schedules, each as good as the first is known to be:
what its figures move between them costs nothing to know. And sites drawn by lot have their days committed from nothing
and a noise floor of their own, measured as that of the days is (:mod:`engine.commitment.noise`).

The floor that comparisons use is, metric by metric, the larger of the two: that without a site, and the median of the
sites that were measured; so it never falls by what is measured. What a site itself moved by counts for its own place.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.commitment.instance import CommitmentOptions, InitialState, Instance
from engine.commitment.outcome import Effort
from engine.commitment.scuc import commit
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
from engine.errors import UncertaintyDataError
from engine.network.model import Matrix
from engine.siting.case import SitingCase
from engine.siting.judging import judged
from engine.siting.market import Floors, MarketBase, Placement, SiteMarket, floor_of
from engine.siting.market_days import FORMAT, factors_of, spread_of
from engine.siting.metrics import METRICS, WINDOWS


@dataclass(frozen=True, slots=True, eq=False)
class SiteNoise:
    """How far the figures of the sites that were measured moved."""

    sites: int
    median: Matrix  # (3, 5), over the sites, as :mod:`engine.siting.metrics`
    largest: Matrix  # (3, 5)

    @classmethod
    def of(cls, sites: Sequence[SiteMarket]) -> Self | None:
        """Return that of the sites that were measured; None where none was."""
        moved = [site.moved for site in sites if site.moved is not None]
        if not moved:
            return None
        return cls(len(moved), np.median(moved, axis=0), np.max(moved, axis=0))


def moved_by(first: SiteMarket, again: SiteMarket, gap: float) -> Matrix | None:
    """Return (3, 5): how far figures moved between two solves of one site, the second to ``gap``.

    None where one of them is not served, or the second is not known to be as good as the first.
    """
    if not (first.served and again.served) or again.gap > max(first.gap, gap):
        return None
    return np.asarray(np.abs(again.metrics - first.metrics), dtype=np.float64)


def with_moved(site: SiteMarket, moved: Matrix | None) -> SiteMarket:
    """Return a site that moved so far, or as far as it was known to have moved before, whichever is more."""
    if moved is None:
        return site
    return replace(site, moved=moved if site.moved is None else np.maximum(site.moved, moved))


def floor_with(floor: Matrix, sites: Sequence[SiteMarket]) -> Matrix:
    """Return (3, 5): metric by metric the larger of the ``floor`` without a site and the median of those measured.

    What is not known (nan) stays so.
    """
    found = SiteNoise.of(sites)
    return floor if found is None else np.maximum(floor, found.median)


def measured(  # noqa: PLR0913 (the sites, then by name how)
    base: MarketBase,
    sites: Sequence[SiteMarket],
    count: int,
    *,
    samples: int,
    effort: Effort,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
) -> list[SiteMarket]:
    """Return the sites, ``count`` of those that are served, drawn by lot, with what their figures move by.

    Each day of theirs is committed from nothing to ``effort`` and has ``samples`` further schedules; ``effort.seed`` is
    the lot. A site of which no day has a spread stays as it is.
    """
    served = [number for number, site in enumerate(sites) if site.placement is not None and site.served]
    drawn = np.random.default_rng(effort.seed).permutation(np.array(served, dtype=np.intp))[:count]
    chosen = sorted(drawn.tolist())
    parts = [(number, day) for number in chosen for day in range(len(base.days))]
    cases = [base.day_case(day) for day in base.days] if chosen else []
    tasks = [
        _Task(cases[day], base.initial[day], base.options, placed, effort, samples, base.peak_hours)
        for number, day in parts
        if (placed := sites[number].placement) is not None
    ]
    kept = None if artifacts is None else Kept(artifacts, [task.key for task in tasks], _dump, _load)
    names = [f"{base.days[day].label}, a site drawn by lot" for _, day in parts]
    spreads = run_map(_spread, tasks, names=names, workers=workers, progress=progress, kept=kept)
    found = list(sites)
    for place, number in enumerate(chosen):
        own: Floors = np.array(spreads[place * len(base.days) : (place + 1) * len(base.days)])
        moved = floor_of(base.days, own)
        found[number] = with_moved(found[number], moved if np.isfinite(moved).all() else None)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    case: SitingCase  # the hours of one day
    initial: InitialState | None
    options: CommitmentOptions
    placement: Placement
    effort: Effort
    samples: int
    peak_hours: tuple[int, ...]

    @property
    def key(self) -> str:
        """Return the key that the result is kept under."""
        asked = (self.options, self.placement, self.effort, self.samples, self.peak_hours)
        found = hashlib.sha256(f"{FORMAT}{self.case.digest}{asked!r}".encode())
        if self.initial is not None:
            for part in (self.initial.on, self.initial.hours, self.initial.output_mw):
                found.update(np.ascontiguousarray(part).tobytes())
        return f"market-noise-{found.hexdigest()[:40]}.npz"


def _spread(task: _Task) -> Matrix:
    """Return (3, 5), the noise floor of the day with its load; nan where too few schedules are as good."""
    case, placed = task.case, task.placement
    without = Instance.of(case, task.options, factors=factors_of(case.network), initial=task.initial)
    load = placed.envelope.level_mw(placed.nameplate_mw, case.hour_of_day, case.onsite_mw)
    found = commit(without.with_load(placed.bus, load), task.effort)
    commitment, _ = judged(found.instance, found.commitment)
    return spread_of(
        replace(found, commitment=commitment), case.hour_of_day,
        samples=task.samples, gap=task.effort.gap, seed=task.effort.seed, peak_hours=task.peak_hours,
    )[0]  # fmt: skip


def _dump(spread: Matrix) -> bytes:
    return pack({"spread": spread}, {"format": FORMAT})


def _load(content: bytes | Path) -> Matrix:
    arrays, meta = unpack(content)
    spread = arrays.get("spread")
    if meta.get("format") != FORMAT or spread is None or spread.shape != (len(WINDOWS), len(METRICS)):
        raise UncertaintyDataError("not a file of the noise with a site of this version")
    return np.asarray(spread, dtype=np.float64)
