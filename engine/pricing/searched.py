"""How far the searches for prices are: what is kept while they run, for whoever waits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from engine.errors import UncertaintyDataError
from engine.pricing.exact import Mark
from engine.pricing.smooth import Step


@dataclass(slots=True)
class Searched:
    """How far the searches are: of quick prices from each start, and of exact ones."""

    floor: float  # $: overloads weigh no less, whatever hubs do
    starts: dict[str, tuple[float, tuple[Step, ...]]] = field(default_factory=dict)  # the objective now, its steps
    marks: tuple[Mark, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {
            "floor": self.floor,
            "starts": {
                name: {"objective": now, "steps": [asdict(step) for step in steps]}
                for name, (now, steps) in self.starts.items()
            },
            "marks": [asdict(mark) for mark in self.marks],
        }

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Return what :meth:`to_json` wrote. Raises UncertaintyDataError for anything else."""
        try:
            starts: Mapping[str, Any] = content["starts"]
            return cls(
                float(content["floor"]),
                {
                    name: (float(each["objective"]), tuple(Step(**step) for step in each["steps"]))
                    for name, each in starts.items()
                },
                tuple(Mark(**mark) for mark in content["marks"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UncertaintyDataError("not a record of a search for prices") from None
