"""The gate's check: overloads known in closed form, PYPOWER's and PyPSA's dispatch, and verdicts that are wrong."""

import json
import logging
import warnings
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pypsa
import pytest
from pypower.api import ppoption, rundcopf

from engine.compute import Processes
from engine.errors import QuestionError, VerdictError
from engine.network.factors import Factors
from engine.network.model import Integers, Network
from engine.network.tables import NetworkTables, table_of
from engine.siting import cases
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.gate_check import EDGE_MW, INTACT, CheckReport, Triple, check, draw, judge
from tests.engine.grids import Ppc, network_of, pypower_case

# Two circuits of 100 MW from a source of 300 MW at bus 1 to bus 2, and a third one of half the susceptance.
TWO = NetworkTables(
    name="two",
    buses=table_of("buses", [{"bus": "1", "slack": True, "base_kv": 138.0}, {"bus": "2", "base_kv": 138.0}]),
    branches=table_of(
        "branches",
        [
            {"branch": name, "from_bus": "1", "to_bus": "2", "reactance_pu": x, "rating_a_mw": 100.0}
            for name, x in (("a", 0.1), ("b", 0.1), ("c", 0.2))
        ],
    ),
    units=table_of(
        "units", [{"unit": "g", "bus": "1", "p_max_mw": 300.0}, {"unit": "h", "bus": "2", "p_max_mw": 20.0}]
    ),
)


def filed(tables: NetworkTables) -> tuple[SitingCase, Contingencies]:
    network = Network.from_tables(tables)
    return cases.as_filed(network), Contingencies.of(Factors.of(network), Rule(branches="all"))


def over(tables: NetworkTables, load: float, contingency: int) -> float:
    case, contingencies = filed(tables)
    return judge(case, contingencies, [Triple(1, load, 0, contingency, passes=True)])[0].overload_mw


@pytest.mark.parametrize(
    ("load", "contingency", "wanted"),
    [
        (260.0, INTACT, 0.0),  # 240 MW in shares of 2 : 2 : 1: 96 on a and b
        (320.0, INTACT, 20.0),  # 300 MW: 120 on a and b
        (170.0, 0, 0.0),  # without a: 150 in shares of 2 : 1, 100 on b
        (230.0, 0, 40.0),  # 210 MW: 140 on b
        (230.0, 2, 5.0),  # without c: 105 on each
        (330.0, INTACT, np.inf),  # units make 320
        (30.0, 3, np.inf),  # without the unit at bus 1 only 20 MW are left
        (210.0, 4, 0.0),  # without the unit at bus 2: 84 on a and b
        (260.0, 4, 4.0),
    ],
)
def test_overloads_by_hand(load: float, contingency: int, wanted: float) -> None:
    assert over(TWO, load, contingency) == pytest.approx(wanted, abs=1e-6)


def test_other_limits_and_ratings_by_hand() -> None:
    held = replace(TWO, buses=TWO.buses.assign(withdrawal_limit_mw=[np.inf, 150.0]))
    assert over(held, 180.0, INTACT) == pytest.approx(10.0, abs=1e-6)  # unit h makes 20 of 180
    interface = table_of("interfaces", [{"interface": "i", "terms": "a:1 c:2", "limit_mw": 120.0}])
    # 200 MW over the circuits: 80 on a and 40 on c, 160 in all.
    assert over(replace(TWO, interfaces=interface), 220.0, INTACT) == pytest.approx(40.0, abs=1e-6)
    shifted = replace(TWO, branches=TWO.branches.assign(shift_deg=[np.rad2deg(0.01), 0.0, 0.0]))
    # 0.01 rad at 1,000 MW/rad take 10 MW off a, and 10 x 2/5 come back: b carries 96 + 4, for 240 MW.
    assert over(shifted, 260.0, INTACT) == pytest.approx(0.0, abs=1e-6)
    assert over(shifted, 265.0, INTACT) == pytest.approx(2.0, abs=1e-6)
    short = replace(TWO, branches=TWO.branches.assign(rating_c_mw=[130.0, 130.0, 130.0]))
    case, contingencies = filed(short)
    triple = Triple(1, 230.0, 0, 0, passes=False)  # 140 on b
    assert judge(case, contingencies, [triple], rating="c")[0].overload_mw == pytest.approx(10.0, abs=1e-6)
    assert judge(case, contingencies, [triple])[0].overload_mw == pytest.approx(40.0, abs=1e-6)


