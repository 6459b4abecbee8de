"""Edits of what a page of a day asks about: a form's edit joins the question's list, its button takes it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.day_desk import D, Seat, seat_of
from components import ids
from components.skeleton import Part
from engine.errors import EngineError, QuestionError

E = TypeVar("E")
Values = Mapping[str, Any]
# The edits after a press of a form, of the seat, the press, the forms' values with what is selected under "selection",
# the edits that are held and what is found. Raises EngineError in words.
Edited = Callable[[Seat[D], str, Values, Any, Any], tuple[E, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Editing(Generic[D, E]):
    """What is edited, and how it is told."""

    presses: Sequence[str]  # buttons of the forms
    fields: Sequence[str]  # their values
    edited: Edited[D, E]
    read: Callable[[Any], tuple[E, ...]]  # the edits of the Store that holds them; raises QuestionError
    held: Callable[[Sequence[E]], list[dict[str, Any]]]  # what that Store holds
    words: Callable[[E], str]  # an edit as a sentence without its stop
    listed: Callable[[Sequence[E]], Part]
    taken_back: str  # said of an edit that leaves the list
    then: str  # said after the words of a new one


def without(edits: tuple[E, ...], place: str) -> tuple[E, ...]:
    """Return the edits without the one at a place of the list. Raises QuestionError for a place that is not there."""
    if not (place.isdecimal() and place.isascii() and len(place) < 6 and int(place) < len(edits)):
        raise QuestionError("this edit is taken back already")
    return (*edits[: int(place)], *edits[int(place) + 1 :])


def after(editing: Editing[D, E], seat: Seat[D], by: Any, given: Values) -> tuple[tuple[E, ...], str] | None:
    """Return the edits after a press and what is said of it, None where nothing was pressed. Raises EngineError."""
    of = seat.desk.subject.ids
    if by == f"{of.EDITS}-pressed":
        words = given["taken"].get("value") if isinstance(given["taken"], Mapping) else None
        if not isinstance(words, str) or not words.startswith("remove "):
            return None
        return without(editing.read(given["held"]), words.removeprefix("remove ")), editing.taken_back
    press = next((name for name in editing.presses if of.edit(name) == by), "")
    if not press or not given["presses"].get(press):
        return None
    values = {**given["values"], "selection": given["selection"]}
    edits = editing.edited(seat, press, values, given["held"], given["found"])
    if not edits:
        return edits, "Nothing is edited."
    words = editing.words(edits[-1])
    return edits, f"{words[:1].upper()}{words[1:]}{editing.then}"


def register_edits(app: Dash, desk: D, editing: Editing[D, E]) -> None:
    """Wire the forms and the list."""
    of = desk.subject.ids

    @app.callback(
        Output(of.EDITS, "data"),
        Output(f"{of.EDITS}-message", "children"),
        inputs={
            "given": {
                "presses": {name: Input(of.edit(name), "n_clicks") for name in editing.presses},
                "taken": Input(f"{of.EDITS}-pressed", "data"),
            }
        },
        state={
            "held": {
                "values": {name: State(of.edit(name), "value") for name in editing.fields},
                "selection": State(ids.selection(of.PAGE), "data"),
                "held": State(of.EDITS, "data"),
                "found": State(of.FOUND, "data"),
                "study": State(of.STUDY, "data"),
            }
        },
        prevent_initial_call=True,
    )
    def edit(given: dict[str, Any], held: dict[str, Any]) -> Any:
        try:
            found = after(editing, seat_of(desk, held["study"]), ctx.triggered_id, {**given, **held})
        except EngineError as error:
            text = str(error)
            return no_update, f"{text[:1].upper()}{text[1:]}."
        if found is None:
            return no_update, no_update
        edits, told = found
        return editing.held(edits), told

    @app.callback(
        Output(f"{of.EDITS}-listed", "children"),
        Input(of.EDITS, "data"),
        prevent_initial_call=True,
    )
    def listed(held: Any) -> Any:
        try:
            return editing.listed(editing.read(held))
        except EngineError as error:
            return str(error)
