"""What is drawn goes to the tab of the drawer that shows, and to no other: a hidden tab asks the server for nothing."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from components import ids, siting_ids

PAGE = ids.SITING


def looked_at(seen: Any) -> tuple[Any, Any]:
    """Return what is drawn, and the selected element where the tab depends on it: of a tab's Store."""
    return (seen.get("drawn"), seen.get("selection")) if isinstance(seen, Mapping) else (None, None)


def register(app: Dash) -> None:
    """Wire the Stores of the tabs, ``siting_ids.seen``, which the browser writes."""
    app.clientside_callback(
        ClientsideFunction("siting", "see"),
        Output(f"{siting_ids.TABLES}-seen", "data"),
        Input(siting_ids.TAB, "value"),
        Input(siting_ids.ANSWERED, "data"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(siting_ids.TABLES, "id"),
    )
