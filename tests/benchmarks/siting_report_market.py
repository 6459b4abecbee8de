"""The market of the siting study's tables beside ours, on synthetic Texas with the fleet and series of 2020.

    python -m tests.benchmarks.siting_report_market [--sites N] [--large N] [--dearer N] [--kept FOLDER]

N sites of each envelope at 1 GW, and at 2 GW (``--large``), drawn by lot (seed 0), 0 for all; ``--dearer`` placements
again with every marginal cost a fifth higher. What is 0 is left out, and said to be. A schedule counts that is as near
the least cost as those of the study, 1 %; every day's gaps are told. Days are the typical ones of the case; one without
a schedule before any site is added is left out, with how its search ended. More buses firm and shifted:
:mod:`tests.benchmarks.siting_report_attenuation`; depths: :mod:`tests.benchmarks.siting_report_depth`. Needs
HEADROOM_DATA (the 2020 series). What is computed is kept in FOLDER. Writes results/siting_report_market.md and maps of
the shortlists.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.commitment.days import typical_days
from engine.commitment.outcome import End
from engine.network.model import Vector
from engine.siting.envelopes import standard
from engine.siting.market import Placement
from engine.siting.market_days import DayMarket
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS, Spread
from engine.siting.prepare import hours_of
from engine.siting.ranking import overlap, spearman, top
from engine.siting.run import GateRun
from engine.siting.shortlist import Ranked, rank_sites
from engine.siting.studies import naive_sites
from tests.benchmarks import siting_published
from tests.benchmarks.drawn import texas
from tests.benchmarks.siting_report import KEPT, RESULTS, Study, head, report_study, say
from tests.benchmarks.siting_report_pairs import MARKET_SIZES_MW, Label, compared_pairs, served

BASE_S, SITE_S, SAMPLES = 300.0, 120.0, 4  # seconds of a day without and with a site; of the noise floor
NOT_RUN = "Not computed in this run."
STUDY_GAP = 1e-2
TOP = 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=8)
    parser.add_argument("--large", type=int, default=3)
    parser.add_argument("--dearer", type=int, default=15)
    parser.add_argument("--kept", type=Path, default=KEPT)
    asked = parser.parse_args()
    start = time.perf_counter()
    study = report_study(asked.kept)
    run, _ = study.gate(replace(study.question, sizes_mw=MARKET_SIZES_MW), "three envelopes, two sizes")
    placements = sampled(run, {1000.0: asked.sites, 2000.0: asked.large})
    # The tables compare envelopes on a sample: no shortlist is published, and no site is solved again for its place.
    run = replace(run, question=replace(run.question, shortlist=len(placements), load_scale=1.0))
    market, reasons = on_typical_days(study, run, placements)
    lines = [
        *head(run, "market"),
        *facts(market, placements, reasons),
        "## Sites of the lowest mean price, and the study's own sites",
        "",
        naive(run, market),
        "",
        *own_sites(run),
        "",
        *peak_spread(run, market),
        "The same from more buses, on the days that can tell: siting_report_attenuation.md.",
        "",
        *tables(market),
        "## Shortlists",
        "",
        *shortlists(run, market),
        "",
        "## Every marginal cost a fifth higher",
        "",
        dearer(study, run, market, placements[:: max(1, len(placements) // asked.dearer)]) if asked.dearer else NOT_RUN,
        "",
        "The market by depth of a pause and of a shift: siting_report_depth.md. Overlaps of the first twenty: "
        "siting_report_overlap.md.",
        "",
    ]
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


def on_typical_days(study: Study, run: GateRun, placements: Sequence[Placement]) -> tuple[MarketRun, dict[str, str]]:
    """Return the market on the typical days that have a schedule without a site, and why each day is one, by date."""
    question, reasons = typical_question(study, run)
    return market_of(study, run, question, placements), reasons


def typical_question(study: Study, run: GateRun) -> tuple[MarketQuestion, dict[str, str]]:
    """Return the question about the typical days of the study's hours, and why each day is one, by date."""
    days = typical_days(hours_of(run.question, run.network, study.load, thermal="filed"))
    reasons = {day.label: day.reason for day in days}
    dates = tuple(reasons)
    question = MarketQuestion(days="listed", dates=dates, base_time_s=BASE_S, site_time_s=SITE_S, samples=SAMPLES)
    return question, reasons


def market_of(study: Study, run: GateRun, question: MarketQuestion, placements: Sequence[Placement]) -> MarketRun:
    """Return the market; a schedule within the study's gap counts, also where the time for ours was over."""

    def accepted(day: DayMarket) -> DayMarket:
        near = day.status is End.TIME_LIMIT and day.hours is not None and day.gap <= STUDY_GAP
        return replace(day, status=End.WIDER_GAP) if near else day

    found = study.market(run, question, placements)
    sites = tuple(replace(site, days=tuple(accepted(day) for day in site.days)) for site in found.sites)
    return replace(found, sites=sites)


