"""The web server's worker: gunicorn's with threads, made so that no line and no death of the master holds others up.

Four things differ. A line that is hung up is listened to until the other side has hung up too, so that it gets the
whole answer; the worker's loop does that beside its work, where gunicorn's own waits up to 2 s for each, with all
others. A worker whose master is gone closes its doors at once: connections that the system goes on queueing there would
be answered by nobody, until the worker has ended, while the next master cannot open the same port. A line gets a thread
once something has come on it; gunicorn's own thread waits up to 5 s for a browser that called ahead of need. And lines
of somebody whose request was refused as one of a flood wait unread or are closed: :mod:`callbacks.web_doors` says when.
Who was refused is told in the WSGI environment; behind a trusted proxy it is not, because there a line carries the
requests of many people, and the refusal itself is all that meets a flood.
"""

import errno
import re
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from callbacks.auction_access import REFUSED, asker
from callbacks.web_doors import WAIT_S, Doors

_LISTENED_S = 2.0
_MOST_BYTES = 65_536
_MOST_LINES = 500  # that are hung up and listened to; a flood's further ones are cut
_READ = 4_096
_TURN_S = 0.0005  # of a thread that computes, before another gets its turn; Python's own 5 ms add up in the loop
_TAKEN_AT_ONCE = 4  # new connections, before others are looked at
_REST_WITHIN_S = 0.05  # the body of a refused request has come, or its line is hung up
_HEAD = 8_192  # of a new line's first bytes are looked at
_HEAD_ENDS = b"\r\n\r\n"
_COOKIES = re.compile(rb"\r\nCookie:([^\r\n]*)\r\n", re.IGNORECASE)


class Line(TConn):
    """A connection, and who was refused by the answer to its last request, as one of a flood."""

    refused: bytes | None = None


def note_refusal(_worker: Any, request: Any, environ: dict[str, Any], _answer: Any) -> None:
    """Keep what the application told of a request; gunicorn calls it as ``post_request``."""
    request.refused = environ.get(REFUSED)


class Worker(ThreadWorker):
    """A process that answers requests, each in a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending: deque[_Ending] = deque()
        self._orphan = False
        self._doors = Doors()
        self._later: deque[tuple[float, Callable[[], None]]] = deque()  # when to do what

    def init_process(self) -> None:
        """Begin; the loop must not wait long for its turn while threads compute."""
        sys.setswitchinterval(_TURN_S)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take new connections; let a thread answer each once something comes on it."""
        for _ in range(_TAKEN_AT_ONCE):
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE} and self._ending:
                    self._forget(self._ending.popleft())  # room for one more
                elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                    raise
                return
            then: Callable[[], None] = partial(self._begin, sock, client, listener)
            if self._doors.quiet or not self._hold_up(sock, client, then):
                then()

    def _begin(self, sock: socket.socket, client: Any, listener: socket.socket) -> None:
        line = Line(self.cfg, sock, client, listener.getsockname())
        line.close = partial(self._hang_up, sock)
        line.timeout = time.monotonic() + (self.cfg.keepalive if self.alive else _LISTENED_S)
        self.nr_conns += 1
        self.pending_conns.append(line)
        self.poller.register(sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, line))

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Let a thread answer what has come on a connection first, or let it wait."""
        if self._doors.quiet:
            super().on_pending_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self.nr_conns -= 1
        if not self._hold_up(client, conn.client, partial(self._let_in, conn)):
            self._let_in(conn)

    def _let_in(self, line: Line) -> None:
        self.nr_conns += 1
        line.data_ready = True
        self.enqueue_req(line)

    def _hold_up(self, sock: socket.socket, client: Any, then: Callable[[], None]) -> bool:
        """Look at what has come on a new line; let it wait or close it where it is of somebody who was refused."""
        try:
            head = sock.recv(_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # nothing yet, or it broke: a thread will see
            return False
        cookies = _COOKIES.search(head)
        if not cookies and _HEAD_ENDS not in head:
            return False  # the rest is under way
        who = asker(cookies.group(1).decode("latin-1") if cookies else "", _address(client))
        if not self.alive or not self._doors.must_wait(who):
            return False
        self._wait_or_close(sock, who, then)
        return True

    def _wait_or_close(self, sock: socket.socket, who: bytes, then: Callable[[], None]) -> None:
        """Let a line wait unread for a second, no thread and no place among the connections taken, or close it."""
        if not self._doors.wait(who):
            sock.close()
            return

        def go_on() -> None:
            self._doors.over(who)
            then()

        self._later.append((time.monotonic() + WAIT_S, go_on))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request, in a thread; keep whether it was refused."""
        try:
            return super().handle_request(req, conn)
        finally:
            conn.refused = getattr(req, "refused", None)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        if conn.refused and keepalive:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + _REST_WITHIN_S))
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: Any, fs: Any) -> None:
        """See what becomes of a connection after an answer, in the worker's loop."""
        who, conn.refused = conn.refused, None
        if who and self.alive:
            self._doors.refuse(who)
            if not fs.cancelled() and not fs.exception() and fs.result():
                self.nr_conns -= 1
                self._wait_or_close(conn.sock, who, partial(self._go_on, conn, fs))
                return
        super().finish_request(conn, fs)

    def _go_on(self, line: Line, answered: Any) -> None:
        self.nr_conns += 1
        super().finish_request(line, answered)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events until something that was put off is due."""
        if self._later:
            timeout = min(timeout, max(0.0, self._later[0][0] - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)

    def is_parent_alive(self) -> bool:
        """Tell whether the master is there; where it is not, take no more connections and tell those who wait so."""
        if super().is_parent_alive():
            return True
        self._orphan, self.alive = True, False  # what is answered from now on says that the line is closed then
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        return False

    def _cap_keepalive(self, deadline: float) -> None:
        latest = time.monotonic() if self._orphan else deadline
        super()._cap_keepalive(latest)
        for line in self.pending_conns:
            line.timeout = min(line.timeout, latest)
        while self._later:  # nobody waits for a worker that ends
            self._later.popleft()[1]()

    def murder_pending(self) -> None:
        """Close what waited too long, for a first request or for the other side to hang up; do what was put off."""
        super().murder_pending()
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._later.popleft()[1]()
        while self._ending and (self._ending[0].over or self._ending[0].until <= now):
            self._forget(self._ending.popleft())

    def _hang_up(self, line: socket.socket, graceful: bool = False) -> None:
        if not graceful or len(self._ending) >= _MOST_LINES:
            line.close()
            return
        ending = _Ending(line)
        try:
            line.shutdown(socket.SHUT_WR)
            line.setblocking(False)
            self.poller.register(line, selectors.EVENT_READ, lambda _: self._listen(ending))
        except (OSError, ValueError, KeyError):  # the other side was faster, or the worker ends
            line.close()
            return
        self._ending.append(ending)

    def _listen(self, ending: "_Ending") -> None:
        try:
            got = len(ending.line.recv(_READ))
        except BlockingIOError:
            return
        except OSError:
            got = 0
        ending.left -= got
        if not got or ending.left <= 0:
            self._forget(ending)

    def _forget(self, ending: "_Ending") -> None:
        if ending.over:
            return
        ending.over = True
        self.poller.unregister(ending.line)
        ending.line.close()


class _Ending:
    """A line that we have hung up, until the other side has."""

    __slots__ = ("left", "line", "over", "until")

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.left = _MOST_BYTES
        self.until = time.monotonic() + _LISTENED_S
        self.over = False


def _address(client: Any) -> str:
    """Return the address of who calls; "" for a socket that has none."""
    return str(client[0]) if isinstance(client, tuple) else ""
