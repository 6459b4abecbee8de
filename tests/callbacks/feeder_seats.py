"""Who sits before the Feeder page in its tests, what they hold, and a small study that is solved once a module."""

from collections.abc import Iterator

import pytest

from callbacks.day_desk import Seat
from callbacks.feeder_answer import answer_to
from callbacks.feeder_desk import Desk
from callbacks.services import Services
from components import feeder_asked
from engine.distribution import jobs
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun
from tests.callbacks.day_seats import DayScreen, opened, worked
from tests.callbacks.screen import ANNE

SMALL = FeederQuestion(feeder="two-bus", hours=(18, 19), corrections=1, ac_rounds=0)
SCALED = Edit("scale load", value=1.2)
HALF = FeederQuestion(feeder="two-bus", hours=(18,), corrections=1, ac_rounds=0)


@pytest.fixture(name="services", scope="module")
def services_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("feeder")) as services:
        yield services


@pytest.fixture(name="desk", scope="module")
def desk_fixture(services: Services) -> Desk:
    return Desk(services)


@pytest.fixture(name="anne", scope="module")
def anne_fixture(desk: Desk) -> Seat[Desk]:
    return Seat(desk, ANNE, "")


class Screen(DayScreen):
    """The Feeder page as a browser holds it."""

    def __init__(self, seat: Seat[Desk], question: FeederQuestion = SMALL) -> None:
        super().__init__(seat, feeder_asked.words_of(question), question.to_json()["edits"], answer_to)

    def run(self) -> FeederRun:
        run: FeederRun = super().run()
        return run


def work(seat: Seat[Desk]) -> int:
    """Compute the jobs that wait; return how many there were."""
    return worked(seat, jobs.study_job)


@pytest.fixture(name="solved", scope="module")
def solved_fixture(anne: Seat[Desk]) -> FeederRun:
    """Anne's small study, solved by a press and a runner."""
    screen = Screen(anne)
    assert screen.ask(pressed=True).jobs
    assert work(anne) == 1
    screen.ask()
    return screen.run()


# The question
