"""Edits of hubs: what a form makes joins the question's list, what its button takes back leaves it."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_edits import Editing, Values, register_edits
from callbacks.hubs_desk import Desk
from components import hubs_asked, hubs_edits
from components.siting_typed import amount
from engine.errors import QuestionError
from engine.pricing.question import MOST_EDITS, Edit, HubQuestion

PRESSES = ("hub", "all", "clear")
FIELDS = ("hub-asset", "hub-factor", "all-asset", "all-factor")


def edited(seat: Seat[Desk], press: str, values: Values, held: Any, found: Any) -> tuple[Edit, ...]:
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
    question = seat.desk.question_of(found) or HubQuestion()
    drawn = HubQuestion.from_json(question.to_json() | {"edits": hubs_asked.held_edits(edits)})
    hubs = seat.desk.case(seat.user, seat.study, drawn).hubs
    return (*edits, hubs_edits.made(hubs, hub, values.get(f"{press}-asset"), factor))


EDITING = Editing(
    presses=PRESSES,
    fields=FIELDS,
    edited=edited,
    read=hubs_asked.edits_of,
    held=hubs_asked.held_edits,
    words=hubs_edits.words_of,
    listed=hubs_edits.listed,
    taken_back="Taken back: press Compute.",
    then=". Press Compute.",
)


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""
    register_edits(app, desk, EDITING)
