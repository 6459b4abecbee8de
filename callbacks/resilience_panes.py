"""The panes of the Resilience page, drawn from the answer that is found and what of it is looked at."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.day_desk import seat_of
from callbacks.day_panes import Panes, headed, register_panes
from callbacks.resilience_desk import Desk
from callbacks.resilience_tabs import MADE
from components import (
    ids,
    resilience_diagram,
    resilience_ids,
    resilience_sheet,
    resilience_states,
    resilience_totals,
)
from components.resilience_view import at_of
from components.resilience_words import At
from components.skeleton import Part
from engine.errors import EngineError
from engine.resilience.run import ResilienceRun

PAGE = ids.RESILIENCE


def places() -> dict[str, Part]:
    """Return the static parts of the tabs."""
    return {name: tab.place() for name, tab in MADE.items()}


def kinds() -> dict[str, str]:
    """Return how each tab is laid out: a chart beside its table, or a text."""
    return {name: tab.kind for name, tab in MADE.items()}


PANES = Panes(at_of=at_of, drawing=resilience_diagram.drawing, empty=resilience_states.nothing_yet, tabs=MADE)


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    register_panes(app, desk, PANES)

    @app.callback(
        Output(ids.totals(PAGE), "children"),
        Output(resilience_ids.SHEET, "children"),
        Input(resilience_ids.AT, "data"),
        State(resilience_ids.FOUND, "data"),
        State(resilience_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(at: Any, found: Any, study: Any) -> Any:
        seat = seat_of(desk, study)
        return (
            PANES.looked_at(seat, found, at, resilience_totals.totals_of),
            PANES.looked_at(seat, found, at, resilience_sheet.sheet),
        )

    @app.callback(
        Output(resilience_ids.FILM, "data"),
        Output(f"{resilience_ids.FILM}-key", "data"),
        Input(resilience_ids.AT, "data"),
        State(resilience_ids.FOUND, "data"),
        State(resilience_ids.STUDY, "data"),
        State(f"{resilience_ids.FILM}-key", "data"),
        prevent_initial_call=True,
    )
    def play(at: Any, found: Any, study: Any, held: Any) -> Any:
        try:
            run = seat_of(desk, study).drawn(found)
            if run is None:
                return None, None
            wanted = at_of(at)
            key = resilience_diagram.film_key(run, wanted)
            return (no_update, no_update) if key == held else (resilience_diagram.film(run, wanted), key)
        except EngineError:  # the inspector says why
            return None, None

    app.clientside_callback(
        ClientsideFunction("resiliencePage", "film"),
        Output(f"{resilience_ids.PAINTED}-film", "data"),
        Input(resilience_ids.FILM, "data"),
    )


def rows_of(run: ResilienceRun, at: At, tab: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of a tab; the key numbers where there is no such table."""
    made = MADE.get(tab) if isinstance(tab, str) else None
    if made is None:
        return "numbers", list(resilience_totals.table_rows(run, at))
    columns, rows = made.rows(run, at)
    return str(tab), headed(columns, rows)
