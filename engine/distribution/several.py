"""Several feeders at once: a list of feeder questions as independent tasks, and one table of what they come to."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.compute import HERE, Kept, Progress, Workers, run_map
from engine.distribution.prepare import LoadDataset
from engine.distribution.question import FeederQuestion
from engine.distribution.run import CaseRun, FeederRun, run_feeder
from engine.errors import CancelledError, EngineError, QuestionError, UncertaintyDataError

FORMAT = "headroom-feeder-several-1"
MOST = 50  # questions


@dataclass(frozen=True, slots=True)
class FeederRow:
    """One case of one question. Numbers are None where ``failure`` says why there are none."""

    question: int  # its place in the list
    feeder: str
    hours: int
    svg: bool | None  # whether static var generators were in service; None: the question failed
    cost: float | None  # $, of the operator, without what exceeding limits was charged
    penalty: float | None  # $
    bill: float | None  # $, of all data centres
    lowest_pu: float | None  # voltage in AC
    highest_pu: float | None
    vuf: float | None  # largest share of negative over positive sequence; None without three-phase buses too
    loading: float | None  # largest share of a link's rating in AC
    loss_mwh: float | None  # in AC
    error_pu: float | None  # largest distance of a linear voltage from AC
    flags: int | None  # limits that AC breaks and the linear flow met
    violations: int | None  # limits that even the linear flow exceeds
    status: str  # of the method
    time_s: float
    failure: str = ""


@dataclass(frozen=True, slots=True)
class SeveralRun:
    """The questions and the table, in their order."""

    questions: tuple[FeederQuestion, ...]
    rows: tuple[FeederRow, ...]
    provenance: Mapping[str, Any]

    @property
    def failures(self) -> tuple[FeederRow, ...]:
        """Return the rows of questions that have no answer."""
        return tuple(row for row in self.rows if row.failure)

    def save(self) -> bytes:
        """Return the JSON bytes that :meth:`load` reads."""
        held = {
            "format": FORMAT,
            "questions": [each.to_json() for each in self.questions],
            "rows": [asdict(row) for row in self.rows],
            "provenance": dict(self.provenance),
        }
        return json.dumps(held, sort_keys=True, allow_nan=False).encode()

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        try:
            held = json.loads(source if isinstance(source, bytes) else source.read_bytes())
            questions = tuple(FeederQuestion.from_json(each) for each in held["questions"])
            rows = tuple(FeederRow(**row) for row in held["rows"])
            if held["format"] == FORMAT:
                return cls(questions, rows, held["provenance"])
        except (ValueError, LookupError, TypeError, QuestionError):
            pass
        raise UncertaintyDataError("not a file of a study of several feeders of this version")


@dataclass(frozen=True, slots=True)
class Task:
    """A question and the files that it names, so that any worker can answer it."""

    place: int
    question: FeederQuestion
    files: Mapping[str, tuple[str, bytes]]


def default_questions() -> tuple[FeederQuestion, ...]:
    """Return the worked days of the four IEEE feeders."""
    return tuple(FeederQuestion(feeder=key) for key in ("ieee13", "ieee34", "ieee37", "ieee123"))


def checked(questions: Sequence[FeederQuestion]) -> tuple[FeederQuestion, ...]:
    """Return the questions. Raises QuestionError with every problem of every one."""
    if not 1 <= len(questions) <= MOST:
        raise QuestionError(f"{len(questions)} questions are asked at once: 1 to {MOST}")
    found = []
    for at, each in enumerate(questions):
        try:
            each.checked()
        except QuestionError as error:
            found.append(f"question {at + 1}: {error}")
    if found:
        raise QuestionError("; ".join(found))
    return tuple(questions)


def run_several(
    questions: Sequence[FeederQuestion],
    load_dataset: LoadDataset | None = None,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    kept: Kept[list[FeederRow]] | None = None,
) -> SeveralRun:
    """Return the table of the questions' answers, each computed by itself, here or by other workers.

    A question that has no answer has a row that says why; the others go on. ``progress`` is told questions done and
    may stop the run by raising CancelledError; ``kept`` as in :func:`engine.compute.run_map`. Raises QuestionError
    for questions that cannot be asked, and what ``load_dataset`` raises.
    """
    asked = checked(questions)
    started = time.perf_counter()
    tasks = [Task(at, each, _files(each, load_dataset)) for at, each in enumerate(asked)]
    names = [f"question {at + 1}, {each.feeder}" for at, each in enumerate(asked)]
    tables = run_map(rows_of, tasks, names=names, workers=workers, progress=progress, kept=kept)
    provenance = {
        "question_digests": [each.digest for each in asked],
        "workers": workers.words(),
        "headroom": version("headroom"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_s": time.perf_counter() - started,
    }
    return SeveralRun(asked, tuple(row for rows in tables for row in rows), provenance)


def rows_of(task: Task) -> list[FeederRow]:
    """Return the rows of one question: of its cases, or one that says why there are none."""
    question, started = task.question, time.perf_counter()

    def load(digest: str) -> tuple[str, bytes]:
        return task.files[digest]

    try:
        run = run_feeder(question, load)
    except CancelledError:
        raise
    except EngineError as error:
        nothing = (None,) * 12
        spent = time.perf_counter() - started
        name = question.dataset[:12] or question.feeder
        return [FeederRow(task.place, name, len(question.of_day), *nothing, "failed", spent, str(error))]
    return [_row(task.place, run, case) for case in run.cases]


def dump_rows(rows: list[FeederRow]) -> bytes:
    """Return a question's rows as JSON, for :class:`engine.compute.Kept`."""
    return json.dumps([asdict(row) for row in rows], allow_nan=False).encode()


def load_rows(content: bytes) -> list[FeederRow]:
    """Return what :func:`dump_rows` wrote. Raises UncertaintyDataError for anything else."""
    try:
        return [FeederRow(**row) for row in json.loads(content)]
    except (ValueError, TypeError):
        raise UncertaintyDataError("not the rows of a feeder question") from None


def _files(question: FeederQuestion, load_dataset: LoadDataset | None) -> dict[str, tuple[str, bytes]]:
    named = [digest for digest in (question.dataset, question.workload) if digest]
    if named and load_dataset is None:
        raise QuestionError(f"the file {named[0]:.12} that the question names is not at hand")
    return {} if load_dataset is None else {digest: load_dataset(digest) for digest in named}


def _row(place: int, run: FeederRun, case: CaseRun) -> FeederRow:
    volts = np.abs(case.phasors[:, len(run.nodes) - _below_source(run) :])
    return FeederRow(
        question=place,
        feeder=run.feeder.name,
        hours=len(run.labels),
        svg=case.svg,
        cost=float(case.cost_per_h.sum()),
        penalty=float(case.penalty_per_h.sum()),
        bill=float(case.bill_active.sum() + case.bill_reactive.sum()),
        lowest_pu=float(volts.min()),
        highest_pu=float(volts.max()),
        vuf=float(case.vuf.max()) if case.vuf.size else None,
        loading=float(case.ac_loading.max(initial=0.0)),
        loss_mwh=float(case.loss_ac_mva.real.sum()),
        error_pu=float(np.abs(case.error_pu).max()),
        flags=len(case.facts["flags"]),
        violations=len(case.facts["violations"]),
        status=str(case.facts["method"]["status"]),
        time_s=float(case.facts["time_s"]),
    )


def _below_source(run: FeederRun) -> int:
    """Return the number of nodes that are not the source's."""
    return sum(bus != run.feeder.source_bus for bus, _ in run.nodes)
