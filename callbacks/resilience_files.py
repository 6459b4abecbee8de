"""Files of an answer about modules."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_files import register_files, saved
from callbacks.resilience_desk import Desk
from callbacks.resilience_panes import rows_of
from components import resilience_export
from components.resilience import FILES
from components.resilience_view import at_of
from components.resilience_words import At
from engine.resilience.run import ResilienceRun

KINDS = tuple(kind for kind, _ in FILES)


def file_of(seat: Seat[Desk], run: ResilienceRun, kind: str, at: At, tab: Any) -> dict[str, Any]:
    """Return a file of a run as ``dcc.Download`` takes it; ``tab`` says which table a CSV is of."""
    if kind == "csv":
        name, rows = rows_of(run, at, tab)
        content: str | bytes = resilience_export.as_csv(run, rows)
        filename = f"{resilience_export.stem(run)}-{name}.csv"
    else:
        names = seat.desk.file_names(seat.user, seat.study, run.question)
        filename, content = resilience_export.download(run, kind, names)
    return saved(filename, content, resilience_export.KINDS[kind])


def register(app: Dash, desk: Desk) -> None:
    """Wire the files."""

    def made(seat: Seat[Desk], run: ResilienceRun, kind: str, at: Any, tab: Any) -> dict[str, Any]:
        return file_of(seat, run, kind, at_of(at), tab)

    register_files(app, desk, KINDS, made, "Nothing is computed yet: press Compute first.")
