"""Who is asking, and what an answer may do in a browser: session, headers, limits, forged requests."""

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from dash import Dash
from dash.exceptions import DependencyException
from flask import Response, abort, current_app, g, request, session
from flask_limiter import Limiter
from limits.storage import MemoryStorage
from werkzeug.middleware.proxy_fix import ProxyFix

from callbacks import bodies
from callbacks.auction_access import PROXIED
from callbacks.settings import Settings

_DAY_S = 24 * 3600
_SESSION_DAYS = 400  # the longest that browsers keep a cookie
_RENEW_S = 7 * _DAY_S  # a visit after this time renews the cookie
_USER_BYTES = 18

CALLBACK_ROUTE = "/_dash-update-component"
_SUITES_ROUTE = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
CALLBACK_LIMIT = "1200 per minute"  # a reader who drags a slider stays far below
PAGE_LIMIT = "600 per minute"  # by address until there is a session: a whole classroom may share one
EXPENSIVE_LIMIT = "30 per minute"
LARGE_LIMIT = "60 per minute"  # of callbacks that carry a file
_SMALL_BYTES = 1_000_000
_FORGET_EVERY_S = 10.0  # counts whose time is over

_FOREIGN = "this request came from another site's page"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def install(app: Dash, settings: Settings) -> Limiter:
    """Guard every request and every answer of ``app``; return the limiter for routes that cost much."""
    server = app.server
    server.secret_key = settings.secret_key
    server.config.update(
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_request_bytes,
        TRUSTED_HOSTS=list(settings.allowed_hosts) or None,
        # With this prefix a browser takes the cookie from this very host only, not from one beside it.
        SESSION_COOKIE_NAME="__Host-headroom" if settings.cookie_secure else "headroom",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_REFRESH_EACH_REQUEST=False,  # a cookie on each answer would spoil the browser's cache of maps
        PERMANENT_SESSION_LIFETIME=_SESSION_DAYS * _DAY_S,
    )
    server.before_request(_refuse_forged)
    policy = _policy(app)

    @server.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Security-Policy"] = policy(response)
        if settings.cookie_secure:
            response.headers["Strict-Transport-Security"] = f"max-age={365 * _DAY_S}"
        return response

    suites = next(rule.endpoint for rule in server.url_map.iter_rules() if rule.rule == _SUITES_ROUTE)
    server.view_functions[suites] = _known_only(server.view_functions[suites])
    return _limiter(app)


def current_user() -> str:
    """Return the opaque id of whoever sent this request, made and put in the signed cookie on a first visit."""
    user = session.get("user")
    now = int(time.time())
    if not isinstance(user, str):
        user = secrets.token_urlsafe(_USER_BYTES)
        session.permanent = True
        session["user"] = user
        session["since"] = now
        g.first_visit = True
    elif now - int(session.get("since", 0)) > _RENEW_S:
        session["since"] = now
    return user


