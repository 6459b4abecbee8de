"""The Modules tab: what stands where under the plan that is looked at, what it costs and how far it is used."""

from typing import TYPE_CHECKING, Any

from dash import html

from components import resilience_ids
from components.hubs_tables import Rows, tabled
from components.resilience_cards import card, metrics_of
from components.resilience_words import KINDS, METHODS, NOTES, At, planned_of, table_of
from components.skeleton import Part
from components.tables import GridColumn

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "modules"


def content(run: "ResilienceRun", at: At) -> Part:
    """Return what the plan is, and its table."""
    planned = planned_of(run, at)
    columns, listed = rows(run, at)
    faces = {
        (row, column): card(run, at, f"module:{each['at']}:{column}")
        for row, each in enumerate(listed)
        for column in ("count", "mw", "mwh", "cost", "given", "used")
        if each[column] is not None
    }
    note = (
        "Given and used are means of its own shocks; a store could give its energy once, generation its power always."
    )
    return html.Div(
        [
            html.P(f"The plan {METHODS[planned.method]}: {NOTES[planned.method]}.", className="hr-feeder-told"),
            tabled(TAB, "Modules by type and bus", columns, listed, note=note, faces=faces, page=resilience_ids.PAGE)
            if listed
            else html.P("Nothing is placed.", className="hr-muted"),
        ]
    )


def rows(run: "ResilienceRun", at: At) -> Rows:
    """Return columns and rows: one row for each type at each bus where it stands."""
    planned, case = planned_of(run, at), run.case
    told, table = metrics_of(run, planned.method, "train"), table_of(run, planned)
    columns = [
        GridColumn("where", "Bus"),
        GridColumn("type", "Type"),
        GridColumn("kind", "Kind"),
        GridColumn("count", "Modules", "", "number", digits=0),
        GridColumn("mw", "Power", "MW", "number", digits=2),
        GridColumn("mwh", "Energy", "MWh", "number", digits=2),
        GridColumn("cost", "Cost", "$ a year", "number", digits=0),
        GridColumn("given", "Gives an event", "MWh", "number", digits=3),
        GridColumn("used", "Used", "%", "percent", digits=0),
    ]
    found: list[dict[str, Any]] = []
    for site_at, site in enumerate(case.sites):
        for kind_at, kind in enumerate(case.types):
            stands, spot = int(table[kind_at, site_at]), kind_at * len(case.sites) + site_at
            if not stands:
                continue
            found.append({
                "at": f"{kind_at}:{site_at}", "select": f"bus:{site}", "where": site, "type": kind.name,
                "kind": KINDS[kind.kind], "count": stands, "mw": stands * kind.power_mw,
                "mwh": stands * kind.energy_mwh if kind.kind != "generation" else None, "cost": stands * kind.cost,
                "given": None if told is None else float(told.given_mwh[spot]),
                "used": None if told is None else float(told.used[spot]),
            })  # fmt: skip
    return columns, found
