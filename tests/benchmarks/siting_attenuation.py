"""Whether moving work out of the peak narrows prices there: the same sites firm and under shift, on typical days.

    python -m tests.benchmarks.siting_attenuation [--sites N] [--minutes M] [--kept FOLDER]

The study reports a lower spread of prices between buses, P95 - P5, on the peak under shift than firm. Here every site
is solved under both, on the default days of the case but the one of the highest load, which no schedule serves within
every limit; sites that qualify under both at 1 GW, drawn by lot, two at a time until M minutes are over. Needs
HEADROOM_DATA; what is computed is kept in FOLDER. Writes results/siting_attenuation.md.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from engine.commitment.days import PEAK, typical_days
from engine.network.model import Vector
from engine.siting.envelopes import PEAK_HOURS, Envelope, standard
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.metrics import METRICS, WINDOWS
from engine.siting.prepare import hours_of
from engine.siting.run import GateRun
from tests.benchmarks.siting_report import BASE_S, RESULTS, SAMPLES, SITE_S, Study, head, report_study, say

SIZE_MW = 1000.0
AT_A_TIME = 2
PLACE = (WINDOWS.index("on_peak"), METRICS.index("p95_p5"))
PEAK_ROWS = np.isin(np.arange(24), PEAK_HOURS)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "headroom-siting-report")
    asked = parser.parse_args()
    start = time.perf_counter()
    study = report_study(asked.kept)
    two = tuple(own for own in standard() if own.name in {"firm", "shift"})
    run, _ = study.gate(replace(study.question, sizes_mw=(SIZE_MW,), envelopes=two), "firm and shift, one size")
    days = typical_days(hours_of(run.question, run.network, study.load, thermal="filed"))
    dates = tuple(day.label for day in days if not day.reason.startswith(PEAK))
    question = MarketQuestion(days="listed", dates=dates, base_time_s=BASE_S, site_time_s=SITE_S, samples=SAMPLES)
    both = np.flatnonzero(np.all([run.gate.qualified(own.name, SIZE_MW) == 1 for own in two], axis=0))
    lot = np.random.default_rng(0).permutation(run.gate.buses[both])[: asked.sites].tolist()
    # No shortlist is published: no site is solved again for its place.
    run = replace(run, question=replace(run.question, shortlist=2 * AT_A_TIME))
    parts: list[MarketRun] = []
    for first in range(0, len(lot), AT_A_TIME):
        if parts and time.perf_counter() - start > 60.0 * asked.minutes:
            break
        placements = [Placement(bus, own, SIZE_MW) for bus in lot[first : first + AT_A_TIME] for own in two]
        parts.append(study.market(run, question, placements))
        say(f"{2 * AT_A_TIME * len(parts)} placements, {time.perf_counter() - start:,.0f} s")
        (RESULTS / "siting_attenuation.md").write_text("\n".join(report(study, run, parts, two, len(both))))


def report(study: Study, run: GateRun, parts: Sequence[MarketRun], two: Sequence[Envelope], both: int) -> list[str]:
    """Return the pairs, day by day and over all days."""
    sites = [site for part in parts for site in part.sites]
    pairs = list(zip(*(_of(sites, own) for own in two), strict=True))
    served = [(firm, shift) for firm, shift in pairs if firm.served and shift.served]
    floor = parts[0].floor
    least = float("nan") if floor is None else float(floor[PLACE])
    told = parts[0].facts["days"]
    gaps = [site.gap for pair in served for site in pair]
    names = [f"{day['label']} ({day['reason']}, weight {day['weight']:g})" for day in told]
    lines = [
        *head(run, "the spread of prices on the peak"),
        "## Firm against shift",
        "",
        f"Days: {'; '.join(names)}. "
        f"{len(pairs)} of {both} sites that qualify under both at 1 GW, drawn by lot; {len(served)} served under both "
        f"on every day. Gaps {min(gaps):.1e} to {max(gaps):.1e}; noise floor {least:.3f} $/MWh.",
        "",
        "P95 - P5 of prices between buses, mean of the peak hours, $/MWh; change from firm to shift.",
        "",
        "| bus | " + " | ".join(day["label"] for day in told) + " | all days, weighted: firm | shift | change |",
        "|---|" + "---|" * (len(told) + 3),
    ]
    changes, daily = [], []
    for firm, shift in served:
        assert firm.placement is not None
        each = _peak(shift) - _peak(firm)
        ends = firm.metrics[PLACE], shift.metrics[PLACE]
        changes.append(float(ends[1] - ends[0]))
        daily.append(each)
        cells = " | ".join(f"{value:+.2f}" for value in each.tolist())
        name = run.network.buses.names[firm.placement.bus]
        lines.append(f"| {name} | {cells} | {ends[0]:.2f} | {ends[1]:.2f} | {changes[-1]:+.3f} |")
    signs = np.array(daily)
    lines += ["", *_signs("Over all days, weighted", np.array(changes), least)]
    lines += [
        line for at, day in enumerate(told) for line in _signs(f"{day['label']} ({day['reason']})", signs[:, at], least)
    ]
    return [*lines, ""]


def _of(sites: Sequence[SiteMarket], own: Envelope) -> list[SiteMarket]:
    return [site for site in sites if site.placement is not None and site.placement.envelope.name == own.name]


def _peak(site: SiteMarket) -> Vector:
    """Return (D,), the mean spread of the peak hours of each day."""
    return np.array([day.hours.p95_p5[PEAK_ROWS].mean() for day in site.days if day.hours is not None])


def _signs(words: str, change: Vector, least: float) -> list[str]:
    """Return how many fell and rose by more than the noise floor, and how likely that is by chance."""
    fell, rose = int((change < -least).sum()), int((change > least).sum())
    chance = binomtest(fell, fell + rose).pvalue if fell + rose else 1.0
    median = float(np.median(change))
    return [
        f"- {words}: median {median:+.3f} $/MWh; fell at {fell}, rose at {rose}, within the noise at "
        f"{len(change) - fell - rose}; two-sided sign test {chance:.3f}"
    ]


if __name__ == "__main__":
    main()
