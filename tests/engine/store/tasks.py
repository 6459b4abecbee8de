"""Jobs for the tests of the runner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.compute import JobContext, run_map
from engine.errors import InfeasibleError
from engine.store.kinds import JobKind


def count(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Count to ``to``, ``pause_s`` between the steps; note each start in a file, when one is given."""
    if "note" in arguments:
        with Path(arguments["note"]).open("a", encoding="utf-8") as note:
            note.write(f"{arguments.get('name', '')} {os.getpid()}\n")
    to = arguments.get("to", 3)
    for done in range(to):
        context.progress(done, to, f"at {done}")
        time.sleep(arguments.get("pause_s", 0.0))
    context.progress(to, to, "counted")
    return {"counted": to}


def wait(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Report until a file is there: as slow as the test wants it."""
    turns = 0
    while not Path(arguments["file"]).exists():
        turns += 1
        context.progress(min(turns, 99), 100, "waiting")
        time.sleep(0.02)
    return {"waited": True}


def read(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Read the network and the data set that the arguments name; keep an artefact."""
    name, content = context.load_dataset(arguments["dataset"])
    context.artifacts.save("kept-by-read", content)
    network = context.load_network(arguments["network"])
    return {"network": network.name, "dataset": name, "bytes": len(content), "artifacts": ["kept-by-read"]}


def fail(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Fail in the way that is asked for."""
    how = arguments["how"]
    if how == "engine":
        raise InfeasibleError("line '1-2' carries 120.0 MW; its rating is 100.0 MW")
    if how == "fault":
        raise ZeroDivisionError("a fault")
    if how == "memory":
        raise MemoryError
    if how == "json":
        return {"bad": {1, 2}}
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fail_once(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Die at the first attempt only."""
    mark = Path(arguments["note"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"ok": True}


def deaf(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Never report; start a process of its own that must not outlive it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(arguments["note"]).write_text(f"{os.getpid()} {child.pid}", encoding="ascii")
    time.sleep(600)
    return {}


def squares(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Let the job's workers compute, and tell in which process each square was made."""
    made = run_map(_square, arguments["of"], workers=context.workers, progress=context.progress)
    return {"squares": [value for value, _ in made], "here": os.getpid(), "there": [process for _, process in made]}


def _square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def environment(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Tell how many threads the numerical libraries may use."""
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


KINDS = {
    f"test.{function.__name__}": JobKind(f"tests.engine.store.tasks:{function.__name__}")
    for function in (count, wait, read, fail, fail_once, deaf, environment, squares)
}
