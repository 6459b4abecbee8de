"""The Hubs tab: every hub, what it has, what it spends without and with prices, and what it pays by them."""

from typing import TYPE_CHECKING, Any

from dash import html

from components import ids
from components.hubs_cards import card
from components.hubs_tables import reasons
from components.hubs_words import At, after_of, before_of, hub_of, said
from components.skeleton import Part
from components.tables import GridColumn, grid, tools
from engine.pricing.hubs import Hub

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "hubs"


def place() -> Part:
    """Return the place of the grid."""
    return [
        tools(ids.HUBS, name=TAB, label="Filter the hubs", csv_name="hubs.csv"),
        html.Div(grid(ids.HUBS, [], name=TAB, kind="hub", label="Hubs"), className="hr-feeder-grid"),
    ]


def content(run: "HubRun", at: At) -> Part:
    """Return what the rows are of, and why their numbers are what they are: of the chosen hub, else of the first."""
    name = run.case.hubs[hub_of(run, at)].name
    cards = {"spends": "owes", "pays": "pays", "mean price": "mean", "peak": "peak"}
    return reasons(
        TAB,
        f"From no prices to {said(after_of(run, at))}; a row that is chosen is what Schedules draws.",
        name,
        {words: card(run, at, f"{what}:{name}") for words, what in cards.items()},
    )


def assets(hub: Hub) -> str:
    """Return what a hub has, in words."""
    held = {
        "battery": hub.battery, "hydrogen": hub.hydrogen, "generator": hub.generator, "work": hub.work,
        "sun": any(hub.sun_mw),
    }  # fmt: skip
    return ", ".join(words for words, asset in held.items() if asset) or "demand alone"


def rows(run: "HubRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, a row for each hub."""
    case, before, after = run.case, before_of(run, at), after_of(run, at)
    columns = [
        GridColumn("name", "Hub", pinned=True, width=140),
        GridColumn("bus", "Bus", width=80),
        GridColumn("has", "Has", width=190),
        GridColumn("was", "Spends, no prices", "$", "number", digits=1),
        GridColumn("now", "Spends", "$", "number", digits=1),
        GridColumn("more", "More", "$", "number", digits=1),
        GridColumn("paid", "Pays by prices", "$", "number", digits=1),
        GridColumn("price", "Mean price", "$/MWh", "number", digits=1),
        GridColumn("peak_was", "Peak, no prices", "MW", "number", digits=3),
        GridColumn("peak", "Peak", "MW", "number", digits=3),
    ]
    return columns, [
        {
            "id": hub.name, "name": hub.name, "bus": hub.bus, "has": assets(hub),
            "was": float(before.hub_cost[k]), "now": float(after.hub_cost[k]),
            "more": float(after.hub_cost[k] - before.hub_cost[k]), "paid": float(after.paid[k]),
            "price": float(after.price[case.area[k]].mean()), "peak_was": float(before.withdrawal_mw[k].max()),
            "peak": float(after.withdrawal_mw[k].max()),
        }
        for k, hub in enumerate(case.hubs)
    ]  # fmt: skip
