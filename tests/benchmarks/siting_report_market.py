"""The market of the siting study's tables beside ours, on synthetic Texas with the fleet and series of 2020.

    python -m tests.benchmarks.siting_report_market [--sites N] [--large N] [--depths N] [--kept FOLDER]

N sites of each envelope at 1 GW, and at 2 GW (``--large``), drawn by lot (seed 0), 0 for all; ``--depths`` sites at
each depth of a shift. Days are the typical ones of the case; one on which no schedule serves the load without a site is
left out and named. Needs HEADROOM_DATA (the 2020 series). What is computed is kept in FOLDER. Writes
results/siting_report_market.md and maps of the shortlists.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from engine.commitment.days import typical_days
from engine.errors import QuestionError
from engine.network.model import Vector
from engine.siting.envelopes import PEAK_HOURS, standard
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS, Spread
from engine.siting.prepare import hours_of
from engine.siting.ranking import overlap, spearman, top
from engine.siting.run import GateRun
from engine.siting.shortlist import Ranked, rank_sites
from engine.siting.studies import depth_envelopes, depth_scores, naive_sites
from tests.benchmarks import siting_published
from tests.benchmarks.drawn import texas
from tests.benchmarks.siting_report import KEPT, MARKET_SIZES_MW, RESULTS, Study, head, report_study, say

BASE_S, SITE_S, SAMPLES = 300.0, 120.0, 4  # seconds of a day without and with a site; of the noise floor
DEARER = 8  # placements solved again with dearer units
TOP = 20
PEAK_SPREAD = (WINDOWS.index("on_peak"), METRICS.index("p95_p5"))
PEAK_ROWS = np.isin(np.arange(24), PEAK_HOURS)
Label = tuple[str, float]  # envelope and size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=8)
    parser.add_argument("--large", type=int, default=3)
    parser.add_argument("--depths", type=int, default=0)
    parser.add_argument("--kept", type=Path, default=KEPT)
    asked = parser.parse_args()
    start = time.perf_counter()
    study = report_study(asked.kept)
    run, _ = study.gate(replace(study.question, sizes_mw=MARKET_SIZES_MW), "three envelopes, two sizes")
    placements = sampled(run, {1000.0: asked.sites, 2000.0: asked.large})
    # The tables compare envelopes on a sample: no shortlist is published, and no site is solved again for its place.
    run = replace(run, question=replace(run.question, shortlist=len(placements), load_scale=1.0))
    market, left_out = on_days_that_can_be(study, run, placements)
    lines = [
        *head(run, "market"),
        *facts(market, placements, left_out),
        "## Sites of the lowest mean price, and the study's own sites",
        "",
        naive(run, market),
        "",
        *own_sites(run),
        "",
        *peak_spread(run, market),
        *tables(market),
        "## Shortlists",
        "",
        *shortlists(run, market),
        "",
        "## Every marginal cost a fifth higher",
        "",
        dearer(study, run, market, placements[:: max(1, len(placements) // DEARER)]),
        "",
    ]
    if asked.depths:
        lines += ["## The market by depth of a shift", "", *by_depth(study, market.question, asked.depths), ""]
    (RESULTS / "siting_report_market.md").write_text("\n".join(lines))
    say(f"written after {time.perf_counter() - start:,.0f} s")


def sampled(run: GateRun, most: dict[float, int]) -> list[Placement]:
    """Return the placements that qualify, so many of each envelope at each size drawn by lot, 0 for all.

    One lot serves all envelopes and sizes, so that most buses drawn can be compared under each of them.
    """
    lot, found = np.random.default_rng(0).permutation(run.gate.buses), []
    for envelope in run.gate.envelopes:
        for size, count in most.items():
            passed = run.gate.buses[run.gate.qualified(envelope.name, size) == 1]
            drawn = lot[np.isin(lot, passed)]
            found += [Placement(int(bus), envelope, size) for bus in np.sort(drawn[:count] if count else drawn)]
    return found


def on_days_that_can_be(
    study: Study, run: GateRun, placements: Sequence[Placement]
) -> tuple[MarketRun, dict[str, str]]:
    """Return the market on the typical days that have a schedule without a site, and the others with their reasons."""
    days = typical_days(hours_of(run.question, run.network, study.load, thermal="filed"))
    question = MarketQuestion(days="listed", base_time_s=BASE_S, site_time_s=SITE_S, samples=SAMPLES)
    dates = {day.label: day.reason for day in days}
    try:
        return study.market(run, replace(question, dates=tuple(dates)), placements), {}
    except QuestionError as problem:  # the days that have one are kept
        none = {date: why for date, why in dates.items() if f"{date}: " in str(problem)}
        if not none or len(none) == len(dates):
            raise
        say(str(problem))
        kept = tuple(date for date in dates if date not in none)
        return study.market(run, replace(question, dates=kept), placements), none


def facts(market: MarketRun, placements: Sequence[Placement], left_out: dict[str, str]) -> list[str]:
    """Return what the tables are of."""
    served = [site for site in market.sites if site.served]
    gaps = [site.gap for site in served]
    days = "; ".join(f"{day['label']} (weight {day['weight']:g})" for day in market.facts["days"])
    without = "".join(f" Left out, because no schedule serves it within every limit: {date}, {why}."
                      for date, why in left_out.items())  # fmt: skip
    return [
        f"Days: {days}.{without} {len(placements):,} placements, drawn by lot; {len(served)} served. Gap of the days "
        f"without a site {market.base.gap:.1e}, of the sites {min(gaps):.1e} to {max(gaps):.1e} (the study stops at "
        f"1e-2). {market.facts['schedules'][0].upper()}{market.facts['schedules'][1:]}.",
        "",
    ]


def naive(run: GateRun, market: MarketRun) -> str:
    """Return how the buses with the lowest mean price fare at the gate."""
    chosen = naive_sites(market.base.mean_lmp, run.gate.buses, TOP)
    low, _ = run.gate.pass_rate("firm", 1000.0)
    rate = np.array([low[place_of(run)[bus]] for bus in chosen.tolist()])
    passed = int((rate >= run.question.threshold).sum())
    of_all = 100 * float((low >= run.question.threshold).mean())
    return (
        f"{passed} of the {TOP} of the lowest mean price pass at 1 GW firm (the study: 0 of 20); their pass rates are "
        f"{100 * rate.min():.1f} to {100 * rate.max():.1f} %. Of all candidates {of_all:.0f} % pass."
    )


def own_sites(run: GateRun) -> list[str]:
    """Return how many of the study's own first twenty pass our gate at 1 GW."""
    lines = [
        "| the study's first twenty, 1 GW | are candidates here | pass firm | pause | shift |",
        "|---|---|---|---|---|",
    ]
    for name, rows in siting_published.FIRST_20.items():
        places = [place_of(run)[row - 1] for row in rows if row - 1 in place_of(run)]
        passed = [str(int((run.gate.qualified(own.name, 1000.0)[places] == 1).sum())) for own in run.gate.envelopes]
        lines.append(f"| {name} | {len(places)} | {' | '.join(passed)} |")
    return lines


