"""A file of hours: a planner's own, or the series of 2020 where the operator has it in the folder HEADROOM_DATA names.

Either is read as it is taken in, kept with the study and named by its digest in the question: what was computed with
it stays what it was when the folder changes or goes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.siting_answer import Seat, seat_of
from callbacks.siting_desk import Desk
from callbacks.uploads import content_of
from components import siting_ids
from components.format import count
from components.siting_words import OFFERED
from engine.capacity.series import is_texas
from engine.errors import EngineError, FileFormatError
from engine.siting.hourly_file import HourlyFile

HOURS_KIND = "siting-hours"  # of a study's files
SERIES = "texas2000/hourly_2020.csv.gz"  # below the folder of data
SERIES_NAME = f"HEADROOM_DATA/{SERIES}"  # where a reader of results finds it
OFFER = f"2020, from {SERIES_NAME}"
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


def choices_of(seat: Seat, *, read_only: bool = False) -> list[tuple[str, str]]:
    """Return what the control of the file offers: the study's files, and on Texas the series of the data folder."""
    listed = files_of(seat)
    if read_only or SERIES_NAME in {name for _, name in listed} or _series(seat) is None:
        return listed
    return [*listed, (OFFERED, OFFER)]


def take_series(seat: Seat) -> TakenIn:
    """Keep the series of the data folder with the study. Raises EngineError when it is gone or cannot be read."""
    path = _series(seat)
    if path is None:
        raise FileFormatError(f"{SERIES_NAME} is not there any more")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{SERIES_NAME} cannot be read: {error.strerror}") from None
    return take_in(seat, SERIES_NAME, content)


def _series(seat: Seat) -> Path | None:
    """Return the file of the series if it is there and the study's network is synthetic Texas."""
    folder = seat.desk.services.data
    if folder is None or not (folder / SERIES).is_file() or not is_texas(seat.network()):
        return None
    return folder / SERIES


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
    if hours.onsite_mw is not None:
        words += f", on-site resources of {hours.onsite_mw.min():g} to {hours.onsite_mw.max():g} MW"
    return TakenIn([{"value": key, "label": name} for key, name in choices_of(seat)], entry.digest, words)


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload."""

    @app.callback(
        Output(siting_ids.word("file"), "options"),
        Output(siting_ids.word("file"), "value"),
        Output(siting_ids.word("source"), "value"),
        Output(f"{siting_ids.UPLOAD}-message", "children"),
        Input(siting_ids.UPLOAD, "contents"),
        Input(siting_ids.word("file"), "value"),
        State(siting_ids.UPLOAD, "filename"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def upload(contents: Any, chosen: Any, filename: Any, study: Any) -> Any:
        offered = ctx.triggered_id == siting_ids.word("file")
        if chosen != OFFERED if offered else not isinstance(contents, str):
            return (no_update,) * 4
        seat = seat_of(desk, study)
        try:
            found = take_series(seat) if offered else take_in(seat, str(filename or "file"), content_of(contents))
        except EngineError as error:
            return no_update, "" if offered else no_update, no_update, str(error)
        return found.files, found.value, "file", found.message
