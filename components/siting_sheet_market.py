"""The market and the ranking on a site's sheet: metrics beside the median and the noise, prices, why it ranks there."""

from collections.abc import Sequence

import numpy as np
from dash import html

from components import siting_cards
from components.format import count, number, percent, price, signed
from components.siting_basis import UNKNOWN, days_and_floor
from components.siting_site import SOURCE_MARKET, SOURCE_RANKING, SiteStudy, bar, small_table
from components.skeleton import Part, facts, section
from components.why_card import why_card, why_number
from engine.commitment.outcome import End
from engine.network.model import Vector
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun, lmp_change
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS, Metric
from engine.siting.ranking import GROUPS, criterion_words
from engine.siting.sheet import MetricLine, Neighbour, ScoreReasons, metric_lines, row_of, score_reasons, site_market

_FORMULA: dict[Metric, str] = {
    "mean_lmp": "(1/|*W*|) \u03a3_t \u03bb\u0304_t, \u03bb\u0304_t = (1/*N*_b) \u03a3_b \u03bb_{bt}",
    "p95_p5": "(1/|*W*|) \u03a3_t [P95_b(\u03bb_{bt}) \u2212 P5_b(\u03bb_{bt})]",
    "std": "(1/|*W*|) \u03a3_t \u221a( \u03a3_b (\u03bb_{bt} \u2212 \u03bb\u0304_t)^2 / (*N*_b \u2212 1) )",
    "binding_hours": "\u03a3_t 1[max_l \u03bc_{lt} > 10^{\u22126}]",
    "rent": "10^{\u22126} (1/*D*) \u03a3_t \u03a3_l \u03bc_{lt} |*f*_{lt}|",
}
DIGITS: dict[Metric, int] = {"mean_lmp": 3, "p95_p5": 3, "std": 3, "binding_hours": 1, "rent": 4}
_MOST_BUSES = 5
_MOVED = 1e-3  # $/MWh: a smaller change counts as none
_MOST_CRITERIA = 10
_MOST_BOUND = 3


def market_sections(study: SiteStudy, bus: int) -> list[Part]:
    """Return what the market says of a site: its metrics, and where prices move."""
    if study.market is None:
        return [section("Market", html.P("The market of this site was not run.", className="hr-muted"))]
    site = site_market(study.market, bus, study.envelope, study.size_mw)
    if site is None:
        words = (
            "This bus under this envelope and size did not go to the market: it did not pass the gate, or the sites "
            f"that went were chosen by {study.market.facts.get('order', 'the pass rate')}."
        )
        return [section("Market", html.P(words, className="hr-muted"))]
    if not site.served:
        words = "ran out of time" if site.status is End.TIME_LIMIT else "has no schedule"
        return [section("Market", html.P(f"A day {words}: {site.reason()}.", className="hr-sign-binding"))]
    return [
        section("Market beside the other sites", *_metrics(study, site)),
        section("What the load does to prices", *_prices(study, site, bus)),
    ]


def _metrics(study: SiteStudy, site: SiteMarket) -> list[Part]:
    market = study.market
    assert market is not None  # noqa: S101 (asked only with one)
    lines = metric_lines(market, site)
    rows = [_metric_row(study, site, line) for line in lines]
    heads = ["Metric", "Here", "Median", "From it", "Noise floor", "Change by the load"]
    days = market.facts.get("days", [])
    dates = ", ".join(f"{day['label']} ({day['reason']})" for day in days)
    inside = sum(line.within_noise for line in lines)
    words = f"Medians of {count(lines[0].peers.sites, 'site')} of {study.envelope}, {number(study.size_mw)} MW."
    if market.floor is None:
        words += " The noise floor was not asked for: small differences may mean nothing."
    else:
        unknown = sum(not np.isfinite(line.floor) for line in lines)
        words += f" Of {number(unknown)} of 15 the noise floor is not known." if unknown else ""
        words += (
            f" {number(inside)} of 15 lie no farther from the median than the noise floor (marked \u2248): "
            "equally good schedules differ by as much."
        )
    return [
        html.P(words, className="hr-muted"),
        small_table("metrics", "Market metrics", heads, rows, file="metrics", tall=True),
        html.P(f"Days: {dates}. Largest gap of a day: {percent(site.gap, 3)}.", className="hr-muted"),
    ]


def _metric_row(study: SiteStudy, site: SiteMarket, line: MetricLine) -> tuple[Part, ...]:
    digits, unit = DIGITS[line.metric], METRIC_UNITS[line.metric]
    label = f"{WINDOW_WORDS[line.window]} {METRIC_WORDS[line.metric]}"
    text, card = number(line.value, digits), metric_card(study, site, line)
    sign = "\u2248 " if line.within_noise else ""
    return (
        (f"{label}, {unit}", label),
        (why_number(f"siting-why-{line.window}-{line.metric}", text, card, label=label), line.value),
        (number(line.peers.median, digits), line.peers.median),
        (sign + signed(line.from_median, digits), line.from_median),
        (_floor(line), line.floor),
        (signed(line.change, digits), line.change),
    )


