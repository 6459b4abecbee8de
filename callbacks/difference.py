"""Two settings held against each other: an answer is kept on the Capacity page, and a page shows B minus A."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from flask import current_app

from callbacks.asked import stored_digest
from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import ASKED, Desk
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import of_page, toast
from components import capacity_ids, difference_ids, ids
from components import difference as diff
from components import difference_page as view
from components.capacity_answer import Answer
from components.capacity_export import as_csv
from components.capacity_view import question_query, read_question
from components.difference import Pair, Quantity
from components.difference_parts import address, compare_link, kept, nothing_kept, same_as_kept
from components.drawing_parts import map_file
from components.drawing_sheet import FORMATS
from components.format import megawatts
from components.grid_map import is_geographic, map_bounds, register_map
from components.no_study import no_study
from components.skeleton import parse_element
from components.tables import register_grid
from engine.capacity.question import CapacityQuestion
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.store.answers import Answer as StoredAnswer

PAGE = ids.DIFFERENCE
LONGEST_SIDE = 1000  # characters of a question in the address; a longer one is kept and named by its digest
_DESK = "headroom-capacity-desk"  # where the app keeps the desk whose answers the page shares
_LEGEND_SHARE = 0.5  # of the drawing: its words are longer than those of the other maps
_TEXAS = (-107.0, -93.0, 25.5, 37.0)  # west, east, south, north: where the county outline is


@dataclass(frozen=True, slots=True)
class Side:
    """One setting: a question, a state of the study's network, a part of the year ("" for all of it)."""

    question: CapacityQuestion
    network: str
    period: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what a Store holds."""
        return {"question": self.question.to_json(), "network": self.network, "period": self.period}

    @classmethod
    def from_json(cls, content: Any) -> "Side":
        """Return the side that a Store holds. Raises QuestionError when it is none."""
        if not isinstance(content, Mapping) or not isinstance(content.get("question"), Mapping):
            raise QuestionError("a setting of the comparison is not known: open it again from the Capacity page")
        question = CapacityQuestion.from_json(content["question"])
        return cls(question, str(content.get("network", "")), str(content.get("period") or ""))


# The page


def page_layout(services: Services, **query: str) -> Any:
    """Return the page for the two settings that the address names, as whoever asks may see them."""
    study = query.get("study")
    if not study or not isinstance(study, str):
        return no_study(ids.CAPACITY)
    desk, user = current_app.extensions.get(_DESK) or Desk(services), current_user()
    try:
        now = services.studies.network_status(user, study).digest
    except NotFoundError:
        return no_study(ids.CAPACITY)
    lines: list[str] = []
    sides: dict[str, Side] = {}
    for name in ("a", "b"):
        try:
            sides[name] = read_side(desk, user, study, query, name)
        except EngineError as error:
            lines.append(f"{name.upper()}: {error}")
    answers: dict[str, Answer] = {}
    for name, side in sides.items():
        try:
            found = answer_of(desk, user, study, side)
        except EngineError as error:
            lines.append(f"{name.upper()}: {error}")
            continue
        if found is None:
            lines.append(f"{name.upper()} is not computed, or not kept any more: {side.question.sentence()}")
        else:
            answers[name] = found
    ways = {name: f"/capacity?study={study}&{question_query(side.question)}" for name, side in sides.items()}
    if len(answers) < 2:
        ask = {f"Open {name.upper()} on the Capacity page": href for name, href in ways.items() if name not in answers}
        return view.missing(lines, ask or {"To the Capacity page": f"/capacity?study={study}"})
    pair = Pair(answers["a"], answers["b"])
    told = {n: {"query": query[n], "network": sides[n].network, "period": sides[n].period} for n in "ab"}
    return view.layout(
        view.Opened(
            study=study,
            pair=pair,
            sides={name: side.to_json() for name, side in sides.items()},
            quantity=quantity_of(pair, query.get("layer")),
            map_urls=_map_urls(study, pair.network.digest),
            ways=ways | {"swap": address(study, told["b"], told["a"])},
            stale=[name.upper() for name, side in sides.items() if side.network != now],
            **_frame(pair),
        )
    )


def read_side(desk: Desk, user: str, study: str, query: Mapping[str, Any], name: str) -> Side:
    """Return a side of the address: ``a`` the question's own query string, ``an`` the network, ``ap`` the period.

    Raises QuestionError when it cannot be read, NotFoundError when the network is none of the study's.
    """
    text, digest, period = (query.get(f"{name}{part}", "") for part in ("", "n", "p"))
    if not isinstance(text, str) or not isinstance(digest, str) or not isinstance(period, str) or not text:
        raise QuestionError("the link does not say which question it is")
    fields = {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
    named = stored_digest(fields)
    if named is not None:
        stored = desk.services.results.get(user, study, ASKED, named)
        if stored is None:
            raise QuestionError("the question of this link is not kept any more")
        question: CapacityQuestion | None = CapacityQuestion.from_json(stored.content)
    else:
        question = read_question(fields)
    if question is None:
        raise QuestionError("the link does not say which question it is")
    desk.services.studies.has_network_version(user, study, digest)
    return Side(question, digest, period)


def answer_of(desk: Desk, user: str, study: str, side: Side) -> Answer | None:
    """Return the kept answer of a side, with its part of the year drawn; None when there is none (any more)."""
    found = desk.at(user, study, side.question, side.network)
    if found is None or (side.period and side.period not in dict(found.periods)):
        return None
    return found.at_period(side.period)


def query_of(desk: Desk, user: str, study: str, question: CapacityQuestion) -> str:
    """Return a question for the address; one that is too long is kept with one's own study and named by digest."""
    text = question_query(question)
    if len(text) <= LONGEST_SIDE or desk.services.studies.get(user, study).role != "owner":
        return text
    desk.services.results.put(user, study, StoredAnswer(ASKED, question.digest(), question.to_json(), {}))
    return f"q={question.digest()}"


