"""The tabs of the Feeder page's drawer: which module makes the place, the content, the chart and the rows of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.feeder_layers import At
from components.skeleton import Part
from components.theme import Theme
from engine.distribution.run import FeederRun


@dataclass(frozen=True, slots=True)
class Tab:
    """What makes one tab."""

    content: Callable[[FeederRun, At], Part]
    rows: Callable[[FeederRun, At], Sequence[dict[str, Any]]]
    place: Callable[[], Part] | None = None
    figure: Callable[[FeederRun, At, Theme], Any] | None = None


MADE: Mapping[str, Tab] = {}
