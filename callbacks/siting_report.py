"""The printable sheet of a site: an address of its own, for whoever may see the study, and for nobody else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Dash
from flask import Response, request

from callbacks.capacity_aside import standing
from callbacks.security import current_user
from callbacks.siting_desk import Desk
from callbacks.siting_site import SiteSeat, ac_arguments_of, drawn_in, unpacked_drawn
from components.report_html import document, el
from components.siting_report import Printed, site_report
from components.siting_sheet import REPORT_PATH
from components.siting_site import SiteStudy
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.siting.ac_check import AcReport
from engine.siting.agreement import Agreement, agreement_from_json
from engine.siting.jobs import AC

_OF_THE_SHEET = frozenset({"site", "envelope", "nameplate_mw"})


def sheet_page(seat: SiteSeat, query: Mapping[str, str], now: datetime) -> str:
    """Return the sheet that an address asks for, or in words why there is none.

    Raises NotFoundError when the study is not the user's to see.
    """
    name = seat.desk.services.studies.get(seat.user, seat.study).name
    ways = {"Back to the Siting page": f"/siting?study={seat.study}"}
    try:
        study = seat.read(drawn_in(seat, query))
        if study is None:
            raise QuestionError("the gate of this question is not computed, or not kept any more")
        bus = study.bus(("bus", query.get("bus", "")))
        if bus is None or bus not in study.gate.buses:
            raise QuestionError(f"{query.get('bus', '')[:40]!r} is not a candidate bus of this study")
        printed = Printed(name, now, _ac(seat, study, bus), _draft(study, bus, query.get("terms")))
        parts = site_report(study, bus, printed)
    except NotFoundError:
        raise
    except EngineError as error:
        told = el("div", el("strong", "No sheet: "), f"{error}.", class_="state", role="status")
        return document(name, [el("header", el("p", "Site sheet"), el("h1", name)), told], links=ways)
    return document(f"{name}, {study.words(bus)}", [el("div", *parts, class_="sheet")], links=ways)


def edited_terms(held: Any) -> dict[str, Any] | None:
    """Return what of the page's draft the parties set, None where it stands as proposed or there is none.

    Site, envelope and nameplate are those of the sheet.
    """
    if not isinstance(held, Mapping):
        return None
    draft = agreement_from_json(held)
    first = Agreement(draft.site, draft.envelope, draft.nameplate_mw).to_json()
    return None if draft.to_json() == first else {name: held[name] for name in first if name not in _OF_THE_SHEET}


def _draft(study: SiteStudy, bus: int, terms: str | None) -> Agreement:
    """Return the draft agreement with the terms of an address, as proposed without any. Raises QuestionError."""
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    proposed = Agreement(study.words(bus), own, study.size_mw)
    if terms is None:
        return proposed
    known = proposed.to_json()
    given = {name: value for name, value in unpacked_drawn(terms).items() if name not in _OF_THE_SHEET}
    return agreement_from_json(known | given)


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
