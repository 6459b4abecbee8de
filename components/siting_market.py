"""The market's place in the inspector: which sites go on, on which days, how long that takes, and where it stands."""

from collections import Counter
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import siting_cards_market, siting_ids
from components.format import count, number, percent, power
from components.siting_answer import Answer
from components.siting_basis import days_words, floor_table, judged_words
from components.siting_market_plan import about, days_of, noise_offer, plan, plan_words, week
from components.siting_totals import inputs_of
from components.skeleton import Part, progress_card, section, state
from components.static import static
from components.why_card import why_number
from engine.commitment.outcome import End
from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.envelopes import PEAK_HOURS, hours_words
from engine.siting.market_run import MarketQuestion

DAYS = (
    ("peak", "the day of the highest load"),
    ("typical", "the typical days"),
    ("year", "every day of the year"),
    ("listed", "the days listed"),
)
SECURITIES = (("base", "hold with every branch in service"), ("n-1", "hold after each branch outage too (N-1)"))
RESERVES = (
    ("share", "3 % load, 5 % wind and solar"),
    ("largest unit", "as much as the largest unit"),
    ("none", "none"),
)
NAMES = ("days", "dates", "most", "gap", "time", "sizes", "security", "reserve", "noise", "stay")
# What a link without these words asks: the first links had five words, later ones eight, then nine.
_OLD_LINK = {"sizes": "", "security": "base", "reserve": "share", "noise": 0, "stay": ""}
_OLD_NAMES = tuple(name for name in NAMES if name != "noise")
_LINK_WORDS = {5, 8, len(_OLD_NAMES), len(NAMES)}
AT_ONCE_S = 60.0
_NOT_SERVED = {
    End.TIME_LIMIT: "out of time before a schedule was proven: give a site's day more seconds",
    End.INFEASIBLE: "without any schedule",
    End.REFUSED: "refused by the judge of schedules",
}


def words_of(market: MarketQuestion) -> dict[str, Any]:
    """Return what each control of the market holds."""
    return {
        "days": market.days,
        "dates": ", ".join(market.dates),
        "most": market.most_sites,
        "gap": round(100 * market.site_gap, 9),
        "time": market.site_time_s,
        "sizes": ", ".join(f"{mw:g}" for mw in market.sizes_mw),
        "security": market.security,
        "reserve": market.reserve,
        "noise": market.noise_sites,
        "stay": ", ".join(market.must_run),
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
            "sizes_mw": [float(mw) for mw in str(words["sizes"] or "").replace(",", " ").split()],
            "security": str(words["security"]),
            "reserve": str(words["reserve"]),
            "noise_sites": int(words["noise"]),
            "must_run": _units(words["stay"]),
        }
    except (KeyError, TypeError, ValueError):
        raise QuestionError(
            "the market needs a number of sites, sizes in MW, a gap in per cent and a time in seconds"
        ) from None
    if given["days"] != "listed":
        given["dates"] = ()
    start = base if isinstance(base, dict) else MarketQuestion().to_json()
    return MarketQuestion.from_json({**start, **given})


def read(text: str, base: MarketQuestion) -> MarketQuestion:
    """Return the market of a link; one that cannot be read is ``base``."""
    found = text.split("~")
    names = NAMES if len(found) >= len(NAMES) and found[8].isdigit() else _OLD_NAMES
    parts = text.split("~", len(names) - 1)  # the last word may hold the sign
    if len(parts) not in _LINK_WORDS:
        return base
    try:
        return market_of(_OLD_LINK | dict(zip(names, parts, strict=False)), base.to_json())
    except (ValueError, QuestionError):
        return base


def check_units(network: Network, market: MarketQuestion) -> None:
    """Raise QuestionError naming every unit that is to stay on and is not in the network, or out of service."""
    place = {unit: number for number, unit in enumerate(network.units.ids)}
    unknown = [unit for unit in market.must_run if unit not in place]
    out = [unit for unit in market.must_run if unit in place and not network.units.in_service[place[unit]]]
    found = [f"{_named(unknown)} not in the network"] if unknown else []
    found += [f"{_named(out)} out of service"] if out else []
    if found:
        raise QuestionError(f"of the units that stay on, {' and '.join(found)}")


def _named(units: list[str]) -> str:
    return f"{', '.join(f'{unit!r:.60}' for unit in units)} {'is' if len(units) == 1 else 'are'}"


def _units(text: Any) -> tuple[str, ...]:
    """Return the ids of a typed list, parted by commas: an id may have spaces."""
    return tuple(dict.fromkeys(unit for part in str(text or "").split(",") if (unit := part.strip())))


