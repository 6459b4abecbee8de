"""What was computed for a study: results by the hash of their inputs, and published product sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.errors import QuestionError
from engine.store.access import is_id, missing, study_row
from engine.store.codec import Json, dump_json, load_json, sha256
from engine.store.database import Database, epoch
from engine.store.records import touch, upsert
from engine.store.schema import answers, product_sets, results

MAX_LISTED = 200
MAX_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was computed from inputs with this hash, and where it comes from."""

    kind: str
    input_hash: str
    content: Json
    provenance: Json


@dataclass(frozen=True, slots=True, eq=False)
class Result(Answer):
    """An answer that is attached to a study."""

    created: float


@dataclass(frozen=True, slots=True, eq=False)
class ProductSetRecord:
    """A published version; it never changes."""

    version: int  # 1, 2, ... within its study
    created: float
    digest: str  # SHA-256 of the product set and its witness
    network_digest: str  # the study's network when it was published
    product_set: Json
    witness: Json  # why every product can be delivered


class Results:
    """Answers attached to studies. What a job computed is shared between studies with the same inputs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, user: str, study_id: str, answer: Answer) -> None:
        """Attach an answer to the study, in the place of an earlier one to the same question.

        Such an answer is this study's own: only a job's result is given to others who ask the same.
        """
        packed = pack_answer(answer)
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            attach_own(connection, study_id, packed)
            touch(connection, study_id)

    def get(self, user: str, study_id: str, kind: str, input_hash: str) -> Result | None:
        """Return the study's answer of that kind to these inputs, None when it was not computed."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            query = _attached(study_id).where(answers.c.kind == kind, answers.c.input_hash == input_hash)
            row = connection.execute(query).one_or_none() if is_id(input_hash) else None
            return None if row is None else _result(row)

    def list(self, user: str, study_id: str, kind: str | None = None) -> list[Result]:
        """Return the study's newest answers, at most 200, of one kind or of all."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            query = _attached(study_id).order_by(answers.c.created.desc(), answers.c.input_hash).limit(MAX_LISTED)
            if kind is not None:
                query = query.where(answers.c.kind == kind)
            return [_result(row) for row in connection.execute(query)]


class Products:
    """Published product sets: versions that are added, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, user: str, study_id: str, product_set: Mapping[str, Any], witness: Mapping[str, Any]) -> int:
        """Store a product set with its feasibility witness; return its version.

        Publishing what is already the last version returns that version. Raises QuestionError without a witness.
        """
        if not witness:
            raise QuestionError("a product set is published with the witness that it can be delivered; there is none")
        content, reason = dump_json(product_set, "a product set"), dump_json(witness, "a witness")
        digest = sha256(f"{content}\n{reason}")
        with self._database.writing() as connection:
            row = study_row(connection, user, study_id, "owner")
            last = connection.execute(
                sa.select(product_sets.c.version, product_sets.c.digest, product_sets.c.network_digest)
                .where(product_sets.c.study_id == study_id)
                .order_by(product_sets.c.version.desc())
                .limit(1)
            ).one_or_none()
            if last is not None and (last.digest, last.network_digest) == (digest, row.network_digest):
                return int(last.version)
            version = 1 if last is None else int(last.version) + 1
            packed = PackedProducts(version, row.network_digest, content, reason)
            insert_product_set(connection, study_id, packed)
            touch(connection, study_id)
            return version

    def list(self, user: str, study_id: str) -> list[ProductSetRecord]:
        """Return the published versions, newest first."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            return read_product_sets(connection, study_id)

    def get(self, user: str, study_id: str, version: int) -> ProductSetRecord:
        """Return one published version."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            found = read_product_sets(connection, study_id, version) if 0 < version <= MAX_VERSION else []
            if not found:
                raise missing("product set", f"version {version}")
            return found[0]


def shared_id(kind: str, input_hash: str) -> str:
    """Return the id of the result that a job computed from these inputs."""
    return sha256(f"job\n{kind}\n{input_hash}")


@dataclass(frozen=True, slots=True)
class PackedAnswer:
    """An answer as the database keeps it."""

    kind: str
    input_hash: str
    content: str
    provenance: str


@dataclass(frozen=True, slots=True)
class PackedProducts:
    """A version of a product set as the database keeps it."""

    version: int
    network_digest: str
    content: str
    witness: str


def pack_answer(answer: Answer) -> PackedAnswer:
    """Return the answer as text. Raises QuestionError when it cannot be JSON, LimitError when it is too large."""
    content, provenance = dump_json(answer.content, "a result"), dump_json(answer.provenance, "a provenance")
    return PackedAnswer(answer.kind, answer.input_hash, content, provenance)


def attach_own(connection: sa.Connection, study_id: str, packed: PackedAnswer) -> None:
    """Store an answer that belongs to one study; its id holds its content, so it can stand for nothing else."""
    parts = (packed.kind, packed.input_hash, sha256(packed.content), sha256(packed.provenance))
    result_id = sha256("\n".join(("own", *parts)))
    keep_result(connection, result_id, packed)
    attach(connection, study_id, packed.kind, packed.input_hash, result_id)


def keep_result(connection: sa.Connection, result_id: str, packed: PackedAnswer) -> None:
    """Store a result under its id, in the place of what was there."""
    changes = {"content": packed.content, "provenance": packed.provenance, "used": epoch()}
    row = {"id": result_id, "kind": packed.kind, "input_hash": packed.input_hash, "created": epoch(), **changes}
    upsert(connection, results, row, changes)


def attach(connection: sa.Connection, study_id: str, kind: str, input_hash: str, result_id: str) -> None:
    """Make a stored result an answer of the study."""
    changes = {"result_id": result_id, "created": epoch()}
    upsert(connection, answers, {"study_id": study_id, "kind": kind, "input_hash": input_hash, **changes}, changes)


def insert_product_set(connection: sa.Connection, study_id: str, packed: PackedProducts) -> None:
    """Insert one version of a study that the caller may change."""
    row = {
        "study_id": study_id,
        "version": packed.version,
        "digest": sha256(f"{packed.content}\n{packed.witness}"),
        "network_digest": packed.network_digest,
        "content": packed.content,
        "witness": packed.witness,
        "created": epoch(),
    }
    connection.execute(sa.insert(product_sets).values(row))


def read_product_sets(connection: sa.Connection, study_id: str, version: int | None = None) -> list[ProductSetRecord]:
    """Return the versions of a study that the caller may read, newest first."""
    query = sa.select(product_sets).where(product_sets.c.study_id == study_id)
    if version is not None:
        query = query.where(product_sets.c.version == version)
    return [
        ProductSetRecord(
            row.version, row.created, row.digest, row.network_digest, load_json(row.content), load_json(row.witness)
        )
        for row in connection.execute(query.order_by(product_sets.c.version.desc()))
    ]


def read_answers(connection: sa.Connection, study_id: str) -> list[Result]:
    """Return every answer of a study that the caller may read, oldest first."""
    query = _attached(study_id).order_by(answers.c.created, answers.c.kind, answers.c.input_hash)
    return [_result(row) for row in connection.execute(query)]


def _attached(study_id: str) -> sa.Select[Any]:
    return (
        sa.select(answers.c.kind, answers.c.input_hash, results.c.content, results.c.provenance, answers.c.created)
        .join(results, results.c.id == answers.c.result_id)
        .where(answers.c.study_id == study_id)
    )


def _result(row: "sa.Row[Any]") -> Result:
    return Result(row.kind, row.input_hash, load_json(row.content), load_json(row.provenance), row.created)
