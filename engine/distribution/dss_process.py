"""The process that solves circuits with OpenDSS: begun with the first, asked by whoever needs it, one at a time.

OpenDSS is not called in a process of the product: its run-time system ends the whole process now and then when it is
entered from a thread that is not the first (seen as a fault in the making of its context).
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

from engine.errors import SolverError

_PROGRAM = Path(__file__).with_name("dss_solver.py")
_ENDS_WITHIN_S = 10.0
_ANSWERS_WITHIN_S = 120.0  # a circuit of thousands of buses takes a second
_TRIES = 2


class DssProcess:
    """One solving process; another one takes its place if it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: dict[str, list[str]]) -> dict[str, Any]:
        """Return the answer of :mod:`engine.distribution.dss_solver`.

        Raises SolverError if it dies over the question twice, or has no answer in two minutes.
        """
        line = json.dumps(question).encode() + b"\n"
        with self._lock:
            for _ in range(_TRIES):
                if answer := self._tried(line):
                    return dict(json.loads(answer))
                self._end()
        raise SolverError("OpenDSS ended without an answer, twice: the circuit is more than it can solve")

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _tried(self, line: bytes) -> bytes:
        """Return the line that comes back; nothing if the process is gone."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own file, run by our own interpreter
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        given, taken = cast("tuple[IO[bytes], IO[bytes]]", (self._process.stdin, self._process.stdout))
        try:
            given.write(line)
            given.flush()
            if not select.select([taken], [], [], _ANSWERS_WITHIN_S)[0]:
                self._process.kill()
                self._end()
                raise SolverError(f"OpenDSS has no answer within {_ANSWERS_WITHIN_S:g} s")
            answer = taken.readline()
        except OSError:
            return b""
        return answer if answer.endswith(b"\n") else b""

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError), process:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def dss_process() -> DssProcess:
    """Return the solving process of this process."""
    return _of(os.getpid())


@lru_cache(maxsize=1)
def _of(_process: int) -> DssProcess:
    made = DssProcess()
    atexit.register(made.close)
    return made
