"""Comparisons beside the answer that is drawn: begun by a press, followed as jobs, drawn when they are there.

The methods side by side on the same day, and the same question asked of several feeders.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from callbacks.day_desk import Seat, plain, seat_of
from callbacks.day_panes import theme_of
from callbacks.feeder_desk import Desk
from components import feeder_ids, feeder_methods, feeder_several, feeder_states, ids
from components.feeder_asked import unedited
from components.feeder_layers import At, case_of
from components.feeder_view import at_of
from components.skeleton import Part, button, progress_card, state
from engine.distribution.answers import came_with
from engine.distribution.methods_job import METHODS, methods_arguments, methods_key
from engine.distribution.methods_run import MethodsOptions, MethodsRun
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun
from engine.distribution.several import SeveralRun, default_questions
from engine.distribution.several_job import SEVERAL, several_arguments, several_key
from engine.errors import EngineError
from engine.store.jobs import Job


@dataclass(frozen=True, slots=True)
class Side:
    """One comparison: its tab, its job, and what draws it."""

    tab: str
    kind: str  # of the job
    title: str  # of its card
    press: str
    arguments: Callable[[FeederRun, At], dict[str, Any]]
    key: Callable[[Mapping[str, Any]], str]
    load: Callable[[Path], Any]
    content: Callable[..., Part]  # of (run, at, answer or None)
    rows: Callable[[Any], Any]
    place: Callable[[], Part] = lambda: None
    figure: Callable[..., Any] | None = None  # of (run, at, theme, answer)
    centres: bool = False  # nothing to compare without data centres


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A comparison, or the job that is to make it; neither when nobody has asked."""

    answer: Any = None
    job: Job | None = None


def methods_of(run: FeederRun, at: At) -> dict[str, Any]:
    """Return the arguments of the methods' job: what no method depends on is left out of the question."""
    usual, asked = FeederQuestion(), run.question
    day = replace(
        asked, method=usual.method, draw_kw=(), svg=usual.svg, scenarios=usual.scenarios,
        work_deviation=usual.work_deviation, sun_deviation=usual.sun_deviation, bits=usual.bits,
        method_time_s=usual.method_time_s,
    )  # fmt: skip
    options = MethodsOptions(svg=case_of(run, at).svg, bits=(asked.bits,))
    if asked.method_time_s != usual.method_time_s:
        options = replace(options, time_limit_s=asked.method_time_s)
    return plain(methods_arguments(day, options.checked()))


def several_of(run: FeederRun, _at: At) -> dict[str, Any]:
    """Return the arguments of the several feeders' job: the question that is drawn, less what is one feeder's own.

    Where the drawn one is not among them, by its feeder, its edits or its files, it comes last as it was asked.
    """
    bare = replace(unedited(run.question), dataset="", workload="", draw_kw=())
    asked = [replace(bare, feeder=each.feeder) for each in default_questions()]
    return plain(several_arguments(asked if run.question in asked else [*asked, run.question]))


SIDES: Mapping[str, Side] = {
    "methods": Side(
        "methods", METHODS, "Running every method on this day", "Compare the methods", methods_of, methods_key,
        MethodsRun.load, feeder_methods.content, feeder_methods.rows, feeder_methods.place, feeder_methods.figure,
        centres=True,
    ),
    "several": Side(
        "several", SEVERAL, "Solving the day of each feeder", "Compare the feeders", several_of, several_key,
        SeveralRun.load, feeder_several.content, feeder_several.rows,
    ),
}  # fmt: skip


def standing(seat: Seat[Desk], run: FeederRun, at: At, side: Side, *, submit: bool = False) -> Standing:
    """Return where a comparison of what is drawn stands; ``submit`` begins its job. Raises EngineError in words."""
    desk, arguments = seat.desk, side.arguments(run, at)
    key = side.key(arguments)
    path = desk.services.artifacts.open(key)
    if path is not None:
        return Standing(side.load(path))
    known = came_with(side.kind, arguments) is not None  # then it is given at once
    job = desk.job(seat.user, seat.study, side.kind, arguments, submit=submit or known)
    path = desk.services.artifacts.open(key)
    return Standing(side.load(path)) if path is not None else Standing(job=job)


