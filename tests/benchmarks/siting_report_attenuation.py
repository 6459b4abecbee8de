"""Does a shift lower the spread of prices on the peak? The same sites firm and shifted, on days that can tell.

    python -m tests.benchmarks.siting_report_attenuation [--pairs N] [--days N] [--kept FOLDER]

N buses that qualify firm and shifted at 1 GW on synthetic Texas with the fleet and series of 2020, drawn by lot
(seed 1). Of the typical days those are taken whose noise floor of that spread is least: the floor is of schedules
without a site, so the choice knows nothing of what a site does. Needs HEADROOM_DATA (the 2020 series). What is computed
is kept in FOLDER. Writes results/siting_report_attenuation.md.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binom

from engine.commitment.outcome import Effort
from engine.compute import Processes
from engine.network.model import Vector
from engine.siting.market import MarketBase, Placement, market_base
from engine.siting.market_run import MarketQuestion, MarketRun, days_of, peak_window
from engine.siting.prepare import hours_of
from engine.siting.run import GateRun
from tests.benchmarks import siting_published
from tests.benchmarks.siting_report import KEPT, RESULTS, WORKERS, Study, head, report_study, say
from tests.benchmarks.siting_report_market import STUDY_GAP, judged_words, market_of, typical_question
from tests.benchmarks.siting_report_pairs import MARKET_SIZES_MW, PEAK_SPREAD, compared_pairs, gaps, peak, served

ENVELOPES = ("firm", "shift")
SIZE_MW = MARKET_SIZES_MW[0]
CONFIDENCE = 0.95


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--kept", type=Path, default=KEPT)
    asked = parser.parse_args()
    start = time.perf_counter()
    study = report_study(asked.kept)
    run, _ = study.gate(replace(study.question, sizes_mw=MARKET_SIZES_MW), "three envelopes, two sizes")
    question, reasons = typical_question(study, run)
    base = without_sites(study, run, question)
    dates = quietest(base, asked.days)
    say(f"days {', '.join(dates)}")
    placements, of = pairs(run, asked.pairs)
    run = replace(run, question=replace(run.question, shortlist=len(placements), load_scale=1.0))
    market = market_of(study, run, replace(question, dates=dates), placements)
    lines = [
        *head(run, "spread of prices on the peak under a shift"),
        *floors(base, reasons, dates),
        told(market, of),
        "",
        *compared_pairs(run.network.buses.ids, market),
        intervals(market),
        "",
        published(base),
        "",
    ]
    (RESULTS / "siting_report_attenuation.md").write_text("\n".join(lines))
    say(f"written after {time.perf_counter() - start:,.0f} s")


def without_sites(study: Study, run: GateRun, question: MarketQuestion) -> MarketBase:
    """Return the typical days without a site, and their noise floors."""
    year = hours_of(run.question, run.network, study.load, thermal="filed")
    return market_base(
        year,
        days_of(year, question),
        question.options(run.question.outage_rating),
        effort=Effort(question.base_gap, question.base_time_s, question.seed),
        peak_hours=peak_window(run.question.envelopes)[0],
        samples=question.samples,
        noise_gap=question.site_gap,
        workers=Processes(WORKERS),
        artifacts=study.kept,
    )


def peak_floors(base: MarketBase) -> Vector:
    """Return (D,), the noise floor of each day's spread on the peak, $/MWh, nan where it is not known."""
    if base.floors is None:
        return np.full(len(base.days), np.nan)
    return np.asarray(base.floors[(slice(None), *PEAK_SPREAD)], dtype=np.float64)


def quietest(base: MarketBase, count: int) -> tuple[str, ...]:
    """Return the dates of the days with the least noise floor of the spread on the peak, by date."""
    floor = peak_floors(base)
    known = np.flatnonzero(np.isfinite(floor))
    chosen = known[np.argsort(floor[known])[:count]]
    return tuple(sorted(base.days[at].label for at in chosen.tolist()))


