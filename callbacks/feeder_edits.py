"""Edits of the feeder: what a form makes joins the question's list, what its button takes back leaves it."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.feeder_answer import Seat, seat_of
from callbacks.feeder_desk import Desk, question_of
from components import feeder_asked, feeder_edits, feeder_ids, ids
from components.feeder_asked import Change
from engine.distribution.feeder import Feeder
from engine.distribution.question import MOST_EDITS, Edit
from engine.errors import EngineError, QuestionError

PAGE = ids.FEEDER
FIELDS = (
    "scale-value", "move-bus", "factor-value", "battery-power", "battery-energy", "add-value", "remove-name",
    "here-name", "centre-value",
)  # fmt: skip
PRESSES = ("scale", "clear", "move", "factor", "battery", "add", "remove", "here", "centre")
Values = Mapping[str, Any]


def edited(seat: Seat, press: str, values: Values, held: Any, found: Any) -> tuple[Change, ...]:
    """Return the edits after a press of a form. Raises EngineError in words where nothing can be done.

    ``values`` are those of the forms, with what is selected under "selection".
    """
    edits = feeder_asked.edits_of(held)
    if press == "clear":
        return ()
    if len(edits) >= MOST_EDITS:
        raise QuestionError(f"{len(edits)} edits; at most {MOST_EDITS}")
    if press == "scale":
        return (*edits, feeder_edits.scaled(_number(values.get("scale-value"), "the factor of the loads")))
    feeder = _feeder_now(seat, edits, found)
    kind, _, name = str(values.get("selection") or "").partition(":")
    make: dict[str, Callable[[], Change]] = {
        "move": lambda: feeder_edits.moved(feeder, _of(kind, "centre", name), _text(values.get("move-bus"), "a bus")),
        "factor": lambda: feeder_edits.refactored(
            feeder, _of(kind, "centre", name), _number(values.get("factor-value"), "the power factor")
        ),
        "battery": lambda: feeder_edits.powered(
            feeder,
            _of(kind, "centre", name),
            _number(values.get("battery-power"), "the power of a battery"),
            _number(values.get("battery-energy"), "the energy of a battery"),
        ),
        "add": lambda: feeder_edits.added(
            feeder, _of(kind, "bus", name), _number(values.get("add-value"), "what the SVG gives")
        ),
        "centre": lambda: feeder_edits.centred(
            feeder, _of(kind, "bus", name), _number(values.get("centre-value"), "what the data centre draws")
        ),
        "remove": lambda: feeder_edits.removed(feeder, _text(values.get("remove-name"), "an SVG")),
        "here": lambda: feeder_edits.moved(
            feeder, _text(values.get("here-name"), "a data centre"), _of(kind, "bus", name)
        ),
    }
    if press not in make:
        raise QuestionError("this edit is not known")
    return feeder_edits.joined(edits, make[press]())


def without(held: Any, place: str) -> tuple[Change, ...]:
    """Return the edits without the one at a place of the list. Raises QuestionError for a place that is not there."""
    edits = feeder_asked.edits_of(held)
    if not (place.isdecimal() and place.isascii() and len(place) < 6 and int(place) < len(edits)):
        raise QuestionError("this edit is taken back already")
    return (*edits[: int(place)], *edits[int(place) + 1 :])


def after(seat: Seat, by: Any, given: Values) -> tuple[tuple[Change, ...], str] | None:
    """Return the edits after a press and what is said of it, None where nothing was pressed. Raises EngineError."""
    if by == f"{feeder_ids.EDITS}-pressed":
        words = given["taken"].get("value") if isinstance(given["taken"], Mapping) else None
        if not isinstance(words, str) or not words.startswith("remove "):
            return None
        return without(given["held"], words.removeprefix("remove ")), "Taken back: press Solve."
    press = next((name for name in PRESSES if feeder_ids.edit(name) == by), "")
    if not press or not given["presses"].get(press):
        return None
    values = {**given["values"], "selection": given["selection"]}
    edits = edited(seat, press, values, given["held"], given["found"])
    return edits, f"{_said(edits)}: press Solve." if edits else "Nothing is edited."


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""
    _register_edit(app, desk)

    @app.callback(
        Output(f"{feeder_ids.EDITS}-listed", "children"),
        Input(feeder_ids.EDITS, "data"),
        prevent_initial_call=True,
    )
    def listed(held: Any) -> Any:
        try:
            return feeder_edits.listed(feeder_asked.edits_of(held))
        except EngineError as error:
            return str(error)

    @app.callback(
        Output(feeder_ids.JOB, "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Output(f"{feeder_ids.EDITS}-message", "children", allow_duplicate=True),
        Input(f"{feeder_ids.COMPARED}-run", "n_clicks"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def solve_unedited(clicks: Any, found: Any, study: Any) -> Any:
        try:
            question = question_of(found)
            if not clicks or question is None:
                return no_update, no_update, no_update
            seat = seat_of(desk, study)
            job = desk.unedited(seat.user, seat.study, question, submit=True).job
        except EngineError as error:
            return no_update, no_update, str(error)
        return ([job.id] if job is not None else []), time.time(), "The answer without edits is being solved."


def _register_edit(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(feeder_ids.EDITS, "data"),
        Output(f"{feeder_ids.EDITS}-message", "children"),
        inputs={
            "given": {
                "presses": {name: Input(feeder_ids.edit(name), "n_clicks") for name in PRESSES},
                "taken": Input(f"{feeder_ids.EDITS}-pressed", "data"),
            }
        },
        state={
            "held": {
                "values": {name: State(feeder_ids.edit(name), "value") for name in FIELDS},
                "selection": State(ids.selection(PAGE), "data"),
                "held": State(feeder_ids.EDITS, "data"),
                "found": State(feeder_ids.FOUND, "data"),
                "study": State(feeder_ids.STUDY, "data"),
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
        return feeder_asked.held_changes(edits), told


def _feeder_now(seat: Seat, edits: tuple[Change, ...], found: Any) -> Feeder:
    """Return the feeder with the edits so far: of its file or an answer, else the one that is drawn."""
    question = question_of(found)
    if question is None:
        raise QuestionError("solve the question first: the feeder is read with its answer")
    feeder = seat.desk.base(seat.user, seat.study, question)
    changed = replace(
        question,
        edits=tuple(one for one in edits if isinstance(one, Edit)),
        batteries=tuple(one for one in edits if not isinstance(one, Edit)),
    )
    return changed.edited(feeder)


def _said(edits: tuple[Change, ...]) -> str:
    words = feeder_edits.words_of(edits[-1])
    return f"{words[:1].upper()}{words[1:]}"


def _of(kind: str, wanted: str, name: str) -> str:
    if kind != wanted:
        raise QuestionError(f"select a {'data centre' if wanted == 'centre' else wanted} first")
    return name


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise QuestionError(f"choose {what} first")
    return value


def _number(value: Any, what: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if isinstance(value, bool) or not math.isfinite(found):
        raise QuestionError(f"{what} is a number")
    return found
