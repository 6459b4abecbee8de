"""What stands below every table that is made from the market: its days, and the noise floor of its figures."""

from collections.abc import Sequence

import numpy as np
from dash import html

from components.format import count, number, percent, sentence
from components.siting_site import SOURCE_MARKET, small_table
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.network.model import Matrix
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS, Metric, Window
from engine.siting.site_noise import SiteNoise

Cell = tuple[Window, Metric]
DIGITS: dict[Metric, int] = {"mean_lmp": 3, "p95_p5": 3, "std": 3, "binding_hours": 1, "rent": 4}
USUAL: tuple[Cell, ...] = (("all", "mean_lmp"), ("on_peak", "p95_p5"), ("all", "rent"))
_MOST_DAYS = 8  # that are named; of more, how many they are
NO_FLOOR = "No noise floor was asked for: small differences may mean nothing."
UNKNOWN = "not known"  # too few schedules as good as the day's own were found


def days_and_floor(market: MarketRun | None, cells: Sequence[Cell] = USUAL) -> str:
    """Return the days of a market and the noise floor of some of its figures, "" where there is no market."""
    return "" if market is None else f"{days_words(market)} {floor_words(market, cells)}"


def days_words(market: MarketRun) -> str:
    """Return the days that were priced, each with its reason and what it counts."""
    days = market.facts["days"]
    if len(days) > _MOST_DAYS:
        return f"{number(len(days))} days, {days[0]['label']} to {days[-1]['label']}.{_left_out(market)}"
    total = sum(float(day["weight"]) for day in days)
    said = []
    for day in days:
        share = "" if len(days) == 1 else f", counts {percent(float(day['weight']) / total)}"
        said.append(f"{day['label']} ({str(day['reason']).partition(',')[0]}{share})")
    one = ", one of the typical days: alone it does not stand for the year" if market.question.days == "peak" else ""
    return f"{'Day' if len(days) == 1 else 'Days'}: {', '.join(said)}{one}.{_left_out(market)}"


def _left_out(market: MarketRun) -> str:
    """Return which days had no schedule before any load was added, and how the search for one ended."""
    lost = market.facts.get("days_left_out", [])
    said = [f"{day['label']} ({str(day['reason']).partition(',')[0]}: {day['status']}, {day['why']})" for day in lost]
    return f" Left out, without a schedule before any load: {'; '.join(said)}." if said else ""


def judged_words(market: MarketRun) -> str:
    """Return how many schedules other code judged, and what it found; "" for a market of before."""
    told = market.facts.get("judged")
    if not told:
        return ""
    found = f"{number(told['refused'])} refused: {'; '.join(told['found'])}" if told["refused"] else "it finds nothing"
    partly = told["before_outages_alone"]
    less = f" ({number(partly)} of them before outages alone)" if partly else ""
    return f"{count(told['schedules'], 'schedule')} judged by code that shares nothing with the model{less}: {found}."


def floor_words(market: MarketRun, cells: Sequence[Cell] = USUAL) -> str:
    """Return the noise floor of some figures: what they differ by between equally good schedules."""
    if market.floor is None:
        return NO_FLOOR
    said = [
        f"{METRIC_WORDS[metric] if window == 'all' else f'{WINDOW_WORDS[window]} {METRIC_WORDS[metric]}'} "
        f"{amount(market, window, metric)}"
        for window, metric in cells
    ]
    without = market.facts.get("days_without_floor", [])
    less = f" Of {', '.join(without)} it is not known." if without else ""
    found = SiteNoise.of(market.sites)
    on = "measured without a site" if found is None else f"with what {count(found.sites, 'site')} moved by"
    return f"Noise floor, {on}: {', '.join(said)}.{less}"


def amount(market: MarketRun, window: Window, metric: Metric) -> str:
    """Return the noise floor of one figure with its unit."""
    return number(None) if market.floor is None else _amount(market.floor, window, metric)


def _amount(table: Matrix | None, window: Window, metric: Metric) -> str:
    value = _at(table, window, metric)
    return f"{number(value, DIGITS[metric])} {METRIC_UNITS[metric]}" if np.isfinite(value) else UNKNOWN


def with_a_site(market: MarketRun) -> str:
    """Return on how many sites the noise with one was measured, or why on none; "" without any noise floor."""
    if market.floor is None:
        return ""
    found = SiteNoise.of(market.sites)
    if found is None:
        why = "no site was solved again"
        if "days_asked" in market.facts:  # the market still runs
            why = "sites are solved again at the end"
        elif "noise_with_site" not in market.facts:
            why = "this market is from before that was done"
        elif market.question.noise_sites:
            why = "too few schedules as good were found on the sites drawn by lot"
        return f"With a site, equally good schedules can differ by more: that is not measured, as {why}."
    lot = int(market.facts.get("noise_with_site", {}).get("by_lot", 0))
    how = "that were solved again" if not lot else "drawn by lot" + (" or solved again" if lot < found.sites else "")
    return (
        f"With a site it is measured on {count(found.sites, 'site')} {how}: metric by metric the floor is the larger "
        "of that without a site and their median. A site that moved farther than that counts with what it moved by."
    )


