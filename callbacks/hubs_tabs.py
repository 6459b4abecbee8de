"""The tabs of the Hubs page's drawer: which module makes the place, the content, the chart and the rows of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components import (
    hubs_checks,
    hubs_hubs,
    hubs_lines,
    hubs_models,
    hubs_prices,
    hubs_realtime,
    hubs_schedules,
    hubs_steps,
)
from components.hubs_tables import Rows
from components.hubs_words import At
from components.skeleton import Part
from components.theme import Theme
from engine.pricing.run import HubRun


@dataclass(frozen=True, slots=True)
class Tab:
    """What makes one tab. One with a ``grid`` has that of ag-grid whose id is ``ids.grid(ids.HUBS, <tab>)``."""

    content: Callable[[HubRun, At], Part]
    rows: Callable[[HubRun, At], Rows]
    place: Callable[[], Part] = lambda: None
    figure: Callable[[HubRun, At, Theme], Any] | None = None
    grid: str = ""  # the kind of what a row selects


MADE: Mapping[str, Tab] = {
    "lines": Tab(hubs_lines.content, hubs_lines.rows, hubs_lines.place, grid="line"),
    "hubs": Tab(hubs_hubs.content, hubs_hubs.rows, hubs_hubs.place, grid="hub"),
    "checks": Tab(hubs_checks.content, hubs_checks.rows),
} | {
    name: Tab(module.content, module.rows, module.place, module.figure)
    for name, module in {
        "prices": hubs_prices,
        "schedules": hubs_schedules,
        "models": hubs_models,
        "steps": hubs_steps,
        "realtime": hubs_realtime,
    }.items()
}
