"""The answer to a whole capacity question: outages, redispatch and periods included.

The page answers a plain question itself, on margins that are kept; what takes longer is a job that calls
:func:`answer`. The job keeps the margins that it used, rows after outages included, for cards and products.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from engine.capacity.allocation import allocate
from engine.capacity.archive import pack, unpack
from engine.capacity.margins import FORMAT, Prepared, prepare
from engine.capacity.periods import split, year_round
from engine.capacity.question import CapacityQuestion, check_conditions
from engine.capacity.results import CapacityResult
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import States
from engine.compute import Artifacts, Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network

Margins = tuple[tuple[str, Prepared], ...]  # by the period's name, "" for the year; none with redispatch
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
    return answer_with_margins(network, question, states, margins=margins, progress=progress)[0]


def answer_with_margins(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    margins: Prepared | Factors | None = None,
    progress: Progress | None = None,
) -> tuple[Answer, Margins]:
    """Return the answer, and the margins with all rows that it needed."""
    check_conditions(question)
    prepared = margins if isinstance(margins, Prepared) else None
    factors = margins.factors if isinstance(margins, Prepared) else margins
    solve = _Solve(network, question, factors or Factors.of(network))
    if question.period == "year":
        result, used = solve(states, prepared, progress)
        return Answer(result), () if used is None else (("", used),)
    parts = split(states.sample, question)
    results: list[tuple[str, CapacityResult]] = []
    made: list[tuple[str, Prepared]] = []
    for place, (name, sample) in enumerate(parts):
        result, used = solve(replace(states, sample=sample), None, _share(progress, place, len(parts)))
        results.append((name, result))
        made += [] if used is None else [(name, used)]
    source = "" if states.sample is None else states.sample.source
    return Answer(year_round(question, results, source), tuple(results)), tuple(made)


class _Solve:
    """One allocation after another on the same network, with the outages made once."""

    def __init__(self, network: Network, question: CapacityQuestion, factors: Factors) -> None:
        self.network = network
        self.question = question
        self.factors = factors
        nothing = question.security == "base" or question.recourse != "none"
        self.outages = None if nothing else outages_of(network, question, factors)

    def __call__(
        self, states: States, prepared: Prepared | None, progress: Progress | None
    ) -> tuple[CapacityResult, Prepared | None]:
        question = self.question
        if question.recourse == "redispatch":
            raise QuestionError("redispatch is not part of this answer")
        if prepared is None:
            prepared = prepare(self.network, question, states, factors=self.factors)
        if self.outages is None:
            return allocate(prepared, question, None, progress), prepared
        secure = Secure(prepared, question, states, self.outages)
        result = allocate(prepared, question, secure, progress)
        return result, secure.prepared


def _share(progress: Progress | None, place: int, count: int) -> Progress | None:
    """Return the progress of one period out of ``count``."""
    if progress is None:
        return None
    whole: Callable[[int, int], None] = progress

    def report(done: int, total: int) -> None:
        whole(_STEPS * place + _STEPS * done // max(1, total), _STEPS * count)

    return report


def keep_margins(artifacts: Artifacts, arguments: Mapping[str, Any], margins: Margins) -> list[str]:
    """Keep the margins of an answer as files and return their keys. ``arguments`` are those of its job."""
    keys = [_key(arguments, name) for name, _ in margins]
    for key, (_, prepared) in zip(keys, margins, strict=True):
        artifacts.save(key, prepared.save())
    names = np.array([name for name, _ in margins], dtype=np.str_)
    artifacts.save(_key(arguments, None), pack({"names": names}, {"format": FORMAT}))
    return [_key(arguments, None), *keys]


def open_margins(
    artifacts: Artifacts, arguments: Mapping[str, Any], network: Network, factors: Factors | None = None
) -> Margins | None:
    """Return the margins that an answer's job kept, by period; None when a file is gone (then submit the job)."""
    index = artifacts.open(_key(arguments, None))
    if index is None:
        return None
    found: list[tuple[str, Prepared]] = []
    for name in unpack(index)[0]["names"].tolist():
        path = artifacts.open(_key(arguments, name))
        if path is None:
            return None
        found.append((name, Prepared.load(path, network, factors)))
    return tuple(found)


def _key(arguments: Mapping[str, Any], period: str | None) -> str:
    text = json.dumps({"format": FORMAT, "period": period, **arguments}, sort_keys=True, allow_nan=False)
    return f"answer-{hashlib.sha256(text.encode()).hexdigest()[:40]}.npz"
