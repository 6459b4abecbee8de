"""Files of the feeder's answer, and the cards of its key numbers."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_files import register_files, saved
from callbacks.feeder_desk import Desk
from callbacks.feeder_panes import rows_of
from components import feeder_export
from components.feeder import FILES
from components.feeder_layers import At
from components.feeder_view import at_of
from engine.distribution.run import FeederRun

KINDS = tuple(kind for kind, _ in FILES)


def file_of(seat: Seat[Desk], run: FeederRun, kind: str, at: At, tab: Any) -> dict[str, Any]:
    """Return a file of a run as ``dcc.Download`` takes it; ``tab`` says which table a CSV is of."""
    if kind == "csv":
        name, rows = rows_of(seat, run, at, tab)
        content: str | bytes = feeder_export.as_csv(run, rows)
        filename = f"{feeder_export.stem(run)}-{name}.csv"
    else:
        names = seat.desk.file_names(seat.user, seat.study, run.question)
        filename, content = feeder_export.download(run, kind, names)
    return saved(filename, content, feeder_export.KINDS[kind])


def register(app: Dash, desk: Desk) -> None:
    """Wire the files."""

    def made(seat: Seat[Desk], run: FeederRun, kind: str, at: Any, tab: Any) -> dict[str, Any]:
        return file_of(seat, run, kind, at_of(at), tab)

    register_files(app, desk, KINDS, made, "Nothing is solved yet: press Solve first.")
