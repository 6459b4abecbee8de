"""Several feeders at once: a list of feeder questions as independent tasks, and one table of what they come to."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.compute import HERE, Kept, Progress, Workers, run_map
from engine.distribution.frames import Matrix
from engine.distribution.prepare import LoadDataset
from engine.distribution.price_spread import Spread, price_spread
from engine.distribution.question import FeederQuestion
from engine.distribution.run import CaseRun, FeederRun, run_feeder
from engine.errors import CancelledError, EngineError, QuestionError, UncertaintyDataError

FORMAT = "headroom-feeder-several-2"
MOST = 50  # questions


@dataclass(frozen=True, slots=True)
class FeederRow:
    """One case of one question. Numbers are None where ``failure`` says why there are none."""

    question: int  # its place in the list
    feeder: str
    hours: int
    svg: bool | None  # whether static var generators were in service; None: the question failed
    status: str  # of the method
    time_s: float
    cost: float | None = None  # $, of the operator, without what exceeding limits was charged
    bought: float | None = None  # $ of ``cost``, at the substation
    penalty: float | None = None  # $
    bill: float | None = None  # $, of all data centres
    bill_reactive: float | None = None  # $ of ``bill``, for reactive power
    lowest_pu: float | None = None  # voltage in AC
    highest_pu: float | None = None
    centres_pu: float | None = None  # mean voltage at data centres in AC; None without one too
    vuf: float | None = None  # largest share of negative over positive sequence; None without three-phase buses too
    vuf_mean: float | None = None  # over three-phase buses and hours
    loading: float | None = None  # largest share of a link's rating in AC
    loss_mwh: float | None = None  # in AC
    error_pu: float | None = None  # largest distance of a linear voltage from AC
    apart_phase: float | None = None  # $/MWh, largest between phases of one bus in one hour; None with one phase too
    apart_place: float | None = None  # $/MWh, likewise between buses on one phase
    flags: int | None = None  # limits that AC breaks and the linear flow met
    violations: int | None = None  # limits that even the linear flow exceeds
    # Bus or link, phase and hour of an extreme, by the name of its number.
    where: Mapping[str, str] = field(default_factory=dict)
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
        spent = time.perf_counter() - started
        name = question.dataset[:12] or question.feeder
        return [FeederRow(task.place, name, len(question.of_day), None, "failed", spent, failure=str(error))]
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
    inner = [at for at, (bus, _) in enumerate(run.nodes) if bus != run.feeder.source_bus]
    volts, centres = np.abs(case.phasors[:, inner]), run.at_centres(case)
    phase, near = (price_spread(run.nodes, case.active_price, by) for by in ("phase", "place"))
    reactive = float(case.bill_reactive.sum())
    return FeederRow(
        question=place,
        feeder=run.feeder.name,
        hours=len(run.labels),
        svg=case.svg,
        status=str(case.facts["method"]["status"]),
        time_s=float(case.facts["time_s"]),
        cost=float(case.cost_per_h.sum()),
        bought=float(run.price_per_mwh @ case.supply_mva.real),
        penalty=float(case.penalty_per_h.sum()),
        bill=float(case.bill_active.sum()) + reactive,
        bill_reactive=reactive,
        lowest_pu=float(volts.min()),
        highest_pu=float(volts.max()),
        centres_pu=float(centres.mean()) if centres.size else None,
        vuf=float(case.vuf.max()) if case.vuf.size else None,
        vuf_mean=float(case.vuf.mean()) if case.vuf.size else None,
        loading=float(case.ac_loading.max(initial=0.0)),
        loss_mwh=float(case.loss_ac_mva.real.sum()),
        error_pu=float(np.abs(case.error_pu).max()),
        apart_phase=None if phase is None else phase.apart,
        apart_place=None if near is None else near.apart,
        flags=len(case.facts["flags"]),
        violations=len(case.facts["violations"]),
        where=_where(run, case, inner, (phase, near)),
    )


def _where(run: FeederRun, case: CaseRun, inner: list[int], spreads: tuple[Spread | None, ...]) -> dict[str, str]:
    """Return bus or link, phase and hour of each extreme of a row."""
    volts, nodes = np.abs(case.phasors[:, inner]), [run.nodes[at] for at in inner]
    on = [f"bus {bus} on {member}" for bus, member in nodes]
    whole = [f"bus {bus}" for bus in run.three_phase[0]]
    found = {
        "lowest_pu": _place(run, -volts, on),
        "highest_pu": _place(run, volts, on),
        "vuf": _place(run, case.vuf, whole),
        "loading": _place(run, case.ac_loading, [link.name for link in run.feeder.links]),
        "error_pu": _place(run, np.abs(case.error_pu), [f"bus {bus} on {member}" for bus, member in run.nodes]),
    }
    for name, spread in zip(("apart_phase", "apart_place"), spreads, strict=True):
        if spread is not None:
            (dear, high), (cheap, low) = spread.dear, spread.cheap
            found[name] = f"bus {dear} on {high} above bus {cheap} on {low}, {run.labels[spread.hour]}"
    return {name: words for name, words in found.items() if words}


def _place(run: FeederRun, values: Matrix, names: Sequence[str]) -> str:
    """Return where and when the largest of ``values`` (T, K) is, "" of none."""
    if not values.size:
        return ""
    hour, at = np.unravel_index(int(values.argmax()), values.shape)
    return f"{names[int(at)]}, {run.labels[int(hour)]}"
