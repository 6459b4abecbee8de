"""Scripts, styles and map files, compressed once and kept: a visit with a cold cache needs two dozen of them."""

import gzip
from hashlib import sha256

import brotli
from flask import Flask, Response, request
from werkzeug.wrappers import Response as AnyResponse

from callbacks.services import Kept

TYPES = ("text/css", "text/javascript", "application/javascript", "application/geo+json", "image/svg+xml")
PATHS = {"/assets/": 9, "/_dash-component-suites/": 9, "/api/networks/": 5}  # level: an edit makes a new map file
ENCODINGS = ("br", "gzip")  # browsers offer brotli on https and localhost only
_KEPT = 128  # answers, of which a large one has 300 kB
_SHORTEST = 500  # bytes; below this a compressed answer is no smaller on the wire


def install(server: Flask) -> None:
    """Compress the answers below PATHS whose content has one of TYPES, each content and encoding once."""
    kept: Kept[bytes] = Kept(_KEPT)

    @server.after_request
    def pack(response: Response) -> AnyResponse:
        level = next((level for path, level in PATHS.items() if request.path.startswith(path)), None)
        if level is None or request.method != "GET" or response.status_code != 200 or response.mimetype not in TYPES:
            return response
        offered = request.accept_encodings.best_match(ENCODINGS)
        if offered is None:
            return response
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) < _SHORTEST:
            return response
        # By the content itself: an address may name another content tomorrow.
        response.set_data(kept.get((sha256(content).digest(), offered), lambda: packed(content, offered, level)))
        response.headers["Content-Encoding"] = offered
        response.vary.add("Accept-Encoding")
        tag, weak = response.get_etag()
        if tag is None:
            return response
        response.set_etag(f"{tag}:{offered}", weak=bool(weak))
        return response.make_conditional(request)


def packed(content: bytes, encoding: str, level: int) -> bytes:
    """Return ``content`` in ``encoding``, ``"br"`` or ``"gzip"``; a higher ``level`` is smaller and slower to make."""
    if encoding == "br":
        compressed: bytes = brotli.compress(content, quality=level)
        return compressed
    return gzip.compress(content, level, mtime=0)
