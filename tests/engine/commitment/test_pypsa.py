"""Unit commitment against PyPSA's, written apart from ours: same costs, ramps, least hours and initial state."""

import logging
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from engine.commitment.instance import CommitmentOptions, InitialState, Instance, ReserveRule
from engine.commitment.outcome import Effort, End
from engine.commitment.scuc import commit
from tests.engine.commitment.small import TRIANGLE, case_of, day_load, grid, judged, random_units


def by_pypsa(instance: Instance) -> tuple[float, np.ndarray]:
    """The least cost, and what runs (T, G): all units off for long before the first hour."""
    logging.getLogger("linopy").setLevel(logging.ERROR)
    logging.getLogger("pypsa").setLevel(logging.ERROR)
    case, fleet, units = instance.case, instance.fleet, instance.network.units
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: Any = import_module("pypsa").Network()
        network.set_snapshots(range(len(case)))
        for place, bus in enumerate(instance.network.buses.ids):
            network.add("Bus", bus, v_nom=1.0)
            network.add("Load", f"d{bus}", bus=bus, p_set=case.demand_mw[:, place])
        ends = instance.network.branches
        for place, name in enumerate(ends.ids):
            network.add(
                "Line",
                name,
                bus0=instance.network.buses.ids[ends.from_bus[place]],
                bus1=instance.network.buses.ids[ends.to_bus[place]],
                x=ends.reactance_pu[place],
                s_nom=ends.rating_a_mw[place],
            )
        for g, name in enumerate(units.ids):
            most = units.p_max_mw[g]
            network.add(
                "Generator",
                name,
                bus=instance.network.buses.ids[units.bus[g]],
                p_nom=most,
                p_min_pu=units.p_min_mw[g] / most,
                marginal_cost=units.cost_c1_per_mwh[g],
                stand_by_cost=units.cost_c0_per_h[g],
                committable=True,
                start_up_cost=fleet.startup_cost[g],
                shut_down_cost=fleet.shutdown_cost[g],
                min_up_time=int(fleet.least_up_h[g]),
                min_down_time=int(fleet.least_down_h[g]),
                up_time_before=0,
                down_time_before=24,
                ramp_limit_up=min(fleet.ramp_mw[g] / most, 1.0),
                ramp_limit_down=min(fleet.ramp_mw[g] / most, 1.0),
                ramp_limit_start_up=min(fleet.edge_mw[g] / most, 1.0),
                ramp_limit_shut_down=min(fleet.edge_mw[g] / most, 1.0),
            )
        status, _ = network.optimize(solver_name="highs", mip_rel_gap=1e-7, output_flag=False)
        assert status == "ok"
        return float(network.objective), network.generators_t.status.to_numpy() > 0.5


@pytest.mark.parametrize("seed", range(2))
def test_the_least_cost_is_pypsas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = random_units(rng, 4)
    units[1] |= {"fuel": "coal", "p_max_mw": 120.0, "p_min_mw": 30.0}
    lines = tuple((a, b, x, 45.0) for a, b, x, _ in TRIANGLE)
    off = np.zeros(4, dtype=bool)
    before = InitialState(off, np.full(4, 24), np.zeros(4))
    case = case_of(grid(units, lines), np.round(day_load(75.0, 30.0), 3))
    low = np.minimum(case.demand_mw, 25.0 * (1.0 + np.arange(24))[:, np.newaxis])  # the first hours start from nothing
    instance = Instance.of(case_of(case.network, low), CommitmentOptions(reserve=ReserveRule("none")), initial=before)
    found = commit(instance, Effort(1e-6, 100.0)).commitment
    cost, _ = by_pypsa(instance)
    assert found.status is End.WITHIN_GAP
    assert found.cost == pytest.approx(cost, rel=2e-6)
    assert judged(instance, found).problems == []
