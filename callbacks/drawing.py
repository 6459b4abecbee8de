"""Figures of what a page shows, as SVG and PNG: drawn for whoever may see the page, and for nobody else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks import network_desk
from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import Desk
from callbacks.capacity_largest import drawn_with
from callbacks.capacity_panes import positions_of
from callbacks.network_answer import drawn_answer
from callbacks.network_opf import OpfDesk, input_hash
from callbacks.security import current_user
from callbacks.shell import of_page, toast
from components import capacity_ids, ids, network_ids
from components.capacity_export import filename
from components.capacity_largest import LAYER
from components.drawing_capacity import capacity_map, curve_chart
from components.drawing_network import dispatch_map, network_map
from components.drawing_parts import chart_file, map_file
from components.drawing_sheet import FORMATS, Format
from components.format import moment
from components.network_canvas import view
from components.skeleton import parse_element
from engine.errors import EngineError, QuestionError
from engine.opf.jobs import opf_arguments


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which figure was asked in which format, and what the page looks at."""

    what: str  # "map" or "curve"
    kind: Format
    layer: Any = None  # of the map
    shown: Any = None  # the filter's Store
    selection: Any = None
    largest: Any = None  # the Store of the largest loads with redispatch that are drawn


def capacity_figure(seat: Seat, drawn: Any, asked: Pressed) -> dict[str, Any]:
    """Return the map that shows, or the selected bus's curve, as a download.

    Raises QuestionError in words when there is none, EngineError when the study is not the user's to see.
    """
    answer = seat.answer(drawn)
    if answer is None:
        raise QuestionError("compute the answer before drawing it")
    kind = asked.kind
    if asked.what == "map":
        largest = drawn_with(seat, answer, asked.largest)
        if asked.layer == LAYER and largest is None:
            raise QuestionError("compute the largest loads with redispatch before drawing them")
        content, words = capacity_map(answer, str(asked.layer), positions_of(answer, asked.shown), largest=largest)
        return map_file(content, words, kind, _stem(filename(answer, f"map-{content.layer}", kind)))
    element = parse_element(asked.selection)
    if element is None or element[0] != "bus" or element[1] not in answer.network.buses.ids:
        raise QuestionError("select a bus first: the curve is that of one bus")
    position = answer.network.buses.ids.index(element[1])
    curve = seat.desk.curve(answer, element[1]) if answer.network.buses.in_service[position] else None
    if curve is None or len(curve.epsilons) < 2:
        raise QuestionError("there is no curve against risk at this bus")
    chart, caption = curve_chart(answer, curve)
    return chart_file(chart, caption, kind, _stem(filename(answer, "curve", kind)))


def network_figure(seat: network_desk.Seat, desk: OpfDesk, drawn: Any, asked: Pressed) -> dict[str, Any]:
    """Return the map of the Network page as a download: of the dispatch that is drawn, else the network's own.

    Raises QuestionError in words when there is none, EngineError when the study is not the user's to see.
    """
    layer, kind = asked.layer, asked.kind
    digest = seat.status().digest
    found = drawn_answer(seat, desk, drawn) if layer != "kv" else None
    if found is None or found[1].dispatch is None:
        if layer not in (None, "kv"):
            raise QuestionError("there is no dispatch to draw: solve the DC-OPF first")
        tables = seat.tables(digest)
        content, words = network_map(tables, digest, moment(datetime.now(UTC)))
        return map_file(content, words, kind, _stem(f"{_plain(tables.name)}-map-{digest[:8]}"))
    network, answer = found
    key = input_hash(opf_arguments(answer.network_digest, answer.question))
    stale = "" if answer.network_digest == digest else "the network has changed since"
    content, words = dispatch_map(network, answer, key, str(layer), stale=stale)
    return map_file(content, words, kind, f"{_plain(network.name)}-map-{content.layer}-{key[:8]}")


def _plain(name: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()) or "network"


def _stem(name: str) -> str:
    return name.rpartition(".")[0] if name.endswith(FORMATS) else name


def _pressed(clicks: list[int | None], **looked: Any) -> Pressed | None:
    """Return which figure was asked, None when nothing was pressed."""
    if not any(clicks) or not isinstance(ctx.triggered_id, dict):
        return None
    what, kind = ctx.triggered_id.get("what"), ctx.triggered_id.get("kind")
    if what not in {"map", "curve"} or kind not in FORMATS:
        return None
    return Pressed(what, kind, **looked)


def register(app: Dash, desk: Desk) -> None:
    """Wire the figures of the Capacity page."""

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(capacity_ids.STUDY),
        Input({"type": "capacity-drawing", "what": ALL, "kind": ALL}, "n_clicks"),
        State(ids.map_layer(ids.CAPACITY), "value"),
        State(ids.map_filter(ids.CAPACITY), "data"),
        State(ids.selection(ids.CAPACITY), "data"),
        State(capacity_ids.LARGEST_FOUND, "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def draw(clicks: list[int | None], *given: Any) -> Any:
        layer, shown, selection, largest, drawn, study = given
        asked = _pressed(clicks, layer=layer, shown=shown, selection=selection, largest=largest)
        if asked is None:
            return no_update, no_update, no_update
        seat = seat_of(desk, study)
        try:
            return capacity_figure(seat, drawn, asked), no_update, no_update
        except EngineError as error:
            return no_update, _told(error), no_update


def register_network(app: Dash, desk: OpfDesk) -> None:
    """Wire the figures of the Network page."""

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(network_ids.STUDY),
        Input({"type": "network-drawing", "what": ALL, "kind": ALL}, "n_clicks"),
        State(ids.map_layer(ids.NETWORK), "value"),
        State(network_ids.CANVAS_LAYER, "value"),
        State(network_ids.ANSWER, "data"),
        State(network_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def draw(clicks: list[int | None], on_map: Any, on_canvas: Any, drawn: Any, study: Any) -> Any:
        seat = network_desk.Seat(desk.services, current_user(), study if isinstance(study, str) else "")
        try:
            on_page = on_canvas if view(seat.tables(seat.status().digest)) == "canvas" else on_map
            asked = _pressed(clicks, layer=on_page or "kv")
            if asked is None:
                return no_update, no_update, no_update
            return network_figure(seat, desk, drawn, asked), no_update, no_update
        except EngineError as error:
            return no_update, _told(error), no_update


def _told(error: EngineError) -> dict[str, Any]:
    text = str(error)
    return toast(text[:1].upper() + text[1:])
