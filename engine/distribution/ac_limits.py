"""What an AC solution says of a feeder's limits: voltages, currents of lines, power of transformers' windings."""

import math
from collections.abc import Sequence

import numpy as np

from engine.distribution.feeder import Connection, Feeder, Transformer
from engine.distribution.frames import Complex, Vector
from engine.distribution.opendss import AcFlow

_VOLT_PU, _LOADING = 1e-4, 1e-3  # a limit is broken by more
_PAIRS = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])  # ab, bc, ca of a, b, c


def beyond(flow: AcFlow) -> tuple[np.ndarray, np.ndarray]:
    """Return which voltages (B, 3) are outside the limits and which links (M,) above their rating, by more than noise.

    The source's bus is not judged: its voltage is given.
    """
    feeder = flow.feeder
    size = np.nan_to_num(flow.magnitude_pu, nan=1.0)
    absent = np.isnan(flow.magnitude_pu)
    out = ((size < feeder.v_min_pu - _VOLT_PU) | (size > feeder.v_max_pu + _VOLT_PU)) & ~absent
    out[[bus.name == feeder.source_bus for bus in feeder.buses]] = False
    return out, loading(flow) > 1.0 + _LOADING


def broken(flows: Sequence[AcFlow]) -> dict[str, int]:
    """Return how many limits of voltages and of ratings AC solutions exceed, counted node by node and hour by hour."""
    found = [beyond(flow) for flow in flows]
    return {
        "voltages": int(sum(out.sum() for out, _ in found)), "ratings": int(sum(over.sum() for _, over in found)),
    }  # fmt: skip


def loading(flow: AcFlow) -> Vector:
    """Return (M,) how far each link is loaded, as a share of its rating; 0 without one, nan without a solution.

    A line, switch or regulator by its largest current; a transformer by the largest power of its windings over its
    kVA divided by its phases.
    """
    if not flow.converged:
        return np.full(len(flow.feeder.links), np.nan)
    most = np.nan_to_num(np.abs(flow.current_a)).max(axis=1, initial=0.0)
    found = np.zeros(len(flow.feeder.links))
    for at, link in enumerate(flow.feeder.links):
        if isinstance(link, Transformer):
            found[at] = float(np.abs(winding_kva(flow, at)).max()) * len(link.phases) / link.kva
        else:
            found[at] = 0.0 if link.rating_a is None else most[at] / link.rating_a
    return found


def winding_kva(flow: AcFlow, place: int) -> Complex:
    """Return (2, 3) the complex power of a transformer's windings, kVA: its from side, its to side.

    A wye's windings lie between each phase and the earth, a delta's between two phases, with the current that is left
    when none goes round: a third of the difference of its lines' currents.
    """
    feeder, link = flow.feeder, flow.feeder.links[place]
    if not isinstance(link, Transformer):
        raise TypeError(f"{link.name} is no transformer")
    rows = {bus.name: at for at, bus in enumerate(feeder.buses)}
    ends = ((link.from_bus, flow.from_kva, link.from_connection), (link.to_bus, flow.to_kva, link.to_connection))
    return np.array([_side(feeder, flow.voltage_pu[rows[bus]], kva[place], kind) for bus, kva, kind in ends])


def _side(feeder: Feeder, volts: Complex, kva: Complex, connection: Connection) -> Complex:
    """Return (3,) the power of one side's windings, from voltages and powers by member of the feeder's frame."""
    volts, kva = np.nan_to_num(volts), np.nan_to_num(kva)
    between = feeder.wires == "three"
    if (connection == "delta") == between:
        return np.asarray(kva)
    current = np.conj(np.divide(kva, volts, out=np.zeros_like(kva), where=np.abs(volts) > 0.0))
    if between:  # pairs to phases: voltages to the middle of the three, currents of the lines
        return np.asarray((_PAIRS.T @ volts / 3.0) * np.conj(_PAIRS.T @ current))
    return np.asarray((_PAIRS @ volts) * np.conj(_PAIRS @ current / 3.0))


def unbalance_of(flow: AcFlow) -> dict[str, float]:
    """Return VUF, negative over positive sequence, of each bus with three phases beyond the source."""
    feeder = flow.feeder
    pairs = zip(feeder.buses, flow.unbalance.tolist(), strict=True)
    return {bus.name: value for bus, value in pairs if bus.name != feeder.source_bus and math.isfinite(value)}
