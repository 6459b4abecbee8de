"""A study as one file: a zip of JSON and data files, with a version, a digest for each part, and size limits."""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any

from engine.errors import FileFormatError, LimitError
from engine.network.tables import NetworkTables, canonical_json, from_canonical_json
from engine.store.answers import Answer
from engine.store.codec import Json, sha256

FORMAT, VERSION = "headroom-study", 1
MAX_FILE_BYTES = 400_000_000
MAX_CONTENT_BYTES = 400_000_000
MAX_JSON_BYTES = 50_000_000  # of one part: as Python objects it takes some ten times more
MAX_PARTS = 300
MAX_RATIO = 200  # a study's tables shrink about ten times; far beyond that it is a bomb
_RATIO_FREE_BYTES = 5_000_000
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_DATE = (1980, 1, 1, 0, 0, 0)  # equal studies make equal files
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, KeyError)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data set inside an archive."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class StoredProducts:
    """A published version inside an archive."""

    version: int
    network_digest: str
    product_set: Json
    witness: Json


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Everything of a study that is the user's, but for its history and its readers."""

    name: str
    tables: NetworkTables
    questions: dict[str, Json] = field(default_factory=dict)
    datasets: tuple[DataFile, ...] = ()
    answers: tuple[Answer, ...] = ()
    product_sets: tuple[StoredProducts, ...] = ()


