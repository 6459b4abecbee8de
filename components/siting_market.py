"""The market's place in the inspector: which sites go on, on which days, how long that takes, and where it stands."""

from collections import Counter
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.format import count, duration, number, percent, price, sentence
from components.siting_answer import Answer, Gate
from components.skeleton import Part, progress_card, section, state
from engine.commitment.scuc import End
from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.criteria import OwnCriteria
from engine.siting.gate.results import PASSED
from engine.siting.market_run import MarketQuestion
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS

DAYS = (("peak", "the day of the highest load"), ("typical", "seven typical days"), ("listed", "the days listed"))
NAMES = ("days", "dates", "most", "gap", "time")
SITE_S, BASE_S, NOISE_S = 20.0, 110.0, 60.0  # of a Texas day: a site, the base, its noise floor, as measured
_TEXAS_BUSES = 2000
_LEAST_SCALE = 0.1  # of these for a grid however small: few units leave a wide gap to close
AT_ONCE_S = 60.0
_NOT_SERVED = {
    End.TIME_LIMIT: "out of time before a schedule was proven: give a site's day more seconds",
    End.INFEASIBLE: "without any schedule",
}


def words_of(market: MarketQuestion) -> dict[str, Any]:
    """Return what each control of the market holds."""
    return {
        "days": market.days,
        "dates": ", ".join(market.dates),
        "most": market.most_sites,
        "gap": round(100 * market.site_gap, 9),
        "time": market.site_time_s,
    }


def market_of(words: Any, base: Any = None) -> MarketQuestion:
    """Return the market question of the controls; what has no control is that of ``base``, the page's first.

    Raises QuestionError for one that cannot be asked.
    """
    try:
        given = {
            "days": str(words["days"]),
            "dates": tuple(str(words["dates"] or "").replace(",", " ").split()),
            "most_sites": int(words["most"]),
            "site_gap": float(words["gap"]) / 100.0,
            "site_time_s": float(words["time"]),
        }
    except (KeyError, TypeError, ValueError):
        raise QuestionError("the market needs a number of sites, a gap in per cent and a time in seconds") from None
    if given["days"] != "listed":
        given["dates"] = ()
    start = base if isinstance(base, dict) else MarketQuestion().to_json()
    return MarketQuestion.from_json({**start, **given})


def read(text: str, base: MarketQuestion) -> MarketQuestion:
    """Return the market of a link; one that cannot be read is ``base``."""
    parts = text.split("~")
    try:
        return market_of(dict(zip(NAMES, parts, strict=True)), base.to_json())
    except (ValueError, QuestionError):
        return base


def place(market: MarketQuestion) -> html.Section:
    """Return the section with its controls; what it says is filled by a callback."""
    held = words_of(market)
    days = dbc.Select(id=_id("days"), value=held["days"], options=[{"value": key, "label": text} for key, text in DAYS])
    controls = html.Div(
        [
            _field("Days", days),
            html.Div(
                _field("Dates", _box("dates", held["dates"], type="text", placeholder="2016-08-12, 2016-01-19")),
                id=f"{_id('dates')}-label",
                hidden=held["days"] != "listed",
            ),
            _field("Sites of each envelope and size, 0 for all", _box("most", held["most"], type="number", min=0)),
            _field("Gap of a site, %", _box("gap", held["gap"], type="number", min=0.0001, max=10, step="any")),
            _field("Time of a site's day, s", _box("time", held["time"], type="number", min=1, step="any")),
        ],
        className="hr-siting-pairs",
    )
    return section("Market: what a site does to prices", controls, html.Div(id=ids.SITING_MARKET))


def told(answer: Answer, market: MarketQuestion, stands: Any) -> list[Part]:
    """Return what is said of the market: what would run and how long it takes, what runs, or what was found."""
    sites, left, seconds = plan(answer.network, answer.gate, market, answer.drawn.threshold, answer.own)
    if answer.gate.partial:
        return [html.P("The market begins once every hour is screened.", className="hr-muted")]
    if answer.question.source == "filed":
        words = "The network as filed is one hour; the market needs whole days: ask for the hours of 2016 or of a file."
        return [state("empty", words, title="No days")]
    if stands.found == "running" and stands.job is not None:
        job = stands.job
        card = progress_card("Committing and pricing the days", done=job.done, total=job.total or None,
                             message=job.message, eta_s=job.eta_s, job=job.id)  # fmt: skip
        return [card, *([_so_far(answer)] if answer.provisional else [])]
    if not sites:
        return [state("empty", "No site qualifies at this threshold: there is nothing to take to the market.")]
    plan_words = html.P(_plan_words(market, sites, left, seconds))
    button = html.Button(
        f"Run the market of {count(sites, 'site')}",
        type="button",
        className="hr-button" + ("" if stands.found == "answered" else " hr-button-primary"),
        **{"data-siting-press": f"{ids.SITING_MARKET_RUN}-pressed"},
    )
    if stands.found == "answered":
        return [_found(answer)]
    notes: list[Part] = []
    if stands.found in {"failed", "cancelled"}:
        notes.append(_ended(stands))
    known = [] if answer.market is None else [_so_far(answer) if answer.provisional else _found(answer)]
    return [*notes, plan_words, button, *known]


