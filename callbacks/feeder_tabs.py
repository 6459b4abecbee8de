"""The tabs of the Feeder page's drawer: which module makes the place, the content, the chart and the rows of each."""

from collections.abc import Mapping

from callbacks.day_panes import Tab
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
from engine.distribution.run import FeederRun

# Tabs that have a job of their own are made by callbacks.feeder_sides.
MADE: Mapping[str, Tab[FeederRun, At]] = {
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
