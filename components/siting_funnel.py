"""The funnel of a siting answer: candidates, gate, sent to the market, priced, shortlisted; each with its card."""

from collections import Counter

from dash import html

from components.format import count, duration, number, percent, power
from components.siting_answer import Answer
from components.siting_totals import inputs_of, qualified_card, sign_of, why_id
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.commitment.outcome import End
from engine.siting.question import candidate_words

STAGES = ("candidates", "gate", "sent", "market", "shortlist")
HEADS = ("Candidates", "Gate", "Sent", "Priced", "Shortlist")
_WORDS = {
    "candidates": "candidates",
    "gate": "sites that pass the gate",
    "sent": "sites that are sent to the market",
    "market": "sites that the market prices",
    "shortlist": "sites on the shortlist",
}
_PRICED = (End.WITHIN_GAP, End.WIDER_GAP)
_ENDS = {
    End.WITHIN_GAP: "priced, within the gap asked",
    End.WIDER_GAP: "priced, with a wider gap that is proven",
    End.TIME_LIMIT: "ran out of time",
    End.INFEASIBLE: "without any schedule",
    End.REFUSED: "refused by the judge of schedules",
}
_LOST = (End.TIME_LIMIT, End.INFEASIBLE, End.REFUSED)


def ends(answer: Answer, envelope: str) -> Counter[End]:
    """Return how the market ended for the sites of an envelope that qualify at the size and threshold drawn."""
    passed, size = set(answer.qualified(envelope).tolist()), answer.drawn.size_mw
    return Counter(
        End(end)
        for (name, nameplate, bus), end in answer.entered.items()
        if name == envelope and nameplate == size and bus in passed
    )


def stage_counts(answer: Answer, envelope: str) -> tuple[int, int, int | None, int | None, int | None]:
    """Return candidates, qualified, sent to the market, priced and shortlisted; None for what has not run."""
    every, passed = len(answer.gate.buses), len(answer.qualified(envelope))
    if answer.market is None:
        return every, passed, None, None, None
    found = ends(answer, envelope)
    priced = sum(found[end] for end in _PRICED)
    return every, passed, found.total(), priced, len(answer.shortlist_of(envelope))


def lost_counts(answer: Answer, envelope: str) -> tuple[int, int]:
    """Return how many sites of an envelope were sent and ran out of time, and how many had no schedule."""
    found = ends(answer, envelope)
    return found[End.TIME_LIMIT], found[End.INFEASIBLE] + found[End.REFUSED]


def lost_words(answer: Answer) -> str:
    """Return which of the sites that were sent to the market it did not price and why, "" where it priced all."""
    if answer.market is None:
        return ""
    found = {name: ends(answer, name) for name in answer.envelopes}
    said = [
        f"{_ENDS[end]}: {', '.join(of)}"
        for end in _LOST
        if (of := [f"{number(one[end])} of {number(one.total())} {name}" for name, one in found.items() if one[end]])
    ]
    if not said:
        return ""
    so_far = "so far, " if answer.provisional else ""
    return f"Sent and not priced, {so_far}{'; '.join(said)}. They leave the ranking and stay in the catalogue."


def unpriced_words(answer: Answer) -> str:
    """Return how many placements qualify and were not priced, of all envelopes at the size drawn, "" where none."""
    if answer.market is None:
        return ""
    passed = sum(len(answer.qualified(name)) for name in answer.envelopes)
    sent = sum(ends(answer, name).total() for name in answer.envelopes)
    if passed == sent:
        return ""
    if not sent:
        return (
            f"{power(answer.drawn.size_mw)} was not taken to the market: {count(passed, 'placement')} "
            f"{'qualifies' if passed == 1 else 'qualify'} and none is priced. Name it under Market, Sizes that go on."
        )
    order = str(answer.market.facts.get("order", "")).partition(",")[0]
    which = f", those of {order}" if order else ""
    return (
        f"{number(passed - sent)} of {number(passed)} placements that qualify at {power(answer.drawn.size_mw)} were "
        f"not priced: the market took {number(sent)}{which}. The shortlist is chosen from these alone; more go on "
        "under Market."
    )


