"""Bring a network into a study: what was understood is shown first, then it replaces or starts a new study."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callbacks.services import Kept
from engine.errors import EngineError, FileFormatError, NetworkDataError, Problem
from engine.network import library
from engine.network.checks import check
from engine.network.imported import Imported
from engine.network.readers import read_network
from engine.network.tables import NetworkTables

MOST_FILES = 4
KEPT_OFFERS = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """A network that was understood and not yet taken."""

    key: str  # user and digest: nobody takes what another one uploaded
    imported: Imported


class Offers:
    """Networks that were shown and may be taken. They are small and few, and lost on a restart: shown again then."""

    def __init__(self) -> None:
        self._kept: Kept[Imported] = Kept(KEPT_OFFERS)

    def put(self, user: str, imported: Imported) -> str:
        """Keep a network for ``user``; return the digest that takes it."""
        digest = imported.tables.digest()
        self._kept.get((user, digest), lambda: imported)
        return digest

    def take(self, user: str, digest: object) -> Imported:
        """Return the network that was shown to ``user``. Raises NetworkDataError when it is not kept any more."""

        def missing() -> Imported:
            raise NetworkDataError("this network is not kept any more: choose the file again")

        if not isinstance(digest, str):
            raise NetworkDataError("choose a file or a named grid first")
        return self._kept.get((user, digest), missing)


def understood(contents: Sequence[str], names: Sequence[str], most_bytes: int) -> Imported:
    """Return the network in uploaded files (data URLs). Raises FileFormatError with every problem."""
    if not contents or len(contents) != len(names) or len(contents) > MOST_FILES:
        raise FileFormatError(f"choose between 1 and {MOST_FILES} files, found {len(contents)}")
    files: dict[str, bytes] = {}
    for name, content in zip(names, contents, strict=True):
        files[str(name)[:200]] = _decoded(str(name)[:200], content, most_bytes)
    first, *others = _ordered(files)
    return read_network(first, files[first], {name: files[name] for name in others})


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
        "load_mw": float(tables.buses["load_mw"].sum()),
        "capacity_mw": float(tables.units["p_max_mw"].sum()),
        "places": int(tables.buses[["longitude", "latitude"]].notna().all(axis=1).sum()),
    }


def _decoded(name: str, content: object, most_bytes: int) -> bytes:
    if not isinstance(content, str):
        raise FileFormatError(f"{name}: the browser sent no content")
    head, comma, body = content.partition(",")
    if not comma or not head.endswith(";base64"):
        raise FileFormatError(f"{name}: the browser sent no content")
    if len(body) * 3 // 4 > most_bytes:
        raise FileFormatError(f"{name}: {len(body) * 3 / 4e6:.1f} MB; at most {most_bytes / 1e6:.0f} MB are read")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise FileFormatError(f"{name}: the content did not arrive whole") from None


def _ordered(files: Mapping[str, bytes]) -> list[str]:
    """Return the names with the file of the buses first: the others are its companions."""
    return sorted(files, key=lambda name: (0 if "bus" in name.lower() else 1, name))
