"""Cards of the numbers in the tables' rows, and what a site does to prices: the map's layer and its table."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, Patch, State, no_update

from callbacks.siting_answer import seat_of
from callbacks.siting_desk import Desk
from callbacks.siting_seen import looked_at
from components import ids, siting_ids, siting_prices, siting_why
from components.siting_answer import Answer
from components.siting_layers import data
from components.skeleton import parse_element, state
from components.static import static
from engine.errors import EngineError

PAGE = ids.SITING


def bus_of(answer: Answer, selection: Any) -> int | None:
    """Return the position of the selected bus, None when no bus of the network is selected."""
    element = parse_element(selection)
    if element is None or element[0] != "bus" or element[1] not in answer.network.buses.ids:
        return None
    return answer.network.buses.ids.index(element[1])


def asked_of(pressed: Any) -> tuple[str, str] | None:
    """Return the bus and the column of a press, None for none."""
    text = pressed.get("value") if isinstance(pressed, Mapping) else None
    if not isinstance(text, str) or "|" not in text:
        return None
    bus, _, column = text.rpartition("|")
    return bus, column


def register(app: Dash, desk: Desk) -> None:
    """Wire the cards and the prices."""

    @app.callback(
        Output(f"{siting_ids.WHY_ROW}-panel", "children"),
        Input(f"{siting_ids.WHY_ROW}-asked", "data"),
        State(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def why(pressed: Any, drawn: Any, study: Any) -> Any:
        asked = asked_of(pressed)
        if asked is None:
            return no_update
        try:
            answer = seat_of(desk, study).answer(drawn)
            return static(siting_why.GONE if answer is None else siting_why.row_card(answer, *asked))
        except EngineError as error:
            return static(str(error))

    @app.callback(
        Output(ids.map_layers(PAGE), "data", allow_duplicate=True),
        Output(ids.grid(PAGE, "prices"), "rowData"),
        Output(f"{siting_ids.PRICES}-told", "children"),
        Input(siting_ids.seen("prices"), "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def prices(seen: Any, study: Any) -> Any:
        drawn, selection = looked_at(seen)
        try:
            answer = seat_of(desk, study).answer(drawn)
        except EngineError as error:
            return no_update, [], state("failed", f"{error}.")
        if answer is None:
            return no_update, [], static(siting_prices.told(siting_prices.NONE_YET))
        bus = bus_of(answer, selection)
        found = siting_prices.prices_of(answer, bus)
        patch = Patch()
        patch["layers"][siting_prices.KEY] = data(answer, bus)["layers"][siting_prices.KEY]
        return (
            patch,
            siting_prices.rows(answer, found),
            static(siting_prices.told(found, siting_prices.card(answer, found))),
        )
