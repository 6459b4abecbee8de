"""One map over independent tasks: in this process, in a pool of processes, or on a Dask cluster by address.

A task is a plain function of one argument, importable by name, so that any worker can run it. Results come back in
the order of the arguments, whoever computed them. A worker that is killed costs its task a repetition, not the run;
and a run that is killed goes on where it was, if its results are kept as they come (:class:`Kept`). What a job is
given is here too.
"""

import multiprocessing
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from engine.errors import CancelledError, ClusterError, EngineError, QuestionError

if TYPE_CHECKING:  # the settings are read with this module, before anything large is loaded
    from engine.network.tables import NetworkTables

Argument = TypeVar("Argument")
Outcome = TypeVar("Outcome")
Progress = Callable[[int, int], None]  # (done, total); may raise CancelledError

POLL_S = 0.2  # how often a cancel request is looked for while tasks run
RETRIES = 2  # times that a task is given out again after its worker died
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "HIGHS_NUM_THREADS")
_ANSWER_S = 10.0  # in which a cluster must answer
_PROCESSES = re.compile(r"processes:([1-9]\d{0,2})")
_ADDRESS = re.compile(r"(?:tcp|tls)://[\w.\-\[\]:]+:\d{1,5}")


class Artifacts(Protocol):
    """A cache of files by key. A file may vanish: whoever opens it can make it again."""

    def save(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``; an existing key is left as it is."""

    def replace(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``, in the place of what is there."""

    def open(self, key: str) -> Path | None:
        """Return a local file with the content, or None when it is not there."""


class JobContext(Protocol):
    """What a job's function is given besides its arguments."""

    @property
    def artifacts(self) -> Artifacts:
        """The cache that the job keeps its files in."""

    @property
    def workers(self) -> "Workers":
        """Who computes the parts of one long computation."""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Record progress. Raises CancelledError when the job has been cancelled."""

    def load_network(self, digest: str) -> "NetworkTables":
        """Return a network that the job's user may read, by content digest."""

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        """Return (filename, content) of a file of the job's user, by content digest."""


class TaskError(RuntimeError):
    """A task failed for a reason that is not the user's; the cause is chained and its task is named."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[Outcome]):
    """Where the results of tasks are kept as they come, so that a run that was killed goes on where it was.

    One key per task, made of everything that the task's result depends on. ``load`` may raise an EngineError: the
    task is then done again.
    """

    artifacts: Artifacts
    keys: Sequence[str]
    dump: Callable[[Outcome], bytes]
    load: Callable[[bytes], Outcome]

    def known(self) -> dict[int, Outcome]:
        """Return the results that are there, by the position of their task."""
        found = {}
        for place, key in enumerate(self.keys):
            path = self.artifacts.open(key)
            if path is None:
                continue
            try:
                found[place] = self.load(path.read_bytes())
            except (EngineError, OSError):  # damaged, or gone since
                continue
        return found

    def keep(self, place: int, outcome: Outcome) -> None:
        """Keep one result."""
        self.artifacts.save(self.keys[place], self.dump(outcome))


class Workers(Protocol):
    """Who computes the tasks of a map."""

    def open(self) -> AbstractContextManager[Executor | None]:
        """Return a context that yields an executor, or None for this process."""

    def words(self) -> str:
        """Return who they are, for the record of a run."""


@dataclass(frozen=True, slots=True)
class Here:
    """This process, one task after the other."""

    def open(self) -> AbstractContextManager[Executor | None]:
        """Return a context that yields None."""
        return nullcontext(None)

    def words(self) -> str:
        """Return who they are."""
        return "one process"


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes of this machine, one numerical thread each."""

    count: int

    def open(self) -> AbstractContextManager[Executor | None]:
        """Return a context that yields a fresh pool."""
        return process_pool(self.count)

    def words(self) -> str:
        """Return who they are."""
        return f"{self.count} processes of one machine"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask cluster by the address of its scheduler, such as ``tcp://10.0.0.5:8786``.

    Its workers need this product, in the same version; the network between them and here must be trusted (or be TLS,
    by Dask's own settings), since tasks travel as pickles.
    """

    address: str

    def open(self) -> AbstractContextManager[Executor | None]:
        """Return a context that yields the cluster's executor. Raises ClusterError when it cannot be used."""
        return _cluster(self.address)

    def words(self) -> str:
        """Return who they are."""
        return f"the Dask cluster at {self.address}"


HERE = Here()


class Shared:
    """The same workers for the maps of one job: begun with the first map, ended with :meth:`close`.

    Processes take seconds to begin, which would be most of a small job's time if each map began its own.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._held = ExitStack()
        self._executor: Executor | None = None
        self._begun = False

    @contextmanager
    def open(self) -> Iterator[Executor | None]:
        """Yield the executor of the first call, or another one after that broke."""
        if not self._begun:
            self._executor = self._held.enter_context(self._workers.open())
            self._begun = True
        try:
            yield self._executor
        except BrokenExecutor:
            self.close()
            raise

    def close(self) -> None:
        """End the workers; a later call of :meth:`open` begins others."""
        self._begun = False
        self._held.close()

    def words(self) -> str:
        """Return who they are."""
        return self._workers.words()


def workers_of(text: str) -> Workers:
    """Return the workers that a setting names: ``here``, ``processes:4``, or the address of a Dask scheduler.

    Raises QuestionError for anything else.
    """
    if text in {"", "here"}:
        return HERE
    if found := _PROCESSES.fullmatch(text):
        return Processes(int(found[1]))
    if _ADDRESS.fullmatch(text):
        return Cluster(text)
    raise QuestionError(f"workers are 'here', 'processes:4' or an address as tcp://10.0.0.5:8786, not {text!r:.60}")


def run_map(  # noqa: PLR0913 (all but what is mapped is by name)
    function: Callable[[Argument], Outcome],
    arguments: Sequence[Argument],
    *,
    names: Sequence[str] | None = None,
    workers: Workers = HERE,
    progress: Progress | None = None,
    kept: Kept[Outcome] | None = None,
    each: Callable[[int, Outcome], None] | None = None,
) -> list[Outcome]:
    """Return ``function`` of each argument, in order.

    ``each(place, outcome)`` is called here as results come, those that were kept first. ``progress`` is called as
    tasks end and, with other processes, every 0.2 s at least; a CancelledError that it raises stops the map: tasks
    that have not begun are dropped, results that were kept stay. A task whose worker died is given out again, twice
    at most. An EngineError of a task travels as it is, with the task's name as a note; any other exception becomes a
    TaskError that names the task.
    """
    titles = list(names) if names is not None else [f"task {i + 1}" for i in range(len(arguments))]
    run = _Run(function, arguments, titles, progress, kept, each)
    if kept is not None:
        for place, outcome in sorted(kept.known().items()):
            run.ended(place, outcome, new=False)
    for _ in range(RETRIES + 1):
        if not run.left:
            break
        try:
            with workers.open() as executor:
                run.here() if executor is None else run.apart(executor)
        except BrokenExecutor as error:  # a worker was killed: what is not done goes to new ones
            run.broken = error
    if run.left:
        name = titles[run.left[0]]
        raise TaskError(f"{name}: its worker died, {RETRIES + 1} times in a row: {run.broken}") from run.broken
    run.report()
    return [run.outcomes[place] for place in range(len(arguments))]


@dataclass(slots=True)
class _Run(Generic[Argument, Outcome]):
    """What is done and what is left of a map."""

    function: Callable[[Argument], Outcome]
    arguments: Sequence[Argument]
    names: Sequence[str]
    progress: Progress | None
    kept: Kept[Outcome] | None
    each: Callable[[int, Outcome], None] | None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    broken: BrokenExecutor | None = None

    @property
    def left(self) -> list[int]:
        """Return the positions of the tasks without a result."""
        return [place for place in range(len(self.arguments)) if place not in self.outcomes]

    def ended(self, place: int, outcome: Outcome, *, new: bool = True) -> None:
        """Take one result."""
        self.outcomes[place] = outcome
        if new and self.kept is not None:
            self.kept.keep(place, outcome)
        if self.each is not None:
            self.each(place, outcome)

    def report(self) -> None:
        """Tell how much is done."""
        if self.progress is not None:
            self.progress(len(self.outcomes), len(self.arguments))

    def here(self) -> None:
        """Do what is left in this process."""
        for place in self.left:
            self.report()
            try:
                outcome = self.function(self.arguments[place])
            except Exception as error:
                raise _named(error, self.names[place]) from error
            self.ended(place, outcome)

    def apart(self, executor: Executor) -> None:
        """Let others do what is left. Raises BrokenExecutor when one of them was killed."""
        place_of: dict[Future[Outcome], int] = {}
        running: set[Future[Outcome]] = set()
        try:
            for place in self.left:
                future = executor.submit(self.function, self.arguments[place])
                place_of[future] = place
                running.add(future)
            self.report()
            while running:
                done, running = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                self._take(sorted(done, key=place_of.__getitem__), place_of)
                self.report()
        finally:
            for future in running:
                future.cancel()

    def _take(self, done: Sequence[Future[Outcome]], place_of: dict[Future[Outcome], int]) -> None:
        broken = None
        for future in done:
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                broken = error  # others may have ended well
            elif error is not None:
                raise _named(error, self.names[place_of[future]]) from error
            else:
                self.ended(place_of[future], future.result())
        if broken is not None:
            raise broken


@contextmanager
def process_pool(workers: int) -> Iterator[Executor]:
    """Yield a pool of ``workers`` fresh processes, each with one numerical thread, and close it after.

    Processes are spawned, not forked: a fork would copy locks that other threads hold.
    """
    pool = ProcessPoolExecutor(
        max_workers=workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process
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


def _begin_process() -> None:
    """Prepare a process of a pool; it ends with the one that began it, however that ended.

    A process whose parent was killed would go on with its task, for nobody, and for as long as that takes.
    """
    limit_threads()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True, name="ends with its parent").start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)  # at once: the task is in a solver, and nothing of it is worth keeping


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    from distributed import Client  # noqa: PLC0415 (half a second, for those who have a cluster)

    try:
        client = Client(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address} within {_ANSWER_S:g} s: {error}") from error
    try:
        if not client.scheduler_info()["workers"]:
            raise ClusterError(f"the Dask cluster at {address} has no worker")
        try:
            found: dict[str, Any] = client.run(_own_version)
        except Exception as error:
            raise ClusterError(f"a worker of the cluster at {address} lacks this product: {error}") from error
        if other := next((item for item in found.items() if item[1] != _own_version()), None):
            raise ClusterError(f"worker {other[0]} has version {other[1]} of this product, here it is {_own_version()}")
        yield client.get_executor(pure=False, retries=RETRIES)
    finally:
        client.close()


def _own_version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 (runs at the workers)

    return version("headroom")


def _named(error: BaseException, name: str) -> BaseException:
    if isinstance(error, CancelledError):
        return error
    if isinstance(error, EngineError):
        error.add_note(f"in {name}")
        return error
    return TaskError(f"{name}: {type(error).__name__}: {error}")
