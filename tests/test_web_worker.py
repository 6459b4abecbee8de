"""What the really running server does with lines that are held open, and with workers whose master is gone."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

from tests.browser.browsing import Server
from tests.kills import children
from tests.waiting import wait_for

_PATIENCE_S = 8.0  # of one request; a healthy server takes a few milliseconds


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
    # gunicorn's own worker lives on for 10 s while readers ask on the lines that they have; who calls meanwhile waits.
    stop = threading.Event()

    def go_on() -> None:
        with line_to(server) as line, suppress(ConnectionError):
            while not stop.is_set() and ask(line):
                stop.wait(0.2)

    readers = [threading.Thread(target=go_on) for _ in range(8)]
    for reader in readers:
        reader.start()
    web = children(server)["web"]
    orphans = web.children()

    def served() -> bool:  # refused or answered, but never left waiting
        with suppress(ConnectionError), line_to(server) as line:
            return bool(ask(line)) and not any(orphan.is_running() for orphan in orphans)
        return False

    try:
        web.kill()
        wait_for(served)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