def pair_of(desk: Desk, user: str, study: Any, sides: Any) -> Pair:
    """Return the pair that the page holds. Raises EngineError when it is not there, or not the user's to see."""
    if not isinstance(study, str) or not isinstance(sides, Mapping):
        raise QuestionError("the comparison is not known: open it again from the Capacity page")
    found = [answer_of(desk, user, study, Side.from_json(sides.get(name))) for name in ("a", "b")]
    if found[0] is None or found[1] is None:
        raise QuestionError("an answer of the comparison is not kept any more: compute it again on the Capacity page")
    return Pair(found[0], found[1])


def quantity_of(pair: Pair, layer: Any) -> Quantity:
    """Return the quantity that a switch or a link names; for any other the first in which A and B differ."""
    offered = diff.offered(pair)
    named = [one for one in offered if one == layer] or [one for one in offered if diff.changes(pair, one)]
    return (named or offered)[0]


def export(pair: Pair, quantity: Quantity, kind: str) -> dict[str, Any]:
    """Return the content of a ``dcc.Download``: the table as "csv", the map as "svg" or "png"."""
    digests = [answer.result.provenance.question_digest[:8] for answer in (pair.a, pair.b)]
    name = f"difference-{quantity}-{digests[0]}-{digests[1]}"
    if kind == "csv":
        content = as_csv(diff.export_rows(pair, quantity))
        return {"filename": f"{name}.csv", "content": content, "type": "text/csv", "base64": False}
    drawing = next(one for one in FORMATS if one == kind)
    return map_file(*view.drawn(pair, quantity), drawing, name)


def _map_urls(study: str, digest: str) -> tuple[str, str]:
    stem = f"/api/networks/{study}/{digest}/map"
    return f"{stem}/buses.geojson", f"{stem}/branches.geojson"


def _frame(pair: Pair) -> dict[str, Any]:
    geographic = is_geographic(pair.network.tables)
    (south, west), (north, east) = bounds = map_bounds(view.points_of(pair.network))
    if not geographic:  # room for the legend at the left
        bounds = (south, west - _LEGEND_SHARE * (east - west)), (north, east)
    inside = west >= _TEXAS[0] and east <= _TEXAS[1] and south >= _TEXAS[2] and north <= _TEXAS[3]
    return {"bounds": bounds, "geographic": geographic, "texas": geographic and inside}


# On the Capacity page


def bar(seat: Seat, drawn: Any, kept_side: Any) -> list[Any]:
    """Return what stands beside the question: keep A, or compare with it. Raises EngineError in words."""
    answer = seat.answer(drawn)
    if answer is None:
        return []
    a = _kept_side(seat, kept_side)
    if a is None:
        return nothing_kept()
    b = Side(answer.question, answer.network.digest, answer.period)
    if a == b:
        return kept(same_as_kept(_words(a, seat)))
    told = [{"query": query_of(seat.desk, seat.user, seat.study, side.question), "network": side.network,
             "period": side.period} for side in (a, b)]  # fmt: skip
    return kept(compare_link(address(seat.study, told[0], told[1]), _words(a, seat)))


