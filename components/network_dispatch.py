"""The dispatch of a network as tables and exports: prices of buses, flows of branches and interfaces, outputs of
units, and what binds after outages.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from components.capacity_export import as_csv, as_json
from components.tables import GridColumn
from engine.capacity.products import indicative
from engine.network.model import Network, Vector
from engine.opf.results import Dispatch, OpfAnswer

# "transfers" are the flows of interfaces: the table of interfaces itself has that name on the page.
What = Literal["prices", "flows", "outputs", "transfers", "outages"]
Row = dict[str, Any]
WHAT: tuple[What, ...] = get_args(What)
WORDS: Mapping[What, str] = {
    "prices": "Prices",
    "flows": "Flows",
    "outputs": "Outputs",
    "transfers": "Interfaces",
    "outages": "Outages",
}
# What a row selects; an outage's row selects the limit that binds after it (assets/draw8_page.js).
KIND: Mapping[What, str] = {
    "prices": "bus",
    "flows": "branch",
    "outputs": "unit",
    "transfers": "interface",
    "outages": "outage",
}
FORMATS: Mapping[str, str] = {"csv": "CSV", "geojson": "GeoJSON", "json": "JSON"}
_TYPES = {"csv": "text/csv", "json": "application/json", "geojson": "application/geo+json"}

COLUMNS: Mapping[What, tuple[GridColumn, ...]] = {
    "prices": (
        GridColumn("bus", "Bus", pinned=True, width=110),
        GridColumn("name", "Name", width=190),
        GridColumn("zone", "Zone", width=120),
        GridColumn("base_kv", "Base", "kV", "number", width=100),
        GridColumn("demand_mw", "Demand", "MW", "number", help="The asked share of the load, and shunts", width=130),
        GridColumn("price_per_mwh", "Price", "$/MWh", "number", 2, help="Cost of one more MWh here", width=140),
        GridColumn("energy_per_mwh", "Energy", "$/MWh", "number", 2, help="Price at the reference", width=140),
        GridColumn("congestion_per_mwh", "Congestion", "$/MWh", "number", 2, help="The rest of the price", width=170),
    ),
    "flows": (
        GridColumn("branch", "Branch", pinned=True, width=150),
        GridColumn("from_bus", "From bus", width=110),
        GridColumn("to_bus", "To bus", width=110),
        GridColumn("kind", "Kind", width=120),
        GridColumn("flow_mw", "Flow", "MW", "number", help="Positive from the from bus to the to bus", width=120),
        GridColumn("limit_mw", "Limit", "MW", "number", help="In the direction of the flow", width=120),
        GridColumn("loading_share", "Loading", "%", "percent", width=130),
        GridColumn("saves_per_mwh", "One MW more saves", "$/h", "number", 2, sign="binding", width=200),
    ),
    "outputs": (
        GridColumn("unit", "Unit", pinned=True, width=120),
        GridColumn("bus", "Bus", width=110),
        GridColumn("fuel", "Fuel", width=120),
        GridColumn("output_mw", "Output", "MW", "number", width=130),
        GridColumn("p_min_mw", "Least", "MW", "number", width=120),
        GridColumn("p_max_mw", "Largest", "MW", "number", width=130),
        GridColumn("price_per_mwh", "Price at its bus", "$/MWh", "number", 2, width=190),
    ),
    "transfers": (
        GridColumn("interface", "Interface", pinned=True, width=150),
        GridColumn("name", "Name", width=190),
        GridColumn("filed_mw", "Filed flow", "MW", "number", help="Of the outputs and loads as filed", width=140),
        GridColumn("flow_mw", "Flow", "MW", "number", help="Weighted sum of the branches' flows", width=120),
        GridColumn("limit_mw", "Limit", "MW", "number", width=120),
        GridColumn("limit_backward_mw", "Limit backward", "MW", "number", width=170),
        GridColumn("loading_share", "Loading", "%", "percent", width=130),
        GridColumn("saves_per_mwh", "One MW more saves", "$/h", "number", 2, sign="binding", width=200),
    ),
    "outages": (
        GridColumn("outage", "Outage", pinned=True, width=150),
        GridColumn("element", "Binds after it", width=150),
        GridColumn("kind", "Kind", width=160),
        GridColumn("flow_mw", "Flow after", "MW", "number", width=140),
        GridColumn("limit_mw", "Limit", "MW", "number", width=120),
        GridColumn("saves_per_mwh", "One MW more saves", "$/h", "number", 2, sign="binding", width=200),
        GridColumn("words", "What is lost", width=520),
    ),
}  # fmt: skip


def rows(network: Network, answer: OpfAnswer, what: What) -> list[Row]:
    """Return the rows of a table in the network's order, the element under ``id``; no rows without a dispatch."""
    dispatch = answer.dispatch
    if dispatch is None:
        return []
    if what == "transfers":
        return interface_rows(network, None, dispatch)
    if what == "outages":
        return _outages(answer, dispatch)
    make = {"prices": _prices, "flows": _flows, "outputs": _outputs}[what]
    return [{name: _sent(value) for name, value in row.items()} for row in make(network, answer, dispatch)]


