"""The answer to a capacity question with outages, redispatch or periods: a job computes it, the page reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from engine.capacity.question import CapacityQuestion
from engine.capacity.results import CapacityResult


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
