"""The key numbers of a siting answer: how many sites qualify under each envelope, and the best of the shortlist."""

from typing import Any

import numpy as np
from dash import html

from components.format import count, megawatts, number, percent, power
from components.siting_answer import Answer
from components.skeleton import totals
from components.why_card import WhyInput, why_card, why_number
from engine.network.model import Vector
from engine.siting.case import HOURS_OF_DAY
from engine.siting.envelopes import Envelope
from engine.siting.gate.results import UNDECIDED, GateResult
from engine.siting.question import SitingQuestion
from engine.siting.sheet import base_failures

SIGNS = ("firm", "flexible", "fine", "candidate")  # of the envelopes, in their order
MOST_TOTALS = 4  # envelopes with a number of their own; the funnel has all
_NOTHING = "\u2013"
_ROUNDING_MW = 1e-6


def why_id(stage: str, place: int) -> str:
    """Return the id of a number of the funnel, or of the totals, whose card is filled when it is pressed."""
    return f"siting-why-{stage}-{place}"


def sign_of(place: int) -> str:
    """Return the sign of an envelope by its place."""
    return SIGNS[place % len(SIGNS)]


def empty_totals(question: SitingQuestion) -> html.Dl:
    """Return the key numbers before there is an answer."""
    cells = [
        {"label": f"{one.name.capitalize()}, qualified", "value": _NOTHING, "sign": sign_of(place)}
        for place, one in enumerate(question.envelopes[:MOST_TOTALS])
    ]
    return totals([*cells, {"label": "Shortlist", "value": _NOTHING}])


def totals_of(answer: Answer) -> html.Dl:
    """Return the key numbers: how many sites qualify under each envelope at the size drawn, and the best of them."""
    cells = [_qualified_total(answer, place) for place in range(min(MOST_TOTALS, len(answer.envelopes)))]
    return totals([*cells, _shortlist_total(answer)])


def _qualified_total(answer: Answer, place: int) -> dict[str, Any]:
    name = answer.envelopes[place]
    found, open_ = len(answer.qualified(name)), int((answer.verdict_of(name) == UNDECIDED).sum())
    first = len(answer.qualified(answer.envelopes[0]))
    of_all = f"of {number(len(answer.gate.buses))} candidates"
    note = of_all if place == 0 or not first else f"{_change(found, first)} {answer.envelopes[0]}"
    if open_:
        note = f"{number(open_)} still open"
    words = f"sites that qualify under {name} at {power(answer.drawn.size_mw)}"
    shown = why_number(why_id("total", place), number(found), label=words)
    return {
        "label": f"{name.capitalize()} at {power(answer.drawn.size_mw)}, qualified",
        "value": shown,
        "note": note,
        "sign": sign_of(place),
    }


def _shortlist_total(answer: Answer) -> dict[str, Any]:
    listed = answer.shortlist
    if not listed:
        note = _no_shortlist(answer)
        return {"label": "Shortlist", "value": _NOTHING, "note": answer.refused or note}
    buses = answer.network.buses
    best = listed[0]
    name = buses.names[best] or f"bus {buses.ids[best]}"
    card = shortlist_card(answer)
    shown = why_number(why_id("best", 0), name, card, label="the best site of the shortlist")
    asked = "" if len(listed) == answer.drawn.top else f" of {answer.drawn.top} asked"
    label = "Best so far, provisional" if answer.provisional else f"Best of {count(len(listed), 'site')}{asked}"
    return {"label": label, "value": shown, "note": _score_words(answer, best)}


def _no_shortlist(answer: Answer) -> str:
    """Return why there is no shortlist."""
    if not len(answer.qualified(answer.drawn.envelope)):
        return "no site qualifies"
    if answer.market is None:
        return "the market has not run yet"
    if answer.drawn.size_mw not in answer.market.question.sizes_of(answer.question.sizes_mw):
        return "this size was not taken to the market"
    return "no site of this envelope and size is served"


