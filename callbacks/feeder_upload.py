"""A feeder of the reader's own, and a file of work: read, shown with what was understood, then taken into a study."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, no_update

from callbacks.feeder_answer import Seat, seat_of
from callbacks.feeder_desk import FEEDER_KIND, WORK_KIND, Desk
from callbacks.network_import import uploaded
from components import feeder_asked, feeder_ids, feeder_upload, ids
from engine.distribution.checks import check
from engine.distribution.dss_file import read_dss
from engine.distribution.feeder import Feeder
from engine.distribution.files import MOST_BYTES, from_csv, from_json, to_json, unpacked
from engine.distribution.question import FeederQuestion
from engine.distribution.workload import from_csv as work_from_csv
from engine.errors import EngineError, FileFormatError, NetworkDataError, Problem, QuestionError
from engine.store.codec import sha256

MOST_FILES = 50
UPLOAD = feeder_ids.UPLOAD


def received(contents: Any, names: Any) -> dict[str, bytes]:
    """Return uploaded files (data URLs) by name, those of one zip unpacked. Raises FileFormatError naming the file."""
    sent = contents if isinstance(contents, list) else [contents]
    called = names if isinstance(names, list) else [names]
    if not sent or len(sent) != len(called) or len(sent) > MOST_FILES:
        raise FileFormatError(f"choose between 1 and {MOST_FILES} files")
    files = {}
    for name, content in zip(called, sent, strict=True):
        plain = str(name or "file")[:200]
        files[plain] = uploaded(plain, content, MOST_BYTES)
    if len(files) == 1 and next(iter(files.values())).startswith(b"PK"):
        return unpacked(next(iter(files.values())))
    return files


def read(files: Mapping[str, bytes]) -> tuple[Feeder, tuple[Problem, ...]]:
    """Return the feeder in files and what is to be known of the reading.

    Raises FileFormatError with everything that cannot be read, or else with everything that is wrong with the feeder.
    """
    names = [name.lower() for name in files]
    notes: tuple[Problem, ...] = ()
    if any(name.endswith(".dss") for name in names):
        found = read_dss(files)
        feeder, notes = found.feeder, found.notes
    elif len(files) == 1 and names[0].endswith(".json"):
        feeder = from_json(next(iter(files.values())))
    elif all(name.endswith(".csv") for name in names):
        feeder = from_csv(files)
    else:
        raise FileFormatError("a feeder is one JSON file, CSV tables (buses.csv, lines.csv, ...), or .dss scripts")
    problems = check(feeder)
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        raise NetworkDataError(wrong)
    return feeder, (*notes, *problems)


def offer(seat: Seat, contents: Any, names: Any) -> tuple[Any, dict[str, str] | None]:
    """Return what was understood of uploaded files, and what takes it; None where nothing can be taken."""
    title = ", ".join(str(name)[:60] for name in (names if isinstance(names, list) else [names])[:4])
    try:
        files = received(contents, names)
        feeder, notes = read(files)
    except EngineError as error:
        return feeder_upload.refused(reasons(error), title), None
    content = to_json(feeder)
    seat.desk.services.artifacts.save(_key(seat.user, sha256(content)), content)
    name = f"{title.rpartition('.')[0] or title}.json"
    return feeder_upload.understood(feeder, notes, title), {"digest": sha256(content), "name": name[:100]}


def take(seat: Seat, held: Any, question: FeederQuestion) -> str:
    """Keep the feeder that was shown and return the address of a question about it. Raises EngineError in words."""
    digest, name = (held.get("digest"), held.get("name")) if isinstance(held, Mapping) else (None, None)
    if not isinstance(digest, str) or not isinstance(name, str):
        raise QuestionError("choose the files of a feeder first")
    content = seat.desk.services.artifacts.read(_key(seat.user, digest))
    if content is None:
        raise QuestionError("this feeder is not kept any more: choose its files again")
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, FEEDER_KIND, content)
    asked = replace(question, dataset=kept, feeder=FeederQuestion().feeder, edits=(), draw_kw=(), workload="")
    return address_of(seat.desk, seat.user, study, asked)


def take_work(seat: Seat, contents: Any, names: Any, question: FeederQuestion) -> str:
    """Keep a file of work and return the address of the question with it. Raises EngineError with all its problems."""
    sent = contents[0] if isinstance(contents, list) and contents else contents
    name = str(names[0] if isinstance(names, list) and names else names or "work.csv")[:100]
    content = uploaded(name, sent, MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{name} is not UTF-8 text") from None
    work_from_csv(text, len(question.of_day))
    study, digest = seat.desk.keep_file(seat.user, seat.study, name, WORK_KIND, content)
    if question.dataset and study != seat.study:
        raise QuestionError("this study is not yours: take its feeder into one of your own first")
    return address_of(seat.desk, seat.user, study, replace(question, workload=digest))


def address_of(desk: Desk, user: str, study: str, question: FeederQuestion) -> str:
    """Return the address of the page with a question."""
    query = desk.query(user, study, question)
    return f"/feeder?{urlencode({'study': study})}" + (f"&{query}" if query else "")


def reasons(error: EngineError) -> list[str]:
    """Return every reason of a refusal."""
    problems = getattr(error, "problems", ())
    return [problem.message for problem in problems] or [str(error)]


def asked_now(words: Mapping[str, Any], edits: Any) -> FeederQuestion:
    """Return the question that the controls hold; where they cannot be read, the one that the page opens with."""
    try:
        return feeder_asked.question_of(words, edits)
    except QuestionError:
        return FeederQuestion()


def register(app: Dash, desk: Desk) -> None:
    """Wire the uploads."""
    words = {name: State(feeder_ids.word(name), "value") for name in feeder_asked.NAMES}

    @app.callback(
        Output(f"{UPLOAD}-shown", "children"),
        Output(f"{UPLOAD}-offer", "data"),
        Output(f"{UPLOAD}-take", "hidden"),
        Output(UPLOAD, "contents"),
        Input(UPLOAD, "contents"),
        State(UPLOAD, "filename"),
        State(feeder_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(contents: Any, names: Any, study: Any) -> Any:
        if not contents:
            return (no_update,) * 4
        panel, offered = offer(seat_of(desk, study), contents, names)
        return panel, offered, offered is None, None  # emptied, so that the same file, mended, can be sent again

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(f"{UPLOAD}-message", "children"),
        inputs={"clicks": Input(f"{UPLOAD}-take", "n_clicks")},
        state={
            "held": State(f"{UPLOAD}-offer", "data"),
            "words": words,
            "edits": State(feeder_ids.EDITS, "data"),
            "study": State(feeder_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def taken(clicks: Any, held: Any, words: dict[str, Any], edits: Any, study: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            return take(seat_of(desk, study), held, asked_now(words, edits)), ""
        except EngineError as error:
            return no_update, str(error)

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(f"{UPLOAD}-message", "children", allow_duplicate=True),
        Output(f"{UPLOAD}-work", "contents"),
        inputs={"contents": Input(f"{UPLOAD}-work", "contents")},
        state={
            "names": State(f"{UPLOAD}-work", "filename"),
            "words": words,
            "edits": State(feeder_ids.EDITS, "data"),
            "study": State(feeder_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def work(contents: Any, names: Any, words: dict[str, Any], edits: Any, study: Any) -> Any:
        if not contents:
            return no_update, no_update, no_update
        try:
            return take_work(seat_of(desk, study), contents, names, asked_now(words, edits)), "", None
        except EngineError as error:
            return no_update, "; ".join(reasons(error)), None


def _key(user: str, digest: str) -> str:
    """Return the name of what is kept for a user: nobody finds what another one uploaded, not even by its digest."""
    return f"feeder-offer-{sha256(json.dumps([user, digest]))}"
