"""What a study holds beside its network: the question of each page, and the user's own data files."""

from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import LimitError
from engine.store.access import is_id, missing, study_row
from engine.store.codec import Json, clean_name, clean_text, dump_json, load_json, new_id, sha256
from engine.store.database import Database, epoch
from engine.store.records import MAX_PAGE_NAME, touch, upsert
from engine.store.schema import datasets, files, questions

MAX_DATASET_BYTES = 100_000_000
MAX_STUDY_BYTES = 400_000_000
MAX_DATASETS = 100


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that a user brought: its name and kind; the digest names its content."""

    id: str
    name: str
    kind: str  # what the page made of it, such as "scenarios"
    bytes: int
    digest: str
    created: float


class Contents:
    """The part of the store that keeps questions and data sets."""

    _database: Database

    def question(self, user: str, study_id: str, page: str) -> Json | None:
        """Return what was last asked on a page of the study, None when nothing was."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            content = connection.execute(
                sa.select(questions.c.content).where(questions.c.study_id == study_id, questions.c.page == page)
            ).scalar_one_or_none()
            return None if content is None else load_json(content)

    def save_question(self, user: str, study_id: str, page: str, question: Json) -> None:
        """Keep what is asked on a page; the last one counts."""
        content = dump_json(question, f"the question of page {page!r}")
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            changes = {"content": content, "updated": epoch()}
            row = {"study_id": study_id, "page": clean_text(page)[:MAX_PAGE_NAME], **changes}
            upsert(connection, questions, row, changes)
            touch(connection, study_id)

    def add_dataset(self, user: str, study_id: str, name: str, kind: str, content: bytes) -> Dataset:
        """Keep a data file with the study. Raises LimitError when it, or all of them together, are too large."""
        cleaned = clean_name(name, "a data set")
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            dataset = put_dataset(connection, study_id, cleaned, kind, content)
            touch(connection, study_id)
            return dataset

    def datasets(self, user: str, study_id: str) -> list[Dataset]:
        """Return the data sets of a study, oldest first."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            return list_datasets(connection, study_id)

    def dataset(self, user: str, study_id: str, dataset_id: str) -> tuple[Dataset, bytes]:
        """Return one data set and its content."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            for dataset in list_datasets(connection, study_id):
                if dataset.id == dataset_id:
                    return dataset, load_file(connection, dataset.digest)
            raise missing("data set", dataset_id)

    def delete_dataset(self, user: str, study_id: str, dataset_id: str) -> None:
        """Put a data set aside until :meth:`restore_dataset`."""
        self._mark_dataset(user, study_id, dataset_id, deleted=True)

    def restore_dataset(self, user: str, study_id: str, dataset_id: str) -> None:
        """Bring back a data set that was deleted."""
        self._mark_dataset(user, study_id, dataset_id, deleted=False)

    def _mark_dataset(self, user: str, study_id: str, dataset_id: str, *, deleted: bool) -> None:
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            if not is_id(dataset_id):
                raise missing("data set", dataset_id)
            changed = connection.execute(
                sa.update(datasets)
                .where(
                    datasets.c.id == dataset_id,
                    datasets.c.study_id == study_id,
                    datasets.c.deleted.is_(None) if deleted else datasets.c.deleted.is_not(None),
                )
                .values(deleted=epoch() if deleted else None)
            )
            if changed.rowcount != 1:
                raise missing("data set", dataset_id)
            touch(connection, study_id)


def put_dataset(connection: sa.Connection, study_id: str, name: str, kind: str, content: bytes) -> Dataset:
    """Insert a data set into a study that the caller may change; ``name`` is clean."""
    if len(content) > MAX_DATASET_BYTES:
        raise LimitError(f"file {name!r} has {len(content):,} bytes; the limit is {MAX_DATASET_BYTES:,}")
    present = list_datasets(connection, study_id)
    if len(present) >= MAX_DATASETS:
        raise LimitError(f"the study has {len(present)} data sets; the limit is {MAX_DATASETS}")
    total = sum(dataset.bytes for dataset in present) + len(content)
    if total > MAX_STUDY_BYTES:
        raise LimitError(f"with file {name!r} the study's data would have {total:,} bytes; limit {MAX_STUDY_BYTES:,}")
    digest, dataset_id = sha256(content), new_id()
    file = {"digest": digest, "content": content, "bytes": len(content), "used": epoch()}
    upsert(connection, files, file, {"used": epoch()})
    connection.execute(
        sa.insert(datasets).values(
            id=dataset_id,
            study_id=study_id,
            name=name,
            kind=clean_text(kind)[:64],
            digest=digest,
            created=epoch(),
            deleted=None,
        )
    )
    return next(dataset for dataset in list_datasets(connection, study_id) if dataset.id == dataset_id)


def list_datasets(connection: sa.Connection, study_id: str) -> list[Dataset]:
    """Return the data sets of a study that the caller may read."""
    query = (
        sa.select(datasets.c.id, datasets.c.name, datasets.c.kind, files.c.bytes, datasets.c.digest, datasets.c.created)
        .join(files, files.c.digest == datasets.c.digest)
        .where(datasets.c.study_id == study_id, datasets.c.deleted.is_(None))
        .order_by(datasets.c.created, datasets.c.id)
    )
    return [Dataset(*row) for row in connection.execute(query)]


def load_file(connection: sa.Connection, digest: str) -> bytes:
    """Return a file by its digest; the caller has checked that the user may read it."""
    content = connection.execute(sa.select(files.c.content).where(files.c.digest == digest)).scalar_one_or_none()
    if content is None:
        raise missing("file", digest)
    return bytes(content)
