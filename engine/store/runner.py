"""The process that computes the queued jobs: it claims, watches, and writes down how each one ended."""

import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import FrameType

import sqlalchemy as sa

from engine.compute import limit_threads
from engine.errors import EngineError
from engine.store.artifacts import Artifacts
from engine.store.codec import load_json
from engine.store.kinds import KINDS, JobKind
from engine.store.queue import Claim, Queue, Report
from engine.store.store import Store
from engine.store.workers import Outcome, Worker

_log = logging.getLogger("headroom.jobs")

TICK_S = 0.1
IDLE_TICK_S = 0.25  # while nothing runs: each tick asks the database, and so long may a start wait
BEAT_S = 0.4  # heartbeat, progress and the look for cancel requests
RECOVER_S = 5.0
PURGE_S = 3_600.0
CANCEL_GRACE_S = 2.0  # for a job to report, and so to hear that it is cancelled, before its process is killed
_RETRY_S = 1.0  # pause after the database did not answer


def run(  # noqa: PLR0913, PLR0917 (what a runner is given at its start)
    url: str,
    artifacts: Artifacts,
    workers: int = 2,
    stop: threading.Event | None = None,
    kinds: Mapping[str, JobKind] = KINDS,
    compute: str = "here",
) -> None:
    """Compute queued jobs with ``workers`` processes until ``stop`` is set, or SIGTERM or SIGINT arrives.

    A job that runs then goes back to the queue. One user may have all the workers; when there are two or more,
    another who has none running does not wait for him: for those that he crowds out one worker more is started.
    """
    limit_threads()
    stop = stop or threading.Event()
    store = Store(url)
    store.migrate()
    queue = Queue(store.database, artifacts, kinds, running_per_user=workers)
    with _signals(stop):
        runner = _Runner(store, queue, artifacts, kinds, workers, compute)
        _log.info("job runner started with %d workers", workers)
        try:
            runner.loop(stop)
        finally:
            runner.end()
            store.close()
            _log.info("job runner stopped")


@dataclass(slots=True, eq=False)
class _Slot:
    """A worker and the job it has."""

    worker: Worker
    claim: Claim | None = None
    started: float = 0.0
    report: Report | None = None  # not yet written
    outcome: Outcome | None = None  # not yet written
    deadline: float | None = None  # when to kill, after a cancel

    def take(self, claim: Claim, function: str) -> None:
        self.claim, self.started, self.report, self.outcome, self.deadline = claim, time.monotonic(), None, None, None
        with suppress(OSError):  # the process has just ended: found out at the next turn
            self.worker.start(claim, function)

    def clear(self) -> None:
        self.claim, self.report, self.outcome, self.deadline = None, None, None, None


