"""The tables of the largest sizes and of the count at every size, whole, as CSV from the server."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash
from flask import Response, request

from callbacks.security import current_user
from callbacks.siting_desk import Desk
from callbacks.siting_files import csv_file
from callbacks.siting_largest import look
from callbacks.siting_site import SiteSeat, packed_drawn, unpacked_drawn
from components import siting_largest as view
from components import siting_overview
from engine.errors import QuestionError


def address(study: Any, drawn: Mapping[str, Any], table: str) -> str:
    """Return where all rows of a table of what is drawn lie as CSV."""
    return view.address(study if isinstance(study, str) else "", packed_drawn(drawn), table)


def file_of(seat: SiteSeat, drawn: Any, table: str) -> str:
    """Return a table of what is drawn as CSV, with every row. Raises QuestionError where it is not known (any more)."""
    if table == view.COUNTS:
        answer = seat.desk.answer(seat.user, seat.study, drawn)
        if answer is None:
            raise QuestionError("the gate of this question is not computed, or not kept any more")
        return siting_overview.sizes_csv(answer)
    study = seat.read(drawn)
    if study is None or table != view.SITES:
        raise QuestionError("the gate of this question is not computed, or not kept any more")
    question = replace(study.run.question, threshold=study.threshold)
    found = look(seat.desk.services, seat.user, seat.study, question).found
    if found is None:
        raise QuestionError("the largest sizes of this question are not computed, or not kept any more")
    return view.sites_csv(study, found)


def register(app: Dash, desk: Desk) -> None:
    """Wire the address."""

    @app.server.get(view.FILE_PATH)
    def siting_largest() -> Response:
        query = request.args.to_dict()
        seat = SiteSeat(desk, current_user(), query.get("study", ""))
        table = query.get("table", view.SITES)
        name = "sizes" if table == view.COUNTS else "largest-sizes"
        return csv_file(f"{name}.csv", lambda: file_of(seat, unpacked_drawn(query.get("drawn", "")), table))