def floor_table(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    """Return the noise floor of every figure, with what sites moved by where that was measured, and its CSV."""
    if market.floor is None:
        return html.P(NO_FLOOR, className="hr-muted")
    found = SiteNoise.of(market.sites)
    heads, rows = _floor_rows(market) if found is None else _floor_rows_with(market, found)
    return small_table(
        "noise-floor", "Noise floor of the market metrics", heads, rows, file="noise-floor", tall=found is not None,
        note=f"A difference between two sites below it says nothing. {with_a_site(market)}",
        why=_floor_card(market, inputs),
    )  # fmt: skip


def _floor_rows(market: MarketRun) -> tuple[Sequence[str], Sequence[Sequence[Part]]]:
    rows = [
        (
            f"{sentence(METRIC_WORDS[metric])}, {METRIC_UNITS[metric]}",
            *((amount(market, window, metric), _at(market.floor, window, metric)) for window in WINDOWS),
        )
        for metric in METRICS
    ]
    return ("Metric", *(sentence(WINDOW_WORDS[window]) for window in WINDOWS)), rows


def _floor_rows_with(market: MarketRun, found: SiteNoise) -> tuple[Sequence[str], Sequence[Sequence[Part]]]:
    """Return a row for each window of each metric: without a site, the sites' median and largest, and the larger."""
    rows: list[Sequence[Part]] = []
    for metric in METRICS:
        for window in WINDOWS:
            each = [
                _at(table, window, metric)
                for table in (_floor_without(market), found.median, found.largest, market.floor)
            ]
            cells = [(number(value, DIGITS[metric]) if np.isfinite(value) else UNKNOWN, value) for value in each]
            rows.append((f"{sentence(WINDOW_WORDS[window])}: {METRIC_WORDS[metric]}, {METRIC_UNITS[metric]}", *cells))
    return ("Metric", "Without a site", f"Median of {count(found.sites, 'site')}", "Largest", "Floor"), rows


def _floor_without(market: MarketRun) -> Matrix | None:
    return market.floor if market.floor_without is None else market.floor_without


def _at(table: Matrix | None, window: Window, metric: Metric) -> float:
    return float("nan") if table is None else float(table[WINDOWS.index(window), METRICS.index(metric)])


def _floor_card(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    found = SiteNoise.of(market.sites)
    without = "Σ_d *w*_d max[Q3_s(*m*_{ds}) − Q1_s(*m*_{ds}), max_π *m*_{dπ} − min_π *m*_{dπ}] / Σ_d *w*_d"
    values: list[tuple[str, Part]] = [
        ("schedules *s* of a day", f"{count(market.question.samples, 'sample')} asked for, {_counted(market)} counted"),
        ("as good as the day's own", "as near the least cost as that was proved, and the gap asked of a site"),
        ("prices *π*", "both ends of the range where duals are degenerate"),
        ("days *d*", number(len(market.facts["days"]))),
        ("Q1, Q3", "quartiles of the metric over the schedules"),
    ]
    if found is not None:
        values = [
            ("*ε*_0, without a site", _amount(_floor_without(market), "all", "mean_lmp")),
            (f"median of δ_i, {count(found.sites, 'site')} *i*", _amount(found.median, "all", "mean_lmp")),
            ("largest δ_i", _amount(found.largest, "all", "mean_lmp")),
            ("δ_i", "by what the figure of a site moved between two schedules as good, or its own noise floor"),
            *values,
        ]
    return why_card(
        f"Noise floor of the mean LMP: {amount(market, 'all', 'mean_lmp')}",
        formula=f"*ε* = {without}" if found is None else f"*ε* = max[*ε*_0, median_i δ_i],  *ε*_0 = {without}",
        values=values,
        inputs=inputs,
        source=SOURCE_MARKET,
        note=f"{days_words(market)} Without a site no load is added: all of it is chance in the choice of a schedule "
        f"and of prices. {with_a_site(market)} Fewer than three schedules that count leave it unknown.",
    )


def _counted(market: MarketRun) -> str:
    """Return how many samples counted on each day."""
    counted = market.facts.get("noise_samples", [])
    return ", ".join(number(each) for each in counted) if counted else "all"
