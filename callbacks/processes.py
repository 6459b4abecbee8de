"""The two processes of the running product, and the small supervisor that keeps both alive."""

import atexit
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from callbacks import logs, web_worker
from callbacks.settings import Settings

_log = logs.get("headroom.supervisor")

SUPERVISED = "_HEADROOM_SUPERVISED"  # set for a child whose standard input closes when its supervisor is gone
CLOSE = "headroom.close"  # among the extensions of the WSGI application: closes what it has open
RUNNER_SIGN = "runner.alive"  # a file in the data folder, touched while the runner works: its age is its health
_SIGN_EVERY_S = 5.0
_OWNER_ONLY = 0o077  # of this machine's users only the one who runs the product reads what it keeps
_TICK_S = 0.2
_GRACE_S = 15.0  # for a child to finish what it is doing after SIGTERM
_SETTLED_S = 30.0  # a child that lived this long starts again without delay
_LONGEST_WAIT_S = 30.0
_REQUEST_TIMEOUT_S = 120  # an upload of the largest size over a slow line


@dataclass(slots=True)
class Child:
    """One child process, started again when it dies: at once, then after 1, 2, 4 ... seconds."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = field(default=0.0)  # when to start it, on the monotonic clock

    def start(self) -> None:
        """Start the process with a standard input that tells it when the supervisor is gone."""
        environ = {**os.environ, SUPERVISED: "1"}
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, env=environ)  # noqa: S603 (our own file)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Start the process if it is due; note its death and when to start it again."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.deaths = 1 if now - self.started > _SETTLED_S else self.deaths + 1
        wait = 0.0 if self.deaths == 1 else min(2.0 ** (self.deaths - 2), _LONGEST_WAIT_S)
        _log.error("a process ended and is started again", child=self.name, status=status, wait_s=wait)
        self.release()
        self.due = now + wait

    def release(self) -> None:
        """Forget the process, closing our end of its standard input."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def supervise(settings: Settings, program: Path) -> int:
    """Keep ``program web`` and ``program runner`` running until SIGTERM or SIGINT; return the exit status."""
    logs.configure(settings.log_level, "supervisor")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    children = [Child(name, [sys.executable, str(program), name]) for name in ("web", "runner")]
    threading.Thread(target=_announce, args=(settings, stop), daemon=True).start()
    while not stop.wait(_TICK_S):
        for child in children:
            child.tend()
    return _end(children)


def _end(children: list[Child]) -> int:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _GRACE_S
    status = 0
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = 1
    for child in children:
        child.release()
    return status


def _announce(settings: Settings, stop: threading.Event) -> None:
    """Write the address once the product answers there."""
    while not stop.wait(_TICK_S):
        if health(settings.address) is not None:
            sys.stdout.write(f"Headroom is ready at {settings.address} (Ctrl+C stops it)\n")
            sys.stdout.flush()
            return


def health(address: str, timeout_s: float = 2.0) -> dict[str, Any] | None:
    """Return what /healthz at ``address`` tells, or None while nothing answers with status 200 there."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=timeout_s) as answer:  # noqa: S310 (always http)
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, ValueError):
        return None


def serve(settings: Settings, make_wsgi: Callable[[], Any]) -> int:
    """Serve the WSGI application that ``make_wsgi`` builds, once in each worker, until a signal ends it."""
    logs.configure(settings.log_level, "web")
    os.umask(_OWNER_ONLY)
    _end_at_once()
    _end_with_supervisor()
    _Server(settings, make_wsgi).run()
    return 0


class _Server(BaseApplication):
    """The WSGI server, set from Settings and from no file or variable of its own."""

    def __init__(self, settings: Settings, make_wsgi: Callable[[], Any]) -> None:
        self.settings = settings
        self.make_wsgi = make_wsgi
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        chosen = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.web_workers,
            "worker_class": "callbacks.web_worker.Worker",
            "threads": settings.threads,
            "timeout": _REQUEST_TIMEOUT_S,
            "graceful_timeout": int(_GRACE_S) - 5,
            "keepalive": 15,
            "preload_app": False,  # a database connection or a thread pool does not survive a fork
            "forwarded_allow_ips": "",  # security.TrustedProxy does this, for all headers alike
            "logger_class": logs.ServerLogger,
            "loglevel": settings.log_level.lower(),
            "control_socket_disable": True,
            "post_request": web_worker.note_refusal,
            "worker_exit": _leave,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return self.make_wsgi()


def _leave(_server: Any, worker: Any) -> None:
    """Close what a worker's application has open, and end the worker's process here.

    Python's own end would wait for the threads of HiGHS, some of which never end once a program with whole numbers was
    solved in a thread of the server.
    """
    close = getattr(getattr(worker, "wsgi", None), "extensions", {}).get(CLOSE)  # the master has none
    if close is None:
        return
    close()
    failure = sys.exc_info()[1]
    failed = failure is not None and not (isinstance(failure, SystemExit) and not failure.code)
    logging.shutdown()
    os._exit(1 if failed else 0)


def run_jobs(settings: Settings, work: Callable[[threading.Event], None]) -> int:
    """Let ``work(stop)`` run queued jobs until a signal sets ``stop``, giving a sign of life meanwhile."""
    logs.configure(settings.log_level, "runner")
    os.umask(_OWNER_ONLY)
    _end_at_once()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _end_with_supervisor()
    sign = settings.home / RUNNER_SIGN

    def give_signs() -> None:
        sign.touch()
        while not stop.wait(_SIGN_EVERY_S):
            sign.touch()

    threading.Thread(target=give_signs, daemon=True).start()
    try:
        work(stop)
    finally:
        stop.set()
        sign.unlink(missing_ok=True)  # a runner that ended is told as missing at once
    return 0


def _end_at_once() -> None:
    """Let this process and those it forks end without a last collection of all their objects, which takes seconds."""
    atexit.register(gc.freeze)


def _end_with_supervisor() -> None:
    """End this process like SIGTERM does when its supervisor is gone, however that ended."""
    if SUPERVISED not in os.environ:
        return
    # Not for our own children: they have their own ways to notice that we are gone.
    del os.environ[SUPERVISED]

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing is ever written: it returns when the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
