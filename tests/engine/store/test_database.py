"""The schema, its migrations and the guarantees of the connection."""

import multiprocessing
import sqlite3
import ssl
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import make_url

from engine.store.database import Database, _driver, epoch
from engine.store.schema import METADATA
from engine.store.store import Store


def test_migrations_from_empty_build_the_schema_of_the_models(url: str) -> None:
    database = Database(url)
    database.migrate()
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, METADATA)
        indexes = {
            (table, index["name"]) for table in METADATA.tables for index in sa.inspect(connection).get_indexes(table)
        }
        checks = {
            (table, check["name"])
            for table in METADATA.tables
            for check in sa.inspect(connection).get_check_constraints(table)
        }
    database.close()
    assert differences == []
    assert indexes == {(name, index.name) for name, table in METADATA.tables.items() for index in table.indexes}
    assert checks == {
        ("members", "ck_members_role"),
        ("jobs", "ck_jobs_state"),
        ("auction_people", "ck_auction_people_role"),
        ("auction_keys", "ck_auction_keys_role"),
    }


def test_migrating_twice_changes_nothing(url: str) -> None:
    for _ in range(2):
        database = Database(url)
        database.migrate()
        with database.reading() as connection:
            assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == ["0003"]
        database.close()


def _start_and_write(url: str, barrier: "multiprocessing.synchronize.Barrier", user: str) -> None:
    from tests.engine.store.conftest import triangle  # noqa: PLC0415  (in the process that was spawned)

    barrier.wait()
    store = Store(url)
    store.migrate()
    store.studies.create(user, "First", triangle())
    store.close()


def test_processes_that_start_at_once_migrate_once(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    starting = [spawn.Process(target=_start_and_write, args=(url, barrier, f"user-{i}")) for i in range(3)]
    for process in starting:
        process.start()
    for process in starting:
        process.join(300)
    assert [process.exitcode for process in starting] == [0, 0, 0]
    store = Store(url)
    assert [len(store.studies.list(f"user-{i}")) for i in range(3)] == [1, 1, 1]
    store.close()


def test_a_migration_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(url)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", broken)
        with pytest.raises(RuntimeError, match="half way"):
            database.migrate()
    with database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.migrate()
    database.close()


def test_sqlite_keeps_what_it_acknowledged_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'a.sqlite'}")
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}  # 2 is FULL


def test_a_sqlite_writer_takes_the_lock_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    with database.reading():
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    other.close()
    database.close()


def test_a_transaction_that_raises_writes_nothing(store: Store) -> None:
    row = {"digest": "d", "content": b"", "bytes": 0, "used": 0.0}

    def write_and_raise() -> None:
        with store.database.writing() as connection:
            connection.execute(sa.insert(METADATA.tables["files"]).values(row))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_raise()
    with store.database.reading() as connection:
        assert connection.execute(sa.select(METADATA.tables["files"])).all() == []


def test_the_clock_of_the_database_counts_seconds(store: Store) -> None:
    with store.database.reading() as connection:
        first, second = (connection.execute(sa.select(epoch())).scalar_one() for _ in range(2))
    assert 1_700_000_000 < first <= second < first + 60  # after 2023, and it does not run backwards


def test_the_permissive_driver_is_used_whatever_the_url_names() -> None:
    for scheme in ("postgresql", "postgresql+psycopg"):
        assert _driver(make_url(f"{scheme}://u:p@host/db"))[0].drivername == "postgresql+pg8000"


def test_sslmode_of_a_url_means_what_it_means_elsewhere() -> None:
    def context(mode: str) -> "ssl.SSLContext | bool":
        url, arguments = _driver(make_url(f"postgresql://u@h/d?sslmode={mode}"))
        assert "sslmode" not in url.query
        return arguments["ssl_context"]

    assert context("disable") is False
    required, full = context("require"), context("verify-full")
    assert isinstance(required, ssl.SSLContext)
    assert isinstance(full, ssl.SSLContext)
    assert (required.verify_mode, required.check_hostname) == (ssl.CERT_NONE, False)
    assert (full.verify_mode, full.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="mysql"):
        Database("mysql://u@h/d")


def test_a_sign_of_life_reaches_the_database(store: Store) -> None:
    store.check()


class _CutLine:
    """A connection whose socket the other end has reset."""

    def cursor(self) -> "_CutLine":
        return self

    def execute(self, _statement: str) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    def close(self) -> None:
        pass


def test_a_connection_that_was_reset_counts_as_gone_and_not_as_a_fault() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?sslmode=disable")
    assert database.engine.dialect.do_ping(_CutLine()) is False
    database.engine.dispose()
