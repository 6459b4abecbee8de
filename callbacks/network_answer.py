"""The DC-OPF on the Network page: what a question, a changed word or the end of a job changes on the screen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dash import ALL, ClientsideFunction, Dash, Input, Output, Patch, State, ctx, no_update

from callbacks.network_desk import Seat, same_drawing
from callbacks.network_opf import OpfDesk, Standing, input_hash
from callbacks.security import current_user
from callbacks.shell import of_page, toast
from components import ids, network_dispatch, network_ids, skeleton
from components import network_answer as panels
from components.grid_map import layers_data
from components.network_layers import base_layers, dispatch_layers
from components.network_view import security
from engine.errors import EngineError, NetworkDataError, NotFoundError, QuestionError
from engine.network.model import Network, Vector
from engine.opf.jobs import opf_arguments
from engine.opf.question import OpfQuestion
from engine.opf.results import OpfAnswer

PAGE = ids.NETWORK
KEEP = object()  # "leave this part of the page as it is"
MOST_AT_A_WORD = 500  # buses; on a larger network a changed word waits for the button
FIRST_LAYER = "loading"  # what a new dispatch shows


@dataclass(slots=True)
class Shown:
    """What the page shows of a DC-OPF; KEEP leaves a part as it is."""

    answer: Any = KEEP  # {"digest", "question"} of the answer that is drawn
    state: Any = KEEP  # the strip
    layers: Any = KEEP
    layer: Any = KEEP
    job: Any = KEEP  # {"id", "digest", "question"} of the job that the page waits for, None for none


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: the words of the sentence, what is drawn, the job that is waited for, and what happened."""

    words: tuple[Any, ...]  # as :func:`question_of` takes them
    drawn: Any = None
    job: Any = None
    pressed: bool = False
    ended: bool = False
    layer: str = "kv"  # what the map shows; an answer brings its first layer only to who looks at none of its own


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """What the page opens with."""

    question: OpfQuestion
    shown: Shown = field(default_factory=Shown)


def question_of(
    scale: object, rating: object, least: object, outages: object = "base", after: object = "c"
) -> OpfQuestion:
    """Return the question that the words of the page ask. Raises QuestionError naming the word and its range."""
    held = {"scale_percent": scale, "rating": rating, "ignore_p_min": least == "ignore"}
    return OpfQuestion.from_json(held | security(outages, after))


def named(data: object) -> tuple[str, OpfQuestion] | None:
    """Return the digest and the question that a Store of the page names, None when it names none."""
    if not isinstance(data, Mapping) or not isinstance(data.get("digest"), str):
        return None
    try:
        return data["digest"], OpfQuestion.from_json(data.get("question"))
    except QuestionError:
        return None


def drawn_answer(seat: Seat, desk: OpfDesk, data: object) -> tuple[Network, OpfAnswer] | None:
    """Return the network and the answer that a Store of the page names, None when there are none (any more)."""
    pair = named(data)
    answer = None if pair is None else desk.find(seat.user, seat.study, *pair)
    if answer is None:
        return None
    return seat.services.network_version(seat.user, seat.study, answer.network_digest), answer


def opening(seat: Seat, desk: OpfDesk, now: str, linked: OpfQuestion | None) -> Opening:
    """Return the page's first question and answer: the link's, else the study's last one, hatched when it is old."""
    saved = desk.saved(seat.user, seat.study)
    question = linked or (saved[0] if saved else OpfQuestion())
    standing = desk.standing(seat.user, seat.study, now, question)
    if standing.answer is not None:
        return Opening(question, _answered(seat, standing.answer, now))
    shown = Shown()
    last = None
    if saved is not None:
        try:
            last = desk.find(seat.user, seat.study, saved[1], saved[0])
        except NotFoundError:  # further back than undo goes
            last = None
    if last is not None:
        shown = _stale(seat, last, now, question)
    if standing.found == "running" and standing.job is not None:
        _wait(shown, standing, now, question)
    return Opening(question, shown)


