"""A feeder of the reader's own: read, refused with everything that is wrong, taken into a study that is his alone."""

import base64
import io
import zipfile
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from callbacks.day_answer import Asked
from callbacks.day_desk import Seat, study_of
from callbacks.feeder_answer import answer_to
from callbacks.feeder_desk import FEEDER_KIND, WORK_KIND, Desk
from callbacks.feeder_upload import asked_now, offer, read, received, take, take_work
from callbacks.services import Services
from components import feeder_asked
from components.feeder_view import read_question
from engine.distribution import library
from engine.distribution.files import from_json, to_csv_zip, to_json
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.errors import EngineError, NotFoundError, QuestionError
from tests.callbacks.screen import ANNE, BEN, text

TWO = library.load("two-bus")
SCRIPT = b"""clear
new circuit.test basekv=4.16 pu=1.0 bus1=source
new line.one bus1=source bus2=end r1=0.3 x1=0.6 r0=0.9 x0=1.8 c1=0 c0=0 length=1
new load.all bus1=end phases=3 kv=4.16 kw=300 kvar=100 model=1
set voltagebases=[4.16]
calcvoltagebases
solve
"""
WORK = b"kind,name,first_hour,last_hour,work,delay_price\ninteractive,,1,1,5,0\ninteractive,,2,2,6,0\n"


def sent(content: bytes) -> str:
    """Return a file as a browser sends it."""
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


@pytest.fixture
def seat(services: Services) -> Seat[Desk]:
    return Seat(Desk(services), ANNE, "")


def taken(seat: Seat[Desk], content: bytes, name: str = "mine.json") -> tuple[str, FeederQuestion]:
    """Take a feeder; return the study it is in and the question that the page opens with."""
    _, held = offer(seat, [sent(content)], [name])
    query = parse_qs(urlsplit(take(seat, held, FeederQuestion())).query)
    question = read_question({name: values[0] for name, values in query.items()})
    assert question is not None
    return query["study"][0], question


def test_our_json_csv_tables_a_zip_and_a_script_are_understood_before_they_are_taken(seat: Seat[Desk]) -> None:
    archive = to_csv_zip(TWO)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        tables = {name: opened.read(name) for name in opened.namelist()}
    for names, contents in (
        (["two.json"], [to_json(TWO)]),
        (["two.zip"], [archive]),
        (list(tables), list(tables.values())),
    ):
        panel, held = offer(seat, [sent(one) for one in contents], names)
        assert held is not None
        assert "Buses 2" in " ".join(text(panel).split())
    panel, held = offer(seat, [sent(SCRIPT)], ["feeder.dss"])
    assert held is not None
    told = " ".join(text(panel).split())
    assert "Loads 3, 300 kW" in told  # one load over three phases
    assert "It has no data centre" in told


def test_what_is_wrong_is_told_all_at_once_and_nothing_is_kept(seat: Seat[Desk]) -> None:
    odd = replace(
        TWO,
        loads=tuple(replace(row, bus="nowhere") for row in TWO.loads),
        lines=tuple(replace(row, to_bus="nobody") for row in TWO.lines),
    )
    panel, held = offer(seat, [sent(to_json(odd))], ["odd.json"])
    told = text(panel)
    assert held is None
    assert "nowhere" in told
    assert "nobody" in told
    assert "the question below is as it was" in told
    shell = SCRIPT + b"\n!\nredirect /etc/passwd\nshow voltages\n"
    panel, held = offer(seat, [sent(shell)], ["feeder.dss"])
    told = text(panel)
    assert held is None
    assert "/etc/passwd" in told
    for contents, names in (([sent(b"x")], ["a.txt"]), ([], []), ("no data", "b.json"), ([None], [None])):
        assert offer(seat, contents, names)[1] is None