class _Runner:
    def __init__(  # noqa: PLR0913, PLR0917 (made in one place)
        self,
        store: Store,
        queue: Queue,
        artifacts: Artifacts,
        kinds: Mapping[str, JobKind],
        workers: int,
        compute: str,
    ) -> None:
        self._store = store
        self._queue = queue
        self._artifacts = artifacts
        self._kinds = kinds
        self._workers = workers
        self._compute = compute
        self._slots = [_Slot(self._new_worker()) for _ in range(workers)]  # and one more while somebody is crowded out
        self._next_beat = self._next_recover = self._next_purge = 0.0

    def loop(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._listen()
            try:
                self._step()
            except sa.exc.DBAPIError as error:  # what is not written yet is kept, and written when it answers again
                _log.warning("the database does not answer, trying again: %s", error.orig)
                stop.wait(_RETRY_S)

    def end(self) -> None:
        """Kill the workers and give their jobs back, finished ones written down first."""
        for slot in self._slots:
            slot.worker.kill()
            try:
                if slot.outcome is not None:
                    self._settle(slot)
                elif slot.claim is not None:
                    self._queue.release(slot.claim.id)
            except sa.exc.DBAPIError as error:
                _log.warning("a job could not be given back, it will be found stale: %s", error.orig)

    def _listen(self) -> None:
        ready = [item for slot in self._slots for item in (slot.worker.channel, slot.worker.sentinel)]
        busy = any(slot.claim is not None for slot in self._slots)
        wait(ready, timeout=TICK_S if busy else IDLE_TICK_S)
        for slot in self._slots:
            for said in slot.worker.receive():
                if isinstance(said, Outcome):
                    slot.outcome = said
                else:
                    slot.report = said

    def _step(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            self._tend(slot, now)
        if now >= self._next_beat:
            self._beat(now)
            self._next_beat = now + BEAT_S
        if now >= self._next_recover:
            taken = self._queue.recover()
            if taken:
                _log.warning("%d jobs of a runner that stopped were taken over", taken)
            self._next_recover = now + RECOVER_S
        if now >= self._next_purge:
            self._store.purge()
            self._next_purge = now + PURGE_S
        self._fill()

    def _fill(self) -> None:
        """Give every free worker a job that is due."""
        if len(self._slots) > self._workers and self._slots[-1].claim is None:
            self._slots.pop().worker.kill()
        for slot in self._slots[: self._workers]:
            if slot.claim is None:
                claim = self._queue.claim()
                if claim is None:
                    return
                self._begin(slot, claim)
        if len(self._slots) == self._workers > 1:
            claim = self._queue.claim(crowded_out=True)
            if claim is not None:
                self._slots.append(_Slot(self._new_worker()))
                self._begin(self._slots[-1], claim)

    def _begin(self, slot: _Slot, claim: Claim) -> None:
        _log.info("job %s (%s) started", claim.id, claim.kind)
        slot.take(claim, self._kinds[claim.kind].function)

    def _tend(self, slot: _Slot, now: float) -> None:
        if slot.outcome is not None:
            self._settle(slot)
        elif not slot.worker.alive:
            reason = slot.worker.ending
            _log.warning("a worker ended: %s", reason)
            if slot.claim is not None:
                self._queue.crashed(slot.claim.id, reason)
            else:
                time.sleep(_RETRY_S)  # not for its job: do not start dying processes in a tight loop
            self._replace(slot)
        elif slot.claim is not None and slot.deadline is not None and now >= slot.deadline:
            _log.info("job %s did not hear its cancel; its process is killed", slot.claim.id)
            self._queue.cancelled(slot.claim.id)
            self._replace(slot)

    def _settle(self, slot: _Slot) -> None:
        """Write down how a job ended."""
        claim, outcome = slot.claim, slot.outcome
        if claim is not None and outcome is not None:
            seconds = time.monotonic() - slot.started
            _log.info("job %s (%s) %s after %.1f s", claim.id, claim.kind, outcome.ending, seconds)
            if outcome.fault:
                _log.error("job %s (%s) met a fault:\n%s", claim.id, claim.kind, outcome.fault)
            if outcome.ending == "done":
                self._finish(claim, outcome, seconds)
            elif outcome.ending == "failed":
                self._queue.fail(claim.id, outcome.text)
            else:
                self._queue.cancelled(claim.id)
        slot.clear()

    def _finish(self, claim: Claim, outcome: Outcome, seconds: float) -> None:
        try:
            self._queue.finish(claim, load_json(outcome.text), seconds)
        except EngineError as error:
            self._queue.fail(claim.id, str(error))

    def _beat(self, now: float) -> None:
        reports = {slot.claim.id: slot.report for slot in self._slots if slot.claim is not None}
        to_cancel, lost = self._queue.beat(reports)
        for slot in self._slots:
            if slot.claim is None:
                continue
            slot.report = None
            if slot.claim.id in lost:
                _log.warning("job %s is in other hands; its process is killed", slot.claim.id)
                self._replace(slot)
            elif slot.claim.id in to_cancel and slot.deadline is None:
                with suppress(OSError):
                    slot.worker.cancel()
                slot.deadline = now + CANCEL_GRACE_S

    def _replace(self, slot: _Slot) -> None:
        slot.worker.kill()
        slot.clear()
        slot.worker = self._new_worker()

    def _new_worker(self) -> Worker:
        return Worker(self._store.database.url, self._artifacts, self._compute)


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set ``stop`` while the runner has the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
