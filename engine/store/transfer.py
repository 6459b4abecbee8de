"""Studies out of the store into one file, and back in under whoever imports it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import EngineError, FileFormatError
from engine.store.access import study_row
from engine.store.answers import (
    MAX_VERSION,
    Answer,
    PackedProducts,
    attach_own,
    insert_product_set,
    pack_answer,
    read_answers,
    read_product_sets,
)
from engine.store.archive import (
    Archive,
    DataFile,
    StoredProducts,
    read_archive,
    write_archive,
)
from engine.store.codec import MAX_NAME, Json, clean_name, clean_text, dump_json, load_json, pack_network
from engine.store.contents import list_datasets, load_file, put_dataset
from engine.store.database import Database
from engine.store.history import load_network
from engine.store.records import NewStudy, StudyId, add_study
from engine.store.schema import questions

_HASH = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ImportChecks:
    """What a file's answers and product sets must hold: functions that raise EngineError on what they cannot read."""

    answers: Mapping[str, Callable[[Json], None]]  # by kind; a file with any other kind is refused
    products: Callable[[Json], None]


class Transfer:
    """The part of the store that writes and reads files of studies."""

    _database: Database
    _checks: ImportChecks | None  # None: whatever is JSON

    def export_file(self, user: str, study_id: str) -> tuple[str, bytes]:
        """Return a file name and the file of a study: network, questions, data, answers and product sets."""
        with self._database.reading() as connection:
            row = study_row(connection, user, study_id)
            asked = sa.select(questions.c.page, questions.c.content).where(questions.c.study_id == study_id)
            archive = Archive(
                name=row.name,
                tables=load_network(connection, row.network_digest),
                questions={page: load_json(content) for page, content in connection.execute(asked)},
                datasets=tuple(
                    DataFile(dataset.name, dataset.kind, load_file(connection, dataset.digest))
                    for dataset in list_datasets(connection, study_id)
                ),
                answers=tuple(
                    Answer(a.kind, a.input_hash, a.content, a.provenance) for a in read_answers(connection, study_id)
                ),
                product_sets=tuple(
                    StoredProducts(p.version, p.network_digest, p.product_set, p.witness)
                    for p in reversed(read_product_sets(connection, study_id))
                ),
            )
        words = re.sub(r"[^\w.-]+", "-", row.name).strip("-.") or "study"
        return f"{words}.headroom.zip", write_archive(archive)

    def import_file(self, user: str, content: bytes) -> StudyId:
        """Return a new study of ``user`` with what the file holds; it is wholly there or not at all.

        Raises FileFormatError on a damaged file, or one whose answers no page can show, LimitError on one too
        large. Its answers stay this study's own: a file cannot tell others what a computation gave.
        """
        archive = read_archive(content)
        name = clean_name(clean_text(archive.name)[:MAX_NAME], "a study")
        packed = pack_network(archive.tables)
        if not all(_KIND.fullmatch(a.kind) and _HASH.fullmatch(a.input_hash) for a in archive.answers):
            raise FileFormatError("an answer in the file has no valid kind or input hash")
        versions = [p.version for p in archive.product_sets]
        if sorted(set(versions)) != versions or any(not 0 < version <= MAX_VERSION for version in versions):
            raise FileFormatError(f"the versions of the product sets must rise from 1, found {versions[:10]}")
        if not all(_HASH.fullmatch(p.network_digest) for p in archive.product_sets):
            raise FileFormatError("a product set in the file does not name its network by a digest")
        if self._checks is not None:
            _check_contents(archive, self._checks)
        with self._database.writing() as connection:
            study_id = add_study(connection, user, NewStudy(name, packed, archive.questions))
            for dataset in archive.datasets:
                put_dataset(connection, study_id, clean_name(dataset.name, "a data set"), dataset.kind, dataset.content)
            for answer in archive.answers:
                attach_own(connection, study_id, pack_answer(answer))
            for p in archive.product_sets:
                texts = dump_json(p.product_set, "a product set"), dump_json(p.witness, "a witness")
                insert_product_set(connection, study_id, PackedProducts(p.version, p.network_digest, *texts))
            return study_id


def _check_contents(archive: Archive, checks: ImportChecks) -> None:
    for answer in archive.answers:
        if answer.kind not in checks.answers:
            raise FileFormatError(f"the file holds an answer of kind {answer.kind!r}, which this version does not know")
        _told(checks.answers[answer.kind], answer.content, f"the answer of kind {answer.kind!r}")
    for products in archive.product_sets:
        _told(checks.products, products.product_set, f"version {products.version} of the product set")


def _told(check: Callable[[Json], None], content: Json, what: str) -> None:
    try:
        check(content)
    except EngineError as error:
        raise FileFormatError(f"{what} in the file cannot be used: {error}") from error
