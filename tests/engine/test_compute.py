"""The map over tasks: order, progress, cancel, errors that say whose they are, workers that die, results kept."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psutil
import pytest

from engine.compute import HERE, Cluster, Kept, Processes, Shared, TaskError, Workers, run_map, workers_of
from engine.errors import CancelledError, ClusterError, InfeasibleError, QuestionError
from engine.store.artifacts import Artifacts
from tests.ports import free_port
from tests.waiting import wait_for


def square(number: int) -> int:
    return number * number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise InfeasibleError("line 1-2 is full")
    if number == 4:
        raise ZeroDivisionError("by zero")
    return number


def threads(_: int) -> tuple[str, int]:
    return os.environ["OMP_NUM_THREADS"], os.getpid()


def die_once(marker: str) -> int:
    """Kill the process that works on it, unless it was killed here before."""
    path = Path(marker)
    if path.suffix == ".deadly" and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def told_and_asleep(marker: str) -> None:
    """Write down the process that works on it, and go on for longer than any test."""
    Path(marker).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(600)


def run_asleep(marker: str) -> None:
    run_map(told_and_asleep, [marker, f"{marker}-2"], workers=Processes(2))


class Threads:
    """Two threads of this process: what the map does with others, without starting any."""

    def open(self) -> AbstractContextManager[Executor | None]:
        return ThreadPoolExecutor(2)

    def words(self) -> str:
        return "two threads"


WORKERS = pytest.mark.parametrize("workers", [HERE, Threads()], ids=["here", "threads"])


@WORKERS
def test_results_come_in_the_order_of_the_arguments(workers: Workers) -> None:
    seen: list[tuple[int, int]] = []
    came: dict[int, int] = {}
    found = run_map(
        square,
        range(20),
        workers=workers,
        progress=lambda done, total: seen.append((done, total)),
        each=came.__setitem__,
    )
    assert found == [n * n for n in range(20)]
    assert came == dict(enumerate(found))
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)
    assert seen == sorted(seen)


@WORKERS
def test_an_error_names_its_task(workers: Workers) -> None:
    with pytest.raises(InfeasibleError, match="line 1-2 is full") as refused:
        run_map(fail_on_three, [1, 3], names=["hour 1", "hour 3"], workers=workers)
    assert "in hour 3" in refused.value.__notes__
    with pytest.raises(TaskError, match="hour 4: ZeroDivisionError: by zero"):
        run_map(fail_on_three, [1, 4], names=["hour 1", "hour 4"], workers=workers)


@WORKERS
def test_a_cancel_from_the_progress_callback_stops_the_map(workers: Workers) -> None:
    def stop(done: int, _total: int) -> None:
        if done >= 2:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run_map(square, range(1000), workers=workers, progress=stop)


def kept(artifacts: Artifacts, count: int) -> Kept[int]:
    return Kept(artifacts, [f"square-{n}" for n in range(count)], lambda n: str(n).encode(), _number)


def _number(content: bytes) -> int:
    try:
        return int(content)
    except ValueError:
        raise QuestionError("damaged") from None


def test_a_cancelled_run_goes_on_where_it_was(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, 10**6)
    done: list[int] = []

    def count(number: int) -> int:
        done.append(number)
        return number * number

    def stop(ended: int, _total: int) -> None:
        if ended == 4:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run_map(count, range(10), kept=kept(artifacts, 10), progress=stop)
    assert done == [0, 1, 2, 3]
    assert run_map(count, range(10), kept=kept(artifacts, 10)) == [n * n for n in range(10)]
    assert done == list(range(10))  # none twice


def test_a_damaged_result_is_made_again(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, 10**6)
    artifacts.save("square-1", b"nonsense")
    artifacts.save("square-2", b"4")
    assert run_map(square, [5, 1, 2], kept=kept(artifacts, 3)) == [25, 1, 4]


def test_processes_run_elsewhere_with_one_thread_each() -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    found = run_map(threads, range(4), workers=Processes(2))
    assert {count for count, _ in found} == {"1"}
    assert os.getpid() not in {process for _, process in found}
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_a_killed_process_costs_a_repetition_not_the_run(tmp_path: Path) -> None:
    marks = [str(tmp_path / f"{n}.{'deadly' if n == 2 else 'fine'}") for n in range(5)]
    assert run_map(die_once, marks, workers=Processes(2)) == [1] * 5


def test_processes_end_with_the_one_that_began_them_however_that_ended(tmp_path: Path) -> None:
    marker = tmp_path / "task"
    begun = multiprocessing.get_context("spawn").Process(target=run_asleep, args=(str(marker),))
    begun.start()
    wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8").isdigit())
    child = psutil.Process(int(marker.read_text(encoding="utf-8")))
    assert begun.pid is not None
    os.kill(begun.pid, signal.SIGKILL)
    begun.join()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_maps_that_share_processes_begin_them_once_and_again_after_one_was_killed(tmp_path: Path) -> None:
    with closing(Shared(Processes(1))) as shared:
        ((_, first),) = run_map(threads, [0], workers=shared)
        ((_, second),) = run_map(threads, [0], workers=shared)
        assert first == second
        assert run_map(die_once, [str(tmp_path / "1.deadly"), str(tmp_path / "2.fine")], workers=shared) == [1, 1]
        ((_, third),) = run_map(threads, [0], workers=shared)
        assert third not in {first, os.getpid()}
    ((_, fourth),) = run_map(threads, [0], workers=shared)  # closed, it begins again
    shared.close()
    assert fourth != third


def test_a_task_that_kills_every_worker_ends_the_run_by_name() -> None:
    with pytest.raises(TaskError, match="hour 7: its worker died, 3 times in a row"):
        run_map(die, [7], names=["hour 7"], workers=Processes(1))


def test_workers_are_named_by_a_setting() -> None:
    assert workers_of("here") is HERE
    assert workers_of("processes:4") == Processes(4)
    assert workers_of("tcp://10.0.0.5:8786") == Cluster("tcp://10.0.0.5:8786")
    for wrong in ("processes:0", "http://10.0.0.5:1", "two", "tcp://nowhere"):
        with pytest.raises(QuestionError, match="workers are"):
            workers_of(wrong)


@contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    from distributed import LocalCluster  # noqa: PLC0415 (for these tests only)

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_gives_the_same_and_outlives_a_killed_worker(tmp_path: Path) -> None:
    marks = [str(tmp_path / f"{n}.{'deadly' if n == 2 else 'fine'}") for n in range(5)]
    with local_cluster(2) as address:
        assert run_map(square, range(20), workers=Cluster(address)) == [n * n for n in range(20)]
        with pytest.raises(InfeasibleError, match="line 1-2 is full"):
            run_map(fail_on_three, [1, 3], workers=Cluster(address))
        assert run_map(die_once, marks, workers=Cluster(address)) == [1] * 5


def test_a_cluster_that_is_not_there_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.compute._ANSWER_S", 1.0)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=f"no Dask scheduler answers at {address}"):
        run_map(square, [1], workers=Cluster(address))
