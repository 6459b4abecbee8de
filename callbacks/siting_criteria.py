"""A planner's own criteria: their file taken in, each column's use chosen, the question's word written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.capacity_desk import dataset_of
from callbacks.siting_answer import Seat, seat_of
from callbacks.siting_desk import Desk
from callbacks.siting_site import named
from callbacks.uploads import content_of
from components import siting_criteria, siting_ids, siting_words
from components.format import count
from engine.errors import EngineError, FileFormatError, QuestionError
from engine.siting.criteria import (
    OWN_GROUP,
    Column,
    Criterion,
    OwnCriteria,
    criteria_from_json,
    criteria_problems,
    read_columns,
)
from engine.siting.question import SitingQuestion
from engine.siting.ranking import GROUPS

CRITERIA_KIND = "siting-criteria"  # of a study's files
_SHOWN = 8  # problems of a file that are listed


def files_of(seat: Seat) -> list[tuple[str, str]]:
    """Return (digest, name) of the study's files of criteria."""
    listed = seat.desk.services.studies.datasets(seat.user, seat.study)
    return [(entry.digest, entry.name) for entry in listed if entry.kind == CRITERIA_KIND]


def take_in(seat: Seat, filename: str, content: bytes) -> tuple[str, str]:
    """Keep a file of criteria with the study once it can be read; return its digest and what is told.

    Raises EngineError with everything that is wrong in it.
    """
    try:
        columns = read_columns(content.decode("utf-8-sig"), seat.network().buses.ids)
    except UnicodeDecodeError:
        raise FileFormatError(f"{filename} is no text in UTF-8: save it as CSV") from None
    except QuestionError as error:
        lines = str(error).split("; ")
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise FileFormatError(f"{filename}: " + "; ".join(lines[:_SHOWN]) + more) from error
    entry = seat.desk.services.studies.add_dataset(seat.user, seat.study, filename, CRITERIA_KIND, content)
    return entry.digest, f"{filename}: {count(len(columns), 'column')} read. Choose what each counts as."


def columns_of(seat: Seat, digest: str) -> list[Column]:
    """Return the columns of a file of the study. Raises EngineError when it is not there."""
    content = dataset_of(seat.desk.services, seat.user, seat.study, digest)[1]
    return read_columns(content.decode("utf-8-sig", errors="replace"), seat.network().buses.ids)


def held_of(word: Any) -> tuple[str, tuple[Criterion, ...], dict[str, float]]:
    """Return the file, the criteria and the weights of own groups that the page's word holds; none it cannot read."""
    try:
        held = json.loads(word) if isinstance(word, str) and word else {}
        groups = {str(name): float(weight) for name, weight in held.get("group_weights", ())}
        return str(held.get("criteria_file", "")), criteria_from_json(held.get("criteria", ())), groups
    except (ValueError, TypeError, AttributeError, QuestionError):
        return "", (), {}


def criteria_of(values: Mapping[str, Mapping[str, Any]]) -> tuple[Criterion, ...]:
    """Return the criteria that the controls hold, by column and part. Raises QuestionError with every problem."""
    made, problems = [], []
    for column, held in values.items():
        use = held.get("use")
        if not use or use == siting_criteria.NONE:
            continue
        part = "limit" if str(use).startswith("gate") else "weight"
        try:
            value = float(held.get(part))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            problems.append(f"{column}: give its {part} as a number")
            continue
        criterion = Criterion(column, use, group=str(held.get("group") or OWN_GROUP).strip() or OWN_GROUP)
        made.append(replace(criterion, limit=value) if part == "limit" else replace(criterion, weight=value))
    problems += criteria_problems(made)
    if problems:
        raise QuestionError("; ".join(problems))
    return tuple(made)


def word_of(digest: str, criteria: Sequence[Criterion], weights: Mapping[str, float]) -> str:
    """Return the word of the question for criteria; own groups with their weights, those of 1 left out."""
    if not criteria or not digest:
        return ""
    groups = own_groups(criteria)
    chosen = tuple((name, weights[name]) for name in groups if weights.get(name, 1.0) != 1.0)
    return siting_words.criteria_word(
        SitingQuestion(criteria=tuple(criteria), criteria_file=digest, group_weights=chosen)
    )


