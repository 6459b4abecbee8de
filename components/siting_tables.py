"""The tables of the Siting page: the ranking, all candidates. Columns and rows, nothing else."""

from typing import Any

import numpy as np
from dash import html

from components import ids, siting_ids, siting_prices, siting_why
from components.format import count, number
from components.siting_answer import Answer
from components.siting_basis import NO_FLOOR, days_and_floor, days_words
from components.siting_site import SOURCE_MARKET
from components.siting_totals import inputs_of
from components.skeleton import Part
from components.tables import GridColumn, column_definition, grid
from components.why_card import why_card, why_number
from engine.network.model import Network
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRICS, WINDOWS, Metric, Window

Row = dict[str, Any]
BASIS = "siting-ranked-basis"  # below the ranking: its median, the noise floor and the days
GRIDS = ("ranked", "candidates", "prices")
_SHOWN: tuple[tuple[Window, Metric, str, str, int, int], ...] = (
    ("on_peak", "p95_p5", "On-peak P95-P5", "$/MWh", 3, 178),
    ("all", "mean_lmp", "Mean LMP", "$/MWh", 3, 140),
    ("all", "binding_hours", "Binding hours", "h", 1, 130),
    ("all", "rent", "Congestion rent", "M$/day", 4, 174),
)
_WITHIN = "Within the noise floor of prices"
_STRICT = "Whether every outage of every hour passes"
_BREAKS = "Pairs of an hour and an outage that hold without the load and fail with it"
_WHY = {"cellRenderer": "SitingWhy"}  # a number that opens its card
_NO_END = {True: "not taken", False: "not run"}
_FIRM = (
    "Whether anything could move it into or out of the shortlist, by the weights drawn. Too close to call: the noise "
    "floor of prices could; tied: its score equals that of a site on the other side, and only the rule between equal "
    "scores decides; loosely solved: its gap is above that of the days without a site. Firm: none of these; the noise "
    "floor counts what sites moved by where that was measured, and can be larger for one that was not"
)
_STOPPED = "stopped by your criteria"
_STRICT_WORDS = {PASSED: "passes", FAILED: "fails", UNDECIDED: "open"}
_WORDS = {PASSED: "qualified", FAILED: "not qualified", UNDECIDED: "open"}


def ranked_columns() -> list[GridColumn]:
    """Return the columns of the ranking. The score's cell is a bar in as many parts as there are groups."""
    rules = {
        "cellClassRules": {"hr-siting-listed": "params.data.top", "hr-siting-provisional": "params.data.provisional"}
    }
    return [
        GridColumn("place", "Place", kind="number", digits=0, width=72, pinned=True, more=rules),
        GridColumn("id", "Bus", width=66),
        GridColumn(
            "score", "Score", kind="number", digits=3, width=130,
            help="TOPSIS closeness; the bar's parts are the groups of criteria, in the order of Weights",
            more={"cellRenderer": "SitingScore"},  # with its card, as the others that are worked out
        ),
        GridColumn("noise", "How firm", width=144, help=_FIRM),  # beside the score that it qualifies, always in sight
        GridColumn("name", "Substation", width=124),
        *(
            GridColumn(f"{window}_{metric}", label, unit, "number", digits=digits, width=width, more=_WHY)
            for window, metric, label, unit, digits, width in _SHOWN
        ),
        GridColumn("rate", "Pass rate", "%", "percent", digits=2, width=110, help="Of hours and outages", more=_WHY),
        GridColumn("strict", "Strict", width=108, help=_STRICT),
        GridColumn("breaks", "Breaks", kind="number", digits=0, width=100, help=_BREAKS, more=_WHY),
        GridColumn("low", "Score, least", kind="number", digits=3, width=124, help=_WITHIN, more=_WHY),
        GridColumn("high", "Score, most", kind="number", digits=3, width=124, help=_WITHIN, more=_WHY),
        GridColumn("kv", "Voltage", "kV", "number", digits=0, width=108),
        GridColumn("zone", "Zone", width=110),
        GridColumn("end", "Market", width=128),
    ]  # fmt: skip


