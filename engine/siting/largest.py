"""The largest size that qualifies at each candidate, to within a step, and how many qualify at every size.

The gate's question with a ladder of sizes, of which none costs much: :mod:`engine.siting.gate.qualify` decides what a
pass rate turns on, and nothing else. A size is decided by proofs on both sides: it qualifies where dispatches show that
enough (hour, outage) pass, it does not where multipliers show that too many fail.

A load may relieve an outage that fails without it, so that a size may fail and a larger one qualify. The largest size
is the largest of the ladder that qualifies; at which candidates every smaller one qualifies too is told beside it.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.capacity.question import OutageRating
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Flags, Integers, Vector
from engine.program import SOLVER
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.envelopes import Envelope, envelope_from_json
from engine.siting.gate.bounds import FAILED, PASSED, UNKNOWN
from engine.siting.gate.model import GateModel
from engine.siting.gate.qualify import Qualifier, Verdicts
from engine.siting.gate.question import GateQuestion

FORMAT = "headroom-largest-sizes-2"
STEP_MW, CAP_MW = 10.0, 2000.0
MOST_SIZES, MOST_HOURS = 20_000, 500
_TOGETHER, _TOGETHER_HOURS = 64, 24  # candidates of one task, in up to so many hours: fewer in more
_ROUND = 4  # tasks begun at once where the time is limited


def ladder(step_mw: float = STEP_MW, cap_mw: float = CAP_MW) -> tuple[float, ...]:
    """Return the multiples of a step up to a cap, MW. Raises QuestionError where there is none, or too many."""
    if not (0.0 < step_mw <= cap_mw < np.inf) or cap_mw / step_mw > MOST_SIZES:
        raise QuestionError(f"sizes by {step_mw:g} MW to {cap_mw:g} MW: 1 to {MOST_SIZES:,} steps are possible")
    return tuple((step_mw * np.arange(1, int(cap_mw / step_mw + 1e-9) + 1)).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class LargestSizes:
    """Which of K sizes qualify at C candidates under E envelopes."""

    case_digest: str
    contingencies_digest: str
    labels: tuple[str, ...]  # (T,), of the hours
    buses: Integers  # (C,), positions
    envelopes: tuple[Envelope, ...]
    sizes_mw: tuple[float, ...]  # (K,), rising
    threshold: float
    rating: str
    verdicts: Verdicts  # (E, C, K): 1 qualifies, 0 does not, -1 not decided
    solver: str
    # Of the run and not of its answer, so that the same question gives the same file: neither is saved.
    time_s: float = 0.0  # of the processor, of all tasks
    counts: Mapping[str, int] = field(default_factory=dict)  # of what was solved

    def qualified(self, envelope: str, nameplate_mw: float) -> Verdicts:
        """Return (C,): 1 where a size qualifies, 0 where not, -1 where open. Raises QuestionError for other sizes."""
        place = int(np.abs(np.array(self.sizes_mw) - nameplate_mw).argmin())
        if abs(self.sizes_mw[place] - nameplate_mw) > 1e-6:
            raise QuestionError(f"{nameplate_mw:g} MW is none of the sizes that were asked")
        found: Verdicts = self.verdicts[self._place(envelope), :, place]
        return found

    def largest_mw(self, envelope: str) -> tuple[Vector, Vector]:
        """Return for each candidate (C,) the largest size that qualifies, and the largest that may; 0 for none.

        They are equal where all is decided.
        """
        verdict = self.verdicts[self._place(envelope)]
        return self._last(verdict == PASSED), self._last(verdict != FAILED)

    def falls(self, envelope: str) -> Flags:
        """Return for which candidates (C,) every size up to the largest that qualifies does so too."""
        verdict = self.verdicts[self._place(envelope)]
        found: Flags = ((verdict == PASSED).sum(axis=1)) == self._steps(verdict == PASSED)
        return found

    def counts_by_size(self, envelope: str) -> tuple[Integers, Integers]:
        """Return how many candidates qualify at each size (K,), and for how many that is open."""
        verdict = self.verdicts[self._place(envelope)]
        return (verdict == PASSED).sum(axis=0), (verdict == UNKNOWN).sum(axis=0)

    def _steps(self, some: Flags) -> Integers:
        found: Integers = np.where(some.any(axis=1), some.shape[1] - some[:, ::-1].argmax(axis=1), 0)
        return found

    def _last(self, some: Flags) -> Vector:
        found: Vector = np.append(0.0, self.sizes_mw)[self._steps(some)]
        return found

    def _place(self, envelope: str) -> int:
        names = [own.name for own in self.envelopes]
        if envelope not in names:
            raise QuestionError(f"no envelope {envelope!r} was asked")
        return names.index(envelope)

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        meta: dict[str, Any] = {name: getattr(self, name) for name in _META}
        meta |= {"format": FORMAT, "envelopes": [asdict(own) for own in self.envelopes]}
        return pack({"buses": self.buses, "verdicts": self.verdicts}, meta)

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of largest sizes of this version")
        known: dict[str, Any] = {name: meta[name] for name in _META}
        known |= {name: tuple(meta[name]) for name in ("labels", "sizes_mw")}
        known |= {name: np.array(arrays[name]) for name in ("buses", "verdicts")}
        return cls(**known, envelopes=tuple(envelope_from_json(own) for own in meta["envelopes"]))


_META = ("case_digest", "contingencies_digest", "labels", "sizes_mw", "threshold", "rating", "solver")


def largest_sizes(  # noqa: PLR0913 (the case and the question, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    question: GateQuestion,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    budget_s: float | None = None,
    together: int | None = None,
) -> LargestSizes:
    """Decide which sizes of a question qualify at each candidate: a ladder of many costs little more than a few.

    A task is a group of ``together`` candidates in all hours; no verdict depends on the groups. Tasks are begun until
    ``budget_s`` is spent, what is begun is ended, and the candidates of the others stay open. ``progress`` counts
    tasks and may raise CancelledError; with ``artifacts`` a run that was stopped goes on where it was.
    Raises QuestionError where the contingencies are of another network, weights are not those of the hours, or hours
    or sizes are too many.
    """
    weight = question.weights(case, contingencies)
    if len(case) > MOST_HOURS or len(question.sizes_mw) > MOST_SIZES:
        raise QuestionError(
            f"{len(case):,} hours and {len(question.sizes_mw):,} sizes: {MOST_HOURS} and {MOST_SIZES:,} at most"
        )
    sizes = np.unique(question.sizes_mw)
    at_once = together or max(4, min(_TOGETHER, _TOGETHER * _TOGETHER_HOURS // len(case)))
    groups = [np.arange(first, min(first + at_once, len(question.buses)))
              for first in range(0, len(question.buses), at_once)]  # fmt: skip
    tasks = [
        _Task(
            case, contingencies, question.buses[group], question.envelopes, sizes, question.threshold, question.rating,
            weight,
        )
        for group in groups
    ]  # fmt: skip
    verdicts = np.full((len(question.envelopes), len(question.buses), len(sizes)), UNKNOWN, dtype=np.int8)
    counts: Counter[str] = Counter()
    spent, start, step = 0.0, time.perf_counter(), len(tasks) if budget_s is None else _ROUND

    def told(first: int) -> Progress | None:
        return None if progress is None else lambda done, _: progress(first + done, len(tasks))

    for first in range(0, len(tasks), step):
        if budget_s is not None and time.perf_counter() - start >= budget_s:
            break
        some = slice(first, first + step)
        kept = None if artifacts is None else Kept(artifacts, [task.key() for task in tasks[some]], _dump, _load)
        names = [f"candidates {group[0] + 1} to {group[-1] + 1}" for group in groups[some]]
        done = run_map(decide_group, tasks[some], names=names, workers=workers, progress=told(first), kept=kept)
        for group, (found, time_s, solved) in zip(groups[some], done, strict=True):
            verdicts[:, group] = found
            spent += time_s
            counts.update(solved)
    return LargestSizes(
        case_digest=case.digest,
        contingencies_digest=contingencies.digest,
        labels=case.labels,
        buses=question.buses,
        envelopes=question.envelopes,
        sizes_mw=tuple(sizes.tolist()),
        threshold=question.threshold,
        rating=question.rating,
        verdicts=verdicts,
        solver=SOLVER,
        time_s=spent,
        counts=dict(counts),
    )


@dataclass(frozen=True, eq=False)
class _Task:
    case: SitingCase
    contingencies: Contingencies
    buses: Integers
    envelopes: tuple[Envelope, ...]
    sizes_mw: Vector
    threshold: float
    rating: OutageRating
    weight: Vector

    def key(self) -> str:
        text = f"{FORMAT} {self.case.digest} {self.contingencies.digest} {self.rating} {self.threshold!r} "
        found = hashlib.sha256((text + repr([own.to_json() for own in self.envelopes])).encode())
        for part, kind in ((self.buses, "<i8"), (self.contingencies.same_as, "<i8")):
            found.update(np.ascontiguousarray(part, dtype=kind).tobytes())
        for numbers in (self.sizes_mw, self.weight):
            found.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
        return f"largest-{found.hexdigest()[:40]}.npz"


_Decided = tuple[Verdicts, float, Mapping[str, int]]  # (E, c, K) of a group, processor seconds, what was solved


def decide_group(task: _Task) -> _Decided:
    """Decide the sizes of a group of candidates in all hours."""
    start = time.process_time()
    model = GateModel.of(task.contingencies, task.buses, task.rating)
    state = Qualifier.of(model, task.case, task.weight, task.envelopes, task.sizes_mw, task.threshold)
    state.begin()
    verdicts = np.array([state.decide(bus) for bus in range(len(task.buses))])
    return verdicts.transpose(1, 0, 2), time.process_time() - start, dict(state.counts)


def _dump(found: _Decided) -> bytes:
    return pack({"verdicts": found[0]}, {"time_s": found[1], "counts": dict(found[2])})


def _load(content: bytes) -> _Decided:
    arrays, meta = unpack(content)
    return np.array(arrays["verdicts"]), float(meta["time_s"]), meta["counts"]
