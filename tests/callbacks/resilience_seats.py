"""Who sits before the Resilience page in its tests: the page as a browser holds it, and what is asked there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from callbacks.day_desk import Seat
from callbacks.imported import CHECKS
from callbacks.resilience_answer import answer_to
from callbacks.resilience_desk import Desk
from callbacks.services import Services
from components import resilience_asked
from components.resilience_asked import (
    edits_between,
    held_edits,
)
from engine.data.openings import RESILIENCE
from engine.resilience import jobs
from engine.resilience.case import PlacementCase
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import ResilienceRun
from tests.callbacks.day_seats import DayScreen, opened, worked
from tests.callbacks.screen import ANNE

CHEAPER = replace(STANDARD[0], cost=9_000.0)
SMALL = ResilienceQuestion(scenarios=6, steps=8, fresh=12, curve=2, rolling=1, budget=30_000.0, time_limit_s=120.0)
EDITED = replace(SMALL, types=(CHEAPER, *STANDARD[1:]))
FLYWHEEL = ModuleType("Flywheel", "storage", 0.3, 9_000.0, 5, 2, 0.1, 0.9, 0.9)


@pytest.fixture(name="services", scope="module")
def services_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("resilience")) as services:
        yield services


@pytest.fixture(name="anne", scope="module")
def anne_fixture(services: Services) -> Seat[Desk]:
    return Seat(Desk(services), ANNE, "")


class Screen(DayScreen):
    """The Resilience page as a browser holds it."""

    def __init__(self, seat: Seat[Desk], question: ResilienceQuestion = SMALL) -> None:
        words, edits = resilience_asked.words_of(question), held_edits(edits_between(question.types))
        super().__init__(seat, words, edits, answer_to)

    def run(self) -> ResilienceRun:
        run: ResilienceRun = super().run()
        return run


def work(seat: Seat[Desk]) -> int:
    """Compute the jobs that wait, whose answers hold what a study's file must; return how many there were."""
    return worked(seat, jobs.study_job, CHECKS.answers[jobs.STUDY])


@pytest.fixture(name="case")
def case_fixture(anne: Seat[Desk]) -> PlacementCase:
    """The case of the small study, which is not solved."""
    return anne.desk.case(ANNE, "", SMALL)


@pytest.fixture(name="opening")
def opening_fixture(anne: Seat[Desk]) -> Screen:
    """A page that stands on the answer that comes with the program."""
    screen = Screen(anne, RESILIENCE)
    screen.ask()
    assert screen.found
    return screen


def form(**values: Any) -> dict[str, Any]:
    """Return what the form of a new type holds: that of a flywheel but for ``values``."""
    held = {"name": FLYWHEEL.name, "kind": FLYWHEEL.kind} | {
        name: getattr(FLYWHEEL, name) for name in resilience_asked.EDITED
    }
    return {f"new-{name}": value for name, value in (held | {"ramp_mw_per_min": ""} | values).items()}