def place(market: MarketQuestion) -> html.Section:
    """Return the section with its controls; what it says is filled by a callback."""
    held = words_of(market)
    controls = html.Div(
        [
            _field("Days", _choice("days", held["days"], DAYS)),
            html.Div(
                _field("Dates", _box("dates", held["dates"], type="text", placeholder="2016-08-12, 2016-01-19")),
                id=f"{_id('dates')}-label",
                hidden=held["days"] != "listed",
            ),
            _field(
                "Sizes that go on, MW, empty for all", _box("sizes", held["sizes"], type="text", placeholder="1000")
            ),
            _field("Sites of each envelope and size, 0 for all", _box("most", held["most"], type="number", min=0)),
            _field("Gap of a site, %", _box("gap", held["gap"], type="number", min=0.0001, max=10, step="any")),
            _field("Time of a site's day, s", _box("time", held["time"], type="number", min=1, step="any")),
            _field("Limits on flows", _choice("security", held["security"], SECURITIES)),
            _field("Reserve", _choice("reserve", held["reserve"], RESERVES)),
            _field(
                "Sites by lot for the noise with a site, 0 for none",
                _box("noise", held["noise"], type="number", min=0, max=64),
            ),
            _field(
                "Units that stay on, by id, empty for none",
                _box("stay", held["stay"], type="text", placeholder="unit-1, unit-2"),
            ),
        ],
        className="hr-siting-pairs",
    )
    change = html.Details([html.Summary("Change its days, sites, gap or limits"), controls])
    return section("Market: what a site does to prices", change, html.Div(id=siting_ids.MARKET))


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
        return [_nothing_to_price(answer, market)]
    said = html.P(plan_words(market, days_of(answer.network, answer.gate, market), sites, left))
    button = html.Button(
        f"Run the market of {count(sites, 'site')}: about {about(seconds)}",
        type="button",
        className="hr-button" + ("" if stands.found == "answered" else " hr-button-primary"),
        **{"data-siting-press": f"{siting_ids.MARKET_RUN}-pressed"},
    )
    more = week(answer, market)
    if stands.found == "answered":
        return [_found(answer, more)]
    notes: list[Part] = []
    if stands.found in {"failed", "cancelled"}:
        notes.append(_ended(stands))
    known = [] if answer.market is None else [_so_far(answer) if answer.provisional else _found(answer, None)]
    return [*notes, html.P(button), said, more, *known]


def _nothing_to_price(answer: Answer, market: MarketQuestion) -> Part:
    if market.sizes_of(answer.question.sizes_mw):
        return state("empty", "No site qualifies at this threshold: there is nothing to take to the market.")
    asked = ", ".join(power(mw) for mw in answer.question.sizes_mw)
    return state("empty", f"None of the sizes that go on was screened: screened are {asked}.", title="No size")


def all_listed(answer: Answer) -> str:
    """Return that the ranking chose none of the shortlist, "" where it did or nothing was left out."""
    market = answer.market
    if market is None or answer.provisional:
        return ""
    if sum(site.served for site in market.sites) == 1:
        return (
            "One site is priced: a score compares sites, so its score of 1 says nothing. What it does to prices, "
            "against the market without it, stands on its sheet."
        )
    if not int(market.facts.get("left_out", 0)):
        return ""
    if any(answer.served(name) > answer.drawn.top for name in answer.envelopes) or not answer.shortlist:
        return ""
    return (
        f"Every priced site is on the shortlist of {number(answer.drawn.top)}, and "
        f"{number(int(market.facts['left_out']))} that qualify were not priced: let more sites go on, or shorten it."
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
            *([_floor(answer)] if market.floor is not None else []),
        ]
    )


def _found(answer: Answer, more: Part) -> Part:
    market = answer.market
    if market is None:
        return html.Div()
    served = sum(site.served for site in market.sites)
    left = int(market.facts.get("left_out", 0))
    sizes = market.question.sizes_mw
    lines = [
        days_words(market),
        f"{count(len(market.sites), 'site')}{_of_sizes(sizes)}: {number(served)} {'is' if served == 1 else 'are'} "
        "served on every day" + (f"; {number(left)} that qualify were left out." if left else "."),
        _rules(answer),
        _gaps(market),
        *([judged] if (judged := judged_words(market)) else []),
    ]
    lost = Counter(site.status for site in market.sites if not site.served)
    if lost:
        said = [f"{number(lost[end])} {words}" for end, words in _NOT_SERVED.items() if lost[end]]
        lines.append(f"Not served: {', '.join(said)}. They leave the ranking and stay in the catalogue.")
    if again := str(market.facts.get("second_pass", "")):
        lines.append(f"{again[:1].upper()}{again[1:]}.")
    lines += [words for words in (tied_words(answer), open_words(answer)) if words]
    days, *rest = [html.P(line) for line in lines]
    parts: list[Part] = [days, more, *rest]
    cards = [("market", siting_cards_market.market(answer, market), "sites priced and their gaps")]
    if answer.open_places or answer.tied:
        cards.append(("open", siting_cards_market.open_places(answer, market), "places that are too close to call"))
    labels = {"market": "Why these counts and gaps", "open": "Why too close to call"}
    asks = [why_number(f"siting-why-{key}", labels[key], card, label=words) for key, card, words in cards]
    parts.append(html.P([part for ask in asks for part in (ask, " ")]))
    if sizes and answer.drawn.size_mw not in sizes:
        words = f"{power(answer.drawn.size_mw)} is drawn and was not priced: name it under the sizes that go on."
        parts.append(state("empty", words, title="Not priced"))
    if answer.refused:
        parts.append(state("infeasible", f"{answer.refused[:1].upper()}{answer.refused[1:]}.", title="No ranking"))
    if market.floor is not None:
        parts += [_floor(answer), noise_offer(answer, market)]
    return html.Div(parts)


