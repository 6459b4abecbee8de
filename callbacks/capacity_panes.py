"""The panes of the Capacity page: inspector, map filter, table of all buses, why-cards, exports."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_answer import Seat, amount_of, seat_of, zone_of
from callbacks.capacity_desk import Desk
from callbacks.capacity_largest import drawn_with
from callbacks.capacity_why import binding_card_for, reinforced_gain, why_card_for
from callbacks.shell import toast
from components import capacity, capacity_export, capacity_ids, capacity_layers, capacity_periods, capacity_tables, ids
from components import capacity_inspector as inspector
from components.capacity_answer import Answer, limit_element
from components.capacity_inspector import WHY_NAMES, why_id
from components.capacity_stops import stop_words
from components.skeleton import parse_element
from components.theme import Theme
from engine.capacity.results import Binding
from engine.capacity.why import why
from engine.errors import EngineError

PAGE = ids.CAPACITY


def inspect(seat: Seat, drawn: Any, selection: Any, theme: Theme) -> Any:
    """Return the inspector's content for what is selected."""
    answer = seat.answer(drawn)
    if answer is None:
        return inspector.nothing_yet()
    kind, key = parse_element(selection) or ("", "")
    network = answer.network
    if kind == "bus" and key in network.buses.ids:
        position = network.buses.ids.index(key)
        curve = seat.desk.curve(answer, key) if network.buses.in_service[position] else None
        cells = seat.desk.side_by_side(seat.user, seat.study, answer) if key in answer.sites() else None
        return inspector.bus(answer, position, curve, _stop(answer, key), theme=theme, cells=cells)
    if kind == "branch" and key in network.branches.ids:
        gains = {
            (binding.level, binding.limit.row): reinforced_gain(seat, answer, binding)
            for binding in _bindings(answer, selection)
        }
        return inspector.branch(answer, network.branches.ids.index(key), gains)
    return inspector.overview(answer, seat.desk.side_by_side(seat.user, seat.study, answer), theme)


def _bindings(answer: Answer, element: str) -> list[Binding]:
    every = (binding for level in answer.result.levels for binding in level.binding)
    return [binding for binding in every if limit_element(binding.limit) == element]


def _stop(answer: Answer, bus: str) -> str:
    """Return why a site stops at its firm capacity, with what more of the limit would bring; "" for no site."""
    if bus not in answer.sites() or not answer.result.levels:
        return ""
    if answer.deep:
        return stop_words(answer, bus)
    return why(answer.prepared, answer.question, answer.result, bus).summary


def shown_positions(seat: Seat, drawn: Any, kv: Any, zone: Any, least: Any) -> list[int] | None:
    """Return the positions of the buses that the filter lets pass, None for all."""
    answer = seat.answer(drawn)
    if answer is None:
        return None
    return capacity_layers.filtered(answer, amount_of(kv), zone_of(zone), amount_of(least))


