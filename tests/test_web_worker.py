"""What the really running server does with lines that are held open, and with workers whose master is gone."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.browser.browsing import Server, running
from tests.kills import children
from tests.waiting import wait_for

_PATIENCE_S = 20.0  # of one request; a healthy server takes a few milliseconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home"), WEB_WORKERS="2") as server:
        yield server


@contextmanager
def line_to(server: Server) -> Iterator[socket.socket]:
    parts = urlsplit(server.address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=_PATIENCE_S) as line:
        yield line


def ask(line: socket.socket, more: str = "") -> bytes:
    """Send a request and return the answer: b"" where the server hung up. Raises TimeoutError when none comes."""
    line.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
    return line.recv(65_536)


def test_lines_that_are_held_open_after_their_answer_hold_nobody_up(server: Server) -> None:
    # gunicorn's own worker listens to each of them for 2 s and does nothing else: 60 s of each of the two.
    with ExitStack() as held:
        lines = [held.enter_context(line_to(server)) for _ in range(60)]
        for line in lines:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        with line_to(server) as other:
            assert ask(other).startswith(b"HTTP/1.1 200")
        for line in lines:  # and each has its whole answer, then the end
            told = b""
            while part := line.recv(65_536):
                told += part
            assert told.startswith(b"HTTP/1.1 200")
            assert told.rstrip().endswith(b"}")


def test_nobody_waits_at_the_door_of_a_worker_whose_master_was_killed(server: Server) -> None:
    kept = [socket.create_connection(("127.0.0.1", int(urlsplit(server.address).port or 80)), 5.0) for _ in range(6)]
    for line in kept:
        assert ask(line).startswith(b"HTTP/1.1 200")
    web = children(server)["web"]
    orphans = web.children()
    web.kill()
    open_lines = list(kept)
    answered = False
    while not answered:  # refused or answered, but never left waiting
        for line in list(open_lines):  # readers go on asking on the lines that they have
            try:
                alive = ask(line).startswith(b"HTTP/1.1 200")
            except ConnectionError:
                alive = False
            if not alive:
                open_lines.remove(line)
                line.close()
        try:
            with line_to(server) as new:
                answered = ask(new).startswith(b"HTTP/1.1 200") and children(server)["web"].pid != web.pid
        except ConnectionError:
            continue
    wait_for(lambda: not any(orphan.is_running() for orphan in orphans))
    for line in open_lines:
        line.close()
