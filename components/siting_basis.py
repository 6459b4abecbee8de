"""What stands below every table that is made from the market: its days, and the noise floor of its figures."""

from collections.abc import Sequence

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


def days_and_floor(market: MarketRun | None, cells: Sequence[Cell] = USUAL) -> str:
    """Return the days of a market and the noise floor of some of its figures, "" where there is no market."""
    return "" if market is None else f"{days_words(market)} {floor_words(market, cells)}"


def days_words(market: MarketRun) -> str:
    """Return the days that were priced, each with its reason and what it counts."""
    days = market.facts["days"]
    if len(days) > _MOST_DAYS:
        return f"{number(len(days))} days, {days[0]['label']} to {days[-1]['label']}."
    total = sum(float(day["weight"]) for day in days)
    said = []
    for day in days:
        share = "" if len(days) == 1 else f", counts {percent(float(day['weight']) / total)}"
        said.append(f"{day['label']} ({str(day['reason']).partition(',')[0]}{share})")
    one = ", one day of the seven typical ones" if market.question.days == "peak" else ""
    return f"{'Day' if len(days) == 1 else 'Days'}: {', '.join(said)}{one}."


def floor_words(market: MarketRun, cells: Sequence[Cell] = USUAL) -> str:
    """Return the noise floor of some figures: what they differ by between equally good schedules."""
    if market.floor is None:
        return NO_FLOOR
    said = [
        f"{METRIC_WORDS[metric] if window == 'all' else f'{WINDOW_WORDS[window]} {METRIC_WORDS[metric]}'} "
        f"{amount(market, window, metric)}"
        for window, metric in cells
    ]
    return f"Noise floor: {', '.join(said)}."


def amount(market: MarketRun, window: Window, metric: Metric) -> str:
    """Return the noise floor of one figure with its unit."""
    if market.floor is None:
        return number(None)
    value = float(market.floor[WINDOWS.index(window), METRICS.index(metric)])
    return f"{number(value, DIGITS[metric])} {METRIC_UNITS[metric]}"


def floor_table(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    """Return the noise floor of every figure, with its CSV."""
    floor = market.floor
    if floor is None:
        return html.P(NO_FLOOR, className="hr-muted")
    rows = [
        (
            f"{sentence(METRIC_WORDS[metric])}, {METRIC_UNITS[metric]}",
            *((number(float(floor[w, m]), DIGITS[metric]), float(floor[w, m])) for w in range(len(WINDOWS))),
        )
        for m, metric in enumerate(METRICS)
    ]
    heads = ("Metric", *(sentence(WINDOW_WORDS[window]) for window in WINDOWS))
    return small_table(
        "noise-floor", "Noise floor of the market metrics", heads, rows, file="noise-floor",
        note="A difference between two sites below it says nothing.", why=_floor_card(market, inputs),
    )  # fmt: skip


def _floor_card(market: MarketRun, inputs: Sequence[WhyInput]) -> Part:
    return why_card(
        f"Noise floor of the mean LMP: {amount(market, 'all', 'mean_lmp')}",
        formula="*ε* = Σ_d *w*_d [Q3_s(*m*_{ds}) − Q1_s(*m*_{ds})] / Σ_d *w*_d",
        values=[
            ("schedules *s* of a day", f"{count(market.question.samples, 'sample')}, each as good as the day's own"),
            ("gap that counts as equally good", percent(market.question.base_gap, 2)),
            ("days *d*", number(len(market.facts["days"]))),
            ("Q1, Q3", "quartiles of the metric over the schedules"),
        ],
        inputs=inputs,
        source=SOURCE_MARKET,
        note=f"{days_words(market)} No load is added: all of it is chance in the choice of a schedule and of prices.",
    )