def ask(seat: Seat, desk: OpfDesk, asked: Asked) -> Shown:
    """Return what the page shows after a press of Solve, a changed word, a changed network or the end of a job."""
    try:
        now = seat.status().digest
        if asked.ended:
            return _after_job(seat, desk, asked, now)
        question = question_of(*asked.words)
        if asked.pressed:
            return _pressed(seat, desk, asked, now, question)
        return _changed(seat, desk, asked, now, question)
    except NetworkDataError as error:
        lines = panels.problem_lines(error.problems)
        return Shown(
            state=skeleton.state("failed", "The network needs mending first.", title="No dispatch", details=lines)
        )
    except EngineError as error:
        return Shown(state=skeleton.state("failed", str(error), title="No dispatch"))


def _pressed(seat: Seat, desk: OpfDesk, asked: Asked, now: str, question: OpfQuestion) -> Shown:
    standing = desk.ask(seat.user, seat.study, question, submit=True)
    if not seat.read_only():
        desk.save(seat.user, seat.study, now, question)
    if standing.answer is not None:
        shown = _answered(seat, standing.answer, now)
        shown.layer, shown.job = _first_layer(asked), None
        return shown
    shown = _kept(seat, desk, asked, now, question)
    _wait(shown, standing, now, question)
    return shown


def _after_job(seat: Seat, desk: OpfDesk, asked: Asked, now: str) -> Shown:
    pair = named(asked.job)
    if pair is None:
        return Shown()
    standing = desk.standing(seat.user, seat.study, *pair)
    question = question_of(*asked.words)
    if standing.answer is not None:
        current = standing.answer.network_digest == now and standing.answer.question == question
        shown = _answered(seat, standing.answer, now) if current else _stale(seat, standing.answer, now, question)
        shown.layer = _first_layer(asked) if current else KEEP
    elif standing.found == "cancelled":
        shown = _kept(seat, desk, asked, now, question)
        told = skeleton.state("empty", "Nothing was changed. Solve begins again.", title="The dispatch was cancelled")
        shown.state = [told, *_parts(shown.state)]
    else:
        shown = _kept(seat, desk, asked, now, question)
        reason = standing.message or "its answer is not kept any more; solve again"
        shown.state = [skeleton.state("failed", reason, title="No dispatch"), *_parts(shown.state)]
    shown.job = None
    return shown


def _changed(seat: Seat, desk: OpfDesk, asked: Asked, now: str, question: OpfQuestion) -> Shown:
    """Return the page after a word or the network changed: the answer to it, if it is there or quick to have."""
    before = named(asked.drawn)
    if before is None and named(asked.job) is None:
        return Shown()  # nothing was asked yet
    answer = desk.find(seat.user, seat.study, now, question)
    if answer is None and before is not None and before[0] == now and not seat.read_only():
        small = len(seat.tables(now).buses) <= MOST_AT_A_WORD
        answer = desk.ask(seat.user, seat.study, question, submit=False).answer if small else None
    if answer is None:
        shown = _kept(seat, desk, asked, now, question)
    else:
        shown = _answered(seat, answer, now)
        if not seat.read_only():
            desk.save(seat.user, seat.study, now, question)
    waited = named(asked.job)
    if waited is not None:  # its card stays: the job goes on
        standing = desk.standing(seat.user, seat.study, *waited)
        if standing.found == "running":
            _wait(shown, standing, *waited)
    return shown


def _answered(seat: Seat, answer: OpfAnswer, now: str) -> Shown:
    """Return an answer of the present network as the page shows it."""
    if answer.network_digest != now:
        return _stale(seat, answer, now, answer.question)
    tables = seat.tables(now)
    found = base_layers(tables)
    binding: list[int] = []
    if answer.dispatch is not None:
        found = [found[0], *dispatch_layers(answer.dispatch)]
        binding = answer.dispatch.binding()
    data = {"digest": answer.network_digest, "question": answer.question.to_json()}
    return Shown(answer=data, state=_strip(answer), layers=layers_data(found, binding_branches=binding))


