"""Kill a process at every statement of every operation that writes, and look at what the database then holds.

A child of this process does the operation and kills itself, as ``kill -9`` would, before its first statement
reaches the database, then before its second, and so on until it gets through. Run as a program of its own,
because it forks: ``python -m tests.engine.store.mortal URL FOLDER``.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.auction.events import Event
from engine.auction.ledger import next_entry
from engine.store import Artifacts, Store
from engine.store.answers import Answer
from engine.store.auctions import Auctions, Head, NewAuction, Stored
from engine.store.jobs import Jobs
from engine.store.queue import Queue
from engine.store.schema import METADATA
from tests.engine.store.conftest import triangle
from tests.engine.store.tasks import KINDS

Operation = Callable[[Store], Any]
_MOST_STATEMENTS = 200


def dump(store: Store) -> dict[str, list[str]]:
    """Return every row of every table, the moments of heartbeats and uses included."""
    with store.database.reading() as connection:
        # As text: hundreds of looks compile nothing, and the program forks less time.
        return {
            name: sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {name}")))  # noqa: S608 (our own names)
            for name in METADATA.tables
        }


def survives(url: str, operation: Operation, before: dict[str, list[str]] | None, stride: int = 1) -> int:
    """Kill ``operation`` at each ``stride``-th of its statements until it gets through; return how often.

    After each kill the database must hold exactly what it held ``before`` (None: no table), and must take the next
    writer at once.
    """
    for turn, statement in enumerate(range(1, _MOST_STATEMENTS, stride)):
        child = os.fork()
        if child == 0:
            _do(url, operation, statement)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return turn
        assert status == -signal.SIGKILL, f"the operation failed with status {status}"
        assert _now(url) == before, f"statement {statement} left something behind"
    raise AssertionError("the operation never ended")


def _do(url: str, operation: Operation, statement: int) -> None:
    """Do the operation in this process and end it, at the latest before the given statement."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(url)
    sa.event.listen(store.database.engine, "before_cursor_execute", count)
    # The end of a transaction is a statement too, but one that no cursor executes.
    sa.event.listen(store.database.engine, "commit", count)
    status = 1
    try:
        operation(store)
        status = 0
    finally:
        os._exit(status)


def _now(url: str) -> dict[str, list[str]] | None:
    store = Store(url)
    try:
        with store.database.reading() as connection:
            if not sa.inspect(connection).get_table_names():
                return None
        return dump(store)
    finally:
        store.close()


def operations(url: str, folder: Path) -> dict[str, Operation]:
    """Make a study with something of everything in it; return what may then be done to it, by name."""
    store, artifacts = Store(url), Artifacts(folder)
    grid = triangle()
    study = store.studies.create("ann", "A", grid, {"capacity": {"epsilon": 0.05}})
    store.studies.save_network("ann", study, replace(grid, name="first"), 0, "rename")
    data = store.studies.add_dataset("ann", study, "load.csv", "scenarios", b"1,2")
    store.results.put("ann", study, Answer("test.count", "ab" * 32, {"a": 1}, {}))
    store.products.publish("ann", study, {"products": []}, {"flows": []})
    token = store.studies.share("ann", study)
    file = store.studies.export_file("ann", study)[1]
    gone = store.studies.create("ann", "Gone", grid)
    store.studies.delete("ann", gone)
    Jobs(store, artifacts, KINDS).submit("ann", "test.count", {"to": 1}, study)
    queue = Queue(store.database, artifacts, KINDS, 9)
    claim = queue.claim()
    assert claim is not None
    waiting = Jobs(store, artifacts, KINDS).submit("ann", "test.count", {"to": 2}, study)
    entry = next_entry(None, Event("configured", 1.0, "host", {}))
    auction = Auctions(store.database).create("ann", NewAuction("A"), [entry], Head("set up", 0, None))
    store.close()

    def held(opened: Store) -> Queue:
        """The queue as the runner sees it that has the job, over another connection."""
        again = Queue(opened.database, artifacts, KINDS, 9)
        again.runner = queue.runner
        return again

    return {
        "create": lambda s: s.studies.create("ann", "New", triangle("new"), {"capacity": {}}),
        "example": lambda s: s.studies.open_example("ann", "key", "Example", triangle("example")),
        "rename": lambda s: s.studies.rename("ann", study, "B"),
        "edit": lambda s: s.studies.save_network("ann", study, triangle("edited"), 1, "edit"),
        "undo": lambda s: s.studies.undo("ann", study, s.studies.network_status("ann", study).revision),
        "question": lambda s: s.studies.save_question("ann", study, "capacity", {"epsilon": 0.1}),
        "data": lambda s: s.studies.add_dataset("ann", study, "more.csv", "scenarios", b"3,4"),
        "data away": lambda s: s.studies.delete_dataset("ann", study, data.id),
        "answer": lambda s: s.results.put("ann", study, Answer("test.count", "cd" * 32, {"a": 2}, {})),
        "publish": lambda s: s.products.publish("ann", study, {"products": [1]}, {"flows": [1]}),
        "copy": lambda s: s.studies.duplicate("ann", study),
        "import": lambda s: s.studies.import_file("bob", file),
        "share": lambda s: s.studies.share("ann", study),
        "accept": lambda s: s.studies.accept_share("rita", token),
        "revoke": lambda s: s.studies.revoke_shares("ann", study),
        "restore": lambda s: s.studies.restore("ann", gone),
        "submit": lambda s: Jobs(s, artifacts, KINDS).submit("ann", "test.count", {"to": 3}, study),
        "claim": lambda s: Queue(s.database, artifacts, KINDS, 9).claim(),
        "finish": lambda s: held(s).finish(claim, {"counted": 1}, 1.0),
        "cancel": lambda s: Jobs(s, artifacts, KINDS).cancel("ann", waiting.id),
        "auction": lambda s: Auctions(s.database).create("ann", NewAuction("New"), [entry], Head("set up", 0, None)),
        "round": lambda s: _turn(s, auction),
        "delete": lambda s: s.studies.delete("ann", study),
    }


def _turn(store: Store, auction: str) -> None:
    """Add to a ledger, let somebody in and give out a key, in one turn."""
    with Auctions(store.database).writing(auction) as writing:
        last = writing.entries(0)[-1].entry
        added = [Stored(next_entry(last, Event("announced", 2.0, "host", {"text": "x"})), "r1")]
        writing.admit("bob", "bidder", bidder="b1", name="Bob")
        writing.new_key("bidder", "b1")
        writing.append(added, Head("open", 1, 9.0))


def main(url: str, folder: str) -> None:
    """Kill everything everywhere and write how often each operation was killed."""
    # A migration is a hundred statements of one kind in one transaction: every seventh of them will do.
    killed = {"migrate": survives(url, lambda s: s.migrate(), None, stride=7)}
    for name, operation in operations(url, Path(folder)).items():
        before = _now(url)
        killed[name] = survives(url, operation, before)
        assert _now(url) != before, f"{name} did nothing"
    sys.stdout.write(json.dumps(killed))


if __name__ == "__main__":
    main(*sys.argv[1:])
