"""Files of an answer about hubs."""

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, no_update

from callbacks.hubs_answer import Seat, seat_of
from callbacks.hubs_desk import Desk
from callbacks.hubs_panes import rows_of
from components import hubs_export, hubs_ids, ids
from components.hubs import FILES
from components.hubs_view import at_of
from components.hubs_words import At
from engine.errors import EngineError, QuestionError
from engine.pricing.run import HubRun

KINDS = tuple(kind for kind, _ in FILES)


def file_of(seat: Seat, run: HubRun, kind: str, at: At, tab: Any) -> dict[str, Any]:
    """Return a file of a run as ``dcc.Download`` takes it; ``tab`` says which table a CSV is of."""
    if kind == "csv":
        name, rows = rows_of(run, at, tab)
        content: str | bytes = hubs_export.as_csv(run, rows)
        filename = f"{hubs_export.stem(run)}-{name}.csv"
    else:
        asked = run.question.dataset
        files = {asked: seat.desk.file(seat.user, seat.study, asked)[0]} if asked else {}
        filename, content = hubs_export.download(run, kind, files)
    if isinstance(content, bytes):
        made: dict[str, Any] = dcc.send_bytes(content, filename)
        return made
    return {"filename": filename, "content": content, "type": hubs_export.KINDS[kind], "base64": False}


def register(app: Dash, desk: Desk) -> None:
    """Wire the files."""

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(f"{hubs_ids.EXPORT}-message", "children"),
        inputs={"presses": {kind: Input(hubs_ids.file(kind), "n_clicks") for kind in KINDS}},
        state={
            "found": State(hubs_ids.FOUND, "data"),
            "at": State(hubs_ids.AT, "data"),
            "tab": State(hubs_ids.TAB, "value"),
            "study": State(hubs_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def save(presses: dict[str, Any], found: Any, at: Any, tab: Any, study: Any) -> Any:
        kind = next((one for one in KINDS if hubs_ids.file(one) == ctx.triggered_id), None)
        if kind is None or not presses.get(kind):
            return no_update, no_update
        seat = seat_of(desk, study)
        try:
            run = seat.drawn(found)
            if run is None:
                raise QuestionError("Nothing is computed yet: press Compute first.")
            return file_of(seat, run, kind, at_of(at), tab), ""
        except EngineError as error:
            return no_update, str(error)
