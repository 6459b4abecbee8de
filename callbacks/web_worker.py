"""The web server's worker: gunicorn's with threads, made so that no line and no death of the master holds others up.

Two things differ. A line that is hung up is listened to until the other side has hung up too, so that it gets the whole
answer; the worker's loop does that beside its work, where gunicorn's own waits up to 2 s for each, with all others. And
a worker whose master is gone closes its doors at once: connections that the system goes on queueing there would be
answered by nobody, until the worker has ended, while the next master cannot open the same port.
"""

import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

_LISTENED_S = 2.0
_MOST_BYTES = 65_536
_MOST_LINES = 500  # that are hung up and listened to; a flood's further ones are cut
_READ = 4_096


class Worker(ThreadWorker):
    """A process that answers requests, each in a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending: deque[_Ending] = deque()
        self._orphan = False

    def enqueue_req(self, conn: Any) -> None:
        """Let a thread answer what comes on a connection."""
        conn.close = partial(self._hang_up, conn.sock)
        super().enqueue_req(conn)

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
        super()._cap_keepalive(time.monotonic() if self._orphan else deadline)

    def murder_pending(self) -> None:
        """Close what waited too long: for a first request, or for the other side to hang up."""
        super().murder_pending()
        now = time.monotonic()
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
