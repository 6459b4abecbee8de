"""The panes of the Hubs page, drawn from the answer that is found and what of it is looked at."""

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.hubs_answer import Seat, seat_of
from callbacks.hubs_desk import Desk
from callbacks.hubs_tabs import MADE, Tab
from components import hubs_diagram, hubs_ids, hubs_sheet, hubs_states, hubs_totals, ids
from components.feeder_tables import head_of
from components.hubs_view import at_of
from components.hubs_words import At, selected
from components.skeleton import Part, state
from components.tables import column_definition, register_grid
from components.theme import Theme
from engine.errors import EngineError
from engine.pricing.run import HubRun

PAGE = ids.HUBS


def places() -> dict[str, Part]:
    """Return the static parts of the tabs."""
    return {name: tab.place() for name, tab in MADE.items()}


def kinds() -> dict[str, str]:
    """Return how each tab is laid out: a grid, a chart beside its table, or a text."""
    return {name: "grid" if tab.grid else "chart" if tab.figure else "text" for name, tab in MADE.items()}


def looked_at(seat: Seat, found: Any, at: Any, make: Callable[[HubRun, At], Any]) -> Any:
    """Return a part of the answer that is drawn, or in words why there is none."""
    try:
        run = seat.drawn(found)
        return hubs_states.nothing_yet() if run is None else make(run, at_of(at))
    except EngineError as error:
        return state("failed", str(error))


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    _register_diagram(app, desk)
    for name, tab in MADE.items():
        _register_tab(app, desk, name, tab)


def _register_diagram(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(hubs_ids.DRAWING, "data"),
        Input(hubs_ids.FOUND, "data"),
        State(hubs_ids.STUDY, "data"),
    )
    def draw(found: Any, study: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:  # the strip above says why
            return no_update
        return no_update if run is None else hubs_diagram.drawing(run)

    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Output(hubs_ids.SHEET, "children"),
        Output(f"{hubs_ids.EDITS}-form", "hidden"),
        Input(hubs_ids.AT, "data"),
        State(hubs_ids.FOUND, "data"),
        State(hubs_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(at: Any, found: Any, study: Any) -> Any:
        seat = seat_of(desk, study)
        totals = looked_at(seat, found, at, hubs_totals.totals_of)
        sheet = looked_at(seat, found, at, hubs_sheet.sheet)
        return totals, sheet, not _is_hub(seat, found, at)


def _is_hub(seat: Seat, found: Any, at: Any) -> bool:
    try:
        run = seat.drawn(found)
    except EngineError:
        return False
    chosen = None if run is None else selected(run, at_of(at))
    return chosen is not None and chosen[0] == "hub"


def _register_tab(app: Dash, desk: Desk, name: str, tab: Tab) -> None:
    @app.callback(
        Output(hubs_ids.panel(name), "children"),
        Input(hubs_ids.seen(name), "data"),
        State(hubs_ids.FOUND, "data"),
        State(hubs_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(at: Any, found: Any, study: Any) -> Any:
        return looked_at(seat_of(desk, study), found, at, tab.content)

    if tab.figure is not None:
        _register_place(app, name)
        _register_chart(app, desk, name, tab.figure)
    if tab.grid:
        _register_rows(app, desk, name, tab)


def _register_place(app: Dash, name: str) -> None:
    @app.callback(
        Output(hubs_ids.place(name), "children"),
        Input(hubs_ids.seen(name), "data"),
        State(hubs_ids.place(name), "children"),
        prevent_initial_call=True,
    )
    def put(at: Any, held: Any) -> Any:
        return no_update if held or at is None else [MADE[name].place()]


def _register_chart(app: Dash, desk: Desk, name: str, make: Callable[[HubRun, At, Theme], Any]) -> None:
    @app.callback(
        Output(hubs_ids.figure(name), "figure"),
        Input(hubs_ids.seen(name), "data"),
        State(hubs_ids.FOUND, "data"),
        State(hubs_ids.STUDY, "data"),
    )  # called too when its chart is put there
    def chart(at: Any, found: Any, study: Any) -> Any:
        if at is None:
            return no_update
        chosen: Theme = "dark" if isinstance(at, Mapping) and at.get("theme") == "dark" else "light"
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:
            return no_update
        return no_update if run is None else make(run, at_of(at), chosen)


def _register_rows(app: Dash, desk: Desk, name: str, tab: Tab) -> None:
    register_grid(app, PAGE, name=name, kind=tab.grid)

    @app.callback(
        Output(ids.grid(PAGE, name), "columnDefs"),
        Output(ids.grid(PAGE, name), "rowData"),
        Input(hubs_ids.seen(name), "data"),
        State(hubs_ids.FOUND, "data"),
        State(ids.grid(PAGE, name), "columnDefs"),
        State(hubs_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def fill(at: Any, found: Any, before: Any, study: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:
            return no_update, []
        if run is None:
            return no_update, []
        columns, rows = tab.rows(run, at_of(at))
        wanted = [column_definition(column) for column in columns]
        return no_update if wanted == before else wanted, rows


def rows_of(run: HubRun, at: At, tab: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of a tab; the key numbers where there is no such table."""
    made = MADE.get(tab) if isinstance(tab, str) else None
    if made is None:
        return "numbers", list(hubs_totals.table_rows(run, at))
    columns, rows = made.rows(run, at)
    heads = {column.name: head_of(column) for column in columns}
    return str(tab), [{head: row.get(name) for name, head in heads.items()} for row in rows]