def interface_rows(network: Network, filed_mw: Vector | None, dispatch: Dispatch | None) -> list[Row]:
    """Return the interfaces in service with their flows as filed (I,) and as dispatched, where these are known."""
    held, unknown = network.interfaces, np.full(len(network.interfaces.ids), math.nan)
    rows = []
    for i, key in enumerate(held.ids):
        row = {
            "id": key,
            "interface": key,
            "name": held.names[i],
            "filed_mw": (unknown if filed_mw is None else filed_mw)[i],
            "flow_mw": math.nan if dispatch is None else dispatch.interface_flow_mw[i],
            "limit_mw": held.upper_mw[i],
            "limit_backward_mw": -held.lower_mw[i],
            "loading_share": math.nan if dispatch is None else dispatch.interface_loading()[i],
            "saves_per_mwh": math.nan if dispatch is None else abs(dispatch.interface_price_per_mwh[i]),
        }
        rows.append({name: _sent(value) for name, value in row.items()})
    return rows


def _outages(answer: OpfAnswer, dispatch: Dispatch) -> list[Row]:
    """Return what binds after outages, the dearest first, then the outages that split the network.

    ``select`` is the element that a row stands for on the screen.
    """
    lost = "branch" if answer.question.outages == "all" else "contingency"
    binding = [
        {
            "outage": row.outage,
            "element": row.element,
            "kind": row.kind,
            "flow_mw": row.flow_mw,
            "limit_mw": abs(row.limit_mw),
            "saves_per_mwh": abs(row.price_per_mwh),
            "words": row.words,
            "select": f"{row.kind}:{row.element}",
        }
        for row in dispatch.after
    ]
    apart = [
        {
            "outage": outage,
            "element": "",
            "kind": "splits the network",
            "flow_mw": math.nan,
            "limit_mw": math.nan,
            "saves_per_mwh": math.nan,
            "words": words,
            "select": f"{lost}:{outage}",
        }
        for outage, words in dispatch.islanding
    ]
    return [
        {"id": str(i)} | {name: _sent(value) for name, value in row.items()} for i, row in enumerate(binding + apart)
    ]


def about(network: Network, answer: OpfAnswer, input_hash: str) -> dict[str, Any]:
    """Return where the numbers are from: what was asked of which network, and how well it was answered."""
    dispatch = answer.dispatch
    if dispatch is None:
        raise ValueError("there is no dispatch")
    return {
        "question": f"Least-cost dispatch (DC-OPF): {answer.question.words()}",
        "network": network.name,
        "network_digest": answer.network_digest,
        "input_hash": input_hash,
        "status": dispatch.status,
        "optimality_gap": dispatch.gap,
        "optimality_conditions": "hold" if dispatch.certified else "do not hold",
        "solver": dispatch.solver,
        "time_s": round(dispatch.time_s, 3),
        "computed": answer.made,
        "cost_per_h": dispatch.cost_per_h,
        "energy_per_mwh": dispatch.energy_per_mwh,
        "price_reference": dispatch.reference,
        "data": network.tables.source,
        "use": indicative(answer.question.security),
    }


