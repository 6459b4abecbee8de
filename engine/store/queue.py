"""The queue from the side of a runner: claim, report, finish, and take over from a runner that died.

Every change names the runner that holds the job, so that one that was given up for dead cannot write over
the one that took its place.
"""

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from engine.store.answers import Answer, attach, keep_result, pack_answer, shared_id
from engine.store.artifacts import Artifacts
from engine.store.codec import Json, clean_text, load_json
from engine.store.database import Database, epoch
from engine.store.jobs import cached_result
from engine.store.kinds import JobKind
from engine.store.schema import jobs, members, studies

STALE_S = 30.0  # a job whose runner has said nothing for so long is taken from it
MAX_ATTEMPTS = 3
FOREIGN_WAIT_S = 30.0  # how long a job waits for the runner that shares its asker's artefact cache
MAX_MESSAGE = 500
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A job that a runner has taken."""

    id: str
    user: str
    study_id: str  # "" for a job of no study
    kind: str
    arguments: Json
    input_hash: str
    network_digest: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """How far a job is."""

    done: int
    total: int
    message: str


class Queue:
    """The jobs of one database, for one runner."""

    def __init__(
        self, database: Database, artifacts: Artifacts, kinds: Mapping[str, JobKind], running_per_user: int
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._kinds = kinds
        self._running_per_user = running_per_user
        # The host is known by its name and by its cache, since containers may share one of them.
        self._host = f"{socket.gethostname()[:64]}/{artifacts.identity()[:12]}:"
        self.runner = f"{self._host}{os.getpid()}:{secrets.token_hex(6)}"

    def claim(self, *, crowded_out: bool = False) -> Claim | None:
        """Take the job that is due: of the user with the fewest running, the oldest. None when none is.

        With ``crowded_out`` only of a user who has none running while another has two or more. Jobs whose result
        has been computed meanwhile are answered on the way.
        """
        due = self._due(crowded_out=crowded_out)
        with self._database.reading() as connection:  # an idle runner takes no lock
            if connection.execute(due).first() is None:
                return None
        with self._database.writing() as connection:
            self._database.serialise(connection, "claim")
            while True:
                row = connection.execute(due).first()
                if row is None:
                    return None
                result_id = cached_result(connection, row.kind, row.input_hash, self._artifacts)
                if result_id is not None:
                    self._answer(connection, row, result_id)
                elif self._take(connection, row.id):
                    return Claim(
                        row.id,
                        row.user_id,
                        row.study_id or "",
                        row.kind,
                        load_json(row.arguments),
                        row.input_hash,
                        row.network_digest,
                    )

    def beat(self, reports: Mapping[str, Report | None]) -> tuple[set[str], set[str]]:
        """Write signs of life, and progress where there is some; return the jobs to cancel, and those lost.

        A lost job is in other hands, or gone with its study.
        """
        ids = list(reports)
        if not ids:
            return set(), set()
        with self._database.writing() as connection:
            for job_id, report in reports.items():
                values: dict[str, Any] = {"heartbeat": epoch()}
                if report is not None:
                    values |= {
                        "done": min(max(report.done, 0), _MOST),
                        "total": min(max(report.total, 0), _MOST),
                        "message": clean_text(report.message)[:MAX_MESSAGE],
                        "progressed": epoch(),
                    }
                connection.execute(sa.update(jobs).where(*self._held(job_id)).values(values))
            query = sa.select(jobs.c.id, jobs.c.cancel_requested).where(
                jobs.c.id.in_(ids), jobs.c.runner == self.runner, jobs.c.state == "running"
            )
            held = dict(connection.execute(query).all())
        return {job_id for job_id, cancel in held.items() if cancel}, set(ids) - held.keys()

    def finish(self, claim: Claim, content: Json, seconds: float) -> None:
        """Store the result for everybody who asks the same, and as an answer of the study if its owner asked."""
        provenance = {
            "computed_by": claim.kind,
            "version": self._kinds[claim.kind].version,
            "computed_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "input_hash": claim.input_hash,
        }
        packed = pack_answer(Answer(claim.kind, claim.input_hash, content, provenance))
        result_id = shared_id(claim.kind, claim.input_hash)
        with self._database.writing() as connection:
            row = connection.execute(sa.select(jobs).where(*self._held(claim.id)).with_for_update()).one_or_none()
            if row is not None:
                keep_result(connection, result_id, packed)
                self._answer(connection, row, result_id)

    def fail(self, job_id: str, error: str) -> None:
        """End a job with a reason in words."""
        self._end(job_id, state="failed", error=clean_text(error)[:MAX_MESSAGE])

    def cancelled(self, job_id: str) -> None:
        """End a job that was cancelled."""
        self._end(job_id, state="cancelled")

    def release(self, job_id: str) -> None:
        """Give a job back untouched, because this runner stops; the attempt does not count."""
        values = {"state": "queued", "runner": "", "attempts": jobs.c.attempts - 1, "done": 0, "total": 0}
        with self._database.writing() as connection:
            connection.execute(sa.update(jobs).where(*self._held(job_id)).values(**values, message=""))

    def crashed(self, job_id: str, reason: str) -> None:
        """Queue a job again whose process died, or end it when that was its last attempt."""
        with self._database.writing() as connection:
            _retry(connection, [job_id], reason, *self._held(job_id))

    def recover(self) -> int:
        """Take every job from runners that died, tidy up cancelled ones that wait; return how many were taken."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.state == "queued", jobs.c.cancel_requested)
                .values(state="cancelled", finished=epoch())
            )
            silent = sa.or_(jobs.c.heartbeat < epoch() - STALE_S, jobs.c.runner.in_(self._dead_runners(connection)))
            query = sa.select(jobs.c.id).where(jobs.c.state == "running", silent).with_for_update()
            stale = list(connection.execute(query).scalars())
            _retry(connection, stale, "the process that computed it stopped", jobs.c.state == "running")
            return len(stale)

    def _due(self, *, crowded_out: bool) -> sa.Select[Any]:
        other = jobs.alias("other")
        running = (
            sa.select(sa.func.count())
            .select_from(other)
            .where(other.c.state == "running", other.c.user_id == jobs.c.user_id)
            .scalar_subquery()
        )
        same = jobs.alias("same")
        under_way = sa.exists().where(same.c.input_hash == jobs.c.input_hash, same.c.state == "running")
        query = (
            sa.select(jobs)
            .outerjoin(studies, studies.c.id == jobs.c.study_id)
            .where(
                jobs.c.state == "queued",
                jobs.c.cancel_requested.is_(False),
                studies.c.deleted.is_(None),  # where the job is of a study
                jobs.c.kind.in_(list(self._kinds)),
                running < self._running_per_user,
                ~under_way,
            )
            .order_by(running, jobs.c.created, jobs.c.id)
            .limit(1)
        )
        if crowded_out:
            every = jobs.alias("every")
            many = sa.select(every.c.user_id).where(every.c.state == "running").group_by(every.c.user_id)
            query = query.where(running == 0, many.having(sa.func.count() > 1).exists())
        if self._database.is_sqlite:  # one host, one cache
            return query
        near = sa.or_(jobs.c.cache == self._artifacts.identity(), jobs.c.created < epoch() - FOREIGN_WAIT_S)
        return query.where(near)

    def _take(self, connection: sa.Connection, job_id: str) -> bool:
        changed = connection.execute(
            sa.update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == "queued")
            .values(
                state="running",
                runner=self.runner,
                attempts=jobs.c.attempts + 1,
                started=epoch(),
                heartbeat=epoch(),
                progressed=None,
                done=0,
                total=0,
                message="",
            )
        )
        return changed.rowcount == 1

    def _answer(self, connection: sa.Connection, row: "sa.Row[Any]", result_id: str) -> None:
        connection.execute(
            sa.update(jobs)
            .where(jobs.c.id == row.id)
            .values(
                state="done",
                result_id=result_id,
                finished=epoch(),
                started=sa.func.coalesce(jobs.c.started, epoch()),
                runner="",
                error="",
            )
        )
        owner = sa.exists().where(
            members.c.study_id == row.study_id, members.c.user_id == row.user_id, members.c.role == "owner"
        )
        if connection.execute(sa.select(owner)).scalar_one():
            attach(connection, row.study_id, row.kind, row.input_hash, result_id)

    def _end(self, job_id: str, **values: Any) -> None:
        with self._database.writing() as connection:
            statement = sa.update(jobs).where(*self._held(job_id))
            connection.execute(statement.values(**values, runner="", finished=epoch()))

    def _held(self, job_id: str) -> tuple[sa.ColumnElement[bool], ...]:
        return jobs.c.id == job_id, jobs.c.runner == self.runner, jobs.c.state == "running"

    def _dead_runners(self, connection: sa.Connection) -> list[str]:
        """Return runners of this host whose process is gone: their jobs need not wait until they are stale."""
        query = sa.select(jobs.c.runner).where(jobs.c.state == "running").distinct()
        return [
            runner
            for runner in connection.execute(query).scalars()
            if runner.startswith(self._host) and not _alive(int(runner.removeprefix(self._host).partition(":")[0]))
        ]


def _retry(connection: sa.Connection, job_ids: Iterable[str], reason: str, *conditions: sa.ColumnElement[bool]) -> None:
    """Queue jobs again; end those that were cancelled, and those that have had all their attempts."""
    for job_id in job_ids:
        mine = sa.update(jobs).where(jobs.c.id == job_id, *conditions)
        ended = {"runner": "", "finished": epoch()}
        connection.execute(mine.where(jobs.c.cancel_requested).values(state="cancelled", **ended))
        last = f"{reason}, at each of {MAX_ATTEMPTS} attempts; a smaller question may need less memory"
        connection.execute(mine.where(jobs.c.attempts >= MAX_ATTEMPTS).values(state="failed", error=last, **ended))
        connection.execute(mine.values(state="queued", runner="", done=0, total=0, message="started again"))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