def pairs(run: GateRun, count: int) -> tuple[list[Placement], int]:
    """Return so many buses that qualify under both envelopes, each under both, and how many qualify."""
    passed = [run.gate.qualified(name, SIZE_MW) == 1 for name in ENVELOPES]
    both = run.gate.buses[passed[0] & passed[1]]
    lot = np.random.default_rng(1).permutation(both)[:count]
    envelopes = [own for own in run.gate.envelopes if own.name in ENVELOPES]
    return [Placement(int(bus), own, SIZE_MW) for bus in np.sort(lot) for own in envelopes], len(both)


def floors(base: MarketBase, reasons: dict[str, str], dates: tuple[str, ...]) -> list[str]:
    """Return the noise floor of each day, and which days are taken."""
    lines = [
        "Of the typical days those are taken whose noise floor of the spread on the peak is least. The floor is of "
        "schedules without a site.",
        "",
        "| day | what it is | noise floor of P95 - P5 on the peak, $/MWh | gap without a site | taken |",
        "|---|---|---|---|---|",
    ]
    for day, own, floor in zip(base.days, base.base.days, peak_floors(base).tolist(), strict=True):
        taken = "yes" if day.label in dates else ""
        lines.append(f"| {day.label} | {reasons[day.label]} | {floor:.2g} | {own.gap:.1e} | {taken} |")
    return [*lines, ""]


def told(market: MarketRun, of: int) -> str:
    """Return what was computed, and how exactly."""
    known = [site for site in market.sites if site.served]
    far = np.array([gaps(site) for site in known])
    return (
        f"{len(market.sites) // 2} buses of the {of} that qualify firm and shifted at {SIZE_MW / 1000:g} GW, by lot "
        f"(seed 1); {len(known)} of {len(market.sites)} placements have a schedule within {STUDY_GAP:g} on each day, "
        f"gaps {far.min():.1e} to {far.max():.1e}, median {np.median(far):.1e}. {judged_words(market)}"
    )


def intervals(market: MarketRun) -> str:
    """Return the interval of the median change from firm to shift, day by day."""
    firm, shift = (served(market, (name, SIZE_MW)) for name in ENVELOPES)
    both = sorted(set(firm) & set(shift))
    found = []
    for at, day in enumerate(market.facts["days"]):
        near = [bus for bus in both if max(gaps(firm[bus])[at], gaps(shift[bus])[at]) <= market.question.site_gap]
        low, high = median_interval(np.array([peak(shift[bus])[at] - peak(firm[bus])[at] for bus in near]))
        found.append(f"{day['label']} {low:+.3f} to {high:+.3f} (of {len(near)})")
    return (
        f"Interval of the median change over all such buses, $/MWh, at a confidence of {CONFIDENCE:.0%} or more, from "
        f"their order alone: {'; '.join(found)}."
    )


def median_interval(values: Vector) -> tuple[float, float]:
    """Return the narrowest pair of order statistics that holds the median with :data:`CONFIDENCE`; nan for too few.

    Of n values the k-th least and the k-th largest hold it with 1 - 2 P(B < k), B binomial of n and 1/2.
    """
    ordered, count = np.sort(values), len(values)
    places = [k for k in range(1, count // 2 + 1) if 1.0 - 2.0 * binom.cdf(k - 1, count, 0.5) >= CONFIDENCE]
    return (float(ordered[places[-1] - 1]), float(ordered[-places[-1]])) if places else (float("nan"), float("nan"))


def published(base: MarketBase) -> str:
    """Return the study's own change beside the noise floors."""
    firm, _, shift = (float(cell.split(" ")[0]) for cell in siting_published.MARKET[SIZE_MW, "on_peak", "p95_p5"])
    floor = peak_floors(base)
    larger = int((floor > abs(shift - firm)).sum())
    return (
        f"The study's medians of the spread on the peak at {SIZE_MW / 1000:g} GW are {firm:.2f} firm and {shift:.2f} "
        f"$/MWh shifted, a change of {shift - firm:+.2f}, at a gap of {STUDY_GAP:g}; here schedules within "
        f"{base.base.days[0].gap:.0e} of the least cost differ by more than that on {larger} of "
        f"{int(np.isfinite(floor).sum())} days."
    )


if __name__ == "__main__":
    main()