def place_of(run: GateRun) -> dict[int, int]:
    """Return the place among the candidates of each candidate's bus."""
    return {bus: number for number, bus in enumerate(run.gate.buses.tolist())}


def tables(market: MarketRun) -> list[str]:
    """Return tables 1 and 2, and how far the medians are from the study's."""
    lines = []
    for number, size in enumerate(MARKET_SIZES_MW, start=1):
        lines += [f"## Table {number}: {size / 1000:g} GW, medians [distance between the quartiles]", ""]
        lines += [*medians(market, size), "", far_from_the_study(market, size), ""]
    return lines


def medians(market: MarketRun, size: float) -> list[str]:
    """Return medians and quartile distances of the metrics for the sites served."""
    lines = [
        "| window | metric | " + " | ".join(own.name for own in standard()) + " | the study: firm | pause | shift |",
        "|" + "---|" * 8,
    ]
    for w, window in enumerate(WINDOWS):
        for m, metric in enumerate(METRICS):
            cells = []
            for own in standard():
                spread = Spread.of(values(market, (own.name, size))[:, w, m])
                cells.append(f"{spread.median:.2f} [{spread.iqr:.2f}]")
            published = " | ".join(siting_published.MARKET[size, window, metric])
            unit = f"{METRIC_WORDS[metric]}, {METRIC_UNITS[metric]}"
            lines.append(f"| {WINDOW_WORDS[window]} | {unit} | {' | '.join(cells)} | {published} |")
    return lines


