"""What the drawn maps of the Network page show and say: voltage, and loading, prices and congestion of a dispatch."""

import numpy as np

from components.drawing import MapContent
from components.drawing_capacity import MOST_NAMED
from components.drawing_labels import Label
from components.drawing_sheet import Caption
from components.format import megawatts, number
from components.grid_map import is_geographic, layers_data, map_points
from components.network_dispatch import about
from components.network_layers import base_layers, dispatch_layers
from engine.capacity.products import INDICATIVE
from engine.network.layout import positions
from engine.network.model import Matrix, Network
from engine.network.tables import NetworkTables
from engine.opf.results import Dispatch, OpfAnswer

_SUBTITLES = {
    "kv": "Nominal voltage of buses and branches",
    "loading": "Loading of branches: flow as a share of the limit",
    "lmp": "Price of one more MWh at each bus, $/MWh",
    "congestion": "Congestion part of the price at each bus, $/MWh",
}


def network_map(tables: NetworkTables, digest: str, date: str) -> tuple[MapContent, Caption]:
    """Return the map of a network by itself, half drawn or whole: its nominal voltages."""
    content = MapContent(tables, points_of(tables), layers_data(base_layers(tables)), "kv", labels=_names(tables))
    lines = (f"{tables.name}, network {digest[:12]}.", f"Data: {tables.source}.".replace("..", "."), f"Drawn {date}.")
    return content, Caption(f"The network {tables.name}", _SUBTITLES["kv"], lines, INDICATIVE, date)


def dispatch_map(
    network: Network, answer: OpfAnswer, input_hash: str, layer: str, *, stale: str = ""
) -> tuple[MapContent, Caption]:
    """Return a layer of a dispatch, as the screen has it, with its words. Raises ValueError without a dispatch."""
    if answer.dispatch is None:
        raise ValueError("there is no dispatch to draw")
    tables, dispatch = network.tables, answer.dispatch
    layers = [base_layers(tables)[0], *dispatch_layers(dispatch)]
    data = layers_data(layers, binding_branches=dispatch.binding())
    chosen = layer if layer in data["layers"] else "loading"
    labels = _dispatch_labels(network, dispatch, chosen)
    known = about(network, answer, input_hash)
    lines = (
        f"{network.name}, network {answer.network_digest[:12]}, dispatch {input_hash[:12]}.",
        f"Cost {number(dispatch.cost_per_h, 2)} $/h, energy {number(dispatch.energy_per_mwh, 2)} $/MWh at "
        f"{dispatch.reference}. Data: {network.tables.source}.".replace("..", "."),
        f"Computed {answer.made[:16].replace('T', ' ')} UTC with {dispatch.solver}: {dispatch.status}, gap "
        f"{dispatch.gap:.1g}, {number(dispatch.time_s, 2)} s.",
    )
    content = MapContent(tables, points_of(tables), data, chosen, labels=labels)
    words = Caption(str(known["question"]), _SUBTITLES[chosen], lines, str(known["use"]), answer.made, stale)
    return content, words


def points_of(tables: NetworkTables) -> Matrix:
    """Return the (B, 2) points of the map of tables that may be half drawn."""
    if len(tables.buses) == 0:
        return np.zeros((0, 2))
    return map_points(tables, None if is_geographic(tables) else positions(tables))


def _names(tables: NetworkTables) -> list[Label]:
    if len(tables.buses) > MOST_NAMED:
        return []
    return [Label(str(key), i) for i, key in enumerate(tables.buses["bus"])]


def _dispatch_labels(network: Network, dispatch: Dispatch, layer: str) -> list[Label]:
    """Return what is named: branches at their limit with their flow, on a small network every number painted."""
    branches = network.branches
    small = len(network.buses.ids) <= MOST_NAMED
    binding = dispatch.binding()
    flows = [*binding, *(i for i in range(len(branches.ids)) if i not in set(binding))] if small else binding
    named = []
    if layer == "loading":
        named = [
            Label(
                f"{branches.ids[i]}: {megawatts(abs(float(dispatch.flow_mw[i])))}",
                int(branches.from_bus[i]),
                int(branches.to_bus[i]),
                "binding-text" if i in set(binding) else "text",
            )
            for i in flows
        ]
    else:
        ends = [(int(branches.from_bus[i]), int(branches.to_bus[i])) for i in binding]
        named = [Label(branches.ids[i], *pair, "binding-text") for i, pair in zip(binding, ends, strict=True)]
    if not small:
        return named
    values = {"lmp": dispatch.lmp_per_mwh, "congestion": dispatch.congestion_per_mwh}.get(layer)
    buses = [
        Label(key if values is None or np.isnan(values[i]) else f"{key}: {number(float(values[i]), 2)}", i)
        for i, key in enumerate(network.buses.ids)
    ]
    return [*buses, *named]
