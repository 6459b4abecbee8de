"""Long computations as their users see them: sent, followed, cancelled. Other people's are invisible."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from engine.errors import LimitError
from engine.store.access import is_id, missing, study_row
from engine.store.answers import attach, shared_id
from engine.store.artifacts import Artifacts
from engine.store.codec import Json, dump_json, load_json, new_id, sha256
from engine.store.database import epoch
from engine.store.history import is_version
from engine.store.kinds import KINDS, JobKind
from engine.store.schema import datasets, files, jobs, members, networks, studies
from engine.store.schema import results as stored
from engine.store.shipped import give
from engine.store.store import Store

State = Literal["queued", "running", "done", "failed", "cancelled"]
ACTIVE: tuple[State, ...] = ("queued", "running")
MAX_QUEUED = 20  # per user
MAX_LISTED = 50
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PACE = 0.1  # of the work, before which no time left is told


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One computation. Moments are seconds since 1970."""

    id: str
    study_id: str  # "" for a job of no study
    kind: str
    arguments: Json
    input_hash: str
    state: State
    done: int
    total: int  # 0 while it is not known
    message: str
    eta_s: float | None  # time left, None while nobody can say
    result: Json | None
    error: str
    cancel_requested: bool
    attempts: int
    created: float
    started: float | None
    finished: float | None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def fraction(self) -> float:
        """The part that is done, from 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0


class Jobs:
    """The queue, from the side of those who ask. Each method takes the user first."""

    def __init__(self, store: Store, artifacts: Artifacts, kinds: Mapping[str, JobKind] = KINDS) -> None:
        self._database = store.database
        self._artifacts = artifacts
        self._kinds = kinds

    def submit(self, user: str, kind: str, arguments: Mapping[str, Any], study_id: str | None) -> Job:
        """Ask for a computation on a study; readers may, too. Without a study it is the user's own.

        The same question again gives the job that is under way, or the finished result at once, whoever
        computed it, or an answer that comes with the program; a failed or cancelled one is computed again. Every
        content digest in ``arguments`` must be of this study's network or data, else NotFoundError. Raises LimitError
        on too many jobs that wait.
        """
        text = dump_json(arguments, "the arguments of a job")
        input_hash = hash_input(kind, self._kinds[kind], text)
        with self._database.writing() as connection:
            self._database.serialise(connection, f"submit {user}")
            role = None if study_id is None else study_row(connection, user, study_id).role
            network_digest = _check_digests(connection, study_id, arguments)
            result_id = cached_result(connection, kind, input_hash, self._artifacts)
            if result_id is None:
                result_id = give(connection, kind, input_hash, self._artifacts)
            of_study = jobs.c.study_id.is_(None) if study_id is None else jobs.c.study_id == study_id
            mine = (jobs.c.user_id == user, of_study, jobs.c.input_hash == input_hash)
            job_id = _present(connection, mine, result_id)
            if result_id is not None and study_id is not None and role == "owner":
                attach(connection, study_id, kind, input_hash, result_id)
            if job_id is None:
                job_id = new_id()
                values: dict[str, str | None] = {"id": job_id, "user_id": user, "study_id": study_id, "kind": kind}
                values |= {"arguments": text, "input_hash": input_hash, "network_digest": network_digest}
                self._insert(connection, values, result_id)
            return _read(connection, _mine(user).where(jobs.c.id == job_id))[0]

    def get(self, user: str, job_id: str) -> Job:
        """Return one of the user's jobs."""
        with self._database.reading() as connection:
            return _one(connection, user, job_id)

    def list(
        self, user: str, study_id: str | None = None, *, active_only: bool = False, results: bool = True
    ) -> list[Job]:
        """Return the user's newest jobs, of one study or of all, at most 50; without their results, which may be
        large, where nobody reads them.
        """
        query = _mine(user, results=results).order_by(jobs.c.created.desc(), jobs.c.id).limit(MAX_LISTED)
        if active_only:
            query = query.where(jobs.c.state.in_(ACTIVE))
        with self._database.reading() as connection:
            if study_id is not None:
                study_row(connection, user, study_id)
                query = query.where(jobs.c.study_id == study_id)
            return _read(connection, query)

    def cancel(self, user: str, job_id: str) -> Job:
        """Ask a job to stop: at once when it waits, within about a second when it runs. A finished one stays so."""
        with self._database.writing() as connection:
            _one(connection, user, job_id)
            mine = (jobs.c.id == job_id, jobs.c.user_id == user)
            waiting = sa.update(jobs).where(*mine, jobs.c.state == "queued")
            connection.execute(waiting.values(state="cancelled", cancel_requested=True, finished=epoch()))
            running = sa.update(jobs).where(*mine, jobs.c.state == "running")
            connection.execute(running.values(cancel_requested=True))
            return _one(connection, user, job_id)

    def _insert(self, connection: sa.Connection, values: Mapping[str, Any], result_id: str | None) -> None:
        """Insert a job that waits, or one that is done because its result is there."""
        state, finished = ("queued", None) if result_id is None else ("done", epoch())
        if result_id is None:
            waiting = sa.select(sa.func.count()).where(
                jobs.c.user_id == values["user_id"], jobs.c.state == "queued", jobs.c.cancel_requested.is_(False)
            )
            if connection.execute(waiting).scalar_one() >= MAX_QUEUED:
                raise LimitError(f"you have {MAX_QUEUED} computations waiting; let some finish or cancel them")
        start = {"done": 0, "total": 0, "message": "", "error": "", "cancel_requested": False, "runner": ""}
        cache = self._artifacts.identity()
        connection.execute(
            sa.insert(jobs).values(
                **values,
                **start,
                cache=cache,
                state=state,
                result_id=result_id,
                attempts=0,
                created=epoch(),
                started=finished,
                finished=finished,
            )
        )