def bus_table(
    seat: Seat, drawn: Any, shown: Any, found: Any = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows and columns of all buses, or of those that the filter shows.

    ``found`` says which largest loads with redispatch are drawn.
    """
    answer = seat.answer(drawn)
    if answer is None:
        return [], capacity_tables.definitions(capacity_tables.bus_columns(seat.network(), ()))
    largest = drawn_with(seat, answer, found)
    columns = capacity_tables.bus_columns(answer.network, answer.question.epsilons, largest)
    return capacity_tables.bus_rows(answer, positions_of(answer, shown), largest), capacity_tables.definitions(columns)


def positions_of(answer: Answer, shown: Any) -> list[int] | None:
    """Return the positions that a filter Store holds, None for all."""
    size = len(answer.network.buses.ids)
    return [i for i in shown if isinstance(i, int) and 0 <= i < size] if isinstance(shown, list) else None


def filter_words(shown: Sequence[int] | None, total: int) -> Any:
    """Return the words on the filter's button; without a filter its sign is enough, over a map."""
    return capacity.FILTER if shown is None else f"Filter: {len(shown)} of {total}"


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    _register_panes(app, desk)
    for name in WHY_NAMES:
        _register_why(app, desk, name)
    _register_binding(app, desk)
    _register_exports(app, desk)
    _register_year(app, desk)


def _register_panes(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.INSPECTED, "children"),
        Input(ids.selection(PAGE), "data"),
        Input(capacity_ids.ANSWERED, "data"),
        Input(ids.THEME, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def show_selected(selection: Any, drawn: Any, theme: Any, study: Any) -> Any:
        try:
            return inspect(seat_of(desk, study), drawn, selection, "dark" if theme == "dark" else "light")
        except EngineError as error:
            return str(error)

    @app.callback(
        Output(ids.map_filter(PAGE), "data"),
        Output(capacity_ids.FILTER_WORD, "children"),
        Input(capacity_ids.FILTER_KV, "value"),
        Input(capacity_ids.FILTER_ZONE, "value"),
        Input(capacity_ids.FILTER_MW, "value"),
        Input(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def filter_buses(kv: Any, zone: Any, least: Any, drawn: Any, study: Any) -> Any:
        if not (kv or zone or least):
            return None, filter_words(None, 0)
        seat = seat_of(desk, study)
        try:
            shown = shown_positions(seat, drawn, kv, zone, least)
            return shown, filter_words(shown, len(seat.network().buses.ids))
        except EngineError:
            return None, filter_words(None, 0)

    @app.callback(
        Output(ids.grid(PAGE, "buses"), "rowData"),
        Output(ids.grid(PAGE, "buses"), "columnDefs"),
        Input(capacity_ids.TAB, "value"),
        Input(capacity_ids.ANSWERED, "data"),
        Input(ids.map_filter(PAGE), "data"),
        Input(capacity_ids.LARGEST_FOUND, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def all_buses(tab: Any, drawn: Any, shown: Any, found: Any, study: Any) -> Any:
        if tab != "buses" or not drawn:
            return no_update, no_update
        try:
            return bus_table(seat_of(desk, study), drawn, shown, found)
        except EngineError:
            return [], no_update


def _register_why(app: Dash, desk: Desk, name: str) -> None:
    @app.callback(
        Output(f"{why_id(name)}-panel", "children"),
        Input(why_id(name), "n_clicks"),
        State(ids.selection(PAGE), "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def why_number(clicks: int | None, selection: Any, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return why_card_for(seat_of(desk, study), drawn, selection, name)
        except EngineError as error:
            return str(error)


def _register_binding(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(f"{capacity_ids.WHY_BINDING}-panel", "children"),
        Input(capacity_ids.WHY_BINDING, "n_clicks"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def why_it_binds(clicks: int | None, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return binding_card_for(seat_of(desk, study), drawn)
        except EngineError as error:
            return str(error)


def _register_exports(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        *(Input(capacity_ids.export(kind), "n_clicks") for kind in ("csv", "geojson", "json")),
        State(capacity_ids.TAB, "value"),
        State(ids.map_filter(PAGE), "data"),
        State(capacity_ids.LARGEST_FOUND, "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def export(*given: Any) -> Any:
        *clicks, tab, shown, found, drawn, study = given
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or tab not in capacity_tables.GRIDS:
            return no_update, no_update
        kind = ctx.triggered_id.get("kind")
        if kind not in {"csv", "geojson", "json"}:
            return no_update, no_update
        try:
            seat = seat_of(desk, study)
            answer = seat.answer(drawn)
            largest = None if answer is None else drawn_with(seat, answer, found)
        except EngineError as error:
            return no_update, toast(str(error))
        if answer is None:
            return no_update, toast("Compute the answer before exporting it")
        return capacity_export.download(answer, tab, kind, positions_of(answer, shown), largest), no_update


def _register_year(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(f"{capacity_ids.YEAR}-pressed", "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def export_year(pressed: Any, drawn: Any, study: Any) -> Any:
        if not pressed:
            return no_update, no_update
        try:
            answer = seat_of(desk, study).answer(drawn)
        except EngineError as error:
            return no_update, toast(str(error))
        if answer is None or not answer.periods:
            return no_update, toast("There are no periods in this answer")
        text = capacity_periods.as_csv(capacity_periods.csv_rows(answer))
        return {
            "content": text,
            "filename": capacity_export.filename(answer, "periods", "csv"),
            "type": "text/csv",
        }, no_update
