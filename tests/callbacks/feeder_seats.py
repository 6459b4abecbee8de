"""Who sits before the Feeder page in its tests, what they hold, and a small study that is solved once a module."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from callbacks.day_answer import KEEP, Asked, Shown
from callbacks.day_desk import Seat
from callbacks.feeder_answer import answer_to
from callbacks.feeder_desk import Desk
from callbacks.services import Services
from components import feeder_asked
from engine.compute import HERE
from engine.distribution import jobs
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE

SMALL = FeederQuestion(feeder="two-bus", hours=(18, 19), corrections=1, ac_rounds=0)
SCALED = Edit("scale load", value=1.2)
HALF = FeederQuestion(feeder="two-bus", hours=(18,), corrections=1, ac_rounds=0)


@pytest.fixture(name="services", scope="module")
def services_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("feeder")
    opened = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield opened
    opened.close()


@pytest.fixture(name="desk", scope="module")
def desk_fixture(services: Services) -> Desk:
    return Desk(services)


@pytest.fixture(name="anne", scope="module")
def anne_fixture(desk: Desk) -> Seat[Desk]:
    return Seat(desk, ANNE, "")


class Screen:
    """The page as a browser holds it."""

    def __init__(self, seat: Seat[Desk], question: FeederQuestion = SMALL) -> None:
        self.seat = seat
        self.words = feeder_asked.words_of(question)
        self.edits = question.to_json()["edits"]
        self.found: Any = None

    def ask(self, *, pressed: bool = False, edits: Any = None, **words: Any) -> Shown:
        self.words |= {name.replace("_", "-"): value for name, value in words.items()}
        self.edits = self.edits if edits is None else edits
        shown = answer_to(self.seat, Asked(self.words, self.edits, (), self.found, pressed=pressed))
        if shown.found is not KEEP:
            self.found = json.loads(json.dumps(shown.found))
        return shown

    def run(self) -> FeederRun:
        run = self.seat.drawn(self.found)
        assert run is not None
        return run


class Context:
    """What a job is given."""

    workers = HERE

    def __init__(self, seat: Seat[Desk]) -> None:
        self.seat, self.artifacts = seat, seat.desk.services.artifacts

    def progress(self, done: int, total: int, message: str = "") -> None:
        pass

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        return self.seat.desk.file(self.seat.user, self.seat.study, digest)

    def load_network(self, digest: str) -> Any:
        raise KeyError(digest)


def work(seat: Seat[Desk]) -> int:
    """Compute the jobs that wait, as a runner does; return how many there were."""
    services = seat.desk.services
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), 0
    while (claim := queue.claim()) is not None:
        result = jobs.study_job(dict(claim.arguments), Context(seat))
        queue.finish(claim, json.loads(json.dumps(result)), 0.1)
        done += 1
    return done


@pytest.fixture(name="solved", scope="module")
def solved_fixture(anne: Seat[Desk]) -> FeederRun:
    """Anne's small study, solved by a press and a runner."""
    screen = Screen(anne)
    assert screen.ask(pressed=True).jobs
    assert work(anne) == 1
    screen.ask()
    return screen.run()


# The question
