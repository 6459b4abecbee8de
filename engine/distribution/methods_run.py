"""All methods side by side on the day of one feeder question: what a page shows, and its file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from engine.distribution.aggregator import Fleet
from engine.distribution.best_response import Loop
from engine.distribution.compare import CompareOptions, Comparison, Tell, compare
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.frames import Matrix
from engine.distribution.methods import even_point
from engine.distribution.prepare import LoadDataset, Prepared, prepare
from engine.distribution.question import FeederQuestion
from engine.distribution.run import first_points
from engine.distribution.speed import MethodRow, Speed
from engine.errors import QuestionError, UncertaintyDataError
from engine.program import SOLVER

FORMAT = "headroom-feeder-methods-5"
_NOTES = (
    "Every method is judged by the operator's own program on the same linear flow, corrected once at the AC solutions "
    "of the work divided evenly.",
    "Where prices are not determined the aggregator is charged the lowest; what it could be charged at most stands "
    "beside.",
    "Times are by the clock on the wall and depend on what else the machine does.",
)
_POINTS = 5  # of a hundred, for the operating points before the methods begin
_DIGITS = 6
Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class MethodsOptions:
    """Which of the two cases of a question is solved, and what the methods may take."""

    svg: bool = False
    bits: tuple[int, ...] = (4,)
    time_limit_s: float = 30.0  # by the clock on the wall, of each method that has a yes or no in it
    rebuilt_s: float = 300.0  # at most, of the paper's expansion as we rebuild it, which decides the claim; 0: none

    def checked(self) -> Self:
        """Return the options. Raises QuestionError with every number out of its range."""
        found = [f"the number of bits is {each}: 1 to 12" for each in self.bits if not 1 <= each <= 12]
        if len(self.bits) > 4:
            found.append(f"{len(self.bits)} expansions are asked for; at most 4")
        if not 1.0 <= self.time_limit_s <= 36_000.0:
            found.append(f"the time of a method is {self.time_limit_s:g} s: 1 to 36,000")
        if not 0.0 <= self.rebuilt_s <= 36_000.0:
            found.append(f"the time of the expansion as we rebuild it is {self.rebuilt_s:g} s: 0 to 36,000")
        if found:
            raise QuestionError("; ".join(found))
        return self

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        times = {"time_limit_s": float(self.time_limit_s), "rebuilt_s": float(self.rebuilt_s)}
        return {"svg": self.svg, "bits": list(self.bits), **times}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the options that :meth:`to_json` wrote. Raises QuestionError for anything else."""
        told = "a comparison of methods needs its options as it gave them"
        if set(content) != set(cls.__dataclass_fields__) or not isinstance(content["svg"], bool):
            raise QuestionError(told)
        try:
            times = float(content["time_limit_s"]), float(content["rebuilt_s"])
            return cls(content["svg"], tuple(int(k) for k in content["bits"]), *times)
        except (TypeError, ValueError):
            raise QuestionError(told) from None


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one method decides: draws, what they are charged and what batteries do, by hour and data centre."""

    draw_kw: Rows  # (T, C), from the network
    price_per_mwh: Rows  # (T, C), reactive power included
    charge_kw: Rows = ()  # (T, C), into the batteries; () where no data centre has one, as both below
    discharge_kw: Rows = ()  # (T, C), out of them
    held_kwh: Rows = ()  # (T, C), in them at the end of the hour


@dataclass(frozen=True, slots=True)
class Course:
    """A best response, round by round. ``cycle``: rounds until it comes back; 1: it stands still; None: neither."""

    method: str
    payment: tuple[float, ...]  # $, delay included, at the prices posted in each round
    total_kw: Rows  # (rounds, T), of all data centres
    cycle: int | None
    cycle_kw: tuple[Rows, ...]  # (cycle, T, C), the rounds that it goes round in; () without a cycle


@dataclass(frozen=True, slots=True)
class MethodsRun:
    """The table, the schedules in its order, the best responses, and what could not be run and why."""

    question: FeederQuestion
    options: MethodsOptions
    labels: tuple[str, ...]  # (T,)
    centres: tuple[str, ...]  # (C,)
    rows: tuple[MethodRow, ...]
    schedules: tuple[Schedule, ...]
    courses: tuple[Course, ...]
    bound: float  # $, the best that any method proved
    failures: tuple[tuple[str, str], ...]
    speeds: tuple[Speed, ...]  # the exact routes beside the expansions, at the same proved accuracy
    provenance: Mapping[str, Any]

    def row(self, method: str) -> MethodRow | None:
        """Return the row of a method, None where it was not run."""
        return next((row for row in self.rows if row.method == method), None)

    def save(self) -> bytes:
        """Return the JSON bytes that :meth:`load` reads."""
        held = asdict(self) | {"question": self.question.to_json(), "options": self.options.to_json()}
        return json.dumps({"format": FORMAT, **held}, sort_keys=True, allow_nan=False).encode()

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        try:
            held = json.loads(source if isinstance(source, bytes) else source.read_bytes())
            return cls._of(held) if held["format"] == FORMAT else cls._of({})
        except (ValueError, LookupError, TypeError, QuestionError):
            raise UncertaintyDataError("not a file of a comparison of methods of this version") from None

    @classmethod
    def _of(cls, held: Mapping[str, Any]) -> Self:
        return cls(
            FeederQuestion.from_json(held["question"]),
            MethodsOptions.from_json(held["options"]),
            tuple(held["labels"]),
            tuple(held["centres"]),
            tuple(
                MethodRow(**{**row, "notes": tuple(row["notes"]), "needed": tuple(row["needed"])})
                for row in held["rows"]
            ),
            tuple(Schedule(**{name: _rows(each) for name, each in row.items()}) for row in held["schedules"]),
            tuple(_course(row) for row in held["courses"]),
            float(held["bound"]),
            tuple((str(name), str(why)) for name, why in held["failures"]),
            tuple(Speed(**row) for row in held["speeds"]),
            held["provenance"],
        )


def run_methods(
    question: FeederQuestion,
    options: MethodsOptions | None = None,
    load_dataset: LoadDataset | None = None,
    *,
    tell: Tell | None = None,
) -> MethodsRun:
    """Return the methods on the question's day; its own method, draws and scenarios do not matter.

    The linear flow is corrected once at the AC solutions of the work divided evenly, and stays there for all methods.
    ``tell`` is given parts done of a hundred and may raise CancelledError. Raises what preparing the question, AC
    solutions and the price taker raise.
    """
    chosen = (options or MethodsOptions()).checked()
    say = tell or (lambda _done, _total, _message: None)
    prepared = prepare(question, load_dataset)
    if not prepared.case.feeder.centres:
        raise QuestionError(f"feeder {prepared.case.feeder.name!r} has no data centre that could choose anything")
    say(0, 100, "operating points")
    limits = question.options(compensators=chosen.svg)
    points = first_points(prepared, limits, lambda: say(0, 100, "operating points"))
    problem = Coordination.of(prepared.case, prepared.workload, limits, points)
    asked = CompareOptions(
        chosen.bits, time_limit_s=chosen.time_limit_s, rebuilt_s=chosen.rebuilt_s, seed=question.seed
    )
    found = compare(
        problem, asked, lambda done, total, name: say(_POINTS + (100 - _POINTS) * done // total, 100, name),
        even=even_point(question, problem, prepared.workload),
    )  # fmt: skip
    say(100, 100, "done")
    return _run_of(prepared, chosen, found, problem.fleet)


def _run_of(prepared: Prepared, options: MethodsOptions, found: Comparison, fleet: Fleet) -> MethodsRun:
    case, question = prepared.case, prepared.question
    provenance = {
        "feeder_digest": case.feeder.digest,
        "case_digest": case.digest,
        "question_digest": question.digest,
        "origin": case.feeder.origin,
        "assumptions": [*prepared.assumptions, *_NOTES],
        "solver": SOLVER,
        "headroom": version("headroom"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return MethodsRun(
        question=question,
        options=options,
        labels=case.labels,
        centres=tuple(row.name for row in case.feeder.centres),
        rows=found.rows,
        schedules=tuple(_schedule(each, fleet) for each in found.outcomes),
        courses=tuple(_course_of(each) for each in found.loops),
        bound=found.bound,
        failures=found.failures,
        speeds=found.speeds,
        provenance=provenance,
    )


def _schedule(outcome: Outcome, fleet: Fleet) -> Schedule:
    kept = (_plain(1000.0 * each) for each in fleet.storage(outcome.point)) if len(fleet.batteries.centre) else ()
    return Schedule(_plain(1000.0 * outcome.draws_mw), _plain(outcome.price_per_mwh), *kept)


def _course_of(loop: Loop) -> Course:
    course = [_plain(1000.0 * each) for each in loop.draws_mw]
    total = tuple(tuple(round(sum(row), _DIGITS) for row in each) for each in course)
    going_round = () if loop.cycle is None or loop.cycle == 1 else tuple(course[-loop.cycle :])
    payment = tuple(round(float(each), _DIGITS) for each in loop.payments)
    return Course(loop.outcome.method, payment, total, loop.cycle, going_round)


def _course(held: Mapping[str, Any]) -> Course:
    cycle = tuple(_rows(each) for each in held["cycle_kw"])
    payment = tuple(float(each) for each in held["payment"])
    return Course(held["method"], payment, _rows(held["total_kw"]), held["cycle"], cycle)


def _plain(values: Matrix) -> Rows:
    return tuple(tuple(round(float(value), _DIGITS) for value in row) for row in values)


def _rows(held: Any) -> Rows:
    return tuple(tuple(float(value) for value in row) for row in held)
