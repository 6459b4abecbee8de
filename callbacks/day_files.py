"""Files of the answer of a page of a day: one is saved by the press of its button."""

from collections.abc import Callable, Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, no_update

from callbacks.day_desk import D, Seat, seat_of
from components import ids
from engine.errors import EngineError, QuestionError


def saved(filename: str, content: str | bytes, type_: str) -> dict[str, Any]:
    """Return a file as ``dcc.Download`` takes it; ``type_`` is the media type of a text."""
    if isinstance(content, bytes):
        made: dict[str, Any] = dcc.send_bytes(content, filename)
        return made
    return {"filename": filename, "content": content, "type": type_, "base64": False}


def register_files(
    app: Dash,
    desk: D,
    kinds: Sequence[str],
    file_of: Callable[[Seat[D], Any, str, Any, Any], dict[str, Any]],
    none: str,
) -> None:
    """Wire the files. ``none`` says that there is no answer yet.

    ``file_of`` makes a file of the seat, the run, the kind of file, what is looked at and the tab that shows.
    """
    of = desk.subject.ids

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(f"{of.EXPORT}-message", "children"),
        inputs={"presses": {kind: Input(of.file(kind), "n_clicks") for kind in kinds}},
        state={
            "found": State(of.FOUND, "data"),
            "at": State(of.AT, "data"),
            "tab": State(of.TAB, "value"),
            "study": State(of.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def save(presses: dict[str, Any], found: Any, at: Any, tab: Any, study: Any) -> Any:
        kind = next((one for one in kinds if of.file(one) == ctx.triggered_id), None)
        if kind is None or not presses.get(kind):
            return no_update, no_update
        seat = seat_of(desk, study)
        try:
            run = seat.drawn(found)
            if run is None:
                raise QuestionError(none)
            return file_of(seat, run, kind, at, tab), ""
        except EngineError as error:
            return no_update, str(error)
