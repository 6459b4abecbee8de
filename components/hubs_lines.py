"""The Network tab: every line and the substation, what is beyond their limits over the day and hour by hour."""

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components import ids
from components.hubs_cards import card
from components.hubs_tables import reasons
from components.hubs_why import BEYOND_MW, loading_of
from components.hubs_words import SUBSTATION, At, before_of, hour_of, labels_of, plain, said, selected, shown_of
from components.skeleton import Part
from components.tables import GridColumn, grid, tools
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "lines"


def place() -> Part:
    """Return the place of the grid."""
    return [
        tools(ids.HUBS, name=TAB, label="Filter the lines", csv_name="hubs-lines.csv"),
        html.Div(
            grid(ids.HUBS, [], name=TAB, kind="line", label="Lines and what is beyond their limits"),
            className="hr-feeder-grid",
        ),
    ]


def content(run: "HubRun", at: At) -> Part:
    """Return what the rows are of, and why their numbers are what they are: of the chosen line, else of the first."""
    last, found = shown_of(run, at)[-1], selected(run, at)
    if found is not None and found[0] == "line":
        name = run.case.network.lines[found[1]]
    else:
        name = SUBSTATION if found is not None and found[0] == SUBSTATION else str(rows(run, at)[1][0]["name"])
    hour = labels_of(run)[hour_of(run, at)]
    return reasons(
        TAB,
        f"MWh beyond limits over the day, and MW hour by hour for {said(last)}; a row is chosen on the diagram too.",
        "the substation" if name == SUBSTATION else f"line {name}",
        {
            "beyond its limit": card(run, at, f"over:{name}"),
            "loading": card(run, at, f"load:{name}"),
            "limit": card(run, at, f"limit:{name}"),
            f"flow and MW beyond at {hour}": card(run, at, f"line:{name}"),
        },
    )


def rows(run: "HubRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one row for each line and the substation, those beyond limits most first."""
    before, last, labels = before_of(run, at), shown_of(run, at)[-1], labels_of(run)
    columns = [
        GridColumn("name", "Line", width=130, pinned=True),
        GridColumn("limit", "Limit", "MW", "number", digits=2, width=110),
        GridColumn("was", "No prices", "MWh", "number", digits=3, width=150, help="Beyond the limit, without prices"),
        GridColumn("now", "Drawn", "MWh", "number", digits=3, width=130, help=f"Beyond the limit: {said(last)}"),
        GridColumn("hours", "Hours beyond", "", "number", digits=0, width=120),
        GridColumn("most_was", "Most loaded, no prices", "%", "percent", digits=0, width=215),
        GridColumn("most", "Most loaded", "%", "percent", digits=0, width=150),
        *(GridColumn(f"h{t}", label, "", "number", digits=2, width=72) for t, label in enumerate(labels)),
    ]
    found = [_row(run, before, last, at_) for at_ in range(len(run.case.network.lines) + 1)]
    return columns, sorted(found, key=lambda row: (-row["was"] - row["now"], -row["most"]))


def _row(run: "HubRun", before: Outcome, last: Outcome, place_: int) -> dict[str, Any]:
    network, step = run.case.network, run.case.step_h
    line = place_ < len(network.lines)
    name, limit = (
        (network.lines[place_], float(network.limit_mw[place_])) if line else (SUBSTATION, float(network.import_mw))
    )
    over, loading = zip(*(loading_of(run, each, name) for each in (before, last)), strict=True)
    return {
        "id": name,
        "name": name,
        "limit": limit if np.isfinite(limit) else None,
        "was": plain(float(over[0].sum()) * step),
        "now": plain(float(over[1].sum()) * step),
        "hours": int((over[1] > BEYOND_MW).sum()),
        "most_was": float(loading[0].max()),
        "most": float(loading[1].max()),
    } | {f"h{t}": plain(value) for t, value in enumerate(over[1].tolist())}