def keep(seat: Seat, drawn: Any) -> dict[str, Any]:
    """Return what the browser keeps as A. Raises QuestionError when nothing is drawn."""
    answer = seat.answer(drawn)
    if answer is None:
        raise QuestionError("compute the answer before keeping it")
    return {"study": seat.study} | Side(answer.question, answer.network.digest, answer.period).to_json()


def _kept_side(seat: Seat, content: Any) -> Side | None:
    if not isinstance(content, Mapping) or content.get("study") != seat.study:
        return None
    try:
        side = Side.from_json(content)
        seat.desk.services.studies.has_network_version(seat.user, seat.study, side.network)
    except EngineError:  # of another version of the product, or further back than the study's history
        return None
    return side


def _words(side: Side, seat: Seat) -> str:
    found = answer_of(seat.desk, seat.user, seat.study, side)
    if found is None or not found.result.levels:
        return side.question.sentence()
    firm, last = diff.totals_mw(found)
    return f"{megawatts(firm)} firm, {megawatts(last)} with flexible. {diff.sentence(found)}"


def register(app: Dash, desk: Desk) -> None:
    """Wire the bar of the Capacity page, and the page of the comparison."""
    app.server.extensions[_DESK] = desk
    _register_pin(app, desk)
    _register_page(app, desk)


def _register_pin(app: Dash, desk: Desk) -> None:

    @app.callback(
        Output(difference_ids.BAR, "children"),
        Input(capacity_ids.ANSWERED, "data"),
        Input(difference_ids.KEPT, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def write_bar(drawn: Any, kept_side: Any, study: Any) -> Any:
        try:
            return bar(seat_of(desk, study), drawn, kept_side)
        except EngineError as error:
            return str(error)

    @app.callback(
        Output(difference_ids.KEPT, "data"),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(f"{difference_ids.PIN}-pressed", "data"),
        Input(f"{difference_ids.FORGET}-pressed", "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def pin(keeping: Any, forgetting: Any, drawn: Any, study: Any) -> Any:
        if ctx.triggered_id == f"{difference_ids.FORGET}-pressed" and forgetting:
            return None, no_update
        if not keeping:
            return no_update, no_update
        try:
            return keep(seat_of(desk, study), drawn), no_update
        except EngineError as error:
            return no_update, toast(str(error))


def _register_page(app: Dash, desk: Desk) -> None:
    register_map(app, PAGE)
    register_grid(app, PAGE)

    _register_totals(app, desk)

    @app.callback(
        Output(ids.inspector(PAGE), "children"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.map_layer(PAGE), "value"),
        State(difference_ids.SIDES, "data"),
        State(difference_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(selection: Any, layer: Any, sides: Any, study: Any) -> Any:
        try:
            pair = pair_of(desk, current_user(), study, sides)
        except EngineError as error:
            return str(error)
        kind, key = parse_element(selection) or ("", "")
        quantity = quantity_of(pair, layer)
        return view.of_bus(pair, quantity, key) if kind == "bus" else view.overview(pair, quantity)

    @app.callback(
        Output(ids.grid(PAGE), "rowData"),
        Input(ids.map_layer(PAGE), "value"),
        State(difference_ids.SIDES, "data"),
        State(difference_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def fill(layer: Any, sides: Any, study: Any) -> Any:
        try:
            pair = pair_of(desk, current_user(), study, sides)
        except EngineError:
            return []
        return view.table_rows(pair, quantity_of(pair, layer))

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(difference_ids.STUDY),
        Input({"type": "difference-export", "kind": ALL}, "n_clicks"),
        State(ids.map_layer(PAGE), "value"),
        State(difference_ids.SIDES, "data"),
        State(difference_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def send(clicks: list[int | None], layer: Any, sides: Any, study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update, no_update
        kind = ctx.triggered_id.get("kind")
        if kind not in {"csv", *FORMATS}:
            return no_update, no_update, no_update
        try:
            pair = pair_of(desk, current_user(), study, sides)
        except EngineError as error:
            return no_update, toast(str(error)), no_update
        return export(pair, quantity_of(pair, layer), str(kind)), no_update, no_update


def _register_totals(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Input(ids.map_layer(PAGE), "value"),
        State(difference_ids.SIDES, "data"),
        State(difference_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def count_sites(layer: Any, sides: Any, study: Any) -> Any:
        try:
            pair = pair_of(desk, current_user(), study, sides)
        except EngineError:
            return no_update
        return view.totals_of(pair, quantity_of(pair, layer))
