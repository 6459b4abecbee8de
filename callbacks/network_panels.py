"""The inspector of the Network page: the selected element's form and what the DC-OPF says of it."""

from typing import Any

import numpy as np
from dash import html

from callbacks.network_answer import drawn_answer
from callbacks.network_desk import Seat
from callbacks.network_opf import OpfDesk
from components import network_answer, skeleton
from components.network_forms import element_form, network_form
from components.network_rows import ELEMENTS
from engine.errors import EngineError
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.opf.results import Dispatch


def inspector(seat: Seat, desk: OpfDesk, selected: Any, kept: Any) -> Any:
    """Return the inspector: the selected element's form and what the DC-OPF says of it, else the network's."""
    try:
        tables = seat.tables(seat.status().digest)
        read_only = seat.read_only()
        found = drawn_answer(seat, desk, kept)
    except EngineError as error:
        return skeleton.state("failed", str(error))
    network, dispatch = (None, None) if found is None else (found[0], found[1].dispatch)
    element = skeleton.parse_element(selected, ELEMENTS)
    if element is None:
        return _of_network(tables, network, dispatch, read_only=read_only)
    told = [] if network is None or dispatch is None else [_told(network, dispatch, *element)]
    return html.Div([*told, element_form(tables, *element, read_only=read_only)])


def _of_network(tables: NetworkTables, network: Network | None, dispatch: Dispatch | None, *, read_only: bool) -> Any:
    parts: list[Any] = [network_form(tables.name, read_only=read_only)]
    if tables.source:
        parts.append(html.P(tables.source, className="hr-muted"))
    if not len(tables.buses):
        hint = "It has no bus yet." if read_only else "Draw its buses on the canvas, paste rows, or import a network."
        parts.append(html.P(hint))
    elif network is None or dispatch is None:
        parts.append(html.P("Press a bus or a branch to edit it. Solve DC-OPF shows flows and prices."))
    else:
        names = network.branches.ids
        binding = [
            (names[i], float(dispatch.flow_mw[i]), float(dispatch.branch_price_per_mwh[i])) for i in dispatch.binding()
        ]
        parts.append(network_answer.of_network(binding, int((dispatch.dispatch_mw > 1e-6).sum())))
    return html.Div(parts)


def _told(network: Network, dispatch: Dispatch, kind: str, key: str) -> Any:
    """Return what the answer says of an element; nothing of one that is newer than the answer."""
    names = {"bus": network.buses.ids, "branch": network.branches.ids, "unit": network.units.ids}[kind]
    if key not in names:
        return None
    i = names.index(key)
    if kind == "bus":
        return network_answer.of_bus(
            key,
            lmp=float(dispatch.lmp_per_mwh[i]),
            energy=dispatch.energy_per_mwh,
            congestion=float(dispatch.congestion_per_mwh[i]),
            reference=dispatch.reference,
            binds=[f"branch {network.branches.ids[row]}" for row in dispatch.binding()[:5]],
        )
    if kind == "branch":
        share = float(dispatch.loading()[i])
        ends = (network.branches.from_bus[i], network.branches.to_bus[i])
        start, end = (network.buses.ids[int(bus)] for bus in ends)
        price = float(dispatch.branch_price_per_mwh[i])
        flow = float(dispatch.flow_mw[i])
        return network_answer.of_branch(flow, start, end, None if np.isnan(share) else share, price)
    price = float(dispatch.lmp_per_mwh[int(network.units.bus[i])])
    return network_answer.of_unit(float(dispatch.dispatch_mw[i]), float(network.units.p_max_mw[i]), price)
