"""The key numbers of a siting answer and its funnel: candidates, gate, market, shortlist, for each envelope."""

from typing import Any

from dash import html

from components.format import count, megawatts, number, percent, power
from components.siting_answer import Answer
from components.skeleton import Part, totals
from components.why_card import WhyInput, why_card, why_number
from engine.siting.gate.results import UNDECIDED
from engine.siting.question import SitingQuestion, candidate_words
from engine.siting.sheet import base_failures

SIGNS = ("firm", "flexible", "fine", "candidate")  # of the envelopes, in their order
MOST_TOTALS = 4  # envelopes with a number of their own; the funnel has all
STAGES = ("candidates", "gate", "market", "shortlist")
_NOTHING = "\u2013"


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
        note = "the market has not run yet" if answer.market is None else "no site of this envelope and size is served"
        return {"label": "Shortlist", "value": _NOTHING, "note": answer.refused or note}
    buses = answer.network.buses
    best = listed[0]
    name = buses.names[best] or f"bus {buses.ids[best]}"
    card = shortlist_card(answer)
    shown = why_number(why_id("best", 0), name, card, label="the best site of the shortlist")
    asked = "" if len(listed) == answer.drawn.top else f" of {answer.drawn.top} asked"
    label = "Best so far, provisional" if answer.provisional else f"Best of {count(len(listed), 'site')}{asked}"
    return {"label": label, "value": shown, "note": _score_words(answer, best)}


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
        formula="*C*_i = *S*^-_i / (*S*^+_i + *S*^-_i),  *S*^±_i = ‖*R*_i − *A*^±‖",
        values=[
            *((f"*G*_{{{place + 1}}}, {name}", number(score, 3)) for place, (name, score) in enumerate(groups)),
            ("weights of the groups", ", ".join(f"{weight:g}" for weight in answer.drawn.weights)),
            ("alternatives in the ranking", number(len(ranked.sites))),
        ],
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 3, equations (20) to (35); TOPSIS: Hwang and Yoon, 1981",
        note="A score depends on which other sites are ranked with it: compare places, not scores of two runs.",
    )


def funnel(answer: Answer) -> html.Div:
    """Return the funnel of every envelope as bars of one scale, with the number of each stage."""
    every = len(answer.gate.buses)
    rows = [_funnel_row(answer, place, every) for place in range(len(answer.envelopes))]
    heads = [html.Span("", className="hr-funnel-name")]
    heads += [html.Span(words, className="hr-funnel-head") for words in ("Candidates", "Gate", "Market", "Shortlist")]
    return html.Div(
        [html.Div(heads, className="hr-funnel-row hr-funnel-heads"), *rows],
        className="hr-funnel",
        role="group",
        **{"aria-label": f"Funnel at {power(answer.drawn.size_mw)}"},
    )


def stage_counts(answer: Answer, envelope: str) -> tuple[int, int, int | None, int | None]:
    """Return candidates, qualified, served by the market and shortlisted; None for what has not run."""
    every, passed = len(answer.gate.buses), len(answer.qualified(envelope))
    if answer.market is None:
        return every, passed, None, None
    return every, passed, answer.served(envelope), len(answer.shortlist_of(envelope))


def _funnel_row(answer: Answer, place: int, every: int) -> html.Div:
    name = answer.envelopes[place]
    counts = stage_counts(answer, name)
    steps = []
    for stage, amount in zip(STAGES, counts, strict=True):
        if amount is None:
            face: Part = html.Span("not run", className="hr-muted")
        else:
            words = {"candidates": "candidates", "gate": "sites that pass the gate", "market": "sites that are served",
                     "shortlist": "sites on the shortlist"}[stage]  # fmt: skip
            face = why_number(why_id(stage, place), number(amount), label=f"{words} under {name}")
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