def hash_input(kind: str, job_kind: JobKind, arguments: str) -> str:
    """Return the hash of everything that a job's result depends on; networks and data are in it by their digests."""
    return sha256(f"{kind}\n{job_kind.version}\n{arguments}")


def cached_result(connection: sa.Connection, kind: str, input_hash: str, artifacts: Artifacts) -> str | None:
    """Return the id of a finished result, if it is there and so is every file that it lists under "artifacts"."""
    result_id = shared_id(kind, input_hash)
    content = connection.execute(sa.select(stored.c.content).where(stored.c.id == result_id)).scalar_one_or_none()
    if content is None or not artifacts.has(load_json(content).get("artifacts", ())):
        return None
    connection.execute(sa.update(stored).where(stored.c.id == result_id).values(used=epoch()))
    return result_id


def _present(connection: sa.Connection, mine: tuple[sa.ColumnElement[bool], ...], result_id: str | None) -> str | None:
    """Return the user's job that already answers, or will answer, the same question."""
    answered = sa.false() if result_id is None else (jobs.c.result_id == result_id)
    under_way = sa.and_(jobs.c.state.in_(ACTIVE), jobs.c.cancel_requested.is_(False))
    query = sa.select(jobs.c.id).where(*mine, sa.or_(answered, under_way)).order_by(jobs.c.created.desc()).limit(1)
    job_id: str | None = connection.execute(query).scalar_one_or_none()
    return job_id


def _check_digests(connection: sa.Connection, study_id: str | None, arguments: Mapping[str, Any]) -> str | None:
    """Refuse digests of networks and files that are not this study's; return its network's, when one is named.

    Results are shared by the hash of their arguments, so naming content must need the right to read it.
    """
    named = {text for text in _texts(arguments) if _DIGEST.fullmatch(text)}
    network = None
    for digest in sorted(named):
        own_file = sa.exists().where(datasets.c.study_id == study_id, datasets.c.digest == digest)
        if study_id is not None and is_version(connection, study_id, digest):
            network = digest
        elif not connection.execute(sa.select(own_file)).scalar_one():
            known = sa.or_(sa.exists().where(networks.c.digest == digest), sa.exists().where(files.c.digest == digest))
            if connection.execute(sa.select(known)).scalar_one():
                raise missing("network or data set", digest)
    return network


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _mine(user: str, *, results: bool = True) -> sa.Select[Any]:
    content = stored.c.content if results else sa.null()
    return (
        sa.select(jobs, content.label("result"), epoch().label("now"))
        .outerjoin(members, sa.and_(members.c.study_id == jobs.c.study_id, members.c.user_id == user))
        .outerjoin(studies, sa.and_(studies.c.id == jobs.c.study_id, studies.c.deleted.is_(None)))
        .outerjoin(stored, stored.c.id == jobs.c.result_id)
        .where(
            jobs.c.user_id == user,
            sa.or_(jobs.c.study_id.is_(None), sa.and_(members.c.user_id.is_not(None), studies.c.id.is_not(None))),
        )
    )


def _one(connection: sa.Connection, user: str, job_id: str) -> Job:
    found = _read(connection, _mine(user).where(jobs.c.id == job_id)) if is_id(job_id) else []
    if not found:
        raise missing("job", job_id)
    return found[0]


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[Job]:
    return [
        Job(
            id=row.id,
            study_id=row.study_id or "",
            kind=row.kind,
            arguments=load_json(row.arguments),
            input_hash=row.input_hash,
            state=row.state,
            done=row.done,
            total=row.total,
            message=row.message,
            eta_s=_eta(row),
            result=None if row.result is None else load_json(row.result),
            error=row.error,
            cancel_requested=row.cancel_requested,
            attempts=row.attempts,
            created=row.created,
            started=row.started,
            finished=row.finished,
        )
        for row in connection.execute(query)
    ]


def _eta(row: "sa.Row[Any]") -> float | None:
    """Return the time left if the work goes on at the pace it has had since it started.

    None before a tenth is done: what a job does once, such as to begin processes, is no pace. None where another runner
    had begun it: what stood from then was not done since.
    """
    if row.state != "running" or row.total <= 0 or row.progressed is None or row.done < _PACE * row.total:
        return None
    if row.attempts > 1:
        return None
    spent = row.progressed - row.started
    return float(max(spent * (row.total - row.done) / row.done - (row.now - row.progressed), 0.0))
