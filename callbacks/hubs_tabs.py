"""The tabs of the Hubs page's drawer: which module makes the place, the content, the chart and the rows of each."""

from collections.abc import Mapping

from callbacks.day_panes import Tab
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
from components.hubs_words import At
from engine.pricing.run import HubRun

MADE: Mapping[str, Tab[HubRun, At]] = {
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
