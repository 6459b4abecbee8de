"""One press asks what the source screens: one hour of a peak day, branch outages, its voltages."""

from typing import Any

from dash import Dash, Input, Output, State, no_update

from components import siting_ids
from components.siting_words import AS_THE_SOURCE


def register(app: Dash) -> None:
    """Wire the press: it writes the words, and the question follows as if they had been chosen."""

    @app.callback(
        *(Output(siting_ids.word(name), "value", allow_duplicate=True) for name in AS_THE_SOURCE),
        Output(siting_ids.word("source"), "value", allow_duplicate=True),
        Input(siting_ids.AS_THE_SOURCE, "n_clicks"),
        State(siting_ids.word("source"), "value"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None, source: Any) -> Any:
        if not clicks:
            return (no_update,) * (len(AS_THE_SOURCE) + 1)
        return *AS_THE_SOURCE.values(), "2016" if source == "filed" else no_update
