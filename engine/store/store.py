"""The store: opened once with a URL, handed to whoever needs it."""

import sqlalchemy as sa

from engine.store.answers import Products, Results
from engine.store.contents import Contents
from engine.store.database import Database, epoch
from engine.store.history import History
from engine.store.records import Records
from engine.store.schema import answers, datasets, edits, files, jobs, networks, results, studies
from engine.store.sharing import Sharing
from engine.store.transfer import ImportChecks, Transfer

UNDO_DELETE_S = 30 * 86_400.0  # a deleted study or data set can be brought back for this long
KEEP_JOBS_S = 30 * 86_400.0
KEEP_UNUSED_S = 7 * 86_400.0


class Studies(Records, History, Contents, Sharing, Transfer):
    """Everything about studies. Each method takes the user first and does nothing for whom has no right to it.

    A study that is not there for the user raises NotFoundError, a change by a reader PermissionDeniedError.
    """

    def __init__(self, database: Database, checks: ImportChecks | None = None) -> None:
        super().__init__(database)
        self._checks = checks


class Store:
    """Studies, results and product sets in one database; ``checks`` say what may be imported."""

    def __init__(self, url: str, checks: ImportChecks | None = None) -> None:
        self.database = Database(url)
        self.studies = Studies(self.database, checks)
        self.results = Results(self.database)
        self.products = Products(self.database)

    def migrate(self) -> None:
        """Bring the schema up to date; every process calls this at its start."""
        self.database.migrate()

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def check(self) -> None:
        """Ask the database for a sign of life; raises SQLAlchemyError when it gives none."""
        with self.database.reading() as connection:
            connection.execute(sa.select(1))

    def purge(self) -> int:
        """Forget for good what was deleted long ago, and content that nothing refers to; return the rows removed."""
        old = epoch() - UNDO_DELETE_S
        unused = epoch() - KEEP_UNUSED_S
        removals = [
            sa.delete(studies).where(studies.c.deleted < old),
            sa.delete(datasets).where(datasets.c.deleted < old),
            sa.delete(jobs).where(jobs.c.finished < epoch() - KEEP_JOBS_S),
            sa.delete(results).where(
                results.c.used < unused,
                _unused(answers.c.result_id, results.c.id),
                _unused(jobs.c.result_id, results.c.id),
            ),
            sa.delete(files).where(files.c.used < unused, _unused(datasets.c.digest, files.c.digest)),
            sa.delete(networks).where(
                networks.c.used < unused,
                _unused(studies.c.network_digest, networks.c.digest),
                _unused(edits.c.network_digest, networks.c.digest),
                _unused(jobs.c.network_digest, networks.c.digest),
            ),
        ]
        with self.database.writing() as connection:
            return sum(connection.execute(removal).rowcount for removal in removals)


def _unused(reference: "sa.ColumnElement[str]", key: "sa.ColumnElement[str]") -> "sa.ColumnElement[bool]":
    return ~sa.exists().where(reference == key)
