"""Edits of the feeder: what a form makes joins the question's list, what its button takes back leaves it."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.day_desk import Seat, seat_of
from callbacks.day_edits import Editing, Values, register_edits
from callbacks.feeder_desk import Desk
from components import feeder_asked, feeder_edits, feeder_ids, ids
from components.feeder_asked import Change
from engine.distribution.feeder import Feeder
from engine.distribution.question import MOST_EDITS, Edit
from engine.errors import EngineError, QuestionError

FIELDS = (
    "scale-value", "move-bus", "factor-value", "battery-power", "battery-energy", "add-value", "remove-name",
    "here-name", "centre-value",
)  # fmt: skip
PRESSES = ("scale", "clear", "move", "factor", "battery", "add", "remove", "here", "centre")


def edited(seat: Seat[Desk], press: str, values: Values, held: Any, found: Any) -> tuple[Change, ...]:
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


EDITING = Editing(
    presses=PRESSES,
    fields=FIELDS,
    edited=edited,
    read=feeder_asked.edits_of,
    held=feeder_asked.held_changes,
    words=feeder_edits.words_of,
    listed=feeder_edits.listed,
    taken_back="Taken back: press Solve.",
    then=": press Solve.",
)


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""
    register_edits(app, desk, EDITING)

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
            question = desk.question_of(found)
            if not clicks or question is None:
                return no_update, no_update, no_update
            seat = seat_of(desk, study)
            job = desk.unedited(seat.user, seat.study, question, submit=True).job
        except EngineError as error:
            return no_update, no_update, str(error)
        return ([job.id] if job is not None else []), time.time(), "The answer without edits is being solved."


def _feeder_now(seat: Seat[Desk], edits: tuple[Change, ...], found: Any) -> Feeder:
    """Return the feeder with the edits so far: of its file or an answer, else the one that is drawn."""
    question = seat.desk.question_of(found)
    if question is None:
        raise QuestionError("solve the question first: the feeder is read with its answer")
    feeder = seat.desk.base(seat.user, seat.study, question)
    changed = replace(
        question,
        edits=tuple(one for one in edits if isinstance(one, Edit)),
        batteries=tuple(one for one in edits if not isinstance(one, Edit)),
    )
    return changed.edited(feeder)


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
