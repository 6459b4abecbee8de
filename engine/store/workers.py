"""Processes that compute jobs: spawned, kept warm between jobs, and killed when they do not listen.

A worker leads a process group of its own, so that what it has started ends with it. It ends by itself when
its runner is gone.
"""

import multiprocessing
import os
import signal
import time
import traceback
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import sqlalchemy as sa

from engine.compute import Shared, Workers, workers_of
from engine.errors import CancelledError, EngineError
from engine.network.tables import NetworkTables
from engine.store.access import missing, study_row
from engine.store.artifacts import Artifacts
from engine.store.codec import dump_json
from engine.store.contents import load_file
from engine.store.history import is_version, load_network
from engine.store.queue import Claim, Report
from engine.store.schema import datasets
from engine.store.store import Store

REPORT_EVERY_S = 0.2
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold

Ending = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended in its worker."""

    ending: Ending
    text: str = ""  # the result as JSON, or the reason in words
    fault: str = ""  # the traceback of what nobody expected, for the log


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a job's function is given: see :class:`engine.compute.JobContext`."""

    artifacts: Artifacts
    store: Store
    claim: Claim
    channel: Connection
    cancel: Event
    workers: Workers
    _last: list[float] = field(default_factory=lambda: [0.0])

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report progress; cheap, to be called often. Raises CancelledError when the job is to stop."""
        if self.cancel.is_set():
            raise CancelledError("cancelled")
        now = time.monotonic()
        if now - self._last[0] >= REPORT_EVERY_S or done >= total:
            self._last[0] = now
            self.channel.send(Report(int(done), int(total), message))

    def load_network(self, digest: str) -> NetworkTables:
        """Return a network of the job's study. Raises NotFoundError on any other."""
        with self.store.database.reading() as connection:
            study_row(connection, self.claim.user, self.claim.study_id)
            if digest != self.claim.network_digest and not is_version(connection, self.claim.study_id, digest):
                raise missing("network", digest)
            return load_network(connection, digest)

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        """Return the name and the content of a data set of the job's study. Raises NotFoundError on any other."""
        with self.store.database.reading() as connection:
            study_row(connection, self.claim.user, self.claim.study_id)
            query = sa.select(datasets.c.name).where(
                datasets.c.study_id == self.claim.study_id, datasets.c.digest == digest
            )
            name = connection.execute(query.limit(1)).scalar_one_or_none()
            if name is None:
                raise missing("data set", digest)
            return name, load_file(connection, digest)


class Worker:
    """One worker process, from the side of the runner."""

    def __init__(self, url: str, artifacts: Artifacts, compute: str = "here") -> None:
        self.channel, there = _SPAWN.Pipe()
        self._process: BaseProcess = _SPAWN.Process(
            target=serve,
            args=(there, url, str(artifacts.directory), artifacts.capacity_bytes, compute),
            name="headroom-worker",
        )
        self._process.start()
        there.close()  # so that its end is felt here
        self.sentinel = self._process.sentinel

    def start(self, claim: Claim, function: str) -> None:
        """Begin a job. Raises OSError when the process is gone."""
        self.channel.send((claim, function))

    def cancel(self) -> None:
        """Ask the running job to stop at its next report."""
        self.channel.send(None)

    def receive(self) -> list[Report | Outcome]:
        """Return what the process has said since the last call."""
        said: list[Report | Outcome] = []
        try:
            while self.channel.poll():
                said.append(self.channel.recv())
        except (EOFError, OSError):  # it is gone; its end shows in `alive`
            return said
        return said

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            memory = ", which is how the system stops what takes too much memory" if -code == signal.SIGKILL else ""
            return f"the process that computed it was stopped by signal {name}{memory}"
        return f"the process that computed it ended with code {code}"

    def kill(self) -> None:
        """End the process and all it has started."""
        process_id = self._process.pid
        if process_id is not None and self._process.is_alive():
            try:
                os.killpg(process_id, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has not yet made its group
                self._process.kill()
        self._process.join()
        self.channel.close()


def serve(channel: Connection, url: str, artifacts_dir: str, capacity_bytes: int, compute_by: str = "here") -> None:
    """Compute jobs one after the other: the main function of a worker process."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    store, artifacts = Store(url), Artifacts(Path(artifacts_dir), capacity_bytes)
    ears, workers = _Ears(channel), workers_of(compute_by)
    while True:
        claim, function = ears.next_job()
        with closing(Shared(workers)) as shared:
            context = Context(artifacts, store, claim, channel, ears.cancel, shared)
            outcome = compute(function, claim.arguments, context)
        channel.send(outcome)  # when no part of it runs any more


def compute(function: str, arguments: dict[str, Any], context: Context) -> Outcome:
    """Run a job's function and return how it ended; whatever it raises becomes a reason in words."""
    try:
        module, _, name = function.partition(":")
        result = getattr(import_module(module), name)(arguments, context)
        return Outcome("done", dump_json(result, "the result of a job"))
    except CancelledError:
        return Outcome("cancelled")
    except EngineError as error:
        return Outcome("failed", str(error))
    except MemoryError:
        return Outcome("failed", "the computation needs more memory than this machine has free")
    except Exception:  # noqa: BLE001  (travels to the runner, which logs it)
        reference = context.claim.id
        return Outcome(
            "failed",
            f"the computation stopped on a fault of the program, reference {reference}",
            traceback.format_exc(),
        )


class _Ears:
    """Hears the runner while the main thread computes: a job, a wish to cancel, or silence when it is gone."""

    def __init__(self, channel: Connection) -> None:
        self.cancel = Event()
        self._channel = channel
        self._jobs: list[tuple[Claim, str]] = []
        self._arrived = Event()
        Thread(target=self._listen, daemon=True).start()

    def next_job(self) -> tuple[Claim, str]:
        self._arrived.wait()
        self._arrived.clear()
        return self._jobs.pop()

    def _listen(self) -> None:
        while True:
            try:
                heard = self._channel.recv()
            except (EOFError, OSError):
                os.killpg(0, signal.SIGKILL)  # the runner is gone: nobody waits for us or for what we started
                return
            if heard is None:
                self.cancel.set()
            else:
                self.cancel.clear()
                self._jobs.append(heard)
                self._arrived.set()