def shortlist_card(answer: Answer) -> html.Div:
    """Return why the best site is the best: its score with its groups."""
    best = answer.shortlist[0]
    row = answer.standings[best]
    ranked = answer.ranked
    if ranked is None:
        raise ValueError("a card of a ranking needs one")
    groups = zip(ranked.groups, ranked.group_score[row].tolist(), strict=True)
    return why_card(
        f"Score {number(float(ranked.score[row]), 3)}, place 1 under {answer.drawn.envelope}",
        formula="*C*_i = *S*^{−}_i / (*S*^{+}_i + *S*^{−}_i),  *S*^{±}_i = ‖*R*_i − *A*^{±}‖",
        values=[
            *((f"*G*_{{{place + 1}}}, {name}", number(score, 3)) for place, (name, score) in enumerate(groups)),
            ("weights of the groups", ", ".join(f"{weight:g}" for weight in answer.drawn.weights)),
            ("alternatives in the ranking", number(len(ranked.sites))),
        ],
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 3, equations (20) to (35); TOPSIS: Hwang and Yoon, 1981",
        note="A score depends on which other sites are ranked with it: compare places, not scores of two runs.",
    )


def qualified_card(answer: Answer, place: int) -> html.Div:
    """Return why so many sites qualify under an envelope: the rule, the hours and outages, what fails most."""
    name, size = answer.envelopes[place], answer.drawn.size_mw
    gate, verdict = answer.gate, answer.verdict_of(answer.envelopes[place])
    found, open_ = int((verdict == 1).sum()), int((verdict == UNDECIDED).sum())
    strict = int((gate.verdict(name, size, 1.0) == 1).sum())
    result = gate.result
    hours = f"{gate.hours_done} of {len(result.labels)}" if gate.partial else number(len(result.labels))
    values = [
        ("hours |*T*|", hours),
        ("outages |*C*| of each hour", number(len(result.ids))),
        ("threshold τ", percent(answer.drawn.threshold)),
        *_loads(result, result.envelopes[place], size),
        ("reach τ", number(found)),
        ("cannot reach it", number(len(verdict) - found - open_)),
        ("open", number(open_)),
        ("pass every outage (τ = 100 %)", number(strict)),
    ]  # fmt: skip
    binds = [html.Span(line) for line in worst_outages(answer, name)]
    notes = [said] if (said := base_words(answer)) else []
    notes += [said] if place and (said := fewer_words(answer)) else []
    if result.islanding:
        notes.append(f"{count(len(result.islanding), 'outage')} that split the network are left out.")
    check = gate.told.get("check", {})
    if check:
        notes.append(f"{str(check.get('words', '')).capitalize()}.")
    return why_card(
        f"{number(found)} of {number(len(verdict))} candidates qualify under {name}",
        formula="*r*_b = Σ_t *w*_t Σ_c *I*_{btc} / |*C*| ≥ τ,  *I* = 1 if some dispatch keeps every limit",
        values=values,
        binds=binds,
        inputs=inputs_of(answer),
        source="arXiv 2605.14714, stage 1, equation (11); DC flows, free redispatch, no slack on limits",
        note=" ".join(notes) or None,
    )


def fewer_words(answer: Answer) -> str:
    """Return why an envelope with a smaller load in the peak qualifies at fewer sites than the first, "" if none does.

    It draws more than the first in some of the hours screened, where what it gives up is made up.
    """
    result, size = answer.gate.result, answer.drawn.size_mw
    first, *others = result.envelopes
    base_mw, found = result.level_mw(first, size), len(answer.qualified(first.name))
    said = []
    for own in others:
        own_mw = result.level_mw(own, size)
        more = own_mw > base_mw + _ROUNDING_MW
        if len(answer.qualified(own.name)) < found and more.any():
            most, weight = int((own_mw - base_mw).argmax()), float(result.hour_weight[more].sum())
            said.append(
                f"{own.name.capitalize()} qualifies at fewer sites than {first.name}: in {number(int(more.sum()))} of "
                f"the {number(len(more))} hours screened ({percent(weight)} of their weight), outside its peak hours, "
                f"it draws up to {megawatts(float(own_mw[most]))} against {megawatts(float(base_mw[most]))}. The "
                "source screens one hour, in the peak, and finds more."
            )
    return " ".join(said)


