"""The gate over the hours of a case: each hour, or a part of its candidates, is a task of its own."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.capacity.question import OutageRating
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
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
_TOLD_EVERY_S = 5.0
_MODELS = 2  # kept by a process: tasks of one question share theirs


def screen(  # noqa: PLR0913 (the case and the question, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    question: GateQuestion,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    share: Callable[[float], None] | None = None,
    artifacts: Artifacts | None = None,
    parts: int = 1,
    budget_s: float | None = None,
    partial: Callable[[GateResult], None] | None = None,
) -> GateResult:
    """Decide every candidate, hour, load and contingency.

    Hours are begun in their order until ``budget_s`` is spent; what is begun is ended. The verdicts of the others stay
    open, so that a pass rate is a bracket: order the hours by what should be known first.

    ``progress`` counts tasks; ``share`` is told what share of all is done, tasks that are under way on this machine
    included, and may raise CancelledError too. ``parts`` divides the candidates of each hour into so many tasks,
    for hours that are fewer than the workers. With ``artifacts`` what is done is kept as it comes, and a run that
    was stopped goes on where it was. An hour that units cannot balance is no error: every outage of it fails before
    any load (:meth:`GateResult.intact_fails`).
    ``partial`` is given what is known while hours are still under way, every few seconds.
    Raises QuestionError when the contingencies are of another network, or weights are not those of the hours.
    """
    weight = question.weights(case, contingencies)
    chunks = [chunk for chunk in np.array_split(np.arange(len(question.buses)), max(1, parts)) if chunk.size]
    tasks, names = [], []
    for hour in range(len(case)):
        one = case.at(np.array([hour]))
        levels = question.levels(one)
        for part, chunk in enumerate(chunks):
            tasks.append(_Task(one, contingencies, question.buses[chunk], levels, question.rating))
            names.append(f"hour {case.labels[hour]}" + (f", part {part + 1}" if len(chunks) > 1 else ""))
    done: list[HourVerdicts] = []
    told = _SoFar(case, contingencies, question, weight, len(chunks), partial)
    start, step = time.perf_counter(), len(tasks) if budget_s is None else _ROUND
    for first in range(0, len(tasks), max(step, 1)):
        if budget_s is not None and time.perf_counter() - start >= budget_s:
            break
        some = slice(first, first + step)
        keys = [task.key() for task in tasks[some]]
        kept = None if artifacts is None else Kept(artifacts, keys, _dump, _load)
        with _Inside.of(progress, share, first, len(tasks)) as inside:
            done += run_map(
                screen_hour,
                inside.marked(tasks[some]),
                names=names[some],
                workers=workers,
                progress=inside.report if progress is not None or share is not None else None,
                kept=kept,
                each=told.take_from(first),
            )
    return told.result(dict(enumerate(done)))


class _SoFar:
    """The tasks of a run that are done, and the result that they make: hours of which a part lacks stay open."""

    def __init__(  # noqa: PLR0913, PLR0917 (what a result is made of)
        self,
        case: SitingCase,
        contingencies: Contingencies,
        question: GateQuestion,
        weight: Vector,
        parts: int,
        partial: Callable[[GateResult], None] | None,
    ) -> None:
        self._case, self._contingencies, self._question, self._weight = case, contingencies, question, weight
        self._parts, self._partial = parts, partial
        self._done: dict[int, HourVerdicts] = {}
        self._at = time.monotonic()

    def take_from(self, first: int) -> Callable[[int, HourVerdicts], None]:
        """Return what takes the outcomes of a map whose tasks begin at ``first``, and tells of them now and then."""

        def take(place: int, outcome: HourVerdicts) -> None:
            self._done[first + place] = outcome
            if self._partial is not None and time.monotonic() - self._at >= _TOLD_EVERY_S:
                self._partial(self.result(self._done))
                self._at = time.monotonic()

        return take

    def result(self, done: Mapping[int, HourVerdicts]) -> GateResult:
        """Return the result of the tasks that are done."""
        verdicts: list[HourVerdicts | None] = []
        for hour in range(len(self._case)):
            own = [done.get(hour * self._parts + part) for part in range(self._parts)]
            there = [one for one in own if one is not None]
            verdicts.append(joined(there) if len(there) == self._parts else None)
        case, question, lost = self._case, self._question, self._contingencies
        return GateResult(
            case_digest=case.digest,
            contingencies_digest=lost.digest,
            labels=case.labels,
            hour_of_day=case.hour_of_day,
            hour_weight=self._weight,
            buses=question.buses,
            envelopes=question.envelopes,
            sizes_mw=question.sizes_mw,
            threshold=question.threshold,
            rating=question.rating,
            ids=lost.ids,
            case_of=1 + np.searchsorted(lost.distinct, lost.same_as),
            islanding=tuple(one.words(case.network) for one in lost.islanding),
            verdicts=tuple(verdicts),
            solver=SOLVER,
            onsite_mw=case.onsite_mw,
        )


_STEPS = 100  # of the share that is told, in each task


@dataclass(eq=False)
class _Inside:
    """What is done of some tasks: each notes its share in a file of its own, where it runs on this machine."""

    progress: Progress | None
    share: Callable[[float], None] | None
    first: int  # tasks done before
    total: int
    folder: TemporaryDirectory[str]
    done: int = 0  # tasks of these

    @classmethod
    def of(cls, progress: Progress | None, share: Callable[[float], None] | None, first: int, total: int) -> Self:
        """Return that nothing is done of the tasks from ``first`` on, of a total."""
        return cls(progress, share, first, total, TemporaryDirectory(prefix="gate-"))

    def __enter__(self) -> Self:
        _listeners[self.folder.name] = self
        return self

    def __exit__(self, *_: object) -> None:
        del _listeners[self.folder.name]
        self.folder.cleanup()

    def marked(self, tasks: list["_Task"]) -> list["_Task"]:
        """Return the tasks with the file that each notes in."""
        return [replace(task, note=str(Path(self.folder.name) / str(place))) for place, task in enumerate(tasks)]

    def report(self, done: int, _: int) -> None:
        """Tell how many tasks are done, and the share of all."""
        self.done = done
        if self.progress is not None:
            self.progress(self.first + done, self.total)
        self.tell()

    def tell(self) -> None:
        """Tell the share of all that is done."""
        if self.share is not None:
            begun = sum(file.stat().st_size for file in Path(self.folder.name).iterdir())
            self.share((self.first + max(self.done, begun / _STEPS)) / self.total)


_listeners: dict[str, _Inside] = {}  # of this process


def _note(path: str) -> Callable[[float], None]:
    """Return what notes the share done of a task: as the length of its file, which a reader never sees half written."""
    file = Path(path)

    def tell(share: float) -> None:
        if file.parent.is_dir():
            size = file.stat().st_size if file.exists() else 0
            with file.open("ab") as opened:
                opened.write(b"." * max(0, int(_STEPS * share) - size))
        here = _listeners.get(str(file.parent))
        if here is not None:
            here.tell()

    return tell


@dataclass(frozen=True, eq=False)
class _Task:
    case: SitingCase  # of one hour
    contingencies: Contingencies
    buses: Integers
    levels_mw: Vector
    rating: OutageRating
    note: str = ""  # file for the share that is done

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
    verdicts = solver.solve(_note(task.note) if task.note else None).verdicts(task.levels_mw)
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
