"""How long the searches of a run took for how many hubs: read from its file without its arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from engine.capacity.archive import unpack
from engine.errors import UncertaintyDataError
from engine.pricing.run import FORMAT, HubRun


@dataclass(frozen=True, slots=True)
class Grown:
    """The size of a run and what its searches took."""

    hubs: int
    steps: int  # of quick prices, from all starts
    search_s: float  # of the processor
    date: str  # of the day, ISO 8601
    exact: str = ""  # why there are no exact prices; "" where there are
    decisions: int | None = None  # yes or no, of exact prices; None where there are none
    gap: float | None = None  # relative
    exact_s: float | None = None

    @property
    def step_s(self) -> float:
        """Return the time of one step, s of the processor."""
        return self.search_s / max(self.steps, 1)

    @classmethod
    def of(cls, run: HubRun) -> Self:
        """Return what a run took."""
        return cls._of(len(run.case.hubs), run.facts, run.provenance)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what the run of a file took. Raises UncertaintyDataError for a file of anything else."""
        _, meta = unpack(path)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a study of hubs of this version")
        return cls._of(len(meta["outcomes"][0]["sizes"]), meta["facts"], meta["provenance"])

    @classmethod
    def _of(cls, hubs: int, facts: Mapping[str, Any], provenance: Mapping[str, Any]) -> Self:
        ends, exact = facts["ends"], facts["exact"]
        steps, search_s = (sum(end[name] for end in ends) for name in ("steps", "processor_s"))
        return cls(
            hubs, steps, search_s, str(provenance["date"])[:10],
            str(exact.get("message", "")), exact.get("decisions"), exact.get("gap"), exact.get("time_s"),
        )  # fmt: skip
