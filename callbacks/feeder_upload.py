"""A feeder of the reader's own, and a file of work: read, shown with what was understood, then taken into a study."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.day_answer import reasons
from callbacks.day_desk import Seat, seat_of
from callbacks.day_upload import Offer, address_of, offered, register_upload, taken
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


def offer(seat: Seat[Desk], contents: Any, names: Any) -> tuple[Any, Offer | None]:
    """Return what was understood of uploaded files, and what takes it; None where nothing can be taken."""
    title = ", ".join(str(name)[:60] for name in (names if isinstance(names, list) else [names])[:4])
    try:
        files = received(contents, names)
        feeder, notes = read(files)
    except EngineError as error:
        return feeder_upload.refused(reasons(error), title), None
    name = f"{title.rpartition('.')[0] or title}.json"
    return feeder_upload.understood(feeder, notes, title), offered(seat, to_json(feeder), name)


def take(seat: Seat[Desk], held: Any, question: FeederQuestion) -> str:
    """Keep the feeder that was shown and return the address of a question about it. Raises EngineError in words."""
    name, content = taken(
        seat, held, first="choose the files of a feeder first",
        gone="this feeder is not kept any more: choose its files again",
    )  # fmt: skip
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, FEEDER_KIND, content)
    asked = replace(
        feeder_asked.unedited(question), dataset=kept, feeder=FeederQuestion().feeder, draw_kw=(), workload=""
    )
    return address_of(seat.desk, seat.user, study, asked)


def take_work(seat: Seat[Desk], contents: Any, names: Any, question: FeederQuestion) -> str:
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


def asked_now(words: Mapping[str, Any], edits: Any) -> FeederQuestion:
    """Return the question that the controls hold; where they cannot be read, the one that the page opens with."""
    try:
        return feeder_asked.question_of(words, edits)
    except QuestionError:
        return FeederQuestion()


def register(app: Dash, desk: Desk) -> None:
    """Wire the uploads."""
    words = {name: State(feeder_ids.word(name), "value") for name in feeder_asked.NAMES}

    def took(seat: Seat[Desk], held: Any, words: dict[str, Any]) -> str:
        return take(seat, held, asked_now(words, None))

    register_upload(app, desk, words, offer, took)

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