def _stale(seat: Seat, answer: OpfAnswer, now: str, question: OpfQuestion) -> Shown:
    """Return an answer whose inputs have changed since: hatched, on the map too where the map is still of it."""
    reasons = ["the network changed"] if answer.network_digest != now else []
    reasons += ["the question changed"] if answer.question != question else []
    layers: Any = KEEP
    if same_drawing(seat.tables(answer.network_digest), seat.tables(now)):
        layers = Patch()
        layers["stale"] = True
    data = {"digest": answer.network_digest, "question": answer.question.to_json()}
    strip = _strip(answer)
    if reasons:
        strip = skeleton.stale(strip, f"{' and '.join(reasons)}; solve again")
    return Shown(answer=data, state=strip, layers=layers)


def _kept(seat: Seat, desk: OpfDesk, asked: Asked, now: str, question: OpfQuestion) -> Shown:
    """Return what was drawn before, hatched; nothing when nothing was."""
    pair = named(asked.drawn)
    try:
        before = None if pair is None else desk.find(seat.user, seat.study, *pair)
    except NotFoundError:
        before = None
    return Shown(state=None) if before is None else _stale(seat, before, now, question)


def _wait(shown: Shown, standing: Standing, digest: str, question: OpfQuestion) -> None:
    job = standing.job
    if job is None:
        return
    card = skeleton.progress_card(
        f"Least-cost dispatch, {question.words()}", message=job.message or "waiting for its turn", job=job.id
    )
    shown.state = [card, *_parts(shown.state)]
    shown.job = {"id": job.id, "digest": digest, "question": question.to_json()}


def _first_layer(asked: Asked) -> Any:
    return FIRST_LAYER if asked.layer == "kv" else KEEP


def _strip(answer: OpfAnswer) -> Any:
    if answer.dispatch is None:
        return panels.refused(answer)
    return panels.strip(answer, answer.dispatch, input_hash(opf_arguments(answer.network_digest, answer.question)))


def _parts(state: Any) -> list[Any]:
    return [] if state is KEEP or state is None else [*state] if isinstance(state, list) else [state]


# The tables and their exports


