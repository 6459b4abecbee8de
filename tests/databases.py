"""Databases with the schema in place: migrated once, then copied or emptied. What migrates has tests of its own."""

import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from engine.store import Store
from engine.store.schema import METADATA
from tests.postgres import connected, empty


def ready_sqlite(path: Path) -> str:
    """Make a file with the schema and no row; return its URL. Migrating it finds nothing to do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_template())
    return f"sqlite:///{path}"


def ready_postgres(url: str) -> str:
    """Leave in a database of the tests' own server the schema and no row; return its URL."""
    with closing(connected(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        stands = {name for (name,) in cursor.fetchall()} == {*METADATA.tables, "alembic_version"}
        if stands:
            cursor.execute(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY")
            return url
    empty(url)
    _migrate(url)
    return url


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


def _migrate(url: str) -> None:
    store = Store(url)
    store.migrate()
    store.close()