def panel(run: FeederRun, at: At, side: Side, found: Standing) -> Part:
    """Return the content of the tab: the comparison, its job, or what to press."""
    if found.answer is not None:
        return side.content(run, at, found.answer)
    if side.centres and not run.feeder.centres:
        return state("empty", "This feeder has no data centre: there is nothing to schedule. Select a bus and add one.")
    job = found.job
    if job is not None and job.active:
        return progress_card(
            side.title, done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id
        )
    press = button(side.press, _run(side.tab), primary=True)
    told = side.content(run, at, None)
    if job is not None:
        told = feeder_states.failed(job.error, cancelled=job.state == "cancelled")
    return html.Div([told, html.P(press, className="mt-2")])


def register(app: Dash, desk: Desk) -> None:
    """Wire the tabs."""
    for side in SIDES.values():
        _register_shown(app, desk, side)
        _register_press(app, desk, side)
        if side.figure is not None:
            _register_chart(app, desk, side, side.figure)


def _register_shown(app: Dash, desk: Desk, side: Side) -> None:
    @app.callback(
        Output(feeder_ids.panel(side.tab), "children"),
        Output(feeder_ids.JOB, "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(feeder_ids.seen(side.tab), "data"),
        Input(f"{feeder_ids.JOB}-ended", "data"),
        State(feeder_ids.TAB, "value"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(at: Any, _ended: Any, tab: Any, found: Any, study: Any) -> Any:
        if tab != side.tab or at is None:
            return no_update, no_update, no_update
        return _told(seat_of(desk, study), found, at, side)


def _register_press(app: Dash, desk: Desk, side: Side) -> None:
    @app.callback(
        Output(feeder_ids.panel(side.tab), "children", allow_duplicate=True),
        Output(feeder_ids.JOB, "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(_run(side.tab), "n_clicks"),
        State(feeder_ids.AT, "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def begin(clicks: Any, at: Any, found: Any, study: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        return _told(seat_of(desk, study), found, at, side, submit=True)


def _register_chart(app: Dash, desk: Desk, side: Side, make: Callable[..., Any]) -> None:
    app.clientside_callback(
        ClientsideFunction("feederPage", "unfold"),
        Output(feeder_ids.PAINTED, "data", allow_duplicate=True),
        Input(f"{_run(side.tab)}-chart", "hidden"),
        Input(feeder_ids.figure(side.tab), "figure"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(feeder_ids.figure(side.tab), "figure"),
        Output(f"{_run(side.tab)}-chart", "hidden"),
        Input(feeder_ids.seen(side.tab), "data"),
        Input(f"{feeder_ids.JOB}-ended", "data"),
        State(feeder_ids.TAB, "value"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
    )  # called too when its chart is put there
    def chart(at: Any, _ended: Any, tab: Any, found: Any, study: Any) -> Any:
        if tab != side.tab or at is None:
            return no_update, no_update
        seat = seat_of(desk, study)
        try:
            run = seat.drawn(found)
            answer = None if run is None else standing(seat, run, at_of(at), side).answer
        except EngineError:  # the panel says why
            return no_update, True
        return (no_update, True) if answer is None else (make(run, at_of(at), theme_of(at), answer), False)


def _told(seat: Seat[Desk], found: Any, at: Any, side: Side, *, submit: bool = False) -> tuple[Any, Any, Any]:
    """Return the content of a tab, the jobs to wait for and the wake of the banner."""
    try:
        run = seat.drawn(found)
        if run is None:
            return feeder_states.nothing_yet(), no_update, no_update
        now = standing(seat, run, at_of(at), side, submit=submit)
        content = panel(run, at_of(at), side, now)
    except EngineError as error:
        return state("failed", str(error)), no_update, no_update
    waits = now.job is not None and now.job.active
    return content, [now.job.id] if waits and now.job else no_update, time.time() if waits else no_update


def _run(tab: str) -> str:
    """Return the id of the button that begins a comparison; its chart's place is named after it."""
    return f"{ids.FEEDER}-{tab}-run"
