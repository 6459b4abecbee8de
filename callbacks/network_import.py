"""Bring a network into a study: what was understood is shown first, then it replaces or starts a new study."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import toast
from callbacks.uploads import content_of
from components import ids, network_ids
from components import network_import as preview
from engine.errors import EngineError, FileFormatError, NetworkDataError, Problem, QuestionError
from engine.network import library
from engine.network.checks import check
from engine.network.imported import Imported, Snapshots
from engine.network.readers import MOST_BYTES, read_network
from engine.network.tables import NetworkTables
from engine.store.artifacts import Artifacts
from engine.store.codec import pack_network, sha256, unpack_network

MOST_FILES = 4
REQUEST_ROOM = 1_048_576  # bytes of a request beside the file


@dataclass(frozen=True, slots=True)
class Offers:
    """Networks that were shown and may be taken: files of the artefact cache, so every web process has them.

    They outlive a restart, and go as every artefact does, the one used longest ago first.
    """

    artifacts: Artifacts

    def put(self, user: str, imported: Imported) -> str:
        """Keep a network for ``user``; return the digest that takes it. Raises LimitError on one that is too large."""
        packed = pack_network(imported.tables)
        self.artifacts.save(_key(user, packed.digest), packed.content)
        return packed.digest

    def keep(self, user: str, name: str, content: bytes) -> str:
        """Keep an uploaded file for ``user``, to be read again; return the digest that finds it."""
        digest = sha256(content)
        self.artifacts.save(_key(user, digest, "upload"), json.dumps(name).encode() + b"\n" + content)
        return digest

    def kept(self, user: str, digest: object) -> tuple[str, bytes]:
        """Return the name and the content of a file of ``user``. Raises NetworkDataError when it is not kept."""
        found = self.artifacts.read(_key(user, digest, "upload")) if isinstance(digest, str) else None
        if found is None:
            raise NetworkDataError("this file is not kept any more: choose it again")
        name, _, content = found.partition(b"\n")
        return json.loads(name), content

    def take(self, user: str, digest: object) -> NetworkTables:
        """Return the network that was shown to ``user``. Raises NetworkDataError when it is not kept (any more)."""
        if not isinstance(digest, str):
            raise NetworkDataError("choose a file or a named grid first")
        content = self.artifacts.read(_key(user, digest))
        if content is None:
            raise NetworkDataError("this network is not kept any more: choose the file again")
        return unpack_network(content)


@dataclass(frozen=True, slots=True)
class Shown:
    """What was understood of a network: its panel, and the digest that takes it (None: refused)."""

    panel: Any
    digest: str | None
    file: str | None = None  # the digest of a kept file, whose snapshots can be chosen from
    snapshots: Snapshots | None = None


def _key(user: str, digest: str, what: str = "offer") -> str:
    """Return the name of what is kept for a user: nobody finds what another one uploaded, not even by its digest."""
    return f"{what}-{sha256(json.dumps([user, digest]))}"


def received(contents: Sequence[str], names: Sequence[str], most_bytes: int) -> dict[str, bytes]:
    """Return uploaded files (data URLs) by name, that of the buses first. Raises FileFormatError naming the file."""
    if not contents or len(contents) != len(names) or len(contents) > MOST_FILES:
        raise FileFormatError(f"choose between 1 and {MOST_FILES} files, found {len(contents)}")
    files: dict[str, bytes] = {}
    for name, content in zip(names, contents, strict=True):
        files[str(name)[:200]] = uploaded(str(name)[:200], content, most_bytes)
    return {name: files[name] for name in _ordered(files)}


def understood(files: Mapping[str, bytes], snapshot: int | None = None) -> Imported:
    """Return the network in files, the first of which is read with the others. Raises FileFormatError."""
    first, *others = files
    return read_network(first, files[first], {name: files[name] for name in others}, snapshot=snapshot)


def most_bytes(largest_request: int | None) -> int:
    """Return the size of the largest upload: the readers' limit, or what a request of this size can carry."""
    if largest_request is None:
        return MOST_BYTES
    return min(MOST_BYTES, (largest_request - REQUEST_ROOM) * 3 // 4)  # it is sent as base64


def from_library(key: str) -> Imported:
    """Return a named grid as an import. Raises NetworkDataError for a key that is not in the library."""
    tables = library.load(key)
    named = library.named(key)
    note = Problem("source", "note", f"{named.description}. {named.source} ({named.licence})")
    return Imported(tables, (note, *check(tables)))


def refused(error: EngineError) -> list[str]:
    """Return every reason of a refusal."""
    if isinstance(error, NetworkDataError):
        return [problem.message for problem in error.problems]
    return [str(error)]


def summary(tables: NetworkTables) -> Mapping[str, Any]:
    """Return what is said of a network before it is taken."""
    return {
        "name": tables.name,
        "buses": len(tables.buses),
        "branches": len(tables.branches),
        "units": len(tables.units),
        "interfaces": len(tables.interfaces),
        "contingencies": len(tables.contingencies),
        "load_mw": float(tables.buses["load_mw"].sum()),
        "capacity_mw": float(tables.units["p_max_mw"].sum()),
        "places": int(tables.buses[["longitude", "latitude"]].notna().all(axis=1).sum()),
    }


def uploaded(name: str, content: object, most_bytes: int) -> bytes:
    """Return the content of an uploaded file (a data URL). Raises FileFormatError naming the file."""
    if not isinstance(content, str):
        raise FileFormatError(f"{name}: the browser sent no content")
    head, comma, body = content.partition(",")
    if not comma or not head.endswith(";base64"):
        raise FileFormatError(f"{name}: the browser sent no content")
    if len(body) * 3 // 4 > most_bytes:
        raise FileFormatError(f"{name}: {len(body) * 3 / 4e6:.1f} MB; at most {most_bytes / 1e6:.0f} MB are read")
    try:
        return content_of(content)
    except QuestionError:
        raise FileFormatError(f"{name}: the content did not arrive whole") from None


def _ordered(files: Mapping[str, bytes]) -> list[str]:
    """Return the names with the file of the buses first: the others are its companions."""
    return sorted(files, key=lambda name: (0 if "bus" in name.lower() else 1, name))


def register(app: Dash, services: Services, offers: Offers) -> None:
    """Wire the import panel."""

    @app.callback(
        Output(network_ids.UPLOADED, "children"),
        Output(network_ids.OFFER, "data"),
        Output(network_ids.REPLACE, "disabled"),
        Output(network_ids.AS_NEW, "disabled"),
        Output(network_ids.UPLOAD, "contents"),
        Output(network_ids.FILE, "data"),
        Output(network_ids.SNAPSHOTS, "hidden"),
        Output(network_ids.SNAPSHOT, "options"),
        Output(network_ids.SNAPSHOT, "value"),
        Input(network_ids.UPLOAD, "contents"),
        Input(network_ids.LIBRARY_SHOW, "n_clicks"),
        Input(network_ids.SNAPSHOT, "value"),
        State(network_ids.FILE, "data"),
        State(network_ids.UPLOAD, "filename"),
        State(network_ids.LIBRARY, "value"),
        State(network_ids.VERSION, "data"),
        prevent_initial_call=True,
    )
    def show(*given: Any) -> Any:
        contents, clicks, snapshot, file, names, key, version = given
        user, cause = current_user(), ctx.triggered_id
        asked = {network_ids.LIBRARY_SHOW: clicks, network_ids.SNAPSHOT: snapshot and file}.get(str(cause), contents)
        if not asked:
            return (no_update,) * 9
        read_only = isinstance(version, dict) and bool(version.get("readonly"))
        if cause == network_ids.SNAPSHOT:
            found = offer_snapshot(offers, user, file, snapshot)
            choice = (no_update,) * 4
        else:
            from_file = cause != network_ids.LIBRARY_SHOW
            found = offer_files(offers, user, contents, names) if from_file else offer_library(offers, user, str(key))
            at = None if found.snapshots is None else str(found.snapshots.at)
            choice = (found.file, at is None, preview.snapshot_choices(found.snapshots), at)
        # The upload is emptied, so that the same file, mended, can be sent again.
        return found.panel, found.digest, read_only or found.digest is None, found.digest is None, None, *choice

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(network_ids.AS_NEW, "n_clicks"),
        State(network_ids.OFFER, "data"),
        prevent_initial_call=True,
    )
    def as_new(clicks: int | None, offer: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        try:
            tables = offers.take(current_user(), offer)
            study = services.studies.create(current_user(), tables.name[:80] or "Imported", tables)
        except EngineError as error:
            return no_update, no_update, toast(str(error))
        return f"/network?study={study}", time.time(), no_update


def offer_files(offers: Offers, user: str, contents: Any, names: Any) -> Shown:
    """Return what was understood of uploaded files; a file with several snapshots is kept to choose from."""
    sent = contents if isinstance(contents, list) else [contents]
    called = [str(name) for name in names] if isinstance(names, list) else [str(names)]
    title = ", ".join(name[:60] for name in called[:MOST_FILES])
    try:
        files = received(sent, called, MOST_BYTES)
        imported = understood(files)
        file = None if imported.snapshots is None else offers.keep(user, *next(iter(files.items())))
        return _shown(offers, user, imported, file)
    except EngineError as error:
        return Shown(preview.refused(refused(error), title), None)


def offer_snapshot(offers: Offers, user: str, file: object, snapshot: object) -> Shown:
    """Return what was understood of a kept file at another snapshot, chosen by its position."""
    try:
        if not isinstance(snapshot, str) or not snapshot.isdecimal() or len(snapshot) > 9:
            raise NetworkDataError("choose one of the snapshots")
        name, content = offers.kept(user, file)
        return _shown(offers, user, understood({name: content}, int(snapshot)), str(file))
    except EngineError as error:
        return Shown(preview.refused(refused(error), "This snapshot"), None)


def offer_library(offers: Offers, user: str, key: str) -> Shown:
    """Return what there is to say of a named grid."""
    try:
        return _shown(offers, user, from_library(key))
    except EngineError as error:
        return Shown(preview.refused(refused(error), key[:40]), None)


def _shown(offers: Offers, user: str, imported: Imported, file: str | None = None) -> Shown:
    digest = offers.put(user, imported)
    panel = preview.understood(summary(imported.tables), imported.problems)
    return Shown(panel, digest, file, imported.snapshots)
