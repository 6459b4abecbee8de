"""Kept versions of a catalogue, packed small, with what a timeline says of each without unpacking it."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from engine.errors import QuestionError
from engine.siting.catalogue import QUALIFYING, Catalogue
from engine.siting.question import SitingQuestion

_ASKED = ("network", "case", "question", "market_question", "ranking")  # of a manifest
_LARGEST = 200_000_000  # bytes that a packed version may grow to


def packed(catalogue: Catalogue, placed: str = "") -> dict[str, Any]:
    """Return a version as JSON values; ``placed`` says what was committed just before it, "" for nothing."""
    text = json.dumps(catalogue.to_json(), separators=(",", ":"), allow_nan=False).encode()
    counts: dict[str, int] = {}
    for entry in catalogue.entries:
        name = f"{entry.envelope}, {entry.nameplate_mw:g} MW"
        counts[name] = counts.get(name, 0) + (entry.standing in QUALIFYING)
    return {
        "version": catalogue.version,
        "made": catalogue.made,
        "placed": placed,
        "network": str(catalogue.manifest.get("network", "")),
        "passed": counts,
        "question": dict(catalogue.manifest["question"]),
        "key": version_key(catalogue),
        "packed": base64.b64encode(zlib.compress(text, 9)).decode(),
    }


def version_key(catalogue: Catalogue) -> str:
    """Return what a version is kept under: the SHA-256 of all that was asked, and of how it was ordered."""
    asked = {name: catalogue.manifest.get(name) for name in _ASKED}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, allow_nan=False).encode()).hexdigest()


def unpacked(content: Mapping[str, Any]) -> Catalogue:
    """Return the version that :func:`packed` packed. Raises QuestionError when it is something else."""
    try:
        SitingQuestion.from_json(content["question"])
        expander = zlib.decompressobj()
        text = expander.decompress(base64.b64decode(content["packed"], validate=True), _LARGEST)
        if not expander.eof:
            raise QuestionError("a version of the catalogue is too large, or cut off")
        found = Catalogue.from_json(json.loads(text))
    except (KeyError, TypeError, ValueError, zlib.error):
        raise QuestionError("not a version of a catalogue") from None
    if found.version != content.get("version") or not isinstance(content.get("passed"), Mapping):
        raise QuestionError("not a version of a catalogue")
    return found
