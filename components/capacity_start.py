"""The first question of a grid: what its Capacity page asks before anybody has changed a word."""

from components.capacity_sites import choose, voltages
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.network.model import Network

# The published 4-bus case; the supports and the demands are inferred from its results.
_FOURBUS = {
    "buses": [
        {"bus": "1", "low": 20.0, "high": 30.0, "mean": 25.0, "variance": 5.0},
        {"bus": "2", "low": 20.0, "high": 30.0, "mean": 25.0, "variance": 5.0},
        {"bus": "3", "low": 10.0, "high": 20.0, "mean": 15.0, "variance": 5.0},
        {"bus": "4", "low": 10.0, "high": 30.0, "mean": 20.0, "variance": 5.0},
    ],
    "reading": "moment_matched",
    "correlation": 0,
    "scenarios": 2000,
}
_FOURBUS_LOADS = {"1": 25.0, "2": 25.0, "3": 15.0, "4": 20.0}
_LARGE = 1000  # buses from which the sites are asked 1 GW and only transmission voltages are offered
_SITES_LARGE, _SITES_SMALL = 50, 10
_LEAST_KV = 230.0


def first_question(network: Network) -> CapacityQuestion:
    """Return the question that a study of ``network`` opens with."""
    if dict(zip(network.buses.ids, network.buses.load_mw.tolist(), strict=True)) == _FOURBUS_LOADS:
        return CapacityQuestion(
            candidates=("3", "4"),
            demand_mw=(60.0, 50.0),
            firm_set="box",
            supply="slack",
            uncertainty=UncertaintySpec("distribution", _FOURBUS),
        )
    large = len(network.buses.ids) >= _LARGE
    sites = choose(network, _least_kv(network) if large else None, None, _SITES_LARGE if large else _SITES_SMALL)
    demand = 1000.0 if large else max(10.0, float(round(network.buses.load_mw.sum() / 100) * 10))
    has_units = bool((network.units.p_max_mw[network.units.in_service] > 0).any())
    return CapacityQuestion(
        candidates=tuple(sites),
        demand_mw=(demand,) * len(sites),
        supply="headroom" if has_units else "slack",
        uncertainty=UncertaintySpec("hourly", {"model": "auto", "hours": 2000}) if large else _relative(),
    )


def _relative() -> UncertaintySpec:
    return UncertaintySpec(
        "distribution",
        {"relative_sd": 0.05, "relative_range": 0.2, "correlation": 0, "reading": "moment_matched", "scenarios": 2000},
    )


def _least_kv(network: Network) -> float | None:
    levels = voltages(network)
    return _LEAST_KV if any(kv >= _LEAST_KV for kv in levels) else (levels[0] if levels else None)
