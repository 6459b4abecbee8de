"""Edits of types of modules: what a form makes joins the question's list, what its button takes back leaves it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from dash import Dash, Input, Output, State, no_update

from callbacks.day_desk import Seat
from callbacks.day_edits import Editing, Values, register_edits
from callbacks.resilience_desk import Desk
from components import resilience_asked, resilience_edits, resilience_ids
from components.resilience_asked import EDITED, NAME, NEW, WITHOUT, Edit
from components.resilience_words import KINDS
from components.siting_typed import Problems, amount
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD, Kind, ModuleType

PRESSES = ("change", "rename", "without", "add", "clear")
FIELDS = ("type", "field", "value", "name", "new-name", "new-kind", *(f"new-{name}" for name in EDITED))
_MOST = 1e12
_EACH = ";\n"  # each problem on a line of the message


def edited(_seat: Seat[Desk], press: str, values: Values, held: Any, _found: Any) -> tuple[Edit, ...]:
    """Return the edits after a press of a form. Raises EngineError in words, every problem at once."""
    if press == "clear":
        return ()
    edits = resilience_asked.edits_of(held)
    if press == "add":
        made = _made(values)
        found = (*edits, Edit(made.name, NEW, made=made))
    else:
        found = _with(edits, press, values)
    problems = [problem for each in resilience_asked.types_of(found) for problem in each.problems()]
    if problems:
        raise QuestionError(_EACH.join(problems))
    return found


def _with(edits: tuple[Edit, ...], press: str, values: Values) -> tuple[Edit, ...]:
    """Return the edits with a change of a type that there is."""
    key, field = str(values.get("type") or ""), str(values.get("field") or "")
    own = resilience_asked.types_by_key(edits).get(key)
    if own is None or (press == "change" and field not in EDITED):
        raise QuestionError("choose a type of module and one of its numbers")
    new = next((each.made for each in edits if each.type == key and each.field == NEW), None)
    if press == "without":
        kept = tuple(each for each in edits if each.type != key)
        return kept if new is not None else (*kept, Edit(key, WITHOUT))
    value: float | str = (
        str(values.get("name") or "").strip()
        if press == "rename"
        else amount(values.get("value"), EDITED[field], 0.0, _MOST)
    )
    made = Edit(key, NAME if press == "rename" else field, value)
    if new is not None:
        changed = resilience_asked.changed(new, made)
        return (*(each for each in edits if each.type != key), Edit(changed.name, NEW, made=changed))
    kept = tuple(each for each in edits if (each.type, each.field) != (key, made.field))
    if getattr(next(each for each in STANDARD if each.name == key), made.field) == value:
        words = NAME if press == "rename" else EDITED[field]
        raise QuestionError(f"this is the standard {words} of {key}: take its edit back instead")
    return (*kept, made)


def _made(values: Values) -> ModuleType:
    """Return the type of the form. Raises QuestionError with all that is wrong with it, by every field."""
    found = Problems()
    name, kind = str(values.get("new-name") or "").strip(), str(values.get("new-kind") or "")
    if kind not in KINDS:
        found.append(f"the kind of a new type is one of {', '.join(KINDS.values())}")
        kind = "storage"
    told: dict[str, Any] = {}
    for field, words in EDITED.items():
        typed = values.get(f"new-{field}")
        if field == "ramp_mw_per_min" and typed in {None, ""}:
            told[field] = math.inf
            continue
        read = found.read(partial(amount, typed, words, -_MOST, _MOST), getattr(resilience_edits.USUAL, field))
        if field in {"inventory", "most_at_site"}:
            if not float(read).is_integer():
                found.append(f"the {words} is whole, not {read:g}")
            read = int(read)
        told[field] = read
    made = ModuleType(name=name, kind=cast("Kind", kind), **told)
    found += [*resilience_asked.wrong_name(name, "the new type"), *replace(made, name=name or "that is new").problems()]
    if found:
        raise QuestionError(_EACH.join(dict.fromkeys(found)))
    return made


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


def shown(edits: Sequence[Edit], chosen: Any) -> tuple[Any, list[dict[str, str]], Any]:
    """Return the table of types, those that can be changed, and which of them is chosen."""
    options = resilience_edits.choices(edits)
    known = [each["value"] for each in options]
    return resilience_edits.table(edits), options, chosen if chosen in known else known[0] if known else None


def register(app: Dash, desk: Desk) -> None:
    """Wire the edits."""
    register_edits(app, desk, EDITING)
    edit = resilience_ids.edit

    @app.callback(
        Output(f"{resilience_ids.EDITS}-types", "children"),
        Output(edit("type"), "options"),
        Output(edit("type"), "value"),
        Input(resilience_ids.EDITS, "data"),
        State(edit("type"), "value"),
        prevent_initial_call=True,
    )
    def types(held: Any, chosen: Any) -> Any:
        try:
            return shown(resilience_asked.edits_of(held), chosen)
        except QuestionError as error:
            return str(error), no_update, no_update