def ranked_rows(answer: Answer) -> list[Row]:
    """Return the buses that qualify, best place first; without a ranking by pass rate, then bus order."""
    rate = answer.gate.rate(answer.drawn.envelope, answer.drawn.size_mw)[0]
    listed, ranked, size = set(answer.shortlist), answer.ranked, answer.drawn.size_mw
    strict = answer.gate.verdict(answer.drawn.envelope, size, 1.0)
    breaks = answer.gate.broken(answer.drawn.envelope, size)
    rows = []
    for candidate in np.flatnonzero(answer.verdict == PASSED).tolist():
        bus = int(answer.gate.buses[candidate])
        row = _place(answer.network, bus) | {"rate": float(rate[candidate]), "top": bus in listed}
        row |= {"strict": _STRICT_WORDS[int(strict[candidate])], "breaks": int(breaks[candidate])}
        at = answer.standings.get(bus)
        if ranked is not None and at is not None:
            metrics = ranked.sites[at].metrics
            row |= {"place": int(ranked.place[at]), "score": float(ranked.score[at])}
            row["parts"] = [float(part) for part in np.nan_to_num(ranked.group_score[at])]
            row |= {
                f"{window}_{metric}": float(metrics[WINDOWS.index(window), METRICS.index(metric)])
                for window, metric, *_ in _SHOWN
            }
            if bus in answer.intervals:
                row |= dict(zip(("low", "high"), answer.intervals[bus], strict=True))
            row["noise"] = _how_firm(answer, bus)
        row["end"] = answer.entered.get((answer.drawn.envelope, size, bus), _NO_END[answer.market is not None])
        if answer.provisional:
            row["provisional"] = True
            row["end"] = "provisional" if bus in answer.standings else "not priced yet"
        rows.append(row)
    return sorted(rows, key=lambda row: (row.get("place") or len(rows) + 1, -row["rate"]))


def _how_firm(answer: Answer, bus: int) -> str:
    """Return what could change on which side of the end of the shortlist a site is; "" where that is not known."""
    if bus in answer.tied:
        return "tied"
    if bus in answer.open_places:
        return "open, loosely solved" if bus in answer.loose else "too close to call"
    return "firm" if bus in answer.intervals else ""


def medians(answer: Answer) -> dict[tuple[Window, Metric], float]:
    """Return the median of the figures that the ranking shows over the sites that are ranked under what is drawn."""
    if answer.ranked is None:
        return {}
    metrics = [answer.ranked.sites[row].metrics for row in answer.standings.values()]
    return {
        (window, metric): float(np.median([each[WINDOWS.index(window), METRICS.index(metric)] for each in metrics]))
        for window, metric, *_ in _SHOWN
        if metrics
    }


def basis(answer: Answer) -> list[Part]:
    """Return what stands below the ranking: the median of its sites, what noise moves it by, and the market's days."""
    market, found = answer.market, medians(answer)
    if market is None:
        return []
    if not found:
        return [days_and_floor(market)]
    said = []
    for window, metric, label, unit, digits, _ in _SHOWN:
        noise = "" if market.floor is None else f" ({_floor_of(market, window, metric, digits)})"
        said.append(f"{label} {number(found[window, metric], digits)}{noise} {unit}")
    heard, after = ("", f" {NO_FLOOR}") if market.floor is None else (" (noise floor)", "")
    face = why_number(
        f"{ids.SITING}-why-median",
        f"Median of {count(len(answer.standings), 'site')}",
        _median_card(answer, market, found),
        label="the median of the ranked sites",
    )
    return [face, f"{heard}: {', '.join(said)}.{after} {days_words(market)}"]


def _median_card(answer: Answer, market: MarketRun, found: dict[tuple[Window, Metric], float]) -> Part:
    values = []
    for window, metric, label, unit, digits, _ in _SHOWN:
        noise = "" if market.floor is None else f", noise floor {_floor_of(market, window, metric, digits)}"
        values.append((f"{label}, {unit}", f"{number(found[window, metric], digits)}{noise}"))
    sites = count(len(answer.standings), "site")
    return why_card(
        f"Median of {sites} under {answer.drawn.envelope}",
        formula="median_i *m*_{ij}",
        values=values,
        inputs=inputs_of(answer, market=True),
        source=SOURCE_MARKET,
        note="Over the sites that are priced and ranked; a site nearer to it than the noise floor does not differ.",
    )


