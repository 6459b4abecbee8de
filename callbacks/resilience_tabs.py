"""The tabs of the Resilience page's drawer: which module makes the place, the content, the chart and the rows."""

from collections.abc import Mapping

from callbacks.day_panes import Tab
from components import (
    resilience_checks,
    resilience_curve,
    resilience_film,
    resilience_methods,
    resilience_modules,
    resilience_outcomes,
    resilience_radius,
    resilience_rolled,
    resilience_search,
)
from components.resilience_words import At
from engine.resilience.run import ResilienceRun

MADE: Mapping[str, Tab[ResilienceRun, At]] = {
    module.TAB: Tab(module.content, module.rows)
    for module in (resilience_modules, resilience_methods, resilience_checks)
} | {
    module.TAB: Tab(module.content, module.rows, module.place, module.figure)
    for module in (
        resilience_outcomes,
        resilience_curve,
        resilience_film,
        resilience_radius,
        resilience_rolled,
        resilience_search,
    )
}
