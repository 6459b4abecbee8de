"""The panes of the Feeder page, drawn from the answer that is found and what of it is looked at."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from callbacks.day_desk import Seat, is_bare, seat_of
from callbacks.day_panes import Panes, headed, register_panes, register_place
from callbacks.feeder_desk import Desk
from callbacks.feeder_sides import SIDES, standing
from callbacks.feeder_tabs import MADE
from components import feeder_asked, feeder_diagram, feeder_ids, feeder_sheet, feeder_states, feeder_totals, ids
from components.feeder_layers import At, chosen
from components.feeder_view import at_of
from components.skeleton import Part
from engine.distribution.feeder import Feeder
from engine.distribution.run import FeederRun
from engine.errors import EngineError

PAGE = ids.FEEDER


def places() -> dict[str, Part]:
    """Return the static parts of the tabs."""
    charts = [name for name, side in SIDES.items() if side.figure is not None]
    return {name: tab.place() for name, tab in MADE.items()} | {name: _place_of_side(name) for name in charts}


def _place_of_side(name: str) -> Part:
    return html.Div(SIDES[name].place(), id=f"{ids.FEEDER}-{name}-run-chart", hidden=True)


def kinds() -> dict[str, str]:
    """Return how each tab is laid out: a grid, a chart beside its table, or a text."""
    return {name: tab.kind for name, tab in MADE.items()} | {
        name: "chart" if side.figure else "text" for name, side in SIDES.items()
    }


PANES = Panes(at_of=at_of, drawing=feeder_diagram.drawing, empty=feeder_states.nothing_yet, tabs=MADE)


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    register_panes(app, desk, PANES, bare=drawn_bare)
    _register_looked_at(app, desk)
    _register_inspector(app, desk)
    _register_compared(app, desk)
    for name, side in SIDES.items():
        if side.figure is not None:
            register_place(app, feeder_ids, name, partial(_place_of_side, name))


def drawn_bare(seat: Seat[Desk], found: Any) -> Any:
    """Return the drawing of the feeder that a question without an answer is about."""
    feeder = feeder_of(seat, found)
    return no_update if feeder is None else feeder_diagram.bare(feeder, found["labels"], str(found["key"]))


def feeder_of(seat: Seat[Desk], found: Any) -> Feeder | None:
    """Return the feeder that is drawn, solved or not, None for none."""
    if is_bare(found):
        question = seat.desk.question_of(found)
        return None if question is None else seat.desk.bare(seat.user, seat.study, question)
    run = seat.drawn(found)
    return None if run is None else run.feeder


def _register_looked_at(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Input(feeder_ids.AT, "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def totals(at: Any, found: Any, study: Any) -> Any:
        if is_bare(found):
            return no_update  # each figure stands there with a dash
        return PANES.looked_at(seat_of(desk, study), found, at, feeder_totals.totals_of)

    @app.callback(
        Output(feeder_ids.SHEET, "children"),
        Input(feeder_ids.AT, "data"),
        State(feeder_ids.FOUND, "data"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def sheet(at: Any, found: Any, study: Any) -> Any:
        return PANES.looked_at(seat_of(desk, study), found, at, feeder_sheet.sheet)


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
            feeder = feeder_of(seat_of(desk, study), found)
        except EngineError:
            feeder = None
        return forms_of(feeder, at_of(at))


def forms_of(feeder: Feeder | None, at: At) -> dict[str, Any]:
    """Return which forms of edits show, and what they offer, for what is selected."""
    what = None if feeder is None else chosen(feeder, at)
    names = ("centre", "bus", "compensators", "buses", "standing", "factor", "here", "first", "removable", "removed")
    made: dict[str, Any] = dict.fromkeys(names, no_update) | {"centre": True, "bus": True, "compensators": True}
    if feeder is None or what is None or what[0] == "link":
        return made
    kind, name = what
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
        return PANES.looked_at(seat, found, at, lambda run, seen: compared(seat, run, seen)), now


def compared(seat: Seat[Desk], run: FeederRun, at: At) -> Part:
    """Return what the edits of the drawn answer change, or the way to know it; nothing where nothing is edited."""
    if not feeder_asked.changes_of(run.question):
        return None
    before = seat.desk.unedited(seat.user, seat.study, run.question)
    if before.found == "answered" and before.run is not None:
        return feeder_totals.compared(run, before.run, at)
    return feeder_totals.to_compare()


def rows_of(seat: Seat[Desk], run: FeederRun, at: At, tab: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of a tab; the key numbers where there is no such table."""
    made, side = (MADE.get(tab), SIDES.get(tab)) if isinstance(tab, str) else (None, None)
    answer = None if side is None else standing(seat, run, at, side).answer
    if side is not None and answer is not None:
        columns, rows = side.rows(answer)
    elif made is not None:
        columns, rows = (made.csv or made.rows)(run, at)
    else:
        return "numbers", list(feeder_totals.table_rows(run))
    return str(tab), headed(columns, rows)
