"""The map over tasks: order, progress, cancel, and errors that say whose they are."""

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from engine.compute import TaskError, process_pool, run_map
from engine.errors import CancelledError, InfeasibleError


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


def pools() -> list[Any]:
    return [pytest.param(nullcontext(None), id="here"), pytest.param(ThreadPoolExecutor(2), id="threads")]


@pytest.mark.parametrize("pool", pools())
def test_results_come_in_the_order_of_the_arguments(pool: Any) -> None:
    seen: list[tuple[int, int]] = []
    with pool as executor:
        found = run_map(square, range(20), executor=executor, progress=lambda done, total: seen.append((done, total)))
    assert found == [n * n for n in range(20)]
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)
    assert seen == sorted(seen)


@pytest.mark.parametrize("pool", pools())
def test_an_error_names_its_task(pool: Any) -> None:
    with pool as executor:
        with pytest.raises(InfeasibleError, match="line 1-2 is full") as refused:
            run_map(fail_on_three, [1, 3], names=["hour 1", "hour 3"], executor=executor)
        assert "in hour 3" in refused.value.__notes__
        with pytest.raises(TaskError, match="hour 4: ZeroDivisionError: by zero"):
            run_map(fail_on_three, [1, 4], names=["hour 1", "hour 4"], executor=executor)


@pytest.mark.parametrize("pool", pools())
def test_a_cancel_from_the_progress_callback_stops_the_map(pool: Any) -> None:
    def stop(done: int, _total: int) -> None:
        if done >= 2:
            raise CancelledError("stopped")

    with pool as executor, pytest.raises(CancelledError):
        run_map(square, range(1000), executor=executor, progress=stop)


def test_a_process_pool_runs_elsewhere_with_one_thread_each() -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    with process_pool(2) as executor:
        assert isinstance(executor, Executor)
        found = run_map(threads, range(4), executor=executor)
        with pytest.raises(TaskError, match="second: ZeroDivisionError"):
            run_map(fail_on_three, [1, 4], names=["first", "second"], executor=executor)
    assert {count for count, _ in found} == {"1"}
    assert os.getpid() not in {process for _, process in found}
    assert os.environ.get("OMP_NUM_THREADS") == before