def facts(market: MarketRun, placements: Sequence[Placement], reasons: dict[str, str]) -> list[str]:
    """Return what the tables are of."""
    served = [site for site in market.sites if site.served]
    gaps = np.array([[day.gap for day in site.days] for site in served])
    proved = int((gaps <= market.question.site_gap).all(axis=1).sum())
    each = "; ".join(
        f"{day['label']} {own.gap:.1e} without a site, {gaps[:, at].min():.1e} to {gaps[:, at].max():.1e} with one"
        for at, (day, own) in enumerate(zip(market.facts["days"], market.base.days, strict=True))
    )
    schedules = market.facts["schedules"]
    days = "; ".join(f"{day['label']} (weight {day['weight']:g})" for day in market.facts["days"])
    return [
        f"Days: {days}.{without_schedule(market, reasons)} {len(placements):,} placements, drawn by lot; "
        f"{len(served)} have a schedule within {STUDY_GAP:g} on every day, where the study stops, and the tables are "
        f"of these; {proved} of them came "
        f"within {market.question.site_gap:g} on every day in {SITE_S:g} s each. Gaps: {each}. "
        f"{schedules[0].upper()}{schedules[1:]}. {judged_words(market)}",
        "",
    ]


def without_schedule(market: MarketRun, reasons: dict[str, str]) -> str:
    """Return the days that were left out, each with how its search ended and the reason, "" where there is none."""
    return "".join(
        f" Left out, without a schedule before any site is added: {day['label']} ({reasons[day['label']]}); its search "
        f"ended by {day['status']}: {day['why']}."
        for day in market.facts["days_left_out"]
    )


def judged_words(market: MarketRun) -> str:
    """Return how many schedules the judge looked at, and what it found."""
    told = market.facts["judged"]
    found = f"{told['refused']} refused: {'; '.join(told['found'])}" if told["refused"] else "it finds nothing"
    return f"The judge of schedules, which shares no code with the model, looked at {told['schedules']:,}: {found}."


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


def tables(market: MarketRun, sizes_mw: Sequence[float] = MARKET_SIZES_MW) -> list[str]:
    """Return tables 1 and 2, and how far the medians are from the study's."""
    lines = []
    for number, size in enumerate(sizes_mw, start=1):
        lines += [f"## Table {number}: {size / 1000:g} GW, medians [distance between the quartiles]", ""]
        counts = ", ".join(f"{own.name} {len(served(market, (own.name, size)))}" for own in standard())
        lines += [f"Sites that the medians are of: {counts}.", ""]
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
                cells.append(f"{spread.median:.2f} [{spread.iqr:.2f}]" if spread.sites else "none served")
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
        away = away[np.isfinite(away)]
        if not away.size:
            return "No site of this size is served on every day."
        told.append(f"{away.min():+.2f} to {away.max():+.2f} in {WINDOW_WORDS[window]}")
    return (
        f"Our medians of the mean price less the study's, $/MWh: {', '.join(told)}. Why they differ: the study does "
        f"not name its seven days (here {len(market.facts['days'])}), its wind series is not published, and it "
        "stops each day at a gap of 1 %. Binding hours are of all days together."
    )


def values(market: MarketRun, label: Label) -> Vector:
    """Return (N, 3, 5), the metrics of the sites served under one envelope and size."""
    return np.array([site.metrics for site in served(market, label).values()]).reshape(-1, 3, 5)


def peak_spread(run: GateRun, market: MarketRun) -> list[str]:
    """Return the change of the spread of prices on the peak from firm to shift, pair by pair and day by day."""
    lines = ["## P95 - P5 of prices between buses on the peak: from firm to shift", ""]
    return [*lines, *compared_pairs(run.network.buses.ids, market)]


def shortlists(run: GateRun, market: MarketRun) -> list[str]:
    """Return the first places of each envelope and size, how far they are the same, and draw them on maps."""
    order = rank_sites([site for site in market.sites if site.served])
    buses, lines = run.network.buses, []
    for size in MARKET_SIZES_MW:
        first = {own.name: first_of(order, (own.name, size)) for own in run.gate.envelopes}
        lines += too_few(size, {own.name: len(served(market, (own.name, size))) for own in run.gate.envelopes})
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
    return [*lines, f"- the study, of its first {TOP}: {siting_published.OVERLAPS}"]


def too_few(size: float, priced: dict[str, int]) -> list[str]:
    """Return that overlaps of the first twenty cannot be computed, where fewer than twice as many sites are priced."""
    few = {name: count for name, count in priced.items() if count < 2 * TOP}
    if not few:
        return []
    told = ", ".join(f"{name} {count}" for name, count in few.items())
    instead = "of the first half instead" if min(priced.values()) > 1 else "so there is no shortlist"
    return [
        f"- {size / 1000:g} GW: fewer than {2 * TOP} sites are priced ({told}): overlaps of the first {TOP}, as the "
        f"study has them, cannot be computed; {instead}."
    ]


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
    one = replace(market.question, dates=(market.facts["days"][0]["label"],), samples=0)
    usual, more = (market_of(study, run, replace(one, cost_factor=factor), placements) for factor in (1.0, 1.2))
    both = [(a, b) for a, b in zip(usual.sites, more.sites, strict=True) if a.served and b.served]
    first, other = (rank_sites([pair[side] for pair in both]) for side in (0, 1))
    means = [float(np.nanmean(found.base.mean_lmp)) for found in (usual, more)]
    return (
        f"On {one.dates[0]}: mean price without a site {means[0]:.2f} and {means[1]:.2f} $/MWh, "
        f"{means[1] / means[0]:.3f} times; Spearman of the scores {spearman(first.score, other.score):.3f} over "
        f"{len(both)} placements."
    )


if __name__ == "__main__":
    main()
