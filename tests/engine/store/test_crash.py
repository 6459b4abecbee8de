"""What was acknowledged is there after the writing process was killed, and the database is whole."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from engine.network.tables import NetworkTables
from engine.store import Store
from engine.store.codec import sha256
from engine.store.database import Database

ROOT = Path(__file__).parents[3]


def _write_until_killed(url: str, study: str, first: int, writes: int, delay_s: float) -> list[list[str]]:
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


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(url: str, grid: NetworkTables) -> None:
    dice = random.Random(5)  # noqa: S311
    Database(url).migrate()
    opened = Store(url)
    study = opened.studies.create("ann", "A", grid)
    opened.close()
    said: dict[str, list[list[str]]] = {}
    first = 0
    for _ in range(5):
        for kind, step, detail in _write_until_killed(url, study, first, dice.randrange(5, 60), dice.uniform(0, 0.05)):
            said.setdefault(kind, []).append([step, detail])
            first = max(first, (int(step) // 20 + 1) * 20)
        _check_whole(url)
        _check_all_there(url, study, said)
    assert len(said["network"]) >= 5
    assert said.keys() == {"network", "question", "dataset", "answer", "products", "study"}


def _check_whole(url: str) -> None:
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


def _check_all_there(url: str, study: str, said: dict[str, list[list[str]]]) -> None:
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
