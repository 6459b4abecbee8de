"""What stops a site in an answer with outages, redispatch or periods: in words, and as the card of its number.

What such a card says is in the record of the limit that binds.
"""

from dash import html

from components.capacity_answer import Answer, gain_words, gained, level_words
from components.capacity_results import METHOD, firm_formula, flexible_formula, inputs_of, more_words, room_words
from components.capacity_sites import bus_words
from components.format import megawatts
from components.why_card import why_card
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
    found, place = answer.result.levels[level], answer.sites()[bus]
    binding = stopping(answer, bus, level)
    name = bus_words(answer.network, answer.network.buses.ids.index(bus))
    values = [
        ("*c*", f"{megawatts(found.capacity_mw[place])}, {level_words(found.epsilon)}"),
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
        f"{megawatts(found.capacity_mw[place])} {level_words(found.epsilon)} at {name}",
        formula=flexible_formula(answer.question) if level else firm_formula(answer.question),
        values=values,
        binds=["The demand is met in full: no limit stops it." if binding is None else binding.words],
        inputs=inputs_of(answer),
        source=source + (_REDISPATCH if answer.question.recourse == "redispatch" else ""),
    )
