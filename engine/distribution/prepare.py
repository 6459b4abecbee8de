"""A feeder study's question as a case: the feeder with its edits, the hours, prices, loads, sun and work."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.distribution.case import FeederCase
from engine.distribution.cases import assumptions, availability, day, furnished, workload_of
from engine.distribution.feeder import Feeder
from engine.distribution.files import from_json
from engine.distribution.question import FeederQuestion
from engine.distribution.workload import BatchJob, Workload, from_csv
from engine.errors import NetworkDataError, QuestionError

LoadDataset = Callable[[str], tuple[str, bytes]]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The case of a question and where its numbers come from."""

    question: FeederQuestion
    case: FeederCase
    workload: Workload
    assumptions: tuple[str, ...]
    own_models: tuple[str, ...]  # of the loads, by their rows, whatever the question takes them for


def prepare(question: FeederQuestion, load_dataset: LoadDataset | None = None) -> Prepared:
    """Return the case of a question. Raises QuestionError with every problem, and what reading its files raises."""
    question.checked()
    if question.dataset:
        feeder = from_json(_file(question.dataset, load_dataset))
        told: tuple[str, ...] = (
            f"Prices, load shares, sun and work that the question does not give are synthetic, seed {question.seed}.",
        )
    else:
        feeder, told = furnished(question.feeder), assumptions(question.feeder, question.seed)
    own = tuple(row.model for row in replace(question, loads="own").edited(feeder).loads)
    feeder = question.edited(feeder)
    today, hours = day(question.seed), np.array(question.of_day)
    price = np.array(question.price_per_mwh) if question.price_per_mwh else today.price_per_mwh[hours]
    load = np.array(question.load_share) if question.load_share else today.load_share[hours]
    sun = np.array(question.sun_share) if question.sun_share else today.sun_share[hours]
    labels = question.labels
    case = FeederCase.of(feeder, price, load, availability(feeder, sun), labels)
    if question.workload:
        workload = from_csv(_text(_file(question.workload, load_dataset)), case.hours)
    else:
        workload = of_hours(workload_of(feeder, seed=question.seed), question.of_day) if feeder.centres else Workload(
            np.zeros(case.hours)
        )  # fmt: skip
    return Prepared(question, case, workload, (*told, *_told(question, feeder)), own)


def _told(question: FeederQuestion, feeder: Feeder) -> list[str]:
    """Return what the answer leaves out, or takes as it is not, in sentences."""
    named = [row.name for row in feeder.centres if row.battery]
    how = "at least cost at the substation's prices" if question.method == "given" else "with its work"
    slope = question.reactive_slope_per_mvar2h
    priced = [
        f"Each Mvar of a generator or a static var generator makes its Mvarh {slope:g} $ dearer: our own choice, so "
        "that reactive power is not free. It keeps static var generators below their limits where they gain less."
    ] if slope else []  # fmt: skip
    found = [
        f"The aggregator runs the batteries of {', '.join(named)} {how}; each site keeps its power factor at its "
        "connection, and none feeds into the network."
    ] if named else []  # fmt: skip
    new = [edit.name or f"centre {edit.bus}" for edit in question.edits if edit.kind == "add centre"]
    if new:
        found.append(
            f"{', '.join(new)} {'is' if len(new) == 1 else 'are'} like the data centres of the worked days: PUE 1.2, "
            "power factor 0.95 lagging, 15 % of the most drawn without work."
        )
    found = [*priced, *found]
    if question.method != "given":
        found.append(
            "Draws are decided on the linear flow at the AC solutions of the work divided evenly; prices and bills are "
            "those at the AC solutions of the draws themselves, so they differ a little from what was expected. The "
            "gap to the best draws is proved again on the linear flow of the bill. There draws are decided again, at "
            "most twice and a little off all limits; the best answer is kept."
        )
    return found


def of_hours(workload: Workload, hours: tuple[int, ...]) -> Workload:
    """Return the part of a day's work that falls to ``hours``, which rise: of a job, the share of its hours."""
    jobs: list[BatchJob] = []
    for job in workload.jobs:
        inside = [at for at, hour in enumerate(hours) if job.first <= hour <= job.last]
        if inside:
            share = len(inside) / (job.last - job.first + 1)
            jobs.append(replace(job, first=inside[0], last=inside[-1], work=job.work * share))
    return Workload(workload.interactive[list(hours)], tuple(jobs))


def _file(digest: str, load_dataset: LoadDataset | None) -> bytes:
    if load_dataset is None:
        raise QuestionError(f"the file {digest:.12} that the question names is not at hand")
    return load_dataset(digest)[1]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NetworkDataError("the file of work is not UTF-8 text") from None