def test_the_edge_decides_nothing() -> None:
    # After the loss of a 170 MW use the last of b: 150 in shares of 2 : 1.
    case, contingencies = filed(TWO)
    loads = (170.0 - 0.5 * EDGE_MW, 170.0, 170.0 + 0.5 * EDGE_MW)
    for passes in (True, False):
        found = judge(case, contingencies, [Triple(1, load, 0, 0, passes=passes) for load in loads])
        assert all(one.agrees for one in found)
        assert any(one.on_edge for one in found)
    wrong = [Triple(1, 170.0 - 3 * EDGE_MW, 0, 0, passes=False), Triple(1, 170.0 + 3 * EDGE_MW, 0, 0, passes=True)]
    assert [one.agrees for one in judge(case, contingencies, wrong)] == [False, False]


# Closed cases of other programs.


@dataclass(frozen=True)
class Said:
    """Verdicts on a table of truth: the load passes where it is not above the largest load of (bus, contingency)."""

    buses: Integers
    most_mw: np.ndarray  # (C, K)
    loads: tuple[float, ...]
    undecided: float = -1.0  # this load is undecided
    lies: tuple[int, int, int, int] | None = None

    @property
    def hours(self) -> Integers:
        return np.array([0])

    @property
    def levels(self) -> int:
        return len(self.loads)

    def load_mw(self, hour: int, level: int) -> float:  # noqa: ARG002 (the same in every hour)
        return self.loads[level]

    def verdict(self, candidate: int, hour: int, level: int, contingency: int) -> int:
        if self.loads[level] == self.undecided:
            return -1
        said = self.loads[level] <= self.most_mw[candidate, contingency]
        return int(said != (self.lies == (candidate, hour, level, contingency)))


# By hand, at bus 2: without a or b 100 MW of 150 on the other circuit, and h; without c 200 and h; the units.
TRUTH = Said(np.array([1]), np.array([[170.0, 170.0, 220.0, 20.0, 250.0]]), (10.0, 100.0, 190.0, 215.0, 240.0, 300.0))


def test_true_verdicts_pass_the_check() -> None:
    case, contingencies = filed(TWO)
    seen: list[tuple[int, int]] = []
    report = check(case, contingencies, TRUTH, count=30, seed=1, progress=lambda done, all_: seen.append((done, all_)))
    assert len(report.found) == 30  # all there are: 6 loads, 5 contingencies
    assert len({(one.triple.load_mw, one.triple.contingency) for one in report.found}) == 30
    assert report.mismatches == ()
    assert "30 verdicts (14 passed, 16 failed) decided again from nothing (seed 1): 0 differ" in report.words()
    assert seen[-1] == (2, 2)
    assert CheckReport.from_json(json.loads(json.dumps(report.to_json(), allow_nan=False))) == report
    assert (report.case, report.rating) == (case.digest, "a")


def test_one_wrong_verdict_fails_the_run_and_is_named() -> None:
    case, contingencies = filed(TWO)
    with pytest.raises(VerdictError) as found:
        check(case, contingencies, replace(TRUTH, lies=(0, 0, 4, 2)), count=30)
    assert str(found.value) == (
        "1 of 30 verdicts of the gate are wrong: 240 MW at bus 2 in as filed after the loss of line c: "
        "the gate says passes, the least overload is 10.0000 MW"
    )


def test_draws_are_seeded_balanced_and_skip_what_is_undecided() -> None:
    _, contingencies = filed(TWO)
    first, skipped = draw(contingencies, TRUTH, 10, seed=3)
    assert (first, skipped) == (draw(contingencies, TRUTH, 10, seed=3)[0], 0)
    assert first != draw(contingencies, TRUTH, 10, seed=4)[0]
    assert sum(triple.passes for triple in first) == 5
    some, skipped = draw(contingencies, replace(TRUTH, undecided=10.0), 30, seed=0)
    assert (len(some), skipped) == (25, 5)
    easy = replace(TRUTH, loads=(1.0, 2.0, 300.0))  # few fail: passes fill up
    assert len(draw(contingencies, easy, 12, seed=0)[0]) == 12
    with pytest.raises(QuestionError, match="one verdict or more"):
        draw(contingencies, TRUTH, 0, seed=0)


def test_other_processes_find_the_same() -> None:
    case, contingencies = filed(TWO)
    here = check(case, contingencies, TRUTH, count=24, seed=2)
    assert check(case, contingencies, TRUTH, count=24, seed=2, workers=Processes(1)).found == here.found


@cache
def grid(name: str) -> Ppc:
    ppc = pypower_case(name)
    unrated = (ppc["branch"][:, 5] == 0) | (ppc["branch"][:, 5] > 9000)
    ppc["branch"][unrated, 5] = 250.0  # all 186 of the case of 118 buses
    ppc["gen"][:, 9] = np.maximum(ppc["gen"][:, 9], 0.0)
    ppc["branch"][:, 11:13] = [-360.0, 360.0]
    return ppc


