"""The methods side by side on the day that is drawn: begun by a press, followed, drawn when they are there."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from callbacks.feeder_answer import Seat, seat_of
from callbacks.feeder_desk import Desk, plain
from components import feeder_methods, feeder_states, ids
from components.feeder_layers import At, case_of
from components.feeder_view import at_of
from components.skeleton import Part, button, progress_card, state
from components.theme import Theme
from engine.distribution.answers import came_with
from engine.distribution.methods_job import METHODS, methods_arguments, methods_key
from engine.distribution.methods_run import MethodsOptions, MethodsRun
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun
from engine.errors import EngineError
from engine.store.jobs import Job

TAB = "methods"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The methods of a day, or the job that is to run them; neither when nobody has asked."""

    methods: MethodsRun | None = None
    job: Job | None = None


def asked_of(run: FeederRun, at: At) -> tuple[FeederQuestion, MethodsOptions]:
    """Return the day whose methods are compared, and in which case: what no method depends on is left out."""
    usual, asked = FeederQuestion(), run.question
    day = replace(
        asked, method=usual.method, draw_kw=(), svg=usual.svg, scenarios=usual.scenarios,
        work_deviation=usual.work_deviation, sun_deviation=usual.sun_deviation, bits=usual.bits,
        method_time_s=usual.method_time_s,
    )  # fmt: skip
    options = MethodsOptions(svg=case_of(run, at).svg, bits=(asked.bits,))
    if asked.method_time_s != usual.method_time_s:
        options = replace(options, time_limit_s=asked.method_time_s)
    return day, options.checked()


def standing(seat: Seat, run: FeederRun, at: At, *, submit: bool = False) -> Standing:
    """Return where the methods of what is drawn stand; ``submit`` begins their job. Raises EngineError in words."""
    question, options = asked_of(run, at)
    desk = seat.desk
    desk.allowed(seat.user, seat.study, question)
    arguments = plain(methods_arguments(question, options))
    key = methods_key(arguments)
    path = desk.services.artifacts.open(key)
    if path is not None:
        return Standing(MethodsRun.load(path))
    known = came_with(METHODS, arguments) is not None  # then it is given at once
    job = desk.job(seat.user, seat.study, METHODS, arguments, submit=submit or known)
    path = desk.services.artifacts.open(key)
    return Standing(MethodsRun.load(path)) if path is not None else Standing(job=job)


def panel(seat: Seat, run: FeederRun, at: At) -> tuple[Part, list[str] | None]:
    """Return the content of the tab, and the jobs whose end the page waits for."""
    found = standing(seat, run, at)
    if found.methods is not None:
        return feeder_methods.content(run, at, found.methods), None
    press = button("Compare the methods", ids.FEEDER_METHODS_RUN, primary=True)
    if not run.feeder.centres:
        return state("empty", "This feeder has no data centre: there is nothing to schedule."), None
    if found.job is not None and found.job.active:
        job = found.job
        card = progress_card(
            "Running every method on this day", done=job.done, total=job.total or None, message=job.message,
            eta_s=job.eta_s, job=job.id,
        )  # fmt: skip
        return card, [job.id]
    parts = [feeder_methods.content(run, at, None), html.P(press)]
    if found.job is not None:
        words = feeder_states.failed(found.job.error, cancelled=found.job.state == "cancelled")
        parts = [words, html.P(press)]
    return html.Div(parts), None


def register(app: Dash, desk: Desk) -> None:
    """Wire the tab."""

    @app.callback(
        Output(ids.feeder_panel(TAB), "children"),
        Output(ids.feeder_figure(TAB), "figure"),
        Output(f"{ids.FEEDER_METHODS_RUN}-chart", "hidden"),
        Output(ids.FEEDER_JOB, "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(ids.feeder_seen(TAB), "data"),
        Input(f"{ids.FEEDER_JOB}-ended", "data"),
        State(ids.FEEDER_TAB, "value"),
        State(ids.FEEDER_FOUND, "data"),
        State(ids.FEEDER_STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(at: Any, _ended: Any, tab: Any, found: Any, study: Any) -> Any:
        if tab != TAB or at is None:
            return (no_update,) * 5
        return _shown(seat_of(desk, study), found, at)

    @app.callback(
        Output(ids.feeder_panel(TAB), "children", allow_duplicate=True),
        Output(ids.FEEDER_JOB, "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(ids.FEEDER_METHODS_RUN, "n_clicks"),
        State(ids.FEEDER_AT, "data"),
        State(ids.FEEDER_FOUND, "data"),
        State(ids.FEEDER_STUDY, "data"),
        prevent_initial_call=True,
    )
    def begin(clicks: Any, at: Any, found: Any, study: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        seat = seat_of(desk, study)
        try:
            run = seat.drawn(found)
            if run is None:
                return feeder_states.nothing_yet(), no_update, no_update
            standing(seat, run, at_of(at), submit=True)
            content, jobs = panel(seat, run, at_of(at))
        except EngineError as error:
            return state("failed", str(error)), no_update, no_update
        return content, jobs or no_update, time.time()


def _shown(seat: Seat, found: Any, at: Any) -> tuple[Any, ...]:
    """Return content and chart, whether the chart is hidden, the jobs to wait for and the wake of the banner."""
    theme: Theme = "dark" if isinstance(at, Mapping) and at.get("theme") == "dark" else "light"
    try:
        run = seat.drawn(found)
        if run is None:
            return feeder_states.nothing_yet(), no_update, True, no_update, no_update
        content, jobs = panel(seat, run, at_of(at))
        methods = standing(seat, run, at_of(at)).methods
        chart = no_update if methods is None else feeder_methods.figure(run, at_of(at), theme, methods)
    except EngineError as error:
        return state("failed", str(error)), no_update, True, no_update, no_update
    return content, chart, methods is None, jobs or no_update, time.time() if jobs else no_update
