"""The answer to a whole capacity question: outages, redispatch and periods included.

The page answers a plain question itself, on margins that are kept; what takes longer is a job that calls
:func:`answer`. The job keeps the margins that it used, rows after outages included, for cards and products.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from engine.capacity.allocation import allocate
from engine.capacity.archive import pack, unpack
from engine.capacity.margins import FORMAT, Prepared, prepare
from engine.capacity.periods import positions, split, worst_of, year_round
from engine.capacity.question import CapacityQuestion, check_conditions
from engine.capacity.results import CapacityResult
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import States
from engine.compute import Artifacts, Progress
from engine.network.factors import Factors
from engine.network.model import Integers, Network, Vector
from engine.redispatch.joint import redispatch_answer
from engine.redispatch.kept import JointProofs

Margins = tuple[tuple[str, Prepared], ...]  # the year's, named "", then the periods'; none with redispatch
_STEPS = 100  # of the progress of one period


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The year-round result, and that of each period where the question asks for periods."""

    result: CapacityResult
    periods: tuple[tuple[str, CapacityResult], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "result": self.result.to_json(),
            "periods": [{"name": name, "result": result.to_json()} for name, result in self.periods],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the answer of :meth:`to_json`."""
        return cls(
            result=CapacityResult.from_json(content["result"]),
            periods=tuple((row["name"], CapacityResult.from_json(row["result"])) for row in content["periods"]),
        )


def needs_job(question: CapacityQuestion) -> bool:
    """Return whether the question is more than one allocation on margins that are kept."""
    return question.security != "base" or question.recourse != "none" or question.period != "year"


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """An answer with what it was made from and what proves it, by period: "" for the year as a whole."""

    answer: Answer
    margins: Margins  # with all rows that were needed; none with redispatch
    proofs: tuple[tuple[str, JointProofs], ...]  # of answers with redispatch


def answer(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    margins: Prepared | Factors | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Return the whole answer. ``margins`` of the same states, or factors of the network, save making them.

    Raises QuestionError, UncertaintyDataError or SolverError, and what ``progress`` raises.
    """
    return work_out(network, question, states, margins=margins, progress=progress).answer


def work_out(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    margins: Prepared | Factors | None = None,
    progress: Progress | None = None,
) -> Worked:
    """Return the answer of :func:`answer` with its margins and proofs."""
    check_conditions(question)
    prepared = margins if isinstance(margins, Prepared) else None
    factors = margins.factors if isinstance(margins, Prepared) else margins
    solve = _Solve(network, question, factors or Factors.of(network))
    if question.period == "year":
        result = solve("", states, prepared, progress)
        return Worked(Answer(result), tuple(solve.margins), tuple(solve.proofs))
    solve.parts = tuple(at for _, at in positions(states.sample, question))
    parts = [(name, replace(states, sample=sample)) for name, sample in split(states.sample, question)]
    each = [] if question.recourse == "redispatch" else [solve.prepare(part) for _, part in parts]
    if each:
        prepared = worst_of(prepared or solve.prepare(states), each, question)
    count = len(parts) + 1
    year = solve("", states, prepared, _share(progress, 0, count))
    floors = [np.array(level.capacity_mw) for level in year.levels]
    results = [
        (name, solve(name, part, each[place] if each else None, _share(progress, place + 1, count), floors))
        for place, (name, part) in enumerate(parts)
    ]
    whole = Answer(year_round(question, year, results, each), tuple(results))
    return Worked(whole, tuple(solve.margins), tuple(solve.proofs))


class _Solve:
    """One allocation after another on the same network, with the outages made once."""

    def __init__(self, network: Network, question: CapacityQuestion, factors: Factors) -> None:
        self.network = network
        self.question = question
        self.factors = factors
        self.parts: tuple[Integers, ...] = ()  # of all states, each with its risk by itself; none: one
        self.margins: list[tuple[str, Prepared]] = []
        self.proofs: list[tuple[str, JointProofs]] = []
        nothing = question.security == "base" or question.recourse != "none"
        self.outages = None if nothing else outages_of(network, question, factors)

    def prepare(self, states: States) -> Prepared:
        """Return the margins of some states, without outages."""
        return prepare(self.network, self.question, states, factors=self.factors)

    def __call__(
        self,
        name: str,
        states: States,
        prepared: Prepared | None,
        progress: Progress | None,
        floors: Sequence[Vector] = (),
    ) -> CapacityResult:
        """Return the answer for a part of the year, "" for all of it; no level is below its floor (K,)."""
        question, parts = self.question, () if name else self.parts
        if question.recourse == "redispatch":
            joint = redispatch_answer(
                self.network,
                question,
                states,
                factors=self.factors,
                progress=progress,
                parts=parts,
                floor_mw=floors[0] if floors else None,
            )
            self.proofs += [] if joint.proofs is None else [(name, joint.proofs)]
            return joint.result
        prepared = prepared or self.prepare(states)
        secure = None if self.outages is None else Secure(prepared, question, states, self.outages, parts)
        result = allocate(prepared, question, secure, progress, floors_mw=floors)
        self.margins.append((name, prepared if secure is None else secure.prepared))
        return result


def _share(progress: Progress | None, place: int, count: int) -> Progress | None:
    """Return the progress of one period out of ``count``."""
    if progress is None:
        return None
    whole: Callable[[int, int], None] = progress

    def report(done: int, total: int) -> None:
        whole(_STEPS * place + _STEPS * done // max(1, total), _STEPS * count)

    return report


def keep(artifacts: Artifacts, arguments: Mapping[str, Any], worked: Worked) -> list[str]:
    """Keep the margins and proofs of an answer as files and return their keys; ``arguments`` are those of its job."""
    files = {_key(arguments, "margins", name): prepared.save() for name, prepared in worked.margins}
    files |= {_key(arguments, "proofs", name): proofs.save() for name, proofs in worked.proofs}
    names = np.array([name for name, _ in worked.margins], dtype=np.str_)
    files[_key(arguments, "index", "")] = pack({"names": names}, {"format": FORMAT})
    for key, content in files.items():
        artifacts.save(key, content)
    return list(files)


def open_margins(
    artifacts: Artifacts, arguments: Mapping[str, Any], network: Network, factors: Factors | None = None
) -> Margins | None:
    """Return the margins that an answer's job kept, by period; None when a file is gone (then submit the job)."""
    index = artifacts.open(_key(arguments, "index", ""))
    if index is None:
        return None
    found: list[tuple[str, Prepared]] = []
    for name in unpack(index)[0]["names"].tolist():
        path = artifacts.open(_key(arguments, "margins", name))
        if path is None:
            return None
        found.append((name, Prepared.load(path, network, factors)))
    return tuple(found)


def open_proofs(artifacts: Artifacts, arguments: Mapping[str, Any], period: str = "") -> JointProofs | None:
    """Return what proves an answer with redispatch in a period; None when the file is gone or there was none."""
    path = artifacts.open(_key(arguments, "proofs", period))
    return None if path is None else JointProofs.load(path)


def _key(arguments: Mapping[str, Any], what: str, period: str) -> str:
    content = {"format": FORMAT, "what": what, "period": period, **arguments}
    return (
        f"answer-{hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()[:40]}.npz"
    )
