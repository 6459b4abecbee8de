"""What the store's tests share: each runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.network.tables import NetworkTables, table_of
from engine.store import Artifacts, Store
from tests.databases import ready_postgres, ready_sqlite
from tests.postgres import emptied_postgres, postgres_server, postgres_url

__all__ = ["emptied_postgres", "postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return (
        f"sqlite:///{tmp_path / 'store.sqlite'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def ready_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the schema in place and no row."""
    if request.param == "sqlite":
        return ready_sqlite(tmp_path / "store.sqlite")
    return ready_postgres(request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(ready_url: str) -> Iterator[Store]:
    """An empty store, its schema in place."""
    opened = Store(ready_url)
    yield opened
    opened.close()


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


@pytest.fixture
def grid() -> NetworkTables:
    return triangle()


def triangle(name: str = "Triangle") -> NetworkTables:
    """Three buses, three lines, one unit; names that are hard on encodings."""
    buses = [{"bus": bus, "name": f"Подстанция {bus} 変電所", "slack": bus == "1", "load_mw": 10.0} for bus in "123"]
    branches = [
        {"branch": f"{a}-{b}", "from_bus": a, "to_bus": b, "rating_a_mw": 30.0 if a == "1" else float("inf")}
        for a, b in ("12", "13", "23")
    ]
    units = [{"unit": "g1", "bus": "1", "p_mw": 30.0, "p_max_mw": 100.0}]
    return NetworkTables(
        name, 100.0, table_of("buses", buses), table_of("branches", branches), table_of("units", units)
    )
