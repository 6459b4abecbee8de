"""What the browser is told of a user's jobs, for the banner and for the pages that wait for them."""

import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import LONGEST_LIST, study_address
from components import feeder_view, hubs_view, resilience_view
from components.links import PageLink
from engine.errors import NotFoundError
from engine.store.jobs import Job

FINISHED_FOR_S = 60.0  # a finished job stays in the list this long, so that its page can take the result

_JOB_TITLES = {
    "capacity.prepare": "Scenario flows",
    "capacity.verify": "Check of a product set",
    "capacity.promise": "Worth of a promise",
    "capacity.check": "Check by other solvers",
    "capacity.largest": "Largest load at each bus, with redispatch",
    "capacity.answer": "Capacity with outages, redispatch or periods",
    "siting.gate": "Screening of the candidates",
    "siting.market": "Market of the sites that qualify",
    "siting.ac": "AC power flows of a site",
    "siting.products": "Sites tried together",
    "siting.year": "The gate over the whole year",
    "siting.again": "The gate once more, from nothing",
    "siting.largest": "Largest size at each site",
    "siting.corridors": "Headroom of corridors",
    "siting.clear": "Clearing of certified sites",
    "auction.deliverability": "Delivery of what an auction has sold",
    "auction.debrief": "Debrief of an auction",
    "auction.what_if": "An auction under another rule",
    "feeder.study": "Operation and prices of a feeder",
    "feeder.methods": "Methods side by side on a feeder",
    "feeder.several": "Several feeders at once",
    "hubs.study": "Prices for hubs",
    "resilience.study": "Placement of modules",
    "network.opf": "Least-cost dispatch",
}


def register(server: Flask, services: Services, links: Sequence[PageLink]) -> None:
    """Add the routes: a user's own jobs, and the end of one of them."""
    pages = {link.path: link.key for link in links}

    @server.get("/api/jobs")
    def jobs() -> AnyResponse:
        content = json.dumps({"jobs": listed_jobs(services, current_user(), pages, time.time())}, separators=(",", ":"))
        response = Response(content, mimetype="application/json")
        response.set_etag(hashlib.sha256(content.encode()).hexdigest()[:24])
        response.headers["Cache-Control"] = "private, no-cache"
        return response.make_conditional(request)

    @server.post("/api/jobs/<job>/cancel")
    def cancel(job: str) -> tuple[Response, int]:
        try:
            found = services.jobs.cancel(current_user(), job)
        except NotFoundError as error:
            return jsonify({"error": str(error)}), 404
        return jsonify(job_record(found, pages)), 200


def job_record(job: Job, pages: dict[str, str]) -> dict[str, Any]:
    """Return what the browser is told about a job; one of no study opens its page, where known with the question."""
    page = job.kind.partition(".")[0]
    alone = next((path for path, key in pages.items() if key == page), None)
    if alone and (query := _asked(job)):
        alone = f"{alone}?{query}"
    return {
        "id": job.id,
        "kind": job.kind,
        "title": _JOB_TITLES.get(job.kind, page.capitalize()),
        "study": job.study_id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "message": job.message,
        "eta_s": None if job.eta_s is None else round(job.eta_s),
        "error": job.error,
        "href": study_address(pages, job.study_id, page) if job.study_id else alone,
    }


def _asked(job: Job) -> str:
    """Return the query string of what a job of the pages Feeder, Hubs and Resilience was asked; "" for any other."""
    of = (each.job_query(job.kind, job.arguments) for each in (feeder_view, hubs_view, resilience_view))
    return next(filter(None, of), "")


def listed_jobs(services: Services, user: str, pages: dict[str, str], now: float) -> list[dict[str, Any]]:
    """Return the user's jobs that wait or run, and those that ended within the last minute."""
    newest = services.jobs.list(user, results=False)
    recent = [job for job in newest if job.active or (job.finished or 0) > now - FINISHED_FOR_S]
    return [job_record(job, pages) for job in recent[:LONGEST_LIST]]
