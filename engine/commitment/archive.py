"""A commitment as bytes, and back: arrays without pickle, with what it was made from."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.commitment.instance import Instance
from engine.commitment.lines import FlowRows
from engine.commitment.outcome import Commitment, Effort, End
from engine.commitment.sced import Dispatch, Hints
from engine.errors import UncertaintyDataError
from engine.program import Status

_FORMAT = "commitment 1"


def save(instance: Instance, found: Commitment) -> bytes:
    """Return a commitment of an instance as the bytes of an ``.npz`` file."""
    meta: dict[str, Any] = {
        "format": _FORMAT,
        "case": instance.case.digest,
        "options": asdict(instance.options),
        "status": str(found.status),
        "reason": found.reason,
        "cost": _number(found.cost),
        "bound": _number(found.bound),
        "bound_by": found.bound_by,
        "effort": asdict(found.effort),
        "time_s": found.time_s,
        "times_s": found.times_s,
        "fractional": found.fractional,
        "solver": found.solver,
    }
    arrays: dict[str, AnyArray] = {}
    dispatch = found.dispatch
    if found.on is not None and dispatch is not None:
        flows = dispatch.flows
        meta["dispatch"] = {"cost": dispatch.cost, "time_s": dispatch.time_s, "solver": dispatch.solver}
        arrays = {
            "on": found.on,
            "output_mw": dispatch.output_mw,
            "reserve_mw": dispatch.reserve_mw,
            "energy": dispatch.energy,
            "reserve_price": dispatch.reserve_price,
            "hour": flows.hour,
            "monitored": flows.monitored,
            "outage": flows.outage,
            "side": flows.side,
            "flow_mw": dispatch.flow_mw,
            "flow_price": dispatch.flow_price,
            "lmp": dispatch.lmp,
            "ramps": np.array(sorted(dispatch.hints.ramps), dtype=np.int64).reshape(-1, 3),
            "reserved": np.array(sorted(dispatch.hints.reserve), dtype=np.int64),
        }
    return pack(arrays, meta)


def load(source: Path | bytes, instance: Instance) -> Commitment:
    """Return the commitment of :func:`save` for the same instance.

    Raises UncertaintyDataError when the file is none, or was made from another case or with other options.
    """
    arrays, meta = unpack(source)
    if meta.get("format") != _FORMAT:
        raise UncertaintyDataError("this file holds no commitment")
    if meta["case"] != instance.case.digest or meta["options"] != _plain(asdict(instance.options)):
        raise UncertaintyDataError("this commitment was made from another case or with other options")
    on, dispatch = None, None
    if "on" in arrays:
        on = np.array(arrays["on"])
        place = (np.array(arrays[name], dtype=np.intp) for name in ("hour", "monitored", "outage", "side"))
        flows = FlowRows.of(instance, *place) if len(arrays["hour"]) else Hints.none(instance).flows
        price = np.array(arrays["flow_price"])
        ramps = frozenset((int(hour), int(unit), bool(up)) for hour, unit, up in arrays["ramps"])
        hints = Hints(flows.at(np.flatnonzero(price)), ramps, frozenset(arrays["reserved"].tolist()))
        dispatch = Dispatch(
            status=Status.OPTIMAL,
            output_mw=np.array(arrays["output_mw"]),
            reserve_mw=np.array(arrays["reserve_mw"]),
            energy=np.array(arrays["energy"]),
            reserve_price=np.array(arrays["reserve_price"]),
            flows=flows,
            flow_mw=np.array(arrays["flow_mw"]),
            flow_price=price,
            lmp=np.array(arrays["lmp"]),
            branches=len(instance.network.branches.ids),
            hints=hints,
            **meta["dispatch"],
        )
    return Commitment(
        status=End(meta["status"]),
        reason=meta["reason"],
        on=on,
        dispatch=dispatch,
        cost=float(meta["cost"]),
        bound=float(meta["bound"]),
        bound_by=meta["bound_by"],
        effort=Effort(**meta["effort"]),
        time_s=meta["time_s"],
        times_s=meta["times_s"],
        fractional=meta["fractional"],
        solver=meta["solver"],
    )


def _number(value: float) -> float | str:
    """Return a number that JSON can write: infinity as text, which ``float`` reads again."""
    return value if np.isfinite(value) else str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
