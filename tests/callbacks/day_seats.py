"""Who sits before a page of a day in its tests: the page as a browser holds it, and a runner."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from callbacks.day_answer import KEEP, Asked, Shown
from callbacks.day_desk import Seat
from callbacks.services import Services
from engine.compute import HERE
from engine.store.kinds import KINDS
from engine.store.queue import Queue

Job = Callable[[dict[str, Any], Any], Mapping[str, Any]]


@contextmanager
def opened(folder: Path) -> Iterator[Services]:
    """Yield services whose store lies in a folder."""
    services = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield services
    services.close()


class DayScreen:
    """The page as a browser holds it."""

    def __init__(self, seat: Seat[Any], words: dict[str, Any], edits: Any, answer_to: Callable[..., Shown]) -> None:
        self.seat, self.words, self.edits, self.answer_to = seat, words, edits, answer_to
        self.found: Any = None

    def ask(self, *, pressed: bool = False, edits: Any = None, **words: Any) -> Shown:
        self.words |= {name.replace("_", "-"): value for name, value in words.items()}
        self.edits = self.edits if edits is None else edits
        shown = self.answer_to(self.seat, Asked(self.words, self.edits, (), self.found, pressed=pressed))
        if shown.found is not KEEP:
            self.found = json.loads(json.dumps(shown.found))
        return shown

    def run(self) -> Any:
        run = self.seat.drawn(self.found)
        assert run is not None
        return run


class Context:
    """What a job is given."""

    workers = HERE

    def __init__(self, seat: Seat[Any]) -> None:
        self.seat, self.artifacts = seat, seat.desk.services.artifacts
        self.told: list[str] = []

    def progress(self, _done: int, _total: int, message: str = "") -> None:
        self.told.append(message)

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        found: tuple[str, bytes] = self.seat.desk.file(self.seat.user, self.seat.study, digest)
        return found

    def load_network(self, digest: str) -> Any:
        raise KeyError(digest)


def worked(seat: Seat[Any], job: Job, check: Callable[[Any], object] = bool) -> int:
    """Compute the jobs that wait, as a runner does, and check each answer; return how many there were."""
    services = seat.desk.services
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), 0
    while (claim := queue.claim()) is not None:
        result = job(dict(claim.arguments), Context(seat))
        queue.finish(claim, json.loads(json.dumps(result)), 0.1)
        check(result)
        done += 1
    return done
