"""Edits of hubs and limits: what a form makes joins the question's list, what its button takes back leaves it."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_edits import Editing, Values, register_edits
from callbacks.hubs_desk import Desk
from components import hubs_asked, hubs_edits
from components.siting_typed import amount
from engine.errors import QuestionError
from engine.pricing.question import MOST_EDITS, Edit, HubQuestion

# Each press with what it changes: of what is selected, or of all.
OF_HUBS, OF_LINES, OF_SUBSTATION = ("hub", "all"), ("line", "lines"), ("substation", "grid")
PRESSES = (*OF_HUBS, *OF_LINES, *OF_SUBSTATION, "clear")
FIELDS = (
    *(f"{press}-factor" for press in PRESSES if press != "clear"),
    *(f"{press}-asset" for press in (*OF_HUBS, *OF_SUBSTATION)),
)


def edited(seat: Seat[Desk], press: str, values: Values, held: Any, found: Any) -> tuple[Edit, ...]:
    """Return the edits after a press of a form. Raises EngineError in words where nothing can be done.

    ``values`` are those of the forms, with what is selected under "selection".
    """
    edits = hubs_asked.edits_of(held)
    if press == "clear":
        return ()
    if len(edits) >= MOST_EDITS:
        raise QuestionError(f"{len(edits)} edits; at most {MOST_EDITS}")
    edit = _asked(press, values)
    question = seat.desk.question_of(found) or HubQuestion()
    drawn = HubQuestion.from_json(question.to_json() | {"edits": hubs_asked.held_edits(edits)})
    return (*edits, hubs_edits.checked(seat.desk.case(seat.user, seat.study, drawn), edit))


def _asked(press: str, values: Values) -> Edit:
    """Return the edit that a form asks for. Raises QuestionError where it cannot be read."""
    factor = amount(values.get(f"{press}-factor"), "factor of an edit", 0.0, 100.0)
    asset: Any = "line limit" if press in OF_LINES else values.get(f"{press}-asset")
    if press in OF_SUBSTATION and asset not in hubs_edits.OF_SUBSTATION:
        raise QuestionError(f"the substation has a {' and a '.join(hubs_edits.OF_SUBSTATION.values())}")
    if press not in {"hub", "line"}:
        return Edit(asset, factor)
    kind, _, name = str(values.get("selection") or "").partition(":")
    if kind != press or not name:
        raise QuestionError(f"select a {press} first")
    return Edit(asset, factor, hub=name) if press == "hub" else Edit(asset, factor, line=name)


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