def plan(
    network: Network, gate: Gate, market: MarketQuestion, threshold: float, own: OwnCriteria | None = None
) -> tuple[int, int, float]:
    """Return how many placements go to the market, how many are left out, and about how long that takes.

    Sites that a reader's own criteria stop are neither.
    """
    sites = left = 0
    kept = True if own is None else own.passes[gate.buses]
    for one in gate.result.envelopes:
        for size in gate.question.sizes_mw:
            passed = int(((gate.verdict(one.name, size, threshold) == PASSED) & kept).sum())
            taken = passed if market.most_sites == 0 else min(passed, market.most_sites)
            sites, left = sites + taken, left + passed - taken
    days = {"peak": 1, "typical": 7}.get(market.days, max(1, len(market.dates)))
    scale = min(1.0, max(_LEAST_SCALE, len(network.buses.ids) / _TEXAS_BUSES))
    return sites, left, days * scale * (BASE_S + NOISE_S + SITE_S * sites / 2.0)


def _plan_words(market: MarketQuestion, sites: int, left: int, seconds: float) -> str:
    days = dict(DAYS)[market.days] if market.days != "listed" else f"{count(len(market.dates), 'day')}"
    rest = f"; {number(left)} more that qualify stay out" if left else ""
    return (
        f"{count(sites, 'site')} go on, taken by the higher pass rate, then bus order{rest}. Each is committed and "
        f"priced on {days}: about {duration(round(seconds))} on two cores. What is done is kept."
    )


def _so_far(answer: Answer) -> Part:
    """Return what is known while the market runs."""
    market = answer.market
    if market is None:
        return None
    facts = market.facts
    days = f"{number(len(facts['days']))} of {count(int(facts['days_asked']), 'day')}"
    return html.Div(
        [
            html.P(
                f"So far: {number(len(market.sites))} of {count(int(facts['sites']), 'site')} on {days}. Places are "
                "provisional: every further site and day can move them.",
                className="hr-siting-provisional",
            ),
            *([_floor(market)] if market.floor is not None else []),
        ]
    )


def _found(answer: Answer) -> Part:
    market = answer.market
    if market is None:
        return html.Div()
    served = sum(site.served for site in market.sites)
    days = "; ".join(f"{day['label']} ({day['reason']}, counts {day['weight']:g})" for day in market.facts["days"])
    left = int(market.facts.get("left_out", 0))
    lines = [
        f"{count(len(market.sites), 'site')} on {days}. {number(served)} are served on every day"
        + (f"; {number(left)} that qualify were left out." if left else "."),
        _gaps(market),
    ]
    lost = Counter(site.status for site in market.sites if not site.served)
    if lost:
        said = [f"{number(lost[end])} {words}" for end, words in _NOT_SERVED.items() if lost[end]]
        lines.append(f"Not served: {', '.join(said)}. They leave the ranking and stay in the catalogue.")
    if again := str(market.facts.get("second_pass", "")):
        lines.append(f"{again[:1].upper()}{again[1:]}.")
    parts: list[Part] = [html.P(line) for line in lines]
    if answer.refused:
        parts.append(state("infeasible", f"{answer.refused[:1].upper()}{answer.refused[1:]}.", title="No ranking"))
    if market.floor is not None:
        parts.append(_floor(market))
    return html.Div(parts)


def _gaps(market: Any) -> str:
    served = [site.gap for site in market.sites if site.served]
    widest = f"Widest gap of a site {percent(max(served), 3)}; without" if served else "Without"
    return f"{widest} a site {percent(market.base.gap, 3)}."


def _floor(market: Any) -> html.Details:
    """Return the noise floor: what metrics move by although nothing that matters has changed."""
    rows = [
        html.Tr(
            [
                html.Th(sentence(METRIC_WORDS[metric]), scope="row"),
                *(html.Td(_amount(market.floor[w, m], metric)) for w in range(len(WINDOWS))),
            ]
        )
        for m, metric in enumerate(METRICS)
    ]
    head = html.Tr([html.Td(), *(html.Th(sentence(WINDOW_WORDS[window]), scope="col") for window in WINDOWS)])
    return html.Details(
        [
            html.Summary("Noise floor: what equally good schedules differ by"),
            html.Table([html.Thead(head), html.Tbody(rows)], className="hr-siting-small"),
            html.P("A difference between two sites below it says nothing.", className="hr-muted"),
        ],
        open=True,
    )


def _amount(value: float, metric: Any) -> str:
    if METRIC_UNITS[metric] == "$/MWh":
        return price(float(value), digits=3)
    return f"{number(float(value), 4 if metric == 'rent' else 1)} {METRIC_UNITS[metric]}"


def _ended(stands: Any) -> Part:
    if stands.found == "cancelled":
        return state("empty", "What was done is kept; started again, it goes on from there.", title="Cancelled")
    return state("failed", f"{stands.message} Started again, it goes on from what is done.", title="The market failed")


def _id(name: str) -> str:
    return ids.siting_word(f"market-{name}")


def _box(name: str, value: Any, **props: Any) -> dbc.Input:
    return dbc.Input(id=_id(name), value=value, debounce=True, autocomplete="off", **props)


def _field(label: str, control: Part) -> html.Label:
    return html.Label(
        [html.Span(label), html.Span(control, className="hr-siting-control")], className="hr-siting-field"
    )
