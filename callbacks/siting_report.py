"""The printable sheet of a site: an address of its own, for whoever may see the study, and for nobody else."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dash import Dash
from flask import Response, request

from callbacks.capacity_aside import standing
from callbacks.security import current_user
from callbacks.siting_desk import Desk
from callbacks.siting_site import SiteSeat, ac_arguments_of, unpacked_drawn
from components.report_html import document, el
from components.siting_report import site_report
from components.siting_sheet import REPORT_PATH
from components.siting_site import SiteStudy
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.siting.ac_check import AcReport
from engine.siting.jobs import AC


def sheet_page(seat: SiteSeat, query: Mapping[str, str], now: datetime) -> str:
    """Return the sheet that an address asks for, or in words why there is none.

    Raises NotFoundError when the study is not the user's to see.
    """
    name = seat.desk.services.studies.get(seat.user, seat.study).name
    ways = {"Back to the Siting page": f"/siting?study={seat.study}"}
    try:
        study = seat.read(unpacked_drawn(query.get("drawn", "")))
        if study is None:
            raise QuestionError("the gate of this question is not computed, or not kept any more")
        bus = study.bus(("bus", query.get("bus", "")))
        if bus is None or bus not in study.gate.buses:
            raise QuestionError(f"{query.get('bus', '')[:40]!r} is not a candidate bus of this study")
        parts = site_report(study, bus, name, _ac(seat, study, bus), now)
    except NotFoundError:
        raise
    except EngineError as error:
        told = el("div", el("strong", "No sheet: "), f"{error}.", class_="state", role="status")
        return document(name, [el("header", el("p", "Site sheet"), el("h1", name)), told], links=ways)
    return document(f"{name}, {study.words(bus)}", [el("div", *parts, class_="sheet")], links=ways)


def _ac(seat: SiteSeat, study: SiteStudy, bus: int) -> AcReport | None:
    """Return the AC power flows if they were computed; nothing is started."""
    arguments, _ = ac_arguments_of(seat, study, bus)
    found = standing(seat.desk.services, seat.user, seat.study, AC, arguments)
    return None if found.content is None else AcReport.from_json(found.content)


def register(app: Dash, desk: Desk) -> None:
    """Add the address."""

    @app.server.get(REPORT_PATH)
    def siting_sheet() -> Response:
        query = request.args.to_dict()
        text = sheet_page(SiteSeat(desk, current_user(), query.get("study", "")), query, datetime.now(UTC))
        response = Response(text, mimetype="text/html")
        response.headers["Cache-Control"] = "private, no-store"
        return response
