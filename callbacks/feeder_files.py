"""Files of the feeder's answer, and the cards of its key numbers."""

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, no_update

from callbacks.feeder_answer import Seat, seat_of
from callbacks.feeder_desk import Desk
from callbacks.feeder_panes import rows_of
from components import feeder_export, feeder_ids, ids
from components.feeder import FILES
from components.feeder_layers import At
from components.feeder_view import at_of
from engine.distribution.run import FeederRun
from engine.errors import EngineError, QuestionError

KINDS = tuple(kind for kind, _ in FILES)


def file_of(seat: Seat, run: FeederRun, kind: str, at: At, tab: Any) -> dict[str, Any]:
    """Return a file of a run as ``dcc.Download`` takes it; ``tab`` says which table a CSV is of."""
    if kind == "csv":
        name, rows = rows_of(seat, run, at, tab)
        content: str | bytes = feeder_export.as_csv(run, rows)
        filename = f"{feeder_export.stem(run)}-{name}.csv"
    else:
        filename, content = feeder_export.download(run, kind, _files(seat, run))
    if isinstance(content, bytes):
        made: dict[str, Any] = dcc.send_bytes(content, filename)
        return made
    return {"filename": filename, "content": content, "type": feeder_export.KINDS[kind], "base64": False}


def _files(seat: Seat, run: FeederRun) -> dict[str, str]:
    """Return the names of the files that the question names, by their digests."""
    asked = (run.question.dataset, run.question.workload)
    return {digest: seat.desk.file(seat.user, seat.study, digest)[0] for digest in asked if digest}


def register(app: Dash, desk: Desk) -> None:
    """Wire the files."""

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(f"{feeder_ids.EXPORT}-message", "children"),
        inputs={"presses": {kind: Input(feeder_ids.file(kind), "n_clicks") for kind in KINDS}},
        state={
            "found": State(feeder_ids.FOUND, "data"),
            "at": State(feeder_ids.AT, "data"),
            "tab": State(feeder_ids.TAB, "value"),
            "study": State(feeder_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def save(presses: dict[str, Any], found: Any, at: Any, tab: Any, study: Any) -> Any:
        kind = next((one for one in KINDS if feeder_ids.file(one) == ctx.triggered_id), None)
        if kind is None or not presses.get(kind):
            return no_update, no_update
        seat = seat_of(desk, study)
        try:
            run = seat.drawn(found)
            if run is None:
                raise QuestionError("Nothing is solved yet: press Solve first.")
            return file_of(seat, run, kind, at_of(at), tab), ""
        except EngineError as error:
            return no_update, str(error)
