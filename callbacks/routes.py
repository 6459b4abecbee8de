"""The addresses that are not pages: health, a network's map files, a study's file, share links."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, jsonify, redirect, request
from flask_limiter import Limiter
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from callbacks import http, security
from callbacks.processes import RUNNER_SIGN
from callbacks.services import Kept, Services
from components.grid_map import is_geographic, map_files
from engine.errors import NotFoundError
from engine.network.layout import positions
from engine.network.tables import NetworkTables

_KEPT_MAPS = 16  # networks; a large one has about 1 MB of map files
_RUNNER_LATE_S = 30.0  # without a sign of life for this long, the runner is told as missing
_YEAR_S = 365 * 24 * 3600


def register(server: Flask, services: Services, limiter: Limiter, home: Path) -> None:
    """Add the routes and the acceptance of share links to the server."""
    _register_health(server, services, home)
    _register_maps(server, services)
    _register_share(server, services)

    @server.get("/api/studies/<study>/export")
    @limiter.limit(security.EXPENSIVE_LIMIT)
    def export(study: str) -> Response:
        name, content = services.studies.export_file(security.current_user(), study)
        response = Response(content, mimetype="application/zip")
        response.headers.set("Content-Disposition", "attachment", filename=name)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @server.route("/api/<path:_rest>")
    def no_such_address(_rest: str) -> Response:  # else a program would be answered with a page and status 200
        abort(404)


def _register_health(server: Flask, services: Services, home: Path) -> None:
    @server.get("/healthz")
    def healthz() -> tuple[Response, int]:
        told = health(services, home)
        response = jsonify(told)
        response.headers["Cache-Control"] = "no-store"
        return response, 200 if told["database"] == "reachable" else 503


def health(services: Services, home: Path) -> dict[str, Any]:
    """Return the state of the parts in words: ``status`` is ``"ok"`` or ``"degraded"``."""
    told: dict[str, Any] = {"status": "ok", "version": http.product_version(), "database": "reachable"}
    try:
        services.store.check()
    except Exception as error:  # noqa: BLE001 (whatever a driver raises when its database is gone)
        http.report("health check failed", error)
        return {**told, "status": "degraded", "database": "unreachable"}
    age = runner_age_s(home)
    told["runner_seen_s_ago"] = None if age is None else round(age, 1)
    told["runner"] = "running" if age is not None and age < _RUNNER_LATE_S else "missing"
    if told["runner"] == "missing":
        told["status"] = "degraded"
    return told


def runner_age_s(home: Path) -> float | None:
    """Return the seconds since the runner's last sign of life, None when it never gave one here."""
    try:
        return max(0.0, time.time() - (home / RUNNER_SIGN).stat().st_mtime)
    except FileNotFoundError:
        return None


def _register_maps(server: Flask, services: Services) -> None:
    kept: Kept[dict[str, bytes]] = Kept(_KEPT_MAPS)

    @server.get("/api/networks/<study>/<digest>/map/<any(buses, branches):layer>.geojson")
    def map_layer(study: str, digest: str, layer: str) -> AnyResponse:
        user = security.current_user()
        # Whose it is, before anything that is kept is given out.
        services.studies.has_network_version(user, study, digest)
        files = kept.get(digest, lambda: drawn(services.tables_version(user, study, digest)))
        response = Response(files[layer], mimetype="application/geo+json")
        response.set_etag(f"{digest[:32]}-{layer}")
        # The address names the content, so it never changes; private, since it may be nobody else's to see.
        response.headers["Cache-Control"] = f"private, max-age={_YEAR_S}, immutable"
        return response.make_conditional(request)


def drawn(tables: NetworkTables) -> dict[str, bytes]:
    """Return the GeoJSON files of a network's map by layer, laid out by us when it has no coordinates."""
    buses, branches = map_files(tables, None if is_geographic(tables) else positions(tables))
    return {"buses": buses, "branches": branches}


def _register_share(server: Flask, services: Services) -> None:
    @server.before_request
    def accept() -> AnyResponse | None:
        token = request.args.get("share")
        if token is None or not http.is_page():
            return None
        try:
            study = services.studies.accept_share(security.current_user(), token)
        except NotFoundError as error:
            raise NotFound(str(error)) from None
        # Sent on to the address without the token, so that it stays in no history and no copied link.
        query = [(name, value) for name, value in request.args.items(multi=True) if name not in {"share", "study"}]
        # A path that begins with two slashes would be another site's name to a browser.
        path = "/" + request.path.lstrip("/\\")
        return redirect(f"{path}?{urlencode([('study', study), *query])}")
