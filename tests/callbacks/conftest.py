"""Fixtures of the pages' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from callbacks import auction_access
from callbacks.auction_room import Rooms
from callbacks.capacity_answer import Seat
from callbacks.capacity_desk import Desk
from callbacks.services import Services
from callbacks.settings import Settings
from engine.auction.ledger import Entry
from engine.auction.simulate import play
from engine.network import library
from tests.callbacks.debriefing import PAPER
from tests.callbacks.room import Clock, rooms_of
from tests.callbacks.screen import ANNE
from tests.databases import ready_sqlite
from tests.rooms import Visitor


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    """Anne, with the 4-bus case of the paper as her study."""
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Flask]:
    """Yield the product for a room: its clock is set by hand, and nobody asks too often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        patch.setattr(auction_access, "ASKS_BURST", 1e6)
        patch.setattr(auction_access.Gate.__init__, "__defaults__", (clock,))
        settings = Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})
        server = create_app(settings).server
        rooms_of(server).clock = clock
        yield server


@pytest.fixture
def rooms(server: Flask) -> Rooms:
    return rooms_of(server)


@pytest.fixture
def host(server: Flask) -> Visitor:
    return Visitor(server)


@pytest.fixture(scope="session")
def ledger() -> tuple[Entry, ...]:
    """Return the ledger of the paper's auction, played by its bots."""
    return play(PAPER.configuration, PAPER.seats)
