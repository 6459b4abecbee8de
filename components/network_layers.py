"""The map's layers on the Network page: nominal voltage, and what a dispatch says of branches and buses."""

import numpy as np

from components.grid_map import Layer, classes, magnitude
from engine.network.model import Vector
from engine.network.tables import NetworkTables
from engine.opf.results import Dispatch

CONGESTED = 0.995  # of its limit: from here on a branch is drawn as at its limit
LOADING_BREAKS = (0.25, 0.5, 0.75, 0.9, CONGESTED)
LOADING_WORDS = ("below 25 %", "25\u201350 %", "50\u201375 %", "75\u201390 %", "90 % and more", "at its limit")
VOLTAGE_BREAKS = (69.0, 115.0, 230.0, 345.0, 500.0)
VOLTAGE_WORDS = ("below 69 kV", "69 kV", "115 kV and 161 kV", "230 kV", "345 kV", "500 kV and more")
CONGESTION_WORDS = ("far below", "below", "a little below", "about none", "a little above", "above", "far above")
CONGESTION_STEPS = (-0.5, -0.2, -0.02, 0.02, 0.2, 0.5)  # of the largest in the network
LAYERS = ("kv", "loading", "lmp", "congestion")  # the keys, in the order of the switch


def base_layers(tables: NetworkTables) -> list[Layer]:
    """Return the layer that needs no computation, and the places of those that a DC-OPF fills."""
    kv = [value if value > 0 else float("nan") for value in tables.buses["base_kv"].tolist()]
    by_bus = dict(zip(tables.buses["bus"], kv, strict=True))
    unknown = float("nan")
    low = [
        min(by_bus.get(start, unknown), by_bus.get(end, unknown))
        for start, end in zip(tables.branches["from_bus"], tables.branches["to_bus"], strict=True)
    ]
    buses, branches = classes(kv, VOLTAGE_BREAKS), classes(low, VOLTAGE_BREAKS)
    voltage = Layer("kv", "Voltage", "", "cividis", buses, branches, VOLTAGE_WORDS)
    later = [("loading", "Loading"), ("lmp", "Price"), ("congestion", "Congestion")]
    return [voltage, *(Layer(key, text, note=f"{text}: solve the DC-OPF first") for key, text in later)]


def dispatch_layers(dispatch: Dispatch) -> list[Layer]:
    """Return a dispatch's layers: loading of branches, price of buses, and its congestion part."""
    loading = dispatch.loading()
    flow_text = [
        f"{abs(flow):,.1f} MW" + ("" if np.isnan(share) else f", {100 * share:.0f} % of its limit")
        for flow, share in zip(dispatch.flow_mw, loading, strict=True)
    ]
    priced = zip(dispatch.lmp_per_mwh, _rounded(dispatch.congestion_per_mwh), strict=True)
    price_text = [
        f"{price:.2f} $/MWh: energy {dispatch.energy_per_mwh:.2f}, congestion {part:+.2f}" for price, part in priced
    ]
    loading_layer = Layer(
        "loading", "Loading", "%", "cividis", None, classes(loading, LOADING_BREAKS), LOADING_WORDS,
        branch_text=flow_text, note="flow as a share of the limit",
    )  # fmt: skip
    price = magnitude("lmp", "Price", "$/MWh", np.round(dispatch.lmp_per_mwh, 4), bus_text=price_text)
    return [loading_layer, price, _congestion(dispatch)]


def _congestion(dispatch: Dispatch) -> Layer:
    values = _rounded(dispatch.congestion_per_mwh)
    most = float(np.nanmax(np.abs(values), initial=0.0))
    steps = [step * (most if most > 1e-6 else 1.0) for step in CONGESTION_STEPS]
    text = [f"{part:+.2f} $/MWh of congestion" for part in values]
    return Layer(
        "congestion", "Congestion", "$/MWh", "difference", classes(values, steps), None, CONGESTION_WORDS,
        bus_text=text, note=f"price minus energy at {dispatch.reference}, up to {most:.2f} $/MWh",
    )  # fmt: skip


def _rounded(values: Vector) -> Vector:
    """Return ``values`` with what is rounding taken off, and no zero below zero."""
    return np.round(values, 4) + 0.0
