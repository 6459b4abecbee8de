"""What the market of a study would take: its sites, its days and its time; and what may be asked beside it."""

from dataclasses import replace

from dash import html

from components import siting_ids
from components.format import count, duration, number
from components.siting_answer import Answer, Gate
from components.skeleton import Part
from engine.commitment.days import most_typical, windy
from engine.network.model import Network
from engine.siting.case import HOURS_OF_DAY
from engine.siting.criteria import OwnCriteria
from engine.siting.defaults import MOST_MARKET_S
from engine.siting.gate.results import PASSED
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.market_time import market_s, noise_s

NOISE_SITES = 3  # drawn by lot where one asks for the noise with a site
_YEAR_H = 8784  # of 2016, where a gate does not say how many hours its source has


def week(answer: Answer, market: MarketQuestion) -> Part:
    """Return the offer to price the typical days where one of them is asked, with the time that they take."""
    if market.days != "peak":
        return None
    asked = replace(market, days="typical")
    days = days_of(answer.network, answer.gate, asked)
    if days == 1:
        return None
    sites, _, seconds = plan(answer.network, answer.gate, asked, answer.drawn.threshold, answer.own)
    why = ", so this study opens on one" if seconds > MOST_MARKET_S else ""
    return html.Div(
        [
            html.P(
                f"One day does not stand for the year; {number(days)} typical days do: {which_days(answer.network)}, "
                f"weighted. They take about {about(seconds)} on two cores{why}."
            ),
            html.P(
                html.Button(
                    f"Price {count(sites, 'site')} on {number(days)} typical days: about {about(seconds)}",
                    type="button",
                    className="hr-button",
                    **{"data-siting-press": f"{siting_ids.MARKET_WEEK}-pressed"},
                ),
            ),
        ]
    )


def which_days(network: Network) -> str:
    """Return what the typical days of a network are."""
    wind = ", high wind, low wind" if windy(network) else ""
    return f"the peak{wind} and a median of each season"


def noise_offer(answer: Answer, market: MarketRun) -> Part:
    """Return the offer to measure the noise with a site where no site did, with the time that it takes."""
    asked = market.question
    if answer.provisional or asked.noise_sites or not asked.samples:
        return None
    served = sum(site.served for site in market.sites)
    if not served or any(site.moved is not None for site in market.sites):
        return None
    more = replace(asked, noise_sites=min(NOISE_SITES, served))
    days = days_of(answer.network, answer.gate, more)
    whole = about(plan(answer.network, answer.gate, more, answer.drawn.threshold, answer.own)[2])
    alone = about(noise_s(answer.network, days, more))
    sites = count(more.noise_sites, "site")
    face = f"Measure the noise with a site on {sites} drawn by lot: about {alone}"
    words = (
        f"That is the time of {sites} alone, where the days and sites above are still kept; where they are not, these "
        f"are solved first, and all takes about {whole} on two cores."
    )
    if "noise_with_site" not in market.facts:  # what was solved on the way to it was not kept as it is now
        face = f"Run this market again with the noise with a site: about {whole}"
        words = (
            "Sites that are solved again measure it on the way, at no cost; where none is, "
            f"{sites} drawn by lot do. The time is that of two cores; what is done is kept."
        )
    button = html.Button(
        face, type="button", className="hr-button", **{"data-siting-press": f"{siting_ids.MARKET_NOISE}-pressed"}
    )
    return html.Div([html.P(button), html.P(words)])


def plan(
    network: Network, gate: Gate, market: MarketQuestion, threshold: float, own: OwnCriteria | None = None
) -> tuple[int, int, float]:
    """Return how many placements go to the market, how many are left out, and about how long that takes.

    Sites that a reader's own criteria stop are neither.
    """
    sites = left = 0
    kept = True if own is None else own.passes[gate.buses]
    for one in gate.result.envelopes:
        for size in market.sizes_of(gate.question.sizes_mw):
            passed = int(((gate.verdict(one.name, size, threshold) == PASSED) & kept).sum())
            taken = passed if market.most_sites == 0 else min(passed, market.most_sites)
            sites, left = sites + taken, left + passed - taken
    return sites, left, market_s(network, days_of(network, gate, market), sites, market)


def days_of(network: Network, gate: Gate, market: MarketQuestion) -> int:
    """Return how many days go to the market, at most: hours that leave out a season have fewer typical ones."""
    of_source = int(gate.told.get("of_source", _YEAR_H))
    every = max(1, of_source // HOURS_OF_DAY)
    typical = min(most_typical(network), every)
    return {"peak": 1, "typical": typical, "year": every}.get(market.days, max(1, len(market.dates)))


def about(seconds: float) -> str:
    """Return an estimate with no more digits than it is good for."""
    step = next(step for least, step in ((3600, 600), (600, 60), (60, 10), (0, 1)) if seconds >= least)
    return duration(step * max(1, round(seconds / step))).replace(".0 s", " s")


def plan_words(market: MarketQuestion, days: int, sites: int, left: int) -> str:
    """Return which sites go on, on which days, and whose time is told."""
    on = {
        "peak": "the day of the highest load, one of the typical days that stand for the year",
        "typical": f"{count(days, 'typical day')}, each with the weight of those that it stands for",
        "year": f"every day of the year, {number(days)} days",
    }.get(market.days, count(days, "day"))
    rest = f"; {number(left)} more that qualify stay out" if left else ""
    long = ""
    if market.days == "year":
        long = " Weeks are committed apart, each from a warm-up day: a cluster takes less by as many cores as it has."
    return (
        f"{count(sites, 'site')} go on, taken by the higher pass rate, then bus order{rest}. Each is committed and "
        f"priced on {on}.{long} The time is that of two cores; what is done is kept."
    )
