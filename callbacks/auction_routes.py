"""The addresses of the auction room. Who asks is known from the session only; what is refused is told and logged."""

import time
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, jsonify, request

from callbacks import auction_access, auction_acts, auction_files, auction_seats, auction_shown, logs, security
from callbacks.auction_access import (
    MAX_BODY,
    RECEIVED,
    BadOrderError,
    Buckets,
    Gate,
    Guesses,
)
from callbacks.auction_desk import EXTENSION as DESK
from callbacks.auction_desk import Desk
from callbacks.auction_invite import invitation
from callbacks.auction_room import RefusedError, Rooms
from callbacks.auction_seats import WrongKeyError
from callbacks.auction_shown import ROLES, Asked, Shown
from callbacks.services import Kept, Services
from engine.errors import NotFoundError

_log = logs.get("headroom.auction")
_Answer = Callable[..., Response]
_KEPT_INVITATIONS = 64
_MINUTE_S = 60.0
EXTENSION = "headroom-auctions"  # where the server keeps its rooms
_WORDS = {
    400: "The server did not understand this request",
    403: "This request is not permitted",
    404: "There is nothing here, or it is not yours to see",
    413: "This is too much for one request",
    415: "The server takes JSON here",
    429: "Too many requests in a short time",
}


def register(server: Flask, services: Services, home: Path) -> None:
    """Add the room's routes, and the gate before them."""
    server.wsgi_app = Gate(server.wsgi_app)  # type: ignore[method-assign]
    server.extensions[EXTENSION] = services.auctions
    desk = Desk(services, home)
    server.extensions[DESK] = desk
    services.auctions.after_round = desk.after_round
    _register_looking(server, services.auctions, desk)
    _register_acting(server, services.auctions, desk)


def _register_looking(server: Flask, rooms: Rooms, desk: Desk) -> None:
    way_in = _invitations()

    @server.get("/api/auctions/<auction>/snapshot")
    @_of_the_room
    def snapshot(auction: str) -> Response:
        return _shown(auction_shown.snapshot(rooms, _asked(auction), way_in, desk.extra))

    @server.get("/api/auctions/<auction>/history")
    @_of_the_room
    def history(auction: str) -> Response:
        since = request.args.get("since", "0")
        if not since.isascii() or not since.isdigit() or len(since) > 6:
            raise BadOrderError("since is the number of a round")
        return _shown(auction_shown.history(rooms, _asked(auction), int(since)))

    @server.get("/api/auctions/<auction>/download/<name>")
    @_of_the_room
    def download(auction: str, name: str) -> Response:
        file = auction_files.download(rooms, security.current_user(), auction, name, desk.home)
        response = Response(file.content, mimetype=file.mimetype)
        response.headers.set("Content-Disposition", "attachment", filename=file.name)
        response.headers["Cache-Control"] = "private, no-store"
        return response


def _register_acting(server: Flask, rooms: Rooms, desk: Desk) -> None:
    guesses = Guesses()
    acts = Buckets(
        auction_access.ACTS_PER_S, auction_access.ACTS_BURST
    )  # the gate counts cookies; the same session may have written several

    @server.post("/api/auctions/join")
    @_of_the_room
    def join() -> Response:
        user = security.current_user()
        try:
            return _told(auction_seats.join(rooms, user, _body()))
        except WrongKeyError:
            if guesses.wrong(user, request.remote_addr or ""):
                raise RefusedError(429, "too many", "too many wrong codes from here; wait a minute") from None
            raise

    @server.post("/api/auctions/<auction>/act")
    @_of_the_room
    def act(auction: str) -> Response:
        user = security.current_user()
        if acts.take(user.encode()) is not None:
            raise RefusedError(429, "too many", "too many requests in a short time: wait a second and send again")
        order = auction_acts.Act.read(_body())
        return _told(auction_acts.act(rooms, user, auction, order, request.environ[RECEIVED]))

    def _register(route: str, answer: Callable[[str, str, bytes], Mapping[str, Any]]) -> None:
        def of(auction: str) -> Response:
            return _told(answer(security.current_user(), auction, _body()))

        server.add_url_rule(f"/api/auctions/<auction>/{route}", f"auction {route}", _of_the_room(of), methods=["POST"])

    _register("what-if", lambda user, auction, body: auction_acts.what_if(rooms, user, auction, body))
    _register("bid-file", lambda user, auction, body: auction_acts.bid_file(rooms, user, auction, body))
    _register("key", lambda user, auction, _: auction_seats.own_key(rooms, user, auction))
    _register("host", desk.order)


def _of_the_room(answer: _Answer) -> _Answer:
    """Tell the server's time with each answer, and every refusal in words and in the log, without secrets."""

    @wraps(answer)
    def of(**parts: str) -> Response:
        try:
            response = answer(**parts)
        except RefusedError as error:
            response = _refused(error.status, error.code, str(error))
        except NotFoundError as error:
            response = _refused(404, "nothing here", str(error))
        except BadOrderError as error:
            response = _refused(400, "bad order", str(error))
        response.headers["X-Server-Time"] = f"{current_app.extensions[EXTENSION].now():.3f}"
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return of


def _refused(status: int, code: str, words: str) -> Response:
    _note(code, status)
    response = jsonify(error=_WORDS[status], detail=words, code=code)
    response.status_code = status
    return response


def _note(code: str, status: int) -> None:
    parts = request.view_args or {}
    _log.warning(
        "refused",
        auction=str(parts.get("auction", ""))[:40],
        route=request.url_rule.rule if request.url_rule else "",
        why=code,
        status=status,
        user=security.user_tag(security.current_user()),
    )


def _body() -> bytes:
    if not request.is_json:
        raise RefusedError(415, "not JSON", "send JSON, with its content type")
    if (request.content_length or 0) > MAX_BODY:
        raise RefusedError(413, "too large", f"a request has at most {MAX_BODY:,} bytes")
    content = request.stream.read(MAX_BODY + 1)
    if len(content) > MAX_BODY:
        raise RefusedError(413, "too large", f"a request has at most {MAX_BODY:,} bytes")
    return content


def _asked(auction: str) -> Asked:
    role = request.args.get("as", "public")
    if role not in ROLES:
        raise BadOrderError(f"as is one of {', '.join(ROLES)}")
    tag = request.headers.get("If-None-Match", "").strip().removeprefix("W/").strip('"')
    return Asked(security.current_user(), auction, role, tag or None)


def _shown(shown: Shown) -> Response:
    response = Response(status=304) if shown.content is None else Response(shown.content, mimetype="application/json")
    response.set_etag(shown.tag, weak=True)
    return response


def _told(receipt: Mapping[str, Any]) -> Response:
    if receipt.get("accepted") is False:
        _note(", ".join(sorted({one["rule"] for one in receipt["refused"]}))[:120], 200)
    response = jsonify(receipt)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _invitations() -> Callable[[str], Mapping[str, Any] | None]:
    """Return what tells a screen the way in, as phones near the asking browser reach us; kept for a minute."""
    kept: Kept[dict[str, Any]] = Kept(_KEPT_INVITATIONS)

    def of(code: str) -> Mapping[str, Any] | None:
        return kept.get((request.host_url, code, int(time.time() // _MINUTE_S)), lambda: _told_way(invitation(code)))

    return of


def _told_way(found: Mapping[str, Any]) -> dict[str, Any]:
    first = found["links"][0] if found["links"] else {"address": None, "qr": None}
    return {"code": found["code"], "address": first["address"], "qr": first["qr"]}
