"""A real PostgreSQL server for tests: made in a temporary folder, ended after them."""

import getpass
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pg8000.dbapi
import pytest

from tests.ports import free_port
from tests.programs import postgresql_programs

_START_S = 60.0


class PostgresMissingError(Exception):
    """There is no PostgreSQL on this machine, or it does not start."""


def binaries() -> Path:
    """Return the folder with initdb and postgres. Raises PostgresMissingError when there is none."""
    found = postgresql_programs()
    if found is None:
        raise PostgresMissingError("the tests need PostgreSQL: install the package 'postgresql' (no initdb was found)")
    return found


@contextmanager
def server() -> Iterator[str]:
    """Run a server and yield the URL of an empty database on it.

    PostgreSQL refuses to run as root, so root lends it to the user ``postgres`` that its package makes.
    """
    folder = Path(tempfile.mkdtemp(prefix="headroom-postgres-"))
    binary, port, password = binaries(), free_port(), secrets.token_hex(16)
    data, note = folder / "data", folder / "password"
    note.write_text(password, encoding="ascii")
    owner = _owner()
    if owner is not None:
        for path in (folder, note):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    call = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner is not None else {}
    initdb = [binary / "initdb", "-D", data, "-U", "tester", "-A", "scram-sha-256", "--pwfile", note, "-E", "UTF8"]
    process = None
    try:
        made = subprocess.run(
            [*initdb, "--no-sync", "--locale=C"], capture_output=True, text=True, cwd=folder, check=False, **call
        )
        if made.returncode != 0:
            raise PostgresMissingError(f"PostgreSQL cannot make a database: {made.stderr.strip()[-500:]}")
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",  # guards against power cuts; tests kill processes, and the kernel keeps what they wrote
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binary / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd=folder, **call
            )
        _await(port, password, process, folder / "log")
        yield f"postgresql://tester:{password}@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def connected(url: str) -> pg8000.dbapi.Connection:
    """Return a connection to a database that nobody else has; each of its statements is a transaction."""
    parts = urlsplit(url)
    place = (parts.hostname, parts.path[1:], parts.port)
    connection = pg8000.dbapi.connect(parts.username, *place, parts.password, ssl_context=False)
    connection.autocommit = True
    connection.cursor().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return connection


def empty(url: str) -> None:
    """Make a database as empty as a new one, which costs ten times more; end whoever is still connected to it."""
    with closing(connected(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")


def another_database(url: str, name: str) -> str:
    """Make a database beside the one of ``url``, for what must outlive its being emptied; return its URL."""
    with closing(connected(url)) as connection:
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _owner() -> "pwd.struct_passwd | None":
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresMissingError(
            f"PostgreSQL does not run as {getpass.getuser()}, and there is no user 'postgres': "
            "install the package 'postgresql'"
        ) from None


def _await(port: int, password: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            pg8000.dbapi.connect(
                "tester", "127.0.0.1", "postgres", port, password, timeout=5, ssl_context=False
            ).close()
        except (pg8000.dbapi.Error, OSError):
            time.sleep(0.05)
        else:
            return
    raise PostgresMissingError(f"PostgreSQL does not start: {log.read_text(errors='replace')[-500:]}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a server for the whole session. Without PostgreSQL its tests fail, they never skip."""
    try:
        with server() as url:
            yield url
    except PostgresMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Return the URL of an empty database."""
    empty(postgres_server)
    return postgres_server


@pytest.fixture(scope="module")
def emptied_postgres(postgres_server: str) -> str:
    """Return the URL of a database that was empty before the first test of a file, for tests that share it."""
    empty(postgres_server)
    return postgres_server
