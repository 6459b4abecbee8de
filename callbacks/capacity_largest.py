"""The largest load at each bus alone, with redispatch, in one state: found, computed by a job, checked."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, ctx, no_update

from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import Desk
from callbacks.followed import follow_job
from components import capacity_ids, ids
from components import capacity_largest as panel
from components.capacity_answer import Answer
from components.capacity_deep import outage_words
from components.capacity_largest import Largest
from components.capacity_results import inputs_of
from components.skeleton import parse_element
from engine.errors import EngineError, QuestionError
from engine.redispatch.largest_jobs import AS_FILED, PEAK, can_move

KEEP = object()  # "leave this part of the page as it is"


@dataclass(frozen=True, slots=True)
class Told:
    """The panel, the job it waits for, what is found, and the map's layer; KEEP leaves the layer as it is."""

    children: Any
    job: str | None = None
    found: Mapping[str, Any] | None = None
    layer: Any = KEEP


@dataclass(frozen=True, slots=True)
class Looked:
    """What the page looks at: the answer drawn, the state asked for, what is selected, what of this is drawn."""

    drawn: Any
    state: Any = None
    selection: Any = None
    found: Any = None  # the Store
    pressed: bool = False
    watched: bool = False  # the layer shows: what is not there is asked for
    redrawn: bool = False  # the map was written anew


def drawn_with(seat: Seat, answer: Answer, found: Any) -> Largest | None:
    """Return what the page's Store says is drawn, None when nothing is."""
    if not isinstance(found, Mapping) or not isinstance(found.get("asked"), str):
        return None
    largest = seat.desk.largest.of(seat.user, seat.study, answer, found["asked"])
    return largest if largest is not None and largest.key == found.get("key") else None


def show(seat: Seat, looked: Looked) -> Told:
    """Return the panel, and the layer where it changes. Raises EngineError in words."""
    answer = seat.answer(looked.drawn)
    if answer is None:
        return Told(None)
    if not can_move(answer.network):
        return _without(looked, Told(panel.not_offered("No unit of this network can move: there is no redispatch.")))
    asked = asked_of(answer, looked.state)
    who, desk = (seat.user, seat.study), seat.desk.largest
    found = desk.stands(*who, answer, asked, submit=looked.pressed)
    if found.content is None and found.job is None and looked.watched:
        found = desk.stands(*who, answer, asked, submit=True)
    largest = desk.of(*who, answer, asked) if found.content is not None else None
    if largest is not None:
        element = parse_element(looked.selection)
        bus = element[1] if element is not None and element[0] == "bus" else ""
        position = largest.network.buses.ids.index(bus) if bus in largest.network.buses.ids else None
        before = looked.found.get("key") if isinstance(looked.found, Mapping) else None
        layer = panel.layer_data(largest) if looked.redrawn or before != largest.key else KEEP
        return Told(panel.done(largest, position), found={"asked": asked, "key": largest.key}, layer=layer)
    if found.job is None:
        return _without(looked, Told(panel.to_compute(_words(answer, asked))))
    if found.job.active:
        return _without(looked, Told(panel.running(found.job), found.job.id))
    return _without(looked, Told(panel.failed(found.job.error or "", cancelled=found.job.state == "cancelled")))


def asked_of(answer: Answer, state: Any) -> str:
    """Return the label of the state that is asked for. Raises QuestionError for one that the sample does not have."""
    text = state.strip() if isinstance(state, str) else ""
    labels = answer.prepared.labels
    if not text or (text == AS_FILED and not len(labels)):
        return PEAK
    if text not in labels:
        known = f"such as {labels[0]}" if len(labels) else "since a box has none"
        raise QuestionError(f"{text[:40]!r} is none of the {len(labels):,} sampled states, {known}")
    return text


