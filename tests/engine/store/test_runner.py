"""The runner with its processes: jobs are computed, told about, cancelled, and outlive what computes them."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.network.tables import NetworkTables
from engine.store import Artifacts, Store, runner
from engine.store.jobs import Job, Jobs
from engine.store.queue import MAX_ATTEMPTS
from tests.engine.store.conftest import triangle
from tests.engine.store.tasks import KINDS
from tests.waiting import wait_for


@dataclass
class Works:
    """A store whose jobs are computed while the test looks."""

    store: Store
    artifacts: Artifacts
    study: str

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.store, self.artifacts, KINDS)

    def submit(self, kind: str, **arguments: Any) -> Job:
        return self.jobs.submit("ann", f"test.{kind}", arguments, self.study)

    def see(self, job: Job) -> Job:
        return self.jobs.get("ann", job.id)

    def end(self, job: Job) -> Job:
        wait_for(lambda: not self.see(job).active)
        return self.see(job)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def works(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """A runner with two workers, the same for all tests of this file."""
    folder = tmp_path_factory.mktemp("works")
    sqlite = f"sqlite:///{folder / 'store.sqlite'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("emptied_postgres")
    store, artifacts, stop = Store(url), Artifacts(folder / "cache"), threading.Event()
    store.migrate()
    thread = threading.Thread(target=runner.run, args=(url, artifacts, 2, stop, KINDS, "processes:2"))
    thread.start()
    yield Works(store, artifacts, store.studies.create("ann", "A", triangle()))
    stop.set()
    thread.join()
    store.close()


def test_a_job_is_computed_in_a_process_of_its_own_with_one_thread(works: Works, tmp_path: Path) -> None:
    note = tmp_path / "note"
    job = works.end(works.submit("count", to=3, note=str(note)))
    assert (job.state, job.result, job.fraction, job.attempts) == ("done", {"counted": 3}, 1.0, 1)
    assert int(note.read_text().split()[-1]) != os.getpid()
    threads = works.end(works.submit("environment")).result
    assert threads is not None
    assert set(threads.values()) == {"1"}


def test_a_job_reads_its_studys_network_and_files_and_keeps_what_it_made(works: Works) -> None:
    data = works.store.studies.add_dataset("ann", works.study, "load.csv", "scenarios", b"1,2,3")
    job = works.end(works.submit("read", network=triangle().digest(), dataset=data.digest))
    assert job.result == {"network": "Triangle", "dataset": "load.csv", "bytes": 5, "artifacts": ["kept-by-read"]}
    assert works.artifacts.read("kept-by-read") == b"1,2,3"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("engine", "line '1-2' carries 120.0 MW; its rating is 100.0 MW"),
        ("fault", "stopped on a fault of the program, reference"),
        ("memory", "needs more memory than this machine has free"),
        ("json", "cannot be stored as JSON"),
    ],
)
def test_a_job_that_fails_says_why_in_words(works: Works, how: str, words: str) -> None:
    job = works.end(works.submit("fail", how=how))
    assert (job.state, job.result, job.attempts) == ("failed", None, 1)
    assert words in job.error
    assert "Traceback" not in job.error


def test_a_process_that_dies_once_is_replaced_and_one_that_always_dies_ends_the_job(
    works: Works, tmp_path: Path
) -> None:
    dying = works.submit("fail", how="kill")
    once = works.end(works.submit("fail_once", note=str(tmp_path / "died")))
    assert (once.state, once.attempts) == ("done", 2)
    dead = works.end(dying)
    assert (dead.state, dead.attempts) == ("failed", MAX_ATTEMPTS)
    assert "SIGKILL, which is how the system stops what takes too much memory" in dead.error


def test_the_parts_of_a_job_are_computed_in_processes_of_its_own_which_end_with_it(works: Works) -> None:
    found = works.end(works.submit("squares", of=[3, 1, 2])).result
    assert found is not None
    assert found["squares"] == [9, 1, 4]
    assert found["here"] not in found["there"]
    assert not any(psutil.pid_exists(process) for process in found["there"])


def test_a_running_job_shows_where_it_is_and_stops_at_its_next_report(works: Works) -> None:
    job = works.submit("count", to=10_000, pause_s=0.02)
    wait_for(lambda: works.see(job).done > 0)
    seen = works.see(job)
    assert (seen.state, seen.total, seen.message) == ("running", 10_000, f"at {seen.done}")
    works.jobs.cancel("ann", job.id)
    ended = works.end(job)
    assert (ended.state, ended.result) == ("cancelled", None)
    assert 0 < ended.done < 10_000


def test_a_job_that_does_not_listen_is_killed_with_all_it_started(works: Works, tmp_path: Path) -> None:
    note = tmp_path / "note"
    job = works.submit("deaf", note=str(note))
    wait_for(lambda: note.exists() and len(note.read_text().split()) == 2)
    processes = [psutil.Process(int(process)) for process in note.read_text().split()]
    works.jobs.cancel("ann", job.id)
    assert works.end(job).state == "cancelled"
    assert psutil.wait_procs(processes, timeout=20)[1] == []


def test_no_job_waits_for_another_while_a_worker_is_free(works: Works, tmp_path: Path) -> None:
    go = tmp_path / "go"
    long = works.submit("wait", file=str(go))
    wait_for(lambda: works.see(long).done > 0)
    assert works.end(works.submit("count", to=4)).state == "done"  # of the same user, of the same study
    assert works.see(long).active
    second = works.submit("wait", file=str(go), place=2)
    wait_for(lambda: works.see(second).done > 0)  # ann has both workers
    study = works.store.studies.create("bob", "B", triangle())
    other = works.jobs.submit("bob", "test.count", {"to": 5}, study)
    third = works.submit("count", to=6)
    wait_for(lambda: not works.jobs.get("bob", other.id).active)
    assert works.jobs.get("bob", other.id).state == "done"
    assert (works.see(long).active, works.see(second).active, works.see(third).state) == (True, True, "queued")
    go.touch()
    assert [works.end(job).state for job in (long, second, third)] == ["done"] * 3


def test_a_runner_that_stops_gives_its_jobs_back_and_the_next_one_finishes_them(
    url: str, tmp_path: Path, grid: NetworkTables
) -> None:
    store, artifacts = Store(url), Artifacts(tmp_path / "cache")
    store.migrate()
    bench = Works(store, artifacts, store.studies.create("ann", "A", grid))
    go = tmp_path / "go"
    job = bench.submit("wait", file=str(go))

    def until(condition: Callable[[], bool]) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=runner.run, args=(url, artifacts, 1, stop, KINDS))
        thread.start()
        wait_for(condition)
        stop.set()
        thread.join()

    until(lambda: bench.see(job).done > 0)
    waiting = bench.see(job)
    assert (waiting.state, waiting.attempts, waiting.done) == ("queued", 0, 0)
    go.touch()
    until(lambda: not bench.see(job).active)
    assert (bench.see(job).state, bench.see(job).attempts) == ("done", 1)
    store.close()
