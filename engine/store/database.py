"""One door to the database: SQLite by default, PostgreSQL by URL, with the same transactions on both."""

import hashlib
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

BUSY_TIMEOUT_MS = 5_000
POOL_SIZE = 8
POOL_OVERFLOW = 24
_WAL_ATTEMPTS = 50
_MIGRATIONS = Path(__file__).parent / "migrations"


class epoch(GenericFunction[float]):  # noqa: N801  (named as SQL functions are)
    """Seconds since 1970 by the clock of the database, so that hosts with different clocks agree on a heartbeat."""

    type = sa.Double()
    inherit_cache = True


@compiles(epoch, "sqlite")
def _epoch_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch, "postgresql")
def _epoch_postgresql(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def _answer_lost_lines(dialect: sa.Dialect) -> None:
    """Let a connection whose line was cut count as gone when it is tried: pg8000 raises the socket's own error."""
    ping = dialect.do_ping

    def tried(connection: Any) -> bool:
        try:
            return bool(ping(connection))
        except OSError:
            return False

    dialect.do_ping = tried  # type: ignore[assignment]


class Database:
    """Transactions on one database. Safe to share between threads; a process opens its own."""

    def __init__(self, url: str) -> None:
        parsed, connect_args = _driver(make_url(url))
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(
                parsed,
                connect_args={"check_same_thread": False, "isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000},
                poolclass=sa.QueuePool,
                pool_size=POOL_SIZE,
                max_overflow=POOL_OVERFLOW,
            )
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(
                parsed,
                connect_args=connect_args,
                pool_pre_ping=True,
                pool_size=POOL_SIZE,
                max_overflow=POOL_OVERFLOW,
            )
            _answer_lost_lines(self.engine.dialect)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes nothing."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes; it is on the disk when this returns, or nothing of it is.

        SQLite takes the one write lock at once (BEGIN IMMEDIATE), so that a transaction never finds out at
        its end that it read old rows.
        """
        with self.engine.connect() as connection:
            writer = connection.execution_options(begin="BEGIN IMMEDIATE")
            with writer.begin():
                yield writer

    def serialise(self, connection: sa.Connection, name: str) -> None:
        """Make writers that give the same ``name`` take turns until this transaction ends (SQLite: always so)."""
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(name))))

    def migrate(self) -> None:
        """Bring the schema up to date, from empty too. Processes that start at once take turns."""
        if self._is_current():
            return
        from alembic import command  # noqa: PLC0415 (a quarter of a second, for whoever finds an older schema)
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self.writing() as connection:
            self.serialise(connection, "migrate")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _is_current(self) -> bool:
        """Return whether the newest migration was the last: what another process has not committed is not seen."""
        newest = max(path.stem[1:5] for path in (_MIGRATIONS / "versions").glob("v[0-9]*_*.py"))
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return False
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]

    def close(self) -> None:
        """Close every connection of the pool."""
        self.engine.dispose()


def _driver(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the URL with the driver that we ship, and the driver's own form of ``sslmode``."""
    if url.get_backend_name() in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+pg8000")
        mode = url.query.get("sslmode")
        url = url.difference_update_query(["sslmode"])
        return url, {} if mode is None else {"ssl_context": _ssl_context(str(mode))}
    if url.get_backend_name() != "sqlite":
        raise ValueError(f"the database URL must start with sqlite or postgresql, found {url.drivername!r}")
    return url, {}


def _ssl_context(mode: str) -> ssl.SSLContext | bool:
    if mode in {"disable", "allow", "prefer"}:
        return False
    context = ssl.create_default_context()
    if mode != "verify-full":  # as libpq: "require" encrypts without asking who answers
        context.check_hostname = False
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous=FULL")  # a commit is on the disk before it is acknowledged


def _write_ahead(cursor: Any) -> None:
    """Switch the file to write-ahead logging; the switch ignores the busy timeout, so wait here for a rival."""
    for attempt in range(_WAL_ATTEMPTS):
        try:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                cursor.execute("PRAGMA journal_mode=WAL").fetchone()
        except cursor.connection.OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(0.1)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"headroom {name}".encode()).digest()[:8], "big", signed=True)
