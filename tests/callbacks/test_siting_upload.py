"""The series of 2020 in the operator's folder: offered on synthetic Texas alone, kept with the study once chosen."""

import gzip
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from callbacks.capacity_desk import dataset_of
from callbacks.services import Services
from callbacks.settings import Settings
from callbacks.siting_answer import Seat, stamps_of
from callbacks.siting_desk import Desk
from callbacks.siting_upload import OFFER, SERIES, SERIES_NAME, choices_of, take_series
from components import siting_words
from components.siting_question import more
from components.siting_words import OFFERED
from engine.errors import EngineError, FileFormatError, QuestionError
from engine.network.tables import NetworkTables
from engine.siting.cases import PAPER_HOURS, position
from engine.siting.question import SitingQuestion
from tests.callbacks.screen import ANNE
from tests.databases import ready_sqlite
from tests.siting_study import network

CONTENT = gzip.compress(b"hour,Coast\n1,180\n2,190\n", mtime=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / SERIES).parent.mkdir(parents=True)
    (made / SERIES).write_bytes(CONTENT)
    return made


@pytest.fixture
def services(tmp_path: Path, folder: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts", data=folder)
    yield opened
    opened.close()


def seat_of(services: Services, *, texas: bool = True) -> Seat:
    tables: NetworkTables = network().tables
    if texas:  # area 7 of synthetic Texas is the weather zone Coast
        tables = tables.with_table("buses", tables.buses.assign(area="7", zone="Coast"))
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Pair", tables))


def test_the_series_is_offered_on_texas_and_taken_in_as_a_file_of_the_study(services: Services) -> None:
    seat = seat_of(services)
    assert choices_of(seat) == [(OFFERED, OFFER)]
    assert choices_of(seat, read_only=True) == []
    found = take_series(seat)
    digest = sha256(CONTENT).hexdigest()
    assert found.value == digest  # the content's, as of an uploaded file
    assert found.files == [{"value": digest, "label": SERIES_NAME}]  # where it is from; offered no more
    assert found.message == f"{SERIES_NAME}: 2 hours read, loads by zone"
    assert dataset_of(services, ANNE, seat.study, digest) == (SERIES_NAME, CONTENT)


def test_nothing_is_offered_elsewhere_or_without_the_file(services: Services, folder: Path) -> None:
    assert choices_of(seat_of(services, texas=False)) == []
    seat = seat_of(services)
    (folder / SERIES).unlink()
    assert choices_of(seat) == []
    with pytest.raises(FileFormatError, match="is not there any more"):
        take_series(seat)


def test_a_damaged_series_is_told_and_not_kept(services: Services, folder: Path) -> None:
    seat = seat_of(services)
    (folder / SERIES).write_bytes(b"no gzip")
    with pytest.raises(EngineError, match=f"{SERIES_NAME}: not a gzip file"):
        take_series(seat)
    assert choices_of(seat) == [(OFFERED, OFFER)]


def test_what_is_offered_is_never_a_question_s_file_and_a_list_shows_what_is_chosen() -> None:
    asked = SitingQuestion()
    words = {**siting_words.words_of(asked), "source": "file", "file": OFFERED}
    with pytest.raises(QuestionError, match="still being read"):
        siting_words.question_of(words, asked)
    held = siting_words.words_of(asked)
    assert "none chosen" in repr(more(held, [(OFFERED, OFFER)], read_only=False))


def test_the_folder_is_a_setting_that_need_not_exist(tmp_path: Path) -> None:
    assert Settings.from_env({"HEADROOM_HOME": str(tmp_path)}).data is None
    there = {"HEADROOM_HOME": str(tmp_path), "HEADROOM_DATA": str(tmp_path / "nowhere")}
    assert Settings.from_env(there).data == tmp_path / "nowhere"


def test_hours_of_a_file_are_asked_by_their_dates(services: Services) -> None:
    # Counted hours are of 2020: row 2 is the second hour of its first day.
    seat = seat_of(services)
    digest = take_series(seat).value
    base = SitingQuestion()
    words = {**siting_words.words_of(base), "source": "file", "file": digest, "choice": "list"}
    for typed, rows in (("2020-01-01 2", (1,)), ("2020-01-01 1, 2", (0, 1)), ("1/2", (1,))):
        held = {**words, "hours": typed}
        assert siting_words.question_of(held, base, stamps_of(seat, held)).hours == rows
    assert stamps_of(seat, {**words, "hours": "1/2"}) is None  # no date: the file is not read
    late = {**words, "hours": "2020-01-02 1"}
    with pytest.raises(QuestionError, match="hour '2020-01-02 1': the file's hours are 2020-01-01 1 to 2020-01-01 2"):
        siting_words.question_of(late, base, stamps_of(seat, late))
    with pytest.raises(QuestionError, match="choose a file for the dates of its own hours"):
        siting_words.question_of({**late, "source": "2016", "file": ""}, base)


def test_the_press_that_screens_as_the_source_does_asks_its_hour_outages_and_voltages() -> None:
    base = SitingQuestion()
    asked = siting_words.question_of({**siting_words.words_of(base), **siting_words.AS_THE_SOURCE}, base)
    named = PAPER_HOURS["stressed"]
    assert (asked.choice, asked.hours) == ("one", (position(named.day, named.hour),))
    assert (asked.candidates, asked.branches, asked.units, asked.thermal) == ("paper", "voltage", False, "filed")
    assert all(asked.hours[0] % 24 + 1 in one.peak_hours for one in asked.envelopes)  # the on-peak level of each
