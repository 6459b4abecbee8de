"""Edits of types of modules: what the form makes joins the question's list, what its button takes back leaves it."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_edits import Editing, Values, register_edits
from callbacks.resilience_desk import Desk
from components import resilience_asked, resilience_edits
from components.resilience_asked import EDITED, Edit
from components.siting_typed import amount
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD

PRESSES = ("change", "clear")
FIELDS = ("type", "field", "value")


def edited(_seat: Seat[Desk], press: str, values: Values, held: Any, _found: Any) -> tuple[Edit, ...]:
    """Return the edits after a press of the form. Raises EngineError in words where nothing can be done."""
    if press == "clear":
        return ()
    edits = resilience_asked.edits_of(held)
    name, field = str(values.get("type") or ""), str(values.get("field") or "")
    if name not in {each.name for each in STANDARD} or field not in EDITED:
        raise QuestionError("choose a type of module and one of its numbers")
    new = Edit(name, field, amount(values.get("value"), EDITED[field], 0.0, 1e12))
    kept = tuple(each for each in edits if (each.type, each.field) != (name, field))
    types = resilience_asked.types_of((*kept, new))
    if problems := [problem for each in types for problem in each.problems()]:
        raise QuestionError("; ".join(problems))
    if getattr(next(each for each in STANDARD if each.name == name), field) == new.value:
        raise QuestionError(f"this is the standard {EDITED[field]} of {name}: take its edit back instead")
    return (*kept, new)


EDITING = Editing(
    presses=PRESSES,
    fields=FIELDS,
    edited=edited,
    read=resilience_asked.edits_of,
    held=resilience_asked.held_edits,
    words=resilience_edits.words_of,
    listed=resilience_edits.listed,
    taken_back="Taken back: press Compute.",
    then=". Press Compute.",
)


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""
    register_edits(app, desk, EDITING)
