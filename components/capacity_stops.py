"""What stops a site in an answer with outages, redispatch or periods: in words, and as the card of its number.

What such a card says is in the record of the limit that binds.
"""

from dash import html

from components.capacity_answer import Answer, gain_words, gained, level_words
from components.capacity_results import METHOD, firm_formula, flexible_formula, inputs_of, more_words, room_words
from components.format import megawatts
from components.why_card import why_card
from engine.capacity.margins import bus_words as words_of_bus
from engine.capacity.results import Binding

_REDISPATCH = "; with redispatch by cutting planes from the duals of the DC-OPF of each state"
_OUTAGES = "; outages by line outage distribution factors, rows added as they are broken"


def stopping(answer: Answer, bus: str, level: int) -> Binding | None:
    """Return the limit that stops a site at a level, None when its demand is met in full."""
    found = answer.result.levels[level]
    by = found.limited_by[answer.sites()[bus]]
    return None if by < 0 else found.binding[by]


def stop_words(answer: Answer, bus: str) -> str:
    """Return why a site stops at its firm capacity: the limit, the outage after which it binds, the worst state."""
    binding = stopping(answer, bus, 0)
    if binding is None:
        return "the demand is met in full."
    limit = binding.limit
    outage = f" after the outage of {limit.outage}" if limit.outage and limit.outage not in limit.words else ""
    state = f", worst in {binding.state}" if binding.state and binding.state not in limit.words else ""
    gain = gain_words(binding)
    return f"limited by {limit.words}{outage}{state}{f'; {gain}' if gain else ''}."


def stop_card(answer: Answer, bus: str, level: int, gain_mw: float | None = None) -> html.Div:
    """Return the card of a site's number at a level of an answer with outages, redispatch or periods.

    ``gain_mw`` is what 10 MW more of its limit bring over all sites, by solving again; None where that is not done.
    """
    place = answer.sites()[bus]
    binding = stopping(answer, bus, level)
    name = words_of_bus(answer.network, answer.network.buses.ids.index(bus))
    values = [
        *_sizes(answer, place, level),
        ("*D*", f"{megawatts(answer.result.demand_mw[place])} asked"),
    ]
    if answer.period:
        values.append(("period", answer.period))
    if answer.base is not None and answer.base.levels:
        before = answer.base.levels[level].capacity_mw[place]
        values.append(("without outages, redispatch and periods", megawatts(before)))
    if binding is not None:
        values += [
            ("limit", megawatts(binding.limit.limit_mw)),
            (room_words(binding), megawatts(binding.margin_mw)),
            *([("worst outage", binding.limit.outage)] if binding.limit.outage else []),
            *([("worst state", binding.state)] if binding.state else []),
        ]
        if binding.gain_mw_per_mw is not None:
            values.append(("the first MW more there gives, over all sites", gained(binding.gain_mw_per_mw)))
        if gain_mw is not None:
            values.append(("10 MW more give, over all sites", more_words(answer, gain_mw)))
    source = METHOD + (_OUTAGES if answer.question.security == "n-1" else "")
    return why_card(
        _title(answer, place, level, name),
        formula=flexible_formula(answer.question) if level else firm_formula(answer.question),
        values=values,
        binds=["The demand is met in full: no limit stops it." if binding is None else binding.words],
        inputs=inputs_of(answer),
        source=source + (_REDISPATCH if answer.question.recourse == "redispatch" else ""),
    )


def _title(answer: Answer, place: int, level: int, name: str) -> str:
    found = answer.result.levels[level]
    if level == 0:
        return f"{megawatts(found.capacity_mw[place])} firm at {name}"
    return f"{megawatts(found.increment_mw[place])} more {level_words(found.epsilon)} at {name}"


def _sizes(answer: Answer, place: int, level: int) -> list[tuple[str, str]]:
    """Return what the number is made of: firm as it is, an increment as the difference to the level before."""
    found = answer.result.levels[level]
    if level == 0:
        return [("*c*", f"{megawatts(found.capacity_mw[place])}, firm")]
    before = answer.result.levels[level - 1]
    return [
        ("\u0394 = *c*^{\u03b5} \u2212 *c*", megawatts(found.increment_mw[place])),
        ("*c*^{\u03b5}", f"{megawatts(found.capacity_mw[place])}, {level_words(found.epsilon)}"),
        ("*c*", f"{megawatts(before.capacity_mw[place])}, {level_words(before.epsilon)}"),
    ]
