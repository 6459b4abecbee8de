"""Why a number of a capacity answer is so: what stops it, and what more of that limit brings, by solving again."""

from dataclasses import replace
from typing import Any

from callbacks.capacity_answer import Seat
from components.capacity_answer import Answer
from components.capacity_inspector import why_of
from components.capacity_results import binding_card, inputs_of, strongest
from components.capacity_stops import stop_card, stopping
from components.skeleton import parse_element
from engine.capacity.allocation import allocate
from engine.capacity.results import Binding
from engine.capacity.why import EXTRA_MW, reinforced, why, why_alone
from engine.errors import QuestionError


def reinforced_gain(seat: Seat, answer: Answer, binding: Binding) -> float | None:
    """Return the MW that 10 MW more of a limit bring over all sites at its level, from solving again.

    With outages at most that: of the limits after them, only those that the answer needed are looked at. None for a
    condition of one's own, and where an answer has no margins, as with redispatch.
    """
    prepared = seat.desk.margins(answer)
    if prepared is None or binding.limit.kind == "condition":
        return None
    asked = answer.question
    if asked.security == "n-1" and prepared.after is None:  # no limit after an outage was needed
        asked = replace(asked, security="base")
    wider = allocate(reinforced(prepared, binding.limit, EXTRA_MW), asked)
    found = {level.epsilon: level.total_mw for level in wider.levels}
    before = next(level.total_mw for level in answer.result.levels if level.epsilon == binding.level)
    return found[binding.level] - before if binding.level in found else None


def binding_card_for(seat: Seat, drawn: Any) -> Any:
    """Return the card of the limit that binds most. Raises QuestionError when it is not drawn any more."""
    answer = seat.answer(drawn)
    binding = None if answer is None else strongest(answer)
    if answer is None or binding is None:
        raise QuestionError("this number is not drawn any more")
    return binding_card(answer, binding, reinforced_gain(seat, answer, binding))


def why_card_for(seat: Seat, drawn: Any, selection: Any, name: str) -> Any:
    """Return the card of a number of the selected bus: ``site0`` is its firm part with the others, ``alone1`` the
    first risk level if only it took load. Raises QuestionError when that number is not drawn any more.
    """
    answer = seat.answer(drawn)
    element = parse_element(selection)
    kind, level = name[:-1], int(name[-1])
    if answer is None or element is None or element[0] != "bus" or level >= len(answer.alone.epsilons):
        raise QuestionError("this number is not drawn any more: select the bus again")
    epsilon = answer.alone.epsilons[level]
    if kind == "site" and answer.deep and element[1] in answer.sites():
        binding = stopping(answer, element[1], level)
        gain = None if binding is None else reinforced_gain(seat, answer, binding)
        return stop_card(answer, element[1], level, gain)
    if kind == "site":
        found = why(answer.prepared, answer.question, answer.result, element[1], epsilon)
    else:
        found = why_alone(answer.prepared, answer.question, element[1], epsilon)
    return why_of(found, inputs_of(answer))
