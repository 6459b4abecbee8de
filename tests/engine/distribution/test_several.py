"""Several feeders at once: the rows are those of the studies one by one, whoever computes them."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callbacks.imported import CHECKS
from engine.compute import HERE, Workers
from engine.distribution import library
from engine.distribution.answers import shipped_several
from engine.distribution.files import to_json
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import run_feeder
from engine.distribution.several import SeveralRun, Task, default_questions, dump_rows, load_rows, rows_of, run_several
from engine.distribution.several_job import SEVERAL, SEVERAL_SHAPE, several_arguments, several_job, several_key
from engine.errors import CancelledError, FileFormatError, QuestionError, UncertaintyDataError
from engine.store.artifacts import Artifacts
from engine.store.codec import sha256

ONE = FeederQuestion(feeder="two-bus", hours=(19,), ac_rounds=0)
FAILS = FeederQuestion(feeder="two-bus", hours=(19,), edits=(Edit("move centre", "nobody", "load"),))
OTHER = FeederQuestion(feeder="ieee13", hours=(12,), svg="on", ac_rounds=0)
QUESTIONS = (ONE, FAILS, OTHER)


@pytest.fixture(scope="module")
def found() -> SeveralRun:
    return run_several(QUESTIONS)


def plain(run: SeveralRun) -> list[dict[str, Any]]:
    """The rows without the time that they took."""
    return [{**row, "time_s": 0.0} for row in json.loads(run.save())["rows"]]


def test_every_row_is_that_of_its_own_study(found: SeveralRun) -> None:
    assert [(row.question, row.svg) for row in found.rows] == [(0, False), (0, True), (1, None), (2, True)]
    alone = run_feeder(ONE)
    for row, case in zip(found.rows[:2], alone.cases, strict=True):
        assert row.cost == pytest.approx(float(case.cost_per_h.sum()))
        assert row.bill == pytest.approx(float((case.centre_price * case.draw_kw).sum()) / 1000.0)
        assert row.lowest_pu == pytest.approx(float(np.abs(case.phasors[:, 1:]).min()))
        assert row.vuf is None  # one phase has no sequences
        assert row.vuf_mean is None
        assert row.bill_reactive == pytest.approx(float(case.bill_reactive.sum()))
        assert row.bought == pytest.approx(float(sum(alone.price_per_mwh * case.supply_mva.real)))
        (centre,) = alone.feeder.centres
        assert row.centres_pu == pytest.approx(abs(case.phasors[0, alone.nodes.index((centre.bus, "a"))]))
        assert row.apart_phase is None  # nothing to compare: one phase
        source, load = (case.active_price[0, alone.nodes.index((bus, "a"))] for bus in ("source", "load"))
        assert row.apart_place == pytest.approx(abs(load - source))
        assert row.where["lowest_pu"] == "bus load on a, 19:00"
        assert row.where["apart_place"] == "bus load on a above bus source on a, 19:00"
        assert "vuf" not in row.where
        assert row.error_pu == pytest.approx(float(np.abs(case.error_pu).max()))
        assert (row.flags, row.violations) == (len(case.facts["flags"]), len(case.facts["violations"]))
    of_thirteen, other = found.rows[3], run_feeder(OTHER)
    (case,) = other.cases
    size, (buses, _) = case.vuf[0].tolist(), other.three_phase
    assert of_thirteen.vuf == pytest.approx(max(size))
    assert of_thirteen.vuf > 0.0
    assert of_thirteen.vuf_mean == pytest.approx(sum(size) / len(size))
    assert of_thirteen.where["vuf"] == f"bus {buses[size.index(max(size))]}, 12:00"


def test_a_question_without_an_answer_says_why_and_the_others_go_on(found: SeveralRun) -> None:
    (failed,) = found.failures
    assert "no data centre 'nobody'" in failed.failure
    assert failed.cost is None
    assert len(found.rows) == 4


def test_a_question_travels_to_other_processes(found: SeveralRun) -> None:
    """As any worker of :mod:`engine.compute` gets and gives it: function, argument and result as pickles."""
    sent = pickle.loads(pickle.dumps((rows_of, Task(0, ONE, {}))))  # noqa: S301 (our own)
    rows = pickle.loads(pickle.dumps(sent[0](sent[1])))  # noqa: S301
    assert [replace(row, time_s=0.0) for row in rows] == [replace(row, time_s=0.0) for row in found.rows[:2]]
    assert load_rows(dump_rows(rows)) == rows


def test_a_feeder_of_ones_own_travels_with_its_question() -> None:
    content = to_json(library.load("two-bus"))
    asked = FeederQuestion(dataset=sha256(content), hours=(3,), ac_rounds=0)
    run = run_several([asked], lambda digest: {sha256(content): ("own.json", content)}[digest])
    assert (run.rows[0].feeder, run.failures) == (library.load("two-bus").name, ())
    with pytest.raises(QuestionError, match="not at hand"):
        run_several([asked])


def test_what_cannot_be_asked_is_refused_with_its_place() -> None:
    with pytest.raises(QuestionError, match="0 questions"):
        run_several([])
    with pytest.raises(QuestionError, match=r"question 2: .*no hour 30"):
        run_several([ONE, FeederQuestion(hours=(30,))])


def test_a_table_comes_back_from_its_file(found: SeveralRun) -> None:
    assert SeveralRun.load(found.save()) == found
    for wrong in (b"{}", b"PK no", found.save().replace(b"several-2", b"several-0")):
        with pytest.raises(UncertaintyDataError):
            SeveralRun.load(wrong)


class Context:
    """What a job is given."""

    workers: Workers = HERE

    def __init__(self, folder: Path, stop_at: int | None = None) -> None:
        self.artifacts, self.told, self._stop = Artifacts(folder), list[int](), stop_at

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert message == f"{done} of {total} feeders"
        self.told.append(done)
        if done == self._stop:
            raise CancelledError("stopped")

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


def test_the_job_goes_on_where_it_was_stopped(found: SeveralRun, tmp_path: Path) -> None:
    arguments: dict[str, Any] = json.loads(json.dumps(several_arguments(QUESTIONS)))
    with pytest.raises(CancelledError):
        several_job(arguments, Context(tmp_path, 2))  # type: ignore[arg-type]
    context = Context(tmp_path)
    result = several_job(arguments, context)  # type: ignore[arg-type]
    assert context.told[0] >= 2
    path = context.artifacts.open(several_key(arguments))
    assert path is not None
    assert result["artifacts"] == [several_key(arguments)]
    assert plain(SeveralRun.load(path)) == plain(found)
    kept = json.loads(json.dumps(result))
    CHECKS.answers[SEVERAL](kept)
    for name in SEVERAL_SHAPE:
        with pytest.raises(FileFormatError):
            CHECKS.answers[SEVERAL]({**kept, name: []})


def test_the_table_of_the_four_ieee_feeders_comes_with_the_program() -> None:
    """Without and with static var generators at the same draws: never dearer with them, charges included."""
    stored = shipped_several(default_questions())
    assert stored is not None
    assert not stored.failures
    assert [row.feeder for row in stored.rows[::2]] == ["IEEE 13", "IEEE 34", "IEEE 37", "IEEE 123"]
    for off, on in zip(stored.rows[::2], stored.rows[1::2], strict=True):
        assert (off.svg, on.svg) == (False, True)
        assert None not in (off.cost, off.penalty, on.cost, on.penalty, off.error_pu, on.error_pu)
        assert on.cost + on.penalty <= (off.cost + off.penalty) * (1.0 + 1e-4)  # type: ignore[operator]
        assert max(off.error_pu, on.error_pu) < 1e-4  # type: ignore[type-var]
        assert (off.flags, on.flags) == (0, 0)
