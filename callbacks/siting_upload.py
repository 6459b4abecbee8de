"""A planner's own file of hours: read as it is taken in, kept with the study, chosen in the question."""

from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.siting_answer import Seat, seat_of
from callbacks.siting_desk import Desk
from callbacks.uploads import content_of
from components import ids
from components.format import count
from engine.errors import EngineError, FileFormatError
from engine.siting.hourly_file import HourlyFile

HOURS_KIND = "siting-hours"  # of a study's files
_SHOWN = 8  # problems of a file that are listed


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What the page shows after an upload: the files to choose from, the one chosen, a message."""

    files: list[dict[str, str]]
    value: str
    message: str


def files_of(seat: Seat) -> list[tuple[str, str]]:
    """Return (digest, name) of the study's files of hours."""
    listed = seat.desk.services.studies.datasets(seat.user, seat.study)
    return [(entry.digest, entry.name) for entry in listed if entry.kind == HOURS_KIND]


def take_in(seat: Seat, filename: str, content: bytes) -> TakenIn:
    """Keep a file of hours with the study once it can be read. Raises EngineError with what is wrong in it."""
    try:
        hours = HourlyFile.read(filename, content, seat.network())
    except FileFormatError as error:
        lines = str(error).split("; ")
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise FileFormatError("; ".join(lines[:_SHOWN]) + more) from error
    entry = seat.desk.services.studies.add_dataset(seat.user, seat.study, filename, HOURS_KIND, content)
    words = f"{filename}: {count(len(hours), 'hour')} read, loads by {hours.place}"
    return TakenIn([{"value": digest, "label": name} for digest, name in files_of(seat)], entry.digest, words)


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload."""

    @app.callback(
        Output(ids.siting_word("file"), "options"),
        Output(ids.siting_word("file"), "value"),
        Output(ids.siting_word("source"), "value"),
        Output(f"{ids.SITING_UPLOAD}-message", "children"),
        Input(ids.SITING_UPLOAD, "contents"),
        State(ids.SITING_UPLOAD, "filename"),
        State(ids.SITING_STUDY, "data"),
        prevent_initial_call=True,
    )
    def upload(contents: Any, filename: Any, study: Any) -> Any:
        if not isinstance(contents, str):
            return (no_update,) * 4
        try:
            content = content_of(contents)
            found = take_in(seat_of(desk, study), str(filename or "file"), content)
        except EngineError as error:
            return no_update, no_update, no_update, str(error)
        return found.files, found.value, "file", found.message
