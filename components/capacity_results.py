"""The totals, the notices and the states of a capacity answer, in plain words."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from dash import html

from components import capacity_ids
from components.capacity_answer import (
    Answer,
    big,
    element_words,
    gain_words,
    gained,
    kind_words,
    level_words,
    limit_element,
    served_in_full,
    signed,
    without_outage,
)
from components.capacity_deep import UNCHANGED_MW, left_out
from components.format import count, megawatts, percent
from components.skeleton import Part, totals
from components.why_card import WhyInput, why_card, why_number
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Binding

METHOD = (
    "robust and CVaR capacity by exact margins; Rockafellar and Uryasev, J. Risk 2(3), 2000; "
    "transmission capacity auction, arXiv 2604.08854"
)
_NOTHING = "\u2013"


def empty_totals() -> html.Dl:
    """Return the key numbers before there is an answer."""
    return totals(
        [
            {"label": "Firm", "value": _NOTHING, "sign": "firm"},
            {"label": "Flexible, added", "value": _NOTHING, "sign": "flexible"},
            {"label": "Binds most", "value": _NOTHING, "sign": "binding"},
        ]
    )


def totals_of(answer: Answer, so_far: str = "") -> html.Dl:
    """Return the key numbers of an answer: firm, flexible, what binds most. ``so_far`` says that it is not yet the
    one that was asked for: "without outages so far".
    """
    if answer.stopped:
        return _stopped_totals(answer)
    cells = [_firm_total(answer, so_far)]
    cells += _flexible_totals(answer)
    cells.append(_binding_total(answer))
    return totals(cells)


def _firm_total(answer: Answer, so_far: str) -> dict[str, Any]:
    level, asked = answer.result.levels[0], sum(answer.result.demand_mw)
    value, unit = big(level.total_mw)
    card = why_card(
        f"{megawatts(level.total_mw)} firm at {count(len(answer.result.candidates), 'site')}",
        formula=f"*C* = Σ_n *c*_n,  {firm_formula(answer.question)}",
        values=[
            ("*C*", megawatts(level.total_mw)),
            ("largest total the same limits allow", megawatts(level.most_total_mw)),
            ("lost to the objective", megawatts(level.lost_to_objective_mw)),
            ("given up so that every part is deliverable", megawatts(level.lost_to_subsets_mw)),
            *_left_for_units(answer),
        ],
        binds=[binding.words for binding in level.binding[:4]],
        inputs=inputs_of(answer),
        source=METHOD,
        note=f"The optimum is checked apart from the solver: gap {level.gap:.1g}.",
    )
    full = served_in_full(answer)
    note = f"of {megawatts(asked)} asked; {count(full, 'site')} served in full"
    spare = answer.prepared.spare
    if so_far:
        note = so_far
    elif answer.base is not None and answer.base.levels:
        change = level.total_mw - answer.base.levels[0].total_mw
        note = f"{_change_words(change)} by {left_out(answer.question)}"
        if change < -UNCHANGED_MW and left_out(answer.question) == "redispatch":
            note = f"{_change_words(change)}: the largest outputs of units count here"
    if not so_far and spare is not None and short_of_units_mw(answer, level.total_mw):
        left = f"units have {megawatts(max(spare.mw, 0.0))} left"
        note = f"{note}; {left}" if answer.deep else f"{left}: fixed shares do not ask"
    shown = why_number("capacity-why-total-firm", value, card, label="firm capacity of all sites")
    label = f"Firm, {answer.period}" if answer.period else "Firm"
    return {"label": label, "value": shown, "unit": unit, "note": note, "sign": "firm"}


def short_of_units_mw(answer: Answer, total_mw: float) -> float:
    """Return by how much a total of fixed shares exceeds what units have left in the hardest state, 0 if it does not.

    Fixed shares say who produces, not whether it can. With redispatch the largest outputs are limits themselves.
    """
    spare = answer.prepared.spare
    if spare is None or answer.question.recourse == "redispatch":
        return 0.0
    over = total_mw - max(spare.mw, 0.0)
    return over if over > UNCHANGED_MW else 0.0


def _left_for_units(answer: Answer) -> list[tuple[str, str]]:
    spare = answer.prepared.spare
    return [] if spare is None else [(f"units have left in {spare.state}", megawatts(max(spare.mw, 0.0)))]


def _change_words(change_mw: float) -> str:
    return "unchanged" if abs(change_mw) < UNCHANGED_MW else signed(change_mw)


def firm_formula(question: CapacityQuestion) -> str:
    """Return what keeps firm capacity, in the field's notation: with outages k, with a dispatch p that follows d."""
    if question.recourse == "redispatch":
        after = " for every outage *k*" if question.security == "n-1" else ""
        return f"for every *d* some *p*(*d*): |*S*_l (*c* + *d* − *p*)| ≤ *F*_l{after}"
    if question.security == "n-1":
        return "Σ_n *S*_{ln}^k *c*_n ≤ *F*_l^k − max_d *S*_l^k *d* for every outage *k*"
    return "Σ_n *S*_{ln} *c*_n ≤ *F*_l − max_d *S*_l *d*"


