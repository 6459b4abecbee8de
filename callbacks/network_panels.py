"""The inspector of the Network page: the selected element's form and what the DC-OPF says of it."""

from typing import Any

import numpy as np
from dash import html

from callbacks.network_answer import drawn_answer
from callbacks.network_desk import Seat
from callbacks.network_opf import OpfDesk
from components import network_answer, skeleton
from components.format import megawatts
from components.network_forms import element_form, network_form
from components.network_rows import ELEMENTS
from engine.errors import EngineError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.network.outages import Outages
from engine.network.tables import NetworkTables
from engine.opf.results import AfterOutage, Dispatch

Limits = list[tuple[str, str, str, float]]


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
    if element[0] in ("branch", "interface", "contingency"):
        asked = found is not None and found[1].question.security == "n-1"
        told.append(_without_solving(seat, network, dispatch, element, asked=asked))
    return html.Div([*told, element_form(tables, *element, read_only=read_only)])


def binding_limits(network: Network, dispatch: Dispatch) -> Limits:
    """Return the limits with a price, the dearest first: element, id, what it carries, $ per MWh of more limit."""
    branches, interfaces = network.branches.ids, network.interfaces.ids
    found = [
        (f"branch:{branches[i]}", branches[i], _at(dispatch.flow_mw[i]), float(dispatch.branch_price_per_mwh[i]))
        for i in dispatch.binding()
    ]
    found += [
        (
            f"interface:{interfaces[i]}",
            f"interface {interfaces[i]}",
            _at(dispatch.interface_flow_mw[i]),
            float(dispatch.interface_price_per_mwh[i]),
        )
        for i in dispatch.binding_interfaces()
    ]
    found += [
        (
            f"{row.kind}:{row.element}",
            row.element if row.kind == "branch" else f"interface {row.element}",
            f"{_at(row.flow_mw)} after {row.words}",
            row.price_per_mwh,
        )
        for row in dispatch.after
    ]
    return sorted(found, key=lambda limit: -abs(limit[3]))


def _at(flow_mw: float) -> str:
    return f"at {megawatts(abs(float(flow_mw)))}"


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
        running = int((dispatch.dispatch_mw > 1e-6).sum())
        parts.append(network_answer.of_network(binding_limits(network, dispatch), running))
    return html.Div(parts)


def _told(network: Network, dispatch: Dispatch, kind: str, key: str) -> Any:
    """Return what the answer says of an element; nothing of one that is newer than the answer."""
    ids = {"bus": network.buses.ids, "branch": network.branches.ids, "unit": network.units.ids}
    if key not in ids.get(kind, ()):
        return None
    i = ids[kind].index(key)
    if kind == "bus":
        return network_answer.of_bus(
            key,
            lmp=float(dispatch.lmp_per_mwh[i]),
            energy=dispatch.energy_per_mwh,
            congestion=float(dispatch.congestion_per_mwh[i]),
            reference=dispatch.reference,
            binds=[f"{element.replace(':', ' ')} {at}" for element, _, at, _ in binding_limits(network, dispatch)[:5]],
        )
    if kind == "branch":
        share = float(dispatch.loading()[i])
        ends = (network.branches.from_bus[i], network.branches.to_bus[i])
        start, end = (network.buses.ids[int(bus)] for bus in ends)
        price = float(dispatch.branch_price_per_mwh[i])
        flow = float(dispatch.flow_mw[i])
        after = _binding_after(dispatch, kind, key)
        return network_answer.of_branch(flow, start, end, None if np.isnan(share) else share, price, after)
    price = float(dispatch.lmp_per_mwh[int(network.units.bus[i])])
    return network_answer.of_unit(float(dispatch.dispatch_mw[i]), float(network.units.p_max_mw[i]), price)


def _without_solving(
    seat: Seat, network: Network | None, dispatch: Dispatch | None, element: tuple[str, str], *, asked: bool
) -> Any:
    """Return what an outage cuts off, or an interface's flow as filed; of the answer what it says of these too."""
    kind, key = element
    try:
        factors = seat.services.factors(seat.user, seat.study)
    except EngineError:
        return None  # a network that needs mending: the problems tab says why
    now = factors.network
    if kind == "interface":
        return _interface(factors, network, dispatch, key)
    ids = now.branches.ids if kind == "branch" else now.contingencies.ids
    if key not in ids:
        return None
    place = ids.index(key)
    if kind == "branch" and not now.branches.in_service[place]:
        return None
    lost = (place,) if kind == "branch" else now.contingencies.branches[place]
    apart = Outages.listed(factors, [key], [lost]).islanding
    words = apart[0].words(now) if apart else ""
    after = () if dispatch is None else tuple(row for row in dispatch.after if row.outage == key)
    if kind == "branch" and not words and not asked:
        return None
    return network_answer.of_outage(words, after, asked=asked and dispatch is not None)


def _interface(factors: Factors, network: Network | None, dispatch: Dispatch | None, key: str) -> Any:
    held = factors.network.interfaces
    if key not in held.ids:
        return None  # out of service
    i = held.ids.index(key)
    filed = _summed(factors.network, i, factors.flows(factors.network.injection_mw))
    flow, price = None, 0.0
    after: tuple[AfterOutage, ...] = ()
    if network is not None and dispatch is not None and key in network.interfaces.ids:
        at = network.interfaces.ids.index(key)
        flow, price = _summed(network, at, dispatch.flow_mw), float(dispatch.interface_price_per_mwh[at])
        after = _binding_after(dispatch, "interface", key)
    limits = (float(held.upper_mw[i]), -float(held.lower_mw[i]))
    return network_answer.of_interface(filed, flow, limits, price, after)


def _summed(network: Network, place: int, flow_mw: Vector) -> tuple[float, network_answer.Terms]:
    """Return the flow of an interface, and the branches, weights and flows (L,) that it adds up."""
    weights = network.interfaces.weights[[place]]
    terms = [
        (network.branches.ids[branch], float(weight), float(flow_mw[branch]))
        for branch, weight in zip(weights.indices.tolist(), weights.data.tolist(), strict=True)
    ]
    return float((weights @ flow_mw)[0]), terms


def _binding_after(dispatch: Dispatch, kind: str, key: str) -> tuple[AfterOutage, ...]:
    return tuple(row for row in dispatch.after if (row.kind, row.element) == (kind, key))
