"""The question that a capacity study starts with: useful on every grid, and every choice stated.

The 4-bus case starts with its paper's question. Elsewhere: sites on up to 50 substations at 100 kV or more
(all voltages where none is known), 1,000 MW each (a tenth of the load on small grids), firm in every sampled
hour, 5 % risk, and the power from unit headroom. The reference bus as the only supply would put all of the new
power through the lines at one bus: on synthetic Texas 50 sites then share 0.25 GW firm, against 5.9 GW from
headroom (3.1 GW with the 2020 fleet). Limits exceeded at present are held, and listed, because large cases have some.
"""

import numpy as np

from engine.capacity.question import CapacityQuestion, Supply, UncertaintySpec
from engine.capacity.supply import supply_share
from engine.errors import QuestionError
from engine.network.model import Integers, Network

MOST_SITES = 50
SITE_MW = 1000.0
LEAST_KV = 100.0
_PAPER_BUSES = ("1", "2", "3", "4")
_PAPER_BRANCHES = ("1-2", "2-3", "2-4")


def starting_question(network: Network) -> CapacityQuestion:
    """Return the question to open ``network`` with."""
    if network.buses.ids == _PAPER_BUSES and network.branches.ids == _PAPER_BRANCHES:
        return paper_question()
    sites = _sites(network)
    total = float(network.demand_mw.sum())
    size = SITE_MW if total > 20 * SITE_MW else max(1.0, float(f"{total / 10:.1g}"))
    return CapacityQuestion(
        candidates=tuple(network.buses.ids[bus] for bus in sites),
        demand_mw=(size,) * len(sites),
        epsilons=(0.05,),
        supply=_supply(network),
        at_zero="hold",
        uncertainty=UncertaintySpec("hourly", {"hours": 1000 if len(network.buses.ids) > 1000 else 2000}, 1),
    )


def paper_question() -> CapacityQuestion:
    """Return the 4-bus question of the auction paper: supports and demands are inferred from its results.

    Firm capacity is (10, 10); with ``moment_matched`` laws the increments at 5 % tend to (6.71, 5.39).
    """
    laws = [(20.0, 30.0, 25.0), (20.0, 30.0, 25.0), (10.0, 20.0, 15.0), (10.0, 30.0, 20.0)]
    rows = [
        {"bus": bus, "low": low, "high": high, "mean": mean, "variance": 5.0}
        for bus, (low, high, mean) in zip(_PAPER_BUSES, laws, strict=True)
    ]
    return CapacityQuestion(
        candidates=("3", "4"),
        demand_mw=(60.0, 50.0),
        firm_set="box",
        epsilons=(0.05,),
        uncertainty=UncertaintySpec("distribution", {"buses": rows, "scenarios": 2000}, 1),
    )


def _sites(network: Network) -> Integers:
    """Return one bus for each of up to 50 substations, spread evenly over the zones in the order of the table."""
    buses = network.buses
    usable = buses.in_service & (np.arange(len(buses.ids)) != network.slack)
    high = usable & (buses.base_kv >= LEAST_KV)
    chosen = np.flatnonzero(high if high.any() else usable)
    first_of: dict[tuple[str, str], int] = {}
    for bus in chosen.tolist():
        first_of.setdefault((buses.zones[bus], buses.names[bus] or buses.ids[bus]), bus)
    places = sorted(first_of.values(), key=lambda bus: (buses.zones[bus], bus))
    count = min(MOST_SITES, max(1, len(places) // 2))
    return np.array(places, dtype=np.intp)[np.linspace(0, len(places) - 1, count).round().astype(np.intp)]


def _supply(network: Network) -> Supply:
    choices: tuple[Supply, ...] = ("headroom", "capacity")
    for supply in choices:
        try:
            supply_share(network, supply)
        except QuestionError:
            continue
        return supply
    return "slack"
