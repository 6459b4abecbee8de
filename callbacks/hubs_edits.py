"""Edits of hubs: what a form makes joins the question's list, what its button takes back leaves it."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.hubs_answer import Seat, seat_of
from callbacks.hubs_desk import Desk, question_of
from components import hubs_asked, hubs_edits, hubs_ids, ids
from components.siting_typed import amount
from engine.errors import EngineError, QuestionError
from engine.pricing.question import MOST_EDITS, Edit, HubQuestion

PRESSES = ("hub", "all", "clear")
FIELDS = ("hub-asset", "hub-factor", "all-asset", "all-factor")
Values = Mapping[str, Any]


def edited(seat: Seat, press: str, values: Values, held: Any, found: Any) -> tuple[Edit, ...]:
    """Return the edits after a press of a form. Raises EngineError in words where nothing can be done.

    ``values`` are those of the forms, with what is selected under "selection".
    """
    edits = hubs_asked.edits_of(held)
    if press == "clear":
        return ()
    if len(edits) >= MOST_EDITS:
        raise QuestionError(f"{len(edits)} edits; at most {MOST_EDITS}")
    hub = hubs_edits.EVERY
    if press == "hub":
        kind, _, hub = str(values.get("selection") or "").partition(":")
        if kind != "hub" or not hub:
            raise QuestionError("select a hub first")
    factor = amount(values.get(f"{press}-factor"), "factor of an edit", 0.0, 100.0)
    question = question_of(found) or HubQuestion()
    drawn = HubQuestion.from_json(question.to_json() | {"edits": hubs_asked.held_edits(edits)})
    hubs = seat.desk.case(seat.user, seat.study, drawn).hubs
    return (*edits, hubs_edits.made(hubs, hub, values.get(f"{press}-asset"), factor))


def without(held: Any, place: str) -> tuple[Edit, ...]:
    """Return the edits without the one at a place of the list. Raises QuestionError for a place that is not there."""
    edits = hubs_asked.edits_of(held)
    if not (place.isdecimal() and place.isascii() and len(place) < 6 and int(place) < len(edits)):
        raise QuestionError("this edit is taken back already")
    return (*edits[: int(place)], *edits[int(place) + 1 :])


def after(seat: Seat, by: Any, given: Values) -> tuple[tuple[Edit, ...], str] | None:
    """Return the edits after a press and what is said of it, None where nothing was pressed. Raises EngineError."""
    if by == f"{hubs_ids.EDITS}-pressed":
        words = given["taken"].get("value") if isinstance(given["taken"], Mapping) else None
        if not isinstance(words, str) or not words.startswith("remove "):
            return None
        return without(given["held"], words.removeprefix("remove ")), "Taken back: press Compute."
    press = next((name for name in PRESSES if hubs_ids.edit(name) == by), "")
    if not press or not given["presses"].get(press):
        return None
    values = {**given["values"], "selection": given["selection"]}
    edits = edited(seat, press, values, given["held"], given["found"])
    if not edits:
        return edits, "Nothing is edited."
    words = hubs_edits.words_of(edits[-1])
    return edits, f"{words[:1].upper()}{words[1:]}. Press Compute."


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""

    @app.callback(
        Output(hubs_ids.EDITS, "data"),
        Output(f"{hubs_ids.EDITS}-message", "children"),
        inputs={
            "given": {
                "presses": {name: Input(hubs_ids.edit(name), "n_clicks") for name in PRESSES},
                "taken": Input(f"{hubs_ids.EDITS}-pressed", "data"),
            }
        },
        state={
            "held": {
                "values": {name: State(hubs_ids.edit(name), "value") for name in FIELDS},
                "selection": State(ids.selection(ids.HUBS), "data"),
                "held": State(hubs_ids.EDITS, "data"),
                "found": State(hubs_ids.FOUND, "data"),
                "study": State(hubs_ids.STUDY, "data"),
            }
        },
        prevent_initial_call=True,
    )
    def edit(given: dict[str, Any], held: dict[str, Any]) -> Any:
        try:
            found = after(seat_of(desk, held["study"]), ctx.triggered_id, {**given, **held})
        except EngineError as error:
            text = str(error)
            return no_update, f"{text[:1].upper()}{text[1:]}."
        if found is None:
            return no_update, no_update
        edits, told = found
        return hubs_asked.held_edits(edits), told

    @app.callback(
        Output(f"{hubs_ids.EDITS}-listed", "children"),
        Input(hubs_ids.EDITS, "data"),
        prevent_initial_call=True,
    )
    def listed(held: Any) -> Any:
        try:
            return hubs_edits.listed(hubs_asked.edits_of(held))
        except EngineError as error:
            return str(error)
