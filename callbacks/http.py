"""What the server answers outside the pages: health, faults in words, the request log, caching."""

import secrets
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import structlog
from dash import Dash, html, set_props
from flask import Flask, Response, g, jsonify, request, session
from flask_compress import Compress
from markupsafe import escape
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound
from werkzeug.wrappers import Response as AnyResponse

from callbacks import logs, security
from components import ids
from engine.errors import ConflictError, EngineError, LimitError, NotFoundError, PermissionDeniedError

_log = logs.get("headroom.web")

_WEEK_S = 7 * 24 * 3600
_YEAR_S = 365 * 24 * 3600
_LAYOUT = "/_dash-layout"
_STEADY = ("/assets/fonts/", "/assets/outlines/")  # named by a style sheet or a map, without their time of change
_NOT_PAGES = ("/_dash", "/_reload", "/_favicon", "/assets/", "/api/", "/healthz")
_QUIET = ("/assets/", "/_dash-component-suites/", "/healthz")  # logged at DEBUG only
_POLLED = "/snapshot"  # what each browser in an auction room asks for every second
_LONGEST_LOGGED = 120

_WORDS = {
    400: "The server did not understand this request",
    403: "This request is not permitted",
    404: "There is nothing here, or it is not yours to see",
    405: "This address does not take that kind of request",
    409: "Somebody changed this first",
    413: "The upload is too large",
    415: "The server takes JSON here",
    429: "Too many requests in a short time; wait a minute and try again",
    500: "Something went wrong on our side",
}
_CODES = {NotFoundError: 404, PermissionDeniedError: 403, ConflictError: 409, LimitError: 413}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Headroom</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}</style></head>
<body><main><h1>{title}</h1><p>{detail}</p><p><a href="/">Back to the start</a></p></main></body></html>
"""


def product_version() -> str:
    """Return the installed version of this product, ``"source"`` when it runs from a bare folder."""
    try:
        return version("headroom")
    except PackageNotFoundError:
        return "source"


def is_page() -> bool:
    """Tell whether this request is a reader opening a page, not a part of one."""
    return request.method == "GET" and not request.path.startswith(_NOT_PAGES)


def compress(server: Flask) -> None:
    """Compress every text answer. Registered before all else, so that it works on the finished answer."""
    # Browsers offer brotli on https and localhost only: a classroom on a plain address gets gzip.
    server.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_BR_LEVEL=5,
    )
    server.config["COMPRESS_MIMETYPES"] = [
        "text/html", "text/css", "text/plain", "text/csv", "text/javascript", "application/javascript",
        "application/json", "application/geo+json", "image/svg+xml",
    ]  # fmt: skip
    Compress(server)


def install_log(server: Flask) -> None:
    """Give each request an id and write one line about its answer. A query string is never written: it may
    hold the token of a share link.
    """

    @server.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @server.after_request
    def end(response: Response) -> Response:
        started = g.get("started")
        if started is None:
            return response
        response.headers["X-Request-ID"] = g.request_id
        event: dict[str, Any] = {
            "route": request.url_rule.rule if request.url_rule else "",
            "path": request.path[:_LONGEST_LOGGED],
            "method": request.method,
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }
        if isinstance(user := session.get("user"), str):
            event["user"] = security.user_tag(user)
        if request.path == security.CALLBACK_ROUTE and request.is_json and response.status_code < 400:
            body = request.get_json(silent=True)  # parsed once by the callback; this is the kept copy
            event["callback"] = str(body.get("output", ""))[:_LONGEST_LOGGED] if isinstance(body, dict) else ""
        often = request.path.startswith(_QUIET) or (request.path.endswith(_POLLED) and response.status_code < 400)
        level = _log.debug if often else _log.info
        level("request", **event)
        return response


def install_caching(server: Flask) -> None:
    """Let a browser keep an asset that is named with its time of change, and first visits get a user."""

    @server.before_request
    def greet() -> None:
        if is_page():
            security.current_user()

    @server.after_request
    def keep(response: Response) -> Response:
        if request.path.startswith("/assets/") and "m" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        elif request.path.startswith(_STEADY) and response.status_code == 200:
            response.headers["Cache-Control"] = f"public, max-age={_WEEK_S}"
        elif request.path == _LAYOUT:  # of one page and one reader, at an address that names neither
            response.headers["Cache-Control"] = "private, no-store"
        return response


def report(event: str, error: BaseException) -> str:
    """Log a fault with its traceback and return the reference that finds it."""
    mark = reference()
    _log.error(event, exc_info=error, reference=mark)
    return mark


def reference() -> str:
    """Return the id of this request: what a reader quotes, and what finds the traceback in the log."""
    return str(g.get("request_id") or secrets.token_hex(8))


def on_error(error: Exception) -> None:
    """Log what no callback expected, with its traceback, and show the reader an apology with its reference."""
    text = apology(report("callback failed", error))
    set_props(ids.TOAST, {"data": {"text": text, "undo": None, "at": time.time()}})


def apology(mark: str) -> str:
    """Return the sentence shown for a fault of ours."""
    return f"Something went wrong on our side and nothing was changed. Reference: {mark}"


def install_faults(app: Dash, max_upload_mb: int) -> None:
    """Answer every refusal and every fault in words: as JSON to a program, as a page to a reader."""

    @app.server.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> AnyResponse:
        code = error.code or 500
        if code < 400:
            return error.get_response()
        if code == 500:
            return _fault(error)
        detail = error.description or ""
        if code == 413:
            detail = f"One file may have at most {max_upload_mb} MB"
        if code == 404 and detail == NotFound.description:
            detail = "Check the address, or ask whoever sent it for a new link"
        return _answer(code, _WORDS.get(code, error.name), detail)

    @app.server.errorhandler(EngineError)
    def explain(error: EngineError) -> Response:
        code = _CODES.get(type(error), 400)
        return _answer(code, _WORDS[code], str(error))

    @app.server.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        return _fault(error)


def _fault(error: Exception) -> Response:
    cause = error.original_exception if isinstance(error, InternalServerError) else error
    return _answer(500, _WORDS[500], f"Reference: {report('request failed', cause or error)}")


def _answer(code: int, title: str, detail: str) -> Response:
    if is_page():
        response = Response(_PAGE.format(title=escape(title), detail=escape(detail)), mimetype="text/html")
    else:
        response = jsonify(error=title, detail=detail)
    response.status_code = code
    return response


def guarded(layout: Callable[..., Any]) -> Callable[..., Any]:
    """Return the page layout ``layout``, answering in words instead of with an empty page when it fails."""

    def of(**query: str) -> Any:
        try:
            return layout(**query)
        except EngineError as error:
            return _words("This page cannot be shown", str(error))
        except Exception as error:  # noqa: BLE001 (the frame around the page still stands, and offers a way on)
            return _words(_WORDS[500], apology(report("page failed", error)))

    return of


def not_found(**_query: str) -> Any:
    """Return the page for an address that has none."""
    return _words(_WORDS[404], "Check the address, or choose a page on the left.")


def _words(title: str, detail: str) -> html.Div:
    return html.Main([html.H1(title), html.P(detail)], id="main", className="hr-page hr-words")
