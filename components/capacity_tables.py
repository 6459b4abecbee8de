"""The tables of the Capacity page: sites, all buses, what binds, products. Columns and rows, nothing else."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from dash import html

from components import capacity_ids, capacity_periods, capacity_slots, ids
from components.capacity_answer import (
    Answer,
    alone_gain_mw,
    alone_limits,
    alone_mw,
    level_words,
    limit_element,
    short_limit,
    without_outage,
)
from components.capacity_deep import change_mw
from components.capacity_largest import Largest, cells
from components.format import percent
from components.tables import GridColumn, column_definition, grid
from engine.network.model import Network

Row = dict[str, Any]
GRIDS = ("sites", "buses", "limits", "products")

_PLACE = (
    GridColumn("id", "Bus", width=88, pinned=True),
    GridColumn("name", "Substation", width=150),
    GridColumn("kv", "Voltage", "kV", "number", digits=0, width=112),
    GridColumn("zone", "Zone", width=120),
)


def sites_columns(network: Network, epsilons: tuple[float, ...], answer: Answer | None = None) -> list[GridColumn]:
    """Return the columns of the sites: asked, firm, an increment per risk level, total, what limits it.

    An answer with outages, redispatch or periods has some more: the change they make, each period's firm capacity.
    """
    more = [] if answer is None else capacity_periods.columns(answer)
    if answer is not None and answer.deep:
        more.append(
            GridColumn(
                "change",
                "Change of total",
                "MW",
                "number",
                width=150,
                help="Against no outage, fixed supply and the year as a whole",
            )
        )
    return [
        *_place_columns(network),
        GridColumn("asked", "Asked", "MW", "number", width=100, editable=True, help="Press twice to change"),
        GridColumn("firm", "Firm", "MW", "number", width=92, sign="firm"),
        *(
            GridColumn(f"inc{place}", f"+ {level_words(epsilon)}", "MW", "number", width=124, sign="flexible")
            for place, epsilon in enumerate(epsilons)
        ),
        GridColumn("total", "Total", "MW", "number", width=92),
        GridColumn("served", "Served", "%", "percent", digits=0, width=104, help="Total as a share of what is asked"),
        *more,
        _alone_column(answer),
        GridColumn("limit", "Limited by", width=300),
    ]


def _alone_column(answer: Answer | None) -> GridColumn:
    """Return the head of what a site could take alone: beside another kind of answer it names what it leaves out."""
    deep = answer is not None and answer.deep
    return GridColumn(
        "alone",
        "Firm alone, no outage" if deep else "Firm alone",
        "MW",
        "number",
        width=196 if deep else 128,
        help="If no other site took any; without outages, with fixed shares of supply, over the whole year",
    )


def site_rows(answer: Answer) -> list[Row]:
    """Return one row per site, in the order asked."""
    network, result = answer.network, answer.result
    position = {bus: i for i, bus in enumerate(network.buses.ids)}
    lone = alone_mw(answer, 0)
    changes = change_mw(answer)
    rows = []
    for place, bus in enumerate(result.candidates):
        row = _place(network, position[bus]) | {"asked": result.demand_mw[place]}
        if result.levels:
            last = result.levels[-1]
            row |= {"firm": result.firm_mw[place], "total": last.capacity_mw[place]}
            row |= {f"inc{k}": level.increment_mw[place] for k, level in enumerate(result.levels[1:])}
            row["served"] = last.capacity_mw[place] / result.demand_mw[place]
            row["limit"] = limit_of_site(answer, place)
        else:
            row["limit"] = "stopped: limits are exceeded already"
        row["alone"] = _finite(lone[position[bus]])
        row |= capacity_periods.cells(answer, place)
        if changes is not None:
            row["change"] = changes[place]
        rows.append(row)
    return rows


def limit_of_site(answer: Answer, place: int) -> str:
    """Return in few words what stops a site at firm level, and at the highest where that differs."""
    named: list[str] = []
    for level in (answer.result.levels[0], answer.result.levels[-1]):
        by = level.limited_by[place]
        text = "its own demand" if by < 0 else short_limit(level.binding[by].limit)
        if text not in named:
            named.append(text)
    return ", then ".join(named)


def plain_site_rows(network: Network, buses: Iterable[str], demand_mw: Iterable[float]) -> list[Row]:
    """Return the sites before there is an answer; a bus that the network does not have keeps its id alone."""
    position = {bus: i for i, bus in enumerate(network.buses.ids)}
    return [
        (_place(network, position[bus]) if bus in position else {"id": bus}) | {"asked": mw}
        for bus, mw in zip(buses, demand_mw, strict=True)
    ]


def bus_columns(network: Network, epsilons: tuple[float, ...], largest: Largest | None = None) -> list[GridColumn]:
    """Return the columns of all buses: what each could take alone, with redispatch in one state where computed."""
    more = []
    if largest is not None:
        words = f"Alone, units moving freely, in {largest.when}"
        more.append(GridColumn("most", "With redispatch", "MW", "number", width=160, help=words))
        more.append(GridColumn("most_by", "With it limited by", width=260))
    return [
        *_place_columns(network),
        GridColumn("load", "Load", "MW", "number", width=92),
        GridColumn("firm", "Firm alone", "MW", "number", width=128, sign="firm"),
        *(
            GridColumn(f"inc{place}", f"+ {level_words(epsilon)}", "MW", "number", width=124, sign="flexible")
            for place, epsilon in enumerate(epsilons)
        ),
        GridColumn("limit", "Limited by", width=260),
        *more,
        GridColumn("site", "Site", "", "flag", width=80),
    ]


def bus_rows(answer: Answer, shown: Iterable[int] | None = None, largest: Largest | None = None) -> list[Row]:
    """Return one row per bus in service, or per bus of ``shown``: the lone capacities of the map."""
    network, sites = answer.network, answer.sites()
    firm = alone_mw(answer, 0)
    gains = [alone_gain_mw(answer, level) for level in range(1, len(answer.alone.epsilons))]
    limits = alone_limits(answer, 0)
    rows = []
    for i in range(len(network.buses.ids)) if shown is None else shown:
        if not answer.alone.in_service[i]:
            continue
        limit = limits[i]
        row = _place(network, i) | {"load": float(network.buses.load_mw[i]), "firm": _finite(firm[i])}
        row |= {f"inc{k}": _finite(gain[i]) for k, gain in enumerate(gains)}
        if limit is None:
            row["limit"] = "no limit is met"
        elif limit.kind == "withdrawal":
            row["limit"] = "its own withdrawal limit"
        else:
            row["limit"] = short_limit(limit)
        if largest is not None:
            row |= cells(largest, i)
        row["site"] = row["id"] in sites
        rows.append(row)
    return rows


LIMIT_COLUMNS = (
    GridColumn("limit", "Limit", width=330, pinned=True),
    GridColumn("outage", "After the outage of", width=160),
    GridColumn("level", "Level", width=140),
    GridColumn("rating", "Limit", "MW", "number", width=96),
    GridColumn("margin", "Room before", "MW", "number", width=150, help="Before any addition, in its worst states"),
    GridColumn("gain", "First MW more gives", "MW", "number", digits=2, width=190, sign="binding", help="In total"),
    GridColumn("sites", "Stops sites", "", "number", digits=0, width=110),
    GridColumn("lone", "Stops alone", "buses", "number", digits=0, width=150, help="Buses that it stops, each alone"),
    GridColumn("state", "Worst state", width=200),
)  # fmt: skip


def limit_rows(answer: Answer) -> list[Row]:
    """Return one row per binding limit and level, the worst first; with the buses that each stops alone."""
    lone = lone_counts(answer)
    rows = []
    for level in answer.result.levels:
        for place, binding in enumerate(level.binding):
            element = limit_element(binding.limit)
            gain = binding.gain_mw_per_mw
            rows.append(
                {
                    "id": f"{level.epsilon:g}|{binding.limit.kind}|{binding.limit.element}|"
                    f"{binding.limit.outage}|{binding.state}",
                    "outage": binding.limit.outage,
                    "select": element,
                    "limit": without_outage(binding.limit),
                    "level": level_words(level.epsilon),
                    "rating": binding.limit.limit_mw,
                    "margin": binding.margin_mw,
                    "gain": gain,
                    "sites": sum(by == place for by in level.limited_by),
                    "lone": None if level.epsilon or answer.deep else lone.get(element, 0),
                    "state": binding.state,
                }
            )
    return rows


def lone_counts(answer: Answer) -> dict[str, int]:
    """Return how many buses each limit stops when load is added at one bus alone, firm; own limits apart."""
    counts: dict[str, int] = {}
    rows, amounts = np.unique(answer.alone.limiting_row[0][answer.alone.in_service], return_counts=True)
    for row, count in zip(rows.tolist(), amounts.tolist(), strict=True):
        if row >= 0:
            element = limit_element(answer.prepared.limit(row))
            counts[element] = counts.get(element, 0) + count
    return counts


PRODUCT_COLUMNS = (
    GridColumn("id", "Product", width=150, pinned=True),
    GridColumn("bus", "Bus", width=88),
    GridColumn("name", "Substation", width=150),
    GridColumn("kind", "Kind", width=92),
    GridColumn("mw", "Size", "MW", "number", digits=1, width=100),
    GridColumn("risk", "Interrupted in at most", width=170),
)


def product_rows(answer: Answer) -> list[Row]:
    """Return one row per product that would be published."""
    if answer.products is None:
        return []
    names = dict(zip(answer.network.buses.ids, answer.network.buses.names, strict=True))
    return [
        {
            "id": product.id,
            "select": f"bus:{product.bus}",
            "bus": product.bus,
            "name": names.get(product.bus, ""),
            "kind": product.kind,
            "mw": product.capacity_mw,
            "risk": "never" if product.risk == 0 else percent(product.risk),
        }
        for product in answer.products.products
    ]


def drawer(network: Network, epsilons: tuple[float, ...], sites: list[Row], tab: str = "sites") -> html.Div:
    """Return the tables, of which ``tab`` shows."""
    tables = {
        "sites": grid(ids.CAPACITY, sites_columns(network, epsilons), sites, name="sites", label="Sites"),
        "buses": grid(ids.CAPACITY, bus_columns(network, epsilons), name="buses", label="All buses, each alone"),
        "limits": grid(ids.CAPACITY, LIMIT_COLUMNS, name="limits", kind="row", label="Limits that bind"),
        "products": html.Div(
            [
                html.Div(
                    [
                        html.Div(id=f"{capacity_ids.CHECKING}-words", role="status"),
                        html.Div(id=capacity_ids.VERSIONS),
                        html.Div(id=capacity_ids.PRODUCTS),
                        capacity_slots.under_products(),
                    ],
                    className="hr-capacity-products-side",
                    tabIndex=0,
                    role="group",
                    **{"aria-label": "Published versions and how the products are cut"},
                ),
                grid(ids.CAPACITY, PRODUCT_COLUMNS, name="products", kind="row", label="Products"),
            ],
            className="hr-capacity-products",
        ),
    }
    requests = capacity_slots.requests_tab(network)
    if requests is not None:
        tables["requests"] = requests
    return html.Div(
        [html.Div(table, className="hr-capacity-tab", **{"data-tab-body": name}) for name, table in tables.items()],
        className="hr-capacity-tabs",
        id=capacity_ids.TABLES,
        **{"data-tab": tab},
    )


def definitions(columns: Iterable[GridColumn]) -> list[dict[str, Any]]:
    """Return ag-grid's column definitions."""
    return [column_definition(column) for column in columns]


def _place_columns(network: Network) -> list[GridColumn]:
    """Return the columns that say which bus a row is of: those that hold something on this network."""
    buses = network.buses
    held = {"id": True, "name": any(buses.names), "kv": bool((buses.base_kv > 0).any()), "zone": any(buses.zones)}
    return [column for column in _PLACE if held[column.name]]


def _place(network: Network, position: int) -> Row:
    buses = network.buses
    return {
        "id": buses.ids[position],
        "name": buses.names[position],
        "kv": float(buses.base_kv[position]) or None,
        "zone": buses.zones[position],
    }


def _finite(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else "inf"
