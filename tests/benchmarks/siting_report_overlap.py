"""How far do shortlists under different envelopes name the same sites? The first twenty, on a day that can tell.

    python -m tests.benchmarks.siting_report_overlap [--sites N] [--kept FOLDER]

N sites of each envelope at 1 GW on synthetic Texas with the fleet and series of 2020, drawn by lot (seed 0), 0 for all
that qualify, priced on the typical day with the least noise floor of the spread on the peak. Twenty of N are also
shared by chance: how many stands beside what is found. Needs HEADROOM_DATA (the 2020 series). What is computed is kept
in FOLDER. Writes results/siting_report_overlap.md.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from scipy.stats import hypergeom

from engine.siting.market_run import MarketRun
from engine.siting.shortlist import Ranked, rank_sites
from tests.benchmarks import siting_published
from tests.benchmarks.siting_report import KEPT, RESULTS, head, report_study, say
from tests.benchmarks.siting_report_attenuation import quietest, without_sites
from tests.benchmarks.siting_report_market import (
    TOP,
    first_of,
    judged_words,
    market_of,
    sampled,
    tables,
    typical_question,
)
from tests.benchmarks.siting_report_pairs import MARKET_SIZES_MW, served

SIZE_MW = MARKET_SIZES_MW[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=45)
    parser.add_argument("--kept", type=Path, default=KEPT)
    asked = parser.parse_args()
    start = time.perf_counter()
    study = report_study(asked.kept)
    run, _ = study.gate(replace(study.question, sizes_mw=MARKET_SIZES_MW), "three envelopes, two sizes")
    question, reasons = typical_question(study, run)
    date = quietest(without_sites(study, run, question), 1)[0]
    placements = sampled(run, {SIZE_MW: asked.sites})
    run = replace(run, question=replace(run.question, shortlist=len(placements), load_scale=1.0))
    market = market_of(study, run, replace(question, dates=(date,)), placements)
    order = rank_sites([site for site in market.sites if site.served])
    first = {own.name: first_of(order, (own.name, SIZE_MW)) for own in run.gate.envelopes}
    priced = {name: served(market, (name, SIZE_MW)) for name in first}
    qualified = {name: int((run.gate.qualified(name, SIZE_MW) == 1).sum()) for name in first}
    lines = [
        *head(run, "overlap of shortlists"),
        f"Priced on {date} ({reasons[date]}), the typical day with the least noise floor. {SIZE_MW / 1000:g} GW: "
        + "; ".join(f"{name} {len(priced[name])} priced of {qualified[name]} that qualify" for name in first)
        + f". {judged_words(market)}",
        "",
        *overlaps(first, priced, market),
        "",
        *listed(run.network.buses.ids, order, first),
        *tables(market, (SIZE_MW,)),
    ]
    (RESULTS / "siting_report_overlap.md").write_text("\n".join(lines))
    say(f"written after {time.perf_counter() - start:,.0f} s")


def overlaps(
    first: Mapping[str, list[int]], priced: Mapping[str, Mapping[int, object]], market: MarketRun
) -> list[str]:
    """Return how many of the first twenty two envelopes share, beside what chance alone would share."""
    lines = ["| envelopes | shared | by chance: mean | as many or more by chance | gap of their sites, at most |"]
    lines += ["|" + "---|" * 5]
    gap = {
        name: max(
            (max(day.gap for day in site.days) for site in served(market, (name, SIZE_MW)).values()),
            default=float("nan"),
        )
        for name in first
    }
    for one, other in combinations(first, 2):
        both = set(priced[one]) & set(priced[other])
        # Sites that the other envelope has no price of cannot be shared: chance draws among those priced under both.
        mine, theirs = (len(set(first[name]) & both) for name in (one, other))
        shared = len(set(first[one]) & set(first[other]))
        draw = hypergeom(len(both), mine, theirs)
        lines.append(
            f"| {one} and {other} | {shared} of {min(len(first[one]), len(first[other]))} | {draw.mean():.1f} | "
            f"{draw.sf(shared - 1):.2g} | {max(gap[one], gap[other]):.1e} |"
        )
    return [
        *lines,
        "",
        "Chance: two shortlists drawn by lot from the sites priced under both. The study, in the same order, of its "
        f"first {TOP}: {siting_published.OVERLAPS}; of some 200 sites, chance shares {TOP * TOP / 200:g}.",
    ]


def listed(ids: tuple[str, ...], order: Ranked, first: Mapping[str, list[int]]) -> list[str]:
    """Return the shortlists, each with the range of its scores."""
    lines = ["| envelope | first places, best first | scores |", "|---|---|---|"]
    for name, buses in first.items():
        scores = [
            float(score)
            for site, score in zip(order.sites, order.score, strict=True)
            if site.placement is not None and site.placement.envelope.name == name and site.placement.bus in buses
        ]
        told = f"{max(scores):.3f} to {min(scores):.3f}" if scores else ""
        lines.append(f"| {name} | {', '.join(ids[bus] for bus in buses)} | {told} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