def metric_card(study: SiteStudy, site: SiteMarket, line: MetricLine) -> Part:
    """Return why a metric is what it is: its formula, the days without the load, the other sites, the noise floor."""
    digits, unit = DIGITS[line.metric], METRIC_UNITS[line.metric]
    label = f"{WINDOW_WORDS[line.window]} {METRIC_WORDS[line.metric]}"
    moved = np.isfinite(line.moved)
    return why_card(
        f"{label}: {number(line.value, digits)} {unit}",
        formula=_FORMULA[line.metric],
        values=[
            ("without the load", f"{number(line.base, digits)} {unit}"),
            (f"median of {count(line.peers.sites, 'site')}", f"{number(line.peers.median, digits)} {unit}"),
            ("distance between their quartiles", f"{number(line.peers.iqr, digits)} {unit}"),
            ("noise floor", _floor(line, unit)),
            *([("moved by, between schedules as good", f"{number(line.moved, digits)} {unit}")] if moved else []),
            ("widest gap of a day", percent(site.gap, 3)),
        ],
        binds=["Its distance to the median is within the noise floor: it says nothing"] if line.within_noise else (),
        inputs=study.inputs(market=True),
        source=SOURCE_MARKET,
        note="The noise floor is how far this metric differs between schedules as good as the base day's (distance of "
        "the quartiles) or between prices that are as right (degenerate duals), whichever is more; where sites were "
        "solved again, at least the median of what they moved by."
        + (" What this site moved by counts for it where that is more." if moved else ""),
    )


def _floor(line: MetricLine, unit: str = "") -> str:
    return f"{number(line.floor, DIGITS[line.metric])} {unit}".strip() if np.isfinite(line.floor) else UNKNOWN


def _prices(study: SiteStudy, site: SiteMarket, bus: int) -> list[Part]:
    market = study.market
    assert market is not None  # noqa: S101 (asked only with one)
    change = lmp_change(market, site)
    known = np.flatnonzero(np.isfinite(change))
    if not known.size:
        return [html.P("No bus has a price.", className="hr-muted")]
    order = known[np.argsort(-change[known], kind="stable")]
    most = [*order[:_MOST_BUSES].tolist(), *order[-_MOST_BUSES:].tolist()]
    listed = [
        (_select(study, place), (signed(float(change[place]), 3), float(change[place])))
        for place in dict.fromkeys(most)
    ]
    return [
        facts(price_facts(market, site, bus)),
        html.Div(
            [
                html.Button("Show on the map", type="button", className="hr-button", **{"data-siting-layer": "lmp"}),
                html.Button("Every bus", type="button", className="hr-button", **{"data-siting-tab": "prices"}),
            ],
            className="hr-siting-ways",
        ),
        small_table(
            "site-prices",
            "Buses whose price moves most",
            ["Bus", "Change, $/MWh"],
            listed,
            file="lmp-change",
            note=days_and_floor(market, (("all", "mean_lmp"),)),
            why=_price_card(study, market, change, most[0]),
        ),
    ]


def _price_card(study: SiteStudy, market: MarketRun, change: Vector, place: int) -> Part:
    return siting_cards.price_changes(market, study.words(place), float(change[place]), study.inputs(market=True))


def price_facts(market: MarketRun, site: SiteMarket, bus: int) -> list[tuple[str, str]]:
    """Return what a load does to prices: here, over all buses, and at how many they rise and fall."""
    change, before = lmp_change(market, site), float(market.base.mean_lmp[bus])
    known = change[np.isfinite(change)]
    floor = np.nan if market.floor is None else float(market.floor[WINDOWS.index("all"), METRICS.index("mean_lmp")])
    noise = [("Noise floor of that mean, no floor of one bus", f"{number(floor, 3)} $/MWh")]
    return [
        ("Mean LMP here, without and with it", f"{price(before)}, {price(before + float(change[bus]))}"),
        ("Change here", f"{signed(float(change[bus]), 3)} $/MWh"),
        ("Change, mean of all buses", f"{signed(float(known.mean()), 3)} $/MWh"),
        *(noise if np.isfinite(floor) else []),
        ("Buses that rise, and fall", f"{number(int((known > _MOVED).sum()))}, {number(int((known < -_MOVED).sum()))}"),
    ]


def _select(study: SiteStudy, place: int) -> tuple[Part, str]:
    key = study.network.buses.ids[place]
    press = html.Button(
        study.words(place), type="button", className="hr-siting-link", **{"data-siting-select": f"bus:{key}"}
    )
    return press, key


# The ranking


def ranking_sections(study: SiteStudy, bus: int) -> list[Part]:
    """Return why the site ranks where it does."""
    if study.ranked is None:
        return []
    row = row_of(study.ranked, bus, study.envelope, study.size_mw)
    if row is None:
        return [section("Why it ranks there", html.P("It is not ranked.", className="hr-muted"))]
    reasons = score_reasons(study.ranked, row)
    return [
        section(
            f"Why place {number(reasons.place)} of {number(reasons.alternatives)}",
            facts([("Score", score_number(study, reasons)), *_groups(reasons)]),
            *_costs(study, reasons),
            *_neighbours(study, reasons),
            *(html.P(f"{notice[:1].upper()}{notice[1:]}.", className="hr-muted") for notice in reasons.notices),
        )
    ]