def user_tag(user: str) -> str:
    """Return a short keyed hash of a user id: it tells users apart in a log and cannot be turned back."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:10]


def content_security_policy(script_hashes: Iterable[str] = ()) -> str:
    """Return the policy: everything from here, no inline script but those whose hashes are given."""
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",  # the component libraries set style elements and attributes
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",  # the table's icons are a font inside its style sheet
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _policy(app: Dash) -> Callable[[Response], str]:
    """Return what gives an answer its policy; pages get the hashes of the inline scripts that they carry."""
    plain = content_security_policy()
    known: dict[int, str] = {}

    def of(response: Response) -> str:
        if response.mimetype != "text/html":
            return plain
        # Dash adds an inline script with the first request, so the hashes cannot be taken when it is built.
        # Taken again when their number changes: a layout with other client-side functions has other scripts.
        count = len(app._inline_scripts)  # there is no public count
        if count not in known:
            known[count] = content_security_policy(app.csp_hashes())
        return known[count]

    return of


def _refuse_forged() -> None:
    """Stop a request that another site's page sends in this reader's name, or that has no usable host."""
    if not request.host:
        abort(400, "the Host header is missing or not valid")
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:  # both without the scheme's usual port
        abort(403, _FOREIGN)
    # Browsers say since 2023 whose page sends a request; a program that is no browser says nothing.
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        abort(403, _FOREIGN)
    if request.path == CALLBACK_ROUTE and not request.is_json:
        abort(415, "callbacks are called with JSON")


class OneAtATime(MemoryStorage):
    """Counts in memory, one request after the other.

    What has expired is forgotten now and then by a request that counts. The library begins a thread for it at nearly
    each request, which costs more than the rest, and fails when two of them begin it at once.
    """

    STORAGE_SCHEME = ["one-at-a-time"]  # noqa: RUF012 (as the library declares it)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._turn = threading.Lock()
        self._due = 0.0  # when to forget next, in seconds since 1970 as the library's own moments
        super().__init__(*args, **kwargs)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a request."""
        with self._turn:
            now = time.time()
            if now >= self._due:
                for known in [one for one, end in self.expirations.items() if end <= now]:
                    self.clear(known)
                self._due = now + _FORGET_EVERY_S
            before = self.get(key)  # none once it has expired
            self.storage[key] = before + amount
            if not before:
                self.expirations[key] = now + expiry
            return before + amount


def _limiter(app: Dash) -> Limiter:
    """Limit how often one reader asks. Each worker counts for itself: it stops a loop, and is no exact account."""
    server = app.server
    limiter = Limiter(_limit_key, app=server, storage_uri=f"{OneAtATime.STORAGE_SCHEME[0]}://")
    views = {rule.rule: rule.endpoint for rule in server.url_map.iter_rules()}
    for route in ("/", "/<path:path>"):
        server.view_functions[views[route]] = limiter.limit(PAGE_LIMIT)(server.view_functions[views[route]])
    answer = _checked(app, server.view_functions[views[CALLBACK_ROUTE]])
    large = limiter.limit(LARGE_LIMIT, exempt_when=_is_small)
    server.view_functions[views[CALLBACK_ROUTE]] = limiter.limit(CALLBACK_LIMIT)(large(answer))
    return limiter


def _known_only(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view of the component libraries, for which a file of none of them is a fault otherwise."""

    @wraps(answer)
    def of(*args: Any, **kwargs: Any) -> Any:
        try:
            return answer(*args, **kwargs)
        except DependencyException:
            abort(404)

    return of


def _is_small() -> bool:
    return request.content_length is not None and request.content_length < _SMALL_BYTES


def _checked(app: Dash, answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view of the callbacks for requests that a page of ours can have sent; others are refused."""

    @wraps(answer)
    def of(*args: Any, **kwargs: Any) -> Any:
        try:
            body = request.get_json()
        except RecursionError:
            abort(400, "the JSON is nested too deeply")
        if not bodies.well_formed(body, app.callback_map):
            abort(400, "no page of this version sends such a request; load the page again")
        return answer(*args, **kwargs)

    return of


def _limit_key() -> str:
    # Without a session the address counts, else a fresh session per request would never reach a limit.
    user = session.get("user") if not g.get("first_visit") else None
    return f"user {user}" if user else f"address {request.remote_addr}"


class TrustedProxy:
    """Believes X-Forwarded headers of the proxies that were named, and of nobody else."""

    def __init__(self, inner: Any, proxies: Iterable[str]) -> None:
        self.plain = inner
        self.behind = ProxyFix(inner, x_for=1, x_proto=1, x_host=1)
        self.all = "*" in proxies
        self.networks = [ipaddress.ip_network(proxy) for proxy in proxies if proxy != "*"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as WSGI asks."""
        environ[PROXIED] = self._known(environ.get("REMOTE_ADDR", ""))
        chosen = self.behind if environ[PROXIED] else self.plain
        return chosen(environ, start_response)

    def _known(self, address: str) -> bool:
        if self.all:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)
