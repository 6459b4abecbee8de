"""The panes of the Feeder page, drawn from the answer that is found and what of it is looked at."""

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from callbacks.feeder_answer import Seat, seat_of
from callbacks.feeder_desk import Desk
from callbacks.feeder_sides import SIDES, standing
from callbacks.feeder_tabs import MADE, Tab
from components import feeder_asked, feeder_diagram, feeder_ids, feeder_sheet, feeder_states, feeder_totals, ids
from components.feeder_layers import At, selected
from components.feeder_tables import head_of
from components.feeder_view import at_of
from components.skeleton import Part, state
from components.tables import column_definition, register_grid
from components.theme import Theme
from engine.distribution.run import FeederRun
from engine.errors import EngineError

PAGE = ids.FEEDER


def places() -> dict[str, Part]:
    """Return the static parts of the tabs."""
    return {name: tab.place() for name, tab in MADE.items()} | {
        name: html.Div(side.place(), id=f"{ids.FEEDER}-{name}-run-chart", hidden=True)
        for name, side in SIDES.items()
        if side.figure is not None
    }


def kinds() -> dict[str, str]:
    """Return how each tab is laid out: a grid, a chart beside its table, or a text."""
    made = {name: "grid" if tab.grid else "chart" if tab.figure else "text" for name, tab in MADE.items()}
    return made | {name: "chart" if side.figure else "text" for name, side in SIDES.items()}


def looked_at(seat: Seat, found: Any, at: Any, make: Callable[[FeederRun, At], Any]) -> Any:
    """Return a part of the answer that is drawn, or in words why there is none."""
    try:
        run = seat.drawn(found)
        return feeder_states.nothing_yet() if run is None else make(run, at_of(at))
    except EngineError as error:
        return state("failed", str(error))


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    _register_diagram(app, desk)
    _register_inspector(app, desk)
    _register_compared(app, desk)
    for name, tab in MADE.items():
        _register_tab(app, desk, name, tab)
    for name, kind in kinds().items():
        if kind == "chart":
            _register_place(app, name)


