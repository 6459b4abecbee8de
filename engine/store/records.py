"""Studies as a list of things: create, find, rename, duplicate, delete and bring back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NewType

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.errors import LimitError
from engine.network.tables import NetworkTables
from engine.store.access import MAX_USER, Role, is_id, missing, study_row
from engine.store.codec import MAX_NAME, Json, PackedNetwork, clean_name, clean_text, dump_json, new_id, pack_network
from engine.store.database import Database, epoch
from engine.store.schema import (
    answers,
    datasets,
    edits,
    jobs,
    members,
    networks,
    product_sets,
    questions,
    studies,
)

StudyId = NewType("StudyId", str)

MAX_STUDIES = 500
MAX_PAGE_NAME = 64
_COPIED = (questions, datasets, answers, product_sets)


@dataclass(frozen=True, slots=True)
class StudySummary:
    """One line of a user's list of studies. Moments are seconds since 1970."""

    id: StudyId
    name: str
    role: Role
    created: float
    updated: float
    deleted: float | None
    network_digest: str
    network_name: str
    buses: int
    branches: int
    units: int
    datasets: int
    products: int  # published versions
    answered: tuple[str, ...]  # kinds of results that are there
    example: str  # library key that it was opened from, "" for none


class Records:
    """The part of the store that keeps the list of studies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, user: str, name: str, tables: NetworkTables, questions: Mapping[str, Json] | None = None
    ) -> StudyId:
        """Return a new study of the user, holding ``tables`` and the given questions by page.

        Raises QuestionError on a name that is empty or too long, LimitError on one study too many.
        """
        packed, cleaned = pack_network(tables), clean_name(name, "a study")
        with self._database.writing() as connection:
            return add_study(connection, user, NewStudy(cleaned, packed, questions or {}))

    def open_example(
        self, user: str, key: str, name: str, tables: NetworkTables, questions: Mapping[str, Json] | None = None
    ) -> StudyId:
        """Return the user's study of the library grid ``key``: one that he has left as it was, else a new one.

        Left as it was: not renamed, its network never changed, no data set and no product set of his own.
        """
        packed, cleaned = pack_network(tables), clean_name(name, "a study")
        with self._database.writing() as connection:
            self._database.serialise(connection, f"example {user} {key}")  # a double click opens one study
            untouched = connection.execute(
                sa.select(studies.c.id)
                .join(members, members.c.study_id == studies.c.id)
                .where(
                    members.c.user_id == user,
                    members.c.role == "owner",
                    studies.c.deleted.is_(None),
                    studies.c.example == key,
                    studies.c.name == cleaned,
                    studies.c.revision == 0,
                    studies.c.network_digest == packed.digest,
                    ~sa.exists().where(datasets.c.study_id == studies.c.id),
                    ~sa.exists().where(product_sets.c.study_id == studies.c.id),
                )
                .order_by(studies.c.updated.desc())
                .limit(1)
            ).scalar_one_or_none()
            if untouched is not None:
                return StudyId(untouched)
            return add_study(connection, user, NewStudy(cleaned, packed, questions or {}, example=key))

    def list(self, user: str, deleted: bool = False) -> list[StudySummary]:
        """Return the user's studies, the last changed first; with ``deleted`` those he can bring back instead."""
        query = _summaries(user).order_by(studies.c.updated.desc(), studies.c.id)
        if deleted:
            query = query.where(studies.c.deleted.is_not(None), members.c.role == "owner")
        else:
            query = query.where(studies.c.deleted.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            return _finished(connection, rows)

    def get(self, user: str, study_id: str) -> StudySummary:
        """Return what a list says about one study."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            query = _summaries(user).where(studies.c.id == study_id, studies.c.deleted.is_(None))
            return _finished(connection, connection.execute(query).all())[0]

    def rename(self, user: str, study_id: str, name: str) -> None:
        """Give the study another name."""
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            touch(connection, study_id, name=clean_name(name, "a study"))

    def duplicate(self, user: str, study_id: str, name: str | None = None) -> StudyId:
        """Return a copy of all but the history and the readers; the copy belongs to ``user``, who may be a reader."""
        with self._database.writing() as connection:
            row = study_row(connection, user, study_id)
            copy_name = clean_name(name, "a study") if name is not None else f"{row.name[: MAX_NAME - 7]} (copy)"
            copy_id = new_study_id(connection, user)
            values = {"id": copy_id, "name": copy_name, "network_digest": row.network_digest, "example": ""}
            _insert_study(connection, user, values)
            for table in _COPIED:
                for kept in connection.execute(sa.select(table).where(table.c.study_id == study_id)).mappings().all():
                    fresh = {"id": new_id()} if "id" in kept else {}
                    if kept.get("deleted") is None:
                        connection.execute(sa.insert(table).values({**kept, "study_id": copy_id, **fresh}))
            return copy_id

    def delete(self, user: str, study_id: str) -> None:
        """Put the study aside: it is gone for everybody until :meth:`restore`. Its running jobs are cancelled."""
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            connection.execute(sa.update(studies).where(studies.c.id == study_id).values(deleted=epoch()))
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.study_id == study_id, jobs.c.state.in_(("queued", "running")))
                .values(cancel_requested=True)
            )

    def restore(self, user: str, study_id: str) -> None:
        """Bring back a study that the user deleted. Raises NotFoundError when there is none to bring back."""
        if not is_id(study_id):
            raise missing("deleted study", study_id)
        with self._database.writing() as connection:
            mine = sa.select(members.c.study_id).where(members.c.user_id == user, members.c.role == "owner")
            changed = connection.execute(
                sa.update(studies)
                .where(studies.c.id == study_id, studies.c.deleted.is_not(None), studies.c.id.in_(mine))
                .values(deleted=None)
            )
            if changed.rowcount != 1:
                raise missing("deleted study", study_id)

    def leave(self, user: str, study_id: str) -> None:
        """Take a study that was shared with the user off his list; its owner's study stays as it is."""
        with self._database.writing() as connection:
            study_row(connection, user, study_id)
            connection.execute(
                sa.delete(members).where(
                    members.c.study_id == study_id, members.c.user_id == user, members.c.role == "reader"
                )
            )


@dataclass(frozen=True, slots=True, eq=False)
class NewStudy:
    """What a study starts with. The name is clean."""

    name: str
    network: PackedNetwork
    questions: Mapping[str, Json]
    example: str = ""


def add_study(connection: sa.Connection, user: str, new: NewStudy) -> StudyId:
    """Insert a study with its network and questions; return its id."""
    study_id = new_study_id(connection, user)
    keep_network(connection, new.network)
    values = {"id": study_id, "name": new.name, "network_digest": new.network.digest, "example": new.example}
    _insert_study(connection, user, values)
    for page, content in new.questions.items():
        connection.execute(
            sa.insert(questions).values(
                study_id=study_id,
                page=clean_text(page)[:MAX_PAGE_NAME],
                content=dump_json(content, "a question"),
                updated=epoch(),
            )
        )
    return study_id


def new_study_id(connection: sa.Connection, user: str) -> StudyId:
    """Return a fresh id. Raises LimitError when the user has too many studies, the deleted ones included."""
    if not user or len(user) > MAX_USER:
        raise missing("user", user)
    owned = sa.select(sa.func.count()).where(members.c.user_id == user, members.c.role == "owner")
    if connection.execute(owned).scalar_one() >= MAX_STUDIES:
        raise LimitError(f"you have {MAX_STUDIES} studies, deleted ones included; the limit is {MAX_STUDIES}")
    return StudyId(new_id())


def keep_network(connection: sa.Connection, packed: PackedNetwork) -> None:
    """Store a network under its digest, or mark the one that is there as used."""
    fresh = {
        "digest": packed.digest,
        "content": packed.content,
        "name": packed.name,
        "buses": packed.buses,
        "branches": packed.branches,
        "units": packed.units,
        "used": epoch(),
    }
    upsert(connection, networks, fresh, {"used": epoch()})


def upsert(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Insert ``row``, or make ``changes`` to the row that has its primary key (which also locks it)."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=dict(changes))
    )


def touch(connection: sa.Connection, study_id: str, **changes: Any) -> None:
    """Change columns of a study and its moment of change."""
    connection.execute(sa.update(studies).where(studies.c.id == study_id).values(updated=epoch(), **changes))


def _insert_study(connection: sa.Connection, user: str, values: Mapping[str, str]) -> None:
    study_id, now = values["id"], epoch()
    connection.execute(
        sa.insert(studies).values({**values, "revision": 0, "position": 0, "created": now, "updated": now})
    )
    connection.execute(sa.insert(members).values(study_id=study_id, user_id=user, role="owner", joined=now))
    first = {"study_id": study_id, "position": 0, "network_digest": values["network_digest"], "label": ""}
    connection.execute(sa.insert(edits).values({**first, "created": now}))


def _summaries(user: str) -> sa.Select[Any]:
    def count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        return (
            sa.select(sa.func.count())
            .select_from(table)
            .where(table.c.study_id == studies.c.id, *conditions)
            .scalar_subquery()
        )

    return (
        sa.select(
            studies.c.id,
            studies.c.name,
            members.c.role,
            studies.c.created,
            studies.c.updated,
            studies.c.deleted,
            studies.c.network_digest,
            networks.c.name.label("network_name"),
            networks.c.buses,
            networks.c.branches,
            networks.c.units,
            count(datasets, datasets.c.deleted.is_(None)).label("datasets"),
            count(product_sets).label("products"),
            studies.c.example,
        )
        .join(members, members.c.study_id == studies.c.id)
        .join(networks, networks.c.digest == studies.c.network_digest)
        .where(members.c.user_id == user)
    )


def _finished(connection: sa.Connection, rows: "Any") -> "list[StudySummary]":
    kinds: dict[str, list[str]] = {}
    wanted = [row.id for row in rows]
    query = sa.select(answers.c.study_id, answers.c.kind).where(answers.c.study_id.in_(wanted)).distinct()
    for study_id, kind in connection.execute(query.order_by(answers.c.kind)):
        kinds.setdefault(study_id, []).append(kind)
    return [StudySummary(**row._mapping, answered=tuple(kinds.get(row.id, ()))) for row in rows]
