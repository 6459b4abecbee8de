"""A siting study that is small enough to be worked out by hand: two buses, two equal circuits, two units, two hours.

Unit a at A produces 150 to 200 MW, unit b at B up to 200 MW; each circuit carries 80 MW; the load is at B. Market
figures are drawn at random: a test of the page needs figures, not prices.
"""

from functools import cache

import numpy as np

from engine.commitment.outcome import End
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.envelopes import envelope
from engine.siting.gate.screening import screen
from engine.siting.hour_sets import listed
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_days import DayMarket
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.metrics import HourlyMarket
from engine.siting.prepare import Prepared
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, gate_question

ENVELOPES = (envelope("firm"), envelope("shift"))
SIZES = (50.0, 100.0)


@cache
def network() -> Network:
    place = {"base_kv": 138.0, "load_mw": 0.0}
    buses = [
        {"bus": "A", "name": "Alder", "slack": True, "zone": "North", **place, "longitude": -97.0, "latitude": 31.0},
        {"bus": "B", "name": "Birch", "zone": "South", **place, "load_mw": 200.0, "longitude": -96.0, "latitude": 30.0},
    ]
    branches = [
        {"branch": f"A-B/{k}", "from_bus": "A", "to_bus": "B", "circuit": str(k), "rating_a_mw": 80.0} for k in (1, 2)
    ]
    units = [
        {"unit": "a", "bus": "A", "p_min_mw": 150.0, "p_max_mw": 200.0},
        {"unit": "b", "bus": "B", "p_max_mw": 200.0},
    ]
    rows = {"buses": buses, "branches": branches, "units": units}
    return Network.from_tables(NetworkTables(name="pair", **{name: table_of(name, row) for name, row in rows.items()}))


@cache
def priced() -> Network:
    """The same with costs: the cheap unit is on the far side of the two circuits, whose limits so have a price."""
    tables = network().tables
    units = tables.units.assign(cost_c1_per_mwh=[10.0, 30.0], p_min_mw=[100.0, 0.0])
    return Network.from_tables(tables.with_table("units", units))


@cache
def gate_run() -> GateRun:
    """The gate of two hours: 200 MW of load at 16 o'clock, 240 MW at 3."""
    grid = network()
    units = grid.units
    case = SitingCase(
        grid,
        np.array([grid.demand_mw, 1.2 * grid.demand_mw]),
        np.tile(units.p_min_mw, (2, 1)),
        np.tile(units.p_max_mw, (2, 1)),
        np.array([16, 3]),
        ("2020-08-12 15:00", "2020-08-13 02:00"),
        "worked out by hand",
    )
    question = SitingQuestion(
        source="2016", choice="list", hours=(0, 1), candidates="listed", buses=("A", "B"), envelopes=ENVELOPES,
        sizes_mw=SIZES, threshold=0.5,
    )  # fmt: skip
    prepared = Prepared(case, listed(case, (0, 1), ENVELOPES), 2)
    contingencies = Contingencies.of(Factors.of(grid), question.rule, case)
    return GateRun(question, prepared, contingencies, screen(case, contingencies, gate_question(question, prepared)))


@cache
def market_run() -> MarketRun:
    """Eight sites in the market: figures between 0 and 1, the noise floor 0.25 in each."""
    rng = np.random.default_rng(3)

    def site(placement: Placement | None) -> SiteMarket:
        day = DayMarket(End.WITHIN_GAP, "", HourlyMarket(*rng.random((5, 24))), rng.random(), 1.0, 1.0, 1e-5, 0.1)
        return SiteMarket(placement, (day,), rng.random((3, 5)), rng.random(2))

    places = [Placement(bus, own, size) for own in ENVELOPES for size in SIZES for bus in (0, 1)]
    facts = {
        "days": [{"label": "2020-08-12", "reason": "highest load", "weight": 1.0}],
        "sites": len(places),
        "left_out": 3,
        "order": "the higher pass rate",
        "case": "c" * 64,
    }
    return MarketRun(MarketQuestion(days="peak"), site(None), tuple(map(site, places)), facts, np.full((3, 5), 0.25))
