"""What may come into the auction room: how often one session may ask, and which JSON is an order at all.

A flood is turned away before the session is read, before JSON is read, before any database is asked. What is let in
is read strictly: no field that nobody asked for, no field twice, no number that is not a whole one.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from callbacks import logs

_log = logs.get("headroom.auction")

MAX_BODY = 262_144  # bytes; a set of bids on 1,614 lots has about 60,000
ACTS_PER_S, ACTS_BURST = 5.0, 15.0  # of one session, in each worker
ASKS_PER_S, ASKS_BURST = 20.0, 60.0
SESSIONS_KEPT = 20_000
TOLD_EVERY_S = 1.0  # a flood is told in the log once a second and session, with its count
REQUEST = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_ACTS = re.compile(rb"^/api/auctions/[^/]+/(act|host|what-if|bid-file|key)$|^/api/auctions/join$")
_ROOM = re.compile(rb"^/api/auctions/")
RECEIVED = "headroom.received"  # in the WSGI environment: when the request reached the server
REFUSED = "headroom.refused"  # there too: the asker whose flood this request is of, where its line is his
PROXIED = "headroom.proxied"  # there too: that a trusted proxy sent it, whose lines carry everybody's requests
# The session's cookie as browsers send it. One in quotes may be written in many ways that mean the same.
_SESSION = re.compile(r"(?:^|;)\s*(?:__Host-)?headroom=([^\";\s]+)")
_TOO_MANY = b'{"error":"Too many requests in a short time","detail":"Wait a second and send again","code":"too many"}'


class BadOrderError(Exception):
    """A body that no page of ours sends."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    refused: int = 0
    told: float = 0.0


class Buckets:
    """How much each of many askers may still ask: so many at once, and so many a second."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._lock = threading.Lock()
        self._kept: dict[bytes, _Bucket] = {}

    def take(self, who: bytes) -> int | None:
        """Count one request. Return None where it is within the limit; else how many to tell of now, mostly 0."""
        now = self._clock()
        with self._lock:
            bucket = self._kept.pop(who, None) or _Bucket(self._burst, now)
            self._kept[who] = bucket  # the last one asked is the last one forgotten
            if len(self._kept) > SESSIONS_KEPT:
                del self._kept[next(iter(self._kept))]
            bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_s)
            bucket.at = now
            if bucket.left >= 1.0:
                bucket.left -= 1.0
                return None
            bucket.refused += 1
            if now - bucket.told < TOLD_EVERY_S:
                return 0
            told, bucket.refused, bucket.told = bucket.refused, 0, now
            return told


def asker(cookies: str, address: str) -> bytes:
    """Return who asks: the session that a request's cookies name, or all at that address who have none."""
    session = _SESSION.search(cookies)  # it is the same until it is renewed
    named = session.group(1) if session else f"address {address}"
    return hashlib.blake2b(named.encode("latin-1", "replace"), digest_size=16).digest()


class Gate:
    """Stands before the whole application: notes when a request came, and turns floods of the room away."""

    def __init__(self, inner: Any, clock: Callable[[], float] = time.time) -> None:
        self._inner = inner
        self._clock = clock
        self._acts, self._asks = Buckets(ACTS_PER_S, ACTS_BURST), Buckets(ASKS_PER_S, ASKS_BURST)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as WSGI asks."""
        environ[RECEIVED] = self._clock()
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        if _ROOM.match(path):
            who = asker(environ.get("HTTP_COOKIE", ""), environ.get("REMOTE_ADDR", ""))
            acts = environ.get("REQUEST_METHOD") == "POST" and _ACTS.match(path) is not None
            refused = (self._acts if acts else self._asks).take(who)
            if refused is not None:
                if refused:
                    _log.warning("too many requests", path=path.decode("ascii", "replace")[:80], refused=refused,
                                 asker=who.hex()[:10])  # fmt: skip
                if not environ.get(PROXIED):
                    environ[REFUSED] = who  # the web server lets his lines wait: callbacks.web_doors
                return self._turn_away(environ, start_response)
        answer: Iterable[bytes] = self._inner(environ, start_response)
        return answer

    def _turn_away(self, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(_TOO_MANY))),
            ("Retry-After", "1"),
            ("X-Server-Time", f"{environ[RECEIVED]:.3f}"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > 0:
            headers.append(("Connection", "close"))  # the body is not read here; the web server may go on with the line
        start_response("429 TOO MANY REQUESTS", headers)
        return [_TOO_MANY]


class Guesses:
    """Counts wrong codes and keys: of a session, and of an address that a whole class may share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._address = Buckets(1 / 6, 10, clock), Buckets(5, 300, clock)

    def wrong(self, user: str, address: str) -> bool:
        """Count a wrong guess; tell whether it was one too many."""
        session = self._session.take(user.encode())
        shared = self._address.take(address.encode())
        return session is not None or shared is not None


def read_order(content: bytes, fields: Mapping[str, Callable[[object], bool]], needed: Iterable[str]) -> dict[str, Any]:
    """Return the JSON object in ``content``: fields of these names, each as its test wants it, those needed there.

    Raises BadOrderError with words for whoever wrote the program that sent it.
    """
    try:
        body = json.loads(content, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadOrderError(f"the body is not JSON as it must be: {str(error)[:200]}") from None
    if not isinstance(body, dict):
        raise BadOrderError("the body is not a JSON object")
    unknown = sorted(str(name)[:40] for name in body.keys() - fields.keys())
    if unknown:
        raise BadOrderError(f"there is no field {unknown[0]!r} here; the fields are {', '.join(fields)}")
    for name in needed:
        if name not in body:
            raise BadOrderError(f"the field {name!r} is missing")
    for name, value in body.items():
        if not fields[name](value):
            raise BadOrderError(f"the field {name!r} is not as it must be")
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"{text[:40]} is too large for a number")
    return number


def text(most: int, least: int = 0) -> Callable[[object], bool]:
    """Return the test for a text of that length, with nothing in it that no database keeps."""

    def fits(value: object) -> bool:
        return isinstance(value, str) and least <= len(value) <= most and "\x00" not in value and _is_unicode(value)

    return fits


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(least: int, most: int) -> Callable[[object], bool]:
    """Return the test for a whole number within the limits."""
    return lambda value: type(value) is int and least <= value <= most


def flag(value: object) -> bool:
    """Tell whether it is true or false."""
    return isinstance(value, bool)


def is_request(value: object) -> bool:
    """Tell whether it can be the id of a request."""
    return isinstance(value, str) and REQUEST.fullmatch(value) is not None


def bid_rows(value: object) -> bool:
    """Tell whether it is a list of [lot, amount, blocks] as far as form goes; what it asks for is for the rules."""
    return isinstance(value, list) and len(value) <= 5_000 and all(
        isinstance(row, list) and 2 <= len(row) <= 3 and all(isinstance(one, str | int | float) for one in row)
        for row in value
    )  # fmt: skip


def names(value: object) -> bool:
    """Tell whether it is a list of texts."""
    return isinstance(value, list) and len(value) <= 5_000 and all(text(200)(one) for one in value)
