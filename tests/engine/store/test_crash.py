"""What was acknowledged is there after the writing process was killed, and the database is whole."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from engine.network.tables import NetworkTables
from engine.store import Store
from engine.store.codec import sha256
from engine.store.database import Database

ROOT = Path(__file__).parents[3]


def write_until_killed(url: str, study: str, first: int, writes: int, delay_s: float) -> list[list[str]]:
    """Kill the writer ``delay_s`` after its ``writes``-th acknowledgement; return all that it acknowledged."""
    command = [sys.executable, "-m", "tests.engine.store.writer", url, study, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(writes)]
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        assert process.wait() == -signal.SIGKILL
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


def test_a_process_killed_at_any_statement_leaves_the_database_as_it_was(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.store.mortal", url, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    killed = json.loads(done.stdout)
    assert len(killed) == 24
    assert min(killed.values()) >= 2  # what it does, and the end of its transaction
    check_whole(url)


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(url: str, grid: NetworkTables) -> None:
    dice = np.random.default_rng(5)
    store = Store(url)
    store.migrate()
    study = store.studies.create("ann", "A", grid)
    store.close()
    said: dict[str, list[list[str]]] = {}
    first = 0
    for _ in range(3):
        delay_s = dice.uniform(0, 0.05)
        for kind, step, detail in write_until_killed(url, study, first, int(dice.integers(5, 60)), delay_s):
            said.setdefault(kind, []).append([step, detail])
            first = max(first, (int(step) // 20 + 1) * 20)
        check_whole(url)
        check_all_there(url, study, said)
    assert said.keys() == {"network", "question", "dataset", "answer", "products", "study"}


def check_whole(url: str) -> None:
    """The database's own check, and no reference to what is not there."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
        return
    database = Database(url)
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM studies")).scalar_one() >= 1
    database.close()


def check_all_there(url: str, study: str, said: dict[str, list[list[str]]]) -> None:
    store = Store(url)
    state = store.studies.network("ann", study)
    last_step, last_revision = (int(word) for word in said["network"][-1])
    assert state.revision >= last_revision  # a write may have ended whose word did not get through
    assert int(state.tables.name[1:]) >= last_step
    question = store.studies.question("ann", study, "capacity")
    assert question is not None
    assert question["step"] >= int(said["question"][-1][0])
    for step, dataset in said.get("dataset", []):
        assert store.studies.dataset("ann", study, dataset)[1] == f"content {step}".encode()
    for step, _ in said.get("answer", []):
        found = store.results.get("ann", study, "test", sha256(step))
        assert found is not None
        assert found.content == {"step": int(step)}
    for step, version in said.get("products", []):
        assert store.products.get("ann", study, int(version)).product_set == {"step": int(step)}
    for step, made in said.get("study", []):
        assert store.studies.get("ann", made).name == f"s{step}"
    store.close()
