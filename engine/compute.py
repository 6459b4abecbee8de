"""One map over independent tasks, in this process or in a pool of processes; and what a job is given.

A task is a plain function of one argument, importable by name, so that any worker can run it. Results come
back in the order of the arguments. The executor is handed in, so another kind (a cluster's) needs no change
in the callers.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import CancelledError, EngineError
from engine.network.tables import NetworkTables

Argument = TypeVar("Argument")
Outcome = TypeVar("Outcome")
Progress = Callable[[int, int], None]  # (done, total); may raise CancelledError

POLL_S = 0.2  # how often a cancel request is looked for while tasks run
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "HIGHS_NUM_THREADS")


class Artifacts(Protocol):
    """A cache of files by key. A file may vanish: whoever opens it can make it again."""

    def save(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``; an existing key is left as it is."""

    def open(self, key: str) -> Path | None:
        """Return a local file with the content, or None when it is not there."""


class JobContext(Protocol):
    """What a job's function is given besides its arguments."""

    @property
    def artifacts(self) -> Artifacts:
        """The cache that the job keeps its files in."""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Record progress. Raises CancelledError when the job has been cancelled."""

    def load_network(self, digest: str) -> NetworkTables:
        """Return a network that the job's user may read, by content digest."""

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        """Return (filename, content) of a file of the job's user, by content digest."""


class TaskError(RuntimeError):
    """A task failed for a reason that is not the user's; the cause is chained and its task is named."""


@dataclass(frozen=True, slots=True)
class Task:
    """A name for messages, and the one argument that the function is called with."""

    name: str
    argument: object


def run_map(
    function: Callable[[Argument], Outcome],
    arguments: Sequence[Argument],
    *,
    names: Sequence[str] | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Return ``function`` of each argument, in order: here when ``executor`` is None, else by its workers.

    ``progress`` is called as tasks end and, with an executor, every 0.2 s at least; a CancelledError that it
    raises stops the map: tasks that have not begun are dropped. An EngineError of a task travels as it is,
    with the task's name as a note; any other exception becomes a TaskError that names the task.
    """
    titles = list(names) if names is not None else [f"task {i + 1}" for i in range(len(arguments))]
    if executor is None:
        return _map_here(function, arguments, titles, progress)
    return _map_apart(function, arguments, titles, executor, progress)


@contextmanager
def process_pool(workers: int) -> Iterator[Executor]:
    """Yield a pool of ``workers`` fresh processes, each with one numerical thread, and close it after.

    Processes are spawned, not forked: a fork would copy locks that other threads hold.
    """
    pool = ProcessPoolExecutor(
        max_workers=workers, mp_context=multiprocessing.get_context("spawn"), initializer=limit_threads
    )
    kept = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    # A numerical library reads these when it loads, which in a spawned process is before any initializer runs.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def limit_threads() -> None:
    """Keep the numerical libraries of this process to one thread each: the pool is the parallelism."""
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))


def _map_here(
    function: Callable[[Argument], Outcome],
    arguments: Sequence[Argument],
    names: Sequence[str],
    progress: Progress | None,
) -> list[Outcome]:
    outcomes = []
    for done, (name, argument) in enumerate(zip(names, arguments, strict=True)):
        if progress is not None:
            progress(done, len(arguments))
        try:
            outcomes.append(function(argument))
        except Exception as error:
            raise _named(error, name) from error
    if progress is not None:
        progress(len(arguments), len(arguments))
    return outcomes


def _map_apart(
    function: Callable[[Argument], Outcome],
    arguments: Sequence[Argument],
    names: Sequence[str],
    executor: Executor,
    progress: Progress | None,
) -> list[Outcome]:
    futures: list[Future[Outcome]] = [executor.submit(function, argument) for argument in arguments]
    position = {future: i for i, future in enumerate(futures)}
    running = set(futures)
    try:
        if progress is not None:
            progress(0, len(futures))
        while running:
            ended, running = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=position.__getitem__):
                error = future.exception()
                if error is not None:
                    raise _named(error, names[position[future]]) from error
            if progress is not None:
                progress(len(futures) - len(running), len(futures))
    finally:
        for future in running:
            future.cancel()
    return [future.result() for future in futures]


def _named(error: BaseException, name: str) -> BaseException:
    if isinstance(error, CancelledError):
        return error
    if isinstance(error, EngineError):
        error.add_note(f"in {name}")
        return error
    return TaskError(f"{name}: {type(error).__name__}: {error}")
