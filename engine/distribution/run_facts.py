"""What a feeder study tells of a case beside its arrays: method, bounds, rounds, flags, duals, batteries."""

from dataclasses import asdict
from typing import Any

import numpy as np

from engine.capacity.archive import AnyArray
from engine.distribution.binding import battery_limits, binding_limits
from engine.distribution.case import FeederCase
from engine.distribution.methods import Decided
from engine.distribution.tightening import Checked


def stored(decided: Decided) -> dict[str, AnyArray]:
    """Return what batteries do, and what computers draw beside them."""
    charge, discharge, held = 1000.0 * decided.battery_mw
    return {
        "computer_kw": decided.centre_kw - charge + discharge, "charge_kw": charge, "discharge_kw": discharge,
        "held_kwh": held,
    }  # fmt: skip


def facts(case: FeederCase, checked: Checked, decided: Decided) -> dict[str, Any]:
    """Return what is told of a case beside its arrays, as JSON."""
    result, outcome = checked.result, decided.outcome
    method: dict[str, Any] = {"status": "given"}
    if outcome is not None:
        bound = outcome.bound if np.isfinite(outcome.bound) else None
        method = {
            "name": outcome.method, "status": outcome.status, "objective": outcome.objective, "bound": bound,
            "gap": None if bound is None else outcome.gap, "payment": float(outcome.payment.sum()),
            "payment_most": float(outcome.payment_most.sum()), "delay_cost": outcome.delay_cost,
            "system_cost": outcome.system_cost, "time_s": outcome.time_s, "processor_s": outcome.processor_s,
            "notes": list(outcome.notes),
        }  # fmt: skip
    beyond = {label: list(flow.beyond_models) for label, flow in zip(case.labels, checked.flows, strict=True)}
    return {
        "method": method,
        "solver": result.solver,
        "certificate": asdict(result.certificate),
        "operator_time_s": result.time_s,
        "violations": [asdict(each) for each in result.violations],
        "flags": [asdict(each) for each in checked.flags],
        "rounds": [{**asdict(each), "error_pu": list(each.error_pu)} for each in checked.rounds],
        "correction_kept": checked.corrected.chosen,
        "rating_share": checked.rating_share,
        "duals": [
            asdict(each)
            for each in (
                *binding_limits(checked.case, checked.options, result),
                *battery_limits(case, (decided.battery_mw[0], decided.battery_mw[1]), decided.battery_mw[2]),
            )
        ],
        "beyond_models": {label: names for label, names in beyond.items() if names},
        "voltage_price_per_pu2": result.voltage_price_per_pu2,
    }
