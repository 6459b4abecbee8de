"""The panes of a page of a day, drawn from the answer that is found and what of it is looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dash import Dash, Input, Output, State, no_update

from callbacks.day_desk import D, DayDesk, Q, R, Seat, is_bare, seat_of
from components import ids
from components.day_ids import DayIds
from components.feeder_tables import head_of
from components.skeleton import Part, state
from components.tables import GridColumn, column_definition, register_grid
from components.theme import Theme
from engine.errors import EngineError

A = TypeVar("A")  # what is looked at
Rows = tuple[list[GridColumn], list[dict[str, Any]]]
Content = Callable[[Seat[D]], Callable[[R, A], Part]]  # what makes the content of a tab, for a seat


@dataclass(frozen=True, slots=True)
class Tab(Generic[R, A]):
    """What makes one tab. One with a ``grid`` has that of ag-grid whose id is ``ids.grid(<page>, <tab>)``."""

    content: Callable[[R, A], Part]
    rows: Callable[[R, A], Rows]
    place: Callable[[], Part] = lambda: None
    figure: Callable[[R, A, Theme], Any] | None = None
    grid: str = ""  # the kind of what a row selects
    csv: Callable[[R, A], Rows] | None = None  # the rows of its file, where that has more than the table

    @property
    def kind(self) -> str:
        """How the tab is laid out: a grid, a chart beside its table, or a text."""
        return "grid" if self.grid else "chart" if self.figure else "text"


@dataclass(frozen=True, slots=True, eq=False)
class Panes(Generic[R, A]):
    """What draws an answer."""

    at_of: Callable[[Any], A]  # what is looked at, of the Store that holds it
    drawing: Callable[[R], Any]  # what the diagram in the browser draws
    empty: Callable[[], Part]  # said before there is an answer
    tabs: Mapping[str, Tab[R, A]]

    def looked_at(self, seat: Seat[DayDesk[Q, R]], found: Any, at: Any, make: Callable[[R, A], Any]) -> Any:
        """Return a part of the answer that is drawn, or in words why there is none."""
        try:
            run = seat.drawn(found)
            return self.empty() if run is None else make(run, self.at_of(at))
        except EngineError as error:
            return state("failed", str(error))


def register_panes(
    app: Dash,
    desk: D,
    panes: Panes[R, A],
    more: Mapping[str, Content[D, R, A]] | None = None,
    bare: Callable[[Seat[D], Any], Any] | None = None,
) -> None:
    """Wire the diagram and the tabs.

    ``more`` makes the content of those tabs, by name, that show more than the answer; ``bare`` the drawing of a
    question that has no answer yet, from the Store of what is drawn.
    """
    _register_drawing(app, desk, panes, bare)
    for name, tab in panes.tabs.items():
        _register_tab(app, desk, panes, name, (more or {}).get(name))
        if tab.figure is not None:
            register_place(app, desk.subject.ids, name, tab.place)
            _register_chart(app, desk, panes, name)
        if tab.grid:
            _register_rows(app, desk, panes, name)


def register_place(app: Dash, of: DayIds, name: str, make: Callable[[], Part]) -> None:
    """Wire the place of a tab's chart, which is put there when the tab first shows."""

    @app.callback(
        Output(of.place(name), "children"),
        Input(of.seen(name), "data"),
        State(of.place(name), "children"),
        prevent_initial_call=True,
    )
    def put(at: Any, held: Any) -> Any:
        return no_update if held or at is None else [make()]


def theme_of(at: Any) -> Theme:
    """Return the theme that a tab was told of with what is looked at."""
    return "dark" if isinstance(at, Mapping) and at.get("theme") == "dark" else "light"


def headed(columns: Sequence[GridColumn], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as a file has them: under the heads of their columns, with units."""
    heads = {column.name: head_of(column) for column in columns}
    return [{head: row.get(name) for name, head in heads.items()} for row in rows]


def _register_drawing(
    app: Dash, desk: D, panes: Panes[R, A], bare: Callable[[Seat[D], Any], Any] | None = None
) -> None:
    of = desk.subject.ids

    @app.callback(
        Output(of.DRAWING, "data"),
        Input(of.FOUND, "data"),
        State(of.STUDY, "data"),
    )
    def draw(found: Any, study: Any) -> Any:
        seat = seat_of(desk, study)
        try:
            if bare is not None and is_bare(found):
                return bare(seat, found)
            run = seat.drawn(found)
        except EngineError:  # the strip above says why
            return no_update
        return no_update if run is None else panes.drawing(run)


def _register_tab(app: Dash, desk: D, panes: Panes[R, A], name: str, more: Content[D, R, A] | None = None) -> None:
    of = desk.subject.ids

    @app.callback(
        Output(of.panel(name), "children"),
        Input(of.seen(name), "data"),
        State(of.FOUND, "data"),
        State(of.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(at: Any, found: Any, study: Any) -> Any:
        seat = seat_of(desk, study)
        make = panes.tabs[name].content if more is None else more(seat)
        return panes.looked_at(seat, found, at, make)


def _register_chart(app: Dash, desk: DayDesk[Q, R], panes: Panes[R, A], name: str) -> None:
    of, make = desk.subject.ids, panes.tabs[name].figure

    @app.callback(
        Output(of.figure(name), "figure"),
        Input(of.seen(name), "data"),
        State(of.FOUND, "data"),
        State(of.STUDY, "data"),
    )  # called too when its chart is put there
    def chart(at: Any, found: Any, study: Any) -> Any:
        if at is None or make is None:
            return no_update
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:
            return no_update
        return no_update if run is None else make(run, panes.at_of(at), theme_of(at))


def _register_rows(app: Dash, desk: DayDesk[Q, R], panes: Panes[R, A], name: str) -> None:
    of, tab = desk.subject.ids, panes.tabs[name]
    register_grid(app, of.PAGE, name=name, kind=tab.grid)

    @app.callback(
        Output(ids.grid(of.PAGE, name), "columnDefs"),
        Output(ids.grid(of.PAGE, name), "rowData"),
        Input(of.seen(name), "data"),
        State(of.FOUND, "data"),
        State(ids.grid(of.PAGE, name), "columnDefs"),
        State(of.STUDY, "data"),
        prevent_initial_call=True,
    )
    def fill(at: Any, found: Any, before: Any, study: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
        except EngineError:
            return no_update, []
        if run is None:
            return no_update, []
        columns, rows = tab.rows(run, panes.at_of(at))
        wanted = [column_definition(column) for column in columns]
        return no_update if wanted == before else wanted, rows
