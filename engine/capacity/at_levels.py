"""Existing load at the risk levels that were asked for, where the tails that would give any other are not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.capacity.question import Measure
from engine.errors import QuestionError
from engine.network.model import Vector


@dataclass(frozen=True, slots=True, eq=False)
class AtLevels:
    """Existing load at chosen risk levels, of rows whose tails are not kept. P is their number."""

    levels: Mapping[float, Vector]  # risk level, 0 for firm: existing load (P,)
    measure: Measure  # of these loads

    def load_mw(self, epsilon: float, measure: Measure) -> Vector:
        """Return the (P,) existing loads. Raises QuestionError for a level that they were not computed for."""
        if epsilon not in self.levels or (epsilon > 0 and measure != self.measure):
            raise QuestionError("these margins were computed for other risk levels: compute them again")
        return self.levels[epsilon]


@dataclass(frozen=True, slots=True, eq=False)
class AfterOutages(AtLevels):
    """The last rows of some margins: limits after outages."""

    names: tuple[tuple[str, str], ...]  # of the outages: id, and in words
    outage: npt.NDArray[np.int32]  # (P,), position in ``names``


def after_of(arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> AfterOutages | None:
    """Return what margins kept of limits after outages; None where they had none."""
    if "outage" not in arrays:
        return None
    names = tuple((name, words) for name, words in meta["outages"])
    return AfterOutages(unpacked("after", arrays), meta["measure"], names, arrays["outage"])


def packed(name: str, known: AtLevels) -> dict[str, npt.NDArray[Any]]:
    """Return loads as arrays of a file, under ``name``."""
    levels = list(known.levels)
    return {f"{name}_levels": np.array(levels), f"{name}_mw": np.array([known.levels[level] for level in levels])}


def unpacked(name: str, arrays: Mapping[str, Any]) -> dict[float, Vector]:
    """Return the loads that :func:`packed` put under ``name``."""
    return dict(zip(arrays[f"{name}_levels"].tolist(), arrays[f"{name}_mw"], strict=True))