def tied_words(answer: Answer) -> str:
    """Return which sites only the rule between equal scores parts at the end of the shortlist, "" where none."""
    if not answer.tied or answer.ranked is None:
        return ""
    score = float(answer.ranked.score[answer.standings[min(answer.tied)]])
    listed = len(answer.tied & set(answer.shortlist))
    return (
        f"{count(len(answer.tied), 'site')} score {number(score, 3)}, as the last place of the shortlist does: "
        f"{number(listed)} of them {'is' if listed == 1 else 'are'} listed by the rule between equal scores alone, the "
        "lower on-peak rent, then bus order. Their places are open."
    )


def open_words(answer: Answer) -> str:
    """Return which places the noise floor leaves open by the weights and shortlist drawn, "" where it leaves none."""
    if not answer.open_places:
        return ""
    words = (
        f"By the weights drawn and a shortlist of {number(answer.drawn.top)}, the noise floor could move "
        f"{count(len(answer.open_places), 'site')} into or out of it ({answer.drawn.envelope}, "
        f"{power(answer.drawn.size_mw)})"
    )
    market = answer.market
    if not answer.loose or market is None:
        return f"{words}; each of them is solved to {percent(market.question.base_gap if market else 0.0, 2)}."
    return (
        f"{words}; {number(len(answer.loose))} of them have a gap above {percent(market.question.base_gap, 2)}: run "
        "the market again with that gap for its sites before this shortlist is published."
    )


def _of_sizes(sizes: tuple[float, ...]) -> str:
    return f" of {', '.join(power(mw) for mw in sizes)}" if sizes else ""


def _rules(answer: Answer) -> str:
    """Return what every schedule keeps, and which hours are on-peak."""
    market = answer.market
    if market is None:
        return ""
    facts = market.facts
    limits = "after each branch outage too" if facts.get("security") == "n-1" else "with every branch in service"
    peak, of = hours_words(facts.get("peak_hours", PEAK_HOURS)), str(facts.get("peak_of", ""))
    others = {own.peak_hours for own in answer.question.envelopes if own.kind != "firm"}
    whose = f", the window of {of}" if len(others) > 1 and of else ""
    chosen = f" {said[0].upper()}{said[1:]}." if (said := str(facts.get("schedules", ""))) else ""
    kept = f"With {facts.get('reserve', 'a reserve')}; limits on flows hold {limits}."
    on = f" Units that stay on: {', '.join(stay)}." if (stay := market.question.must_run) else ""
    return f"{kept}{on}{chosen} On-peak: hours {peak}{whose}."


def _gaps(market: Any) -> str:
    served = [site.gap for site in market.sites if site.served]
    widest = f"Widest gap of a site {percent(max(served), 3)}; without" if served else "Without"
    return f"{widest} a site {percent(market.base.gap, 3)}."


def _floor(answer: Answer) -> html.Details:
    """Return the noise floor: what metrics move by although nothing that matters has changed."""
    table = floor_table(answer.market, inputs_of(answer, market=True)) if answer.market is not None else None
    return html.Details([html.Summary("Noise floor: what equally good schedules differ by"), static(table)], open=True)


def _ended(stands: Any) -> Part:
    if stands.found == "cancelled":
        return state("empty", "What was done is kept; started again, it goes on from there.", title="Cancelled")
    return state("failed", f"{stands.message} Started again, it goes on from what is done.", title="The market failed")


def _id(name: str) -> str:
    return siting_ids.word(f"market-{name}")


def _box(name: str, value: Any, **props: Any) -> dbc.Input:
    return dbc.Input(id=_id(name), value=value, debounce=True, autocomplete="off", **props)


def _choice(name: str, value: str, options: tuple[tuple[str, str], ...]) -> dbc.Select:
    return dbc.Select(id=_id(name), value=value, options=[{"value": key, "label": text} for key, text in options])


def _field(label: str, control: Part) -> html.Label:
    return html.Label(
        [html.Span(label), html.Span(control, className="hr-siting-control")], className="hr-siting-field"
    )