def sampled(name: str, count: int) -> tuple[SitingCase, Contingencies, list[Triple]]:
    network = network_of(grid(name))
    case, contingencies = cases.as_filed(network), Contingencies.of(Factors.of(network), Rule(branches="all"))
    rng = np.random.default_rng(len(network.buses.ids))
    triples = [
        Triple(
            int(rng.integers(len(network.buses.ids))),
            float(load),
            0,
            int(rng.integers(len(contingencies))),
            passes=True,
        )
        for load in rng.uniform(0.0, 800.0, count)
    ]
    return case, contingencies, triples


@pytest.mark.parametrize("name", ["case24_ieee_rts", "case39", "case118"])
def test_pypower_finds_a_dispatch_exactly_where_we_do(name: str) -> None:
    # PYPOWER's DC-OPF is another model builder and another solver (PIPS, an interior-point method).
    case, contingencies, triples = sampled(name, 25)
    found = judge(case, contingencies, triples)
    solved = []
    for triple in triples:
        ppc = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in grid(name).items()}
        ppc["bus"][triple.bus, 2] += triple.load_mw
        ppc["branch"][list(contingencies.branches(triple.contingency)), 10] = 0
        if (unit := contingencies.unit(triple.contingency)) >= 0:
            ppc["gen"][unit, 7] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PYPOWER, about sparse formats
            solved.append(bool(rundcopf(ppc, ppoption(VERBOSE=0, OUT_ALL=0))["success"]))
    assert [one.overload_mw <= EDGE_MW for one in found] == solved
    assert 3 <= sum(solved) <= 22  # both kinds are there


def test_pypsa_finds_a_dispatch_exactly_where_we_do() -> None:
    logging.getLogger("pypsa").setLevel(logging.ERROR)
    logging.getLogger("linopy").setLevel(logging.ERROR)
    case, contingencies, some = sampled("case24_ieee_rts", 12)
    over = [one.overload_mw > EDGE_MW for one in judge(case, contingencies, some)]
    kinds = [(int(some[at].bus), some[at].contingency) for at in (over.index(False), over.index(True))]
    found, theirs = [], []
    for bus, contingency in kinds:  # one program of PyPSA decides many loads: each is an hour of its own
        loads = np.linspace(20.0, 900.0, 8)
        triples = [Triple(bus, float(load), 0, contingency, passes=True) for load in loads]
        found += [one.overload_mw <= EDGE_MW for one in judge(case, contingencies, triples)]
        theirs += _not_served(case, contingencies, bus, contingency, loads)
    assert found == [one < EDGE_MW for one in theirs]
    assert 3 <= sum(found) <= len(found) - 3  # of 16, both kinds are there


def _not_served(
    case: SitingCase, contingencies: Contingencies, bus: int, contingency: int, loads: np.ndarray
) -> list[float]:
    """Return how much of each load PyPSA leaves unserved at least, MW, where all other loads are served."""
    network, base = case.network, case.network.base_mva
    ends, units = network.branches, network.units
    net = pypsa.Network(snapshots=range(len(loads)))
    net.add("Bus", list(network.buses.ids), v_nom=1.0)
    for at, name in enumerate(ends.ids):
        if at in contingencies.branches(contingency):
            continue
        ohm = ends.reactance_pu[at] * ends.tap_ratio[at] / base  # per unit of 1 MVA at 1 kV
        pair = {"bus0": network.buses.ids[ends.from_bus[at]], "bus1": network.buses.ids[ends.to_bus[at]]}
        net.add("Line", name, x=ohm, s_nom=ends.rating_a_mw[at], **pair)
    for at, name in enumerate(units.ids):
        if at == contingencies.unit(contingency):
            continue
        least, most = case.least_mw[0, at], case.largest_mw[0, at]
        share = least / most if most > 0 else 0.0
        net.add("Generator", name, bus=network.buses.ids[units.bus[at]], p_nom=most, p_min_pu=share)
    net.add("Load", list(network.buses.ids), bus=list(network.buses.ids), p_set=case.demand_mw[0])
    net.add("Load", "more", bus=network.buses.ids[bus], p_set=loads)
    net.add("Generator", "unserved", bus=network.buses.ids[bus], p_nom=1e4, marginal_cost=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of linopy, about what will change
        assert net.optimize(solver_name="highs", output_flag=False)[1] == "optimal"
    unserved: list[float] = net.generators_t.p["unserved"].to_list()
    return unserved
