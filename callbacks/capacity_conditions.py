"""Conditions of one's own: added and taken away behind More, held with the question."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import Desk
from callbacks.shell import toast
from components import capacity_conditions as form
from components import capacity_ids, ids
from engine.capacity.conditions import MOST_CONDITIONS, Condition, read_conditions
from engine.errors import EngineError, QuestionError


def held(more: Any, start: Any) -> tuple[Condition, ...]:
    """Return the conditions that the page holds: those it was opened with until one is added or taken away."""
    if isinstance(more, Mapping) and "conditions" in more:
        return read_conditions(more["conditions"])
    question = start.get("question") if isinstance(start, Mapping) else None
    return read_conditions(question.get("conditions", ())) if isinstance(question, Mapping) else ()


def added(seat: Seat, before: tuple[Condition, ...], given: tuple[Any, Any, Any, Any]) -> tuple[Condition, ...]:
    """Return the conditions with the form's as the last. Raises QuestionError in words."""
    new = form.condition_of(*given)
    network = seat.network()
    named = {*new.buses, *(bus for bus, _ in new.weights)}
    unknown = sorted(named - set(network.buses.ids))
    if unknown:
        raise QuestionError(f"the network has no bus {unknown[0]!r}")
    for what, asked, known in (("zone", new.zones, network.buses.zones), ("area", new.areas, network.buses.areas)):
        missing = sorted(set(asked) - set(known))
        if missing:
            raise QuestionError(f"the network has no {what} {missing[0]!r}")
    if len(before) >= MOST_CONDITIONS:
        raise QuestionError(f"at most {MOST_CONDITIONS} conditions can be asked")
    return (*before, new)


def without(before: tuple[Condition, ...], place: Any) -> tuple[Condition, ...]:
    """Return the conditions but for one."""
    return tuple(condition for at, condition in enumerate(before) if at != place)


def restored(before: tuple[Condition, ...], asked: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions with one that was taken away in its old place. Raises QuestionError when it is none."""
    place, back = asked.get("place"), read_conditions([asked.get("condition")])
    at = place if isinstance(place, int) and 0 <= place <= len(before) else len(before)
    if len(before) >= MOST_CONDITIONS:
        raise QuestionError(f"at most {MOST_CONDITIONS} conditions can be asked")
    return (*before[:at], *back, *before[at:])


def register(app: Dash, desk: Desk) -> None:
    """Wire the form and the list."""

    @app.callback(
        Output(capacity_ids.MORE, "data"),
        Output(capacity_ids.CONDITIONS_LIST, "children"),
        Output(capacity_ids.CONDITIONS_MESSAGE, "children"),
        Output(capacity_ids.CONDITIONS_MARK, "children"),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(capacity_ids.CONDITIONS_ADD, "n_clicks"),
        Input({"type": "capacity-condition-remove", "place": ALL}, "n_clicks"),
        Input(capacity_ids.CONDITIONS_BACK, "data"),
        State(capacity_ids.CONDITIONS_KIND, "value"),
        State(capacity_ids.CONDITIONS_GROUP, "value"),
        State(capacity_ids.CONDITIONS_NUMBER, "value"),
        State(capacity_ids.CONDITIONS_NAME, "value"),
        State(capacity_ids.MORE, "data"),
        State(f"{capacity_ids.STUDY}-start", "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def change(*given: Any) -> Any:
        adding, removing, back, *fields, more, start, study = given
        by, told = ctx.triggered_id, no_update
        try:
            before = held(more, start)
            if by == capacity_ids.CONDITIONS_ADD and adding:
                after = added(seat_of(desk, study), before, (fields[0], fields[1], fields[2], fields[3]))
            elif isinstance(by, dict) and any(removing):
                place = by.get("place")
                after = without(before, place)
                gone = [condition.to_json() for at, condition in enumerate(before) if at == place]
                if gone:
                    undo = {"store": capacity_ids.CONDITIONS_BACK, "study": study, "place": place, "condition": gone[0]}
                    told = toast("The condition was removed", undo)
            elif by == capacity_ids.CONDITIONS_BACK and isinstance(back, dict) and back.get("study") == study:
                after = restored(before, back)
            else:
                return (no_update,) * 5
        except EngineError as error:
            return no_update, no_update, str(error), no_update, no_update
        kept = more if isinstance(more, Mapping) else {}
        records = {**kept, "conditions": [condition.to_json() for condition in after]}
        return records, form.listed(after), "", form.mark(len(after)), told
