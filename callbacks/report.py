"""The printable reports: an address of their own, for whoever may see the study, and for nobody else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State
from flask import Response, request

from callbacks import http
from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_aside import standing
from callbacks.capacity_desk import Desk
from callbacks.capacity_promise import as_sent, unmeasured
from callbacks.security import current_user
from components import capacity_ids, ids
from components.capacity_answer import Answer
from components.capacity_products import moment_of
from components.capacity_view import read_question
from components.format import count, megawatts
from components.report import ReportOf, study_report
from components.report_bus import BusPart, bus_report
from components.report_html import document, el
from components.report_parts import PATH, address, links, too_long
from components.report_promise import promise_parts
from components.skeleton import parse_element
from engine.capacity.promise import Promise
from engine.capacity.promise_jobs import PROMISE, promise_arguments
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Why
from engine.capacity.why import why, why_alone
from engine.errors import EngineError, NotFoundError, QuestionError

MOST_PUBLISHED = 5  # versions that a report names


def report_page(desk: Desk, user: str, query: Mapping[str, str], now: datetime) -> str:
    """Return the report that an address asks for, or in words why there is none.

    Raises NotFoundError when the study, or the version of its network, is not the user's to see.
    """
    study = query.get("study", "")
    summary = desk.services.studies.get(user, study)
    digest = desk.services.studies.network_status(user, study).digest
    asked = query.get("network") or digest
    ways = {"Back to the Capacity page": f"/capacity?{_without(query, 'network', 'bus')}"}
    try:
        question = _question(desk, user, study, query)
        answer = desk.at(user, study, question, asked)
    except NotFoundError:
        raise
    except EngineError as error:
        return _no_report(summary.name, f"This question cannot be answered: {error}.", ways)
    if answer is None:
        words = (
            "The answer is not computed, or not kept any more. Compute it on the Capacity page, then print it again."
        )
        return _no_report(summary.name, f"{question.sentence()} {words}", ways)
    answer = answer.at_period(query.get("part", ""))
    given = ReportOf(
        study=summary.name,
        answer=answer,
        now=now,
        version=http.product_version(),
        stale="" if asked == digest else "the network has been changed since this was computed",
        published=published(desk, user, study, answer),
    )
    bus = query.get("bus")
    found = promise_of(desk, user, study, answer)
    if found is not None:
        given = replace(given, promise=promise_parts(found, bus))
    if bus is None:
        return document(f"{summary.name}, capacity", study_report(given), links=ways)
    if bus not in answer.network.buses.ids:
        return _no_report(summary.name, f"The network has no bus {bus[:40]!r}.", ways)
    part = bus_part(desk, answer, bus)
    return document(f"{summary.name}, bus {bus}", bus_report(given, part), links=ways)


def bus_part(desk: Desk, answer: Answer, bus: str) -> BusPart:
    """Return what the report of a bus holds beside the answer: its curve, and the cards behind its numbers."""
    position = answer.network.buses.ids.index(bus)
    if not answer.network.buses.in_service[position]:
        return BusPart(position, None, ())
    levels = answer.alone.epsilons
    cards: list[Why] = []
    if bus in answer.sites() and answer.result.levels and not answer.deep:
        cards += [why(answer.prepared, answer.question, answer.result, bus, level) for level in levels]
    cards += [why_alone(answer.prepared, answer.question, bus, level) for level in levels]
    return BusPart(position, desk.curve(answer, bus), cards)


def promise_of(desk: Desk, user: str, study: str, answer: Answer) -> Promise | None:
    """Return what was measured of this very answer's promise, None when nothing was; nothing is started."""
    if unmeasured(answer, {"period": answer.period}):
        return None
    levels = [level.capacity_mw for level in answer.result.levels]
    arguments = as_sent(promise_arguments(answer.network.digest, answer.question, levels))
    found = standing(desk.services, user, study, PROMISE, arguments)
    try:
        return None if found.content is None else Promise.from_json(found.content)
    except (LookupError, TypeError, ValueError):  # of another version of the product
        return None


def published(desk: Desk, user: str, study: str, answer: Answer) -> list[str]:
    """Return the newest published versions in words, with what of them is of another question or network."""
    lines = []
    for record in desk.services.products.list(user, study)[:MOST_PUBLISHED]:
        listed, origin = record.product_set["products"], record.product_set["provenance"]
        total = sum(product["capacity_mw"] for product in listed)
        size = f"{count(len(listed), 'product')}, {megawatts(total)}"
        words = f"Version {record.version}, {moment_of(record.created)}: {size}"
        same = (origin["network_digest"], origin["question_digest"]) == (
            answer.network.digest,
            answer.question.digest(),
        )
        lines.append(words if same else f"{words}; of another question or an earlier network")
    return lines


def _question(desk: Desk, user: str, study: str, query: Mapping[str, str]) -> CapacityQuestion:
    kept, problems = desk.first(user, study, query)
    if problems:
        raise QuestionError("; ".join(problems))
    return read_question(query) or kept or desk.begin(user, study)


def _no_report(study: str, words: str, ways: Mapping[str, str]) -> str:
    told = el("div", el("strong", "No report: "), words, class_="state", role="status")
    return document(study, [el("header", el("p", "Capacity report"), el("h1", study)), told], links=ways)


def _without(query: Mapping[str, str], *names: str) -> str:
    return urlencode([(name, value) for name, value in query.items() if name not in names])


def report_links(seat: Seat, drawn: Any, selection: Any) -> list[Any]:
    """Return the links to the reports of what is drawn. Raises EngineError when the study is not the user's."""
    answer = seat.answer(drawn)
    if answer is None:
        return links("", "", "")
    owner = seat.desk.services.studies.get(seat.user, seat.study).role == "owner"
    query = seat.desk.query(seat.user, seat.study, answer.question, owner=owner)
    if not query:
        return too_long()
    query += f"&{urlencode([('part', answer.period)])}" if answer.period else ""
    kind, bus = parse_element(selection) or ("", "")
    known = kind == "bus" and bus in answer.network.buses.ids
    digest = answer.network.digest
    return links(
        address(seat.study, query, digest),
        address(seat.study, query, digest, bus) if known else "",
        bus if known else "",
    )


def register(app: Dash, desk: Desk) -> None:
    """Add the address of the reports, and the links to them."""

    @app.server.get(PATH)
    def report() -> Response:
        text = report_page(desk, current_user(), request.args.to_dict(), datetime.now(UTC))
        response = Response(text, mimetype="text/html")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @app.callback(
        Output(capacity_ids.REPORT_LINKS, "children"),
        Input(capacity_ids.ANSWERED, "data"),
        Input(ids.selection(ids.CAPACITY), "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def write_links(drawn: Any, selection: Any, study: Any) -> Any:
        try:
            return report_links(seat_of(desk, study), drawn, selection)
        except EngineError as error:
            return str(error)
