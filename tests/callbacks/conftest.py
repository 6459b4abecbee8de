"""Fixtures of the pages' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callbacks.capacity_answer import Seat
from callbacks.capacity_desk import Desk
from callbacks.services import Services
from engine.network import library
from tests.callbacks.screen import ANNE


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    """Anne, with the 4-bus case of the paper as her study."""
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))
