"""How a search for a plan goes: its chart and rows, drawn again while it runs; the Search tab keeps the same."""

import math
from collections.abc import Sequence

from dash import html

from components import resilience_ids
from components.format import percent
from components.hubs_live import Line, figure
from components.hubs_tables import Rows, tabled
from components.resilience_cards_columns import search
from components.resilience_words import dollars
from components.skeleton import Part
from components.tables import GridColumn
from engine.resilience.placement import Mark


def live(marks: Sequence[Mark], *, over: bool = False) -> Part:
    """Return how far the search is, folded once it is ``over``; None before its first round."""
    known = [mark for mark in marks if math.isfinite(mark.objective) and math.isfinite(mark.bound)]
    if not known:
        return None
    now = known[-1]
    times = [mark.time_s for mark in known]
    lines = [
        Line("best", f"best so far: {dollars(now.objective)} a year", times, [mark.objective for mark in known]),
        Line("bound", f"no less than {dollars(now.bound)}: gap {percent(now.gap, 2)}", times,
             [mark.bound for mark in known]),
    ]  # fmt: skip
    columns, listed = rows(known)
    table = tabled("searched", "Rounds so far", columns, listed, heads=search(known, ()), page=resilience_ids.PAGE)
    return html.Details(
        [
            html.Summary("How the search goes", className="hr-section-title"),
            html.Div([figure("Cost of the best plan and its bound", "s", lines)], className="hr-hubs-live-charts"),
            html.Details([html.Summary("The same as a table"), table], className="hr-hubs-live-rows"),
        ],
        className="hr-hubs-live",
        open=not over,
        **{"aria-live": "off"},
    )


def rows(marks: Sequence[Mark]) -> Rows:
    """Return columns and rows, a row for each round."""
    columns = [
        GridColumn("round", "Round", "", "number", digits=0),
        GridColumn("phase", "Plans"),
        GridColumn("time", "At", "s", "number", digits=1),
        GridColumn("objective", "Best plan", "$ a year", "number", digits=0),
        GridColumn("bound", "Bound", "$ a year", "number", digits=0),
        GridColumn("gap", "Gap", "%", "percent", digits=2),
    ]
    return columns, [
        {
            "round": mark.round, "phase": mark.phase, "time": mark.time_s, "objective": _finite(mark.objective),
            "bound": _finite(mark.bound), "gap": _finite(mark.gap),
        }
        for mark in marks
    ]  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