def test_files_of_one_zip_are_read_as_if_they_had_been_chosen(seat: Seat[Desk]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("feeder.dss", SCRIPT)
    feeder, _ = read(received([sent(packed.getvalue())], ["all.zip"]))
    assert len(feeder.loads) == 3
    del seat


def test_a_feeder_that_is_taken_lies_in_a_study_of_its_reader_and_is_nobody_else_s(
    seat: Seat[Desk], services: Services
) -> None:
    study, question = taken(seat, to_json(TWO))
    assert study_of(services, ANNE, study) == study
    assert study_of(services, BEN, study) == ""
    (entry,) = services.studies.datasets(ANNE, study)
    assert (entry.kind, entry.digest) == (FEEDER_KIND, question.dataset)
    mine = Seat(seat.desk, ANNE, study)
    shown = answer_to(mine, Asked(feeder_asked.words_of(question), []))
    assert shown.compute  # not solved yet, and known
    feeder = seat.desk.base(ANNE, study, question)
    assert feeder is not None
    assert feeder.digest == from_json(to_json(TWO)).digest
    shown = answer_to(mine, Asked(feeder_asked.words_of(question), [{"kind": "move centre", "name": "x", "bus": "y"}]))
    assert "there is no bus 'y'" in text(shown.state)
    with pytest.raises(NotFoundError):
        seat.desk.look(BEN, study, question)
    for other in (Seat(seat.desk, BEN, ""), Seat(seat.desk, ANNE, "")):  # the digest alone opens nothing
        with pytest.raises(QuestionError, match="in no study of yours"):
            seat.desk.look(other.user, other.study, question, submit=True)


def test_what_one_reader_was_shown_no_other_one_can_take(seat: Seat[Desk]) -> None:
    _, held = offer(seat, [sent(to_json(TWO))], ["two.json"])
    with pytest.raises(QuestionError, match="not kept any more"):
        take(Seat(seat.desk, BEN, ""), held, FeederQuestion())
    for odd in (None, {}, {"digest": 1, "name": "x"}, {"digest": "0" * 64, "name": "x"}):
        with pytest.raises(EngineError):
            take(seat, odd, FeederQuestion())


def test_the_question_stays_but_for_what_belongs_to_the_other_feeder(seat: Seat[Desk], services: Services) -> None:
    each, one = CentreBattery(), CentreBattery(centre="centre 740")
    edits = (Edit("scale load", value=1.1),)
    before = FeederQuestion(hours=(3, 4), method="walk", edits=edits, batteries=(each, one), seed=5)
    _, held = offer(seat, [sent(to_json(TWO))], ["two.json"])
    query = parse_qs(urlsplit(take(seat, held, before)).query)
    question = read_question({name: values[0] for name, values in query.items()})
    assert question is not None
    assert question == replace(before, dataset=question.dataset, edits=(), batteries=(each,))
    again = take(Seat(seat.desk, ANNE, query["study"][0]), held, before)  # the same file once more
    assert parse_qs(urlsplit(again).query)["study"] == query["study"]
    assert len(services.studies.datasets(ANNE, query["study"][0])) == 1
    assert asked_now({"hours": "x"}, None) == FeederQuestion()


def test_a_file_is_kept_once_whatever_it_is_called(seat: Seat[Desk], services: Services) -> None:
    study, digest = seat.desk.keep_file(ANNE, "", "mine.json", FEEDER_KIND, to_json(TWO))
    assert seat.desk.keep_file(ANNE, study, "other.json", FEEDER_KIND, to_json(TWO)) == (study, digest)
    assert seat.desk.choices(ANNE, study, FEEDER_KIND) == [(digest, "mine.json")]
    assert seat.desk.keep_file(ANNE, study, "work.csv", WORK_KIND, WORK)[0] == study
    assert len(services.studies.datasets(ANNE, study)) == 2  # another kind, another content
    theirs, again = seat.desk.keep_file(BEN, "", "mine.json", FEEDER_KIND, to_json(TWO))
    assert theirs != study
    assert again == digest


def test_a_file_of_work_is_read_for_the_hours_of_the_question(seat: Seat[Desk], services: Services) -> None:
    question = FeederQuestion(hours=(3, 4))
    query = parse_qs(urlsplit(take_work(seat, [sent(WORK)], ["work.csv"], question)).query)
    found = read_question({name: values[0] for name, values in query.items()})
    assert found is not None
    (entry,) = services.studies.datasets(ANNE, query["study"][0])
    assert (entry.kind, entry.digest) == (WORK_KIND, found.workload)
    words: dict[str, Any] = feeder_asked.words_of(found)
    assert feeder_asked.question_of(words, []) == found
    with pytest.raises(EngineError, match="line 2"):
        take_work(seat, [sent(WORK.replace(b"interactive,,1,1", b"odd,,9,9"))], ["work.csv"], question)
    with pytest.raises(EngineError, match="UTF-8"):
        take_work(seat, [sent(b"\xff\xfe\xff")], ["work.csv"], question)