def flexible_formula(question: CapacityQuestion) -> str:
    """Return what keeps flexible capacity: a row for each limit, or one of the least overload L with redispatch."""
    if question.recourse == "redispatch":
        return "CVaR_{ε}(*L*(*c*^{ε}, *d*)) ≤ 0,  *L* = min_p max_l (|*f*_l| − *F*_l) / *F*_l"
    tail = "VaR" if question.measure == "var" else "CVaR"
    if question.security == "n-1":
        return f"Σ_n *S*_{{ln}}^k *c*_n^{{ε}} ≤ *F*_l^k − {tail}_{{ε}}(*S*_l^k *d*) for every outage *k*"
    return f"Σ_n *S*_{{ln}} *c*_n^{{ε}} ≤ *F*_l − {tail}_{{ε}}(*S*_l *d*)"


def _flexible_totals(answer: Answer) -> list[dict[str, Any]]:
    levels = answer.result.levels
    if len(levels) == 1:
        return [{"label": "Flexible, added", "value": _NOTHING, "note": "no risk level is asked", "sign": "flexible"}]
    last, firm = levels[-1], levels[0]
    gain = last.total_mw - firm.total_mw
    value, unit = big(gain)
    steps = [
        (f"added {level_words(level.epsilon)}", megawatts(level.total_mw - before.total_mw))
        for before, level in pairwise(levels)
    ]
    kept = [bus for level in levels for bus in level.kept_by_floor]
    note = "The risk holds for each limit by itself; how often any of them interrupts can be more."
    if answer.question.recourse == "redispatch":
        note = "The risk holds for all limits together: it is of the least overload that any dispatch leaves."
    if kept:
        stand = "is" if len(kept) == 1 else "are"
        note += f" {count(len(kept), 'site')} would have got less than firm and {stand} kept at it."
    card = why_card(
        f"{megawatts(gain)} more, interrupted in at most {percent(last.epsilon)}",
        formula=f"Δ = Σ_n (*c*_n^{{ε}} − *c*_n),  {flexible_formula(answer.question)}",
        values=[
            *steps,
            ("total with firm", megawatts(last.total_mw)),
            ("lost to the objective", megawatts(last.lost_to_objective_mw)),
        ],
        binds=[binding.words for binding in last.binding[:4]],
        inputs=inputs_of(answer),
        source=METHOD,
        note=note,
    )
    shown = why_number("capacity-why-total-flexible", f"+{value}", card, label="flexible capacity of all sites")
    return [{"label": f"Flexible, {level_words(last.epsilon)}", "value": shown, "unit": unit,
             "note": f"{megawatts(last.total_mw)} with firm", "sign": "flexible"}]  # fmt: skip


def strongest(answer: Answer) -> Binding | None:
    """Return the limit that binds most at firm level: the one whose next MW brings most."""
    bindings = answer.result.levels[0].binding if answer.result.levels else ()
    valued = [binding for binding in bindings if binding.gain_mw_per_mw is not None]
    if valued:
        return max(valued, key=lambda binding: binding.gain_mw_per_mw or 0.0)
    return bindings[0] if bindings else None


def _binding_total(answer: Answer) -> dict[str, Any]:
    binding = strongest(answer)
    if binding is None:
        return {"label": "Binds most", "value": "nothing", "note": "every site gets all it asks for", "sign": "binding"}
    words = gain_words(binding)
    kind = kind_words(binding.limit) or binding.limit.words
    if binding.limit.outage:
        kind += f" after the outage of {binding.limit.outage}"
    return {
        "label": "Binds most",
        "value": why_number(capacity_ids.WHY_BINDING, element_words(binding.limit), label="the limit that binds most"),
        "note": f"{kind}; {words}" if words else kind,
        "sign": "binding",
    }