def score_number(study: SiteStudy, reasons: ScoreReasons) -> Part:
    """Return the score with its card."""
    return why_number("siting-why-score", number(reasons.score, 3), score_card(study, reasons), label="score")


def score_card(
    study: SiteStudy,
    reasons: ScoreReasons,
    *,
    weights: Sequence[float] = (),
    interval: tuple[float, float] | None = None,
    provisional: bool = False,
) -> Part:
    """Return why a site has its score: its groups, the distances to best and worst, what takes most from it.

    ``weights`` are those of the groups, ``interval`` the least and the most score within the noise floor.
    """
    text = number(reasons.score, 3)
    values = [
        ("*S*^{+}, distance to the best", number(reasons.to_ideal, 5)),
        ("*S*^{\u2212}, distance to the worst", number(reasons.to_anti_ideal, 5)),
    ]
    weight_of = dict(zip(GROUPS, weights, strict=False))
    for name, score, share in reasons.groups:
        sign = f"*G*_{{{[*GROUPS].index(name) + 1}}}, " if name in GROUPS else ""
        counts = f", weight {weight_of[name]:g}" if name in weight_of else ""
        lost = f"{percent(share, 0)} of the distance to the best"
        values.append((f"{sign}{name}{counts}", f"{number(score, 3)} of 1, {lost}"))
    if interval is not None:
        values.append(("score within the noise floor", f"{number(interval[0], 3)}\u2013{number(interval[1], 3)}"))
    binds = [
        f"{criterion_words(cost.criterion)}: {number(cost.value, 3)}, best {number(cost.best, 3)}, worst "
        f"{number(cost.worst, 3)}; were it the best, the score would be {number(cost.score_at_best, 3)}"
        for cost in reasons.costs[:_MOST_BOUND]
        if cost.score_at_best > reasons.score
    ]
    so_far = "Provisional: the market still runs. " if provisional else ""
    return why_card(
        f"Score {text}, place {number(reasons.place)} of {number(reasons.alternatives)}",
        formula="*C* = *S*^{\u2212} / (*S*^{+} + *S*^{\u2212}),  *S*^{\u00b1} = \u2016*R* \u2212 *A*^{\u00b1}\u2016",
        values=values,
        binds=binds,
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note=f"{so_far}The score depends on the set of sites: leaving one out can change the order of others.",
    )


def _groups(reasons: ScoreReasons) -> list[tuple[Part, Part]]:
    return [
        (
            f"{name[:1].upper()}{name[1:]}",
            bar(score, f"{number(score, 3)}, {percent(share, 0)} of the distance to the ideal", sign="flexible"),
        )
        for name, score, share in reasons.groups
    ]


def _costs(study: SiteStudy, reasons: ScoreReasons) -> list[Part]:
    rows = []
    for cost in reasons.costs[:_MOST_CRITERIA]:
        gain = cost.score_at_best - reasons.score
        rows.append(
            (
                (
                    [criterion_words(cost.criterion), html.Span(cost.group, className="hr-siting-small")],
                    f"{criterion_words(cost.criterion)} ({cost.group})",
                ),
                (number(cost.value, 3), cost.value),
                (number(cost.best, 3), cost.best),
                (percent(cost.weight, 0), cost.weight),
                (bar(cost.lost, number(cost.lost, 3), sign="binding"), cost.lost),
                (signed(gain, 3), gain),
            )
        )
    heads = ["Criterion", "Here", "Best", "Weight", "Lost of 1", "Gain, if best"]
    return [
        html.P("What each criterion takes from the score, the one that takes most first:"),
        small_table(
            "costs",
            "What each criterion costs",
            heads,
            rows,
            file="criteria",
            tall=True,
            note=days_and_floor(study.market),
            why=siting_cards.costs(study, reasons),
        ),
    ]


def _neighbours(study: SiteStudy, reasons: ScoreReasons) -> list[Part]:
    lines = []
    for other, word in ((reasons.above, "Above"), (reasons.below, "Below")):
        if other is not None:
            lines.append(html.Li([html.Strong(f"{word}: "), *_neighbour_words(study, other)]))
    return [html.Ul(lines, className="hr-siting-neighbours")] if lines else []


def _neighbour_words(study: SiteStudy, other: Neighbour) -> list[Part]:
    press, _ = _select(study, other.bus)
    parts: list[Part] = [f"place {number(other.place)}, ", press, f", score {number(other.score, 3)}"]
    if other.apart:
        said = [f"{signed(points, 3)} by {criterion_words(name)}" for name, points in other.apart[:3]]
        parts.append(f"; this site is {'; '.join(said)}")
    return parts
