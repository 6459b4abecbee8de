"""What stands below every table that is made from the market: its days, and the noise floor of its figures."""

from collections.abc import Sequence

import numpy as np
from dash import html

from components.format import count, number, percent, sentence
from components.siting_site import SOURCE_MARKET, small_table
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS, Metric, Window

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
    one = ", one of the typical days" if market.question.days == "peak" else ""
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
    return f"Noise floor: {', '.join(said)}.{less}"


def amount(market: MarketRun, window: Window, metric: Metric) -> str:
    """Return the noise floor of one figure with its unit."""
    if market.floor is None:
        return number(None)
    value = float(market.floor[WINDOWS.index(window), METRICS.index(metric)])
    return f"{number(value, DIGITS[metric])} {METRIC_UNITS[metric]}" if np.isfinite(value) else UNKNOWN


WITH_A_SITE = (
    "It is measured without a site; with one, equally good schedules can differ by more: that is not measured."
)


def floor_table(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    """Return the noise floor of every figure, with its CSV."""
    floor = market.floor
    if floor is None:
        return html.P(NO_FLOOR, className="hr-muted")
    rows = [
        (
            f"{sentence(METRIC_WORDS[metric])}, {METRIC_UNITS[metric]}",
            *((amount(market, window, metric), float(floor[w, m])) for w, window in enumerate(WINDOWS)),
        )
        for m, metric in enumerate(METRICS)
    ]
    heads = ("Metric", *(sentence(WINDOW_WORDS[window]) for window in WINDOWS))
    return small_table(
        "noise-floor", "Noise floor of the market metrics", heads, rows, file="noise-floor",
        note=f"A difference between two sites below it says nothing. {WITH_A_SITE}", why=_floor_card(market, inputs),
    )  # fmt: skip


def _floor_card(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    return why_card(
        f"Noise floor of the mean LMP: {amount(market, 'all', 'mean_lmp')}",
        formula="*ε* = Σ_d *w*_d max[Q3_s(*m*_{ds}) − Q1_s(*m*_{ds}), max_π *m*_{dπ} − min_π *m*_{dπ}] / Σ_d *w*_d",
        values=[
            (
                "schedules *s* of a day",
                f"{count(market.question.samples, 'sample')} asked for, {_counted(market)} counted",
            ),
            ("as good as the day's own", "as near the least cost as that was proved, and the gap asked of a site"),
            ("prices *π*", "both ends of the range where duals are degenerate"),
            ("days *d*", number(len(market.facts["days"]))),
            ("Q1, Q3", "quartiles of the metric over the schedules"),
        ],
        inputs=inputs,
        source=SOURCE_MARKET,
        note=f"{days_words(market)} No load is added: all of it is chance in the choice of a schedule and of prices. "
        f"{WITH_A_SITE} Fewer than three schedules that count leave it unknown.",
    )


def _counted(market: MarketRun) -> str:
    """Return how many samples counted on each day."""
    counted = market.facts.get("noise_samples", [])
    return ", ".join(number(each) for each in counted) if counted else "all"