def binding_card(answer: Answer, binding: Binding, gain: float | None) -> html.Div:
    """Return the card of the limit that binds most. ``gain`` is what 10 MW more bring in total, by solving again."""
    dual = binding.gain_mw_per_mw
    return why_card(
        sentence(binding.limit.words),
        formula="∂*C* / ∂*F*_l",
        values=[
            ("limit", megawatts(binding.limit.limit_mw)),
            (room_words(binding), megawatts(binding.margin_mw)),
            ("the first MW more gives, in total", "not one number" if dual is None else gained(dual)),
            *([] if gain is None else [("10 MW more give, in total", more_words(answer, gain))]),
            *([("worst outage", binding.limit.outage)] if binding.limit.outage else []),
            *([("worst state", binding.state)] if binding.state else []),
        ],
        binds=[sentence(binding.words)],
        inputs=inputs_of(answer),
        source="the first MW by the duals of the allocation"
        + ("" if gain is None else "; the 10 MW by solving again with the larger limit"),
    )


def room_words(binding: Binding) -> str:
    """Return what a limit's margin is: of the limit itself, or with redispatch of all sites that it stops."""
    if binding.limit.kind != "cut":
        return "room before any addition"
    return f"room that {'it and ' if binding.limit.element else ''}the units leave all sites"


def more_words(answer: Answer, gain_mw: float) -> str:
    """Return what 10 MW more of a limit bring; after outages a bound: other limits after them may stop it before."""
    return f"at most {gained(gain_mw)}" if answer.question.security == "n-1" else gained(gain_mw)


def _stopped_totals(answer: Answer) -> html.Dl:
    rows = answer.result.over_limit
    worst = max(rows, key=lambda row: row.over_mw)
    return totals(
        [
            {"label": "Firm", "value": _NOTHING, "note": "stopped: limits are exceeded already", "sign": "firm"},
            {"label": "Flexible, added", "value": _NOTHING, "sign": "flexible"},
            {
                "label": "Exceeded most",
                "value": element_words(worst.limit),
                "note": f"by {megawatts(worst.over_mw)} before anything is added",
                "sign": "binding",
            },
        ]
    )


def inputs_of(answer: Answer) -> list[WhyInput]:
    """Return the inputs of a number: network, states, question, each with its hash, and the date."""
    origin = answer.result.provenance
    date = origin.date[:16].replace("T", " ")
    return [
        WhyInput(origin.network, origin.network_digest),
        WhyInput(origin.source, origin.uncertainty_digest, f"seed {origin.seed}"),
        WhyInput("this question", origin.question_digest, f"{date} UTC, {origin.solver}"),
    ]


def notices(answer: Answer) -> list[str]:
    """Return what a reader must know about the answer: the engine's notices, each once."""
    said = [*answer.prepared.notices, *answer.result.notices]
    spare, most = answer.prepared.spare, max((level.total_mw for level in answer.result.levels), default=0.0)
    over = short_of_units_mw(answer, most)
    if over and spare is not None:
        said.insert(
            0,
            f"the {megawatts(most)} are {megawatts(over)} more than units have left in {spare.state}: fixed shares do "
            "not ask for largest outputs, units that redispatch do",
        )
    if answer.products is not None:
        said += answer.products.notices
    if answer.deep:
        said.append("what each bus could take alone is told without outages, redispatch and periods")
    return list(dict.fromkeys(said))


def notice_list(lines: Sequence[str]) -> Part:
    """Return the notices as a list, None when there are none."""
    return html.Ul([html.Li(sentence(line)) for line in lines], className="hr-capacity-notices") if lines else None


def over_limit_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return the exceeded limits as rows of the table of limits."""
    return [
        {
            "id": f"over|{row.level:g}|{row.limit.kind}|{row.limit.element}|{row.limit.outage}",
            "select": limit_element(row.limit),
            "limit": without_outage(row.limit),
            "outage": row.limit.outage,
            "level": f"{level_words(row.level)}, exceeded",
            "rating": row.limit.limit_mw,
            "margin": -row.over_mw,
            "gain": None,
            "sites": None,
            "lone": None,
            "state": row.state,
        }
        for row in answer.result.over_limit
    ]


def sentence(text: str) -> str:
    """Return ``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]
