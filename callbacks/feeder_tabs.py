"""The tabs of the Feeder page's drawer: which module makes the place, the content, the chart and the rows of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components import (
    feeder_buses,
    feeder_checks,
    feeder_effect,
    feeder_links,
    feeder_prices,
    feeder_profile,
    feeder_schedules,
    feeder_unbalance,
)
from components.feeder_layers import At
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme
from engine.distribution.run import FeederRun

Rows = tuple[list[GridColumn], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Tab:
    """What makes one tab. One with a ``grid`` has that of ag-grid whose id is ``ids.grid(ids.FEEDER, <tab>)``."""

    content: Callable[[FeederRun, At], Part]
    rows: Callable[[FeederRun, At], Rows]
    place: Callable[[], Part] = lambda: None
    figure: Callable[[FeederRun, At, Theme], Any] | None = None
    grid: str = ""  # the kind of what a row selects
    csv: Callable[[FeederRun, At], Rows] | None = None  # the rows of its file, where that has more than the table


# Tabs that have a job of their own are made by callbacks.feeder_sides.
MADE: Mapping[str, Tab] = {
    "buses": Tab(feeder_buses.content, feeder_buses.rows, feeder_buses.place, grid="bus"),
    "links": Tab(feeder_links.content, feeder_links.rows, feeder_links.place, grid="link"),
    "checks": Tab(feeder_checks.content, feeder_checks.rows),
} | {
    name: Tab(module.content, module.rows, module.place, module.figure, csv=getattr(module, "csv_rows", None))
    for name, module in {
        "prices": feeder_prices,
        "schedules": feeder_schedules,
        "profile": feeder_profile,
        "unbalance": feeder_unbalance,
        "effect": feeder_effect,
    }.items()
}