def qualified_card(answer: Answer, place: int) -> html.Div:
    """Return why so many sites qualify under an envelope: the rule, the hours and outages, what fails most."""
    name, size = answer.envelopes[place], answer.drawn.size_mw
    gate, verdict = answer.gate, answer.verdict_of(answer.envelopes[place])
    found, open_ = int((verdict == 1).sum()), int((verdict == UNDECIDED).sum())
    strict = int((gate.verdict(name, size, 1.0) == 1).sum())
    result = gate.result
    own = result.envelopes[place]
    levels = sorted({round(size * share, 6) for share in own.share})
    hours = f"{gate.hours_done} of {len(result.labels)}" if gate.partial else number(len(result.labels))
    values = [
        ("hours |*T*|", hours),
        ("outages |*C*| of each hour", number(len(result.ids))),
        ("threshold τ", percent(answer.drawn.threshold)),
        ("load of the site", megawatts(levels[0]) if levels[0] == levels[-1] else _span(levels[0], levels[-1])),
        ("reach τ", number(found)),
        ("cannot reach it", number(len(verdict) - found - open_)),
        ("open", number(open_)),
        ("pass every outage (τ = 100 %)", number(strict)),
    ]  # fmt: skip
    binds = [html.Span(line) for line in worst_outages(answer, name)]
    notes = [said] if (said := base_words(answer)) else []
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


def stage_card(answer: Answer, stage: str, place: int) -> html.Div:
    """Return the card of a number of the funnel."""
    name = answer.envelopes[place]
    if stage in {"gate", "total"}:
        return qualified_card(answer, place)
    if stage == "candidates":
        words = candidate_words(answer.question.candidates)
        return why_card(
            f"{number(len(answer.gate.buses))} candidates",
            values=[("rule", words), ("buses of the network", number(len(answer.network.buses.ids)))],
            inputs=inputs_of(answer),
            source="arXiv 2605.14714, equation (5)",
        )
    if stage == "market":
        return _market_card(answer, name)
    return _listed_card(answer, name)


def _market_card(answer: Answer, name: str) -> html.Div:
    if answer.market is None:
        raise ValueError("a card of the market needs one")
    market, passed = answer.market, set(answer.qualified(name).tolist())
    size = answer.drawn.size_mw
    ends: dict[str, int] = {}
    for (envelope, nameplate, bus), end in answer.entered.items():
        if envelope == name and nameplate == size and bus in passed:
            ends[end] = ends.get(end, 0) + 1
    taken = sum(ends.values())
    said = "priced so far, provisional" if answer.provisional else "taken to the market"
    values = [("qualified by the gate", number(len(passed))), (said, number(taken))]
    values += [(words, number(amount)) for words, amount in sorted(ends.items())]
    days = [f"{day['label']}: {day['reason']}" for day in market.facts.get("days", ())]
    return why_card(
        f"{count(answer.served(name), 'site')} served on every day",
        formula="min Σ cost over commitment and dispatch, every day, with the load of the site",
        values=values,
        binds=days,
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 2, equations (6) to (12)",
        note=f"Taken in the order of {market.facts.get('order', '')}. A site is served when every day has a schedule "
        f"within {percent(market.question.site_gap, 2)} of the least cost, or with its gap proven.",
    )


def _listed_card(answer: Answer, name: str) -> html.Div:
    listed = answer.shortlist_of(name)
    return why_card(
        f"{count(len(listed), 'site')} on the shortlist of {name}",
        formula="the first *K* places by *C*_i",
        values=[("*K*", number(answer.drawn.top)), ("served sites", number(answer.served(name)))],
        inputs=inputs_of(answer, market=True),
        source="arXiv 2605.14714, stage 3",
    )


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
    kv = float(answer.network.buses.base_kv[bus])
    level = f", {kv:g} kV" if kv > 0 else ""
    return f"bus {answer.network.buses.ids[bus]}{level}, score {number(float(answer.ranked.score[row]), 3)}"


def _span(low: float, high: float) -> str:
    return f"{number(low)} to {megawatts(high)}"


def _change(now: int, before: int) -> str:
    share = now / before - 1.0
    sign = "+" if share > 0 else ""
    return "as many as" if now == before else f"{sign}{percent(share, 0)} against"