def table_rows(seat: Seat, desk: OpfDesk, drawn: object) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the tables of the dispatch that is drawn; interfaces have flows as filed without one."""
    found = drawn_answer(seat, desk, drawn)
    rows: dict[str, list[dict[str, Any]]]
    rows = {what: [] if found is None else network_dispatch.rows(*found, what) for what in network_dispatch.WHAT}
    try:
        network = found[0] if found else seat.services.network(seat.user, seat.study)
        filed = _filed_mw(seat, network)
    except EngineError:  # a network that needs mending: the problems tab says why
        return rows
    rows["transfers"] = network_dispatch.interface_rows(network, filed, found[1].dispatch if found else None)
    return rows


def _filed_mw(seat: Seat, network: Network) -> Vector | None:
    """Return the flows of the interfaces (I,) of the outputs and loads as filed, None when there are none."""
    if not network.interfaces.ids:
        return None
    flow = seat.services.factors_of(network).flows(network.injection_mw)
    return np.asarray(network.interfaces.weights @ flow, dtype=np.float64)


def export(seat: Seat, desk: OpfDesk, drawn: object, what: object, kind: object) -> dict[str, Any]:
    """Return the download of a table. Raises QuestionError when there is nothing to export."""
    found = drawn_answer(seat, desk, drawn)
    if found is None or found[1].dispatch is None:
        raise QuestionError("there is no dispatch to export: solve the DC-OPF first")
    if what not in network_dispatch.WHAT or kind not in network_dispatch.FORMATS:
        raise QuestionError("choose a table of the dispatch, as CSV, GeoJSON or JSON")
    network, answer = found
    key = input_hash(opf_arguments(answer.network_digest, answer.question))
    return network_dispatch.download(network, answer, key, what, str(kind))


def register(app: Dash, desk: OpfDesk) -> None:
    """Wire the question, its answer, the tables and the exports."""
    _register_question(app, desk)
    _register_tables(app, desk)
    app.clientside_callback(
        ClientsideFunction("headroom_draw", "jobEnded"),
        Output(network_ids.JOB_ENDED, "data"),
        Input(ids.JOBS, "data"),
        Input(network_ids.JOB, "data"),
    )


def _seat(desk: OpfDesk, user: str, study: Any) -> Seat:
    return Seat(desk.services, user, study if isinstance(study, str) else "")


def _register_question(app: Dash, desk: OpfDesk) -> None:
    @app.callback(
        Output(network_ids.ANSWER, "data"),
        Output(network_ids.ANSWER_STATE, "children"),
        Output(ids.map_layers(PAGE), "data", allow_duplicate=True),
        Output(ids.map_layer(PAGE), "value", allow_duplicate=True),
        Output(network_ids.CANVAS_LAYER, "value"),
        Output(network_ids.JOB, "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(network_ids.SOLVE, "n_clicks"),
        Input(network_ids.JOB_ENDED, "data"),
        Input(network_ids.VERSION, "data"),
        Input(network_ids.SCALE, "value"),
        Input(network_ids.RATING, "value"),
        Input(network_ids.LEAST, "value"),
        Input(network_ids.SECURITY, "value"),
        Input(network_ids.AFTER, "value"),
        State(network_ids.ANSWER, "data"),
        State(network_ids.JOB, "data"),
        State(ids.map_layer(PAGE), "value"),
        State(network_ids.CANVAS_LAYER, "value"),
        State(network_ids.STUDY, "data"),
        running=[(Output(network_ids.SOLVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def solve(*given: Any) -> Any:
        clicks, ended, _, *words, drawn, job, on_map, on_canvas, study = given
        if not isinstance(study, str):
            return (no_update,) * 7
        asked = Asked(
            words=tuple(words),
            drawn=drawn,
            job=job,
            pressed=ctx.triggered_id == network_ids.SOLVE and bool(clicks),
            ended=ctx.triggered_id == network_ids.JOB_ENDED and bool(ended),
            layer=next((str(layer) for layer in (on_map, on_canvas) if layer not in (None, "kv")), "kv"),
        )
        shown = ask(_seat(desk, current_user(), study), desk, asked)
        parts = (shown.answer, shown.state, shown.layers, shown.layer, shown.layer, shown.job)
        wake = time.time() if shown.job not in (KEEP, None) else no_update
        return (*(no_update if part is KEEP else part for part in parts), wake)


def _register_tables(app: Dash, desk: OpfDesk) -> None:
    @app.callback(
        *(Output(ids.grid(PAGE, what), "rowData") for what in network_dispatch.WHAT),
        Input(network_ids.TAB, "value"),
        Input(network_ids.ANSWER, "data"),
        State(network_ids.STUDY, "data"),
    )
    def fill(tab: Any, drawn: Any, study: Any) -> Any:
        """Send the rows when the table is looked at."""
        if tab != "dispatch":
            return (no_update,) * len(network_dispatch.WHAT)
        try:
            found = table_rows(_seat(desk, current_user(), study), desk, drawn)
        except EngineError:
            return tuple([] for _ in network_dispatch.WHAT)
        return tuple(found[what] for what in network_dispatch.WHAT)

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(network_ids.STUDY),
        Input({"type": "network-dispatch-export", "kind": ALL}, "n_clicks"),
        State(network_ids.DISPATCH, "value"),
        State(network_ids.ANSWER, "data"),
        State(network_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def send(clicks: list[int | None], what: Any, drawn: Any, study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update, no_update
        try:
            content = export(_seat(desk, current_user(), study), desk, drawn, what, ctx.triggered_id.get("kind"))
        except EngineError as error:
            return no_update, toast(str(error)), no_update
        return content, no_update, no_update
