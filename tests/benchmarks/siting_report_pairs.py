"""The report's pairs: the spread of prices on the peak of the same sites firm and shifted, against the noise floor."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest

from engine.network.model import Vector
from engine.siting.envelopes import PEAK_HOURS
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRICS, WINDOWS

MARKET_SIZES_MW = (1000.0, 2000.0)
PEAK_SPREAD = (WINDOWS.index("on_peak"), METRICS.index("p95_p5"))
PEAK_ROWS = np.isin(np.arange(1, 25), PEAK_HOURS)
WIDE = "*"
CHANCE = 0.05  # a sign test below it tells fallen from risen
Label = tuple[str, float]  # envelope and size


def served(market: MarketRun, label: Label) -> dict[int, SiteMarket]:
    """Return the sites that the market serves under one envelope and size, by bus."""
    return {
        site.placement.bus: site
        for site in market.sites
        if site.served and site.placement and (site.placement.envelope.name, site.placement.nameplate_mw) == label
    }


def compared_pairs(ids: Sequence[str], market: MarketRun) -> list[str]:
    """Return the table of what a market says of firm against shifted sites, with its signs; ``ids`` are of buses.

    Each day's changes are judged by its own noise floor; those of a day without one are judged by none, nor are those
    of a schedule that did not come as near the least cost as was asked.
    """
    dates = [day["label"] for day in market.facts["days"]]
    floors = floors_of(market)
    floor = float("nan") if market.floor is None else float(market.floor[PEAK_SPREAD])
    lines = [
        "$/MWh, mean of the peak hours; the same sites. " + floor_words(market),
        "",
        "| bus | size | " + " | ".join(dates) + " | all days, weighted: firm | shift | change |",
        "|---|---|" + "---|" * (len(dates) + 3),
        f"| noise floor | | {' | '.join(_floor(one) for one in floors.tolist())} | | | {_floor(floor)} |",
    ]
    ends, together = [], []
    for size in MARKET_SIZES_MW:
        pairs = [served(market, (name, size)) for name in ("firm", "shift")]
        rows: list[tuple[Vector, Vector, float]] = []
        for bus in sorted(set(pairs[0]) & set(pairs[1])):
            firm, shift = (own[bus] for own in pairs)
            daily = peak(shift) - peak(firm)
            before, after = float(firm.metrics[PEAK_SPREAD]), float(shift.metrics[PEAK_SPREAD])
            wide = np.maximum(gaps(firm), gaps(shift)) > market.question.site_gap
            rows.append((daily, np.where(wide, np.nan, floors), after - before))
            cells = " | ".join(
                f"{value:+.3f}{WIDE if far else ''}" for value, far in zip(daily.tolist(), wide.tolist(), strict=True)
            )
            lines.append(f"| {ids[bus]} | {size:g} MW | {cells} | {before:.3f} | {after:.3f} | {after - before:+.3f} |")
        if rows:
            change = np.array([change for *_, change in rows])
            ends.append(_signs(f"{size / 1000:g} GW, all days", change, np.full(len(change), floor)))
            each, own = np.array([daily for daily, *_ in rows]), np.array([floor for _, floor, _ in rows])
            together.append(np.stack([each, own]))
            ends += [_signs(f"{size / 1000:g} GW, {date}", each[:, at], own[:, at]) for at, date in enumerate(dates)]
    every = np.concatenate(together, axis=1) if together else np.zeros((2, 0, len(dates)))
    note = f"{WIDE} of a schedule that did not come within {market.question.site_gap:g} of the least cost: not counted."
    return [*lines, "", note, "", *ends, "", what_follows(every[0].ravel(), every[1].ravel()), ""]


def floors_of(market: MarketRun) -> Vector:
    """Return (D,), the noise floor of the peak's spread of each day, $/MWh, nan where it is not known."""
    if market.floors is None:
        return np.full(len(market.facts["days"]), np.nan)
    return np.asarray(market.floors[(slice(None), *PEAK_SPREAD)], dtype=np.float64)


def floor_words(market: MarketRun) -> str:
    """Return what the noise floor is of, and on which days it is not known."""
    if market.floors is None:
        return "No noise floor was asked for."
    counted = ", ".join(
        f"{day['label']} {count}"
        for day, count in zip(market.facts["days"], market.facts["noise_samples"], strict=True)
    )
    without = market.facts["days_without_floor"]
    unknown = f" It is not known on {', '.join(without)}: the changes there are judged by none." if without else ""
    rest = " Over all days it is the mean of the days that have one." if without else ""
    return (
        f"The noise floor is of schedules without a site as good as the day's own gap plus "
        f"{market.question.site_gap:g} can tell; samples that count, of {market.question.samples}: {counted}."
        f"{unknown}{rest} A site whose own gap is wider may move by more."
    )


def what_follows(change: Vector, floor: Vector) -> str:
    """Return what the changes (n,) of pairs on days say of the study's attenuation; ``floor`` (n,) is that of each."""
    fell, rose, chance = counted(change, floor)
    judged = int(np.isfinite(floor).sum())
    if not judged:
        return "What follows: nothing, for no pair has a floor and schedules as near as asked."
    if chance < CHANCE:
        verdict = "The attenuation holds on these." if fell > rose else "The attenuation is contradicted on these."
    else:
        verdict = "So few neither confirm the attenuation nor refute it; that it holds at every site is refuted."
        verdict = verdict if rose else "So few do not confirm the attenuation."
    left = len(change) - judged
    more = f", {left} more have no floor or no schedule as near as asked and are not counted" if left else ""
    return (
        f"What follows: of {judged} pairs of a site and a day{more}, the spread fell under shift at {fell} and rose at "
        f"{rose} by more than the day's noise floor; two-sided sign test {chance:.3f}, as if the days of a site told "
        f"nothing of each other. {verdict} Where a limit costs thousands of $/MWh in an hour, the mean of all days is "
        "of it."
    )


def counted(change: Vector, floor: Vector | float) -> tuple[int, int, float]:
    """Return how many fell and how many rose by more than the noise floor, and how likely that is by chance.

    What has no floor (nan) neither fell nor rose.
    """
    fell, rose = int((change < -np.asarray(floor)).sum()), int((change > floor).sum())
    return fell, rose, float(binomtest(fell, fell + rose).pvalue) if fell + rose else 1.0


def peak(site: SiteMarket) -> Vector:
    """Return (D,), the mean spread of the peak hours of each day."""
    return np.array([day.hours.p95_p5[PEAK_ROWS].mean() for day in site.days if day.hours is not None])


def gaps(site: SiteMarket) -> Vector:
    """Return (D,), how far each day's schedule is proved to be from the least cost."""
    return np.array([day.gap for day in site.days])


def _floor(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "not known"


def _signs(words: str, change: Vector, floor: Vector) -> str:
    """Return the median change, how many fell and rose, and how likely that is by chance; all of what is judged."""
    judged = np.isfinite(floor)
    if not judged.any():
        median = f"- {words}: median {float(np.median(change)):+.3f} $/MWh"
        return f"{median}; no pair has a floor and schedules as near as asked: what fell or rose cannot be told"
    change, floor = change[judged], floor[judged]
    fell, rose, chance = counted(change, floor)
    return (
        f"- {words}: median {float(np.median(change)):+.3f} $/MWh of {len(change)}; noise floor {_floor(floor[0])}; "
        f"fell at {fell}, rose at {rose}, within the noise at {len(change) - fell - rose}; "
        f"two-sided sign test {chance:.3f}"
    )