def _register_diagram(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(feeder_ids.DRAWING, "data"),
        Input(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
    )
    def draw(found: Any, study: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:  # the strip above says why
            return no_update
        return no_update if run is None else feeder_diagram.drawing(run)

    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Input(feeder_ids.AT, "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def totals(at: Any, found: Any, study: Any) -> Any:
        return looked_at(seat_of(desk, study), found, at, feeder_totals.totals_of)

    @app.callback(
        Output(feeder_ids.SHEET, "children"),
        Input(feeder_ids.AT, "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def sheet(at: Any, found: Any, study: Any) -> Any:
        return looked_at(seat_of(desk, study), found, at, feeder_sheet.sheet)


def _register_inspector(app: Dash, desk: Desk) -> None:
    @app.callback(
        output={
            "centre": Output(f"{feeder_ids.EDITS}-centre", "hidden"),
            "bus": Output(f"{feeder_ids.EDITS}-bus", "hidden"),
            "compensators": Output(f"{feeder_ids.EDITS}-compensators", "hidden"),
            "buses": Output(feeder_ids.edit("move-bus"), "options"),
            "standing": Output(feeder_ids.edit("move-bus"), "value"),
            "factor": Output(feeder_ids.edit("factor-value"), "value"),
            "here": Output(feeder_ids.edit("here-name"), "options"),
            "first": Output(feeder_ids.edit("here-name"), "value"),
            "removable": Output(feeder_ids.edit("remove-name"), "options"),
            "removed": Output(feeder_ids.edit("remove-name"), "value"),
        },
        inputs={"at": Input(feeder_ids.AT, "data")},
        state={"found": State(feeder_ids.FOUND, "data"), "study": State(feeder_ids.STUDY, "data")},
        prevent_initial_call=True,
    )
    def forms(at: Any, found: Any, study: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:
            run = None
        return forms_of(run, at_of(at))


def forms_of(run: FeederRun | None, at: At) -> dict[str, Any]:
    """Return which forms of edits show, and what they offer, for what is selected."""
    chosen = None if run is None else selected(run, at)
    names = ("centre", "bus", "compensators", "buses", "standing", "factor", "here", "first", "removable", "removed")
    made: dict[str, Any] = dict.fromkeys(names, no_update) | {"centre": True, "bus": True, "compensators": True}
    if run is None or chosen is None or chosen[0] == "link":
        return made
    kind, name = chosen
    feeder = run.feeder
    if kind == "centre":
        centre = next(row for row in feeder.centres if row.name == name)
        buses = [row.name for row in feeder.buses if set(centre.phases) <= set(row.phases)]
        return made | {
            "centre": False, "buses": _options(buses), "standing": centre.bus, "factor": centre.power_factor,
        }  # fmt: skip
    standing = [row.name for row in feeder.compensators if row.bus == name]
    movable = [row.name for row in feeder.centres if row.bus != name]
    return made | {
        "bus": False, "compensators": not standing,
        "here": _options(movable), "first": movable[0] if movable else None,
        "removable": _options(standing), "removed": standing[0] if standing else None,
    }  # fmt: skip


def _options(names: list[str]) -> list[dict[str, str]]:
    return [{"value": name, "label": name} for name in names]


def _register_compared(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(feeder_ids.COMPARED, "children"),
        Output(f"{feeder_ids.COMPARED}-of", "data"),
        Input(feeder_ids.AT, "data"),
        Input(f"{feeder_ids.JOB}-ended", "data"),
        State(feeder_ids.FOUND, "data"),
        State(f"{feeder_ids.COMPARED}-of", "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def compare(at: Any, ended: Any, found: Any, told: Any, study: Any) -> Any:
        key = found.get("key") if isinstance(found, Mapping) else None
        now = [key, at_of(at).case, ended.get("at") if isinstance(ended, Mapping) else None]
        if told == now:  # the hour has changed, or the layer: what the edits change is of the day
            return no_update, no_update
        seat = seat_of(desk, study)
        return looked_at(seat, found, at, lambda run, seen: compared(seat, run, seen)), now


def compared(seat: Seat, run: FeederRun, at: At) -> Part:
    """Return what the edits of the drawn answer change, or the way to know it; nothing where nothing is edited."""
    if not feeder_asked.changes_of(run.question):
        return None
    before = seat.desk.unedited(seat.user, seat.study, run.question)
    if before.found == "answered" and before.run is not None:
        return feeder_totals.compared(run, before.run, at)
    return feeder_totals.to_compare()


def _register_tab(app: Dash, desk: Desk, name: str, tab: Tab) -> None:
    @app.callback(
        Output(feeder_ids.panel(name), "children"),
        Input(feeder_ids.seen(name), "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(at: Any, found: Any, study: Any) -> Any:
        return looked_at(seat_of(desk, study), found, at, tab.content)

    if tab.figure is not None:
        _register_chart(app, desk, name, tab.figure)
    if tab.grid:
        _register_rows(app, desk, name, tab)


def _register_place(app: Dash, name: str) -> None:
    @app.callback(
        Output(feeder_ids.place(name), "children"),
        Input(feeder_ids.seen(name), "data"),
        State(feeder_ids.place(name), "children"),
        prevent_initial_call=True,
    )
    def put(at: Any, held: Any) -> Any:
        return no_update if held or at is None else [places()[name]]


def _register_chart(app: Dash, desk: Desk, name: str, make: Callable[[FeederRun, At, Theme], Any]) -> None:

    @app.callback(
        Output(feeder_ids.figure(name), "figure"),
        Input(feeder_ids.seen(name), "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
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
        Input(feeder_ids.seen(name), "data"),
        State(feeder_ids.FOUND, "data"),
        State(ids.grid(PAGE, name), "columnDefs"),
        State(feeder_ids.STUDY, "data"),
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


def rows_of(seat: Seat, run: FeederRun, at: At, tab: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of a tab; the key numbers where there is no such table."""
    made, side = (MADE.get(tab), SIDES.get(tab)) if isinstance(tab, str) else (None, None)
    answer = None if side is None else standing(seat, run, at, side).answer
    if side is not None and answer is not None:
        columns, rows = side.rows(answer)
    elif made is not None:
        columns, rows = (made.csv or made.rows)(run, at)
    else:
        return "numbers", list(feeder_totals.table_rows(run))
    heads = {column.name: head_of(column) for column in columns}
    return str(tab), [{head: row.get(name) for name, head in heads.items()} for row in rows]