def own_groups(criteria: Sequence[Criterion]) -> list[str]:
    """Return the groups of the criteria that are not the ranking's."""
    return list(dict.fromkeys(one.group for one in criteria if not one.gates and one.group not in GROUPS))


def weights_of(names: Any, values: Any) -> dict[str, float]:
    """Return the weights of own groups. Raises QuestionError for one that is no number."""
    found = {}
    for name, value in named(names, values).items():
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            raise QuestionError(f"the weight of group {name!r:.60} is a number of 0 or more") from None
    return found


def register(app: Dash, desk: Desk) -> None:
    """Wire the panel."""
    _register_file(app, desk)
    _register_choice(app, desk)
    app.clientside_callback(
        ClientsideFunction("siting", "criterionUse"),
        Output(siting_ids.criterion("limit-place", MATCH), "hidden"),
        Output(siting_ids.criterion("group-place", MATCH), "hidden"),
        Output(siting_ids.criterion("weight-place", MATCH), "hidden"),
        Input(siting_ids.criterion("use", MATCH), "value"),
    )


def _register_file(app: Dash, desk: Desk) -> None:
    name = siting_ids.CRITERIA

    @app.callback(
        Output(f"{name}-file", "options"),
        Output(f"{name}-file", "value"),
        Output(f"{name}-message", "children", allow_duplicate=True),
        Input(siting_ids.CRITERIA_UPLOAD, "contents"),
        State(siting_ids.CRITERIA_UPLOAD, "filename"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def upload(contents: Any, filename: Any, study: Any) -> Any:
        if not isinstance(contents, str):
            return (no_update,) * 3
        seat = seat_of(desk, study)
        try:
            content = content_of(contents)
            digest, told = take_in(seat, str(filename or "file"), content)
        except EngineError as error:
            return no_update, no_update, str(error)
        listed = [{"value": key, "label": label} for key, label in files_of(seat)]
        return [{"value": siting_criteria.NONE, "label": "none"}, *listed], digest, told

    @app.callback(
        Output(f"{name}-table", "children"),
        Output(f"{name}-groups", "children", allow_duplicate=True),
        Input(f"{name}-file", "value"),
        State(siting_ids.word("criteria"), "value"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show(digest: Any, held: Any, study: Any) -> Any:
        if not isinstance(digest, str) or digest in {"", siting_criteria.NONE}:
            return None, None
        of, criteria, weights = held_of(held)
        known = criteria if of == digest else ()
        try:
            columns = columns_of(seat_of(desk, study), digest)
        except EngineError as error:
            return f"{error}.", None
        table = siting_criteria.table(columns, {one.column: one for one in known})
        return table, siting_criteria.groups(own_groups(known), weights)


def _register_choice(app: Dash, desk: Desk) -> None:
    name = siting_ids.CRITERIA
    word = siting_ids.word("criteria")

    @app.callback(
        Output(word, "value"),
        Output(f"{name}-groups", "children"),
        Output(f"{name}-message", "children"),
        *(Input(siting_ids.criterion(part, ALL), "value") for part in siting_criteria.PARTS),
        Input(siting_ids.own_group(ALL), "value"),
        Input(f"{name}-file", "value"),
        State(siting_ids.criterion("use", ALL), "id"),
        State(siting_ids.own_group(ALL), "id"),
        State(word, "value"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def choose(*given: Any) -> Any:
        *parts, weights, digest, names, groups, held, study = given
        if not digest or digest == siting_criteria.NONE:
            return ("" if held else no_update), None, ""
        if not names:  # the table of the file is on its way
            return no_update, no_update, no_update
        before = held_of(held)
        try:
            by_part = {part: named(names, values) for part, values in zip(siting_criteria.PARTS, parts, strict=True)}
            columns = list(by_part["use"])
            criteria = criteria_of({key: {part: by_part[part][key] for part in by_part} for key in columns})
            own = own_groups(criteria)
            chosen = before[2] | weights_of(groups, weights)
            made = word_of(str(digest), criteria, chosen)
            told = ""
            if criteria:
                table = columns_of(seat_of(desk, study), str(digest))
                told = siting_criteria.said(OwnCriteria.of(criteria, table))
        except EngineError as error:
            return no_update, no_update, f"{error}."
        shown = [one["name"] for one in groups]
        rows = no_update if shown == own else siting_criteria.groups(own, chosen)
        return (no_update if made == (held or "") else made), rows, told
