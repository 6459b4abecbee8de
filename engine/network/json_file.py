"""Networks as our own JSON, plain or gzipped: exact, every column."""

import gzip
import io
import zlib

from engine.errors import FileFormatError
from engine.network.imported import Imported
from engine.network.tables import NetworkTables, canonical_json, from_canonical_json

GZIP_MAGIC = b"\x1f\x8b"
_MOST_BRACKETS = 10_000  # a list is one column; an empty list costs 30 times its text in memory


def read_json(content: bytes, most_bytes: int) -> Imported:
    """Return the network that :func:`write_json` wrote.

    Raises FileFormatError if it is not such a file, or unpacks to more than ``most_bytes``.
    """
    plain = unzipped(content, most_bytes) if content.startswith(GZIP_MAGIC) else content
    if plain.count(b"{") + plain.count(b"[") > _MOST_BRACKETS:
        raise FileFormatError("the JSON is not a Headroom network: that has one list per column")
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"the JSON is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        return Imported(from_canonical_json(text))
    except (ValueError, OverflowError, RecursionError, TypeError) as error:
        raise FileFormatError(f"the JSON cannot be read as a network: {str(error)[:200]}") from error


def write_json(tables: NetworkTables) -> bytes:
    """Return ``tables`` as UTF-8 JSON."""
    return canonical_json(tables).encode()


def unzipped(content: bytes, most_bytes: int) -> bytes:
    """Return the content of a gzip file. Raises FileFormatError if it is damaged or larger than ``most_bytes``."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"the gzip file is damaged: {error}") from error
    if len(plain) > most_bytes:
        raise FileFormatError(f"the file unpacks to more than {most_bytes / 1e6:.0f} MB, which is the most")
    return plain
