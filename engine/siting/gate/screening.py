"""The gate over the hours of a case: each hour, or a part of its candidates, is a task of its own."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.capacity.question import OutageRating
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
from engine.errors import QuestionError
from engine.network.model import Integers, Vector
from engine.program import SOLVER
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate.bounds import FAILED, PASSED
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult, HourVerdicts, hour_of

_ROUND = 4  # tasks begun at once where the time is limited
_MODELS = 2  # kept by a process: tasks of one question share theirs


def screen(  # noqa: PLR0913 (the case and the question, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    question: GateQuestion,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    parts: int = 1,
    budget_s: float | None = None,
) -> GateResult:
    """Decide every candidate, hour, load and contingency.

    Hours are begun in their order until ``budget_s`` is spent; what is begun is ended. The verdicts of the others stay
    open, so that a pass rate is a bracket: order the hours by what should be known first.

    ``parts`` divides the candidates of each hour into so many tasks, for hours that are fewer than the workers. With
    ``artifacts`` what is done is kept as it comes, and a run that was stopped goes on where it was. An hour
    that units cannot balance is no error: every outage of it fails before any load (:meth:`GateResult.intact_fails`).
    Raises QuestionError when the contingencies are of another network, or weights are not those of the hours.
    """
    if case.network.digest != contingencies.network.digest:
        raise QuestionError("the contingencies are of another network than the hours")
    weight = np.array(question.hour_weight or np.ones(len(case)), dtype=np.float64)
    if weight.shape != (len(case),) or not (weight >= 0.0).all() or weight.sum() <= 0.0:
        raise QuestionError(f"{len(case)} hours need as many weights, not negative and not all zero")
    chunks = [chunk for chunk in np.array_split(np.arange(len(question.buses)), max(1, parts)) if chunk.size]
    tasks, names = [], []
    for hour in range(len(case)):
        levels = question.levels(int(case.hour_of_day[hour]))
        for part, chunk in enumerate(chunks):
            one = case.at(np.array([hour]))
            tasks.append(_Task(one, contingencies, question.buses[chunk], levels, question.rating))
            names.append(f"hour {case.labels[hour]}" + (f", part {part + 1}" if len(chunks) > 1 else ""))
    done: list[HourVerdicts] = []
    start, step = time.perf_counter(), len(tasks) if budget_s is None else _ROUND
    for first in range(0, len(tasks), max(step, 1)):
        if budget_s is not None and time.perf_counter() - start >= budget_s:
            break
        some = slice(first, first + step)
        keys = [task.key() for task in tasks[some]]
        kept = None if artifacts is None else Kept(artifacts, keys, _dump, _load)
        tell = None if progress is None else _shifted(progress, first, len(tasks))
        done += run_map(screen_hour, tasks[some], names=names[some], workers=workers, progress=tell, kept=kept)
    whole = len(done) // len(chunks)  # hours of which every part is there
    verdicts: list[HourVerdicts | None] = [None] * len(case)
    verdicts[:whole] = [joined(done[hour * len(chunks) : (hour + 1) * len(chunks)]) for hour in range(whole)]
    network = case.network
    return GateResult(
        case_digest=case.digest,
        contingencies_digest=contingencies.digest,
        labels=case.labels,
        hour_of_day=case.hour_of_day,
        hour_weight=weight / weight.sum(),
        buses=question.buses,
        envelopes=question.envelopes,
        sizes_mw=question.sizes_mw,
        threshold=question.threshold,
        rating=question.rating,
        ids=contingencies.ids,
        case_of=1 + np.searchsorted(contingencies.distinct, contingencies.same_as),
        islanding=tuple(one.words(network) for one in contingencies.islanding),
        verdicts=tuple(verdicts),
        solver=SOLVER,
    )


def _shifted(progress: Progress, first: int, total: int) -> Progress:
    """Return the report of a part of the tasks as one of all of them."""
    return lambda done, _: progress(first + done, total)


@dataclass(frozen=True, eq=False)
class _Task:
    case: SitingCase  # of one hour
    contingencies: Contingencies
    buses: Integers
    levels_mw: Vector
    rating: OutageRating

    def model_key(self) -> bytes:
        text = f"{self.contingencies.digest} {self.rating} ".encode()
        return hashlib.sha256(text + np.ascontiguousarray(self.buses, dtype="<i8").tobytes()).digest()

    def key(self) -> str:
        found = hashlib.sha256(self.model_key() + self.case.digest.encode())
        found.update(np.ascontiguousarray(self.contingencies.same_as, dtype="<i8").tobytes())
        found.update(np.ascontiguousarray(self.levels_mw, dtype="<f8").tobytes())
        return f"gate-{found.hexdigest()[:40]}.npz"


def screen_hour(task: _Task) -> HourVerdicts:
    """Decide one hour."""
    start = time.process_time()
    hour = GateHour.of(_model(task), task.case.state(0))
    solver = HourSolver(hour, task.levels_mw)
    verdicts = solver.solve().verdicts(task.levels_mw)
    return HourVerdicts(
        levels_mw=task.levels_mw,
        passed=np.packbits(verdicts == PASSED, axis=2),
        failed=np.packbits(verdicts == FAILED, axis=2),
        base_fails=solver.base_fails,
        time_s=time.process_time() - start,
        counts=dict(solver.counts),
    )


def joined(parts: list[HourVerdicts]) -> HourVerdicts:
    """Return the parts of one hour, each of other candidates, as one."""
    first = parts[0]
    names = sorted({name for part in parts for name in part.counts})
    return HourVerdicts(
        levels_mw=first.levels_mw,
        passed=np.concatenate([part.passed for part in parts], axis=1),
        failed=np.concatenate([part.failed for part in parts], axis=1),
        base_fails=first.base_fails,
        time_s=sum(part.time_s for part in parts),
        counts={name: sum(part.counts.get(name, 0) for part in parts) for name in names},
    )


_models: OrderedDict[bytes, GateModel] = OrderedDict()


def _model(task: _Task) -> GateModel:
    key = task.model_key()
    if key not in _models:
        _models[key] = GateModel.of(task.contingencies, task.buses, task.rating)
        while len(_models) > _MODELS:
            _models.popitem(last=False)
    return _models[key]


def _dump(found: HourVerdicts) -> bytes:
    arrays = {name: getattr(found, name) for name in ("levels_mw", "passed", "failed", "base_fails")}
    return pack(arrays, {"time_s": found.time_s, "counts": dict(found.counts)})


def _load(content: bytes) -> HourVerdicts:
    arrays, meta = unpack(content)
    return hour_of({name: np.array(array) for name, array in arrays.items()}, meta)