def download(network: Network, answer: OpfAnswer, input_hash: str, what: What, kind: str) -> dict[str, Any]:
    """Return the content of a ``dcc.Download``: a table as "csv", "geojson" or "json", with its provenance."""
    origin = about(network, answer, input_hash)
    kept = [
        {name: cell for name, cell in row.items() if name not in ("id", "select")}
        for row in rows(network, answer, what)
    ]
    if kind == "csv":
        content = as_csv([row | origin for row in kept])
    elif kind == "geojson":
        features = [
            {"type": "Feature", "geometry": _geometry(network, what, i), "properties": row}
            for i, row in enumerate(kept)
        ]
        content = as_json({"type": "FeatureCollection", "about": origin, "features": features})
    elif kind == "json":
        content = as_json({"about": origin | {"asked": answer.question.to_json()}, what: kept})
    else:
        raise ValueError(f"there is no export of kind {kind!r}")
    stem = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in network.name.lower()).split())
    name = f"{stem or 'network'}-{what}-{input_hash[:8]}.{kind}"
    return {"filename": name, "content": content, "type": _TYPES[kind], "base64": False}


def _prices(network: Network, answer: OpfAnswer, dispatch: Dispatch) -> list[Row]:
    buses = network.buses
    demand = (buses.load_mw * (answer.question.scale_percent / 100.0) + buses.shunt_mw) * buses.in_service
    return [
        {
            "id": key,
            "bus": key,
            "name": buses.names[i],
            "zone": buses.zones[i],
            "base_kv": buses.base_kv[i],
            "demand_mw": demand[i],
            "price_per_mwh": dispatch.lmp_per_mwh[i],
            "energy_per_mwh": dispatch.energy_per_mwh if buses.in_service[i] else math.nan,
            "congestion_per_mwh": dispatch.congestion_per_mwh[i],
        }
        for i, key in enumerate(buses.ids)
    ]


def _flows(network: Network, answer: OpfAnswer, dispatch: Dispatch) -> list[Row]:
    del answer
    branches, names = network.branches, network.buses.ids
    limit, loading = dispatch.limit_mw(), dispatch.loading()
    return [
        {
            "id": key,
            "branch": key,
            "from_bus": names[branches.from_bus[i]],
            "to_bus": names[branches.to_bus[i]],
            "kind": branches.kinds[i],
            "flow_mw": dispatch.flow_mw[i],
            "limit_mw": limit[i],
            "loading_share": loading[i],
            "saves_per_mwh": abs(dispatch.branch_price_per_mwh[i]),
        }
        for i, key in enumerate(branches.ids)
    ]


def _outputs(network: Network, answer: OpfAnswer, dispatch: Dispatch) -> list[Row]:
    del answer
    units, names = network.units, network.buses.ids
    return [
        {
            "id": key,
            "unit": key,
            "bus": names[units.bus[i]],
            "fuel": units.fuels[i],
            "output_mw": dispatch.dispatch_mw[i],
            "p_min_mw": units.p_min_mw[i],
            "p_max_mw": units.p_max_mw[i],
            "price_per_mwh": dispatch.lmp_per_mwh[units.bus[i]],
        }
        for i, key in enumerate(units.ids)
    ]


def _geometry(network: Network, what: What, i: int) -> dict[str, Any] | None:
    """Return a bus's point, a branch's line or the point of a unit's bus, None where there are no coordinates.

    An interface is many branches and an outage's row two things at once: these have none.
    """
    if what in ("transfers", "outages"):
        return None
    ends = {
        "prices": lambda: [i],
        "flows": lambda: [int(network.branches.from_bus[i]), int(network.branches.to_bus[i])],
        "outputs": lambda: [int(network.units.bus[i])],
    }[what]()
    line = [[float(network.buses.longitude[end]), float(network.buses.latitude[end])] for end in ends]
    if not all(math.isfinite(value) for point in line for value in point):
        return None
    return {"type": "LineString", "coordinates": line} if what == "flows" else {"type": "Point", "coordinates": line[0]}


def _sent(value: Any) -> Any:
    if not isinstance(value, float):  # numpy's floats are floats
        return value
    number = float(value)
    return None if math.isnan(number) else "inf" if number == math.inf else round(number, 9) + 0.0  # no zero below zero
