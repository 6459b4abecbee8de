"""Two envelopes side by side: which sites enter, which leave, and what the market does at the sites of both."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import html

from components import siting_cards, siting_cards_market, siting_ids
from components.format import count, number, percent, power, sentence
from components.siting_answer import Answer
from components.siting_basis import days_and_floor, days_words
from components.siting_site import small_table
from components.siting_totals import inputs_of
from components.skeleton import Part, state
from components.why_card import why_card, why_number
from engine.siting.metrics import (
    METRIC_UNITS,
    METRIC_WORDS,
    METRICS,
    WINDOW_WORDS,
    WINDOWS,
    Metric,
    Window,
    paired_change,
)
from engine.siting.ranking import overlap, spearman

SIDES = ("a", "b")
_PAIRED: tuple[tuple[Window, Metric], ...] = (
    ("on_peak", "p95_p5"),
    ("on_peak", "rent"),
    ("off_peak", "p95_p5"),
    ("all", "mean_lmp"),
    ("all", "rent"),
)
_DIGITS = {"rent": 4, "binding_hours": 1}
_NOTHING = "\u2013"


def place(names: Sequence[str]) -> html.Div:
    """Return the tab with its two choices; what it says is filled by a callback."""
    return html.Div(
        [
            html.Div(
                [
                    html.Span("From", className="hr-muted"),
                    _choice("a", names, 0, "The envelope that is compared from"),
                    html.Span("to", className="hr-muted"),
                    _choice("b", names, 1, "The envelope that is compared to"),
                ],
                className="hr-siting-line",
            ),
            html.Div(id=f"{siting_ids.COMPARE}-told"),
        ]
    )


def chosen(answer: Answer, sides: Sequence[Any]) -> tuple[str, str]:
    """Return the two envelopes to compare: those chosen as far as they were screened."""
    names = answer.envelopes
    first = sides[0] if sides[0] in names else names[0]
    other = next((name for name in names if name != first), first)
    return str(first), str(sides[1] if sides[1] in names else other)


def told(answer: Answer, sides: Sequence[Any]) -> list[Part]:
    """Return who enters and who leaves between two envelopes, at the size drawn."""
    if len(answer.envelopes) < 2:
        return [state("empty", "One envelope is screened: add another in the question, and the two are compared here.")]
    one, other = chosen(answer, sides)
    before, after = set(answer.qualified(one).tolist()), set(answer.qualified(other).tolist())
    enter, leave, both = after - before, before - after, before & after
    head = html.Div(
        [
            _number(answer, "stay", len(both), "stay", (one, other)),
            _number(answer, "enter", len(enter), f"enter with {other}", (one, other)),
            _number(answer, "leave", len(leave), f"leave with {other}", (one, other)),
        ],
        className="hr-siting-numbers",
    )
    parts: list[Part] = [head]
    if one == other:
        return [*parts, state("empty", "Both sides are the same envelope: choose another.")]
    parts.append(_moves(answer, one, other, enter, leave))
    shared = _shared(answer, one, other)
    if shared is not None:
        parts.append(shared)
    return parts


def _moves(answer: Answer, one: str, other: str, enter: set[int], leave: set[int]) -> Part:
    size, position = answer.drawn.size_mw, {bus: at for at, bus in enumerate(answer.gate.buses.tolist())}
    rates = [answer.gate.rate(name, size)[0] for name in (one, other)]
    places = [_places(answer, name) for name in (one, other)]
    moved = [(bus, f"enters with {other}") for bus in sorted(enter)] + [
        (bus, f"leaves with {other}") for bus in sorted(leave)
    ]
    if not moved:
        words = f"The same sites qualify under {one} and {other} at {power(size)}."
        return state("done", words, title="No difference")
    rows = [
        (
            answer.network.buses.ids[bus],
            answer.network.buses.names[bus],
            words,
            *((percent(float(rate[position[bus]]), 2), float(rate[position[bus]])) for rate in rates),
            *((number(own[bus]) if bus in own else _NOTHING, own.get(bus, "")) for own in places),
        )
        for bus, words in moved
    ]
    heads = ("Bus", "Substation", "What happens", f"Pass rate, {one}", f"Pass rate, {other}", f"Place, {one}",
             f"Place, {other}")  # fmt: skip
    return small_table(
        "compare", f"Sites that enter or leave from {one} to {other}", heads, rows, text=(0, 1, 2),
        note=f"At {power(size)}, threshold {percent(answer.drawn.threshold)}. {days_and_floor(answer.market)}".strip(),
        why=siting_cards.moves(answer, one, other),
    )  # fmt: skip


def _shared(answer: Answer, one: str, other: str) -> Part:
    """Return what the market says of the sites that both serve: order, shortlists, paired changes."""
    ranked, market = answer.ranked, answer.market
    if ranked is None or market is None:
        return html.P("Run the market: places and prices of the sites that qualify under both stand here.",
                      className="hr-muted")  # fmt: skip
    left, right = answer.standings_of(one), answer.standings_of(other)
    common = sorted(set(left) & set(right))
    listed = [answer.shortlist_of(name) for name in (one, other)]
    said: list[Part] = []
    if all(listed):
        share = percent(overlap(*listed), 0)
        card = siting_cards_market.shared_shortlist(answer, (one, other), (listed[0], listed[1]), share)
        shown = why_number("siting-why-overlap", share, card, label="the share of the shortlists that is the same")
        said += ["The shortlists share ", shown, " of their sites. "]
    card = siting_cards_market.served_under_both(answer, (one, other), (len(left), len(right), len(common)))
    shown = why_number("siting-why-both", count(len(common), "site"), card, label="sites served under both envelopes")
    said += [shown, " served under both. "]
    if len(common) > 2:
        rows = np.array([[left[bus], right[bus]] for bus in common])
        rho = number(spearman(ranked.score[rows[:, 0]], ranked.score[rows[:, 1]]), 2)
        card = siting_cards_market.scores_together(answer, (one, other), len(common), rho)
        shown = why_number("siting-why-rho", rho, card, label="rank correlation of the scores")
        said += ["Their scores go together with a rank correlation of ", shown, "."]
    parts: list[Part] = [html.P(said)]
    if common:
        parts.append(_paired(answer, [left[bus] for bus in common], [right[bus] for bus in common], other))
    return html.Div(parts)


def _paired(answer: Answer, left: list[int], right: list[int], other: str) -> Part:
    ranked, market = answer.ranked, answer.market
    if ranked is None or market is None:
        raise ValueError("paired changes need a ranking")
    rows, card = [], None
    for window, metric in _PAIRED:
        w, m = WINDOWS.index(window), METRICS.index(metric)
        values = [np.array([ranked.sites[row].metrics[w, m] for row in side]) for side in (left, right)]
        change, rose, fell = paired_change(*values)
        digits, unit = _DIGITS.get(metric, 3), METRIC_UNITS[metric]
        card = card or siting_cards_market.paired(answer, (window, metric), change, (rose, fell))
        floor = None if market.floor is None else float(market.floor[w, m])
        beyond = floor is not None and abs(change.median) > max(floor, 0.5 * 10.0**-digits)  # shown as 0 says nothing
        rows.append(
            (
                sentence(f"{WINDOW_WORDS[window]} {METRIC_WORDS[metric]}, {unit}"),
                (number(change.median, digits), change.median),
                (number(change.iqr, digits), change.iqr),
                number(rose),
                number(fell),
                (_NOTHING if floor is None else number(floor, digits), "" if floor is None else floor),
                "" if floor is None else "beyond it" if beyond else "within it",
            )
        )
    heads = (f"Change to {other}, at the same sites", "Median", "Quartile distance", "Rise", "Fall", "Noise floor",
             "Median is")  # fmt: skip
    return small_table(
        "paired", "Paired changes at the sites that both serve", heads, rows, text=(0, 6), why=card,
        note=days_words(market) if market.floor is not None else days_and_floor(market),
    )  # fmt: skip


def _places(answer: Answer, name: str) -> dict[int, int]:
    ranked = answer.ranked
    return {} if ranked is None else {bus: int(ranked.place[row]) for bus, row in answer.standings_of(name).items()}


def _number(answer: Answer, key: str, amount: int, words: str, sides: tuple[str, str]) -> html.Div:
    rules = {
        "stay": "*Q*_a ∩ *Q*_b",
        "enter": "*Q*_b \\ *Q*_a",
        "leave": "*Q*_a \\ *Q*_b",
    }
    values = [(f"qualify under {name}", number(len(answer.qualified(name)))) for name in sides]
    card = why_card(
        f"{count(amount, 'site')} {words}",
        formula=f"{rules[key]},  *Q*_e = the buses whose pass rate reaches τ under e",
        values=[*values, ("threshold τ", percent(answer.drawn.threshold)), ("size", power(answer.drawn.size_mw))],
        inputs=inputs_of(answer),
        source="arXiv 2605.14714, stage 1",
    )
    shown = why_number(f"siting-why-{key}", number(amount), card, label=f"sites that {words}")
    return html.Div([shown, html.Span(words)], className="hr-siting-number")


def _choice(side: str, names: Sequence[str], at: int, label: str) -> html.Label:
    value = names[min(at, len(names) - 1)]
    return html.Label(
        [
            html.Span(label, className="visually-hidden"),
            dbc.Select(
                id=f"{siting_ids.COMPARE}-{side}",
                options=[{"label": name, "value": name} for name in names],
                value=value,
                class_name="hr-siting-select",
            ),
        ],
        className="hr-siting-pick",
    )
