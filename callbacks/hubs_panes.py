"""The panes of the Hubs page, drawn from the answer that is found and what of it is looked at."""

from collections.abc import Callable
from functools import partial
from typing import Any

from dash import Dash, Input, Output, State

from callbacks.day_desk import Seat, seat_of
from callbacks.day_panes import Panes, headed, register_panes
from callbacks.hubs_desk import Desk
from callbacks.hubs_tabs import MADE
from components import (
    hubs_checks,
    hubs_diagram,
    hubs_edits,
    hubs_growth,
    hubs_ids,
    hubs_sheet,
    hubs_states,
    hubs_totals,
    ids,
)
from components.hubs_view import at_of
from components.hubs_words import At, selected
from components.skeleton import Part
from engine.errors import EngineError
from engine.pricing import jobs
from engine.pricing.growth import Grown
from engine.pricing.run import HubRun

PAGE = ids.HUBS


def places() -> dict[str, Part]:
    """Return the static parts of the tabs."""
    return {name: tab.place() for name, tab in MADE.items()}


def kinds() -> dict[str, str]:
    """Return how each tab is laid out: a grid, a chart beside its table, or a text."""
    return {name: tab.kind for name, tab in MADE.items()}


PANES = Panes(at_of=at_of, drawing=hubs_diagram.drawing, empty=hubs_states.nothing_yet, tabs=MADE)


def grown(seat: Seat[Desk]) -> list[Grown]:
    """Return what the sizes that the Checks tab lets try took, of those that are computed."""
    artifacts, found = seat.desk.services.artifacts, []
    for each in (*hubs_growth.TRIES, *hubs_growth.EXACT_TRIES):
        path = artifacts.open(jobs.study_key(seat.desk.arguments(each.question)))
        if path is not None:
            found.append(Grown.read(path))
    return found


def _checks(seat: Seat[Desk]) -> Callable[[HubRun, At], Part]:
    return partial(hubs_checks.content, others=grown(seat), study=seat.study)


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    register_panes(app, desk, PANES, {hubs_checks.TAB: _checks})

    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Output(hubs_ids.SHEET, "children"),
        *(Output(hubs_ids.form(kind), "hidden") for kind in hubs_edits.SELECTED),
        Input(hubs_ids.AT, "data"),
        State(hubs_ids.FOUND, "data"),
        State(hubs_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(at: Any, found: Any, study: Any) -> Any:
        seat = seat_of(desk, study)
        totals = PANES.looked_at(seat, found, at, hubs_totals.totals_of)
        sheet = PANES.looked_at(seat, found, at, hubs_sheet.sheet)
        kind = _kind(seat, found, at)
        return totals, sheet, *(each != kind for each in hubs_edits.SELECTED)


def _kind(seat: Seat[Desk], found: Any, at: Any) -> str:
    """Return the kind of what is selected of the answer that is drawn, "" for nothing."""
    try:
        run = seat.drawn(found)
    except EngineError:
        return ""
    chosen = None if run is None else selected(run, at_of(at))
    return "" if chosen is None else chosen[0]


def rows_of(run: HubRun, at: At, tab: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of a tab; the key numbers where there is no such table."""
    made = MADE.get(tab) if isinstance(tab, str) else None
    if made is None:
        return "numbers", list(hubs_totals.table_rows(run, at))
    columns, rows = made.rows(run, at)
    return str(tab), headed(columns, rows)