def _floor_of(market: MarketRun, window: Window, metric: Metric, digits: int) -> str:
    if market.floor is None:
        return number(None)
    return number(float(market.floor[WINDOWS.index(window), METRICS.index(metric)]), digits)


def candidate_columns(answer: Answer | None) -> list[GridColumn]:
    """Return the columns of all candidates: the pass rate and the verdict of each envelope at the size drawn."""
    columns = [
        GridColumn("id", "Bus", width=84, pinned=True),
        GridColumn("name", "Substation", width=150),
        GridColumn("kv", "Voltage", "kV", "number", digits=0, width=108),
        GridColumn("zone", "Zone", width=110),
    ]
    for place, name in enumerate(answer.envelopes if answer else ()):
        columns += [
            GridColumn(f"rate{place}", f"Pass rate, {name}", "%", "percent", digits=2, width=168, more=_WHY),
            GridColumn(f"verdict{place}", name.capitalize(), width=128),
            GridColumn(f"strict{place}", f"Strict, {name}", width=118, help=_STRICT),
            GridColumn(
                f"breaks{place}", f"Breaks, {name}", kind="number", digits=0, width=134, help=_BREAKS, more=_WHY
            ),
        ]
    if answer is not None:
        columns.append(
            GridColumn("largest", f"Largest, {answer.drawn.envelope}", "MW", "number", digits=0, width=150, more=_WHY)
        )
    return columns


def candidate_rows(answer: Answer) -> list[Row]:
    """Return every candidate with its pass rate under every envelope, and the largest size that qualifies."""
    size = answer.drawn.size_mw
    rates = [answer.gate.rate(name, size) for name in answer.envelopes]
    strict = [answer.gate.verdict(name, size, 1.0) for name in answer.envelopes]
    breaks = [answer.gate.broken(name, size) for name in answer.envelopes]
    verdicts, stopped = [answer.verdict_of(name) for name in answer.envelopes], answer.stopped
    largest = np.zeros(len(answer.gate.buses))
    for mw in sorted(answer.question.sizes_mw):
        largest[answer.verdict_of(answer.drawn.envelope, mw) == PASSED] = mw
    rows = []
    for candidate, bus in enumerate(answer.gate.buses.tolist()):
        row = _place(answer.network, bus)
        for place in range(len(answer.envelopes)):
            row[f"rate{place}"] = float(rates[place][0][candidate])
            row[f"verdict{place}"] = _STOPPED if stopped[candidate] else _WORDS[int(verdicts[place][candidate])]
            row[f"strict{place}"] = _STRICT_WORDS[int(strict[place][candidate])]
            row[f"breaks{place}"] = int(breaks[place][candidate])
        row["largest"] = float(largest[candidate]) or None
        rows.append(row)
    return rows


def definitions(columns: list[GridColumn]) -> list[dict[str, Any]]:
    """Return ag-grid's definitions."""
    return [column_definition(column) for column in columns]


def drawer(tab: str, panels: dict[str, Part]) -> html.Div:
    """Return the tables of the drawer; ``panels`` are the tabs that are no grid."""
    parts = [
        _tab(
            "ranked",
            [
                grid(
                    ids.SITING,
                    ranked_columns(),
                    (),
                    name="ranked",
                    label="Ranking of the sites that qualify",
                    options={"rowHeight": 26},
                ),
                html.Div(id=BASIS, className="hr-siting-basis hr-muted"),
            ],
        ),
        _tab("candidates", grid(ids.SITING, candidate_columns(None), (), name="candidates", label="All candidates")),
        _tab("prices", siting_prices.place()),
        *(_tab(name, panel) for name, panel in panels.items()),
        siting_why.place(),
    ]
    return html.Div(parts, id=siting_ids.TABLES, className="hr-siting-tabs", **{"data-tab": tab})


def _tab(name: str, content: Part) -> html.Div:
    return html.Div(content, className="hr-siting-tab", **{"data-tab-body": name})


def _place(network: Network, bus: int) -> Row:
    buses = network.buses
    kv = float(buses.base_kv[bus])
    return {"id": buses.ids[bus], "name": buses.names[bus], "kv": kv or None, "zone": buses.zones[bus]}
