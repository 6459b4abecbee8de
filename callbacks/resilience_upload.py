"""Shocks of the reader's own: counted, then read against the question and taken into a study."""

import csv
import io
from dataclasses import replace
from typing import Any

from dash import Dash, State

from callbacks.day_answer import reasons
from callbacks.day_desk import Seat
from callbacks.day_upload import Offer, address_of, offered, register_upload, taken
from callbacks.network_import import uploaded
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from components import resilience_asked, resilience_ids, resilience_upload
from engine.errors import EngineError, FileFormatError
from engine.network.csv_pair import decoded
from engine.resilience.question import ResilienceQuestion
from engine.resilience.shock_files import COLUMNS, MOST_BYTES, from_csv


def offer(seat: Seat[Desk], contents: Any, name: Any) -> tuple[Any, Offer | None]:
    """Return what is known of an uploaded file, and what takes it; None where it is no file of shocks."""
    sent = contents[0] if isinstance(contents, list) and contents else contents
    title = str(name[0] if isinstance(name, list) and name else name or "shocks.csv")[:100]
    try:
        content = uploaded(title, sent, MOST_BYTES)
        rows = list(csv.reader(io.StringIO(_text(content))))
        missing = [column for column in COLUMNS[:4] if not rows or column not in rows[0]]
        if missing:
            raise FileFormatError(f"the first line has no column {', '.join(missing)}")
    except EngineError as error:
        return resilience_upload.refused(reasons(error), title), None
    return resilience_upload.understood(len(rows) - 1, title), offered(seat, content, title)


def _text(content: bytes) -> str:
    """Return the text of a file. Raises FileFormatError for what is none."""
    try:
        return decoded(content)[0]
    except ValueError as error:
        raise FileFormatError(f"not a text: {error}") from None


def take(seat: Seat[Desk], held: Any, question: ResilienceQuestion) -> str:
    """Keep the shocks that were shown and return the address of the question with them.

    Raises EngineError with everything that does not fit the feeder, the campuses and the steps of the question.
    """
    name, content = taken(
        seat,
        held,
        first="choose a file of shocks first",
        gone="this file is not kept any more: choose it again",
    )
    case = seat.desk.case(seat.user, seat.study, replace(question, shocks_file="", atoms=0))
    replace(case, scenarios=from_csv(content, case.campuses, case.steps, case.links)).checked()
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, SHOCKS_KIND, content)
    return address_of(seat.desk, seat.user, study, replace(question, shocks_file=kept).checked())


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload."""

    def took(seat: Seat[Desk], held: Any, words: dict[str, Any]) -> str:
        told = dict(words)
        return take(seat, held, resilience_asked.question_of(told, told.pop("edits")))

    words = {name: State(resilience_ids.word(name), "value") for name in resilience_asked.NAMES}
    register_upload(app, desk, words | {"edits": State(resilience_ids.EDITS, "data")}, offer, took)
