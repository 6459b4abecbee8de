"""A case of placement in a file: JSON of its parts, the shocks as arrays beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.capacity.archive import AnyArray
from engine.distribution.files import from_json as feeder_from_json
from engine.distribution.files import to_json as feeder_to_json
from engine.resilience.case import Campus, Penalties, PlacementCase, Scenarios
from engine.resilience.modules import ModuleType

_ARRAYS = ("draw_mw", "start", "end", "probability", "outage", "restored")


def packed(case: PlacementCase) -> dict[str, AnyArray]:
    """Return the arrays that :func:`unpacked` reads."""
    told = {
        "step_h": case.step_h, "campuses": [asdict(each) for each in case.campuses],
        "types": [asdict(each) for each in case.types], "sites": case.sites, "budget": case.budget,
        "events_per_year": case.events_per_year, "penalties": asdict(case.penalties),
        "substation_mva": case.substation_mva, "dead_band_mw": case.dead_band_mw,
        "ramp_mw_per_min": case.ramp_mw_per_min, "margin_pu": case.margin_pu,
        "labels": case.labels, "kinds": case.scenarios.kind,
    }  # fmt: skip
    found: dict[str, AnyArray] = {f"shock_{name}": np.asarray(getattr(case.scenarios, name)) for name in _ARRAYS}
    return found | {
        "case": np.frombuffer(json.dumps(told).encode(), dtype=np.uint8), "load_share": case.load_share,
        "feeder": np.frombuffer(feeder_to_json(case.feeder), dtype=np.uint8),
    }  # fmt: skip


def unpacked(arrays: Mapping[str, AnyArray]) -> PlacementCase:
    """Return the case that :func:`packed` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    told: dict[str, Any] = json.loads(arrays["case"].tobytes())
    given = {name: arrays[f"shock_{name}"] for name in _ARRAYS}
    scenarios = Scenarios(
        given["draw_mw"], given["start"], given["end"], given["probability"], given["outage"], tuple(told["kinds"]),
        given["restored"],
    )  # fmt: skip
    return PlacementCase(
        feeder=feeder_from_json(arrays["feeder"].tobytes()),
        load_share=arrays["load_share"],
        step_h=told["step_h"],
        campuses=tuple(Campus(**each) for each in told["campuses"]),
        types=tuple(ModuleType(**each) for each in told["types"]),
        sites=tuple(told["sites"]),
        scenarios=scenarios,
        budget=told["budget"],
        events_per_year=told["events_per_year"],
        penalties=Penalties(**told["penalties"]),
        substation_mva=told["substation_mva"],
        dead_band_mw=told["dead_band_mw"],
        ramp_mw_per_min=told["ramp_mw_per_min"],
        margin_pu=told["margin_pu"],
        labels=tuple(told["labels"]),
    )