def write_archive(archive: Archive) -> bytes:
    """Return the file of a study. Raises LimitError on one that :func:`read_archive` would not take."""
    parts: dict[str, bytes] = {"network.json": canonical_json(archive.tables).encode()}
    listed = []
    for dataset in archive.datasets:
        path = f"data/{sha256(dataset.content)}"
        parts[path] = dataset.content
        listed.append({"name": dataset.name, "kind": dataset.kind, "path": path})
    parts["questions.json"] = _dump(archive.questions)
    parts["answers.json"] = _dump(
        [
            {"kind": a.kind, "input_hash": a.input_hash, "content": a.content, "provenance": a.provenance}
            for a in archive.answers
        ]
    )
    parts["products.json"] = _dump(
        [
            {
                "version": p.version,
                "network_digest": p.network_digest,
                "product_set": p.product_set,
                "witness": p.witness,
            }
            for p in archive.product_sets
        ]
    )
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "name": archive.name,
        "datasets": listed,
        "digests": {path: sha256(content) for path, content in parts.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in {"study.json": _dump(manifest), **parts}.items():
            if path.endswith(".json") and len(content) > MAX_JSON_BYTES:  # nobody could import it
                raise LimitError(
                    f"part {path!r} of the file has {len(content):,} bytes; the limit is {MAX_JSON_BYTES:,}"
                )
            file.writestr(zipfile.ZipInfo(path, _DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_archive(content: bytes) -> Archive:
    """Return the study in a file that :func:`write_archive` wrote.

    Raises FileFormatError saying which part is damaged, missing or of an unknown version, and LimitError on a
    file, or on parts, larger than the limits. Nothing in the file is run.
    """
    if len(content) > MAX_FILE_BYTES:
        raise LimitError(f"the file has {len(content):,} bytes; the limit is {MAX_FILE_BYTES:,}")
    parts = _unzip(content)
    manifest = _json_part(parts, "study.json", dict)
    if manifest.get("format") != FORMAT:
        raise FileFormatError("the file is not a Headroom study: study.json has no format 'headroom-study'")
    if manifest.get("version") != VERSION:
        raise FileFormatError(f"the file has format version {manifest.get('version')!r}; this reader knows {VERSION}")
    _check_digests(parts, manifest.get("digests"))
    datasets = _items(manifest, "datasets", {"name": str, "kind": str, "path": str})
    questions = _json_part(parts, "questions.json", dict)
    if not all(isinstance(question, dict) for question in questions.values()):
        raise FileFormatError("questions.json must hold one object per page")
    return Archive(
        name=_text(manifest.get("name"), "the name in study.json"),
        tables=from_canonical_json(_decoded(parts, "network.json")),
        questions=questions,
        datasets=tuple(DataFile(d["name"], d["kind"], _part(parts, d["path"])) for d in datasets),
        answers=tuple(Answer(**item) for item in _listed(parts, "answers.json", _ANSWER)),
        product_sets=tuple(StoredProducts(**item) for item in _listed(parts, "products.json", _PRODUCTS)),
    )


_ANSWER: dict[str, type] = {"kind": str, "input_hash": str, "content": dict, "provenance": dict}
_PRODUCTS: dict[str, type] = {"version": int, "network_digest": str, "product_set": dict, "witness": dict}


def _unzip(content: bytes) -> dict[str, bytes]:
    """Return the parts of a zip by name, each read under the limits, whatever its header says of its size."""
    parts: dict[str, bytes] = {}
    left = min(MAX_CONTENT_BYTES, max(_RATIO_FREE_BYTES, MAX_RATIO * len(content)))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            listed = file.infolist()
            if len(listed) > MAX_PARTS:
                raise LimitError(f"the file has {len(listed)} parts; the limit is {MAX_PARTS}")
            for info in listed:
                name = info.filename
                if name in parts:
                    raise FileFormatError(f"the file has two parts named {name[:80]!r}")
                if info.compress_type not in _PACKINGS:  # others take memory as their header says
                    raise FileFormatError(f"part {name[:80]!r} is packed in a way that no study is")
                most = min(left, MAX_JSON_BYTES) if name.endswith(".json") else left
                with file.open(info) as part:
                    parts[name] = part.read(most + 1)
                if len(parts[name]) > most:
                    raise LimitError(
                        f"part {name[:80]!r} unpacks to more than {most:,} bytes, the most it may hold here"
                    )
                left -= len(parts[name])
    except _BROKEN as error:
        raise FileFormatError(f"the file is not a whole zip archive: {error}") from error
    return parts


def _check_digests(parts: dict[str, bytes], digests: object) -> None:
    if not isinstance(digests, dict):
        raise FileFormatError("study.json does not list the digests of its parts")
    damaged = [path for path, digest in digests.items() if path not in parts or sha256(parts[path]) != digest]
    if damaged:
        raise FileFormatError(f"these parts are missing or damaged: {', '.join(sorted(map(str, damaged))[:5])}")


def _dump(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _part(parts: dict[str, bytes], path: str) -> bytes:
    if path not in parts:
        raise FileFormatError(f"part {path[:80]!r} is missing")
    return parts[path]


def _decoded(parts: dict[str, bytes], path: str) -> str:
    try:
        return _part(parts, path).decode()
    except UnicodeDecodeError as error:
        raise FileFormatError(f"part {path!r} is not UTF-8 text: {error}") from error


def _json_part(parts: dict[str, bytes], path: str, kind: type) -> Any:
    try:
        content = json.loads(_decoded(parts, path))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"part {path!r} is not JSON: {error}") from error
    if not isinstance(content, kind):
        raise FileFormatError(f"part {path!r} must hold a JSON {'object' if kind is dict else 'list'}")
    return content


def _listed(parts: dict[str, bytes], path: str, fields: dict[str, type]) -> list[dict[str, Any]]:
    return _items({path: _json_part(parts, path, list)}, path, fields)


def _items(holder: dict[str, Any], key: str, fields: dict[str, type]) -> list[dict[str, Any]]:
    items = holder.get(key)
    if not isinstance(items, list):
        raise FileFormatError(f"{key!r} must be a list")
    for position, item in enumerate(items):
        if not isinstance(item, dict) or item.keys() != fields.keys():
            raise FileFormatError(f"item {position + 1} of {key!r} must have exactly {', '.join(fields)}")
        for name, kind in fields.items():
            if not isinstance(item[name], kind) or isinstance(item[name], bool):
                raise FileFormatError(f"{name} of item {position + 1} of {key!r} is not a {kind.__name__}")
    return items


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise FileFormatError(f"{what} must be text")
    return value
