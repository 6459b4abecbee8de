"""Files of an answer about hubs."""

from typing import Any

from dash import Dash

from callbacks.day_desk import Seat
from callbacks.day_files import register_files, saved
from callbacks.hubs_desk import Desk
from callbacks.hubs_panes import rows_of
from components import hubs_export
from components.hubs import FILES
from components.hubs_view import at_of
from components.hubs_words import At
from engine.pricing.run import HubRun

KINDS = tuple(kind for kind, _ in FILES)


def file_of(seat: Seat[Desk], run: HubRun, kind: str, at: At, tab: Any) -> dict[str, Any]:
    """Return a file of a run as ``dcc.Download`` takes it; ``tab`` says which table a CSV is of."""
    if kind == "csv":
        name, rows = rows_of(run, at, tab)
        content: str | bytes = hubs_export.as_csv(run, rows)
        filename = f"{hubs_export.stem(run)}-{name}.csv"
    else:
        names = seat.desk.file_names(seat.user, seat.study, run.question)
        filename, content = hubs_export.download(run, kind, names)
    return saved(filename, content, hubs_export.KINDS[kind])


def register(app: Dash, desk: Desk) -> None:
    """Wire the files."""

    def made(seat: Seat[Desk], run: HubRun, kind: str, at: Any, tab: Any) -> dict[str, Any]:
        return file_of(seat, run, kind, at_of(at), tab)

    register_files(app, desk, KINDS, made, "Nothing is computed yet: press Compute first.")
