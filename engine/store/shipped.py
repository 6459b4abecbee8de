"""Answers that come with the program: what jobs gave for the questions that pages open with, computed before.

Each is kept by the hash of its inputs, which holds the network, the question, the format of the file and the version
of the kind: a question that differs in anything finds none of them, and is computed. ``engine.data.build_answers``
makes them by the jobs themselves; ``content["origin"]`` says when, with what, and how long it took.
"""

import lzma
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import sqlalchemy as sa

from engine.errors import UncertaintyDataError
from engine.store.answers import Answer, keep_result, pack_answer, shared_id
from engine.store.artifacts import Artifacts
from engine.store.codec import load_json, sha256

FOLDER = "answers"


@cache
def manifest(input_hash: str) -> Mapping[str, Any] | None:
    """Return what is known of the answer to these inputs, None where none comes with the program."""
    found = resources.files("engine.data").joinpath(FOLDER, f"{input_hash}.json")
    return load_json(found.read_text(encoding="utf-8")) if found.is_file() else None


def files_of(known: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of an answer by their keys. Raises UncertaintyDataError for one that is damaged."""
    found = {}
    for key, digest in known["files"].items():
        packed = resources.files("engine.data").joinpath(FOLDER, f"{key}.xz").read_bytes()
        try:
            found[key] = lzma.decompress(packed)
        except lzma.LZMAError as error:
            raise UncertaintyDataError(f"the file {key} of an answer that comes with the program: {error}") from None
        if sha256(found[key]) != digest:
            raise UncertaintyDataError(f"the file {key} of an answer that comes with the program was changed")
    return found


def give(connection: sa.Connection, kind: str, input_hash: str, artifacts: Artifacts) -> str | None:
    """Keep the answer to these inputs as if it had been computed here; return its id, None where there is none."""
    known = manifest(input_hash)
    if known is None or known["kind"] != kind:
        return None
    for key, content in files_of(known).items():
        artifacts.save(key, content)
    provenance = {"computed_by": kind, "input_hash": input_hash, **known["result"]["origin"]}
    keep_result(
        connection, shared_id(kind, input_hash), pack_answer(Answer(kind, input_hash, known["result"], provenance))
    )
    return shared_id(kind, input_hash)
