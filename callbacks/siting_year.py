"""The study over the whole year: its parts found, shown as they run, and gone on with; its file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash
from flask import Response, request

from callbacks.capacity_aside import Standing, begin, standing
from callbacks.security import current_user
from callbacks.siting_desk import Desk
from callbacks.siting_files import csv_file
from callbacks.siting_site import SiteSeat, packed_drawn, unpacked_drawn
from components import siting_year as view
from components.siting_site import SiteStudy
from components.skeleton import Part
from engine.errors import EngineError, QuestionError
from engine.siting.gate.bracket import GateBracket
from engine.siting.question import SitingQuestion
from engine.siting.year import (
    MINUTES,
    YEAR,
    bracket_csv,
    so_far_key,
    year_arguments,
    year_question,
)
from engine.store.jobs import Job

_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class YearStands:
    """The bounds of the last part that ended, or those so far, and where the next part stands."""

    part: int  # the next to begin
    bracket: GateBracket | None = None
    check: Mapping[str, Any] | None = None  # None while the bounds are not checked
    job: Job | None = None  # of the next part


def find(seat: SiteSeat, question: SitingQuestion) -> YearStands:
    """Return where a question over the year stands."""
    network = seat.desk.services.network(seat.user, seat.study).digest
    last: tuple[Mapping[str, Any], GateBracket] | None = None
    for part in range(1, _MOST_PARTS):
        stands = [_standing(seat, network, question, part, minutes) for minutes in MINUTES]
        ended = [(one.content, found) for one in stands if one.content and (found := _bounds(seat, one)) is not None]
        if ended:
            last = ended[-1]
            continue
        job = _newest([one.job for one in stands if one.job is not None])
        so_far = _so_far(seat, so_far_key(network, question)) if job is not None else None
        if so_far is not None and (last is None or so_far.groups > last[1].groups):
            return YearStands(part, so_far, job=job)
        check = None if last is None else last[0]["check"]
        return YearStands(part, None if last is None else last[1], check, job)
    raise QuestionError(f"{_MOST_PARTS} parts and more: go on by a program of one's own")


def panel(seat: SiteSeat, study: SiteStudy, drawn: Any, name: str, *, pressed: bool) -> tuple[Part, str | None]:
    """Return what is known over the year, and the job it waits for; ``name`` may say which part to begin.

    Pressed as ``year`` nothing begins: a part takes minutes, and how many is chosen first. As ``year 2 60`` the second
    part begins, of 60 minutes, if the parts before it have ended and no other runs.
    """
    question = replace(study.run.question, threshold=study.threshold)
    year_question(question)  # refuses one hour
    stands = find(seat, question)
    asked = _part_of(name)
    new = stands.job is None or not stands.job.active
    if pressed and asked is not None and new and asked[0] == stands.part:
        network = seat.desk.services.network(seat.user, seat.study).digest
        arguments = _plain(year_arguments(network, question, *asked))
        begin(seat.desk.services, seat.user, seat.study, YEAR, arguments)
        stands = find(seat, question)
    job = stands.job
    if job is None and stands.bracket is None:
        return view.to_press(stands.part), None
    files = {table: view.address(seat.study, packed_drawn(drawn), table) for table in view.TABLES}
    parts = view.shown(study, stands.bracket, check=stands.check, job=job, part=stands.part, files=files)
    return parts, job.id if job is not None and job.active else None


def _part_of(name: str) -> tuple[int, int] | None:
    """Return the part and its minutes that a press names, None where it names none."""
    words = name.split(" ")[1:]
    if not words:
        return None
    try:
        part, minutes = (int(word) for word in words)
    except ValueError:
        raise QuestionError("there is no such part of the year") from None
    return part, minutes


def _standing(seat: SiteSeat, network: str, question: SitingQuestion, part: int, minutes: int) -> Standing:
    arguments = _plain(year_arguments(network, question, part, minutes))
    return standing(seat.desk.services, seat.user, seat.study, YEAR, arguments)


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as they come back from the store."""
    found: dict[str, Any] = json.loads(json.dumps(arguments))
    return found


def _newest(jobs: list[Job]) -> Job | None:
    return max(jobs, key=lambda job: (job.active, job.created), default=None)


def _bounds(seat: SiteSeat, stands: Standing) -> GateBracket | None:
    """Return the bounds of a part that ended, None when its file was evicted since."""
    content = stands.content or {}
    return _so_far(seat, content["artifacts"][0])


def _so_far(seat: SiteSeat, key: str) -> GateBracket | None:
    path = seat.desk.services.artifacts.open(key)
    if path is None:
        return None
    try:
        return GateBracket.load(path)
    except (OSError, EngineError):  # evicted since, or of another version
        return None


def file_of(seat: SiteSeat, drawn: Any, table: str = view.EVERY) -> str:
    """Return the CSV of the bounds: of every envelope and size, or of those drawn, as the page's table has them.

    Raises QuestionError when there are none (any more).
    """
    if table not in view.TABLES:
        raise QuestionError("there is no such table of the year")
    study = seat.read(drawn)
    if study is None:
        raise QuestionError("the gate of this question is not computed, or not kept any more")
    found = find(seat, replace(study.run.question, threshold=study.threshold)).bracket
    if found is None:
        raise QuestionError("nothing is known of this question over the year")
    return bracket_csv(study.network, found) if table == view.EVERY else view.candidates_csv(study, found)


def register(app: Dash, desk: Desk) -> None:
    """Add the address of the file."""

    @app.server.get(view.FILE_PATH)
    def siting_year() -> Response:
        query = request.args.to_dict()
        seat = SiteSeat(desk, current_user(), query.get("study", ""))
        table = query.get("table", view.EVERY)
        return csv_file(f"{table}.csv", lambda: file_of(seat, unpacked_drawn(query.get("drawn", "")), table))