def _loads(result: GateResult, own: Envelope, size_mw: float) -> list[tuple[str, str]]:
    """Return what a site draws in the hours of a day, and what the grid serves where on-site resources give some."""
    of_day = np.arange(1, HOURS_OF_DAY + 1)
    gross = own.gross_mw(size_mw, of_day)
    if not own.onsite_mw and result.onsite_mw is None:
        return [("load of the site", _between(gross))]
    told = [("load of the site, gross", _between(gross))]
    if result.onsite_mw is None:
        return [*told, ("net of on-site resources, what the grid serves", _between(own.level_mw(size_mw, of_day)))]
    return [*told, ("net of on-site resources, in the hours screened", _between(result.level_mw(own, size_mw)))]


def base_words(answer: Answer) -> str:
    """Return how much fails before any load is added, and of what allowance; "" where nothing does."""
    result = answer.gate.result
    found = base_failures(result)
    if not found:
        return ""
    screened = sum(w for w, known in zip(result.hour_weight, result.verdicts, strict=True) if known is not None)
    pairs = sum(len(one.hours) for one in found)
    what = count(pairs, "outage")
    if answer.gate.hours_done > 1:
        what = f"{count(pairs, 'pair')} of an hour and an outage"
    share = sum(one.share for one in found) / screened
    return (
        f"{what} {'fails' if pairs == 1 else 'fail'} before any load is added: {percent(share, 1)} of all, where "
        f"{percent(1.0 - answer.drawn.threshold, 1)} may fail. A site can only pass them by relieving them."
    )


def worst_outages(answer: Answer, envelope: str, most: int = 3) -> list[str]:
    """Return the outages that stop most candidates, in the hours that are screened, in words."""
    lost = answer.gate.outage_failures(envelope, answer.drawn.size_mw)
    order = lost.argsort(kind="stable")[::-1][:most]
    every = len(answer.gate.buses)
    return [
        f"{answer.gate.outage_words(int(at))}: fails for {percent(float(lost[at]) / every, 0)} of the candidates"
        for at in order
        if lost[at] > 0
    ]


def inputs_of(answer: Answer, *, market: bool = False) -> list[WhyInput]:
    """Return what the numbers are made from."""
    result = answer.gate.result
    run = answer.gate.run
    source = "hours" if run is None else run.prepared.case.source
    found = [
        WhyInput("Network", answer.network.digest),
        WhyInput(f"Hours, {source}", result.case_digest),
        WhyInput("Outages", result.contingencies_digest),
    ]
    if market and answer.market is not None:
        found.append(WhyInput("Market days", str(answer.market.facts.get("case", ""))))
    return found


def _score_words(answer: Answer, bus: int) -> str:
    if answer.ranked is None:
        return ""
    row = answer.standings[bus]
    buses, kv = answer.network.buses, float(answer.network.buses.base_kv[bus])
    said = [f"bus {buses.ids[bus]}"] if buses.names[bus] else []  # without a name it stands before, in large
    said += [f"{kv:g} kV"] if kv > 0 else []
    return ", ".join([*said, f"score {number(float(answer.ranked.score[row]), 3)}"])


def _between(mw: Vector) -> str:
    """Return one number of MW, or the least and the largest."""
    low, high = round(float(mw.min()), 6), round(float(mw.max()), 6)
    return megawatts(low) if low == high else f"{number(low)} to {megawatts(high)}"


def _change(now: int, before: int) -> str:
    share = now / before - 1.0
    sign = "+" if share > 0 else ""
    return "as many as" if now == before else f"{sign}{percent(share, 0)} against"