def why(seat: Seat, looked: Looked) -> Any:
    """Return the card of the selected bus, checked now. Raises QuestionError when it is not drawn any more."""
    answer = seat.answer(looked.drawn)
    element = parse_element(looked.selection)
    largest = None if answer is None else drawn_with(seat, answer, looked.found)
    if answer is None or largest is None or element is None or element[0] != "bus":
        raise QuestionError("this number is not drawn any more: select the bus again")
    ids_of_buses = largest.network.buses.ids
    position = ids_of_buses.index(element[1]) if element[1] in ids_of_buses else -1
    if position not in largest.places:
        raise QuestionError("this number is not drawn any more: select the bus again")
    check = seat.desk.largest.check(largest, largest.places[position])
    return panel.card(largest, position, check, inputs_of(answer))


def _words(answer: Answer, asked: str) -> str:
    if asked != PEAK:
        when = asked
    elif len(answer.prepared.labels):
        when = f"the largest load of {len(answer.prepared.labels):,} states"
    else:
        when = AS_FILED
    return f"{when}, secure for {outage_words(answer.question)}"


def _without(looked: Looked, told: Told) -> Told:
    """Return the panel with the empty layer, where one is drawn."""
    layer = panel.layer_data(None) if looked.found and not looked.redrawn else KEEP
    return Told(told.children, told.job, None, layer)


def register(app: Dash, desk: Desk) -> None:
    """Wire the panel, its layer, the choice of a state and the card."""
    name = capacity_ids.LARGEST
    follow_job(app, name)
    app.clientside_callback(
        ClientsideFunction("capacity", "showFirst"),
        Output(f"{name}-first", "data"),
        Input(ids.map_layer(ids.CAPACITY), "value"),
        Input(name, "id"),
    )
    _register_panel(app, desk)

    @app.callback(
        Output(f"{name}-states", "children"),
        Output(f"{capacity_ids.LARGEST_STATE}-label", "hidden"),
        Output(f"{name}-section", "hidden"),
        Input(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def offer(drawn: Any, study: Any) -> Any:
        try:
            answer = seat_of(desk, study).answer(drawn)
        except EngineError:
            return no_update, no_update, no_update
        if answer is None:
            return [], True, True
        labels = answer.prepared.labels.tolist()
        return panel.options(labels), not labels or not can_move(answer.network), False

    @app.callback(
        Output(f"{capacity_ids.LARGEST_WHY}-panel", "children"),
        Input(capacity_ids.LARGEST_WHY, "n_clicks"),
        State(ids.selection(ids.CAPACITY), "data"),
        State(capacity_ids.LARGEST_FOUND, "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def why_number(clicks: int | None, selection: Any, found: Any, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return why(seat_of(desk, study), Looked(drawn, selection=selection, found=found))
        except EngineError as error:
            return str(error)


def _register_panel(app: Dash, desk: Desk) -> None:
    name = capacity_ids.LARGEST

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(capacity_ids.LARGEST_FOUND, "data"),
        Output(ids.map_layers(ids.CAPACITY), "data", allow_duplicate=True),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(capacity_ids.ANSWERED, "data"),
        Input(ids.selection(ids.CAPACITY), "data"),
        Input(f"{capacity_ids.LARGEST_RUN}-pressed", "data"),
        Input(f"{name}-ended", "data"),
        Input(capacity_ids.LARGEST_STATE, "value"),
        Input(ids.map_layer(ids.CAPACITY), "value"),
        State(capacity_ids.LARGEST_FOUND, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show_largest(*given: Any) -> Any:
        drawn, selection, press, _ended, state, layer, found, study = given
        by = ctx.triggered_id
        if by == ids.map_layer(ids.CAPACITY) and (layer != panel.LAYER or found):
            return (no_update,) * 5
        looked = Looked(
            drawn,
            state,
            selection,
            found,
            pressed=bool(press) and by == f"{capacity_ids.LARGEST_RUN}-pressed",
            watched=layer == panel.LAYER,
            redrawn=by in {capacity_ids.ANSWERED, None},
        )
        try:
            told = show(seat_of(desk, study), looked)
        except EngineError as error:
            told = _without(looked, Told(panel.not_offered(str(error))))
        layers: Any = no_update
        if told.layer is not KEEP:
            layers = Patch()
            layers["layers"][panel.LAYER] = told.layer
        return told.children, told.job, told.found, layers, time.time() if told.job else no_update
