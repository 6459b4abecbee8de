"""How things are written down: canonical JSON, content-addressed networks, clean names, new identifiers."""

import gzip
import hashlib
import json
import secrets
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import FileFormatError, LimitError, NetworkDataError, QuestionError
from engine.network.tables import NetworkTables, canonical_json, from_canonical_json

MAX_NAME = 120
MAX_LABEL = 200
MAX_NETWORK_BYTES = 50_000_000  # of JSON text; a grid of 10,000 buses has about 6,000,000
MAX_JSON_BYTES = 20_000_000
_GZIP_LEVEL = 3  # a third of the time of the default for a tenth more bytes

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PackedNetwork:
    """A network as the database keeps it."""

    digest: str
    content: bytes
    name: str
    buses: int
    branches: int
    units: int


def new_id() -> str:
    """Return an identifier that fits a URL; it is no secret, since every access is checked."""
    return secrets.token_hex(8)


def sha256(content: bytes | str) -> str:
    """Return the hexadecimal SHA-256 of bytes, or of text as UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def pack_network(tables: NetworkTables) -> PackedNetwork:
    """Return ``tables`` as content named by its digest, which is that of :meth:`NetworkTables.digest`.

    Raises NetworkDataError on text that is not Unicode, LimitError on a network that is too large.
    """
    try:
        text = canonical_json(tables).encode()
    except UnicodeEncodeError as error:
        raise NetworkDataError(f"the network holds text that is not Unicode: {error.object[error.start]!r}") from None
    if len(text) > MAX_NETWORK_BYTES:
        raise LimitError(f"the network has {len(text):,} bytes as text; the limit is {MAX_NETWORK_BYTES:,}")
    content = gzip.compress(text, _GZIP_LEVEL, mtime=0)
    return PackedNetwork(
        sha256(text), content, clean_text(tables.name), len(tables.buses), len(tables.branches), len(tables.units)
    )


def unpack_network(content: bytes) -> NetworkTables:
    """Return the tables of a packed network. Raises FileFormatError when it is damaged or too large."""
    try:
        expander = zlib.decompressobj(wbits=31)
        text = expander.decompress(content, MAX_NETWORK_BYTES + 1)
        if len(text) > MAX_NETWORK_BYTES or not expander.eof:
            raise FileFormatError("the stored network is cut short or too large")
        return from_canonical_json(text.decode())
    except (zlib.error, UnicodeDecodeError) as error:
        raise FileFormatError(f"the stored network is damaged: {error}") from error


def dump_json(content: Mapping[str, Any], what: str) -> str:
    """Return the canonical JSON text of ``content``: sorted keys, no ``nan``.

    Raises QuestionError naming ``what`` when it cannot be JSON, LimitError when it is too large.
    """
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise QuestionError(f"{what} cannot be stored as JSON: {error}") from error
    if len(text) > MAX_JSON_BYTES:
        raise LimitError(f"{what} has {len(text):,} bytes as JSON; the limit is {MAX_JSON_BYTES:,}")
    return text


def load_json(text: str) -> Json:
    """Return the object that :func:`dump_json` wrote."""
    content: Json = json.loads(text)
    return content


def clean_text(text: str) -> str:
    """Return ``text`` without what no database keeps: control characters and halves of surrogate pairs."""
    return "".join(" " if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} else letter for letter in text)


def clean_name(name: str, what: str) -> str:
    """Return a name in one line, trimmed. Raises QuestionError when nothing is left or it is too long."""
    cleaned = " ".join(clean_text(name).split())
    if not cleaned:
        raise QuestionError(f"{what} needs a name")
    if len(cleaned) > MAX_NAME:
        raise QuestionError(f"the name of {what} has {len(cleaned)} characters; the limit is {MAX_NAME}")
    return cleaned