def far_from_the_study(market: MarketRun, size: float) -> str:
    """Return how far our medians of the mean price are from the study's, and why they can be."""
    told = []
    for w, window in enumerate(WINDOWS):
        ours = [Spread.of(values(market, (own.name, size))[:, w, 0]).median for own in standard()]
        theirs = [float(cell.split(" ")[0]) for cell in siting_published.MARKET[size, window, "mean_lmp"]]
        away = np.array(ours) - np.array(theirs)
        told.append(f"{away.min():+.2f} to {away.max():+.2f} in {WINDOW_WORDS[window]}")
    return (
        f"Our medians of the mean price less the study's, $/MWh: {', '.join(told)}. Why they differ: the study does "
        f"not name its seven days (ours are {len(market.facts['days'])}), its wind series is not published, and it "
        "stops each day at a gap of 1 %. Binding hours are of all days together."
    )


def values(market: MarketRun, label: Label) -> Vector:
    """Return (N, 3, 5), the metrics of the sites served under one envelope and size."""
    return np.array([site.metrics for site in served(market, label).values()]).reshape(-1, 3, 5)


def served(market: MarketRun, label: Label) -> dict[int, SiteMarket]:
    """Return the sites that the market serves under one envelope and size, by bus."""
    return {
        site.placement.bus: site
        for site in market.sites
        if site.served and site.placement and (site.placement.envelope.name, site.placement.nameplate_mw) == label
    }


def peak_spread(run: GateRun, market: MarketRun) -> list[str]:
    """Return the change of the spread of prices on the peak from firm to shift, pair by pair and day by day."""
    floor = float("nan") if market.floor is None else float(market.floor[PEAK_SPREAD])
    dates = [day["label"] for day in market.facts["days"]]
    lines = [
        "## P95 - P5 of prices between buses on the peak: from firm to shift",
        "",
        f"$/MWh, mean of the peak hours; the same sites. Noise floor of all days together {floor:.3f} $/MWh.",
        "",
        "| bus | size | " + " | ".join(dates) + " | all days, weighted: firm | shift | change |",
        "|---|---|" + "---|" * (len(dates) + 3),
    ]
    ends = []
    for size in MARKET_SIZES_MW:
        pairs = [served(market, (name, size)) for name in ("firm", "shift")]
        rows: list[tuple[Vector, float]] = []
        for bus in sorted(set(pairs[0]) & set(pairs[1])):
            firm, shift = (own[bus] for own in pairs)
            daily = _peak(shift) - _peak(firm)
            before, after = float(firm.metrics[PEAK_SPREAD]), float(shift.metrics[PEAK_SPREAD])
            rows.append((daily, after - before))
            cells = " | ".join(f"{value:+.3f}" for value in daily.tolist())
            name = run.network.buses.ids[bus]
            lines.append(f"| {name} | {size:g} MW | {cells} | {before:.3f} | {after:.3f} | {after - before:+.3f} |")
        if rows:
            ends.append(_signs(f"{size / 1000:g} GW, all days", np.array([change for _, change in rows]), floor))
            each = np.array([daily for daily, _ in rows])
            ends += [_signs(f"{size / 1000:g} GW, {date}", each[:, at], floor) for at, date in enumerate(dates)]
    return [*lines, "", *ends, ""]


def _peak(site: SiteMarket) -> Vector:
    """Return (D,), the mean spread of the peak hours of each day."""
    return np.array([day.hours.p95_p5[PEAK_ROWS].mean() for day in site.days if day.hours is not None])


def _signs(words: str, change: Vector, floor: float) -> str:
    """Return how many fell and rose by more than the noise floor, and how likely that is by chance."""
    fell, rose = int((change < -floor).sum()), int((change > floor).sum())
    chance = binomtest(fell, fell + rose).pvalue if fell + rose else 1.0
    return (
        f"- {words}: median {float(np.median(change)):+.3f} $/MWh; fell at {fell}, rose at {rose}, within the noise at "
        f"{len(change) - fell - rose}; two-sided sign test {chance:.3f}"
    )


