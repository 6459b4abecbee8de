"""The web server's worker: gunicorn's with threads, made so that no line and no death of the master holds others up.

Four things differ. A line that is hung up is listened to until the other side has hung up too, so that it gets the
whole answer; the worker's loop does that beside its work, where gunicorn's own waits up to 2 s for each, with all
others. A worker whose master is gone closes its doors at once: connections that the system goes on queueing there would
be answered by nobody, until the worker has ended, while the next master cannot open the same port. A line gets a thread
once something has come on it; gunicorn's own thread waits up to 5 s for a browser that called ahead of need. And a line
whose request was refused as one of a flood waits unread, or is cut: :mod:`callbacks.web_doors` says which. That a
request was refused is told in the WSGI environment; behind a trusted proxy it is not, because there a line carries the
requests of many people, and the refusal itself is all that meets a flood.
"""

import errno
import heapq
import itertools
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from callbacks.auction_access import REFUSED
from callbacks.web_doors import WAIT_S, Doors

_LISTENED_S = 2.0
_MOST_BYTES = 65_536
_MOST_LINES = 500  # that are hung up and listened to; a flood's further ones are cut
_READ = 4_096
_REST_WITHIN_S = 0.05  # the body of a refused request has come, or its line is hung up
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is under way is dropped, and the other side told so


class Line(TConn):
    """A connection, and whether its last request was refused as one of a flood."""

    refused = False


def note_refusal(_worker: Any, request: Any, environ: dict[str, Any], _answer: Any) -> None:
    """Keep what the application told of a request; gunicorn calls it as ``post_request``."""
    request.refused = bool(environ.get(REFUSED))


class Worker(ThreadWorker):
    """A process that answers requests, each in a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending: deque[_Ending] = deque()
        self._orphan = False
        self._doors = Doors()
        self._later: list[tuple[float, int, Callable[[], None]]] = []  # a heap: moment, number, what to do then
        self._numbers = itertools.count()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; let a thread answer once something comes on it."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE} and self._ending:
                self._forget(self._ending.popleft())  # room for one more
            elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                raise
            return
        wait = self._doors.knock(_address(client))
        if wait is None:
            _cut(sock)
            return
        line = Line(self.cfg, sock, client, listener.getsockname())
        line.close = partial(self._hang_up, sock)
        self.nr_conns += 1
        if wait > 0.0:
            self._put_off(wait, partial(self._wait_for_first, line))
        else:
            self._wait_for_first(line)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request, in a thread; keep whether it was refused."""
        try:
            return super().handle_request(req, conn)
        finally:
            conn.refused = getattr(req, "refused", False)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        if conn.refused and keepalive:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + _REST_WITHIN_S))
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: Any, fs: Any) -> None:
        """See what becomes of a connection after an answer, in the worker's loop."""
        refused, conn.refused = conn.refused, False
        if not refused or not self.alive:
            super().finish_request(conn, fs)
            return
        address = _address(conn.client)
        if not self._doors.refuse(address):
            self.nr_conns -= 1
            _cut(conn.sock)
        elif fs.cancelled() or fs.exception() or not fs.result():
            self._doors.over(address)
            super().finish_request(conn, fs)
        else:
            self._put_off(WAIT_S, partial(self._go_on, conn, fs))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events until something that was put off is due."""
        if self._later:
            timeout = min(timeout, max(0.0, self._later[0][0] - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)

    def _put_off(self, wait_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + wait_s, next(self._numbers), act))

    def _go_on(self, line: Line, answered: Any) -> None:
        self._doors.over(_address(line.client))
        super().finish_request(line, answered)

    def _wait_for_first(self, line: Line) -> None:
        line.timeout = time.monotonic() + (self.cfg.keepalive if self.alive else _LISTENED_S)
        self.pending_conns.append(line)
        self.poller.register(line.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, line))

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

    def murder_pending(self) -> None:
        """Close what waited too long, for a first request or for the other side to hang up; do what was put off."""
        super().murder_pending()
        now = time.monotonic()
        while self._later and (self._later[0][0] <= now or not self.alive):
            heapq.heappop(self._later)[2]()
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


def _cut(sock: socket.socket) -> None:
    """Close a connection without a word: nothing is kept of it, here and in the system."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
