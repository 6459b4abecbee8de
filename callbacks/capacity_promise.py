"""What the drawn answer's promise is worth, and its check by other solvers: measured by jobs, shown when they end."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_aside import Standing, begin, standing
from callbacks.capacity_desk import Desk
from callbacks.followed import follow_job
from components import capacity_check, capacity_ids, ids
from components import capacity_promise as panel
from components.capacity_answer import Answer
from components.skeleton import parse_element
from engine.capacity.check_jobs import CHECK, check_arguments
from engine.capacity.independent import IndependentCheck
from engine.capacity.promise import Promise
from engine.capacity.promise_jobs import PROMISE, promise_arguments
from engine.errors import EngineError


@dataclass(frozen=True, slots=True)
class Told:
    """A panel, and the job it waits for."""

    children: Any
    job: str | None = None


def promise_panel(seat: Seat, drawn: Any, selection: Any, *, pressed: bool) -> Told:
    """Return the panel of the promise for the answer that is drawn. Raises EngineError in words."""
    answer = seat.answer(drawn)
    if answer is None:
        return Told(panel.nothing())
    reason = unmeasured(answer, drawn)
    if reason:
        return Told(panel.not_measured(reason))
    services, question = seat.desk.services, answer.question
    arguments = as_sent(promise_arguments(answer.network.digest, question, _levels(answer)))
    act = begin if pressed else standing
    found = act(services, seat.user, seat.study, PROMISE, arguments)
    if found.content is not None:
        element = parse_element(selection)
        bus = element[1] if element is not None and element[0] == "bus" else None
        return Told(panel.done(Promise.from_json(found.content), question, bus))
    if found.job is None:
        return Told(panel.to_measure(_before(seat)))
    return _told_of(found, panel.running, panel.failed)


def check_panel(seat: Seat, drawn: Any, *, pressed: bool) -> Told:
    """Return the panel of the check by other solvers for the answer that is drawn. Raises EngineError in words."""
    answer = seat.answer(drawn)
    if answer is None or not answer.result.levels:
        return Told(panel.nothing())
    question = answer.question
    if question.security != "base" or question.recourse != "none" or question.period != "year":
        return Told(
            capacity_check.to_check("An answer with outages, redispatch or seasons is checked by programs of its own.")
        )
    arguments = as_sent(check_arguments(answer.network.digest, question, _levels(answer)))
    act = begin if pressed else standing
    found = act(seat.desk.services, seat.user, seat.study, CHECK, arguments)
    if found.content is not None:
        return Told(capacity_check.done(IndependentCheck.from_json(found.content)))
    if found.job is None:
        return Told(capacity_check.to_check())
    return _told_of(found, capacity_check.running, capacity_check.failed)


def unmeasured(answer: Answer, drawn: Any) -> str:
    """Return why the promise of an answer is not measured, "" where it can be."""
    question = answer.question
    if not answer.result.levels:
        return "Nothing is granted: there is no promise to measure."
    if question.uncertainty.kind == "box":
        return "A box has no probabilities: choose hours, distributions or a file to measure the promise."
    if isinstance(drawn, Mapping) and drawn.get("period") not in {None, "", "year"}:
        return "The promise is measured for the whole year: switch to it above the map."
    return ""


def as_sent(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments as they come back from a job: plain JSON values, so that both compare equal."""
    content: dict[str, Any] = json.loads(json.dumps(arguments))
    return content


def _levels(answer: Answer) -> list[tuple[float, ...]]:
    return [level.capacity_mw for level in answer.result.levels]


def _before(seat: Seat) -> Promise | None:
    """Return the promise that this study measured last, of another question or network."""
    listed = seat.desk.services.results.list(seat.user, seat.study, PROMISE)
    try:
        return Promise.from_json(listed[0].content) if listed else None
    except (LookupError, TypeError, ValueError):  # of another version of the product
        return None


def _told_of(found: Standing, running: Callable[..., Any], failed: Callable[..., Any]) -> Told:
    job = found.job
    if job is None:
        return Told(None)
    if job.active:
        return Told(running(job), job.id)
    return Told(failed(job.error or "", cancelled=job.state == "cancelled"))


def register(app: Dash, desk: Desk) -> None:
    """Wire both panels."""
    for name in (capacity_ids.PROMISE, capacity_ids.CHECKED):
        follow_job(app, name)
    _register_promise(app, desk)
    _register_check(app, desk)


def _register_promise(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.PROMISE, "children"),
        Output(f"{capacity_ids.PROMISE}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(capacity_ids.ANSWERED, "data"),
        Input(ids.selection(ids.CAPACITY), "data"),
        Input(f"{capacity_ids.PROMISE_MEASURE}-pressed", "data"),
        Input(f"{capacity_ids.PROMISE}-ended", "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show_promise(drawn: Any, selection: Any, press: Any, _ended: Any, study: Any) -> Any:
        pressed = bool(press) and ctx.triggered_id == f"{capacity_ids.PROMISE_MEASURE}-pressed"
        return _shown(lambda: promise_panel(seat_of(desk, study), drawn, selection, pressed=pressed), pressed=pressed)


def _register_check(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.CHECKED, "children"),
        Output(f"{capacity_ids.CHECKED}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(capacity_ids.ANSWERED, "data"),
        Input(f"{capacity_ids.CHECKED_RUN}-pressed", "data"),
        Input(f"{capacity_ids.CHECKED}-ended", "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show_check(drawn: Any, press: Any, _ended: Any, study: Any) -> Any:
        pressed = bool(press) and ctx.triggered_id == f"{capacity_ids.CHECKED_RUN}-pressed"
        return _shown(lambda: check_panel(seat_of(desk, study), drawn, pressed=pressed), pressed=pressed)


def _shown(make: Callable[[], Told], *, pressed: bool) -> tuple[Any, Any, Any]:
    try:
        told = make()
    except EngineError as error:
        return panel.not_measured(str(error)), None, no_update
    return told.children, told.job, time.time() if pressed else no_update