def shortlists(run: GateRun, market: MarketRun) -> list[str]:
    """Return the first places of each envelope and size, how far they are the same, and draw them on maps."""
    order = rank_sites([site for site in market.sites if site.served])
    buses, lines = run.network.buses, []
    for size in MARKET_SIZES_MW:
        first = {own.name: first_of(order, (own.name, size)) for own in run.gate.envelopes}
        if not all(first.values()):
            continue
        shared = [
            f"{a} and {b} share {len(set(first[a]) & set(first[b]))} ({overlap(first[a], first[b]):.0%})"
            for a, b in (("firm", "pause"), ("firm", "shift"), ("pause", "shift"))
        ]
        count = len(first["firm"])
        lines.append(f"- {size / 1000:g} GW, of the first {count} of {count * 2} or more: {', '.join(shared)}")
        for name, listed in first.items():
            told = ", ".join(f"{buses.ids[bus]} ({buses.zones[bus]})" for bus in listed)
            lines.append(f"  - {name}: {told}")
        groups = {name: np.array(listed, dtype=np.intp) for name, listed in first.items()}
        drawn = texas(buses.longitude, buses.latitude, run.gate.buses, groups, what="on the shortlist")
        (RESULTS / f"siting_report_shortlist_{size / 1000:g}gw.svg").write_text(drawn)
        lines.append(f"\n![Shortlists at {size / 1000:g} GW](siting_report_shortlist_{size / 1000:g}gw.svg)\n")
    return [*lines, f"- {siting_published.OVERLAPS}"]


def first_of(order: Ranked, label: Label) -> list[int]:
    """Return the buses of the first twenty of an envelope and size, of half of them where that is fewer."""
    rows = [
        n
        for n, site in enumerate(order.sites)
        if site.placement is not None and (site.placement.envelope.name, site.placement.nameplate_mw) == label
    ]
    best = top(order.place[rows], min(TOP, len(rows) // 2)).tolist() if len(rows) > 1 else []
    placed = [order.sites[rows[n]].placement for n in best]
    return [one.bus for one in placed if one is not None]


def dearer(study: Study, run: GateRun, market: MarketRun, placements: Sequence[Placement]) -> str:
    """Return how the scores change where every marginal cost is a fifth higher, on the first of the days."""
    one = replace(market.question, dates=market.question.dates[:1], samples=0)
    usual, more = (study.market(run, replace(one, cost_factor=factor), placements) for factor in (1.0, 1.2))
    both = [(a, b) for a, b in zip(usual.sites, more.sites, strict=True) if a.served and b.served]
    first, other = (rank_sites([pair[side] for pair in both]) for side in (0, 1))
    means = [float(np.nanmean(found.base.mean_lmp)) for found in (usual, more)]
    return (
        f"On {one.dates[0]}: mean price without a site {means[0]:.2f} and {means[1]:.2f} $/MWh, "
        f"{means[1] / means[0]:.3f} times; Spearman of the scores {spearman(first.score, other.score):.3f} over "
        f"{len(both)} placements."
    )


def by_depth(study: Study, question: MarketQuestion, sites: int) -> list[str]:
    """Return the median score of a shift by its depth, all depths in one scaling, on the first of the days."""
    depths = depth_envelopes(kinds=("shift",))
    deep, _ = study.gate(replace(study.question, envelopes=depths, sizes_mw=(1000.0,)), "shift at eight depths")
    placements = sampled(deep, {1000.0: sites})
    deep = replace(deep, question=replace(deep.question, shortlist=len(placements), load_scale=1.0))
    found = study.market(deep, replace(question, dates=question.dates[:1], samples=0), placements)
    scores = depth_scores(rank_sites([site for site in found.sites if site.served]))["shift"]
    best = max(scores, key=lambda depth: scores[depth])
    lines = ["| depth | qualified | median score |", "|---|---|---|"]
    for own in depths:
        depth = float(own.name.split(" ")[1]) / 100.0
        passed = int((deep.gate.qualified(own.name, 1000.0) == 1).sum())
        lines.append(f"| {depth:.2f} | {passed} | {scores.get(depth, float('nan')):.3f} |")
    return [
        *lines,
        "",
        f"{sites} sites of each depth by lot, on {question.dates[0]}. The highest median score is at {best:.2f}; the "
        "study's is at the third of four depths that are lost (scores 0.637, 0.669, 0.774, 0.726). "
        + siting_published.DEPTHS,
    ]


if __name__ == "__main__":
    main()
