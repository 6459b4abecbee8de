"""A page without a study: the press that opens its worked example as a study of the reader's own."""

from typing import Any

from dash import Dash, Input, Output, no_update

from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import open_pages, study_address, toast
from components import ids
from components.no_study import WORKED, button_id
from engine.errors import EngineError


def register(app: Dash, services: Services) -> None:
    """Wire the button of each page."""
    for key in WORKED:

        @app.callback(
            Output(ids.LOCATION, "href", allow_duplicate=True),
            Output(ids.TOAST, "data", allow_duplicate=True),
            Input(button_id(key), "n_clicks"),
            prevent_initial_call=True,
        )
        def opens(clicks: int | None, key: str = key) -> Any:
            if not clicks:
                return no_update, no_update
            try:
                study = services.open_example(current_user(), WORKED[key].example)
            except EngineError as error:
                return no_update, toast(str(error))
            return study_address(open_pages(), study, key), no_update