def funnel(answer: Answer) -> html.Div:
    """Return the funnel of every envelope as bars of one scale, with the number of each stage."""
    every = len(answer.gate.buses)
    rows = [_row(answer, place, every) for place in range(len(answer.envelopes))]
    heads = [
        html.Span("", className="hr-funnel-name"),
        *(html.Span(word, className="hr-funnel-head") for word in HEADS),
    ]
    return html.Div(
        [html.Div(heads, className="hr-funnel-row hr-funnel-heads"), *rows],
        className="hr-funnel",
        role="group",
        **{"aria-label": f"Funnel at {power(answer.drawn.size_mw)}"},
    )


def _row(answer: Answer, place: int, every: int) -> html.Div:
    name = answer.envelopes[place]
    steps = []
    for stage, amount in zip(STAGES, stage_counts(answer, name), strict=True):
        if amount is None:
            face: Part = html.Span("not run", className="hr-muted")
        else:
            face = why_number(why_id(stage, place), number(amount), label=f"{_WORDS[stage]} under {name}")
        share = 0.0 if not amount or not every else amount / every
        bar = html.Span(
            className=f"hr-funnel-bar hr-sign-{sign_of(place)}", style={"height": f"{max(2.0, 100 * share):.1f}%"}
        )
        steps.append(html.Div([html.Span(bar, className="hr-funnel-well"), face], className="hr-funnel-step"))
    drawn = name == answer.drawn.envelope
    return html.Div(
        [html.Span(name, className=f"hr-funnel-name hr-siting-sign hr-sign-{sign_of(place)}"), *steps],
        className="hr-funnel-row" + (" hr-funnel-drawn" if drawn else ""),
        **({"aria-current": "true"} if drawn else {}),
    )


def stage_card(answer: Answer, stage: str, place: int) -> html.Div:
    """Return the card of a number of the funnel or of the totals."""
    name = answer.envelopes[place]
    if stage == "candidates":
        return why_card(
            f"{number(len(answer.gate.buses))} candidates",
            values=[
                ("rule", candidate_words(answer.question.candidates)),
                ("buses of the network", number(len(answer.network.buses.ids))),
            ],
            inputs=inputs_of(answer),
            source="arXiv 2605.14714, equation (5)",
        )
    cards = {"sent": _sent_card, "market": _market_card, "shortlist": _listed_card}
    return cards[stage](answer, name) if stage in cards else qualified_card(answer, place)


def _sent_card(answer: Answer, name: str) -> html.Div:
    if answer.market is None:
        raise ValueError("a card of the market needs one")
    market, passed = answer.market, len(answer.qualified(name))
    sent, most = ends(answer, name).total(), market.question.most_sites
    return why_card(
        f"{count(sent, 'site')} of {name} sent to the market",
        formula="min(*Q*, *M*)" if most else "*Q*",
        values=[
            ("*Q*, qualified by the gate", number(passed)),
            ("*M*, most sites of an envelope and size", number(most) if most else "every one"),
            ("sent so far, provisional" if answer.provisional else "sent", number(sent)),
            ("qualify and were not sent", number(passed - sent)),
        ],
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 2",
        note=f"Taken in the order of {market.facts.get('order', '')}: more can be let go on under Market.",
    )


def _market_card(answer: Answer, name: str) -> html.Div:
    if answer.market is None:
        raise ValueError("a card of the market needs one")
    market, found = answer.market, ends(answer, name)
    priced = sum(found[end] for end in _PRICED)
    said = "sent so far, provisional" if answer.provisional else "sent to the market"
    values = [(said, number(found.total()))]
    values += [(words, number(found[end])) for end, words in _ENDS.items() if found[end]]
    values.append(("time of one day of one site", duration(market.question.site_time_s)))
    days = [f"{day['label']}: {day['reason']}" for day in market.facts.get("days", ())]
    return why_card(
        f"{count(priced, 'site')} of {name} priced on every day",
        formula="min Σ cost over commitment and dispatch, every day, with the load of the site",
        values=values,
        binds=days,
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 2, equations (6) to (12)",
        note=f"A site is priced when every day has a schedule within {percent(market.question.site_gap, 2)} of the "
        "least cost, or with its gap proven. One that ran out of time may be priced with more seconds.",
    )


def _listed_card(answer: Answer, name: str) -> html.Div:
    listed = answer.shortlist_of(name)
    return why_card(
        f"{count(len(listed), 'site')} on the shortlist of {name}",
        formula="the first *K* places by *C*_i",
        values=[("*K*", number(answer.drawn.top)), ("priced sites", number(answer.served(name)))],
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 3",
    )
