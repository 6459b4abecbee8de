"""What data centres have to do in a day: interactive work, hour by hour, and batch jobs with release and deadline."""

import csv
import io
import math
from dataclasses import dataclass

import numpy as np

from engine.distribution.frames import Vector
from engine.errors import FileFormatError, Problem, QuestionError

COLUMNS = ("kind", "name", "first_hour", "last_hour", "work", "delay_price")


@dataclass(frozen=True, slots=True)
class BatchJob:
    """Work that may be done in any hours from its first to its last, at any data centre, in any parts."""

    name: str
    first: int  # counted from 0
    last: int  # counted from 0, itself allowed
    work: float
    delay_price: float = 0.0  # $ for each unit of work and each hour after the first


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """T hours of work; ``interactive`` is done in the hour it arrives, at any data centre."""

    interactive: Vector  # (T,), units of work
    jobs: tuple[BatchJob, ...] = ()

    @property
    def hours(self) -> int:
        """Return the number of hours, T."""
        return len(self.interactive)

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the numbers themselves."""
        found = [
            Problem("range", "error", f"interactive work of hour {hour + 1} is {self.interactive[hour]:g}; it must be "
                    "a number of at least 0", "workload", element=f"hour {hour + 1}")
            for hour in np.flatnonzero(~(np.isfinite(self.interactive) & (self.interactive >= 0.0))).tolist()
        ]  # fmt: skip
        names: set[str] = set()
        for at, job in enumerate(self.jobs):
            found += [Problem("job", "error", text, "jobs", at, element=job.name) for text in _wrong(job, self.hours)]
            if job.name in names:
                found.append(Problem("name", "error", f"two jobs are named {job.name}", "jobs", at, element=job.name))
            names.add(job.name)
        return found


def _wrong(job: BatchJob, hours: int) -> list[str]:
    found = []
    for word, value in (("work", job.work), ("delay price", job.delay_price)):
        if not (math.isfinite(value) and value >= 0.0):
            found.append(f"the {word} of job {job.name} is {value:g}; it must be a number of at least 0")
    if not 0 <= job.first <= job.last < hours:
        found.append(
            f"job {job.name} runs from hour {job.first + 1} to hour {job.last + 1}; the day has the hours 1 to {hours}"
        )
    return found


def seeded(  # noqa: PLR0913 (all but the first by name)
    most_work: float, *, hours: int = 24, seed: int = 0, interactive: float = 0.4, batch: float = 0.2, jobs: int = 6
) -> Workload:
    """Return a day of work for data centres that can do ``most_work`` in an hour, the same for the same seed.

    ``interactive`` and ``batch`` are shares of what they could do in the whole day. Interactive work follows the
    clock: least at four, most at sixteen hours, two thirds around its mean, with 3 % of noise. Batch jobs divide at
    random; each is released within the first half of the day and may take at least a quarter of it.
    Raises QuestionError naming a number out of its range.
    """
    for name, value, low, high in (
        ("most_work", most_work, 0.0, math.inf),
        ("interactive", interactive, 0.0, 1.0),
        ("batch", batch, 0.0, 1.0),
        ("jobs", jobs, 0, 1000),
        ("hours", hours, 1, 8784),
    ):
        if not (math.isfinite(value) and low <= value <= high):
            raise QuestionError(f"{name} is {value:g}; it must be between {low:g} and {high:g}")
    rng = np.random.default_rng(seed)
    clock = np.arange(hours) % 24
    shape = 1.0 - (1.0 / 3.0) * np.cos(2.0 * math.pi * (clock - 4.0) / 24.0)
    arrivals = interactive * most_work * np.clip(shape * rng.normal(1.0, 0.03, hours), 0.0, None)
    shares = rng.dirichlet(np.full(jobs, 3.0)) if jobs else np.zeros(0)
    made = []
    for at, share in enumerate(shares.tolist()):
        first = int(rng.integers(0, max(1, hours // 2)))
        last = int(rng.integers(min(hours - 1, first + hours // 4), hours))
        made.append(BatchJob(f"job {at + 1}", first, last, batch * most_work * hours * share))
    return Workload(arrivals, tuple(made))


def to_csv(workload: Workload) -> str:
    """Return the workload as CSV with the columns ``COLUMNS``; hours are counted from 1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for hour, work in enumerate(workload.interactive.tolist()):
        writer.writerow(["interactive", "", hour + 1, hour + 1, repr(work), 0])
    for job in workload.jobs:
        writer.writerow(["batch", job.name, job.first + 1, job.last + 1, repr(job.work), repr(job.delay_price)])
    return out.getvalue()


def from_csv(text: str, hours: int) -> Workload:
    """Return the workload of a CSV file with the columns ``COLUMNS``; the last may be left out.

    Rows of one hour add up. Raises FileFormatError with every row that cannot be read or is out of range.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in COLUMNS[:-1] if name not in (reader.fieldnames or ())]
    if missing:
        raise FileFormatError(f"the workload has no column {', '.join(missing)}")
    arrivals = np.zeros(hours)
    jobs: list[BatchJob] = []
    problems: list[Problem] = []
    for line, row in enumerate(reader, start=2):
        try:
            job = _job(row)
        except ValueError as error:
            problems.append(Problem("row", "error", f"line {line} of the workload: {error}", "workload", line))
            continue
        wrong = _wrong(job, hours)
        if row["kind"] == "interactive" and job.first != job.last:
            wrong.append("interactive work is done in the hour it arrives: its first and last hour are the same")
        problems += [
            Problem("row", "error", f"line {line} of the workload: {each}", "workload", line) for each in wrong
        ]
        if wrong:
            continue
        if row["kind"] == "interactive":
            arrivals[job.first] += job.work
        else:
            jobs.append(job)
    found = Workload(arrivals, tuple(jobs))
    problems += found.problems() if not problems else []
    if problems:
        raise FileFormatError(problems)
    return found


def _job(row: dict[str, str | None]) -> BatchJob:
    """Return the row as a job. Raises ValueError in words."""
    told = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if told["kind"] not in {"interactive", "batch"}:
        raise ValueError(f"the kind is {told['kind']!r}; it is interactive or batch")
    numbers = []
    for name in ("first_hour", "last_hour", "work", "delay_price"):
        try:
            numbers.append(float(told[name] or ("0" if name == "delay_price" else "")))
        except ValueError:
            raise ValueError(f"{name} is {told[name]!r}, not a number") from None
    first, last, work, delay = numbers
    if not (first.is_integer() and last.is_integer()):
        raise ValueError(f"the hours {first:g} and {last:g} must be whole numbers")
    return BatchJob(told["name"] or "job", int(first) - 1, int(last) - 1, work, delay)
